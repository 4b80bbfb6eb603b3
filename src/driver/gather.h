// SPDX-License-Identifier: MIT
/* gather.h -- how many bytes a busy connection's socket gathers before it wakes the loop. Answers that trickle in one at a time cost
 * more for the waking than for all else that is done for them, so they are moderated as network cards moderate interrupts.
 *
 *   an answer waits for others at most     about 200 µs while they keep coming, and
 *                                          3 % of the time that it took anyway (in flight / 32: Little's law)
 *   as soon as they stop coming            2 ms, once: then every byte wakes again
 *
 * With fewer than 64 requests in flight nothing is gathered. The loop's thread. */
#ifndef DRIVER_GATHER_H
#define DRIVER_GATHER_H

#include "driver/conn.h"

typedef struct driver_io driver_io;

typedef struct driver_gather {
    uint32_t     bytes;      /* that wake the loop (SO_RCVLOWAT); 0: any */
    uint32_t     answers;    /* what they should be */
    uint32_t     seen_bytes; /* since the window began */
    uint32_t     seen_answers;
    uint64_t     window_ms;    /* uv_now() when it began */
    driver_conn *next, **link; /* in io->gathering while bytes > 0 */
} driver_gather;

/* How many answers to wait for when so many came in so many milliseconds; fewer than 2: none. */
uint32_t driver__gather_answers(uint32_t answers, uint64_t elapsed_ms, uint32_t in_flight);

/* Bytes came, and what was in them has been dealt with. */
void driver__gather_received(driver_conn *conn, size_t len);
/* Every byte wakes again. */
void driver__gather_stop(driver_conn *conn);

#endif
