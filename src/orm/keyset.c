// SPDX-License-Identifier: MIT
/* keyset.c -- the rows behind a row, or before it, in the order of the store. The row is named by its key and need not be there any
 * more. A key (k, a, b) is gone on from by several slices, because each column may go up or down:
 *
 *   within its partition    k = K AND a = A AND b > B
 *                           k = K AND a > A
 *   behind it               token(k) > token(K)            unless the partition key is given
 *
 * Backwards the slices are read the other way round; behind the partition there is no other way round, so that windows of the ring
 * before its token are read and made larger or smaller until they hold what is wanted. In slices of a partition all conditions
 * but those on the slice's own column are Corm's. Any thread. */
#include "orm/query.h"

#include "cql/token.h"

enum { MOST_FOR_FILTERS = 1000, LEAST_FOR_FILTERS = 100 };

typedef struct keyset {
    orm_model               *model;
    const corm_find_options *options;
    corm_value              *key; /* of the row, a value a key column */
    bool                     included;
    bool                     pinned;   /* the conditions give the partition key */
    bool                     reversed; /* the clustering order is read backwards */
    bool                     has_row;  /* false: the partition has static columns only */
    int64_t                  token;
    base_arena               arena;
    corm_error              *err;
} keyset;

static corm_status bad(const keyset *k, const char *what) {
    return base__fail(k->err, CORM_INVALID_ARGUMENT, "model '%s': %s", k->model->table.data, what);
}

/* ---- what is asked ---- */

static bool is_token(corm_op op) {
    return op >= CORM_TOKEN_GT && op <= CORM_TOKEN_LTE;
}

static uint32_t count_given(const corm_find_options *options) {
    uint32_t count = 0;
    while (count < CORM_MAX_TERMS && options->where[count].column) count++;
    return count;
}

static corm_status check_terms(keyset *k) {
    uint32_t pinned = 0;
    for (uint32_t i = 0; i < count_given(k->options); i++) {
        const corm_term *term = &k->options->where[i];
        const orm_field *field;
        if (is_token(term->op)) return bad(k, ".after goes on by the token itself");
        CORM_TRY(orm__field_named(k->model, term->column, &field, k->err));
        if (field->key != CORM_PARTITION) continue;
        if (term->op == CORM_IN) {
            return bad(k, ".after goes through one partition or all, not those of an IN");
        }
        pinned += term->op == CORM_EQ;
    }
    k->pinned = pinned == k->model->partition_count;
    return CORM_OK;
}

static corm_status check_order(keyset *k) {
    const corm_order_by *order = k->options->order_by;
    const orm_field     *field;
    if (!order[0].column) return CORM_OK;
    CORM_TRY(orm__field_named(k->model, order[0].column, &field, k->err));
    k->reversed = order[0].descending != (field->key == CORM_CLUSTERING_DESC);
    if (k->pinned) return CORM_OK;
    return bad(k, "an order of clustering columns needs the whole partition key");
}

static corm_status take_key(keyset *k) {
    const orm_model *model = k->model;
    cql_value       *wire = BASE_NEW_ARRAY(&k->arena, cql_value, model->key_count);
    base_buf         bytes = { 0 };
    if (k->options->after_count != model->key_count) {
        return base__fail(k->err, CORM_INVALID_ARGUMENT,
                          "model '%s': .after is a whole key of %u values, and %u are given",
                          model->table.data, model->key_count, k->options->after_count);
    }
    k->key = BASE_NEW_ARRAY(&k->arena, corm_value, model->key_count);
    if (!wire || !k->key) return base__fail_memory(k->err);
    k->has_row = true;
    for (uint32_t i = 0; i < model->key_count; i++) {
        k->key[i] = k->options->after[i];
        bool null = k->key[i].kind <= CORM_NULL;
        if (null && i < model->partition_count) return bad(k, "a key column of .after is null");
        if (null) k->has_row = false;
        CORM_TRY(orm__encode(model->keys[i], &k->key[i], &k->arena, &wire[i], k->err));
    }
    cql__partition_key(wire, model->partition_count, &bytes);
    corm_status status = base__buf_status(&bytes, k->err);
    if (status == CORM_OK) k->token = cql__token(base__buf_bytes(&bytes));
    base__buf_free(&bytes);
    return status;
}

