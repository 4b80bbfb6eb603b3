// SPDX-License-Identifier: MIT
/* list_time.h -- the timeuuids that order the elements of a list. Any thread. */
#ifndef ENGINE_LIST_TIME_H
#define ENGINE_LIST_TIME_H

#include "corm/types.h"

/* Behind every element so far. */
corm_uuid engine__list_append_time(void);

/* The first of `count` consecutive times before every element so far: element i of one prepend gets engine__list_time(first + i). */
int64_t   engine__list_prepend_ticks(uint32_t count);
corm_uuid engine__list_time(int64_t ticks);

#endif
