// SPDX-License-Identifier: MIT
/* query.c -- find options checked: which conditions, orders and limits are the store's and which are Corm's. One thread. */
#include "orm/query.h"

#include <limits.h>

#include "base/text.h"

enum { DEFAULT_SORT_LIMIT = 100000 };

/* ---- operators ---- */

/* What stands between the column and the marker; NULL: not in CQL. */
static const struct {
    const char *text;
    bool        is_token;
} operators[] = {
    [CORM_EQ] = { " = ?", false },
    [CORM_NE] = { NULL, false },
    [CORM_GT] = { " > ?", false },
    [CORM_GTE] = { " >= ?", false },
    [CORM_LT] = { " < ?", false },
    [CORM_LTE] = { " <= ?", false },
    [CORM_IN] = { " IN ?", false },
    [CORM_CONTAINS] = { " CONTAINS ?", false },
    [CORM_CONTAINS_KEY] = { " CONTAINS KEY ?", false },
    [CORM_LIKE] = { " LIKE ?", false },
    [CORM_BETWEEN] = { " >= ?", false },
    [CORM_NULL_OP] = { NULL, false },
    [CORM_NOT_NULL_OP] = { NULL, false },
    [CORM_TOKEN_GT] = { " > ?", true },
    [CORM_TOKEN_GTE] = { " >= ?", true },
    [CORM_TOKEN_LT] = { " < ?", true },
    [CORM_TOKEN_LTE] = { " <= ?", true },
};

const char *orm__query_operator(corm_op op) {
    return operators[op].text;
}

enum { OPERATOR_COUNT = sizeof operators / sizeof *operators };

/* ---- checking ---- */

static corm_status bad(const orm_query *query, const char *what) {
    return base__fail(query->err, CORM_INVALID_ARGUMENT, "model '%s': %s", query->model->table.data,
                      what);
}

static bool needs_value(corm_op op) {
    return op != CORM_NULL_OP && op != CORM_NOT_NULL_OP;
}

static corm_status check_value(const orm_query *query, const orm_field *field,
                               const corm_term *term) {
    char        what[256];
    const char *wrong = NULL;
    if (needs_value(term->op) && term->value.kind == CORM_UNSET) wrong = "has no value";
    if (needs_value(term->op) && term->value.kind == CORM_NULL) {
        wrong = "is compared with null: use corm_is_null or corm_not_null";
    }
    if (term->op == CORM_BETWEEN && term->value2.kind <= CORM_NULL) wrong = "has no second value";
    bool list = term->value.kind == CORM_LIST || term->value.kind == CORM_SET;
    if (term->op == CORM_IN && !wrong && !list) wrong = "takes a list with corm_in";
    if (field && !wrong) wrong = orm__sealed_refuses(field, term->op);
    if (!wrong) return CORM_OK;
    snprintf(what, sizeof what, "the condition on '%.100s' %s", term->column, wrong);
    return bad(query, what);
}

/* Conditions that the store does not hold. Cassandra has LIKE only for columns with an index of its own kind for it (SASI), so a
 * cluster is never asked for it. */
static bool is_local(const orm_query *query, corm_op op) {
    bool cluster = query->model->db && session__is_cluster(query->model->db->session);
    return !operators[op].text || (op == CORM_LIKE && cluster);
}

static bool is_lower(corm_op op) {
    return op == CORM_GT || op == CORM_GTE || op == CORM_BETWEEN;
}

static bool is_upper(corm_op op) {
    return op == CORM_LT || op == CORM_LTE || op == CORM_BETWEEN;
}

/* Whether CQL takes both conditions of one column. */
static bool go_together(corm_op a, corm_op b) {
    bool ranges = (is_lower(a) || is_upper(a)) && (is_lower(b) || is_upper(b));
    if (ranges) return !(is_lower(a) && is_lower(b)) && !(is_upper(a) && is_upper(b));
    return a == CORM_CONTAINS || a == CORM_CONTAINS_KEY || b == CORM_CONTAINS ||
           b == CORM_CONTAINS_KEY;
}

/* Of two conditions of one column that CQL does not take together one is Corm's, as scopes and finds may bring them. */
static void part_terms(orm_query *query, orm_term *term) {
    if (term->local || (query->kind == ORM_DELETE_WHERE && !query->options->unscoped)) return;
    for (orm_term *other = query->terms; other < term; other++) {
        if (other->field != term->field || other->local) continue;
        if (go_together(other->given->op, term->given->op)) continue;
        orm_term *local = term->given->op == CORM_EQ && other->given->op != CORM_EQ ? other : term;
        local->local = true;
        query->local_count++;
        if (local == term) return;
    }
}

