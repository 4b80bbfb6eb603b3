// SPDX-License-Identifier: MIT
/* types_marshal.c -- reads CQL types from the server's class form. Pure; any thread.
 *
 *   type = [package.]Class [ '(' part, … ')' ]
 *   part = type | hexname:type | number
 *
 * FrozenType and ReversedType disappear into the type that they hold. A class that is not known,
 * or whose parameters do not fit, becomes CQL_CUSTOM with its whole text. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/types_internal.h"

typedef struct parser {
    base_arena *arena;
    corm_str    text;
    size_t      at;
    corm_error *err;
    int         depth;
} parser;

/* What stands between the parentheses. */
typedef struct parts {
    uint32_t         count;
    uint32_t         capacity;
    const cql_type **types; /* NULL where the part is a bare word */
    corm_str        *words; /* the word, or the name before ':' */
} parts;

static corm_status parse_type(parser *p, const cql_type **out);

static corm_status syntax_error(parser *p, const char *message) {
    return base__fail(p->err, CORM_SYNTAX_ERROR, "Syntax error parsing '%.*s' at char %zu: %s",
                      (int)p->text.len, p->text.data, p->at, message);
}

static bool is_blank(char c) {
    return c != '\0' && strchr(" \t\n", c);
}

static void skip_blank(parser *p) {
    while (p->at < p->text.len && is_blank(p->text.data[p->at])) p->at++;
}

static bool accept(parser *p, const char *mark) {
    skip_blank(p);
    corm_str rest = { p->text.data + p->at, p->text.len - p->at };
    if (!base__str_has_prefix(rest, corm_str_of(mark))) return false;
    p->at += strlen(mark);
    return true;
}

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-+._&$", c));
}

static corm_str read_word(parser *p) {
    skip_blank(p);
    size_t start = p->at;
    while (p->at < p->text.len && is_word_char(p->text.data[p->at])) p->at++;
    return (corm_str){ p->text.data + start, p->at - start };
}

static corm_status add_part(parser *p, parts *list, corm_str word, const cql_type *type) {
    if (list->count == list->capacity) {
        uint32_t         capacity = list->capacity ? list->capacity * 2 : 4;
        const cql_type **types = BASE_NEW_ARRAY(p->arena, const cql_type *, capacity);
        corm_str        *words = BASE_NEW_ARRAY(p->arena, corm_str, capacity);
        if (!types || !words) return base__fail_memory(p->err);
        if (list->count > 0) {
            memcpy(types, list->types, list->count * sizeof *types);
            memcpy(words, list->words, list->count * sizeof *words);
        }
        list->types = types;
        list->words = words;
        list->capacity = capacity;
    }
    list->words[list->count] = word;
    list->types[list->count++] = type;
    return CORM_OK;
}

/* Where words are meant (the keyspace and the name of a user-defined type, a vector's dimension)
 * `plain` first parts are not read as types, nor are words of digits only. */
static corm_status read_part(parser *p, parts *list, bool plain) {
    size_t   start = p->at;
    corm_str word = read_word(p);
    if (word.len == 0) return syntax_error(p, "a class name was expected");
    int64_t number;
    if (plain || base__parse_i64(word, &number)) {
        if (!accept(p, ":")) return add_part(p, list, word, NULL);
    } else if (!accept(p, ":") && !accept(p, "=>")) {
        p->at = start;
        word = (corm_str){ NULL, 0 };
    }
    const cql_type *type;
    CORM_TRY(parse_type(p, &type));
    return add_part(p, list, word, type);
}

static corm_status read_parts(parser *p, uint32_t plain, parts *list) {
    while (!accept(p, ")")) {
        if (list->count > 0 && !accept(p, ",")) return syntax_error(p, "unexpected character");
        CORM_TRY(read_part(p, list, list->count < plain));
        skip_blank(p);
        if (p->at == p->text.len) return syntax_error(p, "unexpected end of string");
    }
    return CORM_OK;
}

