// SPDX-License-Identifier: MIT
/* acc_value.c -- accumulators that keep values: push, add_to_set, count_distinct, mode, median, percentile, top, bottom.
 *
 * Null is passed over by all of them. They grow with the rows of a group: what a group needs must fit into the memory limit.
 * Thread: that of the groups. */
#include <math.h>
#include <stdlib.h>

#include "aggregate/acc.h"
#include "aggregate/set.h"
#include "base/fail.h"
#include "cql/order.h"

/* ---- chains of bytes ---- */

typedef struct piece piece;
struct piece {
    piece   *next;
    uint32_t used, room;
    uint8_t  bytes[];
};

typedef struct chain {
    piece   *first, *last;
    uint64_t count, len;
} chain;

enum { FIRST_PIECE = 64, LARGEST_PIECE = 8192 };

static corm_status add_piece(chain *list, base_arena *arena, size_t len, corm_error *err) {
    size_t room = list->last ? 2 * (size_t)list->last->room : FIRST_PIECE;
    if (room > LARGEST_PIECE) room = LARGEST_PIECE;
    if (room < len) room = len;
    piece *next = base__arena_alloc(arena, sizeof *next + room);
    if (!next) return base__fail_memory(err);
    *next = (piece){ .room = (uint32_t)room };
    if (list->last) {
        list->last->next = next;
    } else {
        list->first = next;
    }
    list->last = next;
    return CORM_OK;
}

/* An item is never cut in two. */
static corm_status add_item(chain *list, base_arena *arena, const void *head, size_t head_len,
                            corm_bytes bytes, corm_error *err) {
    size_t len = head_len + bytes.len;
    if (!list->last || list->last->room - list->last->used < len)
        CORM_TRY(add_piece(list, arena, len, err));
    uint8_t *to = list->last->bytes + list->last->used;
    memcpy(to, head, head_len);
    if (bytes.len > 0) memcpy(to + head_len, bytes.data, bytes.len);
    list->last->used += (uint32_t)len;
    list->count++;
    list->len += len;
    return CORM_OK;
}

/* Takes the other's pieces over; a small one is copied where there is room. */
static corm_status merge_chain(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                               corm_error *err) {
    chain       *list = into;
    const chain *other = from;
    (void)acc;
    (void)arena;
    (void)err;
    if (!other->first) return CORM_OK;
    if (list->last && !other->first->next &&
        list->last->room - list->last->used >= other->first->used) {
        memcpy(list->last->bytes + list->last->used, other->first->bytes, other->first->used);
        list->last->used += other->first->used;
    } else {
        if (list->last) {
            list->last->next = other->first;
        } else {
            list->first = other->first;
        }
        list->last = other->last;
    }
    list->count += other->count;
    list->len += other->len;
    return CORM_OK;
}

static void save_chain(const agg_acc *acc, const void *state, base_buf *out) {
    const chain *list = state;
    (void)acc;
    base__buf_u64(out, list->count);
    base__buf_u64(out, list->len);
    for (const piece *from = list->first; from; from = from->next)
        base__buf_put(out, from->bytes, from->used);
}

static corm_status load_chain(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                              corm_error *err) {
    chain *list = state;
    (void)acc;
    uint64_t   count = base__read_u64(from), len = base__read_u64(from);
    corm_bytes bytes = base__read_bytes(from, (size_t)len);
    if (from->failed || count == 0) return CORM_OK;
    static const uint8_t nothing = 0;
    CORM_TRY(add_item(list, arena, &nothing, 0, bytes, err));
    list->count = count;
    return CORM_OK;
}

/* ---- push ---- */

static corm_status update_push(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                               const agg_column *args, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t scratch[16], head[4];
        if (args[0].null[i]) continue;
        cql_value value = agg__cell(&args[0], i, scratch);
        base__store_u32(head, (uint32_t)value.len);
        CORM_TRY(add_item(AGG_STATE(chain, acc, states[i]), arena, head, 4,
                          (corm_bytes){ value.data, (size_t)value.len }, err));
    }
    return CORM_OK;
}

static corm_status finish_push(const agg_acc *acc, const agg_work *work, const void *state,
                               agg_column *out, uint32_t row) {
    const chain *list = state;
    (void)acc;
    if (list->len > INT32_MAX - 4)
        return base__fail(work->err, CORM_INVALID, "a list is longer than two gigabytes");
    uint8_t *bytes = base__arena_alloc(work->arena, (size_t)list->len + 4), *to = bytes + 4;
    if (!bytes) return base__fail_memory(work->err);
    base__store_u32(bytes, (uint32_t)list->count);
    for (const piece *from = list->first; from; from = from->next) {
        memcpy(to, from->bytes, from->used);
        to += from->used;
    }
    out->v.wire[row] = (cql_value){ bytes, (int32_t)(list->len + 4) };
    return CORM_OK;
}

