// SPDX-License-Identifier: MIT
/* middleware_facts.c -- what a text says of itself without a schema: its class, its table, what is dear about it. Pure. */
#include "base/fail.h"
#include "cql/parser.h"
#include "session/middleware.h"

/* ---- classes ---- */

static corm_statement_class class_of(cql_statement_kind kind) {
    if (cql__is_role_list(kind)) return CORM_STATEMENT_OTHER;
    if (cql__is_role_statement(kind)) return CORM_STATEMENT_ROLES;
    switch (kind) {
    case CQL_STMT_SELECT: return CORM_STATEMENT_SELECT;
    case CQL_STMT_INSERT: return CORM_STATEMENT_INSERT;
    case CQL_STMT_UPDATE: return CORM_STATEMENT_UPDATE;
    case CQL_STMT_DELETE: return CORM_STATEMENT_DELETE;
    case CQL_STMT_BATCH: return CORM_STATEMENT_BATCH;
    case CQL_STMT_TRUNCATE: return CORM_STATEMENT_TRUNCATE;
    case CQL_STMT_USE: return CORM_STATEMENT_USE;
    case CQL_STMT_DESCRIBE: return CORM_STATEMENT_OTHER;
    default: return CORM_STATEMENT_SCHEMA;
    }
}

/* ---- what it is about ---- */

static cql_ref whole_keyspace(cql_name name) {
    return (cql_ref){ .keyspace = name };
}

static cql_ref subject_of(const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_SELECT: return s->as.select.table;
    case CQL_STMT_INSERT: return s->as.insert.table;
    case CQL_STMT_UPDATE: return s->as.update.table;
    case CQL_STMT_DELETE: return s->as.delete_.table;
    case CQL_STMT_TRUNCATE:
    case CQL_STMT_DROP_TABLE:
    case CQL_STMT_DROP_TYPE:
    case CQL_STMT_DROP_INDEX:
    case CQL_STMT_DROP_VIEW:
    case CQL_STMT_DROP_FUNCTION:
    case CQL_STMT_DROP_AGGREGATE: return s->as.drop.name;
    case CQL_STMT_USE:
    case CQL_STMT_DROP_KEYSPACE: return whole_keyspace(s->as.drop.name.name);
    case CQL_STMT_CREATE_KEYSPACE:
    case CQL_STMT_ALTER_KEYSPACE: return whole_keyspace(s->as.keyspace.name);
    case CQL_STMT_CREATE_TABLE: return s->as.create_table.table;
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_ALTER_TYPE:
    case CQL_STMT_ALTER_VIEW: return s->as.alter_table.table;
    case CQL_STMT_CREATE_TYPE: return s->as.create_type.name;
    case CQL_STMT_CREATE_INDEX: return s->as.create_index.table;
    default: return (cql_ref){ { { NULL, 0 }, { 0 } }, { { NULL, 0 }, { 0 } } };
    }
}

static bool is_conditional(const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_INSERT: return s->as.insert.if_not_exists;
    case CQL_STMT_UPDATE: return s->as.update.if_exists || s->as.update.condition_count > 0;
    case CQL_STMT_DELETE: return s->as.delete_.if_exists || s->as.delete_.condition_count > 0;
    default: return false;
    }
}

/* ---- tokens ---- */

static bool is_literal(cql_token_kind kind) {
    return kind == CQL_TOKEN_STRING || kind == CQL_TOKEN_INTEGER || kind == CQL_TOKEN_FLOAT ||
           kind == CQL_TOKEN_BOOLEAN || kind == CQL_TOKEN_UUID || kind == CQL_TOKEN_HEX ||
           kind == CQL_TOKEN_DURATION;
}

static bool has_literals(corm_str text) {
    cql_lexer lexer;
    cql_token token;
    cql__lexer_init(&lexer, text);
    do {
        cql__lexer_next(&lexer, &token);
        if (is_literal(token.kind)) return true;
    } while (token.kind != CQL_TOKEN_END && token.kind != CQL_TOKEN_ERROR);
    return false;
}

/* Behind what is no token nothing is shown: it may be the rest of a string. */
void middleware__put_masked(corm_str text, base_buf *out) {
    cql_lexer lexer;
    cql_token token;
    size_t    shown = 0;
    cql__lexer_init(&lexer, text);
    for (;;) {
        cql__lexer_next(&lexer, &token);
        if (token.kind == CQL_TOKEN_END) break;
        if (token.kind != CQL_TOKEN_ERROR && !is_literal(token.kind)) continue;
        base__buf_put(out, text.data + shown, token.offset - shown);
        base__buf_puts(out, token.kind == CQL_TOKEN_ERROR ? "…" : "?");
        shown = token.offset + token.text.len;
        if (token.kind == CQL_TOKEN_ERROR) return;
    }
    base__buf_put(out, text.data + shown, text.len - shown);
}

/* ---- all of it ---- */

static corm_status take_names(const cql_statement *s, base_arena *arena, corm_statement_info *out,
                              corm_error *err) {
    cql_ref subject = subject_of(s);
    if (subject.keyspace.text.len > 0) out->keyspace = subject.keyspace.text;
    if (subject.name.text.len > 0) out->table = subject.name.text;
    out->keyspace = base__arena_str(arena, out->keyspace);
    out->table = base__arena_str(arena, out->table);
    return out->keyspace.data && out->table.data ? CORM_OK : base__fail_memory(err);
}

corm_status middleware__facts(corm_str text, base_arena *arena, corm_statement_info *out,
                              corm_error *err) {
    base_arena     scratch = { 0 };
    cql_statement *s;
    *out = (corm_statement_info){ .text = text, .keyspace = { "", 0 }, .table = { "", 0 } };
    out->has_literals = has_literals(text);
    corm_status status = cql__parse(&scratch, text, &s, NULL, err);
    if (status == CORM_OK) {
        out->statement_class = class_of(s->kind);
        out->is_conditional = is_conditional(s);
        if (s->kind == CQL_STMT_SELECT) {
            const cql_select *select = &s->as.select;
            out->allow_filtering = select->allow_filtering;
            out->is_unbounded = select->where_count == 0 && !select->limit;
        }
        status = take_names(s, arena, out, err);
    }
    base__arena_free(&scratch);
    return status;
}
