// SPDX-License-Identifier: MIT
/* step.c -- one migration done or taken back, step by step, so that whoever comes after a process that was killed knows where
 * it was.
 *
 *   begin (the schema before, the steps) ─► step 0 ─► step = 1 ─► step 1 ─► … ─► validate ─► end (the schema after)
 *
 * Before a step is executed its number is in the history. So of a record that was begun, all steps below its number are done, and the
 * one with its number may be: the schema tells. When it is as the step leaves it, the step is passed over; when it is as it
 * was before the step, the step is executed; else somebody else was at work, and nothing is done. Steps that leave the
 * schema's shape as it is (writes, options, functions) are executed again. */
#include <stdio.h>

#include "base/text.h"
#include "migrate/history.h"

typedef struct stepper {
    const migrate_writer *to;
    const migrate_unit   *unit;
    const migrate_steps  *steps;
    migrate_snapshot      expected; /* after the steps so far */
    corm_error           *err;
} stepper;

/* ---- executing ---- */

static corm_status execute(const migrate_writer *to, const migrate_step *step, corm_error *err) {
    corm_migrator *migrator = to->migrator;
    if (!step->statement) return step->call(migrator->session, step->context, err);
    CORM_TRY(migrate__ask(migrator, step->text.data, NULL, 0, CORM_CONSISTENCY_DEFAULT, NULL, err));
    if (!migrate__is_schema_change(step->statement)) return CORM_OK;
    return corm_session_wait_for_agreement(migrator->session, MIGRATE_AGREEMENT_MS, err);
}

/* Writes a failure down, for whoever looks at the status; when that fails too, the first failure is the one that counts. */
static void tell(const stepper *run, const char *why) {
    corm_status status = migrate__history_fail(run->to, run->unit->id, why, NULL);
    (void)status;
}

static corm_status failed(const stepper *run, const migrate_step *step, const corm_error *why) {
    char text[sizeof why->message + 128];
    snprintf(text, sizeof text, "%.*s: %s", (int)step->place.len, step->place.data, why->message);
    if (why->status != CORM_LEASE_LOST) tell(run, text);
    return base__fail(run->err, why->status, "%s", text);
}

static corm_status do_step(const stepper *run, uint32_t at) {
    const migrate_step *step = &run->steps->items[at];
    corm_error          why = { 0 };
    CORM_TRY(migrate__lease_check(run->to->lease, run->err));
    migrate__notice(run->to->migrator, "%s, %u of %u: %s", run->unit->id.data, (unsigned)at + 1,
                    (unsigned)run->steps->count, step->text.data);
    if (execute(run->to, step, &why) == CORM_OK) return CORM_OK;
    return failed(run, step, &why);
}

/* ---- going on where another process was killed ---- */

static corm_status is_like(const stepper *run, const migrate_snapshot *live, bool *same) {
    return migrate__snapshot_same(&run->expected, live, same, run->err);
}

static corm_status advance(stepper *run, uint32_t at) {
    const cql_statement *statement = run->steps->items[at].statement;
    corm_error           why = { 0 };
    if (!statement) return CORM_OK;
    if (migrate__snapshot_apply(&run->expected, statement, &why) == CORM_OK) return CORM_OK;
    return base__fail(run->err, CORM_SCHEMA_MISMATCH,
                      "migration %s, step %u: it does not fit what the history says: %s",
                      run->unit->id.data, (unsigned)at + 1, why.message);
}

static corm_status other_hands(const stepper *run, uint32_t at) {
    return base__fail(
        run->err, CORM_SCHEMA_MISMATCH,
        "migration %s stopped at step %u, and the schema is neither as before that step nor "
        "as after it: somebody else changed it meanwhile (corm migrate verify says what)",
        run->unit->id.data, (unsigned)at + 1);
}

