// SPDX-License-Identifier: MIT
/* put_request.c -- the bodies of QUERY, PREPARE, EXECUTE and BATCH. Native protocol v5 specification, section 4.1.
 *
 *   QUERY    [long string] parameters
 *   EXECUTE  [short bytes id][short bytes metadata id, v5] parameters
 *   PREPARE  [long string] [int flags][string keyspace]?, v5
 *   BATCH    [byte kind][short n] n * ([byte 0][long string] | [byte 1][short bytes id]) [short n] n * [value], parameters
 *            without values and paging
 *   parameters  [short consistency][int flags; byte before v5][short n] n * ([string name]? [value])
 *            [int page size][bytes paging state][short serial][long timestamp][string keyspace][int now]
 *
 * A message is measured and checked first; then one reservation, and stores behind one pointer. Pure functions. */
#include "base/fail.h"
#include "wire/message.h"
#include "wire/parameters.h"

/* What the writers below pass along. */
typedef struct message {
    const wire_request *request;
    uint8_t             version;
    wire_id_of          id_of;
    void               *context;
    corm_error         *err;
} message;

/* Of parameters: consistency, flags, counts and everything that is there or not. */
enum { PARAMETERS_BOUND = 2 + 4 + 2 + 4 + 4 + 2 + 8 + 2 + 4 };

/* ---- measuring ---- */

static corm_status too_many(const message *m, const char *what, size_t count) {
    return base__fail(m->err, CORM_INVALID, "%s: %zu, more than the protocol can count", what,
                      count);
}

static corm_status check_short(const message *m, const char *what, size_t count) {
    return count <= UINT16_MAX ? CORM_OK : too_many(m, what, count);
}

static corm_status check_text(const message *m, corm_str text) {
    return text.len <= INT32_MAX ? CORM_OK : too_many(m, "the statement's bytes", text.len);
}

/* Adds the bytes of the values to *bytes. */
static corm_status measure_values(const message *m, const cql_value *values, uint32_t count,
                                  size_t *bytes) {
    CORM_TRY(check_short(m, "values of a statement", count));
    size_t sum = 4 * (size_t)count;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].len > 0) {
            sum += (size_t)values[i].len;
        } else if (values[i].len == CQL_UNSET.len && m->version < 4) {
            return base__fail(m->err, CORM_INVALID,
                              "value %u is not set, which protocol version 3 does not know", i);
        }
    }
    *bytes += sum;
    return CORM_OK;
}

static corm_status measure_names(const message *m, size_t *bytes) {
    const wire_request *request = m->request;
    if (!request->names) return CORM_OK;
    for (uint32_t i = 0; i < request->value_count; i++) {
        CORM_TRY(check_short(m, "the bytes of a value's name", request->names[i].len));
        *bytes += 2 + request->names[i].len;
    }
    return CORM_OK;
}

static corm_status measure_parameters(const message *m, size_t *bytes) {
    const wire_options *options = &m->request->options;
    CORM_TRY(check_short(m, "the bytes of a keyspace's name", options->keyspace.len));
    if (options->paging_state.len > INT32_MAX) {
        return too_many(m, "the paging state's bytes", options->paging_state.len);
    }
    *bytes += PARAMETERS_BOUND + options->paging_state.len + options->keyspace.len;
    return CORM_OK;
}

/* ---- stores behind a pointer ---- */

static uint8_t *put_u8(uint8_t *p, uint8_t v) {
    *p = v;
    return p + 1;
}

static uint8_t *put_u16(uint8_t *p, uint16_t v) {
    base__store_u16(p, v);
    return p + 2;
}

static uint8_t *put_u32(uint8_t *p, uint32_t v) {
    base__store_u32(p, v);
    return p + 4;
}

static uint8_t *put_raw(uint8_t *p, const void *data, size_t len) {
    if (len > 0) memcpy(p, data, len);
    return p + len;
}

static uint8_t *put_short(uint8_t *p, const void *data, size_t len) {
    return put_raw(put_u16(p, (uint16_t)len), data, len);
}

static uint8_t *put_long(uint8_t *p, const void *data, size_t len) {
    return put_raw(put_u32(p, (uint32_t)len), data, len);
}

static uint8_t *put_value(uint8_t *p, cql_value value) {
    p = put_u32(p, (uint32_t)value.len);
    if (value.len == 8) { /* the most frequent: a call of memcpy costs more than the copy */
        memcpy(p, value.data, 8);
        return p + 8;
    }
    return put_raw(p, value.data, value.len > 0 ? (size_t)value.len : 0);
}

static uint8_t *put_values(uint8_t *p, const cql_value *values, uint32_t count) {
    p = put_u16(p, (uint16_t)count);
    for (uint32_t i = 0; i < count; i++) p = put_value(p, values[i]);
    return p;
}

