// SPDX-License-Identifier: MIT
/* fn_mask.c -- masking: null, a default, a replacement, a hash, or a text with its inside or outside hidden. Text is
 * counted as the server counts it, in UTF-16 units: what splits a pair of them shows as '?'. Pure; any thread. */
#include <openssl/evp.h>

#include "cql/fn.h"

/* ---- mask_null, mask_replace ---- */

static corm_status eval_null(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)context;
    (void)args;
    (void)err;
    *out = CQL_NULL;
    return CORM_OK;
}

static corm_status eval_replace(const cql_function *function, cql_eval_context *context,
                                const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)context;
    (void)err;
    *out = args[1];
    return CORM_OK;
}

/* ---- mask_default ---- */

static void put_default(const cql_type *type, base_buf *out);

static void put_zeros(base_buf *out, size_t count) {
    for (size_t i = 0; i < count; i++) base__buf_u8(out, 0);
}

static void put_default_timeuuid(base_buf *out) {
    static const uint8_t smallest_of_1970[] = { 0x13, 0x81, 0x40, 0x00, 0x1d, 0xd2, 0x11, 0xb2,
                                                0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 };
    base__buf_put(out, smallest_of_1970, sizeof smallest_of_1970);
}

static cql_value default_item(const cql_type *type, base_buf *buf) {
    put_default(type, buf);
    return cql__value_of(base__buf_bytes(buf));
}

static void put_default_items(const cql_type *type, base_buf *out) {
    cql_pack pack;
    uint32_t count = type->id == CQL_VECTOR ? type->dimension : type->count;
    cql__pack_begin(&pack, type, out);
    for (uint32_t i = 0; i < count; i++) {
        base_buf item = { 0 };
        cql__pack_item(&pack, default_item(type->params[type->id == CQL_VECTOR ? 0 : i], &item));
        if (item.failed) out->failed = true;
        base__buf_free(&item);
    }
    cql__pack_end(&pack);
}

static void put_default(const cql_type *type, base_buf *out) {
    switch (type->id) {
    case CQL_ASCII:
    case CQL_TEXT: base__buf_puts(out, "****"); break;
    case CQL_BLOB:
    case CQL_EMPTY:
    case CQL_CUSTOM: break;
    case CQL_BOOLEAN:
    case CQL_TINYINT:
    case CQL_VARINT: put_zeros(out, 1); break;
    case CQL_SMALLINT: put_zeros(out, 2); break;
    case CQL_DECIMAL: put_zeros(out, 5); break;
    case CQL_DURATION: put_zeros(out, 3); break;
    case CQL_DATE: base__buf_u32(out, UINT32_C(0x80000000)); break;
    case CQL_UUID: put_zeros(out, 16); break;
    case CQL_TIMEUUID: put_default_timeuuid(out); break;
    case CQL_INT:
    case CQL_FLOAT:
    case CQL_INET:
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP: put_zeros(out, 4); break;
    case CQL_TUPLE:
    case CQL_UDT:
    case CQL_VECTOR: put_default_items(type, out); break;
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_DOUBLE:
    case CQL_TIMESTAMP:
    case CQL_TIME: put_zeros(out, 8); break;
    }
}

static corm_status eval_default(const cql_function *function, cql_eval_context *context,
                                const cql_value *args, cql_value *out, corm_error *err) {
    (void)args;
    base_buf buf = { 0 };
    put_default(function->result, &buf);
    return cql__fn_give_buf(context, &buf, out, err);
}

/* ---- mask_hash ---- */

/* Java's names of the algorithms, in lower case, and OpenSSL's. */
static const char *const algorithms[][2] = {
    { "md5", "MD5" },
    { "sha", "SHA1" },
    { "sha1", "SHA1" },
    { "sha-1", "SHA1" },
    { "sha-224", "SHA224" },
    { "sha-256", "SHA256" },
    { "sha-384", "SHA384" },
    { "sha-512", "SHA512" },
    { "sha-512/224", "SHA512-224" },
    { "sha-512/256", "SHA512-256" },
    { "sha3-224", "SHA3-224" },
    { "sha3-256", "SHA3-256" },
    { "sha3-384", "SHA3-384" },
    { "sha3-512", "SHA3-512" },
};

static bool equal_nocase(corm_str text, const char *lower) {
    size_t len = strlen(lower);
    if (text.len != len) return false;
    for (size_t i = 0; i < len; i++) {
        char c = text.data[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (c != lower[i]) return false;
    }
    return true;
}

static const char *algorithm_of(corm_str name) {
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (equal_nocase(name, algorithms[i][0])) return algorithms[i][1];
    }
    return NULL;
}

static corm_status eval_hash(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    const char *algorithm = "SHA256";
    uint8_t     digest[EVP_MAX_MD_SIZE];
    size_t      len = 0;
    if (function->arg_count == 2 && !cql__is_null(args[1])) {
        corm_str name = { (const char *)args[1].data, (size_t)args[1].len };
        algorithm = algorithm_of(name);
        if (!algorithm) {
            return base__fail(err, CORM_INVALID, "Hash algorithm not found: %.*s", (int)name.len,
                              name.data);
        }
    }
    *out = CQL_NULL;
    if (cql__is_null(args[0])) return CORM_OK;
    if (!EVP_Q_digest(NULL, algorithm, NULL, args[0].data, (size_t)args[0].len, digest, &len)) {
        return base__fail(err, CORM_INVALID, "Hash algorithm not found: %s", algorithm);
    }
    return cql__fn_give_bytes(context, (corm_bytes){ digest, len }, out, err);
}