/* Whether the step under way when the last process ended is done. */
static corm_status was_done(stepper *run, uint32_t at, bool *done) {
    migrate_snapshot live, before;
    bool             as_before = false, as_after = false, changes_nothing = false;
    CORM_TRY(migrate__snapshot_live(run->to->migrator->session, run->to->migrator->keyspace, &live,
                                    run->err));
    corm_status status = is_like(run, &live, &as_before);
    if (status == CORM_OK) status = migrate__snapshot_copy(&run->expected, &before, run->err);
    if (status == CORM_OK) {
        status = advance(run, at);
        if (status == CORM_OK) status = is_like(run, &live, &as_after);
        if (status == CORM_OK) status = is_like(run, &before, &changes_nothing);
        migrate__snapshot_free(&before);
    }
    migrate__snapshot_free(&live);
    *done = as_after && !changes_nothing;
    if (status == CORM_OK && !as_before && !as_after) status = other_hands(run, at);
    return status;
}

static corm_status resume(stepper *run, uint32_t at) {
    bool done = false;
    for (uint32_t i = 0; i < at; i++) CORM_TRY(advance(run, i));
    if (at >= run->steps->count) return CORM_OK;
    CORM_TRY(was_done(run, at, &done));
    return done ? CORM_OK : do_step(run, at);
}

static corm_status run_steps(stepper *run, const migrate_record *record, const char *start,
                             size_t start_len) {
    uint32_t from = 0;
    if (record) {
        CORM_TRY(migrate__snapshot_parse(run->to->migrator->keyspace,
                                         (corm_str){ start, start_len }, "corm_migrations",
                                         &run->expected, run->err));
        from = record->info.step;
        corm_status status = resume(run, from);
        migrate__snapshot_free(&run->expected);
        if (status != CORM_OK) return status;
        from++;
    }
    for (uint32_t i = from; i < run->steps->count; i++) {
        if (i > 0) CORM_TRY(migrate__history_step(run->to, run->unit->id, i, run->err));
        CORM_TRY(do_step(run, i));
    }
    return CORM_OK;
}

/* ---- up ---- */

static corm_status live_text(corm_migrator *migrator, base_buf *out, corm_error *err) {
    migrate_snapshot live;
    CORM_TRY(migrate__snapshot_live(migrator->session, migrator->keyspace, &live, err));
    migrate__snapshot_print(&live, out);
    migrate__snapshot_free(&live);
    return base__buf_status(out, err);
}

static corm_status begin(const migrate_writer *to, const migrate_unit *unit,
                         corm_migration_state state, const migrate_steps *steps,
                         const migrate_record *record, corm_str before, corm_error *err) {
    return migrate__history_begin(to, unit, state, steps, record ? record->info.step : 0, before,
                                  err);
}

static corm_status validate(const stepper *run) {
    corm_error  why = { 0 };
    const char *id = run->unit->id.data;
    if (!run->unit->validate) return CORM_OK;
    corm_status status = run->unit->validate(run->to->migrator->session, run->unit->context, &why);
    if (status == CORM_OK) return CORM_OK;
    base__fail(run->err, status, "migration %s: its validation failed: %s", id,
               why.message[0] ? why.message : corm_status_text(status));
    tell(run, run->err ? run->err->message : why.message);
    return status;
}

static corm_status finish(const stepper *run) {
    base_buf    after = { 0 };
    corm_status status = live_text(run->to->migrator, &after, run->err);
    if (status == CORM_OK)
        status = migrate__history_end(run->to, run->unit->id, base__buf_str(&after), run->err);
    base__buf_free(&after);
    return status;
}

corm_status migrate__apply(const migrate_writer *to, const migrate_unit *unit,
                           const migrate_record *record, corm_error *err) {
    stepper     run = { .to = to, .unit = unit, .steps = &unit->up, .err = err };
    base_buf    before = { 0 };
    corm_status status = CORM_OK;
    if (record)
        base__buf_put_str(&before, record->before);
    else
        status = live_text(to->migrator, &before, err);
    corm_str start = base__buf_str(&before);
    if (status == CORM_OK) status = base__buf_status(&before, err);
    if (status == CORM_OK)
        status = begin(to, unit, CORM_MIGRATION_APPLYING, &unit->up, record, start, err);
    if (status == CORM_OK) status = run_steps(&run, record, start.data, start.len);
    base__buf_free(&before);
    if (status == CORM_OK) status = validate(&run);
    return status == CORM_OK ? finish(&run) : status;
}

