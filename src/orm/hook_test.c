// SPDX-License-Identifier: MIT
/* Every operation, on every path, before and after: a hook sees it, changes it, refuses it, fails behind it, takes its time. Tables
 * say which there are; each test goes through all of them. */
#include "orm/hook_for_tests.h"

#include <pthread.h>

/* ---- what there is to do ---- */

static corm_status do_save(fixture *f) {
    return corm_save(f->db, &notes, &f->row, { .error = &f->err });
}
static corm_status do_update(fixture *f) {
    return corm_update(f->db, &notes, &f->row, { .error = &f->err });
}
static corm_status do_upsert(fixture *f) {
    return corm_upsert(f->db, &notes, &f->row, { .error = &f->err });
}
static corm_status do_delete(fixture *f) {
    return corm_delete(f->db, &notes, &f->row, { .error = &f->err });
}
static corm_status do_delete_for_good(fixture *f) {
    return corm_delete(f->db, &notes, &f->row, { .force = true, .error = &f->err });
}
static corm_status do_restore(fixture *f) {
    const corm_write_options options = { .error = &f->err };
    return corm_restore_with(f->db, &notes, &f->row, &options);
}
static corm_status do_change(fixture *f) {
    const corm_change_options options = {
        .edits = { { .column = "tags", .kind = CORM_EDIT_ADD, .value = corm_v("x"), .one = true } },
        .error = &f->err,
    };
    return corm_change_with(f->db, &notes, &f->row, &options);
}
typedef corm_status add_function(corm_batch *batch, corm_db *db, const corm_model *model, void *row,
                                 const corm_write_options *options);

static corm_status add_delete(corm_batch *batch, corm_db *db, const corm_model *model, void *row,
                              const corm_write_options *options) {
    return corm_batch_delete(batch, db, model, row, options);
}

static corm_status batched(fixture *f, add_function *add) {
    const corm_write_options options = { .error = &f->err };
    corm_batch              *batch = corm_batch_new(corm_db_session(f->db), CORM_LOGGED);
    corm_status              status = add(batch, f->db, &notes, &f->row, &options);
    memset(f->row.text, 0, sizeof f->row.text); /* it need not live until the batch runs */
    if (status == CORM_OK) status = corm_batch_run(batch, NULL, &f->err);
    corm_batch_free(batch);
    return status;
}
static corm_status do_batch_insert(fixture *f) {
    return batched(f, corm_batch_insert);
}
static corm_status do_batch_update(fixture *f) {
    return batched(f, corm_batch_update);
}
static corm_status do_batch_delete(fixture *f) {
    return batched(f, add_delete);
}

typedef struct waited {
    corm_status status;
    corm_error  error;
} waited;

static void take(void *context, corm_status status, corm_result *result, const corm_error *error) {
    waited *out = context;
    out->status = status;
    if (error) out->error = *error;
    corm_result_free(result);
}

