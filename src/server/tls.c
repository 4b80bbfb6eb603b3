// SPDX-License-Identifier: MIT
/* tls.c -- the server's side of TLS: the context of the settings, and a connection's bytes in and out of it.
 *
 *   socket ─► server__tls_read ─► plain ─► decoder          encoder ─► server__tls_seal ─► `sealed` ─► socket
 *                    └── handshake, alerts ────────────────────────────────────────────────► `sealed`
 *
 * A context is made on the thread that starts or reloads the server and shared by all loops; the rest is a connection's loop's. */
#include "tls/tls.h"
#include "server/core.h"

enum { TLS_HANDSHAKE_RECORD = 0x16 };

/* ---- the context ---- */

static corm_status require_certificates(SSL_CTX *ctx, const char *ca_file, corm_error *err) {
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(ca_file);
    if (!names || !SSL_CTX_load_verify_file(ctx, ca_file)) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return tls__fail_file(err, "file of the clients' authorities", ca_file);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return CORM_OK;
}

static corm_status configure(SSL_CTX *ctx, const corm_server_options *options, corm_error *err) {
    static const unsigned char name[] = "corm";
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS); /* most connections wait */
    (void)SSL_CTX_set_session_id_context(ctx, name, sizeof name - 1);
    CORM_TRY(tls__load_certificate(ctx, options->tls_certificate_file, options->tls_key_file,
                                   options->tls_key_password, err));
    if (!options->tls_client_ca_file) return CORM_OK;
    return require_certificates(ctx, options->tls_client_ca_file, err);
}

corm_status server__tls_context(const corm_server_options *options, SSL_CTX **out,
                                corm_error *err) {
    *out = NULL;
    if (!options->tls_certificate_file) {
        if (!options->tls_key_file && !options->tls_client_ca_file) return CORM_OK;
        return base__fail(err, CORM_INVALID_ARGUMENT, "TLS needs the server's certificate");
    }
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) return tls__fail(err, "TLS");
    corm_status status = configure(ctx, options, err);
    if (status == CORM_OK)
        *out = ctx;
    else
        SSL_CTX_free(ctx);
    ERR_clear_error(); /* what a successful load leaves behind */
    return status;
}

/* ---- a connection ---- */

bool server__tls_begin(server_conn *conn) {
    SSL_CTX *ctx = conn->loop->settings->tls;
    if (!ctx) return true;
    conn->tls = tls__stream_new(ctx);
    ERR_clear_error();
    if (conn->tls) SSL_set_accept_state(conn->tls);
    return conn->tls != NULL;
}

void server__tls_end(server_conn *conn) {
    tls__stream_free(conn->tls);
    conn->tls = NULL;
}

bool server__tls_is_hello(corm_bytes bytes) {
    return bytes.data[0] == TLS_HANDSHAKE_RECORD;
}

/* In TLS' own words, which is all that a client in a handshake understands: handshake_failure, fatal. */
void server__tls_decline(server_conn *conn) {
    static const uint8_t alert[] = { 0x15, 3, 3, 0, 2, 2, 40 };
    server__count(&conn->loop->refused);
    base__buf_put(&conn->sealed, alert, sizeof alert);
    server__conn_end(conn);
}

bool server__tls_read(server_conn *conn, corm_bytes bytes, corm_bytes *plain) {
    corm_error err;
    bool       established = false, closed = false;
    base_buf  *out = &conn->loop->plain;
    base__buf_clear(out);
    corm_status status = tls__read(conn->tls, bytes.data, bytes.len, out, &conn->sealed,
                                   &established, &closed, &err);
    if (conn->sealed.len > 0) server__conn_touch(conn);
    *plain = base__buf_bytes(out);
    if (status != CORM_OK) {
        server__count(&conn->loop->refused);
        server__conn_end(conn); /* when the alert is sent */
        return false;
    }
    if (closed) server__conn_end(conn);
    return !closed && plain->len > 0;
}

corm_status server__tls_seal(server_conn *conn, corm_error *err) {
    base_buf *clear = &conn->loop->clear;
    base__buf_clear(clear);
    CORM_TRY(wire__encoder_take(&conn->encoder, clear, err));
    corm_status status = tls__write(conn->tls, clear->data, clear->len, &conn->sealed, err);
    return status;
}

bool server__tls_say_end(server_conn *conn) {
    corm_error err;
    if (!conn->tls || conn->said_end) return false;
    conn->said_end = true;
    return tls__close(conn->tls, &conn->sealed, &err) == CORM_OK && conn->sealed.len > 0;
}
