// SPDX-License-Identifier: MIT
/* write.c -- rows into the store: the statement of a write, its values, batches.
 *
 *   columns -> generate -> validate -> (reserve unique values) -> statement -> (confirm them)
 *
 * One text serves every row: a column that is left alone is an unset marker. Any thread. */
#include "orm/core.h"

static const corm_write_options no_options;

static bool deletes_or_updates(const orm_write *write) {
    return write->kind == ORM_UPDATE || write->kind == ORM_DELETE;
}

/* ---- the statement ---- */

enum { WRITE_SHAPE = 150, UPDATE_SHAPE, DELETE_SHAPE };

static bool is_update(const orm_write *write) {
    return write->kind == ORM_UPDATE ||
           (write->model->is_counter && (write->kind == ORM_SAVE || write->kind == ORM_UPSERT));
}

static uint32_t count_conditions(const orm_write *write) {
    uint32_t count = 0;
    while (count < CORM_MAX_TERMS && write->options->condition[count].column) count++;
    return count;
}

static void put_names(const orm_model *model, base_buf *out) {
    for (uint32_t i = 0; i < model->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, model->fields[i].quoted);
    }
}

static void put_insert(const orm_write *write, base_buf *out) {
    base__buf_puts(out, "INSERT INTO ");
    base__buf_put_str(out, write->model->path);
    base__buf_puts(out, " (");
    put_names(write->model, out);
    base__buf_puts(out, ") VALUES (");
    for (uint32_t i = 0; i < write->model->count; i++) base__buf_puts(out, i > 0 ? ", ?" : "?");
    base__buf_u8(out, ')');
    if (write->options->if_not_exists) base__buf_puts(out, " IF NOT EXISTS");
    if (write->options->ttl_seconds > 0) base__buf_puts(out, " USING TTL ?");
}

static bool is_set(const orm_write *write, const orm_field *field) {
    if (orm__is_key(field)) return false;
    return field->key == CORM_STATIC || !write->by_partition;
}

static void put_assignments(const orm_write *write, base_buf *out) {
    const char *before = " SET ";
    for (uint32_t i = 0; i < write->model->count; i++) {
        const orm_field *field = &write->model->fields[i];
        if (!is_set(write, field)) continue;
        base__buf_puts(out, before);
        before = ", ";
        base__buf_put_str(out, field->quoted);
        base__buf_puts(out, " = ");
        if (field->type->id == CQL_COUNTER) {
            base__buf_put_str(out, field->quoted);
            base__buf_puts(out, " + ");
        }
        base__buf_u8(out, '?');
    }
}

static void put_key(const orm_write *write, base_buf *out) {
    const orm_model *model = write->model;
    uint32_t         count = write->by_partition ? model->partition_count : model->key_count;
    for (uint32_t i = 0; i < count; i++) {
        base__buf_puts(out, i == 0 ? " WHERE " : " AND ");
        base__buf_put_str(out, model->keys[i]->quoted);
        base__buf_puts(out, " = ?");
    }
}

static const char *const condition_operators[] = {
    [CORM_EQ] = " = ?",   [CORM_NE] = " != ?",        [CORM_GT] = " > ?",
    [CORM_GTE] = " >= ?", [CORM_LT] = " < ?",         [CORM_LTE] = " <= ?",
    [CORM_IN] = " IN ?",  [CORM_NULL_OP] = " = null", [CORM_NOT_NULL_OP] = " != null",
};

static const char *condition_operator(corm_op op) {
    bool known = (unsigned)op < sizeof condition_operators / sizeof *condition_operators;
    return known ? condition_operators[op] : NULL;
}

static void put_conditions(const orm_write *write, base_buf *out) {
    uint32_t count = count_conditions(write);
    if (write->options->if_exists) base__buf_puts(out, " IF EXISTS");
    for (uint32_t i = 0; i < count; i++) {
        const corm_term *term = &write->options->condition[i];
        base__buf_puts(out, i == 0 ? " IF " : " AND ");
        cql__put_name(out, corm_str_of(term->column));
        base__buf_puts(out, condition_operator(term->op));
    }
}

static void put_text(const void *context, base_buf *out) {
    const orm_write *write = context;
    if (write->kind == ORM_DELETE) {
        base__buf_puts(out, "DELETE FROM ");
        base__buf_put_str(out, write->model->path);
    } else if (is_update(write)) {
        base__buf_puts(out, "UPDATE ");
        base__buf_put_str(out, write->model->path);
        if (write->options->ttl_seconds > 0) base__buf_puts(out, " USING TTL ?");
        put_assignments(write, out);
    } else {
        put_insert(write, out);
        return;
    }
    put_key(write, out);
    put_conditions(write, out);
}

