// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "corm/relation.h"
#include "orm/orm_for_tests.h"
#include "orm/query_table.h"

typedef struct book {
    int32_t id;
    int32_t writer;
    char   *isbn;
    int64_t big;
} book;
typedef struct writer {
    int32_t id;
    char   *name;
} writer;

#define COL(member) CORM_COLUMN(book, member)
#define BOOK_FIELDS                                                                                \
    { COL(id), .key = CORM_PARTITION }, { COL(writer) }, { COL(isbn), .unique = true }, {          \
        COL(big)                                                                                   \
    }
static const corm_model       books = { .table = "books",
                                        .row_size = sizeof(book),
                                        .fields = { BOOK_FIELDS } };
static const corm_query_table book_tables[] = {
    { .table = "books_by_writer", .partition_key = "writer", .clustering_key = "id" },
    { .table = NULL },
};
#undef COL
#define COL(member) CORM_COLUMN(writer, member)
#define WRITER_FIELDS                                                                              \
    { COL(id), .key = CORM_PARTITION }, {                                                          \
        COL(name)                                                                                  \
    }

static void refused(corm_relation relation, const char *expected) {
    corm_error err = { 0 };
    orm_model *compiled;
    corm_model model = { .table = "writers",
                         .row_size = sizeof(writer),
                         .fields = { WRITER_FIELDS } };
    relation.name = relation.name ? relation.name : "books";
    model.relations[0] = relation;
    assert_int_equal(orm__compile(&model, &compiled, &err), CORM_INVALID_ARGUMENT);
    if (!strstr(err.message, expected)) fail_msg("%s", err.message);
}

static void mistakes_in_relations_are_named_when_the_model_is_compiled(void **state) {
    (void)state;
    refused((corm_relation){ .kind = CORM_HAS_MANY, .foreign_key = "x" }, "needs the other model");
    refused((corm_relation){ .kind = CORM_HAS_MANY, .model = "books" }, "no .foreign_key");
    refused((corm_relation){ .model = "books", .foreign_key = "x" }, "none of corm_relation_kind");
    refused((corm_relation){ .kind = CORM_BELONGS_TO, .model = "books", .foreign_key = "nam" },
            "did you mean 'name'?");
    refused(
        (corm_relation){ .name = "a.b", .kind = CORM_HAS_MANY, .model = "b", .foreign_key = "x" },
        "has a dot");
    refused((corm_relation){ .kind = CORM_MANY_TO_MANY, .model = "b", .foreign_key = "x" },
            "needs the table between");
    refused(
        (corm_relation){ .kind = CORM_HAS_MANY, .model = "b", .foreign_key = "x", .through = "y" },
        "are for many to many");
    refused((corm_relation){ .kind = CORM_BELONGS_TO,
                             .model = "b",
                             .foreign_key = "name",
                             .on_delete = CORM_DELETE_CASCADES },
            "the side that has");
    refused((corm_relation){ .kind = CORM_MANY_TO_MANY,
                             .model = "b",
                             .foreign_key = "x",
                             .through = "y",
                             .other_key = "z",
                             .on_delete = CORM_DELETE_NULLS },
            "CORM_DELETE_CASCADES deletes them");
}

static void found_wrong(const corm_model *book_model, corm_relation relation,
                        const char *expected) {
    corm_error err = { 0 };
    corm_db   *db = open_db();
    UNUSED_HELPERS();
    corm_model model = { .table = "writers",
                         .row_size = sizeof(writer),
                         .fields = { WRITER_FIELDS } };
    corm_rows *rows;
    relation.name = "books";
    model.relations[0] = relation;
    assert_ok(corm_load(db, book_model, &err), err);
    assert_int_equal(corm_load(db, &model, &err), CORM_INVALID_ARGUMENT);
    if (!strstr(err.message, expected)) fail_msg("%s", err.message);
    assert_int_equal(corm_find(db, &model, &rows, { .include = { "books" }, .error = &err }),
                     CORM_INVALID_ARGUMENT);
    if (!strstr(err.message, expected)) fail_msg("%s", err.message);
    corm_db_close(db);
}

