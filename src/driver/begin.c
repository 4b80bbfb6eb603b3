// SPDX-License-Identifier: MIT
/* begin.c -- what a request is before it is sent: its profile, consistency, timestamp, keyspace, route, and whether it may
 * be sent twice. The loop's thread. */
#include <strings.h>

#include "base/clock.h"
#include "cql/token.h"
#include "driver/request_parts.h"

/* ---- profile and options ---- */

static wire_consistency wire_of(corm_consistency consistency) {
    return (wire_consistency)(consistency - 1);
}

/* What the request itself says goes before its profile, and that before the session's. */
static void apply_profile(driver_request *r, const corm_request_options *routing) {
    const corm_profile *profile = r->profile;
    wire_options       *options = &r->sent.options;
    if (!routing->consistency && profile->consistency) {
        options->consistency = wire_of(profile->consistency);
    }
    if (!routing->serial_consistency && profile->serial_consistency) {
        options->serial_consistency = wire_of(profile->serial_consistency);
    }
    if (!routing->page_size && profile->page_size) options->page_size = profile->page_size;
}

static corm_status find_profile(driver_request *r, corm_error *err) {
    const corm_request_options *routing = r->wire->options.routing;
    const char                 *name = routing ? routing->profile : NULL;
    r->profile = driver__settings_profile(&r->cluster->settings, name);
    if (!r->profile) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "there is no execution profile '%s'", name);
    }
    if (name) apply_profile(r, routing);
    return CORM_OK;
}

static corm_status pin(driver_request *r, const char *host, corm_error *err) {
    driver_cluster *cluster = r->cluster;
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        driver_node *node = cluster->nodes[i];
        char         id[37];
        corm_uuid_format(node->view.host_id, id);
        if (strcmp(host, node->view.address) != 0 && strcasecmp(host, id) != 0) continue;
        r->pinned = driver__node_ref(node);
        return CORM_OK;
    }
    return base__fail(err, CORM_NOT_FOUND, "no node of the cluster is '%s'", host);
}

/* Reads have no timestamp; a text is one when it begins so. */
static bool is_read(const driver_request *r) {
    if (r->wire->kind == WIRE_EXECUTE) return r->statement->is_read;
    corm_str text = r->wire->text;
    return r->wire->kind == WIRE_PREPARE || (r->wire->kind == WIRE_QUERY && text.len > 6 &&
                                             strncasecmp(text.data, "SELECT", 6) == 0);
}

static void set_timestamp(driver_request *r) {
    wire_options *options = &r->sent.options;
    if (options->has_timestamp || r->cluster->settings.options.no_client_timestamps) return;
    if (is_read(r)) return;
    options->has_timestamp = true;
    options->timestamp = base__clock_write_us();
}

/* A prepared statement knows its keyspace. */
static void set_keyspace(driver_request *r) {
    corm_str *keyspace = &r->sent.options.keyspace;
    if (!keyspace->data) *keyspace = r->keyspace;
    if (keyspace->len == 0 || r->wire->kind == WIRE_EXECUTE) *keyspace = (corm_str){ 0 };
}

/* Of a batch the first statement with a key: all that go to its replicas are there at once. */
static const driver_prepared *statement_of(const wire_request *wire) {
    if (wire->kind == WIRE_EXECUTE) return driver__prepared_of(wire->prepared);
    if (wire->kind != WIRE_BATCH) return NULL;
    for (uint32_t i = 0; i < wire->batch_count; i++) {
        const driver_prepared *prepared = driver__prepared_of(wire->batch[i].prepared);
        if (!wire->batch[i].text.data && prepared->key_count > 0) return prepared;
    }
    return NULL;
}

