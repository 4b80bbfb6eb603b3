// SPDX-License-Identifier: MIT
/* calm_for_tests.h -- a mapper over an embedded store in which memory never fails, so that a test makes it fail above only. */
#ifndef CALM_FOR_TESTS_H
#define CALM_FOR_TESTS_H

#include <stdlib.h>

#include "orm/core.h"
#include "orm/orm_for_tests.h"
#include "testing/memory.h"

typedef struct calm_door {
    session_door  door; /* first */
    session_door *inner;
} calm_door;

static session_door_ops calm_ops;

static inline corm_status calm_execute(session_door *door, corm_str keyspace,
                                       const wire_request *request, wire_answer *answer,
                                       corm_error *err) {
    session_door *inner = ((calm_door *)door)->inner;
    testing__memory_pause();
    corm_status status = inner->ops->execute(inner, keyspace, request, answer, err);
    testing__memory_resume();
    return status;
}

static inline void calm_close(session_door *door) {
    session_door *inner = ((calm_door *)door)->inner;
    inner->ops->close(inner);
    free(door);
}

static inline corm_db *open_calm(void) {
    corm_error           err = { 0 };
    corm_session_options options = { .keyspace = "shop", .create_keyspace = true };
    corm_session        *session;
    corm_db             *db;
    calm_door           *d = calloc(1, sizeof *d);
    assert_non_null(d);
    assert_ok(session__open_embedded(NULL, &options, &d->inner, &err), err);
    calm_ops = *d->inner->ops;
    calm_ops.execute = calm_execute;
    calm_ops.close = calm_close;
    calm_ops.schema = NULL;
    d->door.ops = &calm_ops;
    assert_ok(session__open_door(&d->door, &options, &session, &err), err);
    assert_ok(orm__db_over(session, &(corm_db_options){ .unique_lease_ms = 1000 }, &db, &err), err);
    return db;
}

#endif
