// SPDX-License-Identifier: MIT
/* Handshakes with the server: versions, what it supports, passwords, events. */
#include "server/client_for_tests.h"

/* ---- versions ---- */

static void send_header(client *c, uint8_t version) {
    uint8_t header[] = { version, 0, 0, 9, WIRE_OP_OPTIONS, 0, 0, 0, 0 };
    send_bytes(c, header, sizeof header);
}

static void other_versions_are_refused_in_the_highest_one(void **state) {
    (void)state;
    static const uint8_t others[] = { 1, 2, 6, 65, 66, 127 };
    served               all = serve();
    for (size_t i = 0; i < sizeof others; i++) {
        char    words[120];
        client *c = client_new(&all, 4);
        send_header(c, others[i]);
        assert_true(next_frame(c));
        assert_true(c->frame.response);
        assert_int_equal(c->frame.version, 5);
        assert_int_equal(c->frame.stream, others[i] < 3 ? 0 : 9);
        snprintf(
            words, sizeof words,
            "Invalid or unsupported protocol version (%u); supported versions are (3/v3, 4/v4, 5/v5)",
            others[i]);
        expect_refusal(&c->frame, CORM_PROTOCOL_ERROR, words);
        expect_end(c);
        client_free(c);
    }
    assert_int_equal(stats_of(&all).refused, sizeof others);
    stop(&all);
}

static void what_is_no_protocol_at_all_is_told_so(void **state) {
    (void)state;
    served  all = serve();
    client *c = client_new(&all, 4);
    send_bytes(c, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_true(next_frame(c));
    expect_refusal(&c->frame, CORM_PROTOCOL_ERROR, "Invalid or unsupported protocol version (71)");
    expect_end(c);
    client_free(c);
    stop(&all);
}

static void a_version_is_for_the_whole_connection(void **state) {
    (void)state;
    served  all = serve();
    client *c = dial(&all, 4);
    send_header(c, 3);
    assert_true(next_frame(c));
    expect_refusal(&c->frame, CORM_PROTOCOL_ERROR,
                   "Invalid message version. Got 3/v3 but previous messages on this connection had "
                   "version 4/v4");
    expect_end(c);
    client_free(c);
    stop(&all);
}

/* ---- OPTIONS and STARTUP ---- */

static void options_are_answered_before_and_after_the_handshake(void **state) {
    (void)state;
    served all = serve();
    for (uint8_t version = 3; version <= 5; version++) {
        client       *c = client_new(&all, version);
        wire_multimap map;
        wire_pair     pair;
        base_buf      said = { 0 };
        assert_int_equal(ask(c, WIRE_OP_OPTIONS, NULL)->opcode, WIRE_OP_SUPPORTED);
        assert_int_equal(c->frame.version, version);
        wire__multimap_begin(&map, c->frame.body);
        while (wire__multimap_next(&map, &pair))
            base__buf_printf(&said, "%.*s=%.*s ", (int)pair.name.len, pair.name.data,
                             (int)pair.value.len, pair.value.data);
        assert_string_equal(
            base__buf_cstr(&said),
            "COMPRESSION=snappy COMPRESSION=lz4 CQL_VERSION=3.4.7 "
            "PROTOCOL_VERSIONS=3/v3 PROTOCOL_VERSIONS=4/v4 PROTOCOL_VERSIONS=5/v5 ");
        base__buf_free(&said);
        assert_int_equal(startup(c, NULL)->opcode, WIRE_OP_READY);
        switch_form(c, WIRE_PLAIN);
        assert_int_equal(ask(c, WIRE_OP_OPTIONS, NULL)->opcode, WIRE_OP_SUPPORTED);
        client_free(c);
    }
    stop(&all);
}

static void compressions_are_agreed_on(void **state) {
    (void)state;
    static const struct {
        uint8_t          version;
        const char      *name;
        wire_compression kind;
    } cases[] = { { 3, "lz4", WIRE_LZ4 },
                  { 3, "snappy", WIRE_SNAPPY },
                  { 4, "LZ4", WIRE_LZ4 },
                  { 4, "snappy", WIRE_SNAPPY },
                  { 5, "lz4", WIRE_LZ4 } };
    served all = serve();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_arena arena = { 0 };
        client    *c = client_new(&all, cases[i].version);
        assert_int_equal(startup(c, cases[i].name)->opcode, WIRE_OP_READY);
        switch_form(c, cases[i].kind);
        wire_result result = result_of(run(c, "SELECT * FROM system_schema.columns"), &arena);
        assert_true(result.row_count > 100);
        base__arena_free(&arena);
        client_free(c);
    }
    stop(&all);
}

