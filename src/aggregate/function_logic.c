// SPDX-License-Identifier: MIT
/* function_logic.c -- comparisons, the logic of three values, and choices. A comparison with null is null. Pure. */
#include "aggregate/expr.h"
#include "base/fail.h"
#include "base/text.h"
#include "cql/eval_internal.h"

/* ---- comparisons ---- */

static corm_status check_compare(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    const char *name = expr->function->name;
    expr->detail = name[0] == '!' ? 'n' : name[1] == '=' ? name[0] + 256 : name[0];
    expr->type = cql__type_native(CQL_BOOLEAN);
    return agg__unify(binding, &expr->args[0], &expr->args[1], err);
}

static inline bool holds(int32_t op, int order) {
    switch (op) {
    case '=': return order == 0;
    case 'n': return order != 0;
    case '<': return order < 0;
    case '>': return order > 0;
    case '<' + 256: return order <= 0;
    default: return order >= 0;
    }
}

static void compare_whole(int32_t op, uint32_t n, const int64_t *a, const int64_t *b,
                          int64_t *out) {
    for (uint32_t i = 0; i < n; i++) out[i] = holds(op, (a[i] > b[i]) - (a[i] < b[i]));
}

/* Equality of what has one form in bytes needs no order. */
static bool has_one_form(const cql_type *type) {
    return agg__is_text(type) || type->id == CQL_BLOB || type->id == CQL_UUID ||
           type->id == CQL_INET;
}

static corm_status eval_compare(const agg_expr *expr, const agg_work *work, const agg_column *args,
                                agg_column *out) {
    int32_t op = expr->detail;
    if (args[0].rep == AGG_WHOLE) {
        compare_whole(op, work->count, args[0].v.whole, args[1].v.whole, out->v.whole);
        return CORM_OK;
    }
    bool bytes = args[0].rep == AGG_WIRE && (op == '=' || op == 'n') && has_one_form(args[0].type);
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->null[i]) continue;
        if (bytes) {
            cql_value a = args[0].v.wire[i], b = args[1].v.wire[i];
            bool same = a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, (size_t)a.len));
            out->v.whole[i] = same == (op == '=');
        } else {
            out->v.whole[i] = holds(op, agg__compare_cells(&args[0], i, &args[1], i));
        }
    }
    return CORM_OK;
}

/* ---- and, or, not ---- */

static corm_status check_logic(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->detail = expr->function->name[0];
    expr->type = cql__type_native(CQL_BOOLEAN);
    for (uint32_t i = 0; i < expr->count; i++) {
        if (agg__is_null_constant(expr->args[i]))
            CORM_TRY(agg__convert(binding, &expr->args[i], expr->type, err));
        if (expr->args[i]->type->id != CQL_BOOLEAN) return agg__refuse(expr, i, "conditions", err);
    }
    return CORM_OK;
}

/* One that decides (false for and, true for or) decides also beside a null. */
static corm_status eval_logic(const agg_expr *expr, const agg_work *work, const agg_column *args,
                              agg_column *out) {
    int64_t deciding = expr->detail == 'o';
    for (uint32_t i = 0; i < work->count; i++) {
        bool a = !args[0].null[i] && args[0].v.whole[i] == deciding;
        bool b = !args[1].null[i] && args[1].v.whole[i] == deciding;
        out->null[i] = !a && !b && (args[0].null[i] || args[1].null[i]);
        out->v.whole[i] = a || b ? deciding : !deciding;
    }
    return CORM_OK;
}

static corm_status eval_not(const agg_expr *expr, const agg_work *work, const agg_column *args,
                            agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++) out->v.whole[i] = !args[0].v.whole[i];
    return CORM_OK;
}

static corm_status check_is_null(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    (void)binding;
    (void)err;
    expr->type = cql__type_native(CQL_BOOLEAN);
    return CORM_OK;
}

static corm_status eval_is_null(const agg_expr *expr, const agg_work *work, const agg_column *args,
                                agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++) out->v.whole[i] = args[0].null[i];
    return CORM_OK;
}

/* ---- in ---- */

