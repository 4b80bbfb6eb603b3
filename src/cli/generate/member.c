// SPDX-License-Identifier: MIT
/* member.c -- one member of a struct as C: its declaration, whether it holds something, its value, and back. */
#include "cli/generate/generate.h"

#include "base/text.h"

/* ---- pieces of text ---- */

void gen__put_comment(corm_str text, base_buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i], next = i + 1 < text.len ? text.data[i + 1] : 0;
        base__buf_u8(out, (uint8_t)c);
        bool ends = (c == '/' && next == '*') || (c == '*' && next == '/');
        if (ends || (c == '?' && next == '?')) base__buf_u8(out, ' ');
    }
}

static void put_escaped(char c, base_buf *out) {
    if (c == '\n')
        base__buf_puts(out, "\\n");
    else if ((uint8_t)c < 32 || c == 127 || c == '?') /* ? begins trigraphs */
        base__buf_printf(out, c == '?' ? "?" : "\\%03o", (unsigned)(uint8_t)c);
    else {
        if (c == '"' || c == '\\') base__buf_u8(out, '\\');
        base__buf_u8(out, (uint8_t)c);
    }
}

void gen__put_c_string(corm_str text, const char *indent, base_buf *out) {
    enum { WIDTH = 84 };
    size_t width = 0;
    base__buf_printf(out, "%s\"", indent);
    for (size_t i = 0; i < text.len; i++) {
        put_escaped(text.data[i], out);
        bool trigraph = text.data[i] == '?' && i + 1 < text.len && text.data[i + 1] == '?';
        bool full = text.data[i] == '\n' || (++width >= WIDTH && text.data[i] == ' ');
        if ((full || trigraph) && i + 1 < text.len) {
            base__buf_printf(out, "\"\n%s\"", indent);
            width = 0;
        }
    }
    base__buf_u8(out, '"');
}

void gen__put_call(const char *head, const char *const *parts, const char *tail, base_buf *out) {
    size_t width = strlen(head) + 1;
    base__buf_printf(out, "%s(", head);
    for (size_t i = 0; parts[i]; i++) {
        size_t more = strlen(parts[i]) + 2;
        if (i > 0) base__buf_puts(out, width + more > 98 ? ",\n    " : ", ");
        width = i > 0 && width + more > 98 ? 4 + more : width + more;
        base__buf_puts(out, parts[i]);
    }
    base__buf_printf(out, ")%s", tail);
}

/* ---- declaration ---- */

static bool has_flag(const gen_member *m, bool is_param) {
    if (m->type.shape == GEN_ARRAY && is_param) return false;
    bool flagged =
        m->type.shape == GEN_FLAGGED || m->type.shape == GEN_STRUCT || m->type.shape == GEN_ARRAY;
    bool optional = is_param ? m->role != GEN_REQUIRED : m->is_null;
    return flagged && optional;
}

static void put_type_comment(const gen_member *m, bool is_param, base_buf *out) {
    base_buf text = { 0 };
    if (m->type.shape != GEN_COLLECTION && m->type.shape != GEN_VALUE && m->type.shape != GEN_ARRAY)
        return;
    cql__type_print(m->type.type, &text);
    base__buf_puts(out, " /* ");
    gen__put_comment(base__buf_str(&text), out);
    if (is_param && m->type.shape == GEN_ARRAY)
        base__buf_printf(out, ": %u of them", m->type.type->dimension);
    base__buf_puts(out, " */");
    if (text.failed) out->failed = true;
    base__buf_free(&text);
}

void gen__put_declaration(const gen_unit *unit, const gen_member *m, bool is_param, base_buf *out) {
    if (has_flag(m, is_param)) base__buf_printf(out, "    bool has_%.*s;\n", CHECK_STR(m->name));
    corm_str udt =
        m->type.shape == GEN_STRUCT ? gen__udt_name(unit, m->type.type) : corm_str_of(m->type.c);
    if (m->type.shape == GEN_ARRAY && is_param)
        base__buf_printf(out, "    const %.*s *%.*s;", CHECK_STR(udt), CHECK_STR(m->name));
    else if (m->type.shape == GEN_ARRAY)
        base__buf_printf(out, "    %.*s %.*s[%u];", CHECK_STR(udt), CHECK_STR(m->name),
                         m->type.type->dimension);
    else
        base__buf_printf(out, "    %.*s %.*s;", CHECK_STR(udt), CHECK_STR(m->name));
    put_type_comment(m, is_param, out);
    base__buf_u8(out, '\n');
}

/* ---- out of a struct ---- */

