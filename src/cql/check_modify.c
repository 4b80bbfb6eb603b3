// SPDX-License-Identifier: MIT
/* check_modify.c -- INSERT, UPDATE and DELETE: attributes, conditions, operations, and the rows that they are about. */
#include "cql/check_internal.h"
#include "cql/eval.h"
#include "cql/schema_build.h"

static const char conditional_timestamp[] =
    "Cannot provide custom timestamp for conditional updates";

/* A statement being checked. */
typedef struct modification {
    cql_checker        *c;
    cql_checked_modify *out;
    cql_where_user      user;
    cql_where_facts     facts;
    bool                static_changes, regular_changes, static_conditions, regular_conditions;
} modification;

/* ---- USING and IF ---- */

static corm_status attributes(modification *m, const cql_using *using) {
    cql_receiver timestamp = cql__named_receiver(m->c, "[timestamp]", cql__type_native(CQL_BIGINT));
    cql_receiver ttl = cql__named_receiver(m->c, "[ttl]", cql__type_native(CQL_INT));
    CORM_TRY(cql__optional_term(m->c, using->timestamp, &timestamp, &m->out->timestamp));
    return cql__optional_term(m->c, using->ttl, &ttl, &m->out->ttl);
}

static corm_status conditions(modification *m, uint32_t count, const cql_condition *list) {
    cql_checked_modify *out = m->out;
    out->is_conditional = out->if_exists || out->if_not_exists || count > 0;
    if (count == 0) return CORM_OK;
    if (out->timestamp) return base__fail(m->c->err, CORM_INVALID, conditional_timestamp);
    if (!(out->conditions = BASE_NEW_ARRAY(m->c->arena, cql_check_condition, count))) {
        return base__fail_memory(m->c->err);
    }
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(cql__condition(m->c, &list[i], &out->conditions[out->condition_count++]));
        bool is_static = out->conditions[i].column->kind == CQL_STATIC;
        m->static_conditions = m->static_conditions || is_static;
        m->regular_conditions = m->regular_conditions || !is_static;
    }
    return CORM_OK;
}

static corm_status begin(modification *m, const cql_using *using, uint32_t count,
                         const cql_condition *list) {
    CORM_TRY(attributes(m, using));
    return conditions(m, count, list);
}

/* ---- rules for the whole ---- */

/* What the server refuses to prepare. */
static corm_status check_conditional(modification *m) {
    const cql_checked_modify *out = m->out;
    if (!out->is_conditional) return CORM_OK;
    if (out->table->is_counter) {
        return base__fail(m->c->err, CORM_INVALID,
                          "Conditional updates are not supported on counter tables");
    }
    return out->timestamp ? base__fail(m->c->err, CORM_INVALID, conditional_timestamp) : CORM_OK;
}

/* What it prepares, but refuses to execute. */
static corm_status check_execution(modification *m) {
    const cql_checked_modify *out = m->out;
    if (!out->table->is_virtual || !cql__is_virtual_system(out->table->keyspace)) return CORM_OK;
    if (out->timestamp)
        cql__refuse_execution(m->c, "Custom timestamp is not supported by virtual tables");
    if (out->ttl)
        cql__refuse_execution(m->c, "Expiring columns are not supported by virtual tables");
    if (out->is_conditional)
        cql__refuse_execution(m->c, "Conditional updates are not supported by virtual tables");
    return CORM_OK;
}

/* Whether nothing but the static row is written and looked at. `changes_regular`: also by what is not named. */
static bool only_static(const modification *m, bool changes_regular) {
    return !changes_regular && !m->regular_conditions &&
           (m->static_changes || m->static_conditions);
}

static corm_status finish(modification *m) {
    const cql_table *table = m->out->table;
    CORM_TRY(check_execution(m));
    m->out->is_counter = table->is_counter;
    m->out->static_only = table->clustering_count > 0 && !m->facts.has_clustering;
    return CORM_OK;
}

