// SPDX-License-Identifier: MIT
/* Builders, scopes, deleted rows, versions, changes, pages, cursors and explanations while allocations fail. */
#include "testing/memory.h"

#include <stdlib.h>

#include "corm/query.h"
#include "orm/attempts_for_tests.h"

typedef struct note {
    int32_t            owner, id;
    char              *text;
    int64_t            version;
    corm_opt_timestamp gone;
    corm_set           tags;
    corm_map           likes;
} note;

#define COL(member) CORM_COLUMN(note, member)
static const corm_scope note_scopes[] = {
    { "low", true, { .where = { CORM_TERM("id", CORM_LT, CORM_STATIC_INT(100)) } } },
    { .name = NULL },
};
static const corm_model notes = {
    .table = "notes",
    .row_size = sizeof(note),
    .fields = { { COL(owner), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(text), .indexed = true },
                { COL(version), .role = CORM_ROW_VERSION },
                { COL(gone), .role = CORM_DELETED_AT },
                { COL(tags) },
                { COL(likes), .cql = "map<text, int>" } },
    .scopes = note_scopes,
};
#undef COL

static void fill(void) {
    corm_error err = { 0 };
    for (int32_t id = 1; id <= 9; id++) {
        note n = { .owner = 1 + id % 2, .id = id, .text = "text" };
        assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
    }
}

static corm_status op_build(corm_error *err) {
    const char   *cql;
    corm_builder *b = corm_select_from("shop.notes");
    corm_builder_columns(b, "id", "text");
    corm_builder_select(
        b, corm_expr_call(b, "max", corm_expr_cast(b, corm_expr_column(b, "id"), "text")), "m");
    corm_builder_where(b, corm_eq("owner", 1), corm_in("id", corm_v(1), corm_v(2)),
                       corm_between("x", 1, 2));
    corm_builder_where_tuple(b, (const char *const[]){ "a", "b", NULL }, CORM_GT,
                             (corm_value[]){ corm_v("x"), corm_v(2) }, 2);
    corm_builder_limit(corm_builder_order_by(b, "id", true), 3);
    corm_status status = corm_builder_cql(b, &cql, err);
    corm_builder_free(b);
    return status;
}

static corm_status op_build_write(corm_error *err) {
    corm_builder *b = corm_update_table("notes");
    corm_builder_edit(b, corm_add("tags", "x"), corm_put("likes", "ada", 3));
    corm_builder_set(corm_builder_ttl(b, 100), "text", "new");
    corm_builder_where(b, corm_eq("owner", 1), corm_eq("id", 2));
    corm_status status = corm_builder_run(b, corm_db_session(db), NULL, NULL, err);
    corm_builder_free(b);
    return status;
}

static corm_status op_build_rows(corm_error *err) {
    corm_rows    *rows;
    corm_builder *b = corm_select_model(db, &notes);
    corm_builder_where(b, corm_eq("owner", 1), corm_ne("text", "x"));
    corm_status status = corm_builder_rows(corm_builder_limit(b, 2), db, &notes,
                                           &(corm_request_options){ .page_size = 1 }, &rows, err);
    if (status == CORM_OK) assert_int_equal(corm_rows_count(rows), 2);
    corm_rows_free(rows);
    corm_builder_free(b);
    return status;
}

static corm_status op_delete_and_restore(corm_error *err) {
    note n = { .owner = 1, .id = 2, .version = 1 };
    CORM_TRY(corm_delete(db, &notes, &n, { .error = err }));
    n.version = 2;
    return corm_restore(db, &notes, &n, { .error = err });
}

static corm_status op_change(corm_error *err) {
    note n = { .owner = 1, .id = 2, .version = 1 };
    return corm_change(
        db, &notes, &n,
        { .edits = { corm_add("tags", "x"), corm_assign("text", "b"), corm_put("likes", "a", 1) },
          .error = err });
}

static corm_status op_delete_where(corm_error *err) {
    return corm_delete_where(
        db, &notes,
        { .where = { corm_eq("owner", 1) }, .request = { .page_size = 2 }, .error = err });
}

static corm_status op_count(corm_error *err) {
    uint64_t    count;
    corm_status status = corm_count(db, &notes, &count,
                                    { .where = { corm_in("owner", corm_v(1), corm_v(2)) },
                                      .per_partition_limit = 2,
                                      .error = err });
    if (status == CORM_OK) assert_int_equal(count, 4);
    return status;
}

static corm_status op_page(corm_error *err) {
    corm_page   page, back = { NULL, NULL, NULL };
    corm_status status = corm_find_page(db, &notes, &page,
                                        { .find = { .unscoped = true }, .size = 4, .error = err });
    char       *token = page.next;
    page.next = NULL;
    corm_page_free(&page);
    if (status == CORM_OK)
        status = corm_find_page(
            db, &notes, &page,
            { .find = { .unscoped = true }, .size = 4, .token = token, .error = err });
    if (status == CORM_OK)
        status = corm_find_page(
            db, &notes, &back,
            { .find = { .unscoped = true }, .size = 4, .token = page.previous, .error = err });
    if (status == CORM_OK) assert_int_equal(corm_rows_count(back.rows), 4);
    corm_page_free(&page);
    corm_page_free(&back);
    free(token);
    return status;
}

static corm_status op_cursor(corm_error *err) {
    corm_cursor *cursor;
    note         n;
    bool         found = true;
    corm_status  status = corm_cursor_open(
         db, &notes, &cursor, { .unscoped = true, .request = { .page_size = 2 }, .error = err });
    while (status == CORM_OK && found) status = corm_cursor_next(cursor, &n, &found, err);
    corm_cursor_close(cursor);
    return status;
}

static corm_status op_explain(corm_error *err) {
    const corm_explanation *x;
    corm_status             status = corm_explain(
                    db, &notes, &x,
                    { .where = { corm_eq("text", "a"), corm_ne("id", 3) }, .limit = 2, .error = err });
    corm_explanation_free(x);
    return status;
}

static corm_status op_json(corm_error *err) {
    const corm_model *const *models;
    corm_status              status = corm_models_parse(
                     corm_str_of(
                         "{ \"table\": \"t\", \"key\": [\"k\"], \"fields\": { \"k\": \"int\", \"s\": { \"type\": \"bigint\", \"role\": \"version\" } }, \"scopes\": { \"a\": { \"where\": { \"k\": { \"$in\": [1, 2] } }, \"order_by\": { \"s\": \"desc\" } } } }"),
                     &models, err);
    corm_models_free(models);
    return status;
}

static void nothing(void) {
}

static const calm_operation operations[] = {
    { "build", nothing, op_build },
    { "build a write", fill, op_build_write },
    { "build and read rows", fill, op_build_rows },
    { "delete and restore", fill, op_delete_and_restore },
    { "change", fill, op_change },
    { "delete where", fill, op_delete_where },
    { "count", fill, op_count },
    { "page", fill, op_page },
    { "cursor", fill, op_cursor },
    { "explain", fill, op_explain },
    { "json", nothing, op_json },
};

static void every_operation_survives_every_failed_allocation(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    try_all(operations, sizeof operations / sizeof *operations);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
