// SPDX-License-Identifier: MIT
/* fn_collection.c -- the keys and values of a map; the count, least, greatest, sum and average of a collection's
 * elements, by the aggregates that do the same over rows. Pure; any thread. */
#include "cql/fn.h"

/* ---- maps: the entries are copied with every other value left out ---- */

static corm_status entries_size(cql_walk walk, uint32_t part, size_t *size) {
    cql_value item;
    *size = 4;
    for (uint32_t i = 0; cql__walk_next(&walk, &item); i++) {
        if (i % 2 == part) *size += 4 + (item.len > 0 ? (size_t)item.len : 0);
    }
    return walk.reader.failed ? CORM_CORRUPT : CORM_OK;
}

static void copy_entries(cql_walk walk, uint32_t part, uint8_t *to) {
    cql_value item;
    base__store_u32(to, walk.count);
    to += 4;
    for (uint32_t i = 0; cql__walk_next(&walk, &item); i++) {
        if (i % 2 != part) continue;
        base__store_u32(to, (uint32_t)item.len);
        to += 4;
        if (item.len > 0) memcpy(to, item.data, (size_t)item.len);
        to += item.len > 0 ? item.len : 0;
    }
}

static corm_status eval_part(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    uint32_t part = function->result->id == CQL_SET ? 0 : 1;
    cql_walk walk;
    size_t   size;
    *out = CQL_NULL;
    if (cql__is_null(args[0])) return CORM_OK;
    CORM_TRY(cql__walk_begin(&walk, function->args[0], args[0], err));
    if (entries_size(walk, part, &size) != CORM_OK)
        return base__fail(err, CORM_CORRUPT, "a map ends early");
    uint8_t *data = cql__fn_room(context, size, out);
    if (!data) return base__fail_memory(err);
    copy_entries(walk, part, data);
    return CORM_OK;
}

static corm_status make_keys(const cql_factory *factory, base_arena *arena,
                             const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)factory;
    (void)receiver;
    out->eval = eval_part;
    out->result = cql__type_set(arena, out->args[0]->params[0], true);
    return out->result ? CORM_OK : base__fail_memory(err);
}

static corm_status make_values(const cql_factory *factory, base_arena *arena,
                               const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)factory;
    (void)receiver;
    out->eval = eval_part;
    out->result = cql__type_list(arena, out->args[0]->params[1], true);
    return out->result ? CORM_OK : base__fail_memory(err);
}

/* ---- collection_count ---- */

static corm_status eval_count(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    cql_walk walk;
    *out = CQL_NULL;
    if (cql__is_null(args[0])) return CORM_OK;
    CORM_TRY(cql__walk_begin(&walk, function->args[0], args[0], err));
    return cql__fn_give_i32(context, (int32_t)walk.count, out, err);
}

static corm_status make_count(const cql_factory *factory, base_arena *arena,
                              const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)factory;
    (void)arena;
    (void)receiver;
    (void)err;
    out->eval = eval_count;
    out->result = cql__type_native(CQL_INT);
    return CORM_OK;
}

/* ---- the rest: data is the aggregate of the element's type ---- */

static corm_status eval_elements(const cql_function *function, cql_eval_context *context,
                                 const cql_value *args, cql_value *out, corm_error *err) {
    const cql_function *aggregate = function->data;
    cql_walk            walk;
    cql_value           item;
    *out = CQL_NULL;
    if (cql__is_null(args[0])) return CORM_OK;
    void *state = base__arena_alloc(context->arena, aggregate->state_size);
    if (!state) return base__fail_memory(err);
    CORM_TRY(cql__walk_begin(&walk, function->args[0], args[0], err));
    aggregate->init(state);
    while (cql__walk_next(&walk, &item))
        CORM_TRY(aggregate->step(aggregate, context, state, &item, err));
    return aggregate->final(aggregate, context, state, out, err);
}

static corm_status make_elements(const cql_factory *factory, base_arena *arena,
                                 const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)receiver;
    const cql_fn_reduce *reduce = factory->data;
    cql_function        *aggregate = BASE_NEW(arena, cql_function);
    const cql_type     **element = BASE_NEW_ARRAY(arena, const cql_type *, 1);
    if (!aggregate || !element) return base__fail_memory(err);
    element[0] = out->args[0]->params[0];
    aggregate->arg_count = 1;
    aggregate->args = element;
    cql__fn_make_aggregate(*reduce, element[0], aggregate);
    out->eval = eval_elements;
    out->result = element[0];
    out->data = aggregate;
    return CORM_OK;
}

const cql_factory *cql__fn_collection_factories(size_t *count) {
    static const cql_fn_reduce min = CQL_FN_MIN, max = CQL_FN_MAX, sum = CQL_FN_SUM,
                               avg = CQL_FN_AVG;
    static const cql_factory factories[] = {
        { "map_keys", NULL, 1, 1, { CQL_FN_MAP }, make_keys, NULL },
        { "map_values", NULL, 1, 1, { CQL_FN_MAP }, make_values, NULL },
        { "collection_count", NULL, 1, 1, { CQL_FN_COLLECTION }, make_count, NULL },
        { "collection_min", NULL, 1, 1, { CQL_FN_SET_OR_LIST }, make_elements, &min },
        { "collection_max", NULL, 1, 1, { CQL_FN_SET_OR_LIST }, make_elements, &max },
        { "collection_sum", NULL, 1, 1, { CQL_FN_NUMBERS_SET_OR_LIST }, make_elements, &sum },
        { "collection_avg", NULL, 1, 1, { CQL_FN_NUMBERS_SET_OR_LIST }, make_elements, &avg },
    };
    *count = sizeof factories / sizeof *factories;
    return factories;
}
