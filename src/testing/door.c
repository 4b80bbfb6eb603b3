// SPDX-License-Identifier: MIT
/* door.c -- the scripted door. Its thread is a pool of one, so that submitted requests are answered
 * in their order; without a thread they wait in a list for turn(). */
#include "testing/door.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/pool.h"
#include "testing/check.h"

enum { MOST_COLUMNS = 32 };

struct testing_door {
    session_door        door; /* first */
    testing_handler     handler;
    void               *context;
    testing_submit      submit;
    testing_counts     *counts;
    base_pool          *pool;
    pthread_mutex_t     lock;
    pthread_cond_t      released;
    bool                held;    /* guarded by lock, as everything below */
    struct testing_job *waiting; /* submitted and not begun, the oldest first */
};

struct wire_prepared {
    atomic_uint     refs;
    testing_counts *counts;
    size_t          len;
    char            text[];
};

typedef struct testing_job testing_job;
struct testing_job {
    base_job              job; /* first */
    testing_job          *next;
    bool                  cancelled; /* guarded by the door's lock */
    testing_door         *door;
    corm_str              keyspace;
    const wire_request   *request;
    wire_answer          *answer;
    session_door_callback callback;
    void                 *context;
};

static _Thread_local testing_door *calling_back; /* whose callback is on this thread's stack */

static corm_status execute(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err) {
    testing_door *own = (testing_door *)door;
    if (request->kind == WIRE_PREPARE) atomic_fetch_add(&own->counts->prepares, 1);
    atomic_fetch_add(&own->counts->executed, 1);
    return own->handler(own->context, keyspace, request, answer, err);
}

static void answer_job(testing_job *job, bool cancelled) {
    corm_error    err = { 0 };
    testing_door *door = job->door, *outer = calling_back;
    corm_status   status =
        cancelled ? base__fail(&err, CORM_CANCELLED, "the door was told so")
                    : door->handler(door->context, job->keyspace, job->request, job->answer, &err);
    calling_back = door;
    job->callback(job->context, status, status == CORM_OK ? NULL : &err);
    calling_back = outer;
}

static void append(testing_door *door, testing_job *job) {
    pthread_mutex_lock(&door->lock);
    testing_job **link = &door->waiting;
    while (*link) link = &(*link)->next;
    *link = job;
    pthread_mutex_unlock(&door->lock);
}

/* Under the lock. */
static void take_out(testing_door *door, testing_job *job) {
    testing_job **link = &door->waiting;
    while (*link != job) link = &(*link)->next;
    *link = job->next;
}

static void run_job(base_job *base) {
    testing_job  *job = (testing_job *)base;
    testing_door *door = job->door;
    pthread_mutex_lock(&door->lock);
    while (door->held && !job->cancelled) pthread_cond_wait(&door->released, &door->lock);
    bool cancelled = job->cancelled;
    take_out(door, job);
    pthread_mutex_unlock(&door->lock);
    answer_job(job, cancelled);
    free(job);
}

static void submit(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context) {
    testing_door *own = (testing_door *)door;
    testing_job   job = { { run_job, NULL }, NULL,   false,    own,    keyspace,
                          request,           answer, callback, context };
    if (request->kind == WIRE_PREPARE) atomic_fetch_add(&own->counts->prepares, 1);
    atomic_fetch_add(&own->counts->submitted, 1);
    if (own->submit == TESTING_AT_ONCE) {
        answer_job(&job, false);
        return;
    }
    testing_job *copy = malloc(sizeof *copy);
    assert_non_null(copy);
    *copy = job;
    corm_error err;
    append(own, copy);
    if (own->submit == TESTING_TURNED) return;
    assert_ok(base__pool_submit(own->pool, &copy->job, &err), err);
}

static void turn(session_door *door) {
    testing_door *own = (testing_door *)door;
    atomic_fetch_add(&own->counts->turned, 1);
    if (own->waiting && (!own->held || own->waiting->cancelled)) run_job(&own->waiting->job);
}

