// SPDX-License-Identifier: MIT
/* history.c -- what was applied, in the keyspace's table corm_migrations.
 *
 * All that one program has is one partition, whose static columns are the lease: so a write to the history and the question
 * whether the lease is still held are one lightweight transaction. */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "cql/types.h"
#include "migrate/history.h"

/* ---- requests ---- */

corm_status migrate__ask(corm_migrator *migrator, const char *cql, const corm_value *values,
                         uint32_t count, corm_consistency consistency, corm_result **out,
                         corm_error *err) {
    corm_execute_options options = {
        .value_list = values,
        .value_count = count,
        .request = { .consistency = consistency, .keyspace = migrator->keyspace.data },
        .error = err,
    };
    return corm_execute_with(migrator->session, cql, &options, out);
}

/* ---- the table ---- */

/* Every process that makes the table gives it the same id: two that do so at once on two nodes make one table. */
static void table_id(corm_str keyspace, char out[37]) {
    static const char what[] = "corm_migrations of keyspace ";
    uint8_t           sum[EVP_MAX_MD_SIZE] = { 0 };
    corm_uuid         id = { 0 };
    EVP_MD_CTX       *digest = EVP_MD_CTX_new();
    if (digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
        EVP_DigestUpdate(digest, what, sizeof what) == 1 &&
        EVP_DigestUpdate(digest, keyspace.data, keyspace.len) == 1)
        (void)EVP_DigestFinal_ex(digest, sum, NULL);
    EVP_MD_CTX_free(digest);
    memcpy(&id, sum, sizeof id);
    uint8_t *bytes = (uint8_t *)&id;
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x50); /* RFC 4122: made of a name */
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    corm_uuid_format(id, out);
}

static const char columns[] =
    "name text, id text, lease_owner uuid static, lease_host text static, lease_token bigint "
    "static, description text, state text, checksum text, step int, steps int, fence bigint, host "
    "text, started_at timestamp, finished_at timestamp, failure text, script text, before text, "
    "after text, known text, known_step int, PRIMARY KEY (name, id)";

static corm_status make_table(corm_migrator *migrator, bool with_id, corm_error *err) {
    char     id[37];
    base_buf cql = { 0 };
    table_id(migrator->keyspace, id);
    base__buf_printf(&cql, "CREATE TABLE IF NOT EXISTS corm_migrations (%s)", columns);
    if (with_id) base__buf_printf(&cql, " WITH id = '%s'", id);
    corm_status status = base__buf_status(&cql, err);
    if (status == CORM_OK)
        status = migrate__ask(migrator, base__buf_cstr(&cql), NULL, 0, CORM_CONSISTENCY_DEFAULT,
                              NULL, err);
    base__buf_free(&cql);
    return status;
}

static corm_status has_table(corm_migrator *migrator, bool *has, corm_error *err) {
    const corm_table_info *table = NULL;
    corm_error             why = { 0 };
    corm_status            status = corm_table_read(migrator->session, migrator->keyspace.data,
                                                    "corm_migrations", &table, &why);
    *has = status == CORM_OK;
    corm_table_free(table);
    if (status == CORM_OK || status == CORM_NOT_FOUND) return CORM_OK;
    return base__fail(err, status, "%s", why.message);
}

/* A node shows a table that another process is making before it answers requests about it. */
static corm_status await_table(corm_migrator *migrator, corm_error *err) {
    int64_t until = base__clock_mono_ns() + (int64_t)MIGRATE_AGREEMENT_MS * 1000000;
    for (;;) {
        corm_status status = migrate__ask(migrator, "SELECT name FROM corm_migrations LIMIT 1",
                                          NULL, 0, CORM_CONSISTENCY_DEFAULT, NULL, err);
        bool        not_yet = status == CORM_INVALID || migrate__is_passing(status);
        if (!not_yet || base__clock_mono_ns() > until) return status;
        migrate__rest(5, 50);
    }
}

static corm_status open_table(corm_migrator *migrator, corm_error *err) {
    bool       has;
    corm_error why = { 0 };
    CORM_TRY(has_table(migrator, &has, err));
    if (has) return CORM_OK;
    corm_status status = make_table(migrator, true, &why);
    /* A server that knows no ids in CREATE TABLE. */
    if (status == CORM_SYNTAX_ERROR || status == CORM_CONFIG_ERROR || status == CORM_INVALID)
        status = make_table(migrator, false, &why);
    if (status != CORM_OK) return base__fail(err, status, "%s", why.message);
    return corm_session_wait_for_agreement(migrator->session, MIGRATE_AGREEMENT_MS, err);
}

corm_status migrate__history_open(corm_migrator *migrator, corm_error *err) {
    CORM_TRY(open_table(migrator, err));
    return await_table(migrator, err);
}

/* ---- reading ---- */

static const char *const states[] = {
    [CORM_MIGRATION_PENDING] = "pending",   [CORM_MIGRATION_APPLYING] = "applying",
    [CORM_MIGRATION_APPLIED] = "applied",   [CORM_MIGRATION_UNDOING] = "undoing",
    [CORM_MIGRATION_BASELINE] = "baseline",
};

