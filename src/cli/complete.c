// SPDX-License-Identifier: MIT
/* complete.c -- see complete.h. The words before the place decide: behind FROM come tables, behind USE keyspaces, behind a
 * keyword what follows it by the grammar, elsewhere columns of the statement's table, functions and keywords. */
#include "cli/complete.h"

#include <stdlib.h>
#include <strings.h>

#include "base/text.h"
#include "cli/shell.h"
#include "cql/functions.h"
#include "cql/parser.h"

enum { MAX_TOKENS = 512, MAX_WORDS = 4096 };

typedef struct completing {
    corm_session   *session;
    base_arena     *arena;
    cql_token       tokens[MAX_TOKENS]; /* before the place, without the word at it */
    uint32_t        count;
    corm_str        prefix;          /* the word at the place */
    bool            first;           /* nothing stands before */
    corm_str        keyspace, table; /* of the statement; empty when not known */
    cli_completion *out;
} completing;

/* ---- words ---- */

static void add(completing *c, corm_str word) {
    if (c->out->count == MAX_WORDS || word.len < c->prefix.len) return;
    if (c->prefix.len && strncasecmp(word.data, c->prefix.data, c->prefix.len) != 0) return;
    word = base__arena_str(c->arena, word);
    if (word.data) c->out->words[c->out->count++] = word;
}

/* A name as it must be written: in quotes where it needs them. */
static void add_name(completing *c, const char *name) {
    base_buf text = { 0 };
    cql__put_name(&text, corm_str_of(name));
    add(c, base__buf_str(&text));
    base__buf_free(&text);
}

/* In the case in which the word was begun. */
static void add_keyword(completing *c, const char *keyword) {
    char   word[64];
    bool   lower = c->prefix.len && c->prefix.data[0] >= 'a' && c->prefix.data[0] <= 'z';
    size_t len = strlen(keyword);
    if (len >= sizeof word) return;
    for (size_t i = 0; i <= len; i++)
        word[i] =
            lower && keyword[i] >= 'A' && keyword[i] <= 'Z' ? (char)(keyword[i] + 32) : keyword[i];
    add(c, (corm_str){ word, len });
}

static void add_list(completing *c, const char *list) {
    while (*list) {
        char   word[64];
        size_t len = strcspn(list, " ");
        snprintf(word, sizeof word, "%.*s", (int)len, list);
        add_keyword(c, word);
        list += len + (list[len] == ' ');
    }
}

/* ---- names of the schema ---- */

static void add_keyspaces(completing *c) {
    const char *const *names;
    uint32_t           count;
    if (corm_keyspaces(c->session, &names, &count, NULL) != CORM_OK) return;
    for (uint32_t i = 0; i < count; i++) add_name(c, names[i]);
    corm_names_free(names);
}

static const char *text_of(completing *c, corm_str text) {
    corm_str copy = base__arena_str(c->arena, text);
    return copy.data ? copy.data : "";
}

static void add_tables(completing *c, const char *keyspace) {
    const char *const *names;
    uint32_t           count;
    if (!*keyspace || corm_tables(c->session, keyspace, &names, &count, NULL) != CORM_OK) return;
    for (uint32_t i = 0; i < count; i++) add_name(c, names[i]);
    corm_names_free(names);
}

static void add_columns(completing *c) {
    const corm_table_info *table;
    const char            *keyspace =
        c->keyspace.len ? text_of(c, c->keyspace) : corm_session_keyspace(c->session);
    if (!c->table.len || !*keyspace) return;
    if (corm_table_read(c->session, keyspace, text_of(c, c->table), &table, NULL) != CORM_OK)
        return;
    for (uint32_t i = 0; i < table->column_count; i++) add_name(c, table->columns[i].name);
    corm_table_free(table);
}

static void add_functions(completing *c) {
    size_t             count;
    const char *const *names = cql__function_names(&count);
    for (size_t i = 0; i < count; i++)
        if (names[i][0] != '_') add(c, corm_str_of(names[i]));
}

