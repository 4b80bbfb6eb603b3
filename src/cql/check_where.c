// SPDX-License-Identifier: MIT
/* check_where.c -- the WHERE clause as a whole: what must be restricted, what may be, and when ALLOW FILTERING is needed.
 *
 * The steps and their order are the server's, since each has words of its own. */
#include "base/text.h"
#include "cql/check_plan.h"

#define NEEDS_FILTERING                                                                                                 \
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. If you " \
    "want to execute this query despite the performance unpredictability, use ALLOW FILTERING"

/* A WHERE clause being checked. */
typedef struct clause {
    cql_checker           *c;
    const cql_where_input *input;
    cql_where_facts       *facts;
    cql_rules              rules;
    cql_token_range        token;
    bool                   token_equal;
    bool                   has_index; /* an index answers something */
    bool                   clustering_has_index;
    bool                   partition_needs, clustering_needs;      /* to be looked at row by row */
    bool partition_filtered, clustering_filtered, others_filtered; /* are among the filters */
} clause;

static const char *user_name(cql_where_user user) {
    static const char *const names[] = { "SELECT", "INSERT", "UPDATE", "DELETE" };
    return names[user];
}

/* ---- collecting ---- */

static corm_status refuse_relation(clause *w, const cql_relation *relation) {
    cql_checker *c = w->c;
    bool         contains = relation->op == CQL_OP_CONTAINS || relation->op == CQL_OP_CONTAINS_KEY;
    bool         select = w->input->user == CQL_FOR_SELECT;
    if (relation->kind == CQL_REL_EXPR && !select) {
        return base__fail(
            c->err, CORM_INVALID,
            "Custom index expressions cannot be used in WHERE clauses for UPDATE or DELETE statements");
    }
    if (contains && !select) {
        return base__fail(c->err, CORM_INVALID, "Cannot use %s with %s", user_name(w->input->user),
                          cql__operator_text(relation->op));
    }
    if (relation->op == CQL_OP_IS_NOT_NULL) {
        return base__fail(c->err, CORM_INVALID, "Unsupported restriction: %s",
                          cql__shown(cql__relation_text(c, relation)));
    }
    return CORM_OK;
}

/* expr(index, …): no class of index has expressions of its own. */
static corm_status check_expressions(clause *w) {
    const cql_table    *table = w->c->table;
    const cql_relation *found = NULL;
    for (uint32_t i = 0; i < w->input->count; i++) {
        if (w->input->relations[i].kind != CQL_REL_EXPR) continue;
        if (found) {
            return base__fail(
                w->c->err, CORM_INVALID,
                "Multiple custom index expressions in a single query are not supported");
        }
        found = &w->input->relations[i];
    }
    if (!found) return CORM_OK;
    corm_str name = found->columns[0].text;
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (!corm_str_equal(table->indexes[i].name, name)) continue;
        return base__fail(w->c->err, CORM_INVALID,
                          table->indexes[i].class_name.data
                              ? "Index %.*s does not support custom expressions"
                              : "Only CUSTOM indexes may be used in custom index expressions, %.*s "
                                "is not valid",
                          CQL_STR(name));
    }
    return base__fail(w->c->err, CORM_INVALID,
                      "Invalid index expression, index %.*s not found for %.*s.%.*s", CQL_STR(name),
                      CQL_STR(table->keyspace), CQL_STR(table->name));
}

/* The server has LIKE only with an index for it; here filtering answers it too. */
static corm_status check_like(clause *w, const cql_relation *relation, const cql_rule_set *rule) {
    if (rule->rule != CQL_RULE_LIKE) return CORM_OK;
    const cql_type *type = rule->columns[0]->type;
    bool            is_text = type->id == CQL_TEXT || type->id == CQL_ASCII;
    bool            available = w->input->allow_filtering || cql__rule_has_index(w->c->table, rule);
    if (is_text && available && w->input->user == CQL_FOR_SELECT) return CORM_OK;
    return base__fail(
        w->c->err, CORM_INVALID,
        "LIKE restriction is only supported on properly indexed columns. %s is not valid.",
        cql__shown(cql__relation_text(w->c, relation)));
}

