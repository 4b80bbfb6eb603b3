// SPDX-License-Identifier: MIT
/* orm_for_tests.h -- a mapper over an empty keyspace of the door that is tested, and the model that most tests use. */
#ifndef ORM_FOR_TESTS_H
#define ORM_FOR_TESTS_H

#include "corm/db.h"
#include "testing/doors.h"

typedef struct user {
    corm_uuid      id;
    char          *email;
    char           name[64];
    int32_t        age;
    corm_set       tags;
    corm_opt_int   score;
    corm_timestamp created_at;
} user;

#define COL(member) CORM_COLUMN(user, member)
static const corm_model users = {
    .table = "users",
    .row_size = sizeof(user),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(email), .unique = true, .validate = { .required = true, .email = true } },
        { COL(name), .validate = { .required = true, .min_length = 2 } },
        { COL(age) },
        { COL(tags), .cql = "set<text>" },
        { COL(score) },
        { COL(created_at), .generate = CORM_NEW_NOW },
    },
};
#undef COL

static inline corm_db *open_db_with(corm_db_options options) {
    corm_db   *db = NULL;
    corm_error err = { 0 };
    options.session.keyspace = "shop";
    options.session.create_keyspace = true;
    options.error = &err;
    assert_ok(corm_db_open(&db, testing__fresh("shop"), &options), err);
    return db;
}

static inline corm_db *open_db(void) {
    return open_db_with((corm_db_options){ .unique_lease_ms = 0 });
}

static inline void run(corm_db *db, const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(corm_db_session(db), cql, NULL, { .error = &err }), err);
}

/* Every test's program says which helpers it has no use for. */
#define UNUSED_HELPERS() (void)users, (void)open_db, (void)run

#endif