static void add_keywords(completing *c) {
    size_t             count;
    const char *const *keywords = cql__keywords(&count);
    for (size_t i = 0; i < count; i++) add_keyword(c, keywords[i]);
}

/* ---- what stands before ---- */

static bool is(const cql_token *token, const char *word) {
    return token->kind != CQL_TOKEN_QUOTED &&
           base__str_equal_nocase(token->text, corm_str_of(word));
}

static bool is_name(const cql_token *token) {
    return token->kind == CQL_TOKEN_IDENT || token->kind == CQL_TOKEN_QUOTED;
}

static corm_str name_of(completing *c, const cql_token *token) {
    bool     quoted = token->kind == CQL_TOKEN_QUOTED && token->text.len >= 2;
    corm_str text = base__arena_str(c->arena, token->text);
    if (!text.data) return (corm_str){ 0 };
    if (quoted) return (corm_str){ text.data + 1, text.len - 2 };
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'Z') ((char *)(uintptr_t)text.data)[i] += 32;
    return text;
}

static bool names_table(const cql_token *token) {
    return is(token, "FROM") || is(token, "INTO") || is(token, "UPDATE") || is(token, "ON");
}

/* The table of the statement, from wherever it is named. */
static void find_table(completing *c, corm_str text) {
    cql_lexer lexer;
    cql_token token, before = { .kind = CQL_TOKEN_END };
    cql__lexer_init(&lexer, text);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         cql__lexer_next(&lexer, &token)) {
        if (names_table(&before) && is_name(&token)) {
            c->table = name_of(c, &token);
            cql__lexer_next(&lexer, &token);
            if (token.text.len == 1 && token.text.data[0] == '.') {
                cql__lexer_next(&lexer, &token);
                c->keyspace = c->table;
                c->table = is_name(&token) ? name_of(c, &token) : (corm_str){ 0 };
            }
            return;
        }
        before = token;
    }
}

static void read_before(completing *c, corm_str text, size_t at) {
    cql_lexer lexer;
    cql_token token;
    cql__lexer_init(&lexer, (corm_str){ text.data, at });
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END && c->count < MAX_TOKENS;
         cql__lexer_next(&lexer, &token)) {
        bool touches = token.offset + token.text.len == at;
        bool opened = token.kind == CQL_TOKEN_ERROR && token.text.len && token.text.data[0] == '"';
        if (touches && (is_name(&token) || token.kind == CQL_TOKEN_BOOLEAN || opened))
            c->prefix = token.text;
        else
            c->tokens[c->count++] = token;
    }
    c->first = c->count == 0;
}

static const cql_token *back(const completing *c, uint32_t steps) {
    static const cql_token none = { .kind = CQL_TOKEN_END };
    return steps <= c->count ? &c->tokens[c->count - steps] : &none;
}

/* ---- rules ---- */

static const char beginnings[] = "ALTER APPLY BEGIN CREATE DELETE DESC DESCRIBE DROP GRANT INSERT "
                                 "LIST REVOKE SELECT TRUNCATE UPDATE USE";

