// SPDX-License-Identifier: MIT
/* ddl_guard.c -- guard rails of schema statements, in the server's words. See guard.h. Pure; any thread. */
#include "cql/ddl_guard.h"

/* Which of the two thresholds a number is over. */
typedef enum verdict { PASSES, WARNS, FAILS } verdict;

static verdict judge(const cql_ddl *ddl, cql_guard_name warn, cql_guard_name fail, int64_t value) {
    if (!ddl->guard) return PASSES;
    if (cql__guard_over(ddl->guard, fail, value)) return FAILS;
    return cql__guard_over(ddl->guard, warn, value) ? WARNS : PASSES;
}

static long long limit(const cql_ddl *ddl, cql_guard_name name) {
    return (long long)ddl->guard->values[name];
}

corm_status cql__guard_flag(cql_ddl *ddl, cql_guard_name flag, const char *name, const char *what) {
    if (!ddl->guard || ddl->guard->values[flag]) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID, "Guardrail %s violated: %s is not allowed", name,
                      what);
}

/* ---- how many there are ---- */

static uint32_t count_users(const cql_schema *schema, bool tables) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        const cql_keyspace *keyspace = schema->keyspaces[i];
        if (!keyspace->is_system && !keyspace->is_virtual)
            count += tables ? keyspace->table_count : 1;
    }
    return count;
}

corm_status cql__guard_keyspace(cql_ddl *ddl, corm_str name) {
    uint32_t count = count_users(ddl->schema, false) + 1;
    verdict  v = judge(ddl, CQL_GUARD_KEYSPACES_WARN, CQL_GUARD_KEYSPACES_FAIL, count);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(ddl->err, CORM_INVALID,
                          "Guardrail keyspaces violated: Cannot have more than %lld keyspaces, "
                          "aborting the creation of keyspace %.*s",
                          limit(ddl, CQL_GUARD_KEYSPACES_FAIL), CQL_S(name));
    return cql__ddl_warn(
        ddl, base__arena_printf(ddl->arena,
                                "Guardrail keyspaces violated: Creating keyspace %.*s, current "
                                "number of keyspaces %u exceeds warning threshold of %lld.",
                                CQL_S(name), count, limit(ddl, CQL_GUARD_KEYSPACES_WARN)));
}

corm_status cql__guard_table(cql_ddl *ddl, corm_str name) {
    uint32_t count = count_users(ddl->schema, true) + 1;
    verdict  v = judge(ddl, CQL_GUARD_TABLES_WARN, CQL_GUARD_TABLES_FAIL, count);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(ddl->err, CORM_INVALID,
                          "Guardrail tables violated: Cannot have more than %lld tables, aborting "
                          "the creation of table %.*s",
                          limit(ddl, CQL_GUARD_TABLES_FAIL), CQL_S(name));
    return cql__ddl_warn(
        ddl, base__arena_printf(ddl->arena,
                                "Guardrail tables violated: Creating table %.*s, current number of "
                                "tables %u exceeds warning threshold of %lld.",
                                CQL_S(name), count, limit(ddl, CQL_GUARD_TABLES_WARN)));
}

corm_status cql__guard_index(cql_ddl *ddl, const cql_table *table, corm_str name) {
    uint32_t count = table->index_count + 1;
    CORM_TRY(
        cql__guard_flag(ddl, CQL_GUARD_INDEXES, "secondary_indexes", "Creating secondary indexes"));
    verdict v = judge(ddl, CQL_GUARD_INDEXES_WARN, CQL_GUARD_INDEXES_FAIL, count);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(ddl->err, CORM_INVALID,
                          "Guardrail secondary_indexes_per_table violated: Tables cannot have more "
                          "than %lld secondary indexes, aborting the creation of secondary index "
                          "%.*s on table %.*s",
                          limit(ddl, CQL_GUARD_INDEXES_FAIL), CQL_S(name), CQL_S(table->name));
    return cql__ddl_warn(
        ddl, base__arena_printf(
                 ddl->arena,
                 "Guardrail secondary_indexes_per_table violated: Creating secondary "
                 "index %.*s on table %.*s, current number of indexes %u exceeds "
                 "warning threshold of %lld.",
                 CQL_S(name), CQL_S(table->name), count, limit(ddl, CQL_GUARD_INDEXES_WARN)));
}