void gen__put_present(const gen_member *m, const char *from, base_buf *out) {
    static const char *const forms[] = {
        [GEN_FLAGGED] = "%shas_%.*s",
        [GEN_DATA] = "%s%.*s.data",
        [GEN_UUID] = "!corm_uuid_is_zero(%s%.*s)",
        [GEN_LENGTH] = "%s%.*s.length",
        [GEN_DECIMAL] = "%s%.*s.unscaled.length",
        [GEN_COLLECTION] = "%s%.*s.items",
        [GEN_STRUCT] = "%shas_%.*s",
        [GEN_ARRAY] = "%s%.*s",
        [GEN_VALUE] = "%s%.*s.kind",
    };
    const char *at = strchr(forms[m->type.shape], '%');
    base__buf_put(out, forms[m->type.shape], (size_t)(at - forms[m->type.shape]));
    base__buf_puts(out, from);
    at += 2;
    size_t middle = strcspn(at, "%");
    base__buf_put(out, at, middle);
    base__buf_put_str(out, m->name);
    base__buf_puts(out, at + middle + 4);
}

bool gen__needs_cells(const gen_member *m) {
    return m->type.shape == GEN_STRUCT || m->type.shape == GEN_ARRAY;
}

void gen__put_cells(const gen_unit *unit, const gen_member *m, base_buf *out) {
    if (m->type.shape == GEN_ARRAY) {
        base__buf_printf(out, "corm_value %.*s[%u];\n", CHECK_STR(m->name),
                         m->type.type->dimension);
    } else if (m->type.shape == GEN_STRUCT) {
        corm_str name = gen__udt_name(unit, m->type.type);
        base__buf_printf(out, "%.*s_cells %.*s;\n", CHECK_STR(name), CHECK_STR(m->name));
    }
}

void gen__put_value(const gen_unit *unit, const gen_member *m, const char *from, const char *cells,
                    base_buf *out) {
    corm_str name = m->name;
    if (m->type.shape == GEN_VALUE) {
        base__buf_printf(out, "%s%.*s", from, CHECK_STR(name));
    } else if (m->type.shape == GEN_STRUCT) {
        corm_str udt = gen__udt_name(unit, m->type.type);
        base__buf_printf(out, "%.*s_value(&%s%.*s, &%s%.*s)", CHECK_STR(udt), from, CHECK_STR(name),
                         cells, CHECK_STR(name));
    } else if (m->type.shape == GEN_ARRAY) {
        base__buf_printf(out, "vector_of_%s(%s%.*s, %s%.*s, %u)", m->type.member, from,
                         CHECK_STR(name), cells, CHECK_STR(name), m->type.type->dimension);
    } else {
        base__buf_printf(out, "%s(%s%.*s)", m->type.maker, from, CHECK_STR(name));
    }
}

/* ---- into a struct ---- */

static void put_take_kind(const gen_unit *unit, const gen_member *m, const char *indent,
                          const char *value, base_buf *out) {
    corm_str name = m->name;
    switch (m->type.shape) {
    case GEN_COLLECTION:
        base__buf_printf(
            out, "%s    out->%.*s = (%s){ %s->as.items.items, %s->as.items.count%s };\n", indent,
            CHECK_STR(name), m->type.c, value, value, m->type.type->id == CQL_MAP ? " / 2" : "");
        break;
    case GEN_STRUCT: {
        corm_str udt = gen__udt_name(unit, m->type.type);
        base__buf_printf(out, "%s    %.*s_read(%s, &out->%.*s);\n", indent, CHECK_STR(udt), value,
                         CHECK_STR(name));
        break;
    }
    case GEN_ARRAY:
        base__buf_printf(out, "%s    read_%s(%s, out->%.*s, %u);\n", indent, m->type.member, value,
                         CHECK_STR(name), m->type.type->dimension);
        break;
    default:
        base__buf_printf(out, "%s    out->%.*s = %s->as.%s;\n", indent, CHECK_STR(name), value,
                         m->type.member);
    }
}

void gen__put_take(const gen_unit *unit, const gen_member *m, const char *indent, const char *value,
                   base_buf *out) {
    if (m->type.shape == GEN_VALUE) {
        base__buf_printf(out, "%sout->%.*s = *%s;\n", indent, CHECK_STR(m->name), value);
        return;
    }
    const char *kind = m->type.shape == GEN_ARRAY ? "CORM_VECTOR" : m->type.kind;
    base__buf_printf(out, "%sif (%s->kind == %s) {\n", indent, value, kind);
    if (has_flag(m, false))
        base__buf_printf(out, "%s    out->has_%.*s = true;\n", indent, CHECK_STR(m->name));
    put_take_kind(unit, m, indent, value, out);
    base__buf_printf(out, "%s}\n", indent);
}
