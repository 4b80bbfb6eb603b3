// SPDX-License-Identifier: MIT
/* model_json.c -- models read from JSON. docs/models.md has the form.
 *
 * Each object has a table of the keys that it may have, so that a wrong one is named with its
 * place: "fields.email.validate.requird: unknown key, did you mean 'required'?". One thread. */
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "orm/model_json.h"

enum { MOST_JSON_FILE = 16 << 20 };

/* ---- key and order ---- */

static corm_status add_key(orm_json_reader *r, const json_t *value, bool partition) {
    const char *name = NULL;
    CORM_TRY(orm__json_text(r, value, &name));
    for (uint32_t i = 0; i < r->key_count; i++) {
        if (strcmp(r->key[i], name) == 0)
            return orm__json_wrong(r, "'%s' is in the key already", name);
    }
    if (r->key_count == ORM_MOST_FIELDS) return orm__json_wrong(r, "the key is too long");
    r->key[r->key_count++] = name;
    r->partition_count += partition;
    return CORM_OK;
}

static corm_status add_partition_key(orm_json_reader *r, const json_t *names) {
    if (json_array_size(names) == 0) return orm__json_wrong(r, "the partition key has no column");
    for (size_t i = 0; i < json_array_size(names); i++) {
        size_t before = orm__json_enter(r, NULL, i);
        CORM_TRY(add_key(r, json_array_get(names, i), true));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

static corm_status model_key(orm_json_reader *r, const json_t *value, void *target) {
    (void)target;
    if (!json_is_array(value)) return orm__json_wrong(r, "an array of columns is expected");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        size_t        before = orm__json_enter(r, NULL, i);
        CORM_TRY(i == 0 && json_is_array(item) ? add_partition_key(r, item)
                                               : add_key(r, item, i == 0));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

/* Keys are applied when all of the object is read, in whatever order it is written. */
static corm_status find_field(orm_json_reader *r, const char *name, corm_field **out) {
    *out = orm__build_find(&r->builder, name);
    if (*out) return CORM_OK;
    corm_str names[ORM_MOST_FIELDS];
    for (uint32_t i = 0; i < r->builder.count; i++) {
        names[i] = corm_str_of(r->builder.fields[i].name);
    }
    corm_str near = orm__nearest(corm_str_of(name), names, r->builder.count);
    if (near.len == 0) return orm__json_wrong(r, "there is no field '%s'", name);
    return orm__json_wrong(r, "there is no field '%s', did you mean '%.*s'?", name, (int)near.len,
                           near.data);
}

static corm_status apply_key(orm_json_reader *r) {
    size_t before = orm__json_enter(r, "key", 0);
    if (r->key_count == 0) return orm__json_wrong(r, "the model has no key");
    for (uint32_t i = 0; i < r->key_count; i++) {
        corm_field *field;
        CORM_TRY(find_field(r, r->key[i], &field));
        if (field->key == CORM_STATIC) {
            return orm__json_wrong(r, "'%s' is static and part of the key", r->key[i]);
        }
        field->key = i < r->partition_count ? CORM_PARTITION : CORM_CLUSTERING;
    }
    orm__json_leave(r, before);
    return CORM_OK;
}

static corm_status apply_order(orm_json_reader *r, const json_t *object) {
    const char *name;
    json_t     *value;
    if (!object) return CORM_OK;
    size_t outside = orm__json_enter(r, "clustering_order", 0);
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        corm_field *field;
        const char *order = NULL;
        size_t      before = orm__json_enter(r, name, 0);
        CORM_TRY(find_field(r, name, &field));
        CORM_TRY(orm__json_text(r, value, &order));
        if (field->key != CORM_CLUSTERING)
            return orm__json_wrong(r, "this is no clustering column");
        if (base__str_equal_nocase(corm_str_of(order), corm_str_of("desc"))) {
            field->key = CORM_CLUSTERING_DESC;
        } else if (!base__str_equal_nocase(corm_str_of(order), corm_str_of("asc"))) {
            return orm__json_wrong(r, "'%s' is neither asc nor desc", order);
        }
        orm__json_leave(r, before);
    }
    orm__json_leave(r, outside);
    return CORM_OK;
}

static corm_status apply_indexes(orm_json_reader *r, const json_t *array) {
    if (!array) return CORM_OK;
    size_t outside = orm__json_enter(r, "indexes", 0);
    if (!json_is_array(array)) return orm__json_wrong(r, "an array of columns is expected");
    for (size_t i = 0; i < json_array_size(array); i++) {
        corm_field *field;
        const char *name = NULL;
        size_t      before = orm__json_enter(r, NULL, i);
        CORM_TRY(orm__json_text(r, json_array_get(array, i), &name));
        CORM_TRY(find_field(r, name, &field));
        field->indexed = true;
        orm__json_leave(r, before);
    }
    orm__json_leave(r, outside);
    return CORM_OK;
}

/* ---- a model ---- */

static corm_status model_table(orm_json_reader *r, const json_t *value, void *target) {
    (void)target;
    return orm__json_text(r, value, &r->model->table);
}

static corm_status model_keyspace(orm_json_reader *r, const json_t *value, void *target) {
    (void)target;
    return orm__json_text(r, value, &r->model->keyspace);
}

/* Read when the key is known. */
static corm_status later(orm_json_reader *r, const json_t *value, void *target) {
    (void)r, (void)value, (void)target;
    return CORM_OK;
}

static const orm_json_key model_lines[] = {
    { "table", model_table },
    { "keyspace", model_keyspace },
    { "fields", orm__json_fields },
    { "relations", orm__json_relations },
    { "key", model_key },
    { "clustering_order", later },
    { "indexes", later },
    { "options", orm__json_options },
    { "scopes", orm__json_scopes },
    { "query_tables", orm__json_query_tables },
    { NULL, NULL },
};

/* Everything that loading would refuse is refused here. */
static corm_status check_model(orm_json_reader *r) {
    orm_model  *compiled;
    corm_error  why = { 0 };
    corm_status status = orm__compile(r->model, &compiled, &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(r->err);
    if (status != CORM_OK) return orm__json_wrong(r, "%s", why.message);
    orm__model_free(compiled);
    return CORM_OK;
}

static corm_status read_model(orm_json_reader *r, const json_t *object) {
    CORM_TRY(orm__json_object(r, object, model_lines, NULL));
    if (!r->model->table) return orm__json_wrong(r, "the model has no table");
    if (r->builder.count == 0) return orm__json_wrong(r, "the model has no fields");
    CORM_TRY(apply_key(r));
    CORM_TRY(apply_order(r, json_object_get(object, "clustering_order")));
    CORM_TRY(apply_indexes(r, json_object_get(object, "indexes")));
    CORM_TRY(orm__build_finish(&r->builder, r->key, r->key_count, r->model, r->err));
    return check_model(r);
}

static corm_status read_one(base_arena *arena, const json_t *object, size_t index, bool in_array,
                            const corm_model **out, corm_error *err) {
    orm_json_reader *r = BASE_NEW(arena, orm_json_reader);
    if (!r) return base__fail_memory(err);
    r->arena = arena;
    r->builder.arena = arena;
    r->err = err;
    r->model = BASE_NEW(arena, corm_model);
    if (!r->model) return base__fail_memory(err);
    if (in_array) orm__json_enter(r, NULL, index);
    CORM_TRY(read_model(r, object));
    *out = r->model;
    return CORM_OK;
}

/* ---- files ---- */

typedef struct model_set {
    base_arena        arena;
    const corm_model *models[]; /* ended by NULL; what the caller holds */
} model_set;

static corm_status read_models(const json_t *root, const corm_model *const **out, corm_error *err) {
    bool       array = json_is_array(root);
    size_t     count = array ? json_array_size(root) : 1;
    model_set *set = calloc(1, sizeof *set + (count + 1) * sizeof set->models[0]);
    if (!set) return base__fail_memory(err);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const json_t *object = array ? json_array_get(root, i) : root;
        status = read_one(&set->arena, object, i, array, &set->models[i], err);
    }
    if (status != CORM_OK) {
        corm_models_free(set->models);
        return status;
    }
    *out = set->models;
    return CORM_OK;
}

corm_status corm_models_parse(corm_str json, const corm_model *const **out, corm_error *err) {
    json_error_t why;
    *out = NULL;
    json_t *root = json_loadb(json.data ? json.data : "", json.len, JSON_REJECT_DUPLICATES, &why);
    if (!root) {
        if (json_error_code(&why) == json_error_out_of_memory) return base__fail_memory(err);
        return base__fail_at(err, CORM_INVALID_ARGUMENT, why.line > 0 ? (uint32_t)why.line : 0,
                             why.column > 0 ? (uint32_t)why.column : 0,
                             "the JSON is wrong in line %d, column %d: %s", why.line, why.column,
                             why.text);
    }
    corm_status status = read_models(root, out, err);
    json_decref(root);
    return status;
}

static corm_status read_file(const char *path, base_buf *out, corm_error *err) {
    CORM_TRY(base__read_file(path, MOST_JSON_FILE, out, err));
    if (out->len > MOST_JSON_FILE)
        return base__fail(err, CORM_INVALID_ARGUMENT, "%s is longer than 16 MiB", path);
    return CORM_OK;
}

corm_status corm_models_read(const char *path, const corm_model *const **out, corm_error *err) {
    base_buf   text = { 0 };
    corm_error why = { 0 };
    *out = NULL;
    corm_status status = read_file(path, &text, err);
    if (status == CORM_OK) {
        status = corm_models_parse(base__buf_str(&text), out, &why);
        if (status != CORM_OK) {
            (void)base__fail_at(err, status, why.line, why.column, "%s: %s", path, why.message);
        }
    }
    base__buf_free(&text);
    return status;
}

void corm_models_free(const corm_model *const *models) {
    if (!models) return;
    model_set *set = (model_set *)((uintptr_t)models - offsetof(model_set, models));
    base__arena_free(&set->arena);
    free(set);
}
