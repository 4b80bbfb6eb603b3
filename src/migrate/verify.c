// SPDX-License-Identifier: MIT
/* verify.c -- whether history, migrations and schema agree; and the difference of a schema from what is wanted, by a
 * script or by models. Runs on the caller's thread. */
#include <stdlib.h>

#include "base/text.h"
#include "migrate/list.h"
#include "orm/core.h"

/* ---- the history ---- */

static void put_history(const corm_migrator *migrator, const migrate_history *history,
                        base_buf *out) {
    for (const migrate_record *record = history->first; record; record = record->next) {
        const migrate_unit *unit = migrate__unit(migrator, corm_str_of(record->info.id));
        if (!unit)
            base__buf_printf(out, "-- migration %s is in the history and not here\n",
                             record->info.id);
        else if (strcmp(unit->checksum, record->info.checksum) != 0)
            base__buf_printf(out, "-- migration %s was changed after it had been applied\n",
                             record->info.id);
        if (record->info.state == CORM_MIGRATION_APPLYING ||
            record->info.state == CORM_MIGRATION_UNDOING)
            base__buf_printf(out, "-- migration %s was not finished%s%s\n", record->info.id,
                             record->info.failure ? ": " : "",
                             record->info.failure ? record->info.failure : "");
    }
}

/* ---- the schema ---- */

/* The schema that the history ends with; NULL: nothing is known of it, or a migration is half done. */
static const migrate_record *last_known(const migrate_history *history) {
    const migrate_record *last = NULL;
    for (const migrate_record *record = history->first; record; record = record->next) {
        if (record->info.state == CORM_MIGRATION_APPLYING ||
            record->info.state == CORM_MIGRATION_UNDOING)
            return NULL;
        if (!last || record->info.finished_at.ms >= last->info.finished_at.ms) last = record;
    }
    return last;
}

static corm_status put_drift(const migrate_snapshot *live, const migrate_snapshot *wanted,
                             base_buf *out, corm_error *err) {
    migrate_differences differences;
    CORM_TRY(migrate__diff(live, wanted, true, &differences, err));
    if (differences.count > 0)
        base__buf_puts(
            out, "-- the schema is not what the last migration left; this would bring it back\n");
    migrate__differences_print(&differences, out);
    migrate__differences_free(&differences);
    if (!corm_str_equal(base__buf_str(&live->others), base__buf_str(&wanted->others)))
        base__buf_puts(out, "-- functions, aggregates or triggers were changed\n");
    return base__buf_status(out, err);
}

static corm_status put_schema(corm_migrator *migrator, const migrate_history *history,
                              base_buf *out, corm_error *err) {
    const migrate_record *last = last_known(history);
    migrate_snapshot      live, wanted;
    if (!last) return CORM_OK;
    CORM_TRY(migrate__snapshot_live(migrator->session, migrator->keyspace, &live, err));
    corm_status status =
        migrate__snapshot_parse(migrator->keyspace, last->after, "corm_migrations", &wanted, err);
    if (status == CORM_OK) {
        status = put_drift(&live, &wanted, out, err);
        migrate__snapshot_free(&wanted);
    }
    migrate__snapshot_free(&live);
    return status;
}

corm_status corm_migrator_verify(corm_migrator *migrator, char **drift, corm_error *err) {
    migrate_history history;
    base_buf        text = { 0 };
    *drift = NULL;
    CORM_TRY(migrate__history_read(migrator, &history, err));
    put_history(migrator, &history, &text);
    corm_status status = put_schema(migrator, &history, &text, err);
    migrate__history_free(&history);
    if (status == CORM_OK) return migrate__take_text(&text, drift, err);
    base__buf_free(&text);
    return status;
}

/* ---- differences ---- */

static corm_status wanted_script(corm_str cql, const corm_model *const *models, base_buf *out,
                                 corm_error *err) {
    base__buf_put_str(out, cql);
    base__buf_puts(out, ";\n");
    for (; models && *models; models++) {
        orm_model *model;
        CORM_TRY(orm__compile(*models, &model, err));
        orm__model_script(model, out);
        orm__model_free(model);
    }
    return base__buf_status(out, err);
}

static corm_status diff_to_text(const migrate_snapshot *live, const migrate_snapshot *wanted,
                                bool with_drops, char **script, corm_error *err) {
    migrate_differences differences;
    base_buf            text = { 0 };
    CORM_TRY(migrate__diff(live, wanted, with_drops, &differences, err));
    migrate__differences_print(&differences, &text);
    migrate__differences_free(&differences);
    return migrate__take_text(&text, script, err);
}

static corm_status diff_live(corm_session *session, corm_str keyspace, corm_str wanted_cql,
                             bool with_drops, char **script, corm_error *err) {
    migrate_snapshot live, wanted;
    CORM_TRY(migrate__snapshot_parse(keyspace, wanted_cql, "the wanted schema", &wanted, err));
    corm_status status = migrate__snapshot_live(session, keyspace, &live, err);
    if (status == CORM_OK) {
        status = diff_to_text(&live, &wanted, with_drops, script, err);
        migrate__snapshot_free(&live);
    }
    migrate__snapshot_free(&wanted);
    return status;
}

corm_status corm_schema_diff(corm_session *session, const char *keyspace, corm_str wanted_cql,
                             const corm_model *const *models, bool with_drops, char **script,
                             corm_error *err) {
    base_buf text = { 0 };
    corm_str in = corm_str_of(keyspace ? keyspace : corm_session_keyspace(session));
    *script = NULL;
    if (in.len == 0) return base__fail(err, CORM_INVALID_ARGUMENT, "there is no keyspace");
    corm_status status = wanted_script(wanted_cql, models, &text, err);
    if (status == CORM_OK)
        status = diff_live(session, in, base__buf_str(&text), with_drops, script, err);
    base__buf_free(&text);
    return status;
}
