// SPDX-License-Identifier: MIT
/* ast.c -- names of statements and equality of trees. Places, written parentheses and the height of
 * expressions do not count. Pure. */
#include "cql/ast.h"

const char *cql__statement_name(cql_statement_kind kind) {
    static const char *const names[] = {
#define NAME(id, member, text) [CQL_STMT_##id] = text,
        CQL_STATEMENT_MAP(NAME)
#undef NAME
    };
    return (size_t)kind < sizeof names / sizeof names[0] ? names[kind] : "STATEMENT";
}

/* ---- parts ---- */

static bool same_text(corm_str a, corm_str b) {
    if (!a.data || !b.data) return a.data == b.data;
    return corm_str_equal(a, b);
}

static bool same_name(const cql_name *a, const cql_name *b) {
    return same_text(a->text, b->text);
}

static bool same_ref(const cql_ref *a, const cql_ref *b) {
    return same_name(&a->keyspace, &b->keyspace) && same_name(&a->name, &b->name);
}

static bool same_names(const cql_name *a, const cql_name *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!same_name(&a[i], &b[i])) return false;
    }
    return true;
}

static bool same_types(const cql_type_ast *const *a, const cql_type_ast *const *b, uint32_t count);

static bool same_type(const cql_type_ast *a, const cql_type_ast *b) {
    if (!a || !b) return a == b;
    return same_ref(&a->name, &b->name) && a->is_class == b->is_class &&
           a->is_quoted == b->is_quoted && a->dimension == b->dimension && a->count == b->count &&
           same_types(a->params, b->params, a->count);
}

static bool same_types(const cql_type_ast *const *a, const cql_type_ast *const *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!same_type(a[i], b[i])) return false;
    }
    return true;
}

static bool same_exprs(cql_expr *const *a, cql_expr *const *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!cql__expr_equal(a[i], b[i])) return false;
    }
    return true;
}

bool cql__expr_equal(const cql_expr *a, const cql_expr *b) {
    if (!a || !b) return a == b;
    if (a->kind != b->kind || a->op != b->op || a->index != b->index || a->count != b->count) {
        return false;
    }
    if (!same_text(a->text, b->text) || !same_ref(&a->name, &b->name)) return false;
    if (!same_type(a->type, b->type) || !same_exprs(a->args, b->args, a->count)) return false;
    return !a->names == !b->names && (!a->names || same_names(a->names, b->names, a->count));
}

/* ---- clauses ---- */

/* Defines same_<plural>(a, b, count) over items that same_<item> compares. */
#define LIST_OF(item, plural, type)                                                                \
    static bool plural(const type *a, const type *b, uint32_t count) {                             \
        for (uint32_t i = 0; i < count; i++) {                                                     \
            if (!item(&a[i], &b[i])) return false;                                                 \
        }                                                                                          \
        return true;                                                                               \
    }

static bool same_relation(const cql_relation *a, const cql_relation *b) {
    return a->kind == b->kind && a->op == b->op && a->column_count == b->column_count &&
           a->term_count == b->term_count && a->in_marker == b->in_marker &&
           same_names(a->columns, b->columns, a->column_count) && cql__expr_equal(a->key, b->key) &&
           same_exprs(a->terms, b->terms, a->term_count);
}
LIST_OF(same_relation, same_relations, cql_relation)

static bool same_condition(const cql_condition *a, const cql_condition *b) {
    return a->op == b->op && a->term_count == b->term_count && a->in_marker == b->in_marker &&
           same_name(&a->column, &b->column) && same_name(&a->field, &b->field) &&
           cql__expr_equal(a->element, b->element) && same_exprs(a->terms, b->terms, a->term_count);
}
LIST_OF(same_condition, same_conditions, cql_condition)

static bool same_change(const cql_change *a, const cql_change *b) {
    return a->kind == b->kind && same_name(&a->column, &b->column) &&
           same_name(&a->other, &b->other) && same_name(&a->field, &b->field) &&
           cql__expr_equal(a->key, b->key) && cql__expr_equal(a->value, b->value);
}
LIST_OF(same_change, same_changes, cql_change)

