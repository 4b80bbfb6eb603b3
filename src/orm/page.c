// SPDX-License-Identifier: MIT
/* page.c -- pages of a find with tokens, forwards and backwards.
 *
 *   token   sealed: direction u8, whether the row is part of the page u8, then its key: [i32 length][value] …
 *   bound   to the table, the conditions with their values, the order and which deleted rows are shown
 *
 * A page backwards is looked up by its first key and then read forwards, so that both are read by the same code. Any thread. */
#include <stdlib.h>

#include "corm/query.h"
#include "orm/query_table.h"

enum { DEFAULT_SIZE = 20, MOST_SIZE = 100000 };

typedef struct paging {
    corm_db                 *db;
    orm_model               *model, *asked;
    const corm_page_options *options;
    const corm_find_options *find; /* with the conditions of scopes */
    uint32_t                 size;
    bool                     has_key, backward, included; /* as the token says */
    cql_value               *key;
    base_arena               arena;
    base_buf                 bound;
    corm_error              *err;
} paging;

static corm_status bad(const paging *p, const char *what) {
    return base__fail(p->err, CORM_INVALID_ARGUMENT, "model '%s': %s", p->model->table.data, what);
}

/* ---- what a token is bound to ---- */

static corm_status bind_term(paging *p, const corm_term *term) {
    const orm_field *field;
    orm_filter       filter;
    if (term->op >= CORM_TOKEN_GT) return CORM_OK; /* is refused where the rows are read */
    CORM_TRY(orm__field_named(p->model, term->column, &field, p->err));
    CORM_TRY(orm__filter_make(field, term, &p->arena, &filter, p->err));
    base__buf_put_str(&p->bound, field->quoted);
    base__buf_u16(&p->bound, (uint16_t)term->op);
    base__buf_u32(&p->bound, filter.value_count);
    for (uint32_t i = 0; i < filter.value_count; i++) {
        base__buf_i32(&p->bound, filter.values[i].len);
        if (filter.values[i].len <= 0) continue;
        base__buf_put(&p->bound, filter.values[i].data, (size_t)filter.values[i].len);
    }
    return CORM_OK;
}

static corm_status make_bound(paging *p) {
    const corm_find_options *find = p->find;
    base__buf_put_str(&p->bound, p->asked->path);
    base__buf_u8(&p->bound, (uint8_t)(find->with_deleted | find->only_deleted << 1));
    for (uint32_t i = 0; i < CORM_MAX_TERMS && find->where[i].column; i++) {
        CORM_TRY(bind_term(p, &find->where[i]));
    }
    if (find->order_by[0].column) {
        base__buf_puts(&p->bound, find->order_by[0].column);
        base__buf_u8(&p->bound, find->order_by[0].descending);
    }
    return base__buf_status(&p->bound, p->err);
}

/* ---- tokens ---- */

static corm_status make_token(const paging *p, const cql_value *key, bool backward, bool included,
                              char **out) {
    base_buf state = { 0 };
    base__buf_u8(&state, backward);
    base__buf_u8(&state, included);
    for (uint32_t i = 0; i < p->asked->key_count; i++) {
        base__buf_i32(&state, key[i].len);
        if (key[i].len > 0) base__buf_put(&state, key[i].data, (size_t)key[i].len);
    }
    corm_status status = base__buf_status(&state, p->err);
    if (status == CORM_OK) {
        status = session__seal_token(p->db->session, base__buf_bytes(&p->bound),
                                     base__buf_bytes(&state), out, p->err);
    }
    base__buf_free(&state);
    return status;
}

static corm_status token_of_row(paging *p, const corm_rows *rows, uint32_t index, bool backward,
                                char **out) {
    cql_value *key;
    CORM_TRY(orm__keyset_of(p->asked, rows, index, &p->arena, &key, p->err));
    return make_token(p, key, backward, false, out);
}

static corm_status read_token(paging *p, corm_bytes state) {
    base_reader in = { state.data, state.len, false };
    p->backward = base__read_u8(&in);
    p->included = base__read_u8(&in);
    p->key = BASE_NEW_ARRAY(&p->arena, cql_value, p->asked->key_count);
    if (!p->key) return base__fail_memory(p->err);
    for (uint32_t i = 0; i < p->asked->key_count; i++) {
        int32_t    len = base__read_i32(&in);
        corm_bytes value = base__read_bytes(&in, len < 0 ? 0 : (size_t)len);
        p->key[i] = CQL_NULL;
        if (len < 0) continue;
        p->key[i].data =
            base__arena_copy(&p->arena, len > 0 ? value.data : (const void *)"", value.len);
        p->key[i].len = len;
        if (!p->key[i].data) return base__fail_memory(p->err);
    }
    p->has_key = true;
    return in.failed || in.len > 0 ? bad(p, "the page token is of another table") : CORM_OK;
}

