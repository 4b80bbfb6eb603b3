// SPDX-License-Identifier: MIT
/* cascade.c -- .on_delete: what deleting a row does to the rows that it has.
 *
 *   1. the whole tree is walked: a row that refuses stops everything before anything is done
 *   2. for each relation, page by page: the related rows are deleted through the chain of writes (which does the same for theirs), or
 *      get null for their foreign key
 *   3. the chain goes on: the row itself is deleted last, so that after a crash the same delete, done again, finishes
 *
 * A row that is being deleted further up is passed over: cycles end. Memory: one page a level. Any thread. */
#include "orm/cascade.h"
#include "orm/hook.h"

#include <stdlib.h>

enum { MOST_LEVELS = 64, PAGE_ROWS = 100 };

typedef struct cascade {
    orm_write *write;
    base_arena arena;
} cascade;

typedef corm_status visitor(cascade *c, const orm_above *above, const orm_link *link,
                            orm_model *child, void *row);

static bool does_more(const orm_model *model) {
    for (uint32_t i = 0; i < model->relation_count; i++) {
        if (model->relations[i].spec->on_delete != CORM_DELETE_LEAVES) return true;
    }
    return false;
}

/* Many to many: the rows of the table between are what a row has. */
static orm_model *child_of(const orm_link *link) {
    return link->between ? link->between : link->other;
}

/* ---- rows that are being deleted ---- */

static corm_status key_of(const orm_model *model, const void *row, base_arena *arena, corm_str *out,
                          corm_error *err) {
    base_buf bytes = { 0 };
    orm_key  key = { 0 };
    bool     whole;
    while (key.count < model->key_count && key.count < ORM_MOST_KEY) {
        key.fields[key.count] = model->keys[key.count];
        key.count++;
    }
    corm_status status = orm__key_bytes(&key, row, arena, &bytes, &whole, err);
    if (status == CORM_OK) {
        const char *copy =
            base__arena_copy(arena, bytes.data ? bytes.data : (const void *)"", bytes.len);
        *out = (corm_str){ copy, bytes.len };
        if (!copy) status = base__fail_memory(err);
    }
    base__buf_free(&bytes);
    return status;
}

static bool is_above(const orm_above *above, const orm_model *model, corm_str key) {
    for (; above; above = above->above) {
        if (above->model == model && corm_str_equal(above->key, key)) return true;
    }
    return false;
}

static corm_status enter(cascade *c, const orm_above *above, const orm_model *model,
                         const void *row, orm_above *out) {
    *out = (orm_above){ .above = above, .model = model, .depth = above ? above->depth + 1 : 1 };
    if (out->depth > MOST_LEVELS) {
        return base__fail(c->write->err, CORM_INVALID,
                          "model '%s': rows that delete rows are nested deeper than %d levels",
                          model->table.data, MOST_LEVELS);
    }
    return key_of(model, row, &c->arena, &out->key, c->write->err);
}

/* ---- the rows of a relation ---- */

static corm_status make_options(cascade *c, const orm_link *link, const void *row,
                                corm_find_options *out, bool *whole) {
    const orm_model *copy = link->path.kind == ORM_BY_COPY ? link->path.table : NULL;
    *out = (corm_find_options){ .one_page = true, .unscoped = true, .error = c->write->err };
    out->with_deleted = c->write->options->force;
    out->request = c->write->options->request;
    out->request.paging_state = (corm_bytes){ NULL, 0 };
    out->request.has_timestamp = false;
    out->request.page_size = PAGE_ROWS;
    *whole = true;
    for (uint32_t i = 0; i < link->ours.count; i++) {
        corm_term *term = &out->where[i];
        *term = (corm_term){ .column = link->theirs.fields[i]->name.data, .op = CORM_EQ };
        CORM_TRY(orm__member_get(link->ours.fields[i], row, false, &c->arena, &term->value,
                                 c->write->err));
        if (term->value.kind <= CORM_NULL) *whole = false;
    }
    bool some = copy && copy->count < child_of(link)->count;
    for (uint32_t i = 0; some && i < copy->count && i < CORM_MAX_NAMES; i++) {
        out->select[i] = copy->fields[i].name.data;
    }
    return CORM_OK;
}

