// SPDX-License-Identifier: MIT
/* options.c -- the options of tables: one table with each one's name, place, how it is read and how
 * it is shown. Most have no effect here; they are checked, kept and shown as the server does. Pure;
 * any thread. */
#include "cql/options.h"

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/schema_build.h"

typedef enum option_kind {
    OPTION_TEXT,
    OPTION_RETRY,  /* text in one of the forms of speculative_retry */
    OPTION_REPAIR, /* NONE or BLOCKING */
    OPTION_MEMTABLE,
    OPTION_DOUBLE,
    OPTION_INT,
    OPTION_BOOL,
    OPTION_UNLESS_OFF, /* int8_t: true when it was not said */
    OPTION_CACHING,
    OPTION_COMPACTION,
    OPTION_COMPRESSION,
    OPTION_IGNORED /* may be written, has no value of its own */
} option_kind;

typedef struct table_option {
    const char *name;
    option_kind kind;
    size_t      offset; /* in cql_table_options */
} table_option;

/* In the order of DESCRIBE. */
static const table_option options_table[] = {
#define OPTION(kind, member)                                                                       \
    { #member, kind, offsetof(cql_table_options, member) }
    OPTION(OPTION_RETRY, additional_write_policy),
    OPTION(OPTION_UNLESS_OFF, allow_auto_snapshot),
    OPTION(OPTION_DOUBLE, bloom_filter_fp_chance),
    OPTION(OPTION_CACHING, caching),
    OPTION(OPTION_BOOL, cdc),
    OPTION(OPTION_TEXT, comment),
    OPTION(OPTION_COMPACTION, compaction),
    OPTION(OPTION_COMPRESSION, compression),
    OPTION(OPTION_MEMTABLE, memtable),
    OPTION(OPTION_DOUBLE, crc_check_chance),
    OPTION(OPTION_INT, default_time_to_live),
    OPTION(OPTION_IGNORED, extensions),
    OPTION(OPTION_INT, gc_grace_seconds),
    OPTION(OPTION_UNLESS_OFF, incremental_backups),
    OPTION(OPTION_INT, max_index_interval),
    OPTION(OPTION_INT, memtable_flush_period_in_ms),
    OPTION(OPTION_INT, min_index_interval),
    OPTION(OPTION_REPAIR, read_repair),
    OPTION(OPTION_RETRY, speculative_retry),
#undef OPTION
};

enum { OPTIONS = sizeof options_table / sizeof *options_table };

static void *place_of(cql_table_options *options, const table_option *option) {
    return (uint8_t *)options + option->offset;
}

static const void *value_of(const cql_table_options *options, const table_option *option) {
    return (const uint8_t *)options + option->offset;
}

const char *cql__table_option_name(size_t index) {
    return index < OPTIONS ? options_table[index].name : NULL;
}

/* ---- defaults ---- */

static corm_str caching_default[4] = {
    { "keys", 4 }, { "ALL", 3 }, { "rows_per_partition", 18 }, { "NONE", 4 }
};
static corm_str compaction_default[6] = {
    { "class", 5 },
    { "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy", 63 },
    { "max_threshold", 13 },
    { "32", 2 },
    { "min_threshold", 13 },
    { "4", 1 },
};
static corm_str compression_default[4] = {
    { "chunk_length_in_kb", 18 },
    { "16", 2 },
    { "class", 5 },
    { "org.apache.cassandra.io.compress.LZ4Compressor", 46 },
};

void cql__table_options_init(cql_table_options *options) {
    *options = (cql_table_options){
        .additional_write_policy = corm_str_of("99p"),
        .comment = corm_str_of(""),
        .memtable = corm_str_of("default"),
        .read_repair = corm_str_of("BLOCKING"),
        .speculative_retry = corm_str_of("99p"),
        .bloom_filter_fp_chance = -1,
        .crc_check_chance = 1.0,
        .gc_grace_seconds = 864000,
        .max_index_interval = 2048,
        .min_index_interval = 128,
        .allow_auto_snapshot = -1,
        .incremental_backups = -1,
        .caching = { 2, caching_default },
        .compaction = { 3, compaction_default },
        .compression = { 2, compression_default },
    };
}

/* ---- reading ---- */

static corm_status read_double(const cql_property *property, double *out, corm_error *err) {
    corm_str text;
    CORM_TRY(cql__property_text(property, &text, err));
    if (cql__java_double(text, out)) return CORM_OK;
    return base__fail(err, CORM_SYNTAX_ERROR, "Invalid double value %.*s for '%.*s'", CQL_S(text),
                      CQL_S(property->name.text));
}

static corm_status read_int(const cql_property *property, int32_t *out, corm_error *err) {
    corm_str text;
    CORM_TRY(cql__property_text(property, &text, err));
    if (cql__java_int(text, out)) return CORM_OK;
    return base__fail(err, CORM_SYNTAX_ERROR, "Invalid integer value %.*s for '%.*s'", CQL_S(text),
                      CQL_S(property->name.text));
}

static corm_status read_switch(const cql_property *property, int8_t *out, corm_error *err) {
    bool on = false;
    CORM_TRY(cql__property_bool(property, &on, err));
    *out = on;
    return CORM_OK;
}

static corm_status read_retry(const cql_option_context *c, const cql_property *property,
                              corm_str *out) {
    corm_str text;
    CORM_TRY(cql__property_text(property, &text, c->err));
    return cql__read_speculative_retry(c, text, out);
}

static corm_status read_repair(const cql_property *property, corm_str *out, corm_error *err) {
    corm_str text;
    CORM_TRY(cql__property_text(property, &text, err));
    bool none = base__str_equal_nocase(text, corm_str_of("none"));
    *out = corm_str_of(none ? "NONE" : "BLOCKING");
    if (none || base__str_equal_nocase(text, corm_str_of("blocking"))) return CORM_OK;
    return base__fail(err, CORM_CONFIG_ERROR, "Invalid value %.*s for option 'read_repair'",
                      CQL_S(text));
}

static corm_status read_memtable(const cql_property *property, corm_str *out, corm_error *err) {
    CORM_TRY(cql__property_text(property, out, err));
    if (corm_str_equal(*out, corm_str_of("default"))) return CORM_OK;
    return base__fail(err, CORM_CONFIG_ERROR, "Memtable configuration \"%.*s\" not found.",
                      CQL_S(*out));
}

static corm_status read_map(const cql_option_context *c, const cql_property *property,
                            option_kind kind, cql_map_option *out) {
    cql_map_option written;
    CORM_TRY(cql__property_map(c, property, &written));
    if (kind == OPTION_CACHING)
        CORM_TRY(cql__read_caching(c, &written, out));
    else if (kind == OPTION_COMPACTION)
        CORM_TRY(cql__read_compaction(c, &written, out));
    else
        CORM_TRY(cql__read_compression(c, &written, out));
    cql__map_sort(out);
    return CORM_OK;
}

static corm_status read_option(const cql_option_context *c, const cql_property *property,
                               const table_option *option, cql_table_options *options) {
    void *place = place_of(options, option);
    switch (option->kind) {
    case OPTION_TEXT: return cql__property_text(property, place, c->err);
    case OPTION_RETRY: return read_retry(c, property, place);
    case OPTION_REPAIR: return read_repair(property, place, c->err);
    case OPTION_MEMTABLE: return read_memtable(property, place, c->err);
    case OPTION_DOUBLE: return read_double(property, place, c->err);
    case OPTION_INT: return read_int(property, place, c->err);
    case OPTION_BOOL: return cql__property_bool(property, place, c->err);
    case OPTION_UNLESS_OFF: return read_switch(property, place, c->err);
    case OPTION_CACHING:
    case OPTION_COMPACTION:
    case OPTION_COMPRESSION: return read_map(c, property, option->kind, place);
    case OPTION_IGNORED: break;
    }
    return CORM_OK;
}

/* -1 stands for the preset of the compaction strategy. */
static void settle_bloom_filter(cql_table_options *options) {
    corm_str class = cql__map_option_get(&options->compaction, "class");
    bool leveled = corm_str_equal(
        class, corm_str_of("org.apache.cassandra.db.compaction.LeveledCompactionStrategy"));
    if (options->bloom_filter_fp_chance == -1)
        options->bloom_filter_fp_chance = leveled ? 0.1 : 0.01;
}

corm_status cql__table_options_read(const cql_option_context *c, const cql_property *properties,
                                    uint32_t count, cql_table_options *options) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const cql_property *property = cql__property_find(properties, count, options_table[i].name);
        if (property) CORM_TRY(read_option(c, property, &options_table[i], options));
    }
    settle_bloom_filter(options);
    return CORM_OK;
}

