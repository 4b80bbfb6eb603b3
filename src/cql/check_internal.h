// SPDX-License-Identifier: MIT
/* check_internal.h -- what the files of the checker share.
 *
 *   check.c          entry: finds keyspace and table, calls the checker of the statement's kind
 *   check_select.c   SELECT: clauses; check_selector.c, check_selector_literal.c: one
 *                    selector; check_order.c: ORDER BY and GROUP BY
 *   check_modify.c   INSERT, UPDATE, DELETE; check_change.c: SET and DELETE operations; check_condition.c: IF
 *   check_batch.c    BATCH, of one text or of the protocol
 *   check_where.c    WHERE as a whole; check_relation.c: one relation; check_merge.c: relations on one column;
 *                    check_plan.c: from restrictions to cql_where; check_index.c: what an index answers
 *   check_term.c     terms to typed nodes; check_literal.c: constants; check_collection.c: literals of several values; check_call.c: functions
 *   markers.c        names and types of bind markers; column_names.c: terms and selectors as text */
#ifndef CQL_CHECK_INTERNAL_H
#define CQL_CHECK_INTERNAL_H

#include "base/fail.h"
#include "base/map.h"
#include "cql/check.h"

/* For "%.*s"; for a variable. */
#define CQL_STR(text) (int)(text).len, (text).data

/* For "%s": a text that was made in the arena, so that a zero byte follows it. */
static inline const char *cql__shown(corm_str text) {
    return text.data ? text.data : "";
}

/* What a value is for: a column, an element of one, an argument, a LIMIT. */
typedef struct cql_receiver {
    corm_str          keyspace, table, name;
    const cql_type   *type;
    const cql_column *column; /* the column itself; else NULL */
} cql_receiver;

/* One statement being checked. */
typedef struct cql_checker {
    base_arena        *arena;
    const cql_schema  *schema;
    corm_str           keyspace; /* the session's */
    const cql_table   *table;
    uint32_t           marker_count;
    cql_marker        *markers;        /* by index */
    const cql_column **marker_columns; /* by index: the column that the marker gives; or NULL */
    bool              *needed;         /* by column index, while a SELECT is checked; with it: */
    const cql_column **used;           /* the needed columns in the order in which they were met */
    uint32_t           used_count;
    bool     selecting; /* inside a selector: columns are known, functions have no receiver */
    bool     needs_metadata;
    base_map fits; /* check_call.c: answers kept */
    uint32_t aggregate_count;
    cql_aggregate_call *aggregates;
    uint32_t            aggregate_room;
    const cql_type *
        unexpected; /* a literal [a, b] stood where this type was wanted, which the server takes badly */
    const char *refused; /* cql_checked.refused */
    bool no_memory; /* a type, fit or text was not found out: what follows from that is wrong */
    corm_error *err;
} cql_checker;

/* ---- check.c ---- */

/* A column by name; CORM_INVALID when the table has none. */
corm_status cql__find_column(cql_checker *c, const cql_name *name, const cql_column **out);
/* Makes the table of the reference c->table. */
corm_status  cql__use_table(cql_checker *c, const cql_ref *ref);
cql_receiver cql__column_receiver(const cql_checker *c, const cql_column *column);
cql_receiver cql__named_receiver(const cql_checker *c, const char *name, const cql_type *type);
/* "before(name)": value(l), key(m), in(k) … */
corm_status cql__wrapped_receiver(cql_checker *c, const cql_receiver *of, const char *before,
                                  const cql_type *type, cql_receiver *out);

/* ---- check_term.c ---- */

