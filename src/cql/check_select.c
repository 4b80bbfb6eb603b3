// SPDX-License-Identifier: MIT
/* check_select.c -- SELECT: its clauses in the order in which the server looks at them. */
#include "cql/check_internal.h"

/* ---- what the selectors read, before they are checked ---- */

/* Whether the selector reads a column of one of the kinds (bits). A map or user-defined type in braces says yes as soon as
 * a value in it reads none: a slip of the server's, that decides which of two errors is reported. */
static corm_status reads(cql_checker *c, const cql_expr *expr, unsigned kinds, bool *out) {
    bool braces = expr->kind == CQL_EXPR_MAP || expr->kind == CQL_EXPR_UDT;
    *out = false;
    if (expr->kind == CQL_EXPR_COLUMN) {
        const cql_column *column = NULL;
        CORM_TRY(cql__find_column(c, &expr->name.name, &column));
        *out = (kinds & 1u << column->kind) != 0;
        return CORM_OK;
    }
    bool     subscript = expr->kind == CQL_EXPR_ELEMENT || expr->kind == CQL_EXPR_SLICE;
    uint32_t count = subscript ? 1 : expr->count;
    for (uint32_t i = 0; i < count && !*out; i++) {
        bool is_value = expr->kind == CQL_EXPR_UDT || i % 2 == 1;
        bool is_name = braces && !is_value && expr->args[i]->kind == CQL_EXPR_COLUMN;
        if (is_name) continue;
        if (braces) CORM_TRY(cql__prepare_selector(c, expr->args[i]));
        CORM_TRY(reads(c, expr->args[i], kinds, out));
        if (braces && is_value) *out = !*out;
    }
    return CORM_OK;
}

static corm_status any_reads(cql_checker *c, const cql_select *select, unsigned kinds, bool *out) {
    *out = false;
    for (uint32_t i = 0; i < select->selector_count && !*out; i++) {
        CORM_TRY(cql__prepare_selector(c, select->selectors[i].expr));
        CORM_TRY(reads(c, select->selectors[i].expr, kinds, out));
    }
    return CORM_OK;
}

/* The server knows the selectors before WHERE only where it must look for static columns. */
static corm_status reads_only_static(cql_checker *c, const cql_select *select, bool *out) {
    bool others = false;
    *out = false;
    if (c->table->static_count == 0 || select->all) return CORM_OK;
    CORM_TRY(any_reads(c, select, 1u << CQL_STATIC, out));
    if (!*out) return CORM_OK;
    CORM_TRY(any_reads(c, select, 1u << CQL_CLUSTERING | 1u << CQL_REGULAR, &others));
    *out = !others;
    return CORM_OK;
}

static corm_status check_order_columns(cql_checker *c, const cql_select *select, bool fetch) {
    for (uint32_t i = 0; i < select->order_count; i++) {
        const cql_column *column = NULL;
        CORM_TRY(cql__find_column(c, &select->order_by[i].column, &column));
        if (fetch) cql__need_column(c, column);
    }
    return CORM_OK;
}

/* ---- the selection ---- */

static corm_status begin_selection(cql_checker *c, uint32_t count, cql_checked_select *out) {
    out->selector_count = count;
    out->selectors = BASE_NEW_ARRAY(c->arena, const cql_node *, count);
    out->columns = BASE_NEW_ARRAY(c->arena, cql_result_column, count);
    return out->selectors && out->columns ? CORM_OK : base__fail_memory(c->err);
}

static void set_column(const cql_checker *c, const cql_picked *picked, cql_result_column *out) {
    *out = (cql_result_column){ c->table->keyspace, c->table->name, picked->name, picked->type };
}

static corm_status select_all(cql_checker *c, cql_checked_select *out) {
    uint32_t count = c->table->column_count;
    CORM_TRY(begin_selection(c, count, out));
    for (uint32_t i = 0; i < count; i++) {
        const cql_column *column = &c->table->columns[i];
        cql_picked        picked = { .type = column->type, .name = column->name };
        CORM_TRY(cql__column_node(c, column, &out->selectors[i]));
        set_column(c, &picked, &out->columns[i]);
    }
    return CORM_OK;
}

static corm_status select_some(cql_checker *c, const cql_select *select, cql_checked_select *out) {
    CORM_TRY(begin_selection(c, select->selector_count, out));
    for (uint32_t i = 0; i < select->selector_count; i++) {
        cql_picked picked = { 0 };
        CORM_TRY(cql__prepare_selector(c, select->selectors[i].expr));
        CORM_TRY(cql__selector(c, select->selectors[i].expr, NULL, &picked));
        if (select->selectors[i].alias.text.data) picked.name = select->selectors[i].alias.text;
        out->selectors[i] = picked.node;
        set_column(c, &picked, &out->columns[i]);
    }
    return CORM_OK;
}

