// SPDX-License-Identifier: MIT
/* lexer_test.c -- tokens as Cassandra's lexer cuts them, and the table of keywords. */
#include "cql/parse.h"
#include "testing/check.h"

/* "kind:text@line:column " for each token. */
static void put_tokens(corm_str text, base_buf *out) {
    static const char *const kinds[] = { "END",    "IDENT",   "QUOTED", "STRING", "INTEGER",
                                         "FLOAT",  "BOOLEAN", "UUID",   "HEX",    "DURATION",
                                         "MARKER", "SYMBOL",  "ERROR" };
    cql_lexer                lexer;
    cql_token                token;
    cql__lexer_init(&lexer, text);
    for (;;) {
        cql__lexer_next(&lexer, &token);
        if (token.kind == CQL_TOKEN_END) return;
        base__buf_printf(out, "%s:%.*s@%u:%u ", kinds[token.kind], (int)token.text.len,
                         token.text.data, token.place.line, token.place.column);
        assert_int_equal(token.text.data - text.data, token.offset);
    }
}

static void check_tokens(const char *text, const char *expected) {
    base_buf out = { 0 };
    put_tokens(corm_str_of(text), &out);
    assert_string_equal(base__buf_cstr(&out), expected);
    base__buf_free(&out);
}

static void words_numbers_and_symbols_are_told_apart(void **state) {
    (void)state;
    check_tokens("SELECT a.b, \"C d\" FROM t WHERE x>=-1 AND y!=? ;",
                 "IDENT:SELECT@1:0 IDENT:a@1:7 SYMBOL:.@1:8 IDENT:b@1:9 SYMBOL:,@1:10 "
                 "QUOTED:\"C d\"@1:12 IDENT:FROM@1:18 IDENT:t@1:23 IDENT:WHERE@1:25 IDENT:x@1:31 "
                 "SYMBOL:>=@1:32 INTEGER:-1@1:34 IDENT:AND@1:37 IDENT:y@1:41 SYMBOL:!=@1:42 "
                 "MARKER:?@1:44 SYMBOL:;@1:46 ");
    check_tokens("true FALSE truex expr(x expr (",
                 "BOOLEAN:true@1:0 BOOLEAN:FALSE@1:5 IDENT:truex@1:11 IDENT:expr@1:17 "
                 "SYMBOL:(@1:21 IDENT:x@1:22 IDENT:expr@1:24 SYMBOL:(@1:29 ");
    check_tokens(
        "nan -NaN Infinity -infinityx",
        "FLOAT:nan@1:0 FLOAT:-NaN@1:4 FLOAT:Infinity@1:9 FLOAT:-infinity@1:18 IDENT:x@1:27 ");
    check_tokens("a+b+=c-=d%e/f*g", "IDENT:a@1:0 SYMBOL:+@1:1 IDENT:b@1:2 SYMBOL:+=@1:3 "
                                    "IDENT:c@1:5 SYMBOL:-=@1:6 IDENT:d@1:8 SYMBOL:%@1:9 "
                                    "IDENT:e@1:10 SYMBOL:/@1:11 IDENT:f@1:12 SYMBOL:*@1:13 "
                                    "IDENT:g@1:14 ");
    check_tokens("<<==>[]{}:", "SYMBOL:<@1:0 SYMBOL:<=@1:1 SYMBOL:=@1:3 SYMBOL:>@1:4 SYMBOL:[@1:5 "
                               "SYMBOL:]@1:6 SYMBOL:{@1:7 SYMBOL:}@1:8 SYMBOL::@1:9 ");
}

static void a_minus_belongs_to_the_number_behind_it(void **state) {
    (void)state;
    check_tokens("c -3", "IDENT:c@1:0 INTEGER:-3@1:2 ");
    check_tokens("c - 3", "IDENT:c@1:0 SYMBOL:-@1:2 INTEGER:3@1:4 ");
    check_tokens("5-3", "INTEGER:5@1:0 INTEGER:-3@1:1 ");
    check_tokens("a-=-1", "IDENT:a@1:0 SYMBOL:-=@1:1 INTEGER:-1@1:3 ");
    check_tokens("-a -1d", "SYMBOL:-@1:0 IDENT:a@1:1 DURATION:-1d@1:3 ");
}