static uint8_t *put_named(uint8_t *p, const wire_request *request) {
    p = put_u16(p, (uint16_t)request->value_count);
    for (uint32_t i = 0; i < request->value_count; i++) {
        p = put_short(p, request->names[i].data, request->names[i].len);
        p = put_value(p, request->values[i]);
    }
    return p;
}

/* ---- parameters ---- */

/* Those that a BATCH has too. */
static uint32_t common_flags(const wire_options *options, uint8_t version) {
    uint32_t flags = 0;
    if (options->serial_consistency) flags |= WIRE_HAS_SERIAL;
    if (options->has_timestamp) flags |= WIRE_HAS_TIMESTAMP;
    if (version < 5) return flags;
    if (options->keyspace.data) flags |= WIRE_HAS_KEYSPACE;
    if (options->has_now) flags |= WIRE_HAS_NOW;
    return flags;
}

static uint32_t parameter_flags(const wire_request *request, uint8_t version) {
    const wire_options *options = &request->options;
    uint32_t            flags = common_flags(options, version);
    if (request->value_count > 0) flags |= WIRE_HAS_VALUES;
    if (request->value_count > 0 && request->names) flags |= WIRE_HAS_NAMES;
    if (options->skip_metadata) flags |= WIRE_SKIP_METADATA;
    if (options->page_size > 0) flags |= WIRE_HAS_PAGE_SIZE;
    if (options->paging_state.data) flags |= WIRE_HAS_PAGING_STATE;
    return flags;
}

static uint8_t *put_head(uint8_t *p, const wire_options *options, uint32_t flags, uint8_t version) {
    p = put_u16(p, (uint16_t)options->consistency);
    return version < 5 ? put_u8(p, (uint8_t)flags) : put_u32(p, flags);
}

static uint8_t *put_common(uint8_t *p, const wire_options *options, uint32_t flags) {
    if (flags & WIRE_HAS_SERIAL) p = put_u16(p, (uint16_t)options->serial_consistency);
    if (flags & WIRE_HAS_TIMESTAMP) {
        base__store_u64(p, (uint64_t)options->timestamp);
        p += 8;
    }
    if (flags & WIRE_HAS_KEYSPACE) {
        p = put_short(p, options->keyspace.data, options->keyspace.len);
    }
    if (flags & WIRE_HAS_NOW) p = put_u32(p, (uint32_t)options->now_in_seconds);
    return p;
}

static uint8_t *put_parameters(uint8_t *p, const message *m) {
    const wire_request *request = m->request;
    const wire_options *options = &request->options;
    uint32_t            flags = parameter_flags(request, m->version);
    p = put_head(p, options, flags, m->version);
    if (flags & WIRE_HAS_NAMES) {
        p = put_named(p, request);
    } else if (flags & WIRE_HAS_VALUES) {
        p = put_values(p, request->values, request->value_count);
    }
    if (flags & WIRE_HAS_PAGE_SIZE) p = put_u32(p, (uint32_t)options->page_size);
    if (flags & WIRE_HAS_PAGING_STATE) {
        p = put_long(p, options->paging_state.data, options->paging_state.len);
    }
    return put_common(p, options, flags);
}

/* ---- messages ---- */

/* Room for a message that was measured. */
static uint8_t *reserve(base_buf *body, size_t bytes) {
    return base__buf_reserve(body, bytes) ? body->data + body->len : NULL;
}

static void end_at(base_buf *body, const uint8_t *p) {
    body->len = (size_t)(p - body->data);
}

static corm_status put_query(const message *m, base_buf *body) {
    const wire_request *request = m->request;
    size_t              bytes = 4 + request->text.len;
    CORM_TRY(check_text(m, request->text));
    CORM_TRY(measure_values(m, request->values, request->value_count, &bytes));
    CORM_TRY(measure_names(m, &bytes));
    CORM_TRY(measure_parameters(m, &bytes));
    uint8_t *p = reserve(body, bytes);
    if (!p) return base__fail_memory(m->err);
    p = put_long(p, request->text.data, request->text.len);
    end_at(body, put_parameters(p, m));
    return CORM_OK;
}

static corm_status put_execute(const message *m, base_buf *body) {
    const wire_request *request = m->request;
    wire_prepared_id    id = m->id_of(m->context, request->prepared);
    if (request->metadata_id.data) id.metadata_id = request->metadata_id;
    size_t bytes = 4 + id.id.len + id.metadata_id.len;
    CORM_TRY(check_short(m, "the bytes of a statement's id", id.id.len));
    CORM_TRY(check_short(m, "the bytes of a metadata id", id.metadata_id.len));
    CORM_TRY(measure_values(m, request->values, request->value_count, &bytes));
    CORM_TRY(measure_names(m, &bytes));
    CORM_TRY(measure_parameters(m, &bytes));
    uint8_t *p = reserve(body, bytes);
    if (!p) return base__fail_memory(m->err);
    p = put_short(p, id.id.data, id.id.len);
    if (m->version >= 5) p = put_short(p, id.metadata_id.data, id.metadata_id.len);
    end_at(body, put_parameters(p, m));
    return CORM_OK;
}

