// SPDX-License-Identifier: MIT
/* print_schema.c -- schema statements, USE, TRUNCATE and DESCRIBE as canonical CQL. Pure. */
#include "cql/print.h"

static void print_if_not_exists(base_buf *out, bool given) {
    base__buf_puts(out, given ? " IF NOT EXISTS " : " ");
}

static void print_if_exists(base_buf *out, bool given) {
    base__buf_puts(out, given ? " IF EXISTS " : " ");
}

/* ---- keyspaces ---- */

static void print_keyspace(base_buf *out, const cql_statement *s) {
    const cql_create_keyspace *keyspace = &s->as.keyspace;
    bool                       create = s->kind == CQL_STMT_CREATE_KEYSPACE;
    base__buf_puts(out, cql__statement_name(s->kind));
    if (create)
        print_if_not_exists(out, keyspace->if_not_exists);
    else
        print_if_exists(out, keyspace->if_not_exists);
    cql__print_name(out, &keyspace->name);
    cql__print_properties(out, keyspace->properties, keyspace->property_count);
}

/* ---- columns, keys and options ---- */

static void print_mask(base_buf *out, const cql_mask *mask) {
    if (!mask->present) return;
    base__buf_puts(out, " MASKED WITH ");
    if (!mask->function.name.text.data) {
        base__buf_puts(out, "DEFAULT");
        return;
    }
    cql__print_function_name(out, &mask->function);
    cql__print_enclosed(out, cql__print_expr_item, mask->args, mask->count);
}

static void print_column(base_buf *out, const void *items, uint32_t i) {
    const cql_column_def *column = (const cql_column_def *)items + i;
    cql__print_name(out, &column->name);
    base__buf_puts(out, " ");
    cql__print_type_ast(column->type, out);
    if (column->is_static) base__buf_puts(out, " STATIC");
    print_mask(out, &column->mask);
    if (column->is_primary_key) base__buf_puts(out, " PRIMARY KEY");
}

static void print_column_name(base_buf *out, const void *items, uint32_t i) {
    cql__print_name(out, &((const cql_column_def *)items)[i].name);
}

static void print_primary_key(base_buf *out, const cql_name *partition, uint32_t partition_count,
                              const cql_name *clustering, uint32_t clustering_count) {
    base__buf_puts(out, "PRIMARY KEY (");
    if (partition_count == 1) {
        cql__print_name(out, partition);
    } else {
        cql__print_enclosed(out, cql__print_name_item, partition, partition_count);
    }
    for (uint32_t i = 0; i < clustering_count; i++) {
        base__buf_puts(out, ", ");
        cql__print_name(out, &clustering[i]);
    }
    base__buf_puts(out, ")");
}

static void print_order(base_buf *out, const void *items, uint32_t i) {
    const cql_order *order = (const cql_order *)items + i;
    cql__print_name(out, &order->column);
    base__buf_puts(out, order->descending ? " DESC" : " ASC");
}

/* WITH COMPACT STORAGE AND CLUSTERING ORDER BY (…) AND properties */
static void print_options(base_buf *out, bool compact, const cql_order *order, uint32_t order_count,
                          const cql_property *properties, uint32_t property_count) {
    const char *word = " WITH ";
    if (compact) {
        base__buf_puts(out, " WITH COMPACT STORAGE");
        word = " AND ";
    }
    if (order_count) {
        base__buf_puts(out, word);
        base__buf_puts(out, "CLUSTERING ORDER BY ");
        cql__print_enclosed(out, print_order, order, order_count);
        word = " AND ";
    }
    if (property_count == 0) return;
    base__buf_puts(out, word);
    cql__print_items(out, cql__print_property_item, properties, property_count, " AND ");
}

/* ---- tables, types and views ---- */

static void print_create_table(base_buf *out, const cql_statement *s) {
    const cql_create_table *table = &s->as.create_table;
    base__buf_puts(out, "CREATE TABLE");
    print_if_not_exists(out, table->if_not_exists);
    cql__print_ref(out, &table->table);
    base__buf_puts(out, " (");
    cql__print_items(out, print_column, table->columns, table->column_count, ", ");
    for (uint32_t i = 0; table->partition_count && (i == 0 || i < table->primary_key_clauses);
         i++) {
        if (i > 0 || table->column_count) base__buf_puts(out, ", ");
        print_primary_key(out, table->partition_key, table->partition_count, table->clustering,
                          table->clustering_count);
    }
    base__buf_puts(out, ")");
    print_options(out, table->compact_storage, table->order, table->order_count, table->properties,
                  table->property_count);
}

