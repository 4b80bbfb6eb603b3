// SPDX-License-Identifier: MIT
/* print.c -- clauses and data statements as canonical CQL: one line, keywords in upper case. Pure. */
#include "cql/print.h"

/* ---- clauses ---- */

static const char *const operators[] = {
    [CQL_OP_EQ] = " = ",
    [CQL_OP_NEQ] = " != ",
    [CQL_OP_LT] = " < ",
    [CQL_OP_LTE] = " <= ",
    [CQL_OP_GT] = " > ",
    [CQL_OP_GTE] = " >= ",
    [CQL_OP_IN] = " IN ",
    [CQL_OP_CONTAINS] = " CONTAINS ",
    [CQL_OP_CONTAINS_KEY] = " CONTAINS KEY ",
    [CQL_OP_LIKE] = " LIKE ",
    [CQL_OP_IS_NOT_NULL] = " IS NOT NULL",
};

/* operator and terms */
static void print_test(base_buf *out, cql_operator op, cql_expr *const *terms, uint32_t count,
                       bool in_marker) {
    base__buf_puts(out, operators[op]);
    if (op == CQL_OP_IN && !in_marker) {
        cql__print_enclosed(out, cql__print_expr_item, terms, count);
    } else if (count > 0) {
        cql__print_expr(terms[0], out);
    }
}

static void print_relation(base_buf *out, const void *items, uint32_t i) {
    const cql_relation *relation = (const cql_relation *)items + i;
    switch (relation->kind) {
    case CQL_REL_EXPR:
        base__buf_puts(out, "expr(");
        cql__print_name(out, &relation->columns[0]);
        base__buf_puts(out, ", ");
        cql__print_expr(relation->terms[0], out);
        base__buf_puts(out, ")");
        return;
    case CQL_REL_COLUMN: cql__print_name(out, &relation->columns[0]); break;
    case CQL_REL_ELEMENT:
        cql__print_name(out, &relation->columns[0]);
        base__buf_puts(out, "[");
        cql__print_expr(relation->key, out);
        base__buf_puts(out, "]");
        break;
    case CQL_REL_TOKEN: base__buf_puts(out, "TOKEN"); /* fall through */
    case CQL_REL_MULTI:
        cql__print_enclosed(out, cql__print_name_item, relation->columns, relation->column_count);
        break;
    }
    print_test(out, relation->op, relation->terms, relation->term_count, relation->in_marker);
}

void cql__print_where(base_buf *out, const cql_relation *relations, uint32_t count) {
    if (count == 0) return;
    base__buf_puts(out, " WHERE ");
    cql__print_items(out, print_relation, relations, count, " AND ");
}

static void print_condition(base_buf *out, const void *items, uint32_t i) {
    const cql_condition *condition = (const cql_condition *)items + i;
    cql__print_name(out, &condition->column);
    if (condition->field.text.data) {
        base__buf_puts(out, ".");
        cql__print_name(out, &condition->field);
    } else if (condition->element) {
        base__buf_puts(out, "[");
        cql__print_expr(condition->element, out);
        base__buf_puts(out, "]");
    }
    print_test(out, condition->op, condition->terms, condition->term_count, condition->in_marker);
}

static void print_if(base_buf *out, const cql_update *update) {
    if (update->if_exists) base__buf_puts(out, " IF EXISTS");
    if (update->condition_count == 0) return;
    base__buf_puts(out, " IF ");
    cql__print_items(out, print_condition, update->conditions, update->condition_count, " AND ");
}

static void print_optional(base_buf *out, const char *words, const cql_expr *expr) {
    if (!expr) return;
    base__buf_puts(out, words);
    cql__print_expr(expr, out);
}

/* TIMESTAMP first, but markers keep the order that numbered them. */
static void print_using(base_buf *out, const cql_using *using) {
    const cql_expr *timestamp = using->timestamp, *ttl = using->ttl;
    bool            swap = timestamp && ttl && timestamp->kind == CQL_EXPR_MARKER &&
                ttl->kind == CQL_EXPR_MARKER && ttl->index < timestamp->index;
    if (swap) print_optional(out, " USING TTL ", ttl);
    print_optional(out, swap ? " AND TIMESTAMP " : " USING TIMESTAMP ", timestamp);
    if (!swap) print_optional(out, timestamp ? " AND TTL " : " USING TTL ", ttl);
}

void cql__print_property_item(base_buf *out, const void *items, uint32_t i) {
    const cql_property *property = (const cql_property *)items + i;
    cql__print_name(out, &property->name);
    base__buf_puts(out, " = ");
    if (property->is_name) {
        base__buf_put_str(out, property->value->text);
    } else {
        cql__print_expr(property->value, out);
    }
}

