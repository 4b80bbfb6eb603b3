// SPDX-License-Identifier: MIT
/* plan.c -- what becomes of a statement, once for all tenants, and the cache of it.
 *
 *   text ─ parse ─► tree ─ rewrite.c, column.c ─► tree ─ print ─► text with holes ─ parse ─ guard.c ─► plan
 *
 * In the changed text a word stands where the tenant's own goes; it was drawn when the tenants were opened, and a statement that
 * has it is refused. Plans are counted and do not change; the cache is guarded by tenants->lock. */
#include <stdlib.h>

#include "tenant/core.h"

enum { SHORT_KEY = 1024 };

/* ---- the end of a plan ---- */

static void free_shared(tenant_shared *shared) {
    if (!shared) return;
    if (shared->behind) shared->unref(shared->behind);
    base__buf_free(&shared->body);
    free(shared);
}

void tenant__plan_unref(tenant_plan *plan) {
    if (!plan || atomic_fetch_sub(&plan->refs, 1) != 1) return;
    free_shared(atomic_load(&plan->shared));
    base__arena_free(&plan->arena);
    free(plan);
}

/* ---- the text ---- */

static corm_status cut(tenant_plan *plan, corm_str text, corm_str hole, corm_error *err) {
    corm_str copy = base__arena_str(&plan->arena, text);
    uint32_t most = (uint32_t)(text.len / hole.len) + 1;
    plan->pieces = BASE_NEW_ARRAY(&plan->arena, corm_str, most);
    if (!copy.data || !plan->pieces) return base__fail_memory(err);
    for (const char *at; (at = tenant__find(copy, hole)) != NULL;) {
        size_t len = (size_t)(at - copy.data);
        plan->pieces[plan->piece_count++] = (corm_str){ copy.data, len };
        copy = (corm_str){ at + hole.len, copy.len - len - hole.len };
    }
    plan->pieces[plan->piece_count++] = copy;
    return CORM_OK;
}

void tenant__plan_text(const tenant_plan *plan, corm_str space, base_buf *out) {
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        if (i > 0) base__buf_put_str(out, space);
        base__buf_put_str(out, plan->pieces[i]);
    }
}

/* ---- markers ---- */

static corm_status note_marker(void *context, cql_expr *expr) {
    tenant_plan *plan = context;
    if (expr->kind != CQL_EXPR_MARKER || expr->index >= plan->value_count) return CORM_OK;
    corm_str name = expr->name.name.text;
    if (corm_str_equal(name, corm_str_of(TENANT_MARKER)))
        plan->values[expr->index] = CORM_TENANT_VALUE;
    if (corm_str_equal(name, corm_str_of(TENANT_JSON_MARKER)))
        plan->values[expr->index] = CORM_TENANT_JSON;
    return CORM_OK;
}

/* Markers keep their order, so the user's are counted through. */
static corm_status number_values(tenant_plan *plan, corm_error *err) {
    uint32_t user = 0, json = 0;
    for (uint32_t i = 0; i < plan->value_count; i++) {
        int32_t *value = &plan->values[i];
        if (*value == CORM_TENANT_VALUE) continue;
        if (*value == CORM_TENANT_JSON) {
            if (json < plan->json_count && plan->json[json].marker >= 0) user++;
            *value = CORM_TENANT_JSON - (int32_t)json++;
        } else {
            *value = (int32_t)user++;
        }
    }
    if (user == plan->user_count && json == plan->json_count) return CORM_OK;
    return base__fail(err, CORM_UNAUTHORIZED, "the statement is refused: its markers were lost");
}

static corm_status find_values(tenant_plan *plan, cql_statement *statement, corm_error *err) {
    tenant_visitor visitor = { .expr = note_marker, .context = plan };
    plan->value_count = statement->marker_count;
    plan->values = BASE_NEW_ARRAY(&plan->arena, int32_t, plan->value_count);
    if (!plan->values) return base__fail_memory(err);
    CORM_TRY(tenant__walk(statement, &visitor));
    return number_values(plan, err);
}