static const agg_acc_kind push_kind = { sizeof(chain), update_push, merge_chain,
                                        finish_push,   save_chain,  load_chain };

static corm_status check_push(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    const cql_type *element = cql__type_freeze(binding->arena, acc->args[0]->type);
    if (element) acc->type = cql__type_list(binding->arena, element, true);
    acc->kind = &push_kind;
    return acc->type ? CORM_OK : base__fail_memory(err);
}

/* ---- sets: add_to_set, count_distinct, mode ---- */

static corm_status update_set(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                              const agg_column *args, uint32_t count, corm_error *err) {
    base_buf    canonical = { 0 };
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) {
        uint8_t scratch[16];
        int64_t word;
        if (args[0].null[i]) continue;
        cql_value key = agg__canonical(&args[0], i, &word, &canonical);
        cql_value shown = { NULL, 0 };
        if (acc->detail) shown = agg__cell(&args[0], i, scratch);
        if (!agg__set_add(AGG_STATE(agg_set, acc, states[i]), arena,
                          (corm_bytes){ key.data, (size_t)key.len },
                          (corm_bytes){ shown.data, (size_t)shown.len }, 1))
            status = base__fail_memory(err);
    }
    base__buf_free(&canonical);
    return status;
}

static corm_status finish_distinct(const agg_acc *acc, const agg_work *work, const void *state,
                                   agg_column *out, uint32_t row) {
    (void)acc;
    (void)work;
    out->v.whole[row] = (int64_t)((const agg_set *)state)->count;
    return CORM_OK;
}

static cql_value shown_of(const agg_set_item *item) {
    corm_bytes bytes = agg__set_shown(item);
    return (cql_value){ bytes.data, (int32_t)bytes.len };
}

/* The most frequent; of several the least. */
static corm_status finish_mode(const agg_acc *acc, const agg_work *work, const void *state,
                               agg_column *out, uint32_t row) {
    const agg_set_item *best = NULL;
    uint64_t            at = 0;
    (void)work;
    for (const agg_set_item *item; (item = agg__set_next(state, &at)) != NULL;) {
        bool more = !best || item->times > best->times;
        if (!more && item->times == best->times)
            more = cql__compare(acc->args[0]->type, shown_of(item), shown_of(best)) < 0;
        if (more) best = item;
    }
    if (best) {
        agg__set_cell(out, row, shown_of(best));
    } else {
        agg__set_null(out, row);
    }
    return CORM_OK;
}

/* Items with what they sort by. */
typedef struct sorted_item {
    corm_bytes          order;
    const agg_set_item *item;
} sorted_item;

static int compare_items(const void *a, const void *b) {
    const sorted_item *x = a, *y = b;
    size_t             len = x->order.len < y->order.len ? x->order.len : y->order.len;
    int                order = memcmp(x->order.data, y->order.data, len);
    return order ? order : (x->order.len > y->order.len) - (x->order.len < y->order.len);
}

static corm_status sort_set(const agg_acc *acc, const agg_work *work, const agg_set *set,
                            sorted_item *items) {
    base_buf order = { 0 };
    uint64_t at = 0;
    size_t   count = 0;
    for (const agg_set_item *item; (item = agg__set_next(set, &at)) != NULL;) {
        cql_value kept;
        cql__order_put(acc->args[0]->type, shown_of(item), false, &order);
        corm_status status = agg__keep(work, &order, &kept);
        if (status != CORM_OK) {
            base__buf_free(&order);
            return status;
        }
        items[count++] = (sorted_item){ { kept.data, (size_t)kept.len }, item };
    }
    base__buf_free(&order);
    if (count > 1) qsort(items, count, sizeof *items, compare_items);
    return CORM_OK;
}

static corm_status finish_set(const agg_acc *acc, const agg_work *work, const void *state,
                              agg_column *out, uint32_t row) {
    const agg_set *set = state;
    sorted_item   *items = BASE_NEW_ARRAY(work->arena, sorted_item, set->count + 1);
    if (!items) return base__fail_memory(work->err);
    CORM_TRY(sort_set(acc, work, set, items));
    base_buf bytes = { 0 };
    cql_pack pack;
    cql__pack_begin(&pack, acc->type, &bytes);
    for (uint64_t i = 0; i < set->count; i++) cql__pack_item(&pack, shown_of(items[i].item));
    cql__pack_end(&pack);
    corm_status status = agg__keep(work, &bytes, &out->v.wire[row]);
    base__buf_free(&bytes);
    return status;
}

static const agg_acc_kind set_kind = { sizeof(agg_set), update_set,        agg__acc_set_merge,
                                       finish_set,      agg__acc_set_save, agg__acc_set_load };
