// SPDX-License-Identifier: MIT
/* front.h -- a door that stands in front of another session's: every request and every PREPARE goes past its owner's functions,
 * which may change it, refuse it, or answer it, and see what became of it. Middleware and tenants are such doors.
 *
 *   corm_session ─► session_front ─► begin ─► the door of `behind` ─► end ─► the caller
 *
 * A front counts each of its requests as one of `behind`, so that closing that waits for them; afterwards the front answers
 * CORM_CLOSED. Either of the two may be closed first. */
#ifndef SESSION_FRONT_H
#define SESSION_FRONT_H

#include "session/core.h"

typedef struct session_front      session_front;
typedef struct session_front_call session_front_call;

/* A statement that was prepared through a front: what a wire_prepared of its door is. Immutable but for `own`. It may outlive
 * the front. */
typedef struct session_front_prepared {
    atomic_uint          refs;
    base_arena           arena;
    corm_str             keyspace, text; /* as they came, before `begin` changed them */
    const wire_prepared *behind;         /* one reference */
    void (*unref)(const wire_prepared *behind);
    void *own; /* the owner's, put there by `end` of the PREPARE */
    void (*own_free)(void *own);
} session_front_prepared;

/* A request on its way. */
struct session_front_call {
    session_front *front;
    corm_str       keyspace; /* for names without one; may be changed */
    wire_request
                            request; /* a copy that may be changed; its parts are the caller's, or in the arena. Its statements are
                              * the front's, until it has gone on */
    wire_answer            *answer;
    session_front_prepared *made;  /* in `end` of a PREPARE that succeeded */
    base_arena              arena; /* of this request */
    int64_t                 began_ns;
    bool                    asynchronous; /* it was submitted */
    void                   *own;          /* the owner's; NULL at first */
    /* front.c */
    session_front_call   *next, **link; /* in front->under_way */
    atomic_uint           refs;
    corm_status           status;
    corm_error            error;
    session_door_callback callback;
    void                 *context;
    base_job              job;
};

typedef struct session_front_ops {
    /* Before it goes on. CORM_OK: on it goes, or, with *answered, *call->answer is what it is answered. Any other status is its
     * answer. NULL: nothing. */
    corm_status (*begin)(session_front_call *call, bool *answered, corm_error *err);
    /* Afterwards, whatever `begin` said: the status that the caller sees. *err is filled when `status` is no success, and to be
     * filled when the returned one is none. NULL: `status`. */
    corm_status (*end)(session_front_call *call, corm_status status, corm_error *err);
    /* Frees what the owner's struct holds, and the struct. NULL: free(). */
    void (*close)(session_front *front);
    bool end_may_block; /* `end` never runs on a thread of the store's */
} session_front_ops;

/* Embedded first in the owner's own struct, which malloc made. */
struct session_front {
    session_door             door; /* first */
    session_door_ops         ops;  /* of `door` */
    const session_front_ops *own;
    corm_session            *behind;      /* one reference */
    bool                     owns_behind; /* closing the front closes it: for the owner to set */
    pthread_mutex_t          lock;        /* guards `under_way` */
    session_front_call      *under_way;   /* submitted */
};

/* Stands `front` in front of the session's door. */
void session__front_init(session_front *front, corm_session *behind, const session_front_ops *own);

/* The session over it; takes the front over, also on failure. What the options (may be NULL) leave out is as it is behind: the
 * keyspace, the consistency, the size of pages, the number of workers; but not the key of page tokens. */
CORM_CHECKED corm_status session__front_open(session_front              *front,
                                             const corm_session_options *options,
                                             corm_session **out, corm_error *err);

/* The .close of every front's door. */
void session__front_close(session_door *door);

/* The front's statement of a request that has not gone on. */
static inline session_front_prepared *session__front_prepared(const wire_prepared *wire) {
    return (session_front_prepared *)(uintptr_t)wire;
}

#endif
