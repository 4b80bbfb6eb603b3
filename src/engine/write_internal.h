// SPDX-License-Identifier: MIT
/* write_internal.h -- what the files of the write path share: the images one request changes. Private to write*.c, lwt.c, flush.c.
 *
 * Nothing is stored before engine__write_flush: an operation that fails leaves no trace. Everything lives in the request's
 * arena; values borrow from the store's pages until the flush has encoded them. */
#ifndef ENGINE_WRITE_INTERNAL_H
#define ENGINE_WRITE_INTERNAL_H

#include "base/map.h"
#include "engine/bounds.h"
#include "engine/image.h"
#include "engine/store.h"

typedef struct write_partition {
    const cql_table        *table;
    corm_bytes              prefix; /* of its data keys */
    engine_deletions        deletions;
    bool                    existed, changed;
    bool                    reclaim; /* the flush drops what is over */
    struct write_partition *next;
} write_partition;

typedef struct write_image {
    const cql_table    *table;
    write_partition    *partition;
    corm_bytes          key;        /* data key */
    corm_bytes          clustering; /* order form, the end of key */
    bool                is_static;
    bool                existed;
    engine_row          before; /* as stored; only for tables that are followed */
    engine_row          row;
    bool                changed;
    bool                changed_before; /* by statements before the one that assigns */
    bool                reclaim;        /* the flush drops what is over */
    struct write_image *next;
} write_image;

/* A deletion of more than one row, for the feed. */
typedef struct write_range {
    write_partition    *partition;
    bool                is_partition;
    engine_bound        bound; /* of a range */
    int64_t             timestamp;
    struct write_range *next;
} write_range;

struct engine_write {
    engine_request  *request;
    base_map         images;     /* data key -> write_image, when there is more than one */
    base_map         partitions; /* prefix -> write_partition, likewise */
    write_image     *first_image, **last_image; /* in order of first use */
    write_partition *first_partition;
    uint32_t         partition_count;
    base_buf         scratch; /* of a key or a row that is being put together */
    /* Under conditions every cell has the store's time, as a ballot's would be: a client's has no say. Deletions of ranges
     * and partitions are a microsecond older, so that what the same request writes stays. */
    bool is_conditional;
    /* For the feed: what was deleted as a range or a partition, in order; and what the flush has planned to put. */
    write_range      *first_range, **last_range;
    uint32_t          feed_count;
    uint64_t          feed_bytes;
    struct vector_op *first_vector, *last_vector; /* changes of vector indexes */
};

/* The scratch, empty; and a copy of what it holds, in the arena. */
base_buf                *engine__write_scratch(engine_write *write);
CORM_CHECKED corm_status engine__write_keep(engine_write *write, corm_bytes *out, corm_error *err);

/* The deletions of a partition, read once. */
CORM_CHECKED corm_status engine__write_partition(engine_write *write, const cql_table *table,
                                                 const engine_partition *key, write_partition **out,
                                                 corm_error *err);

/* The image of a row, read once; empty when there is none. `clustering` NULL: the static row. values: its clustering
 * values, for a row that is new. */
CORM_CHECKED corm_status engine__write_image(engine_write *write, write_partition *partition,
                                             const corm_bytes *clustering, const cql_value *values,
                                             write_image **out, corm_error *err);

/* Holds a batch's images against the server's limits: warnings, or CORM_INVALID. */
CORM_CHECKED corm_status engine__check_batch(engine_write *write, cql_batch_kind kind,
                                             corm_error *err);

/* Deletes rows by partition, prefix or slice (DELETE without columns). */
CORM_CHECKED corm_status engine__write_delete_rows(engine_write             *write,
                                                   const cql_checked_modify *modify,
                                                   cql_eval_env *env, int64_t timestamp,
                                                   corm_error *err);

/* One put or removal that a flush does, once everything has been computed. */
typedef struct write_op {
    kv_tree          tree;
    bool             remove;
    corm_bytes       key, value;
    struct write_op *next;
} write_op;

