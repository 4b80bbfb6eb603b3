// SPDX-License-Identifier: MIT
/* scope.c -- named parts of finds: their conditions are added to those of the find, so that all must hold; an order or a limit of a
 * scope holds where the find has none. Scopes are applied in this order: the model's default ones, then those that the find
 * names. Any thread. */
#include "orm/core.h"

typedef struct scoping {
    const orm_model         *model;
    const corm_find_options *given;
    corm_find_options       *out;
    uint32_t                 term_count;
    corm_error              *err;
} scoping;

static bool is_last(const corm_scope *scope) {
    return !scope || !scope->name;
}

static const corm_scope *find_scope(const orm_model *model, const char *name) {
    for (const corm_scope *scope = model->spec->scopes; !is_last(scope); scope++) {
        if (strcmp(scope->name, name) == 0) return scope;
    }
    return NULL;
}

static corm_status no_scope(const scoping *s, const char *name) {
    enum { MOST_NAMES = 64 };
    corm_str names[MOST_NAMES];
    size_t   count = 0;
    for (const corm_scope *scope = s->model->spec->scopes; !is_last(scope); scope++) {
        if (count < MOST_NAMES) names[count++] = corm_str_of(scope->name);
    }
    corm_str near = orm__nearest(corm_str_of(name), names, count);
    if (near.len == 0) {
        return base__fail(s->err, CORM_INVALID_ARGUMENT, "model '%s' has no scope '%s'",
                          s->model->table.data, name);
    }
    return base__fail(s->err, CORM_INVALID_ARGUMENT,
                      "model '%s' has no scope '%s', did you mean '%.*s'?", s->model->table.data,
                      name, (int)near.len, near.data);
}

static corm_status add_terms(scoping *s, const corm_scope *scope) {
    for (uint32_t i = 0; i < CORM_MAX_TERMS && scope->find.where[i].column; i++) {
        if (s->term_count == CORM_MAX_TERMS) {
            return base__fail(s->err, CORM_INVALID_ARGUMENT,
                              "model '%s': with the scope '%s' there are more than %d conditions",
                              s->model->table.data, scope->name, CORM_MAX_TERMS);
        }
        s->out->where[s->term_count++] = scope->find.where[i];
    }
    return CORM_OK;
}

static corm_status add_scope(scoping *s, const corm_scope *scope) {
    const corm_find_options *find = &scope->find;
    CORM_TRY(add_terms(s, scope));
    if (!s->out->order_by[0].column) {
        memcpy(s->out->order_by, find->order_by, sizeof find->order_by);
    }
    if (s->out->limit == 0) s->out->limit = find->limit;
    if (s->out->per_partition_limit == 0) s->out->per_partition_limit = find->per_partition_limit;
    if (find->allow_filtering) s->out->allow_filtering = true;
    return CORM_OK;
}

static bool is_named(const corm_find_options *options, const char *name) {
    for (uint32_t i = 0; i < 4 && options->scope[i]; i++) {
        if (strcmp(options->scope[i], name) == 0) return true;
    }
    return false;
}

static corm_status add_defaults(scoping *s) {
    for (const corm_scope *scope = s->model->spec->scopes; !is_last(scope); scope++) {
        if (!scope->is_default || is_named(s->given, scope->name)) continue;
        CORM_TRY(add_scope(s, scope));
    }
    return CORM_OK;
}

static corm_status add_named(scoping *s) {
    for (uint32_t i = 0; i < 4 && s->given->scope[i]; i++) {
        const corm_scope *scope = find_scope(s->model, s->given->scope[i]);
        if (!scope) return no_scope(s, s->given->scope[i]);
        CORM_TRY(add_scope(s, scope));
    }
    return CORM_OK;
}

static uint32_t count_terms(const corm_find_options *options) {
    uint32_t count = 0;
    while (count < CORM_MAX_TERMS && options->where[count].column) count++;
    return count;
}

corm_status orm__scope(const orm_model *model, const corm_find_options **options,
                       corm_find_options *room) {
    const corm_find_options *given = *options;
    if (!model->spec->scopes && !given->scope[0]) return CORM_OK;
    scoping s = { model, given, room, count_terms(given), given->error };
    *room = *given;
    if (!given->unscoped) CORM_TRY(add_defaults(&s));
    CORM_TRY(add_named(&s));
    memset(room->scope, 0, sizeof room->scope);
    room->unscoped = true; /* what was done is not done again */
    *options = room;
    return CORM_OK;
}

/* ---- when the model is compiled ---- */

static corm_status bad(const orm_model *model, const corm_scope *scope, const char *what,
                       corm_error *err) {
    return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s', scope '%s': %s", model->table.data,
                      scope->name, what);
}

static bool has_more(const corm_find_options *find) {
    return find->select[0] || find->offset > 0 || find->one_page || find->scope[0] ||
           find->unscoped || find->with_deleted || find->only_deleted || find->include[0] ||
           find->includes || find->error || find->force;
}

static corm_status check_columns(const orm_model *model, const corm_scope *scope, corm_error *err) {
    const orm_field *field;
    for (uint32_t i = 0; i < CORM_MAX_TERMS && scope->find.where[i].column; i++) {
        const corm_term *term = &scope->find.where[i];
        if (term->op >= CORM_TOKEN_GT && term->op <= CORM_TOKEN_LTE) continue;
        CORM_TRY(orm__field_named(model, term->column, &field, err));
    }
    for (uint32_t i = 0; i < 4 && scope->find.order_by[i].column; i++) {
        CORM_TRY(orm__field_named(model, scope->find.order_by[i].column, &field, err));
    }
    return CORM_OK;
}

corm_status orm__check_scopes(const orm_model *model, corm_error *err) {
    for (const corm_scope *scope = model->spec->scopes; !is_last(scope); scope++) {
        if (find_scope(model, scope->name) != scope) {
            return bad(model, scope, "two scopes have this name", err);
        }
        if (scope->find._canary != 0) return bad(model, scope, "it is not initialised", err);
        if (has_more(&scope->find)) {
            return bad(model, scope,
                       "it has more than conditions, order, limits and allow_filtering", err);
        }
        CORM_TRY(check_columns(model, scope, err));
    }
    return CORM_OK;
}
