// SPDX-License-Identifier: MIT
/* guard.h -- guard rails while statements run. What they are: cql/guard.h.
 *
 * Superusers are not held up, as in the server; tombstones and batches are counted for everybody. A store whose guard rails are all as
 * they are by default spends nothing on the rest: engine_request.guard is NULL. Private to the engine. */
#ifndef ENGINE_GUARD_H
#define ENGINE_GUARD_H

#include "engine/select_internal.h"
#include "engine/write_internal.h"

/* Sets request->guard by who asks. */
CORM_CHECKED corm_status engine__guard_request(engine_request *request, corm_error *err);

/* The consistency level of a SELECT, or of a write and its conditions: before all else that is looked at when it runs. */
CORM_CHECKED corm_status engine__guard_read_level(engine_request *request, corm_error *err);
CORM_CHECKED corm_status engine__guard_write_level(engine_request *request, bool is_conditional,
                                                   corm_error *err);

/* Before rows are read, when keys are known. */
CORM_CHECKED corm_status engine__guard_select(select_run *run, corm_error *err);

/* After rows were read: too many tombstones are a warning, or were CORM_READ_FAILURE when they were met. */
CORM_CHECKED corm_status engine__guard_tombstones(select_run *run, corm_error *err);
CORM_CHECKED corm_status engine__warn_tombstones(select_run *run, corm_error *err);

/* A modification with a timestamp of its own; one assignment. */
CORM_CHECKED corm_status engine__guard_timestamp(engine_request           *request,
                                                 const cql_checked_modify *modify,
                                                 int64_t timestamp, corm_error *err);
CORM_CHECKED corm_status engine__guard_assign(engine_request *request, const cql_assign *assign,
                                              cql_eval_env *env, corm_error *err);

#endif
