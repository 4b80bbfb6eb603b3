// SPDX-License-Identifier: MIT
/* member.c -- members of structs as values and back. One table says what each kind of member is.
 *
 * Pure; any thread. */
#include "orm/core.h"

/* Members of more than one C type of text have no line in CORM_MEMBER_MAP. */
static const struct {
    const char *c_name, *cql;
    uint32_t    size;
} members[] = {
#define MEMBER_LINE(name, ctype, cql) [CORM_MEMBER_##name] = { #ctype, cql, sizeof(ctype) },
    CORM_MEMBER_MAP(MEMBER_LINE)
#undef MEMBER_LINE
        [CORM_MEMBER_TEXT] = { "char *", "text", sizeof(char *) },
    [CORM_MEMBER_TEXT_INLINE] = { "char[]", "text", 0 },
};

enum { MEMBER_COUNT = sizeof members / sizeof *members };

static bool is_member(corm_member member) {
    return member > CORM_MEMBER_NONE && (unsigned)member < MEMBER_COUNT;
}

const char *orm__member_c_name(corm_member member) {
    return is_member(member) ? members[member].c_name : NULL;
}

const char *orm__member_cql(corm_member member) {
    return is_member(member) ? members[member].cql : NULL;
}

uint32_t orm__member_size(corm_member member) {
    return is_member(member) ? members[member].size : 0;
}

/* ---- which types a member may have ---- */

static bool is_whole(const cql_type *type) {
    switch (type->id) {
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_VARINT: return true;
    default: return false;
    }
}

bool orm__member_takes(corm_member member, const cql_type *type) {
    cql_type_id id = type->id;
    switch (member) {
    case CORM_MEMBER_BOOL:
    case CORM_MEMBER_OPT_BOOL: return id == CQL_BOOLEAN;
    case CORM_MEMBER_I8:
    case CORM_MEMBER_I16:
    case CORM_MEMBER_I32:
    case CORM_MEMBER_I64:
    case CORM_MEMBER_OPT_INT:
    case CORM_MEMBER_OPT_BIGINT: return is_whole(type);
    case CORM_MEMBER_F32:
    case CORM_MEMBER_OPT_FLOAT: return id == CQL_FLOAT;
    case CORM_MEMBER_F64:
    case CORM_MEMBER_OPT_DOUBLE: return id == CQL_DOUBLE || id == CQL_FLOAT;
    case CORM_MEMBER_STR:
    case CORM_MEMBER_TEXT:
    case CORM_MEMBER_TEXT_INLINE: return id == CQL_TEXT || id == CQL_ASCII;
    case CORM_MEMBER_BYTES: return id == CQL_BLOB || id == CQL_CUSTOM;
    case CORM_MEMBER_UUID: return id == CQL_UUID || id == CQL_TIMEUUID;
    case CORM_MEMBER_TIMESTAMP:
    case CORM_MEMBER_OPT_TIMESTAMP: return id == CQL_TIMESTAMP;
    case CORM_MEMBER_DATE: return id == CQL_DATE;
    case CORM_MEMBER_TIME: return id == CQL_TIME;
    case CORM_MEMBER_DURATION: return id == CQL_DURATION;
    case CORM_MEMBER_INET: return id == CQL_INET;
    case CORM_MEMBER_VARINT: return id == CQL_VARINT;
    case CORM_MEMBER_DECIMAL: return id == CQL_DECIMAL;
    case CORM_MEMBER_LIST: return id == CQL_LIST;
    case CORM_MEMBER_SET: return id == CQL_SET;
    case CORM_MEMBER_MAP: return id == CQL_MAP;
    case CORM_MEMBER_TUPLE: return id == CQL_TUPLE;
    case CORM_MEMBER_UDT: return id == CQL_UDT;
    case CORM_MEMBER_FLOATS: return id == CQL_VECTOR && type->params[0]->id == CQL_FLOAT;
    case CORM_MEMBER_VALUE: return true;
    default: return false;
    }
}

