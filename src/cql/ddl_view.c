// SPDX-License-Identifier: MIT
/* ddl_view.c -- CREATE, ALTER and DROP MATERIALIZED VIEW, and what alterations of a table mean for its views. Pure; any
 * thread.
 *
 * A view is a table with a definition; its columns keep the ids that they have in the base table. */
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/ddl_guard.h"
#include "cql/java.h"
#include "cql/parser.h"

#define EXPERIMENTAL                                                                               \
    "Materialized views are experimental and are not recommended for production use."

/* A view being made. */
typedef struct request {
    cql_ddl               *ddl;
    const cql_create_view *s;
    corm_str               keyspace, name;
    const cql_table       *base;
    bool                  *selected; /* by index in the base table */
    bool                  *in_key;   /* likewise */
    cql_view_def           def;
    cql_table              draft;
} request;

/* ---- SELECT ---- */

/* The server shows the classes of its own tree. */
static const char *selectable_class(const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_CALL:
    case CQL_EXPR_ARITH:
    case CQL_EXPR_NEGATE:
    case CQL_EXPR_COUNT_ALL: return "WithFunction$Raw";
    case CQL_EXPR_FIELD: return "WithFieldSelection$Raw";
    case CQL_EXPR_ELEMENT: return "WithElementSelection$Raw";
    case CQL_EXPR_SLICE: return "WithSliceSelection$Raw";
    case CQL_EXPR_CAST: return "WithCast$Raw";
    case CQL_EXPR_WRITETIME:
    case CQL_EXPR_MAXWRITETIME:
    case CQL_EXPR_TTL: return "WritetimeOrTTL$Raw";
    case CQL_EXPR_HINT: return "WithTypeHint$Raw";
    default: return "WithTerm$Raw";
    }
}

static corm_status no_such_column(request *r, corm_str name) {
    base_buf text = { 0 };
    corm_str shown = cql__ddl_shown_table(r->ddl, r->base);
    cql__put_name(&text, name);
    corm_status status = base__buf_status(&text, r->ddl->err);
    if (status == CORM_OK && !shown.data) status = base__fail_memory(r->ddl->err);
    if (status == CORM_OK)
        status = base__fail(r->ddl->err, CORM_INVALID, "Undefined column name %.*s in table %.*s",
                            CQL_S(base__buf_str(&text)), CQL_S(shown));
    base__buf_free(&text);
    return status;
}

static corm_status select_one(request *r, const cql_selector *selector) {
    corm_error *err = r->ddl->err;
    if (selector->alias.text.data)
        return base__fail(err, CORM_INVALID,
                          "Cannot use aliases when defining a materialized view (got "
                          "org.apache.cassandra.cql3.selection.RawSelector@0)");
    if (selector->expr->kind != CQL_EXPR_COLUMN)
        return base__fail(err, CORM_INVALID,
                          "Can only select columns by name when defining a materialized view (got "
                          "org.apache.cassandra.cql3.selection.Selectable$%s@0)",
                          selectable_class(selector->expr));
    corm_str          name = selector->expr->name.name.text;
    const cql_column *column = cql__table_column(r->base, name);
    if (!column) return no_such_column(r, name);
    r->selected[column->index] = true;
    return CORM_OK;
}

static corm_status select_columns(request *r) {
    const cql_create_view *s = r->s;
    for (uint32_t i = 0; i < r->base->column_count; i++) r->selected[i] = s->all;
    for (uint32_t i = 0; !s->all && i < s->selector_count; i++)
        CORM_TRY(select_one(r, &s->selectors[i]));
    for (uint32_t i = 0; i < r->base->column_count; i++) {
        const cql_column *column = &r->base->columns[i];
        if (!r->selected[i] || column->kind != CQL_STATIC) continue;
        return base__fail(r->ddl->err, CORM_INVALID,
                          "Cannot include static column '%.*s' in materialized view '%.*s'",
                          CQL_S(column->name), CQL_S(r->name));
    }
    return CORM_OK;
}

/* ---- PRIMARY KEY ---- */

static corm_status refuse_open_key(request *r, const cql_column *column) {
    base_buf text = { 0 };
    cql__type_print_marshal(column->type, &text);
    corm_status status = base__buf_status(&text, r->ddl->err);
    if (status == CORM_OK)
        status = base__fail(r->ddl->err, CORM_INVALID,
                            "Invalid non-frozen %s type '%.*s' for PRIMARY KEY column '%.*s'",
                            column->type->id == CQL_UDT ? "user-defined" : "collection",
                            CQL_S(base__buf_str(&text)), CQL_S(column->name));
    base__buf_free(&text);
    return status;
}

