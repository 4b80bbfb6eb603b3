// SPDX-License-Identifier: MIT
/* schema.c -- the schema as a tenant sees it: a store in memory with nothing but its tables, which answers DESCRIBE and
 * system_schema, and whose snapshot statements are checked against.
 *
 *   DESCRIBE KEYSPACE behind ─► each statement parsed ─► names and the column taken back ─► corm::memory:
 *
 * A schema is made when it is asked for and the one behind is another than before. Guarded by tenants->lock where it is kept;
 * itself it does not change. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "tenant/core.h"

enum { MARK_NS = 1000000000 }; /* a cluster's schema is looked at once a second */

/* ---- marks ---- */

static bool store_mark(corm_tenants *tenants, uint64_t *out) {
    cql_schema *schema = session__schema(tenants->behind);
    if (!schema) return false;
    *out = schema->serial;
    cql__schema_unref(schema);
    return true;
}

static bool is_in_callback(const corm_tenants *tenants) {
    session_door *door = tenants->behind->door;
    return door->ops->in_callback && door->ops->in_callback(door);
}

static corm_status ask_mark(corm_tenants *tenants, uint64_t *out, corm_error *err) {
    corm_result *result;
    CORM_TRY(corm_execute(tenants->behind, "SELECT schema_version FROM system.local", &result,
                          { .error = err }));
    const corm_row *row = corm_result_next(result);
    corm_bytes      version = row ? corm_row_bytes(row, 0) : (corm_bytes){ NULL, 0 };
    *out = base__hash(version.data, version.len, 1);
    corm_result_free(result);
    return CORM_OK;
}

static corm_status cluster_mark(corm_tenants *tenants, uint64_t *out, corm_error *err) {
    int64_t now = base__clock_mono_ns();
    pthread_mutex_lock(&tenants->lock);
    *out = tenants->known_mark;
    bool known = tenants->marked_ns != 0 && now - tenants->marked_ns < MARK_NS;
    pthread_mutex_unlock(&tenants->lock);
    if (known || (is_in_callback(tenants) && *out != 0)) return CORM_OK;
    CORM_TRY(ask_mark(tenants, out, err));
    pthread_mutex_lock(&tenants->lock);
    tenants->known_mark = *out;
    tenants->marked_ns = now;
    pthread_mutex_unlock(&tenants->lock);
    return CORM_OK;
}

corm_status tenant__schema_mark(corm_tenants *tenants, uint64_t *out, corm_error *err) {
    CORM_TRY(session__enter(tenants->behind, err));
    corm_status status = CORM_OK;
    if (!store_mark(tenants, out)) status = cluster_mark(tenants, out, err);
    session__leave(tenants->behind);
    return status;
}

void tenant__schema_stale(corm_tenants *tenants) {
    pthread_mutex_lock(&tenants->lock);
    tenants->marked_ns = 0;
    pthread_mutex_unlock(&tenants->lock);
}

/* ---- names taken back ---- */

typedef struct making {
    corm_tenants *tenants;
    corm_str      space; /* of the tenant */
    bool          only_shared;
    bool          taken; /* the statement is the tenant's */
    base_arena   *arena;
    corm_session *store;
    corm_error   *err;
} making;

static bool is_shared(const making *m, const cql_ref *ref) {
    return tenant__is_shared(m->tenants, ref->name.text);
}

static bool strip(const making *m, cql_name *name) {
    if (!base__str_has_prefix(name->text, m->space)) return false;
    name->text = (corm_str){ name->text.data + m->space.len, name->text.len - m->space.len };
    return true;
}

static corm_status take_back(void *context, tenant_ref_kind kind, cql_ref *ref) {
    making *m = context;
    bool    is_table = kind <= TENANT_REF_SCHEMA,
         by_prefix = m->tenants->strategy == CORM_TENANT_PREFIX;
    if (ref->keyspace.text.data && kind != TENANT_REF_FUNCTION)
        ref->keyspace.text = m->tenants->keyspace;
    if (kind == TENANT_REF_FUNCTION) return CORM_OK;
    if (is_table && by_prefix && !is_shared(m, ref)) m->taken &= strip(m, &ref->name);
    if (is_table && m->only_shared && !is_shared(m, ref)) m->taken = false;
    if (!is_table && by_prefix && !strip(m, &ref->name) && kind == TENANT_REF_TYPE)
        m->taken = false;
    return CORM_OK;
}

static corm_status take_type_back(void *context, cql_type_ast *type) {
    making *m = context;
    if (type->count > 0 || type->is_class) return CORM_OK;
    if (!type->is_quoted && !type->name.keyspace.text.data &&
        cql__type_native_named(type->name.name.text)) {
        return CORM_OK;
    }
    if (type->name.keyspace.text.data) type->name.keyspace.text = m->tenants->keyspace;
    if (m->tenants->strategy == CORM_TENANT_PREFIX) strip(m, &type->name.name);
    return CORM_OK;
}

