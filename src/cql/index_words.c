// SPDX-License-Identifier: MIT
/* index_words.c -- text cut into words, as SASI's analyzers cut it. Pure; any thread.
 *
 * The standard analyzer follows the word boundaries of Unicode (UAX 29) and keeps what holds a letter or a digit: letters
 * and digits hang together, also over _, over one apostrophe, dot or colon between letters, and over one dot or comma between
 * digits. Ideographs and hiragana are words each; katakana, and the scripts of Southeast Asia that have no spaces, are words as long as
 * they last. */
#include <utf8proc.h>

#include "cql/index_terms.h"

typedef enum kind {
    OTHER,
    LETTER,
    DIGIT,
    KATAKANA,
    ASIAN,  /* southeast Asian */
    SINGLE, /* a word each */
    JOINER, /* _ */
    MID_LETTER,
    MID_BOTH,
    MID_DIGIT,
    EXTEND
} kind;

typedef struct range {
    int32_t first, last;
    kind    kind;
} range;

static const range ranges[] = {
    { 0x0E00, 0x0EFF, ASIAN },    { 0x1000, 0x109F, ASIAN },    { 0x1780, 0x17FF, ASIAN },
    { 0x1950, 0x19DF, ASIAN },    { 0x1A20, 0x1AAF, ASIAN },    { 0x1C90, 0x1CBF, OTHER },
    { 0x3005, 0x3007, SINGLE },   { 0x3021, 0x3029, SINGLE },   { 0x3031, 0x3035, KATAKANA },
    { 0x3038, 0x303B, SINGLE },   { 0x3041, 0x3096, SINGLE },   { 0x3099, 0x309A, EXTEND },
    { 0x309B, 0x309C, KATAKANA }, { 0x309D, 0x309F, SINGLE },   { 0x30A0, 0x30FA, KATAKANA },
    { 0x30FC, 0x30FF, KATAKANA }, { 0x31F0, 0x31FF, KATAKANA }, { 0x32D0, 0x3357, KATAKANA },
    { 0x3400, 0x4DBF, SINGLE },   { 0x4E00, 0x9FFF, SINGLE },   { 0xAA60, 0xAADF, ASIAN },
    { 0xF900, 0xFAFF, SINGLE },   { 0xFF66, 0xFF9D, KATAKANA }, { 0x20000, 0x3FFFD, SINGLE }
};

static kind kind_of_sign(int32_t c) {
    switch (c) {
    case ':':
    case 0xB7:
    case 0x387:
    case 0x5F4:
    case 0x2027:
    case 0xFE13:
    case 0xFE55:
    case 0xFF1A: return MID_LETTER;
    case '.':
    case '\'':
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0xFE52:
    case 0xFF07:
    case 0xFF0E: return MID_BOTH;
    case ',':
    case ';':
    case 0x37E:
    case 0x589:
    case 0x60C:
    case 0x60D:
    case 0x66C:
    case 0x7F8:
    case 0x2044:
    case 0xFE10:
    case 0xFE14:
    case 0xFE50:
    case 0xFE54:
    case 0xFF0C:
    case 0xFF1B: return MID_DIGIT;
    default: return OTHER;
    }
}

static kind kind_of(int32_t c) {
    if (c < 0) return OTHER;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges && c >= 0xE00; i++)
        if (c >= ranges[i].first && c <= ranges[i].last) return ranges[i].kind;
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL: return LETTER;
    case UTF8PROC_CATEGORY_ND: return DIGIT;
    case UTF8PROC_CATEGORY_PC: return JOINER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF: return EXTEND;
    default: return kind_of_sign(c);
    }
}

/* The character at a place, with the marks behind it. */
typedef struct unit {
    kind   kind;
    size_t start, end;
} unit;

static kind read_one(corm_str text, size_t at, size_t *end) {
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                             (utf8proc_ssize_t)(text.len - at), &c);
    *end = at + (used > 0 ? (size_t)used : 1);
    return kind_of(c);
}

static unit read_unit(corm_str text, size_t at) {
    unit u = { OTHER, at, at };
    if (at >= text.len) return u;
    u.kind = read_one(text, at, &u.end);
    for (size_t end; u.end < text.len && read_one(text, u.end, &end) == EXTEND;) u.end = end;
    return u;
}

static bool is_joined(kind before, kind after) {
    if (before == ASIAN || after == ASIAN) return before == after;
    if (before == KATAKANA || after == KATAKANA)
        return before == after || before == JOINER || after == JOINER;
    bool known = before == LETTER || before == DIGIT || before == JOINER;
    return known && (after == LETTER || after == DIGIT || after == JOINER);
}

/* Whether one sign between holds two units together. */
static bool is_bridged(kind before, kind sign, kind after) {
    if (before != after) return false;
    if (before == LETTER) return sign == MID_LETTER || sign == MID_BOTH;
    return before == DIGIT && (sign == MID_DIGIT || sign == MID_BOTH);
}

/* The word that begins with the unit: sets its end, and whether it holds more than joiners. */
static bool read_word(corm_str text, unit last, size_t *end) {
    bool good = last.kind != JOINER;
    *end = last.end;
    if (last.kind == SINGLE) return true;
    for (;;) {
        unit next = read_unit(text, *end);
        unit behind = read_unit(text, next.end);
        if (!is_joined(last.kind, next.kind)) {
            if (!is_bridged(last.kind, next.kind, behind.kind)) return good;
            next = behind;
        }
        good = good || next.kind != JOINER;
        last = next;
        *end = last.end;
    }
}

static bool begins_word(kind k) {
    return k == LETTER || k == DIGIT || k == KATAKANA || k == ASIAN || k == SINGLE || k == JOINER;
}

bool cql__next_word(corm_str text, size_t *at, corm_str *word) {
    while (*at < text.len) {
        unit   first = read_unit(text, *at);
        size_t end = first.end;
        bool   good = begins_word(first.kind) && read_word(text, first, &end);
        *at = end;
        *word = (corm_str){ text.data + first.start, end - first.start };
        if (good && word->len <= CQL_LONGEST_WORD) return true;
    }
    return false;
}

static bool is_at(corm_str text, size_t at, corm_str what) {
    return text.len - at >= what.len && memcmp(text.data + at, what.data, what.len) == 0;
}

bool cql__next_part(corm_str text, corm_str delimiter, size_t *at, corm_str *part) {
    while (*at < text.len) {
        size_t begin = *at, end = begin;
        while (end < text.len && !is_at(text, end, delimiter)) end++;
        *part = (corm_str){ text.data + begin, end - begin };
        *at = end + delimiter.len;
        if (part->len > 0) return true;
    }
    return false;
}
