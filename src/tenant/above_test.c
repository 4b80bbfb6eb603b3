// SPDX-License-Identifier: MIT
/* What stands above sessions works over a tenant's as it is: the mapper, scans, streams, batches in pieces, migrations. */
#include <stdlib.h>
#include <sys/stat.h>

#include "corm/cluster.h"
#include "corm/db.h"
#include "corm/stream.h"
#include "tenant/tenant_for_tests.h"

enum { ROWS = 60 };

static two_tenants          two;
static corm_tenant_strategy strategy;

typedef struct note {
    int32_t     id, at;
    const char *text;
} note;

#define COL(member) CORM_COLUMN(note, member)
static const corm_model notes = {
    .table = "notes",
    .row_size = sizeof(note),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(at), .key = CORM_CLUSTERING },
                { COL(text), .indexed = true } },
};
#undef COL

static int open_two(void **state) {
    (void)state;
    two_open(&two, strategy, (corm_tenants_options){ .state_cache_ms = 1000 });
    return 0;
}

static int close_two(void **state) {
    (void)state;
    two_close(&two);
    return 0;
}

static corm_db *open_db(const char *tenant) {
    corm_session *session;
    corm_db      *db;
    corm_error    err = { 0 };
    assert_ok(corm_tenant_session(two.tenants, tenant, &session, &err), err);
    assert_ok(corm_db_over(&db, session, &(corm_db_options){ .error = &err }), err);
    return db;
}

static void the_mapper_is_the_tenants(void **state) {
    corm_db   *dbs[] = { open_db("acme"), open_db("blue-1") };
    corm_error err = { 0 };
    corm_rows *rows;
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_ok(corm_load(dbs[i], &notes, &err), err);
        note row = { .id = 1, .at = i, .text = i ? "b" : "a" };
        assert_ok(corm_insert_with(dbs[i], &notes, &row, &(corm_write_options){ .error = &err }),
                  err);
    }
    for (int i = 0; i < 2; i++) {
        uint64_t count;
        assert_ok(corm_find_with(dbs[i], &notes, &rows,
                                 &(corm_find_options){ .where = { corm_eq("text", i ? "b" : "a") },
                                                       .error = &err }),
                  err);
        assert_int_equal(corm_rows_count(rows), 1);
        assert_string_equal(((note *)corm_rows_first(rows))->text, i ? "b" : "a");
        corm_rows_free(rows);
        assert_ok(corm_count_with(dbs[i], &notes, &count, &(corm_find_options){ .error = &err }),
                  err);
        assert_int_equal(count, 1);
        note gone = { .id = 1, .at = 1 - i };
        assert_ok(corm_delete_with(dbs[i], &notes, &gone, &(corm_write_options){ .error = &err }),
                  err);
    }
    assert_string_equal(two_rows(two.a, "SELECT * FROM notes"), "1|0|a\n");
    assert_string_equal(two_rows(two.b, "SELECT * FROM notes"), "1|1|b\n");
    corm_db_close(dbs[0]);
    corm_db_close(dbs[1]);
}

static void fill_events(void) {
    corm_error err = { 0 };
    for (int t = 0; t < 2; t++) {
        corm_session  *session = t ? two.b : two.a;
        corm_prepared *prepared;
        corm_batch    *batch = corm_batch_new(session, CORM_UNLOGGED);
        assert_ok(corm_prepare(session, "INSERT INTO events (user, at, what) VALUES (?, 1, ?)",
                               &prepared, &err),
                  err);
        corm_statement *statement = corm_statement_new(prepared);
        for (int32_t i = 0; i < (t ? ROWS / 2 : ROWS); i++) {
            assert_ok(corm_statement_bind(statement, 0, corm_v(i), &err), err);
            assert_ok(corm_statement_bind(statement, 1, corm_v(t ? "b" : "a"), &err), err);
            assert_ok(corm_batch_add(batch, statement, &err), err);
        }
        uint64_t done;
        assert_ok(corm_batch_run_split(
                      batch, &(corm_split_options){ .max_statements = 7, .error = &err }, &done),
                  err);
        assert_int_equal(done, t ? ROWS / 2 : ROWS);
        corm_batch_free(batch);
        corm_statement_free(statement);
        corm_prepared_free(prepared);
    }
}

typedef struct seen {
    const char *mark;
    uint32_t    rows;
} seen;

static corm_status on_page(void *context, corm_result *page, corm_error *err) {
    seen *s = context;
    int   column = corm_result_column_index(page, "what");
    (void)err;
    for (const corm_row *row; (row = corm_result_next(page)) != NULL; s->rows++) {
        assert_text(corm_row_text(row, (uint32_t)column), s->mark);
    }
    return CORM_OK;
}

