// SPDX-License-Identifier: MIT
/* bind.c -- names become columns, literals values of a type, and every expression gets its type.
 *
 * A literal has no type of its own beside a column: "status = 'x'" makes the text a value of status' type, once, here. Numbers of two
 * types meet in the wider one: whole numbers < varint < decimal < double.
 * Thread: the caller's; everything lives in the binding's arena. */
#include "aggregate/expr.h"
#include "base/fail.h"
#include "base/text.h"

static const corm_value null_value = { .kind = CORM_NULL };

bool agg__is_null_constant(const agg_expr *expr) {
    return expr->kind == AGG_CONSTANT && expr->cell.null[0];
}

bool agg__constant_text(const agg_expr *expr, corm_str *out) {
    if (expr->kind != AGG_CONSTANT || !expr->literal || expr->literal->kind != CORM_TEXT ||
        expr->is_digits)
        return false;
    *out = expr->literal->as.text;
    return true;
}

bool agg__constant_real(const agg_expr *expr, double *out) {
    if (expr->kind != AGG_CONSTANT || expr->cell.null[0] || !agg__is_number(expr->type))
        return false;
    *out = agg__number_of(&expr->cell, 0);
    return true;
}

static void put_type(const cql_type *type, base_buf *out) {
    cql__type_print(type, out);
    (void)base__buf_cstr(out);
}

corm_status agg__refuse(const agg_expr *expr, uint32_t argument, const char *wanted,
                        corm_error *err) {
    base_buf type = { 0 };
    put_type(expr->args[argument]->type, &type);
    corm_status status = base__fail(err, CORM_INVALID, "%s wants %s, but argument %u is of type %s",
                                    expr->function->name, wanted, argument + 1,
                                    type.failed ? "?" : (const char *)type.data);
    base__buf_free(&type);
    return status;
}

/* ---- constants ---- */

/* The type that a value of the program's has by itself; NULL: none, it takes that of what stands beside it. */
static const cql_type *own_type(const corm_value *value) {
    static const cql_type_id ids[] = {
        [CORM_BOOLEAN] = CQL_BOOLEAN,     [CORM_TINYINT] = CQL_TINYINT,
        [CORM_SMALLINT] = CQL_SMALLINT,   [CORM_INT] = CQL_INT,
        [CORM_BIGINT] = CQL_BIGINT,       [CORM_FLOAT] = CQL_FLOAT,
        [CORM_DOUBLE] = CQL_DOUBLE,       [CORM_TEXT] = CQL_TEXT,
        [CORM_BLOB] = CQL_BLOB,           [CORM_UUID] = CQL_UUID,
        [CORM_TIMESTAMP] = CQL_TIMESTAMP, [CORM_DATE] = CQL_DATE,
        [CORM_TIME] = CQL_TIME,           [CORM_DURATION] = CQL_DURATION,
        [CORM_INET] = CQL_INET,           [CORM_VARINT] = CQL_VARINT,
        [CORM_DECIMAL] = CQL_DECIMAL,
    };
    cql_type_id id = (size_t)value->kind < sizeof ids / sizeof *ids ? ids[value->kind] : CQL_CUSTOM;
    return id == CQL_CUSTOM ? cql__type_native(CQL_BLOB) : cql__type_native(id);
}

static corm_status set_constant(const agg_binding *binding, agg_expr *expr, const cql_type *type,
                                corm_error *err) {
    base_buf bytes = { 0 };
    expr->type = type;
    CORM_TRY(agg__column_new(binding->arena, type, 1, &expr->cell, err));
    agg__set_null(&expr->cell, 0);
    if (expr->literal->kind == CORM_NULL || expr->literal->kind == CORM_UNSET) return CORM_OK;
    corm_status status = cql__encode(type, expr->literal, &bytes, err);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    uint8_t *copy = NULL;
    if (status == CORM_OK) copy = base__arena_copy(binding->arena, bytes.data, bytes.len);
    if (status == CORM_OK && !copy) status = base__fail_memory(err);
    if (status == CORM_OK) agg__set_cell(&expr->cell, 0, (cql_value){ copy, (int32_t)bytes.len });
    base__buf_free(&bytes);
    return status;
}

static bool is_collection_value(const corm_value *value) {
    return value->kind >= CORM_LIST;
}

