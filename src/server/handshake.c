// SPDX-License-Identifier: MIT
/* handshake.c -- OPTIONS, STARTUP, authentication, REGISTER and events, in the words that clients look for. Its loop's thread. */
#include "server/core.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { LEAST_VERSION = 3, MOST_VERSION = 5, VERSION_BITS = 0x7f, MOST_STARTUP = 4096 };

#define UNSUPPORTED_VERSION                                                                        \
    "Invalid or unsupported protocol version (%u); supported versions are (3/v3, 4/v4, 5/v5)"

/* ---- saying ---- */

void server__say(server_conn *conn, int16_t stream, wire_opcode opcode, base_buf *body) {
    corm_error err;
    base_buf  *out = wire__encoder_begin(&conn->encoder, 0, stream, opcode);
    base__buf_put(out, body->data, body->len);
    out->failed |= body->failed;
    if (wire__encoder_end(&conn->encoder, &err) != CORM_OK) {
        server__conn_close(conn);
    } else {
        server__conn_touch(conn);
    }
    base__buf_free(body);
}

void server__say_error(server_conn *conn, int16_t stream, corm_status status, const char *message) {
    base_buf   body = { 0 };
    wire_error error = { .code = corm_status_server_code(status), .message = corm_str_of(message) };
    wire__put_error(&body, &error, conn->encoder.version);
    server__count(&conn->loop->answered);
    server__count(&conn->loop->errors);
    server__say(conn, stream, WIRE_OP_ERROR, &body);
}

/* An error behind which the connection ends. */
static void refuse(server_conn *conn, int16_t stream, corm_status status, const char *message) {
    server__count(&conn->loop->refused);
    server__say_error(conn, stream, status, message);
    server__conn_end(conn);
}

/* ---- versions ---- */

/* The stream, as far as it has come. */
static int16_t stream_of(corm_bytes bytes) {
    bool is_old = (bytes.data[0] & VERSION_BITS) < 3;
    if (is_old) return bytes.len > 2 ? (int8_t)bytes.data[2] : 0;
    return bytes.len > 3 ? (int16_t)base__load_u16(bytes.data + 2) : 0;
}

bool server__first_bytes(server_conn *conn, corm_bytes bytes) {
    char     message[160];
    unsigned version = bytes.data[0] & VERSION_BITS;
    if (bytes.data[0] >= LEAST_VERSION && bytes.data[0] <= MOST_VERSION) {
        conn->version = (uint8_t)version;
        wire__encoder_init(&conn->encoder, conn->version, true);
        return true;
    }
    snprintf(message, sizeof message, UNSUPPORTED_VERSION, version);
    refuse(conn, stream_of(bytes), CORM_PROTOCOL_ERROR, message);
    return false;
}

void server__refuse_plain(server_conn *conn, corm_bytes bytes) {
    server__tls_end(conn);
    if (bytes.data[0] >= LEAST_VERSION && bytes.data[0] <= MOST_VERSION)
        wire__encoder_init(&conn->encoder, bytes.data[0], true);
    refuse(conn, stream_of(bytes), CORM_PROTOCOL_ERROR,
           "This server takes encrypted connections only (TLS)");
}

static bool check_version(server_conn *conn, const wire_frame *frame) {
    char message[160];
    if (frame->response) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, "A client sends no responses");
        return false;
    }
    if (frame->version == conn->version) return true;
    snprintf(message, sizeof message,
             "Invalid message version. Got %u/v%u but previous messages on this connection had "
             "version %u/v%u",
             frame->version, frame->version, conn->version, conn->version);
    refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, message);
    return false;
}

/* ---- OPTIONS ---- */

static void answer_options(server_conn *conn, const wire_frame *frame) {
    static const char *const texts[][2] = {
        { "COMPRESSION", "snappy" },     { "COMPRESSION", "lz4" },
        { "CQL_VERSION", "3.4.7" },      { "PROTOCOL_VERSIONS", "3/v3" },
        { "PROTOCOL_VERSIONS", "4/v4" }, { "PROTOCOL_VERSIONS", "5/v5" },
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    wire_pair pairs[COUNT];
    base_buf  body = { 0 };
    for (int i = 0; i < COUNT; i++)
        pairs[i] = (wire_pair){ corm_str_of(texts[i][0]), corm_str_of(texts[i][1]) };
    wire__put_multimap(&body, pairs, COUNT);
    server__say(conn, frame->stream, WIRE_OP_SUPPORTED, &body);
}

/* ---- STARTUP ---- */

static corm_str option(const wire_pair *pairs, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (base__str_equal_nocase(pairs[i].name, corm_str_of(name))) return pairs[i].value;
    }
    return (corm_str){ NULL, 0 };
}

