// SPDX-License-Identifier: MIT
/* io.h -- what the connections of one loop share: the buffer that they receive into, the moment at which they all write, and the
 * time. Belongs to the loop; the first connection makes it, the last one to end takes it down. The loop's thread. */
#ifndef DRIVER_IO_H
#define DRIVER_IO_H

#include <uv.h>

#include "base/buf.h"
#include "driver/conn.h"

enum { DRIVER_RECEIVE_BYTES = 128 * 1024 };

typedef struct driver_io {
    uint8_t     *received; /* DRIVER_RECEIVE_BYTES */
    base_buf     plain;    /* TLS: what was decrypted */
    base_buf     clear;    /* TLS: what is to be encrypted */
    uint64_t     now_ns;   /* uv_hrtime() when somebody asked in this turn; 0: nobody did */
    driver_conn *dirty;    /* have something to write */
    uint32_t     turn;     /* how often the loop has waited */
    uint32_t     refs;
    uint32_t     handles; /* not closed yet */
    uv_prepare_t before;  /* … the loop waits */
    uv_check_t   after;
    driver_conn *gathering; /* wait for more than one byte: gather.c */
    uv_timer_t   quiet;     /* runs while any does */
    void (*released)(void *context);
    void *context;
} driver_io;

/* The loop's; one reference for the caller. */
CORM_CHECKED corm_status driver__io_get(uv_loop_t *loop, driver_io **out, corm_error *err);
/* Gives it back; `released` is called when nothing of it is on the loop any more, or at once while others use it. */
void driver__io_put(driver_io *io, void (*released)(void *context), void *context);

static inline uint64_t driver__io_now_ns(driver_io *io) {
    if (io->now_ns == 0) io->now_ns = uv_hrtime();
    return io->now_ns;
}

#endif
