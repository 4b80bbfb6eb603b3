// SPDX-License-Identifier: MIT
/* print.h -- what the files of the printer share. All append to `out`. */
#ifndef CQL_PRINT_H
#define CQL_PRINT_H

#include "cql/parser.h"

typedef void cql_print_fn(base_buf *out, const void *items, uint32_t i);

/* item(0), item(1), … with the separator between. */
void cql__print_items(base_buf *out, cql_print_fn *item, const void *items, uint32_t count,
                      const char *separator);
/* The same in brackets. */
void cql__print_enclosed(base_buf *out, cql_print_fn *item, const void *items, uint32_t count);

void cql__print_name(base_buf *out, const cql_name *name);
void cql__print_ref(base_buf *out, const cql_ref *ref);
void cql__print_function_name(base_buf *out, const cql_ref *ref);
void cql__print_user_type_name(base_buf *out, const cql_ref *ref);
void cql__print_bare_name(base_buf *out, const cql_name *name); /* every keyword in quotes */
void cql__print_role_name(base_buf *out, const cql_name *name);

/* For cql__print_items over arrays of names, expressions and types. */
void cql__print_name_item(base_buf *out, const void *items, uint32_t i);
void cql__print_expr_item(base_buf *out, const void *items, uint32_t i);
void cql__print_type_item(base_buf *out, const void *items, uint32_t i);

/* ---- clauses (print.c) ---- */

void cql__print_selectors(base_buf *out, bool all, const cql_selector *selectors, uint32_t count);
void cql__print_where(base_buf *out, const cql_relation *relations, uint32_t count);
void cql__print_properties(base_buf *out, const cql_property *properties, uint32_t count);
void cql__print_property_item(base_buf *out, const void *items, uint32_t i);

/* ---- families of statements ---- */

void cql__print_schema(base_buf *out, const cql_statement *s); /* print_schema.c */
void cql__print_role(base_buf *out, const cql_statement *s);   /* print_role.c */

#endif
