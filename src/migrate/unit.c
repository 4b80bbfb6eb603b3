// SPDX-License-Identifier: MIT
/* unit.c -- migrations as lists of steps: changesets become CQL, every statement becomes a tree, and a unit is known by the
 * checksum of what it does. Pure; everything lives in the migrator's arena. */
#include <openssl/evp.h>
#include <stdio.h>

#include "base/text.h"
#include "cql/parser.h"
#include "migrate/core.h"

/* ---- steps ---- */

static migrate_step *new_step(migrate_steps *steps, base_arena *arena) {
    if (steps->count == steps->capacity) {
        uint32_t      capacity = steps->capacity ? 2 * steps->capacity : 8;
        migrate_step *items = BASE_NEW_ARRAY(arena, migrate_step, capacity);
        if (!items) return NULL;
        if (steps->count) memcpy(items, steps->items, steps->count * sizeof *items);
        steps->items = items;
        steps->capacity = capacity;
    }
    migrate_step *step = &steps->items[steps->count++];
    *step = (migrate_step){ 0 };
    return step;
}

static corm_str keep(base_buf *text, base_arena *arena) {
    corm_str out = { NULL, 0 };
    if (!text->failed) out = base__arena_str(arena, base__buf_str(text));
    base__buf_free(text);
    return out;
}

static corm_status add_tree(migrate_steps *steps, base_arena *arena, const cql_statement *tree,
                            corm_str place, corm_error *err) {
    base_buf      text = { 0 };
    migrate_step *step = new_step(steps, arena);
    if (!step) return base__fail_memory(err);
    cql__print(tree, &text);
    step->statement = tree;
    step->place = place;
    step->text = keep(&text, arena);
    return step->text.data ? CORM_OK : base__fail_memory(err);
}

static corm_status check_statement(const cql_statement *tree, corm_str place, corm_error *err) {
    if (tree->marker_count > 0)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "%s: a migration's statement has no bind markers", place.data);
    if (tree->kind == CQL_STMT_USE)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "%s: USE has no place in a migration: it runs in its own keyspace",
                          place.data);
    return CORM_OK;
}

corm_status migrate__add_statement(migrate_steps *steps, base_arena *arena, corm_str text,
                                   corm_str place, corm_error *err) {
    cql_statement *tree;
    corm_error     wrong = { 0 };
    corm_status    status = cql__parse(arena, text, &tree, NULL, &wrong);
    if (status == CORM_SYNTAX_ERROR)
        return base__fail_at(err, status, wrong.line, wrong.column, "%s: %s", place.data,
                             wrong.message);
    if (status != CORM_OK) return base__fail(err, status, "%s: %s", place.data, wrong.message);
    CORM_TRY(check_statement(tree, place, err));
    return add_tree(steps, arena, tree, place, err);
}

static corm_status add_call(migrate_steps *steps, base_arena *arena, const corm_step *change,
                            corm_str place, corm_error *err) {
    migrate_step *step = new_step(steps, arena);
    if (!step) return base__fail_memory(err);
    step->call = change->call;
    step->context = change->context;
    step->place = place;
    step->text = corm_str_of("(a function of the program)");
    return CORM_OK;
}

void migrate__script(const migrate_steps *steps, uint32_t count, base_buf *out) {
    for (uint32_t i = 0; i < count && i < steps->count; i++) {
        base__buf_put_str(out, steps->items[i].text);
        base__buf_puts(out, ";\n");
    }
}

/* ---- changesets ---- */

/* The CQL of each kind: %o object, %n name, %t text, %r rest with what stands between < and > only when there is one. */
static const char *const forms[] = {
    [CORM_STEP_CQL] = "%t",
    [CORM_STEP_CREATE_TABLE] = "CREATE TABLE %o (%t)< WITH %r>",
    [CORM_STEP_DROP_TABLE] = "DROP TABLE %o",
    [CORM_STEP_ADD_COLUMN] = "ALTER TABLE %o ADD %n %t",
    [CORM_STEP_DROP_COLUMN] = "ALTER TABLE %o DROP %n",
    [CORM_STEP_RENAME_COLUMN] = "ALTER TABLE %o RENAME %n TO %t",
    [CORM_STEP_SET_OPTIONS] = "ALTER TABLE %o WITH %t",
    [CORM_STEP_CREATE_INDEX] = "CREATE INDEX %n ON %o (%t)< USING '%r'>",
    [CORM_STEP_DROP_INDEX] = "DROP INDEX %n",
    [CORM_STEP_CREATE_TYPE] = "CREATE TYPE %o (%t)",
    [CORM_STEP_DROP_TYPE] = "DROP TYPE %o",
    [CORM_STEP_ADD_FIELD] = "ALTER TYPE %o ADD %n %t",
    [CORM_STEP_RENAME_FIELD] = "ALTER TYPE %o RENAME %n TO %t",
    [CORM_STEP_CREATE_VIEW] = "CREATE MATERIALIZED VIEW %o AS %t",
    [CORM_STEP_DROP_VIEW] = "DROP MATERIALIZED VIEW %o",
};

