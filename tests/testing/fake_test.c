// SPDX-License-Identifier: MIT
/* fake_test.c -- the fake cluster, driven over plain sockets with the encoder and decoder of src/wire. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "corm/testing.h"
#include "testing/certificates.h"
#include "testing/check.h"
#include "wire/message.h"

/* ---- a client ---- */

typedef struct client {
    int          fd;
    uint8_t      version;
    wire_decoder decoder;
    wire_encoder encoder;
    base_arena   arena;
    base_buf     body; /* a copy of the last frame's */
    wire_frame   frame;
    uint8_t      input[4096];
    bool         fed;
} client;

static int dial(uint8_t last, uint16_t port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(UINT32_C(0x7f000000) | last);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    assert_true(fd >= 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

static void open_client(client *c, const corm_fake_cluster *fake, uint8_t last, uint8_t version) {
    memset(c, 0, sizeof *c);
    c->version = version;
    c->fd = dial(last, corm_fake_port(fake));
    assert_true(c->fd >= 0);
    wire__decoder_init(&c->decoder, 1 << 24);
    wire__encoder_init(&c->encoder, version, false);
}

static void close_client(client *c) {
    close(c->fd);
    wire__decoder_free(&c->decoder);
    wire__encoder_free(&c->encoder);
    base__arena_free(&c->arena);
    base__buf_free(&c->body);
}

static void send_bytes(client *c, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t sent = send(c->fd, data, len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        data += sent;
        len -= (size_t)sent;
    }
}

static void send_frame(client *c, uint8_t flags, int16_t stream, wire_opcode opcode,
                       const base_buf *body) {
    corm_error err;
    base_buf   bytes = { 0 };
    base_buf  *to = wire__encoder_begin(&c->encoder, flags, stream, opcode);
    if (body) base__buf_put(to, body->data, body->len);
    assert_ok(wire__encoder_end(&c->encoder, &err), err);
    assert_ok(wire__encoder_take(&c->encoder, &bytes, &err), err);
    send_bytes(c, bytes.data, bytes.len);
    base__buf_free(&bytes);
}

/* The next frame; false at the end of the connection, or when its bytes are damaged. */
static bool next_frame(client *c) {
    corm_error err;
    bool       got = false;
    for (;;) {
        if (c->fed) {
            if (wire__decoder_next(&c->decoder, &c->frame, &got, &err) != CORM_OK) return false;
            if (got) break;
        }
        ssize_t len = recv(c->fd, c->input, sizeof c->input, 0);
        if (len <= 0) return false;
        wire__decoder_feed(&c->decoder, c->input, (size_t)len);
        c->fed = true;
    }
    base__buf_clear(&c->body);
    base__buf_put(&c->body, c->frame.body.data, c->frame.body.len);
    c->frame.body = base__buf_bytes(&c->body);
    return true;
}

static void expect(client *c, wire_opcode opcode) {
    wire_error error;
    corm_error err;
    assert_true(next_frame(c));
    if (c->frame.opcode == WIRE_OP_ERROR && opcode != WIRE_OP_ERROR &&
        wire__error_read(c->frame.body, c->version, &error, &err) == CORM_OK) {
        fail_msg("ERROR %04x: %.*s", (unsigned)error.code, (int)error.message.len,
                 error.message.data);
    }
    assert_int_equal(c->frame.opcode, opcode);
}

static void send_startup(client *c, const char *compression) {
    base_buf  body = { 0 };
    wire_pair pairs[] = { { corm_str_of("CQL_VERSION"), corm_str_of("3.0.0") },
                          { corm_str_of("COMPRESSION"), corm_str_of(compression) } };
    wire__put_startup(&body, pairs, compression ? 2 : 1);
    send_frame(c, 0, 1, WIRE_OP_STARTUP, &body);
    base__buf_free(&body);
}

static void use_form(client *c, wire_compression kind) {
    if (c->version >= 5) {
        wire__encoder_segments(&c->encoder, kind);
        wire__decoder_segments(&c->decoder, kind);
    } else {
        wire__encoder_compression(&c->encoder, kind);
        wire__decoder_compression(&c->decoder, kind);
    }
}

static void connect_client(client *c, const corm_fake_cluster *fake, uint8_t last,
                           uint8_t version) {
    open_client(c, fake, last, version);
    send_startup(c, NULL);
    expect(c, WIRE_OP_READY);
    use_form(c, WIRE_PLAIN);
}

static wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    (void)prepared;
    return *(wire_prepared_id *)context;
}

static void send_request(client *c, int16_t stream, const wire_request *request,
                         wire_prepared_id *id) {
    base_buf   body = { 0 };
    corm_error err;
    assert_ok(wire__put_request(&body, request, c->version, id_of, id, &err), err);
    send_frame(c, wire__request_flags(request), stream, wire__request_opcode(request), &body);
    base__buf_free(&body);
}

static wire_request query(const char *text) {
    return (wire_request){ .kind = WIRE_QUERY,
                           .text = corm_str_of(text),
                           .options = { .consistency = WIRE_ONE } };
}

static void send_query(client *c, int16_t stream, const char *text) {
    wire_request request = query(text);
    send_request(c, stream, &request, NULL);
}

static void read_result(client *c, wire_result *out) {
    wire_prefix prefix;
    corm_error  err;
    assert_int_equal(c->frame.opcode, WIRE_OP_RESULT);
    assert_ok(wire__prefix_read(&c->frame, &prefix, &err), err);
    assert_ok(wire__result_read(prefix.message, c->version, &c->arena, out, &err), err);
}

static void ask(client *c, const char *text, wire_result *out) {
    send_query(c, 7, text);
    expect(c, WIRE_OP_RESULT);
    assert_int_equal(c->frame.stream, 7);
    read_result(c, out);
}

static void expect_error(client *c, corm_status status, wire_error *out) {
    corm_error err;
    expect(c, WIRE_OP_ERROR);
    assert_ok(wire__error_read(c->frame.body, c->version, out, &err), err);
    assert_status(out->status, status);
}

/* The rows of a result as text, "a|b" a line. */
static char *print_rows(wire_result *result) {
    base_buf out = { 0 };
    for (uint32_t r = 0; r < result->row_count; r++) {
        for (uint32_t i = 0; i < result->metadata.count; i++) {
            cql_value value = cql__read_value(&result->rows);
            base__buf_puts(&out, i ? "|" : "");
            cql__to_text(result->metadata.columns[i].type, value, CQL_STYLE_SHELL, &out);
        }
        base__buf_puts(&out, "\n");
    }
    assert_non_null(base__buf_cstr(&out));
    return (char *)out.data;
}

static void expect_rows(client *c, const char *text, const char *wanted) {
    wire_result result;
    ask(c, text, &result);
    char *rows = print_rows(&result);
    assert_string_equal(rows, wanted);
    free(rows);
}

static void prepare(client *c, const char *text, wire_result *out) {
    wire_request request = { .kind = WIRE_PREPARE, .text = corm_str_of(text) };
    send_request(c, 3, &request, NULL);
    expect(c, WIRE_OP_RESULT);
    read_result(c, out);
    assert_int_equal(out->kind, WIRE_PREPARED);
}

static corm_fake_cluster *start(corm_fake_options options) {
    corm_fake_cluster *fake = NULL;
    corm_error         err;
    assert_ok(corm_fake_start(&fake, &options, &err), err);
    return fake;
}

/* ---- tests ---- */

static void a_fake_without_options_is_one_node_that_every_version_reaches(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    for (uint8_t version = 3; version <= 5; version++) {
        client      c;
        wire_result result;
        connect_client(&c, fake, 1, version);
        expect_rows(&c, "SELECT key, cql_version, rack FROM system.local WHERE key = 'local'",
                    "local|3.4.7|rack1\n");
        ask(&c, "INSERT INTO shop.t (k) VALUES (1)", &result);
        assert_int_equal(result.kind, WIRE_VOID);
        close_client(&c);
    }
    assert_int_equal(corm_fake_count(fake, -1).connections, 3);
    assert_int_equal(corm_fake_count(fake, -1).requests, 3);
    assert_int_equal(corm_fake_count(fake, -1).system_reads, 3);
    corm_fake_stop(fake);
}

static void options_may_be_asked_before_the_startup(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .no_snappy = true, .most_version = 4 });
    client             c;
    base_buf           seen = { 0 };
    wire_multimap      map;
    wire_pair          pair;
    open_client(&c, fake, 1, 4);
    send_frame(&c, 0, 0, WIRE_OP_OPTIONS, NULL);
    expect(&c, WIRE_OP_SUPPORTED);
    wire__multimap_begin(&map, c.frame.body);
    while (wire__multimap_next(&map, &pair)) {
        base__buf_printf(&seen, "%.*s=%.*s\n", (int)pair.name.len, pair.name.data,
                         (int)pair.value.len, pair.value.data);
    }
    assert_string_equal(base__buf_cstr(&seen), "CQL_VERSION=3.4.7\nCOMPRESSION=lz4\n"
                                               "PROTOCOL_VERSIONS=3/v3\nPROTOCOL_VERSIONS=4/v4\n");
    base__buf_free(&seen);
    close_client(&c);
    corm_fake_stop(fake);
}

