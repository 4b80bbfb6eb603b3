// SPDX-License-Identifier: MIT
/* hnsw_build_test.c -- a graph of many vectors at once: as good as one made one by one, the same whatever the number of threads,
 * an error without memory. */
#include <string.h>

#include "engine/hnsw.h"
#include "engine/vectors_for_tests.h"
#include "testing/check.h"
#include "testing/memory.h"

enum {
    NODES = 3000,
    QUERIES = 100,
    NEAREST = 10,
    BEAM = 40,
    SMALL_BEAM = 12,
    WIRE = 4 * TEST_DIMENSION
};

static const hnsw_options by_distance = {
    .dimension = TEST_DIMENSION, .by_distance = true, .connections = 12, .build_beam = 60
};
static const hnsw_options by_angle = {
    .dimension = TEST_DIMENSION, .normalize = true, .connections = 12, .build_beam = 60
};

static uint8_t wires[NODES][WIRE];

static void make_wires(void) {
    test_vectors source;
    float        vector[TEST_DIMENSION];
    test_vectors_init(&source, 11);
    for (uint32_t id = 0; id < NODES; id++) {
        test_vector(&source, vector);
        test_wire(vector, wires[id]);
    }
}

static hnsw *new_graph(const hnsw_options *options) {
    corm_error err = { 0 };
    hnsw      *graph;
    assert_ok(hnsw__new(options, &graph, &err), err);
    return graph;
}

static corm_status fill(hnsw *graph, uint32_t nodes, uint32_t threads, corm_error *err) {
    for (uint32_t id = 0; id < nodes; id++) CORM_TRY(hnsw__add_unlinked(graph, wires[id], err));
    return hnsw__link_all(graph, threads, err);
}

static hnsw *built(const hnsw_options *options, uint32_t nodes, uint32_t threads) {
    corm_error err = { 0 };
    hnsw      *graph = new_graph(options);
    assert_ok(fill(graph, nodes, threads, &err), err);
    assert_int_equal(hnsw__count(graph), nodes);
    return graph;
}

static hnsw *one_by_one(const hnsw_options *options, uint32_t nodes) {
    corm_error err = { 0 };
    hnsw      *graph = new_graph(options);
    for (uint32_t id = 0; id < nodes; id++) assert_ok(hnsw__put(graph, id, wires[id], &err), err);
    return graph;
}

static bool is_among(uint32_t id, const hnsw_hit *hits, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (hits[i].id == id) return true;
    }
    return false;
}

static double recall(hnsw *graph, uint32_t beam) {
    test_vectors source;
    uint32_t     found = 0, wanted = 0;
    hnsw_hit     exact[NEAREST], hits[NODES];
    test_vectors_init(&source, 11);
    source.state += 77;
    for (int i = 0; i < QUERIES; i++) {
        corm_error err = { 0 };
        uint32_t   exact_count, count;
        float      vector[TEST_DIMENSION];
        uint8_t    query[WIRE];
        test_vector(&source, vector);
        test_wire(vector, query);
        assert_ok(hnsw__scan(graph, query, NEAREST, exact, &exact_count, &err), err);
        assert_ok(hnsw__search(graph, query, beam, hits, &count, &err), err);
        wanted += exact_count;
        for (uint32_t j = 0; j < exact_count; j++) found += is_among(exact[j].id, hits, count);
    }
    return (double)found / wanted;
}

static void it_is_as_good_as_one_that_was_made_one_by_one(const hnsw_options *options) {
    hnsw  *at_once = built(options, NODES, 3), *before = one_by_one(options, NODES);
    double now = recall(at_once, SMALL_BEAM), then = recall(before, SMALL_BEAM);
    assert_true(now > 0.97 && now > then - 0.005);
    hnsw__unref(at_once);
    hnsw__unref(before);
}

static void by_distance_it_is_as_good_as_one_by_one(void **unused) {
    (void)unused;
    it_is_as_good_as_one_that_was_made_one_by_one(&by_distance);
}

static void by_angle_it_is_as_good_as_one_by_one(void **unused) {
    (void)unused;
    it_is_as_good_as_one_that_was_made_one_by_one(&by_angle);
}

static void assert_same(hnsw *a, hnsw *b) {
    for (uint32_t id = 0; id < NODES; id++) {
        assert_int_equal(hnsw__level(a, id), hnsw__level(b, id));
        for (uint32_t level = 0; level <= hnsw__level(a, id); level++) {
            uint32_t        count, other;
            const uint32_t *links = hnsw__links(a, id, level, &count);
            const uint32_t *others = hnsw__links(b, id, level, &other);
            assert_int_equal(count, other);
            assert_memory_equal(links, others, count * sizeof *links);
        }
    }
}

