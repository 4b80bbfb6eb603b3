// SPDX-License-Identifier: MIT
/* model.h -- a C struct as a row of a table, said once, as static data.
 *
 *   typedef struct user { corm_uuid id; char *email; char name[64]; corm_timestamp created_at; } user;
 *
 *   #define COL(member) CORM_COLUMN(user, member)
 *   static const corm_model users = {
 *       .table = "users", .row_size = sizeof(user),
 *       .fields = {
 *           { COL(id),         .key = CORM_PARTITION, .generate = CORM_NEW_UUID },
 *           { COL(email),      .unique = true, .validate = { .required = true, .email = true } },
 *           { COL(name),       .validate = { .required = true, .min_length = 2 } },
 *           { COL(created_at), .generate = CORM_NEW_NOW },
 *       },
 *   };
 *   #undef COL
 *
 * The compiler infers type, offset and size of each member; one of a type that no column can have does not compile.
 *
 * What is written: a member that holds nothing (a NULL pointer, a zero UUID, a zero inet, a collection without items, a
 * corm_opt_… that is absent) is left alone; numbers, booleans, times and char arrays are always written, unless
 * the field says .skip_zero. Null is written only on request (see corm_write_options.null). */
#ifndef CORM_MODEL_H
#define CORM_MODEL_H

#include "corm/schema.h"
#include "corm/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Members that tell "not given", null and a value apart. */
typedef enum corm_presence { CORM_ABSENT = 0, CORM_PRESENT, CORM_IS_NULL } corm_presence;
typedef struct corm_opt_bool {
    corm_presence presence;
    bool          value;
} corm_opt_bool;
typedef struct corm_opt_int {
    corm_presence presence;
    int32_t       value;
} corm_opt_int;
typedef struct corm_opt_bigint {
    corm_presence presence;
    int64_t       value;
} corm_opt_bigint;
typedef struct corm_opt_float {
    corm_presence presence;
    float         value;
} corm_opt_float;
typedef struct corm_opt_double {
    corm_presence presence;
    double        value;
} corm_opt_double;
typedef struct corm_opt_timestamp {
    corm_presence  presence;
    corm_timestamp value;
} corm_opt_timestamp;

/* The C type of a member. X(NAME, C type, default CQL type) lists those with a plain C type. */
#define CORM_MEMBER_MAP(X)                                                                         \
    X(BOOL, bool, "boolean")                                                                       \
    X(I8, int8_t, "tinyint")                                                                       \
    X(I16, int16_t, "smallint")                                                                    \
    X(I32, int32_t, "int")                                                                         \
    X(I64, int64_t, "bigint")                                                                      \
    X(F32, float, "float")                                                                         \
    X(F64, double, "double")                                                                       \
    X(STR, corm_str, "text")                                                                       \
    X(BYTES, corm_bytes, "blob")                                                                   \
    X(UUID, corm_uuid, "uuid")                                                                     \
    X(TIMESTAMP, corm_timestamp, "timestamp")                                                      \
    X(DATE, corm_date, "date")                                                                     \
    X(TIME, corm_time, "time")                                                                     \
    X(DURATION, corm_duration, "duration")                                                         \
    X(INET, corm_inet, "inet")                                                                     \
    X(VARINT, corm_varint, "varint")                                                               \
    X(DECIMAL, corm_decimal, "decimal")                                                            \
    X(LIST, corm_list, "list<text>")                                                               \
    X(SET, corm_set, "set<text>")                                                                  \
    X(MAP, corm_map, "map<text, text>")                                                            \
    X(TUPLE, corm_tuple, NULL)                                                                     \
    X(UDT, corm_udt, NULL)                                                                         \
    X(FLOATS, corm_floats, NULL)                                                                   \
    X(VALUE, corm_value, NULL)                                                                     \
    X(OPT_BOOL, corm_opt_bool, "boolean")                                                          \
    X(OPT_INT, corm_opt_int, "int")                                                                \
    X(OPT_BIGINT, corm_opt_bigint, "bigint")                                                       \
    X(OPT_FLOAT, corm_opt_float, "float")                                                          \
    X(OPT_DOUBLE, corm_opt_double, "double")                                                       \
    X(OPT_TIMESTAMP, corm_opt_timestamp, "timestamp")

