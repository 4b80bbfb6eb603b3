// SPDX-License-Identifier: MIT
/* auth_rows.c -- reads and writes rows of system_auth by statements of the engine's own, in the caller's transaction. Thread: the
 * caller's. */
#include "base/fail.h"
#include "engine/auth.h"
#include "engine/core.h"

/* ---- reading ---- */

static corm_status give_rows(const wire_answer *answer, base_arena *arena, auth_each each,
                             void *context, corm_error *err) {
    wire_result result;
    CORM_TRY(wire__result_read(base__buf_bytes(&answer->body), WIRE_VERSION, arena, &result, err));
    cql_value *values = BASE_NEW_ARRAY(arena, cql_value, (size_t)result.metadata.count + 1);
    if (!values) return base__fail_memory(err);
    for (uint32_t row = 0; row < result.row_count; row++) {
        for (uint32_t i = 0; i < result.metadata.count; i++)
            values[i] = cql__read_value(&result.rows);
        CORM_TRY(each(context, result.row_count, values, err));
    }
    return CORM_OK;
}

static corm_status run_select(engine *store, kv_txn *txn, const cql_schema *schema,
                              const cql_checked *checked, base_arena *arena, wire_answer *answer,
                              corm_error *err) {
    wire_options   options = { .consistency = WIRE_ONE };
    int64_t        now_us = store->now_us();
    engine_request request = {
        .store = store,
        .txn = txn,
        .schema = schema,
        .checked = checked,
        .options = &options,
        .now_us = now_us,
        .now_s = (uint32_t)(now_us / 1000000),
        .arena = arena,
        .answer = answer,
    };
    return engine__select(&request, err);
}

corm_status auth__select(engine *store, kv_txn *txn, const cql_schema *schema, const char *text,
                         auth_each each, void *context, corm_error *err) {
    /* A reference is all that the check takes of the snapshot. */
    cql_schema  *borrowed = (cql_schema *)(uintptr_t)schema;
    cql_checked *checked;
    base_arena   arena = { 0 };
    wire_answer  answer = { 0 };
    CORM_TRY(cql__check_text(corm_str_of(text), borrowed, corm_str_of(""), &checked, err));
    corm_status status = run_select(store, txn, schema, checked, &arena, &answer, err);
    if (status == CORM_OK) status = give_rows(&answer, &arena, each, context, err);
    wire__answer_free(&answer);
    base__arena_free(&arena);
    cql__checked_free(checked);
    return status;
}

/* ---- writing ---- */

struct auth_held {
    cql_checked *checked;
    auth_held   *next;
};

corm_status auth__change_begin(engine_request *request, auth_change *out, corm_error *err) {
    *out = (auth_change){ .request = request };
    return engine__write_new(request, &out->write, err);
}

static corm_status hold(auth_change *change, cql_checked *checked, corm_error *err) {
    auth_held *held = BASE_NEW(change->request->arena, auth_held);
    if (!held) {
        cql__checked_free(checked);
        return base__fail_memory(err);
    }
    *held = (auth_held){ checked, change->held };
    change->held = held;
    return CORM_OK;
}

corm_status auth__put(auth_change *change, const char *text, const cql_value *values,
                      uint32_t count, corm_error *err) {
    engine_request *request = change->request;
    cql_schema     *borrowed = (cql_schema *)(uintptr_t)request->schema;
    cql_checked    *checked;
    cql_value      *kept = base__arena_copy(request->arena, values, (size_t)count * sizeof *values);
    if (!kept) return base__fail_memory(err);
    CORM_TRY(cql__check_text(corm_str_of(text), borrowed, corm_str_of(""), &checked, err));
    CORM_TRY(hold(change, checked, err));
    CORM_TRY(cql__check_values(checked, kept, count, err));
    change->count++;
    return engine__write_modify(change->write, checked->modify, request->now_us, kept, count, err);
}

