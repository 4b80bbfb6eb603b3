// SPDX-License-Identifier: MIT
/* Rows behind a row, pages with tokens, and cursors, on the door that is tested. */
#include <stdlib.h>
#include <string.h>

#include "corm/query.h"
#include "orm/orm_for_tests.h"

typedef struct entry {
    int32_t            k, a, b;
    char              *text;
    int32_t            n;
    corm_opt_timestamp deleted_at;
} entry;

#define COL(member) CORM_COLUMN(entry, member)
static const corm_model entries = {
    .table = "entries",
    .row_size = sizeof(entry),
    .fields = { { COL(k), .key = CORM_PARTITION },
                { COL(a), .key = CORM_CLUSTERING },
                { COL(b), .key = CORM_CLUSTERING_DESC },
                { COL(text) },
                { COL(n) },
                { COL(deleted_at), .role = CORM_DELETED_AT } },
};
#undef COL

typedef struct flat {
    int32_t id;
    int32_t n;
} flat;

#define COL(member) CORM_COLUMN(flat, member)
static const corm_model flats = {
    .table = "flats",
    .row_size = sizeof(flat),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(n) } },
};
#undef COL

static void put(corm_db *db, int32_t k, int32_t a, int32_t b) {
    corm_error err = { 0 };
    entry      e = { .k = k, .a = a, .b = b, .text = "t", .n = (k + a + b) % 3 };
    assert_ok(corm_insert(db, &entries, &e, { .if_not_exists = false, .error = &err }), err);
}

/* Partitions 1 … 4; in each a = 1 … 3, b = 1 … 4; partition 3 is ten times as large. */
static corm_db *open_entries(void) {
    corm_db *db = open_db();
    for (int32_t k = 1; k <= 4; k++) {
        for (int32_t a = 1; a <= 3; a++) {
            for (int32_t b = 1; b <= (k == 3 ? 40 : 4); b++) put(db, k, a, b);
        }
    }
    return db;
}

enum { MOST = 512 };

typedef struct seen {
    uint32_t count;
    int32_t  ids[MOST]; /* k * 10000 + a * 100 + b */
} seen;

static void note(seen *s, const entry *e) {
    assert_true(s->count < MOST);
    s->ids[s->count++] = e->k * 10000 + e->a * 100 + e->b;
}

static void note_all(seen *s, corm_rows *rows) {
    for (CORM_EACH(entry, e, rows)) note(s, e);
}

static void assert_same(const seen *a, const seen *b) {
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) assert_int_equal(a->ids[i], b->ids[i]);
}

static void find_all(corm_db *db, corm_find_options find, seen *out) {
    corm_error err = { 0 };
    corm_rows *rows;
    find.error = &err;
    out->count = 0;
    assert_ok(corm_find_with(db, &entries, &rows, &find), err);
    note_all(out, rows);
    corm_rows_free(rows);
}

/* Walks forwards to the end and back to the beginning, and holds both against the whole. */
static void walk(corm_db *db, corm_find_options find, uint32_t size) {
    corm_error err = { 0 };
    seen       whole, there = { .count = 0 }, back = { .count = 0 };
    corm_page  page;
    char      *token = NULL;
    find_all(db, find, &whole);
    uint32_t pages = 0;
    for (;;) {
        assert_ok(corm_find_page(db, &entries, &page,
                                 { .find = find, .size = size, .token = token, .error = &err }),
                  err);
        free(token);
        assert_true(corm_rows_count(page.rows) <= size);
        note_all(&there, page.rows);
        pages++;
        if (!page.next) break;
        assert_int_equal(corm_rows_count(page.rows), size);
        token = strdup(page.next);
        corm_page_free(&page);
    }
    assert_same(&there, &whole);
    assert_int_equal(pages, whole.count == 0 ? 1 : (whole.count + size - 1) / size);
    seen last = { .count = 0 };
    note_all(&last, page.rows);
    while (page.previous) {
        token = strdup(page.previous);
        corm_page_free(&page);
        assert_ok(corm_find_page(db, &entries, &page,
                                 { .find = find, .size = size, .token = token, .error = &err }),
                  err);
        free(token);
        assert_non_null(page.next);
        assert_int_equal(corm_rows_count(page.rows), size);
        pages--;
        for (uint32_t i = corm_rows_count(page.rows); i > 0; i--)
            note(&back, corm_rows_at(page.rows, i - 1));
    }
    corm_page_free(&page);
    assert_int_equal(pages, 1);
    assert_int_equal(back.count + last.count, whole.count);
    for (uint32_t i = 0; i < back.count; i++)
        assert_int_equal(back.ids[i], whole.ids[back.count - 1 - i]);
}

