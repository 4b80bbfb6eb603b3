// SPDX-License-Identifier: MIT
/* hnsw_test.c -- the graph alone: recall against exact results, after insertion, change and removal; loading; many threads. */
#include "engine/hnsw.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/vectors_for_tests.h"
#include "testing/check.h"

enum { NODES = 3000, QUERIES = 60, NEAREST = 10, WIRE = 4 * TEST_DIMENSION };

typedef struct world {
    hnsw        *graph;
    test_vectors source;
    uint8_t (*wire)[WIRE];
} world;

static void new_wire(world *w, uint32_t id) {
    float vector[TEST_DIMENSION];
    test_vector(&w->source, vector);
    test_wire(vector, w->wire[id]);
}

static void put(world *w, uint32_t id) {
    corm_error err = { 0 };
    new_wire(w, id);
    assert_ok(hnsw__put(w->graph, id, w->wire[id], &err), err);
}

static void take(world *w, uint32_t id) {
    corm_error err = { 0 };
    assert_ok(hnsw__remove(w->graph, id, &err), err);
}

static void open_world(world *w, hnsw_options options, uint32_t nodes) {
    corm_error err = { 0 };
    test_vectors_init(&w->source, 7);
    options.dimension = TEST_DIMENSION;
    w->wire = calloc(NODES, sizeof *w->wire);
    assert_non_null(w->wire);
    assert_ok(hnsw__new(&options, &w->graph, &err), err);
    for (uint32_t id = 0; id < nodes; id++) put(w, id);
}

static void close_world(world *w) {
    hnsw__unref(w->graph);
    free(w->wire);
}

static const hnsw_options by_distance = { .by_distance = true,
                                          .connections = 12,
                                          .build_beam = 60 };

static bool is_among(uint32_t id, const hnsw_hit *hits, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (hits[i].id == id) return true;
    }
    return false;
}

/* The part of the exactly nearest that a search finds. */
static double recall(world *w, uint32_t beam) {
    uint32_t found = 0, wanted = 0;
    hnsw_hit exact[NEAREST], hits[512];
    for (int i = 0; i < QUERIES; i++) {
        corm_error err = { 0 };
        uint32_t   exact_count, count;
        float      vector[TEST_DIMENSION];
        uint8_t    query[WIRE];
        test_vector(&w->source, vector);
        test_wire(vector, query);
        assert_ok(hnsw__scan(w->graph, query, NEAREST, exact, &exact_count, &err), err);
        assert_ok(hnsw__search(w->graph, query, beam, hits, &count, &err), err);
        wanted += exact_count;
        for (uint32_t j = 0; j < exact_count; j++) found += is_among(exact[j].id, hits, count);
    }
    return (double)found / wanted;
}

/* Nodes that a walk along the links of the lowest level meets. */
static uint32_t reached(world *w) {
    uint32_t *queue = calloc(NODES, sizeof *queue), first = 0, count = 0;
    bool     *seen = calloc(NODES, sizeof *seen);
    for (uint32_t id = 0; id < NODES && count == 0; id++) {
        if (hnsw__has(w->graph, id)) queue[count++] = id, seen[id] = true;
    }
    while (first < count) {
        uint32_t        length;
        const uint32_t *links = hnsw__links(w->graph, queue[first++], 0, &length);
        for (uint32_t i = 0; i < length; i++) {
            assert_true(hnsw__has(w->graph, links[i]));
            if (seen[links[i]]) continue;
            seen[links[i]] = true;
            queue[count++] = links[i];
        }
    }
    free(queue);
    free(seen);
    return count;
}

static void an_empty_graph_finds_nothing(void **unused) {
    world      w;
    corm_error err = { 0 };
    uint32_t   count = 9;
    hnsw_hit   hit;
    (void)unused;
    open_world(&w, by_distance, 0);
    new_wire(&w, 0);
    assert_ok(hnsw__search(w.graph, w.wire[0], 1, &hit, &count, &err), err);
    assert_int_equal(count, 0);
    assert_int_equal(hnsw__free_id(w.graph), 0);
    close_world(&w);
}

