// SPDX-License-Identifier: MIT
/* soak_test.c -- `corm serve` under mixed load from several clients of which some go in the middle, for SOAK_SECONDS (20): every
 * answer is right, no request fails, and the server's own memory does not grow.
 *
 *   Corm's driver   threads that write, read back, count, delete, batch, make conditions and pages; each now and then closes its
 *                   session with requests under way and opens another
 *   raw sockets     connections that end in a handshake, in a frame, with answers not taken, or in noise
 *   other clients   from 300 seconds on: tests/clients/run python, again and again; build/bench-peers' peer-scylla when it is built
 *
 * By hand, for half an hour:  SOAK_SECONDS=1800 CORM=build/dev/bin/corm build/dev/tests/tests_server_soak_test */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corm/session.h"
#include "testing/check.h"

enum {
    WRITERS = 2,
    KEYS = 400,
    CLUSTERED = 20,
    ASYNC = 50,
    OTHERS_FROM_S = 300,
    MAY_GROW_KB = 8 * 1024
};

/* Which keeps what was freed for a while. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER true
#else
#define HAS_SANITIZER false
#endif

static pid_t       server;
static char        uri[64], port_text[16];
static uint16_t    port;
static int64_t     end_ns;
static atomic_bool ended;
static atomic_uint requests, dropped;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool goes_on(void) {
    return !atomic_load(&ended) && now_ns() < end_ns;
}

static _Noreturn void stop_with(const char *what, const corm_error *err) {
    fprintf(stderr, "soak: %s: %s\n", what, err ? err->message : "");
    kill(server, SIGKILL);
    _exit(1);
}

static void must(corm_status status, const char *what, const corm_error *err) {
    atomic_fetch_add(&requests, 1);
    if (status != CORM_OK) stop_with(what, err);
}

/* ---- the server ---- */

