// SPDX-License-Identifier: MIT
#include "orm/query.h"

#include "orm/orm_for_tests.h"

typedef struct event {
    int32_t      sensor;
    int32_t      at;
    char        *kind;
    corm_opt_int level;
    corm_set     tags;
    corm_map     extra;
    double       reading;
} event;

#define COL(member) CORM_COLUMN(event, member)
static const corm_model events = {
    .table = "events",
    .row_size = sizeof(event),
    .fields = { { COL(sensor), .key = CORM_PARTITION },
                { COL(at), .key = CORM_CLUSTERING_DESC },
                { COL(kind), .indexed = true },
                { COL(level) },
                { COL(tags) },
                { COL(extra), .cql = "map<text, int>" },
                { COL(reading) } },
};
#undef COL

static char notices[4096];

static void note(void *context, const char *text) {
    (void)context;
    size_t len = strlen(notices);
    snprintf(notices + len, sizeof notices - len, "%s\n", text);
}

/* Sensors 1 to 3, times 1 to 10; level is null at odd times, kind is "cold" below 6. */
static corm_db *open_events(void) {
    corm_db   *db = open_db_with((corm_db_options){ .notice = note });
    corm_error err = { 0 };
    for (int32_t sensor = 1; sensor <= 3; sensor++) {
        for (int32_t at = 1; at <= 10; at++) {
            event e = { .sensor = sensor,
                        .at = at,
                        .kind = at < 6 ? "cold" : "warm",
                        .reading = (at * 7) % 10 };
            if (at % 2 == 0) e.level = (corm_opt_int){ CORM_PRESENT, at };
            corm_set tags = corm_set_of(corm_v("odd"), corm_v("prime"));
            corm_map extra = corm_map_of(corm_v("four"), corm_v(4));
            if (at == 3) e.tags = tags;
            if (at == 4) e.extra = extra;
            assert_ok(corm_insert(db, &events, &e, { .error = &err }), err);
        }
    }
    notices[0] = '\0';
    return db;
}

/* The times found, in order: "10 9 8". */
static const char *times(corm_db *db, const corm_find_options *options) {
    static char       text[256];
    corm_rows        *rows;
    corm_error        err = { 0 };
    corm_find_options with = *options;
    with.error = &err;
    assert_ok(corm_find_with(db, &events, &rows, &with), err);
    text[0] = '\0';
    for (CORM_EACH(event, e, rows)) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%d", len > 0 ? " " : "", e->at);
    }
    corm_rows_free(rows);
    return text;
}

#define expect_times(expected, ...)                                                                \
    assert_string_equal(times(db, &(corm_find_options)__VA_ARGS__), expected)

static void operators_of_cql_go_to_the_store(void **state) {
    (void)state;
    corm_db *db = open_events();
    expect_times("10 9 8 7 6 5 4 3 2 1", { .where = { corm_eq("sensor", 1) } });
    expect_times("10 9", { .where = { corm_eq("sensor", 1), corm_gt("at", 8) } });
    expect_times("2 1", { .where = { corm_eq("sensor", 1), corm_lte("at", 2) } });
    expect_times("5 4", { .where = { corm_eq("sensor", 1), corm_gte("at", 4), corm_lt("at", 6) } });
    expect_times("6 5 4", { .where = { corm_eq("sensor", 1), corm_between("at", 4, 6) } });
    expect_times("7 2", { .where = { corm_eq("sensor", 1), corm_in("at", corm_v(2), corm_v(7)) } });
    expect_times("5 5", { .where = { corm_in("sensor", corm_v(1), corm_v(2)), corm_eq("at", 5) } });
    expect_times("3", { .where = { corm_eq("sensor", 2), corm_contains("tags", "odd") },
                        .allow_filtering = true });
    expect_times("4", { .where = { corm_eq("sensor", 2), corm_contains_key("extra", "four") },
                        .allow_filtering = true });
    expect_times("4", { .where = { corm_eq("sensor", 2), corm_contains("extra", 4) },
                        .allow_filtering = true });
    assert_string_equal(notices, "");
    expect_times("10 9 8 7 6", { .where = { corm_eq("sensor", 3), corm_like("kind", "w%m") },
                                 .allow_filtering = true });
    /* Cassandra has LIKE only with an index of its own kind for it. */
    bool held = strstr(notices, "'kind' is not CQL here") != NULL;
    assert_int_equal(held, testing__is_cluster());
    corm_db_close(db);
}

