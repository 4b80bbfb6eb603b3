// SPDX-License-Identifier: MIT
//
// conn_fuzz.c -- a connection to a node that says anything at any time. The input is a script for the node and the client, one
// step after the other: right answers, wrong ones, bytes; requests, requests given up, the end. Whatever comes, every call
// ends once unless it was given up, and `closed` comes once. One thread, one loop for both sides.
#include <netinet/in.h>
#include <stdlib.h>

#include "driver/conn_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

enum { CALLS = 8, MOST_STEPS = 200 };

typedef struct fuzz_call {
    driver_call call; // first
    bool        busy;
} fuzz_call;

static struct {
    uv_loop_t   loop;
    uv_tcp_t    listener, peer;
    uint16_t    port;
    bool        accepted, peer_open;
    int         waiting; // for the peer's end
    base_reader script;
    // the node
    wire_decoder decoder;
    wire_encoder encoder;
    int16_t      stream; // of the last request
    uint8_t      opcode;
    // the client
    driver_settings settings;
    driver_figures  figures;
    driver_conn    *conn;
    fuzz_call       calls[CALLS];
    uint32_t        closed, ready;
} f;

// ---- the node ----

static void peer_closed(uv_handle_t *handle) {
    (void)handle;
    wire__decoder_free(&f.decoder);
    wire__encoder_free(&f.encoder);
    f.peer_open = false;
}

static void peer_close(void) {
    if (f.peer_open && !uv_is_closing((uv_handle_t *)&f.peer)) {
        uv_close((uv_handle_t *)&f.peer, peer_closed);
    }
}

static void peer_send(const void *data, size_t len) {
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
    if (!f.peer_open || uv_is_closing((uv_handle_t *)&f.peer) || len == 0) return;
    (void)uv_try_write((uv_stream_t *)&f.peer, &buf, 1);
}

static void peer_flush(void) {
    base_buf out = { 0 };
    CHECK(wire__encoder_take(&f.encoder, &out, NULL) == CORM_OK);
    peer_send(out.data, out.len);
    base__buf_free(&out);
}

static void peer_answer(uint8_t flags, int16_t stream, uint8_t opcode, corm_bytes body) {
    base_buf *out = wire__encoder_begin(&f.encoder, flags, stream, (wire_opcode)opcode);
    base__buf_put(out, body.data, body.len);
    CHECK(wire__encoder_end(&f.encoder, NULL) == CORM_OK);
    peer_flush();
}

static void peer_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    wire_frame frame;
    bool       is_whole = true;
    (void)stream;
    if (got < 0) peer_close();
    if (got <= 0) return;
    // Whether the client has switched to segments is the node's to know; a script may have it wrong.
    wire__decoder_feed(&f.decoder, (const uint8_t *)buf->base, (size_t)got);
    while (wire__decoder_next(&f.decoder, &frame, &is_whole, NULL) == CORM_OK && is_whole) {
        f.stream = frame.stream;
        f.opcode = frame.opcode;
    }
}

static void peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
    static char space[65536];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(space, sizeof space);
}

static void on_connection(uv_stream_t *listener, int failed) {
    CHECK(failed == 0 && !f.peer_open);
    CHECK(uv_tcp_init(&f.loop, &f.peer) == 0);
    CHECK(uv_accept(listener, (uv_stream_t *)&f.peer) == 0);
    f.accepted = f.peer_open = true;
    wire__decoder_init(&f.decoder, 1 << 20);
    wire__encoder_init(&f.encoder, f.conn ? driver__conn_version(f.conn) : 5, true);
    CHECK(uv_read_start((uv_stream_t *)&f.peer, peer_alloc, peer_read) == 0);
}

