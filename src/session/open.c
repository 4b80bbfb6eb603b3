// SPDX-License-Identifier: MIT
/* open.c -- from a URI to a session: the table of doors. */
#include "base/fail.h"
#include "base/text.h"
#include "session/door.h"
#include "session/uri.h"

static corm_status open_embedded(const session_uri *uri, session_door **out, corm_error *err) {
    return session__open_embedded(uri->path, &uri->options, out, err);
}

static const struct {
    const char *scheme;
    corm_status (*open)(const session_uri *uri, session_door **out, corm_error *err);
} doors[] = {
    { "corm", open_embedded },
    { "cassandra", session__open_cluster },
    { "scylla", session__open_cluster },
};

static corm_status open_uri(corm_session **out, const session_uri *uri, corm_error *err) {
    for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
        if (!base__str_equal_nocase(uri->scheme, corm_str_of(doors[i].scheme))) continue;
        session_door *door = NULL;
        CORM_TRY(doors[i].open(uri, &door, err));
        return session__open_door(door, &uri->options, out, err);
    }
    return base__fail(err, CORM_UNSUPPORTED,
                      "there is no door for '%s:'; Corm opens 'corm:', 'cassandra:' and 'scylla:'",
                      uri->scheme.data);
}

/* The session that was opened is behind the middleware, and closed with it. */
static corm_status stand_in_front(corm_session **out, const corm_middleware *list,
                                  corm_error *err) {
    corm_session *behind = *out;
    *out = NULL;
    corm_status status = session__open_middleware(behind, true, list, out, err);
    if (status != CORM_OK) corm_session_close(behind);
    return status;
}

corm_status corm_session_open(corm_session **out, const char *uri,
                              const corm_session_options *options, corm_error *err) {
    if (!out) return base__fail(err, CORM_INVALID_ARGUMENT, "there is no place for the session");
    *out = NULL;
    if (options && options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the session options are not initialised");
    }
    base_arena  arena = { 0 };
    session_uri parts;
    corm_status status = session__uri_read(&arena, uri, options, &parts, err);
    if (status == CORM_OK) status = open_uri(out, &parts, err);
    if (status == CORM_OK && options && options->middleware) {
        status = stand_in_front(out, options->middleware, err);
    }
    base__arena_free(&arena);
    return status;
}
