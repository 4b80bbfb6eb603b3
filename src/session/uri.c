// SPDX-License-Identifier: MIT
/* uri.c -- takes a session's URI apart. Pure but for the arena.
 *
 *   corm:./shop?keyspace=shop&durability=relaxed
 *   scheme:path?name=value&…      path and values may be percent-encoded
 */
#include "session/uri.h"

#include "base/fail.h"
#include "base/text.h"

enum { MOST_WORKERS = 256, MOST_PAGE_SIZE = 10000000, NAME_DISTANCE = 3 };

typedef struct uri_reader {
    base_arena           *arena;
    const char           *text; /* the whole URI, for messages */
    corm_session_options *options;
    corm_error           *err;
} uri_reader;

/* Sets one option from its decoded value; false when the value is not one of it. */
typedef bool (*option_setter)(corm_session_options *options, const char *value);

static bool read_flag(const char *value, bool *out) {
    *out = strcmp(value, "true") == 0;
    return *out || strcmp(value, "false") == 0;
}

static bool read_number(const char *value, int64_t most, uint32_t *out) {
    int64_t number;
    if (!base__parse_i64(corm_str_of(value), &number) || number < 1 || number > most) return false;
    if (*out == 0) *out = (uint32_t)number;
    return true;
}

static bool set_keyspace(corm_session_options *options, const char *value) {
    if (!options->keyspace) options->keyspace = value;
    return *value != '\0';
}

static bool set_create_keyspace(corm_session_options *options, const char *value) {
    bool flag;
    if (!read_flag(value, &flag)) return false;
    options->create_keyspace |= flag;
    return true;
}

static bool set_durability(corm_session_options *options, const char *value) {
    bool relaxed = strcmp(value, "relaxed") == 0;
    options->relaxed_durability |= relaxed;
    return relaxed || strcmp(value, "full") == 0;
}

static bool set_read_only(corm_session_options *options, const char *value) {
    bool flag;
    if (!read_flag(value, &flag)) return false;
    options->read_only |= flag;
    return true;
}

static bool set_create(corm_session_options *options, const char *value) {
    bool flag;
    if (!read_flag(value, &flag)) return false;
    options->must_exist |= !flag;
    return true;
}

static bool set_worker_threads(corm_session_options *options, const char *value) {
    return read_number(value, MOST_WORKERS, &options->worker_threads);
}

static bool set_page_size(corm_session_options *options, const char *value) {
    return read_number(value, MOST_PAGE_SIZE, &options->page_size);
}

static const char *const consistencies[] = {
    [CORM_ANY] = "any",
    [CORM_ONE] = "one",
    [CORM_TWO] = "two",
    [CORM_THREE] = "three",
    [CORM_QUORUM] = "quorum",
    [CORM_ALL] = "all",
    [CORM_LOCAL_QUORUM] = "local_quorum",
    [CORM_EACH_QUORUM] = "each_quorum",
    [CORM_SERIAL] = "serial",
    [CORM_LOCAL_SERIAL] = "local_serial",
    [CORM_LOCAL_ONE] = "local_one",
};

static bool set_consistency(corm_session_options *options, const char *value) {
    for (size_t i = CORM_ANY; i < sizeof consistencies / sizeof consistencies[0]; i++) {
        if (!base__str_equal_nocase(corm_str_of(value), corm_str_of(consistencies[i]))) continue;
        if (options->consistency == 0) options->consistency = (corm_consistency)i;
        return true;
    }
    return false;
}

static const struct {
    const char   *name;
    option_setter set;
    const char   *values; /* what is allowed, for messages */
} settings[] = {
    { "keyspace", set_keyspace, "a keyspace's name" },
    { "create_keyspace", set_create_keyspace, "true or false" },
    { "durability", set_durability, "full or relaxed" },
    { "read_only", set_read_only, "true or false" },
    { "create", set_create, "true or false" },
    { "worker_threads", set_worker_threads, "1 to 256" },
    { "page_size", set_page_size, "1 to 10000000" },
    { "consistency", set_consistency, "one, quorum, local_quorum …" },
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };

