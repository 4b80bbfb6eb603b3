// SPDX-License-Identifier: MIT
/* index_probe.c -- questions to an index: where in it rows are looked for, and whether a row is what was asked for. Pure; any
 * thread. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/index_terms.h"
#include "cql/order.h"

/* ---- LIKE ---- */

bool cql__like_kind(corm_str pattern, cql_like_kind *kind, corm_str *text) {
    bool front = pattern.len > 0 && pattern.data[0] == '%';
    bool back = pattern.len > 1 && pattern.data[pattern.len - 1] == '%';
    *kind = front  ? back ? CQL_LIKE_CONTAINS : CQL_LIKE_SUFFIX
            : back ? CQL_LIKE_PREFIX
                   : CQL_LIKE_MATCHES;
    *text = (corm_str){ pattern.data + front, pattern.len - front - back };
    return text->len > 0;
}

bool cql__index_likes(const cql_index_rules *rules, cql_like_kind kind) {
    if (kind == CQL_LIKE_MATCHES) return rules->has_like;
    if (kind == CQL_LIKE_PREFIX)
        return rules->has_like && !(rules->has_grams && rules->cut != CQL_CUT_NONE);
    return rules->has_grams;
}

static bool has_end(corm_str text, corm_str end) {
    return text.len >= end.len && memcmp(text.data + text.len - end.len, end.data, end.len) == 0;
}

static bool has_part(corm_str text, corm_str part) {
    for (size_t at = 0; at + part.len <= text.len; at++)
        if (memcmp(text.data + at, part.data, part.len) == 0) return true;
    return false;
}

static bool term_is_like(corm_str term, cql_like_kind kind, corm_str wanted) {
    switch (kind) {
    case CQL_LIKE_MATCHES: return corm_str_equal(term, wanted);
    case CQL_LIKE_PREFIX: return base__str_has_prefix(term, wanted);
    case CQL_LIKE_SUFFIX: return has_end(term, wanted);
    default: return has_part(term, wanted);
    }
}

static bool any_is_like(const cql_terms *terms, cql_like_kind kind, corm_str wanted) {
    for (uint32_t i = 0; i < terms->count; i++)
        if (term_is_like(terms->items[i], kind, wanted)) return true;
    return false;
}

static corm_str text_of(cql_value value) {
    return (corm_str){ (const char *)value.data, (size_t)value.len };
}

/* Every word of the pattern must be found. */
static corm_status like_passes(const cql_index_rules *rules, cql_value value, cql_value pattern,
                               base_arena *arena, bool *pass, corm_error *err) {
    cql_like_kind kind;
    corm_str      text;
    cql_terms     wanted, terms;
    *pass = false;
    if (!cql__like_kind(text_of(pattern), &kind, &text)) return CORM_OK;
    if (!cql__index_terms(rules, text, arena, &wanted) ||
        !cql__index_terms(rules, text_of(value), arena, &terms))
        return base__fail_memory(err);
    *pass = wanted.count > 0;
    for (uint32_t i = 0; i < wanted.count && *pass; i++)
        *pass = any_is_like(&terms, kind, wanted.items[i]);
    return CORM_OK;
}

/* ---- rows ---- */

static corm_status same_terms(const cql_index_rules *rules, cql_value a, cql_value b,
                              base_arena *arena, bool *same, corm_error *err) {
    cql_terms x, y;
    if (!cql__index_terms(rules, text_of(a), arena, &x) ||
        !cql__index_terms(rules, text_of(b), arena, &y))
        return base__fail_memory(err);
    *same = x.count == y.count && x.count > 0;
    for (uint32_t i = 0; i < x.count && *same; i++) *same = corm_str_equal(x.items[i], y.items[i]);
    return CORM_OK;
}

static bool order_holds(cql_operator op, int order) {
    switch (op) {
    case CQL_OP_LT: return order < 0;
    case CQL_OP_LTE: return order <= 0;
    case CQL_OP_GT: return order > 0;
    case CQL_OP_GTE: return order >= 0;
    default: return order == 0;
    }
}

