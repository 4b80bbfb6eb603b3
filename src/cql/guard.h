// SPDX-License-Identifier: MIT
/* guard.h -- guard rails: what a store lets be made, asked and written, by the names and units of cassandra.yaml.
 *
 * A threshold of -1, and a flag that is on, hold nobody up. Messages are the server's: "Guardrail NAME violated: …". */
#ifndef CQL_GUARD_H
#define CQL_GUARD_H

#include "base/buf.h"
#include "corm/error.h"
#include "corm/types.h"

typedef enum cql_guard_unit {
    CQL_GUARD_COUNT,
    CQL_GUARD_BYTES,     /* 5KiB */
    CQL_GUARD_SECONDS,   /* 1h */
    CQL_GUARD_FLAG,      /* true, false */
    CQL_GUARD_LEVELS,    /* [QUORUM, ALL]: consistency levels */
    CQL_GUARD_PROPERTIES /* [caching, comment]: options of tables */
} cql_guard_unit;

/* X(NAME, name in cassandra.yaml, unit, default, what it is about) */
#define CQL_GUARD_MAP(X)                                                                           \
    X(KEYSPACES_WARN, "keyspaces_warn_threshold", COUNT, -1, "keyspaces of users")                 \
    X(KEYSPACES_FAIL, "keyspaces_fail_threshold", COUNT, -1, "keyspaces of users")                 \
    X(TABLES_WARN, "tables_warn_threshold", COUNT, -1, "tables of users")                          \
    X(TABLES_FAIL, "tables_fail_threshold", COUNT, -1, "tables of users")                          \
    X(COLUMNS_WARN, "columns_per_table_warn_threshold", COUNT, -1, "columns of a table")           \
    X(COLUMNS_FAIL, "columns_per_table_fail_threshold", COUNT, -1, "columns of a table")           \
    X(INDEXES_WARN, "secondary_indexes_per_table_warn_threshold", COUNT, -1, "indexes of a table") \
    X(INDEXES_FAIL, "secondary_indexes_per_table_fail_threshold", COUNT, -1, "indexes of a table") \
    X(VIEWS_WARN, "materialized_views_per_table_warn_threshold", COUNT, -1,                        \
      "materialized views of a table")                                                             \
    X(VIEWS_FAIL, "materialized_views_per_table_fail_threshold", COUNT, -1,                        \
      "materialized views of a table")                                                             \
    X(FIELDS_WARN, "fields_per_udt_warn_threshold", COUNT, -1, "fields of a user-defined type")    \
    X(FIELDS_FAIL, "fields_per_udt_fail_threshold", COUNT, -1, "fields of a user-defined type")    \
    X(DIMENSIONS_WARN, "vector_dimensions_warn_threshold", COUNT, -1, "dimensions of a vector")    \
    X(DIMENSIONS_FAIL, "vector_dimensions_fail_threshold", COUNT, -1, "dimensions of a vector")    \
    X(PAGE_SIZE_WARN, "page_size_warn_threshold", COUNT, -1, "rows that a client asks for a page") \
    X(PAGE_SIZE_FAIL, "page_size_fail_threshold", COUNT, -1, "rows that a client asks for a page") \
    X(KEYS_WARN, "partition_keys_in_select_warn_threshold", COUNT, -1,                             \
      "partitions that a SELECT names")                                                            \
    X(KEYS_FAIL, "partition_keys_in_select_fail_threshold", COUNT, -1,                             \
      "partitions that a SELECT names")                                                            \
    X(PRODUCT_WARN, "in_select_cartesian_product_warn_threshold", COUNT, -1,                       \
      "combinations of IN values in the partition key, or in the clustering key, of a SELECT")     \
    X(PRODUCT_FAIL, "in_select_cartesian_product_fail_threshold", COUNT, -1,                       \
      "combinations of IN values in the partition key, or in the clustering key, of a SELECT")     \
    X(ITEMS_WARN, "items_per_collection_warn_threshold", COUNT, -1,                                \
      "elements that one value of a collection has")                                               \
    X(ITEMS_FAIL, "items_per_collection_fail_threshold", COUNT, -1,                                \
      "elements that one value of a collection has")                                               \
    X(COLLECTION_WARN, "collection_size_warn_threshold", BYTES, -1,                                \
      "size of one value of a collection")                                                         \
    X(COLLECTION_FAIL, "collection_size_fail_threshold", BYTES, -1,                                \
      "size of one value of a collection")                                                         \
    X(VALUE_WARN, "column_value_size_warn_threshold", BYTES, -1, "size of a value")                \
    X(VALUE_FAIL, "column_value_size_fail_threshold", BYTES, -1, "size of a value")                \
    X(OLD_WARN, "minimum_timestamp_warn_threshold", SECONDS, -1,                                   \
      "how far a timestamp may lie in the past")                                                   \
    X(OLD_FAIL, "minimum_timestamp_fail_threshold", SECONDS, -1,                                   \
      "how far a timestamp may lie in the past")                                                   \
    X(NEW_WARN, "maximum_timestamp_warn_threshold", SECONDS, -1,                                   \
      "how far a timestamp may lie ahead")                                                         \
    X(NEW_FAIL, "maximum_timestamp_fail_threshold", SECONDS, -1,                                   \
      "how far a timestamp may lie ahead")                                                         \
    X(TOMBSTONES_WARN, "tombstone_warn_threshold", COUNT, 1000, "tombstones that a SELECT reads")  \
    X(TOMBSTONES_FAIL, "tombstone_failure_threshold", COUNT, 100000,                               \
      "tombstones that a SELECT reads")                                                            \
    X(BATCH_WARN, "batch_size_warn_threshold", BYTES, 5120, "size of a batch over partitions")     \
    X(BATCH_FAIL, "batch_size_fail_threshold", BYTES, 51200, "size of a batch over partitions")    \
    X(UNLOGGED_WARN, "unlogged_batch_across_partitions_warn_threshold", COUNT, 10,                 \
      "partitions of an unlogged batch")                                                           \
    X(TIMESTAMPS, "user_timestamps_enabled", FLAG, 1, "USING TIMESTAMP")                           \
    X(GROUP_BY, "group_by_enabled", FLAG, 1, "GROUP BY")                                           \
    X(DROP_TABLE, "drop_truncate_table_enabled", FLAG, 1, "DROP TABLE and TRUNCATE")               \
    X(DROP_KEYSPACE, "drop_keyspace_enabled", FLAG, 1, "DROP KEYSPACE")                            \
    X(ALTER_TABLE, "alter_table_enabled", FLAG, 1, "ALTER TABLE of columns")                       \
    X(INDEXES, "secondary_indexes_enabled", FLAG, 1, "CREATE INDEX")                               \
    X(UNCOMPRESSED, "uncompressed_tables_enabled", FLAG, 1, "tables without compression")          \
    X(LIST_READS, "read_before_write_list_operations_enabled", FLAG, 1,                            \
      "operations on lists that read the list first")                                              \
    X(FILTERING, "allow_filtering_enabled", FLAG, 1, "ALLOW FILTERING")                            \
    X(VIEWS, "materialized_views_enabled", FLAG, 1, "CREATE MATERIALIZED VIEW")                    \
    X(ZERO_TTL, "zero_ttl_on_twcs_enabled", FLAG, 1,                                               \
      "default_time_to_live = 0 beside TimeWindowCompactionStrategy")                              \
    X(ZERO_TTL_WARNED, "zero_ttl_on_twcs_warned", FLAG, 1,                                         \
      "default_time_to_live = 0 beside TimeWindowCompactionStrategy")                              \
    X(PROPERTIES_WARNED, "table_properties_warned", PROPERTIES, 0, "options of tables")            \
    X(PROPERTIES_IGNORED, "table_properties_ignored", PROPERTIES, 0, "options of tables")          \
    X(PROPERTIES_DISALLOWED, "table_properties_disallowed", PROPERTIES, 0, "options of tables")    \
    X(READ_WARNED, "read_consistency_levels_warned", LEVELS, 0, "SELECT")                          \
    X(READ_DISALLOWED, "read_consistency_levels_disallowed", LEVELS, 0, "SELECT")                  \
    X(WRITE_WARNED, "write_consistency_levels_warned", LEVELS, 0, "writes")                        \
    X(WRITE_DISALLOWED, "write_consistency_levels_disallowed", LEVELS, 0, "writes")

