// SPDX-License-Identifier: MIT
/* lwt.c -- conditional statements: all conditions are held against the rows as they were, then everything is written or
 * nothing is. The answer is the server's: [applied], and when not applied the rows that stood in the way.
 * Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/write_internal.h"

/* A row that conditions look at: its values and those of its partition's static row, by column index. */
typedef struct lwt_row {
    const cql_table *table;
    write_image     *image, *static_image;
    cql_value       *values;
    bool             exists; /* the row itself */
    bool             static_exists;
    struct lwt_row  *next;
} lwt_row;

typedef struct lwt_run {
    engine_write   *write;
    const lwt_item *items;
    uint32_t        count;
    bool            is_batch;
    lwt_row        *rows, **last_row;
} lwt_run;

/* ---- reading ---- */

corm_status engine__image_values(const cql_table *table, bool is_static, const engine_row *row,
                                 uint32_t now_s, const cql_column *const *needed,
                                 uint32_t needed_count, base_arena *arena, cql_value *values,
                                 bool *exists, corm_error *err) {
    base_buf        buf = { 0 };
    bool            empty;
    engine_row_read read = { 0 };
    corm_status     status = engine__row_encode(table, row, &buf, &empty, err);
    uint8_t        *bytes = status == CORM_OK ? base__arena_copy(arena, buf.data, buf.len) : NULL;
    if (status == CORM_OK && !bytes) status = base__fail_memory(err);
    if (status == CORM_OK && !empty)
        status = engine__row_read(table, is_static, (corm_bytes){ bytes, buf.len }, now_s, needed,
                                  needed_count, arena, values, &read, err);
    *exists = read.live;
    base__buf_free(&buf);
    return status;
}

static corm_status read_image(lwt_run *run, lwt_row *row, write_image *image, bool *exists,
                              corm_error *err) {
    const cql_table   *table = row->table;
    base_arena        *arena = run->write->request->arena;
    const cql_column **needed = BASE_NEW_ARRAY(arena, const cql_column *, table->column_count);
    if (!needed) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) needed[i] = &table->columns[i];
    return engine__image_values(table, image->is_static, &image->row, run->write->request->now_s,
                                needed, table->column_count, arena, row->values, exists, err);
}

static lwt_row *find_row(lwt_run *run, const write_image *image, const write_image *static_image) {
    for (lwt_row *row = run->rows; row; row = row->next)
        if (row->image == image && (image || row->static_image == static_image)) return row;
    return NULL;
}

static corm_status load_images(lwt_run *run, const lwt_item *item, cql_eval_env *env,
                               engine_partition *partition, write_image **image,
                               write_image **static_image, engine_bound **bound, corm_error *err) {
    const cql_checked_modify *modify = item->modify;
    write_partition          *in;
    engine_partition         *partitions;
    uint32_t                  count;
    *image = *static_image = NULL;
    *bound = NULL;
    CORM_TRY(engine__partitions(modify->table, &modify->where, env, &partitions, &count, err));
    *partition = partitions[0];
    CORM_TRY(engine__write_partition(run->write, modify->table, partition, &in, err));
    if (modify->table->static_count)
        CORM_TRY(engine__write_image(run->write, in, NULL, NULL, static_image, err));
    if (modify->static_only) return CORM_OK;
    CORM_TRY(engine__bounds(modify->table, &modify->where, env, bound, &count, err));
    bool whole_key = count == 1 && (*bound)->row;
    if (!whole_key) return CORM_OK;
    return engine__write_image(run->write, in, &(*bound)->start, (*bound)->row, image, err);
}

/* The row an item is about, loaded once. */
static corm_status load_row(lwt_run *run, const lwt_item *item, cql_eval_env *env, lwt_row **out,
                            corm_error *err) {
    const cql_table *table = item->modify->table;
    base_arena      *arena = run->write->request->arena;
    write_image     *image, *static_image;
    engine_partition partition;
    engine_bound    *bound;
    CORM_TRY(load_images(run, item, env, &partition, &image, &static_image, &bound, err));
    *out = find_row(run, image, static_image);
    if (*out) return CORM_OK;

    lwt_row *row = BASE_NEW(arena, lwt_row);
    if (!row) return base__fail_memory(err);
    *row = (lwt_row){ .table = table, .image = image, .static_image = static_image };
    row->values = BASE_NEW_ARRAY(arena, cql_value, table->column_count);
    if (!row->values) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) row->values[i] = CQL_NULL;
    if (static_image) CORM_TRY(read_image(run, row, static_image, &row->static_exists, err));
    if (image) CORM_TRY(read_image(run, row, image, &row->exists, err));
    memcpy(row->values, partition.values, table->partition_count * sizeof *row->values);
    if (row->exists)
        memcpy(row->values + table->partition_count, bound->row,
               table->clustering_count * sizeof *row->values);
    *run->last_row = row;
    run->last_row = &row->next;
    *out = row;
    return CORM_OK;
}