corm_status auth__change_end(auth_change *change, corm_status status, corm_error *err) {
    if (status == CORM_OK) status = engine__write_flush(change->write, err);
    engine__write_end(change->write);
    for (auth_held *held = change->held; held; held = held->next) cql__checked_free(held->checked);
    change->held = NULL;
    return status;
}

cql_value auth__text_set(base_arena *arena, const corm_str *texts, uint32_t count) {
    base_buf buf = { 0 };
    base__buf_i32(&buf, (int32_t)count);
    for (uint32_t i = 0; i < count; i++) cql__put_value(&buf, auth__text(texts[i]));
    cql_value out = { buf.failed ? NULL : base__arena_copy(arena, buf.data, buf.len),
                      (int32_t)buf.len };
    base__buf_free(&buf);
    return out;
}

/* ---- grants ---- */

static corm_status permission_set(auth_change *change, unsigned permissions, cql_value *out,
                                  corm_error *err) {
    /* In the order of a set of texts. */
    static const unsigned char order[AUTH_PERMISSIONS] = { 1, 5, 0, 6, 2, 7, 4, 3, 9, 8 };
    corm_str                   texts[AUTH_PERMISSIONS];
    uint32_t                   count = 0;
    for (unsigned i = 0; i < AUTH_PERMISSIONS; i++) {
        if (permissions & 1u << order[i])
            texts[count++] = corm_str_of(auth__permission_name(order[i]));
    }
    *out = auth__text_set(change->request->arena, texts, count);
    return out->data ? CORM_OK : base__fail_memory(err);
}

corm_status auth__grant(auth_change *change, corm_str role, corm_str resource, unsigned permissions,
                        corm_error *err) {
    cql_value values[] = { CQL_NULL, auth__text(role), auth__text(resource) };
    cql_value index[] = { auth__text(resource), auth__text(role) };
    CORM_TRY(permission_set(change, permissions, &values[0], err));
    CORM_TRY(auth__put(change,
                       "UPDATE system_auth.role_permissions SET permissions = permissions + ? "
                       "WHERE role = ? AND resource = ?",
                       values, 3, err));
    return auth__put(change,
                     "INSERT INTO system_auth.resource_role_permissons_index (resource, role) "
                     "VALUES (?, ?)",
                     index, 2, err);
}

static corm_status drop_index(auth_change *change, corm_str role, corm_str resource,
                              corm_error *err) {
    cql_value index[] = { auth__text(resource), auth__text(role) };
    return auth__put(change,
                     "DELETE FROM system_auth.resource_role_permissons_index WHERE resource = ? "
                     "AND role = ?",
                     index, 2, err);
}

corm_status auth__revoke(auth_change *change, corm_str role, corm_str resource,
                         unsigned permissions, unsigned left, corm_error *err) {
    cql_value values[] = { CQL_NULL, auth__text(role), auth__text(resource) };
    if (left == 0) {
        CORM_TRY(auth__put(change,
                           "DELETE FROM system_auth.role_permissions WHERE role = ? AND "
                           "resource = ?",
                           values + 1, 2, err));
        return drop_index(change, role, resource, err);
    }
    CORM_TRY(permission_set(change, permissions, &values[0], err));
    return auth__put(change,
                     "UPDATE system_auth.role_permissions SET permissions = permissions - ? "
                     "WHERE role = ? AND resource = ?",
                     values, 3, err);
}

static bool is_below(corm_str resource, corm_str above) {
    return resource.len > above.len && resource.data[above.len] == '/' &&
           memcmp(resource.data, above.data, above.len) == 0;
}

corm_status auth__drop_grants(auth_change *change, const auth_roles *roles, corm_str resource,
                              bool below, corm_error *err) {
    for (uint32_t i = 0; i < roles->count; i++) {
        const auth_role *role = &roles->roles[i];
        for (uint32_t j = 0; j < role->grant_count; j++) {
            corm_str on = role->grants[j].resource;
            if (!corm_str_equal(on, resource) && !(below && is_below(on, resource))) continue;
            CORM_TRY(auth__revoke(change, role->name, on, AUTH_ALL, 0, err));
        }
    }
    return CORM_OK;
}
