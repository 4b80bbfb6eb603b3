// SPDX-License-Identifier: MIT
/* role.c -- the columns of a model that do something for its rows beside holding a value: checked when the model is compiled. */
#include "orm/core.h"

static corm_status bad(const orm_model *model, const orm_field *field, const char *what,
                       corm_error *err) {
    return base__fail(err, CORM_INVALID_ARGUMENT, "model '%s', field '%s': %s", model->table.data,
                      field->name.data, what);
}

static bool is_whole_member(corm_member member) {
    return member == CORM_MEMBER_I32 || member == CORM_MEMBER_I64 || member == CORM_MEMBER_VALUE;
}

static corm_status take_version(orm_model *model, const orm_field *field, corm_error *err) {
    cql_type_id id = field->type->id;
    if (model->version) return bad(model, field, "a row has one version", err);
    if ((id != CQL_BIGINT && id != CQL_INT) || !is_whole_member(field->member)) {
        return bad(model, field, "a version is a bigint in an int64_t or an int in an int32_t",
                   err);
    }
    if (id == CQL_BIGINT && field->member == CORM_MEMBER_I32) {
        return bad(model, field, "an int32_t cannot hold every version of a bigint", err);
    }
    if (field->spec->skip_zero) return bad(model, field, "a version has no .skip_zero", err);
    model->version = field;
    return CORM_OK;
}

static corm_status take_deleted_at(orm_model *model, const orm_field *field, corm_error *err) {
    if (model->deleted_at) return bad(model, field, "a row is deleted by one column", err);
    if (field->type->id != CQL_TIMESTAMP) {
        return bad(model, field, "the time of a deletion is a timestamp", err);
    }
    if (field->spec->validate.required) {
        return bad(model, field, "the time of a deletion cannot be required", err);
    }
    model->deleted_at = field;
    return CORM_OK;
}

static corm_status take(orm_model *model, const orm_field *field, corm_error *err) {
    corm_role role = field->spec->role;
    if (role == CORM_PLAIN) return CORM_OK;
    if (role != CORM_ROW_VERSION && role != CORM_DELETED_AT) {
        return bad(model, field, "its .role is none of corm_role", err);
    }
    if (field->key != CORM_REGULAR) {
        return bad(model, field, "only a regular column can have a role", err);
    }
    if (field->spec->unique || field->spec->generate != CORM_GIVEN) {
        return bad(model, field, "a column with a role is neither unique nor generated", err);
    }
    if (field->spec->sealed != CORM_NOT_SEALED) {
        return bad(model, field, "a column with a role cannot be sealed", err);
    }
    return role == CORM_ROW_VERSION ? take_version(model, field, err)
                                    : take_deleted_at(model, field, err);
}

corm_status orm__check_roles(orm_model *model, corm_error *err) {
    for (uint32_t i = 0; i < model->count; i++) CORM_TRY(take(model, &model->fields[i], err));
    return CORM_OK;
}
