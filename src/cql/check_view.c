// SPDX-License-Identifier: MIT
/* check_view.c -- the WHERE clause of CREATE MATERIALIZED VIEW: from relations to what each row of the base table is held
 * against. Constants are worked out here, once; columns are known by id afterwards. Pure; any thread. */
#include "cql/check_internal.h"
#include "cql/ddl.h"
#include "cql/eval.h"
#include "cql/print.h"

/* A clause being read. */
typedef struct view_where {
    cql_checker   c;
    cql_rules     rules;
    cql_eval_env  env;
    cql_view_def *out;
    bool         *restricted; /* by index in the base table */
} view_where;

/* ---- reading ---- */

static corm_status not_null(view_where *w, const cql_relation *relation) {
    const cql_column *column;
    for (uint32_t i = 0; i < relation->column_count; i++) {
        CORM_TRY(cql__find_column(&w->c, &relation->columns[i], &column));
        w->restricted[column->index] = true;
    }
    return CORM_OK;
}

static corm_status read_relation(view_where *w, const cql_relation *relation) {
    cql_rule_set rule;
    if (relation->op == CQL_OP_IS_NOT_NULL) return not_null(w, relation);
    CORM_TRY(cql__relation(&w->c, relation, &rule));
    CORM_TRY(cql__merge_rule(&w->c, &w->rules, &rule));
    for (uint32_t i = 0; i < rule.count; i++) w->restricted[rule.columns[i]->index] = true;
    return CORM_OK;
}

/* ---- constants ---- */

static corm_status constant(view_where *w, const cql_row_value *value, uint32_t i,
                            const cql_column *column, corm_bytes *out) {
    const cql_node *node = value->nodes[value->packed ? 0 : i];
    cql_value       result;
    if (value->packed) {
        cql_node *field = cql__new_node(&w->c, CQL_NODE_FIELD, node->type->params[i], 1);
        if (!field) return base__fail_memory(w->c.err);
        field->index = i;
        field->args[0] = node;
        node = field;
    }
    CORM_TRY(cql__eval(node, &w->env, &result, w->c.err));
    if (result.len < 0)
        return base__fail(w->c.err, CORM_INVALID, "Invalid null value in condition for column %.*s",
                          CQL_STR(column->name));
    *out = (corm_bytes){ result.data, (size_t)result.len };
    return CORM_OK;
}

/* ---- filters ---- */

static corm_status add_filter(view_where *w, const cql_rule_set *rule, cql_operator op,
                              const cql_row_value *rows, uint32_t row_count) {
    cql_view_filter *filter = &w->out->filters[w->out->filter_count++];
    uint32_t         width = row_count > 0 ? rows[0].count : rule->count;
    if (row_count > 0 && rows[0].packed) width = rows[0].nodes[0]->type->count;
    if (width > rule->count) width = rule->count;
    *filter = (cql_view_filter){ .op = op, .width = width, .row_count = row_count };
    filter->column_ids = BASE_NEW_ARRAY(w->c.arena, uint32_t, width);
    filter->values = BASE_NEW_ARRAY(w->c.arena, corm_bytes, (size_t)width * row_count);
    if (!filter->column_ids || !filter->values) return base__fail_memory(w->c.err);
    for (uint32_t i = 0; i < width; i++) filter->column_ids[i] = rule->columns[i]->id;
    for (uint32_t row = 0; row < row_count; row++)
        for (uint32_t i = 0; i < width; i++)
            CORM_TRY(
                constant(w, &rows[row], i, rule->columns[i], &filter->values[row * width + i]));
    return CORM_OK;
}

static corm_status filter_rule(view_where *w, const cql_rule_set *rule) {
    switch (rule->rule) {
    case CQL_RULE_EQ:
    case CQL_RULE_IN: return add_filter(w, rule, CQL_OP_IN, rule->values, rule->value_count);
    case CQL_RULE_SLICE:
        if (rule->lower)
            CORM_TRY(add_filter(w, rule, rule->lower_inclusive ? CQL_OP_GTE : CQL_OP_GT,
                                rule->lower, 1));
        if (!rule->upper) return CORM_OK;
        return add_filter(w, rule, rule->upper_inclusive ? CQL_OP_LTE : CQL_OP_LT, rule->upper, 1);
    case CQL_RULE_CONTAINS:
    case CQL_RULE_LIKE: break;
    }
    return base__fail(w->c.err, CORM_INVALID,
                      "CONTAINS and LIKE in a materialized view are not supported by Corm");
}

