// SPDX-License-Identifier: MIT
/* Scans over the embedded store, and over a door in front of it that counts and fails. */
#include "session/scan.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "corm/cluster.h"
#include "cql/token.h"
#include "engine/engine.h"
#include "testing/check.h"

/* ---- a door in front of the embedded store ---- */

typedef struct spy {
    session_door  door; /* first */
    session_door *inner;
    atomic_int    reads;   /* EXECUTEs submitted */
    atomic_int    fail_at; /* the read of this number fails; -1: none */
    int64_t       token;   /* the ring's only token, when it is not 0 */
} spy;

static corm_status spy_execute(session_door *door, corm_str keyspace, const wire_request *request,
                               wire_answer *answer, corm_error *err) {
    session_door *inner = ((spy *)door)->inner;
    return inner->ops->execute(inner, keyspace, request, answer, err);
}

static void spy_submit(session_door *door, corm_str keyspace, const wire_request *request,
                       wire_answer *answer, session_door_callback callback, void *context) {
    spy *self = (spy *)door;
    if (request->kind == WIRE_EXECUTE) {
        int number = atomic_fetch_add(&self->reads, 1);
        if (number == atomic_load(&self->fail_at)) {
            corm_error err = { 0 };
            callback(context, base__fail(&err, CORM_READ_TIMEOUT, "no answer"), &err);
            return;
        }
    }
    self->inner->ops->submit(self->inner, keyspace, request, answer, callback, context);
}

static const wire_prepared *spy_ref(const wire_prepared *prepared) {
    return engine__prepared_ref(prepared);
}

static void spy_unref(const wire_prepared *prepared) {
    engine__prepared_unref(prepared);
}

static corm_status spy_tokens(session_door *door, int64_t **tokens, uint32_t *count,
                              corm_error *err) {
    (void)err;
    spy *self = (spy *)door;
    *count = 0;
    *tokens = malloc(sizeof **tokens);
    assert_non_null(*tokens);
    if (self->token != 0) (*tokens)[(*count)++] = self->token;
    return CORM_OK;
}

static void spy_close(session_door *door) {
    spy *self = (spy *)door;
    self->inner->ops->close(self->inner);
}

static const session_door_ops spy_ops = {
    .execute = spy_execute,
    .submit = spy_submit,
    .prepared_ref = spy_ref,
    .prepared_unref = spy_unref,
    .close = spy_close,
    .tokens = spy_tokens,
};

static corm_session *open_spy(spy *self) {
    static const corm_session_options options = { .keyspace = "shop",
                                                  .create_keyspace = true,
                                                  .relaxed_durability = true };
    corm_session                     *session = NULL;
    corm_error                        err = { 0 };
    *self = (spy){ .door = { &spy_ops } };
    atomic_init(&self->fail_at, -1);
    assert_ok(session__open_embedded(NULL, &options, &self->inner, &err), err);
    assert_ok(session__open_door(&self->door, &options, &session, &err), err);
    return session;
}

/* ---- tables and what a scan saw ---- */

