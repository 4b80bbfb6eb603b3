// SPDX-License-Identifier: MIT
/* schema_store.c -- a snapshot as bytes and back, for the store. Any thread.
 *
 *   snapshot = version (1 byte), serial (8), schema version (16), next storage id (4), keyspaces,
 *              checksum (8)
 *   list     = count, elements
 *   text     = 0 when it is absent, else its length plus one, and the bytes
 *   type     = id, then by id: frozen and what it holds; a user-defined type by name
 *
 * Counts, lengths and small numbers are LEB128; numbers of a fixed size are big-endian. Types stand
 * behind those that they mention. The checksum (FNV-1a, 64 bits) is over all in front of it. System
 * keyspaces are left out. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/schema_build.h"
#include "cql/types_internal.h"

/* Format 1 has no views. */
enum { FORMAT = 2, OLDEST_FORMAT = 1, CHECKSUM_SIZE = 8 };

static uint64_t checksum(const uint8_t *data, size_t len) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++) hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* ---- writing ---- */

static void put_text(base_buf *out, corm_str text) {
    base__buf_uvarint(out, text.data ? (uint64_t)text.len + 1 : 0);
    base__buf_put_str(out, text);
}

static void put_double(base_buf *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    base__buf_u64(out, bits);
}

static void put_map(base_buf *out, const cql_map_option *map) {
    base__buf_uvarint(out, map->count);
    for (uint32_t i = 0; i < 2 * map->count; i++) put_text(out, map->pairs[i]);
}

static void put_type(base_buf *out, const cql_type *type) {
    base__buf_uvarint(out, (uint64_t)type->id);
    switch (type->id) {
    case CQL_CUSTOM: put_text(out, type->name); return;
    case CQL_UDT:
        base__buf_u8(out, type->frozen);
        put_text(out, type->name);
        return;
    case CQL_VECTOR: base__buf_uvarint(out, type->dimension); break;
    case CQL_TUPLE: base__buf_uvarint(out, type->count); break;
    default:
        if (type->count > 0) base__buf_u8(out, type->frozen);
        break;
    }
    for (uint32_t i = 0; i < type->count; i++) put_type(out, type->params[i]);
}

static void put_column(base_buf *out, const cql_column *column) {
    put_text(out, column->name);
    base__buf_u8(out, (uint8_t)column->kind);
    base__buf_u8(out, column->descending);
    base__buf_uvarint(out, column->id);
    put_type(out, column->type);
    base__buf_u8(out, column->mask.present);
    if (!column->mask.present) return;
    put_text(out, column->mask.function);
    base__buf_uvarint(out, column->mask.count);
    for (uint32_t i = 0; i < column->mask.count; i++) put_text(out, column->mask.arguments[i]);
}

static void put_dropped(base_buf *out, const cql_dropped_column *dropped) {
    put_text(out, dropped->name);
    base__buf_u8(out, (uint8_t)dropped->kind);
    base__buf_i64(out, dropped->dropped_at_us);
    base__buf_uvarint(out, dropped->id);
    put_type(out, dropped->type);
}

enum { BY_TERMS = 0x10 }; /* in the byte of an index's target */

static void put_index(base_buf *out, const cql_index *index) {
    put_text(out, index->name);
    base__buf_uvarint(out, index->column->id);
    base__buf_u8(out, (uint8_t)(index->target | (index->by_terms ? BY_TERMS : 0)));
    put_text(out, index->class_name);
    put_text(out, index->kind);
    put_map(out, &(cql_map_option){ index->option_count, index->options });
    base__buf_u32(out, index->storage_id);
}

