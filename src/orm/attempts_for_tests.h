// SPDX-License-Identifier: MIT
/* attempts_for_tests.h -- operations of the mapper made again and again while one allocation more succeeds each time, until they go
 * through. Each failure must be CORM_NO_MEMORY, and must leave as many allocations as there were before. Included by one
 * file of a program. */
#ifndef ORM_ATTEMPTS_FOR_TESTS_H
#define ORM_ATTEMPTS_FOR_TESTS_H

#include "orm/calm_for_tests.h"

typedef struct calm_operation {
    const char *name;
    void (*prepare)(void);
    corm_status (*operate)(corm_error *err);
} calm_operation;

static corm_db *db; /* of the attempt */

enum { MOST_ATTEMPTS = 2000 };

/* True when the operation went through. */
static bool attempt(const calm_operation *operation, size_t n) {
    corm_error err = { 0 };
    long       before = testing__memory_live();
    db = open_calm();
    operation->prepare();
    testing__memory_fail_from(n);
    corm_status status = operation->operate(&err);
    bool        failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    corm_db_close(db);
    if (status != CORM_OK && status != CORM_NO_MEMORY) {
        fail_msg("%s, allocation %zu: %s: %s", operation->name, n, corm_status_name(status),
                 err.message);
    }
    if (status == CORM_NO_MEMORY && !failed)
        fail_msg("%s: out of memory without a reason", operation->name);
    if (n > 0 && testing__memory_live() != before) {
        fail_msg("%s, allocation %zu: %ld are left", operation->name, n,
                 testing__memory_live() - before);
    }
    return status == CORM_OK && !failed;
}

static void try_all(const calm_operation *operations, size_t count) {
    for (size_t which = 0; which < count; which++) {
        size_t n = 0;
        while (n < MOST_ATTEMPTS && !attempt(&operations[which], n)) n++;
        assert_in_range(n, 1, MOST_ATTEMPTS - 1);
    }
}

#endif
