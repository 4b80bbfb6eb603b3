// SPDX-License-Identifier: MIT
/* arena.c -- chunks of growing size that are handed out front to back. An allocation that is large
 * for its time gets a chunk of its own behind the newest one, so that the newest keeps its free
 * bytes.
 *
 * Runs on the caller's thread; one thread at a time. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CHUNK = 2048, LARGEST_STEP = 256 * 1024, ALIGNMENT = alignof(max_align_t) };

struct base_chunk {
    base_chunk *older;
    size_t      size; /* bytes of data */
    alignas(max_align_t) uint8_t data[];
};

static size_t next_chunk_size(const base_arena *arena) {
    size_t size = FIRST_CHUNK;
    while (size < arena->total && size < LARGEST_STEP) size *= 2;
    return size - sizeof(base_chunk);
}

static base_chunk *new_chunk(base_arena *arena, size_t size) {
    if (size > SIZE_MAX - sizeof(base_chunk)) return NULL;
    base_chunk *chunk = malloc(sizeof(base_chunk) + size);
    if (!chunk) return NULL;
    chunk->size = size;
    arena->total += sizeof(base_chunk) + size;
    return chunk;
}

static void *alloc_alone(base_arena *arena, size_t size) {
    base_chunk *chunk = new_chunk(arena, size);
    if (!chunk) return NULL;
    chunk->older = arena->first->older;
    arena->first->older = chunk;
    return chunk->data;
}

static void *alloc_slow(base_arena *arena, size_t size) {
    size_t step = next_chunk_size(arena);
    if (arena->first && size > step / 4) return alloc_alone(arena, size);
    base_chunk *chunk = new_chunk(arena, size > step ? size : step);
    if (!chunk) return NULL;
    chunk->older = arena->first;
    arena->first = chunk;
    arena->next = chunk->data + size;
    arena->end = chunk->data + chunk->size;
    return chunk->data;
}

void *base__arena_alloc(base_arena *arena, size_t size) {
    if (size > SIZE_MAX - ALIGNMENT) return NULL;
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded == 0) rounded = ALIGNMENT;
    if (arena->first && rounded <= (size_t)(arena->end - arena->next)) {
        void *out = arena->next;
        arena->next += rounded;
        return out;
    }
    return alloc_slow(arena, rounded);
}

void *base__arena_calloc(base_arena *arena, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    void *out = base__arena_alloc(arena, count * size);
    if (out) memset(out, 0, count * size);
    return out;
}

void *base__arena_copy(base_arena *arena, const void *data, size_t size) {
    void *out = base__arena_alloc(arena, size);
    if (out && size > 0) memcpy(out, data, size);
    return out;
}

corm_str base__arena_str(base_arena *arena, corm_str text) {
    char *out = text.len < SIZE_MAX ? base__arena_alloc(arena, text.len + 1) : NULL;
    if (!out) return (corm_str){ NULL, 0 };
    if (text.len > 0) memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return (corm_str){ out, text.len };
}

corm_str base__arena_printf(base_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *out = len < 0 ? NULL : base__arena_alloc(arena, (size_t)len + 1);
    if (!out) return (corm_str){ NULL, 0 };
    va_start(args, format);
    vsnprintf(out, (size_t)len + 1, format, args);
    va_end(args);
    return (corm_str){ out, (size_t)len };
}

static base_chunk *largest_chunk(const base_arena *arena) {
    base_chunk *largest = arena->first;
    for (base_chunk *chunk = arena->first; chunk; chunk = chunk->older) {
        if (chunk->size > largest->size) largest = chunk;
    }
    return largest;
}

static void free_all_but(base_arena *arena, const base_chunk *kept) {
    base_chunk *chunk = arena->first;
    while (chunk) {
        base_chunk *older = chunk->older;
        if (chunk != kept) free(chunk);
        chunk = older;
    }
}

/* What was used once is used again: one chunk for all then, where they are no burden. NULL: the largest will do. */
static base_chunk *join(const base_arena *arena) {
    if (!arena->first->older || arena->total > LARGEST_STEP) return NULL;
    base_chunk *chunk = malloc(arena->total);
    if (!chunk) return NULL;
    chunk->size = arena->total - sizeof *chunk;
    chunk->older = NULL;
    return chunk;
}

void base__arena_reset(base_arena *arena) {
    if (!arena->first) return;
    base_chunk *kept = join(arena);
    if (!kept) kept = largest_chunk(arena);
    free_all_but(arena, kept);
    kept->older = NULL;
    arena->first = kept;
    arena->next = kept->data;
    arena->end = kept->data + kept->size;
    arena->total = sizeof(base_chunk) + kept->size;
}

void base__arena_free(base_arena *arena) {
    free_all_but(arena, NULL);
    *arena = (base_arena){ 0 };
}
