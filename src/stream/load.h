// SPDX-License-Identifier: MIT
/* load.h -- records of a file into a bulk writer: those that are refused among the rejects, and about every second a checkpoint, behind
 * which all is in the store or among the rejects. One thread; outcomes come on threads of the session. */
#ifndef STREAM_LOAD_H
#define STREAM_LOAD_H

#include <pthread.h>

#include "corm/bulk.h"
#include "stream/checkpoint.h"
#include "stream/input.h"
#include "stream/rejects.h"

typedef struct stream_load {
    /* The owner's, before it begins: */
    const char *path; /* of the file; "-": standard input */
    void       *context;
    /* Gives a record to load->bulk, with stream__load_record(). What is wrong with it is its status, with line and column. */
    corm_status (*take)(void *context, corm_str record, uint64_t line, corm_error *err);
    bool (*stops)(void *context); /* asked between records; may be NULL */
    void (*shows)(void *context, uint64_t offset, uint64_t records); /* now and then; may be NULL */
    uint64_t max_rejects;                                            /* 0: any number */

    bool              is_stream; /* not a file: nothing to go on with */
    uint64_t          size;      /* of a file */
    stream_input      input;
    stream_rejects    rejects; /* under the lock while the writer lives */
    stream_checkpoint checkpoint;
    base_buf          reject_path, checkpoint_path;
    corm_bulk        *bulk;
    pthread_mutex_t   lock;
    bool              has_lock, resumed;
    corm_status       failure; /* that is no record's */
    corm_error        error;
    uint64_t          records, written;
    int64_t           saved_ms;
} stream_load;

/* Opens the file; the format is in load->input. Freed by stream__load_free() in any case. */
CORM_CHECKED corm_status stream__load_open(stream_load *load, corm_error *err);
/* Names of the files beside it; `rejects` NULL: the file's with .rejects behind it. */
CORM_CHECKED corm_status stream__load_paths(stream_load *load, const char *rejects,
                                            corm_error *err);
/* Goes on where a checkpoint says; CORM_NOT_FOUND, CORM_INVALID when it is of another import. */
CORM_CHECKED corm_status stream__load_resume(stream_load *load, corm_error *err);
/* Opens the bulk writer: over the db, or over the session alone. */
CORM_CHECKED corm_status stream__load_begin(stream_load *load, corm_db *db, corm_session *session,
                                            corm_bulk_options options, corm_error *err);
/* What goes with a record's write. */
corm_bulk_write stream__load_record(stream_load *load, corm_str record, uint64_t line);
/* To the end of the file. CORM_CANCELLED when it was stopped, or there are too many rejects. */
CORM_CHECKED corm_status stream__load_run(stream_load *load, corm_error *err);
void                     stream__load_free(stream_load *load);

#endif