static corm_status check_key_column(request *r, corm_str name) {
    corm_error       *err = r->ddl->err;
    const cql_column *column = cql__table_column(r->base, name);
    if (!column || !r->selected[column->index])
        return base__fail(err, CORM_INVALID,
                          "Unknown column '%.*s' referenced in PRIMARY KEY for materialized view "
                          "'%.*s'",
                          CQL_S(name), CQL_S(r->name));
    if (r->in_key[column->index])
        return base__fail(err, CORM_INVALID,
                          "Duplicate column '%.*s' in PRIMARY KEY clause for materialized view "
                          "'%.*s'",
                          CQL_S(name), CQL_S(r->name));
    r->in_key[column->index] = true;
    if (cql__type_is_multicell(column->type)) return refuse_open_key(r, column);
    if (!cql__holds_duration(column->type)) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "duration type is not supported for PRIMARY KEY column '%.*s'", CQL_S(name));
}

static corm_status check_order(request *r) {
    const cql_create_view *s = r->s;
    bool                   same = s->order_count == 0 || s->order_count == s->clustering_count;
    for (uint32_t i = 0; same && i < s->order_count; i++)
        same = corm_str_equal(s->order[i].column.text, s->clustering[i].text);
    if (same) return CORM_OK;
    return base__fail(r->ddl->err, CORM_INVALID,
                      "Clustering key columns must exactly match columns in CLUSTERING ORDER BY "
                      "directive");
}

/* Names, without quotes, in the order of the server's sets: those of the key that `pick` has. */
static corm_status key_names(request *r, bool (*pick)(const request *r, const cql_column *column),
                             const bool *restricted, corm_str *out) {
    const cql_create_view *s = r->s;
    uint32_t               count = s->partition_count + s->clustering_count;
    corm_str              *names = BASE_NEW_ARRAY(r->ddl->arena, corm_str, count);
    uint32_t              *order = BASE_NEW_ARRAY(r->ddl->arena, uint32_t, count);
    base_buf               text = { 0 };
    if (!names || !order) return base__fail_memory(r->ddl->err);
    for (uint32_t i = 0; i < count; i++)
        names[i] = i < s->partition_count ? s->partition_key[i].text
                                          : s->clustering[i - s->partition_count].text;
    cql__java_order(CQL_JAVA_BYTES, names, count, 1, CQL_JAVA_CAPACITY, order);
    for (uint32_t i = 0; i < count; i++) {
        const cql_column *column = cql__table_column(r->base, names[order[i]]);
        if (restricted ? restricted[column->index] : !pick(r, column)) continue;
        if (text.len > 0) base__buf_puts(&text, ", ");
        base__buf_put_str(&text, column->name);
    }
    corm_status status = base__buf_status(&text, r->ddl->err);
    *out = base__arena_str(r->ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return status == CORM_OK && !out->data ? base__fail_memory(r->ddl->err) : status;
}

static bool is_no_base_key(const request *r, const cql_column *column) {
    (void)r;
    return column->kind > CQL_CLUSTERING;
}

static corm_status check_missing(request *r) {
    base_buf    text = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < r->base->partition_count + r->base->clustering_count; i++) {
        if (r->in_key[i]) continue;
        if (text.len > 0) base__buf_puts(&text, ", ");
        base__buf_put_str(&text, r->base->columns[i].name);
    }
    status = base__buf_status(&text, r->ddl->err);
    if (status == CORM_OK && text.len > 0)
        status = base__fail(r->ddl->err, CORM_INVALID,
                            "Cannot create materialized view '%.*s' without primary key columns "
                            "%.*s from base table '%.*s'",
                            CQL_S(r->name), CQL_S(base__buf_str(&text)), CQL_S(r->base->name));
    base__buf_free(&text);
    return status;
}

static corm_status check_own_key(request *r) {
    uint32_t count = 0;
    corm_str names;
    for (uint32_t i = 0; i < r->base->column_count; i++) {
        if (!r->in_key[i] || r->base->columns[i].kind <= CQL_CLUSTERING) continue;
        r->def.key_id = r->base->columns[i].id;
        count++;
    }
    if (count < 2) return CORM_OK;
    CORM_TRY(key_names(r, is_no_base_key, NULL, &names));
    return base__fail(r->ddl->err, CORM_INVALID,
                      "Cannot include more than one non-primary key column in materialized view "
                      "primary key (got %.*s)",
                      CQL_S(names));
}

