// SPDX-License-Identifier: MIT
/* values.c -- C values on their way to a statement's markers: copied while the types are not known
 * yet, then put into wire form. */
#include "base/fail.h"
#include "session/core.h"

enum { MOST_NAMED = sizeof((corm_execute_options *)0)->named / sizeof(corm_named_value) };

static uint32_t count_values(const corm_execute_options *options) {
    uint32_t count = CORM_EXECUTE_MAX_VALUES;
    while (count > 0 && options->values[count - 1].kind == CORM_UNSET) count--;
    return count;
}

static uint32_t count_named(const corm_execute_options *options) {
    uint32_t count = 0;
    while (count < MOST_NAMED && options->named[count].name) count++;
    return count;
}

corm_status session__values_of(const corm_execute_options *options, session_values *out,
                               corm_error *err) {
    *out = (session_values){ 0 };
    if (!options) return CORM_OK;
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the options are not initialised");
    }
    out->count = count_values(options);
    out->values = options->values;
    out->named_count = count_named(options);
    out->named = options->named;
    int ways = (out->count > 0) + (out->named_count > 0) + (options->value_count > 0);
    if (ways > 1) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "values are given in more than one of values, value_list and named");
    }
    if (options->value_count > 0) {
        if (!options->value_list) {
            return base__fail(err, CORM_INVALID_ARGUMENT, "value_count is set without value_list");
        }
        out->count = options->value_count;
        out->values = options->value_list;
    }
    return CORM_OK;
}

