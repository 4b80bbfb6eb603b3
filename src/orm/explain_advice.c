// SPDX-License-Identifier: MIT
/* explain_advice.c -- warnings about a SELECT that reads more than its rows, each with the better form. One thread. */
#include "orm/explain.h"

static bool is_key_of(const orm_explaining *e, corm_str name, corm_key key) {
    for (uint32_t i = 0; i < e->info->column_count; i++) {
        const corm_column_info *column = &e->info->columns[i];
        if (column->key == key && corm_str_equal(corm_str_of(column->name), name)) return true;
    }
    return false;
}

/* The columns that are asked for by equality, "a, b": what a table that answers would have as its partition key. */
static const char *asked_for(orm_explaining *e, const cql_select *select) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < select->where_count; i++) {
        const cql_relation *relation = &select->where[i];
        if (relation->kind != CQL_REL_COLUMN || relation->op != CQL_OP_EQ) continue;
        base__buf_printf(&text, "%s%.*s", text.len > 0 ? ", " : "",
                         (int)relation->columns[0].text.len, relation->columns[0].text.data);
    }
    const char *cstr = base__buf_cstr(&text);
    const char *out = cstr && *cstr ? orm__explain_copy(e, "%s", cstr) : NULL;
    e->no_memory |= !cstr;
    base__buf_free(&text);
    return out;
}

static const char *key_names(orm_explaining *e, const char *without) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < e->info->column_count; i++) {
        const corm_column_info *column = &e->info->columns[i];
        if (column->key == CORM_REGULAR || column->key == CORM_STATIC) continue;
        if (without && strstr(without, column->name)) continue;
        base__buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", column->name);
    }
    const char *cstr = base__buf_cstr(&text);
    const char *out = cstr ? orm__explain_copy(e, "%s", cstr) : "";
    e->no_memory |= !cstr;
    base__buf_free(&text);
    return out;
}

static const char *query_table_for(orm_explaining *e, const cql_select *select) {
    const char *asked = asked_for(e, select);
    if (!asked) {
        return "Give the partition key; for work on all rows use corm_cursor, corm_scan or a stream.";
    }
    return orm__explain_copy(e,
                             "A query table answers it: { .table = \"%s_by_%s\", .partition_key = "
                             "\"%s\", .clustering_key = \"%s\" }.",
                             e->info->name, strchr(asked, ',') ? "these" : asked, asked,
                             key_names(e, asked));
}

static bool counts_rows(const cql_select *select) {
    for (uint32_t i = 0; i < select->selector_count; i++) {
        if (select->selectors[i].expr->kind == CQL_EXPR_COUNT_ALL) return true;
    }
    return false;
}

static void advise_table(orm_explaining *e, const cql_select *select) {
    if (e->out.access != CORM_ACCESS_TABLE) return;
    if (counts_rows(select)) {
        orm__explain_warn(e, "Count in one partition, or keep a counter beside the rows.",
                          "the rows of the whole table are counted one by one");
        return;
    }
    if (e->out.needs_filtering) return;
    orm__explain_warn(
        e, query_table_for(e, select),
        "the partition key (%s) is not given: every node reads all it has of the table",
        key_names(e, NULL));
}

static void advise_filtering(orm_explaining *e, const cql_select *select) {
    if (!e->out.needs_filtering) {
        if (!e->out.allows_filtering) return;
        orm__explain_warn(e, "Leave ALLOW FILTERING out: it hides the next condition's cost.",
                          "ALLOW FILTERING is said where nothing is filtered");
        return;
    }
    bool one = e->out.access <= CORM_ACCESS_PARTITION;
    orm__explain_warn(e, query_table_for(e, select),
                      "%s reads every row of %s and throws away those that do not match",
                      e->out.allows_filtering ? "filtering"
                                              : "it would need ALLOW FILTERING, which",
                      one ? "the partition" : "the table");
}

static void advise_index(orm_explaining *e, const cql_select *select) {
    if (e->out.access == CORM_ACCESS_INDEX && e->out.index) {
        orm__explain_warn(
            e, query_table_for(e, select),
            "the index is asked on every node, because the partition key is not given");
    }
}

static void advise_in(orm_explaining *e, const cql_select *select) {
    for (uint32_t i = 0; i < select->where_count; i++) {
        const cql_relation *relation = &select->where[i];
        bool                key =
            relation->column_count > 0 && is_key_of(e, relation->columns[0].text, CORM_PARTITION);
        if (relation->op != CQL_OP_IN || !key) continue;
        orm__explain_warn(
            e, "Ask for each partition by itself, at the same time: each goes to its own replicas.",
            "one node gathers all partitions of the IN, and waits for the slowest");
        return;
    }
}

static void advise_ann(orm_explaining *e, const cql_select *select) {
    for (uint32_t i = 0; i < select->order_count; i++) {
        if (!select->order_by[i].ann_of || select->limit) continue;
        orm__explain_warn(e, "Say a LIMIT.",
                          "ANN OF without a LIMIT gives 10 rows a page and no more");
    }
}

void orm__explain_advise(orm_explaining *e, const cql_select *select) {
    advise_table(e, select);
    advise_filtering(e, select);
    advise_index(e, select);
    advise_in(e, select);
    advise_ann(e, select);
}
