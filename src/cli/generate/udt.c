// SPDX-License-Identifier: MIT
/* udt.c -- user-defined types as structs, with a function to read one and one to make a value of one; what vectors need. */
#include "cli/generate/generate.h"

static bool holds_cells(const gen_udt *udt) {
    for (uint32_t i = 0; i < udt->type->count; i++)
        if (gen__needs_cells(&udt->fields[i])) return true;
    return false;
}

static void put_cells_struct(const gen_unit *unit, const gen_udt *udt, base_buf *out) {
    base__buf_printf(out, "typedef struct %.*s_cells {\n    corm_value items[%u];\n",
                     CHECK_STR(udt->name), udt->type->count);
    if (holds_cells(udt)) base__buf_puts(out, "    struct {\n");
    for (uint32_t i = 0; i < udt->type->count; i++) {
        if (!gen__needs_cells(&udt->fields[i])) continue;
        base__buf_puts(out, "        ");
        gen__put_cells(unit, &udt->fields[i], out);
    }
    if (holds_cells(udt)) base__buf_puts(out, "    } within;\n");
    base__buf_printf(out, "} %.*s_cells;\n\n", CHECK_STR(udt->name));
}

void gen__put_udt_types(const gen_unit *unit, base_buf *out) {
    if (unit->udt_count) base__buf_puts(out, "/* ---- user-defined types ---- */\n\n");
    for (uint32_t u = 0; u < unit->udt_count; u++) {
        const gen_udt *udt = &unit->udts[u];
        base__buf_printf(out, "/* The type %.*s. */\ntypedef struct %.*s {\n",
                         CHECK_STR(udt->type->name), CHECK_STR(udt->name));
        for (uint32_t i = 0; i < udt->type->count; i++)
            gen__put_declaration(unit, &udt->fields[i], false, out);
        base__buf_printf(out, "} %.*s;\n\n/* Room for a value of one. */\n", CHECK_STR(udt->name));
        put_cells_struct(unit, udt, out);
        base__buf_printf(
            out,
            "/* What the value of a row holds; texts and the like stay where they are. */\n"
            "void %.*s_read(const corm_value *value, %.*s *out);\n\n"
            "/* A value, which stands in *cells and borrows from *from. */\n",
            CHECK_STR(udt->name), CHECK_STR(udt->name));
        base__buf_printf(out, "corm_value %.*s_value(const %.*s *from, %.*s_cells *cells);\n\n",
                         CHECK_STR(udt->name), CHECK_STR(udt->name), CHECK_STR(udt->name));
    }
}

/* ---- functions ---- */

static void put_read(const gen_unit *unit, const gen_udt *udt, base_buf *out) {
    base__buf_printf(out, "void %.*s_read(const corm_value *value, %.*s *out) {\n",
                     CHECK_STR(udt->name), CHECK_STR(udt->name));
    base__buf_puts(out, "    const corm_value *field;\n"
                        "    memset(out, 0, sizeof *out);\n"
                        "    if (value->kind != CORM_UDT) return;\n");
    for (uint32_t i = 0; i < udt->type->count; i++) {
        base__buf_printf(out, "    field = field_at(value, %u);\n", i);
        gen__put_take(unit, &udt->fields[i], "    ", "field", out);
    }
    base__buf_puts(out, "}\n\n");
}

static void put_value(const gen_unit *unit, const gen_udt *udt, base_buf *out) {
    base__buf_printf(out, "corm_value %.*s_value(const %.*s *from, %.*s_cells *cells) {\n",
                     CHECK_STR(udt->name), CHECK_STR(udt->name), CHECK_STR(udt->name));
    base__buf_puts(out, "    corm_value *items = cells->items;\n");
    for (uint32_t i = 0; i < udt->type->count; i++) {
        gen_member field = udt->fields[i];
        base__buf_printf(out, "    items[%u] = ", i);
        if (field.type.shape == GEN_ARRAY)
            base__buf_printf(out, "from->has_%.*s", CHECK_STR(field.name));
        else
            gen__put_present(&field, "from->", out);
        base__buf_puts(out, " ? ");
        gen__put_value(unit, &field, "from->", "cells->within.", out);
        base__buf_puts(out, " : corm_null();\n");
    }
    base__buf_printf(out, "    return corm_of_items(CORM_UDT, items, %u);\n}\n\n",
                     udt->type->count);
}

void gen__put_udt_functions(const gen_unit *unit, base_buf *out) {
    if (!unit->udt_count) return;
    base__buf_puts(
        out, "/* ---- user-defined types ---- */\n\n"
             "/* Fields that were added later are not in older values. */\n"
             "static const corm_value *field_at(const corm_value *value, uint32_t index) {\n"
             "    static const corm_value none = { .kind = CORM_NULL };\n"
             "    return index < value->as.items.count ? &value->as.items.items[index] : &none;\n"
             "}\n\n");
    for (uint32_t u = 0; u < unit->udt_count; u++) {
        put_read(unit, &unit->udts[u], out);
        put_value(unit, &unit->udts[u], out);
    }
}

/* ---- vectors ---- */

/* Elements of vectors that are read, and that are written. */
typedef struct elements {
    uint32_t read_count, write_count;
    gen_type read[24], write[24];
} elements;

static void add(gen_type *list, uint32_t *count, const gen_member *m) {
    if (m->type.shape != GEN_ARRAY) return;
    for (uint32_t i = 0; i < *count; i++)
        if (strcmp(list[i].member, m->type.member) == 0) return;
    if (*count < 24) list[(*count)++] = m->type;
}

static void find_elements(const gen_unit *unit, elements *e) {
    for (uint32_t q = 0; q < unit->query_count; q++) {
        const gen_query *query = &unit->queries[q];
        for (uint32_t i = 0; i < query->param_count; i++)
            add(e->write, &e->write_count, &query->params[i]);
        for (uint32_t i = 0; i < query->column_count; i++)
            add(e->read, &e->read_count, &query->columns[i]);
    }
    for (uint32_t u = 0; u < unit->udt_count; u++)
        for (uint32_t i = 0; i < unit->udts[u].type->count; i++) {
            add(e->write, &e->write_count, &unit->udts[u].fields[i]);
            add(e->read, &e->read_count, &unit->udts[u].fields[i]);
        }
}

void gen__put_array_helpers(const gen_unit *unit, base_buf *out) {
    elements e = { 0 };
    find_elements(unit, &e);
    if (e.read_count || e.write_count) base__buf_puts(out, "/* ---- vectors ---- */\n\n");
    for (uint32_t i = 0; i < e.write_count; i++)
        base__buf_printf(
            out,
            "static corm_value vector_of_%s(const %s *from, corm_value *items, uint32_t count) {\n"
            "    for (uint32_t i = 0; i < count; i++) items[i] = %s(from[i]);\n"
            "    return corm_of_items(CORM_VECTOR, items, count);\n}\n\n",
            e.write[i].member, e.write[i].c, e.write[i].maker);
    for (uint32_t i = 0; i < e.read_count; i++)
        base__buf_printf(out,
                         "static void read_%s(const corm_value *value, %s *out, uint32_t count) {\n"
                         "    for (uint32_t i = 0; i < count && i < value->as.items.count; i++)\n"
                         "        out[i] = value->as.items.items[i].as.%s;\n}\n\n",
                         e.read[i].member, e.read[i].c, e.read[i].member);
}
