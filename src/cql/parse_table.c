// SPDX-License-Identifier: MIT
/* parse_table.c -- tables, user-defined types and materialized views: CREATE and ALTER. */
#include "cql/parse.h"

/* ---- columns ---- */

static bool push_mask_argument(cql_parser *p, void *context) {
    cql_mask *mask = context;
    cql_expr *expr = NULL;
    return cql__parse_expr(p, &expr) && cql__push_expr(p, &mask->args, &mask->count, expr);
}

/* [MASKED WITH (DEFAULT | function '(' … ')')] */
static bool parse_mask(cql_parser *p, cql_mask *out) {
    if (!cql__accept(p, CQL_K_MASKED)) return true;
    out->present = true;
    if (!cql__expect(p, CQL_K_WITH)) return false;
    cql_symbol next = cql__peek(p, 1);
    bool       plain = next != CQL_T_LPAREN && next != CQL_T_DOT;
    if (plain && cql__accept(p, CQL_K_DEFAULT)) return true;
    return cql__parse_function_name(p, &out->function) &&
           cql__parse_enclosed_or_none(p, push_mask_argument, out);
}

static bool parse_name_and_type(cql_parser *p, cql_column_def *column) {
    return cql__parse_name(p, CQL_NAME_PLAIN, &column->name) &&
           cql__parse_type_ast(p, &column->type);
}

static bool parse_column(cql_parser *p, cql_column_def *column) {
    if (!parse_name_and_type(p, column)) return false;
    column->is_static = cql__accept(p, CQL_K_STATIC);
    return parse_mask(p, &column->mask);
}

/* ---- PRIMARY KEY '(' (column | '(' column, … ')') (',' column)* ')' ---- */

typedef struct key { /* what a PRIMARY KEY clause fills */
    cql_name **partition, **clustering;
    uint32_t  *partition_count, *clustering_count;
} key;

static bool push_partition(cql_parser *p, void *context) {
    key     *out = context;
    cql_name name = { 0 };
    return cql__parse_name(p, CQL_NAME_PLAIN, &name) &&
           cql__push_name(p, out->partition, out->partition_count, name);
}

static bool push_clustering(cql_parser *p, void *context) {
    key     *out = context;
    cql_name name = { 0 };
    return cql__parse_name(p, CQL_NAME_PLAIN, &name) &&
           cql__push_name(p, out->clustering, out->clustering_count, name);
}

static bool parse_primary_key(cql_parser *p, key *out) {
    if (!cql__expect(p, CQL_K_PRIMARY) || !cql__expect(p, CQL_K_KEY) ||
        !cql__expect(p, CQL_T_LPAREN)) {
        return false;
    }
    bool good = cql__at(p, CQL_T_LPAREN) ? cql__parse_enclosed(p, push_partition, out)
                                         : push_partition(p, out);
    if (!good) return false;
    if (cql__accept(p, CQL_T_COMMA) && !cql__parse_items(p, CQL_T_COMMA, push_clustering, out)) {
        return false;
    }
    return cql__expect(p, CQL_T_RPAREN);
}

/* ---- WITH of tables and views ---- */

typedef struct options {
    cql_order    **order;
    uint32_t      *order_count;
    cql_property **properties;
    uint32_t      *property_count;
    bool          *compact_storage; /* NULL: a view, which has none */
} options;

static bool push_order(cql_parser *p, void *context) {
    options  *out = context;
    cql_order order = { .explicit_direction = true };
    if (!cql__parse_name(p, CQL_NAME_PLAIN, &order.column)) return false;
    order.descending = cql__accept(p, CQL_K_DESC);
    if (!order.descending && !cql__accept(p, CQL_K_ASC)) return cql__no_viable(p, 0);
    return CQL_PUSH(p, *out->order, *out->order_count, order);
}

static bool parse_compact_storage(cql_parser *p, options *out) {
    if (out->compact_storage) {
        *out->compact_storage = true;
        return true;
    }
    return CQL_REFUSE(p, cql__place(p),
                      "COMPACT STORAGE tables are not allowed starting with version 4.0");
}

