// SPDX-License-Identifier: MIT
/* correlation.c -- the identifier of what a thread is doing. Its own copy in each thread. */
#include <stdio.h>

#include "corm/event.h"

enum { MOST_BYTES = 64 };

static _Thread_local char current[MOST_BYTES];

void corm_correlation_set(const char *id) {
    snprintf(current, sizeof current, "%s", id ? id : "");
}

const char *corm_correlation_id(void) {
    return current;
}
