// SPDX-License-Identifier: MIT
/* stream_kill_test.c -- whoever is killed: a stream that goes on from its checkpoint delivers each row once, and what a bulk writer has
 * acknowledged is there.
 *
 *   consumer   a stream over folder "source" ─► folder "target": the rows of a page and the checkpoint in one batch ─┐ tell the
 *   writer     a bulk writer into folder "bulk", the number of each acknowledged row ────────────────────────────────┘ parent (pipe)
 *   parent     kills them after a random number of those, again and again; then compares
 *
 * The target counts rows in the same batch: one that came twice or never would show. CORM_KILL_SEED sets the seed. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "corm/corm.h"
#include "testing/check.h"

enum { ROWS = 3000, PAGE = 25, MOST_ROWS = 200000, ROUNDS = 12 };
static const int64_t budget_ns = (int64_t)20 * 1000000000;

static uint64_t seed = 20240717;

static uint32_t dice(uint32_t sides) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % sides;
}

static _Noreturn void give_up(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s\n", what, err->message);
    _exit(3);
}

typedef struct item {
    int32_t id;
    int64_t value;
} item;

static const corm_model items = {
    .table = "items",
    .row_size = sizeof(item),
    .fields = {
        { CORM_COLUMN(item, id), .key = CORM_PARTITION },
        { CORM_COLUMN(item, value) },
    },
};

static corm_db *open_db(const char *uri) {
    corm_db   *db;
    corm_error err = { 0 };
    if (corm_open(&db, uri,
                  { .session = { .keyspace = "k", .create_keyspace = true }, .error = &err }))
        give_up(uri, &err);
    return db;
}

static corm_result *ask(corm_db *db, const char *text) {
    corm_result *result;
    corm_error   err = { 0 };
    if (corm_execute(corm_db_session(db), text, &result, { .error = &err })) give_up(text, &err);
    return result;
}

static void run(corm_db *db, const char *text) {
    corm_result_free(ask(db, text));
}

/* ---- the consumer ---- */

typedef struct consumer {
    corm_db     *target;
    corm_batch  *batch;
    corm_stream *stream;
    int64_t      rows;
    int          pipe;
} consumer;

static corm_status take(void *context, void *row, corm_error *err) {
    consumer   *self = context;
    const item *from = row;
    corm_value  values[] = { corm_v(from->id), corm_v(from->value) };
    self->rows++;
    return corm_batch_add_text(self->batch, "INSERT INTO k.copies (id, value) VALUES (?, ?)",
                               values, 2, err);
}

/* The rows and how far the stream is become true together. */
static corm_status take_page(void *context, const corm_stream_batch *batch, corm_error *err) {
    consumer *self = context;
    char     *place;
    (void)batch;
    if (corm_stream_checkpoint(self->stream, &place, err)) return err->status;
    corm_value  values[] = { corm_v(place), corm_v(self->rows) };
    corm_status status = corm_batch_add_text(
        self->batch, "INSERT INTO k.progress (id, place, rows) VALUES (1, ?, ?)", values, 2, err);
    free(place);
    if (status == CORM_OK) status = corm_batch_run(self->batch, NULL, err);
    corm_batch_clear(self->batch);
    if (write(self->pipe, "p", 1) != 1) _exit(0);
    return status;
}

static _Noreturn void be_consumer(int pipe) {
    corm_error err = { 0 };
    corm_db   *source = open_db("corm:source");
    consumer   self = { .target = open_db("corm:target"), .pipe = pipe };
    run(self.target, "CREATE TABLE IF NOT EXISTS copies (id int PRIMARY KEY, value bigint)");
    run(self.target,
        "CREATE TABLE IF NOT EXISTS progress (id int PRIMARY KEY, place text, rows bigint)");
    corm_result    *result = ask(self.target, "SELECT place, rows FROM progress WHERE id = 1");
    const corm_row *row = corm_result_next(result);
    char           *resume = NULL;
    if (row) {
        corm_str place = corm_row_text(row, 0);
        resume = strndup(place.data, place.len);
        self.rows = corm_row_bigint(row, 1);
    }
    corm_result_free(result);
    self.batch = corm_batch_new(corm_db_session(self.target), CORM_LOGGED);
    corm_stream_options options = { .model = &items,
                                    .batch_size = PAGE,
                                    .resume = resume,
                                    .data = take,
                                    .batch = take_page,
                                    .context = &self,
                                    .error = &err };
    if (corm_stream_open_with(source, &options, &self.stream)) give_up("stream", &err);
    if (corm_stream_run(self.stream, &err)) give_up("run", &err);
    corm_db_close(self.target);
    _exit(0);
}

/* ---- the writer ---- */