static corm_status state_named(corm_str name, corm_migration_state *out, corm_error *err) {
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        *out = (corm_migration_state)i;
        if (corm_str_equal(name, corm_str_of(states[i]))) return CORM_OK;
    }
    return base__fail(err, CORM_CORRUPT, "corm_migrations holds the unknown state '%.*s'",
                      (int)name.len, name.data);
}

enum {
    COLUMN_ID,
    COLUMN_DESCRIPTION,
    COLUMN_STATE,
    COLUMN_CHECKSUM,
    COLUMN_STEP,
    COLUMN_STEPS,
    COLUMN_HOST,
    COLUMN_STARTED,
    COLUMN_FINISHED,
    COLUMN_FAILURE,
    COLUMN_SCRIPT,
    COLUMN_BEFORE,
    COLUMN_AFTER,
    COLUMN_KNOWN,
    COLUMN_KNOWN_STEP
};
static const char select_all[] =
    "SELECT id, description, state, checksum, step, steps, host, started_at, finished_at, failure, "
    "script, before, after, known, known_step FROM corm_migrations WHERE name = ?";

static corm_str text_at(const corm_row *row, uint32_t column, base_arena *arena) {
    return base__arena_str(arena, corm_row_text(row, column));
}

static corm_status read_record(const corm_row *row, base_arena *arena, migrate_record *out,
                               corm_error *err) {
    corm_migration_info *info = &out->info;
    corm_str             sum = corm_row_text(row, COLUMN_CHECKSUM);
    info->id = text_at(row, COLUMN_ID, arena).data;
    info->description = text_at(row, COLUMN_DESCRIPTION, arena).data;
    info->host = text_at(row, COLUMN_HOST, arena).data;
    if (!corm_row_is_null(row, COLUMN_FAILURE))
        info->failure = text_at(row, COLUMN_FAILURE, arena).data;
    out->script = text_at(row, COLUMN_SCRIPT, arena);
    out->before = text_at(row, COLUMN_BEFORE, arena);
    out->after = text_at(row, COLUMN_AFTER, arena);
    out->known = text_at(row, COLUMN_KNOWN, arena);
    out->known_step = (uint32_t)corm_row_int(row, COLUMN_KNOWN_STEP);
    if (!info->id || !info->description || !info->host || !out->script.data || !out->before.data ||
        !out->after.data || !out->known.data)
        return base__fail_memory(err);
    info->step = (uint32_t)corm_row_int(row, COLUMN_STEP);
    info->steps = (uint32_t)corm_row_int(row, COLUMN_STEPS);
    info->started_at = corm_row_timestamp(row, COLUMN_STARTED);
    info->finished_at = corm_row_timestamp(row, COLUMN_FINISHED);
    snprintf(info->checksum, sizeof info->checksum, "%.*s", (int)sum.len, sum.data);
    return state_named(corm_row_text(row, COLUMN_STATE), &info->state, err);
}

/* A partition without migrations has one row, with the lease alone. */
static corm_status read_records(corm_result *result, migrate_history *out, corm_error *err) {
    const corm_row  *row;
    migrate_record **last = &out->first;
    for (;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) return CORM_OK;
        if (corm_row_is_null(row, COLUMN_ID)) continue;
        migrate_record *record = BASE_NEW(&out->arena, migrate_record);
        if (!record) return base__fail_memory(err);
        CORM_TRY(read_record(row, &out->arena, record, err));
        *last = record;
        last = &record->next;
        out->count++;
    }
}

corm_status migrate__history_read(corm_migrator *migrator, migrate_history *out, corm_error *err) {
    bool         has;
    corm_result *result = NULL;
    corm_value   name = corm_of_str(migrator->name);
    *out = (migrate_history){ 0 };
    CORM_TRY(has_table(migrator, &has, err));
    if (!has) return CORM_OK;
    corm_status status = migrate__ask(migrator, select_all, &name, 1, CORM_SERIAL, &result, err);
    if (status == CORM_OK) status = read_records(result, out, err);
    corm_result_free(result);
    if (status != CORM_OK) migrate__history_free(out);
    return status;
}

void migrate__history_free(migrate_history *history) {
    base__arena_free(&history->arena);
    *history = (migrate_history){ 0 };
}

migrate_record *migrate__history_find(const migrate_history *history, corm_str id) {
    for (migrate_record *record = history->first; record; record = record->next)
        if (corm_str_equal(corm_str_of(record->info.id), id)) return record;
    return NULL;
}

/* ---- writing ---- */

enum { MOST_VALUES = 16 };