static corm_status check_key(request *r) {
    const cql_create_view *s = r->s;
    for (uint32_t i = 0; i < s->partition_count; i++)
        CORM_TRY(check_key_column(r, s->partition_key[i].text));
    for (uint32_t i = 0; i < s->clustering_count; i++)
        CORM_TRY(check_key_column(r, s->clustering[i].text));
    CORM_TRY(check_order(r));
    CORM_TRY(check_missing(r));
    return check_own_key(r);
}

/* ---- WHERE ---- */

static corm_status check_relations(request *r) {
    for (uint32_t i = 0; i < r->s->where_count; i++)
        if (r->s->where[i].kind == CQL_REL_TOKEN)
            return base__fail(r->ddl->err, CORM_INVALID,
                              "Cannot use token relation when defining a materialized view");
    for (uint32_t i = 0; i < r->s->where_count; i++)
        if (r->s->where[i].kind == CQL_REL_EXPR)
            return base__fail(r->ddl->err, CORM_INVALID,
                              "WHERE clause for materialized view '%.*s' cannot contain custom "
                              "index expressions",
                              CQL_S(r->name));
    return CORM_OK;
}

static corm_status check_where(request *r) {
    cql_view_where where;
    corm_str       names;
    CORM_TRY(check_relations(r));
    CORM_TRY(cql__view_where(r->ddl, r->base, r->s->where, r->s->where_count, &where));
    CORM_TRY(key_names(r, NULL, where.restricted, &names));
    if (names.len > 0)
        return base__fail(r->ddl->err, CORM_INVALID,
                          "Primary key columns %.*s must be restricted with 'IS NOT NULL' or "
                          "otherwise",
                          CQL_S(names));
    CORM_TRY(cql__view_where_others(&where));
    CORM_TRY(cql__view_filters(&where, &r->def));
    return cql__view_where_text(r->ddl, r->s->where, r->s->where_count, &r->def.where);
}

/* ---- the whole ---- */

static void put_column(request *r, const cql_column *from, cql_column_kind kind, uint32_t position,
                       bool descending) {
    cql_column *column = &r->draft.columns[r->draft.column_count++];
    *column = *from;
    column->kind = kind;
    column->position = position;
    column->descending = descending;
}

static corm_status make_columns(request *r) {
    const cql_create_view *s = r->s;
    r->draft.columns = BASE_NEW_ARRAY(r->ddl->arena, cql_column, r->base->column_count);
    if (!r->draft.columns) return base__fail_memory(r->ddl->err);
    for (uint32_t i = 0; i < s->partition_count; i++)
        put_column(r, cql__table_column(r->base, s->partition_key[i].text), CQL_PARTITION_KEY, i,
                   false);
    for (uint32_t i = 0; i < s->clustering_count; i++) {
        const cql_column *from = cql__table_column(r->base, s->clustering[i].text);
        /* A column that the table has in descending order keeps it, unless the view says otherwise. */
        bool descending = s->order_count > 0 ? s->order[i].descending : from->descending;
        put_column(r, from, CQL_CLUSTERING, i, descending);
    }
    for (uint32_t i = 0; i < r->base->column_count; i++)
        if (r->selected[i] && !r->in_key[i])
            put_column(r, &r->base->columns[i], CQL_REGULAR, 0, false);
    r->draft.next_column_id = r->base->next_column_id;
    return CORM_OK;
}

static corm_status read_options(request *r) {
    const cql_create_view *s = r->s;
    cql_option_context     c = cql__ddl_options(r->ddl);
    bool                   given = false;
    CORM_TRY(cql__table_options_check(&c, s->properties, s->property_count));
    cql__table_options_init(&r->draft.options);
    CORM_TRY(cql__table_options_read(&c, s->properties, s->property_count, &r->draft.options));
    if (r->draft.options.default_time_to_live != 0)
        return base__fail(r->ddl->err, CORM_INVALID,
                          "Cannot set default_time_to_live for a materialized view. Data in a "
                          "materialized view always expire at the same time than the corresponding "
                          "data in the parent table.");
    CORM_TRY(cql__table_options_validate(&c, &r->draft.options));
    r->draft.id = corm_uuid_time();
    return cql__table_options_id(s->properties, s->property_count, &given, &r->draft.id,
                                 r->ddl->err);
}

