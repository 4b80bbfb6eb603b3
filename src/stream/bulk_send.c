// SPDX-License-Identifier: MIT
/* bulk_send.c -- batches to the door, and again at their time. Whoever brings a unit or takes an answer sends what may be sent; a thread
 * of the writer's is started with the first batch that has to wait. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "stream/bulk_core.h"

/* ---- one batch ---- */

static corm_status copy_items(const bulk_flight *flight, session_request *request,
                              corm_error *err) {
    wire_batch_item *items = BASE_NEW_ARRAY(&request->arena, wire_batch_item, flight->statements);
    corm_prepared  **held = BASE_NEW_ARRAY(&request->arena, corm_prepared *, flight->statements);
    uint32_t         at = 0;
    if (!items || !held) return base__fail_memory(err);
    for (const bulk_unit *unit = flight->first; unit; unit = unit->next) {
        memcpy(items + at, unit->items, unit->count * sizeof *items);
        memcpy(held + at, unit->held, unit->count * sizeof *held);
        at += unit->count;
    }
    request->held = held;
    request->held_count = at;
    request->wire.batch = items;
    request->wire.batch_count = at;
    return CORM_OK;
}

/* On an embedded store a logged batch is what an unlogged one is, without the server's warning of many partitions. */
static uint8_t kind_of(const bulk_flight *flight) {
    const bulk_unit *first = flight->first;
    if (first->is_counter) return CORM_COUNTER_BATCH;
    return first->count > 1 || flight->bulk->is_embedded ? CORM_LOGGED : CORM_UNLOGGED;
}

static corm_status make_request(const bulk_flight *flight, session_request *request,
                                corm_error *err) {
    const corm_bulk *bulk = flight->bulk;
    const bulk_unit *first = flight->first;
    CORM_TRY(session__request_options(bulk->session, &bulk->request, request, err));
    wire_options *options = &request->wire.options;
    options->has_timestamp = flight->has_timestamp;
    options->timestamp = flight->timestamp_us;
    if (flight->statements == 1) {
        session__request_execute(request, first->held[0], first->items[0].values);
        return CORM_OK;
    }
    request->wire.kind = WIRE_BATCH;
    request->wire.batch_kind = kind_of(flight);
    options->has_token = first->has_token;
    options->token = first->token;
    return copy_items(flight, request, err);
}

/* The request's statements are the units': it holds no references of its own. */
static void send_flight(bulk_flight *flight) {
    session_request request = { 0 };
    corm_error      err = { 0 };
    corm_task      *task = NULL;
    corm_status     status = make_request(flight, &request, &err);
    if (status == CORM_OK) {
        task = session__task_run(flight->bulk->session, CORM_OK, &request, false, bulk__answered,
                                 flight, &err);
        if (!task) status = base__fail_memory(&err);
    }
    session__request_drop(&request);
    corm_task_free(task);
    if (!task) bulk__answered(flight, status, NULL, &err);
}

/* ---- which ---- */

static bulk_flight *take_due(corm_bulk *bulk) {
    int64_t now = base__clock_mono_ns();
    for (bulk_flight **link = &bulk->again; *link; link = &(*link)->next) {
        bulk_flight *flight = *link;
        if (flight->not_before_ns > now && bulk->has_timer) continue;
        *link = flight->next;
        return flight;
    }
    return NULL;
}

/* Those that are sent again have kept their place among the flights. */
static bulk_flight *next_flight(corm_bulk *bulk) {
    bulk_flight *flight = take_due(bulk);
    if (flight) return flight;
    if (bulk->stats.in_flight >= bulk->options.max_in_flight) return NULL;
    flight = bulk__form(bulk);
    if (!flight) return NULL;
    corm_bulk_stats *stats = &bulk->stats;
    if (++stats->in_flight > stats->in_flight_peak) stats->in_flight_peak = stats->in_flight;
    return flight;
}

/* What ends at once comes back into here on this thread: the call outside goes on with it. */
static _Thread_local const corm_bulk *pumping;

void bulk__pump(corm_bulk *bulk) {
    const corm_bulk *outer = pumping;
    if (outer == bulk) return;
    pumping = bulk;
    stream__lock(&bulk->gate);
    for (bulk_flight *flight; (flight = next_flight(bulk)) != NULL;) {
        bulk->stats.batches++;
        bulk->stats.statements += flight->statements;
        stream__unlock(&bulk->gate);
        send_flight(flight);
        stream__lock(&bulk->gate);
    }
    stream__unlock(&bulk->gate);
    pumping = outer;
}

void bulk__wait(corm_bulk *bulk) {
    enum { SOON_NS = 10000000 };
    int64_t until = 0;
    if (bulk->stats.in_flight == 0 && bulk->waiting) {
        stream__unlock(&bulk->gate);
        bulk__pump(bulk);
        stream__lock(&bulk->gate);
        until = base__clock_mono_ns() + SOON_NS;
    }
    stream__wait(&bulk->gate, until);
}

/* ---- later ---- */

static int64_t next_time(const corm_bulk *bulk) {
    int64_t first = 0;
    for (const bulk_flight *flight = bulk->again; flight; flight = flight->next) {
        if (first == 0 || flight->not_before_ns < first) first = flight->not_before_ns;
    }
    return first;
}

static void *keep_time(void *context) {
    corm_bulk *bulk = context;
    stream__lock(&bulk->gate);
    while (!bulk->closing) {
        int64_t until = next_time(bulk);
        if (until == 0 || until > base__clock_mono_ns()) {
            stream__wait(&bulk->gate, until);
            continue;
        }
        stream__unlock(&bulk->gate);
        bulk__pump(bulk);
        stream__lock(&bulk->gate);
    }
    stream__unlock(&bulk->gate);
    return NULL;
}

/* Without a thread, or on a caller's loop, it is sent again at once. */
void bulk__send_later(bulk_flight *flight) {
    corm_bulk *bulk = flight->bulk;
    flight->next = bulk->again;
    bulk->again = flight;
    if (!bulk->has_timer && !stream__has_loop(bulk->session)) {
        bulk->has_timer = pthread_create(&bulk->timer, NULL, keep_time, bulk) == 0;
    }
    stream__wake(&bulk->gate);
}

void bulk__stop_timer(corm_bulk *bulk) {
    stream__lock(&bulk->gate);
    bool has_timer = bulk->has_timer;
    bulk->closing = true;
    stream__wake(&bulk->gate);
    stream__unlock(&bulk->gate);
    if (has_timer) pthread_join(bulk->timer, NULL);
}
