// SPDX-License-Identifier: MIT
/* model_json_scope.c -- scopes of a model in JSON. One thread.
 *
 *   "scopes": { "open": { "default": true, "where": { "status": "open", "stars": { "$gte": 3 } },
 *                         "order_by": { "id": "desc" }, "limit": 10 } } */
#include "orm/model_json.h"

#include "base/text.h"
#include "corm/db.h"

/* ---- values ---- */

static corm_status read_value(orm_json_reader *r, const json_t *value, corm_value *out);

static corm_status read_items(orm_json_reader *r, const json_t *array, corm_value *out) {
    size_t      count = json_array_size(array);
    corm_value *items = BASE_NEW_ARRAY(r->arena, corm_value, count + 1);
    if (!items) return base__fail_memory(r->err);
    for (size_t i = 0; i < count; i++) {
        size_t before = orm__json_enter(r, NULL, i);
        CORM_TRY(read_value(r, json_array_get(array, i), &items[i]));
        orm__json_leave(r, before);
    }
    *out = corm_of_items(CORM_LIST, items, (uint32_t)count);
    return CORM_OK;
}

static corm_status read_value(orm_json_reader *r, const json_t *value, corm_value *out) {
    const char *text = NULL;
    switch (json_typeof(value)) {
    case JSON_STRING:
        CORM_TRY(orm__json_text(r, value, &text));
        *out = corm_of_text(text);
        return CORM_OK;
    case JSON_INTEGER: *out = corm_of_i64(json_integer_value(value)); return CORM_OK;
    case JSON_REAL: *out = corm_of_f64(json_real_value(value)); return CORM_OK;
    case JSON_TRUE:
    case JSON_FALSE: *out = corm_of_bool(json_is_true(value)); return CORM_OK;
    default: return orm__json_wrong(r, "a text, a number or true or false is expected");
    }
}

/* ---- conditions ---- */

static const orm_json_word operators[] = {
    { "$eq", CORM_EQ },
    { "$ne", CORM_NE },
    { "$gt", CORM_GT },
    { "$gte", CORM_GTE },
    { "$lt", CORM_LT },
    { "$lte", CORM_LTE },
    { "$in", CORM_IN },
    { "$contains", CORM_CONTAINS },
    { "$contains_key", CORM_CONTAINS_KEY },
    { "$like", CORM_LIKE },
    { "$between", CORM_BETWEEN },
    { "$is_null", CORM_NULL_OP },
    { "$not_null", CORM_NOT_NULL_OP },
    { NULL, 0 },
};

static corm_status read_operand(orm_json_reader *r, const json_t *value, corm_term *term) {
    corm_value items;
    switch (term->op) {
    case CORM_NULL_OP:
    case CORM_NOT_NULL_OP:
        return json_is_true(value) ? CORM_OK : orm__json_wrong(r, "true is expected");
    case CORM_IN:
        if (!json_is_array(value)) return orm__json_wrong(r, "an array of values is expected");
        return read_items(r, value, &term->value);
    case CORM_BETWEEN:
        if (!json_is_array(value) || json_array_size(value) != 2) {
            return orm__json_wrong(r, "an array of two values is expected");
        }
        CORM_TRY(read_items(r, value, &items));
        term->value = items.as.items.items[0];
        term->value2 = items.as.items.items[1];
        return CORM_OK;
    default: return read_value(r, value, &term->value);
    }
}

static corm_status find_operator(orm_json_reader *r, const char *name, corm_op *out) {
    corm_str names[sizeof operators / sizeof *operators];
    size_t   count = 0;
    for (; operators[count].name; count++) {
        names[count] = corm_str_of(operators[count].name);
        if (strcmp(operators[count].name, name) != 0) continue;
        *out = (corm_op)operators[count].value;
        return CORM_OK;
    }
    corm_str near = orm__nearest(corm_str_of(name), names, count);
    if (near.len == 0) return orm__json_wrong(r, "this is no operator");
    return orm__json_wrong(r, "this is no operator, did you mean '%.*s'?", (int)near.len,
                           near.data);
}

