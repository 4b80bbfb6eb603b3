// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "corm/relation.h"
#include "corm/seal.h"
#include "orm/orm_for_tests.h"
#include "orm/query_table.h"

typedef struct task {
    int32_t        id;
    char          *status;
    char          *owner;
    char          *title;
    int32_t        weight;
    corm_opt_int   score;
    corm_set       tags;
    corm_timestamp seen;
} task;

#define COL(member) CORM_COLUMN(task, member)
#define TASK_FIELDS                                                                                \
    { COL(id), .key = CORM_PARTITION }, { COL(status) }, { COL(owner) }, { COL(title) },           \
        { COL(weight), .skip_zero = true }, { COL(score) }, { COL(tags) }, {                       \
        COL(seen), .skip_zero = true                                                               \
    }

static const corm_query_table task_tables[] = {
    { .table = "tasks_by_status", .partition_key = "status", .clustering_key = "weight DESC, id" },
    { .table = "tasks_by_owner",
      .partition_key = "owner",
      .clustering_key = "id",
      .columns = "title, tags" },
    { .table = "tasks_again", .partition_key = "id", .columns = "title, score" },
    { .table = NULL },
};
static const corm_model tasks = { .table = "tasks",
                                  .row_size = sizeof(task),
                                  .fields = { TASK_FIELDS },
                                  .query_tables = task_tables };

static corm_db *open_tasks(void) {
    corm_error err = { 0 };
    corm_db   *db = open_db();
    UNUSED_HELPERS();
    assert_ok(corm_load(db, &tasks, &err), err);
    return db;
}

/* Every copy is as its row. */
static void assert_in_step(corm_db *db) {
    for (const corm_query_table *table = task_tables; table->table; table++) {
        corm_error              err = { 0 };
        corm_query_table_report report;
        assert_ok(
            corm_query_table_check(db, &tasks, table->table, { .report = &report, .error = &err }),
            err);
        if (report.missing + report.different + report.orphans == 0) continue;
        fail_msg("%s: %d missing, %d different, %d orphans", table->table, (int)report.missing,
                 (int)report.different, (int)report.orphans);
    }
}

static int64_t count_of(corm_db *db, const char *cql) {
    corm_error   err = { 0 };
    corm_result *result;
    assert_ok(corm_execute(corm_db_session(db), cql, &result, { .error = &err }), err);
    int64_t count = corm_row_bigint(corm_result_next(result), 0);
    corm_result_free(result);
    return count;
}

static void insert(corm_db *db, int32_t id, char *status, char *owner, char *title) {
    corm_error err = { 0 };
    task       t = { .id = id, .status = status, .owner = owner, .title = title, .weight = 1 };
    t.tags = corm_set_of(corm_v("a"), corm_v("b"));
    assert_ok(corm_insert(db, &tasks, &t, { .error = &err }), err);
}

static void copies_are_written_with_their_row(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    insert(db, 1, "open", "ada", "first");
    insert(db, 2, "open", NULL, "second"); /* without an owner: no copy there */
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status WHERE status = 'open'"), 2);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_owner"), 1);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_again"), 2);
    assert_in_step(db);
    task gone = { .id = 1 };
    assert_ok(corm_delete(db, &tasks, &gone, { .error = &err }), err);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status"), 1);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_owner"), 0);
    assert_in_step(db);
    corm_db_close(db);
}

static void a_change_of_its_key_moves_a_copy(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    insert(db, 1, "open", "ada", "first");
    task t = { .id = 1, .status = "closed" };
    assert_ok(corm_update(db, &tasks, &t, { .only = { "status" }, .error = &err }), err);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status WHERE status = 'open'"), 0);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status WHERE status = 'closed'"),
                     1);
    assert_in_step(db); /* the other columns went along */
    t.status = "open";
    assert_ok(corm_update(db, &tasks, &t, { .only = { "status" }, .error = &err }), err);
    assert_in_step(db); /* and back, over what was deleted there */
    assert_ok(corm_update(db, &tasks, &t, { .null = { "status" }, .error = &err }), err);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status"), 0);
    assert_in_step(db);
    corm_db_close(db);
}

