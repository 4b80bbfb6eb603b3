// SPDX-License-Identifier: MIT
/* The ring in pieces, what is left of it as a text, and pages that have no rows. */
#include "session/scan.h"

#include <stdlib.h>

#include "base/text.h"
#include "corm/cluster.h"
#include "testing/check.h"
#include "testing/script.h"

static uint64_t next_random(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return base__hash(state, sizeof *state, 1);
}

/* ---- the pieces of the ring ---- */

static int compare_tokens(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void pieces_cover_the_ring_once_and_end_at_its_tokens(void **state) {
    (void)state;
    uint64_t random = 7;
    for (int round = 0; round < 200; round++) {
        int64_t    tokens[20];
        scan_cuts  cuts = { tokens, (uint32_t)(next_random(&random) % 20),
                            (uint32_t)(1 + next_random(&random) % 300) };
        corm_error err = { 0 };
        for (uint32_t i = 0; i < cuts.count; i++) tokens[i] = (int64_t)next_random(&random);
        if (cuts.count > 2 && round % 2) tokens[0] = INT64_MIN;
        if (cuts.count > 2 && round % 3) tokens[1] = INT64_MAX;
        qsort(tokens, cuts.count, sizeof tokens[0], compare_tokens);
        scan_pieces pieces = { 0 };
        assert_ok(scan__cut(&pieces, INT64_MIN, INT64_MAX, &cuts, &err), err);
        assert_in_range(pieces.count, cuts.pieces, cuts.pieces + cuts.count + 1);
        int64_t at = INT64_MIN;
        for (uint32_t i = 0, t = 0; i < pieces.count; i++) {
            assert_true(pieces.items[i].start == at && pieces.items[i].end > at);
            at = pieces.items[i].end;
            while (t < cuts.count && tokens[t] <= pieces.items[i].start) t++;
            if (t < cuts.count) assert_true(at <= tokens[t]);
        }
        assert_true(at == INT64_MAX);
        scan__free_pieces(&pieces);
    }
}

/* What a checkpoint of these pieces comes to with the same or other cuts. */
static void a_checkpoint_has_what_is_left(void **state) {
    (void)state;
    scan_cuts   cuts = { NULL, 0, 4 };
    scan_pieces pieces = { 0 }, again = { 0 };
    base_buf    text = { 0 };
    corm_error  err = { 0 };
    uint8_t     bytes[] = { 0, 1, 250, 251, 252 };
    assert_ok(scan__cut(&pieces, INT64_MIN, INT64_MAX, &cuts, &err), err);
    assert_int_equal(pieces.count, 4);
    pieces.items[0].done = true;
    assert_ok(scan__set_state(&pieces.items[1], (corm_bytes){ bytes, sizeof bytes }, &err), err);
    scan__put_checkpoint(&pieces, 77, &text);
    const char *cql = base__buf_cstr(&text);
    cuts.pieces = 8;
    assert_ok(scan__read_checkpoint(cql, 77, &cuts, &again, &err), err);
    assert_in_range(again.count, 5, 6);
    assert_int_equal(again.items[0].start, pieces.items[1].start);
    assert_int_equal(again.items[0].end, pieces.items[1].end);
    assert_int_equal(again.items[0].state_len, sizeof bytes);
    assert_memory_equal(again.items[0].state, bytes, sizeof bytes);
    assert_int_equal(again.items[1].start, pieces.items[2].start);
    assert_true(again.items[again.count - 1].end == INT64_MAX);
    assert_status(scan__read_checkpoint(cql, 78, &cuts, &again, &err), CORM_INVALID_ARGUMENT);
    base__buf_free(&text);
    scan__free_pieces(&pieces);
    scan__free_pieces(&again);
}

static void ranges_that_are_none_are_refused(void **state) {
    (void)state;
    static const char *const wrong[] = { "",     "1:0", "1:1",   "0",  "0:1,,2:3",
                                         ":",    "a:b", "0:1:*", "--", "0:99999999999999999999",
                                         "0:1:A" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        scan_cuts   cuts = { NULL, 0, 1 };
        scan_pieces pieces = { 0 };
        base_buf    text = { 0 };
        corm_error  err = { 0 };
        base__buf_printf(&text, "corm-scan-1 %016x %s ", 77, wrong[i]);
        base__buf_printf(&text, "%016llx", (unsigned long long)base__hash(text.data, text.len, 0));
        const char *cql = base__buf_cstr(&text);
        if (scan__read_checkpoint(cql, 77, &cuts, &pieces, &err) != CORM_INVALID_ARGUMENT) {
            fail_msg("'%s' was read", wrong[i]);
        }
        base__buf_free(&text);
        scan__free_pieces(&pieces);
    }
}

static corm_status count_rows(void *context, corm_result *page, corm_error *err) {
    (void)err;
    *(uint32_t *)context += corm_result_row_count(page);
    return CORM_OK;
}

/* ---- empty pages ---- */

#define SCAN_EMPTY "SELECT * FROM shop.empty WHERE token(k) > ? AND token(k) <= ?"

typedef struct empties {
    testing_counts counts;
    int            asked;
} empties;

static const char *const name_columns[] = {
    "column_name text", "type text", "kind text", "position int", "clustering_order text", NULL
};
static const char *const name_cells[] = { "'k'", "'int'", "'partition_key'", "0", "'none'", NULL };
static const char *const name_markers[] = { "keyspace_name text", "table_name text", NULL };
static const char *const token_markers[] = { "a bigint", "b bigint", NULL };
static const char *const k_columns[] = { "k int", NULL };
static const char *const one_row[] = { "7", NULL };
static const char *const no_rows[] = { NULL };
static const char *const index_columns[] = { "options map<text, text>", NULL };

/* Rows on the third and the last of five pages only. */
static corm_status answer_empty(void *context, corm_str keyspace, const wire_request *request,
                                wire_answer *answer, corm_error *err) {
    (void)keyspace;
    (void)err;
    empties           *self = context;
    corm_str           text = testing__text_of(request);
    bool               is_scan = corm_str_equal(text, corm_str_of(SCAN_EMPTY));
    bool               is_index = base__str_has_prefix(text, corm_str_of("SELECT options"));
    const char *const *columns = is_scan ? k_columns : is_index ? index_columns : name_columns;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(&self->counts, request, is_scan ? token_markers : name_markers,
                                 columns, "m", answer);
        return CORM_OK;
    }
    if (!is_scan) {
        testing__answer_rows(request, columns, is_index ? no_rows : name_cells, NULL, answer);
        return CORM_OK;
    }
    int number = ++self->asked;
    testing__answer_rows(request, columns, number == 3 || number == 5 ? one_row : no_rows,
                         number < 5 ? "more" : NULL, answer);
    return CORM_OK;
}

/* On a thread of the door's, on the caller's loop, and at once. */
static void pages_without_rows_are_passed_over(void **state) {
    (void)state;
    for (testing_submit how = TESTING_AT_ONCE; how <= TESTING_TURNED; how++) {
        empties           self = { 0 };
        corm_session     *session = NULL;
        corm_scan        *scan;
        corm_error        err = { 0 };
        uint32_t          rows = 0;
        corm_scan_options options = {
            .keyspace = "shop", .ranges = 1, .concurrency = 3, .error = &err
        };
        testing_door *door = testing__door_new(answer_empty, &self, how, &self.counts);
        assert_ok(session__open_door(testing__door(door), NULL, &session, &err), err);
        assert_ok(corm_scan_open(session, "empty", &options, &scan), err);
        assert_ok(corm_scan_run(scan, count_rows, &rows, &err), err);
        assert_int_equal(rows, 2);
        assert_int_equal(self.asked, 5);
        corm_scan_free(scan);
        corm_session_close(session);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_cover_the_ring_once_and_end_at_its_tokens),
        cmocka_unit_test(a_checkpoint_has_what_is_left),
        cmocka_unit_test(ranges_that_are_none_are_refused),
        cmocka_unit_test(pages_without_rows_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
