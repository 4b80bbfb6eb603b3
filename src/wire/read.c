// SPDX-License-Identifier: MIT
/* read.c -- the bodies of RESULT messages, read back. Layouts: see write.c.
 *
 * Counts are checked against the bytes that are left before memory is taken for them. */
#include "base/fail.h"
#include "wire/metadata.h"

enum { SMALLEST_COLUMN = 4 /* an empty name and a type id */, SMALLEST_VALUE = 4 };

/* What the readers below pass along. */
typedef struct body_reader {
    base_reader in;
    uint8_t     version;
    base_arena *arena;
    corm_error *err;
} body_reader;

static corm_status broken(body_reader *reader, const char *what) {
    base__fail(reader->err, CORM_PROTOCOL_ERROR, "a result's %s cannot be read", what);
    return CORM_PROTOCOL_ERROR;
}

static corm_bytes read_short_bytes(base_reader *reader) {
    uint16_t len = base__read_u16(reader);
    return base__read_bytes(reader, len);
}

corm_str wire__read_string(base_reader *reader) {
    corm_bytes bytes = read_short_bytes(reader);
    return (corm_str){ (const char *)bytes.data, bytes.len };
}

/* A [bytes] that is not null. */
static corm_bytes read_bytes(base_reader *reader) {
    int32_t len = base__read_i32(reader);
    if (len < 0) reader->failed = true;
    return reader->failed ? (corm_bytes){ NULL, 0 } : base__read_bytes(reader, (size_t)len);
}

/* A count of things that take at least `smallest` bytes each. */
static bool read_count(base_reader *reader, size_t smallest, uint32_t *out) {
    int32_t count = base__read_i32(reader);
    if (reader->failed || count < 0) return false;
    *out = (uint32_t)count;
    return *out <= reader->len / smallest;
}

static corm_status read_column(body_reader *reader, const cql_result_column *global,
                               cql_result_column *out) {
    base_reader *in = &reader->in;
    out->keyspace = global ? global->keyspace : wire__read_string(in);
    out->table = global ? global->table : wire__read_string(in);
    out->name = wire__read_string(in);
    if (in->failed) return broken(reader, "column");
    return cql__type_read_option(reader->arena, in, &out->type, reader->err);
}

static corm_status read_columns(body_reader *reader, uint32_t flags, uint32_t count,
                                cql_result_column **out) {
    cql_result_column global = { 0 };
    bool              has_global = (flags & WIRE_GLOBAL_TABLE_SPEC) != 0;
    if (count > reader->in.len / SMALLEST_COLUMN) return broken(reader, "column count");
    *out = BASE_NEW_ARRAY(reader->arena, cql_result_column, count);
    if (!*out) return base__fail_memory(reader->err);
    if (has_global) {
        global.keyspace = wire__read_string(&reader->in);
        global.table = wire__read_string(&reader->in);
    }
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(read_column(reader, has_global ? &global : NULL, &(*out)[i]));
    }
    return CORM_OK;
}

static corm_status read_metadata(body_reader *reader, wire_metadata *out) {
    base_reader *in = &reader->in;
    uint32_t     flags = base__read_u32(in);
    int32_t      count = base__read_i32(in);
    if (in->failed || count < 0) return broken(reader, "metadata");
    out->count = (uint32_t)count;
    if (flags & WIRE_HAS_MORE_PAGES) {
        out->has_more = true;
        out->paging_state = read_bytes(in);
    }
    if (flags & WIRE_METADATA_CHANGED) {
        out->changed = true;
        out->new_id = read_short_bytes(in);
    }
    if (in->failed) return broken(reader, "metadata");
    out->absent = (flags & WIRE_NO_METADATA) != 0;
    return out->absent ? CORM_OK : read_columns(reader, flags, out->count, &out->columns);
}

static corm_status read_rows(body_reader *reader, wire_result *out) {
    CORM_TRY(read_metadata(reader, &out->metadata));
    int32_t count = base__read_i32(&reader->in);
    if (reader->in.failed || count < 0) return broken(reader, "row count");
    uint64_t values = (uint64_t)(uint32_t)count * out->metadata.count;
    if (values > reader->in.len / SMALLEST_VALUE) return broken(reader, "row count");
    out->row_count = (uint32_t)count;
    out->rows = reader->in;
    return CORM_OK;
}

