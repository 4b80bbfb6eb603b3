// SPDX-License-Identifier: MIT
/* delete_each.c -- delete_where of a model whose rows cannot be deleted behind its back: each row goes through the chain of
 * writes. A condition that names one row by its whole key needs no reading where only unique values depend on it, which are
 * looked up by the key.
 *
 * Owns the page under way. Any thread. */
#include <stdlib.h>

#include "orm/hook.h"
#include "orm/query.h"

static bool deletes_more(const corm_model *spec) {
    for (uint32_t i = 0; i < CORM_MODEL_MAX_RELATIONS && spec->relations[i].name; i++) {
        if (spec->relations[i].on_delete != CORM_DELETE_LEAVES) return true;
    }
    return spec->query_tables != NULL;
}

static bool is_soft(const orm_model *model) {
    for (uint32_t i = 0; i < model->count; i++) {
        if (model->fields[i].spec->role == CORM_DELETED_AT) return true;
    }
    return false;
}

/* Somebody wants to see the whole row. */
static bool wants_rows(const orm_model *model) {
    return deletes_more(model->spec) || is_soft(model) || model->version ||
           orm__hooks_on(model, CORM_ON_DELETE);
}

bool orm__deletes_each(const orm_model *model) {
    return model->unique_count > 0 || wants_rows(model);
}

static corm_status delete_row(corm_db *db, const orm_query *query, const void *row) {
    corm_write_options options = { .request = query->options->request,
                                   .force = query->options->force,
                                   .error = query->err };
    options.request.paging_state = (corm_bytes){ NULL, 0 };
    return corm_delete_with(db, query->model->spec, row, &options);
}

/* ---- one row by its key ---- */

static bool is_whole_key(const orm_query *query) {
    if (query->term_count != query->model->key_count) return false;
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term *term = &query->terms[i];
        if (!term->field || !orm__is_key(term->field) || term->given->op != CORM_EQ) return false;
        for (uint32_t j = 0; j < i; j++) {
            if (query->terms[j].field == term->field) return false;
        }
    }
    return true;
}

static corm_status fill_key(const orm_query *query, uint8_t *row, base_arena *arena) {
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_field *field = query->terms[i].field;
        cql_value        wire;
        corm_value       value;
        CORM_TRY(orm__encode(field, &query->terms[i].given->value, arena, &wire, query->err));
        CORM_TRY(cql__decode(field->type, wire, arena, &value, query->err));
        CORM_TRY(orm__member_set(field, &value, row + field->offset, arena, query->err));
    }
    return CORM_OK;
}

static corm_status delete_one(corm_db *db, const orm_query *query) {
    base_arena  arena = { 0 };
    uint8_t    *row = calloc(1, query->model->spec->row_size);
    corm_status status = row ? fill_key(query, row, &arena) : base__fail_memory(query->err);
    if (status == CORM_OK) status = delete_row(db, query, row);
    free(row);
    base__arena_free(&arena);
    return status;
}

/* ---- page by page ---- */

/* A partition of which only static columns are stored is a row without clustering columns. */
static bool is_row(const corm_rows *rows, uint32_t index) {
    const orm_model *model = rows->model;
    for (uint32_t i = model->partition_count; i < model->key_count; i++) {
        if (corm_rows_is_null(rows, index, model->keys[i]->name.data)) return false;
    }
    return true;
}

static corm_status delete_page(corm_db *db, const orm_query *query, const corm_rows *rows) {
    for (uint32_t i = 0; i < corm_rows_count(rows); i++) {
        if (is_row(rows, i)) CORM_TRY(delete_row(db, query, corm_rows_at(rows, i)));
    }
    return CORM_OK;
}

static corm_status delete_pages(corm_db *db, const orm_query *query) {
    corm_find_options options = *query->options;
    corm_rows        *rows;
    options.one_page = true;
    if (options.force && is_soft(query->model)) options.with_deleted = !options.only_deleted;
    CORM_TRY(orm__find(query->model, &rows, &options));
    corm_status status = delete_page(db, query, rows);
    while (status == CORM_OK && corm_rows_has_more(rows)) {
        status = orm__rows_next_page(rows, query->err);
        if (status == CORM_OK) status = delete_page(db, query, rows);
    }
    corm_rows_free(rows);
    return status;
}

/* What is left of whole partitions when all rows are gone: their static columns. */
static bool leaves_static(const orm_query *query) {
    const orm_model *model = query->model;
    bool             any = false;
    for (uint32_t i = 0; i < model->count; i++) any |= model->fields[i].key == CORM_STATIC;
    for (uint32_t i = 0; i < query->term_count; i++) {
        if (query->terms[i].field && query->terms[i].field->key != CORM_PARTITION) return false;
    }
    return any && !is_soft(model);
}

/* As the store would refuse them. */
static corm_status check_terms(const orm_query *query) {
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_field *field = query->terms[i].field;
        if (!field || orm__is_key(field)) continue;
        return base__fail(
            query->err, CORM_INVALID_ARGUMENT,
            "model '%s': a delete has conditions on its key only, and '%s' is no part "
            "of it",
            query->model->table.data, field->name.data);
    }
    return CORM_OK;
}

corm_status orm__delete_each(corm_db *db, orm_query *query) {
    if (!query->scoped) CORM_TRY(check_terms(query));
    if (is_whole_key(query) && !wants_rows(query->model)) return delete_one(db, query);
    corm_path   path = orm__path_enter(CORM_PATH_DELETE_WHERE);
    corm_status status = delete_pages(db, query);
    orm__path_enter(path);
    CORM_TRY(status);
    return leaves_static(query) ? orm__delete_many(query) : CORM_OK;
}
