// SPDX-License-Identifier: MIT
/* query_table.h -- query tables: copies of a model's rows under another key.
 *
 * Each is compiled as a model of its own over the same struct (orm_model.copies): its table is made, asked and written by the code
 * that serves every model, from the program's own structs. */
#ifndef ORM_QUERY_TABLE_H
#define ORM_QUERY_TABLE_H

#include "corm/relation.h"
#include "orm/query.h"

/* Of orm__compile, orm__model_free. */
CORM_CHECKED corm_status orm__query_tables_compile(orm_model *model, corm_error *err);
void                     orm__query_tables_free(orm_model *model);

/* The table that a find asks: the model, or the query table whose key its conditions fit when they do not fit the model's. */
orm_model *orm__query_table_pick(orm_model *model, const corm_find_options *options);

/* The query table of that name, or CORM_INVALID_ARGUMENT with the nearest. */
CORM_CHECKED corm_status orm__query_table_named(const orm_model *model, const char *table,
                                                orm_model **out, corm_error *err);

/* The write's statement and those of its copies, in one logged batch; a conditional write first, the copies when it
 * was applied. */
CORM_CHECKED corm_status orm__copies_run(orm_write *write, corm_error *err);
/* The same into the program's batch. */
CORM_CHECKED corm_status orm__copies_add(orm_write *write, corm_batch *batch, corm_error *err);
/* After a write whose row was changed back: the copies from what is there. */
CORM_CHECKED corm_status orm__copies_mend(orm_write *write, corm_error *err);

/* ---- rows and their copies ---- */

/* A row as the store has it, or will have it. One item a field of the model in each array, all in the arena. */
typedef struct orm_image {
    corm_rows     *rows;   /* what was read; owns what the struct points to */
    const uint8_t *row;    /* the struct; NULL: there is no such row */
    uint8_t       *how;    /* ORM_VALUE, or ORM_NULL where the column is null */
    corm_bytes    *cells;  /* as stored; data NULL: null */
    int32_t       *ttls;   /* seconds left; 0: for ever, or not known */
    int64_t       *stamps; /* of writing; 0: not known */
} orm_image;

/* Reads the row with this key; no row is no error. orm__image_free() afterwards, also on failure. */
CORM_CHECKED corm_status orm__image_read(orm_model *model, const void *key,
                                         const corm_request_options *request, base_arena *arena,
                                         orm_image *out, corm_error *err);
void                     orm__image_free(orm_image *image);
/* The statement of that: all columns first; its markers are the key. */
CORM_CHECKED corm_status orm__image_shape(orm_model *model, orm_shape **out, corm_error *err);

/* Whether the row has a copy there: none of the copy's key columns is null. */
bool orm__image_has_copy(const orm_image *image, const orm_model *copy);

/* The seconds after which the first of the columns that the copy's key is of ends; 0: none does. */
int32_t orm__image_key_ttl(const orm_image *image, const orm_model *copy);

/* Where statements of copies go: into a batch, or executed one by one with original times of writing. */
typedef struct orm_copy_sink {
    corm_batch          *batch; /* NULL: executed at once */
    corm_request_options request;
    bool        original; /* columns keep the times at which they were written; needs no batch */
    base_arena *arena;
    corm_error *err;
} orm_copy_sink;

/* Writes the whole copy: nulls too, so that nothing of an older copy is left. Columns keep what is left of their TTL. */
CORM_CHECKED corm_status orm__copy_put(const orm_copy_sink *sink, orm_model *copy,
                                       const orm_image *image);
/* Deletes the copy whose key the struct has. */
CORM_CHECKED corm_status orm__copy_drop(const orm_copy_sink *sink, orm_model *copy,
                                        const void *row);

/* Of orm__query_tables_compile: orm_model.row_select. */
CORM_CHECKED corm_status orm__image_select(orm_model *model, corm_error *err);

#endif