static corm_status collect(clause *w) {
    w->rules.count = w->c->table->column_count;
    w->rules.allow_filtering = w->input->allow_filtering;
    w->rules.by_column = BASE_NEW_ARRAY(w->c->arena, cql_rule_set *, w->rules.count);
    if (!w->rules.by_column) return base__fail_memory(w->c->err);
    for (uint32_t i = 0; i < w->input->count; i++) {
        const cql_relation *relation = &w->input->relations[i];
        cql_rule_set        rule;
        CORM_TRY(refuse_relation(w, relation));
        if (relation->kind == CQL_REL_EXPR) continue;
        if (relation->kind == CQL_REL_TOKEN) {
            CORM_TRY(cql__token_relation(w->c, relation, &w->token, &w->token_equal));
            continue;
        }
        CORM_TRY(cql__relation(w->c, relation, &rule));
        CORM_TRY(check_like(w, relation, &rule));
        CORM_TRY(cql__merge_rule(w->c, &w->rules, &rule));
    }
    return check_expressions(w);
}

/* ---- looking over the rules ---- */

typedef struct summary {
    uint32_t columns; /* restricted */
    bool     has_in, has_slice, has_contains, has_like, has_index, only_equal;
} summary;

static summary summarize(const clause *w, uint32_t first, uint32_t end) {
    summary s = { .only_equal = true };
    for (uint32_t i = first; i < end; i++) {
        const cql_rule_set *rule = w->rules.by_column[i];
        if (!rule) continue;
        s.columns++;
        s.has_in = s.has_in || rule->rule == CQL_RULE_IN;
        s.has_slice = s.has_slice || rule->rule == CQL_RULE_SLICE;
        s.has_contains = s.has_contains || rule->rule == CQL_RULE_CONTAINS;
        s.has_like = s.has_like || rule->rule == CQL_RULE_LIKE;
        s.has_index = s.has_index || cql__rule_has_index(w->c->table, rule);
        s.only_equal = s.only_equal && (rule->rule == CQL_RULE_EQ || rule->rule == CQL_RULE_IN);
    }
    return s;
}

static summary of_partition(const clause *w) {
    return summarize(w, 0, w->c->table->partition_count);
}
static summary of_clustering(const clause *w) {
    uint32_t first = w->c->table->partition_count;
    return summarize(w, first, first + w->c->table->clustering_count);
}
static summary of_others(const clause *w) {
    return summarize(w, w->c->table->partition_count + w->c->table->clustering_count,
                     w->c->table->column_count);
}

/* The names of key columns [first, end) without a rule. */
static corm_str missing_names(const clause *w, uint32_t first, uint32_t end) {
    const cql_column **missing = BASE_NEW_ARRAY(w->c->arena, const cql_column *, end - first);
    uint32_t           count = 0;
    for (uint32_t i = first; missing && i < end; i++) {
        if (!w->rules.by_column[i]) missing[count++] = &w->c->table->columns[i];
    }
    return missing ? cql__join_names(w->c, missing, count, ", ") : (corm_str){ "", 0 };
}

/* Tables of the server's own views answer any question without being told to filter. */
static bool filters_silently(const cql_table *table) {
    return table->is_virtual &&
           (corm_str_equal(table->keyspace, corm_str_of("system_views")) ||
            corm_str_equal(table->keyspace, corm_str_of("system_virtual_schema")));
}

static bool must_ask(const clause *w) {
    return !w->input->allow_filtering && !filters_silently(w->c->table);
}

/* ---- the partition key ---- */

