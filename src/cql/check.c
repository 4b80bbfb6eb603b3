// SPDX-License-Identifier: MIT
/* check.c -- entry of the checker: from a text or a tree to a statement that can be executed. Any thread; a checked
 * statement never changes.
 *
 *   cql_checked lies in its own arena, together with the tree and every node. */
#include "cql/check_internal.h"
#include "cql/parser.h"

/* ---- names ---- */

corm_status cql__find_column(cql_checker *c, const cql_name *name, const cql_column **out) {
    *out = cql__table_column(c->table, name->text);
    if (*out) return CORM_OK;
    base_buf text = { 0 };
    base__buf_puts(&text, "Undefined column name ");
    cql__put_name(&text, name->text);
    base__buf_puts(&text, " in table ");
    cql__put_name(&text, c->table->keyspace);
    base__buf_u8(&text, '.');
    cql__put_name(&text, c->table->name);
    corm_str shown = cql__take_text(c, &text);
    return base__fail_at(c->err, CORM_INVALID, name->place.line, name->place.column, "%.*s",
                         CQL_STR(shown));
}

corm_status cql__use_table(cql_checker *c, const cql_ref *ref) {
    corm_str keyspace = ref->keyspace.text.data ? ref->keyspace.text : c->keyspace;
    if (keyspace.len == 0) {
        return base__fail(
            c->err, CORM_INVALID,
            "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
    }
    c->table = cql__schema_table(c->schema, keyspace, ref->name.text);
    if (c->table) return CORM_OK;
    if (!cql__schema_keyspace(c->schema, keyspace)) {
        return base__fail_at(c->err, CORM_INVALID, ref->keyspace.place.line,
                             ref->keyspace.place.column, "keyspace %.*s does not exist",
                             CQL_STR(keyspace));
    }
    return base__fail_at(c->err, CORM_INVALID, ref->name.place.line, ref->name.place.column,
                         "table %.*s does not exist", CQL_STR(ref->name.text));
}

cql_receiver cql__column_receiver(const cql_checker *c, const cql_column *column) {
    return (cql_receiver){ c->table->keyspace, c->table->name, column->name, column->type, column };
}

cql_receiver cql__named_receiver(const cql_checker *c, const char *name, const cql_type *type) {
    return (cql_receiver){ c->table->keyspace, c->table->name, corm_str_of(name), type, NULL };
}

corm_status cql__wrapped_receiver(cql_checker *c, const cql_receiver *of, const char *before,
                                  const cql_type *type, cql_receiver *out) {
    corm_str name = base__arena_printf(c->arena, "%s(%.*s)", before, CQL_STR(of->name));
    if (!name.data) return base__fail_memory(c->err);
    *out = (cql_receiver){ of->keyspace, of->table, name, type, NULL };
    return CORM_OK;
}

void cql__refuse_execution(cql_checker *c, const char *words) {
    if (!c->refused) c->refused = words;
}

/* ---- statements ---- */

static corm_status check_use(cql_checker *c, const cql_drop *use) {
    corm_str name = use->name.name.text;
    if (cql__schema_keyspace(c->schema, name)) return CORM_OK;
    return base__fail(c->err, CORM_INVALID, "Keyspace '%.*s' does not exist", CQL_STR(name));
}

/* What the store executes from the tree. */
static bool is_executed_from_tree(cql_statement_kind kind) {
    switch (kind) {
    case CQL_STMT_TRUNCATE:
    case CQL_STMT_CREATE_KEYSPACE:
    case CQL_STMT_ALTER_KEYSPACE:
    case CQL_STMT_DROP_KEYSPACE:
    case CQL_STMT_CREATE_TABLE:
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_DROP_TABLE:
    case CQL_STMT_CREATE_TYPE:
    case CQL_STMT_ALTER_TYPE:
    case CQL_STMT_DROP_TYPE:
    case CQL_STMT_CREATE_INDEX:
    case CQL_STMT_DROP_INDEX:
    case CQL_STMT_CREATE_VIEW:
    case CQL_STMT_ALTER_VIEW:
    case CQL_STMT_DROP_VIEW:
    case CQL_STMT_CREATE_TRIGGER:
    case CQL_STMT_DROP_TRIGGER:
    case CQL_STMT_CREATE_FUNCTION:
    case CQL_STMT_DROP_FUNCTION:
    case CQL_STMT_CREATE_AGGREGATE:
    case CQL_STMT_DROP_AGGREGATE:
    case CQL_STMT_DESCRIBE: return true;
    default: return cql__is_role_statement(kind);
    }
}

static corm_status check_one(cql_checker *c, cql_checked *checked) {
    const cql_statement *statement = checked->statement;
    switch (statement->kind) {
    case CQL_STMT_SELECT:
        if (!(checked->select = BASE_NEW(c->arena, cql_checked_select)))
            return base__fail_memory(c->err);
        CORM_TRY(cql__check_select(c, &statement->as.select, checked->select));
        return cql__partition_markers(c, checked, c->table);
    case CQL_STMT_INSERT:
    case CQL_STMT_UPDATE:
    case CQL_STMT_DELETE:
        if (!(checked->modify = BASE_NEW(c->arena, cql_checked_modify)))
            return base__fail_memory(c->err);
        CORM_TRY(cql__check_modify(c, statement, checked->modify));
        CORM_TRY(cql__validate_modify(checked->modify, c->err));
        return cql__partition_markers(c, checked, c->table);
    case CQL_STMT_BATCH:
        if (!(checked->batch = BASE_NEW(c->arena, cql_checked_batch)))
            return base__fail_memory(c->err);
        CORM_TRY(cql__check_batch_statement(c, &statement->as.batch, checked->batch));
        return cql__batch_partition_markers(c, checked);
    case CQL_STMT_USE: return check_use(c, &statement->as.drop);
    case CQL_STMT_TRUNCATE: return cql__use_table(c, &statement->as.drop.name);
    default: break;
    }
    if (statement->kind == CQL_STMT_CREATE_VIEW && statement->marker_count > 0)
        return base__fail(c->err, CORM_INVALID,
                          "Bind variables are not allowed in CREATE MATERIALIZED VIEW statements");
    if (is_executed_from_tree(statement->kind)) return CORM_OK;
    return base__fail(c->err, CORM_INVALID, "%s is not supported by Corm",
                      cql__statement_name(statement->kind));
}

corm_status cql__check(base_arena *arena, const cql_statement *statement, cql_schema *schema,
                       corm_str keyspace, cql_checked **out, corm_error *err) {
    cql_checked *checked = BASE_NEW(arena, cql_checked);
    if (!checked) return base__fail_memory(err);
    checked->statement = statement;
    checked->kind = statement->kind;
    checked->keyspace = base__arena_str(arena, keyspace);
    if (!checked->keyspace.data) return base__fail_memory(err);
    cql_checker c = { .arena = arena, .schema = schema, .keyspace = checked->keyspace, .err = err };
    corm_status status = cql__markers_begin(&c, checked, statement->marker_count);
    if (status == CORM_OK) status = check_one(&c, checked);
    base__map_free(&c.fits);
    if (c.no_memory) return base__fail_memory(err);
    if (status != CORM_OK) return status;
    checked->refused = c.refused;
    checked->schema = cql__schema_ref(schema);
    checked->arena = *arena;
    *arena = (base_arena){ 0 };
    *out = checked;
    return CORM_OK;
}

corm_status cql__check_text(corm_str text, cql_schema *schema, corm_str keyspace, cql_checked **out,
                            corm_error *err) {
    base_arena     arena = { 0 };
    cql_statement *statement = NULL;
    corm_status    status = cql__parse(&arena, text, &statement, NULL, err);
    if (status == CORM_OK) status = cql__check(&arena, statement, schema, keyspace, out, err);
    base__arena_free(&arena);
    return status;
}

void cql__checked_free(cql_checked *checked) {
    if (!checked) return;
    base_arena arena = checked->arena; /* holds checked itself */
    cql__schema_unref(checked->schema);
    base__arena_free(&arena);
}
