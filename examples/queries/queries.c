// SPDX-License-Identifier: MIT
/* queries.c -- a table of notes: scopes, a query put together while the program runs, changes of collections and counters, rows that are
 * deleted and come back, two writers of one row, pages with tokens, a cursor, and what a find costs.
 *
 * Usage: example_queries [URI]; without one a store in memory. */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct note {
    char              *owner;
    int32_t            id;
    char              *text, *state;
    corm_set           tags;
    int64_t            version;
    corm_opt_timestamp deleted_at;
} note;

/* Conditions in static data are said with CORM_TERM. */
static const corm_scope note_scopes[] = {
    { "open", .find = { .where = { CORM_TERM("state", CORM_EQ, CORM_STATIC_TEXT("open")) },
                        .allow_filtering = true } },
    { "newest", .find = { .order_by = { { "id", true } } } },
    { .name = NULL },
};

#define COL(member) CORM_COLUMN(note, member)
static const corm_model notes = {
    .table = "notes",
    .row_size = sizeof(note),
    .fields = {
        { COL(owner), .key = CORM_PARTITION },
        { COL(id), .key = CORM_CLUSTERING },
        { COL(text), .validate = { .required = true } },
        { COL(state) },
        { COL(tags) },
        { COL(version), .role = CORM_ROW_VERSION },
        { COL(deleted_at), .role = CORM_DELETED_AT },
    },
    .scopes = note_scopes,
};
#undef COL

typedef struct view_count {
    char   *owner;
    int64_t views;
} view_count;

#define COL(member) CORM_COLUMN(view_count, member)
static const corm_model views = {
    .table = "note_views",
    .row_size = sizeof(view_count),
    .fields = { { COL(owner), .key = CORM_PARTITION }, { COL(views), .cql = "counter" } },
};
#undef COL

static corm_db *db;

static void must(corm_status status, const corm_error *err, const char *what) {
    if (status == CORM_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(status), err->message);
    exit(1);
}

static void show(const char *what, corm_rows *rows) {
    printf("%s:", what);
    for (CORM_EACH(note, n, rows)) printf(" %d", n->id);
    printf("\n");
    corm_rows_free(rows);
}

static void fill(void) {
    corm_error err = { 0 };
    for (int32_t id = 1; id <= 12; id++) {
        note n = { .owner = "ada", .id = id, .text = "a note", .state = id % 3 ? "open" : "done" };
        must(corm_insert(db, &notes, &n, { .error = &err }), &err, "insert");
    }
}

static void with_scopes(void) {
    corm_error err = { 0 };
    corm_rows *rows;
    must(corm_find(db, &notes, &rows,
                   { .where = { corm_eq("owner", "ada") },
                     .scope = { "open", "newest" },
                     .limit = 4,
                     .error = &err }),
         &err, "find");
    show("newest that are open", rows);
}

/* Each part only when it is wanted; the first mistake of all calls is told at the end. */
static void put_together(const char *state, int32_t from) {
    corm_error    err = { 0 };
    const char   *cql;
    corm_rows    *rows;
    corm_builder *q = corm_select_model(db, &notes);
    corm_builder_where(q, corm_eq("owner", "ada"));
    if (from > 0) corm_builder_where(q, corm_gte("id", from));
    if (state) corm_builder_allow_filtering(corm_builder_where(q, corm_eq("state", state)));
    corm_builder_columns(q, "owner", "id");
    must(corm_builder_cql(q, &cql, &err), &err, "query");
    printf("%s\n", cql);
    must(corm_builder_rows(q, db, &notes, NULL, &rows, &err), &err, "query");
    show("  gives", rows);
    corm_builder_free(q);
}

