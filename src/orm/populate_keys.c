// SPDX-License-Identifier: MIT
/* populate_keys.c -- the keys of rows, each once. One thread. */
#include <stdlib.h>

#include "orm/populate.h"

void orm__keys_free(orm_keys *keys) {
    free(keys->keys);
    base__map_free(&keys->known);
    base__arena_free(&keys->arena);
    *keys = (orm_keys){ 0 };
}

static corm_status make_room(orm_keys *keys, corm_error *err) {
    if (keys->count < keys->capacity) return CORM_OK;
    uint32_t  capacity = keys->capacity == 0 ? 64 : 2 * keys->capacity;
    corm_str *more = realloc(keys->keys, capacity * sizeof *more);
    if (!more) return base__fail_memory(err);
    keys->keys = more;
    keys->capacity = capacity;
    return CORM_OK;
}

corm_status orm__keys_add(orm_keys *keys, corm_str bytes, uint32_t *index, corm_error *err) {
    uintptr_t known = (uintptr_t)base__map_get(&keys->known, bytes);
    if (known) {
        *index = (uint32_t)(known - 1);
        return CORM_OK;
    }
    CORM_TRY(make_room(keys, err));
    const char *copy = base__arena_copy(&keys->arena, bytes.data, bytes.len);
    if (!copy) return base__fail_memory(err);
    corm_str key = { copy, bytes.len };
    if (!base__map_put(&keys->known, key, (void *)((uintptr_t)keys->count + 1))) {
        return base__fail_memory(err);
    }
    *index = keys->count;
    keys->keys[keys->count++] = key;
    return CORM_OK;
}

/* The column of the rows' plan that the field was read from; false: it was not read. */
static bool column_of(const corm_rows *rows, const orm_field *field, uint32_t *out) {
    for (uint32_t i = 0; rows->plan && i < rows->plan->count; i++) {
        const orm_field *read = rows->plan->steps[i].field;
        if (!read || !corm_str_equal(read->name, field->name)) continue;
        *out = i;
        return true;
    }
    return false;
}

static corm_status columns_of(const corm_rows *rows, const orm_key *key, uint32_t *columns,
                              corm_error *err) {
    for (uint32_t i = 0; i < key->count; i++) {
        if (column_of(rows, key->fields[i], &columns[i])) continue;
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the rows of '%s' were read without their column '%s', which is needed: "
                          "select it",
                          rows->model->table.data, key->fields[i]->name.data);
    }
    return CORM_OK;
}

static bool any_null(const corm_rows *rows, uint32_t row, const uint32_t *columns, uint32_t count) {
    if (!rows->nulls) return false;
    const uint64_t *nulls = rows->nulls + (size_t)row * rows->words;
    for (uint32_t i = 0; i < count; i++) {
        if (nulls[columns[i] / 64] >> columns[i] % 64 & 1) return true;
    }
    return false;
}

corm_status orm__keys_of_rows(orm_keys *keys, const corm_rows *rows, const orm_key *key,
                              uint32_t *of_row, corm_error *err) {
    uint32_t columns[ORM_MOST_KEY];
    if (rows->count == 0) return CORM_OK;
    CORM_TRY(columns_of(rows, key, columns, err));
    base_buf    bytes = { 0 };
    base_arena  arena = { 0 };
    size_t      size = rows->model->spec->row_size;
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < rows->count && status == CORM_OK; i++) {
        bool whole = false;
        of_row[i] = ORM_NO_KEY;
        if (any_null(rows, i, columns, key->count)) continue;
        base__buf_clear(&bytes);
        status = orm__key_bytes(key, rows->structs + i * size, &arena, &bytes, &whole, err);
        if (status != CORM_OK || !whole) continue;
        status = orm__keys_add(keys, base__buf_str(&bytes), &of_row[i], err);
    }
    base__arena_free(&arena);
    base__buf_free(&bytes);
    return status;
}
