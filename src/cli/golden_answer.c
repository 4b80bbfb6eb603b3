// SPDX-License-Identifier: MIT
/* golden_answer.c -- see golden_answer.h. */
#include "cli/golden_answer.h"

#include <time.h>

#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/codec.h"
#include "session/core.h"
#include "session/door.h"

/* ---- types ---- */

static bool in_golden(corm_str keyspace) {
    return corm_str_equal(keyspace, corm_str_of("golden"));
}

static void put_type(const cql_type *type, base_buf *out);

static void put_params(const char *name, const cql_type *type, base_buf *out) {
    base__buf_printf(out, "%s<", name);
    for (uint32_t i = 0; i < type->count; i++) {
        if (i) base__buf_puts(out, ", ");
        put_type(type->params[i], out);
    }
    if (type->id == CQL_VECTOR) base__buf_printf(out, ", %u", type->dimension);
    base__buf_puts(out, ">");
}

static void put_type(const cql_type *type, base_buf *out) {
    switch (type->id) {
    case CQL_LIST: put_params("list", type, out); break;
    case CQL_SET: put_params("set", type, out); break;
    case CQL_MAP: put_params("map", type, out); break;
    case CQL_TUPLE: put_params("tuple", type, out); break;
    case CQL_VECTOR: put_params("vector", type, out); break;
    case CQL_UDT:
        if (!in_golden(type->keyspace))
            base__buf_printf(out, "%.*s.", (int)type->keyspace.len, type->keyspace.data);
        base__buf_put_str(out, type->name);
        break;
    case CQL_CUSTOM: base__buf_printf(out, "'%.*s'", (int)type->name.len, type->name.data); break;
    default: cql__type_print(type, out);
    }
}

/* ---- texts ---- */

static void put_line_text(base_buf *out, corm_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n')
            base__buf_puts(out, "\\n");
        else
            base__buf_u8(out, (uint8_t)text.data[i]);
    }
    base__buf_puts(out, "\n");
}

static void put_error(const corm_error *error, base_buf *out) {
    int32_t code = corm_status_server_code(error->status);
    if (code >= 0)
        base__buf_printf(out, "-- error %04x: ", (unsigned)code);
    else
        base__buf_printf(out, "-- error %s: ", corm_status_name(error->status));
    put_line_text(out, corm_str_of(error->message));
}

static void put_warnings(const corm_result *result, base_buf *out) {
    for (uint32_t i = 0; i < corm_result_warning_count(result); i++) {
        base__buf_puts(out, "-- warning: ");
        put_line_text(out, corm_result_warning(result, i));
    }
}

/* ---- results ---- */

static void put_columns(const char *title, const cql_result_column *columns, uint32_t count,
                        base_buf *out) {
    base__buf_printf(out, "-- %s:", title);
    for (uint32_t i = 0; i < count; i++) {
        base__buf_printf(out, "%s%.*s ", i ? ", " : " ", (int)columns[i].name.len,
                         columns[i].name.data);
        put_type(columns[i].type, out);
    }
    base__buf_puts(out, "\n");
}

static void put_row(const corm_row *row, const cql_result_column *columns, uint32_t count,
                    base_buf *out) {
    const cql_value *values = session__row_values(row);
    base__buf_puts(out, "-- row:");
    for (uint32_t i = 0; i < count; i++) {
        base__buf_puts(out, i ? " | " : " ");
        cql__to_text(columns[i].type, values[i], CQL_STYLE_GOLDEN, out);
    }
    base__buf_puts(out, "\n");
}

