// SPDX-License-Identifier: MIT
/* error.c -- the body of ERROR. Native protocol v5 specification, section 8.
 *
 *   [int code][string message] and what the code carries, as the table says:
 *
 *   UNAVAILABLE        consistency, [int required][int alive]
 *   WRITE_TIMEOUT      consistency, [int received][int required][string write type][short contentions: CAS, v5]
 *   READ_TIMEOUT       consistency, [int received][int required][byte data present]
 *   READ_FAILURE       consistency, [int received][int required] failures [byte data present]
 *   WRITE_FAILURE      consistency, [int received][int required] failures [string write type]
 *   CAS_WRITE_UNKNOWN  consistency, [int received][int required]
 *   FUNCTION_FAILURE   [string keyspace][string function][string list argument types]
 *   ALREADY_EXISTS     [string keyspace][string table]
 *   UNPREPARED         [short bytes id]
 *   failures           v4: [int count]; v5: [int count] count * ([inetaddr][short reason])
 *
 * Pure functions. */
#include "base/fail.h"
#include "wire/message.h"
#include "wire/metadata.h"

enum {
    CODE_UNAVAILABLE = 0x1000,
    CODE_WRITE_TIMEOUT = 0x1100,
    CODE_READ_TIMEOUT = 0x1200,
    CODE_READ_FAILURE = 0x1300,
    CODE_FUNCTION_FAILURE = 0x1400,
    CODE_WRITE_FAILURE = 0x1500,
    CODE_CAS_WRITE_UNKNOWN = 0x1700,
    CODE_ALREADY_EXISTS = 0x2400,
    CODE_UNPREPARED = 0x2500,

    SMALLEST_REASON = 1 + 4 + 2, /* an IPv4 address and its reason */
    MOST_ARGUMENTS = 16
};

static const char *const write_types[] = {
    [WIRE_WRITE_UNKNOWN] = "",        [WIRE_WRITE_SIMPLE] = "SIMPLE",
    [WIRE_WRITE_BATCH] = "BATCH",     [WIRE_WRITE_UNLOGGED_BATCH] = "UNLOGGED_BATCH",
    [WIRE_WRITE_COUNTER] = "COUNTER", [WIRE_WRITE_BATCH_LOG] = "BATCH_LOG",
    [WIRE_WRITE_CAS] = "CAS",         [WIRE_WRITE_VIEW] = "VIEW",
    [WIRE_WRITE_CDC] = "CDC",
};

static wire_write_type write_type_of(corm_str name) {
    for (size_t i = 1; i < sizeof write_types / sizeof *write_types; i++) {
        if (corm_str_equal(name, corm_str_of(write_types[i]))) return (wire_write_type)i;
    }
    return WIRE_WRITE_UNKNOWN;
}

static corm_status status_of(int32_t code) {
#define STATUS_OF(name, value, retryable, server_code, text)                                       \
    if ((server_code) >= 0 && code == (server_code)) return CORM_##name;
    CORM_STATUS_MAP(STATUS_OF)
#undef STATUS_OF
    return CORM_SERVER_ERROR;
}

/* ---- reading ---- */

static void read_reasons(base_reader *in, wire_error *out) {
    base_reader from = *in;
    int32_t     count = out->failures;
    if (count < 0 || (size_t)count > in->len / SMALLEST_REASON) in->failed = true;
    for (int32_t i = 0; i < count && !in->failed; i++) {
        uint8_t len = base__read_u8(in);
        if (len != 4 && len != 16) in->failed = true;
        base__read_bytes(in, len);
        base__read_u16(in);
    }
    if (!in->failed) out->reasons = (corm_bytes){ from.data, from.len - in->len };
}

static void read_failures(base_reader *in, uint8_t version, wire_error *out) {
    out->failures = base__read_i32(in);
    if (version >= 5) read_reasons(in, out);
}

static void read_write_type(base_reader *in, wire_error *out) {
    out->write_type = write_type_of(wire__read_string(in));
}

/* Consistency and the two numbers behind it, that replicas have to do with. */
static void read_counts(base_reader *in, wire_error *out) {
    out->consistency = (wire_consistency)base__read_u16(in);
    int32_t first = base__read_i32(in), second = base__read_i32(in);
    bool    is_required_first = out->code == CODE_UNAVAILABLE;
    out->received = is_required_first ? second : first;
    out->required = is_required_first ? first : second;
}