static void an_update_of_some_columns_reaches_the_copies_that_have_them(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    insert(db, 1, "open", "ada", "first");
    task t = { .id = 1, .title = "other", .score = { CORM_PRESENT, 5 } };
    assert_ok(corm_update(db, &tasks, &t, { .only = { "title", "score" }, .error = &err }), err);
    assert_in_step(db);
    assert_int_equal(
        count_of(db, "SELECT count(*) FROM tasks_again WHERE id = 1 AND score = 5 ALLOW FILTERING"),
        1);
    assert_ok(corm_update(db, &tasks, &t, { .null = { "title" }, .error = &err }), err);
    assert_in_step(db);
    corm_db_close(db);
}

static void conditional_writes_decide_before_the_copies(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    task       t = { .id = 1, .status = "open", .title = "x", .weight = 3 };
    assert_ok(corm_insert(db, &tasks, &t, { .if_not_exists = true, .error = &err }), err);
    assert_in_step(db);
    t.status = "closed";
    assert_int_equal(corm_insert(db, &tasks, &t, { .if_not_exists = true, .error = &err }),
                     CORM_NOT_APPLIED);
    assert_in_step(db);
    assert_ok(
        corm_update(
            db, &tasks, &t,
            { .only = { "status" }, .condition = { corm_eq("status", "open") }, .error = &err }),
        err);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status WHERE status = 'closed'"),
                     1);
    assert_in_step(db);
    assert_ok(corm_delete(db, &tasks, &t, { .if_exists = true, .error = &err }), err);
    assert_in_step(db);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status"), 0);
    corm_db_close(db);
}

static void changes_of_collections_reach_the_copies(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    insert(db, 1, "open", "ada", "first");
    task t = { .id = 1 };
    assert_ok(corm_change(
                  db, &tasks, &t,
                  { .edits = { corm_add("tags", "c"), corm_remove("tags", "a") }, .error = &err }),
              err);
    assert_in_step(db);
    assert_ok(corm_change(db, &tasks, &t,
                          { .edits = { corm_add("tags", "d"), corm_assign("status", "closed") },
                            .error = &err }),
              err);
    assert_in_step(db);
    corm_db_close(db);
}

static void batches_take_the_copies_in(void **state) {
    (void)state;
    corm_db    *db = open_tasks();
    corm_error  err = { 0 };
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    insert(db, 1, "open", "ada", "first");
    insert(db, 2, "open", "ada", "second");
    task one = { .id = 1, .status = "closed" };
    task two = { .id = 2 };
    task three = { .id = 3, .status = "open", .owner = "bob" };
    assert_ok(corm_batch_update(batch, db, &tasks, &one, NULL), err);
    assert_ok(corm_batch_delete(batch, db, &tasks, &two, NULL), err);
    assert_ok(corm_batch_insert(batch, db, &tasks, &three, NULL), err);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status WHERE status = 'open'"), 2);
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    assert_in_step(db);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status WHERE status = 'open'"), 0);
    corm_write_options once = { .if_not_exists = true };
    assert_int_equal(corm_batch_insert(batch, db, &tasks, &three, &once), CORM_UNSUPPORTED);
    corm_batch_free(batch);
    corm_db_close(db);
}

static void delete_where_takes_the_copies_along(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    insert(db, 1, "open", "ada", "first");
    insert(db, 2, "open", "ada", "second");
    assert_ok(corm_delete_where(db, &tasks, { .where = { corm_eq("id", 1) }, .error = &err }), err);
    assert_in_step(db);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status"), 1);
    corm_db_close(db);
}

static void a_copy_ends_when_its_columns_do(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    insert(db, 1, "open", "ada", "first");
    task t = { .id = 1, .title = "soon gone" };
    assert_ok(
        corm_update(db, &tasks, &t, { .only = { "title" }, .ttl_seconds = 1000, .error = &err }),
        err);
    t.status = "closed";
    assert_ok(corm_update(db, &tasks, &t, { .only = { "status" }, .error = &err }), err);
    assert_in_step(db);
    corm_result *result;
    assert_ok(
        corm_execute(corm_db_session(db),
                     "SELECT ttl(title), ttl(owner) FROM tasks_by_status WHERE status = 'closed'",
                     &result, { .error = &err }),
        err);
    const corm_row *row = corm_result_next(result);
    assert_true(corm_row_int(row, 0) > 900);
    assert_true(corm_row_is_null(row, 1));
    corm_result_free(result);
    corm_db_close(db);
}

