// SPDX-License-Identifier: MIT
#include "testing/check.h"

#include "driver/ring.h"
#include "wire/result.h"

/* A row of system_schema.keyspaces: a name, and pairs of the replication map up to NULL. */
static void put_text(base_buf *body, const char *text) {
    cql__put_value(body, (cql_value){ (const uint8_t *)text, (int32_t)strlen(text) });
}

static void put_keyspace(base_buf *body, const char *name, const char *const *pairs) {
    base_buf map = { 0 };
    uint32_t count = 0;
    while (pairs[count]) count++;
    base__buf_u32(&map, count / 2);
    for (uint32_t i = 0; i < count; i++) put_text(&map, pairs[i]);
    put_text(body, name);
    cql__put_value(body, cql__value_of(base__buf_bytes(&map)));
    base__buf_free(&map);
}

static driver_keyspaces *keyspaces(void) {
    static const char *const simple[] = { "class", "org.apache.cassandra.locator.SimpleStrategy",
                                          "replication_factor", "2", NULL };
    static const char *const network[] = {
        "class", "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1", "2", "dc2", "1",
        NULL
    };
    static const char *const wide[] = {
        "class", "NetworkTopologyStrategy", "dc1", "3/1", "dc9", "2", NULL
    };
    static const char *const local[] = { "class", "org.apache.cassandra.locator.LocalStrategy",
                                         NULL };
    static const char *const everywhere[] = { "class", "EverywhereStrategy", NULL };
    wire_result              rows = { .kind = WIRE_ROWS, .metadata.count = 2, .row_count = 5 };
    base_buf                 body = { 0 };
    put_keyspace(&body, "simple", simple);
    put_keyspace(&body, "network", network);
    put_keyspace(&body, "wide", wide);
    put_keyspace(&body, "system", local);
    put_keyspace(&body, "everywhere", everywhere);
    rows.rows = (base_reader){ body.data, body.len, false };
    driver_keyspaces *out;
    corm_error        err;
    assert_ok(driver__keyspaces_read(&rows, &out, &err), err);
    base__buf_free(&body);
    return out;
}

static driver_ring *ring_of(const driver_ring_node *nodes, uint32_t count) {
    driver_ring      *ring;
    corm_error        err;
    driver_keyspaces *known = keyspaces();
    assert_ok(driver__ring_make(nodes, count, known, &ring, &err), err);
    driver__keyspaces_free(known);
    return ring;
}

/* Compares the replicas with a text such as "1 2". */
static void replicas_are(const driver_ring *ring, const char *keyspace, int64_t token,
                         const char *expected) {
    uint32_t        count;
    const uint32_t *replicas = driver__ring_replicas(ring, corm_str_of(keyspace), token, &count);
    char            text[64] = "";
    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), i ? " %u" : "%u",
                       replicas[i]);
    }
    assert_string_equal(text, expected);
}

static const int64_t first[] = { 100, -300 }, second[] = { -100, 200 }, third[] = { 0, 300 };

static const driver_ring_node three[] = {
    { first, 2, "dc1", "r1" },
    { second, 2, "dc1", "r1" },
    { third, 2, "dc1", "r2" },
};

static void a_token_belongs_to_the_next_node_on_the_ring(void **state) {
    (void)state;
    driver_ring *ring = ring_of(three, 3);
    replicas_are(ring, "simple", -300, "0 1");
    replicas_are(ring, "simple", -299, "1 2");
    replicas_are(ring, "simple", 50, "0 1");
    replicas_are(ring, "simple", 300, "2 0");
    replicas_are(ring, "simple", 301, "0 1"); /* round the end */
    replicas_are(ring, "simple", INT64_MAX, "0 1");
    replicas_are(ring, "simple", INT64_MIN, "0 1");
    driver__ring_free(ring);
}

static void tokens_are_sorted(void **state) {
    (void)state;
    static const int64_t expected[] = { -300, -100, 0, 100, 200, 300 };
    driver_ring         *ring = ring_of(three, 3);
    uint32_t             count;
    const int64_t       *tokens = driver__ring_tokens(ring, &count);
    assert_int_equal(count, 6);
    assert_memory_equal(tokens, expected, sizeof expected);
    driver__ring_free(ring);
    assert_null(driver__ring_tokens(NULL, &count));
    assert_int_equal(count, 0);
}