/* A term for the receiver; fails where the server's prepare does. */
corm_status cql__term(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                      const cql_node **out);
/* The same for a LIMIT, TTL …; NULL expression gives NULL. */
corm_status cql__optional_term(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                               const cql_node **out);
cql_fit     cql__term_fit(cql_checker *c, const cql_expr *expr, const cql_type *to);
/* What is stored cell by cell and what is frozen are told apart. */
cql_fit cql__strict_fit(const cql_type *to, const cql_type *from);
/* The type of a term that needs no receiver; NULL when it has none. */
const cql_type *cql__exact_type(cql_checker *c, const cql_expr *expr);
/* Also for constants: what they are where nothing else decides. */
const cql_type *cql__compatible_type(cql_checker *c, const cql_expr *expr);
cql_node   *cql__new_node(cql_checker *c, cql_node_kind kind, const cql_type *type, uint32_t count);
corm_status cql__constant(cql_checker *c, const cql_type *type, cql_value value,
                          const cql_node **out);
corm_status cql__column_node(cql_checker *c, const cql_column *column, const cql_node **out);
void        cql__need_column(cql_checker *c, const cql_column *column);
bool        cql__has_marker(const cql_node *node);
/* Replaces a node of constants by its value; leaves what fails to be evaluated as it is. */
corm_status cql__fold(cql_checker *c, cql_node *node, const cql_node **out);

static inline const cql_type *cql__made_type(cql_checker *c, const cql_type *type) {
    if (!type) c->no_memory = true;
    return type;
}

/* ---- check_literal.c ---- */

corm_status cql__literal(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                         const cql_node **out);
cql_literal cql__literal_of(const cql_expr *expr); /* CQL_LIT_NONE for what is no constant */

/* ---- check_collection.c: LIST, SET, MAP, UDT, TUPLE ---- */

/* Fails when a fit found [a, b] in the place of something that is neither list nor vector, and forgets it. */
corm_status cql__fail_unexpected(cql_checker *c);
/* The first reason stays: the statement is checked in the server's order. */
void cql__refuse_execution(cql_checker *c, const char *words);

corm_status     cql__collection(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                                const cql_node **out);
cql_fit         cql__collection_fit(cql_checker *c, const cql_expr *expr, const cql_type *to);
const cql_type *cql__collection_type(cql_checker *c, const cql_expr *expr, bool exact);
int32_t         cql__field_index(const cql_type *udt, corm_str name); /* -1: none */

/* ---- check_call.c: CALL, ARITH, NEGATE, CAST ---- */

corm_status     cql__call(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                          const cql_node **out);
cql_fit         cql__call_fit(cql_checker *c, const cql_expr *expr, const cql_type *to);
const cql_type *cql__call_type(cql_checker *c, const cql_expr *expr);
/* The function that is called. */
corm_status cql__resolve_call(cql_checker *c, const cql_expr *expr, const cql_type *receiver,
                              const cql_function **out);
corm_str    cql__call_name(cql_checker *c, const cql_expr *expr); /* "_add", "cast_as_int" … */
/* What is known of an argument before the function is chosen; and the argument as a term for that function. */
corm_status cql__describe_argument(cql_checker *c, const cql_expr *expr, cql_argument *out);
corm_status cql__argument(cql_checker *c, const cql_expr *expr, const cql_function *function,
                          uint32_t index, const cql_receiver *of, const cql_node **out);
bool        cql__is_count_rows(const cql_checker *c, const cql_expr *expr);
corm_status cql__hint_type(cql_checker *c, const cql_type_ast *ast, const cql_type **out);

/* ---- check_selector.c ---- */

typedef struct cql_picked {
    const cql_node   *node;
    const cql_type   *type;
    corm_str          name;   /* of the result column */
    const cql_column *column; /* nothing but this column */
    bool              aggregates;
} cql_picked;

/* `expected`: the type wanted, or NULL. */
corm_status cql__selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                          cql_picked *out);
/* The same for a literal of several selectors. */
corm_status cql__literal_selector(cql_checker *c, const cql_expr *expr, const cql_type *expected,
                                  cql_picked *out);
