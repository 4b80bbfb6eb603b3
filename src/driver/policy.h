// SPDX-License-Identifier: MIT
/* policy.h -- which node is asked first, and which next. The loop's thread. */
#ifndef DRIVER_POLICY_H
#define DRIVER_POLICY_H

#include "driver/node.h"

enum {
    DRIVER_PLAN_NODES = 32
}; /* that a plan remembers; the rest of a larger cluster is not tried */

/* Made lazily: the first node costs a few instructions, the others are ordered only when they are needed. */
typedef struct driver_plan {
    driver_cluster               *cluster;
    uint32_t                      count, at;
    bool                          complete; /* nodes behind the first are in place */
    driver_node                  *nodes[DRIVER_PLAN_NODES]; /* one reference each */
    const corm_balancing_options *how;
    corm_route                    route;
    uint32_t                      start;      /* of the rotation */
    bool                          to_replica; /* the first node that it gave is one */
} driver_plan;

/* `route` is copied, what it points to borrowed until driver__plan_end. Its replicas are looked up by the plan itself. */
void driver__plan_begin(driver_plan *plan, driver_cluster *cluster,
                        const corm_balancing_options *how, const corm_route *route);
/* The next node to try; NULL at the end. Nodes without a ready connection are passed over. Borrowed. */
driver_node *driver__plan_next(driver_plan *plan);
void         driver__plan_end(driver_plan *plan);

/* What the options say of a node. */
corm_distance driver__distance(const driver_cluster *cluster, const corm_node *node);

/* What is to be done about a failure, by the options' kind or policy. */
corm_retry_decision driver__retry_decide(const corm_retry_options *options, driver_cluster *cluster,
                                         const corm_failure *failure);
/* The pause before try number `retries`, counted from 0. */
uint32_t driver__backoff_ms(const corm_retry_options *options, uint32_t retries, uint64_t random);

#endif