static corm_status copy_text(base_arena *arena, corm_str *text, corm_error *err) {
    *text = base__arena_str(arena, *text);
    return text->data ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_bytes(base_arena *arena, const uint8_t **data, size_t len,
                              corm_error *err) {
    *data = base__arena_copy(arena, *data, len);
    return *data ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_varint(base_arena *arena, corm_varint *varint, corm_error *err) {
    if (varint->length <= sizeof varint->small) return CORM_OK;
    return copy_bytes(arena, &varint->large, varint->length, err);
}

static corm_status copy_names(base_arena *arena, corm_items *items, corm_error *err) {
    if (!items->names) return CORM_OK;
    corm_str *names = BASE_NEW_ARRAY(arena, corm_str, items->count);
    if (!names) return base__fail_memory(err);
    for (uint32_t i = 0; i < items->count; i++) {
        names[i] = items->names[i];
        CORM_TRY(copy_text(arena, &names[i], err));
    }
    items->names = names;
    return CORM_OK;
}

static corm_status copy_items(base_arena *arena, corm_items *items, corm_error *err) {
    corm_value *copies = BASE_NEW_ARRAY(arena, corm_value, items->count);
    if (!copies) return base__fail_memory(err);
    for (uint32_t i = 0; i < items->count; i++) {
        CORM_TRY(session__value_copy(&items->items[i], arena, &copies[i], err));
    }
    items->items = copies;
    return copy_names(arena, items, err);
}

corm_status session__value_copy(const corm_value *value, base_arena *arena, corm_value *out,
                                corm_error *err) {
    *out = *value;
    switch (value->kind) {
    case CORM_TEXT: return copy_text(arena, &out->as.text, err);
    case CORM_BLOB: return copy_bytes(arena, &out->as.blob.data, out->as.blob.len, err);
    case CORM_VARINT: return copy_varint(arena, &out->as.varint, err);
    case CORM_DECIMAL: return copy_varint(arena, &out->as.decimal.unscaled, err);
    case CORM_LIST:
    case CORM_SET:
    case CORM_MAP:
    case CORM_TUPLE:
    case CORM_UDT:
    case CORM_VECTOR: return copy_items(arena, &out->as.items, err);
    default: return CORM_OK;
    }
}

corm_status session__values_copy(const session_values *values, base_arena *arena,
                                 session_values *out, corm_error *err) {
    corm_value       *copies = BASE_NEW_ARRAY(arena, corm_value, values->count);
    corm_named_value *named = BASE_NEW_ARRAY(arena, corm_named_value, values->named_count);
    if (!copies || !named) return base__fail_memory(err);
    for (uint32_t i = 0; i < values->count; i++) {
        CORM_TRY(session__value_copy(&values->values[i], arena, &copies[i], err));
    }
    for (uint32_t i = 0; i < values->named_count; i++) {
        corm_str name = corm_str_of(values->named[i].name);
        CORM_TRY(copy_text(arena, &name, err));
        named[i].name = name.data;
        CORM_TRY(session__value_copy(&values->named[i].value, arena, &named[i].value, err));
    }
    *out = (session_values){ values->count, copies, values->named_count, named };
    return CORM_OK;
}

/* The same failure with the marker's name before it. */
static corm_status name_marker(const corm_prepared *prepared, uint32_t index, corm_status status,
                               corm_error *err) {
    if (!err) return status;
    corm_str name = prepared->markers[index].name;
    return base__fail(err, status, "value of '%.*s': %s", (int)name.len, name.data, err->message);
}

corm_status session__encode_marker(const corm_prepared *prepared, uint32_t index,
                                   const corm_value *from, base_buf *out, int32_t *len,
                                   corm_error *err) {
    *len = from->kind == CORM_UNSET ? -2 : -1;
    if (from->kind == CORM_UNSET || from->kind == CORM_NULL) return CORM_OK;
    size_t      before = out->len;
    corm_status status = cql__encode(prepared->markers[index].type, from, out, err);
    if (status == CORM_OK) status = base__buf_status(out, err);
    if (status == CORM_OK && out->len - before > INT32_MAX) {
        status = base__fail(err, CORM_INVALID_ARGUMENT, "it is longer than 2 GiB");
    }
    if (status != CORM_OK) return name_marker(prepared, index, status, err);
    *len = (int32_t)(out->len - before);
    return CORM_OK;
}

/* Which value each marker gets; NULL is left unset. */
static corm_status match_values(const corm_prepared *prepared, const session_values *values,
                                const corm_value **out, corm_error *err) {
    if (values->count > prepared->marker_count) {
        return base__fail(err, CORM_INVALID,
                          "there were %u markers(?) in CQL but %u bound variables",
                          prepared->marker_count, values->count);
    }
    for (uint32_t i = 0; i < values->count; i++) out[i] = &values->values[i];
    for (uint32_t n = 0; n < values->named_count; n++) {
        corm_str name = corm_str_of(values->named[n].name);
        bool     found = false;
        for (uint32_t i = 0; i < prepared->marker_count; i++) {
            if (!corm_str_equal(prepared->markers[i].name, name)) continue;
            out[i] = &values->named[n].value;
            found = true;
        }
        if (!found) return session__no_marker(prepared, name, err);
    }
    return CORM_OK;
}

/* Encodes one behind the other into `bytes`, and points at them when it does not move any more. */
static corm_status encode_values(const corm_prepared *prepared, const corm_value *const *from,
                                 base_buf *bytes, base_arena *arena, cql_value *out,
                                 corm_error *err) {
    for (uint32_t i = 0; i < prepared->marker_count; i++) {
        out[i] = CQL_UNSET;
        if (!from[i]) continue;
        CORM_TRY(session__encode_marker(prepared, i, from[i], bytes, &out[i].len, err));
    }
    const uint8_t *next = base__arena_copy(arena, bytes->data, bytes->len);
    if (!next) return base__fail_memory(err);
    for (uint32_t i = 0; i < prepared->marker_count; i++) {
        if (out[i].len < 0) continue;
        out[i].data = next;
        next += out[i].len;
    }
    return CORM_OK;
}

static corm_status bind_values(session_request *request, corm_prepared *prepared,
                               const session_values *values, corm_error *err) {
    base_arena        *arena = &request->arena;
    uint32_t           count = prepared->marker_count;
    const corm_value **matched = BASE_NEW_ARRAY(arena, const corm_value *, count);
    cql_value         *wire = BASE_NEW_ARRAY(arena, cql_value, count);
    if (!matched || !wire) return base__fail_memory(err);
    CORM_TRY(match_values(prepared, values, matched, err));
    base_buf    bytes = { 0 };
    corm_status status = encode_values(prepared, matched, &bytes, arena, wire, err);
    base__buf_free(&bytes);
    if (status == CORM_OK) session__request_execute(request, prepared, wire);
    return status;
}

corm_status session__request_bind_to(session_request *request, corm_prepared *prepared,
                                     const session_values *values, corm_error *err) {
    corm_prepared **held = BASE_NEW(&request->arena, corm_prepared *);
    if (!held) {
        corm_prepared_free(prepared);
        return base__fail_memory(err);
    }
    *held = prepared;
    request->held = held;
    request->held_count = 1;
    return bind_values(request, prepared, values, err);
}

corm_status session__request_bind(corm_session *session, session_request *request, corm_str text,
                                  const session_values *values, corm_error *err) {
    corm_prepared *prepared;
    CORM_TRY(session__prepare_cached(session, request->keyspace, text, &prepared, err));
    return session__request_bind_to(request, prepared, values, err);
}