static void numbers_have_many_forms(void **state) {
    (void)state;
    check_tokens("1e5 1E-5 1.5e+3 1. 1.e3 1.5x",
                 "FLOAT:1e5@1:0 FLOAT:1E-5@1:4 FLOAT:1.5e+3@1:9 FLOAT:1.@1:16 FLOAT:1.e3@1:19 "
                 "FLOAT:1.5@1:24 IDENT:x@1:27 ");
    check_tokens("1..2 1...2 1.5..2 [..2]",
                 "INTEGER:1@1:0 SYMBOL:..@1:1 INTEGER:2@1:3 FLOAT:1.@1:5 SYMBOL:..@1:7 "
                 "INTEGER:2@1:9 FLOAT:1.5@1:11 SYMBOL:..@1:14 INTEGER:2@1:16 SYMBOL:[@1:18 "
                 "SYMBOL:..@1:19 INTEGER:2@1:21 SYMBOL:]@1:22 ");
    check_tokens("0x 0xAb 0Xabg 0 12345678",
                 "HEX:0x@1:0 HEX:0xAb@1:3 HEX:0Xab@1:8 IDENT:g@1:12 INTEGER:0@1:14 "
                 "INTEGER:12345678@1:16 ");
    check_tokens("1F", "ERROR:1F@1:0 ");
    check_tokens("1e", "ERROR:1e@1:0 ");
    check_tokens("1e+x", "ERROR:1e@1:0 SYMBOL:+@1:2 IDENT:x@1:3 ");
}

static void durations_have_three_forms(void **state) {
    (void)state;
    check_tokens("1y2mo3w4d5h6m7s8ms9us10ns 1µs 1MO",
                 "DURATION:1y2mo3w4d5h6m7s8ms9us10ns@1:0 DURATION:1µs@1:26 DURATION:1MO@1:30 ");
    check_tokens("P1Y2M3DT4H5M6S PT5M P3W -P1D P0001-02-03T04:05:06",
                 "DURATION:P1Y2M3DT4H5M6S@1:0 DURATION:PT5M@1:15 DURATION:P3W@1:20 "
                 "DURATION:-P1D@1:24 DURATION:P0001-02-03T04:05:06@1:29 ");
    check_tokens("p3w P1 Pa P1Yx P1DT PT",
                 "IDENT:p3w@1:0 IDENT:P1@1:4 IDENT:Pa@1:7 IDENT:P1Yx@1:10 "
                 "IDENT:P1DT@1:15 IDENT:PT@1:20 ");
    check_tokens("1mx 1d-2", "DURATION:1m@1:0 IDENT:x@1:2 DURATION:1d@1:4 INTEGER:-2@1:6 ");
    check_tokens("1y1", "ERROR:1y1@1:0 ");
    check_tokens("-Pa", "ERROR:-P@1:0 IDENT:a@1:2 ");
}

static void uuids_are_told_from_words_and_numbers(void **state) {
    (void)state;
    check_tokens("123e4567-e89b-12d3-a456-426614174000 abcdefab-cdef-abcd-efab-cdefabcdefabx",
                 "UUID:123e4567-e89b-12d3-a456-426614174000@1:0 "
                 "UUID:abcdefab-cdef-abcd-efab-cdefabcdefab@1:37 IDENT:x@1:73 ");
    check_tokens("abcdefa-5 abcdefab - 5", "IDENT:abcdefa@1:0 INTEGER:-5@1:7 IDENT:abcdefab@1:10 "
                                           "SYMBOL:-@1:19 INTEGER:5@1:21 ");
    check_tokens("abcdefab-5", "ERROR:abcdefab-@1:0 INTEGER:5@1:9 ");
    check_tokens("12345678-5", "ERROR:12345678-@1:0 INTEGER:5@1:9 ");
}

static void strings_may_hold_anything(void **state) {
    (void)state;
    check_tokens("'it''s' '' $$a'b$$ $$$$ $$a$b$$", "STRING:'it''s'@1:0 STRING:''@1:8 "
                                                    "STRING:$$a'b$$@1:11 STRING:$$$$@1:19 "
                                                    "STRING:$$a$b$$@1:24 ");
    check_tokens("'a\nb' x\n'é' y", "STRING:'a\nb'@1:0 IDENT:x@2:3 STRING:'é'@3:0 IDENT:y@3:4 ");
    check_tokens("\"\" \"a\"\"b\"", "QUOTED:\"\"@1:0 QUOTED:\"a\"\"b\"@1:3 ");
}