static void run(corm_session *session, const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static void fill(corm_session *session, int32_t count) {
    corm_error err = { 0 };
    run(session, "CREATE TABLE items (id int, part int, v text, PRIMARY KEY (id, part))");
    for (int32_t i = 0; i < count; i++) {
        assert_ok(corm_execute(session, "INSERT INTO items (id, part, v) VALUES (?, ?, 'v')", NULL,
                               { .values = { corm_v(i / 3), corm_v(i % 3) }, .error = &err }),
                  err);
    }
}

enum { MOST_ROWS = 2000 };

typedef struct sight {
    corm_scan *scan;
    uint32_t   pages, stop_after; /* stop_after: the call that stops; 0: none does */
    uint32_t   rows;
    uint32_t   seen[MOST_ROWS]; /* how often, by 3 * id + part */
} sight;

static void see_rows(sight *seen, corm_result *page) {
    for (const corm_row *row = corm_result_next(page); row; row = corm_result_next(page)) {
        int32_t index = 3 * corm_row_int(row, 0) + corm_row_int(row, 1);
        assert_in_range(index, 0, MOST_ROWS - 1);
        seen->seen[index]++;
        seen->rows++;
    }
}

/* The page at which it stops is not looked at. */
static corm_status see(void *context, corm_result *page, corm_error *err) {
    sight *seen = context;
    assert_true(corm_result_row_count(page) > 0);
    if (seen->stop_after > 0 && ++seen->pages >= seen->stop_after) {
        return base__fail(err, CORM_CANCELLED, "enough");
    }
    see_rows(seen, page);
    return CORM_OK;
}

static corm_scan *open_scan(corm_session *session, const char *table, corm_scan_options options) {
    corm_scan *scan;
    corm_error err = { 0 };
    options.error = &err;
    assert_ok(corm_scan_open(session, table, &options, &scan), err);
    return scan;
}

static void run_whole(corm_scan *scan, sight *seen) {
    corm_error err = { 0 };
    assert_ok(corm_scan_run(scan, see, seen, &err), err);
    assert_true(corm_scan_progress(scan) == 1.0);
}

static void expect_each_once(const sight *seen, int32_t count) {
    for (int32_t i = 0; i < MOST_ROWS; i++) {
        if (seen->seen[i] != (i < count)) fail_msg("row %d was seen %u times", i, seen->seen[i]);
    }
}

/* ---- tests ---- */

static void every_row_is_seen_once(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { 0 };
    fill(session, 1000);
    corm_scan *scan = open_scan(session, "items", (corm_scan_options){ .page_size = 2 });
    assert_true(corm_scan_progress(scan) == 0.0);
    run_whole(scan, &seen);
    expect_each_once(&seen, 1000);
    corm_scan_free(scan);
    corm_session_close(session);
}

static void a_scan_that_has_ended_sees_nothing_more(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { 0 };
    char         *text;
    corm_error    err = { 0 };
    fill(session, 30);
    corm_scan *scan = open_scan(session, "items", (corm_scan_options){ 0 });
    run_whole(scan, &seen);
    run_whole(scan, &seen);
    assert_ok(corm_scan_checkpoint(scan, &text, &err), err);
    corm_scan_free(scan);
    scan = open_scan(session, "items", (corm_scan_options){ .resume = text });
    run_whole(scan, &seen);
    expect_each_once(&seen, 30);
    corm_scan_free(scan);
    free(text);
    corm_session_close(session);
}

static void an_empty_table_is_a_whole_scan(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { 0 };
    fill(session, 0);
    corm_scan *scan =
        open_scan(session, "items", (corm_scan_options){ .ranges = 1, .concurrency = 3 });
    run_whole(scan, &seen);
    assert_int_equal(atomic_load(&door.reads), 1);
    corm_scan_free(scan);
    corm_session_close(session);
}

static void columns_and_conditions_are_the_caller_s(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { 0 };
    fill(session, 30);
    corm_scan *scan = open_scan(session, "items",
                                (corm_scan_options){ .columns = "id, part, ttl(v)",
                                                     .where = "part = 2 AND id > 3",
                                                     .allow_filtering = true });
    run_whole(scan, &seen);
    assert_int_equal(seen.rows, 6);
    corm_scan_free(scan);
    corm_session_close(session);
}

/* ---- keys whose token is given: MurmurHash3 backwards ---- */

static uint64_t rotate(uint64_t v, unsigned bits) {
    return v << bits | v >> (64 - bits);
}

/* Of an odd number, modulo 2^64. */
static uint64_t inverse(uint64_t odd) {
    uint64_t x = odd;
    for (int i = 0; i < 6; i++) x *= 2 - odd * x;
    return x;
}

static uint64_t unfinish(uint64_t h) {
    h ^= h >> 33;
    h *= inverse(UINT64_C(0xc4ceb9fe1a85ec53));
    h ^= h >> 33;
    h *= inverse(UINT64_C(0xff51afd7ed558ccd));
    return h ^ h >> 33;
}

static uint64_t little(uint64_t v) {
    return __builtin_bswap64(v);
}

/* The key of 16 bytes whose hash is `h1`, with 0 as the hash's second half before the last sum. */
static void key_of_hash(uint64_t h1, uint8_t key[16]) {
    const uint64_t c1 = UINT64_C(0x87c37b91114253d5), c2 = UINT64_C(0x4cf5ad432745937f);
    uint64_t       a = unfinish(h1), b = 0 - a;
    uint64_t       first = (a - b) ^ 16, second = b ^ 16;
    uint64_t       mixed = rotate((first - 0x52dce729) * inverse(5), 64 - 27);
    uint64_t       other = rotate((second - 0x38495ab5) * inverse(5) - first, 64 - 31);
    base__store_u64(key, little(rotate(mixed * inverse(c2), 64 - 31) * inverse(c1)));
    base__store_u64(key + 8, little(rotate(other * inverse(c1), 64 - 33) * inverse(c2)));
}

static corm_status count_rows(void *context, corm_result *page, corm_error *err) {
    (void)err;
    *(uint32_t *)context += corm_result_row_count(page);
    return CORM_OK;
}

static void tokens_at_both_ends_of_the_ring_are_read(void **state) {
    (void)state;
    static const int64_t hashes[] = { INT64_MIN, INT64_MIN + 1, INT64_MIN + 2, -1, 0,
                                      1,         INT64_MAX - 1, INT64_MAX };
    spy                  door;
    corm_session        *session = open_spy(&door);
    corm_error           err = { 0 };
    run(session, "CREATE TABLE edges (k blob PRIMARY KEY)");
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++) {
        uint8_t key[16];
        key_of_hash((uint64_t)hashes[i], key);
        corm_bytes bytes = { key, sizeof key };
        assert_true(cql__token(bytes) == (hashes[i] == INT64_MIN ? INT64_MAX : hashes[i]));
        assert_ok(corm_execute(session, "INSERT INTO edges (k) VALUES (?)", NULL,
                               { .values = { corm_v(bytes) }, .error = &err }),
                  err);
    }
    static const uint32_t ranges[] = { 1, 2, 3, 256, 4097 };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint32_t   rows = 0;
        corm_scan *scan =
            open_scan(session, "edges", (corm_scan_options){ .ranges = ranges[i], .page_size = 1 });
        assert_ok(corm_scan_run(scan, count_rows, &rows, &err), err);
        assert_int_equal(rows, 8);
        corm_scan_free(scan);
    }
    corm_session_close(session);
}

