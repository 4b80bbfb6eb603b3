// SPDX-License-Identifier: MIT
/* plan.c -- what the store is asked for, and why not for more.
 *
 *   conditions on the whole partition key    one SELECT by key, with those on clustering columns that may follow
 *   equality on an indexed column            one SELECT through the index
 *   everything else                          the ring in token ranges; with allow_filtering the conditions go along
 *
 * Only conditions said by corm_pipeline_where before any other stage are looked at. Thread: the caller's. */
#include "aggregate/pipeline.h"
#include "base/text.h"
#include "corm/schema.h"

typedef struct planning {
    corm_pipeline         *pipeline;
    const corm_table_info *table;
    agg_plan              *plan;
    uint32_t               term_count;
    const agg_stage      **terms; /* the conditions at the start */
    bool                  *pushed;
    corm_error            *err;
} planning;

static const corm_column_info *column_named(const corm_table_info *table, corm_str name) {
    for (uint32_t i = 0; i < table->column_count; i++)
        if (corm_str_equal(corm_str_of(table->columns[i].name), name)) return &table->columns[i];
    return NULL;
}

/* ---- which columns are needed ---- */

static void mark_names(const agg_node *node, const corm_table_info *table, bool *needed) {
    if (node->kind == AGG_NAME)
        for (uint32_t i = 0; i < table->column_count; i++)
            if (corm_str_equal(corm_str_of(table->columns[i].name), node->text)) needed[i] = true;
    for (uint32_t i = 0; i < node->count; i++) mark_names(node->args[i], table, needed);
}

static void mark_items(const agg_named *items, uint32_t count, const corm_table_info *table,
                       bool *needed) {
    for (uint32_t i = 0; i < count; i++) mark_names(items[i].node, table, needed);
}

/* False: a stage that gives all columns is the last. */
static bool mark_stages(const agg_stage *stage, const corm_table_info *table, bool *needed) {
    for (; stage; stage = stage->next) {
        agg_node column = { .kind = AGG_NAME, .text = stage->column };
        if (stage->condition) mark_names(stage->condition, table, needed);
        if (stage->kind == AGG_UNWIND) mark_names(&column, table, needed);
        mark_items(stage->items, stage->count, table, needed);
        mark_items(stage->accs, stage->acc_count, table, needed);
        if (stage->kind == AGG_PROJECT || stage->kind == AGG_GROUP || stage->kind == AGG_BUCKETS)
            return true;
    }
    return false;
}

static corm_status put_columns(planning *p, base_buf *out) {
    bool    *needed = BASE_NEW_ARRAY(p->plan->arena, bool, p->table->column_count + 1);
    uint32_t count = 0;
    if (!needed) return base__fail_memory(p->err);
    bool some = mark_stages(p->plan->rest, p->table, needed);
    for (uint32_t i = 0; i < p->table->column_count; i++) {
        if (some && !needed[i]) continue;
        if (count++) base__buf_puts(out, ", ");
        cql__put_name(out, corm_str_of(p->table->columns[i].name));
    }
    if (count == 0) cql__put_name(out, corm_str_of(p->table->columns[0].name));
    base__buf_printf(&p->plan->notes, "columns     %u of %u are read\n", count ? count : 1,
                     p->table->column_count);
    return CORM_OK;
}

/* ---- which conditions go along ---- */

static const char *sign_of(corm_op op) {
    switch (op) {
    case CORM_EQ: return "=";
    case CORM_GT: return ">";
    case CORM_GTE: return ">=";
    case CORM_LT: return "<";
    case CORM_LTE: return "<=";
    case CORM_IN: return "IN";
    case CORM_CONTAINS: return "CONTAINS";
    case CORM_CONTAINS_KEY: return "CONTAINS KEY";
    default: return NULL;
    }
}

