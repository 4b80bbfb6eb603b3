// SPDX-License-Identifier: MIT
/* lease.c -- one process works at a time.
 *
 * The lease is two static cells of the history's partition that the server lets expire, so that no two clocks are compared: who
 * finds none writes them by a lightweight transaction, and a number that grows with each taking (the fence) with them. A
 * thread writes them again and again while the lease is held. The holder trusts it for less time than the server keeps it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "migrate/history.h"

struct migrate_lease {
    corm_migrator  *migrator;
    int64_t         token;
    _Atomic int64_t held_from_ns; /* when the request that wrote it last was sent */
    atomic_bool     lost;
    pthread_t       thread;
    pthread_mutex_t lock; /* guards ended */
    pthread_cond_t  wake;
    bool            ended;
};

corm_status migrate__lease_lost(corm_error *err) {
    return base__fail(
        err, CORM_LEASE_LOST,
        "the lease of the migrations was lost: this process was too slow to renew it, and "
        "another one may be at work");
}

int64_t migrate__lease_token(const migrate_lease *lease) {
    return lease->token;
}

/* A clock may run a little fast: four fifths of the time are trusted. */
static int64_t trusted_ns(const corm_migrator *migrator) {
    return (int64_t)migrator->lease_s * 800 * 1000 * 1000;
}

corm_status migrate__lease_check(migrate_lease *lease, corm_error *err) {
    int64_t age = base__clock_mono_ns() - atomic_load(&lease->held_from_ns);
    if (!atomic_load(&lease->lost) && age < trusted_ns(lease->migrator)) return CORM_OK;
    return migrate__lease_lost(err);
}

/* ---- renewing ---- */

static void renew(migrate_lease *lease) {
    corm_migrator *migrator = lease->migrator;
    corm_result   *result = NULL;
    int64_t        sent = base__clock_mono_ns();
    corm_value     values[] = {
            corm_of_i32((int32_t)migrator->lease_s),
            corm_of_uuid(migrator->me),
            corm_of_str(migrator->host),
            corm_of_str(migrator->name),
            corm_of_uuid(migrator->me),
            corm_of_i64(lease->token),
    };
    corm_status status =
        migrate__ask(migrator,
                     "UPDATE corm_migrations USING TTL ? SET lease_owner = ?, lease_host = ? WHERE "
                     "name = ? IF lease_owner = ? AND lease_token = ?",
                     values, 6, CORM_QUORUM, &result, NULL);
    /* A failure is tried again in time; only an answer says that it is lost. */
    if (status == CORM_OK && corm_result_applied(result))
        atomic_store(&lease->held_from_ns, sent);
    else if (status == CORM_OK)
        atomic_store(&lease->lost, true);
    corm_result_free(result);
}

static void *keep(void *argument) {
    migrate_lease  *lease = argument;
    struct timespec until;
    pthread_mutex_lock(&lease->lock);
    while (!lease->ended && !atomic_load(&lease->lost)) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t wait_ns = (int64_t)lease->migrator->lease_s * 1000000000 / 4 + until.tv_nsec;
        until.tv_sec += (time_t)(wait_ns / 1000000000);
        until.tv_nsec = (long)(wait_ns % 1000000000);
        int why = 0;
        while (!lease->ended && why == 0)
            why = pthread_cond_timedwait(&lease->wake, &lease->lock, &until);
        if (lease->ended) break;
        pthread_mutex_unlock(&lease->lock);
        renew(lease);
        pthread_mutex_lock(&lease->lock);
    }
    pthread_mutex_unlock(&lease->lock);
    return NULL;
}

static corm_status start_thread(migrate_lease *lease, corm_error *err) {
    pthread_condattr_t attributes;
    pthread_mutex_init(&lease->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lease->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int failed = pthread_create(&lease->thread, NULL, keep, lease);
    if (!failed) return CORM_OK;
    pthread_cond_destroy(&lease->wake);
    pthread_mutex_destroy(&lease->lock);
    return base__fail_errno(err, failed, "a thread");
}

/* ---- taking ---- */

typedef struct lease_seen {
    bool      is_held;
    corm_uuid owner;
    char      host[128];
    bool      has_token;
    int64_t   token;
} lease_seen;

static corm_status look(corm_migrator *migrator, lease_seen *out, corm_error *err) {
    corm_result    *result = NULL;
    const corm_row *row;
    corm_value      name = corm_of_str(migrator->name);
    *out = (lease_seen){ 0 };
    CORM_TRY(migrate__ask(migrator,
                          "SELECT lease_owner, lease_host, lease_token FROM corm_migrations WHERE "
                          "name = ? LIMIT 1",
                          &name, 1, CORM_SERIAL, &result, err));
    row = corm_result_next(result);
    if (row) {
        corm_str host = corm_row_text(row, 1);
        out->is_held = !corm_row_is_null(row, 0);
        out->owner = corm_row_uuid(row, 0);
        snprintf(out->host, sizeof out->host, "%.*s", (int)host.len, host.data ? host.data : "");
        out->has_token = !corm_row_is_null(row, 2);
        out->token = corm_row_bigint(row, 2);
    }
    corm_result_free(result);
    return CORM_OK;
}

static corm_status try_take(corm_migrator *migrator, const lease_seen *seen, bool *taken,
                            corm_error *err) {
    corm_result *result = NULL;
    corm_value   values[] = {
          corm_of_i32((int32_t)migrator->lease_s),
          corm_of_uuid(migrator->me),
          corm_of_str(migrator->host),
          corm_of_str(migrator->name),
        seen->has_token ? corm_of_i64(seen->token) : corm_null(),
          corm_of_i64(seen->token + 1),
          corm_of_str(migrator->name),
    };
    CORM_TRY(
        migrate__ask(migrator,
                     "BEGIN BATCH UPDATE corm_migrations USING TTL ? SET lease_owner = ?, "
                     "lease_host = ? WHERE name = ? IF lease_owner = null AND lease_token = ?; "
                     "UPDATE corm_migrations SET lease_token = ? WHERE name = ?; APPLY BATCH",
                     values, 7, CORM_QUORUM, &result, err));
    *taken = corm_result_applied(result);
    corm_result_free(result);
    return CORM_OK;
}

void migrate__rest(uint32_t least_ms, uint32_t most_ms) {
    uint32_t random = 0;
    (void)base__random(&random, sizeof random);
    uint32_t        ms = least_ms + random % (most_ms - least_ms + 1);
    struct timespec wait = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&wait, NULL);
}

