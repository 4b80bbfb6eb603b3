// SPDX-License-Identifier: MIT
/* codec.h -- values in the protocol's form: validated, compared, and turned into text, JSON and C values.
 *
 * Layouts: native protocol v5 specification, section 5. Pure functions; any thread. */
#ifndef CQL_CODEC_H
#define CQL_CODEC_H

#include "corm/value.h"
#include "cql/types.h"

/* One value in wire form, borrowed. len: -1 null, -2 unset, 0 the empty value. */
typedef struct cql_value {
    const uint8_t *data;
    int32_t        len;
} cql_value;

#define CQL_NULL ((cql_value){ NULL, -1 })
#define CQL_UNSET ((cql_value){ NULL, -2 })

static inline bool cql__is_null(cql_value value) {
    return value.len < 0;
}
static inline cql_value cql__value_of(corm_bytes bytes) {
    return (cql_value){ bytes.data, (int32_t)bytes.len };
}

/* Appends a protocol [value]: the length and the bytes. */
void cql__put_value(base_buf *out, cql_value value);

/* Reads a protocol [value]; a length below -2 or past the end fails the reader. */
cql_value cql__read_value(base_reader *reader);

/* Whether the bytes are a value of the type, by the server's rules; CORM_INVALID with the server's text
 * ("Expected 4 or 0 byte int (3)", "String didn't validate."). Null and unset pass. */
CORM_CHECKED corm_status cql__validate(const cql_type *type, cql_value value, corm_error *err);

/* The server's order of two values that are not null and are valid (empty first; see
 * docs/semantics.md): < 0, 0 or > 0. Types without an order (duration) compare by bytes. */
int cql__compare(const cql_type *type, cql_value a, cql_value b);

typedef enum cql_text_style {
    CQL_STYLE_SHELL, /* as cqlsh prints a result: text bare, timestamp 2026-01-31 10:00:00.000000+0000 */
    CQL_STYLE_LITERAL, /* as a CQL literal that reads back to the same value */
    CQL_STYLE_CAST,    /* as CAST(v AS text) gives it (Java's forms) */
    CQL_STYLE_GOLDEN /* as golden files have it: a literal, but <empty>, <invalid 0x…> and blob_as_text(0x…) */
} cql_text_style;

/* Appends the text form; null is "null". Invalid bytes are printed as a blob. */
void cql__to_text(const cql_type *type, cql_value value, cql_text_style style, base_buf *out);

/* Reads a CQL literal of the type (or, for scalar types, its bare text form: no quotes needed), appending the
 * wire bytes to *out; "null" is told apart by *is_null. CORM_INVALID says what is wrong. Used for CSV,
 * for text given to other types, and for tests. */
CORM_CHECKED corm_status cql__from_text(const cql_type *type, corm_str text, base_buf *out,
                                        bool *is_null, corm_error *err);

/* Converts the inside of a CQL string constant to a type that takes strings (text, ascii, inet, timestamp, date, time,
 * uuid in quotes is refused by the checker, …): the server's fromString with the server's messages
 * ("Unable to coerce 'x' to a formatted date (long)"). */
CORM_CHECKED corm_status cql__from_string(const cql_type *type, corm_str text, base_buf *out,
                                          corm_error *err);

/* Appends the JSON form, as SELECT JSON encodes. */
void cql__to_json(const cql_type *type, cql_value value, base_buf *out);

/* Reads one JSON value of the type as INSERT JSON does (numbers also as strings), appending the wire bytes to *out;
 * JSON null sets *is_null. Whole text must be consumed. */
CORM_CHECKED corm_status cql__from_json(const cql_type *type, corm_str json, base_buf *out,
                                        bool *is_null, corm_error *err);

/* Appends a C value in wire form (without a length). Numbers of any kind are converted when nothing is lost,
 * CORM_TEXT is also read as the text form of any type, CORM_NULL and CORM_UNSET are the caller's to handle
 * (CORM_INVALID_ARGUMENT here, but null elements where the type allows). CORM_CONVERSION names both types. */
CORM_CHECKED corm_status cql__encode(const cql_type *type, const corm_value *value, base_buf *out,
                                     corm_error *err);

/* The C value of wire bytes, borrowing text and blobs from them; items of collections live in the arena.
 * Null gives CORM_NULL. CORM_CORRUPT when the bytes are not of the type. */
CORM_CHECKED corm_status cql__decode(const cql_type *type, cql_value value, base_arena *arena,
                                     corm_value *out, corm_error *err);

/* Walks the elements of a list, set or map value, or the fields of a tuple or UDT, or the items of a vector,
 * in wire form. For a map, key and value come one after the other. */
typedef struct cql_walk {
    const cql_type *type;
    base_reader     reader;
    uint32_t
        count;   /* elements (list, set), entries (map), fields (tuple, UDT), dimension (vector) */
    uint32_t at; /* values given so far */
} cql_walk;

CORM_CHECKED corm_status cql__walk_begin(cql_walk *walk, const cql_type *type, cql_value value,
                                         corm_error *err);
bool cql__walk_next(cql_walk *walk, cql_value *out); /* missing UDT fields come as null */

/* Writers for the same: begin, then each value, then end (which sets the count). */
typedef struct cql_pack {
    const cql_type *type;
    base_buf       *out;
    size_t          at; /* of the count */
    uint32_t        items;
} cql_pack;
void cql__pack_begin(cql_pack *pack, const cql_type *type, base_buf *out);
void cql__pack_item(cql_pack *pack, cql_value item);
void cql__pack_end(cql_pack *pack);

#endif
