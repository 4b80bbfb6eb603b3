// SPDX-License-Identifier: MIT
/* import.h -- what the files of `corm import` share. */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "cli/transfer.h"
#include "cql/codec.h"

/* ---- import_plan.c: from a record to values ---- */

typedef struct import_options {
    cli_format  format;
    char        delimiter;
    const char *null_text;   /* CSV: an unquoted field that says null; NULL: none */
    bool        write_nulls; /* JSON: null deletes instead of leaving alone */
    bool        ignore_unknown;
    int64_t     ttl_seconds;
    const char *generate; /* names of columns, with commas between them; NULL: none */
} import_options;

/* A value for a marker; len -2: unset. */
typedef struct import_plan {
    corm_session          *session;
    const corm_table_info *table;
    import_options         options;
    base_arena             arena;
    uint32_t               count;   /* markers */
    uint32_t              *columns; /* marker: column of the table */
    uint32_t              *order;   /* place in the statement: marker */
    uint32_t              *markers; /* column of the table: marker, or CLI_NO_COLUMN */
    corm_prepared         *prepared;
    corm_statement        *statement;
    corm_prepared         *static_prepared; /* partition key and static columns; NULL: not needed */
    corm_statement        *static_statement;
    const cql_type       **types;       /* by marker */
    cql_value             *values;      /* of the record, by marker */
    uint32_t               field_count; /* CSV */
    uint32_t              *fields;      /* CSV: field: marker, or CLI_NO_COLUMN: not wanted */
} import_plan;

/* Prepares the statements for the columns. A plan is freed in any case. */
CORM_CHECKED corm_status cli__plan_prepare(import_plan *plan, const uint32_t *columns,
                                           uint32_t count, corm_error *err);
/* Reads a CSV header: which field goes where, then prepares. `only` (NULL: all) are the columns wanted. */
CORM_CHECKED corm_status cli__plan_header(import_plan *plan, corm_str header, const uint32_t *only,
                                          uint32_t only_count, corm_error *err);
/* Fields stand for the columns in order, without a header. */
CORM_CHECKED corm_status cli__plan_fields(import_plan *plan, const uint32_t *columns,
                                          uint32_t count, corm_error *err);
void                     cli__plan_free(import_plan *plan);

/* Reads a record and binds its values; *bound is the statement to run. CORM_INVALID with line and column (in the file) and a
 * message that names the table's column. `arena` holds what the record needs. */
CORM_CHECKED corm_status cli__plan_bind(import_plan *plan, corm_str record, uint64_t line,
                                        base_arena *arena, corm_statement **bound, corm_error *err);

#endif
