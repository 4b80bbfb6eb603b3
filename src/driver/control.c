// SPDX-License-Identifier: MIT
/* control.c -- keeps one control connection: tries known nodes, those that are up first, then the contact points, whose names
 * are resolved anew each time; when all have failed it pauses and begins again. The loop's thread.
 *
 *   round: node, node, …, contact point's addresses, … ── all failed ──► pause ──► round
 *                 │ ready
 *                 ▼
 *          nodes are read ──► ready ── lost ──► round */
#include "driver/control.h"

#include <stdlib.h>

#include "base/fail.h"

static void next(driver_control *control);

static driver_control *of_retry(driver_timer *timer) {
    return (driver_control *)(void *)((char *)timer - offsetof(driver_control, retry));
}

/* ---- where to dial ---- */

static bool was_tried(const driver_control *control, const driver_address *address) {
    for (uint32_t i = 0; i < control->target_count; i++) {
        const driver_address *other = &control->targets[i];
        if (other->port == address->port && strcmp(other->text, address->text) == 0) return true;
    }
    return false;
}

/* False: no memory for it. */
static bool append(driver_address **list, uint32_t *count, uint32_t *capacity,
                   const driver_address *address) {
    if (*count == *capacity) {
        uint32_t        more = *capacity ? 2 * *capacity : 8;
        driver_address *larger = realloc(*list, more * sizeof *larger);
        if (!larger) return false;
        *list = larger;
        *capacity = more;
    }
    (*list)[(*count)++] = *address;
    return true;
}

/* Without memory for it the address is left out of this round. */
static void push(driver_control *control, const driver_address *address) {
    if (address->sa.ss_family == AF_UNSPEC || was_tried(control, address)) return;
    if (!append(&control->targets, &control->target_count, &control->target_capacity, address)) {
        (void)base__fail_memory(&control->error);
    }
}

static void shuffle(driver_control *control, uint32_t from) {
    for (uint32_t i = control->target_count - from; i > 1; i--) {
        uint32_t       j = driver__random(control->cluster, i);
        driver_address swapped = control->targets[from + i - 1];
        control->targets[from + i - 1] = control->targets[from + j];
        control->targets[from + j] = swapped;
    }
}

static void push_nodes(driver_control *control, bool up) {
    const driver_cluster *cluster = control->cluster;
    uint32_t              from = control->target_count;
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        const driver_node *node = cluster->nodes[i];
        if (node->view.distance == CORM_IGNORED || node->view.up != up) continue;
        push(control, &node->address);
    }
    shuffle(control, from);
}

static void begin_round(driver_control *control) {
    control->target_count = control->next_target = control->next_contact = 0;
    push_nodes(control, true);
    push_nodes(control, false);
    next(control);
}

static void retry(driver_timer *timer) {
    begin_round(of_retry(timer));
}

static void end_round(driver_control *control) {
    driver_cluster *cluster = control->cluster;
    control->failures++;
    if (driver__is_opening(cluster)) {
        driver__opened(cluster, control->error.status, &control->error);
        return;
    }
    uint32_t delay = driver__redial_ms(cluster, control->failures);
    driver__log(cluster, "no control connection: %s; next attempt in %u ms", control->error.message,
                delay);
    driver__timer_start(&cluster->timers, &control->retry, delay);
}

/* ---- names ---- */

/* A server's certificate has its name, but its peers announce its number. */
static void remember_name(driver_control *control, const driver_address *address) {
    for (uint32_t i = 0; i < control->named_count; i++) {
        driver_address *known = &control->named[i];
        if (strcmp(known->text, address->text) != 0 || known->port != address->port) continue;
        *known = *address;
        return;
    }
    (void)append(&control->named, &control->named_count, &control->named_capacity, address);
}

const char *driver__control_name_of(const driver_control *control, const driver_address *address) {
    for (uint32_t i = 0; i < control->named_count; i++) {
        const driver_address *known = &control->named[i];
        if (strcmp(known->text, address->text) == 0 && known->port == address->port) {
            return known->name;
        }
    }
    return "";
}

/* Whether every name is resolved before the first dial, since certificates are checked against it. */
static bool needs_names(const driver_control *control) {
    const corm_tls_options *tls = &control->cluster->settings.options.tls;
    return tls->enabled && tls->verify == CORM_TLS_VERIFY_FULL && !tls->server_name;
}

static void resolved(void *context, corm_status status, const driver_address *addresses,
                     uint32_t count, const corm_error *err) {
    driver_control *control = context;
    control->resolve = NULL;
    if (status != CORM_OK) {
        control->error = *err;
        driver__log(control->cluster, "no control connection: %s", err->message);
    }
    for (uint32_t i = 0; i < count; i++) {
        remember_name(control, &addresses[i]);
        push(control, &addresses[i]);
    }
    next(control);
}

