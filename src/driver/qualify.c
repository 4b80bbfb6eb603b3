// SPDX-License-Identifier: MIT
/* qualify.c -- a keyspace put into a statement's text, for a protocol that has no place for it beside the text. Pure.
 *
 * Only the names of what the statement is about get it: the server looks for the types and functions inside in the keyspace of
 * the table (or type, or function) around them. */
#include "driver/prepared.h"

static void put(cql_ref *ref, corm_str keyspace) {
    if (ref->name.text.data && !ref->keyspace.text.data) ref->keyspace.text = keyspace;
}

static void put_view(cql_create_view *view, corm_str keyspace) {
    put(&view->base, keyspace);
    put(&view->name, keyspace);
}

static void put_index(cql_create_index *index, corm_str keyspace) {
    put(&index->table, keyspace);
}

static void put_permission(cql_permission *permission, corm_str keyspace) {
    bool object =
        permission->resource == CQL_RESOURCE_TABLE || permission->resource == CQL_RESOURCE_FUNCTION;
    if (permission->has_resource && object) put(&permission->object, keyspace);
}

/* False when the statement asks for the keyspace in use in a way that a name cannot say. */
static bool qualify(cql_statement *s, corm_str keyspace) {
    switch (s->kind) {
    case CQL_STMT_SELECT: put(&s->as.select.table, keyspace); break;
    case CQL_STMT_INSERT: put(&s->as.insert.table, keyspace); break;
    case CQL_STMT_UPDATE: put(&s->as.update.table, keyspace); break;
    case CQL_STMT_DELETE: put(&s->as.delete_.table, keyspace); break;
    case CQL_STMT_BATCH:
        for (uint32_t i = 0; i < s->as.batch.count; i++) {
            qualify(s->as.batch.statements[i], keyspace);
        }
        break;
    case CQL_STMT_CREATE_TABLE: put(&s->as.create_table.table, keyspace); break;
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_ALTER_TYPE:
    case CQL_STMT_ALTER_VIEW: put(&s->as.alter_table.table, keyspace); break;
    case CQL_STMT_CREATE_TYPE: put(&s->as.create_type.name, keyspace); break;
    case CQL_STMT_CREATE_INDEX: put_index(&s->as.create_index, keyspace); break;
    case CQL_STMT_CREATE_VIEW: put_view(&s->as.create_view, keyspace); break;
    case CQL_STMT_CREATE_FUNCTION: put(&s->as.create_function.name, keyspace); break;
    case CQL_STMT_CREATE_AGGREGATE: put(&s->as.create_aggregate.name, keyspace); break;
    case CQL_STMT_CREATE_TRIGGER:
    case CQL_STMT_DROP_TRIGGER: put(&s->as.trigger.table, keyspace); break;
    case CQL_STMT_TRUNCATE:
    case CQL_STMT_DROP_TABLE:
    case CQL_STMT_DROP_TYPE:
    case CQL_STMT_DROP_INDEX:
    case CQL_STMT_DROP_VIEW:
    case CQL_STMT_DROP_FUNCTION:
    case CQL_STMT_DROP_AGGREGATE: put(&s->as.drop.name, keyspace); break;
    case CQL_STMT_GRANT_PERMISSION:
    case CQL_STMT_REVOKE_PERMISSION:
    case CQL_STMT_LIST_PERMISSIONS: put_permission(&s->as.permission, keyspace); break;
    case CQL_STMT_DESCRIBE: return false;
    default: break;
    }
    return true;
}

corm_status driver__qualify(corm_str text, corm_str keyspace, base_buf *out, bool *done,
                            corm_error *err) {
    base_arena     arena = { 0 };
    cql_statement *statement = NULL;
    corm_status    status = cql__parse(&arena, text, &statement, NULL, err);
    *done = status == CORM_OK && qualify(statement, keyspace);
    if (*done) cql__print(statement, out);
    base__arena_free(&arena);
    if (status == CORM_NO_MEMORY) return status;
    return base__buf_status(out, err);
}
