// SPDX-License-Identifier: MIT
/* open.c -- opens the session of a command, or says why not. */
#include "base/arena.h"
#include "cli/command.h"
#include "session/door.h"

#include <stdio.h>

int cli__open_session(const char *command, const char *uri, const corm_session_options *options,
                      corm_session **out) {
    corm_error error = { 0 };
    if (corm_session_open(out, uri, options, &error) == CORM_OK) return CLI_OK;
    base_arena  arena = { 0 };
    const char *shown = session__uri_shown(&arena, uri);
    fprintf(stderr, "corm %s: %s: %s\n", command, shown ? shown : "", error.message);
    base__arena_free(&arena);
    return error.status == CORM_INVALID_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}
