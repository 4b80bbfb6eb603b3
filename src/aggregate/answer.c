// SPDX-License-Identifier: MIT
/* answer.c -- batches as the body of a result, as a server would have sent it: so everything that reads results reads these.
 * Thread: one at a time. */
#include "aggregate/pipeline.h"

corm_status agg__answer_columns(base_arena *arena, const agg_scope *scope, corm_str keyspace,
                                corm_str table, agg_answer *out, corm_error *err) {
    *out = (agg_answer){ .count = scope->count };
    out->columns = BASE_NEW_ARRAY(arena, cql_result_column, scope->count + 1);
    if (!out->columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < scope->count; i++)
        out->columns[i] =
            (cql_result_column){ keyspace, table, scope->fields[i].name, scope->fields[i].type };
    return CORM_OK;
}

void agg__answer_begin(agg_answer *answer) {
    wire__rows_begin(&answer->writer, &answer->answer.body, answer->columns, answer->count, false,
                     WIRE_VERSION);
}

void agg__answer_add(agg_answer *answer, const agg_batch *batch) {
    for (uint32_t row = 0; row < batch->count; row++) {
        for (uint32_t i = 0; i < batch->column_count; i++)
            agg__put_cell(&batch->columns[i], row, &answer->answer.body);
        wire__row_done(&answer->writer);
    }
}

corm_status agg__answer_end(agg_answer *answer, corm_session *session, corm_result **out,
                            corm_error *err) {
    session_request nothing = { 0 };
    *out = NULL;
    CORM_TRY(base__buf_status(&answer->answer.body, err));
    wire__rows_end(&answer->writer, (corm_bytes){ NULL, 0 });
    corm_result *result = session__result_new(session);
    if (!result) return base__fail_memory(err);
    wire__answer_free(&result->answer);
    result->answer = answer->answer;
    answer->answer = (wire_answer){ 0 };
    corm_status status = session__result_read(result, &nothing, err);
    if (status == CORM_OK) {
        *out = result;
    } else {
        corm_result_free(result);
    }
    return status;
}

void agg__answer_free(agg_answer *answer) {
    wire__answer_free(&answer->answer);
}
