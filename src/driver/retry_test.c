// SPDX-License-Identifier: MIT
/* retry_test.c -- what is decided about each kind of failure. */
#include "driver/cluster.h"
#include "driver/policy.h"
#include "testing/check.h"

static driver_cluster cluster = { .random = 7 };

static corm_retry_decision decide(corm_retry_kind kind, corm_failure failure) {
    corm_retry_options options = {
        .kind = kind, .max_retries = 3, .base_delay_ms = 100, .max_delay_ms = 1000
    };
    return driver__retry_decide(&options, &cluster, &failure);
}

static void assert_verdict(corm_retry_kind kind, corm_failure failure,
                           corm_retry_verdict expected) {
    corm_retry_decision decision = decide(kind, failure);
    if (decision.verdict != expected) {
        fail_msg("kind %d, %s: %d instead of %d", (int)kind, corm_status_name(failure.status),
                 (int)decision.verdict, (int)expected);
    }
}

static void by_default_a_read_is_repeated_when_only_the_data_is_missing(void **state) {
    (void)state;
    corm_failure read = {
        .status = CORM_READ_TIMEOUT, .idempotent = true, .received = 2, .required = 2
    };
    assert_verdict(CORM_RETRY_DEFAULT, read, CORM_RETRY_SAME_NODE);
    read.data_present = true;
    assert_verdict(CORM_RETRY_DEFAULT, read, CORM_RETHROW);
    read = (corm_failure){
        .status = CORM_READ_TIMEOUT, .idempotent = true, .received = 1, .required = 2
    };
    assert_verdict(CORM_RETRY_DEFAULT, read, CORM_RETHROW);
    read =
        (corm_failure){ .status = CORM_READ_TIMEOUT, .received = 2, .required = 2, .retries = 1 };
    assert_verdict(CORM_RETRY_DEFAULT, read, CORM_RETHROW);
}

static void by_default_a_write_is_repeated_when_the_batch_log_timed_out(void **state) {
    (void)state;
    corm_failure write = { .status = CORM_WRITE_TIMEOUT, .idempotent = true };
    for (int type = CORM_WRITE_UNKNOWN; type <= CORM_WRITE_CDC; type++) {
        write.write_type = (corm_write_type)type;
        bool log = type == CORM_WRITE_BATCH_LOG;
        assert_verdict(CORM_RETRY_DEFAULT, write, log ? CORM_RETRY_SAME_NODE : CORM_RETHROW);
    }
    write.write_type = CORM_WRITE_BATCH_LOG;
    write.retries = 1;
    assert_verdict(CORM_RETRY_DEFAULT, write, CORM_RETHROW);
}

static void by_default_another_node_is_asked_once_when_replicas_are_missing(void **state) {
    (void)state;
    corm_failure failure = { .status = CORM_UNAVAILABLE };
    assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETRY_NEXT_NODE);
    failure.retries = 1;
    assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETHROW);
}

static void by_default_a_node_that_fails_is_left_for_the_next_when_that_is_safe(void **state) {
    (void)state;
    static const corm_status nodes[] = { CORM_OVERLOADED, CORM_SERVER_ERROR, CORM_IO,
                                         CORM_TRUNCATE_ERROR };
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        corm_failure failure = { .status = nodes[i], .idempotent = true, .retries = 2 };
        assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETRY_NEXT_NODE);
        assert_verdict(CORM_RETRY_FALLTHROUGH, failure, CORM_RETHROW);
        failure.idempotent = false;
        assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETHROW);
        assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETHROW);
    }
    assert_verdict(CORM_RETRY_DEFAULT, (corm_failure){ .status = CORM_BOOTSTRAPPING },
                   CORM_RETRY_NEXT_NODE);
}

static void replicas_that_failed_are_asked_again_through_another_node(void **state) {
    (void)state;
    const corm_status failures[] = { CORM_READ_FAILURE, CORM_WRITE_FAILURE };
    for (size_t i = 0; i < 2; i++) {
        corm_failure failure = { .status = failures[i], .idempotent = true };
        assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETRY_NEXT_NODE);
        assert_verdict(CORM_RETRY_DOWNGRADING, failure, CORM_RETRY_NEXT_NODE);
        assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETRY_NEXT_NODE);
        assert_verdict(CORM_RETRY_FALLTHROUGH, failure, CORM_RETHROW);
        failure.retries = 1;
        assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETHROW);
        assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETRY_NEXT_NODE);
        failure = (corm_failure){ .status = failures[i] };
        assert_verdict(CORM_RETRY_DEFAULT, failure, CORM_RETHROW);
        assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETHROW);
    }
}

static void backing_off_repeats_up_to_max_retries_with_pauses(void **state) {
    (void)state;
    corm_failure failure = { .status = CORM_WRITE_TIMEOUT, .idempotent = true };
    for (failure.retries = 0; failure.retries < 3; failure.retries++) {
        corm_retry_decision decision = decide(CORM_RETRY_BACKOFF, failure);
        assert_int_equal(decision.verdict, CORM_RETRY_SAME_NODE);
        assert_true(decision.delay_ms <= 100u << failure.retries);
    }
    assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETHROW);
    failure = (corm_failure){ .status = CORM_OVERLOADED, .idempotent = true };
    assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETRY_NEXT_NODE);
    failure.status = CORM_SYNTAX_ERROR;
    assert_verdict(CORM_RETRY_BACKOFF, failure, CORM_RETHROW);
}

