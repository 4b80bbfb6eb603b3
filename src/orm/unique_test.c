// SPDX-License-Identifier: MIT
/* Unique values under concurrency and crashes. A crash is a door that fails every request after
 * the n-th; another writer then comes when the lease is over. */
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "orm/core.h"

#include "orm/orm_for_tests.h"

/* ---- a door that breaks ---- */

typedef struct breaking_door {
    session_door  door; /* first */
    session_door *inner;
    atomic_int   *left; /* requests until it breaks */
} breaking_door;

static breaking_door *own(session_door *door) {
    return (breaking_door *)door;
}

static corm_status execute(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err) {
    breaking_door *d = own(door);
    if (request->kind != WIRE_PREPARE && atomic_fetch_sub(d->left, 1) <= 0) {
        return base__fail(err, CORM_IO, "the door is broken");
    }
    return d->inner->ops->execute(d->inner, keyspace, request, answer, err);
}

static void submit(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context) {
    session_door *inner = own(door)->inner;
    inner->ops->submit(inner, keyspace, request, answer, callback, context);
}

static void close_door(session_door *door) {
    session_door *inner = own(door)->inner;
    inner->ops->close(inner);
    free(door);
}

static session_door_ops breaking_ops;

static corm_db *open_breaking(atomic_int *left) {
    corm_error           err = { 0 };
    corm_session_options options = { .keyspace = "shop", .create_keyspace = true };
    corm_session        *session;
    corm_db             *db;
    breaking_door       *d = calloc(1, sizeof *d);
    assert_non_null(d);
    assert_ok(session__open_embedded(NULL, &options, &d->inner, &err), err);
    breaking_ops = *d->inner->ops;
    breaking_ops.execute = execute;
    breaking_ops.submit = submit;
    breaking_ops.close = close_door;
    breaking_ops.schema = NULL;
    d->door.ops = &breaking_ops;
    d->left = left;
    atomic_store(left, INT32_MAX);
    assert_ok(session__open_door(&d->door, &options, &session, &err), err);
    assert_ok(orm__db_over(session, &(corm_db_options){ .unique_lease_ms = 1000 }, &db, &err), err);
    return db;
}

/* ---- looking ---- */

typedef struct account {
    int32_t id;
    char   *email;
    char   *phone;
} account;

#define COL(member) CORM_COLUMN(account, member)
static const corm_model accounts = {
    .table = "accounts",
    .row_size = sizeof(account),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(email), .unique = true },
                { COL(phone), .unique = true } },
};
#undef COL

/* Rows with this email, by reading all. */
static int holders(corm_db *db, const char *email) {
    corm_rows *rows;
    corm_error err = { 0 };
    int        count = 0;
    assert_ok(corm_find(db, &accounts, &rows, { .error = &err }), err);
    for (CORM_EACH(account, a, rows)) count += a->email && strcmp(a->email, email) == 0;
    corm_rows_free(rows);
    return count;
}

static int count_rows(corm_db *db, const char *cql) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(corm_db_session(db), cql, &result, { .error = &err }), err);
    int count = (int)corm_result_row_count(result);
    corm_result_free(result);
    return count;
}

static int reservations(corm_db *db) {
    return count_rows(db, "SELECT * FROM corm_unique");
}

/* Who is found by the unique column; 0: nobody. */
static int32_t find_email(corm_db *db, const char *email) {
    corm_rows *rows;
    corm_error err = { 0 };
    assert_ok(
        corm_find(db, &accounts, &rows, { .where = { corm_eq("email", email) }, .error = &err }),
        err);
    account *a = corm_rows_first(rows);
    int32_t  id = a ? a->id : 0;
    corm_rows_free(rows);
    return id;
}

/* ---- one writer ---- */