static void put_options(base_buf *out, const cql_table_options *options) {
    put_text(out, options->additional_write_policy);
    put_text(out, options->comment);
    put_text(out, options->memtable);
    put_text(out, options->read_repair);
    put_text(out, options->speculative_retry);
    put_double(out, options->bloom_filter_fp_chance);
    put_double(out, options->crc_check_chance);
    base__buf_i32(out, options->default_time_to_live);
    base__buf_i32(out, options->gc_grace_seconds);
    base__buf_i32(out, options->max_index_interval);
    base__buf_i32(out, options->min_index_interval);
    base__buf_i32(out, options->memtable_flush_period_in_ms);
    base__buf_u8(out, options->cdc);
    base__buf_u8(out, (uint8_t)options->allow_auto_snapshot);
    base__buf_u8(out, (uint8_t)options->incremental_backups);
    put_map(out, &options->caching);
    put_map(out, &options->compaction);
    put_map(out, &options->compression);
    put_map(out, &options->extensions);
}

static void put_filter(base_buf *out, const cql_view_filter *filter) {
    base__buf_u8(out, (uint8_t)filter->op);
    base__buf_uvarint(out, filter->width);
    for (uint32_t i = 0; i < filter->width; i++) base__buf_uvarint(out, filter->column_ids[i]);
    base__buf_uvarint(out, filter->row_count);
    for (uint32_t i = 0; i < filter->width * filter->row_count; i++) {
        corm_bytes value = filter->values[i];
        base__buf_uvarint(out, value.len);
        base__buf_put(out, value.data, value.len);
    }
}

static void put_view(base_buf *out, const cql_view_def *view) {
    base__buf_u8(out, view != NULL);
    if (!view) return;
    put_text(out, view->base);
    put_text(out, view->where);
    base__buf_u8(out, view->includes_all);
    base__buf_uvarint(out, view->key_id);
    base__buf_uvarint(out, view->filter_count);
    for (uint32_t i = 0; i < view->filter_count; i++) put_filter(out, &view->filters[i]);
}

static void put_table(base_buf *out, const cql_table *table) {
    put_text(out, table->name);
    base__buf_put(out, table->id.bytes, sizeof table->id.bytes);
    base__buf_u32(out, table->storage_id);
    base__buf_uvarint(out, table->next_column_id);
    base__buf_u8(out, table->is_counter);
    base__buf_u8(out, table->is_compact);
    base__buf_uvarint(out, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++) put_column(out, &table->columns[i]);
    base__buf_uvarint(out, table->dropped_count);
    for (uint32_t i = 0; i < table->dropped_count; i++) put_dropped(out, &table->dropped[i]);
    base__buf_uvarint(out, table->index_count);
    for (uint32_t i = 0; i < table->index_count; i++) put_index(out, &table->indexes[i]);
    put_options(out, &table->options);
    put_view(out, table->view);
}

static void put_udt(base_buf *out, const cql_udt *udt) {
    put_text(out, udt->name);
    base__buf_uvarint(out, udt->type->count);
    for (uint32_t i = 0; i < udt->type->count; i++) {
        put_text(out, udt->type->field_names[i]);
        put_type(out, udt->type->params[i]);
    }
}

static void put_keyspace(base_buf *out, const cql_keyspace *keyspace) {
    uint32_t *order = calloc((size_t)keyspace->type_count + 1, sizeof *order);
    if (!order) {
        out->failed = true;
        return;
    }
    cql__describe_type_order(keyspace, order);
    put_text(out, keyspace->name);
    base__buf_u8(out, keyspace->durable_writes);
    put_map(out, &keyspace->replication);
    base__buf_uvarint(out, keyspace->type_count);
    for (uint32_t i = 0; i < keyspace->type_count; i++) put_udt(out, keyspace->types[order[i]]);
    base__buf_uvarint(out, keyspace->table_count);
    for (uint32_t i = 0; i < keyspace->table_count; i++) put_table(out, keyspace->tables[i]);
    free(order);
}

