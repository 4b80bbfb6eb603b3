// SPDX-License-Identifier: MIT
/* hook_find.c -- finds, counts, queries and delete_where through their hooks, which get copies of the options; and copies of rows
 * for those who look at them later.
 *
 * Any thread. */
#include "orm/hook.h"

static corm_status tell(corm_status status, const corm_error *own, corm_error *err) {
    if (status != CORM_OK && err) *err = *own;
    return status;
}

/* The before functions with a copy of the options, whose error stays the run's. */
static corm_status begin(orm_hook_run *hooks, const corm_find_options *options,
                         corm_find_options *copy, corm_error *own) {
    *copy = *options;
    copy->error = own;
    hooks->call.find = copy;
    corm_status status = orm__hooks_before(hooks, own);
    copy->error = own;
    return status;
}

/* Rows that an after function refuses are nobody's. */
static corm_status end_rows(orm_hook_run *hooks, corm_status status, corm_rows **out,
                            corm_error *own) {
    hooks->call.rows = status == CORM_OK ? *out : NULL;
    status = orm__hooks_after(hooks, status, own);
    if (status == CORM_OK) return CORM_OK;
    corm_rows_free(*out);
    *out = NULL;
    return status;
}

corm_status orm__find_hooked(orm_model *model, corm_rows **out, const corm_find_options *options) {
    orm_hook_run      hooks;
    corm_find_options copy;
    corm_error        own = { 0 };
    bool              opened;
    *out = NULL;
    CORM_TRY(orm__hooks_open(model, CORM_ON_FIND, &hooks, &opened, options->error));
    if (!opened) return orm__find(model, out, options);
    corm_status status = begin(&hooks, options, &copy, &own);
    if (status == CORM_OK) status = orm__find(model, out, &copy);
    return tell(end_rows(&hooks, status, out, &own), &own, options->error);
}

/* A key as conditions, which functions may look at and change. */
corm_status orm__find_key_hooked(orm_model *model, corm_rows **out, const corm_value *key,
                                 uint32_t count, corm_error *err) {
    corm_find_options options = { .unscoped = true, .error = err };
    if (count > CORM_MAX_TERMS) {
        return base__fail(err, CORM_UNSUPPORTED, "the key has more than %d columns",
                          CORM_MAX_TERMS);
    }
    for (uint32_t i = 0; i < count; i++) {
        options.where[i] =
            (corm_term){ .column = model->keys[i]->name.data, .op = CORM_EQ, .value = key[i] };
    }
    return orm__find_hooked(model, out, &options);
}

corm_status orm__page_hooked(corm_rows *rows, corm_error *err) {
    orm_hook_run hooks;
    corm_error   own = { 0 };
    bool         opened;
    orm_model   *model = (orm_model *)(uintptr_t)rows->model;
    CORM_TRY(orm__hooks_open(model, CORM_ON_FIND, &hooks, &opened, err));
    if (!opened) return CORM_OK;
    hooks.begun = hooks.chain->count;
    hooks.call.rows = rows;
    return tell(orm__hooks_after(&hooks, CORM_OK, &own), &own, err);
}

corm_status orm__count_hooked(orm_model *model, uint64_t *out, const corm_find_options *options,
                              orm_count_function *run) {
    orm_hook_run      hooks;
    corm_find_options copy;
    corm_error        own = { 0 };
    bool              opened;
    CORM_TRY(orm__hooks_open(model, CORM_ON_COUNT, &hooks, &opened, options->error));
    if (!opened) return run(model, out, options);
    corm_status status = begin(&hooks, options, &copy, &own);
    if (status == CORM_OK) status = run(model, out, &copy);
    hooks.call.count = *out;
    return tell(orm__hooks_after(&hooks, status, &own), &own, options->error);
}

static corm_status run_query(orm_hook_run *hooks, orm_model *model, corm_rows **out,
                             const corm_execute_options *options, orm_query_function *run,
                             corm_error *own) {
    corm_execute_options copy = options ? *options : (corm_execute_options){ 0 };
    copy.error = own;
    CORM_TRY(orm__hooks_before(hooks, own));
    return run(model, hooks->call.cql, out, &copy);
}

corm_status orm__query_hooked(orm_model *model, const char *cql, corm_rows **out,
                              const corm_execute_options *options, orm_query_function *run) {
    orm_hook_run hooks;
    corm_error  *err = options ? options->error : NULL, own = { 0 };
    bool         opened;
    CORM_TRY(orm__hooks_open(model, CORM_ON_QUERY, &hooks, &opened, err));
    if (!opened) return run(model, cql, out, options);
    hooks.call.cql = cql;
    corm_status status = run_query(&hooks, model, out, options, run, &own);
    return tell(end_rows(&hooks, status, out, &own), &own, err);
}

corm_status orm__delete_where_hooked(orm_model *model, const corm_find_options *where,
                                     orm_delete_function *run) {
    orm_hook_run      hooks;
    corm_find_options copy;
    corm_error        own = { 0 };
    bool              opened;
    CORM_TRY(orm__hooks_open(model, CORM_ON_DELETE_WHERE, &hooks, &opened, where->error));
    if (!opened) return run(model, where);
    corm_status status = begin(&hooks, where, &copy, &own);
    if (status == CORM_OK) status = run(model, &copy);
    return tell(orm__hooks_after(&hooks, status, &own), &own, where->error);
}

/* ---- copies of rows ---- */

static corm_status copy_member(const orm_field *field, const void *row, uint8_t *copy,
                               base_arena *arena, corm_error *err) {
    corm_value value, own;
    CORM_TRY(orm__member_get(field, row, true, arena, &value, err));
    if (value.kind == CORM_UNSET || value.kind == CORM_NULL) return CORM_OK;
    CORM_TRY(session__value_copy(&value, arena, &own, err));
    return orm__member_set(field, &own, copy + field->offset, arena, err);
}

corm_status orm__row_copy(const orm_model *model, const void *row, base_arena *arena, void **out,
                          corm_error *err) {
    uint8_t *copy = base__arena_copy(arena, row, model->spec->row_size);
    if (!copy) return base__fail_memory(err);
    for (uint32_t i = 0; i < model->count; i++) {
        CORM_TRY(copy_member(&model->fields[i], row, copy, arena, err));
    }
    *out = copy;
    return CORM_OK;
}
