// SPDX-License-Identifier: MIT
/* tls_internal.h -- the structs of tls.c, for its tests too. */
#ifndef DRIVER_TLS_INTERNAL_H
#define DRIVER_TLS_INTERNAL_H

#include <sys/types.h>
#include <time.h>

#include "base/map.h"
#include "driver/tls.h"
#include "tls/tls.h"

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

#endif
