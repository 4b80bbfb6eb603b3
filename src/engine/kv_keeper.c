// SPDX-License-Identifier: MIT
/* kv_keeper.c -- a thread of each store that logs: it makes the checkpoint that is soon due before a writer must, most of it without
 * the write lock; and when nobody has written for some seconds it puts the log to rest, so that this process keeps no old pages
 * from being used again and the folder is whole without its log.
 *
 * It begins with the first checkpoint of the process, sleeps while the log rests, and ends with the store. */
#include <signal.h>
#include <time.h>

#include "engine/kv_internal.h"

enum { TICK_S = 1, QUIET_TICKS = 3 };

int kv__keeper_init(kv_store *store) {
    kv_log            *log = &store->log;
    pthread_condattr_t how;
    int                number = pthread_condattr_init(&how);
    if (number != 0) return number;
    number = pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    if (number == 0) number = pthread_cond_init(&log->keeper_wake, &how);
    pthread_condattr_destroy(&how);
    if (number == 0) number = pthread_mutex_init(&log->keeper_lock, NULL);
    log->can_keep = number == 0;
    return number;
}

/* The lock is held. */
static void wait_a_tick(kv_log *log) {
    struct timespec until;
    if (!log->is_active) {
        pthread_cond_wait(&log->keeper_wake, &log->keeper_lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_S;
    pthread_cond_timedwait(&log->keeper_wake, &log->keeper_lock, &until);
}

/* The lock is held, and released while it works. */
static void rest(kv_store *store) {
    kv_log *log = &store->log;
    log->is_active = false;
    pthread_mutex_unlock(&log->keeper_lock);
    (void)!kv__checkpoint(store, false, NULL);
    pthread_mutex_lock(&log->keeper_lock);
}

static void *keep(void *context) {
    kv_store *store = context;
    kv_log   *log = &store->log;
    uint64_t  seen = 0;
    int       quiet = 0;
    pthread_mutex_lock(&log->keeper_lock);
    while (!log->stopping) {
        wait_a_tick(log);
        if (log->stopping || atomic_load(&log->failed)) continue;
        uint64_t commits = atomic_load(&log->commits);
        quiet = commits == seen ? quiet + 1 : 0;
        seen = commits;
        if (log->is_wanted) {
            pthread_mutex_unlock(&log->keeper_lock);
            /* When it fails, a writer will find it due, and tell why not. */
            (void)!kv__checkpoint_slowly(store, NULL);
            pthread_mutex_lock(&log->keeper_lock);
            log->is_wanted = false;
        } else if (log->is_active && quiet >= QUIET_TICKS) {
            quiet = 0;
            rest(store);
        }
    }
    pthread_mutex_unlock(&log->keeper_lock);
    return NULL;
}

/* Without a keeper writers do it themselves, and the log rests when the store is closed. */
static bool start(kv_store *store) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&store->log.keeper, NULL, keep, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number == 0;
}

void kv__keeper_start(kv_store *store) {
    kv_log *log = &store->log;
    pthread_mutex_lock(&log->keeper_lock);
    if (!log->has_keeper && !log->stopping) log->has_keeper = start(store);
    if (!log->is_active) pthread_cond_signal(&log->keeper_wake);
    log->is_active = true;
    pthread_mutex_unlock(&log->keeper_lock);
}

void kv__keeper_want(kv_store *store) {
    kv_log *log = &store->log;
    pthread_mutex_lock(&log->keeper_lock);
    if (!log->is_wanted && log->has_keeper) {
        log->is_wanted = true;
        pthread_cond_signal(&log->keeper_wake);
    }
    pthread_mutex_unlock(&log->keeper_lock);
}

void kv__keeper_stop(kv_store *store) {
    kv_log *log = &store->log;
    if (!log->can_keep) return;
    pthread_mutex_lock(&log->keeper_lock);
    log->stopping = true;
    pthread_cond_signal(&log->keeper_wake);
    bool has_keeper = log->has_keeper;
    pthread_mutex_unlock(&log->keeper_lock);
    if (has_keeper) pthread_join(log->keeper, NULL);
    pthread_cond_destroy(&log->keeper_wake);
    pthread_mutex_destroy(&log->keeper_lock);
}
