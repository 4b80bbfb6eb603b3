// SPDX-License-Identifier: MIT
/* config.c -- a configuration: read from its sources, checked, shown, opened.
 *
 * Owns all texts. Immutable once it is read, but for the sections that are asked for: one thread at a time asks for those. */
#include <stdarg.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/file.h"
#include "config/core.h"

enum { MOST_BYTES = 16 << 20, MOST_WORDS = 512 };

/* ---- faults ---- */

void config__fault(config_reader *reader, const char *place, const char *key, const char *format,
                   ...) {
    char    what[MOST_WORDS];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    reader->faults++;
    base__buf_printf(&reader->messages, "%s%s: %s%s%s", reader->messages.len ? "\n" : "", place,
                     key, *key ? ": " : "", what);
    const corm_config_fault fault = { place, key, what };
    if (reader->options->fault) reader->options->fault(reader->options->context, &fault);
}

/* ---- what is said ---- */

static bool has_prefix(corm_str name, const char *prefix) {
    size_t len = strlen(prefix);
    return name.len > len && memcmp(name.data, prefix, len) == 0;
}

static bool ends_with(corm_str name, const char *end) {
    size_t len = strlen(end);
    return name.len > len && memcmp(name.data + name.len - len, end, len) == 0;
}

/* "features.NAME.enabled", "features.NAME.config.…", "plugins.NAME.library" */
static bool is_section(corm_str name, const char *prefix, bool library) {
    if (!has_prefix(name, prefix)) return false;
    size_t      start = strlen(prefix);
    const char *dot = memchr(name.data + start, '.', name.len - start);
    if (!dot) return false;
    corm_str rest = { dot + 1, (size_t)(name.data + name.len - dot - 1) };
    return corm_str_equal(rest, corm_str_of("enabled")) || has_prefix(rest, "config.") ||
           (library && corm_str_equal(rest, corm_str_of("library")));
}

static bool is_extra(corm_str name) {
    return has_prefix(name, "guard_rails.") || is_section(name, "features.", false) ||
           is_section(name, "plugins.", true);
}

static bool is_flag(const char *text) {
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static config_extra *find_extra(config_reader *reader, corm_str name) {
    config_extra **link = &reader->config->extras;
    for (; *link; link = &(*link)->next) {
        if (corm_str_equal(corm_str_of((*link)->name), name)) return *link;
    }
    config_extra *extra = BASE_NEW(&reader->config->arena, config_extra);
    if (!extra) return NULL;
    extra->name = base__arena_str(&reader->config->arena, name).data;
    *link = extra->name ? extra : NULL;
    return *link;
}

static void say_extra(config_reader *reader, uint32_t rank, config_value value, corm_str name) {
    config_extra *extra = find_extra(reader, name);
    if (!extra) {
        reader->status = base__fail_memory(reader->err);
        return;
    }
    if (extra->value.text && extra->rank < rank) return;
    if (ends_with(name, ".enabled") && !strstr(extra->name, ".config.") && !is_flag(value.text)) {
        config__fault(reader, value.place, extra->name, "'%s' is not allowed: true or false",
                      value.text);
    }
    extra->value = value;
    extra->rank = rank;
}

void config__say(config_reader *reader, uint32_t rank, const char *place, corm_str key,
                 corm_str value) {
    base_arena  *arena = &reader->config->arena;
    config_value copy = { base__arena_str(arena, value).data,
                          base__arena_str(arena, corm_str_of(place)).data };
    corm_str     name = base__arena_str(arena, key);
    if (!copy.text || !copy.place || !name.data) {
        reader->status = base__fail_memory(reader->err);
        return;
    }
    for (size_t i = 0; config__key(i); i++) {
        if (!corm_str_equal(name, corm_str_of(config__key(i)->name))) continue;
        if (!reader->config->values[i].text) reader->config->values[i] = copy;
        return;
    }
    if (is_extra(name)) {
        say_extra(reader, rank, copy, name);
    } else {
        config__fault(reader, place, name.data, "unknown key%s", config__hint(arena, name));
    }
}

/* ---- reading ---- */

static corm_status read_file(config_reader *reader) {
    const corm_config_options *options = reader->options;
    base_buf                   text = { 0 };
    if (options->text) {
        config__read_json(reader, options->file ? options->file : "text",
                          corm_str_of(options->text));
        return CORM_OK;
    }
    if (!options->file) return CORM_OK;
    corm_status status = base__read_file(options->file, MOST_BYTES, &text, reader->err);
    if (status == CORM_OK) config__read_json(reader, options->file, base__buf_str(&text));
    base__buf_free(&text);
    return status;
}

/* From the highest source to the lowest. */
static corm_status read_all(config_reader *reader) {
    config__read_sets(reader);
    config__read_environment(reader);
    CORM_TRY(read_file(reader));
    config__apply(reader);
    if (reader->status != CORM_OK || reader->faults == 0) return reader->status;
    const char *messages = base__buf_cstr(&reader->messages);
    if (!messages) return base__fail_memory(reader->err);
    return base__fail(reader->err, CORM_INVALID_ARGUMENT, "%s", messages);
}

corm_status corm_config_read(corm_config **out, const corm_config_options *options,
                             corm_error *err) {
    static const corm_config_options nothing;
    *out = NULL;
    if (!options) options = &nothing;
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the options are not initialised");
    }
    config_reader reader = { .options = options, .err = err };
    reader.config = calloc(1, sizeof *reader.config);
    if (!reader.config) return base__fail_memory(err);
    corm_status status = read_all(&reader);
    base__buf_free(&reader.messages);
    if (status != CORM_OK) {
        corm_config_free(reader.config);
        return status;
    }
    *out = reader.config;
    return CORM_OK;
}

