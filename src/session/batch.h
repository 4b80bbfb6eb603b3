// SPDX-License-Identifier: MIT
/* batch.h -- the inside of a batch, for those who run it in pieces. Private to this folder. */
#ifndef SESSION_BATCH_H
#define SESSION_BATCH_H

#include "session/core.h"

enum { SESSION_BATCH_MOST_ITEMS = 65535 /* the protocol's count has two bytes */ };

struct corm_batch {
    corm_session        *session; /* borrowed */
    corm_batch_kind      kind;
    corm_request_options options;
    base_arena           arena; /* texts and values */
    uint32_t             count, capacity;
    wire_batch_item     *items;
    corm_prepared      **held;       /* one reference each */
    uint32_t             held_count; /* at most count: one for each prepared item */
};

#endif
