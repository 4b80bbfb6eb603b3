// SPDX-License-Identifier: MIT
/* Rows that are deleted by a time, versions, scopes and changes, on the door that is tested. */
#include <pthread.h>
#include <string.h>

#include "orm/orm_for_tests.h"

typedef struct note {
    int32_t            owner, id;
    char              *text;
    int64_t            stars;
    corm_opt_timestamp deleted_at;
} note;

#define COL(member) CORM_COLUMN(note, member)
static const corm_scope note_scopes[] = {
    { "starred", .find = { .where = { CORM_TERM("stars", CORM_GTE, CORM_STATIC_INT(1)) },
                           .allow_filtering = true } },
    { "many", .find = { .where = { CORM_TERM("stars", CORM_GTE, CORM_STATIC_BIGINT(5)) },
                        .allow_filtering = true } },
    { "newest", .find = { .order_by = { { "id", true } }, .limit = 2 } },
    { .name = NULL },
};
static const corm_model notes = {
    .table = "notes",
    .row_size = sizeof(note),
    .fields = { { COL(owner), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(text) },
                { COL(stars) },
                { COL(deleted_at), .role = CORM_DELETED_AT } },
    .scopes = note_scopes,
};
#undef COL

static void add(corm_db *db, int32_t owner, int32_t id, int64_t stars) {
    corm_error err = { 0 };
    note       n = { .owner = owner, .id = id, .text = "text", .stars = stars };
    assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
}

/* Owners 1 and 2 with notes 1 … 9 each, of which the even ones are deleted. */
static corm_db *open_notes(void) {
    corm_error err = { 0 };
    corm_db   *db = open_db();
    for (int32_t owner = 1; owner <= 2; owner++) {
        for (int32_t id = 1; id <= 9; id++) {
            add(db, owner, id, id);
            note n = { .owner = owner, .id = id };
            if (id % 2 == 0) assert_ok(corm_delete(db, &notes, &n, { .error = &err }), err);
        }
    }
    return db;
}

/* "1.3 1.5 …": owner and id of the rows. */
static const char *ids(corm_rows *rows) {
    static char text[512];
    text[0] = '\0';
    for (CORM_EACH(note, n, rows)) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%d.%d", len ? " " : "", n->owner, n->id);
    }
    corm_rows_free(rows);
    return text;
}

#define assert_found(db, expected, ...)                                                            \
    do {                                                                                           \
        corm_rows        *rows_;                                                                   \
        corm_error        err_ = { 0 };                                                            \
        corm_find_options options_ = __VA_ARGS__;                                                  \
        options_.error = &err_;                                                                    \
        assert_ok(corm_find_with((db), &notes, &rows_, &options_), err_);                          \
        assert_string_equal(ids(rows_), (expected));                                               \
    } while (0)

