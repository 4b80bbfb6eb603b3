// SPDX-License-Identifier: MIT
/* tenants.c -- the tenants of a session: opened, found, their state; sessions, single statements, what becomes of a statement.
 *
 * Owns plans, schemas and one struct a tenant that was asked for, until the last session of a tenant is closed. Any thread. */
#include <stdlib.h>

#include "base/clock.h"
#include "tenant/door.h"

enum { DEFAULT_CACHE_MS = 1000, DEFAULT_LEASE_MS = 30000, DEFAULT_PLANS = 1024, HOLE_RANDOM = 12 };

/* ---- options ---- */

static corm_status copy_text(corm_tenants *tenants, const char *text, const char *otherwise,
                             corm_str *out, corm_error *err) {
    *out = base__arena_str(&tenants->arena, corm_str_of(text && *text ? text : otherwise));
    return out->data ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_texts(corm_tenants *tenants, const char *const *texts, uint32_t count,
                              corm_str **out, uint32_t *out_count, corm_error *err) {
    *out = BASE_NEW_ARRAY(&tenants->arena, corm_str, count);
    if (!*out) return base__fail_memory(err);
    *out_count = count;
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(copy_text(tenants, texts[i], "", &(*out)[i], err));
    return CORM_OK;
}

/* A word that no statement has by chance, made of letters so that it is a name without quotes. */
static corm_status draw_hole(corm_tenants *tenants, corm_error *err) {
    uint8_t bytes[HOLE_RANDOM];
    char    text[2 + 2 * HOLE_RANDOM + 1] = "zq";
    if (!base__random(bytes, sizeof bytes)) {
        return base__fail(err, CORM_IO, "the operating system gives no random bytes");
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        text[2 + 2 * i] = (char)('a' + (bytes[i] & 15));
        text[3 + 2 * i] = (char)('a' + (bytes[i] >> 4));
    }
    return copy_text(tenants, text, "", &tenants->hole, err);
}

static corm_status copy_names(corm_tenants *tenants, const corm_tenants_options *options,
                              corm_error *err) {
    const char *session = corm_session_keyspace(tenants->behind);
    CORM_TRY(copy_text(tenants, options->keyspace, session, &tenants->keyspace, err));
    CORM_TRY(copy_text(tenants, options->column, "tenant_id", &tenants->column, err));
    CORM_TRY(copy_text(tenants, options->table, "tenants", &tenants->table, err));
    CORM_TRY(copy_text(tenants, options->migrations, "", &tenants->migrations, err));
    CORM_TRY(copy_text(tenants, options->replication,
                       "{'class': 'SimpleStrategy', 'replication_factor': 1}",
                       &tenants->replication, err));
    CORM_TRY(copy_texts(tenants, options->shared, options->shared_count, &tenants->shared,
                        &tenants->shared_count, err));
    CORM_TRY(copy_texts(tenants, options->schema, options->schema_count, &tenants->schema_texts,
                        &tenants->schema_count, err));
    return copy_texts(tenants, options->shared_writable, options->shared_writable_count,
                      &tenants->writable, &tenants->writable_count, err);
}

static corm_status check_names(const corm_tenants *tenants, corm_error *err) {
    if (tenants->keyspace.len == 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "neither the options nor the session have a keyspace");
    }
    if (tenants->keyspace.len > TENANT_NAME_MAX || strstr(tenants->keyspace.data, "__")) {
        return base__fail(
            err, CORM_INVALID_ARGUMENT,
            "the keyspace of tenants has at most %d characters and no '__', which is what ends it in names",
            TENANT_NAME_MAX);
    }
    if (tenant__is_shared(tenants, tenants->table)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the catalogue '%s' cannot be shared",
                          tenants->table.data);
    }
    for (uint32_t i = 0; i < tenants->shared_count + tenants->writable_count; i++) {
        corm_str name = i < tenants->shared_count ? tenants->shared[i]
                                                  : tenants->writable[i - tenants->shared_count];
        if (!strstr(name.data, "__")) continue;
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a shared table cannot have '__' in its name, as '%s' has", name.data);
    }
    return CORM_OK;
}

static corm_status check_options(const corm_tenants_options *options, corm_error *err) {
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the tenants' options are not initialised");
    }
    if ((unsigned)options->strategy > CORM_TENANT_COLUMN ||
        (unsigned)options->isolation > CORM_ISOLATION_OPEN) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "there is no such strategy or isolation");
    }
    return CORM_OK;
}

