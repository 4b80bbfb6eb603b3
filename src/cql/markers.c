// SPDX-License-Identifier: MIT
/* markers.c -- the bind markers of a statement: their names, types and tables, and which of them give the partition key. */
#include "cql/check_internal.h"

corm_status cql__markers_begin(cql_checker *c, cql_checked *checked, uint32_t count) {
    if (count > UINT16_MAX) {
        return base__fail(c->err, CORM_INVALID,
                          "Too many markers(?). %u markers exceed the allowed maximum of %d", count,
                          UINT16_MAX);
    }
    checked->marker_count = c->marker_count = count;
    if (count == 0) return CORM_OK;
    checked->markers = c->markers = BASE_NEW_ARRAY(c->arena, cql_marker, count);
    c->marker_columns = BASE_NEW_ARRAY(c->arena, const cql_column *, count);
    return c->markers && c->marker_columns ? CORM_OK : base__fail_memory(c->err);
}

corm_status cql__marker(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                        const cql_node **out) {
    if (expr->index >= c->marker_count) {
        return base__fail(c->err, CORM_INVALID, "Invalid amount of bind variables");
    }
    corm_str own = expr->name.name.text;
    c->markers[expr->index] = (cql_marker){ .name = own.data ? own : receiver->name,
                                            .type = receiver->type,
                                            .keyspace = receiver->keyspace,
                                            .table = receiver->table };
    c->marker_columns[expr->index] = receiver->column;
    cql_node *node = cql__new_node(c, CQL_NODE_MARKER, receiver->type, 0);
    if (!node) return base__fail_memory(c->err);
    node->index = expr->index;
    *out = node;
    return CORM_OK;
}

corm_status cql__partition_markers(cql_checker *c, cql_checked *checked, const cql_table *table) {
    if (c->marker_count < table->partition_count) return CORM_OK;
    uint16_t *indexes = BASE_NEW_ARRAY(c->arena, uint16_t, table->partition_count);
    bool     *given = BASE_NEW_ARRAY(c->arena, bool, table->partition_count);
    if (!indexes || !given) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < c->marker_count; i++) {
        const cql_column *column = c->marker_columns[i];
        if (!column || column->kind != CQL_PARTITION_KEY) continue;
        indexes[column->position] = (uint16_t)i;
        given[column->position] = true;
    }
    for (uint32_t i = 0; i < table->partition_count; i++) {
        if (!given[i]) return CORM_OK;
    }
    checked->partition_marker_count = table->partition_count;
    checked->partition_markers = indexes;
    return CORM_OK;
}

/* A batch has them when all its statements are about one table. */
corm_status cql__batch_partition_markers(cql_checker *c, cql_checked *checked) {
    const cql_checked_batch *batch = checked->batch;
    for (uint32_t i = 1; i < batch->count; i++) {
        if (batch->items[i]->table != batch->items[0]->table) return CORM_OK;
    }
    return batch->count > 0 ? cql__partition_markers(c, checked, batch->items[0]->table) : CORM_OK;
}
