// SPDX-License-Identifier: MIT
/* handshake.c -- from a connected socket to a ready connection. The loop's thread.
 *
 *   OPTIONS ─► SUPPORTED   what the node has: compression, ScyllaDB's sharding (supported.c)
 *   STARTUP ─► READY or AUTHENTICATE, … AUTH_SUCCESS (auth.c); v5: segments from here on, both ways
 *   REGISTER ─► READY      with register_events
 *
 * A node that does not speak the version says so with an ERROR, often in a frame of another version: the versions it
 * has are in its text, or at the least in that frame's version byte. */
#include <ctype.h>

#include "base/fail.h"
#include "base/text.h"
#include "driver/conn_internal.h"

/* ---- refusals ---- */

static const char *find(corm_str text, const char *part) {
    size_t len = strlen(part);
    for (size_t at = 0; at + len <= text.len; at++) {
        if (memcmp(text.data + at, part, len) == 0) return text.data + at;
    }
    return NULL;
}

/* One of "3/v3, 4/v4, 6/v6-beta": gives its number, 0 for a beta, and moves behind it. */
static uint32_t next_version(const char **at, const char *end) {
    const char *p = *at;
    uint32_t    number = 0;
    while (p < end && !isdigit((unsigned char)*p) && *p != ')') p++;
    for (; p < end && isdigit((unsigned char)*p) && number < 1000; p++) {
        number = number * 10 + (uint32_t)(*p - '0');
    }
    const char *rest = p;
    while (p < end && *p != ',' && *p != ')') p++;
    if (find((corm_str){ rest, (size_t)(p - rest) }, "beta")) number = 0;
    *at = p;
    return number;
}

static uint8_t highest_below(uint8_t version, const char *list, const char *end) {
    uint32_t highest = 0;
    while (list < end && *list != ')') {
        uint32_t number = next_version(&list, end);
        if (number >= 3 && number < version && number > highest) highest = number;
    }
    return (uint8_t)highest;
}

uint8_t driver__offered_version(uint8_t version, uint8_t reply_version, corm_str message) {
    const char *end = message.data + message.len;
    const char *list = find(message, "supported versions are");
    if (!list) list = find(message, "the greatest is");
    uint8_t listed = list ? highest_below(version, list, end) : 0;
    if (listed) return listed;
    if (reply_version >= 3 && reply_version < version) return reply_version;
    bool is_refusal = find(message, "unsupported protocol version") ||
                      find(message, "Beta version of the protocol");
    return is_refusal && version > 3 ? (uint8_t)(version - 1) : 0;
}

static void report(driver_conn *conn, const wire_frame *frame, corm_bytes message) {
    wire_error  refusal;
    corm_error  err;
    corm_status status = wire__error_read(message, frame->version, &refusal, &err);
    if (status == CORM_OK) {
        (void)wire__error_report(&refusal, &err);
        if (refusal.status == CORM_PROTOCOL_ERROR && conn->state == DRIVER_HANDSHAKE) {
            conn->offered_version =
                driver__offered_version(conn->options.version, frame->version, refusal.message);
        }
    }
    driver__conn_fail(conn, &err);
}

void driver__handshake_unexpected(driver_conn *conn, const wire_frame *frame, const char *after) {
    corm_error err;
    (void)base__fail(&err, CORM_PROTOCOL_ERROR, "a message with opcode 0x%02x came after %s",
                     frame->opcode, after);
    driver__conn_fail(conn, &err);
}

bool driver__handshake_goes_on(driver_conn *conn, corm_status status, const wire_frame *frame,
                               corm_bytes *message) {
    wire_prefix prefix;
    corm_error  err;
    if (status != CORM_OK) return false; /* the connection has ended already */
    if (wire__prefix_read(frame, &prefix, &err) != CORM_OK) {
        driver__conn_fail(conn, &err);
        return false;
    }
    *message = prefix.message;
    if (frame->opcode != WIRE_OP_ERROR) return true;
    report(conn, frame, prefix.message);
    return false;
}

void driver__handshake_other_version(driver_conn *conn, const wire_frame *frame) {
    corm_error err;
    if (frame->response && frame->opcode == WIRE_OP_ERROR && conn->state == DRIVER_HANDSHAKE) {
        report(conn, frame, frame->body);
        return;
    }
    (void)base__fail(
        &err, CORM_PROTOCOL_ERROR, "a %s of protocol version %u came, where %u is spoken",
        frame->response ? "message" : "request", frame->version, conn->options.version);
    driver__conn_fail(conn, &err);
}

