// SPDX-License-Identifier: MIT
#include "cql/options.h"

#include "cql/options_size.h"
#include "cql/parser.h"
#include "cql/replication.h"
#include "cql/schema_build.h"
#include "testing/check.h"

/* Reads WITH … and gives the first error, else what DESCRIBE shows with commas. */
static corm_status read_options(base_arena *arena, const char *with, base_buf *shown,
                                corm_error *err) {
    cql_option_context c = { .arena = arena, .err = err };
    cql_statement     *statement = NULL;
    cql_table_options  options;
    corm_str text = base__arena_printf(arena, "CREATE TABLE t (k int PRIMARY KEY) WITH %s", with);
    assert_ok(cql__parse(arena, text, &statement, NULL, err), *err);
    const cql_create_table *s = &statement->as.create_table;
    cql__table_options_init(&options);
    corm_status status = cql__table_options_read(&c, s->properties, s->property_count, &options);
    if (status == CORM_OK) status = cql__table_options_check(&c, s->properties, s->property_count);
    if (status == CORM_OK) cql__table_options_print(&options, false, ", ", shown);
    return status;
}

static void options_are_shown_in_the_form_of_the_server(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "crc_check_chance = 1e-5", "crc_check_chance = 1.0E-5" },
        { "comment = 'it''s'", "comment = 'it''s'" },
        { "default_time_to_live = '+7'", "default_time_to_live = 7" },
        { "cdc = 'YES'", "cdc = true" },
        { "allow_auto_snapshot = 0", "allow_auto_snapshot = false" },
        { "read_repair = 'none'", "read_repair = 'NONE'" },
        { "speculative_retry = 'MAX( 50ms ,99.50p)'", NULL },
        { "speculative_retry = 'min(50.9ms , 99.50P)'", "speculative_retry = 'MIN(99.5p,50ms)'" },
        { "additional_write_policy = 'None'", "additional_write_policy = 'NEVER'" },
        { "caching = {'keys': 'NONE', 'rows_per_partition': '0'}",
          "caching = {'keys': 'NONE', 'rows_per_partition': 'NONE'}" },
        { "compression = {}", "compression = {'enabled': 'false'}" },
        { "compression = {'class': 'NoopCompressor', 'min_compress_ratio': 2, "
          "'chunk_length_in_kb': 8}",
          "compression = {'chunk_length_in_kb': '8', 'class': "
          "'org.apache.cassandra.io.compress.NoopCompressor', 'min_compress_ratio': '2.0'}" },
        { "compaction = {'class': 'LeveledCompactionStrategy'}", "bloom_filter_fp_chance = 0.1" },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': '+3,N ,L2'}",
          "compaction = {'class': 'org.apache.cassandra.db.compaction.UnifiedCompactionStrategy', "
          "'scaling_parameters': '+3,N ,L2'}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_arena  arena = { 0 };
        base_buf    shown = { 0 };
        corm_error  err;
        corm_status status = read_options(&arena, cases[i][0], &shown, &err);
        if (!cases[i][1]) {
            assert_status(status, CORM_CONFIG_ERROR);
        } else {
            assert_ok(status, err);
            if (!strstr(base__buf_cstr(&shown), cases[i][1]))
                fail_msg("%s\n%s", cases[i][0], shown.data);
        }
        base__buf_free(&shown);
        base__arena_free(&arena);
    }
}

static void what_the_golden_files_leave_out_is_refused_too(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "read_repair = 'x'", "Invalid value x for option 'read_repair'" },
        { "compression = {'class': 'LZ4Compressor', 'min_compress_ratio': 'x'}",
          "Invalid value for min_compress_ratio" },
        { "caching = {'rows_per_partition': 99999999999}",
          "Invalid value '99999999999' for caching sub-option 'rows_per_partition': only 'ALL', "
          "'NONE', and integer values are allowed" },
        { "compaction = {'class': 'SizeTieredCompactionStrategy', 'min_threshold': 99999999999}",
          "Invalid value 99999999999 for 'min_threshold' compaction sub-option - must be an "
          "integer" },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'scaling_parameters': "
          "'L99999999999'}",
          "L99999999999 is not a parsable int (base10) for scaling_parameters" },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'target_sstable_size': '9EiB'}",
          "target_sstable_size 9EiB is out of range of Long." },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'target_sstable_size': '5xB'}",
          "target_sstable_size 5xB is not a valid size in bytes: Unexpected characters between pos "
          "1 and 2 in 5xB" },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'target_sstable_size': 'B'}",
          "target_sstable_size B is not a valid size in bytes: null" },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'target_sstable_size': 'x', "
          "'min_sstable_size': '5B'}",
          "target_sstable_size x is not a valid size in bytes: x does not end in unit B" },
        { "compaction = {'class': 'UnifiedCompactionStrategy', 'sstable_growth': '200%'}",
          "sstable_growth 200% must be between 0 and 1" },
        { "id = 'x'", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_arena  arena = { 0 };
        base_buf    shown = { 0 };
        corm_error  err = { .message = "" };
        corm_status status = read_options(&arena, cases[i][0], &shown, &err);
        if (cases[i][1]) {
            assert_status(status, CORM_CONFIG_ERROR);
            assert_string_equal(err.message, cases[i][1]);
        } else {
            assert_ok(status, err);
        }
        base__buf_free(&shown);
        base__arena_free(&arena);
    }
}