static void a_scan_reads_the_tenants_rows(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        seen       s = { t ? "b" : "a", 0 };
        corm_scan *scan;
        corm_error err = { 0 };
        assert_ok(corm_scan_open(
                      t ? two.b : two.a, "events",
                      &(corm_scan_options){ .ranges = 16, .page_size = 3, .error = &err }, &scan),
                  err);
        assert_ok(corm_scan_run(scan, on_page, &s, &err), err);
        assert_int_equal(s.rows, t ? ROWS / 2 : ROWS);
        corm_scan_free(scan);
    }
}

static void a_stream_reads_the_tenants_rows(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        corm_stream *stream;
        corm_error   err = { 0 };
        uint32_t     rows = 0;
        assert_ok(corm_stream_session_with(
                      t ? two.b : two.a,
                      &(corm_stream_options){ .table = "events", .batch_size = 5, .error = &err },
                      &stream),
                  err);
        for (void *item;; rows++) {
            assert_ok(corm_stream_next(stream, &item, &err), err);
            if (!item) break;
        }
        assert_int_equal(rows, t ? ROWS / 2 : ROWS);
        corm_stream_free(stream);
    }
}

static const corm_changeset add_column = {
    .id = "0001_more",
    .up = { CORM_ADD_COLUMN("users", "more", "text"),
            CORM_CQL("CREATE TABLE later (id int PRIMARY KEY, v text)") },
};

static void migrations_are_the_tenants(void **state) {
    corm_error    err = { 0 };
    corm_session *schema = NULL;
    corm_session *sessions[] = { two.a, two.b };
    (void)state;
    if (strategy == CORM_TENANT_COLUMN) {
        assert_ok(corm_tenants_schema_session(two.tenants, &schema, &err), err);
        sessions[0] = schema;
    }
    for (int t = 0; t < (schema ? 1 : 2); t++) {
        corm_migrator       *migrator;
        corm_migration_list *applied;
        assert_ok(corm_migrator_open(&migrator, sessions[t], NULL, &err), err);
        assert_ok(corm_migrator_add(migrator, &add_column, &err), err);
        for (uint32_t again = 0; again < 2; again++) {
            assert_ok(
                corm_migrator_up(migrator, &applied, &(corm_migrate_options){ .error = &err }),
                err);
            assert_int_equal(applied->count, again ? 0 : 1);
            corm_migration_list_free(applied);
        }
        char *drift;
        assert_ok(corm_migrator_verify(migrator, &drift, &err), err);
        assert_string_equal(drift, "");
        free(drift);
        corm_migrator_close(migrator);
    }
    corm_session_close(schema);
    two_run(two.b, "INSERT INTO later (id, v) VALUES (1, 'b')");
    two_run(two.a, "INSERT INTO users (id, more) VALUES (1, 'm')");
    assert_string_equal(two_rows(two.a, "SELECT * FROM later"), "");
}

static void migrations_of_all_tenants_are_applied(void **state) {
    corm_error           err = { 0 };
    uint64_t             applied;
    corm_migrate_options options = { .error = &err };
    (void)state;
    mkdir("all", 0700);
    FILE *file = fopen("all/0002_all.cql", "w");
    assert_non_null(file);
    fputs("-- up\nCREATE TABLE all_have (id int PRIMARY KEY);\n-- down\nDROP TABLE all_have;\n",
          file);
    fclose(file);
    assert_ok(corm_tenants_migrate(two.tenants, "all", &options, &applied), err);
    assert_int_equal(applied, strategy == CORM_TENANT_COLUMN ? 1 : 2);
    assert_ok(corm_tenants_migrate(two.tenants, "all", &options, &applied), err);
    assert_int_equal(applied, 0);
    two_run(two.a, "INSERT INTO all_have (id) VALUES (1)");
    assert_string_equal(two_rows(two.b, "SELECT * FROM all_have"), "");
}

static void a_tenants_session_outlives_the_tenants(void **state) {
    corm_error           err = { 0 };
    corm_tenants        *tenants;
    corm_session        *session;
    corm_tenants_options options = { .strategy = strategy, .error = &err };
    (void)state;
    assert_ok(corm_tenants_open(&tenants, two.session, &options), err);
    assert_ok(corm_tenant_session(tenants, "acme", &session, &err), err);
    corm_tenants_close(tenants);
    two_run(session, "SELECT * FROM users");
    corm_session_close(session);
}

static int open_and_fill(void **state) {
    open_two(state);
    fill_events();
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_mapper_is_the_tenants),
    cmocka_unit_test(a_scan_reads_the_tenants_rows),
    cmocka_unit_test(a_stream_reads_the_tenants_rows),
    cmocka_unit_test(migrations_are_the_tenants),
    cmocka_unit_test(migrations_of_all_tenants_are_applied),
    cmocka_unit_test(a_tenants_session_outlives_the_tenants),
};

int main(void) {
    int failed = 0;
    for (strategy = CORM_TENANT_KEYSPACE; strategy <= CORM_TENANT_COLUMN; strategy++) {
        failed +=
            cmocka_run_group_tests_name(strategy_names[strategy], tests, open_and_fill, close_two);
    }
    return failed;
}
