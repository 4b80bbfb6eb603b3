// SPDX-License-Identifier: MIT
#include "stream/csv.h"
#include "stream/input.h"
#include "testing/check.h"

static void assert_fields(const char *record, const char *const *wanted, uint32_t count) {
    base_arena    arena = { 0 };
    stream_field *fields;
    uint32_t      got;
    corm_error    e = { 0 };
    assert_ok(stream__csv_split(corm_str_of(record), ',', &arena, &fields, &got, &e), e);
    assert_int_equal(got, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(fields[i].text.len, strlen(wanted[i]));
        assert_memory_equal(fields[i].text.data, wanted[i], fields[i].text.len);
    }
    base__arena_free(&arena);
}
#define FIELDS(record, ...)                                                                        \
    assert_fields(record, (const char *const[]){ __VA_ARGS__ },                                    \
                  sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void a_record_is_cut_into_fields(void **state) {
    (void)state;
    FIELDS("a,b,c", "a", "b", "c");
    FIELDS("", "");
    FIELDS(",", "", "");
    FIELDS("\"a,\"\"b\"\"\",c", "a,\"b\"", "c");
    FIELDS("\"two\nlines\",x", "two\nlines", "x");
    FIELDS("a\"b,\"\"", "a\"b", "");
    FIELDS(" a , b ", " a ", " b ");
}

static void an_empty_field_knows_its_quotes_and_its_place(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    stream_field *fields;
    uint32_t      count;
    corm_error    e = { 0 };
    assert_ok(stream__csv_split(corm_str_of("\xC3\xA9,\"\",\"x\ny\",z"), ',', &arena, &fields,
                                &count, &e),
              e);
    assert_int_equal(count, 4);
    assert_false(fields[0].quoted);
    assert_true(fields[1].quoted);
    assert_int_equal(fields[1].column, 3);
    assert_int_equal(fields[3].line, 1);
    assert_int_equal(fields[3].column, 4);
    base__arena_free(&arena);
}

static void a_broken_quote_is_an_error_with_its_place(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    stream_field *fields;
    uint32_t      count;
    corm_error    e = { 0 };
    assert_status(stream__csv_split(corm_str_of("a,\"b\" c"), ',', &arena, &fields, &count, &e),
                  CORM_INVALID);
    assert_string_equal(e.message, "there is text behind the closing quote");
    assert_int_equal(e.column, 3);
    assert_status(stream__csv_split(corm_str_of("\"b"), ',', &arena, &fields, &count, &e),
                  CORM_INVALID);
    assert_string_equal(e.message, "the quote is not closed");
    base__arena_free(&arena);
}

static void assert_put(const char *text, bool quoted, const char *wanted) {
    base_buf out = { 0 };
    stream__csv_put(&out, corm_str_of(text), ',', quoted);
    assert_string_equal(base__buf_cstr(&out), wanted);
    base__buf_free(&out);
}

static void a_field_is_quoted_where_it_must_be(void **state) {
    (void)state;
    assert_put("plain", false, "plain");
    assert_put("", false, "");
    assert_put("", true, "\"\"");
    assert_put("a,b", false, "\"a,b\"");
    assert_put("say \"x\"", false, "\"say \"\"x\"\"\"");
    assert_put("a\nb", false, "\"a\nb\"");
    assert_put(" a", false, "\" a\"");
    assert_put("a\r", false, "\"a\r\"");
    assert_put("\xEF\xBB\xBF", false, "\"\xEF\xBB\xBF\"");
}

static FILE *file_of(const char *text, size_t len) {
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    rewind(file);
    return file;
}

static void assert_record(stream_input *input, const char *wanted, uint64_t wanted_line) {
    bool       more;
    corm_str   record;
    uint64_t   line;
    corm_error e = { 0 };
    assert_ok(stream__input_next(input, &more, &record, &line, &e), e);
    assert_true(more == (wanted != NULL));
    if (!wanted) return;
    assert_int_equal(record.len, strlen(wanted));
    assert_memory_equal(record.data, wanted, record.len);
    assert_int_equal(line, wanted_line);
}

static void records_end_at_lines_outside_quotes(void **state) {
    (void)state;
    static const char text[] = "\xEF\xBB\xBF"
                               "a,b\r\n\"x\ny\",2\n\nd\"e,\"q\"\"\n\"\nlast";
    stream_input input = { .file = file_of(text, sizeof text - 1), .csv = true, .delimiter = ',' };
    assert_record(&input, "a,b", 1);
    assert_record(&input, "\"x\ny\",2", 2);
    uint64_t offset = input.offset, line = input.line;
    assert_record(&input, "", 4);
    assert_record(&input, "d\"e,\"q\"\"\n\"", 5);
    assert_record(&input, "last", 7);
    assert_record(&input, NULL, 0);
    corm_error e = { 0 };
    assert_ok(stream__input_seek(&input, offset, line, &e), e);
    assert_record(&input, "", 4);
    fclose(input.file);
    stream__input_free(&input);
}

static void lines_are_records_of_json(void **state) {
    (void)state;
    stream_input input = { .file = file_of("{\"\n{}\n", 6) };
    assert_record(&input, "{\"", 1);
    assert_record(&input, "{}", 2);
    assert_record(&input, NULL, 0);
    fclose(input.file);
    stream__input_free(&input);
}

static void a_record_without_end_is_refused(void **state) {
    (void)state;
    FILE        *file = tmpfile();
    stream_input input = { .file = file, .csv = true, .delimiter = ',' };
    bool         more;
    corm_str     record;
    uint64_t     line;
    corm_error   e = { 0 };
    fputs("\"never closed", file);
    assert_int_equal(fseek(file, STREAM_MAX_RECORD + (1 << 20), SEEK_SET), 0);
    fputc('x', file);
    rewind(file);
    assert_status(stream__input_next(&input, &more, &record, &line, &e), CORM_INVALID);
    assert_non_null(strstr(e.message, "is a closing quote missing?"));
    fclose(file);
    stream__input_free(&input);
}

static void a_file_is_read_whole(void **state) {
    (void)state;
    base_buf   out = { 0 };
    corm_error e = { 0 };
    FILE      *file = fopen("whole", "wb");
    for (int i = 0; i < 70000; i++) fputc('x', file);
    fclose(file);
    assert_ok(stream__read_whole_file("whole", &out, &e), e);
    assert_int_equal(out.len, 70000);
    assert_int_not_equal(stream__read_whole_file("missing", &out, &e), CORM_OK);
    assert_int_not_equal(stream__read_whole_file(".", &out, &e), CORM_OK);
    base__buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_cut_into_fields),
        cmocka_unit_test(an_empty_field_knows_its_quotes_and_its_place),
        cmocka_unit_test(a_broken_quote_is_an_error_with_its_place),
        cmocka_unit_test(a_field_is_quoted_where_it_must_be),
        cmocka_unit_test(records_end_at_lines_outside_quotes),
        cmocka_unit_test(lines_are_records_of_json),
        cmocka_unit_test(a_record_without_end_is_refused),
        cmocka_unit_test(a_file_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