static corm_status unknown_setting(const uri_reader *reader, corm_str name) {
    size_t nearest = 0;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < SETTINGS; i++) {
        size_t distance = base__edit_distance(name, corm_str_of(settings[i].name));
        if (distance < least) nearest = i;
        if (distance < least) least = distance;
    }
    if (least <= NAME_DISTANCE) {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                          "the URI '%s' has an unknown setting '%.*s'; did you mean '%s'?",
                          reader->text, (int)name.len, name.data, settings[nearest].name);
    }
    return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                      "the URI '%s' has an unknown setting '%.*s'", reader->text, (int)name.len,
                      name.data);
}

/* The character of two hexadecimal digits behind a '%'; 0 when they are none, or of a zero byte,
 * that cannot be part of what a C string carries. */
static char decode_percent(corm_str text, size_t at) {
    if (at + 2 >= text.len) return '\0';
    int high = base__hex_digit(text.data[at + 1]);
    int low = base__hex_digit(text.data[at + 2]);
    if (high < 0 || low < 0) return '\0';
    return (char)(high << 4 | low);
}

static corm_status decode(const uri_reader *reader, corm_str text, const char **out) {
    char *copy = base__arena_alloc(reader->arena, text.len + 1);
    if (!copy) return base__fail_memory(reader->err);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '%') {
            c = decode_percent(text, i);
            i += 2;
        }
        if (c == '\0') {
            return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                              "the URI '%s' has a '%%' that two hexadecimal digits of a "
                              "character do not follow",
                              reader->text);
        }
        copy[len++] = c;
    }
    copy[len] = '\0';
    *out = copy;
    return CORM_OK;
}

static corm_status read_setting(const uri_reader *reader, corm_str pair) {
    const char *equals = memchr(pair.data, '=', pair.len);
    corm_str    name = { pair.data, equals ? (size_t)(equals - pair.data) : pair.len };
    corm_str    value = { equals ? equals + 1 : "", equals ? pair.len - name.len - 1 : 0 };
    const char *decoded;
    CORM_TRY(decode(reader, value, &decoded));
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!corm_str_equal(name, corm_str_of(settings[i].name))) continue;
        if (settings[i].set(reader->options, decoded)) return CORM_OK;
        return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                          "the URI '%s' sets %s to '%s'; it takes %s", reader->text,
                          settings[i].name, decoded, settings[i].values);
    }
    return unknown_setting(reader, name);
}

static corm_status read_settings(const uri_reader *reader, corm_str query) {
    while (query.len > 0) {
        const char *end = memchr(query.data, '&', query.len);
        corm_str    pair = { query.data, end ? (size_t)(end - query.data) : query.len };
        if (pair.len > 0) CORM_TRY(read_setting(reader, pair));
        size_t used = pair.len + (end != NULL);
        query = (corm_str){ query.data + used, query.len - used };
    }
    return CORM_OK;
}

static bool is_scheme_character(char c, bool first) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static corm_status read_scheme(const uri_reader *reader, corm_str *scheme) {
    size_t len = 0;
    while (is_scheme_character(reader->text[len], len == 0)) len++;
    if (len == 0 || reader->text[len] != ':') {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                          "the URI '%s' has no scheme; a folder is opened by 'corm:%s'",
                          reader->text, reader->text);
    }
    *scheme = base__arena_str(reader->arena, (corm_str){ reader->text, len });
    if (!scheme->data) return base__fail_memory(reader->err);
    return CORM_OK;
}

corm_status session__uri_read(base_arena *arena, const char *text,
                              const corm_session_options *options, session_uri *out,
                              corm_error *err) {
    *out = (session_uri){ 0 };
    if (options) out->options = *options;
    uri_reader reader = { arena, text, &out->options, err };
    if (!text) return base__fail(err, CORM_INVALID_ARGUMENT, "the URI is NULL");
    CORM_TRY(read_scheme(&reader, &out->scheme));
    corm_str    rest = corm_str_of(text + out->scheme.len + 1);
    const char *mark = memchr(rest.data, '?', rest.len);
    corm_str    path = { rest.data, mark ? (size_t)(mark - rest.data) : rest.len };
    if (path.len == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the URI '%s' names no folder", text);
    }
    if (!corm_str_equal(path, corm_str_of(":memory:"))) CORM_TRY(decode(&reader, path, &out->path));
    if (!mark) return CORM_OK;
    return read_settings(&reader, (corm_str){ mark + 1, rest.len - path.len - 1 });
}
