// SPDX-License-Identifier: MIT
/* functions_fit.c -- how well types, constants and arguments go where a type is wanted. Pure; any thread. */
#include "base/text.h"
#include "cql/fn.h"

cql_fit cql__type_fit(const cql_type *to, const cql_type *from) {
    if (cql__type_same_values(to, from)) return CQL_FIT_EXACT;
    return cql__type_accepts(to, from) ? CQL_FIT_WEAK : CQL_FIT_NOT;
}

static bool is_ascii(corm_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80) return false;
    }
    return true;
}

static cql_type_id integer_type(corm_str text) {
    int64_t v;
    if (!base__parse_i64(text, &v)) return CQL_VARINT;
    return v == (int32_t)v ? CQL_INT : CQL_BIGINT;
}

static bool is_exact_double(corm_str text) {
    base_buf written = { 0 };
    base_buf nearest = { 0 };
    bool     exact = false;
    if (cql__decimal_from_text(text, &written, NULL) == CORM_OK) {
        cql_value value = cql__value_of(base__buf_bytes(&written));
        double    v = cql__decimal_to_double(value);
        if (v - v == 0) {
            cql__decimal_from_double(v, &nearest);
            exact = !written.failed && !nearest.failed &&
                    cql__decimal_compare(value, cql__value_of(base__buf_bytes(&nearest))) == 0;
        }
    }
    base__buf_free(&written);
    base__buf_free(&nearest);
    return exact;
}

static bool has_digit(corm_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] >= '0' && text.data[i] <= '9') return true;
    }
    return false;
}

static cql_type_id float_type(corm_str text) {
    return !has_digit(text) || is_exact_double(text) ? CQL_DOUBLE : CQL_DECIMAL;
}

static cql_type_id uuid_type(corm_str text) {
    enum { VERSION = 14 };
    return text.len > VERSION && text.data[VERSION] == '1' ? CQL_TIMEUUID : CQL_UUID;
}

/* CQL_CUSTOM: none. That of hexadecimal constants is odd, and is the server's. */
static cql_type_id preferred_type(cql_literal literal, corm_str text) {
    switch (literal) {
    case CQL_LIT_STRING: return is_ascii(text) ? CQL_ASCII : CQL_TEXT;
    case CQL_LIT_INTEGER: return integer_type(text);
    case CQL_LIT_FLOAT: return float_type(text);
    case CQL_LIT_BOOLEAN: return CQL_BOOLEAN;
    case CQL_LIT_UUID: return uuid_type(text);
    case CQL_LIT_HEX: return CQL_TINYINT;
    case CQL_LIT_DURATION: return CQL_DURATION;
    case CQL_LIT_NONE:
    case CQL_LIT_NULL: break;
    }
    return CQL_CUSTOM;
}

const cql_type *cql__literal_type(cql_literal literal, corm_str text) {
    return cql__type_native(preferred_type(literal, text));
}

typedef struct accepted {
    cql_literal literal;
    cql_type_id to;
} accepted;

static const accepted weak[] = {
    { CQL_LIT_STRING, CQL_ASCII },      { CQL_LIT_STRING, CQL_TEXT },
    { CQL_LIT_STRING, CQL_INET },       { CQL_LIT_STRING, CQL_DATE },
    { CQL_LIT_STRING, CQL_TIME },       { CQL_LIT_STRING, CQL_TIMESTAMP },
    { CQL_LIT_INTEGER, CQL_BIGINT },    { CQL_LIT_INTEGER, CQL_COUNTER },
    { CQL_LIT_INTEGER, CQL_DATE },      { CQL_LIT_INTEGER, CQL_DECIMAL },
    { CQL_LIT_INTEGER, CQL_DOUBLE },    { CQL_LIT_INTEGER, CQL_DURATION },
    { CQL_LIT_INTEGER, CQL_FLOAT },     { CQL_LIT_INTEGER, CQL_INT },
    { CQL_LIT_INTEGER, CQL_SMALLINT },  { CQL_LIT_INTEGER, CQL_TIME },
    { CQL_LIT_INTEGER, CQL_TIMESTAMP }, { CQL_LIT_INTEGER, CQL_TINYINT },
    { CQL_LIT_INTEGER, CQL_VARINT },    { CQL_LIT_UUID, CQL_UUID },
    { CQL_LIT_UUID, CQL_TIMEUUID },     { CQL_LIT_FLOAT, CQL_DECIMAL },
    { CQL_LIT_FLOAT, CQL_DOUBLE },      { CQL_LIT_FLOAT, CQL_FLOAT },
    { CQL_LIT_BOOLEAN, CQL_BOOLEAN },   { CQL_LIT_HEX, CQL_BLOB },
    { CQL_LIT_DURATION, CQL_DURATION },
};

static cql_fit null_fit(const cql_type *to) {
    return to->id == CQL_COUNTER ? CQL_FIT_NOT : CQL_FIT_WEAK;
}

cql_fit cql__literal_fit(cql_literal literal, corm_str text, const cql_type *to) {
    if (literal == CQL_LIT_NULL) return null_fit(to);
    if (literal == CQL_LIT_NONE || cql__type_is_collection(to)) return CQL_FIT_NOT;
    if (to->id == CQL_UDT || to->id == CQL_VECTOR) return CQL_FIT_NOT;
    if (to->id == CQL_TUPLE || to->id == CQL_CUSTOM) return CQL_FIT_WEAK;
    if (preferred_type(literal, text) == to->id) return CQL_FIT_EXACT;
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        if (weak[i].literal == literal && weak[i].to == to->id) return CQL_FIT_WEAK;
    }
    return CQL_FIT_NOT;
}

cql_fit cql__argument_fit(const cql_argument *argument, const cql_type *to) {
    if (argument->fit) return argument->fit(argument->context, to);
    if (argument->is_marker) return CQL_FIT_WEAK;
    if (argument->literal != CQL_LIT_NONE)
        return cql__literal_fit(argument->literal, argument->constant, to);
    return argument->type ? cql__type_fit(to, argument->type) : CQL_FIT_NOT;
}