static corm_status begin(keyset *k, orm_model *model, const corm_find_options *options) {
    *k = (keyset){ .model = model, .options = options, .err = options->error };
    k->included = options->after_included;
    CORM_TRY(check_terms(k));
    CORM_TRY(check_order(k));
    return take_key(k);
}

/* ---- one slice ---- */

typedef struct slice {
    corm_find_options find;
    uint32_t          own; /* conditions of the slice, which stand first */
    const orm_field
        *column; /* whose other conditions the store may hold too; NULL: those of all columns */
} slice;

static void select_name(corm_find_options *find, const char *name) {
    uint32_t i = 0;
    for (; i < CORM_MAX_NAMES && find->select[i]; i++) {
        if (strcmp(find->select[i], name) == 0) return;
    }
    if (i + 1 < CORM_MAX_NAMES) {
        find->select[i] = name;
    } else {
        memset(find->select, 0, sizeof find->select);
    }
}

/* All slices read the same columns in the same order, those of the key and of conditions among them. */
static void select_columns(const keyset *k, corm_find_options *find, bool keys_only) {
    if (keys_only) memset(find->select, 0, sizeof find->select);
    if (!keys_only && (!find->select[0] || find->include[0] || find->includes)) {
        memset(find->select, 0, sizeof find->select);
        return;
    }
    for (uint32_t i = 0; i < k->model->key_count; i++) {
        select_name(find, k->model->keys[i]->name.data);
    }
    for (uint32_t i = 0; i < count_given(k->options) && find->select[0]; i++) {
        select_name(find, k->options->where[i].column);
    }
}

static void begin_slice(const keyset *k, slice *s, bool keys_only) {
    s->find = *k->options;
    memset(s->find.where, 0, sizeof s->find.where);
    memset(s->find.order_by, 0, sizeof s->find.order_by);
    s->find.after = NULL;
    s->find.after_count = 0;
    s->find.request.paging_state = (corm_bytes){ NULL, 0 };
    s->own = 0;
    s->column = NULL;
    select_columns(k, &s->find, keys_only);
}

static corm_status add_term(const keyset *k, slice *s, corm_term term) {
    if (s->own == CORM_MAX_TERMS) {
        return base__fail(k->err, CORM_INVALID_ARGUMENT,
                          "model '%s': with the key of .after there are more than %d conditions",
                          k->model->table.data, CORM_MAX_TERMS);
    }
    s->find.where[s->own++] = term;
    return CORM_OK;
}

static corm_status add_equal(const keyset *k, slice *s, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        corm_term term = { .column = k->model->keys[i]->name.data,
                           .op = CORM_EQ,
                           .value = k->key[i] };
        CORM_TRY(add_term(k, s, term));
    }
    return CORM_OK;
}

static void set_order(const keyset *k, slice *s, bool reversed) {
    if (!reversed || k->model->key_count == k->model->partition_count) return;
    const orm_field *first = k->model->keys[k->model->partition_count];
    s->find.order_by[0] = (corm_order_by){ first->name.data, first->key != CORM_CLUSTERING_DESC };
}

static void set_page_size(orm_query *query, corm_find_options *find, uint32_t limit) {
    if (find->request.page_size != 0 || limit == 0) return;
    uint32_t size = limit;
    if (query->local_count > 0) {
        size = limit < LEAST_FOR_FILTERS ? LEAST_FOR_FILTERS : limit;
        if (size > MOST_FOR_FILTERS) return;
    }
    find->request.page_size = size > INT32_MAX ? INT32_MAX : (int32_t)size;
}

/* Reads the slice, at most `limit` rows (0: all), behind the rows that there are. */
static corm_status run_slice(const keyset *k, slice *s, uint32_t limit, corm_rows *rows) {
    orm_query query;
    uint32_t  own = s->own;
    for (uint32_t i = 0; i < count_given(k->options); i++) {
        CORM_TRY(add_term(k, s, k->options->where[i]));
    }
    s->find.limit = limit;
    CORM_TRY(orm__query_init(&query, ORM_FIND, k->model, &s->find));
    for (uint32_t i = own; i < s->own && s->column; i++) {
        if (query.terms[i].field != s->column) orm__query_take(&query, i);
    }
    set_page_size(&query, &s->find, limit);
    rows->filter_count = 0;
    CORM_TRY(orm__query_hand_over(&query, rows));
    return orm__query_ask(&query, rows);
}

/* ---- forwards ---- */

