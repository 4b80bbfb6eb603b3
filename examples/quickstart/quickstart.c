// SPDX-License-Identifier: MIT
/* quickstart.c -- a struct becomes a table: written, found, changed and deleted, in a store in
 * memory.
 *
 * "corm:./shop" instead of "corm::memory:" keeps it in a folder. */
#include <corm/corm.h>
#include <stdio.h>

typedef struct user {
    corm_uuid      id;
    char          *email;
    char           name[64];
    int32_t        age;
    corm_set       tags;
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
        { COL(age), .validate = { .has_min = true, .min = 0 } },
        { COL(tags) },
        { COL(created_at), .generate = CORM_NEW_NOW },
    },
};
#undef COL

static int failed(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(err->status), err->message);
    return 1;
}

static int find_ada(corm_db *db, corm_error *err) {
    const char *email = "ada@example.com";
    corm_rows  *rows;
    if (corm_find(db, &users, &rows, { .where = { corm_eq("email", email) }, .error = err })) {
        return failed("find", err);
    }
    for (CORM_EACH(user, u, rows))
        printf("%s is %d and has %u tags\n", u->name, u->age, u->tags.count);
    corm_rows_free(rows);
    return 0;
}

static int use(corm_db *db) {
    corm_error err = { 0 };
    user       ada = { .email = "ada@example.com",
                       .name = "Ada",
                       .age = 36,
                       .tags = corm_set_of(corm_v("math"), corm_v("engines")) };
    if (corm_insert(db, &users, &ada, { .error = &err })) return failed("insert", &err);
    if (find_ada(db, &err)) return 1;

    ada.age++;
    if (corm_update(db, &users, &ada, { .only = { "age" }, .error = &err }))
        return failed("update", &err);
    if (find_ada(db, &err)) return 1;

    user        eve = { .email = "ada@example.com", .name = "Eve" };
    corm_status status = corm_insert(db, &users, &eve, { .error = &err });
    printf("%s: %s\n", corm_status_name(status), err.message);

    user nobody = { .email = "nobody", .name = "N", .age = -1 };
    status = corm_insert(db, &users, &nobody, { .error = &err });
    printf("%s: %s\n", corm_status_name(status), err.message);

    uint64_t count;
    if (corm_delete(db, &users, &ada, { .error = &err })) return failed("delete", &err);
    if (corm_count(db, &users, &count, { .error = &err })) return failed("count", &err);
    printf("%llu users are left\n", (unsigned long long)count);
    return 0;
}

int main(void) {
    corm_db   *db;
    corm_error err = { 0 };
    if (corm_open(&db, "corm::memory:",
                  { .session = { .keyspace = "shop", .create_keyspace = true }, .error = &err })) {
        return failed("open", &err);
    }
    int status = use(db);
    corm_db_close(db);
    return status;
}