corm_status cql__schema_write(const cql_schema *schema, base_buf *out, corm_error *err) {
    size_t   start = out->len;
    uint32_t count = 0;
    for (uint32_t i = 0; i < schema->keyspace_count; i++) count += !schema->keyspaces[i]->is_system;
    base__buf_u8(out, FORMAT);
    base__buf_u64(out, schema->serial);
    base__buf_put(out, schema->version.bytes, sizeof schema->version.bytes);
    base__buf_u32(out, schema->next_storage_id);
    base__buf_uvarint(out, count);
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        if (!schema->keyspaces[i]->is_system) put_keyspace(out, schema->keyspaces[i]);
    }
    CORM_TRY(base__buf_status(out, err));
    base__buf_u64(out, checksum(out->data + start, out->len - start));
    return base__buf_status(out, err);
}

/* ---- reading ---- */

/* `failed` is set by what cannot be, `no_memory` by an allocation; after either all reads give
 * nothing. */
typedef struct decoder {
    base_reader  reader;
    base_arena  *arena;
    bool         no_memory;
    cql_keyspace keyspace; /* the one being read: arrays in the arena, a reference of each object */
    int          depth;
    uint8_t      format;
} decoder;

static bool is_good(const decoder *d) {
    return !d->reader.failed && !d->no_memory;
}

static void spoil(decoder *d) {
    d->reader.failed = true;
}

static void *get_array(decoder *d, size_t count, size_t size) {
    void *out = base__arena_calloc(d->arena, count, size);
    if (!out) d->no_memory = true;
    return out;
}

/* No element takes less than a byte, so that a count is never larger than what is left. */
static uint32_t get_count(decoder *d) {
    uint64_t count = base__read_uvarint(&d->reader);
    if (count > d->reader.len) spoil(d);
    return is_good(d) ? (uint32_t)count : 0;
}

static uint32_t get_number(decoder *d) {
    uint64_t number = base__read_uvarint(&d->reader);
    if (number > UINT32_MAX) spoil(d);
    return (uint32_t)number;
}

static uint8_t get_small(decoder *d, uint8_t most) {
    uint8_t value = base__read_u8(&d->reader);
    if (value > most) spoil(d);
    return is_good(d) ? value : 0;
}

static bool get_bool(decoder *d) {
    return get_small(d, 1) == 1;
}

static corm_str get_text(decoder *d) {
    uint64_t len = base__read_uvarint(&d->reader);
    if (len == 0 || !is_good(d)) return (corm_str){ NULL, 0 };
    if (len - 1 > d->reader.len) {
        spoil(d);
        return (corm_str){ NULL, 0 };
    }
    corm_bytes bytes = base__read_bytes(&d->reader, (size_t)(len - 1));
    return (corm_str){ bytes.len > 0 ? (const char *)bytes.data : "", bytes.len };
}

/* A text that must be there. */
static corm_str get_name(decoder *d) {
    corm_str name = get_text(d);
    if (!name.data) spoil(d);
    return name;
}

