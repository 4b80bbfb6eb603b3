// SPDX-License-Identifier: MIT
/* uri.c -- takes a session's URI apart. Pure but for the arena.
 *
 *   corm:./shop?keyspace=shop&durability=relaxed        scheme:path?name=value&…
 *   cassandra://user:pass@h1,[::1]:9042/shop?dc=dc1     scheme://user:password@host:port,…/keyspace?name=value&…
 *
 * Every part may be percent-encoded. */
#include "session/uri.h"

#include "base/fail.h"
#include "base/text.h"
#include "session/door.h"

typedef struct uri_reader {
    base_arena  *arena;
    const char  *shown; /* the URI for messages, without its password */
    session_uri *out;
    corm_error  *err;
} uri_reader;

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
                              reader->shown);
        }
        copy[len++] = c;
    }
    copy[len] = '\0';
    *out = copy;
    return CORM_OK;
}

/* Up to a separator, or all; `text` goes on behind it. False at the end. */
static bool next_part(corm_str *text, char separator, corm_str *part) {
    if (!text->data) return false;
    const char *end = text->len > 0 ? memchr(text->data, separator, text->len) : NULL;
    *part = (corm_str){ text->data, end ? (size_t)(end - text->data) : text->len };
    *text = end ? (corm_str){ end + 1, text->len - part->len - 1 } : (corm_str){ NULL, 0 };
    return true;
}

/* ---- settings ---- */

static corm_status unknown_setting(const uri_reader *reader, corm_str name) {
    const char *nearest = session__setting_nearest(name, reader->out->is_cluster);
    return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                      "the URI '%s' has an unknown setting '%.*s'%s%s%s", reader->shown,
                      (int)name.len, name.data, nearest ? "; did you mean '" : "",
                      nearest ? nearest : "", nearest ? "'?" : "");
}

static corm_status other_door(const uri_reader *reader, corm_str name) {
    bool is_cluster = reader->out->is_cluster;
    return base__fail(
        reader->err, CORM_INVALID_ARGUMENT, "the URI '%s' sets %.*s, which only %s knows",
        reader->shown, (int)name.len, name.data,
        is_cluster ? "the embedded store ('corm:')" : "a cluster ('cassandra:', 'scylla:')");
}

static corm_status read_setting(const uri_reader *reader, corm_str pair) {
    corm_str    name, value = pair;
    const char *decoded;
    next_part(&value, '=', &name);
    CORM_TRY(decode(reader, value, &decoded));
    switch (session__setting_read(reader->out, reader->arena, name, decoded)) {
    case SESSION_SETTING_READ: return CORM_OK;
    case SESSION_SETTING_UNKNOWN: return unknown_setting(reader, name);
    case SESSION_SETTING_DOOR: return other_door(reader, name);
    case SESSION_SETTING_MEMORY: return base__fail_memory(reader->err);
    default: break;
    }
    return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                      "the URI '%s' sets %.*s to '%s'; it takes %s", reader->shown, (int)name.len,
                      name.data, decoded, session__setting_values(name));
}

static corm_status read_settings(const uri_reader *reader, corm_str query) {
    for (corm_str pair; next_part(&query, '&', &pair);) {
        if (pair.len > 0) CORM_TRY(read_setting(reader, pair));
    }
    return CORM_OK;
}

/* ---- a cluster's authority ---- */

static corm_status bad_host(const uri_reader *reader, corm_str host, const char *why) {
    return base__fail(reader->err, CORM_INVALID_ARGUMENT, "the URI '%s' has a host '%.*s' %s",
                      reader->shown, (int)host.len, host.data, why);
}

/* "h1", "h1:9042", "[::1]", "[::1]:9042": the name, and what stands behind it. */
static corm_status split_host(const uri_reader *reader, corm_str text, corm_str *name,
                              corm_str *rest) {
    bool        bracket = text.len > 0 && text.data[0] == '[';
    corm_str    inside = bracket ? (corm_str){ text.data + 1, text.len - 1 } : text;
    const char *end = inside.len > 0 ? memchr(inside.data, bracket ? ']' : ':', inside.len) : NULL;
    if (bracket && !end) return bad_host(reader, text, "whose bracket is not closed");
    *name = (corm_str){ inside.data, end ? (size_t)(end - inside.data) : inside.len };
    *rest = (corm_str){ name->data + name->len + bracket,
                        (size_t)(text.data + text.len - name->data) - name->len - bracket };
    if (name->len == 0) return bad_host(reader, text, "without a name");
    return CORM_OK;
}

static corm_status read_port(const uri_reader *reader, corm_str host, corm_str rest,
                             uint16_t *port) {
    int64_t number;
    *port = 0;
    if (rest.len == 0) return CORM_OK;
    if (rest.data[0] == ':' && memchr(rest.data + 1, ':', rest.len - 1)) {
        return bad_host(reader, host, "with several colons; an IPv6 address stands in brackets");
    }
    corm_str digits = { rest.data + 1, rest.len - 1 };
    bool     good = rest.data[0] == ':' && digits.len > 0 && base__parse_i64(digits, &number);
    if (!good || number < 1 || number > UINT16_MAX) {
        return bad_host(reader, host, "whose port is not 1 to 65535");
    }
    *port = (uint16_t)number;
    return CORM_OK;
}

