// SPDX-License-Identifier: MIT
/* parse_schema.c -- CREATE, ALTER and DROP by what stands behind them; keyspaces, indexes, functions,
 * aggregates, triggers, and the short statements USE, TRUNCATE and DESCRIBE. */
#include "cql/parse.h"

/* ---- keyspaces ---- */

static bool parse_keyspace_rest(cql_parser *p, cql_create_keyspace *keyspace) {
    return cql__parse_keyspace(p, &keyspace->name) && cql__expect(p, CQL_K_WITH) &&
           cql__parse_properties(p, &keyspace->properties, &keyspace->property_count);
}

static bool create_keyspace(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_CREATE_KEYSPACE;
    return cql__parse_if_not_exists(p, &s->as.keyspace.if_not_exists) &&
           parse_keyspace_rest(p, &s->as.keyspace);
}

static bool alter_keyspace(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_ALTER_KEYSPACE;
    return cql__parse_if_exists(p, &s->as.keyspace.if_not_exists) &&
           parse_keyspace_rest(p, &s->as.keyspace);
}

bool cql__parse_use(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_USE;
    cql__advance(p);
    return cql__parse_keyspace(p, &s->as.drop.name.name);
}

bool cql__parse_truncate(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_TRUNCATE;
    cql__advance(p);
    cql__accept(p, CQL_K_COLUMNFAMILY);
    return cql__parse_ref(p, "table", &s->as.drop.name);
}

/* ---- indexes ---- */

static const struct target {
    cql_symbol       word;
    cql_index_target target;
} targets[] = {
    { CQL_K_VALUES, CQL_TARGET_VALUES },
    { CQL_K_KEYS, CQL_TARGET_KEYS },
    { CQL_K_ENTRIES, CQL_TARGET_ENTRIES },
    { CQL_K_FULL, CQL_TARGET_FULL },
};

static bool push_target(cql_parser *p, void *context) {
    cql_create_index *index = context;
    cql_index_target  target = CQL_TARGET_COLUMN;
    cql_name          name = { 0 };
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (cql__accept_words(p, targets[i].word, CQL_T_LPAREN)) target = targets[i].target;
    }
    if (!cql__parse_column(p, &name)) return false;
    if (target != CQL_TARGET_COLUMN && !cql__expect(p, CQL_T_RPAREN)) return false;
    uint32_t count = index->target_count;
    return cql__push_name(p, &index->columns, &count, name) &&
           CQL_PUSH(p, index->targets, index->target_count, target);
}

static bool create_index(cql_parser *p, cql_statement *s) {
    cql_create_index *index = &s->as.create_index;
    s->kind = CQL_STMT_CREATE_INDEX;
    if (!cql__parse_if_not_exists(p, &index->if_not_exists)) return false;
    if (!cql__at(p, CQL_K_ON) && !cql__parse_named(p, "index", CQL_NAME_PLAIN, &index->name.name)) {
        return false;
    }
    if (!cql__expect(p, CQL_K_ON) || !cql__parse_ref(p, "table", &index->table) ||
        !cql__parse_enclosed_or_none(p, push_target, index)) {
        return false;
    }
    if (cql__accept(p, CQL_K_USING) && !cql__parse_string(p, &index->using_class)) return false;
    return !cql__accept(p, CQL_K_WITH) ||
           cql__parse_properties(p, &index->properties, &index->property_count);
}

static bool create_custom_index(cql_parser *p, cql_statement *s) {
    s->as.create_index.custom = true;
    return cql__expect(p, CQL_K_INDEX) && create_index(p, s);
}

/* ---- functions and aggregates ---- */

static bool push_argument(cql_parser *p, void *context) {
    cql_create_function *function = context;
    cql_name             name = { 0 };
    uint32_t             count = function->argument_count;
    return cql__parse_name(p, CQL_NAME_PLAIN, &name) &&
           cql__push_name(p, &function->arguments, &count, name) &&
           cql__push_type(p, &function->argument_types, &function->argument_count);
}

/* (RETURNS NULL | CALLED) ON NULL INPUT */
static bool parse_null_handling(cql_parser *p, cql_create_function *function) {
    function->called_on_null = cql__accept(p, CQL_K_CALLED);
    if (!function->called_on_null) {
        if (!cql__accept(p, CQL_K_RETURNS)) return cql__no_viable(p, 0);
        if (!cql__expect(p, CQL_K_NULL)) return false;
    }
    return cql__expect(p, CQL_K_ON) && cql__expect(p, CQL_K_NULL) && cql__expect(p, CQL_K_INPUT);
}

