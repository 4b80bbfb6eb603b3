// SPDX-License-Identifier: MIT
/* ddl_index.h -- what the statements about indexes and the classes of indexes know of
 * each other. */
#ifndef CQL_DDL_INDEX_H
#define CQL_DDL_INDEX_H

#include "cql/ddl.h"

/* Whether the name in USING means that class. */
bool cql__is_sai(corm_str class_name);
bool cql__is_sasi(corm_str class_name);

/* The index's name, its class (data NULL: the built-in index) and the names of its options, which
 * are in the server's order: CORM_CONFIG_ERROR. */
CORM_CHECKED corm_status cql__ddl_check_class(cql_ddl *ddl, corm_str class_name, corm_str index,
                                              const cql_map_option *options);

/* Always an error: a custom index of no column, or of several. */
CORM_CHECKED corm_status cql__ddl_refuse_targets(cql_ddl *ddl, corm_str class_name, corm_str index,
                                                 const cql_index *targets, uint32_t count);

/* "values(c)"; data NULL: no memory. */
corm_str cql__index_target(base_arena *arena, const cql_column *column, cql_index_target target);

#endif
