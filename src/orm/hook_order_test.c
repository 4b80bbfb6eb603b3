// SPDX-License-Identifier: MIT
/* What hooks change, the order in which they stand, hooks that write, batches that never run, hooks that come and go meanwhile. */
#include "orm/hook_for_tests.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct spy {
    int         before, after;
    corm_status outcome;
} spy;

static corm_status before(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)err;
    ((spy *)context)->before++;
    return CORM_OK;
}

static corm_status after(corm_hook_call *call, void *context, corm_error *err) {
    spy *s = context;
    (void)err;
    s->after++;
    s->outcome = call->status;
    return CORM_OK;
}

/* ---- changes ---- */

static corm_status narrow(corm_hook_call *call, void *context, corm_error *err) {
    (void)context, (void)err;
    call->find->where[1] = (corm_term)corm_eq("id", 2);
    return CORM_OK;
}

static corm_status for_an_hour(corm_hook_call *call, void *context, corm_error *err) {
    (void)context, (void)err;
    call->write->ttl_seconds = 3600;
    return CORM_OK;
}

static corm_status another(corm_hook_call *call, void *context, corm_error *err) {
    (void)context, (void)err;
    call->cql = "SELECT * FROM notes WHERE author = 1 AND id = 3";
    return CORM_OK;
}

static corm_status see_page(corm_hook_call *call, void *context, corm_error *err) {
    (void)err;
    for (uint32_t i = 0; i < corm_rows_count(call->rows); i++) {
        ((note *)corm_rows_at(call->rows, i))->stars.value++;
    }
    *(uint32_t *)context += corm_rows_count(call->rows);
    return CORM_OK;
}

static void conditions_options_and_rows_are_a_hook_s_to_change(void **state) {
    (void)state;
    uint32_t              seen = 0;
    const corm_model_hook hooks[] = {
        { .name = "narrow",
          .on = CORM_ON_FIND | CORM_ON_COUNT | CORM_ON_DELETE_WHERE,
          .before = narrow },
        { .name = "ttl", .on = CORM_ON_INSERT, .before = for_an_hour },
        { .name = "query", .on = CORM_ON_QUERY, .before = another },
        { .name = "pages", .on = CORM_ON_QUERY, .after = see_page, .context = &seen },
    };
    fixture  f = { .db = open_notes() };
    uint64_t count = 0;
    for (int i = 0; i < 4; i++) assert_ok(corm_hook_add(f.db, NULL, &hooks[i], &f.err), f.err);
    for (int32_t id = 1; id <= 3; id++) {
        f.row = one_note(id);
        assert_ok(do_insert(&f), f.err);
    }
    assert_ok(do_find(&f), f.err);
    assert_int_equal(corm_rows_count(f.rows), 1);
    assert_int_equal(((note *)corm_rows_first(f.rows))->id, 2);
    corm_rows_free(f.rows);
    assert_ok(
        corm_count(f.db, &notes, &count, { .where = { corm_eq("author", 1) }, .error = &f.err }),
        f.err);
    assert_int_equal(count, 1);
    assert_ok(do_query(&f), f.err);
    assert_int_equal(((note *)corm_rows_first(f.rows))->id, 3);
    assert_int_equal(((note *)corm_rows_first(f.rows))->stars.value, 2);
    assert_int_equal(seen, 1);
    corm_rows_free(f.rows);
    assert_ok(do_delete_where(&f), f.err);
    assert_ok(do_find(&f), f.err);
    assert_int_equal(corm_rows_count(f.rows), 0);
    corm_rows_free(f.rows);
    corm_result *ttl;
    assert_ok(corm_execute(corm_db_session(f.db),
                           "SELECT ttl(text) FROM notes WHERE author = 1 AND id = 3", &ttl,
                           { .error = &f.err }),
              f.err);
    assert_true(corm_row_int(corm_result_next(ttl), 0) > 3000);
    corm_result_free(ttl);
    corm_db_close(f.db);
}

static void each_page_is_seen(void **state) {
    (void)state;
    uint32_t              seen = 0;
    const corm_model_hook hook = {
        .name = "pages", .on = CORM_ON_FIND, .after = see_page, .context = &seen
    };
    fixture f = { .db = open_notes() };
    for (int32_t id = 0; id < 25; id++) {
        f.row = one_note(id);
        assert_ok(do_insert(&f), f.err);
    }
    assert_ok(corm_hook_add(f.db, &notes, &hook, &f.err), f.err);
    assert_ok(corm_find(f.db, &notes, &f.rows,
                        { .where = { corm_eq("author", 1) },
                          .one_page = true,
                          .request = { .page_size = 10 },
                          .error = &f.err }),
              f.err);
    while (corm_rows_has_more(f.rows)) assert_ok(corm_rows_next_page(f.rows, &f.err), f.err);
    corm_rows_free(f.rows);
    assert_int_equal(seen, 25);
    corm_db_close(f.db);
}

/* ---- order ---- */

static char order[64];

static corm_status mark(corm_hook_call *call, void *context, corm_error *err) {
    size_t len = strlen(order);
    (void)err;
    snprintf(order + len, sizeof order - len, "%s%c", (const char *)context,
             call->is_after ? ')' : '(');
    return CORM_OK;
}