static void operators_that_are_not_cql_are_held_by_corm(void **state) {
    (void)state;
    corm_db *db = open_events();
    expect_times("9 7 5 3 1", { .where = { corm_eq("sensor", 1), corm_is_null("level") } });
    expect_times("10 8 6 4 2", { .where = { corm_eq("sensor", 1), corm_not_null("level") } });
    expect_times("5 4 3 2 1", { .where = { corm_eq("sensor", 1), corm_ne("kind", "warm") } });
    expect_times("10 8 4",
                 { .where = { corm_eq("sensor", 1), corm_not_null("level"), corm_ne("level", 6) },
                   .limit = 3 });
    expect_times("4 2", { .where = { corm_eq("sensor", 1), corm_not_null("level") }, .offset = 3 });
    expect_times("8 6", { .where = { corm_eq("sensor", 1), corm_not_null("level") },
                          .select = { "at" },
                          .offset = 1,
                          .limit = 2 });
    assert_non_null(strstr(notices, "'level' is not CQL here"));
    corm_db_close(db);
}

static void rows_are_ordered_by_the_store_or_by_corm(void **state) {
    (void)state;
    corm_db *db = open_events();
    expect_times(
        "1 2 3",
        { .where = { corm_eq("sensor", 1) }, .order_by = { { "at", false } }, .limit = 3 });
    expect_times("10 9 8",
                 { .where = { corm_eq("sensor", 1) }, .order_by = { { "at", true } }, .limit = 3 });
    assert_string_equal(notices, "");
    expect_times("10 3 6 9 2 5 8 1 4 7",
                 { .where = { corm_eq("sensor", 1) }, .order_by = { { "reading", false } } });
    expect_times("4 1 8", { .where = { corm_eq("sensor", 1) },
                            .order_by = { { "reading", true } },
                            .offset = 1,
                            .limit = 3 });
    expect_times("9 7 5 3 1 2 4 6 8 10",
                 { .where = { corm_eq("sensor", 1) }, .order_by = { { "level", false } } });
    expect_times("1 2 3 4 5 6 7 8 9 10", { .where = { corm_eq("sensor", 1) },
                                           .select = { "at" },
                                           .order_by = { { "kind", false }, { "at", false } } });
    expect_times(
        "",
        { .where = { corm_eq("sensor", 1) }, .order_by = { { "reading", true } }, .offset = 99 });
    expect_times("", { .where = { corm_eq("sensor", 9) }, .order_by = { { "reading", true } } });
    assert_non_null(strstr(notices, "ordering by 'reading'"));
    corm_db_close(db);
}

