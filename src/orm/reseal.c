// SPDX-License-Identifier: MIT
/* reseal.c -- a table whose sealed values are sealed anew with the keys that seal now.
 *
 *   scan:   SELECT key …, c1, ttl(c1), c2, ttl(c2) …
 *   each:   UPDATE … USING TTL ? SET c = <anew> WHERE key IF c = <as it was read>
 *
 * A value that another writer changed meanwhile is left: that writer sealed it with the current key. Unique values go through an
 * ordinary update, which moves their reservations. One thread. */
#include "corm/cluster.h"
#include "orm/core.h"

typedef struct resealing {
    corm_db            *db;
    orm_model          *model;
    uint32_t            count;
    const orm_field   **sealed;
    corm_prepared     **updates; /* one a sealed column; NULL: a unique one */
    corm_reseal_report *report;
    base_arena          arena; /* of one row */
} resealing;

/* ---- texts ---- */

static void put_columns(const resealing *r, base_buf *out) {
    for (uint32_t i = 0; i < r->model->key_count; i++) {
        base__buf_printf(out, "%s%s", i > 0 ? ", " : "", r->model->keys[i]->quoted.data);
    }
    for (uint32_t i = 0; i < r->count; i++) {
        const char *name = r->sealed[i]->quoted.data;
        base__buf_printf(out, ", %s, ttl(%s)", name, name);
    }
}

/* Static columns belong to the partition. */
static uint32_t key_count(const orm_model *model, const orm_field *field) {
    return field->key == CORM_STATIC ? model->partition_count : model->key_count;
}

static void put_update(const orm_model *model, const orm_field *field, base_buf *out) {
    base__buf_printf(out, "UPDATE %s USING TTL ? SET %s = ?", model->path.data, field->quoted.data);
    for (uint32_t i = 0; i < key_count(model, field); i++) {
        base__buf_printf(out, " %s %s = ?", i == 0 ? "WHERE" : "AND", model->keys[i]->quoted.data);
    }
    base__buf_printf(out, " IF %s = ?", field->quoted.data);
}

static corm_status prepare_update(resealing *r, uint32_t i, corm_error *err) {
    base_buf text = { 0 };
    if (r->sealed[i]->spec->unique) return CORM_OK;
    put_update(r->model, r->sealed[i], &text);
    const char *cql = base__buf_cstr(&text);
    corm_status status =
        cql ? corm_prepare(r->db->session, cql, &r->updates[i], err) : base__fail_memory(err);
    base__buf_free(&text);
    return status;
}

/* ---- one value ---- */

static corm_status anew(const orm_field *field, corm_bytes sealed, base_buf *out, corm_error *err) {
    base_buf    value = { 0 };
    corm_status status = seal__open(field->box, sealed, &value, err);
    if (status == CORM_OK) status = seal__close(field->box, base__buf_bytes(&value), out, err);
    base__buf_free(&value);
    return status;
}

static corm_status bind(const resealing *r, corm_statement *statement, const orm_field *field,
                        const corm_row *row, corm_bytes old, corm_bytes new, int32_t ttl,
                        corm_error *err) {
    uint32_t marker = 0;
    CORM_TRY(corm_statement_bind(statement, marker++, corm_of_i32(ttl), err));
    CORM_TRY(corm_statement_bind(statement, marker++, corm_of_blob(new), err));
    for (uint32_t i = 0; i < key_count(r->model, field); i++) {
        CORM_TRY(corm_statement_bind_bytes(statement, marker++, corm_row_bytes(row, i), err));
    }
    return corm_statement_bind(statement, marker, corm_of_blob(old), err);
}

static corm_status update(resealing *r, uint32_t i, const corm_row *row, corm_bytes old,
                          corm_bytes new, int32_t ttl, corm_error *err) {
    corm_result    *result = NULL;
    corm_statement *statement = corm_statement_new(r->updates[i]);
    corm_status     status = statement ? bind(r, statement, r->sealed[i], row, old, new, ttl, err)
                                       : base__fail_memory(err);
    if (status == CORM_OK) status = corm_run(statement, &result, err);
    if (status == CORM_OK) {
        bool applied = corm_result_applied(result);
        r->report->changed += applied;
        r->report->skipped += !applied;
    }
    corm_result_free(result);
    corm_statement_free(statement);
    return status;
}

static corm_status find_row(resealing *r, const corm_row *row, corm_rows **out, corm_error *err) {
    corm_value *key = BASE_NEW_ARRAY(&r->arena, corm_value, r->model->key_count);
    if (!key) return base__fail_memory(err);
    for (uint32_t i = 0; i < r->model->key_count; i++) {
        CORM_TRY(corm_row_value(row, i, &key[i], err));
    }
    return corm_find_key(r->db, r->model->spec, out, key, r->model->key_count, err);
}