static void mistakes_in_the_other_model_are_named_when_both_are_loaded(void **state) {
    (void)state;
    found_wrong(&books,
                (corm_relation){ .kind = CORM_HAS_MANY, .model = "books", .foreign_key = "writr" },
                "did you mean 'writer'?");
    found_wrong(&books,
                (corm_relation){ .kind = CORM_HAS_MANY, .to = &books, .foreign_key = "big" },
                "'big' of 'books' is of type bigint, 'id' of 'writers' is of type int");
    found_wrong(&books,
                (corm_relation){ .kind = CORM_HAS_MANY, .to = &books, .foreign_key = "writer, id" },
                "has 2 columns");
    found_wrong(&books,
                (corm_relation){ .kind = CORM_HAS_MANY, .to = &books, .foreign_key = "writer" },
                "query table { .table = \"books_by_writer\", .partition_key = \"writer\" }");
    found_wrong(&books,
                (corm_relation){ .kind = CORM_HAS_MANY,
                                 .to = &books,
                                 .foreign_key = "id",
                                 .on_delete = CORM_DELETE_NULLS },
                "not of regular columns");
}

static void a_model_that_was_not_loaded_is_named(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    corm_rows *rows;
    corm_model model = { .table = "writers",
                         .row_size = sizeof(writer),
                         .fields = { WRITER_FIELDS } };
    model.relations[0] = (corm_relation){
        .name = "books", .kind = CORM_HAS_MANY, .model = "book", .foreign_key = "writer"
    };
    assert_ok(corm_load(db, &books, &err), err);
    assert_ok(corm_load(db, &model, &err), err);
    assert_int_equal(corm_find(db, &model, &rows, { .include = { "books" }, .error = &err }),
                     CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'books'?"));
    corm_db_close(db);
}

static void a_query_table_makes_a_foreign_key_readable(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    corm_rows *rows;
    corm_model copied = books;
    corm_model model = { .table = "writers",
                         .row_size = sizeof(writer),
                         .fields = { WRITER_FIELDS } };
    copied.query_tables = book_tables;
    model.relations[0] = (corm_relation){
        .name = "books", .kind = CORM_HAS_MANY, .to = &copied, .foreign_key = "writer"
    };
    assert_ok(corm_load(db, &model, &err), err);
    writer w = { 1, "w" };
    assert_ok(corm_insert(db, &model, &w, { .error = &err }), err);
    for (int32_t i = 0; i < 3; i++) {
        char isbn[8] = { (char)('a' + i), '\0' };
        book b = { .id = i, .writer = 1, .isbn = isbn };
        assert_ok(corm_insert(db, &copied, &b, { .error = &err }), err);
    }
    assert_ok(corm_find(db, &model, &rows, { .include = { "books" }, .error = &err }), err);
    assert_int_equal(corm_rows_related(rows, 0, "books").count, 3);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void plans_and_loads_take_query_tables_in(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    char      *plan = NULL;
    corm_model copied = books;
    copied.query_tables = book_tables;
    assert_ok(corm_plan(db, &copied, CORM_MIGRATION_SAFE, &plan, &err), err);
    assert_non_null(strstr(plan, "books_by_writer"));
    free(plan);
    plan = NULL;
    assert_ok(corm_load(db, &copied, &err), err);
    assert_ok(corm_plan(db, &copied, CORM_MIGRATION_SAFE, &plan, &err), err);
    assert_string_equal(plan, "");
    free(plan);
    corm_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_in_relations_are_named_when_the_model_is_compiled),
        cmocka_unit_test(mistakes_in_the_other_model_are_named_when_both_are_loaded),
        cmocka_unit_test(a_model_that_was_not_loaded_is_named),
        cmocka_unit_test(a_query_table_makes_a_foreign_key_readable),
        cmocka_unit_test(plans_and_loads_take_query_tables_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
