// SPDX-License-Identifier: MIT
/* check_batch.c -- batches: what may stand together in one. */
#include "cql/check_internal.h"
#include "cql/schema_build.h"

static corm_status refuse(corm_error *err, const char *text) {
    return base__fail(err, CORM_INVALID, "%s", text);
}

static corm_status check_counters(cql_batch_kind kind, const cql_checked_modify *const *items,
                                  uint32_t count, bool has_timestamp, corm_error *err) {
    bool counters = false, others = false;
    for (uint32_t i = 0; i < count; i++) {
        if (has_timestamp && items[i]->timestamp) {
            return refuse(err, "Timestamp must be set either on BATCH or individual statements");
        }
        counters = counters || items[i]->is_counter;
        others = others || !items[i]->is_counter;
    }
    if (has_timestamp && counters) {
        return refuse(err, "Cannot provide custom timestamp for a BATCH containing counters");
    }
    if (kind == CQL_BATCH_COUNTER && others) {
        return refuse(err, "Cannot include non-counter statement in a counter batch");
    }
    if (counters && others)
        return refuse(err, "Counter and non-counter mutations cannot exist in the same batch");
    if (kind == CQL_BATCH_LOGGED && counters)
        return refuse(err, "Cannot include a counter statement in a logged batch");
    return CORM_OK;
}

static corm_status check_virtual(cql_batch_kind kind, const cql_checked_modify *const *items,
                                 uint32_t count, bool conditional, corm_error *err) {
    bool virtual = false, others = false;
    for (uint32_t i = 0; i < count; i++) {
        bool is_virtual =
            items[i]->table->is_virtual && cql__is_virtual_system(items[i]->table->keyspace);
        virtual = virtual || is_virtual;
        others = others || !is_virtual;
    }
    if (!virtual) return CORM_OK;
    if (kind == CQL_BATCH_LOGGED)
        return refuse(err, "Cannot include a virtual table statement in a logged batch");
    if (others)
        return refuse(err,
                      "Mutations for virtual and regular tables cannot exist in the same batch");
    if (conditional)
        return refuse(err,
                      "Conditional BATCH statements cannot include mutations for virtual tables");
    return CORM_OK;
}

/* The rows of conditions are read together: one table. That they are of one partition shows when the values are known. */
static corm_status check_conditional(const cql_checked_modify *const *items, uint32_t count,
                                     corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const cql_table *table = items[i]->table, *first = items[0]->table;
        if (corm_str_equal(table->keyspace, first->keyspace) &&
            corm_str_equal(table->name, first->name))
            continue;
        return refuse(err, "Batch with conditions cannot span multiple tables");
    }
    return CORM_OK;
}

corm_status cql__check_batch(cql_batch_kind kind, const cql_checked_modify *const *items,
                             uint32_t count, bool has_timestamp, cql_checked_batch *out,
                             base_arena *arena, corm_error *err) {
    bool conditional = false;
    for (uint32_t i = 0; i < count; i++) conditional = conditional || items[i]->is_conditional;
    if (has_timestamp && conditional)
        return refuse(err, "Cannot provide custom timestamp for conditional BATCH");
    if (has_timestamp && kind == CQL_BATCH_COUNTER) {
        return refuse(err, "Cannot provide custom timestamp for counter BATCH");
    }
    CORM_TRY(check_counters(kind, items, count, has_timestamp, err));
    CORM_TRY(check_virtual(kind, items, count, conditional, err));
    if (conditional) CORM_TRY(check_conditional(items, count, err));
    *out = (cql_checked_batch){ .kind = kind, .count = count, .is_conditional = conditional };
    const cql_checked_modify **copy = BASE_NEW_ARRAY(arena, const cql_checked_modify *, count);
    for (uint32_t i = 0; copy && i < count; i++) copy[i] = items[i];
    out->items = copy;
    return copy ? CORM_OK : base__fail_memory(err);
}

static corm_status check_items(cql_checker *c, const cql_batch *batch, cql_checked_modify **items) {
    for (uint32_t i = 0; i < batch->count; i++) {
        if (!(items[i] = BASE_NEW(c->arena, cql_checked_modify))) return base__fail_memory(c->err);
        CORM_TRY(cql__check_modify(c, batch->statements[i], items[i]));
    }
    return CORM_OK;
}

corm_status cql__check_batch_statement(cql_checker *c, const cql_batch *batch,
                                       cql_checked_batch *out) {
    const cql_node      *timestamp = NULL, *ttl = NULL;
    corm_str             batch_name = corm_str_of("[batch]");
    cql_checked_modify **items = BASE_NEW_ARRAY(c->arena, cql_checked_modify *, batch->count);
    if (!items) return base__fail_memory(c->err);
    CORM_TRY(check_items(c, batch, items));
    cql_receiver receiver = { batch_name, batch_name, corm_str_of("[timestamp]"),
                              cql__type_native(CQL_BIGINT), NULL };
    CORM_TRY(cql__optional_term(c, batch->using.timestamp, &receiver, &timestamp));
    receiver.name = corm_str_of("[ttl]");
    receiver.type = cql__type_native(CQL_INT);
    CORM_TRY(cql__optional_term(c, batch->using.ttl, &receiver, &ttl));
    if (ttl) return refuse(c->err, "Global TTL on the BATCH statement is not supported.");
    CORM_TRY(cql__check_batch(batch->kind, (const cql_checked_modify *const *)items, batch->count,
                              timestamp != NULL, out, c->arena, c->err));
    out->timestamp = timestamp;
    for (uint32_t i = 0; i < batch->count; i++) CORM_TRY(cql__validate_modify(items[i], c->err));
    return CORM_OK;
}