static void read_names(base_reader *in, wire_error *out) {
    out->keyspace = wire__read_string(in);
    out->table = wire__read_string(in);
}

/* The list of types as it was sent, when it is whole. */
static void read_function(base_reader *in, wire_error *out) {
    read_names(in, out);
    base_reader from = *in;
    uint16_t    count = base__read_u16(in);
    for (uint16_t i = 0; i < count && !in->failed; i++) wire__read_string(in);
    if (!in->failed) out->arguments = (corm_bytes){ from.data, from.len - in->len };
}

static void read_write_timeout(base_reader *in, uint8_t version, wire_error *out) {
    read_write_type(in, out);
    bool has_contentions = version >= 5 && out->write_type == WIRE_WRITE_CAS && in->len > 0;
    if (has_contentions) out->contentions = base__read_u16(in);
}

static void read_id(base_reader *in, wire_error *out) {
    uint16_t len = base__read_u16(in);
    out->unprepared_id = base__read_bytes(in, len);
}

/* What the code carries. */
static void read_rest(base_reader *in, uint8_t version, wire_error *out) {
    switch (out->code) {
    case CODE_UNAVAILABLE:
    case CODE_CAS_WRITE_UNKNOWN: read_counts(in, out); break;
    case CODE_WRITE_TIMEOUT:
        read_counts(in, out);
        read_write_timeout(in, version, out);
        break;
    case CODE_READ_TIMEOUT:
        read_counts(in, out);
        out->data_present = base__read_u8(in) != 0;
        break;
    case CODE_READ_FAILURE:
        read_counts(in, out);
        read_failures(in, version, out);
        out->data_present = base__read_u8(in) != 0;
        break;
    case CODE_WRITE_FAILURE:
        read_counts(in, out);
        read_failures(in, version, out);
        read_write_type(in, out);
        break;
    case CODE_FUNCTION_FAILURE: read_function(in, out); break;
    case CODE_ALREADY_EXISTS: read_names(in, out); break;
    case CODE_UNPREPARED: read_id(in, out); break;
    default: break;
    }
}

corm_status wire__error_read(corm_bytes body, uint8_t version, wire_error *out, corm_error *err) {
    base_reader in = { body.data, body.len, false };
    *out = (wire_error){ 0 };
    out->code = base__read_i32(&in);
    out->message = wire__read_string(&in);
    if (in.failed) return base__fail(err, CORM_PROTOCOL_ERROR, "an error cannot be read");
    out->status = status_of(out->code);
    read_rest(&in, version, out);
    return CORM_OK;
}

/* ---- writing ---- */

static void put_counts(base_buf *body, const wire_error *error) {
    bool is_required_first = error->code == CODE_UNAVAILABLE;
    base__buf_u16(body, (uint16_t)error->consistency);
    base__buf_i32(body, is_required_first ? error->required : error->received);
    base__buf_i32(body, is_required_first ? error->received : error->required);
}

/* Whoever does not know which replicas failed says 0.0.0.0 and up, so that a client's map has as many keys. */
static void put_failures(base_buf *body, const wire_error *error, uint8_t version) {
    base__buf_i32(body, error->failures);
    if (version < 5) return;
    base__buf_put(body, error->reasons.data, error->reasons.len);
    for (int32_t i = 0; i < error->failures && error->reasons.len == 0 && !body->failed; i++) {
        base__buf_u8(body, 4);
        base__buf_u32(body, (uint32_t)i);
        base__buf_u16(body, 0);
    }
}

static void put_write_type(base_buf *body, const wire_error *error) {
    wire__put_string(body, corm_str_of(write_types[error->write_type]));
}

static void put_write_timeout(base_buf *body, const wire_error *error, uint8_t version) {
    put_counts(body, error);
    put_write_type(body, error);
    if (version >= 5 && error->write_type == WIRE_WRITE_CAS) {
        base__buf_u16(body, error->contentions);
    }
}

static void put_names(base_buf *body, const wire_error *error) {
    wire__put_string(body, error->keyspace);
    wire__put_string(body, error->table);
}

/* How many bytes of the text stand before the next comma that separates arguments, or its end. */
static size_t argument_length(corm_str text) {
    int depth = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '<') depth++;
        if (text.data[i] == '>') depth--;
        if (text.data[i] == ',' && depth == 0) return i;
    }
    return text.len;
}

