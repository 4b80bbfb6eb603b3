// SPDX-License-Identifier: MIT
/* limit.c -- what a tenant may ask for at a time. Any thread, no locks on the way of a request.
 *
 * The rate is kept as one number: when the next request is due if requests came at the rate from now on. A request may come so much
 * before that as the burst allows. */
#include "base/clock.h"
#include "tenant/core.h"

enum { SECOND = 1000000000 };

static corm_status overloaded(const tenant_one *one, const char *limit, uint32_t value,
                              corm_error *err) {
    return base__fail(err, CORM_OVERLOADED, "tenant '%s' is over its limit %s = %u", one->id, limit,
                      value);
}

static bool take(tenant_one *one, int64_t step, uint32_t burst) {
    int64_t now = base__clock_mono_ns();
    int64_t due = atomic_load(&one->due_ns), next;
    do {
        int64_t from = due > now ? due : now;
        if (from - now > step * ((int64_t)burst - 1)) return false;
        next = from + step;
    } while (!atomic_compare_exchange_weak(&one->due_ns, &due, next));
    return true;
}

static corm_status check_rate(tenant_one *one, const corm_tenant_limits *limits, corm_error *err) {
    uint32_t rate = limits->requests_per_second;
    if (rate == 0) return CORM_OK;
    if (take(one, SECOND / rate, limits->burst ? limits->burst : rate)) return CORM_OK;
    return overloaded(one, "requests_per_second", rate, err);
}

corm_status tenant__enter(tenant_one *one, const corm_tenant_limits *limits, uint32_t kinds,
                          corm_error *err) {
    if (limits->refused_kinds & kinds) {
        return base__fail(
            err, CORM_UNAUTHORIZED,
            "tenant '%s' is over its limit refused_kinds: it may not make this kind of statement",
            one->id);
    }
    uint32_t    under_way = atomic_fetch_add(&one->in_flight, 1);
    corm_status status = CORM_OK;
    if (limits->in_flight > 0 && under_way >= limits->in_flight) {
        status = overloaded(one, "in_flight", limits->in_flight, err);
    }
    if (status == CORM_OK) status = check_rate(one, limits, err);
    if (status != CORM_OK) tenant__leave(one);
    return status;
}

void tenant__leave(tenant_one *one) {
    atomic_fetch_sub(&one->in_flight, 1);
}

static bool is_set(const corm_tenant_limits *limits) {
    return limits->requests_per_second || limits->burst || limits->in_flight || limits->page_rows ||
           limits->page_bytes || limits->refused_kinds;
}

corm_tenant_limits tenant__limits(corm_tenants *tenants, tenant_one *one) {
    if (!atomic_load_explicit(&one->limited, memory_order_acquire)) return tenants->limits;
    pthread_mutex_lock(&tenants->lock);
    corm_tenant_limits limits = one->limits;
    pthread_mutex_unlock(&tenants->lock);
    return is_set(&limits) ? limits : tenants->limits;
}

void corm_tenants_usage(corm_tenants *tenants, const char *tenant, corm_tenant_usage *out) {
    *out = (corm_tenant_usage){ 0 };
    if (!tenant) return;
    pthread_mutex_lock(&tenants->lock);
    tenant_one *one = base__map_get(&tenants->ones, corm_str_of(tenant));
    pthread_mutex_unlock(&tenants->lock);
    if (!one) return;
    out->requests = atomic_load(&one->requests);
    out->writes = atomic_load(&one->writes);
    out->failed = atomic_load(&one->failed);
    out->refused = atomic_load(&one->refused);
    out->limited = atomic_load(&one->over);
    out->answer_bytes = atomic_load(&one->answer_bytes);
    out->in_flight = atomic_load(&one->in_flight);
}
