// SPDX-License-Identifier: MIT
/* tls.h -- TLS by OpenSSL over memory BIOs, so that libuv does all input and output. The loop's thread. */
#ifndef DRIVER_TLS_H
#define DRIVER_TLS_H

#include "driver/conn.h"

/* What all connections share; reads the files again when they have changed. The options' texts are borrowed. Connections end
 * before it does. */
CORM_CHECKED corm_status driver__tls_new(const corm_tls_options *options, driver_tls **out,
                                         corm_error *err);
void                     driver__tls_free(driver_tls *tls);

/* One connection's. */
typedef struct driver_tls_stream driver_tls_stream;

/* Begins a handshake as a client; `name` is the name to verify and to send as SNI (numeric addresses are verified as such
 * and not sent). CORM_IO when a changed file cannot be read. Sessions are resumed per name. */
CORM_CHECKED corm_status driver__tls_begin(driver_tls *tls, const driver_address *address,
                                           driver_tls_stream **out, corm_error *err);
void                     driver__tls_end(driver_tls_stream *stream);

/* Bytes from the socket in; decrypted bytes are appended to *plain, what must be sent (handshake) to *out. *established
 * becomes true when application data may flow. CORM_IO with the verification's words when the peer is refused;
 * *closed on close_notify. */
CORM_CHECKED corm_status driver__tls_read(driver_tls_stream *stream, const uint8_t *data,
                                          size_t len, base_buf *plain, base_buf *out,
                                          bool *established, bool *closed, corm_error *err);
/* Application data in, encrypted bytes appended to *out. */
CORM_CHECKED corm_status driver__tls_write(driver_tls_stream *stream, const uint8_t *data,
                                           size_t len, base_buf *out, corm_error *err);

#endif