static corm_status read_hosts(const uri_reader *reader, corm_str hosts) {
    uint32_t count = 1;
    for (size_t i = 0; i < hosts.len; i++) count += hosts.data[i] == ',';
    driver_contact *contacts = BASE_NEW_ARRAY(reader->arena, driver_contact, count);
    if (!contacts) return base__fail_memory(reader->err);
    uint32_t at = 0;
    for (corm_str host; next_part(&hosts, ',', &host); at++) {
        corm_str name, rest = { NULL, 0 };
        CORM_TRY(split_host(reader, host, &name, &rest));
        CORM_TRY(read_port(reader, host, rest, &contacts[at].port));
        CORM_TRY(decode(reader, name, &contacts[at].name));
    }
    reader->out->contacts = contacts;
    reader->out->contact_count = at;
    return CORM_OK;
}

/* The URI's name and password are one: a caller who gives a name of its own does not get the password. */
static corm_status read_login(const uri_reader *reader, corm_str login) {
    corm_cluster_options *cluster = &reader->out->cluster;
    corm_str              user;
    const char           *name, *password;
    next_part(&login, ':', &user);
    CORM_TRY(decode(reader, user, &name));
    CORM_TRY(decode(reader, login.data ? login : corm_str_of(""), &password));
    if (cluster->username) return CORM_OK;
    cluster->username = name;
    if (!cluster->password) cluster->password = password;
    return CORM_OK;
}

static corm_status read_keyspace(const uri_reader *reader, corm_str path) {
    corm_session_options *options = &reader->out->options;
    const char           *name;
    if (path.len == 0) return CORM_OK;
    CORM_TRY(decode(reader, path, &name));
    if (memchr(path.data, '/', path.len)) {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                          "the URI '%s' has more than a keyspace's name behind its hosts",
                          reader->shown);
    }
    if (!options->keyspace) options->keyspace = name;
    return CORM_OK;
}

static const char *last_at(corm_str text) {
    const char *found = NULL;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '@') found = text.data + i;
    }
    return found;
}

/* What follows the scheme, up to the settings: //user:password@hosts/keyspace. */
static corm_status read_cluster(const uri_reader *reader, corm_str rest) {
    corm_str authority, path;
    if (!base__str_has_prefix(rest, corm_str_of("//"))) {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                          "the URI '%s' has no '//' before its hosts", reader->shown);
    }
    path = (corm_str){ rest.data + 2, rest.len - 2 };
    next_part(&path, '/', &authority);
    const char *at = last_at(authority);
    if (at) {
        size_t len = (size_t)(at - authority.data);
        CORM_TRY(read_login(reader, (corm_str){ authority.data, len }));
        authority = (corm_str){ at + 1, authority.len - len - 1 };
    }
    if (authority.len == 0) {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT, "the URI '%s' names no host",
                          reader->shown);
    }
    CORM_TRY(read_hosts(reader, authority));
    return path.data ? read_keyspace(reader, path) : CORM_OK;
}

/* ---- the whole ---- */

static corm_status read_folder(const uri_reader *reader, corm_str path) {
    if (path.len == 0) {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT, "the URI '%s' names no folder",
                          reader->shown);
    }
    if (corm_str_equal(path, corm_str_of(":memory:"))) return CORM_OK;
    return decode(reader, path, &reader->out->path);
}

static bool is_scheme_character(char c, bool first) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

static corm_status read_scheme(const uri_reader *reader, const char *text) {
    size_t len = 0;
    while (is_scheme_character(text[len], len == 0)) len++;
    if (len == 0 || text[len] != ':') {
        return base__fail(reader->err, CORM_INVALID_ARGUMENT,
                          "the URI '%s' has no scheme; a folder is opened by 'corm:%s'",
                          reader->shown, text);
    }
    reader->out->scheme = base__arena_str(reader->arena, (corm_str){ text, len });
    return reader->out->scheme.data ? CORM_OK : base__fail_memory(reader->err);
}

const char *session__uri_shown(base_arena *arena, const char *text) {
    const char *login = strstr(text, "//");
    if (!login) return text;
    size_t      len = strcspn(login + 2, "/?");
    const char *at = last_at((corm_str){ login + 2, len });
    const char *colon = at ? memchr(login + 2, ':', (size_t)(at - login - 2)) : NULL;
    if (!colon) return text;
    return base__arena_printf(arena, "%.*s:***%s", (int)(colon - text), text, at).data;
}

static bool is_cluster_scheme(corm_str scheme) {
    return base__str_equal_nocase(scheme, corm_str_of("cassandra")) ||
           base__str_equal_nocase(scheme, corm_str_of("scylla"));
}

corm_status session__uri_read(base_arena *arena, const char *text,
                              const corm_session_options *options, session_uri *out,
                              corm_error *err) {
    *out = (session_uri){ 0 };
    if (options) out->options = *options;
    if (out->options.cluster) out->cluster = *out->options.cluster;
    if (!text) return base__fail(err, CORM_INVALID_ARGUMENT, "the URI is NULL");
    uri_reader reader = { arena, session__uri_shown(arena, text), out, err };
    if (!reader.shown) return base__fail_memory(err);
    CORM_TRY(read_scheme(&reader, text));
    out->is_cluster = is_cluster_scheme(out->scheme);
    corm_str query = corm_str_of(text + out->scheme.len + 1);
    corm_str rest;
    next_part(&query, '?', &rest);
    CORM_TRY(out->is_cluster ? read_cluster(&reader, rest) : read_folder(&reader, rest));
    return read_settings(&reader, query);
}
