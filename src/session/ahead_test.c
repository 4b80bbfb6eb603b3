// SPDX-License-Identifier: MIT
/* Pages read ahead over doors that are asynchronous, as a cluster's is. */
#include "session/core.h"

#include "base/fail.h"
#include "testing/check.h"
#include "testing/door.h"

enum { PAGES = 5 };

static const char *const few[] = { "id int", "name text", NULL };
static const char *const many[] = { "id int", "b int", "c int", "d int", "e int", "f int",
                                    "g int",  "h int", "i int", "j int", "k int", "l int",
                                    "m int",  "n int", "o int", "p int", "q int", NULL };

typedef struct book {
    testing_counts counts;
    atomic_int     asked, fails_once; /* fails_once: the page of this number, from 1 */
    bool           wide;
} book;

/* Page n has the rows 2n and 2n + 1; its paging state is the number of the next page. */
static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    book      *self = context;
    corm_bytes state = request->options.paging_state;
    int        page = state.data ? state.data[0] - '0' : 0;
    (void)keyspace;
    atomic_fetch_add(&self->asked, 1);
    if (page > 0 && page == atomic_load(&self->fails_once)) {
        atomic_store(&self->fails_once, 0);
        return base__fail(err, CORM_READ_TIMEOUT, "page %d", page);
    }
    char        first[8], second[8], next[2] = { (char)('1' + page), '\0' };
    const char *cells[40] = { NULL };
    int         columns = self->wide ? 17 : 2;
    snprintf(first, sizeof first, "%d", 2 * page);
    snprintf(second, sizeof second, "%d", 2 * page + 1);
    for (int i = 0; i < 2 * columns; i++) cells[i] = self->wide ? "0" : "'x'";
    cells[0] = first;
    cells[columns] = second;
    testing__answer_rows(request, self->wide ? many : few, cells, page + 1 < PAGES ? next : NULL,
                         out);
    return CORM_OK;
}

static corm_session *open_book(book *self, testing_submit how, testing_door **door) {
    corm_session *session = NULL;
    corm_error    err = { 0 };
    testing_door *made = testing__door_new(answer, self, how, &self->counts);
    if (door) *door = made;
    assert_ok(session__open_door(testing__door(made), NULL, &session, &err), err);
    return session;
}

static corm_result *select_book(corm_session *session, bool no_read_ahead) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(session, "SELECT * FROM book", &result,
                           { .request = { .no_read_ahead = no_read_ahead }, .error = &err }),
              err);
    return result;
}

static void expect_rows(corm_result *result, int32_t from, int32_t to) {
    const corm_row *row;
    corm_error      err = { 0 };
    for (int32_t i = from; i < to; i++) {
        assert_ok(corm_result_step(result, &row, &err), err);
        assert_non_null(row);
        assert_int_equal(corm_row_int(row, 0), i);
    }
}

static void expect_end(corm_result *result) {
    const corm_row *row;
    corm_error      err = { 0 };
    assert_ok(corm_result_step(result, &row, &err), err);
    assert_null(row);
}

static void every_row_comes_once_and_in_order(void **state) {
    (void)state;
    for (testing_submit how = TESTING_AT_ONCE; how <= TESTING_TURNED; how++) {
        for (int wide = 0; wide < 2; wide++) {
            book          self = { .wide = wide };
            corm_session *session = open_book(&self, how, NULL);
            corm_result  *result = select_book(session, false);
            expect_rows(result, 0, 2 * PAGES);
            expect_end(result);
            assert_int_equal(atomic_load(&self.asked), PAGES);
            corm_result_free(result);
            corm_session_close(session);
        }
    }
}

