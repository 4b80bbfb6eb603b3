// SPDX-License-Identifier: MIT
/* Builders: the text that each call leaves behind, the tree that the text is parsed back to, and what the store answers. */
#include <stdlib.h>
#include <string.h>

#include "orm/builder.h"

#include "orm/orm_for_tests.h"

/* ---- texts ---- */

/* The builder's text, whose tree is the builder's own; the builder is freed. */
static const char *text_of(corm_builder *b) {
    static char    text[2048];
    const char    *cql;
    corm_error     err = { 0 };
    base_arena     arena = { 0 };
    cql_statement *parsed;
    assert_ok(corm_builder_cql(b, &cql, &err), err);
    snprintf(text, sizeof text, "%s", cql);
    assert_ok(cql__parse(&arena, corm_str_of(cql), &parsed, NULL, &err), err);
    if (!cql__ast_equal(parsed, &b->statement)) fail_msg("another tree: %s", cql);
    const corm_value *values;
    uint32_t          count;
    assert_ok(corm_builder_values(b, &values, &count, &err), err);
    assert_int_equal(count, parsed->marker_count);
    base__arena_free(&arena);
    corm_builder_free(b);
    return text;
}

static void a_select_says_what_it_reads(void **state) {
    (void)state;
    corm_builder *b = corm_select_from("shop.orders");
    corm_builder_columns(b, "id", "Total");
    corm_builder_select(b, corm_expr_call(b, "max", corm_expr_column(b, "total")), "most");
    corm_builder_select(b, corm_expr_cast(b, corm_expr_column(b, "n"), "text"), "n_text");
    corm_builder_select(b, corm_expr_writetime(b, corm_expr_column(b, "total")), NULL);
    corm_builder_select(b, corm_expr_ttl(b, corm_expr_column(b, "total")), "left");
    corm_builder_select(b, corm_expr_maxwritetime(b, corm_expr_column(b, "tags")), NULL);
    corm_builder_select(b, corm_expr_count(b), "c");
    corm_builder_select(b, corm_expr_field(b, corm_expr_column(b, "home"), "street"), NULL);
    corm_builder_select(b, corm_expr_element(b, corm_expr_column(b, "m"), corm_v("k")), NULL);
    corm_builder_select(
        b, corm_expr_slice(b, corm_expr_column(b, "s"), corm_v(1), (corm_value){ 0 }), NULL);
    corm_builder_select(
        b, corm_expr_arith(b, corm_expr_column(b, "n"), '+', corm_expr_typed(b, "int", corm_v(1))),
        "n1");
    assert_string_equal(
        text_of(b),
        "SELECT id, \"Total\", max(total) AS most, CAST(n AS text) AS n_text, WRITETIME(total), TTL(total) AS left, MAXWRITETIME(tags), COUNT(*) AS c, home.street, m[?], s[?..], n + (int) ? AS n1 FROM shop.orders");
    assert_string_equal(text_of(corm_builder_json(corm_select_from("t"))), "SELECT JSON * FROM t");
    b = corm_builder_distinct(corm_select_from("t"));
    assert_string_equal(text_of(corm_builder_columns(b, "k")), "SELECT DISTINCT k FROM t");
}