static void finds_ask_the_query_table_whose_key_fits(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    corm_rows *rows;
    for (int32_t i = 1; i <= 5; i++) {
        task t = { .id = i, .status = i % 2 ? "odd" : "even", .owner = "ada", .weight = 10 - i };
        assert_ok(corm_insert(db, &tasks, &t, { .error = &err }), err);
    }
    assert_ok(
        corm_find(db, &tasks, &rows, { .where = { corm_eq("status", "odd") }, .error = &err }),
        err);
    assert_int_equal(corm_rows_count(rows), 3);
    task *t = corm_rows_first(rows);
    assert_int_equal(t[0].id, 1); /* by weight, descending */
    assert_int_equal(t[2].id, 5);
    assert_string_equal(t[0].owner, "ada");
    corm_rows_free(rows);
    assert_ok(corm_find(db, &tasks, &rows,
                        { .where = { corm_eq("status", "odd"), corm_lt("weight", 9) },
                          .order_by = { { "weight", false } },
                          .limit = 1,
                          .error = &err }),
              err);
    assert_int_equal(corm_rows_count(rows), 1);
    assert_int_equal(((task *)corm_rows_first(rows))->id, 5);
    corm_rows_free(rows);
    uint64_t count = 0;
    assert_ok(
        corm_count(db, &tasks, &count, { .where = { corm_eq("status", "even") }, .error = &err }),
        err);
    assert_int_equal(count, 2);
    /* tasks_by_owner has not all columns: it is asked only for those it has. */
    assert_int_not_equal(
        corm_find(db, &tasks, &rows, { .where = { corm_eq("owner", "ada") }, .error = &err }),
        CORM_OK);
    assert_ok(
        corm_find(
            db, &tasks, &rows,
            { .where = { corm_eq("owner", "ada") }, .select = { "id", "title" }, .error = &err }),
        err);
    assert_int_equal(corm_rows_count(rows), 5);
    corm_rows_free(rows);
    corm_db_close(db);
}

static corm_status stop_at_once(void *context, double done, const corm_query_table_report *so_far,
                                const char *checkpoint) {
    char **kept = context;
    (void)done, (void)so_far;
    free(*kept);
    *kept = strdup(checkpoint);
    return CORM_CANCELLED;
}