static bool push_option(cql_parser *p, void *context) {
    options *out = context;
    if (cql__accept_words(p, CQL_K_COMPACT, CQL_K_STORAGE)) return parse_compact_storage(p, out);
    if (cql__accept_words(p, CQL_K_CLUSTERING, CQL_K_ORDER)) {
        return cql__expect(p, CQL_K_BY) && cql__parse_enclosed(p, push_order, out);
    }
    return cql__parse_property(p, out->properties, out->property_count);
}

static bool parse_options(cql_parser *p, options *out) {
    if (!cql__accept(p, CQL_K_WITH)) return true;
    return cql__parse_items(p, CQL_K_AND, push_option, out);
}

/* ---- CREATE TABLE ---- */

/* PRIMARY KEY (…): the first one counts, others are only counted. */
static bool parse_key_clause(cql_parser *p, cql_create_table *table) {
    cql_create_table  other = { 0 };
    cql_create_table *into = table->primary_key_clauses++ == 0 ? table : &other;
    key               out = { &into->partition_key, &into->clustering, &into->partition_count,
                              &into->clustering_count };
    return parse_primary_key(p, &out);
}

static bool push_definition(cql_parser *p, void *context) {
    cql_create_table *table = context;
    if (cql__at(p, CQL_K_PRIMARY)) return parse_key_clause(p, table);
    cql_column_def column = { 0 };
    if (!parse_column(p, &column)) return false;
    if (cql__accept(p, CQL_K_PRIMARY)) {
        column.is_primary_key = true;
        if (!cql__expect(p, CQL_K_KEY)) return false;
    }
    return CQL_PUSH(p, table->columns, table->column_count, column);
}

static bool at_definition(cql_parser *p) {
    return cql__is_name(cql__peek(p, 0), CQL_NAME_PLAIN) || cql__at(p, CQL_K_PRIMARY);
}

/* Behind commas that stand alone: whether a definition follows; what is none is skipped. */
static bool skip_to_definition(cql_parser *p) {
    uint32_t open = p->open;
    while (cql__at(p, CQL_T_COMMA)) {
        while (cql__accept(p, CQL_T_COMMA)) continue;
        if (at_definition(p)) return true;
        if (cql__at(p, CQL_T_RPAREN)) return false;
        cql__mismatch(p, CQL_T_RPAREN);
        if (!cql__recover(p, open, CQL_T_COMMA)) return false;
    }
    return false;
}

/* '(' item (',' [item])* ')' */
static bool parse_definitions(cql_parser *p, cql_item_fn *item, void *context) {
    if (!cql__expect(p, CQL_T_LPAREN)) return false;
    do {
        if (!cql__parse_enclosed_item(p, item, context)) return false;
    } while (skip_to_definition(p));
    return cql__expect(p, CQL_T_RPAREN);
}

bool cql__parse_create_table(cql_parser *p, cql_statement *s) {
    static const cql_symbol words[] = { CQL_K_WITH };
    cql_create_table       *table = &s->as.create_table;
    options with = { &table->order, &table->order_count, &table->properties, &table->property_count,
                     &table->compact_storage };
    s->kind = CQL_STMT_CREATE_TABLE;
    bool good = cql__parse_if_not_exists(p, &table->if_not_exists) &&
                cql__parse_ref(p, "table", &table->table) &&
                parse_definitions(p, push_definition, table);
    if (!good && !cql__recover_clause(p)) return false;
    do {
        if (!parse_options(p, &with)) return false;
    } while (cql__clause_again(p, words, 1));
    return true;
}

/* ---- CREATE TYPE ---- */

static bool push_field(cql_parser *p, void *context) {
    cql_create_type *type = context;
    cql_column_def   field = { 0 };
    return parse_name_and_type(p, &field) && CQL_PUSH(p, type->fields, type->field_count, field);
}

