// SPDX-License-Identifier: MIT
/* tls_stream.c -- bytes of one connection through OpenSSL: in from the socket, out to it. The loop's thread. */
#include <limits.h>

#include "base/fail.h"
#include "driver/tls_internal.h"

enum { READ_BYTES = 16 * 1024 }; /* a record's */

/* Where the peer's certificate is refused, "certificate verify failed" alone would not say why. */
static corm_status fail_stream(driver_tls_stream *stream, corm_error *err) {
    if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return driver__tls_fail(err, "TLS");
    }
    long why = SSL_get_verify_result(stream->ssl);
    ERR_clear_error();
    return base__fail(err, CORM_IO, "TLS: certificate verify failed: %s",
                      X509_verify_cert_error_string(why));
}

/* ---- out ---- */

static corm_status move_out(driver_tls_stream *stream, base_buf *out, corm_error *err) {
    BIO  *bio = SSL_get_wbio(stream->ssl);
    char *data = NULL;
    long  len = BIO_get_mem_data(bio, &data);
    if (len <= 0) return CORM_OK;
    base__buf_put(out, data, (size_t)len);
    (void)BIO_reset(bio);
    return base__buf_status(out, err);
}

corm_status driver__tls_write(driver_tls_stream *stream, const uint8_t *data, size_t len,
                              base_buf *out, corm_error *err) {
    size_t written = 0;
    ERR_clear_error();
    if (len > 0 && !SSL_write_ex(stream->ssl, data, len, &written)) {
        return fail_stream(stream, err);
    }
    return move_out(stream, out, err);
}

/* ---- in ---- */

static corm_status move_in(driver_tls_stream *stream, const uint8_t *data, size_t len,
                           corm_error *err) {
    size_t written = 0;
    while (len > 0) {
        if (!BIO_write_ex(SSL_get_rbio(stream->ssl), data, len, &written)) {
            ERR_clear_error();
            return base__fail_memory(err);
        }
        data += written;
        len -= written;
    }
    return CORM_OK;
}

static corm_status shake_hands(driver_tls_stream *stream, corm_error *err) {
    int done = SSL_do_handshake(stream->ssl);
    if (done == 1) return CORM_OK;
    int why = SSL_get_error(stream->ssl, done);
    return why == SSL_ERROR_WANT_READ ? CORM_OK : fail_stream(stream, err);
}

static corm_status read_plain(driver_tls_stream *stream, base_buf *plain, bool *closed,
                              corm_error *err) {
    size_t got = 0;
    for (;;) {
        if (!base__buf_reserve(plain, READ_BYTES)) return base__fail_memory(err);
        if (!SSL_read_ex(stream->ssl, plain->data + plain->len, plain->cap - plain->len, &got)) {
            break;
        }
        plain->len += got;
    }
    int why = SSL_get_error(stream->ssl, 0);
    if (why == SSL_ERROR_WANT_READ) return CORM_OK;
    if (why != SSL_ERROR_ZERO_RETURN) return fail_stream(stream, err);
    *closed = true;
    return CORM_OK;
}

static corm_status take_in(driver_tls_stream *stream, base_buf *plain, bool *established,
                           bool *closed, corm_error *err) {
    if (!SSL_is_init_finished(stream->ssl)) CORM_TRY(shake_hands(stream, err));
    if (!SSL_is_init_finished(stream->ssl)) return CORM_OK;
    *established = true;
    return read_plain(stream, plain, closed, err);
}

/* Also a failure has something to say to the peer: the alert. */
corm_status driver__tls_read(driver_tls_stream *stream, const uint8_t *data, size_t len,
                             base_buf *plain, base_buf *out, bool *established, bool *closed,
                             corm_error *err) {
    ERR_clear_error();
    CORM_TRY(move_in(stream, data, len, err));
    corm_status status = take_in(stream, plain, established, closed, err);
    corm_status moved = move_out(stream, out, status == CORM_OK ? err : NULL);
    return status == CORM_OK ? moved : status;
}
