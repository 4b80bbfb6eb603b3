// SPDX-License-Identifier: MIT
/* options_map.c -- the caching and compression options: from the map that is written to the one
 * that is stored and shown. Nothing of them has an effect on how rows are stored. Pure;
 * any thread. */
#include <math.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/options.h"
#include "cql/schema_build.h"

/* ---- caching ---- */

static corm_status read_keys(const cql_option_context *c, corm_str value, corm_str *out) {
    bool all = value.data && base__str_equal_nocase(value, corm_str_of("all"));
    *out = corm_str_of(all ? "ALL" : "NONE");
    if (all || !value.data || base__str_equal_nocase(value, corm_str_of("none"))) return CORM_OK;
    return base__fail(
        c->err, CORM_CONFIG_ERROR,
        "Invalid value '%.*s' for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed",
        CQL_S(value));
}

static corm_status read_rows(const cql_option_context *c, corm_str value, corm_str *out) {
    int32_t rows = 0;
    *out = corm_str_of("NONE");
    if (!value.data || base__str_equal_nocase(value, corm_str_of("none"))) return CORM_OK;
    *out = corm_str_of("ALL");
    if (base__str_equal_nocase(value, corm_str_of("all"))) return CORM_OK;
    if (!cql__java_is_numeric(value) || !cql__java_int(value, &rows)) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Invalid value '%.*s' for caching sub-option 'rows_per_partition': only "
                          "'ALL', 'NONE', and integer values are allowed",
                          CQL_S(value));
    }
    if (rows == INT32_MAX) return CORM_OK;
    *out = rows == 0 ? corm_str_of("NONE") : base__arena_printf(c->arena, "%d", rows);
    return out->data ? CORM_OK : base__fail_memory(c->err);
}

static corm_status refuse_keys(const cql_option_context *c, const char *format,
                               const cql_map_option *map) {
    base_buf keys = { 0 };
    cql__put_keys(&keys, map);
    const char *shown = base__buf_cstr(&keys);
    corm_status status =
        shown ? base__fail(c->err, CORM_CONFIG_ERROR, format, shown) : base__fail_memory(c->err);
    base__buf_free(&keys);
    return status;
}

corm_status cql__read_caching(const cql_option_context *c, const cql_map_option *in,
                              cql_map_option *out) {
    corm_str       keys;
    corm_str       rows;
    cql_map_option rest;
    cql_map_option unknown;
    CORM_TRY(cql__map_take(c, in, "keys", &keys, &rest));
    CORM_TRY(read_keys(c, keys, &keys));
    rows = cql__map_option_get(&rest, "rows_per_partition");
    CORM_TRY(read_rows(c, rows, &rows));
    unknown = rest;
    unknown.count = 0;
    for (uint32_t i = 0; i < rest.count; i++) {
        corm_str name = rest.pairs[2 * i];
        if (!corm_str_equal(name, corm_str_of("rows_per_partition")))
            unknown.pairs[2 * unknown.count++] = name;
    }
    if (unknown.count > 0) {
        return refuse_keys(
            c, "Invalid caching sub-options %s: only 'keys' and 'rows_per_partition' are allowed",
            &unknown);
    }
    *out = (cql_map_option){ 0, NULL };
    CORM_TRY(cql__map_add(c, out, corm_str_of("keys"), keys));
    return cql__map_add(c, out, corm_str_of("rows_per_partition"), rows);
}

/* ---- compression ---- */

#define PACKAGE "org.apache.cassandra.io.compress"

typedef struct compressor {
    const char *name;
    const char *options[2]; /* names */
    corm_status (*check)(const cql_option_context *c, const cql_map_option *options);
} compressor;

static corm_status check_lz4(const cql_option_context *c, const cql_map_option *options) {
    corm_str type = cql__map_option_get(options, "lz4_compressor_type");
    corm_str level = cql__map_option_get(options, "lz4_high_compressor_level");
    int32_t  number;
    if (type.data && !corm_str_equal(type, corm_str_of("high")) &&
        !corm_str_equal(type, corm_str_of("fast"))) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Invalid compressor type '%.*s' specified for LZ4 parameter "
                          "'lz4_compressor_type'. Valid options are [high, fast].",
                          CQL_S(type));
    }
    if (!level.data || (cql__java_int(level, &number) && number >= 1 && number <= 17))
        return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "Invalid value [%.*s] for parameter 'lz4_high_compressor_level'. Value must "
                      "be between 1 and 17.",
                      CQL_S(level));
}

static corm_status check_zstd(const cql_option_context *c, const cql_map_option *options) {
    enum { FASTEST = -131072, BEST = 22 };
    corm_str level = cql__map_option_get(options, "compression_level");
    int32_t  number;
    if (!level.data) return CORM_OK;
    if (!cql__java_int(level, &number)) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "ZstdCompressor.create() threw an error: java.lang.NumberFormatException "
                          "For input string: \"%.*s\"",
                          CQL_S(level));
    }
    if (number >= FASTEST && number <= BEST) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "ZstdCompressor.create() threw an error: java.lang.IllegalArgumentException "
                      "compression_level=%d is invalid",
                      number);
}

static const compressor compressors[] = {
    { "LZ4Compressor", { "lz4_compressor_type", "lz4_high_compressor_level" }, check_lz4 },
    { "ZstdCompressor", { "compression_level", NULL }, check_zstd },
    { "SnappyCompressor", { NULL, NULL }, NULL },
    { "DeflateCompressor", { NULL, NULL }, NULL },
    { "NoopCompressor", { NULL, NULL }, NULL },
};

