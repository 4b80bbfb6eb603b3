// SPDX-License-Identifier: MIT
/* db.c -- the mapper's life, and its models.
 *
 *   db.models -> newest model -> … -> NULL     read without a lock; added to under db.load
 *
 * The struct and its models outlive the handle as long as there are rows. Any thread. */
#include <stdarg.h>
#include <stdlib.h>

#include "orm/hook.h"
#include "orm/relation.h"

enum { DEFAULT_LEASE_MS = 10000 };

corm_db *orm__db_ref(corm_db *db) {
    atomic_fetch_add_explicit(&db->refs, 1, memory_order_relaxed);
    return db;
}

void orm__db_unref(corm_db *db) {
    if (!db || atomic_fetch_sub(&db->refs, 1) != 1) return;
    orm_model *model = atomic_load(&db->models);
    while (model) {
        orm_model *next = model->next;
        orm__model_free(model);
        model = next;
    }
    orm__hooks_free(db);
    base__map_free(&db->unique_keyspaces);
    base__arena_free(&db->names);
    pthread_mutex_destroy(&db->load);
    for (int i = 0; i < ORM_ROW_LOCKS; i++) pthread_mutex_destroy(&db->rows[i]);
    pthread_mutex_destroy(&db->hook_lock);
    free(db);
}

void orm__notice(const corm_db *db, const char *format, ...) {
    char    text[1024];
    va_list args;
    if (!db->notice && !db->events) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (db->notice) db->notice(db->notice_context, text);
    orm__tell(db, "db.notice", NULL, "text", text);
}

static corm_status check_options(const corm_db_options *options, corm_error *err) {
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the db options are not initialised");
    }
    if ((unsigned)options->migration > CORM_MIGRATION_NONE) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%d is not a migration",
                          (int)options->migration);
    }
    return CORM_OK;
}

/* Recursive: a middleware may write while it stands in the way of a write. */
static void init_row_locks(corm_db *db) {
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    for (int i = 0; i < ORM_ROW_LOCKS; i++) pthread_mutex_init(&db->rows[i], &recursive);
    pthread_mutexattr_destroy(&recursive);
}

corm_status orm__db_over(corm_session *session, const corm_db_options *options, corm_db **out,
                         corm_error *err) {
    corm_db    *db = NULL;
    corm_status status = check_options(options, err);
    if (status == CORM_OK) {
        db = calloc(1, sizeof *db);
        if (!db) status = base__fail_memory(err);
    }
    if (status != CORM_OK) {
        corm_session_close(session);
        return status;
    }
    atomic_init(&db->refs, 1);
    pthread_mutex_init(&db->load, NULL);
    init_row_locks(db);
    pthread_mutex_init(&db->hook_lock, NULL);
    db->session = session;
    db->migration = options->migration;
    db->consistency = options->session.consistency;
    db->unique_lease_ms = options->unique_lease_ms ? options->unique_lease_ms : DEFAULT_LEASE_MS;
    db->notice = options->notice;
    db->notice_context = options->notice_context;
    db->keyring = options->keyring;
    if (options->events) status = orm__publish_to(db, options->events, err);
    if (status != CORM_OK) {
        corm_db_close(db);
        return status;
    }
    *out = db;
    orm__tell(db, "db.opened", NULL, NULL, NULL);
    return CORM_OK;
}

corm_status corm_db_open(corm_db **out, const char *uri, const corm_db_options *options) {
    static const corm_db_options defaults;
    if (!options) options = &defaults;
    corm_error   *err = options->error;
    corm_session *session;
    *out = NULL;
    CORM_TRY(check_options(options, err));
    CORM_TRY(corm_session_open(&session, uri, &options->session, err));
    return orm__db_over(session, options, out, err);
}

corm_status corm_db_over(corm_db **out, corm_session *session, const corm_db_options *options) {
    static const corm_db_options defaults;
    if (!options) options = &defaults;
    *out = NULL;
    return orm__db_over(session, options, out, options->error);
}

void corm_db_close(corm_db *db) {
    if (!db) return;
    orm__tell(db, "db.closed", NULL, NULL, NULL);
    for (orm_model *model = atomic_load(&db->models); model; model = model->next) {
        orm__model_forget(model);
    }
    corm_session_close(db->session);
    db->session = NULL;
    orm__db_unref(db);
}