static corm_status add_change(modification *m, const cql_change *change) {
    cql_assign *assign = &m->out->assigns[m->out->assign_count++];
    CORM_TRY(cql__change(m->c, change, m->out->is_conditional, assign));
    bool is_static = assign->column->kind == CQL_STATIC;
    m->static_changes = m->static_changes || is_static;
    m->regular_changes = m->regular_changes || !is_static;
    return CORM_OK;
}

static corm_status where(modification *m, uint32_t count, const cql_relation *relations,
                         bool static_rows) {
    cql_where_input input = {
        .user = m->user, .count = count, .relations = relations, .only_static = static_rows
    };
    return cql__where(m->c, &input, &m->out->where, &m->facts);
}

/* ---- INSERT ---- */

static corm_status check_names(cql_checker *c, const cql_insert *insert) {
    if (insert->count != insert->value_count) {
        return base__fail(c->err, CORM_INVALID, "Unmatched column names/values");
    }
    for (uint32_t i = 0; i < insert->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!corm_str_equal(insert->columns[i].text, insert->columns[j].text)) continue;
            return base__fail(c->err, CORM_INVALID, "The column names contains duplicates");
        }
    }
    return CORM_OK;
}

static corm_status insert_values(modification *m, const cql_insert *insert) {
    cql_checker  *c = m->c;
    uint32_t      count = 0;
    bool          clustering = false;
    cql_relation *relations = BASE_NEW_ARRAY(c->arena, cql_relation, insert->count);
    m->out->assigns = BASE_NEW_ARRAY(c->arena, cql_assign, insert->count);
    if (!relations || !m->out->assigns) return base__fail_memory(c->err);
    CORM_TRY(check_names(c, insert));
    for (uint32_t i = 0; i < insert->count; i++) {
        const cql_column *column = NULL;
        CORM_TRY(cql__find_column(c, &insert->columns[i], &column));
        if (column->kind == CQL_CLUSTERING) clustering = true;
        if (column->kind == CQL_PARTITION_KEY || column->kind == CQL_CLUSTERING) {
            relations[count++] = (cql_relation){ .kind = CQL_REL_COLUMN,
                                                 .op = CQL_OP_EQ,
                                                 .column_count = 1,
                                                 .columns = &insert->columns[i],
                                                 .term_count = 1,
                                                 .terms = &insert->values[i] };
            continue;
        }
        cql_change change = { .kind = CQL_CHANGE_SET,
                              .column = insert->columns[i],
                              .value = insert->values[i] };
        CORM_TRY(add_change(m, &change));
    }
    return where(m, count, relations, !clustering && only_static(m, m->regular_changes));
}

/* A text that is given now is read now; that of a marker when it is executed. */
static corm_status insert_json(modification *m, const cql_insert *insert) {
    cql_receiver       receiver = cql__named_receiver(m->c, "[json]", cql__type_native(CQL_TEXT));
    cql_eval_env       env = { .context = { m->c->arena, 0 } };
    cql_checked_modify as_values;
    m->out->json_default_unset = insert->json_default_unset;
    m->facts.has_clustering = true;
    CORM_TRY(cql__term(m->c, insert->json, &receiver, &m->out->json));
    if (m->out->json->kind != CQL_NODE_CONSTANT) return CORM_OK;
    CORM_TRY(cql__json_insert(m->out, &env, &as_values, m->c->err));
    *m->out = as_values;
    return CORM_OK;
}

static corm_status check_insert(modification *m, const cql_insert *insert) {
    m->user = CQL_FOR_INSERT;
    m->out->if_not_exists = insert->if_not_exists;
    CORM_TRY(begin(m, &insert->using, 0, NULL));
    if (m->c->table->is_counter) {
        return base__fail(
            m->c->err, CORM_INVALID,
            "INSERT statements are not allowed on counter tables, use UPDATE instead");
    }
    CORM_TRY(insert->json ? insert_json(m, insert) : insert_values(m, insert));
    return check_conditional(m);
}

/* ---- UPDATE and DELETE ---- */

