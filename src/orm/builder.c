// SPDX-License-Identifier: MIT
/* builder.c -- the life of a builder, its names and markers, and its end: the tree's markers get their numbers in the order of the
 * text, their values stand in the same order, and cql__print writes the text. One thread. */
#include "orm/builder.h"

#include <stdarg.h>
#include <stdlib.h>

#include "session/core.h"

/* ---- mistakes ---- */

bool orm__builder_bad(corm_builder *builder, corm_status status, const char *format, ...) {
    char    text[sizeof builder->error.message];
    va_list args;
    if (builder->status != CORM_OK) return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    builder->status = base__fail(&builder->error, status, "%s", text);
    return false;
}

bool orm__builder_no_memory(corm_builder *builder) {
    if (builder->status == CORM_OK) builder->status = base__fail_memory(&builder->error);
    return false;
}

static unsigned kind_of(const corm_builder *builder) {
    switch (builder->statement.kind) {
    case CQL_STMT_SELECT: return ORM_B_SELECT;
    case CQL_STMT_INSERT: return ORM_B_INSERT;
    case CQL_STMT_UPDATE: return ORM_B_UPDATE;
    default: return ORM_B_DELETE;
    }
}

bool orm__builder_is(corm_builder *builder, unsigned kinds, const char *what) {
    if (!builder || builder->status != CORM_OK) return false;
    if (kinds & kind_of(builder)) return true;
    const char *name = cql__statement_name(builder->statement.kind);
    return orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "%s %s has no %s",
                            name[0] == 'I' || name[0] == 'U' ? "an" : "a", name, what);
}

/* ---- beginning ---- */

static cql_ref *table_of(corm_builder *builder) {
    cql_statement *s = &builder->statement;
    switch (s->kind) {
    case CQL_STMT_SELECT: return &s->as.select.table;
    case CQL_STMT_INSERT: return &s->as.insert.table;
    case CQL_STMT_UPDATE: return &s->as.update.table;
    default: return &s->as.delete_.table;
    }
}

static corm_builder *new_builder(cql_statement_kind kind) {
    corm_builder *builder = calloc(1, sizeof *builder);
    if (builder) builder->statement.kind = kind;
    return builder;
}

static corm_builder *begin(cql_statement_kind kind, const char *table) {
    corm_builder *builder = new_builder(kind);
    if (!builder) return NULL;
    cql_ref *ref = table_of(builder);
    if (!table || !*table) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "the statement has no table");
        return builder;
    }
    const char *dot = strchr(table, '.');
    corm_str    keyspace = { table, dot ? (size_t)(dot - table) : 0 };
    if (dot) ref->keyspace.text = base__arena_str(&builder->arena, keyspace);
    ref->name.text = base__arena_str(&builder->arena, corm_str_of(dot ? dot + 1 : table));
    if (!ref->name.text.data || (dot && !ref->keyspace.text.data)) orm__builder_no_memory(builder);
    return builder;
}

static corm_builder *begin_model(cql_statement_kind kind, corm_db *db, const corm_model *model) {
    corm_builder *builder = new_builder(kind);
    if (!builder) return NULL;
    builder->status = orm__model(db, model, &builder->model, &builder->error);
    if (builder->status != CORM_OK) return builder;
    builder->db = orm__db_ref(db);
    *table_of(builder) =
        (cql_ref){ { builder->model->keyspace, { 0, 0 } }, { builder->model->table, { 0, 0 } } };
    return builder;
}

corm_builder *corm_select_from(const char *table) {
    return begin(CQL_STMT_SELECT, table);
}

corm_builder *corm_insert_into(const char *table) {
    return begin(CQL_STMT_INSERT, table);
}

corm_builder *corm_update_table(const char *table) {
    return begin(CQL_STMT_UPDATE, table);
}

corm_builder *corm_delete_from(const char *table) {
    return begin(CQL_STMT_DELETE, table);
}

corm_builder *corm_select_model(corm_db *db, const corm_model *model) {
    return begin_model(CQL_STMT_SELECT, db, model);
}

corm_builder *corm_insert_model(corm_db *db, const corm_model *model) {
    return begin_model(CQL_STMT_INSERT, db, model);
}

corm_builder *corm_update_model(corm_db *db, const corm_model *model) {
    return begin_model(CQL_STMT_UPDATE, db, model);
}

corm_builder *corm_delete_model(corm_db *db, const corm_model *model) {
    return begin_model(CQL_STMT_DELETE, db, model);
}

