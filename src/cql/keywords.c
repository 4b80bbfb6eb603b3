// SPDX-License-Identifier: MIT
/* keywords.c -- looking up keywords and the names of symbols. Pure. */
#include "cql/keywords.h"

#include "cql/parser.h"

typedef struct word {
    const char *text;
    uint8_t     len;
    uint8_t     symbol;
    uint8_t     classes;
} word;

static const word words[] = {
#define WORD(name, spelling, classes) { spelling, sizeof spelling - 1, CQL_K_##name, classes },
#define ALIAS(of, spelling, classes) { spelling, sizeof spelling - 1, of, classes },
    CQL_KEYWORD_MAP(WORD, ALIAS)
#undef WORD
#undef ALIAS
};

static const char *const texts[] = {
#define TEXT(name, spelling, classes) spelling,
    CQL_KEYWORD_MAP(TEXT, TEXT)
#undef TEXT
};

enum { WORDS = sizeof words / sizeof words[0], LONGEST = 14 };

static const char *const symbol_names[CQL_SYMBOL_COUNT] = {
#define SYMBOL(name, shown) [CQL_T_##name] = shown,
    CQL_SYMBOL_MAP(SYMBOL)
#undef SYMBOL
#define KEYWORD(name, spelling, classes) [CQL_K_##name] = "K_" #name,
#define ALIAS(of, spelling, classes)
        CQL_KEYWORD_MAP(KEYWORD, ALIAS)
#undef KEYWORD
};

static const uint8_t classes_of[CQL_SYMBOL_COUNT] = {
#define KEYWORD(name, spelling, classes) [CQL_K_##name] = classes,
    CQL_KEYWORD_MAP(KEYWORD, ALIAS)
#undef KEYWORD
};

static const char *const texts_of[CQL_SYMBOL_COUNT] = {
#define KEYWORD(name, spelling, classes) [CQL_K_##name] = spelling,
    CQL_KEYWORD_MAP(KEYWORD, ALIAS)
#undef KEYWORD
#undef ALIAS
};

/* Where the words of each first letter begin in `words`; the last is the end of those with Z. */
static const uint8_t first_of[27] = {
    0,  14,  20,  33,  44,  47,  56,  58,  59,  72,  73,  77,  82,  89,
    95, 101, 107, 107, 113, 123, 139, 148, 153, 156, 156, 156, 156,
};

static bool same_word(const char *upper, const char *text, size_t len) {
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xdf) != upper[i]) return false;
    }
    return true;
}

cql_symbol cql__keyword(const char *text, size_t len) {
    unsigned letter = ((unsigned)(unsigned char)text[0] | 0x20) - 'a';
    if (len < 2 || len > LONGEST || letter > 25) return CQL_T_IDENT;
    for (unsigned i = first_of[letter]; i < first_of[letter + 1]; i++) {
        if (words[i].len == len && same_word(words[i].text, text, len)) return words[i].symbol;
    }
    return CQL_T_IDENT;
}

unsigned cql__word_class(cql_symbol symbol) {
    return classes_of[symbol];
}

const char *cql__symbol_name(cql_symbol symbol) {
    return symbol_names[symbol];
}

const char *cql__symbol_text(cql_symbol symbol) {
    return texts_of[symbol];
}

const char *const *cql__keywords(size_t *count) {
    *count = WORDS;
    return texts;
}
