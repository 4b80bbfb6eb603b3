// SPDX-License-Identifier: MIT
/* engine.h -- the embedded CQL store: requests in, answers out, both in the native protocol's encoding.
 *
 * Threads: every function may be called from any thread. Reads run on the caller's thread over a snapshot, without a
 * lock. Writes queue; the first waiting writer executes and commits for all behind it (group commit). Several
 * processes may open the same folder. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdatomic.h>

#include "wire/result.h"

typedef struct engine engine;

typedef enum engine_durability {
    ENGINE_DURABLE, /* a write is on disk when it is acknowledged */
    ENGINE_RELAXED, /* the operating system writes when it likes: a crash of the machine may lose the last writes, and more where
                     * the file system reorders them, so the store is then checked when it is opened; a crash of the
                     * process loses nothing */
} engine_durability;

/* Zero means default. */
typedef struct engine_options {
    const char       *path;       /* the folder; made when missing. NULL: memory, gone at close */
    engine_durability durability; /* default: ENGINE_DURABLE; memory: relaxed */
    bool              read_only;
    bool              must_exist;  /* CORM_NOT_FOUND instead of making the folder */
    uint64_t          map_bytes;   /* address space to begin with; grows. default: 64 GiB */
    uint32_t          max_readers; /* default: 512 */
    int64_t (*now_us)(void);       /* default: the wall clock; for tests */
    const char *
        guard_rails; /* "name=value" by commas or lines: see cql/guard.h. NULL: the server's defaults */
} engine_options;

/* On success *out is released by engine__close(). CORM_INVALID_ARGUMENT: the guard rails; CORM_VERSION: another format; CORM_CORRUPT: damaged; CORM_DISK_FULL;
 * CORM_IO. Nothing is changed on failure. */
CORM_CHECKED corm_status engine__open(const engine_options *options, engine **out, corm_error *err);

/* Waits for writes in flight. NULL is ignored. No other call may be under way. */
void engine__close(engine *store);

/* A client's state: its keyspace, and where it reached this node, which system.local says. */
typedef struct engine_client {
    char      keyspace[49]; /* empty: none. USE changes it */
    corm_inet address;      /* length 0: 127.0.0.1, and port 9042 */
    uint16_t  port;
    /* Who asks, and what is allowed follows from; data NULL: the program that has the store open, or a server without
     * authentication: everything is allowed. Borrowed; must live as long as the request. */
    corm_str role;
    /* Where it comes from; length 0: this process. */
    corm_inet peer;
    uint16_t  peer_port;
} engine_client;

/* Executes QUERY, EXECUTE, PREPARE or BATCH and fills *answer (empty before). On CORM_OK body holds a RESULT body
 * of version WIRE_VERSION. Blocks until the answer is there; a write until it is committed. */
CORM_CHECKED corm_status engine__execute(engine *store, engine_client *client,
                                         const wire_request *request, wire_answer *answer,
                                         corm_error *err);

/* The same without blocking, for writes: the callback runs on the engine's writer thread when the commit is done. Reads, and
 * requests that fail before they queue, are answered before this returns, on the caller's thread. `request`, `client` and what they borrow, and `answer`,
 * must live until then. */
typedef void (*engine_callback)(void *context, corm_status status, wire_answer *answer,
                                const corm_error *err);
void engine__submit(engine *store, engine_client *client, const wire_request *request,
                    wire_answer *answer, engine_callback callback, void *context);

/* Prepared statements: PREPARE puts one into answer->prepared with one reference. It is re-checked by itself when the
 * schema changed; its result metadata may then differ (METADATA_CHANGED). */
const wire_prepared *engine__prepared_ref(const wire_prepared *prepared);
void                 engine__prepared_unref(const wire_prepared *prepared);

/* Whether it reads one row by its whole key: an answer that is soon there. */
bool engine__prepared_is_point(const wire_prepared *prepared);
/* Whether engine__submit leaves it to the writer thread. */
bool engine__prepared_is_write(const wire_prepared *prepared);

/* ---- for system_views: what a server tells of itself ---- */

/* A client that is connected. Who adds it owns it, and may count its requests on one thread; else it is changed by the functions
 * below. */
typedef struct engine_visitor engine_visitor;
struct engine_visitor {
    engine_visitor  *next, **link; /* the store's; link NULL: it is not there */
    _Atomic uint64_t requests;
    corm_inet        address;
    uint16_t         port;
    uint8_t          version;                  /* of the protocol */
    const char      *tls_cipher, *tls_version; /* NULL: plain */
    corm_bytes       startup; /* the body of its STARTUP; data NULL: too long to be kept */
    corm_str         role;    /* data NULL: everybody may do everything */
    char             keyspace[49];
};
void engine__visitor_add(engine *store, engine_visitor *visitor);
void engine__visitor_uses(engine *store, engine_visitor *visitor, const char *keyspace);
/* One that is not there is ignored. */
void engine__visitor_remove(engine *store, engine_visitor *visitor);

/* Whoever keeps prepared statements for clients has forgotten one to make room: for system_views.cql_metrics. */
void engine__prepared_evicted(engine *store);

/* ---- roles: system_auth ---- */

/* Whether this is the password of a role that may log in: CORM_BAD_CREDENTIALS with the server's words when not. Slow on
 * purpose (bcrypt): for threads that nobody waits for. */
CORM_CHECKED corm_status engine__login(engine *store, corm_str name, corm_str password,
                                       corm_error *err);
/* Whether anybody could log in who may all. */
CORM_CHECKED corm_status engine__has_superuser(engine *store, bool *out, corm_error *err);
/* Makes the role, or makes an old one, a superuser who logs in with this password. Nothing is written when it is so already. */
CORM_CHECKED corm_status engine__put_superuser(engine *store, corm_str name, corm_str password,
                                               corm_error *err);
/* bcrypt's cost of passwords from now on, 4 to 31; 10 is usual. For tests. */
void engine__set_password_cost(engine *store, int cost);

/* The schema now: one reference for the caller. For DESCRIBE, completion and the mapper. */
cql_schema *engine__schema(engine *store);

/* Reclaims what expired or was deleted, up to `budget` entries (0: all that is due); how many were. Writers do some of it
 * by the way. */
CORM_CHECKED corm_status engine__reclaim(engine *store, uint64_t budget, uint64_t *reclaimed,
                                         corm_error *err);

/* Puts everything on disk now (for ENGINE_RELAXED). */
CORM_CHECKED corm_status engine__sync(engine *store, corm_error *err);

/* Checks that indexes agree with tables and every stored row can be read; CORM_CORRUPT names the first fault. */
CORM_CHECKED corm_status engine__verify(engine *store, corm_error *err);

typedef struct engine_stats {
    uint64_t reads, writes, commits, reclaimed; /* since open, in this process */
    uint64_t used_bytes, map_bytes;
} engine_stats;
void engine__stats(engine *store, engine_stats *out);

#endif
