// SPDX-License-Identifier: MIT
/* relate.c -- relations made and removed: foreign keys written by the functions that write every row. Any thread. */
#include <stdlib.h>

#include "orm/hook.h"
#include "orm/relation.h"

typedef struct relating {
    corm_db        *db;
    const orm_link *link;
    void           *row, *other;
    base_arena      arena;
    corm_error     *err;
} relating;

static corm_status bad(const relating *r, const char *what) {
    return base__fail(r->err, CORM_INVALID, "model '%s', relation '%s': %s",
                      r->link->model->table.data, r->link->relation->name.data, what);
}

/* ---- members ---- */

static corm_status check_whole(const relating *r, const orm_field *from, corm_value value) {
    if (value.kind > CORM_NULL) return CORM_OK;
    return base__fail(r->err, CORM_INVALID_ARGUMENT,
                      "model '%s', relation '%s': '%s' holds nothing that a key could be",
                      r->link->model->table.data, r->link->relation->name.data, from->name.data);
}

/* A text member that points to a text points to the other struct's. */
static corm_status set_member(relating *r, const orm_field *from, const void *source,
                              const orm_field *to, void *target) {
    corm_value value;
    uint8_t   *member = (uint8_t *)target + to->offset;
    CORM_TRY(orm__member_get(from, source, false, &r->arena, &value, r->err));
    CORM_TRY(check_whole(r, from, value));
    bool text = to->member == CORM_MEMBER_TEXT &&
                (from->member == CORM_MEMBER_TEXT || from->member == CORM_MEMBER_TEXT_INLINE);
    if (text) {
        memcpy(member, &value.as.text.data, sizeof value.as.text.data);
        return CORM_OK;
    }
    if (to->member == CORM_MEMBER_TEXT) {
        return base__fail(r->err, CORM_CONVERSION, "'%s' is a char * and cannot point to '%s'",
                          to->name.data, from->name.data);
    }
    return orm__member_set(to, &value, member, &r->arena, r->err);
}

static corm_status set_key(relating *r, const orm_key *from, const void *source, const orm_key *to,
                           void *target) {
    for (uint32_t i = 0; i < to->count; i++) {
        CORM_TRY(set_member(r, from->fields[i], source, to->fields[i], target));
    }
    return CORM_OK;
}

static void clear_key(const orm_key *key, void *row) {
    for (uint32_t i = 0; i < key->count; i++) {
        const orm_field *field = key->fields[i];
        uint8_t         *member = (uint8_t *)row + field->offset;
        memset(member, 0, field->size);
        if (field->member >= CORM_MEMBER_OPT_BOOL && field->member <= CORM_MEMBER_OPT_TIMESTAMP) {
            orm__member_set_null(field->member, member);
        }
    }
}

static bool is_regular(const orm_key *key) {
    for (uint32_t i = 0; i < key->count; i++) {
        if (key->fields[i]->key != CORM_REGULAR) return false;
    }
    return true;
}

/* ---- the row with the foreign key ---- */

static corm_status write_key(relating *r, const orm_model *model, const orm_key *key, void *row) {
    corm_write_options options = { .error = r->err };
    if (!is_regular(key)) return corm_save_with(r->db, model->spec, row, &options);
    for (uint32_t i = 0; i < key->count; i++) options.only[i] = key->fields[i]->name.data;
    return corm_update_with(r->db, model->spec, row, &options);
}

static corm_status write_null(relating *r, const orm_model *model, const orm_key *key, void *row) {
    corm_write_options options = { .error = r->err };
    if (!is_regular(key)) {
        return bad(r, "its foreign key is part of a key and cannot become null: the row is deleted "
                      "instead");
    }
    for (uint32_t i = 0; i < key->count; i++) {
        options.only[i] = options.null[i] = key->fields[i]->name.data;
    }
    CORM_TRY(corm_update_with(r->db, model->spec, row, &options));
    clear_key(key, row);
    return CORM_OK;
}

/* ---- the table between ---- */

static corm_status with_between(relating *r, bool make) {
    const orm_link    *link = r->link;
    corm_write_options options = { .error = r->err };
    uint8_t           *row = BASE_NEW_ARRAY(&r->arena, uint8_t, link->between->spec->row_size);
    if (!row) return base__fail_memory(r->err);
    CORM_TRY(set_key(r, &link->ours, r->row, &link->theirs, row));
    CORM_TRY(set_key(r, &link->other_key, r->other, &link->between_other, row));
    return make ? corm_save_with(r->db, link->between->spec, row, &options)
                : corm_delete_with(r->db, link->between->spec, row, &options);
}

static corm_status make(relating *r) {
    const orm_link *link = r->link;
    switch (link->relation->spec->kind) {
    case CORM_BELONGS_TO:
        CORM_TRY(set_key(r, &link->theirs, r->other, &link->ours, r->row));
        return write_key(r, link->model, &link->ours, r->row);
    case CORM_MANY_TO_MANY: return with_between(r, true);
    default:
        CORM_TRY(set_key(r, &link->ours, r->row, &link->theirs, r->other));
        return write_key(r, link->other, &link->theirs, r->other);
    }
}

static corm_status end(relating *r) {
    const orm_link *link = r->link;
    switch (link->relation->spec->kind) {
    case CORM_BELONGS_TO: return write_null(r, link->model, &link->ours, r->row);
    case CORM_MANY_TO_MANY: return with_between(r, false);
    default: return write_null(r, link->other, &link->theirs, r->other);
    }
}

static corm_status run(corm_db *db, const corm_model *spec, void *row, const char *name,
                       void *other, corm_status (*act)(relating *), corm_error *err) {
    relating      r = { .db = db, .row = row, .other = other, .err = err };
    orm_model    *model;
    orm_relation *relation;
    CORM_TRY(orm__model(db, spec, &model, err));
    if (!row || !other || !name) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a row, a relation and a row are needed");
    }
    CORM_TRY(orm__relation_named(model, corm_str_of(name), &relation, err));
    CORM_TRY(orm__relation_link(model, relation, &r.link, err));
    corm_path   outside = orm__path_enter(CORM_PATH_RELATION);
    corm_status status = act(&r);
    (void)orm__path_enter(outside);
    base__arena_free(&r.arena);
    return status;
}

corm_status corm_relate(corm_db *db, const corm_model *model, void *row, const char *relation,
                        void *other, corm_error *err) {
    return run(db, model, row, relation, other, make, err);
}

corm_status corm_unrelate(corm_db *db, const corm_model *model, void *row, const char *relation,
                          void *other, corm_error *err) {
    return run(db, model, row, relation, other, end, err);
}
