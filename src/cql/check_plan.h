// SPDX-License-Identifier: MIT
/* check_plan.h -- between check_where.c, which knows the rules, and check_plan.c, which lays out the reading. */
#ifndef CQL_CHECK_PLAN_H
#define CQL_CHECK_PLAN_H

#include "cql/check_internal.h"

typedef struct cql_plan {
    cql_checker     *c;
    const cql_rules *rules;
    bool             partition_by_key; /* every partition key column by EQ or IN */
    bool partition_by_filter; /* what is said of the partition key is looked at row by row */
    bool
        clustering_by_filter; /* what an index of a clustering column answers is asked of the index */
    bool        uses_index;
    uint32_t    filter_count, filter_room;
    cql_filter *filters;
} cql_plan;

corm_status cql__plan(cql_plan *plan, cql_where *out);

/* Whether a rule on clustering columns does not continue the prefix that ends before `position`. */
bool cql__clustering_by_filter(const cql_rule_set *rule, uint32_t position);

#endif
