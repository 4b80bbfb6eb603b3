// SPDX-License-Identifier: MIT
/* run.c -- a pipeline is planned, compiled and run.
 *
 *   thread 0   match ─► project ─► groups ┐
 *   thread 1   match ─► project ─► groups ┴─► merged ─► sort ─► limit ─► answer      (the caller's thread)
 *
 * Up to the first breaker every thread has operators of its own. Without a breaker, and in front of skip and limit, threads take
 * turns in what comes behind. */
#include <stdlib.h>

#include "aggregate/pipeline.h"

/* ---- chains ---- */

typedef struct chains {
    agg_run         run;
    agg_steps       steps;
    uint32_t        count;    /* threads */
    uint32_t        parallel; /* steps that every thread has */
    agg_op         *tail;     /* what all share, the answer at its end */
    agg_op        **heads;    /* one a thread */
    agg_op        **ends; /* each thread's last own operator: a breaker, or a gate to the tail */
    bool            breaks;
    pthread_mutex_t turn;
} chains;

typedef struct gate_op {
    agg_op  op; /* first */
    chains *all;
} gate_op;

static corm_status push_gate(agg_op *op, const agg_batch *batch, corm_error *err) {
    chains *all = ((gate_op *)op)->all;
    pthread_mutex_lock(&all->turn);
    corm_status status = CORM_OK;
    if (!atomic_load(&all->run.enough)) status = agg__op_push(all->tail, batch, err);
    pthread_mutex_unlock(&all->turn);
    return status;
}

static const agg_op_kind gate_kind = { push_gate, NULL, NULL };

/* Steps [from, to) in front of `next`. */
static corm_status make_ops(chains *all, uint32_t from, uint32_t to, agg_op *next, agg_op **out,
                            corm_error *err) {
    *out = next;
    while (to > from) {
        agg_op     *op;
        corm_status status = agg__op_new(&all->steps.items[--to], &all->run, *out, &op, err);
        if (status != CORM_OK) return status;
        *out = op;
    }
    return CORM_OK;
}

static corm_status make_gate(chains *all, uint32_t i, corm_error *err) {
    gate_op *gate = calloc(1, sizeof *gate);
    if (!gate) return base__fail_memory(err);
    gate->op.kind = &gate_kind;
    gate->all = all;
    all->heads[i] = all->ends[i] = &gate->op;
    return CORM_OK;
}

static corm_status make_chain(chains *all, uint32_t i, corm_error *err) {
    if (!all->breaks) {
        CORM_TRY(make_gate(all, i, err));
    } else {
        CORM_TRY(
            agg__op_new(&all->steps.items[all->parallel], &all->run, NULL, &all->ends[i], err));
        all->heads[i] = all->ends[i];
    }
    return make_ops(all, 0, all->parallel, all->heads[i], &all->heads[i], err);
}

static corm_status make_chains(chains *all, agg_op *last, corm_error *err) {
    while (all->parallel < all->steps.count &&
           agg__is_stateless(all->steps.items[all->parallel].kind))
        all->parallel++;
    all->breaks =
        all->parallel < all->steps.count && agg__is_breaker(all->steps.items[all->parallel].kind);
    uint32_t behind = all->parallel + all->breaks;
    CORM_TRY(make_ops(all, behind, all->steps.count, last, &all->tail, err));
    all->heads = calloc(all->count, sizeof *all->heads);
    all->ends = calloc(all->count, sizeof *all->ends);
    if (!all->heads || !all->ends) return base__fail_memory(err);
    for (uint32_t i = 0; i < all->count; i++) CORM_TRY(make_chain(all, i, err));
    return CORM_OK;
}

/* `last` is the caller's. */
static void free_chains(chains *all, agg_op *last) {
    for (uint32_t i = 0; i < all->count && all->heads; i++) {
        if (all->ends && all->ends[i]) all->ends[i]->next = NULL;
        agg__op_free(all->heads[i]);
    }
    for (agg_op *op = all->tail; op && op != last; op = op->next)
        if (op->next == last) op->next = NULL;
    if (all->tail != last) agg__op_free(all->tail);
    free(all->heads);
    free(all->ends);
}

