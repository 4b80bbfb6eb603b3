// SPDX-License-Identifier: MIT
/* build.h -- models made while the program runs; their rows are arrays of corm_value. */
#ifndef ORM_BUILD_H
#define ORM_BUILD_H

#include "base/arena.h"
#include "corm/model.h"

typedef struct orm_builder {
    base_arena *arena; /* everything that is made lives here */
    uint32_t    count, capacity;
    corm_field *fields; /* in the order they were added; names and types set by the caller */
} orm_builder;

/* A new field, all zero; NULL when memory is exhausted. Pointers to earlier fields are not valid
 * any more. */
corm_field *orm__build_field(orm_builder *builder);
corm_field *orm__build_find(orm_builder *builder, const char *name);

/* Gives the model its fields: those whose names are in `key` first, in that order, then the
 * others. */
CORM_CHECKED corm_status orm__build_finish(orm_builder *builder, const char *const *key,
                                           uint32_t key_count, corm_model *model, corm_error *err);

#endif
