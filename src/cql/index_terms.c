// SPDX-License-Identifier: MIT
/* index_terms.c -- classes and options of indexes, the terms of values and the keys of terms. Pure; any thread. */
#include "cql/index_terms.h"

#include "base/text.h"
#include "cql/ddl_index.h"
#include "cql/order.h"
#include "cql/schema_build.h"
#include "cql/text_fold.h"

/* ---- rules ---- */

static corm_str option(const cql_index *index, const char *name) {
    cql_map_option options = { index->option_count, index->options };
    return cql__map_option_get(&options, name);
}

static bool option_is(const cql_index *index, const char *name, const char *value) {
    return base__str_equal_nocase(option(index, name), corm_str_of(value));
}

static bool is_text(const cql_type *type) {
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}

/* Types whose empty value means nothing. */
static bool empty_is_nothing(const cql_type *type) {
    switch (type->id) {
    case CQL_TEXT:
    case CQL_ASCII:
    case CQL_BLOB:
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
    case CQL_VECTOR: return false;
    default: return true;
    }
}

uint32_t cql__index_types(const cql_index *index, const cql_type *types[2]) {
    const cql_type *type = index->column->type;
    switch (index->target) {
    case CQL_TARGET_KEYS: types[0] = type->params[0]; return 1;
    case CQL_TARGET_VALUES: types[0] = type->params[type->id == CQL_MAP]; return 1;
    case CQL_TARGET_ENTRIES:
        types[0] = type->params[0];
        types[1] = type->params[1];
        return 2;
    default: types[0] = type; return 1;
    }
}

/* Storage-attached indexes keep the order of these types; the server takes a descending column of uuids for one of them. */
static bool sai_has_ranges(const cql_column *column, const cql_type *type) {
    if (type->id == CQL_UUID) return column->descending;
    return empty_is_nothing(type) && type->id != CQL_BOOLEAN;
}

static void sai_rules(const cql_index *index, cql_index_rules *rules) {
    const cql_type *types[2];
    bool            is_pair = cql__index_types(index, types) == 2;
    rules->is_inet = !is_pair && types[0]->id == CQL_INET;
    rules->skips_empty = !is_pair && empty_is_nothing(types[0]);
    rules->has_ranges = !is_pair && sai_has_ranges(index->column, types[0]);
    if (option_is(index, "case_sensitive", "false")) rules->fold |= CQL_FOLD_LOWER;
    if (option_is(index, "normalize", "true")) rules->fold |= CQL_FOLD_NFC;
    if (option_is(index, "ascii", "true")) rules->fold |= CQL_FOLD_ASCII;
    rules->is_text = rules->fold != 0;
    rules->is_own = rules->is_text || rules->is_inet;
}

static void standard_rules(const cql_index *index, cql_index_rules *rules) {
    rules->cut = CQL_CUT_WORDS;
    rules->fold = CQL_FOLD_NFC;
    if (option_is(index, "tokenization_normalize_lowercase", "true")) rules->fold |= CQL_FOLD_LOWER;
    if (option_is(index, "tokenization_normalize_uppercase", "true")) rules->fold |= CQL_FOLD_UPPER;
}

static void whole_rules(const cql_index *index, cql_index_rules *rules) {
    rules->fold = CQL_FOLD_NFC;
    if (option_is(index, "normalize_uppercase", "true")) rules->fold |= CQL_FOLD_UPPER;
    if (option_is(index, "normalize_lowercase", "true") ||
        (option(index, "case_sensitive").data && !option_is(index, "case_sensitive", "true")))
        rules->fold |= CQL_FOLD_LOWER;
}

static void analyzer_rules(const cql_index *index, cql_index_rules *rules) {
    corm_str class = option(index, "analyzer_class");
    corm_str package = corm_str_of("org.apache.cassandra.index.sasi.analyzer.");
    bool     analyzed = class.data || option(index, "analyzed").data;
    if (option(index, "analyzed").data && !option_is(index, "analyzed", "true")) analyzed = false;
    if (!analyzed) return;
    if (class.len > package.len)
        class = (corm_str){ class.data + package.len, class.len - package.len };
    if (!class.data || corm_str_equal(class, corm_str_of("StandardAnalyzer")))
        standard_rules(index, rules);
    else if (corm_str_equal(class, corm_str_of("NonTokenizingAnalyzer")))
        whole_rules(index, rules);
    else if (corm_str_equal(class, corm_str_of("DelimiterAnalyzer"))) {
        rules->cut = CQL_CUT_PARTS;
        rules->delimiter = option(index, "delimiter");
        if (!rules->delimiter.len) rules->delimiter = corm_str_of(",");
    }
}

/* The server does not see a text in the reversed type of a descending column. */
static void sasi_rules(const cql_index *index, cql_index_rules *rules) {
    bool contains = option_is(index, "mode", "contains");
    bool literal = is_text(index->column->type) && !index->column->descending;
    if (option(index, "is_literal").data) literal = option_is(index, "is_literal", "true");
    rules->skips_empty = true;
    rules->is_text = literal && is_text(index->column->type);
    rules->has_ranges = !literal && !contains;
    rules->has_like = rules->is_text;
    rules->has_grams = rules->is_text && contains;
    rules->is_own = rules->is_text;
    if (rules->is_text) analyzer_rules(index, rules);
}

