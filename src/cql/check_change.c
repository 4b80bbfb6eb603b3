// SPDX-License-Identifier: MIT
/* check_change.c -- one operation of SET, or one deletion: whether the column's type has it, and its terms. */
#include "cql/check_internal.h"

/* ---- the operation as messages show it ---- */

static corm_str change_text(cql_checker *c, const cql_change *change) {
    corm_str column = change->column.text;
    base_buf buf = { 0 };
    switch (change->kind) {
    case CQL_CHANGE_SET_ELEMENT:
        base__buf_printf(&buf, "%.*s[", CQL_STR(column));
        cql__put_term(change->key, &buf);
        base__buf_puts(&buf, "] = ");
        cql__put_term(change->value, &buf);
        break;
    case CQL_CHANGE_SET_FIELD:
        base__buf_printf(&buf, "%.*s.%.*s = ", CQL_STR(column), CQL_STR(change->field.text));
        cql__put_term(change->value, &buf);
        break;
    case CQL_CHANGE_PREPEND: /* the minus is the server's */
        base__buf_printf(&buf, "%.*s = ", CQL_STR(column));
        cql__put_term(change->value, &buf);
        base__buf_printf(&buf, " - %.*s", CQL_STR(column));
        break;
    default:
        base__buf_printf(&buf, "%.*s = %.*s %c ", CQL_STR(column), CQL_STR(column),
                         change->kind == CQL_CHANGE_ADD ? '+' : '-');
        cql__put_term(change->value, &buf);
    }
    return cql__take_text(c, &buf);
}

static corm_status refuse(cql_checker *c, const cql_change *change, const char *what) {
    return base__fail(c->err, CORM_INVALID, "Invalid operation (%s) for %s column %.*s",
                      cql__shown(change_text(c, change)), what, CQL_STR(change->column.text));
}

/* ---- SET ---- */

static corm_status set_column(cql_checker *c, const cql_change *change, const cql_column *column,
                              cql_assign *out) {
    cql_receiver receiver = cql__column_receiver(c, column);
    CORM_TRY(cql__term(c, change->value, &receiver, &out->value));
    out->kind = CQL_ASSIGN_SET;
    if (column->type->id != CQL_COUNTER) return CORM_OK;
    return base__fail(
        c->err, CORM_INVALID,
        "Cannot set the value of counter column %.*s (counters can only be incremented/decremented, not set)",
        CQL_STR(column->name));
}

static corm_status set_element(cql_checker *c, const cql_change *change, const cql_column *column,
                               cql_assign *out) {
    cql_receiver    of = cql__column_receiver(c, column), key, value;
    const cql_type *type = column->type;
    if (!cql__type_is_collection(type)) return refuse(c, change, "non collection");
    if (!cql__type_is_multicell(type)) return refuse(c, change, "frozen collection");
    if (type->id == CQL_SET) return refuse(c, change, "set");
    bool            is_map = type->id == CQL_MAP;
    const cql_type *key_type = is_map ? type->params[0] : cql__type_native(CQL_INT);
    const cql_type *value_type = type->params[is_map ? 1 : 0];
    CORM_TRY(cql__wrapped_receiver(c, &of, is_map ? "key" : "idx", key_type, &key));
    CORM_TRY(cql__wrapped_receiver(c, &of, "value", value_type, &value));
    CORM_TRY(cql__term(c, change->key, &key, &out->key));
    out->kind = CQL_ASSIGN_SET_ELEMENT;
    return cql__term(c, change->value, &value, &out->value);
}

static corm_status find_field(cql_checker *c, const cql_change *change, const cql_column *column,
                              uint32_t *out) {
    int32_t index = cql__field_index(column->type, change->field.text);
    if (index < 0) {
        return base__fail(c->err, CORM_INVALID, "UDT column %.*s does not have a field named %.*s",
                          CQL_STR(column->name), CQL_STR(change->field.text));
    }
    *out = (uint32_t)index;
    return CORM_OK;
}