static corm_status read_compression(const server_conn *conn, corm_str name, wire_compression *out,
                                    corm_error *err) {
    *out = WIRE_PLAIN;
    if (name.len == 0) return CORM_OK;
    if (base__str_equal_nocase(name, corm_str_of("lz4"))) {
        *out = WIRE_LZ4;
        return CORM_OK;
    }
    if (!base__str_equal_nocase(name, corm_str_of("snappy"))) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "Unknown compression algorithm: %.*s",
                          (int)(name.len < 64 ? name.len : 64), name.data);
    }
    *out = WIRE_SNAPPY;
    if (conn->version < 5) return CORM_OK;
    return base__fail(err, CORM_PROTOCOL_ERROR,
                      "Snappy compression is not supported in protocol version 5/v5");
}

static corm_status check_cql_version(corm_str version, corm_error *err) {
    if (!version.data)
        return base__fail(err, CORM_PROTOCOL_ERROR, "Missing value CQL_VERSION in STARTUP message");
    if (version.len > 0 && version.data[0] >= '3' && version.data[0] <= '9') return CORM_OK;
    return base__fail(err, CORM_PROTOCOL_ERROR,
                      "CQL version %.*s is not supported by the binary protocol (supported "
                      "version are >= 3.0.0)",
                      (int)(version.len < 64 ? version.len : 64), version.data);
}

static corm_status read_startup(const server_conn *conn, corm_bytes body, base_arena *arena,
                                wire_compression *out, corm_error *err) {
    wire_pair *pairs;
    uint32_t   count;
    CORM_TRY(wire__read_string_map(body, arena, &pairs, &count, err));
    CORM_TRY(check_cql_version(option(pairs, count, "CQL_VERSION"), err));
    return read_compression(conn, option(pairs, count, "COMPRESSION"), out, err);
}

/* For system_views; not one that is too long to be that of a client that means well, nor when memory is short. */
static void keep_startup(server_conn *conn, corm_bytes body) {
    if (body.len == 0 || body.len > MOST_STARTUP) return;
    uint8_t *copy = malloc(body.len);
    if (!copy) return;
    memcpy(copy, body.data, body.len);
    conn->visitor.startup = (corm_bytes){ copy, body.len };
}

/* What comes behind the answer to STARTUP has the new form. */
static void switch_form(server_conn *conn, wire_compression compression) {
    if (conn->version >= 5) {
        wire__encoder_segments(&conn->encoder, compression);
        wire__decoder_segments(&conn->decoder, compression);
    } else {
        wire__encoder_compression(&conn->encoder, compression);
        wire__decoder_compression(&conn->decoder, compression);
    }
}

static void answer_startup(server_conn *conn, const wire_frame *frame) {
    base_arena       arena = { 0 };
    wire_compression compression;
    corm_error       err;
    base_buf         body = { 0 };
    corm_status      status = read_startup(conn, frame->body, &arena, &compression, &err);
    base__arena_free(&arena);
    if (status != CORM_OK) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, err.message);
        return;
    }
    conn->started = true;
    conn->ready = !server__asks_for_password(conn);
    if (!conn->ready)
        wire__put_text(&body, corm_str_of("org.apache.cassandra.auth.PasswordAuthenticator"));
    server__say(conn, frame->stream, conn->ready ? WIRE_OP_READY : WIRE_OP_AUTHENTICATE, &body);
    switch_form(conn, compression);
    keep_startup(conn, frame->body);
    if (conn->ready && !conn->closing) server__conn_show(conn);
}

/* ---- REGISTER ---- */

