// SPDX-License-Identifier: MIT
/* text.c -- values as text: for the shell, as literals, for CAST, for golden files. Pure; any
 * thread. */
#include "base/text.h"

#include "cql/codec.h"
#include "cql/inet_text.h"
#include "cql/numbers.h"
#include "cql/timetext.h"
#include "cql/types_internal.h"
#include "cql/vint.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

/* How and where a value is printed. */
typedef struct printer {
    cql_text_style style;
    bool           nested; /* inside a collection, tuple or user-defined type */
    base_buf      *out;
} printer;

static void put_any(printer p, const cql_type *type, cql_value value);

static corm_bytes bytes_of(cql_value value) {
    return (corm_bytes){ value.data, (size_t)value.len };
}

static corm_str str_of(cql_value value) {
    return (corm_str){ (const char *)value.data, (size_t)value.len };
}

static void put_blob(cql_value value, base_buf *out) {
    base__buf_puts(out, "0x");
    base__put_hex(out, bytes_of(value));
}

/* A literal, or bare where the shell and CAST want it so. */
static bool is_quoted(printer p) {
    return p.nested || p.style == CQL_STYLE_LITERAL || p.style == CQL_STYLE_GOLDEN;
}

static void put_quote(printer p) {
    if (is_quoted(p)) base__buf_u8(p.out, '\'');
}

static bool is_control(const uint8_t *p, size_t left) {
    if (*p < 0x20 || *p == 0x7f) return true;
    return left > 1 && p[0] == 0xc2 && p[1] <= 0xa0;
}

/* As Python's repr: \n, \x01; U+0080 to U+00A0, which take two bytes, too. */
static size_t put_control(const uint8_t *p, base_buf *out) {
    switch (*p) {
    case '\n': base__buf_puts(out, "\\n"); return 1;
    case '\r': base__buf_puts(out, "\\r"); return 1;
    case '\t': base__buf_puts(out, "\\t"); return 1;
    default: break;
    }
    size_t len = *p == 0xc2 ? 2 : 1;
    base__buf_printf(out, "\\x%02x", p[len - 1]);
    return len;
}

static void put_shell_text(corm_str text, bool quoted, base_buf *out) {
    const uint8_t *p = (const uint8_t *)text.data;
    for (size_t i = 0; i < text.len;) {
        if (is_control(p + i, text.len - i)) {
            i += put_control(p + i, out);
            continue;
        }
        if (p[i] == '\\' || (quoted && p[i] == '\'')) base__buf_u8(out, p[i]);
        base__buf_u8(out, p[i++]);
    }
}

static void put_doubling_quotes(corm_str text, base_buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'') base__buf_u8(out, '\'');
        base__buf_u8(out, (uint8_t)text.data[i]);
    }
}

static bool is_golden_text(cql_value value) {
    for (int32_t i = 0; i < value.len; i++) {
        if (value.data[i] < 0x20 || value.data[i] == 0x7f) return false;
    }
    return base__utf8_valid(value.data, (size_t)value.len);
}

static void put_text(printer p, const cql_type *type, cql_value value) {
    if (p.style == CQL_STYLE_GOLDEN && !is_golden_text(value)) {
        base__buf_puts(p.out, type->id == CQL_ASCII ? "blob_as_ascii(" : "blob_as_text(");
        put_blob(value, p.out);
        base__buf_u8(p.out, ')');
        return;
    }
    put_quote(p);
    if (p.style == CQL_STYLE_SHELL) {
        put_shell_text(str_of(value), is_quoted(p), p.out);
    } else if (is_quoted(p)) {
        put_doubling_quotes(str_of(value), p.out);
    } else {
        base__buf_put_str(p.out, str_of(value));
    }
    put_quote(p);
}

/* printf writes the locale's decimal point. */
static void put_with_point(const char *text, base_buf *out) {
    for (const char *p = text; *p; p++) {
        bool number = (*p >= '0' && *p <= '9') || strchr("+-e", *p);
        if (number)
            base__buf_u8(out, (uint8_t)*p);
        else if (p > text && p[-1] >= '0' && p[-1] <= '9')
            base__buf_u8(out, '.');
    }
}

/* Five digits, and where there is no exponent five behind those before the point. */
static void put_shell_float(double v, base_buf *out) {
    enum { DIGITS = 5 };
    char text[64];
    if (v - v != 0) {
        base__put_double(out, v);
        return;
    }
    int precision = DIGITS;
    if (fabs(v) > DBL_EPSILON) {
        int exponent = (int)log10(fabs(v));
        if (exponent >= -4 && exponent < DIGITS) precision += exponent + 1;
    }
    snprintf(text, sizeof text, "%.*g", precision, v);
    put_with_point(text, out);
}

/* Java writes two digits at least, golden files one where it is enough: 5.0E-324 instead of
 * 4.9E-324. */
