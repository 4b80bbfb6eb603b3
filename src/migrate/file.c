// SPDX-License-Identifier: MIT
/* file.c -- migrations in files.
 *
 *   -- Add preferences to users.          the first comment: the description
 *   -- up
 *   ALTER TABLE users ADD preferences map<text, text>;
 *   -- down
 *   ALTER TABLE users DROP preferences;
 *
 * Without a section of its own everything is `up`; a section `-- down` without statements says that there is nothing to take
 * back. Runs on the caller's thread. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "cql/parser.h"
#include "migrate/core.h"

/* ---- one file ---- */

typedef struct section {
    corm_str text;
    uint32_t line; /* of its first */
} section;

typedef struct file_parts {
    corm_str description;
    section  up, down;
    bool     has_up, has_down;
} file_parts;

static corm_str take_line(corm_str *text) {
    const char *end = memchr(text->data, '\n', text->len);
    size_t      len = end ? (size_t)(end - text->data) : text->len;
    corm_str    line = { text->data, len };
    size_t      skip = end ? len + 1 : len;
    text->data += skip;
    text->len -= skip;
    return line;
}

/* What stands behind "--", or data NULL. */
static corm_str comment_of(corm_str line) {
    corm_str trimmed = base__str_trim(line);
    if (!base__str_has_prefix(trimmed, corm_str_of("--"))) return (corm_str){ NULL, 0 };
    return base__str_trim((corm_str){ trimmed.data + 2, trimmed.len - 2 });
}

static void end_section(section *open, const char *at) {
    if (open) open->text.len = (size_t)(at - open->text.data);
}

static corm_status cut(corm_str text, corm_str path, file_parts *out, corm_error *err) {
    corm_str rest = text;
    section *open = &out->up;
    *out = (file_parts){ .up = { text, 1 } };
    for (uint32_t number = 1; rest.len > 0; number++) {
        corm_str line = take_line(&rest), comment = comment_of(line);
        bool     is_up = base__str_equal_nocase(comment, corm_str_of("up"));
        bool     is_down = base__str_equal_nocase(comment, corm_str_of("down"));
        if (comment.len > 0 && !is_up && !is_down && !out->description.data && !out->has_up)
            out->description = comment;
        if (!is_up && !is_down) continue;
        if (is_up ? out->has_up : out->has_down)
            return base__fail_at(err, CORM_INVALID_ARGUMENT, number, 0,
                                 "%s:%u: there is a section '-- %s' already", path.data,
                                 (unsigned)number, is_up ? "up" : "down");
        end_section(open, line.data);
        open = is_up ? &out->up : &out->down;
        *open = (section){ rest, number + 1 };
        *(is_up ? &out->has_up : &out->has_down) = true;
    }
    end_section(open, rest.data);
    return CORM_OK;
}

/* Adds to one message all that is wrong with the files. */
typedef struct faults {
    base_buf    text;
    corm_status status;
    uint32_t    line, column;
} faults;

static void add_fault(faults *to, const corm_error *err) {
    if (to->status == CORM_OK) {
        to->status = err->status;
        to->line = err->line;
        to->column = err->column;
    } else {
        base__buf_u8(&to->text, '\n');
    }
    base__buf_puts(&to->text, err->message);
}

static corm_status read_section(migrate_steps *steps, base_arena *arena, const section *from,
                                corm_str path, faults *wrong, corm_error *err) {
    corm_str rest = from->text, statement;
    uint32_t line = from->line;
    bool     complete;
    while (cql__split(rest, &statement, &rest, &complete, &line)) {
        corm_error fault = { 0 };
        corm_str   place = base__arena_printf(arena, "%s:%u", path.data, (unsigned)line);
        if (!place.data) return base__fail_memory(err);
        corm_status status = migrate__add_statement(steps, arena, statement, place, &fault);
        if (status == CORM_NO_MEMORY) return base__fail_memory(err);
        if (status != CORM_OK) add_fault(wrong, &fault);
    }
    return CORM_OK;
}

static corm_status report(faults *wrong, corm_error *err) {
    corm_status status = wrong->status;
    if (status != CORM_OK)
        base__fail_at(err, status, wrong->line, wrong->column, "%.*s", (int)wrong->text.len,
                      (const char *)wrong->text.data);
    base__buf_free(&wrong->text);
    return status;
}

static corm_status parse_file(base_arena *arena, corm_str id, corm_str path, corm_str text,
                              migrate_unit **out, faults *wrong, corm_error *err) {
    file_parts    parts;
    migrate_unit *unit = BASE_NEW(arena, migrate_unit);
    if (!unit) return base__fail_memory(err);
    CORM_TRY(cut(text, path, &parts, err));
    unit->id = base__arena_str(arena, id);
    unit->description = base__arena_str(arena, parts.description);
    if (!unit->id.data || !unit->description.data) return base__fail_memory(err);
    unit->has_down = parts.has_down;
    CORM_TRY(read_section(&unit->up, arena, &parts.up, path, wrong, err));
    if (parts.has_down) CORM_TRY(read_section(&unit->down, arena, &parts.down, path, wrong, err));
    *out = unit;
    return migrate__seal(unit, err);
}

corm_status migrate__parse_file(base_arena *arena, corm_str id, corm_str path, corm_str text,
                                migrate_unit **out, corm_error *err) {
    faults      wrong = { 0 };
    corm_status status = parse_file(arena, id, path, text, out, &wrong, err);
    if (status == CORM_OK) return report(&wrong, err);
    base__buf_free(&wrong.text);
    return status;
}

/* ---- the directory ---- */

static corm_status read_file(corm_migrator *migrator, const char *dir, const char *name,
                             faults *wrong, corm_error *err) {
    base_buf      text = { 0 };
    migrate_unit *unit = NULL;
    corm_str      id = { name, strlen(name) - strlen(".cql") };
    corm_str      path = base__arena_printf(&migrator->arena, "%s/%s", dir, name);
    if (!path.data) return base__fail_memory(err);
    corm_status status = base__read_file(path.data, 0, &text, err);
    if (status == CORM_OK)
        status = parse_file(&migrator->arena, id, path, base__buf_str(&text), &unit, wrong, err);
    if (status == CORM_OK) status = migrate__add(migrator, unit, err);
    base__buf_free(&text);
    return status;
}

static int is_migration(const struct dirent *entry) {
    size_t len = strlen(entry->d_name);
    return len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".cql") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

corm_status migrate__read_dir(corm_migrator *migrator, const char *dir, corm_error *err) {
    struct dirent **entries = NULL;
    faults          wrong = { 0 };
    corm_status     status = CORM_OK;
    int             count = scandir(dir, &entries, is_migration, by_name);
    if (count < 0) return base__fail_errno(err, errno, "%s", dir);
    for (int i = 0; i < count; i++) {
        if (status == CORM_OK) status = read_file(migrator, dir, entries[i]->d_name, &wrong, err);
        free(entries[i]);
    }
    free(entries);
    if (status == CORM_OK) return report(&wrong, err);
    base__buf_free(&wrong.text);
    return status;
}
