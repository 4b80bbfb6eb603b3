// SPDX-License-Identifier: MIT
/* Sealed columns through the mapper, and what is shown of values. */
#include <stdlib.h>
#include <string.h>

#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct person {
    int32_t       id;
    char         *email;
    char          ssn[16];
    corm_set      tags;
    corm_opt_int  salary;
    corm_duration notice;
} person;

#define COL(member) CORM_COLUMN(person, member)
#define PERSON_FIELDS                                                                              \
    { COL(id), .key = CORM_PARTITION },                                                            \
        { COL(email), .unique = true, .sealed = CORM_SEALED_EQUAL },                               \
        { COL(ssn), .sealed = CORM_SEALED, .shown = CORM_MASKED_PARTLY, .skip_zero = true },       \
        { COL(tags), .cql = "set<text>", .sealed = CORM_SEALED },                                  \
        { COL(salary), .sealed = CORM_SEALED_EQUAL, .indexed = true, .shown = CORM_MASKED }, {     \
        COL(notice), .sealed = CORM_SEALED, .skip_zero = true, .shown = CORM_HIDDEN                \
    }
static const corm_model people = { .table = "people",
                                   .row_size = sizeof(person),
                                   .fields = { PERSON_FIELDS } };
/* The same table; loaded after a key was added, as by a program that starts with it. */
static const corm_model people_later = { .table = "people",
                                         .row_size = sizeof(person),
                                         .fields = { PERSON_FIELDS } };
#undef COL

static const uint8_t first_key[CORM_KEY_BYTES] = { 1 }, second_key[CORM_KEY_BYTES] = { 2 };

static corm_keyring *keyring_of(void) {
    corm_keyring *ring;
    corm_error    err = { 0 };
    assert_ok(corm_keyring_new(&ring, &err), err);
    assert_ok(corm_keyring_add(ring, 1, first_key, &err), err);
    return ring;
}

static person ada(int32_t id, char *email) {
    static const corm_value tags[] = { { .kind = CORM_TEXT, .as.text = { "vip", 3 } } };
    person                  p = { .id = id, .email = email, .ssn = "078-05-1120" };
    p.tags = (corm_set){ tags, 1 };
    p.salary = (corm_opt_int){ CORM_PRESENT, 5000 };
    p.notice = (corm_duration){ .months = 3 };
    return p;
}

static void insert_into(corm_db *db, const corm_model *model, person row) {
    corm_error err = { 0 };
    assert_ok(corm_insert(db, model, &row, { .error = &err }), err);
}

static void insert(corm_db *db, person row) {
    insert_into(db, &people, row);
}

static corm_rows *find_all(corm_db *db) {
    corm_rows *rows;
    corm_error err = { 0 };
    assert_ok(corm_find(db, &people, &rows, { .error = &err }), err);
    return rows;
}

