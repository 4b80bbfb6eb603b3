// SPDX-License-Identifier: MIT
/* builder.c -- the calls that say a pipeline. Texts are parsed at once, names are looked up when it runs.
 *
 * A pipeline owns an arena with copies of everything that is given. The first mistake is kept; calls behind it do nothing.
 * Thread: one at a time. */
#include <stdio.h>
#include <stdlib.h>

#include "aggregate/pipeline.h"
#include "base/text.h"

/* ---- life ---- */

corm_pipeline *corm_pipeline_new(corm_session *session, const char *table,
                                 const corm_pipeline_options *options) {
    corm_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline) return NULL;
    pipeline->session = session;
    if (options) pipeline->options = *options;
    if (!session || !table) {
        pipeline->status = base__fail(&pipeline->error, CORM_INVALID_ARGUMENT,
                                      "a pipeline wants a session and a table");
        return pipeline;
    }
    if (pipeline->options._canary != 0)
        pipeline->status = base__fail(&pipeline->error, CORM_INVALID_ARGUMENT,
                                      "the options of a pipeline are not zero-initialised");
    agg_named *names;
    uint32_t   count;
    agg_node  *name = NULL;
    if (!pipeline->status)
        pipeline->status =
            agg__parse_list(&pipeline->arena, corm_str_of(table), &names, &count, &pipeline->error);
    if (!pipeline->status) name = names[0].node;
    if (name && name->kind == AGG_CALL && corm_str_equal(name->text, corm_str_of("field"))) {
        pipeline->keyspace = base__arena_str(&pipeline->arena, name->args[0]->text).data;
        pipeline->table = base__arena_str(&pipeline->arena, name->args[1]->text).data;
    } else if (name) {
        pipeline->table = base__arena_str(&pipeline->arena, name->text).data;
    }
    if (!pipeline->status && !pipeline->table)
        pipeline->status = base__fail_memory(&pipeline->error);
    return pipeline;
}

static void hide_deleted(corm_pipeline *pipeline, const corm_model *model) {
    for (uint32_t i = 0; i < CORM_MODEL_MAX_FIELDS && model->fields[i].name; i++)
        if (model->fields[i].role == CORM_DELETED_AT)
            corm_pipeline_where(pipeline, model->fields[i].name, CORM_NULL_OP, corm_null());
}

corm_pipeline *corm_pipeline_of(corm_db *db, const corm_model *model,
                                const corm_pipeline_options *options) {
    corm_pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (!pipeline) return NULL;
    if (options) pipeline->options = *options;
    if (!db || !model) {
        pipeline->status = base__fail(&pipeline->error, CORM_INVALID_ARGUMENT,
                                      "a pipeline wants a db and a model");
        return pipeline;
    }
    pipeline->session = corm_db_session(db);
    pipeline->status = corm_load(db, model, &pipeline->error);
    pipeline->table = model->table;
    pipeline->keyspace = model->keyspace;
    if (!pipeline->options.with_deleted) hide_deleted(pipeline, model);
    return pipeline;
}

void corm_pipeline_free(corm_pipeline *pipeline) {
    if (!pipeline) return;
    base__arena_free(&pipeline->arena);
    free(pipeline);
}

corm_status corm_pipeline_check(const corm_pipeline *pipeline, corm_error *err) {
    if (!pipeline) return base__fail_memory(err);
    if (pipeline->status && err) *err = pipeline->error;
    return pipeline->status;
}

corm_pipeline_stats corm_pipeline_last_stats(const corm_pipeline *pipeline) {
    return pipeline ? pipeline->stats : (corm_pipeline_stats){ 0 };
}

/* ---- stages ---- */

static bool is_usable(const corm_pipeline *pipeline) {
    return pipeline && pipeline->status == CORM_OK;
}

static void fail_memory(corm_pipeline *pipeline) {
    pipeline->status = base__fail_memory(&pipeline->error);
}

static void fail(corm_pipeline *pipeline, const char *what) {
    pipeline->status = base__fail(&pipeline->error, CORM_INVALID_ARGUMENT, "%s", what);
}

