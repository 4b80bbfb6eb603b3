// SPDX-License-Identifier: MIT
/* delete_where.c -- deleting rows by conditions on the key. Any thread. */
#include <stdlib.h>

#include "orm/query.h"

static corm_status bad(const orm_query *query, const char *what) {
    return base__fail(query->err, CORM_INVALID_ARGUMENT, "model '%s': %s", query->model->table.data,
                      what);
}

static corm_status check(const orm_query *query) {
    const corm_find_options *options = query->options;
    if (query->term_count == 0) return bad(query, "a delete needs conditions");
    if (query->local_count > 0) {
        return bad(query, "a delete has no conditions that are not CQL (!=, is null, is not null)");
    }
    if (options->select[0] || query->order_count > 0 || options->limit > 0 ||
        options->per_partition_limit > 0 || options->offset > 0 || options->allow_filtering ||
        options->one_page) {
        return bad(query, "a delete has conditions only");
    }
    return CORM_OK;
}

/* Unique values are given back by the row, so that the row must be known. */
static corm_status fill_key(const orm_query *query, uint8_t *row, base_arena *arena,
                            uint32_t *given) {
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term *term = &query->terms[i];
        cql_value       wire;
        corm_value      value;
        if (!term->field || !orm__is_key(term->field) || term->given->op != CORM_EQ) continue;
        CORM_TRY(orm__encode(term->field, &term->given->value, arena, &wire, query->err));
        CORM_TRY(cql__decode(term->field->type, wire, arena, &value, query->err));
        CORM_TRY(
            orm__member_set(term->field, &value, row + term->field->offset, arena, query->err));
        ++*given;
    }
    return CORM_OK;
}

static corm_status delete_one(corm_db *db, const orm_query *query) {
    base_arena  arena = { 0 };
    uint32_t    given = 0;
    uint8_t    *row = calloc(1, query->model->spec->row_size);
    corm_status status = row ? fill_key(query, row, &arena, &given) : base__fail_memory(query->err);
    if (status == CORM_OK && (given != query->model->key_count || given != query->term_count)) {
        status =
            bad(query, "it has unique columns: only one row at a time, by its full key, can be "
                       "deleted");
    }
    corm_write_options options = { .request = query->options->request, .error = query->err };
    if (status == CORM_OK) status = corm_delete_with(db, query->model->spec, row, &options);
    free(row);
    base__arena_free(&arena);
    return status;
}

static corm_status delete_many(orm_query *query) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    CORM_TRY(orm__query_shape(query, &shape));
    corm_status status = orm__statement(shape, &statement, query->err);
    if (status == CORM_OK) status = orm__query_bind(query, statement);
    if (status == CORM_OK) status = corm_run(statement, NULL, query->err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

corm_status corm_delete_where_with(corm_db *db, const corm_model *spec,
                                   const corm_find_options *where) {
    static const corm_find_options nothing;
    if (!where) where = &nothing;
    orm_model *model;
    orm_query  query;
    CORM_TRY(orm__model(db, spec, &model, where->error));
    CORM_TRY(orm__query_init(&query, ORM_DELETE_WHERE, model, where));
    CORM_TRY(check(&query));
    return model->unique_count > 0 ? delete_one(db, &query) : delete_many(&query);
}
