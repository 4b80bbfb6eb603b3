// SPDX-License-Identifier: MIT
/* request.c -- requests made from options and statements, and copies of them that own all their
 * parts (for tasks, and for the next page of a result). */
#include "base/fail.h"
#include "session/core.h"

static bool is_consistency(corm_consistency consistency) {
    return (unsigned)consistency <= CORM_LOCAL_ONE;
}

static corm_status check_options(const corm_request_options *options, corm_error *err) {
    if (!is_consistency(options->consistency)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%d is not a consistency",
                          (int)options->consistency);
    }
    corm_consistency serial = options->serial_consistency;
    if (serial != 0 && serial != CORM_SERIAL && serial != CORM_LOCAL_SERIAL) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the serial consistency is neither serial nor local serial");
    }
    if (options->page_size < -1) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a page cannot have %d rows",
                          (int)options->page_size);
    }
    return CORM_OK;
}

corm_status session__request_options(const corm_session         *session,
                                     const corm_request_options *options, session_request *request,
                                     corm_error *err) {
    static const corm_request_options defaults;
    if (!options) options = &defaults;
    CORM_TRY(check_options(options, err));
    wire_options *out = &request->wire.options;
    out->consistency =
        options->consistency ? (wire_consistency)(options->consistency - 1) : session->consistency;
    if (options->serial_consistency) {
        out->serial_consistency = (wire_consistency)(options->serial_consistency - 1);
    }
    out->has_timestamp = options->has_timestamp;
    out->timestamp = options->timestamp_us;
    out->has_now = options->has_now;
    out->now_in_seconds = options->now_seconds;
    out->page_size = options->page_size == 0 ? session->page_size : options->page_size;
    if (options->paging_state.len > 0) out->paging_state = options->paging_state;
    if (options->keyspace) out->keyspace = corm_str_of(options->keyspace);
    request->keyspace =
        options->keyspace ? out->keyspace : corm_str_of(corm_session_keyspace(session));
    return CORM_OK;
}

void session__request_execute(session_request *request, corm_prepared *prepared,
                              const cql_value *values) {
    wire_request *wire = &request->wire;
    wire->kind = WIRE_EXECUTE;
    wire->prepared = prepared->wire;
    wire->value_count = prepared->marker_count;
    wire->values = values;
    request->prepared = prepared;
    request->metadata = atomic_load_explicit(&prepared->metadata, memory_order_acquire);
    wire->options.skip_metadata = prepared->reads;
    wire->metadata_id = request->metadata->id;
}

static corm_status copy_text(base_arena *arena, corm_str *text, corm_error *err) {
    if (!text->data) return CORM_OK;
    *text = base__arena_str(arena, *text);
    return text->data ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_values(base_arena *arena, uint32_t count, const cql_value **values,
                               corm_error *err) {
    if (count == 0) return CORM_OK;
    cql_value *copies = base__arena_calloc(arena, count, sizeof *copies);
    if (!copies) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = (*values)[i];
        if (copies[i].len < 0) continue;
        copies[i].data = base__arena_copy(arena, copies[i].data, (size_t)copies[i].len);
        if (!copies[i].data) return base__fail_memory(err);
    }
    *values = copies;
    return CORM_OK;
}

static corm_status copy_batch(base_arena *arena, wire_request *wire, corm_error *err) {
    if (wire->batch_count == 0) return CORM_OK;
    wire_batch_item *items = BASE_NEW_ARRAY(arena, wire_batch_item, wire->batch_count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < wire->batch_count; i++) {
        items[i] = wire->batch[i];
        CORM_TRY(copy_text(arena, &items[i].text, err));
        CORM_TRY(copy_values(arena, items[i].value_count, &items[i].values, err));
    }
    wire->batch = items;
    return CORM_OK;
}

/* Takes a reference of each statement that the copy needs. */
static corm_status copy_held(const session_request *request, session_request *out,
                             corm_error *err) {
    corm_prepared *const *from = request->held_count > 0 ? request->held : &request->prepared;
    uint32_t count = request->held_count > 0 ? request->held_count : request->prepared != NULL;
    if (count == 0) return CORM_OK;
    corm_prepared **held = BASE_NEW_ARRAY(&out->arena, corm_prepared *, count);
    if (!held) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) held[i] = session__prepared_ref(from[i]);
    out->held = held;
    out->held_count = count;
    return CORM_OK;
}

corm_status session__request_copy(const session_request *request, session_request *out,
                                  corm_error *err) {
    base_arena *arena = &out->arena;
    out->wire = request->wire;
    out->keyspace = request->keyspace;
    out->prepared = request->prepared;
    out->metadata = request->metadata;
    CORM_TRY(copy_held(request, out, err));
    CORM_TRY(copy_text(arena, &out->keyspace, err));
    CORM_TRY(copy_text(arena, &out->wire.text, err));
    CORM_TRY(copy_text(arena, &out->wire.options.keyspace, err));
    CORM_TRY(copy_values(arena, out->wire.value_count, &out->wire.values, err));
    corm_bytes *state = &out->wire.options.paging_state;
    if (state->data) {
        state->data = base__arena_copy(arena, state->data, state->len);
        if (!state->data) return base__fail_memory(err);
    }
    return copy_batch(arena, &out->wire, err);
}

static void release_held(session_request *request) {
    for (uint32_t i = 0; i < request->held_count; i++) corm_prepared_free(request->held[i]);
}

void session__request_clear(session_request *request) {
    release_held(request);
    base__arena_free(&request->arena);
    *request = (session_request){ 0 };
}

void session__request_reset(session_request *request) {
    release_held(request);
    base__arena_reset(&request->arena);
    base_arena arena = request->arena;
    *request = (session_request){ .arena = arena };
}