/* A list of the program's stands for its items. */
static corm_status spread(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    const corm_value *list = expr->count == 2 ? expr->args[1]->literal : NULL;
    if (!list || (list->kind != CORM_LIST && list->kind != CORM_SET)) return CORM_OK;
    uint32_t   count = list->as.items.count;
    agg_expr **args = BASE_NEW_ARRAY(binding->arena, agg_expr *, count + 1);
    if (!args) return base__fail_memory(err);
    args[0] = expr->args[0];
    for (uint32_t i = 0; i < count; i++) {
        agg_node item = { .kind = AGG_VALUE, .value = &list->as.items.items[i] };
        CORM_TRY(agg__bind(binding, &item, &args[i + 1], err));
    }
    expr->args = args;
    expr->count = count + 1;
    return CORM_OK;
}

static corm_status check_in(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->type = cql__type_native(CQL_BOOLEAN);
    CORM_TRY(spread(binding, expr, err));
    for (uint32_t i = 1; i < expr->count; i++)
        CORM_TRY(agg__unify(binding, &expr->args[0], &expr->args[i], err));
    return CORM_OK;
}

static corm_status eval_in(const agg_expr *expr, const agg_work *work, const agg_column *args,
                           agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        bool found = false, null = args[0].null[i];
        for (uint32_t a = 1; a < expr->count && !found && !args[0].null[i]; a++) {
            if (args[a].null[i]) {
                null = true;
            } else {
                found = agg__compare_cells(&args[0], i, &args[a], i) == 0;
            }
        }
        out->null[i] = !found && null;
        out->v.whole[i] = found;
    }
    return CORM_OK;
}

static corm_status check_like(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    (void)binding;
    expr->type = cql__type_native(CQL_BOOLEAN);
    for (uint32_t i = 0; i < 2; i++)
        if (!agg__is_text(expr->args[i]->type)) return agg__refuse(expr, i, "texts", err);
    return CORM_OK;
}

static corm_str text_of(cql_value value) {
    return (corm_str){ (const char *)value.data, value.len > 0 ? (size_t)value.len : 0 };
}

static corm_status eval_like(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++)
        if (!out->null[i])
            out->v.whole[i] = cql__like(text_of(args[0].v.wire[i]), text_of(args[1].v.wire[i]));
    return CORM_OK;
}

/* ---- choices ---- */

/* All of args[first], args[first + step] … get one type, which is the answer's. */
static corm_status unify_all(const agg_binding *binding, agg_expr *expr, uint32_t first,
                             uint32_t step, corm_error *err) {
    uint32_t lead = first;
    for (uint32_t i = first; i < expr->count; i += step)
        if (agg__is_null_constant(expr->args[lead]) ||
            (expr->args[lead]->kind == AGG_CONSTANT && expr->args[i]->kind != AGG_CONSTANT))
            lead = i;
    for (int round = 0; round < 2; round++)
        for (uint32_t i = first; i < expr->count; i += step)
            if (i != lead) CORM_TRY(agg__unify(binding, &expr->args[lead], &expr->args[i], err));
    const cql_type *type = expr->args[lead]->type;
    if (agg__is_whole(type)) type = cql__type_native(CQL_BIGINT);
    if (agg__is_real(type)) type = cql__type_native(CQL_DOUBLE);
    expr->type = type;
    return CORM_OK;
}

/* case(condition, value, …, else): the last is unified as a value, too. */
static corm_status check_case(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    if (expr->count % 2 == 0) return base__fail(err, CORM_INVALID, "case wants what else it is");
    agg_expr **values = BASE_NEW_ARRAY(binding->arena, agg_expr *, expr->count / 2 + 1);
    if (!values) return base__fail_memory(err);
    agg_expr all = *expr;
    all.args = values;
    all.count = 0;
    for (uint32_t i = 0; i + 1 < expr->count; i += 2) {
        if (expr->args[i]->type->id != CQL_BOOLEAN) return agg__refuse(expr, i, "conditions", err);
        values[all.count++] = expr->args[i + 1];
    }
    values[all.count++] = expr->args[expr->count - 1];
    CORM_TRY(unify_all(binding, &all, 0, 1, err));
    for (uint32_t i = 0; i + 1 < all.count; i++) expr->args[2 * i + 1] = values[i];
    expr->args[expr->count - 1] = values[all.count - 1];
    expr->type = all.type;
    return CORM_OK;
}

