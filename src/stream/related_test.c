// SPDX-License-Identifier: MIT
/* Models with relations and query tables: nested in JSON, copied by bulk writers; streams of rows that are softly deleted or scoped. */
#include "corm/bulk.h"
#include "corm/json.h"
#include "corm/relation.h"
#include "stream/stream_for_tests.h"

typedef struct author {
    int32_t id;
    char   *name;
} author;

typedef struct book {
    int32_t        id, author_id;
    char          *title;
    int32_t        year;
    corm_timestamp deleted_at;
} book;

static const corm_scope scopes[] = {
    { .name = "recent",
      .is_default = true,
      .find = { .where = { { "year", CORM_GTE, { .kind = CORM_INT, .as.i32 = 2000 }, { 0 } } } } },
    { .name = "old",
      .find = { .where = { { "year", CORM_LT, { .kind = CORM_INT, .as.i32 = 2010 }, { 0 } } } } },
    { .name = NULL },
};

#define COL(member) CORM_COLUMN(book, member)
static const corm_model books = {
    .table = "books",
    .row_size = sizeof(book),
    .scopes = scopes,
    .query_tables =
        (const corm_query_table[]){
            { .table = "books_by_author", .partition_key = "author_id", .clustering_key = "id" },
            { .table = NULL },
        },
    .fields = {
        { COL(id), .key = CORM_PARTITION },
        { COL(author_id) },
        { COL(title) },
        { COL(year), .skip_zero = true },
        { COL(deleted_at), .role = CORM_DELETED_AT, .skip_zero = true },
    },
};
#undef COL

#define COL(member) CORM_COLUMN(author, member)
static const corm_model authors = {
    .table = "authors",
    .row_size = sizeof(author),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
    .relations = {
        { .name = "books", .kind = CORM_HAS_MANY, .to = &books, .foreign_key = "author_id" },
    },
};
#undef COL

static char *text(const char *from) {
    return (char *)(uintptr_t)from;
}

static void write_books(corm_db *db, int32_t count) {
    corm_error err = { 0 };
    corm_bulk *bulk;
    assert_ok(corm_bulk_open(db, &bulk, { .error = &err }), err);
    for (int32_t i = 0; i < count; i++) {
        book row = { .id = i, .author_id = i % 2, .title = text("t"), .year = 1990 + i };
        assert_ok(corm_bulk_insert(bulk, &books, &row, { .write.error = &err }), err);
    }
    assert_ok(corm_bulk_close(bulk, &err), err);
}

static void copies_are_written_with_their_rows(void **state) {
    (void)state;
    corm_db     *db = open_db();
    corm_error   err = { 0 };
    corm_result *result;
    write_books(db, 30);
    assert_ok(corm_execute(corm_db_session(db),
                           "SELECT count(*) FROM books_by_author WHERE author_id = 1", &result,
                           { .error = &err }),
              err);
    assert_int_equal(corm_row_bigint(corm_result_next(result), 0), 15);
    corm_result_free(result);
    corm_db_close(db);
}

static void relations_that_were_read_are_nested(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    corm_rows *rows;
    char      *json;
    author     row = { 1, text("Ann") };
    write_books(db, 14);
    assert_ok(corm_insert(db, &authors, &row, { .error = &err }), err);
    assert_ok(corm_find(db, &authors, &rows, { .include = { "books" }, .error = &err }), err);
    assert_ok(corm_rows_to_json(rows, &json, { .error = &err }), err);
    assert_string_equal(json,
                        "[{\"id\": 1, \"name\": \"Ann\", \"books\": ["
                        "{\"id\": 11, \"author_id\": 1, \"title\": \"t\", \"year\": 2001}, "
                        "{\"id\": 13, \"author_id\": 1, \"title\": \"t\", \"year\": 2003}]}]");
    free(json);
    assert_ok(corm_rows_to_json(rows, &json, { .no_relations = true, .error = &err }), err);
    assert_string_equal(json, "[{\"id\": 1, \"name\": \"Ann\"}]");
    free(json);
    corm_rows_free(rows);
    corm_db_close(db);
}

static corm_status count_row(void *context, void *item, corm_error *err) {
    (void)item;
    (void)err;
    ++*(int *)context;
    return CORM_OK;
}

static int stream_books(corm_db *db, corm_stream_options options) {
    corm_error   err = { 0 };
    corm_stream *stream;
    int          rows = 0;
    options.model = &books;
    options.data = count_row;
    options.context = &rows;
    options.error = &err;
    assert_ok(corm_stream_open_with(db, &options, &stream), err);
    assert_ok(corm_stream_run(stream, &err), err);
    corm_stream_free(stream);
    return rows;
}

static void scopes_and_deleted_rows_are_those_of_finds(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    book       gone = { .id = 25 };
    write_books(db, 30);
    assert_ok(corm_delete(db, &books, &gone, { .error = &err }), err);
    assert_int_equal(stream_books(db, (corm_stream_options){ .model = NULL }), 19);
    assert_int_equal(stream_books(db, (corm_stream_options){ .unscoped = true }), 29);
    assert_int_equal(stream_books(db, (corm_stream_options){ .scope = { "old" } }), 10);
    assert_int_equal(stream_books(db, (corm_stream_options){ .with_deleted = true }), 20);
    assert_int_equal(
        stream_books(db, (corm_stream_options){ .only_deleted = true, .unscoped = true }), 1);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_written_with_their_rows),
        cmocka_unit_test(relations_that_were_read_are_nested),
        cmocka_unit_test(scopes_and_deleted_rows_are_those_of_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
