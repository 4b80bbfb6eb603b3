// SPDX-License-Identifier: MIT
/* pool.c -- the connections to one node. Owns its slots, each of which holds a reference to the node until its connection is
 * closed. The loop's thread. */
#include "driver/pool.h"

#include <stdlib.h>

#include "base/fail.h"
#include "driver/pool_shards.h"

enum { SHORT_LIFE_MS = 1000, MOST_IDLE_SWEEP_MS = 1000, NS_PER_MS = 1000000 };

static void fill(driver_pool *pool);

static driver_cluster *cluster_of(const driver_pool *pool) {
    return pool->cluster;
}

/* ---- slots ---- */

static driver_slot *slot_new(driver_pool *pool) {
    driver_slot *slot = calloc(1, sizeof *slot);
    if (!slot) return NULL;
    slot->pool = pool;
    slot->node = driver__node_ref(pool->node);
    slot->wanted_shard = -1;
    slot->next = pool->slots;
    slot->link = &pool->slots;
    if (slot->next) slot->next->link = &slot->next;
    pool->slots = slot;
    return slot;
}

static void slot_free(driver_slot *slot) {
    *slot->link = slot->next;
    if (slot->next) slot->next->link = slot->link;
    driver__node_unref(slot->node);
    free(slot);
}

/* A ready connection takes no more requests: it is on its way out. */
void driver__slot_retire(driver_slot *slot) {
    driver_pool *pool = slot->pool;
    if (!slot->in_use) return;
    slot->in_use = false;
    driver__bunch_remove(pool, slot);
    pool->ready--;
    pool->node->view.connections = pool->ready;
}

static void retire_all(driver_pool *pool, bool now) {
    driver_slot *next;
    for (driver_slot *slot = pool->slots; slot; slot = next) {
        next = slot->next;
        driver__slot_retire(slot);
        slot->leaving = true;
        if (now)
            driver__conn_close(slot->conn, CORM_CLOSED, "the session is closed");
        else
            driver__conn_drain(slot->conn);
    }
}

/* ---- after a dial ---- */

static void retry_later(driver_pool *pool) {
    uint32_t delay = driver__redial_ms(cluster_of(pool), pool->failures);
    driver__timer_start(&cluster_of(pool)->timers, &pool->retry, delay);
}

static void dial_failed(driver_pool *pool, const corm_error *err) {
    pool->failures++;
    pool->error = *err;
    if (!pool->started) return;
    retry_later(pool);
    driver__node_not_reached(pool->node, err);
}

static void shard_port_failed(driver_pool *pool, const corm_error *err) {
    pool->no_shard_port = true;
    driver__log(cluster_of(pool),
                "%s: the port for shards is not reached (%s); the ordinary one is used",
                pool->node->view.address, err->message);
    fill(pool);
}

static void not_ready(driver_slot *slot, corm_status status, const corm_error *err) {
    driver_pool *pool = slot->pool;
    pool->dialling--;
    if (!pool->started) return;
    if (slot->leaving || driver__connection_downgrades(cluster_of(pool), slot->conn, status))
        fill(pool);
    else if (slot->wanted_shard >= 0)
        shard_port_failed(pool, err);
    else
        dial_failed(pool, err);
}

static void lost(driver_slot *slot, const corm_error *err) {
    driver_pool *pool = slot->pool;
    uint64_t     life_ms = (uv_hrtime() - slot->ready_ns) / NS_PER_MS;
    driver__slot_retire(slot);
    if (!pool->started) return;
    pool->failures = life_ms < SHORT_LIFE_MS ? pool->failures + 1 : 0;
    pool->error = *err;
    if (pool->ready == 0) driver__node_is_down(pool->node, err);
    if (pool->failures > 0)
        retry_later(pool);
    else
        fill(pool);
}

static void on_closed(void *context, driver_conn *conn, corm_status status, const corm_error *err) {
    driver_slot *slot = context;
    slot->conn = conn;
    if (!slot->ready)
        not_ready(slot, status, err);
    else if (!slot->leaving)
        lost(slot, err);
    else if (slot->pool->started)
        fill(slot->pool);
    driver_cluster *cluster = cluster_of(slot->pool);
    slot_free(slot);
    driver__connection_over(cluster);
}

/* ---- a connection is ready ---- */

static void sweep_idle(driver_timer *timer);

static void watch_idle(driver_pool *pool) {
    if (pool->idle.link || pool->ready <= driver__pool_least(pool)) return;
    uint32_t timeout = cluster_of(pool)->settings.options.pool.idle_timeout_ms;
    uint32_t delay = timeout / 2 < MOST_IDLE_SWEEP_MS ? timeout / 2 + 1 : MOST_IDLE_SWEEP_MS;
    driver__timer_start(&cluster_of(pool)->timers, &pool->idle, delay);
}

