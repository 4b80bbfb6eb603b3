// SPDX-License-Identifier: MIT
/* csv_value.h -- values as CSV fields: texts as they are, other scalars as in CQL without quotes, the rest as a CQL literal; a field
 * without anything is no value. Pure. */
#ifndef STREAM_CSV_VALUE_H
#define STREAM_CSV_VALUE_H

#include "cql/codec.h"
#include "stream/csv.h"

void stream__csv_put_value(const cql_type *type, cql_value value, char delimiter,
                           const char *null_text, base_buf *out);

/* The wire form of a field, in the arena or borrowed from it: CQL_UNSET for nothing, null for the text that says so (NULL: none does). */
CORM_CHECKED corm_status stream__csv_read_value(const cql_type *type, const stream_field *field,
                                                const char *null_text, base_arena *arena,
                                                cql_value *out, corm_error *err);

#endif