static void a_range_that_wraps_around_is_read_whole(void **state) {
    (void)state;
    static const int64_t tokens[] = { INT64_MIN, INT64_MIN + 1, -5, 7, INT64_MAX - 1, INT64_MAX };
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        spy           door;
        corm_session *session = open_spy(&door);
        sight         seen = { 0 };
        fill(session, 90);
        door.token = tokens[i];
        corm_scan *scan =
            open_scan(session, "items", (corm_scan_options){ .ranges = 1, .page_size = 7 });
        run_whole(scan, &seen);
        expect_each_once(&seen, 90);
        corm_scan_free(scan);
        corm_session_close(session);
    }
}

static void partitions_with_static_columns_only_are_seen(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    uint32_t      rows = 0;
    corm_error    err = { 0 };
    run(session, "CREATE TABLE \"OddName\" (\"K\" int, l text, c int, s int static, v int, PRIMARY "
                 "KEY ((\"K\", l), c))");
    for (int i = 0; i < 20; i++) {
        char text[100];
        snprintf(text, sizeof text, "INSERT INTO \"OddName\" (\"K\", l, s) VALUES (%d, 'x', %d)", i,
                 i);
        run(session, text);
    }
    run(session, "INSERT INTO \"OddName\" (\"K\", l, c, v) VALUES (3, 'x', 1, 1)");
    run(session, "INSERT INTO \"OddName\" (\"K\", l, c, v) VALUES (3, 'x', 2, 1)");
    corm_scan *scan = open_scan(session, "OddName", (corm_scan_options){ .page_size = 1 });
    assert_ok(corm_scan_run(scan, count_rows, &rows, &err), err);
    assert_int_equal(rows, 21);
    corm_scan_free(scan);
    corm_session_close(session);
}

/* ---- stopping and going on ---- */

static uint64_t next_random(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return base__hash(state, sizeof *state, 1);
}