/* The next snapshot has the view, and the base with a view more or less. */
static corm_status publish(cql_ddl *ddl, const cql_table *base, const cql_table *draft,
                           corm_str dropped) {
    cql_table           base_draft;
    cql_keyspace        keyspace;
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, base->keyspace);
    if (!cql__table_draft(ddl->arena, base, 0, &base_draft) ||
        !cql__keyspace_draft(ddl->arena, before, &keyspace))
        return base__fail_memory(ddl->err);
    base_draft.view_count = draft ? base->view_count + 1 : base->view_count - 1;
    cql_table  *table = cql__table_make(&base_draft);
    cql_table  *view = draft ? cql__table_make(draft) : NULL;
    corm_status status = table && (view || !draft) ? CORM_OK : base__fail_memory(ddl->err);
    if (status == CORM_OK) {
        cql__keyspace_put_table(&keyspace, table);
        if (view) cql__keyspace_put_table(&keyspace, view);
        if (!view) cql__keyspace_remove_table(&keyspace, dropped);
        status = cql__ddl_publish_keyspace(ddl, &keyspace);
    }
    cql__table_unref(table);
    cql__table_unref(view);
    if (view && status == CORM_OK) ddl->change->filled_views = table;
    return status;
}

static corm_status make_view(request *r) {
    cql_ddl *ddl = r->ddl;
    r->selected = BASE_NEW_ARRAY(ddl->arena, bool, r->base->column_count);
    r->in_key = BASE_NEW_ARRAY(ddl->arena, bool, r->base->column_count);
    if (!r->selected || !r->in_key) return base__fail_memory(ddl->err);
    CORM_TRY(select_columns(r));
    CORM_TRY(check_key(r));
    CORM_TRY(check_where(r));
    CORM_TRY(read_options(r));
    CORM_TRY(make_columns(r));
    r->def.base = r->base->name;
    r->def.includes_all = r->s->all;
    r->draft.keyspace = r->keyspace;
    r->draft.name = r->name;
    r->draft.view = &r->def;
    CORM_TRY(cql__ddl_validate_table(ddl, &r->draft));
    r->draft.storage_id = ddl->next_storage_id++;
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "CREATED", r->keyspace, r->name));
    return publish(ddl, r->base, &r->draft, r->name);
}

static corm_status check_counter(request *r) {
    if (!r->base->is_counter) return CORM_OK;
    return base__fail(r->ddl->err, CORM_INVALID,
                      "Materialized views are not supported on counter tables");
}

static corm_status check_base(request *r) {
    corm_error *err = r->ddl->err;
    if (r->base->options.gc_grace_seconds != 0) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "Cannot create materialized view '%.*s' for base table '%.*s' with "
                      "gc_grace_seconds of 0, since this value is used to TTL undelivered updates. "
                      "Setting gc_grace_seconds too low might cause undelivered updates to expire "
                      "before being replayed.",
                      CQL_S(r->name), CQL_S(r->base->name));
}

static corm_status check_written(request *r) {
    const cql_create_view *s = r->s;
    corm_str               base = s->base.keyspace.text;
    CORM_TRY(cql__ddl_keyspace_of(r->ddl, &s->name, &r->keyspace));
    if (!base.data || corm_str_equal(base, r->keyspace)) return CORM_OK;
    return base__fail(r->ddl->err, CORM_INVALID,
                      "Cannot create a materialized view on a table in a different keyspace");
}

/* *done: there is such a view, and the statement does not mind. */
static corm_status find_base(request *r, bool *done) {
    cql_ddl         *ddl = r->ddl;
    corm_str         base = r->s->base.name.text;
    const cql_table *taken = cql__schema_table(ddl->schema, r->keyspace, r->name);
    *done = false;
    if (!cql__schema_keyspace(ddl->schema, r->keyspace))
        return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist",
                          CQL_S(r->keyspace));
    r->base = cql__schema_table(ddl->schema, r->keyspace, base);
    if (!r->base || r->base->view)
        return base__fail(ddl->err, CORM_INVALID, "Base table '%.*s' doesn't exist", CQL_S(base));
    if (!taken) return CORM_OK;
    if (!taken->view)
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot create materialized view '%.*s' - a table with the same name "
                          "already exists",
                          CQL_S(r->name));
    *done = r->s->if_not_exists;
    return *done ? CORM_OK : cql__ddl_exists_already(ddl, r->keyspace, r->name);
}