/* ---- checking ---- */

static corm_status check_chances(const cql_table_options *options, corm_error *err) {
    static const double smallest = 6.71e-5;
    double              bloom = options->bloom_filter_fp_chance;
    double              crc = options->crc_check_chance;
    bool                bad = bloom <= smallest || bloom > 1;
    if (!bad && !(crc < 0 || crc > 1)) return CORM_OK;
    base_buf got = { 0 };
    base__put_double(&got, bad ? bloom : crc);
    const char *shown = base__buf_cstr(&got);
    corm_status status =
        !shown ? base__fail_memory(err)
        : bad  ? base__fail(
                     err, CORM_CONFIG_ERROR,
                     "bloom_filter_fp_chance must be larger than 6.71E-5 and less than or equal "
                      "to 1.0 (got %s)",
                     shown)
              : base__fail(err, CORM_CONFIG_ERROR,
                           "crc_check_chance must be larger than or equal to 0 and smaller than or "
                           "equal to 1.0 (got %s)",
                           shown);
    base__buf_free(&got);
    return status;
}

static corm_status check_least(const char *name, int32_t value, int32_t least, corm_error *err) {
    if (value >= least) return CORM_OK;
    return base__fail(err, CORM_CONFIG_ERROR, "%s must be greater than or equal to %d (got %d)",
                      name, least, value);
}

