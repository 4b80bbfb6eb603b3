// SPDX-License-Identifier: MIT
/* write.c -- rows into the store: the one chain that every write of a row goes through, alone or in a batch.
 *
 *   (before hooks) -> delete by a time -> generate -> version -> columns -> validate -> (reserve unique values) -> statement -> (confirm them)
 *   -> (after hooks)
 *
 * Any thread. */
#include "orm/cascade.h"
#include "orm/hook.h"
#include "orm/query_table.h"

static const corm_write_options no_options;

static bool deletes_or_updates(const orm_write *write) {
    return write->kind == ORM_UPDATE || write->kind == ORM_DELETE || write->kind == ORM_RESTORE;
}

/* ---- one statement ---- */

bool orm__is_conditional(const orm_write *write) {
    return write->options->if_not_exists || write->options->if_exists || write->asks_version ||
           orm__write_condition_count(write) > 0;
}

static corm_status not_applied(const orm_write *write, corm_error *err) {
    const char *why = write->options->if_not_exists ? "the row exists already"
                      : write->options->if_exists   ? "the row does not exist"
                                                    : "a condition does not hold";
    return base__fail(err, CORM_NOT_APPLIED, "model '%s': %s", write->model->table.data, why);
}

static corm_status run(orm_write *write, corm_statement *statement, corm_error *err) {
    if (!orm__is_conditional(write)) return corm_run(statement, NULL, err);
    corm_result *result;
    CORM_TRY(corm_run(statement, &result, err));
    corm_status status = CORM_OK;
    if (!corm_result_applied(result)) {
        status = write->model->version ? orm__version_not_applied(write, result, err)
                                       : not_applied(write, err);
    }
    corm_result_free(result);
    return status;
}

