// SPDX-License-Identifier: MIT
/* Every golden file of tests/golden, through the embedded store, or through a cluster. A store is shared by the files of one folder.
 * With CORM_GOLDEN=PATH only the files whose path holds PATH run. */
#include "cli/golden.h"

#include <dirent.h>
#include <stdlib.h>

#include "testing/doors.h"

typedef struct totals {
    uint32_t files, statements, differences;
    base_buf
        exceptions; /* tests/golden/exceptions: "topic/file.cql:line reason", or "topic/file.cql reason" */
} totals;

static base_buf read_file(const char *path) {
    base_buf text = { 0 };
    FILE    *file = fopen(path, "rb");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) base__buf_u8(&text, (uint8_t)c);
    fclose(file);
    return text;
}

static void check_file(corm_session *session, const char *path, totals *sum) {
    base_buf    text = read_file(path), report = { 0 };
    corm_error  error = { 0 };
    corm_status status = cli__golden_check(session, base__buf_str(&text), corm_str_of(path),
                                           base__buf_str(&sum->exceptions), &report,
                                           &sum->differences, &sum->statements, &error);
    if (status != CORM_OK) {
        printf("%s: %s\n", path, error.message);
        sum->differences++;
    }
    printf("%.*s", (int)report.len, (const char *)report.data);
    sum->files++;
    base__buf_free(&text);
    base__buf_free(&report);
}

static const char *join(base_buf *out, const char *folder, const char *name) {
    base__buf_printf(out, "%s/%s", folder, name);
    return base__buf_cstr(out);
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_wanted(const char *path) {
    const char *only = getenv("CORM_GOLDEN");
    size_t      len = strlen(path);
    return len > 4 && strcmp(path + len - 4, ".cql") == 0 && (!only || strstr(path, only));
}

static void check_folder(const char *folder, totals *sum) {
    struct dirent **entries;
    corm_session   *session;
    corm_error      err;
    /* As they were recorded: the server's clock for lightweight transactions and for all other writes. */
    const corm_cluster_options cluster = { .no_client_timestamps = true };
    const corm_session_options options = { .cluster = &cluster };
    assert_ok(corm_session_open(&session, testing__uri(), &options, &err), err);
    int count = scandir(folder, &entries, NULL, by_name);
    for (int i = 0; i < count; i++) {
        base_buf    joined = { 0 };
        const char *path = join(&joined, folder, entries[i]->d_name);
        if (is_wanted(path)) check_file(session, path, sum);
        base__buf_free(&joined);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    assert_ok(corm_execute(session, "DROP KEYSPACE IF EXISTS golden", NULL, { .error = &err }),
              err);
    corm_session_close(session);
}

static void every_golden_file_is_answered_as_cassandra_answers_it(void **state) {
    (void)state;
    struct dirent **entries;
    totals          sum = { 0 };
    const char     *root = CORM_SOURCE_DIR "/tests/golden";
    int             count = scandir(root, &entries, NULL, by_name);
    sum.exceptions = read_file(testing__is_cluster() && !testing__is_served()
                                   ? CORM_SOURCE_DIR "/tests/golden/exceptions@cassandra"
                                   : CORM_SOURCE_DIR "/tests/golden/exceptions");
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        base_buf    joined = { 0 };
        const char *folder = join(&joined, root, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && strcmp(entries[i]->d_name, "later") != 0)
            check_folder(folder, &sum);
        base__buf_free(&joined);
        free(entries[i]);
    }
    free(entries);
    base__buf_free(&sum.exceptions);
    printf("%u files, %u statements, %u differ\n", sum.files, sum.statements, sum.differences);
    assert_true(sum.statements > 0);
    assert_int_equal(sum.differences, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_file_is_answered_as_cassandra_answers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
