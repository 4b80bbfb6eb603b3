// SPDX-License-Identifier: MIT
/* jsonl.c -- see jsonl.h. */
#include "stream/jsonl.h"

#include "base/fail.h"
#include "base/text.h"
#include "cql/codec.h"

typedef struct cutting {
    corm_str    text;
    size_t      at;
    base_arena *arena;
    corm_error *err;
} cutting;

static uint32_t column_of(const cutting *c, size_t at) {
    return (uint32_t)base__utf8_length((corm_str){ c->text.data, at }) + 1;
}

static corm_status wanted(const cutting *c, const char *what) {
    return base__fail_at(c->err, CORM_INVALID, 0, column_of(c, c->at), "%s expected", what);
}

static void skip_blank(cutting *c) {
    while (c->at < c->text.len && strchr(" \t\r\n", c->text.data[c->at]) && c->text.data[c->at])
        c->at++;
}

static bool accept(cutting *c, char wanted_char) {
    skip_blank(c);
    if (c->at == c->text.len || c->text.data[c->at] != wanted_char) return false;
    c->at++;
    return true;
}

static corm_status skip_string(cutting *c) {
    for (c->at++; c->at < c->text.len; c->at++) {
        if (c->text.data[c->at] == '"') {
            c->at++;
            return CORM_OK;
        }
        if (c->text.data[c->at] == '\\') c->at++;
    }
    c->at = c->text.len;
    return wanted(c, "a closing quote");
}

/* Steps over a value: to the comma or brace that is not inside it. */
static corm_status skip_value(cutting *c) {
    uint32_t depth = 0;
    while (c->at < c->text.len) {
        char at = c->text.data[c->at];
        if (at == '"') {
            CORM_TRY(skip_string(c));
            continue;
        }
        if (!depth && (at == ',' || at == '}')) return CORM_OK;
        if (at == '{' || at == '[') depth++;
        if ((at == '}' || at == ']') && depth) depth--;
        c->at++;
    }
    return wanted(c, "a closing brace");
}

static corm_status read_name(cutting *c, stream_member *member) {
    base_buf name = { 0 };
    bool     is_null;
    skip_blank(c);
    size_t start = c->at;
    if (start == c->text.len || c->text.data[start] != '"') return wanted(c, "a name in quotes");
    CORM_TRY(skip_string(c));
    corm_str    raw = { c->text.data + start, c->at - start };
    corm_status status = cql__from_json(cql__type_native(CQL_TEXT), raw, &name, &is_null, c->err);
    if (status == CORM_OK) member->name = base__arena_str(c->arena, base__buf_str(&name));
    base__buf_free(&name);
    if (status == CORM_OK && !member->name.data) return base__fail_memory(c->err);
    return status;
}

static corm_status read_member(cutting *c, stream_member *member) {
    CORM_TRY(read_name(c, member));
    if (!accept(c, ':')) return wanted(c, "a colon");
    skip_blank(c);
    size_t start = c->at;
    CORM_TRY(skip_value(c));
    member->value = base__str_trim((corm_str){ c->text.data + start, c->at - start });
    member->column = column_of(c, start);
    return member->value.len ? CORM_OK : wanted(c, "a value");
}

static corm_status grow(cutting *c, stream_member **members, uint32_t count, uint32_t *cap) {
    if (count < *cap) return CORM_OK;
    uint32_t       larger = *cap ? 2 * *cap : 16;
    stream_member *copy = BASE_NEW_ARRAY(c->arena, stream_member, larger);
    if (!copy) return base__fail_memory(c->err);
    if (count) memcpy(copy, *members, count * sizeof *copy);
    *members = copy;
    *cap = larger;
    return CORM_OK;
}

corm_status stream__json_split(corm_str text, base_arena *arena, stream_member **members,
                               uint32_t *count, corm_error *err) {
    cutting  c = { .text = text, .arena = arena, .err = err };
    uint32_t cap = 0;
    *count = 0;
    *members = NULL;
    if (!accept(&c, '{')) return wanted(&c, "an object");
    if (!accept(&c, '}')) {
        do {
            CORM_TRY(grow(&c, members, *count, &cap));
            CORM_TRY(read_member(&c, &(*members)[*count]));
            ++*count;
        } while (accept(&c, ','));
        if (!accept(&c, '}')) return wanted(&c, "a comma or a closing brace");
    }
    skip_blank(&c);
    return c.at == text.len ? CORM_OK : wanted(&c, "the end of the line");
}
