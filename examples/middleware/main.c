// SPDX-License-Identifier: MIT
/* Middleware around every request: a cache of answers, a log, and rules: docs/middleware.md. */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>

static corm_error err;

static void must(corm_status status) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s\n", corm_status_name(status), err.message);
    exit(1);
}

/* ---- a cache with one place ---- */

typedef struct cache {
    uint8_t key[32];
    uint8_t answer[4096];
    size_t  len;
    int     hits;
} cache;

static bool is_read(const corm_request *request) {
    corm_statement_info info;
    return request->kind == CORM_REQUEST_EXECUTE && corm_request_statement(request, 0, &info) &&
           info.statement_class == CORM_STATEMENT_SELECT;
}

static corm_status look_up(corm_request *request, void *context, corm_error *error) {
    cache  *c = context;
    uint8_t key[32];
    if (!is_read(request)) return CORM_OK;
    corm_status status = corm_request_key(request, key, error);
    if (status != CORM_OK || c->len == 0 || memcmp(key, c->key, 32) != 0) return status;
    c->hits++;
    return corm_request_answer_with(request, (corm_bytes){ c->answer, c->len }, error);
}

static void keep(corm_request *request, void *context) {
    cache     *c = context;
    corm_error unused;
    corm_bytes answer = corm_request_answer(request);
    if (!is_read(request) || answer.len == 0 || answer.len > sizeof c->answer) return;
    if (corm_request_key(request, c->key, &unused) != CORM_OK) return;
    memcpy(c->answer, answer.data, answer.len);
    c->len = answer.len;
}

/* Without what differs from run to run. */
static void print(void *context, const char *line) {
    const char *statement = strstr(line, " SELECT");
    (void)context;
    if (!statement) statement = strstr(line, " INSERT");
    if (statement) printf("log:%s\n", statement);
}

int main(void) {
    cache              c = { .hits = 0 };
    corm_log_options   log = { .write = print, .values = true, .masked = { "users.email" } };
    corm_guard_options rules = { .no_filtering = true, .refused = CORM_STATEMENT_TRUNCATE };
    corm_middleware    list[] = {
           corm_correlation_middleware(NULL),
           corm_log_middleware(&log),
           corm_guard_middleware(&rules),
           { .name = "cache", .begin = look_up, .end = keep, .context = &c },
           { 0 },
    };
    corm_session        *session;
    corm_session_options options = { .keyspace = "shop",
                                     .create_keyspace = true,
                                     .middleware = list };
    must(corm_session_open(&session, "corm::memory:", &options, &err));
    must(corm_execute(session, "CREATE TABLE users (id int PRIMARY KEY, email text)", NULL,
                      { .error = &err }));
    must(corm_execute(session, "INSERT INTO users (id, email) VALUES (?, ?)", NULL,
                      { .values = { corm_v(1), corm_v("ada@example.org") }, .error = &err }));
    for (int i = 0; i < 3; i++) {
        must(corm_execute(session, "SELECT email FROM users WHERE id = ?", NULL,
                          { .values = { corm_v(1) }, .error = &err }));
    }
    printf("answered by the cache: %d\n", c.hits);
    corm_status status = corm_execute(
        session, "SELECT * FROM users WHERE email = 'x' ALLOW FILTERING", NULL, { .error = &err });
    printf("%s: %s\n", corm_status_name(status), err.message);
    corm_session_close(session);
    return c.hits == 2 && status == CORM_UNAUTHORIZED ? 0 : 1;
}
