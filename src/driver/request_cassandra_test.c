// SPDX-License-Identifier: MIT
/* request_cassandra_test.c -- requests of every kind to a real Cassandra, in v4 and v5. Leaves with 77 where there is none. */
#include "driver/driver.h"

#include "base/fail.h"
#include "driver/prepared.h"
#include "testing/check.h"

#include <stdlib.h>
#include <unistd.h>

static driver_cluster *cluster;
static const char     *keyspace = "";
static char            own_keyspace[48]; /* others may run this test at the same time */

/* ---- the cluster ---- */

/* "cassandra://user:password@127.0.0.1:9042,…" */
static bool parse(const char *uri, driver_contact *out) {
    static char host[64];
    const char *at = strstr(uri, "://");
    if (!at) return false;
    const char *behind = strchr(at, '@');
    at = behind ? behind + 1 : at + 3;
    size_t len = strcspn(at, ":,/?\n");
    if (len == 0 || len >= sizeof host || at[len] != ':') return false;
    memcpy(host, at, len);
    host[len] = 0;
    *out = (driver_contact){ host, (uint16_t)strtoul(at + len + 1, NULL, 10) };
    return true;
}

/* Starts it, or finds it running. */
static driver_contact find_node(void) {
    char           command[512], line[512] = "";
    driver_contact out = { 0 };
    const char    *required = getenv("CORM_REQUIRE");
    (void)snprintf(command, sizeof command, "'%s/tools/cassandra' start", CORM_SOURCE_DIR);
    FILE *said = popen(command, "r");
    assert_non_null(said);
    while (fgets(line, sizeof line, said)) continue;
    int status = pclose(said);
    if (status == 0 && parse(line, &out)) return out;
    if (status == 77 << 8 && (!required || !strstr(required, "cassandra"))) _Exit(77);
    fail_msg("%s", line);
    return out;
}

static void connect_with(uint8_t version) {
    corm_error           err;
    driver_settings      settings;
    driver_contact       contact = find_node();
    corm_cluster_options options = { .protocol_version = version,
                                     .pool = { .size = 2, .max_size = 2 } };
    assert_ok(driver__settings_make(&contact, 1, &options, CORM_LOCAL_ONE, &settings, &err), err);
    assert_ok(driver__open(&settings, &cluster, &err), err);
}

/* ---- requests ---- */

typedef struct answered {
    wire_answer answer;
    base_arena  arena;
    wire_result result;
    corm_error  err;
} answered;

static void clear(answered *a) {
    base__arena_free(&a->arena);
    wire__answer_free(&a->answer);
    *a = (answered){ 0 };
}

static corm_status run(const wire_request *request, answered *a) {
    corm_str own = corm_str_of(keyspace);
    CORM_TRY(driver__execute(cluster, own, request, &a->answer, &a->err));
    return wire__result_read(base__buf_bytes(&a->answer.body), a->answer.version, &a->arena,
                             &a->result, &a->err);
}

static corm_status query(const char *cql, answered *a) {
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of(cql),
                             .options.consistency = WIRE_LOCAL_ONE };
    return run(&request, a);
}

static void must(const char *cql) {
    answered a = { 0 };
    if (query(cql, &a) != CORM_OK) fail_msg("%s: %s", cql, a.err.message);
    clear(&a);
}

static const wire_prepared *prepare(const char *cql) {
    answered     a = { 0 };
    wire_request request = { .kind = WIRE_PREPARE, .text = corm_str_of(cql) };
    assert_ok(run(&request, &a), a.err);
    const wire_prepared *prepared = a.answer.prepared;
    clear(&a);
    return prepared;
}

static wire_request executing(const wire_prepared *prepared, const cql_value *values,
                              uint32_t count) {
    return (wire_request){ .kind = WIRE_EXECUTE,
                           .prepared = prepared,
                           .values = values,
                           .value_count = count,
                           .options = { .consistency = WIRE_LOCAL_ONE, .skip_metadata = true } };
}

