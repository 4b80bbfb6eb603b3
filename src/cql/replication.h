// SPDX-License-Identifier: MIT
/* replication.h -- the replication option of keyspaces: strategies and their options. Pure. */
#ifndef CQL_REPLICATION_H
#define CQL_REPLICATION_H

#include "cql/options.h"

/* From the map that is written (it has a class) to the one that is stored: "class" first with its
 * whole name, then the options, filled up from those of before (NULL: a new keyspace). *local: the
 * strategy of the system itself. */
CORM_CHECKED corm_status cql__read_replication(const cql_option_context *c,
                                               const cql_map_option     *in,
                                               const cql_map_option *before, cql_map_option *out,
                                               bool *local);

/* The server's checks of a stored map. *replicas gets the number of copies, *datacenter the one
 * that they are in (data NULL: any). */
CORM_CHECKED corm_status cql__check_replication(const cql_option_context *c, corm_str keyspace,
                                                const cql_map_option *replication,
                                                int32_t *replicas, corm_str *datacenter);

#endif
