// SPDX-License-Identifier: MIT
/* bulk_end.c -- what became of a batch: its units are written; or it is sent again; or, refused as a whole, its units one by one, so
 * that the one to blame is found; or they are rejects. On threads of the session. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "stream/bulk_core.h"
#include "stream/json_value.h"

enum { MOST_DELAY_MS = 10000, MOST_SHIFT = 20 };

/* ---- units that end ---- */

static void put_item(const corm_prepared *prepared, const wire_batch_item *item, base_buf *out) {
    const char *before = "";
    base__buf_u8(out, '{');
    for (uint32_t i = 0; i < item->value_count; i++) {
        if (item->values[i].len == -2) continue;
        base__buf_puts(out, before);
        base__put_json_string(out, prepared->markers[i].name);
        base__buf_puts(out, ": ");
        stream__put_json_value(prepared->markers[i].type, item->values[i], out);
        before = ", ";
    }
    base__buf_u8(out, '}');
}

/* The record that was given, or the values of the (first) statement. */
static corm_str record_of(const bulk_unit *unit, base_buf *text) {
    if (unit->record.len > 0) return unit->record;
    put_item(unit->held[0], &unit->items[0], text);
    return text->failed ? (corm_str){ "", 0 } : base__buf_str(text);
}

static void report(corm_bulk *bulk, const bulk_unit *unit, const corm_bulk_outcome *outcome) {
    corm_error reason = *outcome->error;
    if (reason.line == 0) reason.line = (uint32_t)unit->number;
    pthread_mutex_lock(&bulk->rejects_lock);
    corm_error  err = { 0 };
    corm_status status = stream__reject(&bulk->rejects, outcome->record, &reason, &err);
    if (status != CORM_OK && bulk->failure.status == CORM_OK) bulk->failure = err;
    pthread_mutex_unlock(&bulk->rejects_lock);
}

/* The after functions of hooks may make a failure of it. */
static corm_status tell_hooks(bulk_unit *unit, corm_status status, corm_error *why) {
    session_batch_run *run = unit->run;
    unit->run = NULL;
    return session__watch_end(run, false, status, why);
}

/* Gives what became of it in the end. */
static corm_status tell(corm_bulk *bulk, bulk_unit *unit, corm_status status,
                        const corm_error *error) {
    const corm_bulk_options *options = &bulk->options;
    base_buf                 text = { 0 };
    corm_error               why = *error;
    status = tell_hooks(unit, status, &why);
    corm_bulk_outcome outcome = { .status = status, .attempts = unit->attempts };
    outcome.error = status == CORM_OK ? NULL : &why;
    outcome.tag = unit->tag;
    outcome.number = unit->number;
    outcome.record = status == CORM_OK ? unit->record : record_of(unit, &text);
    if (status != CORM_OK) report(bulk, unit, &outcome);
    if (status != CORM_OK && options->rejected) options->rejected(options->context, &outcome);
    if (options->done) options->done(options->context, &outcome);
    base__buf_free(&text);
    return status;
}

/* What the writer counts of them; they are freed. */
typedef struct ended {
    uint64_t count[2], written;
    size_t   bytes;
} ended;

static ended end_units(corm_bulk *bulk, bulk_unit *unit, corm_status status,
                       const corm_error *error) {
    ended out = { .bytes = 0 };
    while (unit) {
        bulk_unit *next = unit->next;
        out.written += tell(bulk, unit, status, error) == CORM_OK;
        out.count[unit->epoch]++;
        out.bytes += unit->bytes;
        bulk__unit_free(unit);
        unit = next;
    }
    return out;
}

/* ---- flights that end ---- */

static void finish(bulk_flight *flight, corm_status status, const corm_error *error) {
    corm_bulk *bulk = flight->bulk;
    bulk_unit *units = flight->first;
    flight->first = NULL;
    ended done = end_units(bulk, units, status, error);
    stream__lock(&bulk->gate);
    uint64_t count = done.count[0] + done.count[1];
    bulk->stats.written += done.written;
    bulk->stats.rejected += count - done.written;
    bulk->stats.bytes -= done.bytes;
    bulk->stats.in_flight--;
    bulk__land(flight);
    stream__unlock(&bulk->gate);
    bulk__pump(bulk);
    stream__lock(&bulk->gate); /* the writer may be freed when the last is counted */
    bulk->pending[0] -= done.count[0];
    bulk->pending[1] -= done.count[1];
    stream__wake(&bulk->gate);
    stream__unlock(&bulk->gate);
}