static void a_taken_value_is_refused(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    account    a = { 1, "a@x.de", "1" };
    account    b = { 2, "a@x.de", "2" };
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    assert_status(corm_insert(db, &accounts, &b, { .error = &err }), CORM_NOT_UNIQUE);
    assert_non_null(strstr(err.message, "'email': 'a@x.de' is taken"));
    b.email = "b@x.de";
    b.phone = "1";
    assert_status(corm_insert(db, &accounts, &b, { .error = &err }), CORM_NOT_UNIQUE);
    assert_non_null(strstr(err.message, "phone"));
    assert_int_equal(reservations(db), 2); /* the e-mail was given back */
    b.phone = NULL;
    assert_ok(corm_insert(db, &accounts, &b, { .error = &err }), err);
    assert_int_equal(find_email(db, "a@x.de"), 1);
    assert_int_equal(find_email(db, "b@x.de"), 2);
    assert_int_equal(find_email(db, "c@x.de"), 0);
    corm_db_close(db);
}

static void a_row_keeps_its_own_values(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    account    a = { 1, "a@x.de", "1" };
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    assert_ok(corm_save(db, &accounts, &a, { .error = &err }), err);
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    assert_ok(corm_update(db, &accounts, &a, { .error = &err }), err);
    assert_status(corm_insert(db, &accounts, &a, { .if_not_exists = true, .error = &err }),
                  CORM_NOT_APPLIED);
    assert_int_equal(reservations(db), 2);
    corm_db_close(db);
}

static void an_update_moves_the_reservation(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    account    a = { 1, "a@x.de", "1" };
    account    b = { 2, "b@x.de", "2" };
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    assert_ok(corm_insert(db, &accounts, &b, { .error = &err }), err);
    a = (account){ .id = 1, .email = "b@x.de" };
    assert_status(corm_update(db, &accounts, &a, { .error = &err }), CORM_NOT_UNIQUE);
    a.email = "c@x.de";
    assert_ok(corm_update(db, &accounts, &a, { .error = &err }), err);
    assert_int_equal(find_email(db, "a@x.de"), 0);
    assert_int_equal(find_email(db, "c@x.de"), 1);
    assert_int_equal(reservations(db), 4);
    b.email = "a@x.de";
    assert_ok(corm_save(db, &accounts, &b, { .error = &err }), err);
    assert_int_equal(find_email(db, "a@x.de"), 2);
    assert_ok(corm_update(db, &accounts, &b, { .null = { "email" }, .error = &err }), err);
    assert_int_equal(find_email(db, "a@x.de"), 0);
    assert_int_equal(reservations(db), 3);
    b.email = "z@x.de";
    assert_status(
        corm_update(db, &accounts, &b, { .condition = { corm_eq("phone", "9") }, .error = &err }),
        CORM_NOT_APPLIED);
    assert_int_equal(reservations(db), 3);
    corm_db_close(db);
}

static void a_delete_gives_the_values_back(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    account    a = { 1, "a@x.de", "1" };
    account    b = { 2, "a@x.de", "1" };
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    assert_ok(corm_delete(db, &accounts, &a, { .error = &err }), err);
    assert_int_equal(reservations(db), 0);
    assert_ok(corm_insert(db, &accounts, &b, { .error = &err }), err);
    assert_ok(corm_delete_where(db, &accounts, { .where = { corm_eq("id", 2) }, .error = &err }),
              err);
    assert_int_equal(reservations(db), 0);
    corm_db_close(db);
}