static void a_vector_finds_itself_first(void **unused) {
    world      w;
    corm_error err = { 0 };
    (void)unused;
    open_world(&w, by_distance, 1000);
    for (uint32_t id = 0; id < 1000; id++) {
        hnsw_hit hits[30];
        uint32_t count;
        assert_ok(hnsw__search(w.graph, w.wire[id], 30, hits, &count, &err), err);
        assert_int_equal(hits[0].id, id);
        assert_true(hits[0].distance < 1e-6f);
        for (uint32_t i = 1; i < count; i++) assert_true(hits[i - 1].distance <= hits[i].distance);
    }
    close_world(&w);
}

static void most_of_the_nearest_are_found(void **unused) {
    world        w;
    hnsw_options cosine = { .normalize = true, .connections = 12, .build_beam = 60 };
    (void)unused;
    open_world(&w, by_distance, NODES);
    assert_true(recall(&w, 60) > 0.97);
    assert_true(reached(&w) > NODES - NODES / 200);
    close_world(&w);
    open_world(&w, cosine, NODES);
    assert_true(recall(&w, 60) > 0.97);
    close_world(&w);
}

static void recall_stays_when_most_vectors_have_changed_or_gone(void **unused) {
    world w;
    (void)unused;
    open_world(&w, by_distance, NODES);
    for (int i = 0; i < 2 * NODES; i++) {
        uint32_t id = (uint32_t)(test_unit(&w.source) * NODES);
        if (i % 3 == 0)
            take(&w, id);
        else
            put(&w, id);
        if (i % 500 == 0) hnsw__settle(w.graph);
    }
    hnsw__settle(w.graph);
    assert_true(recall(&w, 60) > 0.97);
    assert_true(reached(&w) > hnsw__count(w.graph) - NODES / 200);
    close_world(&w);
}

static void a_graph_can_be_emptied_and_filled_again(void **unused) {
    world      w;
    corm_error err = { 0 };
    hnsw_hit   hits[40];
    uint32_t   count;
    (void)unused;
    open_world(&w, by_distance, 300);
    for (uint32_t id = 0; id < 300; id++) take(&w, id);
    hnsw__settle(w.graph);
    assert_int_equal(hnsw__count(w.graph), 0);
    assert_ok(hnsw__search(w.graph, w.wire[0], 5, hits, &count, &err), err);
    assert_int_equal(count, 0);
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t id = hnsw__free_id(w.graph);
        assert_true(id < 300);
        put(&w, id);
    }
    assert_int_equal(hnsw__free_id(w.graph), 300);
    for (uint32_t id = 0; id < 300; id++) {
        assert_ok(hnsw__search(w.graph, w.wire[id], 40, hits, &count, &err), err);
        assert_int_equal(hits[0].id, id);
    }
    close_world(&w);
}

static void what_was_there_is_found_until_the_change_is_settled(void **unused) {
    world      w;
    corm_error err = { 0 };
    hnsw_hit   hit;
    uint32_t   count;
    uint8_t    old[WIRE];
    (void)unused;
    open_world(&w, by_distance, 100);
    memcpy(old, w.wire[5], sizeof old);
    put(&w, 5);
    take(&w, 6);
    assert_ok(hnsw__search(w.graph, old, 1, &hit, &count, &err), err);
    assert_true(hit.id == 5 && hit.distance < 1e-6f);
    assert_ok(hnsw__search(w.graph, w.wire[6], 1, &hit, &count, &err), err);
    assert_true(hit.id == 6);
    hnsw__settle(w.graph);
    assert_ok(hnsw__search(w.graph, w.wire[6], 1, &hit, &count, &err), err);
    assert_true(hit.id != 6);
    close_world(&w);
}