static void change(void) {
    corm_error err = { 0 };
    note       n = { .owner = "ada", .id = 2, .version = 1 };
    view_count count = { .owner = "ada" };
    corm_rows *rows;
    must(corm_change(
             db, &notes, &n,
             { .edits = { corm_add("tags", "red"), corm_add("tags", "blue") }, .error = &err }),
         &err, "change");
    must(
        corm_change(db, &views, &count, { .edits = { corm_increment("views", 3) }, .error = &err }),
        &err, "count");
    must(corm_find(db, &views, &rows, { .error = &err }), &err, "find");
    printf("note 2 has version %lld and %lld views\n", (long long)n.version,
           (long long)((view_count *)corm_rows_first(rows))->views);
    corm_rows_free(rows);
}

static void delete_and_restore(void) {
    corm_error err = { 0 };
    corm_rows *rows;
    note       n = { .owner = "ada", .id = 4, .version = 1 };
    must(corm_delete(db, &notes, &n, { .error = &err }), &err, "delete");
    must(corm_find(db, &notes, &rows,
                   { .where = { corm_eq("owner", "ada") }, .limit = 5, .error = &err }),
         &err, "find");
    show("without the deleted note", rows);
    must(corm_find(db, &notes, &rows,
                   { .where = { corm_eq("owner", "ada") }, .only_deleted = true, .error = &err }),
         &err, "find");
    n = *(note *)corm_rows_first(rows);
    must(corm_restore(db, &notes, &n, { .error = &err }), &err, "restore");
    printf("note %d is back, with version %lld\n", n.id, (long long)n.version);
    corm_rows_free(rows);
}

static void two_writers(void) {
    corm_error err = { 0 };
    note       mine = { .owner = "ada", .id = 7, .text = "mine", .version = 1 };
    note       theirs = mine;
    must(corm_update(db, &notes, &mine, { .only = { "text" }, .error = &err }), &err, "update");
    theirs.text = "theirs";
    if (corm_update(db, &notes, &theirs, { .only = { "text" }, .error = &err }) ==
        CORM_NOT_APPLIED) {
        printf("%s\n", err.message);
    }
}

/* As a web program would: a token goes out with each page and comes back with the next request. */
static void pages(void) {
    corm_error err = { 0 };
    char      *token = NULL;
    corm_page  page;
    for (int i = 0; i < 3; i++) {
        must(corm_find_page(db, &notes, &page,
                            { .find = { .where = { corm_eq("owner", "ada") } },
                              .size = 5,
                              .token = token,
                              .error = &err }),
             &err, "page");
        printf("page %d of notes %d to %d%s%s\n", i + 1, ((note *)corm_rows_first(page.rows))->id,
               ((note *)corm_rows_at(page.rows, corm_rows_count(page.rows) - 1))->id,
               page.previous ? ", one before" : "", page.next ? ", one behind" : "");
        free(token);
        token = page.next ? strdup(page.next) : NULL;
        corm_page_free(&page);
    }
    free(token);
}

static void walk(void) {
    corm_error   err = { 0 };
    corm_cursor *cursor;
    note         n;
    bool         found = true;
    must(corm_cursor_open(db, &notes, &cursor, { .request = { .page_size = 4 }, .error = &err }),
         &err, "cursor");
    while (found) must(corm_cursor_next(cursor, &n, &found, &err), &err, "cursor");
    printf("the cursor gave %llu notes\n", (unsigned long long)corm_cursor_count(cursor));
    corm_cursor_close(cursor);
}

static void explain(void) {
    corm_error              err = { 0 };
    const corm_explanation *x;
    must(corm_explain(db, &notes, &x, { .where = { corm_eq("state", "open") }, .error = &err }),
         &err, "explain");
    printf("%s", corm_explanation_text(x));
    corm_explanation_free(x);
}

int main(int argc, char **argv) {
    corm_error err = { 0 };
    must(corm_open(&db, argc > 1 ? argv[1] : "corm::memory:",
                   { .session = { .keyspace = "notes", .create_keyspace = true }, .error = &err }),
         &err, "open");
    fill();
    with_scopes();
    put_together(NULL, 0);
    put_together("done", 5);
    change();
    delete_and_restore();
    two_writers();
    pages();
    walk();
    explain();
    corm_db_close(db);
    return 0;
}