static void a_version_too_high_is_refused_with_the_highest(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .most_version = 4 });
    client             c;
    wire_error         error;
    open_client(&c, fake, 1, 5);
    send_startup(&c, NULL);
    expect_error(&c, CORM_PROTOCOL_ERROR, &error);
    assert_int_equal(c.frame.version, 4);
    assert_text(error.message, "Invalid or unsupported protocol version (5); supported versions "
                               "are (3/v3, 4/v4)");
    assert_false(next_frame(&c));
    close_client(&c);
    corm_fake_stop(fake);
}

static void answers_are_compressed_as_the_startup_says(void **state) {
    static const struct {
        uint8_t          version;
        wire_compression kind;
    } forms[] = { { 4, WIRE_LZ4 }, { 4, WIRE_SNAPPY }, { 5, WIRE_LZ4 } };
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 3 });
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        client c;
        open_client(&c, fake, 2, forms[i].version);
        send_startup(&c, wire__compression_name(forms[i].kind));
        expect(&c, WIRE_OP_READY);
        use_form(&c, forms[i].kind);
        expect_rows(&c, "SELECT peer, data_center, rack FROM system.peers",
                    "127.0.0.1|dc1|rack1\n127.0.0.3|dc1|rack1\n");
        close_client(&c);
    }
    corm_fake_stop(fake);
}

