// SPDX-License-Identifier: MIT
/* function_text.c -- texts. Letters are ASCII letters where their case is changed; lengths and places count code points. Pure. */
#include "aggregate/expr.h"
#include "base/fail.h"
#include "base/text.h"

static corm_str text_of(cql_value value) {
    return (corm_str){ (const char *)value.data, value.len > 0 ? (size_t)value.len : 0 };
}

static cql_value value_of(corm_str text) {
    return (cql_value){ (const uint8_t *)text.data, (int32_t)text.len };
}

/* ---- concat ---- */

static corm_status check_concat(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->type = cql__type_native(CQL_TEXT);
    for (uint32_t i = 0; i < expr->count; i++)
        CORM_TRY(agg__convert(binding, &expr->args[i], expr->type, err));
    return CORM_OK;
}

static corm_status eval_concat(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        size_t len = 0;
        if (out->null[i]) continue;
        for (uint32_t a = 0; a < expr->count; a++) len += text_of(args[a].v.wire[i]).len;
        if (len > INT32_MAX) return base__fail(work->err, CORM_INVALID, "a text is too long");
        uint8_t *to = base__arena_alloc(work->arena, len);
        if (!to) return base__fail_memory(work->err);
        out->v.wire[i] = (cql_value){ to, (int32_t)len };
        for (uint32_t a = 0; a < expr->count; a++) {
            corm_str part = text_of(args[a].v.wire[i]);
            if (part.len > 0) memcpy(to, part.data, part.len);
            to += part.len;
        }
    }
    return CORM_OK;
}

/* ---- one text ---- */

static corm_status check_text(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    expr->type = cql__type_native(CQL_TEXT);
    expr->detail = expr->function->name[0];
    if (agg__is_null_constant(expr->args[0]))
        return agg__convert(binding, &expr->args[0], expr->type, err);
    return agg__is_text(expr->args[0]->type) ? CORM_OK : agg__refuse(expr, 0, "a text", err);
}

static char changed(char c, bool up) {
    if (up) return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static corm_status eval_letters(const agg_expr *expr, const agg_work *work, const agg_column *args,
                                agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->null[i]) continue;
        corm_str text = text_of(args[0].v.wire[i]);
        char    *copy = base__arena_copy(work->arena, text.data, text.len);
        if (!copy) return base__fail_memory(work->err);
        for (size_t c = 0; c < text.len; c++) copy[c] = changed(copy[c], expr->detail == 'u');
        out->v.wire[i] = value_of((corm_str){ copy, text.len });
    }
    return CORM_OK;
}

static corm_status eval_trim(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++)
        if (!out->null[i]) out->v.wire[i] = value_of(base__str_trim(text_of(args[0].v.wire[i])));
    return CORM_OK;
}

static corm_status check_length(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(check_text(binding, expr, err));
    expr->type = cql__type_native(CQL_BIGINT);
    return CORM_OK;
}

static corm_status eval_length(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++)
        if (!out->null[i]) out->v.whole[i] = (int64_t)base__utf8_length(text_of(args[0].v.wire[i]));
    return CORM_OK;
}

/* ---- parts ---- */

static corm_status check_substr(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(check_text(binding, expr, err));
    for (uint32_t i = 1; i < expr->count; i++)
        if (!agg__is_whole(expr->args[i]->type)) return agg__refuse(expr, i, "whole numbers", err);
    return CORM_OK;
}

/* The bytes behind `points` code points. */
static corm_str skip(corm_str text, int64_t points) {
    while (points > 0 && text.len > 0) {
        do {
            text.data++;
            text.len--;
        } while (text.len > 0 && ((unsigned char)*text.data & 0xC0) == 0x80);
        points--;
    }
    return text;
}

static corm_status eval_substr(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        if (out->null[i]) continue;
        int64_t  from = args[1].v.whole[i];
        corm_str rest = skip(text_of(args[0].v.wire[i]), from - 1);
        if (expr->count == 3) {
            int64_t  most = args[2].v.whole[i] > 0 ? args[2].v.whole[i] : 0;
            corm_str behind = skip(rest, most);
            rest.len -= behind.len;
        }
        out->v.wire[i] = value_of(rest);
    }
    return CORM_OK;
}

static corm_status check_starts(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(check_text(binding, expr, err));
    if (!agg__is_text(expr->args[1]->type)) return agg__refuse(expr, 1, "a text", err);
    expr->type = cql__type_native(CQL_BOOLEAN);
    return CORM_OK;
}

static corm_status eval_starts(const agg_expr *expr, const agg_work *work, const agg_column *args,
                               agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++)
        if (!out->null[i])
            out->v.whole[i] =
                base__str_has_prefix(text_of(args[0].v.wire[i]), text_of(args[1].v.wire[i]));
    return CORM_OK;
}

const agg_function agg__text_functions[] = {
    { "||", 2, 2, true, check_concat, eval_concat, "a || b", "both behind each other, as texts" },
    { "concat", 1, AGG_MOST_ARGS - 1, true, check_concat, eval_concat, "concat(a, …)",
      "all behind each other, as texts" },
    { "upper", 1, 1, true, check_text, eval_letters, "upper(a)", "ASCII letters as capitals" },
    { "lower", 1, 1, true, check_text, eval_letters, "lower(a)", "ASCII letters small" },
    { "trim", 1, 1, true, check_text, eval_trim, "trim(a)", "without white space at both ends" },
    { "length", 1, 1, true, check_length, eval_length, "length(a)", "code points" },
    { "substr", 2, 3, true, check_substr, eval_substr, "substr(a, from, count)",
      "a part; the first code point is 1; without count all behind" },
    { "starts_with", 2, 2, true, check_starts, eval_starts, "starts_with(a, b)",
      "whether a begins with b" },
    { .name = NULL },
};