/* ---- reading ---- */

static corm_status take_batch(void *context, uint32_t worker, uint32_t piece, corm_result *page,
                              const agg_batch *batch, corm_error *err) {
    chains *all = context;
    (void)piece;
    (void)page;
    return agg__op_push(all->heads[worker], batch, err);
}

static corm_status finish(chains *all, corm_error *err) {
    if (all->breaks) {
        agg_op *first = all->ends[0];
        first->next = all->tail;
        CORM_TRY(first->kind->finish(first, all->ends + 1, all->count - 1, err));
    }
    return agg__op_finish(all->tail, err);
}

static agg_reading_options reading_of(const corm_pipeline *pipeline, const agg_plan *plan) {
    return (agg_reading_options){ .options = &pipeline->options,
                                  .source = plan->source,
                                  .text = plan->text.data,
                                  .value_count = plan->value_count,
                                  .values = plan->values,
                                  .ordered = plan->ordered };
}

static void note_stats(corm_pipeline *pipeline, const chains *all) {
    pipeline->stats = (corm_pipeline_stats){
        .rows_read = atomic_load(&all->run.rows),
        .pages_read = atomic_load(&all->run.pages),
        .spilled_bytes = atomic_load(&all->run.memory.spilled),
        .peak_bytes = atomic_load(&all->run.memory.peak),
        .threads = all->count,
    };
}

static corm_status run_chains(corm_pipeline *pipeline, const agg_plan *plan, chains *all,
                              agg_op *last, corm_error *err) {
    agg_scope           in;
    agg_reading_options reading = reading_of(pipeline, plan);
    CORM_TRY(agg__source_scope(pipeline->session, plan, plan->arena, &in, err));
    CORM_TRY(agg__compile(plan->arena, pipeline->parameters, &in, plan->rest, &all->steps, err));
    reading.scope = &in;
    all->count = agg__thread_count(pipeline->session, &reading);
    agg__run_begin(&all->run, &pipeline->options, all->count);
    CORM_TRY(make_chains(all, last, err));
    CORM_TRY(agg__read_all(pipeline->session, &reading, &all->run, take_batch, all, err));
    return finish(all, err);
}

corm_status agg__run(corm_pipeline *pipeline, const agg_plan *plan, agg_op *last, corm_error *err) {
    chains all = { .count = 0 };
    pthread_mutex_init(&all.turn, NULL);
    corm_status status = run_chains(pipeline, plan, &all, last, err);
    note_stats(pipeline, &all);
    free_chains(&all, last);
    pthread_mutex_destroy(&all.turn);
    return status;
}

/* ---- the source's columns ---- */

corm_status agg__source_scope(corm_session *session, const agg_plan *plan, base_arena *arena,
                              agg_scope *out, corm_error *err) {
    corm_prepared *prepared;
    CORM_TRY(corm_prepare(session, plan->text.data, &prepared, err));
    const session_metadata *metadata = atomic_load(&prepared->metadata);
    uint32_t                count = metadata ? metadata->count : 0;
    agg_field              *fields = BASE_NEW_ARRAY(arena, agg_field, count + 1);
    corm_status             status = fields ? CORM_OK : base__fail_memory(err);
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) {
        fields[i].name = base__arena_str(arena, metadata->columns[i].name);
        fields[i].type = cql__type_copy(arena, metadata->columns[i].type);
        if (!fields[i].name.data || !fields[i].type) status = base__fail_memory(err);
    }
    *out = (agg_scope){ count, fields };
    corm_prepared_free(prepared);
    return status;
}

/* ---- the calls ---- */

typedef struct answer_op {
    agg_op                 op; /* first */
    corm_pipeline         *pipeline;
    agg_answer             answer;
    uint64_t               given;
    uint32_t               page_size; /* 0: one page */
    corm_pipeline_callback callback;
    void                  *context;
} answer_op;