static bool same_property(const cql_property *a, const cql_property *b) {
    return a->is_name == b->is_name && same_name(&a->name, &b->name) &&
           cql__expr_equal(a->value, b->value);
}
LIST_OF(same_property, same_properties, cql_property)

static bool same_using(const cql_using *a, const cql_using *b) {
    return cql__expr_equal(a->timestamp, b->timestamp) && cql__expr_equal(a->ttl, b->ttl);
}

static bool same_mask(const cql_mask *a, const cql_mask *b) {
    return a->present == b->present && a->count == b->count &&
           same_ref(&a->function, &b->function) && same_exprs(a->args, b->args, a->count);
}

static bool same_column(const cql_column_def *a, const cql_column_def *b) {
    return same_name(&a->name, &b->name) && same_type(a->type, b->type) &&
           a->is_static == b->is_static && a->is_primary_key == b->is_primary_key &&
           same_mask(&a->mask, &b->mask);
}
LIST_OF(same_column, same_columns, cql_column_def)

static bool same_order(const cql_order *a, const cql_order *b) {
    return same_name(&a->column, &b->column) && cql__expr_equal(a->ann_of, b->ann_of) &&
           a->descending == b->descending && a->explicit_direction == b->explicit_direction;
}
LIST_OF(same_order, same_orders, cql_order)

static bool same_selector(const cql_selector *a, const cql_selector *b) {
    return cql__expr_equal(a->expr, b->expr) && same_name(&a->alias, &b->alias);
}
LIST_OF(same_selector, same_selectors, cql_selector)

/* ---- statements ---- */

static bool same_select(const cql_select *a, const cql_select *b) {
    return same_ref(&a->table, &b->table) && a->json == b->json && a->distinct == b->distinct &&
           a->all == b->all && a->allow_filtering == b->allow_filtering &&
           a->selector_count == b->selector_count && a->where_count == b->where_count &&
           a->group_count == b->group_count && a->order_count == b->order_count &&
           same_selectors(a->selectors, b->selectors, a->selector_count) &&
           same_relations(a->where, b->where, a->where_count) &&
           same_exprs(a->group_by, b->group_by, a->group_count) &&
           same_orders(a->order_by, b->order_by, a->order_count) &&
           cql__expr_equal(a->per_partition_limit, b->per_partition_limit) &&
           cql__expr_equal(a->limit, b->limit);
}

static bool same_insert(const cql_insert *a, const cql_insert *b) {
    return same_ref(&a->table, &b->table) && a->count == b->count &&
           a->value_count == b->value_count && same_names(a->columns, b->columns, a->count) &&
           same_exprs(a->values, b->values, a->value_count) && cql__expr_equal(a->json, b->json) &&
           a->json_default_unset == b->json_default_unset &&
           a->json_default_null == b->json_default_null && a->if_not_exists == b->if_not_exists &&
           same_using(&a->using, &b->using);
}

static bool same_update(const cql_update *a, const cql_update *b) {
    return same_ref(&a->table, &b->table) && same_using(&a->using, &b->using) &&
           a->change_count == b->change_count && a->where_count == b->where_count &&
           a->condition_count == b->condition_count && a->if_exists == b->if_exists &&
           same_changes(a->changes, b->changes, a->change_count) &&
           same_relations(a->where, b->where, a->where_count) &&
           same_conditions(a->conditions, b->conditions, a->condition_count);
}

static bool same_batch(const cql_batch *a, const cql_batch *b) {
    if (a->kind != b->kind || a->count != b->count || !same_using(&a->using, &b->using)) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        if (!cql__ast_equal(a->statements[i], b->statements[i])) return false;
    }
    return true;
}

static bool same_drop(const cql_drop *a, const cql_drop *b) {
    return same_ref(&a->name, &b->name) && a->if_exists == b->if_exists &&
           a->has_arguments == b->has_arguments && a->argument_count == b->argument_count &&
           same_types(a->argument_types, b->argument_types, a->argument_count);
}

