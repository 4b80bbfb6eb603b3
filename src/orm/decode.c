// SPDX-License-Identifier: MIT
/* decode.c -- rows in wire form into structs, by a plan that says once how each column becomes
 * its member.
 *
 *   body:  … [len 4][value] [len 4][value] …      big-endian lengths, -1 is null
 *
 * A text needs a zero byte behind it. The byte behind a value is the first of the next length,
 * which is zero for values shorter than 2^24 bytes: such a text is used where it lies. One that
 * is followed by a null or by nothing is copied. */
#include <stdlib.h>

#include "orm/core.h"

/* ---- plans ---- */

static bool is_64(cql_type_id id) {
    return id == CQL_BIGINT || id == CQL_COUNTER || id == CQL_TIMESTAMP || id == CQL_TIME ||
           id == CQL_DOUBLE;
}

static orm_decode decode_of(corm_member member, cql_type_id id) {
    switch (member) {
    case CORM_MEMBER_BOOL: return ORM_DECODE_BOOL;
    case CORM_MEMBER_I8: return id == CQL_TINYINT ? ORM_DECODE_8 : ORM_DECODE_ANY;
    case CORM_MEMBER_I16: return id == CQL_SMALLINT ? ORM_DECODE_16 : ORM_DECODE_ANY;
    case CORM_MEMBER_I32: return id == CQL_INT ? ORM_DECODE_32 : ORM_DECODE_ANY;
    case CORM_MEMBER_F32: return ORM_DECODE_32;
    case CORM_MEMBER_I64:
    case CORM_MEMBER_F64:
    case CORM_MEMBER_TIMESTAMP:
    case CORM_MEMBER_TIME: return is_64(id) ? ORM_DECODE_64 : ORM_DECODE_ANY;
    case CORM_MEMBER_DATE: return ORM_DECODE_DATE;
    case CORM_MEMBER_UUID: return ORM_DECODE_UUID;
    case CORM_MEMBER_TEXT: return ORM_DECODE_TEXT;
    case CORM_MEMBER_TEXT_INLINE: return ORM_DECODE_INLINE;
    case CORM_MEMBER_STR:
    case CORM_MEMBER_BYTES: return ORM_DECODE_SLICE;
    default: return ORM_DECODE_ANY;
    }
}

static bool tells_null(corm_member member) {
    return member == CORM_MEMBER_VALUE ||
           (member >= CORM_MEMBER_OPT_BOOL && member <= CORM_MEMBER_OPT_TIMESTAMP);
}

static corm_status misfit(const orm_field *field, const cql_type *type, corm_error *err) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    const char *name = base__buf_cstr(&text);
    corm_status status =
        base__fail(err, CORM_CONVERSION, "column '%s' is of type %s, which a %s cannot hold",
                   field->name.data, name ? name : "", orm__member_c_name(field->member));
    base__buf_free(&text);
    return status;
}

static corm_status plan_step(const orm_model *model, const cql_result_column *column,
                             orm_step *step, corm_error *err) {
    const orm_field *field = orm__field(model, column->name);
    step->type = column->type;
    if (!field) return CORM_OK;
    bool sealed = field->box != NULL;
    bool fits =
        sealed ? column->type->id == CQL_BLOB : orm__member_takes(field->member, column->type);
    if (!fits) return misfit(field, column->type, err);
    if (sealed) step->type = field->type;
    step->field = field;
    step->offset = field->offset;
    step->size = field->size;
    step->decode = sealed ? ORM_DECODE_SEALED : decode_of(field->member, column->type->id);
    step->tells_null = tells_null(field->member);
    return CORM_OK;
}

corm_status orm__plan_new(const orm_model *model, const cql_result_column *columns, uint32_t count,
                          orm_plan **out, corm_error *err) {
    orm_plan *plan = calloc(1, sizeof *plan + count * sizeof plan->steps[0]);
    if (!plan) return base__fail_memory(err);
    plan->columns = columns;
    plan->count = count;
    for (uint32_t i = 0; i < count; i++) {
        corm_status status = plan_step(model, &columns[i], &plan->steps[i], err);
        if (status == CORM_OK) continue;
        free(plan);
        return status;
    }
    *out = plan;
    return CORM_OK;
}

/* ---- values ---- */

/* Through a corm_value: types that are wider or narrower than the member, collections, empty
 * numbers, errors. */
