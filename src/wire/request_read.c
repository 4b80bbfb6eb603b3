// SPDX-License-Identifier: MIT
/* request_read.c -- the bodies of QUERY, PREPARE, EXECUTE and BATCH, read back by whoever plays the server. Layouts: see
 * put_request.c.
 *
 * Counts are checked against the bytes that are left before memory is taken for them. Arrays live in the caller's arena,
 * texts and values borrow from the body. */
#include "base/fail.h"
#include "cql/ast.h"
#include "wire/message.h"
#include "wire/metadata.h"
#include "wire/parameters.h"

enum {
    SMALLEST_VALUE = 4,
    SMALLEST_NAME = 2,
    SMALLEST_ITEM = 1 + 2 + 2, /* a kind, an empty id and no values */
    SMALLEST_PAYLOAD = 2 + 4
};

/* What the readers below pass along. */
typedef struct request_reader {
    base_reader in;
    uint8_t     version;
    base_arena *arena;
    corm_error *err;
} request_reader;

static corm_status broken(request_reader *r, const char *what) {
    return base__fail(r->err, CORM_PROTOCOL_ERROR, "a request's %s cannot be read", what);
}

static corm_str read_long_string(base_reader *in) {
    uint32_t   len = base__read_u32(in);
    corm_bytes bytes = base__read_bytes(in, len);
    return (corm_str){ (const char *)bytes.data, bytes.len };
}

static corm_bytes read_short_bytes(base_reader *in) {
    uint16_t len = base__read_u16(in);
    return base__read_bytes(in, len);
}

/* A [short] count of things that take at least `smallest` bytes each. */
static bool read_count(base_reader *in, size_t smallest, uint32_t *out) {
    *out = base__read_u16(in);
    return !in->failed && *out <= in->len / smallest;
}

/* Before v4 every negative length is null. */
static cql_value read_value(request_reader *r) {
    cql_value value = cql__read_value(&r->in);
    return r->version < 4 && value.len < 0 ? CQL_NULL : value;
}

/* ---- parameters ---- */

static corm_status read_values(request_reader *r, bool has_names, wire_request *out) {
    size_t smallest = SMALLEST_VALUE + (has_names ? SMALLEST_NAME : 0);
    if (!read_count(&r->in, smallest, &out->value_count)) return broken(r, "value count");
    uint32_t   count = out->value_count;
    cql_value *values = BASE_NEW_ARRAY(r->arena, cql_value, count);
    corm_str  *names = has_names ? BASE_NEW_ARRAY(r->arena, corm_str, count) : NULL;
    if (!values || (has_names && !names)) return base__fail_memory(r->err);
    for (uint32_t i = 0; i < count; i++) {
        if (has_names) names[i] = wire__read_string(&r->in);
        values[i] = read_value(r);
    }
    out->values = values;
    out->names = count > 0 ? names : NULL;
    return r->in.failed ? broken(r, "values") : CORM_OK;
}

static void read_paging_state(base_reader *in, wire_options *out) {
    int32_t len = base__read_i32(in);
    if (len >= 0) out->paging_state = base__read_bytes(in, (size_t)len);
}

static uint32_t read_head(request_reader *r, wire_options *out) {
    out->consistency = (wire_consistency)base__read_u16(&r->in);
    return r->version < 5 ? base__read_u8(&r->in) : base__read_u32(&r->in);
}

/* What a BATCH has too. */
static void read_common(request_reader *r, uint32_t flags, wire_options *out) {
    base_reader *in = &r->in;
    if (flags & WIRE_HAS_SERIAL) out->serial_consistency = (wire_consistency)base__read_u16(in);
    if (flags & WIRE_HAS_TIMESTAMP) {
        out->has_timestamp = true;
        out->timestamp = base__read_i64(in);
    }
    if (r->version < 5) return;
    if (flags & WIRE_HAS_KEYSPACE) out->keyspace = wire__read_string(in);
    if (flags & WIRE_HAS_NOW) {
        out->has_now = true;
        out->now_in_seconds = base__read_i32(in);
    }
}

static corm_status read_parameters(request_reader *r, wire_request *out) {
    wire_options *options = &out->options;
    uint32_t      flags = read_head(r, options);
    options->skip_metadata = (flags & WIRE_SKIP_METADATA) != 0;
    if (flags & WIRE_HAS_VALUES) CORM_TRY(read_values(r, (flags & WIRE_HAS_NAMES) != 0, out));
    if (flags & WIRE_HAS_PAGE_SIZE) options->page_size = base__read_i32(&r->in);
    if (flags & WIRE_HAS_PAGING_STATE) read_paging_state(&r->in, options);
    read_common(r, flags, options);
    return r->in.failed ? broken(r, "parameters") : CORM_OK;
}

/* ---- messages ---- */