static void it_is_the_same_whatever_the_number_of_threads(void **unused) {
    hnsw *alone = built(&by_distance, NODES, 1);
    (void)unused;
    for (uint32_t threads = 2; threads <= 100; threads *= 7) {
        hnsw *many = built(&by_distance, NODES, threads);
        assert_same(alone, many);
        hnsw__unref(many);
    }
    hnsw__unref(alone);
}

static void every_vector_is_found_in_a_graph_of_any_size(void **unused) {
    static const uint32_t sizes[] = { 0, 1, 2, 3, 10, 257, 600 };
    hnsw_hit              hits[BEAM];
    (void)unused;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        hnsw *graph = built(&by_distance, sizes[i], 2);
        for (uint32_t id = 0; id < sizes[i]; id++) {
            corm_error err = { 0 };
            uint32_t   count;
            assert_ok(hnsw__search(graph, wires[id], BEAM, hits, &count, &err), err);
            assert_true(count > 0 && hits[0].id == id);
        }
        hnsw__unref(graph);
    }
}

static void all_nodes_are_told_as_changed(void **unused) {
    hnsw    *graph = built(&by_distance, 300, 2);
    uint32_t count;
    (void)unused;
    (void)hnsw__changed(graph, &count);
    assert_int_equal(count, 300);
    hnsw__unref(graph);
}

static void the_same_vector_many_times_makes_a_graph_too(void **unused) {
    hnsw      *graph = new_graph(&by_distance);
    corm_error err = { 0 };
    hnsw_hit   hits[BEAM];
    uint32_t   count;
    (void)unused;
    for (int i = 0; i < NODES; i++) assert_ok(hnsw__add_unlinked(graph, wires[0], &err), err);
    assert_ok(hnsw__link_all(graph, 2, &err), err);
    assert_ok(hnsw__search(graph, wires[0], BEAM, hits, &count, &err), err);
    assert_true(count > 0 && hits[0].distance < 1e-6f);
    hnsw__unref(graph);
}

static void changes_go_on_from_there(void **unused) {
    hnsw *graph = built(&by_distance, NODES, 2);
    (void)unused;
    for (uint32_t id = 0; id < NODES; id += 2) {
        corm_error err = { 0 };
        assert_ok(hnsw__remove(graph, id, &err), err);
        if (id % 3 == 0) assert_ok(hnsw__put(graph, id, wires[NODES - 1 - id], &err), err);
    }
    hnsw__settle(graph);
    assert_true(recall(graph, 60) > 0.97);
    hnsw__unref(graph);
}

/* Whether memory was short. */
static bool fails_at(size_t allowed, uint32_t nodes, uint32_t threads) {
    corm_error err = { 0 };
    long       live = testing__memory_live();
    hnsw      *graph = new_graph(&by_distance);
    testing__memory_fail_from(allowed);
    corm_status status = fill(graph, nodes, threads, &err);
    bool        has_failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    if (!has_failed) assert_ok(status, err);
    hnsw__unref(graph);
    assert_int_equal(testing__memory_live(), live);
    return has_failed;
}

static void without_memory_it_is_an_error(void **unused) {
    (void)unused;
    if (!testing__memory_can_fail()) skip();
    for (size_t allowed = 0; fails_at(allowed, 200, 1); allowed++) {
    }
    for (size_t allowed = 60; fails_at(allowed, 1200, 3); allowed++) {
    }
}

static int set_up(void **unused) {
    (void)unused;
    make_wires();
    return 0;
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(by_distance_it_is_as_good_as_one_by_one, set_up),
    cmocka_unit_test_setup(by_angle_it_is_as_good_as_one_by_one, set_up),
    cmocka_unit_test_setup(it_is_the_same_whatever_the_number_of_threads, set_up),
    cmocka_unit_test_setup(every_vector_is_found_in_a_graph_of_any_size, set_up),
    cmocka_unit_test_setup(all_nodes_are_told_as_changed, set_up),
    cmocka_unit_test_setup(the_same_vector_many_times_makes_a_graph_too, set_up),
    cmocka_unit_test_setup(changes_go_on_from_there, set_up),
    cmocka_unit_test_setup(without_memory_it_is_an_error, set_up),
};

RUN_TESTS()