static corm_status do_batch_async(fixture *f) {
    const corm_write_options options = { .error = &f->err };
    waited                   out = { CORM_OK, { 0 } };
    corm_batch              *batch = corm_batch_new(corm_db_session(f->db), CORM_LOGGED);
    corm_status              status = corm_batch_insert(batch, f->db, &notes, &f->row, &options);
    if (status == CORM_OK) {
        corm_task *task = corm_batch_run_async(batch, take, &out);
        corm_batch_free(batch);
        status = corm_task_wait(task, 0);
        corm_task_free(task);
        assert_status(status, out.status);
        f->err = out.error;
        return status;
    }
    corm_batch_free(batch);
    return status;
}
static corm_status do_batch_split(fixture *f) {
    const corm_write_options options = { .error = &f->err };
    const corm_split_options split = { .error = &f->err };
    corm_batch              *batch = corm_batch_new(corm_db_session(f->db), CORM_UNLOGGED);
    corm_status              status = corm_batch_insert(batch, f->db, &notes, &f->row, &options);
    if (status == CORM_OK) status = corm_batch_run_split(batch, &split, NULL);
    corm_batch_free(batch);
    return status;
}
static corm_status do_find_one(fixture *f) {
    return corm_find_one(f->db, &notes, &f->rows,
                         { .where = { corm_eq("author", 1) }, .error = &f->err });
}
static corm_status do_find_key(fixture *f) {
    const corm_value key[] = { corm_v(1), corm_v(1) };
    return corm_find_key(f->db, &notes, &f->rows, key, 2, &f->err);
}
static corm_status do_count(fixture *f) {
    uint64_t count;
    return corm_count(f->db, &notes, &count,
                      { .where = { corm_eq("author", 1) }, .error = &f->err });
}
static corm_status do_exists(fixture *f) {
    bool exists;
    return corm_exists(f->db, &notes, &exists,
                       { .where = { corm_eq("author", 1) }, .error = &f->err });
}
static const struct operation {
    const char *name;
    corm_status (*run)(fixture *f);
    uint32_t  on; /* what the hook is for */
    corm_path path;
    bool      reads, on_other_thread;
} operations[] = {
    { "insert", do_insert, CORM_ON_INSERT, CORM_PATH_CALL, false, false },
    { "save", do_save, CORM_ON_SAVE, CORM_PATH_CALL, false, false },
    { "update", do_update, CORM_ON_UPDATE, CORM_PATH_CALL, false, false },
    { "upsert", do_upsert, CORM_ON_UPSERT, CORM_PATH_CALL, false, false },
    { "delete", do_delete, CORM_ON_DELETE, CORM_PATH_CALL, false, false },
    { "delete for good", do_delete_for_good, CORM_ON_DELETE, CORM_PATH_CALL, false, false },
    { "restore", do_restore, CORM_ON_RESTORE, CORM_PATH_CALL, false, false },
    { "change", do_change, CORM_ON_UPDATE, CORM_PATH_COLLECTION, false, false },
    { "delete where, as a whole", do_delete_where, CORM_ON_DELETE_WHERE, CORM_PATH_CALL, false,
      false },
    { "delete where, its rows", do_delete_where, CORM_ON_DELETE, CORM_PATH_DELETE_WHERE, false,
      false },
    { "batch insert", do_batch_insert, CORM_ON_INSERT, CORM_PATH_BATCH, false, false },
    { "batch update", do_batch_update, CORM_ON_UPDATE, CORM_PATH_BATCH, false, false },
    { "batch delete", do_batch_delete, CORM_ON_DELETE, CORM_PATH_BATCH, false, false },
    { "batch, not waited for", do_batch_async, CORM_ON_INSERT, CORM_PATH_BATCH, false, true },
    { "batch in pieces", do_batch_split, CORM_ON_INSERT, CORM_PATH_BATCH, false, false },
    { "batch, as a whole", do_batch_insert, CORM_ON_BATCH, CORM_PATH_CALL, false, false },
    { "validation of a write", do_insert, CORM_ON_VALIDATE, CORM_PATH_CALL, true, false },
    { "find", do_find, CORM_ON_FIND, CORM_PATH_CALL, true, false },
    { "find one", do_find_one, CORM_ON_FIND, CORM_PATH_CALL, true, false },
    { "find key", do_find_key, CORM_ON_FIND, CORM_PATH_CALL, true, false },
    { "count", do_count, CORM_ON_COUNT, CORM_PATH_CALL, true, false },
    { "exists", do_exists, CORM_ON_COUNT, CORM_PATH_CALL, true, false },
    { "query", do_query, CORM_ON_QUERY, CORM_PATH_CALL, true, false },
};

enum { OPERATIONS = sizeof operations / sizeof *operations };

/* ---- what a hook does ---- */

typedef enum deed {
    SEES,
    REFUSES,
    FAILS_BEHIND,
    IS_LATE_BEFORE,
    IS_LATE_BEHIND,
    REFUSES_LATE,
    TAKES_TOO_LONG,
    DEEDS
} deed;