/* ---- from a member ---- */

#define LOAD(type, from) (*(const type *)(const void *)(from))

/* An optional member: absent, null, or the value behind. */
#define OPTIONAL(ctype, maker)                                                                     \
    do {                                                                                           \
        const ctype *opt = member;                                                                 \
        if (opt->presence == CORM_IS_NULL) return corm_null();                                     \
        return opt->presence == CORM_PRESENT ? maker(opt->value) : unset;                          \
    } while (0)

static corm_value get_optional(corm_member kind, const void *member) {
    static const corm_value unset;
    switch (kind) {
    case CORM_MEMBER_OPT_BOOL: OPTIONAL(corm_opt_bool, corm_of_bool);
    case CORM_MEMBER_OPT_INT: OPTIONAL(corm_opt_int, corm_of_i32);
    case CORM_MEMBER_OPT_BIGINT: OPTIONAL(corm_opt_bigint, corm_of_i64);
    case CORM_MEMBER_OPT_FLOAT: OPTIONAL(corm_opt_float, corm_of_f32);
    case CORM_MEMBER_OPT_DOUBLE: OPTIONAL(corm_opt_double, corm_of_f64);
    default: OPTIONAL(corm_opt_timestamp, corm_of_timestamp);
    }
}

static corm_value get_number(corm_member kind, const void *member) {
    switch (kind) {
    case CORM_MEMBER_BOOL: return corm_of_bool(LOAD(bool, member));
    case CORM_MEMBER_I8: return corm_of_i8(LOAD(int8_t, member));
    case CORM_MEMBER_I16: return corm_of_i16(LOAD(int16_t, member));
    case CORM_MEMBER_I32: return corm_of_i32(LOAD(int32_t, member));
    case CORM_MEMBER_I64: return corm_of_i64(LOAD(int64_t, member));
    case CORM_MEMBER_F32: return corm_of_f32(LOAD(float, member));
    case CORM_MEMBER_F64: return corm_of_f64(LOAD(double, member));
    case CORM_MEMBER_TIMESTAMP: return corm_of_timestamp(LOAD(corm_timestamp, member));
    case CORM_MEMBER_DATE: return corm_of_date(LOAD(corm_date, member));
    case CORM_MEMBER_TIME: return corm_of_time(LOAD(corm_time, member));
    case CORM_MEMBER_DURATION: return corm_of_duration(LOAD(corm_duration, member));
    default: return get_optional(kind, member);
    }
}

static bool is_number(corm_member kind) {
    switch (kind) {
    case CORM_MEMBER_BOOL:
    case CORM_MEMBER_I8:
    case CORM_MEMBER_I16:
    case CORM_MEMBER_I32:
    case CORM_MEMBER_I64:
    case CORM_MEMBER_F32:
    case CORM_MEMBER_F64:
    case CORM_MEMBER_TIMESTAMP:
    case CORM_MEMBER_DATE:
    case CORM_MEMBER_TIME:
    case CORM_MEMBER_DURATION: return true;
    default: return false;
    }
}

/* Members that point, or say by a length whether they hold something. The kind is CORM_UNSET
 * when they do not. */
static corm_value get_held(const orm_field *field, const void *member) {
    corm_value out = { 0 };
    switch (field->member) {
    case CORM_MEMBER_TEXT:
        if (LOAD(char *, member)) out = corm_of_text(LOAD(char *, member));
        break;
    case CORM_MEMBER_STR:
        if (LOAD(corm_str, member).data) out = corm_of_str(LOAD(corm_str, member));
        break;
    case CORM_MEMBER_BYTES:
        if (LOAD(corm_bytes, member).data) out = corm_of_blob(LOAD(corm_bytes, member));
        break;
    case CORM_MEMBER_INET:
        if (LOAD(corm_inet, member).length) out = corm_of_inet(LOAD(corm_inet, member));
        break;
    case CORM_MEMBER_VARINT:
        if (LOAD(corm_varint, member).length) out = corm_of_varint(LOAD(corm_varint, member));
        break;
    case CORM_MEMBER_DECIMAL:
        if (LOAD(corm_decimal, member).unscaled.length) {
            out = corm_of_decimal(LOAD(corm_decimal, member));
        }
        break;
    case CORM_MEMBER_VALUE: return LOAD(corm_value, member);
    default: return get_optional(field->member, member);
    }
    return out;
}

