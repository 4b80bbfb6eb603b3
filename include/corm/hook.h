// SPDX-License-Identifier: MIT
/* hook.h -- functions that are called before and after what the mapper does with the rows of a model.
 *
 *   static corm_status lower(corm_hook_call *call, void *context, corm_error *err) {
 *       user *u = call->row;
 *       …                                  // change the row, or refuse: return a status and fill in *err
 *       return CORM_OK;
 *   }
 *   static const corm_model_hook user_hooks[] = { { .name = "lower", .on = CORM_ON_WRITE, .before = lower }, { 0 } };
 *   static const corm_model users = { .table = "users", …, .hooks = user_hooks };
 *
 * Every path runs the same chain: single calls, batches, bulk writers, relations, cascades, delete_where, changes of collections.
 *
 * Before functions are called in the order of `.order`, then of their being added (a model's own first); after functions in
 * reverse. A before function that fails refuses: nothing is done, the call returns its status, and only the after functions of the
 * hooks before it are called. Of a write that was done and whose after function fails the call returns CORM_HOOK_FAILED: the write
 * stays. Of a read, or a validation, it returns the function's own status.
 *
 * Functions run on the caller's thread; the after functions of a batch that is not waited for on the thread of its callback. */
#ifndef CORM_HOOK_H
#define CORM_HOOK_H

#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is done. */
typedef enum corm_action {
    CORM_ON_INSERT = 1 << 0,
    CORM_ON_SAVE = 1 << 1,
    CORM_ON_UPDATE = 1 << 2,
    CORM_ON_UPSERT = 1 << 3,
    CORM_ON_DELETE = 1 << 4, /* also one that only sets the CORM_DELETED_AT column */
    CORM_ON_RESTORE = 1 << 5,
    CORM_ON_VALIDATE =
        1 << 6,             /* inside a write, behind its generated members; and corm_validate() */
    CORM_ON_FIND = 1 << 7,  /* each page has an after call of its own */
    CORM_ON_COUNT = 1 << 8, /* and corm_exists() */
    CORM_ON_QUERY = 1 << 9, /* corm_query() */
    CORM_ON_DELETE_WHERE =
        1 << 10,             /* the call as a whole; each row has CORM_ON_DELETE of its own */
    CORM_ON_BATCH = 1 << 11, /* the run of a batch that has rows of the model */
    CORM_ON_WRITE = (1 << 6) - 1,
    CORM_ON_READ = CORM_ON_FIND | CORM_ON_COUNT | CORM_ON_QUERY,
    CORM_ON_ANY = (1 << 12) - 1
} corm_action;

/* Which way it came. */
typedef enum corm_path {
    CORM_PATH_CALL = 0, /* the program called corm_insert, corm_find … */
    CORM_PATH_BATCH,
    CORM_PATH_BULK,
    CORM_PATH_RELATION,
    CORM_PATH_CASCADE, /* by an on_delete */
    CORM_PATH_DELETE_WHERE,
    CORM_PATH_COLLECTION, /* a change of a collection */
    CORM_PATH_IMPORT,
    CORM_PATH_HOOK /* a hook's function called it */
} corm_path;

/* "insert", "delete where"; "call", "batch" … Never NULL. */
CORM_API const char *corm_action_name(corm_action action);
CORM_API const char *corm_path_name(corm_path path);

/* What a function sees, valid until it returns (see corm_hook_later). What it may change says so. */
typedef struct corm_hook_call {
    corm_db          *db; /* NULL: corm_validate() */
    const corm_model *model;
    corm_action       action;
    corm_path         path;
    bool              is_after;
    uint32_t          depth; /* 1; 2 when a hook's function made the call; at most 8 */
    /* The row that is written or validated, else NULL. A before function may change it, except of a delete and of
     * corm_validate(). After functions of a batch see a copy. */
    void *row;
    /* Copies of the call's options, NULL where they do not belong to it; before functions may change them, and what they point
     * to then must live until the call returns (of a batch: until the function does). */
    corm_write_options *write;
    corm_find_options  *find;   /* find, count, delete_where: also its conditions */
    const char         *cql;    /* query: may be replaced */
    corm_batch         *batch;  /* batch; and a write that is added to one */
    corm_rows          *rows;   /* after a find or a query that succeeded */
    uint64_t            count;  /* after a count; of a batch: its rows of this model */
    corm_status         status; /* after: what became of it */
    const corm_error   *error;  /* after a failure */
    void *data; /* what the hook's before function leaves here its after function finds */
} corm_hook_call;

/* `err` is never NULL. */
typedef corm_status (*corm_hook_function)(corm_hook_call *call, void *context, corm_error *err);

struct corm_model_hook {
    const char *name; /* said in messages; of added ones it names them. */
    uint32_t    on;   /* corm_actions. default: all but CORM_ON_BATCH and CORM_ON_DELETE_WHERE */
    corm_hook_function before, after; /* either may be NULL */
    int32_t            order;         /* smaller: earlier before, and later after */
    uint32_t           timeout_ms;    /* how long a function may be late. default: 10000 */
    void              *context;
    void (*release)(void *context); /* of an added hook: nobody calls it any more. May be NULL */
};

/* Adds a hook to a model, or to all that the db has loaded or will load (model NULL). The hook and its name are copied. Calls that
 * have begun do not see it. CORM_ALREADY_EXISTS: there is one with this name for this model (or for all). */
CORM_API CORM_CHECKED corm_status corm_hook_add(corm_db *db, const corm_model *model,
                                                const corm_model_hook *hook, corm_error *err);
/* Calls that have begun may still call it, until .release is called. CORM_NOT_FOUND: none was added with this name. */
CORM_API CORM_CHECKED corm_status corm_hook_remove(corm_db *db, const corm_model *model,
                                                   const char *name, corm_error *err);

/* ---- functions that need time ---- */

typedef struct corm_hook_ticket corm_hook_ticket;

/* Inside a hook's function, which then returns CORM_OK: it is done when corm_hook_done() is called, from any thread. The call
 * waits meanwhile, at most .timeout_ms, and then fails with CORM_TIMEOUT as if the function had. NULL: memory is exhausted, or
 * nobody can wait here (behind a batch that is not waited for). */
CORM_API corm_hook_ticket *corm_hook_later(corm_hook_call *call);
/* The call, to look at it or change it; it then waits for corm_hook_done() however long that takes. NULL when it is too late. */
CORM_API corm_hook_call *corm_hook_hold(corm_hook_ticket *ticket);
/* Ends it and frees the ticket, also when it is too late. `error` may be NULL. */
CORM_API void corm_hook_done(corm_hook_ticket *ticket, corm_status status, const corm_error *error);

#ifdef __cplusplus
}
#endif
#endif