/* The first page is asked for by itself; the second is under way as soon as the first is stepped through, and no third. */
static void one_page_and_no_more_is_read_ahead(void **state) {
    (void)state;
    book          self = { 0 };
    corm_session *session = open_book(&self, TESTING_TURNED, NULL);
    session_door *door = session->door;
    corm_result  *result = select_book(session, false);
    assert_int_equal(atomic_load(&self.counts.submitted) + atomic_load(&self.counts.executed), 1);
    expect_rows(result, 0, 1);
    assert_int_equal(atomic_load(&self.counts.submitted) + atomic_load(&self.counts.executed), 2);
    door->ops->turn(door);
    expect_rows(result, 1, 2);
    assert_int_equal(atomic_load(&self.counts.submitted) + atomic_load(&self.counts.executed), 2);
    expect_rows(result, 2, 3);
    assert_int_equal(atomic_load(&self.counts.submitted) + atomic_load(&self.counts.executed), 3);
    corm_result_free(result);
    corm_session_close(session);
}

static void fetched_pages_are_read_ahead_too(void **state) {
    (void)state;
    book          self = { 0 };
    corm_session *session = open_book(&self, TESTING_ASYNCHRONOUS, NULL);
    corm_result  *result = select_book(session, false);
    corm_error    err = { 0 };
    for (int page = 1; page < PAGES; page++) {
        assert_ok(corm_result_fetch(result, &err), err);
        assert_int_equal(corm_row_int(corm_result_next(result), 0), 2 * page);
        assert_int_equal(corm_result_has_more(result), page + 1 < PAGES);
    }
    assert_status(corm_result_fetch(result, &err), CORM_NOT_FOUND);
    assert_int_equal(atomic_load(&self.asked), PAGES);
    corm_result_free(result);
    corm_session_close(session);
}

static void who_does_not_want_it_reads_page_by_page(void **state) {
    (void)state;
    book          self = { 0 };
    corm_session *session = open_book(&self, TESTING_ASYNCHRONOUS, NULL);
    corm_result  *result = select_book(session, true);
    expect_rows(result, 0, 2);
    assert_int_equal(atomic_load(&self.asked), 1);
    expect_rows(result, 2, 2 * PAGES);
    expect_end(result);
    corm_result_free(result);
    corm_session_close(session);
}

static void a_page_that_fails_is_told_and_may_be_asked_for_again(void **state) {
    (void)state;
    book            self = { .fails_once = 2 };
    corm_session   *session = open_book(&self, TESTING_ASYNCHRONOUS, NULL);
    corm_result    *result = select_book(session, false);
    corm_error      err = { 0 };
    const corm_row *row;
    expect_rows(result, 0, 4);
    assert_status(corm_result_step(result, &row, &err), CORM_READ_TIMEOUT);
    assert_string_equal(err.message, "page 2");
    expect_rows(result, 4, 2 * PAGES);
    expect_end(result);
    corm_result_free(result);
    corm_session_close(session);
}

static void a_result_is_freed_while_its_next_page_is_under_way(void **state) {
    (void)state;
    book          self = { 0 };
    testing_door *door;
    corm_session *session = open_book(&self, TESTING_ASYNCHRONOUS, &door);
    corm_result  *result = select_book(session, false);
    testing__door_hold(door);
    expect_rows(result, 0, 1);
    corm_result_free(result);
    testing__door_release(door);
    corm_session_close(session);
}

static void a_result_outlives_its_session(void **state) {
    (void)state;
    book            self = { 0 };
    corm_session   *session = open_book(&self, TESTING_ASYNCHRONOUS, NULL);
    corm_result    *result = select_book(session, false);
    const corm_row *row;
    corm_error      err = { 0 };
    expect_rows(result, 0, 1);
    corm_session_close(session);
    expect_rows(result, 1, 2);
    assert_status(corm_result_step(result, &row, &err), CORM_CLOSED);
    corm_result_free(result);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_row_comes_once_and_in_order),
    cmocka_unit_test(one_page_and_no_more_is_read_ahead),
    cmocka_unit_test(fetched_pages_are_read_ahead_too),
    cmocka_unit_test(who_does_not_want_it_reads_page_by_page),
    cmocka_unit_test(a_page_that_fails_is_told_and_may_be_asked_for_again),
    cmocka_unit_test(a_result_is_freed_while_its_next_page_is_under_way),
    cmocka_unit_test(a_result_outlives_its_session),
};

RUN_TESTS()