static void a_password_is_asked_for_and_checked(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .username = "ada", .password = "secret" });
    const char        *tokens[] = { "\0ada\0secret", "\0ada\0wrong!" };
    for (int i = 0; i < 2; i++) {
        client     c;
        base_buf   body = { 0 };
        wire_error error;
        open_client(&c, fake, 1, 5);
        send_startup(&c, NULL);
        expect(&c, WIRE_OP_AUTHENTICATE);
        use_form(&c, WIRE_PLAIN);
        wire__put_bytes(&body, (corm_bytes){ (const uint8_t *)tokens[i], 11 });
        send_frame(&c, 0, 2, WIRE_OP_AUTH_RESPONSE, &body);
        if (i == 0)
            expect(&c, WIRE_OP_AUTH_SUCCESS);
        else
            expect_error(&c, CORM_BAD_CREDENTIALS, &error);
        base__buf_free(&body);
        close_client(&c);
    }
    corm_fake_stop(fake);
}

static void nodes_tell_of_each_other(void **state) {
    (void)state;
    corm_fake_cluster *fake =
        start((corm_fake_options){ .nodes = 4, .data_centres = 2, .racks = 2 });
    client c;
    connect_client(&c, fake, 4, 5);
    expect_rows(&c, "SELECT native_address, data_center, rack FROM system.peers_v2",
                "127.0.0.1|dc1|rack1\n127.0.0.2|dc2|rack1\n127.0.0.3|dc1|rack2\n");
    expect_rows(&c, "SELECT data_center, rack FROM system.local", "dc2|rack2\n");
    expect_rows(&c, "SELECT rack FROM system.peers WHERE peer = '127.0.0.3'", "rack2\n");
    expect_rows(&c, "SELECT * FROM system_schema.keyspaces WHERE keyspace_name = 'shop'",
                "shop|True|{'class': 'org.apache.cassandra.locator.NetworkTopologyStrategy', "
                "'dc1': '2', 'dc2': '2'}\n");
    expect_rows(&c, "SELECT * FROM system_schema.columns", "");
    close_client(&c);
    corm_fake_stop(fake);
}

static void an_unknown_system_table_is_invalid(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c;
    wire_error         error;
    connect_client(&c, fake, 1, 4);
    send_query(&c, 1, "SELECT * FROM system_schema.scylla_tables");
    expect_error(&c, CORM_INVALID, &error);
    send_query(&c, 1, "SELECT nothing FROM system.local");
    expect_error(&c, CORM_INVALID, &error);
    close_client(&c);
    corm_fake_stop(fake);
}

