// SPDX-License-Identifier: MIT
/* auth.c -- logging in: a SASL conversation of the user's authenticator, or PLAIN with user name and password.
 *
 * The loop's thread. Tokens are wiped before their memory is freed; what was put into a message is overwritten by the next
 * ones. */
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "driver/conn_internal.h"

typedef struct auth_token {
    uint8_t *data;
    size_t   len;
} auth_token;

static void wipe(auth_token *token) {
    if (token->data) OPENSSL_cleanse(token->data, token->len);
    free(token->data);
}

static driver_conn *conn_of(driver_call *call) {
    return (driver_conn *)((char *)call - offsetof(driver_conn, own));
}

/* ---- user name and password ---- */

static corm_status copy_token(const void *data, size_t len, auth_token *out, corm_error *err) {
    out->data = malloc(len ? len : 1);
    if (!out->data) return base__fail_memory(err);
    memcpy(out->data, data, len);
    out->len = len;
    return CORM_OK;
}

/* RFC 4616: no one to act for, user name, password. */
static corm_status plain_token(const corm_cluster_options *options, auth_token *out,
                               corm_error *err) {
    const char *password = options->password ? options->password : "";
    size_t      user_len = strlen(options->username);
    size_t      password_len = strlen(password);
    out->len = user_len + password_len + 2;
    out->data = calloc(1, out->len);
    if (!out->data) return base__fail_memory(err);
    memcpy(out->data + 1, options->username, user_len);
    memcpy(out->data + user_len + 2, password, password_len);
    return CORM_OK;
}

/* DataStax's servers want the mechanism named first and then say "PLAIN-START". */
static bool names_mechanism(const driver_conn *conn) {
    return strstr(conn->server_class, "DseAuthenticator") != NULL;
}

static corm_status password_token(const driver_conn *conn, corm_bytes challenge, auth_token *out,
                                  corm_error *err) {
    const corm_cluster_options *options = &conn->options.settings->options;
    corm_str                    asked = { (const char *)challenge.data, challenge.len };
    if (!options->username) {
        return base__fail(err, CORM_BAD_CREDENTIALS,
                          "the node asks for a login (%s), and no user name is given",
                          conn->server_class);
    }
    if (challenge.len == 0 && names_mechanism(conn)) return copy_token("PLAIN", 5, out, err);
    if (challenge.len == 0 || corm_str_equal(asked, corm_str_of("PLAIN-START"))) {
        return plain_token(options, out, err);
    }
    return base__fail(err, CORM_BAD_CREDENTIALS, "%s asks for more than a user name and a password",
                      conn->server_class);
}

/* ---- the user's ---- */

static corm_status blame(corm_status status, corm_error *err) {
    if (err->status != status || err->message[0] == '\0') {
        (void)base__fail(err, status, "the authenticator refused: %s", corm_status_text(status));
    }
    return status;
}

static corm_status users_token(const driver_conn *conn, corm_bytes challenge, auth_token *out,
                               corm_error *err) {
    const corm_authenticator *user = conn->options.settings->options.authenticator;
    *err = (corm_error){ 0 };
    corm_status status = user->response(user->context, conn->options.node, conn->server_class,
                                        challenge, &out->data, &out->len, err);
    return status == CORM_OK ? CORM_OK : blame(status, err);
}

static corm_status users_approval(const driver_conn *conn, corm_bytes token, corm_error *err) {
    const corm_authenticator *user = conn->options.settings->options.authenticator;
    if (!user || !user->success) return CORM_OK;
    *err = (corm_error){ 0 };
    corm_status status = user->success(user->context, conn->options.node, token, err);
    return status == CORM_OK ? CORM_OK : blame(status, err);
}

/* ---- the conversation ---- */

static void on_answer(driver_call *call, corm_status status, const wire_frame *frame,
                      const corm_error *err);

static corm_status send_token(driver_conn *conn, const auth_token *token, corm_error *err) {
    base_buf *body;
    conn->own.done = on_answer;
    CORM_TRY(driver__conn_start(conn, &conn->own, 0, WIRE_OP_AUTH_RESPONSE, &body, err));
    wire__put_bytes(body, (corm_bytes){ token->data, token->len });
    return driver__conn_end(conn, &conn->own, err);
}

static corm_status respond(driver_conn *conn, corm_bytes challenge, corm_error *err) {
    auth_token  token = { 0 };
    corm_status status = conn->options.settings->options.authenticator
                             ? users_token(conn, challenge, &token, err)
                             : password_token(conn, challenge, &token, err);
    if (status == CORM_OK) status = send_token(conn, &token, err);
    wipe(&token);
    return status;
}

static corm_status answer(driver_conn *conn, const wire_frame *frame, corm_bytes message,
                          corm_error *err) {
    corm_bytes token;
    CORM_TRY(wire__read_bytes_body(message, &token, err));
    if (frame->opcode == WIRE_OP_AUTH_CHALLENGE) return respond(conn, token, err);
    CORM_TRY(users_approval(conn, token, err));
    driver__handshake_finish(conn);
    return CORM_OK;
}

static void on_answer(driver_call *call, corm_status status, const wire_frame *frame,
                      const corm_error *err) {
    driver_conn *conn = conn_of(call);
    corm_bytes   message;
    corm_error   failure;
    (void)err;
    if (!driver__handshake_goes_on(conn, status, frame, &message)) return;
    if (frame->opcode != WIRE_OP_AUTH_CHALLENGE && frame->opcode != WIRE_OP_AUTH_SUCCESS) {
        driver__handshake_unexpected(conn, frame, "AUTH_RESPONSE");
    } else if (answer(conn, frame, message, &failure) != CORM_OK) {
        driver__conn_fail(conn, &failure);
    }
}

void driver__auth_begin(driver_conn *conn, corm_bytes message) {
    corm_str    name;
    corm_error  err;
    corm_status status = wire__read_text_body(message, &name, &err);
    if (status == CORM_OK) {
        size_t most = sizeof conn->server_class - 1;
        size_t len = name.len < most ? name.len : most;
        if (len) memcpy(conn->server_class, name.data, len);
        conn->server_class[len] = '\0';
        status = respond(conn, (corm_bytes){ 0 }, &err);
    }
    if (status != CORM_OK) driver__conn_fail(conn, &err);
}
