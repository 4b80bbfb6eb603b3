// SPDX-License-Identifier: MIT
/* budget.h -- what every new connection of a cluster goes through: its share of the budget of dials, the name's addresses, and the
 * count of connections that are not closed yet. The loop's thread. */
#ifndef DRIVER_BUDGET_H
#define DRIVER_BUDGET_H

#include "driver/cluster.h"

/* ---- token buckets ---- */

void     driver__bucket_init(driver_bucket *bucket, double rate, uint64_t now_ns);
bool     driver__bucket_take(driver_bucket *bucket, uint64_t now_ns);
uint32_t driver__bucket_wait_ms(const driver_bucket *bucket); /* until there is a token */

/* The pause before dial number `failures` + 1: base * 2^(failures - 1), at most `max`, with 15 % of jitter. 0 for the first. */
uint32_t driver__redial_ms(driver_cluster *cluster, uint32_t failures);

typedef struct driver_resolve driver_resolve;

/* ---- permits ---- */

/* Somebody who wants to dial; embedded in the owner, zeroed at first. */
typedef struct driver_permit driver_permit;
struct driver_permit {
    void (*granted)(driver_permit *permit);
    driver_permit  *next;
    driver_permit **link; /* NULL: does not wait */
};

struct driver_dials {
    driver_cluster *cluster;
    driver_bucket   bucket;
    driver_permit  *urgent, *waiting; /* the first to come stands first */
    driver_timer    timer;
    uint32_t        connections; /* opened and not closed yet */
    driver_resolve
        *names; /* that the operating system is asked for, also those nobody waits for any more */
};

CORM_CHECKED corm_status driver__dials_new(driver_cluster *cluster, driver_dials **out,
                                           corm_error *err);
void                     driver__dials_free(driver_dials *dials);

/* Calls `granted` when the budget allows a dial, perhaps before this returns. Urgent: a node without any connection, or
 * the control connection. */
void driver__permit_ask(driver_cluster *cluster, driver_permit *permit, bool urgent);
void driver__permit_withdraw(driver_permit *permit);

/* driver__conn_open that counts; the owner's `closed` must call driver__connection_over. */
CORM_CHECKED corm_status driver__connection_open(driver_cluster            *cluster,
                                                 const driver_conn_options *options,
                                                 driver_conn **out, corm_error *err);
void                     driver__connection_over(driver_cluster *cluster);

/* After a dial that ended with `status`: whether the node offered a lower version of the protocol that Corm speaks.
 * cluster->version has fallen to it then, and the same address should be dialled again. */
bool driver__connection_downgrades(driver_cluster *cluster, const driver_conn *conn,
                                   corm_status status);

/* ---- addresses and names ---- */

/* A numeric address; false when `text` is none. */
bool driver__address_numeric(const char *text, uint16_t port, driver_address *out);
void driver__address_of_inet(corm_inet inet, uint16_t port, driver_address *out);
bool driver__address_equal(const driver_address *a, const driver_address *b);
void driver__address_set_port(driver_address *address, uint16_t port);

enum { DRIVER_MOST_ADDRESSES = 32 }; /* of a name */

/* All addresses of the name, shuffled; each has the name. `addresses` is borrowed for the call. */
typedef void (*driver_resolved)(void *context, corm_status status, const driver_address *addresses,
                                uint32_t count, const corm_error *err);

/* Asks the operating system, on a thread of libuv's. `done` is called once, never before this returns; after connect_timeout_ms
 * with CORM_TIMEOUT. */
CORM_CHECKED corm_status driver__resolve(driver_cluster *cluster, const char *name, uint16_t port,
                                         driver_resolved done, void *context, driver_resolve **out,
                                         corm_error *err);
/* `done` is not called any more. NULL is ignored. */
void driver__resolve_cancel(driver_resolve *resolve);
/* Questions that are not answered yet will free themselves, without the cluster; whether there are any. */
bool driver__resolve_leave(driver_dials *dials);

#endif