static void rows_that_are_deleted_together_give_their_values_back(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    int32_t    ids[30];
    char       mail[24];
    for (int32_t i = 0; i < 30; i++) {
        snprintf(mail, sizeof mail, "%d@x.de", (int)i);
        account a = { i, mail, mail };
        ids[i] = i;
        assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    }
    assert_int_equal(reservations(db), 60);
    corm_value in[30];
    for (int32_t i = 0; i < 30; i++) in[i] = corm_v(ids[i]);
    corm_value most = corm_of_list((corm_list){ in, 29 });
    assert_ok(corm_delete_where(db, &accounts,
                                { .where = { { "id", CORM_IN, most, corm_null() } },
                                  .request = { .page_size = 7 },
                                  .error = &err }),
              err);
    assert_int_equal(reservations(db), 2);
    assert_status(corm_delete_where(db, &accounts,
                                    { .where = { corm_eq("email", "29@x.de") }, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

static void a_reservation_lives_as_long_as_its_row(void **state) {
    (void)state;
    if (testing__is_cluster()) skip(); /* the server's clock goes on as it likes */
    corm_db   *db = open_db();
    corm_error err = { 0 };
    account    a = { 1, "a@x.de", NULL };
    assert_ok(corm_insert(db, &accounts, &a, { .ttl_seconds = 100, .error = &err }), err);
    base__clock_fake(base__clock_us() + INT64_C(200000000));
    assert_int_equal(reservations(db), 0);
    assert_ok(corm_insert(db, &accounts, &a, { .ttl_seconds = 100, .error = &err }), err);
    assert_ok(corm_save(db, &accounts, &a, { .error = &err }), err); /* without an end */
    base__clock_fake(base__clock_us() + INT64_C(200000000));
    assert_int_equal(reservations(db), 1);
    assert_int_equal(find_email(db, "a@x.de"), 1);
    base__clock_fake(0);
    corm_db_close(db);
}

static void other_conditions_are_held_on_the_row_found(void **state) {
    (void)state;
    corm_db    *db = open_db();
    corm_rows  *rows;
    uint64_t    count;
    bool        exists;
    corm_error  err = { 0 };
    account     a = { 1, "a@x.de", "123" };
    const char *mail = "a@x.de";
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
#define found(...)                                                                                 \
    (assert_int_equal(corm_find(db, &accounts, &rows, __VA_ARGS__), CORM_OK),                      \
     found_count = corm_rows_count(rows), corm_rows_free(rows), found_count)
    uint32_t found_count;
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_like("phone", "1%") } }), 1);
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_like("phone", "2%") } }), 0);
    assert_int_equal(
        found({ .where = { corm_eq("email", mail), corm_between("phone", "1", "2") } }), 1);
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_ne("phone", "123") } }), 0);
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_lt("phone", "1") } }), 0);
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_lte("phone", "123") },
                             .select = { "id" } }),
                     1);
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_gt("id", 0) },
                             .order_by = { { .column = "phone" } } }),
                     1);
    assert_int_equal(found({ .where = { corm_eq("email", mail) }, .offset = 1 }), 0);
    assert_int_equal(found({ .where = { corm_eq("email", mail), corm_eq("id", 2) } }), 0);
    assert_status(corm_find(db, &accounts, &rows,
                            { .where = { corm_eq("email", mail), corm_contains("phone", "1") } }),
                  CORM_INVALID);
    assert_ok(
        corm_count(db, &accounts, &count, { .where = { corm_eq("email", mail) }, .error = &err }),
        err);
    assert_int_equal(count, 1);
    assert_ok(
        corm_exists(db, &accounts, &exists, { .where = { corm_eq("email", mail) }, .error = &err }),
        err);
    assert_true(exists);
    run(db, "INSERT INTO accounts (id, email) VALUES (9, 'old@x.de')"); /* before it was unique */
    assert_int_equal(find_email(db, "old@x.de"), 0);
    mail = "old@x.de";
    assert_int_equal(found({ .where = { corm_eq("email", mail) }, .allow_filtering = true }), 1);
    corm_db_close(db);
}

/* ---- many writers ---- */

enum { THREADS = 64, EMAILS = 8 };

typedef struct writer {
    pthread_t thread;
    corm_db  *db;
    int32_t   id;
    int       won[EMAILS];
} writer;

/* A node that is asked by many for one value may not say what became of a transaction: the writer comes again, as a program would. */
static bool is_unknown(corm_status status) {
    return status == CORM_CAS_WRITE_UNKNOWN || status == CORM_WRITE_TIMEOUT ||
           status == CORM_READ_TIMEOUT || status == CORM_TIMEOUT;
}

static void *insert_all(void *context) {
    writer *w = context;
    for (int i = 0; i < EMAILS; i++) {
        char    email[32];
        int     which = (i + w->id) % EMAILS;
        account a = { .id = w->id * 100 + i, .email = email };
        snprintf(email, sizeof email, "%d@x.de", which);
        corm_status status;
        do {
            status = corm_insert(w->db, &accounts, &a, { 0 });
        } while (is_unknown(status));
        if (status != CORM_OK && status != CORM_NOT_UNIQUE) w->won[which] = 1000;
        if (status == CORM_OK) w->won[which]++;
    }
    return NULL;
}