typedef enum corm_member {
    CORM_MEMBER_NONE = 0,
#define CORM_MEMBER_ENUM(name, ctype, cql) CORM_MEMBER_##name,
    CORM_MEMBER_MAP(CORM_MEMBER_ENUM)
#undef CORM_MEMBER_ENUM
        CORM_MEMBER_TEXT, /* char *, const char *: zero-terminated */
    CORM_MEMBER_TEXT_INLINE /* char[n]: zero-terminated, at most n - 1 bytes; longer is an error, never cut */
} corm_member;

typedef enum corm_generate {
    CORM_GIVEN = 0,
    CORM_NEW_UUID,     /* random, when the member holds none */
    CORM_NEW_TIMEUUID, /* time-based, when the member holds none */
    CORM_NEW_NOW,      /* the time of the insert, when the member is zero */
    CORM_EACH_NOW      /* the time of each write (updated_at) */
} corm_generate;

/* Rules a value must keep; zero means no rule. A member that holds nothing breaks only `required`. */
typedef struct corm_rules {
    bool     required;
    uint32_t min_length,
        max_length; /* of text, in code points; of blobs in bytes; of collections in items */
    bool        has_min, has_max;
    double      min, max; /* of numbers */
    bool        email, url, uuid;
    const char *pattern; /* PCRE2, must match somewhere; anchor it to match all */
    const char *one_of[16];
    const char *message; /* instead of the rule's own words */
    /* NULL when the value is good, else what is wrong with it. `row` is the whole struct. */
    const char *(*check)(const corm_value *value, const void *row, void *context);
    void *context;
} corm_rules;

/* What a column does for its row beside holding a value. */
typedef enum corm_role {
    CORM_PLAIN = 0,
    CORM_ROW_VERSION, /* a bigint or int: 1 at the insert, one more at each update, which is then conditional on the version that
                       * the struct holds: CORM_NOT_APPLIED when another writer was there first */
    CORM_DELETED_AT /* a timestamp: corm_delete sets it instead of deleting, corm_find passes such rows over; corm_restore */
} corm_role;

/* How a column's value is shown where people read it: notices, hooks' logs, events, corm_to_json. */
typedef enum corm_shown {
    CORM_SHOWN = 0,
    CORM_MASKED,        /* "***" */
    CORM_MASKED_PARTLY, /* all but the last four characters */
    CORM_HIDDEN         /* left out */
} corm_shown;

/* How a column is stored; the column's type is then blob. Needs corm_db_options.keyring. */
typedef enum corm_sealing {
    CORM_NOT_SEALED = 0,
    CORM_SEALED,      /* AES-256-GCM with a random nonce: equal values have different bytes */
    CORM_SEALED_EQUAL /* AES-256-SIV: equal values have equal bytes, so that the column can be asked for by equality, and be unique */
} corm_sealing;

typedef struct corm_field {
    const char *name; /* the column; default: the member's */
    corm_member member;
    uint32_t    offset, size;
    corm_key    key;
    const char           *
        cql; /* the column's type; default: by the member's C type. Needed for corm_tuple, corm_udt, corm_floats … */
    corm_generate generate;
    bool          unique;    /* no two rows have the same; enforced by a reservation */
    bool          indexed;   /* a secondary index is made */
    bool          skip_zero; /* zero is "not given" */
    corm_role     role;
    corm_shown    shown;
    corm_sealing  sealed;
    corm_rules    validate;
} corm_field;

/* A member of corm_to_json's object that is no column. What the value points to must live until corm_to_json has returned. */
typedef struct corm_virtual {
    const char *name;
    corm_value (*value)(const void *row, void *context);
    void *context;
} corm_virtual;

typedef enum corm_relation_kind {
    CORM_NO_RELATION = 0,
    CORM_HAS_ONE,
    CORM_HAS_MANY,
    CORM_BELONGS_TO,
    CORM_MANY_TO_MANY
} corm_relation_kind;

/* What deleting a row does to the rows that it has. */
typedef enum corm_on_delete {
    CORM_DELETE_LEAVES = 0,
    CORM_DELETE_CASCADES, /* deletes them (of many to many: the rows of the table between) */
    CORM_DELETE_NULLS,    /* writes null into their foreign key, which must be a regular column */
    CORM_DELETE_REFUSES   /* CORM_INVALID while there are any */
} corm_on_delete;

typedef struct corm_model      corm_model;
typedef struct corm_scope      corm_scope;      /* corm/db.h: a named part of a find */
typedef struct corm_model_hook corm_model_hook; /* corm/hook.h: called around operations */

