// SPDX-License-Identifier: MIT
/* fn_time.c -- now() and its kin, uuid(), and conversions between timeuuid, timestamp, date and bigint. Any thread. */
#include "cql/fn.h"

/* The zero of time of a version 1 UUID in units of 100 ns before 1970. */
#define UUID_EPOCH UINT64_C(0x01b21dd213814000)

static corm_status give_uuid(cql_eval_context *context, corm_uuid uuid, cql_value *out,
                             corm_error *err) {
    return cql__fn_give_bytes(context, (corm_bytes){ uuid.bytes, sizeof uuid.bytes }, out, err);
}

static corm_status eval_uuid(const cql_function *function, cql_eval_context *context,
                             const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)args;
    return give_uuid(context, corm_uuid_random(), out, err);
}

static corm_status eval_now(const cql_function *function, cql_eval_context *context,
                            const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)args;
    return give_uuid(context, corm_uuid_time(), out, err);
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

static corm_status eval_current_timestamp(const cql_function *function, cql_eval_context *context,
                                          const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)args;
    return cql__fn_give_i64(context, floor_div(context->now_us, 1000), out, err);
}

static corm_status eval_current_date(const cql_function *function, cql_eval_context *context,
                                     const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)args;
    uint32_t date = cql__fn_date_of_ms(floor_div(context->now_us, 1000));
    return cql__fn_give_i32(context, (int32_t)date, out, err);
}

static corm_status eval_current_time(const cql_function *function, cql_eval_context *context,
                                     const cql_value *args, cql_value *out, corm_error *err) {
    const int64_t day_us = INT64_C(86400000000);
    (void)function;
    (void)args;
    int64_t us = context->now_us - floor_div(context->now_us, day_us) * day_us;
    return cql__fn_give_i64(context, us * 1000, out, err);
}

/* The time in 100 ns units goes low part first. What does not fit wraps around. */
static corm_status give_bound(cql_eval_context *context, uint64_t time, uint8_t rest,
                              cql_value *out, corm_error *err) {
    uint8_t *data = cql__fn_room(context, 16, out);
    if (!data) return base__fail_memory(err);
    base__store_u64(data, UINT64_C(0x1000) | time >> 48 | (time & UINT64_C(0xffff00000000)) >> 16 |
                              time << 32);
    memset(data + 8, rest, 8);
    return CORM_OK;
}

static corm_status eval_min_timeuuid(const cql_function *function, cql_eval_context *context,
                                     const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    uint64_t ms = (uint64_t)cql__fn_ms(CQL_TIMESTAMP, args[0]);
    return give_bound(context, ms * 10000 + UUID_EPOCH, 0x80, out, err);
}

static corm_status eval_max_timeuuid(const cql_function *function, cql_eval_context *context,
                                     const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    uint64_t ms = (uint64_t)cql__fn_ms(CQL_TIMESTAMP, args[0]);
    return give_bound(context, (ms + 1) * 10000 + UUID_EPOCH - 1, 0x7f, out, err);
}

static corm_status eval_to_date(const cql_function *function, cql_eval_context *context,
                                const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    uint32_t date = cql__fn_date_of_ms(cql__fn_ms(function->args[0]->id, args[0]));
    return cql__fn_give_i32(context, (int32_t)date, out, err);
}

static corm_status eval_to_ms(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    return cql__fn_give_i64(context, cql__fn_ms(function->args[0]->id, args[0]), out, err);
}

typedef enum kind { PURE, CLOCK, MONOTONIC } kind;

typedef struct entry {
    const char       *name, *alias;
    cql_function_eval eval;
    cql_type_id       result;
    cql_type_id       arg; /* CQL_EMPTY: none */
    kind              kind;
} entry;

static const entry entries[] = {
    { "uuid", NULL, eval_uuid, CQL_UUID, CQL_EMPTY, CLOCK },
    { "now", NULL, eval_now, CQL_TIMEUUID, CQL_EMPTY, CLOCK },
    { "current_timeuuid", "currenttimeuuid", eval_now, CQL_TIMEUUID, CQL_EMPTY, CLOCK },
    { "current_timestamp", "currenttimestamp", eval_current_timestamp, CQL_TIMESTAMP, CQL_EMPTY,
      CLOCK },
    { "current_date", "currentdate", eval_current_date, CQL_DATE, CQL_EMPTY, CLOCK },
    { "current_time", "currenttime", eval_current_time, CQL_TIME, CQL_EMPTY, CLOCK },
    { "min_timeuuid", "mintimeuuid", eval_min_timeuuid, CQL_TIMEUUID, CQL_TIMESTAMP, PURE },
    { "max_timeuuid", "maxtimeuuid", eval_max_timeuuid, CQL_TIMEUUID, CQL_TIMESTAMP, PURE },
    { "to_date", "todate", eval_to_date, CQL_DATE, CQL_TIMEUUID, MONOTONIC },
    { "to_date", "todate", eval_to_date, CQL_DATE, CQL_TIMESTAMP, MONOTONIC },
    { "to_timestamp", "totimestamp", eval_to_ms, CQL_TIMESTAMP, CQL_TIMEUUID, MONOTONIC },
    { "to_timestamp", "totimestamp", eval_to_ms, CQL_TIMESTAMP, CQL_DATE, MONOTONIC },
    { "to_unix_timestamp", "tounixtimestamp", eval_to_ms, CQL_BIGINT, CQL_TIMEUUID, MONOTONIC },
    { "to_unix_timestamp", "tounixtimestamp", eval_to_ms, CQL_BIGINT, CQL_TIMESTAMP, MONOTONIC },
    { "to_unix_timestamp", "tounixtimestamp", eval_to_ms, CQL_BIGINT, CQL_DATE, MONOTONIC },
};

static bool has_name(const entry *e, corm_str name) {
    return corm_str_equal(corm_str_of(e->name), name) ||
           (e->alias && corm_str_equal(corm_str_of(e->alias), name));
}

void cql__fn_time(cql_fn_list *list) {
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        const entry *e = &entries[i];
        if (!has_name(e, list->name)) continue;
        cql_function *function =
            cql__fn_add_native(list, e->eval, e->result, e->arg == CQL_EMPTY ? 0 : 1, &e->arg);
        if (!function) continue;
        function->is_pure = e->kind != CLOCK;
        function->is_monotonic = e->kind == MONOTONIC;
    }
}