static void a_select_has_every_condition(void **state) {
    (void)state;
    corm_builder *b = corm_select_from("t");
    corm_builder_where(b, corm_eq("a", 1), corm_gt("b", 2), corm_lte("b", 9),
                       corm_in("c", corm_v(1), corm_v(2)));
    corm_builder_where(b, corm_gte("d", 1.5), corm_lt("d", 2.5), corm_contains("tags", "x"),
                       corm_contains_key("m", "k"), corm_like("name", "%a%"),
                       corm_between("e", 1, 2));
    corm_builder_where_tuple(b, (const char *const[]){ "x", "y", NULL }, CORM_GT,
                             (corm_value[]){ corm_v(1), corm_v(2) }, 2);
    corm_builder_where_tuple(b, (const char *const[]){ "x", "y", NULL }, CORM_IN,
                             (corm_value[]){ corm_v(1), corm_v(2), corm_v(3), corm_v(4) }, 4);
    corm_builder_where_token(b, (const char *const[]){ "k1", "k2", NULL }, CORM_GT,
                             corm_expr_v(b, INT64_C(7)));
    corm_expr *left = corm_expr_call(b, "token", corm_expr_column(b, "k1"));
    corm_builder_where_expr(b, left, CORM_LTE, corm_expr_call(b, "token", corm_expr_v(b, 3)));
    corm_builder_where_expr(b, corm_expr_element(b, corm_expr_column(b, "m"), corm_v("k")), CORM_EQ,
                            corm_expr_v(b, "v"));
    corm_builder_where_expr(b, corm_expr_column(b, "at"), CORM_LT,
                            corm_expr_call_with(b, "now", NULL));
    assert_string_equal(
        text_of(b),
        "SELECT * FROM t WHERE a = ? AND b > ? AND b <= ? AND c IN ? AND d >= ? AND d < ? AND tags CONTAINS ? AND m CONTAINS KEY ? AND name LIKE ? AND e >= ? AND e <= ? "
        "AND (x, y) > (?, ?) AND (x, y) IN ((?, ?), (?, ?)) AND TOKEN(k1, k2) > ? AND TOKEN(k1) <= token(?) AND m[?] = ? AND at < now()");
}

static void a_select_has_groups_orders_and_limits(void **state) {
    (void)state;
    corm_builder *b = corm_select_from("t");
    corm_builder_group_by(b, corm_expr_column(b, "k"));
    corm_builder_group_by(
        b, corm_expr_call(b, "floor", corm_expr_column(b, "at"), corm_expr_literal(b, "1h")));
    corm_builder_order_by(corm_builder_order_by(b, "at", true), "n", false);
    corm_builder_limit(corm_builder_per_partition_limit(b, 2), 10);
    corm_builder_allow_filtering(b);
    assert_string_equal(
        text_of(b),
        "SELECT * FROM t GROUP BY k, floor(at, 1h) ORDER BY at DESC, n ASC PER PARTITION LIMIT ? LIMIT ? ALLOW FILTERING");
    b = corm_builder_order_by_ann(corm_select_from("t"), "v",
                                  corm_v(corm_list_of(corm_v(1.0f), corm_v(2.0f))));
    assert_string_equal(text_of(corm_builder_limit(b, 3)),
                        "SELECT * FROM t ORDER BY v ANN OF ? LIMIT ?");
}

static void writes_say_all_of_their_parts(void **state) {
    (void)state;
    corm_builder *b = corm_insert_into("t");
    corm_builder_set(corm_builder_set(b, "k", 1), "name", "x");
    corm_builder_set_expr(b, "id", corm_expr_call_with(b, "uuid", NULL));
    corm_builder_ttl(corm_builder_timestamp(corm_builder_if_not_exists(b), 5), 60);
    assert_string_equal(
        text_of(b),
        "INSERT INTO t (k, name, id) VALUES (?, ?, uuid()) IF NOT EXISTS USING TIMESTAMP ? AND TTL ?");
    assert_string_equal(text_of(corm_builder_insert_json(corm_insert_into("t"), "{}", true)),
                        "INSERT INTO t JSON ? DEFAULT UNSET");
    b = corm_update_table("t");
    corm_builder_ttl(corm_builder_set(b, "name", "x"), 60);
    corm_builder_edit(b, corm_add("tags", "a"), corm_remove("tags", "b"), corm_append("l", 1),
                      corm_prepend("l", 0), corm_put("m", "k", "v"), corm_put("l", 2, 5));
    corm_builder_edit(b, corm_drop("m", "k"), corm_put_field("home", "street", "High"),
                      corm_increment("n", 1), corm_decrement("n", 2), corm_assign("x", 3));
    corm_builder_where(b, corm_eq("k", 1));
    corm_builder_if(b, corm_ne("name", "y"), corm_is_null("z"), corm_not_null("w"),
                    corm_in("x", corm_v(1)));
    corm_builder_if_expr(b, corm_expr_element(b, corm_expr_column(b, "m"), corm_v("k")), CORM_EQ,
                         corm_expr_v(b, "v"));
    corm_builder_if_expr(b, corm_expr_field(b, corm_expr_column(b, "home"), "street"), CORM_NULL_OP,
                         NULL);
    assert_string_equal(
        text_of(b),
        "UPDATE t USING TTL ? SET name = ?, tags = tags + ?, tags = tags - ?, l = l + ?, l = ? + l, m[?] = ?, l[?] = ?, m[?] = NULL, home.street = ?, n = n + ?, n = n - ?, x = ? WHERE k = ? "
        "IF name != ? AND z = NULL AND w != NULL AND x IN ? AND m[?] = ? AND home.street = NULL");
    b = corm_delete_from("t");
    corm_builder_delete_field(corm_builder_columns(b, "a", "b"), "home", "street");
    corm_builder_edit(b, corm_drop("m", "k"));
    corm_builder_if_exists(corm_builder_where(corm_builder_timestamp(b, 9), corm_eq("k", 1)));
    assert_string_equal(
        text_of(b),
        "DELETE a, b, home.street, m[?] FROM t USING TIMESTAMP ? WHERE k = ? IF EXISTS");
    assert_string_equal(text_of(corm_builder_where(corm_delete_from("t"), corm_eq("k", 1))),
                        "DELETE FROM t WHERE k = ?");
}

