// SPDX-License-Identifier: MIT
/* guard_test.c -- guard rails: each warns and fails in the words of Cassandra 5.0.9, which a role without superuser rights got with
 * the thresholds below. */
#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

static const char thresholds[] =
    "keyspaces_warn_threshold=2, keyspaces_fail_threshold=3\n"
    "# a comment\n"
    "tables_warn_threshold: 5, tables_fail_threshold: 8\n"
    "columns_per_table_warn_threshold=6, columns_per_table_fail_threshold=8,"
    "secondary_indexes_per_table_warn_threshold=1, secondary_indexes_per_table_fail_threshold=2,"
    "materialized_views_per_table_warn_threshold=1, materialized_views_per_table_fail_threshold=2,"
    "fields_per_udt_warn_threshold=2, fields_per_udt_fail_threshold=3,"
    "vector_dimensions_warn_threshold=3, vector_dimensions_fail_threshold=5,"
    "page_size_warn_threshold=10, page_size_fail_threshold=20,"
    "partition_keys_in_select_warn_threshold=2, partition_keys_in_select_fail_threshold=3,"
    "in_select_cartesian_product_warn_threshold=4, in_select_cartesian_product_fail_threshold=9,"
    "items_per_collection_warn_threshold=3, items_per_collection_fail_threshold=5,"
    "collection_size_warn_threshold=100B, collection_size_fail_threshold=200B,"
    "column_value_size_warn_threshold=50B, column_value_size_fail_threshold=300B,"
    "minimum_timestamp_warn_threshold=1h, minimum_timestamp_fail_threshold=2h,"
    "maximum_timestamp_warn_threshold=1h, maximum_timestamp_fail_threshold=2h,"
    "tombstone_warn_threshold=5, tombstone_failure_threshold=10,"
    "batch_size_warn_threshold=1KiB, batch_size_fail_threshold=4KiB,"
    "unlogged_batch_across_partitions_warn_threshold=2";

static engine *open_with(const char *guards) {
    engine        *store;
    engine_options options = { .map_bytes = (uint64_t)64 << 20, .guard_rails = guards };
    assert_ok(engine__open(&options, &store, &err), err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    return store;
}

static engine *open_guarded(void) {
    engine *store = open_with(thresholds);
    run(store, "CREATE TABLE k.b (k int, c int, v int, w text, l list<text>, s set<int>, PRIMARY "
               "KEY (k, c))");
    return store;
}

/* ---- asking ---- */

static wire_consistency level = WIRE_ONE, serial_level = 0;

/* The warnings are joined by "; ". */
static corm_status ask(engine *store, const char *text, int32_t page_size, base_buf *warnings) {
    engine_client client = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY, .text = corm_str_of(text) };
    request.options.consistency = level;
    request.options.serial_consistency = serial_level;
    request.options.page_size = page_size;
    corm_status status = engine__execute(store, &client, &request, &answer, &err);
    for (uint32_t i = 0; i < wire__warning_count(&answer); i++) {
        corm_str warning = wire__warning(&answer, i);
        base__buf_printf(warnings, "%s%.*s", i ? "; " : "", (int)warning.len, warning.data);
    }
    assert_non_null(base__buf_cstr(warnings));
    engine__prepared_unref(answer.prepared);
    wire__answer_free(&answer);
    return status;
}

static void warns_paged(engine *store, const char *text, int32_t page_size, const char *words) {
    base_buf warnings = { 0 };
    if (ask(store, text, page_size, &warnings) != CORM_OK) fail_msg("%s: %s", text, err.message);
    assert_string_equal(base__buf_cstr(&warnings), words);
    base__buf_free(&warnings);
}

static void warns(engine *store, const char *text, const char *words) {
    warns_paged(store, text, 0, words);
}

static void fails_paged(engine *store, const char *text, int32_t page_size, const char *words) {
    base_buf warnings = { 0 };
    assert_status(ask(store, text, page_size, &warnings), CORM_INVALID);
    assert_string_equal(err.message, words);
    base__buf_free(&warnings);
}

