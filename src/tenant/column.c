// SPDX-License-Identifier: MIT
/* column.c -- the tenant's column put into a statement, where all tenants share the tables. Any thread; the tree is the
 * caller's.
 *
 *   CREATE TABLE t (id int PRIMARY KEY, …)   CREATE TABLE t (tenant_id text, id int, …, PRIMARY KEY ((tenant_id, id)))
 *   SELECT * FROM t WHERE id = ?             SELECT id, … FROM t WHERE tenant_id = :"corm tenant" AND id = ?
 *   TOKEN(id) > ?                            TOKEN(tenant_id, id) > ?
 *   INSERT INTO t (id) VALUES (?)            INSERT INTO t (tenant_id, id) VALUES (:"corm tenant", ?)
 *
 * The statement is checked first against the schema that tenants see: what is not right there is refused in its words, a column
 * that tenants do not see is not known, and what the server would want ALLOW FILTERING for it still does. */
#include "base/clock.h"
#include "cql/check.h"
#include "tenant/core.h"

#define ROOM(rewrite, type, count) BASE_NEW_ARRAY((rewrite)->arena, type, count)

static corm_status no_memory(const tenant_rewrite *rewrite) {
    return base__fail_memory(rewrite->err);
}

/* ---- parts ---- */

static cql_expr *new_expr(const tenant_rewrite *rewrite, cql_expr_kind kind, const char *name) {
    cql_expr *expr = BASE_NEW(rewrite->arena, cql_expr);
    if (!expr) return NULL;
    expr->kind = kind;
    expr->name.name.text = corm_str_of(name);
    return expr;
}

static cql_expr *tenant_marker(const tenant_rewrite *rewrite) {
    return new_expr(rewrite, CQL_EXPR_MARKER, TENANT_MARKER);
}

static cql_expr *tenant_column(const tenant_rewrite *rewrite) {
    return new_expr(rewrite, CQL_EXPR_COLUMN, rewrite->tenants->column.data);
}

static cql_name column_name(const tenant_rewrite *rewrite) {
    return (cql_name){ .text = rewrite->tenants->column };
}

/* The names with the tenant's column in front; NULL when memory is exhausted. */
static cql_name *with_column(const tenant_rewrite *rewrite, const cql_name *names, uint32_t count) {
    cql_name *out = ROOM(rewrite, cql_name, count + 1);
    if (!out) return NULL;
    out[0] = column_name(rewrite);
    if (count > 0) memcpy(out + 1, names, count * sizeof *names);
    return out;
}

static cql_expr **with_expr(const tenant_rewrite *rewrite, cql_expr *first, cql_expr *const *exprs,
                            uint32_t count) {
    cql_expr **out = ROOM(rewrite, cql_expr *, count + 1);
    if (!out || !first) return NULL;
    out[0] = first;
    if (count > 0) memcpy(out + 1, exprs, count * sizeof *exprs);
    return out;
}

static bool is_shared(const tenant_rewrite *rewrite, const cql_ref *table) {
    return tenant__is_shared(rewrite->tenants, table->name.text);
}

/* ---- token() ---- */

typedef struct token_args {
    tenant_rewrite *rewrite;
    bool            of_row; /* among selectors: of the row's columns; elsewhere of values */
    bool            found;
} token_args;

static corm_status widen_token(void *context, cql_expr *expr) {
    token_args     *args = context;
    tenant_rewrite *rewrite = args->rewrite;
    if (expr->kind != CQL_EXPR_CALL || !corm_str_equal(expr->name.name.text, corm_str_of("token")))
        return CORM_OK;
    cql_expr *first = args->of_row ? tenant_column(rewrite) : tenant_marker(rewrite);
    expr->args = with_expr(rewrite, first, expr->args, expr->count);
    if (!expr->args) return no_memory(rewrite);
    expr->count++;
    args->found = true;
    return CORM_OK;
}

/* Of an expression alone: in a statement that has nothing else. */
static corm_status widen_tokens(tenant_rewrite *rewrite, cql_expr *expr, bool of_row, bool *found) {
    token_args     args = { rewrite, of_row, false };
    tenant_visitor visitor = { .expr = widen_token, .context = &args };
    cql_selector   selector = { .expr = expr };
    cql_statement  statement = { .kind = CQL_STMT_SELECT };
    statement.as.select.selectors = &selector;
    statement.as.select.selector_count = 1;
    CORM_TRY(tenant__walk(&statement, &visitor));
    if (found) *found = args.found;
    return CORM_OK;
}

static corm_status widen_terms(tenant_rewrite *rewrite, cql_expr *const *terms, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(widen_tokens(rewrite, terms[i], false, NULL));
    return CORM_OK;
}

