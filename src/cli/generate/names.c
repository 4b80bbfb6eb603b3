// SPDX-License-Identifier: MIT
/* names.c -- names of CQL as names of C. */
#include <stdlib.h>

#include "cli/generate/generate.h"

/* Words of C11 and C++20 that a member cannot have, and what the headers of C make macros of. */
static const char *const reserved[] = {
    "alignas",       "alignof",     "and",       "and_eq",   "asm",        "auto",
    "bitand",        "bitor",       "bool",      "break",    "case",       "catch",
    "char",          "class",       "compl",     "const",    "const_cast", "constexpr",
    "continue",      "decltype",    "default",   "delete",   "do",         "double",
    "dynamic_cast",  "else",        "enum",      "explicit", "export",     "extern",
    "false",         "float",       "for",       "friend",   "goto",       "if",
    "inline",        "int",         "long",      "mutable",  "namespace",  "new",
    "noexcept",      "not",         "not_eq",    "nullptr",  "operator",   "or",
    "or_eq",         "private",     "protected", "public",   "register",   "reinterpret_cast",
    "restrict",      "return",      "short",     "signed",   "sizeof",     "static",
    "static_assert", "static_cast", "struct",    "switch",   "template",   "this",
    "thread_local",  "throw",       "true",      "try",      "typedef",    "typeid",
    "typename",      "union",       "unsigned",  "using",    "virtual",    "void",
    "volatile",      "wchar_t",     "while",     "xor",      "xor_eq",     "errno",
    "linux",         "unix",        "offsetof",  "NULL",     "EOF",        "I",
    "typeof",        "stdin",       "stdout",    "stderr",   "assert",     "BUFSIZ",
    "complex",       "imaginary",   "noreturn",  "concept",  "requires",   "consteval",
    "constinit",     "co_await",    "co_return", "co_yield", "char8_t",    "char16_t",
    "char32_t",      "st_atime",    "st_mtime",  "st_ctime", "sa_handler", "h_addr",
};

/* INT_MAX, SIZE_MAX and their like. */
static bool is_limit(corm_str name) {
    if (name.len < 5) return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] >= 'a' && name.data[i] <= 'z') return false;
    corm_str end = { name.data + name.len - 4, 4 };
    return corm_str_equal(end, corm_str_of("_MAX")) || corm_str_equal(end, corm_str_of("_MIN"));
}

static bool is_reserved(corm_str name) {
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (corm_str_equal(name, corm_str_of(reserved[i]))) return true;
    return is_limit(name);
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool gen__is_c_name(const char *name) {
    for (size_t i = 0; name[i]; i++)
        if (!is_letter(name[i]) && name[i] != '_' && !(i > 0 && is_digit(name[i]))) return false;
    return is_letter(name[0]) && !is_reserved(corm_str_of(name));
}

static bool is_taken(const gen_names *names, corm_str name) {
    for (uint32_t i = 0; i < names->count; i++)
        if (corm_str_equal(names->items[i], name)) return true;
    return false;
}

static void add(gen_names *names, corm_str name) {
    if (names->count == names->room) {
        uint32_t  room = names->room ? 2 * names->room : 16;
        corm_str *more = BASE_NEW_ARRAY(names->arena, corm_str, room);
        if (!more) {
            names->no_memory = true;
            return;
        }
        if (names->count) memcpy(more, names->items, names->count * sizeof *more);
        names->items = more;
        names->room = room;
    }
    names->items[names->count++] = name;
}

void gen__reserve(gen_names *names, const char *name) {
    add(names, corm_str_of(name));
}

/* Letters, digits and single underscores; what is between them falls away. */
static corm_str plain(gen_names *names, corm_str text) {
    char *out = base__arena_alloc(names->arena, text.len + 4);
    if (!out) {
        names->no_memory = true;
        return corm_str_of("x");
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool fits = is_letter(c) || is_digit(c) || c == '_';
        if (fits) {
            if (len == 0 && (is_digit(c) || c == '_')) out[len++] = 'x';
            out[len++] = c;
        } else if (len > 0 && out[len - 1] != '_') {
            out[len++] = '_';
        }
        if (len > text.len) break;
    }
    while (len > 0 && out[len - 1] == '_') len--;
    if (len == 0) out[len++] = 'x';
    if (is_reserved((corm_str){ out, len })) out[len++] = '_';
    out[len] = 0;
    return (corm_str){ out, len };
}

static bool is_free(const gen_names *names, corm_str name, bool with_flag) {
    if (is_taken(names, name)) return false;
    if (!with_flag) return true;
    corm_str flag = base__arena_printf(names->arena, "has_%.*s", CHECK_STR(name));
    return flag.data && !is_taken(names, flag);
}

static corm_str take(gen_names *names, corm_str text, bool with_flag) {
    corm_str base = plain(names, text), name = base;
    for (uint32_t i = 2; !is_free(names, name, with_flag) && !names->no_memory; i++) {
        name = base__arena_printf(names->arena, "%.*s_%u", CHECK_STR(base), i);
        if (!name.data) names->no_memory = true;
    }
    add(names, name);
    corm_str flag =
        with_flag ? base__arena_printf(names->arena, "has_%.*s", CHECK_STR(name)) : name;
    if (!flag.data) names->no_memory = true;
    if (with_flag && flag.data) add(names, flag);
    return name;
}

corm_str gen__name(gen_names *names, corm_str text) {
    return take(names, text, false);
}

corm_str gen__member_name(gen_names *names, corm_str text) {
    return take(names, text, true);
}
