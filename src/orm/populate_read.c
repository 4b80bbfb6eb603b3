// SPDX-License-Identifier: MIT
/* populate_read.c -- all rows that some keys lead to, in few or in many requests at once.
 *
 *   embedded, a key of one column:   WHERE k IN ?        some thousand keys a statement
 *   else:                            WHERE k = ? [AND …] one request a key, up to 64 under way: on a cluster each goes to a
 *                                                        replica of its key
 *   a unique column:                 the reservations first, then their owners by key
 *
 * What of the conditions, order and limit the store cannot hold for all keys alike is Corm's. One thread. */
#include <stdlib.h>

#include "orm/hook.h"
#include "orm/parallel.h"
#include "orm/populate.h"

enum { MOST_KEYS_IN = 4096 };

typedef struct reading {
    orm_fetch        *fetch;
    const orm_keys   *keys;
    corm_find_options options, scoped;
    orm_query         query;
    bool              in; /* several keys a request */
    orm_shape        *shape;
    corm_statement   *statement;
    corm_rows        *rows;
    base_buf          list; /* the bytes of an IN list */
    base_arena        arena;
    orm_parallel      parallel;
} reading;

static bool on_cluster(const orm_fetch *fetch) {
    return session__is_cluster(fetch->model->db->session);
}

/* ---- what is asked ---- */

/* A term for each column of the path; their values are bound as bytes, but must look right until then. */
static corm_status put_key_terms(reading *r) {
    const orm_path *path = r->fetch->path;
    for (uint32_t i = 0; i < path->key.count; i++) {
        const orm_field *field = path->key.fields[i];
        corm_term       *term = &r->options.where[i];
        corm_value      *value = BASE_NEW(&r->arena, corm_value);
        if (!value) return base__fail_memory(r->fetch->err);
        cql_value wire = orm__key_value(r->keys->keys[0], path->order[i]);
        CORM_TRY(cql__decode(field->type, wire, &r->arena, value, r->fetch->err));
        *term = (corm_term){ field->name.data, r->in ? CORM_IN : CORM_EQ, *value, { 0 } };
        if (r->in) term->value = corm_of_items(CORM_LIST, value, 1);
    }
    return CORM_OK;
}

static corm_status put_include(reading *r) {
    const corm_include *include = r->fetch->include;
    uint32_t            at = r->fetch->path->key.count;
    if (!include) return CORM_OK;
    for (uint32_t i = 0; i < CORM_MAX_TERMS && include->where[i].column; i++) {
        if (at == CORM_MAX_TERMS) {
            return base__fail(r->fetch->err, CORM_INVALID_ARGUMENT,
                              "key and conditions have more than %d columns", CORM_MAX_TERMS);
        }
        r->options.where[at++] = include->where[i];
    }
    memcpy(r->options.select, include->select, sizeof include->select);
    memcpy(r->options.order_by, include->order_by, sizeof include->order_by);
    memcpy(r->options.scope, include->scope, sizeof include->scope);
    r->options.unscoped = include->unscoped;
    r->options.with_deleted = include->with_deleted;
    r->options.only_deleted = include->only_deleted;
    return CORM_OK;
}

/* ---- what the store can hold ---- */

static bool is_range(corm_op op) {
    return op == CORM_GT || op == CORM_GTE || op == CORM_LT || op == CORM_LTE || op == CORM_BETWEEN;
}

/* Conditions on the clustering columns behind the key: equalities, then ranges of one column. */
static bool store_holds(const reading *r, const orm_term *asked) {
    const orm_path *path = r->fetch->path;
    if (path->kind != ORM_BY_KEY && path->kind != ORM_BY_COPY) return false;
    for (uint32_t k = path->key.count; k < path->table->key_count; k++) {
        const orm_field *column = path->table->keys[k];
        if (asked->field == column)
            return asked->given->op == CORM_EQ || is_range(asked->given->op);
        bool equal = false;
        for (uint32_t i = path->key.count; i < r->query.term_count; i++) {
            const orm_term *term = &r->query.terms[i];
            equal = equal || (term->field == column && term->given->op == CORM_EQ);
        }
        if (!equal) return false;
    }
    return false;
}

static bool several_on(const orm_query *query, const orm_field *field) {
    bool     equal = false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < query->term_count; i++) {
        if (query->terms[i].field != field) continue;
        count++;
        equal = equal || query->terms[i].given->op == CORM_EQ;
    }
    return count > 1 && equal;
}

