// SPDX-License-Identifier: MIT
/* check_mask.c -- masked columns of a SELECT: what stands for their values where the reader may not see them, and which of them the
 * WHERE clause looks at. Who sees what is the engine's to decide. Pure; any thread.
 *
 * A mask is kept in the schema as a function and literals; here it becomes the selector "function(column, literal, …)". */
#include "cql/check_internal.h"
#include "cql/java.h"
#include "cql/parser.h"

static bool has_masks(const cql_table *table) {
    for (uint32_t i = 0; i < table->column_count; i++)
        if (table->columns[i].mask.present) return true;
    return false;
}

static corm_status mask_text(cql_checker *c, const cql_column *column, corm_str *out) {
    const cql_mask_def *mask = &column->mask;
    base_buf            text = { 0 };
    base__buf_puts(&text, "SELECT ");
    cql__put_name(&text, mask->function);
    base__buf_u8(&text, '(');
    cql__put_name(&text, column->name);
    for (uint32_t i = 0; i < mask->count; i++)
        base__buf_printf(&text, ", %.*s", CQL_STR(mask->arguments[i]));
    base__buf_puts(&text, ") FROM t");
    *out = cql__take_text(c, &text);
    return out->data ? CORM_OK : base__fail_memory(c->err);
}

static corm_status check_mask(cql_checker *c, const cql_column *column, cql_column_mask *out) {
    corm_str       text;
    cql_statement *statement = NULL;
    cql_picked     picked = { 0 };
    CORM_TRY(mask_text(c, column, &text));
    CORM_TRY(cql__parse(c->arena, text, &statement, NULL, c->err));
    const cql_expr *expr = statement->as.select.selectors[0].expr;
    c->selecting = true;
    corm_status status = cql__prepare_selector(c, expr);
    if (status == CORM_OK) status = cql__selector(c, expr, column->type, &picked);
    c->selecting = false;
    *out = (cql_column_mask){ column, picked.node };
    return status;
}

static corm_status check_masks(cql_checker *c, cql_checked_select *out) {
    out->masks = BASE_NEW_ARRAY(c->arena, cql_column_mask, out->needed_count);
    if (!out->masks) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < out->needed_count; i++) {
        if (!out->needed[i]->mask.present) continue;
        CORM_TRY(check_mask(c, out->needed[i], &out->masks[out->mask_count++]));
    }
    return CORM_OK;
}

/* ---- what WHERE looks at ---- */

static void mark_keys(const cql_restriction *restrictions, uint32_t count, uint32_t first,
                      bool *looked_at) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < restrictions[i].count; j++)
            looked_at[first + restrictions[i].first + j] = true;
}

static void mark_columns(const cql_table *table, const cql_where *where, bool *looked_at) {
    mark_keys(where->partition, where->partition_count, 0, looked_at);
    mark_keys(where->clustering, where->clustering_count, table->partition_count, looked_at);
    for (uint32_t i = 0; where->token.present && i < table->partition_count; i++)
        looked_at[i] = true;
    for (uint32_t i = 0; i < where->filter_count; i++) {
        const cql_filter *filter = &where->filters[i];
        looked_at[filter->column->index] = true;
        for (uint32_t j = 0; j < filter->column_count; j++)
            looked_at[filter->columns[j]->index] = true;
    }
}

/* In the order of the server's map of a table's columns, which its message shows. */
static corm_status order_columns(cql_checker *c, uint32_t *order) {
    uint32_t  count = c->table->column_count;
    corm_str *names = BASE_NEW_ARRAY(c->arena, corm_str, count);
    if (!names) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < count; i++) names[i] = c->table->columns[i].name;
    cql__java_order(CQL_JAVA_BYTES, names, count, 1, CQL_JAVA_CAPACITY, order);
    return CORM_OK;
}

static corm_status check_restricted(cql_checker *c, cql_checked_select *out) {
    uint32_t           count = c->table->column_count;
    bool              *looked_at = BASE_NEW_ARRAY(c->arena, bool, count);
    uint32_t          *order = BASE_NEW_ARRAY(c->arena, uint32_t, count);
    const cql_column **columns = BASE_NEW_ARRAY(c->arena, const cql_column *, count);
    if (!looked_at || !order || !columns) return base__fail_memory(c->err);
    CORM_TRY(order_columns(c, order));
    mark_columns(c->table, &out->where, looked_at);
    out->masked_restricted = columns;
    for (uint32_t i = 0; i < count; i++) {
        const cql_column *column = &c->table->columns[order[i]];
        if (looked_at[column->index] && column->mask.present)
            columns[out->masked_restricted_count++] = column;
    }
    return CORM_OK;
}

corm_status cql__check_masks(cql_checker *c, cql_checked_select *out) {
    if (!has_masks(c->table)) return CORM_OK;
    CORM_TRY(check_masks(c, out));
    return check_restricted(c, out);
}
