// SPDX-License-Identifier: MIT
/* streams.h -- the stream ids of one connection: which are free, which wait for an answer, and which were given up but may still
 * be answered ("orphans"). The loop's thread.
 *
 * A slot an id, one word each: the address of a call, or a tag in the low bits that no address has. Free ids form a
 * queue through their slots and at least half of the slots stay free as long as there can be more, so an id rests as
 * long as possible before it is used again: a node's second answer to one request then finds nobody. */
#ifndef DRIVER_STREAMS_H
#define DRIVER_STREAMS_H

#include "driver/conn.h"

enum { DRIVER_MOST_STREAMS = 32768 };

enum { DRIVER_SLOT_FREE = 1, DRIVER_SLOT_ORPHAN = 2, DRIVER_SLOT_TAGS = 3 };

typedef struct driver_streams {
    uintptr_t *slots;
    uint32_t   capacity;
    uint32_t   free, first_free, last_free;
    uint32_t   in_flight, orphans;
} driver_streams;

void driver__streams_free(driver_streams *streams);
/* Makes more slots if there may be more; whether there is a free one then. */
bool driver__streams_grow(driver_streams *streams);
/* Takes any call out, for a connection that has ended; NULL when none is left. Starts looking at *at, 0 at first. */
driver_call *driver__streams_drain(driver_streams *streams, uint32_t *at);

/* An id for the call; -1: none is free, or no memory for more. */
static inline int32_t driver__streams_take(driver_streams *streams, driver_call *call) {
    if (streams->free <= streams->capacity / 2 && !driver__streams_grow(streams)) return -1;
    uint32_t id = streams->first_free;
    streams->first_free = (uint32_t)(streams->slots[id] >> 2);
    streams->slots[id] = (uintptr_t)call;
    streams->free--;
    streams->in_flight++;
    return (int32_t)id;
}

/* Brings what is around a call into the cache: its `done` will look at it, and a request among a thousand is cold by then.
 * Whatever the id is, nothing else happens. */
static inline void driver__streams_prefetch(const driver_streams *streams, int32_t id) {
    enum { BEFORE = 88, BEHIND = 512, LINE = 64 };
    if (id < 0 || (uint32_t)id >= streams->capacity) return;
    uintptr_t slot = streams->slots[id];
    if (slot & DRIVER_SLOT_TAGS) return;
    for (uintptr_t at = slot - BEFORE; at < slot + BEHIND; at += LINE) {
        __builtin_prefetch((const void *)at, 1);
    }
}

static inline void driver__streams_put_back(driver_streams *streams, uint32_t id) {
    streams->slots[id] = DRIVER_SLOT_FREE;
    if (streams->free++ == 0) {
        streams->first_free = id;
    } else {
        streams->slots[streams->last_free] = (uintptr_t)id << 2 | DRIVER_SLOT_FREE;
    }
    streams->last_free = id;
}

/* Frees the id that an answer came for. NULL: nobody waits for it; *orphan says whether anybody did. */
static inline driver_call *driver__streams_answer(driver_streams *streams, uint32_t id,
                                                  bool *orphan) {
    *orphan = false;
    if (id >= streams->capacity) return NULL;
    uintptr_t slot = streams->slots[id];
    if (slot & DRIVER_SLOT_FREE) return NULL;
    driver__streams_put_back(streams, id);
    if (slot & DRIVER_SLOT_ORPHAN) {
        *orphan = true;
        streams->orphans--;
        return NULL;
    }
    streams->in_flight--;
    return (driver_call *)slot;
}

/* The id's request is given up: nobody gets the id until the answer came. */
static inline void driver__streams_orphan(driver_streams *streams, uint32_t id) {
    streams->slots[id] = DRIVER_SLOT_ORPHAN;
    streams->in_flight--;
    streams->orphans++;
}

/* The id's request was never sent. */
static inline void driver__streams_undo(driver_streams *streams, uint32_t id) {
    streams->in_flight--;
    driver__streams_put_back(streams, id);
}

#endif
