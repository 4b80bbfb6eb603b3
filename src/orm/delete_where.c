// SPDX-License-Identifier: MIT
/* delete_where.c -- deleting rows by conditions on the key: with one statement; or, where a row's deletion is more than that,
 * row by row through the chain of writes (delete_each.c). Any thread. */
#include "orm/hook.h"
#include "orm/query.h"

static corm_status bad(const orm_query *query, const char *what) {
    return base__fail(query->err, CORM_INVALID_ARGUMENT, "model '%s': %s", query->model->table.data,
                      what);
}

static corm_status check(const orm_query *query) {
    const corm_find_options *options = query->options;
    bool by_rows = query->scoped; /* conditions of scopes are held on rows read */
    bool empties =
        options->only_deleted && options->force; /* what is deleted already, of all rows */
    if (query->term_count == 0 && !empties) return bad(query, "a delete needs conditions");
    if (query->local_count > 0 && !by_rows) {
        return bad(query, "a delete has no conditions that are not CQL (!=, is null, is not null)");
    }
    if (options->select[0] || query->order_count > 0 || options->limit > 0 ||
        options->per_partition_limit > 0 || options->offset > 0 ||
        (options->allow_filtering && !by_rows) || options->one_page || options->after) {
        return bad(query, "a delete has conditions only");
    }
    return CORM_OK;
}

corm_status orm__delete_many(orm_query *query) {
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

static corm_status delete_where(orm_model *model, const corm_find_options *where) {
    orm_query         query;
    corm_find_options scoped;
    CORM_TRY(orm__scope(model, &where, &scoped));
    CORM_TRY(orm__query_init(&query, ORM_DELETE_WHERE, model, where));
    query.scoped = where == &scoped && orm__asks_more_than_key(&query);
    CORM_TRY(check(&query));
    return orm__deletes_each(model) || query.scoped ? orm__delete_each(model->db, &query)
                                                    : orm__delete_many(&query);
}

corm_status corm_delete_where_with(corm_db *db, const corm_model *spec,
                                   const corm_find_options *where) {
    static const corm_find_options nothing;
    if (!where) where = &nothing;
    orm_model *model;
    CORM_TRY(orm__model(db, spec, &model, where->error));
    return orm__hooked(model) ? orm__delete_where_hooked(model, where, delete_where)
                              : delete_where(model, where);
}
