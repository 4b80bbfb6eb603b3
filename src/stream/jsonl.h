// SPDX-License-Identifier: MIT
/* jsonl.h -- the members of one JSON object, cut but not converted. Pure. */
#ifndef STREAM_JSONL_H
#define STREAM_JSONL_H

#include "base/arena.h"
#include "corm/error.h"

typedef struct stream_member {
    corm_str name;   /* decoded; lives in the arena */
    corm_str value;  /* raw JSON, borrowed */
    uint32_t column; /* of the value, in code points, from 1 */
} stream_member;

/* Cuts an object into its members. Names are read, values only as far as to find their ends. CORM_INVALID with the column
 * when the text is no object. */
CORM_CHECKED corm_status stream__json_split(corm_str text, base_arena *arena,
                                            stream_member **members, uint32_t *count,
                                            corm_error *err);

#endif
