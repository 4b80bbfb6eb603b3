// SPDX-License-Identifier: MIT
/* control_read.c -- what the control connection is asked and told: nodes, keyspaces, events. Events are hints: UP means dial now,
 * DOWN means ask it now, and all of them mean that the nodes are read again soon. The loop's thread. */
#include "base/fail.h"
#include "driver/control.h"

enum { SOON_MS = 1000, LATER_MS = 60000, LATER_JITTER_MS = 20000 };

static const char select_local[] = "SELECT * FROM system.local WHERE key='local'";
static const char select_peers[] = "SELECT * FROM system.peers_v2";
static const char select_old_peers[] = "SELECT * FROM system.peers";
static const char select_keyspaces[] =
    "SELECT keyspace_name, replication FROM system_schema.keyspaces";

static driver_control *of_query(driver_query *query, size_t offset) {
    return (driver_control *)(void *)((char *)query - offset);
}

/* The connection does not do what it is for: it goes, and another node is asked. */
static void give_up(driver_control *control, const corm_error *err) {
    driver__control_read_cancel(control);
    control->error = *err;
    driver__conn_close(control->conn, err->status, err->message);
}

/* ---- later ---- */

static void refresh(driver_timer *timer) {
    driver_control *control =
        (driver_control *)(void *)((char *)timer - offsetof(driver_control, refresh));
    driver__control_read(control);
}

static void read_within(driver_control *control, uint32_t delay_ms) {
    driver_cluster *cluster = control->cluster;
    uint64_t        at = uv_now(cluster->loop) + delay_ms;
    if (control->refresh.link && control->refresh_at_ms <= at) return;
    control->refresh.fire = refresh;
    control->refresh_at_ms = at;
    driver__timer_start(&cluster->timers, &control->refresh, delay_ms);
}

void driver__control_read_soon(driver_control *control) {
    if (control->started) read_within(control, SOON_MS);
}

/* ---- nodes ---- */

static bool is_reading(const driver_control *control) {
    return driver__query_is_out(&control->local) || driver__query_is_out(&control->peers);
}

static void apply(driver_control *control) {
    driver_cluster *cluster = control->cluster;
    corm_error      err;
    control->has_ring = control->topology.has_ring;
    corm_status status = driver__topology_apply(cluster, &control->topology,
                                                driver__conn_address(control->conn), &err);
    driver__topology_free(&control->topology);
    if (status != CORM_OK) {
        give_up(control, &err);
        return;
    }
    control->ready = true;
    control->failures = 0;
    read_within(control, LATER_MS + driver__random(cluster, LATER_JITTER_MS));
    driver__cluster_known(cluster);
    if (control->again) driver__control_read_soon(control);
    control->again = false;
}

static void part_came(driver_control *control, corm_status status, const corm_error *err) {
    if (status != CORM_OK)
        give_up(control, err);
    else if (!is_reading(control))
        apply(control);
}

static void local_came(driver_query *query, corm_status status, const wire_result *result,
                       const corm_error *why) {
    driver_control *control = of_query(query, offsetof(driver_control, local));
    corm_error      err;
    if (why) err = *why;
    if (status == CORM_OK) status = driver__topology_local(&control->topology, result, &err);
    part_came(control, status, &err);
}

/* The table is not there, or not for us: that will not change. */
bool driver__is_absent(corm_status status) {
    return status == CORM_INVALID || status == CORM_SYNTAX_ERROR || status == CORM_UNAUTHORIZED;
}

static void peers_came(driver_query *query, corm_status status, const wire_result *result,
                       const corm_error *why) {
    driver_control *control = of_query(query, offsetof(driver_control, peers));
    corm_error      err;
    if (why) err = *why;
    if ((driver__is_absent(status) || status == CORM_SERVER_ERROR) && !control->old_peers) {
        control->old_peers = true;
        status = driver__query_send(control->cluster, control->conn, query, select_old_peers, &err);
        if (status == CORM_OK) return;
    } else if (driver__is_absent(status)) {
        driver__log(control->cluster, "the peers cannot be read: %s", err.message);
        status = CORM_OK; /* a service that shows one address and no peers */
    } else if (status == CORM_OK) {
        status = driver__topology_peers(&control->topology, result, &err);
    }
    part_came(control, status, &err);
}