static void racks_are_spread_over_before_one_repeats(void **state) {
    (void)state;
    driver_ring *ring = ring_of(three, 3);
    /* Two replicas over two racks: node 1 is passed over for node 0's rack. */
    replicas_are(ring, "network", -300, "0 2");
    replicas_are(ring, "network", -100, "1 2");
    replicas_are(ring, "network", 0, "2 0");
    /* Three replicas over two racks: one rack may repeat. */
    replicas_are(ring, "wide", -300, "0 1 2");
    driver__ring_free(ring);
}

static void every_data_centre_has_its_own_factor(void **state) {
    (void)state;
    static const int64_t   tokens[4][1] = { { 0 }, { 10 }, { 20 }, { 30 } };
    const driver_ring_node four[] = {
        { tokens[0], 1, "dc1", "r1" },
        { tokens[1], 1, "dc2", "r1" },
        { tokens[2], 1, "dc2", "r2" },
        { tokens[3], 1, "dc1", "r1" },
    };
    driver_ring *ring = ring_of(four, 4);
    replicas_are(ring, "network", 0, "0 1 3"); /* one rack in dc1: it repeats */
    replicas_are(ring, "network", 10, "1 3 0");
    driver__ring_free(ring);
}

static void a_keyspace_without_known_replicas_has_none(void **state) {
    (void)state;
    driver_ring *ring = ring_of(three, 3);
    replicas_are(ring, "system", 0, "");
    replicas_are(ring, "unknown", 0, "");
    replicas_are(ring, "", 0, "");
    replicas_are(ring, "everywhere", 0, "2 0 1");
    replicas_are(NULL, "simple", 0, "");
    driver__ring_free(ring);
}

static void more_replicas_than_nodes_are_all_nodes(void **state) {
    (void)state;
    driver_ring *ring = ring_of(three, 1);
    replicas_are(ring, "simple", 0, "0");
    replicas_are(ring, "wide", 0, "0");
    driver__ring_free(ring);
}

static void a_ring_without_tokens_knows_no_replicas(void **state) {
    (void)state;
    static const driver_ring_node bare[] = { { NULL, 0, "dc1", "r1" } };
    driver_ring                  *ring = ring_of(bare, 1);
    replicas_are(ring, "simple", 0, "");
    driver__ring_free(ring);
    driver_ring *none;
    corm_error   err;
    assert_ok(driver__ring_make(NULL, 0, NULL, &none, &err), err);
    replicas_are(none, "simple", 0, "");
    driver__ring_free(none);
    driver__ring_free(NULL);
}

static void a_token_that_two_nodes_claim_counts_once(void **state) {
    (void)state;
    static const int64_t   tokens[] = { 5 };
    const driver_ring_node twice[] = { { tokens, 1, "dc1", "r1" }, { tokens, 1, "dc1", "r1" } };
    driver_ring           *ring = ring_of(twice, 2);
    uint32_t               count;
    (void)driver__ring_tokens(ring, &count);
    assert_int_equal(count, 1);
    driver__ring_free(ring);
}

static void rows_of_another_form_are_refused(void **state) {
    (void)state;
    wire_result       one = { .kind = WIRE_ROWS, .metadata.count = 1, .row_count = 1 };
    driver_keyspaces *out;
    corm_error        err;
    assert_status(driver__keyspaces_read(&one, &out, &err), CORM_PROTOCOL_ERROR);
    uint8_t     bytes[] = { 0, 0, 0, 1, 'k', 0, 0, 0, 4, 0x7F, 0, 0, 0 };
    wire_result cut = {
        .kind = WIRE_ROWS,
        .metadata.count = 2,
        .row_count = 1,
        .rows = { bytes, sizeof bytes, false },
    };
    assert_status(driver__keyspaces_read(&cut, &out, &err), CORM_PROTOCOL_ERROR);
    driver__keyspaces_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_token_belongs_to_the_next_node_on_the_ring),
    cmocka_unit_test(tokens_are_sorted),
    cmocka_unit_test(racks_are_spread_over_before_one_repeats),
    cmocka_unit_test(every_data_centre_has_its_own_factor),
    cmocka_unit_test(a_keyspace_without_known_replicas_has_none),
    cmocka_unit_test(more_replicas_than_nodes_are_all_nodes),
    cmocka_unit_test(a_ring_without_tokens_knows_no_replicas),
    cmocka_unit_test(a_token_that_two_nodes_claim_counts_once),
    cmocka_unit_test(rows_of_another_form_are_refused),
};

RUN_TESTS()
