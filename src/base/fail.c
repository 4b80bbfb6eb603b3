// SPDX-License-Identifier: MIT
/* fail.c -- fills corm_error. The message is formatted aside first, because an argument may be the
 * message of the same error. Pure. */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Drops what is left of a character that the end of the array has cut. */
static void drop_cut_character(char *message, size_t len) {
    size_t start = len;
    while (start > 0 && len - start < 3 && ((uint8_t)message[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return;
    uint8_t lead = (uint8_t)message[start - 1];
    size_t  want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (want > len - start + 1) message[start - 1] = '\0';
}

static void fill(corm_error *err, corm_status status, const char *format, va_list args) {
    char message[sizeof err->message];
    int  len = vsnprintf(message, sizeof message, format, args);
    if (len < 0) {
        message[0] = '\0';
    } else if ((size_t)len >= sizeof message) {
        drop_cut_character(message, sizeof message - 1);
    }
    err->status = status;
    err->line = 0;
    err->column = 0;
    err->keyspace[0] = '\0';
    err->table[0] = '\0';
    memcpy(err->message, message, strlen(message) + 1);
}

corm_status base__fail(corm_error *err, corm_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    fill(err, status, format, args);
    va_end(args);
    return status;
}

corm_status base__fail_at(corm_error *err, corm_status status, uint32_t line, uint32_t column,
                          const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    fill(err, status, format, args);
    va_end(args);
    err->line = line;
    err->column = column;
    return status;
}

corm_status base__fail_memory(corm_error *err) {
    return base__fail(err, CORM_NO_MEMORY, "%s", corm_status_text(CORM_NO_MEMORY));
}

static corm_status status_of_errno(int number) {
    switch (number) {
    case ENOSPC:
    case EFBIG:
    case EDQUOT: return CORM_DISK_FULL;
    case ENOMEM: return CORM_NO_MEMORY;
    default: return CORM_IO;
    }
}

corm_status base__fail_errno(corm_error *err, int number, const char *format, ...) {
    corm_status status = status_of_errno(number);
    if (!err) return status;
    va_list args;
    va_start(args, format);
    fill(err, status, format, args);
    va_end(args);
    char reason[128];
    if (strerror_r(number, reason, sizeof reason) != 0) {
        snprintf(reason, sizeof reason, "error %d", number);
    }
    return base__fail(err, status, "%s: %s", err->message, reason);
}
