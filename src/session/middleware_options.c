// SPDX-License-Identifier: MIT
/* middleware_options.c -- a request's options as they are said in C, and back into the request. Pure but for the arena. */
#include "base/fail.h"
#include "session/middleware.h"
#include "wire/message.h"

/* The options as they are said in C. */
corm_status middleware__take_options(const wire_options *wire, base_arena *arena,
                                     corm_request_options *out, corm_error *err) {
    if (wire->routing) *out = *wire->routing;
    out->consistency = (corm_consistency)(wire->consistency + 1);
    out->serial_consistency =
        wire->serial_consistency ? (corm_consistency)(wire->serial_consistency + 1) : 0;
    out->has_timestamp = wire->has_timestamp;
    out->timestamp_us = wire->timestamp;
    out->has_now = wire->has_now;
    out->now_seconds = wire->now_in_seconds;
    out->page_size = wire->page_size;
    out->paging_state = wire->paging_state;
    out->keyspace = NULL;
    out->trace = wire->tracing;
    out->payload_count = wire->payload_count;
    corm_payload_item *items = BASE_NEW_ARRAY(arena, corm_payload_item, wire->payload_count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < wire->payload_count; i++) {
        items[i].name = base__arena_str(arena, wire->payload[i].name).data;
        items[i].value =
            (corm_bytes){ wire->payload[i].value.data,
                          wire->payload[i].value.len < 0 ? 0 : (size_t)wire->payload[i].value.len };
        if (!items[i].name) return base__fail_memory(err);
    }
    out->payload = items;
    return CORM_OK;
}

static corm_status put_payload(const corm_request_options *options, base_arena *arena,
                               wire_options *wire, corm_error *err) {
    wire->payload_count = options->payload_count;
    if (options->payload_count == 0) return CORM_OK;
    wire_payload_item *items = BASE_NEW_ARRAY(arena, wire_payload_item, options->payload_count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < options->payload_count; i++) {
        items[i].name = corm_str_of(options->payload[i].name);
        items[i].value =
            options->payload[i].value.data ? cql__value_of(options->payload[i].value) : CQL_NULL;
    }
    wire->payload = items;
    return CORM_OK;
}

/* What they are now; the flow outlives the request's way. */
corm_status middleware__put_options(const corm_request_options *options, base_arena *arena,
                                    wire_options *wire, corm_error *err) {
    if ((unsigned)options->consistency - 1 >= CORM_LOCAL_ONE) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%d is not a consistency",
                          (int)options->consistency);
    }
    wire->consistency = (wire_consistency)(options->consistency - 1);
    wire->serial_consistency =
        options->serial_consistency ? (wire_consistency)(options->serial_consistency - 1) : 0;
    wire->has_timestamp = options->has_timestamp;
    wire->timestamp = options->timestamp_us;
    wire->has_now = options->has_now;
    wire->now_in_seconds = options->now_seconds;
    wire->page_size = options->page_size;
    wire->tracing = options->trace;
    bool routed = options->profile || options->timeout_ms || options->idempotence || options->host;
    wire->routing = routed ? options : NULL;
    return put_payload(options, arena, wire, err);
}