static void fails(engine *store, const char *text, const char *words) {
    fails_paged(store, text, 0, words);
}

/* ---- the schema ---- */

static void tables_are_counted_with_their_columns_indexes_and_views(void **state) {
    (void)state;
    engine *store = open_guarded();
    warns(store, "CREATE TABLE c6 (k int PRIMARY KEY, a int, b int, c int, d int, e int)", "");
    warns(store, "CREATE TABLE c7 (k int PRIMARY KEY, a int, b int, c int, d int, e int, f int)",
          "Guardrail columns_per_table violated: The table c7 has 7 columns, this exceeds the "
          "warning threshold of 6.");
    fails(
        store,
        "CREATE TABLE c9 (k int PRIMARY KEY, a int, b int, c int, d int, e int, f int, g int, h int)",
        "Guardrail columns_per_table violated: Tables cannot have more than 8 columns, but 9 "
        "provided for table c9");
    warns(store, "ALTER TABLE c7 ADD g int",
          "Guardrail columns_per_table violated: The table c7 has 8 columns, this exceeds the "
          "warning threshold of 6.");
    fails(store, "ALTER TABLE c7 ADD h int",
          "Guardrail columns_per_table violated: Tables cannot have more than 8 columns, but 9 "
          "provided for table c7");
    warns(store, "CREATE INDEX i1 ON c6 (a)", "");
    warns(store, "CREATE INDEX i2 ON c6 (b)",
          "Guardrail secondary_indexes_per_table violated: Creating secondary index i2 on table "
          "c6, current number of indexes 2 exceeds warning threshold of 1.");
    fails(
        store, "CREATE INDEX i3 ON c6 (c)",
        "Guardrail secondary_indexes_per_table violated: Tables cannot have more than 2 secondary "
        "indexes, aborting the creation of secondary index i3 on table c6");
    run(store, "CREATE MATERIALIZED VIEW k.v1 AS SELECT * FROM k.b WHERE k IS NOT NULL AND c IS "
               "NOT NULL PRIMARY KEY (c, k)");
    run(store, "CREATE MATERIALIZED VIEW k.v2 AS SELECT * FROM k.b WHERE k IS NOT NULL AND c IS "
               "NOT NULL PRIMARY KEY (c, k)");
    fails(store,
          "CREATE MATERIALIZED VIEW v3 AS SELECT * FROM b WHERE k IS NOT NULL AND c IS NOT NULL "
          "PRIMARY KEY (c, k)",
          "Guardrail materialized_views_per_table violated: Tables cannot have more than 2 "
          "materialized views, aborting the creation of materialized view v3 on table b");
    warns(store, "CREATE TABLE t6 (k int PRIMARY KEY)",
          "Guardrail tables violated: Creating table t6, current number of tables 6 exceeds "
          "warning threshold of 5.");
    run(store, "CREATE TABLE k.t7 (k int PRIMARY KEY)");
    run(store, "CREATE TABLE k.t8 (k int PRIMARY KEY)");
    fails(store, "CREATE TABLE t9 (k int PRIMARY KEY)",
          "Guardrail tables violated: Cannot have more than 8 tables, aborting the creation of "
          "table t9");
    engine__close(store);
}

static void views_warn_beside_their_own_warning(void **state) {
    (void)state;
    engine *store = open_guarded();
    warns(store,
          "CREATE MATERIALIZED VIEW v1 AS SELECT * FROM b WHERE k IS NOT NULL AND c IS NOT NULL "
          "PRIMARY KEY (c, k)",
          "Materialized views are experimental and are not recommended for production use.");
    warns(store,
          "CREATE MATERIALIZED VIEW v2 AS SELECT * FROM b WHERE k IS NOT NULL AND c IS NOT NULL "
          "PRIMARY KEY (c, k)",
          "Guardrail materialized_views_per_table violated: Creating materialized view v2 on table "
          "b, current number of views 2 exceeds warning threshold of 1.; Materialized views are "
          "experimental and are not recommended for production use.");
    engine__close(store);
}