void cql__index_rules(cql_index *index) {
    cql_index_rules rules = { .class_id = CQL_INDEX_LEGACY };
    if (cql__is_sai(index->class_name)) rules.class_id = CQL_INDEX_SAI;
    if (cql__is_sasi(index->class_name)) rules.class_id = CQL_INDEX_SASI;
    if (rules.class_id == CQL_INDEX_SAI && index->column->type->id != CQL_VECTOR)
        sai_rules(index, &rules);
    if (rules.class_id == CQL_INDEX_SASI) sasi_rules(index, &rules);
    /* An entry for partitions that have static columns alone. */
    if (index->column->kind == CQL_PARTITION_KEY) rules.is_own = true;
    index->rules = rules;
}

/* ---- terms ---- */

/* Makes room for one item more in an array of the arena. */
static bool grow(base_arena *arena, void **items, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) return true;
    uint32_t more = *capacity ? 2 * *capacity : 4;
    void    *bigger = base__arena_calloc(arena, more, size);
    if (!bigger) return false;
    if (count) memcpy(bigger, *items, count * size);
    *items = bigger;
    *capacity = more;
    return true;
}

static bool add_term(const cql_index_rules *rules, corm_str text, base_arena *arena,
                     cql_terms *out) {
    base_buf folded = { 0 };
    void    *items = out->items;
    bool     ok = grow(arena, &items, out->count, &out->capacity, sizeof *out->items);
    out->items = items;
    if (rules->fold) cql__fold_text(rules->fold, text, &folded);
    if (rules->fold) text = base__buf_str(&folded);
    bool wanted = rules->class_id != CQL_INDEX_SASI || (text.len && text.len <= CQL_LONGEST_TERM);
    if (ok && wanted && !folded.failed) {
        corm_str copy = base__arena_str(arena, text);
        ok = copy.data != NULL;
        out->items[out->count++] = copy;
    }
    ok = ok && !folded.failed;
    base__buf_free(&folded);
    return ok;
}

bool cql__index_terms(const cql_index_rules *rules, corm_str text, base_arena *arena,
                      cql_terms *out) {
    size_t   at = 0;
    corm_str part;
    *out = (cql_terms){ 0 };
    if (rules->cut == CQL_CUT_NONE) return add_term(rules, text, arena, out);
    while (rules->cut == CQL_CUT_WORDS ? cql__next_word(text, &at, &part)
                                       : cql__next_part(text, rules->delimiter, &at, &part))
        if (!add_term(rules, part, arena, out)) return false;
    return true;
}

/* ---- keys ---- */

static bool take_key(base_buf *buf, base_arena *arena, cql_keys *out) {
    void *items = out->items;
    bool  ok = !buf->failed && grow(arena, &items, out->count, &out->capacity, sizeof *out->items);
    out->items = items;
    if (ok) {
        corm_bytes key = { base__arena_copy(arena, buf->data, buf->len), buf->len };
        ok = key.data != NULL;
        out->items[out->count++] = key;
    }
    base__buf_free(buf);
    return ok;
}

bool cql__term_key(corm_str term, base_arena *arena, cql_keys *out) {
    base_buf buf = { 0 };
    cql__order_put(cql__type_native(CQL_TEXT),
                   cql__value_of((corm_bytes){ (const uint8_t *)term.data, term.len }), false,
                   &buf);
    return take_key(&buf, arena, out);
}

bool cql__gram_key(corm_str gram, base_arena *arena, cql_keys *out) {
    base_buf buf = { 0 };
    base__buf_u8(&buf, CQL_GRAM_MARK);
    cql__order_put(cql__type_native(CQL_TEXT),
                   cql__value_of((corm_bytes){ (const uint8_t *)gram.data, gram.len }), false,
                   &buf);
    return take_key(&buf, arena, out);
}

size_t cql__character_end(corm_str text, size_t at) {
    if (at < text.len) at++;
    while (at < text.len && ((uint8_t)text.data[at] & 0xC0) == 0x80) at++;
    return at;
}

corm_str cql__gram_at(corm_str text, size_t at) {
    size_t end = at;
    for (int i = 0; i < CQL_GRAM; i++) end = cql__character_end(text, end);
    return (corm_str){ text.data + at, end - at };
}

static bool add_text_keys(const cql_index *index, cql_value value, base_arena *arena,
                          cql_keys *out) {
    cql_terms terms;
    corm_str  text = { (const char *)value.data, (size_t)value.len };
    if (!cql__index_terms(&index->rules, text, arena, &terms)) return false;
    for (uint32_t i = 0; i < terms.count; i++) {
        corm_str term = terms.items[i];
        if (!cql__term_key(term, arena, out)) return false;
        if (!index->rules.has_grams) continue;
        for (size_t at = 0; at < term.len; at = cql__character_end(term, at))
            if (!cql__gram_key(cql__gram_at(term, at), arena, out)) return false;
    }
    return true;
}

cql_value cql__index_address(cql_value value, uint8_t room[16]) {
    if (value.len != 4) return value;
    memset(room, 0, 10);
    memset(room + 10, 0xFF, 2);
    memcpy(room + 12, value.data, 4);
    return (cql_value){ room, 16 };
}

void cql__index_put_key(const cql_index *index, const cql_value *values, base_buf *out) {
    const cql_type *types[2];
    uint8_t         address[16];
    uint32_t        count = cql__index_types(index, types);
    for (uint32_t i = 0; i < count; i++) {
        cql_value value = values[i];
        if (index->by_terms && index->rules.is_inet) value = cql__index_address(value, address);
        cql__order_put(types[i], value, false, out);
    }
}

bool cql__index_keys(const cql_index *index, const cql_value *values, base_arena *arena,
                     cql_keys *out) {
    base_buf buf = { 0 };
    if (cql__index_cuts(index)) return add_text_keys(index, values[0], arena, out);
    cql__index_put_key(index, values, &buf);
    return take_key(&buf, arena, out);
}