static void deleted_rows_are_passed_over_until_they_are_restored(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_notes();
    assert_found(db, "1.1 1.3 1.5 1.7 1.9", { .where = { corm_eq("owner", 1) } });
    assert_found(db, "1.2 1.4 1.6 1.8", { .where = { corm_eq("owner", 1) }, .only_deleted = true });
    assert_found(db, "1.1 1.2 1.3",
                 { .where = { corm_eq("owner", 1), corm_lte("id", 3) }, .with_deleted = true });
    note back = { .owner = 1, .id = 4, .deleted_at = { CORM_PRESENT, { 5 } } };
    assert_ok(corm_restore(db, &notes, &back, { .error = &err }), err);
    assert_int_not_equal(back.deleted_at.presence, CORM_PRESENT);
    assert_found(db, "1.3 1.4 1.5", { .where = { corm_eq("owner", 1), corm_between("id", 2, 6) } });
    corm_rows *rows;
    corm_value key[] = { corm_v(1), corm_v(2) };
    assert_ok(corm_find_key(db, &notes, &rows, key, 2, &err), err);
    assert_int_equal(corm_rows_count(rows), 0);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_limit_an_offset_and_a_count_are_of_rows_that_are_shown(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_notes();
    uint64_t   count;
    bool       exists;
    assert_found(db, "1.1 1.3 1.5", { .where = { corm_eq("owner", 1) }, .limit = 3 });
    assert_found(db, "1.5 1.7", { .where = { corm_eq("owner", 1) }, .offset = 2, .limit = 2 });
    assert_found(db, "1.9 1.7",
                 { .where = { corm_eq("owner", 1) },
                   .order_by = { { "id", true } },
                   .limit = 2,
                   .request = { .page_size = 2 } });
    assert_found(db, "1.1 1.3 2.1 2.3",
                 { .where = { corm_in("owner", corm_v(1), corm_v(2)) },
                   .per_partition_limit = 2,
                   .select = { "id", "owner" },
                   .request = { .page_size = 3 } });
    assert_ok(corm_count(db, &notes, &count, { .error = &err }), err);
    assert_int_equal(count, 10);
    assert_ok(corm_count(db, &notes, &count,
                         { .only_deleted = true, .request = { .page_size = 3 }, .error = &err }),
              err);
    assert_int_equal(count, 8);
    assert_ok(corm_exists(db, &notes, &exists,
                          { .where = { corm_eq("owner", 1), corm_eq("id", 2) }, .error = &err }),
              err);
    assert_false(exists);
    assert_ok(corm_exists(db, &notes, &exists,
                          { .where = { corm_eq("owner", 1), corm_eq("id", 2) },
                            .with_deleted = true,
                            .error = &err }),
              err);
    assert_true(exists);
    corm_db_close(db);
}

static void a_row_that_is_deleted_for_good_is_gone(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_notes();
    note       n = { .owner = 1, .id = 3 };
    assert_ok(corm_delete_for_good(db, &notes, &n, { .error = &err }), err);
    n.id = 4;
    assert_ok(corm_delete(db, &notes, &n, { .force = true, .error = &err }), err);
    assert_found(db, "1.1 1.2 1.5 1.6",
                 { .where = { corm_eq("owner", 1) }, .with_deleted = true, .limit = 4 });
    corm_db_close(db);
}

static void an_insert_over_a_deleted_row_makes_one_that_is_not(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_notes();
    add(db, 1, 2, 7);
    assert_found(db, "1.1 1.2 1.3", { .where = { corm_eq("owner", 1) }, .limit = 3 });
    note n = { .owner = 1, .id = 4 };
    assert_status(corm_insert(db, &notes, &n, { .if_not_exists = true, .error = &err }),
                  CORM_NOT_APPLIED);
    corm_db_close(db);
}

static void a_delete_by_a_time_asks_its_conditions(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_notes();
    note       n = { .owner = 1, .id = 3 };
    assert_status(
        corm_delete(db, &notes, &n, { .condition = { corm_eq("stars", 9) }, .error = &err }),
        CORM_NOT_APPLIED);
    assert_ok(corm_delete(db, &notes, &n, { .condition = { corm_eq("stars", 3) }, .error = &err }),
              err);
    n.id = 99;
    assert_status(corm_delete(db, &notes, &n, { .if_exists = true, .error = &err }),
                  CORM_NOT_APPLIED);
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_UNLOGGED);
    n.id = 5;
    assert_ok(corm_batch_delete(batch, db, &notes, &n, NULL), err);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    corm_batch_free(batch);
    assert_found(db, "1.1 1.7 1.9", { .where = { corm_eq("owner", 1) } });
    corm_db_close(db);
}

