// SPDX-License-Identifier: MIT
/* build.c -- models that are not in the program: from a list of fields, and from an existing
 * table. One thread. */
#include "orm/build.h"

#include <stdlib.h>

#include "base/fail.h"
#include "orm/core.h"

corm_field *orm__build_field(orm_builder *builder) {
    if (builder->count == builder->capacity) {
        uint32_t    capacity = builder->capacity == 0 ? 16 : 2 * builder->capacity;
        corm_field *fields = BASE_NEW_ARRAY(builder->arena, corm_field, capacity);
        if (!fields) return NULL;
        if (builder->count > 0) memcpy(fields, builder->fields, builder->count * sizeof *fields);
        builder->fields = fields;
        builder->capacity = capacity;
    }
    return &builder->fields[builder->count++];
}

corm_field *orm__build_find(orm_builder *builder, const char *name) {
    for (uint32_t i = 0; i < builder->count; i++) {
        if (strcmp(builder->fields[i].name, name) == 0) return &builder->fields[i];
    }
    return NULL;
}

static bool is_in(const char *name, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

corm_status orm__build_finish(orm_builder *builder, const char *const *key, uint32_t key_count,
                              corm_model *model, corm_error *err) {
    corm_field *more = NULL;
    uint32_t    count = 0;
    if (builder->count > CORM_MODEL_MAX_FIELDS) {
        more =
            BASE_NEW_ARRAY(builder->arena, corm_field, builder->count - CORM_MODEL_MAX_FIELDS + 1);
        if (!more) return base__fail_memory(err);
    }
    for (uint32_t pass = 0; pass < 2; pass++) {
        uint32_t candidates = pass == 0 ? key_count : builder->count;
        for (uint32_t i = 0; i < candidates; i++) {
            corm_field *field = pass == 0 ? orm__build_find(builder, key[i]) : &builder->fields[i];
            if (!field || (pass == 1 && is_in(field->name, key, key_count))) continue;
            field->member = CORM_MEMBER_VALUE;
            field->offset = count * (uint32_t)sizeof(corm_value);
            field->size = sizeof(corm_value);
            if (count < CORM_MODEL_MAX_FIELDS) {
                model->fields[count] = *field;
            } else {
                more[count - CORM_MODEL_MAX_FIELDS] = *field;
            }
            count++;
        }
    }
    model->more_fields = more;
    model->row_size = count * sizeof(corm_value);
    return CORM_OK;
}

/* ---- from a table ---- */

typedef struct table_model {
    corm_model model; /* first: what the caller holds */
    base_arena arena;
} table_model;

static corm_status add_column(orm_builder *builder, const corm_column_info *column,
                              corm_error *err) {
    corm_field *field = orm__build_field(builder);
    if (!field) return base__fail_memory(err);
    field->name = base__arena_str(builder->arena, corm_str_of(column->name)).data;
    field->cql = base__arena_str(builder->arena, corm_str_of(column->type)).data;
    field->key = column->key;
    field->indexed = column->indexed;
    return field->name && field->cql ? CORM_OK : base__fail_memory(err);
}

static corm_status fill(table_model *out, const corm_table_info *table, corm_error *err) {
    orm_builder builder = { .arena = &out->arena };
    out->model.table = base__arena_str(&out->arena, corm_str_of(table->name)).data;
    out->model.keyspace = base__arena_str(&out->arena, corm_str_of(table->keyspace)).data;
    if (!out->model.table || !out->model.keyspace) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) {
        CORM_TRY(add_column(&builder, &table->columns[i], err));
    }
    return orm__build_finish(&builder, NULL, 0, &out->model, err);
}

corm_status corm_model_from_table(corm_session *session, const char *keyspace, const char *table,
                                  const corm_model **out, corm_error *err) {
    const corm_table_info *info;
    *out = NULL;
    CORM_TRY(corm_table_read(session, keyspace, table, &info, err));
    table_model *made = calloc(1, sizeof *made);
    corm_status  status = made ? fill(made, info, err) : base__fail_memory(err);
    corm_table_free(info);
    if (status != CORM_OK) {
        corm_model_free(made ? &made->model : NULL);
        return status;
    }
    *out = &made->model;
    return CORM_OK;
}

void corm_model_free(const corm_model *model) {
    if (!model) return;
    table_model *made = (table_model *)(uintptr_t)model;
    base__arena_free(&made->arena);
    free(made);
}
