// SPDX-License-Identifier: MIT
/* history.h -- what history.c and lease.c share. */
#ifndef MIGRATE_HISTORY_H
#define MIGRATE_HISTORY_H

#include "corm/cluster.h"
#include "migrate/core.h"

enum { MIGRATE_AGREEMENT_MS = 30000 };

/* One request in the migrator's keyspace. *out may be NULL. */
CORM_CHECKED corm_status migrate__ask(corm_migrator *migrator, const char *cql,
                                      const corm_value *values, uint32_t count,
                                      corm_consistency consistency, corm_result **out,
                                      corm_error *err);

/* What an attempt may fail with and be made again. An attempt whose outcome is not known may have succeeded: the next look tells.
 * A server error is what a node answers that has just been told of a table and has not made it yet. */
bool migrate__is_passing(corm_status status);

/* Sleeps for a random time between the two. */
void migrate__rest(uint32_t least_ms, uint32_t most_ms);

/* CORM_LEASE_LOST. */
corm_status migrate__lease_lost(corm_error *err);

#endif
