// SPDX-License-Identifier: MIT
/* resolve_type.h -- what the files of the schema need to know about types as they are written. */
#ifndef CQL_RESOLVE_TYPE_H
#define CQL_RESOLVE_TYPE_H

#include "cql/schema.h"

/* frozen<> around what cannot be frozen, and classes that are not known: what the server finds
 * while it still reads the statement. CORM_SYNTAX_ERROR, as there. */
CORM_CHECKED corm_status cql__check_written_type(const cql_type_ast *ast, base_arena *arena,
                                                 corm_error *err);

/* Whether the written type is the counter, or a user-defined type without frozen<> around it. */
bool cql__written_counter(const cql_type_ast *ast);
bool cql__written_open_udt(const cql_type_ast *ast);

/* Appends the type as the server's messages show one that is written: frozen<> where it applies,
 * names as they are, those of user-defined types behind the keyspace when that is not empty. */
void cql__put_written_type(const cql_type_ast *ast, corm_str keyspace, base_buf *out);

#endif