/* ---- down ---- */

static corm_status not_known(const migrate_unit *unit, const char *why, corm_error *err) {
    return base__fail(err, CORM_VALIDATION,
                      "migration %s cannot be taken back by itself: %s; write its way down",
                      unit->id.data, why);
}

static corm_status check_reversible(const migrate_unit *unit, corm_error *err) {
    base_arena  arena = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < unit->up.count && status == CORM_OK; i++) {
        const cql_statement *statement = unit->up.items[i].statement;
        if (!statement)
            status = not_known(unit, "it calls a function", err);
        else if (migrate__loses(statement, &arena))
            status = not_known(unit, "what it took away is gone", err);
        else if (!migrate__is_schema_change(statement))
            status = not_known(unit, "it writes data", err);
    }
    base__arena_free(&arena);
    return status;
}

static corm_status steps_of(const migrate_differences *differences, const migrate_unit *unit,
                            base_arena *arena, migrate_steps *out, corm_error *err) {
    corm_str place = base__arena_printf(arena, "migration %s, taken back", unit->id.data);
    if (!place.data) return base__fail_memory(err);
    for (uint32_t i = 0; i < differences->count; i++) {
        const migrate_difference *item = &differences->items[i];
        if (item->cql.len == 0) return not_known(unit, item->about.data, err);
        CORM_TRY(migrate__add_statement(out, arena, item->cql, place, err));
    }
    return CORM_OK;
}

corm_status migrate__undo_steps(corm_migrator *migrator, const migrate_unit *unit,
                                const migrate_record *record, base_arena *arena, migrate_steps *out,
                                corm_error *err) {
    migrate_snapshot    live, before;
    migrate_differences differences;
    *out = unit->down;
    if (unit->has_down) return CORM_OK;
    *out = (migrate_steps){ 0 };
    CORM_TRY(check_reversible(unit, err));
    CORM_TRY(migrate__snapshot_live(migrator->session, migrator->keyspace, &live, err));
    corm_status status = migrate__snapshot_parse(migrator->keyspace, record->before,
                                                 "corm_migrations", &before, err);
    if (status == CORM_OK) {
        status = migrate__diff(&live, &before, true, &differences, err);
        if (status == CORM_OK) {
            status = steps_of(&differences, unit, arena, out, err);
            migrate__differences_free(&differences);
        }
        migrate__snapshot_free(&before);
    }
    migrate__snapshot_free(&live);
    return status;
}

/* Steps that were worked out from the schema are worked out again: they are those that are left. */
static corm_status take_back(const migrate_writer *to, const migrate_unit *unit,
                             const migrate_record *record, const migrate_steps *steps, bool allow,
                             corm_error *err) {
    stepper run = { .to = to, .unit = unit, .steps = steps, .err = err };
    bool    resumes = record->info.state == CORM_MIGRATION_UNDOING && unit->has_down;
    for (uint32_t i = 0; i < steps->count; i++)
        CORM_TRY(migrate__check_loss(&steps->items[i], allow, err));
    const migrate_record *from = resumes ? record : NULL;
    CORM_TRY(begin(to, unit, CORM_MIGRATION_UNDOING, steps, from, record->before, err));
    CORM_TRY(run_steps(&run, from, record->after.data, record->after.len));
    return migrate__history_remove(to, unit->id, err);
}

corm_status migrate__take_back(const migrate_writer *to, const migrate_unit *unit,
                               const migrate_record *record, bool allow_destructive,
                               corm_error *err) {
    base_arena    arena = { 0 };
    migrate_steps steps;
    corm_status   status = migrate__undo_steps(to->migrator, unit, record, &arena, &steps, err);
    if (status == CORM_OK) status = take_back(to, unit, record, &steps, allow_destructive, err);
    base__arena_free(&arena);
    return status;
}