static corm_status add_term(orm_json_reader *r, corm_find_options *find, const char *column,
                            corm_op op, const json_t *value) {
    uint32_t count = 0;
    while (count < CORM_MAX_TERMS && find->where[count].column) count++;
    if (count == CORM_MAX_TERMS) {
        return orm__json_wrong(r, "a scope has at most %d conditions", CORM_MAX_TERMS);
    }
    corm_term *term = &find->where[count];
    term->op = op;
    CORM_TRY(read_operand(r, value, term));
    term->column = base__arena_str(r->arena, corm_str_of(column)).data;
    return term->column ? CORM_OK : base__fail_memory(r->err);
}

static corm_status read_condition(orm_json_reader *r, corm_find_options *find, const char *column,
                                  const json_t *value) {
    const char *name;
    json_t     *operand;
    if (!json_is_object(value)) return add_term(r, find, column, CORM_EQ, value);
    json_object_foreach((json_t *)(uintptr_t)value, name, operand) {
        corm_op op = CORM_EQ;
        size_t  before = orm__json_enter(r, name, 0);
        CORM_TRY(find_operator(r, name, &op));
        CORM_TRY(add_term(r, find, column, op, operand));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

static corm_status scope_where(orm_json_reader *r, const json_t *object, void *target) {
    const char *name;
    json_t     *value;
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = orm__json_enter(r, name, 0);
        CORM_TRY(read_condition(r, &((corm_scope *)target)->find, name, value));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

/* ---- the others ---- */

static corm_status scope_order(orm_json_reader *r, const json_t *object, void *target) {
    corm_find_options *find = &((corm_scope *)target)->find;
    const char        *name;
    json_t            *value;
    uint32_t           count = 0;
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        const char *order = NULL;
        size_t      before = orm__json_enter(r, name, 0);
        CORM_TRY(orm__json_text(r, value, &order));
        bool descending = base__str_equal_nocase(corm_str_of(order), corm_str_of("desc"));
        if (!descending && !base__str_equal_nocase(corm_str_of(order), corm_str_of("asc"))) {
            return orm__json_wrong(r, "'%s' is neither asc nor desc", order);
        }
        if (count == 4) return orm__json_wrong(r, "rows are ordered by at most 4 columns");
        find->order_by[count].descending = descending;
        find->order_by[count].column = base__arena_str(r->arena, corm_str_of(name)).data;
        if (!find->order_by[count++].column) return base__fail_memory(r->err);
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

static corm_status scope_default(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_bool(r, value, &((corm_scope *)target)->is_default);
}

static corm_status scope_filtering(orm_json_reader *r, const json_t *value, void *target) {
    return orm__json_bool(r, value, &((corm_scope *)target)->find.allow_filtering);
}

static corm_status read_limit(orm_json_reader *r, const json_t *value, uint32_t *out) {
    int64_t rows = 0;
    CORM_TRY(orm__json_count(r, value, INT32_MAX, &rows));
    *out = (uint32_t)rows;
    return CORM_OK;
}

static corm_status scope_limit(orm_json_reader *r, const json_t *value, void *target) {
    return read_limit(r, value, &((corm_scope *)target)->find.limit);
}

static corm_status scope_partition_limit(orm_json_reader *r, const json_t *value, void *target) {
    return read_limit(r, value, &((corm_scope *)target)->find.per_partition_limit);
}

static const orm_json_key scope_lines[] = {
    { "default", scope_default },
    { "where", scope_where },
    { "order_by", scope_order },
    { "limit", scope_limit },
    { "per_partition_limit", scope_partition_limit },
    { "allow_filtering", scope_filtering },
    { NULL, NULL },
};

corm_status orm__json_scopes(orm_json_reader *r, const json_t *object, void *target) {
    const char *name;
    json_t     *value;
    size_t      count = 0;
    (void)target;
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    corm_scope *scopes = BASE_NEW_ARRAY(r->arena, corm_scope, json_object_size(object) + 1);
    if (!scopes) return base__fail_memory(r->err);
    r->model->scopes = scopes;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = orm__json_enter(r, name, 0);
        scopes[count].name = base__arena_str(r->arena, corm_str_of(name)).data;
        if (!scopes[count].name) return base__fail_memory(r->err);
        CORM_TRY(orm__json_object(r, value, scope_lines, &scopes[count++]));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}
