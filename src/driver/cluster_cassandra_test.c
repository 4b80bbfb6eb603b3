// SPDX-License-Identifier: MIT
/* A cluster over a real Cassandra. Leaves with 77 where there is none. */
#include "driver/cluster_for_tests.h"

static const corm_str no_keyspace = { "", 0 };

static bool parse(const char *uri, char *host, size_t size, uint16_t *port) {
    const char *at = strstr(uri, "://");
    if (!at) return false;
    at += 3;
    size_t len = strcspn(at, ":,/?\n");
    if (len == 0 || len >= size || at[len] != ':') return false;
    memcpy(host, at, len);
    host[len] = '\0';
    *port = (uint16_t)strtoul(at + len + 1, NULL, 10);
    return *port != 0;
}

static driver_contact find_node(void) {
    static char    host[64];
    char           line[512] = "";
    driver_contact contact = { host, 0 };
    const char    *required = getenv("CORM_REQUIRE");
    FILE          *said = popen("'" CORM_SOURCE_DIR "/tools/cassandra' start", "r");
    assert_non_null(said);
    while (fgets(line, sizeof line, said)) continue;
    int status = pclose(said);
    if (status == 0 && parse(line, host, sizeof host, &contact.port)) return contact;
    if (status == 77 << 8 && !(required && strstr(required, "cassandra"))) _Exit(77);
    fail_msg("%s", line);
    return contact;
}

static void open_real(test_cluster *t, uint8_t version) {
    driver_contact       contact = find_node();
    corm_cluster_options options = {
        .pool = { .size = 3 },
        .protocol_version = version,
        .schema_agreement_ms = 60000,
        .request_timeout_ms = 60000,
    };
    corm_error err;
    test_begin(t, NULL);
    assert_int_equal(uv_timer_start(&t->limit, test_too_late, 100000, 0), 0);
    assert_ok(test_try_open(t, &contact, 1, &options, &err), err);
}

static void run(test_cluster *t, const char *cql) {
    wire_request request = {
        .kind = WIRE_QUERY,
        .text = corm_str_of(cql),
        .options.consistency = WIRE_ONE,
    };
    wire_answer answer = { 0 };
    corm_error  err;
    assert_ok(driver__execute(t->cluster, no_keyspace, &request, &answer, &err), err);
    wire__answer_free(&answer);
}

static void nodes_are_read_from_the_server(void **state) {
    (void)state;
    static const uint8_t versions[] = { 4, 5 };
    for (int i = 0; i < 2; i++) {
        test_cluster t;
        open_real(&t, versions[i]);
        assert_int_equal(t.cluster->version, versions[i]);
        assert_true(t.cluster->node_count >= 1);
        assert_true(t.cluster->nodes[0]->token_count >= 1);
        assert_string_not_equal(t.cluster->local_dc, "");
        assert_int_equal(t.cluster->nodes[0]->release_version[1], '.');
        TURN_UNTIL(&t, t.cluster->nodes[0]->pool->ready == 3);
        test_end(&t);
    }
}

static uint32_t replicas_of(const test_cluster *t, const char *keyspace) {
    uint32_t count;
    (void)driver__ring_replicas(t->cluster->ring, corm_str_of(keyspace), 0, &count);
    return count;
}

static void a_new_keyspace_has_replicas_after_agreement(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    open_real(&t, 5);
    run(&t, "DROP KEYSPACE IF EXISTS cluster_test");
    run(&t, "CREATE KEYSPACE cluster_test WITH replication = "
            "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    assert_ok(driver__wait_for_agreement(t.cluster, 60000, &err), err);
    assert_int_equal(replicas_of(&t, "cluster_test"), 1);
    run(&t, "DROP KEYSPACE cluster_test");
    TURN_UNTIL(&t, replicas_of(&t, "cluster_test") == 0); /* by the event */
    test_end(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nodes_are_read_from_the_server),
    cmocka_unit_test(a_new_keyspace_has_replicas_after_agreement),
};

RUN_TESTS()
