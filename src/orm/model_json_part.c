// SPDX-License-Identifier: MIT
/* model_json_part.c -- relations, query tables and options of a model in JSON. One thread. */
#include "orm/model_json.h"

/* ---- relations ---- */

/* Names: one text with commas, or an array of texts. */
static corm_status read_names(orm_json_reader *r, const json_t *value, const char **out) {
    base_buf joined = { 0 };
    if (!json_is_array(value)) return orm__json_text(r, value, out);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *name = NULL;
        size_t      before = orm__json_enter(r, NULL, i);
        corm_status status = orm__json_text(r, json_array_get(value, i), &name);
        if (status != CORM_OK) base__buf_free(&joined);
        CORM_TRY(status);
        base__buf_printf(&joined, "%s%s", i > 0 ? ", " : "", name);
        orm__json_leave(r, before);
    }
    *out = joined.failed ? NULL : base__arena_str(r->arena, base__buf_str(&joined)).data;
    base__buf_free(&joined);
    return *out ? CORM_OK : base__fail_memory(r->err);
}

#define RELATION(name, expression)                                                                 \
    static corm_status name(orm_json_reader *r, const json_t *value, void *target) {               \
        corm_relation *relation = target;                                                          \
        return expression;                                                                         \
    }
RELATION(relation_model, orm__json_text(r, value, &relation->model))
RELATION(relation_through, orm__json_text(r, value, &relation->through))
RELATION(relation_key, read_names(r, value, &relation->foreign_key))
RELATION(relation_references, read_names(r, value, &relation->references))
RELATION(relation_other, read_names(r, value, &relation->other_key))
#undef RELATION

static corm_status relation_type(orm_json_reader *r, const json_t *value, void *target) {
    static const orm_json_word words[] = { { "hasOne", CORM_HAS_ONE },
                                           { "hasMany", CORM_HAS_MANY },
                                           { "belongsTo", CORM_BELONGS_TO },
                                           { "manyToMany", CORM_MANY_TO_MANY },
                                           { NULL, 0 } };
    int                        kind = 0;
    CORM_TRY(orm__json_word(r, value, words, &kind));
    ((corm_relation *)target)->kind = (corm_relation_kind)kind;
    return CORM_OK;
}

static corm_status relation_on_delete(orm_json_reader *r, const json_t *value, void *target) {
    static const orm_json_word words[] = { { "leave", CORM_DELETE_LEAVES },
                                           { "cascade", CORM_DELETE_CASCADES },
                                           { "null", CORM_DELETE_NULLS },
                                           { "refuse", CORM_DELETE_REFUSES },
                                           { NULL, 0 } };
    int                        what = 0;
    CORM_TRY(orm__json_word(r, value, words, &what));
    ((corm_relation *)target)->on_delete = (corm_on_delete)what;
    return CORM_OK;
}

static const orm_json_key relation_lines[] = {
    { "model", relation_model },
    { "type", relation_type },
    { "foreignKey", relation_key },
    { "foreign_key", relation_key },
    { "references", relation_references },
    { "through", relation_through },
    { "otherKey", relation_other },
    { "other_key", relation_other },
    { "onDelete", relation_on_delete },
    { "on_delete", relation_on_delete },
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

/* ---- query tables ---- */

#define TABLE(name, expression)                                                                    \
    static corm_status name(orm_json_reader *r, const json_t *value, void *target) {               \
        corm_query_table *table = target;                                                          \
        return expression;                                                                         \
    }
TABLE(table_name, orm__json_text(r, value, &table->table))
TABLE(table_partition, read_names(r, value, &table->partition_key))
TABLE(table_clustering, read_names(r, value, &table->clustering_key))
TABLE(table_columns, read_names(r, value, &table->columns))
#undef TABLE

static const orm_json_key table_lines[] = {
    { "table", table_name },
    { "partition_key", table_partition },
    { "clustering_key", table_clustering },
    { "columns", table_columns },
    { NULL, NULL },
};

corm_status orm__json_query_tables(orm_json_reader *r, const json_t *array, void *target) {
    (void)target;
    if (!json_is_array(array)) return orm__json_wrong(r, "an array of query tables is expected");
    corm_query_table *tables =
        BASE_NEW_ARRAY(r->arena, corm_query_table, json_array_size(array) + 1);
    if (!tables) return base__fail_memory(r->err);
    for (size_t i = 0; i < json_array_size(array); i++) {
        size_t before = orm__json_enter(r, NULL, i);
        CORM_TRY(orm__json_object(r, json_array_get(array, i), table_lines, &tables[i]));
        if (!tables[i].table || !tables[i].partition_key) {
            return orm__json_wrong(r, "a query table has table and partition_key");
        }
        orm__json_leave(r, before);
    }
    r->model->query_tables = tables;
    return CORM_OK;
}

/* ---- options ---- */

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
