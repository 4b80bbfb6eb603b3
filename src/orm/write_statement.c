// SPDX-License-Identifier: MIT
/* write_statement.c -- the statement of a write and its values. One text serves every row: a column that is left alone is an
 * unset marker. Any thread. */
#include "orm/core.h"

/* ---- the statement ---- */

enum { WRITE_SHAPE = 150, UPDATE_SHAPE, DELETE_SHAPE };

static bool is_update(const orm_write *write) {
    return write->kind == ORM_UPDATE || write->as_update ||
           (write->model->is_counter && (write->kind == ORM_SAVE || write->kind == ORM_UPSERT));
}

uint32_t orm__write_condition_count(const orm_write *write) {
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
        if (!is_set(write, field) || orm__is_edited(write, field)) continue;
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
    orm__put_edits(write, &before, out);
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

const char *orm__write_condition_operator(corm_op op) {
    bool known = (unsigned)op < sizeof condition_operators / sizeof *condition_operators;
    return known ? condition_operators[op] : NULL;
}

static void put_conditions(const orm_write *write, base_buf *out) {
    uint32_t count = orm__write_condition_count(write);
    if (write->options->if_exists) base__buf_puts(out, " IF EXISTS");
    for (uint32_t i = 0; i < count; i++) {
        const corm_term *term = &write->options->condition[i];
        base__buf_puts(out, i == 0 ? " IF " : " AND ");
        cql__put_name(out, corm_str_of(term->column));
        base__buf_puts(out, orm__write_condition_operator(term->op));
    }
    if (!write->asks_version) return;
    base__buf_puts(out, count == 0 ? " IF " : " AND ");
    base__buf_put_str(out, write->model->version->quoted);
    base__buf_puts(out, " = ?");
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

static corm_status edited_shape(orm_write *write, corm_bytes start, orm_shape **out) {
    base_buf key = { 0 };
    base__buf_put(&key, start.data, start.len);
    orm__edits_key(write, &key);
    corm_status status = base__buf_status(&key, write->err);
    if (status == CORM_OK) {
        status = orm__shape(write->model, base__buf_bytes(&key), put_text, write, out, write->err);
    }
    base__buf_free(&key);
    return status;
}

corm_status orm__write_shape(orm_write *write, orm_shape **out) {
    const corm_write_options *options = write->options;
    uint8_t                   key[2 + 3 * CORM_MAX_TERMS];
    size_t                    len = 0;
    key[len++] = write->kind == ORM_DELETE ? DELETE_SHAPE
                 : is_update(write)        ? UPDATE_SHAPE
                                           : WRITE_SHAPE;
    key[len++] = (uint8_t)(options->if_not_exists | options->if_exists << 1 |
                           (options->ttl_seconds > 0) << 2 | write->by_partition << 3 |
                           write->asks_version << 4);
    for (uint32_t i = 0; i < orm__write_condition_count(write); i++) {
        const orm_field *field;
        CORM_TRY(orm__field_named(write->model, options->condition[i].column, &field, write->err));
        key[len++] = (uint8_t)(field->index >> 8);
        key[len++] = (uint8_t)field->index;
        key[len++] = (uint8_t)options->condition[i].op;
    }
    if (write->edit_count > 0) return edited_shape(write, (corm_bytes){ key, len }, out);
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
    return orm__bind(statement, marker, field, &value, &write->arena, err);
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
    for (uint32_t i = 0; i < orm__write_condition_count(write); i++) {
        const corm_term *term = &write->options->condition[i];
        corm_value       value = term->value;
        if (term->op == CORM_NULL_OP || term->op == CORM_NOT_NULL_OP) continue;
        if (term->op == CORM_IN) value.kind = CORM_LIST;
        const orm_field *field = orm__field(write->model, corm_str_of(term->column));
        CORM_TRY(orm__bind(statement, marker++, field, &value, &write->arena, err));
    }
    if (!write->asks_version) return CORM_OK;
    corm_value version = write->version == 0 ? corm_null() : corm_of_i64(write->version);
    return corm_statement_bind(statement, marker, version, err);
}

corm_status orm__write_bind(orm_write *write, corm_statement *statement, corm_error *err) {
    uint32_t marker = 0;
    *corm_statement_options(statement) = write->options->request;
    if (write->kind != ORM_DELETE && !is_update(write)) return bind_insert(write, statement, err);
    if (write->kind != ORM_DELETE) {
        CORM_TRY(bind_ttl(write, statement, &marker, err));
        for (uint32_t i = 0; i < write->model->count; i++) {
            const orm_field *field = &write->model->fields[i];
            if (!is_set(write, field) || orm__is_edited(write, field)) continue;
            CORM_TRY(bind_field(write, statement, marker++, field, err));
        }
        CORM_TRY(orm__bind_edits(write, statement, &marker, err));
    }
    CORM_TRY(bind_key(write, statement, &marker, err));
    return bind_conditions(write, statement, marker, err);
}

corm_status orm__write_add(orm_write *write, corm_batch *batch, corm_error *err) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    CORM_TRY(orm__write_shape(write, &shape));
    corm_status status = orm__statement(shape, &statement, err);
    if (status == CORM_OK) status = orm__write_bind(write, statement, err);
    if (status == CORM_OK) status = corm_batch_add(batch, statement, err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}