static void put_golden_double(double v, bool single, base_buf *out) {
    char   digit[16];
    double back = 0;
    float  narrow = 0;
    snprintf(digit, sizeof digit, "%.0e", v);
    corm_str text = corm_str_of(digit);
    char    *mark = strchr(digit, 'e');
    bool     same = mark && (single ? base__parse_f32(text, &narrow) && (double)narrow == v
                                    : base__parse_f64(text, &back) && back == v);
    if (same && v != 0 && fabs(v) < 1e-30) {
        *mark = '\0';
        base__buf_printf(out, "%s.0E%s", digit, mark + 1);
    } else if (single) {
        base__put_float(out, (float)v);
    } else {
        base__put_double(out, v);
    }
}

static void put_double(printer p, cql_value value) {
    uint64_t bits = base__load_u64(value.data);
    double   v;
    memcpy(&v, &bits, sizeof v);
    if (p.style == CQL_STYLE_SHELL) {
        put_shell_float(v, p.out);
    } else if (p.style == CQL_STYLE_GOLDEN) {
        put_golden_double(v, false, p.out);
    } else {
        base__put_double(p.out, v);
    }
}

static void put_float(printer p, cql_value value) {
    uint32_t bits = base__load_u32(value.data);
    float    v;
    memcpy(&v, &bits, sizeof v);
    if (p.style == CQL_STYLE_SHELL) {
        put_shell_float((double)v, p.out);
    } else if (p.style == CQL_STYLE_GOLDEN) {
        put_golden_double((double)v, true, p.out);
    } else {
        base__put_float(p.out, v);
    }
}

static void put_boolean(printer p, cql_value value) {
    bool yes = value.data[0] != 0;
    if (p.style == CQL_STYLE_SHELL)
        base__buf_puts(p.out, yes ? "True" : "False");
    else
        base__buf_puts(p.out, yes ? "true" : "false");
}

static void put_timestamp(printer p, cql_value value) {
    int64_t ms = (int64_t)base__load_u64(value.data);
    bool    literal = p.style == CQL_STYLE_LITERAL || p.style == CQL_STYLE_GOLDEN;
    if (literal && !cql__timestamp_is_common(ms)) {
        base__buf_printf(p.out, "%lld", (long long)ms);
        return;
    }
    put_quote(p);
    if (p.style == CQL_STYLE_SHELL)
        cql__put_shell_timestamp(ms, p.out);
    else
        cql__put_timestamp(ms, 'T', "Z", p.out);
    put_quote(p);
}

/* The shell prints dates and times without quotes even inside collections. */
static void put_date(printer p, cql_value value) {
    uint32_t wire = base__load_u32(value.data);
    bool     common = p.style == CQL_STYLE_CAST || cql__date_is_common(wire);
    bool     quoted = is_quoted(p) && p.style != CQL_STYLE_SHELL && common;
    if (quoted) base__buf_u8(p.out, '\'');
    if (common)
        cql__put_date(wire, p.out);
    else if (p.style == CQL_STYLE_SHELL)
        base__buf_printf(p.out, "%lld", (long long)wire - (INT64_C(1) << 31));
    else
        base__buf_printf(p.out, "%lu", (unsigned long)wire);
    if (quoted) base__buf_u8(p.out, '\'');
}

static void put_time(printer p, cql_value value) {
    int64_t ns = (int64_t)base__load_u64(value.data);
    bool    quoted = is_quoted(p) && p.style != CQL_STYLE_SHELL && ns >= 0 && ns < CQL_DAY_NS;
    if (quoted) base__buf_u8(p.out, '\'');
    cql__put_time(ns, p.out);
    if (quoted) base__buf_u8(p.out, '\'');
}

static void put_duration(printer p, cql_value value) {
    base_reader   reader = { .data = value.data, .len = (size_t)value.len };
    corm_duration duration;
    duration.months = (int32_t)cql__read_vint(&reader);
    duration.days = (int32_t)cql__read_vint(&reader);
    duration.ns = cql__read_vint(&reader);
    bool   literal = p.style == CQL_STYLE_LITERAL || p.style == CQL_STYLE_GOLDEN;
    size_t before = p.out->len;
    cql__put_duration(duration, p.out);
    if (literal && p.out->len == before) base__buf_puts(p.out, "0s");
}

static void put_uuid(cql_value value, base_buf *out) {
    corm_uuid uuid;
    char      text[37];
    memcpy(uuid.bytes, value.data, sizeof uuid.bytes);
    corm_uuid_format(uuid, text);
    base__buf_puts(out, text);
}

static void put_inet(printer p, cql_value value) {
    put_quote(p);
    if (p.style == CQL_STYLE_CAST)
        cql__put_inet_full(bytes_of(value), p.out);
    else
        cql__put_inet_short(bytes_of(value), p.out);
    put_quote(p);
}

static void put_integer(cql_value value, base_buf *out) {
    cql__varint_to_text(value, out);
}

