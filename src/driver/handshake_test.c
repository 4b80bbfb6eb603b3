// SPDX-License-Identifier: MIT
/* From the dial to READY: what is offered and chosen, logins, refusals, events, ScyllaDB, and what a silent node comes to. */
#include "driver/conn_for_tests.h"

#include "corm/version.h"

static const char PASSWORD_CLASS[] = "org.apache.cassandra.auth.PasswordAuthenticator";

/* The last STARTUP's value of a name; "" when it has none. */
static corm_str startup_value(test_server *server, const char *name) {
    wire_pair *pairs = NULL;
    uint32_t   count = 0;
    corm_error err;
    assert_ok(wire__read_string_map(base__buf_bytes(&server->startup), &server->arena, &pairs,
                                    &count, &err),
              err);
    for (uint32_t i = 0; i < count; i++) {
        if (corm_str_equal(pairs[i].name, corm_str_of(name))) return pairs[i].value;
    }
    return corm_str_of("");
}

static void refused(test_client *client, corm_status status, const char *part) {
    client_dial(client);
    client_wait_closed(client);
    assert_int_equal(client->ready, 0);
    assert_status(client->status, status);
    if (!strstr(client->error.message, part)) fail_msg("%s", client->error.message);
}

/* ---- STARTUP ---- */

static void the_node_learns_who_connects(void **state) {
    test_client *client = *state;
    test_server *server = &client->server;
    client->wanted.application_name = "shop";
    client->wanted.application_version = "7";
    client_open(client);
    assert_text(startup_value(server, "CQL_VERSION"), "3.0.0");
    assert_text(startup_value(server, "DRIVER_NAME"), "Corm");
    assert_text(startup_value(server, "DRIVER_VERSION"), corm_version_string());
    assert_text(startup_value(server, "CLIENT_ID"), client->settings.client_id);
    assert_text(startup_value(server, "APPLICATION_NAME"), "shop");
    assert_text(startup_value(server, "APPLICATION_VERSION"), "7");
    assert_text(startup_value(server, "COMPRESSION"), "");
    assert_text(startup_value(server, "SCYLLA_LWT_ADD_METADATA_MARK"), "");
    assert_int_equal(driver__conn_version(client->conn), 5);
}

static const char *compression_chosen(test_client *client, uint8_t version, corm_compression kind) {
    static char chosen[16];
    client->options.version = version;
    client->wanted.compression = kind;
    client_open(client);
    corm_str value = startup_value(&client->server, "COMPRESSION");
    (void)snprintf(chosen, sizeof chosen, "%.*s", (int)value.len, value.data);
    client_close(client);
    return chosen;
}

static void compression_is_used_where_both_have_it(void **state) {
    test_client           *client = *state;
    static const wire_pair only_snappy[] = { { { "COMPRESSION", 11 }, { "snappy", 6 } } };
    assert_string_equal(compression_chosen(client, 4, CORM_UNCOMPRESSED), "");
    assert_string_equal(compression_chosen(client, 4, CORM_LZ4), "lz4");
    assert_string_equal(compression_chosen(client, 4, CORM_SNAPPY), "snappy");
    assert_string_equal(compression_chosen(client, 5, CORM_LZ4), "lz4");
    assert_string_equal(compression_chosen(client, 5, CORM_SNAPPY), ""); /* v5 has none */
    client->server.supported = only_snappy;
    client->server.supported_count = 1;
    assert_string_equal(compression_chosen(client, 4, CORM_LZ4), "");
}

/* ---- flags and framing ---- */

static uint32_t odd_flags, requests_seen;

static bool look_at_flags(test_peer *peer, const wire_frame *frame) {
    bool may_be_compressed = frame->version < 5 && frame->opcode != WIRE_OP_STARTUP;
    requests_seen++;
    if (frame->flags & ~(may_be_compressed ? WIRE_FLAG_COMPRESSED : 0)) odd_flags++;
    if (frame->opcode == WIRE_OP_AUTH_RESPONSE && frame->version == 5) {
        assert_true(peer->decoder.segmented);
    }
    return false;
}

