// SPDX-License-Identifier: MIT
/* model_json_field.c -- fields and rules of a model in JSON. One thread. */
#include "orm/model_json.h"

/* ---- rules ---- */

#define RULE(name, expression)                                                                     \
    static corm_status name(orm_json_reader *r, const json_t *value, void *target) {               \
        corm_rules *rules = target;                                                                \
        return expression;                                                                         \
    }
RULE(rule_required, orm__json_bool(r, value, &rules->required))
RULE(rule_email, orm__json_bool(r, value, &rules->email))
RULE(rule_url, orm__json_bool(r, value, &rules->url))
RULE(rule_uuid, orm__json_bool(r, value, &rules->uuid))
RULE(rule_min, orm__json_number(r, value, &rules->has_min, &rules->min))
RULE(rule_max, orm__json_number(r, value, &rules->has_max, &rules->max))
RULE(rule_pattern, orm__json_text(r, value, &rules->pattern))
RULE(rule_message, orm__json_text(r, value, &rules->message))
#undef RULE

static corm_status rule_min_length(orm_json_reader *r, const json_t *value, void *target) {
    int64_t count = 0;
    CORM_TRY(orm__json_count(r, value, UINT32_MAX, &count));
    ((corm_rules *)target)->min_length = (uint32_t)count;
    return CORM_OK;
}

static corm_status rule_max_length(orm_json_reader *r, const json_t *value, void *target) {
    int64_t count = 0;
    CORM_TRY(orm__json_count(r, value, UINT32_MAX, &count));
    ((corm_rules *)target)->max_length = (uint32_t)count;
    return CORM_OK;
}

static corm_status rule_one_of(orm_json_reader *r, const json_t *value, void *target) {
    corm_rules *rules = target;
    size_t      most = sizeof rules->one_of / sizeof *rules->one_of;
    if (!json_is_array(value)) return orm__json_wrong(r, "an array of texts is expected");
    if (json_array_size(value) > most)
        return orm__json_wrong(r, "at most %zu texts are possible", most);
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t before = orm__json_enter(r, NULL, i);
        CORM_TRY(orm__json_text(r, json_array_get(value, i), &rules->one_of[i]));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

static const orm_json_key rule_lines[] = {
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

static corm_status field_type(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_text(r, value, &((corm_field *)target)->cql);
}

static corm_status field_unique(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_bool(r, value, &((corm_field *)target)->unique);
}

static corm_status field_indexed(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_bool(r, value, &((corm_field *)target)->indexed);
}

static corm_status field_skip_zero(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_bool(r, value, &((corm_field *)target)->skip_zero);
}

static corm_status field_static(orm_json_reader *r, const json_t *value, void *target) {
    bool is_static = false;
    CORM_TRY(orm__json_bool(r, value, &is_static));
    ((corm_field *)target)->key = is_static ? CORM_STATIC : CORM_REGULAR;
    return CORM_OK;
}

static corm_status field_validate(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_object(r, value, rule_lines, &((corm_field *)target)->validate);
}

static corm_status field_generate(orm_json_reader *r, const json_t *value, void *target) {
    static const orm_json_word words[] = {
        { "uuid", CORM_NEW_UUID },
        { "timeuuid", CORM_NEW_TIMEUUID },
        { "now", CORM_NEW_NOW },
        { "each_now", CORM_EACH_NOW },
        { NULL, 0 },
    };
    int generate = CORM_GIVEN;
    CORM_TRY(orm__json_word(r, value, words, &generate));
    ((corm_field *)target)->generate = (corm_generate)generate;
    return CORM_OK;
}

static corm_status field_shown(orm_json_reader *r, const json_t *value, void *target) {
    static const orm_json_word words[] = {
        { "plain", CORM_SHOWN },
        { "masked", CORM_MASKED },
        { "partly", CORM_MASKED_PARTLY },
        { "hidden", CORM_HIDDEN },
        { NULL, 0 },
    };
    int shown = CORM_SHOWN;
    CORM_TRY(orm__json_word(r, value, words, &shown));
    ((corm_field *)target)->shown = (corm_shown)shown;
    return CORM_OK;
}

static corm_status field_sealed(orm_json_reader *r, const json_t *value, void *target) {
    static const orm_json_word words[] = {
        { "no", CORM_NOT_SEALED },
        { "random", CORM_SEALED },
        { "equal", CORM_SEALED_EQUAL },
        { NULL, 0 },
    };
    int sealed = CORM_NOT_SEALED;
    CORM_TRY(orm__json_word(r, value, words, &sealed));
    ((corm_field *)target)->sealed = (corm_sealing)sealed;
    return CORM_OK;
}

static corm_status field_role(orm_json_reader *r, const json_t *value, void *target) {
    static const orm_json_word words[] = {
        { "plain", CORM_PLAIN },
        { "version", CORM_ROW_VERSION },
        { "deleted_at", CORM_DELETED_AT },
        { NULL, 0 },
    };
    int role = CORM_PLAIN;
    CORM_TRY(orm__json_word(r, value, words, &role));
    ((corm_field *)target)->role = (corm_role)role;
    return CORM_OK;
}

static const orm_json_key field_lines[] = {
    { "role", field_role },
    { "shown", field_shown },
    { "sealed", field_sealed },
    { "type", field_type },
    { "unique", field_unique },
    { "indexed", field_indexed },
    { "static", field_static },
    { "skip_zero", field_skip_zero },
    { "generate", field_generate },
    { "validate", field_validate },
    { NULL, NULL },
};

static corm_status read_field(orm_json_reader *r, const char *name, const json_t *value) {
    corm_field *field = orm__build_field(&r->builder);
    if (!field) return base__fail_memory(r->err);
    if (r->builder.count > ORM_MOST_FIELDS)
        return orm__json_wrong(r, "the model has too many fields");
    field->name = base__arena_str(r->arena, corm_str_of(name)).data;
    if (!field->name) return base__fail_memory(r->err);
    if (json_is_string(value)) return orm__json_text(r, value, &field->cql);
    if (!json_is_object(value))
        return orm__json_wrong(r, "a type or an object with a type is expected");
    CORM_TRY(orm__json_object(r, value, field_lines, field));
    return field->cql ? CORM_OK : orm__json_wrong(r, "it has no type");
}

corm_status orm__json_fields(orm_json_reader *r, const json_t *object, void *target) {
    (void)target;
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = orm__json_enter(r, name, 0);
        CORM_TRY(read_field(r, name, value));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}
