// SPDX-License-Identifier: MIT
/* gather.c -- sets how many bytes wake the loop, from how many answers come and how many are awaited.
 *
 * What has come is looked at every few milliseconds. A timer of the loop that runs only while something is gathered looks for
 * connections that have become quiet; a connection that has few requests left does not wait for it. Owns nothing; the
 * loop's thread. */
#include "driver/gather.h"

#include <sys/socket.h>

#include "driver/conn_internal.h"

enum {
    WINDOW_MS = 4,
    MOST_US = 200, /* to wait for other answers */
    SHARE = 32,    /* of those in flight */
    QUIET_MS = 1,
    MOST_BYTES = DRIVER_RECEIVE_BYTES / 8,
    MOST_SEEN = 1 << 30
};

uint32_t driver__gather_answers(uint32_t answers, uint64_t elapsed_ms, uint32_t in_flight) {
    uint64_t in_time = (uint64_t)answers * MOST_US / (elapsed_ms * 1000);
    uint32_t fair = in_flight / SHARE;
    return in_time < fair ? (uint32_t)in_time : fair;
}

/* ---- the socket ---- */

static bool set_low_water(driver_conn *conn, uint32_t bytes) {
    uv_os_fd_t fd;
    int        value = bytes > 0 ? (int)bytes : 1;
    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) != 0) return false;
    return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0;
}

static void unlink_gathering(driver_gather *gather) {
    *gather->link = gather->next;
    if (gather->next) gather->next->gather.link = gather->link;
    gather->link = NULL;
    gather->bytes = 0;
}

static void on_tick(uv_timer_t *timer) {
    driver_io *io = timer->data;
    uint64_t   now = uv_now(timer->loop);
    for (driver_conn *conn = io->gathering, *next; conn; conn = next) {
        next = conn->gather.next;
        if (conn->received_ms + QUIET_MS < now) driver__gather_stop(conn);
    }
    if (!io->gathering) (void)uv_timer_stop(timer);
}

static void link_gathering(driver_conn *conn) {
    driver_io     *io = conn->io;
    driver_gather *gather = &conn->gather;
    if (!io->gathering) (void)uv_timer_start(&io->quiet, on_tick, QUIET_MS, QUIET_MS);
    gather->next = io->gathering;
    gather->link = &io->gathering;
    if (gather->next) gather->next->gather.link = &gather->next;
    io->gathering = conn;
}

void driver__gather_stop(driver_conn *conn) {
    if (conn->gather.bytes == 0) return;
    unlink_gathering(&conn->gather);
    (void)set_low_water(conn, 0);
}

static void gather_bytes(driver_conn *conn, uint32_t bytes) {
    if (!set_low_water(conn, bytes)) return;
    if (conn->gather.bytes == 0) link_gathering(conn);
    conn->gather.bytes = bytes;
}

/* ---- how much ---- */

static bool is_near(uint32_t a, uint32_t b) {
    return a - a / 4 <= b && b <= a + a / 4;
}

static void decide(driver_conn *conn, uint64_t elapsed_ms) {
    driver_gather *gather = &conn->gather;
    uint32_t       in_flight = driver__conn_in_flight(conn);
    gather->answers = driver__gather_answers(gather->seen_answers, elapsed_ms, in_flight);
    if (gather->answers < 2) {
        driver__gather_stop(conn);
        return;
    }
    uint64_t bytes = (uint64_t)gather->answers * gather->seen_bytes / gather->seen_answers;
    if (bytes > MOST_BYTES) bytes = MOST_BYTES;
    if (gather->bytes == 0 || !is_near(gather->bytes, (uint32_t)bytes)) {
        gather_bytes(conn, (uint32_t)bytes);
    }
}

static void begin_window(driver_gather *gather, uint64_t now) {
    gather->seen_bytes = gather->seen_answers = 0;
    gather->window_ms = now;
}

void driver__gather_received(driver_conn *conn, size_t len) {
    driver_gather *gather = &conn->gather;
    uint64_t       now = conn->received_ms, elapsed_ms = now - gather->window_ms;
    gather->seen_bytes += (uint32_t)len;
    if (elapsed_ms >= WINDOW_MS || gather->seen_bytes > MOST_SEEN) {
        if (elapsed_ms > 0 && gather->seen_answers > 0) decide(conn, elapsed_ms);
        begin_window(gather, now);
    } else if (gather->bytes > 0 && driver__conn_in_flight(conn) < gather->answers * (SHARE / 2)) {
        driver__gather_stop(conn);
    }
}
