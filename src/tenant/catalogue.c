// SPDX-License-Identifier: MIT
/* catalogue.c -- the table of tenants: made, listed, changed by lightweight transactions, so that of two processes one wins.
 * Runs on the caller's thread.
 *
 *   creating ──► active ◄──► suspended            creating has an owner, until a time
 *       └──────────┴────────────┴──► dropping ──► (gone) */
#include <stdlib.h>

#include "base/clock.h"
#include "tenant/core.h"

static const char *const strategies[] = { "keyspace", "prefix", "column" };
static const char *const states[] = { "creating", "active", "suspended", "dropping" };

enum { STATES = sizeof states / sizeof *states, MAX_ATTRIBUTES = 1024 };

static const corm_request_options level = { .consistency = CORM_LOCAL_QUORUM };

/* ---- statements ---- */

/* The format has one %s, for the table. */
static const char *statement(const corm_tenants *tenants, const char *format, base_buf *out) {
    const char *at = strstr(format, "%s");
    base__buf_put(out, format, (size_t)(at - format));
    cql__put_name(out, tenants->keyspace);
    base__buf_u8(out, '.');
    cql__put_name(out, tenants->table);
    base__buf_puts(out, at + 2);
    return base__buf_cstr(out);
}

corm_status tenant__catalogue_run(const corm_tenants *tenants, const char *format,
                                  const corm_value *values, uint32_t count, corm_result **out,
                                  corm_error *err) {
    base_buf    text = { 0 };
    const char *cql = statement(tenants, format, &text);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) {
        corm_execute_options options = {
            .value_list = values, .value_count = count, .request = level, .error = err
        };
        status = corm_execute_with(tenants->behind, cql, &options, out);
    }
    base__buf_free(&text);
    return status;
}

/* Whether the condition held. */
static corm_status run_lwt(const corm_tenants *tenants, const char *format,
                           const corm_value *values, uint32_t count, bool *applied,
                           corm_error *err) {
    corm_result *result;
    CORM_TRY(tenant__catalogue_run(tenants, format, values, count, &result, err));
    *applied = corm_result_applied(result);
    corm_result_free(result);
    return CORM_OK;
}

corm_status tenant__catalogue_open(corm_tenants *tenants, corm_error *err) {
    if (atomic_load(&tenants->has_table)) return CORM_OK;
    CORM_TRY(tenant__catalogue_run(
        tenants,
        "CREATE TABLE IF NOT EXISTS %s (id text PRIMARY KEY, state text, strategy text, owner uuid, until timestamp, "
        "created_at timestamp, changed_at timestamp, attributes map<text, text>, limits map<text, bigint>)",
        NULL, 0, NULL, err));
    atomic_store(&tenants->has_table, true);
    return CORM_OK;
}

/* ---- limits ---- */

static const struct {
    const char *name;
    size_t      offset;
    bool        is_long;
} limit_names[] = {
    { "requests_per_second", offsetof(corm_tenant_limits, requests_per_second), false },
    { "burst", offsetof(corm_tenant_limits, burst), false },
    { "in_flight", offsetof(corm_tenant_limits, in_flight), false },
    { "page_rows", offsetof(corm_tenant_limits, page_rows), false },
    { "page_bytes", offsetof(corm_tenant_limits, page_bytes), true },
    { "refused_kinds", offsetof(corm_tenant_limits, refused_kinds), false },
};

enum { LIMITS = sizeof limit_names / sizeof *limit_names };

static uint64_t limit_at(const corm_tenant_limits *limits, size_t i) {
    const char *at = (const char *)limits + limit_names[i].offset;
    return limit_names[i].is_long ? *(const uint64_t *)(const void *)at
                                  : *(const uint32_t *)(const void *)at;
}

