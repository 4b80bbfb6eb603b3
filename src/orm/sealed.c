// SPDX-License-Identifier: MIT
/* sealed.c -- columns that are stored sealed: what they may be, what they may be asked, values in and out. Any thread. */
#include "orm/core.h"

static const cql_type *blob_type(base_arena *arena) {
    const cql_type *type;
    return orm__type_parse(arena, corm_str_of("blob"), &type, NULL) == CORM_OK ? type : NULL;
}

static bool has_udt(const cql_type *type) {
    if (type->id == CQL_UDT) return true;
    for (uint32_t i = 0; i < type->count; i++) {
        if (has_udt(type->params[i])) return true;
    }
    return false;
}

static const char *why_not(const orm_field *field) {
    const corm_field *spec = field->spec;
    if ((unsigned)spec->sealed > CORM_SEALED_EQUAL) return "its .sealed is none of corm_sealing";
    if (orm__is_key(field))
        return "a key column cannot be sealed: the store orders and routes by it";
    if (field->type->id == CQL_COUNTER) return "a counter cannot be sealed: the store adds to it";
    if (has_udt(field->type)) return "a user-defined type cannot be sealed: seal a text or a blob";
    if (spec->sealed == CORM_SEALED_EQUAL) return NULL;
    if (spec->unique) return "a unique column is sealed with CORM_SEALED_EQUAL";
    if (spec->indexed) return "an indexed column is sealed with CORM_SEALED_EQUAL";
    return NULL;
}

const char *orm__sealed_check(orm_field *field, base_arena *arena) {
    field->stored_cql = field->cql;
    field->stored_type = field->type;
    if (!orm__is_sealed(field)) return NULL;
    field->stored_cql = corm_str_of("blob");
    field->stored_type = blob_type(arena);
    return why_not(field);
}

static corm_status load_field(orm_model *model, orm_field *field, corm_error *err) {
    base_buf column = { 0 };
    if (!model->db->keyring) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "model '%s', field '%s': it is sealed, and the db was opened without a "
                          ".keyring",
                          model->table.data, field->name.data);
    }
    base__buf_put_str(&column, model->copy_of ? model->copy_of->table : model->table);
    base__buf_u8(&column, '.');
    base__buf_put_str(&column, field->name);
    corm_status status = base__buf_status(&column, err);
    if (status == CORM_OK) {
        bool equal = field->spec->sealed == CORM_SEALED_EQUAL;
        status = seal__box_new(model->db->keyring, base__buf_str(&column), equal, &field->box, err);
    }
    base__buf_free(&column);
    return status;
}

corm_status orm__sealed_load(orm_model *model, corm_error *err) {
    for (uint32_t i = 0; i < model->count; i++) {
        orm_field *field = &model->fields[i];
        if (orm__is_sealed(field)) CORM_TRY(load_field(model, field, err));
    }
    return CORM_OK;
}

const char *orm__sealed_refuses(const orm_field *field, corm_op op) {
    switch (op) {
    case CORM_NULL_OP:
    case CORM_NOT_NULL_OP: return NULL;
    case CORM_EQ:
    case CORM_NE:
    case CORM_IN:
        if (field->spec->sealed != CORM_SEALED) return NULL;
        return "asks for a sealed column by its value, which takes CORM_SEALED_EQUAL";
    default:
        return orm__is_sealed(field)
                   ? "asks for a sealed column by more than equality, which cannot be done"
                   : NULL;
    }
}

corm_status orm__sealed_open(const orm_field *field, cql_value sealed, base_arena *arena,
                             cql_value *out, corm_error *err) {
    base_buf    value = { 0 };
    corm_status status = seal__open(field->box, orm__bytes_of(sealed), &value, err);
    if (status == CORM_OK) {
        const void *bytes = value.len > 0 ? value.data : (const void *)"";
        out->data = base__arena_copy(arena, bytes, value.len);
        out->len = (int32_t)value.len;
        if (!out->data) status = base__fail_memory(err);
    }
    base__buf_free(&value);
    return status;
}

/* ---- binding ---- */

static corm_status seal_value(const orm_field *field, const corm_value *value, base_arena *arena,
                              corm_value *out, corm_error *err) {
    cql_value sealed;
    CORM_TRY(orm__encode(field, value, arena, &sealed, err));
    *out = sealed.len < 0 ? corm_null() : corm_of_blob(orm__bytes_of(sealed));
    return CORM_OK;
}

static corm_status seal_list(const orm_field *field, const corm_value *list, base_arena *arena,
                             corm_value *out, corm_error *err) {
    uint32_t    count = list->as.items.count;
    corm_value *items = BASE_NEW_ARRAY(arena, corm_value, count + 1);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(seal_value(field, &list->as.items.items[i], arena, &items[i], err));
    }
    *out = corm_of_items(CORM_LIST, items, count);
    return CORM_OK;
}

/* A list for a column that holds none is the right side of IN. */
static bool is_in_list(const orm_field *field, const corm_value *value) {
    return value->kind == CORM_LIST && field->type->id != CQL_LIST;
}

corm_status orm__bind(corm_statement *statement, uint32_t marker, const orm_field *field,
                      const corm_value *value, base_arena *arena, corm_error *err) {
    corm_value stored = *value;
    if (field && field->box && value->kind > CORM_NULL) {
        bool list = is_in_list(field, value);
        CORM_TRY((list ? seal_list : seal_value)(field, value, arena, &stored, err));
    }
    return corm_statement_bind(statement, marker, stored, err);
}
