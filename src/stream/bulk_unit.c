// SPDX-License-Identifier: MIT
/* bulk_unit.c -- a write as it is held: one block with its statements, values and the record of a rejects report.
 *
 *   [bulk_unit][items][held][values of all items][bytes of the values][record]
 *
 * Any thread; facts of statements are kept under the writer's lock. */
#include <stdlib.h>

#include "base/fail.h"
#include "corm/schema.h"
#include "driver/prepared.h"
#include "stream/bulk_core.h"

/* ---- what a statement is about ---- */

static bool find_marker(const corm_prepared *prepared, corm_str name, uint16_t *out) {
    for (uint32_t i = 0; i < prepared->marker_count && i <= UINT16_MAX; i++) {
        if (!corm_str_equal(prepared->markers[i].name, name)) continue;
        *out = (uint16_t)i;
        return true;
    }
    return false;
}

/* A statement without a value for each clustering column may be about any row of its partition. */
static void add_key(bulk_facts *facts, const corm_prepared *prepared, corm_str name) {
    if (facts->key_count == BULK_MOST_KEYS ||
        !find_marker(prepared, name, &facts->keys[facts->key_count])) {
        facts->is_wide = true;
    } else {
        facts->key_count++;
    }
}

static void by_model(bulk_facts *facts, const corm_prepared *prepared, const orm_model *model) {
    facts->is_counter = model->is_counter;
    for (uint32_t i = model->partition_count; i < model->key_count; i++) {
        add_key(facts, prepared, model->keys[i]->name);
    }
}

static corm_str name_of(base_arena *arena, corm_str name) {
    return base__arena_str(arena, name);
}

/* What cannot be asked (in a callback of the session's) is held to be about any row. */
static corm_status by_schema(bulk_facts *facts, const corm_prepared *prepared,
                             corm_session *session, corm_error *err) {
    const corm_table_info *table = NULL;
    base_arena             arena = { 0 };
    facts->is_wide = true;
    if (prepared->marker_count == 0) return CORM_OK;
    corm_str    keyspace = name_of(&arena, prepared->markers[0].keyspace);
    corm_str    name = name_of(&arena, prepared->markers[0].table);
    corm_status status = keyspace.data && name.data
                             ? corm_table_read(session, keyspace.data, name.data, &table, NULL)
                             : base__fail_memory(err);
    if (status == CORM_OK) {
        facts->is_wide = false;
        facts->is_counter = table->is_counter;
        for (uint32_t i = 0; i < table->column_count; i++) {
            corm_key key = table->columns[i].key;
            if (key != CORM_CLUSTERING && key != CORM_CLUSTERING_DESC) continue;
            add_key(facts, prepared, corm_str_of(table->columns[i].name));
        }
    }
    corm_table_free(table);
    base__arena_free(&arena);
    return status == CORM_NO_MEMORY ? base__fail_memory(err) : CORM_OK;
}

static corm_str key_of(corm_prepared *const *prepared) {
    return (corm_str){ (const char *)prepared, sizeof(void *) };
}

/* Kept for as long as the writer lives, as is the statement. */
static const bulk_facts *keep(corm_bulk *bulk, corm_prepared *prepared, const bulk_facts *made) {
    bulk_facts *facts = base__map_get(&bulk->facts, key_of(&prepared));
    if (facts) return facts;
    corm_prepared **own = base__arena_copy(&bulk->arena, &prepared, sizeof(void *));
    facts = base__arena_copy(&bulk->arena, made, sizeof *made);
    if (!own || !facts || !base__map_put(&bulk->facts, key_of(own), facts)) return NULL;
    session__prepared_ref(prepared);
    return facts;
}

static corm_status find_facts(corm_bulk *bulk, corm_prepared *prepared, const orm_model *model,
                              const bulk_facts **out, corm_error *err) {
    bulk_facts made = { .is_idempotent = false };
    stream__lock(&bulk->gate);
    *out = base__map_get(&bulk->facts, key_of(&prepared));
    stream__unlock(&bulk->gate);
    if (*out) return CORM_OK;
    made.is_idempotent = driver__text_facts(prepared->text).idempotent;
    if (model) {
        by_model(&made, prepared, model);
    } else {
        CORM_TRY(by_schema(&made, prepared, bulk->session, err));
    }
    stream__lock(&bulk->gate);
    *out = keep(bulk, prepared, &made);
    stream__unlock(&bulk->gate);
    return *out ? CORM_OK : base__fail_memory(err);
}

/* ---- the block ---- */

typedef struct sizes {
    size_t items, values, bytes;
} sizes;

