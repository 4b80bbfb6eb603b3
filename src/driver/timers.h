// SPDX-License-Identifier: MIT
/* timers.h -- very many timers that mostly never fire, over one uv_timer: a hashed wheel of 10 ms ticks. Starting and stopping
 * are a few instructions. The loop's thread. */
#ifndef DRIVER_TIMERS_H
#define DRIVER_TIMERS_H

#include <uv.h>

#include "corm/error.h"

enum { DRIVER_TIMER_SLOTS = 512, DRIVER_TIMER_TICK_MS = 10 };

typedef struct driver_timer driver_timer;
struct driver_timer {
    void (*fire)(driver_timer *timer);
    driver_timer  *next;
    driver_timer **link;  /* NULL: not running */
    uint64_t       at_ms; /* uv_now() */
};

typedef struct driver_timers {
    uv_timer_t    tick;     /* holds the loop while a timer runs */
    uint64_t      armed_ms; /* when `tick` fires; UINT64_MAX: never */
    driver_timer *slots[DRIVER_TIMER_SLOTS];
    driver_timer *due;      /* that the sweep under way fires */
    uint64_t      swept_ms; /* slots before this time are done */
    uint32_t      running;
} driver_timers;

CORM_CHECKED corm_status driver__timers_init(driver_timers *timers, uv_loop_t *loop,
                                             corm_error *err);
/* None may be running. */
void driver__timers_close(driver_timers *timers, uv_close_cb closed);
/* Fires once, not before delay_ms from now and at most two ticks late. Starting one that runs moves it. Now is uv_now():
 * whoever comes from outside of uv_run calls uv_update_time() first. */
void driver__timer_start(driver_timers *timers, driver_timer *timer, uint64_t delay_ms);
void driver__timer_stop(driver_timers *timers, driver_timer *timer);

#endif