/* One value, not null, against another. */
static corm_status value_passes(const cql_index_rules *rules, cql_operator op, const cql_type *type,
                                cql_value value, cql_value term, base_arena *arena, bool *pass,
                                corm_error *err) {
    uint8_t a[16], b[16];
    *pass = false;
    if (rules->skips_empty && value.len == 0) return CORM_OK;
    if (op == CQL_OP_LIKE) return like_passes(rules, value, term, arena, pass, err);
    if (rules->is_text) return same_terms(rules, value, term, arena, pass, err);
    if (rules->is_inet) value = cql__index_address(value, a);
    if (rules->is_inet) term = cql__index_address(term, b);
    *pass = order_holds(op, cql__compare(type, value, term));
    return CORM_OK;
}

corm_status cql__index_passes(const cql_filter *filter, const cql_type *type, cql_value value,
                              cql_value term, base_arena *arena, bool *pass, corm_error *err) {
    const cql_index_rules *rules = &filter->index->rules;
    bool                   keys = filter->op == CQL_OP_CONTAINS_KEY;
    cql_walk               walk;
    cql_value              item;
    if (filter->op != CQL_OP_CONTAINS && !keys)
        return value_passes(rules, filter->op, type, value, term, arena, pass, err);
    bool            values = type->id == CQL_MAP && !keys;
    const cql_type *item_type = type->params[values ? 1 : 0];
    *pass = false;
    CORM_TRY(cql__walk_begin(&walk, type, value, err));
    for (uint32_t at = 0; !*pass && cql__walk_next(&walk, &item); at++) {
        if (item.len < 0 || (type->id == CQL_MAP && (at % 2 == 1) != values)) continue;
        CORM_TRY(value_passes(rules, CQL_OP_EQ, item_type, item, term, arena, pass, err));
    }
    return CORM_OK;
}

/* ---- probes ---- */

bool cql__key_after(base_buf *key) {
    while (key->len > 0 && key->data[key->len - 1] == 0xFF) key->len--;
    if (key->len == 0) return false;
    key->data[key->len - 1]++;
    return true;
}

/* Questions under way: an index, and what is made for it. */
typedef struct asker {
    const cql_index *index;
    base_arena      *arena;
    cql_probes      *out;
} asker;

static bool add_probe(asker *a, cql_probe probe) {
    cql_probes *to = a->out;
    if (to->count == to->capacity) {
        uint32_t   more = to->capacity ? 2 * to->capacity : 2;
        cql_probe *bigger = BASE_NEW_ARRAY(a->arena, cql_probe, more);
        if (!bigger) return false;
        if (to->count) memcpy(bigger, to->items, to->count * sizeof *bigger);
        to->items = bigger;
        to->capacity = more;
    }
    to->items[to->count++] = probe;
    return true;
}

static bool add_keys(asker *a, const cql_keys *keys) {
    for (uint32_t i = 0; i < keys->count; i++)
        if (!add_probe(a, (cql_probe){ .start = keys->items[i] })) return false;
    return true;
}

/* The bytes behind all that begin with the key, in the arena. */
static bool behind(asker *a, corm_bytes key, corm_bytes *out) {
    base_buf buf = { 0 };
    base__buf_put(&buf, key.data, key.len);
    bool ok = !buf.failed;
    *out = (corm_bytes){ 0 };
    if (ok && cql__key_after(&buf)) {
        *out = (corm_bytes){ base__arena_copy(a->arena, buf.data, buf.len), buf.len };
        ok = out->data != NULL;
    }
    base__buf_free(&buf);
    return ok;
}

/* All texts that begin as this key's does; its last byte is the text's end. */
static bool add_beginning(asker *a, corm_bytes key) {
    cql_probe probe = { .is_range = true, .start = { key.data, key.len - 1 } };
    return behind(a, probe.start, &probe.end) && add_probe(a, probe);
}

static size_t characters(corm_str text) {
    size_t count = 0;
    for (size_t at = 0; at < text.len; at = cql__character_end(text, at)) count++;
    return count;
}

/* Its grams, some of many; the filter decides. A term's end is told by the gram of its last two characters, or of the one. */
static bool probe_grams(asker *a, corm_str term, bool is_end) {
    enum { ENOUGH = 6 };
    size_t   count = characters(term), number = 0;
    cql_keys keys = { 0 };
    for (size_t at = 0; at < term.len; at = cql__character_end(term, at), number++) {
        bool is_whole = number + CQL_GRAM <= count;
        bool is_last = is_end && number + 2 >= count;
        if (!is_last && !(is_whole && keys.count < ENOUGH)) continue;
        if (!cql__gram_key(cql__gram_at(term, at), a->arena, &keys)) return false;
    }
    if (keys.count > 0) return add_keys(a, &keys);
    return cql__gram_key(term, a->arena, &keys) && add_beginning(a, keys.items[0]);
}