static void a_sort_of_too_many_rows_is_given_up(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *rows;
    corm_error err = { 0 };
    assert_status(
        corm_find(db, &events, &rows,
                  { .order_by = { { .column = "reading" } }, .sort_limit = 29, .error = &err }),
        CORM_INVALID);
    assert_non_null(strstr(err.message, "29"));
    assert_ok(
        corm_find(db, &events, &rows,
                  { .order_by = { { .column = "reading" } }, .sort_limit = 30, .error = &err }),
        err);
    corm_rows_free(rows);
    assert_status(
        corm_find(db, &events, &rows,
                  { .order_by = { { .column = "reading" } }, .one_page = true, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

static void limits_and_offsets_pass_over_rows(void **state) {
    (void)state;
    corm_db *db = open_events();
    expect_times("10 9", { .where = { corm_eq("sensor", 1) }, .limit = 2 });
    expect_times("8 7", { .where = { corm_eq("sensor", 1) }, .limit = 2, .offset = 2 });
    expect_times("2 1", { .where = { corm_eq("sensor", 1) }, .offset = 8 });
    expect_times("10 10 10", { .per_partition_limit = 1 });
    assert_non_null(strstr(notices, "2 rows are read to be passed over"));
    expect_times("7 6 5", { .where = { corm_eq("sensor", 1) },
                            .offset = 3,
                            .limit = 3,
                            .request = { .page_size = 2 } });
    corm_db_close(db);
}

static void all_pages_are_read_unless_one_is_asked_for(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *rows;
    corm_error err = { 0 };
    assert_ok(corm_find(db, &events, &rows, { .request = { .page_size = 4 }, .error = &err }), err);
    assert_int_equal(corm_rows_count(rows), 30);
    for (CORM_EACH(event, e, rows)) {
        assert_string_equal(e->kind, e->at < 6 ? "cold" : "warm");
        assert_int_equal(
            corm_rows_is_null(rows, (uint32_t)(e - (event *)corm_rows_first(rows)), "level"),
            e->at % 2);
    }
    assert_false(corm_rows_has_more(rows));
    assert_status(corm_rows_next_page(rows, &err), CORM_NOT_FOUND);
    corm_rows_free(rows);

    uint32_t count = 0;
    assert_ok(corm_find(db, &events, &rows,
                        { .request = { .page_size = 7 }, .one_page = true, .error = &err }),
              err);
    for (;;) {
        count += corm_rows_count(rows);
        for (CORM_EACH(event, e, rows))
            assert_true(e->level.presence == (e->at % 2 ? CORM_IS_NULL : CORM_PRESENT));
        if (!corm_rows_has_more(rows)) break;
        assert_true(corm_rows_paging_state(rows).len > 0);
        assert_ok(corm_rows_next_page(rows, &err), err);
    }
    assert_int_equal(count, 30);
    assert_int_equal(corm_rows_paging_state(rows).len, 0);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_page_token_goes_on_in_a_later_call(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *first;
    corm_rows *second;
    corm_error err = { 0 };
    assert_ok(corm_find(db, &events, &first,
                        { .where = { corm_eq("sensor", 1) },
                          .request = { .page_size = 4 },
                          .one_page = true,
                          .error = &err }),
              err);
    assert_ok(
        corm_find(db, &events, &second,
                  { .where = { corm_eq("sensor", 1) },
                    .request = { .page_size = 4, .paging_state = corm_rows_paging_state(first) },
                    .one_page = true,
                    .error = &err }),
        err);
    assert_int_equal(((event *)corm_rows_first(second))->at, 6);
    corm_rows_free(first);
    corm_rows_free(second);
    corm_db_close(db);
}

static void tokens_walk_through_partitions(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *rows;
    corm_error err = { 0 };
    uint32_t   count = 0;
    assert_ok(
        corm_find(db, &events, &rows, { .where = { corm_token_gt((int64_t)0) }, .error = &err }),
        err);
    count += corm_rows_count(rows);
    corm_rows_free(rows);
    assert_ok(
        corm_find(db, &events, &rows, { .where = { corm_token_lte((int64_t)0) }, .error = &err }),
        err);
    count += corm_rows_count(rows);
    corm_rows_free(rows);
    assert_int_equal(count, 30);
    corm_db_close(db);
}

static void expect_refused(corm_db *db, corm_status status, const char *words,
                           const corm_find_options *options) {
    corm_rows        *rows;
    corm_error        err = { 0 };
    corm_find_options with = *options;
    with.error = &err;
    assert_status(corm_find_with(db, &events, &rows, &with), status);
    assert_null(rows);
    if (!strstr(err.message, words)) fail_msg("'%s' instead of '%s'", err.message, words);
}

#define refused(status, words, ...)                                                                \
    expect_refused(db, status, words, &(corm_find_options)__VA_ARGS__)

static void what_is_wrong_with_a_find_is_said(void **state) {
    (void)state;
    corm_db *db = open_events();
    refused(CORM_INVALID_ARGUMENT, "did you mean 'kind'", { .where = { corm_eq("knid", "x") } });
    refused(CORM_INVALID_ARGUMENT, "did you mean 'kind'", { .select = { "knid" } });
    refused(CORM_INVALID_ARGUMENT, "did you mean 'kind'", { .order_by = { { .column = "knid" } } });
    refused(CORM_INVALID_ARGUMENT, "no operator", { .where = { { .column = "kind" } } });
    refused(CORM_INVALID_ARGUMENT, "no value", { .where = { { "kind", CORM_EQ, { 0 }, { 0 } } } });
    refused(CORM_INVALID_ARGUMENT, "corm_is_null",
            { .where = { { "kind", CORM_EQ, { .kind = CORM_NULL }, { 0 } } } });
    refused(CORM_INVALID_ARGUMENT, "corm_in", { .where = { { "at", CORM_IN, corm_v(1), { 0 } } } });
    refused(CORM_INVALID_ARGUMENT, "second value",
            { .where = { { "at", CORM_BETWEEN, corm_v(1), { 0 } } } });
    refused(CORM_INVALID_ARGUMENT, "not initialised", { ._canary = 1 });
    refused(CORM_INVALID_ARGUMENT, "keyspace", { .request = { .keyspace = "x" } });
    refused(CORM_INVALID_ARGUMENT, "too large", { .limit = UINT32_MAX });
    refused(CORM_INVALID, "ALLOW FILTERING", { .where = { corm_eq("reading", 1.0) } });
    refused(CORM_CONVERSION, "sensor", { .where = { corm_eq("sensor", "seven") } });
    refused(CORM_CONVERSION, "kind", { .where = { corm_eq("sensor", 1), corm_ne("kind", 7) } });
    corm_db_close(db);
}

static void an_index_answers_without_filtering(void **state) {
    (void)state;
    corm_db   *db = open_events();
    uint64_t   count;
    corm_error err = { 0 };
    assert_ok(
        corm_count(db, &events, &count, { .where = { corm_eq("kind", "cold") }, .error = &err }),
        err);
    assert_int_equal(count, 15);
    corm_db_close(db);
}

static uint64_t count_of(corm_db *db, const corm_find_options *options) {
    uint64_t          count;
    corm_error        err = { 0 };
    corm_find_options with = *options;
    with.error = &err;
    assert_ok(corm_count_with(db, &events, &count, &with), err);
    return count;
}

#define counted(...) count_of(db, &(corm_find_options)__VA_ARGS__)

static void counts_are_of_what_find_would_give(void **state) {
    (void)state;
    corm_db   *db = open_events();
    bool       exists;
    corm_error err = { 0 };
    uint64_t   count;
    assert_ok(corm_count_with(db, &events, &count, NULL), err);
    assert_int_equal(count, 30);
    assert_int_equal(counted({ .where = { corm_eq("sensor", 1) } }), 10);
    assert_int_equal(counted({ .where = { corm_eq("sensor", 1) }, .limit = 4 }), 4);
    assert_int_equal(counted({ .where = { corm_eq("sensor", 1) }, .offset = 4 }), 6);
    assert_int_equal(counted({ .where = { corm_eq("sensor", 1) }, .offset = 11 }), 0);
    assert_int_equal(counted({ .where = { corm_eq("sensor", 1), corm_is_null("level") } }), 5);
    assert_int_equal(counted({ .per_partition_limit = 2, .select = { "at" } }), 6);
    assert_ok(
        corm_exists(db, &events, &exists, { .where = { corm_eq("sensor", 1) }, .error = &err }),
        err);
    assert_true(exists);
    assert_ok(
        corm_exists(db, &events, &exists,
                    { .where = { corm_eq("sensor", 1), corm_ne("kind", "cold"), corm_lt("at", 6) },
                      .error = &err }),
        err);
    assert_false(exists);
    assert_ok(corm_exists_with(db, &events, &exists, NULL), err);
    assert_true(exists);
    corm_db_close(db);
}

static void a_key_finds_rows_quickly(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *rows;
    corm_error err = { 0 };
    corm_value key[] = { corm_v(2), corm_v(3), corm_v(4) };
    for (int i = 0; i < 2; i++) {
        assert_ok(corm_find_key(db, &events, &rows, key, 2, &err), err);
        assert_int_equal(corm_rows_count(rows), 1);
        assert_int_equal(((event *)corm_rows_at(rows, 0))->tags.count, 2);
        assert_null(corm_rows_at(rows, 1));
        corm_rows_free(rows);
    }
    assert_ok(corm_find_key(db, &events, &rows, key, 1, &err), err);
    assert_int_equal(corm_rows_count(rows), 10);
    corm_rows_free(rows);
    assert_status(corm_find_key(db, &events, &rows, key, 3, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_find_key(db, &events, &rows, key, 0, &err), CORM_INVALID_ARGUMENT);
    key[0] = corm_v("x");
    assert_status(corm_find_key(db, &events, &rows, key, 1, &err), CORM_CONVERSION);
    corm_db_close(db);
}

static void any_select_fills_structs_by_name(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *rows;
    corm_error err = { 0 };
    assert_ok(corm_query(db, &events,
                         "SELECT at, sensor, reading AS other FROM events WHERE sensor = ?", &rows,
                         { .values = { corm_v(1) }, .request = { .page_size = 3 }, .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 10);
    assert_int_equal(((event *)corm_rows_at(rows, 9))->at, 1);
    assert_true(corm_rows_is_null(rows, 9, "reading"));
    assert_true(corm_rows_is_null(rows, 10, "at"));
    assert_false(corm_rows_is_null(rows, 9, "at"));
    corm_rows_free(rows);
    assert_status(corm_query(db, &events, "USE shop", &rows, { .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_status(corm_query(db, &events, "SELECT", &rows, { .error = &err }), CORM_SYNTAX_ERROR);
    assert_int_equal(corm_rows_count(NULL), 0);
    assert_null(corm_rows_first(NULL));
    corm_rows_free(NULL);
    corm_db_close(db);
}

static void find_one_gives_at_most_one(void **state) {
    (void)state;
    corm_db   *db = open_events();
    corm_rows *rows;
    corm_error err = { 0 };
    assert_ok(
        corm_find_one(db, &events, &rows, { .where = { corm_eq("sensor", 3) }, .error = &err }),
        err);
    assert_int_equal(corm_rows_count(rows), 1);
    corm_rows_free(rows);
    assert_ok(corm_find_one_with(db, &events, &rows, NULL), err);
    assert_int_equal(corm_rows_count(rows), 1);
    corm_rows_free(rows);
    assert_ok(corm_find_with(db, &events, &rows, NULL), err);
    assert_int_equal(corm_rows_count(rows), 30);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_shape_is_prepared_once(void **state) {
    (void)state;
    corm_db   *db = open_events();
    orm_model *model;
    corm_error err = { 0 };
    assert_ok(orm__model(db, &events, &model, &err), err);
    expect_times("10", { .where = { corm_eq("sensor", 1) }, .limit = 1 });
    uint32_t before = model->shape_count;
    for (int i = 0; i < 3; i++) {
        expect_times("10 9", { .where = { corm_eq("sensor", 2) }, .limit = 2 });
    }
    assert_int_equal(model->shape_count, before);
    model->shape_count = ORM_MOST_SHAPES; /* a full cache: shapes belong to their call */
    for (int i = 0; i < 2; i++) {
        expect_times("3 2",
                     { .where = { corm_eq("sensor", 2), corm_lt("at", 4), corm_gt("at", 1) } });
    }
    corm_rows *rows;
    assert_ok(corm_find(db, &events, &rows,
                        { .where = { corm_eq("sensor", 2), corm_lt("at", 4), corm_gt("at", 1) },
                          .error = &err }),
              err);
    assert_true(corm_rows_is_null(rows, 0, "level"));
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_table_that_changes_is_read_by_a_new_plan(void **state) {
    (void)state;
    corm_db *db = open_events();
    expect_times("10", { .where = { corm_eq("sensor", 1) }, .limit = 1 });
    run(db, "ALTER TABLE events ADD more text");
    expect_times("10", { .where = { corm_eq("sensor", 1) }, .limit = 1 });
    corm_rows *rows;
    corm_error err = { 0 };
    for (int i = 0; i < 2; i++) {
        assert_ok(corm_query(db, &events, "SELECT * FROM events LIMIT 1", &rows, { .error = &err }),
                  err);
        assert_int_equal(corm_rows_count(rows), 1);
        corm_rows_free(rows);
    }
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_of_cql_go_to_the_store),
        cmocka_unit_test(operators_that_are_not_cql_are_held_by_corm),
        cmocka_unit_test(rows_are_ordered_by_the_store_or_by_corm),
        cmocka_unit_test(a_sort_of_too_many_rows_is_given_up),
        cmocka_unit_test(limits_and_offsets_pass_over_rows),
        cmocka_unit_test(all_pages_are_read_unless_one_is_asked_for),
        cmocka_unit_test(a_page_token_goes_on_in_a_later_call),
        cmocka_unit_test(tokens_walk_through_partitions),
        cmocka_unit_test(what_is_wrong_with_a_find_is_said),
        cmocka_unit_test(an_index_answers_without_filtering),
        cmocka_unit_test(counts_are_of_what_find_would_give),
        cmocka_unit_test(a_key_finds_rows_quickly),
        cmocka_unit_test(any_select_fills_structs_by_name),
        cmocka_unit_test(find_one_gives_at_most_one),
        cmocka_unit_test(a_shape_is_prepared_once),
        cmocka_unit_test(a_table_that_changes_is_read_by_a_new_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