static void names_are_quoted_and_never_cql(void **state) {
    (void)state;
    corm_builder *b = corm_select_from("Order");
    corm_builder_columns(b, "select", "a\" FROM system.local; --");
    corm_builder_select(b, corm_expr_call(b, "Fn", corm_expr_column(b, "x")), "Alias");
    corm_builder_where(b, corm_eq("x; DROP TABLE t", "'; DROP TABLE t"));
    assert_string_equal(
        text_of(b),
        "SELECT \"select\", \"a\"\" FROM system.local; --\", \"Fn\"(x) AS \"Alias\" FROM \"Order\" WHERE \"x; DROP TABLE t\" = ?");
}

/* ---- mistakes ---- */

#define assert_mistake(b, expected)                                                                \
    do {                                                                                           \
        corm_builder *b_ = (b);                                                                    \
        const char   *cql_;                                                                        \
        corm_error    err_ = { 0 };                                                                \
        assert_int_not_equal(corm_builder_cql(b_, &cql_, &err_), CORM_OK);                         \
        assert_string_equal(err_.message, (expected));                                             \
        corm_builder_free(b_);                                                                     \
    } while (0)

static void the_first_mistake_is_told_at_the_end(void **state) {
    (void)state;
    corm_builder *b = corm_builder_limit(corm_insert_into("t"), 3);
    corm_builder_set(b, "", 1);
    assert_mistake(b, "an INSERT has no LIMIT");
    assert_mistake(corm_insert_into("t"), "the INSERT has no values");
    assert_mistake(corm_update_table("t"), "the UPDATE changes nothing");
    assert_mistake(corm_delete_from("t"), "a write needs conditions on the key");
    assert_mistake(corm_select_from(NULL), "the statement has no table");
    assert_mistake(corm_builder_where(corm_select_from("t"), corm_eq("", 1)),
                   "a column has no name");
    assert_mistake(
        corm_builder_where(corm_select_from("t"), corm_token_gt(INT64_C(1))),
        "only a model knows its partition key: name the columns with corm_builder_where_token");
    b = corm_select_from("t");
    assert_mistake(corm_builder_where_tuple(b, (const char *const[]){ "a", "b", NULL }, CORM_GT,
                                            (corm_value[]){ corm_v(1) }, 1),
                   "a tuple of 2 columns is compared with 1 values");
    b = corm_select_from("t");
    corm_builder_select(b, corm_expr_cast(b, corm_expr_column(b, "a"), "no type"), NULL);
    assert_mistake(b, "'no type' is no type: line 1:3 mismatched input 'type' expecting EOF");
    assert_mistake(corm_builder_limit(corm_select_from("t"), 0), "a limit is 1 to 2147483647 rows");
    b = corm_builder_if_exists(corm_delete_from("t"));
    assert_mistake(corm_builder_if(b, corm_eq("a", 1)), "IF EXISTS stands alone");
    assert_mistake(corm_builder_where(corm_delete_from("t"), corm_ne("a", 1)),
                   "the condition on 'a' is not CQL, and a write reads no rows");
    assert_mistake(NULL, "memory is exhausted");
}