corm_status cql__guard_view(cql_ddl *ddl, const cql_table *base, corm_str name) {
    uint32_t count = base->view_count + 1;
    verdict  v = judge(ddl, CQL_GUARD_VIEWS_WARN, CQL_GUARD_VIEWS_FAIL, count);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(
            ddl->err, CORM_INVALID,
            "Guardrail materialized_views_per_table violated: Tables cannot have more "
            "than %lld materialized views, aborting the creation of materialized view "
            "%.*s on table %.*s",
            limit(ddl, CQL_GUARD_VIEWS_FAIL), CQL_S(name), CQL_S(base->name));
    return cql__ddl_warn(
        ddl, base__arena_printf(ddl->arena,
                                "Guardrail materialized_views_per_table violated: Creating "
                                "materialized view %.*s on table %.*s, current number of views %u "
                                "exceeds warning threshold of %lld.",
                                CQL_S(name), CQL_S(base->name), count,
                                limit(ddl, CQL_GUARD_VIEWS_WARN)));
}

/* ---- what they are like ---- */

corm_status cql__guard_columns(cql_ddl *ddl, corm_str table, uint32_t count) {
    verdict v = judge(ddl, CQL_GUARD_COLUMNS_WARN, CQL_GUARD_COLUMNS_FAIL, count);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(ddl->err, CORM_INVALID,
                          "Guardrail columns_per_table violated: Tables cannot have more than %lld "
                          "columns, but %u provided for table %.*s",
                          limit(ddl, CQL_GUARD_COLUMNS_FAIL), count, CQL_S(table));
    return cql__ddl_warn(
        ddl, base__arena_printf(ddl->arena,
                                "Guardrail columns_per_table violated: The table %.*s has %u "
                                "columns, this exceeds the warning threshold of %lld.",
                                CQL_S(table), count, limit(ddl, CQL_GUARD_COLUMNS_WARN)));
}

corm_status cql__guard_fields(cql_ddl *ddl, corm_str type, uint32_t count) {
    verdict v = judge(ddl, CQL_GUARD_FIELDS_WARN, CQL_GUARD_FIELDS_FAIL, count);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(
            ddl->err, CORM_INVALID,
            "Guardrail fields_per_udt violated: User types cannot have more than %lld "
            "columns, but %u provided for user type %.*s.",
            limit(ddl, CQL_GUARD_FIELDS_FAIL), count, CQL_S(type));
    return cql__ddl_warn(
        ddl, base__arena_printf(ddl->arena,
                                "Guardrail fields_per_udt violated: The user type %.*s has %u "
                                "columns, this exceeds the warning threshold of %lld.",
                                CQL_S(type), count, limit(ddl, CQL_GUARD_FIELDS_WARN)));
}

corm_status cql__guard_vector(cql_ddl *ddl, const char *what, corm_str name, const cql_type *type) {
    if (type->id != CQL_VECTOR) return CORM_OK;
    verdict v = judge(ddl, CQL_GUARD_DIMENSIONS_WARN, CQL_GUARD_DIMENSIONS_FAIL, type->dimension);
    if (v == PASSES) return CORM_OK;
    if (v == FAILS)
        return base__fail(ddl->err, CORM_INVALID,
                          "Guardrail vector_dimensions violated: %s %.*s has a vector of %u "
                          "dimensions, this exceeds the failure threshold of %lld.",
                          what, CQL_S(name), type->dimension,
                          limit(ddl, CQL_GUARD_DIMENSIONS_FAIL));
    return cql__ddl_warn(
        ddl, base__arena_printf(ddl->arena,
                                "Guardrail vector_dimensions violated: %s %.*s has a vector of %u "
                                "dimensions, this exceeds the warning threshold of %lld.",
                                what, CQL_S(name), type->dimension,
                                limit(ddl, CQL_GUARD_DIMENSIONS_WARN)));
}

corm_status cql__guard_compression(cql_ddl *ddl, const cql_table_options *options) {
    corm_str enabled = cql__map_option_get(&options->compression, "enabled");
    if (!enabled.data || !corm_str_equal(enabled, corm_str_of("false"))) return CORM_OK;
    return cql__guard_flag(ddl, CQL_GUARD_UNCOMPRESSED, "uncompressed_tables_enabled",
                           "Uncompressed table");
}