static void set_limit(corm_tenant_limits *limits, corm_str name, int64_t value) {
    for (size_t i = 0; i < LIMITS; i++) {
        if (!corm_str_equal(name, corm_str_of(limit_names[i].name)) || value < 0) continue;
        char *at = (char *)limits + limit_names[i].offset;
        if (limit_names[i].is_long) {
            *(uint64_t *)(void *)at = (uint64_t)value;
        } else {
            *(uint32_t *)(void *)at = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
        }
    }
}

static corm_value limits_value(const corm_tenant_limits *limits, corm_value pairs[2 * LIMITS]) {
    uint32_t count = 0;
    for (size_t i = 0; i < LIMITS; i++) {
        uint64_t value = limit_at(limits, i);
        if (value == 0) continue;
        pairs[count++] = corm_v(limit_names[i].name);
        pairs[count++] = corm_v((int64_t)(value > INT64_MAX ? INT64_MAX : value));
    }
    return corm_of_items(CORM_MAP, pairs, count);
}

void tenant__read_limits(const corm_value *map, corm_tenant_limits *out) {
    for (uint32_t i = 0; map->kind == CORM_MAP && i + 1 < map->as.items.count; i += 2) {
        set_limit(out, map->as.items.items[i].as.text, map->as.items.items[i + 1].as.i64);
    }
}

/* ---- one tenant's state ---- */

int tenant__state_of(corm_str name) {
    for (int i = 0; i < STATES; i++) {
        if (corm_str_equal(name, corm_str_of(states[i]))) return i;
    }
    return -1;
}

static corm_str text_of(const corm_row *row, const corm_result *result, const char *column) {
    int index = corm_result_column_index(result, column);
    return index >= 0 ? corm_row_text(row, (uint32_t)index) : (corm_str){ "", 0 };
}

void tenant__cell(const corm_row *row, const corm_result *result, const char *column,
                  corm_value *out) {
    int index = corm_result_column_index(result, column);
    *out = corm_null();
    if (index >= 0 && corm_row_value(row, (uint32_t)index, out, NULL) != CORM_OK) {
        *out = corm_null();
    }
}

/* With another strategy its rows are elsewhere: it must not be taken for one that has none. */
static int row_state(const corm_tenants *tenants, const corm_row *row, const corm_result *result) {
    corm_str strategy = text_of(row, result, "strategy");
    if (!corm_str_equal(strategy, corm_str_of(strategies[tenants->strategy])))
        return TENANT_ELSEWHERE;
    return tenant__state_of(text_of(row, result, "state"));
}

void tenant__note(corm_tenants *tenants, tenant_one *one, const corm_row *row,
                  const corm_result *result) {
    corm_tenant_limits limits = { 0 };
    corm_value         value;
    if (row) {
        tenant__cell(row, result, "limits", &value);
        tenant__read_limits(&value, &limits);
    }
    pthread_mutex_lock(&tenants->lock);
    one->limits = limits;
    pthread_mutex_unlock(&tenants->lock);
    atomic_store(&one->limited, row && value.kind == CORM_MAP && value.as.items.count > 0);
    atomic_store(&one->state, row ? row_state(tenants, row, result) : -1);
    atomic_store_explicit(&one->checked_ns, base__clock_mono_ns(), memory_order_release);
}

#define SELECT_ONE "SELECT state, strategy, limits FROM %s WHERE id = ?"

corm_status tenant__catalogue_read(corm_tenants *tenants, tenant_one *one, corm_error *err) {
    corm_value   id = corm_v((const char *)one->id);
    corm_result *result;
    corm_error   why = { 0 };
    corm_status  status = tenant__catalogue_run(tenants, SELECT_ONE, &id, 1, &result, &why);
    if (status == CORM_INVALID) { /* the catalogue is not there: no tenant is */
        tenant__note(tenants, one, NULL, NULL);
        return CORM_OK;
    }
    if (status != CORM_OK)
        return base__fail(err, status, "the catalogue of tenants: %s", why.message);
    tenant__note(tenants, one, corm_result_next(result), result);
    corm_result_free(result);
    return CORM_OK;
}