/* ---- the column taken back ---- */

static bool is_column(const making *m, const cql_name *name) {
    return corm_str_equal(name->text, m->tenants->column);
}

static void take_from_table(making *m, cql_create_table *create) {
    bool has = create->partition_count > 1 && is_column(m, &create->partition_key[0]);
    m->taken = has != is_shared(m, &create->table); /* one of the two */
    if (!has || !m->taken) return;
    create->partition_key++;
    create->partition_count--;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < create->column_count; i++) {
        if (!is_column(m, &create->columns[i].name)) create->columns[kept++] = create->columns[i];
    }
    create->column_count = kept;
}

static void take_from_view(making *m, cql_create_view *create) {
    uint32_t kept = 0;
    m->taken = create->partition_count > 1 && is_column(m, &create->partition_key[0]);
    if (!m->taken) return;
    create->partition_key++;
    create->partition_count--;
    for (uint32_t i = 0; i < create->where_count; i++) {
        cql_relation *relation = &create->where[i];
        if (!is_column(m, &relation->columns[0])) create->where[kept++] = *relation;
    }
    create->where_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < create->selector_count; i++) {
        const cql_expr *expr = create->selectors[i].expr;
        if (!expr || expr->kind != CQL_EXPR_COLUMN || !is_column(m, &expr->name.name)) {
            create->selectors[kept++] = create->selectors[i];
        }
    }
    create->selector_count = kept;
}

static void take_column_back(making *m, cql_statement *s) {
    if (s->kind == CQL_STMT_CREATE_TABLE) take_from_table(m, &s->as.create_table);
    if (s->kind == CQL_STMT_CREATE_VIEW) take_from_view(m, &s->as.create_view);
    if (s->kind == CQL_STMT_CREATE_INDEX && s->as.create_index.target_count > 0) {
        m->taken = !is_column(m, &s->as.create_index.columns[0]);
    }
}

/* ---- made ---- */

static corm_status run(making *m, const cql_statement *statement, corm_error *err) {
    base_buf text = { 0 };
    cql__print(statement, &text);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) {
        status = corm_execute(m->store, base__buf_cstr(&text), NULL, { .error = err });
    }
    base__buf_free(&text);
    return status;
}

/* What a server has and Corm does not know (an option, an index of a table that is not the tenant's) is left out: a statement about it
 * is refused then. */
static corm_status run_or_leave(making *m, cql_statement *s) {
    corm_error  unused = { 0 };
    corm_status status = run(m, s, &unused);
    if (status == CORM_OK) return CORM_OK;
    if (status == CORM_NO_MEMORY) return base__fail_memory(m->err);
    if (s->kind == CQL_STMT_CREATE_TABLE) s->as.create_table.property_count = 0;
    if (s->kind == CQL_STMT_CREATE_VIEW) s->as.create_view.property_count = 0;
    status = run(m, s, &unused);
    return status == CORM_NO_MEMORY ? base__fail_memory(m->err) : CORM_OK;
}

static corm_status take(making *m, corm_str text) {
    tenant_visitor visitor = { take_back, NULL, take_type_back, m };
    cql_statement *s;
    corm_status    status = cql__parse(m->arena, text, &s, NULL, m->err);
    if (status != CORM_OK) return status == CORM_NO_MEMORY ? status : CORM_OK;
    if (s->kind == CQL_STMT_CREATE_KEYSPACE) return CORM_OK;
    m->taken = true;
    CORM_TRY(tenant__walk(s, &visitor));
    if (m->tenants->strategy == CORM_TENANT_COLUMN) take_column_back(m, s);
    return m->taken ? run_or_leave(m, s) : CORM_OK;
}

static corm_status take_all(making *m, corm_str script) {
    corm_str statement;
    bool     complete;
    while (cql__split(script, &statement, &script, &complete, NULL)) CORM_TRY(take(m, statement));
    return CORM_OK;
}

static corm_status read_rows(making *m, corm_result *result) {
    int column = corm_result_column_index(result, "create_statement");
    if (column < 0)
        return base__fail(m->err, CORM_PROTOCOL_ERROR, "DESCRIBE has no create_statement");
    for (const corm_row *row;;) {
        CORM_TRY(corm_result_step(result, &row, m->err));
        if (!row) return CORM_OK;
        CORM_TRY(take_all(m, corm_row_text(row, (uint32_t)column)));
    }
}

/* A keyspace that is not there (yet) has nothing. */
static bool is_missing(corm_status status) {
    return status == CORM_INVALID || status == CORM_NOT_FOUND;
}