static void expect_startup(const served *all, uint8_t version, const char *name, const char *value,
                           const char *words) {
    wire_pair pairs[] = { { corm_str_of("CQL_VERSION"), corm_str_of("3.0.0") },
                          { corm_str_of(name), corm_str_of(value) } };
    bool      is_version = strcmp(name, "CQL_VERSION") == 0;
    base_buf  body = { 0 };
    client   *c = client_new(all, version);
    wire__put_startup(&body, is_version ? pairs + 1 : pairs, is_version ? (value ? 1 : 0) : 2);
    ask(c, WIRE_OP_STARTUP, &body);
    if (words) {
        expect_refusal(&c->frame, CORM_PROTOCOL_ERROR, words);
        expect_end(c);
    } else {
        assert_int_equal(c->frame.opcode, WIRE_OP_READY);
    }
    base__buf_free(&body);
    client_free(c);
}

static void startup_says_what_is_wrong_with_it(void **state) {
    (void)state;
    served all = serve();
    expect_startup(&all, 4, "CQL_VERSION", NULL, "Missing value CQL_VERSION in STARTUP message");
    expect_startup(&all, 4, "CQL_VERSION", "2.0.0", "CQL version 2.0.0 is not supported");
    expect_startup(&all, 4, "CQL_VERSION", "4.0.0", NULL);
    expect_startup(&all, 4, "COMPRESSION", "zip", "Unknown compression algorithm: zip");
    expect_startup(&all, 5, "COMPRESSION", "snappy", "Snappy compression is not supported");
    expect_startup(&all, 4, "WHAT_IS_NOT_KNOWN", "1", NULL);
    stop(&all);
}

static void a_segment_that_is_broken_ends_the_connection_and_says_so(void **state) {
    (void)state;
    served   all = serve();
    client  *c = dial(&all, 5);
    base_buf out = { 0 };
    put_message(c, 1, WIRE_OP_OPTIONS, NULL);
    assert_ok(wire__encoder_take(&c->encoder, &out, &err), err);
    out.data[out.len - 1] ^= 1;
    send_bytes(c, out.data, out.len);
    assert_true(next_frame(c));
    expect_refusal(&c->frame, CORM_PROTOCOL_ERROR, "the checksum of a segment does not fit");
    expect_end(c);
    base__buf_free(&out);
    client_free(c);
    stop(&all);
}

static void messages_out_of_their_time_are_refused(void **state) {
    (void)state;
    served   all = serve();
    base_buf empty = { 0 };
    client  *c = client_new(&all, 4);
    expect_refusal(ask(c, WIRE_OP_QUERY, &empty), CORM_PROTOCOL_ERROR,
                   "Unexpected message QUERY, expecting STARTUP or OPTIONS");
    startup(c, NULL);
    expect_refusal(startup(c, NULL), CORM_PROTOCOL_ERROR,
                   "Unexpected message STARTUP, the connection is already initialized");
    expect_refusal(ask(c, WIRE_OP_AUTH_RESPONSE, &empty), CORM_PROTOCOL_ERROR,
                   "Unexpected message AUTH_RESPONSE");
    expect_refusal(ask(c, (wire_opcode)0x55, &empty), CORM_PROTOCOL_ERROR, "Unknown opcode 85");
    expect_refusal(ask(c, WIRE_OP_QUERY, &empty), CORM_PROTOCOL_ERROR, "cannot be read");
    run(c, "SELECT key FROM system.local");
    client_free(c);
    stop(&all);
}

/* ---- passwords ---- */

static const corm_server_user users[] = { { "ada", "secret" }, { "bob", "" } };

static const wire_frame *authenticate(client *c, const char *token, size_t len) {
    base_buf   body = { 0 };
    corm_bytes bytes = { (const uint8_t *)token, len };
    assert_int_equal(startup(c, NULL)->opcode, WIRE_OP_AUTHENTICATE);
    switch_form(c, WIRE_PLAIN);
    wire__put_bytes(&body, bytes);
    ask(c, WIRE_OP_AUTH_RESPONSE, &body);
    base__buf_free(&body);
    return &c->frame;
}

