// SPDX-License-Identifier: MIT
/* request.c -- requests made from options and statements, and copies of them that own all their
 * parts (for tasks, and for the next page of a result). */
#include "base/fail.h"
#include "session/core.h"
#include "wire/message.h"

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

/* ---- what only a cluster has ---- */

/* The embedded store has no profiles: any name will do there. */
static corm_status find_profile(const corm_session *session, const char *name,
                                const corm_profile **out, corm_error *err) {
    if (!name) return CORM_OK;
    const session_door_ops *ops = session->door->ops;
    if (!ops->options) return CORM_OK;
    const corm_cluster_options *cluster = ops->options(session->door);
    for (uint32_t i = 0; i < cluster->profile_count; i++) {
        if (strcmp(cluster->profiles[i].name, name) == 0) *out = &cluster->profiles[i];
    }
    if (*out) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "there is no execution profile '%s'", name);
}

/* The list is in the request's arena, what it points to is the caller's. */
static corm_status set_payload(session_request *request, const corm_payload_item *items,
                               uint32_t count, corm_error *err) {
    if (count == 0) return CORM_OK;
    wire_payload_item *out = BASE_NEW_ARRAY(&request->arena, wire_payload_item, count);
    if (!out) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        if (!items[i].name) {
            return base__fail(err, CORM_INVALID_ARGUMENT, "an item of the payload has no name");
        }
        out[i].name = corm_str_of(items[i].name);
        out[i].value = items[i].value.data ? cql__value_of(items[i].value) : CQL_NULL;
    }
    request->wire.options.payload = out;
    request->wire.options.payload_count = count;
    return CORM_OK;
}

static bool needs_routing(const corm_request_options *options) {
    return options->profile || options->timeout_ms || options->idempotence || options->host;
}

static corm_status set_cluster_options(const corm_request_options *options,
                                       session_request *request, corm_error *err) {
    request->wire.options.tracing = options->trace;
    if (needs_routing(options)) request->wire.options.routing = options;
    return set_payload(request, options->payload, options->payload_count, err);
}

/* ---- all of them ---- */

/* The first that is set: the request's, its profile's, the session's. */
static void set_levels(const corm_session *session, const corm_request_options *options,
                       const corm_profile *profile, wire_options *out) {
    corm_consistency level = options->consistency, serial = options->serial_consistency;
    if (level == 0) level = profile->consistency;
    if (serial == 0) serial = profile->serial_consistency;
    out->consistency = level ? (wire_consistency)(level - 1) : session->consistency;
    if (serial) out->serial_consistency = (wire_consistency)(serial - 1);
    out->page_size = options->page_size ? options->page_size : profile->page_size;
    if (out->page_size == 0) out->page_size = session->page_size;
}

corm_status session__request_options(const corm_session         *session,
                                     const corm_request_options *options, session_request *request,
                                     corm_error *err) {
    static const corm_request_options defaults;
    static const corm_profile         no_profile;
    const corm_profile               *profile = NULL;
    if (!options) options = &defaults;
    CORM_TRY(check_options(options, err));
    CORM_TRY(find_profile(session, options->profile, &profile, err));
    wire_options *out = &request->wire.options;
    set_levels(session, options, profile ? profile : &no_profile, out);
    out->has_timestamp = options->has_timestamp;
    out->timestamp = options->timestamp_us;
    out->has_now = options->has_now;
    out->now_in_seconds = options->now_seconds;
    if (options->paging_state.len > 0) out->paging_state = options->paging_state;
    if (options->keyspace) out->keyspace = corm_str_of(options->keyspace);
    request->keyspace =
        options->keyspace ? out->keyspace : corm_str_of(corm_session_keyspace(session));
    request->reads_ahead = session->door->ops->asynchronous && !options->no_read_ahead;
    return set_cluster_options(options, request, err);
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
    *text = text->len > 0 ? base__arena_str(arena, *text) : (corm_str){ "", 0 };
    return text->data ? CORM_OK : base__fail_memory(err);
}

