// SPDX-License-Identifier: MIT
/* lwt.c -- conditional statements: all conditions are held against the rows as they were, then everything is written or
 * nothing is. The answer is the server's: [applied], and when not applied the rows that stood in the way.
 * Semantics: the server's CQL3CasRequest. Thread: the commit leader's.
 *
 * What is read decides what exists: a row without a live cell in the columns that are read is none. The static row is read
 * in the columns that conditions look at, or whole when a statement with conditions writes to it; rows are read whole, or
 * their markers only when every statement is about static columns. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/write_internal.h"

/* A row that conditions look at. */
typedef struct lwt_row {
    write_image *image;
    cql_value   *values; /* by column index; those of other kinds of columns are not filled */
    bool         exists;
    bool         is_absent, is_present, has_columns; /* IF NOT EXISTS, IF EXISTS, IF column … */
    struct lwt_row *next;
} lwt_row;

typedef struct lwt_run {
    engine_write           *write;
    const lwt_item         *items; /* without JSON */
    uint32_t                count;
    bool                    is_batch;
    const cql_table        *table;
    const engine_partition *key;
    write_partition        *partition;
    bool                    reads_rows;    /* not only their markers */
    bool                    reads_statics; /* all of them */
    lwt_row                 statics;
    lwt_row                *rows; /* in clustering order */
} lwt_run;

static bool has_condition(const cql_checked_modify *modify) {
    return modify->if_exists || modify->if_not_exists || modify->condition_count;
}

static bool is_about_rows(const cql_checked_modify *modify) {
    return modify->table->clustering_count == 0 || modify->where.clustering_count > 0;
}

static bool writes_statics(const cql_checked_modify *modify) {
    for (uint32_t i = 0; i < modify->assign_count; i++)
        if (modify->assigns[i].column->kind == CQL_STATIC) return true;
    return false;
}

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

static bool is_asked(const lwt_run *run, const cql_column *column) {
    for (uint32_t i = 0; i < run->count; i++)
        for (uint32_t j = 0; j < run->items[i].modify->condition_count; j++)
            if (run->items[i].modify->conditions[j].column == column) return true;
    return false;
}

/* The columns that are read; NULL when memory is exhausted. */
static const cql_column **needed_columns(const lwt_run *run, bool is_static, uint32_t *count) {
    const cql_table   *table = run->table;
    const cql_column **needed =
        BASE_NEW_ARRAY(run->write->request->arena, const cql_column *, table->column_count);
    *count = 0;
    for (uint32_t i = 0; needed && i < table->column_count; i++) {
        const cql_column *column = &table->columns[i];
        if (column->kind != (is_static ? CQL_STATIC : CQL_REGULAR)) continue;
        if ((is_static ? run->reads_statics : run->reads_rows) || is_asked(run, column))
            needed[(*count)++] = column;
    }
    return needed;
}

static corm_status read_image(lwt_run *run, lwt_row *row, bool is_static, corm_error *err) {
    const cql_table   *table = run->table;
    base_arena        *arena = run->write->request->arena;
    uint32_t           count;
    const cql_column **needed = needed_columns(run, is_static, &count);
    if (!needed) return base__fail_memory(err);
    CORM_TRY(engine__image_values(table, is_static, &row->image->row, run->write->request->now_s,
                                  needed, count, arena, row->values, &row->exists, err));
    if (!is_static) return CORM_OK;
    row->exists = false;
    for (uint32_t i = 0; i < count; i++)
        row->exists = row->exists || !cql__is_null(row->values[needed[i]->index]);
    return CORM_OK;
}

static corm_status null_values(const lwt_run *run, lwt_row *row, corm_error *err) {
    uint32_t count = run->table->column_count;
    row->values = BASE_NEW_ARRAY(run->write->request->arena, cql_value, count);
    if (!row->values) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) row->values[i] = CQL_NULL;
    return CORM_OK;
}

static corm_status read_statics(lwt_run *run, corm_error *err) {
    CORM_TRY(null_values(run, &run->statics, err));
    if (run->table->static_count == 0) return CORM_OK;
    CORM_TRY(engine__write_image(run->write, run->partition, NULL, NULL, &run->statics.image, err));
    return read_image(run, &run->statics, true, err);
}

static corm_status read_rows(lwt_run *run, corm_error *err) {
    for (lwt_row *row = run->rows; row; row = row->next) {
        CORM_TRY(null_values(run, row, err));
        CORM_TRY(read_image(run, row, false, err));
        for (uint32_t i = 0; row->exists && i < run->table->clustering_count; i++)
            row->values[run->table->partition_count + i] = row->image->row.clustering[i];
    }
    return CORM_OK;
}

/* ---- what is asked ---- */