static const char *const event_names[] = { [WIRE_TOPOLOGY_CHANGE] = "TOPOLOGY_CHANGE",
                                           [WIRE_STATUS_CHANGE] = "STATUS_CHANGE",
                                           [WIRE_SCHEMA_CHANGE_EVENT] = "SCHEMA_CHANGE" };

static unsigned event_bit(corm_str name) {
    for (unsigned kind = 0; kind < sizeof event_names / sizeof *event_names; kind++) {
        if (base__str_equal_nocase(name, corm_str_of(event_names[kind]))) return 1u << kind;
    }
    return 0;
}

static corm_status read_events(corm_bytes body, base_arena *arena, unsigned *out, corm_error *err) {
    corm_str *names;
    uint32_t  count;
    CORM_TRY(wire__read_string_list(body, arena, &names, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        unsigned bit = event_bit(names[i]);
        if (bit == 0)
            return base__fail(err, CORM_PROTOCOL_ERROR, "Invalid value '%.*s' for Type",
                              (int)(names[i].len < 64 ? names[i].len : 64), names[i].data);
        *out |= bit;
    }
    return CORM_OK;
}

static void answer_register(server_conn *conn, const wire_frame *frame) {
    base_arena  arena = { 0 };
    unsigned    events = conn->events;
    corm_error  err;
    base_buf    body = { 0 };
    corm_status status = read_events(frame->body, &arena, &events, &err);
    base__arena_free(&arena);
    if (status != CORM_OK) {
        server__say_error(conn, frame->stream, CORM_PROTOCOL_ERROR, err.message);
        return;
    }
    conn->events = events;
    server__say(conn, frame->stream, WIRE_OP_READY, &body);
}

/* ---- all of it ---- */

static const char *name_of(uint8_t opcode) {
    static const char *const names[] = {
        [WIRE_OP_STARTUP] = "STARTUP", [WIRE_OP_OPTIONS] = "OPTIONS",
        [WIRE_OP_QUERY] = "QUERY",     [WIRE_OP_PREPARE] = "PREPARE",
        [WIRE_OP_EXECUTE] = "EXECUTE", [WIRE_OP_REGISTER] = "REGISTER",
        [WIRE_OP_BATCH] = "BATCH",     [WIRE_OP_AUTH_RESPONSE] = "AUTH_RESPONSE",
    };
    bool is_known = opcode < sizeof names / sizeof *names && names[opcode];
    return is_known ? names[opcode] : NULL;
}

static void refuse_message(server_conn *conn, const wire_frame *frame) {
    char        message[120];
    const char *name = name_of(frame->opcode);
    if (!name)
        snprintf(message, sizeof message, "Unknown opcode %u", frame->opcode);
    else if (conn->ready && frame->opcode == WIRE_OP_STARTUP)
        snprintf(message, sizeof message,
                 "Unexpected message STARTUP, the connection is already initialized");
    else if (conn->ready)
        snprintf(message, sizeof message, "Unexpected message %s", name);
    else
        snprintf(message, sizeof message, "Unexpected message %s, expecting %s", name,
                 conn->started ? "SASL_RESPONSE" : "STARTUP or OPTIONS");
    server__say_error(conn, frame->stream, CORM_PROTOCOL_ERROR, message);
}

static bool is_request(uint8_t opcode) {
    return opcode == WIRE_OP_QUERY || opcode == WIRE_OP_PREPARE || opcode == WIRE_OP_EXECUTE ||
           opcode == WIRE_OP_BATCH;
}

void server__frame(server_conn *conn, const wire_frame *frame) {
    if (!check_version(conn, frame)) return;
    if (frame->opcode == WIRE_OP_OPTIONS) {
        answer_options(conn, frame);
    } else if (frame->opcode == WIRE_OP_STARTUP && !conn->started) {
        answer_startup(conn, frame);
    } else if (frame->opcode == WIRE_OP_AUTH_RESPONSE && conn->started && !conn->ready &&
               conn->calls == 0) {
        server__login(conn, frame);
    } else if (frame->opcode == WIRE_OP_REGISTER && conn->ready) {
        answer_register(conn, frame);
    } else if (is_request(frame->opcode) && conn->ready) {
        server__count(&conn->visitor.requests);
        server__request(conn, frame);
    } else {
        refuse_message(conn, frame);
    }
}
