// SPDX-License-Identifier: MIT
/* consistency.c -- consistency levels on a store that holds every replica itself: all can be reached, so a level is refused only
 * where the server would refuse it whatever its nodes do. Pure. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/store.h"

static const struct {
    const char *name;
    int64_t     replicas; /* needed; 0: as many as there are, at most */
} levels[] = {
    [WIRE_ANY] = { "ANY", 0 },
    [WIRE_ONE] = { "ONE", 1 },
    [WIRE_TWO] = { "TWO", 2 },
    [WIRE_THREE] = { "THREE", 3 },
    [WIRE_QUORUM] = { "QUORUM", 0 },
    [WIRE_ALL] = { "ALL", 0 },
    [WIRE_LOCAL_QUORUM] = { "LOCAL_QUORUM", 0 },
    [WIRE_EACH_QUORUM] = { "EACH_QUORUM", 0 },
    [WIRE_SERIAL] = { "SERIAL", 0 },
    [WIRE_LOCAL_SERIAL] = { "LOCAL_SERIAL", 0 },
    [WIRE_LOCAL_ONE] = { "LOCAL_ONE", 1 },
};

/* The sum over the data centres, or SimpleStrategy's factor; a keyspace that says none has no limit. */
static int64_t replication_factor(const cql_keyspace *keyspace) {
    int64_t sum = 0;
    for (uint32_t i = 0; keyspace && i < keyspace->replication.count; i++) {
        int64_t number;
        if (base__parse_i64(keyspace->replication.pairs[2 * i + 1], &number)) sum += number;
    }
    return sum ? sum : INT64_MAX;
}

static bool is_serial(wire_consistency level) {
    return level == WIRE_SERIAL || level == WIRE_LOCAL_SERIAL;
}

corm_status engine__check_consistency(const engine_request *request, const cql_table *table,
                                      bool is_read, bool is_conditional, corm_error *err) {
    wire_consistency level = request->options->consistency;
    if (level > WIRE_LOCAL_ONE)
        return base__fail(err, CORM_PROTOCOL_ERROR, "Unknown code %d for a consistency level",
                          (int)level);
    if (is_read && level == WIRE_ANY)
        return base__fail(err, CORM_INVALID, "ANY ConsistencyLevel is only supported for writes");
    if (!is_read && !is_conditional && is_serial(level))
        return base__fail(err, CORM_INVALID,
                          "You must use conditional updates for serializable writes");
    if (levels[level].replicas < 2 || table->is_system) return CORM_OK;
    if (replication_factor(cql__schema_keyspace(request->schema, table->keyspace)) >=
        levels[level].replicas)
        return CORM_OK;
    return base__fail(err, CORM_UNAVAILABLE, "Cannot achieve consistency level %s",
                      levels[level].name);
}