static void keyspaces_and_types_are_counted(void **state) {
    (void)state;
    engine *store = open_guarded();
    run(store, "CREATE KEYSPACE k1 WITH replication = {'class': 'SimpleStrategy'}");
    warns(store, "CREATE KEYSPACE k2 WITH replication = {'class': 'SimpleStrategy'}",
          "Guardrail keyspaces violated: Creating keyspace k2, current number of keyspaces 3 "
          "exceeds warning threshold of 2.");
    fails(store, "CREATE KEYSPACE k3 WITH replication = {'class': 'SimpleStrategy'}",
          "Guardrail keyspaces violated: Cannot have more than 3 keyspaces, aborting the creation "
          "of keyspace k3");
    warns(store, "CREATE TYPE u2 (a int, b int)", "");
    warns(store, "CREATE TYPE u3 (a int, b int, c int)",
          "Guardrail fields_per_udt violated: The user type u3 has 3 columns, this exceeds the "
          "warning threshold of 2.");
    fails(store, "CREATE TYPE u4 (a int, b int, c int, d int)",
          "Guardrail fields_per_udt violated: User types cannot have more than 3 columns, but 4 "
          "provided for user type u4.");
    warns(store, "ALTER TYPE u2 ADD c int",
          "Guardrail fields_per_udt violated: The user type u2 has 3 columns, this exceeds the "
          "warning threshold of 2.");
    fails(store, "ALTER TYPE u2 ADD d int",
          "Guardrail fields_per_udt violated: User types cannot have more than 3 columns, but 4 "
          "provided for user type u2.");
    fails(store, "ALTER TABLE b ADD x vector<float, 6>",
          "Guardrail vector_dimensions violated: Column x has a vector of 6 dimensions, this "
          "exceeds the failure threshold of 5.");
    fails(
        store, "CREATE TYPE uv (v vector<float, 6>)",
        "Guardrail vector_dimensions violated: Field v has a vector of 6 dimensions, this exceeds "
        "the failure threshold of 5.");
    warns(store, "CREATE TABLE vt (k int PRIMARY KEY, v vector<float, 4>)",
          "Guardrail vector_dimensions violated: Column v has a vector of 4 dimensions, this "
          "exceeds the warning threshold of 3.");
    engine__close(store);
}

/* ---- reads ---- */

static void selects_are_held_to_pages_keys_and_products(void **state) {
    (void)state;
    engine *store = open_guarded();
    warns_paged(store, "SELECT * FROM b WHERE k = 1", 15,
                "Guardrail page_size violated: Query for table b with page size 15 exceeds warning "
                "threshold of 10.");
    fails_paged(store, "SELECT * FROM b WHERE k = 1", 25,
                "Guardrail page_size violated: Aborting query for table b, page size 25 exceeds "
                "fail threshold of 20.");
    warns(store, "SELECT * FROM b WHERE k IN (1, 2, 3)",
          "Guardrail partition_keys_in_select violated: Query with partition keys in IN clause on "
          "table b, with number of partition keys 3 exceeds warning threshold of 2.");
    fails(store, "SELECT * FROM b WHERE k IN (1, 2, 3, 4)",
          "Guardrail partition_keys_in_select violated: Aborting query with partition keys in IN "
          "clause on table b, number of partition keys 4 exceeds fail threshold of 3.");
    warns(store, "SELECT * FROM b WHERE k IN (1, 2) AND c IN (1, 2, 3)", "");
    warns(store, "SELECT * FROM b WHERE k = 1 AND c IN (1, 2, 3, 4, 5)",
          "Guardrail in_select_cartesian_product violated: The cartesian product of the IN "
          "restrictions on clustering key produces 5 values, this exceeds warning threshold of 4.");
    fails(store, "SELECT * FROM b WHERE k = 1 AND c IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)",
          "Guardrail in_select_cartesian_product violated: Aborting query because the cartesian "
          "product of the IN restrictions on clustering key produces 10 values, this exceeds fail "
          "threshold of 9.");
    engine__close(store);
}

