// SPDX-License-Identifier: MIT
/* json_core.h -- JSON of values and rows, for the files of this folder. */
#ifndef STREAM_JSON_CORE_H
#define STREAM_JSON_CORE_H

#include "corm/json.h"
#include "orm/core.h"

/* ---- json_put.c: values; pure ---- */

/* Appends a value in wire form. */
void stream__put_json(const cql_type *type, cql_value value, bool safe_numbers, base_buf *out);
/* Appends a C value whose type its kind says; false when it is none that has a form. */
CORM_CHECKED corm_status stream__put_json_of(const corm_value *value, bool safe_numbers,
                                             base_buf *out, corm_error *err);

/* ---- json_write.c ---- */

/* Appends the object of a row. `rows` (may be NULL) says at `index` what of it is null, and has its relations. */
CORM_CHECKED corm_status stream__put_row(const orm_model *model, const void *row,
                                         const corm_rows *rows, uint32_t index,
                                         const corm_json_options *options, base_buf *out,
                                         corm_error *err);
/* Names of .only and .except that the model does not have are CORM_INVALID_ARGUMENT. */
CORM_CHECKED corm_status stream__check_json_options(const orm_model         *model,
                                                    const corm_json_options *options,
                                                    corm_error              *err);

/* ---- json_take.c: values ---- */

/* Appends the wire form of a value; *at is the part of the text that an error is about. The text was checked. */
CORM_CHECKED corm_status stream__take_json(const cql_type *type, corm_str json, base_buf *out,
                                           bool *is_null, const char **at, corm_error *err);

/* ---- json_read.c ---- */

/* Reads objects into rows. Places are counted from `line`. */
CORM_CHECKED corm_status stream__read_rows(orm_model *model, corm_str json, uint32_t line,
                                           const corm_from_json_options *options, corm_rows **out,
                                           corm_error *err);

#endif