static void a_rebuild_mends_what_was_written_past_the_mapper(void **state) {
    (void)state;
    corm_db                *db = open_tasks();
    corm_error              err = { 0 };
    corm_query_table_report report;
    for (int32_t i = 1; i <= 20; i++) insert(db, i, i % 2 ? "odd" : "even", "ada", "t");
    run(db, "UPDATE tasks SET status = 'new' WHERE id = 1"); /* another key: missing, orphan */
    run(db, "UPDATE tasks SET title = 'new' WHERE id = 2");  /* different */
    run(db, "DELETE FROM tasks WHERE id = 3");               /* orphan */
    run(db, "DELETE FROM tasks_by_status WHERE status = 'even' AND weight = 1 AND id = 4");
    assert_ok(
        corm_query_table_check(db, &tasks, "tasks_by_status", { .report = &report, .error = &err }),
        err);
    assert_int_equal(report.rows, 19);
    assert_int_equal(report.missing, 2);
    assert_int_equal(report.different, 1);
    assert_int_equal(report.orphans, 2);
    char *kept = NULL;
    assert_int_equal(
        corm_query_table_rebuild(db, &tasks, "tasks_by_status",
                                 { .progress = stop_at_once, .context = &kept, .error = &err }),
        CORM_CANCELLED);
    assert_non_null(kept);
    assert_ok(corm_query_table_rebuild(db, &tasks, "tasks_by_status",
                                       { .resume = kept, .report = &report, .error = &err }),
              err);
    free(kept);
    assert_ok(corm_query_table_rebuild(db, &tasks, "tasks_by_owner", { .error = &err }), err);
    assert_ok(corm_query_table_rebuild(db, &tasks, "tasks_again", { .error = &err }), err);
    assert_in_step(db);
    assert_int_equal(corm_query_table_check(db, &tasks, "tasks_by_statu", { .error = &err }),
                     CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'tasks_by_status'?"));
    corm_db_close(db);
}

static void a_rebuild_keeps_the_times_of_writing(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    run(db, "INSERT INTO tasks (id, status, weight, title) VALUES (1, 'open', 1, 'old') "
            "USING TIMESTAMP 1000 AND TTL 5000");
    assert_ok(corm_query_table_rebuild(db, &tasks, "tasks_by_status", { .error = &err }), err);
    corm_result *result;
    assert_ok(corm_execute(corm_db_session(db),
                           "SELECT writetime(title), ttl(title) FROM tasks_by_status", &result,
                           { .error = &err }),
              err);
    const corm_row *row = corm_result_next(result);
    assert_int_equal(corm_row_bigint(row, 0), 1000);
    assert_true(corm_row_int(row, 1) > 4000);
    corm_result_free(result);
    corm_db_close(db);
}

static void copies_follow_a_row_that_was_changed_back(void **state) {
    (void)state;
    corm_db   *db = open_tasks();
    corm_error err = { 0 };
    orm_model *model;
    insert(db, 1, "open", "ada", "first");
    task t = { .id = 1, .status = "closed" };
    assert_ok(corm_update(db, &tasks, &t, { .only = { "status" }, .error = &err }), err);
    run(db, "UPDATE tasks SET status = 'open' WHERE id = 1"); /* as a write undoes its row */
    assert_ok(orm__model(db, &tasks, &model, &err), err);
    corm_write_options options = { .ttl_seconds = 0 };
    uint8_t            how[8] = { ORM_VALUE, ORM_VALUE };
    orm_write write = { .db = db, .model = model, .kind = ORM_UPDATE, .options = &options };
    write.row = (uint8_t *)&t;
    write.how = how;
    assert_ok(orm__copies_mend(&write, &err), err);
    assert_in_step(db);
    assert_int_equal(count_of(db, "SELECT count(*) FROM tasks_by_status"), 1);
    corm_db_close(db);
}

/* ---- sealed columns ---- */

#define SEALED_FIELDS                                                                              \
    { COL(id), .key = CORM_PARTITION }, { COL(status) }, {                                         \
        COL(title), .sealed = CORM_SEALED                                                          \
    }
static const corm_query_table sealed_tables[] = {
    { .table = "secrets_by_status", .partition_key = "status", .clustering_key = "id" },
    { .table = NULL },
};
static const corm_model secrets = { .table = "secrets",
                                    .row_size = sizeof(task),
                                    .fields = { SEALED_FIELDS },
                                    .query_tables = sealed_tables };

static void sealed_columns_are_sealed_in_copies(void **state) {
    (void)state;
    corm_error    err = { 0 };
    corm_keyring *keyring = NULL;
    uint8_t       key[32] = { 1, 2, 3 };
    assert_ok(corm_keyring_new(&keyring, &err), err);
    assert_ok(corm_keyring_add(keyring, 1, key, &err), err);
    corm_db                *db = open_db_with((corm_db_options){ .keyring = keyring });
    corm_rows              *rows;
    corm_query_table_report report;
    task                    t = { .id = 1, .status = "open", .title = "secret" };
    assert_ok(corm_insert(db, &secrets, &t, { .error = &err }), err);
    t.status = "closed";
    assert_ok(corm_update(db, &secrets, &t, { .only = { "status" }, .error = &err }), err);
    assert_ok(
        corm_find(db, &secrets, &rows, { .where = { corm_eq("status", "closed") }, .error = &err }),
        err);
    assert_int_equal(corm_rows_count(rows), 1);
    assert_string_equal(((task *)corm_rows_first(rows))->title, "secret");
    corm_rows_free(rows);
    assert_ok(corm_query_table_check(db, &secrets, "secrets_by_status",
                                     { .report = &report, .error = &err }),
              err);
    assert_int_equal(report.missing + report.different + report.orphans, 0);
    assert_int_equal(count_of(db, "SELECT count(*) FROM secrets_by_status"), 1);
    corm_db_close(db);
    corm_keyring_free(keyring);
}

/* ---- rows that are deleted by a time ---- */

typedef struct paper {
    int32_t            id;
    char              *kind, *title;
    corm_opt_timestamp deleted_at;
} paper;

#undef COL
#define COL(member) CORM_COLUMN(paper, member)
static const corm_query_table paper_tables[] = {
    { .table = "papers_by_kind",
      .partition_key = "kind",
      .clustering_key = "id",
      .columns = "title" },
    { .table = NULL },
};
static const corm_model papers = {
    .table = "papers",
    .row_size = sizeof(paper),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(kind) },
                { COL(title) },
                { COL(deleted_at), .role = CORM_DELETED_AT } },
    .query_tables = paper_tables,
};
#undef COL
#define COL(member) CORM_COLUMN(task, member)

