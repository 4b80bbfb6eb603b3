// SPDX-License-Identifier: MIT
/* topology_apply.c -- makes the cluster's nodes what was read. A node is known by its host id: one that has another address now
 * keeps its figures and its place. The loop's thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/control.h"
#include "driver/policy.h"

/* ---- addresses ---- */

static bool inet_equal(corm_inet a, corm_inet b) {
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* Where a node is dialled: what it announces, as the user's function translates it. */
static void dial_address(driver_cluster *cluster, const driver_node_row *row, uint16_t port,
                         driver_address *out) {
    const corm_cluster_options *o = &cluster->settings.options;
    char                        announced[46], translated[256] = "";
    uint16_t                    translated_port = port;
    driver__address_of_inet(row->announced, port, out);
    (void)snprintf(out->name, sizeof out->name, "%s",
                   driver__control_name_of(cluster->control, out));
    if (!o->translate) return;
    corm_inet_format(row->announced, announced);
    cluster->calling++;
    bool other = o->translate(o->translate_context, announced, port, translated, &translated_port);
    cluster->calling--;
    translated[sizeof translated - 1] = '\0';
    if (!other || driver__address_numeric(translated, translated_port, out)) return;
    memset(out, 0, sizeof *out); /* a name: resolved at each dial */
    out->port = translated_port;
    memcpy(out->name, translated, sizeof out->name);
}

static void set_address(driver_node *node, const driver_address *address) {
    node->address = *address;
    const char *text = address->text[0] ? address->text : address->name;
    (void)snprintf(node->address_text, sizeof node->address_text, "%s", text);
    node->view.port = address->port;
}

/* The control connection's node is reached at the address that was dialled, whatever it announces; that holds while it
 * is the only thing known, or when the node's own address is not reached. */
static bool find_address(driver_node *node, const driver_node_row *row,
                         const driver_address *control, bool is_new, driver_address *out) {
    uint16_t port = row->port ? row->port : control->port;
    bool     moved = !inet_equal(node->announced, row->announced) || node->announced_port != port;
    node->announced = row->announced;
    node->announced_port = port;
    if (row->is_control && (is_new || moved || !node->view.up)) {
        *out = *control;
        return !driver__address_equal(out, &node->address);
    }
    if (!is_new && !moved) return false;
    dial_address(node->cluster, row, port, out);
    return !driver__address_equal(out, &node->address);
}

/* ---- one node ---- */

static bool set_text(char *into, size_t size, const char *text) {
    if (strncmp(into, text, size - 1) == 0) return false;
    (void)snprintf(into, size, "%s", text);
    return true;
}

static corm_status set_tokens(driver_node *node, const driver_node_row *row, bool *changed,
                              corm_error *err) {
    size_t size = row->token_count * sizeof(int64_t);
    if (node->token_count == row->token_count &&
        (size == 0 || memcmp(node->tokens, row->tokens, size) == 0)) {
        return CORM_OK;
    }
    int64_t *tokens = malloc(size + 1);
    if (!tokens) return base__fail_memory(err);
    if (size > 0) memcpy(tokens, row->tokens, size);
    free(node->tokens);
    node->tokens = tokens;
    node->token_count = row->token_count;
    *changed = true;
    return CORM_OK;
}

/* What is new of a node. */
typedef struct node_news {
    bool is_new, moved, other_dc;
} node_news;

/* Starts, stops or moves its pool. The user's policy is asked for the distance only when it may have changed. */
static void place(driver_node *node, const node_news *news) {
    if (news->is_new || news->moved || news->other_dc || node->view.distance == CORM_IGNORED) {
        node->cluster->calling++;
        node->view.distance = driver__distance(node->cluster, &node->view);
        node->cluster->calling--;
    }
    bool wanted = driver__cluster_wants(node->cluster, node);
    if (!wanted && node->pool->started) driver__pool_stop(node->pool, false);
    if (wanted && node->pool->started && news->moved) driver__pool_move(node->pool);
    if (wanted) driver__pool_start(node->pool);
}

/* Takes over what the row says. */
static corm_status update(driver_node *node, const driver_node_row *row,
                          const driver_address *control, node_news *news, bool *changed,
                          corm_error *err) {
    driver_address address;
    news->moved = find_address(node, row, control, news->is_new, &address);
    if (news->moved) set_address(node, &address);
    news->other_dc = set_text(node->dc, sizeof node->dc, row->dc);
    *changed |= news->other_dc;
    *changed |= set_text(node->rack, sizeof node->rack, row->rack);
    (void)set_text(node->release_version, sizeof node->release_version, row->release_version);
    node->schema_version = row->schema_version;
    return set_tokens(node, row, changed, err);
}

/* ---- the list ---- */

static driver_node *find(const driver_cluster *cluster, corm_uuid host_id) {
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        driver_node *node = cluster->nodes[i];
        if (corm_uuid_equal(node->view.host_id, host_id)) return node;
    }
    return NULL;
}