static void no_envelope_has_a_flag_that_it_must_not_have(void **state) {
    test_client *client = *state;
    static char  text[1000];
    client->server.handle = look_at_flags;
    client->server.authenticator = PASSWORD_CLASS;
    client->server.token = "\0ann\0secret";
    client->server.token_len = 11;
    client->wanted.username = "ann";
    client->wanted.password = "secret";
    client->wanted.compression = CORM_LZ4;
    client->options.register_events = true;
    memset(text, 'x', sizeof text - 1);
    odd_flags = requests_seen = 0;
    for (uint8_t version = 4; version <= 5; version++) {
        test_call call = { 0 };
        client->options.version = version;
        client_open(client);
        call_send(client, &call, text);
        call_wait(&call);
        call_expect(&call, text);
        client_close(client);
    }
    assert_int_equal(odd_flags, 0);
    assert_int_equal(requests_seen, 2 * 5); /* OPTIONS STARTUP AUTH_RESPONSE REGISTER QUERY */
}

/* ---- logins ---- */

static void ask_for_login(test_client *client) {
    client->server.authenticator = PASSWORD_CLASS;
    client->server.token = "\0ann\0secret";
    client->server.token_len = 11;
}

static void a_password_logs_in(void **state) {
    test_client *client = *state;
    ask_for_login(client);
    client->wanted.username = "ann";
    client->wanted.password = "secret";
    for (uint8_t version = 4; version <= 5; version++) {
        client->options.version = version;
        client_open(client);
        client_close(client);
    }
}

static void a_wrong_password_is_told_in_the_nodes_words(void **state) {
    test_client *client = *state;
    ask_for_login(client);
    client->wanted.username = "ann";
    client->wanted.password = "Secret";
    refused(client, CORM_BAD_CREDENTIALS, "Provided username x and/or password are incorrect");
    client->wanted.password = NULL;
    refused(client, CORM_BAD_CREDENTIALS, "incorrect");
    assert_int_equal(client->figures.dial_failures, 2);
}

static void a_login_without_a_name_is_an_error_before_anything_is_sent(void **state) {
    test_client *client = *state;
    ask_for_login(client);
    refused(client, CORM_BAD_CREDENTIALS, PASSWORD_CLASS);
}

/* Two rounds, as SCRAM has them; DataStax's servers ask so for PLAIN. */
static bool challenge(test_peer *peer, const wire_frame *frame) {
    base_buf   body = { 0 };
    corm_bytes token;
    corm_error err;
    if (frame->opcode != WIRE_OP_AUTH_RESPONSE) return false;
    assert_ok(wire__read_bytes_body(frame->body, &token, &err), err);
    corm_str said = { (const char *)token.data, token.len };
    if (!corm_str_equal(said, corm_str_of(peer->server->context))) return false;
    wire__put_bytes(&body, (corm_bytes){ (const uint8_t *)"PLAIN-START", 11 });
    peer_answer(peer, frame->stream, WIRE_OP_AUTH_CHALLENGE, &body);
    base__buf_free(&body);
    return true;
}

static void datastax_servers_want_the_mechanism_first(void **state) {
    test_client *client = *state;
    ask_for_login(client);
    client->server.authenticator = "com.datastax.bdp.cassandra.auth.DseAuthenticator";
    client->server.handle = challenge;
    client->server.context = (void *)(uintptr_t) "PLAIN";
    client->wanted.username = "ann";
    client->wanted.password = "secret";
    client_open(client);
}

typedef struct sasl {
    uint32_t    asked, succeeded;
    const char *class_name;
    corm_status refuses, disapproves;
} sasl;

static corm_status sasl_response(void *context, const corm_node *node, const char *server_class,
                                 corm_bytes challenge_bytes, uint8_t **token, size_t *token_len,
                                 corm_error *err) {
    sasl *s = context;
    assert_null(node);
    (void)err;
    assert_string_equal(server_class, s->class_name);
    assert_true((challenge_bytes.len == 0) == (s->asked == 0));
    const char *said = s->asked++ == 0 ? "hello" : "proof";
    if (s->refuses != CORM_OK) return s->refuses;
    *token = malloc(5);
    assert_non_null(*token);
    memcpy(*token, said, 5);
    *token_len = 5;
    return CORM_OK;
}

static corm_status sasl_success(void *context, const corm_node *node, corm_bytes token,
                                corm_error *err) {
    sasl *s = context;
    (void)node;
    (void)token;
    (void)err;
    s->succeeded++;
    return s->disapproves;
}

static void a_users_mechanism_answers_every_challenge(void **state) {
    test_client       *client = *state;
    sasl               s = { .class_name = "x.Scram" };
    corm_authenticator authenticator = { sasl_response, sasl_success, &s };
    client->wanted.authenticator = &authenticator;
    client->server.authenticator = s.class_name;
    client->server.handle = challenge;
    client->server.context = (void *)(uintptr_t) "hello";
    client->server.token = "proof";
    client->server.token_len = 5;
    client_open(client);
    assert_int_equal(s.asked, 2);
    assert_int_equal(s.succeeded, 1);
    client_close(client);
    s = (sasl){ .class_name = "x.Scram", .disapproves = CORM_BAD_CREDENTIALS };
    refused(client, CORM_BAD_CREDENTIALS, "authenticator refused");
    s = (sasl){ .class_name = "x.Scram", .refuses = CORM_UNSUPPORTED };
    refused(client, CORM_UNSUPPORTED, "authenticator refused");
}

