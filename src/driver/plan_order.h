// SPDX-License-Identifier: MIT
/* plan_order.h -- what policy.c and plan_order.c share. */
#ifndef DRIVER_PLAN_ORDER_H
#define DRIVER_PLAN_ORDER_H

#include "driver/cluster.h"
#include "driver/policy.h"

bool driver__plan_is_local(const driver_plan *plan, const driver_node *node);
bool driver__plan_may_use(
    const driver_node *node);                      /* it has a ready connection and is not denied */
bool driver__plan_is_lwt(const corm_route *route); /* also SERIAL reads */

/* The replicas of the route's token; NULL, *count 0, where they are not known or not wanted. */
const uint32_t *driver__plan_replicas(const driver_plan *plan, uint32_t *count);

void driver__plan_push(driver_plan *plan, driver_node *node);

/* Puts the nodes that the plan does not have yet behind those that it has. */
void driver__plan_complete(driver_plan *plan);

#endif