static void delete_cells(engine *store, int first, int last) {
    for (int c = first; c <= last; c++) {
        char text[80];
        snprintf(text, sizeof text, "DELETE w FROM k.b WHERE k = 5 AND c = %d", c);
        run(store, text);
    }
}

static void tombstones_are_counted_while_reading(void **state) {
    (void)state;
    engine  *store = open_guarded();
    base_buf none = { 0 };
    delete_cells(store, 1, 5);
    warns(store, "SELECT * FROM b WHERE k = 5", "");
    delete_cells(store, 6, 6);
    run(store, "INSERT INTO k.b (k, c, v) VALUES (5, 9, 1)");
    warns(store, "SELECT * FROM b WHERE k = 5",
          "Read 1 live rows and 6 tombstone cells for query SELECT * FROM b WHERE k = 5 (see "
          "tombstone_warn_threshold)");
    warns(store, "SELECT * FROM b WHERE k = 5 AND c > 2", "");
    warns(store, "SELECT v FROM b WHERE k = 5", "");
    delete_cells(store, 10, 14);
    assert_status(ask(store, "SELECT * FROM b WHERE k = 5", 0, &none), CORM_READ_FAILURE);
    base__buf_free(&none);
    for (int c = 1; c < 8; c++) {
        char text[80];
        snprintf(text, sizeof text, "DELETE FROM k.b WHERE k = 6 AND c = %d", c);
        run(store, text);
    }
    warns(store, "SELECT * FROM b WHERE k = 6",
          "Read 0 live rows and 7 tombstone cells for query SELECT * FROM b WHERE k = 6 (see "
          "tombstone_warn_threshold)");
    engine__close(store);
}

/* ---- writes ---- */

static void collections_and_values_are_measured(void **state) {
    (void)state;
    engine *store = open_guarded();
    warns(store, "INSERT INTO b (k, c, s) VALUES (1, 1, {1, 2, 3})", "");
    warns(store, "INSERT INTO b (k, c, s) VALUES (1, 1, {1, 2, 3, 4})",
          "Guardrail items_per_collection violated: Detected collection s with 4 items, this "
          "exceeds the warning threshold of 3.");
    fails(store, "UPDATE b SET s = s + {7, 8, 9, 10, 11, 12} WHERE k = 1 AND c = 1",
          "Guardrail items_per_collection violated: Detected collection s with 6 items, this "
          "exceeds the failure threshold of 5.");
    fails(store,
          "INSERT INTO b (k, c, l) VALUES (1, 2, ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', "
          "'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'cccccccccccccccccccc'])",
          "Guardrail collection_size violated: Detected collection l of size 218, this exceeds the "
          "failure threshold of 200.");
    warns(store,
          "INSERT INTO b (k, c, l) VALUES (1, 2, ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', "
          "'bbbbbbbbbb'])",
          "Guardrail collection_size violated: Detected collection l of size 123, this exceeds the "
          "warning threshold of 100.");
    warns(store,
          "INSERT INTO b (k, c, w) VALUES (1, 3, "
          "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
          "Guardrail column_value_size violated: Value of column 'w' has size 61, this exceeds the "
          "warning threshold of 50.");
    base_buf text = { 0 };
    base__buf_puts(&text, "UPDATE b SET w = '");
    for (int i = 0; i < 301; i++) base__buf_u8(&text, 'a');
    base__buf_puts(&text, "' WHERE k = 1 AND c = 3");
    fails(store, base__buf_cstr(&text),
          "Guardrail column_value_size violated: Value of column 'w' has size 301, this exceeds "
          "the failure threshold of 300.");
    base__buf_free(&text);
    engine__close(store);
}

static void has_words(engine *store, const char *text, corm_status expected, const char *before,
                      const char *after) {
    base_buf    warnings = { 0 };
    corm_status status = ask(store, text, 0, &warnings);
    const char *got = status == CORM_OK ? base__buf_cstr(&warnings) : err.message;
    assert_status(status, expected);
    if (!strstr(got, before) || !strstr(got, after)) fail_msg("%s: %s", text, got);
    base__buf_free(&warnings);
}

