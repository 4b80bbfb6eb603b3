// SPDX-License-Identifier: MIT
/* check_order.c -- GROUP BY and ORDER BY: both follow the order of the primary key. */
#include "cql/check_internal.h"

/* ---- GROUP BY ---- */

/* The elements so far; they take the columns of the primary key in their order. */
typedef struct grouping {
    cql_checker           *c;
    const cql_where_facts *facts;
    uint32_t               next; /* primary key column */
    bool                   has_function;
    bool                   has_clustering;
} grouping;

static corm_status follow_key(grouping *g, const cql_column *column) {
    const cql_table *table = g->c->table;
    uint32_t         end = table->partition_count + table->clustering_count;
    while (g->next < end) {
        const cql_column *key = &table->columns[g->next++];
        if (key->kind == CQL_CLUSTERING) g->has_clustering = true;
        if (key == column) return CORM_OK;
        if (!g->facts->equal[key->index]) break;
    }
    return base__fail(
        g->c->err, CORM_INVALID,
        "Group by currently only support groups of columns following their declared order in the PRIMARY KEY");
}

/* The columns that a node reads, each once. */
static uint32_t columns_of(const cql_node *node, const cql_column **out, uint32_t count) {
    if (!node) return count;
    for (uint32_t i = 0; i < node->count; i++) count = columns_of(node->args[i], out, count);
    if (node->kind != CQL_NODE_COLUMN) return count;
    for (uint32_t i = 0; i < count; i++) {
        if (out[i] == node->column) return count;
    }
    out[count++] = node->column;
    return count;
}

static corm_status refuse_columns(cql_checker *c, const cql_column *const *columns,
                                  uint32_t count) {
    if (count == 0) {
        return base__fail(c->err, CORM_INVALID,
                          "GROUP BY functions must have one clustering column name as parameter");
    }
    base_buf names = { 0 };
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_u8(&names, ',');
        cql__put_name(&names, columns[i]->name);
    }
    return base__fail(c->err, CORM_INVALID,
                      "GROUP BY functions accept only one clustering column as parameter, got: %s",
                      cql__shown(cql__take_text(c, &names)));
}

static bool reads_column(const cql_node *node) {
    if (node->kind == CQL_NODE_COLUMN) return true;
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->args[i] && reads_column(node->args[i])) return true;
    }
    return false;
}

/* The signature with what is known before rows are read marked. */
static corm_status refuse_function(cql_checker *c, const cql_node *node) {
    const cql_function *function = node->function;
    base_buf            text = { 0 };
    base__buf_puts(&text, "Only monotonic functions are supported in the GROUP BY clause. Got: ");
    base__buf_puts(&text, "system.");
    cql__put_name(&text, function->name);
    base__buf_puts(&text, " : (");
    for (uint32_t i = 0; i < node->count; i++) {
        if (i > 0) base__buf_puts(&text, ", ");
        cql__type_print(function->args[i], &text);
        if (!reads_column(node->args[i])) base__buf_puts(&text, "(constant)");
    }
    base__buf_puts(&text, ") -> ");
    cql__type_print(function->result, &text);
    base__buf_u8(&text, ' ');
    corm_str words = cql__take_text(c, &text);
    if (!words.data) return base__fail_memory(c->err);
    cql__refuse_execution(c, words.data);
    return CORM_OK;
}

/* The server looks at this when it executes. */
static corm_status check_monotonic(cql_checker *c, const cql_node *node) {
    if (node->kind == CQL_NODE_COLUMN || !reads_column(node)) return CORM_OK;
    if (node->kind != CQL_NODE_CALL) {
        cql__refuse_execution(
            c,
            "Only column names and monotonic scalar functions are supported in the GROUP BY clause.");
        return CORM_OK;
    }
    bool fine = node->function->is_monotonic;
    for (uint32_t i = 1; i < node->count; i++) fine = fine && !reads_column(node->args[i]);
    return fine ? check_monotonic(c, node->args[0]) : refuse_function(c, node);
}

static corm_status select_group(cql_checker *c, const cql_expr *expr, cql_picked *out) {
    uint32_t aggregates = c->aggregate_count;
    *out = (cql_picked){ 0 };
    c->selecting = true;
    corm_status status = cql__prepare_selector(c, expr);
    if (status == CORM_OK) status = cql__selector(c, expr, NULL, out);
    c->selecting = false;
    if (status != CORM_OK) return status;
    if (c->aggregate_count == aggregates) return CORM_OK;
    return base__fail(
        c->err, CORM_INVALID,
        "Aggregate functions are not supported within the GROUP BY clause, got: system.%.*s",
        CQL_STR(c->aggregates[aggregates].function->name));
}

static corm_status group_function(grouping *g, const cql_picked *picked, const cql_column **out) {
    cql_checker       *c = g->c;
    const cql_column **columns =
        BASE_NEW_ARRAY(c->arena, const cql_column *, c->table->column_count);
    if (!columns) return base__fail_memory(c->err);
    uint32_t count = columns_of(picked->node, columns, 0);
    if (count != 1) return refuse_columns(c, columns, count);
    if (columns[0]->kind != CQL_CLUSTERING) {
        return base__fail(c->err, CORM_INVALID,
                          "Group by functions are only supported on clustering columns, got %.*s",
                          CQL_STR(columns[0]->name));
    }
    g->has_function = true;
    *out = columns[0];
    return check_monotonic(c, picked->node);
}

