// SPDX-License-Identifier: MIT
/* main.c -- a large table through a filter and a transform, row by row, with bounded memory: the stream of docs/streaming.md. Then the
 * same taken one by one, and gone on with from a checkpoint. */
#include <corm/corm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct item {
    int32_t id;
    char   *name, *status;
} item;

#define COL(member) CORM_COLUMN(item, member)
static const corm_model items = {
    .table = "large_table",
    .row_size = sizeof(item),
    .fields = {
        { COL(id), .key = CORM_PARTITION },
        { COL(name) },
        { COL(status) },
    },
};
#undef COL

/* What a transform makes of an item: { ...item, processed: true } */
typedef struct processed_item {
    item item;
    bool processed;
} processed_item;

typedef struct seen {
    corm_stream *stream;
    uint64_t     rows, batches;
    char        *checkpoint;
} seen;

static bool is_active(void *context, const void *row) {
    (void)context;
    const item *from = row;
    return from->status && strcmp(from->status, "active") == 0;
}

static corm_status process(void *context, void *row, void *out, corm_error *err) {
    (void)context;
    (void)err;
    *(processed_item *)out = (processed_item){ .item = *(item *)row, .processed = true };
    return CORM_OK;
}

static corm_status on_data(void *context, void *row, corm_error *err) {
    const processed_item *from = row;
    seen                 *self = context;
    (void)err;
    if (self->rows++ < 3) printf("Processed: %d %s\n", from->item.id, from->item.name);
    return CORM_OK;
}

static corm_status on_batch(void *context, const corm_stream_batch *batch, corm_error *err) {
    seen *self = context;
    if (self->batches++ == 0) printf("Processed batch of %u items\n", batch->size);
    free(self->checkpoint); /* a program would keep it with what it made of the batch */
    self->checkpoint = NULL;
    return corm_stream_checkpoint(self->stream, &self->checkpoint, err);
}

static void on_end(void *context, const corm_stream_stats *stats) {
    (void)context;
    printf("%llu of %llu rows, in flight at most %llu rows\n", (unsigned long long)stats->rows,
           (unsigned long long)stats->read, (unsigned long long)stats->rows_in_flight_peak);
}

static corm_status fill(corm_db *db, int32_t count, corm_error *err) {
    corm_bulk  *bulk;
    corm_status status = corm_bulk_open(db, &bulk, { .error = err });
    if (status != CORM_OK) return status;
    for (int32_t i = 0; i < count && status == CORM_OK; i++) {
        char name[32];
        snprintf(name, sizeof name, "item %d", i);
        item row = { .id = i,
                     .name = name,
                     .status = (char *)(uintptr_t)(i % 2 ? "active" : "retired") };
        status = corm_bulk_insert(bulk, &items, &row, { .write.error = err });
    }
    corm_status closed = corm_bulk_close(bulk, status == CORM_OK ? err : NULL);
    return status == CORM_OK ? closed : status;
}

static corm_status stream_all(corm_db *db, seen *self, corm_error *err) {
    corm_status status = corm_stream_open(db, &self->stream,
                                          { .model = &items,
                                            .batch_size = 1000,
                                            .concurrency = 5,
                                            .filter = is_active,
                                            .transform = process,
                                            .out_size = sizeof(processed_item),
                                            .data = on_data,
                                            .batch = on_batch,
                                            .end = on_end,
                                            .context = self,
                                            .error = err });
    if (status == CORM_OK) status = corm_stream_run(self->stream, err);
    corm_stream_free(self->stream);
    return status;
}

/* Rows without a model, one by one, until enough were seen. */
static corm_status take_some(corm_db *db, corm_error *err) {
    corm_stream *stream;
    void        *row;
    int          rows = 0;
    corm_status  status = corm_stream_session(
         corm_db_session(db), &stream, { .cql = "SELECT id, name FROM large_table", .error = err });
    if (status != CORM_OK) return status;
    while ((status = corm_stream_next(stream, &row, err)) == CORM_OK && row && rows < 10) rows++;
    printf("%d rows taken\n", rows);
    corm_stream_free(stream);
    return status;
}

/* What a checkpoint of the end leaves is nothing. */
static corm_status go_on(corm_db *db, const char *checkpoint, corm_error *err) {
    corm_stream *stream;
    void        *row = NULL;
    corm_status  status =
        corm_stream_open(db, &stream, { .model = &items, .resume = checkpoint, .error = err });
    if (status != CORM_OK) return status;
    status = corm_stream_next(stream, &row, err);
    printf("behind the checkpoint: %s\n", row ? "more" : "nothing");
    corm_stream_free(stream);
    return status;
}

int main(void) {
    corm_db   *db;
    corm_error err = { 0 };
    seen       self = { .rows = 0 };
    if (corm_open(&db, "corm::memory:",
                  { .session = { .keyspace = "myapp", .create_keyspace = true }, .error = &err })) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    corm_status status = fill(db, 10000, &err);
    if (status == CORM_OK) status = stream_all(db, &self, &err);
    if (status == CORM_OK) status = take_some(db, &err);
    if (status == CORM_OK) status = go_on(db, self.checkpoint, &err);
    if (status != CORM_OK) fprintf(stderr, "%s\n", err.message);
    free(self.checkpoint);
    corm_db_close(db);
    return status == CORM_OK && self.rows == 5000 ? 0 : 1;
}