static bool in_callback(session_door *door) {
    return calling_back == (testing_door *)door;
}

static void cancel(session_door *door, void *context) {
    testing_door *own = (testing_door *)door;
    pthread_mutex_lock(&own->lock);
    for (testing_job *job = own->waiting; job; job = job->next) {
        if (job->context == context) job->cancelled = true;
    }
    pthread_cond_broadcast(&own->released);
    pthread_mutex_unlock(&own->lock);
}

static const wire_prepared *prepared_ref(const wire_prepared *prepared) {
    wire_prepared *own = (wire_prepared *)(uintptr_t)prepared;
    atomic_fetch_add(&own->refs, 1);
    return prepared;
}

static void prepared_unref(const wire_prepared *prepared) {
    wire_prepared *own = (wire_prepared *)(uintptr_t)prepared;
    if (atomic_fetch_sub(&own->refs, 1) != 1) return;
    atomic_fetch_sub(&own->counts->statements, 1);
    free(own);
}

static void close_door(session_door *door) {
    testing_door *own = (testing_door *)door;
    base__pool_free(own->pool);
    pthread_cond_destroy(&own->released);
    pthread_mutex_destroy(&own->lock);
    atomic_fetch_add(&own->counts->closed, 1);
    free(own);
}

#define COMMON                                                                                     \
    .execute = execute, .submit = submit, .prepared_ref = prepared_ref,                            \
    .prepared_unref = prepared_unref, .close = close_door

static const session_door_ops synchronous = { COMMON };
static const session_door_ops asynchronous = { COMMON, .asynchronous = true,
                                               .in_callback = in_callback, .cancel = cancel };
static const session_door_ops turned = { COMMON, .asynchronous = true, .in_callback = in_callback,
                                         .cancel = cancel, .turn = turn };

static const session_door_ops *const ops_of[] = {
    [TESTING_AT_ONCE] = &synchronous,
    [TESTING_ON_OWN_THREAD] = &synchronous,
    [TESTING_ASYNCHRONOUS] = &asynchronous,
    [TESTING_TURNED] = &turned,
};

testing_door *testing__door_new(testing_handler handler, void *context, testing_submit how,
                                testing_counts *counts) {
    testing_door *door = calloc(1, sizeof *door);
    corm_error    err;
    assert_non_null(door);
    door->door.ops = ops_of[how];
    door->handler = handler;
    door->context = context;
    door->submit = how;
    door->counts = counts;
    assert_ok(base__pool_new(1, &door->pool, &err), err);
    pthread_mutex_init(&door->lock, NULL);
    pthread_cond_init(&door->released, NULL);
    return door;
}

session_door *testing__door(testing_door *door) {
    return &door->door;
}

static void set_held(testing_door *door, bool held) {
    pthread_mutex_lock(&door->lock);
    door->held = held;
    pthread_cond_broadcast(&door->released);
    pthread_mutex_unlock(&door->lock);
}

void testing__door_hold(testing_door *door) {
    set_held(door, true);
}

void testing__door_release(testing_door *door) {
    set_held(door, false);
}

corm_session *testing__session(testing_handler handler, void *context, testing_counts *counts) {
    corm_session *session = NULL;
    corm_error    err;
    testing_door *door = testing__door_new(handler, context, TESTING_AT_ONCE, counts);
    assert_ok(session__open_door(&door->door, NULL, &session, &err), err);
    return session;
}

uint32_t testing__columns(base_arena *arena, const char *const *columns, cql_result_column *out) {
    uint32_t count = 0;
    for (; columns && columns[count]; count++) {
        const char *space = strchr(columns[count], ' ');
        corm_error  err;
        assert_non_null(space);
        assert_true(count < MOST_COLUMNS);
        out[count] =
            (cql_result_column){ .keyspace = corm_str_of("shop"), .table = corm_str_of("users") };
        out[count].name = (corm_str){ columns[count], (size_t)(space - columns[count]) };
        assert_ok(cql__type_parse(arena, corm_str_of(space + 1), NULL, &out[count].type, &err),
                  err);
    }
    return count;
}