static corm_status find_shape(orm_write *write, orm_shape **out) {
    const corm_write_options *options = write->options;
    uint8_t                   key[2 + 3 * CORM_MAX_TERMS];
    size_t                    len = 0;
    key[len++] = write->kind == ORM_DELETE ? DELETE_SHAPE
                 : is_update(write)        ? UPDATE_SHAPE
                                           : WRITE_SHAPE;
    key[len++] = (uint8_t)(options->if_not_exists | options->if_exists << 1 |
                           (options->ttl_seconds > 0) << 2 | write->by_partition << 3);
    for (uint32_t i = 0; i < count_conditions(write); i++) {
        const orm_field *field;
        CORM_TRY(orm__field_named(write->model, options->condition[i].column, &field, write->err));
        key[len++] = (uint8_t)(field->index >> 8);
        key[len++] = (uint8_t)field->index;
        key[len++] = (uint8_t)options->condition[i].op;
    }
    return orm__shape(write->model, (corm_bytes){ key, len }, put_text, write, out, write->err);
}

/* ---- values ---- */

static corm_status bind_field(orm_write *write, corm_statement *statement, uint32_t marker,
                              const orm_field *field, corm_error *err) {
    corm_value value;
    if (write->how[field->index] == ORM_LEAVE) return CORM_OK;
    if (write->how[field->index] == ORM_NULL) {
        return corm_statement_bind(statement, marker, corm_null(), err);
    }
    CORM_TRY(orm__member_get(field, write->row, true, &write->arena, &value, err));
    return corm_statement_bind(statement, marker, value, err);
}

static corm_status bind_ttl(orm_write *write, corm_statement *statement, uint32_t *marker,
                            corm_error *err) {
    if (write->options->ttl_seconds == 0) return CORM_OK;
    corm_value ttl = corm_of_i32(write->options->ttl_seconds);
    return corm_statement_bind(statement, (*marker)++, ttl, err);
}

static corm_status bind_insert(orm_write *write, corm_statement *statement, corm_error *err) {
    uint32_t marker = 0;
    for (; marker < write->model->count; marker++) {
        CORM_TRY(bind_field(write, statement, marker, &write->model->fields[marker], err));
    }
    return bind_ttl(write, statement, &marker, err);
}

static corm_status bind_key(orm_write *write, corm_statement *statement, uint32_t *marker,
                            corm_error *err) {
    uint32_t count = write->by_partition ? write->model->partition_count : write->model->key_count;
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(bind_field(write, statement, (*marker)++, write->model->keys[i], err));
    }
    return CORM_OK;
}

static corm_status bind_conditions(orm_write *write, corm_statement *statement, uint32_t marker,
                                   corm_error *err) {
    for (uint32_t i = 0; i < count_conditions(write); i++) {
        const corm_term *term = &write->options->condition[i];
        corm_value       value = term->value;
        if (term->op == CORM_NULL_OP || term->op == CORM_NOT_NULL_OP) continue;
        if (term->op == CORM_IN) value.kind = CORM_LIST;
        CORM_TRY(corm_statement_bind(statement, marker++, value, err));
    }
    return CORM_OK;
}

static corm_status bind(orm_write *write, corm_statement *statement, corm_error *err) {
    uint32_t marker = 0;
    *corm_statement_options(statement) = write->options->request;
    if (write->kind != ORM_DELETE && !is_update(write)) return bind_insert(write, statement, err);
    if (write->kind != ORM_DELETE) {
        CORM_TRY(bind_ttl(write, statement, &marker, err));
        for (uint32_t i = 0; i < write->model->count; i++) {
            const orm_field *field = &write->model->fields[i];
            if (is_set(write, field)) CORM_TRY(bind_field(write, statement, marker++, field, err));
        }
    }
    CORM_TRY(bind_key(write, statement, &marker, err));
    return bind_conditions(write, statement, marker, err);
}

static bool is_conditional(const orm_write *write) {
    return write->options->if_not_exists || write->options->if_exists ||
           count_conditions(write) > 0;
}

static corm_status not_applied(const orm_write *write, corm_error *err) {
    const char *why = write->options->if_not_exists ? "the row exists already"
                      : write->options->if_exists   ? "the row does not exist"
                                                    : "a condition does not hold";
    return base__fail(err, CORM_NOT_APPLIED, "model '%s': %s", write->model->table.data, why);
}

static corm_status run(orm_write *write, corm_statement *statement, corm_error *err) {
    if (!is_conditional(write)) return corm_run(statement, NULL, err);
    corm_result *result;
    CORM_TRY(corm_run(statement, &result, err));
    bool applied = corm_result_applied(result);
    corm_result_free(result);
    return applied ? CORM_OK : not_applied(write, err);
}