static corm_status refuse(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)context, (void)err;
    return CORM_UNAUTHORIZED;
}

static const corm_model_hook declared[] = {
    { .name = "late", .before = mark, .after = mark, .order = 5, .context = (char[]){ "d" } },
    { .name = "first", .before = mark, .after = mark, .context = (char[]){ "a" } },
    { 0 },
};

#define COL(member) CORM_COLUMN(note, member)
static const corm_model ordered = {
    .table = "ordered", .row_size = sizeof(note), .fields = { NOTE_FIELDS }, .hooks = declared
};
#undef COL

static void hooks_stand_in_their_order_and_end_in_reverse(void **state) {
    (void)state;
    fixture         f = { .db = open_notes(), .row = one_note(1) };
    corm_model_hook b = {
        .name = "b", .before = mark, .after = mark, .on = CORM_ON_INSERT, .context = (char[]){ "b" }
    };
    corm_model_hook c = {
        .name = "c", .before = mark, .after = mark, .on = CORM_ON_INSERT, .context = (char[]){ "c" }
    };
    corm_model_hook    no = { .name = "no", .before = refuse, .on = CORM_ON_INSERT, .order = 4 };
    corm_write_options plain = { .skip_validation = true, .error = &f.err };
    assert_ok(corm_hook_add(f.db, NULL, &b, &f.err), f.err);
    assert_ok(corm_insert_with(f.db, &ordered, &f.row, &plain), f.err);
    assert_string_equal(order, "a(b(d(d)b)a)");
    *order = '\0';
    assert_ok(corm_hook_add(f.db, &ordered, &c, &f.err), f.err);
    assert_status(corm_hook_add(f.db, &ordered, &c, &f.err), CORM_ALREADY_EXISTS);
    assert_ok(corm_insert_with(f.db, &ordered, &f.row, &plain), f.err);
    assert_string_equal(order, "a(b(c(d(d)c)b)a)");
    *order = '\0';
    assert_ok(corm_hook_remove(f.db, NULL, "b", &f.err), f.err);
    assert_status(corm_hook_remove(f.db, NULL, "b", &f.err), CORM_NOT_FOUND);
    assert_ok(corm_hook_add(f.db, &ordered, &no, &f.err), f.err);
    assert_status(corm_insert_with(f.db, &ordered, &f.row, &plain), CORM_UNAUTHORIZED);
    assert_string_equal(f.err.message, "model 'ordered': hook 'no' refused");
    assert_string_equal(order, "a(c(c)a)");
    *order = '\0';
    assert_ok(corm_validate(&ordered, &f.row, NULL, &f.err), f.err);
    assert_string_equal(order, "a(d(d)a)");
    *order = '\0';
    corm_db_close(f.db);
}

/* ---- hooks that write ---- */

static corm_status insert_again(corm_hook_call *call, void *context, corm_error *err) {
    uint32_t *deepest = context;
    note      row = one_note((int32_t)call->depth + 1);
    if (call->depth > *deepest) *deepest = call->depth;
    assert_int_equal(call->path, call->depth == 1 ? CORM_PATH_CALL : CORM_PATH_HOOK);
    return corm_insert(call->db, &notes, &row, { .error = err });
}

static void hooks_that_write_go_eight_deep(void **state) {
    (void)state;
    uint32_t              deepest = 0;
    const corm_model_hook hook = {
        .name = "again", .on = CORM_ON_INSERT, .before = insert_again, .context = &deepest
    };
    fixture f = { .db = open_notes(), .row = one_note(1) };
    assert_ok(corm_hook_add(f.db, &notes, &hook, &f.err), f.err);
    assert_status(do_insert(&f), CORM_INVALID);
    assert_int_equal(deepest, 8);
    assert_non_null(strstr(f.err.message, "8 deep"));
    corm_db_close(f.db);
}

/* ---- batches ---- */

static void a_batch_that_never_runs_ends_its_hooks(void **state) {
    (void)state;
    spy                   s = { 0, 0, CORM_OK };
    const corm_model_hook hook = {
        .name = "spy", .on = CORM_ON_INSERT, .before = before, .after = after, .context = &s
    };
    fixture                  f = { .db = open_notes(), .row = one_note(1) };
    const corm_write_options options = { .error = &f.err };
    assert_ok(corm_hook_add(f.db, &notes, &hook, &f.err), f.err);
    f.batch = corm_batch_new(corm_db_session(f.db), CORM_LOGGED);
    assert_ok(corm_batch_insert(f.batch, f.db, &notes, &f.row, &options), f.err);
    assert_int_equal(s.after, 0);
    corm_batch_clear(f.batch);
    assert_int_equal(s.after, 1);
    assert_status(s.outcome, CORM_CANCELLED);
    assert_ok(corm_batch_insert(f.batch, f.db, &notes, &f.row, &options), f.err);
    corm_batch_free(f.batch);
    assert_int_equal(s.after, 2);
    corm_db_close(f.db);
}

