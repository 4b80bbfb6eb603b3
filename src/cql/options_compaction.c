// SPDX-License-Identifier: MIT
/* options_compaction.c -- the compaction option: strategies, what each takes, and the server's
 * words about it. Nothing of it has an effect on how rows are stored. Pure; any thread. */
#include <stdio.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/options_compaction.h"
#include "cql/schema_build.h"

#define PACKAGE "org.apache.cassandra.db.compaction"

typedef struct rule_group {
    const cql_compaction_rule *rules;
    size_t                     count;
} rule_group;

enum { MOST_GROUPS = 4 };

typedef struct compaction_strategy {
    const char *name;
    bool        has_thresholds; /* the server fills them in */
    corm_status (*finish)(const cql_compaction_check *x);
    rule_group groups[MOST_GROUPS]; /* in the order of checking */
} compaction_strategy;

corm_status cql__refuse_number(const cql_compaction_check *x, const char *kind, const char *name,
                               corm_str value) {
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%.*s is not a parsable %s for %s",
                      CQL_S(value), kind, name);
}

static corm_status parse_long(const cql_compaction_check *x, const char *name, corm_str value,
                              int64_t *out) {
    return cql__java_long(value, out) ? CORM_OK
                                      : cql__refuse_number(x, "int (base10)", name, value);
}

corm_status cql__rule_int(const cql_compaction_check *x, const char *name, corm_str value,
                          int32_t *out) {
    return cql__java_int(value, out) ? CORM_OK : cql__refuse_number(x, "int (base10)", name, value);
}

/* ---- every strategy ---- */

static corm_status check_threshold(const cql_compaction_check *x, const char *name,
                                   corm_str value) {
    double threshold;
    if (!cql__java_double(value, &threshold))
        return cql__refuse_number(x, "int (base10)", name, value);
    if (!(threshold < 0)) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s must be greater than 0, but was %f", name,
                      (double)(float)threshold);
}

static corm_status check_interval(const cql_compaction_check *x, const char *name, corm_str value) {
    int64_t interval;
    CORM_TRY(parse_long(x, name, value, &interval));
    if (interval >= 0) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s must be greater than 0, but was %lld", name,
                      (long long)interval);
}

static corm_status check_unchecked(const cql_compaction_check *x, const char *name,
                                   corm_str value) {
    if (cql__is_truth_word(value)) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "'%s' should be either 'true' or 'false', not '%.*s'", name, CQL_S(value));
}

static corm_status check_log_all(const cql_compaction_check *x, const char *name, corm_str value) {
    if (cql__is_truth_word(value)) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "'%s' should either be 'true' or 'false', not %.*s", name, CQL_S(value));
}

corm_status cql__check_switch(const cql_compaction_check *x, const char *name, corm_str value) {
    if (cql__is_truth_word(value)) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "%s should either be 'true' or 'false', not %.*s", name, CQL_S(value));
}

static const cql_compaction_rule base_rules[] = {
    { "tombstone_threshold", check_threshold },
    { "tombstone_compaction_interval", check_interval },
    { "unchecked_tombstone_compaction", check_unchecked },
    { "log_all", check_log_all },
    { "enabled", cql__check_switch },
    { "only_purge_repaired_tombstones", NULL },
    { "provide_overlapping_tombstones", NULL },
};

/* ---- size-tiered, and those that build on it ---- */

static corm_status check_min_size(const cql_compaction_check *x, const char *name, corm_str value) {
    int64_t size;
    CORM_TRY(parse_long(x, name, value, &size));
    if (size >= 0) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s must be non negative: %lld", name,
                      (long long)size);
}

static corm_status bucket(const cql_compaction_check *x, const char *name, double preset,
                          double *out) {
    corm_str value = cql__map_option_get(x->options, name);
    *out = preset;
    if (!value.data || cql__java_double(value, out)) return CORM_OK;
    return cql__refuse_number(x, "float", name, value);
}

