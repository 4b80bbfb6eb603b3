// SPDX-License-Identifier: MIT
/* golden.h -- golden CQL files (docs/golden-tests.md): run through a session, printed with its answers, compared. */
#ifndef CLI_GOLDEN_H
#define CLI_GOLDEN_H

#include "base/buf.h"
#include "corm/session.h"

/* Runs the file's text and appends the whole file with the session's answers as expectations. The session's keyspaces that
 * begin with "golden" are dropped first. CORM_INVALID when the file is not one. */
CORM_CHECKED corm_status cli__golden_run(corm_session *session, corm_str text, base_buf *out,
                                         corm_error *err);

/* Runs the file's text and appends a report of each statement whose answer is not the one expected; *differences counts
 * them, *statements all. `exceptions` (may be empty) lists what may differ, a line each: "topic/file.cql:line reason" or
 * "topic/file.cql reason"; lines that begin with # are comments. */
CORM_CHECKED corm_status cli__golden_check(corm_session *session, corm_str text, corm_str name,
                                           corm_str exceptions, base_buf *report,
                                           uint32_t *differences, uint32_t *statements,
                                           corm_error *err);

/* The same where statements are sent by several roles, as "-- as: NAME" says from there on: `session_of` gives the session of a
 * role; an empty name is whoever the file begins with. NULL: it cannot be had. */
typedef corm_session *(*golden_session_of)(void *context, corm_str role);
CORM_CHECKED corm_status cli__golden_check_as(golden_session_of session_of, void *context,
                                              corm_str text, corm_str name, corm_str exceptions,
                                              base_buf *report, uint32_t *differences,
                                              uint32_t *statements, corm_error *err);

#endif