/* ---- versions ---- */

static uint8_t offered(uint8_t version, uint8_t reply, const char *text) {
    return driver__offered_version(version, reply, corm_str_of(text));
}

static void a_refusal_names_the_version_to_try(void **state) {
    (void)state;
    const char *list = "Invalid or unsupported protocol version (5); supported versions are "
                       "(3/v3, 4/v4)";
    assert_int_equal(offered(5, 4, list), 4);
    assert_int_equal(offered(5, 5, list), 4);
    assert_int_equal(offered(4, 5,
                             "Invalid or unsupported protocol version (4); supported versions are "
                             "(2/v2, 3/v3, 5/v5, 6/v6-beta)"),
                     3);
    assert_int_equal(offered(5, 4, "supported versions are (3/v3, 4/v4-beta)"), 3);
    assert_int_equal(offered(5, 4,
                             "Invalid or unsupported protocol version (5); the lowest supported "
                             "version is 3 and the greatest is 4"),
                     4);
    assert_int_equal(
        offered(5, 5, "Beta version of the protocol used (5/v5-beta), but USE_BETA flag is unset"),
        4);
    assert_int_equal(offered(5, 4, "Invalid or unsupported protocol version: 5"), 4);
    assert_int_equal(offered(5, 3, "whatever"), 3);
    assert_int_equal(offered(5, 5, "unsupported protocol version"), 4);
    /* No way down: nothing else is offered. */
    assert_int_equal(offered(4, 4, "Unknown compression algorithm"), 0);
    assert_int_equal(offered(3, 3, "unsupported protocol version"), 0);
    assert_int_equal(offered(4, 2, "supported versions are (1/v1, 2/v2"), 0);
    assert_int_equal(offered(4, 4, ""), 0);
}

static bool refuse_version(test_peer *peer, const wire_frame *frame) {
    const uint8_t *highest = peer->server->context;
    if (frame->version <= *highest) return false;
    peer->encoder.version = *highest;
    peer_error(peer, frame->stream, 0x000A,
               "Invalid or unsupported protocol version (5); supported versions are (3/v3, 4/v4)");
    peer_close(peer);
    return true;
}

static void a_node_of_an_older_version_says_which(void **state) {
    test_client *client = *state;
    uint8_t      highest = 4;
    client->server.handle = refuse_version;
    client->server.context = &highest;
    refused(client, CORM_PROTOCOL_ERROR, "supported versions are");
    assert_int_equal(client->offered_version, 4);
    client->options.version = client->offered_version;
    client_open(client);
    assert_int_equal(driver__conn_version(client->conn), 4);
}

static bool refuse_startup(test_peer *peer, const wire_frame *frame) {
    if (frame->opcode != WIRE_OP_STARTUP) return false;
    peer_error(peer, frame->stream, 0x1002, "Cannot, bootstrapping");
    return true;
}

static void a_node_that_is_not_ready_says_so(void **state) {
    test_client *client = *state;
    client->server.handle = refuse_startup;
    refused(client, CORM_BOOTSTRAPPING, "Cannot, bootstrapping");
    assert_int_equal(client->offered_version, 0);
}

static uint8_t out_of_order;

static bool answer_out_of_order(test_peer *peer, const wire_frame *frame) {
    if (frame->opcode != out_of_order) return false;
    peer_answer(peer, frame->stream, WIRE_OP_RESULT, NULL);
    return true;
}

static void an_answer_out_of_order_ends_the_handshake(void **state) {
    static const uint8_t steps[] = { WIRE_OP_OPTIONS, WIRE_OP_STARTUP, WIRE_OP_AUTH_RESPONSE,
                                     WIRE_OP_REGISTER };
    test_client         *client = *state;
    ask_for_login(client);
    client->wanted.username = "ann";
    client->wanted.password = "secret";
    client->options.register_events = true;
    client->server.handle = answer_out_of_order;
    for (size_t i = 0; i < sizeof steps; i++) {
        out_of_order = steps[i];
        refused(client, CORM_PROTOCOL_ERROR, "opcode 0x08");
    }
}

