// SPDX-License-Identifier: MIT
/* uri.h -- the URI that opens a session, taken apart. Private to this folder. */
#ifndef SESSION_URI_H
#define SESSION_URI_H

#include "base/arena.h"
#include "corm/session.h"

typedef struct session_uri {
    corm_str             scheme;  /* "corm", lower case */
    const char          *path;    /* decoded; NULL: ":memory:" */
    corm_session_options options; /* the caller's, and the URI's where the caller said nothing */
} session_uri;

/* Reads scheme:path?name=value&name=value. Texts live in the arena. CORM_INVALID_ARGUMENT names the
 * part that is wrong. */
CORM_CHECKED corm_status session__uri_read(base_arena *arena, const char *text,
                                           const corm_session_options *options, session_uri *out,
                                           corm_error *err);

#endif