/* ---- mask_inner, mask_outer ---- */

typedef struct shape {
    bool     inner;
    int32_t  begin, last; /* units [begin, last] are the inside */
    corm_str padding;
} shape;

/* The bytes of the character at `at`, never beyond the end. */
static size_t char_len(corm_str text, size_t at) {
    uint8_t first = (uint8_t)text.data[at];
    size_t  len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return len < text.len - at ? len : text.len - at;
}

/* A character beyond the first plane is two units. */
static int32_t unit_count(corm_str text) {
    int32_t units = 0;
    for (size_t i = 0, len; i < text.len; i += len) {
        len = char_len(text, i);
        units += len == 4 ? 2 : 1;
    }
    return units;
}

static bool is_hidden(const shape *s, int32_t unit) {
    bool inside = unit >= s->begin && unit <= s->last;
    return inside == s->inner;
}

static void put_masked(const shape *s, corm_str text, base_buf *out) {
    int32_t unit = 0;
    for (size_t i = 0, len; i < text.len; i += len) {
        len = char_len(text, i);
        bool pair = len == 4, first = is_hidden(s, unit), second = pair && is_hidden(s, unit + 1);
        unit += pair ? 2 : 1;
        if (!first && !second) {
            base__buf_put(out, text.data + i, len);
            continue;
        }
        base__buf_put_str(out, first ? s->padding : corm_str_of("?"));
        if (pair) base__buf_put_str(out, second ? s->padding : corm_str_of("?"));
    }
}

static corm_status read_padding(const cql_function *function, cql_value value, corm_str *out,
                                corm_error *err) {
    corm_str text = { (const char *)value.data, (size_t)value.len };
    int32_t  units = unit_count(text);
    *out = text;
    if (units == 1) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "The padding argument for function system.%.*s should be single-character, but '%.*s' has %d "
        "characters.",
        (int)function->name.len, function->name.data, (int)text.len, text.data, (int)units);
}

/* Java writes what ascii does not have as a question mark. */
static void to_ascii(shape *s) {
    if ((uint8_t)s->padding.data[0] >= 0x80) s->padding = corm_str_of("?");
}

static int32_t int_or_zero(cql_value v) {
    return v.len == 4 ? (int32_t)base__load_u32(v.data) : 0;
}

static corm_status eval_partial(const cql_function *function, cql_eval_context *context,
                                const cql_value *args, cql_value *out, corm_error *err) {
    const bool *inner = function->data;
    shape       s = { .inner = *inner, .begin = int_or_zero(args[1]), .padding = corm_str_of("*") };
    base_buf    buf = { 0 };
    if (function->arg_count == 4 && !cql__is_null(args[3])) {
        CORM_TRY(read_padding(function, args[3], &s.padding, err));
        if (function->result->id == CQL_ASCII) to_ascii(&s);
    }
    *out = args[0];
    if (args[0].len <= 0) return CORM_OK;
    corm_str text = { (const char *)args[0].data, (size_t)args[0].len };
    /* Wraps around as the server's int does. */
    s.last = (int32_t)((uint32_t)unit_count(text) - 1 - (uint32_t)int_or_zero(args[2]));
    put_masked(&s, text, &buf);
    return cql__fn_give_buf(context, &buf, out, err);
}

/* ---- factories ---- */

typedef struct kind {
    cql_function_eval eval;
    bool              to_blob; /* else to the first argument's type */
    bool              inner;
} kind;

static corm_status make_mask(const cql_factory *factory, base_arena *arena,
                             const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)arena;
    (void)receiver;
    (void)err;
    const kind *k = factory->data;
    out->eval = k->eval;
    out->result = k->to_blob ? cql__type_native(CQL_BLOB) : out->args[0];
    out->data = &k->inner;
    return CORM_OK;
}

const cql_factory *cql__fn_mask_factories(size_t *count) {
    static const kind null = { eval_null, false, false }, replace = { eval_replace, false, false };
    static const kind preset = { eval_default, false, false }, hash = { eval_hash, true, false };
    static const kind inner = { eval_partial, false, true }, outer = { eval_partial, false, false };
    static const cql_factory factories[] = {
        { "mask_null", NULL, 1, 1, { CQL_FN_ANY }, make_mask, &null },
        { "mask_replace",
          NULL,
          2,
          2,
          { CQL_FN_ANY_OR_RECEIVER, CQL_FN_AS_FIRST },
          make_mask,
          &replace },
        { "mask_default", NULL, 1, 1, { CQL_FN_ANY }, make_mask, &preset },
        { "mask_hash", NULL, 1, 2, { CQL_FN_ANY, CQL_FN_TEXT }, make_mask, &hash },
        { "mask_inner",
          NULL,
          3,
          4,
          { CQL_FN_STRING, CQL_FN_INT, CQL_FN_INT, CQL_FN_TEXT },
          make_mask,
          &inner },
        { "mask_outer",
          NULL,
          3,
          4,
          { CQL_FN_STRING, CQL_FN_INT, CQL_FN_INT, CQL_FN_TEXT },
          make_mask,
          &outer },
    };
    *count = sizeof factories / sizeof *factories;
    return factories;
}
