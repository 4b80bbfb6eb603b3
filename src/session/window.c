// SPDX-License-Identifier: MIT
/* window.c -- see window.h. */
#include "session/window.h"

#include "base/fail.h"

corm_status session__window_begin(session_window *window, corm_session *session, corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    session_door *door = session->door;
    bool          inside = session->pool ? base__pool_is_worker(session->pool)
                                         : door->ops->in_callback && door->ops->in_callback(door);
    if (inside) {
        return base__fail(err, CORM_WOULD_DEADLOCK, "%s", corm_status_text(CORM_WOULD_DEADLOCK));
    }
    *window = (session_window){ .session = session };
    window->last = &window->first;
    pthread_mutex_init(&window->lock, NULL);
    pthread_cond_init(&window->ended, NULL);
    return CORM_OK;
}

void session__window_end(session_window *window) {
    pthread_cond_destroy(&window->ended);
    pthread_mutex_destroy(&window->lock);
}

/* The taker may free the window as soon as the lock is given back. */
static void on_end(void *context, corm_status status, corm_result *result,
                   const corm_error *error) {
    session_slot   *slot = context;
    session_window *window = slot->window;
    slot->status = status;
    slot->result = result;
    slot->next = NULL;
    if (error) slot->error = *error;
    pthread_mutex_lock(&window->lock);
    *window->last = slot;
    window->last = &slot->next;
    pthread_cond_signal(&window->ended);
    pthread_mutex_unlock(&window->lock);
}

corm_status session__window_start(session_window *window, session_slot *slot,
                                  const session_request *request, corm_error *err) {
    slot->window = window;
    slot->task = session__task_run(window->session, CORM_OK, request,
                                   request->wire.kind != WIRE_BATCH, on_end, slot, err);
    if (!slot->task) return base__fail_memory(err);
    window->under_way++;
    return CORM_OK;
}

/* Under the lock, which is given back meanwhile. */
static void wait(session_window *window) {
    session_door *door = window->session->door;
    if (!door->ops->turn) {
        pthread_cond_wait(&window->ended, &window->lock);
        return;
    }
    pthread_mutex_unlock(&window->lock);
    door->ops->turn(door);
    pthread_mutex_lock(&window->lock);
}

session_slot *session__window_take(session_window *window) {
    if (window->under_way == 0) return NULL;
    pthread_mutex_lock(&window->lock);
    while (!window->first) wait(window);
    session_slot *slot = window->first;
    window->first = slot->next;
    if (!window->first) window->last = &window->first;
    pthread_mutex_unlock(&window->lock);
    window->under_way--;
    corm_task_free(slot->task);
    slot->task = NULL;
    return slot;
}