static void tell_number(void *context, const corm_bulk_outcome *outcome) {
    int32_t number = (int32_t)(intptr_t)outcome->tag;
    if (outcome->status != CORM_OK) give_up("bulk", outcome->error);
    if (write(*(int *)context, &number, sizeof number) != sizeof number) _exit(0);
}

static _Noreturn void be_writer(int pipe, int32_t first) {
    corm_error err = { 0 };
    corm_bulk *bulk;
    corm_db   *db = open_db("corm:bulk");
    if (corm_bulk_open(
            db, &bulk,
            { .done = tell_number, .context = &pipe, .max_bytes = 100000, .error = &err }))
        give_up("open", &err);
    for (int32_t i = first; i < MOST_ROWS; i++) {
        item row = { i, 2 * (int64_t)i };
        if (corm_bulk_insert(bulk, &items, &row,
                             { .tag = (void *)(intptr_t)i, .write.error = &err }))
            give_up("insert", &err);
    }
    if (corm_bulk_close(bulk, &err)) give_up("close", &err);
    _exit(0);
}

/* ---- the parent ---- */

typedef struct child {
    pid_t pid;
    int   pipe;
} child;

static child start(bool writes, int32_t first) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        if (writes) be_writer(ends[1], first);
        be_consumer(ends[1]);
    }
    close(ends[1]);
    return (child){ pid, ends[0] };
}

/* Whether it ended by itself. */
static bool end(child self) {
    int status;
    assert_int_equal(waitpid(self.pid, &status, 0), self.pid);
    close(self.pipe);
    if (!WIFEXITED(status)) return false;
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void a_stream_that_is_killed_delivers_each_row_once(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_db("corm:source");
    corm_bulk *bulk;
    assert_ok(corm_bulk_open(db, &bulk, { .error = &err }), err);
    for (int32_t i = 0; i < ROWS; i++) {
        item row = { i, 2 * (int64_t)i };
        assert_ok(corm_bulk_insert(bulk, &items, &row, { .write.error = &err }), err);
    }
    assert_ok(corm_bulk_close(bulk, &err), err);
    corm_db_close(db);
    bool ended = false;
    for (uint32_t kills = 0; !ended; kills++) {
        child    self = start(false, 0);
        uint32_t pages = kills < 8 ? dice(20) : UINT32_MAX;
        char     told;
        while (pages-- > 0 && read(self.pipe, &told, 1) == 1) continue;
        kill(self.pid, SIGKILL);
        ended = end(self);
        if (kills > 8) break;
    }
    assert_true(ended);
    db = open_db("corm:target");
    corm_result *result = ask(db, "SELECT rows FROM progress WHERE id = 1");
    assert_int_equal(corm_row_bigint(corm_result_next(result), 0), ROWS);
    corm_result_free(result);
    result = ask(db, "SELECT count(*) FROM copies");
    assert_int_equal(corm_row_bigint(corm_result_next(result), 0), ROWS);
    corm_result_free(result);
    corm_db_close(db);
}

static bool is_there(corm_db *db, int32_t number) {
    corm_rows *rows = NULL;
    corm_error err = { 0 };
    corm_value key = corm_v(number);
    assert_ok(corm_find_key(db, &items, &rows, &key, 1, &err), err);
    const item *row = corm_rows_first(rows);
    bool        found = row && row->value == 2 * (int64_t)number;
    corm_rows_free(rows);
    return found;
}

static void what_a_bulk_writer_has_acknowledged_is_there(void **state) {
    (void)state;
    static bool acknowledged[MOST_ROWS];
    int64_t     began = base__clock_mono_ns();
    int32_t     first = 0, number;
    for (int round = 0; round < ROUNDS && base__clock_mono_ns() - began < budget_ns; round++) {
        child    self = start(true, first);
        uint32_t left = 1 + dice(2000);
        while (left-- > 0 && read(self.pipe, &number, sizeof number) == sizeof number) {
            acknowledged[number] = true;
            if (number >= first) first = number + 1;
        }
        kill(self.pid, SIGKILL);
        while (read(self.pipe, &number, sizeof number) == sizeof number) {
            acknowledged[number] = true;
            if (number >= first) first = number + 1;
        }
        end(self);
        corm_db *db = open_db("corm:bulk");
        for (int32_t i = 0; i < first; i++) {
            if (acknowledged[i] && !is_there(db, i)) fail_msg("row %d was acknowledged", i);
        }
        corm_db_close(db);
    }
    assert_true(first > 0);
}

int main(void) {
    const char *given = getenv("CORM_KILL_SEED");
    if (given) seed = strtoull(given, NULL, 10);
    print_message("CORM_KILL_SEED=%llu\n", (unsigned long long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_that_is_killed_delivers_each_row_once),
        cmocka_unit_test(what_a_bulk_writer_has_acknowledged_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
