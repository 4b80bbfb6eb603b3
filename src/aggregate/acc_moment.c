// SPDX-License-Identifier: MIT
/* acc_moment.c -- variance, deviation, covariance and correlation in one pass (Welford), whose parts come together exactly as Chan,
 * Golub and LeVeque have them. Rows in which an argument is null are passed over. Thread: that of the groups. */
#include <math.h>

#include "aggregate/acc.h"
#include "base/fail.h"

typedef enum moment {
    VAR_POP,
    VAR_SAMP,
    STDDEV_POP,
    STDDEV_SAMP,
    COVAR_POP,
    COVAR_SAMP,
    CORR
} moment;

typedef struct moments {
    int64_t count;
    double  mean_x, mean_y, xx, yy, xy;
} moments;

static inline void add(moments *m, double x, double y) {
    double n = (double)++m->count;
    double dx = x - m->mean_x, dy = y - m->mean_y;
    m->mean_x += dx / n;
    m->mean_y += dy / n;
    m->xx += dx * (x - m->mean_x);
    m->yy += dy * (y - m->mean_y);
    m->xy += dx * (y - m->mean_y);
}

static corm_status update(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                          const agg_column *args, uint32_t count, corm_error *err) {
    const double *x = args[0].v.real, *y = acc->count == 2 ? args[1].v.real : x;
    (void)arena;
    (void)err;
    for (uint32_t i = 0; i < count; i++) {
        if (args[0].null[i] || args[acc->count - 1].null[i]) continue;
        add(AGG_STATE(moments, acc, states[i]), x[i], y[i]);
    }
    return CORM_OK;
}

static corm_status merge(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                         corm_error *err) {
    moments       *a = into;
    const moments *b = from;
    (void)acc;
    (void)arena;
    (void)err;
    if (b->count == 0) return CORM_OK;
    double n = (double)a->count + (double)b->count;
    double dx = b->mean_x - a->mean_x, dy = b->mean_y - a->mean_y;
    double weight = (double)a->count * (double)b->count / n;
    a->xx += b->xx + dx * dx * weight;
    a->yy += b->yy + dy * dy * weight;
    a->xy += b->xy + dx * dy * weight;
    a->mean_x += dx * (double)b->count / n;
    a->mean_y += dy * (double)b->count / n;
    a->count += b->count;
    return CORM_OK;
}

static double result(moment which, const moments *m, bool *null) {
    double n = (double)m->count;
    bool   samp = which == VAR_SAMP || which == STDDEV_SAMP || which == COVAR_SAMP;
    *null = m->count < (samp ? 2 : 1);
    if (*null) return 0;
    double by = samp ? n - 1 : n;
    switch (which) {
    case VAR_POP:
    case VAR_SAMP: return m->xx / by;
    case STDDEV_POP:
    case STDDEV_SAMP: return sqrt(m->xx / by);
    case COVAR_POP:
    case COVAR_SAMP: return m->xy / by;
    default:
        *null = !(m->xx > 0 && m->yy > 0);
        return *null ? 0 : m->xy / sqrt(m->xx) / sqrt(m->yy);
    }
}

static corm_status finish(const agg_acc *acc, const agg_work *work, const void *state,
                          agg_column *out, uint32_t row) {
    bool null;
    (void)work;
    out->v.real[row] = result((moment)acc->detail, state, &null);
    out->null[row] = null;
    return CORM_OK;
}

static const agg_acc_kind kind = { sizeof(moments), update, merge, finish, NULL, NULL };

static corm_status check(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    static const char *const names[] = { "var_pop",   "var_samp",   "stddev_pop", "stddev_samp",
                                         "covar_pop", "covar_samp", "corr" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], acc->ops->name) == 0) acc->detail = (int32_t)i;
    acc->type = cql__type_native(CQL_DOUBLE);
    acc->kind = &kind;
    for (uint32_t i = 0; i < acc->count; i++) {
        if (!agg__is_number(acc->args[i]->type) && !agg__is_null_constant(acc->args[i]))
            return base__fail(err, CORM_INVALID, "%s wants numbers", acc->ops->name);
        CORM_TRY(agg__convert(binding, &acc->args[i], acc->type, err));
    }
    return CORM_OK;
}

const agg_acc_ops agg__moment_accs[] = {
    { "var_pop", 1, 0, false, check, "var_pop(a)", "variance of a whole population" },
    { "var_samp", 1, 0, false, check, "var_samp(a)",
      "variance of a sample; null below two values" },
    { "stddev_pop", 1, 0, false, check, "stddev_pop(a)", "square root of var_pop" },
    { "stddev_samp", 1, 0, false, check, "stddev_samp(a)", "square root of var_samp" },
    { "covar_pop", 2, 0, false, check, "covar_pop(a, b)", "covariance of a whole population" },
    { "covar_samp", 2, 0, false, check, "covar_samp(a, b)", "covariance of a sample" },
    { "corr", 2, 0, false, check, "corr(a, b)",
      "Pearson's coefficient; null where a or b does not vary" },
    { .name = NULL },
};