/* A name as a JSON member: upper case is kept by double quotes inside. */
static corm_status json_name(cql_checker *c, corm_str name, corm_str *out) {
    bool upper = false;
    for (size_t i = 0; i < name.len; i++)
        upper = upper || (name.data[i] >= 'A' && name.data[i] <= 'Z');
    *out = upper ? base__arena_printf(c->arena, "\"%.*s\"", CQL_STR(name)) : name;
    return out->data ? CORM_OK : base__fail_memory(c->err);
}

static corm_status wrap_json(cql_checker *c, cql_checked_select *out) {
    out->json_names = BASE_NEW_ARRAY(c->arena, corm_str, out->selector_count);
    cql_result_column *columns = BASE_NEW(c->arena, cql_result_column);
    if (!out->json_names || !columns) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < out->selector_count; i++) {
        CORM_TRY(json_name(c, out->columns[i].name, &out->json_names[i]));
    }
    *columns = (cql_result_column){ c->table->keyspace, c->table->name, corm_str_of("[json]"),
                                    cql__type_native(CQL_TEXT) };
    out->columns = columns;
    out->column_count = 1;
    return CORM_OK;
}

/* What is known when the statement is checked has been worked out, unless that fails. */
static bool is_known_call(const cql_node *node) {
    if (node->kind != CQL_NODE_CALL || !node->function->is_pure || node->count == 0) return false;
    for (uint32_t i = 0; i < node->count; i++)
        if (node->args[i]->kind != CQL_NODE_CONSTANT && node->args[i]->kind != CQL_NODE_MARKER)
            return false;
    return true;
}

/* Counts them, and puts them into `found` when it is there. */
static void find_known(const cql_node *node, const cql_node **found, uint32_t *count) {
    if (!node) return;
    for (uint32_t i = 0; i < node->count; i++) find_known(node->args[i], found, count);
    if (!is_known_call(node)) return;
    if (found) found[*count] = node;
    ++*count;
}

static void find_all_known(const cql_checked_select *select, const cql_node **found,
                           uint32_t *count) {
    *count = 0;
    for (uint32_t i = 0; i < select->selector_count; i++)
        find_known(select->selectors[i], found, count);
    for (uint32_t i = 0; i < select->aggregate_count; i++)
        for (uint32_t j = 0; j < select->aggregates[i].count; j++)
            find_known(select->aggregates[i].args[j], found, count);
}

static corm_status keep_known(cql_checker *c, cql_checked_select *out) {
    find_all_known(out, NULL, &out->known_count);
    if (out->known_count == 0) return CORM_OK;
    out->known = BASE_NEW_ARRAY(c->arena, const cql_node *, out->known_count);
    if (!out->known) return base__fail_memory(c->err);
    find_all_known(out, out->known, &out->known_count);
    return CORM_OK;
}

static corm_status check_selection(cql_checker *c, const cql_select *select,
                                   cql_checked_select *out) {
    c->selecting = true;
    corm_status status = select->all ? select_all(c, out) : select_some(c, select, out);
    c->selecting = false;
    if (status != CORM_OK) return status;
    out->column_count = out->selector_count;
    out->aggregate_count = c->aggregate_count;
    out->aggregates = c->aggregates;
    out->needs_metadata = c->needs_metadata;
    CORM_TRY(keep_known(c, out));
    return select->json ? wrap_json(c, out) : CORM_OK;
}

/* ---- DISTINCT ---- */

