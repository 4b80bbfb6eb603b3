// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include "corm/hook.h"
#include "corm/relation.h"
#include "orm/core.h"
#include "orm/orm_for_tests.h"

/* A folder has folders and files; files have shares (deleted), notes (null) and locks (refuse); tags through a table between. */
typedef struct folder {
    int32_t id, parent;
    char   *name;
} folder;
typedef struct file {
    int32_t folder_id, id;
    char   *name;
} file;
typedef struct share {
    int32_t folder_id, file_id, who;
} share;
typedef struct note {
    int32_t      id;
    corm_opt_int folder_id;
    char        *text;
} note;
typedef struct lock {
    int32_t folder_id, holder;
} lock;
typedef struct label {
    int32_t folder_id, tag_id;
} label;
typedef struct tag {
    int32_t id;
} tag;

extern const corm_model folders, files, shares, notes, locks, labels, tags;

#define COL(member) CORM_COLUMN(folder, member)
const corm_model folders = {
    .table = "folders",
    .row_size = sizeof(folder),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(parent), .skip_zero = true, .indexed = true },
                { COL(name) } },
    .relations = { { .name = "folders",
                     .kind = CORM_HAS_MANY,
                     .to = &folders,
                     .foreign_key = "parent",
                     .on_delete = CORM_DELETE_CASCADES },
                   { .name = "files",
                     .kind = CORM_HAS_MANY,
                     .to = &files,
                     .foreign_key = "folder_id",
                     .on_delete = CORM_DELETE_CASCADES },
                   { .name = "notes",
                     .kind = CORM_HAS_MANY,
                     .to = &notes,
                     .foreign_key = "folder_id",
                     .on_delete = CORM_DELETE_NULLS },
                   { .name = "locks",
                     .kind = CORM_HAS_MANY,
                     .to = &locks,
                     .foreign_key = "folder_id",
                     .on_delete = CORM_DELETE_REFUSES },
                   { .name = "tags",
                     .kind = CORM_MANY_TO_MANY,
                     .to = &tags,
                     .through_model = &labels,
                     .foreign_key = "folder_id",
                     .other_key = "tag_id",
                     .on_delete = CORM_DELETE_CASCADES } },
};
#undef COL
#define COL(member) CORM_COLUMN(file, member)
const corm_model files = {
    .table = "files",
    .row_size = sizeof(file),
    .fields = { { COL(folder_id), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(name) } },
    .relations = { { .name = "shares",
                     .kind = CORM_HAS_MANY,
                     .to = &shares,
                     .foreign_key = "folder_id, file_id",
                     .on_delete = CORM_DELETE_CASCADES } },
};
#undef COL
#define COL(member) CORM_COLUMN(share, member)
const corm_model shares = {
    .table = "shares",
    .row_size = sizeof(share),
    .fields = { { COL(folder_id), .key = CORM_PARTITION },
                { COL(file_id), .key = CORM_PARTITION },
                { COL(who), .key = CORM_CLUSTERING } },
};
#undef COL
#define COL(member) CORM_COLUMN(note, member)
const corm_model notes = {
    .table = "notes",
    .row_size = sizeof(note),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(folder_id), .indexed = true },
                { COL(text) } },
    .relations = { { .name = "folder",
                     .kind = CORM_BELONGS_TO,
                     .to = &folders,
                     .foreign_key = "folder_id" } },
};
#undef COL
#define COL(member) CORM_COLUMN(lock, member)
const corm_model locks = {
    .table = "locks",
    .row_size = sizeof(lock),
    .fields = { { COL(folder_id), .key = CORM_PARTITION },
                { COL(holder), .key = CORM_CLUSTERING } },
};
#undef COL
#define COL(member) CORM_COLUMN(label, member)
const corm_model labels = {
    .table = "labels",
    .row_size = sizeof(label),
    .fields = { { COL(folder_id), .key = CORM_PARTITION },
                { COL(tag_id), .key = CORM_CLUSTERING } },
};
#undef COL
#define COL(member) CORM_COLUMN(tag, member)
const corm_model tags = {
    .table = "tags",
    .row_size = sizeof(tag),
    .fields = { { COL(id), .key = CORM_PARTITION } },
};
#undef COL

static const corm_model *const all[] = {
    &folders, &files, &shares, &notes, &locks, &labels, &tags
};

static int64_t count_of(corm_db *db, const char *table) {
    char         cql[100];
    corm_error   err = { 0 };
    corm_result *result;
    snprintf(cql, sizeof cql, "SELECT count(*) FROM %s", table);
    assert_ok(corm_execute(corm_db_session(db), cql, &result, { .error = &err }), err);
    int64_t count = corm_row_bigint(corm_result_next(result), 0);
    corm_result_free(result);
    return count;
}