static void listen_once(void) {
    struct sockaddr_in sa;
    int                len = sizeof sa;
    if (f.port) return;
    CHECK(uv_loop_init(&f.loop) == 0);
    CHECK(uv_tcp_init(&f.loop, &f.listener) == 0);
    CHECK(uv_ip4_addr("127.0.0.1", 0, &sa) == 0);
    CHECK(uv_tcp_bind(&f.listener, (struct sockaddr *)&sa, 0) == 0);
    CHECK(uv_listen((uv_stream_t *)&f.listener, 16, on_connection) == 0);
    CHECK(uv_tcp_getsockname(&f.listener, (struct sockaddr *)&sa, &len) == 0);
    f.port = ntohs(sa.sin_port);
}

// ---- the client ----

static void on_ready(void *context, driver_conn *conn) {
    (void)context;
    (void)conn;
    f.ready++;
}

static void on_closed(void *context, driver_conn *conn, corm_status status, const corm_error *err) {
    (void)context;
    CHECK(conn == f.conn && status != CORM_OK && err->message[0]);
    CHECK(driver__conn_in_flight(conn) == 0);
    f.closed++;
}

static void on_event(void *context, driver_conn *conn, const wire_event *event) {
    (void)context;
    (void)conn;
    CHECK(event->address.length <= 16);
}

static void on_done(driver_call *call, corm_status status, const wire_frame *frame,
                    const corm_error *err) {
    fuzz_call *own = (fuzz_call *)call;
    CHECK(own->busy && !call->conn);
    CHECK((status == CORM_OK) == (frame != NULL) && (status != CORM_OK) == (err != NULL));
    own->busy = false;
}

static void send_call(uint8_t which) {
    fuzz_call *own = &f.calls[which % CALLS];
    base_buf  *body = NULL;
    if (f.closed || own->busy) return;
    own->call.done = on_done;
    if (driver__conn_begin(f.conn, &own->call, 0, WIRE_OP_QUERY, &body, NULL) != CORM_OK) return;
    base__buf_puts(body, "a request");
    if (which & 0x80) {
        driver__conn_drop(f.conn, &own->call);
        return;
    }
    own->busy = driver__conn_end(f.conn, &own->call, NULL) == CORM_OK;
}

static void give_up_call(uint8_t which) {
    fuzz_call *own = &f.calls[which % CALLS];
    if (!own->busy) return;
    driver__conn_abandon(&own->call);
    own->busy = false;
}

static void open_client(uint8_t how) {
    static const corm_compression kinds[] = { CORM_UNCOMPRESSED, CORM_LZ4, CORM_SNAPPY, CORM_LZ4 };
    static const driver_contact   contact = { "127.0.0.1", 9042 };
    corm_cluster_options          options = { .username = how & 8 ? "ann" : NULL,
                                              .compression = kinds[how >> 1 & 3],
                                              .max_frame_bytes = 1 << 20 };
    CHECK(driver__settings_make(&contact, 1, &options, 0, &f.settings, NULL) == CORM_OK);
    driver_conn_options how_to = { .loop = &f.loop,
                                   .settings = &f.settings,
                                   .version = how & 1 ? 5 : 4,
                                   .register_events = (how & 16) != 0,
                                   .figures = how & 32 ? NULL : &f.figures,
                                   .shard = -1,
                                   .address = { .text = "127.0.0.1", .port = f.port },
                                   .owner = { NULL, on_ready, on_closed, on_event, NULL } };
    CHECK(uv_ip4_addr("127.0.0.1", f.port, (struct sockaddr_in *)&how_to.address.sa) == 0);
    f.closed = f.ready = 0;
    f.accepted = false;
    CHECK(driver__conn_open(&how_to, &f.conn, NULL) == CORM_OK);
}

// ---- the script ----

static corm_bytes rest_of_step(void) {
    uint8_t len = base__read_u8(&f.script);
    size_t  most = f.script.len < len ? f.script.len : len;
    return base__read_bytes(&f.script, most);
}

