// SPDX-License-Identifier: MIT
/* heartbeat.c -- one timer a connection: first the connect timeout, then whether the node is alive. The loop's thread.
 *
 * A node that has sent nothing for the interval is asked (OPTIONS); when nothing comes within the timeout it is dead, however
 * many requests wait. A timer can be late because the loop was, with the node's bytes lying in the socket: before a connection
 * is given up, the loop reads once more. */
#include "base/fail.h"
#include "driver/conn_internal.h"

enum { LAST_CHANCE_MS = 1 };

static void arm(driver_conn *conn, uv_timer_cb fire, uint64_t delay_ms) {
    (void)uv_timer_start(&conn->timer, fire, delay_ms, 0); /* fails only without a callback */
}

/* Whether the loop has waited, and read, since this was asked first. (uv_run may pass over its timers twice in between.) */
static bool has_had_its_chance(driver_conn *conn) {
    if (conn->last_chance) return conn->io->turn != conn->last_turn;
    conn->last_chance = true;
    conn->last_turn = conn->io->turn;
    return false;
}

/* ---- the connect timeout ---- */

static void on_connect_timeout(uv_timer_t *timer) {
    driver_conn *conn = timer->data;
    corm_error   err;
    if (!has_had_its_chance(conn)) {
        arm(conn, on_connect_timeout, LAST_CHANCE_MS);
        return;
    }
    (void)base__fail(&err, CORM_TIMEOUT, "no connection within %u ms",
                     conn->options.settings->options.connect_timeout_ms);
    driver__conn_fail(conn, &err);
}

void driver__connect_timer_start(driver_conn *conn) {
    arm(conn, on_connect_timeout, conn->options.settings->options.connect_timeout_ms);
}

/* ---- the heartbeat ---- */

static void on_beat(uv_timer_t *timer);

static void on_alive(driver_call *call, corm_status status, const wire_frame *frame,
                     const corm_error *err) {
    (void)call; /* that bytes came is what counts */
    (void)status;
    (void)frame;
    (void)err;
}

static corm_status send_probe(driver_conn *conn, corm_error *err) {
    base_buf *body;
    conn->probe.done = on_alive;
    CORM_TRY(driver__conn_start(conn, &conn->probe, 0, WIRE_OP_OPTIONS, &body, err));
    CORM_TRY(driver__conn_end(conn, &conn->probe, err));
    if (conn->figures) driver__count(&conn->figures->heartbeats, 1);
    return CORM_OK;
}

/* Without a free stream id so much is in flight that the silence is an answer. */
static void ask(driver_conn *conn) {
    corm_error err;
    conn->probe_ms = uv_now(conn->options.loop);
    if (driver__heartbeat_is_out(conn)) return;
    if (send_probe(conn, &err) == CORM_NO_MEMORY) conn->probe_ms = 0; /* asked again later */
}

static void give_up(driver_conn *conn) {
    corm_error err;
    (void)base__fail(&err, CORM_TIMEOUT, "the node has not answered a heartbeat within %u ms",
                     conn->options.settings->options.health_check.timeout_ms);
    driver__conn_fail(conn, &err);
}

/* Whether it was asked and nothing has come since; within one millisecond the answer itself tells. */
static bool waits_for_life(const driver_conn *conn) {
    if (conn->probe_ms != conn->received_ms) return conn->probe_ms > conn->received_ms;
    return driver__heartbeat_is_out(conn);
}

/* An idle connection keeps no large buffers. */
static void give_memory_back(driver_conn *conn) {
    if (driver__conn_in_flight(conn) > 0) return;
    if (!conn->writing) base__buf_free(&conn->sending);
    if (wire__encoder_is_empty(&conn->encoder)) base__buf_free(&conn->encoder.out);
    if (conn->queued.len == 0) base__buf_free(&conn->queued);
}

/* Looks again when the answer is overdue, or after an interval if that is sooner. */
static void wait_for_answer(driver_conn *conn, uint64_t left_ms) {
    uint64_t interval = conn->options.settings->options.health_check.interval_ms;
    arm(conn, on_beat, left_ms < interval ? left_ms : interval);
}

static void on_silence(driver_conn *conn, uint64_t now) {
    uint64_t timeout = conn->options.settings->options.health_check.timeout_ms;
    if (!waits_for_life(conn)) {
        conn->last_chance = false;
        give_memory_back(conn);
        ask(conn);
        wait_for_answer(conn, timeout);
    } else if (now < conn->probe_ms + timeout) {
        wait_for_answer(conn, conn->probe_ms + timeout - now);
    } else if (!has_had_its_chance(conn)) {
        arm(conn, on_beat, LAST_CHANCE_MS);
    } else {
        give_up(conn);
    }
}

static void on_beat(uv_timer_t *timer) {
    driver_conn *conn = timer->data;
    uint64_t     now = uv_now(timer->loop);
    uint64_t     due = conn->received_ms + conn->options.settings->options.health_check.interval_ms;
    if (now >= due || waits_for_life(conn)) {
        on_silence(conn, now);
        return;
    }
    conn->last_chance = false;
    if (!conn->options.settings->options.health_check.disabled) arm(conn, on_beat, due - now);
}

void driver__conn_probe(driver_conn *conn) {
    if (conn->state != DRIVER_READY || waits_for_life(conn)) return;
    conn->last_chance = false;
    ask(conn);
    arm(conn, on_beat, conn->options.settings->options.health_check.timeout_ms);
}

void driver__heartbeat_start(driver_conn *conn) {
    const corm_health_check_options *check = &conn->options.settings->options.health_check;
    conn->last_chance = false;
    if (check->disabled) {
        (void)uv_timer_stop(&conn->timer);
    } else {
        arm(conn, on_beat, check->interval_ms);
    }
}
