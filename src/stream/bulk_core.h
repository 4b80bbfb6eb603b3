// SPDX-License-Identifier: MIT
/* bulk_core.h -- what the files of the bulk writer share. Private to this folder.
 *
 *   a row or a statement ─► unit          bulk_unit.c   its statements and values in one piece of memory
 *   unit ─► group                         bulk_group.c  of one partition; on an embedded store of many
 *   groups that wait ─► flight ─► door    bulk_send.c   a batch; one of each group at a time, so that order is kept
 *   answer ─► done, rejected              bulk_end.c    or the flight again, or its units one by one
 *
 * Nothing waits for a batch to become full: what comes while all flights are under way goes into the next one of its group. */
#ifndef STREAM_BULK_CORE_H
#define STREAM_BULK_CORE_H

#include "corm/bulk.h"
#include "orm/hook.h"
#include "session/batch.h"
#include "session/statement.h"
#include "stream/gate.h"
#include "stream/rejects.h"

enum { BULK_MOST_STATEMENTS = 256, BULK_MOST_KEYS = 32 };

typedef struct bulk_unit   bulk_unit;
typedef struct bulk_group  bulk_group;
typedef struct bulk_flight bulk_flight;

/* What is known of a prepared statement. */
typedef struct bulk_facts {
    bool     is_idempotent, is_counter;
    bool     is_wide; /* it is about more rows than one, or about which is not known */
    uint32_t key_count;
    uint16_t keys[BULK_MOST_KEYS]; /* markers of the clustering columns */
} bulk_facts;

/* A write: one statement, or several that belong together. */
struct bulk_unit {
    bulk_unit *next; /* in its group or flight */
    uint64_t   number;
    void      *tag;
    corm_str   record;
    size_t     bytes; /* of this block */
    uint64_t
        row; /* hash of the row's key: two of one row are never in one batch, whose timestamps are equal */
    int64_t          token;
    bool             has_token, is_wide, is_counter, is_idempotent;
    bool             alone; /* was in a batch that was refused: finds out whether it is to blame */
    bool             has_timestamp;
    int64_t          timestamp_us;
    uint32_t         attempts;
    uint8_t          epoch; /* which flush waits for it */
    uint32_t         count;
    wire_batch_item *items;
    corm_prepared  **held;  /* one reference each */
    session_batch_run *run; /* hooks that are to be told of its end; NULL: none */
};

/* Units of a partition, in the order in which they were taken. */
struct bulk_group {
    bulk_group *next; /* of those that wait */
    corm_str    key;  /* behind the struct */
    bulk_unit  *first, *last;
    bool        in_flight, is_waiting;
};

struct bulk_flight {
    bulk_flight *next; /* of those that are to be sent again */
    corm_bulk   *bulk;
    bulk_group  *group;
    bulk_unit   *first, *last;
    uint32_t     count, statements;
    uint32_t     attempts;
    bool         has_timestamp;
    int64_t      timestamp_us;
    int64_t      not_before_ns;
};

struct corm_bulk {
    corm_bulk_options    options;
    corm_session        *session;
    corm_db             *db; /* NULL: statements only */
    base_arena           arena;
    corm_request_options request;
    corm_path            path; /* that hooks are told */
    bool                 is_embedded, has_stamps;
    stream_gate          gate;  /* guards all below */
    base_map             facts; /* address of a prepared statement to bulk_facts in the arena */
    base_map             groups;
    bulk_group          *waiting, **waiting_end;
    bulk_flight         *again; /* that wait for their time */
    bool                 has_timer, closing, flushing;
    pthread_t            timer;
    uint8_t              epoch;
    uint64_t             pending[2]; /* units that have not ended, by epoch */
    corm_bulk_stats      stats;
    pthread_mutex_t      rejects_lock;
    stream_rejects       rejects; /* guarded by rejects_lock */
    corm_error           failure; /* of the rejects' file; guarded by rejects_lock */
};

/* ---- bulk_unit.c ---- */

/* A unit of what is in the batch. `model` says which columns are the key; NULL: the schema is asked. */
CORM_CHECKED corm_status bulk__unit_new(corm_bulk *bulk, const corm_batch *batch,
                                        const orm_model *model, corm_str record, bulk_unit **out,
                                        corm_error *err);
void                     bulk__unit_free(bulk_unit *unit);

/* ---- bulk_group.c; under the lock ---- */

CORM_CHECKED corm_status bulk__enqueue(corm_bulk *bulk, bulk_unit *unit, corm_error *err);
/* In front of its group, in order. */
void bulk__put_back(bulk_flight *flight);
/* The next batch of a group that waits; NULL: there is none, or no memory for it. */
bulk_flight *bulk__form(corm_bulk *bulk);
/* The flight has ended: its group may fly again. */
void bulk__land(bulk_flight *flight);

/* ---- bulk_send.c ---- */

/* Sends what may be sent. Without the lock. */
void bulk__pump(corm_bulk *bulk);
/* Waits until something ends; where nothing is under way (there was no memory for it) it is tried anew. Under the lock. */
void bulk__wait(corm_bulk *bulk);
/* Sends it again at its time. Under the lock. */
void bulk__send_later(bulk_flight *flight);
void bulk__stop_timer(corm_bulk *bulk);

/* ---- bulk_end.c ---- */

/* A flight was answered. Takes the result over. */
void bulk__answered(void *context, corm_status status, corm_result *result,
                    const corm_error *error);

#endif