static bool same_keyspace(const cql_create_keyspace *a, const cql_create_keyspace *b) {
    return same_name(&a->name, &b->name) && a->if_not_exists == b->if_not_exists &&
           a->property_count == b->property_count &&
           same_properties(a->properties, b->properties, a->property_count);
}

static bool same_create_table(const cql_create_table *a, const cql_create_table *b) {
    return same_ref(&a->table, &b->table) && a->if_not_exists == b->if_not_exists &&
           a->column_count == b->column_count && a->primary_key_clauses == b->primary_key_clauses &&
           a->partition_count == b->partition_count && a->clustering_count == b->clustering_count &&
           a->order_count == b->order_count && a->compact_storage == b->compact_storage &&
           a->property_count == b->property_count &&
           same_columns(a->columns, b->columns, a->column_count) &&
           same_names(a->partition_key, b->partition_key, a->partition_count) &&
           same_names(a->clustering, b->clustering, a->clustering_count) &&
           same_orders(a->order, b->order, a->order_count) &&
           same_properties(a->properties, b->properties, a->property_count);
}

static bool same_alter_table(const cql_alter_table *a, const cql_alter_table *b) {
    uint32_t renamed = a->kind == CQL_ALTER_RENAME ? a->column_count : 0;
    return same_ref(&a->table, &b->table) && a->if_exists == b->if_exists && a->kind == b->kind &&
           a->column_if == b->column_if && a->column_count == b->column_count &&
           a->drop_masked == b->drop_masked && a->property_count == b->property_count &&
           same_columns(a->columns, b->columns, a->column_count) &&
           same_names(a->renamed, b->renamed, renamed) &&
           cql__expr_equal(a->timestamp, b->timestamp) &&
           same_properties(a->properties, b->properties, a->property_count);
}

static bool same_create_type(const cql_create_type *a, const cql_create_type *b) {
    return same_ref(&a->name, &b->name) && a->if_not_exists == b->if_not_exists &&
           a->field_count == b->field_count && same_columns(a->fields, b->fields, a->field_count);
}

static bool same_create_index(const cql_create_index *a, const cql_create_index *b) {
    if (a->target_count != b->target_count || a->property_count != b->property_count) return false;
    for (uint32_t i = 0; i < a->target_count; i++) {
        if (a->targets[i] != b->targets[i]) return false;
    }
    return same_ref(&a->name, &b->name) && a->custom == b->custom &&
           a->if_not_exists == b->if_not_exists && same_ref(&a->table, &b->table) &&
           same_names(a->columns, b->columns, a->target_count) &&
           same_text(a->using_class, b->using_class) &&
           same_properties(a->properties, b->properties, a->property_count);
}

static bool same_create_view(const cql_create_view *a, const cql_create_view *b) {
    return same_ref(&a->name, &b->name) && a->if_not_exists == b->if_not_exists &&
           a->all == b->all && a->selector_count == b->selector_count &&
           same_ref(&a->base, &b->base) && a->where_count == b->where_count &&
           a->partition_count == b->partition_count && a->clustering_count == b->clustering_count &&
           a->order_count == b->order_count && a->property_count == b->property_count &&
           same_selectors(a->selectors, b->selectors, a->selector_count) &&
           same_relations(a->where, b->where, a->where_count) &&
           same_names(a->partition_key, b->partition_key, a->partition_count) &&
           same_names(a->clustering, b->clustering, a->clustering_count) &&
           same_orders(a->order, b->order, a->order_count) &&
           same_properties(a->properties, b->properties, a->property_count);
}

static bool same_create_function(const cql_create_function *a, const cql_create_function *b) {
    return same_ref(&a->name, &b->name) && a->or_replace == b->or_replace &&
           a->if_not_exists == b->if_not_exists && a->argument_count == b->argument_count &&
           same_names(a->arguments, b->arguments, a->argument_count) &&
           same_types(a->argument_types, b->argument_types, a->argument_count) &&
           a->called_on_null == b->called_on_null && same_type(a->returns, b->returns) &&
           same_name(&a->language, &b->language) && same_text(a->body, b->body);
}