/* What is asked of one row must be of one kind. */
static corm_status ask(lwt_row *row, const cql_checked_modify *modify, bool columns,
                       corm_error *err) {
    const char *refused = NULL;
    if (columns) {
        if (row->is_absent || row->is_present)
            refused = "Cannot mix IF conditions and IF NOT EXISTS for the same row";
    } else if (row->has_columns) {
        refused = modify->if_exists ? "Cannot mix IF conditions and IF EXISTS for the same row"
                                    : "Cannot mix IF conditions and IF NOT EXISTS for the same row";
    } else if ((row->is_absent && modify->if_exists) ||
               (row->is_present && modify->if_not_exists)) {
        refused = "Cannot mix IF EXISTS and IF NOT EXISTS conditions for the same row";
    }
    if (refused) return base__fail(err, CORM_INVALID, "%s", refused);
    row->has_columns = row->has_columns || columns;
    row->is_absent = row->is_absent || (!columns && modify->if_not_exists);
    row->is_present = row->is_present || (!columns && modify->if_exists);
    return CORM_OK;
}

/* The row of an item's key: looked up once, kept in clustering order. */
static corm_status find_row(lwt_run *run, const cql_checked_modify *modify, cql_eval_env *env,
                            lwt_row **out, corm_error *err) {
    engine_bound *bound;
    uint32_t      count;
    write_image  *image;
    CORM_TRY(engine__bounds(modify->table, &modify->where, env, &bound, &count, err));
    CORM_TRY(
        engine__write_image(run->write, run->partition, &bound->start, bound->row, &image, err));
    lwt_row **at = &run->rows;
    while (*at && base__bytes_compare((*at)->image->clustering, image->clustering) < 0)
        at = &(*at)->next;
    *out = *at;
    if (*at && (*at)->image == image) return CORM_OK;
    *out = BASE_NEW(run->write->request->arena, lwt_row);
    if (!*out) return base__fail_memory(err);
    **out = (lwt_row){ .image = image, .next = *at };
    *at = *out;
    return CORM_OK;
}

static uint32_t static_conditions(const cql_checked_modify *modify) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < modify->condition_count; i++)
        count += modify->conditions[i].column->kind == CQL_STATIC;
    return count;
}

static corm_status ask_item(lwt_run *run, const lwt_item *item, cql_eval_env *env,
                            corm_error *err) {
    const cql_checked_modify *modify = item->modify;
    uint32_t                  of_statics = static_conditions(modify);
    bool                      existence = modify->if_exists || modify->if_not_exists;
    bool                      of_row = modify->condition_count > of_statics;
    lwt_row                  *row;
    if (existence && modify->static_only) return ask(&run->statics, modify, false, err);
    if (existence || of_row) {
        CORM_TRY(find_row(run, modify, env, &row, err));
        CORM_TRY(ask(row, modify, of_row, err));
    }
    return of_statics ? ask(&run->statics, modify, true, err) : CORM_OK;
}

static bool has_in(const cql_restriction *restrictions, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (restrictions[i].kind == CQL_RESTRICT_IN) return true;
    return false;
}

static const char *what_it_does(const cql_checked_modify *modify) {
    return modify->kind == CQL_MODIFY_UPDATE ? "updates" : "deletions";
}

static corm_status refuse_key_in(const lwt_run *run, const lwt_item *item, corm_error *err) {
    if (!run->is_batch)
        return base__fail(err, CORM_INVALID,
                          "IN on the partition key is not supported with conditional %s",
                          what_it_does(item->modify));
    return base__fail(
        err, CORM_INVALID,
        "Batch with conditions cannot span multiple partitions (you cannot use IN on the partition key)");
}

/* Every item must be on one partition; as the server does, its values are looked at before its form. */
static corm_status set_partition(lwt_run *run, const lwt_item *item, cql_eval_env *env,
                                 corm_error *err) {
    engine_partition *partitions;
    uint32_t          count;
    const cql_where  *where = &item->modify->where;
    CORM_TRY(engine__partitions(run->table, where, env, &partitions, &count, err));
    if (has_in(where->partition, where->partition_count)) return refuse_key_in(run, item, err);
    if (!run->key) {
        run->key = partitions;
        return engine__write_partition(run->write, run->table, partitions, &run->partition, err);
    }
    if (base__bytes_compare(partitions->key, run->key->key) == 0) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Batch with conditions cannot span multiple partitions");
}

/* The rows of an item before those of the next, whether it has conditions or not. */
static corm_status check_rows(const cql_checked_modify *modify, cql_eval_env *env,
                              corm_error *err) {
    const cql_where *where = &modify->where;
    engine_bound    *bounds;
    uint32_t         count;
    if (has_in(where->clustering, where->clustering_count))
        return base__fail(err, CORM_INVALID,
                          "IN on the clustering key columns is not supported with conditional %s",
                          what_it_does(modify));
    if (where->clustering_count == 0) return CORM_OK;
    return engine__bounds(modify->table, where, env, &bounds, &count, err);
}