/* ---- any builder is parsed back ---- */

static uint32_t seed;

static uint32_t pick(uint32_t n) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static const char *any_name(void) {
    static const char *const names[] = { "a",    "b",    "Key",      "select", "token",
                                         "x y",  "ttl",  "count",    "json",   "distinct",
                                         "list", "a\"b", "writetime" };
    return names[pick(sizeof names / sizeof *names)];
}

static corm_expr *any_expr(corm_builder *b, int depth) {
    switch (pick(depth > 3 ? 2 : 11)) {
    case 0: return corm_expr_column(b, any_name());
    case 1: return corm_expr_typed(b, "list<int>", corm_v(1));
    case 2: return corm_expr_call(b, any_name(), any_expr(b, depth + 1), any_expr(b, depth + 1));
    case 3: return corm_expr_cast(b, any_expr(b, depth + 1), "text");
    case 4: return corm_expr_writetime(b, corm_expr_column(b, any_name()));
    case 5: return corm_expr_ttl(b, corm_expr_column(b, any_name()));
    case 6: return corm_expr_count(b);
    case 7: return corm_expr_field(b, corm_expr_column(b, any_name()), any_name());
    case 8: return corm_expr_element(b, corm_expr_column(b, any_name()), corm_v(1));
    case 9:
        return corm_expr_arith(b, any_expr(b, depth + 1), "+-*/%"[pick(5)], any_expr(b, depth + 1));
    default:
        return corm_expr_slice(b, corm_expr_column(b, any_name()), corm_v(1),
                               pick(2) ? corm_v(2) : (corm_value){ 0 });
    }
}

static void any_where(corm_builder *b) {
    const char *two[] = { any_name(), any_name(), NULL };
    switch (pick(6)) {
    case 0: corm_builder_where(b, corm_eq(any_name(), 1)); break;
    case 1:
        corm_builder_where(b, corm_in(any_name(), corm_v(1)), corm_between(any_name(), 1, 2));
        break;
    case 2:
        corm_builder_where_tuple(b, two, CORM_GTE, (corm_value[]){ corm_v(1), corm_v(2) }, 2);
        break;
    case 3: corm_builder_where_token(b, two, CORM_LT, corm_expr_v(b, INT64_C(1))); break;
    case 4: corm_builder_where(b, corm_contains(any_name(), 1), corm_like(any_name(), "x")); break;
    default:
        corm_builder_where_expr(b, corm_expr_element(b, corm_expr_column(b, any_name()), corm_v(1)),
                                CORM_EQ, corm_expr_v(b, 2));
        break;
    }
}

static corm_builder *any_select(void) {
    corm_builder *b = corm_select_from(pick(2) ? "t" : "Ks.T");
    for (uint32_t i = pick(4); i > 0; i--)
        corm_builder_select(b, any_expr(b, 0), pick(2) ? any_name() : NULL);
    for (uint32_t i = pick(4); i > 0; i--) any_where(b);
    if (pick(3) == 0) corm_builder_group_by(b, corm_expr_column(b, any_name()));
    if (pick(3) == 0) corm_builder_order_by(b, any_name(), pick(2));
    if (pick(3) == 0) corm_builder_limit(b, 1 + pick(9));
    if (pick(3) == 0) corm_builder_per_partition_limit(b, 1 + pick(9));
    if (pick(3) == 0) corm_builder_allow_filtering(b);
    return b;
}