/* A value of its type that is not empty. */
static void put_scalar(printer p, const cql_type *type, cql_value value) {
    switch (type->id) {
    case CQL_TEXT:
    case CQL_ASCII: put_text(p, type, value); return;
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_VARINT: put_integer(value, p.out); return;
    case CQL_UUID:
    case CQL_TIMEUUID: put_uuid(value, p.out); return;
    case CQL_TIMESTAMP: put_timestamp(p, value); return;
    case CQL_DATE: put_date(p, value); return;
    case CQL_TIME: put_time(p, value); return;
    case CQL_BOOLEAN: put_boolean(p, value); return;
    case CQL_DOUBLE: put_double(p, value); return;
    case CQL_FLOAT: put_float(p, value); return;
    case CQL_DECIMAL: cql__decimal_to_text(value, p.out); return;
    case CQL_INET: put_inet(p, value); return;
    case CQL_DURATION: put_duration(p, value); return;
    default: put_blob(value, p.out); return;
    }
}

static bool is_plain_name(corm_str name) {
    if (name.len == 0 || name.data[0] < 'a' || name.data[0] > 'z') return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
    }
    return true;
}

/* Golden files quote a field's name only where its characters need it, not where it is a
 * reserved word. */
static void put_field_name(printer p, corm_str name) {
    if (p.style == CQL_STYLE_SHELL)
        put_shell_text(name, false, p.out);
    else if (p.style == CQL_STYLE_GOLDEN && is_plain_name(name))
        base__buf_put_str(p.out, name);
    else
        cql__put_name(p.out, name);
}

static const char *brackets_of(cql_type_id id) {
    switch (id) {
    case CQL_LIST:
    case CQL_VECTOR: return "[]";
    case CQL_TUPLE: return "()";
    default: return "{}";
    }
}

/* What stands before the i-th item. */
static void put_lead(printer p, const cql_type *type, uint32_t i) {
    bool map_value = type->id == CQL_MAP && i % 2 == 1;
    if (map_value)
        base__buf_puts(p.out, ": ");
    else if (i > 0)
        base__buf_puts(p.out, ", ");
    if (type->id != CQL_UDT) return;
    put_field_name(p, type->field_names[i]);
    base__buf_puts(p.out, ": ");
}

/* False when the bytes are not of the type; then something may have been printed. */
static bool put_items(printer p, const cql_type *type, cql_value value) {
    cql_walk  walk;
    cql_value item;
    printer   inner = { p.style, true, p.out };
    if (cql__walk_begin(&walk, type, value, NULL) != CORM_OK) return false;
    const char *brackets = brackets_of(type->id);
    base__buf_u8(p.out, (uint8_t)brackets[0]);
    for (uint32_t i = 0; cql__walk_next(&walk, &item); i++) {
        put_lead(inner, type, i);
        put_any(inner, cql__item_type(type, i), item);
    }
    base__buf_u8(p.out, (uint8_t)brackets[1]);
    return !walk.reader.failed && walk.reader.len == 0;
}

static void put_empty(printer p, const cql_type *type) {
    bool bytes = type->id == CQL_TEXT || type->id == CQL_ASCII || type->id == CQL_BLOB;
    if (bytes) {
        put_scalar(p, type, (cql_value){ NULL, 0 });
    } else if (p.style == CQL_STYLE_GOLDEN) {
        base__buf_puts(p.out, "<empty>");
    } else if (p.style == CQL_STYLE_LITERAL) {
        base__buf_puts(p.out, "0x");
    } else if (p.style == CQL_STYLE_CAST) {
        base__buf_puts(p.out, "null");
    }
}

static void put_invalid(printer p, cql_value value) {
    bool golden = p.style == CQL_STYLE_GOLDEN;
    if (golden) base__buf_puts(p.out, "<invalid ");
    put_blob(value, p.out);
    if (golden) base__buf_u8(p.out, '>');
}

/* The server takes decimals without digits and durations with bytes behind them; golden files call both invalid. */
static bool is_loose(const cql_type *type, cql_value value) {
    if (type->id == CQL_DECIMAL) return value.len <= 4;
    if (type->id != CQL_DURATION) return false;
    base_reader reader = { value.data, (size_t)value.len, false };
    for (int i = 0; i < 3; i++) cql__read_vint(&reader);
    return reader.failed || reader.len > 0;
}

static bool put_value(printer p, const cql_type *type, cql_value value) {
    if (type->count > 0) return put_items(p, type, value);
    if (cql__validate(type, value, NULL) != CORM_OK) return false;
    if (p.style == CQL_STYLE_GOLDEN && is_loose(type, value)) return false;
    put_scalar(p, type, value);
    return true;
}

/* Bytes that are not of the type are printed as bytes. */
static void put_any(printer p, const cql_type *type, cql_value value) {
    size_t start = p.out->len;
    if (value.len < 0) {
        base__buf_puts(p.out, "null");
    } else if (value.len == 0) {
        put_empty(p, type);
    } else if (!put_value(p, type, value) && !p.out->failed) {
        p.out->len = start;
        put_invalid(p, value);
    }
}

void cql__to_text(const cql_type *type, cql_value value, cql_text_style style, base_buf *out) {
    put_any((printer){ style, false, out }, type, value);
}
