// SPDX-License-Identifier: MIT
/* relation_key.c -- keys of several columns, and the paths by which rows can be asked for by them. Pure; any thread. */
#include "orm/relation.h"

/* ---- keys ---- */

static corm_str trimmed(const char *from, const char *to) {
    while (from < to && *from == ' ') from++;
    while (to > from && to[-1] == ' ') to--;
    return (corm_str){ from, (size_t)(to - from) };
}

static corm_status add_name(const orm_model *model, corm_str name, orm_key *out, corm_error *err) {
    char text[128];
    if (name.len == 0 || name.len >= sizeof text || out->count == ORM_MOST_KEY) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "model '%s': a key is 1 to %d names of columns with commas between them",
                          model->table.data, ORM_MOST_KEY);
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    const orm_field *field;
    CORM_TRY(orm__field_named(model, text, &field, err));
    for (uint32_t i = 0; i < out->count; i++) {
        if (out->fields[i] != field) continue;
        return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s': '%s' is in the key twice",
                          model->table.data, text);
    }
    out->fields[out->count++] = field;
    return CORM_OK;
}

corm_status orm__key_parse(const orm_model *model, const char *names, orm_key *out,
                           corm_error *err) {
    *out = (orm_key){ 0 };
    for (;;) {
        const char *end = strchr(names, ',');
        const char *to = end ? end : names + strlen(names);
        CORM_TRY(add_name(model, trimmed(names, to), out, err));
        if (!end) return CORM_OK;
        names = end + 1;
    }
}

static corm_status put_value(const orm_field *field, const corm_value *value, base_buf *out,
                             corm_error *err) {
    corm_error why = { 0 };
    size_t     at = out->len;
    base__buf_i32(out, 0);
    corm_status status = cql__encode(field->type, value, out, &why);
    if (status == CORM_OK) status = base__buf_status(out, &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(err);
    if (status != CORM_OK) {
        return base__fail(err, status, "column '%s': %s", field->name.data, why.message);
    }
    base__buf_set_i32(out, at, (int32_t)(out->len - at - 4));
    return CORM_OK;
}

corm_status orm__key_bytes(const orm_key *key, const void *row, base_arena *arena, base_buf *out,
                           bool *whole, corm_error *err) {
    size_t before = out->len;
    *whole = true;
    for (uint32_t i = 0; i < key->count; i++) {
        corm_value value;
        CORM_TRY(orm__member_get(key->fields[i], row, false, arena, &value, err));
        if (value.kind <= CORM_NULL) {
            out->len = before;
            *whole = false;
            return CORM_OK;
        }
        CORM_TRY(put_value(key->fields[i], &value, out, err));
    }
    return CORM_OK;
}

/* ---- paths ---- */

static bool position_in(const orm_key *key, corm_str name, uint32_t *out) {
    for (uint32_t i = 0; i < key->count; i++) {
        if (!corm_str_equal(key->fields[i]->name, name)) continue;
        *out = i;
        return true;
    }
    return false;
}

/* Whether the columns are the first of the table's key, and all of its partition key. */
static bool is_prefix(orm_model *table, const orm_key *key, orm_path_kind kind, orm_path *out) {
    if (key->count < table->partition_count || key->count > table->key_count) return false;
    *out = (orm_path){ .kind = kind, .table = table, .key = { .count = key->count } };
    for (uint32_t i = 0; i < key->count; i++) {
        if (!position_in(key, table->keys[i]->name, &out->order[i])) return false;
        out->key.fields[i] = table->keys[i];
    }
    return true;
}

corm_status orm__path_find(orm_model *model, const orm_key *key, bool partial, orm_path *out) {
    if (is_prefix(model, key, ORM_BY_KEY, out)) return CORM_OK;
    for (uint32_t i = 0; i < model->copy_count; i++) {
        orm_model *copy = model->copies[i];
        if (!partial && copy->count < model->count) continue;
        if (is_prefix(copy, key, ORM_BY_COPY, out)) return CORM_OK;
    }
    if (key->count != 1) return CORM_NOT_FOUND;
    const corm_field *spec = key->fields[0]->spec;
    if (!spec->unique && !spec->indexed) return CORM_NOT_FOUND;
    *out = (orm_path){ .kind = spec->unique ? ORM_BY_UNIQUE : ORM_BY_INDEX,
                       .table = model,
                       .key = *key };
    return CORM_OK;
}