static corm_status set_field(cql_checker *c, const cql_change *change, const cql_column *column,
                             cql_assign *out) {
    if (column->type->id != CQL_UDT) return refuse(c, change, "non-UDT");
    if (!cql__type_is_multicell(column->type)) return refuse(c, change, "frozen UDT");
    CORM_TRY(find_field(c, change, column, &out->field));
    cql_receiver receiver = cql__named_receiver(c, "", column->type->params[out->field]);
    receiver.name = base__arena_printf(c->arena, "%.*s.%.*s", CQL_STR(column->name),
                                       CQL_STR(change->field.text));
    if (!receiver.name.data) return base__fail_memory(c->err);
    out->kind = CQL_ASSIGN_SET_FIELD;
    return cql__term(c, change->value, &receiver, &out->value);
}

/* v = v + x of a column that is no counter: only under conditions, which read the row anyway. */
static corm_status add_to_value(cql_checker *c, const cql_change *change, const cql_column *column,
                                cql_assign *out) {
    const cql_node     *term = NULL;
    const cql_function *add = NULL;
    cql_receiver        receiver = cql__column_receiver(c, column);
    bool                is_text = column->type->id == CQL_TEXT || column->type->id == CQL_ASCII;
    if (!is_text && !cql__type_is_numeric(column->type)) {
        return base__fail(c->err, CORM_INVALID,
                          "Invalid operation (%s) for non-numeric and non-text type %.*s",
                          cql__shown(change_text(c, change)), CQL_STR(column->name));
    }
    CORM_TRY(cql__term(c, change->value, &receiver, &term));
    CORM_TRY(cql__arith_resolve(c->arena, '+', column->type, column->type, &add, c->err));
    cql_node *node = cql__new_node(c, CQL_NODE_CALL, column->type, 2);
    if (!node) return base__fail_memory(c->err);
    node->function = add;
    node->args[1] = term;
    out->kind = CQL_ASSIGN_SET;
    out->value = node;
    return cql__column_node(c, column, &node->args[0]);
}

static corm_status add_to_scalar(cql_checker *c, const cql_change *change, const cql_column *column,
                                 bool is_conditional, cql_assign *out) {
    cql_receiver receiver = cql__column_receiver(c, column);
    if (column->type->id == CQL_TUPLE || column->type->id == CQL_UDT)
        return refuse(c, change, "tuple");
    if (column->type->id == CQL_COUNTER) return cql__term(c, change->value, &receiver, &out->value);
    return is_conditional ? add_to_value(c, change, column, out) : refuse(c, change, "non counter");
}

/* The receiver of what is added to or taken from a collection. */
static corm_status collection_term(cql_checker *c, const cql_change *change,
                                   const cql_column *column, cql_assign *out) {
    cql_receiver receiver = cql__column_receiver(c, column);
    bool         is_map = column->type->id == CQL_MAP;
    bool         add = change->kind == CQL_CHANGE_ADD;
    if (is_map && !add) {
        receiver.column = NULL;
        receiver.type = cql__type_set(c->arena, column->type->params[0], true);
        if (!receiver.type) return base__fail_memory(c->err);
    }
    corm_error *err = c->err;
    c->err = is_map ? NULL : err;
    corm_status status = cql__term(c, change->value, &receiver, &out->value);
    c->err = err;
    if (status != CORM_INVALID || !is_map) return status;
    return base__fail(c->err, CORM_INVALID,
                      add ? "Value for a map addition has to be a map, but was: '%s'"
                          : "Value for a map substraction has to be a set, but was: '%s'",
                      cql__shown(cql__term_text(c, change->value)));
}

static corm_status add(cql_checker *c, const cql_change *change, const cql_column *column,
                       bool is_conditional, cql_assign *out) {
    out->kind = CQL_ASSIGN_ADD;
    if (!cql__type_is_collection(column->type))
        return add_to_scalar(c, change, column, is_conditional, out);
    if (!cql__type_is_multicell(column->type)) return refuse(c, change, "frozen collection");
    return collection_term(c, change, column, out);
}

static corm_status subtract(cql_checker *c, const cql_change *change, const cql_column *column,
                            cql_assign *out) {
    cql_receiver receiver = cql__column_receiver(c, column);
    out->kind = CQL_ASSIGN_SUBTRACT;
    if (column->type->id == CQL_COUNTER) return cql__term(c, change->value, &receiver, &out->value);
    if (!cql__type_is_collection(column->type)) return refuse(c, change, "non counter");
    if (!cql__type_is_multicell(column->type)) return refuse(c, change, "frozen collection");
    return collection_term(c, change, column, out);
}