static corm_status add_term(orm_query *query, const corm_term *given) {
    if ((unsigned)given->op >= OPERATOR_COUNT || given->op == CORM_OP_NONE) {
        return bad(query, "a condition has no operator");
    }
    orm_term *term = &query->terms[query->term_count++];
    term->given = given;
    if (!operators[given->op].is_token) {
        CORM_TRY(orm__field_named(query->model, given->column, &term->field, query->err));
        term->local = is_local(query, given->op);
        query->local_count += term->local;
        part_terms(query, term);
    }
    return check_value(query, term->field, given);
}

static const corm_term is_not_deleted = { "", CORM_NULL_OP, { 0 }, { 0 } };
static const corm_term is_deleted = { "", CORM_NOT_NULL_OP, { 0 }, { 0 } };

/* Of a model with a CORM_DELETED_AT column: CQL cannot ask whether a column is null. */
static corm_status add_deleted(orm_query *query) {
    const corm_find_options *options = query->options;
    const orm_field         *field = query->model->deleted_at;
    if (!field && (options->with_deleted || options->only_deleted)) {
        return bad(query, "no field has the role CORM_DELETED_AT");
    }
    if (options->with_deleted && options->only_deleted) {
        return bad(query, ".with_deleted and .only_deleted exclude each other");
    }
    if (!field || options->with_deleted || query->kind == ORM_DELETE_WHERE) return CORM_OK;
    query->terms[query->term_count++] =
        (orm_term){ .field = field,
                    .given = options->only_deleted ? &is_deleted : &is_not_deleted,
                    .local = true };
    query->local_count++;
    return CORM_OK;
}

static corm_status add_terms(orm_query *query) {
    for (uint32_t i = 0; i < CORM_MAX_TERMS; i++) {
        const corm_term *given = &query->options->where[i];
        if (!given->column) break;
        CORM_TRY(add_term(query, given));
    }
    return add_deleted(query);
}

static bool is_selected(const orm_query *query, const orm_field *field) {
    if (query->select_count == 0) return true;
    for (uint32_t i = 0; i < query->select_count; i++) {
        if (query->selected[i] == field->index) return true;
    }
    return false;
}

void orm__query_select(orm_query *query, const orm_field *field) {
    if (!is_selected(query, field)) {
        query->selected[query->select_count++] = (uint16_t)field->index;
    }
}

static corm_status add_selected(orm_query *query) {
    for (uint32_t i = 0; i < CORM_MAX_NAMES && query->options->select[i]; i++) {
        const orm_field *field;
        CORM_TRY(orm__field_named(query->model, query->options->select[i], &field, query->err));
        if (i > 0 && is_selected(query, field)) continue;
        query->selected[query->select_count++] = (uint16_t)field->index;
    }
    return CORM_OK;
}

static corm_status add_order(orm_query *query) {
    for (uint32_t i = 0; i < 4 && query->options->order_by[i].column; i++) {
        const orm_field *field;
        const char      *name = query->options->order_by[i].column;
        CORM_TRY(orm__field_named(query->model, name, &field, query->err));
        query->order[query->order_count++] = field;
        if (orm__is_sealed(field)) return bad(query, "a sealed column has no order");
        if (field->key != CORM_CLUSTERING && field->key != CORM_CLUSTERING_DESC) {
            query->sorts_here = true;
        }
    }
    return CORM_OK;
}

/* Columns that Corm looks at are read too. */
static void select_for_corm(orm_query *query) {
    for (uint32_t i = 0; i < query->term_count; i++) {
        if (query->terms[i].local) orm__query_select(query, query->terms[i].field);
    }
    for (uint32_t i = 0; i < query->order_count && query->sorts_here; i++) {
        orm__query_select(query, query->order[i]);
    }
    if (query->limited_by_partition || query->options->per_partition_limit == 0) return;
    for (uint32_t i = 0; i < query->model->partition_count; i++) {
        orm__query_select(query, query->model->keys[i]);
    }
}

static corm_status check_options(const orm_query *query) {
    const corm_find_options *options = query->options;
    if (options->_canary != 0) return bad(query, "the find options are not initialised");
    if (options->request.keyspace) {
        return bad(query, "the keyspace is said in the model, not in the request");
    }
    if (options->limit > INT32_MAX || options->per_partition_limit > INT32_MAX) {
        return bad(query, "the limit is too large");
    }
    if (options->per_partition_limit > 0 && query->local_count > 0 &&
        query->model->partition_count > ORM_MOST_PARTITION_COLUMNS) {
        return bad(query, "the partition key has too many columns for Corm to count its rows");
    }
    if (options->after && (options->one_page || options->offset > 0 || query->sorts_here ||
                           options->per_partition_limit > 0)) {
        return bad(query,
                   ".after goes with conditions, a limit and an order of clustering columns");
    }
    if (options->one_page && query->sorts_here) {
        return bad(query, "Corm orders only all rows together, not one page of them");
    }
    return CORM_OK;
}

