// SPDX-License-Identifier: MIT
/* scan.c -- a whole table is read in pieces of its token ring, breaks off in the middle, and goes on from a checkpoint.
 *
 *   scan [URI]     "corm::memory:" by default; or "cassandra://127.0.0.1:9042" */
#include <corm/cluster.h>
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>

enum { READINGS = 20000, SENSORS = 100, STOP_AFTER = 7000 };

static int failed(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s: %s\n", what, corm_status_name(err->status), err->message);
    return 1;
}

static corm_status run(corm_session *session, const char *cql, corm_error *err) {
    return corm_execute(session, cql, NULL, { .error = err });
}

static corm_status make_table(corm_session *session, corm_error *err) {
    corm_status status = run(session, "DROP TABLE IF EXISTS readings", err);
    if (status != CORM_OK) return status;
    return run(session,
               "CREATE TABLE readings (sensor int, number int, value double, PRIMARY KEY "
               "(sensor, number))",
               err);
}

static corm_status add_readings(corm_batch *batch, corm_statement *insert, corm_error *err) {
    for (int32_t i = 0; i < READINGS; i++) {
        corm_status status = corm_statement_bind(insert, 0, corm_v(i % SENSORS), err);
        if (!status) status = corm_statement_bind(insert, 1, corm_v(i / SENSORS), err);
        if (!status) status = corm_statement_bind(insert, 2, corm_v((double)i / 10), err);
        if (!status) status = corm_batch_add(batch, insert, err);
        if (status) return status;
    }
    return CORM_OK;
}

/* Many rows at once: a batch of any size, sent in pieces of one partition each. */
static int load(corm_session *session) {
    corm_error     err = { 0 };
    corm_prepared *prepared;
    uint64_t       done = 0;
    if (corm_prepare(session, "INSERT INTO readings (sensor, number, value) VALUES (?, ?, ?)",
                     &prepared, &err)) {
        return failed("prepare", &err);
    }
    corm_statement    *insert = corm_statement_new(prepared);
    corm_batch        *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_split_options options = { .error = &err };
    corm_status        status = insert && batch ? CORM_OK : CORM_NO_MEMORY;
    if (!status) status = add_readings(batch, insert, &err);
    if (!status) status = corm_batch_run_split(batch, &options, &done);
    corm_batch_free(batch);
    corm_statement_free(insert);
    corm_prepared_free(prepared);
    if (status) return failed("load", &err);
    printf("%llu readings are written\n", (unsigned long long)done);
    return 0;
}

/* ---- the scan ---- */

typedef struct sums {
    uint64_t rows, stop_after; /* stop_after: this call breaks off; 0: it does not */
    double   total;
} sums;

static corm_status add_page(void *context, corm_result *page, corm_error *err) {
    sums *all = context;
    (void)err;
    if (all->stop_after > 0 && all->rows >= all->stop_after) return CORM_CANCELLED;
    for (const corm_row *row = corm_result_next(page); row; row = corm_result_next(page)) {
        all->rows++;
        all->total += corm_row_double(row, 0);
    }
    return CORM_OK;
}

/* Reads until it breaks off or the table ends; *checkpoint is where the next one goes on. */
static int scan(corm_session *session, sums *all, char **checkpoint) {
    corm_error        err = { 0 };
    corm_scan        *scan;
    corm_scan_options options = {
        .columns = "value", .page_size = 100, .resume = *checkpoint, .error = &err
    };
    if (corm_scan_open(session, "readings", &options, &scan)) return failed("scan", &err);
    corm_status status = corm_scan_run(scan, add_page, all, &err);
    free(*checkpoint);
    *checkpoint = NULL;
    if (status == CORM_OK || status == CORM_CANCELLED) {
        status = corm_scan_checkpoint(scan, checkpoint, &err);
        printf("%s of the ring, %llu readings\n", corm_scan_progress(scan) < 1 ? "a part" : "all",
               (unsigned long long)all->rows);
    }
    corm_scan_free(scan);
    return status ? failed("scan", &err) : 0;
}

static int use(corm_session *session) {
    corm_error err = { 0 };
    sums       all = { .stop_after = STOP_AFTER };
    char      *checkpoint = NULL;
    if (make_table(session, &err)) return failed("table", &err);
    int status = load(session) || scan(session, &all, &checkpoint);
    all.stop_after = 0;
    if (!status) status = scan(session, &all, &checkpoint);
    free(checkpoint);
    if (!status && all.rows != READINGS) {
        fprintf(stderr, "%llu readings instead of %d\n", (unsigned long long)all.rows, READINGS);
        return 1;
    }
    if (!status) printf("their sum is %.1f\n", all.total);
    return status;
}

int main(int count, char **arguments) {
    const char          *uri = count > 1 ? arguments[1] : "corm::memory:";
    corm_session_options options = { .keyspace = "scan_example", .create_keyspace = true };
    corm_session        *session;
    corm_error           err = { 0 };
    if (corm_session_open(&session, uri, &options, &err)) return failed(uri, &err);
    int status = use(session);
    corm_session_close(session);
    return status;
}
