// SPDX-License-Identifier: MIT
#include "driver/cluster_for_tests.h"

#include <signal.h>

enum { THREADS = 4, EACH = 400 };

static const wire_request select_v = {
    .kind = WIRE_QUERY,
    .text = { "SELECT v FROM shop.t", 20 },
    .options.consistency = WIRE_ONE,
};

static const corm_str no_keyspace = { "", 0 };

/* A cluster with a thread of its own over a fake one. */
typedef struct own_cluster {
    corm_fake_cluster *fake;
    driver_cluster    *cluster;
} own_cluster;

static void start(own_cluster *own, const corm_fake_options *fake,
                  const corm_cluster_options *options) {
    corm_error      err;
    driver_settings settings;
    assert_ok(corm_fake_start(&own->fake, fake, &err), err);
    driver_contact contact = { "127.0.0.1", corm_fake_port(own->fake) };
    assert_ok(driver__settings_make(&contact, 1, options, 0, &settings, &err), err);
    assert_ok(driver__open(&settings, &own->cluster, &err), err);
}

static void finish(own_cluster *own) {
    driver__close(own->cluster);
    corm_fake_stop(own->fake);
}

/* Something that one thread does and another waits for. */
typedef struct test_signal {
    own_cluster *own;
    sem_t        came;
    corm_status  status, inner;
    uint32_t     depth;
    wire_answer  answer;
} test_signal;

static void signal_init(test_signal *signal, own_cluster *own) {
    memset(signal, 0, sizeof *signal);
    signal->own = own;
    assert_int_equal(sem_init(&signal->came, 0, 0), 0);
}

static void signal_wait(test_signal *signal) {
    while (sem_wait(&signal->came) != 0) {
    }
}

static void signal_free(test_signal *signal) {
    wire__answer_free(&signal->answer);
    assert_int_equal(sem_destroy(&signal->came), 0);
}

static void on_end(void *context, corm_status status, const corm_error *err) {
    test_signal *signal = context;
    (void)err;
    signal->status = status;
    (void)sem_post(&signal->came);
}

static void answers_are_waited_for(void **state) {
    (void)state;
    own_cluster own;
    wire_answer answer = { 0 };
    corm_error  err;
    start(&own, NULL, NULL);
    assert_true(driver__has_own_thread(own.cluster));
    assert_false(driver__in_callback(own.cluster));
    for (int i = 0; i < 20; i++) {
        assert_ok(driver__execute(own.cluster, no_keyspace, &select_v, &answer, &err), err);
        assert_true(answer.body.len > 0);
        wire__answer_clear(&answer);
    }
    wire__answer_free(&answer);
    finish(&own);
}

static void wait_inside(void *context, corm_status status, const corm_error *err) {
    test_signal *signal = context;
    wire_answer  answer = { 0 };
    corm_error   inner;
    (void)err;
    signal->status = status;
    if (!driver__in_callback(signal->own->cluster)) signal->depth = 1;
    signal->inner = driver__execute(signal->own->cluster, no_keyspace, &select_v, &answer, &inner);
    if (driver__wait_for_agreement(signal->own->cluster, 10, &inner) != CORM_WOULD_DEADLOCK) {
        signal->depth = 2;
    }
    (void)sem_post(&signal->came);
}

static void a_callback_cannot_wait(void **state) {
    (void)state;
    own_cluster own;
    test_signal signal;
    start(&own, NULL, NULL);
    signal_init(&signal, &own);
    driver__submit(own.cluster, no_keyspace, &select_v, &signal.answer, wait_inside, &signal);
    signal_wait(&signal);
    assert_status(signal.status, CORM_OK);
    assert_status(signal.inner, CORM_WOULD_DEADLOCK);
    assert_int_equal(signal.depth, 0);
    signal_free(&signal);
    finish(&own);
}

static void submit_again(void *context, corm_status status, const corm_error *err) {
    test_signal *signal = context;
    (void)err;
    signal->status = status;
    if (++signal->depth == 1000) {
        (void)sem_post(&signal->came);
        return;
    }
    wire__answer_clear(&signal->answer);
    driver__submit(signal->own->cluster, no_keyspace, &select_v, &signal->answer, submit_again,
                   signal);
}

static void a_callback_may_submit(void **state) {
    (void)state;
    own_cluster own;
    test_signal signal;
    start(&own, NULL, NULL);
    signal_init(&signal, &own);
    driver__submit(own.cluster, no_keyspace, &select_v, &signal.answer, submit_again, &signal);
    signal_wait(&signal);
    assert_status(signal.status, CORM_OK);
    signal_free(&signal);
    finish(&own);
}

