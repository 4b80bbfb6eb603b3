// SPDX-License-Identifier: MIT
/* eval_compare.c -- whether `value op term` holds: filters of rows and conditions. Pure; any thread. */
#include "cql/eval_internal.h"
#include "cql/index_terms.h"

static const char *op_name(cql_operator op) {
    static const char *const names[] = {
        [CQL_OP_EQ] = "=",
        [CQL_OP_NEQ] = "!=",
        [CQL_OP_LT] = "<",
        [CQL_OP_LTE] = "<=",
        [CQL_OP_GT] = ">",
        [CQL_OP_GTE] = ">=",
        [CQL_OP_IN] = "IN",
        [CQL_OP_LIKE] = "LIKE",
        [CQL_OP_CONTAINS] = "CONTAINS",
        [CQL_OP_CONTAINS_KEY] = "CONTAINS KEY",
        [CQL_OP_IS_NOT_NULL] = "IS NOT",
    };
    return names[op];
}

static bool order_holds(cql_operator op, int order) {
    switch (op) {
    case CQL_OP_EQ: return order == 0;
    case CQL_OP_NEQ: return order != 0;
    case CQL_OP_LT: return order < 0;
    case CQL_OP_LTE: return order <= 0;
    case CQL_OP_GT: return order > 0;
    default: return order >= 0;
    }
}

static corm_status contains(const cql_type *type, cql_value value, cql_operator op, cql_value term,
                            bool *holds, corm_error *err) {
    bool            values = type->id == CQL_MAP && op == CQL_OP_CONTAINS;
    const cql_type *item_type = type->params[values ? 1 : 0];
    cql_walk        walk;
    cql_value       item;
    *holds = false;
    CORM_TRY(cql__walk_begin(&walk, type, value, err));
    for (uint32_t at = 0; !*holds && cql__walk_next(&walk, &item); at++) {
        if (type->id == CQL_MAP && (at % 2 == 1) != values) continue;
        *holds = item.len >= 0 && cql__compare(item_type, item, term) == 0;
    }
    return CORM_OK;
}

static corm_status in_list(const cql_type *type, cql_value value, cql_value list, bool *holds,
                           corm_error *err) {
    cql_type  of = { .id = CQL_LIST, .frozen = true, .count = 1, .params = &type };
    cql_walk  walk;
    cql_value item;
    CORM_TRY(cql__walk_begin(&walk, &of, list, err));
    for (*holds = false; !*holds && cql__walk_next(&walk, &item);) {
        *holds = item.len >= 0 && cql__compare(type, value, item) == 0;
    }
    return CORM_OK;
}

/* A collection that is stored cell by cell is null when it is empty. */
static bool is_empty_collection(const cql_type *type, cql_value value) {
    return value.len >= 4 && cql__type_is_multicell(type) && cql__type_is_collection(type) &&
           base__load_u32(value.data) == 0;
}

static corm_status compare_null(const cql_type *type, cql_value value, cql_operator op,
                                cql_value term, bool empty, bool *holds, corm_error *err) {
    bool term_null = term.len < 0 || empty;
    bool value_null = value.len < 0;
    if (term_null && op != CQL_OP_EQ && op != CQL_OP_NEQ) {
        if (term.len < 0) {
            return base__fail(err, CORM_INVALID, "Invalid comparison with null for operator \"%s\"",
                              op_name(op));
        }
        const char *kind = type->id == CQL_LIST ? "list" : type->id == CQL_SET ? "set" : "map";
        return base__fail(err, CORM_INVALID,
                          "Invalid comparison with an empty %s for operator \"%s\"", kind,
                          op_name(op));
    }
    *holds = (op == CQL_OP_NEQ) != (term_null == value_null);
    if (!term_null) *holds = op == CQL_OP_NEQ;
    return CORM_OK;
}

corm_status cql__compare_op(const cql_type *type, cql_value value, cql_operator op, cql_value term,
                            bool *holds, corm_error *err) {
    bool by_element = op == CQL_OP_CONTAINS || op == CQL_OP_CONTAINS_KEY || op == CQL_OP_IN;
    bool empty = !by_element && is_empty_collection(type, term);
    *holds = false;
    if (term.len == -2) return base__fail(err, CORM_INVALID, "Invalid 'unset' value in condition");
    if (term.len < 0 || value.len < 0 || empty)
        return compare_null(type, value, op, term, empty, holds, err);
    switch (op) {
    case CQL_OP_CONTAINS:
    case CQL_OP_CONTAINS_KEY: return contains(type, value, op, term, holds, err);
    case CQL_OP_IN: return in_list(type, value, term, holds, err);
    case CQL_OP_LIKE:
        *holds = cql__like((corm_str){ (const char *)value.data, (size_t)value.len },
                           (corm_str){ (const char *)term.data, (size_t)term.len });
        return CORM_OK;
    case CQL_OP_IS_NOT_NULL: *holds = true; return CORM_OK;
    default: *holds = order_holds(op, cql__compare(type, value, term)); return CORM_OK;
    }
}

/* ---- filters ---- */

static corm_status refuse(const cql_filter *filter, cql_value value, const char *what,
                          corm_error *err) {
    return base__fail(err, CORM_INVALID, "Unsupported %s %sfor column %.*s",
                      value.len == -1 ? "null" : "unset", what, (int)filter->column->name.len,
                      filter->column->name.data);
}

