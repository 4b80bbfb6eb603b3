// SPDX-License-Identifier: MIT
/* model_json.c -- models read from JSON. docs/models.md has the form.
 *
 * Each object has a table of the keys that it may have, so that a wrong one is named with its
 * place: "fields.email.validate.requird: unknown key, did you mean 'required'?". One thread. */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "orm/build.h"
#include "orm/core.h"

enum { MOST_KEYS = 32, MOST_PATH = 256, MOST_JSON_FILE = 16 << 20 };

typedef struct reader {
    base_arena *arena;
    orm_builder builder;
    corm_model *model;
    const char *key[ORM_MOST_FIELDS]; /* partition key, then clustering columns */
    uint32_t    key_count, partition_count;
    uint32_t    relation_count;
    char        path[MOST_PATH]; /* where the reader is: "fields.email.validate" */
    corm_error *err;
} reader;

static corm_status CORM_PRINTF(2, 3) wrong(reader *r, const char *format, ...) {
    char    text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return base__fail(r->err, CORM_INVALID_ARGUMENT, "%s%s%s", r->path, *r->path ? ": " : "", text);
}

/* Appends ".name", or "[3]" when there is no name; gives the old length for leave(). */
static size_t enter(reader *r, const char *name, size_t index) {
    size_t before = strlen(r->path);
    char  *end = r->path + before;
    if (name) {
        snprintf(end, sizeof r->path - before, "%s%s", before > 0 ? "." : "", name);
    } else {
        snprintf(end, sizeof r->path - before, "[%zu]", index);
    }
    size_t len = strlen(r->path);
    while (len > before && !base__utf8_valid(r->path, len)) r->path[--len] = '\0';
    return before;
}

static void leave(reader *r, size_t before) {
    r->path[before] = '\0';
}

/* ---- values ---- */

static corm_status read_text(reader *r, const json_t *value, const char **out) {
    if (!json_is_string(value)) return wrong(r, "a text is expected");
    *out =
        base__arena_str(r->arena, (corm_str){ json_string_value(value), json_string_length(value) })
            .data;
    return *out ? CORM_OK : base__fail_memory(r->err);
}

static corm_status read_bool(reader *r, const json_t *value, bool *out) {
    if (!json_is_boolean(value)) return wrong(r, "true or false is expected");
    *out = json_is_true(value);
    return CORM_OK;
}

static corm_status read_count(reader *r, const json_t *value, int64_t most, int64_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > most) {
        return wrong(r, "a whole number from 0 to %lld is expected", (long long)most);
    }
    *out = json_integer_value(value);
    return CORM_OK;
}

static corm_status read_number(reader *r, const json_t *value, bool *has, double *out) {
    if (!json_is_number(value)) return wrong(r, "a number is expected");
    *has = true;
    *out = json_number_value(value);
    return CORM_OK;
}

/* ---- objects ---- */

typedef corm_status read_key(reader *r, const json_t *value, void *target);

typedef struct key_line {
    const char *name;
    read_key   *read;
} key_line;

static corm_status unknown_key(reader *r, const char *name, const key_line *lines) {
    corm_str names[MOST_KEYS];
    size_t   count = 0;
    for (; lines[count].name; count++) names[count] = corm_str_of(lines[count].name);
    corm_str near = orm__nearest(corm_str_of(name), names, count);
    if (near.len == 0) return wrong(r, "unknown key");
    return wrong(r, "unknown key, did you mean '%.*s'?", (int)near.len, near.data);
}

static corm_status read_line(reader *r, const char *name, const json_t *value,
                             const key_line *lines, void *target) {
    for (const key_line *line = lines; line->name; line++) {
        if (strcmp(line->name, name) == 0) return line->read(r, value, target);
    }
    return unknown_key(r, name, lines);
}

static corm_status read_object(reader *r, const json_t *object, const key_line *lines,
                               void *target) {
    if (!json_is_object(object)) return wrong(r, "an object is expected");
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = enter(r, name, 0);
        CORM_TRY(read_line(r, name, value, lines, target));
        leave(r, before);
    }
    return CORM_OK;
}

/* ---- rules ---- */

#define RULE(name, expression)                                                                     \
    static corm_status name(reader *r, const json_t *value, void *target) {                        \
        corm_rules *rules = target;                                                                \
        return expression;                                                                         \
    }
RULE(rule_required, read_bool(r, value, &rules->required))
RULE(rule_email, read_bool(r, value, &rules->email))
RULE(rule_url, read_bool(r, value, &rules->url))
RULE(rule_uuid, read_bool(r, value, &rules->uuid))
RULE(rule_min, read_number(r, value, &rules->has_min, &rules->min))
RULE(rule_max, read_number(r, value, &rules->has_max, &rules->max))
RULE(rule_pattern, read_text(r, value, &rules->pattern))
RULE(rule_message, read_text(r, value, &rules->message))
#undef RULE

