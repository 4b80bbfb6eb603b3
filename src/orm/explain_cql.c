// SPDX-License-Identifier: MIT
/* explain_cql.c -- a statement's text explained: its tree beside the columns and indexes of the schema; whether the server takes it is
 * asked by preparing it, with and without ALLOW FILTERING. Any door. */
#include "orm/explain.h"

enum { MOST_KEYS = 64 };

/* What the conditions say of the key. */
typedef struct keys {
    uint32_t partition_columns, clustering_columns;
    uint32_t partition, clustering; /* equal, or in a list */
    bool in, token, slice; /* an IN of the partition key; token(); a range of a clustering column */
    bool rest;             /* conditions beside the key */
    int64_t partitions;
} keys;

static const corm_column_info *find_column(const orm_explaining *e, corm_str name) {
    for (uint32_t i = 0; i < e->info->column_count; i++) {
        if (corm_str_equal(corm_str_of(e->info->columns[i].name), name)) {
            return &e->info->columns[i];
        }
    }
    return NULL;
}

static bool is_clustering(const corm_column_info *column) {
    return column->key == CORM_CLUSTERING || column->key == CORM_CLUSTERING_DESC;
}

/* ---- conditions ---- */

static void print_relation(const cql_relation *relation, base_buf *out) {
    cql_select    select = { .all = true,
                             .where_count = 1,
                             .where = (cql_relation *)(uintptr_t)relation };
    cql_statement s = { .kind = CQL_STMT_SELECT };
    base_buf      text = { 0 };
    select.table.name.text = corm_str_of("t");
    s.as.select = select;
    cql__print(&s, &text);
    static const char before[] = "SELECT * FROM t WHERE ";
    if (text.failed || text.len < sizeof before) {
        out->failed = true;
    } else {
        base__buf_put(out, text.data + sizeof before - 1, text.len - (sizeof before - 1));
    }
    base__buf_free(&text);
}

static const orm_index *index_for(const orm_explaining *e, const cql_relation *relation) {
    for (uint32_t i = 0; i < e->index_count && relation->column_count == 1; i++) {
        const orm_index *index = &e->indexes[i];
        bool             of_keys = strcmp(index->target, "keys") == 0,
             entries = strcmp(index->target, "entries") == 0;
        if (!corm_str_equal(corm_str_of(index->column), relation->columns[0].text)) continue;
        switch (relation->op) {
        case CQL_OP_EQ:
            if (relation->kind == CQL_REL_ELEMENT ? entries : !of_keys && !entries) return index;
            break;
        case CQL_OP_CONTAINS:
            if (!of_keys && !entries) return index;
            break;
        case CQL_OP_CONTAINS_KEY:
            if (of_keys) return index;
            break;
        default:
            if (index->is_sai && relation->op != CQL_OP_IN && relation->op != CQL_OP_LIKE) {
                return index;
            }
            break;
        }
    }
    return NULL;
}

static int64_t in_count(const cql_relation *relation, const uint32_t *counts, uint32_t i) {
    if (relation->op != CQL_OP_IN) return 1;
    if (!relation->in_marker) return relation->term_count;
    return counts && counts[i] > 0 ? (int64_t)counts[i] : -1;
}

static bool is_equal(const cql_relation *relation) {
    return relation->op == CQL_OP_EQ || relation->op == CQL_OP_IN;
}

static void look_at(const orm_explaining *e, const cql_relation *relation, int64_t count,
                    keys *out) {
    if (relation->kind == CQL_REL_TOKEN) {
        out->token = true;
        return;
    }
    for (uint32_t i = 0; i < relation->column_count; i++) {
        const corm_column_info *column = find_column(e, relation->columns[i].text);
        if (!column) continue;
        bool equal = is_equal(relation) && relation->kind != CQL_REL_ELEMENT;
        if (column->key == CORM_PARTITION && equal) {
            out->partition++;
            out->in |= relation->op == CQL_OP_IN;
            bool known = count >= 0 && out->partitions >= 0;
            out->partitions = known ? out->partitions * count : -1;
        } else if (is_clustering(column) && relation->kind != CQL_REL_ELEMENT) {
            out->clustering += equal;
            out->slice |= !equal;
        } else {
            out->rest = true;
        }
    }
}

