// SPDX-License-Identifier: MIT
/* describe.c -- the objects of a schema as the statements that make them, letter for letter as the
 * server prints them. Pure; any thread. */
#include "base/text.h"
#include "cql/options.h"
#include "cql/schema_build.h"

#define INDENT "    "

static void put_qualified(base_buf *out, corm_str keyspace, corm_str name) {
    cql__put_name(out, keyspace);
    base__buf_u8(out, '.');
    cql__put_name(out, name);
}

/* ---- order ---- */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* By name in any case; where they differ in case only, the order stays. */
static int compare_names(corm_str a, corm_str b) {
    size_t len = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        int order = (uint8_t)lower(a.data[i]) - (uint8_t)lower(b.data[i]);
        if (order != 0) return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

void cql__describe_index_order(const cql_table *table, uint32_t *order) {
    for (uint32_t i = 0; i < table->index_count; i++) {
        uint32_t at = i;
        for (; at > 0 &&
               compare_names(table->indexes[order[at - 1]].name, table->indexes[i].name) > 0;
             at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

typedef struct type_walk {
    const cql_keyspace *keyspace;
    uint32_t           *order;
    uint32_t            count;
} type_walk;

static bool is_walked(const type_walk *walk, uint32_t index) {
    for (uint32_t i = 0; i < walk->count; i++) {
        if (walk->order[i] == index) return true;
    }
    return false;
}

/* Types that are inside come first. */
static void walk_type(type_walk *walk, const cql_type *type) {
    for (uint32_t i = 0; i < type->count; i++) walk_type(walk, type->params[i]);
    for (uint32_t i = 0; type->id == CQL_UDT && i < walk->keyspace->type_count; i++) {
        if (!corm_str_equal(walk->keyspace->types[i]->name, type->name)) continue;
        if (!is_walked(walk, i)) walk->order[walk->count++] = i;
    }
}

void cql__describe_type_order(const cql_keyspace *keyspace, uint32_t *order) {
    type_walk walk = { keyspace, order, 0 };
    for (uint32_t i = 0; i < keyspace->type_count; i++) walk_type(&walk, keyspace->types[i]->type);
}

/* ---- columns ---- */

static void put_mask(const cql_mask_def *mask, base_buf *out) {
    if (!mask->present) return;
    base__buf_printf(out, " MASKED WITH system.%.*s(", CQL_S(mask->function));
    for (uint32_t i = 0; i < mask->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, mask->arguments[i]);
    }
    base__buf_u8(out, ')');
}

static void put_column(const cql_column *column, base_buf *out) {
    cql__put_name(out, column->name);
    base__buf_u8(out, ' ');
    cql__type_print(column->type, out);
    if (column->kind == CQL_STATIC) base__buf_puts(out, " static");
    put_mask(&column->mask, out);
}

static bool is_dropped(const cql_table *table, corm_str name) {
    for (uint32_t i = 0; i < table->dropped_count; i++) {
        if (corm_str_equal(table->dropped[i].name, name)) return true;
    }
    return false;
}

/* Columns of one value before those of many cells. */
static const cql_column *nth_of_kind(const cql_table *table, cql_column_kind kind, uint32_t n) {
    for (int multicell = 0; multicell < 2; multicell++) {
        for (uint32_t i = 0; i < table->column_count; i++) {
            const cql_column *column = &table->columns[i];
            if (column->kind != kind || cql__type_is_multicell(column->type) != (multicell == 1))
                continue;
            if (n-- == 0) return column;
        }
    }
    return NULL;
}

/* The column in place n of a CREATE TABLE statement. */
static const cql_column *nth_column(const cql_table *table, uint32_t n) {
    uint32_t keys = table->partition_count + table->clustering_count;
    if (n < keys) return &table->columns[n];
    if (n < keys + table->static_count) return nth_of_kind(table, CQL_STATIC, n - keys);
    return nth_of_kind(table, CQL_REGULAR, n - keys - table->static_count);
}

static bool has_single_key(const cql_table *table) {
    return table->partition_count == 1 && table->clustering_count == 0 && !table->is_compact;
}

/* With internals, a column that was dropped once is not shown among the columns but made, dropped
 * and made again. */
static void put_columns(const cql_table *table, bool internals, base_buf *out) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        const cql_column *column = nth_column(table, i);
        bool              last = i + 1 == table->column_count;
        if (internals && is_dropped(table, column->name)) continue;
        base__buf_puts(out, INDENT);
        put_column(column, out);
        if (has_single_key(table) && column->kind == CQL_PARTITION_KEY)
            base__buf_puts(out, " PRIMARY KEY");
        if (!has_single_key(table) || (internals && table->dropped_count > 0) || !last)
            base__buf_u8(out, ',');
        base__buf_u8(out, '\n');
    }
    for (uint32_t i = 0; internals && i < table->dropped_count; i++) {
        const cql_dropped_column *dropped = &table->dropped[i];
        cql_column column = { .name = dropped->name, .kind = dropped->kind, .type = dropped->type };
        base__buf_puts(out, INDENT);
        put_column(&column, out);
        if (!has_single_key(table) || i + 1 < table->dropped_count) base__buf_u8(out, ',');
        base__buf_u8(out, '\n');
    }
}

static void put_names(const cql_table *table, uint32_t from, uint32_t count, base_buf *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_name(out, table->columns[from + i].name);
    }
}

