// SPDX-License-Identifier: MIT
/* serve.h -- the parts of `corm serve`: files that it is told by, and systemd. The main thread. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "base/arena.h"
#include "corm/server.h"

/* ---- files: serve_files.c ---- */

/* Lines NAME:PASSWORD into options->users; NULL: there is no such file, and nobody is asked. */
CORM_CHECKED corm_status cli__serve_users(base_arena *arena, const char *path,
                                          corm_server_options *options, corm_error *err);
/* Lines NAME NUMBER, names as of corm_server_options; NULL: none. */
CORM_CHECKED corm_status cli__serve_limits(const char *path, corm_server_options *options,
                                           corm_error *err);

/* The guard rails of a file and, over them, those of the command's line; each may be NULL. In the arena. */
CORM_CHECKED corm_status cli__serve_guards(base_arena *arena, const char *path, const char *given,
                                           const char **out, corm_error *err);

/* ---- systemd: serve_systemd.c ---- */

/* Tells who started this and asked to be told. */
void cli__notify(const char *what);
/* RELOADING=1 with the time at which it began. */
void cli__notify_reloading(void);

enum { CLI_MOST_SOCKETS = 16 };
/* The sockets that this process was started with; how many. */
uint32_t cli__listen_sockets(int *out);

/* How often life is to be shown, in ms; 0: it is not asked for. */
uint32_t cli__watchdog_ms(void);

#endif
