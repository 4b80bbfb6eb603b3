// SPDX-License-Identifier: MIT
/* Requests to the server in every version, its limits, its end. */
#include "server/client_for_tests.h"

/* ---- results ---- */

static void every_version_reads_and_writes(void **state) {
    (void)state;
    for (uint8_t version = 3; version <= 5; version++) {
        base_arena arena = { 0 };
        served     all = serve();
        client    *c = dial(&all, version);
        make_table(c);
        wire_result result = result_of(run(c, "SELECT a, b, d FROM t"), &arena);
        assert_int_equal(result.metadata.count, 3);
        assert_text(result.metadata.columns[2].name, "d");
        assert_int_equal(result.metadata.columns[2].type->id, CQL_DURATION);
        assert_int_equal(result.row_count, 1);
        assert_int_equal(base__load_u32(cql__read_value(&result.rows).data), 1);
        base__arena_free(&arena);
        client_free(c);
        stop(&all);
    }
}

static void prepared_statements_have_what_their_version_knows(void **state) {
    (void)state;
    served all = serve();
    for (uint8_t version = 3; version <= 5; version++) {
        base_arena arena = { 0 };
        uint8_t    key[] = { 0, 0, 0, 1 };
        cql_value  value = { key, 4 };
        client    *c = dial(&all, version);
        if (version == 3) make_table(c);
        wire_result prepared = prepare(c, "SELECT b, d FROM k.t WHERE a = ?", &arena);
        assert_int_equal(prepared.id.len, 16);
        assert_int_equal(prepared.metadata_id.len, version >= 5 ? 16 : 0);
        assert_int_equal(prepared.marker_count, 1);
        assert_int_equal(prepared.partition_marker_count, version >= 4 ? 1 : 0);
        assert_int_equal(prepared.metadata.count, 2);
        wire_request execute = { .kind = WIRE_EXECUTE,
                                 .value_count = 1,
                                 .values = &value,
                                 .options = { .consistency = WIRE_ONE, .skip_metadata = true } };
        wire_result  result = result_of(ask_request(c, &execute), &arena);
        assert_true(result.metadata.absent);
        assert_int_equal(result.row_count, 1);
        assert_int_equal(*cql__read_value(&result.rows).data, 'x');
        base__arena_free(&arena);
        client_free(c);
    }
    stop(&all);
}

/* Before v5 the metadata comes without being announced as changed: clients use what comes. */
static void metadata_that_has_changed_comes_in_every_version(void **state) {
    (void)state;
    for (uint8_t version = 3; version <= 5; version++) {
        base_arena arena = { 0 };
        served     all = serve();
        client    *c = dial(&all, version);
        make_table(c);
        prepare(c, "SELECT * FROM k.t", &arena);
        run(c, "ALTER TABLE t ADD e int");
        wire_request execute = { .kind = WIRE_EXECUTE,
                                 .options = { .consistency = WIRE_ONE, .skip_metadata = true } };
        wire_result  result = result_of(ask_request(c, &execute), &arena);
        assert_false(result.metadata.absent);
        assert_int_equal(result.metadata.count, 4);
        assert_int_equal(result.metadata.changed, version >= 5);
        prepare(c, "SELECT * FROM k.t", &arena);
        result = result_of(ask_request(c, &execute), &arena);
        assert_int_equal(result.metadata.absent, version >= 5);
        base__arena_free(&arena);
        client_free(c);
        stop(&all);
    }
}