static void set_up(uint8_t version) {
    char text[256];
    connect_with(version);
    keyspace = "";
    (void)snprintf(own_keyspace, sizeof own_keyspace, "corm_request_%ld", (long)getpid());
    (void)snprintf(text, sizeof text,
                   "CREATE KEYSPACE IF NOT EXISTS %s WITH replication = "
                   "{'class': 'SimpleStrategy', 'replication_factor': 1}",
                   own_keyspace);
    must(text);
    keyspace = own_keyspace;
    must("DROP TABLE IF EXISTS t");
    must("CREATE TABLE t (k int PRIMARY KEY, v text, s set<int>)");
}

static int tear_down(void **state) {
    (void)state;
    char text[96];
    if (!cluster) return 0;
    (void)snprintf(text, sizeof text, "DROP KEYSPACE IF EXISTS %s", own_keyspace);
    must(text);
    driver__close(cluster);
    cluster = NULL;
    return 0;
}

/* ---- what is tested in both versions ---- */

static const uint8_t one[] = { 0, 0, 0, 1 }, two[] = { 0, 0, 0, 2 };

static void write_and_read(uint8_t version) {
    set_up(version);
    answered             a = { 0 };
    const wire_prepared *insert = prepare("INSERT INTO t (k, v) VALUES (?, ?)");
    const wire_prepared *select = prepare("SELECT * FROM t WHERE k = ?");
    const cql_value      values[] = {
             { one, 4 }, { (const uint8_t *)"hello", 5 }, { two, 4 }, CQL_UNSET
    };
    wire_request write = executing(insert, values, 2), read = executing(select, values, 1);
    assert_ok(run(&write, &a), a.err);
    assert_int_equal(a.result.kind, WIRE_VOID);
    assert_int_equal(a.answer.version, version);
    clear(&a);
    assert_ok(run(&read, &a), a.err);
    assert_int_equal(a.result.row_count, 1);
    assert_true(a.result.metadata.absent == (version == 5));
    clear(&a);
    wire_batch_item items[] = { { .prepared = insert, .value_count = 2, .values = values + 2 },
                                { .text = corm_str_of("UPDATE t SET v = 'again' WHERE k = 1") } };
    wire_request    batch = {
           .kind = WIRE_BATCH, .batch = items, .batch_count = 2, .options.consistency = WIRE_LOCAL_ONE
    };
    assert_ok(run(&batch, &a), a.err);
    clear(&a);
    assert_ok(query("SELECT count(*) FROM t", &a), a.err);
    clear(&a);
    driver__prepared_unref(insert);
    driver__prepared_unref(select);
}

static void it_is_written_and_read_in_v5(void **state) {
    (void)state;
    write_and_read(5);
}

static void it_is_written_and_read_in_v4(void **state) {
    (void)state;
    write_and_read(4);
}

/* Pain 20: SELECT * and ALTER TABLE. */
static void rows_of_an_altered_table_have_the_new_columns(uint8_t version) {
    set_up(version);
    answered             a = { 0 };
    const wire_prepared *select = prepare("SELECT * FROM t WHERE k = ?");
    const cql_value      key = { one, 4 };
    must("INSERT INTO t (k, v) VALUES (1, 'x')");
    wire_request read = executing(select, &key, 1);
    assert_ok(run(&read, &a), a.err);
    clear(&a);
    must("ALTER TABLE t ADD a int");
    must("UPDATE t SET a = 7 WHERE k = 1");
    assert_ok(run(&read, &a), a.err);
    assert_false(a.result.metadata.absent);
    assert_int_equal(a.result.metadata.count, 4);
    assert_true(a.result.metadata.changed == (version == 5));
    clear(&a);
    driver__prepared_unref(select);
}

static void an_altered_table_in_v5(void **state) {
    (void)state;
    rows_of_an_altered_table_have_the_new_columns(5);
}

