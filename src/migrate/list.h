// SPDX-License-Identifier: MIT
/* list.h -- lists of migrations for the caller, and texts. */
#ifndef MIGRATE_LIST_H
#define MIGRATE_LIST_H

#include "migrate/core.h"

CORM_CHECKED corm_status migrate__list_new(corm_migration_list **out, corm_error *err);
/* Adds a migration in this state; a list that is NULL takes nothing. */
CORM_CHECKED corm_status migrate__list_add(corm_migration_list *list, const migrate_unit *unit,
                                           corm_migration_state state, corm_error *err);

/* The buffer's text, malloc'ed; frees the buffer. */
CORM_CHECKED corm_status migrate__take_text(base_buf *text, char **out, corm_error *err);

#endif