static corm_status constant_of(const agg_binding *binding, const corm_value *value, bool is_digits,
                               agg_expr **out, corm_error *err) {
    agg_expr *expr = BASE_NEW(binding->arena, agg_expr);
    if (!expr) return base__fail_memory(err);
    *out = expr;
    expr->kind = AGG_CONSTANT;
    expr->literal = value;
    expr->is_digits = is_digits;
    if (value->kind == CORM_NULL || value->kind == CORM_UNSET || is_collection_value(value)) {
        const corm_value *kept = value;
        expr->literal = &null_value;
        corm_status status = set_constant(binding, expr, cql__type_native(CQL_BLOB), err);
        expr->literal = kept;
        return status;
    }
    return set_constant(binding, expr, is_digits ? cql__type_native(CQL_DOUBLE) : own_type(value),
                        err);
}

static corm_status literal_number(const agg_binding *binding, corm_str digits, agg_expr **out,
                                  corm_error *err) {
    corm_value *value = BASE_NEW(binding->arena, corm_value);
    int64_t     whole;
    if (!value) return base__fail_memory(err);
    bool is_whole = base__parse_i64(digits, &whole);
    *value = is_whole ? corm_of_i64(whole) : corm_of_str(digits);
    return constant_of(binding, value, !is_whole, out, err);
}

static corm_status literal(const agg_binding *binding, corm_value from, agg_expr **out,
                           corm_error *err) {
    corm_value *value = BASE_NEW(binding->arena, corm_value);
    if (!value) return base__fail_memory(err);
    *value = from;
    return constant_of(binding, value, false, out, err);
}

/* ---- conversions ---- */

static corm_status cast_to(const agg_binding *binding, agg_expr **expr, const cql_type *type,
                           corm_error *err) {
    agg_expr  *call = BASE_NEW(binding->arena, agg_expr);
    agg_expr **args = BASE_NEW_ARRAY(binding->arena, agg_expr *, 1);
    if (!call || !args) return base__fail_memory(err);
    args[0] = *expr;
    *call = (agg_expr){ .kind = AGG_FUNCTION, .type = type, .count = 1, .args = args };
    call->function = agg__function_named(corm_str_of("cast"));
    *expr = call;
    return call->function->check(binding, call, err);
}

/* A whole number is no longer than bigint, a float no other than a double, where values stand in memory. */
static bool is_same(const cql_type *a, const cql_type *b) {
    return cql__type_same_values(a, b) || (agg__is_text(a) && agg__is_text(b)) ||
           (agg__is_whole(a) && agg__is_whole(b)) || (agg__is_real(a) && agg__is_real(b)) ||
           (a->id == CQL_UUID && b->id == CQL_TIMEUUID) ||
           (a->id == CQL_TIMEUUID && b->id == CQL_UUID);
}

corm_status agg__convert(const agg_binding *binding, agg_expr **expr, const cql_type *type,
                         corm_error *err) {
    if ((*expr)->kind == AGG_CONSTANT) {
        if (cql__type_equal((*expr)->type, type)) return CORM_OK;
        bool shown = agg__is_text(type) && !agg__is_text((*expr)->type) && !(*expr)->cell.null[0];
        if (shown) return cast_to(binding, expr, type, err); /* a number as its digits */
        return set_constant(binding, *expr, type, err);
    }
    return is_same((*expr)->type, type) ? CORM_OK : cast_to(binding, expr, type, err);
}

static int rank(const cql_type *type) {
    if (agg__is_whole(type)) return 1;
    if (type->id == CQL_VARINT) return 2;
    if (type->id == CQL_DECIMAL) return 3;
    return 4;
}

static const cql_type *wider(const cql_type *a, const cql_type *b) {
    static const cql_type_id ids[] = { [1] = CQL_BIGINT, CQL_VARINT, CQL_DECIMAL, CQL_DOUBLE };
    int                      most = rank(a) > rank(b) ? rank(a) : rank(b);
    return cql__type_native(ids[most]);
}

/* A literal that stands beside something else of which the type is known: it takes that type, unless it is a fraction beside a whole number. */
static bool takes_other(const agg_expr *constant, const agg_expr *other) {
    if (constant->kind != AGG_CONSTANT || other->kind == AGG_CONSTANT) return false;
    if (!agg__is_number(constant->type)) return true;
    if (!agg__is_number(other->type)) return false;
    if (agg__is_whole(other->type)) return agg__is_whole(constant->type);
    return constant->is_digits || rank(constant->type) <= rank(other->type);
}

