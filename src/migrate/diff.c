// SPDX-License-Identifier: MIT
/* diff.c -- from one schema to another: statements in an order that works. Each is applied to a copy of the schema as soon
 * as it is found, so that what cannot work is said instead of written. Pure. */
#include "migrate/diff.h"
#include "base/text.h"
#include "cql/parser.h"

void migrate__differences_free(migrate_differences *differences) {
    base__arena_free(&differences->arena);
    *differences = (migrate_differences){ 0 };
}

/* ---- one difference ---- */

static corm_status add(migrate_differences *to, corm_str cql, corm_str about, corm_error *err) {
    if (to->count == to->capacity) {
        uint32_t            capacity = to->capacity ? 2 * to->capacity : 16;
        migrate_difference *items = BASE_NEW_ARRAY(&to->arena, migrate_difference, capacity);
        if (!items) return base__fail_memory(err);
        if (to->count) memcpy(items, to->items, to->count * sizeof *items);
        to->items = items;
        to->capacity = capacity;
    }
    migrate_difference item = { base__arena_str(&to->arena, cql),
                                base__arena_str(&to->arena, about) };
    if (!item.cql.data || !item.about.data) return base__fail_memory(err);
    to->items[to->count++] = item;
    return CORM_OK;
}

static corm_status try_out(migrate_snapshot *work, corm_str cql, corm_error *err) {
    cql_statement *statement;
    CORM_TRY(cql__parse(&work->arena, cql, &statement, NULL, err));
    return migrate__snapshot_apply(work, statement, err);
}

corm_status migrate__emit(diff_run *run, base_buf *cql, const char *about) {
    corm_error  why = { 0 };
    corm_str    text = base__buf_str(cql);
    corm_status status = base__buf_status(cql, run->err);
    if (status == CORM_OK) {
        status = try_out(&run->work, text, &why);
        if (status == CORM_NO_MEMORY) {
            base__fail_memory(run->err);
        } else if (status == CORM_OK) {
            status = add(run->out, text, corm_str_of(about ? about : ""), run->err);
        } else {
            base__buf_puts(cql, ": ");
            base__buf_puts(cql, why.message);
            status = add(run->out, (corm_str){ "", 0 }, base__buf_str(cql), run->err);
        }
    }
    base__buf_free(cql);
    return status;
}

corm_status migrate__cannot(diff_run *run, const char *format, ...) {
    base_buf text = { 0 };
    char     piece[512];
    va_list  args;
    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    base__buf_puts(&text, piece);
    corm_status status = base__buf_status(&text, run->err);
    if (status == CORM_OK)
        status = add(run->out, (corm_str){ "", 0 }, base__buf_str(&text), run->err);
    base__buf_free(&text);
    return status;
}

/* ---- types ---- */

static corm_status alter_type(diff_run *run, const char *verb, const cql_udt *type, corm_str field,
                              const cql_type *of) {
    base_buf cql = { 0 };
    base__buf_puts(&cql, "ALTER TYPE ");
    cql__put_name(&cql, type->name);
    base__buf_printf(&cql, " %s ", verb);
    cql__put_name(&cql, field);
    base__buf_u8(&cql, ' ');
    cql__type_print(of, &cql);
    return migrate__emit(run, &cql, NULL);
}

static bool has_field(const cql_type *type, corm_str name, uint32_t *at) {
    for (*at = 0; *at < type->count; ++*at)
        if (corm_str_equal(type->field_names[*at], name)) return true;
    return false;
}

/* Fields can only be added, behind those that are there. */
static corm_status diff_type(diff_run *run, const cql_udt *is, const cql_udt *wanted) {
    uint32_t at;
    for (uint32_t i = 0; i < is->type->count; i++) {
        corm_str name = is->type->field_names[i];
        if (!has_field(wanted->type, name, &at)) {
            CORM_TRY(migrate__cannot(run, "type " CQL_F ": field " CQL_F " cannot be removed",
                                     CQL_S(is->name), CQL_S(name)));
        } else if (at != i) {
            CORM_TRY(migrate__cannot(run, "type " CQL_F ": field " CQL_F " cannot change its place",
                                     CQL_S(is->name), CQL_S(name)));
        } else if (!migrate__same_type(is->type->params[i], wanted->type->params[at])) {
            CORM_TRY(migrate__cannot(run, "type " CQL_F ": field " CQL_F " cannot change its type",
                                     CQL_S(is->name), CQL_S(name)));
        }
    }
    for (uint32_t i = 0; i < wanted->type->count; i++)
        if (!has_field(is->type, wanted->type->field_names[i], &at))
            CORM_TRY(alter_type(run, "ADD", wanted, wanted->type->field_names[i],
                                wanted->type->params[i]));
    return CORM_OK;
}

