// SPDX-License-Identifier: MIT
/* diff_table.c -- from one table to another of the same name: columns, masks, options. Pure. */
#include "base/text.h"
#include "cql/parser.h"
#include "migrate/diff.h"

/* ---- what was written ---- */

static bool names(const cql_statement *statement, corm_str table) {
    return (statement->kind == CQL_STMT_CREATE_TABLE &&
            corm_str_equal(statement->as.create_table.table.name.text, table)) ||
           (statement->kind == CQL_STMT_ALTER_TABLE &&
            corm_str_equal(statement->as.alter_table.table.name.text, table));
}

const cql_statement *migrate__written(const migrate_snapshot *wanted, corm_str table) {
    const cql_statement *found = NULL;
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (!names(wanted->statements[i], table)) continue;
        if (wanted->statements[i]->kind == CQL_STMT_ALTER_TABLE) return NULL;
        found = wanted->statements[i];
    }
    return found;
}

/* ---- columns ---- */

static void begin_alter(base_buf *cql, const cql_table *table) {
    base__buf_puts(cql, "ALTER TABLE ");
    cql__put_name(cql, table->name);
    base__buf_u8(cql, ' ');
}

static void put_mask(base_buf *cql, const cql_mask_def *mask) {
    base__buf_puts(cql, "MASKED WITH ");
    cql__put_name(cql, mask->function);
    base__buf_u8(cql, '(');
    for (uint32_t i = 0; i < mask->count; i++) {
        if (i > 0) base__buf_puts(cql, ", ");
        base__buf_put_str(cql, mask->arguments[i]);
    }
    base__buf_u8(cql, ')');
}

static bool same_mask(const cql_mask_def *a, const cql_mask_def *b) {
    if (a->present != b->present || a->count != b->count) return false;
    if (!corm_str_equal(a->function, b->function)) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!corm_str_equal(a->arguments[i], b->arguments[i])) return false;
    return true;
}

static corm_status add_column(diff_run *run, const cql_table *table, const cql_column *column) {
    base_buf cql = { 0 };
    if (column->kind <= CQL_CLUSTERING)
        return migrate__cannot(
            run,
            "table " CQL_F ": column " CQL_F
            " cannot become part of the primary key; make a table of another name",
            CQL_S(table->name), CQL_S(column->name));
    begin_alter(&cql, table);
    base__buf_puts(&cql, "ADD ");
    cql__put_name(&cql, column->name);
    base__buf_u8(&cql, ' ');
    cql__type_print(column->type, &cql);
    if (column->kind == CQL_STATIC) base__buf_puts(&cql, " static");
    if (column->mask.present) {
        base__buf_u8(&cql, ' ');
        put_mask(&cql, &column->mask);
    }
    return migrate__emit(run, &cql, NULL);
}

static corm_status drop_column(diff_run *run, const cql_table *table, const cql_column *column) {
    base_buf cql = { 0 };
    if (column->kind <= CQL_CLUSTERING)
        return migrate__cannot(run,
                               "table " CQL_F ": column " CQL_F
                               " cannot leave the primary key; make a table of another name",
                               CQL_S(table->name), CQL_S(column->name));
    begin_alter(&cql, table);
    base__buf_puts(&cql, "DROP ");
    cql__put_name(&cql, column->name);
    return migrate__emit(run, &cql, "what it holds is lost");
}

static corm_status change_mask(diff_run *run, const cql_table *table, const cql_column *wanted) {
    base_buf cql = { 0 };
    begin_alter(&cql, table);
    base__buf_puts(&cql, "ALTER ");
    cql__put_name(&cql, wanted->name);
    base__buf_u8(&cql, ' ');
    if (wanted->mask.present)
        put_mask(&cql, &wanted->mask);
    else
        base__buf_puts(&cql, "DROP MASKED");
    return migrate__emit(run, &cql, NULL);
}