static corm_status rule_min_length(reader *r, const json_t *value, void *target) {
    int64_t count = 0;
    CORM_TRY(read_count(r, value, UINT32_MAX, &count));
    ((corm_rules *)target)->min_length = (uint32_t)count;
    return CORM_OK;
}

static corm_status rule_max_length(reader *r, const json_t *value, void *target) {
    int64_t count = 0;
    CORM_TRY(read_count(r, value, UINT32_MAX, &count));
    ((corm_rules *)target)->max_length = (uint32_t)count;
    return CORM_OK;
}

static corm_status rule_one_of(reader *r, const json_t *value, void *target) {
    corm_rules *rules = target;
    size_t      most = sizeof rules->one_of / sizeof *rules->one_of;
    if (!json_is_array(value)) return wrong(r, "an array of texts is expected");
    if (json_array_size(value) > most) return wrong(r, "at most %zu texts are possible", most);
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t before = enter(r, NULL, i);
        CORM_TRY(read_text(r, json_array_get(value, i), &rules->one_of[i]));
        leave(r, before);
    }
    return CORM_OK;
}

static const key_line rule_lines[] = {
    { "required", rule_required },
    { "isEmail", rule_email },
    { "email", rule_email },
    { "isUrl", rule_url },
    { "url", rule_url },
    { "isUUID", rule_uuid },
    { "uuid", rule_uuid },
    { "minLength", rule_min_length },
    { "min_length", rule_min_length },
    { "maxLength", rule_max_length },
    { "max_length", rule_max_length },
    { "min", rule_min },
    { "max", rule_max },
    { "pattern", rule_pattern },
    { "oneOf", rule_one_of },
    { "one_of", rule_one_of },
    { "message", rule_message },
    { NULL, NULL },
};

/* ---- fields ---- */

static corm_status field_type(reader *r, const json_t *value, void *target) {
    return read_text(r, value, &((corm_field *)target)->cql);
}

static corm_status field_unique(reader *r, const json_t *value, void *target) {
    return read_bool(r, value, &((corm_field *)target)->unique);
}

static corm_status field_indexed(reader *r, const json_t *value, void *target) {
    return read_bool(r, value, &((corm_field *)target)->indexed);
}

static corm_status field_skip_zero(reader *r, const json_t *value, void *target) {
    return read_bool(r, value, &((corm_field *)target)->skip_zero);
}

static corm_status field_static(reader *r, const json_t *value, void *target) {
    bool is_static = false;
    CORM_TRY(read_bool(r, value, &is_static));
    ((corm_field *)target)->key = is_static ? CORM_STATIC : CORM_REGULAR;
    return CORM_OK;
}

static corm_status field_validate(reader *r, const json_t *value, void *target) {
    return read_object(r, value, rule_lines, &((corm_field *)target)->validate);
}

static corm_status field_generate(reader *r, const json_t *value, void *target) {
    static const struct {
        const char   *name;
        corm_generate generate;
    } names[] = {
        { "uuid", CORM_NEW_UUID },
        { "timeuuid", CORM_NEW_TIMEUUID },
        { "now", CORM_NEW_NOW },
        { "each_now", CORM_EACH_NOW },
    };
    const char *text = NULL;
    CORM_TRY(read_text(r, value, &text));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, text) != 0) continue;
        ((corm_field *)target)->generate = names[i].generate;
        return CORM_OK;
    }
    return wrong(r, "'%s' is none of uuid, timeuuid, now, each_now", text);
}

static const key_line field_lines[] = {
    { "type", field_type },           { "unique", field_unique },
    { "indexed", field_indexed },     { "static", field_static },
    { "skip_zero", field_skip_zero }, { "generate", field_generate },
    { "validate", field_validate },   { NULL, NULL },
};

static corm_status read_field(reader *r, const char *name, const json_t *value) {
    corm_field *field = orm__build_field(&r->builder);
    if (!field) return base__fail_memory(r->err);
    if (r->builder.count > ORM_MOST_FIELDS) return wrong(r, "the model has too many fields");
    field->name = base__arena_str(r->arena, corm_str_of(name)).data;
    if (!field->name) return base__fail_memory(r->err);
    if (json_is_string(value)) return read_text(r, value, &field->cql);
    if (!json_is_object(value)) return wrong(r, "a type or an object with a type is expected");
    CORM_TRY(read_object(r, value, field_lines, field));
    return field->cql ? CORM_OK : wrong(r, "it has no type");
}

static corm_status model_fields(reader *r, const json_t *object, void *target) {
    (void)target;
    if (!json_is_object(object)) return wrong(r, "an object is expected");
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = enter(r, name, 0);
        CORM_TRY(read_field(r, name, value));
        leave(r, before);
    }
    return CORM_OK;
}