static void a_prepared_statement_is_executed_until_the_node_forgets_it(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    for (uint8_t version = 4; version <= 5; version++) {
        client      c;
        wire_result result, again;
        wire_error  error;
        cql_value   value = { (const uint8_t *)"\0\0\0\7", 4 };
        corm_fake_revive(fake, 0);
        connect_client(&c, fake, 1, version);
        prepare(&c, "SELECT a, b FROM shop.t WHERE k = ? AND c = :c", &result);
        assert_int_equal(result.marker_count, 2);
        assert_text(result.markers[0].name, "p0");
        assert_text(result.markers[1].name, "c");
        assert_int_equal(result.partition_marker_count, 1);
        assert_int_equal(result.metadata.count, 2);
        assert_text(result.metadata.columns[1].name, "b");

        wire_prepared_id id = { result.id, result.metadata_id };
        wire_request     execute = { .kind = WIRE_EXECUTE,
                                     .value_count = 1,
                                     .values = &value,
                                     .options = { .skip_metadata = true } };
        id.id.data = base__arena_copy(&c.arena, id.id.data, id.id.len);
        id.metadata_id.data = base__arena_copy(&c.arena, id.metadata_id.data, id.metadata_id.len);
        send_request(&c, 4, &execute, &id);
        expect(&c, WIRE_OP_RESULT);
        read_result(&c, &again);
        assert_int_equal(again.kind, WIRE_ROWS);
        assert_true(again.metadata.absent);
        close_client(&c);

        corm_fake_kill(fake, 0);
        corm_fake_revive(fake, 0);
        connect_client(&c, fake, 1, version);
        uint8_t raw[16] = "no id of theirs";
        id.id = (corm_bytes){ raw, 16 };
        id.metadata_id = id.id;
        send_request(&c, 5, &execute, &id);
        expect_error(&c, CORM_UNPREPARED, &error);
        assert_int_equal(error.unprepared_id.len, 16);
        assert_memory_equal(error.unprepared_id.data, raw, 16);
        close_client(&c);
        corm_fake_kill(fake, 0);
    }
    assert_int_equal(corm_fake_count(fake, 0).prepares, 2);
    assert_int_equal(corm_fake_count(fake, 0).unprepared, 2);
    corm_fake_stop(fake);
}

static void a_rule_answers_with_rows_in_pages(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c;
    wire_result        result;
    uint32_t           rule = corm_fake_add_rule(
                  fake, &(corm_fake_rule){ .node = -1,
                                           .match = "FROM users",
                                           .columns = "id int, name text, tags set<text>",
                                           .rows = "1 | 'ada | b' | {'x', 'y'}\n2 | null | {}\n3|'c'|{'z'}",
                                           .page_rows = 2,
                                           .empty_first_page = true });
    connect_client(&c, fake, 1, 5);
    base_buf     seen = { 0 };
    wire_request request = query("SELECT * FROM users");
    for (int pages = 0; pages < 9; pages++) {
        send_request(&c, 1, &request, NULL);
        expect(&c, WIRE_OP_RESULT);
        read_result(&c, &result);
        corm_bytes more = result.metadata.paging_state;
        char      *rows = print_rows(&result);
        base__buf_printf(&seen, "[%s]", rows);
        free(rows);
        if (!result.metadata.has_more) break;
        request.options.paging_state =
            (corm_bytes){ base__arena_copy(&c.arena, more.data, more.len), more.len };
    }
    assert_string_equal(base__buf_cstr(&seen),
                        "[][1|ada | b|{'x', 'y'}\n2|null|{}\n][3|c|{'z'}\n]");
    assert_int_equal(corm_fake_hits(fake, rule), 3);
    base__buf_free(&seen);
    close_client(&c);
    corm_fake_stop(fake);
}

