// SPDX-License-Identifier: MIT
#include "cql/types.h"

#include "cql/values_for_tests.h"

static void assert_printed(const cql_type *type, const char *expected) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
}

static void a_native_type_is_found_by_id_and_by_name(void **state) {
    (void)state;
    assert_ptr_equal(cql__type_native_named(corm_str_of("INT")), cql__type_native(CQL_INT));
    assert_ptr_equal(cql__type_native_named(corm_str_of("varchar")), cql__type_native(CQL_TEXT));
    assert_null(cql__type_native_named(corm_str_of("list")));
    assert_null(cql__type_native_named(corm_str_of("empty")));
    assert_null(cql__type_native_named(corm_str_of("custom")));
    assert_null(cql__type_native(CQL_MAP));
    assert_null(cql__type_native((cql_type_id)0x99));
    assert_non_null(cql__type_native(CQL_EMPTY));
}

/* Read, then printed as the server prints it. */
static void types_are_read_and_printed(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "int", "int" },
        { "VarChar", "text" },
        { " list < int > ", "list<int>" },
        { "set<frozen<list<text>>>", "set<frozen<list<text>>>" },
        { "frozen<map<int,list<text>>>", "frozen<map<int, frozen<list<text>>>>" },
        { "map<text, frozen<point>>", "map<text, frozen<point>>" },
        { "tuple<int, list<int>>", "frozen<tuple<int, frozen<list<int>>>>" },
        { "frozen<tuple<int>>", "frozen<tuple<int>>" },
        { "vector<float, 3>", "vector<float, 3>" },
        { "vector<list<int>, 2>", "vector<frozen<list<int>>, 2>" },
        { "ks.point", "point" },
        { "\"point\"", "point" },
        { "'org.apache.cassandra.db.marshal.Int32Type'", "int" },
        { "'some.OtherType'", "'some.OtherType'" },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_printed(type_of(&arena, cases[i][0]), cases[i][1]);
    base__arena_free(&arena);
}

static void what_is_no_type_is_refused_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text;
        corm_status status;
        const char *message;
    } cases[] = {
        { "", CORM_SYNTAX_ERROR, "'' is not a type: a name expected at character 0" },
        { "list<int", CORM_SYNTAX_ERROR, "'list<int' is not a type: '>' expected at character 8" },
        { "list<int, int>", CORM_SYNTAX_ERROR, NULL },
        { "map<int>", CORM_SYNTAX_ERROR, NULL },
        { "int<int>", CORM_SYNTAX_ERROR, NULL },
        { "int int", CORM_SYNTAX_ERROR,
          "'int int' is not a type: the end expected at character 4" },
        { "vector<int>", CORM_SYNTAX_ERROR, NULL },
        { "vector<int, x>", CORM_SYNTAX_ERROR, NULL },
        { "vector<int, 0>", CORM_INVALID, "vectors may only have positive dimensions; given 0" },
        { "\"open", CORM_SYNTAX_ERROR, NULL },
        { "serial", CORM_INVALID, "Unknown type serial" },
        { "ks.serial", CORM_INVALID, "Unknown type ks.serial" },
        { "ks.", CORM_SYNTAX_ERROR, NULL },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cql_type *type = NULL;
        corm_error      err = { 0 };
        assert_status(cql__type_parse(&arena, corm_str_of(cases[i].text), NULL, &type, &err),
                      cases[i].status);
        if (cases[i].message) assert_string_equal(err.message, cases[i].message);
    }
    base__arena_free(&arena);
}

static corm_str nested(base_buf *text, const char *open, const char *close) {
    for (int i = 0; i < 5000; i++) base__buf_puts(text, open);
    base__buf_puts(text, close);
    return base__buf_str(text);
}

static void a_type_that_is_too_deep_is_refused(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    base_buf        text = { 0 };
    const cql_type *type;
    corm_error      err = { 0 };
    assert_status(cql__type_parse(&arena, nested(&text, "list<", "int"), NULL, &type, &err),
                  CORM_INVALID);
    base__buf_clear(&text);
    assert_status(
        cql__type_parse_marshal(&arena, nested(&text, "ListType(", "Int32Type"), &type, &err),
        CORM_INVALID);
    base__buf_clear(&text);
    for (int i = 0; i < 5000; i++) base__buf_u16(&text, CQL_LIST);
    base_reader reader = { .data = text.data, .len = text.len };
    assert_status(cql__type_read_option(&arena, &reader, &type, &err), CORM_PROTOCOL_ERROR);
    base__buf_free(&text);
    base__arena_free(&arena);
}

