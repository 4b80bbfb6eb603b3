// SPDX-License-Identifier: MIT
/* resolve.c -- whose request it is: the host's first label, or a header. Pure; any thread. */
#include "base/text.h"
#include "tenant/core.h"

static const char *const usual_others[] = { "api", "www", NULL };

/* The host without its port; empty for an address. */
static corm_str host_of(const char *host) {
    size_t len = strcspn(host ? host : "", ":");
    if (!host || host[0] == '[' || strspn(host, "0123456789.") == len) return (corm_str){ "", 0 };
    while (len > 0 && host[len - 1] == '.') len--;
    return (corm_str){ host, len };
}

/* The first of three or more labels. */
static corm_str label_of(corm_str host) {
    size_t dots = 0, first = 0;
    for (size_t i = 0; i < host.len; i++) {
        if (host.data[i] != '.') continue;
        if (dots++ == 0) first = i;
    }
    return dots >= 2 ? (corm_str){ host.data, first } : (corm_str){ "", 0 };
}

static bool is_among(corm_str label, const char *const *others) {
    for (; *others; others++) {
        if (base__str_equal_nocase(label, corm_str_of(*others))) return true;
    }
    return false;
}

/* NULL: there is none. More than one, and they differ: *twice. */
static const char *header_of(const corm_tenant_request *request, bool *twice) {
    corm_str    wanted = corm_str_of(request->header ? request->header : "x-tenant-id");
    const char *out = NULL;
    for (uint32_t i = 0; i < request->header_count; i++) {
        const corm_tenant_header *header = &request->headers[i];
        if (!header->value || !base__str_equal_nocase(corm_str_of(header->name), wanted)) continue;
        *twice |= out && strcmp(out, header->value) != 0;
        out = header->value;
    }
    return out;
}

/* Host names are the same in any case. */
static bool put(corm_str name, char out[CORM_TENANT_ID_MAX + 1]) {
    if (name.len > CORM_TENANT_ID_MAX) return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[name.len] = '\0';
    return true;
}

static corm_status no_tenant(corm_error *err) {
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the request names no tenant that there could be");
}

corm_status corm_tenant_resolve(const corm_tenant_request *request,
                                char out[CORM_TENANT_ID_MAX + 1], corm_error *err) {
    bool               twice = false;
    const char *const *others = request->not_tenants ? request->not_tenants : usual_others;
    corm_str           label = label_of(host_of(request->host));
    const char        *header = header_of(request, &twice);
    out[0] = '\0';
    if (is_among(label, others)) label.len = 0;
    if (twice) return base__fail(err, CORM_INVALID_ARGUMENT, "the request names two tenants");
    corm_str chosen = label.len > 0 ? label : base__str_trim(corm_str_of(header));
    if (chosen.len == 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "the request names no tenant");
    if (!put(chosen, out) || tenant__check_id(out, NULL) != CORM_OK) {
        out[0] = '\0';
        return no_tenant(err);
    }
    if (label.len == 0 || !header ||
        corm_str_equal(base__str_trim(corm_str_of(header)), corm_str_of(out)))
        return CORM_OK;
    out[0] = '\0';
    return base__fail(err, CORM_INVALID_ARGUMENT, "the request names two tenants");
}

int corm_tenant_http_status(corm_status status, const char **body) {
    if (status == CORM_OK) {
        *body = "";
        return 200;
    }
    bool none = status == CORM_INVALID_ARGUMENT;
    *body = none ? "{\"error\": \"Tenant not specified\"}"
                 : "{\"error\": \"Tenant resolution failed\"}";
    return none ? 400 : 500;
}