#define CQL_GUARD_ENUM(name, text, unit, value, what) CQL_GUARD_##name,
typedef enum cql_guard_name { CQL_GUARD_MAP(CQL_GUARD_ENUM) CQL_GUARD_NAMES } cql_guard_name;
#undef CQL_GUARD_ENUM

typedef struct cql_guard {
    int64_t values[CQL_GUARD_NAMES];
} cql_guard;

/* The server's defaults. */
void cql__guard_init(cql_guard *out);

/* Sets what "name=value" says, several divided by commas or lines; blanks and empty lines are passed over. CORM_INVALID_ARGUMENT
 * names what is wrong; then nothing is changed. */
CORM_CHECKED corm_status cql__guard_read(cql_guard *guard, corm_str text, corm_error *err);

/* As settings are listed. */
const char    *cql__guard_text(cql_guard_name name);
cql_guard_unit cql__guard_unit_of(cql_guard_name name);

/* ---- rails that are sets of names: guard_values.c ---- */

/* "[a, b]", with commas, bars or blanks between the names. false: one is unknown. */
bool cql__guard_read_set(corm_str text, cql_guard_unit unit, int64_t *out);
/* The bit of a name, whatever its case; 0: there is none. That of a consistency level is 1 << its code. */
uint64_t cql__guard_bit(cql_guard_unit unit, corm_str name);

static inline bool cql__guard_has(const cql_guard *guard, cql_guard_name name, uint64_t given) {
    return ((uint64_t)guard->values[name] & given) != 0;
}

/* Appends "[a, b]". */
void cql__guard_put_set(base_buf *out, const cql_guard *guard, cql_guard_name name);
/* Appends what the server says of those of the given names that the rail has. */
void cql__guard_put(base_buf *out, const cql_guard *guard, cql_guard_name name, uint64_t given);

/* Whether a threshold of -1 or `value` lets it pass. */
static inline bool cql__guard_over(const cql_guard *guard, cql_guard_name name, int64_t value) {
    return guard->values[name] >= 0 && value > guard->values[name];
}

#endif