/* ---- asking ---- */

static driver_conn *conn_of(driver_call *call) {
    return (driver_conn *)((char *)call - offsetof(driver_conn, own));
}

typedef void (*on_answer)(driver_call *call, corm_status status, const wire_frame *frame,
                          const corm_error *err);

static base_buf *ask(driver_conn *conn, wire_opcode opcode, on_answer done) {
    base_buf  *body = NULL;
    corm_error err;
    conn->own.done = done;
    if (driver__conn_start(conn, &conn->own, 0, opcode, &body, &err) == CORM_OK) return body;
    driver__conn_fail(conn, &err);
    return NULL;
}

static void asked(driver_conn *conn) {
    corm_error err;
    if (driver__conn_end(conn, &conn->own, &err) != CORM_OK) driver__conn_fail(conn, &err);
}

/* ---- REGISTER ---- */

static void on_registered(driver_call *call, corm_status status, const wire_frame *frame,
                          const corm_error *err) {
    driver_conn *conn = conn_of(call);
    corm_bytes   message;
    (void)err;
    if (!driver__handshake_goes_on(conn, status, frame, &message)) return;
    if (frame->opcode == WIRE_OP_READY) {
        driver__conn_now_ready(conn);
    } else {
        driver__handshake_unexpected(conn, frame, "REGISTER");
    }
}

void driver__handshake_finish(driver_conn *conn) {
    static const char *const kinds[] = { "TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE" };
    corm_str                 names[3];
    if (!conn->options.register_events) {
        driver__conn_now_ready(conn);
        return;
    }
    base_buf *body = ask(conn, WIRE_OP_REGISTER, on_registered);
    if (!body) return;
    for (int i = 0; i < 3; i++) names[i] = corm_str_of(kinds[i]);
    wire__put_string_list(body, names, 3);
    asked(conn);
}

/* ---- STARTUP ---- */

/* v5: the node's answer to STARTUP is the last message outside of segments. */
static void begin_segments(driver_conn *conn) {
    if (conn->options.version < 5) return;
    wire__encoder_segments(&conn->encoder, conn->compression);
    wire__decoder_segments(&conn->decoder, conn->compression);
}

static void on_started(driver_call *call, corm_status status, const wire_frame *frame,
                       const corm_error *err) {
    driver_conn *conn = conn_of(call);
    corm_bytes   message;
    (void)err;
    if (!driver__handshake_goes_on(conn, status, frame, &message)) return;
    if (frame->opcode == WIRE_OP_READY) {
        begin_segments(conn);
        driver__handshake_finish(conn);
    } else if (frame->opcode == WIRE_OP_AUTHENTICATE) {
        begin_segments(conn);
        driver__auth_begin(conn, message);
    } else {
        driver__handshake_unexpected(conn, frame, "STARTUP");
    }
}

static void start_up(driver_conn *conn) {
    wire_pair pairs[DRIVER_MOST_STARTUP];
    char      lwt_mark[64];
    base_buf *body = ask(conn, WIRE_OP_STARTUP, on_started);
    if (!body) return;
    wire__put_startup(body, pairs, driver__startup_options(conn, pairs, lwt_mark));
    asked(conn);
    if (conn->options.version >= 5) return;
    wire__encoder_compression(&conn->encoder,
                              conn->compression); /* STARTUP itself is never compressed */
    wire__decoder_compression(&conn->decoder, conn->compression);
}

/* ---- OPTIONS ---- */

static void on_supported(driver_call *call, corm_status status, const wire_frame *frame,
                         const corm_error *err) {
    driver_conn *conn = conn_of(call);
    corm_bytes   message;
    corm_error   failure;
    (void)err;
    if (!driver__handshake_goes_on(conn, status, frame, &message)) return;
    if (frame->opcode != WIRE_OP_SUPPORTED) {
        driver__handshake_unexpected(conn, frame, "OPTIONS");
    } else if (driver__supported_read(conn, message, &failure) != CORM_OK) {
        driver__conn_fail(conn, &failure);
    } else {
        start_up(conn);
    }
}

void driver__handshake_begin(driver_conn *conn) {
    conn->state = DRIVER_HANDSHAKE;
    if (ask(conn, WIRE_OP_OPTIONS, on_supported)) asked(conn);
}
