// SPDX-License-Identifier: MIT
/* count.c -- stands before the C library's allocator in this program and counts. Any thread. */
#include <stdatomic.h>
#include <stdlib.h>

#include "count.h"

static atomic_ullong count;

unsigned long long bench_allocations(void) {
    return atomic_load_explicit(&count, memory_order_relaxed);
}

#if defined(__GLIBC__)
/* The names under which glibc has them beside the public ones. */
void *__libc_malloc(size_t size);                // NOLINT(bugprone-reserved-identifier)
void *__libc_calloc(size_t items, size_t size);  // NOLINT(bugprone-reserved-identifier)
void *__libc_realloc(void *memory, size_t size); // NOLINT(bugprone-reserved-identifier)

static void counted(void) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    counted();
    return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
    counted();
    return __libc_calloc(items, size);
}

void *realloc(void *memory, size_t size) {
    counted();
    return __libc_realloc(memory, size);
}
#else
#error "how this C library's allocator is called from a function of its own name is not known here"
#endif
