// SPDX-License-Identifier: MIT
/* like.c -- LIKE by ScyllaDB's rules: % any number of characters, _ one, \ takes the next character as it is.
 *
 * A match that fails goes back to the last % only, which is enough. Pure; any thread. */
#include "cql/eval_internal.h"

/* Bytes of the character that begins at p. */
static size_t character(const char *p, const char *end) {
    size_t len = 1;
    while (p + len < end && ((uint8_t)p[len] & 0xC0) == 0x80) len++;
    return len;
}

/* A place in text and pattern. */
typedef struct place {
    const char *text, *pattern;
} place;

/* Takes one character of both, when they agree. */
static bool take_one(place *at, const char *text_end, const char *pattern_end) {
    if (at->pattern == pattern_end || at->text == text_end) return false;
    if (*at->pattern == '_') {
        at->text += character(at->text, text_end);
        at->pattern++;
        return true;
    }
    const char *literal = at->pattern;
    if (*literal == '\\' && literal + 1 < pattern_end) literal++;
    if (*literal != *at->text) return false;
    at->pattern = literal + 1;
    at->text++;
    return true;
}

bool cql__like(corm_str text, corm_str pattern) {
    if (text.len == 0) text.data = "";
    if (pattern.len == 0) pattern.data = "";
    place       at = { text.data, pattern.data };
    place       back = { NULL, NULL };
    const char *text_end = text.data + text.len;
    const char *pattern_end = pattern.data + pattern.len;
    while (at.text < text_end || at.pattern < pattern_end) {
        if (at.pattern < pattern_end && *at.pattern == '%') {
            at.pattern++;
            back = at;
        } else if (!take_one(&at, text_end, pattern_end)) {
            if (!back.pattern || back.text >= text_end) return false;
            back.text += character(back.text, text_end);
            at = back;
        }
    }
    return true;
}
