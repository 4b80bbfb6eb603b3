// SPDX-License-Identifier: MIT
/* select_page.c -- the paging state: where a page ended and what is left of the limits, bound to the statement by a hash of
 * its text, and checked as a whole by another.
 *
 * Bytes: version u8 | statement hash u64 | limit left u32 | rows of the partition u32 | data key without its storage id |
 * hash of all before u32. */
#include "base/fail.h"
#include "base/map.h"
#include "cql/parser.h"
#include "engine/select_internal.h"

enum { PAGE_VERSION = 1, PAGE_HEAD = 1 + 8 + 4 + 4, PAGE_TAIL = 4 };
static const uint64_t page_seed = UINT64_C(0x636F726D70616765);

static uint64_t statement_hash(const select_run *run, bool *failed) {
    base_buf text = { 0 };
    cql__print(run->request->checked->statement, &text);
    base__buf_put(&text, run->table->id.bytes, sizeof run->table->id.bytes);
    uint64_t hash = base__hash(text.data, text.len, page_seed);
    *failed = text.failed;
    base__buf_free(&text);
    return hash;
}

void select__put_paging_state(const select_run *run, base_buf *out) {
    bool   failed;
    size_t at = out->len;
    base__buf_u8(out, PAGE_VERSION);
    base__buf_u64(out, statement_hash(run, &failed));
    base__buf_u32(out, run->limit);
    base__buf_u32(out, run->partition_rows);
    base__buf_put(out, run->last_key.data + 4, run->last_key.len - 4);
    if (!out->failed)
        base__buf_u32(out, (uint32_t)base__hash(out->data + at, out->len - at, page_seed));
    out->failed = out->failed || failed;
}

static bool is_whole(corm_bytes state) {
    if (state.len < PAGE_HEAD + PAGE_TAIL || state.data[0] != PAGE_VERSION) return false;
    size_t body = state.len - PAGE_TAIL;
    return base__load_u32(state.data + body) == (uint32_t)base__hash(state.data, body, page_seed);
}

corm_status select__read_paging_state(select_run *run, corm_bytes state, corm_error *err) {
    bool failed = false;
    if (!is_whole(state) || base__load_u64(state.data + 1) != statement_hash(run, &failed))
        return failed ? base__fail_memory(err)
                      : base__fail(err, CORM_PROTOCOL_ERROR, "Invalid value for the paging state");
    size_t   len = state.len - PAGE_HEAD - PAGE_TAIL;
    uint8_t *key = base__arena_alloc(run->request->arena, len + 4);
    if (!key) return base__fail_memory(err);
    base__store_u32(key, run->table->storage_id);
    memcpy(key + 4, state.data + PAGE_HEAD, len);
    run->resume = (select_position){
        .present = true,
        .key = { key, len + 4 },
        .limit = base__load_u32(state.data + 9),
        .partition_rows = base__load_u32(state.data + 13),
    };
    if (run->resume.limit < run->limit) run->limit = run->resume.limit;
    return CORM_OK;
}