static corm_status find_terms(planning *p) {
    uint32_t         count = 0;
    const agg_stage *stage = p->pipeline->first;
    for (; stage && stage->kind == AGG_MATCH && stage->term.column; stage = stage->next) count++;
    p->term_count = count;
    p->terms = BASE_NEW_ARRAY(p->plan->arena, const agg_stage *, count + 1);
    p->pushed = BASE_NEW_ARRAY(p->plan->arena, bool, count + 1);
    if (!p->terms || !p->pushed) return base__fail_memory(p->err);
    stage = p->pipeline->first;
    for (uint32_t i = 0; i < count; i++, stage = stage->next) p->terms[i] = stage;
    return CORM_OK;
}

/* The first condition on a column by one of the operators in the mask; term_count: none. */
static uint32_t term_on(const planning *p, const char *column, uint32_t ops) {
    for (uint32_t i = 0; i < p->term_count; i++)
        if (!p->pushed[i] && strcmp(p->terms[i]->term.column, column) == 0 &&
            (ops >> p->terms[i]->term.op & 1))
            return i;
    return p->term_count;
}

enum {
    EQUAL = 1 << CORM_EQ,
    EQUAL_OR_IN = 1 << CORM_EQ | 1 << CORM_IN,
    LOWER = 1 << CORM_GT | 1 << CORM_GTE,
    UPPER = 1 << CORM_LT | 1 << CORM_LTE,
    RANGES = 1 << CORM_GT | 1 << CORM_GTE | 1 << CORM_LT | 1 << CORM_LTE | 1 << CORM_BETWEEN
};

/* The whole partition key, then clustering columns by equality, then one by a range. */
static bool push_keys(planning *p) {
    uint32_t i = 0;
    for (; i < p->table->column_count && p->table->columns[i].key == CORM_PARTITION; i++)
        if (term_on(p, p->table->columns[i].name, EQUAL_OR_IN) == p->term_count) return false;
    for (uint32_t k = 0; k < i; k++)
        p->pushed[term_on(p, p->table->columns[k].name, EQUAL_OR_IN)] = true;
    for (; i < p->table->column_count; i++) {
        corm_key key = p->table->columns[i].key;
        if (key != CORM_CLUSTERING && key != CORM_CLUSTERING_DESC) break;
        uint32_t at = term_on(p, p->table->columns[i].name, EQUAL);
        if (at == p->term_count) {
            uint32_t low = term_on(p, p->table->columns[i].name, LOWER | 1 << CORM_BETWEEN);
            if (low < p->term_count) p->pushed[low] = true;
            bool     both = low < p->term_count && p->terms[low]->term.op == CORM_BETWEEN;
            uint32_t high = both ? p->term_count : term_on(p, p->table->columns[i].name, UPPER);
            if (high < p->term_count) p->pushed[high] = true;
            break;
        }
        p->pushed[at] = true;
    }
    return true;
}

static bool push_index(planning *p) {
    for (uint32_t i = 0; i < p->term_count; i++) {
        const corm_term        *term = &p->terms[i]->term;
        const corm_column_info *column = column_named(p->table, corm_str_of(term->column));
        bool                    fits =
            term->op == CORM_EQ || term->op == CORM_CONTAINS || term->op == CORM_CONTAINS_KEY;
        if (!column || !column->indexed || !fits) continue;
        p->pushed[i] = true;
        return true;
    }
    return false;
}

static void push_filters(planning *p) {
    for (uint32_t i = 0; i < p->term_count; i++) {
        corm_op                 op = p->terms[i]->term.op;
        const corm_column_info *column =
            column_named(p->table, corm_str_of(p->terms[i]->term.column));
        p->pushed[i] = column && column->key != CORM_PARTITION && op != CORM_IN &&
                       (sign_of(op) || op == CORM_BETWEEN);
    }
}

static void choose(planning *p) {
    if (p->pipeline->options.no_push_down) return;
    if (push_keys(p)) {
        p->plan->source = AGG_KEYS;
    } else if (push_index(p)) {
        p->plan->source = AGG_INDEX;
    } else if (p->pipeline->options.allow_filtering) {
        push_filters(p);
    }
}

