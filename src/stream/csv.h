// SPDX-License-Identifier: MIT
/* csv.h -- fields of a CSV record (RFC 4180), read and written. Pure. */
#ifndef STREAM_CSV_H
#define STREAM_CSV_H

#include "base/arena.h"
#include "base/buf.h"

typedef struct stream_field {
    corm_str text;   /* without quotes */
    bool     quoted; /* an empty field in quotes is the empty text, without quotes no value */
    uint32_t line;   /* within the record, from 0 */
    uint32_t column; /* in code points, from 1 */
} stream_field;

/* Cuts a record into fields, which live in the arena or borrow from the record. CORM_INVALID, with the place within the
 * record, for text behind a closing quote and for a quote that is not closed. */
CORM_CHECKED corm_status stream__csv_split(corm_str record, char delimiter, base_arena *arena,
                                           stream_field **fields, uint32_t *count, corm_error *err);

/* Appends the text as a field, in quotes where it needs them or `quoted` asks for them. */
void stream__csv_put(base_buf *out, corm_str text, char delimiter, bool quoted);

#endif