static bool decode_hex(parser *p, corm_str digits, corm_str *out) {
    base_buf bytes = { 0 };
    bool     ok = base__read_hex(digits, &bytes) && !bytes.failed;
    if (ok) *out = base__arena_str(p->arena, base__buf_str(&bytes));
    base__buf_free(&bytes);
    return ok && out->data;
}

static const cql_type *make_udt(parser *p, const parts *list) {
    if (list->count < 2) return NULL;
    uint32_t  count = list->count - 2;
    corm_str *names = BASE_NEW_ARRAY(p->arena, corm_str, count);
    corm_str  name;
    corm_str  keyspace = base__arena_str(p->arena, list->words[0]);
    if (!names || !keyspace.data || !decode_hex(p, list->words[1], &name)) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!list->types[i + 2] || !decode_hex(p, list->words[i + 2], &names[i])) return NULL;
    }
    return cql__type_udt(p->arena, keyspace, name, names, list->types + 2, count, false);
}

static const cql_type *make_vector(parser *p, const parts *list) {
    int64_t dimension;
    if (list->count != 2 || !list->types[0] || !base__parse_i64(list->words[1], &dimension))
        return NULL;
    if (dimension < 1 || dimension > INT32_MAX) return NULL;
    return cql__type_vector(p->arena, list->types[0], (uint32_t)dimension);
}

static const cql_type *make_tuple(parser *p, const parts *list) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (!list->types[i]) return NULL;
    }
    return cql__type_tuple(p->arena, list->types, list->count);
}

/* What a list, set or map holds is frozen even where the class form does not say so. */
static const cql_type *make_collection(parser *p, cql_type_id id, const parts *list) {
    uint32_t        count = id == CQL_MAP ? 2 : 1;
    const cql_type *items[2] = { NULL, NULL };
    if (list->count != count) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = list->types[i] ? cql__type_freeze(p->arena, list->types[i]) : NULL;
        if (!items[i]) return NULL;
    }
    if (id == CQL_MAP) return cql__type_map(p->arena, items[0], items[1], false);
    return (id == CQL_SET ? cql__type_set : cql__type_list)(p->arena, items[0], false);
}

static const cql_type *make_held(parser *p, bool frozen, const parts *list) {
    if (list->count != 1 || !list->types[0]) return NULL;
    return frozen ? cql__type_freeze(p->arena, list->types[0]) : list->types[0];
}

static const cql_type *make(parser *p, cql_type_id id, const parts *list) {
    switch (id) {
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP: return make_collection(p, id, list);
    case CQL_TUPLE: return make_tuple(p, list);
    case CQL_UDT: return make_udt(p, list);
    case CQL_VECTOR: return make_vector(p, list);
    default: return NULL;
    }
}

static corm_str without_package(corm_str class) {
    corm_str package = corm_str_of("org.apache.cassandra.db.marshal.");
    if (!base__str_has_prefix(class, package)) return class;
    return (corm_str){ class.data + package.len, class.len - package.len };
}

static cql_type_id id_of_class(corm_str class) {
    static const struct {
        const char *marshal;
        cql_type_id id;
    } classes[] = {
#define CLASS(name, number, cql, size, marshal) { marshal, CQL_##name },
        CQL_TYPE_MAP(CLASS)
#undef CLASS
            { "DateType", CQL_TIMESTAMP },
        { "LegacyTimeUUIDType", CQL_TIMEUUID },
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (corm_str_equal(class, corm_str_of(classes[i].marshal))) return classes[i].id;
    }
    return CQL_CUSTOM;
}

/* Classes of the server whose values are opaque here. */
static bool is_opaque(corm_str class) {
    static const char *const names[] = { "CompositeType", "DynamicCompositeType", "LexicalUUIDType",
                                         "PartitionerDefinedOrder" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (corm_str_equal(class, corm_str_of(names[i]))) return true;
    }
    return false;
}

