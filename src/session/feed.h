// SPDX-License-Identifier: MIT
/* feed.h -- between the files of the public change feed. */
#ifndef SESSION_FEED_H
#define SESSION_FEED_H

#include "corm/feed.h"
#include "engine/feed.h"
#include "session/core.h"

struct corm_change {
    corm_feed          *feed;
    engine_feed_change *record;
    base_arena         *arena;                            /* the feed's, emptied with the batch */
    corm_result        *key, *before, *after, *from, *to; /* made when asked for */
    corm_str            json;
};

/* A change that was asked for without waiting: feed_ahead.c. */
typedef struct session_feed_ahead {
    pthread_mutex_t    lock; /* guards the rest but `closing` and what its thread has taken */
    pthread_cond_t     changed;
    pthread_t          thread;
    bool               has_thread;
    bool               is_busy; /* the thread waits for a change, or is inside the callback */
    corm_task         *task;    /* asked for, not taken up yet */
    uint32_t           timeout_ms;
    corm_feed_callback callback;
    void              *context;
    atomic_bool        closing;
} session_feed_ahead;

struct corm_feed {
    corm_session        *session; /* one reference */
    engine              *store;
    engine_feed_reader   reader;
    base_arena           options, arena; /* names of tables; of the batch */
    uint32_t             table_count, capacity;
    corm_str            *tables;
    uint32_t             count, next; /* of the batch: read, handed out */
    engine_feed_change  *records;
    corm_change         *changes;
    engine_feed_position handed; /* behind what was handed out */
    atomic_bool          woken;
    session_feed_ahead   ahead;
};

/* Waits for the next change; the task that waits, or NULL, may be cancelled. *change stays NULL when nothing came in time, and also
 * when `take` is false: then the change is left to be taken. */
CORM_CHECKED corm_status session__feed_wait(corm_feed *feed, uint32_t timeout_ms, bool take,
                                            const corm_task *task, const corm_change **change,
                                            corm_error *err);

/* ---- feed_ahead.c ---- */

void session__feed_ahead_init(corm_feed *feed);
/* Ends what is under way and its thread. */
void session__feed_ahead_close(corm_feed *feed);
/* Whether the calling thread may read: CORM_INVALID_ARGUMENT. */
CORM_CHECKED corm_status session__feed_check_free(corm_feed *feed, corm_error *err);

/* Frees what was made of the change. */
void session__change_clear(corm_change *change);

corm_feed_position session__feed_position(engine *store, engine_feed_position position);

#endif