static corm_status decode_any(const orm_step *step, cql_value value, void *member,
                              const orm_reading *reading) {
    corm_value  decoded;
    corm_error  why = { 0 };
    corm_status status = cql__decode(step->type, value, reading->arena, &decoded, &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(reading->err);
    if (status != CORM_OK) {
        return base__fail(reading->err, status, "column '%s': %s", step->field->name.data,
                          why.message);
    }
    if (decoded.kind == CORM_NULL) {
        orm__member_set_null(step->field->member, member);
        return CORM_OK;
    }
    return orm__member_set(step->field, &decoded, member, reading->arena, reading->err);
}

static corm_status decode_sealed(const orm_step *step, cql_value value, void *member,
                                 const orm_reading *reading) {
    cql_value opened;
    CORM_TRY(orm__sealed_open(step->field, value, reading->arena, &opened, reading->err));
    return decode_any(step, opened, member, reading);
}

/* The text where it lies, when a zero byte is behind it and none within. */
static bool text_in_place(cql_value value, const uint8_t *end, const char **out) {
    const uint8_t *behind = value.data + value.len;
    if (behind >= end || *behind != 0) return false;
    *out = (const char *)value.data;
    return memchr(value.data, 0, (size_t)value.len + 1) == behind;
}

static corm_status decode_text(const orm_step *step, cql_value value, void *member,
                               const orm_reading *reading) {
    const char *text;
    if (!text_in_place(value, reading->end, &text)) return decode_any(step, value, member, reading);
    memcpy(member, &text, sizeof text);
    return CORM_OK;
}

/* Into a char[n]: false when it does not fit with its zero byte, or holds one. */
static bool copy_inline(const orm_step *step, cql_value value, char *member) {
    size_t len = (size_t)value.len;
    if (len >= step->size || memchr(value.data, 0, len)) return false;
    memcpy(member, value.data, len);
    member[len] = '\0';
    return true;
}

static void store_u16(void *member, const uint8_t *data) {
    uint16_t v = base__load_u16(data);
    memcpy(member, &v, sizeof v);
}

static void store_u32(void *member, const uint8_t *data, uint32_t flip) {
    uint32_t v = base__load_u32(data) ^ flip;
    memcpy(member, &v, sizeof v);
}

static void store_u64(void *member, const uint8_t *data) {
    uint64_t v = base__load_u64(data);
    memcpy(member, &v, sizeof v);
}

static inline corm_status decode_one(const orm_step *step, cql_value value, void *member,
                                     const orm_reading *reading) {
    switch (step->decode) {
    case ORM_DECODE_NOTHING: return CORM_OK;
    case ORM_DECODE_BOOL:
        if (value.len != 1) break;
        *(bool *)member = value.data[0] != 0;
        return CORM_OK;
    case ORM_DECODE_8:
        if (value.len != 1) break;
        *(uint8_t *)member = value.data[0];
        return CORM_OK;
    case ORM_DECODE_16:
        if (value.len != 2) break;
        store_u16(member, value.data);
        return CORM_OK;
    case ORM_DECODE_32:
        if (value.len != 4) break;
        store_u32(member, value.data, 0);
        return CORM_OK;
    case ORM_DECODE_DATE:
        if (value.len != 4) break;
        store_u32(member, value.data, UINT32_C(0x80000000));
        return CORM_OK;
    case ORM_DECODE_64:
        if (value.len != 8) break;
        store_u64(member, value.data);
        return CORM_OK;
    case ORM_DECODE_UUID:
        if (value.len != 16) break;
        memcpy(member, value.data, 16);
        return CORM_OK;
    case ORM_DECODE_TEXT: return decode_text(step, value, member, reading);
    case ORM_DECODE_SLICE: {
        corm_bytes slice = { value.data, (size_t)value.len };
        memcpy(member, &slice, sizeof slice);
        return CORM_OK;
    }
    case ORM_DECODE_INLINE:
        if (!copy_inline(step, value, member)) break;
        return CORM_OK;
    case ORM_DECODE_SEALED: return decode_sealed(step, value, member, reading);
    case ORM_DECODE_ANY: break;
    }
    return decode_any(step, value, member, reading);
}

corm_status orm__decode(const orm_step *step, cql_value value, void *member,
                        const orm_reading *reading) {
    return decode_one(step, value, member, reading);
}

/* ---- rows ---- */

static corm_status cut_off(const orm_reading *reading) {
    return base__fail(reading->err, CORM_PROTOCOL_ERROR, "a row of the result is cut off");
}

/* Reads a value; false when it is cut off. Unset does not occur in results and reads as null. */
static inline bool next_value(base_reader *in, cql_value *out) {
    if (in->len < 4) return false;
    int32_t len = (int32_t)base__load_u32(in->data);
    out->data = in->data + 4;
    out->len = len;
    size_t taken = 4 + (size_t)(len > 0 ? len : 0);
    if (taken > in->len) return false;
    in->data += taken;
    in->len -= taken;
    return true;
}

corm_status orm__decode_rows(const orm_plan *plan, base_reader *in, uint32_t count,
                             uint8_t *structs, size_t row_size,
                             bool (*null)(void *context, uint32_t row, uint32_t column),
                             void *context, const orm_reading *reading) {
    base_reader at = *in;
    for (uint32_t row = 0; row < count; row++, structs += row_size) {
        for (uint32_t i = 0; i < plan->count; i++) {
            const orm_step *step = &plan->steps[i];
            cql_value       value;
            if (!next_value(&at, &value)) return cut_off(reading);
            if (value.len >= 0) {
                CORM_TRY(decode_one(step, value, structs + step->offset, reading));
                continue;
            }
            if (!null(context, row, i)) return base__fail_memory(reading->err);
            if (step->tells_null) {
                orm__member_set_null(step->field->member, structs + step->offset);
            }
        }
    }
    *in = at;
    return CORM_OK;
}
