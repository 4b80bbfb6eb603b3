// SPDX-License-Identifier: MIT
/* snapshot.c -- a keyspace at one time, from what a server describes or from a script, and changed without a server: what a
 * migration would do is known before it is done. Runs on the caller's thread. */
#include "base/clock.h"
#include "base/text.h"
#include "cql/parser.h"
#include "migrate/core.h"
#include "session/door.h"

void migrate__snapshot_free(migrate_snapshot *snapshot) {
    cql__schema_unref(snapshot->schema);
    base__buf_free(&snapshot->others);
    base__arena_free(&snapshot->arena);
    *snapshot = (migrate_snapshot){ 0 };
}

/* ---- kinds of statements ---- */

bool migrate__is_schema_change(const cql_statement *statement) {
    switch (statement->kind) {
    case CQL_STMT_CREATE_KEYSPACE:
    case CQL_STMT_ALTER_KEYSPACE:
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
    case CQL_STMT_DROP_VIEW: return true;
    default: return false;
    }
}

/* What the server makes of it is not Corm's to know: kept as text. */
static bool is_other(const cql_statement *statement) {
    return statement->kind == CQL_STMT_CREATE_FUNCTION ||
           statement->kind == CQL_STMT_CREATE_AGGREGATE ||
           statement->kind == CQL_STMT_CREATE_TRIGGER;
}

static const char *loss(base_arena *arena, const char *what, const cql_ref *object) {
    return base__arena_printf(arena, "%s %.*s", what, (int)object->name.text.len,
                              object->name.text.data)
        .data;
}

const char *migrate__loses(const cql_statement *statement, base_arena *arena) {
    const cql_alter_table *alter = &statement->as.alter_table;
    switch (statement->kind) {
    case CQL_STMT_DROP_KEYSPACE: return loss(arena, "drops keyspace", &statement->as.drop.name);
    case CQL_STMT_DROP_TABLE: return loss(arena, "drops table", &statement->as.drop.name);
    case CQL_STMT_TRUNCATE: return loss(arena, "empties table", &statement->as.drop.name);
    case CQL_STMT_DELETE: return loss(arena, "deletes from table", &statement->as.delete_.table);
    case CQL_STMT_ALTER_TABLE:
        return alter->kind == CQL_ALTER_DROP ? loss(arena, "drops a column of table", &alter->table)
                                             : NULL;
    default: return NULL;
    }
}

/* ---- statements applied ---- */

corm_status migrate__snapshot_apply(migrate_snapshot *snapshot, const cql_statement *statement,
                                    corm_error *err) {
    cql_schema       *next;
    cql_schema_change change = { 0 };
    if (!migrate__is_schema_change(statement)) return CORM_OK;
    CORM_TRY(cql__schema_apply(snapshot->schema, statement, snapshot->keyspace, base__clock_us(),
                               &snapshot->arena, &next, &change, err));
    cql__schema_unref(snapshot->schema);
    snapshot->schema = next;
    return CORM_OK;
}

static corm_status remember(migrate_snapshot *snapshot, const cql_statement *statement,
                            corm_error *err) {
    if (snapshot->count == snapshot->capacity) {
        uint32_t              capacity = snapshot->capacity ? 2 * snapshot->capacity : 16;
        const cql_statement **all =
            BASE_NEW_ARRAY(&snapshot->arena, const cql_statement *, capacity);
        if (!all) return base__fail_memory(err);
        if (snapshot->count) memcpy(all, snapshot->statements, snapshot->count * sizeof *all);
        snapshot->statements = all;
        snapshot->capacity = capacity;
    }
    snapshot->statements[snapshot->count++] = statement;
    return CORM_OK;
}

/* A table of Corm's own: reservations, this history. */
static bool is_own(const cql_statement *statement) {
    if (statement->kind != CQL_STMT_CREATE_TABLE) return false;
    return base__str_has_prefix(statement->as.create_table.table.name.text, corm_str_of("corm_"));
}

/* Options that only this server knows are kept as text beside the table without them. */
static corm_status apply_without_options(migrate_snapshot *snapshot, cql_statement *statement,
                                         corm_str text, corm_error *err) {
    if (statement->kind == CQL_STMT_CREATE_TABLE) {
        statement->as.create_table.property_count = 0;
    } else if (statement->kind == CQL_STMT_CREATE_VIEW) {
        statement->as.create_view.property_count = 0;
    } else {
        return base__fail(err, CORM_UNSUPPORTED, "%.*s", (int)text.len, text.data);
    }
    base__buf_put_str(&snapshot->others, text);
    base__buf_puts(&snapshot->others, ";\n");
    return migrate__snapshot_apply(snapshot, statement, err);
}