static void a_password_lets_in(void **state) {
    (void)state;
    served all = serve_with((corm_server_options){ .users = users, .user_count = 2 });
    for (uint8_t version = 3; version <= 5; version++) {
        client *c = client_new(&all, version);
        assert_int_equal(authenticate(c, "\0ada\0secret", 11)->opcode, WIRE_OP_AUTH_SUCCESS);
        run(c, "SELECT key FROM system.local");
        client_free(c);
        c = client_new(&all, version);
        assert_int_equal(authenticate(c, "other\0bob\0", 10)->opcode, WIRE_OP_AUTH_SUCCESS);
        client_free(c);
    }
    stop(&all);
}

static void another_password_does_not(void **state) {
    (void)state;
    static const struct {
        const char *token;
        size_t      len;
    } wrong[] = { { "\0ada\0secre", 10 }, { "\0ada\0secret2", 12 }, { "\0bob\0secret", 11 },
                  { "\0eve\0", 5 },       { "\0ada", 4 },           { "x", 1 } };
    served all = serve_with((corm_server_options){ .users = users, .user_count = 2 });
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        client *c = client_new(&all, 4);
        expect_refusal(authenticate(c, wrong[i].token, wrong[i].len), CORM_BAD_CREDENTIALS,
                       "and/or password are incorrect");
        expect_end(c);
        client_free(c);
    }
    stop(&all);
}

static void without_a_password_nothing_is_answered(void **state) {
    (void)state;
    served       all = serve_with((corm_server_options){ .users = users, .user_count = 2 });
    client      *c = client_new(&all, 4);
    wire_request request = query("SELECT key FROM system.local");
    assert_int_equal(startup(c, NULL)->opcode, WIRE_OP_AUTHENTICATE);
    expect_refusal(ask_request(c, &request), CORM_PROTOCOL_ERROR,
                   "Unexpected message QUERY, expecting SASL_RESPONSE");
    assert_int_equal(ask(c, WIRE_OP_OPTIONS, NULL)->opcode, WIRE_OP_SUPPORTED);
    client_free(c);
    stop(&all);
}

static void the_own_driver_gives_its_password(void **state) {
    (void)state;
    char          uri[120];
    corm_session *session;
    served        all = serve_with((corm_server_options){ .users = users, .user_count = 2 });
    snprintf(uri, sizeof uri, "cassandra://ada:secret@127.0.0.1:%u", corm_server_port(all.server));
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    corm_session_close(session);
    snprintf(uri, sizeof uri, "cassandra://ada:wrong@127.0.0.1:%u", corm_server_port(all.server));
    assert_status(corm_session_open(&session, uri, NULL, &err), CORM_BAD_CREDENTIALS);
    stop(&all);
}

/* ---- events ---- */

static const wire_frame *register_for(client *c, const char *name) {
    corm_str names[] = { corm_str_of("STATUS_CHANGE"), corm_str_of(name) };
    base_buf body = { 0 };
    wire__put_string_list(&body, names, 2);
    ask(c, WIRE_OP_REGISTER, &body);
    base__buf_free(&body);
    return &c->frame;
}

static bool is_event(const wire_event *event, const char *change, const char *target,
                     const char *name) {
    return corm_str_equal(event->change, corm_str_of(change)) &&
           corm_str_equal(event->target, corm_str_of(target)) &&
           corm_str_equal(event->keyspace, corm_str_of("k")) &&
           (!name || corm_str_equal(event->name, corm_str_of(name)));
}

/* The next one, but for one that is told a second time. */
static void expect_event(client *c, const char *change, const char *target, const char *name) {
    wire_event event = { .kind = WIRE_STATUS_CHANGE };
    do {
        assert_true(next_frame(c));
        assert_int_equal(c->frame.opcode, WIRE_OP_EVENT);
        assert_int_equal(c->frame.stream, -1);
        assert_ok(wire__event_read(c->frame.body, &event, &err), err);
        assert_int_equal(event.kind, WIRE_SCHEMA_CHANGE_EVENT);
    } while (!is_event(&event, change, target, name));
}

