// SPDX-License-Identifier: MIT
/* find.c -- reading rows: by conditions, by key, by a unique value, by any SELECT; counting;
 * whether there are any.
 *
 * Any thread. */
#include "orm/hook.h"
#include "orm/query_table.h"
#include "orm/relation.h"

static const corm_find_options no_options;

/* Reads pages until the end, or until the rows have what they want. */
static corm_status read_pages(orm_shape *shape, corm_statement *statement, bool one_page,
                              corm_rows *rows, corm_error *err) {
    base_buf    token = { 0 };
    corm_status status;
    if (!shape->cached) shape = NULL; /* its plans would go with it */
    for (;;) {
        corm_result *result;
        status = corm_run(statement, &result, err);
        if (status == CORM_OK) status = orm__rows_add(rows, shape, result, err);
        if (status != CORM_OK || one_page || !corm_rows_has_more(rows)) break;
        corm_bytes state = corm_result_paging_state(result);
        base__buf_clear(&token);
        base__buf_put(&token, state.data, state.len);
        status = base__buf_status(&token, err);
        if (status != CORM_OK) break;
        corm_statement_options(statement)->paging_state = base__buf_bytes(&token);
    }
    base__buf_free(&token);
    return status;
}

corm_status orm__query_ask(orm_query *query, corm_rows *rows) {
    orm_shape      *shape = NULL;
    corm_statement *statement = NULL;
    CORM_TRY(orm__query_shape(query, &shape));
    corm_status status = orm__statement(shape, &statement, query->err);
    if (status == CORM_OK) status = orm__query_bind(query, statement);
    if (status == CORM_OK) {
        status = read_pages(shape, statement, query->options->one_page, rows, query->err);
    }
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

static corm_status run_query(orm_query *query, corm_rows *rows) {
    CORM_TRY(orm__query_hand_over(query, rows));
    CORM_TRY(orm__query_ask(query, rows));
    return orm__rows_finish(rows, query->err);
}

/* ---- by a unique value ---- */

/* Every condition that was asked is Corm's now, and its column is read. */
static void make_local(orm_query *query) {
    query->local_count = query->term_count;
    for (uint32_t i = 0; i < query->term_count; i++) {
        query->terms[i].local = true;
        orm__query_select(query, query->terms[i].field);
    }
}

/* What the store is asked instead: the row with this key. */
static corm_status ask_for_key(orm_query *query, corm_find_options *options, const cql_value *key,
                               base_arena *arena) {
    const orm_model *model = query->model;
    query->local_count = query->term_count = 0;
    if (model->key_count > CORM_MAX_TERMS) {
        return base__fail(query->err, CORM_UNSUPPORTED, "the key has more than %d columns",
                          CORM_MAX_TERMS);
    }
    for (uint32_t i = 0; i < model->key_count; i++) {
        corm_term *term = &options->where[i];
        *term = (corm_term){ .column = model->keys[i]->name.data, .op = CORM_EQ };
        CORM_TRY(cql__decode(model->keys[i]->type, key[i], arena, &term->value, query->err));
        query->terms[query->term_count++] = (orm_term){ .field = model->keys[i], .given = term };
    }
    return CORM_OK;
}

/* Reads the row with this key, when it holds all that was asked. */
static corm_status read_owner(orm_query *query, const cql_value *key, corm_rows *rows) {
    corm_find_options by_key = *query->options;
    by_key.allow_filtering = false;
    by_key.per_partition_limit = 0;
    by_key.request.paging_state = (corm_bytes){ NULL, 0 };
    memset(by_key.order_by, 0, sizeof by_key.order_by);
    orm_query row = *query;
    row.options = &by_key;
    row.order_count = 0;
    row.sorts_here = row.limited = false;
    make_local(&row);
    CORM_TRY(orm__query_hand_over(&row, rows));
    memset(by_key.where, 0, sizeof by_key.where);
    CORM_TRY(ask_for_key(&row, &by_key, key, &rows->kept));
    return orm__query_ask(&row, rows);
}

/* *done false: nobody reserved the value, and the store may still be asked. */
static corm_status find_unique(orm_query *query, const orm_term *term, corm_rows *rows,
                               bool *done) {
    cql_value  value;
    cql_value *key = NULL;
    bool       found = false;
    CORM_TRY(orm__encode(term->field, &term->given->value, &rows->kept, &value, query->err));
    CORM_TRY(
        orm__unique_owner(query->model, term->field, value, &rows->kept, &key, &found, query->err));
    bool store = query->options->allow_filtering || term->field->spec->indexed;
    *done = found || !store;
    return found ? read_owner(query, key, rows) : CORM_OK;
}

static corm_status find(orm_query *query, corm_rows *rows) {
    const orm_term *unique = orm__query_unique(query);
    bool            done = false;
    if (unique) CORM_TRY(find_unique(query, unique, rows, &done));
    return done ? CORM_OK : run_query(query, rows);
}

/* Columns that the relations to be read with the rows need; they are read too when not all are. */
static void read_too(void *context, const orm_field *field) {
    orm_query       *query = context;
    const orm_field *here = orm__field(query->model, field->name);
    if (here && query->select_count > 0 && query->select_count < ORM_MOST_SELECTED) {
        orm__query_select(query, here);
    }
}

corm_status orm__find(orm_model *model, corm_rows **out, const corm_find_options *options) {
    orm_query         query;
    corm_rows        *rows;
    corm_find_options scoped;
    *out = NULL;
    CORM_TRY(orm__scope(model, &options, &scoped));
    orm_model *asked = orm__query_table_pick(model, options);
    CORM_TRY(orm__query_init(&query, ORM_FIND, asked, options));
    CORM_TRY(orm__find_include_keys(model, options, read_too, &query));
    orm__query_tell(&query);
    CORM_TRY(orm__rows_new(model, &rows, options->error));
    corm_status status =
        options->after ? orm__find_after(asked, options, rows) : find(&query, rows);
    if (status == CORM_OK) status = orm__find_populate(rows, options);
    if (status != CORM_OK) {
        corm_rows_free(rows);
        return status;
    }
    *out = rows;
    return CORM_OK;
}

corm_status corm_find_with(corm_db *db, const corm_model *model, corm_rows **out,
                           const corm_find_options *options) {
    if (!options) options = &no_options;
    orm_model *compiled;
    *out = NULL;
    CORM_TRY(orm__model(db, model, &compiled, options->error));
    return orm__hooked(compiled) ? orm__find_hooked(compiled, out, options)
                                 : orm__find(compiled, out, options);
}

corm_status corm_find_one_with(corm_db *db, const corm_model *model, corm_rows **out,
                               const corm_find_options *options) {
    corm_find_options one = options ? *options : no_options;
    one.limit = 1;
    return corm_find_with(db, model, out, &one);
}

/* ---- by key ---- */

static corm_status check_key(const orm_model *model, uint32_t count, corm_error *err) {
    if (count >= model->partition_count && count <= model->key_count) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "model '%s': a key has %u to %u values, and %u are given", model->table.data,
                      model->partition_count, model->key_count, count);
}

