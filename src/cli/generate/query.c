// SPDX-License-Identifier: MIT
/* query.c -- a checked statement as a function: its markers as members of one struct, its columns as members of another. */
#include "cli/generate/generate.h"

#include "base/fail.h"
#include "cli/check/walk.h"

/* ---- which parameters may be left out ---- */

static void mark(gen_role *roles, uint32_t count, const cql_node *node, gen_role role) {
    if (node && node->kind == CQL_NODE_MARKER && node->index < count) roles[node->index] = role;
}

static void mark_modify(gen_role *roles, uint32_t count, const cql_checked_modify *m) {
    mark(roles, count, m->ttl, GEN_OPTIONAL);
    mark(roles, count, m->timestamp, GEN_OPTIONAL);
    for (uint32_t i = 0; i < m->assign_count && !m->is_counter; i++)
        mark(roles, count, m->assigns[i].value, GEN_WRITE);
    for (uint32_t i = 0; i < m->condition_count; i++)
        for (uint32_t t = 0; t < m->conditions[i].term_count; t++)
            mark(roles, count, m->conditions[i].terms[t], GEN_CONDITION);
}

static void mark_all(gen_role *roles, const cql_checked *checked) {
    uint32_t count = checked->marker_count;
    for (uint32_t i = 0; i < count; i++) roles[i] = GEN_REQUIRED;
    if (checked->select) {
        mark(roles, count, checked->select->limit, GEN_OPTIONAL);
        mark(roles, count, checked->select->per_partition_limit, GEN_OPTIONAL);
    }
    if (checked->modify) mark_modify(roles, count, checked->modify);
    for (uint32_t i = 0; checked->batch && i < checked->batch->count; i++)
        mark_modify(roles, count, checked->batch->items[i]);
    if (checked->batch) mark(roles, count, checked->batch->timestamp, GEN_OPTIONAL);
}

/* ---- parameters ---- */

typedef struct named {
    uint32_t  count;
    corm_str *names; /* by marker; data NULL: a ? */
} named;

static void note_marker(void *context, const cql_expr *expr) {
    named *to = context;
    if (expr->kind == CQL_EXPR_MARKER && expr->index < to->count)
        to->names[expr->index] = expr->name.name.text;
}

/* "in(id)" as "id_in", "[limit]" as "limit". */
static corm_str readable(base_arena *arena, corm_str name) {
    const char *open = memchr(name.data, '(', name.len);
    size_t      head = open ? (size_t)(open - name.data) : 0;
    if (!open || !head || name.data[name.len - 1] != ')') return name;
    corm_str inner = { open + 1, name.len - head - 2 };
    corm_str out = base__arena_printf(arena, "%.*s_%.*s", CHECK_STR(inner), (int)head, name.data);
    return out.data ? out : name;
}

static corm_status same_parameter(gen_member *p, const cql_type *type, gen_role role,
                                  corm_error *err) {
    if (!cql__type_equal(p->type.type, type))
        return base__fail(err, CORM_INVALID, ":%.*s stands where different types are wanted",
                          CHECK_STR(p->column));
    if (role > p->role) p->role = role;
    return CORM_OK;
}

static corm_status add_parameter(gen_query *q, gen_names *names, const named *written,
                                 uint32_t index, gen_role role, corm_error *err) {
    const cql_marker *marker = &q->statement->checked->markers[index];
    corm_str          own = written->names[index];
    for (uint32_t i = 0; own.data && i < index; i++)
        if (written->names[i].data && corm_str_equal(written->names[i], own)) {
            q->markers[index] = q->markers[i];
            return same_parameter(&q->params[q->markers[i]], marker->type, role, err);
        }
    q->markers[index] = q->param_count;
    gen_member *p = &q->params[q->param_count++];
    p->column = marker->name;
    p->name = gen__member_name(names, readable(names->arena, marker->name));
    p->type = gen__type(marker->type);
    p->role = role;
    return CORM_OK;
}

static corm_status find_parameters(gen_query *q, base_arena *arena, corm_error *err) {
    const cql_checked *checked = q->statement->checked;
    uint32_t           count = q->marker_count = checked->marker_count;
    gen_names          names = { .arena = arena };
    named              written = { count, BASE_NEW_ARRAY(arena, corm_str, count + 1) };
    gen_role          *roles = BASE_NEW_ARRAY(arena, gen_role, count + 1);
    q->markers = BASE_NEW_ARRAY(arena, uint32_t, count + 1);
    q->params = BASE_NEW_ARRAY(arena, gen_member, count + 1);
    if (!written.names || !roles || !q->markers || !q->params) return base__fail_memory(err);
    gen__reserve(&names, "null");
    mark_all(roles, checked);
    check__walk(checked->statement, note_marker, &written);
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(add_parameter(q, &names, &written, i, roles[i], err));
    return names.no_memory ? base__fail_memory(err) : CORM_OK;
}

/* ---- columns ---- */