static void exactly_one_of_many_writers_wins_each_value(void **state) {
    (void)state;
    static writer writers[THREADS];
    corm_db      *db = open_db();
    memset(writers, 0, sizeof writers);
    for (int i = 0; i < THREADS; i++) {
        writers[i].db = db;
        writers[i].id = i + 1;
        assert_int_equal(pthread_create(&writers[i].thread, NULL, insert_all, &writers[i]), 0);
    }
    int won[EMAILS] = { 0 };
    for (int i = 0; i < THREADS; i++) {
        pthread_join(writers[i].thread, NULL);
        for (int e = 0; e < EMAILS; e++) won[e] += writers[i].won[e];
    }
    for (int e = 0; e < EMAILS; e++) {
        char email[32];
        snprintf(email, sizeof email, "%d@x.de", e);
        assert_int_equal(won[e], 1);
        assert_int_equal(holders(db, email), 1);
    }
    assert_int_equal(reservations(db), EMAILS);
    corm_db_close(db);
}

/* ---- crashes ---- */

enum { MOST_STEPS = 32 };

/* When the lease is over, the value is held by exactly one row afterwards, whoever it is. */
static void another_writer_comes(corm_db *db, const char *email) {
    corm_error err = { 0 };
    account    other = { 77, (char *)(uintptr_t)email, NULL };
    int        before = holders(db, email);
    assert_in_range(before, 0, 1);
    base__clock_fake(base__clock_us() + 2000000);
    corm_status status = corm_insert(db, &accounts, &other, { .error = &err });
    assert_status(status, before == 1 ? CORM_NOT_UNIQUE : CORM_OK);
    assert_int_equal(holders(db, email), 1);
    assert_true(find_email(db, email) != 0);
    if (status == CORM_OK) assert_ok(corm_delete(db, &accounts, &other, { .error = &err }), err);
}

/* Runs the operation with a crash after each number of requests until it gets through. */
static void crash_everywhere(corm_status (*operate)(corm_db *db, corm_error *err),
                             int least_steps) {
    int step = 0;
    for (; step < MOST_STEPS; step++) {
        atomic_int left;
        corm_error err = { 0 };
        corm_db   *db = open_breaking(&left);
        account    a = { 1, "old@x.de", "1" };
        base__clock_fake(INT64_C(1700000000000000));
        assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
        atomic_store(&left, step);
        corm_status status = operate(db, &err);
        atomic_store(&left, INT32_MAX);
        if (status != CORM_OK && status != CORM_IO) fail_msg("step %d: %s", step, err.message);
        another_writer_comes(db, "old@x.de");
        another_writer_comes(db, "new@x.de");
        corm_db_close(db);
        base__clock_fake(0);
        if (status == CORM_OK) break;
    }
    assert_in_range(step, least_steps, MOST_STEPS - 1);
}

static corm_status insert_new(corm_db *db, corm_error *err) {
    account a = { 2, "new@x.de", "2" };
    return corm_insert(db, &accounts, &a, { .error = err });
}

static corm_status change_old(corm_db *db, corm_error *err) {
    account a = { 1, "new@x.de", NULL };
    return corm_update(db, &accounts, &a, { .error = err });
}

static corm_status delete_old(corm_db *db, corm_error *err) {
    account a = { .id = 1 };
    return corm_delete(db, &accounts, &a, { .error = err });
}

static void a_crash_at_any_step_of_an_insert_is_survived(void **state) {
    (void)state;
    crash_everywhere(insert_new, 5);
}

static void a_crash_at_any_step_of_an_update_is_survived(void **state) {
    (void)state;
    crash_everywhere(change_old, 5);
}

static void a_crash_at_any_step_of_a_delete_is_survived(void **state) {
    (void)state;
    crash_everywhere(delete_old, 4);
}

/* ---- leases ---- */