/* The five collections have the same layout: items and a count. */
static corm_value get_items(corm_member kind, const void *member) {
    static const corm_value unset;
    corm_list               list;
    memcpy(&list, member, sizeof list);
    if (!list.items && list.count == 0) return unset;
    switch (kind) {
    case CORM_MEMBER_LIST: return corm_of_list(list);
    case CORM_MEMBER_SET: return corm_of_items(CORM_SET, list.items, list.count);
    case CORM_MEMBER_MAP: return corm_of_items(CORM_MAP, list.items, 2 * list.count);
    case CORM_MEMBER_TUPLE: return corm_of_items(CORM_TUPLE, list.items, list.count);
    default: return corm_of_items(CORM_UDT, list.items, list.count);
    }
}

static corm_status get_floats(const corm_floats *floats, base_arena *arena, corm_value *out,
                              corm_error *err) {
    *out = (corm_value){ 0 };
    if (!floats->items) return CORM_OK;
    corm_value *items = BASE_NEW_ARRAY(arena, corm_value, floats->count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < floats->count; i++) items[i] = corm_of_f32(floats->items[i]);
    *out = corm_of_items(CORM_VECTOR, items, floats->count);
    return CORM_OK;
}

static bool is_zero(const void *member, size_t size) {
    const uint8_t *bytes = member;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

static corm_status get_inline(const orm_field *field, const char *text, corm_value *out,
                              corm_error *err) {
    const char *end = memchr(text, 0, field->size);
    if (!end) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' has no zero byte at its end",
                          field->name.data);
    }
    *out = corm_of_str((corm_str){ text, (size_t)(end - text) });
    return CORM_OK;
}

corm_status orm__member_get(const orm_field *field, const void *row, bool zero, base_arena *arena,
                            corm_value *out, corm_error *err) {
    const uint8_t *member = (const uint8_t *)row + field->offset;
    *out = (corm_value){ 0 };
    if (field->member == CORM_MEMBER_UUID) {
        if (zero || !is_zero(member, sizeof(corm_uuid)))
            *out = corm_of_uuid(LOAD(corm_uuid, member));
        return CORM_OK;
    }
    if (field->member == CORM_MEMBER_TEXT_INLINE) {
        if (!zero && field->spec->skip_zero && member[0] == 0) return CORM_OK;
        return get_inline(field, (const char *)member, out, err);
    }
    if (is_number(field->member)) {
        bool skips = field->spec->skip_zero || field->spec->role == CORM_DELETED_AT;
        if (!zero && skips && is_zero(member, field->size)) return CORM_OK;
        *out = get_number(field->member, member);
        return CORM_OK;
    }
    if (field->member == CORM_MEMBER_FLOATS) {
        return get_floats((const void *)member, arena, out, err);
    }
    bool items = field->member >= CORM_MEMBER_LIST && field->member <= CORM_MEMBER_UDT;
    *out = items ? get_items(field->member, member) : get_held(field, member);
    return CORM_OK;
}

/* ---- into a member ---- */

