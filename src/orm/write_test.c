// SPDX-License-Identifier: MIT
#include "base/clock.h"
#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct note {
    int32_t        owner, number;
    char          *text;
    int32_t        stars;
    char          *motto; /* static */
    corm_timestamp changed;
    corm_date      day;
    corm_uuid      id;
} note;

#define COL(member) CORM_COLUMN(note, member)
static const corm_model notes = {
    .table = "notes",
    .row_size = sizeof(note),
    .fields = { { COL(owner), .key = CORM_PARTITION },
                { COL(number), .key = CORM_CLUSTERING },
                { COL(text) },
                { COL(stars), .skip_zero = true },
                { COL(motto), .key = CORM_STATIC },
                { COL(changed), .generate = CORM_EACH_NOW },
                { COL(day), .generate = CORM_NEW_NOW },
                { COL(id), .generate = CORM_NEW_TIMEUUID } },
};
#undef COL

/* "text|stars|motto" of the row, or "none". */
static const char *look(corm_db *db, int32_t owner, int32_t number) {
    static char text[256];
    corm_rows  *rows;
    corm_error  err = { 0 };
    corm_value  key[] = { corm_v(owner), corm_v(number) };
    assert_ok(corm_find_key(db, &notes, &rows, key, 2, &err), err);
    const note *n = corm_rows_first(rows);
    snprintf(text, sizeof text, "none");
    if (n) {
        snprintf(text, sizeof text, "%s|%d|%s", n->text ? n->text : "-", n->stars,
                 n->motto ? n->motto : "-");
    }
    corm_rows_free(rows);
    return text;
}

static void an_update_writes_what_the_struct_holds(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    note       n = { .owner = 1, .number = 1, .text = "one", .stars = 5, .motto = "m" };
    assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
    assert_string_equal(look(db, 1, 1), "one|5|m");
    n = (note){ .owner = 1, .number = 1, .text = "two" };
    assert_ok(corm_update(db, &notes, &n, { .error = &err }), err);
    assert_string_equal(look(db, 1, 1), "two|5|m");
    assert_ok(corm_update(db, &notes, &n, { .only = { "stars" }, .error = &err }), err);
    assert_string_equal(look(db, 1, 1), "two|0|m");
    assert_ok(corm_update(db, &notes, &n, { .null = { "text", "motto" }, .error = &err }), err);
    assert_string_equal(look(db, 1, 1), "-|0|-");
    corm_db_close(db);
}

static void members_are_generated_before_a_write(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    base__clock_fake(INT64_C(1700000000000000));
    note n = { .owner = 1, .number = 1 };
    assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
    assert_int_equal(n.changed.ms, INT64_C(1700000000000));
    assert_int_equal(n.day.days, 19675);
    assert_int_equal(n.id.bytes[6] >> 4, 1);
    corm_uuid id = n.id;
    base__clock_fake(INT64_C(1800000000000000));
    assert_ok(
        corm_update(db, &notes, &n, { .only = { "stars" }, .null = { "text" }, .error = &err }),
        err);
    assert_int_equal(n.changed.ms, INT64_C(1800000000000));
    assert_int_equal(n.day.days, 19675);
    assert_ok(corm_save(db, &notes, &n, { .error = &err }), err);
    assert_true(corm_uuid_equal(id, n.id));
    base__clock_fake(0);
    corm_db_close(db);
}

static void conditions_say_when_they_do_not_hold(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    note       n = { .owner = 1, .number = 1, .text = "one", .stars = 3 };
    assert_status(corm_update(db, &notes, &n, { .if_exists = true, .error = &err }),
                  CORM_NOT_APPLIED);
    assert_ok(corm_insert(db, &notes, &n, { .if_not_exists = true, .error = &err }), err);
    assert_status(corm_insert(db, &notes, &n, { .if_not_exists = true, .error = &err }),
                  CORM_NOT_APPLIED);
    assert_non_null(strstr(err.message, "exists already"));
    n.text = "two";
    assert_status(
        corm_update(db, &notes, &n, { .condition = { corm_eq("stars", 4) }, .error = &err }),
        CORM_NOT_APPLIED);
    assert_non_null(strstr(err.message, "condition"));
    assert_ok(corm_update(
                  db, &notes, &n,
                  { .condition = { corm_gte("stars", 3), corm_ne("text", "x"),
                                   corm_in("stars", corm_v(3), corm_v(4)), corm_is_null("motto") },
                    .error = &err }),
              err);
    assert_string_equal(look(db, 1, 1), "two|3|-");
    assert_status(
        corm_delete(db, &notes, &n, { .condition = { corm_lt("stars", 3) }, .error = &err }),
        CORM_NOT_APPLIED);
    assert_ok(corm_delete(db, &notes, &n, { .if_exists = true, .error = &err }), err);
    assert_status(corm_delete(db, &notes, &n, { .if_exists = true, .error = &err }),
                  CORM_NOT_APPLIED);
    assert_string_equal(look(db, 1, 1), "none");
    corm_db_close(db);
}

