// SPDX-License-Identifier: MIT
/* json.h -- reading JSON text: a check of the whole, then a walk over what is known to be
 * well-formed. */
#ifndef CQL_JSON_H
#define CQL_JSON_H

#include "cql/codec.h"

/* By the Java class that the server's parser makes of it. */
typedef enum cql_json_kind {
    CQL_JSON_NULL,
    CQL_JSON_BOOLEAN,
    CQL_JSON_INTEGER, /* fits 32 bits */
    CQL_JSON_LONG,    /* fits 64 bits */
    CQL_JSON_BIG,
    CQL_JSON_DOUBLE,
    CQL_JSON_STRING,
    CQL_JSON_ARRAY,
    CQL_JSON_OBJECT
} cql_json_kind;

/* Whether the whole text is one JSON value, nested at most CQL_DEPTH_LIMIT deep; if not, *at is
 * the place. */
bool cql__json_check(corm_str text, size_t *at);

/* The functions below take text that was checked, or spans of it. */

/* The value's text, without white space around it. */
corm_str cql__json_trim(corm_str text);

cql_json_kind cql__json_kind(corm_str value);

/* "Integer", "ArrayList" …: with its package where `full`. */
const char *cql__json_class(cql_json_kind kind, bool full);

/* Appends what a string means: without quotes and escapes. A lone surrogate becomes a question
 * mark. */
void cql__json_unescape(corm_str string, base_buf *out);

/* Appends the value as Java's toString() prints it. */
void cql__json_put_java(corm_str value, base_buf *out);

/* Walks an array, or the members of an object: start with *at = 0. False at the end. */
bool cql__json_next(corm_str array, size_t *at, corm_str *value);
bool cql__json_next_member(corm_str object, size_t *at, corm_str *key, corm_str *value);

#endif