static void start_server(void) {
    int         out[2];
    char        line[64] = "";
    const char *corm = getenv("CORM");
    if (!corm || access(corm, X_OK) != 0) {
        puts("skipped: the command is not built");
        exit(77);
    }
    assert_int_equal(pipe(out), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        execl(corm, corm, "serve", "store", "--port", "-1", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *lines = fdopen(out[0], "r");
    assert_non_null(fgets(line, sizeof line, lines));
    fclose(lines);
    line[strcspn(line, "\n")] = '\0';
    snprintf(uri, sizeof uri, "%s", line);
    port = (uint16_t)atoi(strrchr(uri, ':') + 1);
    snprintf(port_text, sizeof port_text, "%u", port);
}

/* What the server has that is of no file. */
static long own_memory_kb(void) {
    char  path[64], line[200];
    long  kb = -1;
    FILE *file;
    snprintf(path, sizeof path, "/proc/%d/status", (int)server);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %ld", &kb) == 1) break;
    fclose(file);
    assert_true(kb >= 0);
    return kb;
}

/* ---- Corm's driver ---- */

static corm_session *open_session(void) {
    corm_session *session = NULL;
    corm_error    err;
    must(corm_session_open(&session, uri, NULL, &err), "opening", &err);
    return session;
}

static void run(corm_session *session, const char *cql) {
    corm_error err;
    must(corm_execute(session, cql, NULL, { .error = &err }), cql, &err);
}

static void make_tables(void) {
    corm_session *session = open_session();
    run(session, "CREATE KEYSPACE bench WITH replication = {'class': 'SimpleStrategy', "
                 "'replication_factor': 1}");
    run(session, "CREATE TABLE bench.benchtab (pk bigint PRIMARY KEY, v1 bigint, v2 bigint)");
    run(session, "CREATE TABLE bench.soak (k int, c int, v text, n int, PRIMARY KEY (k, c))");
    run(session, "CREATE INDEX ON bench.soak (n)");
    corm_session_close(session);
}

/* What one thread writes nobody else does, so that it knows what must be there. */
typedef struct writer {
    pthread_t     thread;
    int32_t       first; /* of its keys */
    uint32_t      random;
    corm_session *session;
    int32_t       written[KEYS]; /* the number behind the value of (key, 0); 0: not there */
} writer;

static uint32_t any(writer *self, uint32_t below) {
    self->random = self->random * 1664525u + 1013904223u;
    return (self->random >> 8) % below;
}

static corm_str text_of(int32_t number, char out[32]) {
    snprintf(out, 32, "value %d", number);
    return corm_str_of(out);
}

static void write_one(writer *self, uint32_t key) {
    char       text[32];
    corm_error err;
    int32_t    number = (int32_t)any(self, 1000000) + 1;
    must(corm_execute(self->session, "INSERT INTO bench.soak (k, c, v, n) VALUES (?, 0, ?, ?)",
                      NULL,
                      { .values = { corm_v(self->first + (int32_t)key),
                                    corm_v(text_of(number, text)), corm_v(number % 100) },
                        .error = &err }),
         "insert", &err);
    self->written[key] = number;
}

static void read_one(writer *self, uint32_t key) {
    char         text[32];
    corm_error   err;
    corm_result *result;
    must(corm_execute(self->session, "SELECT v FROM bench.soak WHERE k = ? AND c = 0", &result,
                      { .values = { corm_v(self->first + (int32_t)key) }, .error = &err }),
         "select", &err);
    const corm_row *row = corm_result_next(result);
    corm_str        wanted = text_of(self->written[key], text);
    if ((row != NULL) != (self->written[key] != 0) ||
        (row && !corm_str_equal(corm_row_text(row, 0), wanted)))
        stop_with("what was read is not what was written", NULL);
    corm_result_free(result);
}

static void delete_one(writer *self, uint32_t key) {
    corm_error err;
    must(corm_execute(self->session, "DELETE FROM bench.soak WHERE k = ?", NULL,
                      { .values = { corm_v(self->first + (int32_t)key) }, .error = &err }),
         "delete", &err);
    self->written[key] = 0;
}

static void insert_if_new(writer *self, uint32_t key) {
    char         text[32];
    corm_error   err;
    corm_result *result;
    int32_t      number = (int32_t)any(self, 1000000) + 1;
    must(corm_execute(
             self->session, "INSERT INTO bench.soak (k, c, v, n) VALUES (?, 0, ?, 1) IF NOT EXISTS",
             &result,
             { .values = { corm_v(self->first + (int32_t)key), corm_v(text_of(number, text)) },
               .error = &err }),
         "condition", &err);
    bool applied = corm_row_bool(corm_result_next(result), 0);
    if (applied != (self->written[key] == 0)) stop_with("a condition is wrong", NULL);
    if (applied) self->written[key] = number;
    corm_result_free(result);
}

static uint32_t count_in_pages(writer *self, int32_t key) {
    uint8_t    state[512];
    corm_bytes at = { NULL, 0 };
    uint32_t   rows = 0;
    do {
        corm_result *result;
        corm_error   err;
        must(corm_execute(self->session, "SELECT c FROM bench.soak WHERE k = ?", &result,
                          { .values = { corm_v(key) },
                            .request = { .page_size = 7, .paging_state = at },
                            .error = &err }),
             "a page", &err);
        while (corm_result_next(result)) rows++;
        at = corm_result_paging_state(result);
        if (at.len > sizeof state) stop_with("a paging state is long", NULL);
        if (at.len > 0) memcpy(state, at.data, at.len);
        at.data = at.len > 0 ? state : NULL;
        corm_result_free(result);
    } while (at.len > 0);
    return rows;
}

/* A partition of several rows by a batch, counted in small pages, and gone again. */
static void batch_and_pages(writer *self) {
    char       text[2000] = "BEGIN UNLOGGED BATCH ";
    size_t     len = strlen(text);
    int32_t    key = self->first + KEYS;
    uint32_t   rows;
    corm_error err;
    for (int i = 0; i < CLUSTERED; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "INSERT INTO bench.soak (k, c, v) VALUES (%d, %d, 'x'); ", key, i);
    snprintf(text + len, sizeof text - len, "APPLY BATCH");
    run(self->session, text);
    rows = count_in_pages(self, key);
    if (rows != CLUSTERED) stop_with("pages lack rows", NULL);
    must(corm_execute(self->session, "DELETE FROM bench.soak WHERE k = ? AND c >= 0", NULL,
                      { .values = { corm_v(key) }, .error = &err }),
         "range deletion", &err);
}

static void forget(void *context, corm_status status, corm_result *result, const corm_error *err) {
    (void)context, (void)err;
    corm_result_free(result);
    atomic_fetch_add(status == CORM_OK ? &requests : &dropped, 1);
}

/* Closes the session with requests under way: what becomes of those is not asked. */
static void go_in_the_middle(writer *self) {
    for (int i = 0; i < ASYNC; i++)
        corm_task_free(corm_execute_async(self->session, "SELECT * FROM bench.soak WHERE n = 7",
                                          &(corm_execute_options){ .request = { .page_size = 50 } },
                                          forget, NULL));
    corm_session_close(self->session);
    self->session = open_session();
}

static void *write_and_read(void *context) {
    writer *self = context;
    self->session = open_session();
    while (goes_on()) {
        uint32_t key = any(self, KEYS), what = any(self, 1000);
        if (what < 400)
            write_one(self, key);
        else if (what < 850)
            read_one(self, key);
        else if (what < 900)
            delete_one(self, key);
        else if (what < 960)
            insert_if_new(self, key);
        else if (what < 995)
            batch_and_pages(self);
        else
            go_in_the_middle(self);
    }
    corm_session_close(self->session);
    return NULL;
}

/* ---- raw sockets ---- */

static const uint8_t startup[] = "\4\0\0\1\1\0\0\0\x16\0\1\0\x0b"
                                 "CQL_VERSION\0\5"
                                 "3.0.0";
static const uint8_t query[] = "\4\0\0\2\7\0\0\0\x2d\0\0\0\x26"
                               "SELECT * FROM bench.soak WHERE n = 7  "
                               "\0\1\0";

static void go_away(writer *self, uint32_t how) {
    uint8_t            noise[64];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        stop_with("a socket is not let in", NULL);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)any(self, 256);
    if (how > 0) (void)!send(fd, startup, sizeof startup - 1, MSG_NOSIGNAL);
    for (int i = 0; how > 1 && i < 30; i++) (void)!send(fd, query, sizeof query - 1, MSG_NOSIGNAL);
    if (how == 3) (void)!send(fd, query, 20, MSG_NOSIGNAL);
    if (how == 4) (void)!send(fd, noise, sizeof noise, MSG_NOSIGNAL);
    close(fd);
}

static void *come_and_go(void *context) {
    writer         *self = context;
    struct timespec pause = { .tv_nsec = 5000000 };
    while (goes_on()) {
        go_away(self, any(self, 5));
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* ---- other clients ---- */

static int wait_for(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int run_program(char *const *argv) {
    pid_t pid = fork();
    if (pid == 0) {
        setenv("CORM_TEST_URI", uri, 1);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(77);
    }
    return pid < 0 ? 77 : wait_for(pid);
}

/* Again and again; 77: it cannot be had. */
static void *run_another(void *context) {
    while (goes_on()) {
        int code = run_program(context);
        if (code == 77) break;
        if (code != 0) stop_with(((char **)context)[0], NULL);
        atomic_fetch_add(&requests, 1);
    }
    return NULL;
}

/* ---- all of it ---- */

static void wait_until(int64_t when_ns) {
    struct timespec pause = { .tv_nsec = 50000000 };
    while (now_ns() < when_ns) nanosleep(&pause, NULL);
}

static uint32_t start_others(pthread_t *threads, int seconds) {
    static char run_client[] = CORM_SOURCE_DIR "/tests/clients/run";
    static char peer_path[] =
        CORM_SOURCE_DIR "/build/bench-peers/scylla/target/release/peer-scylla";
    static char *python[] = { run_client, "python", NULL };
    static char *peer[] = {
        peer_path, "127.0.0.1", port_text, "insert", "16", "100", "20000", NULL
    };
    uint32_t count = 0;
    if (seconds < OTHERS_FROM_S) return 0;
    assert_int_equal(pthread_create(&threads[count++], NULL, run_another, python), 0);
    if (access(peer[0], X_OK) == 0)
        assert_int_equal(pthread_create(&threads[count++], NULL, run_another, peer), 0);
    return count;
}

static void mixed_load_with_disconnects_neither_fails_nor_grows(void **state) {
    (void)state;
    static writer writers[WRITERS + 1];
    pthread_t     others[2];
    const char   *text = getenv("SOAK_SECONDS");
    int           seconds = text ? atoi(text) : 20;
    start_server();
    make_tables();
    int64_t begun = now_ns();
    end_ns = begun + (int64_t)seconds * 1000000000;
    for (int i = 0; i <= WRITERS; i++) {
        writers[i].first = i * 10000;
        writers[i].random = (uint32_t)i + 1;
        assert_int_equal(pthread_create(&writers[i].thread, NULL,
                                        i < WRITERS ? write_and_read : come_and_go, &writers[i]),
                         0);
    }
    uint32_t count = start_others(others, seconds);
    wait_until(begun + (end_ns - begun) / 3);
    long early = own_memory_kb();
    wait_until(end_ns);
    long late = own_memory_kb();
    for (int i = 0; i <= WRITERS; i++) pthread_join(writers[i].thread, NULL);
    for (uint32_t i = 0; i < count; i++) pthread_join(others[i], NULL);
    printf(
        "soak: %u requests in %d s, %u dropped with their session; the server's own memory: %ld kB "
        "after a third, %ld kB at the end\n",
        atomic_load(&requests), seconds, atomic_load(&dropped), early, late);
    kill(server, SIGTERM);
    assert_int_equal(wait_for(server), 0);
    if (!HAS_SANITIZER) assert_true(late - early < MAY_GROW_KB);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(mixed_load_with_disconnects_neither_fails_nor_grows),
};

RUN_TESTS()