/* Folder 1 has folders 2 and 3, folder 3 has folder 1: a circle. Each has two files with two shares, a note, a label. */
static void fill(corm_db *db) {
    corm_error err = { 0 };
    for (int32_t i = 1; i <= 3; i++) {
        folder d = { .id = i, .parent = i == 1 ? 3 : 1, .name = "d" };
        assert_ok(corm_insert(db, &folders, &d, { .error = &err }), err);
        for (int32_t k = 1; k <= 2; k++) {
            file f = { i, k, "f" };
            assert_ok(corm_insert(db, &files, &f, { .error = &err }), err);
            share a = { i, k, 7 };
            share b = { i, k, 8 };
            assert_ok(corm_insert(db, &shares, &a, { .error = &err }), err);
            assert_ok(corm_insert(db, &shares, &b, { .error = &err }), err);
        }
        note n = { .id = i, .folder_id = { CORM_PRESENT, i }, .text = "n" };
        assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
        label l = { i, 5 };
        assert_ok(corm_insert(db, &labels, &l, { .error = &err }), err);
    }
    tag t = { 5 };
    assert_ok(corm_insert(db, &tags, &t, { .error = &err }), err);
}

static void load_all(corm_db *db) {
    corm_error err = { 0 };
    UNUSED_HELPERS();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_ok(corm_load(db, all[i], &err), err);
}

static corm_db *open_folders(void) {
    corm_db *db = open_db();
    load_all(db);
    fill(db);
    return db;
}

static void assert_all_gone(corm_db *db) {
    corm_error err = { 0 };
    corm_rows *rows;
    assert_int_equal(count_of(db, "folders"), 0);
    assert_int_equal(count_of(db, "files"), 0);
    assert_int_equal(count_of(db, "shares"), 0);
    assert_int_equal(count_of(db, "labels"), 0);
    assert_int_equal(count_of(db, "tags"), 1);
    assert_ok(corm_find(db, &notes, &rows, { .error = &err }), err);
    assert_int_equal(corm_rows_count(rows), 3);
    for (CORM_EACH(note, n, rows)) {
        assert_int_equal(n->folder_id.presence, CORM_IS_NULL);
        assert_string_equal(n->text, "n");
    }
    corm_rows_free(rows);
}

static void what_a_row_has_goes_with_it_round_any_circle(void **state) {
    (void)state;
    corm_db   *db = open_folders();
    corm_error err = { 0 };
    folder     first = { .id = 1 };
    assert_ok(corm_delete(db, &folders, &first, { .error = &err }), err);
    assert_all_gone(db);
    corm_db_close(db);
}

static void other_rows_stay(void **state) {
    (void)state;
    corm_db   *db = open_folders();
    corm_error err = { 0 };
    folder     second = { .id = 2 };
    assert_ok(corm_delete(db, &folders, &second, { .error = &err }), err);
    assert_int_equal(count_of(db, "folders"), 2);
    assert_int_equal(count_of(db, "files"), 4);
    assert_int_equal(count_of(db, "shares"), 8);
    corm_db_close(db);
}

static void a_row_that_refuses_anywhere_stops_all(void **state) {
    (void)state;
    corm_db   *db = open_folders();
    corm_error err = { 0 };
    folder     first = { .id = 1 };
    lock       held = { 2, 9 };
    assert_ok(corm_insert(db, &locks, &held, { .error = &err }), err);
    assert_int_equal(corm_delete(db, &folders, &first, { .error = &err }), CORM_INVALID);
    assert_non_null(strstr(err.message, "relation 'locks'"));
    assert_int_equal(count_of(db, "folders"), 3);
    assert_int_equal(count_of(db, "shares"), 12);
    assert_ok(corm_delete(db, &locks, &held, { .error = &err }), err);
    assert_ok(corm_delete(db, &folders, &first, { .error = &err }), err);
    assert_all_gone(db);
    corm_db_close(db);
}

static void delete_where_cascades_too(void **state) {
    (void)state;
    corm_db   *db = open_folders();
    corm_error err = { 0 };
    assert_ok(corm_delete_where(db, &folders, { .where = { corm_eq("id", 1) }, .error = &err }),
              err);
    assert_all_gone(db);
    corm_db_close(db);
}

static void many_pages_of_rows_are_deleted(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    folder     first = { .id = 1, .name = "d" };
    load_all(db);
    assert_ok(corm_insert(db, &folders, &first, { .error = &err }), err);
    for (int32_t i = 0; i < 350; i++) {
        file f = { 1, i, "f" };
        assert_ok(corm_insert(db, &files, &f, { .error = &err }), err);
    }
    assert_ok(corm_delete(db, &folders, &first, { .error = &err }), err);
    assert_int_equal(count_of(db, "files"), 0);
    corm_db_close(db);
}