corm_status orm__write_run(orm_write *write, corm_error *err) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    CORM_TRY(find_shape(write, &shape));
    corm_status status = orm__statement(shape, &statement, err);
    if (status == CORM_OK) status = bind(write, statement, err);
    if (status == CORM_OK) status = run(write, statement, err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

/* ---- writes ---- */

static corm_status check_conditions(const orm_write *write) {
    const corm_write_options *options = write->options;
    uint32_t                  count = count_conditions(write);
    for (uint32_t i = 0; i < count; i++) {
        const orm_field *field;
        const corm_term *term = &options->condition[i];
        CORM_TRY(orm__field_named(write->model, term->column, &field, write->err));
        if (!condition_operator(term->op)) {
            return orm__write_bad(write, field, "a write cannot have this condition");
        }
    }
    if (count > 0 && options->if_exists) {
        return orm__write_bad(write, NULL, ".if_exists and .condition exclude each other");
    }
    return CORM_OK;
}

static corm_status check_options(const orm_write *write) {
    const corm_write_options *options = write->options;
    if (options->_canary != 0)
        return orm__write_bad(write, NULL, "the write options are not initialised");
    if (options->request.keyspace) {
        return orm__write_bad(write, NULL, "the keyspace is said in the model, not in the request");
    }
    if (options->ttl_seconds < 0) return orm__write_bad(write, NULL, ".ttl_seconds is negative");
    bool changes = deletes_or_updates(write);
    if (options->if_not_exists && changes) {
        return orm__write_bad(write, NULL, ".if_not_exists is for inserts");
    }
    if (!changes && (options->if_exists || options->condition[0].column)) {
        return orm__write_bad(write, NULL, ".if_exists and .condition are for updates and deletes");
    }
    if (write->kind != ORM_DELETE) return check_conditions(write);
    if (options->only[0] || options->null[0]) {
        return orm__write_bad(write, NULL,
                              "a delete takes the whole row; an update with .null deletes columns");
    }
    if (options->ttl_seconds > 0)
        return orm__write_bad(write, NULL, "a delete has no .ttl_seconds");
    return check_conditions(write);
}

static corm_status prepare_row(orm_write *write) {
    CORM_TRY(check_options(write));
    if (write->kind == ORM_DELETE) return orm__write_columns(write);
    CORM_TRY(orm__generate(write));
    CORM_TRY(orm__write_columns(write));
    if (write->options->skip_validation) return CORM_OK;
    bool complete = write->kind == ORM_INSERT || write->kind == ORM_SAVE;
    return orm__validate(write->model, write->row, write->how, complete, write->options->violations,
                         write->err);
}

static corm_status write_row(orm_write *write) {
    CORM_TRY(prepare_row(write));
    if (write->model->unique_count > 0) return orm__write_unique(write);
    return orm__write_run(write, write->err);
}

static corm_status start(corm_db *db, const corm_model *spec, orm_write_kind kind, const void *row,
                         const corm_write_options *options, orm_write *out) {
    if (!options) options = &no_options;
    *out = (orm_write){ .db = db, .kind = kind, .options = options, .err = options->error };
    out->row = (uint8_t *)(uintptr_t)row;
    CORM_TRY(orm__model(db, spec, &out->model, out->err));
    if (!row) return orm__write_bad(out, NULL, "the row is NULL");
    return CORM_OK;
}

static corm_status execute(corm_db *db, const corm_model *model, orm_write_kind kind,
                           const void *row, const corm_write_options *options) {
    orm_write write;
    CORM_TRY(start(db, model, kind, row, options, &write));
    corm_status status = write_row(&write);
    base__arena_free(&write.arena);
    return status;
}

corm_status corm_insert_with(corm_db *db, const corm_model *model, void *row,
                             const corm_write_options *options) {
    return execute(db, model, ORM_INSERT, row, options);
}

corm_status corm_save_with(corm_db *db, const corm_model *model, void *row,
                           const corm_write_options *options) {
    return execute(db, model, ORM_SAVE, row, options);
}

corm_status corm_update_with(corm_db *db, const corm_model *model, void *row,
                             const corm_write_options *options) {
    return execute(db, model, ORM_UPDATE, row, options);
}

corm_status corm_upsert_with(corm_db *db, const corm_model *model, void *row,
                             const corm_write_options *options) {
    return execute(db, model, ORM_UPSERT, row, options);
}

corm_status corm_delete_with(corm_db *db, const corm_model *model, const void *row,
                             const corm_write_options *options) {
    return execute(db, model, ORM_DELETE, row, options);
}

/* ---- batches ---- */

static corm_status add_to_batch(orm_write *write, corm_batch *batch) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    if (write->model->unique_count > 0) {
        return base__fail(write->err, CORM_UNSUPPORTED,
                          "model '%s' has unique columns, whose reservations cannot be part of a "
                          "batch",
                          write->model->table.data);
    }
    CORM_TRY(prepare_row(write));
    CORM_TRY(find_shape(write, &shape));
    corm_status status = orm__statement(shape, &statement, write->err);
    if (status == CORM_OK) status = bind(write, statement, write->err);
    if (status == CORM_OK) status = corm_batch_add(batch, statement, write->err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

static corm_status batch(corm_batch *batch, corm_db *db, const corm_model *model,
                         orm_write_kind kind, const void *row, const corm_write_options *options) {
    orm_write write;
    CORM_TRY(start(db, model, kind, row, options, &write));
    corm_status status = add_to_batch(&write, batch);
    base__arena_free(&write.arena);
    return status;
}

corm_status corm_batch_insert(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_INSERT, row, options);
}

corm_status corm_batch_update(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_UPDATE, row, options);
}

corm_status corm_batch_delete(corm_batch *to, corm_db *db, const corm_model *model, const void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_DELETE, row, options);
}
