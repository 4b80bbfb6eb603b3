// SPDX-License-Identifier: MIT
/* schema.h -- reading the schema of whatever a session is connected to, through system_schema. */
#ifndef CORM_SCHEMA_H
#define CORM_SCHEMA_H

#include "corm/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum corm_key {
    CORM_REGULAR = 0,
    CORM_PARTITION,  /* part of the partition key, in the order of declaration */
    CORM_CLUSTERING, /* clustering column, ascending */
    CORM_CLUSTERING_DESC,
    CORM_STATIC
} corm_key;

typedef struct corm_column_info {
    const char *name;
    const char *type; /* in CQL */
    corm_key    key;
    uint32_t    position; /* within the key */
    bool        indexed;
} corm_column_info;

typedef struct corm_table_info {
    const char *keyspace, *name;
    uint32_t    column_count;
    const corm_column_info
        *columns; /* partition key, clustering columns, static and regular by name */
    bool is_counter;
} corm_table_info;

/* Everything borrowed from it lives until corm_table_free(). CORM_NOT_FOUND. `keyspace` NULL: the session's. */
CORM_API CORM_CHECKED corm_status corm_table_read(corm_session *session, const char *keyspace,
                                                  const char *table, const corm_table_info **out,
                                                  corm_error *err);
CORM_API void                     corm_table_free(const corm_table_info *table);

/* Names, sorted; *names is one allocation released by corm_names_free(). */
CORM_API CORM_CHECKED corm_status corm_keyspaces(corm_session *session, const char *const **names,
                                                 uint32_t *count, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_tables(corm_session *session, const char *keyspace,
                                              const char *const **names, uint32_t *count,
                                              corm_error *err);
CORM_API void                     corm_names_free(const char *const *names);

#ifdef __cplusplus
}
#endif
#endif
