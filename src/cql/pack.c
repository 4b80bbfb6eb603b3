// SPDX-License-Identifier: MIT
/* pack.c -- writes and walks collections, tuples and vectors in wire form. Pure; any thread.
 *
 *   value        [i32 length][bytes]
 *   list, set    [i32 n] n x [value]
 *   map          [i32 n] n x [value][value]
 *   tuple, UDT   up to n x [value]
 *   vector       n x item: bare when the items' size is fixed, else each behind its vint length */
#include "base/fail.h"
#include "cql/codec.h"
#include "cql/types_internal.h"
#include "cql/vint.h"

void cql__put_value(base_buf *out, cql_value value) {
    if (value.len <= 0) {
        base__buf_i32(out, value.len);
        return;
    }
    uint8_t *p = base__buf_grow(out, 4 + (size_t)value.len);
    if (!p) return;
    base__store_u32(p, (uint32_t)value.len);
    memcpy(p + 4, value.data, (size_t)value.len);
}

cql_value cql__read_value(base_reader *reader) {
    int32_t len = reader->len < 4 ? INT32_MIN : (int32_t)base__load_u32(reader->data);
    if (len < -2 || (len > 0 && (size_t)len > reader->len - 4)) reader->failed = true;
    if (reader->failed) {
        reader->len = 0;
        return CQL_NULL;
    }
    const uint8_t *data = reader->data + 4;
    size_t         taken = 4 + (len > 0 ? (size_t)len : 0);
    reader->data += taken;
    reader->len -= taken;
    return (cql_value){ len < 0 ? NULL : data, len };
}

/* A [value] inside another: every negative length is null there. */
static cql_value read_item(base_reader *reader) {
    int32_t len = base__read_i32(reader);
    if (len < 0 || reader->failed) return CQL_NULL;
    corm_bytes bytes = base__read_bytes(reader, (size_t)len);
    return reader->failed ? CQL_NULL : (cql_value){ bytes.data, len };
}

static cql_value read_vector_item(const cql_type *type, base_reader *reader) {
    uint64_t len = cql__vector_item_size(type->params[0]);
    if (len == 0) len = cql__read_uvint(reader);
    if (len > reader->len) reader->failed = true;
    if (reader->failed) return CQL_NULL;
    return (cql_value){ base__read_bytes(reader, (size_t)len).data, (int32_t)len };
}

static bool has_count(const cql_type *type) {
    return type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP;
}

static uint32_t values_of(const cql_walk *walk) {
    return walk->type->id == CQL_MAP ? walk->count * 2 : walk->count;
}

static corm_status begin_counted(cql_walk *walk, corm_error *err) {
    int32_t  count = base__read_i32(&walk->reader);
    uint64_t least = (uint64_t)(count < 0 ? 0 : count) * (walk->type->id == CQL_MAP ? 8 : 4);
    if (walk->reader.failed || count < 0 || least > walk->reader.len) {
        walk->reader.failed = true;
        return base__fail(err, CORM_CORRUPT, "a collection's count does not fit its bytes");
    }
    walk->count = (uint32_t)count;
    return CORM_OK;
}

corm_status cql__walk_begin(cql_walk *walk, const cql_type *type, cql_value value,
                            corm_error *err) {
    *walk = (cql_walk){ .type = type };
    walk->reader =
        (base_reader){ .data = value.data, .len = value.len > 0 ? (size_t)value.len : 0 };
    if (has_count(type)) return value.len < 0 ? CORM_OK : begin_counted(walk, err);
    if (type->id == CQL_TUPLE || type->id == CQL_UDT) {
        walk->count = type->count;
        return CORM_OK;
    }
    if (type->id == CQL_VECTOR) {
        walk->count = value.len < 0 ? 0 : type->dimension;
        return CORM_OK;
    }
    return base__fail(err, CORM_INVALID_ARGUMENT, "the type has no elements to walk");
}

bool cql__walk_next(cql_walk *walk, cql_value *out) {
    if (walk->at == values_of(walk) || walk->reader.failed) return false;
    walk->at++;
    if (walk->type->id == CQL_VECTOR) {
        *out = read_vector_item(walk->type, &walk->reader);
    } else if (walk->reader.len == 0 && !has_count(walk->type)) {
        *out = CQL_NULL;
    } else {
        *out = read_item(&walk->reader);
    }
    return !walk->reader.failed;
}

void cql__pack_begin(cql_pack *pack, const cql_type *type, base_buf *out) {
    *pack = (cql_pack){ .type = type, .out = out, .at = out->len };
    if (has_count(type)) base__buf_i32(out, 0);
}

void cql__pack_item(cql_pack *pack, cql_value item) {
    pack->items++;
    if (pack->type->id != CQL_VECTOR) {
        cql__put_value(pack->out, item);
        return;
    }
    size_t len = item.len > 0 ? (size_t)item.len : 0;
    if (cql__vector_item_size(pack->type->params[0]) == 0) cql__put_uvint(pack->out, len);
    if (len > 0) base__buf_put(pack->out, item.data, len);
}

void cql__pack_end(cql_pack *pack) {
    if (!has_count(pack->type) || pack->out->failed) return;
    uint32_t count = pack->type->id == CQL_MAP ? pack->items / 2 : pack->items;
    base__buf_set_i32(pack->out, pack->at, (int32_t)count);
}
