// SPDX-License-Identifier: MIT
/* streams.c -- the table of stream ids grows by doubling, from what an idle connection needs. Owns the slots; the loop's
 * thread. */
#include "driver/streams.h"

#include <stdlib.h>

enum { FEWEST = 64 };

void driver__streams_free(driver_streams *streams) {
    free(streams->slots);
    *streams = (driver_streams){ 0 };
}

bool driver__streams_grow(driver_streams *streams) {
    if (streams->capacity == DRIVER_MOST_STREAMS) return streams->free > 0;
    uint32_t   capacity = streams->capacity ? streams->capacity * 2 : FEWEST;
    uintptr_t *slots = realloc(streams->slots, capacity * sizeof *slots);
    if (!slots) return streams->free > 0;
    streams->slots = slots;
    for (uint32_t id = streams->capacity; id < capacity; id++) {
        driver__streams_put_back(streams, id);
    }
    streams->capacity = capacity;
    return true;
}

driver_call *driver__streams_drain(driver_streams *streams, uint32_t *at) {
    for (; *at < streams->capacity; (*at)++) {
        uintptr_t slot = streams->slots[*at];
        if (slot & DRIVER_SLOT_TAGS) continue;
        driver__streams_undo(streams, (*at)++);
        return (driver_call *)slot;
    }
    return NULL;
}