static void pages_follow_each_other(void **state) {
    (void)state;
    served  all = serve();
    client *c = dial(&all, 3);
    run(c,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(c, "USE k");
    run(c, "CREATE TABLE l (a int, c int, PRIMARY KEY (a, c))");
    for (int i = 0; i < 25; i++) {
        char text[80];
        snprintf(text, sizeof text, "INSERT INTO l (a, c) VALUES (1, %d)", i);
        run(c, text);
    }
    wire_request select = query("SELECT c FROM l WHERE a = 1");
    base_arena   arena = { 0 };
    uint32_t     rows = 0, pages = 0;
    select.options.page_size = 10;
    do {
        wire_result result = result_of(ask_request(c, &select), &arena);
        rows += result.row_count;
        pages++;
        corm_bytes at = result.metadata.paging_state;
        select.options.paging_state =
            (corm_bytes){ at.data ? base__arena_copy(&arena, at.data, at.len) : NULL, at.len };
    } while (select.options.paging_state.data);
    assert_int_equal(rows, 25);
    assert_int_equal(pages, 3);
    base__arena_free(&arena);
    client_free(c);
    stop(&all);
}

static void warnings_come_from_version_4_on(void **state) {
    (void)state;
    served all = serve();
    for (uint8_t version = 3; version <= 5; version++) {
        wire_prefix prefix;
        client     *c = dial(&all, version);
        run(c, "SELECT count(*) FROM system.local");
        assert_int_equal(c->frame.flags & WIRE_FLAG_WARNING, version >= 4 ? WIRE_FLAG_WARNING : 0);
        assert_ok(wire__prefix_read(&c->frame, &prefix, &err), err);
        assert_int_equal(prefix.warnings.len > 0, version >= 4);
        client_free(c);
    }
    stop(&all);
}

static void tracing_and_payloads_are_accepted(void **state) {
    (void)state;
    served            all = serve();
    client           *c = dial(&all, 4);
    wire_payload_item item = { corm_str_of("x"), { (const uint8_t *)"y", 1 } };
    wire_request      request = query("SELECT key FROM system.local");
    request.options.tracing = true;
    request.options.payload = &item;
    request.options.payload_count = 1;
    assert_int_equal(ask_request(c, &request)->opcode, WIRE_OP_RESULT);
    client_free(c);
    stop(&all);
}

static void a_keyspace_is_its_connections_own(void **state) {
    (void)state;
    served       all = serve();
    client      *one = dial(&all, 4), *other = dial(&all, 4);
    wire_request select = query("SELECT * FROM t");
    make_table(one);
    run(one, "SELECT * FROM t");
    expect_refusal(ask_request(other, &select), CORM_INVALID, "No keyspace has been specified");
    client_free(one);
    client_free(other);
    stop(&all);
}

static void the_node_names_the_address_that_was_dialled(void **state) {
    (void)state;
    base_arena  arena = { 0 };
    served      all = serve();
    client     *c = dial(&all, 4);
    wire_result result = result_of(
        run(c, "SELECT rpc_address, rpc_port, broadcast_address FROM system.local"), &arena);
    cql_value address = cql__read_value(&result.rows), port = cql__read_value(&result.rows);
    assert_memory_equal(address.data, "\x7f\0\0\x01", 4);
    assert_int_equal(base__load_u32(port.data), corm_server_port(all.server));
    base__arena_free(&arena);
    client_free(c);
    stop(&all);
}

static uint32_t clients_seen(client *c) {
    base_arena  arena = { 0 };
    wire_result result = result_of(run(c, "SELECT port FROM system_views.clients"), &arena);
    base__arena_free(&arena);
    return result.row_count;
}

static void clients_see_who_is_connected(void **state) {
    (void)state;
    base_arena arena = { 0 };
    served     all = serve();
    client    *one = dial(&all, 4), *other = dial(&all, 5);
    make_table(one);
    assert_int_equal(clients_seen(other), 2);
    wire_result result = result_of(
        run(other, "SELECT keyspace_name, protocol_version, request_count, ssl_enabled, username, "
                   "client_options FROM system_views.clients WHERE protocol_version = 4"),
        &arena);
    assert_int_equal(result.row_count, 1);
    cql_value keyspace = cql__read_value(&result.rows), version = cql__read_value(&result.rows);
    cql_value requests = cql__read_value(&result.rows), tls = cql__read_value(&result.rows);
    cql_value name = cql__read_value(&result.rows), options = cql__read_value(&result.rows);
    assert_memory_equal(keyspace.data, "k", 1);
    assert_int_equal(base__load_u32(version.data), 4);
    assert_int_equal(base__load_u64(requests.data), 4);
    assert_int_equal(tls.data[0], 0);
    assert_memory_equal(name.data, "anonymous", 9);
    assert_int_equal(base__load_u32(options.data), 1);
    base__arena_free(&arena);
    client_free(one);
    while (clients_seen(other) == 2) continue; /* until the server has seen it go */
    assert_int_equal(clients_seen(other), 1);
    client_free(other);
    stop(&all);
}

/* ---- batches ---- */

static void batches_of_texts_and_prepared_statements_run(void **state) {
    (void)state;
    served all = serve();
    for (uint8_t version = 3; version <= 5; version++) {
        base_arena arena = { 0 };
        uint8_t    key[] = { 0, 0, 0, 9 };
        cql_value  values[] = { { key, 4 }, { (const uint8_t *)"p", 1 } };
        client    *c = dial(&all, version);
        if (version == 3) make_table(c);
        prepare(c, "INSERT INTO k.t (a, b) VALUES (?, ?)", &arena);
        wire_batch_item items[] = {
            { .value_count = 2, .values = values },
            { .text = corm_str_of("INSERT INTO k.t (a, b) VALUES (10, 'text')") },
        };
        wire_request batch = { .kind = WIRE_BATCH,
                               .batch_count = 2,
                               .batch = items,
                               .options = { .consistency = WIRE_ONE } };
        assert_int_equal(result_of(ask_request(c, &batch), &arena).kind, WIRE_VOID);
        batch.batch_count = 1;
        assert_int_equal(result_of(ask_request(c, &batch), &arena).kind, WIRE_VOID);
        wire_result result = result_of(run(c, "SELECT a FROM k.t"), &arena);
        assert_int_equal(result.row_count, 3);
        base__arena_free(&arena);
        client_free(c);
    }
    stop(&all);
}

/* ---- errors ---- */

static void errors_carry_their_details(void **state) {
    (void)state;
    wire_error   error;
    served       all = serve();
    client      *c = dial(&all, 5);
    wire_request again = query("CREATE TABLE t (a int PRIMARY KEY)");
    wire_request two = query("SELECT * FROM t");
    wire_request wrong = query("SELECT * FORM t");
    make_table(c);
    ask_request(c, &again);
    assert_ok(wire__error_read(c->frame.body, 5, &error, &err), err);
    assert_int_equal(error.code, 0x2400);
    assert_text(error.keyspace, "k");
    assert_text(error.table, "t");
    two.options.consistency = WIRE_TWO;
    ask_request(c, &two);
    assert_ok(wire__error_read(c->frame.body, 5, &error, &err), err);
    assert_int_equal(error.code, 0x1000);
    assert_int_equal(error.consistency, WIRE_TWO);
    assert_int_equal(error.required, 2);
    assert_int_equal(error.received, 1);
    expect_refusal(ask_request(c, &wrong), CORM_SYNTAX_ERROR, "line 1:9 mismatched input 'FORM'");
    client_free(c);
    stop(&all);
}

static void a_statement_that_is_not_known_is_named(void **state) {
    (void)state;
    wire_error   error;
    served       all = serve();
    client      *c = dial(&all, 4);
    wire_request execute = { .kind = WIRE_EXECUTE, .options = { .consistency = WIRE_ONE } };
    given_id.id = (corm_bytes){ (const uint8_t *)"sixteen bytes ..", 16 };
    ask_request(c, &execute);
    assert_ok(wire__error_read(c->frame.body, 4, &error, &err), err);
    assert_int_equal(error.code, 0x2500);
    assert_int_equal(error.unprepared_id.len, 16);
    assert_memory_equal(error.unprepared_id.data, "sixteen bytes ..", 16);
    given_id.id.len = 3;
    expect_refusal(ask_request(c, &execute), CORM_UNPREPARED, "Prepared query with ID 736978 not");
    wire_batch_item items[] = { { .value_count = 0 } };
    wire_request    batch = { .kind = WIRE_BATCH, .batch_count = 1, .batch = items };
    expect_refusal(ask_request(c, &batch), CORM_UNPREPARED, "Prepared query");
    client_free(c);
    stop(&all);
}

static void the_statement_unused_longest_is_forgotten(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    served           all = serve_with((corm_server_options){ .max_prepared = 2 });
    client          *c = dial(&all, 4);
    wire_request     execute = { .kind = WIRE_EXECUTE, .options = { .consistency = WIRE_ONE } };
    wire_prepared_id ids[3];
    prepare(c, "SELECT key FROM system.local", &arena);
    ids[0] = given_id;
    prepare(c, "SELECT rack FROM system.local", &arena);
    ids[1] = given_id;
    given_id = ids[0];
    assert_int_equal(ask_request(c, &execute)->opcode, WIRE_OP_RESULT);
    prepare(c, "SELECT tokens FROM system.local", &arena);
    ids[2] = given_id;
    for (int i = 0; i < 3; i++) {
        given_id = ids[i];
        ask_request(c, &execute);
        if (i == 1)
            expect_refusal(&c->frame, CORM_UNPREPARED, "evicted");
        else
            assert_int_equal(c->frame.opcode, WIRE_OP_RESULT);
    }
    prepare(c, "SELECT rack FROM system.local", &arena);
    assert_memory_equal(given_id.id.data, ids[1].id.data, 16);
    assert_int_equal(ask_request(c, &execute)->opcode, WIRE_OP_RESULT);
    assert_int_equal(stats_of(&all).prepared, 2);
    base__arena_free(&arena);
    client_free(c);
    stop(&all);
}

/* ---- limits ---- */

static void what_is_over_a_limit_is_refused_and_the_connection_stays(void **state) {
    (void)state;
    served       all = serve_with((corm_server_options){ .max_request_bytes = 64 });
    client      *c = dial(&all, 4);
    wire_request large =
        query("SELECT key, rack, tokens, data_center, release_version FROM system.local");
    expect_refusal(ask_request(c, &large), CORM_OVERLOADED, "too many bytes");
    run(c, "SELECT key FROM system.local");
    assert_int_equal(stats_of(&all).overloaded, 1);
    client_free(c);
    stop(&all);
}

/* Of many requests sent at once with room for one, each is answered: with its rows, or with OVERLOADED. */
static void each_request_is_answered_also_when_there_is_no_room(void **state) {
    (void)state;
    enum { COUNT = 500 };
    served       all = serve_with((corm_server_options){ .max_requests_per_connection = 1 });
    client      *c = dial(&all, 5);
    wire_request select = query("SELECT key FROM system.local");
    bool         seen[COUNT] = { false };
    uint32_t     refused = 0;
    for (int i = 0; i < COUNT; i++) put_request(c, (int16_t)i, &select);
    send_all(c);
    for (int i = 0; i < COUNT; i++) {
        assert_true(next_frame(c));
        assert_in_range(c->frame.stream, 0, COUNT - 1);
        assert_false(seen[c->frame.stream]);
        seen[c->frame.stream] = true;
        if (c->frame.opcode != WIRE_OP_ERROR) continue;
        expect_refusal(&c->frame, CORM_OVERLOADED, "on this connection");
        refused++;
    }
    assert_true(refused < COUNT);
    assert_int_equal(stats_of(&all).overloaded, refused);
    client_free(c);
    stop(&all);
}

static void one_connection_too_many_is_closed(void **state) {
    (void)state;
    served  all = serve_with((corm_server_options){ .max_connections = 2 });
    client *one = dial(&all, 4), *two = dial(&all, 4), *three = client_new(&all, 4);
    expect_end(three);
    run(one, "SELECT key FROM system.local");
    run(two, "SELECT key FROM system.local");
    client_free(one);
    client_free(two);
    client_free(three);
    stop(&all);
}

static void a_message_that_is_too_long_ends_the_connection(void **state) {
    (void)state;
    served  all = serve_with((corm_server_options){ .max_message_bytes = 1000 });
    uint8_t header[] = { 4, 0, 0, 1, WIRE_OP_QUERY, 0, 0, 4, 0 };
    client *c = dial(&all, 4);
    send_bytes(c, header, sizeof header);
    assert_true(next_frame(c));
    expect_refusal(&c->frame, CORM_PROTOCOL_ERROR, "a message of 1024 bytes is longer than 1000");
    expect_end(c);
    client_free(c);
    stop(&all);
}

static void who_does_not_shake_hands_is_closed(void **state) {
    (void)state;
    served  all = serve_with((corm_server_options){ .handshake_ms = 1 });
    client *c = client_new(&all, 4);
    expect_end(c);
    client_free(c);
    stop(&all);
}

static void who_is_idle_is_closed(void **state) {
    (void)state;
    served  all = serve_with((corm_server_options){ .idle_ms = 1 });
    client *c = dial(&all, 4);
    expect_end(c);
    client_free(c);
    stop(&all);
}

/* A client that asks and never reads: the server stops reading from it, and closes it when nothing moves. */
static void who_takes_no_answers_is_not_listened_to(void **state) {
    (void)state;
    served  all = serve_with((corm_server_options){ .max_unread_bytes = 100000, .slow_ms = 300 });
    client *c = dial(&all, 4);
    wire_request select = query("SELECT * FROM system_schema.columns");
    base_buf     bytes = { 0 };
    for (int i = 0; i < 100; i++) put_request(c, 1, &select);
    assert_ok(wire__encoder_take(&c->encoder, &bytes, &err), err);
    while (send_bytes(c, bytes.data, bytes.len)) continue;
    base__buf_free(&bytes);
    client_free(c);
    c = dial(&all, 4);
    run(c, "SELECT key FROM system.local");
    client_free(c);
    stop(&all);
}

static void a_large_answer_comes_whole(void **state) {
    (void)state;
    enum { BYTES = 3000000 };
    served all = serve_with((corm_server_options){ .max_unread_bytes = 1000 });
    for (uint8_t version = 4; version <= 5; version++) {
        base_arena   arena = { 0 };
        client      *c = dial(&all, version);
        uint8_t     *blob = calloc(1, BYTES);
        cql_value    value = { blob, BYTES };
        wire_request insert = query("INSERT INTO k.blobs (a, b) VALUES (1, ?)");
        if (version == 4) {
            make_table(c);
            run(c, "CREATE TABLE blobs (a int PRIMARY KEY, b blob)");
        }
        insert.values = &value;
        insert.value_count = 1;
        assert_int_equal(ask_request(c, &insert)->opcode, WIRE_OP_RESULT);
        wire_result result = result_of(run(c, "SELECT b FROM k.blobs"), &arena);
        assert_int_equal(cql__read_value(&result.rows).len, BYTES);
        free(blob);
        base__arena_free(&arena);
        client_free(c);
    }
    stop(&all);
}

static void put_blob(client *c, int32_t len) {
    uint8_t     *blob = calloc(1, (size_t)len);
    cql_value    value = { blob, len };
    wire_request insert = query("INSERT INTO k.blobs (a, b) VALUES (1, ?)");
    make_table(c);
    run(c, "CREATE TABLE blobs (a int PRIMARY KEY, b blob)");
    insert.values = &value;
    insert.value_count = 1;
    assert_int_equal(ask_request(c, &insert)->opcode, WIRE_OP_RESULT);
    free(blob);
}

/* Short requests for long answers: those of a client that takes none wait, and none is lost when it does. */
static void answers_that_nobody_takes_are_not_made(void **state) {
    enum { REQUESTS = 300, MOST = 200, BYTES = 1 << 20 };
    (void)state;
    served       all = serve();
    base_arena   arena = { 0 };
    client      *other = dial(&all, 5);
    uint8_t      key[] = { 0, 0, 0, 1 };
    cql_value    value = { key, 4 };
    wire_request asked[] = { query("SELECT b FROM k.blobs"),
                             { .kind = WIRE_EXECUTE,
                               .value_count = 1,
                               .values = &value,
                               .options = { .consistency = WIRE_ONE } } };
    put_blob(other, BYTES);
    prepare(other, "SELECT b FROM k.blobs WHERE a = ?", &arena);
    for (size_t kind = 0; kind < 2; kind++) {
        client  *c = dial(&all, 5);
        uint64_t before = stats_of(&all).answered;
        for (int i = 0; i < REQUESTS; i++) put_request(c, (int16_t)i, &asked[kind]);
        send_all(c);
        for (int i = 0; i < 10; i++) run(other, "SELECT key FROM system.local");
        assert_true(stats_of(&all).answered - before < MOST);
        for (int i = 0; i < REQUESTS; i++) {
            assert_true(next_frame(c));
            assert_int_equal(c->frame.opcode, WIRE_OP_RESULT);
        }
        client_free(c);
    }
    base__arena_free(&arena);
    client_free(other);
    stop(&all);
}

/* ---- the end ---- */

static void requests_under_way_are_answered_before_the_end(void **state) {
    (void)state;
    enum { COUNT = 300 };
    base_arena arena = { 0 };
    served     all = serve();
    client    *c = dial(&all, 4);
    uint8_t    key[] = { 0, 0, 0, 5 };
    cql_value  value = { key, 4 };
    uint32_t   answered = 0;
    make_table(c);
    prepare(c, "INSERT INTO k.t (a) VALUES (?)", &arena);
    wire_request insert = { .kind = WIRE_EXECUTE,
                            .value_count = 1,
                            .values = &value,
                            .options = { .consistency = WIRE_ONE } };
    for (int i = 0; i < COUNT; i++) put_request(c, (int16_t)i, &insert);
    send_all(c);
    assert_true(next_frame(c));
    corm_server_stop(all.server);
    do {
        assert_int_equal(c->frame.opcode, WIRE_OP_RESULT);
        answered++;
    } while (next_frame(c));
    assert_in_range(answered, 1, COUNT);
    corm_session_close(all.session);
    base__arena_free(&arena);
    client_free(c);
}

static void a_client_may_go_in_the_middle(void **state) {
    (void)state;
    served all = serve();
    for (int round = 0; round < 50; round++) {
        client      *c = dial(&all, 5);
        wire_request select = query("SELECT * FROM system_schema.columns");
        for (int16_t i = 0; i < 20; i++) put_request(c, i, &select);
        send_all(c);
        client_free(c);
    }
    client *c = dial(&all, 4);
    run(c, "SELECT key FROM system.local");
    client_free(c);
    stop(&all);
}

/* Answers that nobody takes would keep it for ever. */
static void who_takes_no_answers_does_not_hold_up_the_end(void **state) {
    (void)state;
    served       all = serve_with((corm_server_options){ .stop_ms = 1, .max_unread_bytes = 1000 });
    client      *c = dial(&all, 4);
    wire_request select = query("SELECT * FROM system_schema.columns");
    for (int i = 0; i < 200; i++) put_request(c, 1, &select);
    send_all(c);
    assert_true(next_frame(c));
    stop(&all);
    client_free(c);
}

/* Reads of one thread wait for each other, and all are answered. */
static void one_thread_reads_for_all(void **state) {
    (void)state;
    enum { COUNT = 50 };
    served       all = serve_with((corm_server_options){ .read_threads = 1 });
    client      *c = dial(&all, 5);
    wire_request select = query("SELECT * FROM system_schema.columns");
    for (int i = 0; i < COUNT; i++) put_request(c, (int16_t)i, &select);
    send_all(c);
    for (int i = 0; i < COUNT; i++) {
        assert_true(next_frame(c));
        assert_int_equal(c->frame.opcode, WIRE_OP_RESULT);
    }
    client_free(c);
    stop(&all);
}

static int open_listening(int backlog) {
    struct sockaddr_in address = { .sin_family = AF_INET };
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (backlog > 0) assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void sockets_that_listen_already_are_taken(void **state) {
    (void)state;
    int     sockets[] = { open_listening(10), open_listening(10) };
    served  all = serve_with((corm_server_options){ .sockets = sockets, .socket_count = 2 });
    client *c = dial(&all, 4);
    run(c, "SELECT key FROM system.local");
    client_free(c);
    stop(&all);
    assert_int_equal(close(sockets[0]), 0); /* still the caller's */
    assert_int_equal(close(sockets[1]), 0);
}

static corm_status start(corm_session *session, corm_server_options options) {
    corm_server *server = NULL;
    corm_status  status = corm_server_start(&server, session, &options, &err);
    corm_server_stop(server);
    return status;
}

static void what_cannot_be_served_is_refused(void **state) {
    (void)state;
    served           all = serve();
    corm_session    *cluster;
    corm_server_user nobody = { NULL, "x" }, ada = { "ada", "x" };
    int32_t          any = CORM_ANY_PORT;
    assert_status(start(all.session, (corm_server_options){ .port = -2 }), CORM_INVALID_ARGUMENT);
    assert_status(start(all.session, (corm_server_options){ .port = 65536 }),
                  CORM_INVALID_ARGUMENT);
    assert_status(start(all.session, (corm_server_options){ ._canary = 1 }), CORM_INVALID_ARGUMENT);
    assert_status(start(all.session, (corm_server_options){ .listen = "localhost" }),
                  CORM_INVALID_ARGUMENT);
    assert_status(start(all.session, (corm_server_options){ .users = &nobody, .user_count = 1 }),
                  CORM_INVALID_ARGUMENT);
    int quiet = open_listening(0);
    assert_status(start(all.session, (corm_server_options){ .sockets = &quiet, .socket_count = 1 }),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "is no TCP socket that listens"));
    close(quiet);
    assert_status(start(all.session, (corm_server_options){ .sockets = &any, .socket_count = 17 }),
                  CORM_INVALID_ARGUMENT);
    assert_status(start(all.session, (corm_server_options){ .port = any, .loops = 65 }),
                  CORM_INVALID_ARGUMENT);
    assert_status(start(NULL, (corm_server_options){ .port = any }), CORM_INVALID_ARGUMENT);
    assert_status(start(all.session, (corm_server_options){ .listen = "0.0.0.0", .port = any }),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "nobody is asked for a password"));
    /* IPv4's loopback in IPv6's clothes; a machine may have no IPv6. */
    corm_server_options mapped = { .listen = "::ffff:127.0.0.1", .port = any };
    assert_int_not_equal(start(all.session, mapped), CORM_INVALID_ARGUMENT);
    mapped.listen = "::ffff:128.0.0.1";
    assert_status(start(all.session, mapped), CORM_INVALID_ARGUMENT);
    assert_status(
        start(all.session,
              (corm_server_options){ .listen = "0.0.0.0", .port = any, .allow_everybody = true }),
        CORM_OK);
    assert_status(start(all.session,
                        (corm_server_options){
                            .listen = "0.0.0.0", .port = any, .users = &ada, .user_count = 1 }),
                  CORM_OK);
    assert_status(start(all.session, (corm_server_options){ .port = corm_server_port(all.server) }),
                  CORM_IO);
    assert_ok(corm_session_open(&cluster, corm_server_uri(all.server), NULL, &err), err);
    assert_status(start(cluster, (corm_server_options){ .port = any }), CORM_UNSUPPORTED);
    corm_session_close(cluster);
    corm_server_stop(NULL);
    stop(&all);
}