static bool answer_nonsense(test_peer *peer, const wire_frame *frame) {
    base_buf body = { 0 };
    if (frame->opcode != WIRE_OP_OPTIONS) return false;
    base__buf_puts(&body, "\xff\xff\xff");
    peer_answer(peer, frame->stream, WIRE_OP_SUPPORTED, &body);
    base__buf_free(&body);
    return true;
}

static void a_supported_that_cannot_be_read_ends_the_handshake(void **state) {
    test_client *client = *state;
    client->server.handle = answer_nonsense;
    refused(client, CORM_PROTOCOL_ERROR, "SUPPORTED");
}

static bool answer_http(test_peer *peer, const wire_frame *frame) {
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    (void)frame;
    peer_send_bytes(peer, (const uint8_t *)text, sizeof text - 1);
    return true;
}

static void something_else_on_the_port_is_no_node(void **state) {
    test_client *client = *state;
    client->server.handle = answer_http;
    refused(client, CORM_PROTOCOL_ERROR, "127.0.0.1");
}

/* ---- time ---- */

static void a_node_that_says_nothing_runs_into_the_timeout(void **state) {
    test_client *client = *state;
    client->server.silent = true;
    client->wanted.connect_timeout_ms = 20;
    refused(client, CORM_TIMEOUT, "no connection within 20 ms");
    assert_int_equal(client->figures.dial_failures, 1);
}

/* ---- events ---- */

static void send_event(test_peer *peer, const wire_event *event) {
    base_buf body = { 0 };
    wire__put_event(&body, event);
    peer_answer(peer, -1, WIRE_OP_EVENT, &body);
    base__buf_free(&body);
}

static void events_are_passed_on(void **state) {
    test_client *client = *state;
    client->options.register_events = true;
    client_open(client);
    wire_event up = { .kind = WIRE_STATUS_CHANGE,
                      .change = { "UP", 2 },
                      .address = { .bytes = { 127, 0, 0, 9 }, .length = 4 },
                      .port = 9042 };
    send_event(&client->server.peers[0], &up);
    while (client->events < 1) client_turn(client);
    assert_string_equal(client->event, "UP . 9042");
    wire_event schema = { .kind = WIRE_SCHEMA_CHANGE_EVENT,
                          .change = { "CREATED", 7 },
                          .target = { "TABLE", 5 },
                          .keyspace = { "shop", 4 },
                          .name = { "users", 5 } };
    send_event(&client->server.peers[0], &schema);
    while (client->events < 2) client_turn(client);
    assert_string_equal(client->event, "CREATED shop.users 0");
}

static void events_to_come_and_events_not_asked_for_are_ignored(void **state) {
    test_client *client = *state;
    base_buf     body = { 0 };
    test_call    call = { 0 };
    wire_event   up = {
          .kind = WIRE_STATUS_CHANGE, .change = { "UP", 2 }, .address = { .length = 4 }, .port = 9042
    };
    client_open(client);
    wire__put_text(&body, corm_str_of("WEATHER_CHANGE"));
    peer_answer(&client->server.peers[0], -1, WIRE_OP_EVENT, &body);
    send_event(&client->server.peers[0], &up);
    call_send(client, &call, "still works");
    call_wait(&call);
    call_expect(&call, "still works");
    assert_int_equal(client->events, 0);
    base__buf_free(&body);
}

/* ---- ScyllaDB ---- */

#define PAIR(name, value)                                                                          \
    {                                                                                              \
        { name, sizeof name - 1 }, {                                                               \
            value, sizeof value - 1                                                                \
        }                                                                                          \
    }
static const wire_pair scylla[] = {
    PAIR("COMPRESSION", "lz4"),
    PAIR("SCYLLA_SHARD", "3"),
    PAIR("SCYLLA_NR_SHARDS", "7"),
    PAIR("SCYLLA_SHARDING_IGNORE_MSB", "12"),
    PAIR("SCYLLA_SHARDING_ALGORITHM", "biased-token-round-robin"),
    PAIR("SCYLLA_SHARD_AWARE_PORT", "19042"),
    PAIR("SCYLLA_SHARD_AWARE_PORT_SSL", "19142"),
    PAIR("SCYLLA_LWT_ADD_METADATA_MARK", "LWT_OPTIMIZATION_META_BIT_MASK=2147483648"),
    PAIR("SCYLLA_RATE_LIMIT_ERROR", "ERROR_CODE=61440"),
};

