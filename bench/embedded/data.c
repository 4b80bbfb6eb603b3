// SPDX-License-Identifier: MIT
/* data.c -- the rows, made from their numbers. Any thread. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const first_names[] = { "Ada",    "Grace",    "Edsger", "Barbara",
                                           "Donald", "Margaret", "Ken",    "Radia" };
static const char *const last_names[] = { "Lovelace", "Hopper",   "Dijkstra", "Liskov",
                                          "Knuth",    "Hamilton", "Thompson", "Perlman" };

/* "user-00000042": by hand, because printf would take longer than a read. */
void bench_user(uint32_t partition, char out[16]) {
    memcpy(out, "user-00000000", 14);
    for (char *at = out + 12; partition > 0 && at > out + 4; partition /= 10)
        *at-- = (char)('0' + partition % 10);
}

void bench_make(uint32_t n, bench_item *out) {
    uint32_t    mixed = n * 2654435761U;
    const char *first = first_names[mixed >> 29], *last = last_names[(mixed >> 26) & 7];
    memset(out, 0, sizeof *out);
    bench_user(n / PARTITION_ROWS, out->user);
    out->seq = (int32_t)(n % PARTITION_ROWS);
    snprintf(out->name, sizeof out->name, "%s %s", first, last);
    snprintf(out->email, sizeof out->email, "%s.%s%u@example.org", first, last, n % 100000);
    out->score = (double)(mixed % 10007) / 7;
    out->created = INT64_C(1700000000000) + n;
}

void bench_copy(char *member, size_t room, const void *text, size_t len) {
    if (len >= room) bench_fail("copy", "a text is too long");
    memcpy(member, text, len);
    member[len] = '\0';
}

void bench_see(bench_seen *seen, const bench_item *item) {
    uint64_t bits;
    memcpy(&bits, &item->score, sizeof bits);
    seen->rows++;
    seen->sum += (uint64_t)item->seq + (uint8_t)item->user[12] + (uint8_t)item->name[0] +
                 (uint8_t)item->email[0] + bits + (uint64_t)item->created;
}

_Noreturn void bench_fail(const char *what, const char *why) {
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}