static corm_status ask_nodes(driver_control *control, corm_error *err) {
    driver_cluster *cluster = control->cluster;
    const char     *peers = control->old_peers ? select_old_peers : select_peers;
    control->local.done = local_came;
    control->peers.done = peers_came;
    CORM_TRY(driver__query_send(cluster, control->conn, &control->local, select_local, err));
    return driver__query_send(cluster, control->conn, &control->peers, peers, err);
}

void driver__control_read(driver_control *control) {
    corm_error err;
    if (!control->connected) return;
    if (is_reading(control)) {
        control->again = true;
        return;
    }
    driver__topology_free(&control->topology);
    if (ask_nodes(control, &err) != CORM_OK) {
        give_up(control, &err);
        return;
    }
    if (control->keyspaces_stale) driver__control_read_keyspaces(control);
}

void driver__control_read_cancel(driver_control *control) {
    driver__query_cancel(&control->local);
    driver__query_cancel(&control->peers);
    driver__query_cancel(&control->schema);
}

/* ---- keyspaces ---- */

/* What cannot be read leaves things as they were: requests then go to any node. */
static void keyspaces_came(driver_query *query, corm_status status, const wire_result *result,
                           const corm_error *err) {
    driver_control   *control = of_query(query, offsetof(driver_control, schema));
    driver_cluster   *cluster = control->cluster;
    driver_keyspaces *keyspaces;
    corm_error        why;
    (void)err;
    if (status == CORM_OK) status = driver__keyspaces_read(result, &keyspaces, &why);
    if (status == CORM_OK) {
        driver__keyspaces_free(cluster->keyspaces);
        cluster->keyspaces = keyspaces;
        if (control->ready) driver__ring_renew(cluster, control->has_ring);
    }
    driver__agreement_keyspaces_read(&control->agreement);
}

void driver__control_read_keyspaces(driver_control *control) {
    driver_cluster *cluster = control->cluster;
    corm_error      err;
    bool            wanted = !cluster->settings.options.no_schema_metadata && control->connected;
    control->keyspaces_stale = false;
    if (driver__query_is_out(&control->schema)) driver__query_cancel(&control->schema);
    control->schema.done = keyspaces_came;
    if (wanted && driver__query_send(cluster, control->conn, &control->schema, select_keyspaces,
                                     &err) == CORM_OK) {
        return;
    }
    driver__agreement_keyspaces_read(&control->agreement);
}

/* ---- events ---- */

static bool is_at(const driver_node *node, corm_inet address, int32_t port) {
    char text[46];
    if (node->announced_port == port && node->announced.length == address.length &&
        memcmp(node->announced.bytes, address.bytes, address.length) == 0) {
        return true;
    }
    corm_inet_format(address, text);
    return node->address.port == port && strcmp(node->address.text, text) == 0;
}

static void status_changed(driver_control *control, const wire_event *event) {
    driver_cluster *cluster = control->cluster;
    bool            up = corm_str_equal(event->change, corm_str_of("UP"));
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        driver_node *node = cluster->nodes[i];
        if (!is_at(node, event->address, event->port)) continue;
        if (up)
            driver__pool_redial(node->pool);
        else
            driver__pool_probe(node->pool);
    }
    driver__control_read_soon(control);
}

static void schema_changed(driver_control *control, const wire_event *event) {
    bool created = corm_str_equal(event->change, corm_str_of("CREATED"));
    bool keyspace = corm_str_equal(event->target, corm_str_of("KEYSPACE"));
    if (keyspace) control->keyspaces_stale = true;
    if (keyspace) driver__control_read_soon(control);
    if (created) return;
    corm_str name = keyspace ? (corm_str){ NULL, 0 } : event->name;
    driver__prepared_forget(&control->cluster->prepared, event->keyspace, name);
}

void driver__control_event(void *context, driver_conn *conn, const wire_event *event) {
    driver_control *control = context;
    (void)conn;
    switch (event->kind) {
    case WIRE_TOPOLOGY_CHANGE: driver__control_read_soon(control); break;
    case WIRE_STATUS_CHANGE: status_changed(control, event); break;
    case WIRE_SCHEMA_CHANGE_EVENT: schema_changed(control, event); break;
    }
}