void cql__print_properties(base_buf *out, const cql_property *properties, uint32_t count) {
    if (count == 0) return;
    base__buf_puts(out, " WITH ");
    cql__print_items(out, cql__print_property_item, properties, count, " AND ");
}

/* ---- SELECT ---- */

static void print_selector(base_buf *out, const void *items, uint32_t i) {
    const cql_selector *selector = (const cql_selector *)items + i;
    cql__print_expr(selector->expr, out);
    if (!selector->alias.text.data) return;
    base__buf_puts(out, " AS ");
    cql__print_name(out, &selector->alias);
}

void cql__print_selectors(base_buf *out, bool all, const cql_selector *selectors, uint32_t count) {
    if (all) base__buf_puts(out, "*");
    cql__print_items(out, print_selector, selectors, count, ", ");
}

static void print_order(base_buf *out, const void *items, uint32_t i) {
    const cql_order *order = (const cql_order *)items + i;
    cql__print_name(out, &order->column);
    print_optional(out, " ANN OF ", order->ann_of);
    if (order->explicit_direction) base__buf_puts(out, order->descending ? " DESC" : " ASC");
}

static void print_select(base_buf *out, const cql_select *select) {
    base__buf_puts(out, "SELECT ");
    if (select->json) base__buf_puts(out, "JSON ");
    if (select->distinct) base__buf_puts(out, "DISTINCT ");
    cql__print_selectors(out, select->all, select->selectors, select->selector_count);
    base__buf_puts(out, " FROM ");
    cql__print_ref(out, &select->table);
    cql__print_where(out, select->where, select->where_count);
    if (select->group_count) {
        base__buf_puts(out, " GROUP BY ");
        cql__print_items(out, cql__print_expr_item, select->group_by, select->group_count, ", ");
    }
    if (select->order_count) {
        base__buf_puts(out, " ORDER BY ");
        cql__print_items(out, print_order, select->order_by, select->order_count, ", ");
    }
    print_optional(out, " PER PARTITION LIMIT ", select->per_partition_limit);
    print_optional(out, " LIMIT ", select->limit);
    if (select->allow_filtering) base__buf_puts(out, " ALLOW FILTERING");
}

/* ---- INSERT, UPDATE, DELETE, BATCH ---- */

static void print_values(base_buf *out, const cql_insert *insert) {
    base__buf_puts(out, " ");
    cql__print_enclosed(out, cql__print_name_item, insert->columns, insert->count);
    base__buf_puts(out, " VALUES ");
    cql__print_enclosed(out, cql__print_expr_item, insert->values, insert->value_count);
}

static void print_insert(base_buf *out, const cql_insert *insert) {
    base__buf_puts(out, "INSERT INTO ");
    cql__print_ref(out, &insert->table);
    if (insert->json) {
        print_optional(out, " JSON ", insert->json);
        if (insert->json_default_unset) base__buf_puts(out, " DEFAULT UNSET");
        if (insert->json_default_null) base__buf_puts(out, " DEFAULT NULL");
    } else {
        print_values(out, insert);
    }
    if (insert->if_not_exists) base__buf_puts(out, " IF NOT EXISTS");
    print_using(out, &insert->using);
}

/* The column as the right side names it: `c += v` names none. */
static void print_own_change(base_buf *out, const cql_change *change, const char *op) {
    if (change->other.text.data) {
        base__buf_puts(out, " = ");
        cql__print_name(out, &change->other);
        base__buf_printf(out, " %s ", op);
    } else {
        base__buf_printf(out, " %s= ", op);
    }
    cql__print_expr(change->value, out);
}

static void print_change(base_buf *out, const void *items, uint32_t i) {
    const cql_change *change = (const cql_change *)items + i;
    cql__print_name(out, &change->column);
    if (change->field.text.data) {
        base__buf_puts(out, ".");
        cql__print_name(out, &change->field);
    }
    if (change->key) {
        base__buf_puts(out, "[");
        cql__print_expr(change->key, out);
        base__buf_puts(out, "]");
    }
    if (change->kind == CQL_CHANGE_ADD) {
        print_own_change(out, change, "+");
    } else if (change->kind == CQL_CHANGE_SUBTRACT) {
        print_own_change(out, change, "-");
    } else {
        print_optional(out, " = ", change->value);
    }
    if (change->kind == CQL_CHANGE_PREPEND) {
        base__buf_puts(out, " + ");
        cql__print_name(out, &change->other);
    }
}