/* The store orders by the clustering columns behind the key, all as declared or all the other way. */
static bool store_orders(const reading *r) {
    const orm_path *path = r->fetch->path;
    if (path->kind != ORM_BY_KEY && path->kind != ORM_BY_COPY) return false;
    bool first = false;
    for (uint32_t i = 0; i < r->query.order_count; i++) {
        uint32_t k = path->key.count + i;
        if (k >= path->table->key_count || r->query.order[i] != path->table->keys[k]) return false;
        bool against = r->options.order_by[i].descending !=
                       (path->table->keys[k]->key == CORM_CLUSTERING_DESC);
        if (i == 0) first = against;
        if (against != first) return false;
    }
    return true;
}

static corm_status read_too(reading *r, corm_str name) {
    orm_query       *query = &r->query;
    const orm_field *field = orm__field(query->model, name);
    if (!field || query->select_count == 0) return CORM_OK;
    if (query->select_count + 1 >= ORM_MOST_SELECTED) {
        return base__fail(r->fetch->err, CORM_INVALID_ARGUMENT, "too many columns are selected");
    }
    orm__query_select(query, field);
    return CORM_OK;
}

static corm_status hold_here(reading *r) {
    orm_query *query = &r->query;
    for (uint32_t i = r->fetch->path->key.count; i < query->term_count; i++) {
        orm_term *term = &query->terms[i];
        if (term->local || !term->field) continue;
        if (store_holds(r, term) && !several_on(query, term->field)) continue;
        term->local = true;
        query->local_count++;
        CORM_TRY(read_too(r, term->field->name));
    }
    query->sorts_here = query->order_count > 0 && !store_orders(r);
    for (uint32_t i = 0; i < query->order_count && query->sorts_here; i++) {
        CORM_TRY(read_too(r, query->order[i]->name));
    }
    return CORM_OK;
}

static corm_status select_keys(reading *r) {
    const orm_fetch *fetch = r->fetch;
    for (uint32_t i = 0; i < fetch->theirs->count; i++) {
        CORM_TRY(read_too(r, fetch->theirs->fields[i]->name));
    }
    for (uint32_t i = 0; i < fetch->needed_count; i++) {
        CORM_TRY(read_too(r, fetch->needed[i]->name));
    }
    return CORM_OK;
}

/* A limit for each parent is the store's when nothing is left to Corm. */
static void push_limit(reading *r) {
    uint32_t limit = r->fetch->include ? r->fetch->include->limit : 0;
    bool     whole = r->query.local_count == 0 && !r->query.sorts_here;
    r->options.limit = r->options.per_partition_limit = 0;
    if (whole && limit <= INT32_MAX) {
        if (r->in) r->options.per_partition_limit = limit;
        if (!r->in) r->options.limit = limit;
    }
    r->query.limited = r->options.limit > 0;
}

static corm_status check_columns(const reading *r) {
    const orm_path *path = r->fetch->path;
    bool            selects = r->fetch->include && r->fetch->include->select[0];
    if (path->kind != ORM_BY_COPY || selects || path->table->count == r->fetch->model->count) {
        return CORM_OK;
    }
    return base__fail(r->fetch->err, CORM_INVALID_ARGUMENT,
                      "query table '%s' has not all columns of '%s': name those that are wanted in "
                      ".select of the include",
                      path->table->table.data, r->fetch->model->table.data);
}

static corm_status make_options(reading *r) {
    orm_fetch               *fetch = r->fetch;
    const corm_find_options *options = &r->options;
    r->in = !on_cluster(fetch) && fetch->path->key.count == 1 &&
            (fetch->path->kind == ORM_BY_KEY || fetch->path->kind == ORM_BY_COPY);
    r->options = (corm_find_options){ .error = fetch->err, .sort_limit = UINT32_MAX };
    if (!on_cluster(fetch)) r->options.request.page_size = -1;
    CORM_TRY(check_columns(r));
    CORM_TRY(put_key_terms(r));
    CORM_TRY(put_include(r));
    CORM_TRY(orm__scope(fetch->model, &options, &r->scoped));
    if (options == &r->scoped) r->options = r->scoped;
    return CORM_OK;
}

static corm_status make_query(reading *r) {
    orm_fetch *fetch = r->fetch;
    CORM_TRY(orm__query_init(&r->query, ORM_FIND, fetch->path->table, &r->options));
    CORM_TRY(hold_here(r));
    CORM_TRY(select_keys(r));
    push_limit(r);
    CORM_TRY(orm__rows_new(fetch->model, &r->rows, fetch->err));
    CORM_TRY(orm__query_hand_over(&r->query, r->rows));
    r->rows->skip = 0;
    r->rows->left = UINT64_MAX;
    return CORM_OK;
}

/* ---- requests ---- */

static uint32_t request_count(const reading *r) {
    return r->in ? (r->keys->count + MOST_KEYS_IN - 1) / MOST_KEYS_IN : r->keys->count;
}

