// SPDX-License-Identifier: MIT
/* shape.c -- one prepared statement for each shape of a request to a model: what differs only in
 * values has the same text.
 *
 *   model.buckets[hash % 64] -> shape -> shape -> NULL      read without a lock; added to under
 *                                                           model.lock
 *
 * A shape stays until its db is closed. Beyond ORM_MOST_SHAPES they belong to their user. Any
 * thread. */
#include <stdlib.h>

#include "orm/core.h"

static void drop_statements(orm_shape *shape) {
    for (int i = 0; i < ORM_IDLE_STATEMENTS; i++) {
        corm_statement_free(atomic_exchange(&shape->idle[i], NULL));
    }
    corm_prepared_free(shape->prepared);
    shape->prepared = NULL;
}

static void free_shape(orm_shape *shape) {
    if (!shape) return;
    drop_statements(shape);
    orm_plan *plan = atomic_load(&shape->plan);
    while (plan) {
        orm_plan *older = plan->older;
        free(plan);
        plan = older;
    }
    free(shape);
}

/* Statements go, plans stay: rows may still use them. */
void orm__model_forget(orm_model *model) {
    for (int i = 0; i < ORM_BUCKETS; i++) {
        orm_shape *shape = atomic_load(&model->buckets[i]);
        for (; shape; shape = shape->next) drop_statements(shape);
    }
    for (uint32_t i = 0; i < model->copy_count; i++) orm__model_forget(model->copies[i]);
}

void orm__shapes_free(orm_model *model) {
    for (int i = 0; i < ORM_BUCKETS; i++) {
        orm_shape *shape = atomic_exchange(&model->buckets[i], NULL);
        while (shape) {
            orm_shape *next = shape->next;
            free_shape(shape);
            shape = next;
        }
    }
}

static orm_shape *find(const orm_model *model, corm_bytes key, uint64_t hash) {
    orm_shape *shape =
        atomic_load_explicit(&model->buckets[hash % ORM_BUCKETS], memory_order_acquire);
    for (; shape; shape = shape->next) {
        if (shape->hash == hash && shape->key.len == key.len &&
            memcmp(shape->key.data, key.data, key.len) == 0) {
            return shape;
        }
    }
    return NULL;
}

static corm_status make(orm_model *model, corm_bytes key, uint64_t hash, orm_shape_text *text,
                        const void *context, orm_shape **out, corm_error *err) {
    orm_shape *shape = calloc(1, sizeof *shape + key.len);
    if (!shape) return base__fail_memory(err);
    memcpy(shape + 1, key.data, key.len);
    shape->key = (corm_bytes){ (const uint8_t *)(shape + 1), key.len };
    shape->hash = hash;
    base_buf cql = { 0 };
    text(context, &cql);
    const char *cstr = base__buf_cstr(&cql);
    corm_status status = cstr ? corm_prepare(model->db->session, cstr, &shape->prepared, err)
                              : base__fail_memory(err);
    base__buf_free(&cql);
    if (status != CORM_OK) {
        free(shape);
        return status;
    }
    *out = shape;
    return CORM_OK;
}

/* The shape that is in the cache afterwards: another thread may have been quicker. */
static orm_shape *add(orm_model *model, orm_shape *shape) {
    pthread_mutex_lock(&model->lock);
    orm_shape *known = find(model, shape->key, shape->hash);
    if (!known && model->shape_count < ORM_MOST_SHAPES) {
        _Atomic(orm_shape *) *bucket = &model->buckets[shape->hash % ORM_BUCKETS];
        shape->next = atomic_load(bucket);
        shape->cached = true;
        atomic_store_explicit(bucket, shape, memory_order_release);
        model->shape_count++;
    }
    pthread_mutex_unlock(&model->lock);
    if (!known) return shape;
    free_shape(shape);
    return known;
}

corm_status orm__shape(orm_model *model, corm_bytes key, orm_shape_text *text, const void *context,
                       orm_shape **out, corm_error *err) {
    uint64_t hash = base__hash(key.data, key.len, 0);
    *out = find(model, key, hash);
    if (*out) return CORM_OK;
    orm_shape *made = NULL;
    CORM_TRY(make(model, key, hash, text, context, &made, err));
    *out = add(model, made);
    return CORM_OK;
}

void orm__shape_done(orm_shape *shape) {
    if (shape && !shape->cached) free_shape(shape);
}

corm_status orm__statement(orm_shape *shape, corm_statement **out, corm_error *err) {
    for (int i = 0; i < ORM_IDLE_STATEMENTS; i++) {
        *out = atomic_exchange_explicit(&shape->idle[i], NULL, memory_order_acquire);
        if (*out) return CORM_OK;
    }
    *out = corm_statement_new(shape->prepared);
    return *out ? CORM_OK : base__fail_memory(err);
}

void orm__statement_done(orm_shape *shape, corm_statement *statement) {
    if (!statement) return;
    corm_statement_reset(statement);
    for (int i = 0; i < ORM_IDLE_STATEMENTS; i++) {
        corm_statement *empty = NULL;
        if (atomic_compare_exchange_strong_explicit(&shape->idle[i], &empty, statement,
                                                    memory_order_release, memory_order_relaxed)) {
            return;
        }
    }
    corm_statement_free(statement);
}
