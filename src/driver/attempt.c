// SPDX-License-Identifier: MIT
/* attempt.c -- one message to one node, and what comes back on its stream. The loop's thread. */
#include "driver/request_parts.h"

/* ---- counting ---- */

static void begin(driver_attempt *a, driver_node *node) {
    node->refs++;
    node->view.in_flight++;
    driver__count(&node->figures.requests, 1);
    a->node = node;
    a->request->under_way++;
    a->request->asked = node;
}

/* The caller drops the reference. */
static driver_node *end(driver_attempt *a) {
    driver_node *node = a->node;
    a->node = NULL;
    node->view.in_flight--;
    a->request->under_way--;
    return node;
}

static void note_latency(driver_node *node, uint64_t us) {
    driver__histogram_add(&node->figures.latencies, us);
    int64_t average = node->view.latency_us, now = us > UINT32_MAX ? UINT32_MAX : (int64_t)us;
    node->view.latency_us =
        average == 0 ? (uint32_t)(now > 0 ? now : 1) : (uint32_t)(average + (now - average) / 8);
}

/* ---- sending ---- */

static wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    (void)context;
    const driver_prepared *own = driver__prepared_of(prepared);
    return (wire_prepared_id){ own->id, own->metadata_id };
}

/* Appends the message's body. In v4 an answer's columns may be others than the statement's, and nothing would say so: there
 * they are always asked for. */
static corm_status put_body(driver_attempt *a, uint8_t version, base_buf *body, corm_error *err) {
    driver_request *r = a->request;
    if (a->sends_use) {
        driver__put_use(body, r->sent.options.keyspace);
        return CORM_OK;
    }
    r->sent.options.skip_metadata = r->wire->options.skip_metadata && version >= 5;
    return wire__put_request(body, &r->sent, version, id_of, NULL, err);
}

static void on_done(driver_call *call, corm_status status, const wire_frame *frame,
                    const corm_error *err);

/* Writes it. CORM_OVERLOADED and CORM_IO: this connection takes nothing, another may. */
static corm_status write_message(driver_attempt *a, driver_conn *conn, bool *refused) {
    driver_request *r = a->request;
    corm_error     *err = &r->error;
    base_buf       *body;
    uint8_t         flags = a->sends_use ? 0 : wire__request_flags(&r->sent);
    wire_opcode     opcode = a->sends_use ? WIRE_OP_QUERY : wire__request_opcode(&r->sent);
    a->call.done = on_done;
    a->on = conn;
    corm_status status = driver__conn_begin(conn, &a->call, flags, opcode, &body, err);
    *refused = status == CORM_OVERLOADED || status == CORM_IO;
    if (status != CORM_OK) return status;
    status = put_body(a, driver__conn_version(conn), body, err);
    if (status == CORM_OK) return driver__conn_end(conn, &a->call, err);
    driver__conn_drop(conn, &a->call);
    return status;
}

static driver_attempt *free_attempt(driver_request *r) {
    for (uint32_t i = 0; i < DRIVER_MOST_ATTEMPTS; i++) {
        if (!r->attempts[i].node) return &r->attempts[i];
    }
    return NULL;
}

static driver_conn *connection_to(driver_request *r, driver_node *node) {
    bool sharded = node->view.shard_count > 0 && r->has_plan && r->plan.route.has_token;
    return driver__node_connection(node,
                                   sharded ? driver__node_shard(node, r->plan.route.token) : -1);
}

static driver_sending refuse(driver_request *r, corm_status status, bool refused) {
    if (refused) return DRIVER_NO_ROOM;
    if (r->under_way > 0) return DRIVER_NO_ROOM;
    driver__request_end(r, status);
    return DRIVER_ENDED;
}

/* Its first attempt at all, at the first node of its plan. */
static bool is_first(const driver_request *r) {
    return r->has_plan && r->plan.at == 1 && r->retries + r->repeats + r->speculations == 0;
}

driver_sending driver__attempt_send(driver_request *r, driver_node *node, bool speculative) {
    if (!driver__limiter_allows(&node->limiter, node->view.in_flight)) return DRIVER_NO_ROOM;
    driver_attempt *a = free_attempt(r);
    driver_conn    *conn = a ? connection_to(r, node) : NULL;
    if (!conn) return DRIVER_NO_ROOM;
    bool        refused = false;
    corm_status status = CORM_OK;
    a->request = r;
    a->sends_use = false;
    a->speculative = speculative;
    if (driver__conn_version(conn) < 5) {
        status = driver__name_keyspace(r, conn, &a->sends_use, &r->error);
    }
    if (status == CORM_OK) status = write_message(a, conn, &refused);
    if (status != CORM_OK) return refuse(r, status, refused);
    begin(a, node);
    if (r->begun_ns == 0) r->begun_ns = a->call.sent_ns;
    if (speculative) r->speculations++;
    if (is_first(r) && r->plan.to_replica) driver__count(&r->cluster->totals.token_routed, 1);
    if (r->profile->speculative.kind != CORM_SPECULATE_NEVER) driver__speculation_begin(r, node);
    return DRIVER_SENT;
}

