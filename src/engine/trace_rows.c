// SPDX-License-Identifier: MIT
/* trace_rows.c -- a trace as rows of system_traces, as Cassandra has them. The thread that ends the trace. */
#include <stdio.h>

#include "base/arena.h"
#include "base/fail.h"
#include "engine/core.h"
#include "engine/trace.h"

#define TTL "USING TTL 86400"

static const char session_text[] =
    "INSERT INTO system_traces.sessions (session_id, client, command, coordinator, "
    "coordinator_port, duration, parameters, request, started_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) " TTL;
static const char event_text[] =
    "INSERT INTO system_traces.events (session_id, event_id, activity, source, source_elapsed, "
    "source_port, thread) VALUES (?, ?, ?, ?, ?, ?, ?) " TTL;

enum { SESSION_VALUES = 9, EVENT_VALUES = 7, STORAGE_PORT = 7000 };

/* ---- values, in the arena ---- */

static cql_value bytes_value(base_arena *arena, const void *data, size_t len) {
    return (cql_value){ base__arena_copy(arena, data, len), (int32_t)len };
}

static cql_value text_value(base_arena *arena, corm_str text) {
    return bytes_value(arena, text.data, text.len);
}

static cql_value int_value(base_arena *arena, int64_t number) {
    uint8_t bytes[4];
    base__store_u32(bytes, number > INT32_MAX ? INT32_MAX : (uint32_t)number);
    return bytes_value(arena, bytes, sizeof bytes);
}

static cql_value time_value(base_arena *arena, int64_t us) {
    uint8_t bytes[8];
    base__store_u64(bytes, (uint64_t)(us / 1000));
    return bytes_value(arena, bytes, sizeof bytes);
}

static cql_value address_value(base_arena *arena, const corm_inet *address) {
    static const uint8_t loopback[] = { 127, 0, 0, 1 };
    if (address->length == 0) return bytes_value(arena, loopback, sizeof loopback);
    return bytes_value(arena, address->bytes, address->length);
}

/* ---- parameters ---- */

typedef struct parameters {
    base_buf buf; /* a map<text, text> */
    int32_t  count;
} parameters;

static void put_parameter(parameters *to, const char *name, corm_str value) {
    corm_str key = corm_str_of(name);
    base__buf_i32(&to->buf, (int32_t)key.len);
    base__buf_put_str(&to->buf, key);
    base__buf_i32(&to->buf, (int32_t)value.len);
    base__buf_put_str(&to->buf, value);
    to->count++;
}

static void put_level(parameters *to, const char *name, wire_consistency level) {
    static const char *const names[] = { "ANY",    "ONE",          "TWO",          "THREE",
                                         "QUORUM", "ALL",          "LOCAL_QUORUM", "EACH_QUORUM",
                                         "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE" };
    if ((size_t)level < sizeof names / sizeof *names)
        put_parameter(to, name, corm_str_of(names[level]));
}

static corm_str text_of(const wire_request *request) {
    return request->kind == WIRE_EXECUTE ? engine__prepared_text(request->prepared) : request->text;
}

/* bound_var_0_name, as a literal. */
static void put_value(parameters *to, uint32_t index, const cql_marker *marker, cql_value value) {
    base_buf name = { 0 }, text = { 0 };
    base__buf_printf(&name, "bound_var_%u_%.*s", index, (int)marker->name.len, marker->name.data);
    if (value.len >= 0)
        cql__to_text(marker->type, value, CQL_STYLE_LITERAL, &text);
    else
        base__buf_puts(&text, "null");
    put_parameter(to, base__buf_cstr(&name), base__buf_str(&text));
    base__buf_free(&name);
    base__buf_free(&text);
}

static void put_bound(parameters *to, const wire_request *request) {
    if (request->kind != WIRE_EXECUTE) return;
    engine_version    *version = engine__prepared_newest(request->prepared);
    const cql_checked *checked = version ? version->checked : NULL;
    for (uint32_t i = 0; checked && i < request->value_count && i < checked->marker_count; i++)
        put_value(to, i, &checked->markers[i], request->values[i]);
    engine__version_unref(version);
}

