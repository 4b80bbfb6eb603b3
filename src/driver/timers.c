// SPDX-License-Identifier: MIT
/* timers.c -- the hashed wheel. A slot is a list of the timers that fire at its time or a multiple of the wheel's length
 * later; a sweep passes over the slots whose time has come.
 *
 * The uv_timer sleeps until the next slot that holds anything, so an idle loop is not woken a hundred times a second. It is not
 * stopped with the last timer but only lets go of the loop: a program with one request at a time would start and stop it
 * for each. Owns nothing but the uv_timer; the loop's thread. */
#include "driver/timers.h"

#include "base/fail.h"

static uint64_t round_up(uint64_t ms) {
    return (ms + DRIVER_TIMER_TICK_MS - 1) / DRIVER_TIMER_TICK_MS * DRIVER_TIMER_TICK_MS;
}

static driver_timer **slot_of(driver_timers *timers, uint64_t ms) {
    return &timers->slots[ms / DRIVER_TIMER_TICK_MS % DRIVER_TIMER_SLOTS];
}

static void put(driver_timer **head, driver_timer *timer) {
    timer->next = *head;
    timer->link = head;
    if (timer->next) timer->next->link = &timer->next;
    *head = timer;
}

static void take(driver_timer *timer) {
    *timer->link = timer->next;
    if (timer->next) timer->next->link = timer->link;
    timer->link = NULL;
}

static void let_go(driver_timers *timers) {
    if (--timers->running == 0) uv_unref((uv_handle_t *)&timers->tick);
}

/* ---- the sweep ---- */

static void on_tick(uv_timer_t *tick);

static void arm(driver_timers *timers, uint64_t at_ms) {
    uint64_t now = uv_now(timers->tick.loop);
    timers->armed_ms = at_ms;
    (void)uv_timer_start(&timers->tick, on_tick, at_ms > now ? at_ms - now : 0, 0);
}

static void arm_for_next_slot(driver_timers *timers) {
    timers->armed_ms = UINT64_MAX;
    if (timers->running == 0) return;
    uint64_t at = timers->swept_ms;
    for (int i = 0; i < DRIVER_TIMER_SLOTS && !*slot_of(timers, at); i++) {
        at += DRIVER_TIMER_TICK_MS;
    }
    arm(timers, at);
}

static void collect(driver_timers *timers, uint64_t slot_ms, uint64_t now) {
    driver_timer *next;
    for (driver_timer *timer = *slot_of(timers, slot_ms); timer; timer = next) {
        next = timer->next;
        if (timer->at_ms > now) continue;
        take(timer);
        put(&timers->due, timer);
    }
}

/* What is due moves to a list of its own first: a timer's owner may start and stop any timer. */
static void on_tick(uv_timer_t *tick) {
    driver_timers *timers = tick->data;
    uint64_t       now = uv_now(tick->loop);
    uint64_t       end = round_up(now + 1);
    uint64_t       round = (uint64_t)DRIVER_TIMER_SLOTS * DRIVER_TIMER_TICK_MS;
    if (end > timers->swept_ms + round) timers->swept_ms = end - round;
    for (; timers->swept_ms < end; timers->swept_ms += DRIVER_TIMER_TICK_MS) {
        collect(timers, timers->swept_ms, now);
    }
    while (timers->due) {
        driver_timer *timer = timers->due;
        take(timer);
        let_go(timers);
        timer->fire(timer);
    }
    arm_for_next_slot(timers);
}

/* ---- what others call ---- */

corm_status driver__timers_init(driver_timers *timers, uv_loop_t *loop, corm_error *err) {
    *timers = (driver_timers){ .armed_ms = UINT64_MAX };
    int failed = uv_timer_init(loop, &timers->tick);
    if (failed) return base__fail(err, CORM_IO, "a timer: %s", uv_strerror(failed));
    timers->tick.data = timers;
    uv_unref((uv_handle_t *)&timers->tick);
    return CORM_OK;
}

void driver__timers_close(driver_timers *timers, uv_close_cb closed) {
    uv_close((uv_handle_t *)&timers->tick, closed);
}

static void hold(driver_timers *timers, uint64_t now) {
    uint64_t slot_ms = now / DRIVER_TIMER_TICK_MS * DRIVER_TIMER_TICK_MS;
    if (timers->running++ > 0) return;
    if (timers->swept_ms < slot_ms) timers->swept_ms = slot_ms;
    uv_ref((uv_handle_t *)&timers->tick);
}

void driver__timer_start(driver_timers *timers, driver_timer *timer, uint64_t delay_ms) {
    uint64_t now = uv_now(timers->tick.loop);
    if (timer->link) {
        take(timer);
    } else {
        hold(timers, now);
    }
    timer->at_ms = now + delay_ms;
    uint64_t slot_ms = round_up(timer->at_ms);
    if (slot_ms < timers->swept_ms) slot_ms = timers->swept_ms;
    put(slot_of(timers, slot_ms), timer);
    if (slot_ms < timers->armed_ms) arm(timers, slot_ms);
}

void driver__timer_stop(driver_timers *timers, driver_timer *timer) {
    if (!timer->link) return;
    take(timer);
    let_go(timers);
}