/* A call of memcpy costs more than copying what most values are. */
static void copy_bytes(uint8_t *to, const uint8_t *from, size_t len) {
    if (len == 8) {
        memcpy(to, from, 8);
    } else if (len == 4) {
        memcpy(to, from, 4);
    } else if (len > 0) {
        memcpy(to, from, len);
    }
}

cql_value *session__wire_values_copy(base_arena *arena, const cql_value *values, uint32_t count) {
    size_t bytes = count * sizeof *values;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].len > 0) bytes += (size_t)values[i].len;
    }
    cql_value *copies = base__arena_alloc(arena, bytes);
    if (!copies) return NULL;
    uint8_t *next = (uint8_t *)(copies + count);
    for (uint32_t i = 0; i < count; i++) {
        copies[i] = values[i];
        if (values[i].len < 0) continue;
        copy_bytes(next, values[i].data, (size_t)values[i].len);
        copies[i].data = next;
        next += values[i].len;
    }
    return copies;
}

static corm_status copy_values(base_arena *arena, uint32_t count, const cql_value **values,
                               corm_error *err) {
    if (count == 0) return CORM_OK;
    *values = session__wire_values_copy(arena, *values, count);
    return *values ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_zero_ended(base_arena *arena, const char **text, corm_error *err) {
    if (!*text) return CORM_OK;
    *text = base__arena_str(arena, corm_str_of(*text)).data;
    return *text ? CORM_OK : base__fail_memory(err);
}

/* What routing reads of it, and nothing that would point to the caller's memory. */
static corm_status copy_routing(base_arena *arena, wire_options *options, corm_error *err) {
    if (!options->routing) return CORM_OK;
    corm_request_options *copy = BASE_NEW(arena, corm_request_options);
    if (!copy) return base__fail_memory(err);
    *copy = *options->routing;
    copy->paging_state = (corm_bytes){ NULL, 0 };
    copy->keyspace = NULL;
    copy->payload = NULL;
    copy->payload_count = 0;
    options->routing = copy;
    CORM_TRY(copy_zero_ended(arena, &copy->profile, err));
    return copy_zero_ended(arena, &copy->host, err);
}

static corm_status copy_payload(base_arena *arena, wire_options *options, corm_error *err) {
    if (options->payload_count == 0) return CORM_OK;
    wire_payload_item *items = BASE_NEW_ARRAY(arena, wire_payload_item, options->payload_count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < options->payload_count; i++) {
        items[i] = options->payload[i];
        CORM_TRY(copy_text(arena, &items[i].name, err));
        if (items[i].value.len < 0) continue;
        items[i].value.data =
            base__arena_copy(arena, items[i].value.data, (size_t)items[i].value.len);
        if (!items[i].value.data) return base__fail_memory(err);
    }
    options->payload = items;
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
    corm_prepared **held =
        count == 1 ? &out->one : BASE_NEW_ARRAY(&out->arena, corm_prepared *, count);
    if (!held) return base__fail_memory(err);
    out->held = held;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && from[i] == from[i - 1]) continue; /* of a batch with one statement */
        held[out->held_count++] = session__prepared_ref(from[i]);
    }
    return CORM_OK;
}

corm_status session__request_copy(const session_request *request, session_request *out,
                                  corm_error *err) {
    base_arena *arena = &out->arena;
    out->wire = request->wire;
    out->keyspace = request->keyspace;
    out->prepared = request->prepared;
    out->metadata = request->metadata;
    out->reads_ahead = request->reads_ahead;
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
    CORM_TRY(copy_routing(arena, &out->wire.options, err));
    CORM_TRY(copy_payload(arena, &out->wire.options, err));
    return copy_batch(arena, &out->wire, err);
}

void session__request_drop(session_request *request) {
    base__arena_free(&request->arena);
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
