// SPDX-License-Identifier: MIT
/* bulk.h -- many writes, from any number of threads, with bounded memory: grouped by partition into unlogged batches, each sent to its
 * replicas, tried again where that is safe; what is not taken goes into a report.
 *
 *   corm_bulk *bulk;
 *   corm_bulk_open(db, &bulk, { .rejected = print_reject });
 *   for (…) status = corm_bulk_insert(bulk, &users, &row, { 0 });
 *   status = corm_bulk_close(bulk, &err);
 *
 * A call that gives CORM_OK has taken the row: a copy, which the caller need not keep. It is acknowledged when `done` is called
 * for it, or when corm_bulk_flush has returned: then it is in the store, or among the rejects. docs/bulk.md */
#ifndef CORM_BULK_H
#define CORM_BULK_H

#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_bulk corm_bulk;

/* A write that ended. Borrowed for the call. */
typedef struct corm_bulk_outcome {
    corm_status       status; /* CORM_OK: it is in the store */
    const corm_error *error;  /* NULL: CORM_OK */
    uint32_t          attempts;
    void             *tag; /* as it was given */
    corm_str
        record; /* likewise; else, of a failed one, the row as a JSON object of its statement's values */
    uint64_t number; /* of the write in this writer, from 1 in the order in which they were taken */
} corm_bulk_outcome;

typedef struct corm_bulk_stats {
    uint64_t taken;   /* writes */
    uint64_t written; /* of these, in the store */
    uint64_t rejected;
    uint64_t batches, statements; /* that were sent, with repeated ones */
    uint64_t retries;             /* batches that were sent again */
    uint64_t
        alone; /* writes that cannot be part of a batch: of unique models, versions, conditions */
    uint64_t waited;                    /* calls that waited for room */
    size_t   bytes, bytes_peak;         /* that are held: waiting and under way */
    uint32_t in_flight, in_flight_peak; /* batches */
} corm_bulk_stats;

/* Zero means default. Callbacks run on threads of the session's, several at the same time, or on a caller of the writer's; they must
 * not block, and may call nothing of the writer but corm_bulk_statistics. */
typedef struct corm_bulk_options {
    size_t   max_bytes;     /* of writes that wait or are under way. default: 16 MiB */
    uint32_t max_in_flight; /* batches. default: 32 on a cluster, 4 on an embedded store */
    size_t
        batch_bytes; /* of a batch's values. default: 4096 on a cluster, 32 KiB on an embedded store */
    uint32_t
         batch_statements; /* at most 256. default: 100 on a cluster, 256 on an embedded store */
    bool no_wait;          /* CORM_OVERLOADED instead of waiting for room */
    uint32_t retries;      /* of a batch; only where it may be sent again. default: 5 */
    bool     no_retry;
    uint32_t
        retry_delay_ms; /* before the first, doubled for each further one, with jitter, at most 10 s. default: 100 */
    uint64_t
        max_rejects; /* beyond so many no more is taken: CORM_CANCELLED. default: 0, no limit */
    const char *
        rejects_path; /* records that were rejected, one a line; why is in the file of this name with .txt behind it. Made with
                               * the first of them. default: none */
    void (*rejected)(void *context, const corm_bulk_outcome *outcome);
    void (*done)(void                    *context,
                 const corm_bulk_outcome *outcome); /* of each write, rejected ones too */
    void                *context;
    corm_request_options request; /* consistency, timeout, profile */
    corm_error          *error;
    uint32_t             _canary;
} corm_bulk_options;

/* *out is released by corm_bulk_close(). */
CORM_API CORM_CHECKED corm_status corm_bulk_open_with(corm_db *db, const corm_bulk_options *options,
                                                      corm_bulk **out);
/* For statements only. */
CORM_API CORM_CHECKED corm_status corm_bulk_session_with(corm_session            *session,
                                                         const corm_bulk_options *options,
                                                         corm_bulk              **out);

/* What goes with a write. */
typedef struct corm_bulk_write {
    corm_write_options write; /* of a row */
    void              *tag;
    corm_str           record; /* what a rejects report is to show; copied */
} corm_bulk_write;

/* The mapper's chain of a write up to the statement runs in the call, on its thread: what a hook or a rule refuses is this call's
 * status, and nothing was taken. Writes of one partition are applied in the order in which they were taken. Writes that cannot be part
 * of a batch wait for those of the writer before them, and are done when the call returns. */
CORM_API CORM_CHECKED corm_status corm_bulk_insert_with(corm_bulk *bulk, const corm_model *model,
                                                        void *row, const corm_bulk_write *options);
CORM_API CORM_CHECKED corm_status corm_bulk_save_with(corm_bulk *bulk, const corm_model *model,
                                                      void *row, const corm_bulk_write *options);
CORM_API CORM_CHECKED corm_status corm_bulk_update_with(corm_bulk *bulk, const corm_model *model,
                                                        void *row, const corm_bulk_write *options);
CORM_API CORM_CHECKED corm_status corm_bulk_upsert_with(corm_bulk *bulk, const corm_model *model,
                                                        void *row, const corm_bulk_write *options);
CORM_API CORM_CHECKED corm_status corm_bulk_delete_with(corm_bulk *bulk, const corm_model *model,
                                                        const void            *row,
                                                        const corm_bulk_write *options);
/* A bound INSERT, UPDATE or DELETE. Its values are copied; its own options are not used. */
CORM_API CORM_CHECKED corm_status corm_bulk_statement(corm_bulk            *bulk,
                                                      const corm_statement *statement, void *tag,
                                                      corm_str record, corm_error *err);

/* Waits until all that was taken is in the store or among the rejects (which are then on the disk). */
CORM_API CORM_CHECKED corm_status corm_bulk_flush(corm_bulk *bulk, corm_error *err);
CORM_API void                     corm_bulk_statistics(const corm_bulk *bulk, corm_bulk_stats *out);
/* Flushes and frees; also when it fails. NULL is ignored. */
CORM_API CORM_CHECKED corm_status corm_bulk_close(corm_bulk *bulk, corm_error *err);

#ifndef __cplusplus
#define corm_bulk_open(db, out, ...)                                                               \
    corm_bulk_open_with((db), &(corm_bulk_options)__VA_ARGS__, (out))
#define corm_bulk_session(session, out, ...)                                                       \
    corm_bulk_session_with((session), &(corm_bulk_options)__VA_ARGS__, (out))
#define corm_bulk_insert(bulk, model, row, ...)                                                    \
    corm_bulk_insert_with((bulk), (model), (row), &(corm_bulk_write)__VA_ARGS__)
#define corm_bulk_save(bulk, model, row, ...)                                                      \
    corm_bulk_save_with((bulk), (model), (row), &(corm_bulk_write)__VA_ARGS__)
#define corm_bulk_update(bulk, model, row, ...)                                                    \
    corm_bulk_update_with((bulk), (model), (row), &(corm_bulk_write)__VA_ARGS__)
#define corm_bulk_upsert(bulk, model, row, ...)                                                    \
    corm_bulk_upsert_with((bulk), (model), (row), &(corm_bulk_write)__VA_ARGS__)
#define corm_bulk_delete(bulk, model, row, ...)                                                    \
    corm_bulk_delete_with((bulk), (model), (row), &(corm_bulk_write)__VA_ARGS__)
#endif

#ifdef __cplusplus
}
#endif
#endif