/* A row of a table with static columns may have nothing but those. */
static bool may_be_null(const cql_node *node) {
    if (!node) return true;
    if (node->kind == CQL_NODE_COLUMN && node->column->kind == CQL_PARTITION_KEY) return false;
    return true;
}

static bool is_count(const cql_checked_select *s, const cql_node *node) {
    if (!node || node->kind != CQL_NODE_AGGREGATE || node->index >= s->aggregate_count)
        return false;
    return corm_str_equal(s->aggregates[node->index].function->name, corm_str_of("count_rows")) ||
           corm_str_equal(s->aggregates[node->index].function->name, corm_str_of("count"));
}

static bool is_sure_clustering(const cql_checked_select *s, const cql_node *node) {
    return node && node->kind == CQL_NODE_COLUMN && node->column->kind == CQL_CLUSTERING &&
           s->table->static_count == 0;
}

static void add_column(gen_query *q, gen_names *names, corm_str column, const cql_type *type,
                       bool is_null) {
    gen_member *c = &q->columns[q->column_count++];
    *c = (gen_member){ .column = column,
                       .name = gen__member_name(names, column),
                       .type = gen__type(type),
                       .is_null = is_null };
}

static void select_columns(gen_query *q, gen_names *names) {
    const cql_checked_select *s = q->statement->checked->select;
    for (uint32_t i = 0; i < s->column_count; i++) {
        const cql_node *node = s->json ? NULL : s->selectors[i];
        bool            sure =
            (s->json && !s->aggregate_count) || is_count(s, node) || is_sure_clustering(s, node);
        add_column(q, names, s->columns[i].name, s->columns[i].type, !sure && may_be_null(node));
    }
}

/* What the server shows when a condition does not hold. */
static void refusal_columns(gen_query *q, gen_names *names) {
    const cql_checked_modify *m = q->statement->checked->modify;
    if (!m) return;
    for (uint32_t i = 0; m->if_not_exists && i < m->table->column_count; i++)
        add_column(q, names, m->table->columns[i].name, m->table->columns[i].type, true);
    for (uint32_t i = 0; i < m->condition_count; i++) {
        const cql_column *column = m->conditions[i].column;
        bool              seen = false;
        for (uint32_t c = 0; c < q->column_count; c++)
            seen = seen || corm_str_equal(q->columns[c].column, column->name);
        if (!seen) add_column(q, names, column->name, column->type, true);
    }
}

static uint32_t most_columns(const cql_checked *checked) {
    if (checked->select) return checked->select->column_count;
    return checked->modify ? checked->modify->table->column_count : 0;
}

static corm_status find_columns(gen_query *q, base_arena *arena, corm_error *err) {
    gen_names names = { .arena = arena };
    q->columns = BASE_NEW_ARRAY(arena, gen_member, most_columns(q->statement->checked) + 1);
    if (!q->columns) return base__fail_memory(err);
    gen__reserve(&names, "result");
    gen__reserve(&names, "applied");
    gen__reserve(&names, "is_there");
    if (q->statement->checked->select)
        select_columns(q, &names);
    else if (q->statement->verb == CHECK_APPLIED)
        refusal_columns(q, &names);
    return names.no_memory ? base__fail_memory(err) : CORM_OK;
}

/* ---- the text ---- */

/* SELECT * with the names of the columns, so that one that is added moves no other. */
static corm_status spell_out(cql_select *select, const cql_table *table, base_arena *arena,
                             corm_error *err) {
    cql_selector *selectors = BASE_NEW_ARRAY(arena, cql_selector, table->column_count);
    cql_expr     *exprs = BASE_NEW_ARRAY(arena, cql_expr, table->column_count);
    if (!selectors || !exprs) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) {
        exprs[i].kind = CQL_EXPR_COLUMN;
        exprs[i].name.name.text = table->columns[i].name;
        selectors[i].expr = &exprs[i];
    }
    select->all = false;
    select->selectors = selectors;
    select->selector_count = table->column_count;
    return CORM_OK;
}

static corm_status find_text(gen_query *q, base_arena *arena, corm_error *err) {
    cql_statement             tree = *q->statement->checked->statement;
    const cql_checked_select *s = q->statement->checked->select;
    base_buf                  text = { 0 };
    if (s && tree.as.select.all && !s->json)
        CORM_TRY(spell_out(&tree.as.select, s->table, arena, err));
    cql__print(&tree, &text);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) q->cql = base__arena_str(arena, base__buf_str(&text));
    base__buf_free(&text);
    return status == CORM_OK && !q->cql.data ? base__fail_memory(err) : status;
}

/* ---- user-defined types ---- */

corm_str gen__udt_name(const gen_unit *unit, const cql_type *type) {
    for (uint32_t i = 0; i < unit->udt_count; i++)
        if (corm_str_equal(unit->udts[i].type->name, type->name) &&
            corm_str_equal(unit->udts[i].type->keyspace, type->keyspace))
            return unit->udts[i].name;
    return (corm_str){ "", 0 };
}