static void put_rows(corm_result *result, const golden_case *each, base_buf *out) {
    uint32_t                 count;
    corm_error               error = { 0 };
    base_buf                 pages = { 0 };
    const cql_result_column *columns = session__result_columns(result, &count);
    base_buf                 rows = { 0 };
    put_columns("columns", columns, count, &rows);
    for (;;) {
        for (const corm_row *row = corm_result_next(result); row; row = corm_result_next(result))
            put_row(row, columns, count, &rows);
        base__buf_printf(&pages, " %u", corm_result_row_count(result));
        if (each->page_size <= 0 || !corm_result_has_more(result)) break;
        if (corm_result_fetch(result, &error) != CORM_OK) {
            put_error(&error, &rows);
            break;
        }
        put_warnings(result, out);
        columns = session__result_columns(result, &count);
    }
    base__buf_put(out, rows.data, rows.len);
    base__buf_free(&rows);
    if (each->page_size > 0)
        base__buf_printf(out, "-- pages:%.*s\n", (int)pages.len, (const char *)pages.data);
    base__buf_free(&pages);
}

static void put_schema_change(const wire_result *wire, base_buf *out) {
    base__buf_printf(out, "-- schema: %.*s %.*s %.*s", (int)wire->change.len, wire->change.data,
                     (int)wire->target.len, wire->target.data, (int)wire->keyspace.len,
                     wire->keyspace.data);
    if (wire->name.len) base__buf_printf(out, ".%.*s", (int)wire->name.len, wire->name.data);
    for (uint32_t i = 0; i < wire->argument_count; i++)
        base__buf_printf(out, "%s%.*s", i ? ", " : "(", (int)wire->arguments[i].len,
                         wire->arguments[i].data);
    if (wire->argument_count) base__buf_u8(out, ')');
    base__buf_puts(out, "\n");
}

static void put_result(corm_result *result, const golden_case *each, base_buf *out) {
    const wire_result *wire = session__result_wire(result);
    put_warnings(result, out);
    switch (wire->kind) {
    case WIRE_ROWS: put_rows(result, each, out); break;
    case WIRE_SCHEMA_CHANGE: put_schema_change(wire, out); break;
    case WIRE_SET_KEYSPACE:
        base__buf_printf(out, "-- keyspace: %.*s\n", (int)wire->keyspace.len, wire->keyspace.data);
        break;
    default: base__buf_puts(out, "-- ok\n");
    }
}

/* ---- bind values ---- */

/* Cuts off what stands before the first `end` outside quotes and brackets, and that. */
static corm_str take_until(corm_str *rest, char end) {
    int    depth = 0;
    bool   quoted = false;
    size_t i = 0;
    for (; i < rest->len; i++) {
        char c = rest->data[i];
        if (c == '\'') quoted = !quoted;
        if (quoted) continue;
        if (strchr("([{<", c)) depth++;
        if (strchr(")]}>", c)) depth--;
        if (c == end && depth == 0) break;
    }
    corm_str value = base__str_trim((corm_str){ rest->data, i });
    size_t   used = i < rest->len ? i + 1 : i;
    rest->data += used;
    rest->len -= used;
    return value;
}

static corm_str take_value(corm_str *rest) {
    return take_until(rest, ',');
}

static bool starts_with(corm_str text, const char *prefix) {
    return base__str_has_prefix(text, corm_str_of(prefix));
}

static bool read_raw(corm_str text, base_buf *out) {
    return base__read_hex((corm_str){ text.data + 2, text.len - 2 }, out);
}

/* repeat(0x…, N) */
static bool read_repeat(corm_str text, base_buf *out) {
    corm_str inside = { text.data + 7, text.len - 8 };
    corm_str bytes = take_value(&inside);
    base_buf once = { 0 };
    int64_t  times = 0;
    bool     good = read_raw(bytes, &once) && base__parse_i64(base__str_trim(inside), &times);
    for (int64_t i = 0; good && i < times; i++) base__buf_put(out, once.data, once.len);
    base__buf_free(&once);
    return good;
}

static corm_status encode_value(const cql_type *type, corm_str text, base_buf *out, int32_t *len,
                                corm_error *err);

static corm_status put_element(const cql_type *type, corm_str text, base_buf *out,
                               corm_error *err) {
    base_buf    bytes = { 0 };
    int32_t     len;
    corm_status status = encode_value(type, base__str_trim(text), &bytes, &len, err);
    base__buf_i32(out, len);
    base__buf_put(out, bytes.data, bytes.len);
    base__buf_free(&bytes);
    return status;
}