static corm_status check_distinct(cql_checker *c, const cql_select *select,
                                  const cql_where_facts *facts) {
    if (select->per_partition_limit) {
        return base__fail(c->err, CORM_INVALID,
                          "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries");
    }
    if (facts->has_clustering || (facts->has_other && !facts->other_only_static)) {
        return base__fail(
            c->err, CORM_INVALID,
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.");
    }
    for (uint32_t i = 0; i < c->used_count; i++) {
        const cql_column *column = c->used[i];
        if (column->kind == CQL_PARTITION_KEY || column->kind == CQL_STATIC) continue;
        return base__fail(
            c->err, CORM_INVALID,
            "SELECT DISTINCT queries must only request partition key columns and/or static columns (not %.*s)",
            CQL_STR(column->name));
    }
    for (uint32_t i = 0; facts->is_key_range && i < c->table->partition_count; i++) {
        if (c->needed[i]) continue;
        return base__fail(
            c->err, CORM_INVALID,
            "SELECT DISTINCT queries must request all the partition key columns (missing %.*s)",
            CQL_STR(c->table->columns[i].name));
    }
    return CORM_OK;
}

/* ---- limits, warnings, needed columns ---- */

static corm_status check_limits(cql_checker *c, const cql_select *select, cql_checked_select *out) {
    const cql_type *type = cql__type_native(CQL_INT);
    cql_receiver    limit = cql__named_receiver(c, "[limit]", type);
    cql_receiver    per = cql__named_receiver(c, "[per_partition_limit]", type);
    CORM_TRY(cql__optional_term(c, select->limit, &limit, &out->limit));
    return cql__optional_term(c, select->per_partition_limit, &per, &out->per_partition_limit);
}

static void add_warning(const cql_where_facts *facts, cql_checked_select *out) {
    static const char *const warnings[] = {
        "Aggregation query used without partition key",
        "Aggregation query used on multiple partition keys (IN restriction)"
    };
    if (out->aggregate_count == 0 && out->group_count == 0) return;
    if (facts->has_partition && !facts->key_in) return;
    out->warning_count = 1;
    out->warnings = (const char **)(uintptr_t)(facts->has_partition ? &warnings[1] : &warnings[0]);
}

static void collect_needed(cql_checker *c, const cql_where_facts *facts, cql_checked_select *out) {
    for (uint32_t i = 0; i < out->where.filter_count; i++)
        cql__need_column(c, out->where.filters[i].column);
    out->needed_count = c->used_count;
    out->needed = c->used;
    out->reads_static_only = !facts->has_clustering;
    out->full_partitions = !facts->has_clustering && !facts->has_regular;
    for (uint32_t i = 0; i < c->used_count; i++) {
        cql_column_kind kind = c->used[i]->kind;
        if (kind == CQL_CLUSTERING || kind == CQL_REGULAR) out->reads_static_only = false;
    }
}

static corm_status begin(cql_checker *c, const cql_select *select, cql_checked_select *out) {
    CORM_TRY(cql__use_table(c, &select->table));
    *out = (cql_checked_select){ .table = c->table,
                                 .json = select->json,
                                 .distinct = select->distinct,
                                 .allow_filtering = select->allow_filtering };
    c->needed = BASE_NEW_ARRAY(c->arena, bool, c->table->column_count);
    c->used = BASE_NEW_ARRAY(c->arena, const cql_column *, c->table->column_count);
    return c->needed && c->used ? CORM_OK : base__fail_memory(c->err);
}

static corm_status keep_ann(cql_checker *c, const cql_ann_order *order,
                            const cql_where_facts *facts, cql_checked_select *out) {
    cql_ann *ann = BASE_NEW(c->arena, cql_ann);
    if (!facts->ann_index) {
        return base__fail(c->err, CORM_INVALID,
                          "ANN ordering by vector requires the column to be indexed");
    }
    if (!ann) return base__fail_memory(c->err);
    *ann = (cql_ann){ facts->ann_index, order->query };
    out->ann = ann;
    cql__need_column(c, order->column);
    return CORM_OK;
}

static corm_status check_rows(cql_checker *c, const cql_select *select, cql_checked_select *out,
                              cql_where_facts *facts) {
    cql_where_input input = { .user = CQL_FOR_SELECT,
                              .count = select->where_count,
                              .relations = select->where,
                              .allow_filtering = select->allow_filtering };
    c->selecting = true;
    corm_status status = reads_only_static(c, select, &input.only_static);
    c->selecting = false;
    if (status != CORM_OK) return status;
    CORM_TRY(check_order_columns(c, select, false));
    CORM_TRY(cql__ann_order(c, select, &input.ann));
    CORM_TRY(cql__where(c, &input, &out->where, facts));
    return input.ann ? keep_ann(c, input.ann, facts, out) : CORM_OK;
}

corm_status cql__check_select(cql_checker *c, const cql_select *select, cql_checked_select *out) {
    cql_where_facts facts = { 0 };
    CORM_TRY(begin(c, select, out));
    CORM_TRY(check_rows(c, select, out, &facts));
    CORM_TRY(check_selection(c, select, out));
    if (facts.key_in) CORM_TRY(check_order_columns(c, select, true)); /* they are fetched too */
    if (select->distinct) CORM_TRY(check_distinct(c, select, &facts));
    CORM_TRY(cql__group_by(c, select, &facts, out));
    bool whole = out->aggregate_count > 0 && select->group_count == 0;
    if (whole && select->per_partition_limit) {
        return base__fail(c->err, CORM_INVALID,
                          "PER PARTITION LIMIT is not allowed with aggregate queries.");
    }
    CORM_TRY(cql__order_by(c, select, &facts, out));
    if ((facts.is_key_range || facts.uses_index) && facts.needs_filtering)
        return cql__refuse_filtering(c);
    CORM_TRY(check_limits(c, select, out));
    add_warning(&facts, out);
    collect_needed(c, &facts, out);
    return cql__check_masks(c, out);
}