corm_status driver__request_prepare(driver_request *r, corm_error *err) {
    r->sent = *r->wire;
    CORM_TRY(find_profile(r, err));
    r->statement = statement_of(r->wire);
    set_keyspace(r);
    set_timestamp(r);
    if (r->sent.options.has_now && r->cluster->version < 5) {
        return base__fail(err, CORM_UNSUPPORTED,
                          "now_seconds needs protocol version 5, and the cluster speaks %d",
                          r->cluster->version);
    }
    const corm_request_options *routing = r->wire->options.routing;
    if (routing && routing->host) return pin(r, routing->host, err);
    return CORM_OK;
}

/* ---- the route ---- */

static bool is_lwt(const driver_request *r) {
    const wire_request *wire = r->wire;
    if (wire->kind == WIRE_EXECUTE) return r->statement->is_lwt;
    for (uint32_t i = 0; wire->kind == WIRE_BATCH && i < wire->batch_count; i++) {
        const driver_prepared *prepared = driver__prepared_of(wire->batch[i].prepared);
        if (!wire->batch[i].text.data && prepared->is_lwt) return true;
    }
    return false;
}

static corm_bytes key_of(driver_request *r) {
    const wire_request *wire = r->wire;
    if (!r->statement) return (corm_bytes){ 0 };
    if (wire->kind == WIRE_EXECUTE) {
        return driver__routing_key(r->statement, wire->values, wire->value_count, &r->scratch);
    }
    const wire_batch_item *item = wire->batch;
    while (item->text.data || driver__prepared_of(item->prepared) != r->statement) item++;
    return driver__routing_key(r->statement, item->values, item->value_count, &r->scratch);
}

/* Policies get a C string. */
static const char *keyspace_of(driver_request *r) {
    if (r->statement) return r->statement->table_keyspace.data;
    bool needed = r->profile->balancing.policy || r->sent.options.has_token;
    if (!needed || r->keyspace.len == 0) return "";
    corm_str copy = base__arena_str(&r->arena, r->keyspace);
    return copy.data ? copy.data : "";
}

void driver__request_plan(driver_request *r) {
    corm_bytes key = key_of(r);
    bool       given = r->sent.options.has_token;
    corm_route route = { .keyspace = keyspace_of(r),
                         .routing_key = key,
                         .has_token = given || key.data,
                         .token = given      ? r->sent.options.token
                                  : key.data ? cql__token(key)
                                             : 0,
                         .consistency = (corm_consistency)(r->sent.options.consistency + 1),
                         .is_lwt = is_lwt(r) };
    driver__plan_begin(&r->plan, r->cluster, &r->profile->balancing, &route);
    r->has_plan = true;
}

/* ---- idempotence ---- */

static bool is_idempotent_batch(const wire_request *wire) {
    if (wire->batch_kind == CQL_BATCH_COUNTER) return false;
    for (uint32_t i = 0; i < wire->batch_count; i++) {
        const wire_batch_item *item = &wire->batch[i];
        bool                   good = item->text.data ? driver__text_facts(item->text).idempotent
                                                      : driver__prepared_of(item->prepared)->idempotent;
        if (!good) return false;
    }
    return true;
}

static bool infer(const driver_request *r) {
    const wire_request *wire = r->wire;
    switch (wire->kind) {
    case WIRE_PREPARE: return true;
    case WIRE_EXECUTE: return r->statement->idempotent;
    case WIRE_BATCH: return is_idempotent_batch(wire);
    case WIRE_QUERY: break;
    }
    return driver__text_facts(wire->text).idempotent;
}

bool driver__request_is_idempotent(driver_request *r) {
    if (r->idempotent == DRIVER_UNKNOWN) {
        const corm_request_options *routing = r->wire->options.routing;
        corm_idempotence said = routing ? routing->idempotence : CORM_IDEMPOTENCE_INFERRED;
        bool yes = said == CORM_IDEMPOTENCE_INFERRED ? infer(r) : said == CORM_IDEMPOTENT;
        r->idempotent = yes ? DRIVER_YES : DRIVER_NO;
    }
    return r->idempotent == DRIVER_YES;
}
