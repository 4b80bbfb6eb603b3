// SPDX-License-Identifier: MIT
/* fail.h -- making and passing on errors. */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include "corm/error.h"

/* Fills *err (when not NULL) and returns status. A long message is cut on a character's edge. */
corm_status base__fail(corm_error *err, corm_status status, const char *format, ...)
    CORM_PRINTF(3, 4);

/* As base__fail with a place in the CQL text (line from 1, column from 0). */
corm_status base__fail_at(corm_error *err, corm_status status, uint32_t line, uint32_t column,
                          const char *format, ...) CORM_PRINTF(5, 6);

/* "memory is exhausted" */
corm_status base__fail_memory(corm_error *err);

/* CORM_IO, CORM_DISK_FULL or CORM_NO_MEMORY from an errno, with "what: strerror". */
corm_status base__fail_errno(corm_error *err, int number, const char *format, ...)
    CORM_PRINTF(3, 4);

/* Returns from the enclosing function when the expression is not CORM_OK. */
#define CORM_TRY(expression)                                                                       \
    do {                                                                                           \
        corm_status try_status_ = (expression);                                                    \
        if (try_status_ != CORM_OK) return try_status_;                                            \
    } while (0)

#endif