corm_status agg__unify(const agg_binding *binding, agg_expr **a, agg_expr **b, corm_error *err) {
    static const cql_type_id wide = CQL_BIGINT;
    if (takes_other(*b, *a) || takes_other(*a, *b)) {
        agg_expr      **constant = takes_other(*b, *a) ? b : a;
        const cql_type *type = (constant == b ? *a : *b)->type;
        return agg__convert(binding, constant, agg__is_whole(type) ? cql__type_native(wide) : type,
                            err);
    }
    if (agg__is_null_constant(*a)) return agg__convert(binding, a, (*b)->type, err);
    if (agg__is_null_constant(*b)) return agg__convert(binding, b, (*a)->type, err);
    if (is_same((*a)->type, (*b)->type)) return CORM_OK;
    if (agg__is_number((*a)->type) && agg__is_number((*b)->type)) {
        const cql_type *type = wider((*a)->type, (*b)->type);
        CORM_TRY(agg__convert(binding, a, type, err));
        return agg__convert(binding, b, type, err);
    }
    base_buf text = { 0 };
    put_type((*a)->type, &text);
    base__buf_puts(&text, " and ");
    put_type((*b)->type, &text);
    corm_status status = base__fail(err, CORM_INVALID, "%s have no type in common",
                                    text.failed ? "the two" : (const char *)text.data);
    base__buf_free(&text);
    return status;
}

/* ---- names ---- */

static corm_status bind_name(const agg_binding *binding, corm_str name, agg_expr **out,
                             corm_error *err) {
    corm_str nearest = { NULL, 0 };
    size_t   least = 4;
    for (uint32_t i = 0; i < binding->scope->count; i++) {
        const agg_field *field = &binding->scope->fields[i];
        size_t           distance = base__edit_distance(field->name, name);
        if (corm_str_equal(field->name, name)) {
            *out = BASE_NEW(binding->arena, agg_expr);
            if (!*out) return base__fail_memory(err);
            **out = (agg_expr){ .kind = AGG_COLUMN, .type = field->type, .column = i };
            return CORM_OK;
        }
        if (distance < least) {
            least = distance;
            nearest = field->name;
        }
    }
    return base__fail(err, CORM_INVALID, "there is no column '%.*s' here%s%.*s%s", (int)name.len,
                      name.data, nearest.data ? ", did you mean '" : "", (int)nearest.len,
                      nearest.data ? nearest.data : "", nearest.data ? "'?" : "");
}

static corm_status bind_parameter(const agg_binding *binding, corm_str name, agg_expr **out,
                                  corm_error *err) {
    for (const agg_parameter *p = binding->parameters; p; p = p->next)
        if (corm_str_equal(p->name, name)) return constant_of(binding, &p->value, false, out, err);
    return base__fail(err, CORM_INVALID_ARGUMENT, "nothing was given for :%.*s (corm_pipeline_let)",
                      (int)name.len, name.data);
}

/* ---- calls ---- */

static corm_status bind_args(const agg_binding *binding, const agg_node *node, agg_expr *call,
                             corm_error *err) {
    call->args = BASE_NEW_ARRAY(binding->arena, agg_expr *, node->count ? node->count : 1);
    if (!call->args) return base__fail_memory(err);
    call->count = node->count;
    for (uint32_t i = 0; i < node->count; i++)
        CORM_TRY(agg__bind(binding, node->args[i], &call->args[i], err));
    return CORM_OK;
}

static corm_status bind_call(const agg_binding *binding, const agg_node *node, agg_expr **out,
                             corm_error *err) {
    const agg_function *function = agg__function_named(node->text);
    if (!function || node->distinct) {
        return base__fail(err, CORM_INVALID, "there is no function %.*s in an expression",
                          (int)node->text.len, node->text.data);
    }
    if (node->count < function->least || node->count > function->most) {
        return base__fail(err, CORM_INVALID, "%s has another number of arguments than %u: %s",
                          function->name, node->count, function->form);
    }
    agg_expr *call = BASE_NEW(binding->arena, agg_expr);
    if (!call) return base__fail_memory(err);
    *out = call;
    call->kind = AGG_FUNCTION;
    call->function = function;
    CORM_TRY(bind_args(binding, node, call, err));
    return function->check(binding, call, err);
}

corm_status agg__bind(const agg_binding *binding, const agg_node *node, agg_expr **out,
                      corm_error *err) {
    switch (node->kind) {
    case AGG_NAME: return bind_name(binding, node->text, out, err);
    case AGG_NUMBER: return literal_number(binding, node->text, out, err);
    case AGG_STRING: return literal(binding, corm_of_str(node->text), out, err);
    case AGG_TRUTH:
        return literal(binding, corm_of_bool(corm_str_equal(node->text, corm_str_of("true"))), out,
                       err);
    case AGG_NOTHING: return literal(binding, corm_null(), out, err);
    case AGG_VALUE: return constant_of(binding, node->value, false, out, err);
    case AGG_PARAMETER: return bind_parameter(binding, node->text, out, err);
    case AGG_CALL: return bind_call(binding, node, out, err);
    default: return base__fail(err, CORM_INVALID, "'*' stands for all rows in count(*) only");
    }
}
