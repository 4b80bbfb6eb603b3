// SPDX-License-Identifier: MIT
/* options_retry.c -- speculative_retry and additional_write_policy: ALWAYS, NEVER, 99p, 50ms,
 * MIN(99p,50ms). They are checked and shown in one form; a store without other nodes has no use for
 * them. Pure; any thread. */
#include <math.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/options.h"
#include "cql/schema_build.h"

typedef enum policy {
    POLICY_NONE,
    POLICY_ALWAYS,
    POLICY_NEVER,
    POLICY_PERCENTILE,
    POLICY_FIXED,
    POLICY_HYBRID
} policy;

static corm_status refuse(const cql_option_context *c, corm_str text) {
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Invalid value %.*s for option 'speculative_retry'", CQL_S(text));
}

static corm_status show(const cql_option_context *c, corm_str text, corm_str *out) {
    *out = text;
    return text.data ? CORM_OK : base__fail_memory(c->err);
}

/* Digits and points, then the unit in any case. */
static bool has_unit(corm_str text, const char *unit, corm_str *number) {
    size_t len = strlen(unit);
    if (text.len <= len) return false;
    corm_str end = { text.data + text.len - len, len };
    *number = (corm_str){ text.data, text.len - len };
    if (!base__str_equal_nocase(end, corm_str_of(unit))) return false;
    for (size_t i = 0; i < number->len; i++) {
        char digit = number->data[i];
        if (digit != '.' && (digit < '0' || digit > '9')) return false;
    }
    return true;
}

static policy kind_of(corm_str text, corm_str *number) {
    if (base__str_equal_nocase(text, corm_str_of("always"))) return POLICY_ALWAYS;
    if (base__str_equal_nocase(text, corm_str_of("never"))) return POLICY_NEVER;
    if (base__str_equal_nocase(text, corm_str_of("none"))) return POLICY_NEVER;
    if (has_unit(text, "percentile", number) || has_unit(text, "p", number))
        return POLICY_PERCENTILE;
    if (has_unit(text, "ms", number)) return POLICY_FIXED;
    return POLICY_NONE;
}

/* At most four digits behind the point, ties to even, no zeros at the end. */
static corm_status show_percentile(const cql_option_context *c, double value, corm_str *out) {
    corm_str text = base__arena_printf(c->arena, "%.4f", value);
    if (!text.data) return base__fail_memory(c->err);
    while (text.len > 0 && text.data[text.len - 1] == '0') text.len--;
    if (text.len > 0 && text.data[text.len - 1] == '.') text.len--;
    return show(c, base__arena_printf(c->arena, "%.*sp", CQL_S(text)), out);
}

static corm_status read_percentile(const cql_option_context *c, corm_str text, corm_str number,
                                   corm_str *out) {
    double value;
    if (!cql__java_double(number, &value)) return refuse(c, text);
    if (value > 0 && value < 100) return show_percentile(c, value, out);
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Invalid value %.*s for PERCENTILE option 'speculative_retry': must be "
                      "between (0.0 and 100.0)",
                      CQL_S(text));
}

static corm_status read_fixed(const cql_option_context *c, corm_str text, corm_str number,
                              corm_str *out) {
    double value;
    if (!cql__java_double(number, &value)) return refuse(c, text);
    return show(c, base__arena_printf(c->arena, "%dms", (int)fmin(value, INT32_MAX)), out);
}

static corm_status read_simple(const cql_option_context *c, corm_str text, policy *kind,
                               corm_str *out) {
    corm_str number;
    *kind = kind_of(text, &number);
    switch (*kind) {
    case POLICY_ALWAYS: return show(c, corm_str_of("ALWAYS"), out);
    case POLICY_NEVER: return show(c, corm_str_of("NEVER"), out);
    case POLICY_PERCENTILE: return read_percentile(c, text, number, out);
    case POLICY_FIXED: return read_fixed(c, text, number, out);
    default: return refuse(c, text);
    }
}

static corm_str part(corm_str text, size_t from, size_t to) {
    return (corm_str){ text.data + from, to - from };
}

/* Cuts MIN(a, b) and MAX(a, b); blanks may stand around the comma, but not in front of `a`. */
static bool cut_hybrid(corm_str text, corm_str *name, corm_str *first, corm_str *second) {
    if (text.len < 6 || text.data[3] != '(' || text.data[text.len - 1] != ')') return false;
    *name = part(text, 0, 3);
    const char *comma = memchr(text.data, ',', text.len);
    if (!comma) return false;
    size_t at = (size_t)(comma - text.data);
    *first = part(text, 4, at);
    *second = base__str_trim(part(text, at + 1, text.len - 1));
    while (first->len > 0 && first->data[first->len - 1] == ' ') first->len--;
    return base__str_equal_nocase(*name, corm_str_of("min")) ||
           base__str_equal_nocase(*name, corm_str_of("max"));
}

static corm_status read_hybrid(const cql_option_context *c, corm_str text, corm_str *out) {
    static const char *const names[] = {
        "NONE", "ALWAYS", "NEVER", "PERCENTILE", "FIXED", "HYBRID"
    };
    cql_option_context quiet = { .arena = c->arena };
    corm_str           name;
    corm_str           parts[2];
    policy             kinds[2];
    if (!cut_hybrid(text, &name, &parts[0], &parts[1])) return refuse(c, text);
    for (int i = 0; i < 2; i++) {
        corm_status status = read_simple(&quiet, parts[i], &kinds[i], &parts[i]);
        if (status == CORM_NO_MEMORY) return base__fail_memory(c->err);
        if (status != CORM_OK || kinds[i] < POLICY_PERCENTILE) return refuse(c, text);
    }
    if (kinds[0] == kinds[1]) {
        return base__fail(
            c->err, CORM_CONFIG_ERROR,
            "Invalid value %.*s for option 'speculative_retry': MIN()/MAX() arguments should be of "
            "different types, but both are of type %s",
            CQL_S(text), names[kinds[0]]);
    }
    int percentile = kinds[0] == POLICY_PERCENTILE ? 0 : 1;
    name = cql__upper(c->arena, name);
    return show(c,
                name.data
                    ? base__arena_printf(c->arena, "%.*s(%.*s,%.*s)", CQL_S(name),
                                         CQL_S(parts[percentile]), CQL_S(parts[1 - percentile]))
                    : name,
                out);
}

corm_status cql__read_speculative_retry(const cql_option_context *c, corm_str in, corm_str *out) {
    corm_str number;
    policy   kind = kind_of(in, &number);
    return kind == POLICY_NONE ? read_hybrid(c, in, out) : read_simple(c, in, &kind, out);
}
