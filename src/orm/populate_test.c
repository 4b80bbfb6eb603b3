// SPDX-License-Identifier: MIT
#include "orm/blog_for_tests.h"

#include <stdio.h>
#include <stdlib.h>

#define COL(member) CORM_COLUMN(author, member)
const corm_model authors = {
    .table = "authors",
    .row_size = sizeof(author),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) }, { COL(nick), .unique = true } },
    .relations = { { .name = "posts",
                     .kind = CORM_HAS_MANY,
                     .to = &posts,
                     .foreign_key = "author_id" },
                   { .name = "profile",
                     .kind = CORM_HAS_ONE,
                     .to = &profiles,
                     .foreign_key = "author_id" },
                   { .name = "teams",
                     .kind = CORM_MANY_TO_MANY,
                     .to = &teams,
                     .through_model = &memberships,
                     .foreign_key = "author_id",
                     .other_key = "team_id" } },
};
#undef COL
#define COL(member) CORM_COLUMN(profile, member)
const corm_model profiles = {
    .table = "profiles",
    .row_size = sizeof(profile),
    .fields = { { COL(author_id), .key = CORM_PARTITION }, { COL(text) } },
};
#undef COL
#define COL(member) CORM_COLUMN(post, member)
const corm_model posts = {
    .table = "posts",
    .row_size = sizeof(post),
    .fields = { { COL(author_id), .key = CORM_PARTITION },
                { COL(at), .key = CORM_CLUSTERING_DESC },
                { COL(title) },
                { COL(likes) },
                { COL(section) } },
    .relations = { { .name = "author",
                     .kind = CORM_BELONGS_TO,
                     .to = &authors,
                     .foreign_key = "author_id" },
                   { .name = "section",
                     .kind = CORM_BELONGS_TO,
                     .model = "sections",
                     .foreign_key = "section" },
                   { .name = "comments",
                     .kind = CORM_HAS_MANY,
                     .to = &comments,
                     .foreign_key = "author_id, post_at" } },
};
#undef COL
#define COL(member) CORM_COLUMN(comment, member)
const corm_model comments = {
    .table = "comments",
    .row_size = sizeof(comment),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(author_id) },
                { COL(post_at) },
                { COL(text) },
                { COL(by) } },
    .relations = { { .name = "writer",
                     .kind = CORM_BELONGS_TO,
                     .to = &authors,
                     .foreign_key = "by",
                     .references = "nick" } },
    .query_tables =
        (const corm_query_table[]){
            { .table = "comments_by_post",
              .partition_key = "author_id, post_at",
              .clustering_key = "id" },
            { .table = NULL },
        },
};
#undef COL
#define COL(member) CORM_COLUMN(section, member)
const corm_model sections = {
    .table = "sections",
    .row_size = sizeof(section),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
};
#undef COL
#define COL(member) CORM_COLUMN(membership, member)
const corm_model memberships = {
    .table = "memberships",
    .row_size = sizeof(membership),
    .fields = { { COL(author_id), .key = CORM_PARTITION },
                { COL(team_id), .key = CORM_CLUSTERING } },
};
#undef COL
#define COL(member) CORM_COLUMN(team, member)
const corm_model teams = {
    .table = "teams",
    .row_size = sizeof(team),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
};
#undef COL

static void load_all(corm_db *db) {
    corm_error              err = { 0 };
    const corm_model *const all[] = { &sections, &teams,    &memberships, &profiles,
                                      &authors,  &comments, &posts };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_ok(corm_load(db, all[i], &err), err);
}

