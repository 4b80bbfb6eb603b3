// SPDX-License-Identifier: MIT
/* json.c -- reads JSON text (RFC 8259), strictly, as the server's parser does. Pure; any thread. */
#include "cql/json.h"

#include "base/text.h"
#include "cql/numbers.h"
#include "cql/types_internal.h"

typedef struct scanner {
    corm_str text;
    size_t   at;
    int      depth;
} scanner;

static bool scan_value(scanner *s);

static char peek(const scanner *s) {
    return s->at < s->text.len ? s->text.data[s->at] : '\0';
}

static bool accept(scanner *s, char c) {
    if (s->at == s->text.len || s->text.data[s->at] != c) return false;
    s->at++;
    return true;
}

static void skip_blank(scanner *s) {
    while (peek(s) != '\0' && strchr(" \t\r\n", peek(s))) s->at++;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(scanner *s) {
    char c = peek(s);
    if (c == '\0' || !strchr("\"\\/bfnrtu", c)) return false;
    s->at++;
    for (int i = 0; c == 'u' && i < 4; i++) {
        if (!is_hex(peek(s))) return false;
        s->at++;
    }
    return true;
}

static bool scan_string(scanner *s) {
    if (!accept(s, '"')) return false;
    while (s->at < s->text.len && (uint8_t)peek(s) >= 0x20) {
        if (accept(s, '"')) return true;
        if (!accept(s, '\\')) {
            s->at++;
        } else if (!scan_escape(s)) {
            return false;
        }
    }
    return false;
}

static bool scan_digits(scanner *s) {
    size_t start = s->at;
    while (is_digit(peek(s))) s->at++;
    return s->at > start;
}

static bool scan_number(scanner *s) {
    accept(s, '-');
    if (!accept(s, '0') && !scan_digits(s)) return false;
    if (is_digit(peek(s))) return false;
    if (accept(s, '.') && !scan_digits(s)) return false;
    if (!accept(s, 'e') && !accept(s, 'E')) return true;
    if (!accept(s, '+')) accept(s, '-');
    return scan_digits(s);
}

static bool scan_word(scanner *s) {
    static const char *const words[] = { "null", "true", "false" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        corm_str rest = { s->text.data + s->at, s->text.len - s->at };
        if (!base__str_has_prefix(rest, corm_str_of(words[i]))) continue;
        s->at += strlen(words[i]);
        return true;
    }
    return false;
}

static bool scan_member(scanner *s) {
    skip_blank(s);
    if (!scan_string(s)) return false;
    skip_blank(s);
    return accept(s, ':') && scan_value(s);
}

/* Behind the opening bracket. */
static bool scan_items(scanner *s, char close, bool (*scan_item)(scanner *)) {
    skip_blank(s);
    if (accept(s, close)) return true;
    do {
        if (!scan_item(s)) return false;
        skip_blank(s);
    } while (accept(s, ','));
    return accept(s, close);
}

static bool scan_nested(scanner *s) {
    if (s->depth == CQL_DEPTH_LIMIT) return false;
    s->depth++;
    bool ok = accept(s, '{') ? scan_items(s, '}', scan_member)
                             : accept(s, '[') && scan_items(s, ']', scan_value);
    s->depth--;
    return ok;
}

static bool scan_value(scanner *s) {
    skip_blank(s);
    switch (peek(s)) {
    case '{':
    case '[': return scan_nested(s);
    case '"': return scan_string(s);
    case 'n':
    case 't':
    case 'f': return scan_word(s);
    default: return scan_number(s);
    }
}

bool cql__json_check(corm_str text, size_t *at) {
    scanner s = { text, 0, 0 };
    bool    ok = scan_value(&s);
    skip_blank(&s);
    *at = s.at;
    return ok && s.at == text.len && base__utf8_valid(text.data, text.len);
}

corm_str cql__json_trim(corm_str text) {
    return base__str_trim(text);
}

static cql_json_kind number_kind(corm_str number) {
    int64_t v;
    for (size_t i = 0; i < number.len; i++) {
        char c = number.data[i];
        if (c == '.' || c == 'e' || c == 'E') return CQL_JSON_DOUBLE;
    }
    if (!base__parse_i64(number, &v)) return CQL_JSON_BIG;
    return v == (int32_t)v ? CQL_JSON_INTEGER : CQL_JSON_LONG;
}

cql_json_kind cql__json_kind(corm_str value) {
    switch (value.data[0]) {
    case 'n': return CQL_JSON_NULL;
    case 't':
    case 'f': return CQL_JSON_BOOLEAN;
    case '"': return CQL_JSON_STRING;
    case '[': return CQL_JSON_ARRAY;
    case '{': return CQL_JSON_OBJECT;
    default: return number_kind(value);
    }
}

const char *cql__json_class(cql_json_kind kind, bool full) {
    static const char *const names[] = {
        [CQL_JSON_NULL] = "java.lang.Object",          [CQL_JSON_BOOLEAN] = "java.lang.Boolean",
        [CQL_JSON_INTEGER] = "java.lang.Integer",      [CQL_JSON_LONG] = "java.lang.Long",
        [CQL_JSON_BIG] = "java.math.BigInteger",       [CQL_JSON_DOUBLE] = "java.lang.Double",
        [CQL_JSON_STRING] = "java.lang.String",        [CQL_JSON_ARRAY] = "java.util.ArrayList",
        [CQL_JSON_OBJECT] = "java.util.LinkedHashMap",
    };
    return full ? names[kind] : strrchr(names[kind], '.') + 1;
}

static uint32_t hex4(const char *p) {
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        v = v << 4 | (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return v;
}

static void put_utf8(uint32_t c, base_buf *out) {
    if (c < 0x80) {
        base__buf_u8(out, (uint8_t)c);
        return;
    }
    unsigned extra = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    base__buf_u8(out, (uint8_t)(0xffu << (7 - extra) | c >> (6 * extra)));
    while (extra-- > 0) base__buf_u8(out, (uint8_t)(0x80 | (c >> (6 * extra) & 0x3f)));
}

static bool is_escape_of(corm_str text, size_t at, uint32_t first, uint32_t last) {
    if (at + 6 > text.len || text.data[at] != '\\' || text.data[at + 1] != 'u') return false;
    uint32_t unit = hex4(text.data + at + 2);
    return unit >= first && unit <= last;
}

/* The \u escape at `at`, with the second one of a pair; gives the bytes that were read. */
static size_t put_unicode(corm_str text, size_t at, base_buf *out) {
    uint32_t unit = hex4(text.data + at + 2);
    if (unit >= 0xd800 && unit <= 0xdbff && is_escape_of(text, at + 6, 0xdc00, 0xdfff)) {
        uint32_t low = hex4(text.data + at + 8);
        put_utf8(0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00)), out);
        return 12;
    }
    put_utf8(unit >= 0xd800 && unit <= 0xdfff ? '?' : unit, out);
    return 6;
}

