// SPDX-License-Identifier: MIT
/* fake_select.c -- SELECT from the system tables: columns by name, WHERE with = and IN. The fake's thread. */
#include "testing/fake.h"

bool fake__is_system(corm_str keyspace) {
    return base__str_has_prefix(keyspace, corm_str_of("system"));
}

/* ---- columns ---- */

static const cql_result_column *find_column(const cql_result_column *columns, uint32_t count,
                                            corm_str name, uint32_t *at) {
    for (uint32_t i = 0; i < count; i++) {
        if (!corm_str_equal(columns[i].name, name)) continue;
        *at = i;
        return &columns[i];
    }
    return NULL;
}

static corm_status table_of(base_arena *arena, const fake_text *text, const fake_table **table,
                            cql_result_column **columns, uint32_t *count, corm_error *err) {
    *table = text->statement ? fake__system_table(text->keyspace, text->table) : NULL;
    if (!*table) {
        return base__fail(err, CORM_INVALID, "table %.*s does not exist", (int)text->table.len,
                          text->table.data);
    }
    return fake__columns_read(arena, (*table)->columns, columns, count, err);
}

/* The table's columns that the SELECT names: as indexes. */
static corm_status selected(base_arena *arena, const fake_text *text, const cql_result_column *all,
                            uint32_t all_count, uint32_t **out, uint32_t *count, corm_error *err) {
    const cql_select *select = &text->statement->as.select;
    *count = select->all ? all_count : select->selector_count;
    *out = BASE_NEW_ARRAY(arena, uint32_t, *count + 1);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < *count; i++) {
        (*out)[i] = i;
        if (select->all) continue;
        const cql_expr *expr = select->selectors[i].expr;
        if (expr->kind != CQL_EXPR_COLUMN ||
            !find_column(all, all_count, expr->name.name.text, &(*out)[i])) {
            return base__fail(err, CORM_INVALID, "Undefined column name %.*s in table %.*s.%.*s",
                              (int)expr->name.name.text.len, expr->name.name.text.data,
                              (int)text->keyspace.len, text->keyspace.data, (int)text->table.len,
                              text->table.data);
        }
    }
    return CORM_OK;
}

corm_status fake__select_columns(base_arena *arena, const fake_text *text, cql_result_column **out,
                                 uint32_t *count, corm_error *err) {
    const fake_table  *table = NULL;
    cql_result_column *all = NULL;
    uint32_t           all_count = 0, *chosen = NULL;
    CORM_TRY(table_of(arena, text, &table, &all, &all_count, err));
    CORM_TRY(selected(arena, text, all, all_count, &chosen, count, err));
    *out = BASE_NEW_ARRAY(arena, cql_result_column, *count + 1);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < *count; i++) (*out)[i] = all[chosen[i]];
    return CORM_OK;
}

corm_status fake__select_markers(base_arena *arena, const fake_text *text, cql_marker *markers,
                                 corm_error *err) {
    const fake_table  *table = NULL;
    cql_result_column *all = NULL;
    uint32_t           count = 0, at;
    CORM_TRY(table_of(arena, text, &table, &all, &count, err));
    const cql_select *select = &text->statement->as.select;
    for (uint32_t i = 0; i < select->where_count; i++) {
        const cql_relation *relation = &select->where[i];
        if (relation->column_count != 1) continue;
        const cql_result_column *column = find_column(all, count, relation->columns[0].text, &at);
        for (uint32_t t = 0; column && t < relation->term_count; t++) {
            if (relation->terms[t]->kind != CQL_EXPR_MARKER) continue;
            cql_marker *marker = &markers[relation->terms[t]->index];
            marker->type =
                relation->in_marker ? cql__type_list(arena, column->type, true) : column->type;
            if (!marker->type) return base__fail_memory(err);
        }
    }
    return CORM_OK;
}

/* ---- rows ---- */

static corm_status read_literal(base_arena *arena, const cql_type *type, const char *text,
                                cql_value *out, corm_error *err) {
    base_buf bytes = { 0 };
    bool     is_null = text == NULL;
    *out = CQL_NULL;
    if (is_null) return CORM_OK;
    corm_status status = cql__from_text(type, corm_str_of(text), &bytes, &is_null, err);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    if (status == CORM_OK && !is_null) {
        *out = (cql_value){ base__arena_copy(arena, bytes.data, bytes.len), (int32_t)bytes.len };
        if (!out->data) status = base__fail_memory(err);
    }
    base__buf_free(&bytes);
    return status;
}