/* A statement that is refused before it is sent calls back at once: callbacks inside callbacks must not fill the stack. */
static const corm_request_options nowhere = { .profile = "no such profile" };
static const wire_request         refused = {
            .kind = WIRE_QUERY,
            .text = { "SELECT v FROM shop.t", 20 },
            .options = { .consistency = WIRE_ONE, .routing = &nowhere },
};

static void submit_refused(void *context, corm_status status, const corm_error *err) {
    test_signal *signal = context;
    (void)err;
    signal->status = status;
    if (++signal->depth == 100000) {
        (void)sem_post(&signal->came);
        return;
    }
    driver__submit(signal->own->cluster, no_keyspace, &refused, &signal->answer, submit_refused,
                   signal);
}

static void callbacks_inside_callbacks_do_not_fill_the_stack(void **state) {
    (void)state;
    own_cluster own;
    test_signal signal;
    start(&own, NULL, NULL);
    signal_init(&signal, &own);
    driver__submit(own.cluster, no_keyspace, &refused, &signal.answer, submit_refused, &signal);
    signal_wait(&signal);
    assert_status(signal.status, CORM_INVALID_ARGUMENT);
    signal_free(&signal);
    finish(&own);
}

/* ---- many threads ---- */

typedef struct test_worker {
    own_cluster *own;
    pthread_t    id;
    uint32_t     good, cancelled, other;
} test_worker;

static void count(test_worker *worker, corm_status status) {
    worker->good += status == CORM_OK;
    worker->cancelled += status == CORM_CANCELLED;
    worker->other += status != CORM_OK && status != CORM_CANCELLED;
}

static void *work(void *context) {
    test_worker *worker = context;
    wire_answer  answer = { 0 };
    corm_error   err;
    for (int i = 0; i < EACH; i++) {
        test_signal signal;
        signal_init(&signal, worker->own);
        driver__submit(worker->own->cluster, no_keyspace, &select_v, &signal.answer, on_end,
                       &signal);
        if (i % 5 == 0) driver__cancel(worker->own->cluster, &signal);
        signal_wait(&signal);
        count(worker, signal.status);
        signal_free(&signal);
        count(worker, driver__execute(worker->own->cluster, no_keyspace, &select_v, &answer, &err));
        wire__answer_clear(&answer);
        const corm_stats *stats;
        if (i % 50 == 0 && driver__stats(worker->own->cluster, &stats, &err) == CORM_OK) {
            free((void *)(uintptr_t)stats);
        }
    }
    wire__answer_free(&answer);
    return NULL;
}

static void any_number_of_threads_may_ask(void **state) {
    (void)state;
    own_cluster own;
    test_worker workers[THREADS] = { 0 };
    uint32_t    good = 0, cancelled = 0, other = 0;
    start(&own, &(corm_fake_options){ .nodes = 3 }, NULL);
    for (int i = 0; i < THREADS; i++) {
        workers[i].own = &own;
        assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].id, NULL), 0);
        good += workers[i].good;
        cancelled += workers[i].cancelled;
        other += workers[i].other;
    }
    assert_int_equal(good + cancelled, 2 * THREADS * EACH);
    assert_int_equal(other, 0);
    assert_true(cancelled <= THREADS * EACH / 5);
    finish(&own);
}

/* ---- cancelling, closing ---- */

static void only_the_request_with_the_context_is_cancelled(void **state) {
    (void)state;
    own_cluster          own;
    test_signal          kept, dropped;
    const corm_fake_rule rule = { .node = -1, .match = "shop.t", .no_answer = true };
    start(&own, NULL, NULL);
    (void)corm_fake_add_rule(own.fake, &rule);
    signal_init(&kept, &own);
    signal_init(&dropped, &own);
    driver__submit(own.cluster, no_keyspace, &select_v, &kept.answer, on_end, &kept);
    driver__submit(own.cluster, no_keyspace, &select_v, &dropped.answer, on_end, &dropped);
    driver__cancel(own.cluster, &dropped);
    signal_wait(&dropped);
    assert_status(dropped.status, CORM_CANCELLED);
    assert_int_not_equal(sem_trywait(&kept.came), 0);
    finish(&own); /* what is under way ends before this returns */
    assert_int_equal(sem_trywait(&kept.came), 0);
    assert_status(kept.status, CORM_CLOSED);
    signal_free(&kept);
    signal_free(&dropped);
}

static void see_signals(void *context, corm_status status, const corm_error *err) {
    test_signal *signal = context;
    sigset_t     blocked;
    (void)err;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    signal->status = status;
    signal->depth = sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1;
    (void)sem_post(&signal->came);
}

static void the_thread_takes_no_signals(void **state) {
    (void)state;
    own_cluster own;
    test_signal signal;
    start(&own, NULL, NULL);
    signal_init(&signal, &own);
    driver__submit(own.cluster, no_keyspace, &select_v, &signal.answer, see_signals, &signal);
    signal_wait(&signal);
    assert_int_equal(signal.depth, 1);
    signal_free(&signal);
    finish(&own);
}