static void a_row_may_live_for_a_time(void **state) {
    (void)state;
    corm_db     *db = open_db();
    corm_error   err = { 0 };
    corm_result *result;
    note         n = { .owner = 1, .number = 1, .text = "one" };
    assert_ok(corm_insert(db, &notes, &n, { .ttl_seconds = 100, .error = &err }), err);
    n.number = 2;
    assert_ok(
        corm_upsert(db, &notes, &n,
                    { .request = { .has_timestamp = true, .timestamp_us = 5 }, .error = &err }),
        err);
    assert_ok(
        corm_update(db, &notes, &n, { .only = { "stars" }, .ttl_seconds = 50, .error = &err }),
        err);
    assert_ok(corm_execute(corm_db_session(db),
                           "SELECT ttl(text), ttl(stars), writetime(text) FROM notes", &result,
                           { .error = &err }),
              err);
    const corm_row *row = corm_result_next(result);
    assert_in_range(corm_row_int(row, 0), 90, 100);
    row = corm_result_next(result);
    assert_true(corm_row_is_null(row, 0));
    assert_in_range(corm_row_int(row, 1), 40, 50);
    assert_int_equal(corm_row_bigint(row, 2), 5);
    corm_result_free(result);
    corm_db_close(db);
}

static void static_columns_alone_need_no_row(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    uint64_t   count;
    typedef struct plain {
        int32_t owner, number;
        char   *motto;
    } plain;
    static const corm_model model = {
        .table = "plain",
        .row_size = sizeof(plain),
        .fields = { { CORM_COLUMN(plain, owner), .key = CORM_PARTITION },
                    { CORM_COLUMN(plain, number), .key = CORM_CLUSTERING },
                    { CORM_COLUMN(plain, motto), .key = CORM_STATIC } },
    };
    plain p = { .owner = 1, .motto = "m" };
    assert_ok(corm_update(db, &model, &p, { .error = &err }), err);
    p.number = 7;
    assert_ok(corm_insert(db, &model, &p, { .error = &err }), err);
    assert_ok(corm_count(db, &model, &count, { .where = { corm_eq("owner", 1) }, .error = &err }),
              err);
    assert_int_equal(count, 1);
    corm_db_close(db);
}