/* ---- conditions ---- */

static corm_status pick_element(const cql_check_condition *condition, cql_value whole,
                                cql_eval_env *env, const cql_type **type, cql_value *out,
                                corm_error *err) {
    cql_node        column = { .kind = CQL_NODE_CONSTANT,
                               .type = condition->column->type,
                               .value = whole };
    cql_node        element = { .type = NULL, .count = 2 };
    const cql_node *args[2] = { &column, condition->element };
    cql_value       key;
    element.args = args;
    *out = CQL_NULL;
    *type = condition->column->type;
    if (condition->field >= 0) {
        element.kind = CQL_NODE_FIELD;
        element.index = (uint32_t)condition->field;
        element.count = 1;
        *type = (*type)->params[condition->field];
    } else {
        element.kind = CQL_NODE_ELEMENT;
        *type = (*type)->params[(*type)->id == CQL_MAP];
        CORM_TRY(cql__eval(condition->element, env, &key, err));
        if (cql__is_null(key))
            return base__fail(err, CORM_INVALID, "Invalid %s value for %s element access",
                              key.len == -2 ? "unset" : "null",
                              condition->column->type->id == CQL_LIST ? "list" : "map");
    }
    element.type = *type;
    return cql__is_null(whole) ? CORM_OK : cql__eval(&element, env, out, err);
}

/* Null equals null and differs from everything; it is neither less nor greater. */
static corm_status holds_for(const cql_type *type, cql_value value, cql_operator op, cql_value term,
                             bool *holds, corm_error *err) {
    *holds = false;
    if (term.len == -2) return base__fail(err, CORM_INVALID, "Invalid 'unset' value in condition");
    if (cql__is_null(term) || cql__is_null(value)) {
        bool                     both = cql__is_null(term) && cql__is_null(value);
        static const char *const names[] = { "=", "!=", "<", "<=", ">", ">=" };
        if (op == CQL_OP_EQ || op == CQL_OP_IN)
            *holds = both;
        else if (op == CQL_OP_NEQ)
            *holds = !both;
        else if (cql__is_null(term) && op <= CQL_OP_GTE)
            return base__fail(err, CORM_INVALID, "Invalid comparison with null for operator \"%s\"",
                              names[op]);
        return CORM_OK;
    }
    return cql__compare_op(type, value, op == CQL_OP_IN ? CQL_OP_EQ : op, term, holds, err);
}

static corm_status holds_in_list(const cql_check_condition *condition, const cql_type *type,
                                 cql_value value, cql_eval_env *env, bool *holds, corm_error *err) {
    cql_value list, item;
    cql_walk  walk;
    CORM_TRY(cql__eval(condition->in_list, env, &list, err));
    if (list.len == -2) return base__fail(err, CORM_INVALID, "Invalid 'unset' value in condition");
    if (cql__is_null(list))
        return base__fail(err, CORM_INVALID, "Invalid null list in IN condition");
    CORM_TRY(cql__walk_begin(&walk, condition->in_list->type, list, err));
    while (!*holds && cql__walk_next(&walk, &item))
        CORM_TRY(holds_for(type, value, CQL_OP_IN, item, holds, err));
    return CORM_OK;
}

static corm_status condition_holds(const cql_check_condition *condition, const lwt_row *row,
                                   cql_eval_env *env, bool *holds, corm_error *err) {
    const cql_type *type = condition->column->type;
    cql_value       value = row->values[condition->column->index];
    *holds = false;
    if (condition->element || condition->field >= 0)
        CORM_TRY(pick_element(condition, value, env, &type, &value, err));
    if (condition->in_list) return holds_in_list(condition, type, value, env, holds, err);
    for (uint32_t i = 0; i < condition->term_count && !*holds; i++) {
        cql_value term;
        CORM_TRY(cql__eval(condition->terms[i], env, &term, err));
        CORM_TRY(holds_for(type, value, condition->op, term, holds, err));
    }
    return CORM_OK;
}

static corm_status item_holds(const lwt_item *item, const lwt_row *row, cql_eval_env *env,
                              bool *holds, corm_error *err) {
    const cql_checked_modify *modify = item->modify;
    bool                      exists = row->image ? row->exists : row->static_exists;
    *holds = true;
    if (modify->if_not_exists) *holds = !exists;
    if (modify->if_exists) *holds = exists;
    for (uint32_t i = 0; i < modify->condition_count && *holds; i++)
        CORM_TRY(condition_holds(&modify->conditions[i], row, env, holds, err));
    return CORM_OK;
}

/* ---- the answer ---- */

static bool shows_all(const lwt_run *run) {
    for (uint32_t i = 0; i < run->count; i++)
        if (run->items[i].modify->if_not_exists || run->items[i].modify->if_exists) return true;
    return false;
}

