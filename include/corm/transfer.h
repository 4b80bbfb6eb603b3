// SPDX-License-Identifier: MIT
/* transfer.h -- all rows of a model into a file or a function, and records of a file into a model: JSON lines or CSV, as `corm export`
 * and `corm import` have them for tables (docs/import-export.md). */
#ifndef CORM_TRANSFER_H
#define CORM_TRANSFER_H

#include "corm/bulk.h"
#include "corm/json.h"
#include "corm/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum corm_format {
    CORM_FORMAT_BY_NAME =
        0, /* the file's ending: .csv, .tsv, .jsonl, .ndjson, .json; without a file JSON lines */
    CORM_FORMAT_JSONL,
    CORM_FORMAT_CSV
} corm_format;

/* Zero means default. */
typedef struct corm_export_options {
    const char *path; /* a file, written as PATH.part and renamed when it is whole; or … */
    corm_status (*write)(void *context, corm_bytes text,
                         corm_error *err); /* … whole lines, on the caller's thread */
    void       *context;
    corm_format format;
    char        delimiter;               /* CSV. default: a comma, for .tsv a tab */
    const char *null_text;               /* CSV: what stands for null. default: nothing */
    bool        no_header;               /* CSV */
    const char *columns[CORM_MAX_NAMES]; /* only these. default: all of the model */
    bool
              shown; /* columns as corm_field.shown says. default: as they are, so that an import has the same rows */
    corm_term conditions[CORM_MAX_TERMS]; /* as corm_stream_options.conditions */
    bool      with_deleted;
    bool      ordered; /* in the order of tokens */
    uint32_t  concurrency;
    bool      replace; /* a file that exists */
    bool
                       resume; /* goes on where an export to this file was broken off: PATH.checkpoint. The same columns and conditions */
    corm_stream_stats *stats;  /* filled at the end */
    corm_error        *error;
    uint32_t           _canary;
} corm_export_options;

CORM_API CORM_CHECKED corm_status corm_export_model_with(corm_db *db, const corm_model *model,
                                                         const corm_export_options *options);

/* What came of an import. */
typedef struct corm_import_stats {
    uint64_t records;  /* read, also by the import that was resumed */
    uint64_t written;  /* by this call */
    uint64_t rejected; /* also before it was resumed */
} corm_import_stats;

/* Zero means default. Records are written through the model's chain, by a bulk writer. A record that breaks a rule, or is refused, is
 * among the rejects. */
typedef struct corm_import_options {
    const char *path; /* "-": standard input */
    corm_format format;
    char        delimiter;
    const char *null_text;      /* CSV: a field without quotes that says null */
    bool        write_nulls;    /* null deletes the column's value. default: it is left alone */
    bool        ignore_unknown; /* members and fields that are no column */
    bool
        update; /* corm_update: only what is given, and no row that is not there need be whole. default: corm_save */
    const char
        *rejects; /* default: PATH.rejects; why is in the file of this name with .txt behind it */
    uint64_t max_rejects; /* CORM_CANCELLED at so many */
    bool     resume;      /* goes on where an import of this file was broken off: PATH.checkpoint */
    bool (*stop)(
        void *context); /* asked between records: true ends with CORM_CANCELLED, to be resumed */
    void              *context;
    corm_write_options write;     /* ttl_seconds, skip_validation, request */
    size_t             max_bytes; /* as corm_bulk_options */
    corm_import_stats *stats;
    corm_error        *error;
    uint32_t           _canary;
} corm_import_options;

CORM_API CORM_CHECKED corm_status corm_import_model_with(corm_db *db, const corm_model *model,
                                                         const corm_import_options *options);

#ifndef __cplusplus
#define corm_export_model(db, model, ...)                                                          \
    corm_export_model_with((db), (model), &(corm_export_options)__VA_ARGS__)
#define corm_import_model(db, model, ...)                                                          \
    corm_import_model_with((db), (model), &(corm_import_options)__VA_ARGS__)
#endif

#ifdef __cplusplus
}
#endif
#endif
