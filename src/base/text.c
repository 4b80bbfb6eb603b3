// SPDX-License-Identifier: MIT
/* text.c -- UTF-8, comparison, and the encodings of text that every layer writes. Pure. */
#include "base/text.h"

/* The length of the well-formed UTF-8 character at p (RFC 3629), or 0. */
static size_t character_length(const uint8_t *p, size_t len) {
    uint8_t lead = p[0];
    if (lead < 0x80) return 1;
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || want > len) return 0;
    for (size_t i = 1; i < want; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
    }
    /* Overlong forms, surrogates, and what is beyond U+10FFFF show in the second byte. */
    if ((lead == 0xe0 && p[1] < 0xa0) || (lead == 0xed && p[1] > 0x9f)) return 0;
    if ((lead == 0xf0 && p[1] < 0x90) || (lead == 0xf4 && p[1] > 0x8f)) return 0;
    return want;
}

static bool eight_ascii(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool base__utf8_valid(const void *data, size_t len) {
    const uint8_t *p = data;
    while (len > 0) {
        size_t n = len >= 8 && eight_ascii(p) ? 8 : character_length(p, len);
        if (n == 0) return false;
        p += n;
        len -= n;
    }
    return true;
}

size_t base__utf8_length(corm_str text) {
    const uint8_t *p = (const uint8_t *)text.data;
    size_t         count = 0;
    for (size_t left = text.len; left > 0; count++) {
        size_t n = character_length(p, left);
        if (n == 0) n = 1;
        p += n;
        left -= n;
    }
    return count;
}

int base__bytes_compare(corm_bytes a, corm_bytes b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int    order = len ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

int base__str_compare(corm_str a, corm_str b) {
    return base__bytes_compare((corm_bytes){ (const uint8_t *)a.data, a.len },
                               (corm_bytes){ (const uint8_t *)b.data, b.len });
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool base__str_equal_nocase(corm_str a, corm_str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    }
    return true;
}

bool base__str_has_prefix(corm_str text, corm_str prefix) {
    return text.len >= prefix.len && corm_str_equal((corm_str){ text.data, prefix.len }, prefix);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

corm_str base__str_trim(corm_str text) {
    while (text.len > 0 && is_space(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.data[text.len - 1])) text.len--;
    return text;
}

static char short_escape(uint8_t c) {
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\t': return 't';
    case '\n': return 'n';
    case '\f': return 'f';
    case '\r': return 'r';
    default: return 0;
    }
}

static void put_json_escape(base_buf *buf, uint8_t c) {
    char letter = short_escape(c);
    if (letter) {
        base__buf_put(buf, (char[]){ '\\', letter }, 2);
    } else {
        base__buf_printf(buf, "\\u%04X", c);
    }
}

/* Bytes that are not UTF-8 become U+FFFD, because JSON text must be UTF-8. */
void base__put_json_string(base_buf *buf, corm_str text) {
    const uint8_t *p = (const uint8_t *)text.data;
    size_t         left = text.len;
    size_t         run = 0; /* bytes before p that go out as they are */
    base__buf_u8(buf, '"');
    while (left > 0) {
        size_t n = character_length(p, left);
        bool   plain = n > 0 && *p >= 0x20 && *p != '"' && *p != '\\';
        if (plain) {
            run += n;
        } else {
            if (run > 0) base__buf_put(buf, p - run, run);
            run = 0;
            if (n > 0) {
                put_json_escape(buf, *p);
            } else {
                base__buf_puts(buf, "\xef\xbf\xbd");
                n = 1;
            }
        }
        p += n;
        left -= n;
    }
    if (run > 0) base__buf_put(buf, p - run, run);
    base__buf_u8(buf, '"');
}

void base__put_hex(base_buf *buf, corm_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    if (bytes.len > SIZE_MAX / 2) {
        buf->failed = true;
        return;
    }
    uint8_t *out = base__buf_grow(buf, 2 * bytes.len);
    if (!out) return;
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = (uint8_t)digits[bytes.data[i] >> 4];
        out[2 * i + 1] = (uint8_t)digits[bytes.data[i] & 15];
    }
}

int base__hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool base__read_hex(corm_str digits, base_buf *out) {
    if (digits.len % 2 != 0) return false;
    size_t before = out->len;
    for (size_t i = 0; i < digits.len; i += 2) {
        int high = base__hex_digit(digits.data[i]);
        int low = base__hex_digit(digits.data[i + 1]);
        if (high < 0 || low < 0) {
            out->len = before;
            return false;
        }
        base__buf_u8(out, (uint8_t)(high << 4 | low));
    }
    return true;
}