static void an_altered_table_in_v4(void **state) {
    (void)state;
    rows_of_an_altered_table_have_the_new_columns(4);
}

static void a_statement_of_a_table_that_was_made_anew_goes_on(void **state) {
    (void)state;
    set_up(5);
    answered             a = { 0 };
    const wire_prepared *insert = prepare("INSERT INTO t (k, v) VALUES (?, ?)");
    const cql_value      values[] = { { one, 4 }, { (const uint8_t *)"x", 1 } };
    must("DROP TABLE t");
    must("CREATE TABLE t (k int PRIMARY KEY, v text)");
    wire_request write = executing(insert, values, 2);
    assert_ok(run(&write, &a), a.err);
    clear(&a);
    driver__prepared_unref(insert);
}

static void errors_are_the_servers(void **state) {
    (void)state;
    set_up(5);
    answered a = { 0 };
    assert_status(query("SELEC * FROM t", &a), CORM_SYNTAX_ERROR);
    assert_int_equal(a.err.line, 1);
    clear(&a);
    assert_status(query("SELECT x FROM t", &a), CORM_INVALID);
    clear(&a);
    assert_status(query("CREATE TABLE t (k int PRIMARY KEY)", &a), CORM_ALREADY_EXISTS);
    assert_string_equal(a.err.table, "t");
    clear(&a);
}

static void markers_of_collections_say_whether_they_may_be_repeated(void **state) {
    (void)state;
    set_up(5);
    must("CREATE TABLE c (k int PRIMARY KEY, s set<int>, l list<int>, m map<int, int>)");
    must("CREATE TABLE n (k int PRIMARY KEY, c counter)");
    static const struct {
        const char *cql;
        bool        idempotent;
    } cases[] = {
        { "UPDATE c SET s = s + ? WHERE k = ?", true },
        { "UPDATE c SET m = m + ? WHERE k = ?", true },
        { "UPDATE c SET l = l + ? WHERE k = ?", false },
        { "UPDATE c SET l = l - ? WHERE k = ?", true },
        { "UPDATE c SET m[?] = ? WHERE k = ?", true },
        { "UPDATE c SET l[?] = ? WHERE k = ?", false },
        { "DELETE m[?] FROM c WHERE k = ?", true },
        { "DELETE l[?] FROM c WHERE k = ?", false },
        { "UPDATE n SET c = c + ? WHERE k = ?", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const wire_prepared *prepared = prepare(cases[i].cql);
        bool                 actual = driver__prepared_of(prepared)->idempotent;
        if (actual != cases[i].idempotent) fail_msg("%s: %d", cases[i].cql, actual);
        driver__prepared_unref(prepared);
    }
}

static void tracing_and_warnings_come_along(void **state) {
    (void)state;
    set_up(5);
    answered     a = { 0 };
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of("SELECT * FROM t"),
                             .options = { .consistency = WIRE_LOCAL_ONE, .tracing = true } };
    assert_ok(run(&request, &a), a.err);
    assert_false(corm_uuid_is_zero(a.answer.tracing_id));
    clear(&a);
}

#define CASSANDRA_TEST(test) cmocka_unit_test_teardown(test, tear_down)

static const struct CMUnitTest tests[] = {
    CASSANDRA_TEST(it_is_written_and_read_in_v5),
    CASSANDRA_TEST(it_is_written_and_read_in_v4),
    CASSANDRA_TEST(an_altered_table_in_v5),
    CASSANDRA_TEST(an_altered_table_in_v4),
    CASSANDRA_TEST(a_statement_of_a_table_that_was_made_anew_goes_on),
    CASSANDRA_TEST(errors_are_the_servers),
    CASSANDRA_TEST(markers_of_collections_say_whether_they_may_be_repeated),
    CASSANDRA_TEST(tracing_and_warnings_come_along),
};

RUN_TESTS()