bool migrate__is_passing(corm_status status) {
    return status == CORM_WRITE_TIMEOUT || status == CORM_READ_TIMEOUT || status == CORM_TIMEOUT ||
           status == CORM_CAS_WRITE_UNKNOWN || status == CORM_UNAVAILABLE ||
           status == CORM_OVERLOADED || status == CORM_SERVER_ERROR;
}

static corm_status take(corm_migrator *migrator, int64_t *token, int64_t *sent, lease_seen *seen,
                        bool *taken, corm_error *err) {
    *sent = base__clock_mono_ns();
    CORM_TRY(look(migrator, seen, err));
    if (seen->is_held) {
        *taken = corm_uuid_equal(seen->owner, migrator->me);
        *token = seen->token;
        return CORM_OK;
    }
    *token = seen->token + 1;
    *sent = base__clock_mono_ns();
    return try_take(migrator, seen, taken, err);
}

static corm_status too_late(const corm_migrator *migrator, const lease_seen *seen,
                            corm_error *err) {
    return base__fail(err, CORM_TIMEOUT, "%s holds the lease of the migrations; waited %u ms",
                      seen->host[0] ? seen->host : "another process", (unsigned)migrator->wait_ms);
}

static corm_status wait_for(corm_migrator *migrator, int64_t *token, int64_t *sent,
                            corm_error *err) {
    lease_seen seen = { 0 };
    int64_t    until = base__clock_mono_ns() + (int64_t)migrator->wait_ms * 1000000;
    bool       told = false;
    for (;;) {
        bool        taken = false;
        corm_status status = take(migrator, token, sent, &seen, &taken, err);
        if (status == CORM_OK && taken) return CORM_OK;
        if (status != CORM_OK && !migrate__is_passing(status)) return status;
        if (base__clock_mono_ns() > until)
            return status == CORM_OK ? too_late(migrator, &seen, err) : status;
        if (!told && seen.is_held)
            migrate__notice(migrator, "waiting for %s, which holds the lease", seen.host);
        told = told || seen.is_held;
        migrate__rest(50, 250);
    }
}

corm_status migrate__lease_take(corm_migrator *migrator, migrate_lease **out, corm_error *err) {
    migrate_lease *lease = calloc(1, sizeof *lease);
    int64_t        sent = 0;
    *out = NULL;
    if (!lease) return base__fail_memory(err);
    lease->migrator = migrator;
    corm_status status = wait_for(migrator, &lease->token, &sent, err);
    atomic_store(&lease->held_from_ns, sent);
    if (status == CORM_OK) status = start_thread(lease, err);
    if (status == CORM_OK)
        *out = lease;
    else
        free(lease);
    return status;
}

void migrate__lease_give(migrate_lease *lease) {
    if (!lease) return;
    pthread_mutex_lock(&lease->lock);
    lease->ended = true;
    pthread_cond_signal(&lease->wake);
    pthread_mutex_unlock(&lease->lock);
    pthread_join(lease->thread, NULL);
    corm_value  values[] = { corm_of_str(lease->migrator->name), corm_of_uuid(lease->migrator->me),
                             corm_of_i64(lease->token) };
    corm_status status =
        migrate__ask(lease->migrator,
                     "DELETE lease_owner, lease_host FROM corm_migrations WHERE name = ? IF "
                     "lease_owner = ? AND lease_token = ?",
                     values, 3, CORM_QUORUM, NULL, NULL);
    (void)status; /* should it fail, the lease ends by itself */
    pthread_cond_destroy(&lease->wake);
    pthread_mutex_destroy(&lease->lock);
    free(lease);
}