static void set_numbers(corm_tenants *tenants, const corm_tenants_options *options) {
    uint32_t cache_ms = options->state_cache_ms ? options->state_cache_ms : DEFAULT_CACHE_MS;
    tenants->strategy = options->strategy;
    tenants->isolation = options->isolation;
    tenants->provision = options->provision;
    tenants->provision_context = options->provision_context;
    tenants->limits = options->limits;
    tenants->state_cache_ns = (int64_t)cache_ms * 1000000;
    tenants->lease_ms = options->lease_ms ? options->lease_ms : DEFAULT_LEASE_MS;
    tenants->most_plans = options->cached_plans ? options->cached_plans : DEFAULT_PLANS;
}

/* ---- life ---- */

corm_tenants *tenant__ref(corm_tenants *tenants) {
    atomic_fetch_add_explicit(&tenants->refs, 1, memory_order_relaxed);
    return tenants;
}

static void free_one(tenant_one *one) {
    free(one);
}

void tenant__unref(corm_tenants *tenants) {
    if (!tenants || atomic_fetch_sub(&tenants->refs, 1) != 1) return;
    size_t at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&tenants->ones, &at)) != NULL;) {
        free_one(slot->value);
    }
    base__map_free(&tenants->ones);
    tenant__plans_clear(tenants);
    for (uint32_t i = 0; i < TENANT_SCHEMAS; i++) tenant__schema_unref(tenants->schemas[i].schema);
    pthread_mutex_destroy(&tenants->lock);
    base__arena_free(&tenants->arena);
    session__unref(tenants->behind);
    free(tenants);
}

corm_status corm_tenants_open(corm_tenants **out, corm_session *session,
                              const corm_tenants_options *options) {
    static const corm_tenants_options defaults;
    if (!options) options = &defaults;
    corm_error *err = options->error;
    *out = NULL;
    CORM_TRY(check_options(options, err));
    CORM_TRY(session__check_open(session, err));
    corm_tenants *tenants = calloc(1, sizeof *tenants);
    if (!tenants) return base__fail_memory(err);
    atomic_init(&tenants->refs, 1);
    pthread_mutex_init(&tenants->lock, NULL);
    tenants->behind = session__ref(session);
    set_numbers(tenants, options);
    corm_status status = copy_names(tenants, options, err);
    if (status == CORM_OK) status = draw_hole(tenants, err);
    if (status == CORM_OK) status = check_names(tenants, err);
    if (status == CORM_OK) {
        *out = tenants;
    } else {
        tenant__unref(tenants);
    }
    return status;
}

void corm_tenants_close(corm_tenants *tenants) {
    if (!tenants) return;
    size_t at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&tenants->ones, &at)) != NULL;) {
        tenant_one *one = slot->value;
        corm_session_close(one->session);
        one->session = NULL;
    }
    tenant__unref(tenants);
}

/* ---- one tenant ---- */

static tenant_one *new_one(const corm_tenants *tenants, corm_str id, corm_error *err) {
    char space[TENANT_SPACE_MAX];
    if (tenant__space(tenants, id, space, err) != CORM_OK) return NULL;
    size_t      len = strlen(space) + 1;
    tenant_one *one = calloc(1, sizeof *one + len);
    if (!one) {
        base__fail_memory(err);
        return NULL;
    }
    memcpy(one->id, id.data, id.len);
    one->space = (char *)(one + 1);
    memcpy(one->space, space, len);
    atomic_init(&one->state, -1);
    return one;
}

static tenant_one *find_one(corm_tenants *tenants, corm_str id) {
    pthread_mutex_lock(&tenants->lock);
    tenant_one *one = base__map_get(&tenants->ones, id);
    pthread_mutex_unlock(&tenants->lock);
    return one;
}

/* Takes `made` over. */
static corm_status keep_one(corm_tenants *tenants, tenant_one *made, tenant_one **out,
                            corm_error *err) {
    corm_str id = corm_str_of(made->id);
    pthread_mutex_lock(&tenants->lock);
    *out = base__map_get(&tenants->ones, id);
    if (!*out && base__map_put(&tenants->ones, id, made)) *out = made;
    pthread_mutex_unlock(&tenants->lock);
    if (*out != made) free_one(made);
    return *out ? CORM_OK : base__fail_memory(err);
}