static bool parse_language(cql_parser *p, cql_name *out) {
    if (!cql__at(p, CQL_T_IDENT)) return cql__mismatch(p, CQL_T_IDENT);
    return cql__parse_name(p, CQL_NAME_PLAIN, out);
}

static bool create_function(cql_parser *p, cql_statement *s) {
    cql_create_function *function = &s->as.create_function;
    s->kind = CQL_STMT_CREATE_FUNCTION;
    return cql__parse_if_not_exists(p, &function->if_not_exists) &&
           cql__parse_function_name(p, &function->name) &&
           cql__parse_enclosed_or_none(p, push_argument, function) &&
           parse_null_handling(p, function) && cql__expect(p, CQL_K_RETURNS) &&
           cql__parse_type_ast(p, &function->returns) && cql__expect(p, CQL_K_LANGUAGE) &&
           parse_language(p, &function->language) && cql__expect(p, CQL_K_AS) &&
           cql__parse_string(p, &function->body);
}

static bool create_aggregate(cql_parser *p, cql_statement *s) {
    cql_create_aggregate *aggregate = &s->as.create_aggregate;
    s->kind = CQL_STMT_CREATE_AGGREGATE;
    bool good =
        cql__parse_if_not_exists(p, &aggregate->if_not_exists) &&
        cql__parse_function_name(p, &aggregate->name) &&
        cql__parse_argument_types(p, &aggregate->argument_types, &aggregate->argument_count) &&
        cql__expect(p, CQL_K_SFUNC) &&
        cql__parse_name(p, CQL_NAME_FUNCTION, &aggregate->state_function.name) &&
        cql__expect(p, CQL_K_STYPE) && cql__parse_type_ast(p, &aggregate->state_type);
    if (!good) return false;
    if (cql__accept(p, CQL_K_FINALFUNC) &&
        !cql__parse_name(p, CQL_NAME_FUNCTION, &aggregate->final_function.name)) {
        return false;
    }
    return !cql__accept(p, CQL_K_INITCOND) || cql__parse_expr(p, &aggregate->initial);
}

static bool create_or_replace(cql_parser *p, cql_statement *s) {
    if (!cql__accept(p, CQL_K_REPLACE)) return cql__no_viable(p, 0);
    if (cql__accept(p, CQL_K_FUNCTION)) {
        s->as.create_function.or_replace = true;
        return create_function(p, s);
    }
    if (!cql__accept(p, CQL_K_AGGREGATE)) return cql__no_viable(p, 0);
    s->as.create_aggregate.or_replace = true;
    return create_aggregate(p, s);
}

/* ---- triggers ---- */

static bool parse_trigger_name(cql_parser *p, cql_create_trigger *trigger) {
    return cql__parse_name(p, CQL_NAME_PLAIN, &trigger->name) && cql__expect(p, CQL_K_ON) &&
           cql__parse_ref(p, "table", &trigger->table);
}

static bool create_trigger(cql_parser *p, cql_statement *s) {
    cql_create_trigger *trigger = &s->as.trigger;
    s->kind = CQL_STMT_CREATE_TRIGGER;
    return cql__parse_if_not_exists(p, &trigger->if_not_exists) && parse_trigger_name(p, trigger) &&
           cql__expect(p, CQL_K_USING) && cql__parse_string(p, &trigger->class_name);
}

static bool drop_trigger(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_TRIGGER;
    return cql__parse_if_exists(p, &s->as.trigger.if_not_exists) &&
           parse_trigger_name(p, &s->as.trigger);
}

/* ---- DROP ---- */

static bool drop_ref(cql_parser *p, cql_drop *drop, const char *what) {
    return cql__parse_if_exists(p, &drop->if_exists) && cql__parse_ref(p, what, &drop->name);
}

static bool drop_keyspace(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_KEYSPACE;
    return cql__parse_if_exists(p, &s->as.drop.if_exists) &&
           cql__parse_keyspace(p, &s->as.drop.name.name);
}

static bool drop_table(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_TABLE;
    return drop_ref(p, &s->as.drop, "table");
}

static bool drop_index(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_INDEX;
    return drop_ref(p, &s->as.drop, "index");
}

static bool drop_view(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_VIEW;
    return cql__expect(p, CQL_K_VIEW) && drop_ref(p, &s->as.drop, "table");
}

static bool drop_type(cql_parser *p, cql_statement *s) {
    bool quoted;
    s->kind = CQL_STMT_DROP_TYPE;
    return cql__parse_if_exists(p, &s->as.drop.if_exists) &&
           cql__parse_user_type_name(p, &s->as.drop.name, &quoted);
}

