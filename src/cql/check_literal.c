// SPDX-License-Identifier: MIT
/* check_literal.c -- constants to values of the type that is wanted. */
#include "base/text.h"
#include "cql/check_internal.h"

typedef struct literal_kind {
    cql_literal literal;
    const char *name;
} literal_kind;

static const literal_kind literal_kinds[] = {
    [CQL_EXPR_NULL] = { CQL_LIT_NULL, "NULL" },
    [CQL_EXPR_STRING] = { CQL_LIT_STRING, "STRING" },
    [CQL_EXPR_INTEGER] = { CQL_LIT_INTEGER, "INTEGER" },
    [CQL_EXPR_FLOAT] = { CQL_LIT_FLOAT, "FLOAT" },
    [CQL_EXPR_BOOLEAN] = { CQL_LIT_BOOLEAN, "BOOLEAN" },
    [CQL_EXPR_UUID] = { CQL_LIT_UUID, "UUID" },
    [CQL_EXPR_HEX] = { CQL_LIT_HEX, "HEX" },
    [CQL_EXPR_DURATION] = { CQL_LIT_DURATION, "DURATION" },
};

cql_literal cql__literal_of(const cql_expr *expr) {
    return expr->kind <= CQL_EXPR_DURATION ? literal_kinds[expr->kind].literal : CQL_LIT_NONE;
}

static corm_status from_hex(cql_checker *c, corm_str text, const cql_type *type, base_buf *out) {
    corm_str digits = { text.data + 2, text.len - 2 };
    if (!base__read_hex(digits, out)) {
        return base__fail(c->err, CORM_INVALID, "cannot parse '%.*s' as hex bytes",
                          CQL_STR(digits));
    }
    /* The server takes it for a tinyint too, of any length. */
    return type->id == CQL_BLOB || out->len == 0
               ? CORM_OK
               : cql__validate(type, cql__value_of(base__buf_bytes(out)), c->err);
}

/* ---- tuples: "a:b", with \: for a colon and @ for null; nothing for none of the parts ---- */

/* Cuts the next part off; false at the end. */
static bool next_part(corm_str *rest, bool *more, corm_str *part) {
    size_t end = 0;
    if (!*more) return false;
    while (end < rest->len &&
           !(rest->data[end] == ':' && (end == 0 || rest->data[end - 1] != '\\')))
        end++;
    *part = (corm_str){ rest->data, end };
    *more = end < rest->len;
    if (*more) *rest = (corm_str){ rest->data + end + 1, rest->len - end - 1 };
    return true;
}

static corm_status from_text(cql_checker *c, const cql_type *type, corm_str text, base_buf *out);

static corm_status put_part(cql_checker *c, const cql_type *type, corm_str part, base_buf *out) {
    base_buf plain = { 0 }, value = { 0 };
    if (part.len == 1 && *part.data == '@') {
        cql__put_value(out, CQL_NULL);
        return CORM_OK;
    }
    for (size_t i = 0; i < part.len; i++) {
        bool escape = part.data[i] == '\\' && i + 1 < part.len && strchr(":@", part.data[i + 1]);
        if (!escape) base__buf_u8(&plain, (uint8_t)part.data[i]);
    }
    corm_status status = base__buf_status(&plain, c->err);
    if (status == CORM_OK) status = from_text(c, type, base__buf_str(&plain), &value);
    if (status == CORM_OK) status = base__buf_status(&value, c->err);
    if (status == CORM_OK) cql__put_value(out, cql__value_of(base__buf_bytes(&value)));
    base__buf_free(&plain);
    base__buf_free(&value);
    return status;
}

static corm_status from_tuple_text(cql_checker *c, const cql_type *type, corm_str text,
                                   base_buf *out) {
    corm_str part, rest = text;
    bool     more = text.len > 0;
    uint32_t count = 0;
    while (next_part(&rest, &more, &part)) count++;
    if (count > type->count) {
        return base__fail(c->err, CORM_INVALID,
                          "Invalid tuple literal: too many elements. Type %s expects %u but got %u",
                          cql__shown(cql__type_text(c, type)), type->count, count);
    }
    rest = text;
    more = text.len > 0;
    for (uint32_t i = 0; next_part(&rest, &more, &part); i++)
        CORM_TRY(put_part(c, type->params[i], part, out));
    return CORM_OK;
}

