// SPDX-License-Identifier: MIT
#include "testing/check.h"
#include "wire/message.h"

#define BYTES(literal)                                                                             \
    (corm_bytes) {                                                                                 \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }
#define TEXT(literal)                                                                              \
    (corm_str) {                                                                                   \
        (literal), sizeof(literal) - 1                                                             \
    }

static wire_error read_error(corm_bytes body, uint8_t version) {
    wire_error out;
    corm_error err;
    assert_ok(wire__error_read(body, version, &out, &err), err);
    return out;
}

/* The bytes read as `error` reads them, and `error` is written as them. */
static wire_error both_ways(corm_bytes body, uint8_t version) {
    base_buf   out = { 0 };
    wire_error error = read_error(body, version);
    wire__put_error(&out, &error, version);
    assert_int_equal(out.len, body.len);
    assert_memory_equal(out.data, body.data, body.len);
    base__buf_free(&out);
    return error;
}

static void check_code(int32_t code, corm_status status) {
    base_buf   body = { 0 };
    wire_error in = { .code = code, .message = TEXT("text") };
    for (uint8_t version = 3; code >= 0 && version <= 5; version++) {
        base__buf_clear(&body);
        wire__put_error(&body, &in, version);
        wire_error out = both_ways(base__buf_bytes(&body), version);
        assert_int_equal(out.status, status);
        assert_text(out.message, "text");
    }
    base__buf_free(&body);
}

static void every_code_has_its_status(void **state) {
    (void)state;
#define CHECK(name, value, retryable, code, text) check_code(code, CORM_##name);
    CORM_STATUS_MAP(CHECK)
#undef CHECK
}

static void an_unknown_code_is_an_error_of_the_server(void **state) {
    (void)state;
    wire_error error = read_error(BYTES("\0\0\x44\x44\0\x02hm\xFF\xFF"), 5);
    assert_int_equal(error.code, 0x4444);
    assert_int_equal(error.status, CORM_SERVER_ERROR);
    error = read_error(BYTES("\xFF\xFF\xFF\xFF\0\x02hm"), 5);
    assert_int_equal(error.status, CORM_SERVER_ERROR);
}

static void unavailable_says_how_many_are_alive(void **state) {
    (void)state;
    wire_error error = both_ways(BYTES("\0\0\x10\0\0\x01m\0\x04\0\0\0\x02\0\0\0\x01"), 4);
    assert_int_equal(error.consistency, WIRE_QUORUM);
    assert_int_equal(error.required, 2);
    assert_int_equal(error.received, 1);
}

static void timeouts_say_what_was_received(void **state) {
    (void)state;
    wire_error read = both_ways(BYTES("\0\0\x12\0\0\x01m\0\x06\0\0\0\x01\0\0\0\x02\x01"), 5);
    assert_int_equal(read.consistency, WIRE_LOCAL_QUORUM);
    assert_int_equal(read.received, 1);
    assert_int_equal(read.required, 2);
    assert_true(read.data_present);
    wire_error write = both_ways(BYTES("\0\0\x11\0\0\x01m\0\x01\0\0\0\0\0\0\0\x01\0\x09"
                                       "BATCH_LOG"),
                                 4);
    assert_int_equal(write.write_type, WIRE_WRITE_BATCH_LOG);
    assert_int_equal(write.required, 1);
}

static void contentions_come_in_v5_and_may_be_left_out(void **state) {
    (void)state;
    static const char with[] = "\0\0\x11\0\0\x01m\0\x08\0\0\0\x01\0\0\0\x02\0\x03"
                               "CAS\0\x07";
    wire_error        error = both_ways(BYTES(with), 5);
    assert_int_equal(error.write_type, WIRE_WRITE_CAS);
    assert_int_equal(error.contentions, 7);
    error = both_ways((corm_bytes){ (const uint8_t *)with, sizeof with - 3 }, 4);
    assert_int_equal(error.contentions, 0);
    error = read_error((corm_bytes){ (const uint8_t *)with, sizeof with - 3 }, 5);
    assert_int_equal(error.write_type, WIRE_WRITE_CAS);
    assert_int_equal(error.contentions, 0);
}

