// SPDX-License-Identifier: MIT
/* What finds and statements are said to cost, on the door that is tested. */
#include <stdlib.h>
#include <string.h>

#include "corm/query.h"
#include "orm/orm_for_tests.h"

typedef struct shot {
    int32_t camera, at;
    char   *kind;
    int32_t size;
    char   *owner;
} shot;

#define COL(member) CORM_COLUMN(shot, member)
static const corm_query_table shot_tables[] = {
    { "shots_by_owner", .partition_key = "owner", .clustering_key = "camera, at" },
    { .table = NULL },
};
static const corm_model shots = {
    .table = "shots",
    .row_size = sizeof(shot),
    .fields = { { COL(camera), .key = CORM_PARTITION },
                { COL(at), .key = CORM_CLUSTERING },
                { COL(kind), .indexed = true },
                { COL(size) },
                { COL(owner) } },
    .query_tables = shot_tables,
};
#undef COL

static const corm_explanation *explained(corm_db *db, const corm_model *model,
                                         corm_find_options find) {
    corm_error              err = { 0 };
    const corm_explanation *out;
    find.error = &err;
    assert_ok(corm_explain_with(db, model, &out, &find), err);
    return out;
}

static const corm_explanation *explained_cql(corm_db *db, const char *cql) {
    corm_error              err = { 0 };
    const corm_explanation *out;
    assert_ok(corm_explain_cql(corm_db_session(db), cql, &out, &err), err);
    return out;
}

static void assert_says(const corm_explanation *x, const char *part) {
    const char *text = corm_explanation_text(x);
    if (!strstr(text, part)) fail_msg("no \"%s\" in:\n%s", part, text);
}

