// SPDX-License-Identifier: MIT
/* fn_floor.c -- floor(time, duration[, start]): times rounded down to multiples of a duration. Pure; any thread. */
#include "cql/fn.h"

static bool is_negative(corm_duration duration) {
    return duration.ns < 0 || duration.days < 0 || duration.months < 0;
}

/* Refuses with the duration in the text. */
static corm_status fail_precision(cql_type_id type, cql_value duration, corm_error *err) {
    base_buf shown = { 0 };
    cql__to_text(cql__type_native(CQL_DURATION), duration, CQL_STYLE_CAST, &shown);
    const char *text = base__buf_cstr(&shown);
    corm_status status;
    if (!text) {
        status = base__fail_memory(err);
    } else if (type == CQL_DATE) {
        status = base__fail(
            err, CORM_INVALID,
            "The floor on date values cannot be computed for the %s duration as precision is below 1 "
            "day",
            text);
    } else {
        status = base__fail(
            err, CORM_INVALID,
            "The floor cannot be computed for the %s duration as precision is below 1 millisecond",
            text);
    }
    base__buf_free(&shown);
    return status;
}

static corm_status check_precision(cql_type_id type, corm_duration duration, cql_value value,
                                   corm_error *err) {
    const int64_t finest = 1000000;
    bool          fine = type == CQL_DATE ? duration.ns != 0 : duration.ns % finest != 0;
    return fine ? fail_precision(type, value, err) : CORM_OK;
}

static const char negative[] = "Negative durations are not supported by the floor function";

static corm_status eval_floor(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    cql_type_id type = function->args[0]->id;
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    int64_t       ms = cql__fn_ms(type, args[0]);
    int64_t       start = function->arg_count == 3 ? cql__fn_ms(function->args[2]->id, args[2]) : 0;
    corm_duration duration = cql__fn_duration(args[1]);
    CORM_TRY(check_precision(type, duration, args[1], err));
    if (start > ms) {
        return base__fail(err, CORM_INVALID,
                          "The floor function starting time is greater than the provided time");
    }
    if (is_negative(duration)) return base__fail(err, CORM_INVALID, negative);
    int64_t floor = cql__fn_floor_duration(ms, duration, start);
    if (type == CQL_DATE)
        return cql__fn_give_i32(context, (int32_t)cql__fn_date_of_ms(floor), out, err);
    return cql__fn_give_i64(context, floor, out, err);
}

static corm_status eval_floor_time(const cql_function *function, cql_eval_context *context,
                                   const cql_value *args, cql_value *out, corm_error *err) {
    const int64_t day = INT64_C(86400000000000);
    *out = CQL_NULL;
    if (cql__fn_any_absent(function, args)) return CORM_OK;
    int64_t       time = (int64_t)base__load_u64(args[0].data);
    corm_duration duration = cql__fn_duration(args[1]);
    if (is_negative(duration)) return base__fail(err, CORM_INVALID, negative);
    if (duration.months != 0 || duration.days != 0 || duration.ns > day) {
        return base__fail(
            err, CORM_INVALID,
            "For time values, the floor can only be computed for durations smaller that a day");
    }
    return cql__fn_give_i64(context, duration.ns == 0 ? time : time - time % duration.ns, out, err);
}

static const struct {
    cql_function_eval eval;
    cql_type_id       result;
    uint32_t          count;
    cql_type_id       args[3];
} overloads[] = {
    { eval_floor, CQL_TIMESTAMP, 2, { CQL_TIMESTAMP, CQL_DURATION } },
    { eval_floor, CQL_TIMESTAMP, 3, { CQL_TIMESTAMP, CQL_DURATION, CQL_TIMESTAMP } },
    { eval_floor, CQL_TIMESTAMP, 2, { CQL_TIMEUUID, CQL_DURATION } },
    { eval_floor, CQL_TIMESTAMP, 3, { CQL_TIMEUUID, CQL_DURATION, CQL_TIMESTAMP } },
    { eval_floor, CQL_DATE, 2, { CQL_DATE, CQL_DURATION } },
    { eval_floor, CQL_DATE, 3, { CQL_DATE, CQL_DURATION, CQL_DATE } },
    { eval_floor_time, CQL_TIME, 2, { CQL_TIME, CQL_DURATION } },
};

void cql__fn_floor(cql_fn_list *list) {
    if (!corm_str_equal(list->name, corm_str_of("floor"))) return;
    for (size_t i = 0; i < sizeof overloads / sizeof *overloads; i++) {
        cql_function *function = cql__fn_add_native(list, overloads[i].eval, overloads[i].result,
                                                    overloads[i].count, overloads[i].args);
        if (function) function->is_monotonic = true;
    }
}
