// SPDX-License-Identifier: MIT
/* system.h -- between system.c and system_views.c: the tables of the system keyspaces. */
#ifndef ENGINE_SYSTEM_H
#define ENGINE_SYSTEM_H

#include "engine/store.h"

/* CREATE TABLE statements; ends with NULL. */
extern const char *const engine__system_views[];

#endif
