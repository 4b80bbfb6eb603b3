// SPDX-License-Identifier: MIT
/* hook_run.c -- an operation's way through its chain: before functions in order, after functions in reverse, functions that need
 * time, functions that call the mapper themselves.
 *
 *   function ─► corm_hook_later ─► returns ─► the caller waits ◄─ corm_hook_done   any thread
 *
 * A ticket has two references: of who waits, and of who finishes. Any thread; a run belongs to its caller's. */
#include "orm/hook.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { DEFAULT_TIMEOUT_MS = 10000 };

struct corm_hook_ticket {
    atomic_uint     refs;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t  ended;
    corm_hook_call *call;
    bool            held, done, late;
    corm_status     status;
    corm_error      error;
};

static _Thread_local uint32_t  depth; /* functions on this thread's stack */
static _Thread_local corm_path path;

corm_path orm__path_enter(corm_path next) {
    corm_path before = path;
    path = next;
    return before;
}

/* ---- tickets ---- */

static bool init_ticket(corm_hook_ticket *ticket) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool made = pthread_cond_init(&ticket->ended, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made) pthread_mutex_init(&ticket->lock, NULL);
    return made;
}

static void unref_ticket(corm_hook_ticket *ticket) {
    if (atomic_fetch_sub(&ticket->refs, 1) != 1) return;
    pthread_cond_destroy(&ticket->ended);
    pthread_mutex_destroy(&ticket->lock);
    free(ticket);
}

corm_hook_ticket *corm_hook_later(corm_hook_call *call) {
    orm_hook_run *run = (orm_hook_run *)call;
    if (run->cannot_wait || run->ticket) return NULL;
    corm_hook_ticket *ticket = calloc(1, sizeof *ticket);
    if (!ticket || !init_ticket(ticket)) {
        free(ticket);
        return NULL;
    }
    atomic_init(&ticket->refs, 2);
    ticket->call = call;
    run->ticket = ticket;
    return ticket;
}

corm_hook_call *corm_hook_hold(corm_hook_ticket *ticket) {
    pthread_mutex_lock(&ticket->lock);
    ticket->held = !ticket->late;
    corm_hook_call *call = ticket->held ? ticket->call : NULL;
    pthread_mutex_unlock(&ticket->lock);
    return call;
}

void corm_hook_done(corm_hook_ticket *ticket, corm_status status, const corm_error *error) {
    pthread_mutex_lock(&ticket->lock);
    ticket->done = true;
    ticket->status = status;
    if (error) ticket->error = *error;
    pthread_cond_signal(&ticket->ended);
    pthread_mutex_unlock(&ticket->lock);
    unref_ticket(ticket);
}

static struct timespec in_ms(uint32_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Under the lock. Who holds the call is waited for without a deadline. */
static void wait_until_done(corm_hook_ticket *ticket, const struct timespec *deadline) {
    int result = 0;
    while (!ticket->done && (ticket->held || result != ETIMEDOUT)) {
        result = ticket->held ? pthread_cond_wait(&ticket->ended, &ticket->lock)
                              : pthread_cond_timedwait(&ticket->ended, &ticket->lock, deadline);
    }
    ticket->late = !ticket->done;
}

static corm_status wait_for(corm_hook_ticket *ticket, const corm_model_hook *hook,
                            corm_error *err) {
    uint32_t        ms = hook->timeout_ms ? hook->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct timespec deadline = in_ms(ms);
    pthread_mutex_lock(&ticket->lock);
    wait_until_done(ticket, &deadline);
    corm_status status = ticket->status;
    if (ticket->late) {
        status =
            base__fail(err, CORM_TIMEOUT, "hook '%s' did not end within %u ms", hook->name, ms);
    } else if (status != CORM_OK) {
        *err = ticket->error;
    }
    pthread_mutex_unlock(&ticket->lock);
    return status;
}

/* A function that fails although it is late is not waited for. */
static void let_go(corm_hook_ticket *ticket) {
    pthread_mutex_lock(&ticket->lock);
    while (ticket->held && !ticket->done) pthread_cond_wait(&ticket->ended, &ticket->lock);
    ticket->late = !ticket->done;
    pthread_mutex_unlock(&ticket->lock);
}

/* ---- one function ---- */

static corm_status call_function(orm_hook_run *run, const corm_model_hook *hook,
                                 corm_hook_function function, corm_error *err) {
    corm_path before = orm__path_enter(CORM_PATH_HOOK);
    run->ticket = NULL;
    depth++;
    corm_status status = function(&run->call, hook->context, err);
    depth--;
    orm__path_enter(before);
    if (!run->ticket) return status;
    if (status == CORM_OK) {
        status = wait_for(run->ticket, hook, err);
    } else {
        let_go(run->ticket);
    }
    unref_ticket(run->ticket);
    run->ticket = NULL;
    return status;
}

/* What tells whether it is filled; all of it is a kilobyte. */
static void clear(corm_error *err) {
    err->status = CORM_OK;
    err->line = err->column = 0;
    err->keyspace[0] = err->table[0] = err->message[0] = '\0';
}

/* A refusal without words gets some. */
static corm_status call_hook(orm_hook_run *run, uint32_t index, bool after, corm_error *err) {
    const corm_model_hook *hook = &run->chain->entries[index]->hook;
    corm_hook_function     function = after ? hook->after : hook->before;
    if (!function || !(hook->on & (uint32_t)run->call.action)) return CORM_OK;
    clear(err);
    run->call.data = run->data[index];
    corm_status status = call_function(run, hook, function, err);
    run->data[index] = run->call.data;
    if (status == CORM_OK) return CORM_OK;
    err->status = status;
    if (err->message[0]) return status;
    return base__fail(err, status, "model '%s': hook '%s' %s", run->call.model->table, hook->name,
                      after ? "failed" : "refused");
}

/* ---- the chain ---- */

bool orm__hooks_on(const orm_model *model, uint32_t actions) {
    orm_chain *chain = orm__chain_take((orm_model *)(uintptr_t)model);
    bool       any = chain && chain->actions & actions;
    orm__chain_give(chain);
    return any;
}

static corm_status check_depth(const corm_model *model, corm_error *err) {
    if (depth < ORM_MOST_HOOK_DEPTH) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "model '%s': hooks call the mapper, which calls hooks, %d deep", model->table,
                      ORM_MOST_HOOK_DEPTH);
}