/* ---- the text ---- */

static void put_term(planning *p, const corm_term *term, bool *first, base_buf *out) {
    bool between = term->op == CORM_BETWEEN;
    base__buf_puts(out, *first ? " WHERE " : " AND ");
    *first = false;
    cql__put_name(out, corm_str_of(term->column));
    base__buf_printf(out, " %s ?", between ? ">=" : sign_of(term->op));
    p->plan->values[p->plan->value_count++] = term->value;
    if (!between) return;
    base__buf_puts(out, " AND ");
    cql__put_name(out, corm_str_of(term->column));
    base__buf_puts(out, " <= ?");
    p->plan->values[p->plan->value_count++] = term->value2;
}

static void put_token(const planning *p, base_buf *out) {
    base__buf_puts(out, "token(");
    for (uint32_t i = 0; i < p->table->column_count && p->table->columns[i].key == CORM_PARTITION;
         i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_name(out, corm_str_of(p->table->columns[i].name));
    }
    base__buf_puts(out, ")");
}

static corm_status put_where(planning *p, base_buf *out) {
    bool     first = p->plan->source != AGG_RING;
    uint32_t filters = 0;
    p->plan->values = BASE_NEW_ARRAY(p->plan->arena, corm_value, 2 * p->term_count + 1);
    if (!p->plan->values) return base__fail_memory(p->err);
    if (!first) {
        base__buf_puts(out, " WHERE ");
        put_token(p, out);
        base__buf_puts(out, " > ? AND ");
        put_token(p, out);
        base__buf_puts(out, " <= ?");
    }
    for (uint32_t i = 0; i < p->term_count; i++) {
        if (!p->pushed[i]) continue;
        put_term(p, &p->terms[i]->term, &first, out);
        filters++;
    }
    return CORM_OK;
}

static bool filters(const planning *p) {
    bool any = false;
    for (uint32_t i = 0; i < p->term_count; i++) any = any || p->pushed[i];
    return any && p->plan->source == AGG_RING;
}

/* ---- what is left ---- */

/* Conditions that went along are left out of a copy of the list. */
static corm_status set_rest(planning *p) {
    const agg_stage  *stage = p->pipeline->first;
    const agg_stage **link = &p->plan->rest;
    for (uint32_t i = 0; i < p->term_count; i++, stage = stage->next) {
        if (p->pushed[i]) continue;
        agg_stage *copy = BASE_NEW(p->plan->arena, agg_stage);
        if (!copy) return base__fail_memory(p->err);
        *copy = *stage;
        *link = copy;
        link = (const agg_stage **)(uintptr_t)&copy->next;
    }
    *link = stage;
    return CORM_OK;
}

static bool wants_order(const agg_stage *stage) {
    for (; stage; stage = stage->next) {
        if (stage->kind == AGG_SORT) return false;
        for (uint32_t i = 0; i < stage->acc_count; i++)
            if (stage->accs[i].node->kind == AGG_CALL && agg__acc_is_ordered(stage->accs[i].node))
                return true;
        if (agg__is_breaker(stage->kind)) return false;
    }
    return false;
}

/* ---- notes ---- */

static void note_source(planning *p) {
    static const char *const sources[] = {
        [AGG_RING] = "the whole ring, in token ranges by several threads",
        [AGG_KEYS] = "partitions by their keys",
        [AGG_INDEX] = "rows through an index",
    };
    base_buf *notes = &p->plan->notes;
    bool      alone = p->plan->source == AGG_RING && p->plan->ordered;
    base__buf_printf(notes, "source      %s\n",
                     alone ? "the whole ring, in its order, by one thread"
                           : sources[p->plan->source]);
}