/* The bytes of a collection or a vector. The server takes any; here they must be a value of the type. */
static corm_status from_hex_text(cql_checker *c, const cql_type *type, corm_str text,
                                 base_buf *out) {
    CORM_TRY(cql__from_string(cql__type_native(CQL_BLOB), text, out, c->err));
    return cql__validate(type, cql__value_of(base__buf_bytes(out)), c->err);
}

static corm_status from_text(cql_checker *c, const cql_type *type, corm_str text, base_buf *out) {
    switch (type->id) {
    case CQL_TUPLE:
    case CQL_UDT: return from_tuple_text(c, type, text, out);
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_VECTOR: return from_hex_text(c, type, text, out);
    case CQL_COUNTER: type = cql__type_native(CQL_BIGINT); break;
    default: break;
    }
    return cql__from_string(type, text, out, c->err);
}

/* ---- any type ---- */

/* The kinds of constants that most statements have, without a detour. */
static bool quick_constant(cql_checker *c, const cql_expr *expr, const cql_type *type,
                           cql_value *out) {
    int64_t number = 0;
    if (type->id == CQL_TEXT && expr->kind == CQL_EXPR_STRING && expr->text.len <= INT32_MAX) {
        *out = (cql_value){ (const uint8_t *)expr->text.data, (int32_t)expr->text.len };
        return true;
    }
    if (expr->kind != CQL_EXPR_INTEGER || !base__parse_i64(expr->text, &number)) return false;
    bool is_int = type->id == CQL_INT && number >= INT32_MIN && number <= INT32_MAX;
    if (!is_int && type->id != CQL_BIGINT) return false;
    uint8_t *bytes = base__arena_alloc(c->arena, 8);
    if (!bytes) return false;
    if (is_int) {
        base__store_u32(bytes, (uint32_t)(int32_t)number);
    } else {
        base__store_u64(bytes, (uint64_t)number);
    }
    *out = (cql_value){ bytes, is_int ? 4 : 8 };
    return true;
}

static corm_status put_constant(cql_checker *c, const cql_expr *expr, const cql_type *type,
                                base_buf *out) {
    if (expr->kind == CQL_EXPR_HEX) return from_hex(c, expr->text, type, out);
    return from_text(c, type, expr->text, out);
}

static corm_status parse_constant(cql_checker *c, const cql_expr *expr, const cql_type *type,
                                  cql_value *out) {
    if (quick_constant(c, expr, type, out)) return CORM_OK;
    base_buf    buf = { 0 };
    corm_status status = put_constant(c, expr, type, &buf);
    if (status == CORM_OK) status = base__buf_status(&buf, c->err);
    if (status == CORM_OK) {
        *out = (cql_value){ base__arena_copy(c->arena, buf.data, buf.len), (int32_t)buf.len };
        if (!out->data) status = base__fail_memory(c->err);
    }
    base__buf_free(&buf);
    return status;
}

/* The server makes a double of every such constant while it parses. */
static bool is_beyond_double(const cql_expr *expr) {
    double v = 0;
    if (expr->kind != CQL_EXPR_FLOAT || expr->text.len == 0) return false;
    char last = expr->text.data[expr->text.len - 1];
    if (last == 'N' || last == 'n' || last == 'y' || last == 'Y') return false; /* NaN, Infinity */
    return base__parse_f64(expr->text, &v) && (v - v != 0);
}

corm_status cql__literal(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                         const cql_node **out) {
    const cql_type *type = receiver->type;
    cql_value       value = CQL_NULL;
    if (is_beyond_double(expr)) {
        return base__fail_at(c->err, CORM_SYNTAX_ERROR, expr->place.line, expr->place.column,
                             "Failed parsing statement: the number %.*s is beyond every double",
                             CQL_STR(expr->text));
    }
    if (cql__literal_fit(cql__literal_of(expr), expr->text, type) == CQL_FIT_NOT) {
        return base__fail(c->err, CORM_INVALID,
                          "Invalid %s constant (%.*s) for \"%.*s\" of type %s",
                          literal_kinds[expr->kind].name, CQL_STR(expr->text),
                          CQL_STR(receiver->name), cql__shown(cql__type_text(c, type)));
    }
    CORM_TRY(parse_constant(c, expr, type, &value));
    return cql__constant(c, type, value, out);
}
