// SPDX-License-Identifier: MIT
/* explain_find.c -- a find of a model explained: what the store is asked, as explain_cql.c tells it, and what Corm does on the rows.
 * Any door. */
#include "orm/explain.h"
#include "orm/query_table.h"

typedef struct finding {
    orm_explaining          *e;
    orm_model               *model, *asked;
    const corm_find_options *options;
    orm_query                query;
    corm_error              *err;
} finding;

static const char *const operator_names[] = {
    [CORM_EQ] = "= ?",
    [CORM_NE] = "!= ?",
    [CORM_GT] = "> ?",
    [CORM_GTE] = ">= ?",
    [CORM_LT] = "< ?",
    [CORM_LTE] = "<= ?",
    [CORM_IN] = "IN ?",
    [CORM_CONTAINS] = "CONTAINS ?",
    [CORM_CONTAINS_KEY] = "CONTAINS KEY ?",
    [CORM_LIKE] = "LIKE ?",
    [CORM_BETWEEN] = "BETWEEN ? AND ?",
    [CORM_NULL_OP] = "is null",
    [CORM_NOT_NULL_OP] = "is not null",
};

/* ---- what Corm does ---- */

static void tell_local(finding *f) {
    bool asked = false;
    for (uint32_t i = 0; i < f->query.term_count; i++) {
        const orm_term *term = &f->query.terms[i];
        if (!term->local) continue;
        if (term->given->column[0] == '\0') {
            orm__explain_add(f->e, &f->e->corm,
                             f->options->only_deleted ? "passes rows over that are not deleted"
                                                      : "passes rows over that are deleted");
            continue;
        }
        asked = true;
        orm__explain_add(f->e, &f->e->corm, "%s %s on the rows read", term->field->name.data,
                         operator_names[term->given->op]);
    }
    if (!asked || f->e->out.access <= CORM_ACCESS_SLICE) return;
    orm__explain_warn(f->e, "Narrow what is read with conditions of the key.",
                      "rows are read to be left out by conditions that the store is not asked");
}

static void tell_order(finding *f) {
    if (f->query.sorts_here) {
        orm__explain_add(f->e, &f->e->corm, "sorts by %s, all rows that match in memory",
                         f->query.order[0]->name.data);
        orm__explain_warn(
            f->e, "Make the column a clustering column, of this table or of a query table.",
            "'%s' is no clustering column: all rows are read before the first is given",
            f->query.order[0]->name.data);
    }
    if (f->options->offset > 0) {
        orm__explain_add(f->e, &f->e->corm, "passes %u rows over", f->options->offset);
        orm__explain_warn(f->e, "corm_find_page and .after go on from a row at no cost.",
                          "%u rows are read to be passed over", f->options->offset);
    }
}

static void tell_limits(finding *f) {
    const corm_find_options *options = f->options;
    if (options->limit > 0 && !f->query.limited) {
        orm__explain_add(f->e, &f->e->corm, "stops behind %u rows", options->limit);
    }
    if (options->per_partition_limit > 0 && !f->query.limited_by_partition) {
        orm__explain_add(f->e, &f->e->corm, "takes %u rows of each partition",
                         options->per_partition_limit);
    }
    if (options->after) {
        orm__explain_add(
            f->e, &f->e->corm,
            "goes on behind a row: one slice for each clustering column, then the rest");
    }
    for (uint32_t i = 0; i < 8 && options->include[i]; i++) {
        orm__explain_add(f->e, &f->e->corm, "reads the relation %s of all rows at once",
                         options->include[i]);
    }
    for (const corm_include *include = options->includes; include; include = NULL) {
        orm__explain_add(f->e, &f->e->corm, "reads relations of all rows at once");
    }
}

/* ---- what the store is asked ---- */

static corm_status explain_statement(finding *f) {
    base_buf text = { 0 };
    uint32_t counts[2 * CORM_MAX_TERMS + 2] = { 0 };
    uint32_t at = 0;
    for (uint32_t i = 0; i < f->query.term_count; i++) {
        const orm_term *term = &f->query.terms[i];
        if (term->local) continue;
        if (term->given->op == CORM_IN) counts[at] = term->given->value.as.items.count;
        at += term->given->op == CORM_BETWEEN ? 2 : 1;
    }
    orm__query_text(&f->query, &text);
    const char *cql = base__buf_cstr(&text);
    corm_status status =
        cql ? orm__explain_text(f->e, corm_str_of(cql), counts, f->err) : base__fail_memory(f->err);
    base__buf_free(&text);
    return status;
}

/* The row that a unique value's reservation names is read by its key; all else is held on it. */
static corm_status explain_unique(finding *f, const orm_term *unique) {
    orm_explaining *e = f->e;
    base_buf        keyspace = { 0 };
    cql__put_name(&keyspace, f->model->keyspace);
    const char *name = base__buf_cstr(&keyspace);
    CORM_TRY(orm__explain_schema(e, f->model->keyspace.data, f->model->table.data, f->err));
    e->no_memory |= !name;
    orm__explain_add(
        e, &e->statements,
        "SELECT owner, pending_until FROM %s.corm_unique WHERE model = ? AND field = ? "
        "AND value = ?",
        name ? name : "");
    base__buf_free(&keyspace);
    orm__explain_add(e, &e->statements, "SELECT … FROM %s WHERE the whole key = ?",
                     f->model->path.data);
    e->out.access = CORM_ACCESS_UNIQUE;
    e->out.partitions = 2;
    orm__explain_add(e, &e->store, "%s = ? by its reservation", unique->field->name.data);
    for (uint32_t i = 0; i < f->query.term_count; i++) f->query.terms[i].local = true;
    return CORM_OK;
}

static corm_status explain(finding *f) {
    const orm_term *unique = orm__query_unique(&f->query);
    bool            store = f->options->allow_filtering || (unique && unique->field->spec->indexed);
    CORM_TRY(unique && !store ? explain_unique(f, unique) : explain_statement(f));
    if (f->asked != f->model)
        f->e->out.query_table = orm__explain_copy(f->e, "%s", f->asked->table.data);
    tell_local(f);
    tell_order(f);
    tell_limits(f);
    return orm__explain_end(f->e, f->err);
}

corm_status corm_explain_with(corm_db *db, const corm_model *model, const corm_explanation **out,
                              const corm_find_options *options) {
    static const corm_find_options nothing;
    corm_find_options              scoped;
    if (!options) options = &nothing;
    finding f = { .err = options->error };
    *out = NULL;
    CORM_TRY(orm__model(db, model, &f.model, f.err));
    CORM_TRY(orm__scope(f.model, &options, &scoped));
    f.options = options;
    f.asked = orm__query_table_pick(f.model, options);
    CORM_TRY(orm__query_init(&f.query, ORM_FIND, f.asked, options));
    CORM_TRY(orm__explain_new(db->session, &f.e, f.err));
    corm_status status = explain(&f);
    if (status != CORM_OK) {
        corm_explanation_free(&f.e->out);
        return status;
    }
    *out = &f.e->out;
    return CORM_OK;
}
