// SPDX-License-Identifier: MIT
/* result.h -- the body of a RESULT message, written by whoever answers and read by whoever asked.
 * Native protocol v5 specification, section 4.2.5 (the [int] kind and what follows; no frame). */
#ifndef WIRE_RESULT_H
#define WIRE_RESULT_H

#include "cql/check.h"
#include "wire/request.h"

enum { WIRE_VERSION = 5 }; /* of bodies inside the process */

typedef enum wire_result_kind {
    WIRE_VOID = 1,
    WIRE_ROWS = 2,
    WIRE_SET_KEYSPACE = 3,
    WIRE_PREPARED = 4,
    WIRE_SCHEMA_CHANGE = 5
} wire_result_kind;

/* An answer: the encoded body and what travels beside it. Zero-initialised is empty. */
typedef struct wire_answer {
    base_buf  body;
    base_buf  warnings; /* a protocol [string list], empty when none: see wire__add_warning */
    base_buf  payload;  /* a protocol [bytes map], empty when none */
    corm_uuid tracing_id;
    uint8_t   version; /* of the body; 0: WIRE_VERSION */
    /* PREPARE inside the process: the statement itself, one reference the receiver's. NULL on the
     * wire. */
    const wire_prepared *prepared;
} wire_answer;

void wire__answer_clear(wire_answer *answer); /* keeps memory */
void wire__answer_free(wire_answer *answer);
void wire__add_warning(wire_answer *answer, corm_str text);

/* Reading the warnings; an index out of range gives the empty text. */
uint32_t wire__warning_count(const wire_answer *answer);
corm_str wire__warning(const wire_answer *answer, uint32_t index);

/* ---- writing ---- */

void wire__put_void(base_buf *body);
void wire__put_set_keyspace(base_buf *body, corm_str keyspace);
void wire__put_schema_change(base_buf *body, const char *change, const char *target,
                             corm_str keyspace, corm_str name);

typedef struct wire_rows_writer {
    base_buf *body;
    size_t    flags_at; /* of the metadata; the column count and then the paging state follow */
    size_t    count_at; /* of the row count */
    uint32_t  rows;
} wire_rows_writer;

/* Begins a Rows body: metadata with a global table spec when all columns share it (omitted with
 * skip_metadata), then rows written as protocol [value]s, column by column, with wire__row_done
 * after each row. */
void wire__rows_begin(wire_rows_writer *writer, base_buf *body, const cql_result_column *columns,
                      uint32_t count, bool skip_metadata, uint8_t version);
/* Says METADATA_CHANGED (v5) with the id of the metadata; right after rows_begin without
 * skip_metadata. */
void               wire__rows_changed(wire_rows_writer *writer, corm_bytes metadata_id);
static inline void wire__row_done(wire_rows_writer *writer) {
    writer->rows++;
}
/* Ends it; paging_state (data NULL: the last page) is put into the metadata. */
void wire__rows_end(wire_rows_writer *writer, corm_bytes paging_state);

/* The PREPARED body: id, metadata id (v5), markers with partition key indexes, result columns. */
void wire__put_prepared(base_buf *body, corm_bytes id, corm_bytes metadata_id,
                        const cql_marker *markers, uint32_t marker_count,
                        const uint16_t *partition_markers, uint32_t partition_marker_count,
                        const cql_result_column *columns, uint32_t column_count, uint8_t version);

/* ---- reading ---- */

typedef struct wire_metadata {
    uint32_t           count;
    cql_result_column *columns; /* in the arena; names borrow from the body */
    corm_bytes         paging_state;
    bool               has_more;
    bool               absent;  /* skip_metadata was obeyed: the caller has it */
    bool               changed; /* v5 METADATA_CHANGED: new_id is set */
    corm_bytes         new_id;
} wire_metadata;

/* A parsed body; borrows from it. */
typedef struct wire_result {
    wire_result_kind kind;
    wire_metadata    metadata; /* ROWS, PREPARED (of the result) */
    uint32_t         row_count;
    base_reader      rows;                 /* ROWS: the values, row by row */
    corm_str         keyspace;             /* SET_KEYSPACE, SCHEMA_CHANGE */
    corm_str         change, target, name; /* SCHEMA_CHANGE: "CREATED", "TABLE", … */
    uint32_t         argument_count;       /* of a "FUNCTION" or an "AGGREGATE": */
    corm_str        *arguments;            /* their types, in CQL */
    corm_bytes       id, metadata_id;      /* PREPARED */
    uint32_t         marker_flags; /* of its markers, among them ScyllaDB's mark of an LWT */
    uint32_t         marker_count;
    cql_marker      *markers;
    uint32_t         partition_marker_count;
    uint16_t        *partition_markers;
} wire_result;

/* CORM_PROTOCOL_ERROR when the bytes are no such body. Lengths are checked, rows as a whole. */
CORM_CHECKED corm_status wire__result_read(corm_bytes body, uint8_t version, base_arena *arena,
                                           wire_result *out, corm_error *err);

#endif