static corm_status visit_page(cascade *c, const orm_above *above, const orm_link *link,
                              corm_rows *rows, visitor *visit) {
    orm_model *child = child_of(link);
    for (uint32_t i = 0; i < corm_rows_count(rows); i++) {
        void    *row = corm_rows_at(rows, i);
        corm_str key;
        CORM_TRY(key_of(child, row, &c->arena, &key, c->write->err));
        if (!is_above(above, child, key)) CORM_TRY(visit(c, above, link, child, row));
    }
    return CORM_OK;
}

static corm_status visit_related(cascade *c, const orm_above *above, const orm_link *link,
                                 const void *row, visitor *visit) {
    corm_find_options options;
    corm_rows        *rows;
    bool              whole;
    CORM_TRY(make_options(c, link, row, &options, &whole));
    if (!whole) return CORM_OK;
    CORM_TRY(corm_find_with(c->write->db, child_of(link)->spec, &rows, &options));
    corm_status status = visit_page(c, above, link, rows, visit);
    while (status == CORM_OK && corm_rows_has_more(rows)) {
        status = corm_rows_next_page(rows, c->write->err);
        if (status == CORM_OK) status = visit_page(c, above, link, rows, visit);
    }
    corm_rows_free(rows);
    return status;
}

/* ---- 1: who refuses ---- */

static corm_status refuse(cascade *c, const orm_above *above, const orm_link *link,
                          orm_model *child, void *row) {
    (void)above, (void)row;
    return base__fail(c->write->err, CORM_INVALID,
                      "model '%s', relation '%s': the row is not deleted while there are rows of "
                      "'%s' that belong to it",
                      link->model->table.data, link->relation->name.data, child->table.data);
}

static corm_status check_tree(cascade *c, const orm_above *above, orm_model *model,
                              const void *row);

static corm_status check_child(cascade *c, const orm_above *above, const orm_link *link,
                               orm_model *child, void *row) {
    (void)link;
    return check_tree(c, above, child, row);
}

static corm_status check_tree(cascade *c, const orm_above *above, orm_model *model,
                              const void *row) {
    orm_above here;
    CORM_TRY(enter(c, above, model, row, &here));
    for (uint32_t i = 0; i < model->relation_count; i++) {
        const orm_link *link;
        corm_on_delete  what = model->relations[i].spec->on_delete;
        if (what != CORM_DELETE_REFUSES && what != CORM_DELETE_CASCADES) continue;
        CORM_TRY(orm__relation_link(model, &model->relations[i], &link, c->write->err));
        if (what == CORM_DELETE_CASCADES && !does_more(child_of(link))) continue;
        CORM_TRY(
            visit_related(c, &here, link, row, what == CORM_DELETE_REFUSES ? refuse : check_child));
    }
    return CORM_OK;
}

/* ---- 2: the rows that are had ---- */

static corm_write_options options_of(const cascade *c) {
    corm_write_options out = { .force = c->write->options->force, .error = c->write->err };
    out.request = c->write->options->request;
    return out;
}

static corm_status delete_child(cascade *c, const orm_above *above, const orm_link *link,
                                orm_model *child, void *row) {
    corm_write_options options = options_of(c);
    (void)link;
    return orm__delete_below(c->write->db, child->spec, row, &options, above);
}

static corm_status null_child(cascade *c, const orm_above *above, const orm_link *link,
                              orm_model *child, void *row) {
    corm_write_options options = options_of(c);
    (void)above;
    options.force = false;
    options.skip_validation = true; /* of .required: the program said that it becomes null */
    for (uint32_t i = 0; i < link->theirs.count; i++) {
        options.only[i] = options.null[i] = link->theirs.fields[i]->name.data;
    }
    return corm_update_with(c->write->db, child->spec, row, &options);
}

