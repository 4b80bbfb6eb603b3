// SPDX-License-Identifier: MIT
/* compile.c -- stages become steps: names are looked up among the columns of the stage before, everything gets its type.
 * Thread: the caller's; everything lives in the run's arena. */
#include "aggregate/pipeline.h"

typedef struct compiling {
    base_arena          *arena;
    const agg_parameter *parameters;
} compiling;

static agg_binding binding_of(const compiling *c, const agg_scope *scope) {
    return (agg_binding){ c->arena, scope, c->parameters };
}

static corm_status bind_items(const compiling *c, const agg_scope *scope, const agg_named *items,
                              uint32_t count, agg_expr ***out, corm_error *err) {
    agg_binding binding = binding_of(c, scope);
    *out = BASE_NEW_ARRAY(c->arena, agg_expr *, count + 1);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(agg__bind(&binding, items[i].node, &(*out)[i], err));
    return CORM_OK;
}

static corm_status new_scope(const compiling *c, uint32_t count, agg_field **fields, agg_scope *out,
                             corm_error *err) {
    *fields = BASE_NEW_ARRAY(c->arena, agg_field, count + 1);
    *out = (agg_scope){ count, *fields };
    return *fields ? CORM_OK : base__fail_memory(err);
}

static corm_status check_names(const agg_scope *scope, corm_error *err) {
    for (uint32_t i = 0; i < scope->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (corm_str_equal(scope->fields[i].name, scope->fields[j].name))
                return base__fail(err, CORM_INVALID, "two columns are called '%.*s'",
                                  (int)scope->fields[i].name.len, scope->fields[i].name.data);
    return CORM_OK;
}

/* A null constant is a text where nothing says otherwise. */
static const cql_type *type_of(const agg_expr *expr) {
    return agg__is_null_constant(expr) ? cql__type_native(CQL_TEXT) : expr->type;
}

/* ---- each kind ---- */

static corm_status compile_match(const compiling *c, const agg_stage *stage, agg_step *step,
                                 corm_error *err) {
    agg_binding binding = binding_of(c, &step->in);
    CORM_TRY(agg__bind(&binding, stage->condition, &step->condition, err));
    if (step->condition->type->id == CQL_BOOLEAN) return CORM_OK;
    return base__fail(err, CORM_INVALID, "\"%.*s\" is no condition", (int)stage->text.len,
                      stage->text.data);
}

static corm_status compile_project(const compiling *c, const agg_stage *stage, agg_step *step,
                                   corm_error *err) {
    agg_field *fields;
    CORM_TRY(bind_items(c, &step->in, stage->items, stage->count, &step->exprs, err));
    CORM_TRY(new_scope(c, stage->count, &fields, &step->out, err));
    step->count = stage->count;
    for (uint32_t i = 0; i < stage->count; i++)
        fields[i] = (agg_field){ stage->items[i].name, type_of(step->exprs[i]) };
    return check_names(&step->out, err);
}

static uint32_t place_of(const agg_scope *scope, uint32_t count, corm_str name) {
    for (uint32_t i = 0; i < count; i++)
        if (corm_str_equal(scope->fields[i].name, name)) return i;
    return count;
}

/* All columns that there are, some of them new: a project of all. */
static corm_status compile_add(const compiling *c, const agg_stage *stage, agg_step *step,
                               corm_error *err) {
    agg_expr **added;
    agg_field *fields;
    uint32_t   count = step->in.count;
    CORM_TRY(bind_items(c, &step->in, stage->items, stage->count, &added, err));
    CORM_TRY(new_scope(c, count + stage->count, &fields, &step->out, err));
    step->exprs = BASE_NEW_ARRAY(c->arena, agg_expr *, count + stage->count + 1);
    if (!step->exprs) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        step->exprs[i] = BASE_NEW(c->arena, agg_expr);
        if (!step->exprs[i]) return base__fail_memory(err);
        *step->exprs[i] =
            (agg_expr){ .kind = AGG_COLUMN, .type = step->in.fields[i].type, .column = i };
        fields[i] = step->in.fields[i];
    }
    for (uint32_t i = 0; i < stage->count; i++) {
        uint32_t at = place_of(&step->out, count, stage->items[i].name);
        if (at == count) count++;
        step->exprs[at] = added[i];
        fields[at] = (agg_field){ stage->items[i].name, type_of(added[i]) };
    }
    step->out.count = step->count = count;
    step->kind = AGG_PROJECT;
    return CORM_OK;
}

static corm_status compile_unwind(const compiling *c, const agg_stage *stage, agg_step *step,
                                  corm_error *err) {
    agg_field *fields;
    uint32_t   at = place_of(&step->in, step->in.count, stage->column);
    if (at == step->in.count)
        return base__fail(err, CORM_INVALID, "there is no column '%.*s' here",
                          (int)stage->column.len, stage->column.data);
    const cql_type *type = step->in.fields[at].type;
    if (!cql__type_is_collection(type) && type->id != CQL_VECTOR)
        return base__fail(err, CORM_INVALID, "'%.*s' is no collection to unwind",
                          (int)stage->column.len, stage->column.data);
    bool is_map = type->id == CQL_MAP;
    CORM_TRY(new_scope(c, step->in.count + is_map, &fields, &step->out, err));
    memcpy(fields, step->in.fields, step->in.count * sizeof *fields);
    fields[at].type = type->params[0];
    step->column = at;
    step->keep_empty = stage->keep_empty;
    if (!is_map) return CORM_OK;
    corm_str name =
        base__arena_printf(c->arena, "%.*s_value", (int)stage->column.len, stage->column.data);
    if (!name.data) return base__fail_memory(err);
    fields[step->in.count] = (agg_field){ name, type->params[1] };
    return check_names(&step->out, err);
}

