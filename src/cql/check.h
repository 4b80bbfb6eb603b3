// SPDX-License-Identifier: MIT
/* check.h -- from a syntax tree and a schema to a statement that can be executed: every name looked up, every type
 * known, every rule of the language applied, with the server's codes and words.
 *
 * A checked statement is immutable, lives in one arena, holds one reference to its schema snapshot, and may be executed by
 * many threads at once with different bind values. */
#ifndef CQL_CHECK_H
#define CQL_CHECK_H

#include "cql/functions.h"
#include "cql/schema.h"

/* ---- typed expressions ---- */

typedef enum cql_node_kind {
    CQL_NODE_CONSTANT, /* value, in wire form; also null. function: what it was worked out by, or NULL */
    CQL_NODE_MARKER,    /* index: of the bind value */
    CQL_NODE_COLUMN,    /* column: its whole value */
    CQL_NODE_CALL,      /* function(args): native functions, arithmetic, casts, token() */
    CQL_NODE_AGGREGATE, /* index: in cql_checked_select.aggregates */
    CQL_NODE_PACK, /* list, set, map, tuple, UDT or vector of args (map: key, value …; UDT: every field, NULL absent) */
    CQL_NODE_FIELD, /* field `index` of args[0], a UDT */
    CQL_NODE_ELEMENT, /* args[0][args[1]]: map value, set element or null, list and vector element by position */
    CQL_NODE_SLICE,     /* args[0][args[1]..args[2]]; a bound may be NULL */
    CQL_NODE_WRITETIME, /* of args[0]: COLUMN, or ELEMENT, SLICE, FIELD of a COLUMN */
    CQL_NODE_MAXWRITETIME,
    CQL_NODE_TTL
} cql_node_kind;

typedef struct cql_node cql_node;
struct cql_node {
    cql_node_kind       kind;
    const cql_type     *type;
    cql_value           value;
    uint32_t            index;
    const cql_column   *column;
    const cql_function *function;
    uint32_t            count;
    const cql_node    **args;
    bool                selected; /* PACK: in a SELECT clause, not in a value */
};

/* ---- markers and results ---- */

typedef struct cql_marker {
    corm_str
        name; /* the marker's own, or the column's, "in(k)", "[limit]", "[ttl]", "[timestamp]" … */
    const cql_type *type;
    corm_str        keyspace, table;
} cql_marker;

typedef struct cql_result_column {
    corm_str        keyspace, table, name;
    const cql_type *type;
} cql_result_column;

/* ---- restrictions ---- */

/* A value for each of some consecutive columns; or, when packed, nodes[0] gives them all as one tuple. */
typedef struct cql_row_value {
    uint32_t         count;
    const cql_node **nodes;
    bool             packed;
} cql_row_value;

typedef enum cql_restriction_kind {
    CQL_RESTRICT_EQ,
    CQL_RESTRICT_IN,
    CQL_RESTRICT_SLICE
} cql_restriction_kind;

/* On the columns [first, first + count) of the partition key (always count 1) or of the clustering key. */
typedef struct cql_restriction {
    cql_restriction_kind kind;
    bool                 is_tuple; /* written (a, b) op …; also for one column in parentheses */
    uint32_t             first, count;
    uint32_t             value_count; /* EQ: 1; IN: any */
    cql_row_value       *values;
    const cql_node
        *in_list; /* IN ?: a list of values, or of tuples when count > 1; then value_count is 0 */
    /* SLICE: NULL means open. Bounds of a multi-column slice may be shorter than count. */
    cql_row_value *lower, *upper;
    bool           lower_inclusive, upper_inclusive;
} cql_restriction;

/* token(…) bounds; NULL means open. */
typedef struct cql_token_range {
    bool            present;
    const cql_node *lower, *upper; /* bigint */
    bool            lower_inclusive, upper_inclusive;
} cql_token_range;

/* A predicate on a row that keys do not answer: ALLOW FILTERING, or the one an index answers. All must hold. A null column
 * never passes. */
typedef struct cql_filter {
    const cql_column *column;
    const cql_node   *element; /* column[element] op … */
    cql_operator      op;
    uint32_t          term_count;
    const cql_node  **terms;
    const cql_node   *in_list; /* IN ? */
    /* (a, b) op (x, y) on clustering columns that is no prefix: columns and terms in parallel; column is columns[0] */
    uint32_t           column_count;
    const cql_column **columns;
    /* Whose terms are compared, where they are other than the values; NULL: the values are */
    const cql_index *index;
} cql_filter;