static void comments_and_white_space_are_skipped(void **state) {
    (void)state;
    check_tokens("a -- b ' c\n d // e\r f /* g\n -- */ h\t\ti",
                 "IDENT:a@1:0 IDENT:d@2:1 IDENT:f@2:9 IDENT:h@3:7 IDENT:i@3:10 ");
    check_tokens("", "");
    check_tokens(" \n\t ", "");
    check_tokens("/**/a/***/b", "IDENT:a@1:4 IDENT:b@1:10 ");
    check_tokens("a--b\nc", "IDENT:a@1:0 IDENT:c@2:0 ");
}

static void what_is_not_closed_is_an_error(void **state) {
    (void)state;
    check_tokens("'abc", "ERROR:'abc@1:0 ");
    check_tokens("x \"abc", "IDENT:x@1:0 ERROR:\"abc@1:2 ");
    check_tokens("$$abc", "ERROR:$$abc@1:0 ");
    check_tokens("$$abc$", "ERROR:$$abc$@1:0 ");
    check_tokens("x -- abc", "IDENT:x@1:0 ERROR:-- abc@1:2 ");
    check_tokens("/* abc", "ERROR:/* abc@1:0 ");
    check_tokens("/*/", "ERROR:/*/@1:0 ");
}

static void what_begins_no_token_is_an_error(void **state) {
    (void)state;
    check_tokens("a # é ~", "IDENT:a@1:0 ERROR:#@1:2 ERROR:é@1:4 ERROR:~@1:6 ");
    check_tokens("a ! b $c", "IDENT:a@1:0 ERROR:!@1:2 IDENT:b@1:4 ERROR:$@1:6 IDENT:c@1:7 ");
    check_tokens("_a", "ERROR:_@1:0 IDENT:a@1:1 ");
    check_tokens("-name", "ERROR:-na@1:0 IDENT:me@1:3 ");
    check_tokens("-id", "ERROR:-i@1:0 IDENT:d@1:2 ");
    base_buf out = { 0 };
    put_tokens((corm_str){ "a\0b", 3 }, &out);
    assert_memory_equal(out.data, "IDENT:a@1:0 ERROR:", 18);
    base__buf_free(&out);
}

static void keywords_are_found_in_any_case(void **state) {
    (void)state;
    size_t                   count;
    const char *const *const words = cql__keywords(&count);
    for (size_t i = 0; i < count; i++) {
        char   lower[32] = "";
        size_t len = strlen(words[i]);
        if (i > 0) assert_true(strcmp(words[i - 1], words[i]) < 0);
        for (size_t k = 0; k < len; k++) {
            lower[k] = (char)(words[i][k] == '_' ? '_' : words[i][k] | 0x20);
        }
        assert_int_not_equal(cql__keyword(words[i], len), CQL_T_IDENT);
        assert_int_equal(cql__keyword(words[i], len), cql__keyword(lower, len));
        assert_int_equal(cql__keyword(lower, len - 1) == cql__keyword(lower, len), 0);
    }
    assert_int_equal(cql__keyword("TABLE", 5), CQL_K_COLUMNFAMILY);
    assert_int_equal(cql__keyword("selec_", 6), CQL_T_IDENT);
    assert_int_equal(cql__keyword("_", 1), CQL_T_IDENT);
    assert_int_equal(cql__keyword("{elect", 6), CQL_T_IDENT);
}

static void symbols_have_the_names_of_the_server(void **state) {
    (void)state;
    assert_string_equal(cql__symbol_name(CQL_K_SELECT), "K_SELECT");
    assert_string_equal(cql__symbol_name(CQL_T_COMMA), "','");
    assert_string_equal(cql__symbol_name(CQL_T_END), "EOF");
    assert_string_equal(cql__symbol_text(CQL_K_POSITIVE_NAN), "NAN");
    assert_null(cql__symbol_text(CQL_T_COMMA));
    for (int i = 0; i < CQL_SYMBOL_COUNT; i++) assert_non_null(cql__symbol_name((cql_symbol)i));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_numbers_and_symbols_are_told_apart),
    cmocka_unit_test(a_minus_belongs_to_the_number_behind_it),
    cmocka_unit_test(numbers_have_many_forms),
    cmocka_unit_test(durations_have_three_forms),
    cmocka_unit_test(uuids_are_told_from_words_and_numbers),
    cmocka_unit_test(strings_may_hold_anything),
    cmocka_unit_test(comments_and_white_space_are_skipped),
    cmocka_unit_test(what_is_not_closed_is_an_error),
    cmocka_unit_test(what_begins_no_token_is_an_error),
    cmocka_unit_test(keywords_are_found_in_any_case),
    cmocka_unit_test(symbols_have_the_names_of_the_server),
};
RUN_TESTS()
