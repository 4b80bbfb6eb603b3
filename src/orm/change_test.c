// SPDX-License-Identifier: MIT
/* Collections and counters changed where they are, and rows deleted by conditions of scopes, on the door that is tested. */
#include <string.h>

#include "orm/orm_for_tests.h"

typedef struct post {
    int32_t        id;
    char          *title;
    corm_set       tags;
    corm_list      notes;
    corm_map       likes;
    corm_value     home;
    corm_timestamp changed_at;
} post;

#define COL(member) CORM_COLUMN(post, member)
static const corm_model posts = {
    .table = "posts",
    .row_size = sizeof(post),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(title), .validate = { .required = true, .max_length = 10 } },
                { COL(tags) },
                { COL(notes), .cql = "list<int>" },
                { COL(likes), .cql = "map<text, int>" },
                { COL(home), .cql = "address" },
                { COL(changed_at), .generate = CORM_EACH_NOW } },
};
#undef COL

typedef struct hit {
    corm_timestamp day;
    char          *page;
    int64_t        views, clicks;
} hit;

#define COL(member) CORM_COLUMN(hit, member)
static const corm_model hits = {
    .table = "hits",
    .row_size = sizeof(hit),
    .fields = { { COL(page), .key = CORM_PARTITION },
                { COL(day), .key = CORM_CLUSTERING },
                { COL(views), .cql = "counter" },
                { COL(clicks), .cql = "counter" } },
};
#undef COL

static corm_db *open_posts(void) {
    corm_error err = { 0 };
    corm_db   *db = open_db();
    run(db, "CREATE TYPE IF NOT EXISTS address (street text, town text)");
    post p = { .id = 1, .title = "one" };
    assert_ok(corm_insert(db, &posts, &p, { .error = &err }), err);
    return db;
}

static corm_rows *find_post(corm_db *db, post **out) {
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &posts, &rows, { .where = { corm_eq("id", 1) }, .error = &err }), err);
    *out = corm_rows_first(rows);
    assert_non_null(*out);
    return rows;
}

static void change(corm_db *db, corm_change_options options) {
    corm_error err = { 0 };
    post       p = { .id = 1, .title = "not written" };
    options.error = &err;
    assert_ok(corm_change_with(db, &posts, &p, &options), err);
    assert_true(p.changed_at.ms > 0);
}

