// SPDX-License-Identifier: MIT
/* Every kind of call of the mapper, as a user writes it. */
#include "corm/corm.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct post {
    int32_t        author;
    corm_uuid      id;
    const char    *title;
    corm_opt_int   stars;
    corm_map       counts;
    corm_timestamp changed;
} post;

#define COL(member) CORM_COLUMN(post, member)
static const corm_model posts = {
    .table = "posts", .row_size = sizeof(post),
    .fields = {
        { COL(author), .key = CORM_PARTITION },
        { COL(id), .key = CORM_CLUSTERING_DESC, .generate = CORM_NEW_TIMEUUID },
        { COL(title), .validate = { .required = true, .max_length = 80 } },
        { COL(stars) },
        { COL(counts), .cql = "map<text, int>" },
        { COL(changed), .generate = CORM_EACH_NOW },
    },
    .relations = { { "author", CORM_BELONGS_TO, .model = "users", .foreign_key = "author" } },
    .options = { .comment = "what users write" },
};
#undef COL

#define TRY(call)                                                                                  \
    do {                                                                                           \
        if ((call) != CORM_OK) return printf("%s: %s\n", #call, err.message), 1;                   \
    } while (0)

int main(void) {
    corm_db        *db;
    corm_rows      *rows;
    corm_error      err = { 0 };
    corm_violations violations;
    uint64_t        count;
    bool            exists;
    char           *plan = NULL;
    TRY(corm_open(&db, "corm::memory:",
                  { .session = { .keyspace = "blog", .create_keyspace = true }, .error = &err }));
    TRY(corm_plan(db, &posts, CORM_MIGRATION_SAFE, &plan, &err));
    free(plan);
    TRY(corm_load(db, &posts, &err));
    post p = { .author = 1,
               .title = "One",
               .stars = { CORM_PRESENT, 3 },
               .counts = corm_map_of(corm_v("read"), corm_v(1)) };
    TRY(corm_insert(db, &posts, &p, { .error = &err }));
    TRY(corm_update(
        db, &posts, &p,
        { .only = { "title" }, .null = { "stars" }, .ttl_seconds = 60, .error = &err }));
    TRY(corm_update(db, &posts, &p, { .condition = { corm_eq("title", "One") }, .error = &err }));
    TRY(corm_save(db, &posts, &p, { .error = &err }));
    TRY(corm_upsert(db, &posts, &p, { .error = &err }));
    post empty = { .author = 1 };
    if (corm_insert(db, &posts, &empty, { .violations = &violations }) != CORM_VALIDATION) return 1;
    TRY(corm_find(db, &posts, &rows,
                  { .where = { corm_eq("author", 1) },
                    .order_by = { { .column = "title" } },
                    .error = &err }));
    for (CORM_EACH(post, each, rows))
        printf("%s %d\n", each->title, corm_map_get(&each->counts, "read")->as.i32);
    corm_rows_free(rows);
    corm_value key[] = { corm_v(1), corm_v(p.id) };
    TRY(corm_find_key(db, &posts, &rows, key, 2, &err));
    corm_rows_free(rows);
    TRY(corm_find_one(
        db, &posts, &rows,
        { .where = { corm_eq("author", 1), corm_not_null("stars") }, .error = &err }));
    corm_rows_free(rows);
    TRY(corm_count(db, &posts, &count, { .where = { corm_eq("author", 1) }, .error = &err }));
    TRY(corm_exists(db, &posts, &exists, { .where = { corm_eq("author", 2) }, .error = &err }));
    TRY(corm_query(db, &posts, "SELECT title FROM posts WHERE author = ?", &rows,
                   { .values = { corm_v(1) }, .error = &err }));
    corm_rows_free(rows);
    TRY(corm_delete_where(db, &posts, { .where = { corm_eq("author", 1) }, .error = &err }));
    TRY(corm_delete(db, &posts, &p, { .error = &err }));
    corm_db_close(db);
    return count == 1 && !exists ? 0 : 1;
}
