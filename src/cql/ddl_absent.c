// SPDX-License-Identifier: MIT
/* ddl_absent.c -- triggers, user-defined functions and aggregates: they are Java on the server, and there are none here. CREATE is
 * refused by name, DROP finds nothing, in the server's words. Pure; any thread. */
#include "base/text.h"
#include "cql/ddl.h"

static corm_status refuse(const cql_ddl *ddl, const char *what, const char *why) {
    return base__fail(ddl->err, CORM_INVALID, "%s is not supported by Corm: %s", what, why);
}

/* ---- types of arguments ---- */

static corm_status refuse_frozen(const cql_ddl *ddl, const cql_type *type) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    const char *shown = base__buf_cstr(&text);
    corm_status status =
        shown ? base__fail(ddl->err, CORM_INVALID,
                           "Argument '%s' cannot be frozen; remove frozen<> modifier from '%s'",
                           shown, shown)
              : base__fail_memory(ddl->err);
    base__buf_free(&text);
    return status;
}

static corm_status put_type(const cql_ddl *ddl, corm_str keyspace, const cql_type_ast *written,
                            base_buf *out) {
    const cql_type *type;
    CORM_TRY(cql__resolve_type(ddl->schema, keyspace, written, ddl->arena, &type, ddl->err));
    if (!written->is_class &&
        base__str_equal_nocase(written->name.name.text, corm_str_of("frozen")))
        return refuse_frozen(ddl, type);
    cql__type_print(type, out);
    return CORM_OK;
}

/* "(int, text)". */
static corm_status put_types(const cql_ddl *ddl, corm_str keyspace, const cql_type_ast **types,
                             uint32_t count, base_buf *out) {
    base__buf_puts(out, "(");
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        CORM_TRY(put_type(ddl, keyspace, types[i], out));
    }
    base__buf_puts(out, ")");
    return CORM_OK;
}

/* ---- DROP ---- */

static corm_status fail_absent(const cql_ddl *ddl, const char *what, corm_str keyspace,
                               const cql_drop *s, base_buf *types) {
    if (s->has_arguments)
        CORM_TRY(put_types(ddl, keyspace, s->argument_types, s->argument_count, types));
    const char *shown = base__buf_cstr(types);
    if (!shown) return base__fail_memory(ddl->err);
    if (s->if_exists) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID, "%s '%.*s.%.*s%s' doesn't exist", what,
                      CQL_S(keyspace), CQL_S(s->name.name.text), shown);
}

static corm_status drop_absent(cql_ddl *ddl, const char *what, const cql_drop *s) {
    corm_str keyspace;
    base_buf types = { 0 };
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    corm_status status = fail_absent(ddl, what, keyspace, s, &types);
    base__buf_free(&types);
    return status;
}

corm_status cql__drop_function(cql_ddl *ddl, const cql_statement *statement) {
    return drop_absent(ddl, "Function", &statement->as.drop);
}

corm_status cql__drop_aggregate(cql_ddl *ddl, const cql_statement *statement) {
    return drop_absent(ddl, "Aggregate", &statement->as.drop);
}

corm_status cql__drop_trigger(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_trigger *s = &statement->as.trigger;
    corm_str                  keyspace;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->table, &keyspace));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    if (s->if_not_exists) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID, "Trigger '%.*s' on '%.*s.%.*s' doesn't exist",
                      CQL_S(s->name.text), CQL_S(keyspace), CQL_S(s->table.name.text));
}

/* ---- CREATE ---- */

static corm_status check_directives(const cql_ddl *ddl, bool or_replace, bool if_not_exists) {
    if (!or_replace || !if_not_exists) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Cannot use both 'OR REPLACE' and 'IF NOT EXISTS' directives");
}

corm_status cql__create_function(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_function *s = &statement->as.create_function;
    corm_str                   keyspace;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    CORM_TRY(check_directives(ddl, s->or_replace, s->if_not_exists));
    if (!base__str_equal_nocase(s->language.text, corm_str_of("java")))
        return base__fail(ddl->err, CORM_INVALID,
                          "Currently only Java UDFs are available in Cassandra. For more "
                          "information - CASSANDRA-18252 and CASSANDRA-17281");
    if (!cql__schema_keyspace(ddl->schema, keyspace))
        return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist", CQL_S(keyspace));
    return refuse(ddl, "CREATE FUNCTION",
                  "user-defined functions are written in Java, and no Java runs here");
}

static corm_status fail_no_state(const cql_ddl *ddl, corm_str keyspace,
                                 const cql_create_aggregate *s, base_buf *types) {
    const cql_type_ast **all =
        BASE_NEW_ARRAY(ddl->arena, const cql_type_ast *, (size_t)s->argument_count + 1);
    if (!all) return base__fail_memory(ddl->err);
    all[0] = s->state_type;
    for (uint32_t i = 0; i < s->argument_count; i++) all[i + 1] = s->argument_types[i];
    CORM_TRY(put_types(ddl, keyspace, all, s->argument_count + 1, types));
    const char *shown = base__buf_cstr(types);
    if (!shown) return base__fail_memory(ddl->err);
    return base__fail(ddl->err, CORM_INVALID, "State function %.*s.%.*s%s doesn't exist",
                      CQL_S(keyspace), CQL_S(s->state_function.name.text), shown);
}

/* A state function is a user-defined one, and there is none. */
corm_status cql__create_aggregate(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_aggregate *s = &statement->as.create_aggregate;
    corm_str                    keyspace;
    base_buf                    types = { 0 };
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    if (!cql__schema_keyspace(ddl->schema, keyspace))
        return base__fail(ddl->err, CORM_CONFIG_ERROR, "Keyspace %.*s doesn't exist",
                          CQL_S(keyspace));
    CORM_TRY(check_directives(ddl, s->or_replace, s->if_not_exists));
    corm_status status = fail_no_state(ddl, keyspace, s, &types);
    base__buf_free(&types);
    return status;
}

corm_status cql__create_trigger(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_trigger *s = &statement->as.trigger;
    corm_str                  keyspace;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->table, &keyspace));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    if (!cql__schema_keyspace(ddl->schema, keyspace))
        return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist", CQL_S(keyspace));
    if (!cql__schema_table(ddl->schema, keyspace, s->table.name.text))
        return base__fail(ddl->err, CORM_INVALID, "Table '%.*s' doesn't exist",
                          CQL_S(s->table.name.text));
    return refuse(ddl, "CREATE TRIGGER",
                  "triggers are Java classes; the change feed tells of every write");
}