static corm_builder *any_update(void) {
    corm_builder *b = corm_update_table("t");
    if (pick(2)) corm_builder_ttl(b, 9);
    if (pick(2)) corm_builder_timestamp(b, 9);
    corm_builder_edit(b, corm_add(any_name(), 1), corm_put(any_name(), 1, 2),
                      corm_prepend(any_name(), 3));
    if (pick(2)) corm_builder_set_expr(b, "Set", corm_expr_call_with(b, "now", NULL));
    any_where(b);
    if (pick(2))
        corm_builder_if(b, corm_ne(any_name(), 1), corm_is_null(any_name()),
                        corm_in(any_name(), corm_v(1)));
    return b;
}

static void the_text_of_any_builder_is_its_tree(void **state) {
    (void)state;
    for (seed = 1; seed < 4000; seed += 1) {
        uint32_t was = seed;
        text_of(pick(4) ? any_select() : any_update());
        seed = was;
    }
}

/* ---- answers ---- */

static corm_db *open_things(void) {
    corm_db *db = open_db();
    run(db,
        "CREATE TABLE IF NOT EXISTS b_things (k int, c int, name text, tags set<text>, l list<int>, m map<text, int>, PRIMARY KEY (k, c))");
    run(db, "CREATE TABLE IF NOT EXISTS b_hits (k int PRIMARY KEY, n counter)");
    return db;
}

static void run_builder(corm_db *db, corm_builder *b) {
    corm_error err = { 0 };
    assert_ok(corm_builder_run(b, corm_db_session(db), NULL, NULL, &err), err);
    corm_builder_free(b);
}

static int64_t number(corm_db *db, corm_builder *b) {
    corm_error   err = { 0 };
    corm_result *result;
    assert_ok(corm_builder_run(b, corm_db_session(db),
                               &(corm_request_options){ .consistency = CORM_ONE, .page_size = 2 },
                               &result, &err),
              err);
    const corm_row *row = corm_result_next(result);
    int64_t         out = row ? corm_row_bigint(row, 0) : -1;
    corm_result_free(result);
    corm_builder_free(b);
    return out;
}

static void builders_write_and_read(void **state) {
    (void)state;
    corm_db *db = open_things();
    for (int32_t i = 0; i < 5; i++) {
        corm_builder *b = corm_insert_into("b_things");
        corm_builder_set(corm_builder_set(corm_builder_set(b, "k", 1), "c", i), "name",
                         i % 2 ? "odd" : "even");
        run_builder(db, b);
    }
    corm_builder *b = corm_update_table("b_things");
    corm_builder_edit(b, corm_add("tags", "x"), corm_append("l", 7), corm_put("m", "k", 3));
    run_builder(db, corm_builder_where(b, corm_eq("k", 1), corm_eq("c", 2)));
    b = corm_update_table("b_things");
    corm_builder_edit(b, corm_remove("tags", "x"), corm_prepend("l", 6), corm_remove("m", "none"));
    run_builder(db, corm_builder_where(b, corm_eq("k", 1), corm_eq("c", 2)));
    b = corm_select_from("b_things");
    corm_builder_select(b, corm_expr_element(b, corm_expr_column(b, "m"), corm_v("k")), NULL);
    assert_int_equal(number(db, corm_builder_where(b, corm_eq("k", 1), corm_eq("c", 2))), 3);
    b = corm_select_from("b_things");
    corm_builder_select(b, corm_expr_count(b), NULL);
    corm_builder_where(b, corm_eq("k", 1));
    assert_int_equal(number(db, corm_builder_where_tuple(b, (const char *const[]){ "c", NULL },
                                                         CORM_GT, (corm_value[]){ corm_v(1) }, 1)),
                     3);
    b = corm_update_table("b_hits");
    corm_builder_edit(b, corm_increment("n", 5));
    run_builder(db, corm_builder_where(b, corm_eq("k", 1)));
    b = corm_builder_columns(corm_select_from("b_hits"), "n");
    assert_int_equal(number(db, corm_builder_where(b, corm_eq("k", 1))), 5);
    corm_error   err = { 0 };
    corm_result *result;
    b = corm_builder_set(corm_update_table("b_things"), "name", "new");
    corm_builder_where(b, corm_eq("k", 1), corm_eq("c", 2));
    corm_builder_if(b, corm_eq("name", "odd"));
    assert_ok(corm_builder_run(b, corm_db_session(db), NULL, &result, &err), err);
    assert_false(corm_result_applied(result));
    corm_result_free(result);
    corm_builder_free(b);
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_UNLOGGED);
    b = corm_builder_where(corm_delete_from("b_things"), corm_eq("k", 1), corm_lt("c", 3));
    assert_ok(corm_builder_add_to(b, batch, &err), err);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    corm_batch_free(batch);
    corm_builder_free(b);
    b = corm_select_from("b_things");
    corm_builder_select(b, corm_expr_call(b, "min", corm_expr_column(b, "c")), NULL);
    assert_int_equal(number(db, corm_builder_where(b, corm_eq("k", 1))), 3);
    corm_db_close(db);
}

