// SPDX-License-Identifier: MIT
/* compile.c -- a model checked and made ready: names quoted, types read, keys in order, patterns
 * compiled.
 *
 * Every fault names the model and the field. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/text.h"
#include "orm/hook.h"
#include "orm/query_table.h"
#include "orm/relation.h"

/* ---- names ---- */

corm_str orm__nearest(corm_str name, const corm_str *names, size_t count) {
    corm_str best = { "", 0 };
    size_t   least = name.len < 4 ? 2 : 4;
    for (size_t i = 0; i < count; i++) {
        size_t distance = base__edit_distance(name, names[i]);
        if (distance >= least) continue;
        least = distance;
        best = names[i];
    }
    return best;
}

const orm_field *orm__field(const orm_model *model, corm_str name) {
    for (uint32_t i = 0; i < model->count; i++) {
        if (corm_str_equal(model->fields[i].name, name)) return &model->fields[i];
    }
    return NULL;
}

corm_status orm__field_named(const orm_model *model, const char *name, const orm_field **out,
                             corm_error *err) {
    *out = orm__field(model, corm_str_of(name));
    if (*out) return CORM_OK;
    corm_str names[ORM_MOST_FIELDS];
    for (uint32_t i = 0; i < model->count; i++) names[i] = model->fields[i].name;
    corm_str near = orm__nearest(corm_str_of(name), names, model->count);
    if (near.len == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s' has no column '%s'",
                          model->table.data, name);
    }
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "model '%s' has no column '%s', did you mean '%.*s'?", model->table.data,
                      name, (int)near.len, near.data);
}

/* ---- types ---- */

static const cql_type *find_udt(void *context, corm_str keyspace, corm_str name) {
    return cql__type_udt(context, keyspace, name, NULL, NULL, 0, false);
}

corm_status orm__type_parse(base_arena *arena, corm_str text, const cql_type **out,
                            corm_error *err) {
    cql_type_lookup lookup = { find_udt, arena };
    return cql__type_parse(arena, text, &lookup, out, err);
}

/* ---- one field ---- */

typedef struct compiling {
    orm_model  *model;
    corm_error *err;
} compiling;

static corm_status bad(compiling *c, const orm_field *field, const char *what) {
    if (!field) {
        return base__fail(c->err, CORM_INVALID_ARGUMENT, "model '%s': %s", c->model->table.data,
                          what);
    }
    return base__fail(c->err, CORM_INVALID_ARGUMENT, "model '%s', field '%s': %s",
                      c->model->table.data, field->name.data, what);
}

static corm_status bad_detail(compiling *c, const orm_field *field, const char *format,
                              const char *detail) {
    char text[sizeof c->err->message + 128];
    snprintf(text, sizeof text, format, detail);
    return bad(c, field, text);
}

/* Quoted where CQL needs it. */
static corm_str quote(base_arena *arena, corm_str name) {
    base_buf text = { 0 };
    cql__put_name(&text, name);
    corm_str out = { NULL, 0 };
    if (!text.failed) out = base__arena_str(arena, base__buf_str(&text));
    base__buf_free(&text);
    return out;
}

static const char *type_text(const corm_field *spec) {
    if (spec->cql) return spec->cql;
    if (spec->member == CORM_MEMBER_UUID && spec->generate == CORM_NEW_TIMEUUID) return "timeuuid";
    return orm__member_cql(spec->member);
}

