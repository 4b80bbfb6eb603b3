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

static void expect(base_buf *body, corm_bytes want) {
    assert_int_equal(body->len, want.len);
    assert_memory_equal(body->data, want.data, want.len);
    base__buf_free(body);
}

/* ---- in front of a message ---- */

static void a_prefix_comes_in_the_order_of_tracing_warnings_payload(void **state) {
    (void)state;
    corm_error        err;
    wire_prefix       prefix;
    base_buf          body = { 0 };
    wire_answer       answer = { 0 };
    wire_payload_item items[] = { { TEXT("k"), { (const uint8_t *)"v", 1 } } }, item;
    memset(&answer.tracing_id, 7, sizeof answer.tracing_id);
    wire__add_warning(&answer, TEXT("slow"));
    wire__put_payload(&answer.payload, items, 1);
    wire__put_prefix(&body, &answer);
    base__buf_puts(&body, "rest");
    wire_frame frame = { .version = 4,
                         .response = true,
                         .flags = wire__prefix_flags(&answer),
                         .body = base__buf_bytes(&body) };
    assert_int_equal(frame.flags, WIRE_FLAG_TRACING | WIRE_FLAG_WARNING | WIRE_FLAG_PAYLOAD);
    assert_ok(wire__prefix_read(&frame, &prefix, &err), err);
    assert_memory_equal(&prefix.tracing_id, &answer.tracing_id, 16);
    assert_int_equal(prefix.warnings.len, answer.warnings.len);
    assert_memory_equal(prefix.warnings.data, answer.warnings.data, answer.warnings.len);
    assert_int_equal(wire__payload_count(prefix.payload), 1);
    assert_true(wire__payload_item(prefix.payload, 0, &item));
    assert_text(item.name, "k");
    assert_memory_equal(item.value.data, "v", 1);
    assert_false(wire__payload_item(prefix.payload, 1, &item));
    assert_int_equal(prefix.message.len, 4);
    assert_memory_equal(prefix.message.data, "rest", 4);
    wire__answer_clear(&answer);
    assert_int_equal(wire__prefix_flags(&answer), 0);
    wire__answer_free(&answer);
    base__buf_free(&body);
}

static void a_request_s_tracing_flag_announces_nothing(void **state) {
    (void)state;
    corm_error  err;
    wire_prefix prefix;
    wire_frame  frame = { .version = 5,
                          .flags = WIRE_FLAG_TRACING | WIRE_FLAG_WARNING,
                          .body = BYTES("body") };
    assert_ok(wire__prefix_read(&frame, &prefix, &err), err);
    assert_int_equal(prefix.message.len, 4);
}

static void every_cut_prefix_is_refused(void **state) {
    (void)state;
    static const char bytes[] =
        "0123456789abcdef\0\x01\0\x01w\0\x02\0\x01k\0\0\0\x01v\0\x01n\xFF\xFF\xFF"
        "\xFF";
    for (size_t len = 0; len < sizeof bytes; len++) {
        wire_prefix prefix;
        wire_frame  frame = { .version = 5,
                              .response = true,
                              .flags = WIRE_FLAG_TRACING | WIRE_FLAG_WARNING | WIRE_FLAG_PAYLOAD,
                              .body = { (const uint8_t *)bytes, len } };
        assert_status(wire__prefix_read(&frame, &prefix, NULL),
                      len < sizeof bytes - 1 ? CORM_PROTOCOL_ERROR : CORM_OK);
        assert_int_equal(prefix.message.len, len == sizeof bytes);
    }
}

static void a_payload_that_is_empty_or_cut_gives_nothing(void **state) {
    (void)state;
    wire_payload_item item;
    assert_int_equal(wire__payload_count(BYTES("")), 0);
    assert_false(wire__payload_item(BYTES(""), 0, &item));
    assert_false(wire__payload_item(BYTES("\0\x05\0\x01k"), 0, &item));
}

/* ---- the handshake ---- */

static void startup_is_a_map_of_strings(void **state) {
    (void)state;
    base_buf   body = { 0 };
    base_arena arena = { 0 };
    corm_error err;
    wire_pair  options[] = { { TEXT("CQL_VERSION"), TEXT("3.0.0") }, { TEXT("K"), TEXT("") } };
    wire_pair *read = NULL;
    uint32_t   count = 0;
    wire__put_startup(&body, options, 2);
    assert_ok(wire__read_string_map(base__buf_bytes(&body), &arena, &read, &count, &err), err);
    assert_int_equal(count, 2);
    assert_text(read[0].name, "CQL_VERSION");
    assert_text(read[0].value, "3.0.0");
    assert_text(read[1].name, "K");
    assert_text(read[1].value, "");
    expect(&body, BYTES("\0\x02\0\x0B"
                        "CQL_VERSION\0\x05"
                        "3.0.0\0\x01K\0\0"));
    base__arena_free(&arena);
}