static corm_status check_buckets(const cql_compaction_check *x, const char *name, corm_str value) {
    double low;
    double high;
    (void)name;
    (void)value;
    CORM_TRY(bucket(x, "bucket_low", 0.5, &low));
    CORM_TRY(bucket(x, "bucket_high", 1.5, &high));
    if (!(high <= low)) return CORM_OK;
    base_buf text = { 0 };
    base__buf_puts(&text, "bucket_high value (");
    base__put_double(&text, high);
    base__buf_puts(&text, ") is less than or equal to the bucket_low value (");
    base__put_double(&text, low);
    base__buf_u8(&text, ')');
    const char *message = base__buf_cstr(&text);
    corm_status status = message ? base__fail(x->c->err, CORM_CONFIG_ERROR, "%s", message)
                                 : base__fail_memory(x->c->err);
    base__buf_free(&text);
    return status;
}

static const cql_compaction_rule size_tiered_rules[] = {
    { "min_sstable_size", check_min_size },
    { "bucket_low", check_buckets },
    { "bucket_high", check_buckets },
};

static const cql_compaction_rule threshold_rules[] = { { "min_threshold", NULL },
                                                       { "max_threshold", NULL } };

/* ---- leveled ---- */

static corm_status check_positive(const cql_compaction_check *x, const char *name, corm_str value) {
    int32_t number;
    CORM_TRY(cql__rule_int(x, name, value, &number));
    if (number >= 1) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s must be larger than 0, but was %d", name,
                      number);
}

static uint32_t number_or(const cql_compaction_check *x, const char *name, uint32_t preset) {
    int32_t number;
    return cql__java_int(cql__map_option_get(x->options, name), &number) ? (uint32_t)number
                                                                         : preset;
}

/* A whole number of up to 108 digits, nine in each part, the lowest part first. */
enum { PARTS = 12, PART = 1000000000 };

static void multiply(uint32_t parts[PARTS], uint32_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < PARTS; i++) {
        carry += (uint64_t)parts[i] * factor;
        parts[i] = (uint32_t)(carry % PART);
        carry /= PART;
    }
}

static const char *show(const uint32_t parts[PARTS], char digits[9 * PARTS + 1]) {
    for (int i = 0; i < PARTS; i++) snprintf(digits + 9 * i, 10, "%09u", parts[PARTS - 1 - i]);
    return digits + strspn(digits, "0");
}

/* The largest level must fit into 63 bits. */
static corm_status finish_leveled(const cql_compaction_check *x) {
    static const char most[] = "9223372036854775807";
    uint32_t          parts[PARTS] = { number_or(x, "sstable_size_in_mb", 1) % PART };
    char              digits[9 * PARTS + 1];
    parts[1] = number_or(x, "sstable_size_in_mb", 1) / PART;
    for (int level = 0; level < 8; level++) multiply(parts, number_or(x, "fanout_size", 10));
    multiply(parts, 1024 * 1024);
    const char *bytes = show(parts, digits);
    size_t      len = strlen(bytes);
    if (len < sizeof most - 1 || (len == sizeof most - 1 && strcmp(bytes, most) <= 0))
        return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "At most %s bytes may be in a compaction level; your maxSSTableSize must be "
                      "absurdly high to compute %s",
                      most, bytes);
}

static const cql_compaction_rule leveled_rules[] = {
    { "sstable_size_in_mb", check_positive },
    { "fanout_size", check_positive },
    { "single_sstable_uplevel", NULL },
};

/* ---- time windows ---- */

static corm_status check_word(const cql_compaction_check *x, const char *name, corm_str value,
                              const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (corm_str_equal(value, corm_str_of(words[i]))) return CORM_OK;
    }
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%.*s is not valid for %s", CQL_S(value), name);
}

static corm_status check_resolution(const cql_compaction_check *x, const char *name,
                                    corm_str value) {
    static const char *const words[] = { "SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS" };
    return check_word(x, name, value, words, sizeof words / sizeof *words);
}

static corm_status check_window_unit(const cql_compaction_check *x, const char *name,
                                     corm_str value) {
    static const char *const words[] = { "MINUTES", "HOURS", "DAYS" };
    return check_word(x, name, value, words, sizeof words / sizeof *words);
}

static corm_status check_window_size(const cql_compaction_check *x, const char *name,
                                     corm_str value) {
    int32_t size;
    CORM_TRY(cql__rule_int(x, name, value, &size));
    if (size >= 1) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%d must be greater than 1 for %s", size, name);
}

