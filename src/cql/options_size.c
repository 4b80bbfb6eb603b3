// SPDX-License-Identifier: MIT
/* options_size.c -- sizes in bytes with a unit. Pure; any thread.
 *
 *   size = number [blank …] [prefix ['i']] 'B', with the prefixes of the metric system;
 * 'i' makes them powers of 1024 */
#include "cql/options_size.h"

#include <math.h>
#include <stdlib.h>

#include "base/text.h"
#include "cql/schema_build.h"

static const char prefixes[] = "qryzafpnum KMGTPEZYRQ";
enum { NO_PREFIX = 10 };

static size_t skip_digits(corm_str text, size_t at) {
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') at++;
    return at;
}

/* Bytes of [+-] digits [. digits] [e [+-] digits] at the start. */
static size_t number_length(corm_str text) {
    size_t start = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    size_t end = skip_digits(text, start);
    if (end == start) return 0;
    if (end < text.len && text.data[end] == '.' && skip_digits(text, end + 1) > end + 1) {
        end = skip_digits(text, end + 1);
    }
    if (end == text.len || (text.data[end] != 'e' && text.data[end] != 'E')) return end;
    size_t digits = end + 1;
    if (digits < text.len && (text.data[digits] == '-' || text.data[digits] == '+')) digits++;
    return skip_digits(text, digits) > digits ? skip_digits(text, digits) : end;
}

/* The value times the prefix at `at`, which moves behind it. */
static double with_prefix(corm_str text, size_t *at, double value) {
    if (*at == text.len || text.data[*at] == '\0') return value;
    const char *found = strchr(prefixes, text.data[*at]);
    if (!found) return value;
    int power = (int)(found - prefixes) - NO_PREFIX;
    *at += 1;
    if (*at == text.len || text.data[*at] != 'i') return value * pow(1000.0, power);
    *at += 1;
    return ldexp(value, power * 10);
}

bool cql__parse_size(base_arena *arena, corm_str text, double *out, corm_str *why) {
    if (text.len == 0 || text.data[text.len - 1] != 'B') {
        *why = base__arena_printf(arena, "%.*s does not end in unit B", CQL_S(text));
        return false;
    }
    corm_str number = { text.data, text.len - 1 };
    size_t   at = number_length(number);
    double   value;
    if (at == 0 || !base__parse_f64((corm_str){ number.data, at }, &value)) {
        *why = corm_str_of("null");
        return false;
    }
    while (at < number.len && (number.data[at] == ' ' || number.data[at] == '\t')) at++;
    value = with_prefix(number, &at, value);
    if (at != number.len) {
        *why = base__arena_printf(arena, "Unexpected characters between pos %zu and %zu in %.*s",
                                  at, number.len, CQL_S(text));
        return false;
    }
    *out = value;
    return true;
}

corm_str cql__show_size(base_arena *arena, int64_t bytes) {
    int power = 0;
    while (power < 6 && llabs((long long)bytes) >> (10 * (power + 1)) != 0) power++;
    if (power == 0) return base__arena_printf(arena, "%lldB", (long long)bytes);
    return base__arena_printf(arena, "%.3f%ciB", ldexp((double)bytes, -10 * power),
                              prefixes[NO_PREFIX + power]);
}
