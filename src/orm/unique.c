// SPDX-License-Identifier: MIT
/* unique.c -- the table of reservations: who holds a value, and until when the claim is unfinished.
 *
 *   corm_unique (model text, field text, value blob, owner blob, pending_until timestamp,
 *                PRIMARY KEY ((model, field, value)))
 *
 *   value   the column's wire form
 *   owner   for each key column of the row: length (4 bytes, big-endian) and wire form
 *   pending_until   null: the owner's row has the value. Else the writer may still be at work
 *                   until then; afterwards the owner's row itself tells whether it has the value.
 *
 * Every change is a lightweight transaction. Any thread. */
#include "orm/unique.h"
#include "base/clock.h"

/* ---- statements, shared by all models of a keyspace through the session's cache ---- */

static const char *const texts[] = {
    [UNIQUE_RESERVE] = "INSERT INTO %s.corm_unique (model, field, value, owner, pending_until) "
                       "VALUES (?, ?, ?, ?, ?) IF NOT EXISTS USING TTL ?",
    [UNIQUE_CONFIRM] = "UPDATE %s.corm_unique SET pending_until = null WHERE model = ? AND "
                       "field = ? AND value = ? IF owner = ? AND pending_until = ?",
    [UNIQUE_MOVE] = "UPDATE %s.corm_unique USING TTL ? SET owner = ?, pending_until = ? WHERE "
                    "model = ? AND field = ? AND value = ? IF owner = ? AND pending_until = ?",
    [UNIQUE_RELEASE] = "DELETE FROM %s.corm_unique WHERE model = ? AND field = ? AND value = ? "
                       "IF owner = ? AND pending_until = ?",
    [UNIQUE_LOOK] = "SELECT owner, pending_until FROM %s.corm_unique WHERE model = ? AND "
                    "field = ? AND value = ?",
};

static corm_status execute(const orm_model *model, const char *format, const corm_value *values,
                           uint32_t count, corm_result **out, corm_error *err) {
    base_buf keyspace = { 0 };
    base_buf cql = { 0 };
    cql__put_name(&keyspace, model->keyspace);
    const char *name = base__buf_cstr(&keyspace);
    const char *hole = strstr(format, "%s");
    if (name) {
        base__buf_put(&cql, format, (size_t)(hole - format));
        base__buf_puts(&cql, name);
        base__buf_puts(&cql, hole + 2);
    }
    const char          *text = name ? base__buf_cstr(&cql) : NULL;
    corm_execute_options options = { .value_list = values, .value_count = count, .error = err };
    options.request.consistency = CORM_CONSISTENCY_DEFAULT;
    corm_status status =
        text ? corm_execute_with(model->db->session, text, &options, out) : base__fail_memory(err);
    base__buf_free(&keyspace);
    base__buf_free(&cql);
    return status;
}

static corm_value blob(cql_value value) {
    return corm_of_blob((corm_bytes){ value.data, (size_t)value.len });
}

static corm_value until_value(int64_t until_ms) {
    return corm_of_timestamp((corm_timestamp){ until_ms });
}

static corm_value ttl_value(const orm_claim *claim) {
    return claim->ttl_seconds > 0 ? corm_of_i32(claim->ttl_seconds) : (corm_value){ 0 };
}

/* Reads [applied], owner and pending_until of a lightweight transaction or a SELECT; *out's
 * bytes live in the arena. */
static corm_status read_holder(corm_result *result, base_arena *arena, orm_holder *out,
                               corm_error *err) {
    *out = (orm_holder){ .applied = corm_result_applied(result) };
    const corm_row *row = corm_result_next(result);
    int             owner = corm_result_column_index(result, "owner");
    int             pending = corm_result_column_index(result, "pending_until");
    if (!row || owner < 0) return CORM_OK;
    corm_bytes bytes = corm_row_bytes(row, (uint32_t)owner);
    out->found = bytes.data != NULL;
    out->owner =
        (cql_value){ base__arena_copy(arena, bytes.data ? bytes.data : (const void *)"", bytes.len),
                     (int32_t)bytes.len };
    if (!out->owner.data) return base__fail_memory(err);
    out->is_pending = pending >= 0 && !corm_row_is_null(row, (uint32_t)pending);
    if (out->is_pending) out->until_ms = corm_row_timestamp(row, (uint32_t)pending).ms;
    return CORM_OK;
}

static corm_status transact(orm_claim *claim, orm_unique_statement which, const corm_value *values,
                            uint32_t count, orm_holder *out, corm_error *err) {
    corm_result *result;
    CORM_TRY(execute(claim->model, texts[which], values, count, &result, err));
    corm_status status = read_holder(result, claim->arena, out, err);
    corm_result_free(result);
    return status;
}

corm_status orm__unique_reserve(orm_claim *claim, int64_t until_ms, orm_holder *out,
                                corm_error *err) {
    corm_value values[] = { corm_of_str(claim->model->table),
                            corm_of_str(claim->field->name),
                            blob(claim->value),
                            blob(claim->owner),
                            until_value(until_ms),
                            ttl_value(claim) };
    return transact(claim, UNIQUE_RESERVE, values, 6, out, err);
}

