// SPDX-License-Identifier: MIT
/* json.h -- rows of models as JSON, and back.
 *
 *   corm_to_json(db, &users, &ada, &text, { 0 })          {"id": "…", "email": "ada@example.com", "age": 36}
 *   corm_from_json(db, &users, text, &rows, { 0 })        an object or an array of them; corm_rows_free(rows)
 *
 * Columns are shown as their corm_field.shown says; members of corm_model.virtuals are there beside them. docs/json.md has the form
 * of each type. What is written reads back as the same row, unless a column is masked or hidden. */
#ifndef CORM_JSON_H
#define CORM_JSON_H

#include "corm/relation.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means default. */
typedef struct corm_json_options {
    const char *only[CORM_MAX_NAMES];   /* these members. default: all */
    const char *except[CORM_MAX_NAMES]; /* not these */
    bool        nulls;                  /* what holds nothing is null. default: it is left out */
    bool        reveal;                 /* columns as they are, whatever .shown says */
    bool        no_virtuals;
    bool
        no_relations; /* of corm_rows_to_json: relations that were read are nested. default: they are */
    bool
                safe_numbers; /* whole numbers beyond 2^53, decimals and varints are strings, for readers that have doubles only */
    uint32_t    indent;       /* spaces a level. default: 0, all in one line */
    corm_error *error;
    uint32_t    _canary;
} corm_json_options;

/* *text is malloc'ed and zero-terminated, the caller's to free(). */
CORM_API CORM_CHECKED corm_status corm_to_json_with(corm_db *db, const corm_model *model,
                                                    const void *row, char **text,
                                                    const corm_json_options *options);
/* An array of all rows, with what is null in the store told from zero, and the relations that were read with them: an array for many, an
 * object or null for one. */
CORM_API CORM_CHECKED corm_status corm_rows_to_json_with(const corm_rows *rows, char **text,
                                                         const corm_json_options *options);

/* Zero means default. */
typedef struct corm_from_json_options {
    bool
        ignore_unknown; /* members that are no column. default: each is a fault, with the nearest name */
    bool validate;      /* hold the model's rules too, all columns given. default: writing does */
    /* Every fault of the text: the column, and "line:column: what". */
    corm_violations *violations;
    corm_error      *error; /* the first one, with line and column (both from 1) */
    uint32_t         _canary;
} corm_from_json_options;

/* Reads an object or an array of objects into new rows, which own what they point to. corm_rows_is_null() tells what was null or not
 * given. Names of virtual members and of relations are passed over. CORM_INVALID for text that is no JSON or does not fit the model,
 * CORM_VALIDATION. */
CORM_API CORM_CHECKED corm_status corm_from_json_with(corm_db *db, const corm_model *model,
                                                      corm_str json, corm_rows **out,
                                                      const corm_from_json_options *options);

#ifndef __cplusplus
#define corm_to_json(db, model, row, text, ...)                                                    \
    corm_to_json_with((db), (model), (row), (text), &(corm_json_options)__VA_ARGS__)
#define corm_rows_to_json(rows, text, ...)                                                         \
    corm_rows_to_json_with((rows), (text), &(corm_json_options)__VA_ARGS__)
#define corm_from_json(db, model, json, out, ...)                                                  \
    corm_from_json_with((db), (model), corm_str_of(json), (out),                                   \
                        &(corm_from_json_options)__VA_ARGS__)
#endif

#ifdef __cplusplus
}
#endif
#endif