typedef struct spy {
    deed              deed;
    int               before, after;
    corm_path         path;
    corm_status       outcome;
    bool              data_kept, could_not_wait;
    pthread_t         thread;
    corm_hook_ticket *ticket;
    bool              joins;
} spy;

static void *finish_later(void *context) {
    spy             *s = context;
    const corm_error own = { .status = CORM_UNAUTHORIZED, .message = "not today" };
    corm_hook_call  *call = corm_hook_hold(s->ticket);
    bool             refuses = s->deed == REFUSES_LATE;
    if (call && call->row && !call->is_after && call->action != CORM_ON_DELETE) {
        strcpy(((note *)call->row)->text, "late");
    }
    corm_hook_done(s->ticket, refuses ? CORM_UNAUTHORIZED : CORM_OK, refuses ? &own : NULL);
    return NULL;
}

static corm_status be_late(spy *s, corm_hook_call *call) {
    s->ticket = corm_hook_later(call);
    s->could_not_wait = s->ticket == NULL;
    if (!s->ticket) return CORM_OK;
    s->joins = true;
    return pthread_create(&s->thread, NULL, finish_later, s) == 0 ? CORM_OK : CORM_NO_MEMORY;
}

static corm_status before(corm_hook_call *call, void *context, corm_error *err) {
    spy *s = context;
    s->before++;
    s->path = call->path;
    call->data = s;
    assert_false(call->is_after);
    assert_ptr_equal(call->model, &notes);
    assert_int_equal(call->depth, 1);
    if (s->deed == REFUSES) return base__fail(err, CORM_UNAUTHORIZED, "not today");
    if (s->deed == IS_LATE_BEFORE || s->deed == REFUSES_LATE) return be_late(s, call);
    if (s->deed == TAKES_TOO_LONG) s->ticket = corm_hook_later(call);
    return CORM_OK;
}

static corm_status after(corm_hook_call *call, void *context, corm_error *err) {
    spy *s = context;
    s->after++;
    s->outcome = call->status;
    s->data_kept = call->data == s;
    assert_true(call->is_after);
    assert_true((call->error != NULL) == (call->status != CORM_OK));
    if (s->deed == FAILS_BEHIND) return base__fail(err, CORM_UNSUPPORTED, "too late");
    return s->deed == IS_LATE_BEHIND ? be_late(s, call) : CORM_OK;
}

/* ---- the matrix ---- */

/* One row, deleted by its time when it is to be restored. */
static void set_up(fixture *f, const struct operation *op) {
    run_cql(f->db, "DELETE FROM notes WHERE author = 1");
    run_cql(f->db, "INSERT INTO notes (author, id, text, stars) VALUES (1, 1, 'old', 5)");
    if (op->run == do_restore)
        run_cql(f->db, "UPDATE notes SET deleted_at = 5 WHERE author = 1 AND id = 1");
    f->row = one_note(1);
    f->rows = NULL;
    f->err = (corm_error){ 0 };
}

static bool is_untouched(corm_db *db, const struct operation *op) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(corm_db_session(db),
                           "SELECT text, deleted_at, tags FROM notes WHERE author = 1", &result,
                           { .error = &err }),
              err);
    const corm_row *row = corm_result_next(result);
    bool            same = row && corm_str_equal(corm_row_text(row, 0), corm_str_of("old")) &&
                corm_row_is_null(row, 1) == (op->run != do_restore) && corm_row_is_null(row, 2);
    corm_result_free(result);
    return same;
}

static corm_status expected(const struct operation *op, deed does) {
    switch (does) {
    case REFUSES:
    case REFUSES_LATE: return CORM_UNAUTHORIZED;
    case TAKES_TOO_LONG: return CORM_TIMEOUT;
    case FAILS_BEHIND: return op->reads ? CORM_UNSUPPORTED : CORM_HOOK_FAILED;
    default: return CORM_OK;
    }
}