static void add_column(const cql_column **columns, uint32_t *count, const cql_column *column) {
    for (uint32_t i = 0; i < *count; i++)
        if (columns[i] == column) return;
    columns[(*count)++] = column;
}

/* The columns shown when not applied: all; or (in a batch after the key) those of the conditions, in their order. */
static uint32_t shown_columns(const lwt_run *run, const cql_table *table,
                              const cql_column **columns) {
    uint32_t count = 0;
    bool     all = shows_all(run);
    for (uint32_t i = 0; i < table->column_count; i++)
        if (all || (run->is_batch && table->columns[i].kind <= CQL_CLUSTERING))
            columns[count++] = &table->columns[i];
    for (uint32_t i = 0; i < run->count && !all; i++)
        for (uint32_t j = 0; j < run->items[i].modify->condition_count; j++)
            add_column(columns, &count, run->items[i].modify->conditions[j].column);
    return count;
}

static cql_result_column result_column(const cql_table *table, corm_str name,
                                       const cql_type *type) {
    return (cql_result_column){ table->keyspace, table->name, name, type };
}

/* A partition with a static row only is one row; static columns belong to every row. */
static uint32_t shown_rows(const lwt_run *run) {
    uint32_t count = 0;
    for (const lwt_row *row = run->rows; row; row = row->next) count += row->exists;
    if (count == 0 && run->rows && run->rows->static_exists) count = 1;
    return count;
}

static void put_rows(const lwt_run *run, const cql_column *const *columns, uint32_t count,
                     wire_rows_writer *writer, base_buf *body) {
    static const uint8_t no = 0;
    bool                 some = false;
    for (const lwt_row *row = run->rows; row; row = row->next) some = some || row->exists;
    for (const lwt_row *row = run->rows; row; row = row->next) {
        if (some && !row->exists) continue;
        cql__put_value(body, (cql_value){ &no, 1 });
        for (uint32_t i = 0; i < count; i++) cql__put_value(body, row->values[columns[i]->index]);
        wire__row_done(writer);
        if (!some) return;
    }
}

static corm_status answer(lwt_run *run, bool applied, corm_error *err) {
    engine_request    *request = run->write->request;
    const cql_table   *table = run->items[0].modify->table;
    base_buf          *body = &request->answer->body;
    const cql_column **columns =
        BASE_NEW_ARRAY(request->arena, const cql_column *, table->column_count);
    cql_result_column *shown =
        BASE_NEW_ARRAY(request->arena, cql_result_column, table->column_count + 1);
    uint8_t          flag = applied;
    wire_rows_writer writer;
    if (!columns || !shown) return base__fail_memory(err);
    uint32_t rows = applied ? 0 : shown_rows(run);
    uint32_t count = rows ? shown_columns(run, table, columns) : 0;
    shown[0] = result_column(table, corm_str_of("[applied]"), cql__type_native(CQL_BOOLEAN));
    for (uint32_t i = 0; i < count; i++)
        shown[i + 1] = result_column(table, columns[i]->name, columns[i]->type);

    wire__rows_begin(&writer, body, shown, count + 1, false, WIRE_VERSION);
    if (rows) {
        put_rows(run, columns, count, &writer, body);
    } else {
        cql__put_value(body, (cql_value){ &flag, 1 });
        wire__row_done(&writer);
    }
    wire__rows_end(&writer, (corm_bytes){ 0 });
    return base__buf_status(body, err);
}

static bool has_condition(const cql_checked_modify *modify) {
    return modify->if_exists || modify->if_not_exists || modify->condition_count;
}

static corm_status check_item(lwt_run *run, const lwt_item *item, bool *applied, corm_error *err) {
    cql_checked_modify expanded;
    cql_eval_env       env = engine__write_env(run->write, item->values, item->value_count);
    lwt_item           actual = *item;
    lwt_row           *row;
    bool               holds;
    if (!has_condition(item->modify)) return CORM_OK;
    if (item->modify->json) {
        CORM_TRY(engine__json_insert(item->modify, &env, &expanded, err));
        actual.modify = &expanded;
    }
    CORM_TRY(load_row(run, &actual, &env, &row, err));
    CORM_TRY(item_holds(&actual, row, &env, &holds, err));
    *applied = *applied && holds;
    return CORM_OK;
}

corm_status engine__lwt(engine_write *write, const lwt_item *items, uint32_t count, bool is_batch,
                        int64_t timestamp, corm_error *err) {
    lwt_run run = { .write = write, .items = items, .count = count, .is_batch = is_batch };
    bool    applied = true;
    run.last_row = &run.rows;
    for (uint32_t i = 0; i < count; i++) CORM_TRY(check_item(&run, &items[i], &applied, err));
    for (uint32_t i = 0; i < count && applied; i++)
        CORM_TRY(engine__write_modify(write, items[i].modify, timestamp, items[i].values,
                                      items[i].value_count, err));
    return answer(&run, applied, err);
}