static void pages_of_a_partition_go_both_ways(void **state) {
    (void)state;
    corm_db *db = open_entries();
    walk(db, (corm_find_options){ .where = { corm_eq("k", 3) } }, 7);
    walk(db, (corm_find_options){ .where = { corm_eq("k", 3) }, .order_by = { { "a", true } } },
         11);
    walk(db, (corm_find_options){ .where = { corm_eq("k", 1) } }, 3);
    walk(db, (corm_find_options){ .where = { corm_eq("k", 1) } }, 50);
    walk(db, (corm_find_options){ .where = { corm_eq("k", 9) } }, 5);
    corm_db_close(db);
}

static void pages_keep_their_conditions(void **state) {
    (void)state;
    corm_db *db = open_entries();
    walk(db, (corm_find_options){ .where = { corm_eq("k", 3), corm_gte("a", 2) } }, 7);
    walk(db,
         (corm_find_options){
             .where = { corm_eq("k", 3), corm_eq("a", 2), corm_between("b", 5, 30) } },
         4);
    walk(db,
         (corm_find_options){ .where = { corm_eq("k", 3), corm_in("a", corm_v(1), corm_v(3)) } },
         9);
    walk(db,
         (corm_find_options){ .where = { corm_eq("k", 3), corm_eq("n", 1) },
                              .allow_filtering = true },
         6);
    walk(db,
         (corm_find_options){ .where = { corm_eq("k", 3), corm_ne("n", 1) },
                              .select = { "n", "a", "b", "k" } },
         6);
    corm_db_close(db);
}

static void pages_of_the_whole_table_go_both_ways(void **state) {
    (void)state;
    corm_db *db = open_entries();
    walk(db, (corm_find_options){ .limit = 0 }, 13);
    walk(db, (corm_find_options){ .where = { corm_eq("n", 2) }, .allow_filtering = true }, 5);
    corm_db_close(db);
}

static void rows_that_are_not_shown_do_not_count(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_entries();
    for (int32_t b = 1; b <= 40; b += 2) {
        entry e = { .k = 3, .a = 2, .b = b };
        assert_ok(corm_delete(db, &entries, &e, { .error = &err }), err);
    }
    walk(db, (corm_find_options){ .where = { corm_eq("k", 3) } }, 8);
    walk(db, (corm_find_options){ .where = { corm_eq("k", 3) }, .only_deleted = true }, 6);
    corm_db_close(db);
}

static void pages_are_stable_when_rows_come_and_go(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_entries();
    corm_page  first, second, again;
    assert_ok(
        corm_find_page(db, &entries, &first,
                       { .find = { .where = { corm_eq("k", 1) } }, .size = 4, .error = &err }),
        err);
    entry *last = corm_rows_at(first.rows, 3);
    assert_int_equal(last->a, 1);
    assert_int_equal(last->b, 1);
    put(db, 1, 0, 9); /* before the page */
    entry gone = *last;
    assert_ok(corm_delete_for_good(db, &entries, &gone, { .error = &err }), err);
    assert_ok(corm_find_page(db, &entries, &second,
                             { .find = { .where = { corm_eq("k", 1) } },
                               .size = 4,
                               .token = first.next,
                               .error = &err }),
              err);
    entry *next = corm_rows_first(second.rows);
    assert_int_equal(next->a, 2);
    assert_int_equal(next->b, 4);
    assert_ok(corm_find_page(db, &entries, &again,
                             { .find = { .where = { corm_eq("k", 1) } },
                               .size = 4,
                               .token = second.previous,
                               .error = &err }),
              err);
    entry *begin = corm_rows_first(again.rows);
    assert_int_equal(corm_rows_count(again.rows), 4);
    assert_int_equal(begin->a, 0);
    assert_null(again.previous);
    corm_page_free(&first);
    corm_page_free(&second);
    corm_page_free(&again);
    corm_db_close(db);
}