static keys keys_of(const orm_explaining *e, const cql_relation *where, uint32_t count,
                    const uint32_t *counts) {
    keys out = { .partitions = 1 };
    for (uint32_t i = 0; i < e->info->column_count; i++) {
        out.partition_columns += e->info->columns[i].key == CORM_PARTITION;
        out.clustering_columns += is_clustering(&e->info->columns[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        look_at(e, &where[i], in_count(&where[i], counts, i), &out);
    return out;
}

static corm_access access_of(const keys *k, bool indexed) {
    if (k->partition < k->partition_columns) {
        if (indexed) return CORM_ACCESS_INDEX;
        return k->token ? CORM_ACCESS_RANGE : CORM_ACCESS_TABLE;
    }
    if (k->in) return CORM_ACCESS_PARTITIONS;
    if (k->clustering == k->clustering_columns && !k->slice) return CORM_ACCESS_ROW;
    return k->clustering > 0 || k->slice ? CORM_ACCESS_SLICE : CORM_ACCESS_PARTITION;
}

/* ---- what the store does with each condition ---- */

static void tell_condition(orm_explaining *e, const cql_relation *relation, const keys *k) {
    base_buf                text = { 0 };
    const corm_column_info *column =
        relation->column_count > 0 ? find_column(e, relation->columns[0].text) : NULL;
    const orm_index *index = index_for(e, relation);
    bool             pinned = k->partition == k->partition_columns;
    const char      *how = "by reading rows and leaving out others";
    print_relation(relation, &text);
    if (relation->kind == CQL_REL_TOKEN) {
        how = "by the ring";
    } else if (column && column->key == CORM_PARTITION && pinned) {
        how = "by the partition key";
    } else if (column && is_clustering(column) && pinned) {
        how = "by the clustering key";
    } else if (index) {
        how = orm__explain_copy(e, "by the index %s", index->name);
        if (!e->out.index) e->out.index = index->name;
    }
    const char *condition = base__buf_cstr(&text);
    e->no_memory |= !condition;
    if (condition) orm__explain_add(e, &e->store, "%s %s", condition, how);
    base__buf_free(&text);
}

static bool any_index(const orm_explaining *e, const cql_relation *where, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (index_for(e, &where[i])) return true;
    }
    return false;
}

static void tell_where(orm_explaining *e, const cql_relation *where, uint32_t count,
                       const uint32_t *counts) {
    keys k = keys_of(e, where, count, counts);
    for (uint32_t i = 0; i < count; i++) tell_condition(e, &where[i], &k);
    e->out.access = access_of(&k, any_index(e, where, count));
    e->out.partitions = k.partition < k.partition_columns ? -1 : k.partitions;
    if (e->out.access != CORM_ACCESS_INDEX && k.partition < k.partition_columns)
        e->out.index = NULL;
}

/* ---- does the server take it ---- */

static bool wants_filtering(const corm_error *why) {
    return strstr(why->message, "ALLOW FILTERING") != NULL;
}

static corm_status try_statement(orm_explaining *e, const cql_statement *s, bool *taken,
                                 corm_error *why) {
    base_buf       text = { 0 };
    corm_prepared *prepared = NULL;
    cql__print(s, &text);
    const char *cql = base__buf_cstr(&text);
    corm_status status =
        cql ? corm_prepare(e->session, cql, &prepared, why) : base__fail_memory(why);
    corm_prepared_free(prepared);
    base__buf_free(&text);
    *taken = status == CORM_OK;
    bool refused = status == CORM_INVALID || status == CORM_SYNTAX_ERROR ||
                   status == CORM_UNAUTHORIZED || status == CORM_UNSUPPORTED;
    return refused ? CORM_OK : status;
}

static corm_status ask_server(orm_explaining *e, cql_statement *s, corm_error *err) {
    corm_error why = { 0 };
    bool       taken, select = s->kind == CQL_STMT_SELECT;
    bool       said = select && s->as.select.allow_filtering;
    e->out.allows_filtering = said;
    corm_status status = try_statement(e, s, &taken, &why);
    if (status == CORM_OK && !taken) {
        e->out.needs_filtering = select && wants_filtering(&why);
        e->out.refused = orm__explain_copy(e, "%s", why.message);
    } else if (status == CORM_OK && said) {
        s->as.select.allow_filtering = false;
        status = try_statement(e, s, &taken, &why);
        s->as.select.allow_filtering = true;
        e->out.needs_filtering = !taken && wants_filtering(&why);
    }
    if (status != CORM_OK) return base__fail(err, status, "%s", why.message);
    return CORM_OK;
}

/* ---- statements ---- */

static void tell_select(orm_explaining *e, const cql_select *select, const uint32_t *counts) {
    tell_where(e, select->where, select->where_count, counts);
    for (uint32_t i = 0; i < select->order_count; i++) {
        const cql_order *order = &select->order_by[i];
        corm_str         name = order->column.text;
        if (order->ann_of) {
            orm__explain_add(e, &e->store, "nearest neighbours of %.*s, by its vector index",
                             (int)name.len, name.data);
            e->out.access = CORM_ACCESS_INDEX;
        } else {
            orm__explain_add(e, &e->store, "order of %.*s", (int)name.len, name.data);
        }
    }
    if (select->group_count > 0) orm__explain_add(e, &e->store, "groups");
    if (select->per_partition_limit) orm__explain_add(e, &e->store, "limit of each partition");
    if (select->limit) orm__explain_add(e, &e->store, "limit");
    orm__explain_advise(e, select);
}

static void tell_insert(orm_explaining *e, const cql_insert *insert) {
    e->out.access = CORM_ACCESS_ROW;
    e->out.partitions = 1;
    orm__explain_add(e, &e->store, "writes %u columns of a row", insert->count);
    if (insert->if_not_exists) {
        orm__explain_warn(e, NULL,
                          "IF NOT EXISTS is a lightweight transaction: the replicas agree in "
                          "four rounds before the row is written");
    }
}

static void tell_update(orm_explaining *e, const cql_update *update, bool deletes) {
    tell_where(e, update->where, update->where_count, NULL);
    orm__explain_add(e, &e->store, deletes ? "deletes" : "writes");
    if (update->if_exists || update->condition_count > 0) {
        orm__explain_warn(e, NULL,
                          "IF is a lightweight transaction: the replicas agree in four rounds "
                          "before anything is written");
    }
    if (deletes && (e->out.access == CORM_ACCESS_SLICE || e->out.access == CORM_ACCESS_PARTITION)) {
        orm__explain_warn(e, "Delete few ranges, and let tables of short-lived rows expire by TTL.",
                          "a deleted range is kept for gc_grace_seconds, and reads pass over it");
    }
    for (uint32_t i = 0; i < update->change_count; i++) {
        cql_change_kind kind = update->changes[i].kind;
        if (kind != CQL_CHANGE_ADD && kind != CQL_CHANGE_SUBTRACT && kind != CQL_CHANGE_PREPEND)
            continue;
        const corm_column_info *column = find_column(e, update->changes[i].column.text);
        bool                    again = column && (strcmp(column->type, "counter") == 0 ||
                                strncmp(column->type, "list", 4) == 0);
        if (!again) continue;
        orm__explain_warn(
            e, "A set or a map can be added to again without a difference.",
            "adding to '%s' twice is not the same as once: it is not sent again when it "
            "is not known what became of it",
            column->name);
    }
}

static const cql_ref *table_of(const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_SELECT: return &s->as.select.table;
    case CQL_STMT_INSERT: return &s->as.insert.table;
    case CQL_STMT_UPDATE:
    case CQL_STMT_DELETE: return &s->as.update.table;
    default: return NULL;
    }
}

static corm_status tell(orm_explaining *e, cql_statement *s, const uint32_t *counts,
                        corm_error *err) {
    const cql_ref *table = table_of(s);
    if (!table) {
        return base__fail(err, CORM_UNSUPPORTED, "%s is not explained",
                          cql__statement_name(s->kind));
    }
    const char *keyspace = table->keyspace.text.data ? table->keyspace.text.data : NULL;
    if (keyspace) keyspace = orm__explain_copy(e, "%.*s", (int)table->keyspace.text.len, keyspace);
    const char *name =
        orm__explain_copy(e, "%.*s", (int)table->name.text.len, table->name.text.data);
    if (e->no_memory) return base__fail_memory(err);
    CORM_TRY(orm__explain_schema(e, keyspace, name, err));
    CORM_TRY(ask_server(e, s, err));
    if (s->kind == CQL_STMT_SELECT) tell_select(e, &s->as.select, counts);
    if (s->kind == CQL_STMT_INSERT) tell_insert(e, &s->as.insert);
    if (s->kind == CQL_STMT_UPDATE) tell_update(e, &s->as.update, false);
    if (s->kind == CQL_STMT_DELETE) tell_update(e, &s->as.delete_, true);
    return CORM_OK;
}

corm_status orm__explain_text(orm_explaining *e, corm_str cql, const uint32_t *counts,
                              corm_error *err) {
    cql_statement *s;
    orm__explain_add(e, &e->statements, "%.*s", (int)cql.len, cql.data);
    CORM_TRY(cql__parse(&e->arena, cql, &s, NULL, err));
    return tell(e, s, counts, err);
}

corm_status corm_explain_cql(corm_session *session, const char *cql, const corm_explanation **out,
                             corm_error *err) {
    orm_explaining *e;
    *out = NULL;
    if (!cql) return base__fail(err, CORM_INVALID_ARGUMENT, "the statement is NULL");
    CORM_TRY(orm__explain_new(session, &e, err));
    corm_status status = orm__explain_text(e, corm_str_of(cql), NULL, err);
    if (status == CORM_OK) status = orm__explain_end(e, err);
    if (status != CORM_OK) {
        corm_explanation_free(&e->out);
        return status;
    }
    *out = &e->out;
    return CORM_OK;
}
