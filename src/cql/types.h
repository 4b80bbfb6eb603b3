// SPDX-License-Identifier: MIT
/* types.h -- CQL types as immutable trees: made, compared, printed, and in the protocol's form. */
#ifndef CQL_TYPES_H
#define CQL_TYPES_H

#include "base/arena.h"
#include "base/buf.h"

/* X(NAME, native protocol id, CQL name, fixed wire size or 0, marshal class)
 * Ids: native protocol v5 specification, section 4.2.5.2; vector and empty have none of their own. */
#define CQL_TYPE_MAP(X)                                                                            \
    X(CUSTOM, 0x0000, "custom", 0, "")                                                             \
    X(ASCII, 0x0001, "ascii", 0, "AsciiType")                                                      \
    X(BIGINT, 0x0002, "bigint", 8, "LongType")                                                     \
    X(BLOB, 0x0003, "blob", 0, "BytesType")                                                        \
    X(BOOLEAN, 0x0004, "boolean", 1, "BooleanType")                                                \
    X(COUNTER, 0x0005, "counter", 8, "CounterColumnType")                                          \
    X(DECIMAL, 0x0006, "decimal", 0, "DecimalType")                                                \
    X(DOUBLE, 0x0007, "double", 8, "DoubleType")                                                   \
    X(FLOAT, 0x0008, "float", 4, "FloatType")                                                      \
    X(INT, 0x0009, "int", 4, "Int32Type")                                                          \
    X(TIMESTAMP, 0x000B, "timestamp", 8, "TimestampType")                                          \
    X(UUID, 0x000C, "uuid", 16, "UUIDType")                                                        \
    X(TEXT, 0x000D, "text", 0, "UTF8Type")                                                         \
    X(VARINT, 0x000E, "varint", 0, "IntegerType")                                                  \
    X(TIMEUUID, 0x000F, "timeuuid", 16, "TimeUUIDType")                                            \
    X(INET, 0x0010, "inet", 0, "InetAddressType")                                                  \
    X(DATE, 0x0011, "date", 4, "SimpleDateType")                                                   \
    X(TIME, 0x0012, "time", 8, "TimeType")                                                         \
    X(SMALLINT, 0x0013, "smallint", 2, "ShortType")                                                \
    X(TINYINT, 0x0014, "tinyint", 1, "ByteType")                                                   \
    X(DURATION, 0x0015, "duration", 0, "DurationType")                                             \
    X(LIST, 0x0020, "list", 0, "ListType")                                                         \
    X(MAP, 0x0021, "map", 0, "MapType")                                                            \
    X(SET, 0x0022, "set", 0, "SetType")                                                            \
    X(UDT, 0x0030, "udt", 0, "UserType")                                                           \
    X(TUPLE, 0x0031, "tuple", 0, "TupleType")                                                      \
    X(VECTOR, 0x0100, "vector", 0, "VectorType")                                                   \
    X(EMPTY, 0x0101, "empty", 0, "EmptyType")

typedef enum cql_type_id {
#define CQL_TYPE_ENUM(name, id, cql, size, marshal) CQL_##name = (id),
    CQL_TYPE_MAP(CQL_TYPE_ENUM)
#undef CQL_TYPE_ENUM
} cql_type_id;

typedef struct cql_type cql_type;

/* Immutable. Lives in the arena it was made in; types without parameters are static. */
struct cql_type {
    cql_type_id id;
    bool     frozen; /* list, set, map, UDT: stored as one value. Tuples and vectors always are */
    uint32_t count;  /* number of params: list, set, vector 1; map 2; tuple, UDT any */
    uint32_t dimension; /* vector */
    const cql_type *const *params;
    corm_str               keyspace;    /* UDT */
    corm_str               name;        /* UDT; CUSTOM: the class */
    const corm_str        *field_names; /* UDT */
};

/* The shared type without parameters (int, text …). NULL for ids that need parameters. */
const cql_type *cql__type_native(cql_type_id id);

/* "int", "varchar" (= text), any case; NULL when it is no native type's name. */
const cql_type *cql__type_native_named(corm_str name);