static corm_status see_copy(corm_hook_call *call, void *context, corm_error *err) {
    const note *n = call->row;
    (void)err;
    assert_int_equal(n->tags.count, 1);
    assert_text(n->tags.items[0].as.text, "kept");
    ++*(int *)context;
    return CORM_OK;
}

static void rows_of_a_batch_are_seen_as_they_were_added(void **state) {
    (void)state;
    int                   seen = 0;
    const corm_model_hook hook = {
        .name = "copy", .on = CORM_ON_INSERT, .after = see_copy, .context = &seen
    };
    fixture                  f = { .db = open_notes() };
    const corm_write_options options = { .error = &f.err };
    assert_ok(corm_hook_add(f.db, &notes, &hook, &f.err), f.err);
    f.batch = corm_batch_new(corm_db_session(f.db), CORM_LOGGED);
    for (int32_t i = 0; i < 3; i++) {
        char       text[] = "kept";
        corm_value tag = corm_v((char *)text);
        note       row = one_note(i);
        row.tags = (corm_set){ &tag, 1 };
        assert_ok(corm_batch_insert(f.batch, f.db, &notes, &row, &options), f.err);
        memset(text, 'x', sizeof text - 1);
    }
    assert_ok(corm_batch_run(f.batch, NULL, &f.err), f.err);
    corm_batch_free(f.batch);
    assert_int_equal(seen, 3);
    corm_db_close(f.db);
}

/* ---- adding and removing meanwhile ---- */

static void released(void *context) {
    ++*(int *)context;
}

static corm_status remove_itself(corm_hook_call *call, void *context, corm_error *err) {
    assert_int_equal(*(int *)context, 0);
    return corm_hook_remove(call->db, &notes, "once", err);
}

static void a_hook_may_remove_itself(void **state) {
    (void)state;
    int                   gone = 0;
    const corm_model_hook hook = { .name = "once",
                                   .on = CORM_ON_INSERT,
                                   .before = remove_itself,
                                   .context = &gone,
                                   .release = released };
    fixture               f = { .db = open_notes(), .row = one_note(1) };
    assert_ok(corm_hook_add(f.db, &notes, &hook, &f.err), f.err);
    assert_ok(do_insert(&f), f.err);
    assert_int_equal(gone, 1);
    assert_ok(do_insert(&f), f.err);
    corm_db_close(f.db);
}

static corm_status count_calls(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)err;
    atomic_fetch_add((atomic_int *)context, 1);
    return CORM_OK;
}

static void *insert_many(void *context) {
    fixture own = *(fixture *)context;
    for (int i = 0; i < 50; i++) assert_ok(do_insert(&own), own.err);
    return NULL;
}

static void hooks_come_and_go_while_others_write(void **state) {
    (void)state;
    atomic_int            calls = 0;
    int                   gone = 0;
    const corm_model_hook count = {
        .name = "count", .on = CORM_ON_INSERT, .after = count_calls, .context = &calls
    };
    const corm_model_hook other = {
        .name = "other", .before = count_calls, .context = &calls, .release = NULL
    };
    fixture   f = { .db = open_notes(), .row = one_note(1) };
    pthread_t threads[3];
    (void)gone;
    assert_ok(corm_hook_add(f.db, NULL, &count, &f.err), f.err);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, insert_many, &f), 0);
    for (int i = 0; i < 30; i++) {
        corm_error err = { 0 };
        assert_ok(corm_hook_add(f.db, &notes, &other, &err), err);
        assert_ok(corm_hook_remove(f.db, &notes, "other", &err), err);
    }
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_true(calls >= 150);
    corm_db_close(f.db);
}

static void mistakes_are_named(void **state) {
    (void)state;
    fixture         f = { .db = open_notes() };
    corm_model_hook hook = { .before = refuse };
    assert_status(corm_hook_add(f.db, NULL, &hook, &f.err), CORM_INVALID_ARGUMENT);
    hook = (corm_model_hook){ .name = "x" };
    assert_status(corm_hook_add(f.db, NULL, &hook, &f.err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(f.err.message, "neither"));
    hook = (corm_model_hook){ .name = "x", .before = refuse, .on = 1u << 20 };
    assert_status(corm_hook_add(f.db, NULL, &hook, &f.err), CORM_INVALID_ARGUMENT);
    assert_string_equal(corm_action_name(CORM_ON_DELETE_WHERE), "delete where");
    assert_string_equal(corm_path_name((corm_path)99), "?");
    corm_db_close(f.db);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(conditions_options_and_rows_are_a_hook_s_to_change),
    cmocka_unit_test(each_page_is_seen),
    cmocka_unit_test(hooks_stand_in_their_order_and_end_in_reverse),
    cmocka_unit_test(hooks_that_write_go_eight_deep),
    cmocka_unit_test(a_batch_that_never_runs_ends_its_hooks),
    cmocka_unit_test(rows_of_a_batch_are_seen_as_they_were_added),
    cmocka_unit_test(a_hook_may_remove_itself),
    cmocka_unit_test(hooks_come_and_go_while_others_write),
    cmocka_unit_test(mistakes_are_named),
};

RUN_TESTS()
