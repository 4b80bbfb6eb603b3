// SPDX-License-Identifier: MIT
/* answer.c -- a RESULT becomes the request's answer: copied, and what it changes noted. The loop's thread. */
#include "driver/request_parts.h"

/* Gives the kind; 0 for a body too short to have one. */
static uint32_t kind_of(corm_bytes message) {
    return message.len < 4 ? 0 : base__load_u32(message.data);
}

static void copy(base_buf *to, corm_bytes from) {
    base__buf_clear(to);
    base__buf_put(to, from.data, from.len);
}

/* Most answers carry nothing beside their body. */
static corm_status take(driver_request *r, const wire_frame *frame, wire_prefix *prefix) {
    wire_answer *answer = r->answer;
    answer->version = frame->version;
    if (frame->flags == 0) {
        *prefix = (wire_prefix){ .message = frame->body };
    } else {
        CORM_TRY(wire__prefix_read(frame, prefix, &r->error));
        copy(&answer->warnings, prefix->warnings);
        copy(&answer->payload, prefix->payload);
        answer->tracing_id = prefix->tracing_id;
        CORM_TRY(base__buf_status(&answer->warnings, &r->error));
        CORM_TRY(base__buf_status(&answer->payload, &r->error));
    }
    copy(&answer->body, prefix->message);
    return base__buf_status(&answer->body, &r->error);
}

/* ---- PREPARED ---- */

corm_status driver__answer_prepared(driver_request *r, driver_prepared *prepared) {
    wire_answer *answer = r->answer;
    copy(&answer->body, prepared->body);
    CORM_TRY(base__buf_status(&answer->body, &r->error));
    answer->version = prepared->version;
    answer->prepared = driver__prepared_ref(driver__prepared_wire(prepared));
    return CORM_OK;
}

/* Texts that differ in their values fill the cache and are never met again: an operator should know. */
static void note_thrown_out(driver_cluster *cluster) {
    enum { EVERY = 1000 };
    driver_prepared_cache *cache = &cluster->prepared;
    if (cache->thrown_out <= cache->noted) return;
    cache->noted = cache->thrown_out + EVERY;
    driver__log(
        cluster,
        "prepared statements were thrown out of a full cache (%zu bytes), %llu so far: are values "
        "written into texts instead of markers?",
        cache->most_bytes, (unsigned long long)cache->thrown_out);
}

static void take_prepared(driver_request *r, driver_conn *conn, corm_bytes message) {
    driver_prepared *prepared = NULL;
    if (r->is_again) {
        driver__request_end(r, CORM_OK);
        return;
    }
    uint32_t    mask = driver__conn_sharding(conn)->lwt_mask;
    corm_str    keyspace = r->wire->options.keyspace.data ? r->wire->options.keyspace : r->keyspace;
    corm_status status =
        driver__prepared_add(&r->cluster->prepared, keyspace, r->wire->text, message,
                             r->answer->version, mask, &prepared, &r->error);
    if (status == CORM_OK) {
        driver__count(&r->cluster->totals.prepares, 1);
        note_thrown_out(r->cluster);
        r->answer->prepared = driver__prepared_ref(driver__prepared_wire(prepared));
        driver__prepare_done(r, prepared);
        driver__prepared_unref(driver__prepared_wire(prepared));
    }
    driver__request_end(r, status);
}

/* ---- SCHEMA_CHANGE ---- */

static void on_agreed(driver_waiter *waiter, corm_status status, const corm_error *err) {
    driver_request *r =
        (driver_request *)(void *)((char *)waiter - offsetof(driver_request, waiter));
    if (status == CORM_TIMEOUT) {
        wire__add_warning(r->answer, corm_str_of("the nodes do not agree on the schema yet"));
        status = CORM_OK;
    }
    if (status != CORM_OK && err) r->error = *err;
    driver__request_end(r, status);
}

/* A table's change concerns the statements about it; any other may concern all of the keyspace. */
static corm_status forget_statements(driver_request *r) {
    base_arena  arena = { 0 };
    wire_result result;
    corm_status status = wire__result_read(base__buf_bytes(&r->answer->body), r->answer->version,
                                           &arena, &result, &r->error);
    if (status == CORM_OK) {
        bool table = corm_str_equal(result.target, corm_str_of("TABLE"));
        driver__prepared_forget(&r->cluster->prepared, result.keyspace,
                                table ? result.name : (corm_str){ 0 });
    }
    base__arena_free(&arena);
    return status;
}

/* The change is made, whatever the agreement's time-out says: the request's own deadline is over. */
static void take_schema_change(driver_request *r) {
    driver_cluster *cluster = r->cluster;
    corm_status     status = forget_statements(r);
    if (status != CORM_OK) {
        driver__request_end(r, status);
        return;
    }
    driver__attempts_abandon(r, false);
    if (r->deadline.link) driver__timer_stop(&cluster->timers, &r->deadline);
    if (r->speculation.link) driver__timer_stop(&cluster->timers, &r->speculation);
    r->now_ns = 0;
    r->waiter.wake = on_agreed;
    driver__cluster_agree(cluster, &r->waiter, cluster->settings.options.schema_agreement_ms);
}

/* ---- SET_KEYSPACE ---- */

/* In v4 the connection is in the keyspace from now on. */
static corm_status note_keyspace(driver_request *r, driver_conn *conn) {
    base_arena  arena = { 0 };
    wire_result result;
    corm_status status = wire__result_read(base__buf_bytes(&r->answer->body), r->answer->version,
                                           &arena, &result, &r->error);
    if (status == CORM_OK) status = driver__conn_set_keyspace(conn, result.keyspace, &r->error);
    base__arena_free(&arena);
    return status;
}

/* ---- all ---- */

static void count_won(const driver_request *r, const driver_attempt *attempt) {
    if (attempt->speculative) driver__count(&r->cluster->totals.speculations_won, 1);
}

void driver__answer_result(driver_request *r, driver_attempt *attempt, const wire_frame *frame) {
    wire_prefix prefix;
    corm_status status = take(r, frame, &prefix);
    if (status != CORM_OK) {
        driver__request_end(r, status);
        return;
    }
    count_won(r, attempt);
    if (r->observed && r->answer->warnings.len > 0) driver__observe_warnings(r);
    switch (kind_of(prefix.message)) {
    case WIRE_ROWS:
    case WIRE_VOID: driver__request_end(r, CORM_OK); return;
    case WIRE_SET_KEYSPACE:
        driver__request_end(r, frame->version < 5 ? note_keyspace(r, attempt->on) : CORM_OK);
        return;
    case WIRE_PREPARED: take_prepared(r, attempt->on, prefix.message); return;
    case WIRE_SCHEMA_CHANGE: take_schema_change(r); return;
    default: driver__request_fail(r, CORM_PROTOCOL_ERROR, "the node's answer is no result");
    }
}