static void what_cannot_be_decided_at_once_is_refused(void **state) {
    (void)state;
    corm_db    *db = open_folders();
    corm_error  err = { 0 };
    folder      first = { .id = 1 };
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    assert_int_equal(corm_delete(db, &folders, &first, { .if_exists = true, .error = &err }),
                     CORM_INVALID_ARGUMENT);
    assert_int_equal(
        corm_batch_delete(batch, db, &folders, &first, &(corm_write_options){ .error = &err }),
        CORM_UNSUPPORTED);
    corm_batch_free(batch);
    assert_int_equal(count_of(db, "shares"), 12);
    corm_db_close(db);
}

/* ---- a crash at each step ---- */

/* Lets `left` requests through, then fails all. */
typedef struct failing_door {
    session_door  door; /* first */
    session_door *inner;
    int           left;
} failing_door;

static session_door_ops failing_ops;

static corm_status execute(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err) {
    failing_door *f = (failing_door *)door;
    if (f->left == 0) return base__fail(err, CORM_IO, "the test's crash");
    if (f->left > 0) f->left--;
    return f->inner->ops->execute(f->inner, keyspace, request, answer, err);
}

static void close_door(session_door *door) {
    failing_door *f = (failing_door *)door;
    f->inner->ops->close(f->inner);
    free(f);
}

static corm_db *open_failing(failing_door **out) {
    corm_error           err = { 0 };
    corm_session_options options = { .keyspace = "shop", .create_keyspace = true };
    corm_session        *session;
    corm_db             *db;
    failing_door        *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_ok(session__open_embedded(NULL, &options, &f->inner, &err), err);
    failing_ops = *f->inner->ops;
    failing_ops.execute = execute;
    failing_ops.close = close_door;
    f->door.ops = &failing_ops;
    f->left = -1;
    assert_ok(session__open_door(&f->door, &options, &session, &err), err);
    assert_ok(orm__db_over(session, &(corm_db_options){ .unique_lease_ms = 0 }, &db, &err), err);
    *out = f;
    load_all(db);
    return db;
}

static void a_delete_that_crashed_anywhere_is_finished_by_the_next(void **state) {
    (void)state;
    failing_door *door;
    corm_db      *db = open_failing(&door);
    folder        first = { .id = 1 };
    corm_status   status = CORM_IO;
    int           steps = 0;
    for (; status != CORM_OK; steps++) {
        corm_error err = { 0 };
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            char cql[64];
            snprintf(cql, sizeof cql, "TRUNCATE %s", all[i]->table);
            run(db, cql);
        }
        fill(db);
        door->left = steps;
        status = corm_delete(db, &folders, &first, { .error = &err });
        door->left = -1;
        if (status == CORM_OK) break;
        assert_int_equal(status, CORM_IO);
        assert_ok(corm_delete(db, &folders, &first, { .error = &err }), err);
        assert_all_gone(db);
    }
    assert_true(steps > 30);
    assert_all_gone(db);
    corm_db_close(db);
}

/* ---- soft deletes ---- */

typedef struct owner {
    int32_t            id;
    corm_opt_timestamp deleted_at;
} owner;
typedef struct thing {
    int32_t            owner_id, id;
    corm_opt_timestamp deleted_at;
} thing;

#define COL(member) CORM_COLUMN(thing, member)
static const corm_model things = {
    .table = "things",
    .row_size = sizeof(thing),
    .fields = { { COL(owner_id), .key = CORM_PARTITION },
                { COL(id), .key = CORM_CLUSTERING },
                { COL(deleted_at), .role = CORM_DELETED_AT } },
};
#undef COL
#define COL(member) CORM_COLUMN(owner, member)
static const corm_model owners = {
    .table = "owners",
    .row_size = sizeof(owner),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(deleted_at), .role = CORM_DELETED_AT } },
    .relations = { { .name = "things",
                     .kind = CORM_HAS_MANY,
                     .to = &things,
                     .foreign_key = "owner_id",
                     .on_delete = CORM_DELETE_CASCADES } },
};
#undef COL

static void rows_with_a_time_of_deletion_cascade_by_it(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    owner      o = { .id = 1 };
    thing      t = { .owner_id = 1, .id = 2 };
    uint64_t   count = 9;
    assert_ok(corm_insert(db, &owners, &o, { .error = &err }), err);
    assert_ok(corm_insert(db, &things, &t, { .error = &err }), err);
    assert_ok(corm_delete(db, &owners, &o, { .error = &err }), err);
    assert_int_equal(count_of(db, "things"), 1);
    assert_ok(corm_count(db, &things, &count, { .error = &err }), err);
    assert_int_equal(count, 0);
    assert_ok(corm_delete_for_good(db, &owners, &o, { .error = &err }), err);
    assert_int_equal(count_of(db, "things"), 0);
    assert_int_equal(count_of(db, "owners"), 0);
    corm_db_close(db);
}