static void timestamps_are_held_near_the_clock(void **state) {
    (void)state;
    engine *store = open_guarded();
    char    text[120];
    has_words(store, "INSERT INTO b (k, c, v) VALUES (1, 1, 1) USING TIMESTAMP 1", CORM_INVALID,
              "Guardrail minimum_timestamp violated: The modification to table b has a timestamp 1 "
              "before the minimum allowable failure threshold ",
              ". Timestamps too far in the past can cause writes can be unexpectedly lost");
    has_words(
        store, "DELETE FROM b USING TIMESTAMP 9999999999999999 WHERE k = 1", CORM_INVALID,
        "Guardrail maximum_timestamp violated: The modification to table b has a timestamp "
        "9999999999999999 after the maximum allowable failure threshold ",
        ". Timestamps too far in the future can lead to data that can't be easily overwritten");
    snprintf(text, sizeof text, "UPDATE b USING TIMESTAMP %lld SET v = 1 WHERE k = 1 AND c = 1",
             (long long)(store->now_us() - INT64_C(5400) * 1000000));
    has_words(store, text, CORM_OK, "before the minimum allowable warning threshold ", "lost");
    snprintf(text, sizeof text, "UPDATE b USING TIMESTAMP %lld SET v = 1 WHERE k = 1 AND c = 1",
             (long long)(store->now_us() + INT64_C(5400) * 1000000));
    has_words(store, text, CORM_OK, "after the maximum allowable warning threshold ",
              "overwritten");
    snprintf(text, sizeof text, "UPDATE b USING TIMESTAMP %lld SET v = 1 WHERE k = 1 AND c = 1",
             (long long)store->now_us());
    warns(store, text, "");
    engine__close(store);
}

static void batches_are_measured(void **state) {
    (void)state;
    engine *store = open_guarded();
    warns(store,
          "BEGIN UNLOGGED BATCH UPDATE b SET v = 1 WHERE k = 1 AND c = 1; UPDATE b SET v = 1 WHERE "
          "k = 2 AND c = 1; UPDATE b SET v = 1 WHERE k = 3 AND c = 1; APPLY BATCH",
          "Unlogged batch covering 3 partitions detected against table [k.b]. You should use a "
          "logged batch for atomicity, or asynchronous writes for performance.");
    engine__close(store);
}

/* ---- flags ---- */

static void what_is_switched_off_is_refused(void **state) {
    (void)state;
    engine *store = open_with(
        "user_timestamps_enabled=false,group_by_enabled=false,drop_truncate_table_enabled=false,"
        "drop_keyspace_enabled=false,alter_table_enabled=false,secondary_indexes_enabled=false,"
        "uncompressed_tables_enabled=false,read_before_write_list_operations_enabled=FALSE,"
        "allow_filtering_enabled=false,materialized_views_enabled=false");
    run(store, "CREATE TABLE k.b (k int, c int, v int, l list<text>, PRIMARY KEY (k, c))");
    fails(store, "ALTER TABLE b ADD x int",
          "Guardrail alter_table violated: ALTER TABLE changing columns is not allowed");
    warns(store, "ALTER TABLE b WITH comment = 'x'", "");
    fails(store, "CREATE INDEX ON b (v)",
          "Guardrail secondary_indexes violated: Creating secondary indexes is not allowed");
    fails(store,
          "CREATE MATERIALIZED VIEW v1 AS SELECT * FROM b WHERE k IS NOT NULL AND c IS NOT NULL "
          "PRIMARY KEY (c, k)",
          "Materialized views are disabled. Enable in cassandra.yaml to use.");
    fails(store, "INSERT INTO b (k, c) VALUES (1, 1) USING TIMESTAMP 1",
          "Guardrail user_timestamps violated: User provided timestamps (USING TIMESTAMP) is not "
          "allowed");
    fails(store, "DROP TABLE b",
          "Guardrail drop_truncate_table_enabled violated: DROP and TRUNCATE TABLE functionality "
          "is not allowed");
    fails(store, "TRUNCATE b",
          "Guardrail drop_truncate_table_enabled violated: DROP and TRUNCATE TABLE functionality "
          "is not allowed");
    fails(store, "DROP KEYSPACE k",
          "Guardrail drop_keyspace_enabled violated: DROP KEYSPACE functionality is not allowed");
    fails(store, "SELECT k, count(*) FROM b GROUP BY k",
          "Guardrail group_by violated: GROUP BY functionality is not allowed");
    fails(store, "SELECT * FROM b WHERE v = 1 ALLOW FILTERING",
          "Guardrail allow_filtering violated: Querying with ALLOW FILTERING is not allowed. ALLOW "
          "FILTERING can potentially visit all the data in the table and have unpredictable "
          "performance.");
    fails(store, "CREATE TABLE p (k int PRIMARY KEY) WITH compression = {'enabled': false}",
          "Guardrail uncompressed_tables_enabled violated: Uncompressed table is not allowed");
    fails(store, "UPDATE b SET l[0] = 'x' WHERE k = 1 AND c = 1",
          "Guardrail read_before_write_list_operations violated: Setting of list items by index "
          "requiring read before write is not allowed");
    fails(store, "DELETE l[0] FROM b WHERE k = 1 AND c = 1",
          "Guardrail read_before_write_list_operations violated: Removal of list items by index "
          "requiring read before write is not allowed");
    fails(store, "UPDATE b SET l = l - ['x'] WHERE k = 1 AND c = 1",
          "Guardrail read_before_write_list_operations violated: Removal of list items requiring "
          "read before write is not allowed");
    engine__close(store);
}

