// SPDX-License-Identifier: MIT
/* bulk_group.c -- units in the order in which they were taken, by partition, and the batches that are made of them.
 *
 * A cluster's groups are partitions: an unlogged batch of one partition is one mutation at its replicas. An embedded store's are as
 * many as flights, each of many partitions: there a batch is one transaction, whatever it is about. Everything under the lock. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "stream/bulk_core.h"

/* ---- groups ---- */

typedef struct group_key {
    int64_t token;
    char    kind;
    char    keyspace[64];
} group_key;

static corm_str make_key(const corm_bulk *bulk, const bulk_unit *unit, group_key *key) {
    memset(key, 0, sizeof *key);
    key->kind = unit->is_counter ? 'c' : 'r';
    if (bulk->is_embedded) {
        uint64_t token = (uint64_t)unit->token;
        key->token = (int64_t)(token % bulk->options.max_in_flight);
        return (corm_str){ (const char *)key, sizeof key->token + 1 };
    }
    corm_str keyspace =
        unit->held[0]->marker_count > 0 ? unit->held[0]->markers[0].keyspace : (corm_str){ "", 0 };
    size_t len = keyspace.len < sizeof key->keyspace ? keyspace.len : sizeof key->keyspace;
    key->token = unit->token;
    memcpy(key->keyspace, keyspace.data, len);
    return (corm_str){ (const char *)key, offsetof(group_key, keyspace) + len };
}

static bulk_group *find_group(corm_bulk *bulk, const bulk_unit *unit) {
    group_key   key;
    corm_str    bytes = make_key(bulk, unit, &key);
    bulk_group *group = base__map_get(&bulk->groups, bytes);
    if (group) return group;
    group = calloc(1, sizeof *group + bytes.len);
    if (!group) return NULL;
    memcpy(group + 1, bytes.data, bytes.len);
    group->key = (corm_str){ (const char *)(group + 1), bytes.len };
    if (base__map_put(&bulk->groups, group->key, group)) return group;
    free(group);
    return NULL;
}

static void let_wait(corm_bulk *bulk, bulk_group *group) {
    if (group->in_flight || group->is_waiting || !group->first) return;
    group->is_waiting = true;
    group->next = NULL;
    *bulk->waiting_end = group;
    bulk->waiting_end = &group->next;
}

corm_status bulk__enqueue(corm_bulk *bulk, bulk_unit *unit, corm_error *err) {
    bulk_group *group = find_group(bulk, unit);
    if (!group) return base__fail_memory(err);
    if (group->first) {
        group->last->next = unit;
    } else {
        group->first = unit;
    }
    group->last = unit;
    let_wait(bulk, group);
    return CORM_OK;
}

void bulk__put_back(bulk_flight *flight) {
    bulk_group *group = flight->group;
    if (!flight->first) return;
    flight->last->next = group->first;
    if (!group->first) group->last = flight->last;
    group->first = flight->first;
    flight->first = flight->last = NULL;
}

void bulk__land(bulk_flight *flight) {
    corm_bulk  *bulk = flight->bulk;
    bulk_group *group = flight->group;
    group->in_flight = false;
    free(flight);
    if (group->first) {
        let_wait(bulk, group);
        return;
    }
    base__map_remove(&bulk->groups, group->key);
    free(group);
}

/* ---- a batch ---- */

enum { ROW_SLOTS = 1024 };

typedef struct forming {
    bulk_flight *flight;
    size_t       bytes;
    uint64_t     rows[ROW_SLOTS]; /* hashes of rows, open addressing; 0: free */
} forming;

/* Whether the row is in it already; else it is now. */
static bool has_row(forming *f, uint64_t row) {
    if (row == 0) row = 1;
    size_t at = row % ROW_SLOTS;
    while (f->rows[at] != 0) {
        if (f->rows[at] == row) return true;
        at = (at + 1) % ROW_SLOTS;
    }
    f->rows[at] = row;
    return false;
}

static bool goes_alone(const bulk_unit *unit) {
    return unit->is_wide || unit->alone;
}

static bool fits(const corm_bulk *bulk, forming *f, const bulk_unit *unit) {
    const bulk_flight *flight = f->flight;
    if (!flight->first) return true;
    if (goes_alone(unit) || goes_alone(flight->first)) return false;
    if (flight->statements + unit->count > bulk->options.batch_statements) return false;
    if (f->bytes + unit->bytes > bulk->options.batch_bytes) return false;
    if (unit->has_timestamp != flight->first->has_timestamp) return false;
    if (unit->has_timestamp) return unit->timestamp_us == flight->timestamp_us;
    return true;
}

/* Equal rows under one timestamp would not be in order; with a timestamp of the caller's they are what was asked for. */
static bool collides(const corm_bulk *bulk, forming *f, const bulk_unit *unit) {
    if (unit->has_timestamp || goes_alone(unit)) return false;
    (void)bulk;
    return has_row(f, unit->row);
}

static void add_unit(forming *f, bulk_unit *unit) {
    bulk_flight *flight = f->flight;
    if (flight->first) {
        flight->last->next = unit;
    } else {
        flight->first = unit;
        flight->has_timestamp = unit->has_timestamp;
        flight->timestamp_us = unit->timestamp_us;
    }
    flight->last = unit;
    unit->next = NULL;
    flight->count++;
    flight->statements += unit->count;
    f->bytes += unit->bytes;
}

static void fill(corm_bulk *bulk, forming *f) {
    bulk_group *group = f->flight->group;
    for (bulk_unit *unit; (unit = group->first) != NULL;) {
        if (!fits(bulk, f, unit) || collides(bulk, f, unit)) return;
        group->first = unit->next;
        if (!group->first) group->last = NULL;
        add_unit(f, unit);
    }
}

bulk_flight *bulk__form(corm_bulk *bulk) {
    bulk_group *group = bulk->waiting;
    if (!group) return NULL;
    bulk_flight *flight = calloc(1, sizeof *flight);
    if (!flight) return NULL;
    bulk->waiting = group->next;
    if (!bulk->waiting) bulk->waiting_end = &bulk->waiting;
    group->is_waiting = false;
    group->in_flight = true;
    flight->bulk = bulk;
    flight->group = group;
    forming f = { .flight = flight };
    fill(bulk, &f);
    if (flight->first->is_counter || flight->has_timestamp || !bulk->has_stamps) return flight;
    flight->has_timestamp = true;
    flight->timestamp_us = base__clock_write_us();
    return flight;
}