static corm_status check_frequency(const cql_compaction_check *x, const char *name,
                                   corm_str value) {
    int64_t seconds;
    CORM_TRY(parse_long(x, name, value, &seconds));
    if (seconds >= 0) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s must not be negative, but was %lld", name,
                      (long long)seconds);
}

static corm_status check_unsafe(const cql_compaction_check *x, const char *name, corm_str value) {
    if (!cql__is_truth_word(value)) {
        return base__fail(x->c->err, CORM_CONFIG_ERROR, "%s is not 'true' or 'false' (%.*s)", name,
                          CQL_S(value));
    }
    if (base__str_equal_nocase(value, corm_str_of("false"))) return CORM_OK;
    return base__fail(x->c->err, CORM_CONFIG_ERROR,
                      "%s is requested but not allowed, restart cassandra with "
                      "-Dcassandra.allow_unsafe_aggressive_sstable_expiration=true to allow it",
                      name);
}

static const cql_compaction_rule window_rules[] = {
    { "timestamp_resolution", check_resolution },
    { "compaction_window_unit", check_window_unit },
    { "compaction_window_size", check_window_size },
    { "expired_sstable_check_frequency_seconds", check_frequency },
    { "unsafe_aggressive_sstable_expiration", check_unsafe },
};

/* ---- the strategies ---- */

#define GROUP(rules)                                                                               \
    { rules, sizeof(rules) / sizeof *(rules) }

static const compaction_strategy strategies[] = {
    { "SizeTieredCompactionStrategy",
      true,
      NULL,
      { GROUP(base_rules), GROUP(size_tiered_rules), GROUP(threshold_rules) } },
    { "LeveledCompactionStrategy",
      true,
      finish_leveled,
      { GROUP(base_rules), GROUP(leveled_rules), GROUP(size_tiered_rules),
        GROUP(threshold_rules) } },
    { "TimeWindowCompactionStrategy",
      true,
      NULL,
      { GROUP(base_rules), GROUP(window_rules), GROUP(size_tiered_rules),
        GROUP(threshold_rules) } },
    { "UnifiedCompactionStrategy", false, NULL, { GROUP(base_rules), GROUP(cql__unified_rules) } },
};

/* By the whole name of the class. */
static const compaction_strategy *find_strategy(corm_str class) {
    corm_str package = corm_str_of(PACKAGE ".");
    if (!base__str_has_prefix(class, package)) return NULL;
    corm_str name = { class.data + package.len, class.len - package.len };
    for (size_t i = 0; i < sizeof strategies / sizeof *strategies; i++) {
        if (corm_str_equal(name, corm_str_of(strategies[i].name))) return &strategies[i];
    }
    return NULL;
}

static corm_status check_tombstones(const cql_option_context *c, const cql_map_option *options) {
    corm_str value = cql__map_option_get(options, "provide_overlapping_tombstones");
    if (!value.data) return CORM_OK;
    value = cql__upper(c->arena, value);
    if (!value.data) return base__fail_memory(c->err);
    if (corm_str_equal(value, corm_str_of("NONE")) || corm_str_equal(value, corm_str_of("ROW")) ||
        corm_str_equal(value, corm_str_of("CELL"))) {
        return CORM_OK;
    }
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Invalid value %.*s for 'provide_overlapping_tombstones' compaction "
                      "sub-option - must be one of the following [NONE, ROW, CELL].",
                      CQL_S(value));
}

static corm_status add_thresholds(const cql_option_context *c, cql_map_option *options) {
    uint32_t capacity = cql__java_copy_capacity(options->count);
    if (!cql__map_option_get(options, "min_threshold").data) {
        CORM_TRY(cql__map_add(c, options, corm_str_of("min_threshold"), corm_str_of("4")));
    }
    if (!cql__map_option_get(options, "max_threshold").data) {
        CORM_TRY(cql__map_add(c, options, corm_str_of("max_threshold"), corm_str_of("32")));
    }
    return cql__map_order(c, options, capacity);
}