static void scylladb_says_which_shard_answers(void **state) {
    test_client *client = *state;
    client->server.supported = scylla;
    client->server.supported_count = sizeof scylla / sizeof *scylla;
    client->options.version = 4;
    client_open(client);
    const driver_sharding *s = driver__conn_sharding(client->conn);
    assert_int_equal(s->shard, 3);
    assert_int_equal(s->shard_count, 7);
    assert_int_equal(s->ignore_msb, 12);
    assert_int_equal(s->shard_port, 19042);
    assert_int_equal(s->shard_port_tls, 19142);
    assert_true(s->lwt_mask == 2147483648u);
    assert_true(s->rate_limit_errors);
    assert_text(startup_value(&client->server, "SCYLLA_LWT_ADD_METADATA_MARK"),
                "LWT_OPTIMIZATION_META_BIT_MASK=2147483648");
}

static void a_shard_beyond_their_number_is_not_believed(void **state) {
    static const wire_pair wrong[] = { PAIR("SCYLLA_SHARD", "7"), PAIR("SCYLLA_NR_SHARDS", "7"),
                                       PAIR("SCYLLA_SHARD_AWARE_PORT", "19042") };
    test_client           *client = *state;
    client->server.supported = wrong;
    client->server.supported_count = 3;
    client_open(client);
    assert_int_equal(driver__conn_sharding(client->conn)->shard_count, 0);
    assert_int_equal(driver__conn_sharding(client->conn)->shard_port, 0);
}

static void the_local_port_picks_the_shard(void **state) {
    test_client *client = *state;
    client->options.shard_count = 7;
    for (int32_t shard = 0; shard < 7; shard++) {
        client->options.shard = shard;
        client_open(client);
        const test_peer *peer = client->server.peers;
        while (!peer->server || uv_is_closing((const uv_handle_t *)&peer->tcp)) peer++;
        assert_int_equal(peer->port % 7, shard);
        client_close(client);
    }
}

/* One candidate only: 16384 shards leave one port each. */
static void a_local_port_in_use_is_not_taken(void **state) {
    test_client       *client = *state;
    struct sockaddr_in sa;
    int                len = sizeof sa;
    static uv_tcp_t    taken; /* closed by the end of the test */
    uint16_t           port = 0;
    assert_int_equal(uv_tcp_init(&client->loop, &taken), 0);
    for (port = 65000; port > 60000; port--) {
        assert_int_equal(uv_ip4_addr("0.0.0.0", port, &sa), 0);
        if (uv_tcp_bind(&taken, (struct sockaddr *)&sa, 0) == 0 &&
            uv_tcp_getsockname(&taken, (struct sockaddr *)&sa, &len) == 0 &&
            uv_listen((uv_stream_t *)&taken, 1, NULL) == 0) {
            break;
        }
    }
    client->options.shard_count = 16384;
    client->options.shard = port % 16384;
    refused(client, CORM_IO, "address already in use");
    client->options.shard = 16384;
    refused(client, CORM_IO, "invalid argument");
    uv_close((uv_handle_t *)&taken, NULL);
}

static const struct CMUnitTest tests[] = {
    CLIENT_TEST(the_node_learns_who_connects),
    CLIENT_TEST(compression_is_used_where_both_have_it),
    CLIENT_TEST(no_envelope_has_a_flag_that_it_must_not_have),
    CLIENT_TEST(a_password_logs_in),
    CLIENT_TEST(a_wrong_password_is_told_in_the_nodes_words),
    CLIENT_TEST(a_login_without_a_name_is_an_error_before_anything_is_sent),
    CLIENT_TEST(datastax_servers_want_the_mechanism_first),
    CLIENT_TEST(a_users_mechanism_answers_every_challenge),
    CLIENT_TEST(a_refusal_names_the_version_to_try),
    CLIENT_TEST(a_node_of_an_older_version_says_which),
    CLIENT_TEST(a_node_that_is_not_ready_says_so),
    CLIENT_TEST(an_answer_out_of_order_ends_the_handshake),
    CLIENT_TEST(a_supported_that_cannot_be_read_ends_the_handshake),
    CLIENT_TEST(something_else_on_the_port_is_no_node),
    CLIENT_TEST(a_node_that_says_nothing_runs_into_the_timeout),
    CLIENT_TEST(events_are_passed_on),
    CLIENT_TEST(events_to_come_and_events_not_asked_for_are_ignored),
    CLIENT_TEST(scylladb_says_which_shard_answers),
    CLIENT_TEST(a_shard_beyond_their_number_is_not_believed),
    CLIENT_TEST(the_local_port_picks_the_shard),
    CLIENT_TEST(a_local_port_in_use_is_not_taken),
};
RUN_TESTS()