static bool is_listed(const driver_topology *topology, const driver_node *node) {
    for (uint32_t i = 0; i < topology->count; i++) {
        if (corm_uuid_equal(topology->rows[i].host_id, node->view.host_id)) return true;
    }
    return false;
}

static void remove_node(driver_node *node) {
    node->removed = true;
    driver__pool_stop(node->pool, false);
    driver__cluster_hook(node, "removed");
    driver__node_unref(node);
}

/* Those that are not listed any more, out of the list. */
static bool remove_gone(driver_cluster *cluster, const driver_topology *topology,
                        driver_node **gone, uint32_t *gone_count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        driver_node *node = cluster->nodes[i];
        if (!is_listed(topology, node)) {
            gone[(*gone_count)++] = node;
            continue;
        }
        node->index = kept;
        cluster->nodes[kept++] = node;
    }
    cluster->node_count = kept;
    return *gone_count > 0;
}

static corm_status add_node(driver_cluster *cluster, const driver_node_row *row, driver_node **out,
                            corm_error *err) {
    CORM_TRY(driver__node_new(cluster, row->host_id, out, err));
    (*out)->index = cluster->node_count;
    cluster->nodes[cluster->node_count++] = *out;
    return CORM_OK;
}

static void choose_local_dc(driver_cluster *cluster, const driver_topology *topology) {
    if (cluster->local_dc[0]) return;
    for (uint32_t i = 0; i < topology->count; i++) {
        if (!topology->rows[i].is_control) continue;
        (void)snprintf(cluster->local_dc, sizeof cluster->local_dc, "%s", topology->rows[i].dc);
    }
}

static corm_status apply_rows(driver_cluster *cluster, const driver_topology *topology,
                              const driver_address *control, bool *changed, corm_error *err) {
    for (uint32_t i = 0; i < topology->count; i++) {
        const driver_node_row *row = &topology->rows[i];
        driver_node           *node = find(cluster, row->host_id);
        node_news              news = { .is_new = node == NULL };
        if (news.is_new) CORM_TRY(add_node(cluster, row, &node, err));
        *changed |= news.is_new;
        CORM_TRY(update(node, row, control, &news, changed, err));
        place(node, &news);
        if (news.is_new) driver__cluster_hook(node, "added");
    }
    return CORM_OK;
}

/* ---- the ring ---- */

void driver__ring_renew(driver_cluster *cluster, bool has_ring) {
    driver_ring      *ring = NULL;
    corm_error        err;
    driver_ring_node *nodes = calloc((size_t)cluster->node_count + 1, sizeof *nodes);
    for (uint32_t i = 0; nodes && i < cluster->node_count; i++) {
        const driver_node *node = cluster->nodes[i];
        nodes[i] = (driver_ring_node){ node->tokens, node->token_count, node->dc, node->rack };
    }
    /* Without memory for it requests go to any node. */
    if (nodes && has_ring &&
        driver__ring_make(nodes, cluster->node_count, cluster->keyspaces, &ring, &err) != CORM_OK) {
        ring = NULL;
    }
    free(nodes);
    driver__ring_free(cluster->ring);
    cluster->ring = ring;
}

corm_status driver__topology_apply(driver_cluster *cluster, const driver_topology *topology,
                                   const driver_address *control, corm_error *err) {
    size_t        most = (size_t)cluster->node_count + topology->count + 1;
    driver_node **nodes = calloc(most, sizeof(driver_node *));
    driver_node **gone = calloc(most, sizeof(driver_node *));
    uint32_t      gone_count = 0;
    if (!nodes || !gone) {
        free(nodes);
        free(gone);
        return base__fail_memory(err);
    }
    if (cluster->node_count > 0) {
        memcpy(nodes, cluster->nodes, cluster->node_count * sizeof(driver_node *));
    }
    free(cluster->nodes);
    cluster->nodes = nodes;
    choose_local_dc(cluster, topology);
    bool changed = remove_gone(cluster, topology, gone, &gone_count) || !cluster->ring;
    if (gone_count > 0) { /* its numbers are other nodes' now */
        driver__ring_free(cluster->ring);
        cluster->ring = NULL;
    }
    corm_status status = apply_rows(cluster, topology, control, &changed, err);
    if (changed) driver__ring_renew(cluster, topology->has_ring);
    for (uint32_t i = 0; i < gone_count; i++) remove_node(gone[i]);
    free(gone);
    return status;
}