corm_status cql__read_compaction(const cql_option_context *c, const cql_map_option *in,
                                 cql_map_option *out) {
    corm_str name;
    CORM_TRY(cql__map_take(c, in, "class", &name, out));
    if (!name.data) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Missing sub-option 'class' for the 'compaction' option");
    }
    corm_str class = cql__class_name(c->arena, PACKAGE, name);
    if (!class.data) return base__fail_memory(c->err);
    const compaction_strategy *found = find_strategy(class);
    if (!found) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Unable to find compaction strategy class '%.*s'", CQL_S(class));
    }
    CORM_TRY(check_tombstones(c, out));
    if (found->has_thresholds) CORM_TRY(add_thresholds(c, out));
    return cql__map_add(c, out, corm_str_of("class"), class);
}

/* ---- what is looked at when all could be read ---- */

static bool is_known(const compaction_strategy *strategy, corm_str name) {
    for (size_t g = 0; g < MOST_GROUPS; g++) {
        for (size_t i = 0; i < strategy->groups[g].count; i++) {
            if (corm_str_equal(name, corm_str_of(strategy->groups[g].rules[i].name))) return true;
        }
    }
    return false;
}

static corm_status refuse_unknown(const cql_option_context *c, const compaction_strategy *strategy,
                                  cql_map_option *options) {
    uint32_t kept = 0;
    CORM_TRY(cql__map_order(c, options, cql__java_copy_capacity(options->count)));
    for (uint32_t i = 0; i < options->count; i++) {
        if (!is_known(strategy, options->pairs[2 * i]))
            options->pairs[2 * kept++] = options->pairs[2 * i];
    }
    options->count = kept;
    if (kept == 0) return CORM_OK;
    base_buf keys = { 0 };
    cql__put_keys(&keys, options);
    const char *shown = base__buf_cstr(&keys);
    corm_status status = shown ? base__fail(c->err, CORM_CONFIG_ERROR,
                                            "Properties specified %s are not understood by %s",
                                            shown, strategy->name)
                               : base__fail_memory(c->err);
    base__buf_free(&keys);
    return status;
}

static corm_status threshold(const cql_option_context *c, const cql_map_option *options,
                             const char *name, int32_t preset, int32_t *out) {
    corm_str value = cql__map_option_get(options, name);
    *out = preset;
    if (!value.data || (cql__java_is_numeric(value) && cql__java_int(value, out))) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Invalid value %.*s for '%s' compaction sub-option - must be an integer",
                      CQL_S(value), name);
}

static corm_status check_thresholds(const cql_option_context *c, const cql_map_option *options) {
    int32_t min;
    int32_t max;
    CORM_TRY(threshold(c, options, "min_threshold", 4, &min));
    CORM_TRY(threshold(c, options, "max_threshold", 32, &max));
    if (min <= 0 || max <= 0) {
        return base__fail(
            c->err, CORM_CONFIG_ERROR,
            "Disabling compaction by setting compaction thresholds to 0 has been removed, set the "
            "compaction option 'enabled' to false instead.");
    }
    if (min <= 1) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Min compaction threshold cannot be less than 2 (got %d)", min);
    }
    if (min <= max) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Min compaction threshold (got %d) cannot be greater than max compaction "
                      "threshold (got %d)",
                      min, max);
}

static corm_status check_groups(const cql_compaction_check *x,
                                const compaction_strategy  *strategy) {
    for (size_t g = 0; g < MOST_GROUPS; g++) {
        for (size_t i = 0; i < strategy->groups[g].count; i++) {
            const cql_compaction_rule *rule = &strategy->groups[g].rules[i];
            corm_str                   value = cql__map_option_get(x->options, rule->name);
            if (value.data && rule->check) CORM_TRY(rule->check(x, rule->name, value));
        }
    }
    return strategy->finish ? strategy->finish(x) : CORM_OK;
}

corm_status cql__check_compaction(const cql_option_context *c, const cql_map_option *compaction) {
    corm_str class;
    cql_map_option options;
    CORM_TRY(cql__map_take(c, compaction, "class", &class, &options));
    const compaction_strategy *strategy = find_strategy(class);
    if (!strategy) return CORM_OK;
    cql_compaction_check x = { c, &options };
    CORM_TRY(check_groups(&x, strategy));
    cql_map_option left = options;
    CORM_TRY(refuse_unknown(c, strategy, &left));
    return check_thresholds(c, &options);
}
