// SPDX-License-Identifier: MIT
/* acc.c -- accumulators by their names, and bound to the rows of a stage. Pure. */
#include "aggregate/acc.h"

#include "base/fail.h"
#include "cql/numbers.h"

const agg_acc_ops *agg__acc_named(corm_str name) {
    static const agg_acc_ops *const tables[] = { agg__basic_accs, agg__moment_accs, agg__value_accs,
                                                 agg__sketch_accs };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const agg_acc_ops *ops = tables[i]; ops->name; ops++)
            if (corm_str_equal(corm_str_of(ops->name), name)) return ops;
    return NULL;
}

static corm_str name_of(const agg_node *call) {
    bool distinct = call->distinct && corm_str_equal(call->text, corm_str_of("count"));
    return distinct ? corm_str_of("count_distinct") : call->text;
}

bool agg__acc_is_ordered(const agg_node *call) {
    const agg_acc_ops *ops = agg__acc_named(name_of(call));
    return ops && ops->ordered;
}

static corm_status bind_args(const agg_binding *binding, const agg_node *call, agg_acc *acc,
                             corm_error *err) {
    const agg_acc_ops *ops = acc->ops;
    bool               star = call->count == 1 && call->args[0]->kind == AGG_STAR;
    bool               counts = strcmp(ops->name, "count") == 0;
    if (counts && (star || call->count == 0)) return CORM_OK;
    if (call->count != (uint32_t)ops->args + ops->parameters)
        return base__fail(err, CORM_INVALID, "%s has another number of arguments: %s", ops->name,
                          ops->form);
    for (acc->count = 0; acc->count < ops->args; acc->count++)
        CORM_TRY(agg__bind(binding, call->args[acc->count], &acc->args[acc->count], err));
    if (ops->parameters == 0) return CORM_OK;
    agg_expr *parameter;
    CORM_TRY(agg__bind(binding, call->args[ops->args], &parameter, err));
    if (agg__constant_real(parameter, &acc->parameter)) return CORM_OK;
    return base__fail(err, CORM_INVALID, "%s wants a number: %s", ops->name, ops->form);
}

corm_status agg__acc_bind(const agg_binding *binding, const agg_node *call, corm_str alias,
                          agg_acc *out, corm_error *err) {
    *out = (agg_acc){ .alias = alias };
    if (call->kind == AGG_CALL) out->ops = agg__acc_named(name_of(call));
    if (!out->ops || (call->distinct && strcmp(out->ops->name, "count_distinct") != 0))
        return base__fail(err, CORM_INVALID, "there is no accumulator %s%.*s",
                          call->distinct ? "of different values " : "", (int)call->text.len,
                          call->text.data);
    CORM_TRY(bind_args(binding, call, out, err));
    return out->ops->check(binding, out, err);
}

/* 1.0 and 1.00 are one value: the digits without zeros at their end. */
static cql_value plain_decimal(cql_value value, base_buf *buf) {
    static const uint8_t one[] = { 0, 0, 0, 0, 1 };
    corm_error           ignored;
    base__buf_clear(buf);
    /* A division strips the zeros of its quotient. */
    if (value.len < 5 || cql__decimal_arith(CQL_DIV, value, (cql_value){ one, 5 }, buf, &ignored))
        return value;
    return buf->failed ? value : (cql_value){ buf->data, (int32_t)buf->len };
}

cql_value agg__canonical(const agg_column *column, uint32_t row, int64_t *scratch, base_buf *buf) {
    if (column->rep == AGG_WIRE) {
        cql_value value = column->v.wire[row];
        return column->type->id == CQL_DECIMAL ? plain_decimal(value, buf) : value;
    }
    if (column->rep == AGG_WHOLE) {
        *scratch = column->v.whole[row];
    } else {
        double v = column->v.real[row];
        if (v == 0) v = 0;
        if (v != v) v = (double)__builtin_nanf("");
        memcpy(scratch, &v, sizeof v);
    }
    return (cql_value){ (const uint8_t *)scratch, 8 };
}