static void check(fixture *f, const struct operation *op, const spy *s, corm_status status) {
    bool refused = s->deed == REFUSES || s->deed == REFUSES_LATE || s->deed == TAKES_TOO_LONG;
    if (status != expected(op, s->deed)) {
        fail_msg("%s, deed %d: %s (%s)", op->name, s->deed, corm_status_name(status),
                 f->err.message);
    }
    if (s->before != 1 || s->after != !refused) {
        fail_msg("%s, deed %d: %d before, %d after", op->name, s->deed, s->before, s->after);
    }
    if (s->path != op->path) fail_msg("%s: path %s", op->name, corm_path_name(s->path));
    if (refused && !is_untouched(f->db, op)) fail_msg("%s, deed %d: done", op->name, s->deed);
    if (!refused) {
        assert_true(s->data_kept);
        assert_status(s->outcome, CORM_OK);
    }
    if (!refused && !op->reads && is_untouched(f->db, op)) {
        fail_msg("%s, deed %d: not done", op->name, s->deed);
    }
    if (status != CORM_OK) assert_null(f->rows);
}

static void do_one(fixture *f, const struct operation *op, deed does) {
    spy                   s = { .deed = does };
    const corm_model_hook hook = { .name = "spy",
                                   .on = op->on,
                                   .before = before,
                                   .after = after,
                                   .timeout_ms = does == TAKES_TOO_LONG ? 1 : 0,
                                   .context = &s };
    set_up(f, op);
    assert_ok(corm_hook_add(f->db, &notes, &hook, &f->err), f->err);
    corm_status status = op->run(f);
    if (s.joins) pthread_join(s.thread, NULL);
    if (does == TAKES_TOO_LONG) {
        assert_null(corm_hook_hold(s.ticket));
        corm_hook_done(s.ticket, CORM_OK, NULL);
    }
    assert_int_equal(s.could_not_wait, does == IS_LATE_BEHIND && op->on_other_thread);
    check(f, op, &s, status);
    corm_rows_free(f->rows);
    assert_ok(corm_hook_remove(f->db, &notes, "spy", &f->err), f->err);
}

static void every_deed_is_possible_at_every_operation(void **state) {
    (void)state;
    fixture f = { .db = open_notes() };
    for (int i = 0; i < OPERATIONS; i++) {
        for (deed does = SEES; does < DEEDS; does++) do_one(&f, &operations[i], does);
    }
    corm_db_close(f.db);
}

/* ---- changes ---- */

static corm_status shout(corm_hook_call *call, void *context, corm_error *err) {
    note *n = call->row;
    (void)context, (void)err;
    snprintf(n->text, sizeof n->text, "LOUD");
    return CORM_OK;
}

static void what_is_written_is_what_a_hook_left(void **state) {
    (void)state;
    static const uint32_t writes[] = { CORM_ON_INSERT, CORM_ON_SAVE, CORM_ON_UPDATE, CORM_ON_UPSERT,
                                       CORM_ON_VALIDATE };
    fixture               f = { .db = open_notes() };
    for (int i = 0; i < OPERATIONS; i++) {
        const struct operation *op = &operations[i];
        bool                    one = false;
        for (size_t j = 0; j < sizeof writes / sizeof *writes; j++) one |= op->on == writes[j];
        if (!one || op->run == do_change) continue;
        const corm_model_hook hook = { .name = "shout", .on = op->on, .before = shout };
        set_up(&f, op);
        assert_ok(corm_hook_add(f.db, &notes, &hook, &f.err), f.err);
        assert_ok(op->run(&f), f.err);
        assert_ok(corm_hook_remove(f.db, &notes, "shout", &f.err), f.err);
        assert_ok(do_find(&f), f.err);
        const note *found = corm_rows_first(f.rows);
        if (strcmp(found->text, "LOUD") != 0) fail_msg("%s: %s", op->name, found->text);
        corm_rows_free(f.rows);
    }
    corm_db_close(f.db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_deed_is_possible_at_every_operation),
    cmocka_unit_test(what_is_written_is_what_a_hook_left),
};

RUN_TESTS()
