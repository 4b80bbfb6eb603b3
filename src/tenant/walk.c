// SPDX-License-Identifier: MIT
/* walk.c -- every name, expression and type of a statement, in no particular order but that outer expressions come before inner
 * ones. Pure; any thread. */
#include "tenant/core.h"

typedef const tenant_visitor visitor;

static corm_status walk_ref(visitor *v, tenant_ref_kind kind, cql_ref *ref) {
    return v->ref && ref->name.text.data ? v->ref(v->context, kind, ref) : CORM_OK;
}

/* Trees are made by the parser in memory that is nobody else's. */
static cql_type_ast *own(const cql_type_ast *type) {
    return (cql_type_ast *)(uintptr_t)type;
}

static corm_status walk_type(visitor *v, const cql_type_ast *type) {
    if (!type) return CORM_OK;
    if (v->type) CORM_TRY(v->type(v->context, own(type)));
    for (uint32_t i = 0; i < type->count; i++) CORM_TRY(walk_type(v, type->params[i]));
    return CORM_OK;
}

static corm_status walk_types(visitor *v, const cql_type_ast *const *types, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(walk_type(v, types[i]));
    return CORM_OK;
}

/* Deep trees are the parser's to refuse. */
static corm_status walk_expr(visitor *v, cql_expr *expr) {
    if (!expr) return CORM_OK;
    if (v->expr) CORM_TRY(v->expr(v->context, expr));
    if (expr->kind == CQL_EXPR_CALL) CORM_TRY(walk_ref(v, TENANT_REF_FUNCTION, &expr->name));
    CORM_TRY(walk_type(v, expr->type));
    for (uint32_t i = 0; i < expr->count; i++) CORM_TRY(walk_expr(v, expr->args[i]));
    return CORM_OK;
}

static corm_status walk_exprs(visitor *v, cql_expr *const *exprs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(walk_expr(v, exprs[i]));
    return CORM_OK;
}

/* expr(index, …) names an index. */
static corm_status walk_index_name(visitor *v, cql_name *name) {
    cql_ref ref = { .name = *name };
    CORM_TRY(walk_ref(v, TENANT_REF_INDEX, &ref));
    *name = ref.name;
    return CORM_OK;
}

static corm_status walk_where(visitor *v, cql_relation *where, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (where[i].kind == CQL_REL_EXPR) CORM_TRY(walk_index_name(v, &where[i].columns[0]));
        CORM_TRY(walk_expr(v, where[i].key));
        CORM_TRY(walk_exprs(v, where[i].terms, where[i].term_count));
    }
    return CORM_OK;
}

static corm_status walk_selectors(visitor *v, const cql_selector *selectors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(walk_expr(v, selectors[i].expr));
    return CORM_OK;
}

static corm_status walk_properties(visitor *v, const cql_property *properties, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(walk_expr(v, properties[i].value));
    return CORM_OK;
}

static corm_status walk_using(visitor *v, const cql_using *using) {
    CORM_TRY(walk_expr(v, using->timestamp));
    return walk_expr(v, using->ttl);
}

static corm_status walk_order(visitor *v, const cql_order *order, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(walk_expr(v, order[i].ann_of));
    return CORM_OK;
}

static corm_status walk_select(visitor *v, cql_select *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_READ, &s->table));
    CORM_TRY(walk_selectors(v, s->selectors, s->selector_count));
    CORM_TRY(walk_where(v, s->where, s->where_count));
    CORM_TRY(walk_exprs(v, s->group_by, s->group_count));
    CORM_TRY(walk_order(v, s->order_by, s->order_count));
    CORM_TRY(walk_expr(v, s->per_partition_limit));
    return walk_expr(v, s->limit);
}

static corm_status walk_insert(visitor *v, cql_insert *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_WRITE, &s->table));
    CORM_TRY(walk_exprs(v, s->values, s->value_count));
    CORM_TRY(walk_expr(v, s->json));
    return walk_using(v, &s->using);
}

static corm_status walk_update(visitor *v, cql_update *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_WRITE, &s->table));
    CORM_TRY(walk_using(v, &s->using));
    for (uint32_t i = 0; i < s->change_count; i++) {
        CORM_TRY(walk_expr(v, s->changes[i].key));
        CORM_TRY(walk_expr(v, s->changes[i].value));
    }
    CORM_TRY(walk_where(v, s->where, s->where_count));
    for (uint32_t i = 0; i < s->condition_count; i++) {
        CORM_TRY(walk_expr(v, s->conditions[i].element));
        CORM_TRY(walk_exprs(v, s->conditions[i].terms, s->conditions[i].term_count));
    }
    return CORM_OK;
}

static corm_status walk_batch(visitor *v, cql_batch *s) {
    CORM_TRY(walk_using(v, &s->using));
    for (uint32_t i = 0; i < s->count; i++) CORM_TRY(tenant__walk(s->statements[i], v));
    return CORM_OK;
}

