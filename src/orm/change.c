// SPDX-License-Identifier: MIT
/* change.c -- corm_change: collections and counters changed where they are, as an update through the chain of all writes.
 *
 *   set a whole column         the member of a copy of the struct, written as an update writes it: validated, unique, sealed
 *   add, remove, append, …     an assignment of its own in the statement: tags = tags + ?, likes[?] = ?; how[] is ORM_EDITED
 *
 * Element types are the server's to check: the markers have them. Any thread. */
#include "orm/core.h"

/* ---- what may be done to which column ---- */

static bool is_list(const cql_type *type) {
    return type->id == CQL_LIST && !type->frozen;
}

static bool is_map(const cql_type *type) {
    return type->id == CQL_MAP && !type->frozen;
}

static bool is_set(const cql_type *type) {
    return type->id == CQL_SET && !type->frozen;
}

/* NULL: it is possible. */
static const char *misfit(const corm_edit *edit, const cql_type *type) {
    switch (edit->kind) {
    case CORM_EDIT_SET:
        return type->id == CQL_COUNTER ? "a counter is only incremented and decremented" : NULL;
    case CORM_EDIT_ADD:
        if (is_map(type) && edit->one) return "an entry is put into a map by its key: corm_put";
        return is_set(type) || is_map(type)
                   ? NULL
                   : "values are added to a set or a map that is not frozen";
    case CORM_EDIT_REMOVE:
        return is_set(type) || is_map(type) || is_list(type)
                   ? NULL
                   : "values are removed from a collection that is not frozen";
    case CORM_EDIT_APPEND:
    case CORM_EDIT_PREPEND:
        return is_list(type) ? NULL : "values are appended to a list that is not frozen";
    case CORM_EDIT_PUT:
        return is_list(type) || is_map(type)
                   ? NULL
                   : "an element is put into a map or list that is not frozen";
    case CORM_EDIT_DROP:
        return is_list(type) || is_map(type) || is_set(type)
                   ? NULL
                   : "an element is dropped from a collection that is not frozen";
    case CORM_EDIT_FIELD:
        return type->id == CQL_UDT && !type->frozen
                   ? NULL
                   : "a field is put into a user-defined type that is not frozen";
    case CORM_EDIT_INCREMENT:
    case CORM_EDIT_DECREMENT:
        return type->id == CQL_COUNTER ? NULL : "only a counter is incremented";
    default: return "its kind is none of corm_edit_kind";
    }
}

static bool has_field(const cql_type *type, const char *name) {
    for (uint32_t i = 0; name && type->field_names && i < type->count; i++) {
        if (corm_str_equal(type->field_names[i], corm_str_of(name))) return true;
    }
    return false;
}

static corm_status check_edit(const orm_write *write, const corm_edit *edit,
                              const orm_field *field) {
    const char *wrong = misfit(edit, field->type);
    bool        has_value = edit->value.kind > CORM_NULL;
    bool        may_be_null =
        edit->kind == CORM_EDIT_SET || edit->kind == CORM_EDIT_PUT || edit->kind == CORM_EDIT_FIELD;
    bool keyed = edit->kind == CORM_EDIT_PUT || edit->kind == CORM_EDIT_DROP;
    if (orm__is_key(field)) wrong = "a key column does not change";
    if (field->spec->role != CORM_PLAIN) wrong = "a column with a role is not changed by hand";
    if (!wrong && field->spec->sealed != CORM_NOT_SEALED && edit->kind != CORM_EDIT_SET) {
        wrong = "a sealed column is only set as a whole";
    }
    if (!wrong && edit->kind == CORM_EDIT_FIELD && !has_field(field->type, edit->field)) {
        wrong = "the type has no such field";
    }
    if (!wrong && keyed && edit->key.kind <= CORM_NULL) wrong = "the change has no key";
    if (!wrong && edit->kind != CORM_EDIT_DROP && !has_value &&
        !(may_be_null && edit->value.kind == CORM_NULL)) {
        wrong = "the change has no value";
    }
    return wrong ? orm__write_bad(write, field, wrong) : CORM_OK;
}

/* ---- the step of the chain ---- */

/* Into the row, which is a copy; texts may go on pointing to the program's. */
static corm_status set_member(orm_write *write, const corm_edit *edit, const orm_field *field) {
    cql_value  wire;
    corm_value value;
    write->how[field->index] = edit->value.kind == CORM_NULL ? ORM_NULL : ORM_VALUE;
    if (edit->value.kind == CORM_NULL) return CORM_OK;
    CORM_TRY(orm__encode(field, &edit->value, &write->arena, &wire, write->err));
    CORM_TRY(cql__decode(field->type, wire, &write->arena, &value, write->err));
    return orm__member_set(field, &value, write->row + field->offset, &write->arena, write->err);
}

corm_status orm__change_columns(orm_write *write) {
    for (uint32_t i = 0; i < write->edit_count; i++) {
        const corm_edit *edit = &write->edits[i];
        const orm_field *field;
        CORM_TRY(orm__field_named(write->model, edit->column, &field, write->err));
        CORM_TRY(check_edit(write, edit, field));
        if (edit->kind == CORM_EDIT_SET) {
            CORM_TRY(set_member(write, edit, field));
        } else {
            write->how[field->index] = ORM_EDITED;
        }
    }
    return CORM_OK;
}