static void rules_are_skipped_and_used_up(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c;
    wire_error         error;
    wire_result        result;
    corm_fake_rule     rule = { .node = -1,
                                .match = "UPDATE",
                                .skip = 1,
                                .times = 2,
                                .error = CORM_WRITE_TIMEOUT,
                                .message = "too slow",
                                .received = 1,
                                .required = 2,
                                .write_type = CORM_WRITE_BATCH_LOG };
    uint32_t           number = corm_fake_add_rule(fake, &rule);
    connect_client(&c, fake, 1, 4);
    ask(&c, "UPDATE shop.t SET a = 1 WHERE k = 1", &result);
    for (int i = 0; i < 2; i++) {
        send_query(&c, 1, "UPDATE shop.t SET a = 1 WHERE k = 1");
        expect_error(&c, CORM_WRITE_TIMEOUT, &error);
        assert_text(error.message, "too slow");
        assert_int_equal(error.received, 1);
        assert_int_equal(error.required, 2);
        assert_int_equal(error.write_type, WIRE_WRITE_BATCH_LOG);
    }
    ask(&c, "UPDATE shop.t SET a = 1 WHERE k = 1", &result);
    assert_int_equal(corm_fake_hits(fake, number), 2);
    corm_fake_clear_rules(fake);
    assert_int_equal(corm_fake_hits(fake, number), 2);
    close_client(&c);
    corm_fake_stop(fake);
}

static void a_delayed_answer_lets_others_pass(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c;
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1, .match = "slow", .delay_ms = 30 });
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1, .match = "lost", .no_answer = true });
    corm_fake_add_rule(fake,
                       &(corm_fake_rule){ .node = -1, .match = "twice", .answer_twice = true });
    connect_client(&c, fake, 1, 5);
    corm_fake_pause(fake, 0); /* it reads all of them at once */
    send_query(&c, 1, "SELECT * FROM slow");
    send_query(&c, 2, "SELECT * FROM lost");
    send_query(&c, 3, "SELECT * FROM twice");
    corm_fake_resume(fake, 0);
    static const int16_t order[] = { 3, 3, 1 };
    for (int i = 0; i < 3; i++) {
        expect(&c, WIRE_OP_RESULT);
        assert_int_equal(c.frame.stream, order[i]);
    }
    assert_true(corm_fake_wait_requests(fake, 0, 3, 1000));
    assert_false(corm_fake_wait_requests(fake, -1, 4, 1));
    close_client(&c);
    corm_fake_stop(fake);
}

static void a_rule_that_cannot_be_read_says_so(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c;
    wire_error         error;
    corm_fake_add_rule(fake,
                       &(corm_fake_rule){ .node = -1, .columns = "a int", .rows = "'no number'" });
    connect_client(&c, fake, 1, 5);
    send_query(&c, 1, "SELECT a FROM t");
    expect_error(&c, CORM_SERVER_ERROR, &error);
    assert_true(error.message.len > 0);
    close_client(&c);
    corm_fake_stop(fake);
}

static void the_last_request_is_told_part_by_part(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c;
    cql_value          values[] = { { (const uint8_t *)"\0\0\0\7", 4 }, CQL_NULL };
    wire_request       request = { .kind = WIRE_QUERY,
                                   .text = corm_str_of("INSERT INTO t (a, b) VALUES (?, ?)"),
                                   .value_count = 2,
                                   .values = values,
                                   .options = { .consistency = WIRE_QUORUM,
                                                .has_timestamp = true,
                                                .timestamp = 12,
                                                .page_size = 10,
                                                .keyspace = corm_str_of("shop") } };
    connect_client(&c, fake, 1, 5);
    assert_null(corm_fake_last_request(fake, 0));
    send_request(&c, 9, &request, NULL);
    expect(&c, WIRE_OP_RESULT);
    char *seen = corm_fake_last_request(fake, 0);
    assert_string_equal(seen, "kind=QUERY\ntext=INSERT INTO t (a, b) VALUES (?, ?)\n"
                              "values=00000007,null\nconsistency=QUORUM\npage_size=10\n"
                              "timestamp=12\nkeyspace=shop\nversion=5\nstream=9\n");
    free(seen);
    close_client(&c);
    corm_fake_stop(fake);
}

static void a_killed_node_refuses_and_a_revived_one_accepts(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 2 });
    client             c;
    connect_client(&c, fake, 2, 5);
    corm_fake_kill(fake, 1);
    assert_false(next_frame(&c));
    assert_int_equal(dial(2, corm_fake_port(fake)), -1);
    close_client(&c);
    corm_fake_revive(fake, 1);
    connect_client(&c, fake, 2, 5);
    expect_rows(&c, "SELECT rpc_address FROM system.local", "127.0.0.2\n");
    close_client(&c);
    corm_fake_stop(fake);
}

