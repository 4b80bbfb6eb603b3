// SPDX-License-Identifier: MIT
/* pipeline.h -- a pipeline as it is said (stages), as it is compiled (steps), and as it runs (operators). */
#ifndef AGGREGATE_PIPELINE_H
#define AGGREGATE_PIPELINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "aggregate/group.h"
#include "aggregate/sort.h"
#include "corm/aggregate.h"
#include "session/core.h"

/* ---- stages: builder.c ---- */

typedef enum agg_stage_kind {
    AGG_MATCH,
    AGG_PROJECT,
    AGG_ADD,
    AGG_UNWIND,
    AGG_GROUP,
    AGG_SORT,
    AGG_SKIP,
    AGG_LIMIT,
    AGG_BUCKETS
} agg_stage_kind;

typedef struct agg_stage agg_stage;
struct agg_stage {
    agg_stage_kind kind;
    agg_stage     *next;
    corm_str       text;      /* for explain */
    agg_node      *condition; /* MATCH */
    corm_term      term;      /* MATCH that was said as one; column NULL: it was not */
    uint32_t       count;     /* PROJECT, ADD, GROUP, SORT: expressions; BUCKETS: 1 */
    agg_named     *items;
    bool          *descending; /* SORT */
    uint32_t       acc_count;  /* GROUP */
    agg_named     *accs;
    uint64_t       number; /* SKIP, LIMIT, BUCKETS; SORT: the first so many, 0: all */
    corm_str       column; /* UNWIND */
    bool           keep_empty;
};

struct corm_pipeline {
    corm_session         *session;
    corm_pipeline_options options;
    base_arena            arena;
    const char           *keyspace, *table; /* keyspace NULL: the session's */
    agg_stage            *first, *last;
    agg_parameter        *parameters;
    corm_status           status; /* of the first call that failed */
    corm_error            error;
    corm_pipeline_stats   stats;
};

/* ---- steps: compile.c ---- */

typedef struct agg_step {
    agg_stage_kind kind;
    agg_scope      in, out;
    agg_expr      *condition;
    uint32_t       count; /* expressions: PROJECT, ADD, SORT, BUCKETS */
    agg_expr     **exprs;
    const bool    *descending;
    agg_grouping   grouping;
    uint64_t       number;
    uint32_t       column; /* UNWIND */
    bool           keep_empty;
} agg_step;

typedef struct agg_steps {
    uint32_t  count;
    agg_step *items;
    agg_scope out; /* of the last */
} agg_steps;

CORM_CHECKED corm_status agg__compile(base_arena *arena, const agg_parameter *parameters,
                                      const agg_scope *in, const agg_stage *first, agg_steps *out,
                                      corm_error *err);

/* ---- what is asked of the store: plan.c ---- */

typedef enum agg_source_kind { AGG_RING, AGG_KEYS, AGG_INDEX } agg_source_kind;

typedef struct agg_plan {
    base_arena      *arena;
    agg_source_kind  source;
    corm_str         text; /* of the SELECT; ends with a zero byte */
    uint32_t         value_count;
    corm_value      *values;  /* of its markers, behind those of the tokens */
    const agg_stage *rest;    /* what is done here */
    bool             native;  /* the store aggregates */
    bool             ordered; /* rows are wanted in order, by one thread */
    base_buf         notes;   /* for explain */
} agg_plan;

CORM_CHECKED corm_status agg__plan(corm_pipeline *pipeline, base_arena *arena, agg_plan *out,
                                   corm_error *err);
/* The whole ring with these columns, as in a SELECT; NULL: all. */
CORM_CHECKED corm_status agg__plan_columns(corm_pipeline *pipeline, base_arena *arena,
                                           const char *columns, agg_plan *out, corm_error *err);
/* Groups that the store can make, rewritten: native.c. *done false: it cannot; *why says what is in the way. */
CORM_CHECKED corm_status agg__plan_native(const corm_table_info *table, const agg_stage *group,
                                          agg_plan *plan, base_buf *columns, bool *done,
                                          const char **why, corm_error *err);

/* ---- running: run.c, op_*.c ---- */

