// SPDX-License-Identifier: MIT
/* kv_log_format.c -- the bytes of the log, written and read. Reading trusts nothing. Pure. */
#include "engine/kv_log.h"

enum {
    VERSION = 1,
    FLAG_ACTIVE = 1,
    FLAG_REPLAYING = 2,
    FLAG_LOST = 4,
    OP_PUT = 1,
    OP_DELETE = 2,
    LONGEST_KEY = 511
};

static const uint8_t magic[8] = { 'C', 'O', 'R', 'M', 'L', 'O', 'G', '\n' };

/* Where things are in a head. */
enum {
    AT_SUM = 8,
    AT_VERSION = 16,
    AT_FLAGS = 20,
    AT_GENERATION = 24,
    AT_TXN = 32,
    AT_DEVICE = 40,
    AT_INODE = 48,
    AT_ROOTS = 56,
    AT_SALT = 64,
    AT_START = 72,
    AT_OF = 80,
    AT_PAGE_SIZE = 88,
    AT_BOOT = 92,
    AT_META = AT_BOOT + KV_BOOT_BYTES
};

/* ---- sums ---- */

static uint64_t mix(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 32;
}

uint64_t kv__log_sum(uint64_t seed, const uint8_t *data, size_t len) {
    uint64_t sum = mix(seed, len), word;
    for (; len >= sizeof word; len -= sizeof word, data += sizeof word) {
        memcpy(&word, data, sizeof word);
        sum = mix(sum, word);
    }
    word = 0;
    if (len > 0) memcpy(&word, data, len);
    return mix(mix(sum, word), seed);
}

/* ---- heads ---- */

void kv__log_head_encode(const kv_log_head *head, uint8_t out[KV_LOG_HEAD]) {
    memset(out, 0, KV_LOG_HEAD);
    memcpy(out, magic, sizeof magic);
    base__store_u32(out + AT_VERSION, VERSION);
    uint32_t flags = (head->active ? FLAG_ACTIVE : 0) | (head->replaying ? FLAG_REPLAYING : 0) |
                     (head->lost ? FLAG_LOST : 0);
    base__store_u32(out + AT_FLAGS, flags);
    base__store_u64(out + AT_GENERATION, head->generation);
    base__store_u64(out + AT_TXN, head->txn);
    base__store_u64(out + AT_DEVICE, head->device);
    base__store_u64(out + AT_INODE, head->inode);
    base__store_u64(out + AT_ROOTS, head->roots);
    base__store_u64(out + AT_SALT, head->salt);
    base__store_u64(out + AT_START, head->start);
    base__store_u64(out + AT_OF, head->of);
    base__store_u32(out + AT_PAGE_SIZE, head->page_size);
    memcpy(out + AT_BOOT, head->boot, sizeof head->boot);
    memcpy(out + AT_META, head->meta, sizeof head->meta);
    base__store_u64(out + AT_SUM, kv__log_sum(VERSION, out + AT_VERSION, KV_LOG_HEAD - AT_VERSION));
}

static bool is_zero(const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0) return false;
    return true;
}

kv_log_slot kv__log_head_decode(const uint8_t in[KV_LOG_HEAD], kv_log_head *out) {
    *out = (kv_log_head){ 0 };
    if (is_zero(in, KV_LOG_HEAD)) return KV_SLOT_EMPTY;
    uint32_t version = base__load_u32(in + AT_VERSION);
    uint64_t sum = kv__log_sum(version, in + AT_VERSION, KV_LOG_HEAD - AT_VERSION);
    if (memcmp(in, magic, sizeof magic) != 0 || base__load_u64(in + AT_SUM) != sum)
        return KV_SLOT_TORN;
    if (version != VERSION) return KV_SLOT_OTHER_VERSION;
    out->active = base__load_u32(in + AT_FLAGS) & FLAG_ACTIVE;
    out->replaying = base__load_u32(in + AT_FLAGS) & FLAG_REPLAYING;
    out->lost = base__load_u32(in + AT_FLAGS) & FLAG_LOST;
    out->start = base__load_u64(in + AT_START);
    out->of = base__load_u64(in + AT_OF);
    out->generation = base__load_u64(in + AT_GENERATION);
    out->txn = base__load_u64(in + AT_TXN);
    out->device = base__load_u64(in + AT_DEVICE);
    out->inode = base__load_u64(in + AT_INODE);
    out->roots = base__load_u64(in + AT_ROOTS);
    out->salt = base__load_u64(in + AT_SALT);
    out->page_size = base__load_u32(in + AT_PAGE_SIZE);
    memcpy(out->boot, in + AT_BOOT, sizeof out->boot);
    memcpy(out->meta, in + AT_META, sizeof out->meta);
    return out->generation > 0 && out->start >= KV_LOG_BEGIN ? KV_SLOT_WHOLE : KV_SLOT_TORN;
}

