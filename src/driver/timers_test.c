// SPDX-License-Identifier: MIT
/* The loop's time is what uv_now() says; every test compares with that, so a slow machine makes none of them fail. */
#include "driver/timers.h"

#include <stdlib.h>

#include "testing/check.h"

typedef struct fixture {
    uv_loop_t     loop;
    driver_timers timers;
} fixture;

typedef struct probe {
    driver_timer  timer; /* first */
    fixture      *f;
    uint64_t      due_ms, fired_ms;
    uint32_t      fired;
    driver_timer *stops, *starts;
} probe;

static int open_fixture(void **state) {
    fixture   *f = calloc(1, sizeof *f);
    corm_error err;
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_ok(driver__timers_init(&f->timers, &f->loop, &err), err);
    *state = f;
    return 0;
}

static int close_fixture(void **state) {
    fixture *f = *state;
    driver__timers_close(&f->timers, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void on_fire(driver_timer *timer) {
    probe *p = (probe *)timer;
    p->fired++;
    p->fired_ms = uv_now(&p->f->loop);
    assert_null(timer->link);
    if (p->stops) driver__timer_stop(&p->f->timers, p->stops);
    if (p->starts) driver__timer_start(&p->f->timers, p->starts, 0);
}

static void start(fixture *f, probe *p, uint64_t delay_ms) {
    p->f = f;
    p->timer.fire = on_fire;
    p->due_ms = uv_now(&f->loop) + delay_ms;
    driver__timer_start(&f->timers, &p->timer, delay_ms);
}

static void fires_once_and_not_before_its_time(void **state) {
    fixture *f = *state;
    probe    probes[40] = { 0 };
    for (uint64_t i = 0; i < 40; i++) start(f, &probes[i], i * 3);
    uv_run(&f->loop, UV_RUN_DEFAULT); /* ends since no timer runs any more */
    for (int i = 0; i < 40; i++) {
        assert_int_equal(probes[i].fired, 1);
        assert_true(probes[i].fired_ms >= probes[i].due_ms);
    }
    assert_int_equal(f->timers.running, 0);
}

static void a_stopped_timer_does_not_fire(void **state) {
    fixture *f = *state;
    probe    a = { 0 };
    probe    b = { 0 };
    start(f, &a, 5);
    start(f, &b, 5);
    driver__timer_stop(&f->timers, &a.timer);
    driver__timer_stop(&f->timers, &a.timer);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(a.fired, 0);
    assert_int_equal(b.fired, 1);
}

static void starting_again_moves_it(void **state) {
    fixture *f = *state;
    probe    p = { 0 };
    start(f, &p, 100000);
    start(f, &p, 10);
    assert_int_equal(f->timers.running, 1);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(p.fired, 1);
}

static void one_that_fires_may_stop_and_start_others(void **state) {
    fixture *f = *state;
    probe    a = { 0 };
    probe    b = { 0 };
    probe    c = { 0 };
    start(f, &c, 0);
    driver__timer_stop(&f->timers, &c.timer);
    start(f, &a, 20);
    start(f, &b, 20);
    a.stops = &b.timer; /* whichever goes first */
    b.stops = &a.timer;
    a.starts = b.starts = &c.timer;
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(a.fired + b.fired, 1);
    assert_int_equal(c.fired, 1);
}

static void restart(driver_timer *timer) {
    probe *p = (probe *)timer;
    if (++p->fired < 3) driver__timer_start(&p->f->timers, timer, 0);
}

static void one_that_starts_itself_lets_the_loop_turn(void **state) {
    fixture *f = *state;
    probe    p = { .timer.fire = restart, .f = f };
    driver__timer_start(&f->timers, &p.timer, 0);
    while (p.fired == 0) uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(p.fired, 1);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(p.fired, 3);
}

/* The wheel is 5120 ms long: a timer of a later round shares its slot with near ones.. */
static void a_later_round_is_not_fired_with_the_slot(void **state) {
    fixture *f = *state;
    probe    near = { 0 };
    probe    far = { 0 };
    start(f, &near, 20);
    start(f, &far, 20 + (uint64_t)DRIVER_TIMER_SLOTS * DRIVER_TIMER_TICK_MS);
    while (near.fired == 0) uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(far.fired, 0);
    assert_non_null(far.timer.link);
    driver__timer_stop(&f->timers, &far.timer);
}

static void idle_timers_do_not_wake_the_loop_at_every_tick(void **state) {
    fixture *f = *state;
    probe    p = { 0 };
    start(f, &p, 3000);
    assert_true(f->timers.armed_ms >= p.due_ms);
    driver__timer_stop(&f->timers, &p.timer);
    assert_int_equal(uv_loop_alive(&f->loop), 0);
}

static void thousands_run_at_the_same_time(void **state) {
    fixture *f = *state;
    probe   *probes = calloc(5000, sizeof *probes);
    assert_non_null(probes);
    for (uint64_t i = 0; i < 5000; i++) start(f, &probes[i], i * 7919 % 60);
    for (uint64_t i = 0; i < 5000; i += 2) driver__timer_stop(&f->timers, &probes[i].timer);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(probes[i].fired, i % 2);
        if (i % 2) assert_true(probes[i].fired_ms >= probes[i].due_ms);
    }
    free(probes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
static const struct CMUnitTest tests[] = {
    TEST(fires_once_and_not_before_its_time),
    TEST(a_stopped_timer_does_not_fire),
    TEST(starting_again_moves_it),
    TEST(one_that_fires_may_stop_and_start_others),
    TEST(one_that_starts_itself_lets_the_loop_turn),
    TEST(a_later_round_is_not_fired_with_the_slot),
    TEST(idle_timers_do_not_wake_the_loop_at_every_tick),
    TEST(thousands_run_at_the_same_time),
};
RUN_TESTS()