typedef struct agg_run {
    agg_memory        memory;
    atomic_bool       enough; /* no more rows are needed, or something failed */
    _Atomic(uint64_t) rows, pages;
} agg_run;

typedef struct agg_op agg_op;
typedef struct agg_op_kind {
    corm_status (*push)(agg_op *op, const agg_batch *batch, corm_error *err);
    /* No more rows come: gives what it has kept. `others` are the same operator of other threads. */
    corm_status (*finish)(agg_op *op, agg_op *const *others, uint32_t count, corm_error *err);
    void (*free)(agg_op *op);
} agg_op_kind;

struct agg_op {
    const agg_op_kind *kind;
    const agg_step    *step;
    agg_run           *run;
    agg_op            *next;
    base_arena         scratch; /* of one batch */
    uint64_t           seen;    /* SKIP, LIMIT */
    agg_groups        *groups;
    agg_sorter        *sorter;
    base_buf           key, record;
};

/* An operator for the step, in front of `next`. */
CORM_CHECKED corm_status agg__op_new(const agg_step *step, agg_run *run, agg_op *next, agg_op **out,
                                     corm_error *err);
void                     agg__op_free(agg_op *op); /* with all behind it */
CORM_CHECKED corm_status agg__op_push(agg_op *op, const agg_batch *batch, corm_error *err);
/* Finishes all operators from here on. */
CORM_CHECKED corm_status agg__op_finish(agg_op *op, corm_error *err);
bool                     agg__is_breaker(agg_stage_kind kind);
/* Whether several threads may have one each without being a breaker. */
bool agg__is_stateless(agg_stage_kind kind);

extern const agg_op_kind agg__group_op, agg__sort_op, agg__bucket_op, agg__unwind_op;

/* Reads with threads and pushes everything through the steps into `last`. */
CORM_CHECKED corm_status agg__run(corm_pipeline *pipeline, const agg_plan *plan, agg_op *last,
                                  corm_error *err);
/* The columns that the plan's statement answers with. */
CORM_CHECKED corm_status agg__source_scope(corm_session *session, const agg_plan *plan,
                                           base_arena *arena, agg_scope *out, corm_error *err);

/* ---- reading: source.c ---- */

typedef struct agg_source agg_source;
/* Called with each batch, by thread number `worker`; `page` and the place in the ring tell the rows' origin. */
typedef corm_status agg_source_callback(void *context, uint32_t worker, uint32_t piece,
                                        corm_result *page, const agg_batch *batch, corm_error *err);

typedef struct agg_reading_options {
    const corm_pipeline_options *options;
    agg_source_kind              source;
    const char                  *text;
    uint32_t                     value_count;
    const corm_value            *values;
    bool                         ordered;
    bool                         whole_pages; /* the callback wants pages, no batches */
    const agg_scope             *scope;
    /* May be NULL: a piece has been read to its end. */
    corm_status (*piece_done)(void *context, uint32_t worker, uint32_t piece, corm_error *err);
} agg_reading_options;

uint32_t agg__thread_count(corm_session *session, const agg_reading_options *options);
CORM_CHECKED corm_status agg__read_all(corm_session *session, const agg_reading_options *options,
                                       agg_run *run, agg_source_callback *callback, void *context,
                                       corm_error *err);
void agg__run_begin(agg_run *run, const corm_pipeline_options *options, uint32_t threads);

/* ---- answers: answer.c ---- */

/* Writes batches into the body of a result. */
typedef struct agg_answer {
    wire_answer        answer;
    wire_rows_writer   writer;
    cql_result_column *columns;
    uint32_t           count;
} agg_answer;

CORM_CHECKED corm_status agg__answer_columns(base_arena *arena, const agg_scope *scope,
                                             corm_str keyspace, corm_str table, agg_answer *out,
                                             corm_error *err);
void                     agg__answer_begin(agg_answer *answer);
void                     agg__answer_add(agg_answer *answer, const agg_batch *batch);
/* The result owns the body. */
CORM_CHECKED corm_status agg__answer_end(agg_answer *answer, corm_session *session,
                                         corm_result **out, corm_error *err);
void                     agg__answer_free(agg_answer *answer);

#endif