/* ---- records ---- */

void kv__log_begin(base_buf *record) {
    static const uint8_t head[KV_LOG_RECORD];
    base__buf_clear(record);
    base__buf_put(record, head, sizeof head);
}

void kv__log_put(base_buf *record, corm_bytes key, corm_bytes value) {
    uint8_t *at = base__buf_grow(record, 7 + key.len + value.len);
    if (!at) return;
    at[0] = OP_PUT;
    base__store_u16(at + 1, (uint16_t)key.len);
    base__store_u32(at + 3, (uint32_t)value.len);
    memcpy(at + 7, key.data, key.len);
    if (value.len > 0) memcpy(at + 7 + key.len, value.data, value.len);
}

void kv__log_delete(base_buf *record, corm_bytes key) {
    uint8_t *at = base__buf_grow(record, 3 + key.len);
    if (!at) return;
    at[0] = OP_DELETE;
    base__store_u16(at + 1, (uint16_t)key.len);
    memcpy(at + 3, key.data, key.len);
}

static uint64_t record_sum(const uint8_t *record, size_t body, uint64_t salt) {
    uint64_t seed = kv__log_sum(salt, record, 24);
    return kv__log_sum(seed, record + KV_LOG_RECORD, body);
}

void kv__log_seal(base_buf *record, kv_log_kind kind, const kv_log_head *head, uint64_t txn) {
    static const uint8_t zeros[8];
    if (record->failed) return;
    size_t body = record->len - KV_LOG_RECORD;
    base__store_u32(record->data, (uint32_t)kind);
    base__store_u32(record->data + 4, (uint32_t)body);
    base__store_u64(record->data + 8, head->of);
    base__store_u64(record->data + 16, txn);
    base__store_u64(record->data + 24, record_sum(record->data, body, head->salt));
    base__buf_put(record, zeros, (8 - body % 8) % 8);
}

bool kv__log_peek(const uint8_t *bytes, kv_log_record *out) {
    uint32_t kind = base__load_u32(bytes);
    uint32_t body = base__load_u32(bytes + 4);
    if (kind != KV_LOG_OPS && kind != KV_LOG_PAGES && kind != KV_LOG_UNLOGGED) return false;
    *out = (kv_log_record){
        .kind = (kv_log_kind)kind,
        .generation = base__load_u64(bytes + 8),
        .txn = base__load_u64(bytes + 16),
        .size = KV_LOG_RECORD + ((size_t)body + 7) / 8 * 8,
        .body = { .len = body },
    };
    return true;
}

bool kv__log_read(corm_bytes bytes, uint64_t salt, kv_log_record *out) {
    if (bytes.len < KV_LOG_RECORD || !kv__log_peek(bytes.data, out) || out->size > bytes.len)
        return false;
    out->body.data = bytes.data + KV_LOG_RECORD;
    return record_sum(bytes.data, out->body.len, salt) == base__load_u64(bytes.data + 24);
}

/* ---- bodies ---- */

bool kv__log_next(corm_bytes *ops, kv_log_op *out, bool *bad) {
    base_reader reader = { ops->data, ops->len, false };
    if (ops->len == 0) return false;
    uint8_t  kind = base__read_u8(&reader);
    uint16_t key = base__read_u16(&reader);
    uint32_t value = kind == OP_PUT ? base__read_u32(&reader) : 0;
    out->remove = kind == OP_DELETE;
    out->key = base__read_bytes(&reader, key);
    out->value = base__read_bytes(&reader, value);
    if (reader.failed || (kind != OP_PUT && kind != OP_DELETE) || key == 0 || key > LONGEST_KEY) {
        *bad = true;
        return false;
    }
    *ops = (corm_bytes){ reader.data, reader.len };
    return true;
}

bool kv__log_next_page(corm_bytes *pages, uint32_t page_size, uint64_t *number, corm_bytes *page) {
    base_reader reader = { pages->data, pages->len, false };
    *number = base__read_u64(&reader);
    *page = base__read_bytes(&reader, page_size);
    *pages = (corm_bytes){ reader.data, reader.len };
    return !reader.failed;
}