static void builders_of_models_read_structs(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    corm_rows *rows;
    for (int32_t i = 0; i < 6; i++) {
        char mail[32], name[16];
        snprintf(mail, sizeof mail, "u%d@example.com", i);
        snprintf(name, sizeof name, "u%d", i);
        user u = { .email = mail, .age = 20 + i };
        snprintf(u.name, sizeof u.name, "user %s", name);
        if (i % 2) u.score = (corm_opt_int){ CORM_PRESENT, i };
        assert_ok(corm_insert(db, &users, &u, { .error = &err }), err);
    }
    corm_builder *b = corm_select_model(db, &users);
    corm_builder_allow_filtering(
        corm_builder_where(b, corm_gt("age", 20), corm_is_null("score"), corm_ne("age", 22)));
    assert_ok(corm_builder_rows(corm_builder_limit(b, 5), db, &users,
                                &(corm_request_options){ .page_size = 2 }, &rows, &err),
              err);
    assert_int_equal(corm_rows_count(rows), 1);
    assert_int_equal(((user *)corm_rows_first(rows))->age, 24);
    corm_rows_free(rows);
    corm_result *result;
    assert_status(corm_builder_run(b, corm_db_session(db), NULL, &result, &err),
                  CORM_INVALID_ARGUMENT);
    corm_builder_free(b);
    b = corm_select_model(db, &users);
    corm_builder_where(b, corm_token_gt(INT64_MIN));
    corm_builder_select(b, corm_expr_column(b, "id"), NULL);
    corm_builder_select(
        b,
        corm_expr_arith(b, corm_expr_column(b, "age"), '+', corm_expr_typed(b, "int", corm_v(100))),
        "age");
    assert_ok(corm_builder_rows(b, db, &users, NULL, &rows, &err), err);
    assert_int_equal(corm_rows_count(rows), 6);
    for (CORM_EACH(user, u, rows)) assert_true(u->age >= 120);
    corm_rows_free(rows);
    corm_builder_free(b);
    b = corm_builder_where(corm_select_model(db, &users), corm_eq("emial", "x"));
    assert_mistake(b, "model 'users' has no column 'emial', did you mean 'email'?");
    corm_db_close(db);
}

/* ---- statements of every kind are taken by the store ---- */

static void count_done(void *context, corm_status status, corm_result *result,
                       const corm_error *error) {
    (void)error;
    int *done = context;
    *done = status == CORM_OK && corm_result_row_count(result) == 1 ? 1 : -1;
    corm_result_free(result);
}

static corm_builder *of_key(corm_builder *b) {
    return corm_builder_where(b, corm_eq("k", 1));
}