/* Whether all columns, functions and types that the selector names exist; comes before cql__selector. */
corm_status cql__prepare_selector(cql_checker *c, const cql_expr *expr);
/* The type of a selector that needs no other to be known, or NULL. */
const cql_type *cql__selector_type(cql_checker *c, const cql_expr *expr);

/* ---- column_names.c ---- */

void        cql__put_term(const cql_expr *expr, base_buf *out); /* as messages show a term */
void        cql__put_type_ast(const cql_checker *c, const cql_type_ast *ast,
                              base_buf *out); /* c may be NULL */
void        cql__put_relation(const cql_relation *relation, base_buf *out);
corm_str    cql__term_text(cql_checker *c, const cql_expr *expr);
corm_str    cql__selector_text(cql_checker *c, const cql_expr *expr);
corm_str    cql__type_text(cql_checker *c, const cql_type *type);
corm_str    cql__relation_text(cql_checker *c, const cql_relation *relation);
const char *cql__operator_text(cql_operator op);
/* Copies into the arena, frees the buffer; data == NULL when memory is exhausted. */
corm_str cql__take_text(cql_checker *c, base_buf *buf);
corm_str cql__join_names(cql_checker *c, const cql_column *const *columns, uint32_t count,
                         const char *between);

/* ---- markers.c ---- */

corm_status cql__marker(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                        const cql_node **out);
corm_status cql__markers_begin(cql_checker *c, cql_checked *checked, uint32_t count);
corm_status cql__partition_markers(cql_checker *c, cql_checked *checked, const cql_table *table);
corm_status cql__batch_partition_markers(cql_checker *c, cql_checked *checked);

/* ---- check_where.c and its parts ---- */

typedef enum cql_rule {
    CQL_RULE_EQ,
    CQL_RULE_IN,
    CQL_RULE_SLICE,
    CQL_RULE_CONTAINS,
    CQL_RULE_LIKE
} cql_rule;

typedef struct cql_contains {
    cql_operator    op; /* CONTAINS, CONTAINS_KEY; EQ of an entry */
    const cql_node *key;
    const cql_node *value;
} cql_contains;

/* What is said about one column, or about neighbours of the clustering key together. Merging makes new ones. */
typedef struct cql_rule_set {
    cql_rule           rule;
    bool               multi;
    uint32_t           count;
    const cql_column **columns; /* in key order */
    uint32_t           value_count;
    cql_row_value     *values; /* EQ, IN */
    const cql_node    *in_list;
    cql_row_value     *lower, *upper;
    bool               lower_inclusive, upper_inclusive;
    uint32_t           contains_count;
    cql_contains      *contains;
    const cql_node    *like;
} cql_rule_set;

typedef struct cql_rules {
    uint32_t       count; /* of the table's columns */
    cql_rule_set **by_column;
    bool           allow_filtering;
} cql_rules;

typedef enum cql_where_user {
    CQL_FOR_SELECT,
    CQL_FOR_INSERT,
    CQL_FOR_UPDATE,
    CQL_FOR_DELETE
} cql_where_user;

/* The orderings of a SELECT that has ANN OF among them. */
typedef struct cql_ann_order {
    const cql_column *column; /* of the first ANN OF */
    const cql_node   *query;
    uint32_t          count;    /* of ANN OF */
    bool              has_more; /* other orderings too */
    bool              descending;
} cql_ann_order;

typedef struct cql_where_input {
    cql_where_user       user;
    uint32_t             count;
    const cql_relation  *relations;
    bool                 allow_filtering;
    bool                 only_static; /* nothing but static columns is read or written */
    const cql_ann_order *ann;         /* ORDER BY with ANN OF somewhere; or NULL */
} cql_where_input;

