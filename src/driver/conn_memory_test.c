// SPDX-License-Identifier: MIT
/* A connection's whole life is led again and again while one allocation more succeeds each time, until it goes through. What
 * fails must fail as CORM_NO_MEMORY, every call must end once, `closed` must come once, nothing may leak. */
#include "testing/memory.h"

#include "driver/conn_for_tests.h"

enum { CALLS = 100 };

/* Sends them until one is refused; how many were taken. */
static int send_all(test_client *client, test_call *calls, const char *data, size_t len,
                    corm_status *status) {
    corm_error err;
    for (int i = 0; i < CALLS; i++) {
        size_t some = i == CALLS / 2 ? len : 5;
        *status = call_send_bytes(client, &calls[i], data, some, &err);
        if (*status != CORM_OK) return i;
    }
    return CALLS;
}

static corm_status send_and_wait(test_client *client, const char *data, size_t len) {
    static test_call calls[CALLS];
    corm_status      status = CORM_OK;
    memset(calls, 0, sizeof calls);
    int sent = send_all(client, calls, data, len, &status);
    while (!client->closed && driver__conn_in_flight(client->conn) > 0) client_turn(client);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(calls[i].done, i < sent ? 1 : 0);
        if (i < sent && calls[i].status != CORM_OK) status = calls[i].status;
        base__buf_free(&calls[i].body);
    }
    return status;
}

/* From the dial to the end, with the settings that are made already. */
static corm_status live(test_client *client, const char *data, size_t len) {
    corm_error err;
    client->ready = client->closed = 0;
    corm_status status = driver__conn_open(&client->options, &client->conn, &err);
    if (status != CORM_OK) return status;
    while (!client->ready && !client->closed) client_turn(client);
    if (client->ready) {
        status = send_and_wait(client, data, len);
        if (!client->closed) {
            driver__conn_close(client->conn, CORM_CLOSED, "done");
            client_wait_closed(client);
        }
    }
    assert_int_equal(client->closed, 1);
    return client->status == CORM_CLOSED ? status : client->status;
}

/* Until the server has nothing left of its connections. */
static void tidy(test_client *client) {
    test_server *server = &client->server;
    for (int i = 0; i < MOST_PEERS; i++) {
        while (server->peers[i].server) uv_run(&client->loop, UV_RUN_ONCE);
    }
    base__buf_free(&server->startup);
    base__arena_free(&server->arena);
}

/* Whether memory was short. */
static bool try_with(test_client *client, size_t allowed, const char *data, size_t len) {
    long before = testing__memory_live();
    testing__memory_fail_from(allowed);
    corm_status status = live(client, data, len);
    bool        has_failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    /* What a connection can do without may fail: its larger tables, compression. */
    if (!has_failed) assert_status(status, CORM_OK);
    if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    tidy(client);
    assert_int_equal(testing__memory_live(), before);
    return has_failed;
}

static void survives(test_client *client, uint8_t version, corm_compression compression) {
    size_t len = 300000;
    char  *data = malloc(len);
    assert_non_null(data);
    memset(data, 'x', len);
    client->options.version = version;
    client->wanted.compression = compression;
    client->wanted.username = "ann";
    client->wanted.password = "secret";
    client->options.register_events = true;
    client_open(client); /* settings; the loop's own memory, without which it would abort */
    client_close(client);
    tidy(client);
    for (size_t allowed = 0; try_with(client, allowed, data, len); allowed++) continue;
    free(data);
}

static void every_failure_of_memory_is_survived(void **state) {
    test_client *client = *state;
    if (!testing__memory_can_fail()) skip();
    client->server.authenticator = "PasswordAuthenticator";
    client->server.token = "\0ann\0secret";
    client->server.token_len = 11;
    survives(client, 5, CORM_UNCOMPRESSED);
    survives(client, 5, CORM_LZ4);
    survives(client, 4, CORM_SNAPPY);
    survives(client, 4, CORM_UNCOMPRESSED);
}

static const struct CMUnitTest tests[] = {
    CLIENT_TEST(every_failure_of_memory_is_survived),
};
RUN_TESTS()