static void changed_nodes_are_told_once(void **unused) {
    world    w;
    uint32_t count;
    (void)unused;
    open_world(&w, by_distance, 200);
    const uint32_t *changed = hnsw__changed(w.graph, &count);
    assert_int_equal(count, 200);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < i; j++) assert_int_not_equal(changed[i], changed[j]);
    hnsw__settle(w.graph);
    take(&w, 17);
    changed = hnsw__changed(w.graph, &count);
    bool told = false;
    for (uint32_t i = 0; i < count; i++) told = told || changed[i] == 17;
    assert_true(told && count > 1 && count < 120);
    close_world(&w);
}

static void copy_graph(world *from, hnsw *to) {
    corm_error err = { 0 };
    for (uint32_t id = 0; id < NODES; id++) {
        if (hnsw__has(from->graph, id))
            assert_ok(hnsw__place(to, id, hnsw__level(from->graph, id), from->wire[id], &err), err);
    }
    for (uint32_t id = 0; id < NODES; id++) {
        if (!hnsw__has(from->graph, id)) continue;
        for (uint32_t level = 0; level <= hnsw__level(from->graph, id); level++) {
            uint32_t        count;
            const uint32_t *links = hnsw__links(from->graph, id, level, &count);
            assert_ok(hnsw__place_links(to, id, level, links, count, &err), err);
        }
    }
    hnsw__placed(to);
}

static void a_graph_that_was_loaded_is_as_good_as_the_one_that_was_stored(void **unused) {
    world        w;
    corm_error   err = { 0 };
    hnsw        *copy;
    hnsw_options options = by_distance;
    (void)unused;
    open_world(&w, by_distance, NODES);
    for (uint32_t id = 0; id < 500; id++) take(&w, id);
    hnsw__settle(w.graph);
    options.dimension = TEST_DIMENSION;
    assert_ok(hnsw__new(&options, &copy, &err), err);
    copy_graph(&w, copy);
    hnsw__unref(w.graph);
    w.graph = copy;
    assert_int_equal(hnsw__count(w.graph), 2500);
    assert_true(recall(&w, 60) > 0.97);
    assert_true(hnsw__free_id(w.graph) < 500);
    for (uint32_t id = 0; id < 1000; id++) put(&w, id);
    hnsw__settle(w.graph);
    assert_true(recall(&w, 60) > 0.97);
    close_world(&w);
}

static void links_that_cannot_be_are_refused(void **unused) {
    world      w;
    corm_error err = { 0 };
    uint32_t   own = 3, missing = 400, many[64] = { 1 };
    (void)unused;
    open_world(&w, by_distance, 100);
    assert_status(hnsw__place_links(w.graph, 3, 0, &own, 1, &err), CORM_CORRUPT);
    assert_status(hnsw__place_links(w.graph, 3, 0, &missing, 1, &err), CORM_CORRUPT);
    assert_status(hnsw__place_links(w.graph, 3, 0, many, 64, &err), CORM_CORRUPT);
    assert_status(hnsw__place_links(w.graph, 400, 0, &own, 1, &err), CORM_CORRUPT);
    assert_status(hnsw__place_links(w.graph, 3, 9, &own, 1, &err), CORM_CORRUPT);
    assert_status(hnsw__place(w.graph, 4, 15, w.wire[4], &err), CORM_CORRUPT);
    close_world(&w);
}

static void few_connections_are_enough_to_work(void **unused) {
    world        w;
    hnsw_options thin = { .by_distance = true, .connections = 4, .build_beam = 4 };
    (void)unused;
    open_world(&w, thin, 400);
    for (uint32_t id = 0; id < 400; id += 2) take(&w, id);
    hnsw__settle(w.graph);
    assert_int_equal(hnsw__count(w.graph), 200);
    assert_true(recall(&w, 200) > 0.8);
    close_world(&w);
}

/* ---- threads ---- */

typedef struct searcher {
    world      *w;
    atomic_bool stop;
} searcher;