/* What a checked WHERE clause is like, for the rules of other clauses. */
typedef struct cql_where_facts {
    bool             is_key_range;
    bool             uses_index;
    bool             key_in; /* IN on the partition key */
    bool             clustering_in;
    bool             has_partition; /* any restriction on the partition key or its token */
    bool             has_clustering;
    bool             clustering_only_equal;
    uint32_t         clustering_columns; /* restricted */
    bool             partition_only_equal;
    bool             partition_complete;
    bool             has_regular; /* restrictions on regular columns */
    bool             has_other;   /* restrictions on static or regular columns */
    bool             other_only_static;
    bool             needs_filtering; /* unless an index does it all */
    const bool      *equal;           /* by column index: restricted by EQ */
    const cql_index *ann_index;       /* that answers ANN OF */
} cql_where_facts;

corm_status cql__where(cql_checker *c, const cql_where_input *input, cql_where *out,
                       cql_where_facts *facts);

corm_status cql__refuse_filtering(cql_checker *c); /* "… use ALLOW FILTERING" */

corm_status cql__relation(cql_checker *c, const cql_relation *relation, cql_rule_set *out);
corm_status cql__token_relation(cql_checker *c, const cql_relation *relation,
                                cql_token_range *token, bool *is_equal);
corm_status cql__merge_rule(cql_checker *c, cql_rules *rules, const cql_rule_set *rule);
/* The names of columns of which one relation wants a value and another a range. */
corm_status cql__refuse_mixed(cql_checker *c, corm_str names);

/* What an index can do with a rule; see check_index.c. */
bool cql__index_supports(const cql_index *index, const cql_column *column, cql_operator op);
bool cql__rule_has_index(const cql_table *table, const cql_rule_set *rule);
/* Whether a row that this index found must still be looked at for the rule. Indexes of one `group` work together. */
bool cql__rule_needs_filtering(const cql_table *table, const cql_index *group,
                               const cql_rule_set *rule);
bool cql__index_is_sai(const cql_index *index);

/* ---- check_ann.c ---- */

/* Prepares the terms of ANN OF; *out is NULL when there is none. */
corm_status cql__ann_order(cql_checker *c, const cql_select *select, const cql_ann_order **out);
/* What may stand beside ANN OF, once the relations are known. */
corm_status cql__ann_alone(cql_checker *c, const cql_ann_order *ann, const cql_rules *rules);
/* The index that answers it, or NULL. */
const cql_index *cql__ann_index(const cql_table *table, const cql_ann_order *ann);
/* Whether column and restrictions are as ANN OF wants them. `key_filtered`: the partition key is looked at row by row;
 * `clustering_needs`: the clustering key is. */
corm_status cql__ann_rows(cql_checker *c, const cql_ann_order *ann, const cql_rules *rules,
                          bool key_filtered, bool clustering_needs);

/* ---- statements ---- */

corm_status cql__check_select(cql_checker *c, const cql_select *select, cql_checked_select *out);
corm_status cql__order_by(cql_checker *c, const cql_select *select, const cql_where_facts *facts,
                          cql_checked_select *out);
corm_status cql__group_by(cql_checker *c, const cql_select *select, const cql_where_facts *facts,
                          cql_checked_select *out);
/* check_mask.c: once all else of the SELECT is checked. */
corm_status cql__check_masks(cql_checker *c, cql_checked_select *out);
corm_status cql__check_modify(cql_checker *c, const cql_statement *statement,
                              cql_checked_modify *out);
/* What is looked at when the whole statement, or the whole batch, is prepared. */
corm_status cql__validate_modify(const cql_checked_modify *modify, corm_error *err);
corm_status cql__change(cql_checker *c, const cql_change *change, bool is_conditional,
                        cql_assign *out);
corm_status cql__condition(cql_checker *c, const cql_condition *condition,
                           cql_check_condition *out);
corm_status cql__check_batch_statement(cql_checker *c, const cql_batch *batch,
                                       cql_checked_batch *out);

/* The expression with one pair of parentheses less: one copy, in the arena. NULL: memory is exhausted. */
cql_expr *cql__bare(cql_checker *c, const cql_expr *expr);

#endif