static corm_status set_up(lwt_run *run, corm_error *err) {
    for (uint32_t i = 0; i < run->count; i++) {
        const lwt_item *item = &run->items[i];
        cql_eval_env    env = engine__write_env(run->write, item->values, item->value_count);
        CORM_TRY(set_partition(run, item, &env, err));
        CORM_TRY(check_rows(item->modify, &env, err));
        run->reads_rows = run->reads_rows || is_about_rows(item->modify);
        if (!has_condition(item->modify)) continue;
        run->reads_statics = run->reads_statics || writes_statics(item->modify);
        CORM_TRY(ask_item(run, item, &env, err));
    }
    CORM_TRY(read_statics(run, err));
    return read_rows(run, err);
}

/* ---- conditions ---- */

static bool exists_as_asked(const lwt_row *row) {
    return !(row->is_absent && row->exists) && !(row->is_present && !row->exists);
}

static corm_status item_holds(lwt_run *run, const lwt_item *item, bool *holds, corm_error *err) {
    cql_eval_env env = engine__write_env(run->write, item->values, item->value_count);
    lwt_row     *row = &run->statics;
    if (item->modify->condition_count > static_conditions(item->modify))
        CORM_TRY(find_row(run, item->modify, &env, &row, err));
    for (uint32_t i = 0; i < item->modify->condition_count && *holds; i++) {
        const cql_check_condition *condition = &item->modify->conditions[i];
        const cql_value           *values =
            condition->column->kind == CQL_STATIC ? run->statics.values : row->values;
        CORM_TRY(
            engine__condition_holds(condition, values[condition->column->index], &env, holds, err));
    }
    return CORM_OK;
}

static corm_status all_hold(lwt_run *run, bool *holds, corm_error *err) {
    *holds = exists_as_asked(&run->statics);
    for (const lwt_row *row = run->rows; row; row = row->next)
        *holds = *holds && exists_as_asked(row);
    for (uint32_t i = 0; i < run->count && *holds; i++)
        CORM_TRY(item_holds(run, &run->items[i], holds, err));
    return CORM_OK;
}

/* ---- the answer ---- */

/* Without a condition on a row, the partition's first one stands for all. */
static corm_status first_row(lwt_run *run, lwt_row *row, corm_error *err) {
    engine_request    *request = run->write->request;
    corm_bytes         prefix = run->partition->prefix;
    kv_cursor         *cursor;
    engine_key         key;
    bool               found;
    uint32_t           count;
    const cql_column **needed = needed_columns(run, false, &count);
    if (!needed) return base__fail_memory(err);
    CORM_TRY(null_values(run, row, err));
    CORM_TRY(kv__cursor_open(request->txn, KV_DATA, &cursor, err));
    corm_status status = kv__cursor_seek(cursor, prefix, KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found && !row->exists) {
        engine_row_read read;
        if (!engine__key_split(kv__cursor_key(cursor), &key) ||
            base__bytes_compare(key.prefix, prefix) != 0)
            break;
        if (key.kind == ENGINE_KEY_ROW) {
            status = engine__row_read(run->table, false, kv__cursor_value(cursor), request->now_s,
                                      needed, count, request->arena, row->values, &read, err);
            row->exists = status == CORM_OK && (run->reads_rows ? read.live : read.has_liveness);
        }
        if (status == CORM_OK) status = kv__cursor_next(cursor, &found, err);
    }
    kv__cursor_close(cursor);
    return status;
}

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

static void add_asked(const cql_checked_modify *modify, cql_column_kind kind,
                      const cql_column **columns, uint32_t *count) {
    for (uint32_t i = 0; i < modify->condition_count; i++)
        if (modify->conditions[i].column->kind == kind)
            add_column(columns, count, modify->conditions[i].column);
}

/* The columns shown when not applied: all; or (in a batch after the key) those of the conditions, in their order, static ones
 * of a statement behind the others. */
static uint32_t shown_columns(const lwt_run *run, const cql_column **columns) {
    uint32_t count = 0;
    bool     all = shows_all(run);
    for (uint32_t i = 0; i < run->table->column_count; i++)
        if (all || (run->is_batch && run->table->columns[i].kind <= CQL_CLUSTERING))
            columns[count++] = &run->table->columns[i];
    for (uint32_t i = 0; i < run->count && !all; i++) {
        add_asked(run->items[i].modify, CQL_REGULAR, columns, &count);
        add_asked(run->items[i].modify, CQL_STATIC, columns, &count);
    }
    return count;
}

