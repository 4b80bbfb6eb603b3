// SPDX-License-Identifier: MIT
/* answer.c -- the engine's answers as a connection's protocol version has them, and errors with what their codes carry.
 *
 * Bodies come in version 5. Most are the same in v3 and v4; those with metadata are written anew, rows are copied as they
 * are. The loop's thread. */
#include "server/core.h"

/* ---- results ---- */

static void put_rows(base_buf *out, const wire_result *result, uint8_t version) {
    const wire_metadata *metadata = &result->metadata;
    wire_rows_writer     writer;
    wire__rows_begin(&writer, out, metadata->columns, metadata->count, false, version);
    base__buf_put(out, result->rows.data, result->rows.len);
    writer.rows = result->row_count;
    wire__rows_end(&writer, metadata->paging_state);
}

static void put_prepared(base_buf *out, const wire_result *result, uint8_t version) {
    wire__put_prepared(out, result->id, result->metadata_id, result->markers, result->marker_count,
                       result->partition_markers, result->partition_marker_count,
                       result->metadata.columns, result->metadata.count, version);
}

static bool is_the_same(const wire_result *result) {
    return result->kind != WIRE_PREPARED && (result->kind != WIRE_ROWS || result->metadata.absent);
}

static corm_status put_result(base_buf *out, corm_bytes body, uint8_t version, base_arena *arena,
                              corm_error *err) {
    wire_result result;
    CORM_TRY(wire__result_read(body, WIRE_VERSION, arena, &result, err));
    if (is_the_same(&result))
        base__buf_put(out, body.data, body.len);
    else if (result.kind == WIRE_ROWS)
        put_rows(out, &result, version);
    else
        put_prepared(out, &result, version);
    return CORM_OK;
}

/* The statement is kept for those who will execute it. */
static corm_status keep_prepared(server_call *call) {
    wire_result result;
    if (!call->answer.prepared) return CORM_OK;
    CORM_TRY(wire__result_read(base__buf_bytes(&call->answer.body), WIRE_VERSION, &call->arena,
                               &result, &call->error));
    if (server__cache_put(&call->loop->server->cache, result.id, result.metadata_id,
                          call->answer.prepared))
        return CORM_OK;
    return base__fail_memory(&call->error);
}

/* v3 knows neither warnings nor payloads. */
static const wire_answer *prefix_of(const server_call *call, wire_answer *own) {
    if (call->conn->version >= 4) return &call->answer;
    *own = (wire_answer){ .tracing_id = call->answer.tracing_id };
    return own;
}

static corm_status encode_result(server_call *call) {
    server_conn       *conn = call->conn;
    corm_bytes         body = base__buf_bytes(&call->answer.body);
    wire_answer        own;
    const wire_answer *prefix = prefix_of(call, &own);
    CORM_TRY(keep_prepared(call));
    base_buf *out = wire__encoder_begin(&conn->encoder, wire__prefix_flags(prefix), call->stream,
                                        WIRE_OP_RESULT);
    wire__put_prefix(out, prefix);
    corm_status status = CORM_OK;
    if (conn->version >= WIRE_VERSION)
        base__buf_put(out, body.data, body.len);
    else
        status = put_result(out, body, conn->version, &call->arena, &call->error);
    if (status == CORM_OK) return wire__encoder_end(&conn->encoder, &call->error);
    wire__encoder_cancel(&conn->encoder);
    return status;
}

/* ---- errors ---- */

/* Statuses that the protocol has no code for. */
static int32_t code_of(corm_status status) {
    int32_t code = corm_status_server_code(status);
    if (code >= 0) return code;
    switch (status) {
    case CORM_UNSUPPORTED:
    case CORM_INVALID_ARGUMENT:
    case CORM_CONVERSION:
    case CORM_NOT_FOUND: return corm_status_server_code(CORM_INVALID);
    case CORM_NO_MEMORY:
    case CORM_CLOSED: return corm_status_server_code(CORM_OVERLOADED);
    default: return corm_status_server_code(CORM_SERVER_ERROR);
    }
}

/* Only TWO and THREE are ever refused: the store holds every replica that there is. */
static int32_t required_by(wire_consistency level) {
    return level == WIRE_THREE ? 3 : level == WIRE_TWO ? 2 : 1;
}

static corm_status encode_error(server_call *call) {
    server_conn      *conn = call->conn;
    const corm_error *from = &call->error;
    wire_consistency  level = call->read.request.options.consistency;
    wire_error        error = {
               .code = code_of(call->status),
               .message = corm_str_of(from->message),
               .consistency = level,
               .required = required_by(level),
               .received = 1,
               .unprepared_id = call->unprepared_id,
               .keyspace = corm_str_of(from->keyspace),
               .table = corm_str_of(from->table),
    };
    wire_answer prefix = { .tracing_id = call->answer.tracing_id };
    base_buf   *out = wire__encoder_begin(&conn->encoder, wire__prefix_flags(&prefix), call->stream,
                                          WIRE_OP_ERROR);
    wire__put_prefix(out, &prefix);
    wire__put_error(out, &error, conn->version);
    return wire__encoder_end(&conn->encoder, &call->error);
}

void server__put_answer(server_call *call) {
    if (call->status == CORM_OK) call->status = encode_result(call);
    if (call->status != CORM_OK && encode_error(call) != CORM_OK) {
        server__conn_close(call->conn);
        return;
    }
    server__conn_touch(call->conn);
}