static corm_status change_column(diff_run *run, const cql_table *table, const cql_column *is,
                                 const cql_column *wanted) {
    const char *what = NULL;
    if (is->kind != wanted->kind)
        what = "cannot change its kind (key, static or regular)";
    else if (is->kind <= CQL_CLUSTERING && is->position != wanted->position)
        what = "cannot change its place in the key";
    else if (is->descending != wanted->descending)
        what = "cannot change its order";
    else if (!migrate__same_type(is->type, wanted->type))
        what = "cannot change its type; add a column of another name and copy";
    if (what)
        return migrate__cannot(run, "table " CQL_F ": column " CQL_F " %s", CQL_S(table->name),
                               CQL_S(is->name), what);
    return same_mask(&is->mask, &wanted->mask) ? CORM_OK : change_mask(run, table, wanted);
}

/* ---- options ---- */

/* ALTER TABLE … WITH the property alone. */
static void put_property(base_buf *cql, const cql_table *table, cql_property *property) {
    cql_statement statement = { .kind = CQL_STMT_ALTER_TABLE };
    statement.as.alter_table = (cql_alter_table){
        .table.name.text = table->name,
        .kind = CQL_ALTER_WITH,
        .property_count = 1,
        .properties = property,
    };
    cql__print(&statement, cql);
}

/* Whether the statement would change what DESCRIBE shows of the table. */
static corm_status changes(diff_run *run, corm_str cql, corm_str table, bool *changes,
                           corm_error *err) {
    migrate_snapshot scratch;
    cql_statement   *statement;
    base_buf         before = { 0 }, after = { 0 };
    CORM_TRY(migrate__snapshot_copy(&run->work, &scratch, err));
    cql__describe_table(cql__schema_table(scratch.schema, scratch.keyspace, table), false, &before);
    corm_status status = cql__parse(&scratch.arena, cql, &statement, NULL, err);
    if (status == CORM_OK) status = migrate__snapshot_apply(&scratch, statement, err);
    if (status == CORM_OK) {
        cql__describe_table(cql__schema_table(scratch.schema, scratch.keyspace, table), false,
                            &after);
        status = base__buf_status(&before, err);
        if (status == CORM_OK) status = base__buf_status(&after, err);
        *changes = !corm_str_equal(base__buf_str(&before), base__buf_str(&after));
    }
    base__buf_free(&before);
    base__buf_free(&after);
    migrate__snapshot_free(&scratch);
    return status;
}

static corm_status diff_property(diff_run *run, const cql_table *table, cql_property *property) {
    base_buf   cql = { 0 };
    bool       differs = true;
    corm_error why = { 0 };
    put_property(&cql, table, property);
    corm_status status = base__buf_status(&cql, run->err);
    if (status == CORM_OK) {
        status = changes(run, base__buf_str(&cql), table->name, &differs, &why);
        if (status == CORM_NO_MEMORY) return base__fail_memory(run->err);
        /* What does not work is said by emit. */
        if (status != CORM_OK || differs) return migrate__emit(run, &cql, NULL);
    }
    base__buf_free(&cql);
    return status;
}

static corm_status diff_options(diff_run *run, const cql_table *table) {
    for (uint32_t i = 0; i < run->wanted->count; i++) {
        const cql_statement *statement = run->wanted->statements[i];
        if (!names(statement, table->name)) continue;
        bool          creates = statement->kind == CQL_STMT_CREATE_TABLE;
        uint32_t      count = creates ? statement->as.create_table.property_count
                                      : statement->as.alter_table.property_count;
        cql_property *properties =
            creates ? statement->as.create_table.properties : statement->as.alter_table.properties;
        for (uint32_t j = 0; j < count; j++)
            if (!corm_str_equal(properties[j].name.text, corm_str_of("id")))
                CORM_TRY(diff_property(run, table, &properties[j]));
    }
    return CORM_OK;
}

/* ---- the table ---- */

corm_status migrate__diff_table(diff_run *run, const cql_table *is, const cql_table *wanted) {
    for (uint32_t i = 0; i < wanted->column_count; i++) {
        const cql_column *column = &wanted->columns[i];
        const cql_column *old = cql__table_column(is, column->name);
        CORM_TRY(old ? change_column(run, is, old, column) : add_column(run, is, column));
    }
    for (uint32_t i = 0; i < is->column_count; i++)
        if (!cql__table_column(wanted, is->columns[i].name))
            CORM_TRY(drop_column(run, is, &is->columns[i]));
    return diff_options(run, is);
}