static corm_status take(migrate_snapshot *snapshot, corm_str text, bool described,
                        corm_error *err) {
    cql_statement *statement;
    corm_error     why = { 0 };
    CORM_TRY(cql__parse(&snapshot->arena, text, &statement, NULL, err));
    if (is_own(statement) || (described && statement->kind == CQL_STMT_CREATE_KEYSPACE))
        return CORM_OK;
    if (is_other(statement)) {
        base__buf_put_str(&snapshot->others, text);
        base__buf_puts(&snapshot->others, ";\n");
        return base__buf_status(&snapshot->others, err);
    }
    if (!migrate__is_schema_change(statement))
        return base__fail(err, CORM_INVALID_ARGUMENT, "%s is no part of a schema",
                          cql__statement_name(statement->kind));
    CORM_TRY(remember(snapshot, statement, err));
    corm_status status = migrate__snapshot_apply(snapshot, statement, &why);
    if (status != CORM_OK && status != CORM_NO_MEMORY && described)
        return apply_without_options(snapshot, statement, text, err);
    return status == CORM_OK ? CORM_OK : base__fail(err, status, "%s", why.message);
}

static corm_status take_script(migrate_snapshot *snapshot, corm_str script, bool described,
                               const char *what, corm_error *err) {
    corm_str statement;
    bool     complete;
    uint32_t line = 1;
    while (cql__split(script, &statement, &script, &complete, &line)) {
        corm_error  wrong = { 0 };
        corm_status status = take(snapshot, statement, described, &wrong);
        if (status != CORM_OK)
            return base__fail(err, status, "%s:%u: %s", what, (unsigned)line, wrong.message);
    }
    return CORM_OK;
}

/* ---- making snapshots ---- */

static corm_status begin(migrate_snapshot *out, corm_str keyspace, corm_error *err) {
    base_buf text = { 0 };
    *out = (migrate_snapshot){ 0 };
    out->keyspace = base__arena_str(&out->arena, keyspace);
    out->schema = cql__schema_new();
    if (!out->keyspace.data || !out->schema) return base__fail_memory(err);
    base__buf_puts(&text, "CREATE KEYSPACE ");
    cql__put_name(&text, keyspace);
    base__buf_puts(&text, " WITH replication = {'class': 'SimpleStrategy', "
                          "'replication_factor': 1}");
    cql_statement *statement;
    corm_status    status = base__buf_status(&text, err);
    if (status == CORM_OK)
        status = cql__parse(&out->arena, base__buf_str(&text), &statement, NULL, err);
    if (status == CORM_OK) status = migrate__snapshot_apply(out, statement, err);
    base__buf_free(&text);
    return status;
}

static corm_status read_described(migrate_snapshot *out, corm_result *result, corm_error *err) {
    int             text = corm_result_column_index(result, "create_statement");
    const corm_row *row;
    if (text < 0)
        return base__fail(err, CORM_UNSUPPORTED,
                          "the server's answer to DESCRIBE has no statements");
    for (;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) return CORM_OK;
        CORM_TRY(take_script(out, corm_row_text(row, (uint32_t)text), true, "DESCRIBE", err));
    }
}

static corm_status describe(corm_session *session, corm_str keyspace, migrate_snapshot *out,
                            corm_error *err) {
    base_buf     text = { 0 };
    corm_result *result = NULL;
    base__buf_puts(&text, "DESCRIBE KEYSPACE ");
    cql__put_name(&text, keyspace);
    corm_execute_options options = { .error = err };
    corm_status          status = base__buf_status(&text, err);
    if (status == CORM_OK)
        status = corm_execute_with(session, base__buf_cstr(&text), &options, &result);
    base__buf_free(&text);
    if (status == CORM_OK) status = read_described(out, result, err);
    corm_result_free(result);
    return status;
}

corm_status migrate__snapshot_live(corm_session *session, corm_str keyspace, migrate_snapshot *out,
                                   corm_error *err) {
    corm_status status = begin(out, keyspace, err);
    if (status == CORM_OK) status = describe(session, keyspace, out, err);
    if (status != CORM_OK) migrate__snapshot_free(out);
    return status;
}

corm_status migrate__snapshot_parse(corm_str keyspace, corm_str text, const char *what,
                                    migrate_snapshot *out, corm_error *err) {
    corm_status status = begin(out, keyspace, err);
    if (status == CORM_OK) status = take_script(out, text, false, what, err);
    if (status != CORM_OK) migrate__snapshot_free(out);
    return status;
}