static corm_status require_partition(clause *w, const summary *key) {
    cql_checker *c = w->c;
    bool         token = w->token.present;
    bool         whole = key->columns == c->table->partition_count;
    if (token && (w->partition_needs || !whole)) {
        return base__fail(c->err, CORM_INVALID,
                          "The token function cannot be used in WHERE clauses for %s statements",
                          user_name(w->input->user));
    }
    if (!whole) {
        return base__fail(c->err, CORM_INVALID, "Some partition key parts are missing: %s",
                          cql__shown(missing_names(w, 0, c->table->partition_count)));
    }
    if (!key->has_slice) return CORM_OK;
    return base__fail(
        c->err, CORM_INVALID,
        "Only EQ and IN relation are supported on the partition key (unless you use the token() function) "
        "for %s statements",
        user_name(w->input->user));
}

static corm_status check_partition(clause *w) {
    summary key = of_partition(w);
    bool    whole = key.columns == w->c->table->partition_count;
    w->partition_needs =
        key.columns > 0 && (!whole || key.has_slice || key.has_contains || key.has_like);
    w->facts->key_in = key.has_in && !(w->token.present && w->partition_needs);
    w->facts->partition_only_equal = key.only_equal;
    w->facts->partition_complete = whole;
    w->facts->has_partition = key.columns > 0 || w->token.present;
    if (w->input->user != CQL_FOR_SELECT) return require_partition(w, &key);
    if (w->token.present && !whole) w->facts->is_key_range = true;
    if (key.columns == 0 && !w->token.present) {
        w->facts->is_key_range = true;
        w->facts->uses_index = w->has_index;
    }
    if (w->partition_needs) {
        if (must_ask(w) && !w->has_index)
            return base__fail(w->c->err, CORM_INVALID, NEEDS_FILTERING);
        w->facts->is_key_range = true;
        w->facts->uses_index = w->has_index;
    }
    w->partition_filtered = w->facts->uses_index || w->partition_needs;
    return CORM_OK;
}

/* ---- the clustering key ---- */

static bool clustering_needs_filtering(const clause *w, bool has_contains) {
    uint32_t first = w->c->table->partition_count, position = 0;
    for (uint32_t i = 0; i < w->c->table->clustering_count;) {
        const cql_rule_set *rule = w->rules.by_column[first + i];
        i += rule ? rule->count : 1;
        if (!rule) continue;
        if (cql__clustering_by_filter(rule, position)) return true;
        if (rule->rule != CQL_RULE_SLICE) position = i;
    }
    return has_contains;
}

static corm_status check_only_static(clause *w) {
    if (!w->input->only_static || !w->facts->has_clustering) return CORM_OK;
    if (w->input->user == CQL_FOR_SELECT) {
        return base__fail(w->c->err, CORM_INVALID,
                          "Cannot restrict clustering columns when selecting only static columns");
    }
    if (w->input->user == CQL_FOR_INSERT) return CORM_OK;
    return base__fail(
        w->c->err, CORM_INVALID,
        "Invalid restrictions on clustering columns since the %s statement modifies only static columns",
        user_name(w->input->user));
}

static corm_status require_clustering(clause *w, const summary *key) {
    uint32_t first = w->c->table->partition_count, count = w->c->table->clustering_count;
    if (key->has_slice) {
        return base__fail(
            w->c->err, CORM_INVALID,
            "Slice restrictions are not supported on the clustering columns in %s statements",
            user_name(w->input->user));
    }
    if (w->input->only_static || key->columns == count) return CORM_OK;
    return base__fail(w->c->err, CORM_INVALID, "Some clustering keys are missing: %s",
                      cql__shown(missing_names(w, first, first + count)));
}

static corm_status refuse_gap(clause *w) {
    uint32_t first = w->c->table->partition_count, expected = 0;
    for (uint32_t i = 0; i < w->c->table->clustering_count; i++) {
        const cql_column *column = &w->c->table->columns[first + i];
        if (!w->rules.by_column[first + i]) continue;
        const cql_column *before = &w->c->table->columns[first + expected++];
        if (before == column) continue;
        return base__fail(
            w->c->err, CORM_INVALID,
            "PRIMARY KEY column \"%.*s\" cannot be restricted as preceding column \"%.*s\" is not restricted",
            CQL_STR(column->name), CQL_STR(before->name));
    }
    return CORM_OK;
}

