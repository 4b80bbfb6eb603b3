// SPDX-License-Identifier: MIT
/* feed_ahead.c -- a change of the feed that is asked for without waiting.
 *
 *   corm_feed_next_async ─ task ─► the feed's thread: waits in the store ─► callback ─► waits to be asked again
 *
 * A wait may last for ever, so it has a thread of its own, made by the first such call and joined when the feed is closed; the
 * session's workers are free for others. Whoever has the feed (the one that asked, or the thread until its callback has
 * returned) alone touches the batch. */
#include "session/feed.h"

#include "base/fail.h"

void session__feed_ahead_init(corm_feed *feed) {
    pthread_mutex_init(&feed->ahead.lock, NULL);
    pthread_cond_init(&feed->ahead.changed, NULL);
}

/* ---- the thread ---- */

typedef struct told {
    corm_feed         *feed; /* NULL: the thread did not take the task up */
    corm_feed_callback callback;
    void              *context;
    corm_status        status;
    const corm_change *change;
    const corm_error  *error;
} told;

/* The feed is free before the task has ended, for whoever waits for that. */
static void tell(void *context) {
    const told *what = context;
    if (what->callback)
        what->callback(what->context, what->status, what->change,
                       what->status == CORM_OK ? NULL : what->error);
    if (!what->feed) return;
    pthread_mutex_lock(&what->feed->ahead.lock);
    what->feed->ahead.is_busy = false;
    pthread_mutex_unlock(&what->feed->ahead.lock);
}

static void run(corm_feed *feed, corm_task *task, uint32_t timeout_ms, told *what) {
    corm_error err = { 0 };
    what->error = &err;
    what->status =
        session__feed_wait(feed, timeout_ms, what->callback != NULL, task, &what->change, &err);
    session__task_end(task, what->status, &err, tell, what);
}

/* The lock is held, and released while somebody is called back. */
static void take_up(corm_feed *feed) {
    session_feed_ahead *ahead = &feed->ahead;
    corm_task          *task = ahead->task;
    uint32_t            timeout_ms = ahead->timeout_ms;
    told what = { .feed = feed, .callback = ahead->callback, .context = ahead->context };
    ahead->task = NULL;
    ahead->is_busy = true;
    pthread_mutex_unlock(&ahead->lock);
    run(feed, task, timeout_ms, &what);
    pthread_mutex_lock(&ahead->lock);
}

static void *thread_main(void *context) {
    corm_feed          *feed = context;
    session_feed_ahead *ahead = &feed->ahead;
    pthread_mutex_lock(&ahead->lock);
    for (;;) {
        if (ahead->task)
            take_up(feed);
        else if (atomic_load(&ahead->closing))
            break;
        else
            pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

void session__feed_ahead_close(corm_feed *feed) {
    session_feed_ahead *ahead = &feed->ahead;
    pthread_mutex_lock(&ahead->lock);
    atomic_store(&ahead->closing, true);
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    if (ahead->has_thread) {
        engine__feed_wake(feed->store);
        pthread_join(ahead->thread, NULL);
    }
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
}

/* ---- asking ---- */

/* The lock is held. */
static corm_status check_free(session_feed_ahead *ahead, corm_error *err) {
    bool is_own = ahead->has_thread && pthread_equal(ahead->thread, pthread_self());
    if (!ahead->task && (!ahead->is_busy || is_own)) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "the feed waits for a change already");
}

corm_status session__feed_check_free(corm_feed *feed, corm_error *err) {
    pthread_mutex_lock(&feed->ahead.lock);
    corm_status status = check_free(&feed->ahead, err);
    pthread_mutex_unlock(&feed->ahead.lock);
    return status;
}

static corm_status need_thread(corm_feed *feed, corm_error *err) {
    session_feed_ahead *ahead = &feed->ahead;
    if (ahead->has_thread) return CORM_OK;
    int number = pthread_create(&ahead->thread, NULL, thread_main, feed);
    if (number != 0) return base__fail_errno(err, number, "the feed's thread cannot be started");
    ahead->has_thread = true;
    return CORM_OK;
}

static corm_status ask(corm_feed *feed, corm_task *task, uint32_t timeout_ms, const told *what,
                       corm_error *err) {
    session_feed_ahead *ahead = &feed->ahead;
    pthread_mutex_lock(&ahead->lock);
    corm_status status = check_free(ahead, err);
    if (status == CORM_OK) status = need_thread(feed, err);
    if (status == CORM_OK) {
        ahead->timeout_ms = timeout_ms;
        ahead->callback = what->callback;
        ahead->context = what->context;
        ahead->task = task;
        pthread_cond_signal(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->lock);
    return status;
}

static void stop(corm_session *session) {
    engine__feed_wake(session__store(session));
}

corm_task *corm_feed_next_async(corm_feed *feed, uint32_t timeout_ms, corm_feed_callback callback,
                                void *context) {
    corm_error err = { 0 };
    told       what = { .callback = callback, .context = context, .error = &err };
    if (atomic_load(&feed->ahead.closing)) return NULL;
    corm_task *task = session__task_new(feed->session, NULL, NULL);
    if (!task) return NULL;
    if (session__task_open(task, stop, &err) != CORM_OK) {
        session__task_discard(task);
        return NULL;
    }
    what.status = ask(feed, task, timeout_ms, &what, &err);
    if (what.status != CORM_OK) session__task_end(task, what.status, &err, tell, &what);
    return task;
}
