// SPDX-License-Identifier: MIT
/* query.h -- the cluster's own questions to a node: one text, one answer, one page. The loop's thread. */
#ifndef DRIVER_QUERY_H
#define DRIVER_QUERY_H

#include "driver/cluster.h"

/* Embedded in the owner, zeroed at first. */
typedef struct driver_query driver_query;
struct driver_query {
    driver_call     call; /* first */
    driver_timer    timeout;
    driver_cluster *cluster; /* NULL: not under way */
    /* `result` is NULL unless the status is CORM_OK; it and what it borrows from live for the call. A server's ERROR
     * has the status of its code. */
    void (*done)(driver_query *query, corm_status status, const wire_result *result,
                 const corm_error *err);
};

/* Sends it; `done` is called once, never before this returns, with CORM_TIMEOUT after connect_timeout_ms. */
CORM_CHECKED corm_status driver__query_send(driver_cluster *cluster, driver_conn *conn,
                                            driver_query *query, const char *text, corm_error *err);
/* `done` is not called any more. */
void driver__query_cancel(driver_query *query);
bool driver__query_is_out(const driver_query *query);

/* ---- reading rows ---- */

#define DRIVER_NO_COLUMN UINT32_MAX
uint32_t driver__column(const wire_result *result, const char *name);
/* Reads as many values as there are columns; false when the bytes end before. */
bool driver__row(base_reader *reader, const wire_result *result, cql_value *values);

#endif
