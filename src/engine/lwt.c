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
    bool             shown; /* a row of the partition stands for it in the answer */
    bool is_absent, is_present, has_columns; /* IF NOT EXISTS, IF EXISTS, IF column … asked of it */
    struct lwt_row *next;
} lwt_row;

typedef struct lwt_run {
    engine_write   *write;
    const lwt_item *items;
    uint32_t        count;
    bool            is_batch;
    lwt_row        *rows, **last_row;
    corm_bytes      partition; /* of all items */
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

/* Whether any statement touches the static row, or other rows: only what could change was read. */
static bool touches(const lwt_run *run, bool statics) {
    for (uint32_t i = 0; i < run->count; i++) {
        const cql_checked_modify *modify = run->items[i].modify;
        if (!statics && !modify->static_only) return true;
        for (uint32_t j = 0; statics && j < modify->assign_count; j++)
            if (modify->assigns[j].column->kind == CQL_STATIC) return true;
    }
    return false;
}

/* A condition on the static row only: the partition's first row stands for it in the answer, by its key.
 * Unless some statement is about other rows, regular columns are not read, and only a row with a marker counts. */
static corm_status show_first_row(lwt_run *run, lwt_row *row, corm_error *err) {
    engine_request *request = run->write->request;
    corm_bytes      prefix = row->static_image->partition->prefix;
    kv_cursor      *cursor;
    engine_key      key;
    bool            found;
    CORM_TRY(kv__cursor_open(request->txn, KV_DATA, &cursor, err));
    corm_status status = kv__cursor_seek(cursor, prefix, KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found && !row->shown) {
        engine_row_read read;
        if (!engine__key_split(kv__cursor_key(cursor), &key) || key.prefix.len != prefix.len ||
            memcmp(key.prefix.data, prefix.data, prefix.len) != 0)
            break;
        if (key.kind == ENGINE_KEY_ROW) {
            status = engine__row_read(row->table, false, kv__cursor_value(cursor), request->now_s,
                                      NULL, 0, request->arena, row->values, &read, err);
            row->shown = touches(run, false) ? read.live : read.has_liveness;
        }
        if (status == CORM_OK) status = kv__cursor_next(cursor, &found, err);
    }
    kv__cursor_close(cursor);
    for (uint32_t i = 0; !row->shown && i < row->table->clustering_count; i++)
        row->values[row->table->partition_count + i] = CQL_NULL;
    return status;
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
    row->shown = row->exists;
    if (!image && static_image) CORM_TRY(show_first_row(run, row, err));
    *run->last_row = row;
    run->last_row = &row->next;
    *out = row;
    return CORM_OK;
}

/* Every item of a conditional batch must be on one partition. */
static corm_status check_partition(lwt_run *run, const lwt_item *item, cql_eval_env *env,
                                   corm_error *err) {
    engine_partition *partitions;
    uint32_t          count;
    CORM_TRY(engine__partitions(item->modify->table, &item->modify->where, env, &partitions, &count,
                                err));
    if (!run->partition.data) run->partition = partitions[0].key;
    if (count == 1 && partitions[0].key.len == run->partition.len &&
        memcmp(partitions[0].key.data, run->partition.data, run->partition.len) == 0)
        return CORM_OK;
    return base__fail(err, CORM_INVALID, "Batch with conditions cannot span multiple partitions");
}

/* What is asked of one row must be of one kind. */
static corm_status check_mix(lwt_row *row, const cql_checked_modify *modify, corm_error *err) {
    row->is_absent = row->is_absent || modify->if_not_exists;
    row->is_present = row->is_present || modify->if_exists;
    row->has_columns = row->has_columns || modify->condition_count;
    if (row->is_absent && row->is_present)
        return base__fail(err, CORM_INVALID,
                          "Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row");
    if (row->is_absent && row->has_columns)
        return base__fail(err, CORM_INVALID,
                          "Cannot mix IF conditions and IF NOT EXISTS for the same row");
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
        if (key.len == -2 && condition->column->type->id == CQL_MAP)
            whole = CQL_NULL;
        else if (cql__is_null(key))
            return base__fail(err, CORM_INVALID, "Invalid null value for %s element access",
                              condition->column->type->id == CQL_LIST ? "list" : "map");
    }
    element.type = *type;
    return cql__is_null(whole) ? CORM_OK : cql__eval(&element, env, out, err);
}

static const char *const operators[] = { "=", "!=", "<", "<=", ">", ">=" };

