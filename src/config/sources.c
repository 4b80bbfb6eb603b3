// SPDX-License-Identifier: MIT
/* sources.c -- where values come from: the program's list, the environment, JSON with the place of each value. A value of a
 * source that stands higher stays. One thread. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "config/core.h"
#include "cql/json.h"

extern char **environ;

enum { RANK_SET = 1, RANK_ENVIRONMENT, RANK_FILE, MOST_DEPTH = 16, MOST_NAME = 256 };

/* ---- the program's ---- */

void config__read_sets(config_reader *reader) {
    for (const char *const *set = reader->options->set; set && *set; set++) {
        const char *equals = strchr(*set, '=');
        if (!equals) {
            config__fault(reader, "set", *set, "it is no name=value");
            continue;
        }
        config__say(reader, RANK_SET, "set", (corm_str){ *set, (size_t)(equals - *set) },
                    corm_str_of(equals + 1));
    }
}

/* ---- the environment ---- */

/* "session.page_size" as "CORM_SESSION_PAGE_SIZE". */
static void variable_of(const char *key, char *out, size_t size) {
    snprintf(out, size, "CORM_%s", key);
    for (char *c = out; *c; c++) *c = *c == '.' ? '_' : (char)toupper((unsigned char)*c);
}

static bool is_of_key(const char *variable, size_t len) {
    char name[MOST_NAME];
    for (size_t i = 0; config__key(i); i++) {
        variable_of(config__key(i)->name, name, sizeof name);
        if (strlen(name) == len && memcmp(name, variable, len) == 0) return true;
    }
    return false;
}

static bool is_of_section(const char *variable) {
    static const char *const sections[] = { "CORM_SESSION_", "CORM_CLUSTER_", "CORM_DB_",
                                            "CORM_SERVER_",  "CORM_LOG_",     "CORM_GUARD_" };
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strncmp(variable, sections[i], strlen(sections[i])) == 0) return true;
    }
    return false;
}

/* The name that was probably meant is looked for as a key. */
static void name_unknown(config_reader *reader, const char *variable, size_t len) {
    char   name[MOST_NAME], key[MOST_NAME];
    size_t at = 0;
    bool   in_section = false;
    snprintf(name, sizeof name, "%.*s", (int)len, variable);
    for (const char *c = name + strlen("CORM_"); *c && at + 1 < sizeof key; c++) {
        bool dot = *c == '_' && !in_section;
        in_section |= dot;
        key[at++] = dot ? '.' : (char)tolower((unsigned char)*c);
    }
    key[at] = '\0';
    config__fault(reader, name, key, "unknown key%s",
                  config__hint(&reader->config->arena, corm_str_of(key)));
}

void config__read_environment(config_reader *reader) {
    char name[MOST_NAME];
    if (reader->options->no_environment) return;
    for (size_t i = 0; config__key(i); i++) {
        variable_of(config__key(i)->name, name, sizeof name);
        const char *value = getenv(name);
        if (value) {
            config__say(reader, RANK_ENVIRONMENT, name, corm_str_of(config__key(i)->name),
                        corm_str_of(value));
        }
    }
    for (char **variable = environ; *variable; variable++) {
        size_t len = strcspn(*variable, "=");
        if (is_of_section(*variable) && !is_of_key(*variable, len)) {
            name_unknown(reader, *variable, len);
        }
    }
}

/* ---- JSON ---- */

typedef struct json_source {
    config_reader *reader;
    const char    *name;
    corm_str       text;
} json_source;

/* "shop.json:4:12" */
static void place_of(const json_source *source, const char *at, char *out, size_t size) {
    unsigned line = 1, column = 1;
    for (const char *c = source->text.data; c < at; c++) {
        column = *c == '\n' ? 1 : column + 1;
        line += *c == '\n';
    }
    snprintf(out, size, "%s:%u:%u", source->name, line, column);
}

static void unescape(corm_str string, base_buf *out) {
    base__buf_clear(out);
    cql__json_unescape(string, out);
}

/* Items of an array with commas between them. */
static void put_items(corm_str array, base_buf *out) {
    size_t   at = 0;
    corm_str item;
    base_buf text = { 0 };
    while (cql__json_next(array, &at, &item)) {
        item = cql__json_trim(item);
        if (out->len > 0) base__buf_u8(out, ',');
        if (cql__json_kind(item) == CQL_JSON_STRING) {
            unescape(item, &text);
            base__buf_put_str(out, base__buf_str(&text));
        } else {
            base__buf_put_str(out, item);
        }
    }
    out->failed |= text.failed;
    base__buf_free(&text);
}

static void read_object(const json_source *source, corm_str object, const char *path, int depth);

static void read_value(const json_source *source, corm_str value, const char *path,
                       const char *place, int depth) {
    config_reader *reader = source->reader;
    base_buf       text = { 0 };
    switch (cql__json_kind(value)) {
    case CQL_JSON_NULL: return;
    case CQL_JSON_OBJECT:
        if (depth < MOST_DEPTH) {
            read_object(source, value, path, depth + 1);
        } else {
            config__fault(reader, place, path, "objects are nested too deep");
        }
        return;
    case CQL_JSON_ARRAY: put_items(value, &text); break;
    case CQL_JSON_STRING: unescape(value, &text); break;
    default: base__buf_put_str(&text, value); break;
    }
    if (text.failed) {
        reader->status = base__fail_memory(reader->err);
    } else {
        config__say(reader, RANK_FILE, place, corm_str_of(path), base__buf_str(&text));
    }
    base__buf_free(&text);
}

static void read_object(const json_source *source, corm_str object, const char *path, int depth) {
    size_t   at = 0;
    corm_str key, value;
    base_buf name = { 0 };
    char     place[MOST_NAME];
    while (cql__json_next_member(object, &at, &key, &value)) {
        char inner[MOST_NAME];
        unescape(cql__json_trim(key), &name);
        snprintf(inner, sizeof inner, "%s%s%.*s", path, *path ? "." : "", (int)name.len,
                 name.data ? (const char *)name.data : "");
        place_of(source, cql__json_trim(key).data, place, sizeof place);
        read_value(source, cql__json_trim(value), inner, place, depth);
    }
    base__buf_free(&name);
}

void config__read_json(config_reader *reader, const char *name, corm_str text) {
    json_source source = { reader, name, text };
    char        place[MOST_NAME];
    size_t      wrong = 0;
    if (!cql__json_check(text, &wrong)) {
        place_of(&source, text.data + (wrong < text.len ? wrong : text.len), place, sizeof place);
        config__fault(reader, place, "", "this is no JSON");
        return;
    }
    corm_str value = cql__json_trim(text);
    if (cql__json_kind(value) != CQL_JSON_OBJECT) {
        config__fault(reader, name, "", "a configuration is an object");
        return;
    }
    read_object(&source, value, "", 0);
}
