// SPDX-License-Identifier: MIT
/* fake_tls.c -- the server's side of TLS, by OpenSSL over memory BIOs. The fake's thread. */
#include "testing/fake.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct fake_tls {
    SSL *ssl; /* owns both BIOs */
    BIO *in, *out;
};

static corm_status fail_tls(corm_error *err, const char *what) {
    char text[160];
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return base__fail(err, CORM_INVALID_ARGUMENT, "%s: %s", what, text);
}

static corm_status load(SSL_CTX *context, const corm_fake_options *options, corm_error *err) {
    const char *key = options->tls_key ? options->tls_key : options->tls_certificate;
    if (SSL_CTX_use_certificate_chain_file(context, options->tls_certificate) != 1) {
        return fail_tls(err, options->tls_certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        return fail_tls(err, key);
    }
    if (!options->tls_client_ca) return CORM_OK;
    if (SSL_CTX_load_verify_file(context, options->tls_client_ca) != 1) {
        return fail_tls(err, options->tls_client_ca);
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return CORM_OK;
}

corm_status fake__tls_context(const corm_fake_options *options, void **out, corm_error *err) {
    static const unsigned char id[] = "corm-fake";
    SSL_CTX                   *context = SSL_CTX_new(TLS_server_method());
    if (!context) return base__fail_memory(err);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_session_id_context(context, id, sizeof id - 1);
    *out = context;
    return load(context, options, err);
}

void fake__tls_context_free(void *context) {
    SSL_CTX_free(context);
}

fake_tls *fake__tls_new(void *context) {
    fake_tls *tls = calloc(1, sizeof *tls);
    if (!tls) return NULL;
    tls->ssl = SSL_new(context);
    tls->in = BIO_new(BIO_s_mem());
    tls->out = BIO_new(BIO_s_mem());
    if (!tls->ssl || !tls->in || !tls->out) {
        SSL_free(tls->ssl);
        BIO_free(tls->in);
        BIO_free(tls->out);
        free(tls);
        return NULL;
    }
    SSL_set_bio(tls->ssl, tls->in, tls->out);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void fake__tls_free(fake_tls *tls) {
    if (!tls) return;
    SSL_free(tls->ssl);
    free(tls);
}

static void flush(fake_conn *conn) {
    char   bytes[4096];
    int    len;
    size_t pending = BIO_ctrl_pending(conn->tls->out);
    while (pending > 0 && (len = BIO_read(conn->tls->out, bytes, sizeof bytes)) > 0) {
        fake__conn_write(conn, bytes, (size_t)len);
        pending = BIO_ctrl_pending(conn->tls->out);
    }
}

/* Whether the library only waits for more bytes. */
static bool only_waits(fake_tls *tls, int code) {
    int why = SSL_get_error(tls->ssl, code);
    ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

bool fake__tls_input(fake_conn *conn, const uint8_t *data, size_t len) {
    uint8_t plain[8192];
    int     got;
    BIO_write(conn->tls->in, data, (int)len);
    while ((got = SSL_read(conn->tls->ssl, plain, sizeof plain)) > 0) {
        fake__conn_input(conn, plain, (size_t)got);
        if (conn->closing) return true;
    }
    bool goes_on = only_waits(conn->tls, got);
    flush(conn);
    if (!goes_on) conn->polite = true; /* an alert must arrive */
    return goes_on;
}

bool fake__tls_output(fake_conn *conn, const uint8_t *data, size_t len) {
    if (SSL_write(conn->tls->ssl, data, (int)len) <= 0) return false;
    flush(conn);
    return true;
}
