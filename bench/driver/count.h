// SPDX-License-Identifier: MIT
/* count.h -- how often this program has allocated memory so far: malloc and its relatives, on all threads, also in libraries. */
#ifndef BENCH_DRIVER_COUNT_H
#define BENCH_DRIVER_COUNT_H

unsigned long long bench_allocations(void);

#endif