corm_status migrate__snapshot_copy(const migrate_snapshot *from, migrate_snapshot *out,
                                   corm_error *err) {
    *out = (migrate_snapshot){ 0 };
    out->keyspace = base__arena_str(&out->arena, from->keyspace);
    base__buf_put(&out->others, from->others.data, from->others.len);
    corm_status status = base__buf_status(&out->others, err);
    if (status == CORM_OK && !out->keyspace.data) status = base__fail_memory(err);
    if (status == CORM_OK) out->schema = cql__schema_ref(from->schema);
    if (status != CORM_OK) migrate__snapshot_free(out);
    return status;
}

/* ---- as text ---- */

const cql_keyspace *migrate__snapshot_keyspace(const migrate_snapshot *snapshot) {
    return cql__schema_keyspace(snapshot->schema, snapshot->keyspace);
}

static void print_indexes(const cql_table *table, base_arena *arena, base_buf *out) {
    uint32_t *order = BASE_NEW_ARRAY(arena, uint32_t, table->index_count + 1);
    if (!order) {
        out->failed = true;
        return;
    }
    cql__describe_index_order(table, order);
    for (uint32_t i = 0; i < table->index_count; i++) {
        cql__describe_index(table, &table->indexes[order[i]], out);
        base__buf_puts(out, "\n\n");
    }
}

static void print_types(const cql_keyspace *keyspace, base_arena *arena, base_buf *out) {
    uint32_t *order = BASE_NEW_ARRAY(arena, uint32_t, keyspace->type_count + 1);
    if (!order) {
        out->failed = true;
        return;
    }
    cql__describe_type_order(keyspace, order);
    for (uint32_t i = 0; i < keyspace->type_count; i++) {
        cql__describe_type(keyspace->types[order[i]], out);
        base__buf_puts(out, "\n\n");
    }
}

static void print_table(const cql_table *table, base_arena *arena, base_buf *out) {
    if (table->view)
        cql__describe_view(table, false, out);
    else
        cql__describe_table(table, false, out);
    base__buf_puts(out, "\n\n");
    print_indexes(table, arena, out);
}

void migrate__snapshot_print(const migrate_snapshot *snapshot, base_buf *out) {
    const cql_keyspace *keyspace = migrate__snapshot_keyspace(snapshot);
    base_arena          arena = { 0 };
    print_types(keyspace, &arena, out);
    for (int views = 0; views <= 1; views++)
        for (uint32_t i = 0; i < keyspace->table_count; i++)
            if ((keyspace->tables[i]->view != NULL) == views)
                print_table(keyspace->tables[i], &arena, out);
    base__buf_put(out, snapshot->others.data, snapshot->others.len);
    base__arena_free(&arena);
}

/* ---- the same? ---- */

static void put_column(const cql_column *column, base_buf *out) {
    cql__put_name(out, column->name);
    base__buf_printf(out, " %d %u %d ", (int)column->kind,
                     column->kind <= CQL_CLUSTERING ? (unsigned)column->position : 0u,
                     (int)column->descending);
    cql__type_print(column->type, out);
    base__buf_put_str(out, column->mask.function);
    for (uint32_t i = 0; i < column->mask.count; i++)
        base__buf_put_str(out, column->mask.arguments[i]);
    base__buf_u8(out, '\n');
}

/* All but options. */
static void put_shape(const migrate_snapshot *snapshot, base_buf *out) {
    const cql_keyspace *keyspace = migrate__snapshot_keyspace(snapshot);
    base_arena          arena = { 0 };
    print_types(keyspace, &arena, out);
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        const cql_table *table = keyspace->tables[i];
        base__buf_puts(out, table->view ? "VIEW " : "TABLE ");
        cql__put_name(out, table->name);
        if (table->view) {
            base__buf_puts(out, " OF ");
            cql__put_name(out, table->view->base);
            base__buf_printf(out, " %d ", (int)table->view->includes_all);
            base__buf_put_str(out, table->view->where);
        }
        base__buf_u8(out, '\n');
        for (uint32_t j = 0; j < table->column_count; j++) put_column(&table->columns[j], out);
        print_indexes(table, &arena, out);
    }
    base__arena_free(&arena);
}

bool migrate__same_type(const cql_type *a, const cql_type *b) {
    base_buf x = { 0 }, y = { 0 };
    cql__type_print(a, &x);
    cql__type_print(b, &y);
    bool same = !x.failed && !y.failed && corm_str_equal(base__buf_str(&x), base__buf_str(&y));
    base__buf_free(&x);
    base__buf_free(&y);
    return same;
}

corm_status migrate__snapshot_same(const migrate_snapshot *a, const migrate_snapshot *b, bool *same,
                                   corm_error *err) {
    base_buf x = { 0 }, y = { 0 };
    put_shape(a, &x);
    put_shape(b, &y);
    corm_status status = base__buf_status(&x, err);
    if (status == CORM_OK) status = base__buf_status(&y, err);
    *same = x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
    base__buf_free(&x);
    base__buf_free(&y);
    return status;
}
