// SPDX-License-Identifier: MIT
/* text_fold.c -- folding of text for the analyzers of indexes. Pure; any thread.
 *
 * ASCII text, the common case, is done byte by byte. What becomes ASCII is what Lucene's folding filter makes of it: in the blocks
 * where compatibility decomposition without marks says so, and the characters of fold_table.h. */
#include "cql/text_fold.h"

#include <stdlib.h>
#include <utf8proc.h>

typedef struct fold {
    uint16_t    from;
    const char *to;
} fold;

typedef struct upper {
    uint16_t from;
    uint16_t to[3];
} upper;

#include "cql/fold_table.h"

enum { FINAL_SIGMA = 0x03C2, BIG_SIGMA = 0x03A3, BIG_I_WITH_DOT = 0x0130, DOT_ABOVE = 0x0307 };

static bool is_ascii(corm_str text) {
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] >= 0x80) return false;
    return true;
}

/* The character at `at` and its length; a byte that begins none is -1. */
static int32_t character(corm_str text, size_t at, size_t *len) {
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                             (utf8proc_ssize_t)(text.len - at), &c);
    *len = used > 0 ? (size_t)used : 1;
    return used > 0 ? c : -1;
}

static void put(base_buf *out, int32_t c) {
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t len = utf8proc_encode_char(c, bytes);
    base__buf_put(out, bytes, (size_t)len);
}

/* ---- case ---- */

static bool is_cased(int32_t c) {
    utf8proc_category_t category = utf8proc_category(c);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT;
}

/* A sign that holds letters together when it stands alone between them, as Java's rules for lower case see words. */
static bool is_sign(int32_t c) {
    utf8proc_category_t category = utf8proc_category(c);
    return c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x2019 ||
           category == UTF8PROC_CATEGORY_PC || category == UTF8PROC_CATEGORY_PD;
}

/* Letters but ideographs, digits, marks. */
static bool is_inside_word(int32_t c) {
    utf8proc_category_t category = utf8proc_category(c);
    bool                is_ideograph = c >= 0x3040 && c <= 0x9FFF;
    return !is_ideograph &&
           ((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) ||
            category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_SK);
}

static bool stays_inside(int32_t c, bool *was_sign) {
    bool sign = is_sign(c), inside = sign ? !*was_sign : is_inside_word(c);
    *was_sign = sign;
    return inside;
}

/* Whether the word has a letter with case before the place, or behind it. */
static bool cased_before(corm_str text, size_t at) {
    bool was_sign = false;
    while (at > 0) {
        size_t len;
        do at--;
        while (at > 0 && ((unsigned char)text.data[at] & 0xC0) == 0x80);
        int32_t c = character(text, at, &len);
        if (c < 0) return false;
        if (is_cased(c)) return true;
        if (!stays_inside(c, &was_sign)) return false;
    }
    return false;
}

static bool cased_after(corm_str text, size_t at) {
    bool was_sign = false;
    while (at < text.len) {
        size_t  len;
        int32_t c = character(text, at, &len);
        if (c < 0) return false;
        if (is_cased(c)) return true;
        if (!stays_inside(c, &was_sign)) return false;
        at += len;
    }
    return false;
}

static void put_lower(corm_str text, size_t at, int32_t c, size_t len, base_buf *out) {
    if (c == BIG_SIGMA && cased_before(text, at) && !cased_after(text, at + len)) {
        put(out, FINAL_SIGMA);
        return;
    }
    put(out, c == BIG_I_WITH_DOT ? 'i' : utf8proc_tolower(c));
    if (c == BIG_I_WITH_DOT) put(out, DOT_ABOVE);
}

static int compare_upper(const void *key, const void *item) {
    int32_t c = *(const int32_t *)key, from = ((const upper *)item)->from;
    return (c > from) - (c < from);
}

static void put_upper(int32_t c, base_buf *out) {
    const upper *found =
        bsearch(&c, uppers, sizeof uppers / sizeof *uppers, sizeof *uppers, compare_upper);
    if (!found) put(out, utf8proc_toupper(c));
    for (int i = 0; found && i < 3 && found->to[i]; i++) put(out, found->to[i]);
}