static corm_status describe(making *m, corm_str keyspace) {
    base_buf     text = { 0 };
    corm_result *result = NULL;
    corm_error   why = { 0 };
    base__buf_puts(&text, "DESCRIBE KEYSPACE ");
    cql__put_name(&text, keyspace);
    corm_status status = base__buf_status(&text, m->err);
    if (status == CORM_OK) {
        status =
            corm_execute(m->tenants->behind, base__buf_cstr(&text), &result, { .error = &why });
        if (status != CORM_OK)
            status = is_missing(status) ? CORM_OK : base__fail(m->err, status, "%s", why.message);
    }
    if (status == CORM_OK && result) status = read_rows(m, result);
    corm_result_free(result);
    base__buf_free(&text);
    return status;
}

static corm_status open_store(making *m) {
    corm_session_options options = { .keyspace = m->tenants->keyspace.data,
                                     .create_keyspace = true };
    return corm_session_open(&m->store, "corm::memory:", &options, m->err);
}

static corm_status fill(making *m) {
    bool by_keyspace = m->tenants->strategy == CORM_TENANT_KEYSPACE;
    CORM_TRY(describe(m, by_keyspace ? m->space : m->tenants->keyspace));
    if (!by_keyspace || m->tenants->shared_count + m->tenants->writable_count == 0) return CORM_OK;
    m->only_shared = true;
    return describe(m, m->tenants->keyspace);
}

static tenant_schema *wrap(corm_session *store, uint64_t mark) {
    tenant_schema *schema = calloc(1, sizeof *schema);
    if (!schema) return NULL;
    atomic_init(&schema->refs, 1);
    schema->store = store;
    schema->snapshot = session__schema(store);
    schema->mark = mark;
    return schema;
}

static corm_status make(corm_tenants *tenants, tenant_one *one, uint64_t mark, tenant_schema **out,
                        corm_error *err) {
    base_arena arena = { 0 };
    making     m = { .tenants = tenants, .arena = &arena, .err = err };
    m.space = corm_str_of(one ? one->space : "");
    if (is_in_callback(tenants)) {
        return base__fail(err, CORM_WOULD_DEADLOCK,
                          "the schema is not known yet, and cannot be asked for inside a callback");
    }
    corm_status status = open_store(&m);
    if (status == CORM_OK) status = fill(&m);
    base__arena_free(&arena);
    *out = status == CORM_OK ? wrap(m.store, mark) : NULL;
    if (*out) return CORM_OK;
    corm_session_close(m.store);
    return status == CORM_OK ? base__fail_memory(err) : status;
}

/* ---- kept ---- */

void tenant__schema_unref(tenant_schema *schema) {
    if (!schema || atomic_fetch_sub(&schema->refs, 1) != 1) return;
    cql__schema_unref(schema->snapshot);
    corm_session_close(schema->store);
    free(schema);
}

static tenant_schema *find(corm_tenants *tenants, const tenant_one *one, uint64_t mark) {
    tenant_schema *out = NULL;
    pthread_mutex_lock(&tenants->lock);
    for (uint32_t i = 0; i < TENANT_SCHEMAS; i++) {
        tenant_schema *schema = tenants->schemas[i].schema;
        if (schema && tenants->schemas[i].one == one && schema->mark == mark) out = schema;
    }
    if (out) atomic_fetch_add(&out->refs, 1);
    pthread_mutex_unlock(&tenants->lock);
    return out;
}

static void keep(corm_tenants *tenants, tenant_one *one, tenant_schema *schema) {
    pthread_mutex_lock(&tenants->lock);
    uint32_t at = tenants->next_schema++ % TENANT_SCHEMAS;
    for (uint32_t i = 0; i < TENANT_SCHEMAS; i++) {
        if (tenants->schemas[i].schema && tenants->schemas[i].one == one) at = i;
    }
    tenant_schema *old = tenants->schemas[at].schema;
    tenants->schemas[at].one = one;
    tenants->schemas[at].schema = schema;
    atomic_fetch_add(&schema->refs, 1);
    pthread_mutex_unlock(&tenants->lock);
    tenant__schema_unref(old);
}

corm_status tenant__schema_get(corm_tenants *tenants, tenant_one *one, tenant_schema **out,
                               corm_error *err) {
    uint64_t mark;
    if (tenants->strategy == CORM_TENANT_COLUMN) one = NULL;
    CORM_TRY(tenant__schema_mark(tenants, &mark, err));
    *out = find(tenants, one, mark);
    if (*out) return CORM_OK;
    CORM_TRY(session__enter(tenants->behind, err));
    corm_status status = make(tenants, one, mark, out, err);
    session__leave(tenants->behind);
    if (status == CORM_OK) keep(tenants, one, *out);
    return status;
}