static void print_create_type(base_buf *out, const cql_statement *s) {
    const cql_create_type *type = &s->as.create_type;
    base__buf_puts(out, "CREATE TYPE");
    print_if_not_exists(out, type->if_not_exists);
    cql__print_user_type_name(out, &type->name);
    base__buf_puts(out, " ");
    cql__print_enclosed(out, print_column, type->fields, type->field_count);
}

static void print_create_view(base_buf *out, const cql_statement *s) {
    const cql_create_view *view = &s->as.create_view;
    base__buf_puts(out, "CREATE MATERIALIZED VIEW");
    print_if_not_exists(out, view->if_not_exists);
    cql__print_ref(out, &view->name);
    base__buf_puts(out, " AS SELECT ");
    cql__print_selectors(out, view->all, view->selectors, view->selector_count);
    base__buf_puts(out, " FROM ");
    cql__print_ref(out, &view->base);
    cql__print_where(out, view->where, view->where_count);
    base__buf_puts(out, " ");
    print_primary_key(out, view->partition_key, view->partition_count, view->clustering,
                      view->clustering_count);
    print_options(out, false, view->order, view->order_count, view->properties,
                  view->property_count);
}

static void print_renamed(base_buf *out, const cql_alter_table *alter) {
    for (uint32_t i = 0; i < alter->column_count; i++) {
        if (i > 0) base__buf_puts(out, " AND ");
        cql__print_name(out, &alter->columns[i].name);
        base__buf_puts(out, " TO ");
        cql__print_name(out, &alter->renamed[i]);
    }
}

static void print_columns(base_buf *out, const cql_alter_table *alter, cql_print_fn *item) {
    if (alter->column_count == 1) {
        item(out, alter->columns, 0);
    } else {
        cql__print_enclosed(out, item, alter->columns, alter->column_count);
    }
}

static void print_altered_column(base_buf *out, const cql_alter_table *alter) {
    const cql_column_def *column = &alter->columns[0];
    base__buf_puts(out, " ALTER");
    print_if_exists(out, alter->column_if);
    cql__print_name(out, &column->name);
    if (alter->kind == CQL_ALTER_TYPE) {
        base__buf_puts(out, " TYPE ");
        cql__print_type_ast(column->type, out);
    } else if (alter->drop_masked) {
        base__buf_puts(out, " DROP MASKED");
    } else {
        print_mask(out, &column->mask);
    }
}

static void print_dropped(base_buf *out, const cql_alter_table *alter) {
    base__buf_puts(out, " DROP");
    print_if_exists(out, alter->column_if);
    print_columns(out, alter, print_column_name);
    if (!alter->timestamp) return;
    base__buf_puts(out, " USING TIMESTAMP ");
    cql__print_expr(alter->timestamp, out);
}

static void print_alter_table(base_buf *out, const cql_statement *s) {
    const cql_alter_table *alter = &s->as.alter_table;
    base__buf_puts(out, cql__statement_name(s->kind));
    print_if_exists(out, alter->if_exists);
    if (s->kind == CQL_STMT_ALTER_TYPE)
        cql__print_user_type_name(out, &alter->table);
    else
        cql__print_ref(out, &alter->table);
    switch (alter->kind) {
    case CQL_ALTER_ADD:
        base__buf_puts(out, " ADD");
        print_if_not_exists(out, alter->column_if);
        print_columns(out, alter, print_column);
        break;
    case CQL_ALTER_DROP: print_dropped(out, alter); break;
    case CQL_ALTER_RENAME:
        base__buf_puts(out, " RENAME");
        print_if_exists(out, alter->column_if);
        print_renamed(out, alter);
        break;
    case CQL_ALTER_TYPE:
    case CQL_ALTER_MASK: print_altered_column(out, alter); break;
    case CQL_ALTER_DROP_COMPACT_STORAGE: base__buf_puts(out, " DROP COMPACT STORAGE"); break;
    case CQL_ALTER_WITH:
        cql__print_properties(out, alter->properties, alter->property_count);
        break;
    }
}

/* ---- indexes ---- */