static const cql_type *from_marshal(base_arena *arena, const char *text) {
    const cql_type *type = NULL;
    corm_error      err = { 0 };
    assert_ok(cql__type_parse_marshal(arena, corm_str_of(text), &type, &err), err);
    return type;
}

static void the_class_form_is_read(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "Int32Type", "int" },
        { "org.apache.cassandra.db.marshal.Int32Type()", "int" },
        { "ReversedType(TimeUUIDType)", "timeuuid" },
        { "DateType", "timestamp" },
        { "FrozenType(ListType(ListType(Int32Type)))", "frozen<list<frozen<list<int>>>>" },
        { "ListType(ListType(Int32Type))", "list<frozen<list<int>>>" },
        { "VectorType(FloatType , 3)", "vector<float, 3>" },
        { "UserType(ks,706f696e74,78:Int32Type,59:UTF8Type)", "point" },
        { "TupleType()", "frozen<tuple<>>" },
        { "CompositeType(Int32Type,UTF8Type)",
          "'org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal.Int32Type,"
          "org.apache.cassandra.db.marshal.UTF8Type)'" },
        { "DynamicCompositeType(b=>UTF8Type,a=>BytesType)",
          "'org.apache.cassandra.db.marshal.DynamicCompositeType("
          "a=>org.apache.cassandra.db.marshal.BytesType,b=>org.apache.cassandra.db.marshal.UTF8Type)'" },
        { "PartitionerDefinedOrder", "'org.apache.cassandra.db.marshal.PartitionerDefinedOrder("
                                     "org.apache.cassandra.dht.Murmur3Partitioner)'" },
        { "ListType", "'ListType'" },
        { "ListType(Int32Type,Int32Type)", "'ListType(Int32Type,Int32Type)'" },
        { "VectorType(FloatType , 0)", "'VectorType(FloatType , 0)'" },
        { "UserType(ks)", "'UserType(ks)'" },
        { "UserType(ks,zz)", "'UserType(ks,zz)'" },
        { "FrozenType()", "'FrozenType()'" },
        { "TupleType(7)", "'TupleType(7)'" },
        { "com.example.Mine", "'com.example.Mine'" },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_printed(from_marshal(&arena, cases[i][0]), cases[i][1]);
    }
    base__arena_free(&arena);
}

static void a_malformed_class_form_is_refused(void **state) {
    (void)state;
    static const char *const cases[] = { "",
                                         "(",
                                         "ListType(",
                                         "ListType(Int32Type",
                                         "ListType(Int32Type Int32Type)",
                                         "Int32Type)",
                                         "ListType(,)" };
    base_arena               arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cql_type *type = NULL;
        corm_error      err = { 0 };
        assert_status(cql__type_parse_marshal(&arena, corm_str_of(cases[i]), &type, &err),
                      CORM_SYNTAX_ERROR);
    }
    base__arena_free(&arena);
}

static void the_class_form_is_written(void **state) {
    (void)state;
#define P "org.apache.cassandra.db.marshal."
    base_arena arena = { 0 };
    base_buf   text = { 0 };
    cql__type_print_marshal(type_of(&arena, "map<text, frozen<list<vector<float, 3>>>>"), &text);
    assert_string_equal(base__buf_cstr(&text), P "MapType(" P "UTF8Type," P "FrozenType(" P
                                                 "ListType(" P "VectorType(" P "FloatType , 3))))");
    base__buf_clear(&text);
    cql__type_print_marshal(type_of(&arena, "frozen<point>"), &text);
    assert_string_equal(base__buf_cstr(&text), P "FrozenType(" P "UserType(ks,706f696e74,78:" P
                                                 "Int32Type,59:" P "UTF8Type))");
#undef P
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void options_of_metadata_can_be_read_back(void **state) {
    (void)state;
    static const char *const cases[] = { "int",
                                         "list<int>",
                                         "map<text, frozen<set<uuid>>>",
                                         "tuple<int, text>",
                                         "point",
                                         "vector<text, 4>",
                                         "duration",
                                         "counter" };
    base_arena               arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (uint8_t version = 4; version <= 5; version++) {
            base_buf        buf = { 0 };
            const cql_type *type = type_of(&arena, cases[i]);
            const cql_type *back = NULL;
            corm_error      err = { 0 };
            cql__type_write_option(type, version, &buf);
            base_reader reader = { .data = buf.data, .len = buf.len };
            assert_ok(cql__type_read_option(&arena, &reader, &back, &err), err);
            assert_true(cql__type_same_values(type, back));
            assert_int_equal(reader.len, 0);
            for (size_t cut = 0; cut < buf.len; cut++) {
                base_reader part = { .data = buf.data, .len = cut };
                assert_true(cql__type_read_option(&arena, &part, &back, &err) != CORM_OK);
            }
            base__buf_free(&buf);
        }
    }
    base__arena_free(&arena);
}

