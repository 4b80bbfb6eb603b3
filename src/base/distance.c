// SPDX-License-Identifier: MIT
/* distance.c -- how many letters to insert, remove, replace or swap with their neighbour to make
 * one name of the other. Pure. */
#include "base/text.h"

enum { LONGEST = 128 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Three rows of the table of distances between beginnings of `a` and of `b`: the row of i letters
 * of a, and the two before it. */
static size_t walk(corm_str a, corm_str b) {
    size_t  rows[3][LONGEST + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b.len; j++) last[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = last[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            row[j] = smaller(replaced, smaller(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1]) {
                row[j] = smaller(row[j], before[j - 2] + 1);
            }
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.len];
}

size_t base__edit_distance(corm_str a, corm_str b) {
    if (a.len > LONGEST || b.len > LONGEST) return a.len > b.len ? a.len : b.len;
    return walk(a, b);
}