static corm_status prepend(cql_checker *c, const cql_change *change, const cql_column *column,
                           cql_assign *out) {
    cql_receiver receiver = cql__column_receiver(c, column);
    out->kind = CQL_ASSIGN_PREPEND;
    CORM_TRY(cql__term(c, change->value, &receiver, &out->value));
    if (column->type->id != CQL_LIST) return refuse(c, change, "non list");
    return cql__type_is_multicell(column->type) ? CORM_OK : refuse(c, change, "frozen list");
}

/* ---- DELETE ---- */

static corm_status delete_element(cql_checker *c, const cql_change *change,
                                  const cql_column *column, cql_assign *out) {
    const char     *before = column->type->id == CQL_LIST  ? "idx"
                             : column->type->id == CQL_MAP ? "key"
                                                           : "value";
    const cql_type *type = column->type;
    if (!cql__type_is_collection(type) || !cql__type_is_multicell(type)) {
        return base__fail(c->err, CORM_INVALID,
                          "Invalid deletion operation for %s collection column %.*s",
                          cql__type_is_collection(type) ? "frozen" : "non", CQL_STR(column->name));
    }
    cql_receiver    of = cql__column_receiver(c, column), key;
    const cql_type *key_type = type->id == CQL_LIST ? cql__type_native(CQL_INT) : type->params[0];
    CORM_TRY(cql__wrapped_receiver(c, &of, before, key_type, &key));
    out->kind = CQL_ASSIGN_DELETE_ELEMENT;
    return cql__term(c, change->key, &key, &out->key);
}

static corm_status delete_field(cql_checker *c, const cql_change *change, const cql_column *column,
                                cql_assign *out) {
    out->kind = CQL_ASSIGN_DELETE_FIELD;
    if (column->type->id != CQL_UDT) {
        return base__fail(c->err, CORM_INVALID,
                          "Invalid field deletion operation for non-UDT column %.*s",
                          CQL_STR(column->name));
    }
    if (!cql__type_is_multicell(column->type)) {
        return base__fail(c->err, CORM_INVALID,
                          "Frozen UDT column %.*s does not support field deletions",
                          CQL_STR(column->name));
    }
    return find_field(c, change, column, &out->field);
}

/* ---- any ---- */

static corm_status refuse_key(cql_checker *c, const cql_change *change, const cql_column *column) {
    return base__fail(
        c->err, CORM_INVALID,
        change->kind < CQL_CHANGE_DELETE
            ? "PRIMARY KEY part %.*s found in SET part"
            : "Invalid identifier %.*s for deletion (should not be a PRIMARY KEY part)",
        CQL_STR(column->name));
}

corm_status cql__change(cql_checker *c, const cql_change *change, bool is_conditional,
                        cql_assign *out) {
    const cql_column *column = NULL;
    CORM_TRY(cql__find_column(c, &change->column, &column));
    if (column->kind == CQL_PARTITION_KEY || column->kind == CQL_CLUSTERING)
        return refuse_key(c, change, column);
    *out = (cql_assign){ .column = column };
    switch (change->kind) {
    case CQL_CHANGE_SET: return set_column(c, change, column, out);
    case CQL_CHANGE_ADD: return add(c, change, column, is_conditional, out);
    case CQL_CHANGE_SUBTRACT: return subtract(c, change, column, out);
    case CQL_CHANGE_PREPEND: return prepend(c, change, column, out);
    case CQL_CHANGE_SET_ELEMENT: return set_element(c, change, column, out);
    case CQL_CHANGE_SET_FIELD: return set_field(c, change, column, out);
    case CQL_CHANGE_DELETE: out->kind = CQL_ASSIGN_DELETE; return CORM_OK;
    case CQL_CHANGE_DELETE_ELEMENT: return delete_element(c, change, column, out);
    case CQL_CHANGE_DELETE_FIELD: return delete_field(c, change, column, out);
    }
    return CORM_OK;
}