#define DISALLOWED(names)                                                                          \
    "Guardrail table_properties violated: Provided values [" names                                 \
    "] are not allowed for Table Properties (disallowed values are: [crc_check_chance, "           \
    "default_time_to_live])"
#define NOT_RECOMMENDED(names)                                                                     \
    "Guardrail table_properties violated: Provided values [" names                                 \
    "] are not recommended for Table Properties (warned values are: [gc_grace_seconds, comment])"
#define IGNORING(names)                                                                            \
    "Guardrail table_properties violated: Ignoring provided values [" names                        \
    "] as they are not supported for Table Properties (ignored values are: "                       \
    "[memtable_flush_period_in_ms, caching])"

static const char properties[] =
    "table_properties_warned: [comment, gc_grace_seconds], table_properties_ignored: ['caching', "
    "'memtable_flush_period_in_ms']\ntable_properties_disallowed=crc_check_chance|DEFAULT_time_to_live";

static void options_of_tables_are_warned_of_ignored_or_not_allowed(void **state) {
    (void)state;
    engine *store = open_with(properties);
    warns(store,
          "CREATE TABLE a (k int PRIMARY KEY, v int) WITH comment = 'x' AND gc_grace_seconds = 5",
          NOT_RECOMMENDED("comment, gc_grace_seconds"));
    fails(
        store,
        "CREATE TABLE c (k int PRIMARY KEY) WITH default_time_to_live = 5 AND crc_check_chance = 0.5 AND comment = 'x'",
        DISALLOWED("crc_check_chance, default_time_to_live"));
    fails(store, "CREATE TABLE a (k int PRIMARY KEY) WITH crc_check_chance = 0.5",
          DISALLOWED("crc_check_chance"));
    fails(store, "ALTER TABLE a WITH crc_check_chance = 0.5", DISALLOWED("crc_check_chance"));
    warns(store, "ALTER TABLE a WITH caching = {'keys': 'x'}", IGNORING("caching"));
    warns(
        store,
        "CREATE TABLE b (k int PRIMARY KEY) WITH caching = {'keys': 'x'} AND memtable_flush_period_in_ms = 70000",
        IGNORING("caching, memtable_flush_period_in_ms"));
    warns(
        store,
        "CREATE MATERIALIZED VIEW m AS SELECT * FROM a WHERE k IS NOT NULL AND v IS NOT NULL PRIMARY KEY "
        "(v, k) WITH comment = 'x' AND caching = {'keys': 'NONE'}",
        IGNORING("caching") "; " NOT_RECOMMENDED(
            "comment") "; Materialized views are experimental and are "
                       "not recommended for production use.");
    fails(store, "ALTER MATERIALIZED VIEW m WITH crc_check_chance = 0.5",
          DISALLOWED("crc_check_chance"));
    warns(store, "ALTER MATERIALIZED VIEW m WITH comment = 'w'", NOT_RECOMMENDED("comment"));
    warns(store, "ALTER TABLE a WITH bloom_filter_fp_chance = 0.2", "");
    engine__close(store);
}

