// SPDX-License-Identifier: MIT
/* walk.h -- every expression of a SELECT, INSERT, UPDATE, DELETE or BATCH, from the outside to the inside, in the order in
 * which they are written. Pure. */
#ifndef CLI_CHECK_WALK_H
#define CLI_CHECK_WALK_H

#include "cql/ast.h"

typedef void check_visit(void *context, const cql_expr *expr);

void check__walk(const cql_statement *tree, check_visit *visit, void *context);

#endif
