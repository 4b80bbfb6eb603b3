// SPDX-License-Identifier: MIT
/* Connections to a real Cassandra: every protocol version and compression, and logins. Leaves with 77 where there is none. */
#include "driver/conn_for_tests.h"

#include <stdlib.h>

typedef struct node_address {
    char     host[64];
    uint16_t port;
} node_address;

/* "cassandra://user:password@127.0.0.1:9042,…" */
static bool parse(const char *uri, node_address *out) {
    const char *at = strstr(uri, "://");
    if (!at) return false;
    at += 3;
    const char *behind = strchr(at, '@');
    if (behind) at = behind + 1;
    size_t len = strcspn(at, ":,/?\n");
    if (len == 0 || len >= sizeof out->host || at[len] != ':') return false;
    memcpy(out->host, at, len);
    out->host[len] = '\0';
    out->port = (uint16_t)strtoul(at + len + 1, NULL, 10);
    return out->port != 0;
}

static bool is_required(void) {
    const char *required = getenv("CORM_REQUIRE");
    return required && strstr(required, "cassandra");
}

/* Starts it, or finds it running. */
static node_address find_node(const char *how) {
    char         command[512];
    char         line[512] = "";
    node_address out = { 0 };
    (void)snprintf(command, sizeof command, "'%s/tools/cassandra' start %s", CORM_SOURCE_DIR, how);
    FILE *said = popen(command, "r");
    assert_non_null(said);
    while (fgets(line, sizeof line, said)) continue;
    int status = pclose(said);
    if (status == 0 && parse(line, &out)) return out;
    if (status == 77 << 8 && !is_required()) _Exit(77);
    fail_msg("%s", line);
    return out;
}

static void dial_node(test_client *client, const node_address *node) {
    struct sockaddr_in sa;
    driver_address    *address = &client->options.address;
    (void)snprintf(address->text, sizeof address->text, "%s", node->host);
    address->port = node->port;
    assert_int_equal(uv_ip4_addr(node->host, node->port, &sa), 0);
    memcpy(&address->sa, &sa, sizeof sa);
    client_dial_address(client);
}

static void wait_ready(test_client *client) {
    while (!client->ready && !client->closed) client_turn(client);
    if (client->closed) fail_msg("%s", client->error.message);
}

static void ask_release(test_client *client) {
    test_call    call = { 0 };
    corm_error   err;
    base_buf     body = { 0 };
    base_arena   arena = { 0 };
    wire_result  result;
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of("SELECT release_version FROM system.local"),
                             .options.consistency = WIRE_ONE };
    uint8_t      version = driver__conn_version(client->conn);
    assert_ok(wire__put_request(&body, &request, version, NULL, NULL, &err), err);
    assert_ok(call_send_bytes(client, &call, body.data, body.len, &err), err);
    call_wait(&call);
    assert_status(call.status, CORM_OK);
    assert_int_equal(call.opcode, WIRE_OP_RESULT);
    assert_ok(wire__result_read(base__buf_bytes(&call.body), version, &arena, &result, &err), err);
    assert_int_equal(result.row_count, 1);
    base__arena_free(&arena);
    base__buf_free(&body);
    base__buf_free(&call.body);
}

static void every_version_and_compression_is_spoken(void **state) {
    test_client *client = *state;
    node_address node = find_node("");
    client->options.register_events = true;
    for (uint8_t version = 4; version <= 5; version++) {
        for (corm_compression kind = CORM_UNCOMPRESSED; kind <= CORM_SNAPPY; kind++) {
            client->options.version = version;
            client->wanted.compression = kind;
            dial_node(client, &node);
            wait_ready(client);
            ask_release(client);
            client_close(client);
        }
    }
}

static void a_version_too_high_is_refused_with_one_that_is_spoken(void **state) {
    test_client *client = *state;
    node_address node = find_node("");
    client->options.version = 7;
    dial_node(client, &node);
    client_wait_closed(client);
    assert_status(client->status, CORM_PROTOCOL_ERROR);
    assert_int_equal(client->offered_version, 5);
}

static void thousands_of_requests_are_under_way_at_once(void **state) {
    test_client *client = *state;
    node_address node = find_node("");
    enum { COUNT = 5000 };
    test_call   *calls = calloc(COUNT, sizeof *calls);
    base_buf     body = { 0 };
    corm_error   err;
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of("SELECT key FROM system.local"),
                             .options.consistency = WIRE_ONE };
    assert_non_null(calls);
    assert_ok(wire__put_request(&body, &request, 5, NULL, NULL, &err), err);
    client->wanted.pool.requests_per_connection = COUNT;
    dial_node(client, &node);
    wait_ready(client);
    for (int i = 0; i < COUNT; i++) {
        assert_ok(call_send_bytes(client, &calls[i], body.data, body.len, &err), err);
    }
    while (driver__conn_in_flight(client->conn) > 0) client_turn(client);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(calls[i].done, 1);
        assert_status(calls[i].status, CORM_OK);
        base__buf_free(&calls[i].body);
    }
    base__buf_free(&body);
    free(calls);
}

static void a_login_is_asked_for_and_checked(void **state) {
    test_client *client = *state;
    node_address node = find_node("--auth");
    client->wanted.username = "cassandra";
    client->wanted.password = "cassandra";
    for (uint8_t version = 4; version <= 5; version++) {
        client->options.version = version;
        dial_node(client, &node);
        wait_ready(client);
        ask_release(client);
        client_close(client);
    }
    client->wanted.password = "wrong";
    dial_node(client, &node);
    client_wait_closed(client);
    assert_status(client->status, CORM_BAD_CREDENTIALS);
    client->wanted.username = client->wanted.password = NULL;
    dial_node(client, &node);
    client_wait_closed(client);
    assert_status(client->status, CORM_BAD_CREDENTIALS);
    assert_non_null(strstr(client->error.message, "PasswordAuthenticator"));
}

static const struct CMUnitTest tests[] = {
    CLIENT_TEST(every_version_and_compression_is_spoken),
    CLIENT_TEST(a_version_too_high_is_refused_with_one_that_is_spoken),
    CLIENT_TEST(thousands_of_requests_are_under_way_at_once),
    CLIENT_TEST(a_login_is_asked_for_and_checked),
};
RUN_TESTS()