static corm_status open_token(paging *p) {
    base_buf   bytes = { 0 };
    corm_bytes state;
    if (!p->options->token) return CORM_OK;
    corm_status status =
        session__open_token(p->db->session, base__buf_bytes(&p->bound), p->options->token,
                            p->options->max_age_s, &bytes, &state, p->err);
    if (status == CORM_OK) status = read_token(p, state);
    base__buf_free(&bytes);
    return status;
}

/* ---- a page ---- */

static corm_status decode_key(paging *p, const cql_value *key, corm_value **out) {
    *out = BASE_NEW_ARRAY(&p->arena, corm_value, p->asked->key_count);
    if (!*out) return base__fail_memory(p->err);
    for (uint32_t i = 0; i < p->asked->key_count; i++) {
        if (key[i].len < 0) continue;
        CORM_TRY(cql__decode(p->asked->keys[i]->type, key[i], &p->arena, &(*out)[i], p->err));
    }
    return CORM_OK;
}

static corm_status read(paging *p, const cql_value *key, bool included, uint32_t limit,
                        corm_rows **out) {
    corm_find_options find = p->options->find;
    corm_value       *after = NULL;
    find.limit = limit;
    find.error = p->err;
    if (key) {
        CORM_TRY(decode_key(p, key, &after));
        find.after = after;
        find.after_count = p->asked->key_count;
        find.after_included = included;
    }
    return corm_find_with(p->db, p->model->spec, out, &find);
}

/* Nothing is there any more: the other way begins where this one ended. */
static corm_status turn_around(paging *p, corm_page *out) {
    char **token = p->backward ? &out->next : &out->previous;
    return p->has_key ? make_token(p, p->key, !p->backward, true, token) : CORM_OK;
}

static corm_status read_forward(paging *p, corm_page *out) {
    CORM_TRY(read(p, p->has_key ? p->key : NULL, p->included, p->size + 1, &out->rows));
    if (out->rows->count == 0) return turn_around(p, out);
    if (out->rows->count > p->size) {
        out->rows->count = p->size;
        CORM_TRY(token_of_row(p, out->rows, p->size - 1, false, &out->next));
    }
    return p->has_key ? token_of_row(p, out->rows, 0, true, &out->previous) : CORM_OK;
}

static corm_status read_backward(paging *p, corm_page *out) {
    corm_find_options find = *p->find;
    corm_value       *from;
    cql_value        *first;
    uint32_t          found;
    CORM_TRY(decode_key(p, p->key, &from));
    find.after = from;
    find.after_count = p->asked->key_count;
    find.after_included = p->included;
    find.error = p->err;
    CORM_TRY(orm__find_before(p->asked, &find, p->size + 1, &p->arena, &first, &found));
    bool more = found > p->size;
    if (found == 0) {
        CORM_TRY(read(p, p->key, false, 1, &out->rows));
        out->rows->count = 0;
        return turn_around(p, out);
    }
    CORM_TRY(read(p, first, !more, more ? p->size : found, &out->rows));
    uint32_t count = out->rows->count;
    if (count == 0) return turn_around(p, out);
    CORM_TRY(token_of_row(p, out->rows, count - 1, false, &out->next));
    return more ? token_of_row(p, out->rows, 0, true, &out->previous) : CORM_OK;
}

static corm_status check_options(const paging *p) {
    const corm_find_options *find = &p->options->find;
    if (p->options->_canary != 0 || find->_canary != 0) {
        return bad(p, "the page options are not initialised");
    }
    if (find->limit > 0 || find->per_partition_limit > 0 || find->offset > 0 || find->one_page ||
        find->after) {
        return bad(p, "a page has a .size and a .token, and no limits, offset or .after");
    }
    return p->size > MOST_SIZE ? bad(p, "a page has at most 100000 rows") : CORM_OK;
}

static corm_status run(paging *p, corm_page *out) {
    CORM_TRY(make_bound(p));
    CORM_TRY(open_token(p));
    return p->has_key && p->backward ? read_backward(p, out) : read_forward(p, out);
}

corm_status corm_find_page_with(corm_db *db, const corm_model *model, corm_page *out,
                                const corm_page_options *options) {
    static const corm_page_options nothing;
    corm_find_options              scoped;
    if (!options) options = &nothing;
    corm_find_options find = options->find;
    paging            p = { .db = db, .options = options, .size = options->size };
    *out = (corm_page){ NULL, NULL, NULL };
    p.err = options->error ? options->error : options->find.error;
    find.error = p.err;
    p.find = &find;
    if (p.size == 0) p.size = DEFAULT_SIZE;
    CORM_TRY(orm__model(db, model, &p.model, p.err));
    CORM_TRY(check_options(&p));
    CORM_TRY(orm__scope(p.model, &p.find, &scoped));
    p.asked = orm__query_table_pick(p.model, p.find);
    corm_status status = run(&p, out);
    base__buf_free(&p.bound);
    base__arena_free(&p.arena);
    if (status != CORM_OK) corm_page_free(out);
    return status;
}

void corm_page_free(corm_page *page) {
    if (!page) return;
    corm_rows_free(page->rows);
    free(page->next);
    free(page->previous);
    *page = (corm_page){ NULL, NULL, NULL };
}
