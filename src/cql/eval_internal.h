// SPDX-License-Identifier: MIT
/* eval_internal.h -- what the files of the evaluator share. */
#ifndef CQL_EVAL_INTERNAL_H
#define CQL_EVAL_INTERNAL_H

#include "base/fail.h"
#include "cql/eval.h"

/* Nodes of several values and of parts of one; see cql_node_kind. */
corm_status cql__eval_pack(const cql_node *node, cql_eval_env *env, cql_value *out,
                           corm_error *err);
corm_status cql__eval_field(const cql_node *node, cql_eval_env *env, cql_value *out,
                            corm_error *err);
corm_status cql__eval_element(const cql_node *node, cql_eval_env *env, cql_value *out,
                              corm_error *err);
corm_status cql__eval_slice(const cql_node *node, cql_eval_env *env, cql_value *out,
                            corm_error *err);

/* A bound value as the server reads it: the sets and maps in it sorted, their equal elements once. */
corm_status cql__eval_sorted(const cql_type *type, cql_value value, base_arena *arena,
                             cql_value *out, corm_error *err);
bool        cql__holds_set(const cql_type *type); /* is or contains a set or a map */

/* Moves what the buffer holds into the arena, and frees the buffer in every case. */
corm_status cql__eval_take(base_arena *arena, base_buf *buf, cql_value *out, corm_error *err);

/* The part of a set or map that the key is for: the map's value, or the set's element. Null when there is none. */
corm_status cql__find_entry(const cql_type *type, cql_value collection, cql_value key,
                            cql_value *out, corm_error *err);

/* Whether the text is of the form of the pattern: % any number of characters, _ one, \ takes the next as it is. */
bool cql__like(corm_str text, corm_str pattern);

#endif