static corm_value pending_value(const orm_holder *holder) {
    return holder->is_pending ? until_value(holder->until_ms) : corm_null();
}

corm_status orm__unique_confirm(orm_claim *claim, const orm_holder *from, orm_holder *out,
                                corm_error *err) {
    corm_value values[] = { corm_of_str(claim->model->table), corm_of_str(claim->field->name),
                            blob(claim->value), blob(from->owner), pending_value(from) };
    return transact(claim, UNIQUE_CONFIRM, values, 5, out, err);
}

corm_status orm__unique_move(orm_claim *claim, const orm_holder *from, const orm_holder *to,
                             orm_holder *out, corm_error *err) {
    corm_value values[] = { ttl_value(claim),
                            blob(to->owner),
                            pending_value(to),
                            corm_of_str(claim->model->table),
                            corm_of_str(claim->field->name),
                            blob(claim->value),
                            blob(from->owner),
                            pending_value(from) };
    return transact(claim, UNIQUE_MOVE, values, 8, out, err);
}

corm_status orm__unique_release(orm_claim *claim, corm_error *err) {
    corm_value values[] = { corm_of_str(claim->model->table), corm_of_str(claim->field->name),
                            blob(claim->value), blob(claim->owner), until_value(claim->until_ms) };
    orm_holder holder;
    return transact(claim, UNIQUE_RELEASE, values, 5, &holder, err);
}

/* ---- keys ---- */

corm_status orm__unique_pack_key(const orm_model *model, const cql_value *key, base_arena *arena,
                                 cql_value *out, corm_error *err) {
    base_buf bytes = { 0 };
    for (uint32_t i = 0; i < model->key_count; i++) cql__put_value(&bytes, key[i]);
    if (!bytes.failed) out->data = base__arena_copy(arena, bytes.data, bytes.len);
    out->len = (int32_t)bytes.len;
    bool made = !bytes.failed && out->data;
    base__buf_free(&bytes);
    return made ? CORM_OK : base__fail_memory(err);
}

corm_status orm__unique_unpack_key(const orm_model *model, cql_value owner, base_arena *arena,
                                   cql_value **out, corm_error *err) {
    base_reader reader = { owner.data, (size_t)owner.len, false };
    *out = BASE_NEW_ARRAY(arena, cql_value, model->key_count);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < model->key_count; i++) (*out)[i] = cql__read_value(&reader);
    if (!reader.failed && reader.len == 0) return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "an owner in %s.corm_unique is not a key of '%s'",
                      model->keyspace.data, model->table.data);
}

corm_status orm__unique_owner(orm_model *model, const orm_field *field, cql_value value,
                              base_arena *arena, cql_value **key, bool *found, corm_error *err) {
    corm_value   values[] = { corm_of_str(model->table), corm_of_str(field->name), blob(value) };
    corm_result *result;
    orm_holder   holder;
    CORM_TRY(execute(model, texts[UNIQUE_LOOK], values, 3, &result, err));
    corm_status status = read_holder(result, arena, &holder, err);
    corm_result_free(result);
    if (status != CORM_OK) return status;
    *found = holder.found;
    return *found ? orm__unique_unpack_key(model, holder.owner, arena, key, err) : CORM_OK;
}

/* ---- the table itself ---- */

corm_status orm__unique_prepare(corm_db *db, const orm_model *model, corm_error *err) {
    static const char text[] =
        "CREATE TABLE IF NOT EXISTS %s.corm_unique (model text, field text, value blob, owner "
        "blob, pending_until timestamp, PRIMARY KEY ((model, field, value)))";
    corm_str known =
        base__map_get(&db->unique_keyspaces, model->keyspace) ? model->keyspace : (corm_str){ 0 };
    if (known.data) return CORM_OK;
    CORM_TRY(execute(model, text, NULL, 0, NULL, err));
    corm_str name = base__arena_str(&db->names, model->keyspace);
    if (!name.data) return base__fail_memory(err);
    bool put = base__map_put(&db->unique_keyspaces, name, (void *)(uintptr_t)name.data);
    return put ? CORM_OK : base__fail_memory(err);
}

static corm_status forget_row(const orm_model *model, const corm_row *row, corm_error *err) {
    static const char text[] =
        "DELETE FROM %s.corm_unique WHERE model = ? AND field = ? AND value = ?";
    corm_value values[] = { corm_of_str(model->table), corm_of_str(corm_row_text(row, 0)),
                            corm_of_blob(corm_row_bytes(row, 1)) };
    return execute(model, text, values, 3, NULL, err);
}

corm_status orm__unique_forget(corm_db *db, const orm_model *model, corm_error *err) {
    static const char text[] =
        "SELECT field, value FROM %s.corm_unique WHERE model = ? ALLOW FILTERING";
    corm_value      values[] = { corm_of_str(model->table) };
    corm_result    *result;
    const corm_row *row;
    CORM_TRY(orm__unique_prepare(db, model, err));
    CORM_TRY(execute(model, text, values, 1, &result, err));
    corm_status status;
    while ((status = corm_result_step(result, &row, err)) == CORM_OK && row) {
        status = forget_row(model, row, err);
        if (status != CORM_OK) break;
    }
    corm_result_free(result);
    return status;
}
