// SPDX-License-Identifier: MIT
/* session.c -- a session's life: opened over a door, used by any thread, closed when nothing is
 * under way.
 *
 * Owns the door, the pool of worker threads and the names of keyspaces. The struct outlives the
 * handle as long as a result, a task or a prepared statement points to it; after closing these find
 * `closed` set. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/core.h"

enum { DEFAULT_WORKERS = 2, DEFAULT_PAGE_SIZE = 5000 };

corm_session *session__ref(corm_session *session) {
    atomic_fetch_add_explicit(&session->refs, 1, memory_order_relaxed);
    return session;
}

void session__unref(corm_session *session) {
    if (!session || atomic_fetch_sub(&session->refs, 1) != 1) return;
    session__spares_close(session);
    base__arena_free(&session->names);
    pthread_cond_destroy(&session->idle);
    pthread_mutex_destroy(&session->lock);
    free(session);
}

corm_status session__check_open(const corm_session *session, corm_error *err) {
    if (!atomic_load_explicit(&session->closed, memory_order_acquire)) return CORM_OK;
    return base__fail(err, CORM_CLOSED, "%s", corm_status_text(CORM_CLOSED));
}

/* Under the lock. A name that was in use before is used again, so that changing to and fro costs no
 * memory. */
static const char *intern(corm_session *session, corm_str keyspace) {
    const char *now = atomic_load(&session->keyspace);
    if (corm_str_equal(corm_str_of(now), keyspace)) return now;
    const char *known = base__map_get(&session->used_keyspaces, keyspace);
    if (known) return known;
    corm_str copy = base__arena_str(&session->names, keyspace);
    if (!copy.data) return NULL;
    return base__map_put(&session->used_keyspaces, copy, (void *)(uintptr_t)copy.data) ? copy.data
                                                                                       : NULL;
}

corm_status session__use_keyspace(corm_session *session, corm_str keyspace, corm_error *err) {
    pthread_mutex_lock(&session->lock);
    const char *name = intern(session, keyspace);
    if (name) atomic_store(&session->keyspace, name);
    pthread_mutex_unlock(&session->lock);
    return name ? CORM_OK : base__fail_memory(err);
}

corm_status session__note_answer(corm_session *session, const wire_answer *answer,
                                 corm_error *err) {
    base_reader body = { answer->body.data, answer->body.len, false };
    int32_t     kind = base__read_i32(&body);
    if (kind == WIRE_SCHEMA_CHANGE) session__cache_clear(session);
    if (kind != WIRE_SET_KEYSPACE) return CORM_OK;
    base_arena  unused = { 0 };
    wire_result result;
    corm_bytes  bytes = base__buf_bytes(&answer->body);
    CORM_TRY(wire__result_read(bytes, session__answer_version(answer), &unused, &result, err));
    return session__use_keyspace(session, result.keyspace, err);
}

static corm_session *new_session(const corm_session_options *options) {
    corm_session *session = calloc(1, sizeof *session);
    if (!session) return NULL;
    atomic_init(&session->refs, 1);
    atomic_init(&session->keyspace, "");
    pthread_mutex_init(&session->lock, NULL);
    atomic_flag_clear(&session->spares.lock);
    pthread_cond_init(&session->idle, NULL);
    session->worker_threads = options->worker_threads ? options->worker_threads : DEFAULT_WORKERS;
    session->page_size = (int32_t)(options->page_size ? options->page_size : DEFAULT_PAGE_SIZE);
    session->consistency =
        options->consistency ? (wire_consistency)(options->consistency - 1) : WIRE_LOCAL_ONE;
    return session;
}

static corm_status check_options(const corm_session_options *options, corm_error *err) {
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the session options are not initialised");
    }
    if ((unsigned)options->consistency > CORM_LOCAL_ONE) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%d is not a consistency",
                          (int)options->consistency);
    }
    if (options->page_size > INT32_MAX) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a page of %u rows is too large",
                          options->page_size);
    }
    return CORM_OK;
}

static corm_status run_text(corm_session *session, base_buf *text, corm_error *err) {
    CORM_TRY(base__buf_status(text, err));
    session_request request = { .wire = { .kind = WIRE_QUERY, .text = base__buf_str(text) } };
    CORM_TRY(session__request_options(session, NULL, &request, err));
    return session__call(session, &request, NULL, err);
}

static corm_status enter_keyspace(corm_session *session, const corm_session_options *options,
                                  base_buf *text, corm_error *err) {
    if (options->create_keyspace && !options->read_only) {
        base__buf_puts(text, "CREATE KEYSPACE IF NOT EXISTS ");
        cql__put_name(text, corm_str_of(options->keyspace));
        base__buf_puts(text, " WITH replication = "
                             "{'class': 'SimpleStrategy', 'replication_factor': 1}");
        CORM_TRY(run_text(session, text, err));
        base__buf_clear(text);
    }
    base__buf_puts(text, "USE ");
    cql__put_name(text, corm_str_of(options->keyspace));
    return run_text(session, text, err);
}

static corm_status open_session(corm_session *session, const corm_session_options *options,
                                corm_error *err) {
    CORM_TRY(session__set_page_token_key(session, options, err));
    if (!session->door->ops->asynchronous) {
        CORM_TRY(base__pool_new(session->worker_threads, &session->pool, err));
    }
    if (!options->keyspace) return CORM_OK;
    base_buf    text = { 0 };
    corm_status status = enter_keyspace(session, options, &text, err);
    base__buf_free(&text);
    return status;
}

corm_status session__open_door(session_door *door, const corm_session_options *options,
                               corm_session **out, corm_error *err) {
    static const corm_session_options defaults;
    *out = NULL;
    if (!options) options = &defaults;
    corm_status   status = check_options(options, err);
    corm_session *session = status == CORM_OK ? new_session(options) : NULL;
    if (!session) {
        door->ops->close(door);
        return status == CORM_OK ? base__fail_memory(err) : status;
    }
    session->door = door;
    status = open_session(session, options, err);
    if (status != CORM_OK) {
        corm_session_close(session);
        return status;
    }
    *out = session;
    return CORM_OK;
}

/* The caller's loop must go on for requests to end; elsewhere the last one that ends wakes this thread. */
static void wait_until_idle(corm_session *session) {
    const session_door_ops *ops = session->door->ops;
    atomic_store(&session->closing, true);
    while (ops->turn && atomic_load(&session->under_way) > 0) ops->turn(session->door);
    pthread_mutex_lock(&session->lock);
    while (atomic_load(&session->under_way) > 0) {
        pthread_cond_wait(&session->idle, &session->lock);
    }
    pthread_mutex_unlock(&session->lock);
}

void corm_session_close(corm_session *session) {
    if (!session) return;
    wait_until_idle(session);
    base__pool_free(session->pool);
    session->pool = NULL;
    session__cache_clear(session);
    session__detach_prepared(session);
    atomic_store_explicit(&session->closed, true, memory_order_release);
    session->door->ops->close(session->door);
    session->door = NULL;
    base__map_free(&session->used_keyspaces);
    session__spares_close(session);
    session__unref(session);
}

const char *corm_session_keyspace(const corm_session *session) {
    return atomic_load(&session->keyspace);
}

bool session__is_cluster(const corm_session *session) {
    return session->door->ops->asynchronous;
}

cql_schema *session__schema(corm_session *session) {
    const session_door_ops *ops = session->door->ops;
    return ops->schema ? ops->schema(session->door) : NULL;
}

struct engine *session__store(const corm_session *session) {
    const session_door_ops *ops = session->door->ops;
    return ops->store ? ops->store(session->door) : NULL;
}
