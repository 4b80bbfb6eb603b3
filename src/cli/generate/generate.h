// SPDX-License-Identifier: MIT
/* generate.h -- typed C from named statements, and models from a schema.
 *
 *   workspace (cli/check) -> queries: parameters and columns as members of structs (query.c, ctype.c, names.c)
 *                         -> a header and a source (header.c, source.c, udt.c)
 *   schema                -> models (models.c, model_source.c)
 *
 * Output is made of the input alone: no times, no versions, no paths, so that the same files give the same bytes. One thread. */
#ifndef CLI_GENERATE_GENERATE_H
#define CLI_GENERATE_GENERATE_H

#include "cli/check/check.h"

/* ---- names.c: names in C ---- */

/* Names of one scope; no two are the same. */
typedef struct gen_names {
    base_arena *arena;
    uint32_t    count, room;
    corm_str   *items;
    bool        no_memory;
} gen_names;

/* A C name that is like the text, no keyword, and not yet in the scope: name, name_2 … */
corm_str gen__name(gen_names *names, corm_str text);
/* Takes a name that is used by other means. */
void gen__reserve(gen_names *names, const char *name);
/* As gen__name, where has_NAME must be free as well. */
corm_str gen__member_name(gen_names *names, corm_str text);
bool     gen__is_c_name(const char *name);

/* ---- ctype.c: CQL types in C ---- */

/* How a member says that there is no value. */
typedef enum gen_shape {
    GEN_FLAGGED,    /* numbers, booleans, times: has_x beside it */
    GEN_DATA,       /* text, blob: .data is NULL */
    GEN_UUID,       /* zero */
    GEN_LENGTH,     /* inet, varint: .length is 0 */
    GEN_DECIMAL,    /* .unscaled.length is 0 */
    GEN_COLLECTION, /* list, set, map, tuple: .items is NULL */
    GEN_STRUCT,     /* a user-defined type: has_x beside it */
    GEN_ARRAY, /* a vector of plain values: has_x beside it; a pointer that is NULL in parameters */
    GEN_VALUE  /* all else, a corm_value: .kind is CORM_UNSET or CORM_NULL */
} gen_shape;

typedef struct gen_type {
    gen_shape       shape;
    const cql_type *type;
    const char     *c;      /* "int32_t"; STRUCT: NULL, see gen__udt_name; ARRAY: of an element */
    const char     *maker;  /* "corm_of_i32" */
    const char     *kind;   /* "CORM_INT" */
    const char     *member; /* of corm_value.as: "i32" */
    const char     *getter; /* "corm_row_int"; NULL: corm_row_value */
} gen_type;

gen_type gen__type(const cql_type *type);

/* ---- query.c ---- */

/* What a marker that holds nothing becomes. */
typedef enum gen_role {
    GEN_OPTIONAL,  /* unset: LIMIT, TTL, TIMESTAMP */
    GEN_WRITE,     /* unset: the column is left alone; null on request */
    GEN_CONDITION, /* null */
    GEN_REQUIRED   /* null, which the server refuses; numbers are always given */
} gen_role;

typedef struct gen_member {
    corm_str name;
    corm_str column; /* in CQL */
    gen_type type;
    bool     is_null; /* of a row: can be null */
    gen_role role;    /* of a parameter */
} gen_member;

typedef struct gen_query {
    const check_statement *statement;
    corm_str               name;   /* as written */
    corm_str               member; /* of the handle */
    corm_str               cql;
    uint32_t               param_count;
    gen_member            *params;
    uint32_t               marker_count;
    uint32_t              *markers; /* by index: the parameter */
    uint32_t               column_count;
    gen_member            *columns; /* :applied: what stood in the way */
} gen_query;

typedef struct gen_udt {
    const cql_type *type;
    corm_str        name; /* "shop_address" */
    gen_member     *fields;
} gen_udt;

typedef struct gen_unit {
    base_arena *arena;
    const char *name;   /* "shop": the prefix, the handle's type, the files */
    const char *source; /* "schema.cql and queries.cql" */
    uint32_t    query_count;
    gen_query  *queries;
    uint32_t    udt_count, udt_room;
    gen_udt    *udts;    /* each behind those that it holds */
    gen_names   globals; /* in the header's scope */
    gen_names   members; /* of the handle */
} gen_unit;

/* All named statements of the workspace. */
CORM_CHECKED corm_status gen__queries(gen_unit *unit, const check_workspace *w, corm_error *err);

/* "shop_address" of a user-defined type of the unit. */
corm_str gen__udt_name(const gen_unit *unit, const cql_type *type);

/* ---- what is written ---- */

void gen__put_header(const gen_unit *unit, base_buf *out); /* header.c */
void gen__put_source(const gen_unit *unit, base_buf *out); /* source.c */

/* udt.c */
void gen__put_udt_types(const gen_unit *unit, base_buf *out);
void gen__put_udt_functions(const gen_unit *unit, base_buf *out);
void gen__put_array_helpers(const gen_unit *unit, base_buf *out);

/* member.c: one member as text. `from` is what stands before its name: "params->". */
void gen__put_declaration(const gen_unit *unit, const gen_member *m, bool is_param, base_buf *out);
void gen__put_present(const gen_member *m, const char *from, base_buf *out);
/* A corm_value of it; cells of structs and arrays are members of `cells`, such as "cells." or "cells->". */
void gen__put_value(const gen_unit *unit, const gen_member *m, const char *from, const char *cells,
                    base_buf *out);
/* What makes room for the cells; nothing for most. */
void gen__put_cells(const gen_unit *unit, const gen_member *m, base_buf *out);
bool gen__needs_cells(const gen_member *m);
/* Statements that take the value in the corm_value *`value` into `out->`, with that indentation. */
void gen__put_take(const gen_unit *unit, const gen_member *m, const char *indent, const char *value,
                   base_buf *out);

/* A text as a C string in lines; a piece of a comment without what would end it. */
void gen__put_c_string(corm_str text, const char *indent, base_buf *out);
void gen__put_comment(corm_str text, base_buf *out);
/* "head(a, b, c)" in lines of at most 100 columns; the parts end with NULL. */
void gen__put_call(const char *head, const char *const *parts, const char *tail, base_buf *out);

/* ---- models ---- */

typedef struct gen_models {
    const char         *name;
    const char         *source;
    const cql_schema   *schema;
    const cql_keyspace *keyspace;
    base_arena         *arena;
} gen_models;

CORM_CHECKED corm_status gen__put_models(const gen_models *models, base_buf *header,
                                         base_buf *source, corm_error *err);

#endif