/* Collections and tuples element by element, for elements may be null or unset, which no literal is. */
static corm_status encode_elements(const cql_type *type, corm_str rest, base_buf *out,
                                   corm_error *err) {
    bool     counted = type->id != CQL_TUPLE;
    size_t   at = out->len;
    uint32_t count = 0;
    if (counted) base__buf_i32(out, 0);
    for (; rest.len; count++) {
        corm_str item = take_value(&rest);
        if (type->id == CQL_MAP)
            CORM_TRY(put_element(type->params[0], take_until(&item, ':'), out, err));
        uint32_t param = type->id == CQL_MAP ? 1 : counted ? 0 : count;
        CORM_TRY(put_element(type->params[param], item, out, err));
    }
    if (counted) base__buf_set_i32(out, at, (int32_t)count);
    return CORM_OK;
}

/* The field's value in the text; "null" when it is not named. */
static corm_str find_field(corm_str fields, corm_str name) {
    while (fields.len) {
        corm_str item = take_value(&fields), found = take_until(&item, ':');
        if (found.len > 2 && *found.data == '"')
            found = (corm_str){ found.data + 1, found.len - 2 };
        if (corm_str_equal(found, name)) return item;
    }
    return corm_str_of("null");
}

static corm_status encode_fields(const cql_type *type, corm_str fields, base_buf *out,
                                 corm_error *err) {
    for (uint32_t i = 0; i < type->count; i++)
        CORM_TRY(put_element(type->params[i], find_field(fields, type->field_names[i]), out, err));
    return CORM_OK;
}

static bool has_absent(corm_str text) {
    for (; text.len >= 4; text.data++, text.len--)
        if (starts_with(text, "null") || starts_with(text, "unset")) return true;
    return false;
}

/* The wire bytes of a bind value; *len is -1 for null and -2 for unset. */
static corm_status encode_value(const cql_type *type, corm_str text, base_buf *out, int32_t *len,
                                corm_error *err) {
    bool        is_null = false, has_elements = type->count && type->id != CQL_VECTOR;
    corm_status status = CORM_OK;
    if (corm_str_equal(text, corm_str_of("unset"))) {
        *len = -2;
        return CORM_OK;
    }
    if (corm_str_equal(text, corm_str_of("null")))
        is_null = true;
    else if (starts_with(text, "repeat("))
        status = read_repeat(text, out) ? CORM_OK : CORM_INVALID_ARGUMENT;
    else if (starts_with(text, "0x"))
        status = read_raw(text, out) ? CORM_OK : CORM_INVALID_ARGUMENT;
    else if (has_elements && has_absent(text))
        status = (type->id == CQL_UDT ? encode_fields : encode_elements)(
            type, base__str_trim((corm_str){ text.data + 1, text.len - 2 }), out, err);
    else
        status = cql__from_text(type, text, out, &is_null, err);
    *len = is_null ? -1 : (int32_t)out->len;
    return status;
}

static corm_status bind_value(corm_statement *statement, uint32_t index, const cql_type *type,
                              corm_str text, corm_error *err) {
    base_buf    bytes = { 0 };
    int32_t     len = -2;
    corm_status status = encode_value(type, text, &bytes, &len, err);
    corm_bytes  value = { len == -1    ? NULL
                          : bytes.data ? bytes.data
                                       : (const uint8_t *)"",
                         bytes.len };
    if (status == CORM_OK && len != -2)
        status = corm_statement_bind_bytes(statement, index, value, err);
    base__buf_free(&bytes);
    return status;
}

static corm_status bind_all(corm_statement *statement, const corm_prepared *prepared,
                            corm_str values, corm_error *err) {
    uint32_t          count;
    const cql_marker *markers = session__prepared_markers(prepared, &count);
    for (uint32_t i = 0; i < count && values.len; i++)
        CORM_TRY(bind_value(statement, i, markers[i].type, take_value(&values), err));
    return CORM_OK;
}