static corm_status group_element(grouping *g, const cql_expr *expr, const cql_node **out) {
    cql_checker      *c = g->c;
    cql_picked        picked;
    const cql_column *column = NULL;
    CORM_TRY(select_group(c, expr, &picked));
    *out = picked.node;
    if (!picked.column) {
        CORM_TRY(group_function(g, &picked, &column));
        return follow_key(g, column);
    }
    column = picked.column;
    if (column->kind != CQL_PARTITION_KEY && column->kind != CQL_CLUSTERING) {
        return base__fail(
            c->err, CORM_INVALID,
            "Group by is currently only supported on the columns of the PRIMARY KEY, got %.*s",
            CQL_STR(column->name));
    }
    if (g->has_function) {
        return base__fail(
            c->err, CORM_INVALID,
            "Functions are only supported on the last element of the GROUP BY clause");
    }
    return follow_key(g, column);
}

corm_status cql__group_by(cql_checker *c, const cql_select *select, const cql_where_facts *facts,
                          cql_checked_select *out) {
    grouping g = { .c = c, .facts = facts };
    if (select->group_count == 0) return CORM_OK;
    out->group_count = select->group_count;
    out->group_by = BASE_NEW_ARRAY(c->arena, const cql_node *, select->group_count);
    if (!out->group_by) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < select->group_count; i++) {
        CORM_TRY(group_element(&g, select->group_by[i], &out->group_by[i]));
    }
    if (g.next < c->table->partition_count) {
        return base__fail(c->err, CORM_INVALID,
                          "Group by is not supported on only a part of the partition key");
    }
    if (!g.has_clustering || !select->distinct) return CORM_OK;
    return base__fail(c->err, CORM_INVALID,
                      "Grouping on clustering columns is not allowed for SELECT DISTINCT queries");
}

/* ---- ORDER BY ---- */

/* Later orderings of a column replace earlier ones, in their place. */
static bool is_replaced(const cql_select *select, uint32_t at) {
    for (uint32_t i = 0; i < at; i++) {
        if (corm_str_equal(select->order_by[i].column.text, select->order_by[at].column.text))
            return true;
    }
    return false;
}

static bool last_direction(const cql_select *select, corm_str column) {
    bool descending = false;
    for (uint32_t i = 0; i < select->order_count; i++) {
        if (corm_str_equal(select->order_by[i].column.text, column))
            descending = select->order_by[i].descending;
    }
    return descending;
}

static corm_status check_order_allowed(cql_checker *c, const cql_where_facts *facts) {
    if (facts->uses_index) {
        return base__fail(c->err, CORM_INVALID,
                          "ORDER BY with 2ndary indexes is not supported, except for ANN queries.");
    }
    if (!facts->is_key_range) return CORM_OK;
    return base__fail(
        c->err, CORM_INVALID,
        "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.");
}

/* Whether clustering columns [*next, position) may be left out. */
static corm_status skip_to(cql_checker *c, const cql_where_facts *facts, uint32_t *next,
                           uint32_t position) {
    uint32_t first = c->table->partition_count;
    while (*next != position) {
        bool known = *next < c->table->clustering_count && facts->equal[first + *next];
        (*next)++;
        if (known) continue;
        return base__fail(
            c->err, CORM_INVALID,
            "Order by currently only supports the ordering of columns following their declared order in "
            "the PRIMARY KEY");
    }
    (*next)++;
    return CORM_OK;
}

corm_status cql__order_by(cql_checker *c, const cql_select *select, const cql_where_facts *facts,
                          cql_checked_select *out) {
    uint32_t next = 0;
    if (select->order_count == 0 || facts->ann_index) return CORM_OK;
    CORM_TRY(check_order_allowed(c, facts));
    cql_sort *sort = BASE_NEW_ARRAY(c->arena, cql_sort, select->order_count);
    if (!sort) return base__fail_memory(c->err);
    uint32_t count = 0;
    for (uint32_t i = 0; i < select->order_count; i++) {
        const cql_column *column = NULL;
        if (is_replaced(select, i)) continue;
        CORM_TRY(cql__find_column(c, &select->order_by[i].column, &column));
        if (column->kind != CQL_CLUSTERING) {
            return base__fail(
                c->err, CORM_INVALID,
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, got %.*s",
                CQL_STR(column->name));
        }
        CORM_TRY(skip_to(c, facts, &next, column->position));
        sort[count] = (cql_sort){ column, last_direction(select, column->name) };
        bool reversed = sort[count].descending != column->descending;
        if (count++ == 0) out->reversed = reversed;
        if (reversed != out->reversed)
            return base__fail(c->err, CORM_INVALID, "Unsupported order by relation");
    }
    if (!facts->key_in) return CORM_OK;
    out->sort_count = count;
    out->sort = sort;
    for (uint32_t i = 0; i < count; i++) cql__need_column(c, sort[i].column);
    return CORM_OK;
}
