// SPDX-License-Identifier: MIT
/* migrator.c -- a migrator's life: options, migrations in the order of their ids. One thread at a time. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "migrate/core.h"

enum { DEFAULT_LEASE_MS = 15000, DEFAULT_WAIT_MS = 120000, LEAST_LEASE_MS = 1000 };

void migrate__notice(const corm_migrator *migrator, const char *format, ...) {
    char    text[1024];
    va_list args;
    if (!migrator->notice) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    migrator->notice(migrator->notice_context, text);
}

/* ---- units ---- */

static uint32_t place_of(const corm_migrator *migrator, corm_str id, bool *there) {
    uint32_t low = 0, high = migrator->count;
    *there = false;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int      order = base__str_compare(migrator->units[middle]->id, id);
        if (order == 0) *there = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const migrate_unit *migrate__unit(const corm_migrator *migrator, corm_str id) {
    bool     there;
    uint32_t at = place_of(migrator, id, &there);
    return there ? migrator->units[at] : NULL;
}

corm_status migrate__add(corm_migrator *migrator, migrate_unit *unit, corm_error *err) {
    bool     there;
    uint32_t at = place_of(migrator, unit->id, &there);
    if (there)
        return base__fail(err, CORM_INVALID_ARGUMENT, "there are two migrations with the id %s",
                          unit->id.data);
    if (migrator->count == migrator->capacity) {
        uint32_t       capacity = migrator->capacity ? 2 * migrator->capacity : 32;
        migrate_unit **units = realloc(migrator->units, capacity * sizeof *units);
        if (!units) return base__fail_memory(err);
        migrator->units = units;
        migrator->capacity = capacity;
    }
    memmove(&migrator->units[at + 1], &migrator->units[at],
            (migrator->count - at) * sizeof *migrator->units);
    migrator->units[at] = unit;
    migrator->count++;
    return CORM_OK;
}

corm_status corm_migrator_add(corm_migrator *migrator, const corm_changeset *changeset,
                              corm_error *err) {
    migrate_unit *unit;
    CORM_TRY(migrate__unit_new(&migrator->arena, changeset, &unit, err));
    return migrate__add(migrator, unit, err);
}

/* ---- opening ---- */

static corm_status check_options(const corm_migrator_options *options, corm_error *err) {
    if (options->_canary != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "corm_migrator_options: a member behind the last one was set");
    if (options->lease_ms != 0 && options->lease_ms < LEAST_LEASE_MS)
        return base__fail(err, CORM_INVALID_ARGUMENT, "lease_ms: at least %d", LEAST_LEASE_MS);
    return CORM_OK;
}

static corm_status set_up(corm_migrator *migrator, const corm_migrator_options *options,
                          corm_error *err) {
    char        host[256] = "";
    const char *keyspace =
        options->keyspace ? options->keyspace : corm_session_keyspace(migrator->session);
    if (!*keyspace)
        return base__fail(
            err, CORM_INVALID_ARGUMENT,
            "there is no keyspace: give corm_migrator_options.keyspace or a URI with one");
    (void)gethostname(host, sizeof host - 1);
    migrator->keyspace = base__arena_str(&migrator->arena, corm_str_of(keyspace));
    migrator->name =
        base__arena_str(&migrator->arena, corm_str_of(options->name ? options->name : "default"));
    migrator->host = base__arena_printf(&migrator->arena, "%s:%ld", host, (long)getpid());
    if (!migrator->keyspace.data || !migrator->name.data || !migrator->host.data)
        return base__fail_memory(err);
    migrator->lease_s = (options->lease_ms ? options->lease_ms : DEFAULT_LEASE_MS) / 1000;
    migrator->wait_ms = options->wait_ms ? options->wait_ms : DEFAULT_WAIT_MS;
    migrator->notice = options->notice;
    migrator->notice_context = options->notice_context;
    migrator->me = corm_uuid_random();
    return options->dir ? migrate__read_dir(migrator, options->dir, err) : CORM_OK;
}

corm_status corm_migrator_open(corm_migrator **out, corm_session *session,
                               const corm_migrator_options *options, corm_error *err) {
    static const corm_migrator_options defaults = { 0 };
    *out = NULL;
    if (!options) options = &defaults;
    CORM_TRY(check_options(options, err));
    corm_migrator *migrator = calloc(1, sizeof *migrator);
    if (!migrator) return base__fail_memory(err);
    migrator->session = session;
    corm_status status = set_up(migrator, options, err);
    if (status == CORM_OK)
        *out = migrator;
    else
        corm_migrator_close(migrator);
    return status;
}

void corm_migrator_close(corm_migrator *migrator) {
    if (!migrator) return;
    free(migrator->units);
    base__arena_free(&migrator->arena);
    free(migrator);
}
