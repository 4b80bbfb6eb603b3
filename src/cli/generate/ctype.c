// SPDX-License-Identifier: MIT
/* ctype.c -- which C type a CQL type has, and how its values get in and out: a table. Pure. */
#include "cli/generate/generate.h"

static const struct {
    cql_type_id id;
    gen_type    type;
} plain[] = {
    { CQL_ASCII,
      { GEN_DATA, NULL, "corm_str", "corm_of_str", "CORM_TEXT", "text", "corm_row_text" } },
    { CQL_TEXT,
      { GEN_DATA, NULL, "corm_str", "corm_of_str", "CORM_TEXT", "text", "corm_row_text" } },
    { CQL_BLOB,
      { GEN_DATA, NULL, "corm_bytes", "corm_of_blob", "CORM_BLOB", "blob", "corm_row_bytes" } },
    { CQL_BOOLEAN,
      { GEN_FLAGGED, NULL, "bool", "corm_of_bool", "CORM_BOOLEAN", "boolean", "corm_row_bool" } },
    { CQL_TINYINT,
      { GEN_FLAGGED, NULL, "int8_t", "corm_of_i8", "CORM_TINYINT", "i8", "(int8_t)corm_row_int" } },
    { CQL_SMALLINT,
      { GEN_FLAGGED, NULL, "int16_t", "corm_of_i16", "CORM_SMALLINT", "i16",
        "(int16_t)corm_row_int" } },
    { CQL_INT, { GEN_FLAGGED, NULL, "int32_t", "corm_of_i32", "CORM_INT", "i32", "corm_row_int" } },
    { CQL_BIGINT,
      { GEN_FLAGGED, NULL, "int64_t", "corm_of_i64", "CORM_BIGINT", "i64", "corm_row_bigint" } },
    { CQL_COUNTER,
      { GEN_FLAGGED, NULL, "int64_t", "corm_of_i64", "CORM_BIGINT", "i64", "corm_row_bigint" } },
    { CQL_FLOAT,
      { GEN_FLAGGED, NULL, "float", "corm_of_f32", "CORM_FLOAT", "f32",
        "(float)corm_row_double" } },
    { CQL_DOUBLE,
      { GEN_FLAGGED, NULL, "double", "corm_of_f64", "CORM_DOUBLE", "f64", "corm_row_double" } },
    { CQL_UUID,
      { GEN_UUID, NULL, "corm_uuid", "corm_of_uuid", "CORM_UUID", "uuid", "corm_row_uuid" } },
    { CQL_TIMEUUID,
      { GEN_UUID, NULL, "corm_uuid", "corm_of_uuid", "CORM_UUID", "uuid", "corm_row_uuid" } },
    { CQL_TIMESTAMP,
      { GEN_FLAGGED, NULL, "corm_timestamp", "corm_of_timestamp", "CORM_TIMESTAMP", "timestamp",
        "corm_row_timestamp" } },
    { CQL_DATE, { GEN_FLAGGED, NULL, "corm_date", "corm_of_date", "CORM_DATE", "date", NULL } },
    { CQL_TIME, { GEN_FLAGGED, NULL, "corm_time", "corm_of_time", "CORM_TIME", "time", NULL } },
    { CQL_DURATION,
      { GEN_FLAGGED, NULL, "corm_duration", "corm_of_duration", "CORM_DURATION", "duration",
        NULL } },
    { CQL_INET, { GEN_LENGTH, NULL, "corm_inet", "corm_of_inet", "CORM_INET", "inet", NULL } },
    { CQL_VARINT,
      { GEN_LENGTH, NULL, "corm_varint", "corm_of_varint", "CORM_VARINT", "varint", NULL } },
    { CQL_DECIMAL,
      { GEN_DECIMAL, NULL, "corm_decimal", "corm_of_decimal", "CORM_DECIMAL", "decimal", NULL } },
    { CQL_LIST, { GEN_COLLECTION, NULL, "corm_list", "corm_of_list", "CORM_LIST", "items", NULL } },
    { CQL_SET, { GEN_COLLECTION, NULL, "corm_set", "corm_of_set", "CORM_SET", "items", NULL } },
    { CQL_MAP, { GEN_COLLECTION, NULL, "corm_map", "corm_of_map", "CORM_MAP", "items", NULL } },
    { CQL_TUPLE,
      { GEN_COLLECTION, NULL, "corm_tuple", "corm_of_tuple", "CORM_TUPLE", "items", NULL } },
    { CQL_UDT, { GEN_STRUCT, NULL, NULL, NULL, "CORM_UDT", "items", NULL } },
};

static const gen_type *find(cql_type_id id) {
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (plain[i].id == id) return &plain[i].type;
    return NULL;
}

/* Vectors whose elements own nothing are arrays: their length is known here. */
static gen_type vector(const cql_type *type) {
    const gen_type *element = find(type->params[0]->id);
    bool     plain_items = element && (element->shape == GEN_FLAGGED || element->shape == GEN_UUID);
    gen_type out = { GEN_VALUE, type, "corm_value", NULL, NULL, NULL, NULL };
    if (!plain_items) return out;
    out = *element;
    out.shape = GEN_ARRAY;
    out.type = type;
    out.getter = NULL;
    return out;
}

gen_type gen__type(const cql_type *type) {
    if (type->id == CQL_VECTOR) return vector(type);
    const gen_type *found = find(type->id);
    gen_type        out = { GEN_VALUE, type, "corm_value", NULL, NULL, NULL, NULL };
    if (found) out = *found;
    out.type = type;
    return out;
}