static agg_stage *add_stage(corm_pipeline *pipeline, agg_stage_kind kind, const char *text) {
    agg_stage *stage = BASE_NEW(&pipeline->arena, agg_stage);
    if (stage) stage->text = base__arena_str(&pipeline->arena, corm_str_of(text ? text : ""));
    if (!stage || !stage->text.data) {
        fail_memory(pipeline);
        return NULL;
    }
    stage->kind = kind;
    if (pipeline->last) {
        pipeline->last->next = stage;
    } else {
        pipeline->first = stage;
    }
    pipeline->last = stage;
    return stage;
}

static bool parse_items(corm_pipeline *pipeline, const char *text, agg_named **items,
                        uint32_t *count) {
    if (!text) {
        fail(pipeline, "an expression is NULL");
        return false;
    }
    pipeline->status =
        agg__parse_list(&pipeline->arena, corm_str_of(text), items, count, &pipeline->error);
    return pipeline->status == CORM_OK;
}

static void add_items_stage(corm_pipeline *pipeline, agg_stage_kind kind, const char *text) {
    agg_named *items;
    uint32_t   count;
    if (!is_usable(pipeline) || !parse_items(pipeline, text, &items, &count)) return;
    agg_stage *stage = add_stage(pipeline, kind, text);
    if (!stage) return;
    stage->items = items;
    stage->count = count;
}

/* ---- conditions ---- */

static const corm_value *keep_value(corm_pipeline *pipeline, corm_value value) {
    corm_value *copy = BASE_NEW(&pipeline->arena, corm_value);
    if (!copy) {
        fail_memory(pipeline);
        return NULL;
    }
    pipeline->status = session__value_copy(&value, &pipeline->arena, copy, &pipeline->error);
    return pipeline->status ? NULL : copy;
}

static agg_node *value_node(corm_pipeline *pipeline, const corm_value *value) {
    agg_node *node = agg__node_new(&pipeline->arena, AGG_VALUE, (corm_str){ NULL, 0 });
    if (node) node->value = value;
    return node;
}

static const char *function_of(corm_op op) {
    static const char *const names[] = {
        [CORM_EQ] = "=",
        [CORM_NE] = "!=",
        [CORM_GT] = ">",
        [CORM_GTE] = ">=",
        [CORM_LT] = "<",
        [CORM_LTE] = "<=",
        [CORM_IN] = "in",
        [CORM_LIKE] = "like",
        [CORM_CONTAINS] = "has",
        [CORM_CONTAINS_KEY] = "has_key",
        [CORM_BETWEEN] = "and",
        [CORM_NULL_OP] = "is_null",
        [CORM_NOT_NULL_OP] = "not",
    };
    return (size_t)op < sizeof names / sizeof *names ? names[op] : NULL;
}

static agg_node *condition_of(corm_pipeline *pipeline, const corm_term *term,
                              const corm_value *value, const corm_value *value2) {
    base_arena *arena = &pipeline->arena;
    agg_node   *name = agg__node_new(arena, AGG_NAME, corm_str_of(term->column));
    if (term->op == CORM_NULL_OP || term->op == CORM_NOT_NULL_OP) {
        agg_node *node = agg__call_new(arena, "is_null", 1, name, NULL, NULL);
        if (term->op == CORM_NULL_OP) return node;
        return agg__call_new(arena, "not", 1, node, NULL, NULL);
    }
    agg_node *right = value_node(pipeline, value);
    if (term->op != CORM_BETWEEN)
        return agg__call_new(arena, function_of(term->op), 2, name, right, NULL);
    agg_node *above = agg__call_new(arena, ">=", 2, name, right, NULL);
    agg_node *below = agg__call_new(arena, "<=", 2, name, value_node(pipeline, value2), NULL);
    return agg__call_new(arena, "and", 2, above, below, NULL);
}

static const char *text_of_term(corm_pipeline *pipeline, const corm_term *term) {
    const char *sign = term->op == CORM_BETWEEN ? "between" : function_of(term->op);
    if (term->op == CORM_NOT_NULL_OP) sign = "is not null";
    return base__arena_printf(&pipeline->arena, "%s %s", term->column, sign).data;
}

