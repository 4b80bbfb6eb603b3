// SPDX-License-Identifier: MIT
/* write_columns.c -- what of a struct is written, and the members that are generated before. One
 * thread. */
#include "base/clock.h"
#include "orm/core.h"

corm_status orm__write_bad(const orm_write *write, const orm_field *field, const char *what) {
    const char *table = write->model->table.data;
    if (!field) {
        return base__fail(write->err, CORM_INVALID_ARGUMENT, "model '%s': %s", table, what);
    }
    return base__fail(write->err, CORM_INVALID_ARGUMENT, "model '%s', field '%s': %s", table,
                      field->name.data, what);
}

static bool writes_each_time(const orm_field *field) {
    return field->spec->generate == CORM_EACH_NOW || field->spec->role == CORM_ROW_VERSION;
}

/* An insert over a row that is deleted by a time makes a row that is not. */
static bool is_brought_back(const orm_write *write, const orm_field *field,
                            const corm_value *value) {
    bool whole = write->kind == ORM_INSERT || write->kind == ORM_SAVE;
    return field == write->model->deleted_at && whole && write->key_was_given &&
           !write->options->if_not_exists && value->kind == CORM_UNSET;
}

/* What the struct itself says. */
static corm_status by_content(orm_write *write) {
    for (uint32_t i = 0; i < write->model->count; i++) {
        const orm_field *field = &write->model->fields[i];
        corm_value       value;
        if (orm__is_key(field)) continue;
        CORM_TRY(orm__member_get(field, write->row, false, &write->arena, &value, write->err));
        if (value.kind == CORM_NULL || is_brought_back(write, field, &value)) {
            write->how[i] = ORM_NULL;
        }
        if (value.kind > CORM_NULL) write->how[i] = ORM_VALUE;
    }
    return CORM_OK;
}

static corm_status by_only(orm_write *write) {
    for (uint32_t i = 0; i < CORM_MAX_NAMES && write->options->only[i]; i++) {
        const orm_field *field;
        corm_value       value;
        CORM_TRY(orm__field_named(write->model, write->options->only[i], &field, write->err));
        if (orm__is_key(field)) continue;
        write->how[field->index] = ORM_VALUE;
        CORM_TRY(orm__member_get(field, write->row, true, &write->arena, &value, write->err));
        if (value.kind > CORM_NULL || field->spec->validate.required) continue;
        if (value.kind == CORM_NULL) {
            write->how[field->index] = ORM_NULL;
        } else {
            return orm__write_bad(write, field, "it holds nothing; .null is what writes null");
        }
    }
    for (uint32_t i = 0; i < write->model->count; i++) {
        if (writes_each_time(&write->model->fields[i])) write->how[i] = ORM_VALUE;
    }
    return CORM_OK;
}

static corm_status by_null(orm_write *write) {
    for (uint32_t i = 0; i < CORM_MAX_NAMES && write->options->null[i]; i++) {
        const orm_field *field;
        CORM_TRY(orm__field_named(write->model, write->options->null[i], &field, write->err));
        if (orm__is_key(field)) return orm__write_bad(write, field, "a key column cannot be null");
        write->how[field->index] = ORM_NULL;
    }
    return CORM_OK;
}

/* Statics alone are written to the partition, without a row. */
static bool only_statics(const orm_write *write) {
    bool any = false;
    for (uint32_t i = 0; i < write->model->count; i++) {
        if (write->how[i] == ORM_LEAVE || orm__is_key(&write->model->fields[i])) continue;
        if (write->model->fields[i].key != CORM_STATIC) return false;
        any = true;
    }
    return any;
}

/* Members of the key always hold something. */
static corm_status check_key(orm_write *write) {
    uint32_t count = write->by_partition ? write->model->partition_count : write->model->key_count;
    for (uint32_t i = 0; i < count; i++) {
        const orm_field *field = write->model->keys[i];
        corm_value       value;
        CORM_TRY(orm__member_get(field, write->row, false, &write->arena, &value, write->err));
        if (value.kind <= CORM_NULL) {
            return orm__write_bad(write, field, "a key column must hold something");
        }
        write->how[field->index] = ORM_VALUE;
    }
    return CORM_OK;
}

corm_status orm__write_columns(orm_write *write) {
    write->how = BASE_NEW_ARRAY(&write->arena, uint8_t, write->model->count);
    if (!write->how) return base__fail_memory(write->err);
    if (write->kind != ORM_DELETE) {
        bool some = write->options->only[0] || write->edit_count > 0;
        CORM_TRY(some ? by_only(write) : by_content(write));
        CORM_TRY(by_null(write));
        CORM_TRY(orm__change_columns(write));
    }
    write->by_partition = write->kind == ORM_UPDATE && only_statics(write);
    return check_key(write);
}

/* ---- generated members ---- */

static corm_value generated(const orm_field *field) {
    switch (field->spec->generate) {
    case CORM_NEW_UUID: return corm_of_uuid(corm_uuid_random());
    case CORM_NEW_TIMEUUID: return corm_of_uuid(corm_uuid_time());
    default: break;
    }
    corm_timestamp now = { base__clock_ms() };
    if (field->type->id != CQL_DATE) return corm_of_timestamp(now);
    int64_t days = now.ms / 86400000 - (now.ms % 86400000 < 0);
    return corm_of_date((corm_date){ (int32_t)days });
}

/* Whether the member is as if it was not given: zero, absent, unset. */
static corm_status is_empty(orm_write *write, const orm_field *field, bool *out) {
    corm_value value;
    CORM_TRY(orm__member_get(field, write->row, false, &write->arena, &value, write->err));
    *out = value.kind == CORM_UNSET ||
           (value.kind == CORM_TIMESTAMP && value.as.timestamp.ms == 0) ||
           (value.kind == CORM_DATE && value.as.date.days == 0);
    return CORM_OK;
}

corm_status orm__generate(orm_write *write) {
    write->key_was_given = true;
    for (uint32_t i = 0; i < write->model->count; i++) {
        const orm_field *field = &write->model->fields[i];
        bool             each = writes_each_time(field);
        bool             empty = true;
        if (field->spec->generate == CORM_GIVEN || (write->kind == ORM_UPDATE && !each)) continue;
        if (!each) CORM_TRY(is_empty(write, field, &empty));
        if (!empty) continue;
        corm_value value = generated(field);
        if (orm__is_key(field)) write->key_was_given = false;
        CORM_TRY(
            orm__member_set(field, &value, write->row + field->offset, &write->arena, write->err));
    }
    return CORM_OK;
}