#define ZERO_TTL(verdict)                                                                          \
    "Guardrail zero_ttl_on_twcs violated: 0 default_time_to_live on a table with "                 \
    "TimeWindowCompactionStrategy compaction strategy is not " verdict                             \
    ". It is suspicious to use default_time_to_live set to 0 with such compaction strategy. "      \
    "Please keep in mind that data will not start to automatically expire after they are older "   \
    "than a respective compaction window unit of a certain size. Please set TTL for your INSERT "  \
    "or UPDATE statements if you expect data to be expired as table settings will not do it. "

static void tables_of_time_windows_are_to_have_a_time_to_live(void **state) {
    (void)state;
    const char *made = "CREATE TABLE %s (k int PRIMARY KEY) WITH compaction = {'class': "
                       "'TimeWindowCompactionStrategy'}";
    char        text[160];
    engine     *store = open_with("zero_ttl_on_twcs_warned=true, group_by_enabled=false");
    snprintf(text, sizeof text, made, "d");
    warns(store, text, ZERO_TTL("recommended"));
    warns(store, "ALTER TABLE d WITH bloom_filter_fp_chance = 0.2", "");
    warns(store,
          "CREATE TABLE a (k int PRIMARY KEY) WITH default_time_to_live = 5 AND compaction = "
          "{'class': 'TimeWindowCompactionStrategy'}",
          "");
    warns(store, "ALTER TABLE a WITH compaction = {'class': 'TimeWindowCompactionStrategy'}",
          ZERO_TTL("recommended"));
    engine__close(store);
    store = open_with("zero_ttl_on_twcs_enabled=false");
    fails(store, text, ZERO_TTL("allowed"));
    engine__close(store);
}

static const char levels[] =
    "read_consistency_levels_warned=[ALL, TWO], read_consistency_levels_disallowed=QUORUM|SERIAL,"
    "write_consistency_levels_warned=ALL TWO, write_consistency_levels_disallowed=[QUORUM, LOCAL_SERIAL]";

static void ask_at(wire_consistency at, engine *store, const char *text, bool allowed,
                   const char *words) {
    level = at;
    (allowed ? warns : fails)(store, text, words);
    level = WIRE_ONE;
}

#define LEVEL(kind, given, how, which, names)                                                      \
    "Guardrail " kind "_consistency_levels violated: Provided values [" given "] are not " how     \
    " for " kind " consistency levels (" which " values are: [" names "])"