static cql_value parameters_value(base_arena *arena, const wire_request *request) {
    const wire_options *options = &request->options;
    parameters          all = { 0 };
    char                number[16];
    base__buf_i32(&all.buf, 0);
    if (request->kind != WIRE_PREPARE) put_level(&all, "consistency_level", options->consistency);
    if (options->page_size > 0 && request->kind != WIRE_BATCH) {
        snprintf(number, sizeof number, "%d", options->page_size);
        put_parameter(&all, "page_size", corm_str_of(number));
    }
    if (request->kind != WIRE_BATCH)
        put_parameter(&all, "query", engine__trace_text(text_of(request)));
    if (request->kind != WIRE_PREPARE)
        put_level(&all, "serial_consistency_level",
                  options->serial_consistency ? options->serial_consistency : WIRE_SERIAL);
    put_bound(&all, request);
    cql_value out = { NULL, -1 };
    if (!all.buf.failed) {
        base__buf_set_i32(&all.buf, 0, all.count);
        out = bytes_value(arena, all.buf.data, all.buf.len);
    }
    base__buf_free(&all.buf);
    return out;
}

/* ---- rows ---- */

static const char *request_name(wire_request_kind kind) {
    switch (kind) {
    case WIRE_QUERY: return "Execute CQL3 query";
    case WIRE_PREPARE: return "Preparing CQL3 query";
    case WIRE_EXECUTE: return "Execute CQL3 prepared query";
    case WIRE_BATCH: return "Execute batch of CQL3 queries";
    }
    return "";
}

static void set_session(base_arena *arena, const engine_trace *trace, cql_value *out) {
    const engine_client *client = trace->client;
    out[0] = bytes_value(arena, &trace->id, sizeof trace->id);
    out[1] = address_value(arena, &client->peer);
    out[2] = text_value(arena, corm_str_of("QUERY"));
    out[3] = address_value(arena, &client->address);
    out[4] = int_value(arena, STORAGE_PORT);
    out[5] = int_value(arena, (trace->ended_ns - trace->began_ns) / 1000);
    out[6] = parameters_value(arena, trace->request);
    out[7] = text_value(arena, corm_str_of(request_name(trace->request->kind)));
    out[8] = time_value(arena, trace->began_us);
}

static void set_event(base_arena *arena, const engine_trace *trace, const engine_trace_event *event,
                      cql_value *out) {
    corm_str activity = { (const char *)trace->text.data + event->at, event->len };
    out[0] = bytes_value(arena, &trace->id, sizeof trace->id);
    out[1] = bytes_value(arena, &event->id, sizeof event->id);
    out[2] = text_value(arena, activity);
    out[3] = address_value(arena, &trace->client->address);
    out[4] = int_value(arena, event->elapsed_us);
    out[5] = int_value(arena, STORAGE_PORT);
    out[6] = text_value(arena, corm_str_of(event->thread));
}

static corm_status fill(base_arena *arena, const engine_trace *trace, wire_batch_item *items,
                        corm_error *err) {
    for (uint32_t i = 0; i <= trace->count; i++) {
        uint32_t   count = i == 0 ? SESSION_VALUES : EVENT_VALUES;
        cql_value *values = BASE_NEW_ARRAY(arena, cql_value, count);
        if (!values) return base__fail_memory(err);
        if (i == 0)
            set_session(arena, trace, values);
        else
            set_event(arena, trace, &trace->events[i - 1], values);
        for (uint32_t j = 0; j < count; j++) {
            if (!values[j].data) return base__fail_memory(err);
        }
        items[i] = (wire_batch_item){ .text = corm_str_of(i == 0 ? session_text : event_text),
                                      .value_count = count,
                                      .values = values };
    }
    return CORM_OK;
}

static corm_status store_rows(engine *store, const engine_trace *trace, base_arena *arena,
                              corm_error *err) {
    engine_client    nobody = { .port = 0 };
    wire_answer      answer = { 0 };
    wire_batch_item *items = BASE_NEW_ARRAY(arena, wire_batch_item, trace->count + 1);
    if (!items) return base__fail_memory(err);
    CORM_TRY(fill(arena, trace, items, err));
    wire_request batch = { .kind = WIRE_BATCH,
                           .batch_kind = CQL_BATCH_UNLOGGED,
                           .batch_count = trace->count + 1,
                           .batch = items,
                           .options = { .consistency = WIRE_ONE, .is_internal = true } };
    corm_status  status = engine__execute(store, &nobody, &batch, &answer, err);
    wire__answer_free(&answer);
    return status;
}

corm_status engine__trace_store(engine *store, const engine_trace *trace, corm_error *err) {
    base_arena  arena = { 0 };
    corm_status status = store_rows(store, trace, &arena, err);
    base__arena_free(&arena);
    return status;
}
