// SPDX-License-Identifier: MIT
/* gather.h -- when a round of the write queue begins: at once, or when those have come back who were just answered.
 *
 * A client that waits for its answer and then writes again comes back a moment after the round was told. A leader that began at once
 * would take only who waited during that round; the others would wait for this one, and so on: every sync of the disk would carry
 * half of the clients. So a leader waits for as many as it saw last, but never longer than a part of what the commit itself will take. Where
 * they do not come back, the next leader expects only who came.
 *
 * The queue's lock guards all of it. */
#ifndef ENGINE_GATHER_H
#define ENGINE_GATHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct engine_gather {
    bool           is_on; /* commits wait for a disk */
    bool           is_waiting;
    uint32_t       length;    /* of the queue */
    uint32_t       expected;  /* jobs in the next round */
    int64_t        commit_ns; /* what a commit took lately; the leader's */
    pthread_cond_t changed;   /* as many as expected are there */
} engine_gather;

/* 0 or an errno number. */
int  engine__gather_init(engine_gather *gather, bool is_on);
void engine__gather_free(engine_gather *gather);

void engine__gather_pushed(engine_gather *gather);

/* Waits, if it pays. The lock is released meanwhile. */
void engine__gather_wait(engine_gather *gather, pthread_mutex_t *lock);

/* A round was taken from the queue; and its jobs have been told. */
void engine__gather_taken(engine_gather *gather, uint32_t count);
void engine__gather_told(engine_gather *gather, uint32_t count);

/* A commit is over; on the leader's thread, without the lock. */
void engine__gather_committed(engine_gather *gather, int64_t ns);

#endif