corm_status cql__create_view(cql_ddl *ddl, const cql_statement *statement) {
    cql_create_view        own = statement->as.create_view;
    const cql_create_view *s = &own; /* without properties that are ignored */
    request                r = { .ddl = ddl, .s = s, .name = s->name.name.text };
    bool                   done;
    CORM_TRY(check_written(&r));
    CORM_TRY(cql__ddl_permit(ddl, "ALTER", CQL_ON_TABLE, r.keyspace, s->base.name.text));
    CORM_TRY(cql__ddl_begin(ddl, r.keyspace));
    if (ddl->guard && !ddl->guard->values[CQL_GUARD_VIEWS])
        return base__fail(ddl->err, CORM_INVALID,
                          "Materialized views are disabled. Enable in cassandra.yaml to use.");
    CORM_TRY(cql__guard_properties(ddl, &own.properties, &own.property_count));
    CORM_TRY(find_base(&r, &done));
    if (!done) CORM_TRY(check_counter(&r));
    if (!done) CORM_TRY(cql__guard_view(ddl, r.base, r.name));
    CORM_TRY(cql__ddl_warn(ddl, corm_str_of(EXPERIMENTAL)));
    if (done) return CORM_OK;
    CORM_TRY(check_base(&r));
    return make_view(&r);
}

/* ---- ALTER and DROP ---- */

/* NULL: there is none, and the statement does not mind. */
static corm_status find_view(cql_ddl *ddl, const cql_ref *ref, bool if_exists, const char *verb,
                             const cql_table **out) {
    corm_str keyspace;
    corm_str name = ref->name.text;
    CORM_TRY(cql__ddl_keyspace_of(ddl, ref, &keyspace));
    CORM_TRY(cql__ddl_permit(ddl, verb, CQL_ON_TABLE, keyspace, name));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    *out = cql__schema_table(ddl->schema, keyspace, name);
    if (*out && (*out)->view) return CORM_OK;
    *out = NULL;
    if (if_exists) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID, "Materialized view '%.*s.%.*s' doesn't exist",
                      CQL_S(keyspace), CQL_S(name));
}

static corm_status check_altered(cql_ddl *ddl, const cql_table_options *options) {
    if (options->gc_grace_seconds == 0)
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot alter gc_grace_seconds of a materialized view to 0, since this "
                          "value is used to TTL undelivered updates. Setting gc_grace_seconds too "
                          "low might cause undelivered updates to expire before being replayed.");
    if (options->default_time_to_live == 0) return CORM_OK;
    return base__fail(
        ddl->err, CORM_INVALID,
        "Forbidden default_time_to_live detected for a materialized view. Data in a "
        "materialized view always expire at the same time than the corresponding data "
        "in the parent table. default_time_to_live must be set to zero, see "
        "CASSANDRA-12868 for more information");
}

corm_status cql__alter_view(cql_ddl *ddl, const cql_statement *statement) {
    const cql_alter_table *s = &statement->as.alter_table;
    cql_option_context     c = cql__ddl_options(ddl);
    const cql_table       *view;
    cql_table              draft;
    bool                   given = false;
    corm_uuid              id;
    cql_property          *properties = s->properties;
    uint32_t               count = s->property_count;
    CORM_TRY(find_view(ddl, &s->table, s->if_exists, "ALTER", &view));
    if (!view) return CORM_OK;
    if (!cql__table_draft(ddl->arena, view, 0, &draft)) return base__fail_memory(ddl->err);
    CORM_TRY(cql__guard_properties(ddl, &properties, &count));
    CORM_TRY(cql__table_options_check(&c, properties, count));
    CORM_TRY(cql__table_options_id(properties, count, &given, &id, ddl->err));
    if (given) return base__fail(ddl->err, CORM_CONFIG_ERROR, "Cannot alter table id.");
    CORM_TRY(cql__table_options_read(&c, properties, count, &draft.options));
    CORM_TRY(check_altered(ddl, &draft.options));
    CORM_TRY(cql__table_options_validate(&c, &draft.options));
    if (cql__table_options_equal(&draft.options, &view->options)) return CORM_OK;
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "UPDATED", view->keyspace, view->name));
    return cql__ddl_publish_table(ddl, &draft, NULL);
}

