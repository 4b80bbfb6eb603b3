// SPDX-License-Identifier: MIT
/* guard_values.c -- guard rails that are sets of names: options of tables, consistency levels. A set is a number with a bit for each
 * name. See guard.h. Pure; any thread. */
#include "base/text.h"
#include "cql/guard.h"
#include "cql/java.h"
#include "cql/options.h"

/* By their codes in the protocol, which is also how the server sorts them. */
static const char *const level_names[] = { "ANY",    "ONE",          "TWO",          "THREE",
                                           "QUORUM", "ALL",          "LOCAL_QUORUM", "EACH_QUORUM",
                                           "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE" };
enum { LEVELS = sizeof level_names / sizeof *level_names, MOST_NAMES = 63 };

static const char *word(cql_guard_unit unit, unsigned bit) {
    if (unit == CQL_GUARD_LEVELS) return bit < LEVELS ? level_names[bit] : NULL;
    return cql__table_option_name(bit);
}

/* ---- reading ---- */

static bool read_word(corm_str text, cql_guard_unit unit, int64_t *set) {
    for (unsigned bit = 0; word(unit, bit); bit++) {
        if (!base__str_equal_nocase(text, corm_str_of(word(unit, bit)))) continue;
        *set |= INT64_C(1) << bit;
        return true;
    }
    return false;
}

bool cql__guard_read_set(corm_str text, cql_guard_unit unit, int64_t *out) {
    static const char *const between = " \t[],|'\"";
    *out = 0;
    while (text.len > 0) {
        size_t len = 0;
        while (len < text.len && !strchr(between, text.data[len])) len++;
        if (len > 0 && !read_word((corm_str){ text.data, len }, unit, out)) return false;
        len += len < text.len;
        text = (corm_str){ text.data + len, text.len - len };
    }
    return true;
}

uint64_t cql__guard_bit(cql_guard_unit unit, corm_str name) {
    int64_t set = 0;
    return read_word(name, unit, &set) ? (uint64_t)set : 0;
}

/* ---- words ---- */

/* Options in a set of the server's have the order of its hash table; what was given is sorted. */
static uint32_t names_of(cql_guard_unit unit, uint64_t set, bool sorted, corm_str *out) {
    corm_str names[MOST_NAMES];
    uint32_t order[MOST_NAMES], count = 0;
    for (unsigned bit = 0; word(unit, bit); bit++)
        if (set >> bit & 1) names[count++] = corm_str_of(word(unit, bit));
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    /* The table of options is sorted as it is. */
    if (unit == CQL_GUARD_PROPERTIES && !sorted)
        cql__java_order(CQL_JAVA_STRING, names, count, 1, CQL_JAVA_CAPACITY, order);
    for (uint32_t i = 0; i < count; i++) out[i] = names[order[i]];
    return count;
}

static void put_names(base_buf *out, cql_guard_unit unit, uint64_t set, bool sorted) {
    corm_str names[MOST_NAMES];
    uint32_t count = names_of(unit, set, sorted, names);
    base__buf_u8(out, '[');
    for (uint32_t i = 0; i < count; i++)
        base__buf_printf(out, "%s%.*s", i ? ", " : "", (int)names[i].len, names[i].data);
    base__buf_u8(out, ']');
}

void cql__guard_put_set(base_buf *out, const cql_guard *guard, cql_guard_name name) {
    put_names(out, cql__guard_unit_of(name), (uint64_t)guard->values[name], false);
}

void cql__guard_put(base_buf *out, const cql_guard *guard, cql_guard_name name, uint64_t given) {
    static const struct {
        const char *name, *what;
        const char *begin, *middle, *end;
    } words[] = {
#define WORDS(rail, what, begin, middle, end) { rail, what, begin "rovided values ", middle, end }
#define PROPERTIES(...) WORDS("table_properties", "Table Properties", __VA_ARGS__)
#define READS(...) WORDS("read_consistency_levels", "read consistency levels", __VA_ARGS__)
#define WRITES(...) WORDS("write_consistency_levels", "write consistency levels", __VA_ARGS__)
#define WARNED "P", "not recommended for", "warned"
#define DISALLOWED "P", "not allowed for", "disallowed"
        [CQL_GUARD_PROPERTIES_WARNED] = PROPERTIES(WARNED),
        [CQL_GUARD_PROPERTIES_IGNORED] =
            PROPERTIES("Ignoring p", "as they are not supported for", "ignored"),
        [CQL_GUARD_PROPERTIES_DISALLOWED] = PROPERTIES(DISALLOWED),
        [CQL_GUARD_READ_WARNED] = READS(WARNED),
        [CQL_GUARD_READ_DISALLOWED] = READS(DISALLOWED),
        [CQL_GUARD_WRITE_WARNED] = WRITES(WARNED),
        [CQL_GUARD_WRITE_DISALLOWED] = WRITES(DISALLOWED),
    };
    cql_guard_unit unit = cql__guard_unit_of(name);
    bool           ignored = name == CQL_GUARD_PROPERTIES_IGNORED;
    base__buf_printf(out, "Guardrail %s violated: %s", words[name].name, words[name].begin);
    put_names(out, unit, given & (uint64_t)guard->values[name], true);
    base__buf_printf(out, " %s%s %s (%s values are: ", ignored ? "" : "are ", words[name].middle,
                     words[name].what, words[name].end);
    put_names(out, unit, (uint64_t)guard->values[name], false);
    base__buf_u8(out, ')');
}
