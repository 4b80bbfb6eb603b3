// SPDX-License-Identifier: MIT
/* failure.c -- an attempt failed: what was it, may the request be sent again, does its policy want to, and where. The loop's
 * thread.
 *
 *   the statement is wrong           the error goes to the caller, no policy is asked
 *   nothing was done (unavailable, bootstrapping)     as the policy says
 *   it may have been done (lost, timed out, failed)   as the policy says, but only when the request is idempotent
 *   the node refused it (overloaded, server error)    as the policy says; Corm's own say no unless it is idempotent */
#include <stdio.h>

#include "base/fail.h"
#include "driver/request_parts.h"

#define CONTAINER(pointer, member)                                                                 \
    ((driver_request *)(void *)((char *)(pointer)-offsetof(driver_request, member)))

/* ---- what it was ---- */

/* Another node would say the same. */
static bool is_the_statements(corm_status status) {
    switch (status) {
    case CORM_BAD_CREDENTIALS:
    case CORM_SYNTAX_ERROR:
    case CORM_UNAUTHORIZED:
    case CORM_INVALID:
    case CORM_CONFIG_ERROR:
    case CORM_ALREADY_EXISTS:
    case CORM_FUNCTION_FAILURE:
    case CORM_UNPREPARED: return true;
    default: return false;
    }
}

/* It may have been applied, wholly or in part. */
static bool may_be_done(corm_status status) {
    switch (status) {
    case CORM_IO:
    case CORM_PROTOCOL_ERROR:
    case CORM_READ_TIMEOUT:
    case CORM_WRITE_TIMEOUT:
    case CORM_READ_FAILURE:
    case CORM_WRITE_FAILURE:
    case CORM_CDC_WRITE_FAILURE:
    case CORM_CAS_WRITE_UNKNOWN: return true;
    default: return false;
    }
}

static corm_failure describe(driver_request *r, corm_status status, const wire_error *error) {
    corm_failure out = { .status = status,
                         .idempotent = driver__request_is_idempotent(r),
                         .retries = r->retries,
                         .consistency = (corm_consistency)(r->sent.options.consistency + 1) };
    if (!error) return out;
    out.consistency = (corm_consistency)(error->consistency + 1);
    out.received = error->received;
    out.required = error->required;
    out.failures = error->failures;
    out.alive = status == CORM_UNAVAILABLE ? error->received : 0;
    out.data_present = error->data_present;
    out.write_type = (corm_write_type)error->write_type;
    return out;
}

void driver__note_tried(driver_request *r, const driver_node *node, const char *why) {
    enum { MOST = 700 };
    char name[sizeof node->address_text + 8];
    r->tried_count++;
    if (r->tried.len > MOST) return;
    (void)snprintf(name, sizeof name, "%s:%u: ", node->view.address, node->view.port);
    bool named = strncmp(why, name, strlen(name)) == 0; /* a connection's errors are */
    base__buf_printf(&r->tried, "%s%s%.200s", r->tried.len > 0 ? "; " : "", named ? "" : name, why);
}

/* ---- what is done ---- */

/* The write is somewhere: downgrading policies take that for success. */
static void succeed(driver_request *r) {
    base__buf_clear(&r->answer->body);
    wire__put_void(&r->answer->body);
    r->answer->version = WIRE_VERSION;
    driver__request_end(r, base__buf_status(&r->answer->body, &r->error));
}

static void on_pause_over(driver_timer *timer) {
    driver__request_go(CONTAINER(timer, pause));
}

static void count_retry(driver_request *r, driver_node *node) {
    r->retries++;
    driver__count(&node->figures.retries, 1);
    driver__count(&r->cluster->totals.retries, 1);
}

static void try_again(driver_request *r, driver_node *node, const corm_retry_decision *decision) {
    driver_cluster *cluster = r->cluster;
    count_retry(r, node);
    if (decision->consistency) {
        r->sent.options.consistency = (wire_consistency)(decision->consistency - 1);
    }
    driver__request_aim(r, decision->verdict == CORM_RETRY_SAME_NODE ? node : NULL);
    r->second_round = decision->delay_ms > 0;
    if (decision->delay_ms == 0) {
        driver__request_go(r);
        return;
    }
    r->pause.fire = on_pause_over;
    driver__timer_start(&cluster->timers, &r->pause, decision->delay_ms);
}