static bool readable(const client *c, int timeout_ms) {
    struct pollfd poller = { .fd = c->fd, .events = POLLIN };
    return poll(&poller, 1, timeout_ms) == 1;
}

static void a_paused_node_answers_when_it_goes_on(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    client             c, late;
    connect_client(&c, fake, 1, 5);
    corm_fake_pause(fake, 0);
    send_query(&c, 1, "SELECT * FROM shop.t");
    open_client(&late, fake, 1, 4);
    send_startup(&late, NULL);
    assert_false(readable(&c, 20));
    assert_false(readable(&late, 0));
    corm_fake_resume(fake, 0);
    expect(&c, WIRE_OP_RESULT);
    expect(&late, WIRE_OP_READY);
    close_client(&late);
    close_client(&c);
    corm_fake_stop(fake);
}

static void register_events(client *c) {
    base_buf body = { 0 };
    corm_str names[] = { corm_str_of("TOPOLOGY_CHANGE"), corm_str_of("STATUS_CHANGE"),
                         corm_str_of("SCHEMA_CHANGE") };
    wire__put_string_list(&body, names, 3);
    send_frame(c, 0, 2, WIRE_OP_REGISTER, &body);
    expect(c, WIRE_OP_READY);
    base__buf_free(&body);
}

static void expect_event(client *c, wire_event_kind kind, const char *change, uint8_t last) {
    wire_event event;
    corm_error err;
    expect(c, WIRE_OP_EVENT);
    assert_int_equal(c->frame.stream, -1);
    assert_ok(wire__event_read(c->frame.body, &event, &err), err);
    assert_int_equal(event.kind, kind);
    assert_text(event.change, change);
    if (last > 0) assert_int_equal(event.address.bytes[3], last);
}

static void changes_of_the_topology_are_told(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 2 });
    client             c;
    connect_client(&c, fake, 1, 5);
    register_events(&c);
    corm_fake_add_node(fake);
    expect_event(&c, WIRE_TOPOLOGY_CHANGE, "NEW_NODE", 3);
    expect_event(&c, WIRE_STATUS_CHANGE, "UP", 3);
    expect_rows(&c, "SELECT peer FROM system.peers", "127.0.0.2\n127.0.0.3\n");
    corm_fake_remove_node(fake, 1);
    expect_event(&c, WIRE_TOPOLOGY_CHANGE, "REMOVED_NODE", 2);
    corm_fake_send_event(fake, "DOWN", 2);
    expect_event(&c, WIRE_STATUS_CHANGE, "DOWN", 3);
    corm_fake_move(fake, 2, 9);
    expect_rows(&c, "SELECT peer FROM system.peers", "127.0.0.9\n");
    close_client(&c);
    connect_client(&c, fake, 9, 4);
    expect_rows(&c, "SELECT rpc_address FROM system.local", "127.0.0.9\n");
    close_client(&c);
    corm_fake_stop(fake);
}

static void ddl_changes_the_schema_version_and_tells_of_it(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 2 });
    client             c;
    wire_result        before, after;
    connect_client(&c, fake, 1, 5);
    register_events(&c);
    ask(&c, "SELECT schema_version FROM system.local", &before);
    char *old_version = print_rows(&before);
    send_query(&c, 1,
               "CREATE KEYSPACE more WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 1}");
    expect_event(&c, WIRE_SCHEMA_CHANGE_EVENT, "CREATED", 0);
    expect(&c, WIRE_OP_RESULT);
    read_result(&c, &after);
    assert_int_equal(after.kind, WIRE_SCHEMA_CHANGE);
    expect_rows(&c, "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'more'",
                "{'class': 'org.apache.cassandra.locator.SimpleStrategy', "
                "'replication_factor': '1'}\n");
    ask(&c, "SELECT schema_version FROM system.local", &after);
    char *version = print_rows(&after);
    assert_string_not_equal(version, old_version);
    expect_rows(&c, "SELECT schema_version FROM system.peers", version);
    corm_fake_disagree(fake, true);
    ask(&c, "SELECT schema_version FROM system.peers", &after);
    char *other = print_rows(&after);
    assert_string_not_equal(other, version);
    free(other);
    free(version);
    free(old_version);
    close_client(&c);
    corm_fake_stop(fake);
}

