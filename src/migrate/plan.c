// SPDX-License-Identifier: MIT
/* plan.c -- what is to be done: migrations held against their history, and rehearsed on a copy of the schema before anything
 * is touched. Runs on the caller's thread. */
#include <stdlib.h>

#include "base/text.h"
#include "migrate/core.h"

void migrate__plan_free(migrate_plan *plan) {
    migrate__history_free(&plan->history);
    base__arena_free(&plan->arena);
    *plan = (migrate_plan){ 0 };
}

static corm_status room(migrate_plan *plan, uint32_t count, corm_error *err) {
    plan->units = BASE_NEW_ARRAY(&plan->arena, const migrate_unit *, count + 1);
    plan->records = BASE_NEW_ARRAY(&plan->arena, migrate_record *, count + 1);
    return plan->units && plan->records ? CORM_OK : base__fail_memory(err);
}

static void put(migrate_plan *plan, const migrate_unit *unit, migrate_record *record) {
    plan->units[plan->count] = unit;
    plan->records[plan->count++] = record;
}

static bool is_done(const migrate_record *record) {
    return record && (record->info.state == CORM_MIGRATION_APPLIED ||
                      record->info.state == CORM_MIGRATION_BASELINE);
}

/* ---- up ---- */

/* Steps that were done must be as they were. */
static corm_status check_begun(const migrate_unit *unit, const migrate_steps *steps,
                               const migrate_record *record, corm_error *err) {
    base_buf done = { 0 };
    migrate__script(steps, record->info.step, &done);
    corm_status status = base__buf_status(&done, err);
    bool        same = base__str_has_prefix(record->script, base__buf_str(&done)) &&
                record->info.step <= steps->count;
    base__buf_free(&done);
    if (status != CORM_OK || same) return status;
    return base__fail(err, CORM_SCHEMA_MISMATCH,
                      "migration %s stopped at step %u of %u, and a step that it had done was "
                      "changed since; put it back as it was",
                      unit->id.data, (unsigned)record->info.step + 1, (unsigned)record->info.steps);
}

static corm_status check_one(const migrate_unit *unit, const migrate_record *record,
                             const char *newest, const corm_migrate_options *options,
                             corm_error *err) {
    if (is_done(record))
        return strcmp(record->info.checksum, unit->checksum) == 0
                   ? CORM_OK
                   : base__fail(
                         err, CORM_SCHEMA_MISMATCH,
                         "migration %s was changed after it had been applied; put it back as it "
                         "was, and make the change in a new one",
                         unit->id.data);
    if (record && record->info.state == CORM_MIGRATION_UNDOING)
        return base__fail(err, CORM_SCHEMA_MISMATCH,
                          "migration %s is being taken back: finish that by going down first",
                          unit->id.data);
    if (record) return check_begun(unit, &unit->up, record, err);
    if (newest && strcmp(unit->id.data, newest) < 0 && !options->out_of_order)
        return base__fail(
            err, CORM_SCHEMA_MISMATCH,
            "migration %s comes before %s, which was applied already; give it a later "
            "id, or allow it out of order",
            unit->id.data, newest);
    return CORM_OK;
}

static const char *newest_of(const migrate_history *history) {
    const char *newest = NULL;
    for (const migrate_record *record = history->first; record; record = record->next)
        if (is_done(record)) newest = record->info.id;
    return newest;
}

static corm_status check_missing(const corm_migrator *migrator, const migrate_history *history,
                                 corm_error *err) {
    for (const migrate_record *record = history->first; record; record = record->next) {
        if (is_done(record) || migrate__unit(migrator, corm_str_of(record->info.id))) continue;
        return base__fail(err, CORM_SCHEMA_MISMATCH,
                          "migration %s was begun and not finished, and there is no such migration "
                          "here",
                          record->info.id);
    }
    return CORM_OK;
}

static corm_status find_pending(corm_migrator *migrator, const corm_migrate_options *options,
                                migrate_plan *out, corm_error *err) {
    const char *newest = newest_of(&out->history);
    CORM_TRY(check_missing(migrator, &out->history, err));
    CORM_TRY(room(out, migrator->count, err));
    for (uint32_t i = 0; i < migrator->count; i++) {
        const migrate_unit *unit = migrator->units[i];
        migrate_record     *record = migrate__history_find(&out->history, unit->id);
        if (options->to && strcmp(unit->id.data, options->to) > 0 && !record) continue;
        CORM_TRY(check_one(unit, record, newest, options, err));
        if (!is_done(record)) put(out, unit, record);
    }
    return CORM_OK;
}

static corm_status check_target(const corm_migrator *migrator, const char *to, corm_error *err) {
    if (!to || !*to || migrate__unit(migrator, corm_str_of(to))) return CORM_OK;
    return base__fail(err, CORM_NOT_FOUND, "there is no migration %s", to);
}

corm_status migrate__plan_up(corm_migrator *migrator, const corm_migrate_options *options,
                             migrate_plan *out, corm_error *err) {
    *out = (migrate_plan){ 0 };
    CORM_TRY(check_target(migrator, options->to, err));
    CORM_TRY(migrate__history_read(migrator, &out->history, err));
    corm_status status = find_pending(migrator, options, out, err);
    if (status != CORM_OK) migrate__plan_free(out);
    return status;
}

