// SPDX-License-Identifier: MIT
/* fake_handshake.c -- OPTIONS, STARTUP, authentication, REGISTER and events. The fake's thread. */
#include "testing/fake.h"

#include <stdlib.h>

enum { MOST_PAIRS = 24 };

/* ---- sending ---- */

static void send_body(fake_conn *conn, int16_t stream, wire_opcode opcode, const base_buf *body) {
    if (body->failed) {
        fake__conn_close(conn);
        return;
    }
    fake__conn_send(conn, 0, stream, opcode, base__buf_bytes(body), (fake_delivery){ 0 });
}

/* An ERROR behind which the connection ends. */
static void refuse(fake_conn *conn, int16_t stream, corm_status status, const char *message) {
    base_buf   body = { 0 };
    wire_error error = { .code = corm_status_server_code(status),
                         .status = status,
                         .message = corm_str_of(message) };
    wire__put_error(&body, &error, conn->encoder.version);
    send_body(conn, stream, WIRE_OP_ERROR, &body);
    base__buf_free(&body);
    conn->polite = true;
    fake__conn_close(conn);
}

/* ---- versions ---- */

static void refuse_version(fake_conn *conn, const wire_frame *frame) {
    const corm_fake_options *options = &conn->node->fake->options;
    char                     message[160];
    int                      at = snprintf(message, sizeof message,
                                           "Invalid or unsupported protocol version (%u);"
                                                                " supported versions are (",
                                           (unsigned)frame->version);
    for (unsigned v = options->least_version; v <= options->most_version; v++) {
        at += snprintf(message + at, sizeof message - (size_t)at, "%s%u/v%u",
                       v > options->least_version ? ", " : "", v, v);
    }
    snprintf(message + at, sizeof message - (size_t)at, ")");
    conn->encoder.version = options->most_version;
    refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, message);
}

static bool version_fits(fake_conn *conn, const wire_frame *frame) {
    const corm_fake_options *options = &conn->node->fake->options;
    if (conn->version == 0 && frame->version >= options->least_version &&
        frame->version <= options->most_version) {
        conn->version = conn->encoder.version = frame->version;
    }
    return conn->version != 0 && frame->version == conn->version;
}

/* ---- OPTIONS ---- */

typedef struct pairs {
    wire_pair items[MOST_PAIRS];
    uint32_t  count;
    char      numbers[4][64];
    uint32_t  used;
} pairs;

static void say(pairs *all, const char *name, const char *value) {
    all->items[all->count++] = (wire_pair){ corm_str_of(name), corm_str_of(value) };
}

static void say_number(pairs *all, const char *name, unsigned number) {
    char *text = all->numbers[all->used++];
    snprintf(text, sizeof all->numbers[0], "%u", number);
    say(all, name, text);
}

static void say_shards(const fake_conn *conn, pairs *all) {
    const corm_fake_cluster *fake = conn->node->fake;
    if (fake->options.shards == 0) return;
    say_number(all, "SCYLLA_SHARD", conn->shard);
    say_number(all, "SCYLLA_NR_SHARDS", fake->options.shards);
    say(all, "SCYLLA_SHARDING_ALGORITHM", "biased-token-round-robin");
    say(all, "SCYLLA_SHARDING_IGNORE_MSB", "12");
    say(all, "SCYLLA_PARTITIONER", "org.apache.cassandra.dht.Murmur3Partitioner");
    say(all, "SCYLLA_LWT_ADD_METADATA_MARK", "SCYLLA_LWT_OPTIMIZATION_META_BIT_MASK=2147483648");
    say_number(all, fake->tls ? "SCYLLA_SHARD_AWARE_PORT_SSL" : "SCYLLA_SHARD_AWARE_PORT",
               fake->ports[1]);
}