static corm_status update_unique(resealing *r, const orm_field *field, const corm_row *row,
                                 int32_t ttl, corm_error *err) {
    corm_rows         *rows;
    corm_write_options options = {
        .only = { field->name.data }, .ttl_seconds = ttl, .skip_validation = true, .error = err
    };
    CORM_TRY(find_row(r, row, &rows, err));
    void       *found = corm_rows_first(rows);
    corm_status status = CORM_OK;
    if (found && !corm_rows_is_null(rows, 0, field->name.data)) {
        status = corm_update_with(r->db, r->model->spec, found, &options);
        r->report->changed += status == CORM_OK;
    } else {
        r->report->skipped++;
    }
    corm_rows_free(rows);
    return status;
}

static corm_status reseal_value(resealing *r, uint32_t i, const corm_row *row, corm_error *err) {
    uint32_t         column = r->model->key_count + 2 * i;
    const orm_field *field = r->sealed[i];
    corm_bytes       old = corm_row_bytes(row, column);
    int32_t          ttl = corm_row_is_null(row, column + 1) ? 0 : corm_row_int(row, column + 1);
    if (!old.data || seal__is_current(field->box, old)) return CORM_OK;
    if (!r->updates[i]) return update_unique(r, field, row, ttl, err);
    base_buf new = { 0 };
    corm_status status = anew(field, old, &new, err);
    if (status == CORM_OK) status = update(r, i, row, old, base__buf_bytes(&new), ttl, err);
    base__buf_free(&new);
    return status;
}

/* ---- the table ---- */

static corm_status reseal_page(void *context, corm_result *page, corm_error *err) {
    resealing *r = context;
    for (const corm_row *row; (row = corm_result_next(page));) {
        r->report->rows++;
        for (uint32_t i = 0; i < r->count; i++) CORM_TRY(reseal_value(r, i, row, err));
        base__arena_reset(&r->arena);
    }
    return CORM_OK;
}

static corm_status run_scan(resealing *r, const char *columns, corm_error *err) {
    corm_scan        *scan;
    corm_scan_options options = { .keyspace = r->model->keyspace.data,
                                  .columns = columns,
                                  .error = err };
    CORM_TRY(corm_scan_open(r->db->session, r->model->table.data, &options, &scan));
    corm_status status = corm_scan_run(scan, reseal_page, r, err);
    corm_scan_free(scan);
    return status;
}

static corm_status reseal(resealing *r, corm_error *err) {
    base_buf columns = { 0 };
    for (uint32_t i = 0; i < r->count; i++) CORM_TRY(prepare_update(r, i, err));
    put_columns(r, &columns);
    const char *text = base__buf_cstr(&columns);
    corm_status status = text ? run_scan(r, text, err) : base__fail_memory(err);
    base__buf_free(&columns);
    return status;
}

static corm_status find_sealed(resealing *r, base_arena *arena, corm_error *err) {
    r->sealed = BASE_NEW_ARRAY(arena, const orm_field *, r->model->count);
    r->updates = BASE_NEW_ARRAY(arena, corm_prepared *, r->model->count);
    if (!r->sealed || !r->updates) return base__fail_memory(err);
    for (uint32_t i = 0; i < r->model->count; i++) {
        const orm_field *field = &r->model->fields[i];
        if (orm__is_sealed(field)) r->sealed[r->count++] = field;
    }
    return CORM_OK;
}

static corm_status reseal_table(corm_db *db, orm_model *model, corm_reseal_report *report,
                                corm_error *err) {
    base_arena  arena = { 0 };
    resealing   r = { .db = db, .model = model, .report = report };
    corm_status status = find_sealed(&r, &arena, err);
    if (status == CORM_OK && r.count > 0) status = reseal(&r, err);
    for (uint32_t i = 0; i < r.count; i++) corm_prepared_free(r.updates[i]);
    base__arena_free(&r.arena);
    base__arena_free(&arena);
    return status;
}

/* Query tables have values of their own, which are sealed by the same keys. */
corm_status corm_reseal(corm_db *db, const corm_model *model, corm_reseal_report *report,
                        corm_error *err) {
    corm_reseal_report own = { 0 };
    corm_reseal_report copies = { 0 };
    orm_model         *compiled;
    if (!report) report = &own;
    *report = copies;
    CORM_TRY(orm__model(db, model, &compiled, err));
    CORM_TRY(reseal_table(db, compiled, report, err));
    for (uint32_t i = 0; i < compiled->copy_count; i++) {
        CORM_TRY(reseal_table(db, compiled->copies[i], &copies, err));
    }
    return CORM_OK;
}