corm_status cql__drop_view(cql_ddl *ddl, const cql_statement *statement) {
    const cql_drop  *s = &statement->as.drop;
    const cql_table *view;
    CORM_TRY(find_view(ddl, &s->name, s->if_exists, "DROP", &view));
    if (!view) return CORM_OK;
    const cql_table *base = cql__schema_table(ddl->schema, view->keyspace, view->view->base);
    CORM_TRY(cql__ddl_drop_storage(ddl, view));
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "DROPPED", view->keyspace, view->name));
    return publish(ddl, base, NULL, view->name);
}

/* ---- what happens to the base table ---- */

static bool is_among(const cql_table *draft, uint32_t id) {
    for (uint32_t i = 0; i < draft->column_count; i++)
        if (draft->columns[i].id == id) return true;
    return false;
}

/* The columns take names and masks of the base's; a view of all columns gets those that are new. */
static void follow_columns(const cql_table *base, cql_table *draft) {
    for (uint32_t i = 0; i < base->column_count; i++) {
        const cql_column *column = &base->columns[i];
        for (uint32_t j = 0; j < draft->column_count; j++) {
            if (draft->columns[j].id != column->id) continue;
            draft->columns[j].name = column->name;
            draft->columns[j].mask = column->mask;
        }
        if (!draft->view->includes_all || column->kind != CQL_REGULAR ||
            is_among(draft, column->id))
            continue;
        draft->columns[draft->column_count++] = *column;
    }
    draft->next_column_id = base->next_column_id;
}

static corm_str new_name(const cql_table *before, const cql_table *base, corm_str name) {
    const cql_column *column = cql__table_column(before, name);
    for (uint32_t i = 0; column && i < base->column_count; i++)
        if (base->columns[i].id == column->id) return base->columns[i].name;
    return name;
}

/* The clause is read again, with the new names. */
static corm_status follow_where(cql_ddl *ddl, const cql_table *before, const cql_table *base,
                                cql_view_def *view) {
    cql_statement *statement;
    base_buf       text = { 0 };
    base__buf_puts(&text, "SELECT * FROM t WHERE ");
    base__buf_put_str(&text, view->where);
    corm_status status = base__buf_status(&text, ddl->err);
    if (status == CORM_OK)
        status = cql__parse(ddl->arena, base__buf_str(&text), &statement, NULL, ddl->err);
    base__buf_free(&text);
    if (status != CORM_OK) return status;
    cql_select *select = &statement->as.select;
    for (uint32_t i = 0; i < select->where_count; i++)
        for (uint32_t j = 0; j < select->where[i].column_count; j++) {
            cql_name *name = &select->where[i].columns[j];
            name->text = new_name(before, base, name->text);
        }
    return cql__view_where_text(ddl, select->where, select->where_count, &view->where);
}

/* A column that comes back may bring cells that were written after its drop. */
static bool has_old_cells(const cql_table *before, const cql_table *base) {
    for (uint32_t i = 0; i < base->column_count; i++)
        for (uint32_t j = 0; j < before->dropped_count; j++)
            if (before->dropped[j].id == base->columns[i].id &&
                !cql__table_column_with_id(before, base->columns[i].id))
                return true;
    return false;
}

corm_status cql__ddl_follow_base(cql_ddl *ddl, const cql_table *before, const cql_table *base,
                                 bool renamed, cql_keyspace *keyspace) {
    const cql_keyspace *old = cql__schema_keyspace(ddl->schema, base->keyspace);
    bool                refill = has_old_cells(before, base);
    if (refill) ddl->change->filled_views = base;
    for (const cql_table *view = NULL; (view = cql__next_view(old, before, view));) {
        cql_table    draft;
        cql_view_def def = *view->view;
        if (!cql__table_draft(ddl->arena, view, base->column_count, &draft))
            return base__fail_memory(ddl->err);
        draft.view = &def;
        follow_columns(base, &draft);
        if (renamed) CORM_TRY(follow_where(ddl, before, base, &def));
        if (refill) {
            CORM_TRY(cql__ddl_drop_storage(ddl, view));
            draft.storage_id = ddl->next_storage_id++;
        }
        cql_table *made = cql__table_make(&draft);
        if (!made) return base__fail_memory(ddl->err);
        cql__keyspace_put_table(keyspace, made);
    }
    return CORM_OK;
}
