// SPDX-License-Identifier: MIT
/* from_string.c -- values from the text of a constant, as the server's AbstractType.fromString,
 * with its messages. Pure, but for 'now'; any thread. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/codec.h"
#include "cql/inet_text.h"
#include "cql/numbers.h"
#include "cql/timetext.h"
#include "cql/vint.h"

/* `format` has one place for the text. */
#define REFUSE(err, format, text)                                                                  \
    base__fail((err), CORM_INVALID, (format), (int)(text).len, (text).len > 0 ? (text).data : "")

static corm_status read_text(corm_str text, base_buf *out, corm_error *err) {
    cql_value value = { (const uint8_t *)text.data, (int32_t)text.len };
    CORM_TRY(cql__validate(cql__type_native(CQL_TEXT), value, err));
    base__buf_put_str(out, text);
    return CORM_OK;
}

static corm_status read_ascii(corm_str text, base_buf *out, corm_error *err) {
    for (size_t i = 0; i < text.len; i++) {
        if ((uint8_t)text.data[i] < 0x80) continue;
        return base__fail(err, CORM_INVALID,
                          "Invalid ASCII character in string literal: "
                          "java.nio.charset.UnmappableCharacterException: Input length = 1");
    }
    base__buf_put_str(out, text);
    return CORM_OK;
}

static corm_status read_blob(corm_str text, base_buf *out, corm_error *err) {
    if (base__read_hex(text, out)) return CORM_OK;
    return REFUSE(err, "cannot parse '%.*s' as hex bytes", text);
}

static corm_status read_boolean(corm_str text, base_buf *out, corm_error *err) {
    bool yes = base__str_equal_nocase(text, corm_str_of("true"));
    if (!yes && text.len > 0 && !base__str_equal_nocase(text, corm_str_of("false"))) {
        return REFUSE(err, "Unable to make boolean from '%.*s'", text);
    }
    base__buf_u8(out, yes);
    return CORM_OK;
}

static bool parse_within(corm_str text, int64_t least, int64_t most, int64_t *out) {
    return base__parse_i64(text, out) && *out >= least && *out <= most;
}

static corm_status read_tinyint(corm_str text, base_buf *out, corm_error *err) {
    int64_t v;
    if (!parse_within(text, INT8_MIN, INT8_MAX, &v))
        return REFUSE(err, "Unable to make byte from '%.*s'", text);
    base__buf_u8(out, (uint8_t)v);
    return CORM_OK;
}

static corm_status read_smallint(corm_str text, base_buf *out, corm_error *err) {
    int64_t v;
    if (!parse_within(text, INT16_MIN, INT16_MAX, &v))
        return REFUSE(err, "Unable to make short from '%.*s'", text);
    base__buf_u16(out, (uint16_t)v);
    return CORM_OK;
}

static corm_status read_int(corm_str text, base_buf *out, corm_error *err) {
    int64_t v;
    if (!parse_within(text, INT32_MIN, INT32_MAX, &v))
        return REFUSE(err, "Unable to make int from '%.*s'", text);
    base__buf_i32(out, (int32_t)v);
    return CORM_OK;
}

static corm_status read_bigint(corm_str text, base_buf *out, corm_error *err) {
    int64_t v;
    if (!base__parse_i64(text, &v)) return REFUSE(err, "Unable to make long from '%.*s'", text);
    base__buf_i64(out, v);
    return CORM_OK;
}

static bool is_one_of(char c, const char *set) {
    return c != '\0' && strchr(set, c);
}

/* What Java takes around a number: white space, one of f F d D behind the digits; and no other
 * spelling of NaN and Infinity than these. */
static bool strip_java_number(corm_str *text) {
    while (text->len > 0 && (uint8_t)text->data[0] <= ' ')
        *text = (corm_str){ text->data + 1, text->len - 1 };
    while (text->len > 0 && (uint8_t)text->data[text->len - 1] <= ' ') text->len--;
    if (text->len == 0) return false;
    size_t   sign = is_one_of(text->data[0], "+-") ? 1 : 0;
    corm_str word = { text->data + sign, text->len - sign };
    if (word.len > 0 && is_one_of(word.data[0], "nNiI")) {
        return corm_str_equal(word, corm_str_of("NaN")) ||
               corm_str_equal(word, corm_str_of("Infinity"));
    }
    if (text->len > 1 && is_one_of(text->data[text->len - 1], "fFdD")) text->len--;
    return true;
}

static corm_status read_double(corm_str text, base_buf *out, corm_error *err) {
    corm_str number = text;
    double   v;
    if (!strip_java_number(&number) || !base__parse_f64(number, &v)) {
        return REFUSE(err, "Unable to make double from '%.*s'", text);
    }
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    base__buf_u64(out, v == v ? bits : UINT64_C(0x7ff8000000000000));
    return CORM_OK;
}