corm_status orm__write_alone(orm_write *write, corm_error *err) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    CORM_TRY(orm__write_shape(write, &shape));
    corm_status status = orm__statement(shape, &statement, err);
    if (status == CORM_OK) status = orm__write_bind(write, statement, err);
    if (status == CORM_OK) status = run(write, statement, err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

corm_status orm__write_run(orm_write *write, corm_error *err) {
    return write->model->copy_count > 0 ? orm__copies_run(write, err)
                                        : orm__write_alone(write, err);
}

/* ---- writes ---- */

static corm_status check_conditions(const orm_write *write) {
    const corm_write_options *options = write->options;
    uint32_t                  count = orm__write_condition_count(write);
    for (uint32_t i = 0; i < count; i++) {
        const orm_field *field;
        const corm_term *term = &options->condition[i];
        CORM_TRY(orm__field_named(write->model, term->column, &field, write->err));
        if (!orm__write_condition_operator(term->op)) {
            return orm__write_bad(write, field, "a write cannot have this condition");
        }
        const char *why = orm__sealed_refuses(field, term->op);
        if (why) return orm__write_bad(write, field, why);
    }
    if (count > 0 && options->if_exists) {
        return orm__write_bad(write, NULL, ".if_exists and .condition exclude each other");
    }
    return CORM_OK;
}

corm_status orm__write_check(const orm_write *write) {
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
    if (write->kind != ORM_DELETE && write->kind != ORM_RESTORE) return check_conditions(write);
    if (options->only[0] || options->null[0]) {
        return orm__write_bad(write, NULL,
                              "a delete takes the whole row; an update with .null deletes columns");
    }
    if (options->ttl_seconds > 0)
        return orm__write_bad(write, NULL, "a delete has no .ttl_seconds");
    return check_conditions(write);
}

static corm_status take_columns(orm_write *write) {
    CORM_TRY(orm__write_columns(write));
    if (write->options->skip_validation) return CORM_OK;
    bool complete = write->kind == ORM_INSERT || write->kind == ORM_SAVE;
    return orm__validate(write->model, write->row, write->how, complete, write->options->violations,
                         write->err);
}

static corm_status prepare_row(orm_write *write) {
    CORM_TRY(orm__write_check(write));
    CORM_TRY(write->kind == ORM_RESTORE ? orm__restore(write) : orm__soften(write));
    if (write->kind != ORM_DELETE) CORM_TRY(orm__generate(write));
    CORM_TRY(orm__version_count(write));
    if (write->kind == ORM_DELETE) return orm__write_columns(write);
    bool hooked = orm__hooked(write->model) && !write->options->skip_validation;
    return hooked ? orm__validate_hooked(write, take_columns) : take_columns(write);
}

static corm_status write_plain(orm_write *write) {
    CORM_TRY(prepare_row(write));
    if (write->deletes) CORM_TRY(orm__cascade(write));
    if (write->model->unique_count > 0) return orm__write_unique(write);
    return orm__write_run(write, write->err);
}

static corm_status write_row(orm_write *write) {
    return orm__hooked(write->model) ? orm__write_hooked(write, write_plain) : write_plain(write);
}

static corm_status start(corm_db *db, const corm_model *spec, orm_write_kind kind, const void *row,
                         const corm_write_options *options, orm_write *out) {
    if (!options) options = &no_options;
    *out = (orm_write){ .db = db, .kind = kind, .options = options, .err = options->error };
    out->row = (uint8_t *)(uintptr_t)row;
    out->deletes = kind == ORM_DELETE;
    CORM_TRY(orm__model(db, spec, &out->model, out->err));
    if (!row) return orm__write_bad(out, NULL, "the row is NULL");
    return CORM_OK;
}

static corm_status execute_below(corm_db *db, const corm_model *model, orm_write_kind kind,
                                 const void *row, const corm_write_options *options,
                                 const orm_above *above) {
    orm_write write;
    CORM_TRY(start(db, model, kind, row, options, &write));
    write.above = above;
    corm_status status = write_row(&write);
    if (status != CORM_OK) orm__version_undo(&write);
    if (status == CORM_OK && kind == ORM_RESTORE) orm__restored(&write);
    base__arena_free(&write.arena);
    return status;
}

static corm_status execute(corm_db *db, const corm_model *model, orm_write_kind kind,
                           const void *row, const corm_write_options *options) {
    return execute_below(db, model, kind, row, options, NULL);
}

corm_status orm__delete_below(corm_db *db, const corm_model *model, const void *row,
                              const corm_write_options *options, const orm_above *above) {
    return execute_below(db, model, ORM_DELETE, row, options, above);
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

corm_status corm_delete_for_good_with(corm_db *db, const corm_model *model, const void *row,
                                      const corm_write_options *options) {
    corm_write_options truly = options ? *options : no_options;
    truly.force = true;
    return execute(db, model, ORM_DELETE, row, &truly);
}

corm_status corm_restore_with(corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return execute(db, model, ORM_RESTORE, row, options);
}

/* The write's arena is the caller's to free, whatever is returned. */
static corm_status start_change(corm_db *db, const corm_model *model, void *row,
                                const corm_change_options *options, orm_write *out) {
    static const corm_change_options nothing;
    if (!options) options = &nothing;
    CORM_TRY(start(db, model, ORM_UPDATE, row, &options->write, out));
    if (options->error) out->err = options->error;
    return orm__change_begin(out, options);
}

corm_status corm_change_with(corm_db *db, const corm_model *model, void *row,
                             const corm_change_options *options) {
    orm_write   write;
    corm_status status = start_change(db, model, row, options, &write);
    corm_path   path = orm__path_enter(CORM_PATH_COLLECTION);
    if (status == CORM_OK) status = write_row(&write);
    orm__path_enter(path);
    if (status == CORM_OK) orm__change_end(&write, row);
    base__arena_free(&write.arena);
    return status;
}

/* ---- batches ---- */

static corm_status add_to_batch(orm_write *write, corm_batch *batch) {
    if (write->model->unique_count > 0) {
        return base__fail(write->err, CORM_UNSUPPORTED,
                          "model '%s' has unique columns, whose reservations cannot be part of a "
                          "batch",
                          write->model->table.data);
    }
    if (write->model->version) {
        return base__fail(write->err, CORM_UNSUPPORTED,
                          "model '%s' has a version, whose conditions are answered only when the "
                          "batch has run: write its rows one by one",
                          write->model->table.data);
    }
    CORM_TRY(prepare_row(write));
    if (write->deletes) CORM_TRY(orm__cascade_batch(write));
    return write->model->copy_count > 0 ? orm__copies_add(write, batch, write->err)
                                        : orm__write_add(write, batch, write->err);
}

static corm_status batch(corm_batch *batch, corm_db *db, const corm_model *model,
                         orm_write_kind kind, const void *row, const corm_write_options *options) {
    orm_write write;
    CORM_TRY(start(db, model, kind, row, options, &write));
    corm_status status = orm__hooked(write.model) ? orm__add_hooked(&write, batch, add_to_batch)
                                                  : add_to_batch(&write, batch);
    base__arena_free(&write.arena);
    return status;
}

corm_status corm_batch_insert(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_INSERT, row, options);
}

corm_status corm_batch_save(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                            const corm_write_options *options) {
    return batch(to, db, model, ORM_SAVE, row, options);
}

corm_status corm_batch_upsert(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_UPSERT, row, options);
}

corm_status corm_batch_update(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_UPDATE, row, options);
}

corm_status corm_batch_delete(corm_batch *to, corm_db *db, const corm_model *model, const void *row,
                              const corm_write_options *options) {
    return batch(to, db, model, ORM_DELETE, row, options);
}

corm_status corm_batch_change(corm_batch *to, corm_db *db, const corm_model *model, void *row,
                              const corm_change_options *options) {
    orm_write   write;
    corm_status status = start_change(db, model, row, options, &write);
    if (status == CORM_OK) {
        status = orm__hooked(write.model) ? orm__add_hooked(&write, to, add_to_batch)
                                          : add_to_batch(&write, to);
    }
    if (status == CORM_OK) orm__change_end(&write, row);
    base__arena_free(&write.arena);
    return status;
}