static bool drop_callable(cql_parser *p, cql_drop *drop) {
    if (!cql__parse_if_exists(p, &drop->if_exists) || !cql__parse_function_name(p, &drop->name)) {
        return false;
    }
    drop->has_arguments = cql__at(p, CQL_T_LPAREN);
    return !drop->has_arguments ||
           cql__parse_argument_types(p, &drop->argument_types, &drop->argument_count);
}

static bool drop_function(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_FUNCTION;
    return drop_callable(p, &s->as.drop);
}

static bool drop_aggregate(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_AGGREGATE;
    return drop_callable(p, &s->as.drop);
}

/* ---- by the second word ---- */

static bool create_view(cql_parser *p, cql_statement *s) {
    return cql__expect(p, CQL_K_VIEW) && cql__parse_create_view(p, s);
}

static bool alter_view(cql_parser *p, cql_statement *s) {
    return cql__expect(p, CQL_K_VIEW) && cql__parse_alter_view(p, s);
}

typedef struct second_word {
    cql_symbol word;
    bool (*parse)(cql_parser *p, cql_statement *s);
} second_word;

static const second_word creates[] = {
    { CQL_K_COLUMNFAMILY, cql__parse_create_table },
    { CQL_K_KEYSPACE, create_keyspace },
    { CQL_K_INDEX, create_index },
    { CQL_K_CUSTOM, create_custom_index },
    { CQL_K_TYPE, cql__parse_create_type },
    { CQL_K_MATERIALIZED, create_view },
    { CQL_K_FUNCTION, create_function },
    { CQL_K_AGGREGATE, create_aggregate },
    { CQL_K_OR, create_or_replace },
    { CQL_K_TRIGGER, create_trigger },
    { CQL_K_ROLE, cql__parse_create_role },
    { CQL_K_USER, cql__parse_create_user },
};

static const second_word alters[] = {
    { CQL_K_COLUMNFAMILY, cql__parse_alter_table }, { CQL_K_KEYSPACE, alter_keyspace },
    { CQL_K_TYPE, cql__parse_alter_type },          { CQL_K_MATERIALIZED, alter_view },
    { CQL_K_ROLE, cql__parse_alter_role },          { CQL_K_USER, cql__parse_alter_user },
};

static const second_word drops[] = {
    { CQL_K_COLUMNFAMILY, drop_table },
    { CQL_K_KEYSPACE, drop_keyspace },
    { CQL_K_INDEX, drop_index },
    { CQL_K_TYPE, drop_type },
    { CQL_K_MATERIALIZED, drop_view },
    { CQL_K_FUNCTION, drop_function },
    { CQL_K_AGGREGATE, drop_aggregate },
    { CQL_K_TRIGGER, drop_trigger },
    { CQL_K_ROLE, cql__parse_drop_role },
    { CQL_K_USER, cql__parse_drop_user },
    { CQL_K_IDENTITY, cql__parse_drop_identity },
};

/* The first word has been read; the second decides. */
static bool parse_second(cql_parser *p, cql_statement *s, const second_word *words, size_t count) {
    cql_symbol symbols[sizeof creates / sizeof creates[0]];
    for (size_t i = 0; i < count; i++) symbols[i] = words[i].word;
    for (int tries = 0; tries < 2; tries++) {
        for (size_t i = 0; i < count; i++) {
            if (cql__accept(p, symbols[i])) return words[i].parse(p, s);
        }
        cql__no_viable(p, 0);
        if (p->no_memory || !cql__guess(p, symbols, count)) return false;
    }
    return false;
}

bool cql__parse_create(cql_parser *p, cql_statement *s) {
    cql__advance(p);
    return parse_second(p, s, creates, sizeof creates / sizeof creates[0]);
}

bool cql__parse_alter(cql_parser *p, cql_statement *s) {
    cql__advance(p);
    return parse_second(p, s, alters, sizeof alters / sizeof alters[0]);
}

bool cql__parse_drop(cql_parser *p, cql_statement *s) {
    cql__advance(p);
    return parse_second(p, s, drops, sizeof drops / sizeof drops[0]);
}

/* ---- DESCRIBE ---- */

typedef enum object_kind { NONE, TABLE, TYPE, FUNCTION } object_kind;