/* Authors 1 to 3: 1 has posts 1, 2, 3, a profile, teams 7 and 8; 2 has post 1 and team 7; 3 has nothing. */
static corm_db *open_blog(void) {
    corm_db *db = open_db();
    UNUSED_HELPERS();
    load_all(db);
    run(db, "INSERT INTO sections (id, name) VALUES (5, 'news')");
    for (int i = 1; i <= 3; i++) {
        author     a = { i,
                     i == 1   ? "Ada"
                         : i == 2 ? "Bob"
                                  : "Cyd",
                     i == 1   ? "ada"
                         : i == 2 ? "bob"
                                  : "cyd" };
        corm_error err = { 0 };
        assert_ok(corm_insert(db, &authors, &a, { .error = &err }), err);
    }
    run(db, "INSERT INTO profiles (author_id, text) VALUES (1, 'hello')");
    run(db, "INSERT INTO posts (author_id, at, title, likes, section) VALUES (1, 1, 'a', 9, 5)");
    run(db, "INSERT INTO posts (author_id, at, title, likes) VALUES (1, 2, 'b', 7)");
    run(db, "INSERT INTO posts (author_id, at, title, likes, section) VALUES (1, 3, 'c', 8, 6)");
    run(db, "INSERT INTO posts (author_id, at, title, section) VALUES (2, 1, 'd', 5)");
    run(db, "INSERT INTO teams (id, name) VALUES (7, 'seven')");
    run(db, "INSERT INTO teams (id, name) VALUES (8, 'eight')");
    run(db, "INSERT INTO memberships (author_id, team_id) VALUES (1, 7)");
    run(db, "INSERT INTO memberships (author_id, team_id) VALUES (1, 8)");
    run(db, "INSERT INTO memberships (author_id, team_id) VALUES (2, 7)");
    run(db, "INSERT INTO memberships (author_id, team_id) VALUES (2, 99)");
    return db;
}

static author *author_of(const corm_rows *rows, int32_t id) {
    for (CORM_EACH(author, a, rows)) {
        if (a->id == id) return a;
    }
    fail_msg("there is no author %d", (int)id);
    return NULL;
}

/* The titles of a parent's posts, in order: "cba". */
static const char *titles(const corm_rows *rows, const void *row) {
    static char  text[64];
    corm_related related = corm_related_to(rows, row, "posts");
    size_t       len = 0;
    for (CORM_EACH_RELATED(post, p, related)) text[len++] = p->title[0];
    text[len] = '\0';
    return text;
}

