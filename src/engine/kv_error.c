// SPDX-License-Identifier: MIT
/* kv_error.c -- what LMDB and the operating system report, as statuses with words that say what to do. Pure. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/kv_internal.h"

typedef struct known_number {
    int         number;
    corm_status status;
    const char *text;
} known_number;

static const known_number numbers[] = {
    { MDB_MAP_FULL, CORM_DISK_FULL, "the address space for the store is full" },
    { MDB_TXN_FULL, CORM_NO_MEMORY, "the transaction has changed too many pages" },
    { MDB_READERS_FULL, CORM_OVERLOADED, "all reader slots are taken; raise max_readers" },
    { MDB_PAGE_NOTFOUND, CORM_CORRUPT, "a page is missing: the data file is damaged" },
    { MDB_CORRUPTED, CORM_CORRUPT, "a page is of the wrong kind: the data file is damaged" },
    { MDB_INVALID, CORM_CORRUPT, "the data file is not a store, or its first pages are damaged" },
    { MDB_VERSION_MISMATCH, CORM_VERSION, "the data file was written by another version of LMDB" },
    { MDB_PANIC, CORM_IO,
      "an earlier write to the disk failed; close the store and open it again" },
    { MDB_BAD_TXN, CORM_IO, "the transaction has failed already" },
    { MDB_BAD_VALSIZE, CORM_INVALID_ARGUMENT, "a key or value has a size that cannot be stored" },
};

static void print(corm_error *out, const char *format, va_list args) {
    vsnprintf(out->message, sizeof out->message / 2, format, args);
}

static corm_status fail(corm_error *err, int number, const char *what) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i].number == number) {
            return base__fail(err, numbers[i].status, "%s: %s", what, numbers[i].text);
        }
    }
    if (number < 0) return base__fail(err, CORM_IO, "%s: %s", what, mdb_strerror(number));
    return base__fail_errno(err, number, "%s", what);
}

corm_status kv__fail(corm_error *err, int number, const char *format, ...) {
    corm_error what;
    va_list    args;
    va_start(args, format);
    print(&what, format, args);
    va_end(args);
    return fail(err, number, what.message);
}