static corm_status eval_case(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t chosen = expr->count - 1;
        for (uint32_t a = 0; a + 1 < expr->count; a += 2) {
            if (args[a].null[i] || !args[a].v.whole[i]) continue;
            chosen = a + 1;
            break;
        }
        agg__copy_cell(out, i, &args[chosen], i);
    }
    return CORM_OK;
}

static corm_status check_choice(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->detail = expr->function->name[0];
    return unify_all(binding, expr, 0, 1, err);
}

static corm_status eval_coalesce(const agg_expr *expr, const agg_work *work, const agg_column *args,
                                 agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t a = 0;
        while (a + 1 < expr->count && args[a].null[i]) a++;
        agg__copy_cell(out, i, &args[a], i);
    }
    return CORM_OK;
}

/* greatest and least pass over nulls. */
static corm_status eval_extreme(const agg_expr *expr, const agg_work *work, const agg_column *args,
                                agg_column *out) {
    int sign = expr->detail == 'g' ? 1 : -1;
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t best = 0;
        for (uint32_t a = 1; a < expr->count; a++) {
            if (args[a].null[i]) continue;
            if (args[best].null[i] || sign * agg__compare_cells(&args[a], i, &args[best], i) > 0)
                best = a;
        }
        agg__copy_cell(out, i, &args[best], i);
    }
    return CORM_OK;
}

static corm_status check_nullif(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    return unify_all(binding, expr, 0, 1, err);
}

static corm_status eval_nullif(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++) {
        agg__copy_cell(out, i, &args[0], i);
        bool both = !args[0].null[i] && !args[1].null[i];
        if (both && agg__compare_cells(&args[0], i, &args[1], i) == 0) agg__set_null(out, i);
    }
    return CORM_OK;
}

const agg_function agg__logic_functions[] = {
    { "=", 2, 2, true, check_compare, eval_compare, "a = b", "equal; 1.0 equals 1.00" },
    { "!=", 2, 2, true, check_compare, eval_compare, "a != b", "not equal; also <>" },
    { "<", 2, 2, true, check_compare, eval_compare, "a < b", "less, in the order of CQL" },
    { "<=", 2, 2, true, check_compare, eval_compare, "a <= b", "less or equal" },
    { ">", 2, 2, true, check_compare, eval_compare, "a > b", "greater" },
    { ">=", 2, 2, true, check_compare, eval_compare, "a >= b", "greater or equal" },
    { "and", 2, 2, false, check_logic, eval_logic, "a AND b", "null unless one is false" },
    { "or", 2, 2, false, check_logic, eval_logic, "a OR b", "null unless one is true" },
    { "not", 1, 1, true, check_logic, eval_not, "NOT a", "the opposite" },
    { "is_null", 1, 1, false, check_is_null, eval_is_null, "a IS NULL", "also IS NOT NULL" },
    { "in", 1, AGG_MOST_ARGS, false, check_in, eval_in, "a IN (b, …)", "also IN :list, NOT IN" },
    { "like", 2, 2, true, check_like, eval_like, "a LIKE b",
      "% any text, _ one character, \\ before either means itself" },
    { "case", 3, AGG_MOST_ARGS, false, check_case, eval_case, "CASE WHEN a THEN b ELSE c END",
      "also CASE x WHEN …; what else is null when it is not said" },
    { "if", 3, 3, false, check_case, eval_case, "if(a, b, c)", "b where a is true, else c" },
    { "coalesce", 1, AGG_MOST_ARGS, false, check_choice, eval_coalesce, "coalesce(a, …)",
      "the first that is not null" },
    { "nullif", 2, 2, false, check_nullif, eval_nullif, "nullif(a, b)",
      "null where they are equal" },
    { "greatest", 1, AGG_MOST_ARGS, false, check_choice, eval_extreme, "greatest(a, …)",
      "the greatest that is not null" },
    { "least", 1, AGG_MOST_ARGS, false, check_choice, eval_extreme, "least(a, …)",
      "the least that is not null" },
    { .name = NULL },
};
