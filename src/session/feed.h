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
};

/* Frees what was made of the change. */
void session__change_clear(corm_change *change);

corm_feed_position session__feed_position(engine *store, engine_feed_position position);

#endif
