// SPDX-License-Identifier: MIT
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "corm/types.h"
#include "testing/check.h"

static void random_uuids_have_version_4_and_differ(void **state) {
    (void)state;
    corm_uuid before = corm_uuid_random();
    for (int i = 0; i < 100; i++) {
        corm_uuid uuid = corm_uuid_random();
        assert_int_equal(uuid.bytes[6] >> 4, 4);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_false(corm_uuid_equal(uuid, before));
        assert_int_equal(corm_uuid_timestamp(uuid).ms, 0);
        before = uuid;
    }
}

static uint64_t time_of(corm_uuid uuid) {
    return (uint64_t)(base__load_u16(uuid.bytes + 6) & 0x0fff) << 48 |
           (uint64_t)base__load_u16(uuid.bytes + 4) << 32 | base__load_u32(uuid.bytes);
}

static void time_uuids_have_version_1_and_increase(void **state) {
    (void)state;
    corm_uuid first = corm_uuid_time();
    uint64_t  before = time_of(first);
    for (int i = 0; i < 1000; i++) {
        corm_uuid uuid = corm_uuid_time();
        assert_int_equal(uuid.bytes[6] >> 4, 1);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_int_equal(uuid.bytes[10] & 1, 1);
        assert_memory_equal(uuid.bytes + 8, first.bytes + 8, 8);
        assert_true(time_of(uuid) > before);
        before = time_of(uuid);
    }
    int64_t now = base__clock_ms();
    assert_in_range(corm_uuid_timestamp(corm_uuid_time()).ms, now - 60000, now + 60000);
}

static void a_forked_child_has_another_node(void **state) {
    (void)state;
    int       pipes[2];
    corm_uuid own = corm_uuid_time();
    corm_uuid other = own;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        corm_uuid uuid = corm_uuid_time();
        _exit(write(pipes[1], &uuid, sizeof uuid) == sizeof uuid ? 0 : 1);
    }
    assert_int_equal(read(pipes[0], &other, sizeof other), sizeof other);
    waitpid(child, NULL, 0);
    close(pipes[0]);
    close(pipes[1]);
    assert_memory_not_equal(own.bytes + 8, other.bytes + 8, 8);
}

static void text_goes_both_ways(void **state) {
    (void)state;
    const char *text = "123e4567-e89b-12d3-a456-426614174000";
    corm_uuid   uuid;
    corm_error  err;
    char        out[37];
    assert_ok(corm_uuid_parse(text, &uuid, &err), err);
    assert_int_equal(uuid.bytes[0], 0x12);
    assert_int_equal(uuid.bytes[15], 0);
    corm_uuid_format(uuid, out);
    assert_string_equal(out, text);
    assert_ok(corm_uuid_parse("123E4567-E89B-12D3-A456-426614174000", &uuid, &err), err);
    corm_uuid_format(uuid, out);
    assert_string_equal(out, text);
    assert_int_equal(corm_uuid_timestamp(uuid).ms, 8156923288545);
}

static void other_texts_are_refused_and_leave_the_value(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "123e4567",
        "123e4567-e89b-12d3-a456-42661417400",
        "123e4567-e89b-12d3-a456-4266141740000",
        "123e4567e89b-12d3-a456-4266141740000",
        "123e4567-e89b-12d3-a456-42661417400g",
        "{23e4567-e89b-12d3-a456-426614174000",
        "123e4567-e89b-12d3-a456-4266141740:0",
    };
    corm_uuid  uuid = corm_uuid_random();
    corm_uuid  copy = uuid;
    corm_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(corm_uuid_parse(bad[i], &uuid, &err), CORM_CONVERSION);
        assert_non_null(strstr(err.message, bad[i]));
    }
    assert_status(corm_uuid_parse(NULL, &uuid, NULL), CORM_CONVERSION);
    assert_true(corm_uuid_equal(uuid, copy));
}

static void zero_means_not_given(void **state) {
    (void)state;
    assert_true(corm_uuid_is_zero((corm_uuid){ { 0 } }));
    assert_false(corm_uuid_is_zero(corm_uuid_time()));
}

static void times_before_1970_round_down(void **state) {
    (void)state;
    corm_uuid uuid = { { 0 } };
    uuid.bytes[6] = 0x10;
    assert_int_equal(corm_uuid_timestamp(uuid).ms, -12219292800000);
    uuid.bytes[3] = 1;
    assert_int_equal(corm_uuid_timestamp(uuid).ms, -12219292800000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_uuids_have_version_4_and_differ),
    cmocka_unit_test(time_uuids_have_version_1_and_increase),
    cmocka_unit_test(a_forked_child_has_another_node),
    cmocka_unit_test(text_goes_both_ways),
    cmocka_unit_test(other_texts_are_refused_and_leave_the_value),
    cmocka_unit_test(zero_means_not_given),
    cmocka_unit_test(times_before_1970_round_down),
};

RUN_TESTS()
