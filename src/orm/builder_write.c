// SPDX-License-Identifier: MIT
/* builder_write.c -- what builders of INSERT, UPDATE and DELETE write. One thread. */
#include "orm/builder.h"

/* ---- values ---- */

static bool set_insert(corm_builder *builder, const char *column, cql_expr *value) {
    cql_insert *insert = &builder->statement.as.insert;
    cql_name   *name = ORM_PUSH(builder, insert->columns, insert->count);
    if (!name || !orm__builder_column(builder, column, name)) return false;
    return orm__builder_one(builder, value, &insert->values, &insert->value_count);
}

static cql_change *new_change(corm_builder *builder, const char *column, cql_change_kind kind) {
    cql_update *update = &builder->statement.as.update;
    cql_change *change = ORM_PUSH(builder, update->changes, update->change_count);
    if (!change || !orm__builder_column(builder, column, &change->column)) return NULL;
    change->kind = kind;
    return change;
}

static void set(corm_builder *builder, const char *column, cql_expr *value) {
    if (!value) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "the value of '%s' is NULL",
                         column ? column : "");
        return;
    }
    if (builder->statement.kind == CQL_STMT_INSERT) {
        set_insert(builder, column, value);
        return;
    }
    cql_change *change = new_change(builder, column, CQL_CHANGE_SET);
    if (change) change->value = value;
}

corm_builder *corm_builder_set_value(corm_builder *builder, const char *column, corm_value value) {
    if (!orm__builder_is(builder, ORM_B_INSERT | ORM_B_UPDATE, "values")) return builder;
    cql_expr *marker = orm__builder_marker(builder, &value);
    if (marker) set(builder, column, marker);
    return builder;
}

corm_builder *corm_builder_set_expr(corm_builder *builder, const char *column, corm_expr *expr) {
    if (!orm__builder_is(builder, ORM_B_INSERT | ORM_B_UPDATE, "values")) return builder;
    set(builder, column, expr ? &expr->node : NULL);
    return builder;
}

corm_builder *corm_builder_insert_json(corm_builder *builder, const char *json,
                                       bool default_unset) {
    if (!orm__builder_is(builder, ORM_B_INSERT, "JSON")) return builder;
    corm_value text = corm_of_text(json);
    builder->statement.as.insert.json = orm__builder_marker(builder, &text);
    builder->statement.as.insert.json_default_unset = default_unset;
    if (builder->statement.as.insert.count > 0) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "INSERT JSON has no other values");
    }
    return builder;
}

/* ---- edits ---- */

static const struct {
    cql_change_kind kind;
    bool            own; /* c = c + value names the column again */
} edits[] = {
    [CORM_EDIT_SET] = { CQL_CHANGE_SET, false },
    [CORM_EDIT_ADD] = { CQL_CHANGE_ADD, true },
    [CORM_EDIT_REMOVE] = { CQL_CHANGE_SUBTRACT, true },
    [CORM_EDIT_APPEND] = { CQL_CHANGE_ADD, true },
    [CORM_EDIT_PREPEND] = { CQL_CHANGE_PREPEND, true },
    [CORM_EDIT_PUT] = { CQL_CHANGE_SET_ELEMENT, false },
    [CORM_EDIT_DROP] = { CQL_CHANGE_SET_ELEMENT, false },
    [CORM_EDIT_FIELD] = { CQL_CHANGE_SET_FIELD, false },
    [CORM_EDIT_INCREMENT] = { CQL_CHANGE_ADD, true },
    [CORM_EDIT_DECREMENT] = { CQL_CHANGE_SUBTRACT, true },
};

enum { EDIT_COUNT = sizeof edits / sizeof *edits };

/* The wire form of a list is that of a set, so that removing needs not know which of them the column is. */
static cql_expr *value_of(corm_builder *builder, const corm_edit *edit) {
    corm_value value = edit->value;
    bool       list = edit->kind == CORM_EDIT_APPEND || edit->kind == CORM_EDIT_PREPEND;
    if (edit->kind == CORM_EDIT_DROP) return orm__builder_null(builder);
    if (edit->one) value = corm_of_items(list ? CORM_LIST : CORM_SET, &edit->value, 1);
    return orm__builder_marker(builder, &value);
}

