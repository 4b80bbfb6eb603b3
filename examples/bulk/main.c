// SPDX-License-Identifier: MIT
/* main.c -- many rows from several threads by one bulk writer, what became of them, and the rows as JSON lines, out and in again. */
#include <corm/corm.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

typedef struct measurement {
    int32_t        station;
    corm_timestamp at;
    double         celsius;
    char          *note;
} measurement;

#define COL(member) CORM_COLUMN(measurement, member)
static const corm_model measurements = {
    .table = "measurements",
    .row_size = sizeof(measurement),
    .fields = {
        { COL(station), .key = CORM_PARTITION },
        { COL(at), .key = CORM_CLUSTERING },
        { COL(celsius), .validate = { .has_min = true, .min = -273.15 } },
        { COL(note) },
    },
};
#undef COL

enum { STATIONS = 4, EACH = 5000 };

typedef struct station {
    corm_bulk *bulk;
    int32_t    number;
    uint32_t   refused;
    corm_error error;
} station;

/* The row is copied: the struct may be used again at once. A rule that is broken is the call's status. */
static void *measure(void *context) {
    station *self = context;
    for (int32_t i = 0; i < EACH; i++) {
        double      celsius = i == 100 ? -300 : 20 + i % 10;
        measurement row = { self->number, { 1700000000000 + i * 1000 }, celsius, NULL };
        corm_status status =
            corm_bulk_insert(self->bulk, &measurements, &row, { .write.error = &self->error });
        if (status == CORM_VALIDATION) {
            self->refused++;
        } else if (status != CORM_OK) {
            break;
        }
    }
    return NULL;
}

static corm_status write_all(corm_db *db, corm_error *err) {
    corm_bulk      *bulk;
    corm_bulk_stats stats;
    station         stations[STATIONS] = { { 0 } };
    pthread_t       threads[STATIONS];
    corm_status     status = corm_bulk_open(
            db, &bulk, { .max_bytes = 1 << 20, .rejects_path = "rejects.jsonl", .error = err });
    if (status != CORM_OK) return status;
    for (int32_t i = 0; i < STATIONS; i++) {
        stations[i].bulk = bulk;
        stations[i].number = i;
        if (pthread_create(&threads[i], NULL, measure, &stations[i]) != 0) return CORM_NO_MEMORY;
    }
    uint32_t refused = 0;
    for (int32_t i = 0; i < STATIONS; i++) {
        pthread_join(threads[i], NULL);
        refused += stations[i].refused;
    }
    status = corm_bulk_flush(bulk, err); /* from here on all of it is in the store */
    corm_bulk_statistics(bulk, &stats);
    printf("%llu rows written, %u refused, %llu rejected, never more than %s held\n",
           (unsigned long long)stats.written, refused, (unsigned long long)stats.rejected,
           stats.bytes_peak <= 1 << 20 ? "a megabyte" : "what was asked");
    corm_status closed = corm_bulk_close(bulk, err);
    return status == CORM_OK ? closed : status;
}

static corm_status out_and_in(corm_db *db, corm_error *err) {
    corm_import_stats stats;
    uint64_t          count = 0;
    corm_status       status = corm_export_model(db, &measurements,
                                                 { .path = "all.jsonl", .replace = true, .error = err });
    if (status != CORM_OK) return status;
    status = corm_execute(corm_db_session(db), "TRUNCATE measurements", NULL, { .error = err });
    if (status != CORM_OK) return status;
    status = corm_import_model(db, &measurements,
                               { .path = "all.jsonl", .stats = &stats, .error = err });
    if (status != CORM_OK) return status;
    status = corm_count(db, &measurements, &count, { .error = err });
    printf("%llu records imported, %llu rows\n", (unsigned long long)stats.records,
           (unsigned long long)count);
    return status;
}

int main(void) {
    corm_db   *db;
    corm_error err = { 0 };
    if (corm_open(
            &db, "corm::memory:",
            { .session = { .keyspace = "weather", .create_keyspace = true }, .error = &err })) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    corm_status status = write_all(db, &err);
    if (status == CORM_OK) status = out_and_in(db, &err);
    if (status != CORM_OK) fprintf(stderr, "%s\n", err.message);
    corm_db_close(db);
    return status == CORM_OK ? 0 : 1;
}