static void add_condition(corm_pipeline *pipeline, const char *column, corm_op op, corm_value value,
                          corm_value value2) {
    if (!is_usable(pipeline)) return;
    if (!column || !function_of(op)) {
        fail(pipeline,
             "a condition wants a column and one of the operators of corm_pipeline_where");
        return;
    }
    const corm_value *kept = keep_value(pipeline, value);
    const corm_value *kept2 = kept ? keep_value(pipeline, value2) : NULL;
    if (!kept2) return;
    corm_str  name = base__arena_str(&pipeline->arena, corm_str_of(column));
    corm_term term = { name.data, op, *kept, *kept2 };
    agg_node *condition = name.data ? condition_of(pipeline, &term, kept, kept2) : NULL;
    if (!condition) {
        fail_memory(pipeline);
        return;
    }
    agg_stage *stage = add_stage(pipeline, AGG_MATCH, text_of_term(pipeline, &term));
    if (!stage) return;
    stage->condition = condition;
    stage->term = term;
}

void corm_pipeline_where(corm_pipeline *pipeline, const char *column, corm_op op,
                         corm_value value) {
    add_condition(pipeline, column, op, value, corm_null());
}

void corm_pipeline_between(corm_pipeline *pipeline, const char *column, corm_value least,
                           corm_value most) {
    add_condition(pipeline, column, CORM_BETWEEN, least, most);
}

void corm_pipeline_having(corm_pipeline *pipeline, const char *alias, corm_op op,
                          corm_value value) {
    add_condition(pipeline, alias, op, value, corm_null());
}

void corm_pipeline_match(corm_pipeline *pipeline, const char *condition) {
    agg_node *node;
    if (!is_usable(pipeline)) return;
    if (!condition) {
        fail(pipeline, "an expression is NULL");
        return;
    }
    pipeline->status =
        agg__parse(&pipeline->arena, corm_str_of(condition), &node, &pipeline->error);
    if (pipeline->status) return;
    agg_stage *stage = add_stage(pipeline, AGG_MATCH, condition);
    if (stage) stage->condition = node;
}

void corm_pipeline_let(corm_pipeline *pipeline, const char *name, corm_value value) {
    if (!is_usable(pipeline)) return;
    agg_parameter *parameter = BASE_NEW(&pipeline->arena, agg_parameter);
    corm_str       copy = base__arena_str(&pipeline->arena, corm_str_of(name ? name : ""));
    if (!parameter || !copy.data) {
        fail_memory(pipeline);
        return;
    }
    pipeline->status =
        session__value_copy(&value, &pipeline->arena, &parameter->value, &pipeline->error);
    parameter->name = copy;
    parameter->next = pipeline->parameters;
    pipeline->parameters = parameter;
}

/* ---- columns and order ---- */

void corm_pipeline_project(corm_pipeline *pipeline, const char *expressions) {
    add_items_stage(pipeline, AGG_PROJECT, expressions);
}

void corm_pipeline_add(corm_pipeline *pipeline, const char *expressions) {
    add_items_stage(pipeline, AGG_ADD, expressions);
}

void corm_pipeline_unwind(corm_pipeline *pipeline, const char *column, bool keep_empty) {
    if (!is_usable(pipeline)) return;
    if (!column) {
        fail(pipeline, "unwind wants a column");
        return;
    }
    agg_stage *stage = add_stage(pipeline, AGG_UNWIND, column);
    if (!stage) return;
    stage->column = stage->text;
    stage->keep_empty = keep_empty;
}

void corm_pipeline_distinct(corm_pipeline *pipeline, const char *expressions) {
    add_items_stage(pipeline, AGG_GROUP, expressions);
    if (is_usable(pipeline)) pipeline->last->keep_empty = true; /* no accumulators follow */
}

/* One key more for a sort. */
static void add_sort(corm_pipeline *pipeline, agg_stage *stage, const char *expression,
                     bool descending) {
    agg_named *items;
    uint32_t   count;
    if (!parse_items(pipeline, expression, &items, &count)) return;
    uint32_t   all = stage->count + count;
    agg_named *joined = BASE_NEW_ARRAY(&pipeline->arena, agg_named, all);
    bool      *flags = BASE_NEW_ARRAY(&pipeline->arena, bool, all);
    if (!joined || !flags) {
        fail_memory(pipeline);
        return;
    }
    for (uint32_t i = 0; i < all; i++) {
        joined[i] = i < stage->count ? stage->items[i] : items[i - stage->count];
        flags[i] = i < stage->count ? stage->descending[i] : descending;
    }
    stage->items = joined;
    stage->descending = flags;
    stage->count = all;
}

