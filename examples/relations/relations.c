// SPDX-License-Identifier: MIT
/* relations.c -- users with posts and a profile: read together, related, moved in a query table, deleted together. Then ten
 * thousand users at once, with the time it takes.
 *
 * "corm:./blog" instead of "corm::memory:" keeps it in a folder; "cassandra://host/blog" asks a cluster. */
#include <corm/corm.h>
#include <stdio.h>
#include <time.h>

typedef struct user {
    corm_uuid id;
    char     *name;
} user;

typedef struct post {
    corm_uuid id, user_id;
    char     *title, *state;
} post;

typedef struct profile {
    corm_uuid user_id;
    char     *motto;
} profile;

/* Who has posts asks for them by user: a copy of each post under that key. */
#define COL(member) CORM_COLUMN(post, member)
static const corm_model posts = {
    .table = "posts",
    .row_size = sizeof(post),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(user_id) },
        { COL(title), .validate = { .required = true } },
        { COL(state) },
    },
    .query_tables = (const corm_query_table[]){
        { .table = "posts_by_user", .partition_key = "user_id", .clustering_key = "title, id" },
        { .table = "posts_by_state", .partition_key = "state", .clustering_key = "id" },
        { .table = NULL },
    },
};
#undef COL

#define COL(member) CORM_COLUMN(profile, member)
static const corm_model profiles = {
    .table = "profiles",
    .row_size = sizeof(profile),
    .fields = { { COL(user_id), .key = CORM_PARTITION }, { COL(motto) } },
};
#undef COL

#define COL(member) CORM_COLUMN(user, member)
static const corm_model users = {
    .table = "users",
    .row_size = sizeof(user),
    .fields = {
        { COL(id), .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
        { COL(name), .validate = { .required = true } },
    },
    .relations = {
        { .name = "posts", .kind = CORM_HAS_MANY, .to = &posts, .foreign_key = "user_id",
          .on_delete = CORM_DELETE_CASCADES },
        { .name = "profile", .kind = CORM_HAS_ONE, .to = &profiles, .foreign_key = "user_id",
          .on_delete = CORM_DELETE_CASCADES },
    },
};
#undef COL

static int failed(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(err->status), err->message);
    return 1;
}

/* ---- the program of the specification ---- */

static int populate(corm_db *db) {
    corm_error err = { 0 };
    corm_rows *rows;
    if (corm_query(db, &users, "SELECT * FROM users LIMIT 10", &rows, { .error = &err })) {
        return failed("query", &err);
    }
    if (corm_populate(rows, &err, "posts", "profile")) {
        corm_rows_free(rows);
        return failed("populate", &err);
    }
    for (CORM_EACH(user, u, rows)) {
        corm_related found = corm_related_to(rows, u, "posts");
        profile     *about = corm_related_one(rows, u, "profile");
        printf("%s (%s) has %u posts:", u->name, about ? about->motto : "no motto", found.count);
        for (CORM_EACH_RELATED(post, p, found)) printf(" %s", p->title);
        printf("\n");
    }
    corm_rows_free(rows);
    return 0;
}

/* ---- filtered, ordered, limited; found by another key ---- */

static int find(corm_db *db, const char *state) {
    corm_error   err = { 0 };
    corm_rows   *rows;
    corm_include newest[] = {
        { .name = "posts",
          .where = { corm_eq("state", state) },
          .order_by = { { "title", .descending = true } },
          .limit = 2 },
        { .name = NULL },
    };
    if (corm_find(db, &users, &rows, { .includes = newest, .error = &err })) {
        return failed("find users", &err);
    }
    for (CORM_EACH(user, u, rows)) {
        printf("of %s:", u->name);
        for (CORM_EACH_RELATED(post, p, corm_related_to(rows, u, "posts"))) printf(" %s", p->title);
        printf("\n");
    }
    corm_rows_free(rows);
    if (corm_find(db, &posts, &rows, { .where = { corm_eq("state", state) }, .error = &err })) {
        return failed("find posts", &err);
    }
    printf("%u posts are %s\n", corm_rows_count(rows), state);
    corm_rows_free(rows);
    return 0;
}