static void failures_are_a_number_in_v4_and_a_map_in_v5(void **state) {
    (void)state;
    wire_error read =
        both_ways(BYTES("\0\0\x13\0\0\x01m\0\x06\0\0\0\x01\0\0\0\x02\0\0\0\x03\x01"), 4);
    assert_int_equal(read.failures, 3);
    assert_true(read.data_present);
    read = both_ways(
        BYTES("\0\0\x13\0\0\x01m\0\x06\0\0\0\x01\0\0\0\x02\0\0\0\x02\x04\x7F\0\0\x01\0\x01"
              "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\x02\x01"),
        5);
    assert_int_equal(read.failures, 2);
    assert_int_equal(read.reasons.len, 7 + 19);
    assert_true(read.data_present);
    wire_error write = both_ways(
        BYTES(
            "\0\0\x15\0\0\x01m\0\x06\0\0\0\x01\0\0\0\x02\0\0\0\x01\x04\x7F\0\0\x01\0\0\0\x06SIMPLE"),
        5);
    assert_int_equal(write.failures, 1);
    assert_int_equal(write.write_type, WIRE_WRITE_SIMPLE);
}

static void failures_without_reasons_still_make_a_map_in_v5(void **state) {
    (void)state;
    base_buf   body = { 0 };
    wire_error in = { .code = 0x1500, .failures = 2, .write_type = WIRE_WRITE_VIEW };
    wire__put_error(&body, &in, 5);
    wire_error out = both_ways(base__buf_bytes(&body), 5);
    assert_int_equal(out.failures, 2);
    assert_int_equal(out.reasons.len, 14);
    assert_memory_not_equal(out.reasons.data, out.reasons.data + 7, 5);
    assert_int_equal(out.write_type, WIRE_WRITE_VIEW);
    base__buf_free(&body);
}

static void an_impossible_number_of_failures_leaves_zeros(void **state) {
    (void)state;
    wire_error error = read_error(
        BYTES(
            "\0\0\x15\0\0\x01m\0\x06\0\0\0\x01\0\0\0\x02\x7F\xFF\xFF\xFF\x04\x7F\0\0\x01\0\0\0\x06SIMPLE"),
        5);
    assert_int_equal(error.reasons.len, 0);
    assert_int_equal(error.write_type, WIRE_WRITE_UNKNOWN);
    assert_int_equal(error.status, CORM_WRITE_FAILURE);
}

static void the_outcome_of_an_lwt_is_unknown(void **state) {
    (void)state;
    wire_error error = both_ways(BYTES("\0\0\x17\0\0\x01m\0\x08\0\0\0\x01\0\0\0\x02"), 5);
    assert_int_equal(error.status, CORM_CAS_WRITE_UNKNOWN);
    assert_int_equal(error.consistency, WIRE_SERIAL);
    assert_int_equal(error.received, 1);
    assert_int_equal(error.required, 2);
}

static void names_of_what_exists_and_ids_of_what_does_not(void **state) {
    (void)state;
    wire_error error = both_ways(BYTES("\0\0\x24\0\0\x01m\0\x04shop\0\x05users"), 4);
    assert_text(error.keyspace, "shop");
    assert_text(error.table, "users");
    error = both_ways(BYTES("\0\0\x25\0\0\x01m\0\x03"
                            "abc"),
                      4);
    assert_int_equal(error.unprepared_id.len, 3);
    assert_memory_equal(error.unprepared_id.data, "abc", 3);
    error = both_ways(BYTES("\0\0\x14\0\0\x01m\0\x04shop\0\x04"
                            "sum(\0\x01\0\x03int"),
                      4);
    assert_text(error.keyspace, "shop");
    assert_text(error.table, "sum(");
    error = both_ways(BYTES("\0\0\x14\0\0\x01m\0\x01k\0\x01s\0\0"), 4);
    assert_int_equal(error.arguments.len, 2);
}

static void a_function_that_fails_is_named_with_its_argument_types(void **state) {
    (void)state;
    static const uint8_t expected[] =
        "\0\0\x14\0\0\x01m\0\x06system\0\x04_add\0\x02\0\x0emap<int, text>\0\x03int";
    wire_error error = { .code = 0x1400, .message = TEXT("m"), .keyspace = TEXT("system") };
    base_buf   body = { 0 };
    error.table = TEXT("_add(map<int, text>, int)");
    wire__put_error(&body, &error, 5);
    assert_int_equal(body.len, sizeof expected - 1);
    assert_memory_equal(body.data, expected, body.len);
    body.len = 0;
    error.table = TEXT("now()");
    wire__put_error(&body, &error, 5);
    assert_memory_equal(body.data + body.len - 7, "\0\3now\0\0", 7);
    base__buf_free(&body);
}

