// SPDX-License-Identifier: MIT
/* result.h -- what a statement answered: rows in pages, read in place.
 *
 * A result owns its bytes; what is read from it (texts, blobs, items) is borrowed until corm_result_free(), or until the next
 * page is fetched into it. One thread at a time. */
#ifndef CORM_RESULT_H
#define CORM_RESULT_H

#include "corm/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_result corm_result;
typedef struct corm_row    corm_row;

CORM_API void corm_result_free(corm_result *result);

/* Of this page. 0 for statements without rows. */
CORM_API uint32_t corm_result_row_count(const corm_result *result);
CORM_API uint32_t corm_result_column_count(const corm_result *result);
/* Borrowed; empty for an index out of range. The type is in CQL: "map<text, int>". */
CORM_API corm_str corm_result_column_name(const corm_result *result, uint32_t index);
CORM_API corm_str corm_result_column_type(const corm_result *result, uint32_t index);
CORM_API int corm_result_column_index(const corm_result *result, const char *name); /* -1: none */

/* The next row of this page, or NULL behind the last; borrowed until the next call. */
CORM_API const corm_row *corm_result_next(corm_result *result);
CORM_API void corm_result_rewind(corm_result *result); /* to before the page's first row */

/* Whether there is a next page. An empty page may have one. */
CORM_API bool corm_result_has_more(const corm_result *result);
/* To go on later, also in another process: opaque, bound to its statement. Empty when there is no next page. */
CORM_API corm_bytes corm_result_paging_state(const corm_result *result);
/* Replaces the rows by the next page; CORM_NOT_FOUND when there is none. The session must be open. */
CORM_API CORM_CHECKED corm_status corm_result_fetch(corm_result *result, corm_error *err);
/* The next row of this page or of those behind it, fetched as needed; *row NULL at the very end. On a cluster the page behind
 * the one that is read is under way meanwhile, from the first step or fetch on, unless corm_request_options.no_read_ahead. */
CORM_API CORM_CHECKED corm_status corm_result_step(corm_result *result, const corm_row **row,
                                                   corm_error *err);

/* Whether a lightweight transaction was applied; true for every other statement. */
CORM_API bool corm_result_applied(const corm_result *result);

CORM_API uint32_t corm_result_warning_count(const corm_result *result);
CORM_API corm_str corm_result_warning(const corm_result *result, uint32_t index);

/* Of a request with `trace`; zero otherwise. */
CORM_API corm_uuid corm_result_tracing_id(const corm_result *result);
/* The custom payload that the server's query handler answered with; borrowed. */
CORM_API uint32_t   corm_result_payload_count(const corm_result *result);
CORM_API corm_str   corm_result_payload_name(const corm_result *result, uint32_t index);
CORM_API corm_bytes corm_result_payload_value(const corm_result *result, uint32_t index);

/* ---- cells; an index out of range reads as null ---- */

CORM_API bool       corm_row_is_null(const corm_row *row, uint32_t index);
CORM_API corm_bytes corm_row_bytes(const corm_row *row,
                                   uint32_t        index); /* wire form; data NULL: null */
/* Any column as a value of its kind. Items of collections live in the result. */
CORM_API CORM_CHECKED corm_status corm_row_value(const corm_row *row, uint32_t index,
                                                 corm_value *out, corm_error *err);
/* Exact where the column's type is what the name says (or narrower); else 0, empty, false. */
CORM_API bool           corm_row_bool(const corm_row *row, uint32_t index);
CORM_API int32_t        corm_row_int(const corm_row *row, uint32_t index);
CORM_API int64_t        corm_row_bigint(const corm_row *row,
                                        uint32_t index); /* any whole number, timestamp (ms), time (ns) */
CORM_API double         corm_row_double(const corm_row *row, uint32_t index); /* any number */
CORM_API corm_str       corm_row_text(const corm_row *row, uint32_t index);
CORM_API corm_uuid      corm_row_uuid(const corm_row *row, uint32_t index);
CORM_API corm_timestamp corm_row_timestamp(const corm_row *row, uint32_t index);
/* The text form of any column, as the shell prints it; lives in the result. */
CORM_API corm_str corm_row_format(const corm_row *row, uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