/* ---- making one ---- */

static bool is_schema_change(const tenant_plan *plan) {
    return plan->table_kinds == CORM_TENANT_SCHEMA;
}

static bool is_conditional(const cql_statement *s) {
    const cql_batch *batch = &s->as.batch;
    switch (s->kind) {
    case CQL_STMT_INSERT: return s->as.insert.if_not_exists;
    case CQL_STMT_UPDATE: return s->as.update.if_exists || s->as.update.condition_count > 0;
    case CQL_STMT_DELETE: return s->as.delete_.if_exists || s->as.delete_.condition_count > 0;
    case CQL_STMT_BATCH:
        for (uint32_t i = 0; i < batch->count; i++) {
            if (is_conditional(batch->statements[i])) return true;
        }
        return false;
    default: return false;
    }
}

/* The changed tree as the server will read it. */
static corm_status finish(tenant_rewrite *rewrite, const cql_statement *changed) {
    tenant_plan   *plan = rewrite->plan;
    cql_statement *statement;
    base_buf       text = { 0 };
    cql__print(changed, &text);
    corm_status status = base__buf_status(&text, rewrite->err);
    if (status == CORM_OK) {
        status = cql__parse(rewrite->arena, base__buf_str(&text), &statement, NULL, rewrite->err);
    }
    if (status == CORM_OK) status = tenant__guard(rewrite, statement);
    if (status == CORM_OK) status = find_values(plan, statement, rewrite->err);
    if (status == CORM_OK)
        status = cut(plan, base__buf_str(&text), rewrite->tenants->hole, rewrite->err);
    base__buf_free(&text);
    return status;
}

/* As it will be printed: names are folded then. */
static corm_status check_words(const tenant_rewrite *rewrite, const cql_statement *statement) {
    base_buf text = { 0 };
    cql__print(statement, &text);
    corm_status status = base__buf_status(&text, rewrite->err);
    if (status == CORM_OK && tenant__find(base__buf_str(&text), rewrite->tenants->hole)) {
        status = base__fail(rewrite->err, CORM_UNAUTHORIZED,
                            "the statement is refused: it has a word of Corm's");
    }
    base__buf_free(&text);
    return status;
}

static corm_status make(tenant_rewrite *rewrite, corm_str text) {
    tenant_plan   *plan = rewrite->plan;
    cql_statement *statement;
    CORM_TRY(cql__parse(rewrite->arena, text, &statement, NULL, rewrite->err));
    CORM_TRY(check_words(rewrite, statement));
    plan->kind = statement->kind;
    plan->user_count = statement->marker_count;
    CORM_TRY(tenant__rewrite(rewrite, text, statement));
    plan->is_conditional = is_conditional(statement);
    plan->is_schema_change = is_schema_change(plan);
    if (plan->route == TENANT_TO_STORE) return finish(rewrite, statement);
    plan->piece_count = 1;
    plan->pieces = BASE_NEW(&plan->arena, corm_str);
    if (!plan->pieces) return base__fail_memory(rewrite->err);
    plan->pieces[0] = base__arena_str(&plan->arena, text);
    return plan->pieces[0].data ? CORM_OK : base__fail_memory(rewrite->err);
}

static tenant_plan *new_plan(corm_str key) {
    tenant_plan *plan = calloc(1, sizeof *plan);
    if (!plan) return NULL;
    atomic_init(&plan->refs, 1);
    plan->key = base__arena_str(&plan->arena, key);
    if (plan->key.data) return plan;
    tenant__plan_unref(plan);
    return NULL;
}

