// SPDX-License-Identifier: MIT
/* login.c -- AUTH_RESPONSE: who a client says that it is, held against the server's users and the store's roles.
 *
 * Users of the options are compared at once, on the loop's thread, and may do everything. A role's password is hashed, which takes
 * long on purpose: on a thread of its own, so that neither requests nor other connections wait for it. An address from which too
 * many passwords were wrong is refused for a while without a look. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "server/core.h"

/* ---- failures by address ---- */

enum { ALLOWED_FAILURES = 20, FORGIVEN_AFTER_MS = 1000 }; /* one failure is forgiven each second */

static server_failures *failures_of(corm_server *server, const corm_inet *address) {
    uint64_t hash = base__hash(address->bytes, address->length, 1);
    return &server->failures[hash % SERVER_FAILURES];
}

/* Failures of other addresses that fall into the same place count too: there are enough places. */
static void forgive(server_failures *place, uint64_t now_ms) {
    if (now_ms < place->since_ms) return; /* another loop looked just now */
    uint64_t forgiven = (now_ms - place->since_ms) / FORGIVEN_AFTER_MS;
    if (forgiven >= place->count) {
        place->count = 0;
        place->since_ms = now_ms;
    } else {
        place->count -= (uint32_t)forgiven;
        place->since_ms += forgiven * FORGIVEN_AFTER_MS;
    }
}

static bool has_failed_too_often(server_conn *conn) {
    corm_server *server = conn->server;
    pthread_mutex_lock(&server->failures_lock);
    server_failures *place = failures_of(server, &conn->client.peer);
    forgive(place, uv_now(&conn->loop->loop));
    bool too_often = place->count >= ALLOWED_FAILURES;
    pthread_mutex_unlock(&server->failures_lock);
    return too_often;
}

static void count_failure(server_conn *conn) {
    corm_server *server = conn->server;
    pthread_mutex_lock(&server->failures_lock);
    failures_of(server, &conn->client.peer)->count++;
    pthread_mutex_unlock(&server->failures_lock);
}

/* ---- the token ---- */

/* The text up to the next zero byte, or the end. */
static corm_str next_part(corm_bytes *token) {
    const uint8_t *end = token->len > 0 ? memchr(token->data, 0, token->len) : NULL;
    size_t         len = end ? (size_t)(end - token->data) : token->len;
    corm_str       part = { (const char *)token->data, len };
    if (end) len++;
    token->data += len;
    token->len -= len;
    return part;
}

typedef struct credentials {
    corm_str name, password;
} credentials;

/* [authorization id] 0 [name] 0 [password] */
static bool read_token(corm_bytes body, credentials *out) {
    corm_bytes token;
    corm_error err;
    if (wire__read_bytes_body(body, &token, &err) != CORM_OK || token.len == 0) return false;
    next_part(&token);
    out->name = next_part(&token);
    out->password = next_part(&token);
    return true;
}

/* ---- users of the options ---- */

/* In a time that does not tell how much of it is right. */
static bool is_password(const char *password, corm_str given) {
    size_t len = strlen(password);
    return len == given.len && CRYPTO_memcmp(password, given.data, len) == 0;
}

static bool is_user(const corm_server_options *options, const credentials *given) {
    bool found = false;
    for (uint32_t i = 0; i < options->user_count; i++) {
        bool is_right = is_password(options->users[i].password, given->password);
        found |= corm_str_equal(given->name, corm_str_of(options->users[i].name)) && is_right;
    }
    return found;
}

/* ---- answers ---- */

static void refuse(server_conn *conn, int16_t stream, corm_status status, const char *message) {
    server__count(&conn->loop->refused);
    server__say_error(conn, stream, status, message);
    server__conn_end(conn);
}

static void refuse_password(server_conn *conn, int16_t stream, const char *message) {
    count_failure(conn);
    refuse(conn, stream, CORM_BAD_CREDENTIALS, message);
}