static const struct described {
    cql_symbol        word;
    cql_describe_kind kind;
    object_kind       object;
} described[] = {
    { CQL_K_CLUSTER, CQL_DESCRIBE_CLUSTER, NONE },
    { CQL_K_SCHEMA, CQL_DESCRIBE_SCHEMA, NONE },
    { CQL_K_KEYSPACES, CQL_DESCRIBE_KEYSPACES, NONE },
    { CQL_K_TABLES, CQL_DESCRIBE_TABLES, NONE },
    { CQL_K_COLUMNFAMILY, CQL_DESCRIBE_TABLE, TABLE },
    { CQL_K_INDEX, CQL_DESCRIBE_INDEX, TABLE },
    { CQL_K_TYPES, CQL_DESCRIBE_TYPES, NONE },
    { CQL_K_TYPE, CQL_DESCRIBE_TYPE, TYPE },
    { CQL_K_FUNCTIONS, CQL_DESCRIBE_FUNCTIONS, NONE },
    { CQL_K_FUNCTION, CQL_DESCRIBE_FUNCTION, FUNCTION },
    { CQL_K_AGGREGATES, CQL_DESCRIBE_AGGREGATES, NONE },
    { CQL_K_AGGREGATE, CQL_DESCRIBE_AGGREGATE, FUNCTION },
};

static bool parse_object(cql_parser *p, object_kind kind, cql_ref *out) {
    bool quoted;
    switch (kind) {
    case TABLE: return cql__parse_ref(p, "table", out);
    case TYPE: return cql__parse_user_type_name(p, out, &quoted);
    case FUNCTION: return cql__parse_function_name(p, out);
    default: return true;
    }
}

/* [ONLY] KEYSPACE [ks] */
static bool describe_keyspace(cql_parser *p, cql_describe *describe) {
    describe->kind = CQL_DESCRIBE_KEYSPACE;
    if (!cql__expect(p, CQL_K_KEYSPACE)) return false;
    bool named = cql__at(p, CQL_T_QMARK) || cql__is_name(cql__peek(p, 0), CQL_NAME_PLAIN);
    return !named || cql__parse_keyspace(p, &describe->object.keyspace);
}

/* [keyspace.]name, without the words about markers of the other names */
static bool describe_generic(cql_parser *p, cql_describe *describe) {
    describe->kind = CQL_DESCRIBE_GENERIC;
    if (cql__peek(p, 1) == CQL_T_DOT) {
        if (!cql__parse_name(p, CQL_NAME_PLAIN, &describe->object.keyspace)) return false;
        cql__advance(p);
    }
    return cql__parse_name(p, CQL_NAME_PLAIN, &describe->object.name);
}

/* TYPE, FUNCTION and AGGREGATE with no name behind them are names. */
static bool is_name_itself(cql_parser *p, const struct described *what) {
    if (!cql__at(p, what->word) || (what->object != TYPE && what->object != FUNCTION)) return false;
    cql_symbol next = cql__peek(p, 1);
    return next == CQL_T_END || next == CQL_T_SEMICOLON || next == CQL_T_DOT || next == CQL_K_WITH;
}

static bool parse_described(cql_parser *p, cql_describe *describe) {
    if (cql__accept(p, CQL_K_FULL)) {
        describe->full = true;
        describe->kind = CQL_DESCRIBE_SCHEMA;
        return cql__expect(p, CQL_K_SCHEMA);
    }
    describe->only = cql__at(p, CQL_K_ONLY) && cql__peek(p, 1) == CQL_K_KEYSPACE;
    if (describe->only) cql__advance(p);
    if (cql__at(p, CQL_K_KEYSPACE)) return describe_keyspace(p, describe);
    if (cql__accept(p, CQL_K_MATERIALIZED)) {
        describe->kind = CQL_DESCRIBE_VIEW;
        return cql__expect(p, CQL_K_VIEW) && cql__parse_ref(p, "table", &describe->object);
    }
    for (size_t i = 0; i < sizeof described / sizeof described[0]; i++) {
        if (is_name_itself(p, &described[i])) return describe_generic(p, describe);
        if (!cql__accept(p, described[i].word)) continue;
        describe->kind = described[i].kind;
        return parse_object(p, described[i].object, &describe->object);
    }
    return describe_generic(p, describe);
}

bool cql__parse_describe(cql_parser *p, cql_statement *s) {
    cql_describe *describe = &s->as.describe;
    s->kind = CQL_STMT_DESCRIBE;
    cql__advance(p);
    if (!parse_described(p, describe)) return false;
    describe->internals = cql__accept(p, CQL_K_WITH);
    return !describe->internals || cql__expect(p, CQL_K_INTERNALS);
}