void corm_builder_free(corm_builder *builder) {
    if (!builder) return;
    base__buf_free(&builder->text);
    free(builder->values);
    base__arena_free(&builder->arena);
    orm__db_unref(builder->db);
    free(builder);
}

/* ---- parts ---- */

/* Arrays have room for the next power of two. */
void *orm__builder_push(corm_builder *builder, void *items, uint32_t *count, size_t size) {
    uint8_t *data;
    memcpy(&data, items, sizeof data);
    if ((*count & (*count - 1)) == 0) {
        uint8_t *more = base__arena_calloc(&builder->arena, *count ? 2 * (size_t)*count : 1, size);
        if (!more) {
            orm__builder_no_memory(builder);
            return NULL;
        }
        if (*count > 0) memcpy(more, data, *count * size);
        data = more;
        memcpy(items, &data, sizeof data);
    }
    return data + size * (*count)++;
}

bool orm__builder_text(corm_builder *builder, const char *text, corm_str *out) {
    *out = base__arena_str(&builder->arena, corm_str_of(text));
    return out->data || orm__builder_no_memory(builder);
}

bool orm__builder_column(corm_builder *builder, const char *name, cql_name *out) {
    const orm_field *field;
    *out = (cql_name){ { NULL, 0 }, { 0, 0 } };
    if (!name || !*name) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a column has no name");
    }
    if (!builder->model) return orm__builder_text(builder, name, &out->text);
    builder->status = orm__field_named(builder->model, name, &field, &builder->error);
    if (builder->status != CORM_OK) return false;
    out->text = field->name;
    return true;
}

bool orm__builder_columns(corm_builder *builder, const char *const *names, cql_name **out,
                          uint32_t *count) {
    for (size_t i = 0; names && names[i]; i++) {
        cql_name *name = ORM_PUSH(builder, *out, *count);
        if (!name || !orm__builder_column(builder, names[i], name)) return false;
    }
    return *count > 0 || orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "no columns are named");
}

cql_expr *orm__builder_marker(corm_builder *builder, const corm_value *value) {
    corm_expr *expr = BASE_NEW(&builder->arena, corm_expr);
    if (!expr) {
        orm__builder_no_memory(builder);
        return NULL;
    }
    expr->node.kind = CQL_EXPR_MARKER;
    builder->status = session__value_copy(value, &builder->arena, &expr->value, &builder->error);
    return builder->status == CORM_OK ? &expr->node : NULL;
}

cql_expr *orm__builder_null(corm_builder *builder) {
    corm_expr *expr = BASE_NEW(&builder->arena, corm_expr);
    if (!expr) {
        orm__builder_no_memory(builder);
        return NULL;
    }
    expr->node.kind = CQL_EXPR_NULL;
    return &expr->node;
}

bool orm__builder_one(corm_builder *builder, cql_expr *expr, cql_expr ***terms, uint32_t *count) {
    if (!expr) return false;
    cql_expr **term = ORM_PUSH(builder, *terms, *count);
    if (!term) return false;
    *term = expr;
    return true;
}

/* ---- markers in the order of the text ---- */

typedef struct markers {
    corm_builder *builder;
    uint32_t      count, capacity;
    bool          failed;
} markers;

static void add_marker(markers *m, cql_expr *node) {
    corm_builder *builder = m->builder;
    if (m->count == m->capacity) {
        uint32_t    capacity = m->capacity ? 2 * m->capacity : 8;
        corm_value *more = realloc(builder->values, capacity * sizeof *more);
        m->failed |= !more;
        if (!more) return;
        builder->values = more;
        m->capacity = capacity;
    }
    node->index = m->count;
    builder->values[m->count++] = ((corm_expr *)(void *)node)->value;
}

static void visit(markers *m, cql_expr *node) {
    if (!node || m->failed) return;
    if (node->kind == CQL_EXPR_MARKER) add_marker(m, node);
    for (uint32_t i = 0; i < node->count; i++) visit(m, node->args[i]);
}

static void visit_all(markers *m, cql_expr **nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) visit(m, nodes[i]);
}

static void visit_where(markers *m, const cql_relation *relations, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        visit(m, relations[i].key);
        visit_all(m, relations[i].terms, relations[i].term_count);
    }
}

/* As the printer writes them: the time first. */
static void visit_using(markers *m, const cql_using *using) {
    visit(m, using->timestamp);
    visit(m, using->ttl);
}