static void options_have_the_protocols_bytes(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   buf = { 0 };
    cql__type_write_option(cql__type_native(CQL_DURATION), 5, &buf);
    cql__type_write_option(type_of(&arena, "map<int, text>"), 5, &buf);
    assert_bytes(cql__value_of(base__buf_bytes(&buf)), "0015"
                                                       "00210009000d");
    base__buf_clear(&buf);
    cql__type_write_option(cql__type_native(CQL_DURATION), 4, &buf);
    assert_memory_equal(buf.data, "\0\0\0\x2corg.apache.cassandra.db.marshal.DurationType", 48);
    base__buf_free(&buf);
    base__arena_free(&arena);
}

static void unknown_options_are_refused_and_the_old_text_is_read(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    const cql_type *type = NULL;
    corm_error      err = { 0 };
    base_reader     bad = { .data = (const uint8_t *)"\x00\x99", .len = 2 };
    base_reader     old = { .data = (const uint8_t *)"\x00\x0a", .len = 2 };
    assert_status(cql__type_read_option(&arena, &bad, &type, &err), CORM_PROTOCOL_ERROR);
    assert_ok(cql__type_read_option(&arena, &old, &type, &err), err);
    assert_ptr_equal(type, cql__type_native(CQL_TEXT));
    base__arena_free(&arena);
}

static void a_user_type_known_by_its_name_alone_freezes_too(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    const cql_type *named =
        cql__type_udt(&arena, corm_str_of("ks"), corm_str_of("point"), NULL, NULL, 0, false);
    assert_printed(cql__type_freeze(&arena, named), "frozen<point>");
    assert_printed(cql__type_freeze(&arena, cql__type_list(&arena, named, false)),
                   "frozen<list<frozen<point>>>");
    base__arena_free(&arena);
}

static void freezing_reaches_everything_inside(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    const cql_type *inner = cql__type_list(&arena, cql__type_native(CQL_INT), false);
    const cql_type *outer = cql__type_map(&arena, cql__type_native(CQL_INT), inner, false);
    assert_printed(outer, "map<int, list<int>>");
    const cql_type *frozen = cql__type_freeze(&arena, outer);
    assert_printed(frozen, "frozen<map<int, frozen<list<int>>>>");
    assert_ptr_equal(cql__type_freeze(&arena, frozen), frozen);
    assert_ptr_equal(cql__type_freeze(&arena, cql__type_native(CQL_INT)),
                     cql__type_native(CQL_INT));
    assert_false(cql__type_equal(outer, frozen));
    assert_true(cql__type_same_values(outer, frozen));
    assert_true(cql__type_is_multicell(outer));
    assert_false(cql__type_is_multicell(frozen));
    base__arena_free(&arena);
}

static void a_copy_outlives_its_original(void **state) {
    (void)state;
    base_arena      first = { 0 };
    base_arena      second = { 0 };
    const cql_type *copies[3];
    copies[0] = cql__type_copy(&second, type_of(&first, "map<int, frozen<point>>"));
    copies[1] = cql__type_copy(&second, type_of(&first, "'a.Class'"));
    copies[2] = cql__type_copy(&second, type_of(&first, "vector<text, 7>"));
    base__arena_free(&first);
    assert_printed(copies[0], "map<int, frozen<point>>");
    assert_text(copies[0]->params[1]->field_names[1], "Y");
    assert_printed(copies[1], "'a.Class'");
    assert_printed(copies[2], "vector<text, 7>");
    assert_ptr_equal(cql__type_copy(&second, cql__type_native(CQL_INT)), cql__type_native(CQL_INT));
    base__arena_free(&second);
}

static bool accepts(base_arena *arena, const char *to, const char *from) {
    return cql__type_accepts(type_of(arena, to), type_of(arena, from));
}

