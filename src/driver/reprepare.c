// SPDX-License-Identifier: MIT
/* reprepare.c -- a node does not know a statement that was prepared before (it was restarted, or threw it out): it is prepared
 * there again, once for all requests that need it, within the cluster's budget, and the requests are sent again. The loop's
 * thread.
 *
 *   EXECUTE ─► UNPREPARED ─► wait ─► PREPARE on that node ─► the same id? ─► EXECUTE again
 *
 * The PREPARE is a request of its own, pinned to the node, with retries, deadline and all. */
#include <stdlib.h>

#include "driver/request_parts.h"

/* TIMEOUT_PART: time must be left to ask another node. */
enum { BUDGET_PAUSE_MS = 20, SPARE_REPEATS = 8, TIMEOUT_PART = 4 };

struct driver_reprepare {
    driver_request       request; /* first */
    wire_request         wire;
    wire_answer          answer;
    driver_node         *node;     /* one reference */
    driver_prepared     *prepared; /* one reference */
    driver_request      *waiting;
    driver_reprepare    *next;
    driver_timer         budget;
    corm_request_options options;
};

/* ---- the list of all ---- */

static driver_reprepare *find(const driver_cluster *cluster, const driver_node *node,
                              const driver_prepared *prepared) {
    driver_reprepare *at = cluster->prepared.again;
    while (at && (at->node != node || at->prepared != prepared)) at = at->next;
    return at;
}

static void unlink_from(driver_reprepare *again) {
    driver_reprepare **at = &again->request.cluster->prepared.again;
    while (*at != again) at = &(*at)->next;
    *at = again->next;
}

static void free_again(driver_reprepare *again) {
    if (again->request.pinned) driver__node_unref(again->request.pinned); /* it never began */
    driver__node_unref(again->node);
    driver__prepared_unref(driver__prepared_wire(again->prepared));
    wire__answer_free(&again->answer);
    driver__request_dispose(&again->request);
    free(again);
}

/* ---- its end ---- */

static bool same_id(const driver_reprepare *again) {
    const wire_answer *answer = &again->answer;
    base_reader        reader = { answer->body.data, answer->body.len, false };
    base__read_u32(&reader);
    corm_bytes id = base__read_bytes(&reader, base__read_u16(&reader));
    corm_bytes own = again->prepared->id;
    return !reader.failed && id.len == own.len && memcmp(id.data, own.data, id.len) == 0;
}

static driver_request *next_waiting(driver_reprepare *again) {
    driver_request *r = again->waiting;
    again->waiting = r->next_waiting;
    r->next_waiting = NULL;
    r->waits_for = NULL;
    return r;
}

/* Nothing was executed: it is sent again whether it is idempotent or not. */
static void send_again(driver_reprepare *again, driver_request *r) {
    if (driver__request_is_busy(r)) return;
    driver__request_aim(r, again->node);
    driver__request_go(r);
}

static void fail_changed(driver_reprepare *again, driver_request *r) {
    driver__request_fail(
        r, CORM_UNPREPARED,
        "%s:%u has prepared the statement under another id than before, since what "
        "it is about was changed: prepare it again",
        again->node->view.address, again->node->view.port);
}

/* The node could not be asked: another one may know the statement. What the server says of the statement is said of the
 * request. */
static void fail_waiting(driver_reprepare *again, driver_request *r, corm_status status) {
    const corm_error *err = &again->request.error;
    bool unreachable = status == CORM_IO || status == CORM_TIMEOUT || status == CORM_OVERLOADED ||
                       status == CORM_BOOTSTRAPPING || status == CORM_SERVER_ERROR;
    r->error = *err;
    r->failed = status;
    driver__note_tried(r, again->node, err->message);
    if (driver__request_is_busy(r)) return;
    r->second_round = unreachable;
    if (unreachable)
        driver__request_go(r);
    else
        driver__request_end(r, status);
}

static void forget(driver_reprepare *again) {
    corm_str name = again->prepared->table;
    driver__prepared_forget(&again->request.cluster->prepared, again->prepared->table_keyspace,
                            name.len > 0 ? name : (corm_str){ 0 });
}