/* ---- running ---- */

static corm_request_options request_options(const golden_case *each) {
    return (corm_request_options){
        .consistency = each->consistency ? each->consistency : CORM_ONE,
        .page_size = each->page_size > 0 ? each->page_size : -1,
        .has_now = each->has_now,
        .now_seconds = each->now,
        .has_timestamp = each->has_timestamp,
        .timestamp_us = each->timestamp,
    };
}

static corm_status run_bound(corm_session *session, const golden_case *each, const char *cql,
                             corm_result **out, corm_error *err) {
    corm_prepared *prepared;
    CORM_TRY(corm_prepare(session, cql, &prepared, err));
    corm_statement *statement = corm_statement_new(prepared);
    corm_status     status =
        statement ? bind_all(statement, prepared, each->bind, err) : base__fail_memory(err);
    if (status == CORM_OK) {
        *corm_statement_options(statement) = request_options(each);
        status = corm_run(statement, out, err);
    }
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    return status;
}

static void put_markers(const wire_result *wire, base_buf *out) {
    base__buf_puts(out, "-- markers:");
    for (uint32_t i = 0; i < wire->marker_count; i++) {
        base__buf_printf(out, "%s%.*s ", i ? ", " : " ", (int)wire->markers[i].name.len,
                         wire->markers[i].name.data);
        put_type(wire->markers[i].type, out);
    }
    base__buf_puts(out, "\n");
    if (wire->partition_marker_count) {
        base__buf_puts(out, "-- partition-key:");
        for (uint32_t i = 0; i < wire->partition_marker_count; i++)
            base__buf_printf(out, " %u", wire->partition_markers[i]);
        base__buf_puts(out, "\n");
    }
    if (wire->metadata.count)
        put_columns("columns", wire->metadata.columns, wire->metadata.count, out);
}

static corm_status run_prepare(corm_session *session, const char *cql, base_buf *out,
                               corm_error *err) {
    corm_prepared *prepared;
    base_arena     arena = { 0 };
    wire_result    wire;
    CORM_TRY(corm_prepare(session, cql, &prepared, err));
    corm_status status = wire__result_read(base__buf_bytes(&prepared->answer.body), WIRE_VERSION,
                                           &arena, &wire, err);
    if (status == CORM_OK) put_markers(&wire, out);
    base__arena_free(&arena);
    corm_prepared_free(prepared);
    return status;
}

static corm_status run_once(corm_session *session, const golden_case *each, const char *text,
                            corm_result **result, base_buf *out, corm_error *err) {
    if (each->prepare) return run_prepare(session, text, out, err);
    if (each->has_bind) return run_bound(session, each, text, result, err);
    corm_execute_options options = { .request = request_options(each), .error = err };
    return corm_execute_with(session, text, &options, result);
}

/* A real server makes an index by and by: until it is ready, reads fail with these words. */
static bool is_not_ready(const corm_error *error) {
    return strstr(error->message, "INDEX_NOT_AVAILABLE") ||
           strstr(error->message, "INDEX_BUILD_IN_PROGRESS");
}

enum { READY_TRIES = 300, READY_PAUSE_MS = 200 };

void cli__golden_answer(corm_session *session, const golden_case *each, base_buf *out) {
    base_buf     cql = { 0 };
    corm_result *result = NULL;
    corm_error   error = { 0 };
    base__buf_put_str(&cql, each->statement);
    const char *text = base__buf_cstr(&cql);
    corm_status status = run_once(session, each, text, &result, out, &error);
    for (int i = 0; i < READY_TRIES && status != CORM_OK && is_not_ready(&error); i++) {
        const struct timespec pause = { .tv_nsec = READY_PAUSE_MS * 1000000L };
        nanosleep(&pause, NULL);
        status = run_once(session, each, text, &result, out, &error);
    }
    if (status != CORM_OK)
        put_error(&error, out);
    else if (!each->prepare)
        put_result(result, each, out);
    corm_result_free(result);
    base__buf_free(&cql);
}
