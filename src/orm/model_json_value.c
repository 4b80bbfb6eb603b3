// SPDX-License-Identifier: MIT
/* model_json_value.c -- values of a model in JSON, and errors that say where they are. One thread. */
#include <stdarg.h>

#include "base/text.h"
#include "orm/model_json.h"

enum { MOST_KEYS = 32 };

corm_status orm__json_wrong(orm_json_reader *r, const char *format, ...) {
    char    text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return base__fail(r->err, CORM_INVALID_ARGUMENT, "%s%s%s", r->path, *r->path ? ": " : "", text);
}

/* Appends ".name", or "[3]" when there is no name; gives the old length for orm__json_leave(). */
size_t orm__json_enter(orm_json_reader *r, const char *name, size_t index) {
    size_t before = strlen(r->path);
    char  *end = r->path + before;
    if (name) {
        snprintf(end, sizeof r->path - before, "%s%s", before > 0 ? "." : "", name);
    } else {
        snprintf(end, sizeof r->path - before, "[%zu]", index);
    }
    size_t len = strlen(r->path);
    while (len > before && !base__utf8_valid(r->path, len)) r->path[--len] = '\0';
    return before;
}

void orm__json_leave(orm_json_reader *r, size_t before) {
    r->path[before] = '\0';
}

/* ---- values ---- */

corm_status orm__json_text(orm_json_reader *r, const json_t *value, const char **out) {
    if (!json_is_string(value)) return orm__json_wrong(r, "a text is expected");
    *out =
        base__arena_str(r->arena, (corm_str){ json_string_value(value), json_string_length(value) })
            .data;
    return *out ? CORM_OK : base__fail_memory(r->err);
}

corm_status orm__json_bool(orm_json_reader *r, const json_t *value, bool *out) {
    if (!json_is_boolean(value)) return orm__json_wrong(r, "true or false is expected");
    *out = json_is_true(value);
    return CORM_OK;
}

corm_status orm__json_count(orm_json_reader *r, const json_t *value, int64_t most, int64_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > most) {
        return orm__json_wrong(r, "a whole number from 0 to %lld is expected", (long long)most);
    }
    *out = json_integer_value(value);
    return CORM_OK;
}

corm_status orm__json_number(orm_json_reader *r, const json_t *value, bool *has, double *out) {
    if (!json_is_number(value)) return orm__json_wrong(r, "a number is expected");
    *has = true;
    *out = json_number_value(value);
    return CORM_OK;
}

/* ---- objects ---- */

static corm_status unknown_key(orm_json_reader *r, const char *name, const orm_json_key *lines) {
    corm_str names[MOST_KEYS];
    size_t   count = 0;
    for (; lines[count].name; count++) names[count] = corm_str_of(lines[count].name);
    corm_str near = orm__nearest(corm_str_of(name), names, count);
    if (near.len == 0) return orm__json_wrong(r, "unknown key");
    return orm__json_wrong(r, "unknown key, did you mean '%.*s'?", (int)near.len, near.data);
}

static corm_status read_line(orm_json_reader *r, const char *name, const json_t *value,
                             const orm_json_key *lines, void *target) {
    for (const orm_json_key *line = lines; line->name; line++) {
        if (strcmp(line->name, name) == 0) return line->read(r, value, target);
    }
    return unknown_key(r, name, lines);
}

corm_status orm__json_object(orm_json_reader *r, const json_t *object, const orm_json_key *lines,
                             void *target) {
    if (!json_is_object(object)) return orm__json_wrong(r, "an object is expected");
    const char *name;
    json_t     *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        size_t before = orm__json_enter(r, name, 0);
        CORM_TRY(read_line(r, name, value, lines, target));
        orm__json_leave(r, before);
    }
    return CORM_OK;
}

corm_status orm__json_word(orm_json_reader *r, const json_t *value, const orm_json_word *words,
                           int *out) {
    const char *text = NULL;
    char        all[128] = "";
    CORM_TRY(orm__json_text(r, value, &text));
    for (const orm_json_word *word = words; word->name; word++) {
        if (strcmp(word->name, text) == 0) {
            *out = word->value;
            return CORM_OK;
        }
        size_t len = strlen(all);
        snprintf(all + len, sizeof all - len, "%s%s", len > 0 ? ", " : "", word->name);
    }
    return orm__json_wrong(r, "'%s' is none of %s", text, all);
}