void orm__member_set_null(corm_member kind, void *member) {
    switch (kind) {
    case CORM_MEMBER_OPT_BOOL:
    case CORM_MEMBER_OPT_INT:
    case CORM_MEMBER_OPT_BIGINT:
    case CORM_MEMBER_OPT_FLOAT:
    case CORM_MEMBER_OPT_DOUBLE:
    case CORM_MEMBER_OPT_TIMESTAMP: {
        corm_presence presence = CORM_IS_NULL; /* the first member of them all */
        memcpy(member, &presence, sizeof presence);
        break;
    }
    case CORM_MEMBER_VALUE: {
        corm_value null = corm_null();
        memcpy(member, &null, sizeof null);
        break;
    }
    default: break;
    }
}

static corm_status misfit(const orm_field *field, corm_error *err) {
    return base__fail(err, CORM_CONVERSION, "column '%s': the value does not fit in a %s",
                      field->name.data, orm__member_c_name(field->member));
}

static bool whole_of(const corm_value *value, int64_t *out) {
    switch (value->kind) {
    case CORM_TINYINT: *out = value->as.i8; return true;
    case CORM_SMALLINT: *out = value->as.i16; return true;
    case CORM_INT: *out = value->as.i32; return true;
    case CORM_BIGINT: *out = value->as.i64; return true;
    case CORM_VARINT: return corm_varint_to_i64(&value->as.varint, out, NULL) == CORM_OK;
    default: return false;
    }
}

/* False when the number is too large for the member. */
static bool set_whole(corm_member kind, int64_t number, void *member) {
    switch (kind) {
    case CORM_MEMBER_I8: *(int8_t *)member = (int8_t)number; return number == (int8_t)number;
    case CORM_MEMBER_I16: *(int16_t *)member = (int16_t)number; return number == (int16_t)number;
    case CORM_MEMBER_I32: *(int32_t *)member = (int32_t)number; return number == (int32_t)number;
    case CORM_MEMBER_OPT_INT:
        *(corm_opt_int *)member = (corm_opt_int){ CORM_PRESENT, (int32_t)number };
        return number == (int32_t)number;
    case CORM_MEMBER_OPT_BIGINT:
        *(corm_opt_bigint *)member = (corm_opt_bigint){ CORM_PRESENT, number };
        return true;
    default: *(int64_t *)member = number; return true;
    }
}

static corm_status set_floating(const orm_field *field, const corm_value *value, void *member,
                                corm_error *err) {
    bool   single = value->kind == CORM_FLOAT;
    double f64 = single ? (double)value->as.f32 : value->as.f64;
    if (!single && value->kind != CORM_DOUBLE) return misfit(field, err);
    switch (field->member) {
    case CORM_MEMBER_F64: *(double *)member = f64; return CORM_OK;
    case CORM_MEMBER_OPT_DOUBLE:
        *(corm_opt_double *)member = (corm_opt_double){ CORM_PRESENT, f64 };
        return CORM_OK;
    case CORM_MEMBER_OPT_FLOAT:
        *(corm_opt_float *)member = (corm_opt_float){ CORM_PRESENT, (float)f64 };
        return single ? CORM_OK : misfit(field, err);
    default: *(float *)member = (float)f64; return single ? CORM_OK : misfit(field, err);
    }
}

static corm_status set_text(const orm_field *field, corm_str text, void *member, base_arena *arena,
                            corm_error *err) {
    if (text.len > 0 && memchr(text.data, 0, text.len)) {
        return base__fail(err, CORM_CONVERSION,
                          "column '%s': the text has a zero byte, which a C string ends at",
                          field->name.data);
    }
    if (field->member == CORM_MEMBER_TEXT) {
        const char *copy = base__arena_str(arena, text).data;
        memcpy(member, &copy, sizeof copy);
        return copy ? CORM_OK : base__fail_memory(err);
    }
    if (text.len >= field->size) {
        return base__fail(err, CORM_CONVERSION,
                          "column '%s': a text of %zu bytes does not fit in a char[%u]",
                          field->name.data, text.len, field->size);
    }
    if (text.len > 0) memcpy(member, text.data, text.len);
    ((char *)member)[text.len] = '\0';
    return CORM_OK;
}