static int change(corm_db *db, user *ada, post *note) {
    corm_error err = { 0 };
    note->state = "public";
    if (corm_update(db, &posts, note, { .only = { "state" }, .error = &err })) {
        return failed("update", &err);
    }
    if (corm_unrelate(db, &users, ada, "posts", note, &err)) return failed("unrelate", &err);
    if (corm_relate(db, &users, ada, "posts", note, &err)) return failed("relate", &err);
    if (find(db, "public")) return 1;
    corm_query_table_report report;
    if (corm_query_table_check(db, &posts, "posts_by_user", { .report = &report, .error = &err })) {
        return failed("check", &err);
    }
    printf("posts_by_user: %llu rows, %llu wrong\n", (unsigned long long)report.rows,
           (unsigned long long)(report.missing + report.different + report.orphans));
    return 0;
}

static int use(corm_db *db) {
    corm_error err = { 0 };
    user       ada = { .name = "Ada" };
    post       note = { .title = "Notes", .state = "draft" };
    post       engine = { .title = "Engines", .state = "public" };
    if (corm_insert(db, &users, &ada, { .error = &err })) return failed("insert", &err);
    profile about = { .motto = "it weaves patterns" };
    if (corm_relate(db, &users, &ada, "profile", &about, &err)) return failed("relate", &err);
    note.user_id = engine.user_id = ada.id;
    if (corm_insert(db, &posts, &note, { .error = &err })) return failed("insert", &err);
    if (corm_insert(db, &posts, &engine, { .error = &err })) return failed("insert", &err);
    if (populate(db) || change(db, &ada, &note)) return 1;
    if (corm_delete(db, &users, &ada, { .error = &err })) return failed("delete", &err);
    uint64_t left = 1;
    if (corm_count(db, &posts, &left, { .error = &err })) return failed("count", &err);
    printf("%llu posts are left\n", (unsigned long long)left);
    return left != 0;
}

/* ---- ten thousand at once ---- */

enum { MANY = 10000, BATCH = 100, ROUNDS = 20 };

static int fill(corm_db *db, corm_batch *batch) {
    corm_error err = { 0 };
    for (int i = 0; i < MANY; i++) {
        user    u = { .name = "somebody" };
        profile p = { .motto = "something" };
        post    t = { .title = "a title", .state = "public" };
        if (corm_batch_insert(batch, db, &users, &u, NULL)) return 1;
        p.user_id = t.user_id = u.id;
        if (corm_batch_insert(batch, db, &profiles, &p, NULL)) return 1;
        if (corm_batch_insert(batch, db, &posts, &t, NULL)) return 1;
        if ((i + 1) % BATCH != 0) continue;
        if (corm_batch_run(batch, NULL, &err)) return failed("batch", &err);
        corm_batch_clear(batch);
    }
    return 0;
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int measure(corm_db *db) {
    corm_error err = { 0 };
    corm_rows *rows;
    double     best = 1e9;
    clock_t    work = clock();
    if (corm_find(db, &users, &rows, { .error = &err })) return failed("find", &err);
    for (int round = 0; round < ROUNDS; round++) {
        double before = seconds();
        if (corm_populate(rows, &err, "posts", "profile")) return failed("populate", &err);
        if (seconds() - before < best) best = seconds() - before;
    }
    corm_populated cost = corm_rows_populated(rows);
    printf("%u users: %llu related rows in %llu passes, %llu statements\n", corm_rows_count(rows),
           (unsigned long long)cost.rows, (unsigned long long)cost.passes,
           (unsigned long long)cost.requests);
    double processor = (double)(clock() - work) / CLOCKS_PER_SEC / ROUNDS;
    fprintf(stderr, "the best of %d took %.1f ms; each %.1f ms of the processor\n", ROUNDS,
            best * 1e3, processor * 1e3);
    corm_rows_free(rows);
    return 0;
}

int main(void) {
    corm_db   *db;
    corm_error err = { 0 };
    if (corm_open(&db, "corm::memory:",
                  { .session = { .keyspace = "blog", .create_keyspace = true }, .error = &err })) {
        return failed("open", &err);
    }
    int         status = use(db);
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    if (status == 0) status = fill(db, batch);
    corm_batch_free(batch);
    if (status == 0) status = measure(db);
    corm_db_close(db);
    return status;
}