static void an_unfinished_reservation_holds_until_its_lease_ends(void **state) {
    (void)state;
    atomic_int left;
    corm_error err = { 0 };
    corm_db   *db = open_breaking(&left);
    account    a = { 1, "a@x.de", NULL };
    account    b = { 2, "a@x.de", NULL };
    base__clock_fake(INT64_C(1700000000000000));
    assert_ok(corm_load(db, &accounts, &err), err);
    atomic_store(&left, 2); /* the look at the old row, and the reservation */
    assert_status(corm_insert(db, &accounts, &a, { .error = &err }), CORM_IO);
    atomic_store(&left, INT32_MAX);
    assert_status(corm_insert(db, &accounts, &b, { .error = &err }), CORM_NOT_UNIQUE);
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err); /* its own claim */
    assert_status(corm_insert(db, &accounts, &b, { .error = &err }), CORM_NOT_UNIQUE);
    base__clock_fake(0);
    corm_db_close(db);
}

/* Between reservation and row, another writer takes the value over: what the pause of a slow
 * program may allow. */
static corm_db *thief_db;
static int      thief_at;

static corm_status steal_execute(session_door *door, corm_str keyspace, const wire_request *request,
                                 wire_answer *answer, corm_error *err) {
    breaking_door *d = own(door);
    if (request->kind != WIRE_PREPARE && thief_at > 0 && --thief_at == 0) {
        corm_error inner = { 0 };
        account    thief = { 5, "a@x.de", NULL };
        base__clock_fake(base__clock_us() + 2000000);
        assert_ok(corm_insert(thief_db, &accounts, &thief, { .error = &inner }), inner);
    }
    return d->inner->ops->execute(d->inner, keyspace, request, answer, err);
}

static void lose_lease(bool had_row) {
    atomic_int left;
    corm_error err = { 0 };
    corm_db   *db = open_breaking(&left);
    account    a = { 1, "old@x.de", NULL };
    base__clock_fake(INT64_C(1700000000000000));
    assert_ok(corm_load(db, &accounts, &err), err);
    if (had_row) assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    account b = { 1, "a@x.de", NULL };
    if (!had_row) assert_ok(corm_insert(db, &accounts, &b, { .error = &err }), err);
    if (!had_row) assert_ok(corm_delete(db, &accounts, &b, { .error = &err }), err);
    thief_db = db;
    thief_at = had_row ? 4 : 3; /* just before the row is written */
    breaking_ops.execute = steal_execute;
    assert_status(corm_save(db, &accounts, &b, { .error = &err }), CORM_NOT_UNIQUE);
    assert_int_equal(holders(db, "a@x.de"), 1);
    assert_int_equal(find_email(db, "a@x.de"), 5);
    assert_int_equal(holders(db, "old@x.de"), had_row);
    assert_int_equal(find_email(db, "old@x.de"), had_row ? 1 : 0);
    base__clock_fake(0);
    corm_db_close(db);
}

static void a_writer_that_lost_its_lease_undoes_its_row(void **state) {
    (void)state;
    lose_lease(false);
    lose_lease(true);
}

static void a_dropped_table_leaves_no_reservations(void **state) {
    (void)state;
    corm_db          *db = open_db_with((corm_db_options){ .migration = CORM_MIGRATION_DROP });
    corm_error        err = { 0 };
    account           a = { 1, "a@x.de", "1" };
    static corm_model again;
    assert_ok(corm_insert(db, &accounts, &a, { .error = &err }), err);
    again = accounts;
    assert_ok(corm_load(db, &again, &err), err);
    assert_int_equal(reservations(db), 0);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_value_is_refused),
        cmocka_unit_test(a_row_keeps_its_own_values),
        cmocka_unit_test(an_update_moves_the_reservation),
        cmocka_unit_test(a_delete_gives_the_values_back),
        cmocka_unit_test(rows_that_are_deleted_together_give_their_values_back),
        cmocka_unit_test(a_reservation_lives_as_long_as_its_row),
        cmocka_unit_test(other_conditions_are_held_on_the_row_found),
        cmocka_unit_test(exactly_one_of_many_writers_wins_each_value),
        cmocka_unit_test(a_crash_at_any_step_of_an_insert_is_survived),
        cmocka_unit_test(a_crash_at_any_step_of_an_update_is_survived),
        cmocka_unit_test(a_crash_at_any_step_of_a_delete_is_survived),
        cmocka_unit_test(an_unfinished_reservation_holds_until_its_lease_ends),
        cmocka_unit_test(a_writer_that_lost_its_lease_undoes_its_row),
        cmocka_unit_test(a_dropped_table_leaves_no_reservations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
