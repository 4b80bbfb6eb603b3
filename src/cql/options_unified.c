// SPDX-License-Identifier: MIT
/* options_unified.c -- what UnifiedCompactionStrategy takes. Pure; any thread. */
#include <math.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/options_compaction.h"
#include "cql/options_size.h"
#include "cql/schema_build.h"

enum { SMALLEST_TARGET = 1 << 20 };

static corm_str without_blanks(corm_str text) {
    return base__str_trim(text);
}

/* N, L and a number, T and a number, or a number. */
static corm_status check_scaling_parameter(const cql_compaction_check *x, corm_str value) {
    bool     lettered = value.len > 0 && (value.data[0] == 'L' || value.data[0] == 'T');
    bool     has_sign = value.len > 0 && (value.data[0] == '-' || value.data[0] == '+');
    corm_str digits = lettered || has_sign ? (corm_str){ value.data + 1, value.len - 1 } : value;
    int32_t  number = 0;
    if (corm_str_equal(value, corm_str_of("N"))) return CORM_OK;
    if (!cql__java_is_numeric(digits)) {
        return base__fail(x->c->err, CORM_CONFIG_ERROR,
                          "Scaling parameter %.*s must match N|L[0-9]+|T[0-9]+|[+-]?[0-9]+",
                          CQL_S(value));
    }
    if (has_sign && !cql__java_int(value, &number))
        return base__fail(
            x->c->err, CORM_CONFIG_ERROR,
            "org.apache.cassandra.db.compaction.UnifiedCompactionStrategy.validateOptions() threw "
            "an error: java.lang.NumberFormatException For input string: \"%.*s\"",
            CQL_S(value));
    if (!has_sign && !cql__java_int(digits, &number))
        return cql__refuse_number(x, "int (base10)", "scaling_parameters", value);
    if (!lettered || number >= 2) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "Fan factor cannot be lower than 2 in %.*s",
                      CQL_S(value));
}

static corm_status check_scaling(const cql_compaction_check *x, const char *name, corm_str value) {
    (void)name;
    size_t start = 0;
    /* As Java splits: empty parts at the end are none. */
    bool is_empty = value.len == 0;
    while (value.len > 0 && value.data[value.len - 1] == ',') value.len--;
    if (value.len == 0 && !is_empty) return CORM_OK;
    for (size_t i = 0; i <= value.len; i++) {
        if (i < value.len && value.data[i] != ',') continue;
        CORM_TRY(check_scaling_parameter(
            x, without_blanks((corm_str){ value.data + start, i - start })));
        start = i + 1;
    }
    return CORM_OK;
}

static corm_status check_shard_count(const cql_compaction_check *x, const char *name,
                                     corm_str value) {
    int32_t count;
    CORM_TRY(cql__rule_int(x, name, value, &count));
    if (count > 0) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "Invalid configuration, %s should be positive: %d", name, count);
}

static corm_status parse_size(const cql_compaction_check *x, const char *name, corm_str value,
                              double *out) {
    corm_str why;
    if (cql__parse_size(x->c->arena, value, out, &why)) return CORM_OK;
    if (!why.data) return base__fail_memory(x->c->err);
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s %.*s is not a valid size in bytes: %.*s",
                      name, CQL_S(value), CQL_S(why));
}

static corm_status check_large_size(const cql_compaction_check *x, const char *name,
                                    corm_str value) {
    double size;
    CORM_TRY(parse_size(x, name, value, &size));
    if (size >= 9223372036854775807.0) {
        return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s %.*s is out of range of Long.", name,
                          CQL_S(value));
    }
    if (!(size < SMALLEST_TARGET)) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "%s %.*s is not acceptable, size must be at least 1.000MiB", name,
                      CQL_S(value));
}

static corm_status check_any_int(const cql_compaction_check *x, const char *name, corm_str value) {
    int32_t number;
    return cql__rule_int(x, name, value, &number);
}

static corm_status check_expiry(const cql_compaction_check *x, const char *name, corm_str value) {
    int64_t seconds;
    if (!cql__java_long(value, &seconds))
        return cql__refuse_number(x, "long (base10)", name, value);
    if (seconds > 0) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "Invalid configuration, %s should be positive: %lld", name,
                      (long long)seconds);
}

static corm_status check_overlaps(const cql_compaction_check *x, const char *name, corm_str value) {
    (void)name;
    if (base__str_equal_nocase(value, corm_str_of("none")) ||
        base__str_equal_nocase(value, corm_str_of("single")) ||
        base__str_equal_nocase(value, corm_str_of("transitive"))) {
        return CORM_OK;
    }
    return base__fail(
        x->c->err, CORM_CONFIG_ERROR,
        "Invalid overlap inclusion method %.*s. The valid options are [NONE, SINGLE, TRANSITIVE].",
        CQL_S(value));
}

static corm_status check_smallest_size(const cql_compaction_check *x, const char *name,
                                       corm_str value) {
    double   size;
    double   target = 1073741824.0;
    corm_str why;
    if (!cql__parse_size(x->c->arena, value, &size, &why)) {
        return base__fail(x->c->err, CORM_CONFIG_ERROR, "%.*s is not a valid size in bytes for %s",
                          CQL_S(value), name);
    }
    if (size < 0) {
        return base__fail(x->c->err, CORM_CONFIG_ERROR,
                          "Invalid configuration, %s should be greater than or equal to 0 (zero)",
                          name);
    }
    corm_str written = cql__map_option_get(x->options, "target_sstable_size");
    if (written.data) CORM_TRY(parse_size(x, "target_sstable_size", written, &target));
    if (size < ceil(ceil(target) * sqrt(0.5))) return CORM_OK;
    corm_str size_text = cql__show_size(x->c->arena, (int64_t)fmin(size, 9.0e18));
    corm_str target_text = cql__show_size(x->c->arena, (int64_t)target);
    if (!size_text.data || !target_text.data) return base__fail_memory(x->c->err);
    return base__fail(
        x->c->err, CORM_CONFIG_ERROR,
        "Invalid configuration, %s (%.*s) should be less than 70%% of the targetSSTableSize (%.*s)",
        name, CQL_S(size_text), CQL_S(target_text));
}

static corm_status check_growth(const cql_compaction_check *x, const char *name, corm_str value) {
    corm_str number = without_blanks(value);
    bool     percent = number.len > 0 && number.data[number.len - 1] == '%';
    double   growth;
    if (percent) number = without_blanks((corm_str){ number.data, number.len - 1 });
    if (!cql__java_double(number, &growth)) {
        return base__fail(x->c->err, CORM_CONFIG_ERROR,
                          "%s is not a valid number between 0 and 1: For input string: \"%.*s\"",
                          name, CQL_S(number));
    }
    if (percent) growth /= 100.0;
    if (!(growth < 0 || growth > 1)) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s %.*s must be between 0 and 1", name,
                      CQL_S(value));
}

const cql_compaction_rule cql__unified_rules[CQL_UNIFIED_RULES] = {
    { "scaling_parameters", check_scaling },
    { "base_shard_count", check_shard_count },
    { "target_sstable_size", check_large_size },
    { "flush_size_override", check_large_size },
    { "max_sstables_to_compact", check_any_int },
    { "expired_sstable_check_frequency_seconds", check_expiry },
    { "unsafe_aggressive_sstable_expiration", cql__check_switch },
    { "overlap_inclusion_method", check_overlaps },
    { "min_sstable_size", check_smallest_size },
    { "sstable_growth", check_growth },
};
