// SPDX-License-Identifier: MIT
/* value.h -- one CQL value of any type, and the C collections that model members may have.
 *
 * A corm_value is a plain value that borrows: text, blobs and the items of collections must live
 * as long as it is used. Zero-initialised it is CORM_UNSET: "leave the column alone". */
#ifndef CORM_VALUE_H
#define CORM_VALUE_H

#include "corm/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum corm_kind {
    CORM_UNSET = 0,
    CORM_NULL,
    CORM_BOOLEAN,
    CORM_TINYINT,
    CORM_SMALLINT,
    CORM_INT,
    CORM_BIGINT, /* also counter */
    CORM_FLOAT,
    CORM_DOUBLE,
    CORM_TEXT, /* ascii, text, varchar; as an input also the text form of any other type */
    CORM_BLOB,
    CORM_UUID, /* also timeuuid */
    CORM_TIMESTAMP,
    CORM_DATE,
    CORM_TIME,
    CORM_DURATION,
    CORM_INET,
    CORM_VARINT,
    CORM_DECIMAL,
    CORM_LIST,
    CORM_SET,
    CORM_MAP,
    CORM_TUPLE,
    CORM_UDT,
    CORM_VECTOR
} corm_kind;

typedef struct corm_value corm_value;

/* Items of a list, set, tuple, vector or user-defined type; of a map key, value, key, value ….
 * `names` may name the fields of a user-defined type; NULL means declaration order. */
typedef struct corm_items {
    const corm_value *items;
    const corm_str   *names;
    uint32_t          count; /* number of corm_values: twice the entries for a map */
} corm_items;

struct corm_value {
    corm_kind kind;
    union {
        bool           boolean;
        int8_t         i8;
        int16_t        i16;
        int32_t        i32;
        int64_t        i64;
        float          f32;
        double         f64;
        corm_str       text;
        corm_bytes     blob;
        corm_uuid      uuid;
        corm_timestamp timestamp;
        corm_date      date;
        corm_time      time;
        corm_duration  duration;
        corm_inet      inet;
        corm_varint    varint;
        corm_decimal   decimal;
        corm_items     items;
    } as;
};

/* Collections as struct members: a count of 0 with NULL items means "not given";
 * a count of 0 with items that are not NULL is an empty collection. */
typedef struct corm_list {
    const corm_value *items;
    uint32_t          count;
} corm_list;
typedef struct corm_set {
    const corm_value *items;
    uint32_t          count;
} corm_set;
typedef struct corm_map {
    const corm_value *items; /* key, value, key, value … */
    uint32_t          count; /* number of entries: half of the items */
} corm_map;
typedef struct corm_tuple {
    const corm_value *items;
    uint32_t          count;
} corm_tuple;
typedef struct corm_udt {
    const corm_value *items; /* in the order of the type's declaration */
    uint32_t          count;
} corm_udt;
/* vector<float, n> */
typedef struct corm_floats {
    const float *items;
    uint32_t     count;
} corm_floats;

/* The value in a map under a text key, or NULL. */
CORM_API const corm_value *corm_map_get(const corm_map *map, const char *key);

/* Whether a set or list of texts holds the text. */
CORM_API bool corm_set_has(const corm_set *set, const char *text);

/* Equal kind and content; collections item by item, in order. */
CORM_API bool corm_value_equal(const corm_value *a, const corm_value *b);

#define CORM_VALUE_MAKER(name, ctype, KIND, member)                                                \
    static inline corm_value corm_of_##name(ctype v) {                                             \
        corm_value value;                                                                          \
        memset(&value, 0, sizeof value);                                                           \
        value.kind = KIND;                                                                         \
        value.as.member = v;                                                                       \
        return value;                                                                              \
    }
CORM_VALUE_MAKER(bool, bool, CORM_BOOLEAN, boolean)
CORM_VALUE_MAKER(i8, int8_t, CORM_TINYINT, i8)
CORM_VALUE_MAKER(i16, int16_t, CORM_SMALLINT, i16)
CORM_VALUE_MAKER(i32, int32_t, CORM_INT, i32)
CORM_VALUE_MAKER(i64, int64_t, CORM_BIGINT, i64)
CORM_VALUE_MAKER(f32, float, CORM_FLOAT, f32)
CORM_VALUE_MAKER(f64, double, CORM_DOUBLE, f64)
CORM_VALUE_MAKER(str, corm_str, CORM_TEXT, text)
CORM_VALUE_MAKER(blob, corm_bytes, CORM_BLOB, blob)
CORM_VALUE_MAKER(uuid, corm_uuid, CORM_UUID, uuid)
CORM_VALUE_MAKER(timestamp, corm_timestamp, CORM_TIMESTAMP, timestamp)
CORM_VALUE_MAKER(date, corm_date, CORM_DATE, date)
CORM_VALUE_MAKER(time, corm_time, CORM_TIME, time)
CORM_VALUE_MAKER(duration, corm_duration, CORM_DURATION, duration)
CORM_VALUE_MAKER(inet, corm_inet, CORM_INET, inet)
CORM_VALUE_MAKER(varint, corm_varint, CORM_VARINT, varint)
CORM_VALUE_MAKER(decimal, corm_decimal, CORM_DECIMAL, decimal)
#undef CORM_VALUE_MAKER