static bool same_create_aggregate(const cql_create_aggregate *a, const cql_create_aggregate *b) {
    return same_ref(&a->name, &b->name) && a->or_replace == b->or_replace &&
           a->if_not_exists == b->if_not_exists && a->argument_count == b->argument_count &&
           same_types(a->argument_types, b->argument_types, a->argument_count) &&
           same_ref(&a->state_function, &b->state_function) &&
           same_type(a->state_type, b->state_type) &&
           same_ref(&a->final_function, &b->final_function) &&
           cql__expr_equal(a->initial, b->initial);
}

static bool same_trigger(const cql_create_trigger *a, const cql_create_trigger *b) {
    return same_name(&a->name, &b->name) && same_ref(&a->table, &b->table) &&
           same_text(a->class_name, b->class_name) && a->if_not_exists == b->if_not_exists;
}

static bool same_texts(const corm_str *a, const corm_str *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!same_text(a[i], b[i])) return false;
    }
    return true;
}

static bool same_role(const cql_role *a, const cql_role *b) {
    return same_name(&a->name, &b->name) && same_name(&a->other, &b->other) &&
           a->if_exists == b->if_exists && a->no_recursive == b->no_recursive &&
           same_text(a->password, b->password) && a->hashed == b->hashed &&
           a->superuser == b->superuser && a->login == b->login &&
           cql__expr_equal(a->options, b->options) && a->datacenters == b->datacenters &&
           a->datacenter_count == b->datacenter_count && a->cidrs == b->cidrs &&
           a->cidr_count == b->cidr_count &&
           same_texts(a->datacenter_names, b->datacenter_names, a->datacenter_count) &&
           same_texts(a->cidr_groups, b->cidr_groups, a->cidr_count);
}

static bool same_permission(const cql_permission *a, const cql_permission *b) {
    return a->all == b->all && a->count == b->count &&
           same_names(a->permissions, b->permissions, a->count) &&
           a->has_resource == b->has_resource && a->resource == b->resource &&
           same_ref(&a->object, &b->object) && same_text(a->mbean, b->mbean) &&
           a->argument_count == b->argument_count &&
           same_types(a->argument_types, b->argument_types, a->argument_count) &&
           same_name(&a->role, &b->role) && a->no_recursive == b->no_recursive;
}

static bool same_describe(const cql_describe *a, const cql_describe *b) {
    return a->kind == b->kind && a->full == b->full && a->only == b->only &&
           a->internals == b->internals && same_ref(&a->object, &b->object);
}

/* DELETE has the tree of UPDATE. */
#define same_delete_ same_update

bool cql__ast_equal(const cql_statement *a, const cql_statement *b) {
    if (a->kind != b->kind || a->marker_count != b->marker_count) return false;
    switch (a->kind) {
#define CASE(name, member, text)                                                                   \
    case CQL_STMT_##name: return same_##member(&a->as.member, &b->as.member);
        CQL_STATEMENT_MAP(CASE)
#undef CASE
    }
    return false;
}

bool cql__is_role_list(cql_statement_kind kind) {
    return kind == CQL_STMT_LIST_USERS || kind == CQL_STMT_LIST_ROLES ||
           kind == CQL_STMT_LIST_SUPERUSERS || kind == CQL_STMT_LIST_PERMISSIONS;
}

bool cql__is_role_statement(cql_statement_kind kind) {
    switch (kind) {
    case CQL_STMT_CREATE_ROLE:
    case CQL_STMT_ALTER_ROLE:
    case CQL_STMT_DROP_ROLE:
    case CQL_STMT_CREATE_USER:
    case CQL_STMT_ALTER_USER:
    case CQL_STMT_DROP_USER:
    case CQL_STMT_GRANT_ROLE:
    case CQL_STMT_REVOKE_ROLE:
    case CQL_STMT_ADD_IDENTITY:
    case CQL_STMT_DROP_IDENTITY:
    case CQL_STMT_GRANT_PERMISSION:
    case CQL_STMT_REVOKE_PERMISSION: return true;
    default: return cql__is_role_list(kind);
    }
}
