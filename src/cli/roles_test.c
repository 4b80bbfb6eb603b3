// SPDX-License-Identifier: MIT
/* The files of tests/roles, whose statements are sent by several roles: through a server that asks for passwords, and Corm's own
 * driver. CORM_GOLDEN=PATH: only the files whose path holds PATH. */
#include "cli/golden.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "corm/server.h"
#include "engine/engine.h"
#include "session/door.h"
#include "testing/check.h"

enum { MOST_ROLES = 16 };

static corm_error err;

/* One store and its server, for one file; sessions by role. */
typedef struct world {
    corm_session *own;
    corm_server  *server;
    uint32_t      count;
    char          names[MOST_ROLES][32];
    corm_session *sessions[MOST_ROLES];
} world;

static void open_world(world *w) {
    corm_server_options options = { .port = CORM_ANY_PORT, .default_user = true };
    *w = (world){ .count = 0 };
    assert_ok(corm_session_open(&w->own, "corm::memory:", NULL, &err), err);
    engine__set_password_cost(session__store(w->own), 4);
    assert_ok(corm_server_start(&w->server, w->own, &options, &err), err);
}

static void close_world(world *w) {
    for (uint32_t i = 0; i < w->count; i++) corm_session_close(w->sessions[i]);
    corm_server_stop(w->server);
    corm_session_close(w->own);
}

static corm_session *log_in(world *w, const char *name) {
    char                       uri[160];
    corm_session              *session = NULL;
    const corm_cluster_options cluster = { .no_client_timestamps = true };
    const corm_session_options options = { .cluster = &cluster };
    snprintf(uri, sizeof uri, "cassandra://%s:%s@127.0.0.1:%u", name, name,
             corm_server_port(w->server));
    assert_ok(corm_session_open(&session, uri, &options, &err), err);
    return session;
}

static corm_session *session_of(void *context, corm_str role) {
    world *w = context;
    char   name[32] = "cassandra";
    if (role.len > 0) snprintf(name, sizeof name, "%.*s", (int)role.len, role.data);
    for (uint32_t i = 0; i < w->count; i++)
        if (strcmp(w->names[i], name) == 0) return w->sessions[i];
    assert_true(w->count < MOST_ROLES);
    corm_session *session = log_in(w, name);
    if (role.len > 0) assert_ok(corm_execute(session, "USE golden", NULL, { .error = &err }), err);
    memcpy(w->names[w->count], name, sizeof name);
    w->sessions[w->count++] = session;
    return session;
}

static base_buf read_file(const char *path) {
    base_buf text = { 0 };
    FILE    *file = fopen(path, "rb");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) base__buf_u8(&text, (uint8_t)c);
    fclose(file);
    return text;
}

typedef struct totals {
    uint32_t files, statements, differences;
    base_buf exceptions;
} totals;

static void check_file(const char *path, totals *sum) {
    world      w;
    base_buf   text = read_file(path), report = { 0 };
    corm_error error = { 0 };
    open_world(&w);
    corm_status status = cli__golden_check_as(session_of, &w, base__buf_str(&text),
                                              corm_str_of(path), base__buf_str(&sum->exceptions),
                                              &report, &sum->differences, &sum->statements, &error);
    if (status != CORM_OK) {
        printf("%s: %s\n", path, error.message);
        sum->differences++;
    }
    printf("%.*s", (int)report.len, report.data ? (const char *)report.data : "");
    sum->files++;
    close_world(&w);
    base__buf_free(&text);
    base__buf_free(&report);
}

static bool is_wanted(const char *path) {
    const char *only = getenv("CORM_GOLDEN");
    size_t      len = strlen(path);
    return len > 4 && strcmp(path + len - 4, ".cql") == 0 && (!only || strstr(path, only));
}

static void roles_are_answered_as_cassandra_answers_them(void **state) {
    (void)state;
    struct dirent **entries;
    const char     *root = CORM_SOURCE_DIR "/tests/roles";
    totals          sum = { .exceptions = read_file(CORM_SOURCE_DIR "/tests/roles/exceptions") };
    int             count = scandir(root, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", root, entries[i]->d_name);
        if (is_wanted(path)) check_file(path, &sum);
        free(entries[i]);
    }
    free(entries);
    base__buf_free(&sum.exceptions);
    printf("%u files, %u statements, %u differ\n", sum.files, sum.statements, sum.differences);
    assert_true(sum.statements > 0);
    assert_int_equal(sum.differences, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_are_answered_as_cassandra_answers_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