static corm_status diff_types(diff_run *run) {
    const cql_keyspace *wanted = run->wanted_keyspace;
    base_buf            cql = { 0 };
    uint32_t           *order = BASE_NEW_ARRAY(&run->work.arena, uint32_t, wanted->type_count + 1);
    if (!order) return base__fail_memory(run->err);
    cql__describe_type_order(wanted, order);
    for (uint32_t i = 0; i < wanted->type_count; i++) {
        const cql_udt *type = wanted->types[order[i]];
        const cql_udt *is = cql__schema_type(run->is->schema, run->is->keyspace, type->name);
        if (is) {
            CORM_TRY(diff_type(run, is, type));
            continue;
        }
        cql__describe_type(type, &cql);
        cql.len -= cql.len > 0; /* the semicolon */
        CORM_TRY(migrate__emit(run, &cql, NULL));
    }
    return CORM_OK;
}

/* ---- indexes ---- */

static bool same_index(const cql_table *a, const cql_index *x, const cql_table *b,
                       const cql_index *y) {
    base_buf p = { 0 }, q = { 0 };
    cql__describe_index(a, x, &p);
    cql__describe_index(b, y, &q);
    bool same = !p.failed && !q.failed && p.len == q.len && memcmp(p.data, q.data, p.len) == 0;
    base__buf_free(&p);
    base__buf_free(&q);
    return same;
}

static corm_status drop(diff_run *run, const char *what, corm_str name, bool loses) {
    base_buf cql = { 0 };
    base__buf_printf(&cql, "DROP %s ", what);
    cql__put_name(&cql, name);
    return migrate__emit(run, &cql, loses ? "what it holds is lost" : NULL);
}

static corm_status drop_indexes(diff_run *run, const cql_table *is, const cql_table *wanted) {
    for (uint32_t i = 0; i < is->index_count; i++) {
        const cql_table *of;
        const cql_index *like =
            cql__schema_index(run->wanted->schema, run->wanted->keyspace, is->indexes[i].name, &of);
        if (!like || of != wanted || !same_index(is, &is->indexes[i], wanted, like))
            CORM_TRY(drop(run, "INDEX", is->indexes[i].name, false));
    }
    return CORM_OK;
}

static corm_status create_indexes(diff_run *run, const cql_table *wanted) {
    for (uint32_t i = 0; i < wanted->index_count; i++) {
        const cql_table *of;
        base_buf         cql = { 0 };
        if (cql__schema_index(run->work.schema, run->work.keyspace, wanted->indexes[i].name, &of))
            continue;
        cql__describe_index(wanted, &wanted->indexes[i], &cql);
        cql.len -= cql.len > 0;
        CORM_TRY(migrate__emit(run, &cql, NULL));
    }
    return CORM_OK;
}

/* ---- tables ---- */

/* The wanted one of that name, of the same kind. */
static const cql_table *wanted_table(const diff_run *run, const cql_table *table) {
    const cql_table *like =
        cql__schema_table(run->wanted->schema, run->wanted->keyspace, table->name);
    return like && (like->view != NULL) == (table->view != NULL) ? like : NULL;
}

static corm_status create_table(diff_run *run, const cql_table *table) {
    base_buf             cql = { 0 };
    const cql_statement *written = migrate__written(run->wanted, table->name);
    if (written) {
        cql__print(written, &cql);
    } else {
        cql__describe_table(table, false, &cql);
        cql.len -= cql.len > 0;
    }
    return migrate__emit(run, &cql, NULL);
}

static corm_status drop_changed_indexes(diff_run *run) {
    const cql_keyspace *is = run->is_keyspace;
    for (uint32_t i = 0; i < is->table_count; i++) {
        const cql_table *like = wanted_table(run, is->tables[i]);
        if (like && !is->tables[i]->view) CORM_TRY(drop_indexes(run, is->tables[i], like));
    }
    return CORM_OK;
}

static corm_status diff_tables(diff_run *run) {
    const cql_keyspace *wanted = run->wanted_keyspace;
    for (uint32_t i = 0; i < wanted->table_count; i++) {
        const cql_table *table = wanted->tables[i];
        if (table->view) continue;
        const cql_table *old = cql__schema_table(run->is->schema, run->is->keyspace, table->name);
        CORM_TRY(old ? migrate__diff_table(run, old, table) : create_table(run, table));
        CORM_TRY(create_indexes(run, table));
    }
    return CORM_OK;
}

