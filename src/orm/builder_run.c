// SPDX-License-Identifier: MIT
/* builder_run.c -- builders' statements executed: for a result, for structs of a model, in a batch. One thread. */
#include "orm/builder.h"
#include "session/core.h"

corm_status corm_builder_cql(corm_builder *builder, const char **cql, corm_error *err) {
    *cql = "";
    CORM_TRY(orm__builder_end(builder, err));
    *cql = (const char *)builder->text.data;
    return CORM_OK;
}

corm_status corm_builder_values(corm_builder *builder, const corm_value **values, uint32_t *count,
                                corm_error *err) {
    *values = NULL;
    *count = 0;
    CORM_TRY(orm__builder_end(builder, err));
    *values = builder->values;
    *count = builder->value_count;
    return CORM_OK;
}

static corm_execute_options options_of(const corm_builder         *builder,
                                       const corm_request_options *request, corm_error *err) {
    corm_execute_options options = { .value_list = builder->values,
                                     .value_count = builder->value_count,
                                     .error = err };
    if (request) options.request = *request;
    return options;
}

/* What only rows of a model can hold. */
static corm_status check_locals(const corm_builder *builder, corm_error *err) {
    if (builder->local_count == 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the condition on '%s' is not CQL: corm_builder_rows holds it on the rows of "
                      "a model",
                      builder->locals[0].column);
}

corm_status corm_builder_run(corm_builder *builder, corm_session *session,
                             const corm_request_options *request, corm_result **out,
                             corm_error *err) {
    if (out) *out = NULL;
    CORM_TRY(orm__builder_end(builder, err));
    CORM_TRY(check_locals(builder, err));
    corm_execute_options options = options_of(builder, request, err);
    return corm_execute_with(session, (const char *)builder->text.data, &options, out);
}

corm_task *corm_builder_run_async(corm_builder *builder, corm_session *session,
                                  const corm_request_options *request, corm_task_callback callback,
                                  void *context) {
    corm_error  err = { 0 };
    corm_status status = orm__builder_end(builder, &err);
    if (status == CORM_OK) status = check_locals(builder, &err);
    if (status == CORM_NO_MEMORY) return NULL;
    if (status != CORM_OK) {
        corm_task *task = session__task_new(session, callback, context);
        if (task) session__task_fail(task, status, &err);
        return task;
    }
    corm_execute_options options = options_of(builder, request, NULL);
    return corm_execute_async(session, (const char *)builder->text.data, &options, callback,
                              context);
}

corm_status corm_builder_add_to(corm_builder *builder, corm_batch *batch, corm_error *err) {
    CORM_TRY(orm__builder_end(builder, err));
    if (builder->statement.kind == CQL_STMT_SELECT) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a SELECT cannot be part of a batch");
    }
    return corm_batch_add_text(batch, (const char *)builder->text.data, builder->values,
                               builder->value_count, err);
}

/* ---- rows ---- */

static corm_status find_column(const corm_result *result, corm_term *term, uint32_t *out,
                               corm_error *err) {
    int column = corm_result_column_index(result, term->column);
    if (column < 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the condition on '%s' is Corm's, and the column is not selected",
                          term->column);
    }
    *out = (uint32_t)column;
    return CORM_OK;
}

static corm_status make_filters(corm_builder *builder, const corm_result *result, corm_rows *rows,
                                corm_error *err) {
    if (builder->local_count == 0) return CORM_OK;
    if (builder->statement.as.select.per_partition_limit) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a limit of each partition counts rows before Corm's conditions hold: "
                          "use corm_find");
    }
    rows->left = builder->limit ? builder->limit : UINT64_MAX;
    rows->filters = BASE_NEW_ARRAY(&rows->kept, orm_filter, builder->local_count);
    if (!rows->filters) return base__fail_memory(err);
    for (uint32_t i = 0; i < builder->local_count; i++) {
        corm_term       *term = &builder->locals[i];
        orm_filter      *filter = &rows->filters[i];
        const orm_field *field;
        uint32_t         column = 0;
        CORM_TRY(orm__field_named(rows->model, term->column, &field, err));
        CORM_TRY(find_column(result, term, &column, err));
        CORM_TRY(orm__filter_make(field, term, &rows->kept, filter, err));
        filter->column = column;
        rows->filter_count++;
    }
    return CORM_OK;
}

static corm_status read_pages(corm_builder *builder, corm_db *db,
                              const corm_request_options *request, corm_rows *rows,
                              corm_error *err) {
    corm_execute_options options = options_of(builder, request, err);
    const char          *cql = (const char *)builder->text.data;
    corm_result         *result;
    CORM_TRY(corm_execute_with(db->session, cql, &options, &result));
    corm_status status = make_filters(builder, result, rows, err);
    if (status != CORM_OK) {
        corm_result_free(result);
        return status;
    }
    CORM_TRY(orm__rows_add(rows, NULL, result, err));
    while (corm_rows_has_more(rows)) {
        options.request.paging_state = corm_rows_paging_state(rows);
        CORM_TRY(corm_execute_with(db->session, cql, &options, &result));
        CORM_TRY(orm__rows_add(rows, NULL, result, err));
    }
    return CORM_OK;
}

corm_status corm_builder_rows(corm_builder *builder, corm_db *db, const corm_model *model,
                              const corm_request_options *request, corm_rows **out,
                              corm_error *err) {
    orm_model *compiled;
    corm_rows *rows;
    *out = NULL;
    CORM_TRY(orm__builder_end(builder, err));
    CORM_TRY(orm__model(db, model, &compiled, err));
    CORM_TRY(orm__rows_new(compiled, &rows, err));
    corm_status status = read_pages(builder, db, request, rows, err);
    if (status != CORM_OK) {
        corm_rows_free(rows);
        return status;
    }
    *out = rows;
    return CORM_OK;
}
