// SPDX-License-Identifier: MIT
/* tls_internal.h -- what tls.c (contexts) and tls_stream.c (bytes) share. */
#ifndef DRIVER_TLS_INTERNAL_H
#define DRIVER_TLS_INTERNAL_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/types.h>
#include <time.h>

#include "base/map.h"
#include "driver/tls.h"

enum { DRIVER_TLS_FILES = 3 };

/* What tells that a file is another one; all zero: there is none. */
typedef struct driver_tls_stamp {
    dev_t           device;
    ino_t           inode;
    off_t           size;
    struct timespec modified;
} driver_tls_stamp;

typedef struct driver_tls_stamps {
    driver_tls_stamp of[DRIVER_TLS_FILES]; /* CA, certificate, key */
} driver_tls_stamps;

struct driver_tls {
    corm_tls_options  options; /* texts borrowed */
    SSL_CTX          *ctx;
    driver_tls_stamps stamps;   /* of the files that ctx came from */
    base_map          sessions; /* by a stream's key */
};

struct driver_tls_stream {
    driver_tls *tls;
    SSL        *ssl;
    char        key[384]; /* of its session: name, address and port */
};

/* CORM_IO with OpenSSL's first reason. */
corm_status driver__tls_fail(corm_error *err, const char *what);

#endif
