// SPDX-License-Identifier: MIT
/* log_fuzz.c -- any bytes as the log of a store: a head, and behind it records. Their sums are made right first, else nothing behind
 * them would be reached; what can be read is written again as the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "engine/kv_log.h"

static void must(bool holds) {
    if (!holds) abort();
}

static void check_head(const uint8_t *data, size_t size) {
    uint8_t     bytes[KV_LOG_HEAD] = { 0 }, again[KV_LOG_HEAD];
    kv_log_head head, other;
    memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
    kv_log_slot kind = kv__log_head_decode(bytes, &head);
    if (kind == KV_SLOT_WHOLE) {
        kv__log_head_encode(&head, again);
        must(kv__log_head_decode(again, &other) == KV_SLOT_WHOLE);
        must(other.generation == head.generation && other.start == head.start);
    } else {
        must(head.generation == 0);
    }
}

static void write_op(base_buf *record, const kv_log_op *op) {
    if (op->remove)
        kv__log_delete(record, op->key);
    else
        kv__log_put(record, op->key, op->value);
}

/* The operations up to the first that is bad come out again as they are. */
static void check_ops(corm_bytes body) {
    base_buf   record = { 0 };
    corm_bytes left = body;
    kv_log_op  op;
    bool       bad = false;
    kv__log_begin(&record);
    while (kv__log_next(&left, &op, &bad)) write_op(&record, &op);
    must(bad == (left.len > 0));
    if (!record.failed) {
        size_t len = record.len - KV_LOG_RECORD;
        must(len == body.len - left.len);
        must(len == 0 || memcmp(record.data + KV_LOG_RECORD, body.data, len) == 0);
    }
    base__buf_free(&record);
}

static void check_pages(corm_bytes body) {
    uint64_t   number;
    corm_bytes page;
    size_t     bytes = 0;
    for (corm_bytes left = body; kv__log_next_page(&left, 512, &number, &page);) {
        must(page.len == 512);
        bytes += 8 + page.len;
    }
    must(bytes <= body.len && body.len - bytes < 8 + 512);
}

static void check_record(corm_bytes bytes) {
    kv_log_record record;
    if (!kv__log_read(bytes, 7, &record)) return;
    must(record.size <= bytes.len && record.body.len <= record.size);
    check_ops(record.body);
    check_pages(record.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    base_buf    record = { 0 };
    kv_log_head head = { .of = 3, .salt = 7 };
    check_head(data, size);
    check_record((corm_bytes){ data, size });
    kv__log_begin(&record);
    base__buf_put(&record, data, size);
    kv__log_seal(&record, size % 2 ? KV_LOG_OPS : KV_LOG_PAGES, &head, size);
    if (!record.failed) {
        kv_log_record read;
        must(kv__log_read(base__buf_bytes(&record), 7, &read));
        must(read.body.len == size && read.txn == size && read.generation == 3);
        check_record(base__buf_bytes(&record));
    }
    base__buf_free(&record);
    return 0;
}