/* What is beyond the value of the key's column `at`, where the columns before it are equal. */
static corm_status slice_beyond(const keyset *k, slice *s, uint32_t at, bool reversed,
                                bool keys_only) {
    const orm_field *field = k->model->keys[at];
    bool             up = (field->key == CORM_CLUSTERING_DESC) == reversed;
    bool             included = k->included && at + 1 == k->model->key_count;
    corm_op          op = up ? (included ? CORM_GTE : CORM_GT) : (included ? CORM_LTE : CORM_LT);
    begin_slice(k, s, keys_only);
    s->find.allow_filtering = false;
    s->column = field;
    CORM_TRY(add_equal(k, s, at));
    CORM_TRY(
        add_term(k, s, (corm_term){ .column = field->name.data, .op = op, .value = k->key[at] }));
    set_order(k, s, reversed);
    return CORM_OK;
}

static bool is_full(const corm_rows *rows, uint32_t limit) {
    return limit > 0 && rows->count >= limit;
}

static corm_status read_partition(const keyset *k, bool reversed, bool keys_only, uint32_t limit,
                                  corm_rows *rows) {
    slice s;
    for (uint32_t at = k->model->key_count; at > k->model->partition_count && k->has_row; at--) {
        if (is_full(rows, limit)) break;
        CORM_TRY(slice_beyond(k, &s, at - 1, reversed, keys_only));
        CORM_TRY(run_slice(k, &s, limit > 0 ? limit - rows->count : 0, rows));
    }
    return CORM_OK;
}

/* A partition of one row, or with static columns only, which is asked for itself. */
static bool is_whole_partition(const keyset *k) {
    return k->model->key_count == k->model->partition_count || !k->has_row;
}

static corm_status read_ring(const keyset *k, uint32_t limit, corm_rows *rows) {
    slice s;
    bool  included = k->included && is_whole_partition(k);
    if (k->pinned && !included) return CORM_OK;
    begin_slice(k, &s, false);
    corm_op op = included ? CORM_TOKEN_GTE : CORM_TOKEN_GT;
    if (!k->pinned) {
        CORM_TRY(add_term(k, &s, (corm_term){ "token", op, corm_of_i64(k->token), { 0 } }));
    }
    return run_slice(k, &s, limit > 0 ? limit - rows->count : 0, rows);
}

corm_status orm__find_after(orm_model *asked, const corm_find_options *options, corm_rows *rows) {
    keyset      k;
    corm_status status = begin(&k, asked, options);
    if (status == CORM_OK) {
        status = read_partition(&k, k.reversed, false, options->limit, rows);
    }
    if (status == CORM_OK && !is_full(rows, options->limit)) {
        status = read_ring(&k, options->limit, rows);
    }
    base__arena_free(&k.arena);
    return status;
}

/* ---- backwards ---- */

corm_status orm__keyset_of(const orm_model *asked, const corm_rows *rows, uint32_t index,
                           base_arena *arena, cql_value **key, corm_error *err) {
    const void *row = corm_rows_at(rows, index);
    *key = BASE_NEW_ARRAY(arena, cql_value, asked->key_count);
    if (!*key) return base__fail_memory(err);
    for (uint32_t i = 0; i < asked->key_count; i++) {
        corm_value       value;
        const orm_field *field = asked->keys[i];
        (*key)[i] = CQL_NULL;
        if (corm_rows_is_null(rows, index, field->name.data)) continue;
        CORM_TRY(orm__member_get(field, row, true, arena, &value, err));
        CORM_TRY(orm__encode(field, &value, arena, &(*key)[i], err));
    }
    return CORM_OK;
}

typedef struct before {
    keyset     *k;
    uint32_t    wanted, found;
    base_arena *arena; /* the caller's */
    cql_value **key;   /* of the last row that was met */
} before;

static corm_status meet(before *b, const corm_rows *rows, uint32_t index) {
    b->found++;
    return orm__keyset_of(b->k->model, rows, index, b->arena, b->key, b->k->err);
}

/* The rows of a slice were read backwards: the last is the farthest. */
static corm_status meet_backwards(before *b, const corm_rows *rows) {
    uint32_t count = rows->count;
    if (count > b->wanted - b->found) count = b->wanted - b->found;
    if (count == 0) return CORM_OK;
    b->found += count - 1;
    return meet(b, rows, count - 1);
}