static void use_wants_a_keyspace_that_exists(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .keyspaces = "one, two" });
    client             c;
    wire_result        result;
    wire_error         error;
    connect_client(&c, fake, 1, 4);
    ask(&c, "USE two", &result);
    assert_int_equal(result.kind, WIRE_SET_KEYSPACE);
    assert_text(result.keyspace, "two");
    send_query(&c, 1, "USE three");
    expect_error(&c, CORM_INVALID, &error);
    assert_int_equal(corm_fake_count(fake, 0).uses, 2);
    close_client(&c);
    corm_fake_stop(fake);
}

/* How many of 64 requests are answered, one letter each: '.', '-' none, 'o' overloaded. */
static void run_faults(uint64_t seed, char out[65]) {
    corm_fake_cluster *fake = start((corm_fake_options){ .seed = seed });
    corm_fake_faults   faults = { .drop = 0.2, .overloaded = 0.2, .split = 0.5, .duplicate = 0.1 };
    client             c;
    connect_client(&c, fake, 1, 5);
    corm_fake_set_faults(fake, -1, &faults);
    memset(out, '-', 64);
    out[64] = 0;
    for (int16_t i = 0; i < 64; i++) send_query(&c, i, "INSERT INTO shop.t (k) VALUES (1)");
    assert_true(corm_fake_wait_requests(fake, 0, 64, 10000));
    corm_fake_set_faults(fake, -1, NULL);
    send_query(&c, 99, "SELECT * FROM shop.t");
    do {
        assert_true(next_frame(&c));
        if (c.frame.stream < 64) out[c.frame.stream] = c.frame.opcode == WIRE_OP_ERROR ? 'o' : '.';
    } while (c.frame.stream != 99);
    close_client(&c);
    corm_fake_stop(fake);
}

static void faults_are_the_same_for_a_seed(void **state) {
    char first[65], again[65], other[65];
    (void)state;
    run_faults(7, first);
    run_faults(7, again);
    run_faults(8, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_non_null(strchr(first, '-'));
    assert_non_null(strchr(first, 'o'));
    assert_non_null(strchr(first, '.'));
}

static void garbage_is_seen_by_the_decoder(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ 0 });
    corm_fake_faults   faults = { .garbage = 1 };
    client             c;
    connect_client(&c, fake, 1, 5);
    corm_fake_set_faults(fake, 0, &faults);
    send_query(&c, 1, "SELECT * FROM shop.t");
    assert_false(next_frame(&c));
    close_client(&c);
    corm_fake_stop(fake);
}

static void shards_are_announced_and_reached_by_the_source_port(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .shards = 4 });
    client             c;
    wire_multimap      map;
    wire_pair          pair;
    char               port[16] = "", shards[16] = "";
    open_client(&c, fake, 1, 4);
    send_frame(&c, 0, 0, WIRE_OP_OPTIONS, NULL);
    expect(&c, WIRE_OP_SUPPORTED);
    wire__multimap_begin(&map, c.frame.body);
    while (wire__multimap_next(&map, &pair)) {
        if (corm_str_equal(pair.name, corm_str_of("SCYLLA_SHARD_AWARE_PORT"))) {
            snprintf(port, sizeof port, "%.*s", (int)pair.value.len, pair.value.data);
        }
        if (corm_str_equal(pair.name, corm_str_of("SCYLLA_NR_SHARDS"))) {
            snprintf(shards, sizeof shards, "%.*s", (int)pair.value.len, pair.value.data);
        }
    }
    assert_string_equal(shards, "4");
    close_client(&c);
    open_client(&c, fake, 1, 4);
    close(c.fd);
    c.fd = dial(1, (uint16_t)atoi(port));
    struct sockaddr_in own;
    socklen_t          len = sizeof own;
    assert_int_equal(getsockname(c.fd, (struct sockaddr *)&own, &len), 0);
    send_startup(&c, NULL);
    expect(&c, WIRE_OP_READY);
    send_query(&c, 1, "SELECT * FROM shop.t");
    expect(&c, WIRE_OP_RESULT);
    char  wanted[32];
    char *seen = corm_fake_last_request(fake, 0);
    snprintf(wanted, sizeof wanted, "shard=%d\n", ntohs(own.sin_port) % 4);
    assert_non_null(strstr(seen, wanted));
    free(seen);
    close_client(&c);
    corm_fake_stop(fake);
}