static void opening_without_a_server_leaves_nothing_behind(void **state) {
    (void)state;
    driver_settings settings;
    driver_cluster *cluster;
    corm_error      err;
    own_cluster     own;
    start(&own, NULL, NULL);
    uint16_t port = corm_fake_port(own.fake);
    finish(&own);
    driver_contact contacts[] = { { "127.0.0.1", port }, { "no-such-host.invalid", port } };
    assert_ok(driver__settings_make(contacts, 2, NULL, 0, &settings, &err), err);
    assert_status(driver__open(&settings, &cluster, &err), CORM_IO);
    assert_int_equal(settings.contact_count, 0); /* taken over */
}

/* ---- the caller's loop ---- */

static void the_callers_loop_is_run_until_the_answer_is_there(void **state) {
    (void)state;
    test_cluster t;
    wire_answer  answer = { 0 };
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    test_open(&t, NULL);
    assert_false(driver__has_own_thread(t.cluster));
    assert_ok(driver__execute(t.cluster, no_keyspace, &select_v, &answer, &err), err);
    assert_ok(driver__wait_for_agreement(t.cluster, 1000, &err), err);
    wire__answer_free(&answer);
    test_end(&t);
}

typedef struct loop_seen {
    test_cluster *t;
    corm_status   status;
    wire_answer   answer;
    bool          ended;
} loop_seen;

static void wait_on_loop(void *context, corm_status status, const corm_error *err) {
    loop_seen  *seen = context;
    wire_answer answer = { 0 };
    corm_error  inner;
    (void)status;
    (void)err;
    seen->status = driver__execute(seen->t->cluster, no_keyspace, &select_v, &answer, &inner);
    seen->ended = true;
}

static void on_poll(uv_async_t *async) {
    loop_seen *seen = async->data;
    corm_error err;
    seen->status = driver__execute(seen->t->cluster, no_keyspace, &select_v, &seen->answer, &err);
    seen->ended = true;
    uv_close((uv_handle_t *)async, NULL);
}

static void callbacks_on_the_callers_loop_cannot_wait_either(void **state) {
    (void)state;
    test_cluster t;
    loop_seen    seen = { .t = &t };
    uv_async_t   async;
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    test_open(&t, NULL);
    driver__submit(t.cluster, no_keyspace, &select_v, &seen.answer, wait_on_loop, &seen);
    TURN_UNTIL(&t, seen.ended);
    assert_status(seen.status, CORM_WOULD_DEADLOCK);
    /* Nor do other callbacks that the loop runs while it looks at its sockets. */
    seen.ended = false;
    assert_int_equal(uv_async_init(&t.loop, &async, on_poll), 0);
    async.data = &seen;
    assert_int_equal(uv_async_send(&async), 0);
    TURN_UNTIL(&t, seen.ended);
    assert_status(seen.status, CORM_WOULD_DEADLOCK);
    wire__answer_free(&seen.answer);
    test_end(&t);
}

static void on_loop_end(void *context, corm_status status, const corm_error *err) {
    loop_seen *seen = context;
    (void)err;
    seen->status = status;
    seen->ended = true;
}

static void cancelling_on_the_callers_loop_is_immediate(void **state) {
    (void)state;
    test_cluster t;
    loop_seen    seen = { .t = &t };
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    test_open(&t, NULL);
    driver__submit(t.cluster, no_keyspace, &select_v, &seen.answer, on_loop_end, &seen);
    driver__cancel(t.cluster, &t); /* another's context */
    assert_false(seen.ended);
    driver__cancel(t.cluster, &seen);
    assert_true(seen.ended);
    assert_status(seen.status, CORM_CANCELLED);
    wire__answer_free(&seen.answer);
    test_end(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(answers_are_waited_for),
    cmocka_unit_test(a_callback_cannot_wait),
    cmocka_unit_test(a_callback_may_submit),
    cmocka_unit_test(callbacks_inside_callbacks_do_not_fill_the_stack),
    cmocka_unit_test(any_number_of_threads_may_ask),
    cmocka_unit_test(only_the_request_with_the_context_is_cancelled),
    cmocka_unit_test(the_thread_takes_no_signals),
    cmocka_unit_test(opening_without_a_server_leaves_nothing_behind),
    cmocka_unit_test(the_callers_loop_is_run_until_the_answer_is_there),
    cmocka_unit_test(callbacks_on_the_callers_loop_cannot_wait_either),
    cmocka_unit_test(cancelling_on_the_callers_loop_is_immediate),
};

RUN_TESTS()