static corm_status bind_accs(const compiling *c, const agg_stage *stage, agg_step *step,
                             agg_field *fields, corm_error *err) {
    agg_grouping *grouping = &step->grouping;
    agg_binding   binding = binding_of(c, &step->in);
    for (uint32_t i = 0; i < stage->acc_count; i++) {
        agg_acc *acc = &grouping->accs[i];
        CORM_TRY(agg__acc_bind(&binding, stage->accs[i].node, stage->accs[i].name, acc, err));
        acc->offset = grouping->block;
        grouping->block +=
            (acc->kind->size + AGG_STATE_ALIGNMENT - 1) / AGG_STATE_ALIGNMENT * AGG_STATE_ALIGNMENT;
        fields[grouping->key_count + i] = (agg_field){ acc->alias, acc->type };
    }
    return CORM_OK;
}

static corm_status compile_group(const compiling *c, const agg_stage *stage, agg_step *step,
                                 corm_error *err) {
    agg_grouping *grouping = &step->grouping;
    agg_field    *fields;
    if (stage->count > 64) return base__fail(err, CORM_INVALID, "a group has at most 64 keys");
    *grouping = (agg_grouping){ .key_count = stage->count, .acc_count = stage->acc_count };
    CORM_TRY(bind_items(c, &step->in, stage->items, stage->count, &grouping->keys, err));
    grouping->accs = BASE_NEW_ARRAY(c->arena, agg_acc, stage->acc_count + 1);
    if (!grouping->accs) return base__fail_memory(err);
    CORM_TRY(new_scope(c, stage->count + stage->acc_count, &fields, &step->out, err));
    for (uint32_t i = 0; i < stage->count; i++)
        fields[i] = (agg_field){ stage->items[i].name, type_of(grouping->keys[i]) };
    CORM_TRY(bind_accs(c, stage, step, fields, err));
    grouping->out = &step->out;
    return check_names(&step->out, err);
}

static corm_status compile_sort(const compiling *c, const agg_stage *stage, agg_step *step,
                                corm_error *err) {
    step->count = stage->count;
    step->descending = stage->descending;
    return bind_items(c, &step->in, stage->items, stage->count, &step->exprs, err);
}

static corm_status compile_buckets(const compiling *c, const agg_stage *stage, agg_step *step,
                                   corm_error *err) {
    agg_field *fields;
    if (stage->count != 1) return base__fail(err, CORM_INVALID, "a histogram has one expression");
    step->count = 1;
    CORM_TRY(bind_items(c, &step->in, stage->items, 1, &step->exprs, err));
    CORM_TRY(new_scope(c, 3, &fields, &step->out, err));
    fields[0] = (agg_field){ corm_str_of("min"), type_of(step->exprs[0]) };
    fields[1] = (agg_field){ corm_str_of("max"), fields[0].type };
    fields[2] = (agg_field){ corm_str_of("count"), cql__type_native(CQL_BIGINT) };
    return CORM_OK;
}

static corm_status compile_one(const compiling *c, const agg_stage *stage, agg_step *step,
                               corm_error *err) {
    step->kind = stage->kind;
    step->number = stage->number;
    step->out = step->in;
    switch (stage->kind) {
    case AGG_MATCH: return compile_match(c, stage, step, err);
    case AGG_PROJECT: return compile_project(c, stage, step, err);
    case AGG_ADD: return compile_add(c, stage, step, err);
    case AGG_UNWIND: return compile_unwind(c, stage, step, err);
    case AGG_GROUP: return compile_group(c, stage, step, err);
    case AGG_SORT: return compile_sort(c, stage, step, err);
    case AGG_BUCKETS: return compile_buckets(c, stage, step, err);
    default: return CORM_OK;
    }
}

/* A limit behind a sort is the sort's: it need not keep more. */
static void join_limits(agg_steps *steps) {
    for (uint32_t i = 0; i + 1 < steps->count; i++) {
        agg_step *sort = &steps->items[i];
        if (sort->kind != AGG_SORT) continue;
        uint64_t skip = 0;
        uint32_t at = i + 1;
        if (steps->items[at].kind == AGG_SKIP) skip = steps->items[at++].number;
        if (at >= steps->count || steps->items[at].kind != AGG_LIMIT) continue;
        uint64_t most;
        if (__builtin_add_overflow(skip, steps->items[at].number, &most) || most == 0) continue;
        if (sort->number == 0 || most < sort->number) sort->number = most;
    }
}

corm_status agg__compile(base_arena *arena, const agg_parameter *parameters, const agg_scope *in,
                         const agg_stage *first, agg_steps *out, corm_error *err) {
    compiling c = { arena, parameters };
    uint32_t  count = 0;
    for (const agg_stage *stage = first; stage; stage = stage->next) count++;
    *out = (agg_steps){ .out = *in };
    out->items = BASE_NEW_ARRAY(arena, agg_step, count + 1);
    if (!out->items) return base__fail_memory(err);
    for (const agg_stage *stage = first; stage; stage = stage->next) {
        agg_step *step = &out->items[out->count++];
        step->in = out->out;
        CORM_TRY(compile_one(&c, stage, step, err));
        out->out = step->out;
    }
    join_limits(out);
    return CORM_OK;
}