static const compressor *find_compressor(corm_str class) {
    corm_str package = corm_str_of(PACKAGE ".");
    if (!base__str_has_prefix(class, package)) return NULL;
    corm_str name = { class.data + package.len, class.len - package.len };
    for (size_t i = 0; i < sizeof compressors / sizeof *compressors; i++) {
        if (corm_str_equal(name, corm_str_of(compressors[i].name))) return &compressors[i];
    }
    return NULL;
}

static bool takes(const compressor *by, corm_str name) {
    for (size_t i = 0; i < 2; i++) {
        if (by->options[i] && corm_str_equal(name, corm_str_of(by->options[i]))) return true;
    }
    return false;
}

/* The class, and what is left of the options for it. */
static corm_status check_class(const cql_option_context *c, corm_str class,
                               const cql_map_option     *options) {
    const compressor *found = find_compressor(class);
    if (!found) {
        return base__fail(c->err, CORM_CONFIG_ERROR, "Could not create Compression for type %.*s",
                          CQL_S(class));
    }
    if (found->check) CORM_TRY(found->check(c, options));
    for (uint32_t i = 0; i < options->count; i++) {
        if (takes(found, options->pairs[2 * i])) continue;
        return base__fail(c->err, CORM_CONFIG_ERROR, "Unknown compression options %.*s",
                          CQL_S(options->pairs[2 * i]));
    }
    return CORM_OK;
}

static corm_status read_chunk_length(const cql_option_context *c, corm_str value, int32_t *out) {
    *out = 16;
    if (!value.data) return CORM_OK;
    if (!cql__java_int(value, out)) {
        return base__fail(c->err, CORM_CONFIG_ERROR, "Invalid value for chunk_length_in_kb");
    }
    if (*out <= INT32_MAX / 1024) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR, "Value of chunk_length_in_kb is too large (%d)",
                      *out);
}

static corm_status read_ratio(const cql_option_context *c, corm_str value, double *out) {
    *out = 0;
    if (!value.data || cql__java_double(value, out)) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR, "Invalid value for min_compress_ratio");
}

static corm_status check_numbers(const cql_option_context *c, int32_t chunk, double ratio) {
    if (chunk <= 0)
        return base__fail(c->err, CORM_CONFIG_ERROR, "Invalid negative or null chunk_length_in_kb");
    if ((chunk & (chunk - 1)) != 0) {
        return base__fail(c->err, CORM_CONFIG_ERROR, "chunk_length_in_kb must be a power of 2");
    }
    if (ratio < 0)
        return base__fail(c->err, CORM_CONFIG_ERROR, "Invalid negative min_compress_ratio");
    if (ratio == 0 || ratio >= 1 || isnan(ratio)) return CORM_OK;
    return base__fail(c->err, CORM_CONFIG_ERROR,
                      "min_compress_ratio can either be 0 or greater than or equal to 1");
}

static corm_status store(const cql_option_context *c, corm_str class, int32_t chunk, double ratio,
                         cql_map_option *out) {
    base_buf number = { 0 };
    base__put_double(&number, ratio);
    corm_str ratio_text = base__arena_str(c->arena, base__buf_str(&number));
    corm_str chunk_text = base__arena_printf(c->arena, "%d", chunk);
    base__buf_free(&number);
    if (!ratio_text.data || !chunk_text.data) return base__fail_memory(c->err);
    CORM_TRY(cql__map_add(c, out, corm_str_of("class"), class));
    CORM_TRY(cql__map_add(c, out, corm_str_of("chunk_length_in_kb"), chunk_text));
    if (ratio != 0) CORM_TRY(cql__map_add(c, out, corm_str_of("min_compress_ratio"), ratio_text));
    return CORM_OK;
}

static corm_status disabled(const cql_option_context *c, cql_map_option *out) {
    if (out->count > 0) {
        return base__fail(
            c->err, CORM_CONFIG_ERROR,
            "If the 'enabled' option is set to false no other options must be specified");
    }
    return cql__map_add(c, out, corm_str_of("enabled"), corm_str_of("false"));
}

static corm_status enabled(const cql_option_context *c, cql_map_option *out) {
    corm_str name = cql__map_remove(out, "class");
    int32_t  chunk;
    double   ratio;
    if (!name.data) {
        return base__fail(c->err, CORM_CONFIG_ERROR,
                          "Missing sub-option 'class' for the 'compression' option.");
    }
    if (name.len == 0) {
        return base__fail(
            c->err, CORM_CONFIG_ERROR,
            "The 'class' option must not be empty. To disable compression use 'enabled' : false");
    }
    CORM_TRY(read_chunk_length(c, cql__map_remove(out, "chunk_length_in_kb"), &chunk));
    CORM_TRY(read_ratio(c, cql__map_remove(out, "min_compress_ratio"), &ratio));
    corm_str class = cql__class_name(c->arena, PACKAGE, name);
    if (!class.data) return base__fail_memory(c->err);
    CORM_TRY(check_class(c, class, out));
    CORM_TRY(check_numbers(c, chunk, ratio));
    return store(c, class, chunk, ratio, out);
}

corm_status cql__read_compression(const cql_option_context *c, const cql_map_option *in,
                                  cql_map_option *out) {
    *out = *in;
    CORM_TRY(cql__map_order(c, out, CQL_JAVA_CAPACITY));
    corm_str word = cql__map_remove(out, "enabled");
    bool off = in->count == 0 || (word.data && !base__str_equal_nocase(word, corm_str_of("true")));
    return off ? disabled(c, out) : enabled(c, out);
}
