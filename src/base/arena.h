// SPDX-License-Identifier: MIT
/* arena.h -- memory that is freed all at once. One thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "corm/base.h"

typedef struct base_chunk base_chunk;

/* Zero-initialised is an empty, usable arena: `base_arena arena = { 0 };` */
typedef struct base_arena {
    base_chunk *first; /* newest chunk; chunks are linked from new to old */
    uint8_t    *next;  /* free bytes of the newest chunk: [next, end) */
    uint8_t    *end;
    size_t      total; /* bytes of all chunks */
} base_arena;

/* Uninitialised bytes aligned for any type, or NULL when memory is exhausted. A size of 0 gives a
 * pointer that is not NULL. */
void *base__arena_alloc(base_arena *arena, size_t size);

/* As base__arena_alloc, zeroed; NULL also when count * size overflows. */
void *base__arena_calloc(base_arena *arena, size_t count, size_t size);

/* A copy of the bytes; base__arena_str adds a zero byte behind the copy (not counted in len).
 * Both give data == NULL when memory is exhausted. */
void    *base__arena_copy(base_arena *arena, const void *data, size_t size);
corm_str base__arena_str(base_arena *arena, corm_str text);

/* printf into the arena; zero-terminated. data == NULL when memory is exhausted. */
corm_str base__arena_printf(base_arena *arena, const char *format, ...) CORM_PRINTF(2, 3);

/* Forgets all that was allocated but keeps memory for what comes next: as much again, or where that would be a burden the
 * largest chunk. */
void base__arena_reset(base_arena *arena);

/* Frees everything; the arena is empty and usable again. */
void base__arena_free(base_arena *arena);

/* One typed object or array, zeroed. */
#define BASE_NEW(arena, type) ((type *)base__arena_calloc((arena), 1, sizeof(type)))
#define BASE_NEW_ARRAY(arena, type, count)                                                         \
    ((type *)base__arena_calloc((arena), (count), sizeof(type)))

#endif