/* Makers: NULL when memory is exhausted. Parameters are borrowed, not copied. */
const cql_type *cql__type_list(base_arena *arena, const cql_type *element, bool frozen);
const cql_type *cql__type_set(base_arena *arena, const cql_type *element, bool frozen);
const cql_type *cql__type_map(base_arena *arena, const cql_type *key, const cql_type *value,
                              bool frozen);
const cql_type *cql__type_tuple(base_arena *arena, const cql_type *const *items, uint32_t count);
const cql_type *cql__type_vector(base_arena *arena, const cql_type *element, uint32_t dimension);
const cql_type *cql__type_udt(base_arena *arena, corm_str keyspace, corm_str name,
                              const corm_str *field_names, const cql_type *const *field_types,
                              uint32_t count, bool frozen);

/* The same type with `frozen` as given (and everything inside it frozen); itself when it is so already. */
const cql_type *cql__type_freeze(base_arena *arena, const cql_type *type);

/* A deep copy into another arena. */
const cql_type *cql__type_copy(base_arena *arena, const cql_type *type);

/* Same structure, frozen flags included. */
bool cql__type_equal(const cql_type *a, const cql_type *b);

/* Same values: equal but for frozen flags. */
bool cql__type_same_values(const cql_type *a, const cql_type *b);

/* Whether every value of `from` is a valid value of `to` (text from ascii, varint from int …), as the server's
 * isValueCompatibleWith. */
bool cql__type_accepts(const cql_type *to, const cql_type *from);

/* Whether a column of it is stored cell by cell: a list, set, map or UDT that is not frozen. */
bool cql__type_is_multicell(const cql_type *type);
bool cql__type_is_collection(const cql_type *type); /* list, set, map; frozen or not */
bool cql__type_is_numeric(const cql_type *type);
bool cql__type_has_duration(
    const cql_type *type); /* is or contains it; the server does not look into vectors */
bool cql__type_mentions_udt(const cql_type *type, corm_str keyspace, corm_str name);

/* The wire size of every value of it, or 0 when it varies (a vector of fixed elements is fixed). */
uint32_t cql__type_fixed_size(const cql_type *type);

/* Appends the CQL form, as system_schema.columns has it: `frozen<list<int>>`, `vector<float, 3>`; names of
 * user-defined types quoted where needed, without keyspace. */
void cql__type_print(const cql_type *type, base_buf *out);

/* Appends the server's class form: org.apache.cassandra.db.marshal.ListType(…). */
void cql__type_print_marshal(const cql_type *type, base_buf *out);

/* Finds user-defined types for the readers below; NULL when there is none. Any return is borrowed. */
typedef struct cql_type_lookup {
    const cql_type *(*find)(void *context, corm_str keyspace, corm_str name);
    void *context;
} cql_type_lookup;

/* Reads the CQL form (as printed above; also keyspace-qualified type names). */
CORM_CHECKED corm_status cql__type_parse(base_arena *arena, corm_str text,
                                         const cql_type_lookup *lookup, const cql_type **out,
                                         corm_error *err);

/* Reads the class form, with or without the package prefix; unknown classes become CQL_CUSTOM. */
CORM_CHECKED corm_status cql__type_parse_marshal(base_arena *arena, corm_str text,
                                                 const cql_type **out, corm_error *err);

/* The [option] form of a result's metadata. `version` is 4 or 5: duration is custom below 5; a vector
 * always is. */
void cql__type_write_option(const cql_type *type, uint8_t version, base_buf *out);
CORM_CHECKED corm_status cql__type_read_option(base_arena *arena, base_reader *reader,
                                               const cql_type **out, corm_error *err);

/* Appends the name as CQL text: as it is, or in double quotes where it needs them (upper case, reserved
 * word, other characters). */
void cql__put_name(base_buf *out, corm_str name);

/* Whether the lower-case word is a reserved keyword, that cannot be a name without quotes. */
bool cql__is_reserved(corm_str word);

#endif