static void put_standard_body(base_buf *body) {
    static const wire_pair supported[] = { { { "COMPRESSION", 11 }, { "lz4", 3 } },
                                           { { "COMPRESSION", 11 }, { "snappy", 6 } },
                                           { { "SCYLLA_SHARD", 12 }, { "1", 1 } },
                                           { { "SCYLLA_NR_SHARDS", 16 }, { "4", 1 } } };
    if (f.opcode == WIRE_OP_OPTIONS) wire__put_multimap(body, supported, 4);
    if (f.opcode == WIRE_OP_AUTH_RESPONSE) wire__put_bytes(body, (corm_bytes){ NULL, 0 });
    if (f.opcode == WIRE_OP_QUERY) wire__put_void(body);
}

static uint8_t standard_opcode(void) {
    switch (f.opcode) {
    case WIRE_OP_OPTIONS: return WIRE_OP_SUPPORTED;
    case WIRE_OP_AUTH_RESPONSE: return WIRE_OP_AUTH_SUCCESS;
    case WIRE_OP_QUERY: return WIRE_OP_RESULT;
    default: return WIRE_OP_READY;
    }
}

// STARTUP's answer is the last thing outside of segments.
static void switch_form(void) {
    wire_compression kind = f.conn->compression;
    if (f.opcode != WIRE_OP_STARTUP) return;
    if (f.encoder.version < 5) {
        wire__encoder_compression(&f.encoder, kind);
        wire__decoder_compression(&f.decoder, kind);
    } else {
        wire__encoder_segments(&f.encoder, kind);
        wire__decoder_segments(&f.decoder, kind);
    }
}

static void answer_rightly(bool asks_for_login) {
    base_buf body = { 0 };
    if (asks_for_login && f.opcode == WIRE_OP_STARTUP) {
        wire__put_text(&body, corm_str_of("PasswordAuthenticator"));
        peer_answer(0, f.stream, WIRE_OP_AUTHENTICATE, base__buf_bytes(&body));
    } else {
        put_standard_body(&body);
        peer_answer(0, f.stream, standard_opcode(), base__buf_bytes(&body));
    }
    if (!f.closed) switch_form();
    base__buf_free(&body);
}

static void answer_anything(void) {
    uint8_t opcode = base__read_u8(&f.script);
    uint8_t stream = base__read_u8(&f.script);
    uint8_t flags = base__read_u8(&f.script);
    int16_t to = stream < 128 ? f.stream : (int16_t)(stream - 130);
    peer_answer(flags, to, opcode % 20, rest_of_step());
}

static void step(void) {
    uint8_t    what = base__read_u8(&f.script);
    corm_bytes bytes;
    switch (what % 10) {
    case 0:
    case 1:
    case 2: answer_rightly(what >= 128); break;
    case 3: answer_anything(); break;
    case 4:
        bytes = rest_of_step();
        peer_send(bytes.data, bytes.len);
        break;
    case 5:
    case 6: send_call(base__read_u8(&f.script)); break;
    case 7: give_up_call(base__read_u8(&f.script)); break;
    case 8: f.encoder.version = base__read_u8(&f.script) % 8; break;
    default:
        if (what == 9 && !f.closed) driver__conn_drain(f.conn);
        if (what == 19) peer_close();
    }
}

static void turn(void) {
    for (int i = 0; i < 3; i++) uv_run(&f.loop, UV_RUN_NOWAIT);
}

static void end_both(void) {
    if (!f.closed) driver__conn_close(f.conn, CORM_CLOSED, "the input has ended");
    peer_close();
    while (!f.closed || f.peer_open || !f.accepted) uv_run(&f.loop, UV_RUN_ONCE);
    CHECK(f.closed == 1);
    for (int i = 0; i < CALLS; i++) CHECK(!f.calls[i].busy);
    CHECK(f.figures.orphaned == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    listen_once();
    f.script = (base_reader){ data + 1, size - 1, false };
    open_client(data[0]);
    while (!f.accepted) uv_run(&f.loop, UV_RUN_ONCE);
    turn();
    for (int i = 0; i < MOST_STEPS && f.script.len > 0 && !f.closed; i++) {
        step();
        turn();
    }
    end_both();
    driver__settings_free(&f.settings);
    return 0;
}