void corm_config_free(corm_config *config) {
    if (!config) return;
    base__arena_free(&config->arena);
    free(config);
}

/* ---- asking ---- */

const char *corm_config_uri(const corm_config *config) {
    return config->uri;
}

const corm_db_options *corm_config_db_options(const corm_config *config) {
    return &config->db;
}

const corm_server_options *corm_config_server_options(const corm_config *config) {
    return &config->server;
}

const char *corm_config_get(const corm_config *config, const char *key, const char **place) {
    const config_value *value = NULL;
    for (size_t i = 0; config__key(i); i++) {
        if (strcmp(config__key(i)->name, key) == 0) value = &config->values[i];
    }
    for (const config_extra *e = config->extras; e; e = e->next) {
        if (strcmp(e->name, key) == 0) value = &e->value;
    }
    if (place) *place = value ? value->place : NULL;
    return value ? value->text : NULL;
}

/* ---- sections ---- */

/* What is behind "prefix.name." in an extra; NULL: it is another's. */
static const char *part_of(const config_extra *extra, const char *prefix, const char *name) {
    size_t len = strlen(prefix), own = strlen(name);
    if (strncmp(extra->name, prefix, len) != 0) return NULL;
    const char *rest = extra->name + len;
    return strncmp(rest, name, own) == 0 && rest[own] == '.' ? rest + own + 1 : NULL;
}

/* Settings that were said stand in one array of the arena; NULL: memory, or none. */
static bool read_section(const corm_config *config, const char *prefix, const char *name,
                         corm_feature_options *out) {
    bool     found = false;
    uint32_t count = 0;
    *out = (corm_feature_options){ .disabled = false };
    for (const config_extra *e = config->extras; e; e = e->next) count++;
    base_arena   *arena = (base_arena *)(uintptr_t)&config->arena;
    corm_setting *settings = BASE_NEW_ARRAY(arena, corm_setting, count + 1);
    for (const config_extra *e = config->extras; e && settings; e = e->next) {
        const char *part = part_of(e, prefix, name);
        if (!part) continue;
        found = true;
        if (strcmp(part, "enabled") == 0) out->disabled = strcmp(e->value.text, "false") == 0;
        if (strncmp(part, "config.", 7) != 0) continue;
        settings[out->config_count++] = (corm_setting){ part + 7, e->value.text };
    }
    out->config = settings;
    return found;
}

bool corm_config_feature(const corm_config *config, const char *name, corm_feature_options *out) {
    return read_section(config, "features.", name, out);
}

bool corm_config_plugin(const corm_config *config, const char *name, corm_feature_options *out) {
    return read_section(config, "plugins.", name, out);
}