typedef struct key_query {
    const orm_model *model;
    const char      *select; /* NULL: all columns */
    uint32_t         count;
} key_query;

static void put_key_text(const void *context, base_buf *out) {
    const key_query *query = context;
    const orm_model *model = query->model;
    base__buf_puts(out, "SELECT ");
    if (query->select) base__buf_puts(out, query->select);
    for (uint32_t i = 0; i < model->count && !query->select; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, model->fields[i].quoted);
    }
    base__buf_puts(out, " FROM ");
    base__buf_put_str(out, model->path);
    for (uint32_t i = 0; i < query->count; i++) {
        base__buf_puts(out, i == 0 ? " WHERE " : " AND ");
        base__buf_put_str(out, model->keys[i]->quoted);
        base__buf_puts(out, " = ?");
    }
}

enum { KEY_SHAPE = 100 }; /* the first byte of shapes that are made here */

corm_status corm_find_key(corm_db *db, const corm_model *spec, corm_rows **out,
                          const corm_value *key, uint32_t count, corm_error *err) {
    orm_model *model;
    *out = NULL;
    CORM_TRY(orm__model(db, spec, &model, err));
    CORM_TRY(check_key(model, count, err));
    if (orm__hooked(model)) return orm__find_key_hooked(model, out, key, count, err);
    uint8_t         shape_key[2] = { KEY_SHAPE, (uint8_t)count };
    key_query       query = { model, NULL, count };
    orm_shape      *shape;
    corm_statement *statement = NULL;
    corm_rows      *rows = NULL;
    CORM_TRY(orm__shape(model, (corm_bytes){ shape_key, 2 }, put_key_text, &query, &shape, err));
    corm_status status = orm__statement(shape, &statement, err);
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_statement_bind(statement, i, key[i], err);
    }
    if (status == CORM_OK) status = orm__rows_new(model, &rows, err);
    if (status == CORM_OK) status = orm__hide_deleted(model, rows, err);
    if (status == CORM_OK) status = read_pages(shape, statement, false, rows, err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    if (status != CORM_OK) {
        corm_rows_free(rows);
        return status;
    }
    *out = rows;
    return CORM_OK;
}