/* Keys of several columns are named with commas: "tenant, user_id". */
typedef struct corm_relation {
    const char        *name;
    corm_relation_kind kind;
    const char        *model; /* the other model's table: one that the db has loaded */
    const corm_model  *to;    /* instead of `model`: the other model itself */
    const char *
        foreign_key; /* has: columns of the other model with this one's key; belongs to: columns of this model with the
                              * other's key; many to many: columns of `through` with this one's key */
    const char
        *references; /* the key that is meant. default: the partition key of the model that has */
    const char *through; /* many to many: the table between, of a model that the db has loaded */
    const corm_model *through_model; /* instead of `through` */
    const char       *other_key; /* many to many: columns of `through` with the other model's key */
    corm_on_delete    on_delete;
} corm_relation;

/* A copy of the model's rows under another key, written together with them in one logged batch (docs/relations.md). It has
 * all columns of the model, or those of `columns`. */
typedef struct corm_query_table {
    const char *table;
    const char *partition_key; /* names with commas */
    const char *
        clustering_key; /* likewise, each perhaps with " DESC"; the model's key must be in one of the two */
    const char *columns; /* default: all */
} corm_query_table;

enum { CORM_MODEL_MAX_FIELDS = 64, CORM_MODEL_MAX_RELATIONS = 16 };

typedef struct corm_model_options {
    int32_t     default_ttl_seconds;
    const char *comment;
    const char
        *with; /* more table options in CQL: "compaction = {…} AND gc_grace_seconds = 3600" */
} corm_model_options;

struct corm_model {
    const char        *table;
    const char        *keyspace; /* default: the session's */
    size_t             row_size;
    corm_field         fields[CORM_MODEL_MAX_FIELDS];
    const corm_field  *more_fields; /* for wider tables: ended by one without a name */
    corm_relation      relations[CORM_MODEL_MAX_RELATIONS];
    corm_model_options options;
    /* Each of these is an array, ended by an item that is all zero; NULL: none. */
    const corm_query_table *query_tables;
    const corm_scope       *scopes;   /* corm/db.h */
    const corm_model_hook  *hooks;    /* corm/hook.h */
    const corm_virtual     *virtuals; /* of corm_to_json */
    uint32_t                _canary;  /* must stay 0 */
};

#ifndef __cplusplus
/* '&' stops array decay, so that char[n] is not taken for a pointer. Any other type does not compile. */
#define CORM_MEMBER_ASSOC(name, ctype, cql) ctype * : CORM_MEMBER_##name,
#define CORM_MEMBER_OF(T, m)                                                                       \
    _Generic(&((T *)0)->m,                                                                         \
        CORM_MEMBER_MAP(CORM_MEMBER_ASSOC) char **: CORM_MEMBER_TEXT,                              \
        const char **: CORM_MEMBER_TEXT,                                                           \
        char(*)[sizeof(((T *)0)->m)]: CORM_MEMBER_TEXT_INLINE)

/* Names a struct member as a column: name, C type, offset and size come from the compiler. */
#define CORM_COLUMN(T, m)                                                                          \
    .name = #m, .member = CORM_MEMBER_OF(T, m), .offset = (uint32_t)offsetof(T, m),                \
    .size = (uint32_t)sizeof(((T *)0)->m)
#endif

/* ---- models that are not in the program ---- */

/* Reads models from a JSON file: one object { "table": …, "fields": {…}, "key": […], … } or an array of them (docs/models.md
 * has the form). Rows of such a model are arrays of corm_value, one a field in order (row_size = fields * sizeof). Every
 * fault of the file is named with its place. *out: NULL-terminated array, released by corm_models_free(). */
CORM_API CORM_CHECKED corm_status corm_models_read(const char *path, const corm_model *const **out,
                                                   corm_error *err);
CORM_API CORM_CHECKED corm_status corm_models_parse(corm_str json, const corm_model *const **out,
                                                    corm_error *err);
CORM_API void                     corm_models_free(const corm_model *const *models);

/* A model of an existing table, likewise with rows of corm_values. Released by corm_model_free(). */
CORM_API CORM_CHECKED corm_status corm_model_from_table(corm_session *session, const char *keyspace,
                                                        const char *table, const corm_model **out,
                                                        corm_error *err);
CORM_API void                     corm_model_free(const corm_model *model);

#ifdef __cplusplus
}
#endif
#endif