static corm_status set_floats(const corm_value *value, corm_floats *member, base_arena *arena,
                              corm_error *err) {
    uint32_t count = value->as.items.count;
    float   *items = BASE_NEW_ARRAY(arena, float, count > 0 ? count : 1);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) items[i] = value->as.items.items[i].as.f32;
    *member = (corm_floats){ items, count };
    return CORM_OK;
}

static void set_items(corm_member kind, const corm_value *value, void *member) {
    corm_list list = { value->as.items.items, value->as.items.count };
    if (kind == CORM_MEMBER_MAP) list.count /= 2;
    memcpy(member, &list, sizeof list);
}

#define STORE(ctype, from)                                                                         \
    do {                                                                                           \
        ctype stored = (from);                                                                     \
        memcpy(member, &stored, sizeof stored);                                                    \
        return CORM_OK;                                                                            \
    } while (0)

static corm_status set_plain(const orm_field *field, const corm_value *value, void *member,
                             corm_error *err) {
    switch (field->member) {
    case CORM_MEMBER_BOOL: STORE(bool, value->as.boolean);
    case CORM_MEMBER_OPT_BOOL:
        STORE(corm_opt_bool, ((corm_opt_bool){ CORM_PRESENT, value->as.boolean }));
    case CORM_MEMBER_STR: STORE(corm_str, value->as.text);
    case CORM_MEMBER_BYTES: STORE(corm_bytes, value->as.blob);
    case CORM_MEMBER_UUID: STORE(corm_uuid, value->as.uuid);
    case CORM_MEMBER_TIMESTAMP: STORE(corm_timestamp, value->as.timestamp);
    case CORM_MEMBER_OPT_TIMESTAMP:
        STORE(corm_opt_timestamp, ((corm_opt_timestamp){ CORM_PRESENT, value->as.timestamp }));
    case CORM_MEMBER_DATE: STORE(corm_date, value->as.date);
    case CORM_MEMBER_TIME: STORE(corm_time, value->as.time);
    case CORM_MEMBER_DURATION: STORE(corm_duration, value->as.duration);
    case CORM_MEMBER_INET: STORE(corm_inet, value->as.inet);
    case CORM_MEMBER_VARINT: STORE(corm_varint, value->as.varint);
    case CORM_MEMBER_DECIMAL: STORE(corm_decimal, value->as.decimal);
    default: return misfit(field, err);
    }
}

corm_status orm__member_set(const orm_field *field, const corm_value *value, void *member,
                            base_arena *arena, corm_error *err) {
    int64_t number;
    switch (field->member) {
    case CORM_MEMBER_VALUE: STORE(corm_value, *value);
    case CORM_MEMBER_I8:
    case CORM_MEMBER_I16:
    case CORM_MEMBER_I32:
    case CORM_MEMBER_I64:
    case CORM_MEMBER_OPT_INT:
    case CORM_MEMBER_OPT_BIGINT:
        if (!whole_of(value, &number) || !set_whole(field->member, number, member)) {
            return misfit(field, err);
        }
        return CORM_OK;
    case CORM_MEMBER_F32:
    case CORM_MEMBER_F64:
    case CORM_MEMBER_OPT_FLOAT:
    case CORM_MEMBER_OPT_DOUBLE: return set_floating(field, value, member, err);
    case CORM_MEMBER_TEXT:
    case CORM_MEMBER_TEXT_INLINE: return set_text(field, value->as.text, member, arena, err);
    case CORM_MEMBER_FLOATS: return set_floats(value, member, arena, err);
    case CORM_MEMBER_LIST:
    case CORM_MEMBER_SET:
    case CORM_MEMBER_MAP:
    case CORM_MEMBER_TUPLE:
    case CORM_MEMBER_UDT: set_items(field->member, value, member); return CORM_OK;
    default: return set_plain(field, value, member, err);
    }
}