static corm_str behind(corm_str text, size_t len) {
    return len < text.len ? (corm_str){ text.data + len, text.len - len } : (corm_str){ NULL, 0 };
}

/* "name(type, type)": the name, and the list of types. */
static void put_function(base_buf *body, const wire_error *error) {
    corm_str    text = error->table, types[MOST_ARGUMENTS];
    const char *open = text.len ? memchr(text.data, '(', text.len) : NULL;
    size_t      len = open ? (size_t)(open - text.data) : text.len;
    uint32_t    count = 0;
    wire__put_string(body, error->keyspace);
    wire__put_string(body, (corm_str){ text.data, len });
    text = behind(text, len + 1);
    if (text.len > 0) text.len--;
    while (text.len > 0 && count < MOST_ARGUMENTS) {
        size_t argument = argument_length(text);
        types[count++] = (corm_str){ text.data, argument };
        text = behind(text, argument + 2);
    }
    wire__put_string_list(body, types, count);
}

static void put_function_failure(base_buf *body, const wire_error *error) {
    if (error->arguments.len == 0) {
        put_function(body, error);
        return;
    }
    put_names(body, error);
    base__buf_put(body, error->arguments.data, error->arguments.len);
}

void wire__put_error(base_buf *body, const wire_error *error, uint8_t version) {
    base__buf_i32(body, error->code);
    wire__put_string(body, error->message);
    switch (error->code) {
    case CODE_UNAVAILABLE:
    case CODE_CAS_WRITE_UNKNOWN: put_counts(body, error); break;
    case CODE_WRITE_TIMEOUT: put_write_timeout(body, error, version); break;
    case CODE_READ_TIMEOUT:
        put_counts(body, error);
        base__buf_u8(body, error->data_present);
        break;
    case CODE_READ_FAILURE:
        put_counts(body, error);
        put_failures(body, error, version);
        base__buf_u8(body, error->data_present);
        break;
    case CODE_WRITE_FAILURE:
        put_counts(body, error);
        put_failures(body, error, version);
        put_write_type(body, error);
        break;
    case CODE_FUNCTION_FAILURE: put_function_failure(body, error); break;
    case CODE_ALREADY_EXISTS: put_names(body, error); break;
    case CODE_UNPREPARED: wire__put_short_bytes(body, error->unprepared_id); break;
    default: break;
    }
}

/* ---- reporting ---- */

/* A number of at most nine digits at *at, which moves behind it. */
static bool read_number(corm_str text, size_t *at, uint32_t *out) {
    size_t start = *at;
    *out = 0;
    for (; *at < text.len && *at - start < 9; ++*at) {
        char c = text.data[*at];
        if (c < '0' || c > '9') break;
        *out = *out * 10 + (uint32_t)(c - '0');
    }
    return *at > start;
}

/* "line 1:7 no viable alternative …" */
static bool read_place(corm_str text, uint32_t *line, uint32_t *column) {
    static const char prefix[] = "line ";
    size_t            at = sizeof prefix - 1;
    if (text.len < at || memcmp(text.data, prefix, at) != 0) return false;
    if (!read_number(text, &at, line) || at == text.len || text.data[at++] != ':') return false;
    return read_number(text, &at, column);
}

static void copy_name(char *to, size_t size, corm_str name) {
    size_t len = name.len < size ? name.len : size - 1;
    if (len > 0) memcpy(to, name.data, len);
    to[len] = '\0';
}

corm_status wire__error_report(const wire_error *error, corm_error *err) {
    uint32_t    line = 0, column = 0;
    corm_str    text = error->message;
    corm_status status = error->status;
    if (!err) return status;
    if (text.len == 0) text = corm_str_of(corm_status_text(status));
    if (!read_place(text, &line, &column)) line = column = 0;
    int shown = text.len > INT32_MAX ? INT32_MAX : (int)text.len;
    base__fail_at(err, status, line, column, "%.*s", shown, text.data);
    if (status == CORM_ALREADY_EXISTS || status == CORM_FUNCTION_FAILURE) {
        copy_name(err->keyspace, sizeof err->keyspace, error->keyspace);
        copy_name(err->table, sizeof err->table, error->table);
    }
    return status;
}