/* The opcode that a node answers OPTIONS with over TLS, or -1 when the handshake fails. */
static int ask_over_tls(const corm_fake_cluster *fake, const char *certificate, const char *key) {
    static const uint8_t options[] = { 4, 0, 0, 1, WIRE_OP_OPTIONS, 0, 0, 0, 0 };
    uint8_t              answer[WIRE_HEADER_BYTES];
    SSL_CTX             *context = SSL_CTX_new(TLS_client_method());
    assert_int_equal(SSL_CTX_load_verify_file(context, "ca.pem"), 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (certificate) {
        assert_int_equal(SSL_CTX_use_certificate_chain_file(context, certificate), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
    }
    SSL *ssl = SSL_new(context);
    int  fd = dial(1, corm_fake_port(fake)), opcode = -1;
    SSL_set_fd(ssl, fd);
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, options, sizeof options) == sizeof options &&
        SSL_read(ssl, answer, sizeof answer) == sizeof answer) {
        opcode = answer[4];
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return opcode;
}

static void tls_is_spoken_and_client_certificates_are_checked(void **state) {
    (void)state;
    testing_authority *authority = testing__authority_new("authority", "ca.pem");
    testing_authority *stranger = testing__authority_new("stranger", "other-ca.pem");
    testing__certificate(authority, "node", "IP:127.0.0.1", 1, "node.pem", "node.key");
    testing__certificate(authority, "client", NULL, 1, "client.pem", "client.key");
    testing__certificate(stranger, "client", NULL, 1, "other.pem", "other.key");

    corm_fake_cluster *fake =
        start((corm_fake_options){ .tls_certificate = "node.pem", .tls_key = "node.key" });
    assert_int_equal(ask_over_tls(fake, NULL, NULL), WIRE_OP_SUPPORTED);
    corm_fake_stop(fake);

    fake = start((corm_fake_options){
        .tls_certificate = "node.pem", .tls_key = "node.key", .tls_client_ca = "ca.pem" });
    assert_int_equal(ask_over_tls(fake, "client.pem", "client.key"), WIRE_OP_SUPPORTED);
    assert_int_equal(ask_over_tls(fake, "other.pem", "other.key"), -1);
    assert_int_equal(ask_over_tls(fake, NULL, NULL), -1);
    corm_fake_stop(fake);
    testing__authority_free(stranger);
    testing__authority_free(authority);
}

static void files_that_are_no_certificates_are_named(void **state) {
    (void)state;
    corm_fake_cluster *fake = NULL;
    corm_error         err;
    corm_fake_options  options = { .tls_certificate = "nothing.pem" };
    assert_status(corm_fake_start(&fake, &options, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "nothing.pem"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tls_is_spoken_and_client_certificates_are_checked),
    cmocka_unit_test(files_that_are_no_certificates_are_named),
    cmocka_unit_test(a_fake_without_options_is_one_node_that_every_version_reaches),
    cmocka_unit_test(options_may_be_asked_before_the_startup),
    cmocka_unit_test(a_version_too_high_is_refused_with_the_highest),
    cmocka_unit_test(answers_are_compressed_as_the_startup_says),
    cmocka_unit_test(a_password_is_asked_for_and_checked),
    cmocka_unit_test(nodes_tell_of_each_other),
    cmocka_unit_test(an_unknown_system_table_is_invalid),
    cmocka_unit_test(a_prepared_statement_is_executed_until_the_node_forgets_it),
    cmocka_unit_test(a_rule_answers_with_rows_in_pages),
    cmocka_unit_test(rules_are_skipped_and_used_up),
    cmocka_unit_test(a_delayed_answer_lets_others_pass),
    cmocka_unit_test(a_rule_that_cannot_be_read_says_so),
    cmocka_unit_test(the_last_request_is_told_part_by_part),
    cmocka_unit_test(a_killed_node_refuses_and_a_revived_one_accepts),
    cmocka_unit_test(a_paused_node_answers_when_it_goes_on),
    cmocka_unit_test(changes_of_the_topology_are_told),
    cmocka_unit_test(ddl_changes_the_schema_version_and_tells_of_it),
    cmocka_unit_test(use_wants_a_keyspace_that_exists),
    cmocka_unit_test(faults_are_the_same_for_a_seed),
    cmocka_unit_test(garbage_is_seen_by_the_decoder),
    cmocka_unit_test(shards_are_announced_and_reached_by_the_source_port),
};
RUN_TESTS()
