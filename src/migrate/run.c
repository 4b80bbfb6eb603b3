// SPDX-License-Identifier: MIT
/* run.c -- going up and down: the lease is taken, what is to be done is planned and rehearsed, and then done. Runs on the
 * caller's thread; a thread of the lease renews it meanwhile. */
#include <stdlib.h>

#include "base/text.h"
#include "migrate/core.h"
#include "migrate/list.h"

static const corm_migrate_options no_options;

static corm_status check_options(const corm_migrate_options *options, corm_error *err) {
    if (options->_canary == 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "corm_migrate_options: a member behind the last one was set");
}

/* ---- what one call does ---- */

typedef struct migrate_run {
    corm_migrator              *migrator;
    const corm_migrate_options *options;
    corm_migration_list        *report; /* NULL: not wanted */
    bool                        goes_up;
} migrate_run;

static corm_status make_plan(const migrate_run *run, migrate_plan *out, corm_error *err) {
    corm_migrator              *migrator = run->migrator;
    const corm_migrate_options *options = run->options;
    if (!run->goes_up) return migrate__plan_down(migrator, options, out, err);
    CORM_TRY(migrate__plan_up(migrator, options, out, err));
    corm_status status = migrate__rehearse(migrator, out, options->allow_destructive, err);
    if (status != CORM_OK) migrate__plan_free(out);
    return status;
}

static corm_status do_unit(const migrate_run *run, const migrate_writer *to,
                           const migrate_plan *plan, uint32_t at, corm_error *err) {
    const migrate_unit *unit = plan->units[at];
    CORM_TRY(run->goes_up ? migrate__apply(to, unit, plan->records[at], err)
                          : migrate__take_back(to, unit, plan->records[at],
                                               run->options->allow_destructive, err));
    return migrate__list_add(run->report, unit,
                             run->goes_up ? CORM_MIGRATION_APPLIED : CORM_MIGRATION_PENDING, err);
}

static corm_status do_plan(const migrate_run *run, migrate_lease *lease, corm_error *err) {
    migrate_plan   plan;
    migrate_writer to = { run->migrator, lease };
    CORM_TRY(make_plan(run, &plan, err));
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < plan.count && status == CORM_OK; i++)
        status = do_unit(run, &to, &plan, i, err);
    migrate__plan_free(&plan);
    return status;
}

static corm_status show_plan(const migrate_run *run, corm_error *err) {
    migrate_plan plan;
    CORM_TRY(make_plan(run, &plan, err));
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < plan.count && status == CORM_OK; i++) {
        migrate__notice(run->migrator, "would %s %s", run->goes_up ? "apply" : "take back",
                        plan.units[i]->id.data);
        status = migrate__list_add(run->report, plan.units[i], CORM_MIGRATION_PENDING, err);
    }
    migrate__plan_free(&plan);
    return status;
}

static corm_status go(const migrate_run *run, corm_error *err) {
    migrate_lease *lease;
    CORM_TRY(check_options(run->options, err));
    if (run->options->dry_run) return show_plan(run, err);
    CORM_TRY(migrate__history_open(run->migrator, err));
    CORM_TRY(migrate__lease_take(run->migrator, &lease, err));
    corm_status status = do_plan(run, lease, err);
    migrate__lease_give(lease);
    return status;
}

static corm_status start(corm_migrator *migrator, corm_migration_list **report,
                         const corm_migrate_options *options, bool goes_up) {
    corm_migration_list *list = NULL;
    if (!options) options = &no_options;
    if (report) {
        *report = NULL;
        CORM_TRY(migrate__list_new(&list, options->error));
        *report = list;
    }
    migrate_run run = { migrator, options, list, goes_up };
    return go(&run, options->error);
}

corm_status corm_migrator_up(corm_migrator *migrator, corm_migration_list **report,
                             const corm_migrate_options *options) {
    return start(migrator, report, options, true);
}

corm_status corm_migrator_down(corm_migrator *migrator, corm_migration_list **report,
                               const corm_migrate_options *options) {
    return start(migrator, report, options, false);
}