static void print_target(base_buf *out, const void *items, uint32_t i) {
    static const char *const words[] = {
        [CQL_TARGET_VALUES] = "VALUES(",
        [CQL_TARGET_KEYS] = "KEYS(",
        [CQL_TARGET_ENTRIES] = "ENTRIES(",
        [CQL_TARGET_FULL] = "FULL(",
    };
    const cql_create_index *index = items;
    const char             *word = words[index->targets[i]];
    if (word) base__buf_puts(out, word);
    cql__print_name(out, &index->columns[i]);
    if (word) base__buf_puts(out, ")");
}

static void print_create_index(base_buf *out, const cql_statement *s) {
    const cql_create_index *index = &s->as.create_index;
    base__buf_puts(out, index->custom ? "CREATE CUSTOM INDEX" : "CREATE INDEX");
    print_if_not_exists(out, index->if_not_exists);
    if (index->name.name.text.data) {
        cql__print_name(out, &index->name.name);
        base__buf_puts(out, " ");
    }
    base__buf_puts(out, "ON ");
    cql__print_ref(out, &index->table);
    base__buf_puts(out, " ");
    cql__print_enclosed(out, print_target, index, index->target_count);
    if (index->using_class.data) {
        base__buf_puts(out, " USING ");
        cql__print_string(index->using_class, out);
    }
    cql__print_properties(out, index->properties, index->property_count);
}

/* ---- functions, aggregates and triggers ---- */

static void print_create(base_buf *out, bool or_replace, const char *what, bool if_not_exists) {
    base__buf_puts(out, or_replace ? "CREATE OR REPLACE " : "CREATE ");
    base__buf_puts(out, what);
    print_if_not_exists(out, if_not_exists);
}

static void print_argument(base_buf *out, const void *items, uint32_t i) {
    const cql_create_function *function = items;
    cql__print_name(out, &function->arguments[i]);
    base__buf_puts(out, " ");
    cql__print_type_ast(function->argument_types[i], out);
}

static void print_create_function(base_buf *out, const cql_statement *s) {
    const cql_create_function *function = &s->as.create_function;
    print_create(out, function->or_replace, "FUNCTION", function->if_not_exists);
    cql__print_function_name(out, &function->name);
    cql__print_enclosed(out, print_argument, function, function->argument_count);
    base__buf_puts(out, function->called_on_null ? " CALLED" : " RETURNS NULL");
    base__buf_puts(out, " ON NULL INPUT RETURNS ");
    cql__print_type_ast(function->returns, out);
    base__buf_puts(out, " LANGUAGE ");
    base__buf_put_str(out, function->language.text);
    base__buf_puts(out, " AS ");
    cql__print_string(function->body, out);
}

static void print_create_aggregate(base_buf *out, const cql_statement *s) {
    const cql_create_aggregate *aggregate = &s->as.create_aggregate;
    print_create(out, aggregate->or_replace, "AGGREGATE", aggregate->if_not_exists);
    cql__print_function_name(out, &aggregate->name);
    cql__print_enclosed(out, cql__print_type_item, aggregate->argument_types,
                        aggregate->argument_count);
    base__buf_puts(out, " SFUNC ");
    cql__print_function_name(out, &aggregate->state_function);
    base__buf_puts(out, " STYPE ");
    cql__print_type_ast(aggregate->state_type, out);
    if (aggregate->final_function.name.text.data) {
        base__buf_puts(out, " FINALFUNC ");
        cql__print_function_name(out, &aggregate->final_function);
    }
    if (!aggregate->initial) return;
    base__buf_puts(out, " INITCOND ");
    cql__print_expr(aggregate->initial, out);
}

static void print_trigger(base_buf *out, const cql_statement *s) {
    const cql_create_trigger *trigger = &s->as.trigger;
    bool                      create = s->kind == CQL_STMT_CREATE_TRIGGER;
    base__buf_puts(out, cql__statement_name(s->kind));
    if (create)
        print_if_not_exists(out, trigger->if_not_exists);
    else
        print_if_exists(out, trigger->if_not_exists);
    cql__print_name(out, &trigger->name);
    base__buf_puts(out, " ON ");
    cql__print_ref(out, &trigger->table);
    if (!create) return;
    base__buf_puts(out, " USING ");
    cql__print_string(trigger->class_name, out);
}

/* ---- USE, TRUNCATE, DROP and DESCRIBE ---- */