static void every_parent_gets_its_rows_in_the_order_of_the_store(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &authors, &rows, { .include = { "posts", "profile" }, .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 3);
    assert_string_equal(titles(rows, author_of(rows, 1)), "cba");
    assert_string_equal(titles(rows, author_of(rows, 2)), "d");
    assert_string_equal(titles(rows, author_of(rows, 3)), "");
    profile *p = corm_related_one(rows, author_of(rows, 1), "profile");
    assert_non_null(p);
    assert_string_equal(p->text, "hello");
    assert_null(corm_related_one(rows, author_of(rows, 2), "profile"));
    assert_null(corm_related_one(rows, author_of(rows, 2), "never read"));
    assert_int_equal(corm_rows_populated(rows).passes, 2);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void one_row_that_many_belong_to_is_read_once(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &posts, &rows, { .include = { "section", "author" }, .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 4);
    uint32_t with = 0;
    for (CORM_EACH(post, p, rows)) {
        section *s = corm_related_one(rows, p, "section");
        author  *a = corm_related_one(rows, p, "author");
        assert_non_null(a);
        assert_int_equal(a->id, p->author_id);
        assert_true(!s || s->id == 5);
        with += s != NULL;
        assert_true(s ? p->section.value == 5 : p->section.value != 5);
    }
    assert_int_equal(with, 2);
    corm_populated cost = corm_rows_populated(rows);
    assert_int_equal(cost.keys, 4); /* sections 5 and 6, authors 1 and 2; null is no key */
    assert_int_equal(cost.rows, 3);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void add_comment(corm_db *db, int32_t id, int32_t author_id, int32_t at, char *by) {
    corm_error err = { 0 };
    comment    c = { id, author_id, at, "x", by };
    assert_ok(corm_insert(db, &comments, &c, { .error = &err }), err);
}

static void nested_relations_are_read_for_all_rows_of_their_level(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    add_comment(db, 1, 1, 1, "bob");
    add_comment(db, 2, 1, 1, "cyd");
    add_comment(db, 3, 1, 2, "nobody");
    add_comment(db, 4, 2, 1, "ada");
    assert_ok(
        corm_find(db, &authors, &rows, { .include = { "posts.comments.writer" }, .error = &err }),
        err);
    corm_related of = corm_related_to(rows, author_of(rows, 1), "posts");
    assert_int_equal(of.count, 3);
    post        *first = (post *)of.first + 2; /* at = 1 */
    corm_related two = corm_related_to(of.rows, first, "comments");
    assert_int_equal(two.count, 2);
    comment *c = two.first;
    assert_int_equal(c[0].id, 1);
    assert_int_equal(c[1].id, 2);
    author *writer = corm_related_one(two.rows, &c[1], "writer");
    assert_non_null(writer);
    assert_string_equal(writer->name, "Cyd");
    corm_related none = corm_related_to(of.rows, of.first, "comments");
    assert_int_equal(none.count, 0);
    corm_related third = corm_related_to(of.rows, (post *)of.first + 1, "comments");
    assert_int_equal(third.count, 1);
    assert_null(corm_related_one(third.rows, third.first, "writer"));
    assert_int_equal(corm_rows_populated(rows).passes, 3);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void many_to_many_goes_through_the_table_between(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &authors, &rows, { .include = { "teams" }, .error = &err }), err);
    corm_related of = corm_related_to(rows, author_of(rows, 1), "teams");
    assert_int_equal(of.count, 2);
    assert_string_equal(((team *)of.first)[0].name, "seven");
    assert_string_equal(((team *)of.first)[1].name, "eight");
    of = corm_related_to(rows, author_of(rows, 2), "teams");
    assert_int_equal(of.count, 1); /* team 99 does not exist */
    assert_string_equal(((team *)of.first)->name, "seven");
    assert_int_equal(corm_related_to(rows, author_of(rows, 3), "teams").count, 0);
    corm_include by_name[] = {
        { .name = "teams", .order_by = { { "name", false } }, .limit = 1 },
        { .name = NULL },
    };
    assert_ok(corm_populate_with(rows, NULL, by_name, &err), err);
    of = corm_related_to(rows, author_of(rows, 1), "teams");
    assert_int_equal(of.count, 1);
    assert_string_equal(((team *)of.first)->name, "eight");
    corm_rows_free(rows);
    corm_db_close(db);
}

static void include(corm_db *db, const corm_include *one, const char *expected) {
    corm_error   err = { 0 };
    corm_rows   *rows;
    corm_include list[2] = { *one, { .name = NULL } };
    assert_ok(corm_find(db, &authors, &rows, { .includes = list, .error = &err }), err);
    assert_string_equal(titles(rows, author_of(rows, 1)), expected);
    corm_rows_free(rows);
}

static void includes_have_conditions_orders_and_limits_for_each_parent(void **state) {
    (void)state;
    corm_db *db = open_blog();
    include(db, &(corm_include){ .name = "posts", .limit = 2 }, "cb");
    include(db, &(corm_include){ .name = "posts", .where = { corm_gte("at", 2) } }, "cb");
    include(db, &(corm_include){ .name = "posts", .where = { corm_eq("at", 2) } }, "b");
    include(db, &(corm_include){ .name = "posts", .where = { corm_gt("likes", 7) } }, "ca");
    include(db, &(corm_include){ .name = "posts", .where = { corm_gt("likes", 7) }, .limit = 1 },
            "c");
    include(db, &(corm_include){ .name = "posts", .where = { corm_is_null("section") } }, "b");
    include(db, &(corm_include){ .name = "posts", .order_by = { { "at", false } } }, "abc");
    include(db, &(corm_include){ .name = "posts", .order_by = { { "at", false } }, .limit = 1 },
            "a");
    include(db, &(corm_include){ .name = "posts", .order_by = { { "likes", false } } }, "bca");
    include(db, &(corm_include){ .name = "posts", .order_by = { { "likes", true } }, .limit = 2 },
            "ac");
    include(db, &(corm_include){ .name = "posts", .select = { "title" } }, "cba");
    corm_db_close(db);
}

static void rows_of_any_select_are_populated(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(
        corm_query(db, &authors, "SELECT id, name FROM authors LIMIT 10", &rows, { .error = &err }),
        err);
    assert_ok(corm_populate(rows, &err, "posts", "profile"), err);
    assert_string_equal(titles(rows, author_of(rows, 1)), "cba");
    assert_non_null(corm_related_one(rows, author_of(rows, 1), "profile"));
    corm_rows_free(rows);
    assert_ok(corm_query(db, &authors, "SELECT name FROM authors", &rows, { .error = &err }), err);
    assert_int_equal(corm_populate(rows, &err, "posts"), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "without their column 'id'"));
    assert_int_equal(corm_populate(rows, &err, "post"), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'posts'?"));
    corm_rows_free(rows);
    corm_db_close(db);
}

static void selected_columns_of_parents_leave_the_keys_in(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &authors, &rows,
                        { .select = { "name" }, .include = { "posts" }, .error = &err }),
              err);
    assert_string_equal(titles(rows, author_of(rows, 1)), "cba");
    corm_rows_free(rows);
    corm_db_close(db);
}

