// SPDX-License-Identifier: MIT
/* bench aggregate -- the group-by questions of the db-benchmark, over its data G1, in a store.
 *
 *   aggregate load FOLDER ROWS CSV      makes the rows, the same every time: into a new store, and into a file for others
 *   aggregate ask FOLDER                reads lines "QUESTION [FILE]" and answers each with a line of JSON; the answer's rows go to FILE
 *
 * id1, id2 are texts of 100 values, id3 of ROWS / 100; id4, id5 and id6 likewise are ints; v1 is 1 to 5, v2 1 to 15, v3 0 to 100. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "corm/corm.h"

enum { ROWS_A_PARTITION = 1000, GROUPS = 100 };

static int fail(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(err->status), err->message);
    return 1;
}

static double now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- rows ---- */

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint32_t random_below(uint32_t most) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 32) * most >> 32);
}

typedef struct g1_row {
    char    id1[16], id2[16], id3[20];
    int32_t id4, id5, id6, v1, v2;
    double  v3;
} g1_row;

static void make_row(g1_row *row, uint32_t groups) {
    snprintf(row->id1, sizeof row->id1, "id%03u", 1 + random_below(GROUPS));
    snprintf(row->id2, sizeof row->id2, "id%03u", 1 + random_below(GROUPS));
    snprintf(row->id3, sizeof row->id3, "id%010u", 1 + random_below(groups));
    row->id4 = (int32_t)(1 + random_below(GROUPS));
    row->id5 = (int32_t)(1 + random_below(GROUPS));
    row->id6 = (int32_t)(1 + random_below(groups));
    row->v1 = (int32_t)(1 + random_below(5));
    row->v2 = (int32_t)(1 + random_below(15));
    row->v3 = (double)random_below(100000000) / 1e6;
}

/* ---- load ---- */

static corm_status bind_row(corm_statement *insert, int32_t part, int32_t number, const g1_row *row,
                            corm_error *err) {
    const corm_value values[] = { corm_v(part),     corm_v(number),   corm_v(row->id1),
                                  corm_v(row->id2), corm_v(row->id3), corm_v(row->id4),
                                  corm_v(row->id5), corm_v(row->id6), corm_v(row->v1),
                                  corm_v(row->v2),  corm_v(row->v3) };
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        corm_status status = corm_statement_bind(insert, i, values[i], err);
        if (status) return status;
    }
    return CORM_OK;
}

static corm_status load_part(corm_batch *batch, corm_statement *insert, int32_t part,
                             uint32_t count, uint32_t groups, FILE *csv, corm_error *err) {
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        g1_row row;
        make_row(&row, groups);
        fprintf(csv, "%s,%s,%s,%d,%d,%d,%d,%d,%.6f\n", row.id1, row.id2, row.id3, row.id4, row.id5,
                row.id6, row.v1, row.v2, row.v3);
        status = bind_row(insert, part, (int32_t)i, &row, err);
        if (!status) status = corm_batch_add(batch, insert, err);
    }
    if (!status) status = corm_batch_run(batch, NULL, err);
    corm_batch_clear(batch);
    return status;
}

static corm_status load_rows(corm_session *session, uint32_t rows, FILE *csv, corm_error *err) {
    corm_prepared *prepared;
    corm_status    status = corm_prepare(
           session,
           "INSERT INTO bench.g1 (part, row, id1, id2, id3, id4, id5, id6, v1, v2, v3) VALUES "
              "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
           &prepared, err);
    if (status) return status;
    corm_statement *insert = corm_statement_new(prepared);
    corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
    if (!insert || !batch) status = CORM_NO_MEMORY;
    for (uint32_t done = 0; done < rows && !status; done += ROWS_A_PARTITION) {
        uint32_t count = rows - done < ROWS_A_PARTITION ? rows - done : ROWS_A_PARTITION;
        status = load_part(batch, insert, (int32_t)(done / ROWS_A_PARTITION), count, rows / GROUPS,
                           csv, err);
    }
    corm_batch_free(batch);
    corm_statement_free(insert);
    corm_prepared_free(prepared);
    return status;
}

static int load(const char *folder, uint32_t rows, const char *path) {
    static const char *const statements[] = {
        "CREATE KEYSPACE bench WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE bench.g1 (part int, row int, id1 text, id2 text, id3 text, id4 int, id5 int, "
        "id6 int, v1 int, v2 int, v3 double, PRIMARY KEY (part, row))",
    };
    char          uri[4200];
    corm_session *session;
    corm_error    err = { 0 };
    snprintf(uri, sizeof uri, "corm:%s?durability=relaxed", folder);
    double               start = now(CLOCK_MONOTONIC);
    FILE                *csv = fopen(path, "w");
    corm_session_options options = { .guard_rails = "batch_size_warn_threshold=1GiB,"
                                                    "batch_size_fail_threshold=1GiB" };
    if (!csv || corm_session_open(&session, uri, &options, &err)) return fail("open", &err);
    corm_status status = CORM_OK;
    for (int i = 0; i < 2 && !status; i++)
        status = corm_execute(session, statements[i], NULL, { .error = &err });
    if (!status) status = load_rows(session, rows, csv, &err);
    corm_session_close(session);
    if (fclose(csv) != 0) return fail("csv", &err);
    if (status) return fail("load", &err);
    printf("{\"load_s\": %.3f}\n", now(CLOCK_MONOTONIC) - start);
    return 0;
}

