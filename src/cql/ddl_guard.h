// SPDX-License-Identifier: MIT
/* ddl_guard.h -- guard rails of schema statements. Each passes when the statement has none. */
#ifndef CQL_DDL_GUARD_H
#define CQL_DDL_GUARD_H

#include "cql/ddl.h"

/* CORM_INVALID "Guardrail NAME violated: WHAT is not allowed" when the flag is off. */
CORM_CHECKED corm_status cql__guard_flag(cql_ddl *ddl, cql_guard_name flag, const char *name,
                                         const char *what);

/* Before the object is made; it is not among those that there are. */
CORM_CHECKED corm_status cql__guard_keyspace(cql_ddl *ddl, corm_str name);
CORM_CHECKED corm_status cql__guard_table(cql_ddl *ddl, corm_str name);
CORM_CHECKED corm_status cql__guard_index(cql_ddl *ddl, const cql_table *table, corm_str name);
CORM_CHECKED corm_status cql__guard_view(cql_ddl *ddl, const cql_table *base, corm_str name);

CORM_CHECKED corm_status cql__guard_columns(cql_ddl *ddl, corm_str table, uint32_t count);
CORM_CHECKED corm_status cql__guard_fields(cql_ddl *ddl, corm_str type, uint32_t count);
/* what: "Column" or "Field". */
CORM_CHECKED corm_status cql__guard_vector(cql_ddl *ddl, const char *what, corm_str name,
                                           const cql_type *type);
/* Options that are warned of, or not allowed. Those that are ignored are left out of a copy. */
CORM_CHECKED corm_status cql__guard_properties(cql_ddl *ddl, cql_property **properties,
                                               uint32_t *count);
/* What the statement itself says of compaction and of times to live. */
CORM_CHECKED corm_status cql__guard_ttl(cql_ddl *ddl, const cql_property *properties,
                                        uint32_t count);
CORM_CHECKED corm_status cql__guard_compression(cql_ddl *ddl, const cql_table_options *options);

#endif