static corm_status check_numbers(const cql_table_options *options, corm_error *err) {
    enum { MOST_SECONDS = 630720000 };
    CORM_TRY(check_least("default_time_to_live", options->default_time_to_live, 0, err));
    if (options->default_time_to_live > MOST_SECONDS) {
        return base__fail(err, CORM_CONFIG_ERROR,
                          "default_time_to_live must be less than or equal to %d (got %d)",
                          MOST_SECONDS, options->default_time_to_live);
    }
    CORM_TRY(check_least("gc_grace_seconds", options->gc_grace_seconds, 0, err));
    CORM_TRY(check_least("min_index_interval", options->min_index_interval, 1, err));
    if (options->max_index_interval < options->min_index_interval) {
        return base__fail(
            err, CORM_CONFIG_ERROR,
            "max_index_interval must be greater than or equal to min_index_interval (%d) (got %d)",
            options->min_index_interval, options->max_index_interval);
    }
    return check_least("memtable_flush_period_in_ms", options->memtable_flush_period_in_ms, 0, err);
}

corm_status cql__table_options_validate(const cql_option_context *c,
                                        const cql_table_options  *options) {
    CORM_TRY(cql__check_compaction(c, &options->compaction));
    CORM_TRY(check_chances(options, c->err));
    return check_numbers(options, c->err);
}