static corm_status add_udt(gen_unit *unit, const cql_type *type, corm_error *err) {
    gen_names names = { .arena = unit->arena };
    if (unit->udt_count == unit->udt_room) {
        uint32_t room = unit->udt_room ? 2 * unit->udt_room : 8;
        gen_udt *more = BASE_NEW_ARRAY(unit->arena, gen_udt, room);
        if (!more) return base__fail_memory(err);
        if (unit->udt_count) memcpy(more, unit->udts, unit->udt_count * sizeof *more);
        unit->udts = more;
        unit->udt_room = room;
    }
    corm_str wanted = base__arena_printf(unit->arena, "%s_%.*s", unit->name, CHECK_STR(type->name));
    gen_udt  udt = { .type = type,
                     .fields = BASE_NEW_ARRAY(unit->arena, gen_member, type->count + 1) };
    if (!wanted.data || !udt.fields) return base__fail_memory(err);
    udt.name = gen__name(&unit->globals, wanted);
    for (uint32_t i = 0; i < type->count; i++)
        udt.fields[i] = (gen_member){ .column = type->field_names[i],
                                      .name = gen__member_name(&names, type->field_names[i]),
                                      .type = gen__type(type->params[i]),
                                      .is_null = true };
    unit->udts[unit->udt_count++] = udt;
    return names.no_memory || unit->globals.no_memory ? base__fail_memory(err) : CORM_OK;
}

/* What it holds comes before it. */
static corm_status find_udts(gen_unit *unit, const cql_type *type, corm_error *err) {
    if (type->id == CQL_UDT && gen__udt_name(unit, type).len) return CORM_OK;
    for (uint32_t i = 0; i < type->count; i++) CORM_TRY(find_udts(unit, type->params[i], err));
    return type->id == CQL_UDT ? add_udt(unit, type, err) : CORM_OK;
}

static corm_status find_all_udts(gen_unit *unit, corm_error *err) {
    for (uint32_t q = 0; q < unit->query_count; q++) {
        const gen_query *query = &unit->queries[q];
        for (uint32_t i = 0; i < query->param_count; i++)
            CORM_TRY(find_udts(unit, query->params[i].type.type, err));
        for (uint32_t i = 0; i < query->column_count; i++)
            CORM_TRY(find_udts(unit, query->columns[i].type.type, err));
    }
    return CORM_OK;
}

/* ---- all of them ---- */

/* Every name that a statement makes in the header. */
static corm_status take_names(gen_unit *unit, gen_query *q, corm_error *err) {
    static const char *const ends[] = { "",        "_params", "_row",   "_rows",
                                        "_answer", "_read",   "_async", "_free" };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        corm_str wanted =
            base__arena_printf(unit->arena, "%s_%.*s%s", unit->name, CHECK_STR(q->name), ends[i]);
        if (!wanted.data) return base__fail_memory(err);
        corm_str got = gen__name(&unit->globals, wanted);
        if (!corm_str_equal(got, wanted))
            return base__fail(err, CORM_INVALID,
                              "the name '%.*s' makes %.*s, which is taken; choose another",
                              CHECK_STR(q->name), CHECK_STR(wanted));
    }
    q->member = gen__name(&unit->members, q->name);
    return unit->globals.no_memory || unit->members.no_memory ? base__fail_memory(err) : CORM_OK;
}

static corm_status make_query(gen_unit *unit, gen_query *q, corm_error *err) {
    CORM_TRY(take_names(unit, q, err));
    CORM_TRY(find_parameters(q, unit->arena, err));
    CORM_TRY(find_columns(q, unit->arena, err));
    return find_text(q, unit->arena, err);
}

static bool is_query(const check_statement *s) {
    return s->name.data && s->checked && s->verb != CHECK_UNNAMED;
}

static void reserve_names(gen_unit *unit) {
    static const char *const ends[] = { "", "_open", "_close" };
    unit->globals = (gen_names){ .arena = unit->arena };
    unit->members = (gen_names){ .arena = unit->arena };
    gen__reserve(&unit->members, "session");
    gen__reserve(&unit->members, "options");
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        corm_str name = base__arena_printf(unit->arena, "%s%s", unit->name, ends[i]);
        if (name.data)
            gen__reserve(&unit->globals, name.data);
        else
            unit->globals.no_memory = true;
    }
}

corm_status gen__queries(gen_unit *unit, const check_workspace *w, corm_error *err) {
    unit->queries = BASE_NEW_ARRAY(unit->arena, gen_query, w->statement_count + 1);
    if (!unit->queries) return base__fail_memory(err);
    reserve_names(unit);
    for (uint32_t i = 0; i < w->statement_count; i++) {
        const check_statement *s = w->statements[i];
        if (!is_query(s)) continue;
        gen_query *q = &unit->queries[unit->query_count++];
        q->statement = s;
        q->name = s->name;
        corm_status status = make_query(unit, q, err);
        if (status == CORM_INVALID && err) {
            corm_error inner = *err;
            return base__fail(err, inner.status, "%s: %.*s: %s", s->file->name, CHECK_STR(s->name),
                              inner.message);
        }
        CORM_TRY(status);
    }
    return find_all_udts(unit, err);
}
