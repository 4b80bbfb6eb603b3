// SPDX-License-Identifier: MIT
/* query.c -- the cluster's own questions to a node. Owns nothing beyond the call. The loop's thread. */
#include "driver/query.h"

#include "base/arena.h"
#include "base/fail.h"

static driver_cluster *end(driver_query *query) {
    driver_cluster *cluster = query->cluster;
    driver__timer_stop(&cluster->timers, &query->timeout);
    query->cluster = NULL;
    return cluster;
}

static corm_status read_error(const wire_frame *frame, corm_bytes message, corm_error *err) {
    wire_error error;
    CORM_TRY(wire__error_read(message, frame->version, &error, err));
    return wire__error_report(&error, err);
}

static corm_status read_answer(const wire_frame *frame, base_arena *arena, wire_result *result,
                               corm_error *err) {
    wire_prefix prefix;
    CORM_TRY(wire__prefix_read(frame, &prefix, err));
    if (frame->opcode == WIRE_OP_ERROR) return read_error(frame, prefix.message, err);
    if (frame->opcode != WIRE_OP_RESULT) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "a query was answered with opcode %u",
                          frame->opcode);
    }
    return wire__result_read(prefix.message, frame->version, arena, result, err);
}

static void came(driver_call *call, corm_status status, const wire_frame *frame,
                 const corm_error *why) {
    driver_query *query = (driver_query *)call;
    base_arena    arena = { 0 };
    wire_result   result = { 0 };
    corm_error    err = { 0 };
    (void)end(query);
    if (why) err = *why;
    if (status == CORM_OK) status = read_answer(frame, &arena, &result, &err);
    query->done(query, status, status ? NULL : &result, status ? &err : NULL);
    base__arena_free(&arena);
}

static void too_late(driver_timer *timer) {
    driver_query *query = (driver_query *)(void *)((char *)timer - offsetof(driver_query, timeout));
    corm_error    err;
    uint32_t      limit = query->cluster->settings.options.connect_timeout_ms;
    (void)base__fail(&err, CORM_TIMEOUT, "the node did not answer within %u ms", limit);
    (void)end(query);
    driver__conn_abandon(&query->call);
    query->done(query, CORM_TIMEOUT, NULL, &err);
}

corm_status driver__query_send(driver_cluster *cluster, driver_conn *conn, driver_query *query,
                               const char *text, corm_error *err) {
    wire_request request = {
        .kind = WIRE_QUERY,
        .text = corm_str_of(text),
        .options = { .consistency = WIRE_ONE, .is_internal = true },
    };
    base_buf *body;
    query->call.done = came;
    CORM_TRY(driver__conn_begin(conn, &query->call, 0, WIRE_OP_QUERY, &body, err));
    uint8_t     version = driver__conn_version(conn);
    corm_status status = wire__put_request(body, &request, version, NULL, NULL, err);
    if (status != CORM_OK) {
        driver__conn_drop(conn, &query->call);
        return status;
    }
    CORM_TRY(driver__conn_end(conn, &query->call, err));
    query->cluster = cluster;
    query->timeout.fire = too_late;
    driver__timer_start(&cluster->timers, &query->timeout,
                        cluster->settings.options.connect_timeout_ms);
    return CORM_OK;
}

void driver__query_cancel(driver_query *query) {
    if (!query->cluster) return;
    (void)end(query);
    driver__conn_abandon(&query->call);
}

bool driver__query_is_out(const driver_query *query) {
    return query->cluster != NULL;
}

/* ---- reading rows ---- */

uint32_t driver__column(const wire_result *result, const char *name) {
    for (uint32_t i = 0; i < result->metadata.count; i++) {
        if (corm_str_equal(result->metadata.columns[i].name, corm_str_of(name))) return i;
    }
    return DRIVER_NO_COLUMN;
}

bool driver__row(base_reader *reader, const wire_result *result, cql_value *values) {
    for (uint32_t i = 0; i < result->metadata.count; i++) values[i] = cql__read_value(reader);
    return !reader->failed;
}