static corm_status check_clustering(clause *w) {
    summary key = of_clustering(w);
    w->facts->has_clustering = key.columns > 0;
    w->facts->clustering_in = key.has_in;
    w->facts->clustering_only_equal = key.only_equal;
    w->facts->clustering_columns = key.columns;
    w->clustering_needs = clustering_needs_filtering(w, key.has_contains);
    bool filtering = w->input->allow_filtering;
    CORM_TRY(check_only_static(w));
    if (w->input->user == CQL_FOR_INSERT || w->input->user == CQL_FOR_UPDATE)
        return require_clustering(w, &key);
    if (key.has_contains && !w->has_index && !filtering) {
        return base__fail(
            w->c->err, CORM_INVALID,
            "Clustering columns can only be restricted with CONTAINS with a secondary index or filtering");
    }
    if (key.columns > 0 && w->clustering_needs) {
        if (w->has_index) w->facts->uses_index = true;
        if (!w->has_index && !filtering) CORM_TRY(refuse_gap(w));
    }
    if (w->facts->is_key_range && w->clustering_has_index) w->facts->uses_index = true;
    w->clustering_filtered = w->facts->uses_index || w->clustering_needs;
    return CORM_OK;
}

/* ---- static and regular columns ---- */

static bool is_indexed(const cql_table *table, const cql_column *column) {
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].column == column) return true;
    }
    return false;
}

/* The server keeps these columns by name, static and regular ones together. */
static corm_str other_names(clause *w) {
    const cql_table   *table = w->c->table;
    uint32_t           first = table->partition_count + table->clustering_count, count = 0;
    const cql_column **names =
        BASE_NEW_ARRAY(w->c->arena, const cql_column *, table->column_count - first);
    if (!names) return (corm_str){ "", 0 };
    uint32_t statics = first, regulars = first + table->static_count;
    while (statics < first + table->static_count || regulars < table->column_count) {
        bool take_static =
            statics < first + table->static_count &&
            (regulars == table->column_count ||
             base__str_compare(table->columns[statics].name, table->columns[regulars].name) < 0);
        const cql_column *column = &table->columns[take_static ? statics++ : regulars++];
        if (w->rules.by_column[column->index]) names[count++] = column;
    }
    return cql__join_names(w->c, names, count, ", ");
}

static corm_status check_others(clause *w) {
    const cql_table *table = w->c->table;
    summary          all = of_others(w);
    if (all.columns == 0 && !w->input->ann) return CORM_OK;
    w->facts->has_other = true;
    w->facts->other_only_static = true;
    if (w->input->ann) {
        CORM_TRY(
            cql__ann_rows(w->c, w->input->ann, &w->rules, w->partition_needs, w->clustering_needs));
        if (w->input->ann->column->kind != CQL_STATIC) w->facts->other_only_static = false;
    }
    if (w->input->user != CQL_FOR_SELECT) {
        return base__fail(w->c->err, CORM_INVALID,
                          "Non PRIMARY KEY columns found in where clause: %s ",
                          cql__shown(other_names(w)));
    }
    for (uint32_t i = table->partition_count + table->clustering_count; i < table->column_count;
         i++) {
        const cql_column *column = &table->columns[i];
        if (!w->rules.by_column[i]) continue;
        if (column->kind == CQL_REGULAR) w->facts->has_regular = true;
        if (column->kind == CQL_REGULAR) w->facts->other_only_static = false;
        if (w->input->ann || column->type->id != CQL_VECTOR || !is_indexed(table, column)) continue;
        return base__fail(w->c->err, CORM_INVALID, "Vector indexes only support ANN queries");
    }
    if (w->has_index) {
        w->facts->uses_index = true;
    } else if (must_ask(w)) {
        return base__fail(w->c->err, CORM_INVALID, NEEDS_FILTERING);
    }
    w->others_filtered = true;
    return CORM_OK;
}

