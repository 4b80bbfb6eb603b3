// SPDX-License-Identifier: MIT
/* The mapper over a session with middleware, on every door. */
#include "corm/middleware.h"

#include <stdatomic.h>

#include "corm/db.h"
#include "testing/doors.h"

typedef struct user {
    int32_t id;
    char    email[32];
} user;

#define COL(member) CORM_COLUMN(user, member)
static const corm_model users = {
    .table = "mw_users",
    .row_size = sizeof(user),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(email), .unique = true } },
};
#undef COL

static void released(void *context) {
    ++*(int *)context;
}

static void count_end(corm_request *request, void *context) {
    (void)request;
    atomic_fetch_add((atomic_int *)context, 1);
}

static void a_mapper_works_over_it(void **state) {
    (void)state;
    atomic_int      count = 0;
    int             gone = 0;
    corm_error      err = { 0 };
    corm_middleware list[] = {
        { .name = "count", .end = count_end, .context = &count },
        { .name = "gone", .release = released, .context = &gone },
        { 0 },
    };
    corm_db        *db = NULL;
    corm_db_options options = {
        .session = { .keyspace = "mw", .create_keyspace = true, .middleware = list }, .error = &err
    };
    assert_ok(corm_db_open(&db, testing__fresh("mw"), &options), err);
    user       u = { 1, "ada@x.de" };
    corm_rows *rows;
    assert_ok(corm_insert(db, &users, &u, { .error = &err }), err);
    int before = count;
    assert_ok(corm_find(db, &users, &rows, { .where = { corm_eq("id", 1) }, .error = &err }), err);
    assert_string_equal(((user *)corm_rows_first(rows))->email, "ada@x.de");
    assert_true(count > before);
    corm_rows_free(rows);
    assert_int_equal(gone, 0);
    corm_db_close(db);
    assert_int_equal(gone, 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_mapper_works_over_it),
};

RUN_TESTS()