/* ---- questions ---- */

static void say(corm_pipeline *p, int question) {
    switch (question) {
    case 1:
        corm_pipeline_group_by(p, "id1");
        corm_pipeline_sum(p, "v1", "v1");
        break;
    case 2:
        corm_pipeline_group_by(p, "id1, id2");
        corm_pipeline_sum(p, "v1", "v1");
        break;
    case 3:
        corm_pipeline_group_by(p, "id3");
        corm_pipeline_sum(p, "v1", "v1");
        corm_pipeline_avg(p, "v3", "v3");
        break;
    case 4:
        corm_pipeline_group_by(p, "id4");
        corm_pipeline_avg(p, "v1", "v1");
        corm_pipeline_avg(p, "v2", "v2");
        corm_pipeline_avg(p, "v3", "v3");
        break;
    case 5:
        corm_pipeline_group_by(p, "id6");
        corm_pipeline_sum(p, "v1", "v1");
        corm_pipeline_sum(p, "v2", "v2");
        corm_pipeline_sum(p, "v3", "v3");
        break;
    case 6:
        corm_pipeline_group_by(p, "id4, id5");
        corm_pipeline_median(p, "v3", "median_v3");
        corm_pipeline_stddev(p, "v3", "sd_v3");
        break;
    case 7:
        corm_pipeline_group_by(p, "id3");
        corm_pipeline_max(p, "v1", "a");
        corm_pipeline_min(p, "v2", "b");
        corm_pipeline_project(p, "id3, a - b AS range_v1_v2");
        break;
    case 8:
        corm_pipeline_group_by(p, "id6");
        corm_pipeline_accumulate(p, "top(v3, 2)", "largest2_v3");
        corm_pipeline_unwind(p, "largest2_v3", false);
        break;
    case 9:
        corm_pipeline_group_by(p, "id2, id4");
        corm_pipeline_correlation(p, "v1", "v2", "r");
        corm_pipeline_project(p, "id2, id4, pow(r, 2) AS r2");
        break;
    default:
        corm_pipeline_group_by(p, "id1, id2, id3, id4, id5, id6");
        corm_pipeline_sum(p, "v3", "v3");
        corm_pipeline_count(p, "count");
    }
}

static void write_rows(corm_result *result, const char *path) {
    FILE *out = fopen(path, "w");
    if (!out) return;
    uint32_t columns = corm_result_column_count(result);
    for (const corm_row *row = corm_result_next(result); row; row = corm_result_next(result)) {
        for (uint32_t i = 0; i < columns; i++) {
            corm_str type = corm_result_column_type(result, i);
            corm_str text = corm_row_text(row, i);
            if (i > 0) fputc(',', out);
            if (type.len == 4) {
                fwrite(text.data, 1, text.len, out);
            } else if (!corm_row_is_null(row, i)) {
                fprintf(out, "%.17g", corm_row_double(row, i));
            }
        }
        fputc('\n', out);
    }
    fclose(out);
}

static int answer(corm_session *session, int question, const char *path) {
    corm_result   *result;
    corm_error     err = { 0 };
    corm_pipeline *p = corm_pipeline_new(session, "bench.g1", NULL);
    double         start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    say(p, question);
    if (corm_pipeline_execute(p, &result, &err)) return fail("execute", &err);
    double              wall_s = now(CLOCK_MONOTONIC) - start;
    double              cpu_s = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    corm_pipeline_stats stats = corm_pipeline_last_stats(p);
    struct rusage       usage;
    if (path && *path) write_rows(result, path);
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"wall_s\": %.4f, \"cpu_s\": %.4f, \"rows\": %u, \"read\": %llu, \"peak_mb\": %.1f, "
           "\"spilled_mb\": %.1f, \"rss_mb\": %.1f}\n",
           wall_s, cpu_s, corm_result_row_count(result), (unsigned long long)stats.rows_read,
           (double)stats.peak_bytes / 1e6, (double)stats.spilled_bytes / 1e6,
           (double)usage.ru_maxrss / 1e3);
    fflush(stdout);
    corm_result_free(result);
    corm_pipeline_free(p);
    return 0;
}

static int ask(const char *folder) {
    char          uri[4200], line[4200];
    corm_session *session;
    corm_error    err = { 0 };
    snprintf(uri, sizeof uri, "corm:%s?read_only=true", folder);
    if (corm_session_open(&session, uri, NULL, &err)) return fail("open", &err);
    int status = 0;
    while (status == 0 && fgets(line, sizeof line, stdin)) {
        char path[4096] = "";
        int  question = 0;
        if (sscanf(line, "%d %4095s", &question, path) < 1) break;
        status = answer(session, question, path);
    }
    corm_session_close(session);
    return status;
}

int main(int argc, char **argv) {
    if (argc == 5 && strcmp(argv[1], "load") == 0)
        return load(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), argv[4]);
    if (argc == 3 && strcmp(argv[1], "ask") == 0) return ask(argv[2]);
    fprintf(stderr, "aggregate load FOLDER ROWS CSV | aggregate ask FOLDER\n");
    return 2;
}