typedef struct write_ops {
    write_op   *first, **last;
    base_arena *arena;
} write_ops;

/* Adds an operation; key and value live in the arena. False when memory is exhausted. */
bool engine__write_op(write_ops *ops, kv_tree tree, bool remove, corm_bytes key, corm_bytes value);

/* How one stored row changes, for those who follow it (indexes, the feed …). A row that was not there before, or is not
 * after, has an image without columns and marker. */
typedef struct row_change {
    const cql_table  *table;
    corm_bytes        data_key;
    bool              is_static;
    const engine_row *before, *after;
    uint32_t          now_s;
} row_change;

/* Whether somebody follows the rows of the table: then images keep what was before. */
bool engine__is_followed(const cql_table *table);

/* Adds the changes of the row's index entries. */
CORM_CHECKED corm_status engine__index_changes(const row_change *change, write_ops *ops,
                                               corm_error *err);

/* Adds the changes of the table's vector indexes, for engine__vector_put; refuses vectors that an index does not take. */
CORM_CHECKED corm_status engine__vector_changes(const row_change *change, engine_write *write,
                                                corm_error *err);
/* Once the rows are put: changes graphs in memory, and nodes in the store. */
CORM_CHECKED corm_status engine__vector_put(engine_write *write, corm_error *err);
/* Of engine__verify: that every vector of the row has its node; counts them. */
CORM_CHECKED corm_status engine__verify_vector_row(kv_txn *txn, const row_change *row,
                                                   base_arena *arena, uint64_t *expected,
                                                   corm_error *err);
/* The vector by which the index finds the row, in wire form; empty when there is none. May borrow from the row. */
corm_bytes engine__row_vector(const cql_index *index, const cql_table *table, corm_bytes data_key,
                              bool is_static, const engine_row *row, base_arena *arena);

/* Whether the table's changes go to the feed. */
bool engine__is_fed(const engine *store, const cql_table *table);

/* Reclaim looks at a row that is fed: marks that its marker has expired, so that this is told once. */
void engine__feed_expire(engine_row *row, uint32_t now_s);

/* Adds the record of a row's change, of those of rows deleted together. */
CORM_CHECKED corm_status engine__feed_row(engine_write *write, const row_change *change,
                                          bool is_reclaim, write_ops *ops, corm_error *err);
CORM_CHECKED corm_status engine__feed_ranges(engine_write *write, write_ops *ops, corm_error *err);
/* What was planned has been put. */
void engine__feed_done(engine_write *write);

/* One assignment of an UPDATE, INSERT or DELETE of columns. */
CORM_CHECKED corm_status engine__write_assign(engine_write *write, write_image *image,
                                              const cql_assign *assign, cql_eval_env *env,
                                              const image_stamp *stamp, corm_error *err);

/* The environment of a statement's expressions. */
cql_eval_env engine__write_env(engine_write *write, const cql_value *values, uint32_t value_count);

/* Conditional statements: one modification, or those of a batch, on one partition. Writes the [applied] answer. */
typedef struct lwt_item {
    const cql_checked_modify *modify;
    const cql_value          *values;
    uint32_t                  value_count;
} lwt_item;
CORM_CHECKED corm_status engine__lwt(engine_write *write, const lwt_item *items, uint32_t count,
                                     bool is_batch, corm_error *err);

/* Whether one condition of IF holds for the value of its column. */
CORM_CHECKED corm_status engine__condition_holds(const cql_check_condition *condition,
                                                 cql_value value, cql_eval_env *env, bool *holds,
                                                 corm_error *err);

/* The column values of an image as a reader would see them: values[column->index] for the needed columns. *exists: whether the
 * row is live. */
CORM_CHECKED corm_status engine__image_values(const cql_table *table, bool is_static,
                                              const engine_row *row, uint32_t now_s,
                                              const cql_column *const *needed,
                                              uint32_t needed_count, base_arena *arena,
                                              cql_value *values, bool *exists, corm_error *err);

#endif
