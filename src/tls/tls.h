// SPDX-License-Identifier: MIT
/* tls.h -- TLS by OpenSSL over memory BIOs, so that libuv does all input and output: what the driver's side and the server's have in
 * common. A stream belongs to one thread at a time, a context to all. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/buf.h"

/* CORM_IO with OpenSSL's first reason, CORM_NO_MEMORY when that is it. */
corm_status tls__fail(corm_error *err, const char *what);
corm_status tls__fail_file(corm_error *err, const char *what, const char *path);

/* A certificate with its chain, and its key, from PEM files; `key_file` NULL: the key is in the certificate's file. A key without
 * `password` must have none: nobody is asked. The password is borrowed for the call. */
CORM_CHECKED corm_status tls__load_certificate(SSL_CTX *ctx, const char *certificate_file,
                                               const char *key_file, const char *password,
                                               corm_error *err);

/* A connection over memory; whether it is the client's or the server's is left to be said. NULL: see ERR_get_error(). */
SSL *tls__stream_new(SSL_CTX *ctx);
/* NULL is ignored. */
void tls__stream_free(SSL *ssl);

/* Bytes from the socket in; decrypted bytes are appended to *plain, what must be sent (handshake, alert) to *out, also on failure.
 * *established becomes true when application data may flow, *closed on close_notify. CORM_IO with the verification's words when
 * the peer is refused. */
CORM_CHECKED corm_status tls__read(SSL *ssl, const uint8_t *data, size_t len, base_buf *plain,
                                   base_buf *out, bool *established, bool *closed, corm_error *err);
/* Application data in, encrypted bytes appended to *out. */
CORM_CHECKED corm_status tls__write(SSL *ssl, const uint8_t *data, size_t len, base_buf *out,
                                    corm_error *err);
/* Appends the word that nothing more will come. */
CORM_CHECKED corm_status tls__close(SSL *ssl, base_buf *out, corm_error *err);

#endif
