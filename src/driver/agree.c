// SPDX-License-Identifier: MIT
/* agree.c -- waiting until all nodes that are up have one version of the schema. All who wait share one poll. Owns nothing; the
 * waiters belong to those who wait. The loop's thread.
 *
 * A round asks one node behind the other for its own version. What one node says of its peers would not do: it hears of their
 * versions by gossip, a second late, so that the node of the control connection, before the change of another has reached it,
 * sees all of them agree on the schema of yesterday. */
#include "base/fail.h"
#include "driver/control.h"
#include "driver/pool.h"

enum { POLL_MS = 100 };

static const char select_version[] = "SELECT schema_version FROM system.local WHERE key='local'";

static void ask(driver_agreement *agreement);

/* ---- those who wait ---- */

static void wake(driver_agreement *agreement, driver_waiter *waiter, corm_status status,
                 const corm_error *err) {
    driver__waiter_remove(agreement->cluster, waiter);
    waiter->wake(waiter, status, err);
}

static void wake_all(driver_agreement *agreement, corm_status status, const corm_error *err) {
    driver_waiter *list = agreement->waiting;
    agreement->waiting = NULL; /* whoever comes while they are woken waits for the next round */
    if (list) list->link = &list;
    while (list) wake(agreement, list, status, err);
}

/* Whoever is woken may make others stop waiting: the list is looked at from its beginning each time. */
static driver_waiter *find_late(const driver_agreement *agreement) {
    uint64_t now = uv_now(agreement->cluster->loop);
    for (driver_waiter *waiter = agreement->waiting; waiter; waiter = waiter->next) {
        if (waiter->until_ms <= now) return waiter;
    }
    return NULL;
}

static void wake_late(driver_agreement *agreement) {
    driver_waiter *waiter;
    corm_error     err;
    (void)base__fail(&err, CORM_TIMEOUT, "the nodes did not agree on the schema in time");
    while ((waiter = find_late(agreement))) wake(agreement, waiter, CORM_TIMEOUT, &err);
}

void driver__agreement_end(driver_agreement *agreement, corm_status status, const char *why) {
    corm_error err;
    (void)base__fail(&err, status, "%s", why);
    driver__agreement_interrupt(agreement);
    driver__timer_stop(&agreement->cluster->timers, &agreement->poll);
    wake_all(agreement, status, &err);
}

/* ---- a round ---- */

static void next_round(driver_agreement *agreement) {
    wake_late(agreement);
    if (!agreement->waiting || agreement->poll.link) return;
    driver__timer_start(&agreement->cluster->timers, &agreement->poll, POLL_MS);
}

static void poll(driver_timer *timer) {
    driver_agreement *agreement =
        (driver_agreement *)(void *)((char *)timer - offsetof(driver_agreement, poll));
    wake_late(agreement);
    if (agreement->waiting) ask(agreement);
}

void driver__agreement_keyspaces_read(driver_agreement *agreement) {
    if (!agreement->settling) return;
    agreement->settling = false;
    wake_all(agreement, CORM_OK, NULL);
}

static void end_round(driver_agreement *agreement, bool agreed) {
    agreement->settling = agreed;
    if (agreed)
        driver__control_read_keyspaces(agreement->cluster->control);
    else
        next_round(agreement);
}

/* Its first dial has not ended: it will be asked things as soon as it has. */
static bool is_coming(const driver_node *node) {
    return node->pool->started && node->pool->failures == 0;
}

/* The next node that is up, or about to be; NULL behind the last. */
static driver_node *next_node(driver_agreement *agreement) {
    const driver_cluster *cluster = agreement->cluster;
    while (agreement->next < cluster->node_count) {
        driver_node *node = cluster->nodes[agreement->next++];
        if (node->view.up || is_coming(node)) return node;
    }
    return NULL;
}

static bool is_same(driver_agreement *agreement, const wire_result *result) {
    corm_uuid version = { { 0 } };
    if (result->row_count == 0 || result->metadata.count != 1) return false;
    base_reader rows = result->rows;
    cql_value   value = cql__read_value(&rows);
    if (value.len != sizeof version.bytes) return false;
    memcpy(version.bytes, value.data, sizeof version.bytes);
    if (!agreement->seen) agreement->version = version;
    agreement->seen = true;
    return corm_uuid_equal(version, agreement->version);
}

static void ask_next(driver_agreement *agreement);

static void version_came(driver_query *query, corm_status status, const wire_result *result,
                         const corm_error *why) {
    driver_agreement *agreement =
        (driver_agreement *)(void *)((char *)query - offsetof(driver_agreement, query));
    (void)why;
    if (status == CORM_OK && is_same(agreement, result)) {
        ask_next(agreement);
    } else {
        end_round(agreement, false);
    }
}

/* Where no node is up there is nobody who could agree, and one without a connection yet is waited for. */
static void ask_next(driver_agreement *agreement) {
    corm_error   err;
    driver_node *node = next_node(agreement);
    if (!node) {
        end_round(agreement, agreement->seen);
        return;
    }
    driver_conn *conn = driver__node_connection(node, -1);
    agreement->query.done = version_came;
    if (!conn || driver__query_send(agreement->cluster, conn, &agreement->query, select_version,
                                    &err) != CORM_OK) {
        end_round(agreement, false);
    }
}

/* The schema is read again over the control connection, so that one must be there too. */
static void ask(driver_agreement *agreement) {
    if (agreement->settling || driver__query_is_out(&agreement->query)) return;
    agreement->next = 0;
    agreement->seen = false;
    if (agreement->cluster->control->ready) {
        ask_next(agreement);
    } else {
        next_round(agreement);
    }
}

void driver__agreement_interrupt(driver_agreement *agreement) {
    agreement->settling = false;
    driver__query_cancel(&agreement->query);
    next_round(agreement);
}

void driver__agreement_init(driver_agreement *agreement, driver_cluster *cluster) {
    agreement->cluster = cluster;
    agreement->poll.fire = poll;
}

void driver__cluster_agree(driver_cluster *cluster, driver_waiter *waiter, uint32_t timeout_ms) {
    driver_agreement *agreement = &cluster->control->agreement;
    corm_error        err;
    if (cluster->closing) {
        (void)base__fail(&err, CORM_CLOSED, "the session is closed");
        waiter->wake(waiter, CORM_CLOSED, &err);
        return;
    }
    waiter->until_ms = uv_now(cluster->loop) + timeout_ms;
    waiter->next = agreement->waiting;
    waiter->link = &agreement->waiting;
    if (waiter->next) waiter->next->link = &waiter->next;
    agreement->waiting = waiter;
    ask(agreement);
}