static void on_end(void *context, corm_status status, const corm_error *err) {
    (void)err;
    driver_reprepare *again = context;
    bool              same = status == CORM_OK && same_id(again);
    unlink_from(again);
    if (status == CORM_OK) driver__count(&again->request.cluster->totals.reprepares, 1);
    if (status == CORM_OK && !same) forget(again);
    while (again->waiting) {
        driver_request *r = next_waiting(again);
        if (same)
            send_again(again, r);
        else if (status == CORM_OK)
            fail_changed(again, r);
        else
            fail_waiting(again, r, status);
    }
    free_again(again);
}

/* ---- its beginning ---- */

static void on_budget(driver_timer *timer) {
    driver_reprepare *again =
        (driver_reprepare *)(void *)((char *)timer - offsetof(driver_reprepare, budget));
    driver_cluster *cluster = again->request.cluster;
    if (driver__cluster_may_reprepare(cluster))
        driver__request_start(&again->request);
    else
        driver__timer_start(&cluster->timers, &again->budget, BUDGET_PAUSE_MS);
}

static driver_reprepare *new_again(driver_cluster *cluster, driver_node *node,
                                   driver_prepared *prepared) {
    driver_reprepare *again = calloc(1, sizeof *again);
    if (!again) return NULL;
    again->node = driver__node_ref(node);
    again->prepared = prepared;
    driver__prepared_ref(driver__prepared_wire(prepared));
    again->wire.kind = WIRE_PREPARE;
    again->wire.text = prepared->text;
    again->wire.options.routing = &again->options;
    again->options.timeout_ms = cluster->settings.options.request_timeout_ms / TIMEOUT_PART + 1;
    again->request = (driver_request){ .cluster = cluster,
                                       .keyspace = prepared->keyspace,
                                       .wire = &again->wire,
                                       .answer = &again->answer,
                                       .callback = on_end,
                                       .context = again,
                                       .is_again = true,
                                       .pinned = driver__node_ref(node) };
    again->next = cluster->prepared.again;
    cluster->prepared.again = again;
    again->budget.fire = on_budget;
    return again;
}

static const driver_prepared *statement_with(const wire_request *wire, corm_bytes id) {
    uint32_t count = wire->kind == WIRE_BATCH ? wire->batch_count : 1;
    for (uint32_t i = 0; i < count; i++) {
        bool                 text = wire->kind == WIRE_BATCH && wire->batch[i].text.data;
        const wire_prepared *prepared =
            wire->kind == WIRE_BATCH ? wire->batch[i].prepared : wire->prepared;
        const driver_prepared *own = text ? NULL : driver__prepared_of(prepared);
        if (own && own->id.len == id.len && memcmp(own->id.data, id.data, id.len) == 0) return own;
    }
    return NULL;
}

/* A second attempt that finds its node without the statement, while the first is being seen to, is no loss. */
void driver__reprepare(driver_request *r, driver_node *node, corm_bytes id) {
    const driver_prepared *prepared = statement_with(r->wire, id);
    if (r->waits_for) return;
    if (!prepared || r->repeats > r->wire->batch_count + SPARE_REPEATS) {
        if (driver__request_is_busy(r)) return;
        driver__request_fail(r, CORM_UNPREPARED, "%s:%u does not know a prepared statement%s",
                             node->view.address, node->view.port,
                             prepared ? ", however often it is prepared" : "");
        return;
    }
    driver_reprepare *again = find(r->cluster, node, prepared);
    bool              is_new = again == NULL;
    if (is_new) again = new_again(r->cluster, node, (driver_prepared *)(uintptr_t)prepared);
    if (!again) {
        driver__request_end(r, base__fail_memory(&r->error));
        return;
    }
    r->repeats++;
    r->waits_for = again;
    r->next_waiting = again->waiting;
    again->waiting = r;
    if (is_new) on_budget(&again->budget);
}

void driver__reprepare_leave(driver_request *r) {
    driver_request **at = &r->waits_for->waiting;
    while (*at != r) at = &(*at)->next_waiting;
    *at = r->next_waiting;
    r->next_waiting = NULL;
    r->waits_for = NULL;
}

/* Those that have begun end with all other requests; these still wait for the budget. */
void driver__reprepares_end(driver_cluster *cluster) {
    for (driver_reprepare *at = cluster->prepared.again, *next; at; at = next) {
        next = at->next;
        if (!at->budget.link) continue;
        driver__timer_stop(&cluster->timers, &at->budget);
        base__fail(&at->request.error, CORM_CLOSED, "the session was closed");
        on_end(at, CORM_CLOSED, &at->request.error);
    }
}