/* One scan in many pieces, each of its own corm_scan, with other ranges and pages each time. */
static void scan_with_stops(corm_session *session, uint64_t *random, sight *seen) {
    char *text = NULL;
    for (bool done = false; !done;) {
        corm_error err = { 0 };
        corm_scan *scan =
            open_scan(session, "items",
                      (corm_scan_options){ .resume = text,
                                           .concurrency = (uint32_t)(next_random(random) % 5),
                                           .ranges = (uint32_t)(1 + next_random(random) % 40),
                                           .page_size = (int32_t)(1 + next_random(random) % 9) });
        seen->pages = 0;
        seen->stop_after = (uint32_t)(1 + next_random(random) % 30);
        corm_status status = corm_scan_run(scan, see, seen, &err);
        if (status != CORM_OK) assert_status(status, CORM_CANCELLED);
        done = status == CORM_OK;
        free(text);
        assert_ok(corm_scan_checkpoint(scan, &text, &err), err);
        corm_scan_free(scan);
    }
    free(text);
}

/* Pages that the callback accepted are not read again, and none is missing, wherever it stopped. */
static void a_scan_that_is_stopped_anywhere_goes_on_there(void **state) {
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < 12; round++) {
        spy           door;
        corm_session *session = open_spy(&door);
        sight         seen = { 0 };
        int32_t       count = (int32_t)(next_random(&random) % 400);
        fill(session, count);
        if (round % 3 == 0) door.token = (int64_t)next_random(&random);
        scan_with_stops(session, &random, &seen);
        expect_each_once(&seen, count);
        corm_session_close(session);
    }
}

static void a_scan_goes_on_in_the_same_handle_after_an_error(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { 0 };
    corm_error    err = { 0 };
    fill(session, 300);
    corm_scan *scan = open_scan(session, "items", (corm_scan_options){ .page_size = 2 });
    for (int i = 3; i < 60; i += 7) {
        atomic_store(&door.reads, 0);
        atomic_store(&door.fail_at, i);
        assert_status(corm_scan_run(scan, see, &seen, &err), CORM_READ_TIMEOUT);
        assert_string_equal(err.message, "no answer");
        assert_true(corm_scan_progress(scan) < 1.0);
    }
    atomic_store(&door.fail_at, -1);
    run_whole(scan, &seen);
    expect_each_once(&seen, 300);
    corm_scan_free(scan);
    corm_session_close(session);
}

static corm_status see_with_checkpoint(void *context, corm_result *page, corm_error *err) {
    sight *seen = context;
    char  *text;
    CORM_TRY(corm_scan_checkpoint(seen->scan, &text, err));
    free(text);
    assert_status(corm_scan_run(seen->scan, see, seen, err), CORM_WOULD_DEADLOCK);
    see_rows(seen, page);
    return CORM_OK;
}

static void a_checkpoint_is_taken_inside_the_callback_but_no_second_run_is(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { 0 };
    corm_error    err = { 0 };
    fill(session, 60);
    seen.scan = open_scan(session, "items", (corm_scan_options){ .page_size = 2 });
    assert_ok(corm_scan_run(seen.scan, see_with_checkpoint, &seen, &err), err);
    expect_each_once(&seen, 60);
    corm_scan_free(seen.scan);
    corm_session_close(session);
}

static void a_checkpoint_stays_short(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    sight         seen = { .stop_after = 40 };
    corm_error    err = { 0 };
    char         *text;
    fill(session, 1500);
    corm_scan *scan = open_scan(
        session, "items", (corm_scan_options){ .page_size = 2, .concurrency = 4, .ranges = 200 });
    assert_status(corm_scan_run(scan, see, &seen, &err), CORM_CANCELLED);
    assert_ok(corm_scan_checkpoint(scan, &text, &err), err);
    uint32_t ranges = 1;
    for (const char *p = text; *p; p++) ranges += *p == ',';
    if (ranges > 16) fail_msg("%u ranges: %s", ranges, text);
    free(text);
    corm_scan_free(scan);
    corm_session_close(session);
}