static double get_double(decoder *d) {
    uint64_t bits = base__read_u64(&d->reader);
    double   value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static cql_map_option get_map(decoder *d) {
    cql_map_option map = { .count = get_count(d) };
    map.pairs = get_array(d, 2 * (size_t)map.count, sizeof *map.pairs);
    for (uint32_t i = 0; map.pairs && i < 2 * map.count; i++) map.pairs[i] = get_name(d);
    return map;
}

/* ---- types ---- */

static const cql_type *get_type(decoder *d);

static const cql_type *kept(decoder *d, const cql_type *type) {
    if (!type && is_good(d)) d->no_memory = true;
    return type;
}

static const cql_type *get_udt_type(decoder *d) {
    bool     frozen = get_bool(d);
    corm_str name = get_name(d);
    for (uint32_t i = 0; is_good(d) && i < d->keyspace.type_count; i++) {
        const cql_udt *udt = d->keyspace.types[i];
        if (!corm_str_equal(udt->name, name)) continue;
        return frozen ? kept(d, cql__type_freeze(d->arena, udt->type)) : udt->type;
    }
    spoil(d);
    return NULL;
}

static const cql_type *get_custom(decoder *d) {
    cql_type *type = BASE_NEW(d->arena, cql_type);
    if (!type) return kept(d, NULL);
    *type = (cql_type){ .id = CQL_CUSTOM, .name = get_name(d) };
    return is_good(d) ? type : NULL;
}

static const cql_type *get_collection(decoder *d, cql_type_id id) {
    bool            frozen = get_bool(d);
    const cql_type *first = get_type(d);
    const cql_type *second = id == CQL_MAP ? get_type(d) : NULL;
    if (!is_good(d)) return NULL;
    if (id == CQL_MAP) return kept(d, cql__type_map(d->arena, first, second, frozen));
    return kept(d, (id == CQL_SET ? cql__type_set : cql__type_list)(d->arena, first, frozen));
}

static const cql_type *get_tuple(decoder *d) {
    uint32_t         count = get_count(d);
    const cql_type **items = get_array(d, count, sizeof(cql_type *));
    for (uint32_t i = 0; items && i < count; i++) items[i] = get_type(d);
    return is_good(d) ? kept(d, cql__type_tuple(d->arena, items, count)) : NULL;
}

static const cql_type *get_vector(decoder *d) {
    uint32_t        dimension = get_number(d);
    const cql_type *element = get_type(d);
    if (dimension == 0 || dimension > INT32_MAX) spoil(d);
    return is_good(d) ? kept(d, cql__type_vector(d->arena, element, dimension)) : NULL;
}

static const cql_type *get_native(decoder *d, cql_type_id id) {
    const cql_type *type = cql__type_native(id);
    if (!type) spoil(d);
    return type;
}

static const cql_type *get_type_of(decoder *d, uint32_t id) {
    switch (id) {
    case CQL_CUSTOM: return get_custom(d);
    case CQL_UDT: return get_udt_type(d);
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP: return get_collection(d, (cql_type_id)id);
    case CQL_TUPLE: return get_tuple(d);
    case CQL_VECTOR: return get_vector(d);
    default: return get_native(d, (cql_type_id)id);
    }
}

/* NULL when the decoder is not good afterwards. */
static const cql_type *get_type(decoder *d) {
    uint32_t id = get_number(d);
    if (d->depth >= CQL_DEPTH_LIMIT) spoil(d);
    if (!is_good(d)) return NULL;
    d->depth++;
    const cql_type *type = get_type_of(d, id);
    d->depth--;
    return is_good(d) ? type : NULL;
}

/* ---- tables ---- */

static cql_mask_def get_mask(decoder *d) {
    cql_mask_def mask = { .present = get_bool(d) };
    if (!mask.present) return mask;
    mask.function = get_name(d);
    mask.count = get_count(d);
    mask.arguments = get_array(d, mask.count, sizeof *mask.arguments);
    for (uint32_t i = 0; mask.arguments && i < mask.count; i++) mask.arguments[i] = get_name(d);
    return mask;
}

static void get_columns(decoder *d, cql_table *draft) {
    uint32_t positions[CQL_REGULAR + 1] = { 0 };
    draft->column_count = get_count(d);
    draft->columns = get_array(d, draft->column_count, sizeof *draft->columns);
    for (uint32_t i = 0; is_good(d) && i < draft->column_count; i++) {
        cql_column *column = &draft->columns[i];
        column->name = get_name(d);
        column->kind = (cql_column_kind)get_small(d, CQL_REGULAR);
        column->position = positions[column->kind]++;
        column->descending = get_bool(d);
        column->id = get_number(d);
        column->type = get_type(d);
        column->mask = get_mask(d);
        if (column->id >= draft->next_column_id) spoil(d);
    }
    if (positions[CQL_PARTITION_KEY] == 0) spoil(d);
}

static void get_dropped(decoder *d, cql_table *draft) {
    draft->dropped_count = get_count(d);
    draft->dropped = get_array(d, draft->dropped_count, sizeof *draft->dropped);
    for (uint32_t i = 0; is_good(d) && i < draft->dropped_count; i++) {
        cql_dropped_column *dropped = &draft->dropped[i];
        dropped->name = get_name(d);
        dropped->kind = (cql_column_kind)get_small(d, CQL_REGULAR);
        dropped->dropped_at_us = base__read_i64(&d->reader);
        dropped->id = get_number(d);
        dropped->type = get_type(d);
        if (dropped->id >= draft->next_column_id) spoil(d);
    }
}

static const cql_column *get_indexed(decoder *d, const cql_table *draft) {
    uint32_t id = get_number(d);
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (draft->columns[i].id == id) return &draft->columns[i];
    }
    spoil(d);
    return NULL;
}

