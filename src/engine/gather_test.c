// SPDX-License-Identifier: MIT
#include "engine/gather.h"
#include "testing/check.h"

static const int64_t second_ns = 1000000000;

typedef struct fixture {
    engine_gather   gather;
    pthread_mutex_t lock;
} fixture;

static void begin(fixture *f, bool is_on) {
    *f = (fixture){ 0 };
    assert_int_equal(engine__gather_init(&f->gather, is_on), 0);
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_lock(&f->lock);
}

static void end(fixture *f) {
    pthread_mutex_unlock(&f->lock);
    pthread_mutex_destroy(&f->lock);
    engine__gather_free(&f->gather);
}

static void push(fixture *f, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) engine__gather_pushed(&f->gather);
}

/* A round of `count` that took a second to commit, while `more` came. */
static void run_round(fixture *f, uint32_t count, uint32_t more) {
    engine__gather_taken(&f->gather, count);
    push(f, more);
    for (int i = 0; i < 100; i++) engine__gather_committed(&f->gather, second_ns);
    engine__gather_told(&f->gather, count);
}

static void expects_those_who_were_told_and_those_who_came_meanwhile(void **state) {
    (void)state;
    fixture f;
    begin(&f, true);
    push(&f, 8);
    run_round(&f, 8, 8);
    assert_int_equal(f.gather.expected, 16);
    assert_int_equal(f.gather.length, 8);
    end(&f);
}

static void one_client_never_waits(void **state) {
    (void)state;
    fixture f;
    begin(&f, true);
    push(&f, 1);
    run_round(&f, 1, 0);
    push(&f, 1);
    assert_int_equal(f.gather.length, f.gather.expected);
    end(&f);
}

static void who_does_not_come_back_is_waited_for_once(void **state) {
    (void)state;
    fixture f;
    begin(&f, true);
    push(&f, 3);
    run_round(&f, 3, 1);
    for (int i = 0; i < 100; i++) engine__gather_committed(&f.gather, 0);
    engine__gather_wait(&f.gather, &f.lock); /* until the time is over */
    assert_int_equal(f.gather.length, 1);
    assert_false(f.gather.is_waiting);
    engine__gather_taken(&f.gather, 1);
    engine__gather_told(&f.gather, 1);
    assert_int_equal(f.gather.expected, 1);
    end(&f);
}

static void *come_back(void *context) {
    fixture *f = context;
    pthread_mutex_lock(&f->lock);
    while (!f->gather.is_waiting) {
        pthread_mutex_unlock(&f->lock);
        pthread_mutex_lock(&f->lock);
    }
    push(f, 2);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void a_leader_waits_until_they_are_back(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        fixture   f;
        pthread_t thread;
        begin(&f, true);
        push(&f, 2);
        run_round(&f, 2, 0);
        assert_int_equal(pthread_create(&thread, NULL, come_back, &f), 0);
        while (f.gather.length < 2) engine__gather_wait(&f.gather, &f.lock);
        pthread_mutex_unlock(&f.lock);
        pthread_join(thread, NULL);
        pthread_mutex_lock(&f.lock);
        end(&f);
    }
}

static void nobody_waits_where_commits_do_not_or_rounds_are_large(void **state) {
    (void)state;
    fixture f;
    begin(&f, false);
    push(&f, 2);
    run_round(&f, 2, 0);
    engine__gather_wait(&f.gather, &f.lock);
    end(&f);
    begin(&f, true);
    push(&f, 500);
    run_round(&f, 500, 0);
    engine__gather_wait(&f.gather, &f.lock);
    assert_int_equal(f.gather.length, 0);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expects_those_who_were_told_and_those_who_came_meanwhile),
        cmocka_unit_test(one_client_never_waits),
        cmocka_unit_test(who_does_not_come_back_is_waited_for_once),
        cmocka_unit_test(a_leader_waits_until_they_are_back),
        cmocka_unit_test(nobody_waits_where_commits_do_not_or_rounds_are_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