static corm_status check_changes(modification *m, const cql_update *update) {
    m->out->if_exists = update->if_exists;
    CORM_TRY(begin(m, &update->using, update->condition_count, update->conditions));
    m->out->assigns = BASE_NEW_ARRAY(m->c->arena, cql_assign, update->change_count);
    if (!m->out->assigns) return base__fail_memory(m->c->err);
    for (uint32_t i = 0; i < update->change_count; i++)
        CORM_TRY(add_change(m, &update->changes[i]));
    return CORM_OK;
}

static corm_status check_update(modification *m, const cql_update *update) {
    m->user = CQL_FOR_UPDATE;
    CORM_TRY(check_changes(m, update));
    CORM_TRY(where(m, update->where_count, update->where, only_static(m, m->regular_changes)));
    return check_conditional(m);
}

/* A conditional DELETE names one row, or only static columns. */
static corm_status check_one_row(modification *m, bool changes_regular) {
    const cql_where_facts *facts = &m->facts;
    bool                   one_row = facts->partition_complete && facts->partition_only_equal &&
                   facts->clustering_only_equal &&
                   facts->clustering_columns == m->out->table->clustering_count;
    if (!m->out->is_conditional || one_row) return CORM_OK;
    if (changes_regular) {
        return base__fail(
            m->c->err, CORM_INVALID,
            "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to "
            "delete non static columns");
    }
    if (!m->regular_conditions) return CORM_OK;
    return base__fail(
        m->c->err, CORM_INVALID,
        "DELETE statements must restrict all PRIMARY KEY columns with equality relations in order to use "
        "IF condition on non static columns");
}

/* Columns are deleted of rows, never of ranges. */
static void check_no_range(modification *m) {
    const cql_where_facts *facts = &m->facts;
    uint32_t               count = m->out->table->clustering_count;
    if (m->out->assign_count == 0) return;
    bool range = facts->has_clustering
                     ? facts->clustering_columns < count || !facts->clustering_only_equal
                     : m->regular_changes && count > 0;
    if (range)
        cql__refuse_execution(m->c, "Range deletions are not supported for specific columns");
}

static corm_status check_delete(modification *m, const cql_delete *delete_) {
    m->user = CQL_FOR_DELETE;
    CORM_TRY(check_changes(m, delete_));
    bool changes_regular = m->regular_changes || !m->static_changes;
    CORM_TRY(where(m, delete_->where_count, delete_->where, only_static(m, changes_regular)));
    CORM_TRY(check_conditional(m));
    CORM_TRY(check_one_row(m, changes_regular));
    m->out->deletes_rows = m->out->assign_count == 0;
    check_no_range(m);
    return CORM_OK;
}

corm_status cql__validate_modify(const cql_checked_modify *modify, corm_error *err) {
    if (modify->is_counter && modify->timestamp) {
        return base__fail(err, CORM_INVALID, "Cannot provide custom timestamp for counter updates");
    }
    if (modify->is_counter && modify->ttl) {
        return base__fail(err, CORM_INVALID, "Cannot provide custom TTL for counter updates");
    }
    return CORM_OK;
}

corm_status cql__check_modify(cql_checker *c, const cql_statement *statement,
                              cql_checked_modify *out) {
    modification m = { .c = c, .out = out };
    bool         insert = statement->kind == CQL_STMT_INSERT;
    CORM_TRY(cql__use_table(c, insert ? &statement->as.insert.table : &statement->as.update.table));
    *out = (cql_checked_modify){ .table = c->table };
    if (insert) {
        out->kind = CQL_MODIFY_INSERT;
        CORM_TRY(check_insert(&m, &statement->as.insert));
    } else if (statement->kind == CQL_STMT_UPDATE) {
        out->kind = CQL_MODIFY_UPDATE;
        CORM_TRY(check_update(&m, &statement->as.update));
    } else {
        out->kind = CQL_MODIFY_DELETE;
        CORM_TRY(check_delete(&m, &statement->as.delete_));
    }
    if (c->table->view)
        return base__fail(c->err, CORM_INVALID, "Cannot directly modify a materialized view");
    return finish(&m);
}