/* UPDATE corm_migrations SET <sets> WHERE name = ? AND id = ? IF the lease is held. */
static corm_status update(const migrate_writer *to, corm_str id, const char *sets,
                          const corm_value *values, uint32_t count, corm_error *err) {
    corm_value   all[MOST_VALUES + 4];
    char         cql[640];
    corm_result *result = NULL;
    memcpy(all, values, count * sizeof *values);
    all[count] = corm_of_str(to->migrator->name);
    all[count + 1] = corm_of_str(id);
    all[count + 2] = corm_of_uuid(to->migrator->me);
    all[count + 3] = corm_of_i64(migrate__lease_token(to->lease));
    snprintf(cql, sizeof cql,
             "UPDATE corm_migrations SET %s WHERE name = ? AND id = ? IF lease_owner = ? AND "
             "lease_token = ?",
             sets);
    CORM_TRY(migrate__ask(to->migrator, cql, all, count + 4, CORM_QUORUM, &result, err));
    bool applied = corm_result_applied(result);
    corm_result_free(result);
    return applied ? CORM_OK : migrate__lease_lost(err);
}

static corm_value now(void) {
    return corm_of_timestamp((corm_timestamp){ base__clock_ms() });
}

static corm_status put_known(const migrate_writer *to, corm_str id, uint32_t step, corm_str known,
                             corm_error *err) {
    corm_value values[] = { corm_of_i32((int32_t)step), corm_of_str(known),
                            corm_of_i32((int32_t)step) };
    return update(to, id, "step = ?, known = ?, known_step = ?", values, 3, err);
}

#define BEGIN_SETS                                                                                 \
    "description = ?, state = ?, checksum = ?, step = ?, steps = ?, fence = ?, host = ?, "         \
    "started_at = ?, script = ?, before = ?, failure = null, finished_at = null"

static corm_status begin(const migrate_writer *to, const migrate_unit *unit,
                         corm_migration_state state, const migrate_steps *steps, uint32_t step,
                         corm_str before, corm_str known, corm_str script, corm_error *err) {
    corm_value values[] = {
        corm_of_str(unit->description),
        corm_of_text(states[state]),
        corm_of_text(unit->checksum),
        corm_of_i32((int32_t)step),
        corm_of_i32((int32_t)steps->count),
        corm_of_i64(migrate__lease_token(to->lease)),
        corm_of_str(to->migrator->host),
        now(),
        corm_of_str(script),
        corm_of_str(before),
        corm_of_str(known),
        corm_of_i32((int32_t)step),
    };
    uint32_t count = sizeof values / sizeof *values;
    if (known.data)
        return update(to, unit->id, BEGIN_SETS ", known = ?, known_step = ?", values, count, err);
    return update(to, unit->id, BEGIN_SETS, values, count - 2, err);
}

corm_status migrate__history_begin(const migrate_writer *to, const migrate_unit *unit,
                                   corm_migration_state state, const migrate_steps *steps,
                                   uint32_t step, corm_str before, corm_str known,
                                   corm_error *err) {
    base_buf script = { 0 };
    migrate__script(steps, steps->count, &script);
    corm_status status = base__buf_status(&script, err);
    if (status == CORM_OK)
        status = begin(to, unit, state, steps, step, before, known, base__buf_str(&script), err);
    base__buf_free(&script);
    return status;
}

corm_status migrate__history_step(const migrate_writer *to, corm_str id, uint32_t step,
                                  corm_str known, corm_error *err) {
    corm_value value = corm_of_i32((int32_t)step);
    if (known.data) return put_known(to, id, step, known, err);
    return update(to, id, "step = ?", &value, 1, err);
}

corm_status migrate__history_fail(const migrate_writer *to, corm_str id, const char *why,
                                  corm_error *err) {
    corm_value value = corm_of_text(why);
    return update(to, id, "failure = ?", &value, 1, err);
}

corm_status migrate__history_end(const migrate_writer *to, corm_str id, corm_str after,
                                 corm_error *err) {
    corm_value values[] = { corm_of_text(states[CORM_MIGRATION_APPLIED]), now(),
                            corm_of_str(after) };
    return update(to, id, "state = ?, finished_at = ?, failure = null, after = ?", values, 3, err);
}

corm_status migrate__history_baseline(const migrate_writer *to, const migrate_unit *unit,
                                      corm_str after, corm_error *err) {
    corm_value values[] = {
        corm_of_str(unit->description),
        corm_of_text(states[CORM_MIGRATION_BASELINE]),
        corm_of_text(unit->checksum),
        corm_of_str(to->migrator->host),
        corm_of_str(after),
        now(),
    };
    return update(to, unit->id,
                  "description = ?, state = ?, checksum = ?, host = ?, after = ?, finished_at = ?",
                  values, 6, err);
}

corm_status migrate__history_remove(const migrate_writer *to, corm_str id, corm_error *err) {
    corm_value   values[] = { corm_of_str(to->migrator->name), corm_of_str(id),
                              corm_of_uuid(to->migrator->me),
                              corm_of_i64(migrate__lease_token(to->lease)) };
    corm_result *result = NULL;
    CORM_TRY(migrate__ask(to->migrator,
                          "DELETE FROM corm_migrations WHERE name = ? AND id = ? IF lease_owner = "
                          "? AND lease_token = ?",
                          values, 4, CORM_QUORUM, &result, err));
    bool applied = corm_result_applied(result);
    corm_result_free(result);
    return applied ? CORM_OK : migrate__lease_lost(err);
}