/* What new_one() left in *err. */
static corm_status not_made(corm_str id, corm_error *err) {
    corm_error why = { 0 };
    if (!err) err = &why;
    return err->status != CORM_OK ? err->status
                                  : base__fail(err, CORM_INVALID_ARGUMENT, "'%.*s' is no tenant",
                                               (int)id.len, id.data);
}

corm_status tenant__one(corm_tenants *tenants, corm_str id, tenant_one **out, corm_error *err) {
    *out = find_one(tenants, id);
    if (*out) return CORM_OK;
    corm_error  why = { 0 };
    tenant_one *made = new_one(tenants, id, &why);
    if (made) return keep_one(tenants, made, out, err);
    if (err) *err = why;
    return not_made(id, &why);
}

/* Names that are asked for and are nobody's take no memory. */
corm_status tenant__known(corm_tenants *tenants, corm_str id, tenant_one **out, corm_error *err) {
    *out = find_one(tenants, id);
    if (*out) return CORM_OK;
    corm_error  why = { 0 };
    tenant_one *made = new_one(tenants, id, &why);
    if (!made) {
        if (err) *err = why;
        return not_made(id, &why);
    }
    corm_status status = tenant__check_state(tenants, made, true, true, err);
    if (status != CORM_OK) {
        free_one(made);
        return status;
    }
    return keep_one(tenants, made, out, err);
}

corm_status tenant__schema_one(corm_tenants *tenants, tenant_one *one, tenant_one **out,
                               corm_error *err) {
    *out = one;
    if (tenants->strategy != CORM_TENANT_COLUMN) return CORM_OK;
    return tenant__one(tenants, corm_str_of(TENANT_OF_SCHEMA), out, err);
}

/* ---- its state ---- */

corm_status tenant__evaluate(tenant_one *one, corm_error *err) {
    switch (atomic_load(&one->state)) {
    case CORM_TENANT_ACTIVE: return CORM_OK;
    case CORM_TENANT_SUSPENDED:
        return base__fail(err, CORM_UNAUTHORIZED, "tenant '%s' is suspended", one->id);
    case CORM_TENANT_CREATING:
        return base__fail(err, CORM_UNAUTHORIZED, "tenant '%s' is being made", one->id);
    case CORM_TENANT_DROPPING:
        return base__fail(err, CORM_UNAUTHORIZED, "tenant '%s' is being dropped", one->id);
    case TENANT_ELSEWHERE:
        return base__fail(err, CORM_SCHEMA_MISMATCH, "tenant '%s' was made with another strategy",
                          one->id);
    default: return base__fail(err, CORM_NOT_FOUND, "there is no tenant '%s'", one->id);
    }
}

typedef struct asking {
    corm_tenants *tenants; /* one reference */
    tenant_one   *one;
} asking;

static void on_row(void *context, corm_status status, corm_result *result,
                   const corm_error *error) {
    asking *a = context;
    (void)error;
    if (status == CORM_OK) tenant__note(a->tenants, a->one, corm_result_next(result), result);
    corm_result_free(result);
    atomic_store(&a->one->asked, false);
    tenant__unref(a->tenants);
    free(a);
}

/* For the next time. */
static void ask_later(corm_tenants *tenants, tenant_one *one) {
    if (atomic_exchange(&one->asked, true)) return;
    asking *a = malloc(sizeof *a);
    if (!a) {
        atomic_store(&one->asked, false);
        return;
    }
    *a = (asking){ tenant__ref(tenants), one };
    corm_error err = { 0 };
    if (tenant__catalogue_ask(tenants, one, on_row, a, &err) == CORM_OK) return;
    atomic_store(&one->asked, false);
    tenant__unref(tenants);
    free(a);
}

corm_status tenant__check_state(corm_tenants *tenants, tenant_one *one, bool anew, bool may_wait,
                                corm_error *err) {
    if (one->id[0] == '_') return CORM_OK;
    int64_t checked = atomic_load_explicit(&one->checked_ns, memory_order_acquire);
    bool    fresh = checked != 0 && base__clock_mono_ns() - checked < tenants->state_cache_ns;
    if (!anew && fresh) return tenant__evaluate(one, err);
    if (may_wait || checked == 0 || !session__is_cluster(tenants->behind)) {
        CORM_TRY(tenant__catalogue_read(tenants, one, err));
    } else {
        ask_later(tenants, one);
    }
    return tenant__evaluate(one, err);
}

/* ---- sessions ---- */