static void fold_case(bool to_upper, corm_str text, base_buf *out) {
    for (size_t at = 0, len; at < text.len; at += len) {
        int32_t c = character(text, at, &len);
        if (c < 0)
            base__buf_put(out, text.data + at, 1);
        else if (to_upper)
            put_upper(c, out);
        else
            put_lower(text, at, c, len, out);
    }
}

static void fold_ascii_case(bool to_upper, corm_str text, base_buf *out) {
    char *to = (char *)base__buf_grow(out, text.len);
    for (size_t i = 0; to && i < text.len; i++) {
        char c = text.data[i];
        if (to_upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z') c = (char)(c ^ 0x20);
        to[i] = c;
    }
}

/* ---- the other steps ---- */

/* In memory of our own: decomposed and composed in place. */
static void normalize(corm_str text, base_buf *out) {
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    const utf8proc_uint8_t *from = (const utf8proc_uint8_t *)text.data;
    utf8proc_ssize_t        len = (utf8proc_ssize_t)text.len;
    utf8proc_ssize_t        count = utf8proc_decompose(from, len, NULL, 0, how);
    utf8proc_int32_t       *room = NULL;
    if (count >= 0) room = calloc((size_t)count + 1, sizeof *room);
    if (count >= 0 && !room) out->failed = true;
    if (room) count = utf8proc_decompose(from, len, room, count, how);
    if (room && count >= 0) count = utf8proc_reencode(room, count, how);
    if (room && count >= 0)
        base__buf_put(out, room, (size_t)count);
    else
        base__buf_put_str(out, text);
    free(room);
}

static int compare_fold(const void *key, const void *item) {
    int32_t c = *(const int32_t *)key, from = ((const fold *)item)->from;
    return (c > from) - (c < from);
}

static bool decomposes(int32_t c) {
    for (size_t i = 0; i < sizeof decomposing / sizeof *decomposing; i++)
        if (c >= decomposing[i][0] && c <= decomposing[i][1]) return true;
    return false;
}

/* Whether compatibility decomposition without marks is ASCII alone, which is then appended. */
static bool put_decomposed(int32_t c, base_buf *out) {
    enum { ROOM = 18 };
    utf8proc_int32_t parts[ROOM];
    int              boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(
        c, parts, ROOM, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK, &boundary);
    if (count <= 0 || count > ROOM) return false;
    for (utf8proc_ssize_t i = 0; i < count; i++)
        if (parts[i] >= 0x80) return false;
    for (utf8proc_ssize_t i = 0; i < count; i++) base__buf_u8(out, (uint8_t)parts[i]);
    return true;
}

static void to_ascii(corm_str text, base_buf *out) {
    for (size_t at = 0, len; at < text.len; at += len) {
        int32_t     c = character(text, at, &len);
        const fold *found =
            bsearch(&c, folds, sizeof folds / sizeof *folds, sizeof *folds, compare_fold);
        if (found)
            base__buf_puts(out, found->to);
        else if (c < 0x80 || !decomposes(c) || !put_decomposed(c, out))
            base__buf_put(out, text.data + at, len);
    }
}

/* ---- all of them ---- */

static void step(unsigned how, corm_str text, base_buf *out) {
    switch (how) {
    case CQL_FOLD_NFC: normalize(text, out); return;
    case CQL_FOLD_ASCII: to_ascii(text, out); return;
    default: fold_case(how == CQL_FOLD_UPPER, text, out); return;
    }
}

void cql__fold_text(unsigned how, corm_str text, base_buf *out) {
    bool is_case = how & (CQL_FOLD_LOWER | CQL_FOLD_UPPER);
    if (text.len == 0) return;
    if (is_ascii(text)) {
        if (is_case)
            fold_ascii_case(how & CQL_FOLD_UPPER, text, out);
        else
            base__buf_put_str(out, text);
        return;
    }
    base_buf a = { 0 }, b = { 0 };
    base__buf_put_str(&a, text);
    for (unsigned bit = CQL_FOLD_LOWER; bit <= CQL_FOLD_ASCII; bit *= 2) {
        if (!(how & bit)) continue;
        base__buf_clear(&b);
        step(bit, base__buf_str(&a), &b);
        base_buf done = a;
        a = b;
        b = done;
        a.failed = a.failed || b.failed;
    }
    if (a.failed)
        out->failed = true;
    else
        base__buf_put(out, a.data, a.len);
    base__buf_free(&a);
    base__buf_free(&b);
}
