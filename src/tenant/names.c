// SPDX-License-Identifier: MIT
/* names.c -- ids of tenants, and the physical names made of them. Pure; any thread.
 *
 *   id        a-z 0-9 _ -, first a letter or digit
 *   in a name letters and digits as they are, "_" as "_u", "-" as "_m"; a digit in front has "n_" before it
 *   keyspace  KEYSPACE "__" id        table  id "__" TABLE
 *
 * An id in a name has no "__" inside and no "_" at its end, so the first "__" of a physical name is where it ends. */
#include "tenant/core.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

static bool is_id(const char *id) {
    size_t len = strlen(id);
    if (len == 0 || len > CORM_TENANT_ID_MAX || (!is_letter(id[0]) && !is_digit(id[0])))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (!is_letter(id[i]) && !is_digit(id[i]) && id[i] != '_' && id[i] != '-') return false;
    }
    return true;
}

corm_status tenant__check_id(const char *id, corm_error *err) {
    if (!id || !*id) return base__fail(err, CORM_INVALID_ARGUMENT, "no tenant was named");
    if (is_id(id)) return CORM_OK;
    return base__fail(
        err, CORM_INVALID_ARGUMENT,
        "'%.60s' is no tenant's id: it has 1 to %d of a-z 0-9 _ -, first a letter or digit", id,
        CORM_TENANT_ID_MAX);
}

static size_t put_id(corm_str id, char *out) {
    size_t n = 0;
    if (is_digit(id.data[0])) {
        out[n++] = 'n';
        out[n++] = '_';
    }
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (c != '_' && c != '-') {
            out[n++] = c;
        } else {
            out[n++] = '_';
            out[n++] = c == '_' ? 'u' : 'm';
        }
    }
    return n;
}

corm_status tenant__space(const corm_tenants *tenants, corm_str id, char out[TENANT_SPACE_MAX],
                          corm_error *err) {
    size_t n = 0;
    out[0] = '\0';
    if (tenants->strategy == CORM_TENANT_COLUMN) return CORM_OK;
    if (tenants->strategy == CORM_TENANT_KEYSPACE) {
        memcpy(out, tenants->keyspace.data, tenants->keyspace.len);
        n = tenants->keyspace.len;
        out[n++] = '_';
        out[n++] = '_';
    }
    n += put_id(id, out + n);
    if (tenants->strategy == CORM_TENANT_PREFIX) {
        out[n++] = '_';
        out[n++] = '_';
    }
    out[n] = '\0';
    if (n <= TENANT_NAME_MAX) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the id '%.*s' is too long: names made of it have more than %d characters",
                      (int)id.len, id.data, TENANT_NAME_MAX);
}

static bool is_among(const corm_str *names, uint32_t count, corm_str name) {
    for (uint32_t i = 0; i < count; i++) {
        if (corm_str_equal(names[i], name)) return true;
    }
    return false;
}

bool tenant__is_writable(const corm_tenants *tenants, corm_str table) {
    return is_among(tenants->writable, tenants->writable_count, table);
}

bool tenant__is_shared(const corm_tenants *tenants, corm_str table) {
    return is_among(tenants->shared, tenants->shared_count, table) ||
           tenant__is_writable(tenants, table);
}

const char *tenant__find(corm_str text, corm_str word) {
    for (size_t i = 0; word.len > 0 && i + word.len <= text.len; i++) {
        const char *at = memchr(text.data + i, word.data[0], text.len - word.len - i + 1);
        if (!at) return NULL;
        if (memcmp(at, word.data, word.len) == 0) return at;
        i = (size_t)(at - text.data);
    }
    return NULL;
}
