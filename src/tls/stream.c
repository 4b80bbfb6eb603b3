// SPDX-License-Identifier: MIT
/* stream.c -- bytes of one connection through OpenSSL: in from the socket, out to it. Either side; the connection's thread. */
#include "base/fail.h"
#include "tls/tls.h"

enum { READ_BYTES = 16 * 1024 }; /* a record's */

/* Where the peer's certificate is refused, "certificate verify failed" alone would not say why. */
static corm_status fail_stream(SSL *ssl, corm_error *err) {
    if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return tls__fail(err, "TLS");
    }
    long why = SSL_get_verify_result(ssl);
    ERR_clear_error();
    return base__fail(err, CORM_IO, "TLS: certificate verify failed: %s",
                      X509_verify_cert_error_string(why));
}

/* ---- life ---- */

SSL *tls__stream_new(SSL_CTX *ctx) {
    SSL *ssl = SSL_new(ctx);
    BIO *in = ssl ? BIO_new(BIO_s_mem()) : NULL;
    BIO *out = in ? BIO_new(BIO_s_mem()) : NULL;
    if (out) {
        SSL_set_bio(ssl, in, out); /* owns them now */
        return ssl;
    }
    BIO_free(in);
    SSL_free(ssl);
    return NULL;
}

/* OpenSSL takes a session of a connection that ends without words for unfit to be resumed. */
void tls__stream_free(SSL *ssl) {
    if (ssl && SSL_is_init_finished(ssl))
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
}

/* ---- out ---- */

static corm_status move_out(SSL *ssl, base_buf *out, corm_error *err) {
    BIO  *bio = SSL_get_wbio(ssl);
    char *data = NULL;
    long  len = BIO_get_mem_data(bio, &data);
    if (len <= 0) return CORM_OK;
    base__buf_put(out, data, (size_t)len);
    (void)BIO_reset(bio);
    return base__buf_status(out, err);
}

corm_status tls__write(SSL *ssl, const uint8_t *data, size_t len, base_buf *out, corm_error *err) {
    size_t written = 0;
    ERR_clear_error();
    if (len > 0 && !SSL_write_ex(ssl, data, len, &written)) {
        return fail_stream(ssl, err);
    }
    return move_out(ssl, out, err);
}

corm_status tls__close(SSL *ssl, base_buf *out, corm_error *err) {
    ERR_clear_error();
    if (SSL_is_init_finished(ssl)) (void)SSL_shutdown(ssl);
    ERR_clear_error();
    return move_out(ssl, out, err);
}

/* ---- in ---- */

static corm_status move_in(SSL *ssl, const uint8_t *data, size_t len, corm_error *err) {
    size_t written = 0;
    while (len > 0) {
        if (!BIO_write_ex(SSL_get_rbio(ssl), data, len, &written)) {
            ERR_clear_error();
            return base__fail_memory(err);
        }
        data += written;
        len -= written;
    }
    return CORM_OK;
}

static corm_status shake_hands(SSL *ssl, corm_error *err) {
    int done = SSL_do_handshake(ssl);
    if (done == 1) return CORM_OK;
    int why = SSL_get_error(ssl, done);
    return why == SSL_ERROR_WANT_READ ? CORM_OK : fail_stream(ssl, err);
}

static corm_status read_plain(SSL *ssl, base_buf *plain, bool *closed, corm_error *err) {
    size_t got = 0;
    for (;;) {
        if (!base__buf_reserve(plain, READ_BYTES)) return base__fail_memory(err);
        if (!SSL_read_ex(ssl, plain->data + plain->len, plain->cap - plain->len, &got)) {
            break;
        }
        plain->len += got;
    }
    int why = SSL_get_error(ssl, 0);
    if (why == SSL_ERROR_WANT_READ) return CORM_OK;
    if (why != SSL_ERROR_ZERO_RETURN) return fail_stream(ssl, err);
    *closed = true;
    return CORM_OK;
}

static corm_status take_in(SSL *ssl, base_buf *plain, bool *established, bool *closed,
                           corm_error *err) {
    if (!SSL_is_init_finished(ssl)) CORM_TRY(shake_hands(ssl, err));
    if (!SSL_is_init_finished(ssl)) return CORM_OK;
    *established = true;
    return read_plain(ssl, plain, closed, err);
}

/* Also a failure has something to say to the peer: the alert. */
corm_status tls__read(SSL *ssl, const uint8_t *data, size_t len, base_buf *plain, base_buf *out,
                      bool *established, bool *closed, corm_error *err) {
    ERR_clear_error();
    CORM_TRY(move_in(ssl, data, len, err));
    corm_status status = take_in(ssl, plain, established, closed, err);
    corm_status moved = move_out(ssl, out, status == CORM_OK ? err : NULL);
    return status == CORM_OK ? moved : status;
}