static void begin_sort(corm_pipeline *pipeline, uint64_t count, const char *expression,
                       bool descending) {
    agg_stage *stage = pipeline->last;
    if (!stage || stage->kind != AGG_SORT || stage->number > 0 || count > 0)
        stage = add_stage(pipeline, AGG_SORT, expression);
    if (!stage) return;
    stage->number = count;
    add_sort(pipeline, stage, expression, descending);
}

void corm_pipeline_sort(corm_pipeline *pipeline, const char *expression, bool descending) {
    if (is_usable(pipeline)) begin_sort(pipeline, 0, expression, descending);
}

static void add_number(corm_pipeline *pipeline, agg_stage_kind kind, uint64_t number) {
    char text[32];
    if (!is_usable(pipeline)) return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    agg_stage *stage = add_stage(pipeline, kind, text);
    if (stage) stage->number = number;
}

void corm_pipeline_skip(corm_pipeline *pipeline, uint64_t count) {
    add_number(pipeline, AGG_SKIP, count);
}

void corm_pipeline_limit(corm_pipeline *pipeline, uint64_t count) {
    add_number(pipeline, AGG_LIMIT, count);
}

void corm_pipeline_top(corm_pipeline *pipeline, uint64_t count, const char *expression,
                       bool descending) {
    if (is_usable(pipeline) && count == 0) fail(pipeline, "top wants at least one row");
    if (is_usable(pipeline)) begin_sort(pipeline, count, expression, descending);
}

/* ---- groups ---- */

void corm_pipeline_group_by(corm_pipeline *pipeline, const char *expressions) {
    agg_stage *last = pipeline ? pipeline->last : NULL;
    bool       open = last && last->kind == AGG_GROUP && !last->keep_empty && last->count > 0 &&
                last->acc_count == 0;
    agg_stage *before = last;
    add_items_stage(pipeline, AGG_GROUP, expressions);
    if (!open || !is_usable(pipeline)) return;
    /* Two calls behind each other are one group of all keys. */
    agg_stage *added = pipeline->last;
    uint32_t   all = before->count + added->count;
    agg_named *joined = BASE_NEW_ARRAY(&pipeline->arena, agg_named, all);
    if (!joined) {
        fail_memory(pipeline);
        return;
    }
    memcpy(joined, before->items, before->count * sizeof *joined);
    memcpy(joined + before->count, added->items, added->count * sizeof *joined);
    before->items = joined;
    before->count = all;
    before->next = NULL;
    pipeline->last = before;
}

static agg_stage *open_group(corm_pipeline *pipeline) {
    agg_stage *last = pipeline->last;
    if (last && last->kind == AGG_GROUP && !last->keep_empty) return last;
    return add_stage(pipeline, AGG_GROUP, "all rows");
}

/* Doubles the room at powers of two. */
static bool push_acc(corm_pipeline *pipeline, agg_stage *group, agg_named acc) {
    uint32_t count = group->acc_count;
    if ((count & (count - 1)) == 0) {
        agg_named *bigger = BASE_NEW_ARRAY(&pipeline->arena, agg_named, count ? 2 * count : 1);
        if (!bigger) return false;
        if (count > 0) memcpy(bigger, group->accs, count * sizeof *bigger);
        group->accs = bigger;
    }
    group->accs[group->acc_count++] = acc;
    return true;
}

static void add_acc(corm_pipeline *pipeline, agg_node *call, const char *alias) {
    agg_stage *group = open_group(pipeline);
    if (!group) return;
    corm_str name = base__arena_str(&pipeline->arena, corm_str_of(alias));
    if (!call || !name.data || !push_acc(pipeline, group, (agg_named){ name, call }))
        fail_memory(pipeline);
}

void corm_pipeline_accumulate(corm_pipeline *pipeline, const char *call, const char *alias) {
    agg_node *node;
    if (!is_usable(pipeline)) return;
    if (!call || !alias) {
        fail(pipeline, "an accumulator wants a call and an alias");
        return;
    }
    pipeline->status = agg__parse(&pipeline->arena, corm_str_of(call), &node, &pipeline->error);
    if (is_usable(pipeline)) add_acc(pipeline, node, alias);
}