static corm_status eval_term(const cql_filter *filter, const cql_node *node, const char *what,
                             cql_eval_env *env, cql_value *out, corm_error *err) {
    CORM_TRY(cql__eval(node, env, out, err));
    if (out->len == -2 && filter->op == CQL_OP_LIKE && filter->index)
        return base__fail(err, CORM_INVALID, "LIKE value can't be empty.");
    return out->len < 0 ? refuse(filter, *out, what, err) : CORM_OK;
}

static corm_status check_in(const cql_filter *filter, cql_eval_env *env, corm_error *err) {
    cql_value value;
    if (!filter->in_list) return CORM_OK;
    CORM_TRY(cql__eval(filter->in_list, env, &value, err));
    if (value.len >= 0) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Invalid %s value for column %.*s",
                      value.len == -1 ? "null" : "unset", (int)filter->column->name.len,
                      filter->column->name.data);
}

/* The built-in index refuses to look for what it would have refused to store. */
static bool is_limited(const cql_where *where, const cql_filter *filter) {
    for (uint32_t i = 0; i < where->lookup_count; i++)
        if (where->lookups[i].filter == filter)
            return where->lookups[i].index->rules.class_id == CQL_INDEX_LEGACY;
    return false;
}

/* A pattern that the index has no entries for. */
static corm_status check_like(const cql_filter *filter, cql_value value, corm_error *err) {
    static const char *const forms[] = { [CQL_LIKE_MATCHES] = "LIKE '<term>'",
                                         [CQL_LIKE_PREFIX] = "LIKE '<term>%'",
                                         [CQL_LIKE_SUFFIX] = "LIKE '%<term>'",
                                         [CQL_LIKE_CONTAINS] = "LIKE '%<term>%'" };
    cql_like_kind            kind;
    corm_str                 text, pattern = { (const char *)value.data, (size_t)value.len };
    if (!cql__like_kind(pattern, &kind, &text))
        return base__fail(err, CORM_INVALID, "LIKE value can't be empty.");
    if (cql__index_likes(&filter->index->rules, kind)) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "%.*s %s %.*s is only supported on properly indexed columns",
                      (int)filter->column->name.len, filter->column->name.data, forms[kind],
                      (int)text.len, text.data);
}

corm_status cql__check_filters(const cql_where *where, cql_eval_env *env, corm_error *err) {
    cql_value value;
    for (uint32_t i = 0; i < where->filter_count; i++) {
        const cql_filter *filter = &where->filters[i];
        if (filter->element)
            CORM_TRY(eval_term(filter, filter->element, "map key ", env, &value, err));
        CORM_TRY(check_in(filter, env, err));
        const char *what = filter->element ? "map value " : "value ";
        for (uint32_t j = 0; j < filter->term_count; j++) {
            CORM_TRY(eval_term(filter, filter->terms[j], what, env, &value, err));
            if (filter->op == CQL_OP_LIKE && filter->index)
                CORM_TRY(check_like(filter, value, err));
            if (value.len <= UINT16_MAX || !is_limited(where, filter)) continue;
            return base__fail(err, CORM_INVALID,
                              "Index expression values may not be larger than 64K");
        }
    }
    return CORM_OK;
}

/* The type and the value that the filter looks at. */
static corm_status look_at(const cql_filter *filter, cql_eval_env *env, const cql_type **type,
                           cql_value *out, corm_error *err) {
    cql_value key;
    *type = filter->column->type;
    *out = env->row->columns[filter->column->index];
    if (!filter->element) return CORM_OK;
    CORM_TRY(eval_term(filter, filter->element, "map key ", env, &key, err));
    const cql_type *map = *type;
    *type = map->params[1];
    return out->len < 0 ? CORM_OK : cql__find_entry(map, *out, key, out, err);
}

static corm_status passes_in(const cql_filter *filter, const cql_type *type, cql_value value,
                             cql_eval_env *env, bool *pass, corm_error *err) {
    cql_value term;
    if (filter->in_list) {
        CORM_TRY(check_in(filter, env, err));
        CORM_TRY(cql__eval(filter->in_list, env, &term, err));
        return in_list(type, value, term, pass, err);
    }
    *pass = false;
    for (uint32_t i = 0; i < filter->term_count && !*pass; i++) {
        CORM_TRY(eval_term(filter, filter->terms[i], "value ", env, &term, err));
        *pass = cql__compare(type, value, term) == 0;
    }
    return CORM_OK;
}

static corm_status passes(const cql_filter *filter, cql_eval_env *env, bool *pass,
                          corm_error *err) {
    const cql_type *type = NULL;
    cql_value       value, term;
    CORM_TRY(look_at(filter, env, &type, &value, err));
    *pass = false;
    if (value.len < 0) return CORM_OK;
    if (filter->op == CQL_OP_IN) return passes_in(filter, type, value, env, pass, err);
    CORM_TRY(eval_term(filter, filter->terms[0], filter->element ? "map value " : "value ", env,
                       &term, err));
    if (filter->index)
        return cql__index_passes(filter, type, value, term, env->context.arena, pass, err);
    /* Here an empty collection is a value like others. */
    if (filter->op <= CQL_OP_GTE) {
        *pass = order_holds(filter->op, cql__compare(type, value, term));
        return CORM_OK;
    }
    return cql__compare_op(type, value, filter->op, term, pass, err);
}

corm_status cql__filter_row(const cql_filter *filters, uint32_t count, cql_eval_env *env,
                            bool *pass, corm_error *err) {
    *pass = true;
    for (uint32_t i = 0; i < count && *pass; i++) CORM_TRY(passes(&filters[i], env, pass, err));
    return CORM_OK;
}