static void *search_on(void *context) {
    searcher    *run = context;
    test_vectors source = run->w->source;
    hnsw_hit     hits[50];
    while (!atomic_load(&run->stop)) {
        corm_error err = { 0 };
        uint32_t   count;
        float      vector[TEST_DIMENSION];
        uint8_t    query[WIRE];
        test_vector(&source, vector);
        test_wire(vector, query);
        if (hnsw__search(run->w->graph, query, 50, hits, &count, &err) != CORM_OK) return run;
        for (uint32_t i = 1; i < count; i++)
            if (hits[i - 1].distance > hits[i].distance) return run;
        if (hnsw__scan(run->w->graph, query, 5, hits, &count, &err) != CORM_OK) return run;
    }
    return NULL;
}

static void searches_go_on_while_the_graph_changes(void **unused) {
    world     w;
    pthread_t threads[3];
    (void)unused;
    open_world(&w, by_distance, 1000);
    searcher run = { &w, false };
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, search_on, &run), 0);
    for (uint32_t i = 0; i < 1500; i++) {
        float      vector[TEST_DIMENSION];
        uint8_t    wire[WIRE];
        corm_error err = { 0 };
        uint32_t   id = (i * 7919) % NODES;
        for (int j = 0; j < TEST_DIMENSION; j++)
            vector[j] = (float)((i * 31 + (uint32_t)j * 17) % 100) / 50;
        test_wire(vector, wire);
        if (i % 3)
            assert_ok(hnsw__put(w.graph, id, wire, &err), err);
        else
            assert_ok(hnsw__remove(w.graph, (i * 13) % 1000, &err), err);
        if (i % 100 == 0) hnsw__settle(w.graph);
    }
    atomic_store(&run.stop, true);
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    close_world(&w);
}

static bool has_label(world *w, uint32_t id, uint64_t until, const char *expected) {
    base_buf out = { 0 };
    bool     found = hnsw__label(w->graph, id, until, &out);
    if (found) assert_text(base__buf_str(&out), expected);
    base__buf_free(&out);
    return found;
}

static void set_label(world *w, uint32_t id, uint64_t since, const char *text) {
    corm_error err = { 0 };
    corm_bytes label = { (const uint8_t *)text, strlen(text) };
    assert_ok(hnsw__set_label(w->graph, id, since, label, &err), err);
}

static void a_label_is_a_node_s_from_a_time_on_until_the_node_changes(void **state) {
    (void)state;
    world w;
    open_world(&w, by_distance, 20);
    assert_false(has_label(&w, 3, UINT64_MAX, ""));
    assert_false(has_label(&w, 5000, UINT64_MAX, ""));
    set_label(&w, 3, 7, "row 3");
    assert_false(has_label(&w, 3, 6, ""));
    assert_true(has_label(&w, 3, 7, "row 3"));
    put(&w, 3);
    assert_false(has_label(&w, 3, 7, ""));
    set_label(&w, 3, 8, "row 3");
    take(&w, 3);
    assert_false(has_label(&w, 3, 8, ""));
    put(&w, 3);
    set_label(&w, 3, 9, "another row");
    hnsw__fetch_labels(w.graph, (const hnsw_hit[]){ { 0, 3 }, { 0, 4 } }, 2);
    assert_false(has_label(&w, 3, 8, ""));
    assert_true(has_label(&w, 3, 9, "another row"));
    close_world(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_graph_finds_nothing),
    cmocka_unit_test(a_vector_finds_itself_first),
    cmocka_unit_test(most_of_the_nearest_are_found),
    cmocka_unit_test(recall_stays_when_most_vectors_have_changed_or_gone),
    cmocka_unit_test(a_graph_can_be_emptied_and_filled_again),
    cmocka_unit_test(what_was_there_is_found_until_the_change_is_settled),
    cmocka_unit_test(changed_nodes_are_told_once),
    cmocka_unit_test(a_label_is_a_node_s_from_a_time_on_until_the_node_changes),
    cmocka_unit_test(a_graph_that_was_loaded_is_as_good_as_the_one_that_was_stored),
    cmocka_unit_test(links_that_cannot_be_are_refused),
    cmocka_unit_test(few_connections_are_enough_to_work),
    cmocka_unit_test(searches_go_on_while_the_graph_changes),
};

RUN_TESTS()
