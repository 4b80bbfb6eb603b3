// SPDX-License-Identifier: MIT
/* bench.h -- the rows that every system stores, and what a system must be able to do with them.
 *
 *   table items: partition key `user` (text), clustering column `seq` (int); name, email (text), score (double),
 *   created (timestamp). PARTITIONS partitions of PARTITION_ROWS rows. */
#ifndef BENCH_EMBEDDED_H
#define BENCH_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTITION_ROWS = 200, PARTITIONS = 1000, ROWS = PARTITIONS * PARTITION_ROWS };
enum { SLICE = 100, BATCH = 100, BULK_BATCH = 200, MAX_SYSTEM_THREADS = 64 };

/* One row. Every system fills one of these for each row that it reads, all columns. */
typedef struct bench_item {
    char    user[16];
    int32_t seq;
    char    name[32];
    char    email[48];
    double  score;
    int64_t created; /* milliseconds */
} bench_item;

/* The n-th row: always the same. */
void bench_make(uint32_t n, bench_item *out);
void bench_user(uint32_t partition, char out[16]);

/* What has been read: something of every member goes in, so that the compiler leaves none out. */
typedef struct bench_seen {
    uint64_t rows, sum;
} bench_seen;

/* What is promised of a commit. */
typedef enum bench_promise {
    BENCH_ON_DISK, /* it survives a power cut */
    BENCH_IN_OS    /* it survives the process */
} bench_promise;

/* A connection belongs to one thread. Functions end the program with a message when something fails. */
typedef struct bench_system {
    void *(*open)(const char *folder, bench_promise promise, bool create);
    void (*close)(void *store);
    void *(*connect)(void *store);
    void (*disconnect)(void *connection);
    void (*insert)(void *connection, const bench_item *item);
    /* All rows in one transaction: all or none. */
    void (*insert_batch)(void *connection, const bench_item *items, uint32_t count);
    void (*point_read)(void *connection, const char *user, int32_t seq, bench_seen *seen);
    /* SLICE rows of the partition from `seq` on. */
    void (*slice)(void *connection, const char *user, int32_t seq, bench_seen *seen);
    void (*scan)(void *connection, bench_seen *seen);
    /* Ends a bulk load: everything is on disk. */
    void (*sync)(void *store);
} bench_system;

extern const bench_system bench_corm, bench_feed, bench_mapper, bench_sqlite, bench_lmdb;

/* Says what failed and ends the program. */
_Noreturn void bench_fail(const char *what, const char *why);

/* Copies a text into a member and ends it; what does not fit ends the program. */
void bench_copy(char *member, size_t room, const void *text, size_t len);

/* Counts the row and adds what it holds. */
void bench_see(bench_seen *seen, const bench_item *item);

#endif