void cql__json_unescape(corm_str string, base_buf *out) {
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    corm_str          text = { string.data + 1, string.len - 2 };
    for (size_t i = 0; i < text.len;) {
        if (text.data[i] != '\\') {
            base__buf_u8(out, (uint8_t)text.data[i++]);
        } else if (text.data[i + 1] == 'u') {
            i += put_unicode(text, i, out);
        } else {
            base__buf_u8(out, (uint8_t)meanings[strchr(letters, text.data[i + 1]) - letters]);
            i += 2;
        }
    }
}

/* The value that begins at *at. */
static corm_str take_value(corm_str text, size_t *at) {
    scanner s = { text, *at, 0 };
    skip_blank(&s);
    size_t start = s.at;
    scan_value(&s);
    *at = s.at;
    return (corm_str){ text.data + start, s.at - start };
}

/* To the next item: over the opening bracket or a comma. False at the closing bracket. */
static bool step(corm_str text, size_t *at) {
    scanner s = { text, *at, 0 };
    bool    first = s.at == 0;
    s.at += first;
    skip_blank(&s);
    if (peek(&s) == ']' || peek(&s) == '}') return false;
    if (!first) s.at++;
    skip_blank(&s);
    *at = s.at;
    return true;
}

bool cql__json_next(corm_str array, size_t *at, corm_str *value) {
    if (!step(array, at)) return false;
    *value = take_value(array, at);
    return true;
}

bool cql__json_next_member(corm_str object, size_t *at, corm_str *key, corm_str *value) {
    if (!step(object, at)) return false;
    *key = take_value(object, at);
    scanner s = { object, *at, 0 };
    skip_blank(&s);
    *at = s.at + 1;
    *value = take_value(object, at);
    return true;
}

static void put_array(corm_str value, base_buf *out) {
    corm_str item;
    size_t   at = 0;
    base__buf_u8(out, '[');
    for (bool first = true; cql__json_next(value, &at, &item); first = false) {
        if (!first) base__buf_puts(out, ", ");
        cql__json_put_java(item, out);
    }
    base__buf_u8(out, ']');
}

static void put_object(corm_str value, base_buf *out) {
    corm_str key, item;
    size_t   at = 0;
    base__buf_u8(out, '{');
    for (bool first = true; cql__json_next_member(value, &at, &key, &item); first = false) {
        if (!first) base__buf_puts(out, ", ");
        cql__json_unescape(key, out);
        base__buf_u8(out, '=');
        cql__json_put_java(item, out);
    }
    base__buf_u8(out, '}');
}

void cql__json_put_java(corm_str value, base_buf *out) {
    double v = 0;
    switch (cql__json_kind(value)) {
    case CQL_JSON_STRING: cql__json_unescape(value, out); return;
    case CQL_JSON_ARRAY: put_array(value, out); return;
    case CQL_JSON_OBJECT: put_object(value, out); return;
    case CQL_JSON_DOUBLE:
        base__parse_f64(value, &v);
        base__put_double(out, v);
        return;
    case CQL_JSON_INTEGER:
        base__buf_put_str(out, corm_str_equal(value, corm_str_of("-0")) ? corm_str_of("0") : value);
        return;
    default: base__buf_put_str(out, value); return;
    }
}