/* NULL gives the null value. */
static inline corm_value corm_of_text(const char *text) {
    corm_value value = corm_of_str(corm_str_of(text));
    if (!text) value.kind = CORM_NULL;
    return value;
}

static inline corm_value corm_of_items(corm_kind kind, const corm_value *items, uint32_t count) {
    corm_value value;
    memset(&value, 0, sizeof value);
    value.kind = kind;
    value.as.items.items = items;
    value.as.items.count = count;
    return value;
}
static inline corm_value corm_of_list(corm_list list) {
    return corm_of_items(CORM_LIST, list.items, list.count);
}
static inline corm_value corm_of_set(corm_set set) {
    return corm_of_items(CORM_SET, set.items, set.count);
}
static inline corm_value corm_of_map(corm_map map) {
    return corm_of_items(CORM_MAP, map.items, 2 * map.count);
}
static inline corm_value corm_of_tuple(corm_tuple tuple) {
    return corm_of_items(CORM_TUPLE, tuple.items, tuple.count);
}
static inline corm_value corm_of_udt(corm_udt udt) {
    return corm_of_items(CORM_UDT, udt.items, udt.count);
}
static inline corm_value corm_of_value(corm_value value) {
    return value;
}

/* Writes null: in CQL that deletes the column. */
static inline corm_value corm_null(void) {
    return corm_of_items(CORM_NULL, NULL, 0);
}

#ifndef __cplusplus
/* Makes a value of any C type that a column may have; a number is later widened or narrowed to the
 * column's type without loss, or refused. */
#define corm_v(v)                                                                                  \
    _Generic((v),                                                                                  \
        bool: corm_of_bool,                                                                        \
        int8_t: corm_of_i8,                                                                        \
        int16_t: corm_of_i16,                                                                      \
        int32_t: corm_of_i32,                                                                      \
        long: corm_of_i64,                                                                         \
        long long: corm_of_i64,                                                                    \
        float: corm_of_f32,                                                                        \
        double: corm_of_f64,                                                                       \
        char *: corm_of_text,                                                                      \
        const char *: corm_of_text,                                                                \
        corm_str: corm_of_str,                                                                     \
        corm_bytes: corm_of_blob,                                                                  \
        corm_uuid: corm_of_uuid,                                                                   \
        corm_timestamp: corm_of_timestamp,                                                         \
        corm_date: corm_of_date,                                                                   \
        corm_time: corm_of_time,                                                                   \
        corm_duration: corm_of_duration,                                                           \
        corm_inet: corm_of_inet,                                                                   \
        corm_varint: corm_of_varint,                                                               \
        corm_decimal: corm_of_decimal,                                                             \
        corm_list: corm_of_list,                                                                   \
        corm_set: corm_of_set,                                                                     \
        corm_map: corm_of_map,                                                                     \
        corm_tuple: corm_of_tuple,                                                                 \
        corm_udt: corm_of_udt,                                                                     \
        corm_value: corm_of_value)(v)

/* A set, list or map written in place; the items live as long as the enclosing block (the body of an if or a for is one, with braces or without):
 *     .tags = corm_set_of(corm_v("red"), corm_v("blue")) */
#define CORM_ITEM_COUNT(...) (sizeof((corm_value[]){ __VA_ARGS__ }) / sizeof(corm_value))
#define corm_list_of(...)                                                                          \
    ((corm_list){ (const corm_value[]){ __VA_ARGS__ }, (uint32_t)CORM_ITEM_COUNT(__VA_ARGS__) })
#define corm_set_of(...)                                                                           \
    ((corm_set){ (const corm_value[]){ __VA_ARGS__ }, (uint32_t)CORM_ITEM_COUNT(__VA_ARGS__) })
#define corm_map_of(...)                                                                           \
    ((corm_map){ (const corm_value[]){ __VA_ARGS__ },                                              \
                 (uint32_t)(CORM_ITEM_COUNT(__VA_ARGS__) / 2) })
#define corm_tuple_of(...)                                                                         \
    ((corm_tuple){ (const corm_value[]){ __VA_ARGS__ }, (uint32_t)CORM_ITEM_COUNT(__VA_ARGS__) })
#endif

#ifdef __cplusplus
}
#endif
#endif
