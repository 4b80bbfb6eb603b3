// SPDX-License-Identifier: MIT
/* query_text.c -- the statement of a find and its values. Its text depends on the shape only:
 *
 *   key:  kind, flags, then for each part its columns and operators, two bytes a column
 *   text: SELECT a, b FROM k.t WHERE x = ? AND y IN ? ORDER BY c DESC PER PARTITION LIMIT ?
 *         LIMIT ? ALLOW FILTERING
 *
 * Markers stand in the order of the text. One thread. */
#include "orm/query.h"

/* ---- the shape ---- */

typedef struct key_bytes {
    uint8_t bytes[512];
    size_t  len;
} key_bytes;

static void put_u8(key_bytes *key, unsigned v) {
    key->bytes[key->len++] = (uint8_t)v;
}

static void put_u16(key_bytes *key, unsigned v) {
    put_u8(key, v >> 8);
    put_u8(key, v & 0xFF);
}

static void make_key(const orm_query *query, key_bytes *key) {
    const corm_find_options *options = query->options;
    put_u8(key, query->kind);
    put_u8(key, query->limited_by_partition | (unsigned)query->limited << 1 |
                    (unsigned)options->allow_filtering << 2);
    put_u8(key, query->select_count);
    for (uint32_t i = 0; i < query->select_count; i++) put_u16(key, query->selected[i]);
    put_u8(key, query->term_count - query->local_count);
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term *term = &query->terms[i];
        if (term->local) continue;
        put_u16(key, term->field ? term->field->index : UINT16_MAX);
        put_u8(key, term->given->op);
    }
    for (uint32_t i = 0; i < query->order_count && !query->sorts_here; i++) {
        put_u16(key, query->order[i]->index);
        put_u8(key, options->order_by[i].descending);
    }
}

static void put_columns(const orm_query *query, base_buf *out) {
    const orm_model *model = query->model;
    uint32_t         count = query->select_count > 0 ? query->select_count : model->count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = query->select_count > 0 ? query->selected[i] : i;
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, model->fields[index].quoted);
    }
}

static void put_token(const orm_model *model, base_buf *out) {
    base__buf_puts(out, "token(");
    for (uint32_t i = 0; i < model->partition_count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, model->keys[i]->quoted);
    }
    base__buf_puts(out, ")");
}

static void put_where(const orm_query *query, base_buf *out) {
    const char *before = " WHERE ";
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term *term = &query->terms[i];
        if (term->local) continue;
        base__buf_puts(out, before);
        before = " AND ";
        if (term->field) {
            base__buf_put_str(out, term->field->quoted);
        } else {
            put_token(query->model, out);
        }
        base__buf_puts(out, orm__query_operator(term->given->op));
        if (term->given->op == CORM_BETWEEN) {
            base__buf_puts(out, " AND ");
            base__buf_put_str(out, term->field->quoted);
            base__buf_puts(out, " <= ?");
        }
    }
}

void orm__query_text(const orm_query *query, base_buf *out) {
    const corm_find_options *options = query->options;
    base__buf_puts(out, query->kind == ORM_DELETE_WHERE ? "DELETE" : "SELECT ");
    if (query->kind == ORM_COUNT) base__buf_puts(out, "count(*)");
    if (query->kind == ORM_FIND) put_columns(query, out);
    base__buf_puts(out, " FROM ");
    base__buf_put_str(out, query->model->path);
    put_where(query, out);
    for (uint32_t i = 0; i < query->order_count && !query->sorts_here; i++) {
        base__buf_puts(out, i == 0 ? " ORDER BY " : ", ");
        base__buf_put_str(out, query->order[i]->quoted);
        base__buf_puts(out, options->order_by[i].descending ? " DESC" : " ASC");
    }
    if (query->limited_by_partition) base__buf_puts(out, " PER PARTITION LIMIT ?");
    if (query->limited) base__buf_puts(out, " LIMIT ?");
    if (options->allow_filtering) base__buf_puts(out, " ALLOW FILTERING");
}

static void put_text(const void *context, base_buf *out) {
    orm__query_text(context, out);
}

corm_status orm__query_shape(orm_query *query, orm_shape **out) {
    key_bytes key = { .len = 0 };
    make_key(query, &key);
    return orm__shape(query->model, (corm_bytes){ key.bytes, key.len }, put_text, query, out,
                      query->err);
}

/* ---- values ---- */

/* IN takes a list whichever way it was given. */
static corm_value value_of(const corm_term *term) {
    corm_value value = term->value;
    if (term->op == CORM_IN) value.kind = CORM_LIST;
    return value;
}

static corm_status bind_terms(orm_query *query, corm_statement *statement, uint32_t *at,
                              base_arena *arena) {
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term  *term = &query->terms[i];
        const corm_term *given = term->given;
        corm_value       value = value_of(given);
        if (term->local) continue;
        CORM_TRY(orm__bind(statement, (*at)++, term->field, &value, arena, query->err));
        if (given->op != CORM_BETWEEN) continue;
        CORM_TRY(corm_statement_bind(statement, (*at)++, given->value2, query->err));
    }
    return CORM_OK;
}

corm_status orm__query_bind(orm_query *query, corm_statement *statement) {
    const corm_find_options *options = query->options;
    base_arena               arena = { 0 };
    uint32_t                 at = 0;
    corm_status              status = bind_terms(query, statement, &at, &arena);
    base__arena_free(&arena);
    CORM_TRY(status);
    if (query->limited_by_partition) {
        corm_value limit = corm_of_i32((int32_t)options->per_partition_limit);
        CORM_TRY(corm_statement_bind(statement, at++, limit, query->err));
    }
    if (query->limited) {
        corm_value limit = corm_of_i32((int32_t)(options->limit + options->offset));
        CORM_TRY(corm_statement_bind(statement, at++, limit, query->err));
    }
    *corm_statement_options(statement) = options->request;
    return CORM_OK;
}
