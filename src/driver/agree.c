// SPDX-License-Identifier: MIT
/* agree.c -- waiting until all nodes that are up have one version of the schema. All who wait share one poll. Owns nothing; the
 * waiters belong to those who wait. The loop's thread. */
#include "base/fail.h"
#include "driver/control.h"

enum { POLL_MS = 100 };

static const char select_local[] = "SELECT schema_version FROM system.local WHERE key='local'";
static const char select_peers[] = "SELECT host_id, schema_version FROM system.peers_v2";
static const char select_old_peers[] = "SELECT host_id, schema_version FROM system.peers";

static void ask(driver_agreement *agreement);

static driver_control *control_of(const driver_agreement *agreement) {
    return agreement->cluster->control;
}

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
        driver__control_read_keyspaces(control_of(agreement));
    else
        next_round(agreement);
}

static corm_uuid uuid_of(cql_value value) {
    corm_uuid uuid = { { 0 } };
    if (value.len == sizeof uuid.bytes) memcpy(uuid.bytes, value.data, sizeof uuid.bytes);
    return uuid;
}

static bool is_up(const driver_cluster *cluster, corm_uuid host_id) {
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        const driver_node *node = cluster->nodes[i];
        if (corm_uuid_equal(node->view.host_id, host_id)) return node->view.up;
    }
    return false;
}

static bool is_same(const driver_agreement *agreement, const wire_result *result) {
    base_reader rows = result->rows;
    for (uint32_t i = 0; i < result->row_count && result->metadata.count == 2; i++) {
        corm_uuid host_id = uuid_of(cql__read_value(&rows));
        corm_uuid version = uuid_of(cql__read_value(&rows));
        if (corm_uuid_is_zero(version) || !is_up(agreement->cluster, host_id)) continue;
        if (!corm_uuid_equal(version, agreement->version)) return false;
    }
    return true;
}

/* Where there is no table of peers there is nobody to disagree. */
static void peers_came(driver_query *query, corm_status status, const wire_result *result,
                       const corm_error *err) {
    driver_agreement *agreement =
        (driver_agreement *)(void *)((char *)query - offsetof(driver_agreement, peers));
    (void)err;
    end_round(agreement, driver__is_absent(status) || (!status && is_same(agreement, result)));
}

static void local_came(driver_query *query, corm_status status, const wire_result *result,
                       const corm_error *why) {
    driver_agreement *agreement =
        (driver_agreement *)(void *)((char *)query - offsetof(driver_agreement, local));
    driver_control *control = control_of(agreement);
    const char     *peers = control->old_peers ? select_old_peers : select_peers;
    corm_error      err;
    (void)why;
    if (status == CORM_OK && result->row_count > 0 && result->metadata.count == 1) {
        base_reader rows = result->rows;
        agreement->version = uuid_of(cql__read_value(&rows));
        agreement->peers.done = peers_came;
        status =
            driver__query_send(agreement->cluster, control->conn, &agreement->peers, peers, &err);
        if (status == CORM_OK) return;
    }
    end_round(agreement, false);
}

static bool is_out(const driver_agreement *agreement) {
    return agreement->settling || driver__query_is_out(&agreement->local) ||
           driver__query_is_out(&agreement->peers);
}

static void ask(driver_agreement *agreement) {
    driver_control *control = control_of(agreement);
    corm_error      err;
    if (is_out(agreement)) return;
    agreement->local.done = local_came;
    if (!control->ready || driver__query_send(agreement->cluster, control->conn, &agreement->local,
                                              select_local, &err) != CORM_OK) {
        next_round(agreement);
    }
}

void driver__agreement_interrupt(driver_agreement *agreement) {
    agreement->settling = false;
    driver__query_cancel(&agreement->local);
    driver__query_cancel(&agreement->peers);
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