static bool fits(const cql_type *type, cql_index_target target) {
    switch (target) {
    case CQL_TARGET_COLUMN: return true;
    case CQL_TARGET_KEYS:
    case CQL_TARGET_ENTRIES: return type->id == CQL_MAP;
    default: return cql__type_is_collection(type);
    }
}

static void get_indexes(decoder *d, cql_table *draft) {
    draft->index_count = get_count(d);
    draft->indexes = get_array(d, draft->index_count, sizeof *draft->indexes);
    for (uint32_t i = 0; is_good(d) && i < draft->index_count; i++) {
        cql_index *index = &draft->indexes[i];
        index->name = get_name(d);
        index->column = get_indexed(d, draft);
        uint8_t target = get_small(d, BY_TERMS | CQL_TARGET_FULL);
        index->by_terms = target & BY_TERMS;
        index->target = (cql_index_target)(target & ~BY_TERMS);
        if (is_good(d) &&
            (index->target > CQL_TARGET_FULL || !fits(index->column->type, index->target)))
            spoil(d);
        index->class_name = get_text(d);
        index->kind = get_name(d);
        cql_map_option options = get_map(d);
        index->option_count = options.count;
        index->options = options.pairs;
        index->storage_id = base__read_u32(&d->reader);
    }
}

static void get_options(decoder *d, cql_table_options *options) {
    options->additional_write_policy = get_name(d);
    options->comment = get_name(d);
    options->memtable = get_name(d);
    options->read_repair = get_name(d);
    options->speculative_retry = get_name(d);
    options->bloom_filter_fp_chance = get_double(d);
    options->crc_check_chance = get_double(d);
    options->default_time_to_live = base__read_i32(&d->reader);
    options->gc_grace_seconds = base__read_i32(&d->reader);
    options->max_index_interval = base__read_i32(&d->reader);
    options->min_index_interval = base__read_i32(&d->reader);
    options->memtable_flush_period_in_ms = base__read_i32(&d->reader);
    options->cdc = get_bool(d);
    options->allow_auto_snapshot = (int8_t)base__read_u8(&d->reader);
    options->incremental_backups = (int8_t)base__read_u8(&d->reader);
    options->caching = get_map(d);
    options->compaction = get_map(d);
    options->compression = get_map(d);
    options->extensions = get_map(d);
}

static void get_filter(decoder *d, cql_view_filter *filter) {
    filter->op = (cql_operator)get_small(d, CQL_OP_IN);
    filter->width = get_count(d);
    filter->column_ids = get_array(d, filter->width, sizeof *filter->column_ids);
    for (uint32_t i = 0; filter->column_ids && i < filter->width; i++)
        filter->column_ids[i] = get_number(d);
    filter->row_count = get_count(d);
    uint64_t count = (uint64_t)filter->width * filter->row_count;
    if (count > d->reader.len) spoil(d);
    if (!is_good(d)) return;
    filter->values = get_array(d, (size_t)count, sizeof *filter->values);
    for (uint64_t i = 0; filter->values && i < count; i++)
        filter->values[i] = base__read_bytes(&d->reader, get_count(d));
}