static void changes_of_the_schema_are_told_to_those_who_asked(void **state) {
    (void)state;
    served  all = serve();
    client *watcher = dial(&all, 5), *older = dial(&all, 3), *other = dial(&all, 4);
    assert_int_equal(register_for(watcher, "SCHEMA_CHANGE")->opcode, WIRE_OP_READY);
    assert_int_equal(register_for(older, "SCHEMA_CHANGE")->opcode, WIRE_OP_READY);
    make_table(other);
    run(other, "CREATE TYPE ty (a int)");
    run(other, "ALTER TABLE t ADD e int");
    run(other, "DROP KEYSPACE k");
    client *watchers[] = { watcher, older };
    for (int i = 0; i < 2; i++) {
        expect_event(watchers[i], "CREATED", "KEYSPACE", NULL);
        expect_event(watchers[i], "CREATED", "TABLE", "t");
        expect_event(watchers[i], "CREATED", "TYPE", "ty");
        expect_event(watchers[i], "UPDATED", "TABLE", "t");
        expect_event(watchers[i], "DROPPED", "KEYSPACE", NULL);
        client_free(watchers[i]);
    }
    client_free(other);
    stop(&all);
}

static void change(corm_session *session, const char *text) {
    assert_ok(corm_execute(session, text, NULL, { .error = &err }), err);
}

/* Each change is waited for: between two looks only the difference is seen. */
static void changes_by_the_session_are_told_too(void **state) {
    (void)state;
    static const struct {
        const char *text, *change, *target, *name;
    } changes[] = {
        { "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
          "CREATED", "KEYSPACE", NULL },
        { "ALTER KEYSPACE k WITH durable_writes = false", "UPDATED", "KEYSPACE", NULL },
        { "CREATE TABLE k.t (a int PRIMARY KEY, b text)", "CREATED", "TABLE", "t" },
        { "ALTER TABLE k.t ADD c int", "UPDATED", "TABLE", "t" },
        { "ALTER TABLE k.t WITH comment = 'x'", "UPDATED", "TABLE", "t" },
        { "CREATE INDEX ON k.t (b)", "UPDATED", "TABLE", "t" },
        { "CREATE TYPE k.ty (a int)", "CREATED", "TYPE", "ty" },
        { "ALTER TYPE k.ty ADD b int", "UPDATED", "TYPE", "ty" },
        { "DROP TYPE k.ty", "DROPPED", "TYPE", "ty" },
        { "DROP TABLE k.t", "DROPPED", "TABLE", "t" },
        { "DROP KEYSPACE k", "DROPPED", "KEYSPACE", NULL },
    };
    served  all = serve();
    client *watcher = dial(&all, 4);
    register_for(watcher, "SCHEMA_CHANGE");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        change(all.session, changes[i].text);
        expect_event(watcher, changes[i].change, changes[i].target, changes[i].name);
    }
    client_free(watcher);
    stop(&all);
}

static void an_event_that_is_not_known_is_refused(void **state) {
    (void)state;
    served  all = serve();
    client *c = dial(&all, 4);
    expect_refusal(register_for(c, "WEATHER"), CORM_PROTOCOL_ERROR, "Invalid value 'WEATHER'");
    client_free(c);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(other_versions_are_refused_in_the_highest_one),
    cmocka_unit_test(what_is_no_protocol_at_all_is_told_so),
    cmocka_unit_test(a_version_is_for_the_whole_connection),
    cmocka_unit_test(options_are_answered_before_and_after_the_handshake),
    cmocka_unit_test(compressions_are_agreed_on),
    cmocka_unit_test(startup_says_what_is_wrong_with_it),
    cmocka_unit_test(a_segment_that_is_broken_ends_the_connection_and_says_so),
    cmocka_unit_test(messages_out_of_their_time_are_refused),
    cmocka_unit_test(a_password_lets_in),
    cmocka_unit_test(another_password_does_not),
    cmocka_unit_test(without_a_password_nothing_is_answered),
    cmocka_unit_test(the_own_driver_gives_its_password),
    cmocka_unit_test(changes_of_the_schema_are_told_to_those_who_asked),
    cmocka_unit_test(changes_by_the_session_are_told_too),
    cmocka_unit_test(an_event_that_is_not_known_is_refused),
};

RUN_TESTS()
