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

typedef struct driver_request driver_request;

/* One try on one node: the message itself, or what must go before it on the same connection. */
typedef struct driver_attempt {
    driver_call     call; /* first */
    driver_request *request;
    driver_node    *node;        /* one reference; NULL: not in use */
    driver_conn    *on;          /* valid while an answer is looked at */
    bool            sends_use;   /* v4: USE goes first */
    bool            speculative; /* not the first of its request */
} driver_attempt;

typedef struct driver_reprepare driver_reprepare; /* reprepare.c */

struct driver_request {
    driver_request *next, **link; /* in cluster->requests, the inbox or the free list */
    driver_cluster *cluster;
    /* what was asked; borrowed until the callback. Set by whoever calls driver__request_start */
    corm_str            keyspace; /* the session's */
    const wire_request *wire;
    wire_answer        *answer;
    driver_callback     callback;
    void               *context;
    void               *span;   /* of driver__observe_begin */
    uint64_t            serial; /* loop.c's: counts what was submitted */
    /* how it goes: request.c's and its neighbours'. What its end looks at stands together, because by then the memory of a
     * request among a thousand is cold */
    driver_attempt    attempts[DRIVER_MOST_ATTEMPTS];
    uint32_t          under_way; /* attempts that wait for an answer */
    uint32_t          retries, speculations;
    uint32_t          repeats;     /* after statements were prepared again */
    uint32_t          tried_count; /* nodes in `tried` */
    uint8_t           idempotent;  /* driver_known */
    uint8_t           named; /* driver_known: v4, whether `sent` has its keyspace in the text */
    bool              ended;
    bool              has_plan;
    bool              second_round; /* every node may be asked once more … */
    bool              went_round;   /* … and was, since a connection was lost */
    bool              is_again;     /* reprepare.c's own */
    bool              homeless;  /* v5: the session's keyspace is gone, and is not sent any more */
    bool              observed;  /* somebody wants to hear of its end */
    corm_status       failed;    /* of the last attempt that failed; CORM_OK: none did */
    driver_node      *pinned;    /* no other node is asked; one reference */
    driver_node      *next_node; /* of the retry to come; one reference. NULL: of the plan */
    driver_node      *asked;     /* last in this plan, which keeps it */
    driver_reprepare *waits_for; /* EXECUTE, BATCH: a statement that is being prepared again */
    uint64_t          begun_ns, now_ns; /* now_ns: when the last answer came */
    driver_timer      deadline, speculation, pause;
    driver_waiter     waiter;
    base_arena        arena; /* rewritten texts: rarely used */
    driver_plan       plan;
    /* what its beginning fills in */
    const corm_profile    *profile;   /* with every member filled in */
    const driver_prepared *statement; /* that gives the routing key and the facts; NULL: none */
    wire_request           sent;      /* `wire` with timestamp, keyspace, consistency filled in */
    driver_request        *next_waiting; /* for the same statement */
    /* PREPARE: one is sent, the others of the same text follow it */
    corm_str        prepare_key; /* in cache->under_way; data NULL: it does not lead */
    driver_request *leader, *followers, *next_follower;
    base_buf        scratch; /* routing key */
    base_buf        tried;   /* "127.0.0.1:9042: …; " for the last error */
    corm_error      error;   /* the last failure */
};

/* What is found out when it is needed. */
typedef enum driver_known { DRIVER_UNKNOWN = 0, DRIVER_NO, DRIVER_YES } driver_known;

/* Begins it; calls back when it has ended, perhaps before this returns, and then gives it back with driver__request_release. */
void driver__request_start(driver_request *request);
/* Ends it with CORM_CANCELLED unless it has ended. */
void driver__request_cancel(driver_request *request);
/* Ends all with CORM_CLOSED. */
void driver__requests_end(driver_cluster *cluster);
/* Frees what an ended request keeps for its next life; not the request itself. */
void driver__request_dispose(driver_request *request);

/* loop.c: takes an ended request back, to its free list or wherever it came from. */
void driver__request_release(driver_request *request);

/* observe.c: calls hooks.begin; gives the span. On the thread that asks. */
void *driver__observe_begin(const driver_settings *settings, const wire_request *wire);

#endif