static void builders_of_every_kind_are_executed(void **state) {
    (void)state;
    corm_db      *db = open_things();
    corm_error    err = { 0 };
    corm_builder *b = corm_builder_insert_json(corm_insert_into("b_things"),
                                               "{ \"k\": 1, \"c\": 2, \"name\": \"json\" }", true);
    run_builder(db, b);
    b = corm_builder_set(corm_builder_set(corm_insert_into("shop.b_things"), "k", 1), "c", 3);
    run_builder(
        db, corm_builder_timestamp(corm_builder_ttl(corm_builder_set(b, "name", "x"), 1000), 5));
    b = corm_select_from("b_things");
    corm_builder_select(b, corm_expr_writetime(b, corm_expr_column(b, "name")), "at");
    assert_int_equal(number(db, corm_builder_where(of_key(b), corm_eq("c", 3))), 5);
    b = corm_select_from("b_things");
    corm_builder_select(b, corm_expr_cast(b, corm_expr_column(b, "c"), "bigint"), NULL);
    assert_int_equal(number(db, corm_builder_limit(corm_builder_order_by(of_key(b), "c", true), 1)),
                     3);
    b = corm_select_from("b_things");
    corm_builder_select(b, corm_expr_call(b, "sum", corm_expr_column(b, "c")), NULL);
    assert_int_equal(number(db, corm_builder_group_by(of_key(b), corm_expr_column(b, "k"))), 5);
    b = corm_builder_distinct(corm_builder_columns(corm_select_from("b_things"), "k"));
    assert_int_equal(number(db, b), 1);
    b = corm_select_from("b_things");
    corm_builder_select(
        b, corm_expr_arith(b, corm_expr_column(b, "c"), '*', corm_expr_typed(b, "int", corm_v(10))),
        NULL);
    corm_expr *token = corm_expr_call(b, "token", corm_expr_column(b, "k"));
    corm_builder_where_expr(b, token, CORM_EQ, corm_expr_call(b, "token", corm_expr_v(b, 1)));
    assert_int_equal(number(db, corm_builder_per_partition_limit(b, 1)), 20);
    corm_result *result;
    b = of_key(corm_builder_json(corm_builder_columns(corm_select_from("b_things"), "c")));
    assert_ok(corm_builder_run(b, corm_db_session(db), NULL, &result, &err), err);
    assert_text(corm_row_text(corm_result_next(result), 0), "{\"c\": 2}");
    corm_result_free(result);
    corm_builder_free(b);
    int done = 0;
    b = corm_builder_where(of_key(corm_select_from("b_things")),
                           corm_in("c", corm_v(3), corm_v(7)));
    corm_task *task = corm_builder_run_async(b, corm_db_session(db), NULL, count_done, &done);
    assert_non_null(task);
    assert_ok(corm_task_wait(task, 0), err);
    corm_task_free(task);
    assert_int_equal(done, 1);
    corm_builder_free(b);
    corm_db_close(db);
}

static void builders_ask_for_nearest_neighbours(void **state) {
    (void)state;
    corm_db *db = open_things();
    run(db, "CREATE TABLE IF NOT EXISTS b_vectors (k int PRIMARY KEY, v vector<float, 2>)");
    run(db,
        "CREATE CUSTOM INDEX IF NOT EXISTS b_ann ON b_vectors (v) USING 'StorageAttachedIndex'");
    for (int32_t i = 0; i < 4; i++) {
        corm_builder *b = corm_builder_set(corm_insert_into("b_vectors"), "k", i);
        run_builder(db, corm_builder_set(b, "v", corm_list_of(corm_v((float)i), corm_v(1.0f))));
    }
    corm_builder *b = corm_builder_columns(corm_select_from("b_vectors"), "k");
    corm_builder_order_by_ann(b, "v", corm_v(corm_list_of(corm_v(3.0f), corm_v(1.0f))));
    assert_int_equal(number(db, corm_builder_limit(b, 1)), 3);
    corm_db_close(db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_select_says_what_it_reads),
    cmocka_unit_test(a_select_has_every_condition),
    cmocka_unit_test(a_select_has_groups_orders_and_limits),
    cmocka_unit_test(writes_say_all_of_their_parts),
    cmocka_unit_test(names_are_quoted_and_never_cql),
    cmocka_unit_test(the_first_mistake_is_told_at_the_end),
    cmocka_unit_test(the_text_of_any_builder_is_its_tree),
    cmocka_unit_test(builders_write_and_read),
    cmocka_unit_test(builders_of_models_read_structs),
    cmocka_unit_test(builders_of_every_kind_are_executed),
    cmocka_unit_test(builders_ask_for_nearest_neighbours),
};

int main(void) {
    UNUSED_HELPERS();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
