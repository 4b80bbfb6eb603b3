// SPDX-License-Identifier: MIT
/* answer.c -- what the store answered, as the tenant's statement would have been answered: names of keyspaces, tables and types,
 * without the tenant's column and its markers; errors and warnings; paging states bound to the tenant. Pure; any thread.
 *
 *   Rows body:  [2][flags][columns]([len][state])? …     a bound state is 16 bytes of HMAC(tenant, state), then the state */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/text.h"
#include "tenant/door.h"

enum { HAS_MORE = 2, NO_METADATA = 4, FLAGS_AT = 4, STATE_AT = 12, TAG = 16, HASH = 32 };

/* ---- names ---- */

static bool renames(const tenant_view *view) {
    return view->tenants->strategy != CORM_TENANT_COLUMN;
}

static bool by_keyspace(const tenant_view *view) {
    return view->tenants->strategy == CORM_TENANT_KEYSPACE;
}

static corm_str logical_keyspace(const tenant_view *view, corm_str name) {
    return by_keyspace(view) && corm_str_equal(name, view->space) ? view->tenants->keyspace : name;
}

static corm_str logical_name(const tenant_view *view, corm_str name) {
    bool has =
        view->tenants->strategy == CORM_TENANT_PREFIX && base__str_has_prefix(name, view->space);
    return has ? (corm_str){ name.data + view->space.len, name.len - view->space.len } : name;
}

/* Of types that were read just now; those without parameters are everybody's and stay. */
static void rename_type(const tenant_view *view, const cql_type *type) {
    for (uint32_t i = 0; i < type->count; i++) rename_type(view, type->params[i]);
    if (type->id != CQL_UDT) return;
    cql_type *own = (cql_type *)(uintptr_t)type;
    own->keyspace = logical_keyspace(view, own->keyspace);
    own->name = logical_name(view, own->name);
}

static void rename_columns(const tenant_view *view, cql_result_column *columns, uint32_t count) {
    if (!renames(view)) return;
    for (uint32_t i = 0; i < count; i++) {
        columns[i].keyspace = logical_keyspace(view, columns[i].keyspace);
        columns[i].table = logical_name(view, columns[i].table);
        rename_type(view, columns[i].type);
    }
}

static void rename_markers(const tenant_view *view, cql_marker *markers, uint32_t count) {
    if (!renames(view)) return;
    for (uint32_t i = 0; i < count; i++) {
        markers[i].keyspace = logical_keyspace(view, markers[i].keyspace);
        markers[i].table = logical_name(view, markers[i].table);
        rename_type(view, markers[i].type);
    }
}

/* ---- texts ---- */

/* The tenant's own physical names only: there are no others in what the store says of its statement. */
static void put_logical(const tenant_view *view, corm_str text, base_buf *out) {
    corm_str with = by_keyspace(view) ? view->tenants->keyspace : (corm_str){ "", 0 };
    for (const char *at; (at = tenant__find(text, view->space)) != NULL;) { /* none: as it is */
        size_t len = (size_t)(at - text.data);
        base__buf_put(out, text.data, len);
        base__buf_put_str(out, with);
        text = (corm_str){ at + view->space.len, text.len - len - view->space.len };
    }
    base__buf_put_str(out, text);
}

static void replace(const tenant_view *view, char *text, size_t size) {
    base_buf out = { 0 };
    put_logical(view, corm_str_of(text), &out);
    size_t len = out.len < size ? out.len : size - 1;
    if (!out.failed && len > 0) memcpy(text, out.data, len);
    if (!out.failed) {
        text[len] = '\0';
    } else {
        text[0] = '\0'; /* rather nothing than another name */
    }
    base__buf_free(&out);
}

void tenant__error(const tenant_view *view, corm_error *err) {
    if (!err || !renames(view) || view->space.len == 0) return;
    replace(view, err->message, sizeof err->message);
    replace(view, err->keyspace, sizeof err->keyspace);
    replace(view, err->table, sizeof err->table);
}