/* Whether its name must be waited for. */
static bool take_contact(driver_control *control) {
    const driver_contact *contact = &control->cluster->settings.contacts[control->next_contact++];
    driver_address        address;
    if (driver__address_numeric(contact->name, contact->port, &address)) {
        push(control, &address);
        return false;
    }
    corm_status status = driver__resolve(control->cluster, contact->name, contact->port, resolved,
                                         control, &control->resolve, &control->error);
    return status == CORM_OK;
}

static void next(driver_control *control) {
    uint32_t contacts = control->cluster->settings.contact_count;
    while (control->started && control->next_contact < contacts) {
        if (control->next_target < control->target_count && !needs_names(control)) break;
        if (take_contact(control)) return;
    }
    if (!control->started) return;
    if (control->next_target == control->target_count)
        end_round(control);
    else
        driver__permit_ask(control->cluster, &control->permit, true);
}

/* ---- the connection ---- */

static void on_ready(void *context, driver_conn *conn) {
    driver_control *control = context;
    control->conn = conn;
    control->connected = true;
    control->old_peers = false;
    control->keyspaces_stale = true;
    driver__control_read(control);
}

static void lost(driver_control *control, const corm_error *err) {
    control->ready = false;
    control->failures = 0;
    driver__log(control->cluster, "the control connection is lost: %s", err->message);
    begin_round(control);
}

static void not_reached(driver_control *control, corm_status status, const corm_error *err) {
    driver_cluster *cluster = control->cluster;
    control->error = *err;
    driver__log(cluster, "no control connection to %s", err->message);
    if (status == CORM_BAD_CREDENTIALS && driver__is_opening(cluster)) {
        driver__opened(cluster, status, err);
    } else {
        next(control);
    }
}

static void on_closed(void *context, driver_conn *conn, corm_status status, const corm_error *err) {
    driver_control *control = context;
    driver_cluster *cluster = control->cluster;
    control->conn = NULL;
    control->connected = false;
    driver__control_read_cancel(control);
    if (control->started) {
        driver__agreement_interrupt(&control->agreement);
        if (control->ready) {
            lost(control, err);
        } else if (driver__connection_downgrades(cluster, conn, status)) {
            control->next_target--;
            next(control);
        } else {
            not_reached(control, status, err);
        }
    }
    driver__connection_over(cluster);
}

static void granted(driver_permit *permit) {
    driver_control *control =
        (driver_control *)(void *)((char *)permit - offsetof(driver_control, permit));
    driver_cluster     *cluster = control->cluster;
    driver_conn_options options = {
        .loop = cluster->loop,
        .settings = &cluster->settings,
        .tls = cluster->tls,
        .address = control->targets[control->next_target++],
        .version = cluster->version,
        .register_events = true,
        .figures = &control->figures,
        .shard = -1,
        .owner = { control, on_ready, on_closed, driver__control_event, NULL },
    };
    corm_status status =
        driver__connection_open(cluster, &options, &control->conn, &control->error);
    if (status != CORM_OK) next(control);
}

/* ---- life ---- */

corm_status driver__control_new(driver_cluster *cluster, driver_control **out, corm_error *err) {
    driver_control *control = calloc(1, sizeof *control);
    if (!control) return base__fail_memory(err);
    control->cluster = cluster;
    control->retry.fire = retry;
    control->permit.granted = granted;
    driver__agreement_init(&control->agreement, cluster);
    *out = control;
    return CORM_OK;
}

void driver__control_start(driver_control *control) {
    control->started = true;
    begin_round(control);
}

void driver__control_stop(driver_control *control) {
    driver_cluster *cluster = control->cluster;
    control->started = false;
    driver__control_read_cancel(control);
    driver__agreement_end(&control->agreement, CORM_CLOSED, "the session is closed");
    driver__timer_stop(&cluster->timers, &control->retry);
    driver__timer_stop(&cluster->timers, &control->refresh);
    driver__permit_withdraw(&control->permit);
    driver__resolve_cancel(control->resolve);
    control->resolve = NULL;
    if (control->conn) driver__conn_close(control->conn, CORM_CLOSED, "the session is closed");
}

void driver__control_probe(driver_control *control, const driver_node *node) {
    if (!control->ready || !driver__conn_is_ready(control->conn)) return;
    const driver_address *address = driver__conn_address(control->conn);
    if (strcmp(address->text, node->address.text) != 0 || address->port != node->address.port)
        return;
    driver__conn_probe(control->conn);
}

void driver__control_free(driver_control *control) {
    if (!control) return;
    driver__topology_free(&control->topology);
    free(control->targets);
    free(control->named);
    free(control);
}