/* What follows a keyword; the place must be right behind it. */
static const char *const followers[][2] = {
    { "ALLOW", "FILTERING" },
    { "ALTER", "KEYSPACE ROLE TABLE TYPE" },
    { "APPLY", "BATCH" },
    { "BATCH", "DELETE INSERT UPDATE USING" },
    { "BEGIN", "BATCH COUNTER UNLOGGED" },
    { "CLUSTERING", "ORDER" },
    { "CREATE", "CUSTOM FUNCTION INDEX KEYSPACE MATERIALIZED ROLE TABLE TYPE" },
    { "DESC", "CLUSTER INDEX KEYSPACE KEYSPACES SCHEMA TABLE TABLES TYPE TYPES" },
    { "DESCRIBE", "CLUSTER INDEX KEYSPACE KEYSPACES SCHEMA TABLE TABLES TYPE TYPES" },
    { "DROP", "INDEX KEYSPACE MATERIALIZED ROLE TABLE TYPE" },
    { "GROUP", "BY" },
    { "IF", "EXISTS NOT" },
    { "INSERT", "INTO" },
    { "MATERIALIZED", "VIEW" },
    { "NOT", "EXISTS" },
    { "ORDER", "BY" },
    { "PER", "PARTITION" },
    { "PRIMARY", "KEY" },
    { "CONSISTENCY", "ALL ANY EACH_QUORUM LOCAL_ONE LOCAL_QUORUM LOCAL_SERIAL ONE QUORUM SERIAL "
                     "THREE TWO" },
    { "EXPAND", "OFF ON" },
    { "PAGING", "OFF ON" },
    { "SERIAL", "CONSISTENCY" },
    { "SHOW", "VERSION" },
};

static bool add_followers(completing *c) {
    for (size_t i = 0; i < sizeof followers / sizeof followers[0]; i++) {
        if (!is(back(c, 1), followers[i][0])) continue;
        add_list(c, followers[i][1]);
        return true;
    }
    return false;
}

static bool wants_table(const completing *c) {
    const cql_token *last = back(c, 1);
    bool after_exists = is(last, "EXISTS") && (is(back(c, 3), "TABLE") || is(back(c, 4), "TABLE"));
    bool creates = is(back(c, 2), "CREATE");
    return names_table(last) || is(last, "TRUNCATE") || (is(last, "TABLE") && !creates) ||
           after_exists;
}

static void add_by_rule(completing *c) {
    const cql_token *last = back(c, 1);
    if (c->first) {
        add_list(c, beginnings);
        for (const char *const *word = cli__special_words(); *word; word++) add_keyword(c, *word);
    } else if (corm_str_equal(last->text, corm_str_of(".")) && is_name(back(c, 2))) {
        add_tables(c, text_of(c, name_of(c, back(c, 2))));
    } else if (is(last, "USE") || is(last, "KEYSPACE")) {
        add_keyspaces(c);
    } else if (wants_table(c)) {
        add_tables(c, corm_session_keyspace(c->session));
        add_keyspaces(c);
    } else if (!add_followers(c)) {
        add_columns(c);
        if (c->prefix.len) add_functions(c);
        if (c->prefix.len) add_keywords(c);
    }
}

static int compare(const void *a, const void *b) {
    return base__str_compare(*(const corm_str *)a, *(const corm_str *)b);
}

static void sort_once(cli_completion *out) {
    uint32_t kept = 0;
    qsort(out->words, out->count, sizeof *out->words, compare);
    for (uint32_t i = 0; i < out->count; i++)
        if (!kept || !corm_str_equal(out->words[kept - 1], out->words[i]))
            out->words[kept++] = out->words[i];
    out->count = kept;
}

void cli__complete(corm_session *session, corm_str text, size_t at, base_arena *arena,
                   cli_completion *out) {
    *out = (cli_completion){ .words = BASE_NEW_ARRAY(arena, corm_str, MAX_WORDS) };
    completing *c = BASE_NEW(arena, completing);
    if (!c || !out->words) return;
    c->session = session;
    c->arena = arena;
    c->out = out;
    read_before(c, text, at);
    find_table(c, text);
    out->typed = c->prefix.len;
    add_by_rule(c);
    sort_once(out);
}

size_t cli__common_prefix(const cli_completion *completion) {
    if (!completion->count) return 0;
    corm_str first = completion->words[0];
    size_t   len = first.len;
    for (uint32_t i = 1; i < completion->count; i++) {
        size_t same = 0;
        while (same < len && same < completion->words[i].len &&
               completion->words[i].data[same] == first.data[same])
            same++;
        len = same;
    }
    return len;
}
