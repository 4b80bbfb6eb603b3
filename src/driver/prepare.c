// SPDX-License-Identifier: MIT
/* prepare.c -- PREPARE is sent once for all that want the same text at the same time: the first leads, the others follow. The
 * loop's thread.
 *
 * When the leader gives up (its time is over, it was cancelled), its first follower leads; an error of the server's is
 * everybody's. */
#include "driver/request_parts.h"

static corm_str keyspace_of(const driver_request *r) {
    return r->wire->options.keyspace.data ? r->wire->options.keyspace : r->keyspace;
}

static bool answer_from_cache(driver_request *r) {
    driver_cluster  *cluster = r->cluster;
    driver_prepared *found =
        driver__prepared_find(&cluster->prepared, keyspace_of(r), r->wire->text);
    if (!found) return false;
    driver__count(&cluster->totals.prepare_hits, 1);
    corm_status status = driver__answer_prepared(r, found);
    driver__prepared_unref(driver__prepared_wire(found));
    driver__request_end(r, status);
    return true;
}

static void follow(driver_request *r, driver_request *leader) {
    driver_request **last = &leader->followers;
    while (*last) last = &(*last)->next_follower;
    *last = r;
    r->leader = leader;
}

/* Without memory for it, it is sent by itself. */
static void lead(driver_request *r, corm_str key) {
    r->prepare_key = base__arena_str(&r->arena, key);
    if (!r->prepare_key.data) return;
    if (!base__map_put(&r->cluster->prepared.under_way, r->prepare_key, r)) {
        r->prepare_key = (corm_str){ 0 };
    }
}

bool driver__prepare_begin(driver_request *r) {
    if (answer_from_cache(r)) return true;
    driver_prepared_cache *cache = &r->cluster->prepared;
    corm_str               key = driver__prepared_key(cache, keyspace_of(r), r->wire->text);
    driver_request        *leader = key.data ? base__map_get(&cache->under_way, key) : NULL;
    if (leader) {
        follow(r, leader);
        return true;
    }
    if (key.data) lead(r, key);
    return false;
}

/* ---- the end ---- */

static void stop_leading(driver_request *r) {
    if (!r->prepare_key.data) return;
    base__map_remove(&r->cluster->prepared.under_way, r->prepare_key);
    r->prepare_key = (corm_str){ 0 };
}

static void leave(driver_request *r) {
    driver_request **at = &r->leader->followers;
    while (*at != r) at = &(*at)->next_follower;
    *at = r->next_follower;
    r->leader = NULL;
    r->next_follower = NULL;
}

void driver__prepare_done(driver_request *r, driver_prepared *prepared) {
    stop_leading(r);
    while (r->followers) {
        driver_request *follower = r->followers;
        leave(follower);
        driver__count(&r->cluster->totals.prepare_hits, 1);
        driver__request_end(follower, driver__answer_prepared(follower, prepared));
    }
}

static bool is_its_own(corm_status status) {
    return status == CORM_TIMEOUT || status == CORM_CANCELLED || status == CORM_NO_MEMORY;
}

void driver__prepare_end(driver_request *r, corm_status status) {
    if (r->leader) leave(r);
    stop_leading(r);
    while (r->followers) {
        driver_request *follower = r->followers;
        leave(follower);
        if (!is_its_own(status)) {
            follower->error = r->error;
            driver__request_end(follower, status);
        } else if (!driver__prepare_begin(follower)) {
            driver__request_go(follower);
        }
    }
}