static void pauses_grow_up_to_the_longest_with_full_jitter(void **state) {
    (void)state;
    corm_retry_options    options = { .base_delay_ms = 100, .max_delay_ms = 1000 };
    static const uint32_t most[] = { 100, 200, 400, 800, 1000, 1000 };
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(driver__backoff_ms(&options, i, 0), 0);
        assert_int_equal(driver__backoff_ms(&options, i, most[i]), most[i]);
        assert_int_equal(driver__backoff_ms(&options, i, most[i] + 1), 0);
    }
    assert_int_equal(driver__backoff_ms(&options, 4000, 1000), 1000);
    options.backoff = CORM_BACKOFF_CONSTANT;
    assert_int_equal(driver__backoff_ms(&options, 5, 12345), 100);
}

static void assert_downgraded(corm_failure failure, corm_consistency expected) {
    corm_retry_decision decision = decide(CORM_RETRY_DOWNGRADING, failure);
    assert_int_equal(decision.verdict, expected ? CORM_RETRY_SAME_NODE : CORM_RETHROW);
    assert_int_equal(decision.consistency, expected);
}

static void downgrading_takes_what_the_replicas_can_give(void **state) {
    (void)state;
    corm_failure failure = { .status = CORM_UNAVAILABLE, .consistency = CORM_ALL, .required = 5 };
    static const corm_consistency expected[] = { 0, CORM_ONE, CORM_TWO, CORM_THREE, CORM_THREE };
    for (int32_t alive = 0; alive < 5; alive++) {
        failure.alive = alive;
        assert_downgraded(failure, expected[alive]);
    }
    failure = (corm_failure){
        .status = CORM_READ_TIMEOUT, .consistency = CORM_QUORUM, .received = 1, .required = 2
    };
    assert_downgraded(failure, CORM_ONE);
    failure.retries = 1;
    assert_downgraded(failure, 0);
    failure = (corm_failure){ .status = CORM_WRITE_TIMEOUT,
                              .write_type = CORM_WRITE_UNLOGGED_BATCH,
                              .received = 2,
                              .required = 3 };
    assert_downgraded(failure, CORM_TWO);
}

static void downgrading_never_touches_a_serial_read(void **state) {
    (void)state;
    corm_failure failure = {
        .status = CORM_READ_TIMEOUT, .consistency = CORM_SERIAL, .received = 1, .required = 2
    };
    assert_downgraded(failure, 0);
    failure =
        (corm_failure){ .status = CORM_UNAVAILABLE, .consistency = CORM_LOCAL_SERIAL, .alive = 1 };
    assert_verdict(CORM_RETRY_DOWNGRADING, failure, CORM_RETRY_NEXT_NODE);
}

static void downgrading_is_content_with_a_write_that_one_replica_has(void **state) {
    (void)state;
    corm_failure failure = { .status = CORM_WRITE_TIMEOUT,
                             .write_type = CORM_WRITE_SIMPLE,
                             .received = 1 };
    assert_verdict(CORM_RETRY_DOWNGRADING, failure, CORM_RETRY_IGNORE);
    failure.received = 0;
    assert_verdict(CORM_RETRY_DOWNGRADING, failure, CORM_RETHROW);
    failure.write_type = CORM_WRITE_COUNTER;
    failure.received = 1;
    assert_verdict(CORM_RETRY_DOWNGRADING, failure, CORM_RETHROW);
}

static corm_retry_decision say_next(void *context, const corm_failure *failure) {
    *(uint32_t *)context = failure->retries + cluster.calling;
    return (corm_retry_decision){ .verdict = CORM_RETRY_NEXT_NODE, .delay_ms = 5 };
}

static void a_policy_of_the_users_own_decides(void **state) {
    (void)state;
    uint32_t            heard = 0;
    corm_retry_policy   policy = { say_next, &heard };
    corm_retry_options  options = { .kind = CORM_RETRY_FALLTHROUGH, .policy = &policy };
    corm_failure        failure = { .status = CORM_IO, .retries = 4 };
    corm_retry_decision decision = driver__retry_decide(&options, &cluster, &failure);
    assert_int_equal(decision.verdict, CORM_RETRY_NEXT_NODE);
    assert_int_equal(decision.delay_ms, 5);
    assert_int_equal(heard, 5);
    assert_int_equal(cluster.calling, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(by_default_a_read_is_repeated_when_only_the_data_is_missing),
    cmocka_unit_test(by_default_a_write_is_repeated_when_the_batch_log_timed_out),
    cmocka_unit_test(by_default_another_node_is_asked_once_when_replicas_are_missing),
    cmocka_unit_test(by_default_a_node_that_fails_is_left_for_the_next_when_that_is_safe),
    cmocka_unit_test(replicas_that_failed_are_asked_again_through_another_node),
    cmocka_unit_test(backing_off_repeats_up_to_max_retries_with_pauses),
    cmocka_unit_test(pauses_grow_up_to_the_longest_with_full_jitter),
    cmocka_unit_test(downgrading_takes_what_the_replicas_can_give),
    cmocka_unit_test(downgrading_never_touches_a_serial_read),
    cmocka_unit_test(downgrading_is_content_with_a_write_that_one_replica_has),
    cmocka_unit_test(a_policy_of_the_users_own_decides),
};

RUN_TESTS()