static bool add_update(corm_builder *builder, const corm_edit *edit) {
    cql_change *change = new_change(builder, edit->column, edits[edit->kind].kind);
    if (!change) return false;
    if (edits[edit->kind].own) change->other = change->column;
    if (edit->kind == CORM_EDIT_FIELD &&
        !orm__builder_text(builder, edit->field ? edit->field : "", &change->field.text)) {
        return false;
    }
    if (change->kind == CQL_CHANGE_SET_ELEMENT) {
        change->key = orm__builder_marker(builder, &edit->key);
        if (!change->key) return false;
    }
    change->value = value_of(builder, edit);
    return change->value != NULL;
}

static bool add_delete(corm_builder *builder, const corm_edit *edit) {
    if (edit->kind != CORM_EDIT_DROP) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT,
                                "a DELETE has no edits but corm_drop");
    }
    cql_change *change = new_change(builder, edit->column, CQL_CHANGE_DELETE_ELEMENT);
    if (change) change->key = orm__builder_marker(builder, &edit->key);
    return change && change->key;
}

static bool drops_from_set(const corm_builder *builder, const corm_edit *edit) {
    if (!builder->model || edit->kind != CORM_EDIT_DROP) return false;
    const orm_field *field = orm__field(builder->model, corm_str_of(edit->column));
    return field && field->type->id == CQL_SET;
}

static bool add_edit(corm_builder *builder, const corm_edit *edit) {
    if ((unsigned)edit->kind >= EDIT_COUNT || edit->kind == CORM_EDIT_NONE) {
        return orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "the edit of '%s' has no kind",
                                edit->column);
    }
    if (builder->statement.kind == CQL_STMT_DELETE) return add_delete(builder, edit);
    corm_edit remove = {
        .column = edit->column, .kind = CORM_EDIT_REMOVE, .one = true, .value = edit->key
    };
    return add_update(builder, drops_from_set(builder, edit) ? &remove : edit);
}

corm_builder *corm_builder_edits(corm_builder *builder, const corm_edit *list) {
    if (!orm__builder_is(builder, ORM_B_UPDATE | ORM_B_DELETE, "edits")) return builder;
    for (size_t i = 0; list && list[i].column; i++) {
        if (!add_edit(builder, &list[i])) break;
    }
    return builder;
}

corm_builder *corm_builder_delete_field(corm_builder *builder, const char *column,
                                        const char *field) {
    if (!orm__builder_is(builder, ORM_B_DELETE, "deleted fields")) return builder;
    cql_change *change = new_change(builder, column, CQL_CHANGE_DELETE_FIELD);
    if (change) orm__builder_text(builder, field ? field : "", &change->field.text);
    return builder;
}

/* ---- USING ---- */

static cql_using *using_of(corm_builder *builder) {
    cql_statement *s = &builder->statement;
    return s->kind == CQL_STMT_INSERT ? &s->as.insert.using : &s->as.update.using;
}

corm_builder *corm_builder_ttl(corm_builder *builder, int32_t seconds) {
    if (!orm__builder_is(builder, ORM_B_INSERT | ORM_B_UPDATE, "TTL")) return builder;
    corm_value value = corm_of_i32(seconds);
    using_of(builder)->ttl = orm__builder_marker(builder, &value);
    return builder;
}

corm_builder *corm_builder_timestamp(corm_builder *builder, int64_t microseconds) {
    if (!orm__builder_is(builder, ORM_B_INSERT | ORM_B_UPDATE | ORM_B_DELETE, "TIMESTAMP")) {
        return builder;
    }
    corm_value value = corm_of_i64(microseconds);
    using_of(builder)->timestamp = orm__builder_marker(builder, &value);
    return builder;
}