static void put_primary_key(const cql_table *table, base_buf *out) {
    bool composite = table->partition_count > 1;
    base__buf_puts(out, INDENT "PRIMARY KEY (");
    if (composite) base__buf_u8(out, '(');
    put_names(table, 0, table->partition_count, out);
    if (composite) base__buf_u8(out, ')');
    if (table->clustering_count > 0) base__buf_puts(out, ", ");
    put_names(table, table->partition_count, table->clustering_count, out);
    base__buf_puts(out, ")\n");
}

/* ---- options ---- */

static void put_clustering_order(const cql_table *table, base_buf *out) {
    bool hidden = table->is_compact && table->clustering_count == 0;
    if (table->clustering_count == 0 && !hidden) return;
    base__buf_puts(out, "CLUSTERING ORDER BY (");
    if (hidden) base__buf_puts(out, "column1 ASC");
    for (uint32_t i = 0; i < table->clustering_count; i++) {
        const cql_column *column = &table->columns[table->partition_count + i];
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_name(out, column->name);
        base__buf_puts(out, column->descending ? " DESC" : " ASC");
    }
    base__buf_puts(out, ")\n" INDENT "AND ");
}

static void put_options(const cql_table *table, bool internals, base_buf *out) {
    if (table->is_compact) base__buf_puts(out, "COMPACT STORAGE\n" INDENT "AND ");
    if (internals) {
        char id[37];
        corm_uuid_format(table->id, id);
        base__buf_printf(out, "ID = %s\n" INDENT "AND ", id);
    }
    put_clustering_order(table, out);
    if (table->is_virtual && cql__is_virtual_system(table->keyspace)) {
        base__buf_puts(out, "comment = ");
        cql__put_quoted(out, table->options.comment);
    } else {
        cql__table_options_print(&table->options, table->view != NULL, "\n" INDENT "AND ", out);
    }
    base__buf_u8(out, ';');
}

static void put_drops(const cql_table *table, base_buf *out) {
    for (uint32_t i = 0; i < table->dropped_count; i++) {
        const cql_dropped_column *dropped = &table->dropped[i];
        const cql_column         *again = cql__table_column(table, dropped->name);
        base__buf_puts(out, "\nALTER TABLE ");
        put_qualified(out, table->keyspace, table->name);
        base__buf_puts(out, " DROP ");
        cql__put_name(out, dropped->name);
        base__buf_printf(out, " USING TIMESTAMP %lld;", (long long)dropped->dropped_at_us);
        if (!again) continue;
        base__buf_puts(out, "\nALTER TABLE ");
        put_qualified(out, table->keyspace, table->name);
        base__buf_puts(out, " ADD ");
        put_column(again, out);
        base__buf_u8(out, ';');
    }
}

/* ---- tables and indexes ---- */

static void put_preface(const cql_table *table, base_buf *out) {
    if (table->is_compact) {
        base__buf_puts(out, "/*\nWarning: Table ");
        put_qualified(out, table->keyspace, table->name);
        base__buf_puts(out, " omitted because it has constructs not compatible with CQL (was "
                            "created via legacy API).\nApproximate structure, for "
                            "reference:\n(this should not be used to reproduce this schema)\n\n");
    } else if (table->is_virtual && cql__is_virtual_system(table->keyspace)) {
        base__buf_puts(out, "/*\nWarning: Table ");
        put_qualified(out, table->keyspace, table->name);
        base__buf_puts(
            out,
            " is a virtual table and cannot be recreated with CQL.\nStructure, for reference:\n");
    }
}

void cql__describe_table(const cql_table *table, bool internals, base_buf *out) {
    bool is_virtual = table->is_virtual && cql__is_virtual_system(table->keyspace);
    put_preface(table, out);
    base__buf_puts(out, is_virtual ? "VIRTUAL TABLE " : "CREATE TABLE ");
    put_qualified(out, table->keyspace, table->name);
    base__buf_puts(out, " (\n");
    put_columns(table, internals, out);
    if (!has_single_key(table)) put_primary_key(table, out);
    base__buf_puts(out, ") WITH ");
    put_options(table, internals, out);
    if (is_virtual) base__buf_puts(out, "\n*/");
    if (internals) put_drops(table, out);
    if (table->is_compact) base__buf_puts(out, "\n*/");
}