static corm_status read_partition_markers(body_reader *reader, wire_result *out) {
    if (!read_count(&reader->in, 2, &out->partition_marker_count)) {
        return broken(reader, "partition key");
    }
    uint32_t count = out->partition_marker_count;
    out->partition_markers = BASE_NEW_ARRAY(reader->arena, uint16_t, count);
    if (!out->partition_markers) return base__fail_memory(reader->err);
    for (uint32_t i = 0; i < count; i++) {
        out->partition_markers[i] = base__read_u16(&reader->in);
        if (out->partition_markers[i] >= out->marker_count) return broken(reader, "partition key");
    }
    return CORM_OK;
}

static corm_status read_markers(body_reader *reader, wire_result *out) {
    uint32_t flags = base__read_u32(&reader->in);
    out->marker_flags = flags;
    if (!read_count(&reader->in, SMALLEST_COLUMN, &out->marker_count)) {
        return broken(reader, "marker count");
    }
    if (reader->version >= 4) CORM_TRY(read_partition_markers(reader, out));
    cql_result_column *columns = NULL;
    CORM_TRY(read_columns(reader, flags, out->marker_count, &columns));
    out->markers = BASE_NEW_ARRAY(reader->arena, cql_marker, out->marker_count);
    if (!out->markers) return base__fail_memory(reader->err);
    for (uint32_t i = 0; i < out->marker_count; i++) {
        out->markers[i] = (cql_marker){ .name = columns[i].name,
                                        .type = columns[i].type,
                                        .keyspace = columns[i].keyspace,
                                        .table = columns[i].table };
    }
    return CORM_OK;
}

static corm_status read_prepared(body_reader *reader, wire_result *out) {
    out->id = read_short_bytes(&reader->in);
    if (reader->version >= 5) out->metadata_id = read_short_bytes(&reader->in);
    if (reader->in.failed) return broken(reader, "statement id");
    CORM_TRY(read_markers(reader, out));
    return read_metadata(reader, &out->metadata);
}

static corm_status read_set_keyspace(body_reader *reader, wire_result *out) {
    out->keyspace = wire__read_string(&reader->in);
    return reader->in.failed ? broken(reader, "keyspace") : CORM_OK;
}

static corm_status read_arguments(body_reader *reader, wire_result *out) {
    uint32_t count = base__read_u16(&reader->in);
    if (reader->in.failed) return broken(reader, "schema change");
    out->arguments = BASE_NEW_ARRAY(reader->arena, corm_str, count + 1);
    if (!out->arguments) return base__fail_memory(reader->err);
    for (uint32_t i = 0; i < count; i++) out->arguments[i] = wire__read_string(&reader->in);
    out->argument_count = count;
    return reader->in.failed ? broken(reader, "schema change") : CORM_OK;
}

static bool has_arguments(corm_str target) {
    return corm_str_equal(target, corm_str_of("FUNCTION")) ||
           corm_str_equal(target, corm_str_of("AGGREGATE"));
}

static corm_status read_schema_change(body_reader *reader, wire_result *out) {
    out->change = wire__read_string(&reader->in);
    out->target = wire__read_string(&reader->in);
    out->keyspace = wire__read_string(&reader->in);
    if (!corm_str_equal(out->target, corm_str_of("KEYSPACE"))) {
        out->name = wire__read_string(&reader->in);
    }
    if (has_arguments(out->target)) return read_arguments(reader, out);
    return reader->in.failed ? broken(reader, "schema change") : CORM_OK;
}

corm_status wire__result_read(corm_bytes body, uint8_t version, base_arena *arena, wire_result *out,
                              corm_error *err) {
    body_reader reader = { { body.data, body.len, false }, version, arena, err };
    *out = (wire_result){ 0 };
    out->kind = (wire_result_kind)base__read_i32(&reader.in);
    if (reader.in.failed) return broken(&reader, "kind");
    switch (out->kind) {
    case WIRE_VOID: return CORM_OK;
    case WIRE_ROWS: return read_rows(&reader, out);
    case WIRE_SET_KEYSPACE: return read_set_keyspace(&reader, out);
    case WIRE_PREPARED: return read_prepared(&reader, out);
    case WIRE_SCHEMA_CHANGE: return read_schema_change(&reader, out);
    default: return broken(&reader, "kind");
    }
}
