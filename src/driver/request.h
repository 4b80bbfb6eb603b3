// SPDX-License-Identifier: MIT
/* request.h -- one request's life: a plan of nodes, one or more attempts, retries, speculative executions, a deadline, one end.
 *
 *   start ─► plan ─► attempt on a node ─► answer ─► end
 *                 ◄── retry (same, next node, after a pause) ◄─┘
 *                 ◄── speculation: a second attempt beside the first
 *
 * The loop's thread. Requests come from a free list and keep their memory: the steady path allocates nothing. */
#ifndef DRIVER_REQUEST_H
#define DRIVER_REQUEST_H

#include "driver/cluster.h"
#include "driver/driver.h"
#include "driver/policy.h"

enum { DRIVER_MOST_ATTEMPTS = 4 }; /* under way at the same time */

typedef struct driver_attempt {
    driver_call            call; /* first */
    struct driver_request *request;
    driver_node           *node; /* one reference while in use */
} driver_attempt;

typedef struct driver_request driver_request;
struct driver_request {
    driver_request  *next, **link; /* in cluster->requests, the inbox or the free list */
    driver_cluster  *cluster;
    /* what was asked; borrowed until the callback */
    corm_str            keyspace;
    const wire_request *wire;
    wire_answer        *answer;
    driver_callback     callback;
    void               *context;
    void               *span; /* of hooks.begin */
    /* how it goes */
    const corm_profile *profile; /* with every member filled in */
    driver_plan         plan;
    driver_attempt      attempts[DRIVER_MOST_ATTEMPTS];
    uint32_t            under_way; /* attempts that wait for an answer */
    uint32_t            retries, speculations;
    bool                idempotent, is_lwt;
    int64_t             timestamp_us; /* the same for every attempt */
    uint64_t            begun_ns;
    driver_timer        deadline, speculation, pause;
    driver_waiter       waiter;
    base_buf            scratch; /* routing key, qualified text */
    corm_error          error;   /* the last failure */
};

/* Begins it; calls back when it has ended, perhaps before this returns. */
void driver__request_start(driver_request *request);
/* Ends it with CORM_CANCELLED unless it has ended. */
void driver__request_cancel(driver_request *request);
/* Ends all with CORM_CLOSED. */
void driver__requests_end(driver_cluster *cluster);

#endif