static void refused(corm_session *session, const char *table, corm_scan_options options,
                    corm_status status, const char *words) {
    corm_scan *scan;
    corm_error err = { 0 };
    options.error = &err;
    assert_status(corm_scan_open(session, table, &options, &scan), status);
    assert_null(scan);
    if (!strstr(err.message, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.message);
}

static void a_checkpoint_of_another_query_or_a_damaged_one_is_refused(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    corm_error    err = { 0 };
    char         *text;
    fill(session, 3);
    run(session, "CREATE TABLE others (id int, part int, v text, PRIMARY KEY (id, part))");
    corm_scan *scan = open_scan(session, "items", (corm_scan_options){ 0 });
    assert_ok(corm_scan_checkpoint(scan, &text, &err), err);
    corm_scan_free(scan);
    refused(session, "others", (corm_scan_options){ .resume = text }, CORM_INVALID_ARGUMENT,
            "another table");
    refused(session, "items", (corm_scan_options){ .resume = text, .columns = "id" },
            CORM_INVALID_ARGUMENT, "another table");
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];
        text[i] = '\0';
        refused(session, "items", (corm_scan_options){ .resume = text }, CORM_INVALID_ARGUMENT,
                "damaged");
        text[i] = was == '7' ? '8' : '7';
        refused(session, "items", (corm_scan_options){ .resume = text }, CORM_INVALID_ARGUMENT,
                "damaged");
        text[i] = was;
    }
    free(text);
    corm_session_close(session);
}

static void what_cannot_be_scanned_is_said_at_once(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    fill(session, 3);
    refused(session, "nothing", (corm_scan_options){ 0 }, CORM_NOT_FOUND, "nothing");
    refused(session, "items", (corm_scan_options){ .columns = "x" }, CORM_INVALID, "x");
    refused(session, "items", (corm_scan_options){ .where = "part = 1" }, CORM_INVALID,
            "ALLOW FILTERING");
    refused(session, "items", (corm_scan_options){ .where = "part = ?", .allow_filtering = true },
            CORM_INVALID_ARGUMENT, "markers");
    refused(session, "items", (corm_scan_options){ .concurrency = 5000 }, CORM_INVALID_ARGUMENT,
            "5000");
    refused(session, "items", (corm_scan_options){ .ranges = 2000000 }, CORM_INVALID_ARGUMENT,
            "2000000");
    corm_scan_free(NULL);
    corm_session_close(session);
}

/* ---- pages read ahead ---- */

typedef struct pace {
    spy     *door;
    int      pages;
    uint32_t lanes;
} pace;

/* When the callback has page n, at most n pages and one more a lane were asked for. */
static corm_status check_pace(void *context, corm_result *page, corm_error *err) {
    pace *self = context;
    (void)page;
    (void)err;
    self->pages++;
    assert_in_range(atomic_load(&self->door->reads), 0, self->pages + (int)self->lanes);
    return CORM_OK;
}

static void no_more_than_a_page_a_range_is_read_ahead(void **state) {
    (void)state;
    spy           door;
    corm_session *session = open_spy(&door);
    corm_error    err = { 0 };
    fill(session, 600);
    for (uint32_t lanes = 1; lanes <= 4; lanes++) {
        pace       self = { &door, 0, lanes };
        corm_scan *scan =
            open_scan(session, "items",
                      (corm_scan_options){ .page_size = 5, .concurrency = lanes, .ranges = 4 });
        atomic_store(&door.reads, 0);
        assert_ok(corm_scan_run(scan, check_pace, &self, &err), err);
        assert_true(self.pages >= 120);
        corm_scan_free(scan);
    }
    corm_session_close(session);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_seen_once),
        cmocka_unit_test(a_scan_that_has_ended_sees_nothing_more),
        cmocka_unit_test(an_empty_table_is_a_whole_scan),
        cmocka_unit_test(columns_and_conditions_are_the_caller_s),
        cmocka_unit_test(tokens_at_both_ends_of_the_ring_are_read),
        cmocka_unit_test(a_range_that_wraps_around_is_read_whole),
        cmocka_unit_test(partitions_with_static_columns_only_are_seen),
        cmocka_unit_test(a_scan_that_is_stopped_anywhere_goes_on_there),
        cmocka_unit_test(a_scan_goes_on_in_the_same_handle_after_an_error),
        cmocka_unit_test(a_checkpoint_is_taken_inside_the_callback_but_no_second_run_is),
        cmocka_unit_test(a_checkpoint_stays_short),
        cmocka_unit_test(a_checkpoint_of_another_query_or_a_damaged_one_is_refused),
        cmocka_unit_test(what_cannot_be_scanned_is_said_at_once),
        cmocka_unit_test(no_more_than_a_page_a_range_is_read_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