/* ---- WHERE ---- */

static corm_status widen_relation(tenant_rewrite *rewrite, cql_relation *relation) {
    CORM_TRY(widen_terms(rewrite, relation->terms, relation->term_count));
    if (relation->kind != CQL_REL_TOKEN) return CORM_OK;
    relation->columns = with_column(rewrite, relation->columns, relation->column_count++);
    return relation->columns ? CORM_OK : no_memory(rewrite);
}

static corm_status add_relation(tenant_rewrite *rewrite, cql_relation **where, uint32_t *count) {
    cql_relation *out = ROOM(rewrite, cql_relation, *count + 1);
    if (!out) return no_memory(rewrite);
    for (uint32_t i = 0; i < *count; i++) {
        out[i + 1] = (*where)[i];
        CORM_TRY(widen_relation(rewrite, &out[i + 1]));
    }
    out[0] = (cql_relation){
        .kind = CQL_REL_COLUMN, .op = CQL_OP_EQ, .column_count = 1, .term_count = 1
    };
    out[0].columns = with_column(rewrite, NULL, 0);
    out[0].terms = with_expr(rewrite, tenant_marker(rewrite), NULL, 0);
    *where = out;
    *count += 1;
    return out[0].columns && out[0].terms ? CORM_OK : no_memory(rewrite);
}

/* ---- SELECT ---- */

/* SELECT * as the tenant's table has it. */
static corm_status expand(tenant_rewrite *rewrite, cql_select *select, const cql_table *table) {
    if (!select->all) return CORM_OK;
    select->selectors = ROOM(rewrite, cql_selector, table->column_count);
    if (!select->selectors) return no_memory(rewrite);
    for (uint32_t i = 0; i < table->column_count; i++) {
        corm_str name = base__arena_str(rewrite->arena, table->columns[i].name);
        select->selectors[i].expr =
            name.data ? new_expr(rewrite, CQL_EXPR_COLUMN, name.data) : NULL;
        if (!select->selectors[i].expr) return no_memory(rewrite);
    }
    select->selector_count = table->column_count;
    select->all = false;
    return CORM_OK;
}

static corm_str unquoted(corm_str name) {
    bool quoted = name.len >= 2 && name.data[0] == '"' && name.data[name.len - 1] == '"';
    return quoted ? (corm_str){ name.data + 1, name.len - 2 } : name;
}

/* Selectors that become others keep the name that the tenant's statement gives them. */
static corm_status widen_selectors(tenant_rewrite *rewrite, cql_select *select,
                                   const cql_checked_select *checked) {
    for (uint32_t i = 0; i < select->selector_count; i++) {
        cql_selector *selector = &select->selectors[i];
        bool          found;
        CORM_TRY(widen_tokens(rewrite, selector->expr, true, &found));
        if (!found || selector->alias.text.data || i >= checked->selector_count) continue;
        corm_str name = select->json ? unquoted(checked->json_names[i]) : checked->columns[i].name;
        selector->alias.text = base__arena_str(rewrite->arena, name);
        if (!selector->alias.text.data) return no_memory(rewrite);
    }
    return CORM_OK;
}

/* DISTINCT wants the whole partition key. */
static corm_status add_selector(tenant_rewrite *rewrite, cql_select *select) {
    cql_selector *out = ROOM(rewrite, cql_selector, select->selector_count + 1);
    if (!out) return no_memory(rewrite);
    out[0].expr = tenant_column(rewrite);
    if (!out[0].expr) return no_memory(rewrite);
    memcpy(out + 1, select->selectors, select->selector_count * sizeof *out);
    select->selectors = out;
    select->selector_count++;
    rewrite->plan->strips_first = !select->json;
    rewrite->plan->strips_json = select->json;
    return CORM_OK;
}

static corm_status add_to_select(tenant_rewrite *rewrite, cql_select *select,
                                 const cql_checked_select *checked) {
    bool whole_key = checked->where.partition_count > 0;
    if (checked->ann && !whole_key) {
        return base__fail(
            rewrite->err, CORM_UNAUTHORIZED,
            "ORDER BY ANN OF without the whole partition key is refused to tenants: all share the table's "
            "vector index, which finds the neighbours of all");
    }
    CORM_TRY(expand(rewrite, select, checked->table));
    CORM_TRY(widen_selectors(rewrite, select, checked));
    if (select->distinct) CORM_TRY(add_selector(rewrite, select));
    CORM_TRY(add_relation(rewrite, &select->where, &select->where_count));
    for (uint32_t i = 0; i < select->group_count; i++) {
        CORM_TRY(widen_tokens(rewrite, select->group_by[i], true, NULL));
    }
    CORM_TRY(widen_tokens(rewrite, select->limit, false, NULL));
    CORM_TRY(widen_tokens(rewrite, select->per_partition_limit, false, NULL));
    select->allow_filtering |= !whole_key;
    return CORM_OK;
}