static void on_ready(void *context, driver_conn *conn) {
    driver_slot    *slot = context;
    driver_pool    *pool = slot->pool;
    driver_cluster *cluster = cluster_of(pool);
    slot->conn = conn;
    slot->ready = true;
    slot->ready_ns = uv_hrtime();
    pool->dialling--;
    if (!driver__bunch_add(pool, slot)) {
        driver__conn_close(conn, CORM_NO_MEMORY, "memory is exhausted");
        return;
    }
    slot->in_use = true;
    pool->ready++;
    pool->failures = 0;
    pool->node->view.connections = pool->ready;
    if (pool->ready == 1) driver__node_is_up(pool->node);
    driver__cluster_wake(cluster, cluster->settings.options.pool.requests_per_connection);
    driver__shards_settle(pool);
    watch_idle(pool);
    fill(pool);
}

static void on_room(void *context, driver_conn *conn) {
    driver_slot *slot = context;
    uint32_t     most = cluster_of(slot->pool)->settings.options.pool.requests_per_connection;
    uint32_t     used = driver__conn_in_flight(conn);
    slot->pool->bunches[slot->bunch].at = 0;
    driver__cluster_wake(cluster_of(slot->pool), used < most ? most - used : 1);
}

/* ---- dialling ---- */

static void dial(driver_pool *pool, const driver_address *address) {
    driver_cluster *cluster = cluster_of(pool);
    corm_error      err;
    driver_slot    *slot = slot_new(pool);
    if (!slot) {
        (void)base__fail_memory(&err);
        dial_failed(pool, &err);
        return;
    }
    driver_conn_options options = {
        .loop = cluster->loop,
        .settings = &cluster->settings,
        .tls = cluster->tls,
        .address = *address,
        .node = &pool->node->view,
        .version = cluster->version,
        .figures = &pool->node->figures,
        .shard = -1,
        .owner = { slot, on_ready, on_closed, NULL, on_room },
    };
    driver__shards_choose(pool, slot, &options);
    pool->dialling++;
    if (driver__connection_open(cluster, &options, &slot->conn, &err) == CORM_OK) return;
    pool->dialling--;
    slot_free(slot);
    dial_failed(pool, &err);
}

static void resolved(void *context, corm_status status, const driver_address *addresses,
                     uint32_t count, const corm_error *err) {
    driver_pool *pool = context;
    pool->resolve = NULL;
    if (status != CORM_OK)
        dial_failed(pool, err);
    else
        dial(pool, &addresses[pool->failures % count]);
}

static void granted(driver_permit *permit) {
    driver_pool *pool = (driver_pool *)(void *)((char *)permit - offsetof(driver_pool, permit));
    const driver_address *address = &pool->node->address;
    corm_error            err;
    if (address->sa.ss_family != AF_UNSPEC) {
        dial(pool, address);
    } else if (driver__resolve(cluster_of(pool), address->name, address->port, resolved, pool,
                               &pool->resolve, &err) != CORM_OK) {
        dial_failed(pool, &err);
    }
}

/* One dial at a time, so that neither start-up nor a node that comes back is a storm. */
static void fill(driver_pool *pool) {
    if (!pool->started || cluster_of(pool)->closing) return;
    if (pool->dialling > 0 || pool->permit.link || pool->resolve || pool->retry.link) return;
    if (!driver__pool_lacks(pool)) return;
    driver__permit_ask(cluster_of(pool), &pool->permit, pool->ready == 0);
}

static void retry(driver_timer *timer) {
    fill((driver_pool *)(void *)((char *)timer - offsetof(driver_pool, retry)));
}

/* ---- growing and shrinking ---- */

void driver__pool_grow(driver_pool *pool) {
    uint32_t most = cluster_of(pool)->settings.options.pool.max_size;
    uint32_t least = driver__pool_least(pool);
    if (most < least) most = least;
    if (pool->wanted <= pool->ready && pool->ready < most) pool->wanted = pool->ready + 1;
    fill(pool);
}

static driver_slot *longest_idle(const driver_pool *pool) {
    driver_slot *found = NULL;
    for (driver_slot *slot = pool->slots; slot; slot = slot->next) {
        if (!slot->in_use || driver__conn_in_flight(slot->conn) > 0) continue;
        if (!found ||
            driver__conn_idle_since_ns(slot->conn) < driver__conn_idle_since_ns(found->conn)) {
            found = slot;
        }
    }
    return found;
}

static void sweep_idle(driver_timer *timer) {
    driver_pool *pool = (driver_pool *)(void *)((char *)timer - offsetof(driver_pool, idle));
    uint32_t     timeout = cluster_of(pool)->settings.options.pool.idle_timeout_ms;
    uint64_t     now = uv_hrtime();
    while (pool->ready > driver__pool_least(pool)) {
        driver_slot *slot = longest_idle(pool);
        if (!slot) break;
        uint64_t since = driver__conn_idle_since_ns(slot->conn);
        if (now < since || (now - since) / NS_PER_MS < timeout) break;
        driver__slot_retire(slot);
        slot->leaving = true;
        pool->wanted = pool->ready;
        driver__conn_drain(slot->conn);
    }
    watch_idle(pool);
}

