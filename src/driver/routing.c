// SPDX-License-Identifier: MIT
/* routing.c -- the partition key of a prepared statement's values, and its token. Pure. */
#include "cql/token.h"
#include "driver/driver.h"
#include "driver/prepared.h"

/* One column: the value itself. Several: for each [u16 length][bytes][0x00]. */
static corm_bytes join_key(const driver_prepared *prepared, const cql_value *values,
                           base_buf *scratch) {
    base__buf_clear(scratch);
    for (uint32_t i = 0; i < prepared->key_count; i++) {
        cql_value value = values[prepared->key_markers[i]];
        if (value.len < 0 || value.len > UINT16_MAX) return (corm_bytes){ 0 };
        base__buf_u16(scratch, (uint16_t)value.len);
        base__buf_put(scratch, value.data, (size_t)value.len);
        base__buf_u8(scratch, 0);
    }
    return scratch->failed ? (corm_bytes){ 0 } : base__buf_bytes(scratch);
}

corm_bytes driver__routing_key(const driver_prepared *prepared, const cql_value *values,
                               uint32_t count, base_buf *scratch) {
    if (prepared->key_count == 0) return (corm_bytes){ 0 };
    for (uint32_t i = 0; i < prepared->key_count; i++) {
        if (prepared->key_markers[i] >= count) return (corm_bytes){ 0 };
    }
    if (prepared->key_count > 1) return join_key(prepared, values, scratch);
    cql_value value = values[prepared->key_markers[0]];
    if (value.len <= 0) return (corm_bytes){ 0 };
    return (corm_bytes){ value.data, (size_t)value.len };
}

bool driver__token_of(const wire_prepared *prepared, const cql_value *values, uint32_t count,
                      int64_t *token) {
    base_buf   scratch = { 0 };
    corm_bytes key = driver__routing_key(driver__prepared_of(prepared), values, count, &scratch);
    if (key.data) *token = cql__token(key);
    base__buf_free(&scratch);
    return key.data != NULL;
}