static const cql_view_def *get_view(decoder *d) {
    if (d->format < 2 || !get_bool(d)) return NULL;
    cql_view_def *view = get_array(d, 1, sizeof *view);
    if (!view) return NULL;
    view->base = get_name(d);
    view->where = get_name(d);
    view->includes_all = get_bool(d);
    view->key_id = get_number(d);
    view->filter_count = get_count(d);
    view->filters = get_array(d, view->filter_count, sizeof *view->filters);
    for (uint32_t i = 0; is_good(d) && i < view->filter_count; i++)
        get_filter(d, &view->filters[i]);
    return is_good(d) ? view : NULL;
}

/* NULL when the decoder is not good afterwards. */
static cql_table *get_table(decoder *d) {
    cql_table  draft = { .keyspace = d->keyspace.name };
    corm_bytes id;
    draft.name = get_name(d);
    id = base__read_bytes(&d->reader, sizeof draft.id.bytes);
    if (id.len == sizeof draft.id.bytes) memcpy(draft.id.bytes, id.data, id.len);
    draft.storage_id = base__read_u32(&d->reader);
    draft.next_column_id = get_number(d);
    draft.is_counter = get_bool(d);
    draft.is_compact = get_bool(d);
    get_columns(d, &draft);
    get_dropped(d, &draft);
    get_indexes(d, &draft);
    get_options(d, &draft.options);
    draft.view = get_view(d);
    cql_table *table = is_good(d) ? cql__table_make(&draft) : NULL;
    if (!table && is_good(d)) d->no_memory = true;
    return table;
}

static cql_udt *get_udt(decoder *d) {
    corm_str         name = get_name(d);
    uint32_t         count = get_count(d);
    corm_str        *names = get_array(d, count, sizeof *names);
    const cql_type **types = get_array(d, count, sizeof(cql_type *));
    for (uint32_t i = 0; is_good(d) && i < count; i++) {
        names[i] = get_name(d);
        types[i] = get_type(d);
    }
    if (!is_good(d)) return NULL;
    const cql_type *type =
        kept(d, cql__type_udt(d->arena, d->keyspace.name, name, names, types, count, false));
    if (type && !cql__type_is_bounded(type)) spoil(d);
    if (!is_good(d)) return NULL;
    cql_udt *udt = cql__udt_make(d->keyspace.name, name, type);
    if (!udt) d->no_memory = true;
    return udt;
}

/* ---- keyspaces ---- */

/* Nobody else knows the tables yet. A view that names no table is none. */
static void count_views(decoder *d, const cql_keyspace *keyspace) {
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        const cql_view_def *view = keyspace->tables[i]->view;
        bool                found = !view;
        for (uint32_t j = 0; view && j < keyspace->table_count; j++) {
            cql_table *base = keyspace->tables[j];
            if (base->view || !corm_str_equal(base->name, view->base)) continue;
            base->view_count++;
            found = true;
        }
        if (!found) spoil(d);
    }
}

static void get_objects(decoder *d) {
    cql_keyspace *keyspace = &d->keyspace;
    uint32_t      types = get_count(d);
    keyspace->types = get_array(d, types, sizeof(cql_udt *));
    for (uint32_t i = 0; is_good(d) && i < types; i++) {
        cql_udt *udt = get_udt(d);
        if (udt) keyspace->types[keyspace->type_count++] = udt;
    }
    uint32_t tables = get_count(d);
    keyspace->tables = get_array(d, tables, sizeof(cql_table *));
    for (uint32_t i = 0; is_good(d) && i < tables; i++) {
        cql_table *table = get_table(d);
        if (table) keyspace->tables[keyspace->table_count++] = table;
    }
    count_views(d, keyspace);
}

