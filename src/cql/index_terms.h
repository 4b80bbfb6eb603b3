// SPDX-License-Identifier: MIT
/* index_terms.h -- what an index keeps of a value, and what it is asked for: between the classes of indexes and a B-tree.
 *
 *   value ──cut, fold──> terms ──> keys        what is stored (the engine puts a storage id in front and the row's key behind)
 *   WHERE ─────────────> terms ──> probes      the key, or the stretch of keys, where rows are looked for
 *
 * A key is the order form of the whole value (cql/order.h), or of a term: analyzed text; an address as IPv6. SASI's mode CONTAINS
 * has more keys, each for three characters of a term that follow one another (fewer at its end) behind the byte 04: for n characters
 * n short keys, where the suffixes of the term would take n² bytes. Pure; everything made lives in the caller's arena. */
#ifndef CQL_INDEX_TERMS_H
#define CQL_INDEX_TERMS_H

#include "cql/eval.h"

enum {
    CQL_LONGEST_WORD = 255,  /* longer ones are no words */
    CQL_LONGEST_TERM = 1023, /* of SASI, in bytes; longer ones are in no answer */
    CQL_GRAM = 3,            /* characters */
    CQL_GRAM_MARK = 0x04, /* in front of a gram's key; terms begin with an order mark, at most 03 */
};

/* Sets index->rules. */
void cql__index_rules(cql_index *index);

/* Whether rows can be looked for in its entries: not when an older Corm made other ones, which SASI's of a descending text may be. */
static inline bool cql__index_is_usable(const cql_index *index) {
    bool is_text = index->column->type->id == CQL_TEXT || index->column->type->id == CQL_ASCII;
    if (index->rules.class_id == CQL_INDEX_SASI && is_text && index->column->descending)
        return false;
    return index->by_terms || !index->rules.is_own;
}

/* ---- terms ---- */

/* The next word, or the next part that is not empty, from *at on, which moves behind it. */
bool cql__next_word(corm_str text, size_t *at, corm_str *word);
bool cql__next_part(corm_str text, corm_str delimiter, size_t *at, corm_str *part);

typedef struct cql_terms {
    corm_str *items;
    uint32_t  count, capacity;
} cql_terms;

/* What the index's analyzer makes of a text; false when memory is exhausted. */
bool cql__index_terms(const cql_index_rules *rules, corm_str text, base_arena *arena,
                      cql_terms *out);

/* ---- LIKE ---- */

typedef enum cql_like_kind {
    CQL_LIKE_MATCHES,
    CQL_LIKE_PREFIX,
    CQL_LIKE_SUFFIX,
    CQL_LIKE_CONTAINS
} cql_like_kind;

/* Takes % off both ends; false when nothing is left. */
bool cql__like_kind(corm_str pattern, cql_like_kind *kind, corm_str *text);
bool cql__index_likes(const cql_index_rules *rules, cql_like_kind kind);

/* ---- keys and probes ---- */

typedef struct cql_keys {
    corm_bytes *items;
    uint32_t    count, capacity;
} cql_keys;

/* Adds the keys of a value; of two values for the entries of a map. Some may be equal. False when memory is exhausted. */
bool cql__index_keys(const cql_index *index, const cql_value *values, base_arena *arena,
                     cql_keys *out);

/* Rows stand at the key `start`, or at keys in [start, end), where an empty end is that of the index. */
typedef struct cql_probe {
    bool       is_range;
    corm_bytes start, end;
} cql_probe;

typedef struct cql_probes {
    bool       none;  /* no row can match */
    cql_probe *items; /* a row must be found by each */
    uint32_t   count, capacity;
} cql_probes;

/* Whether a value has any number of keys, each a term's; otherwise it has the one that cql__index_put_key appends. */
static inline bool cql__index_cuts(const cql_index *index) {
    return index->by_terms && index->rules.is_text;
}
void cql__index_put_key(const cql_index *index, const cql_value *values, base_buf *out);

/* The parts of that: keys of one term and of one gram; the gram and the end of the character that begin at a place; an address as
 * IPv6. */
bool      cql__term_key(corm_str term, base_arena *arena, cql_keys *out);
bool      cql__gram_key(corm_str gram, base_arena *arena, cql_keys *out);
corm_str  cql__gram_at(corm_str text, size_t at);
size_t    cql__character_end(corm_str text, size_t at);
cql_value cql__index_address(cql_value value, uint8_t room[16]);

/* Where a lookup's filter sends to. The filters have passed cql__check_filters. */
CORM_CHECKED corm_status cql__index_probes(const cql_lookup *lookup, cql_eval_env *env,
                                           base_arena *arena, cql_probes *out, corm_error *err);

/* The smallest bytes behind all that begin with these; false when there are none. */
bool cql__key_after(base_buf *key);

/* Whether `value op term` holds as the index compares: its filters ask this of each row. */
CORM_CHECKED corm_status cql__index_passes(const cql_filter *filter, const cql_type *type,
                                           cql_value value, cql_value term, base_arena *arena,
                                           bool *pass, corm_error *err);

/* Types of the values that an entry is made of: one, or two for the entries of a map. */
uint32_t cql__index_types(const cql_index *index, const cql_type *types[2]);

#endif
