// SPDX-License-Identifier: MIT
/* doors.h -- for tests that run through more than one door: where CORM_TEST_URI says, or an embedded store in memory.
 *
 * A program whose source includes this is registered a second time as NAME@cassandra: cmake/CormTests.cmake. */
#ifndef TESTING_DOORS_H
#define TESTING_DOORS_H

#include "corm/cluster.h"
#include "testing/check.h"

/* "corm::memory:" or CORM_TEST_URI. */
const char *testing__uri(void);
/* Whether that is a cluster. */
bool testing__is_cluster(void);
/* Whether that cluster is a `corm serve`, which answers as the embedded store does. */
bool testing__is_served(void);

/* A URI whose keyspace is to be made when the session opens: on a cluster what it had is dropped before, and when the program
 * ends. The keyspace's name is the caller's; the text lives until the program ends. */
const char *testing__fresh(const char *keyspace);

/* A session on it. */
corm_session *testing__open(const char *keyspace);

#endif