static void mistakes_with_deleted_rows_are_told(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    corm_rows *rows;
    user       u = { .email = "a@b.cc", .name = "Ada" };
    assert_status(corm_find(db, &users, &rows, { .only_deleted = true, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "no field has the role CORM_DELETED_AT"));
    assert_status(corm_restore(db, &users, &u, { .error = &err }), CORM_INVALID_ARGUMENT);
    assert_status(
        corm_find(db, &notes, &rows, { .only_deleted = true, .with_deleted = true, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

/* ---- scopes ---- */

static void scopes_add_their_conditions(void **state) {
    (void)state;
    corm_db *db = open_notes();
    assert_found(db, "1.5 1.7 1.9", { .where = { corm_eq("owner", 1) }, .scope = { "many" } });
    assert_found(db, "1.9 1.7",
                 { .where = { corm_eq("owner", 1) }, .scope = { "starred", "many", "newest" } });
    assert_found(db, "1.9",
                 { .where = { corm_eq("owner", 1) }, .scope = { "newest" }, .limit = 1 });
    assert_found(db, "1.7",
                 { .where = { corm_eq("owner", 1), corm_lt("stars", 8) },
                   .scope = { "newest", "many" },
                   .limit = 1 });
    corm_error err = { 0 };
    uint64_t   count;
    assert_ok(corm_count(db, &notes, &count,
                         { .where = { corm_eq("owner", 1) }, .scope = { "many" }, .error = &err }),
              err);
    assert_int_equal(count, 3);
    corm_rows *rows;
    assert_status(corm_find(db, &notes, &rows, { .scope = { "stared" }, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'starred'?"));
    corm_db_close(db);
}

static const corm_scope default_scopes[] = {
    { "of_one", true, { .where = { CORM_TERM("owner", CORM_EQ, CORM_STATIC_INT(1)) } } },
    { "low", .find = { .where = { CORM_TERM("id", CORM_LT, CORM_STATIC_TEXT("4")) } } },
    { .name = NULL },
};

static void a_default_scope_holds_unless_it_is_declined(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_notes();
    corm_model scoped = notes;
    corm_rows *rows;
    scoped.scopes = default_scopes;
    assert_ok(corm_find(db, &scoped, &rows, { .scope = { "low" }, .error = &err }), err);
    assert_string_equal(ids(rows), "1.1 1.3");
    assert_ok(corm_find(db, &scoped, &rows,
                        { .where = { corm_eq("owner", 2) },
                          .scope = { "low" },
                          .unscoped = true,
                          .error = &err }),
              err);
    assert_string_equal(ids(rows), "2.1 2.3");
    uint64_t count;
    assert_ok(corm_count(db, &scoped, &count, { .error = &err }), err);
    assert_int_equal(count, 5);
    corm_db_close(db);
}

static void too_many_conditions_are_an_error(void **state) {
    (void)state;
    corm_error        err = { 0 };
    corm_db          *db = open_notes();
    corm_find_options options = { .scope = { "many" }, .error = &err };
    corm_rows        *rows;
    for (int i = 0; i < CORM_MAX_TERMS; i++) options.where[i] = (corm_term)corm_gte("stars", i);
    assert_status(corm_find_with(db, &notes, &rows, &options), CORM_INVALID_ARGUMENT);
    assert_string_equal(err.message,
                        "model 'notes': with the scope 'many' there are more than 16 conditions");
    corm_db_close(db);
}

/* ---- versions ---- */

typedef struct page {
    int32_t        id;
    char          *title;
    int64_t        version;
    corm_timestamp deleted_at;
    corm_timestamp changed_at;
    corm_set       tags;
} page;

#define COL(member) CORM_COLUMN(page, member)
static const corm_model pages = {
    .table = "pages",
    .row_size = sizeof(page),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(title), .validate = { .max_length = 20 } },
                { COL(version), .role = CORM_ROW_VERSION },
                { COL(deleted_at), .role = CORM_DELETED_AT },
                { COL(changed_at), .generate = CORM_EACH_NOW },
                { COL(tags) } },
};
#undef COL

static void the_second_writer_is_told(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    page       mine = { .id = 1, .title = "one" };
    assert_ok(corm_insert(db, &pages, &mine, { .error = &err }), err);
    assert_int_equal(mine.version, 1);
    page theirs = mine;
    mine.title = "mine";
    assert_ok(corm_update(db, &pages, &mine, { .error = &err }), err);
    assert_int_equal(mine.version, 2);
    theirs.title = "theirs";
    assert_status(corm_update(db, &pages, &theirs, { .error = &err }), CORM_NOT_APPLIED);
    assert_string_equal(
        err.message,
        "model 'pages': another writer was first: version 1 was expected, 2 was found");
    assert_int_equal(theirs.version, 1);
    assert_status(corm_delete(db, &pages, &theirs, { .force = true, .error = &err }),
                  CORM_NOT_APPLIED);
    assert_status(corm_delete(db, &pages, &theirs, { .error = &err }), CORM_NOT_APPLIED);
    assert_ok(corm_save(db, &pages, &mine, { .error = &err }), err);
    assert_int_equal(mine.version, 3);
    assert_ok(corm_delete(db, &pages, &mine, { .error = &err }), err);
    mine.version = 4;
    assert_ok(corm_restore(db, &pages, &mine, { .error = &err }), err);
    assert_int_equal(mine.version, 5);
    assert_ok(corm_delete_for_good(db, &pages, &mine, { .error = &err }), err);
    assert_status(corm_update(db, &pages, &mine, { .error = &err }), CORM_NOT_APPLIED);
    assert_string_equal(err.message, "model 'pages': the row with version 5 does not exist");
    corm_db_close(db);
}

static void inserts_of_rows_with_versions_are_conditional(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    page       a = { .id = 1, .title = "a" }, b = { .id = 1, .title = "b" };
    assert_ok(corm_upsert(db, &pages, &a, { .error = &err }), err);
    assert_status(corm_insert(db, &pages, &b, { .error = &err }), CORM_NOT_APPLIED);
    assert_int_equal(b.version, 0);
    assert_status(corm_save(db, &pages, &b, { .error = &err }), CORM_NOT_APPLIED);
    assert_status(
        corm_update(db, &pages, &a, { .condition = { corm_eq("title", "z") }, .error = &err }),
        CORM_NOT_APPLIED);
    assert_non_null(strstr(err.message, "a condition does not hold"));
    assert_ok(
        corm_update(db, &pages, &a,
                    { .condition = { corm_eq("title", "a") }, .if_exists = false, .error = &err }),
        err);
    assert_int_equal(a.version, 2);
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    assert_status(corm_batch_update(batch, db, &pages, &a, NULL), CORM_UNSUPPORTED);
    corm_batch_free(batch);
    corm_db_close(db);
}

static void changes_count_versions_too(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    page       a = { .id = 1, .title = "a" };
    assert_ok(corm_insert(db, &pages, &a, { .error = &err }), err);
    page old = a;
    assert_ok(corm_change(db, &pages, &a,
                          { .edits = { corm_add("tags", "x"), corm_assign("title", "new") },
                            .error = &err }),
              err);
    assert_int_equal(a.version, 2);
    assert_string_equal(a.title, "a");
    assert_status(
        corm_change(db, &pages, &old, { .edits = { corm_add("tags", "y") }, .error = &err }),
        CORM_NOT_APPLIED);
    corm_rows *rows;
    assert_ok(corm_find(db, &pages, &rows, { .error = &err }), err);
    page *found = corm_rows_first(rows);
    assert_string_equal(found->title, "new");
    assert_int_equal(found->tags.count, 1);
    assert_true(found->changed_at.ms >= a.changed_at.ms - 1);
    corm_rows_free(rows);
    assert_status(corm_change(db, &pages, &a,
                              { .edits = { corm_assign("title", "a text of more than twenty") },
                                .error = &err }),
                  CORM_VALIDATION);
    assert_status(
        corm_change(db, &pages, &a, { .edits = { corm_assign("version", 7) }, .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

/* ---- with unique columns ---- */

typedef struct member {
    int32_t        id;
    char          *email;
    int32_t        version;
    corm_timestamp deleted_at;
} member;

#define COL(member_) CORM_COLUMN(member, member_)
static const corm_model members = {
    .table = "members",
    .row_size = sizeof(member),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(email), .unique = true },
                { COL(version), .role = CORM_ROW_VERSION },
                { COL(deleted_at), .role = CORM_DELETED_AT } },
};
#undef COL

static void unique_values_of_deleted_rows_stay_theirs(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    member     ada = { .id = 1, .email = "ada@example.com" };
    member     bob = { .id = 2, .email = "ada@example.com" };
    corm_rows *rows;
    assert_ok(corm_insert(db, &members, &ada, { .error = &err }), err);
    assert_ok(corm_delete(db, &members, &ada, { .error = &err }), err);
    assert_status(corm_insert(db, &members, &bob, { .error = &err }), CORM_NOT_UNIQUE);
    assert_ok(
        corm_find(db, &members, &rows, { .where = { corm_eq("email", ada.email) }, .error = &err }),
        err);
    assert_int_equal(corm_rows_count(rows), 0);
    corm_rows_free(rows);
    assert_ok(
        corm_find(
            db, &members, &rows,
            { .where = { corm_eq("email", ada.email) }, .with_deleted = true, .error = &err }),
        err);
    assert_int_equal(corm_rows_count(rows), 1);
    ada = *(member *)corm_rows_first(rows);
    assert_int_equal(ada.version, 2);
    assert_ok(corm_restore(db, &members, &ada, { .error = &err }), err);
    assert_int_equal(ada.deleted_at.ms, 0);
    assert_ok(corm_delete_for_good(db, &members, &ada, { .error = &err }), err);
    corm_rows_free(rows);
    assert_ok(corm_insert(db, &members, &bob, { .error = &err }), err);
    corm_db_close(db);
}

static void a_value_is_given_back_when_the_version_was_another(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    member     ada = { .id = 1, .email = "ada@example.com" },
           bob = { .id = 2, .email = "new@example.com" };
    assert_ok(corm_insert(db, &members, &ada, { .error = &err }), err);
    member old = ada;
    assert_ok(corm_update(db, &members, &ada, { .error = &err }), err);
    old.email = "new@example.com";
    assert_status(corm_update(db, &members, &old, { .error = &err }), CORM_NOT_APPLIED);
    assert_ok(corm_insert(db, &members, &bob, { .error = &err }), err);
    corm_db_close(db);
}

/* ---- many writers ---- */

enum { WRITERS = 4, TURNS = 10 };

static void *write_turns(void *context) {
    corm_db *db = context;
    for (int done = 0; done < TURNS;) {
        corm_error err = { 0 };
        corm_rows *rows;
        corm_value key = corm_v(1);
        if (corm_find_key(db, &pages, &rows, &key, 1, &err) != CORM_OK) return (void *)db;
        page        p = *(page *)corm_rows_first(rows);
        corm_status status = corm_update(db, &pages, &p, { .only = { "title" }, .error = &err });
        corm_rows_free(rows);
        if (status == CORM_OK) done++;
        bool again =
            status == CORM_OK || status == CORM_NOT_APPLIED || status == CORM_WRITE_TIMEOUT;
        if (!again) return (void *)db;
    }
    return NULL;
}

static void every_version_is_written_once(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db();
    page       p = { .id = 1, .title = "a" };
    pthread_t  threads[WRITERS];
    assert_ok(corm_insert(db, &pages, &p, { .error = &err }), err);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_turns, db), 0);
    for (int i = 0; i < WRITERS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    corm_rows *rows;
    assert_ok(corm_find(db, &pages, &rows, { .error = &err }), err);
    assert_true(((page *)corm_rows_first(rows))->version >= 1 + WRITERS * TURNS);
    corm_rows_free(rows);
    corm_db_close(db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(deleted_rows_are_passed_over_until_they_are_restored),
    cmocka_unit_test(a_limit_an_offset_and_a_count_are_of_rows_that_are_shown),
    cmocka_unit_test(a_row_that_is_deleted_for_good_is_gone),
    cmocka_unit_test(an_insert_over_a_deleted_row_makes_one_that_is_not),
    cmocka_unit_test(a_delete_by_a_time_asks_its_conditions),
    cmocka_unit_test(mistakes_with_deleted_rows_are_told),
    cmocka_unit_test(scopes_add_their_conditions),
    cmocka_unit_test(a_default_scope_holds_unless_it_is_declined),
    cmocka_unit_test(too_many_conditions_are_an_error),
    cmocka_unit_test(the_second_writer_is_told),
    cmocka_unit_test(inserts_of_rows_with_versions_are_conditional),
    cmocka_unit_test(changes_count_versions_too),
    cmocka_unit_test(unique_values_of_deleted_rows_stay_theirs),
    cmocka_unit_test(a_value_is_given_back_when_the_version_was_another),
    cmocka_unit_test(every_version_is_written_once),
};

int main(void) {
    UNUSED_HELPERS();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