/* An index and the filter it answers, which is among the filters too. `also`: of a range with two ends, the filter with the
 * other end; else NULL. */
typedef struct cql_lookup {
    const cql_index  *index;
    const cql_filter *filter, *also;
} cql_lookup;

/* Which rows a statement is about. */
typedef struct cql_where {
    /* Either every partition key column has an EQ or IN restriction here (partition_count = table's), or none. */
    uint32_t         partition_count;
    cql_restriction *partition;
    cql_token_range  token;
    /* Restrictions on a prefix of the clustering key, in order: EQ and IN, then at most one SLICE. */
    uint32_t         clustering_count;
    cql_restriction *clustering;
    uint32_t         filter_count;
    cql_filter      *filters;
    /* The indexes that can find candidate rows; any of them does, the filters decide. */
    uint32_t    lookup_count;
    cql_lookup *lookups;
} cql_where;

/* ---- statements ---- */

typedef struct cql_aggregate_call {
    const cql_function *function;
    uint32_t            count;
    const cql_node    **args;
} cql_aggregate_call;

typedef struct cql_sort {
    const cql_column *column;
    bool              descending;
} cql_sort;

/* A masked column, and the value that stands for its own: computed from the row. */
typedef struct cql_column_mask {
    const cql_column *column;
    const cql_node   *node;
} cql_column_mask;

/* ORDER BY column ANN OF query: the rows whose vector is most like the query's, the most alike first. */
typedef struct cql_ann {
    const cql_index *index;
    const cql_node  *query; /* of the column's type */
} cql_ann;

typedef struct cql_checked_select {
    const cql_table   *table;
    cql_where          where;
    bool               json, distinct, allow_filtering;
    uint32_t           column_count; /* of the result: 1 for JSON */
    cql_result_column *columns;
    uint32_t           selector_count;
    const cql_node   **selectors; /* as many as columns, but for JSON */
    corm_str
        *json_names; /* JSON: the member's name for each selector, in double quotes where it needs
                                         * them to keep its case; still to be escaped as JSON */
    uint32_t
                        known_count; /* calls in selectors whose arguments are known before a row is read, and may be wrong */
    const cql_node    **known;
    uint32_t            aggregate_count; /* > 0 or group_count > 0: the result is grouped */
    cql_aggregate_call *aggregates;
    uint32_t
        group_count; /* GROUP BY: expressions on key columns in key order; rows come grouped already */
    const cql_node **group_by;
    bool             reversed;   /* read clustering order backwards */
    uint32_t         sort_count; /* ORDER BY with IN on the partition key: merge by these; else 0 */
    cql_sort        *sort;
    const cql_node  *limit, *per_partition_limit; /* int, or NULL */
    uint32_t         needed_count; /* columns that selectors, filters, groups and sorts read */
    const cql_column **needed;
    bool               needs_metadata; /* WRITETIME or TTL somewhere */
    bool
        reads_static_only; /* no clustering or regular column is read or restricted … see docs/semantics.md */
    bool
        full_partitions; /* neither clustering nor regular columns are restricted: a partition that has
                                          * nothing but static columns gives a row */
    uint32_t     warning_count; /* "Aggregation query used without partition key" */
    const char **warnings;
    uint32_t
        mask_count; /* of needed columns: what stands for their values to who may not see them */
    cql_column_mask   *masks;
    uint32_t           masked_restricted_count; /* masked columns that WHERE looks at */
    const cql_column **masked_restricted;
    const cql_ann     *ann; /* NULL: rows come in the order of keys */
} cql_checked_select;

typedef enum cql_assign_kind {
    CQL_ASSIGN_SET, /* the whole column; null deletes it */
    CQL_ASSIGN_ADD, /* counter +=, list append, set union, map merge */
    CQL_ASSIGN_SUBTRACT, /* counter -=, list remove equal elements, set remove, map remove keys (value: a set) */
    CQL_ASSIGN_PREPEND,     /* list */
    CQL_ASSIGN_SET_ELEMENT, /* map[key], list[index] */
    CQL_ASSIGN_SET_FIELD,   /* UDT field */
    CQL_ASSIGN_DELETE,
    CQL_ASSIGN_DELETE_ELEMENT, /* map[key], list[index], set[element] */
    CQL_ASSIGN_DELETE_FIELD
} cql_assign_kind;

