// SPDX-License-Identifier: MIT
/* door.h -- a session door whose answers a function of the test's gives, with a thread of its own
 * for submitted requests and counts of what it saw. */
#ifndef TESTING_DOOR_H
#define TESTING_DOOR_H

#include <stdatomic.h>

#include "session/door.h"

/* Answers one request. Any thread, several at once. */
typedef corm_status (*testing_handler)(void *context, corm_str keyspace,
                                       const wire_request *request, wire_answer *answer,
                                       corm_error *err);

/* What a door saw; outlives it. */
typedef struct testing_counts {
    atomic_int executed;   /* requests that were waited for */
    atomic_int submitted;  /* requests that were not */
    atomic_int statements; /* prepared statements that somebody holds */
    atomic_int prepares;   /* PREPARE requests */
    atomic_int turned;     /* calls of turn() */
    atomic_int closed;
} testing_counts;

/* How submit() answers. */
typedef enum testing_submit {
    TESTING_AT_ONCE,       /* before it returns */
    TESTING_ON_OWN_THREAD, /* on the door's thread, which testing__door_hold() stops */
    TESTING_ASYNCHRONOUS, /* the same, and the door says that it is asynchronous, as a cluster's does */
    TESTING_TURNED        /* asynchronous without a thread: in turn(), one request a turn */
} testing_submit;

typedef struct testing_door testing_door;

/* Fails the test when memory is exhausted. Owned by the session that is opened over it. */
testing_door *testing__door_new(testing_handler handler, void *context, testing_submit submit,
                                testing_counts *counts);
session_door *testing__door(testing_door *door);

/* Submitted requests are kept until the release. */
void testing__door_hold(testing_door *door);
void testing__door_release(testing_door *door);

/* Opens a session over a door that answers at once. */
corm_session *testing__session(testing_handler handler, void *context, testing_counts *counts);

/* ---- answers ---- */

/* A column "name type" in shop.users; the types live in the arena. */
uint32_t testing__columns(base_arena *arena, const char *const *columns, cql_result_column *out);

/* A PREPARED answer with a statement of this door's. Markers and columns are "name type"; NULL ends
 * them. `metadata_id` is text. */
void testing__answer_prepared(testing_counts *counts, const wire_request *request,
                              const char *const *markers, const char *const *columns,
                              const char *metadata_id, wire_answer *answer);

/* A Rows answer: cells are CQL literals, row by row; NULL ends them. Metadata is left out when the
 * request says so. `state` may be NULL. */
void testing__answer_rows(const wire_request *request, const char *const *columns,
                          const char *const *cells, const char *state, wire_answer *answer);

/* The same with METADATA_CHANGED. */
void testing__answer_changed(const char *const *columns, const char *const *cells,
                             const char *metadata_id, wire_answer *answer);

/* The text of a QUERY or PREPARE, or of the statement that an EXECUTE names. */
corm_str testing__text_of(const wire_request *request);

#endif
