// SPDX-License-Identifier: MIT
#include "orm/core.h"

#include "orm/orm_for_tests.h"

static void a_row_is_written_and_found(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_rows *rows;
    corm_error err = { 0 };
    user       ada = { .email = "ada@example.com",
                       .name = "Ada",
                       .age = 36,
                       .tags = corm_set_of(corm_v("math"), corm_v("engines")) };
    assert_ok(corm_insert(db, &users, &ada, { .error = &err }), err);
    assert_false(corm_uuid_is_zero(ada.id));
    assert_true(ada.created_at.ms > 0);
    assert_ok(corm_find(db, &users, &rows, { .where = { corm_eq("id", ada.id) }, .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 1);
    for (CORM_EACH(user, u, rows)) {
        assert_string_equal(u->email, "ada@example.com");
        assert_string_equal(u->name, "Ada");
        assert_int_equal(u->age, 36);
        assert_true(corm_set_has(&u->tags, "math"));
        assert_int_equal(u->tags.count, 2);
        assert_int_equal(u->score.presence, CORM_IS_NULL);
        assert_int_equal(u->created_at.ms, ada.created_at.ms);
    }
    assert_true(corm_rows_is_null(rows, 0, "score"));
    assert_false(corm_rows_is_null(rows, 0, "age"));
    corm_db_close(db);
    assert_string_equal(((user *)corm_rows_first(rows))->email, "ada@example.com");
    assert_true(corm_rows_is_null(rows, 0, "score"));
    corm_rows_free(rows);
}

static void a_row_is_found_by_its_unique_value(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_rows *rows;
    corm_error err = { 0 };
    user       ada = { .email = "ada@example.com", .name = "Ada", .age = 36 };
    assert_ok(corm_insert(db, &users, &ada, { .error = &err }), err);
    const char *mail = "ada@example.com";
    assert_ok(corm_find(db, &users, &rows,
                        { .where = { corm_eq("email", mail), corm_gte("age", 18),
                                     corm_in("name", corm_v("Ada"), corm_v("Bo")) },
                          .limit = 10,
                          .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 1);
    corm_rows_free(rows);
    assert_ok(corm_find(db, &users, &rows,
                        { .where = { corm_eq("email", mail), corm_gt("age", 40) }, .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 0);
    corm_rows_free(rows);
    user eve = { .email = "ada@example.com", .name = "Eve" };
    assert_status(corm_insert(db, &users, &eve, { .error = &err }), CORM_NOT_UNIQUE);
    assert_non_null(strstr(err.message, "email"));
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_written_and_found),
        cmocka_unit_test(a_row_is_found_by_its_unique_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