static void print_drop(base_buf *out, const cql_statement *s) {
    const cql_drop *drop = &s->as.drop;
    base__buf_puts(out, cql__statement_name(s->kind));
    print_if_exists(out, drop->if_exists);
    switch (s->kind) {
    case CQL_STMT_DROP_TYPE: cql__print_user_type_name(out, &drop->name); break;
    case CQL_STMT_DROP_FUNCTION:
    case CQL_STMT_DROP_AGGREGATE: cql__print_function_name(out, &drop->name); break;
    default: cql__print_ref(out, &drop->name);
    }
    if (!drop->has_arguments) return;
    cql__print_enclosed(out, cql__print_type_item, drop->argument_types, drop->argument_count);
}

static const char *const described[] = {
    [CQL_DESCRIBE_CLUSTER] = "CLUSTER",
    [CQL_DESCRIBE_SCHEMA] = "SCHEMA",
    [CQL_DESCRIBE_KEYSPACES] = "KEYSPACES",
    [CQL_DESCRIBE_KEYSPACE] = "KEYSPACE",
    [CQL_DESCRIBE_TABLES] = "TABLES",
    [CQL_DESCRIBE_TABLE] = "TABLE ",
    [CQL_DESCRIBE_INDEX] = "INDEX ",
    [CQL_DESCRIBE_VIEW] = "MATERIALIZED VIEW ",
    [CQL_DESCRIBE_TYPES] = "TYPES",
    [CQL_DESCRIBE_TYPE] = "TYPE ",
    [CQL_DESCRIBE_FUNCTIONS] = "FUNCTIONS",
    [CQL_DESCRIBE_FUNCTION] = "FUNCTION ",
    [CQL_DESCRIBE_AGGREGATES] = "AGGREGATES",
    [CQL_DESCRIBE_AGGREGATE] = "AGGREGATE ",
    [CQL_DESCRIBE_GENERIC] = "",
};

/* Every keyword in quotes: DESCRIBE types and DESCRIBE "types" differ. */
static void print_generic(base_buf *out, const cql_ref *object) {
    if (object->keyspace.text.data) {
        cql__print_bare_name(out, &object->keyspace);
        base__buf_puts(out, ".");
    }
    cql__print_bare_name(out, &object->name);
}

static void print_describe(base_buf *out, const cql_statement *s) {
    const cql_describe *describe = &s->as.describe;
    base__buf_puts(out, "DESCRIBE ");
    if (describe->full) base__buf_puts(out, "FULL ");
    if (describe->only) base__buf_puts(out, "ONLY ");
    base__buf_puts(out, described[describe->kind]);
    switch (describe->kind) {
    case CQL_DESCRIBE_TYPE: cql__print_user_type_name(out, &describe->object); break;
    case CQL_DESCRIBE_FUNCTION:
    case CQL_DESCRIBE_AGGREGATE: cql__print_function_name(out, &describe->object); break;
    case CQL_DESCRIBE_GENERIC: print_generic(out, &describe->object); break;
    case CQL_DESCRIBE_KEYSPACE:
        if (!describe->object.keyspace.text.data) break;
        base__buf_puts(out, " ");
        cql__print_name(out, &describe->object.keyspace);
        break;
    default:
        if (describe->object.name.text.data) cql__print_ref(out, &describe->object);
    }
    if (describe->internals) base__buf_puts(out, " WITH INTERNALS");
}

void cql__print_schema(base_buf *out, const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_CREATE_KEYSPACE:
    case CQL_STMT_ALTER_KEYSPACE: print_keyspace(out, s); break;
    case CQL_STMT_CREATE_TABLE: print_create_table(out, s); break;
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_ALTER_TYPE:
    case CQL_STMT_ALTER_VIEW: print_alter_table(out, s); break;
    case CQL_STMT_CREATE_TYPE: print_create_type(out, s); break;
    case CQL_STMT_CREATE_INDEX: print_create_index(out, s); break;
    case CQL_STMT_CREATE_VIEW: print_create_view(out, s); break;
    case CQL_STMT_CREATE_FUNCTION: print_create_function(out, s); break;
    case CQL_STMT_CREATE_AGGREGATE: print_create_aggregate(out, s); break;
    case CQL_STMT_CREATE_TRIGGER:
    case CQL_STMT_DROP_TRIGGER: print_trigger(out, s); break;
    case CQL_STMT_DESCRIBE: print_describe(out, s); break;
    default: print_drop(out, s);
    }
}
