// SPDX-License-Identifier: MIT
/* json_value.h -- values in JSON lines that read back as they were. Pure.
 *
 * SELECT JSON has no form for some values: NaN and infinities, the empty value of a number, years of five digits. Such a value is written as a string with its CQL literal. */
#ifndef STREAM_JSON_VALUE_H
#define STREAM_JSON_VALUE_H

#include "cql/codec.h"

/* Appends the value as SELECT JSON does, or as a string with its literal where that would read back differently. */
void stream__put_json_value(const cql_type *type, cql_value value, base_buf *out);

/* Reads what INSERT JSON reads, and a string with a literal. As cql__from_json. */
CORM_CHECKED corm_status stream__read_json_value(const cql_type *type, corm_str json, base_buf *out,
                                                 bool *is_null, corm_error *err);

#endif