static void consistency_levels_are_warned_of_or_not_allowed(void **state) {
    (void)state;
    const char *insert = "INSERT INTO b (k, c, v) VALUES (1, 1, 1)";
    const char *condition = "UPDATE b SET v = 2 WHERE k = 1 AND c = 1 IF v = 1";
    const char *batch = "BEGIN BATCH INSERT INTO b (k, c) VALUES (1, 1); APPLY BATCH";
    engine     *store = open_with(levels);
    run(store, "CREATE TABLE k.b (k int, c int, v int, PRIMARY KEY (k, c))");
    ask_at(WIRE_ALL, store, "SELECT * FROM b", true,
           LEVEL("read", "ALL", "recommended", "warned", "TWO, ALL"));
    ask_at(WIRE_QUORUM, store, "SELECT * FROM b WHERE k = null", false,
           LEVEL("read", "QUORUM", "allowed", "disallowed", "QUORUM, SERIAL"));
    ask_at(WIRE_QUORUM, store, "SELECT * FROM system.local", false,
           LEVEL("read", "QUORUM", "allowed", "disallowed", "QUORUM, SERIAL"));
    ask_at(WIRE_LOCAL_SERIAL, store, "SELECT * FROM b", true, "");
    ask_at(WIRE_ALL, store, insert, true,
           LEVEL("write", "ALL", "recommended", "warned", "TWO, ALL"));
    ask_at(WIRE_ALL, store, batch, true,
           LEVEL("write", "ALL", "recommended", "warned", "TWO, ALL"));
    ask_at(WIRE_QUORUM, store, condition, false,
           LEVEL("write", "QUORUM", "allowed", "disallowed", "QUORUM, LOCAL_SERIAL"));
    ask_at(WIRE_LOCAL_SERIAL, store, insert, false,
           LEVEL("write", "LOCAL_SERIAL", "allowed", "disallowed", "QUORUM, LOCAL_SERIAL"));
    ask_at(WIRE_SERIAL, store, insert, false,
           "You must use conditional updates for serializable writes");
    ask_at(WIRE_ONE, store, insert, true, "");
    serial_level = WIRE_LOCAL_SERIAL;
    ask_at(WIRE_ONE, store, condition, false,
           LEVEL("write", "LOCAL_SERIAL", "allowed", "disallowed", "QUORUM, LOCAL_SERIAL"));
    serial_level = 0;
    engine__close(store);
}

static void by_default_only_tombstones_and_batches_are_counted(void **state) {
    (void)state;
    engine *store = open_with(NULL);
    assert_false(store->has_guards);
    assert_int_equal(store->guard.values[CQL_GUARD_TOMBSTONES_WARN], 1000);
    assert_int_equal(store->guard.values[CQL_GUARD_BATCH_FAIL], 51200);
    engine__close(store);
}

/* ---- reading them ---- */

static void refused(const char *text, const char *words) {
    engine        *store = NULL;
    engine_options options = { .guard_rails = text };
    assert_status(engine__open(&options, &store, &err), CORM_INVALID_ARGUMENT);
    assert_string_equal(err.message, words);
    assert_null(store);
}

static void what_cannot_be_read_is_named(void **state) {
    (void)state;
    refused("tables_warn_treshold=5", "there is no guard rail 'tables_warn_treshold'");
    refused("tables_warn_threshold=x",
            "the guard rail tables_warn_threshold takes a number, or -1, not 'x'");
    refused("batch_size_warn_threshold=5",
            "the guard rail batch_size_warn_threshold takes a size such as 5KiB, or -1, not '5'");
    refused("minimum_timestamp_warn_threshold=1y",
            "the guard rail minimum_timestamp_warn_threshold takes a time such as 1h, or -1, not "
            "'1y'");
    refused("read_consistency_levels_warned=[ONE, MOST]",
            "the guard rail read_consistency_levels_warned takes consistency levels such as "
            "[QUORUM, ALL], not '[ONE, MOST]'");
    refused("table_properties_ignored=nope",
            "the guard rail table_properties_ignored takes options of tables such as [caching, "
            "comment], not 'nope'");
    refused("group_by_enabled", "the guard rail group_by_enabled takes true or false, not ''");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_counted_with_their_columns_indexes_and_views),
        cmocka_unit_test(views_warn_beside_their_own_warning),
        cmocka_unit_test(keyspaces_and_types_are_counted),
        cmocka_unit_test(selects_are_held_to_pages_keys_and_products),
        cmocka_unit_test(tombstones_are_counted_while_reading),
        cmocka_unit_test(collections_and_values_are_measured),
        cmocka_unit_test(timestamps_are_held_near_the_clock),
        cmocka_unit_test(batches_are_measured),
        cmocka_unit_test(what_is_switched_off_is_refused),
        cmocka_unit_test(options_of_tables_are_warned_of_ignored_or_not_allowed),
        cmocka_unit_test(tables_of_time_windows_are_to_have_a_time_to_live),
        cmocka_unit_test(consistency_levels_are_warned_of_or_not_allowed),
        cmocka_unit_test(by_default_only_tombstones_and_batches_are_counted),
        cmocka_unit_test(what_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