static void sizes_have_a_prefix_and_end_in_bytes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double      value;
    } good[] = { { "5B", 5 },
                 { "1KiB", 1024 },
                 { "2.5 MiB", 2.5 * 1048576 },
                 { "-1GiB", -1073741824.0 },
                 { "3kB", -1 },
                 { "3KB", 3000 },
                 { "1e3B", 1000 },
                 { "1E+2\tB", 100 },
                 { "1TiB", 1099511627776.0 } };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double   value = 0;
        corm_str why;
        bool     read = cql__parse_size(&arena, corm_str_of(good[i].text), &value, &why);
        assert_true(read == (good[i].value != -1));
        if (read) assert_true(value == good[i].value);
    }
    assert_true(corm_str_equal(cql__show_size(&arena, 0), corm_str_of("0B")));
    assert_true(corm_str_equal(cql__show_size(&arena, 1536), corm_str_of("1.500KiB")));
    assert_true(corm_str_equal(cql__show_size(&arena, -1048576), corm_str_of("-1.000MiB")));
    assert_true(corm_str_equal(cql__show_size(&arena, INT64_MAX), corm_str_of("8.000EiB")));
    base__arena_free(&arena);
}

static corm_status replicate(base_arena *arena, const char *map, const cql_map_option *before,
                             cql_map_option *out, int32_t *copies, corm_error *err) {
    cql_option_context c = { .arena = arena, .err = err };
    cql_statement     *statement = NULL;
    cql_map_option     written;
    corm_str           datacenter;
    bool               local;
    corm_str text = base__arena_printf(arena, "CREATE KEYSPACE k WITH replication = %s", map);
    assert_ok(cql__parse(arena, text, &statement, NULL, err), *err);
    assert_ok(cql__property_map(&c, &statement->as.keyspace.properties[0], &written), *err);
    corm_status status = cql__read_replication(&c, &written, before, out, &local);
    if (status == CORM_OK)
        status = cql__check_replication(&c, corm_str_of("k"), out, copies, &datacenter);
    return status;
}

static void replication_is_filled_up_from_before(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    cql_map_option first = { 0 };
    cql_map_option second;
    int32_t        copies = 0;
    corm_error     err;
    assert_ok(replicate(&arena, "{'class': 'SimpleStrategy', 'replication_factor': '2'}", NULL,
                        &first, &copies, &err),
              err);
    assert_int_equal(copies, 2);
    assert_ok(replicate(&arena, "{'class': 'SimpleStrategy'}", &first, &second, &copies, &err),
              err);
    assert_int_equal(copies, 2);
    assert_ok(
        replicate(&arena, "{'class': 'NetworkTopologyStrategy'}", &first, &second, &copies, &err),
        err);
    assert_int_equal(copies, 2);
    assert_true(corm_str_equal(cql__map_option_get(&second, "datacenter1"), corm_str_of("2")));
    base__arena_free(&arena);
}

static void replication_that_cannot_be_is_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{'class': 'SimpleStrategy', 'replication_factor': '3/1'}",
          "Transient replication is not enabled on this node" },
        { "{'class': 'SimpleStrategy', 'replication_factor': '3/'}",
          "Replication factor format is <replicas> or <replicas>/<transient>" },
        { "{'class': 'SimpleStrategy', 'replication_factor': '3/x'}", "For input string: \"x\"" },
        { "{'class': 'NetworkTopologyStrategy', 'Replication_Factor': '1'}",
          "replication_factor should not appear as an option at construction time for "
          "NetworkTopologyStrategy" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        base_arena     arena = { 0 };
        cql_map_option out;
        int32_t        copies;
        corm_error     err;
        assert_status(replicate(&arena, cases[i][0], NULL, &out, &copies, &err), CORM_CONFIG_ERROR);
        assert_string_equal(err.message, cases[i][1]);
        base__arena_free(&arena);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_shown_in_the_form_of_the_server),
        cmocka_unit_test(what_the_golden_files_leave_out_is_refused_too),
        cmocka_unit_test(sizes_have_a_prefix_and_end_in_bytes),
        cmocka_unit_test(replication_is_filled_up_from_before),
        cmocka_unit_test(replication_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
