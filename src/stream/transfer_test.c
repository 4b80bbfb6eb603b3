// SPDX-License-Identifier: MIT
/* Models into files and back. */
#include "corm/transfer.h"

#include <unistd.h>

#include "base/file.h"
#include "corm/hook.h"
#include "stream/stream_for_tests.h"

static void export_to(corm_db *db, const corm_model *model, const char *path) {
    corm_error err = { 0 };
    assert_ok(corm_export_model(db, model,
                                { .path = path, .ordered = true, .replace = true, .error = &err }),
              err);
}

static corm_import_stats import_from(corm_db *db, const corm_model *model, const char *path) {
    corm_error        err = { 0 };
    corm_import_stats stats;
    assert_ok(corm_import_model(db, model, { .path = path, .stats = &stats, .error = &err }), err);
    return stats;
}

static base_buf text_of(const char *path) {
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_ok(base__read_file(path, 0, &out, &err), err);
    assert_non_null(base__buf_cstr(&out));
    return out;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static uint64_t count(corm_db *db) {
    corm_error err = { 0 };
    uint64_t   out = 0;
    assert_ok(corm_count(db, &readings, &out, { .error = &err }), err);
    return out;
}

static void what_is_exported_and_imported_is_the_same(void **state) {
    (void)state;
    static const char *const paths[] = { "all.jsonl", "all.csv", "all.tsv" };
    for (int i = 0; i < 3; i++) {
        corm_db *db = open_db();
        fill(db, 500);
        run(db, "INSERT INTO readings (sensor, number) VALUES (3, 1000)");
        run(db, "INSERT INTO readings (sensor, number, note) VALUES (4, 1000, 'a,\"b\"\t\nc')");
        export_to(db, &readings, paths[i]);
        run(db, "TRUNCATE readings");
        corm_import_stats stats = import_from(db, &readings, paths[i]);
        assert_int_equal(stats.records, 502);
        assert_int_equal(stats.written, 502);
        assert_int_equal(stats.rejected, 0);
        export_to(db, &readings, "again.jsonl");
        base_buf again = text_of("again.jsonl");
        assert_int_equal(count(db), 502);
        assert_non_null(strstr((const char *)again.data, "{\"sensor\": 3, \"number\": 1000}\n"));
        base__buf_free(&again);
        unlink("again.jsonl");
        unlink(paths[i]);
        corm_db_close(db);
    }
}

static void what_does_not_fit_is_among_the_rejects(void **state) {
    (void)state;
    corm_db *db = open_db();
    write_file("some.jsonl", "{\"sensor\": 1, \"number\": 1, \"value\": 5}\n"
                             "{\"sensor\": 1, \"number\": \"x\"}\n"
                             "\n"
                             "{\"sensor\": 1}\n"
                             "{\"sensor\": 1, \"number\": 2, \"valeu\": 5}\n"
                             "{\"sensor\": 1, \"number\": 3}\n");
    corm_import_stats stats = import_from(db, &readings, "some.jsonl");
    assert_int_equal(stats.records, 5);
    assert_int_equal(stats.written, 2);
    assert_int_equal(stats.rejected, 3);
    base_buf reasons = text_of("some.jsonl.rejects.txt"), records = text_of("some.jsonl.rejects");
    assert_non_null(strstr((const char *)reasons.data, "some.jsonl:2:25: "));
    assert_non_null(strstr((const char *)reasons.data, "did you mean 'value'?"));
    assert_non_null(strstr((const char *)records.data, "\"valeu\""));
    base__buf_free(&reasons);
    base__buf_free(&records);
    unlink("some.jsonl");
    unlink("some.jsonl.rejects");
    unlink("some.jsonl.rejects.txt");
    corm_db_close(db);
}

static bool stop_at_once(void *context) {
    return ++*(int *)context > 40;
}

static void an_import_goes_on_where_it_was_stopped(void **state) {
    (void)state;
    corm_db          *db = open_db();
    corm_error        err = { 0 };
    corm_import_stats stats;
    int               asked = 0;
    fill(db, 200);
    export_to(db, &readings, "all.jsonl");
    run(db, "TRUNCATE readings");
    assert_status(corm_import_model(db, &readings,
                                    { .path = "all.jsonl",
                                      .stop = stop_at_once,
                                      .context = &asked,
                                      .stats = &stats,
                                      .error = &err }),
                  CORM_CANCELLED);
    assert_int_equal(stats.written, 40);
    assert_ok(
        corm_import_model(db, &readings,
                          { .path = "all.jsonl", .resume = true, .stats = &stats, .error = &err }),
        err);
    assert_int_equal(stats.records, 200);
    assert_int_equal(stats.written, 160);
    assert_int_equal(count(db), 200);
    unlink("all.jsonl");
    corm_db_close(db);
}

static corm_status fail_later(corm_hook_call *call, void *context, corm_error *err) {
    if (corm_rows_count(call->rows) == 0 || ++*(int *)context < 4) return CORM_OK;
    return base__fail(err, CORM_INVALID, "enough");
}

static void an_export_goes_on_where_it_was_broken_off(void **state) {
    (void)state;
    corm_db        *db = open_db();
    corm_error      err = { 0 };
    int             calls = 0;
    corm_model_hook hook = {
        .name = "fail", .on = CORM_ON_FIND, .after = fail_later, .context = &calls
    };
    fill(db, 300);
    assert_ok(corm_hook_add(db, &readings, &hook, &err), err);
    assert_status(corm_export_model(db, &readings, { .path = "part.jsonl", .error = &err }),
                  CORM_INVALID);
    assert_ok(corm_hook_remove(db, &readings, "fail", &err), err);
    assert_int_equal(access("part.jsonl", F_OK), -1);
    assert_int_equal(access("part.jsonl.part", F_OK), 0);
    corm_stream_stats stats;
    assert_ok(
        corm_export_model(db, &readings,
                          { .path = "part.jsonl", .resume = true, .stats = &stats, .error = &err }),
        err);
    assert_true(stats.rows > 0 && stats.rows < 300);
    run(db, "TRUNCATE readings");
    assert_int_equal(import_from(db, &readings, "part.jsonl").records, 300);
    assert_int_equal(count(db), 300);
    assert_int_equal(access("part.jsonl.checkpoint", F_OK), -1);
    unlink("part.jsonl");
    corm_db_close(db);
}

static corm_status append(void *context, corm_bytes text, corm_error *err) {
    base__buf_put(context, text.data, text.len);
    return base__buf_status(context, err);
}

static void rows_may_go_to_a_function(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    base_buf   text = { 0 };
    fill(db, 3);
    assert_ok(corm_export_model(db, &readings,
                                { .write = append,
                                  .context = &text,
                                  .format = CORM_FORMAT_CSV,
                                  .columns = { "number", "note" },
                                  .conditions = { corm_eq("number", 2) },
                                  .error = &err }),
              err);
    assert_string_equal(base__buf_cstr(&text), "number,note\n2,note\n");
    base__buf_free(&text);
    assert_status(corm_export_model(db, &readings, { .error = &err }), CORM_INVALID_ARGUMENT);
    assert_status(corm_export_model(db, &readings, { .path = "x.odd", .error = &err }),
                  CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_exported_and_imported_is_the_same),
        cmocka_unit_test(what_does_not_fit_is_among_the_rejects),
        cmocka_unit_test(an_import_goes_on_where_it_was_stopped),
        cmocka_unit_test(an_export_goes_on_where_it_was_broken_off),
        cmocka_unit_test(rows_may_go_to_a_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