static void decide(driver_request *r, driver_node *node, const corm_failure *failure) {
    corm_retry_decision decision = driver__retry_decide(&r->profile->retry, r->cluster, failure);
    bool                write = failure->write_type != CORM_WRITE_UNKNOWN;
    bool                again =
        decision.verdict == CORM_RETRY_SAME_NODE || decision.verdict == CORM_RETRY_NEXT_NODE;
    bool forbidden = may_be_done(failure->status) && !failure->idempotent;
    if (decision.verdict == CORM_RETRY_IGNORE && write)
        succeed(r);
    else if (again && !forbidden)
        try_again(r, node, &decision);
    else
        driver__request_end(r, r->failed);
}

/* Another attempt is under way, perhaps for ever: the one that failed is replaced at once or not at all. */
static void replace(driver_request *r, driver_node *node, const corm_failure *failure) {
    if (r->under_way == 0 || !r->has_plan || !failure->idempotent) return;
    corm_retry_decision decision = driver__retry_decide(&r->profile->retry, r->cluster, failure);
    if (decision.verdict != CORM_RETRY_NEXT_NODE || decision.delay_ms > 0) return;
    for (driver_node *next; (next = driver__plan_next(&r->plan)) != NULL;) {
        if (driver__attempt_send(r, next, false) != DRIVER_SENT) continue;
        count_retry(r, node);
        return;
    }
}

/* While another attempt is under way that one decides; the last one to fail is the one that is reported. */
static void failed(driver_request *r, driver_node *node, corm_status status,
                   const wire_error *error) {
    driver__count(&node->figures.errors, 1);
    driver__note_tried(r, node, r->error.message);
    r->failed = r->error.status = status;
    bool busy = driver__request_is_busy(r), wrong = is_the_statements(status);
    if (!busy && r->speculation.link) driver__timer_stop(&r->cluster->timers, &r->speculation);
    if (wrong) {
        if (!busy) driver__request_end(r, status);
        return;
    }
    corm_failure failure = describe(r, status, error);
    if (busy)
        replace(r, node, &failure);
    else
        decide(r, node, &failure);
}

/* ---- the session's keyspace is gone ---- */

/* In v5 it goes along with every request, and a node refuses even what has no need of it, such as making it again. What does need
 * it is answered as it is on a connection that has USEd it. */
static bool go_homeless(driver_request *r, driver_node *node) {
    char     gone[128];
    corm_str keyspace = r->sent.options.keyspace;
    if (!keyspace.data || r->wire->options.keyspace.data || r->homeless) return false;
    (void)snprintf(gone, sizeof gone, "Keyspace '%.*s' does not exist", (int)keyspace.len,
                   keyspace.data);
    if (strcmp(r->error.message, gone) != 0 || driver__request_is_busy(r)) return false;
    r->homeless = true;
    r->sent.options.keyspace = (corm_str){ 0 };
    driver__request_aim(r, node);
    driver__request_go(r);
    return true;
}

static void name_home(driver_request *r) {
    static const char none[] = "No keyspace has been specified";
    if (!r->homeless || strncmp(r->error.message, none, sizeof none - 1) != 0) return;
    (void)base__fail(&r->error, CORM_INVALID, "Keyspace '%.*s' does not exist",
                     (int)r->keyspace.len, r->keyspace.data);
}

void driver__failure_of_error(driver_request *r, driver_node *node, const wire_error *error) {
    if (error->status == CORM_INVALID && go_homeless(r, node)) return;
    name_home(r);
    if (error->status == CORM_OVERLOADED) {
        driver__limiter_overloaded(&node->limiter, node->view.in_flight + 1, r->now_ns,
                                   node->view.latency_us);
    }
    failed(r, node, error->status, error);
}

/* A session that closes ends its requests. */
void driver__failure_of_loss(driver_request *r, driver_node *node, corm_status status) {
    if (r->cluster->closing || status == CORM_NO_MEMORY)
        driver__request_end(r, status);
    else
        failed(r, node, status, NULL);
}
