// SPDX-License-Identifier: MIT
/* key.c -- builds and splits the keys of stored rows. Layout: key.h. Pure; any thread. */
#include "engine/key.h"

enum { TOKEN_AT = 4, LENGTH_AT = 12, PARTITION_AT = ENGINE_KEY_HEAD };

/* Signed tokens sort as unsigned bytes once their sign bit is flipped. */
static uint64_t token_order(int64_t token) {
    return (uint64_t)token ^ UINT64_C(0x8000000000000000);
}

void engine__key_token(uint32_t storage_id, int64_t token, base_buf *out) {
    uint8_t *at = base__buf_grow(out, LENGTH_AT);
    if (!at) return;
    base__store_u32(at, storage_id);
    base__store_u64(at + TOKEN_AT, token_order(token));
}

void engine__key_partition(uint32_t storage_id, int64_t token, corm_bytes partition_key,
                           base_buf *out) {
    uint8_t *at = base__buf_grow(out, PARTITION_AT + partition_key.len);
    if (!at) return;
    base__store_u32(at, storage_id);
    base__store_u64(at + TOKEN_AT, token_order(token));
    base__store_u16(at + LENGTH_AT, (uint16_t)partition_key.len);
    if (partition_key.len) memcpy(at + PARTITION_AT, partition_key.data, partition_key.len);
}

void engine__key_clustering(const cql_table *table, const cql_value *values, uint32_t count,
                            base_buf *out) {
    const cql_column *column = table->columns + table->partition_count;
    for (uint32_t i = 0; i < count; i++)
        cql__order_put(column[i].type, values[i], column[i].descending, out);
}

bool engine__key_split(corm_bytes key, engine_key *out) {
    if (key.len < PARTITION_AT + 1) return false;
    size_t length = base__load_u16(key.data + LENGTH_AT);
    if (key.len < PARTITION_AT + length + 1) return false;
    const uint8_t *kind = key.data + PARTITION_AT + length;

    out->storage_id = base__load_u32(key.data);
    out->token = (int64_t)token_order((int64_t)base__load_u64(key.data + TOKEN_AT));
    out->partition_key = (corm_bytes){ key.data + PARTITION_AT, length };
    out->prefix = (corm_bytes){ key.data, PARTITION_AT + length };
    out->kind = *kind;
    out->clustering = (corm_bytes){ kind + 1, key.len - PARTITION_AT - length - 1 };
    return true;
}
