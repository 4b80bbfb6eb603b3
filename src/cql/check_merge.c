// SPDX-License-Identifier: MIT
/* check_merge.c -- several relations on the same columns: what may stand together, and what they are together. */
#include "cql/check_internal.h"

/* The names of the columns that both are about. */
static corm_str common_names(cql_checker *c, const cql_rule_set *a, const cql_rule_set *b) {
    const cql_column **common = BASE_NEW_ARRAY(c->arena, const cql_column *, a->count);
    uint32_t           count = 0;
    for (uint32_t i = 0; common && i < a->count; i++) {
        for (uint32_t j = 0; j < b->count; j++) {
            if (a->columns[i] == b->columns[j]) common[count++] = a->columns[i];
        }
    }
    if (common) return cql__join_names(c, common, count, " ,");
    c->no_memory = true;
    return (corm_str){ "", 0 };
}

corm_status cql__refuse_mixed(cql_checker *c, corm_str names) {
    return base__fail(
        c->err, CORM_INVALID,
        "Column \"%.*s\" cannot be restricted by both an equality and an inequality relation",
        CQL_STR(names));
}

static corm_status merge_slices(cql_checker *c, const cql_rule_set *a, const cql_rule_set *b,
                                cql_rule_set *out) {
    corm_str names = common_names(c, a, b);
    bool     multi = a->multi || b->multi;
    if (b->rule != CQL_RULE_SLICE) return cql__refuse_mixed(c, names);
    if (multi && a->columns[0] != b->columns[0]) {
        const cql_column *later =
            a->columns[0]->position > b->columns[0]->position ? a->columns[0] : b->columns[0];
        return base__fail(
            c->err, CORM_INVALID,
            "Column \"%.*s\" cannot be restricted by two inequalities not starting with the same column",
            CQL_STR(later->name));
    }
    if ((a->lower && b->lower) || (a->upper && b->upper)) {
        return base__fail(c->err, CORM_INVALID,
                          "More than one restriction was found for the %s bound on %.*s",
                          a->lower && b->lower ? "start" : "end", CQL_STR(names));
    }
    const cql_rule_set *longer = a->count >= b->count ? a : b;
    *out = *longer;
    out->multi = multi;
    out->lower = a->lower ? a->lower : b->lower;
    out->lower_inclusive = a->lower ? a->lower_inclusive : b->lower_inclusive;
    out->upper = a->upper ? a->upper : b->upper;
    out->upper_inclusive = a->upper ? a->upper_inclusive : b->upper_inclusive;
    return CORM_OK;
}

static corm_status merge_contains(cql_checker *c, const cql_rule_set *a, const cql_rule_set *b,
                                  cql_rule_set *out) {
    if (b->rule != CQL_RULE_CONTAINS) {
        return base__fail(
            c->err, CORM_INVALID,
            "Collection column %.*s can only be restricted by CONTAINS, CONTAINS KEY, or map-entry equality",
            CQL_STR(a->columns[0]->name));
    }
    *out = *a;
    out->contains = BASE_NEW_ARRAY(c->arena, cql_contains, a->contains_count + b->contains_count);
    if (!out->contains) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < a->contains_count; i++) out->contains[i] = a->contains[i];
    for (uint32_t i = 0; i < b->contains_count; i++)
        out->contains[out->contains_count++] = b->contains[i];
    return CORM_OK;
}

/* `b` comes after `a`. */
static corm_status merge_two(cql_checker *c, const cql_rule_set *a, const cql_rule_set *b,
                             cql_rule_set *out) {
    switch (a->rule) {
    case CQL_RULE_SLICE: return merge_slices(c, a, b, out);
    case CQL_RULE_CONTAINS: return merge_contains(c, a, b, out);
    default: break;
    }
    static const char *const what[] = {
        [CQL_RULE_EQ] = "an Equal", [CQL_RULE_IN] = "a IN", [CQL_RULE_LIKE] = "a LIKE"
    };
    return base__fail(c->err, CORM_INVALID,
                      "%s cannot be restricted by more than one relation if it includes %s",
                      cql__shown(common_names(c, a, b)), what[a->rule]);
}

/* The rules of the clustering key, each once, in key order: the last of them, and the first behind a column. */
static const cql_rule_set *last_clustering(const cql_checker *c, const cql_rules *rules) {
    for (uint32_t i = c->table->clustering_count; i > 0; i--) {
        const cql_rule_set *rule = rules->by_column[c->table->partition_count + i - 1];
        if (rule) return rule;
    }
    return NULL;
}

static const cql_column *next_restricted(const cql_checker *c, const cql_rules *rules,
                                         const cql_column *behind) {
    for (uint32_t i = behind->position + 1; i < c->table->clustering_count; i++) {
        const cql_column *column = &c->table->columns[c->table->partition_count + i];
        if (rules->by_column[column->index]) return column;
    }
    return behind;
}

/* Without filtering, nothing may stand behind a slice. `last` was the last rule before this one came. */
static corm_status check_order(cql_checker *c, const cql_rules *rules, const cql_rule_set *last,
                               const cql_rule_set *rule) {
    if (!last || rules->allow_filtering || cql__rule_has_index(c->table, rule)) return CORM_OK;
    const cql_column *old_start = last->columns[0], *new_start = rule->columns[0];
    if (last->rule == CQL_RULE_SLICE && new_start->position > old_start->position) {
        return base__fail(
            c->err, CORM_INVALID,
            "Clustering column \"%.*s\" cannot be restricted (preceding column \"%.*s\" is restricted "
            "by a non-EQ relation)",
            CQL_STR(new_start->name), CQL_STR(old_start->name));
    }
    if (new_start->position < old_start->position && rule->rule == CQL_RULE_SLICE) {
        const cql_column *next = next_restricted(c, rules, new_start);
        return base__fail(
            c->err, CORM_INVALID,
            "PRIMARY KEY column \"%.*s\" cannot be restricted (preceding column \"%.*s\" is restricted "
            "by a non-EQ relation)",
            CQL_STR(next->name), CQL_STR(new_start->name));
    }
    return CORM_OK;
}

corm_status cql__merge_rule(cql_checker *c, cql_rules *rules, const cql_rule_set *rule) {
    bool                clustering = rule->columns[0]->kind == CQL_CLUSTERING;
    const cql_rule_set *last = clustering ? last_clustering(c, rules) : NULL;
    cql_rule_set       *merged = base__arena_copy(c->arena, rule, sizeof *rule);
    if (!merged) return base__fail_memory(c->err);
    const cql_rule_set *seen = NULL;
    for (uint32_t i = 0; i < rule->count; i++) {
        const cql_rule_set *old = rules->by_column[rule->columns[i]->index];
        if (!old || old == seen) continue;
        CORM_TRY(merge_two(c, old, rule, merged));
        seen = old;
    }
    if (clustering) CORM_TRY(check_order(c, rules, last, rule));
    for (uint32_t i = 0; i < merged->count; i++)
        rules->by_column[merged->columns[i]->index] = merged;
    return CORM_OK;
}
