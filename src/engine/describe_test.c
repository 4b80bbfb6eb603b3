// SPDX-License-Identifier: MIT
#include "engine/engine.h"
#include "testing/store.h"

static corm_error err;

/* One page of DESCRIBE TABLES; *rows of it. `state` is where it begins, and then where the next one does; empty: nowhere. */
static corm_status page(engine *store, base_buf *state, uint32_t *rows) {
    engine_client client = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_result   result;
    base_arena    arena = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of("DESCRIBE TABLES"),
                              .options = { .consistency = WIRE_ONE,
                                           .page_size = 2,
                                           .paging_state = base__buf_bytes(state) } };
    corm_status   status = engine__execute(store, &client, &request, &answer, &err);
    if (status == CORM_OK) {
        assert_ok(
            wire__result_read(base__buf_bytes(&answer.body), WIRE_VERSION, &arena, &result, &err),
            err);
        *rows = result.row_count;
        base__buf_clear(state);
        base__buf_put(state, result.metadata.paging_state.data, result.metadata.paging_state.len);
    }
    wire__answer_free(&answer);
    base__arena_free(&arena);
    return status;
}

static engine *open_with_tables(void) {
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.a (k int PRIMARY KEY)");
    run(store, "CREATE TABLE k.b (k int PRIMARY KEY)");
    run(store, "CREATE TABLE k.c (k int PRIMARY KEY)");
    return store;
}

static void pages_go_on_where_the_last_one_ended(void **state) {
    (void)state;
    engine  *store = open_with_tables();
    base_buf at = { 0 };
    uint32_t rows;
    assert_ok(page(store, &at, &rows), err);
    assert_int_equal(rows, 2);
    assert_true(at.len > 0);
    assert_ok(page(store, &at, &rows), err);
    assert_int_equal(rows, 1);
    assert_int_equal(at.len, 0);
    base__buf_free(&at);
    engine__close(store);
}

static void a_changed_schema_ends_the_pages(void **state) {
    (void)state;
    engine  *store = open_with_tables();
    base_buf at = { 0 };
    uint32_t rows;
    assert_ok(page(store, &at, &rows), err);
    run(store, "CREATE TABLE k.d (k int PRIMARY KEY)");
    assert_status(page(store, &at, &rows), CORM_INVALID);
    assert_text(corm_str_of(err.message),
                "The schema has changed since the previous page of the DESCRIBE statement result. "
                "Please retry the DESCRIBE statement.");
    at.len--;
    assert_status(page(store, &at, &rows), CORM_PROTOCOL_ERROR);
    base__buf_free(&at);
    engine__close(store);
}

static void a_cluster_shows_who_owns_a_keyspace_in_use(void **state) {
    (void)state;
    engine       *store = open_with_tables();
    wire_answer   answer = { 0 };
    wire_result   result;
    base_arena    arena = { 0 };
    engine_client client = { .keyspace = "k" };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of("DESCRIBE CLUSTER"),
                              .options.consistency = WIRE_ONE };
    expect(store, "DESCRIBE CLUSTER", "corm|Murmur3Partitioner|SimpleSnitch");
    assert_ok(engine__execute(store, &client, &request, &answer, &err), err);
    assert_ok(wire__result_read(base__buf_bytes(&answer.body), WIRE_VERSION, &arena, &result, &err),
              err);
    assert_int_equal(result.metadata.count, 4);
    assert_text(result.metadata.columns[3].name, "range_ownership");
    assert_int_equal(result.metadata.columns[3].type->id, CQL_MAP);
    wire__answer_free(&answer);
    base__arena_free(&arena);
    engine__close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_go_on_where_the_last_one_ended),
        cmocka_unit_test(a_changed_schema_ends_the_pages),
        cmocka_unit_test(a_cluster_shows_who_owns_a_keyspace_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
