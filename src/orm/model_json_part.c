// SPDX-License-Identifier: MIT
/* model_json_part.c -- relations and options of a model in JSON. One thread. */
#include "orm/model_json.h"

/* ---- relations and options ---- */

static corm_status relation_model(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_text(r, value, &((corm_relation *)target)->model);
}

static corm_status relation_key(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_text(r, value, &((corm_relation *)target)->foreign_key);
}

static corm_status relation_type(orm_json_reader *r, const json_t *value, void *target) {
    static const char *const names[] = {
        [CORM_HAS_ONE] = "hasOne", [CORM_HAS_MANY] = "hasMany", [CORM_BELONGS_TO] = "belongsTo"
    };
    const char *text = NULL;
    CORM_TRY(orm__json_text(r, value, &text));
    for (int kind = CORM_HAS_ONE; kind <= CORM_BELONGS_TO; kind++) {
        if (strcmp(text, names[kind]) == 0) {
            ((corm_relation *)target)->kind = (corm_relation_kind)kind;
            return CORM_OK;
        }
    }
    return orm__json_wrong(r, "'%s' is none of hasOne, hasMany, belongsTo", text);
}

static const orm_json_key relation_lines[] = {
    { "model", relation_model },
    { "type", relation_type },
    { "foreignKey", relation_key },
    { "foreign_key", relation_key },
    { NULL, NULL },
};

corm_status orm__json_relations(orm_json_reader *r, const json_t *object, void *target) {
    (void)target;
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = orm__json_enter(r, name, 0);
        if (r->relation_count == CORM_MODEL_MAX_RELATIONS) {
            return orm__json_wrong(r, "a model has at most %d relations", CORM_MODEL_MAX_RELATIONS);
        }
        corm_relation *relation = &r->model->relations[r->relation_count++];
        relation->name = base__arena_str(r->arena, corm_str_of(name)).data;
        if (!relation->name) return base__fail_memory(r->err);
        CORM_TRY(orm__json_object(r, value, relation_lines, relation));
        if (!relation->model || !relation->foreign_key || !relation->kind) {
            return orm__json_wrong(r, "a relation has model, foreignKey and type");
        }
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

static corm_status option_ttl(orm_json_reader *r, const json_t *value, void *target) {
    int64_t seconds = 0;
    CORM_TRY(orm__json_count(r, value, 630720000, &seconds));
    ((corm_model_options *)target)->default_ttl_seconds = (int32_t)seconds;
    return CORM_OK;
}

static corm_status option_comment(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_text(r, value, &((corm_model_options *)target)->comment);
}

static corm_status option_with(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_text(r, value, &((corm_model_options *)target)->with);
}

static const orm_json_key option_lines[] = {
    { "default_ttl_seconds", option_ttl },
    { "comment", option_comment },
    { "with", option_with },
    { NULL, NULL },
};

corm_status orm__json_options(orm_json_reader *r, const json_t *value, void *target) {
    (void)target;
    return orm__json_object(r, value, option_lines, &r->model->options);
}