static void answer_options(fake_conn *conn, const wire_frame *frame) {
    static const char *const versions[] = { "3/v3", "4/v4", "5/v5" };
    const corm_fake_options *options = &conn->node->fake->options;
    pairs                    all = { .count = 0 };
    base_buf                 body = { 0 };
    conn->node->counts.options++;
    say(&all, "CQL_VERSION", "3.4.7");
    if (!options->no_snappy) say(&all, "COMPRESSION", "snappy");
    if (!options->no_lz4) say(&all, "COMPRESSION", "lz4");
    for (unsigned v = 3; v <= 5; v++) {
        if (v >= options->least_version && v <= options->most_version) {
            say(&all, "PROTOCOL_VERSIONS", versions[v - 3]);
        }
    }
    say_shards(conn, &all);
    wire__put_multimap(&body, all.items, all.count);
    send_body(conn, frame->stream, WIRE_OP_SUPPORTED, &body);
    base__buf_free(&body);
}

/* ---- STARTUP ---- */

static bool compression_of(const fake_conn *conn, corm_str name, wire_compression *out) {
    const corm_fake_options *options = &conn->node->fake->options;
    *out = WIRE_PLAIN;
    if (name.len == 0) return true;
    if (base__str_equal_nocase(name, corm_str_of("lz4")) && !options->no_lz4) *out = WIRE_LZ4;
    if (base__str_equal_nocase(name, corm_str_of("snappy")) && !options->no_snappy &&
        conn->version < 5) {
        *out = WIRE_SNAPPY;
    }
    return *out != WIRE_PLAIN;
}

/* What comes behind the answer to STARTUP has the new form. */
static void switch_form(fake_conn *conn, wire_compression compression) {
    if (conn->version >= 5) {
        wire__encoder_segments(&conn->encoder, compression);
        wire__decoder_segments(&conn->decoder, compression);
    } else {
        wire__encoder_compression(&conn->encoder, compression);
        wire__decoder_compression(&conn->decoder, compression);
    }
}

static void answer_startup(fake_conn *conn, const wire_frame *frame, corm_str compression) {
    wire_compression kind;
    base_buf         body = { 0 };
    if (!compression_of(conn, compression, &kind)) {
        char message[96];
        snprintf(message, sizeof message, "Unknown compression algorithm: %.*s",
                 (int)(compression.len < 32 ? compression.len : 32), compression.data);
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, message);
        return;
    }
    conn->started = true;
    conn->authenticated = conn->node->fake->options.username == NULL;
    if (!conn->authenticated) {
        wire__put_text(&body, corm_str_of("org.apache.cassandra.auth.PasswordAuthenticator"));
    }
    send_body(conn, frame->stream, conn->authenticated ? WIRE_OP_READY : WIRE_OP_AUTHENTICATE,
              &body);
    base__buf_free(&body);
    switch_form(conn, kind);
}

static void read_startup(fake_conn *conn, const wire_frame *frame) {
    base_arena arena = { 0 };
    wire_pair *options = NULL;
    uint32_t   count = 0;
    corm_error err;
    corm_str   cql = { 0 }, compression = { 0 };
    if (wire__read_string_map(frame->body, &arena, &options, &count, &err) != CORM_OK) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, err.message);
        base__arena_free(&arena);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (base__str_equal_nocase(options[i].name, corm_str_of("CQL_VERSION"))) {
            cql = options[i].value;
        }
        if (base__str_equal_nocase(options[i].name, corm_str_of("COMPRESSION"))) {
            compression = options[i].value;
        }
    }
    if (cql.len == 0) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR,
               "Missing value CQL_VERSION in STARTUP message");
    } else {
        answer_startup(conn, frame, compression);
    }
    base__arena_free(&arena);
}

/* ---- authentication ---- */

/* The token is "\0user\0password". */
static bool token_fits(const corm_fake_options *options, corm_bytes token) {
    base_buf wanted = { 0 };
    base__buf_u8(&wanted, 0);
    base__buf_puts(&wanted, options->username);
    base__buf_u8(&wanted, 0);
    base__buf_puts(&wanted, options->password ? options->password : "");
    bool fits = !wanted.failed && wanted.len == token.len &&
                memcmp(wanted.data, token.data, token.len) == 0;
    base__buf_free(&wanted);
    return fits;
}