/* ---- giving up ---- */

void driver__attempts_name(const driver_request *r, base_buf *out) {
    for (uint32_t i = 0; i < DRIVER_MOST_ATTEMPTS; i++) {
        const driver_node *node = r->attempts[i].node;
        if (!node) continue;
        base__buf_printf(out, "%s%s:%u", out->len > 0 ? ", " : "", node->view.address,
                         node->view.port);
    }
}

static void note_late(driver_node *node) {
    driver__count(&node->figures.timeouts, 1);
    driver__limiter_overloaded(&node->limiter, node->view.in_flight, uv_hrtime(),
                               node->view.latency_us);
    driver__cluster_suspect(node->cluster, node);
}

void driver__attempts_abandon(driver_request *r, bool late) {
    for (uint32_t i = 0; i < DRIVER_MOST_ATTEMPTS; i++) {
        driver_attempt *a = &r->attempts[i];
        if (!a->node) continue;
        driver__conn_abandon(&a->call);
        if (late) note_late(a->node);
        driver__node_unref(end(a));
    }
}

/* ---- what comes back ---- */

/* USE was answered: the message itself follows on the same connection. */
static void after_use(driver_attempt *a, driver_node *node) {
    driver_request *r = a->request;
    bool            refused = false;
    a->sends_use = false;
    corm_status status = driver__conn_set_keyspace(a->on, r->sent.options.keyspace, &r->error);
    if (status == CORM_OK) status = write_message(a, a->on, &refused);
    if (status == CORM_OK) {
        begin(a, node);
    } else if (refused && !driver__request_is_busy(r)) {
        driver__request_go(r);
    } else if (!refused) {
        driver__request_end(r, status);
    }
}

static void on_error(driver_request *r, driver_node *node, const wire_frame *frame) {
    wire_prefix prefix;
    wire_error  error;
    corm_status status = wire__prefix_read(frame, &prefix, &r->error);
    if (status == CORM_OK) {
        status = wire__error_read(prefix.message, frame->version, &error, &r->error);
    }
    if (status != CORM_OK) {
        driver__failure_of_loss(r, node, status);
    } else if (error.status == CORM_UNPREPARED && r->wire->kind != WIRE_PREPARE) {
        driver__reprepare(r, node, error.unprepared_id);
    } else {
        (void)wire__error_report(&error, &r->error);
        driver__failure_of_error(r, node, &error);
    }
}

static void on_frame(driver_attempt *a, driver_node *node, const wire_frame *frame) {
    driver_request *r = a->request;
    if (frame->opcode == WIRE_OP_ERROR) {
        on_error(r, node, frame);
    } else if (frame->opcode != WIRE_OP_RESULT) {
        base__fail(&r->error, CORM_PROTOCOL_ERROR, "the node answered with opcode 0x%02X",
                   frame->opcode);
        driver__failure_of_loss(r, node, CORM_PROTOCOL_ERROR);
    } else if (a->sends_use) {
        after_use(a, node);
    } else {
        driver__answer_result(r, a, frame);
    }
}

/* Who asked looks at his own next, and at the answer's memory: both are cold by now. */
static void prefetch(const driver_request *r) {
    enum { CONTEXT_BYTES = 512, ANSWER_BYTES = 128, LINE = 64 };
    uintptr_t answer = (uintptr_t)r->answer, context = (uintptr_t)r->context;
    for (uintptr_t at = 0; at < ANSWER_BYTES; at += LINE) {
        __builtin_prefetch((const void *)(answer + at), 1);
    }
    for (uintptr_t at = 0; at < CONTEXT_BYTES; at += LINE) {
        __builtin_prefetch((const void *)(context + at), 1);
    }
}

/* The request may be gone behind on_frame; the node is held until then. */
static void on_done(driver_call *call, corm_status status, const wire_frame *frame,
                    const corm_error *err) {
    driver_attempt *a = (driver_attempt *)(void *)call;
    driver_request *r = a->request;
    driver_cluster *cluster = r->cluster;
    prefetch(r);
    driver_node *node = end(a);
    if (status == CORM_OK) {
        r->now_ns = driver__conn_now_ns(a->on);
        note_latency(node, (r->now_ns - call->sent_ns) / 1000);
        driver__limiter_answered(&node->limiter, node->view.in_flight + 1);
        on_frame(a, node, frame);
    } else {
        /* Whatever ended the connection, for the request it was lost. */
        if (err) r->error = *err;
        driver__failure_of_loss(r, node, cluster->closing ? status : CORM_IO);
    }
    bool room = driver__limiter_allows(&node->limiter, node->view.in_flight);
    driver__node_unref(node);
    if (cluster->waiting_count > 0 && room) driver__cluster_wake(cluster, 1);
}