corm_session *corm_db_session(corm_db *db) {
    return db->session;
}

/* ---- models ---- */

static orm_model *find(const corm_db *db, const corm_model *spec) {
    orm_model *model = atomic_load_explicit(&db->models, memory_order_acquire);
    while (model && model->spec != spec) model = model->next;
    return model;
}

/* "keyspace.table": statements name it whatever keyspace the session uses later. */
corm_status orm__model_name_table(orm_model *model, corm_error *err) {
    base_buf path = { 0 };
    if (model->keyspace.len == 0) {
        const char *keyspace = corm_session_keyspace(model->db->session);
        model->keyspace = base__arena_str(&model->arena, corm_str_of(keyspace));
        if (!model->keyspace.data) return base__fail_memory(err);
    }
    if (model->keyspace.len == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "model '%s': neither it nor the session has a keyspace",
                          model->table.data);
    }
    cql__put_name(&path, model->keyspace);
    base__buf_u8(&path, '.');
    cql__put_name(&path, model->table);
    if (!path.failed) model->path = base__arena_str(&model->arena, base__buf_str(&path));
    base__buf_free(&path);
    return model->path.data ? CORM_OK : base__fail_memory(err);
}

/* What the store says of the columns: user-defined types with their fields. */
static corm_status learn_types(orm_model *model, corm_error *err) {
    base_buf cql = { 0 };
    base__buf_puts(&cql, "SELECT ");
    for (uint32_t i = 0; i < model->count; i++) {
        if (i > 0) base__buf_puts(&cql, ", ");
        base__buf_put_str(&cql, model->fields[i].quoted);
    }
    base__buf_puts(&cql, " FROM ");
    base__buf_put_str(&cql, model->path);
    base__buf_puts(&cql, " LIMIT 1");
    const char          *text = base__buf_cstr(&cql);
    corm_execute_options options = { .error = err };
    corm_result         *result = NULL;
    corm_status status = text ? corm_execute_with(model->db->session, text, &options, &result)
                              : base__fail_memory(err);
    base__buf_free(&cql);
    if (status != CORM_OK) return status;
    uint32_t                 count;
    const cql_result_column *columns = session__result_columns(result, &count);
    for (uint32_t i = 0; i < count && i < model->count && status == CORM_OK; i++) {
        orm_field *field = &model->fields[i];
        field->stored_type = cql__type_copy(&model->arena, columns[i].type);
        if (!field->stored_type) status = base__fail_memory(err);
        if (!orm__is_sealed(field)) field->type = field->stored_type;
    }
    corm_result_free(result);
    return status;
}

static corm_status load(corm_db *db, orm_model *model, corm_error *err) {
    model->db = db;
    CORM_TRY(orm__model_name_table(model, err));
    CORM_TRY(orm__sealed_load(model, err));
    CORM_TRY(orm__migrate(db, model, err));
    if (model->unique_count > 0) CORM_TRY(orm__unique_prepare(db, model, err));
    for (uint32_t i = 0; i < model->copy_count; i++) CORM_TRY(load(db, model->copies[i], err));
    return learn_types(model, err);
}

/* Under db->load. */
static corm_status load_new(corm_db *db, const corm_model *spec, orm_model **out, corm_error *err) {
    *out = find(db, spec);
    if (*out) return CORM_OK;
    CORM_TRY(orm__compile(spec, out, err));
    corm_status status = load(db, *out, err);
    if (status == CORM_OK) status = orm__hooks_publish(db, *out, err);
    if (status != CORM_OK) {
        orm__model_free(*out);
        return status;
    }
    return CORM_OK;
}

corm_status orm__model(corm_db *db, const corm_model *spec, orm_model **out, corm_error *err) {
    *out = find(db, spec);
    if (*out) return CORM_OK;
    pthread_mutex_lock(&db->load);
    corm_status status = load_new(db, spec, out, err);
    pthread_mutex_unlock(&db->load);
    if (status == CORM_OK) {
        orm__tell(db, "model.loaded", (*out)->path.data, "table", (*out)->path.data);
    }
    return status;
}

corm_status corm_load(corm_db *db, const corm_model *model, corm_error *err) {
    orm_model *compiled;
    CORM_TRY(orm__model(db, model, &compiled, err));
    return orm__relations_check(compiled, err);
}
