// SPDX-License-Identifier: MIT
/* versions.c -- versions of up to three numbers, and ranges of them: "1.2", ">=1.0 <2.0". Pure. */
#include <stdlib.h>

#include "plugin/core.h"

typedef struct numbers {
    uint32_t parts[3];
    uint32_t count;
} numbers;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Behind the version; NULL: it is none. */
static const char *read_numbers(const char *text, numbers *out) {
    *out = (numbers){ { 0, 0, 0 }, 0 };
    for (;;) {
        uint32_t value = 0;
        if (out->count == 3 || !is_digit(*text)) return NULL;
        for (; is_digit(*text); text++) {
            if (value > 99999999) return NULL;
            value = value * 10 + (uint32_t)(*text - '0');
        }
        out->parts[out->count++] = value;
        if (*text != '.') return text;
        text++;
    }
}

static int compare(const numbers *a, const numbers *b) {
    for (int i = 0; i < 3; i++) {
        if (a->parts[i] != b->parts[i]) return a->parts[i] < b->parts[i] ? -1 : 1;
    }
    return 0;
}

typedef enum relation { COMPATIBLE, EQUAL, LESS, LESS_EQUAL, MORE, MORE_EQUAL } relation;

static const struct {
    const char *text;
    relation    is;
} relations[] = {
    { ">=", MORE_EQUAL }, { "<=", LESS_EQUAL }, { ">", MORE }, { "<", LESS }, { "=", EQUAL },
};

static const char *read_relation(const char *text, relation *out) {
    *out = COMPATIBLE;
    for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
        size_t len = strlen(relations[i].text);
        if (strncmp(text, relations[i].text, len) != 0) continue;
        *out = relations[i].is;
        return text + len;
    }
    return text;
}

static bool holds(const numbers *version, relation is, const numbers *bound) {
    int order = compare(version, bound);
    switch (is) {
    case EQUAL: return order == 0;
    case LESS: return order < 0;
    case LESS_EQUAL: return order <= 0;
    case MORE: return order > 0;
    case MORE_EQUAL: return order >= 0;
    default: return order >= 0 && version->parts[0] == bound->parts[0];
    }
}

/* All parts of the range hold; *good false: it is no range. */
static bool walk(const numbers *version, const char *range, bool *good) {
    bool all = true;
    *good = true;
    while (*range) {
        relation is;
        numbers  bound;
        while (*range == ' ') range++;
        if (!*range) break;
        range = read_numbers(read_relation(range, &is), &bound);
        if (!range || (*range && *range != ' ')) {
            *good = false;
            return false;
        }
        all = all && holds(version, is, &bound);
    }
    return all;
}

bool plugin__is_version(const char *version) {
    numbers     unused;
    const char *end = version ? read_numbers(version, &unused) : NULL;
    return end && !*end;
}

bool plugin__is_range(const char *range) {
    numbers any = { { 0, 0, 0 }, 0 };
    bool    good;
    walk(&any, range, &good);
    return good;
}

bool plugin__fits(const char *version, const char *range) {
    numbers own;
    bool    good;
    if (!range) return true;
    if (!read_numbers(version, &own)) return false;
    return walk(&own, range, &good) && good;
}