static corm_status compile_type(compiling *c, orm_field *field) {
    base_arena *arena = &c->model->arena;
    const char *text = type_text(field->spec);
    corm_error  why = { 0 };
    if (!text) {
        return bad_detail(c, field, "a %s needs its type, as in .cql = \"frozen<address>\"",
                          orm__member_c_name(field->member));
    }
    corm_status status = orm__type_parse(arena, corm_str_of(text), &field->type, &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(c->err);
    if (status != CORM_OK) return bad_detail(c, field, "%s", why.message);
    base_buf printed = { 0 };
    cql__type_print(field->type, &printed);
    if (!printed.failed) field->cql = base__arena_str(arena, base__buf_str(&printed));
    base__buf_free(&printed);
    if (!field->cql.data) return base__fail_memory(c->err);
    if (orm__member_takes(field->member, field->type)) return CORM_OK;
    char what[512];
    snprintf(what, sizeof what, "a %s cannot hold a value of type %s",
             orm__member_c_name(field->member), field->cql.data);
    return bad(c, field, what);
}

static corm_status check_member(compiling *c, const orm_field *field) {
    const corm_field *spec = field->spec;
    uint32_t          size = orm__member_size(spec->member);
    if (!orm__member_c_name(spec->member)) {
        return bad(c, field, "it has no member, name one with CORM_COLUMN");
    }
    if ((size != 0 && spec->size != size) || spec->size == 0) {
        return bad(c, field, "its size is not that of its member");
    }
    if ((size_t)spec->offset + spec->size > c->model->spec->row_size) {
        return bad(c, field, "it lies outside of the struct: is .row_size right?");
    }
    return CORM_OK;
}

static bool takes_now(const orm_field *field) {
    switch (field->member) {
    case CORM_MEMBER_TIMESTAMP:
    case CORM_MEMBER_OPT_TIMESTAMP:
    case CORM_MEMBER_DATE: return true;
    case CORM_MEMBER_VALUE: return field->type->id == CQL_TIMESTAMP || field->type->id == CQL_DATE;
    default: return false;
    }
}

static corm_status check_generate(compiling *c, const orm_field *field) {
    bool uuid = field->type->id == CQL_UUID || field->type->id == CQL_TIMEUUID;
    switch (field->spec->generate) {
    case CORM_GIVEN: return CORM_OK;
    case CORM_NEW_UUID:
        if (field->type->id == CQL_UUID) return CORM_OK;
        return bad(c, field, "a random UUID is generated only for a uuid");
    case CORM_NEW_TIMEUUID:
        return uuid ? CORM_OK : bad(c, field, "a UUID is generated only for a uuid or timeuuid");
    case CORM_NEW_NOW:
    case CORM_EACH_NOW:
        if (field->spec->generate == CORM_EACH_NOW && orm__is_key(field)) {
            return bad(c, field, "a key column does not change with each write");
        }
        return takes_now(field)
                   ? CORM_OK
                   : bad(c, field, "the time is generated only for a timestamp or date");
    default: return bad(c, field, "its .generate is none of corm_generate");
    }
}

static corm_status check_unique(compiling *c, const orm_field *field) {
    if (!field->spec->unique) return CORM_OK;
    if (field->key != CORM_REGULAR) return bad(c, field, "only a regular column can be unique");
    if (cql__type_is_multicell(field->type) || field->type->id == CQL_COUNTER) {
        return bad_detail(c, field, "a column of type %s cannot be unique", field->cql.data);
    }
    return CORM_OK;
}

/* ---- rules ---- */

static bool is_text(const orm_field *field) {
    return field->type->id == CQL_TEXT || field->type->id == CQL_ASCII;
}

static bool has_length(const orm_field *field) {
    cql_type_id id = field->type->id;
    return is_text(field) || id == CQL_BLOB || cql__type_is_collection(field->type) ||
           id == CQL_VECTOR || id == CQL_TUPLE;
}

static corm_status compile_pattern(compiling *c, orm_field *field) {
    const char *pattern = field->spec->validate.pattern;
    int         code;
    PCRE2_SIZE  at;
    if (!pattern) return CORM_OK;
    if (!is_text(field)) return bad(c, field, ".pattern is a rule of texts");
    field->pattern =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (field->pattern) {
        pcre2_jit_compile(field->pattern, PCRE2_JIT_COMPLETE); /* without it matching is slower */
        return CORM_OK;
    }
    if (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY) {
        return base__fail_memory(c->err);
    }
    char why[128], what[256];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    snprintf(what, sizeof what, ".pattern is wrong at character %zu: %s", (size_t)at, why);
    return bad(c, field, what);
}

static corm_status check_rules(compiling *c, orm_field *field) {
    const corm_rules *rules = &field->spec->validate;
    if ((rules->email || rules->url) && !is_text(field)) {
        return bad(c, field, ".email and .url are rules of texts");
    }
    if (rules->uuid && !is_text(field)) return bad(c, field, ".uuid is a rule of texts");
    if ((rules->min_length || rules->max_length) && !has_length(field)) {
        return bad(c, field,
                   ".min_length and .max_length are rules of texts, blobs and collections");
    }
    if (rules->max_length != 0 && rules->min_length > rules->max_length) {
        return bad(c, field, ".min_length is greater than .max_length");
    }
    if ((rules->has_min || rules->has_max) && !cql__type_is_numeric(field->type)) {
        return bad(c, field, ".min and .max are rules of numbers");
    }
    if (rules->has_min && rules->has_max && rules->min > rules->max) {
        return bad(c, field, ".min is greater than .max");
    }
    return compile_pattern(c, field);
}

static corm_status compile_field(compiling *c, const corm_field *spec, uint32_t index) {
    orm_field *field = &c->model->fields[index];
    field->spec = spec;
    field->index = index;
    field->member = spec->member;
    field->offset = spec->offset;
    field->size = spec->size;
    field->key = spec->key;
    field->name = base__arena_str(&c->model->arena, corm_str_of(spec->name));
    if (!field->name.data) return base__fail_memory(c->err);
    field->quoted = quote(&c->model->arena, field->name);
    if (!field->quoted.data) return base__fail_memory(c->err);
    if (field->name.len == 0) return bad(c, field, "its name is empty");
    if ((unsigned)spec->key > CORM_STATIC) return bad(c, field, "its .key is none of corm_key");
    CORM_TRY(check_member(c, field));
    CORM_TRY(compile_type(c, field));
    CORM_TRY(check_generate(c, field));
    CORM_TRY(check_unique(c, field));
    const char *why = orm__sealed_check(field, &c->model->arena);
    if (why) return bad(c, field, why);
    if (!field->stored_type) return base__fail_memory(c->err);
    return check_rules(c, field);
}

/* ---- the model ---- */

static uint32_t count_fields(const corm_model *spec) {
    uint32_t count = 0;
    while (count < CORM_MODEL_MAX_FIELDS && spec->fields[count].name) count++;
    uint32_t more = 0;
    while (spec->more_fields && more < ORM_MOST_FIELDS && spec->more_fields[more].name) more++;
    return count + more;
}

static const corm_field *field_at(const corm_model *spec, uint32_t index) {
    uint32_t count = 0;
    while (count < CORM_MODEL_MAX_FIELDS && spec->fields[count].name) count++;
    return index < count ? &spec->fields[index] : &spec->more_fields[index - count];
}

static corm_status compile_fields(compiling *c) {
    orm_model *model = c->model;
    uint32_t   count = count_fields(model->spec);
    if (count == 0) return bad(c, NULL, "it has no fields");
    if (count > ORM_MOST_FIELDS) return bad(c, NULL, "it has more than 1024 fields");
    model->fields = BASE_NEW_ARRAY(&model->arena, orm_field, count);
    model->keys = BASE_NEW_ARRAY(&model->arena, orm_field *, count);
    model->uniques = BASE_NEW_ARRAY(&model->arena, orm_field *, count);
    if (!model->fields || !model->keys || !model->uniques) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < count; i++) {
        const corm_field *spec = field_at(model->spec, i);
        const orm_field  *same = orm__field(model, corm_str_of(spec->name));
        model->count = i + 1; /* so that a failure frees this field's pattern too */
        if (same) return bad(c, same, "two fields have this name");
        CORM_TRY(compile_field(c, spec, i));
        if (spec->unique) model->uniques[model->unique_count++] = &model->fields[i];
        if (model->fields[i].type->id == CQL_COUNTER) model->is_counter = true;
    }
    return CORM_OK;
}