/* ---- down ---- */

static bool stays(const migrate_record *record, const char *to, bool is_newest) {
    if (record->info.state == CORM_MIGRATION_UNDOING) return false;
    return to ? strcmp(record->info.id, to) <= 0 : !is_newest;
}

static corm_status check_way_down(const migrate_unit *unit, const migrate_record *record,
                                  corm_error *err) {
    if (record->info.state == CORM_MIGRATION_BASELINE)
        return base__fail(err, CORM_VALIDATION,
                          "migration %s is part of the baseline and cannot be taken back",
                          unit->id.data);
    if (!unit->has_down) return CORM_OK;
    if (record->info.state == CORM_MIGRATION_APPLYING)
        return base__fail(
            err, CORM_VALIDATION,
            "migration %s is half applied, and its way down begins where it is whole: "
            "finish it by going up first",
            unit->id.data);
    return record->info.state == CORM_MIGRATION_UNDOING
               ? check_begun(unit, &unit->down, record, err)
               : CORM_OK;
}

static void turn_round(migrate_plan *plan) {
    for (uint32_t i = 0; i < plan->count / 2; i++) {
        uint32_t            other = plan->count - 1 - i;
        const migrate_unit *unit = plan->units[i];
        migrate_record     *record = plan->records[i];
        plan->units[i] = plan->units[other];
        plan->records[i] = plan->records[other];
        plan->units[other] = unit;
        plan->records[other] = record;
    }
}

static corm_status find_applied(corm_migrator *migrator, const corm_migrate_options *options,
                                migrate_plan *out, corm_error *err) {
    const migrate_record *newest = NULL;
    CORM_TRY(room(out, out->history.count, err));
    for (migrate_record *record = out->history.first; record; record = record->next)
        newest = record;
    for (migrate_record *record = out->history.first; record; record = record->next) {
        if (stays(record, options->to, record == newest)) continue;
        const migrate_unit *unit = migrate__unit(migrator, corm_str_of(record->info.id));
        if (!unit)
            return base__fail(
                err, CORM_NOT_FOUND,
                "migration %s is to be taken back, and there is no such migration here",
                record->info.id);
        CORM_TRY(check_way_down(unit, record, err));
        put(out, unit, record);
    }
    turn_round(out);
    return CORM_OK;
}

corm_status migrate__plan_down(corm_migrator *migrator, const corm_migrate_options *options,
                               migrate_plan *out, corm_error *err) {
    *out = (migrate_plan){ 0 };
    CORM_TRY(check_target(migrator, options->to, err));
    CORM_TRY(migrate__history_read(migrator, &out->history, err));
    corm_status status = find_applied(migrator, options, out, err);
    if (status != CORM_OK) migrate__plan_free(out);
    return status;
}

/* ---- the rehearsal ---- */

corm_status migrate__check_loss(const migrate_step *step, bool allow, corm_error *err) {
    base_arena  arena = { 0 };
    const char *loss = step->statement ? migrate__loses(step->statement, &arena) : NULL;
    corm_status status = CORM_OK;
    if (loss && !allow)
        status = base__fail(err, CORM_VALIDATION,
                            "%.*s: it %s; say that it may (allow_destructive) if it is meant",
                            (int)step->place.len, step->place.data, loss);
    base__arena_free(&arena);
    return status;
}

static corm_status rehearse_steps(migrate_snapshot *work, const migrate_steps *steps, uint32_t from,
                                  bool allow, bool *unknown, corm_error *err) {
    for (uint32_t i = from; i < steps->count; i++) {
        const migrate_step *step = &steps->items[i];
        corm_error          why = { 0 };
        CORM_TRY(migrate__check_loss(step, allow, err));
        /* What a function does to the schema is not known before it is called. */
        if (!step->statement) *unknown = true;
        if (!step->statement || *unknown) continue;
        corm_status status = migrate__snapshot_apply(work, step->statement, &why);
        if (status == CORM_NO_MEMORY) return base__fail_memory(err);
        if (status != CORM_OK)
            return base__fail(err, CORM_VALIDATION, "%.*s: %s would fail: %s", (int)step->place.len,
                              step->place.data, step->text.data, why.message);
    }
    return CORM_OK;
}

/* A migration that was begun is rehearsed from what was before it. */
static corm_status rehearsal_start(corm_migrator *migrator, const migrate_plan *plan,
                                   migrate_snapshot *out, corm_error *err) {
    const migrate_record *first = plan->count > 0 ? plan->records[0] : NULL;
    if (first && first->info.state == CORM_MIGRATION_APPLYING)
        return migrate__snapshot_parse(migrator->keyspace, first->before, "corm_migrations", out,
                                       err);
    return migrate__snapshot_live(migrator->session, migrator->keyspace, out, err);
}

corm_status migrate__rehearse(corm_migrator *migrator, const migrate_plan *plan,
                              bool allow_destructive, corm_error *err) {
    migrate_snapshot work;
    bool             unknown = false;
    if (plan->count == 0) return CORM_OK;
    CORM_TRY(rehearsal_start(migrator, plan, &work, err));
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < plan->count && status == CORM_OK; i++)
        status = rehearse_steps(&work, &plan->units[i]->up, 0, allow_destructive, &unknown, err);
    migrate__snapshot_free(&work);
    return status;
}
