// SPDX-License-Identifier: MIT
/* schema_build.h -- how the objects of a snapshot are made and let go: what the files of the schema
 * share.
 *
 * A draft is an object whose arrays live in somebody's arena and may be changed; the makers copy it
 * into an object with an arena of its own, which never changes. Each gives one reference; NULL when
 * memory is exhausted. */
#ifndef CQL_SCHEMA_BUILD_H
#define CQL_SCHEMA_BUILD_H

#include "cql/schema.h"

/* For printf: the precision and the pointer of "%.*s". */
#define CQL_S(text) (int)(text).len, (text).data

/* The draft's columns may stand in any order: kind and, in a key, position say where each belongs.
 * Counts, positions and indexes are set here; the indexes' columns are found by id. */
cql_table *cql__table_make(const cql_table *draft);
cql_udt   *cql__udt_make(corm_str keyspace, corm_str name, const cql_type *type);

/* Takes a reference of each table and each type of the draft, which stand in any order. */
cql_keyspace *cql__keyspace_make(const cql_keyspace *draft);

/* Takes a reference of each keyspace. */
cql_schema *cql__schema_make(const cql_schema *draft);

/* An object without its last reference is freed. NULL is ignored. */
void cql__table_unref(cql_table *table);
void cql__udt_unref(cql_udt *udt);
void cql__keyspace_unref(cql_keyspace *keyspace);

/* Drafts to change: shallow copies with own arrays, which have room for `more` elements. False: no
 * memory. */
bool cql__table_draft(base_arena *arena, const cql_table *table, uint32_t more_columns,
                      cql_table *draft);
bool cql__keyspace_draft(base_arena *arena, const cql_keyspace *keyspace, cql_keyspace *draft);
bool cql__schema_draft(base_arena *arena, const cql_schema *schema, cql_schema *draft);

/* In a draft with room for one more: replaces the element of the same name, or adds it. */
void cql__keyspace_put_table(cql_keyspace *draft, cql_table *table);
void cql__keyspace_put_type(cql_keyspace *draft, cql_udt *udt);
void cql__schema_put_keyspace(cql_schema *draft, cql_keyspace *keyspace);
void cql__keyspace_remove_table(cql_keyspace *draft, corm_str name);
void cql__keyspace_remove_type(cql_keyspace *draft, corm_str name);
void cql__schema_remove_keyspace(cql_schema *draft, corm_str name);

/* Gives up the references of the draft's tables and types that `before` does not hold in the same places. */
void cql__keyspace_release(const cql_keyspace *draft, const cql_keyspace *before);

/* Whether they say the same; storage and ids aside. */
bool cql__map_option_equal(const cql_map_option *a, const cql_map_option *b);
bool cql__mask_equal(const cql_mask_def *a, const cql_mask_def *b);

/* Whether the type is small enough to be copied wherever it is mentioned: types of types grow with
 * each level. */
bool cql__type_is_bounded(const cql_type *type);

/* The value of a name among pairs; data NULL when it is not there. */
corm_str cql__map_option_get(const cql_map_option *map, const char *name);

/* Letters, digits and _: what keyspaces, tables and indexes may be named. */
bool cql__is_word(corm_str name);

bool cql__is_local_system(
    corm_str keyspace); /* system, system_schema and the virtual ones; any case */
bool cql__is_replicated_system(
    corm_str keyspace);                         /* system_auth, system_traces, system_distributed */
bool cql__is_virtual_system(corm_str keyspace); /* system_views, system_virtual_schema */

#endif
