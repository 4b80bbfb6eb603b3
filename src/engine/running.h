// SPDX-License-Identifier: MIT
/* running.h -- the requests under way, for system_views.queries.
 *
 * A request takes a place of a fixed table when it begins, and gives it back when it ends: two exchanges of a number. While somebody
 * looks at a place its request waits. A request that finds no place free near its own is not shown. Any thread. */
#ifndef ENGINE_RUNNING_H
#define ENGINE_RUNNING_H

#include "engine/engine.h"

enum { RUNNING_MOST = 128 };

typedef struct running_table running_table;

CORM_CHECKED corm_status running__new(running_table **out, corm_error *err);
void                     running__free(running_table *table);

/* -1: there is no place. The request must live until running__end. */
int running__begin(running_table *table, const wire_request *request, int64_t now_ns);
/* A write joins the queue of writers, and leaves it. */
void running__queue(running_table *table, int place, int64_t now_ns);
void running__start(running_table *table, int place, int64_t now_ns);
void running__end(running_table *table, int place);

typedef struct running_request {
    const wire_request *request;
    int64_t             began_ns;
    int64_t             queued_ns, started_ns; /* 0: it has not been there, it has not left it */
} running_request;

/* Calls back for each, which must not wait for anything. */
typedef void (*running_visit)(void *context, int place, const running_request *request);
void running__each(running_table *table, running_visit visit, void *context);

#endif
