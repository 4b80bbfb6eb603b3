// SPDX-License-Identifier: MIT
/* meta.c -- the store's own keys: format, id, schema, clock. store.h names them.
 *
 * Time: a timestamp is the wall clock's microsecond, or one more than the last when that is later. The highest one handed out is
 * stored with each commit; who begins a write transaction behind a commit of another process reads it first. */
#include "base/clock.h"
#include "engine/core.h"

corm_bytes engine__meta_key(const char *name) {
    return (corm_bytes){ (const uint8_t *)name, strlen(name) };
}

static corm_status get_fixed(kv_txn *txn, const char *name, size_t len, corm_bytes *value,
                             bool *found, corm_error *err) {
    CORM_TRY(kv__get(txn, KV_META, engine__meta_key(name), value, found, err));
    if (!*found || value->len == len) return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "the stored \"%s\" has %zu bytes instead of %zu", name,
                      value->len, len);
}

static corm_status put_bytes(kv_txn *txn, const char *name, const void *data, size_t len,
                             corm_error *err) {
    return kv__put(txn, KV_META, engine__meta_key(name), (corm_bytes){ data, len }, err);
}

static corm_status put_u64(kv_txn *txn, const char *name, uint64_t value, corm_error *err) {
    uint8_t bytes[8];
    base__store_u64(bytes, value);
    return put_bytes(txn, name, bytes, sizeof bytes, err);
}

/* ---- schema ---- */

corm_status engine__meta_put_schema(kv_txn *txn, const cql_schema *schema, corm_error *err) {
    base_buf    bytes = { 0 };
    corm_status status = cql__schema_write(schema, &bytes, err);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    if (status == CORM_OK) status = put_bytes(txn, "schema", bytes.data, bytes.len, err);
    if (status == CORM_OK) status = put_u64(txn, "serial", schema->serial, err);
    base__buf_free(&bytes);
    return status;
}

/* ---- opening ---- */

static corm_status put_format(kv_txn *txn, corm_error *err) {
    uint8_t format[4];
    base__store_u32(format, ENGINE_FORMAT);
    return put_bytes(txn, "format", format, sizeof format, err);
}

static corm_status make_keys(engine *store, kv_txn *txn, corm_error *err) {
    corm_uuid id = corm_uuid_random();
    CORM_TRY(put_format(txn, err));
    CORM_TRY(put_bytes(txn, "store", id.bytes, sizeof id.bytes, err));
    return engine__meta_put_schema(txn, store->system, err);
}

/* *is_new: nothing is stored; *is_old: in a format before this one. */
static corm_status check_format(kv_txn *txn, bool *is_new, bool *is_old, corm_error *err) {
    corm_bytes value;
    bool       found;
    *is_old = false;
    CORM_TRY(kv__is_empty(txn, is_new, err));
    if (*is_new) return CORM_OK;
    CORM_TRY(get_fixed(txn, "format", 4, &value, &found, err));
    if (!found)
        return base__fail(err, CORM_VERSION, "the folder holds the data of another program");
    uint32_t format = base__load_u32(value.data);
    *is_old = format < ENGINE_FORMAT;
    if (format >= ENGINE_FORMAT_READ && format <= ENGINE_FORMAT) return CORM_OK;
    return base__fail(err, CORM_VERSION,
                      "the store was written in format %u, this version of Corm knows format %d",
                      format, ENGINE_FORMAT);
}

static corm_status read_keys(engine *store, kv_txn *txn, corm_error *err) {
    corm_bytes  value;
    bool        found;
    cql_schema *schema;
    CORM_TRY(get_fixed(txn, "store", sizeof store->id.bytes, &value, &found, err));
    if (!found) return base__fail(err, CORM_CORRUPT, "the store has lost its id");
    memcpy(store->id.bytes, value.data, sizeof store->id.bytes);
    CORM_TRY(get_fixed(txn, "clock", 8, &value, &found, err));
    if (found) atomic_store(&store->clock, (int64_t)base__load_u64(value.data));
    return engine__txn_schema(store, txn, &schema, err);
}

/* Another process may have done it since it was found to be needed. */
static corm_status make_or_raise(engine *store, corm_error *err) {
    kv_txn *txn;
    bool    is_new, is_old;
    CORM_TRY(kv__write_begin(store->kv, &txn, err));
    corm_status status = check_format(txn, &is_new, &is_old, err);
    if (status == CORM_OK && is_new) status = make_keys(store, txn, err);
    if (status == CORM_OK && is_old) status = put_format(txn, err);
    if (status == CORM_OK && (is_new || is_old)) return kv__commit(txn, NULL, err);
    kv__abort(txn);
    return status;
}

corm_status engine__meta_open(engine *store, corm_error *err) {
    kv_txn *txn;
    bool    is_new, is_old;
    CORM_TRY(kv__read_begin(store->kv, &txn, err));
    corm_status status = check_format(txn, &is_new, &is_old, err);
    if (status == CORM_OK && (is_new || (is_old && !store->read_only))) {
        kv__read_end(txn);
        CORM_TRY(make_or_raise(store, err));
        CORM_TRY(kv__read_begin(store->kv, &txn, err));
    }
    if (status == CORM_OK) status = read_keys(store, txn, err);
    kv__read_end(txn);
    return status;
}

/* ---- clock ---- */

int64_t engine__timestamp(engine *store) {
    int64_t last = atomic_load_explicit(&store->clock, memory_order_relaxed);
    int64_t now = store->now_us();
    int64_t next;
    do {
        next = now > last ? now : last + 1;
    } while (!atomic_compare_exchange_weak_explicit(&store->clock, &last, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return next;
}

static void raise_clock(engine *store, int64_t to) {
    int64_t last = atomic_load(&store->clock);
    while (last < to && !atomic_compare_exchange_weak(&store->clock, &last, to)) {
    }
}

corm_status engine__clock_begin(engine *store, kv_txn *txn, corm_error *err) {
    if (kv__txn_id(txn) == store->clock_txn) return CORM_OK;
    corm_bytes value;
    bool       found;
    CORM_TRY(get_fixed(txn, "clock", 8, &value, &found, err));
    store->clock_stored = found ? (int64_t)base__load_u64(value.data) : INT64_MIN;
    raise_clock(store, store->clock_stored);
    store->clock_pending = store->clock_stored;
    store->clock_txn = kv__txn_id(txn);
    return CORM_OK;
}

corm_status engine__clock_end(engine *store, kv_txn *txn, corm_error *err) {
    int64_t now = atomic_load(&store->clock);
    store->clock_pending = store->clock_stored;
    if (now <= store->clock_stored) return CORM_OK;
    store->clock_pending = now;
    return put_u64(txn, "clock", (uint64_t)now, err);
}