/* ---- options ---- */

static corm_status say(cql_ddl *ddl, cql_guard_name name, uint64_t given, corm_str *out) {
    base_buf text = { 0 };
    cql__guard_put(&text, ddl->guard, name, given);
    corm_status status = base__buf_status(&text, ddl->err);
    *out = base__arena_str(ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return status == CORM_OK && !out->data ? base__fail_memory(ddl->err) : status;
}

static corm_status warn_of(cql_ddl *ddl, cql_guard_name name, uint64_t given) {
    corm_str text;
    if (!cql__guard_has(ddl->guard, name, given)) return CORM_OK;
    CORM_TRY(say(ddl, name, given, &text));
    return cql__ddl_warn(ddl, text);
}

static corm_status leave_out(cql_ddl *ddl, cql_property **properties, uint32_t *count) {
    cql_property *kept = BASE_NEW_ARRAY(ddl->arena, cql_property, *count);
    uint32_t      used = 0;
    if (!kept) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < *count; i++) {
        uint64_t bit = cql__guard_bit(CQL_GUARD_PROPERTIES, (*properties)[i].name.text);
        if (!cql__guard_has(ddl->guard, CQL_GUARD_PROPERTIES_IGNORED, bit))
            kept[used++] = (*properties)[i];
    }
    *properties = kept;
    *count = used;
    return CORM_OK;
}

corm_status cql__guard_properties(cql_ddl *ddl, cql_property **properties, uint32_t *count) {
    uint64_t given = 0;
    corm_str text;
    if (!ddl->guard) return CORM_OK;
    for (uint32_t i = 0; i < *count; i++)
        given |= cql__guard_bit(CQL_GUARD_PROPERTIES, (*properties)[i].name.text);
    if (cql__guard_has(ddl->guard, CQL_GUARD_PROPERTIES_DISALLOWED, given)) {
        CORM_TRY(say(ddl, CQL_GUARD_PROPERTIES_DISALLOWED, given, &text));
        return base__fail(ddl->err, CORM_INVALID, "%.*s", CQL_S(text));
    }
    if (cql__guard_has(ddl->guard, CQL_GUARD_PROPERTIES_IGNORED, given)) {
        CORM_TRY(warn_of(ddl, CQL_GUARD_PROPERTIES_IGNORED, given));
        CORM_TRY(leave_out(ddl, properties, count));
    }
    return warn_of(ddl, CQL_GUARD_PROPERTIES_WARNED, given);
}

#define ZERO_TTL                                                                                   \
    "Guardrail zero_ttl_on_twcs violated: 0 default_time_to_live on a table with "                 \
    "TimeWindowCompactionStrategy compaction strategy is not %s. It is suspicious to use "         \
    "default_time_to_live set to 0 with such compaction strategy. Please keep in mind that data "  \
    "will not start to automatically expire after they are older than a respective compaction "    \
    "window unit of a certain size. Please set TTL for your INSERT or UPDATE statements if you "   \
    "expect data to be expired as table settings will not do it. "

static bool is_of_time_windows(const cql_table_options *options) {
    static const char name[] = "TimeWindowCompactionStrategy";
    size_t            len = sizeof name - 1;
    corm_str class = cql__map_option_get(&options->compaction, "class");
    return class.len >= len && memcmp(class.data + class.len - len, name, len) == 0;
}

corm_status cql__guard_ttl(cql_ddl *ddl, const cql_property *properties, uint32_t count) {
    cql_option_context c = cql__ddl_options(ddl);
    cql_table_options  options;
    if (!ddl->guard) return CORM_OK;
    cql__table_options_init(&options);
    CORM_TRY(cql__table_options_read(&c, properties, count, &options));
    if (options.default_time_to_live != 0 || !is_of_time_windows(&options)) return CORM_OK;
    if (!ddl->guard->values[CQL_GUARD_ZERO_TTL])
        return base__fail(ddl->err, CORM_INVALID, ZERO_TTL, "allowed");
    if (!ddl->guard->values[CQL_GUARD_ZERO_TTL_WARNED]) return CORM_OK;
    return cql__ddl_warn(ddl, base__arena_printf(ddl->arena, ZERO_TTL, "recommended"));
}