corm_status cql__view_filters(cql_view_where *of, cql_view_def *out) {
    view_where *w = of->state;
    uint32_t    keys = w->c.table->partition_count + w->c.table->clustering_count;
    out->filters = BASE_NEW_ARRAY(w->c.arena, cql_view_filter, 2 * (size_t)keys);
    if (!out->filters) return base__fail_memory(w->c.err);
    w->out = out;
    for (uint32_t i = 0; i < keys;) {
        const cql_rule_set *rule = w->rules.by_column[i];
        i += rule ? rule->count : 1;
        if (rule) CORM_TRY(filter_rule(w, rule));
    }
    return CORM_OK;
}

/* The first names are those of the server, which keeps static and regular columns together by name. */
corm_status cql__view_where_others(const cql_view_where *of) {
    const view_where  *w = of->state;
    const cql_table   *base = w->c.table;
    const cql_column **others = BASE_NEW_ARRAY(w->c.arena, const cql_column *, base->column_count);
    uint32_t           count = 0;
    if (!others) return base__fail_memory(w->c.err);
    for (uint32_t i = base->partition_count + base->clustering_count; i < base->column_count; i++)
        if (w->rules.by_column[i]) others[count++] = &base->columns[i];
    if (count == 0) return CORM_OK;
    cql_checker names = w->c;
    return base__fail(w->c.err, CORM_INVALID,
                      "Non-primary key columns can only be restricted with 'IS NOT NULL' (got: %s "
                      "restricted illegally)",
                      cql__shown(cql__join_names(&names, others, count, ",")));
}

static corm_status read_all(view_where *w, const cql_relation *relations, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(read_relation(w, &relations[i]));
    return CORM_OK;
}

corm_status cql__view_where(cql_ddl *ddl, const cql_table *base, const cql_relation *relations,
                            uint32_t count, cql_view_where *out) {
    view_where *w = BASE_NEW(ddl->arena, view_where);
    if (!w) return base__fail_memory(ddl->err);
    w->c = (cql_checker){ .arena = ddl->arena,
                          .schema = ddl->schema,
                          .keyspace = base->keyspace,
                          .table = base,
                          .err = ddl->err };
    w->env = (cql_eval_env){ .context = { ddl->arena, ddl->now_us } };
    w->rules.count = base->column_count;
    w->rules.allow_filtering = true;
    w->rules.by_column = BASE_NEW_ARRAY(ddl->arena, cql_rule_set *, base->column_count);
    w->restricted = BASE_NEW_ARRAY(ddl->arena, bool, base->column_count);
    if (!w->rules.by_column || !w->restricted) return base__fail_memory(ddl->err);
    *out = (cql_view_where){ w, w->restricted };
    corm_status status = read_all(w, relations, count);
    base__map_free(&w->c.fits);
    w->c.fits = (base_map){ 0 };
    return w->c.no_memory ? base__fail_memory(ddl->err) : status;
}

/* ---- as text ---- */

static bool has_quote(const cql_expr *expr) {
    if (expr->kind == CQL_EXPR_STRING && expr->text.len > 0 &&
        memchr(expr->text.data, '\'', expr->text.len))
        return true;
    for (uint32_t i = 0; i < expr->count; i++)
        if (expr->args[i] && has_quote(expr->args[i])) return true;
    return false;
}

/* The server's form, except where it would not be CQL: it does not double quotes within texts. */
static void put_relation(const cql_relation *relation, base_buf *out) {
    static const char before[] = " WHERE ";
    bool              quoted = false;
    base_buf          text = { 0 };
    for (uint32_t i = 0; i < relation->term_count; i++)
        quoted = quoted || has_quote(relation->terms[i]);
    if (!quoted) {
        cql__put_relation(relation, out);
        return;
    }
    cql__print_where(&text, relation, 1);
    out->failed = out->failed || text.failed;
    if (!text.failed)
        base__buf_put(out, text.data + sizeof before - 1, text.len - (sizeof before - 1));
    base__buf_free(&text);
}

corm_status cql__view_where_text(cql_ddl *ddl, const cql_relation *relations, uint32_t count,
                                 corm_str *out) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(&text, " AND ");
        put_relation(&relations[i], &text);
    }
    corm_status status = base__buf_status(&text, ddl->err);
    *out = base__arena_str(ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return status == CORM_OK && !out->data ? base__fail_memory(ddl->err) : status;
}