static corm_status walk_columns(visitor *v, cql_column_def *columns, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(walk_type(v, columns[i].type));
        if (!columns[i].mask.present) continue;
        CORM_TRY(walk_ref(v, TENANT_REF_FUNCTION, &columns[i].mask.function));
        CORM_TRY(walk_exprs(v, columns[i].mask.args, columns[i].mask.count));
    }
    return CORM_OK;
}

static corm_status walk_create_table(visitor *v, cql_create_table *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_SCHEMA, &s->table));
    CORM_TRY(walk_columns(v, s->columns, s->column_count));
    return walk_properties(v, s->properties, s->property_count);
}

static corm_status walk_alter(visitor *v, tenant_ref_kind kind, cql_alter_table *s) {
    CORM_TRY(walk_ref(v, kind, &s->table));
    CORM_TRY(walk_columns(v, s->columns, s->column_count));
    CORM_TRY(walk_expr(v, s->timestamp));
    return walk_properties(v, s->properties, s->property_count);
}

static corm_status walk_create_index(visitor *v, cql_create_index *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_SCHEMA, &s->table));
    CORM_TRY(walk_ref(v, TENANT_REF_INDEX, &s->name));
    return walk_properties(v, s->properties, s->property_count);
}

static corm_status walk_create_view(visitor *v, cql_create_view *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_SCHEMA, &s->name));
    CORM_TRY(walk_ref(v, TENANT_REF_SCHEMA, &s->base));
    CORM_TRY(walk_selectors(v, s->selectors, s->selector_count));
    CORM_TRY(walk_where(v, s->where, s->where_count));
    return walk_properties(v, s->properties, s->property_count);
}

static corm_status walk_create_function(visitor *v, cql_create_function *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_FUNCTION, &s->name));
    CORM_TRY(walk_types(v, s->argument_types, s->argument_count));
    return walk_type(v, s->returns);
}

static corm_status walk_create_aggregate(visitor *v, cql_create_aggregate *s) {
    CORM_TRY(walk_ref(v, TENANT_REF_FUNCTION, &s->name));
    CORM_TRY(walk_types(v, s->argument_types, s->argument_count));
    CORM_TRY(walk_type(v, s->state_type));
    return walk_expr(v, s->initial); /* its functions have no keyspace: they are beside it */
}

static corm_status walk_drop(visitor *v, tenant_ref_kind kind, cql_drop *s) {
    CORM_TRY(walk_ref(v, kind, &s->name));
    return walk_types(v, s->argument_types, s->argument_count);
}

corm_status tenant__walk(cql_statement *s, const tenant_visitor *v) {
    switch (s->kind) {
    case CQL_STMT_SELECT: return walk_select(v, &s->as.select);
    case CQL_STMT_INSERT: return walk_insert(v, &s->as.insert);
    case CQL_STMT_UPDATE: return walk_update(v, &s->as.update);
    case CQL_STMT_DELETE: return walk_update(v, &s->as.delete_);
    case CQL_STMT_BATCH: return walk_batch(v, &s->as.batch);
    case CQL_STMT_TRUNCATE:
    case CQL_STMT_DROP_TABLE:
    case CQL_STMT_DROP_VIEW: return walk_drop(v, TENANT_REF_SCHEMA, &s->as.drop);
    case CQL_STMT_DROP_TYPE: return walk_drop(v, TENANT_REF_TYPE, &s->as.drop);
    case CQL_STMT_DROP_INDEX: return walk_drop(v, TENANT_REF_INDEX, &s->as.drop);
    case CQL_STMT_DROP_FUNCTION:
    case CQL_STMT_DROP_AGGREGATE: return walk_drop(v, TENANT_REF_FUNCTION, &s->as.drop);
    case CQL_STMT_CREATE_TABLE: return walk_create_table(v, &s->as.create_table);
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_ALTER_VIEW: return walk_alter(v, TENANT_REF_SCHEMA, &s->as.alter_table);
    case CQL_STMT_ALTER_TYPE: return walk_alter(v, TENANT_REF_TYPE, &s->as.alter_table);
    case CQL_STMT_CREATE_TYPE:
        CORM_TRY(walk_ref(v, TENANT_REF_TYPE, &s->as.create_type.name));
        return walk_columns(v, s->as.create_type.fields, s->as.create_type.field_count);
    case CQL_STMT_CREATE_INDEX: return walk_create_index(v, &s->as.create_index);
    case CQL_STMT_CREATE_VIEW: return walk_create_view(v, &s->as.create_view);
    case CQL_STMT_CREATE_FUNCTION: return walk_create_function(v, &s->as.create_function);
    case CQL_STMT_CREATE_AGGREGATE: return walk_create_aggregate(v, &s->as.create_aggregate);
    default: return CORM_OK;
    }
}