corm_status cql__table_options_check(const cql_option_context *c, const cql_property *properties,
                                     uint32_t count) {
    const char       *known[OPTIONS + 2];
    cql_table_options options;
    for (size_t i = 0; i < OPTIONS; i++) known[i] = options_table[i].name;
    known[OPTIONS] = "id";
    known[OPTIONS + 1] = "auto_repair";
    CORM_TRY(cql__properties_known(c, properties, count, known, OPTIONS + 2));
    if (cql__property_find(properties, count, "auto_repair")) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "auto_repair option is not supported unless auto-repair is enabled with "
                          "-Dcassandra.autorepair.enable=true");
    }
    cql__table_options_init(&options);
    CORM_TRY(cql__table_options_read(c, properties, count, &options));
    return cql__table_options_validate(c, &options);
}

corm_status cql__table_options_id(const cql_property *properties, uint32_t count, bool *given,
                                  corm_uuid *id, corm_error *err) {
    const cql_property *property = cql__property_find(properties, count, "id");
    corm_str            text;
    char                copy[37];
    *given = property != NULL;
    if (!property) return CORM_OK;
    CORM_TRY(cql__property_text(property, &text, err));
    if (text.len == sizeof copy - 1) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        if (corm_uuid_parse(copy, id, NULL) == CORM_OK) return CORM_OK;
    }
    return base__fail(err, CORM_CONFIG_ERROR, "Invalid table id");
}

/* ---- comparing and printing ---- */

static bool same_double(double a, double b) {
    return a == b || (a != a && b != b);
}

static bool option_equal(const table_option *option, const void *a, const void *b) {
    switch (option->kind) {
    case OPTION_TEXT:
    case OPTION_RETRY:
    case OPTION_REPAIR:
    case OPTION_MEMTABLE: return corm_str_equal(*(const corm_str *)a, *(const corm_str *)b);
    case OPTION_DOUBLE: return same_double(*(const double *)a, *(const double *)b);
    case OPTION_INT: return *(const int32_t *)a == *(const int32_t *)b;
    case OPTION_BOOL: return *(const bool *)a == *(const bool *)b;
    case OPTION_UNLESS_OFF: return (*(const int8_t *)a == 0) == (*(const int8_t *)b == 0);
    case OPTION_CACHING:
    case OPTION_COMPACTION:
    case OPTION_COMPRESSION:
    case OPTION_IGNORED: break;
    }
    return cql__map_option_equal(a, b);
}

bool cql__table_options_equal(const cql_table_options *a, const cql_table_options *b) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const table_option *option = &options_table[i];
        if (!option_equal(option, value_of(a, option), value_of(b, option))) return false;
    }
    return true;
}

static void put_option(const table_option *option, const void *value, base_buf *out) {
    switch (option->kind) {
    case OPTION_TEXT:
    case OPTION_RETRY:
    case OPTION_REPAIR:
    case OPTION_MEMTABLE: cql__put_quoted(out, *(const corm_str *)value); return;
    case OPTION_DOUBLE: base__put_double(out, *(const double *)value); return;
    case OPTION_INT: base__buf_printf(out, "%d", *(const int32_t *)value); return;
    case OPTION_BOOL: base__buf_puts(out, *(const bool *)value ? "true" : "false"); return;
    case OPTION_UNLESS_OFF:
        base__buf_puts(out, *(const int8_t *)value != 0 ? "true" : "false");
        return;
    case OPTION_CACHING:
    case OPTION_COMPACTION:
    case OPTION_COMPRESSION:
    case OPTION_IGNORED: cql__put_pairs(out, value); return;
    }
}

void cql__table_options_print(const cql_table_options *options, bool is_view, const char *separator,
                              base_buf *out) {
    for (size_t i = 0; i < OPTIONS; i++) {
        const table_option *option = &options_table[i];
        if (is_view && strcmp(option->name, "default_time_to_live") == 0) continue;
        if (i > 0) base__buf_puts(out, separator);
        base__buf_printf(out, "%s = ", option->name);
        put_option(option, value_of(options, option), out);
    }
}
