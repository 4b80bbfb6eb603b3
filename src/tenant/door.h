// SPDX-License-Identifier: MIT
/* door.h -- the door of one tenant. Private to this folder. */
#ifndef TENANT_DOOR_H
#define TENANT_DOOR_H

#include "tenant/core.h"

typedef struct tenant_door {
    session_front front;   /* first */
    corm_tenants *tenants; /* one reference */
    tenant_one   *one;
    bool          of_schema, trusted; /* trusted: neither state nor limits are looked at */
} tenant_door;

/* A session of the tenant. */
CORM_CHECKED corm_status tenant__door_open(corm_tenants *tenants, tenant_one *one, bool trusted,
                                           corm_session **out, corm_error *err);

/* HMAC-SHA256 of the tenant and the bytes; false: no memory. In answer.c. */
bool tenant__keyed_hash(const uint8_t key[SESSION_KEY_BYTES], corm_str tenant, corm_bytes bytes,
                        uint8_t out[SESSION_KEY_BYTES]);

#endif