void orm__query_tell(const orm_query *query) {
    const corm_db *db = query->model->db;
    const char    *table = query->model->table.data;
    if (!db->notice && !db->events) return;
    if (query->model->copy_of) {
        orm__notice(db, "%s: the query table '%s' is asked, whose key the conditions fit",
                    query->model->copy_of->table.data, table);
    }
    if (query->sorts_here) {
        orm__notice(db,
                    "%s: ordering by '%s', which is no clustering column, is done by Corm: every "
                    "row that matches is read and sorted in memory",
                    table, query->order[0]->name.data);
    }
    if (query->options->offset > 0) {
        orm__notice(db, "%s: %u rows are read to be passed over; a page token costs nothing", table,
                    query->options->offset);
    }
    for (uint32_t i = 0; i < query->term_count; i++) {
        const corm_term *given = query->terms[i].given;
        if (!query->terms[i].local || given->op == CORM_EQ || given == &is_not_deleted) continue;
        orm__notice(db,
                    "%s: the condition on '%s' is not CQL here and held by Corm on each row read",
                    table, query->terms[i].field->name.data);
    }
}

static uint64_t wanted_rows(const corm_find_options *options) {
    return options->limit == 0 ? UINT64_MAX : (uint64_t)options->limit;
}

corm_status orm__query_init(orm_query *query, orm_query_kind kind, orm_model *model,
                            const corm_find_options *options) {
    *query = (orm_query){ .kind = kind, .model = model, .options = options, .err = options->error };
    CORM_TRY(add_terms(query));
    CORM_TRY(add_selected(query));
    CORM_TRY(add_order(query));
    CORM_TRY(check_options(query));
    query->limited_by_partition = options->per_partition_limit > 0 && query->local_count == 0;
    if (query->select_count > 0) select_for_corm(query);
    uint64_t most = wanted_rows(options);
    query->limited = most != UINT64_MAX && query->local_count == 0 && !query->sorts_here &&
                     most + options->offset <= INT32_MAX;
    return CORM_OK;
}

const orm_term *orm__query_unique(const orm_query *query) {
    const orm_term *unique = NULL;
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term *term = &query->terms[i];
        if (!term->field) return NULL;
        if (term->field->spec->unique && term->given->op == CORM_EQ && !unique) unique = term;
    }
    return unique;
}

void orm__query_take(orm_query *query, uint32_t term) {
    if (query->terms[term].local) return;
    query->terms[term].local = true;
    query->local_count++;
    query->limited = query->limited_by_partition = false;
    if (query->select_count > 0) select_for_corm(query);
}

bool orm__asks_more_than_key(const orm_query *query) {
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_field *field = query->terms[i].field;
        if (query->terms[i].local || (field && !orm__is_key(field))) return true;
    }
    return false;
}

/* ---- what Corm does ---- */

static uint32_t column_of(const orm_query *query, const orm_field *field) {
    if (query->select_count == 0) return field->index;
    uint32_t i = 0;
    while (query->selected[i] != field->index) i++;
    return i;
}

static corm_status make_filters(orm_query *query, corm_rows *rows) {
    if (query->local_count == 0) return CORM_OK;
    rows->filters = BASE_NEW_ARRAY(&rows->kept, orm_filter, query->local_count);
    if (!rows->filters) return base__fail_memory(query->err);
    for (uint32_t i = 0; i < query->term_count; i++) {
        const orm_term *term = &query->terms[i];
        if (!term->local) continue;
        orm_filter *filter = &rows->filters[rows->filter_count++];
        CORM_TRY(orm__filter_make(term->field, term->given, &rows->kept, filter, query->err));
        filter->column = column_of(query, term->field);
    }
    return CORM_OK;
}

/* A limit counts rows that are shown: beside a condition of Corm's it is Corm's too. */
static void count_partitions(const orm_query *query, corm_rows *rows) {
    uint32_t limit = query->options->per_partition_limit;
    if (limit == 0 || query->limited_by_partition) return;
    rows->partition_limit = limit;
    rows->partition_column_count = query->model->partition_count;
    for (uint32_t i = 0; i < query->model->partition_count; i++) {
        rows->partition_columns[i] = (uint16_t)column_of(query, query->model->keys[i]);
    }
}

corm_status orm__query_hand_over(orm_query *query, corm_rows *rows) {
    const corm_find_options *options = query->options;
    CORM_TRY(make_filters(query, rows));
    count_partitions(query, rows);
    rows->skip = options->offset;
    rows->left = wanted_rows(options);
    if (!query->sorts_here) return CORM_OK;
    rows->sort_limit = options->sort_limit ? options->sort_limit : DEFAULT_SORT_LIMIT;
    rows->sort_count = query->order_count;
    for (uint32_t i = 0; i < query->order_count; i++) {
        rows->sorts[i] = (orm_sort){ .column = column_of(query, query->order[i]),
                                     .type = query->order[i]->type,
                                     .descending = options->order_by[i].descending };
    }
    return CORM_OK;
}