static void a_cut_tail_leaves_zeros_and_a_cut_message_is_refused(void **state) {
    (void)state;
    static const char body[] = "\0\0\x11\0\0\x01m\0\x08\0\0\0\x01\0\0\0\x02\0\x03"
                               "CAS\0\x07";
    for (size_t len = 0; len < sizeof body; len++) {
        wire_error  error;
        corm_bytes  cut = { (const uint8_t *)body, len };
        corm_status status = wire__error_read(cut, 5, &error, NULL);
        assert_status(status, len < 7 ? CORM_PROTOCOL_ERROR : CORM_OK);
        if (len >= 7) assert_text(error.message, "m");
        if (len >= 7 && len < 17) assert_int_equal(error.required, 0);
    }
}

static void a_report_has_the_server_s_text_and_place(void **state) {
    (void)state;
    corm_error err;
    wire_error error = { .code = 0x2000,
                         .status = CORM_SYNTAX_ERROR,
                         .message = TEXT("line 2:17 no viable alternative at input 'FORM'") };
    assert_status(wire__error_report(&error, &err), CORM_SYNTAX_ERROR);
    assert_int_equal(err.status, CORM_SYNTAX_ERROR);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 17);
    assert_string_equal(err.message, "line 2:17 no viable alternative at input 'FORM'");
    assert_status(wire__error_report(&error, NULL), CORM_SYNTAX_ERROR);
}

static void check_no_place(corm_str message) {
    corm_error err;
    wire_error error = { .status = CORM_INVALID, .message = message };
    wire__error_report(&error, &err);
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
}

static void a_text_that_only_looks_like_a_place_is_none(void **state) {
    (void)state;
    check_no_place(TEXT("line"));
    check_no_place(TEXT("line 1"));
    check_no_place(TEXT("line 1:"));
    check_no_place(TEXT("line x:1"));
    check_no_place(TEXT("line 1;1"));
    check_no_place(TEXT("line 99999999999:1"));
    check_no_place(TEXT(" line 1:1"));
}

static void a_report_names_what_exists_and_is_never_empty(void **state) {
    (void)state;
    static char long_name[400];
    corm_error  err;
    wire_error  exists = { .status = CORM_ALREADY_EXISTS,
                           .keyspace = TEXT("shop"),
                           .table = { long_name, sizeof long_name } };
    memset(long_name, 'n', sizeof long_name);
    wire__error_report(&exists, &err);
    assert_string_equal(err.message, corm_status_text(CORM_ALREADY_EXISTS));
    assert_string_equal(err.keyspace, "shop");
    assert_int_equal(strlen(err.table), sizeof err.table - 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_code_has_its_status),
    cmocka_unit_test(an_unknown_code_is_an_error_of_the_server),
    cmocka_unit_test(unavailable_says_how_many_are_alive),
    cmocka_unit_test(timeouts_say_what_was_received),
    cmocka_unit_test(contentions_come_in_v5_and_may_be_left_out),
    cmocka_unit_test(failures_are_a_number_in_v4_and_a_map_in_v5),
    cmocka_unit_test(failures_without_reasons_still_make_a_map_in_v5),
    cmocka_unit_test(an_impossible_number_of_failures_leaves_zeros),
    cmocka_unit_test(the_outcome_of_an_lwt_is_unknown),
    cmocka_unit_test(names_of_what_exists_and_ids_of_what_does_not),
    cmocka_unit_test(a_function_that_fails_is_named_with_its_argument_types),
    cmocka_unit_test(a_cut_tail_leaves_zeros_and_a_cut_message_is_refused),
    cmocka_unit_test(a_report_has_the_server_s_text_and_place),
    cmocka_unit_test(a_text_that_only_looks_like_a_place_is_none),
    cmocka_unit_test(a_report_names_what_exists_and_is_never_empty),
};

RUN_TESTS()
