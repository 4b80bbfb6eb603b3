// SPDX-License-Identifier: MIT
/* statement.c -- a prepared statement with values. Each marker has a buffer of its own that is used
 * again by the next value, so that a statement that runs many times allocates nothing for them.
 *
 * One thread at a time. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/core.h"
#include "session/statement.h"

corm_statement *corm_statement_new(corm_prepared *prepared) {
    uint32_t        count = prepared->marker_count;
    corm_statement *statement = calloc(1, sizeof *statement);
    if (!statement) return NULL;
    statement->prepared = session__prepared_ref(prepared);
    statement->values = calloc(count > 0 ? count : 1, sizeof *statement->values);
    statement->bytes = calloc(count > 0 ? count : 1, sizeof *statement->bytes);
    if (!statement->values || !statement->bytes) {
        corm_statement_free(statement);
        return NULL;
    }
    corm_statement_reset(statement);
    return statement;
}

void corm_statement_free(corm_statement *statement) {
    if (!statement) return;
    uint32_t count = statement->bytes ? statement->prepared->marker_count : 0;
    for (uint32_t i = 0; i < count; i++) base__buf_free(&statement->bytes[i]);
    base__buf_free(&statement->paging_state);
    free(statement->bytes);
    free(statement->values);
    corm_prepared_free(statement->prepared);
    free(statement);
}

void corm_statement_reset(corm_statement *statement) {
    for (uint32_t i = 0; i < statement->prepared->marker_count; i++) {
        statement->values[i] = CQL_UNSET;
    }
    statement->options = (corm_request_options){ 0 };
}

static corm_status check_index(const corm_statement *statement, uint32_t index, corm_error *err) {
    uint32_t count = statement->prepared->marker_count;
    if (index < count) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "the statement has %u markers, none at %u", count,
                      index);
}

/* On failure the marker is unset. */
static corm_status bind(corm_statement *statement, uint32_t index, const corm_value *value,
                        corm_error *err) {
    base_buf *bytes = &statement->bytes[index];
    int32_t   len;
    base__buf_clear(bytes);
    statement->values[index] = CQL_UNSET;
    CORM_TRY(session__encode_marker(statement->prepared, index, value, bytes, &len, err));
    statement->values[index] = (cql_value){ bytes->data, len };
    return CORM_OK;
}

/* The most frequent values, whole numbers for columns of just that type, without the long way. False: it is none. */
static bool bind_whole(corm_statement *statement, uint32_t index, const corm_value *value) {
    const cql_type *type = statement->prepared->markers[index].type;
    base_buf       *bytes = &statement->bytes[index];
    if (bytes->cap < 8) return false; /* the first time */
    if (value->kind == CORM_BIGINT && type->id == CQL_BIGINT) {
        base__store_u64(bytes->data, (uint64_t)value->as.i64);
        statement->values[index] = (cql_value){ bytes->data, 8 };
        return true;
    }
    if (value->kind != CORM_INT || type->id != CQL_INT) return false;
    base__store_u32(bytes->data, (uint32_t)value->as.i32);
    statement->values[index] = (cql_value){ bytes->data, 4 };
    return true;
}

corm_status corm_statement_bind(corm_statement *statement, uint32_t index, corm_value value,
                                corm_error *err) {
    CORM_TRY(check_index(statement, index, err));
    if (bind_whole(statement, index, &value)) return CORM_OK;
    return bind(statement, index, &value, err);
}

corm_status corm_statement_bind_name(corm_statement *statement, const char *name, corm_value value,
                                     corm_error *err) {
    const corm_prepared *prepared = statement->prepared;
    bool                 found = false;
    for (uint32_t i = 0; i < prepared->marker_count; i++) {
        if (!corm_str_equal(prepared->markers[i].name, corm_str_of(name))) continue;
        CORM_TRY(bind(statement, i, &value, err));
        found = true;
    }
    return found ? CORM_OK : session__no_marker(prepared, corm_str_of(name), err);
}

corm_status corm_statement_bind_bytes(corm_statement *statement, uint32_t index, corm_bytes value,
                                      corm_error *err) {
    CORM_TRY(check_index(statement, index, err));
    statement->values[index] = CQL_NULL;
    if (!value.data) return CORM_OK;
    if (value.len > INT32_MAX) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the value is longer than 2 GiB");
    }
    base_buf *bytes = &statement->bytes[index];
    base__buf_clear(bytes);
    base__buf_put(bytes, value.data, value.len);
    CORM_TRY(base__buf_status(bytes, err));
    statement->values[index] = (cql_value){ bytes->data, (int32_t)value.len };
    return CORM_OK;
}

corm_request_options *corm_statement_options(corm_statement *statement) {
    return &statement->options;
}

static corm_status make_request(const corm_statement *statement, session_request *request,
                                corm_error *err) {
    corm_prepared *prepared = statement->prepared;
    CORM_TRY(session__check_open(prepared->session, err));
    CORM_TRY(session__request_options(prepared->session, &statement->options, request, err));
    session__request_execute(request, prepared, statement->values);
    return CORM_OK;
}

corm_status corm_run(corm_statement *statement, corm_result **out, corm_error *err) {
    session_request request = { 0 };
    if (out) *out = NULL;
    corm_status status = make_request(statement, &request, err);
    if (status == CORM_OK) {
        status = session__call(statement->prepared->session, &request, out, err);
    }
    session__request_drop(&request);
    return status;
}

corm_task *corm_run_async(corm_statement *statement, corm_task_callback callback, void *context) {
    corm_prepared  *prepared = statement->prepared;
    session_request request = { 0 };
    corm_error      err; /* filled on failure: it is large */
    corm_status     status = make_request(statement, &request, &err);
    corm_task      *task = session__task_run(prepared->session, status, &request, prepared->reads,
                                             callback, context, &err);
    session__request_drop(&request);
    return task;
}
