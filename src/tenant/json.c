// SPDX-License-Identifier: MIT
/* json.c -- the tenant put into the JSON text of an INSERT. The whole text must be one object by the rules of JSON, and none of
 * its members may be the tenant's column, however it is written: what another reader could read in another way does not
 * pass. Pure; any thread. */
#include "cql/json.h"
#include "base/text.h"
#include "tenant/core.h"

/* A member's name is a column's, in any case, or in double quotes in that one. */
static bool is_column(corm_str column, corm_str key) {
    if (key.len >= 2 && key.data[0] == '"' && key.data[key.len - 1] == '"') {
        key = (corm_str){ key.data + 1, key.len - 2 };
    }
    return base__str_equal_nocase(base__str_trim(key), column);
}

static corm_status check_members(corm_str column, corm_str object, corm_error *err) {
    size_t      at = 0;
    corm_str    key, value;
    base_buf    name = { 0 };
    corm_status status = CORM_OK;
    while (status == CORM_OK && cql__json_next_member(object, &at, &key, &value)) {
        base__buf_clear(&name);
        cql__json_unescape(key, &name);
        status = base__buf_status(&name, err);
        if (status == CORM_OK && is_column(column, base__buf_str(&name))) {
            status =
                base__fail(err, CORM_INVALID, "JSON values map contains unrecognized column: %.*s",
                           (int)column.len, column.data);
        }
    }
    base__buf_free(&name);
    return status;
}

corm_status tenant__put_json(corm_str column, corm_str tenant, corm_str json, base_buf *out,
                             corm_error *err) {
    size_t at;
    if (!cql__json_check(json, &at)) {
        return base__fail(err, CORM_INVALID,
                          "Could not decode JSON string as a map: it is wrong at byte %zu", at);
    }
    json = cql__json_trim(json);
    if (cql__json_kind(json) != CQL_JSON_OBJECT) {
        return base__fail(err, CORM_INVALID,
                          "Could not decode JSON string as a map: it is no object");
    }
    CORM_TRY(check_members(column, json, err));
    size_t   first = 0;
    corm_str key, value, rest = { json.data + 1, json.len - 1 };
    base__buf_u8(out, '{');
    base__put_json_string(out, column);
    base__buf_puts(out, ": ");
    base__put_json_string(out, tenant);
    if (cql__json_next_member(json, &first, &key, &value)) base__buf_puts(out, ", ");
    base__buf_put_str(out, rest);
    return base__buf_status(out, err);
}