static void what_is_stored_is_sealed_and_read_back(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_result  *result;
    corm_error    err = { 0 };
    insert(db, ada(1, "ada@example.org"));
    corm_rows *rows = find_all(db);
    person    *p = corm_rows_first(rows);
    assert_non_null(p);
    assert_string_equal(p->email, "ada@example.org");
    assert_string_equal(p->ssn, "078-05-1120");
    assert_int_equal(p->tags.count, 1);
    assert_text(p->tags.items[0].as.text, "vip");
    assert_int_equal(p->salary.value, 5000);
    assert_int_equal(p->notice.months, 3);
    corm_rows_free(rows);
    assert_ok(corm_execute(corm_db_session(db),
                           "SELECT ssn, email, tags, salary, notice FROM people", &result,
                           { .error = &err }),
              err);
    for (uint32_t i = 0; i < 5; i++) assert_text(corm_result_column_type(result, i), "blob");
    corm_bytes ssn = corm_row_bytes(corm_result_next(result), 0);
    for (size_t i = 0; i + 4 <= ssn.len; i++) assert_memory_not_equal(ssn.data + i, "1120", 4);
    corm_result_free(result);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static int32_t found_in(corm_db *db, const corm_model *model, const corm_find_options *options) {
    corm_rows *rows;
    assert_status(corm_find_with(db, model, &rows, options), CORM_OK);
    person *p = corm_rows_first(rows);
    int32_t id = p ? p->id : 0;
    corm_rows_free(rows);
    return id;
}

static int32_t found(corm_db *db, const corm_find_options *options) {
    return found_in(db, &people, options);
}

static void equality_finds_what_was_sealed_for_it(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    insert(db, ada(1, "ada@example.org"));
    assert_int_equal(
        found(db, &(corm_find_options){ .where = { corm_eq("email", "ada@example.org") } }), 1);
    assert_int_equal(
        found(db, &(corm_find_options){ .where = { corm_eq("email", "bob@example.org") } }), 0);
    assert_int_equal(found(db, &(corm_find_options){ .where = { corm_eq("salary", 5000) } }), 1);
    assert_int_equal(found(db, &(corm_find_options){ .where = { corm_eq("salary", 5001) } }), 0);
    assert_int_equal(found(db, &(corm_find_options){ .where = { corm_ne("salary", 5001) } }), 1);
    assert_int_equal(found(db, &(corm_find_options){ .where = { corm_not_null("ssn") } }), 1);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static void a_unique_sealed_value_is_taken_once_and_not_shown(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_result  *result;
    corm_error    err = { 0 };
    person        other = ada(2, "ada@example.org");
    insert(db, ada(1, "ada@example.org"));
    assert_status(corm_insert(db, &people, &other, { .error = &err }), CORM_NOT_UNIQUE);
    assert_null(strstr(err.message, "ada@"));
    assert_non_null(strstr(err.message, "***"));
    assert_ok(corm_execute(corm_db_session(db), "SELECT value FROM corm_unique", &result,
                           { .error = &err }),
              err);
    corm_bytes value = corm_row_bytes(corm_result_next(result), 0);
    for (size_t i = 0; i + 4 <= value.len; i++) assert_memory_not_equal(value.data + i, "ada@", 4);
    corm_result_free(result);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static void what_a_sealed_column_cannot_be_asked_is_refused(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_rows    *rows;
    corm_error    err = { 0 };
    person        p = ada(1, "a@b.org");
    assert_status(
        corm_find(db, &people, &rows,
                  { .where = { corm_eq("ssn", "1") }, .allow_filtering = true, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "CORM_SEALED_EQUAL"));
    assert_status(
        corm_find(db, &people, &rows,
                  { .where = { corm_gt("salary", 1) }, .allow_filtering = true, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "more than equality"));
    assert_status(
        corm_find(db, &people, &rows, { .order_by = { { .column = "salary" } }, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(
        corm_update(db, &people, &p, { .condition = { corm_eq("ssn", "1") }, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static void a_condition_of_a_write_compares_sealed_values(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_error    err = { 0 };
    person        p = { .id = 1 };
    insert(db, ada(1, "ada@example.org"));
    p.salary = (corm_opt_int){ CORM_PRESENT, 6000 };
    assert_status(
        corm_update(db, &people, &p, { .condition = { corm_eq("salary", 1) }, .error = &err }),
        CORM_NOT_APPLIED);
    assert_ok(
        corm_update(db, &people, &p, { .condition = { corm_eq("salary", 5000) }, .error = &err }),
        err);
    assert_int_equal(found(db, &(corm_find_options){ .where = { corm_eq("salary", 6000) } }), 1);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static void a_value_that_was_changed_in_the_store_is_an_error(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_rows    *rows;
    corm_error    err = { 0 };
    insert(db, ada(1, "ada@example.org"));
    run(db,
        "UPDATE people SET ssn = 0x0100000001000102030405060708090a0b0c0d0e0f10111213141516171819 "
        "WHERE id = 1");
    assert_status(corm_find(db, &people, &rows, { .error = &err }), CORM_CORRUPT);
    assert_non_null(strstr(err.message, "people.ssn"));
    run(db, "UPDATE people SET ssn = 0x01 WHERE id = 1");
    assert_status(corm_find(db, &people, &rows, { .error = &err }), CORM_CORRUPT);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static void without_a_keyring_the_model_is_refused(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    assert_status(corm_load(db, &people, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "keyring"));
    corm_db_close(db);
}

/* ---- keys that change ---- */

static uint32_t of_key(corm_db *db, const char *column, uint32_t id) {
    corm_result *result;
    corm_error   err = { 0 };
    char         cql[64];
    uint32_t     count = 0;
    snprintf(cql, sizeof cql, "SELECT %s FROM people", column);
    assert_ok(corm_execute(corm_db_session(db), cql, &result, { .error = &err }), err);
    for (const corm_row *row; (row = corm_result_next(result));) {
        corm_bytes value = corm_row_bytes(row, 0);
        count += value.len > 5 && base__load_u32(value.data + 1) == id;
    }
    corm_result_free(result);
    return count;
}

static void a_table_is_sealed_anew(void **state) {
    (void)state;
    corm_keyring      *ring = keyring_of();
    corm_db           *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_reseal_report report;
    corm_error         err = { 0 };
    char               email[32];
    for (int32_t id = 1; id <= 20; id++) {
        snprintf(email, sizeof email, "p%d@example.org", id);
        insert(db, ada(id, email));
    }
    assert_ok(corm_keyring_add(ring, 2, second_key, &err), err);
    assert_ok(corm_keyring_equal(ring, 2, &err), err);
    insert_into(db, &people_later, ada(21, "p21@example.org"));
    assert_int_equal(of_key(db, "ssn", 1), 20);
    assert_ok(corm_reseal(db, &people_later, &report, &err), err);
    assert_int_equal(report.rows, 21);
    assert_int_equal(report.changed, 20 * 5);
    assert_int_equal(of_key(db, "ssn", 2), 21);
    assert_int_equal(of_key(db, "email", 2), 21);
    corm_find_options seventh = { .where = { corm_eq("email", "p7@example.org") } };
    assert_int_equal(found_in(db, &people_later, &seventh), 7);
    person again = ada(30, "p7@example.org");
    assert_status(corm_insert(db, &people_later, &again, { 0 }), CORM_NOT_UNIQUE);
    assert_ok(corm_reseal(db, &people_later, &report, &err), err);
    assert_int_equal(report.changed, 0);
    corm_db_close(db);
    corm_keyring_free(ring);
}

static void a_ttl_stays_when_a_value_is_sealed_anew(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of();
    corm_db      *db = open_db_with((corm_db_options){ .keyring = ring });
    corm_result  *result;
    corm_error    err = { 0 };
    person        p = ada(1, "ada@example.org");
    assert_ok(corm_insert(db, &people, &p, { .ttl_seconds = 5000, .error = &err }), err);
    assert_ok(corm_keyring_add(ring, 2, second_key, &err), err);
    assert_ok(corm_reseal(db, &people_later, NULL, &err), err);
    assert_ok(corm_execute(corm_db_session(db), "SELECT ttl(ssn) FROM people", &result,
                           { .error = &err }),
              err);
    int32_t ttl = corm_row_int(corm_result_next(result), 0);
    assert_true(ttl > 4000 && ttl <= 5000);
    corm_result_free(result);
    corm_db_close(db);
    corm_keyring_free(ring);
}

/* ---- models ---- */

static void check_refused(corm_field field, const char *says) {
    corm_error err = { 0 };
    orm_model *model;
    corm_model spec = { .table = "people", .row_size = sizeof(person) };
    spec.fields[0] = people.fields[0];
    spec.fields[1] = field;
    assert_status(orm__compile(&spec, &model, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, says));
}

static void columns_that_cannot_be_sealed_are_refused(void **state) {
    (void)state;
    corm_field email = people.fields[1];
    email.sealed = CORM_SEALED;
    check_refused(email, "unique");
    email.unique = false;
    email.indexed = true;
    check_refused(email, "indexed");
    email.indexed = false;
    email.key = CORM_CLUSTERING;
    check_refused(email, "key column");
    email.key = CORM_REGULAR;
    email.sealed = (corm_sealing)9;
    check_refused(email, "corm_sealing");
    corm_field number = { .name = "count",
                          .member = CORM_MEMBER_I64,
                          .size = 8,
                          .cql = "counter",
                          .sealed = CORM_SEALED };
    check_refused(number, "counter");
    corm_field place = { .name = "place",
                         .member = CORM_MEMBER_UDT,
                         .offset = offsetof(person, tags),
                         .size = sizeof(corm_udt),
                         .cql = "frozen<address>",
                         .sealed = CORM_SEALED };
    check_refused(place, "user-defined");
}

/* ---- what is shown ---- */

static void a_row_is_shown_as_its_model_says(void **state) {
    (void)state;
    corm_error err = { 0 };
    char      *line;
    person     p = ada(1, "ada@example.org");
    assert_ok(corm_row_shown(&people, &p, &line, &err), err);
    assert_string_equal(line, "people { id: 1, email: ***, ssn: ***1120, tags: ***, salary: *** }");
    free(line);
    strcpy(p.ssn, "12345");
    assert_ok(corm_row_shown(&people, &p, &line, &err), err);
    assert_non_null(strstr(line, "ssn: ***,"));
    free(line);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_stored_is_sealed_and_read_back),
    cmocka_unit_test(equality_finds_what_was_sealed_for_it),
    cmocka_unit_test(a_unique_sealed_value_is_taken_once_and_not_shown),
    cmocka_unit_test(what_a_sealed_column_cannot_be_asked_is_refused),
    cmocka_unit_test(a_condition_of_a_write_compares_sealed_values),
    cmocka_unit_test(a_value_that_was_changed_in_the_store_is_an_error),
    cmocka_unit_test(without_a_keyring_the_model_is_refused),
    cmocka_unit_test(a_table_is_sealed_anew),
    cmocka_unit_test(a_ttl_stays_when_a_value_is_sealed_anew),
    cmocka_unit_test(columns_that_cannot_be_sealed_are_refused),
    cmocka_unit_test(a_row_is_shown_as_its_model_says),
};

int main(void) {
    UNUSED_HELPERS();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
