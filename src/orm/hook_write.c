// SPDX-License-Identifier: MIT
/* hook_write.c -- writes and validations through their hooks; rows of batches, whose after functions wait for the batch.
 *
 *   batch ─► watch (one a model) ─► rows, each with its run through the chain and a copy of the struct
 *
 * A watch is counted by the batch and by each run of it. A row's after functions are called once: behind the first run of its
 * batch, or with CORM_CANCELLED when the batch is cleared or freed before. Any thread. */
#include "orm/hook.h"

#include <stdlib.h>

static const corm_action actions[] = {
    [ORM_INSERT] = CORM_ON_INSERT, [ORM_SAVE] = CORM_ON_SAVE,     [ORM_UPDATE] = CORM_ON_UPDATE,
    [ORM_UPSERT] = CORM_ON_UPSERT, [ORM_DELETE] = CORM_ON_DELETE, [ORM_RESTORE] = CORM_ON_RESTORE,
};

/* A failure is told to whom the call tells it. */
static corm_status tell(corm_status status, const corm_error *own, corm_error *err) {
    if (status != CORM_OK && err) *err = *own;
    return status;
}

/* ---- one write ---- */

/* The write with options and an error that are the hooks' until it has ended. */
static corm_status run_write(orm_write *write, orm_write_function *run, orm_hook_run *hooks,
                             corm_write_options *options, corm_error *own) {
    *options = *write->options;
    options->error = own;
    hooks->call.row = write->row;
    hooks->call.write = options;
    CORM_TRY(orm__hooks_before(hooks, own));
    options->error = own;
    write->options = options;
    write->err = own;
    return run(write);
}

corm_status orm__write_hooked(orm_write *write, orm_write_function *run) {
    orm_hook_run              hooks;
    corm_write_options        options;
    const corm_write_options *given = write->options;
    corm_error               *err = write->err, own = { 0 };
    bool                      opened;
    CORM_TRY(orm__write_check(write));
    CORM_TRY(orm__hooks_open(write->model, actions[write->kind], &hooks, &opened, err));
    if (!opened) return run(write);
    corm_status status = run_write(write, run, &hooks, &options, &own);
    write->options = given;
    write->err = err;
    return tell(orm__hooks_after(&hooks, status, &own), &own, err);
}

/* ---- validation ---- */

corm_status orm__validate_hooked(orm_write *write, orm_write_function *run) {
    orm_hook_run hooks;
    corm_error  *err = write->err, own = { 0 };
    bool         opened;
    CORM_TRY(orm__hooks_open(write->model, CORM_ON_VALIDATE, &hooks, &opened, err));
    if (!opened) return run(write);
    hooks.call.row = write->row;
    write->err = &own;
    corm_status status = orm__hooks_before(&hooks, &own);
    if (status == CORM_OK) status = run(write);
    write->err = err;
    return tell(orm__hooks_after(&hooks, status, &own), &own, err);
}

corm_status orm__check_hooked(orm_model *model, const void *row, corm_violations *violations,
                              orm_check_function *run, corm_error *err) {
    orm_hook_run hooks;
    corm_error   own = { 0 };
    bool         opened;
    CORM_TRY(orm__hooks_open(model, CORM_ON_VALIDATE, &hooks, &opened, err));
    if (!opened) return run(model, row, violations, err);
    hooks.call.row = (void *)(uintptr_t)row;
    corm_status status = orm__hooks_before(&hooks, &own);
    if (status == CORM_OK) status = run(model, row, violations, &own);
    return tell(orm__hooks_after(&hooks, status, &own), &own, err);
}

/* ---- rows of a batch ---- */

typedef struct batch_row batch_row;
struct batch_row {
    orm_hook_run hooks; /* first */
    batch_row   *next;
    base_arena   arena; /* of the copy */
};

typedef struct batch_watch {
    session_batch_watch watch; /* first */
    corm_db            *db;    /* one reference */
    orm_model          *model;
    batch_row          *first, **last; /* added since the last run */
    uint64_t            count;         /* ever added */
} batch_watch;

/* Of one run of the batch. */
typedef struct batch_state {
    orm_hook_run hooks;
    bool         opened;
    batch_row   *rows;
} batch_state;

static batch_row *take_rows(batch_watch *watch) {
    batch_row *rows = watch->first;
    watch->first = NULL;
    watch->last = &watch->first;
    return rows;
}

static void free_row(batch_row *row) {
    base__arena_free(&row->arena);
    free(row);
}

/* Every row's after functions; the first failure behind a success is the batch's. */
static corm_status end_rows(batch_row *rows, bool waited, corm_status status, corm_error *err) {
    corm_status out = status;
    while (rows) {
        batch_row *row = rows;
        corm_error own = *err;
        rows = row->next;
        row->hooks.cannot_wait = !waited;
        corm_status after = orm__hooks_after(&row->hooks, status, &own);
        if (out == CORM_OK && after != CORM_OK) {
            out = after;
            *err = own;
        }
        free_row(row);
    }
    return out;
}

