// SPDX-License-Identifier: MIT
/* index_stream.h -- the entries of an index that one probe names, as data keys of rows. Private to select_index*.c.
 *
 * The entries at one key come in the order of their data keys and can be sought; those of a range come by value. An
 * entry may be stale. */
#ifndef ENGINE_INDEX_STREAM_H
#define ENGINE_INDEX_STREAM_H

#include "cql/index_terms.h"
#include "engine/select_internal.h"

typedef struct index_stream {
    const cql_index *index;
    const cql_table *table;
    kv_cursor       *cursor;
    bool             is_range;
    bool             by_partition; /* of a static column: leads to static rows */
    base_buf         start, end;   /* entries begin with start; range: are in [start, end) */
    bool             found;        /* stands on an entry, which is: */
    base_buf         data_key;
    engine_key       key;
} index_stream;

/* Close it also after a failure. */
CORM_CHECKED corm_status stream__open(index_stream *stream, engine_request *request,
                                      const cql_index *index, const cql_table *table,
                                      const cql_probe *probe, corm_error *err);
void                     stream__close(index_stream *stream);

CORM_CHECKED corm_status stream__first(index_stream *stream, corm_error *err);
CORM_CHECKED corm_status stream__next(index_stream *stream, corm_error *err);
/* Not of a range: to the first entry at or behind (or behind) the data key. */
CORM_CHECKED corm_status stream__seek(index_stream *stream, corm_bytes data_key, kv_seek how,
                                      corm_error *err);

/* Which rows of the table are asked for: from a data key on, in one partition or up to a token. */
typedef struct index_span {
    base_buf   from;
    corm_bytes prefix; /* of the partition; len 0: any */
    int64_t    last_token;
} index_span;

static inline bool span__ends_before(const index_span *span, const engine_key *key) {
    if (span->prefix.len == 0) return key->token > span->last_token;
    return key->prefix.len != span->prefix.len ||
           memcmp(key->prefix.data, span->prefix.data, span->prefix.len) != 0;
}

/* ---- select_range.c ---- */

/* How many rows of a range are kept at once; only tests set it. */
enum { SELECT_RANGE_KEEP = 65536 };
extern size_t select__range_keep;

/* Rows of a stream that is a range, in the order of their keys. `few`: it is known to have few entries. */
CORM_CHECKED corm_status select__range(select_run *run, index_stream *stream, index_span *span,
                                       kv_seek how, bool few, corm_error *err);

/* What an entry leads to: a row, or for a static column a whole partition. */
CORM_CHECKED corm_status select__index_row(select_run *run, const index_stream *stream,
                                           corm_bytes data_key, const engine_key *key,
                                           corm_error *err);

#endif
