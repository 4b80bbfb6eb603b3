// SPDX-License-Identifier: MIT
/* builder_select.c -- what builders of SELECT read, and in which order. One thread. */
#include <limits.h>

#include "orm/builder.h"

static bool add_selector(corm_builder *builder, cql_expr *expr, const char *alias) {
    cql_select   *select = &builder->statement.as.select;
    cql_selector *selector = ORM_PUSH(builder, select->selectors, select->selector_count);
    if (!selector) return false;
    selector->expr = expr;
    return !alias || orm__builder_text(builder, alias, &selector->alias.text);
}

static bool add_deleted(corm_builder *builder, const char *name) {
    cql_delete *deletion = &builder->statement.as.delete_;
    cql_change *change = ORM_PUSH(builder, deletion->changes, deletion->change_count);
    if (!change) return false;
    change->kind = CQL_CHANGE_DELETE;
    return orm__builder_column(builder, name, &change->column);
}

corm_builder *corm_builder_column_names(corm_builder *builder, const char *const *names) {
    if (!orm__builder_is(builder, ORM_B_SELECT | ORM_B_DELETE, "columns")) return builder;
    for (size_t i = 0; names && names[i]; i++) {
        if (builder->statement.kind == CQL_STMT_DELETE) {
            if (!add_deleted(builder, names[i])) break;
            continue;
        }
        corm_expr *column = corm_expr_column(builder, names[i]);
        if (!column || !add_selector(builder, &column->node, NULL)) break;
    }
    return builder;
}

corm_builder *corm_builder_select(corm_builder *builder, corm_expr *expr, const char *alias) {
    if (!orm__builder_is(builder, ORM_B_SELECT, "selection")) return builder;
    if (!expr) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "what is selected is NULL");
    } else {
        add_selector(builder, &expr->node, alias);
    }
    return builder;
}

corm_builder *corm_builder_distinct(corm_builder *builder) {
    if (orm__builder_is(builder, ORM_B_SELECT, "DISTINCT")) {
        builder->statement.as.select.distinct = true;
    }
    return builder;
}

corm_builder *corm_builder_json(corm_builder *builder) {
    if (orm__builder_is(builder, ORM_B_SELECT, "JSON")) builder->statement.as.select.json = true;
    return builder;
}

corm_builder *corm_builder_group_by(corm_builder *builder, corm_expr *expr) {
    if (!orm__builder_is(builder, ORM_B_SELECT, "GROUP BY")) return builder;
    cql_select *select = &builder->statement.as.select;
    if (!expr || (expr->node.kind != CQL_EXPR_COLUMN && expr->node.kind != CQL_EXPR_CALL)) {
        orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "rows are grouped by a column or a call");
        return builder;
    }
    orm__builder_one(builder, &expr->node, &select->group_by, &select->group_count);
    return builder;
}

static cql_order *new_order(corm_builder *builder, const char *column) {
    cql_select *select = &builder->statement.as.select;
    cql_order  *order = ORM_PUSH(builder, select->order_by, select->order_count);
    return order && orm__builder_column(builder, column, &order->column) ? order : NULL;
}

corm_builder *corm_builder_order_by(corm_builder *builder, const char *column, bool descending) {
    if (!orm__builder_is(builder, ORM_B_SELECT, "ORDER BY")) return builder;
    cql_order *order = new_order(builder, column);
    if (!order) return builder;
    order->descending = descending;
    order->explicit_direction = true;
    return builder;
}

corm_builder *corm_builder_order_by_ann(corm_builder *builder, const char *column,
                                        corm_value vector) {
    if (!orm__builder_is(builder, ORM_B_SELECT, "ORDER BY")) return builder;
    cql_order *order = new_order(builder, column);
    if (order) order->ann_of = orm__builder_marker(builder, &vector);
    return builder;
}

static bool check_limit(corm_builder *builder, uint32_t rows) {
    return (rows > 0 && rows <= INT32_MAX) ||
           orm__builder_bad(builder, CORM_INVALID_ARGUMENT, "a limit is 1 to %d rows", INT32_MAX);
}

corm_builder *corm_builder_limit(corm_builder *builder, uint32_t rows) {
    if (orm__builder_is(builder, ORM_B_SELECT, "LIMIT") && check_limit(builder, rows)) {
        builder->limit = rows;
    }
    return builder;
}

corm_builder *corm_builder_per_partition_limit(corm_builder *builder, uint32_t rows) {
    if (!orm__builder_is(builder, ORM_B_SELECT, "PER PARTITION LIMIT")) return builder;
    if (!check_limit(builder, rows)) return builder;
    corm_value limit = corm_of_i32((int32_t)rows);
    builder->statement.as.select.per_partition_limit = orm__builder_marker(builder, &limit);
    return builder;
}

corm_builder *corm_builder_allow_filtering(corm_builder *builder) {
    if (orm__builder_is(builder, ORM_B_SELECT, "ALLOW FILTERING")) {
        builder->statement.as.select.allow_filtering = true;
    }
    return builder;
}