static cql_keyspace *get_keyspace(decoder *d) {
    d->keyspace = (cql_keyspace){ .name = get_name(d) };
    d->keyspace.durable_writes = get_bool(d);
    d->keyspace.replication = get_map(d);
    get_objects(d);
    cql_keyspace *keyspace = is_good(d) ? cql__keyspace_make(&d->keyspace) : NULL;
    if (!keyspace && is_good(d)) d->no_memory = true;
    for (uint32_t i = 0; i < d->keyspace.type_count; i++) cql__udt_unref(d->keyspace.types[i]);
    for (uint32_t i = 0; i < d->keyspace.table_count; i++) cql__table_unref(d->keyspace.tables[i]);
    return keyspace;
}

static bool is_there(const cql_schema *draft, corm_str name) {
    for (uint32_t i = 0; i < draft->keyspace_count; i++) {
        if (corm_str_equal(draft->keyspaces[i]->name, name)) return true;
    }
    return false;
}

/* Into a draft with room for `count` more; each has a reference that the caller gives up. */
static void get_keyspaces(decoder *d, cql_schema *draft, uint32_t count) {
    for (uint32_t i = 0; is_good(d) && i < count; i++) {
        cql_keyspace *keyspace = get_keyspace(d);
        if (!keyspace) return;
        if (is_there(draft, keyspace->name)) {
            cql__keyspace_unref(keyspace);
            spoil(d);
            return;
        }
        draft->keyspaces[draft->keyspace_count++] = keyspace;
    }
}

static void get_head(decoder *d, cql_schema *draft) {
    draft->serial = base__read_u64(&d->reader);
    corm_bytes version = base__read_bytes(&d->reader, sizeof draft->version.bytes);
    if (version.len == sizeof draft->version.bytes)
        memcpy(draft->version.bytes, version.data, version.len);
    draft->next_storage_id = base__read_u32(&d->reader);
}

static cql_schema *get_schema(decoder *d, const cql_schema *system) {
    cql_schema draft = { .serial = 0 };
    uint32_t   shared = system ? system->keyspace_count : 0;
    get_head(d, &draft);
    uint32_t count = get_count(d);
    draft.keyspaces = get_array(d, (size_t)shared + count, sizeof(cql_keyspace *));
    if (!is_good(d)) return NULL;
    for (uint32_t i = 0; i < shared; i++) draft.keyspaces[i] = system->keyspaces[i];
    draft.keyspace_count = shared;
    get_keyspaces(d, &draft, count);
    if (d->reader.len > 0) spoil(d);
    cql_schema *schema = is_good(d) ? cql__schema_make(&draft) : NULL;
    if (!schema && is_good(d)) d->no_memory = true;
    for (uint32_t i = shared; i < draft.keyspace_count; i++)
        cql__keyspace_unref(draft.keyspaces[i]);
    return schema;
}

corm_status cql__schema_read(corm_bytes bytes, const cql_schema *system, cql_schema **out,
                             corm_error *err) {
    base_arena arena = { 0 };
    if (bytes.len <= CHECKSUM_SIZE || checksum(bytes.data, bytes.len - CHECKSUM_SIZE) !=
                                          base__load_u64(bytes.data + bytes.len - CHECKSUM_SIZE)) {
        return base__fail(err, CORM_CORRUPT,
                          "the stored schema is damaged: its checksum does not fit");
    }
    if (bytes.data[0] < OLDEST_FORMAT || bytes.data[0] > FORMAT) {
        return base__fail(err, CORM_VERSION,
                          "the stored schema has format %d, this version of Corm reads %d",
                          bytes.data[0], FORMAT);
    }
    decoder d = { .reader = { bytes.data + 1, bytes.len - CHECKSUM_SIZE - 1, false },
                  .arena = &arena,
                  .format = bytes.data[0] };
    *out = get_schema(&d, system);
    base__arena_free(&arena);
    if (*out) return CORM_OK;
    if (d.no_memory) return base__fail_memory(err);
    return base__fail(err, CORM_CORRUPT, "the stored schema is damaged");
}
