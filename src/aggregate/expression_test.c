// SPDX-License-Identifier: MIT
/* Expressions on one row, each beside what it gives: through every door, since values come from it. */
#include <stdlib.h>

#include "corm/corm.h"
#include "testing/doors.h"

static corm_session *session;

static void run(const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static int set_up(void **state) {
    (void)state;
    session = testing__open("expressions");
    run("CREATE TYPE place (city text, zip int)");
    run("CREATE TABLE one (id int PRIMARY KEY, i int, b bigint, s smallint, d double, f float, v varint, "
        "m decimal, t text, nothing text, at timestamp, day date, clock time, flag boolean, u uuid, "
        "l list<int>, tags set<text>, prices map<text, int>, home frozen<place>, vec vector<float, 3>)");
    run("INSERT INTO one (id, i, b, s, d, f, v, m, t, at, day, clock, flag, u, l, tags, prices, home, vec) "
        "VALUES (1, -7, 9000000000, 12, 2.5, 0.5, 123456789012345678901234567890, 10.50, 'Héllo "
        "World', '2024-02-29 13:45:10.500+0000', '2023-12-31', '10:20:30', true, "
        "123e4567-e89b-12d3-a456-426614174000, [3, 1, 2], {'x', 'y'}, {'eur': 5, 'usd': 6}, {city: "
        "'Kyiv', zip: 1001}, [1, 2, 3])");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

static const struct {
    const char *expression, *expected;
} cases[] = {
    /* numbers */
    { "i + 3", "-4" },
    { "i * 2 - 1", "-15" },
    { "i / 2", "-3" },
    { "i % 2", "-1" },
    { "i / 0", "null" },
    { "i % 0", "null" },
    { "d / 0", "Infinity" },
    { "-i", "7" },
    { "- - i", "-7" },
    { "abs(i)", "7" },
    { "abs(0 - d)", "2.5" },
    { "i + d", "-4.5" },
    { "d % 2", "0.5" },
    { "f * 2", "1" },
    { "b + 1", "9000000001" },
    { "s + i", "5" },
    { "v + 1", "123456789012345678901234567891" },
    { "v / 10", "12345678901234567890123456789" },
    { "m + 1", "11.50" },
    { "m * m", "110.2500" },
    { "m + v", "123456789012345678901234567900.50" },
    { "m + d", "13" },
    { "v / 0", "null" },
    { "m > 10.4", "True" },
    { "m = 10.5", "True" },
    { "i + nothing_here", NULL },
    { "floor(d)", "2" },
    { "ceil(d)", "3" },
    { "round(d)", "3" },
    { "sqrt(d * 10)", "5" },
    { "pow(2, 10)", "1024" },
    { "ln(exp(2))", "2" },
    { "log10(1000)", "3" },
    { "floor_to(i, 5)", "-10" },
    { "floor_to(d, 0.5)", "2.5" },
    { "floor_to(b, 1000)", "9000000000" },
    { "bucket(i, -100, -10, 0)", "-10" },
    { "bucket(i, 0, 10)", "null" },
    { "bucket(d, 0, 1, 2)", "2" },
    { "1 + 2 * 3", "7" },
    { "(1 + 2) * 3", "9" },
    { "1e3", "1000" },
    /* conditions and choices */
    { "i = -7", "True" },
    { "i <> -7", "False" },
    { "i < d", "True" },
    { "t = 'nope'", "False" },
    { "nothing = 'x'", "null" },
    { "nothing IS NULL AND t IS NOT NULL", "True" },
    { "nothing = 'x' AND i > 0", "False" },
    { "nothing = 'x' OR i < 0", "True" },
    { "NOT (nothing = 'x')", "null" },
    { "i BETWEEN -10 AND 0", "True" },
    { "i NOT BETWEEN -10 AND 0", "False" },
    { "i IN (1, -7)", "True" },
    { "i IN (1, null)", "null" },
    { "t NOT IN ('a', 'b')", "True" },
    { "t LIKE 'H_llo%'", "True" },
    { "t NOT LIKE '%z%'", "True" },
    { "flag", "True" },
    { "NOT flag", "False" },
    { "CASE i WHEN 1 THEN 'one' WHEN -7 THEN 'seven' END", "seven" },
    { "CASE WHEN i > 0 THEN 1 ELSE d END", "2.5" },
    { "CASE WHEN i > 0 THEN 1 END", "null" },
    { "if(flag, t, 'no')", "Héllo World" },
    { "coalesce(nothing, 'none')", "none" },
    { "coalesce(null, i, 3)", "-7" },
    { "nullif(i, -7)", "null" },
    { "greatest(i, 3, d)", "3" },
    { "least(i, 3)", "-7" },
    { "greatest(nothing, 'a', 'b')", "b" },
    { "u = '123e4567-e89b-12d3-a456-426614174000'", "True" },
    /* texts */
    { "t || '!' || i", "Héllo World!-7" },
    { "concat('a', 1, true)", "a1true" },
    { "nothing || 'x'", "null" },
    { "upper(t)", "HéLLO WORLD" },
    { "lower(t)", "héllo world" },
    { "length(t)", "11" },
    { "substr(t, 2, 4)", "éllo" },
    { "substr(t, 7)", "World" },
    { "trim('  x ')", "x" },
    { "starts_with(t, 'Hé')", "True" },
    { "'it''s'", "it's" },
    /* times */
    { "date_trunc('year', at)", "2024-01-01 00:00:00.000000+0000" },
    { "date_trunc('quarter', at)", "2024-01-01 00:00:00.000000+0000" },
    { "date_trunc('month', at)", "2024-02-01 00:00:00.000000+0000" },
    { "date_trunc('week', at)", "2024-02-26 00:00:00.000000+0000" },
    { "date_trunc('day', at)", "2024-02-29 00:00:00.000000+0000" },
    { "date_trunc('hour', at)", "2024-02-29 13:00:00.000000+0000" },
    { "date_trunc('minute', at)", "2024-02-29 13:45:00.000000+0000" },
    { "date_trunc('second', at)", "2024-02-29 13:45:10.000000+0000" },
    { "date_trunc('month', day)", "2023-12-01" },
    { "date_part('year', at)", "2024" },
    { "date_part('quarter', day)", "4" },
    { "date_part('month', at)", "2" },
    { "date_part('week', day)", "52" },
    { "date_part('day', at)", "29" },
    { "date_part('hour', at)", "13" },
    { "date_part('minute', at)", "45" },
    { "date_part('second', at)", "10" },
    { "date_part('millisecond', at)", "500" },
    { "date_part('day_of_week', at)", "4" },
    { "date_part('day_of_year', at)", "60" },
    { "date_part('epoch', at)", "1709214310" },
    { "date_add('year', 1, at)", "2025-02-28 13:45:10.500000+0000" },
    { "date_add('month', -1, day)", "2023-11-30" },
    { "date_add('quarter', 1, day)", "2024-03-31" },
    { "date_add('day', 1, day)", "2024-01-01" },
    { "date_add('hour', 12, at)", "2024-03-01 01:45:10.500000+0000" },
    { "date_diff('day', day, at)", "60" },
    { "date_diff('month', day, at)", "2" },
    { "date_diff('year', day, at)", "1" },
    { "date_diff('quarter', day, at)", "1" },
    { "date_diff('hour', '2024-02-29', at)", "13" },
    { "at - at", "0" },
    { "at > '2024-02-29'", "True" },
    { "day < '2024-01-01'", "True" },
    { "clock > '10:00:00'", "True" },
    { "at IN ('2024-02-29 13:45:10.500+0000')", "True" },
    /* types */
    { "cast(i AS text)", "-7" },
    { "cast('12' AS int) + 1", "13" },
    { "cast(d AS int)", "2" },
    { "cast(m AS bigint)", "10" },
    { "cast(v AS double) > 1e29", "True" },
    { "cast(i AS decimal)", "-7" },
    { "cast(i AS varint) * 9223372036854775807", "-64563604257983430649" },
    { "cast(d AS decimal)", "2.5" },
    { "cast(at AS date)", "2024-02-29" },
    { "cast(day AS timestamp)", "2023-12-31 00:00:00.000000+0000" },
    { "cast(null AS int)", "null" },
    { "cast('[1, 2]' AS list<int>)", "[1, 2]" },
    /* collections */
    { "size(l)", "3" },
    { "size(prices)", "2" },
    { "size(vec)", "3" },
    { "l CONTAINS 2", "True" },
    { "tags CONTAINS 'z'", "False" },
    { "prices CONTAINS 6", "True" },
    { "prices CONTAINS KEY 'eur'", "True" },
    { "prices CONTAINS KEY 'gbp'", "False" },
    { "get(prices, 'usd') * 2", "12" },
    { "get(prices, 'gbp')", "null" },
    { "get(l, 0)", "3" },
    { "get(l, 9)", "null" },
    { "home.city", "Kyiv" },
    { "home.zip + 1", "1002" },
};

static void one_case(size_t i) {
    corm_result   *result = NULL;
    corm_error     err = { 0 };
    char           text[256];
    corm_pipeline *p = corm_pipeline_new(session, "one", NULL);
    snprintf(text, sizeof text, "%s AS x", cases[i].expression);
    corm_pipeline_project(p, text);
    corm_status status = corm_pipeline_execute(p, &result, &err);
    corm_pipeline_free(p);
    if (!cases[i].expected) {
        assert_status(status, CORM_INVALID);
        return;
    }
    if (status != CORM_OK) fail_msg("%s: %s", cases[i].expression, err.message);
    const corm_row *row = corm_result_next(result);
    assert_non_null(row);
    corm_str got = corm_row_format(row, 0);
    if (!corm_str_equal(got, corm_str_of(cases[i].expected)))
        fail_msg("%s: %.*s instead of %s", cases[i].expression, (int)got.len, got.data,
                 cases[i].expected);
    corm_result_free(result);
}

static void expressions_give_what_is_expected(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) one_case(i);
}

static void mistakes_are_said(void **state) {
    (void)state;
    static const struct {
        const char *expression;
        const char *words;
    } mistakes[] = {
        { "i +", "a name is missing" },
        { "'open", "a closing quote is missing" },
        { "(i", "')' is missing" },
        { "i i", "something unexpected stands" },
        { "i BETWEEN 1", "AND is missing" },
        { "i NOT 3", "IN, LIKE or BETWEEN is missing" },
        { "i IS 3", "NULL is missing" },
        { "CASE i END", "WHEN is missing" },
        { "CASE WHEN flag 1 END", "THEN is missing" },
        { "CASE WHEN flag THEN 1", "END is missing" },
        { "cast(i int)", "AS is missing" },
        { "1e+", "an exponent has no digits" },
        { "nonsense(i)", "there is no function nonsense" },
        { "abs()", "another number of arguments" },
        { "t + 1", "wants numbers" },
        { "abs(t)", "wants a number" },
        { "i AND flag", "wants conditions" },
        { "i LIKE 'x'", "wants texts" },
        { "upper(i)", "wants a text" },
        { "date_trunc('eon', at)", "has no unit 'eon'" },
        { "date_trunc('day', t)", "wants a timestamp" },
        { "date_trunc(t, at)", "wants a unit first" },
        { "floor_to(i, 0)", "a width above zero" },
        { "size(i)", "wants a collection" },
        { "get(tags, 'x')", "wants a map, list or vector" },
        { "home.street", "has no field 'street'" },
        { "i.x", "wants a user-defined type" },
        { "cast(l AS int)", "list<int> cannot be cast to int" },
        { "count(*)", "there is no function count" },
        { "9223372036854775807 + id", "is beyond bigint" },
        { "cast(b AS int)", "does not fit" },
        { "cast(t AS int)", "" },
        { "u = 'no uuid'", "" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        corm_result   *result = NULL;
        corm_error     err = { 0 };
        corm_pipeline *p = corm_pipeline_new(session, "one", NULL);
        corm_pipeline_project(p, mistakes[i].expression);
        corm_status status = corm_pipeline_execute(p, &result, &err);
        corm_pipeline_free(p);
        if (status == CORM_OK || !strstr(err.message, mistakes[i].words))
            fail_msg("%s: \"%s\" instead of \"%s\"", mistakes[i].expression, err.message,
                     mistakes[i].words);
    }
}

static void a_deep_nest_is_refused(void **state) {
    (void)state;
    char           text[2048];
    corm_error     err = { 0 };
    corm_pipeline *p = corm_pipeline_new(session, "one", NULL);
    memset(text, '(', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    corm_pipeline_match(p, text);
    assert_status(corm_pipeline_check(p, &err), CORM_SYNTAX_ERROR);
    assert_non_null(strstr(err.message, "nested too deeply"));
    corm_pipeline_free(p);
}

/* ---- over a model ---- */

typedef struct visit {
    int32_t        id;
    int32_t        pages;
    corm_timestamp gone;
} visit;

#define COL(member) CORM_COLUMN(visit, member)
static const corm_model visits = {
    .table = "visits",
    .row_size = sizeof(visit),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(pages) },
                { COL(gone), .role = CORM_DELETED_AT, .skip_zero = true } },
};
#undef COL

static void a_model_s_deleted_rows_are_left_out(void **state) {
    (void)state;
    corm_db   *db;
    corm_error err = { 0 };
    assert_ok(corm_open(&db, testing__fresh("aggregate_models"),
                        { .session = { .keyspace = "aggregate_models", .create_keyspace = true },
                          .error = &err }),
              err);
    for (int32_t i = 0; i < 10; i++) {
        visit row = { .id = i, .pages = i, .gone = { i < 3 ? 1000 : 0 } };
        assert_ok(corm_insert(db, &visits, &row, { .error = &err }), err);
    }
    for (int all = 0; all < 2; all++) {
        corm_result          *result;
        corm_pipeline_options options = { .with_deleted = all == 1 };
        corm_pipeline        *p = corm_pipeline_of(db, &visits, &options);
        corm_pipeline_count(p, "n");
        corm_pipeline_sum(p, "pages", "pages");
        assert_ok(corm_pipeline_execute(p, &result, &err), err);
        const corm_row *row = corm_result_next(result);
        assert_int_equal(corm_row_bigint(row, 0), all ? 10 : 7);
        assert_int_equal(corm_row_bigint(row, 1), all ? 45 : 42);
        corm_result_free(result);
        corm_pipeline_free(p);
    }
    corm_db_close(db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(expressions_give_what_is_expected),
    cmocka_unit_test(mistakes_are_said),
    cmocka_unit_test(a_deep_nest_is_refused),
    cmocka_unit_test(a_model_s_deleted_rows_are_left_out),
};

int main(void) {
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