corm_status tenant__catalogue_ask(corm_tenants *tenants, const tenant_one *one,
                                  corm_task_callback callback, void *context, corm_error *err) {
    base_buf             text = { 0 };
    const char          *cql = statement(tenants, SELECT_ONE, &text);
    corm_execute_options options = { .values = { corm_v((const char *)one->id) },
                                     .request = level };
    corm_task           *task =
        text.failed ? NULL : corm_execute_async(tenants->behind, cql, &options, callback, context);
    base__buf_free(&text);
    corm_task_free(task);
    return task ? CORM_OK : base__fail_memory(err);
}

static corm_status refresh(corm_tenants *tenants, const char *tenant, corm_error *err) {
    tenant_one *one;
    if (tenant__known(tenants, corm_str_of(tenant), &one, NULL) != CORM_OK) return CORM_OK;
    return tenant__catalogue_read(tenants, one, err);
}

/* ---- creating ---- */

static corm_value attributes_value(const corm_tenant_create_options *options, corm_value *pairs) {
    for (uint32_t i = 0; i < options->attribute_count; i++) {
        pairs[2 * i] = corm_v(options->attributes[i].name);
        pairs[2 * i + 1] = corm_v(options->attributes[i].value);
    }
    return corm_of_items(CORM_MAP, pairs, 2 * options->attribute_count);
}

static corm_timestamp now(void) {
    return (corm_timestamp){ base__clock_ms() };
}

static corm_timestamp lease_end(const corm_tenants *tenants) {
    return (corm_timestamp){ base__clock_ms() + tenants->lease_ms };
}

static corm_status taken(const char *tenant, const char *how, corm_error *err) {
    return base__fail(err, CORM_ALREADY_EXISTS, "tenant '%s' %s", tenant, how);
}

/* Another has begun, or a process that was killed; the latter's work is taken over when its time is over. */
static corm_status take_over(corm_tenants *tenants, const char *tenant, corm_uuid me,
                             const corm_result *result, const corm_row *row, corm_error *err) {
    corm_value until, owner;
    bool       applied;
    int        state = row ? row_state(tenants, row, result) : -1;
    if (state == TENANT_ELSEWHERE) return taken(tenant, "exists with another strategy", err);
    if (state != CORM_TENANT_CREATING) return taken(tenant, "exists already", err);
    tenant__cell(row, result, "until", &until);
    tenant__cell(row, result, "owner", &owner);
    if (until.kind == CORM_TIMESTAMP && until.as.timestamp.ms > base__clock_ms()) {
        return taken(tenant, "is being made by another", err);
    }
    corm_value values[] = { corm_v(me), corm_v(lease_end(tenants)), corm_v(tenant), owner };
    CORM_TRY(run_lwt(
        tenants,
        "UPDATE %s SET owner = ?, until = ? WHERE id = ? IF state = 'creating' AND owner = ?",
        values, 4, &applied, err));
    return applied ? CORM_OK : taken(tenant, "is being made by another", err);
}

static corm_status claim(corm_tenants *tenants, const char *tenant, corm_uuid me,
                         const corm_tenant_create_options *options, base_arena *arena,
                         corm_error *err) {
    corm_value  *pairs = BASE_NEW_ARRAY(arena, corm_value, 2 * options->attribute_count + 1);
    corm_value   limits[2 * LIMITS];
    corm_result *result;
    if (!pairs) return base__fail_memory(err);
    corm_value values[] = { corm_v(tenant),
                            corm_v(strategies[tenants->strategy]),
                            corm_v(me),
                            corm_v(lease_end(tenants)),
                            corm_v(now()),
                            corm_v(now()),
                            attributes_value(options, pairs),
                            limits_value(&options->limits, limits) };
    CORM_TRY(tenant__catalogue_run(
        tenants,
        "INSERT INTO %s (id, state, strategy, owner, until, created_at, changed_at, attributes, limits) "
        "VALUES (?, 'creating', ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS",
        values, 8, &result, err));
    corm_status status = CORM_OK;
    if (!corm_result_applied(result)) {
        status = take_over(tenants, tenant, me, result, corm_result_next(result), err);
    }
    corm_result_free(result);
    return status;
}

