// SPDX-License-Identifier: MIT
/* batch.c -- writes that happen together. The values of its statements are copied in when they are
 * added.
 *
 * One thread at a time. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/batch.h"
#include "session/statement.h"

enum { FIRST_CAPACITY = 16 };

corm_batch *corm_batch_new(corm_session *session, corm_batch_kind kind) {
    corm_batch *batch = calloc(1, sizeof *batch);
    if (!batch) return NULL;
    batch->session = session;
    batch->kind = kind;
    return batch;
}

static void release_held(corm_batch *batch) {
    for (uint32_t i = 0; i < batch->held_count; i++) corm_prepared_free(batch->held[i]);
    batch->held_count = 0;
}

void corm_batch_free(corm_batch *batch) {
    if (!batch) return;
    session__watches_drop(batch);
    release_held(batch);
    base__arena_free(&batch->arena);
    free(batch->items);
    free(batch->held);
    free(batch);
}

void corm_batch_clear(corm_batch *batch) {
    session__watches_drop(batch);
    release_held(batch);
    base__arena_reset(&batch->arena);
    batch->count = 0;
    batch->options = (corm_request_options){ 0 };
}

void session__batch_cut(corm_batch *batch, uint32_t count) {
    while (batch->count > count) {
        bool prepared = batch->items[--batch->count].prepared != NULL;
        if (prepared) corm_prepared_free(batch->held[--batch->held_count]);
    }
}

corm_request_options *corm_batch_options(corm_batch *batch) {
    return &batch->options;
}

uint32_t corm_batch_count(const corm_batch *batch) {
    return batch->count;
}

static corm_status make_room(corm_batch *batch, corm_error *err) {
    if (batch->count > UINT32_MAX / 4) return base__fail_memory(err);
    if (batch->count < batch->capacity) return CORM_OK;
    uint32_t         capacity = batch->capacity == 0 ? FIRST_CAPACITY : 2 * batch->capacity;
    wire_batch_item *items = realloc(batch->items, capacity * sizeof *items);
    if (!items) return base__fail_memory(err);
    batch->items = items;
    corm_prepared **held = realloc(batch->held, capacity * sizeof(void *));
    if (!held) return base__fail_memory(err);
    batch->held = held;
    batch->capacity = capacity;
    return CORM_OK;
}

/* Copies the values of an EXECUTE into the batch, and keeps its statement. */
static corm_status add_execute(corm_batch *batch, corm_prepared *prepared, const cql_value *values,
                               corm_error *err) {
    uint32_t   count = prepared->marker_count;
    cql_value *copies = session__wire_values_copy(&batch->arena, values, count);
    if (!copies) return base__fail_memory(err);
    batch->held[batch->held_count++] = session__prepared_ref(prepared);
    batch->items[batch->count++] =
        (wire_batch_item){ .prepared = prepared->wire, .value_count = count, .values = copies };
    return CORM_OK;
}

corm_status corm_batch_add(corm_batch *batch, const corm_statement *statement, corm_error *err) {
    if (statement->prepared->session != batch->session) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the statement was prepared by another session");
    }
    CORM_TRY(make_room(batch, err));
    return add_execute(batch, statement->prepared, statement->values, err);
}

static corm_status add_bound(corm_batch *batch, corm_str text, const session_values *values,
                             corm_error *err) {
    session_request request = { .keyspace = corm_str_of(corm_session_keyspace(batch->session)) };
    corm_status     status = session__request_bind(batch->session, &request, text, values, err);
    if (status == CORM_OK) {
        status = add_execute(batch, request.prepared, request.wire.values, err);
    }
    session__request_clear(&request);
    return status;
}

corm_status corm_batch_add_text(corm_batch *batch, const char *cql, const corm_value *values,
                                uint32_t count, corm_error *err) {
    if (!cql) return base__fail(err, CORM_INVALID_ARGUMENT, "the statement is NULL");
    CORM_TRY(session__check_open(batch->session, err));
    CORM_TRY(make_room(batch, err));
    if (count > 0) {
        session_values given = { .count = count, .values = values };
        return add_bound(batch, corm_str_of(cql), &given, err);
    }
    corm_str text = base__arena_str(&batch->arena, corm_str_of(cql));
    if (!text.data) return base__fail_memory(err);
    batch->items[batch->count++] = (wire_batch_item){ .text = text };
    return CORM_OK;
}

static corm_status make_request(const corm_batch *batch, session_request *request,
                                corm_error *err) {
    CORM_TRY(session__check_open(batch->session, err));
    if (batch->count > SESSION_BATCH_MOST_ITEMS) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a batch has at most %d statements; corm_batch_run_split() takes more",
                          SESSION_BATCH_MOST_ITEMS);
    }
    if (batch->kind < CORM_LOGGED || batch->kind > CORM_COUNTER_BATCH)
        return base__fail(err, CORM_INVALID_ARGUMENT, "there is no kind of batch %d",
                          (int)batch->kind);
    CORM_TRY(session__request_options(batch->session, &batch->options, request, err));
    request->wire.kind = WIRE_BATCH;
    request->wire.batch_kind = (uint8_t)batch->kind;
    request->wire.batch_count = batch->count;
    request->wire.batch = batch->items;
    request->held = batch->held;
    request->held_count = batch->held_count;
    return CORM_OK;
}

static corm_status run_once(corm_batch *batch, corm_result **out, corm_error *err) {
    session_request request = { 0 };
    corm_status     status = make_request(batch, &request, err);
    if (status == CORM_OK) status = session__call(batch->session, &request, out, err);
    session__request_drop(&request);
    return status;
}

corm_status corm_batch_run(corm_batch *batch, corm_result **out, corm_error *err) {
    session_batch_run *run;
    if (out) *out = NULL;
    CORM_TRY(session__watch_begin(batch, &run, err));
    corm_status status = run_once(batch, out, err);
    status = session__watch_end(run, true, status, err);
    if (status == CORM_OK || !out) return status;
    corm_result_free(*out);
    *out = NULL;
    return status;
}

/* Without memory for the task nothing was run. */
static corm_task *run_watched(corm_task *task, corm_status status, session_batch_run *run,
                              const session_request *request, corm_error *err) {
    if (task) {
        session__task_watch(task, run);
        task = session__task_begin(task, status, request, false, err);
    }
    if (!task) session__watch_end(run, true, CORM_NO_MEMORY, err);
    return task;
}

corm_task *corm_batch_run_async(corm_batch *batch, corm_task_callback callback, void *context) {
    session_request    request = { 0 };
    session_batch_run *run;
    corm_error         err = { 0 };
    corm_status        status = session__watch_begin(batch, &run, &err);
    if (status == CORM_OK) status = make_request(batch, &request, &err);
    corm_task *task = session__task_new(batch->session, callback, context);
    task = run_watched(task, status, run, &request, &err);
    session__request_drop(&request);
    return task;
}
