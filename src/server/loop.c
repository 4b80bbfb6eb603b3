// SPDX-License-Identifier: MIT
/* loop.c -- one loop of the server: its thread, its clock, its inbox, its end.
 *
 * Owns its connections and calls, and the handles of libuv. Everything that is not the inbox belongs to its thread. */
#include <signal.h>
#include <stdlib.h>

#include "server/core.h"

enum { TICK_MS = 250 };

/* ---- the inbox ---- */

/* The lock is held. */
static void wake(server_loop *loop) {
    if (loop->is_woken) return;
    loop->is_woken = true;
    uv_async_send(&loop->wake);
}

void server__finished(server_call *call) {
    server_loop *loop = call->loop;
    call->next = NULL;
    pthread_mutex_lock(&loop->lock);
    *loop->finished_end = call;
    loop->finished_end = &call->next;
    wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

bool server__loop_give_conn(server_loop *loop, server_conn *conn) {
    pthread_mutex_lock(&loop->lock);
    bool is_taken = !loop->ended;
    if (is_taken) {
        conn->next = loop->arrived;
        loop->arrived = conn;
        wake(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    return is_taken;
}

bool server__loop_give_notice(server_loop *loop, server_notice *notice) {
    notice->next = NULL;
    pthread_mutex_lock(&loop->lock);
    bool is_taken = !loop->ended;
    if (is_taken) {
        *loop->notices_end = notice;
        loop->notices_end = &notice->next;
        wake(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    return is_taken;
}

void server__loop_give_settings(server_loop *loop, server_settings *settings) {
    pthread_mutex_lock(&loop->lock);
    server__settings_unref(loop->next_settings);
    loop->next_settings = server__settings_ref(settings);
    if (!loop->ended) wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

void server__loop_stop(server_loop *loop) {
    pthread_mutex_lock(&loop->lock);
    loop->stop_asked = true;
    if (!loop->ended) wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

typedef struct mail {
    server_call     *calls;
    server_conn     *conns;
    server_notice   *notices;
    server_settings *settings;
    bool             stop;
} mail;

static mail take_inbox(server_loop *loop) {
    pthread_mutex_lock(&loop->lock);
    mail out = { loop->finished, loop->arrived, loop->notices, loop->next_settings,
                 loop->stop_asked };
    loop->finished = NULL;
    loop->finished_end = &loop->finished;
    loop->arrived = NULL;
    loop->notices = NULL;
    loop->notices_end = &loop->notices;
    loop->next_settings = NULL;
    loop->is_woken = false;
    pthread_mutex_unlock(&loop->lock);
    return out;
}

static void take_settings(server_loop *loop, server_settings *settings) {
    if (!settings) return;
    server__settings_unref(loop->settings);
    loop->settings = settings;
}

void server__loop_refresh(server_loop *loop) {
    pthread_mutex_lock(&loop->lock);
    server_settings *settings = loop->next_settings;
    loop->next_settings = NULL;
    pthread_mutex_unlock(&loop->lock);
    take_settings(loop, settings);
}

static void take_calls(server_call *calls) {
    while (calls) {
        server_call *call = calls;
        calls = call->next;
        server__call_done(call);
    }
}

static void take_conns(server_loop *loop, server_conn *conns) {
    while (conns) {
        server_conn *conn = conns;
        conns = conn->next;
        if (loop->stopping)
            server__conn_drop(conn);
        else
            server__conn_begin(conn);
    }
}

/* `loop` NULL: nobody is to be told any more. */
static void take_notices(server_loop *loop, server_notice *notices) {
    while (notices) {
        server_notice *notice = notices;
        notices = notice->next;
        if (loop) server__notice(loop, notice->kind, base__buf_bytes(&notice->body));
        base__buf_free(&notice->body);
        free(notice);
    }
}

/* ---- stopping ---- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static bool may_end(server_loop *loop) {
    pthread_mutex_lock(&loop->lock);
    loop->ended = !loop->is_woken;
    pthread_mutex_unlock(&loop->lock);
    return loop->ended;
}

/* The loop ends when nothing is left in it: no connection, and no call, whose answer would come to the inbox. */
static void end_when_done(server_loop *loop) {
    if (!loop->stopping || loop->conns || loop->call_count > 0 || loop->dirty) return;
    if (loop->ended || !may_end(loop)) return;
    close_handle((uv_handle_t *)&loop->wake);
    close_handle((uv_handle_t *)&loop->clock);
    close_handle((uv_handle_t *)&loop->before);
    close_handle((uv_handle_t *)&loop->after);
}

static bool is_first(const server_loop *loop) {
    return loop == loop->server->loops[0];
}

static void begin_stopping(server_loop *loop) {
    if (loop->stopping) return;
    loop->stopping = true;
    loop->stop_at_ms = uv_now(&loop->loop) + loop->settings->options.stop_ms;
    if (is_first(loop)) server__listen_close(loop->server);
    server_conn *next = NULL;
    for (server_conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        server__conn_end(conn);
    }
}

/* ---- callbacks ---- */

static void on_wake(uv_async_t *handle) {
    server_loop *loop = handle->data;
    mail         in = take_inbox(loop);
    take_settings(loop, in.settings);
    take_calls(in.calls);
    take_conns(loop, in.conns);
    take_notices(loop, in.notices);
    if (in.stop) begin_stopping(loop);
}

static void flush(server_loop *loop) {
    server__flush(loop);
    end_when_done(loop);
}

static void on_before(uv_prepare_t *handle) {
    flush(handle->data);
}

static void on_after(uv_check_t *handle) {
    flush(handle->data);
}

static void on_clock(uv_timer_t *clock) {
    server_loop *loop = clock->data;
    uint64_t     now = uv_now(&loop->loop);
    bool         is_late = loop->stopping && now >= loop->stop_at_ms;
    server_conn *next = NULL;
    server__count(&loop->ticks);
    if (is_first(loop)) {
        server__accept_again(loop->server);
        server__watch(loop->server);
    }
    for (server_conn *conn = loop->conns; conn; conn = next) {
        next = conn->next;
        if (is_late)
            server__conn_close(conn);
        else
            server__conn_tick(conn, now);
    }
}

static void *run(void *context) {
    server_loop *loop = context;
    uv_run(&loop->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- life ---- */

/* None of these can fail once the loop is there, but for the descriptor of `wake`. */
static corm_status init_handles(server_loop *loop, corm_error *err) {
    int failed = uv_async_init(&loop->loop, &loop->wake, on_wake);
    if (failed != 0) return base__fail(err, CORM_IO, "cannot watch: %s", uv_strerror(failed));
    uv_timer_init(&loop->loop, &loop->clock);
    uv_prepare_init(&loop->loop, &loop->before);
    uv_check_init(&loop->loop, &loop->after);
    loop->wake.data = loop->clock.data = loop->before.data = loop->after.data = loop;
    uv_timer_start(&loop->clock, on_clock, TICK_MS, TICK_MS);
    uv_prepare_start(&loop->before, on_before);
    uv_check_start(&loop->after, on_after);
    return CORM_OK;
}

static corm_status init_loop(server_loop *loop, corm_error *err) {
    int failed = uv_loop_init(&loop->loop);
    if (failed != 0) return base__fail(err, CORM_IO, "cannot make a loop: %s", uv_strerror(failed));
    corm_status status = init_handles(loop, err);
    if (status != CORM_OK) uv_loop_close(&loop->loop);
    return status;
}

corm_status server__loop_new(corm_server *server, server_loop **out, corm_error *err) {
    server_loop *loop = calloc(1, sizeof *loop);
    if (!loop) return base__fail_memory(err);
    loop->server = server;
    loop->settings = server__settings_ref(server->settings);
    loop->finished_end = &loop->finished;
    loop->notices_end = &loop->notices;
    pthread_mutex_init(&loop->lock, NULL);
    corm_status status = init_loop(loop, err);
    if (status == CORM_OK)
        *out = loop;
    else
        server__loop_free(loop);
    return status;
}

/* Signals are the program's. */
corm_status server__loop_start(server_loop *loop, corm_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loop->has_thread = failed == 0;
    return failed == 0 ? CORM_OK : base__fail_errno(err, failed, "cannot start a thread");
}

/* Handles are there: the loop must run to let go of them. */
void server__loop_join(server_loop *loop) {
    if (loop->has_thread)
        pthread_join(loop->thread, NULL);
    else
        run(loop);
    uv_loop_close(&loop->loop);
}

void server__loop_free(server_loop *loop) {
    take_notices(NULL, loop->notices);
    while (loop->spare) {
        server_call *call = loop->spare;
        loop->spare = call->next;
        server__call_free(call);
    }
    base__buf_free(&loop->plain);
    base__buf_free(&loop->clear);
    server__settings_unref(loop->next_settings);
    server__settings_unref(loop->settings);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