static corm_status read_query(request_reader *r, wire_request_read *out) {
    out->request.kind = WIRE_QUERY;
    out->request.text = read_long_string(&r->in);
    if (r->in.failed) return broken(r, "text");
    return read_parameters(r, &out->request);
}

static corm_status read_prepare(request_reader *r, wire_request_read *out) {
    out->request.kind = WIRE_PREPARE;
    out->request.text = read_long_string(&r->in);
    uint32_t flags = r->version >= 5 ? base__read_u32(&r->in) : 0;
    if (flags & WIRE_PREPARE_KEYSPACE) {
        out->request.options.keyspace = wire__read_string(&r->in);
    }
    return r->in.failed ? broken(r, "text") : CORM_OK;
}

static corm_status read_execute(request_reader *r, wire_request_read *out) {
    out->request.kind = WIRE_EXECUTE;
    out->prepared_id.id = read_short_bytes(&r->in);
    if (r->version >= 5) out->prepared_id.metadata_id = read_short_bytes(&r->in);
    if (r->in.failed) return broken(r, "statement id");
    out->request.metadata_id = out->prepared_id.metadata_id;
    return read_parameters(r, &out->request);
}

static corm_status read_item(request_reader *r, wire_batch_item *item, wire_prepared_id *id) {
    wire_request values = { 0 };
    uint8_t      kind = base__read_u8(&r->in);
    if (kind == WIRE_ITEM_TEXT) {
        item->text = read_long_string(&r->in);
    } else if (kind == WIRE_ITEM_PREPARED) {
        id->id = read_short_bytes(&r->in);
    } else {
        return broken(r, "kind of a statement");
    }
    if (r->in.failed) return broken(r, "statement");
    CORM_TRY(read_values(r, false, &values));
    item->value_count = values.value_count;
    item->values = values.values;
    return CORM_OK;
}

static corm_status read_items(request_reader *r, wire_request_read *out) {
    uint32_t count = 0;
    if (!read_count(&r->in, SMALLEST_ITEM, &count)) return broken(r, "batch");
    wire_batch_item *items = BASE_NEW_ARRAY(r->arena, wire_batch_item, count);
    out->ids = BASE_NEW_ARRAY(r->arena, wire_prepared_id, count);
    if (!items || !out->ids) return base__fail_memory(r->err);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(read_item(r, &items[i], &out->ids[i]));
    out->request.batch_count = count;
    out->request.batch = items;
    return CORM_OK;
}

static corm_status read_batch(request_reader *r, wire_request_read *out) {
    out->request.kind = WIRE_BATCH;
    uint8_t kind = out->request.batch_kind = base__read_u8(&r->in);
    if (kind > CQL_BATCH_COUNTER)
        return base__fail(r->err, CORM_PROTOCOL_ERROR, "Invalid BATCH message type %u", kind);
    CORM_TRY(read_items(r, out));
    uint32_t flags = read_head(r, &out->request.options);
    read_common(r, flags, &out->request.options);
    return r->in.failed ? broken(r, "parameters") : CORM_OK;
}

static corm_status read_payload(request_reader *r, corm_bytes payload, wire_options *out) {
    base_reader in = { payload.data, payload.len, false };
    uint32_t    count = 0;
    if (payload.len == 0) return CORM_OK;
    if (!read_count(&in, SMALLEST_PAYLOAD, &count)) return broken(r, "payload");
    wire_payload_item *items = BASE_NEW_ARRAY(r->arena, wire_payload_item, count);
    if (!items) return base__fail_memory(r->err);
    for (uint32_t i = 0; i < count; i++) {
        items[i].name = wire__read_string(&in);
        items[i].value = cql__read_value(&in);
    }
    out->payload = items;
    out->payload_count = count;
    return CORM_OK;
}

static corm_status read_message(request_reader *r, uint8_t opcode, wire_request_read *out) {
    switch (opcode) {
    case WIRE_OP_QUERY: return read_query(r, out);
    case WIRE_OP_PREPARE: return read_prepare(r, out);
    case WIRE_OP_EXECUTE: return read_execute(r, out);
    case WIRE_OP_BATCH: return read_batch(r, out);
    default: return broken(r, "opcode");
    }
}

corm_status wire__request_read(const wire_frame *frame, base_arena *arena, wire_request_read *out,
                               corm_error *err) {
    wire_prefix prefix;
    *out = (wire_request_read){ 0 };
    CORM_TRY(wire__prefix_read(frame, &prefix, err));
    corm_bytes     message = prefix.message;
    request_reader r = { { message.data, message.len, false }, frame->version, arena, err };
    CORM_TRY(read_payload(&r, prefix.payload, &out->request.options));
    out->request.options.tracing = (frame->flags & WIRE_FLAG_TRACING) != 0;
    return read_message(&r, frame->opcode, out);
}
