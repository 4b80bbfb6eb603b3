// SPDX-License-Identifier: MIT
/* virtual.h -- rows of virtual tables being put together, column by column. Between virtual*.c. */
#ifndef ENGINE_VIRTUAL_H
#define ENGINE_VIRTUAL_H

#include "engine/store.h"

/* The row under way; its values live in the request's arena. A failed allocation is found when it is emitted. */
typedef struct virtual_row {
    engine_request  *request;
    const cql_table *table;
    engine_emit      emit;
    void            *context;
    cql_value       *values; /* by column index */
    bool             failed;
} virtual_row;

/* Columns that are not set are null. A column that the table does not have is left out. */
void virtual__set(virtual_row *row, const char *column, cql_value value);
void virtual__set_text(virtual_row *row, const char *column, corm_str text);
void virtual__set_int(virtual_row *row, const char *column, int32_t value);
void virtual__set_bigint(virtual_row *row, const char *column, int64_t value);
void virtual__set_double(virtual_row *row, const char *column, double value);
void virtual__set_bool(virtual_row *row, const char *column, bool value);
void virtual__set_uuid(virtual_row *row, const char *column, corm_uuid value);

/* Appends to an empty buffer the wire form of a list of texts, a set or a map: each item by the type of the column. */
void virtual__set_texts(virtual_row *row, const char *column, const corm_str *texts,
                        uint32_t count);
/* "name, value" pairs, sorted here. */
void virtual__set_pairs(virtual_row *row, const char *column, const corm_str *pairs,
                        uint32_t count);

/* What a buffer holds; frees it. */
void virtual__set_buf(virtual_row *row, const char *column, base_buf *buf);

/* Gives the row away and begins the next one. */
CORM_CHECKED corm_status virtual__emit(virtual_row *row, corm_error *err);

/* The rows of one table. */
typedef corm_status (*virtual_rows)(virtual_row *row, const cql_schema *schema, corm_error *err);

typedef struct virtual_table {
    const char  *keyspace, *table;
    virtual_rows rows;
} virtual_table;

/* system_schema and system_virtual_schema; ends with a row of NULLs. */
extern const virtual_table virtual__schema_tables[];
/* system_views; likewise. */
extern const virtual_table virtual__view_tables[];

#endif
