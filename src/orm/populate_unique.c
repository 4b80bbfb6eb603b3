// SPDX-License-Identifier: MIT
/* populate_unique.c -- who holds unique values: reservations looked up, many at once. One thread. */
#include <stdlib.h>

#include "orm/parallel.h"
#include "orm/populate.h"
#include "orm/unique.h"

enum { UNIQUE_SHAPE = 0xE0 };

static void put_look(const void *context, base_buf *out) {
    const orm_model *model = context;
    base__buf_puts(out, "SELECT owner FROM ");
    cql__put_name(out, model->keyspace);
    base__buf_puts(out, ".corm_unique WHERE model = ? AND field = ? AND value = ?");
}

static corm_status add_owner(orm_model *model, corm_result *result, base_arena *arena,
                             orm_keys *out, corm_error *err) {
    const corm_row *row = corm_result_next(result);
    cql_value      *key;
    uint32_t        index;
    base_buf        bytes = { 0 };
    corm_bytes      owner = row ? corm_row_bytes(row, 0) : (corm_bytes){ NULL, 0 };
    if (!owner.data) return CORM_OK;
    cql_value packed = { owner.data, (int32_t)owner.len };
    CORM_TRY(orm__unique_unpack_key(model, packed, arena, &key, err));
    for (uint32_t i = 0; i < model->key_count; i++) {
        base__buf_i32(&bytes, key[i].len);
        if (key[i].len > 0) base__buf_put(&bytes, key[i].data, (size_t)key[i].len);
    }
    corm_status status = base__buf_status(&bytes, err);
    if (status == CORM_OK) status = orm__keys_add(out, base__buf_str(&bytes), &index, err);
    base__buf_free(&bytes);
    return status;
}

typedef struct looking {
    orm_model   *model;
    orm_keys    *owners;
    base_arena   arena;
    orm_parallel parallel;
    corm_error  *err;
} looking;

static corm_status owner_found(void *context, uint32_t request, corm_status status,
                               corm_result *result, const corm_error *why) {
    looking *l = context;
    (void)request;
    if (status != CORM_OK) return base__fail(l->err, status, "%s", why->message);
    status = add_owner(l->model, result, &l->arena, l->owners, l->err);
    corm_result_free(result);
    return status;
}

static corm_status look_up(looking *l, corm_statement *statement, const orm_fetch *fetch,
                           const orm_keys *values) {
    corm_value model = corm_of_str(l->model->table);
    corm_value field = corm_of_str(fetch->theirs->fields[0]->name);
    CORM_TRY(corm_statement_bind(statement, 0, model, l->err));
    CORM_TRY(corm_statement_bind(statement, 1, field, l->err));
    for (uint32_t i = 0; i < values->count; i++) {
        corm_bytes value = orm__bytes_of(orm__key_value(values->keys[i], 0));
        CORM_TRY(corm_statement_bind_bytes(statement, 2, value, l->err));
        CORM_TRY(orm__parallel_ask(&l->parallel, statement, i));
    }
    return orm__parallel_end(&l->parallel);
}

corm_status orm__fetch_owners(orm_fetch *fetch, const orm_keys *values, orm_keys *owners) {
    looking        *l = calloc(1, sizeof *l);
    uint8_t         shape_key[1] = { UNIQUE_SHAPE };
    orm_shape      *shape = NULL;
    corm_statement *statement = NULL;
    if (!l) return base__fail_memory(fetch->err);
    *l = (looking){ .model = fetch->model, .owners = owners, .err = fetch->err };
    l->parallel = (orm_parallel){ .session = fetch->model->db->session,
                                  .answered = owner_found,
                                  .context = l,
                                  .err = fetch->err };
    corm_status status = orm__shape(fetch->model, (corm_bytes){ shape_key, 1 }, put_look,
                                    fetch->model, &shape, fetch->err);
    if (status == CORM_OK) status = orm__statement(shape, &statement, fetch->err);
    if (status == CORM_OK) status = look_up(l, statement, fetch, values);
    orm__parallel_stop(&l->parallel);
    fetch->cost->requests += values->count;
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    base__arena_free(&l->arena);
    free(l);
    return status;
}