static const char *why_here(const planning *p, uint32_t i) {
    if (p->pipeline->options.no_push_down) return "no_push_down is set";
    corm_op op = p->terms[i]->term.op;
    if (!sign_of(op) && op != CORM_BETWEEN) return "CQL has no such condition";
    if (p->plan->source == AGG_KEYS) return "it is not on the next column of the key";
    if (p->plan->source == AGG_INDEX) return "the index is on another column";
    if (p->pipeline->options.allow_filtering) return "CQL does not filter so beside token ranges";
    return "it is on no key and no index; allow_filtering would let the store do it";
}

static void note_terms(planning *p) {
    for (uint32_t i = 0; i < p->term_count; i++) {
        corm_str text = p->terms[i]->text;
        if (p->pushed[i])
            base__buf_printf(&p->plan->notes, "where       %.*s: by the store\n", (int)text.len,
                             text.data);
        else
            base__buf_printf(&p->plan->notes, "where       %.*s: here, because %s\n", (int)text.len,
                             text.data, why_here(p, i));
    }
}

static void note_rest(planning *p) {
    static const char *const names[] = {
        [AGG_MATCH] = "match",   [AGG_PROJECT] = "project", [AGG_ADD] = "add",
        [AGG_UNWIND] = "unwind", [AGG_GROUP] = "group",     [AGG_SORT] = "sort",
        [AGG_SKIP] = "skip",     [AGG_LIMIT] = "limit",     [AGG_BUCKETS] = "histogram",
    };
    for (const agg_stage *stage = p->plan->rest; stage; stage = stage->next) {
        if (stage->kind == AGG_MATCH && stage->term.column) {
            bool noted = false;
            for (uint32_t i = 0; i < p->term_count; i++)
                noted = noted || p->terms[i]->term.column == stage->term.column;
            if (noted) continue;
        }
        const char *how = agg__is_stateless(stage->kind) ? "row by row"
                          : agg__is_breaker(stage->kind)
                              ? "in memory up to the limit, then in temporary files"
                              : "as rows pass";
        base__buf_printf(&p->plan->notes, "%-11s %.*s: here, %s\n", names[stage->kind],
                         (int)stage->text.len, stage->text.data, how);
    }
}

/* ---- the whole ---- */

/* On an embedded store the ring is read quicker than the store aggregates: only single partitions are left to it. */
static corm_status try_native(planning *p, base_buf *columns, bool *done) {
    const char *why = NULL;
    *done = false;
    if (p->pipeline->options.no_push_down) {
        why = "no_push_down is set";
    } else if (p->plan->source == AGG_INDEX || filters(p)) {
        why = "rows come through an index or a filter";
    } else if (p->plan->source == AGG_RING && !session__is_cluster(p->pipeline->session)) {
        why = "reading the ring here is quicker on an embedded store";
    } else {
        CORM_TRY(agg__plan_native(p->table, p->plan->rest, p->plan, columns, done, &why, p->err));
    }
    if (p->plan->rest && p->plan->rest->kind == AGG_GROUP && !*done)
        base__buf_printf(&p->plan->notes, "native      no: %s\n", why ? why : "");
    if (*done)
        base__buf_printf(&p->plan->notes,
                         "native      the store aggregates each %s; the parts are "
                         "joined here\n",
                         p->plan->source == AGG_RING ? "token range" : "partition");
    return CORM_OK;
}

/* Behind the conditions: what groups the store makes. */
static void put_group_by(planning *p, const agg_stage *group, base_buf *out) {
    if (!p->plan->native || group->count == 0) return;
    for (uint32_t i = 0; i < group->count; i++) {
        base__buf_puts(out, i == 0 ? " GROUP BY " : ", ");
        cql__put_name(out, group->items[i].node->text);
    }
}

