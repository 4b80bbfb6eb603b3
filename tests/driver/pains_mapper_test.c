// SPDX-License-Identifier: MIT
/* pains_mapper_test.c -- pains 39 and 40 of the mapper, on the embedded store; docs/drivers.md names the tests of the others. */
#include <sys/wait.h>
#include <unistd.h>

#include "corm/corm.h"
#include "testing/check.h"

typedef struct item {
    int32_t id;
    char    name[32];
    int32_t price;
} item;

#define COL(member) CORM_COLUMN(item, member)
static const corm_model first = {
    .table = "items",
    .row_size = sizeof(item),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) } },
};
static const corm_model second = {
    .table = "items",
    .row_size = sizeof(item),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(name), .indexed = true },
                { COL(price) } },
};
#undef COL

static corm_db *open_store(void) {
    corm_db        *db = NULL;
    corm_error      err = { 0 };
    corm_db_options options = { .session = { .keyspace = "shop", .create_keyspace = true },
                                .migration = CORM_MIGRATION_ALTER,
                                .error = &err };
    assert_ok(corm_db_open(&db, "corm:./store", &options), err);
    return db;
}

/* A deployment: the process makes the table what its model says, and writes. */
static int deploy(const corm_model *model, int32_t id) {
    corm_error err = { 0 };
    corm_db   *db = open_store();
    item       row = { .id = id, .name = "thing", .price = id };
    if (corm_load(db, model, &err) != CORM_OK ||
        corm_insert(db, model, &row, { .error = &err }) != CORM_OK) {
        fprintf(stderr, "%s: %s\n", corm_status_name(err.status), err.message);
        return 1;
    }
    corm_db_close(db);
    return 0;
}

static void deploy_at_once(const corm_model *model, int32_t count, int32_t from) {
    for (int32_t i = 0; i < count; i++) {
        if (fork() == 0) _exit(deploy(model, from + i));
    }
    for (int32_t i = 0; i < count; i++) {
        int status = 0;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

/* Pain 39. */
static void deployments_at_the_same_time_make_one_table_and_change_it_once(void **state) {
    enum { DEPLOYMENTS = 6 };
    (void)state;
    deploy_at_once(&first, DEPLOYMENTS, 0);
    deploy_at_once(&second, DEPLOYMENTS, DEPLOYMENTS);
    corm_db               *db = open_store();
    const corm_table_info *table = NULL;
    corm_result           *result = NULL;
    corm_error             err = { 0 };
    assert_ok(corm_table_read(corm_db_session(db), "shop", "items", &table, &err), err);
    assert_int_equal(table->column_count, 3);
    corm_table_free(table);
    assert_ok(
        corm_execute(corm_db_session(db), "SELECT count(*) FROM items", &result, { .error = &err }),
        err);
    assert_int_equal(corm_row_bigint(corm_result_next(result), 0), 2 * DEPLOYMENTS);
    corm_result_free(result);
    corm_db_close(db);
}

static void run(corm_session *session, const char *cql) {
    corm_error           err = { 0 };
    corm_execute_options options = { .error = &err };
    assert_ok(corm_execute_with(session, cql, &options, NULL), err);
}

/* Pain 40. */
static void counters_and_others_do_not_mix_in_a_batch(void **state) {
    (void)state;
    corm_session        *session = NULL;
    corm_error           err = { 0 };
    corm_session_options options = { .keyspace = "shop", .create_keyspace = true };
    assert_ok(corm_session_open(&session, "corm::memory:", &options, &err), err);
    run(session, "CREATE TABLE c (k int PRIMARY KEY, n counter)");
    run(session, "CREATE TABLE t (k int PRIMARY KEY, v int)");
    corm_batch *batch = corm_batch_new(session, CORM_LOGGED);
    assert_ok(corm_batch_add_text(batch, "UPDATE c SET n = n + 1 WHERE k = 1", NULL, 0, &err), err);
    assert_ok(corm_batch_add_text(batch, "INSERT INTO t (k, v) VALUES (1, 1)", NULL, 0, &err), err);
    assert_status(corm_batch_run(batch, NULL, &err), CORM_INVALID);
    assert_non_null(strstr(err.message, "counter"));
    corm_batch_free(batch);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(deployments_at_the_same_time_make_one_table_and_change_it_once),
    cmocka_unit_test(counters_and_others_do_not_mix_in_a_batch),
};
RUN_TESTS()