/* What a server says of the rows that a scan went over, which are all tenants'. */
static bool tells_of_others(const tenant_view *view, corm_str warning) {
    return !renames(view) && (tenant__find(warning, corm_str_of("ombstone")) ||
                              tenant__find(warning, corm_str_of("partition key was")));
}

static corm_status rename_warnings(const tenant_view *view, wire_answer *answer, corm_error *err) {
    uint32_t    count = wire__warning_count(answer);
    wire_answer other = { 0 };
    base_buf    text = { 0 };
    if (count == 0) return CORM_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (tells_of_others(view, wire__warning(answer, i))) continue;
        base__buf_clear(&text);
        put_logical(view, wire__warning(answer, i), &text);
        other.warnings.failed |= text.failed;
        wire__add_warning(&other, base__buf_str(&text));
    }
    base__buf_free(&text);
    corm_status status = base__buf_status(&other.warnings, err);
    if (status == CORM_OK) {
        base_buf old = answer->warnings;
        answer->warnings = other.warnings;
        other.warnings = old;
    }
    base__buf_free(&other.warnings);
    return status;
}

/* ---- rows ---- */

static int32_t tenants_column(const tenant_view *view, const wire_metadata *metadata) {
    for (uint32_t i = 0; !metadata->absent && i < metadata->count; i++) {
        if (corm_str_equal(metadata->columns[i].name, view->tenants->column)) return (int32_t)i;
    }
    return -1;
}

/* The column that tenants do not see; -1: there is none. */
static int32_t hidden_column(const tenant_view *view, const wire_metadata *metadata) {
    const tenant_plan *plan = view->plan;
    if (renames(view)) return -1;
    if (plan && plan->kind == CQL_STMT_SELECT) return plan->strips_first ? 0 : -1;
    return tenants_column(view, metadata);
}

static uint32_t drop_column(cql_result_column *columns, uint32_t count, int32_t hidden) {
    if (hidden < 0 || (uint32_t)hidden >= count) return count;
    size_t behind = count - (uint32_t)hidden - 1;
    if (columns) memmove(columns + hidden, columns + hidden + 1, behind * sizeof *columns);
    return count - 1;
}

/* {"tenant_id": "acme", "id": 1} to {"id": 1}: how the object begins is known. */
static corm_status put_json(const tenant_view *view, cql_value value, base_buf *out,
                            corm_error *err) {
    base_buf begin = { 0 };
    base__buf_puts(&begin, "{\"");
    base__buf_put_str(&begin, view->tenants->column);
    base__buf_puts(&begin, "\": \"");
    base__buf_put_str(&begin, view->tenant);
    base__buf_puts(&begin, "\", ");
    bool good = !begin.failed && value.len >= (int32_t)begin.len &&
                memcmp(value.data, begin.data, begin.len) == 0;
    if (good) {
        base__buf_i32(out, value.len - (int32_t)begin.len + 1);
        base__buf_u8(out, '{');
        base__buf_put(out, value.data + begin.len, (size_t)value.len - begin.len);
    }
    corm_status status = base__buf_status(&begin, err);
    base__buf_free(&begin);
    if (status != CORM_OK || good) return status;
    return base__fail(err, CORM_PROTOCOL_ERROR, "a JSON row does not begin with its tenant");
}

static corm_status put_row(const tenant_view *view, base_reader *rows, uint32_t count,
                           int32_t hidden, base_buf *out, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        cql_value value = cql__read_value(rows);
        if ((int32_t)i == hidden) continue;
        if (view->plan && view->plan->strips_json) {
            CORM_TRY(put_json(view, value, out, err));
        } else {
            cql__put_value(out, value);
        }
    }
    return rows->failed ? base__fail(err, CORM_PROTOCOL_ERROR, "a row cannot be read") : CORM_OK;
}