static void the_session_and_its_clients_see_the_same(void **state) {
    (void)state;
    base_arena   arena = { 0 };
    served       all = serve();
    client      *c = dial(&all, 4);
    corm_result *result;
    make_table(c);
    assert_ok(
        corm_execute(all.session, "SELECT b FROM k.t WHERE a = 1", &result, { .error = &err }),
        err);
    assert_text(corm_row_text(corm_result_next(result), 0), "x");
    corm_result_free(result);
    assert_ok(corm_execute(all.session, "INSERT INTO k.t (a) VALUES (2)", NULL, { .error = &err }),
              err);
    assert_int_equal(result_of(run(c, "SELECT a FROM t"), &arena).row_count, 2);
    corm_server_stats stats = stats_of(&all);
    assert_int_equal(stats.connections, 1);
    assert_int_equal(stats.accepted, 1);
    assert_int_equal(stats.errors, 0);
    assert_true(stats.answered >= 5);
    base__arena_free(&arena);
    client_free(c);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_version_reads_and_writes),
    cmocka_unit_test(prepared_statements_have_what_their_version_knows),
    cmocka_unit_test(metadata_that_has_changed_comes_in_every_version),
    cmocka_unit_test(pages_follow_each_other),
    cmocka_unit_test(warnings_come_from_version_4_on),
    cmocka_unit_test(tracing_and_payloads_are_accepted),
    cmocka_unit_test(a_keyspace_is_its_connections_own),
    cmocka_unit_test(the_node_names_the_address_that_was_dialled),
    cmocka_unit_test(clients_see_who_is_connected),
    cmocka_unit_test(batches_of_texts_and_prepared_statements_run),
    cmocka_unit_test(errors_carry_their_details),
    cmocka_unit_test(a_statement_that_is_not_known_is_named),
    cmocka_unit_test(the_statement_unused_longest_is_forgotten),
    cmocka_unit_test(what_is_over_a_limit_is_refused_and_the_connection_stays),
    cmocka_unit_test(each_request_is_answered_also_when_there_is_no_room),
    cmocka_unit_test(one_connection_too_many_is_closed),
    cmocka_unit_test(a_message_that_is_too_long_ends_the_connection),
    cmocka_unit_test(who_does_not_shake_hands_is_closed),
    cmocka_unit_test(who_is_idle_is_closed),
    cmocka_unit_test(who_takes_no_answers_is_not_listened_to),
    cmocka_unit_test(a_large_answer_comes_whole),
    cmocka_unit_test(answers_that_nobody_takes_are_not_made),
    cmocka_unit_test(requests_under_way_are_answered_before_the_end),
    cmocka_unit_test(a_client_may_go_in_the_middle),
    cmocka_unit_test(who_takes_no_answers_does_not_hold_up_the_end),
    cmocka_unit_test(one_thread_reads_for_all),
    cmocka_unit_test(sockets_that_listen_already_are_taken),
    cmocka_unit_test(what_cannot_be_served_is_refused),
    cmocka_unit_test(the_session_and_its_clients_see_the_same),
};

RUN_TESTS()