static void register_is_a_list_of_strings(void **state) {
    (void)state;
    base_buf   body = { 0 };
    base_arena arena = { 0 };
    corm_error err;
    corm_str   texts[] = { TEXT("UP"), TEXT("DOWN") }, *read = NULL;
    uint32_t   count = 0;
    wire__put_string_list(&body, texts, 2);
    assert_ok(wire__read_string_list(base__buf_bytes(&body), &arena, &read, &count, &err), err);
    assert_int_equal(count, 2);
    assert_text(read[1], "DOWN");
    expect(&body, BYTES("\0\x02\0\x02UP\0\x04"
                        "DOWN"));
    base__arena_free(&arena);
}

static void a_token_is_bytes_or_null(void **state) {
    (void)state;
    base_buf   body = { 0 };
    corm_bytes out;
    corm_error err;
    wire__put_bytes(&body, BYTES("\0me\0you"));
    assert_ok(wire__read_bytes_body(base__buf_bytes(&body), &out, &err), err);
    assert_int_equal(out.len, 7);
    expect(&body, BYTES("\0\0\0\x07\0me\0you"));
    wire__put_bytes(&body, (corm_bytes){ NULL, 0 });
    assert_ok(wire__read_bytes_body(base__buf_bytes(&body), &out, &err), err);
    assert_null(out.data);
    expect(&body, BYTES("\xFF\xFF\xFF\xFF"));
    wire__put_bytes(&body, BYTES(""));
    assert_ok(wire__read_bytes_body(base__buf_bytes(&body), &out, &err), err);
    assert_non_null(out.data);
    expect(&body, BYTES("\0\0\0\0"));
    assert_status(wire__read_bytes_body(BYTES("\0\0\0\x02x"), &out, &err), CORM_PROTOCOL_ERROR);
    assert_status(wire__read_bytes_body(BYTES("\0\0"), &out, &err), CORM_PROTOCOL_ERROR);
}

static void an_authenticator_s_name_is_a_string(void **state) {
    (void)state;
    base_buf   body = { 0 };
    corm_str   out;
    corm_error err;
    wire__put_text(&body, TEXT("a.b.C"));
    assert_ok(wire__read_text_body(base__buf_bytes(&body), &out, &err), err);
    assert_text(out, "a.b.C");
    expect(&body, BYTES("\0\x05"
                        "a.b.C"));
    assert_status(wire__read_text_body(BYTES("\0\x05"
                                             "a.b."),
                                       &out, &err),
                  CORM_PROTOCOL_ERROR);
}

static void supported_is_walked_value_by_value(void **state) {
    (void)state;
    base_buf        body = { 0 };
    wire_multimap   map;
    wire_pair       pair;
    const wire_pair pairs[] = { { TEXT("COMPRESSION"), TEXT("snappy") },
                                { TEXT("COMPRESSION"), TEXT("lz4") },
                                { TEXT("CQL_VERSION"), TEXT("3.4.7") } };
    wire__put_multimap(&body, pairs, 3);
    wire__multimap_begin(&map, base__buf_bytes(&body));
    for (int i = 0; i < 3; i++) {
        assert_true(wire__multimap_next(&map, &pair));
        assert_true(corm_str_equal(pair.name, pairs[i].name));
        assert_true(corm_str_equal(pair.value, pairs[i].value));
    }
    assert_false(wire__multimap_next(&map, &pair));
    assert_false(map.reader.failed);
    expect(&body, BYTES("\0\x02\0\x0B"
                        "COMPRESSION\0\x02\0\x06snappy\0\x03lz4\0\x0B"
                        "CQL_VERSION\0\x01\0\x05"
                        "3.4.7"));
}

static void a_name_without_values_is_passed_over(void **state) {
    (void)state;
    wire_multimap map;
    wire_pair     pair;
    wire__multimap_begin(&map, BYTES("\0\x03\0\x01"
                                     "a\0\0\0\x01"
                                     "b\0\x01\0\x01v\0\x01"
                                     "c\0\0"));
    assert_true(wire__multimap_next(&map, &pair));
    assert_text(pair.name, "b");
    assert_text(pair.value, "v");
    assert_false(wire__multimap_next(&map, &pair));
    assert_false(map.reader.failed);
}

static void cut_maps_and_lists_are_refused(void **state) {
    (void)state;
    static const char bytes[] = "\0\x02\0\x01"
                                "a\0\x01\0\x01v\0\x01"
                                "b\0\x01\0\x01w";
    base_arena        arena = { 0 };
    wire_pair        *pairs = NULL;
    corm_str         *texts = NULL;
    uint32_t          count = 0;
    for (size_t len = 0; len < sizeof bytes - 1; len++) {
        wire_multimap map;
        wire_pair     pair;
        wire__multimap_begin(&map, (corm_bytes){ (const uint8_t *)bytes, len });
        while (wire__multimap_next(&map, &pair)) continue;
        assert_true(map.reader.failed);
    }
    assert_status(wire__read_string_map(BYTES("\xFF\xFF"), &arena, &pairs, &count, NULL),
                  CORM_PROTOCOL_ERROR);
    assert_status(wire__read_string_map(BYTES("\0\x01\0\x01k\0\x05"), &arena, &pairs, &count, NULL),
                  CORM_PROTOCOL_ERROR);
    assert_status(wire__read_string_list(BYTES("\0\x02\0\x02UP"), &arena, &texts, &count, NULL),
                  CORM_PROTOCOL_ERROR);
    assert_status(wire__read_string_list(BYTES("\0"), &arena, &texts, &count, NULL),
                  CORM_PROTOCOL_ERROR);
    assert_true(arena.total < 10000);
    base__arena_free(&arena);
}

