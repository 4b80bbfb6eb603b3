// SPDX-License-Identifier: MIT
/* script.h -- answers for the test door, written as a table of statements, and a record of what was
 * asked. */
#ifndef TESTING_SCRIPT_H
#define TESTING_SCRIPT_H

#include <pthread.h>

#include "testing/door.h"

/* One statement. Without columns it answers VOID. */
typedef struct testing_line {
    const char        *text;
    const char *const *markers;    /* "name type" …, NULL; for PREPARE */
    const char *const *columns;    /* "name type" …, NULL */
    const char *const *cells;      /* CQL literals row by row, NULL */
    const char        *state;      /* there is a next page, and this is its paging state */
    const char *const *next_cells; /* of the page that is asked for with `state` */
    corm_status        fails;      /* instead of an answer */
    const char        *warning;
} testing_line;

typedef struct testing_script {
    const testing_line *lines; /* a text of NULL ends them; "USE name" needs no line */
    testing_counts      counts;
    pthread_mutex_t     lock; /* guards what follows */
    /* The last request but PREPARE: "QUERY text", "EXECUTE text [00000007,null,unset]", "BATCH 1
     * {text} {text [00]}". */
    char         seen[1024];
    char         keyspace[64]; /* for names without one */
    wire_options options;      /* texts and bytes are not valid any more */
    char         state[64];    /* the paging state */
} testing_script;

#define TESTING_SCRIPT(table)                                                                      \
    ((testing_script){ .lines = (table), .lock = PTHREAD_MUTEX_INITIALIZER })

/* NULL-terminated lists for the members of a line. */
#define TESTING_LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* The handler; its context is the script. */
corm_status testing__script(void *context, corm_str keyspace, const wire_request *request,
                            wire_answer *answer, corm_error *err);

/* A session over a door that answers by the script at once. */
corm_session *testing__scripted_session(testing_script *script);

#endif