/* Who failed lets others try at once. */
static void give_up(corm_tenants *tenants, const char *tenant, corm_uuid me) {
    bool       applied;
    corm_value values[] = { corm_v(now()), corm_v(tenant), corm_v(me) };
    corm_error unused;
    (void)!run_lwt(tenants, "UPDATE %s SET until = ? WHERE id = ? IF owner = ?", values, 3,
                   &applied, &unused);
}

static corm_status activate(corm_tenants *tenants, const char *tenant, corm_uuid me,
                            corm_error *err) {
    bool       applied;
    corm_value values[] = { corm_v(now()), corm_v(tenant), corm_v(me) };
    CORM_TRY(run_lwt(
        tenants,
        "UPDATE %s SET state = 'active', changed_at = ? WHERE id = ? IF state = 'creating' AND owner = ?",
        values, 3, &applied, err));
    if (applied) return CORM_OK;
    return base__fail(err, CORM_LEASE_LOST,
                      "tenant '%s' was taken over by another while it was made", tenant);
}

static corm_status create(corm_tenants *tenants, const char *tenant,
                          const corm_tenant_create_options *options, base_arena *arena,
                          corm_error *err) {
    tenant_one *one;
    corm_uuid   me = corm_uuid_random();
    CORM_TRY(tenant__one(tenants, corm_str_of(tenant), &one, err));
    CORM_TRY(tenant__catalogue_open(tenants, err));
    CORM_TRY(claim(tenants, tenant, me, options, arena, err));
    corm_status status = tenant__provision(tenants, one, err);
    if (status == CORM_OK) status = activate(tenants, tenant, me, err);
    if (status == CORM_OK) return tenant__catalogue_read(tenants, one, err);
    give_up(tenants, tenant, me);
    return status;
}

corm_status corm_tenant_create(corm_tenants *tenants, const char *tenant,
                               const corm_tenant_create_options *options) {
    static const corm_tenant_create_options defaults;
    base_arena                              arena = { 0 };
    if (!options) options = &defaults;
    if (options->_canary != 0 || options->attribute_count > MAX_ATTRIBUTES) {
        return base__fail(options->error, CORM_INVALID_ARGUMENT,
                          "the tenant's options are not initialised");
    }
    CORM_TRY(tenant__check_id(tenant, options->error));
    corm_status status = create(tenants, tenant, options, &arena, options->error);
    base__arena_free(&arena);
    return status;
}

/* ---- changing ---- */

static corm_status missing(const char *tenant, corm_error *err) {
    return base__fail(err, CORM_NOT_FOUND, "there is no tenant '%s'", tenant);
}

static corm_status set_state(corm_tenants *tenants, const char *tenant, const char *format,
                             corm_error *err) {
    bool       applied;
    corm_value values[] = { corm_v(now()), corm_v(tenant) };
    CORM_TRY(tenant__check_id(tenant, err));
    CORM_TRY(tenant__catalogue_open(tenants, err));
    CORM_TRY(run_lwt(tenants, format, values, 2, &applied, err));
    CORM_TRY(refresh(tenants, tenant, err));
    if (applied) return CORM_OK;
    corm_tenant_list *list;
    CORM_TRY(corm_tenant_get(tenants, tenant, &list, err));
    corm_tenant_state state = list->items[0].state;
    corm_tenant_list_free(list);
    return base__fail(err, CORM_NOT_APPLIED, "tenant '%s' is %s", tenant, states[state]);
}

corm_status corm_tenant_suspend(corm_tenants *tenants, const char *tenant, corm_error *err) {
    return set_state(
        tenants, tenant,
        "UPDATE %s SET state = 'suspended', changed_at = ? WHERE id = ? IF state IN ('active', 'suspended')",
        err);
}