static void visit_changes(markers *m, const cql_update *update) {
    for (uint32_t i = 0; i < update->change_count; i++) {
        visit(m, update->changes[i].key);
        visit(m, update->changes[i].value);
    }
}

static void visit_rest(markers *m, const cql_update *update) {
    visit_where(m, update->where, update->where_count);
    for (uint32_t i = 0; i < update->condition_count; i++) {
        visit(m, update->conditions[i].element);
        visit_all(m, update->conditions[i].terms, update->conditions[i].term_count);
    }
}

static void visit_select(markers *m, const cql_select *select) {
    for (uint32_t i = 0; i < select->selector_count; i++) visit(m, select->selectors[i].expr);
    visit_where(m, select->where, select->where_count);
    visit_all(m, select->group_by, select->group_count);
    for (uint32_t i = 0; i < select->order_count; i++) visit(m, select->order_by[i].ann_of);
    visit(m, select->per_partition_limit);
    visit(m, select->limit);
}

static void visit_statement(markers *m, cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_SELECT: visit_select(m, &s->as.select); break;
    case CQL_STMT_INSERT:
        visit(m, s->as.insert.json);
        visit_all(m, s->as.insert.values, s->as.insert.value_count);
        visit_using(m, &s->as.insert.using);
        break;
    case CQL_STMT_UPDATE:
        visit_using(m, &s->as.update.using);
        visit_changes(m, &s->as.update);
        visit_rest(m, &s->as.update);
        break;
    default:
        visit_changes(m, &s->as.delete_);
        visit_using(m, &s->as.delete_.using);
        visit_rest(m, &s->as.delete_);
        break;
    }
    s->marker_count = m->count;
}

/* ---- the end ---- */

static bool check_complete(corm_builder *builder) {
    const cql_statement *s = &builder->statement;
    const char          *wrong = NULL;
    if (s->kind == CQL_STMT_INSERT && !s->as.insert.json && s->as.insert.count == 0) {
        wrong = "the INSERT has no values";
    }
    if (s->kind == CQL_STMT_UPDATE && s->as.update.change_count == 0) {
        wrong = "the UPDATE changes nothing";
    }
    bool changes = s->kind == CQL_STMT_UPDATE || s->kind == CQL_STMT_DELETE;
    if (!wrong && changes && s->as.update.where_count == 0) {
        wrong = "a write needs conditions on the key";
    }
    return !wrong || orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "%s", wrong);
}

/* Without columns: those of the model, or all. */
static bool complete_select(corm_builder *builder) {
    cql_select *select = &builder->statement.as.select;
    if (builder->statement.kind != CQL_STMT_SELECT || select->selector_count > 0) return true;
    select->all = !builder->model;
    for (uint32_t i = 0; !select->all && i < builder->model->count; i++) {
        corm_expr    *expr = BASE_NEW(&builder->arena, corm_expr);
        cql_selector *selector = ORM_PUSH(builder, select->selectors, select->selector_count);
        if (!expr || !selector) return orm__builder_no_memory(builder);
        expr->node.kind = CQL_EXPR_COLUMN;
        expr->node.name.name.text = builder->model->fields[i].name;
        selector->expr = &expr->node;
    }
    return true;
}

/* A limit counts rows that are shown: beside a condition of Corm's it is Corm's. */
static bool complete_limit(corm_builder *builder) {
    cql_select *select = &builder->statement.as.select;
    if (builder->statement.kind != CQL_STMT_SELECT) return true;
    select->limit = NULL;
    if (builder->limit == 0 || builder->local_count > 0) return true;
    corm_value limit = corm_of_i32((int32_t)builder->limit);
    select->limit = orm__builder_marker(builder, &limit);
    return select->limit != NULL;
}

corm_status orm__builder_end(corm_builder *builder, corm_error *err) {
    if (!builder) return base__fail_memory(err);
    if (builder->status == CORM_OK && check_complete(builder) && complete_select(builder) &&
        complete_limit(builder)) {
        markers m = { .builder = builder };
        free(builder->values);
        builder->values = NULL;
        visit_statement(&m, &builder->statement);
        builder->value_count = m.count;
        base__buf_clear(&builder->text);
        cql__print(&builder->statement, &builder->text);
        if (m.failed || !base__buf_cstr(&builder->text)) return base__fail_memory(err);
    }
    if (builder->status == CORM_OK) return CORM_OK;
    return base__fail(err, builder->status, "%s", builder->error.message);
}