static corm_status put_text(planning *p, base_buf *text) {
    bool             done;
    const agg_stage *group = p->plan->rest;
    base__buf_puts(text, "SELECT ");
    CORM_TRY(try_native(p, text, &done));
    p->plan->native = done;
    if (!done) CORM_TRY(put_columns(p, text));
    base__buf_puts(text, " FROM ");
    cql__put_name(text, corm_str_of(p->table->keyspace));
    base__buf_puts(text, ".");
    cql__put_name(text, corm_str_of(p->table->name));
    CORM_TRY(put_where(p, text));
    put_group_by(p, group, text);
    if (filters(p)) base__buf_puts(text, " ALLOW FILTERING");
    CORM_TRY(base__buf_status(text, p->err));
    p->plan->text = base__arena_str(p->plan->arena, base__buf_str(text));
    return p->plan->text.data ? CORM_OK : base__fail_memory(p->err);
}

/* The columns as the program says them, of the whole ring. */
static corm_status put_given(planning *p, const char *columns, base_buf *text) {
    base__buf_printf(text, "SELECT %s FROM ", columns ? columns : "*");
    cql__put_name(text, corm_str_of(p->table->keyspace));
    base__buf_puts(text, ".");
    cql__put_name(text, corm_str_of(p->table->name));
    CORM_TRY(put_where(p, text));
    CORM_TRY(base__buf_status(text, p->err));
    p->plan->text = base__arena_str(p->plan->arena, base__buf_str(text));
    return p->plan->text.data ? CORM_OK : base__fail_memory(p->err);
}

static corm_status make_plan(planning *p) {
    base_buf text = { 0 };
    CORM_TRY(find_terms(p));
    choose(p);
    CORM_TRY(set_rest(p));
    p->plan->ordered = p->pipeline->options.in_order || wants_order(p->plan->rest);
    note_source(p);
    note_terms(p);
    corm_status status = put_text(p, &text);
    base__buf_free(&text);
    if (status == CORM_OK) note_rest(p);
    return status;
}

corm_status agg__plan(corm_pipeline *pipeline, base_arena *arena, agg_plan *out, corm_error *err) {
    planning p = { .pipeline = pipeline, .plan = out, .err = err };
    *out = (agg_plan){ .arena = arena };
    CORM_TRY(
        corm_table_read(pipeline->session, pipeline->keyspace, pipeline->table, &p.table, err));
    corm_status status = make_plan(&p);
    corm_table_free(p.table);
    return status;
}

corm_status agg__plan_columns(corm_pipeline *pipeline, base_arena *arena, const char *columns,
                              agg_plan *out, corm_error *err) {
    planning p = { .pipeline = pipeline, .plan = out, .err = err };
    base_buf text = { 0 };
    *out = (agg_plan){ .arena = arena };
    CORM_TRY(
        corm_table_read(pipeline->session, pipeline->keyspace, pipeline->table, &p.table, err));
    corm_status status = put_given(&p, columns, &text);
    base__buf_free(&text);
    corm_table_free(p.table);
    return status;
}

corm_status corm_pipeline_explain(corm_pipeline *pipeline, char **text, corm_error *err) {
    base_arena arena = { 0 };
    agg_plan   plan = { 0 };
    agg_steps  steps;
    agg_scope  in;
    base_buf   out = { 0 };
    *text = NULL;
    CORM_TRY(corm_pipeline_check(pipeline, err));
    corm_status status = agg__plan(pipeline, &arena, &plan, err);
    if (status == CORM_OK) status = agg__source_scope(pipeline->session, &plan, &arena, &in, err);
    if (status == CORM_OK)
        status = agg__compile(&arena, pipeline->parameters, &in, plan.rest, &steps, err);
    base__buf_printf(&out, "store       %.*s\n", (int)plan.text.len,
                     plan.text.data ? plan.text.data : "");
    base__buf_put(&out, plan.notes.data, plan.notes.len);
    char *made = (char *)(uintptr_t)base__buf_cstr(&out);
    if (status == CORM_OK) status = base__buf_status(&plan.notes, err);
    if (status == CORM_OK) status = base__buf_status(&out, err);
    base__buf_free(&plan.notes);
    base__arena_free(&arena);
    if (status == CORM_OK) {
        *text = made;
    } else {
        base__buf_free(&out);
    }
    return status;
}