static void rows_are_deleted_by_conditions(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    for (int32_t i = 1; i <= 6; i++) {
        note n = { .owner = i < 6 ? 1 : 2, .number = i, .text = "x" };
        assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
    }
    assert_ok(
        corm_delete_where(
            db, &notes, { .where = { corm_eq("owner", 1), corm_gt("number", 3) }, .error = &err }),
        err);
    assert_string_equal(look(db, 1, 4), "none");
    assert_string_equal(look(db, 1, 3), "x|0|-");
    assert_ok(
        corm_delete_where(
            db, &notes, { .where = { corm_eq("owner", 1), corm_eq("number", 3) }, .error = &err }),
        err);
    assert_string_equal(look(db, 1, 3), "none");
    assert_ok(
        corm_delete_where(db, &notes,
                          { .where = { corm_in("owner", corm_v(1), corm_v(3)) }, .error = &err }),
        err);
    assert_string_equal(look(db, 1, 1), "none");
    assert_string_equal(look(db, 2, 6), "x|0|-");
    assert_status(corm_delete_where_with(db, &notes, NULL), CORM_INVALID_ARGUMENT);
    assert_status(
        corm_delete_where(
            db, &notes, { .where = { corm_eq("owner", 1), corm_ne("number", 3) }, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(corm_delete_where(
                      db, &notes, { .where = { corm_eq("owner", 1) }, .limit = 3, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

#define refused(call, words)                                                                       \
    do {                                                                                           \
        assert_status(call, CORM_INVALID_ARGUMENT);                                                \
        if (!strstr(err.message, words)) fail_msg("'%s' instead of '%s'", err.message, words);     \
    } while (0)

static void what_is_wrong_with_a_write_is_said(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    note       n = { .owner = 1, .number = 1 };
    refused(corm_insert(db, &notes, NULL, { .error = &err }), "NULL");
    refused(corm_insert(db, &notes, &n, { ._canary = 7, .error = &err }), "not initialised");
    refused(corm_insert(db, &notes, &n, { .request = { .keyspace = "k" }, .error = &err }),
            "keyspace");
    refused(corm_insert(db, &notes, &n, { .ttl_seconds = -1, .error = &err }), "negative");
    refused(corm_insert(db, &notes, &n, { .if_exists = true, .error = &err }), ".if_exists");
    refused(corm_update(db, &notes, &n, { .if_not_exists = true, .error = &err }),
            ".if_not_exists");
    refused(corm_update(db, &notes, &n,
                        { .if_exists = true, .condition = { corm_eq("stars", 1) }, .error = &err }),
            "exclude");
    refused(corm_update(db, &notes, &n, { .condition = { corm_like("text", "x") }, .error = &err }),
            "cannot have this condition");
    refused(corm_update(db, &notes, &n, { .condition = { corm_eq("strs", 1) }, .error = &err }),
            "did you mean 'stars'");
    refused(corm_update(db, &notes, &n, { .only = { "txt" }, .error = &err }),
            "did you mean 'text'");
    refused(corm_update(db, &notes, &n, { .null = { "txt" }, .error = &err }),
            "did you mean 'text'");
    refused(corm_update(db, &notes, &n, { .null = { "number" }, .error = &err }), "cannot be null");
    refused(corm_update(db, &notes, &n, { .only = { "text" }, .error = &err }), "holds nothing");
    refused(corm_delete(db, &notes, &n, { .only = { "text" }, .error = &err }), "whole row");
    refused(corm_delete(db, &notes, &n, { .ttl_seconds = 1, .error = &err }), "ttl");
    user nobody = { .name = "x" };
    refused(corm_update(db, &users, &nobody, { .error = &err }), "key column must hold");
    refused(corm_load(db, NULL, &err), "NULL");
    assert_status(corm_insert_with(db, &notes, NULL, NULL), CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

static void batches_write_all_or_nothing(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    note       a = { .owner = 1, .number = 1, .text = "a" };
    note       b = { .owner = 1, .number = 2, .text = "b" };
    user       u = { .name = "Ada", .email = "a@b.cd" };
    assert_ok(corm_insert(db, &notes, &b, { .error = &err }), err);
    corm_batch        *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    corm_write_options options = { .error = &err };
    assert_ok(corm_batch_insert(batch, db, &notes, &a, &options), err);
    assert_ok(corm_batch_delete(batch, db, &notes, &b, &options), err);
    note c = { .owner = 1, .number = 3, .text = "c" };
    assert_ok(corm_batch_update(batch, db, &notes, &c, &options), err);
    assert_status(corm_batch_insert(batch, db, &users, &u, &options), CORM_UNSUPPORTED);
    assert_string_equal(look(db, 1, 1), "none");
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    assert_string_equal(look(db, 1, 1), "a|0|-");
    assert_string_equal(look(db, 1, 2), "none");
    assert_string_equal(look(db, 1, 3), "c|0|-");
    corm_batch_free(batch);
    corm_db_close(db);
}

typedef struct hits {
    char   *page;
    int64_t views;
    int64_t clicks;
} hits;

static void counters_are_added_to(void **state) {
    (void)state;
    static const corm_model model = {
        .table = "hits",
        .row_size = sizeof(hits),
        .fields = { { CORM_COLUMN(hits, page), .key = CORM_PARTITION },
                    { CORM_COLUMN(hits, views), .cql = "counter" },
                    { CORM_COLUMN(hits, clicks), .cql = "counter", .skip_zero = true } },
    };
    corm_db   *db = open_db();
    corm_rows *rows;
    corm_error err = { 0 };
    hits       h = { "home", 2, 0 };
    assert_ok(corm_update(db, &model, &h, { .error = &err }), err);
    h.clicks = 5;
    assert_ok(corm_save(db, &model, &h, { .error = &err }), err);
    h = (hits){ "home", -1, 0 };
    assert_ok(corm_upsert(db, &model, &h, { .error = &err }), err);
    assert_status(corm_insert(db, &model, &h, { .error = &err }), CORM_INVALID);
    assert_ok(corm_find(db, &model, &rows, { .error = &err }), err);
    assert_int_equal(((hits *)corm_rows_first(rows))->views, 3);
    assert_int_equal(((hits *)corm_rows_first(rows))->clicks, 5);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_db_is_opened_with_good_options_only(void **state) {
    (void)state;
    corm_db   *db;
    corm_error err = { 0 };
    refused(corm_open(&db, "corm::memory:", { ._canary = 1, .error = &err }), "not initialised");
    refused(corm_open(&db, "corm::memory:", { .migration = (corm_migration)9, .error = &err }),
            "migration");
    refused(corm_open(&db, "nowhere", { .error = &err }), "scheme");
    assert_ok(corm_db_open(&db, "corm::memory:", NULL), err);
    refused(corm_load(db, &notes, &err), "keyspace");
    corm_db_close(db);
    corm_db_close(NULL);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_writes_what_the_struct_holds),
        cmocka_unit_test(members_are_generated_before_a_write),
        cmocka_unit_test(conditions_say_when_they_do_not_hold),
        cmocka_unit_test(a_row_may_live_for_a_time),
        cmocka_unit_test(static_columns_alone_need_no_row),
        cmocka_unit_test(rows_are_deleted_by_conditions),
        cmocka_unit_test(what_is_wrong_with_a_write_is_said),
        cmocka_unit_test(batches_write_all_or_nothing),
        cmocka_unit_test(counters_are_added_to),
        cmocka_unit_test(a_db_is_opened_with_good_options_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
