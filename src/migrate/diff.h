// SPDX-License-Identifier: MIT
/* diff.h -- what diff.c and diff_table.c share. */
#ifndef MIGRATE_DIFF_H
#define MIGRATE_DIFF_H

#include <stdarg.h>
#include <stdio.h>

#include "migrate/core.h"

#define CQL_F "%.*s"
#define CQL_S(text) (int)(text).len, (text).data

typedef struct diff_run {
    const migrate_snapshot *is, *wanted;
    const cql_keyspace     *is_keyspace, *wanted_keyspace;
    migrate_snapshot        work; /* `is`, with all statements so far */
    migrate_differences    *out;
    corm_error             *err;
} diff_run;

/* Applies the statement to `work` and adds it, or says why it does not work. Frees the buffer. `about`: what it loses, or NULL. */
CORM_CHECKED corm_status migrate__emit(diff_run *run, base_buf *cql, const char *about);
/* What no statement does. */
CORM_CHECKED corm_status migrate__cannot(diff_run *run, const char *format, ...) CORM_PRINTF(2, 3);

/* The statement that made the wanted table, if nothing changed it afterwards. */
const cql_statement *migrate__written(const migrate_snapshot *wanted, corm_str table);

CORM_CHECKED corm_status migrate__diff_table(diff_run *run, const cql_table *is,
                                             const cql_table *wanted);

#endif
