// SPDX-License-Identifier: MIT
/* keyspaces.c -- the replication of keyspaces, read from rows of system_schema.keyspaces. Owns its texts. The loop's thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "driver/ring.h"

/* "3", or "3/1" of a keyspace with transient replicas: all of them count. 0 for anything else. */
static uint32_t factor_of(corm_str text) {
    int64_t factor;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '/') text.len = i;
    }
    if (!base__parse_i64(text, &factor) || factor < 0 || factor > UINT16_MAX) return 0;
    return (uint32_t)factor;
}

static driver_strategy strategy_of(corm_str class) {
    static const struct {
        const char     *name;
        driver_strategy strategy;
    } strategies[] = {
        { "SimpleStrategy", DRIVER_SIMPLE },
        { "NetworkTopologyStrategy", DRIVER_BY_DC },
        { "EverywhereStrategy", DRIVER_EVERYWHERE },
    };
    for (size_t i = class.len; i > 0; i--) {
        if (class.data[i - 1] != '.') continue;
        class = (corm_str){ class.data + i, class.len - i };
        break;
    }
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        if (corm_str_equal(class, corm_str_of(strategies[i].name))) return strategies[i].strategy;
    }
    return DRIVER_NO_REPLICAS;
}

static corm_str text_of(cql_value value) {
    if (value.len <= 0) return (corm_str){ "", 0 };
    return (corm_str){ (const char *)value.data, (size_t)value.len };
}

static corm_status read_entry(base_arena *arena, corm_str name, corm_str value,
                              driver_keyspace *out, corm_error *err) {
    if (corm_str_equal(name, corm_str_of("class"))) {
        out->strategy = strategy_of(value);
        return CORM_OK;
    }
    if (corm_str_equal(name, corm_str_of("replication_factor"))) {
        out->factor = factor_of(value);
        return CORM_OK;
    }
    driver_dc_factor *dc = &out->dcs[out->dc_count++];
    dc->dc = base__arena_str(arena, name);
    dc->factor = factor_of(value);
    return dc->dc.data ? CORM_OK : base__fail_memory(err);
}

/* A map<text, text>: [int] count, then keys and values in turn. */
static corm_status read_replication(base_arena *arena, cql_value value, driver_keyspace *out,
                                    corm_error *err) {
    if (value.len < 4) return CORM_OK;
    base_reader reader = { value.data, (size_t)value.len, false };
    uint32_t    count = base__read_u32(&reader);
    if (count > reader.len / 8) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "a keyspace's replication is no map");
    }
    out->dcs = BASE_NEW_ARRAY(arena, driver_dc_factor, count);
    if (!out->dcs) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        corm_str name = text_of(cql__read_value(&reader));
        corm_str factor = text_of(cql__read_value(&reader));
        if (reader.failed) break;
        CORM_TRY(read_entry(arena, name, factor, out, err));
    }
    return CORM_OK;
}

static corm_status read_rows(const wire_result *rows, driver_keyspaces *out, corm_error *err) {
    base_reader reader = rows->rows;
    if (rows->kind != WIRE_ROWS || rows->metadata.count != 2) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "the answer has no keyspaces");
    }
    out->items = BASE_NEW_ARRAY(&out->arena, driver_keyspace, rows->row_count);
    if (!out->items) return base__fail_memory(err);
    for (uint32_t i = 0; i < rows->row_count; i++) {
        driver_keyspace *keyspace = &out->items[out->count++];
        keyspace->name = base__arena_str(&out->arena, text_of(cql__read_value(&reader)));
        if (!keyspace->name.data) return base__fail_memory(err);
        CORM_TRY(read_replication(&out->arena, cql__read_value(&reader), keyspace, err));
    }
    return CORM_OK;
}

corm_status driver__keyspaces_read(const wire_result *rows, driver_keyspaces **out,
                                   corm_error *err) {
    driver_keyspaces *keyspaces = calloc(1, sizeof *keyspaces);
    if (!keyspaces) return base__fail_memory(err);
    corm_status status = read_rows(rows, keyspaces, err);
    if (status) {
        driver__keyspaces_free(keyspaces);
        return status;
    }
    *out = keyspaces;
    return CORM_OK;
}

void driver__keyspaces_free(driver_keyspaces *keyspaces) {
    if (!keyspaces) return;
    base__arena_free(&keyspaces->arena);
    free(keyspaces);
}
