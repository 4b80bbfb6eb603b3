// SPDX-License-Identifier: MIT
/* fn.h -- what the families of native functions (fn_*.c) share with the registry (functions*.c) and each other.
 *
 * A family answers a name with the overloads it has of it; the registry chooses among them. Functions whose
 * overloads are too many to list (any type, any collection) are factories: they make one overload that fits the call. */
#ifndef CQL_FN_H
#define CQL_FN_H

#include "base/fail.h"
#include "cql/functions.h"

/* What the CORM_FUNCTION_FAILURE in *err is about, beside its text: keyspace and signature. */
void cql__fn_name_failure(const cql_function *function, corm_error *err);

/* ---- overloads ---- */

/* The overloads found for a name. `arena` may be thrown away after the choice; `types` lives with the result. */
typedef struct cql_fn_list {
    base_arena    *arena;
    base_arena    *types;
    corm_str       name; /* as called: an alias is a name of its own */
    cql_function **items;
    uint32_t       count, capacity;
    bool           failed; /* memory was exhausted */
} cql_fn_list;

/* Adds an overload, pure and not monotonic, named as called; NULL when memory is exhausted. */
cql_function *cql__fn_add(cql_fn_list *list, cql_function_eval eval, const cql_type *result,
                          uint32_t count, const cql_type *const *args);

/* The same for native types. */
cql_function *cql__fn_add_native(cql_fn_list *list, cql_function_eval eval, cql_type_id result,
                                 uint32_t count, const cql_type_id *args);

/* tinyint, smallint, int, bigint, float, double, decimal, varint, counter */
enum { CQL_FN_NUMBERS = 9 };
extern const cql_type_id cql__fn_numbers[CQL_FN_NUMBERS];

/* Each adds the overloads that its family has of list->name. */
void cql__fn_time(cql_fn_list *list);
void cql__fn_floor(cql_fn_list *list);
void cql__fn_blob(cql_fn_list *list);
void cql__fn_math(cql_fn_list *list);
void cql__fn_cast(cql_fn_list *list);
void cql__fn_arith(cql_fn_list *list);
void cql__fn_aggregate(cql_fn_list *list);

/* ---- factories ---- */

typedef enum cql_fn_param {
    CQL_FN_ANY,
    CQL_FN_ANY_OR_RECEIVER, /* untyped: of the type that the result is wanted as */
    CQL_FN_AS_FIRST,        /* of the first argument's type where that is known */
    CQL_FN_TEXT,
    CQL_FN_STRING, /* text or ascii */
    CQL_FN_INT,
    CQL_FN_COLLECTION,
    CQL_FN_SET_OR_LIST,
    CQL_FN_NUMBERS_SET_OR_LIST,
    CQL_FN_MAP,
    CQL_FN_FLOAT_VECTOR, /* untyped: of the other argument's type */
    CQL_FN_PARAMS
} cql_fn_param;

enum { CQL_FN_MOST_PARAMS = 4 };

typedef struct cql_factory cql_factory;

/* Fills in result and eval (or the aggregate's members) of a function that has its name and arguments. */
typedef corm_status (*cql_factory_make)(const cql_factory *factory, base_arena *arena,
                                        const cql_type *receiver, cql_function *out,
                                        corm_error *err);

struct cql_factory {
    const char      *name;
    const char      *alias; /* NULL: none */
    uint32_t         mandatory, count;
    cql_fn_param     params[CQL_FN_MOST_PARAMS];
    cql_factory_make make;
    const void      *data;
};

const cql_factory *cql__fn_collection_factories(size_t *count);
const cql_factory *cql__fn_json_factories(size_t *count);
const cql_factory *cql__fn_mask_factories(size_t *count);
const cql_factory *cql__fn_vector_factories(size_t *count);
const cql_factory *cql__fn_aggregate_factories(size_t *count);

/* The one function that a factory makes for the call, in the arena; an error has the server's words. */
CORM_CHECKED corm_status cql__factory_call(const cql_factory *factory, base_arena *arena,
                                           const cql_call *call, cql_function **out,
                                           corm_error *err);

/* How well an argument goes where a type is wanted. */
cql_fit cql__argument_fit(const cql_argument *argument, const cql_type *to);

/* ---- results ---- */

/* Room for a result of `len` bytes in the arena; NULL when memory is exhausted. */
uint8_t *cql__fn_room(cql_eval_context *context, size_t len, cql_value *out);

CORM_CHECKED corm_status cql__fn_give_i32(cql_eval_context *context, int32_t v, cql_value *out,
                                          corm_error *err);