static corm_status build(corm_tenants *tenants, bool of_schema, corm_str keyspace, corm_str text,
                         corm_str key, tenant_plan **out, corm_error *err) {
    base_arena     arena = { 0 };
    tenant_rewrite rewrite = { tenants, of_schema, keyspace, &arena, new_plan(key), NULL, err };
    if (!rewrite.plan) return base__fail_memory(err);
    corm_status status = CORM_OK;
    if (tenants->strategy == CORM_TENANT_COLUMN) {
        status = tenant__schema_get(tenants, NULL, &rewrite.schema, err);
    }
    if (status == CORM_OK) {
        rewrite.plan->mark = rewrite.schema ? rewrite.schema->mark : 0;
        status = make(&rewrite, text);
    }
    tenant__schema_unref(rewrite.schema);
    base__arena_free(&arena);
    if (status == CORM_OK) {
        *out = rewrite.plan;
    } else {
        tenant__plan_unref(rewrite.plan);
    }
    return status;
}

/* ---- the cache ---- */

static tenant_plan *look_up(corm_tenants *tenants, corm_str key, uint64_t mark) {
    pthread_mutex_lock(&tenants->lock);
    tenant_plan *plan = base__map_get(&tenants->plans, key);
    if (plan && plan->mark != mark) plan = NULL;
    if (plan) {
        plan->used = ++tenants->uses;
        atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&tenants->lock);
    return plan;
}

/* Under the lock. */
static tenant_plan *remove_oldest(corm_tenants *tenants) {
    tenant_plan *oldest = NULL;
    size_t       at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&tenants->plans, &at)) != NULL;) {
        tenant_plan *plan = slot->value;
        if (!oldest || plan->used < oldest->used) oldest = plan;
    }
    return oldest ? base__map_remove(&tenants->plans, oldest->key) : NULL;
}

/* Keeps it if there is memory for it. */
static void keep(corm_tenants *tenants, tenant_plan *plan) {
    tenant_plan *old, *unwanted = NULL;
    pthread_mutex_lock(&tenants->lock);
    old = base__map_remove(&tenants->plans, plan->key);
    if (tenants->plans.count >= tenants->most_plans) unwanted = remove_oldest(tenants);
    plan->used = ++tenants->uses;
    if (base__map_put(&tenants->plans, plan->key, plan)) atomic_fetch_add(&plan->refs, 1);
    pthread_mutex_unlock(&tenants->lock);
    tenant__plan_unref(old);
    tenant__plan_unref(unwanted);
}

void tenant__plans_clear(corm_tenants *tenants) {
    size_t at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&tenants->plans, &at)) != NULL;) {
        tenant__plan_unref(slot->value);
    }
    base__map_free(&tenants->plans);
}

static corm_status get(corm_tenants *tenants, bool of_schema, corm_str keyspace, corm_str text,
                       corm_str key, tenant_plan **out, corm_error *err) {
    uint64_t mark = 0;
    if (tenants->strategy == CORM_TENANT_COLUMN) CORM_TRY(tenant__schema_mark(tenants, &mark, err));
    *out = look_up(tenants, key, mark);
    if (*out) return CORM_OK;
    CORM_TRY(build(tenants, of_schema, keyspace, text, key, out, err));
    keep(tenants, *out);
    return CORM_OK;
}

corm_status tenant__plan_get(corm_tenants *tenants, bool of_schema, corm_str keyspace,
                             corm_str text, tenant_plan **out, corm_error *err) {
    char   near[SHORT_KEY];
    size_t len = 2 + keyspace.len + text.len;
    char  *key = len <= sizeof near ? near : malloc(len);
    if (!key) return base__fail_memory(err);
    key[0] = of_schema ? 's' : 't';
    if (keyspace.len > 0) memcpy(key + 1, keyspace.data, keyspace.len);
    key[1 + keyspace.len] = '\0';
    if (text.len > 0) memcpy(key + 2 + keyspace.len, text.data, text.len);
    corm_status status = get(tenants, of_schema, keyspace, text, (corm_str){ key, len }, out, err);
    if (key != near) free(key);
    return status;
}