/* ---- a connection for a request ---- */

static void retire_ended(driver_pool *pool, driver_conn *conn) {
    for (driver_slot *slot = pool->slots; slot; slot = slot->next) {
        if (slot->conn == conn) driver__slot_retire(slot);
    }
    fill(pool);
}

/* The first with room. Those before `at` were found full in this turn of the loop and are not looked at again in it. */
static driver_conn *take(driver_pool *pool, driver_bunch *bunch, uint32_t most) {
    if (bunch->round != pool->cluster->rounds) {
        bunch->round = pool->cluster->rounds;
        bunch->at = 0;
    }
    while (bunch->at < bunch->count) {
        driver_conn *conn = bunch->conns[bunch->at];
        if (!driver__conn_is_ready(conn)) {
            retire_ended(pool, conn); /* draining by itself, or closed and not said yet */
            continue;
        }
        if (driver__conn_in_flight(conn) < most) return conn;
        bunch->at++;
    }
    return NULL;
}

static driver_conn *take_any(driver_pool *pool, uint32_t from, uint32_t most) {
    for (uint32_t i = 0; i < pool->bunch_count; i++) {
        driver_conn *conn = take(pool, &pool->bunches[(from + i) % pool->bunch_count], most);
        if (conn) return conn;
    }
    return NULL;
}

driver_conn *driver__node_connection(driver_node *node, int32_t shard) {
    driver_pool *pool = node->pool;
    uint32_t     most = pool->cluster->settings.options.pool.requests_per_connection;
    if (pool->ready == 0) return NULL;
    uint32_t bunch = shard >= 0 ? (uint32_t)shard % pool->bunch_count : 0;
    if (shard < 0 && pool->bunch_count > 1) bunch = pool->next_bunch++ % pool->bunch_count;
    driver_conn *conn = take(pool, &pool->bunches[bunch], most);
    if (conn) return conn;
    if (pool->bunch_count > 1) conn = take_any(pool, bunch, most);
    if (!conn) driver__pool_grow(pool);
    return conn;
}

uint32_t driver__pool_room(const driver_pool *pool) {
    uint32_t most = pool->cluster->settings.options.pool.requests_per_connection;
    uint32_t room = 0;
    for (uint32_t i = 0; i < pool->bunch_count; i++) {
        for (uint32_t j = 0; j < pool->bunches[i].count; j++) {
            const driver_conn *conn = pool->bunches[i].conns[j];
            uint32_t           used = driver__conn_in_flight(conn);
            if (used < most && driver__conn_is_ready(conn)) room += most - used;
        }
    }
    return room;
}

/* ---- life ---- */

corm_status driver__pool_new(driver_node *node, driver_pool **out, corm_error *err) {
    driver_pool *pool = calloc(1, sizeof *pool);
    if (!pool) return base__fail_memory(err);
    pool->node = node;
    pool->cluster = node->cluster;
    pool->retry.fire = retry;
    pool->idle.fire = sweep_idle;
    pool->permit.granted = granted;
    if (!driver__bunches_make(pool, 0)) {
        free(pool);
        return base__fail_memory(err);
    }
    *out = pool;
    return CORM_OK;
}

void driver__pool_free(driver_pool *pool) {
    if (!pool) return;
    driver__bunches_free(pool);
    free(pool);
}

void driver__pool_start(driver_pool *pool) {
    if (pool->started) return;
    pool->started = true;
    pool->failures = 0;
    pool->wanted = driver__pool_least(pool);
    fill(pool);
}

static void stop_dialling(driver_pool *pool) {
    driver__timer_stop(&cluster_of(pool)->timers, &pool->retry);
    driver__permit_withdraw(&pool->permit);
    driver__resolve_cancel(pool->resolve);
    pool->resolve = NULL;
}

void driver__pool_stop(driver_pool *pool, bool now) {
    bool was_up = pool->node->view.up;
    pool->started = false;
    stop_dialling(pool);
    driver__timer_stop(&cluster_of(pool)->timers, &pool->idle);
    retire_all(pool, now);
    if (was_up) driver__node_is_down(pool->node, NULL);
}

void driver__pool_move(driver_pool *pool) {
    stop_dialling(pool);
    pool->failures = 0;
    pool->no_shard_port = false;
    bool was_up = pool->node->view.up;
    retire_all(pool, false);
    if (was_up) driver__node_is_down(pool->node, NULL);
    fill(pool);
}

void driver__pool_redial(driver_pool *pool) {
    driver__timer_stop(&cluster_of(pool)->timers, &pool->retry);
    fill(pool);
}

void driver__pool_probe(driver_pool *pool) {
    for (driver_slot *slot = pool->slots; slot; slot = slot->next) {
        if (slot->in_use) driver__conn_probe(slot->conn);
    }
    if (pool->ready == 0) driver__pool_redial(pool);
}
