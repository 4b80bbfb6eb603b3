// SPDX-License-Identifier: MIT
/* acc.h -- accumulators: what becomes of the rows of a group.
 *
 * A group's states stand behind each other in one block of zeroed memory; zero is the state of no rows. What grows lives in the arena of
 * the groups and is never freed alone. A state can be saved as bytes, loaded into a zeroed one, and merged into another: so that
 * threads and temporary files come together. */
#ifndef AGGREGATE_ACC_H
#define AGGREGATE_ACC_H

#include "aggregate/expr.h"

typedef struct agg_acc agg_acc;

typedef struct agg_acc_ops {
    const char *name;
    uint8_t     args;       /* expressions; count(*) has none */
    uint8_t     parameters; /* constants behind them */
    bool        ordered;    /* the answer depends on the order of the rows */
    corm_status (*check)(const agg_binding *binding, agg_acc *acc, corm_error *err);
    const char *form, *sentence; /* documentation */
} agg_acc_ops;

/* How states of one kind are handled; chosen by check. */
typedef struct agg_acc_kind {
    size_t size;
    /* states[i] is the block of the group that row i is of. */
    corm_status (*update)(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                          const agg_column *args, uint32_t count, corm_error *err);
    /* What `from` points to lives as long as `into`, and may be taken over. */
    corm_status (*merge)(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                         corm_error *err);
    corm_status (*finish)(const agg_acc *acc, const agg_work *work, const void *state,
                          agg_column *out, uint32_t row);
    /* NULL: the bytes of the state are all of it. */
    void (*save)(const agg_acc *acc, const void *state, base_buf *out);
    corm_status (*load)(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                        corm_error *err);
} agg_acc_kind;

struct agg_acc {
    const agg_acc_ops  *ops;
    const agg_acc_kind *kind;
    corm_str            alias;
    const cql_type     *type; /* of the result */
    uint32_t            count;
    agg_expr           *args[2];
    double              parameter;
    int32_t             detail;
    size_t              offset; /* in the block */
};

enum { AGG_STATE_ALIGNMENT = 16 };

#define AGG_STATE(T, acc, block) ((T *)(void *)((block) + (acc)->offset))

/* The tables of accumulators, ended by one without a name. */
extern const agg_acc_ops agg__basic_accs[], agg__moment_accs[], agg__value_accs[],
    agg__sketch_accs[];
const agg_acc_ops *agg__acc_named(corm_str name);

/* From a call in an expression's form. */
CORM_CHECKED corm_status agg__acc_bind(const agg_binding *binding, const agg_node *call,
                                       corm_str alias, agg_acc *out, corm_error *err);
/* Whether the call is of an accumulator that wants its rows in order. */
bool agg__acc_is_ordered(const agg_node *call);

/* A value's bytes in memory, the same for equal values: what groups and sets are found by. */
cql_value agg__canonical(const agg_column *column, uint32_t row, int64_t *scratch, base_buf *buf);

/* Of states that are an agg_set: acc_set.c. */
corm_status agg__acc_set_merge(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                               corm_error *err);
void        agg__acc_set_save(const agg_acc *acc, const void *state, base_buf *out);
corm_status agg__acc_set_load(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                              corm_error *err);

#endif