/* name(x), name(x, y) or name(x, number) */
static void accumulate(corm_pipeline *pipeline, const char *name, const char *x, const char *y,
                       const corm_value *number, const char *alias) {
    agg_node *a = NULL, *b = NULL;
    if (!is_usable(pipeline)) return;
    if (!x || !alias) {
        fail(pipeline, "an accumulator wants an expression and an alias");
        return;
    }
    pipeline->status = agg__parse(&pipeline->arena, corm_str_of(x), &a, &pipeline->error);
    if (y && is_usable(pipeline))
        pipeline->status = agg__parse(&pipeline->arena, corm_str_of(y), &b, &pipeline->error);
    if (!is_usable(pipeline)) return;
    if (number) {
        const corm_value *kept = keep_value(pipeline, *number);
        b = kept ? value_node(pipeline, kept) : NULL;
        if (!b) return;
    }
    add_acc(pipeline, agg__call_new(&pipeline->arena, name, b ? 2 : 1, a, b, NULL), alias);
}

#define DEFINE_ACCUMULATOR(name, call)                                                             \
    void corm_pipeline_##name(corm_pipeline *pipeline, const char *expression,                     \
                              const char *alias) {                                                 \
        accumulate(pipeline, call, expression, NULL, NULL, alias);                                 \
    }
CORM_ACCUMULATOR_MAP(DEFINE_ACCUMULATOR)
#undef DEFINE_ACCUMULATOR

void corm_pipeline_count(corm_pipeline *pipeline, const char *alias) {
    corm_pipeline_accumulate(pipeline, "count(*)", alias);
}

void corm_pipeline_percentile(corm_pipeline *pipeline, const char *expression, double part,
                              const char *alias) {
    corm_value number = corm_of_f64(part);
    accumulate(pipeline, "percentile", expression, NULL, &number, alias);
}

void corm_pipeline_approx_percentile(corm_pipeline *pipeline, const char *expression, double part,
                                     const char *alias) {
    corm_value number = corm_of_f64(part);
    accumulate(pipeline, "approx_percentile", expression, NULL, &number, alias);
}

void corm_pipeline_correlation(corm_pipeline *pipeline, const char *x, const char *y,
                               const char *alias) {
    accumulate(pipeline, "corr", x, y ? y : "null", NULL, alias);
}

void corm_pipeline_covariance(corm_pipeline *pipeline, const char *x, const char *y,
                              const char *alias) {
    accumulate(pipeline, "covar_samp", x, y ? y : "null", NULL, alias);
}

/* ---- histograms ---- */

/* Rows in which the expression is null are in no bucket. */
static bool leave_out_null(corm_pipeline *pipeline, const char *expression) {
    corm_str text =
        base__arena_printf(&pipeline->arena, "(%s) IS NOT NULL", expression ? expression : "");
    if (!text.data) fail_memory(pipeline);
    if (text.data) corm_pipeline_match(pipeline, text.data);
    return is_usable(pipeline);
}

void corm_pipeline_histogram(corm_pipeline *pipeline, const char *expression, double width) {
    if (!is_usable(pipeline) || !leave_out_null(pipeline, expression)) return;
    bool     whole = width == (double)(int64_t)width;
    corm_str text = whole ? base__arena_printf(&pipeline->arena, "floor_to(%s, %lld) AS bucket",
                                               expression, (long long)width)
                          : base__arena_printf(&pipeline->arena, "floor_to(%s, %.17g) AS bucket",
                                               expression, width);
    if (!text.data) {
        fail_memory(pipeline);
        return;
    }
    corm_pipeline_group_by(pipeline, text.data);
    corm_pipeline_count(pipeline, "count");
    corm_pipeline_sort(pipeline, "bucket", false);
}

void corm_pipeline_auto_histogram(corm_pipeline *pipeline, const char *expression,
                                  uint32_t buckets) {
    if (!is_usable(pipeline)) return;
    if (buckets == 0) {
        fail(pipeline, "a histogram wants at least one bucket");
        return;
    }
    if (!leave_out_null(pipeline, expression)) return;
    add_items_stage(pipeline, AGG_BUCKETS, expression);
    if (is_usable(pipeline)) pipeline->last->number = buckets;
}