static void more_than_can_be_counted_is_cut(void **state) {
    (void)state;
    static wire_pair pairs[65537];
    static corm_str  texts[65537];
    base_buf         body = { 0 };
    wire__put_startup(&body, pairs, 65537);
    assert_int_equal(body.len, 2 + 65535 * 4);
    base__buf_clear(&body);
    wire__put_string_list(&body, texts, 65537);
    assert_int_equal(body.len, 2 + 65535 * 2);
    base__buf_clear(&body);
    wire__put_multimap(&body, pairs, 65537);
    assert_int_equal(body.len, 2 + 2 + 2 + 65535 * 2);
    base__buf_free(&body);
}

/* ---- events ---- */

static wire_event both_ways(corm_bytes body) {
    wire_event out;
    corm_error err;
    base_buf   again = { 0 };
    assert_ok(wire__event_read(body, &out, &err), err);
    wire__put_event(&again, &out);
    expect(&again, body);
    return out;
}

static void events_of_nodes_have_an_address(void **state) {
    (void)state;
    char       text[46];
    wire_event event = both_ways(BYTES("\0\x0DSTATUS_CHANGE\0\x04"
                                       "DOWN\x04\x7F\0\0\x02\0\0\x23\x52"));
    assert_int_equal(event.kind, WIRE_STATUS_CHANGE);
    assert_text(event.change, "DOWN");
    assert_int_equal(event.port, 9042);
    corm_inet_format(event.address, text);
    assert_string_equal(text, "127.0.0.2");
    event = both_ways(BYTES(
        "\0\x0FTOPOLOGY_CHANGE\0\x08NEW_NODE\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x07"));
    assert_int_equal(event.kind, WIRE_TOPOLOGY_CHANGE);
    assert_int_equal(event.address.length, 16);
}

static void events_of_the_schema_say_what_changed(void **state) {
    (void)state;
    wire_event event = both_ways(BYTES("\0\x0DSCHEMA_CHANGE\0\x07"
                                       "DROPPED\0\x08KEYSPACE\0\x04shop"));
    assert_int_equal(event.kind, WIRE_SCHEMA_CHANGE_EVENT);
    assert_text(event.change, "DROPPED");
    assert_text(event.target, "KEYSPACE");
    assert_text(event.keyspace, "shop");
    assert_text(event.name, "");
    event = both_ways(BYTES("\0\x0DSCHEMA_CHANGE\0\x07UPDATED\0\x05TABLE\0\x04shop\0\x05users"));
    assert_text(event.name, "users");
    event = both_ways(BYTES("\0\x0DSCHEMA_CHANGE\0\x07"
                            "CREATED\0\x08"
                            "FUNCTION\0\x04shop\0\x03"
                            "sum\0\0"));
    assert_text(event.name, "sum");
}

static void other_events_are_not_supported_and_cut_ones_refused(void **state) {
    (void)state;
    static const char node[] = "\0\x0DSTATUS_CHANGE\0\x04"
                               "DOWN\x04\x7F\0\0\x02\0\0\x23\x52";
    wire_event        event;
    assert_status(wire__event_read(BYTES("\0\x04PING\0\x02hm"), &event, NULL), CORM_UNSUPPORTED);
    assert_status(
        wire__event_read(BYTES("\0\x0DSTATUS_CHANGE\0\x02UP\x05\x01\x02\x03\x04\x05\0\0\0\0"),
                         &event, NULL),
        CORM_PROTOCOL_ERROR);
    for (size_t len = 0; len < sizeof node - 1; len++) {
        corm_bytes cut = { (const uint8_t *)node, len };
        assert_status(wire__event_read(cut, &event, NULL), CORM_PROTOCOL_ERROR);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_prefix_comes_in_the_order_of_tracing_warnings_payload),
    cmocka_unit_test(a_request_s_tracing_flag_announces_nothing),
    cmocka_unit_test(every_cut_prefix_is_refused),
    cmocka_unit_test(a_payload_that_is_empty_or_cut_gives_nothing),
    cmocka_unit_test(startup_is_a_map_of_strings),
    cmocka_unit_test(register_is_a_list_of_strings),
    cmocka_unit_test(a_token_is_bytes_or_null),
    cmocka_unit_test(an_authenticator_s_name_is_a_string),
    cmocka_unit_test(supported_is_walked_value_by_value),
    cmocka_unit_test(a_name_without_values_is_passed_over),
    cmocka_unit_test(cut_maps_and_lists_are_refused),
    cmocka_unit_test(more_than_can_be_counted_is_cut),
    cmocka_unit_test(events_of_nodes_have_an_address),
    cmocka_unit_test(events_of_the_schema_say_what_changed),
    cmocka_unit_test(other_events_are_not_supported_and_cut_ones_refused),
};

RUN_TESTS()
