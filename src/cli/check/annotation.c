// SPDX-License-Identifier: MIT
/* annotation.c -- what comments above a statement say to these commands. Pure.
 *
 *     -- name: get_user :one          the statement's name, and what becomes of its answer
 *     -- corm: allow select-star -- few rows      rules of lint that it may break, and why */
#include "base/text.h"
#include "cli/check/check.h"

static const char *const verbs[] = {
    [CHECK_UNNAMED] = "",   [CHECK_ONE] = ":one",   [CHECK_MANY] = ":many",
    [CHECK_PAGE] = ":page", [CHECK_EXEC] = ":exec", [CHECK_APPLIED] = ":applied",
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

const char *check__verb_name(check_verb verb) {
    return verbs[verb];
}

/* ---- lines and words ---- */

bool check__next_comment(corm_str *above, corm_str *line) {
    while (above->len) {
        const char *end = memchr(above->data, '\n', above->len);
        size_t      len = end ? (size_t)(end - above->data) : above->len;
        corm_str    one = base__str_trim((corm_str){ above->data, len });
        above->data += len + (end != NULL);
        above->len -= len + (end != NULL);
        bool is_comment =
            one.len >= 2 && (memcmp(one.data, "--", 2) == 0 || memcmp(one.data, "//", 2) == 0);
        if (!is_comment) continue;
        while (one.len && (*one.data == '-' || *one.data == '/')) one.data++, one.len--;
        *line = base__str_trim(one);
        return true;
    }
    return false;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word between blanks and commas; empty at the end. */
static corm_str next_word(corm_str *text) {
    while (text->len && (is_blank(*text->data) || *text->data == ',')) text->data++, text->len--;
    corm_str word = { text->data, 0 };
    while (word.len < text->len && !is_blank(word.data[word.len]) && word.data[word.len] != ',')
        word.len++;
    text->data += word.len;
    text->len -= word.len;
    return word;
}

static bool take_prefix(corm_str *line, const char *prefix) {
    corm_str wanted = corm_str_of(prefix);
    if (!base__str_has_prefix(*line, wanted)) return false;
    line->data += wanted.len;
    line->len -= wanted.len;
    return true;
}

bool check__begins_reason(corm_str word) {
    return word.len > 0 && (word.data[0] == '-' || word.data[0] == '(');
}

bool check__allows(const check_statement *statement, const char *rule) {
    corm_str above = statement->above, line, word;
    while (check__next_comment(&above, &line)) {
        if (!take_prefix(&line, "corm:")) continue;
        if (!corm_str_equal(next_word(&line), corm_str_of("allow"))) continue;
        while ((word = next_word(&line)).len && !check__begins_reason(word))
            if (corm_str_equal(word, corm_str_of(rule))) return true;
    }
    return false;
}

/* ---- names ---- */

static bool is_name(corm_str name) {
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
    }
    return name.len > 0;
}

static void complain(check_workspace *w, const check_statement *s, corm_str word,
                     const char *what) {
    check_finding *finding = check__find(w, s->file, word.data, (uint32_t)base__utf8_length(word),
                                         CHECK_ERROR, "name", "%s '%.*s'", what, CHECK_STR(word));
    finding->query = s->name;
}

static void read_verb(check_workspace *w, check_statement *s, corm_str word) {
    check_nearest nearest = { .word = word, .best = { "", 0 } };
    for (uint32_t i = 1; i < VERB_COUNT; i++) {
        if (corm_str_equal(word, corm_str_of(verbs[i]))) s->verb = (check_verb)i;
        check__consider(&nearest, corm_str_of(verbs[i]));
    }
    if (s->verb != CHECK_UNNAMED) return;
    complain(w, s, word.len ? word : s->name,
             word.len ? ":one, :many, :page, :exec or :applied must stand behind the name, not"
                      : ":one, :many, :page, :exec or :applied must stand behind the name");
    if (w->finding_count) w->findings[w->finding_count - 1].hint = nearest.best;
}

static void read_name(check_workspace *w, check_statement *s, corm_str line) {
    corm_str name = next_word(&line);
    if (!is_name(name)) {
        complain(w, s, name.len ? name : (corm_str){ line.data - 1, 1 },
                 "a statement's name is letters, digits and _, not");
        return;
    }
    s->name = name;
    read_verb(w, s, next_word(&line));
    if (base__map_get(&w->names, name))
        complain(w, s, name, "there is another statement with the name");
    else if (!base__map_put(&w->names, name, s))
        w->no_memory = true;
}

void check__annotate(check_workspace *w, check_statement *s) {
    corm_str above = s->above, line;
    while (check__next_comment(&above, &line)) {
        if (!take_prefix(&line, "name:")) continue;
        if (s->name.data)
            complain(w, s, line, "the statement has a name already, and another one:");
        else
            read_name(w, s, line);
    }
}

/* ---- verbs and statements ---- */

static bool is_conditional(const check_statement *s) {
    if (!s->checked) return false;
    if (s->checked->modify) return s->checked->modify->is_conditional;
    return s->checked->batch && s->checked->batch->is_conditional;
}

void check__check_verb(check_workspace *w, const check_statement *s) {
    if (!s->checked || s->verb == CHECK_UNNAMED) return;
    bool selects = s->checked->select != NULL;
    bool reads = s->verb == CHECK_ONE || s->verb == CHECK_MANY || s->verb == CHECK_PAGE;
    bool writes = s->checked->modify || s->checked->batch;
    if (reads && !selects)
        complain(w, s, s->name, "only a SELECT has rows for :one, :many and :page, unlike");
    else if (!reads && selects)
        complain(w, s, s->name, "the rows of a SELECT need :one, :many or :page:");
    else if (!reads && !writes)
        complain(w, s, s->name,
                 "only SELECT, INSERT, UPDATE, DELETE and BATCH have a name, unlike");
    else if (s->verb == CHECK_APPLIED && !is_conditional(s))
        complain(w, s, s->name, ":applied needs a condition (IF …), which is missing in");
    else if (s->verb == CHECK_EXEC && is_conditional(s))
        complain(w, s, s->name, "whether a condition held is lost with :exec; say :applied for");
}
