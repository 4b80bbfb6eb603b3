// SPDX-License-Identifier: MIT
/* idempotent.c -- whether a statement may be executed again when its answer was lost. Pure. */
#include "cql/check.h"

static bool is_pure(const cql_node *node) {
    if (!node) return true;
    if (node->kind == CQL_NODE_CALL && !node->function->is_pure) return false;
    for (uint32_t i = 0; i < node->count; i++) {
        if (!is_pure(node->args[i])) return false;
    }
    return true;
}

static bool is_pure_row(const cql_row_value *row) {
    if (!row) return true;
    uint32_t count = row->packed ? 1 : row->count;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_pure(row->nodes[i])) return false;
    }
    return true;
}

static bool are_pure(const cql_restriction *restrictions, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const cql_restriction *restriction = &restrictions[i];
        if (!is_pure(restriction->in_list) || !is_pure_row(restriction->lower) ||
            !is_pure_row(restriction->upper)) {
            return false;
        }
        for (uint32_t j = 0; j < restriction->value_count; j++) {
            if (!is_pure_row(&restriction->values[j])) return false;
        }
    }
    return true;
}

/* Appending twice appends two; what stands at an index moves when something before it is deleted. */
static bool is_repeatable(const cql_assign *assign) {
    bool is_list = assign->column->type->id == CQL_LIST;
    if (assign->kind == CQL_ASSIGN_PREPEND) return false;
    if (is_list && (assign->kind == CQL_ASSIGN_ADD || assign->kind == CQL_ASSIGN_DELETE_ELEMENT))
        return false;
    return is_pure(assign->key) && is_pure(assign->value);
}

static bool is_idempotent(const cql_checked_modify *modify) {
    if (modify->is_counter || modify->is_conditional) return false;
    for (uint32_t i = 0; i < modify->assign_count; i++) {
        if (!is_repeatable(&modify->assigns[i])) return false;
    }
    return are_pure(modify->where.partition, modify->where.partition_count) &&
           are_pure(modify->where.clustering, modify->where.clustering_count) &&
           is_pure(modify->timestamp) && is_pure(modify->ttl);
}

bool cql__is_idempotent(const cql_checked *checked) {
    if (checked->modify) return is_idempotent(checked->modify);
    if (!checked->batch)
        return checked->select != NULL || checked->kind == CQL_STMT_USE ||
               checked->kind == CQL_STMT_DESCRIBE;
    for (uint32_t i = 0; i < checked->batch->count; i++) {
        if (!is_idempotent(checked->batch->items[i])) return false;
    }
    return true;
}