static corm_status look_in_partition(before *b) {
    keyset    *k = b->k;
    corm_rows *rows;
    CORM_TRY(orm__rows_new(k->model, &rows, k->err));
    corm_status status = read_partition(k, !k->reversed, true, b->wanted, rows);
    if (status == CORM_OK) status = meet_backwards(b, rows);
    corm_rows_free(rows);
    return status;
}

typedef struct window {
    int64_t  low, high; /* low < token <= high */
    bool     open;      /* token < high */
    uint32_t most;
} window;

static corm_status read_window(const keyset *k, const window *w, corm_rows *rows) {
    slice s;
    begin_slice(k, &s, true);
    corm_op below = w->open ? CORM_TOKEN_LT : CORM_TOKEN_LTE;
    CORM_TRY(add_term(k, &s, (corm_term){ "token", CORM_TOKEN_GT, corm_of_i64(w->low), { 0 } }));
    CORM_TRY(add_term(k, &s, (corm_term){ "token", below, corm_of_i64(w->high), { 0 } }));
    return run_slice(k, &s, w->most + 1, rows);
}

/* More rows than a window may have, in one partition: from its end. */
static corm_status look_in_large_partition(before *b, const corm_rows *rows) {
    keyset    *k = b->k;
    corm_rows *back;
    slice      s;
    for (uint32_t i = 0; i < k->model->partition_count; i++) {
        const orm_field *field = k->model->keys[i];
        const void      *row = corm_rows_at(rows, 0);
        CORM_TRY(orm__member_get(field, row, true, &k->arena, &k->key[i], k->err));
    }
    begin_slice(k, &s, true);
    s.find.allow_filtering = false;
    s.column = k->model->keys[0];
    CORM_TRY(add_equal(k, &s, k->model->partition_count));
    set_order(k, &s, true);
    CORM_TRY(orm__rows_new(k->model, &back, k->err));
    corm_status status = run_slice(k, &s, b->wanted - b->found, back);
    if (status == CORM_OK) status = meet_backwards(b, back);
    corm_rows_free(back);
    return status;
}

static corm_status take_window(before *b, const corm_rows *rows) {
    for (uint32_t i = rows->count; i > 0 && b->found < b->wanted; i--) {
        CORM_TRY(meet(b, rows, i - 1));
    }
    return CORM_OK;
}

static int64_t below(int64_t high, uint64_t width) {
    uint64_t room = (uint64_t)high - (uint64_t)INT64_MIN;
    return width >= room ? INT64_MIN : (int64_t)((uint64_t)high - width);
}

/* One window: *width is changed for the next; *dense when it has to be read anew, smaller. */
static corm_status look_in_window(before *b, window *w, uint64_t *width) {
    corm_rows *rows;
    w->low = below(w->high, *width);
    CORM_TRY(orm__rows_new(b->k->model, &rows, b->k->err));
    corm_status status = read_window(b->k, w, rows);
    bool        dense = rows->count > w->most;
    bool        single = (uint64_t)w->high - (uint64_t)w->low <= 1 + (uint64_t)w->open;
    if (status == CORM_OK && dense && !single) {
        *width = *width > 8 ? *width / 8 : 1;
        if (*width < 2) *width = 1 + (uint64_t)w->open;
    } else if (status == CORM_OK) {
        status = dense ? look_in_large_partition(b, rows) : take_window(b, rows);
        *width = *width > UINT64_MAX / 8 ? UINT64_MAX : *width * 8;
        w->high = w->low;
        w->open = false;
    }
    corm_rows_free(rows);
    return status;
}

static corm_status look_in_ring(before *b) {
    uint64_t width = UINT64_C(1) << 58;
    window   w = { .high = b->k->token,
                   .open = !(b->k->included && is_whole_partition(b->k)),
                   .most = 4 * b->wanted };
    while (b->found < b->wanted && w.high > INT64_MIN) {
        CORM_TRY(look_in_window(b, &w, &width));
    }
    return CORM_OK;
}

corm_status orm__find_before(orm_model *asked, const corm_find_options *options, uint32_t count,
                             base_arena *arena, cql_value **key, uint32_t *found) {
    keyset      k;
    before      b = { .k = &k, .wanted = count, .arena = arena, .key = key };
    corm_status status = begin(&k, asked, options);
    *key = NULL;
    if (status == CORM_OK) status = look_in_partition(&b);
    if (status == CORM_OK && !k.pinned && b.found < b.wanted) status = look_in_ring(&b);
    base__arena_free(&k.arena);
    *found = b.found;
    return status;
}
