// SPDX-License-Identifier: MIT
/* guard.c -- guard rails: their names, defaults and values as text. See guard.h. Pure; any thread. */
#include "cql/guard.h"

#include "base/fail.h"
#include "base/text.h"

#define GUARD_ROW(name, text, unit, value, what) { text, CQL_GUARD_##unit, value },
static const struct guard_row {
    const char    *text;
    cql_guard_unit unit;
    int64_t        value;
} guard_rows[] = { CQL_GUARD_MAP(GUARD_ROW) };
#undef GUARD_ROW

void cql__guard_init(cql_guard *out) {
    for (int i = 0; i < CQL_GUARD_NAMES; i++) out->values[i] = guard_rows[i].value;
}

const char *cql__guard_text(cql_guard_name name) {
    return guard_rows[name].text;
}

cql_guard_unit cql__guard_unit_of(cql_guard_name name) {
    return guard_rows[name].unit;
}

/* ---- reading ---- */

typedef struct guard_suffix {
    const char *text;
    int64_t     factor;
} guard_suffix;

static bool read_suffixed(corm_str text, const guard_suffix *suffixes, size_t count, int64_t *out) {
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') digits++;
    corm_str suffix = { text.data + digits, text.len - digits };
    if (!base__parse_i64((corm_str){ text.data, digits }, out)) return false;
    for (size_t i = 0; i < count; i++) {
        if (!corm_str_equal(suffix, corm_str_of(suffixes[i].text))) continue;
        if (*out > INT64_MAX / suffixes[i].factor) return false;
        *out *= suffixes[i].factor;
        return true;
    }
    return false;
}

static bool read_flag(corm_str text, int64_t *out) {
    *out = base__str_equal_nocase(text, corm_str_of("true"));
    return *out == 1 || base__str_equal_nocase(text, corm_str_of("false"));
}

static bool read_value(corm_str text, cql_guard_unit unit, int64_t *out) {
    static const guard_suffix bytes[] = {
        { "B", 1 }, { "KiB", 1024 }, { "MiB", 1024 * 1024 }, { "GiB", 1024 * 1024 * 1024 }
    };
    static const guard_suffix seconds[] = {
        { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }
    };
    if (unit == CQL_GUARD_FLAG) return read_flag(text, out);
    if (unit == CQL_GUARD_LEVELS || unit == CQL_GUARD_PROPERTIES)
        return cql__guard_read_set(text, unit, out);
    if (corm_str_equal(text, corm_str_of("-1"))) {
        *out = -1;
        return true;
    }
    switch (unit) {
    case CQL_GUARD_BYTES: return read_suffixed(text, bytes, sizeof bytes / sizeof *bytes, out);
    case CQL_GUARD_SECONDS:
        return read_suffixed(text, seconds, sizeof seconds / sizeof *seconds, out);
    case CQL_GUARD_COUNT:
    case CQL_GUARD_FLAG:
    case CQL_GUARD_LEVELS:
    case CQL_GUARD_PROPERTIES: break;
    }
    return base__parse_i64(text, out) && *out >= 0;
}

static corm_str trimmed(corm_str text) {
    while (text.len > 0 && strchr(" \t\r", text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && strchr(" \t\r", text.data[text.len - 1])) text.len--;
    return text;
}

static corm_status set_one(cql_guard *guard, corm_str item, corm_error *err) {
    static const char *const forms[] = { "a number, or -1",
                                         "a size such as 5KiB, or -1",
                                         "a time such as 1h, or -1",
                                         "true or false",
                                         "consistency levels such as [QUORUM, ALL]",
                                         "options of tables such as [caching, comment]" };
    size_t                   at = 0;
    while (at < item.len && item.data[at] != '=' && item.data[at] != ':') at++;
    corm_str name = trimmed((corm_str){ item.data, at });
    corm_str value = { item.data + at, 0 };
    if (at < item.len) value = trimmed((corm_str){ item.data + at + 1, item.len - at - 1 });
    for (int i = 0; i < CQL_GUARD_NAMES; i++) {
        if (!corm_str_equal(name, corm_str_of(guard_rows[i].text))) continue;
        if (read_value(value, guard_rows[i].unit, &guard->values[i])) return CORM_OK;
        return base__fail(err, CORM_INVALID_ARGUMENT, "the guard rail %s takes %s, not '%.*s'",
                          guard_rows[i].text, forms[guard_rows[i].unit], (int)value.len,
                          value.data);
    }
    return base__fail(err, CORM_INVALID_ARGUMENT, "there is no guard rail '%.*s'", (int)name.len,
                      name.data);
}

/* Up to the next comma or the line's end; a comma in brackets divides nothing. */
static size_t item_length(corm_str text) {
    size_t len = 0;
    bool   inside = false;
    for (; len < text.len && text.data[len] != '\n'; len++) {
        if (text.data[len] == '[') inside = true;
        if (text.data[len] == ']') inside = false;
        if (text.data[len] == ',' && !inside) break;
    }
    return len;
}

corm_status cql__guard_read(cql_guard *guard, corm_str text, corm_error *err) {
    cql_guard changed = *guard;
    while (text.len > 0) {
        size_t   len = item_length(text);
        corm_str item = trimmed((corm_str){ text.data, len });
        if (item.len > 0 && item.data[0] != '#') CORM_TRY(set_one(&changed, item, err));
        len += len < text.len;
        text = (corm_str){ text.data + len, text.len - len };
    }
    *guard = changed;
    return CORM_OK;
}