static bool probe_term(asker *a, cql_like_kind kind, corm_str term) {
    cql_keys keys = { 0 };
    if (kind == CQL_LIKE_SUFFIX || kind == CQL_LIKE_CONTAINS)
        return probe_grams(a, term, kind == CQL_LIKE_SUFFIX);
    if (!cql__term_key(term, a->arena, &keys)) return false;
    return kind == CQL_LIKE_PREFIX ? add_beginning(a, keys.items[0]) : add_keys(a, &keys);
}

static bool probe_like(asker *a, cql_value pattern) {
    cql_like_kind kind;
    corm_str      text;
    cql_terms     terms;
    a->out->none = true;
    if (!cql__like_kind(text_of(pattern), &kind, &text)) return true;
    if (!cql__index_terms(&a->index->rules, text, a->arena, &terms)) return false;
    if (terms.count > 0) a->out->none = false;
    for (uint32_t i = 0; i < terms.count; i++)
        if (!probe_term(a, kind, terms.items[i])) return false;
    return true;
}

/* The usual case: the value is the key. */
static bool probe_value(asker *a, const cql_value *values) {
    base_buf buf = { 0 };
    cql__index_put_key(a->index, values, &buf);
    corm_bytes key = { base__arena_copy(a->arena, buf.data, buf.len), buf.len };
    bool       ok = !buf.failed && key.data && add_probe(a, (cql_probe){ .start = key });
    base__buf_free(&buf);
    return ok;
}

static bool probe_equal(asker *a, const cql_value *values) {
    cql_keys keys = { 0 };
    bool     empty = a->index->rules.skips_empty && values[0].len == 0;
    if (!empty && !cql__index_cuts(a->index)) return probe_value(a, values);
    if (!empty && !cql__index_keys(a->index, values, a->arena, &keys)) return false;
    if (keys.count == 0) a->out->none = true;
    if (keys.count > 1) keys.count = 1; /* the whole term is first, its grams follow */
    return add_keys(a, &keys);
}

/* One end of a range moves the probe. */
static bool set_end(asker *a, cql_operator op, cql_value value, cql_probe *probe) {
    cql_keys   keys = { 0 };
    corm_bytes after;
    if (!cql__index_keys(a->index, &value, a->arena, &keys) || keys.count == 0) return false;
    if (!behind(a, keys.items[0], &after)) return false;
    switch (op) {
    case CQL_OP_GT: probe->start = after; break;
    case CQL_OP_GTE: probe->start = keys.items[0]; break;
    case CQL_OP_LT: probe->end = keys.items[0]; break;
    default: probe->end = after; break;
    }
    return true;
}

static corm_status probe_range(asker *a, const cql_lookup *lookup, cql_eval_env *env,
                               corm_error *err) {
    const cql_filter *filters[2] = { lookup->filter, lookup->also };
    cql_probe         probe = { .is_range = true };
    for (int i = 0; i < 2 && filters[i]; i++) {
        cql_value value;
        CORM_TRY(cql__eval(filters[i]->terms[0], env, &value, err));
        if (!set_end(a, filters[i]->op, value, &probe)) return base__fail_memory(err);
    }
    if (probe.end.len && base__bytes_compare(probe.start, probe.end) >= 0) a->out->none = true;
    return add_probe(a, probe) ? CORM_OK : base__fail_memory(err);
}

corm_status cql__index_probes(const cql_lookup *lookup, cql_eval_env *env, base_arena *arena,
                              cql_probes *out, corm_error *err) {
    const cql_filter *filter = lookup->filter;
    bool              pair = lookup->index->target == CQL_TARGET_ENTRIES;
    asker             a = { lookup->index, arena, out };
    cql_value         values[2];
    if (filter->op >= CQL_OP_LT && filter->op <= CQL_OP_GTE)
        return probe_range(&a, lookup, env, err);
    if (pair) CORM_TRY(cql__eval(filter->element, env, &values[0], err));
    CORM_TRY(cql__eval(filter->terms[0], env, &values[pair], err));
    bool ok = filter->op == CQL_OP_LIKE ? probe_like(&a, values[0]) : probe_equal(&a, values);
    return ok ? CORM_OK : base__fail_memory(err);
}
