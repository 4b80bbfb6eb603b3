// SPDX-License-Identifier: MIT
/* consistency.c -- consistency levels on a store that holds every replica itself: all can be reached, so a level is refused only
 * where the server would refuse it whatever its nodes do. Pure. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/schema_build.h"
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

corm_status engine__check_replicas(const engine_request *request, const cql_table *table,
                                   corm_error *err) {
    wire_consistency level = request->options->consistency;
    if (levels[level].replicas < 2 || cql__is_virtual_system(table->keyspace)) return CORM_OK;
    if (!cql__is_local_system(table->keyspace) &&
        replication_factor(cql__schema_keyspace(request->schema, table->keyspace)) >=
            levels[level].replicas)
        return CORM_OK;
    return base__fail(err, CORM_UNAVAILABLE, "Cannot achieve consistency level %s",
                      levels[level].name);
}

static corm_status check_known(wire_consistency level, corm_error *err) {
    if (level <= WIRE_LOCAL_ONE) return CORM_OK;
    return base__fail(err, CORM_PROTOCOL_ERROR, "Unknown code %d for a consistency level",
                      (int)level);
}

corm_status engine__check_read_consistency(const engine_request *request, corm_error *err) {
    CORM_TRY(check_known(request->options->consistency, err));
    if (request->options->consistency == WIRE_ANY)
        return base__fail(err, CORM_INVALID, "ANY ConsistencyLevel is only supported for writes");
    return CORM_OK;
}

static void warn_lowered(const engine_request *request, wire_consistency level) {
    bool     local = level == WIRE_LOCAL_QUORUM;
    corm_str text = base__arena_printf(
        request->arena,
        "Top-K queries can only be run with consistency level ONE / LOCAL_ONE / NODE_LOCAL. Consistency level %s "
        "was requested. Downgrading the consistency level to %s.",
        levels[level].name, local ? "LOCAL_ONE" : "ONE");
    if (text.data) wire__add_warning(request->answer, text);
}

corm_status engine__check_ann_consistency(const engine_request *request, corm_error *err) {
    wire_consistency level = request->options->consistency;
    if (is_serial(level)) {
        return base__fail(
            err, CORM_INVALID,
            "Top-K queries can only be run with consistency level ONE/LOCAL_ONE. Consistency level %s was used.",
            levels[level].name);
    }
    if (levels[level].replicas != 1) warn_lowered(request, level);
    return CORM_OK;
}

/* Of a statement that stands alone and has no condition. */
static corm_status check_plain(const cql_checked_modify *modify, wire_consistency level,
                               corm_error *err) {
    if (modify->is_counter && level == WIRE_ANY)
        return base__fail(err, CORM_INVALID,
                          "Consistency level ANY is not yet supported for counter table %.*s",
                          (int)modify->table->name.len, modify->table->name.data);
    if (!is_serial(level)) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      modify->is_counter
                          ? "Counter operations are inherently non-serializable"
                          : "You must use conditional updates for serializable writes");
}

/* Elements of a list are found by reading it. */
static bool reads_a_list(const cql_checked_modify *modify) {
    for (uint32_t i = 0; i < modify->assign_count; i++) {
        const cql_assign *assign = &modify->assigns[i];
        if (assign->column->type->id != CQL_LIST) continue;
        if (assign->kind == CQL_ASSIGN_SUBTRACT || assign->kind == CQL_ASSIGN_SET_ELEMENT ||
            assign->kind == CQL_ASSIGN_DELETE_ELEMENT)
            return true;
    }
    return false;
}

corm_status engine__check_write_consistency(const engine_request     *request,
                                            const cql_checked_modify *modify, bool is_batch,
                                            bool is_conditional, corm_error *err) {
    wire_consistency level = request->options->consistency;
    CORM_TRY(check_known(level, err));
    if (is_conditional && is_serial(level))
        return base__fail(
            err, CORM_INVALID,
            "%s is not supported as conditional update commit consistency. Use ANY if you mean \"make sure it is "
            "accepted but I don't care how many replicas commit it for non-SERIAL reads\"",
            levels[level].name);
    return is_conditional || is_batch ? CORM_OK : check_plain(modify, level, err);
}

corm_status engine__check_list_read(const engine_request *request, const cql_checked_modify *modify,
                                    corm_error *err) {
    if (!reads_a_list(modify)) return CORM_OK;
    if (request->options->consistency != WIRE_ANY)
        return engine__check_replicas(request, modify->table, err);
    return base__fail(
        err, CORM_INVALID,
        "Write operation require a read but consistency ANY is not supported on reads");
}