static corm_status put_rows(const tenant_view *view, wire_result *result, uint8_t version,
                            base_buf *out, corm_error *err) {
    wire_metadata   *metadata = &result->metadata;
    wire_rows_writer writer;
    int32_t          hidden = hidden_column(view, metadata);
    uint32_t         all = metadata->count;
    if (!metadata->absent) rename_columns(view, metadata->columns, all);
    uint32_t count = drop_column(metadata->absent ? NULL : metadata->columns, all, hidden);
    wire__rows_begin(&writer, out, metadata->columns, count, metadata->absent, version);
    if (metadata->changed) wire__rows_changed(&writer, metadata->new_id);
    if (hidden < 0 && !(view->plan && view->plan->strips_json)) {
        base__buf_put(out, result->rows.data, result->rows.len);
    } else {
        for (uint32_t i = 0; i < result->row_count; i++) {
            CORM_TRY(put_row(view, &result->rows, all, hidden, out, err));
        }
    }
    writer.rows = result->row_count;
    wire__rows_end(&writer, metadata->has_more ? metadata->paging_state : (corm_bytes){ NULL, 0 });
    return CORM_OK;
}

/* ---- PREPARED ---- */

/* The user's markers, and their places in the partition key, which is whole or not given. */
static void drop_markers(const tenant_plan *plan, wire_result *result) {
    uint32_t count = 0, keys = 0;
    bool     whole = true;
    for (uint32_t i = 0; i < result->partition_marker_count; i++) {
        uint16_t marker = result->partition_markers[i];
        int32_t  value = marker < plan->value_count ? plan->values[marker] : CORM_TENANT_JSON;
        if (value >= 0) result->partition_markers[keys++] = (uint16_t)value;
        whole &= value >= CORM_TENANT_VALUE;
    }
    result->partition_marker_count = whole ? keys : 0;
    for (uint32_t i = 0; i < result->marker_count; i++) {
        int32_t value = i < plan->value_count ? plan->values[i] : -1;
        bool json = value <= CORM_TENANT_JSON && plan->json[CORM_TENANT_JSON - value].marker >= 0;
        if (value >= 0 || json) result->markers[count++] = result->markers[i];
    }
    result->marker_count = count;
}

static corm_status put_prepared(const tenant_view *view, wire_result *result, uint8_t version,
                                base_buf *out, corm_error *err) {
    wire_metadata *metadata = &result->metadata;
    if (result->marker_count != view->plan->value_count) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "a statement was prepared with other markers");
    }
    drop_markers(view->plan, result);
    rename_markers(view, result->markers, result->marker_count);
    int32_t  hidden = hidden_column(view, metadata);
    uint32_t count = metadata->absent ? 0 : drop_column(metadata->columns, metadata->count, hidden);
    rename_columns(view, metadata->columns, count);
    wire__put_prepared(out, result->id, result->metadata_id, result->markers, result->marker_count,
                       result->partition_markers, result->partition_marker_count, metadata->columns,
                       count, version);
    return CORM_OK;
}

/* ---- changes of the schema ---- */

static void put_string(base_buf *out, corm_str text) {
    base__buf_u16(out, (uint16_t)text.len);
    base__buf_put_str(out, text);
}

static corm_status put_change(const tenant_view *view, const wire_result *result, base_buf *out) {
    base__buf_i32(out, WIRE_SCHEMA_CHANGE);
    put_string(out, result->change);
    put_string(out, result->target);
    put_string(out, logical_keyspace(view, result->keyspace));
    if (result->name.data) put_string(out, logical_name(view, result->name));
    if (!result->arguments) return CORM_OK;
    base__buf_u16(out, (uint16_t)result->argument_count);
    for (uint32_t i = 0; i < result->argument_count; i++) put_string(out, result->arguments[i]);
    return CORM_OK;
}

/* ---- all of them ---- */

/* Whether the body is right as it is, which for most it is. */
static bool stays(const tenant_view *view, const base_buf *body) {
    if (body->len < STATE_AT) return true;
    const tenant_plan *plan = view->plan;
    uint32_t kind = base__load_u32(body->data), flags = base__load_u32(body->data + FLAGS_AT);
    if (kind == WIRE_SCHEMA_CHANGE || kind == WIRE_PREPARED) return false;
    if (kind != WIRE_ROWS) return true;
    if (plan && (plan->strips_first || plan->strips_json)) return false;
    if (renames(view)) return (flags & NO_METADATA) != 0;
    return plan && plan->kind == CQL_STMT_SELECT;
}

