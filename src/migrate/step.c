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

/* ---- what the schema should be ---- */

static corm_status take_live(stepper *run, migrate_snapshot *out) {
    const corm_migrator *migrator = run->to->migrator;
    return migrate__snapshot_live(migrator->session, migrator->keyspace, out, run->err);
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

/* What a function did to the schema is only known afterwards. */
static corm_status expect_live(stepper *run) {
    migrate_snapshot live;
    CORM_TRY(take_live(run, &live));
    migrate__snapshot_free(&run->expected);
    run->expected = live;
    return CORM_OK;
}

/* Whether the schema is as it is expected now. */
static corm_status is_reached(stepper *run, bool *reached) {
    migrate_snapshot live;
    CORM_TRY(take_live(run, &live));
    corm_status status = migrate__snapshot_same(&run->expected, &live, reached, run->err);
    migrate__snapshot_free(&live);
    return status;
}

/* ---- executing ---- */

static corm_status execute(const migrate_writer *to, const migrate_step *step, corm_error *err) {
    corm_migrator *migrator = to->migrator;
    if (!step->statement) return step->call(migrator->session, step->context, err);
    CORM_TRY(migrate__ask(migrator, step->text.data, NULL, 0, CORM_CONSISTENCY_DEFAULT, NULL, err));
    if (!migrate__is_schema_change(step->statement)) return CORM_OK;
    return corm_session_wait_for_agreement(migrator->session, MIGRATE_AGREEMENT_MS, err);
}

/* Writes a failure down, for whoever looks at the status. When that fails too the first failure counts, unless the lease is lost:
 * then the failure may come from what another process does. */
static corm_status tell(const stepper *run, corm_status status, const char *why) {
    corm_error lost = { 0 };
    if (migrate__history_fail(run->to, run->unit->id, why, &lost) == CORM_LEASE_LOST)
        return base__fail(run->err, CORM_LEASE_LOST, "%s", lost.message);
    return base__fail(run->err, status, "%s", why);
}

static corm_status failed(const stepper *run, const migrate_step *step, const corm_error *why) {
    char text[sizeof why->message + 128];
    snprintf(text, sizeof text, "%.*s: %s", (int)step->place.len, step->place.data, why->message);
    return tell(run, why->status, text);
}

/* A change of the schema that failed may have come about all the same: the answer was lost, or the request of a process that was
 * killed came late, and this one found it done. */
static corm_status settle(stepper *run, const migrate_step *step, const migrate_snapshot *before,
                          const corm_error *why) {
    bool reached = false, changes_nothing = true;
    if (step->statement && migrate__is_schema_change(step->statement)) {
        CORM_TRY(migrate__snapshot_same(before, &run->expected, &changes_nothing, run->err));
        if (!changes_nothing) CORM_TRY(is_reached(run, &reached));
    }
    return reached ? CORM_OK : failed(run, step, why);
}

static corm_status do_step(stepper *run, uint32_t at) {
    const migrate_step *step = &run->steps->items[at];
    corm_error          why = { 0 };
    migrate_snapshot    before;
    CORM_TRY(migrate__lease_check(run->to->lease, run->err));
    migrate__notice(run->to->migrator, "%s, %u of %u: %s", run->unit->id.data, (unsigned)at + 1,
                    (unsigned)run->steps->count, step->text.data);
    CORM_TRY(migrate__snapshot_copy(&run->expected, &before, run->err));
    corm_status status = advance(run, at);
    if (status == CORM_OK && execute(run->to, step, &why) != CORM_OK)
        status = settle(run, step, &before, &why);
    migrate__snapshot_free(&before);
    if (status != CORM_OK || step->statement) return status;
    return expect_live(run);
}

/* ---- going on where another process was killed ---- */

static corm_status other_hands(const stepper *run, uint32_t at) {
    return base__fail(
        run->err, CORM_SCHEMA_MISMATCH,
        "migration %s stopped at step %u, and the schema is neither as before that step nor "
        "as after it: somebody else changed it meanwhile (corm migrate verify says what)",
        run->unit->id.data, (unsigned)at + 1);
}

/* Whether the step under way when the last process ended is done; then the schema is expected to be as after it. A function is called
 * again. */
static corm_status was_done(stepper *run, uint32_t at, bool *done) {
    migrate_snapshot before;
    bool             as_before = false, as_after = false, changes_nothing = false;
    *done = false;
    if (!run->steps->items[at].statement) return CORM_OK;
    CORM_TRY(is_reached(run, &as_before));
    CORM_TRY(migrate__snapshot_copy(&run->expected, &before, run->err));
    corm_status status = advance(run, at);
    if (status == CORM_OK) status = is_reached(run, &as_after);
    if (status == CORM_OK)
        status = migrate__snapshot_same(&run->expected, &before, &changes_nothing, run->err);
    *done = as_after && !changes_nothing;
    if (status == CORM_OK && !*done && !as_before) status = other_hands(run, at);
    if (status != CORM_OK || *done) {
        migrate__snapshot_free(&before);
    } else {
        migrate__snapshot_free(&run->expected);
        run->expected = before;
    }
    return status;
}

static corm_status resume(stepper *run, const migrate_record *record) {
    bool     done = false;
    uint32_t at = record->info.step;
    for (uint32_t i = record->known_step; i < at; i++) CORM_TRY(advance(run, i));
    if (at >= run->steps->count) return CORM_OK;
    CORM_TRY(was_done(run, at, &done));
    return done ? CORM_OK : do_step(run, at);
}

static corm_status note_step(const stepper *run, uint32_t at) {
    base_buf known = { 0 };
    if (run->steps->items[at - 1].statement)
        return migrate__history_step(run->to, run->unit->id, at, (corm_str){ NULL, 0 }, run->err);
    migrate__snapshot_print(&run->expected, &known);
    corm_status status = base__buf_status(&known, run->err);
    if (status == CORM_OK)
        status = migrate__history_step(run->to, run->unit->id, at, base__buf_str(&known), run->err);
    base__buf_free(&known);
    return status;
}

static corm_status run_all(stepper *run, const migrate_record *record) {
    uint32_t from = 0;
    if (record) {
        CORM_TRY(resume(run, record));
        from = record->info.step + 1;
    }
    for (uint32_t i = from; i < run->steps->count; i++) {
        if (i > 0) CORM_TRY(note_step(run, i));
        CORM_TRY(do_step(run, i));
    }
    return CORM_OK;
}

/* `start`: the schema before the first step; a record that is resumed may know a later one. */
static corm_status run_steps(stepper *run, const migrate_record *record, corm_str start) {
    if (record && record->known.len > 0) start = record->known;
    CORM_TRY(migrate__snapshot_parse(run->to->migrator->keyspace, start, "corm_migrations",
                                     &run->expected, run->err));
    corm_status status = run_all(run, record);
    migrate__snapshot_free(&run->expected);
    return status;
}

/* ---- up ---- */

static corm_status live_text(corm_migrator *migrator, base_buf *out, corm_error *err) {
    migrate_snapshot live;
    CORM_TRY(migrate__snapshot_live(migrator->session, migrator->keyspace, &live, err));
    migrate__snapshot_print(&live, out);
    migrate__snapshot_free(&live);
    return base__buf_status(out, err);
}

static corm_status validate(const stepper *run) {
    corm_error why = { 0 };
    char       text[sizeof why.message + 128];
    if (!run->unit->validate) return CORM_OK;
    corm_status status = run->unit->validate(run->to->migrator->session, run->unit->context, &why);
    if (status == CORM_OK) return CORM_OK;
    snprintf(text, sizeof text, "migration %s: its validation failed: %s", run->unit->id.data,
             why.message[0] ? why.message : corm_status_text(status));
    return tell(run, status, text);
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
    static const corm_str as_it_was = { NULL, 0 };
    stepper               run = { .to = to, .unit = unit, .steps = &unit->up, .err = err };
    base_buf              before = { 0 };
    corm_status           status = CORM_OK;
    if (record)
        base__buf_put_str(&before, record->before);
    else
        status = live_text(to->migrator, &before, err);
    corm_str start = base__buf_str(&before);
    if (status == CORM_OK) status = base__buf_status(&before, err);
    if (status == CORM_OK)
        status = migrate__history_begin(to, unit, CORM_MIGRATION_APPLYING, &unit->up,
                                        record ? record->info.step : 0, start, as_it_was, err);
    if (status == CORM_OK) status = run_steps(&run, record, start);
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

/* The steps by which the live schema becomes again what it was before; CORM_VALIDATION when that is not known. */
static corm_status undo_steps(corm_migrator *migrator, const migrate_unit *unit,
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

static corm_status take_back_from(stepper *run, const migrate_record *record,
                                  const migrate_record *resumed, corm_str known) {
    corm_str start = resumed ? (corm_str){ NULL, 0 } : known;
    CORM_TRY(migrate__history_begin(run->to, run->unit, CORM_MIGRATION_UNDOING, run->steps,
                                    resumed ? resumed->info.step : 0, record->before, start,
                                    run->err));
    CORM_TRY(run_steps(run, resumed, known));
    return migrate__history_remove(run->to, run->unit->id, run->err);
}

/* Steps that were worked out from the schema are worked out again: they are those that are left. */
static corm_status take_back(const migrate_writer *to, const migrate_unit *unit,
                             const migrate_record *record, const migrate_steps *steps, bool allow,
                             corm_error *err) {
    stepper  run = { .to = to, .unit = unit, .steps = steps, .err = err };
    base_buf live = { 0 };
    bool     resumes = record->info.state == CORM_MIGRATION_UNDOING && unit->has_down;
    for (uint32_t i = 0; i < steps->count; i++)
        CORM_TRY(migrate__check_loss(&steps->items[i], allow, err));
    corm_status status = live_text(to->migrator, &live, err);
    if (status == CORM_OK)
        status = take_back_from(&run, record, resumes ? record : NULL, base__buf_str(&live));
    base__buf_free(&live);
    return status;
}

corm_status migrate__take_back(const migrate_writer *to, const migrate_unit *unit,
                               const migrate_record *record, bool allow_destructive,
                               corm_error *err) {
    base_arena    arena = { 0 };
    migrate_steps steps;
    corm_status   status = undo_steps(to->migrator, unit, record, &arena, &steps, err);
    if (status == CORM_OK) status = take_back(to, unit, record, &steps, allow_destructive, err);
    base__arena_free(&arena);
    return status;
}