CORM_CHECKED corm_status cql__fn_give_i64(cql_eval_context *context, int64_t v, cql_value *out,
                                          corm_error *err);
CORM_CHECKED corm_status cql__fn_give_bytes(cql_eval_context *context, corm_bytes bytes,
                                            cql_value *out, corm_error *err);

/* Moves what was written into the arena and frees the buffer, also on failure. */
CORM_CHECKED corm_status cql__fn_give_buf(cql_eval_context *context, base_buf *buf, cql_value *out,
                                          corm_error *err);

/* Whether an argument is null for its function: null, or empty where the empty value means nothing. */
bool cql__fn_is_absent(const cql_type *type, cql_value value);
bool cql__fn_any_absent(const cql_function *function, const cql_value *args);

/* ---- aggregates ---- */

typedef enum cql_fn_reduce { CQL_FN_MIN, CQL_FN_MAX, CQL_FN_SUM, CQL_FN_AVG } cql_fn_reduce;

/* Fills in the result and the aggregate's members of a function of one argument; sum and avg need a numeric type. */
void cql__fn_make_aggregate(cql_fn_reduce reduce, const cql_type *type, cql_function *out);

/* ---- numbers (fn_number.c): Java's Number, read from a value of a numeric type ---- */

/* Unsized whole numbers and floats share one way: int64 and double. */
int64_t cql__fn_i64(cql_type_id type, cql_value v); /* Number.longValue */
int32_t cql__fn_i32(cql_type_id type, cql_value v); /* Number.intValue */
float   cql__fn_f32(cql_type_id type, cql_value v); /* Number.floatValue */
double  cql__fn_f64(cql_type_id type, cql_value v); /* Number.doubleValue */

/* Java's narrowing from floating point: NaN is 0, beyond the range is the range's end. */
int64_t cql__fn_i64_of(double v);
int32_t cql__fn_i32_of(double v);

/* Gives a number in the wire form of a type of fixed size: the low bits of `v`. */
CORM_CHECKED corm_status cql__fn_give_whole(cql_eval_context *context, cql_type_id type, int64_t v,
                                            cql_value *out, corm_error *err);
CORM_CHECKED corm_status cql__fn_give_f32(cql_eval_context *context, float v, cql_value *out,
                                          corm_error *err);
CORM_CHECKED corm_status cql__fn_give_f64(cql_eval_context *context, double v, cql_value *out,
                                          corm_error *err);

/* Refuses to make a decimal of NaN or an infinity. */
corm_status cql__fn_fail_decimal(double v, corm_error *err);

/* ---- decimals (fn_decimal.c): the wire form is a scale of four bytes and the unscaled varint ---- */

typedef enum cql_fn_curve { CQL_FN_EXP, CQL_FN_LOG, CQL_FN_LOG10 } cql_fn_curve;

int32_t cql__fn_scale(cql_value decimal);

/* BigDecimalMath.exp, log and log10 with the server's precision: that of the argument, at least 32 digits. */
CORM_CHECKED corm_status cql__fn_decimal_curve(cql_fn_curve curve, cql_value decimal, base_buf *out,
                                               corm_error *err);

/* setScale(0, HALF_UP) */
CORM_CHECKED corm_status cql__fn_decimal_round(cql_value decimal, base_buf *out, corm_error *err);

/* divide(count, HALF_EVEN): the scale stays */
CORM_CHECKED corm_status cql__fn_decimal_share(cql_value decimal, uint64_t count, base_buf *out,
                                               corm_error *err);

/* toBigInteger, as a varint */
CORM_CHECKED corm_status cql__fn_decimal_whole(cql_value decimal, base_buf *out, corm_error *err);

/* The magnitude, or the opposite, of a varint. */
void cql__fn_varint_abs(cql_value varint, base_buf *out);
void cql__fn_varint_negate(cql_value varint, base_buf *out);

/* ---- time (fn_duration.c): java.util.Calendar in UTC, Julian before 1582-10-15 ---- */

/* Milliseconds plus a duration; what does not fit wraps around as the server's does. */
int64_t cql__fn_add_duration(int64_t ms, corm_duration duration);

/* The greatest start + n * duration that is not above ms. Needs start <= ms and a duration that is not negative. */
int64_t cql__fn_floor_duration(int64_t ms, corm_duration duration, int64_t start);

corm_duration cql__fn_duration(cql_value value); /* of valid wire bytes */

/* Milliseconds since 1970 of a timestamp, timeuuid or date. */
int64_t cql__fn_ms(cql_type_id type, cql_value value);

/* The wire form of a date: the day, cut towards 1970 as the server does. */
uint32_t cql__fn_date_of_ms(int64_t ms);

#endif