/* ---- writes ---- */

/* The text gets its tenant when it is known: a marker stands for it. */
static corm_status add_to_json(tenant_rewrite *rewrite, cql_insert *insert) {
    tenant_plan *plan = rewrite->plan;
    tenant_json *json = &plan->json[plan->json_count++];
    bool         is_marker = insert->json->kind == CQL_EXPR_MARKER;
    json->marker = is_marker ? (int32_t)insert->json->index : -1;
    json->text =
        is_marker ? (corm_str){ "", 0 } : base__arena_str(&plan->arena, insert->json->text);
    insert->json = new_expr(rewrite, CQL_EXPR_MARKER, TENANT_JSON_MARKER);
    return insert->json && json->text.data ? CORM_OK : no_memory(rewrite);
}

static corm_status add_to_insert(tenant_rewrite *rewrite, cql_insert *insert) {
    if (insert->json) return add_to_json(rewrite, insert);
    CORM_TRY(widen_terms(rewrite, insert->values, insert->value_count));
    insert->columns = with_column(rewrite, insert->columns, insert->count);
    insert->values =
        with_expr(rewrite, tenant_marker(rewrite), insert->values, insert->value_count);
    if (!insert->columns || !insert->values) return no_memory(rewrite);
    insert->count++;
    insert->value_count++;
    return CORM_OK;
}

static corm_status add_to_update(tenant_rewrite *rewrite, cql_update *update) {
    for (uint32_t i = 0; i < update->change_count; i++) {
        CORM_TRY(widen_tokens(rewrite, update->changes[i].key, false, NULL));
        CORM_TRY(widen_tokens(rewrite, update->changes[i].value, false, NULL));
    }
    return add_relation(rewrite, &update->where, &update->where_count);
}

static corm_status add_to_write(tenant_rewrite *rewrite, cql_statement *s) {
    if (s->kind == CQL_STMT_INSERT) {
        return is_shared(rewrite, &s->as.insert.table) ? CORM_OK
                                                       : add_to_insert(rewrite, &s->as.insert);
    }
    cql_update *update = s->kind == CQL_STMT_UPDATE ? &s->as.update : &s->as.delete_;
    return is_shared(rewrite, &update->table) ? CORM_OK : add_to_update(rewrite, update);
}

static corm_status add_to_batch(tenant_rewrite *rewrite, cql_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) {
        CORM_TRY(add_to_write(rewrite, batch->statements[i]));
    }
    return CORM_OK;
}

/* ---- checked first ---- */

static corm_status add_checked(tenant_rewrite *rewrite, const cql_checked *checked,
                               cql_statement *s) {
    if (s->kind == CQL_STMT_SELECT) {
        cql_select *select = &s->as.select;
        return is_shared(rewrite, &select->table) ? CORM_OK
                                                  : add_to_select(rewrite, select, checked->select);
    }
    uint32_t most = s->kind == CQL_STMT_BATCH ? s->as.batch.count : 1;
    rewrite->plan->json = BASE_NEW_ARRAY(&rewrite->plan->arena, tenant_json, most + 1);
    if (!rewrite->plan->json) return no_memory(rewrite);
    return s->kind == CQL_STMT_BATCH ? add_to_batch(rewrite, &s->as.batch)
                                     : add_to_write(rewrite, s);
}

static corm_status add_to_rows(tenant_rewrite *rewrite, corm_str text, cql_statement *s) {
    cql_checked *checked;
    CORM_TRY(cql__check_text(text, rewrite->schema->snapshot, rewrite->keyspace, &checked,
                             rewrite->err));
    corm_status status = add_checked(rewrite, checked, s);
    cql__checked_free(checked);
    return status;
}

/* ---- CREATE ---- */

static cql_column_def *inline_key(const cql_create_table *create) {
    for (uint32_t i = 0; i < create->column_count; i++) {
        if (create->columns[i].is_primary_key) return &create->columns[i];
    }
    return NULL;
}

