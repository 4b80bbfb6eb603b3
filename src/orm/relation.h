// SPDX-License-Identifier: MIT
/* relation.h -- relations of compiled models: what they mean, how their rows are asked for, and what was read of them. */
#ifndef ORM_RELATION_H
#define ORM_RELATION_H

#include "corm/relation.h"
#include "orm/core.h"

/* ---- keys ---- */

enum { ORM_MOST_KEY = 16 };

/* Columns that make a key together. */
typedef struct orm_key {
    uint32_t         count;
    const orm_field *fields[ORM_MOST_KEY];
} orm_key;

/* "a, b" as fields of the model. */
CORM_CHECKED corm_status orm__key_parse(const orm_model *model, const char *names, orm_key *out,
                                        corm_error *err);
/* The values of the key in a struct, in wire form, each behind its length: equal keys have equal bytes. Appended; *whole false when one
 * holds nothing, and then nothing is appended. */
CORM_CHECKED corm_status orm__key_bytes(const orm_key *key, const void *row, base_arena *arena,
                                        base_buf *out, bool *whole, corm_error *err);

/* ---- paths ---- */

/* What makes it possible to ask for rows by some columns without reading all. */
typedef enum orm_path_kind {
    ORM_BY_KEY = 1, /* the partition key, or more of the primary key */
    ORM_BY_COPY,    /* the same of a query table */
    ORM_BY_INDEX,
    ORM_BY_UNIQUE
} orm_path_kind;

typedef struct orm_path {
    orm_path_kind kind;
    orm_model    *table;          /* that is asked: the model, or a query table */
    orm_key       key;            /* columns of `table` in the order of its key */
    uint32_t order[ORM_MOST_KEY]; /* key.fields[i] is the order[i]-th of the columns asked by */
} orm_path;

/* Finds the path to rows of `model` by `key`; query tables count when they have all columns, or with `partial`. CORM_NOT_FOUND
 * without a message when there is none. */
CORM_CHECKED corm_status orm__path_find(orm_model *model, const orm_key *key, bool partial,
                                        orm_path *out);

/* ---- links: relations whose other side was found ---- */

typedef struct orm_link {
    const orm_model    *model;
    const orm_relation *relation;
    orm_model          *other;
    orm_key             ours;   /* columns of the model */
    orm_key             theirs; /* columns of `other`; many to many: of `between` */
    orm_path            path;   /* to `other` (many to many: `between`) by `theirs` */
    /* Many to many: */
    orm_model *between;
    orm_key    between_other; /* columns of `between` with the other's key */
    orm_key    other_key;     /* that key, of `other` */
    orm_path   other_path;    /* to `other` by it */
} orm_link;

struct orm_relation {
    const corm_relation *spec;
    corm_str             name; /* ends with a zero byte */
    _Atomic(orm_link *)  link; /* found when it is first needed; stays */
};

static inline bool orm__relation_has(const corm_relation *relation) {
    return relation->kind == CORM_HAS_ONE || relation->kind == CORM_HAS_MANY;
}

/* Checks what can be checked without the other model. Of orm__compile. */
CORM_CHECKED corm_status orm__relations_compile(orm_model *model, corm_error *err);
void                     orm__relations_free(orm_model *model);
/* Finds the links whose other models are loaded; what is wrong with them is an error of the load. */
CORM_CHECKED corm_status orm__relations_check(orm_model *model, corm_error *err);

/* The relation of that name, or CORM_INVALID_ARGUMENT with the nearest name. */
CORM_CHECKED corm_status orm__relation_named(const orm_model *model, corm_str name,
                                             orm_relation **out, corm_error *err);
/* Its link; loads the models that are named by .to and .through_model. */
CORM_CHECKED corm_status orm__relation_link(const orm_model *model, orm_relation *relation,
                                            const orm_link **out, corm_error *err);

/* ---- what was read ---- */

struct orm_related {
    const orm_relation *relation;
    corm_rows          *rows;   /* each parent's rows stand together */
    uint32_t           *ranges; /* first and count, for each parent */
    uint32_t            parents;
    corm_populated      cost; /* without what is below */
};

void orm__related_free(corm_rows *rows); /* all of them */

/* After a find: .include and .includes of the options. */
CORM_CHECKED corm_status orm__find_populate(corm_rows *rows, const corm_find_options *options);
/* The columns that the find's relations need; `take` is called for each. */
CORM_CHECKED corm_status orm__find_include_keys(const orm_model         *model,
                                                const corm_find_options *options,
                                                void (*take)(void *context, const orm_field *field),
                                                void *context);

#endif
