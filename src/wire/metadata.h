// SPDX-License-Identifier: MIT
/* metadata.h -- what the writers and the reader of RESULT bodies share. Private to this folder. */
#ifndef WIRE_METADATA_H
#define WIRE_METADATA_H

#include "wire/result.h"

/* Flags of a result's metadata: native protocol v5 specification, section 4.2.5.2. */
enum {
    WIRE_GLOBAL_TABLE_SPEC = 0x0001,
    WIRE_HAS_MORE_PAGES = 0x0002,
    WIRE_NO_METADATA = 0x0004,
    WIRE_METADATA_CHANGED = 0x0008
};

/* [string] and [short bytes]; what is longer than 65,535 bytes is cut. */
void     wire__put_string(base_buf *out, corm_str text);
void     wire__put_short_bytes(base_buf *out, corm_bytes bytes);
corm_str wire__read_string(base_reader *reader);

/* The column descriptions behind the counts of a metadata: the shared table when `global`, then
 * each. */
void wire__put_columns(base_buf *out, const cql_result_column *columns, uint32_t count, bool global,
                       uint8_t version);

/* Whether there are columns and all are of one table. */
bool wire__same_table(const cql_result_column *columns, uint32_t count);

#endif
