// SPDX-License-Identifier: MIT
/* pattern.c -- names with dots, and patterns over them: "row.inserted", "row.*", "row.**", "**". Pure. */
#include "event/core.h"

enum { MOST_BYTES = 128 };

static bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* The length of the part before the next dot. */
static size_t part_of(const char *text) {
    return strcspn(text, ".");
}

static bool is_name(const char *part, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (!is_name_byte(part[i])) return false;
    }
    return len > 0;
}

bool event__is_type(const char *type) {
    if (!type || strlen(type) > MOST_BYTES) return false;
    for (;;) {
        size_t len = part_of(type);
        if (!is_name(type, len)) return false;
        if (!type[len]) return true;
        type += len + 1;
    }
}

/* "**" only at the end. */
bool event__is_pattern(const char *pattern) {
    if (!pattern || strlen(pattern) > MOST_BYTES) return false;
    for (;;) {
        size_t len = part_of(pattern);
        bool   rest = len == 2 && pattern[0] == '*' && pattern[1] == '*';
        bool   any = len == 1 && pattern[0] == '*';
        if (rest) return pattern[len] == '\0';
        if (!any && !is_name(pattern, len)) return false;
        if (!pattern[len]) return true;
        pattern += len + 1;
    }
}

bool event__matches(const char *pattern, const char *type) {
    for (;;) {
        size_t len = part_of(pattern), own = part_of(type);
        if (len == 2 && pattern[0] == '*' && pattern[1] == '*') return true;
        bool any = len == 1 && pattern[0] == '*';
        if (!any && (len != own || memcmp(pattern, type, len) != 0)) return false;
        if (!pattern[len] || !type[own]) return !pattern[len] && !type[own];
        pattern += len + 1;
        type += own + 1;
    }
}