/* ---- whether an index does it all ---- */

static bool group_needs_filtering(const clause *w, const cql_index *group) {
    const cql_table *table = w->c->table;
    uint32_t         keys = table->partition_count + table->clustering_count;
    if (w->input->ann && !cql__index_is_sai(group)) return true;
    for (uint32_t i = 0; i < table->column_count; i++) {
        bool among = i < table->partition_count ? w->partition_filtered
                     : i < keys                 ? w->clustering_filtered
                                                : w->others_filtered;
        if (!among || !w->rules.by_column[i]) continue;
        if (cql__rule_needs_filtering(table, group, w->rules.by_column[i])) return true;
    }
    return false;
}

static bool needs_filtering(const clause *w) {
    const cql_table *table = w->c->table;
    if (w->partition_filtered || w->clustering_filtered || w->others_filtered) {
        bool all = true;
        for (uint32_t i = 0; i < table->index_count && all; i++)
            all = group_needs_filtering(w, &table->indexes[i]);
        if (all) return true;
    }
    uint32_t restrictions = (w->input->ann ? 1 : 0) +
                            (w->partition_filtered ? of_partition(w).columns : 0) +
                            (w->clustering_filtered ? of_clustering(w).columns : 0) +
                            (w->others_filtered ? of_others(w).columns : 0);
    return restrictions == 0 && w->facts->has_clustering;
}

/* ---- the clause ---- */

static corm_status note_equal(clause *w) {
    bool *equal = BASE_NEW_ARRAY(w->c->arena, bool, w->rules.count);
    if (!equal) return base__fail_memory(w->c->err);
    for (uint32_t i = 0; i < w->rules.count; i++) {
        equal[i] = w->rules.by_column[i] && w->rules.by_column[i]->rule == CQL_RULE_EQ;
    }
    w->facts->equal = equal;
    return CORM_OK;
}

static corm_status lay_out(clause *w, cql_where *out) {
    summary  key = of_partition(w);
    cql_plan plan = { .c = w->c,
                      .rules = &w->rules,
                      .partition_by_key =
                          key.columns == w->c->table->partition_count && !w->partition_needs,
                      .partition_by_filter = key.columns > 0 && w->partition_filtered,
                      .clustering_by_filter = w->clustering_filtered,
                      .uses_index = w->facts->uses_index };
    out->token = w->token;
    return cql__plan(&plan, out);
}

corm_status cql__where(cql_checker *c, const cql_where_input *input, cql_where *out,
                       cql_where_facts *facts) {
    clause w = { .c = c, .input = input, .facts = facts };
    CORM_TRY(collect(&w));
    if (input->ann) CORM_TRY(cql__ann_alone(c, input->ann, &w.rules));
    facts->ann_index = input->ann ? cql__ann_index(c->table, input->ann) : NULL;
    if (input->user == CQL_FOR_SELECT) {
        w.clustering_has_index = of_clustering(&w).has_index;
        w.has_index = w.clustering_has_index || of_partition(&w).has_index ||
                      of_others(&w).has_index || facts->ann_index != NULL;
    }
    CORM_TRY(check_partition(&w));
    CORM_TRY(check_clustering(&w));
    CORM_TRY(check_others(&w));
    if (facts->uses_index && facts->key_in) {
        return base__fail(
            c->err, CORM_INVALID,
            "Select on indexed columns and with IN clause for the PRIMARY KEY are not supported");
    }
    facts->needs_filtering = must_ask(&w) && needs_filtering(&w);
    CORM_TRY(note_equal(&w));
    return lay_out(&w, out);
}

corm_status cql__refuse_filtering(cql_checker *c) {
    return base__fail(c->err, CORM_INVALID, NEEDS_FILTERING);
}