static void print_update(base_buf *out, const cql_update *update) {
    base__buf_puts(out, "UPDATE ");
    cql__print_ref(out, &update->table);
    print_using(out, &update->using);
    base__buf_puts(out, " SET ");
    cql__print_items(out, print_change, update->changes, update->change_count, ", ");
    cql__print_where(out, update->where, update->where_count);
    print_if(out, update);
}

static void print_delete(base_buf *out, const cql_delete *deletion) {
    base__buf_puts(out, "DELETE ");
    cql__print_items(out, print_change, deletion->changes, deletion->change_count, ", ");
    base__buf_puts(out, deletion->change_count ? " FROM " : "FROM ");
    cql__print_ref(out, &deletion->table);
    print_using(out, &deletion->using);
    cql__print_where(out, deletion->where, deletion->where_count);
    print_if(out, deletion);
}

static void print_batch(base_buf *out, const cql_batch *batch) {
    static const char *const kinds[] = {
        [CQL_BATCH_LOGGED] = "BEGIN BATCH",
        [CQL_BATCH_UNLOGGED] = "BEGIN UNLOGGED BATCH",
        [CQL_BATCH_COUNTER] = "BEGIN COUNTER BATCH",
    };
    base__buf_puts(out, kinds[batch->kind]);
    print_using(out, &batch->using);
    for (uint32_t i = 0; i < batch->count; i++) {
        base__buf_puts(out, " ");
        cql__print(batch->statements[i], out);
        base__buf_puts(out, ";");
    }
    base__buf_puts(out, " APPLY BATCH");
}

void cql__print(const cql_statement *s, base_buf *out) {
    switch (s->kind) {
    case CQL_STMT_SELECT: print_select(out, &s->as.select); break;
    case CQL_STMT_INSERT: print_insert(out, &s->as.insert); break;
    case CQL_STMT_UPDATE: print_update(out, &s->as.update); break;
    case CQL_STMT_DELETE: print_delete(out, &s->as.delete_); break;
    case CQL_STMT_BATCH: print_batch(out, &s->as.batch); break;
    default:
        if (s->kind >= CQL_STMT_CREATE_ROLE && s->kind <= CQL_STMT_LIST_PERMISSIONS) {
            cql__print_role(out, s);
        } else {
            cql__print_schema(out, s);
        }
    }
}

/* ---- the caret ---- */

static size_t code_point_length(corm_str line, size_t at) {
    size_t len = 1;
    while (at + len < line.len && ((unsigned char)line.data[at + len] & 0xc0) == 0x80) len++;
    return len;
}

/* The line's text, without its end. */
static corm_str line_of(corm_str text, uint32_t line) {
    const char *start = text.data, *end = text.data + text.len;
    for (; line > 1 && start; line--) {
        start = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
        if (start) start++;
    }
    if (!start) return (corm_str){ end, 0 };
    const char *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    if (!stop) stop = end;
    if (stop > start && stop[-1] == '\r') stop--;
    return (corm_str){ start, (size_t)(stop - start) };
}

/* A long line is shown from SHOWN_BEFORE characters before the place, SHOWN_MOST in all. */
enum { SHOWN_BEFORE = 60, SHOWN_MOST = 160 };

void cql__print_caret(corm_str text, cql_place place, uint32_t length, base_buf *out) {
    corm_str line = line_of(text, place.line);
    size_t   first = 0, shown = 0, at = 0;
    uint32_t column = 0, skip = place.column > SHOWN_MOST / 2 ? place.column - SHOWN_BEFORE : 0;
    for (; column < skip && first < line.len; column++) first += code_point_length(line, first);
    for (at = first; at < line.len && shown < SHOWN_MOST; shown++)
        at += code_point_length(line, at);
    if (first > 0) base__buf_puts(out, "...");
    base__buf_put(out, line.data + first, at - first);
    base__buf_puts(out, at < line.len ? "...\n" : "\n");
    if (first > 0) base__buf_puts(out, "   ");
    for (at = first; column < place.column; column++) {
        bool tab = at < line.len && line.data[at] == '\t';
        base__buf_puts(out, tab ? "\t" : " ");
        if (at < line.len) at += code_point_length(line, at);
    }
    size_t before = place.column - skip;
    size_t most = shown > before ? shown - before : 1;
    base__buf_puts(out, "^");
    for (size_t i = 1; i < length && i < most; i++) base__buf_puts(out, "~");
    base__buf_puts(out, "\n");
}
