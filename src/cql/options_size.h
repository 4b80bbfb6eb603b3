// SPDX-License-Identifier: MIT
/* options_size.h -- sizes in bytes with a unit, as options write them. Pure. */
#ifndef CQL_OPTIONS_SIZE_H
#define CQL_OPTIONS_SIZE_H

#include "base/arena.h"

/* Reads "1GiB", "5 MiB", "100B". When it is none, false, and *why says so in the arena (data NULL:
 * no memory). */
bool cql__parse_size(base_arena *arena, corm_str text, double *out, corm_str *why);

/* "1.000GiB"; data NULL: no memory. */
corm_str cql__show_size(base_arena *arena, int64_t bytes);

#endif