bool cql__parse_create_type(cql_parser *p, cql_statement *s) {
    cql_create_type *type = &s->as.create_type;
    bool             quoted;
    s->kind = CQL_STMT_CREATE_TYPE;
    return cql__parse_if_not_exists(p, &type->if_not_exists) &&
           cql__parse_user_type_name(p, &type->name, &quoted) &&
           parse_definitions(p, push_field, type);
}

/* ---- CREATE MATERIALIZED VIEW ---- */

static bool parse_view_select(cql_parser *p, cql_create_view *view) {
    bool good = cql__expect(p, CQL_K_AS) && cql__expect(p, CQL_K_SELECT) &&
                cql__parse_selectors(p, &view->all, &view->selectors, &view->selector_count);
    if (!good && !cql__recover_clause(p)) return false;
    good = cql__expect(p, CQL_K_FROM) && cql__parse_ref(p, "table", &view->base);
    if (!good && !cql__recover_clause(p)) return false;
    return !cql__accept(p, CQL_K_WHERE) || cql__parse_where(p, &view->where, &view->where_count);
}

bool cql__parse_create_view(cql_parser *p, cql_statement *s) {
    cql_create_view *view = &s->as.create_view;
    key              out = { &view->partition_key, &view->clustering, &view->partition_count,
                             &view->clustering_count };
    options with = { &view->order, &view->order_count, &view->properties, &view->property_count,
                     NULL };
    s->kind = CQL_STMT_CREATE_VIEW;
    return cql__parse_if_not_exists(p, &view->if_not_exists) &&
           cql__parse_ref(p, "table", &view->name) && parse_view_select(p, view) &&
           parse_primary_key(p, &out) && parse_options(p, &with);
}

/* ---- ALTER ---- */

static bool push_altered(cql_parser *p, cql_alter_table *alter, cql_column_def column) {
    return CQL_PUSH(p, alter->columns, alter->column_count, column);
}

static bool push_added(cql_parser *p, void *context) {
    cql_column_def column = { 0 };
    return parse_column(p, &column) && push_altered(p, context, column);
}

static bool push_dropped(cql_parser *p, void *context) {
    cql_column_def column = { 0 };
    return cql__parse_name(p, CQL_NAME_PLAIN, &column.name) && push_altered(p, context, column);
}

static bool push_renamed(cql_parser *p, void *context) {
    cql_alter_table *alter = context;
    cql_column_def   column = { 0 };
    cql_name         name = { 0 };
    uint32_t         count = alter->column_count;
    return cql__parse_name(p, CQL_NAME_PLAIN, &column.name) && cql__expect(p, CQL_K_TO) &&
           cql__parse_name(p, CQL_NAME_PLAIN, &name) &&
           cql__push_name(p, &alter->renamed, &count, name) && push_altered(p, alter, column);
}

static bool parse_add(cql_parser *p, cql_alter_table *alter) {
    alter->kind = CQL_ALTER_ADD;
    if (!cql__parse_if_not_exists(p, &alter->column_if)) return false;
    return cql__at(p, CQL_T_LPAREN) ? cql__parse_enclosed(p, push_added, alter)
                                    : push_added(p, alter);
}

static bool parse_drop_timestamp(cql_parser *p, cql_alter_table *alter) {
    if (!cql__accept(p, CQL_K_USING)) return true;
    if (!cql__expect(p, CQL_K_TIMESTAMP)) return false;
    if (!cql__at(p, CQL_T_INTEGER)) return cql__mismatch(p, CQL_T_INTEGER);
    return cql__parse_constant(p, &alter->timestamp);
}

static bool parse_drop(cql_parser *p, cql_alter_table *alter) {
    if (cql__accept_words(p, CQL_K_COMPACT, CQL_K_STORAGE)) {
        alter->kind = CQL_ALTER_DROP_COMPACT_STORAGE;
        return true;
    }
    alter->kind = CQL_ALTER_DROP;
    if (!cql__parse_if_exists(p, &alter->column_if)) return false;
    bool good = cql__at(p, CQL_T_LPAREN) ? cql__parse_enclosed(p, push_dropped, alter)
                                         : push_dropped(p, alter);
    return good && parse_drop_timestamp(p, alter);
}

