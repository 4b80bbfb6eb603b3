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
    engine_wanted    wanted;
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

void virtual__set_address(virtual_row *row, const char *column, const corm_inet *address);
void virtual__set_printed(virtual_row *row, const char *column, const char *format, ...)
    CORM_PRINTF(3, 4);

/* Whether the row, of which the partition key is set, may be one that is asked for. It is given away in either case, so that
 * pages count the same rows. */
CORM_CHECKED corm_status virtual__wanted(virtual_row *row, bool *out, corm_error *err);

/* Where the client reached this node; never NULL. */
const engine_client *virtual__client(const virtual_row *row);

/* The tables of the keyspaces that are stored, one call for each. */
typedef corm_status (*virtual_each)(virtual_row *row, const cql_table *table, corm_error *err);
CORM_CHECKED corm_status virtual__each_stored(virtual_row *row, const cql_schema *schema,
                                              virtual_each each, corm_error *err);
/* Sets keyspace_name and table_name. */
void virtual__set_table(virtual_row *row, const cql_table *table);

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
/* system_views, by the file that has them; likewise. */
extern const virtual_table virtual__view_tables[];
extern const virtual_table virtual__client_tables[];
extern const virtual_table virtual__latency_tables[];
extern const virtual_table virtual__size_tables[];
extern const virtual_table virtual__node_tables[];
extern const virtual_table virtual__work_tables[];

#endif
