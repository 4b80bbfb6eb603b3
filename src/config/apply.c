// SPDX-License-Identifier: MIT
/* apply.c -- what was said becomes options; each value that cannot is a fault with its place. One thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "config/core.h"
#include "cql/guard.h"

/* In the words of the URI's reader, which do not repeat its password. */
static void refuse_uri(config_reader *reader, const config_key *key, const config_value *value) {
    base_arena  arena = { 0 };
    session_uri parts;
    corm_error  err = { 0 };
    corm_status status = session__uri_read(&arena, value->text, NULL, &parts, &err);
    config__fault(reader, value->place, key->name, "%s",
                  status == CORM_OK ? corm_status_text(CORM_INVALID_ARGUMENT) : err.message);
    base__arena_free(&arena);
}

/* The reason does not repeat a secret. */
static void refuse(config_reader *reader, const config_key *key, const config_value *value) {
    if (key->kind == CONFIG_URI) {
        refuse_uri(reader, key, value);
        return;
    }
    const char *values = config__values(key, &reader->config->arena);
    config__fault(reader, value->place, key->name, "'%s' is not allowed: %s",
                  key->is_secret ? "***" : value->text, values);
}

static bool read_number(const config_key *key, const char *text, uint64_t *out) {
    int64_t number;
    if (!base__parse_i64(corm_str_of(text), &number) || number < 0) return false;
    *out = (uint64_t)number;
    return *out >= key->least && *out <= key->most;
}

static bool set_number(const config_key *key, const char *text, void *at) {
    uint64_t number;
    if (!read_number(key, text, &number)) return false;
    if (key->kind == CONFIG_U64) {
        *(uint64_t *)at = number;
    } else if (key->kind == CONFIG_U32) {
        *(uint32_t *)at = (uint32_t)number;
    } else {
        *(int32_t *)at = (int32_t)number;
    }
    return true;
}

static bool set_flag(const char *text, bool *at) {
    *at = strcmp(text, "true") == 0;
    return *at || strcmp(text, "false") == 0;
}

static bool set_word(const config_key *key, const char *text, uint32_t *at) {
    for (uint32_t i = 0; key->words[i]; i++) {
        if (strcmp(key->words[i], text) != 0) continue;
        *at = i;
        return true;
    }
    return false;
}

/* Calls take() for each part between commas; false when one is refused. */
static bool each_part(config_reader *reader, const config_key *key, const char *text, void *at,
                      bool (*take)(const config_key *key, const char *part, void *at)) {
    while (*text) {
        size_t      len = strcspn(text, ",");
        const char *part = base__arena_str(&reader->config->arena, (corm_str){ text, len }).data;
        if (!part) {
            reader->status = base__fail_memory(reader->err);
            return true;
        }
        if (!take(key, part, at)) return false;
        text += len + (text[len] == ',');
    }
    return true;
}

static bool take_name(const config_key *key, const char *part, void *at) {
    const char **names = at;
    for (uint64_t i = 0; i < key->most; i++) {
        if (names[i]) continue;
        names[i] = part;
        return *part != '\0';
    }
    return false;
}

static const struct {
    const char *name;
    uint32_t    bits;
} classes[] = {
    { "select", CORM_STATEMENT_SELECT }, { "insert", CORM_STATEMENT_INSERT },
    { "update", CORM_STATEMENT_UPDATE }, { "delete", CORM_STATEMENT_DELETE },
    { "batch", CORM_STATEMENT_BATCH },   { "truncate", CORM_STATEMENT_TRUNCATE },
    { "schema", CORM_STATEMENT_SCHEMA }, { "roles", CORM_STATEMENT_ROLES },
    { "use", CORM_STATEMENT_USE },       { "other", CORM_STATEMENT_OTHER },
    { "writes", CORM_STATEMENT_WRITES },
};

static bool take_class(const config_key *key, const char *part, void *at) {
    (void)key;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strcmp(classes[i].name, part) != 0) continue;
        *(uint32_t *)at |= classes[i].bits;
        return true;
    }
    return false;
}

static bool set_setting(config_reader *reader, const config_key *key, const char *text) {
    corm_config *config = reader->config;
    const char  *name = strchr(key->name, '.') + 1;
    config->parts.is_cluster = strncmp(key->name, "cluster.", 8) == 0;
    session_setting read =
        session__setting_read(&config->parts, &config->arena, corm_str_of(name), text);
    if (read == SESSION_SETTING_MEMORY) reader->status = base__fail_memory(reader->err);
    return read == SESSION_SETTING_READ || read == SESSION_SETTING_MEMORY;
}

static bool set_uri(config_reader *reader, const char *text, const char **at) {
    base_arena  arena = { 0 };
    session_uri parts;
    corm_error  err;
    corm_status status = session__uri_read(&arena, text, NULL, &parts, &err);
    if (status == CORM_NO_MEMORY) reader->status = base__fail_memory(reader->err);
    base__arena_free(&arena);
    *at = text;
    return status != CORM_INVALID_ARGUMENT;
}

static bool set(config_reader *reader, const config_key *key, const char *text) {
    void *at = (char *)reader->config + key->at;
    switch (key->kind) {
    case CONFIG_URI: return set_uri(reader, text, at);
    case CONFIG_SETTING: return set_setting(reader, key, text);
    case CONFIG_TEXT: *(const char **)at = text; return *text != '\0';
    case CONFIG_FLAG: return set_flag(text, at);
    case CONFIG_WORD: return set_word(key, text, at);
    case CONFIG_LIST: return each_part(reader, key, text, at, take_name);
    case CONFIG_CLASSES: return each_part(reader, key, text, at, take_class);
    default: return set_number(key, text, at);
    }
}

/* ---- guard rails ---- */

/* One by one, so that each mistake has its place; what the store is told is all of them. */
static void apply_guard_rails(config_reader *reader) {
    base_buf all = { 0 }, one = { 0 };
    for (const config_extra *e = reader->config->extras; e; e = e->next) {
        cql_guard  guard;
        corm_error err;
        if (strncmp(e->name, "guard_rails.", 12) != 0) continue;
        base__buf_clear(&one);
        base__buf_printf(&one, "%s=%s", e->name + 12, e->value.text);
        cql__guard_init(&guard);
        if (cql__guard_read(&guard, base__buf_str(&one), &err) != CORM_OK) {
            config__fault(reader, e->value.place, e->name, "%s", err.message);
        }
        base__buf_printf(&all, "%.*s\n", (int)one.len, (const char *)one.data);
    }
    if (all.len > 0) {
        const char *text = base__arena_str(&reader->config->arena, base__buf_str(&all)).data;
        if (all.failed || one.failed || !text) reader->status = base__fail_memory(reader->err);
        reader->config->parts.options.guard_rails = text;
    }
    base__buf_free(&all);
    base__buf_free(&one);
}

/* ---- all ---- */

static bool is_cluster(const char *uri) {
    return uri && strncmp(uri, "corm:", 5) != 0;
}

void config__apply(config_reader *reader) {
    corm_config *config = reader->config;
    for (size_t i = 0; config__key(i) && reader->status == CORM_OK; i++) {
        const config_value *value = &config->values[i];
        if (!value->text) continue;
        if (!set(reader, config__key(i), value->text)) refuse(reader, config__key(i), value);
    }
    apply_guard_rails(reader);
    config->db.migration = (corm_migration)config->migration;
    config->db.session = config->parts.options;
    if (is_cluster(config->uri)) config->db.session.cluster = &config->parts.cluster;
}