static const agg_acc_kind distinct_kind = { sizeof(agg_set), update_set,        agg__acc_set_merge,
                                            finish_distinct, agg__acc_set_save, agg__acc_set_load };
static const agg_acc_kind mode_kind = { sizeof(agg_set), update_set,        agg__acc_set_merge,
                                        finish_mode,     agg__acc_set_save, agg__acc_set_load };

static corm_status check_set(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    const cql_type *element = cql__type_freeze(binding->arena, acc->args[0]->type);
    acc->type = element ? cql__type_set(binding->arena, element, true) : NULL;
    acc->kind = &set_kind;
    acc->detail = 1; /* what is shown is kept */
    return acc->type ? CORM_OK : base__fail_memory(err);
}

static corm_status check_distinct(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    (void)binding;
    (void)err;
    acc->type = cql__type_native(CQL_BIGINT);
    acc->kind = &distinct_kind;
    return CORM_OK;
}

static corm_status check_mode(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    (void)binding;
    (void)err;
    acc->type = acc->args[0]->type;
    acc->kind = &mode_kind;
    acc->detail = 1;
    return CORM_OK;
}

/* ---- percentile and median ---- */

static corm_status update_reals(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                                const agg_column *args, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        if (args[0].null[i]) continue;
        CORM_TRY(add_item(AGG_STATE(chain, acc, states[i]), arena, &args[0].v.real[i],
                          sizeof(double), (corm_bytes){ NULL, 0 }, err));
    }
    return CORM_OK;
}

static double *values_of(const chain *list, base_arena *arena) {
    double  *all = base__arena_alloc(arena, (size_t)list->len + sizeof(double));
    uint8_t *to = (uint8_t *)all;
    if (!all) return NULL;
    for (const piece *from = list->first; from; from = from->next) {
        memcpy(to, from->bytes, from->used);
        to += from->used;
    }
    return all;
}

/* NaN is above all. */
static inline bool is_less(double a, double b) {
    return a < b || (a == a && b != b);
}

static void swap(double *a, double *b) {
    double other = *a;
    *a = *b;
    *b = other;
}

static double pivot_of(double *v, size_t low, size_t high) {
    size_t middle = low + (high - low) / 2;
    if (is_less(v[middle], v[low])) swap(&v[middle], &v[low]);
    if (is_less(v[high], v[low])) swap(&v[high], &v[low]);
    if (is_less(v[high], v[middle])) swap(&v[high], &v[middle]);
    return v[middle];
}

/* Hoare's selection: v[k] becomes what it is in order, what is before it is not greater, what is behind it not less. */
static void select_nth(double *v, size_t count, size_t k) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        double pivot = pivot_of(v, low, high);
        size_t i = low, j = high;
        for (;;) {
            while (is_less(v[i], pivot)) i++;
            while (is_less(pivot, v[j])) j--;
            if (i >= j) break;
            swap(&v[i++], &v[j--]);
        }
        if (k <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
}

/* Between the two values that are nearest to the place, as percentile_cont of SQL. */
static corm_status finish_percentile(const agg_acc *acc, const agg_work *work, const void *state,
                                     agg_column *out, uint32_t row) {
    const chain *list = state;
    if (list->count == 0) {
        agg__set_null(out, row);
        return CORM_OK;
    }
    double *v = values_of(list, work->arena);
    if (!v) return base__fail_memory(work->err);
    double place = acc->parameter * (double)(list->count - 1);
    size_t below = (size_t)place;
    select_nth(v, (size_t)list->count, below);
    double least = v[below];
    if (place > (double)below) {
        double above = v[below + 1];
        for (size_t i = below + 2; i < list->count; i++)
            if (is_less(v[i], above)) above = v[i];
        least += (above - least) * (place - (double)below);
    }
    out->v.real[row] = least;
    return CORM_OK;
}

static const agg_acc_kind percentile_kind = { sizeof(chain),     update_reals, merge_chain,
                                              finish_percentile, save_chain,   load_chain };

static corm_status check_percentile(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    if (acc->ops->parameters == 0) acc->parameter = 0.5;
    if (!(acc->parameter >= 0 && acc->parameter <= 1))
        return base__fail(err, CORM_INVALID, "%s wants a part from 0 to 1", acc->ops->name);
    if (!agg__is_number(acc->args[0]->type))
        return base__fail(err, CORM_INVALID, "%s wants numbers", acc->ops->name);
    acc->type = cql__type_native(CQL_DOUBLE);
    acc->kind = &percentile_kind;
    return agg__convert(binding, &acc->args[0], acc->type, err);
}

/* ---- top, bottom ---- */

/* The best values that were met, the best first. */
typedef struct best {
    uint32_t count, room;
    int64_t *values; /* or the bits of doubles */
} best;