static corm_status bind_list(reading *r, uint32_t request) {
    uint32_t first = request * MOST_KEYS_IN;
    uint32_t count = r->keys->count - first < MOST_KEYS_IN ? r->keys->count - first : MOST_KEYS_IN;
    base__buf_clear(&r->list);
    base__buf_u32(&r->list, count);
    for (uint32_t i = 0; i < count; i++) base__buf_put_str(&r->list, r->keys->keys[first + i]);
    CORM_TRY(base__buf_status(&r->list, r->fetch->err));
    return corm_statement_bind_bytes(r->statement, 0, base__buf_bytes(&r->list), r->fetch->err);
}

static corm_status bind_request(reading *r, uint32_t request) {
    const orm_path *path = r->fetch->path;
    if (r->in) return bind_list(r, request);
    for (uint32_t i = 0; i < path->key.count; i++) {
        cql_value value = orm__key_value(r->keys->keys[request], path->order[i]);
        CORM_TRY(corm_statement_bind_bytes(r->statement, i, orm__bytes_of(value), r->fetch->err));
    }
    return CORM_OK;
}

static void put_key_text(const reading *r, uint32_t request, base_buf *out) {
    const orm_path *path = r->fetch->path;
    for (uint32_t i = 0; i < path->key.count; i++) {
        base__buf_puts(out, i > 0 ? ", " : "");
        orm__put_shown_cell(path->key.fields[i],
                            orm__key_value(r->keys->keys[request], path->order[i]), out);
    }
}

/* The error with the relation and the key in front. */
static corm_status name_failure(const reading *r, uint32_t request, corm_status status,
                                const corm_error *why) {
    const orm_link *link = r->fetch->link;
    base_buf        key = { 0 };
    if (status == CORM_NO_MEMORY) return base__fail_memory(r->fetch->err);
    if (!r->in) put_key_text(r, request, &key);
    if (r->in) base__buf_printf(&key, "one of %u", r->keys->count);
    const char *text = base__buf_cstr(&key);
    char        message[sizeof why->message];
    snprintf(message, sizeof message, "%s", why->message);
    (void)base__fail(r->fetch->err, status, "model '%s', relation '%s', key %s: %s",
                     link->model->table.data, link->relation->name.data, text ? text : "?",
                     message);
    base__buf_free(&key);
    return status;
}

/* The pages behind the first, one after the other. */
static corm_status read_on(reading *r, uint32_t request, corm_error *err) {
    base_buf    token = { 0 };
    corm_status status = CORM_OK;
    while (status == CORM_OK && corm_rows_has_more(r->rows)) {
        corm_result *result;
        corm_bytes   state = corm_rows_paging_state(r->rows);
        base__buf_clear(&token);
        base__buf_put(&token, state.data, state.len);
        status = base__buf_status(&token, err);
        if (status == CORM_OK) status = bind_request(r, request);
        corm_statement_options(r->statement)->paging_state = base__buf_bytes(&token);
        if (status == CORM_OK) status = corm_run(r->statement, &result, err);
        if (status == CORM_OK) {
            status = orm__rows_add(r->rows, r->shape->cached ? r->shape : NULL, result, err);
        }
        r->fetch->cost->requests++;
    }
    corm_statement_options(r->statement)->paging_state = (corm_bytes){ NULL, 0 };
    base__buf_free(&token);
    return status;
}

static corm_status take_result(reading *r, uint32_t request, corm_result *result) {
    corm_error  why = { 0 };
    corm_status status = orm__rows_add(r->rows, r->shape->cached ? r->shape : NULL, result, &why);
    if (status == CORM_OK) status = read_on(r, request, &why);
    return status == CORM_OK ? CORM_OK : name_failure(r, request, status, &why);
}

static corm_status answered(void *context, uint32_t request, corm_status status,
                            corm_result *result, const corm_error *why) {
    reading *r = context;
    if (status != CORM_OK) return name_failure(r, request, status, why);
    return take_result(r, request, result);
}

static corm_status ask_all(reading *r) {
    uint32_t count = request_count(r);
    r->parallel = (orm_parallel){ .session = r->fetch->model->db->session,
                                  .answered = answered,
                                  .context = r,
                                  .err = r->fetch->err };
    r->fetch->cost->requests += count;
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(bind_request(r, i));
        CORM_TRY(orm__parallel_ask(&r->parallel, r->statement, i));
    }
    return orm__parallel_end(&r->parallel);
}

static corm_status run(reading *r) {
    CORM_TRY(orm__query_shape(&r->query, &r->shape));
    CORM_TRY(orm__statement(r->shape, &r->statement, r->fetch->err));
    CORM_TRY(orm__query_bind(&r->query, r->statement));
    corm_status status = ask_all(r);
    orm__parallel_stop(&r->parallel);
    return status == CORM_OK ? orm__rows_finish(r->rows, r->fetch->err) : status;
}