static const char *part_of(const corm_step *change, char letter) {
    switch (letter) {
    case 'o': return change->object;
    case 'n': return change->name;
    case 't': return change->text;
    default: return change->rest;
    }
}

/* False: the change lacks a part that its form needs. */
static bool put_form(const char *form, const corm_step *change, base_buf *out) {
    for (const char *at = form; *at; at++) {
        if (*at == '<' && !change->rest) return true;
        if (*at == '<' || *at == '>') continue;
        if (*at != '%') {
            base__buf_u8(out, (uint8_t)*at);
            continue;
        }
        const char *part = part_of(change, *++at);
        if (!part || !*part) return false;
        base__buf_puts(out, part);
    }
    return true;
}

static corm_status add_change(migrate_steps *steps, base_arena *arena, const corm_step *change,
                              corm_str place, corm_error *err) {
    base_buf text = { 0 };
    if (change->kind == CORM_STEP_CALL && change->call)
        return add_call(steps, arena, change, place, err);
    bool known = change->kind > CORM_STEP_NONE && change->kind <= CORM_STEP_DROP_VIEW &&
                 forms[change->kind] != NULL;
    if (!known || !put_form(forms[change->kind], change, &text)) {
        base__buf_free(&text);
        return base__fail(err, CORM_INVALID_ARGUMENT, "%s: the step lacks a name, a type or a text",
                          place.data);
    }
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK)
        status = migrate__add_statement(steps, arena, base__buf_str(&text), place, err);
    base__buf_free(&text);
    return status;
}

static corm_status add_changes(migrate_steps *steps, base_arena *arena, const char *id,
                               const char *way, const corm_step *changes, corm_error *err) {
    for (uint32_t i = 0; i < CORM_MAX_STEPS && changes[i].kind != CORM_STEP_NONE; i++) {
        corm_str place = base__arena_printf(arena, "migration %s, %s[%u]", id, way, (unsigned)i);
        if (!place.data) return base__fail_memory(err);
        CORM_TRY(add_change(steps, arena, &changes[i], place, err));
    }
    return CORM_OK;
}

corm_status migrate__unit_new(base_arena *arena, const corm_changeset *changeset,
                              migrate_unit **out, corm_error *err) {
    if (!changeset || !changeset->id || !*changeset->id)
        return base__fail(err, CORM_INVALID_ARGUMENT, "a changeset has no id");
    migrate_unit *unit = BASE_NEW(arena, migrate_unit);
    if (!unit) return base__fail_memory(err);
    unit->id = base__arena_str(arena, corm_str_of(changeset->id));
    const char *description = changeset->description ? changeset->description : "";
    unit->description = base__arena_str(arena, corm_str_of(description));
    if (!unit->id.data || !unit->description.data) return base__fail_memory(err);
    CORM_TRY(add_changes(&unit->up, arena, changeset->id, "up", changeset->up, err));
    CORM_TRY(add_changes(&unit->down, arena, changeset->id, "down", changeset->down, err));
    unit->has_down = unit->down.count > 0;
    unit->validate = changeset->validate;
    unit->context = changeset->context;
    *out = unit;
    return migrate__seal(unit, err);
}

/* ---- checksums ---- */

static bool digest_steps(EVP_MD_CTX *digest, const char *way, const migrate_steps *steps) {
    bool ok = EVP_DigestUpdate(digest, way, strlen(way) + 1) == 1;
    for (uint32_t i = 0; i < steps->count && ok; i++)
        ok = EVP_DigestUpdate(digest, steps->items[i].text.data, steps->items[i].text.len + 1) == 1;
    return ok;
}

corm_status migrate__seal(migrate_unit *unit, corm_error *err) {
    uint8_t     sum[EVP_MAX_MD_SIZE];
    unsigned    len = 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool        ok = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
              digest_steps(digest, "up", &unit->up) && digest_steps(digest, "down", &unit->down) &&
              EVP_DigestFinal_ex(digest, sum, &len) == 1;
    EVP_MD_CTX_free(digest);
    if (!ok) return base__fail_memory(err);
    for (unsigned i = 0; i < len; i++) snprintf(&unit->checksum[2 * i], 3, "%02x", sum[i]);
    return CORM_OK;
}