static corm_status begin_batch(session_batch_watch *base, corm_batch *batch, void **out,
                               corm_error *err) {
    batch_watch *watch = (batch_watch *)base;
    batch_state *state = calloc(1, sizeof *state);
    if (!state) return base__fail_memory(err);
    *out = state;
    corm_status status =
        orm__hooks_open(watch->model, CORM_ON_BATCH, &state->hooks, &state->opened, err);
    if (state->opened) {
        state->hooks.call.batch = batch;
        state->hooks.call.count = watch->count;
        status = orm__hooks_before(&state->hooks, err);
    }
    state->rows = take_rows(watch); /* hooks may have added some */
    return status;
}

static corm_status end_batch(session_batch_watch *base, void *own, bool waited, corm_status status,
                             corm_error *err) {
    batch_state *state = own;
    if (!state) return end_rows(take_rows((batch_watch *)base), waited, status, err);
    status = end_rows(state->rows, waited, status, err);
    if (state->opened) {
        state->hooks.call.batch = NULL;
        state->hooks.cannot_wait = !waited;
        status = orm__hooks_after(&state->hooks, status, err);
    }
    free(state);
    return status;
}

static void free_batch(session_batch_watch *base) {
    batch_watch *watch = (batch_watch *)base;
    corm_error   err = { 0 };
    corm_status  status = base__fail(&err, CORM_CANCELLED, "the batch was never run");
    end_rows(take_rows(watch), false, status, &err);
    orm__db_unref(watch->db);
    free(watch);
}

/* The batch's watch for the model; NULL when memory is exhausted. */
static batch_watch *watch_of(orm_model *model, corm_batch *batch) {
    session_batch_watch *base = session__batch_watches(batch);
    for (; base; base = base->next) {
        if (base->end == end_batch && ((batch_watch *)base)->model == model) {
            return (batch_watch *)base;
        }
    }
    batch_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return NULL;
    watch->watch.begin = begin_batch;
    watch->watch.end = end_batch;
    watch->watch.free = free_batch;
    watch->db = orm__db_ref(model->db);
    watch->model = model;
    watch->last = &watch->first;
    session__batch_watch(batch, &watch->watch);
    return watch;
}

/* ---- adding ---- */

typedef corm_status add_function(orm_write *write, corm_batch *batch);

/* The row will be gone when the batch runs, and so will be what its members point to. */
static corm_status add_row(orm_write *write, corm_batch *batch, add_function *add, batch_row *row,
                           corm_write_options *options, corm_error *own) {
    batch_watch *watch = watch_of(write->model, batch);
    if (!watch) return base__fail_memory(own);
    *options = *write->options;
    options->error = own;
    row->hooks.call.row = write->row;
    row->hooks.call.write = options;
    row->hooks.call.batch = batch;
    if (row->hooks.call.path == CORM_PATH_CALL) row->hooks.call.path = CORM_PATH_BATCH;
    CORM_TRY(orm__hooks_before(&row->hooks, own));
    options->error = own;
    write->options = options;
    write->err = own;
    uint32_t before = corm_batch_count(batch);
    void    *copy;
    CORM_TRY(add(write, batch));
    corm_status status = orm__row_copy(write->model, write->row, &row->arena, &copy, own);
    if (status != CORM_OK) {
        session__batch_cut(batch, before);
        return status;
    }
    row->hooks.call.row = copy;
    row->hooks.call.write = NULL;
    row->hooks.call.batch = NULL;
    *watch->last = row;
    watch->last = &row->next;
    watch->count++;
    return CORM_OK;
}

static corm_status add_opened(orm_write *write, corm_batch *batch, add_function *add,
                              batch_row *row) {
    corm_write_options        options;
    const corm_write_options *given = write->options;
    corm_error               *err = write->err, own = { 0 };
    corm_status               status = add_row(write, batch, add, row, &options, &own);
    write->options = given;
    write->err = err;
    if (status == CORM_OK) return CORM_OK;
    row->hooks.call.row = write->row;
    row->hooks.call.batch = NULL;
    status = tell(orm__hooks_after(&row->hooks, status, &own), &own, err);
    free_row(row);
    return status;
}

/* Only the batch as a whole may have a hook. */
static corm_status add_unhooked(orm_write *write, corm_batch *batch, add_function *add) {
    if (!orm__hooks_on(write->model, CORM_ON_BATCH)) return add(write, batch);
    batch_watch *watch = watch_of(write->model, batch);
    if (!watch) return base__fail_memory(write->err);
    CORM_TRY(add(write, batch));
    watch->count++;
    return CORM_OK;
}

corm_status orm__add_hooked(orm_write *write, corm_batch *batch, add_function *add) {
    bool opened = false;
    CORM_TRY(orm__write_check(write));
    batch_row *row = calloc(1, sizeof *row);
    if (!row) return base__fail_memory(write->err);
    corm_status status =
        orm__hooks_open(write->model, actions[write->kind], &row->hooks, &opened, write->err);
    if (opened) return add_opened(write, batch, add, row);
    free(row);
    return status == CORM_OK ? add_unhooked(write, batch, add) : status;
}