static corm_status put_prepare(const message *m, base_buf *body) {
    corm_str text = m->request->text, keyspace = m->request->options.keyspace;
    CORM_TRY(check_text(m, text));
    CORM_TRY(check_short(m, "the bytes of a keyspace's name", keyspace.len));
    uint8_t *p = reserve(body, 4 + text.len + 4 + 2 + keyspace.len);
    if (!p) return base__fail_memory(m->err);
    p = put_long(p, text.data, text.len);
    if (m->version >= 5) p = put_u32(p, keyspace.data ? WIRE_PREPARE_KEYSPACE : 0);
    if (m->version >= 5 && keyspace.data) p = put_short(p, keyspace.data, keyspace.len);
    end_at(body, p);
    return CORM_OK;
}

/* One statement of a batch and its values. */
static corm_status put_item(const message *m, const wire_batch_item *item, base_buf *body) {
    wire_prepared_id id = { 0 };
    if (!item->text.data) id = m->id_of(m->context, item->prepared);
    size_t bytes = 1 + 4 + item->text.len + id.id.len + 2;
    CORM_TRY(check_text(m, item->text));
    CORM_TRY(check_short(m, "the bytes of a statement's id", id.id.len));
    CORM_TRY(measure_values(m, item->values, item->value_count, &bytes));
    uint8_t *p = reserve(body, bytes);
    if (!p) return base__fail_memory(m->err);
    if (item->text.data) {
        p = put_long(put_u8(p, WIRE_ITEM_TEXT), item->text.data, item->text.len);
    } else {
        p = put_short(put_u8(p, WIRE_ITEM_PREPARED), id.id.data, id.id.len);
    }
    end_at(body, put_values(p, item->values, item->value_count));
    return CORM_OK;
}

static corm_status put_batch(const message *m, base_buf *body) {
    const wire_request *request = m->request;
    const wire_options *options = &request->options;
    size_t              bytes = 0;
    CORM_TRY(check_short(m, "statements of a batch", request->batch_count));
    base__buf_u8(body, request->batch_kind);
    base__buf_u16(body, (uint16_t)request->batch_count);
    for (uint32_t i = 0; i < request->batch_count; i++) {
        CORM_TRY(put_item(m, &request->batch[i], body));
    }
    CORM_TRY(measure_parameters(m, &bytes));
    uint8_t *p = reserve(body, bytes);
    if (!p) return base__fail_memory(m->err);
    uint32_t flags = common_flags(options, m->version);
    end_at(body, put_common(put_head(p, options, flags, m->version), options, flags));
    return CORM_OK;
}

static corm_status put_payload(const message *m, base_buf *body) {
    const wire_options *options = &m->request->options;
    if (m->version < 4) {
        return base__fail(m->err, CORM_INVALID, "protocol version 3 carries no custom payload");
    }
    CORM_TRY(check_short(m, "items of a custom payload", options->payload_count));
    for (uint32_t i = 0; i < options->payload_count; i++) {
        CORM_TRY(check_short(m, "the bytes of a payload's name", options->payload[i].name.len));
    }
    wire__put_payload(body, options->payload, options->payload_count);
    return CORM_OK;
}

corm_status wire__put_request(base_buf *body, const wire_request *request, uint8_t version,
                              wire_id_of id_of, void *context, corm_error *err) {
    message m = { request, version, id_of, context, err };
    if (request->options.payload_count > 0) CORM_TRY(put_payload(&m, body));
    switch (request->kind) {
    case WIRE_QUERY: return put_query(&m, body);
    case WIRE_PREPARE: return put_prepare(&m, body);
    case WIRE_EXECUTE: return put_execute(&m, body);
    case WIRE_BATCH: return put_batch(&m, body);
    }
    return base__fail(err, CORM_INVALID_ARGUMENT, "a request of an unknown kind");
}

wire_opcode wire__request_opcode(const wire_request *request) {
    static const wire_opcode opcodes[] = { [WIRE_QUERY] = WIRE_OP_QUERY,
                                           [WIRE_PREPARE] = WIRE_OP_PREPARE,
                                           [WIRE_EXECUTE] = WIRE_OP_EXECUTE,
                                           [WIRE_BATCH] = WIRE_OP_BATCH };
    return opcodes[request->kind];
}

uint8_t wire__request_flags(const wire_request *request) {
    return (uint8_t)((request->options.tracing ? WIRE_FLAG_TRACING : 0) |
                     (request->options.payload_count > 0 ? WIRE_FLAG_PAYLOAD : 0));
}