/* ---- key and order ---- */

static corm_status add_key(reader *r, const json_t *value, bool partition) {
    const char *name = NULL;
    CORM_TRY(read_text(r, value, &name));
    for (uint32_t i = 0; i < r->key_count; i++) {
        if (strcmp(r->key[i], name) == 0) return wrong(r, "'%s' is in the key already", name);
    }
    if (r->key_count == ORM_MOST_FIELDS) return wrong(r, "the key is too long");
    r->key[r->key_count++] = name;
    r->partition_count += partition;
    return CORM_OK;
}

static corm_status add_partition_key(reader *r, const json_t *names) {
    if (json_array_size(names) == 0) return wrong(r, "the partition key has no column");
    for (size_t i = 0; i < json_array_size(names); i++) {
        size_t before = enter(r, NULL, i);
        CORM_TRY(add_key(r, json_array_get(names, i), true));
        leave(r, before);
    }
    return CORM_OK;
}

static corm_status model_key(reader *r, const json_t *value, void *target) {
    (void)target;
    if (!json_is_array(value)) return wrong(r, "an array of columns is expected");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        size_t        before = enter(r, NULL, i);
        CORM_TRY(i == 0 && json_is_array(item) ? add_partition_key(r, item)
                                               : add_key(r, item, i == 0));
        leave(r, before);
    }
    return CORM_OK;
}

/* Keys are applied when all of the object is read, in whatever order it is written. */
static corm_status find_field(reader *r, const char *name, corm_field **out) {
    *out = orm__build_find(&r->builder, name);
    if (*out) return CORM_OK;
    corm_str names[ORM_MOST_FIELDS];
    for (uint32_t i = 0; i < r->builder.count; i++) {
        names[i] = corm_str_of(r->builder.fields[i].name);
    }
    corm_str near = orm__nearest(corm_str_of(name), names, r->builder.count);
    if (near.len == 0) return wrong(r, "there is no field '%s'", name);
    return wrong(r, "there is no field '%s', did you mean '%.*s'?", name, (int)near.len, near.data);
}

static corm_status apply_key(reader *r) {
    size_t before = enter(r, "key", 0);
    if (r->key_count == 0) return wrong(r, "the model has no key");
    for (uint32_t i = 0; i < r->key_count; i++) {
        corm_field *field;
        CORM_TRY(find_field(r, r->key[i], &field));
        if (field->key == CORM_STATIC) {
            return wrong(r, "'%s' is static and part of the key", r->key[i]);
        }
        field->key = i < r->partition_count ? CORM_PARTITION : CORM_CLUSTERING;
    }
    leave(r, before);
    return CORM_OK;
}

static corm_status apply_order(reader *r, const json_t *object) {
    const char *name;
    json_t     *value;
    if (!object) return CORM_OK;
    size_t outside = enter(r, "clustering_order", 0);
    if (!json_is_object(object)) return wrong(r, "an object is expected");
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        corm_field *field;
        const char *order = NULL;
        size_t      before = enter(r, name, 0);
        CORM_TRY(find_field(r, name, &field));
        CORM_TRY(read_text(r, value, &order));
        if (field->key != CORM_CLUSTERING) return wrong(r, "this is no clustering column");
        if (base__str_equal_nocase(corm_str_of(order), corm_str_of("desc"))) {
            field->key = CORM_CLUSTERING_DESC;
        } else if (!base__str_equal_nocase(corm_str_of(order), corm_str_of("asc"))) {
            return wrong(r, "'%s' is neither asc nor desc", order);
        }
        leave(r, before);
    }
    leave(r, outside);
    return CORM_OK;
}

static corm_status apply_indexes(reader *r, const json_t *array) {
    if (!array) return CORM_OK;
    size_t outside = enter(r, "indexes", 0);
    if (!json_is_array(array)) return wrong(r, "an array of columns is expected");
    for (size_t i = 0; i < json_array_size(array); i++) {
        corm_field *field;
        const char *name = NULL;
        size_t      before = enter(r, NULL, i);
        CORM_TRY(read_text(r, json_array_get(array, i), &name));
        CORM_TRY(find_field(r, name, &field));
        field->indexed = true;
        leave(r, before);
    }
    leave(r, outside);
    return CORM_OK;
}

/* ---- relations and options ---- */

static corm_status relation_model(reader *r, const json_t *value, void *target) {
    return read_text(r, value, &((corm_relation *)target)->model);
}

static corm_status relation_key(reader *r, const json_t *value, void *target) {
    return read_text(r, value, &((corm_relation *)target)->foreign_key);
}