/* The part whose alias comes next behind `last`; aliases are single letters, other parts stand as they are written. */
static uint32_t next_part(const parts *list, uint32_t written, int last) {
    uint32_t best = written;
    int      best_alias = INT32_MAX;
    if (!list->words[written].data) return written;
    for (uint32_t i = 0; i < list->count; i++) {
        int alias = list->words[i].len > 0 ? (uint8_t)list->words[i].data[0] : 0;
        if (alias <= last || alias >= best_alias) continue;
        best = i;
        best_alias = alias;
    }
    return best;
}

static void put_parts(const parts *list, base_buf *out) {
    int last = -1;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t at = next_part(list, i, last);
        corm_str word = list->words[at];
        if (i > 0) base__buf_puts(out, ",");
        if (word.len > 0) last = (uint8_t)word.data[0];
        base__buf_put_str(out, word);
        if (list->types[at] && word.data) base__buf_puts(out, "=>");
        if (list->types[at]) cql__type_print_marshal(list->types[at], out);
    }
}

/* As the server names it: whole names of classes, aliases in order. */
static corm_str opaque_name(parser *p, corm_str class, const parts *list) {
    base_buf out = { 0 };
    base__buf_puts(&out, "org.apache.cassandra.db.marshal.");
    base__buf_put_str(&out, class);
    if (list->count > 0) {
        base__buf_puts(&out, "(");
        put_parts(list, &out);
        base__buf_puts(&out, ")");
    } else if (corm_str_equal(class, corm_str_of("PartitionerDefinedOrder"))) {
        base__buf_puts(&out, "(org.apache.cassandra.dht.Murmur3Partitioner)");
    }
    corm_str name = { NULL, 0 };
    if (!out.failed) name = base__arena_str(p->arena, base__buf_str(&out));
    base__buf_free(&out);
    return name;
}

static const cql_type *make_custom(parser *p, size_t start, corm_str class, const parts *list) {
    cql_type *type = BASE_NEW(p->arena, cql_type);
    if (!type) return NULL;
    type->id = CQL_CUSTOM;
    type->name = is_opaque(class)
                     ? opaque_name(p, class, list)
                     : base__arena_str(p->arena, (corm_str){ p->text.data + start, p->at - start });
    return type->name.data ? type : NULL;
}

static corm_status parse_unnested(parser *p, const cql_type **out) {
    skip_blank(p);
    size_t start = p->at;
    corm_str class = without_package(read_word(p));
    cql_type_id id = id_of_class(class);
    bool        frozen = corm_str_equal(class, corm_str_of("FrozenType"));
    parts       list = { 0 };
    if (p->at == start) return syntax_error(p, "a class name was expected");
    if (accept(p, "(")) CORM_TRY(read_parts(p, id == CQL_UDT ? 2 : 0, &list));
    if (frozen || corm_str_equal(class, corm_str_of("ReversedType"))) {
        *out = make_held(p, frozen, &list);
    } else {
        *out = list.count == 0 ? cql__type_native(id) : NULL;
        if (!*out) *out = make(p, id, &list);
    }
    if (!*out) *out = make_custom(p, start, class, &list);
    return *out ? CORM_OK : base__fail_memory(p->err);
}

static corm_status parse_type(parser *p, const cql_type **out) {
    if (p->depth == CQL_DEPTH_LIMIT) {
        return base__fail(p->err, CORM_INVALID, "the type is nested more than %d deep",
                          CQL_DEPTH_LIMIT);
    }
    p->depth++;
    CORM_TRY(parse_unnested(p, out));
    p->depth--;
    return CORM_OK;
}

corm_status cql__type_parse_marshal(base_arena *arena, corm_str text, const cql_type **out,
                                    corm_error *err) {
    if (!text.data) text = corm_str_of("");
    parser p = { arena, text, 0, err, 0 };
    CORM_TRY(parse_type(&p, out));
    skip_blank(&p);
    return p.at == text.len ? CORM_OK : syntax_error(&p, "unexpected character");
}
