// SPDX-License-Identifier: MIT
/* execute.c -- CQL texts with or without values. A text without values goes to the door as it is;
 * one with values is prepared through the session's cache, because only its markers' types say what
 * the values become. */
#include "base/fail.h"
#include "session/core.h"

static corm_status ask(corm_session *session, const session_request *request, corm_result *result,
                       corm_error *err) {
    session_door *door = session->door;
    CORM_TRY(door->ops->execute(door, request->keyspace, &request->wire, &result->answer, err));
    return session__note_answer(session, &result->answer, err);
}

corm_status session__call(corm_session *session, const session_request *request, corm_result **out,
                          corm_error *err) {
    if (out) *out = NULL;
    CORM_TRY(session__check_open(session, err));
    corm_result *result = session__result_new(session);
    if (!result) return base__fail_memory(err);
    corm_status status = ask(session, request, result, err);
    if (status == CORM_OK && out) status = session__result_read(result, request, err);
    if (status == CORM_OK && out) {
        *out = result;
    } else {
        corm_result_free(result);
    }
    return status;
}

/* Fills in what the options say. Without values the request is complete. */
static corm_status make_request(const corm_session *session, corm_str text,
                                const corm_execute_options *options, session_request *request,
                                session_values *values, corm_error *err) {
    if (!text.data) return base__fail(err, CORM_INVALID_ARGUMENT, "the statement is NULL");
    CORM_TRY(session__values_of(options, values, err));
    request->wire.kind = WIRE_QUERY;
    request->wire.text = text;
    return session__request_options(session, options ? &options->request : NULL, request, err);
}

static bool has_values(const session_values *values) {
    return values->count > 0 || values->named_count > 0;
}

static corm_status execute(corm_session *session, corm_str text,
                           const corm_execute_options *options, corm_result **out,
                           corm_error *err) {
    session_request request = { 0 };
    session_values  values = { 0 };
    CORM_TRY(session__check_open(session, err));
    corm_status status = make_request(session, text, options, &request, &values, err);
    if (status == CORM_OK && has_values(&values)) {
        status = session__request_bind(session, &request, text, &values, err);
    }
    if (status == CORM_OK) status = session__call(session, &request, out, err);
    session__request_clear(&request);
    return status;
}

corm_status corm_execute_with(corm_session *session, const char *cql,
                              const corm_execute_options *options, corm_result **out) {
    if (out) *out = NULL;
    corm_error *err = options ? options->error : NULL;
    return execute(session, corm_str_of(cql), options, out, err);
}

/* The task's request with copies of all that the caller gave. */
static corm_status fill_task(corm_task *task, const session_request *given,
                             const session_values *values, corm_error *err) {
    session_request *request = session__task_request(task);
    CORM_TRY(session__request_copy(given, request, err));
    if (!has_values(values)) return CORM_OK;
    session_values copies;
    CORM_TRY(session__values_copy(values, &request->arena, &copies, err));
    session__task_bind_later(task, request->wire.text, &copies);
    return CORM_OK;
}

corm_task *corm_execute_async(corm_session *session, const char *cql,
                              const corm_execute_options *options, corm_task_callback callback,
                              void *context) {
    corm_task *task = session__task_new(session, callback, context);
    if (!task) return NULL;
    session_request given = { 0 };
    session_values  values = { 0 };
    corm_error      err = { 0 };
    corm_str        text = corm_str_of(cql);
    corm_status     status = make_request(session, text, options, &given, &values, &err);
    if (status == CORM_OK) status = fill_task(task, &given, &values, &err);
    session__request_drop(&given);
    if (status == CORM_NO_MEMORY) {
        session__task_discard(task);
        return NULL;
    }
    if (status != CORM_OK) {
        session__task_fail(task, status, &err);
    } else {
        session__task_start(task, true);
    }
    return task;
}