corm_status corm_tenant_resume(corm_tenants *tenants, const char *tenant, corm_error *err) {
    return set_state(
        tenants, tenant,
        "UPDATE %s SET state = 'active', changed_at = ? WHERE id = ? IF state IN ('active', 'suspended')",
        err);
}

static corm_status change(corm_tenants *tenants, const char *tenant, const char *format,
                          const corm_value *values, uint32_t count, corm_error *err) {
    bool applied;
    CORM_TRY(tenant__catalogue_open(tenants, err));
    CORM_TRY(run_lwt(tenants, format, values, count, &applied, err));
    CORM_TRY(refresh(tenants, tenant, err));
    return applied ? CORM_OK : missing(tenant, err);
}

corm_status corm_tenant_set_attribute(corm_tenants *tenants, const char *tenant, const char *name,
                                      const char *value, corm_error *err) {
    CORM_TRY(tenant__check_id(tenant, err));
    if (!name) return base__fail(err, CORM_INVALID_ARGUMENT, "the attribute has no name");
    corm_value given = value ? corm_v(value) : corm_null();
    corm_value values[] = { corm_v(name), given, corm_v(now()), corm_v(tenant) };
    return change(tenants, tenant,
                  "UPDATE %s SET attributes[?] = ?, changed_at = ? WHERE id = ? IF EXISTS", values,
                  4, err);
}

corm_status corm_tenant_set_limits(corm_tenants *tenants, const char *tenant,
                                   const corm_tenant_limits *limits, corm_error *err) {
    corm_value pairs[2 * LIMITS];
    CORM_TRY(tenant__check_id(tenant, err));
    corm_value values[] = { limits_value(limits, pairs), corm_v(now()), corm_v(tenant) };
    return change(tenants, tenant,
                  "UPDATE %s SET limits = ?, changed_at = ? WHERE id = ? IF EXISTS", values, 3,
                  err);
}

/* ---- dropping ---- */

/* Others may still take the tenant for an active one. */
static corm_status mark_dropping(corm_tenants *tenants, tenant_one *one, corm_error *err) {
    bool was_dropping, applied;
    CORM_TRY(tenant__catalogue_read(tenants, one, err));
    if (atomic_load(&one->state) < 0) return tenant__evaluate(one, err);
    was_dropping = atomic_load(&one->state) == CORM_TENANT_DROPPING;
    corm_value values[] = { corm_v(now()), corm_v((const char *)one->id) };
    CORM_TRY(run_lwt(tenants,
                     "UPDATE %s SET state = 'dropping', changed_at = ? WHERE id = ? IF EXISTS",
                     values, 2, &applied, err));
    if (!applied) return missing(one->id, err);
    CORM_TRY(tenant__catalogue_read(tenants, one, err));
    if (!was_dropping) session__pause((uint32_t)(tenants->state_cache_ns / 1000000));
    return CORM_OK;
}

static corm_status forget(corm_tenants *tenants, tenant_one *one, corm_error *err) {
    bool       applied;
    corm_value id = corm_v((const char *)one->id);
    CORM_TRY(run_lwt(tenants, "DELETE FROM %s WHERE id = ? IF state = 'dropping'", &id, 1, &applied,
                     err));
    return tenant__catalogue_read(tenants, one, err);
}

corm_status corm_tenant_drop(corm_tenants *tenants, const char *tenant, uint32_t most, bool *done,
                             corm_error *err) {
    tenant_one *one;
    bool        removed = false;
    if (done) *done = false;
    CORM_TRY(tenant__check_id(tenant, err));
    CORM_TRY(tenant__one(tenants, corm_str_of(tenant), &one, err));
    CORM_TRY(mark_dropping(tenants, one, err));
    CORM_TRY(tenant__remove(tenants, one, most, &removed, err));
    if (removed) CORM_TRY(forget(tenants, one, err));
    if (done) *done = removed;
    return CORM_OK;
}