static corm_status relation_type(reader *r, const json_t *value, void *target) {
    static const char *const names[] = {
        [CORM_HAS_ONE] = "hasOne", [CORM_HAS_MANY] = "hasMany", [CORM_BELONGS_TO] = "belongsTo"
    };
    const char *text = NULL;
    CORM_TRY(read_text(r, value, &text));
    for (int kind = CORM_HAS_ONE; kind <= CORM_BELONGS_TO; kind++) {
        if (strcmp(text, names[kind]) == 0) {
            ((corm_relation *)target)->kind = (corm_relation_kind)kind;
            return CORM_OK;
        }
    }
    return wrong(r, "'%s' is none of hasOne, hasMany, belongsTo", text);
}

static const key_line relation_lines[] = {
    { "model", relation_model },
    { "type", relation_type },
    { "foreignKey", relation_key },
    { "foreign_key", relation_key },
    { NULL, NULL },
};

static corm_status model_relations(reader *r, const json_t *object, void *target) {
    (void)target;
    if (!json_is_object(object)) return wrong(r, "an object is expected");
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = enter(r, name, 0);
        if (r->relation_count == CORM_MODEL_MAX_RELATIONS) {
            return wrong(r, "a model has at most %d relations", CORM_MODEL_MAX_RELATIONS);
        }
        corm_relation *relation = &r->model->relations[r->relation_count++];
        relation->name = base__arena_str(r->arena, corm_str_of(name)).data;
        if (!relation->name) return base__fail_memory(r->err);
        CORM_TRY(read_object(r, value, relation_lines, relation));
        if (!relation->model || !relation->foreign_key || !relation->kind) {
            return wrong(r, "a relation has model, foreignKey and type");
        }
        leave(r, before);
    }
    return CORM_OK;
}

static corm_status option_ttl(reader *r, const json_t *value, void *target) {
    int64_t seconds = 0;
    CORM_TRY(read_count(r, value, 630720000, &seconds));
    ((corm_model_options *)target)->default_ttl_seconds = (int32_t)seconds;
    return CORM_OK;
}

static corm_status option_comment(reader *r, const json_t *value, void *target) {
    return read_text(r, value, &((corm_model_options *)target)->comment);
}

static corm_status option_with(reader *r, const json_t *value, void *target) {
    return read_text(r, value, &((corm_model_options *)target)->with);
}

static const key_line option_lines[] = {
    { "default_ttl_seconds", option_ttl },
    { "comment", option_comment },
    { "with", option_with },
    { NULL, NULL },
};

static corm_status model_options(reader *r, const json_t *value, void *target) {
    (void)target;
    return read_object(r, value, option_lines, &r->model->options);
}

/* ---- a model ---- */

static corm_status model_table(reader *r, const json_t *value, void *target) {
    (void)target;
    return read_text(r, value, &r->model->table);
}

static corm_status model_keyspace(reader *r, const json_t *value, void *target) {
    (void)target;
    return read_text(r, value, &r->model->keyspace);
}

/* Read when the key is known. */
static corm_status later(reader *r, const json_t *value, void *target) {
    (void)r, (void)value, (void)target;
    return CORM_OK;
}

static const key_line model_lines[] = {
    { "table", model_table },
    { "keyspace", model_keyspace },
    { "fields", model_fields },
    { "relations", model_relations },
    { "key", model_key },
    { "clustering_order", later },
    { "indexes", later },
    { "options", model_options },
    { NULL, NULL },
};

/* Everything that loading would refuse is refused here. */
static corm_status check_model(reader *r) {
    orm_model  *compiled;
    corm_error  why = { 0 };
    corm_status status = orm__compile(r->model, &compiled, &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(r->err);
    if (status != CORM_OK) return wrong(r, "%s", why.message);
    orm__model_free(compiled);
    return CORM_OK;
}

static corm_status read_model(reader *r, const json_t *object) {
    CORM_TRY(read_object(r, object, model_lines, NULL));
    if (!r->model->table) return wrong(r, "the model has no table");
    if (r->builder.count == 0) return wrong(r, "the model has no fields");
    CORM_TRY(apply_key(r));
    CORM_TRY(apply_order(r, json_object_get(object, "clustering_order")));
    CORM_TRY(apply_indexes(r, json_object_get(object, "indexes")));
    CORM_TRY(orm__build_finish(&r->builder, r->key, r->key_count, r->model, r->err));
    return check_model(r);
}

static corm_status read_one(base_arena *arena, const json_t *object, size_t index, bool in_array,
                            const corm_model **out, corm_error *err) {
    reader *r = BASE_NEW(arena, reader);
    if (!r) return base__fail_memory(err);
    r->arena = arena;
    r->builder.arena = arena;
    r->err = err;
    r->model = BASE_NEW(arena, corm_model);
    if (!r->model) return base__fail_memory(err);
    if (in_array) enter(r, NULL, index);
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
