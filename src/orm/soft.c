// SPDX-License-Identifier: MIT
/* soft.c -- rows that are deleted by a time: a delete that becomes an update of the column with the role CORM_DELETED_AT, and the
 * restore that takes it back.
 *
 *   corm_delete   UPDATE t SET deleted_at = <now> WHERE key = …
 *   corm_restore  UPDATE t SET deleted_at = null WHERE key = …
 *
 * Both are writes as all others are: conditions, versions, hooks. Unique values stay reserved, so that a restore always succeeds.
 * Any thread. */
#include "base/clock.h"
#include "orm/core.h"

/* A copy of the options that writes only the column; lives in the write's arena. */
static corm_status only_deleted_at(orm_write *write, bool null) {
    corm_write_options *options = BASE_NEW(&write->arena, corm_write_options);
    if (!options) return base__fail_memory(write->err);
    *options = *write->options;
    options->force = false;
    options->only[0] = write->model->deleted_at->spec->name;
    if (null) options->null[0] = options->only[0];
    write->options = options;
    write->kind = ORM_UPDATE;
    write->is_soft = true;
    return CORM_OK;
}

static corm_status set_time(orm_write *write, corm_timestamp time) {
    const orm_field *field = write->model->deleted_at;
    corm_value       value = corm_of_timestamp(time);
    return orm__member_set(field, &value, write->row + field->offset, &write->arena, write->err);
}

/* The struct of a delete is the program's, and not written to. */
static corm_status copy_row(orm_write *write) {
    write->row = base__arena_copy(&write->arena, write->row, write->model->spec->row_size);
    return write->row ? CORM_OK : base__fail_memory(write->err);
}

corm_status orm__soften(orm_write *write) {
    bool soft = write->kind == ORM_DELETE && write->model->deleted_at && !write->options->force;
    if (!soft) return CORM_OK;
    CORM_TRY(only_deleted_at(write, false));
    CORM_TRY(copy_row(write));
    return set_time(write, (corm_timestamp){ base__clock_ms() });
}

corm_status orm__restore(orm_write *write) {
    if (!write->model->deleted_at) {
        return orm__write_bad(write, NULL, "no field has the role CORM_DELETED_AT");
    }
    CORM_TRY(only_deleted_at(write, true));
    return set_time(write, (corm_timestamp){ 0 });
}

void orm__restored(const orm_write *write) {
    const orm_field *field = write->model->deleted_at;
    uint8_t         *member = write->row + field->offset;
    memset(member, 0, field->size);
    orm__member_set_null(field->member, member);
}

corm_status orm__hide_deleted(const orm_model *model, corm_rows *rows, corm_error *err) {
    const orm_field *field = model->deleted_at;
    if (!field) return CORM_OK;
    rows->filters = BASE_NEW(&rows->kept, orm_filter);
    if (!rows->filters) return base__fail_memory(err);
    rows->filters[0] = (orm_filter){ .field = field, .op = CORM_NULL_OP, .column = field->index };
    rows->filter_count = 1;
    return CORM_OK;
}