/* ---- relations made and removed ---- */

static void relations_are_made_and_removed(void **state) {
    (void)state;
    corm_db   *db = open_folders();
    corm_error err = { 0 };
    folder     d = { .id = 2, .parent = 1 };
    note       n = { .id = 50, .text = "x" };
    corm_rows *rows;
    assert_ok(corm_insert(db, &notes, &n, { .error = &err }), err);
    assert_ok(corm_relate(db, &folders, &d, "notes", &n, &err), err);
    assert_int_equal(n.folder_id.value, 2);
    assert_ok(corm_find(db, &folders, &rows,
                        { .where = { corm_eq("id", 2) }, .include = { "notes" }, .error = &err }),
              err);
    assert_int_equal(corm_rows_related(rows, 0, "notes").count, 2);
    corm_rows_free(rows);
    assert_ok(corm_unrelate(db, &folders, &d, "notes", &n, &err), err);
    assert_int_equal(n.folder_id.presence, CORM_IS_NULL);
    assert_ok(corm_relate(db, &notes, &n, "folder", &d, &err), err);
    assert_int_equal(n.folder_id.value, 2);
    assert_ok(corm_unrelate(db, &notes, &n, "folder", &d, &err), err);

    tag t = { 77 };
    assert_ok(corm_relate(db, &folders, &d, "tags", &t, &err), err);
    assert_int_equal(count_of(db, "labels"), 4);
    assert_ok(corm_unrelate(db, &folders, &d, "tags", &t, &err), err);
    assert_int_equal(count_of(db, "labels"), 3);

    file f = { .id = 9, .name = "new" };
    assert_ok(corm_relate(db, &folders, &d, "files", &f, &err), err); /* saved whole */
    assert_int_equal(f.folder_id, 2);
    assert_int_equal(count_of(db, "files"), 7);
    assert_int_equal(corm_unrelate(db, &folders, &d, "files", &f, &err), CORM_INVALID);
    assert_int_equal(corm_relate(db, &folders, &d, "file", &f, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'files'?"));
    corm_db_close(db);
}

/* ---- hooks ---- */

static int seen[CORM_PATH_HOOK + 1];

static corm_status count_path(corm_hook_call *call, void *context, corm_error *err) {
    (void)context, (void)err;
    seen[call->path]++;
    return CORM_OK;
}

static void hooks_see_what_relations_do_and_by_which_path(void **state) {
    (void)state;
    corm_db        *db = open_folders();
    corm_error      err = { 0 };
    corm_model_hook on = { .name = "count", .on = CORM_ON_DELETE, .before = count_path };
    folder          first = { .id = 1 };
    memset(seen, 0, sizeof seen);
    assert_ok(corm_hook_add(db, &shares, &on, &err), err);
    on.on = CORM_ON_UPDATE;
    assert_ok(corm_hook_add(db, &notes, &on, &err), err);
    on.on = CORM_ON_FIND;
    assert_ok(corm_hook_add(db, &files, &on, &err), err);
    corm_rows *rows;
    assert_ok(corm_find(db, &folders, &rows, { .include = { "files" }, .error = &err }), err);
    corm_rows_free(rows);
    assert_int_equal(seen[CORM_PATH_RELATION], 1); /* one find for all */
    note n = { .id = 1, .text = "n" };
    assert_ok(corm_relate(db, &folders, &first, "notes", &n, &err), err);
    assert_int_equal(seen[CORM_PATH_RELATION], 2);
    assert_ok(corm_delete(db, &folders, &first, { .error = &err }), err);
    assert_true(seen[CORM_PATH_CASCADE] >= 12 + 3); /* each share, each note */
    assert_int_equal(seen[CORM_PATH_CALL], 0);
    corm_db_close(db);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_row_has_goes_with_it_round_any_circle),
        cmocka_unit_test(other_rows_stay),
        cmocka_unit_test(a_row_that_refuses_anywhere_stops_all),
        cmocka_unit_test(delete_where_cascades_too),
        cmocka_unit_test(many_pages_of_rows_are_deleted),
        cmocka_unit_test(what_cannot_be_decided_at_once_is_refused),
        cmocka_unit_test(a_delete_that_crashed_anywhere_is_finished_by_the_next),
        cmocka_unit_test(rows_with_a_time_of_deletion_cascade_by_it),
        cmocka_unit_test(relations_are_made_and_removed),
        cmocka_unit_test(hooks_see_what_relations_do_and_by_which_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
