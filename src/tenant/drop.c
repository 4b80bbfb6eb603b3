// SPDX-License-Identifier: MIT
/* drop.c -- what a tenant has taken away, in steps that can be repeated: a keyspace, tables one by one, or partitions one by one.
 * Runs on the caller's thread. */
#include "tenant/door.h"

enum { PAGE = 500, TOGETHER = 50 };

typedef struct dropping {
    corm_tenants  *tenants;
    corm_session  *session; /* of the tenant */
    tenant_schema *schema;
    uint32_t       left; /* in this call */
    corm_error    *err;
} dropping;

/* ---- by keyspace and by prefix ---- */

static corm_status drop_named(corm_session *session, const char *what, corm_str name,
                              corm_error *err) {
    base_buf text = { 0 };
    base__buf_printf(&text, "DROP %s IF EXISTS ", what);
    cql__put_name(&text, name);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK)
        status = corm_execute(session, base__buf_cstr(&text), NULL, { .error = err });
    base__buf_free(&text);
    return status;
}

static const cql_keyspace *keyspace_of(const dropping *d) {
    return cql__schema_keyspace(d->schema->snapshot, d->tenants->keyspace);
}

/* Views go before the tables that they follow. */
static corm_status drop_tables(dropping *d, bool views) {
    const cql_keyspace *keyspace = keyspace_of(d);
    for (uint32_t i = 0; keyspace && i < keyspace->table_count && d->left > 0; i++) {
        const cql_table *table = keyspace->tables[i];
        if ((table->view != NULL) != views || tenant__is_shared(d->tenants, table->name)) continue;
        CORM_TRY(
            drop_named(d->session, views ? "MATERIALIZED VIEW" : "TABLE", table->name, d->err));
        d->left--;
    }
    return CORM_OK;
}

/* Types go after those that mention them. */
static corm_status drop_types(dropping *d) {
    const cql_keyspace *keyspace = keyspace_of(d);
    if (!keyspace || keyspace->type_count == 0) return CORM_OK;
    base_arena  arena = { 0 };
    uint32_t   *order = BASE_NEW_ARRAY(&arena, uint32_t, keyspace->type_count);
    corm_status status = order ? CORM_OK : base__fail_memory(d->err);
    if (order) cql__describe_type_order(keyspace, order);
    for (uint32_t i = keyspace->type_count; status == CORM_OK && i > 0 && d->left > 0;
         i--, d->left--) {
        status = drop_named(d->session, "TYPE", keyspace->types[order[i - 1]]->name, d->err);
    }
    base__arena_free(&arena);
    return status;
}

static corm_status drop_all(dropping *d) {
    CORM_TRY(drop_tables(d, true));
    CORM_TRY(drop_tables(d, false));
    return drop_types(d);
}

/* ---- by column ---- */

static void put_key(const cql_table *table, const char *between, base_buf *out) {
    for (uint32_t i = 0; i < table->partition_count; i++) {
        if (i > 0) base__buf_puts(out, between);
        cql__put_name(out, table->columns[i].name);
        if (*between == ' ') base__buf_puts(out, " = ?");
    }
}

static corm_status prepare_delete(const dropping *d, const cql_table *table, corm_statement **out) {
    base_buf       text = { 0 };
    corm_prepared *prepared = NULL;
    *out = NULL;
    base__buf_puts(&text, "DELETE FROM ");
    cql__put_name(&text, table->name);
    base__buf_puts(&text, " WHERE ");
    put_key(table, " AND ", &text);
    corm_status status = base__buf_status(&text, d->err);
    if (status == CORM_OK)
        status = corm_prepare(d->session, base__buf_cstr(&text), &prepared, d->err);
    base__buf_free(&text);
    if (status != CORM_OK) return status;
    *out = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    return *out ? CORM_OK : base__fail_memory(d->err);
}

static corm_status add_partition(const dropping *d, const cql_table *table, const corm_row *row,
                                 corm_statement *statement, corm_batch *batch) {
    for (uint32_t i = 0; i < table->partition_count; i++) {
        CORM_TRY(corm_statement_bind_bytes(statement, i, corm_row_bytes(row, i), d->err));
    }
    return corm_batch_add(batch, statement, d->err);
}

static corm_status flush(const dropping *d, corm_batch *batch) {
    if (corm_batch_count(batch) == 0) return CORM_OK;
    CORM_TRY(corm_batch_run(batch, NULL, d->err));
    corm_batch_clear(batch);
    return CORM_OK;
}

static corm_status delete_rows(dropping *d, const cql_table *table, corm_result *result,
                               corm_statement *statement, corm_batch *batch) {
    while (d->left > 0) {
        const corm_row *row;
        CORM_TRY(corm_result_step(result, &row, d->err));
        if (!row) break;
        CORM_TRY(add_partition(d, table, row, statement, batch));
        d->left--;
        if (corm_batch_count(batch) >= TOGETHER) CORM_TRY(flush(d, batch));
    }
    return flush(d, batch);
}

static corm_status read_keys(const dropping *d, const cql_table *table, corm_result **out) {
    base_buf text = { 0 };
    base__buf_puts(&text, "SELECT DISTINCT ");
    put_key(table, ", ", &text);
    base__buf_puts(&text, " FROM ");
    cql__put_name(&text, table->name);
    corm_status status = base__buf_status(&text, d->err);
    if (status == CORM_OK) {
        status = corm_execute(d->session, base__buf_cstr(&text), out,
                              { .request = { .page_size = PAGE }, .error = d->err });
    }
    base__buf_free(&text);
    return status;
}

static corm_status empty_table(dropping *d, const cql_table *table) {
    corm_statement *statement;
    corm_result    *result = NULL;
    corm_batch     *batch =
        corm_batch_new(d->session, table->is_counter ? CORM_COUNTER_BATCH : CORM_UNLOGGED);
    if (!batch) return base__fail_memory(d->err);
    corm_status status = prepare_delete(d, table, &statement);
    if (status == CORM_OK) status = read_keys(d, table, &result);
    if (status == CORM_OK) status = delete_rows(d, table, result, statement, batch);
    corm_result_free(result);
    corm_statement_free(statement);
    corm_batch_free(batch);
    return status;
}

static corm_status empty_tables(dropping *d) {
    const cql_keyspace *keyspace = keyspace_of(d);
    for (uint32_t i = 0; keyspace && i < keyspace->table_count && d->left > 0; i++) {
        const cql_table *table = keyspace->tables[i];
        if (table->view || tenant__is_shared(d->tenants, table->name)) continue;
        CORM_TRY(empty_table(d, table));
    }
    return CORM_OK;
}

/* ---- all of them ---- */

corm_status tenant__remove(corm_tenants *tenants, tenant_one *one, uint32_t most, bool *done,
                           corm_error *err) {
    dropping d = { .tenants = tenants, .left = most ? most : UINT32_MAX, .err = err };
    if (tenants->strategy == CORM_TENANT_KEYSPACE) {
        *done = true;
        return drop_named(tenants->behind, "KEYSPACE", corm_str_of(one->space), err);
    }
    CORM_TRY(tenant__schema_get(tenants, one, &d.schema, err));
    corm_status status = tenant__door_open(tenants, one, true, &d.session, err);
    if (status == CORM_OK) {
        status = tenants->strategy == CORM_TENANT_PREFIX ? drop_all(&d) : empty_tables(&d);
    }
    corm_session_close(d.session);
    tenant__schema_unref(d.schema);
    *done = status == CORM_OK && d.left > 0;
    return status;
}