corm_status orm__read_by_key(orm_model *model, const char *select, uint8_t kind,
                             const cql_value *key, corm_result **out, corm_error *err) {
    uint8_t         shape_key[2] = { KEY_SHAPE + 1, kind };
    key_query       query = { model, select, model->key_count };
    orm_shape      *shape;
    corm_statement *statement = NULL;
    CORM_TRY(orm__shape(model, (corm_bytes){ shape_key, 2 }, put_key_text, &query, &shape, err));
    corm_status status = orm__statement(shape, &statement, err);
    for (uint32_t i = 0; i < model->key_count && status == CORM_OK; i++) {
        status = corm_statement_bind_bytes(statement, i, orm__bytes_of(key[i]), err);
    }
    if (status == CORM_OK) corm_statement_options(statement)->consistency = CORM_QUORUM;
    if (status == CORM_OK) status = corm_run(statement, out, err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

/* ---- counting ---- */

static corm_status count_here(orm_model *model, uint64_t *out, const corm_find_options *options) {
    corm_find_options all = *options;
    corm_rows        *rows;
    all.one_page = !options->after; /* a page at a time in memory */
    if (!options->after) memset(all.order_by, 0, sizeof all.order_by);
    memset(all.select, 0, sizeof all.select);
    all.select[0] = model->keys[0]->name.data;
    CORM_TRY(orm__find(model, &rows, &all));
    corm_status status = CORM_OK;
    *out = rows->count;
    while (status == CORM_OK && corm_rows_has_more(rows)) {
        status = orm__rows_next_page(rows, options->error);
        if (status == CORM_OK) *out += rows->count;
    }
    corm_rows_free(rows);
    return status;
}

static corm_status count_there(orm_query *query, uint64_t *out) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    corm_result    *result = NULL;
    CORM_TRY(orm__query_shape(query, &shape));
    corm_status status = orm__statement(shape, &statement, query->err);
    if (status == CORM_OK) status = orm__query_bind(query, statement);
    if (status == CORM_OK) status = corm_run(statement, &result, query->err);
    if (status == CORM_OK) {
        const corm_row *row;
        status = corm_result_step(result, &row, query->err);
        *out = row ? (uint64_t)corm_row_bigint(row, 0) : 0;
    }
    corm_result_free(result);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

static corm_status count(orm_model *model, uint64_t *out, const corm_find_options *options) {
    orm_query         query;
    corm_find_options scoped;
    *out = 0;
    CORM_TRY(orm__scope(model, &options, &scoped));
    corm_find_options all = *options;
    memset(all.order_by, 0, sizeof all.order_by);
    memset(all.select, 0, sizeof all.select);
    all.limit = all.offset = 0;
    CORM_TRY(orm__query_init(&query, ORM_COUNT, orm__query_table_pick(model, &all), &all));
    if (query.local_count > 0 || options->per_partition_limit > 0 || options->after ||
        orm__query_unique(&query)) {
        return count_here(model, out, options);
    }
    orm__query_tell(&query);
    CORM_TRY(count_there(&query, out));
    *out = *out > options->offset ? *out - options->offset : 0;
    if (options->limit > 0 && *out > options->limit) *out = options->limit;
    return CORM_OK;
}

corm_status corm_count_with(corm_db *db, const corm_model *model, uint64_t *out,
                            const corm_find_options *options) {
    if (!options) options = &no_options;
    orm_model *compiled;
    *out = 0;
    CORM_TRY(orm__model(db, model, &compiled, options->error));
    return orm__hooked(compiled) ? orm__count_hooked(compiled, out, options, count)
                                 : count(compiled, out, options);
}

/* Counts to one. */
static corm_status look_for(orm_model *model, uint64_t *out, const corm_find_options *options) {
    corm_find_options one = *options;
    corm_rows        *rows;
    *out = 0;
    one.limit = 1;
    memset(one.order_by, 0, sizeof one.order_by);
    memset(one.select, 0, sizeof one.select);
    one.select[0] = model->keys[0]->name.data;
    CORM_TRY(orm__find(model, &rows, &one));
    *out = rows->count;
    corm_rows_free(rows);
    return CORM_OK;
}

corm_status corm_exists_with(corm_db *db, const corm_model *model, bool *out,
                             const corm_find_options *options) {
    if (!options) options = &no_options;
    orm_model *compiled;
    uint64_t   rows = 0;
    *out = false;
    CORM_TRY(orm__model(db, model, &compiled, options->error));
    CORM_TRY(orm__hooked(compiled) ? orm__count_hooked(compiled, &rows, options, look_for)
                                   : look_for(compiled, &rows, options));
    *out = rows > 0;
    return CORM_OK;
}

/* ---- any SELECT ---- */

static corm_status query(orm_model *model, const char *cql, corm_rows **out,
                         const corm_execute_options *options) {
    corm_session *session = model->db->session;
    corm_error   *err = options ? options->error : NULL;
    corm_rows    *rows;
    corm_result  *result;
    CORM_TRY(corm_execute_with(session, cql, options, &result));
    corm_status status = orm__rows_new(model, &rows, err);
    if (status != CORM_OK) {
        corm_result_free(result);
        return status;
    }
    status = orm__rows_add(rows, NULL, result, err);
    while (status == CORM_OK && corm_rows_has_more(rows)) {
        corm_execute_options next = options ? *options : (corm_execute_options){ 0 };
        next.request.paging_state = corm_rows_paging_state(rows);
        status = corm_execute_with(session, cql, &next, &result);
        if (status == CORM_OK) status = orm__rows_add(rows, NULL, result, err);
    }
    if (status != CORM_OK) {
        corm_rows_free(rows);
        return status;
    }
    *out = rows;
    return CORM_OK;
}

corm_status corm_query_with(corm_db *db, const corm_model *model, const char *cql, corm_rows **out,
                            const corm_execute_options *options) {
    orm_model *compiled;
    *out = NULL;
    CORM_TRY(orm__model(db, model, &compiled, options ? options->error : NULL));
    return orm__hooked(compiled) ? orm__query_hooked(compiled, cql, out, options, query)
                                 : query(compiled, cql, out, options);
}