/* The bound value of a marker, by position or by name. */
static cql_value bound(const wire_request *request, const cql_expr *marker) {
    if (!request->names) {
        return marker->index < request->value_count ? request->values[marker->index] : CQL_NULL;
    }
    for (uint32_t i = 0; i < request->value_count; i++) {
        if (corm_str_equal(request->names[i], marker->name.name.text)) return request->values[i];
    }
    return CQL_NULL;
}

static bool same(cql_value a, cql_value b) {
    return a.len == b.len && a.len >= 0 && memcmp(a.data, b.data, (size_t)a.len) == 0;
}

static bool in_list(const cql_type *list, cql_value value, cql_value cell) {
    cql_walk   walk;
    cql_value  item;
    corm_error err;
    if (!list || cql__is_null(value) || cql__walk_begin(&walk, list, value, &err) != CORM_OK) {
        return false;
    }
    while (cql__walk_next(&walk, &item)) {
        if (same(item, cell)) return true;
    }
    return false;
}

static bool equals_term(base_arena *arena, const wire_request *request, const cql_type *type,
                        const cql_expr *term, bool is_list, cql_value cell) {
    corm_error err;
    cql_value  value = CQL_NULL;
    base_buf   printed = { 0 };
    if (term->kind == CQL_EXPR_MARKER) {
        value = bound(request, term);
        return is_list ? in_list(cql__type_list(arena, type, true), value, cell)
                       : same(value, cell);
    }
    cql__print_expr(term, &printed);
    const char *literal = base__buf_cstr(&printed);
    bool        read = literal && read_literal(arena, type, literal, &value, &err) == CORM_OK;
    base__buf_free(&printed);
    return read && same(value, cell);
}

static bool holds(base_arena *arena, const cql_relation *relation, const wire_request *request,
                  const cql_type *type, cql_value cell) {
    if (relation->op != CQL_OP_EQ && relation->op != CQL_OP_IN) return true;
    for (uint32_t t = 0; t < relation->term_count; t++) {
        if (equals_term(arena, request, type, relation->terms[t], relation->in_marker, cell)) {
            return true;
        }
    }
    return false;
}

/* A scan of one table. */
typedef struct scan {
    base_arena         *arena;
    const fake_table   *table;
    const cql_select   *select;
    const wire_request *request;
    cql_result_column  *columns;
    uint32_t            column_count;
    uint32_t           *chosen;
    uint32_t            chosen_count;
    const char        **literals;
    cql_value          *cells;
} scan;

static bool passes(const scan *all) {
    for (uint32_t i = 0; i < all->select->where_count; i++) {
        const cql_relation *relation = &all->select->where[i];
        uint32_t            at = 0;
        if (relation->kind != CQL_REL_COLUMN) continue;
        if (!find_column(all->columns, all->column_count, relation->columns[0].text, &at)) continue;
        if (!holds(all->arena, relation, all->request, all->columns[at].type, all->cells[at])) {
            return false;
        }
    }
    return true;
}

static corm_status write_rows(const scan *all, fake_node *node, wire_rows_writer *writer,
                              corm_error *err) {
    for (uint32_t row = 0;; row++) {
        memset(all->literals, 0, all->column_count * sizeof *all->literals);
        if (!all->table->row || !all->table->row(node, row, all->arena, all->literals)) break;
        for (uint32_t i = 0; i < all->column_count; i++) {
            CORM_TRY(read_literal(all->arena, all->columns[i].type, all->literals[i],
                                  &all->cells[i], err));
        }
        if (!passes(all)) continue;
        for (uint32_t i = 0; i < all->chosen_count; i++) {
            cql__put_value(writer->body, all->cells[all->chosen[i]]);
        }
        wire__row_done(writer);
    }
    return CORM_OK;
}

corm_status fake__select_rows(fake_node *node, base_arena *arena, const fake_text *text,
                              const wire_request *request, const fake_shape *shape, uint8_t version,
                              base_buf *body, corm_error *err) {
    wire_rows_writer writer;
    scan             all = { .arena = arena, .request = request };
    CORM_TRY(table_of(arena, text, &all.table, &all.columns, &all.column_count, err));
    all.select = &text->statement->as.select;
    CORM_TRY(
        selected(arena, text, all.columns, all.column_count, &all.chosen, &all.chosen_count, err));
    all.literals = BASE_NEW_ARRAY(arena, const char *, all.column_count);
    all.cells = BASE_NEW_ARRAY(arena, cql_value, all.column_count);
    if (!all.literals || !all.cells) return base__fail_memory(err);
    fake__rows_begin(&writer, body, shape, request, version);
    CORM_TRY(write_rows(&all, node, &writer, err));
    wire__rows_end(&writer, (corm_bytes){ 0 });
    return CORM_OK;
}