static void collections_are_changed_where_they_are(void **state) {
    (void)state;
    corm_db *db = open_posts();
    post    *p;
    change(db, (corm_change_options){ .edits = { corm_add("tags", "a"), corm_append("notes", 2),
                                                 corm_put("likes", "ada", 1) } });
    change(db, (corm_change_options){
                   .edits = { corm_add_all("tags", corm_set_of(corm_v("b"), corm_v("c"))),
                              corm_prepend("notes", 1),
                              corm_add_all("likes", corm_map_of(corm_v("bob"), corm_v(2),
                                                                corm_v("eva"), corm_v(3))) } });
    change(db, (corm_change_options){
                   .edits = { corm_remove("tags", "a"),
                              corm_append_all("notes", corm_list_of(corm_v(3), corm_v(3))),
                              corm_remove("likes", "bob") } });
    corm_rows *rows = find_post(db, &p);
    assert_string_equal(p->title, "one");
    assert_int_equal(p->tags.count, 2);
    assert_true(corm_set_has(&p->tags, "b") && corm_set_has(&p->tags, "c"));
    assert_int_equal(p->notes.count, 4);
    assert_int_equal(p->notes.items[0].as.i32, 1);
    assert_int_equal(p->notes.items[3].as.i32, 3);
    assert_int_equal(p->likes.count, 2);
    assert_null(corm_map_get(&p->likes, "bob"));
    corm_rows_free(rows);
    change(db, (corm_change_options){ .edits = { corm_put("notes", 0, 9), corm_drop("tags", "b"),
                                                 corm_drop("likes", "ada") } });
    change(db,
           (corm_change_options){ .edits = { corm_drop("notes", 1),
                                             corm_remove_all("tags", corm_set_of(corm_v("c"))) } });
    change(db, (corm_change_options){ .edits = { corm_put_field("home", "street", "High Street"),
                                                 corm_assign("title", "two") } });
    rows = find_post(db, &p);
    assert_string_equal(p->title, "two");
    assert_int_equal(p->notes.count, 3);
    assert_int_equal(p->notes.items[0].as.i32, 9);
    assert_int_equal(p->notes.items[1].as.i32, 3);
    assert_null(p->tags.items);
    assert_int_equal(p->likes.count, 1);
    assert_text(p->home.as.items.items[0].as.text, "High Street");
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_change_has_the_conditions_and_the_ttl_of_an_update(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_posts();
    post       p = { .id = 1 };
    assert_status(corm_change(db, &posts, &p,
                              { .edits = { corm_add("tags", "x") },
                                .write = { .condition = { corm_eq("title", "other") } },
                                .error = &err }),
                  CORM_NOT_APPLIED);
    assert_ok(
        corm_change(db, &posts, &p,
                    { .edits = { corm_add("tags", "x") },
                      .write = { .condition = { corm_eq("title", "one") }, .ttl_seconds = 1000 },
                      .error = &err }),
        err);
    p.id = 99;
    assert_status(
        corm_change(
            db, &posts, &p,
            { .edits = { corm_add("tags", "x") }, .write = { .if_exists = true }, .error = &err }),
        CORM_NOT_APPLIED);
    corm_result *result;
    assert_ok(corm_execute(corm_db_session(db), "SELECT ttl(tags) FROM posts WHERE id = 1", &result,
                           { .error = &err }),
              err);
    corm_value ttl;
    assert_ok(corm_row_value(corm_result_next(result), 0, &ttl, &err), err);
    assert_int_equal(ttl.kind, CORM_LIST);
    assert_true(ttl.as.items.items[0].as.i32 > 900);
    corm_result_free(result);
    corm_db_close(db);
}

static void counters_are_incremented(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    hit        h = { .page = "/", .day = { 86400000 } };
    assert_ok(corm_change(db, &hits, &h,
                          { .edits = { corm_increment("views", 3), corm_decrement("clicks", 1) },
                            .error = &err }),
              err);
    assert_ok(
        corm_change(db, &hits, &h, { .edits = { corm_increment("views", 2) }, .error = &err }),
        err);
    corm_batch         *batch = corm_batch_new(corm_db_session(db), CORM_COUNTER_BATCH);
    corm_change_options more = { .edits = { corm_increment("clicks", 5) }, .error = &err };
    assert_ok(corm_batch_change(batch, db, &hits, &h, &more), err);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    corm_batch_free(batch);
    corm_rows *rows;
    assert_ok(corm_find(db, &hits, &rows, { .where = { corm_eq("page", "/") }, .error = &err }),
              err);
    hit *found = corm_rows_first(rows);
    assert_int_equal(found->views, 5);
    assert_int_equal(found->clicks, 4);
    corm_rows_free(rows);
    assert_status(
        corm_change(db, &hits, &h, { .edits = { corm_assign("views", 1) }, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

static void mistakes_in_changes_are_told(void **state) {
    (void)state;
    corm_db *db = open_posts();
    const struct {
        corm_edit   edit;
        const char *message;
    } cases[] = {
        { corm_add("notes", 1),
          "field 'notes': values are added to a set or a map that is not frozen" },
        { corm_add("likes", "x"),
          "field 'likes': an entry is put into a map by its key: corm_put" },
        { corm_append("tags", "x"),
          "field 'tags': values are appended to a list that is not frozen" },
        { corm_increment("notes", 1), "field 'notes': only a counter is incremented" },
        { corm_assign("id", 2), "field 'id': a key column does not change" },
        { corm_put_field("home", "city", "x"), "field 'home': the type has no such field" },
        { { .column = "tags", .kind = CORM_EDIT_ADD, .one = true },
          "field 'tags': the change has no value" },
        { { .column = "likes", .kind = CORM_EDIT_DROP }, "field 'likes': the change has no key" },
        { corm_add("tgas", "x"), "did you mean 'tags'?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_error err = { 0 };
        post       p = { .id = 1 };
        assert_status(corm_change(db, &posts, &p, { .edits = { cases[i].edit }, .error = &err }),
                      CORM_INVALID_ARGUMENT);
        if (!strstr(err.message, cases[i].message)) fail_msg("%s", err.message);
    }
    corm_error err = { 0 };
    post       p = { .id = 1 };
    assert_status(corm_change(db, &posts, &p, { .error = &err }), CORM_INVALID_ARGUMENT);
    assert_status(
        corm_change(db, &posts, &p,
                    { .edits = { corm_assign("title", "much too long a title") }, .error = &err }),
        CORM_VALIDATION);
    assert_status(corm_change(db, &posts, &p, { .edits = { corm_add("tags", 5) }, .error = &err }),
                  CORM_CONVERSION);
    corm_db_close(db);
}

/* ---- delete_where ---- */

typedef struct job {
    int32_t            queue, id;
    char              *state;
    corm_opt_timestamp gone;
} job;

#define COL(member) CORM_COLUMN(job, member)
static const corm_scope job_scopes[] = {
    { "done", .find = { .where = { CORM_TERM("state", CORM_EQ, CORM_STATIC_TEXT("done")) },
                        .allow_filtering = true } },
    { .name = NULL },
};
static const corm_model jobs = {
    .table = "jobs",
    .row_size = sizeof(job),
    .fields = { { COL(queue), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(state) } },
    .scopes = job_scopes,
};
static const corm_model soft_jobs = {
    .table = "soft_jobs",
    .row_size = sizeof(job),
    .fields = { { COL(queue), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(state) },
                { COL(gone), .role = CORM_DELETED_AT } },
    .scopes = job_scopes,
};
#undef COL

static uint64_t count_jobs(corm_db *db, const corm_model *model, bool all) {
    corm_error err = { 0 };
    uint64_t   count;
    assert_ok(corm_count(db, model, &count,
                         { .where = { corm_eq("queue", 1) }, .with_deleted = all, .error = &err }),
              err);
    return count;
}

static void rows_of_a_scope_are_deleted(void **state) {
    (void)state;
    corm_error              err = { 0 };
    corm_db                *db = open_db();
    const corm_model *const models[] = { &jobs, &soft_jobs };
    for (int m = 0; m < 2; m++) {
        for (int32_t i = 0; i < 10; i++) {
            job j = { .queue = 1, .id = i, .state = i % 2 ? "done" : "open" };
            assert_ok(corm_insert(db, models[m], &j, { .error = &err }), err);
        }
        assert_ok(corm_delete_where(db, models[m],
                                    { .where = { corm_eq("queue", 1), corm_lt("id", 6) },
                                      .scope = { "done" },
                                      .error = &err }),
                  err);
        assert_int_equal(count_jobs(db, models[m], false), 7);
    }
    assert_int_equal(count_jobs(db, &soft_jobs, true), 10);
    assert_ok(corm_delete_where(db, &soft_jobs,
                                { .where = { corm_eq("queue", 1) },
                                  .only_deleted = true,
                                  .force = true,
                                  .error = &err }),
              err);
    assert_int_equal(count_jobs(db, &soft_jobs, true), 7);
    assert_ok(
        corm_delete_where(db, &soft_jobs,
                          { .where = { corm_eq("queue", 1), corm_gte("id", 7) }, .error = &err }),
        err);
    assert_int_equal(count_jobs(db, &soft_jobs, false), 4);
    assert_ok(corm_delete_where(db, &soft_jobs,
                                { .where = { corm_eq("queue", 1) }, .force = true, .error = &err }),
              err);
    assert_int_equal(count_jobs(db, &soft_jobs, true), 0);
    job last = { .queue = 2, .id = 1, .state = "open" };
    assert_ok(corm_insert(db, &soft_jobs, &last, { .error = &err }), err);
    assert_ok(corm_delete(db, &soft_jobs, &last, { .error = &err }), err);
    assert_status(corm_delete_where(db, &soft_jobs, { .force = true, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_ok(
        corm_delete_where(db, &soft_jobs, { .only_deleted = true, .force = true, .error = &err }),
        err);
    uint64_t left;
    assert_ok(corm_count(db, &soft_jobs, &left, { .with_deleted = true, .error = &err }), err);
    assert_int_equal(left, 0);
    corm_db_close(db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(collections_are_changed_where_they_are),
    cmocka_unit_test(a_change_has_the_conditions_and_the_ttl_of_an_update),
    cmocka_unit_test(counters_are_incremented),
    cmocka_unit_test(mistakes_in_changes_are_told),
    cmocka_unit_test(rows_of_a_scope_are_deleted),
};

int main(void) {
    UNUSED_HELPERS();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
