// SPDX-License-Identifier: MIT
/* event.c -- events for those clients that registered for them: those of the own loop at once, those of the others through their
 * inboxes. A loop's thread. */
#include <stdlib.h>

#include "server/core.h"

void server__notice(server_loop *loop, wire_event_kind kind, corm_bytes bytes) {
    server_conn *next = NULL;
    for (server_conn *conn = loop->conns; conn; conn = next) {
        base_buf body = { 0 };
        next = conn->next;
        if (!(conn->events & 1u << kind) || conn->ending) continue;
        base__buf_put(&body, bytes.data, bytes.len);
        server__say(conn, -1, WIRE_OP_EVENT, &body);
    }
}

/* A loop that has ended has nobody to be told. */
static bool pass_on(server_loop *loop, wire_event_kind kind, corm_bytes bytes) {
    server_notice *notice = calloc(1, sizeof *notice);
    if (!notice) return false;
    notice->kind = kind;
    base__buf_put(&notice->body, bytes.data, bytes.len);
    bool is_whole = !notice->body.failed;
    if (is_whole && server__loop_give_notice(loop, notice)) return true;
    base__buf_free(&notice->body);
    free(notice);
    return is_whole;
}

bool server__event(server_loop *loop, const wire_event *event) {
    corm_server *server = loop->server;
    base_buf     body = { 0 };
    wire__put_event(&body, event);
    corm_bytes bytes = base__buf_bytes(&body);
    bool       all = !body.failed;
    if (all) server__notice(loop, event->kind, bytes);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        if (server->loops[i] != loop && !body.failed)
            all &= pass_on(server->loops[i], event->kind, bytes);
    }
    base__buf_free(&body);
    return all;
}