static corm_status check_key(compiling *c, const orm_field *field) {
    if (cql__type_is_multicell(field->type) || field->type->id == CQL_COUNTER) {
        return bad_detail(c, field, "a column of type %s cannot be part of the key",
                          field->cql.data);
    }
    if (field->member >= CORM_MEMBER_OPT_BOOL && field->member <= CORM_MEMBER_OPT_TIMESTAMP) {
        return bad(c, field, "a key column is never absent: use a member that is not optional");
    }
    return CORM_OK;
}

static corm_status order_keys(compiling *c) {
    orm_model *model = c->model;
    bool       has_static = false;
    for (int clustering = 0; clustering < 2; clustering++) {
        for (uint32_t i = 0; i < model->count; i++) {
            orm_field *field = &model->fields[i];
            has_static = has_static || field->key == CORM_STATIC;
            if (!orm__is_key(field) || (field->key != CORM_PARTITION) != clustering) continue;
            CORM_TRY(check_key(c, field));
            model->keys[model->key_count++] = field;
        }
        if (!clustering) model->partition_count = model->key_count;
    }
    if (model->partition_count == 0) {
        return bad(c, NULL, "no field has .key = CORM_PARTITION");
    }
    if (has_static && model->key_count == model->partition_count) {
        return bad(c, NULL, "static columns need clustering columns");
    }
    return CORM_OK;
}