static bool is_better(const agg_acc *acc, int64_t a, int64_t b) {
    bool top = acc->detail > 0;
    if (agg__rep(acc->args[0]->type) == AGG_WHOLE) return top ? a > b : a < b;
    double x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return top ? is_less(y, x) : is_less(x, y);
}

static corm_status add_best(const agg_acc *acc, best *state, base_arena *arena, int64_t v,
                            corm_error *err) {
    uint32_t most = (uint32_t)acc->parameter;
    if (!state->values) {
        state->values = BASE_NEW_ARRAY(arena, int64_t, most + 1);
        if (!state->values) return base__fail_memory(err);
        state->room = most;
    }
    if (state->count == most && !is_better(acc, v, state->values[most - 1])) return CORM_OK;
    uint32_t at = state->count;
    while (at > 0 && is_better(acc, v, state->values[at - 1])) {
        state->values[at] = state->values[at - 1];
        at--;
    }
    state->values[at] = v;
    if (state->count < most) state->count++;
    return CORM_OK;
}

static corm_status update_best(const agg_acc *acc, base_arena *arena, uint8_t *const *states,
                               const agg_column *args, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++)
        if (!args[0].null[i])
            CORM_TRY(
                add_best(acc, AGG_STATE(best, acc, states[i]), arena, args[0].v.whole[i], err));
    return CORM_OK;
}

static corm_status merge_best(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                              corm_error *err) {
    const best *other = from;
    for (uint32_t i = 0; i < other->count; i++)
        CORM_TRY(add_best(acc, into, arena, other->values[i], err));
    return CORM_OK;
}

static corm_status finish_best(const agg_acc *acc, const agg_work *work, const void *state,
                               agg_column *out, uint32_t row) {
    const best *held = state;
    base_buf    bytes = { 0 };
    cql_pack    pack;
    uint8_t     no = 0, scratch[16];
    int64_t     word;
    agg_column  cell = { .type = acc->args[0]->type,
                         .rep = agg__rep(acc->args[0]->type),
                         .null = &no,
                         .v = { .whole = &word } };
    cql__pack_begin(&pack, acc->type, &bytes);
    for (uint32_t i = 0; i < held->count; i++) {
        word = held->values[i];
        cql__pack_item(&pack, agg__cell(&cell, 0, scratch));
    }
    cql__pack_end(&pack);
    corm_status status = agg__keep(work, &bytes, &out->v.wire[row]);
    base__buf_free(&bytes);
    return status;
}

static void save_best(const agg_acc *acc, const void *state, base_buf *out) {
    const best *held = state;
    (void)acc;
    base__buf_u32(out, held->count);
    for (uint32_t i = 0; i < held->count; i++) base__buf_u64(out, (uint64_t)held->values[i]);
}

static corm_status load_best(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                             corm_error *err) {
    uint32_t count = base__read_u32(from);
    for (uint32_t i = 0; i < count && !from->failed; i++)
        CORM_TRY(add_best(acc, state, arena, (int64_t)base__read_u64(from), err));
    return CORM_OK;
}

static const agg_acc_kind best_kind = { sizeof(best), update_best, merge_best,
                                        finish_best,  save_best,   load_best };

static corm_status check_best(const agg_binding *binding, agg_acc *acc, corm_error *err) {
    const cql_type *type = acc->args[0]->type;
    if (agg__rep(type) == AGG_WIRE)
        return base__fail(err, CORM_INVALID, "%s wants numbers or times", acc->ops->name);
    if (!(acc->parameter >= 1 && acc->parameter <= 100000) ||
        acc->parameter != floor(acc->parameter))
        return base__fail(err, CORM_INVALID, "%s wants a count from 1 to 100000", acc->ops->name);
    acc->detail = acc->ops->name[0] == 't' ? 1 : -1;
    acc->type = cql__type_list(binding->arena, type, true);
    acc->kind = &best_kind;
    return acc->type ? CORM_OK : base__fail_memory(err);
}

const agg_acc_ops agg__value_accs[] = {
    { "push", 1, 0, true, check_push, "push(a)", "a list of all values, in the order of the rows" },
    { "add_to_set", 1, 0, false, check_set, "add_to_set(a)", "a set of the different values" },
    { "count_distinct", 1, 0, false, check_distinct, "count_distinct(a), count(DISTINCT a)",
      "how many different values" },
    { "mode", 1, 0, false, check_mode, "mode(a)", "the most frequent value; of several the least" },
    { "median", 1, 0, false, check_percentile, "median(a)", "percentile(a, 0.5)" },
    { "percentile", 1, 1, false, check_percentile, "percentile(a, 0.9)",
      "exact, between the two nearest values" },
    { "top", 1, 1, false, check_best, "top(a, 3)", "a list of the greatest, the greatest first" },
    { "bottom", 1, 1, false, check_best, "bottom(a, 3)", "a list of the least, the least first" },
    { .name = NULL },
};