static void no_parents_take_no_requests(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &authors, &rows,
                        { .where = { corm_eq("id", 77) },
                          .include = { "posts.comments", "teams" },
                          .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 0);
    assert_int_equal(corm_rows_populated(rows).requests, 0);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void an_error_names_the_relation_and_the_key(void **state) {
    (void)state;
    corm_db   *db = open_blog();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_find(db, &authors, &rows, { .include = { "profile" }, .error = &err }), err);
    run(db, "DROP TABLE profiles");
    assert_int_not_equal(corm_populate(rows, &err, "profile"), CORM_OK);
    assert_non_null(strstr(err.message, "model 'authors', relation 'profile', key "));
    assert_non_null(
        corm_related_one(rows, author_of(rows, 1), "profile")); /* what was read stays */
    corm_rows_free(rows);
    corm_db_close(db);
}

enum { MANY = 10000 };

static void fill_many(corm_db *db) {
    corm_error  err = { 0 };
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_UNLOGGED);
    for (int32_t i = 0; i < MANY; i++) {
        post    p = { .author_id = i, .at = 1, .title = "x" };
        profile o = { .author_id = i, .text = "y" };
        assert_ok(corm_batch_insert(batch, db, &posts, &p, NULL), err);
        assert_ok(corm_batch_insert(batch, db, &profiles, &o, NULL), err);
        if (corm_batch_count(batch) < 100) continue;
        assert_ok(corm_batch_run(batch, NULL, &err), err);
        corm_batch_clear(batch);
    }
    corm_batch_free(batch);
}

static corm_rows *many_authors(corm_db *db) {
    corm_error  err = { 0 };
    corm_rows  *rows;
    base_buf    text = { 0 };
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_UNLOGGED);
    for (int32_t i = 0; i < MANY; i++) {
        corm_value id = corm_of_i32(i);
        assert_ok(corm_batch_add_text(batch, "INSERT INTO authors (id) VALUES (?)", &id, 1, &err),
                  err);
        if (corm_batch_count(batch) < 100) continue;
        assert_ok(corm_batch_run(batch, NULL, &err), err);
        corm_batch_clear(batch);
    }
    corm_batch_free(batch);
    base__buf_free(&text);
    assert_ok(corm_find(db, &authors, &rows, { .error = &err }), err);
    return rows;
}

static void ten_thousand_parents_take_one_pass_a_relation(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    load_all(db);
    fill_many(db);
    corm_rows *rows = many_authors(db);
    assert_int_equal(corm_rows_count(rows), MANY);
    assert_ok(corm_populate(rows, &err, "posts", "profile"), err);
    corm_populated cost = corm_rows_populated(rows);
    assert_int_equal(cost.passes, 2);
    assert_int_equal(cost.keys, 2 * MANY);
    assert_int_equal(cost.rows, 2 * MANY);
    if (!testing__is_cluster()) assert_true(cost.requests <= 6);
    for (CORM_EACH(author, a, rows)) {
        post    *p = corm_related_one(rows, a, "posts");
        profile *o = corm_related_one(rows, a, "profile");
        assert_non_null(p);
        assert_non_null(o);
        assert_int_equal(p->author_id, a->id);
        assert_int_equal(o->author_id, a->id);
    }
    corm_rows_free(rows);
    corm_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parent_gets_its_rows_in_the_order_of_the_store),
        cmocka_unit_test(one_row_that_many_belong_to_is_read_once),
        cmocka_unit_test(nested_relations_are_read_for_all_rows_of_their_level),
        cmocka_unit_test(many_to_many_goes_through_the_table_between),
        cmocka_unit_test(includes_have_conditions_orders_and_limits_for_each_parent),
        cmocka_unit_test(rows_of_any_select_are_populated),
        cmocka_unit_test(selected_columns_of_parents_leave_the_keys_in),
        cmocka_unit_test(no_parents_take_no_requests),
        cmocka_unit_test(an_error_names_the_relation_and_the_key),
        cmocka_unit_test(ten_thousand_parents_take_one_pass_a_relation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
