// SPDX-License-Identifier: MIT
/* model_json.h -- between the files that read models from JSON: where the reader is, and values with their errors. One thread. */
#ifndef ORM_MODEL_JSON_H
#define ORM_MODEL_JSON_H

#include <jansson.h>

#include "orm/build.h"
#include "orm/core.h"

enum { ORM_JSON_MOST_PATH = 256 };

typedef struct orm_json_reader {
    base_arena *arena;
    orm_builder builder;
    corm_model *model;
    const char *key[ORM_MOST_FIELDS]; /* partition key, then clustering columns */
    uint32_t    key_count, partition_count;
    uint32_t    relation_count;
    char        path[ORM_JSON_MOST_PATH]; /* where the reader is: "fields.email.validate" */
    corm_error *err;
} orm_json_reader;

/* CORM_INVALID_ARGUMENT with the path. */
corm_status orm__json_wrong(orm_json_reader *r, const char *format, ...) CORM_PRINTF(2, 3);

/* Appends ".name", or "[3]" when there is no name; gives the old length for orm__json_leave(). */
size_t orm__json_enter(orm_json_reader *r, const char *name, size_t index);
void   orm__json_leave(orm_json_reader *r, size_t before);

/* A text, copied into the arena; a boolean; a whole number from 0 to `most`; a number. */
corm_status orm__json_text(orm_json_reader *r, const json_t *value, const char **out);
corm_status orm__json_bool(orm_json_reader *r, const json_t *value, bool *out);
corm_status orm__json_count(orm_json_reader *r, const json_t *value, int64_t most, int64_t *out);
corm_status orm__json_number(orm_json_reader *r, const json_t *value, bool *has, double *out);

/* One word of several, each with its number. */
typedef struct orm_json_word {
    const char *name;
    int         value;
} orm_json_word;

corm_status orm__json_word(orm_json_reader *r, const json_t *value, const orm_json_word *words,
                           int *out);

typedef corm_status orm_json_read(orm_json_reader *r, const json_t *value, void *target);

typedef struct orm_json_key {
    const char    *name;
    orm_json_read *read;
} orm_json_key;

/* Reads each member by its line; the lines end with one without a name. */
corm_status orm__json_object(orm_json_reader *r, const json_t *object, const orm_json_key *lines,
                             void *target);

/* Members of a model. */
orm_json_read orm__json_fields, orm__json_relations, orm__json_query_tables, orm__json_options,
    orm__json_scopes;

#endif