static corm_status open_run(orm_hook_run *run, orm_chain *chain, corm_error *err) {
    run->data = run->few;
    if (chain->count <= ORM_FEW_HOOKS) return CORM_OK;
    run->data = calloc(chain->count, sizeof *run->data);
    return run->data ? CORM_OK : base__fail_memory(err);
}

corm_status orm__hooks_open(orm_model *model, corm_action action, orm_hook_run *run, bool *opened,
                            corm_error *err) {
    *opened = false;
    *run = (orm_hook_run){ 0 };
    orm_chain *chain = orm__chain_take(model);
    if (!chain || !(chain->actions & (uint32_t)action)) {
        orm__chain_give(chain);
        return CORM_OK;
    }
    corm_status status = check_depth(model->spec, err);
    if (status == CORM_OK) status = open_run(run, chain, err);
    if (status != CORM_OK) {
        orm__chain_give(chain);
        return status;
    }
    run->chain = chain;
    run->call.db = model->db;
    run->call.model = model->spec;
    run->call.action = action;
    run->call.path = path;
    run->call.depth = depth + 1;
    *opened = true;
    return CORM_OK;
}

corm_status orm__hooks_before(orm_hook_run *run, corm_error *err) {
    for (; run->begun < run->chain->count; run->begun++) {
        CORM_TRY(call_hook(run, run->begun, false, err));
    }
    return CORM_OK;
}

static bool stays(corm_action action) {
    return (action & (CORM_ON_WRITE | CORM_ON_BATCH | CORM_ON_DELETE_WHERE)) != 0;
}

/* Of a write: it was done, which no other status says. */
static corm_status failed_behind(const orm_hook_run *run, corm_status status, const corm_error *own,
                                 corm_error *err) {
    if (!stays(run->call.action)) {
        *err = *own;
        return status;
    }
    return base__fail(err, CORM_HOOK_FAILED, "model '%s': the %s was done, but behind it: %s",
                      run->call.model->table, corm_action_name(run->call.action), own->message);
}

static void close_run(orm_hook_run *run) {
    if (run->data != run->few) free(run->data);
    orm__chain_give(run->chain);
    run->chain = NULL;
}

corm_status orm__hooks_after(orm_hook_run *run, corm_status status, corm_error *err) {
    corm_error own, first;
    first.status = CORM_OK;
    run->call.is_after = true;
    run->call.status = status;
    run->call.error = status == CORM_OK ? NULL : err;
    while (run->begun > 0) {
        corm_status after = call_hook(run, --run->begun, true, &own);
        if (after != CORM_OK && first.status == CORM_OK) first = own;
    }
    if (status == CORM_OK && first.status != CORM_OK) {
        status = failed_behind(run, first.status, &first, err);
    }
    close_run(run);
    return status;
}