static bool parse_rename(cql_parser *p, cql_alter_table *alter) {
    alter->kind = CQL_ALTER_RENAME;
    return cql__parse_if_exists(p, &alter->column_if) &&
           cql__parse_items(p, CQL_K_AND, push_renamed, alter);
}

/* c TYPE t | [IF EXISTS] c (MASKED WITH … | DROP MASKED) */
static bool parse_alter_column(cql_parser *p, cql_alter_table *alter) {
    cql_column_def column = { 0 };
    alter->kind = CQL_ALTER_MASK;
    if (!cql__parse_if_exists(p, &alter->column_if) || !cql__parse_column(p, &column.name)) {
        return false;
    }
    if (!alter->column_if && cql__accept(p, CQL_K_TYPE)) {
        alter->kind = CQL_ALTER_TYPE;
        return cql__parse_type_ast(p, &column.type) && push_altered(p, alter, column);
    }
    if (cql__accept(p, CQL_K_DROP)) {
        alter->drop_masked = true;
        return cql__expect(p, CQL_K_MASKED) && push_altered(p, alter, column);
    }
    if (!cql__at(p, CQL_K_MASKED)) return cql__no_viable(p, 0);
    return parse_mask(p, &column.mask) && push_altered(p, alter, column);
}

bool cql__parse_alter_table(cql_parser *p, cql_statement *s) {
    cql_alter_table *alter = &s->as.alter_table;
    s->kind = CQL_STMT_ALTER_TABLE;
    if (!cql__parse_if_exists(p, &alter->if_exists) || !cql__parse_ref(p, "table", &alter->table)) {
        return false;
    }
    if (cql__accept(p, CQL_K_ALTER)) return parse_alter_column(p, alter);
    if (cql__accept(p, CQL_K_ADD)) return parse_add(p, alter);
    if (cql__accept(p, CQL_K_DROP)) return parse_drop(p, alter);
    if (cql__accept(p, CQL_K_RENAME)) return parse_rename(p, alter);
    if (!cql__accept(p, CQL_K_WITH)) return cql__no_viable(p, 0);
    alter->kind = CQL_ALTER_WITH;
    return cql__parse_properties(p, &alter->properties, &alter->property_count);
}

static bool parse_type_change(cql_parser *p, cql_alter_table *alter) {
    cql_column_def column = { 0 };
    alter->kind = CQL_ALTER_TYPE;
    return cql__parse_name(p, CQL_NAME_PLAIN, &column.name) && cql__expect(p, CQL_K_TYPE) &&
           cql__parse_type_ast(p, &column.type) && push_altered(p, alter, column);
}

bool cql__parse_alter_type(cql_parser *p, cql_statement *s) {
    cql_alter_table *alter = &s->as.alter_table;
    cql_column_def   column = { 0 };
    bool             quoted;
    s->kind = CQL_STMT_ALTER_TYPE;
    if (!cql__parse_if_exists(p, &alter->if_exists) ||
        !cql__parse_user_type_name(p, &alter->table, &quoted)) {
        return false;
    }
    if (cql__accept(p, CQL_K_ALTER)) return parse_type_change(p, alter);
    if (cql__accept(p, CQL_K_RENAME)) return parse_rename(p, alter);
    if (!cql__accept(p, CQL_K_ADD)) return cql__no_viable(p, 0);
    alter->kind = CQL_ALTER_ADD;
    return cql__parse_if_not_exists(p, &alter->column_if) && parse_name_and_type(p, &column) &&
           push_altered(p, alter, column);
}

bool cql__parse_alter_view(cql_parser *p, cql_statement *s) {
    cql_alter_table *alter = &s->as.alter_table;
    s->kind = CQL_STMT_ALTER_VIEW;
    alter->kind = CQL_ALTER_WITH;
    return cql__parse_if_exists(p, &alter->if_exists) &&
           cql__parse_ref(p, "table", &alter->table) && cql__expect(p, CQL_K_WITH) &&
           cql__parse_properties(p, &alter->properties, &alter->property_count);
}
