// SPDX-License-Identifier: MIT
/* Thousands of connections at once: all are answered, each with its own rows, and all of their memory is given back. */
#include <poll.h>
#include <sys/resource.h>

#include "server/client_for_tests.h"

enum { MANY = 3000, MARGIN = 200 };

/* Both ends of each connection are in this process; skipped where it may not have so many files. */
static void allow_files(void) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * MANY + MARGIN) {
        puts("skipped: this process may not have so many files");
        exit(77);
    }
}

/* A socket alone: a `client` with its input buffer for each would take 200 MB. */
static int dial_socket(const served *all) {
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(corm_server_port(all->server)) };
    struct timeval     patience = { .tv_sec = 60 };
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void send_frame(int fd, wire_opcode opcode, const base_buf *body) {
    base_buf frame = { 0 };
    base__buf_put(&frame, (const uint8_t[]){ 4, 0, 0, 1, (uint8_t)opcode }, 5);
    base__buf_i32(&frame, (int32_t)body->len);
    base__buf_put(&frame, body->data, body->len);
    assert_int_equal(send(fd, frame.data, frame.len, MSG_NOSIGNAL), (ssize_t)frame.len);
    base__buf_free(&frame);
}

static wire_opcode receive_frame(int fd, uint8_t *body, size_t most, size_t *len) {
    uint8_t header[9];
    assert_int_equal(recv(fd, header, sizeof header, MSG_WAITALL), sizeof header);
    *len = base__load_u32(header + 5);
    assert_true(*len <= most);
    if (*len > 0) assert_int_equal(recv(fd, body, *len, MSG_WAITALL), (ssize_t)*len);
    return (wire_opcode)header[4];
}

static void start_up(int fd) {
    wire_pair pair = { corm_str_of("CQL_VERSION"), corm_str_of("3.0.0") };
    base_buf  body = { 0 };
    wire__put_startup(&body, &pair, 1);
    send_frame(fd, WIRE_OP_STARTUP, &body);
    base__buf_free(&body);
}

static void send_query(int fd, const char *format, int number) {
    char     text[120];
    base_buf body = { 0 };
    snprintf(text, sizeof text, format, number, number);
    base__buf_i32(&body, (int32_t)strlen(text));
    base__buf_puts(&body, text);
    base__buf_put(&body, "\0\1\0", 3);
    send_frame(fd, WIRE_OP_QUERY, &body);
    base__buf_free(&body);
}

static void expect_row(int fd, int number) {
    uint8_t     body[1000];
    size_t      len;
    wire_result result;
    base_arena  arena = { 0 };
    assert_int_equal(receive_frame(fd, body, sizeof body, &len), WIRE_OP_RESULT);
    assert_ok(wire__result_read((corm_bytes){ body, len }, 4, &arena, &result, &err), err);
    assert_int_equal(result.row_count, 1);
    assert_int_equal(base__load_u32(cql__read_value(&result.rows).data), number);
    base__arena_free(&arena);
}

static void thousands_of_connections_are_answered(void **state) {
    (void)state;
    uint8_t body[1000];
    size_t  len;
    int    *fds = calloc(MANY, sizeof *fds);
    served  all = serve();
    client *c = dial(&all, 4);
    allow_files();
    make_table(c);
    for (int i = 0; i < MANY; i++) start_up(fds[i] = dial_socket(&all));
    for (int i = 0; i < MANY; i++)
        assert_int_equal(receive_frame(fds[i], body, sizeof body, &len), WIRE_OP_READY);
    assert_int_equal(stats_of(&all).connections, MANY + 1);
    for (int i = 0; i < MANY; i++)
        send_query(fds[i], "INSERT INTO k.t (a, b) VALUES (%d, 'of %d')", i);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(receive_frame(fds[i], body, sizeof body, &len), WIRE_OP_RESULT);
    for (int i = 0; i < MANY; i++) send_query(fds[i], "SELECT a FROM k.t WHERE a = %d", i);
    for (int i = 0; i < MANY; i++) expect_row(fds[i], i);
    for (int i = 0; i < MANY; i++) close(fds[i]);
    while (stats_of(&all).connections > 1) poll(NULL, 0, 1);
    run(c, "SELECT key FROM system.local");
    assert_int_equal(stats_of(&all).overloaded, 0);
    free(fds);
    client_free(c);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(thousands_of_connections_are_answered),
};

RUN_TESTS()