static bool is_empty_collection(const cql_type *type, cql_value value) {
    return cql__type_is_multicell(type) && type->id != CQL_UDT && value.len == 4 &&
           base__load_u32(value.data) == 0;
}

/* Null equals null and differs from everything; it is neither less nor greater. */
static corm_status holds_for(const cql_type *type, cql_value value, cql_operator op, cql_value term,
                             bool *holds, corm_error *err) {
    *holds = false;
    if (term.len == -2 && op == CQL_OP_IN) return CORM_OK;
    if (term.len == -2) return base__fail(err, CORM_INVALID, "Invalid 'unset' value in condition");
    if (is_empty_collection(type, term) && op >= CQL_OP_LT && op <= CQL_OP_GTE)
        return base__fail(err, CORM_INVALID,
                          "Invalid comparison with an empty %s for operator \"%s\"",
                          type->id == CQL_LIST  ? "list"
                          : type->id == CQL_SET ? "set"
                                                : "map",
                          operators[op]);
    if (cql__is_null(term) || cql__is_null(value)) {
        bool both = cql__is_null(term) && cql__is_null(value);
        if (op == CQL_OP_EQ || op == CQL_OP_IN)
            *holds = both;
        else if (op == CQL_OP_NEQ)
            *holds = !both;
        else if (cql__is_null(term) && op <= CQL_OP_GTE)
            return base__fail(err, CORM_INVALID, "Invalid comparison with null for operator \"%s\"",
                              operators[op]);
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

static void hide_unread(const lwt_run *run) {
    bool statics = touches(run, true), regulars = touches(run, false);
    for (const lwt_row *row = run->rows; row; row = row->next)
        for (uint32_t i = 0; i < row->table->column_count; i++) {
            cql_column_kind kind = row->table->columns[i].kind;
            if ((kind == CQL_STATIC && !statics) || (kind == CQL_REGULAR && !regulars))
                row->values[i] = CQL_NULL;
        }
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
    bool     rows = false;
    for (const lwt_row *row = run->rows; row; row = row->next) rows = rows || row->image;
    for (lwt_row *row = run->rows; row && rows; row = row->next)
        row->shown = row->shown && row->image;
    for (const lwt_row *row = run->rows; row; row = row->next) count += row->shown;
    if (count == 0 && run->rows && run->rows->static_exists) count = 1;
    return count;
}

static void put_rows(const lwt_run *run, const cql_column *const *columns, uint32_t count,
                     wire_rows_writer *writer, base_buf *body) {
    static const uint8_t no = 0;
    bool                 some = false;
    for (const lwt_row *row = run->rows; row; row = row->next) some = some || row->shown;
    for (const lwt_row *row = run->rows; row; row = row->next) {
        if (some && !row->shown) continue;
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
    if (shows_all(run)) hide_unread(run);
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
    if (item->modify->json) {
        CORM_TRY(engine__json_insert(item->modify, &env, &expanded, err));
        actual.modify = &expanded;
    }
    CORM_TRY(check_partition(run, &actual, &env, err));
    if (!has_condition(item->modify)) return CORM_OK;
    CORM_TRY(load_row(run, &actual, &env, &row, err));
    CORM_TRY(check_mix(row, item->modify, err));
    CORM_TRY(item_holds(&actual, row, &env, &holds, err));
    *applied = *applied && holds;
    return CORM_OK;
}

/* A range or partition deletion of the same batch comes before its rows. */
static bool deletes_range(const cql_checked_modify *modify) {
    uint32_t fixed = 0;
    for (uint32_t i = 0; i < modify->where.clustering_count; i++)
        if (modify->where.clustering[i].kind != CQL_RESTRICT_SLICE)
            fixed += modify->where.clustering[i].count;
    return modify->deletes_rows && fixed < modify->table->clustering_count;
}

/* The timestamp is the store's, as a ballot's would be: a client's has no say in a lightweight transaction. */
corm_status engine__lwt(engine_write *write, const lwt_item *items, uint32_t count, bool is_batch,
                        corm_error *err) {
    lwt_run run = { .write = write, .items = items, .count = count, .is_batch = is_batch };
    bool    applied = true;
    run.last_row = &run.rows;
    for (uint32_t i = 0; i < count; i++) CORM_TRY(check_item(&run, &items[i], &applied, err));
    for (uint32_t i = 0; i < count && applied; i++) {
        int64_t timestamp = write->request->now_us - deletes_range(items[i].modify);
        CORM_TRY(engine__write_modify(write, items[i].modify, timestamp, items[i].values,
                                      items[i].value_count, err));
    }
    return answer(&run, applied, err);
}