static void a_type_accepts_the_values_that_the_server_lets_it(void **state) {
    (void)state;
    static const char *const yes[][2] = {
        { "text", "ascii" },
        { "blob", "list<int>" },
        { "varint", "int" },
        { "varint", "bigint" },
        { "bigint", "timestamp" },
        { "timestamp", "bigint" },
        { "uuid", "timeuuid" },
        { "date", "int" },
        { "time", "bigint" },
        { "frozen<list<text>>", "frozen<list<ascii>>" },
        { "list<text>", "list<ascii>" },
        { "tuple<int, text>", "tuple<int>" },
        { "tuple<int, text>", "frozen<point>" },
        { "frozen<map<text, varint>>", "frozen<map<ascii, int>>" },
        { "point", "point" },
        { "set<text>", "set<ascii>" },
        { "map<text, text>", "map<ascii, ascii>" },
    };
    static const char *const no[][2] = {
        { "ascii", "text" },
        { "int", "bigint" },
        { "int", "varint" },
        { "list<int>", "set<int>" },
        { "list<int>", "frozen<list<int>>" },
        { "frozen<set<varint>>", "frozen<set<int>>" },
        { "tuple<int>", "tuple<int, int>" },
        { "frozen<map<varint, int>>", "frozen<map<int, int>>" },
        { "vector<varint, 2>", "vector<int, 2>" },
        { "list<varint>", "list<int>" },
        { "map<varint, int>", "map<int, int>" },
        { "point", "frozen<point>" },
        { "double", "float" },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (!accepts(&arena, yes[i][0], yes[i][1])) fail_msg("%s refuses %s", yes[i][0], yes[i][1]);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        if (accepts(&arena, no[i][0], no[i][1])) fail_msg("%s accepts %s", no[i][0], no[i][1]);
    }
    base__arena_free(&arena);
}

static void types_answer_questions_about_themselves(void **state) {
    (void)state;
    base_arena arena = { 0 };
    assert_true(cql__type_has_duration(type_of(&arena, "list<frozen<map<int, duration>>>")));
    assert_false(cql__type_has_duration(type_of(&arena, "list<int>")));
    assert_true(cql__type_mentions_udt(type_of(&arena, "list<frozen<point>>"), corm_str_of("ks"),
                                       corm_str_of("point")));
    assert_false(cql__type_mentions_udt(type_of(&arena, "list<int>"), corm_str_of("ks"),
                                        corm_str_of("point")));
    assert_true(cql__type_is_numeric(cql__type_native(CQL_DECIMAL)));
    assert_false(cql__type_is_numeric(cql__type_native(CQL_TEXT)));
    assert_true(cql__type_is_collection(type_of(&arena, "frozen<set<int>>")));
    assert_false(cql__type_is_collection(type_of(&arena, "tuple<int>")));
    assert_int_equal(cql__type_fixed_size(cql__type_native(CQL_SMALLINT)), 2);
    assert_int_equal(cql__type_fixed_size(cql__type_native(CQL_TEXT)), 0);
    assert_int_equal(cql__type_fixed_size(type_of(&arena, "vector<float, 3>")), 12);
    assert_int_equal(cql__type_fixed_size(type_of(&arena, "vector<vector<bigint, 2>, 3>")), 48);
    assert_int_equal(cql__type_fixed_size(type_of(&arena, "vector<smallint, 3>")), 0);
    assert_int_equal(cql__type_fixed_size(type_of(&arena, "vector<double, 2147483647>")), 0);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_native_type_is_found_by_id_and_by_name),
    cmocka_unit_test(types_are_read_and_printed),
    cmocka_unit_test(what_is_no_type_is_refused_with_its_place),
    cmocka_unit_test(a_type_that_is_too_deep_is_refused),
    cmocka_unit_test(the_class_form_is_read),
    cmocka_unit_test(a_malformed_class_form_is_refused),
    cmocka_unit_test(the_class_form_is_written),
    cmocka_unit_test(options_of_metadata_can_be_read_back),
    cmocka_unit_test(options_have_the_protocols_bytes),
    cmocka_unit_test(unknown_options_are_refused_and_the_old_text_is_read),
    cmocka_unit_test(freezing_reaches_everything_inside),
    cmocka_unit_test(a_user_type_known_by_its_name_alone_freezes_too),
    cmocka_unit_test(a_copy_outlives_its_original),
    cmocka_unit_test(a_type_accepts_the_values_that_the_server_lets_it),
    cmocka_unit_test(types_answer_questions_about_themselves),
};

RUN_TESTS()