static void rows_that_are_deleted_by_a_time_are_hidden_in_copies(void **state) {
    (void)state;
    corm_db          *db = open_db();
    corm_error        err = { 0 };
    corm_find_options by_kind = { .where = { corm_eq("kind", "a") }, .error = &err };
    for (int32_t i = 1; i <= 2; i++) {
        paper p = { .id = i, .kind = "a", .title = "t" };
        assert_ok(corm_insert(db, &papers, &p, { .error = &err }), err);
    }
    paper gone = { .id = 1 };
    assert_ok(corm_delete(db, &papers, &gone, { .error = &err }), err);
    corm_find_options titles = by_kind;
    titles.select[0] = "title";
    corm_rows *rows;
    assert_ok(corm_find_with(db, &papers, &rows, &titles), err);
    assert_int_equal(corm_rows_count(rows), 1);
    corm_rows_free(rows);
    titles.with_deleted = true;
    assert_ok(corm_find_with(db, &papers, &rows, &titles), err);
    assert_int_equal(corm_rows_count(rows), 2);
    corm_rows_free(rows);
    assert_ok(corm_restore(db, &papers, &gone, { .error = &err }), err);
    titles.with_deleted = false;
    assert_ok(corm_find_with(db, &papers, &rows, &titles), err);
    assert_int_equal(corm_rows_count(rows), 2);
    corm_rows_free(rows);
    assert_ok(corm_delete_for_good(db, &papers, &gone, { .error = &err }), err);
    assert_int_equal(count_of(db, "SELECT count(*) FROM papers_by_kind"), 1);
    corm_db_close(db);
}

/* ---- any writes in any order ---- */

static uint32_t seed = 12345;

static uint32_t dice(uint32_t sides) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % sides;
}

static void write_something(corm_db *db) {
    static char *const words[] = { NULL, "a", "b", "c" };
    corm_value         tags[] = { corm_v("x") };
    corm_error         err = { 0 };
    corm_write_options options = { .error = &err };
    task               t = { .id = (int32_t)dice(4),
                             .status = words[dice(4)],
                             .owner = words[dice(4)],
                             .title = words[dice(4)],
                             .weight = (int32_t)dice(3) };
    if (dice(2)) t.score = (corm_opt_int){ CORM_PRESENT, (int32_t)dice(9) };
    if (dice(3) == 0) t.score.presence = CORM_IS_NULL;
    if (dice(2)) t.tags = (corm_set){ tags, 1 };
    if (dice(4) == 0) options.null[0] = dice(2) ? "status" : "weight";
    if (dice(5) == 0) options.ttl_seconds = 5000;
    corm_status status = CORM_OK;
    switch (dice(8)) {
    case 0: status = corm_insert_with(db, &tasks, &t, &options); break;
    case 1: status = corm_save_with(db, &tasks, &t, &options); break;
    case 2:
    case 3: status = corm_update_with(db, &tasks, &t, &options); break;
    case 4: status = corm_upsert_with(db, &tasks, &t, &options); break;
    case 5: status = corm_delete(db, &tasks, &t, { .error = &err }); break;
    case 6:
        options.if_exists = true;
        status = corm_update_with(db, &tasks, &t, &options);
        break;
    default:
        status = corm_change(
            db, &tasks, &t,
            { .edits = { corm_add("tags", "y"), corm_assign("owner", "b") }, .error = &err });
    }
    if (status != CORM_NOT_APPLIED) assert_ok(status, err);
}

static void copies_are_in_step_after_any_writes(void **state) {
    (void)state;
    corm_db *db = open_tasks();
    int      rounds = testing__is_cluster() ? 40 : 150;
    for (int i = 0; i < rounds; i++) {
        write_something(db);
        assert_in_step(db);
    }
    corm_db_close(db);
}

/* ---- writers at once ---- */

enum { WRITERS = 4 };

typedef struct writer {
    corm_db   *db;
    pthread_t  thread;
    uint32_t   seed;
    corm_error err;
} writer;

static uint32_t throw_dice(writer *w, uint32_t sides) {
    w->seed = w->seed * 1664525 + 1013904223;
    return (w->seed >> 16) % sides;
}