static void answer_token(fake_conn *conn, const wire_frame *frame) {
    corm_bytes token = { 0 };
    corm_error err;
    base_buf   body = { 0 };
    if (wire__read_bytes_body(frame->body, &token, &err) != CORM_OK ||
        !token_fits(&conn->node->fake->options, token)) {
        refuse(conn, frame->stream, CORM_BAD_CREDENTIALS,
               "Provided username and/or password are incorrect");
        return;
    }
    conn->authenticated = true;
    wire__put_bytes(&body, (corm_bytes){ 0 });
    send_body(conn, frame->stream, WIRE_OP_AUTH_SUCCESS, &body);
    base__buf_free(&body);
}

/* ---- events ---- */

static const char *const event_names[] = { [WIRE_TOPOLOGY_CHANGE] = "TOPOLOGY_CHANGE",
                                           [WIRE_STATUS_CHANGE] = "STATUS_CHANGE",
                                           [WIRE_SCHEMA_CHANGE_EVENT] = "SCHEMA_CHANGE" };

static void answer_register(fake_conn *conn, const wire_frame *frame) {
    base_arena arena = { 0 };
    corm_str  *names = NULL;
    uint32_t   count = 0;
    corm_error err;
    base_buf   body = { 0 };
    if (wire__read_string_list(frame->body, &arena, &names, &count, &err) != CORM_OK) count = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (unsigned kind = 0; kind < 3; kind++) {
            if (corm_str_equal(names[i], corm_str_of(event_names[kind])))
                conn->events |= 1u << kind;
        }
    }
    conn->node->counts.registers++;
    send_body(conn, frame->stream, WIRE_OP_READY, &body);
    base__arena_free(&arena);
}

void fake__send_event(corm_fake_cluster *fake, const wire_event *event) {
    base_buf body = { 0 };
    wire__put_event(&body, event);
    for (uint32_t i = 0; i < fake->node_count && !body.failed; i++) {
        fake_conn *next = NULL;
        for (fake_conn *conn = fake->nodes[i]->conns; conn; conn = next) {
            next = conn->next;
            if (conn->events & 1u << event->kind) send_body(conn, -1, WIRE_OP_EVENT, &body);
        }
    }
    base__buf_free(&body);
}

void fake__send_node_event(corm_fake_cluster *fake, wire_event_kind kind, const char *change,
                           const fake_node *about) {
    wire_event event = { .kind = kind,
                         .change = corm_str_of(change),
                         .address = fake__node_inet(about),
                         .port = fake->ports[0] };
    fake__send_event(fake, &event);
}

/* ---- all of it ---- */

/* What no client may say: that a version is in beta, or, in segments, that a body is compressed. */
static bool flags_fit(const fake_conn *conn, const wire_frame *frame) {
    bool compressed = frame->flags & WIRE_FLAG_COMPRESSED;
    return !(frame->flags & WIRE_FLAG_BETA) && !(compressed && conn->encoder.segmented);
}

bool fake__handshake(fake_conn *conn, const wire_frame *frame) {
    if (!version_fits(conn, frame)) {
        refuse_version(conn, frame);
    } else if (!flags_fit(conn, frame)) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, "A flag that does not belong there");
    } else if (frame->opcode == WIRE_OP_OPTIONS) {
        answer_options(conn, frame);
    } else if (frame->opcode == WIRE_OP_STARTUP && !conn->started) {
        read_startup(conn, frame);
    } else if (frame->opcode == WIRE_OP_AUTH_RESPONSE && conn->started && !conn->authenticated) {
        answer_token(conn, frame);
    } else if (frame->opcode == WIRE_OP_REGISTER && conn->authenticated) {
        answer_register(conn, frame);
    } else if (!conn->authenticated) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, "Unexpected message before the handshake");
    } else {
        return false;
    }
    return true;
}