/* ---- by a unique column ---- */

static corm_status fetch_rows(orm_fetch *fetch, const orm_keys *keys, corm_rows **out);

static corm_status fetch_unique(orm_fetch *fetch, const orm_keys *keys, corm_rows **out) {
    orm_model *model = fetch->model;
    orm_path  by_key = { .kind = ORM_BY_KEY, .table = model, .key = { .count = model->key_count } };
    orm_keys  owners = { 0 };
    orm_fetch second = *fetch;
    if (model->key_count > ORM_MOST_KEY) {
        return base__fail(fetch->err, CORM_UNSUPPORTED, "the key of '%s' has more than %d columns",
                          model->table.data, ORM_MOST_KEY);
    }
    for (uint32_t i = 0; i < model->key_count; i++) {
        by_key.key.fields[i] = model->keys[i];
        by_key.order[i] = i;
    }
    second.path = &by_key;
    corm_status status = orm__fetch_owners(fetch, keys, &owners);
    if (status == CORM_OK) status = fetch_rows(&second, &owners, out);
    orm__keys_free(&owners);
    return status;
}

/* ---- the whole ---- */

static corm_status read_rows(reading *r) {
    CORM_TRY(make_query(r));
    return run(r);
}

/* Reading related rows is a find of their model: its hooks see the conditions and all rows. */
static corm_status read_hooked(reading *r) {
    orm_hook_run hooks;
    corm_error   own = { 0 };
    corm_error  *err = r->fetch->err;
    bool         opened;
    corm_path    outside = orm__path_enter(CORM_PATH_RELATION);
    corm_status  status = orm__hooks_open(r->fetch->model, CORM_ON_FIND, &hooks, &opened, err);
    if (status == CORM_OK && !opened) status = read_rows(r);
    if (status == CORM_OK && opened) {
        r->fetch->err = r->options.error = &own;
        hooks.call.find = &r->options;
        status = orm__hooks_before(&hooks, &own);
        r->options.error = &own;
        if (status == CORM_OK) status = read_rows(r);
        hooks.call.rows = status == CORM_OK ? r->rows : NULL;
        status = orm__hooks_after(&hooks, status, &own);
        r->fetch->err = err;
        if (status != CORM_OK && err) *err = own;
    }
    (void)orm__path_enter(outside);
    return status;
}

static corm_status fetch_rows(orm_fetch *fetch, const orm_keys *keys, corm_rows **out) {
    *out = NULL;
    if (keys->count == 0) return orm__rows_new(fetch->model, out, fetch->err);
    if (fetch->path->kind == ORM_BY_UNIQUE) return fetch_unique(fetch, keys, out);
    reading *r = calloc(1, sizeof *r);
    if (!r) return base__fail_memory(fetch->err);
    r->fetch = fetch;
    r->keys = keys;
    corm_status status = make_options(r);
    if (status == CORM_OK) {
        status = orm__hooked(fetch->model) ? read_hooked(r) : read_rows(r);
    }
    orm__statement_done(r->shape, r->statement);
    orm__shape_done(r->shape);
    base__buf_free(&r->list);
    base__arena_free(&r->arena);
    *out = r->rows;
    free(r);
    if (status == CORM_OK) return CORM_OK;
    corm_rows_free(*out);
    *out = NULL;
    return status;
}

corm_status orm__fetch(orm_fetch *fetch, const orm_keys *keys, corm_rows **out, uint32_t **of_row) {
    CORM_TRY(fetch_rows(fetch, keys, out));
    uint32_t   *index = malloc(((size_t)(*out)->count + 1) * sizeof *index);
    corm_status status = index ? CORM_OK : base__fail_memory(fetch->err);
    base_buf    bytes = { 0 };
    base_arena  arena = { 0 };
    size_t      size = fetch->model->spec->row_size;
    for (uint32_t i = 0; i < (*out)->count && status == CORM_OK; i++) {
        bool whole = false;
        base__buf_clear(&bytes);
        status = orm__key_bytes(fetch->theirs, (*out)->structs + i * size, &arena, &bytes, &whole,
                                fetch->err);
        uintptr_t at = whole ? (uintptr_t)base__map_get(&keys->known, base__buf_str(&bytes)) : 0;
        if (index) index[i] = at ? (uint32_t)(at - 1) : ORM_NO_KEY;
    }
    base__arena_free(&arena);
    base__buf_free(&bytes);
    fetch->cost->keys += keys->count;
    fetch->cost->rows += (*out)->count;
    *of_row = status == CORM_OK ? index : NULL;
    if (status == CORM_OK) return CORM_OK;
    free(index);
    corm_rows_free(*out);
    *out = NULL;
    return status;
}