/* ---- views ---- */

/* Without options: servers have defaults of their own. */
static void put_view(const cql_table *view, base_buf *out) {
    cql__describe_view(view, false, out);
    corm_str text = base__buf_str(out);
    for (size_t i = 0; i + 6 < text.len; i++)
        if (memcmp(text.data + i, "\n WITH", 6) == 0) out->len = i;
}

static bool same_view(const cql_table *a, const cql_table *b) {
    base_buf p = { 0 }, q = { 0 };
    put_view(a, &p);
    put_view(b, &q);
    bool same = !p.failed && !q.failed && corm_str_equal(base__buf_str(&p), base__buf_str(&q));
    base__buf_free(&p);
    base__buf_free(&q);
    return same;
}

/* Before the tables: a column that a view has cannot be dropped. A view loses nothing: it is filled again. */
static corm_status drop_views(diff_run *run) {
    const cql_keyspace *is = run->is_keyspace;
    for (uint32_t i = 0; i < is->table_count; i++) {
        const cql_table *view = is->tables[i], *like = wanted_table(run, view);
        if (view->view && (!like || !same_view(view, like)))
            CORM_TRY(drop(run, "MATERIALIZED VIEW", view->name, false));
    }
    return CORM_OK;
}

static corm_status create_views(diff_run *run) {
    const cql_keyspace *wanted = run->wanted_keyspace;
    for (uint32_t i = 0; i < wanted->table_count; i++) {
        base_buf         cql = { 0 };
        const cql_table *view = wanted->tables[i];
        if (!view->view || cql__schema_table(run->work.schema, run->work.keyspace, view->name))
            continue;
        cql__describe_view(view, false, &cql);
        cql.len -= cql.len > 0; /* the semicolon */
        CORM_TRY(migrate__emit(run, &cql, NULL));
    }
    return CORM_OK;
}

/* Types that are inside others go last. */
static corm_status drop_types(diff_run *run) {
    const cql_keyspace *is = run->is_keyspace;
    uint32_t           *order = BASE_NEW_ARRAY(&run->work.arena, uint32_t, is->type_count + 1);
    if (!order) return base__fail_memory(run->err);
    cql__describe_type_order(is, order);
    for (uint32_t i = is->type_count; i-- > 0;) {
        corm_str name = is->types[order[i]]->name;
        if (!cql__schema_type(run->wanted->schema, run->wanted->keyspace, name))
            CORM_TRY(drop(run, "TYPE", name, false));
    }
    return CORM_OK;
}

static corm_status drop_unwanted(diff_run *run) {
    const cql_keyspace *is = run->is_keyspace;
    for (uint32_t i = 0; i < is->table_count; i++)
        if (!is->tables[i]->view && !wanted_table(run, is->tables[i]))
            CORM_TRY(drop(run, "TABLE", is->tables[i]->name, true));
    return drop_types(run);
}

/* ---- all ---- */

static corm_status run_diff(diff_run *run, bool with_drops) {
    run->is_keyspace = migrate__snapshot_keyspace(run->is);
    run->wanted_keyspace = migrate__snapshot_keyspace(run->wanted);
    CORM_TRY(diff_types(run));
    CORM_TRY(drop_views(run));
    CORM_TRY(drop_changed_indexes(run));
    CORM_TRY(diff_tables(run));
    CORM_TRY(create_views(run));
    return with_drops ? drop_unwanted(run) : CORM_OK;
}

corm_status migrate__diff(const migrate_snapshot *is, const migrate_snapshot *wanted,
                          bool with_drops, migrate_differences *out, corm_error *err) {
    diff_run run = { .is = is, .wanted = wanted, .out = out, .err = err };
    *out = (migrate_differences){ 0 };
    corm_status status = migrate__snapshot_copy(is, &run.work, err);
    if (status == CORM_OK) {
        status = run_diff(&run, with_drops);
        migrate__snapshot_free(&run.work);
    }
    if (status != CORM_OK) migrate__differences_free(out);
    return status;
}

void migrate__differences_print(const migrate_differences *differences, base_buf *out) {
    for (uint32_t i = 0; i < differences->count; i++) {
        const migrate_difference *item = &differences->items[i];
        if (item->about.len > 0)
            base__buf_printf(out, "-- %s: %s\n", item->cql.len > 0 ? "destructive" : "not possible",
                             item->about.data);
        if (item->cql.len > 0) base__buf_printf(out, "%s;\n", item->cql.data);
    }
}