/* [applied], and the columns; NULL when memory is exhausted. */
static cql_result_column *result_columns(const lwt_run *run, const cql_column *const *columns,
                                         uint32_t count) {
    const cql_table   *table = run->table;
    cql_result_column *out =
        BASE_NEW_ARRAY(run->write->request->arena, cql_result_column, count + 1);
    if (!out) return NULL;
    out[0] = (cql_result_column){ table->keyspace, table->name, corm_str_of("[applied]"),
                                  cql__type_native(CQL_BOOLEAN) };
    for (uint32_t i = 0; i < count; i++)
        out[i + 1] =
            (cql_result_column){ table->keyspace, table->name, columns[i]->name, columns[i]->type };
    return out;
}

static cql_value shown_value(const lwt_run *run, const lwt_row *row, const cql_column *column) {
    if (column->kind == CQL_PARTITION_KEY) return run->key->values[column->index];
    return (column->kind == CQL_STATIC ? &run->statics : row)->values[column->index];
}

static void put_row(const lwt_run *run, const lwt_row *row, const cql_column *const *columns,
                    uint32_t count, wire_rows_writer *writer) {
    static const uint8_t no = 0;
    base_buf            *body = &run->write->request->answer->body;
    cql__put_value(body, (cql_value){ &no, 1 });
    for (uint32_t i = 0; i < count; i++) cql__put_value(body, shown_value(run, row, columns[i]));
    wire__row_done(writer);
}

/* `applied` or a single "no" without columns. */
static corm_status short_answer(lwt_run *run, bool applied, corm_error *err) {
    base_buf          *body = &run->write->request->answer->body;
    uint8_t            flag = applied;
    cql_result_column *columns = result_columns(run, NULL, 0);
    wire_rows_writer   writer;
    if (!columns) return base__fail_memory(err);
    wire__rows_begin(&writer, body, columns, 1, false, WIRE_VERSION);
    cql__put_value(body, (cql_value){ &flag, 1 });
    wire__row_done(&writer);
    wire__rows_end(&writer, (corm_bytes){ 0 });
    return base__buf_status(body, err);
}

/* The rows that conditions are about and that exist; or the static content, when there is some. */
static corm_status refusal(lwt_run *run, corm_error *err) {
    base_arena        *arena = run->write->request->arena;
    base_buf          *body = &run->write->request->answer->body;
    lwt_row            first = { 0 };
    bool               some = false;
    const cql_column **columns =
        BASE_NEW_ARRAY(arena, const cql_column *, run->table->column_count);
    wire_rows_writer writer;
    if (!columns) return base__fail_memory(err);
    if (!run->rows) CORM_TRY(first_row(run, &first, err));
    for (const lwt_row *row = run->rows; row; row = row->next) some = some || row->exists;
    if (!some && !first.exists && !run->statics.exists) return short_answer(run, false, err);

    uint32_t           count = shown_columns(run, columns);
    cql_result_column *shown = result_columns(run, columns, count);
    if (!shown) return base__fail_memory(err);
    wire__rows_begin(&writer, body, shown, count + 1, false, WIRE_VERSION);
    for (const lwt_row *row = run->rows; row; row = row->next)
        if (row->exists) put_row(run, row, columns, count, &writer);
    if (!some) put_row(run, first.exists ? &first : &run->statics, columns, count, &writer);
    wire__rows_end(&writer, (corm_bytes){ 0 });
    return base__buf_status(body, err);
}

/* ---- all of it ---- */

static corm_status expand(engine_write *write, const lwt_item *items, uint32_t count, lwt_item *out,
                          corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        out[i] = items[i];
        if (!items[i].modify->json) continue;
        cql_eval_env        env = engine__write_env(write, items[i].values, items[i].value_count);
        cql_checked_modify *expanded = BASE_NEW(write->request->arena, cql_checked_modify);
        if (!expanded) return base__fail_memory(err);
        CORM_TRY(cql__json_insert(items[i].modify, &env, expanded, err));
        out[i].modify = expanded;
    }
    return CORM_OK;
}

corm_status engine__lwt(engine_write *write, const lwt_item *items, uint32_t count, bool is_batch,
                        corm_error *err) {
    lwt_item *expanded = BASE_NEW_ARRAY(write->request->arena, lwt_item, count);
    lwt_run   run = { .write = write, .items = expanded, .count = count, .is_batch = is_batch };
    bool      holds;
    if (!expanded) return base__fail_memory(err);
    CORM_TRY(expand(write, items, count, expanded, err));
    run.table = items[0].modify->table;
    write->is_conditional = true;
    CORM_TRY(set_up(&run, err));
    CORM_TRY(all_hold(&run, &holds, err));
    if (!holds) return refusal(&run, err);
    CORM_TRY(engine__check_replicas(write->request, run.table, err));
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(engine__write_modify(write, expanded[i].modify, write->request->now_us,
                                      expanded[i].values, expanded[i].value_count, err));
    return short_answer(&run, true, err);
}
