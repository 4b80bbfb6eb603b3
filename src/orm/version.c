// SPDX-License-Identifier: MIT
/* version.c -- the column with the role CORM_ROW_VERSION: each write counts it up and happens only when the row still has the version
 * that the struct holds.
 *
 *   insert                     INSERT … (version 1) IF NOT EXISTS
 *   save, upsert  version 0    the same
 *                 version n    UPDATE … SET version = n + 1 … IF version = n
 *   update, restore, change    likewise
 *   delete                     DELETE … IF version = n; by a time: as an update
 *
 * All writes are lightweight transactions, because those and plain writes of one row take their times from different clocks. Any
 * thread. */
#include <inttypes.h>

#include "orm/core.h"

static int64_t whole_of(const corm_value *value) {
    switch (value->kind) {
    case CORM_INT: return value->as.i32;
    case CORM_BIGINT: return value->as.i64;
    default: return 0;
    }
}

static corm_status get(orm_write *write, int64_t *out) {
    corm_value value;
    CORM_TRY(orm__member_get(write->model->version, write->row, true, &write->arena, &value,
                             write->err));
    *out = whole_of(&value);
    return CORM_OK;
}

/* The arena and err may be without use: a whole number needs neither. */
static corm_status set(const orm_write *write, int64_t version, corm_error *err) {
    const orm_field *field = write->model->version;
    bool             is_int = field->type->id == CQL_INT;
    corm_value       value = is_int ? corm_of_i32((int32_t)version) : corm_of_i64(version);
    return orm__member_set(field, &value, write->row + field->offset, NULL, err);
}

static corm_status change_options(orm_write *write, bool is_new) {
    corm_write_options *options = BASE_NEW(&write->arena, corm_write_options);
    if (!options) return base__fail_memory(write->err);
    *options = *write->options;
    options->if_not_exists = is_new;
    options->if_exists = false; /* a row with this version exists */
    write->options = options;
    return CORM_OK;
}

static corm_status check(const orm_write *write) {
    const corm_write_options *options = write->options;
    const char               *name = write->model->version->spec->name;
    for (uint32_t i = 0; i < CORM_MAX_NAMES && options->null[i]; i++) {
        if (strcmp(options->null[i], name) == 0) {
            return orm__write_bad(write, write->model->version, "the row's version is never null");
        }
    }
    if (options->request.has_timestamp) {
        return orm__write_bad(write, NULL,
                              "a model with a version is written conditionally, without a "
                              ".timestamp_us of its own");
    }
    return CORM_OK;
}

corm_status orm__version_count(orm_write *write) {
    if (!write->model->version) return CORM_OK;
    CORM_TRY(check(write));
    CORM_TRY(get(write, &write->version));
    int64_t most = write->model->version->type->id == CQL_INT ? INT32_MAX : INT64_MAX;
    if (write->version >= most) {
        return orm__write_bad(write, write->model->version, "the version cannot be counted up");
    }
    bool keeps = write->kind == ORM_INSERT ||
                 (write->kind != ORM_UPDATE && write->kind != ORM_DELETE && write->version == 0);
    CORM_TRY(change_options(write, keeps));
    write->asks_version = !keeps;
    if (write->kind == ORM_DELETE) return CORM_OK;
    write->as_update = !keeps;
    return set(write, keeps ? 1 : write->version + 1, write->err);
}

void orm__version_undo(orm_write *write) {
    if (!write->model || !write->model->version || write->kind == ORM_DELETE) return;
    if (write->asks_version || write->options->if_not_exists) {
        (void)!set(write, write->version, NULL);
    }
}

corm_status orm__version_not_applied(const orm_write *write, corm_result *result, corm_error *err) {
    const orm_model *model = write->model;
    const corm_row  *row = corm_result_next(result);
    int              column = corm_result_column_index(result, model->version->name.data);
    if (!write->asks_version) {
        return base__fail(err, CORM_NOT_APPLIED, "model '%s': the row exists already",
                          model->table.data);
    }
    if (!row || column < 0) {
        return base__fail(err, CORM_NOT_APPLIED,
                          "model '%s': the row with version %" PRId64 " does not exist",
                          model->table.data, write->version);
    }
    int64_t found = corm_row_bigint(row, (uint32_t)column);
    if (found == write->version) {
        return base__fail(err, CORM_NOT_APPLIED, "model '%s': a condition does not hold",
                          model->table.data);
    }
    return base__fail(err, CORM_NOT_APPLIED,
                      "model '%s': another writer was first: version %" PRId64
                      " was expected, %" PRId64 " was found",
                      model->table.data, write->version, found);
}