static const wire_prepared *new_statement(testing_counts *counts, corm_str text) {
    wire_prepared *prepared = malloc(sizeof *prepared + text.len);
    assert_non_null(prepared);
    atomic_init(&prepared->refs, 1);
    prepared->counts = counts;
    prepared->len = text.len;
    if (text.len > 0) memcpy(prepared->text, text.data, text.len);
    atomic_fetch_add(&counts->statements, 1);
    return prepared;
}

void testing__answer_prepared(testing_counts *counts, const wire_request *request,
                              const char *const *markers, const char *const *columns,
                              const char *metadata_id, wire_answer *answer) {
    base_arena        arena = { 0 };
    cql_result_column as_columns[MOST_COLUMNS];
    cql_result_column result[MOST_COLUMNS];
    cql_marker        as_markers[MOST_COLUMNS];
    uint32_t          marker_count = testing__columns(&arena, markers, as_columns);
    uint32_t          column_count = testing__columns(&arena, columns, result);
    for (uint32_t i = 0; i < marker_count; i++) {
        as_markers[i] = (cql_marker){ .name = as_columns[i].name,
                                      .type = as_columns[i].type,
                                      .keyspace = as_columns[i].keyspace,
                                      .table = as_columns[i].table };
    }
    corm_bytes id = { (const uint8_t *)"id", 2 };
    corm_bytes metadata = { (const uint8_t *)metadata_id, strlen(metadata_id) };
    wire__put_prepared(&answer->body, id, metadata, as_markers, marker_count, NULL, 0, result,
                       column_count, WIRE_VERSION);
    answer->prepared = new_statement(counts, request->text);
    base__arena_free(&arena);
}

static void put_cell(base_buf *body, const cql_type *type, const char *literal) {
    base_buf   bytes = { 0 };
    bool       is_null = false;
    corm_error err;
    assert_ok(cql__from_text(type, corm_str_of(literal), &bytes, &is_null, &err), err);
    cql__put_value(body, is_null ? CQL_NULL : cql__value_of(base__buf_bytes(&bytes)));
    base__buf_free(&bytes);
}

static void put_rows(const char *const *columns, const char *const *cells, bool skip_metadata,
                     const char *metadata_id, const char *state, base_buf *body) {
    base_arena        arena = { 0 };
    cql_result_column described[MOST_COLUMNS];
    uint32_t          count = testing__columns(&arena, columns, described);
    wire_rows_writer  writer;
    wire__rows_begin(&writer, body, described, count, skip_metadata, WIRE_VERSION);
    if (metadata_id) {
        corm_str id = corm_str_of(metadata_id);
        wire__rows_changed(&writer, (corm_bytes){ (const uint8_t *)id.data, id.len });
    }
    for (uint32_t i = 0; count > 0 && cells && cells[i]; i++) {
        put_cell(body, described[i % count].type, cells[i]);
        if (i % count == count - 1) wire__row_done(&writer);
    }
    wire__rows_end(&writer, (corm_bytes){ (const uint8_t *)state, state ? strlen(state) : 0 });
    base__arena_free(&arena);
}

void testing__answer_rows(const wire_request *request, const char *const *columns,
                          const char *const *cells, const char *state, wire_answer *answer) {
    put_rows(columns, cells, request->options.skip_metadata, NULL, state, &answer->body);
}

void testing__answer_changed(const char *const *columns, const char *const *cells,
                             const char *metadata_id, wire_answer *answer) {
    put_rows(columns, cells, false, metadata_id, NULL, &answer->body);
}

corm_str testing__text_of(const wire_request *request) {
    if (request->kind != WIRE_EXECUTE) return request->text;
    return (corm_str){ request->prepared->text, request->prepared->len };
}