typedef struct cql_assign {
    cql_assign_kind   kind;
    const cql_column *column;
    const cql_node   *key;   /* element */
    uint32_t          field; /* UDT */
    const cql_node   *value;
} cql_assign;

typedef struct cql_check_condition {
    const cql_column *column;
    const cql_node   *element; /* c[element] */
    int32_t           field;   /* c.field, or -1 */
    cql_operator      op;
    uint32_t          term_count;
    const cql_node  **terms;
    const cql_node   *in_list;
} cql_check_condition;

typedef enum cql_modify_kind {
    CQL_MODIFY_INSERT,
    CQL_MODIFY_UPDATE,
    CQL_MODIFY_DELETE
} cql_modify_kind;

typedef struct cql_checked_modify {
    cql_modify_kind  kind;
    const cql_table *table;
    cql_where        where;        /* INSERT: EQ on every key column given. No filters, no index */
    bool             static_only;  /* names no clustering column: touches the static row */
    bool             deletes_rows; /* DELETE FROM t …: whole rows, a range, or the partition */
    uint32_t         assign_count;
    cql_assign      *assigns;
    const cql_node  *json; /* INSERT JSON: a text; key and columns come from it */
    bool             json_default_unset;
    const cql_node  *timestamp; /* bigint or NULL */
    const cql_node  *ttl;       /* int or NULL */
    bool             if_not_exists, if_exists;
    uint32_t         condition_count;
    cql_check_condition *conditions;
    bool                 is_conditional;
    bool                 is_counter;
} cql_checked_modify;

typedef struct cql_checked_batch {
    cql_batch_kind             kind;
    uint32_t                   count;
    const cql_checked_modify **items;
    const cql_node            *timestamp;
    bool                       is_conditional;
} cql_checked_batch;

typedef struct cql_checked {
    base_arena           arena;
    cql_schema          *schema;    /* one reference */
    corm_str             keyspace;  /* the session's when it was checked */
    const cql_statement *statement; /* DDL, USE, DESCRIBE are executed from their tree */
    cql_statement_kind   kind;
    uint32_t             marker_count;
    cql_marker          *markers;
    uint32_t
        partition_marker_count; /* markers that give the partition key, in key order; 0: not all markers */
    uint16_t *partition_markers;
    const char
        *refused; /* not NULL: it can be prepared, but every execution fails with these words; see
                                   * cql__check_values */
    cql_checked_select *select; /* one of these, by kind */
    cql_checked_modify *modify;
    cql_checked_batch  *batch;
} cql_checked;

/* Parses and checks. `keyspace` is the session's, may be empty. On success *out is released with cql__checked_free().
 * Statements the store does not execute are refused here by name. */
CORM_CHECKED corm_status cql__check_text(corm_str text, cql_schema *schema, corm_str keyspace,
                                         cql_checked **out, corm_error *err);

/* As above for a tree in `arena`, which the checked statement takes over on success. */
CORM_CHECKED corm_status cql__check(base_arena *arena, const cql_statement *statement,
                                    cql_schema *schema, corm_str keyspace, cql_checked **out,
                                    corm_error *err);

/* Checks statements that were prepared one by one as a batch (the protocol's BATCH): counters with counters, one table and
 * partition for conditions …; the items stay their owners'. */
CORM_CHECKED corm_status cql__check_batch(cql_batch_kind                   kind,
                                          const cql_checked_modify *const *items, uint32_t count,
                                          bool has_timestamp, cql_checked_batch *out,
                                          base_arena *arena, corm_error *err);

void cql__checked_free(cql_checked *checked);

/* Whether the index is a vector index: a storage-attached one on a vector of floats, which finds neighbours and no equal
 * values. */
bool cql__index_is_vector(const cql_index *index);

/* Whether executing the statement twice is the same as once: no counter, no list append or prepend, no condition, no
 * now() or uuid(). */
bool cql__is_idempotent(const cql_checked *checked);

#endif
