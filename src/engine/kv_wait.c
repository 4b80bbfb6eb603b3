// SPDX-License-Identifier: MIT
/* kv_wait.c -- waiting for commits without holding a snapshot.
 *
 * Who waits says so in `waiting` first and then looks at `wakes`; who wakes counts in `wakes` first and then looks at `waiting`. So a
 * wake either is seen or wakes. Other processes cannot wake: their commits are looked
 * for in slices of time, which costs a look at LMDB's meta page each. Thread: any. */
#include "engine/kv_internal.h"

#include <time.h>

static const int64_t slice_ns = 20000000;

corm_status kv__wait_init(kv_store *store, corm_error *err) {
    pthread_condattr_t how;
    if (pthread_condattr_init(&how) != 0) return base__fail_memory(err);
    int number = pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    if (number == 0) number = pthread_cond_init(&store->wait_over, &how);
    pthread_condattr_destroy(&how);
    if (number != 0) return base__fail_memory(err);
    pthread_mutex_init(&store->wait_lock, NULL);
    return CORM_OK;
}

void kv__wait_free(kv_store *store) {
    pthread_cond_destroy(&store->wait_over);
    pthread_mutex_destroy(&store->wait_lock);
}

void kv__wake(kv_store *store) {
    atomic_fetch_add(&store->wakes, 1);
    if (atomic_load(&store->waiting) == 0) return;
    pthread_mutex_lock(&store->wait_lock);
    pthread_cond_broadcast(&store->wait_over);
    pthread_mutex_unlock(&store->wait_lock);
}

static int last_commit(kv_store *store, uint64_t *number) {
    MDB_envinfo info;
    pthread_mutex_lock(&store->gate_lock); /* the meta pages are in the map */
    int status = mdb_env_info(store->env, &info);
    pthread_mutex_unlock(&store->gate_lock);
    if (status == 0) *number = (uint64_t)info.me_last_txnid;
    return status;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t kv__wakes(const kv_store *store) {
    return atomic_load(&store->wakes);
}

/* The lock is held. */
static void wait_slice(kv_store *store, int64_t until) {
    struct timespec at = { (time_t)(until / 1000000000), (long)(until % 1000000000) };
    pthread_cond_timedwait(&store->wait_over, &store->wait_lock, &at);
}

static int wait_locked(kv_store *store, uint64_t since, uint64_t wakes, int64_t until,
                       uint64_t *number) {
    for (;;) {
        int     status = last_commit(store, number);
        int64_t now = now_ns();
        if (status != 0 || *number > since || kv__wakes(store) != wakes || now >= until)
            return status;
        wait_slice(store, until - now < slice_ns ? until : now + slice_ns);
    }
}

corm_status kv__wait(kv_store *store, uint64_t since, uint64_t wakes, int64_t timeout_ns,
                     uint64_t *number, corm_error *err) {
    CORM_TRY(kv__check_process(store, err));
    int64_t now = now_ns();
    int64_t until = timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
    atomic_fetch_add(&store->waiting, 1);
    pthread_mutex_lock(&store->wait_lock);
    int status = wait_locked(store, since, wakes, until, number);
    pthread_mutex_unlock(&store->wait_lock);
    atomic_fetch_sub(&store->waiting, 1);
    return status == 0 ? CORM_OK : kv__fail(err, status, "the store cannot be read");
}