static corm_status give_page(answer_op *self, corm_error *err) {
    corm_result *page;
    if (self->answer.writer.rows == 0) return CORM_OK;
    CORM_TRY(agg__answer_end(&self->answer, self->pipeline->session, &page, err));
    corm_status status = self->callback(self->context, page, err);
    corm_result_free(page);
    agg__answer_begin(&self->answer);
    return status;
}

static corm_status push_answer(agg_op *op, const agg_batch *batch, corm_error *err) {
    answer_op *self = (answer_op *)op;
    self->given += batch->count;
    agg__answer_add(&self->answer, batch);
    CORM_TRY(base__buf_status(&self->answer.answer.body, err));
    bool full = self->page_size > 0 && self->answer.writer.rows >= self->page_size;
    return full ? give_page(self, err) : CORM_OK;
}

static corm_status finish_answer(agg_op *op, agg_op *const *others, uint32_t count,
                                 corm_error *err) {
    answer_op *self = (answer_op *)op;
    (void)others;
    (void)count;
    return self->page_size > 0 ? give_page(self, err) : CORM_OK;
}

static const agg_op_kind answer_kind = { push_answer, finish_answer, NULL };

/* The columns of the answer are known when the pipeline is compiled: that is done once more for them. */
static corm_status begin_answer(corm_pipeline *pipeline, const agg_plan *plan, answer_op *self,
                                corm_error *err) {
    agg_scope in;
    agg_steps steps;
    CORM_TRY(agg__source_scope(pipeline->session, plan, plan->arena, &in, err));
    CORM_TRY(agg__compile(plan->arena, pipeline->parameters, &in, plan->rest, &steps, err));
    const char *keyspace =
        pipeline->keyspace ? pipeline->keyspace : corm_session_keyspace(pipeline->session);
    CORM_TRY(agg__answer_columns(plan->arena, &steps.out, corm_str_of(keyspace),
                                 corm_str_of(pipeline->table), &self->answer, err));
    agg__answer_begin(&self->answer);
    return CORM_OK;
}

static corm_status run_planned(corm_pipeline *pipeline, base_arena *arena, answer_op *self,
                               corm_error *err) {
    agg_plan    plan = { 0 };
    corm_status status = agg__plan(pipeline, arena, &plan, err);
    base__buf_free(&plan.notes);
    if (status == CORM_OK) status = begin_answer(pipeline, &plan, self, err);
    if (status == CORM_OK) status = agg__run(pipeline, &plan, &self->op, err);
    return status;
}

static corm_status run_pipeline(corm_pipeline *pipeline, answer_op *self, corm_result **out,
                                corm_error *err) {
    base_arena arena = { 0 };
    CORM_TRY(corm_pipeline_check(pipeline, err));
    self->op.kind = &answer_kind;
    self->pipeline = pipeline;
    pipeline->stats = (corm_pipeline_stats){ 0 };
    corm_status status = run_planned(pipeline, &arena, self, err);
    if (status == CORM_OK && out)
        status = agg__answer_end(&self->answer, pipeline->session, out, err);
    pipeline->stats.rows_given = self->given;
    agg__answer_free(&self->answer);
    base__arena_free(&self->op.scratch);
    base__arena_free(&arena);
    return status;
}

corm_status corm_pipeline_execute(corm_pipeline *pipeline, corm_result **out, corm_error *err) {
    answer_op self = { .page_size = 0 };
    *out = NULL;
    return run_pipeline(pipeline, &self, out, err);
}

corm_status corm_pipeline_each(corm_pipeline *pipeline, corm_pipeline_callback callback,
                               void *context, corm_error *err) {
    enum { DEFAULT_PAGE = 5000 };
    answer_op self = { .callback = callback, .context = context, .page_size = DEFAULT_PAGE };
    if (pipeline && pipeline->options.page_size > 0)
        self.page_size = (uint32_t)pipeline->options.page_size;
    return run_pipeline(pipeline, &self, NULL, err);
}