static corm_status check_counters(compiling *c) {
    for (uint32_t i = 0; i < c->model->count && c->model->is_counter; i++) {
        const orm_field *field = &c->model->fields[i];
        if (!orm__is_key(field) && field->type->id != CQL_COUNTER) {
            return bad(c, field, "beside counters there are only key columns and counters");
        }
    }
    return CORM_OK;
}

static corm_status check_spec(compiling *c) {
    const corm_model *spec = c->model->spec;
    if (spec->_canary != 0) return bad(c, NULL, "it is not initialised");
    if (spec->row_size == 0) return bad(c, NULL, "it has no .row_size");
    if (spec->options.default_ttl_seconds < 0) {
        return bad(c, NULL, ".default_ttl_seconds is negative");
    }
    return CORM_OK;
}

static corm_status compile(compiling *c) {
    orm_model *model = c->model;
    model->table = base__arena_str(&model->arena, corm_str_of(model->spec->table));
    model->keyspace = base__arena_str(&model->arena, corm_str_of(model->spec->keyspace));
    if (!model->table.data || !model->keyspace.data) return base__fail_memory(c->err);
    CORM_TRY(check_spec(c));
    CORM_TRY(compile_fields(c));
    CORM_TRY(order_keys(c));
    CORM_TRY(orm__check_roles(model, c->err));
    CORM_TRY(orm__check_scopes(model, c->err));
    CORM_TRY(check_counters(c));
    CORM_TRY(orm__relations_compile(model, c->err));
    return orm__query_tables_compile(model, c->err);
}

corm_status orm__compile(const corm_model *spec, orm_model **out, corm_error *err) {
    *out = NULL;
    if (!spec) return base__fail(err, CORM_INVALID_ARGUMENT, "the model is NULL");
    if (!spec->table || !*spec->table) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the model has no .table");
    }
    orm_model *model = calloc(1, sizeof *model);
    if (!model) return base__fail_memory(err);
    model->spec = spec;
    pthread_mutex_init(&model->lock, NULL);
    compiling   c = { model, err };
    corm_status status = compile(&c);
    if (status != CORM_OK) {
        orm__model_free(model);
        return status;
    }
    *out = model;
    return CORM_OK;
}

void orm__model_free(orm_model *model) {
    if (!model) return;
    orm__relations_free(model);
    orm__query_tables_free(model);
    orm__shapes_free(model);
    orm__hooks_forget(model);
    for (uint32_t i = 0; i < model->count; i++) {
        pcre2_code_free(model->fields[i].pattern);
        seal__box_free(model->fields[i].box);
    }
    pthread_mutex_destroy(&model->lock);
    base__arena_free(&model->arena);
    free(model);
}