static void send_again(bulk_flight *flight) {
    corm_bulk *bulk = flight->bulk;
    uint32_t   shift = flight->attempts < MOST_SHIFT ? flight->attempts : MOST_SHIFT;
    uint64_t   delay = (uint64_t)bulk->options.retry_delay_ms << shift;
    uint32_t   jitter = 0;
    if (delay > MOST_DELAY_MS) delay = MOST_DELAY_MS;
    if (base__random(&jitter, sizeof jitter)) delay = delay / 2 + jitter % (delay / 2 + 1);
    flight->attempts++;
    stream__lock(&bulk->gate);
    flight->not_before_ns = base__clock_mono_ns() + (int64_t)delay * 1000000;
    bulk->stats.retries++;
    bulk__send_later(flight);
    bool at_once = !bulk->has_timer;
    stream__unlock(&bulk->gate);
    if (at_once) bulk__pump(bulk);
}

/* The batch was refused before anything of it was done. */
static void send_one_by_one(bulk_flight *flight) {
    corm_bulk *bulk = flight->bulk;
    for (bulk_unit *unit = flight->first; unit; unit = unit->next) unit->alone = true;
    stream__lock(&bulk->gate);
    bulk__put_back(flight);
    bulk->stats.in_flight--;
    bulk__land(flight);
    stream__unlock(&bulk->gate);
    bulk__pump(bulk);
}

static bool is_idempotent(const bulk_flight *flight) {
    for (const bulk_unit *unit = flight->first; unit; unit = unit->next) {
        if (!unit->is_idempotent) return false;
    }
    return true;
}

/* Nothing was written, whatever the statements are. */
static bool was_refused(corm_status status) {
    switch (status) {
    case CORM_UNAVAILABLE:
    case CORM_OVERLOADED:
    case CORM_BOOTSTRAPPING:
    case CORM_UNPREPARED: return true;
    default: return false;
    }
}

static bool is_passing(corm_status status) {
    return corm_status_is_retryable(status) || status == CORM_IO || status == CORM_TIMEOUT ||
           status == CORM_NO_MEMORY;
}

static bool may_send_again(const bulk_flight *flight, corm_status status) {
    const corm_bulk_options *options = &flight->bulk->options;
    if (options->no_retry || flight->attempts >= options->retries || !is_passing(status))
        return false;
    return was_refused(status) || status == CORM_NO_MEMORY || is_idempotent(flight);
}

/* The statement, not the server: another of the batch may be to blame. */
static bool is_of_statement(corm_status status) {
    return status == CORM_INVALID || status == CORM_INVALID_ARGUMENT || status == CORM_CONVERSION ||
           status == CORM_UNAUTHORIZED || status == CORM_CONFIG_ERROR ||
           status == CORM_SYNTAX_ERROR || status == CORM_UNSUPPORTED;
}

void bulk__answered(void *context, corm_status status, corm_result *result,
                    const corm_error *error) {
    bulk_flight *flight = context;
    corm_error   why = { 0 };
    if (error) why = *error;
    for (bulk_unit *unit = flight->first; unit; unit = unit->next) unit->attempts++;
    if (status == CORM_OK && !corm_result_applied(result)) {
        status = base__fail(&why, CORM_NOT_APPLIED, "%s", corm_status_text(CORM_NOT_APPLIED));
    }
    corm_result_free(result);
    if (status == CORM_OK || status == CORM_NOT_APPLIED) {
        finish(flight, status, &why);
    } else if (may_send_again(flight, status)) {
        send_again(flight);
    } else if (flight->count > 1 && is_of_statement(status)) {
        send_one_by_one(flight);
    } else {
        finish(flight, status, &why);
    }
}
