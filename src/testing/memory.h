// SPDX-License-Identifier: MIT
/* memory.h -- allocations that fail on request, to show that out of memory is an error and leaks
 * nothing.
 *
 * A program that includes this, in one file, gets malloc and its relatives replaced by glibc's own
 * that fail when the thread was told so. Under a sanitizer, which has its own, nothing can fail:
 * such tests skip themselves. It is a header because the linker would take an archive's malloc for
 * every program. */
#ifndef TESTING_MEMORY_H
#define TESTING_MEMORY_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Allocations that succeed before the first that fails. */
static _Thread_local size_t testing_left = SIZE_MAX;

static _Thread_local int  testing_paused;
static _Thread_local bool testing_failed;
static atomic_long        testing_live;
static atomic_long        testing_made;

/* From now on the n-th allocation of this thread (from 0) and all behind it fail; SIZE_MAX: none
 * does. */
static inline void testing__memory_fail_from(size_t n) {
    testing_left = n;
    testing_failed = false;
}

/* Nothing fails on this thread until resumed; for the parts of a test that stand for something
 * else. Nests. */
static inline void testing__memory_pause(void) {
    testing_paused++;
}

static inline void testing__memory_resume(void) {
    testing_paused--;
}

/* Whether an allocation has failed since testing__memory_fail_from(). */
static inline bool testing__memory_has_failed(void) {
    return testing_failed;
}

/* Allocations of all threads that were not freed. */
static inline long testing__memory_live(void) {
    return atomic_load(&testing_live);
}

/* Allocations of all threads so far, also those that only grew. */
static inline long testing__memory_made(void) {
    return atomic_load(&testing_made);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TESTING_HAS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define TESTING_HAS_SANITIZER
#endif
#endif

#if defined(__GLIBC__) && !defined(TESTING_HAS_SANITIZER)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *data, size_t size);
void  __libc_free(void *data);

/* Whether allocations can be made to fail in this build. */
static inline bool testing__memory_can_fail(void) {
    return true;
}

static inline bool testing_must_fail(void) {
    if (testing_paused > 0 || testing_left == SIZE_MAX) return false;
    if (testing_left > 0) {
        testing_left--;
        return false;
    }
    testing_failed = true;
    errno = ENOMEM;
    return true;
}

static inline void *testing_count(void *data) {
    atomic_fetch_add_explicit(&testing_made, 1, memory_order_relaxed);
    if (data) atomic_fetch_add_explicit(&testing_live, 1, memory_order_relaxed);
    return data;
}

void *malloc(size_t size) {
    return testing_must_fail() ? NULL : testing_count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size) {
    return testing_must_fail() ? NULL : testing_count(__libc_calloc(n, size));
}

void *realloc(void *data, size_t size) {
    if (testing_must_fail()) return NULL;
    void *out = __libc_realloc(data, size);
    if (!data) return testing_count(out);
    atomic_fetch_add_explicit(&testing_made, 1, memory_order_relaxed);
    return out;
}

void free(void *data) {
    if (data) atomic_fetch_sub_explicit(&testing_live, 1, memory_order_relaxed);
    __libc_free(data);
}

#else

/* Whether allocations can be made to fail in this build. */
static inline bool testing__memory_can_fail(void) {
    return false;
}

#endif

#endif
