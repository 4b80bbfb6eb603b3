// SPDX-License-Identifier: MIT
/* serve_files.c -- the files of users and limits that `corm serve` reads when it starts and at SIGHUP. The main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/serve.h"
#include "stream/input.h"

/* ---- lines ---- */

static corm_str next_line(corm_str *text) {
    const char *end = memchr(text->data, '\n', text->len);
    size_t      len = end ? (size_t)(end - text->data) : text->len;
    corm_str    line = { text->data, len };
    if (end) len++;
    text->data += len;
    text->len -= len;
    if (line.len > 0 && line.data[line.len - 1] == '\r') line.len--;
    return line;
}

/* ---- users ---- */

static corm_status read_user(base_arena *arena, corm_str line, corm_server_user *out,
                             corm_error *err) {
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon || colon == line.data)
        return base__fail(err, CORM_INVALID_ARGUMENT, "a line is not NAME:PASSWORD");
    size_t   len = (size_t)(colon - line.data);
    corm_str password = { colon + 1, line.len - len - 1 };
    out->name = base__arena_str(arena, (corm_str){ line.data, len }).data;
    out->password = base__arena_str(arena, password).data;
    return out->name && out->password ? CORM_OK : base__fail_memory(err);
}

static uint32_t count_lines(corm_str text) {
    uint32_t count = 1;
    for (size_t i = 0; i < text.len; i++) count += text.data[i] == '\n';
    return count;
}

static corm_status read_users(base_arena *arena, corm_str text, corm_server_options *options,
                              corm_error *err) {
    corm_server_user *users = BASE_NEW_ARRAY(arena, corm_server_user, count_lines(text));
    if (!users) return base__fail_memory(err);
    options->users = users;
    while (text.len > 0) {
        corm_str line = next_line(&text);
        if (line.len == 0 || line.data[0] == '#') continue;
        CORM_TRY(read_user(arena, line, &users[options->user_count++], err));
    }
    if (options->user_count > 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "there is no user in it");
}

corm_status cli__serve_users(base_arena *arena, const char *path, corm_server_options *options,
                             corm_error *err) {
    base_buf text = { 0 };
    if (!path) return CORM_OK;
    corm_status status = stream__read_whole_file(path, &text, err);
    if (status == CORM_OK) status = read_users(arena, base__buf_str(&text), options, err);
    base__buf_free(&text);
    return status;
}

/* ---- limits ---- */

typedef struct limit {
    const char *name;
    size_t      offset, size; /* in corm_server_options */
} limit;

#define LIMIT(name)                                                                                \
    { #name, offsetof(corm_server_options, name), sizeof(((corm_server_options *)NULL)->name) }
static const limit limits[] = {
    LIMIT(max_connections),   LIMIT(max_requests),      LIMIT(max_requests_per_connection),
    LIMIT(max_request_bytes), LIMIT(max_message_bytes), LIMIT(max_unread_bytes),
    LIMIT(max_prepared),      LIMIT(handshake_ms),      LIMIT(idle_ms),
    LIMIT(slow_ms),           LIMIT(stop_ms),
};
#undef LIMIT

static corm_status set_limit(const limit *to, uint64_t value, corm_server_options *options,
                             corm_error *err) {
    char    *place = (char *)options + to->offset;
    uint32_t narrow = (uint32_t)value;
    if (to->size == sizeof value)
        memcpy(place, &value, sizeof value);
    else if (value <= UINT32_MAX)
        memcpy(place, &narrow, sizeof narrow);
    else
        return base__fail(err, CORM_INVALID_ARGUMENT, "%s is too large", to->name);
    return CORM_OK;
}

static corm_status find_limit(const char *name, const limit **out, corm_error *err) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        *out = &limits[i];
        if (strcmp(limits[i].name, name) == 0) return CORM_OK;
    }
    return base__fail(err, CORM_INVALID_ARGUMENT, "there is no limit '%s'", name);
}

/* NAME NUMBER, with an equals sign between them or without. */
static corm_status read_limit(corm_str line, corm_server_options *options, corm_error *err) {
    char         text[128], *end, *save;
    const limit *to;
    if (line.len >= sizeof text)
        return base__fail(err, CORM_INVALID_ARGUMENT, "a line is too long");
    memcpy(text, line.data, line.len);
    text[line.len] = '\0';
    const char *name = strtok_r(text, " \t=", &save), *number = strtok_r(NULL, " \t=", &save);
    if (!name) return CORM_OK;
    CORM_TRY(find_limit(name, &to, err));
    errno = 0;
    unsigned long long value = number && *number != '-' ? strtoull(number, &end, 10) : 0;
    if (value == 0 || errno != 0 || *end != '\0' || strtok_r(NULL, " \t=", &save))
        return base__fail(err, CORM_INVALID_ARGUMENT, "%s takes a whole number above 0", name);
    return set_limit(to, value, options, err);
}

static corm_status read_limits(corm_str text, corm_server_options *options, corm_error *err) {
    while (text.len > 0) {
        corm_str line = next_line(&text);
        if (line.len > 0 && line.data[0] != '#') CORM_TRY(read_limit(line, options, err));
    }
    return CORM_OK;
}

corm_status cli__serve_limits(const char *path, corm_server_options *options, corm_error *err) {
    base_buf text = { 0 };
    if (!path) return CORM_OK;
    corm_status status = stream__read_whole_file(path, &text, err);
    if (status == CORM_OK) status = read_limits(base__buf_str(&text), options, err);
    base__buf_free(&text);
    return status;
}

corm_status cli__serve_guards(base_arena *arena, const char *path, const char *given,
                              const char **out, corm_error *err) {
    base_buf    text = { 0 };
    corm_status status = path ? stream__read_whole_file(path, &text, err) : CORM_OK;
    base__buf_puts(&text, "\n");
    if (given) base__buf_puts(&text, given);
    if (status == CORM_OK) status = base__buf_status(&text, err);
    if (status == CORM_OK) {
        *out = base__arena_str(arena, base__buf_str(&text)).data;
        if (!*out) status = base__fail_memory(err);
    }
    base__buf_free(&text);
    return status;
}
