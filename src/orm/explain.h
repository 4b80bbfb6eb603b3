// SPDX-License-Identifier: MIT
/* explain.h -- an explanation under construction. */
#ifndef ORM_EXPLAIN_H
#define ORM_EXPLAIN_H

#include "corm/query.h"
#include "cql/parser.h"
#include "orm/core.h"

typedef struct orm_list {
    uint32_t     count, capacity;
    const char **items;
} orm_list;

typedef struct orm_index {
    const char *name, *column, *target; /* target: "values", "keys", "entries", "full", "" */
    bool        is_sai;
} orm_index;

/* The tables of the schema that are looked at. */
typedef struct orm_explaining {
    corm_explanation       out; /* first: what the caller holds */
    base_arena             arena;
    base_buf               text;
    corm_session          *session;
    orm_list               statements, store, corm;
    uint32_t               warning_capacity;
    corm_advice           *warnings;
    const corm_table_info *info;
    uint32_t               index_count, index_capacity;
    orm_index             *indexes;
    bool                   no_memory;
} orm_explaining;

CORM_CHECKED corm_status orm__explain_new(corm_session *session, orm_explaining **out,
                                          corm_error *err);
/* Lists become the explanation's; writes its text. */
CORM_CHECKED corm_status orm__explain_end(orm_explaining *e, corm_error *err);

void orm__explain_add(orm_explaining *e, orm_list *list, const char *format, ...) CORM_PRINTF(3, 4);
/* `better` may be NULL. */
void orm__explain_warn(orm_explaining *e, const char *better, const char *format, ...)
    CORM_PRINTF(3, 4);
const char *orm__explain_copy(orm_explaining *e, const char *format, ...) CORM_PRINTF(2, 3);

/* A text that is parsed, looked up in the schema, and told: what it reads and by what. `counts` has for each relation of the WHERE the
 * number of values of its IN, or is NULL. */
CORM_CHECKED corm_status orm__explain_text(orm_explaining *e, corm_str cql, const uint32_t *counts,
                                           corm_error *err);
/* Indexes of the table, and whether it is a view. */
CORM_CHECKED corm_status orm__explain_schema(orm_explaining *e, const char *keyspace,
                                             const char *table, corm_error *err);
/* The better forms of a SELECT that reads more than it should: explain_advice.c. */
void orm__explain_advise(orm_explaining *e, const cql_select *select);

#endif