static sizes sizes_of(const corm_batch *batch) {
    sizes out = { .items = batch->count };
    for (uint32_t i = 0; i < batch->count; i++) {
        const wire_batch_item *item = &batch->items[i];
        out.values += item->value_count;
        for (uint32_t j = 0; j < item->value_count; j++) {
            if (item->values[j].len > 0) out.bytes += (size_t)item->values[j].len;
        }
    }
    return out;
}

static void copy_values(const wire_batch_item *item, cql_value *values, uint8_t **bytes) {
    for (uint32_t i = 0; i < item->value_count; i++) {
        values[i] = item->values[i];
        if (values[i].len <= 0) continue;
        memcpy(*bytes, item->values[i].data, (size_t)values[i].len);
        values[i].data = *bytes;
        *bytes += values[i].len;
    }
}

static bulk_unit *copy_batch(const corm_batch *batch, corm_str record) {
    sizes    room = sizes_of(batch);
    size_t   items = room.items * sizeof(wire_batch_item), held = room.items * sizeof(void *);
    size_t   values = room.values * sizeof(cql_value);
    size_t   total = sizeof(bulk_unit) + items + held + values + room.bytes + record.len;
    uint8_t *block = malloc(total);
    if (!block) return NULL;
    bulk_unit *unit = (bulk_unit *)(void *)block;
    *unit = (bulk_unit){ .bytes = total, .count = batch->count };
    unit->items = (wire_batch_item *)(void *)(block + sizeof *unit);
    unit->held = (corm_prepared **)(void *)(block + sizeof *unit + items);
    cql_value *value = (cql_value *)(void *)(block + sizeof *unit + items + held);
    uint8_t   *bytes = block + sizeof *unit + items + held + values;
    for (uint32_t i = 0; i < batch->count; i++) {
        unit->items[i] = batch->items[i];
        unit->items[i].values = value;
        unit->held[i] = session__prepared_ref(batch->held[i]);
        copy_values(&batch->items[i], value, &bytes);
        value += batch->items[i].value_count;
    }
    if (record.len > 0) memcpy(bytes, record.data, record.len);
    unit->record = (corm_str){ (const char *)bytes, record.len };
    return unit;
}

void bulk__unit_free(bulk_unit *unit) {
    if (!unit) return;
    for (uint32_t i = 0; i < unit->count; i++) corm_prepared_free(unit->held[i]);
    free(unit);
}

/* ---- its row ---- */

static void set_row(bulk_unit *unit, const bulk_facts *facts) {
    const wire_batch_item *item = &unit->items[0];
    const cql_marker      *marker = unit->held[0]->markers;
    uint64_t               hash = (uint64_t)unit->token;
    hash = base__hash(marker->keyspace.data, marker->keyspace.len, hash);
    hash = base__hash(marker->table.data, marker->table.len, hash);
    for (uint32_t i = 0; i < facts->key_count; i++) {
        cql_value value = item->values[facts->keys[i]];
        if (value.len < 0) unit->is_wide = true;
        if (value.len >= 0) hash = base__hash(value.data, (size_t)value.len, hash + i + 1);
    }
    unit->row = hash;
}

static corm_status describe(corm_bulk *bulk, bulk_unit *unit, const orm_model *model,
                            corm_error *err) {
    const bulk_facts *facts = NULL;
    base_buf          key = { 0 };
    unit->is_idempotent = true;
    for (uint32_t i = 0; i < unit->count; i++) {
        CORM_TRY(find_facts(bulk, unit->held[i], i == 0 ? model : NULL, &facts, err));
        unit->is_idempotent &= facts->is_idempotent;
        unit->is_counter |= facts->is_counter;
        unit->is_wide |= facts->is_wide;
    }
    unit->is_wide |= unit->count > 1;
    unit->has_token = session__token_of(unit->held[0], unit->items[0].values, &key, &unit->token);
    base__buf_free(&key);
    if (unit->has_token && unit->count == 1) {
        set_row(unit, facts);
    } else {
        unit->is_wide = true;
    }
    return CORM_OK;
}

corm_status bulk__unit_new(corm_bulk *bulk, const corm_batch *batch, const orm_model *model,
                           corm_str record, bulk_unit **out, corm_error *err) {
    if (batch->count == 0 || batch->held_count != batch->count) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a bulk writer takes prepared statements");
    }
    bulk_unit *unit = copy_batch(batch, record);
    if (!unit) return base__fail_memory(err);
    corm_status status = describe(bulk, unit, model, err);
    if (status != CORM_OK) {
        bulk__unit_free(unit);
        return status;
    }
    *out = unit;
    return CORM_OK;
}
