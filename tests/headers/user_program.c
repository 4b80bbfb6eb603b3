// SPDX-License-Identifier: MIT
#include "corm/corm.h"
#include <stdio.h>
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
    .table = "users", .row_size = sizeof(user),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(email), .unique = true, .validate = { .required = true, .email = true } },
        { COL(name), .validate = { .required = true, .min_length = 2 } },
        { COL(age) }, { COL(tags), .cql = "set<text>" }, { COL(score) },
        { COL(created_at), .generate = CORM_NEW_NOW },
    },
    .relations = { { "posts", CORM_HAS_MANY, .model = "posts", .foreign_key = "user_id" } },
};
#undef COL
int main(void) {
    corm_db   *db;
    corm_rows *rows;
    corm_error err = { 0 };
    if (corm_open(&db, "corm::memory:",
                  { .session = { .keyspace = "shop", .create_keyspace = true }, .error = &err }))
        return 1;
    user ada = { .email = "ada@example.com",
                 .name = "Ada",
                 .age = 36,
                 .tags = corm_set_of(corm_v("math"), corm_v("engines")) };
    if (corm_insert(db, &users, &ada, { .error = &err })) return printf("%s\n", err.message), 1;
    const char *mail = "ada@example.com";
    if (corm_find(db, &users, &rows,
                  { .where = { corm_eq("email", mail), corm_gte("age", 18),
                               corm_in("name", corm_v("Ada"), corm_v("Bo")) },
                    .limit = 10 }))
        return 1;
    for (CORM_EACH(user, u, rows)) printf("%s %d\n", u->name, u->age);
    corm_rows_free(rows);
    if (corm_find(db, &users, &rows, { 0 })) return 1;
    corm_rows_free(rows);
    corm_db_close(db);
    return 0;
}