static corm_status add_to_table(tenant_rewrite *rewrite, cql_create_table *create) {
    cql_column_def *key = inline_key(create);
    cql_column_def *columns = ROOM(rewrite, cql_column_def, create->column_count + 1);
    cql_type_ast   *text = BASE_NEW(rewrite->arena, cql_type_ast);
    if (!columns || !text) return no_memory(rewrite);
    text->name.name.text = corm_str_of("text");
    for (uint32_t i = 0; i < create->column_count; i++) {
        if (!corm_str_equal(create->columns[i].name.text, rewrite->tenants->column)) continue;
        return base__fail(rewrite->err, CORM_UNAUTHORIZED, "a column cannot have the name '%s'",
                          rewrite->tenants->column.data);
    }
    create->partition_key =
        key ? with_column(rewrite, &key->name, 1)
            : with_column(rewrite, create->partition_key, create->partition_count);
    if (!create->partition_key) return no_memory(rewrite);
    create->partition_count = key ? 2 : create->partition_count + 1;
    if (key) create->primary_key_clauses = 1;
    if (key) key->is_primary_key = false;
    memcpy(columns + 1, create->columns, create->column_count * sizeof *columns);
    columns[0] = (cql_column_def){ .name = column_name(rewrite), .type = text };
    create->columns = columns;
    create->column_count++;
    return CORM_OK;
}

static corm_status add_to_view(tenant_rewrite *rewrite, cql_create_view *create) {
    cql_relation *where = ROOM(rewrite, cql_relation, create->where_count + 1);
    if (!where) return no_memory(rewrite);
    where[0] =
        (cql_relation){ .kind = CQL_REL_COLUMN, .op = CQL_OP_IS_NOT_NULL, .column_count = 1 };
    where[0].columns = with_column(rewrite, NULL, 0);
    memcpy(where + 1, create->where, create->where_count * sizeof *where);
    create->where = where;
    create->where_count++;
    create->partition_key = with_column(rewrite, create->partition_key, create->partition_count);
    create->partition_count++;
    if (!where[0].columns || !create->partition_key) return no_memory(rewrite);
    if (create->all) return CORM_OK;
    cql_selector *selectors = ROOM(rewrite, cql_selector, create->selector_count + 1);
    if (!selectors) return no_memory(rewrite);
    memcpy(selectors + 1, create->selectors, create->selector_count * sizeof *selectors);
    selectors[0].expr = tenant_column(rewrite);
    create->selectors = selectors;
    create->selector_count++;
    return selectors[0].expr ? CORM_OK : no_memory(rewrite);
}

static corm_status check_added(const tenant_rewrite *rewrite, const cql_alter_table *alter) {
    for (uint32_t i = 0; i < alter->column_count; i++) {
        if (!corm_str_equal(alter->columns[i].name.text, rewrite->tenants->column)) continue;
        return base__fail(rewrite->err, CORM_UNAUTHORIZED, "a column cannot have the name '%s'",
                          rewrite->tenants->column.data);
    }
    return CORM_OK;
}

static bool makes_something(cql_statement_kind kind) {
    return kind == CQL_STMT_CREATE_TABLE || kind == CQL_STMT_CREATE_TYPE ||
           kind == CQL_STMT_CREATE_INDEX || kind == CQL_STMT_CREATE_VIEW;
}

/* Whether the tenant's schema allows it. What IF EXISTS makes nothing of there must not reach a table that tenants do not see. */
static corm_status apply(tenant_rewrite *rewrite, corm_str text) {
    cql_statement    *statement;
    cql_schema       *next;
    cql_schema_change change = { 0 };
    CORM_TRY(cql__parse(rewrite->arena, text, &statement, NULL, rewrite->err));
    CORM_TRY(cql__schema_apply(rewrite->schema->snapshot, statement, rewrite->keyspace,
                               base__clock_us(), rewrite->arena, &next, &change, rewrite->err));
    bool same = next == rewrite->schema->snapshot;
    cql__schema_unref(next);
    if (same && !makes_something(statement->kind)) rewrite->plan->route = TENANT_TO_NOBODY;
    return CORM_OK;
}

corm_status tenant__add_column(tenant_rewrite *rewrite, corm_str text, cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_SELECT:
    case CQL_STMT_INSERT:
    case CQL_STMT_UPDATE:
    case CQL_STMT_DELETE:
    case CQL_STMT_BATCH: return add_to_rows(rewrite, text, s);
    default: break;
    }
    CORM_TRY(apply(rewrite, text));
    if (s->kind == CQL_STMT_CREATE_TABLE) return add_to_table(rewrite, &s->as.create_table);
    if (s->kind == CQL_STMT_CREATE_VIEW) return add_to_view(rewrite, &s->as.create_view);
    return s->kind == CQL_STMT_ALTER_TABLE ? check_added(rewrite, &s->as.alter_table) : CORM_OK;
}