/* ---- the plan as a script ---- */

static void put_steps(const migrate_steps *steps, base_buf *out) {
    base_arena arena = { 0 };
    for (uint32_t i = 0; i < steps->count; i++) {
        const migrate_step *step = &steps->items[i];
        const char         *loss = step->statement ? migrate__loses(step->statement, &arena) : NULL;
        if (loss) base__buf_printf(out, "-- destructive: %s\n", loss);
        base__buf_printf(out, step->statement ? "%s;\n" : "-- %s\n", step->text.data);
    }
    base__arena_free(&arena);
}

static void put_unit(const migrate_unit *unit, const migrate_record *record, base_buf *out) {
    if (out->len > 0) base__buf_u8(out, '\n');
    base__buf_printf(out, "-- %s%s%s\n", unit->id.data, unit->description.len > 0 ? ": " : "",
                     unit->description.data);
    if (record)
        base__buf_printf(out, "-- (begun: goes on at step %u of %u)\n",
                         (unsigned)record->info.step + 1, (unsigned)record->info.steps);
    put_steps(&unit->up, out);
}

corm_status corm_migrator_plan(corm_migrator *migrator, char **plan,
                               const corm_migrate_options *options) {
    migrate_plan found;
    base_buf     text = { 0 };
    if (!options) options = &no_options;
    *plan = NULL;
    CORM_TRY(check_options(options, options->error));
    CORM_TRY(migrate__plan_up(migrator, options, &found, options->error));
    for (uint32_t i = 0; i < found.count; i++) put_unit(found.units[i], found.records[i], &text);
    migrate__plan_free(&found);
    return migrate__take_text(&text, plan, options->error);
}

corm_status migrate__take_text(base_buf *text, char **out, corm_error *err) {
    corm_status status = base__buf_status(text, err);
    *out = NULL;
    if (status == CORM_OK) {
        size_t len = text->len;
        *out = malloc(len + 1);
        if (*out && len > 0) memcpy(*out, text->data, len);
        if (*out)
            (*out)[len] = '\0';
        else
            status = base__fail_memory(err);
    }
    base__buf_free(text);
    return status;
}

/* ---- baseline ---- */

static corm_status write_baseline(corm_migrator *migrator, migrate_lease *lease, corm_str id,
                                  corm_error *err) {
    migrate_history  history;
    migrate_snapshot live;
    base_buf         after = { 0 };
    migrate_writer   to = { migrator, lease };
    CORM_TRY(migrate__history_read(migrator, &history, err));
    uint32_t count = history.count;
    migrate__history_free(&history);
    if (count > 0)
        return base__fail(
            err, CORM_ALREADY_EXISTS,
            "there is a history of %u migrations already: a baseline is its beginning",
            (unsigned)count);
    CORM_TRY(migrate__snapshot_live(migrator->session, migrator->keyspace, &live, err));
    migrate__snapshot_print(&live, &after);
    migrate__snapshot_free(&live);
    corm_status status = base__buf_status(&after, err);
    /* The last comes first: whoever is killed between two has said too much done of what is there, never too little. */
    for (uint32_t i = migrator->count; i-- > 0 && status == CORM_OK;)
        if (base__str_compare(migrator->units[i]->id, id) <= 0)
            status = migrate__history_baseline(&to, migrator->units[i], base__buf_str(&after), err);
    base__buf_free(&after);
    return status;
}

corm_status corm_migrator_baseline(corm_migrator *migrator, const char *id, corm_error *err) {
    migrate_lease *lease;
    corm_str       last = corm_str_of(id);
    if (!migrate__unit(migrator, last))
        return base__fail(err, CORM_NOT_FOUND, "there is no migration %s", id);
    CORM_TRY(migrate__history_open(migrator, err));
    CORM_TRY(migrate__lease_take(migrator, &lease, err));
    corm_status status = write_baseline(migrator, lease, last, err);
    migrate__lease_give(lease);
    return status;
}