static corm_status read_float(corm_str text, base_buf *out, corm_error *err) {
    corm_str number = text;
    float    v;
    if (!strip_java_number(&number) || !base__parse_f32(number, &v)) {
        return REFUSE(err, "Unable to make float from '%.*s'", text);
    }
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    base__buf_u32(out, v == v ? bits : UINT32_C(0x7fc00000));
    return CORM_OK;
}

static corm_status read_timestamp(corm_str text, base_buf *out, corm_error *err) {
    int64_t ms;
    CORM_TRY(cql__timestamp_read(text, &ms, err));
    base__buf_i64(out, ms);
    return CORM_OK;
}

static corm_status read_date(corm_str text, base_buf *out, corm_error *err) {
    uint32_t wire;
    CORM_TRY(cql__date_read(text, &wire, err));
    base__buf_u32(out, wire);
    return CORM_OK;
}

static corm_status read_time(corm_str text, base_buf *out, corm_error *err) {
    int64_t ns;
    CORM_TRY(cql__time_read(text, &ns, err));
    base__buf_i64(out, ns);
    return CORM_OK;
}

static corm_status read_duration(corm_str text, base_buf *out, corm_error *err) {
    corm_duration duration;
    CORM_TRY(cql__duration_read(text, &duration, err));
    cql__put_vint(out, duration.months);
    cql__put_vint(out, duration.days);
    cql__put_vint(out, duration.ns);
    return CORM_OK;
}

static bool parse_uuid(corm_str text, corm_uuid *out) {
    char copy[37];
    if (text.len != 36) return false;
    memcpy(copy, text.data, 36);
    copy[36] = '\0';
    return corm_uuid_parse(copy, out, NULL) == CORM_OK;
}

static corm_status read_uuid(corm_str text, base_buf *out, corm_error *err) {
    corm_uuid uuid;
    if (!parse_uuid(text, &uuid)) return REFUSE(err, "Unable to make UUID from '%.*s'", text);
    base__buf_put(out, uuid.bytes, sizeof uuid.bytes);
    return CORM_OK;
}

static corm_status read_timeuuid(corm_str text, base_buf *out, corm_error *err) {
    corm_uuid uuid;
    if (!parse_uuid(text, &uuid)) return REFUSE(err, "Unknown timeuuid representation: %.*s", text);
    if (uuid.bytes[6] >> 4 != 1) {
        return base__fail(err, CORM_INVALID, "TimeUUID supports only version 1 UUIDs");
    }
    base__buf_put(out, uuid.bytes, sizeof uuid.bytes);
    return CORM_OK;
}

static corm_status read_inet(corm_str text, base_buf *out, corm_error *err) {
    corm_inet inet;
    if (!cql__inet_read(text, &inet))
        return REFUSE(err, "Unable to make inet address from '%.*s'", text);
    base__buf_put(out, inet.bytes, inet.length);
    return CORM_OK;
}

static corm_status read_empty(corm_str text, base_buf *out, corm_error *err) {
    (void)out;
    if (text.len == 0) return CORM_OK;
    return REFUSE(err, "'%.*s' is not empty", text);
}

typedef struct string_reader {
    cql_type_id id;
    bool        empty; /* no text is the empty value */
    corm_status (*read)(corm_str text, base_buf *out, corm_error *err);
} string_reader;

static const string_reader readers[] = {
    { CQL_TEXT, false, read_text },
    { CQL_ASCII, false, read_ascii },
    { CQL_INT, true, read_int },
    { CQL_BIGINT, true, read_bigint },
    { CQL_UUID, true, read_uuid },
    { CQL_TIMEUUID, true, read_timeuuid },
    { CQL_TIMESTAMP, true, read_timestamp },
    { CQL_BOOLEAN, false, read_boolean },
    { CQL_DOUBLE, true, read_double },
    { CQL_FLOAT, true, read_float },
    { CQL_BLOB, false, read_blob },
    { CQL_DATE, false, read_date },
    { CQL_TIME, false, read_time },
    { CQL_INET, true, read_inet },
    { CQL_DECIMAL, true, cql__decimal_from_text },
    { CQL_VARINT, true, cql__varint_from_text },
    { CQL_SMALLINT, true, read_smallint },
    { CQL_TINYINT, true, read_tinyint },
    { CQL_COUNTER, true, read_bigint },
    { CQL_DURATION, true, read_duration },
    { CQL_EMPTY, false, read_empty },
    { CQL_CUSTOM, false, read_blob },
};

corm_status cql__from_string(const cql_type *type, corm_str text, base_buf *out, corm_error *err) {
    if (!text.data) text = corm_str_of("");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (readers[i].id != type->id) continue;
        if (text.len == 0 && readers[i].empty) return CORM_OK;
        CORM_TRY(readers[i].read(text, out, err));
        return base__buf_status(out, err);
    }
    return base__fail(err, CORM_INVALID, "the type has no form as a string");
}