/* ---- the statement ---- */

static const orm_field *field_of(const orm_write *write, const corm_edit *edit) {
    return orm__field(write->model, corm_str_of(edit->column));
}

bool orm__is_edited(const orm_write *write, const orm_field *field) {
    return write->edit_count > 0 && write->how[field->index] == ORM_EDITED;
}

static void put_edit(const corm_edit *edit, const orm_field *field, base_buf *out) {
    const char *column = field->quoted.data;
    switch (edit->kind) {
    case CORM_EDIT_PREPEND: base__buf_printf(out, "%s = ? + %s", column, column); return;
    case CORM_EDIT_PUT: base__buf_printf(out, "%s[?] = ?", column); return;
    case CORM_EDIT_FIELD:
        base__buf_printf(out, "%s.", column);
        cql__put_name(out, corm_str_of(edit->field));
        base__buf_puts(out, " = ?");
        return;
    case CORM_EDIT_DROP:
        if (field->type->id == CQL_LIST) {
            base__buf_printf(out, "%s[?] = null", column);
            return;
        } /* fall through */
    case CORM_EDIT_REMOVE:
    case CORM_EDIT_DECREMENT: base__buf_printf(out, "%s = %s - ?", column, column); return;
    default: base__buf_printf(out, "%s = %s + ?", column, column); return;
    }
}

void orm__put_edits(const orm_write *write, const char **before, base_buf *out) {
    for (uint32_t i = 0; i < write->edit_count; i++) {
        if (write->edits[i].kind == CORM_EDIT_SET) continue;
        base__buf_puts(out, *before);
        *before = ", ";
        put_edit(&write->edits[i], field_of(write, &write->edits[i]), out);
    }
}

void orm__edits_key(const orm_write *write, base_buf *key) {
    for (uint32_t i = 0; i < write->edit_count; i++) {
        const corm_edit *edit = &write->edits[i];
        if (edit->kind == CORM_EDIT_SET) continue;
        base__buf_u16(key, (uint16_t)field_of(write, edit)->index);
        base__buf_u8(key, (uint8_t)edit->kind);
        if (edit->kind == CORM_EDIT_FIELD) base__buf_put(key, edit->field, strlen(edit->field) + 1);
    }
}

/* A collection of the one element. */
static corm_status collect(orm_write *write, const corm_value *element, const cql_type *type,
                           corm_value *out, corm_error *err) {
    corm_value *copy = BASE_NEW(&write->arena, corm_value);
    if (!copy) return base__fail_memory(err);
    *copy = *element;
    *out = corm_of_items(type->id == CQL_LIST ? CORM_LIST : CORM_SET, copy, 1);
    return CORM_OK;
}

static corm_status bind_edit(orm_write *write, const corm_edit *edit, corm_statement *statement,
                             uint32_t *marker, corm_error *err) {
    const cql_type *type = field_of(write, edit)->type;
    corm_value      value = edit->value;
    bool            drops_key = edit->kind == CORM_EDIT_DROP && type->id != CQL_LIST;
    if (edit->kind == CORM_EDIT_PUT || (edit->kind == CORM_EDIT_DROP && !drops_key)) {
        CORM_TRY(corm_statement_bind(statement, (*marker)++, edit->key, err));
    }
    if (edit->kind == CORM_EDIT_DROP && !drops_key) return CORM_OK;
    if (edit->one) CORM_TRY(collect(write, &edit->value, type, &value, err));
    if (drops_key) CORM_TRY(collect(write, &edit->key, type, &value, err));
    return corm_statement_bind(statement, (*marker)++, value, err);
}

corm_status orm__bind_edits(orm_write *write, corm_statement *statement, uint32_t *marker,
                            corm_error *err) {
    for (uint32_t i = 0; i < write->edit_count; i++) {
        if (write->edits[i].kind == CORM_EDIT_SET) continue;
        CORM_TRY(bind_edit(write, &write->edits[i], statement, marker, err));
    }
    return CORM_OK;
}

/* ---- the options ---- */

static uint32_t count_edits(const corm_change_options *options) {
    uint32_t count = 0;
    while (options && count < CORM_MAX_EDITS && options->edits[count].column) count++;
    return count;
}

corm_status orm__change_begin(orm_write *write, const corm_change_options *options) {
    const corm_write_options *how = &options->write;
    if (options->_canary != 0) {
        return orm__write_bad(write, NULL, "the change options are not initialised");
    }
    write->edits = options->edits;
    write->edit_count = count_edits(options);
    if (write->edit_count == 0) return orm__write_bad(write, NULL, "a change has no edits");
    if (how->only[0] || how->null[0]) {
        return orm__write_bad(write, NULL, "a change has edits instead of .only and .null");
    }
    write->row = base__arena_copy(&write->arena, write->row, write->model->spec->row_size);
    return write->row ? CORM_OK : base__fail_memory(write->err);
}

/* What was generated for the row is in the program's struct too. */
void orm__change_end(const orm_write *write, void *row) {
    for (uint32_t i = 0; i < write->model->count; i++) {
        const orm_field *field = &write->model->fields[i];
        bool             each = field->spec->generate == CORM_EACH_NOW;
        if (!each && field->spec->role != CORM_ROW_VERSION) continue;
        memcpy((uint8_t *)row + field->offset, write->row + field->offset, field->size);
    }
}