/* In the order in which SELECT * shows them, other than those of a table. */
static void put_selection(const cql_table *view, base_buf *out) {
    if (view->view->includes_all) base__buf_u8(out, '*');
    for (uint32_t i = 0; !view->view->includes_all && i < view->column_count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_name(out, view->columns[i].name);
    }
}

void cql__describe_view(const cql_table *view, bool internals, base_buf *out) {
    base__buf_puts(out, "CREATE MATERIALIZED VIEW ");
    put_qualified(out, view->keyspace, view->name);
    base__buf_puts(out, " AS\n" INDENT "SELECT ");
    put_selection(view, out);
    base__buf_puts(out, "\n" INDENT "FROM ");
    put_qualified(out, view->keyspace, view->view->base);
    base__buf_puts(out, "\n" INDENT "WHERE ");
    base__buf_put_str(out, view->view->where);
    base__buf_puts(out, "\n");
    put_primary_key(view, out);
    base__buf_puts(out, " WITH ");
    put_options(view, internals, out);
}

static void put_target(const cql_index *index, base_buf *out) {
    static const char *const words[] = { "", "values(", "keys(", "entries(", "full(" };
    base__buf_puts(out, words[index->target]);
    cql__put_name(out, index->column->name);
    if (index->target != CQL_TARGET_COLUMN) base__buf_u8(out, ')');
}

void cql__describe_index(const cql_table *table, const cql_index *index, base_buf *out) {
    bool           custom = index->class_name.data != NULL;
    cql_map_option options = { index->option_count, index->options };
    base__buf_puts(out, custom ? "CREATE CUSTOM INDEX " : "CREATE INDEX ");
    cql__put_name(out, index->name);
    base__buf_puts(out, " ON ");
    put_qualified(out, table->keyspace, table->name);
    base__buf_puts(out, " (");
    put_target(index, out);
    base__buf_u8(out, ')');
    if (custom) {
        base__buf_puts(out, " USING ");
        cql__put_quoted(out, index->class_name);
    }
    if (options.count > 0) {
        base__buf_puts(out, " WITH OPTIONS = ");
        cql__put_pairs(out, &options);
    }
    base__buf_u8(out, ';');
}

/* ---- types and keyspaces ---- */

void cql__describe_type(const cql_udt *udt, base_buf *out) {
    base__buf_puts(out, "CREATE TYPE ");
    put_qualified(out, udt->keyspace, udt->name);
    base__buf_puts(out, " (\n");
    for (uint32_t i = 0; i < udt->type->count; i++) {
        if (i > 0) base__buf_puts(out, ",\n");
        base__buf_puts(out, INDENT);
        cql__put_name(out, udt->type->field_names[i]);
        base__buf_u8(out, ' ');
        cql__type_print(udt->type->params[i], out);
    }
    base__buf_puts(out, "\n);");
}

/* The class without its package, as short as it may be written. */
static void put_replication(const cql_map_option *replication, base_buf *out) {
    corm_str package = corm_str_of("org.apache.cassandra.locator.");
    for (uint32_t i = 0; i < replication->count; i++) {
        corm_str value = replication->pairs[2 * i + 1];
        if (i == 0 && base__str_has_prefix(value, package)) {
            value = (corm_str){ value.data + package.len, value.len - package.len };
        }
        base__buf_puts(out, i == 0 ? "{" : ", ");
        cql__put_quoted(out, replication->pairs[2 * i]);
        base__buf_puts(out, ": ");
        cql__put_quoted(out, value);
    }
    base__buf_u8(out, '}');
}

void cql__describe_keyspace(const cql_keyspace *keyspace, base_buf *out) {
    if (keyspace->is_virtual) {
        base__buf_puts(out, "/*\nWarning: Keyspace ");
        cql__put_name(out, keyspace->name);
        base__buf_puts(
            out,
            " is a virtual keyspace and cannot be recreated with CQL.\nStructure, for reference:\n"
            "VIRTUAL KEYSPACE ");
        cql__put_name(out, keyspace->name);
        base__buf_puts(out, ";\n*/");
        return;
    }
    base__buf_puts(out, "CREATE KEYSPACE ");
    cql__put_name(out, keyspace->name);
    base__buf_puts(out, " WITH replication = ");
    put_replication(&keyspace->replication, out);
    base__buf_printf(out, "  AND durable_writes = %s;",
                     keyspace->durable_writes ? "true" : "false");
}