/* Each time another column of one of three rows; some move copies, some are conditional, some delete. */
static corm_status write_one(writer *w) {
    static char *const       words[] = { "a", "b", "c" };
    static const char *const columns[] = { "status", "owner", "title", "weight" };
    task                     t = { .id = (int32_t)throw_dice(w, 3),
                                   .status = words[throw_dice(w, 3)],
                                   .owner = words[throw_dice(w, 3)],
                                   .title = words[throw_dice(w, 3)],
                                   .weight = 1 + (int32_t)throw_dice(w, 3) };
    uint32_t                 what = throw_dice(w, 12);
    if (what == 0) return corm_delete(w->db, &tasks, &t, { .error = &w->err });
    if (what == 1) return corm_insert(w->db, &tasks, &t, { .error = &w->err });
    return corm_update(w->db, &tasks, &t, { .only = { columns[what % 4] }, .error = &w->err });
}

static void *write_many(void *context) {
    writer *w = context;
    int     rounds = testing__is_cluster() ? 30 : 150;
    for (int i = 0; i < rounds && w->err.status == CORM_OK; i++) {
        if (write_one(w) != CORM_OK) break;
    }
    return NULL;
}

static void copies_are_in_step_after_writers_at_once(void **state) {
    (void)state;
    corm_error      err = { 0 };
    corm_db_options options = { .session = { .consistency = CORM_QUORUM } };
    corm_db        *db = open_db_with(options);
    writer          writers[WRITERS] = { { 0 } };
    assert_ok(corm_load(db, &tasks, &err), err);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (writer){ .db = db, .seed = 77 + i };
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    for (uint32_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        if (writers[i].err.status != CORM_OK) fail_msg("%s", writers[i].err.message);
    }
    assert_in_step(db);
    corm_db_close(db);
}

/* ---- what the model may not say ---- */

static void refused(const corm_query_table *table, const char *expected) {
    corm_error       err = { 0 };
    orm_model       *compiled;
    corm_query_table tables[2] = { *table, { .table = NULL } };
    corm_model model = { .table = "tasks", .row_size = sizeof(task), .fields = { TASK_FIELDS } };
    model.query_tables = tables;
    assert_int_equal(orm__compile(&model, &compiled, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, expected));
}

static void mistakes_in_query_tables_are_named(void **state) {
    (void)state;
    refused(&(corm_query_table){ .table = "x", .partition_key = "statu", .clustering_key = "id" },
            "did you mean 'status'?");
    refused(&(corm_query_table){ .table = "x", .partition_key = "status" },
            "'id' is part of the model's key");
    refused(&(corm_query_table){ .table = "x", .clustering_key = "id" }, "no .partition_key");
    refused(
        &(corm_query_table){ .table = "x", .partition_key = "status", .clustering_key = "id, id" },
        "in the key twice");
    refused(
        &(corm_query_table){ .table = "tasks", .partition_key = "status", .clustering_key = "id" },
        "the name of the model's table");
    refused(&(corm_query_table){ .table = "x", .partition_key = "tags", .clustering_key = "id" },
            "cannot be part of the key");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_written_with_their_row),
        cmocka_unit_test(a_change_of_its_key_moves_a_copy),
        cmocka_unit_test(an_update_of_some_columns_reaches_the_copies_that_have_them),
        cmocka_unit_test(conditional_writes_decide_before_the_copies),
        cmocka_unit_test(changes_of_collections_reach_the_copies),
        cmocka_unit_test(batches_take_the_copies_in),
        cmocka_unit_test(delete_where_takes_the_copies_along),
        cmocka_unit_test(a_copy_ends_when_its_columns_do),
        cmocka_unit_test(finds_ask_the_query_table_whose_key_fits),
        cmocka_unit_test(a_rebuild_mends_what_was_written_past_the_mapper),
        cmocka_unit_test(a_rebuild_keeps_the_times_of_writing),
        cmocka_unit_test(copies_follow_a_row_that_was_changed_back),
        cmocka_unit_test(sealed_columns_are_sealed_in_copies),
        cmocka_unit_test(rows_that_are_deleted_by_a_time_are_hidden_in_copies),
        cmocka_unit_test(copies_are_in_step_after_any_writes),
        cmocka_unit_test(copies_are_in_step_after_writers_at_once),
        cmocka_unit_test(mistakes_in_query_tables_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