corm_status corm_tenant_session(corm_tenants *tenants, const char *tenant, corm_session **out,
                                corm_error *err) {
    tenant_one *one;
    *out = NULL;
    CORM_TRY(tenant__check_id(tenant, err));
    CORM_TRY(tenant__known(tenants, corm_str_of(tenant), &one, err));
    CORM_TRY(tenant__check_state(tenants, one, true, true, err));
    return tenant__door_open(tenants, one, false, out, err);
}

corm_status corm_tenants_schema_session(corm_tenants *tenants, corm_session **out,
                                        corm_error *err) {
    tenant_one *one;
    *out = NULL;
    if (tenants->strategy != CORM_TENANT_COLUMN) {
        return base__fail(err, CORM_UNSUPPORTED,
                          "each tenant has a schema of its own with this strategy");
    }
    CORM_TRY(tenant__one(tenants, corm_str_of(TENANT_OF_SCHEMA), &one, err));
    return tenant__door_open(tenants, one, true, out, err);
}

/* The session of single statements. */
static corm_status own_session(corm_tenants *tenants, tenant_one *one, corm_session **out,
                               corm_error *err) {
    pthread_mutex_lock(&tenants->lock);
    *out = one->session;
    pthread_mutex_unlock(&tenants->lock);
    if (*out) return CORM_OK;
    corm_session *made;
    CORM_TRY(tenant__door_open(tenants, one, false, &made, err));
    pthread_mutex_lock(&tenants->lock);
    if (!one->session) {
        one->session = made;
        made = NULL;
    }
    *out = one->session;
    pthread_mutex_unlock(&tenants->lock);
    corm_session_close(made);
    return CORM_OK;
}

corm_status corm_tenant_execute_with(corm_tenants *tenants, const char *tenant, const char *cql,
                                     const corm_execute_options *options, corm_result **out) {
    corm_error   *err = options ? options->error : NULL;
    tenant_one   *one;
    corm_session *session;
    if (out) *out = NULL;
    if ((!tenant || !*tenant) && tenants->isolation == CORM_ISOLATION_OPEN) {
        return corm_execute_with(tenants->behind, cql, options, out);
    }
    CORM_TRY(tenant__check_id(tenant, err));
    CORM_TRY(tenant__known(tenants, corm_str_of(tenant), &one, err));
    CORM_TRY(own_session(tenants, one, &session, err));
    return corm_execute_with(session, cql, options, out);
}

/* ---- what becomes of a statement ---- */

static corm_status make_query(const tenant_plan *plan, corm_str id, corm_str space,
                              corm_tenant_query **out, corm_error *err) {
    base_buf text = { 0 };
    tenant__plan_text(plan, space, &text);
    CORM_TRY(base__buf_status(&text, err));
    size_t             values = plan->value_count * sizeof(int32_t);
    corm_tenant_query *query = calloc(1, sizeof *query + values + text.len + 1 + id.len + 1);
    if (query) {
        int32_t *numbers = (int32_t *)(query + 1);
        char    *cql = (char *)numbers + values;
        if (values > 0) memcpy(numbers, plan->values, values);
        for (uint32_t i = 0; i < plan->value_count; i++) {
            if (numbers[i] < CORM_TENANT_JSON) numbers[i] = CORM_TENANT_JSON;
        }
        memcpy(cql, text.data, text.len);
        memcpy(cql + text.len + 1, id.data, id.len);
        *query = (corm_tenant_query){ cql, plan->value_count, numbers, cql + text.len + 1 };
    }
    base__buf_free(&text);
    *out = query;
    return query ? CORM_OK : base__fail_memory(err);
}

corm_status corm_tenants_transform(corm_tenants *tenants, const char *tenant, const char *cql,
                                   corm_tenant_query **out, corm_error *err) {
    tenant_plan *plan;
    char         space[TENANT_SPACE_MAX];
    *out = NULL;
    CORM_TRY(tenant__check_id(tenant, err));
    if (!cql) return base__fail(err, CORM_INVALID_ARGUMENT, "the statement is NULL");
    CORM_TRY(tenant__space(tenants, corm_str_of(tenant), space, err));
    CORM_TRY(tenant__plan_get(tenants, false, tenants->keyspace, corm_str_of(cql), &plan, err));
    corm_status status = make_query(plan, corm_str_of(tenant), corm_str_of(space), out, err);
    tenant__plan_unref(plan);
    return status;
}

void corm_tenant_query_free(corm_tenant_query *query) {
    free(query);
}