static corm_status handle(cascade *c, const orm_above *above, const void *row) {
    orm_model *model = c->write->model;
    orm_above  here;
    CORM_TRY(enter(c, above, model, row, &here));
    for (uint32_t i = 0; i < model->relation_count; i++) {
        const orm_link *link;
        corm_on_delete  what = model->relations[i].spec->on_delete;
        if (what != CORM_DELETE_NULLS && what != CORM_DELETE_CASCADES) continue;
        CORM_TRY(orm__relation_link(model, &model->relations[i], &link, c->write->err));
        CORM_TRY(visit_related(c, &here, link, row,
                               what == CORM_DELETE_NULLS ? null_child : delete_child));
    }
    return CORM_OK;
}

/* ---- the step ---- */

static bool takes_others(const orm_model *model) {
    for (uint32_t i = 0; i < model->relation_count; i++) {
        corm_on_delete what = model->relations[i].spec->on_delete;
        if (what == CORM_DELETE_NULLS || what == CORM_DELETE_CASCADES) return true;
    }
    return false;
}

static corm_status check_conditions(const orm_write *write) {
    const corm_write_options *options = write->options;
    if (!takes_others(write->model) || (!options->if_exists && !options->condition[0].column)) {
        return CORM_OK;
    }
    return orm__write_bad(write, NULL,
                          "a delete that takes related rows with it has no conditions of its own: "
                          "they would be decided when those are gone");
}

/* The keys of relations may be more than the primary key that a delete must have: then the row is read. */
static bool needs_row(const orm_model *model) {
    for (uint32_t i = 0; i < model->relation_count; i++) {
        const corm_relation *spec = model->relations[i].spec;
        if (spec->on_delete != CORM_DELETE_LEAVES && spec->references) return true;
    }
    return false;
}

static corm_status read_row(cascade *c, corm_rows **rows, const void **row) {
    const orm_model *model = c->write->model;
    corm_value      *key = BASE_NEW_ARRAY(&c->arena, corm_value, model->key_count);
    *row = c->write->row;
    *rows = NULL;
    if (!needs_row(model)) return CORM_OK;
    if (!key) return base__fail_memory(c->write->err);
    for (uint32_t i = 0; i < model->key_count; i++) {
        CORM_TRY(orm__member_get(model->keys[i], c->write->row, true, &c->arena, &key[i],
                                 c->write->err));
    }
    CORM_TRY(corm_find_key(c->write->db, model->spec, rows, key, model->key_count, c->write->err));
    if (corm_rows_count(*rows) > 0) *row = corm_rows_first(*rows);
    return CORM_OK;
}

static corm_status run(cascade *c, const void *row, bool only_check) {
    const orm_above *above = c->write->above;
    if (!above) CORM_TRY(check_tree(c, NULL, c->write->model, row));
    return only_check ? CORM_OK : handle(c, above, row);
}

static corm_status start(orm_write *write, bool only_check) {
    cascade     c = { .write = write };
    corm_rows  *rows;
    const void *row;
    corm_path   outside = orm__path_enter(CORM_PATH_CASCADE);
    corm_status status = read_row(&c, &rows, &row);
    if (status == CORM_OK) status = run(&c, row, only_check);
    (void)orm__path_enter(outside);
    corm_rows_free(rows);
    base__arena_free(&c.arena);
    return status;
}

corm_status orm__cascade(orm_write *write) {
    if (!does_more(write->model)) return CORM_OK;
    CORM_TRY(check_conditions(write));
    return start(write, false);
}

corm_status orm__cascade_batch(orm_write *write) {
    if (!does_more(write->model)) return CORM_OK;
    if (!takes_others(write->model)) return start(write, true);
    return base__fail(write->err, CORM_UNSUPPORTED,
                      "model '%s': a delete that takes related rows with it cannot be part of a "
                      "batch",
                      write->model->table.data);
}