static corm_status rebuild(const tenant_view *view, const wire_answer *answer, base_arena *arena,
                           base_buf *out, corm_error *err) {
    uint8_t     version = session__answer_version(answer);
    wire_result result;
    CORM_TRY(wire__result_read(base__buf_bytes(&answer->body), version, arena, &result, err));
    switch (result.kind) {
    case WIRE_ROWS: return put_rows(view, &result, version, out, err);
    case WIRE_PREPARED: return put_prepared(view, &result, version, out, err);
    default: return put_change(view, &result, out);
    }
}

corm_status tenant__answer(const tenant_view *view, wire_answer *answer, corm_error *err) {
    base_arena arena = { 0 };
    base_buf   body = { 0 };
    CORM_TRY(rename_warnings(view, answer, err));
    if (stays(view, &answer->body)) return CORM_OK;
    corm_status status = rebuild(view, answer, &arena, &body, err);
    if (status == CORM_OK) status = base__buf_status(&body, err);
    base__arena_free(&arena);
    if (status != CORM_OK) {
        base__buf_free(&body);
        return status;
    }
    base__buf_free(&answer->body);
    answer->body = body;
    return CORM_OK;
}

/* ---- paging states ---- */

bool tenant__keyed_hash(const uint8_t key[SESSION_KEY_BYTES], corm_str tenant, corm_bytes bytes,
                        uint8_t out[SESSION_KEY_BYTES]) {
    base_buf bound = { 0 };
    unsigned len = 0;
    base__buf_put_str(&bound, tenant);
    base__buf_u8(&bound, '\0');
    base__buf_put(&bound, bytes.data, bytes.len);
    bool good = !bound.failed && HMAC(EVP_sha256(), key, SESSION_KEY_BYTES, bound.data, bound.len,
                                      out, &len) != NULL;
    base__buf_free(&bound);
    return good;
}

static corm_status tag(const tenant_view *view, corm_bytes state, uint8_t out[HASH],
                       corm_error *err) {
    const corm_session *behind = view->tenants->behind;
    bool                good = tenant__keyed_hash(behind->page_token_key, view->tenant, state, out);
    return good ? CORM_OK : base__fail_memory(err);
}

corm_status tenant__bind_paging(const tenant_view *view, wire_answer *answer, corm_error *err) {
    base_buf *body = &answer->body;
    uint8_t   hash[HASH];
    if (body->len < STATE_AT + 4 || base__load_u32(body->data) != WIRE_ROWS) return CORM_OK;
    if (!(base__load_u32(body->data + FLAGS_AT) & HAS_MORE)) return CORM_OK;
    uint32_t len = base__load_u32(body->data + STATE_AT);
    if (len > body->len - STATE_AT - 4)
        return base__fail(err, CORM_PROTOCOL_ERROR, "a paging state cannot be read");
    CORM_TRY(tag(view, (corm_bytes){ body->data + STATE_AT + 4, len }, hash, err));
    if (!base__buf_grow(body, TAG)) return base__fail_memory(err);
    uint8_t *state = body->data + STATE_AT + 4;
    memmove(state + TAG, state, body->len - TAG - STATE_AT - 4);
    memcpy(state, hash, TAG);
    base__buf_set_i32(body, STATE_AT, (int32_t)len + TAG);
    return CORM_OK;
}

corm_status tenant__open_paging(const tenant_view *view, corm_bytes *state, corm_error *err) {
    uint8_t hash[HASH];
    if (!state->data || state->len == 0) return CORM_OK;
    if (state->len > TAG) {
        corm_bytes inner = { state->data + TAG, state->len - TAG };
        CORM_TRY(tag(view, inner, hash, err));
        bool same = CRYPTO_memcmp(hash, state->data, TAG) == 0;
        *state = inner;
        if (same) return CORM_OK;
    }
    return base__fail(err, CORM_INVALID, "the paging state is not one of this tenant's");
}