static void a_token_opens_for_its_own_find_only(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_entries();
    corm_page  page, other;
    assert_ok(
        corm_find_page(db, &entries, &page,
                       { .find = { .where = { corm_eq("k", 1) } }, .size = 4, .error = &err }),
        err);
    assert_status(
        corm_find_page(
            db, &entries, &other,
            { .find = { .where = { corm_eq("k", 2) } }, .token = page.next, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(corm_find_page(db, &entries, &other,
                                 { .find = { .where = { corm_eq("k", 1) }, .with_deleted = true },
                                   .token = page.next,
                                   .error = &err }),
                  CORM_INVALID_ARGUMENT);
    page.next[20] = page.next[20] == 'A' ? 'B' : 'A';
    assert_status(
        corm_find_page(
            db, &entries, &other,
            { .find = { .where = { corm_eq("k", 1) } }, .token = page.next, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_null(other.rows);
    assert_status(corm_find_page(db, &entries, &other, { .find = { .limit = 3 }, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    corm_page_free(&page);
    corm_db_close(db);
}

static void a_flat_table_is_paged_both_ways(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    bool       seen_id[100] = { false };
    for (int32_t i = 0; i < 100; i++) {
        flat f = { i, i };
        assert_ok(corm_insert(db, &flats, &f, { .error = &err }), err);
    }
    corm_page page;
    char     *token = NULL;
    int       count = 0;
    int32_t   first = -1;
    do {
        assert_ok(corm_find_page(db, &flats, &page, { .size = 30, .token = token, .error = &err }),
                  err);
        free(token);
        token = page.next ? strdup(page.next) : NULL;
        for (CORM_EACH(flat, f, page.rows)) {
            if (first < 0) first = f->id;
            assert_false(seen_id[f->id]);
            seen_id[f->id] = true;
            count++;
        }
        if (token) corm_page_free(&page);
    } while (token);
    assert_int_equal(count, 100);
    int32_t begin = -1;
    while (page.previous) {
        token = strdup(page.previous);
        corm_page_free(&page);
        assert_ok(corm_find_page(db, &flats, &page, { .size = 30, .token = token, .error = &err }),
                  err);
        free(token);
        assert_int_equal(corm_rows_count(page.rows), 30);
        begin = ((flat *)corm_rows_first(page.rows))->id;
    }
    assert_int_equal(begin, first);
    corm_page_free(&page);
    corm_db_close(db);
}

static void rows_behind_a_row_are_found(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_entries();
    corm_rows *rows;
    corm_value key[] = { corm_v(1), corm_v(2), corm_v(3) };
    assert_ok(corm_find(db, &entries, &rows,
                        { .where = { corm_eq("k", 1) },
                          .after = key,
                          .after_count = 3,
                          .limit = 3,
                          .error = &err }),
              err);
    seen s = { .count = 0 };
    note_all(&s, rows);
    corm_rows_free(rows);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.ids[0], 10202);
    assert_int_equal(s.ids[1], 10201);
    assert_int_equal(s.ids[2], 10304);
    uint64_t count;
    assert_ok(corm_count(db, &entries, &count,
                         { .where = { corm_eq("k", 1) },
                           .after = key,
                           .after_count = 3,
                           .after_included = true,
                           .error = &err }),
              err);
    assert_int_equal(count, 7);
    assert_status(corm_find(db, &entries, &rows, { .after = key, .after_count = 2, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_status(corm_find(db, &entries, &rows,
                            { .after = key, .after_count = 3, .offset = 1, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_status(corm_find(db, &entries, &rows,
                            { .where = { corm_in("k", corm_v(1)) },
                              .after = key,
                              .after_count = 3,
                              .error = &err }),
                  CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

static void tokens_are_opened_by_every_process_with_the_key(void **state) {
    (void)state;
    static const uint8_t key[32] = { 1, 2, 3 };
    corm_error           err = { 0 };
    corm_page            page;
    corm_db *db = open_db_with((corm_db_options){ .session = { .page_token_key = key } });
    for (int32_t b = 1; b <= 4; b++) put(db, 1, 1, b);
    assert_ok(
        corm_find_page(db, &entries, &page,
                       { .find = { .where = { corm_eq("k", 1) } }, .size = 2, .error = &err }),
        err);
    char *token = strdup(page.next);
    corm_page_free(&page);
    corm_db_close(db);
    db = open_db_with((corm_db_options){ .session = { .page_token_key = key } });
    for (int32_t b = 1; b <= 4; b++) put(db, 1, 1, b);
    assert_ok(
        corm_find_page(
            db, &entries, &page,
            { .find = { .where = { corm_eq("k", 1) } }, .size = 2, .token = token, .error = &err }),
        err);
    assert_int_equal(((entry *)corm_rows_first(page.rows))->b, 2);
    corm_page_free(&page);
    corm_db_close(db);
    db = open_entries();
    assert_status(
        corm_find_page(
            db, &entries, &page,
            { .find = { .where = { corm_eq("k", 1) } }, .size = 2, .token = token, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
    free(token);
}

/* ---- cursors ---- */

static void a_cursor_gives_every_row_once(void **state) {
    (void)state;
    corm_error   err = { 0 };
    corm_db     *db = open_entries();
    corm_cursor *cursor;
    seen         whole, got = { .count = 0 };
    entry        e;
    bool         found;
    find_all(db, (corm_find_options){ .where = { corm_eq("k", 3) } }, &whole);
    assert_ok(corm_cursor_open(
                  db, &entries, &cursor,
                  { .where = { corm_eq("k", 3) }, .request = { .page_size = 7 }, .error = &err }),
              err);
    for (;;) {
        assert_ok(corm_cursor_next(cursor, &e, &found, &err), err);
        if (!found) break;
        assert_string_equal(e.text, "t");
        assert_false(corm_cursor_is_null(cursor, "text"));
        note(&got, &e);
        if (got.count == 10) put(db, 2, 9, 9);
    }
    assert_same(&got, &whole);
    assert_int_equal(corm_cursor_count(cursor), 120);
    corm_cursor_close(cursor);
    corm_cursor_close(NULL);
    corm_db_close(db);
}

static void a_cursor_has_limits_and_conditions(void **state) {
    (void)state;
    corm_error        err = { 0 };
    corm_db          *db = open_entries();
    corm_cursor      *cursor;
    seen              whole, got = { .count = 0 };
    entry             e;
    bool              found = true;
    corm_find_options find = {
        .where = { corm_ne("n", 1) }, .offset = 3, .limit = 50, .request = { .page_size = 9 }
    };
    find_all(db, find, &whole);
    find.error = &err;
    assert_ok(corm_cursor_open_with(db, &entries, &cursor, &find), err);
    while (found) {
        assert_ok(corm_cursor_next(cursor, &e, &found, &err), err);
        if (found) note(&got, &e);
    }
    assert_int_equal(got.count, 50);
    assert_same(&got, &whole);
    corm_cursor_close(cursor);
    assert_status(
        corm_cursor_open(db, &entries, &cursor, { .order_by = { { "n", false } }, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_null(cursor);
    assert_status(corm_cursor_open(db, &entries, &cursor, { .include = { "none" }, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    corm_value key[] = { corm_v(1), corm_v(2), corm_v(3) };
    assert_status(
        corm_delete_where(
            db, &entries,
            { .where = { corm_eq("k", 1) }, .after = key, .after_count = 3, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

/* ---- query tables ---- */

#define COL(member) CORM_COLUMN(entry, member)
static const corm_query_table copy_tables[] = {
    { "entries_by_text", .partition_key = "text", .clustering_key = "n DESC, k, a, b" },
    { .table = NULL },
};
static const corm_model copied = {
    .table = "copied",
    .row_size = sizeof(entry),
    .fields = { { COL(k), .key = CORM_PARTITION },
                { COL(a), .key = CORM_CLUSTERING },
                { COL(b), .key = CORM_CLUSTERING },
                { COL(text) },
                { COL(n) } },
    .query_tables = copy_tables,
};
#undef COL

static void pages_of_a_query_table_have_its_order(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    corm_page  page;
    char      *token = NULL;
    int32_t    last = 100, count = 0;
    for (int32_t i = 0; i < 20; i++) {
        entry e = { .k = i % 3, .a = i, .b = 1, .text = "t", .n = i };
        assert_ok(corm_insert(db, &copied, &e, { .error = &err }), err);
    }
    do {
        assert_ok(corm_find_page(db, &copied, &page,
                                 { .find = { .where = { corm_eq("text", "t") } },
                                   .size = 6,
                                   .token = token,
                                   .error = &err }),
                  err);
        free(token);
        token = page.next ? strdup(page.next) : NULL;
        for (CORM_EACH(entry, e, page.rows)) {
            assert_true(e->n < last);
            last = e->n;
            count++;
        }
        if (token) corm_page_free(&page);
    } while (token);
    assert_int_equal(count, 20);
    token = strdup(page.previous);
    corm_page_free(&page);
    assert_ok(corm_find_page(db, &copied, &page,
                             { .find = { .where = { corm_eq("text", "t") } },
                               .size = 6,
                               .token = token,
                               .error = &err }),
              err);
    free(token);
    assert_int_equal(((entry *)corm_rows_first(page.rows))->n, 7);
    corm_page_free(&page);
    corm_db_close(db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pages_of_a_partition_go_both_ways),
    cmocka_unit_test(pages_keep_their_conditions),
    cmocka_unit_test(pages_of_the_whole_table_go_both_ways),
    cmocka_unit_test(rows_that_are_not_shown_do_not_count),
    cmocka_unit_test(pages_are_stable_when_rows_come_and_go),
    cmocka_unit_test(a_token_opens_for_its_own_find_only),
    cmocka_unit_test(a_flat_table_is_paged_both_ways),
    cmocka_unit_test(rows_behind_a_row_are_found),
    cmocka_unit_test(tokens_are_opened_by_every_process_with_the_key),
    cmocka_unit_test(a_cursor_gives_every_row_once),
    cmocka_unit_test(a_cursor_has_limits_and_conditions),
    cmocka_unit_test(pages_of_a_query_table_have_its_order),
};

int main(void) {
    UNUSED_HELPERS();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