static void access_follows_the_key(void **state) {
    (void)state;
    corm_db *db = open_db();
    const struct {
        corm_find_options find;
        corm_access       access;
        int64_t           partitions;
    } cases[] = {
        { { .where = { corm_eq("camera", 1), corm_eq("at", 2) } }, CORM_ACCESS_ROW, 1 },
        { { .where = { corm_eq("camera", 1), corm_gt("at", 2) } }, CORM_ACCESS_SLICE, 1 },
        { { .where = { corm_eq("camera", 1) } }, CORM_ACCESS_PARTITION, 1 },
        { { .where = { corm_in("camera", corm_v(1), corm_v(2), corm_v(3)) } },
          CORM_ACCESS_PARTITIONS,
          3 },
        { { .where = { corm_token_gt(INT64_C(5)) } }, CORM_ACCESS_RANGE, -1 },
        { { .limit = 1 }, CORM_ACCESS_TABLE, -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const corm_explanation *x = explained(db, &shots, cases[i].find);
        if (x->access != cases[i].access) fail_msg("case %zu:\n%s", i, corm_explanation_text(x));
        assert_int_equal(x->partitions, cases[i].partitions);
        assert_false(x->needs_filtering);
        assert_null(x->refused);
        assert_string_equal(x->table, "shop.shots");
        corm_explanation_free(x);
    }
    corm_db_close(db);
}

static void indexes_and_query_tables_are_named(void **state) {
    (void)state;
    corm_db                *db = open_db();
    const corm_explanation *x =
        explained(db, &shots, (corm_find_options){ .where = { corm_eq("kind", "x") } });
    assert_int_equal(x->access, CORM_ACCESS_INDEX);
    assert_string_equal(x->index, "shots_kind_idx");
    assert_says(x, "kind = ? by the index shots_kind_idx");
    assert_says(x, "the index is asked on every node");
    corm_explanation_free(x);
    x = explained(db, &shots, (corm_find_options){ .where = { corm_eq("owner", "ada") } });
    assert_int_equal(x->access, CORM_ACCESS_PARTITION);
    assert_string_equal(x->query_table, "shots_by_owner");
    corm_explanation_free(x);
    x = explained(
        db, &users,
        (corm_find_options){ .where = { corm_eq("email", "a@b.cc"), corm_gt("age", 3) } });
    assert_int_equal(x->access, CORM_ACCESS_UNIQUE);
    assert_int_equal(x->statement_count, 2);
    assert_says(x, "age > ? on the rows read");
    corm_explanation_free(x);
    corm_db_close(db);
}

static void filtering_is_told_with_the_better_form(void **state) {
    (void)state;
    corm_db                *db = open_db();
    const corm_explanation *x =
        explained(db, &shots, (corm_find_options){ .where = { corm_eq("size", 3) } });
    assert_true(x->needs_filtering);
    assert_non_null(x->refused);
    assert_says(x, "needed, and not said");
    assert_says(
        x,
        "A query table answers it: { .table = \"shots_by_size\", .partition_key = \"size\", .clustering_key = \"camera, at\" }.");
    corm_explanation_free(x);
    x = explained(db, &shots,
                  (corm_find_options){ .where = { corm_eq("size", 3) }, .allow_filtering = true });
    assert_true(x->needs_filtering && x->allows_filtering);
    assert_null(x->refused);
    assert_says(x, "filtering reads every row of the table");
    corm_explanation_free(x);
    x = explained(
        db, &shots,
        (corm_find_options){ .where = { corm_eq("camera", 3) }, .allow_filtering = true });
    assert_says(x, "said, and not needed");
    corm_explanation_free(x);
    corm_db_close(db);
}

static void what_corm_does_is_told(void **state) {
    (void)state;
    corm_db                *db = open_db();
    const corm_explanation *x =
        explained(db, &shots,
                  (corm_find_options){ .where = { corm_eq("camera", 1), corm_ne("size", 3) },
                                       .order_by = { { "size", false } },
                                       .offset = 20,
                                       .limit = 5 });
    assert_int_equal(x->corm_count, 4);
    assert_string_equal(x->corm[0], "size != ? on the rows read");
    assert_string_equal(x->corm[1], "sorts by size, all rows that match in memory");
    assert_string_equal(x->corm[2], "passes 20 rows over");
    assert_string_equal(x->corm[3], "stops behind 5 rows");
    assert_says(x, "corm_find_page and .after go on from a row at no cost.");
    corm_explanation_free(x);
    corm_db_close(db);
}

static void statements_are_explained_too(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    assert_ok(corm_load(db, &shots, &err), err);
    const corm_explanation *x = explained_cql(db, "SELECT count(*) FROM shop.shots");
    assert_int_equal(x->access, CORM_ACCESS_TABLE);
    assert_says(x, "Count in one partition");
    corm_explanation_free(x);
    x = explained_cql(db, "UPDATE shop.shots SET size = 3 WHERE camera = 1 AND at = 2 IF size = 2");
    assert_int_equal(x->access, CORM_ACCESS_ROW);
    assert_says(x, "lightweight transaction");
    corm_explanation_free(x);
    x = explained_cql(db, "DELETE FROM shots WHERE camera = 1");
    assert_int_equal(x->access, CORM_ACCESS_PARTITION);
    assert_says(x, "kept for gc_grace_seconds");
    corm_explanation_free(x);
    x = explained_cql(db, "SELECT * FROM shots WHERE camera IN (1, 2)");
    assert_int_equal(x->partitions, 2);
    assert_says(x, "waits for the slowest");
    corm_explanation_free(x);
    x = explained_cql(db, "SELECT nothing FROM shots");
    assert_non_null(x->refused);
    corm_explanation_free(x);
    corm_explanation_free(NULL);
    assert_status(corm_explain_cql(corm_db_session(db), "SELEC", &x, &err), CORM_SYNTAX_ERROR);
    assert_status(corm_explain_cql(corm_db_session(db), "SELECT * FROM shop.none", &x, &err),
                  CORM_NOT_FOUND);
    assert_status(corm_explain_cql(corm_db_session(db), "USE shop", &x, &err), CORM_UNSUPPORTED);
    assert_string_equal(corm_access_name(CORM_ACCESS_PARTITION), "one partition");
    corm_db_close(db);
}

static void the_text_is_the_whole(void **state) {
    (void)state;
    corm_db                *db = open_db();
    const corm_explanation *x =
        explained(db, &shots,
                  (corm_find_options){ .where = { corm_eq("camera", 1), corm_between("at", 2, 5) },
                                       .select = { "size" },
                                       .limit = 7 });
    assert_string_equal(
        corm_explanation_text(x),
        "access      a stretch of one partition of shop.shots\n"
        "partitions  1\n"
        "statement   SELECT size FROM shop.shots WHERE camera = ? AND at >= ? AND at <= ? LIMIT ?\n"
        "store       camera = ? by the partition key\n"
        "            at >= ? by the clustering key\n"
        "            at <= ? by the clustering key\n"
        "            limit\n");
    corm_explanation_free(x);
    corm_db_close(db);
}

static void a_view_is_told(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    assert_ok(corm_load(db, &shots, &err), err);
    if (testing__is_cluster()) { /* Cassandra makes views only where its configuration allows it */
        corm_db_close(db);
        return;
    }
    run(db,
        "CREATE MATERIALIZED VIEW shots_by_size AS SELECT * FROM shots WHERE size IS NOT NULL AND camera IS NOT NULL AND at IS NOT NULL PRIMARY KEY (size, camera, at)");
    const corm_explanation *x =
        explained_cql(db, "SELECT camera FROM shots_by_size WHERE size = 3");
    assert_string_equal(x->view, "shots");
    assert_int_equal(x->access, CORM_ACCESS_PARTITION);
    corm_explanation_free(x);
    corm_db_close(db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(access_follows_the_key),
    cmocka_unit_test(indexes_and_query_tables_are_named),
    cmocka_unit_test(filtering_is_told_with_the_better_form),
    cmocka_unit_test(what_corm_does_is_told),
    cmocka_unit_test(statements_are_explained_too),
    cmocka_unit_test(the_text_is_the_whole),
    cmocka_unit_test(a_view_is_told),
};

int main(void) {
    UNUSED_HELPERS();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