static void let_in(server_conn *conn, int16_t stream) {
    base_buf body = { 0 };
    conn->ready = true;
    wire__put_bytes(&body, (corm_bytes){ NULL, 0 });
    server__say(conn, stream, WIRE_OP_AUTH_SUCCESS, &body);
    if (!conn->closing) server__conn_show(conn);
}

/* ---- roles of the store ---- */

static void run_login(base_job *job) {
    server_call *call = (server_call *)job;
    credentials  given = { .name = { NULL, 0 } };
    read_token(base__buf_bytes(&call->body), &given);
    call->status =
        engine__login(call->loop->server->store, given.name, given.password, &call->error);
    server__finished(call);
}

static void begin_login(server_conn *conn, const wire_frame *frame) {
    wire_frame   own;
    server_call *call = server__call_begin(conn, frame, &own);
    if (!call) return;
    call->is_login = true;
    call->job.run = run_login;
    /* Once it is submitted the call is the other thread's. */
    corm_status status = base__pool_submit(conn->server->logins, &call->job, &call->error);
    if (status == CORM_OK) return;
    call->status = status;
    server__call_done(call);
}

static bool keep_role(server_conn *conn, corm_str name) {
    conn->role = malloc(name.len + 1);
    if (!conn->role) return false;
    if (name.len > 0) memcpy(conn->role, name.data, name.len);
    conn->role[name.len] = '\0';
    conn->client.role = (corm_str){ conn->role, name.len };
    return true;
}

void server__login_done(server_call *call) {
    server_conn *conn = call->conn;
    credentials  given = { .name = { NULL, 0 } };
    read_token(base__buf_bytes(&call->body), &given);
    if (call->status == CORM_OK && !conn->closing) {
        if (keep_role(conn, given.name))
            let_in(conn, call->stream);
        else
            refuse(conn, call->stream, CORM_OVERLOADED, "memory is exhausted");
    } else if (!conn->closing && call->status == CORM_BAD_CREDENTIALS) {
        refuse_password(conn, call->stream, call->error.message);
    } else if (!conn->closing) {
        refuse(conn, call->stream, call->status, call->error.message);
    }
    OPENSSL_cleanse(call->body.data, call->body.len);
}

/* ---- AUTH_RESPONSE ---- */

bool server__asks_for_password(const server_conn *conn) {
    return server__options(conn)->user_count > 0 || server__options(conn)->auth;
}

void server__login(server_conn *conn, const wire_frame *frame) {
    const corm_server_options *options = server__options(conn);
    credentials                given;
    char                       message[160];
    if (!read_token(frame->body, &given)) {
        refuse(conn, frame->stream, CORM_PROTOCOL_ERROR, "The authentication token is missing");
        return;
    }
    if (has_failed_too_often(conn)) {
        refuse(conn, frame->stream, CORM_BAD_CREDENTIALS,
               "Too many failed logins from this address; try again later");
    } else if (is_user(options, &given)) {
        let_in(conn, frame->stream);
    } else if (options->auth) {
        begin_login(conn, frame);
    } else {
        snprintf(message, sizeof message, "Provided username %.*s and/or password are incorrect",
                 (int)(given.name.len < 64 ? given.name.len : 64), given.name.data);
        refuse_password(conn, frame->stream, message);
    }
}

/* ---- who could ---- */

static corm_status make_default_user(corm_server *server, corm_error *err) {
    return engine__put_superuser(server->store, corm_str_of("cassandra"), corm_str_of("cassandra"),
                                 err);
}

corm_status server__check_roles(corm_server *server, const corm_server_options *options,
                                corm_error *err) {
    bool is_there;
    if (!options->auth) return CORM_OK;
    CORM_TRY(engine__has_superuser(server->store, &is_there, err));
    if (is_there) return CORM_OK;
    if (options->default_user) return make_default_user(server, err);
    if (options->user_count > 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the store has no role that could log in and make others: make a superuser "
                      "with CREATE ROLE, give users, or (on loopback) ask for the default user");
}
