// SPDX-License-Identifier: MIT
/* models.c -- the tables of a keyspace as models: a struct of a row and a corm_model for each, and a function that makes all of
 * them, with the types and indexes that models cannot say. */
#include "base/fail.h"
#include "cli/generate/generate.h"
#include "corm/model.h"

/* ---- members ---- */

/* Of key columns, which are always there, and of others, which may be null. */
static const struct {
    cql_type_id id;
    const char *key, *other;
    const char *cql; /* what the member stands for without .cql */
} members[] = {
    { CQL_ASCII, "char *", "char *", "text" },
    { CQL_TEXT, "char *", "char *", "text" },
    { CQL_BIGINT, "int64_t ", "corm_opt_bigint ", "bigint" },
    { CQL_BLOB, "corm_bytes ", "corm_bytes ", "blob" },
    { CQL_BOOLEAN, "bool ", "corm_opt_bool ", "boolean" },
    { CQL_COUNTER, "int64_t ", "int64_t ", "bigint" },
    { CQL_DATE, "corm_date ", "corm_date ", "date" },
    { CQL_DECIMAL, "corm_decimal ", "corm_decimal ", "decimal" },
    { CQL_DOUBLE, "double ", "corm_opt_double ", "double" },
    { CQL_DURATION, "corm_duration ", "corm_duration ", "duration" },
    { CQL_FLOAT, "float ", "corm_opt_float ", "float" },
    { CQL_INET, "corm_inet ", "corm_inet ", "inet" },
    { CQL_INT, "int32_t ", "corm_opt_int ", "int" },
    { CQL_SMALLINT, "int16_t ", "corm_opt_int ", "" },
    { CQL_TINYINT, "int8_t ", "corm_opt_int ", "" },
    { CQL_TIME, "corm_time ", "corm_time ", "time" },
    { CQL_TIMESTAMP, "corm_timestamp ", "corm_opt_timestamp ", "timestamp" },
    { CQL_TIMEUUID, "corm_uuid ", "corm_uuid ", "uuid" },
    { CQL_UUID, "corm_uuid ", "corm_uuid ", "uuid" },
    { CQL_VARINT, "corm_varint ", "corm_varint ", "varint" },
    { CQL_LIST, "corm_list ", "corm_list ", "list<text>" },
    { CQL_SET, "corm_set ", "corm_set ", "set<text>" },
    { CQL_MAP, "corm_map ", "corm_map ", "map<text, text>" },
    { CQL_TUPLE, "corm_tuple ", "corm_tuple ", "" },
    { CQL_UDT, "corm_udt ", "corm_udt ", "" },
};

typedef struct model_field {
    const cql_column *column;
    corm_str          name; /* in C */
    const char       *c;
    bool              says_type; /* .cql is needed */
    corm_str          cql;
    bool              indexed;
} model_field;

typedef struct model_table {
    const gen_models *models;
    const cql_table  *table;
    corm_str          name; /* "shop_users" */
    model_field      *fields;
} model_table;

static corm_status find_member(const gen_models *g, model_field *f, corm_error *err) {
    const cql_type *type = f->column->type;
    bool            is_key = f->column->kind <= CQL_CLUSTERING;
    const char     *usual = "";
    base_buf        text = { 0 };
    f->c = "corm_value ";
    if (type->id == CQL_VECTOR && type->params[0]->id == CQL_FLOAT) f->c = "corm_floats ";
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (members[i].id != type->id) continue;
        f->c = is_key ? members[i].key : members[i].other;
        usual = members[i].cql;
        if (is_key && (type->id == CQL_SMALLINT || type->id == CQL_TINYINT))
            usual = type->id == CQL_SMALLINT ? "smallint" : "tinyint";
    }
    cql__type_print(type, &text);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) f->cql = base__arena_str(g->arena, base__buf_str(&text));
    f->says_type = status == CORM_OK && !corm_str_equal(f->cql, corm_str_of(usual));
    base__buf_free(&text);
    return status == CORM_OK && !f->cql.data ? base__fail_memory(err) : status;
}

/* Whether .indexed makes the same index. */
static bool is_plain_index(const model_table *t, const cql_index *index, base_arena *arena) {
    corm_str name = base__arena_printf(arena, "%.*s_%.*s_idx", CHECK_STR(t->table->name),
                                       CHECK_STR(index->column->name));
    bool plain_target = index->target == CQL_TARGET_COLUMN || index->target == CQL_TARGET_VALUES;
    return name.data && corm_str_equal(name, index->name) && plain_target &&
           !index->class_name.data && index->option_count == 0;
}

static corm_status find_fields(model_table *t, corm_error *err) {
    gen_names names = { .arena = t->models->arena };
    t->fields = BASE_NEW_ARRAY(t->models->arena, model_field, t->table->column_count + 1);
    if (!t->fields) return base__fail_memory(err);
    for (uint32_t i = 0; i < t->table->column_count; i++) {
        model_field *f = &t->fields[i];
        f->column = &t->table->columns[i];
        f->name = gen__name(&names, f->column->name);
        CORM_TRY(find_member(t->models, f, err));
        for (uint32_t x = 0; x < t->table->index_count; x++)
            if (t->table->indexes[x].column == f->column &&
                is_plain_index(t, &t->table->indexes[x], t->models->arena))
                f->indexed = true;
    }
    return names.no_memory ? base__fail_memory(err) : CORM_OK;
}

/* ---- the header ---- */

static void put_struct(const model_table *t, base_buf *out) {
    base__buf_printf(out, "typedef struct %.*s_row {\n", CHECK_STR(t->name));
    for (uint32_t i = 0; i < t->table->column_count; i++) {
        const model_field *f = &t->fields[i];
        base__buf_printf(out, "    %s%.*s;", f->c, CHECK_STR(f->name));
        if (f->says_type) {
            base__buf_puts(out, " /* ");
            gen__put_comment(f->cql, out);
            base__buf_puts(out, " */");
        }
        base__buf_u8(out, '\n');
    }
    base__buf_printf(out, "} %.*s_row;\n\nextern const corm_model %.*s;\n\n", CHECK_STR(t->name),
                     CHECK_STR(t->name));
}

static void put_header(const gen_models *g, const model_table *tables, uint32_t count,
                       base_buf *out) {
    base_buf guard = { 0 };
    for (const char *c = g->name; *c; c++)
        base__buf_u8(&guard, (uint8_t)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c));
    const char *name = base__buf_cstr(&guard);
    base__buf_printf(out,
                     "/* %s.h -- made by corm generate models from %s: changes here are lost. */\n"
                     "#ifndef %s_MODELS_H\n#define %s_MODELS_H\n\n#include <corm/corm.h>\n\n"
                     "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
                     g->name, g->source, name ? name : "", name ? name : "");
    if (!name) out->failed = true;
    for (uint32_t i = 0; i < count; i++) put_struct(&tables[i], out);
    base__buf_printf(
        out,
        "/* All of them, ended by NULL. */\nextern const corm_model *const %s_models[];\n\n"
        "/* Makes what is missing of types, tables and indexes in the session's keyspace, and compiles the models.\n"
        " * What is there already must fit. */\n"
        "CORM_CHECKED corm_status %s_load(corm_db *db, corm_error *err);\n\n"
        "#ifdef __cplusplus\n}\n#endif\n#endif\n",
        g->name, g->name);
    base__buf_free(&guard);
}

/* ---- options ---- */

/* The next line behind WITH, without AND and the end. */
static bool next_option(corm_str *text, corm_str *option) {
    while (text->len) {
        const char *end = memchr(text->data, '\n', text->len);
        size_t      len = end ? (size_t)(end - text->data) : text->len;
        corm_str    line = { text->data, len };
        text->data += len + (end != NULL);
        text->len -= len + (end != NULL);
        while (line.len && *line.data == ' ') line.data++, line.len--;
        if (line.len && line.data[line.len - 1] == ';') line.len--;
        bool   first = line.len > 7 && memcmp(line.data, ") WITH ", 7) == 0;
        bool   more = line.len > 4 && memcmp(line.data, "AND ", 4) == 0;
        size_t skip = first ? 7 : 4;
        if (!first && !more) continue;
        *option = (corm_str){ line.data + skip, line.len - skip };
        return true;
    }
    return false;
}

static bool begins(corm_str text, const char *with) {
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

static bool has_option(corm_str all, corm_str option) {
    corm_str other;
    while (next_option(&all, &other))
        if (corm_str_equal(other, option)) return true;
    return false;
}

/* A table that says nothing of its options, described. */
static corm_status describe_defaults(base_arena *arena, base_buf *out, corm_error *err) {
    static const char *const statements[] = {
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE k.t (a int PRIMARY KEY)"
    };
    cql_schema *schema = cql__schema_new();
    corm_status status = schema ? CORM_OK : base__fail_memory(err);
    for (int i = 0; i < 2 && status == CORM_OK; i++) {
        cql_statement    *tree;
        cql_schema       *next = NULL;
        cql_schema_change change = { 0 };
        status = cql__parse(arena, corm_str_of(statements[i]), &tree, NULL, err);
        if (status == CORM_OK)
            status =
                cql__schema_apply(schema, tree, (corm_str){ "", 0 }, 1, arena, &next, &change, err);
        if (status == CORM_OK) {
            cql__schema_unref(schema);
            schema = next;
        }
    }
    if (status == CORM_OK)
        cql__describe_table(cql__schema_table(schema, corm_str_of("k"), corm_str_of("t")), false,
                            out);
    cql__schema_unref(schema);
    return status == CORM_OK ? base__buf_status(out, err) : status;
}

/* What differs from a new table's, as WITH has it. */
static void put_with(const model_table *t, corm_str defaults, base_buf *with) {
    base_buf text = { 0 };
    corm_str option;
    cql__describe_table(t->table, false, &text);
    corm_str rest = base__buf_str(&text);
    while (next_option(&rest, &option)) {
        bool own = begins(option, "CLUSTERING ORDER") || begins(option, "ID = ") ||
                   begins(option, "comment = ") || begins(option, "default_time_to_live = ") ||
                   begins(option, "COMPACT STORAGE");
        if (own || has_option(defaults, option)) continue;
        if (with->len) base__buf_puts(with, " AND ");
        base__buf_put_str(with, option);
    }
    if (text.failed) with->failed = true;
    base__buf_free(&text);
}

static void put_options(const model_table *t, corm_str defaults, base_buf *out) {
    const cql_table_options *o = &t->table->options;
    base_buf                 with = { 0 };
    put_with(t, defaults, &with);
    if (o->default_time_to_live || o->comment.len || with.len) {
        base__buf_puts(out, "    .options = {\n");
        if (o->default_time_to_live)
            base__buf_printf(out, "        .default_ttl_seconds = %d,\n",
                             (int)o->default_time_to_live);
        if (o->comment.len) {
            base__buf_puts(out, "        .comment =\n");
            gen__put_c_string(o->comment, "            ", out);
            base__buf_puts(out, ",\n");
        }
        if (with.len) {
            base__buf_puts(out, "        .with =\n");
            gen__put_c_string(base__buf_str(&with), "            ", out);
            base__buf_puts(out, ",\n");
        }
        base__buf_puts(out, "    },\n");
    }
    if (with.failed) out->failed = true;
    base__buf_free(&with);
}

/* ---- models ---- */

static const char *key_of(const cql_column *column) {
    switch (column->kind) {
    case CQL_PARTITION_KEY: return "CORM_PARTITION";
    case CQL_CLUSTERING: return column->descending ? "CORM_CLUSTERING_DESC" : "CORM_CLUSTERING";
    case CQL_STATIC: return "CORM_STATIC";
    default: return NULL;
    }
}

static void put_field(const model_field *f, base_buf *out) {
    const char *key = key_of(f->column);
    if (corm_str_equal(f->name, f->column->name)) {
        base__buf_printf(out, "        { COL(%.*s)", CHECK_STR(f->name));
    } else {
        base__buf_puts(out, "        { COL_AS(");
        gen__put_c_string(f->column->name, "", out);
        base__buf_printf(out, ", %.*s)", CHECK_STR(f->name));
    }
    if (key) base__buf_printf(out, ", .key = %s", key);
    if (f->says_type) {
        base__buf_puts(out, ", .cql = ");
        gen__put_c_string(f->cql, "", out);
    }
    if (f->indexed) base__buf_puts(out, ", .indexed = true");
    base__buf_puts(out, " },\n");
}

static void put_fields(const model_table *t, uint32_t from, uint32_t to, base_buf *out) {
    for (uint32_t i = from; i < to; i++) put_field(&t->fields[i], out);
}

static bool renames(const model_table *tables, uint32_t count) {
    for (uint32_t t = 0; t < count; t++)
        for (uint32_t i = 0; i < tables[t].table->column_count; i++)
            if (!corm_str_equal(tables[t].fields[i].name, tables[t].fields[i].column->name))
                return true;
    return false;
}

static void put_model(const model_table *t, corm_str defaults, base_buf *out) {
    uint32_t count = t->table->column_count;
    uint32_t first = count < CORM_MODEL_MAX_FIELDS ? count : CORM_MODEL_MAX_FIELDS;
    bool     renamed = renames(t, 1);
    base__buf_printf(out, "#define COL(member) CORM_COLUMN(%.*s_row, member)\n",
                     CHECK_STR(t->name));
    if (renamed)
        base__buf_printf(out,
                         "#define COL_AS(column, member) COLUMN_AS(column, %.*s_row, member)\n",
                         CHECK_STR(t->name));
    if (first < count) {
        base__buf_printf(out, "static const corm_field %.*s_more[] = {\n", CHECK_STR(t->name));
        put_fields(t, first, count, out);
        base__buf_puts(out, "        { .name = NULL },\n};\n");
    }
    base__buf_printf(out, "const corm_model %.*s = {\n    .table = ", CHECK_STR(t->name));
    gen__put_c_string(t->table->name, "", out);
    base__buf_printf(out, ",\n    .row_size = sizeof(%.*s_row),\n    .fields = {\n",
                     CHECK_STR(t->name));
    put_fields(t, 0, first, out);
    base__buf_puts(out, "    },\n");
    if (first < count) base__buf_printf(out, "    .more_fields = %.*s_more,\n", CHECK_STR(t->name));
    put_options(t, defaults, out);
    base__buf_puts(out, renamed ? "};\n#undef COL\n#undef COL_AS\n\n" : "};\n#undef COL\n\n");
}

/* ---- what models cannot say ---- */

static void put_statement(const base_buf *text, base_buf *out) {
    gen__put_c_string(base__buf_str(text), "    ", out);
    base__buf_puts(out, ",\n");
    if (text->failed) out->failed = true;
}

static void put_type(const cql_type *type, base_buf *text) {
    base__buf_puts(text, "CREATE TYPE IF NOT EXISTS ");
    cql__put_name(text, type->name);
    for (uint32_t i = 0; i < type->count; i++) {
        base__buf_puts(text, i ? ", " : " (");
        cql__put_name(text, type->field_names[i]);
        base__buf_u8(text, ' ');
        cql__type_print(type->params[i], text);
    }
    base__buf_u8(text, ')');
}

static corm_status put_types(const gen_models *g, base_buf *out, corm_error *err) {
    uint32_t *order = BASE_NEW_ARRAY(g->arena, uint32_t, g->keyspace->type_count + 1);
    if (!order) return base__fail_memory(err);
    cql__describe_type_order(g->keyspace, order);
    base__buf_puts(out, "static const char *const types[] = {\n");
    for (uint32_t i = 0; i < g->keyspace->type_count; i++) {
        base_buf text = { 0 };
        put_type(g->keyspace->types[order[i]]->type, &text);
        put_statement(&text, out);
        base__buf_free(&text);
    }
    base__buf_puts(out, "    NULL,\n};\n\n");
    return CORM_OK;
}

/* As it is described, but only when it is missing, and in the session's keyspace. */
static void put_index(const cql_table *table, const cql_index *index, base_buf *text) {
    base_buf described = { 0 }, qualified = { 0 };
    cql__describe_index(table, index, &described);
    base__buf_puts(&qualified, " ON ");
    cql__put_name(&qualified, table->keyspace);
    base__buf_u8(&qualified, '.');
    const char *all = base__buf_cstr(&described), *on = base__buf_cstr(&qualified);
    const char *at = all && on ? strstr(all, on) : NULL, *kind = all ? strstr(all, "INDEX ") : NULL;
    if (at && kind) {
        base__buf_put(text, all, (size_t)(kind + 6 - all));
        base__buf_puts(text, "IF NOT EXISTS ");
        base__buf_put(text, kind + 6, (size_t)(at - kind - 6));
        base__buf_puts(text, " ON ");
        const char *rest = at + strlen(on);
        base__buf_put(text, rest, strcspn(rest, ";"));
    } else {
        text->failed = true;
    }
    base__buf_free(&described);
    base__buf_free(&qualified);
}

static void put_mask(const cql_table *table, const cql_column *column, base_buf *text) {
    base__buf_puts(text, "ALTER TABLE ");
    cql__put_name(text, table->name);
    base__buf_puts(text, " ALTER ");
    cql__put_name(text, column->name);
    base__buf_printf(text, " MASKED WITH system.%.*s(", CHECK_STR(column->mask.function));
    for (uint32_t i = 0; i < column->mask.count; i++) {
        if (i > 0) base__buf_puts(text, ", ");
        base__buf_put_str(text, column->mask.arguments[i]);
    }
    base__buf_u8(text, ')');
}

/* The described text with `from` replaced by `to` at its first place. */
static bool replace(base_buf *text, const char *from, const char *to) {
    const char *all = base__buf_cstr(text), *at = all ? strstr(all, from) : NULL;
    base_buf    next = { 0 };
    if (!at) return false;
    base__buf_put(&next, all, (size_t)(at - all));
    base__buf_puts(&next, to);
    base__buf_puts(&next, at + strlen(from));
    if (next.failed) text->failed = true;
    base__buf_free(text);
    *text = next;
    return true;
}

/* As it is described, but only when it is missing, and in the session's keyspace. */
static void put_view(const cql_table *view, base_buf *text) {
    base_buf    keyspace = { 0 }, from = { 0 };
    const char *name, *source;
    cql__put_name(&keyspace, view->keyspace);
    base__buf_u8(&keyspace, '.');
    name = base__buf_cstr(&keyspace);
    base__buf_printf(&from, "FROM %s", name ? name : "");
    source = base__buf_cstr(&from);
    cql__describe_view(view, false, text);
    bool done =
        name && source && replace(text, name, "IF NOT EXISTS ") && replace(text, source, "FROM ");
    if (!done) text->failed = true;
    if (text->len && text->data[text->len - 1] == ';') text->len--;
    base__buf_free(&keyspace);
    base__buf_free(&from);
}

static void put_views(const gen_models *g, base_buf *out) {
    for (uint32_t i = 0; i < g->keyspace->table_count; i++) {
        base_buf text = { 0 };
        if (!g->keyspace->tables[i]->view) continue;
        put_view(g->keyspace->tables[i], &text);
        put_statement(&text, out);
        base__buf_free(&text);
    }
}

static void put_others(const model_table *t, base_buf *out) {
    for (uint32_t i = 0; i < t->table->index_count; i++) {
        base_buf text = { 0 };
        if (!is_plain_index(t, &t->table->indexes[i], t->models->arena)) {
            put_index(t->table, &t->table->indexes[i], &text);
            put_statement(&text, out);
        }
        base__buf_free(&text);
    }
    for (uint32_t i = 0; i < t->table->column_count; i++) {
        base_buf text = { 0 };
        if (t->table->columns[i].mask.present) {
            put_mask(t->table, &t->table->columns[i], &text);
            put_statement(&text, out);
        }
        base__buf_free(&text);
    }
}

/* ---- the source ---- */

static void put_load(const gen_models *g, base_buf *out) {
    base__buf_printf(
        out,
        "static corm_status execute(corm_db *db, const char *const *statements, corm_error *err) {\n"
        "    corm_status status = CORM_OK;\n"
        "    for (; *statements && status == CORM_OK; statements++)\n"
        "        status = corm_execute(corm_db_session(db), *statements, NULL, { .error = err });\n"
        "    return status;\n"
        "}\n\n"
        "corm_status %s_load(corm_db *db, corm_error *err) {\n"
        "    corm_status status = execute(db, types, err);\n"
        "    for (const corm_model *const *model = %s_models; *model && status == CORM_OK; model++)\n"
        "        status = corm_load(db, *model, err);\n"
        "    return status == CORM_OK ? execute(db, others, err) : status;\n"
        "}\n",
        g->name, g->name);
}

static corm_status put_source(const gen_models *g, const model_table *tables, uint32_t count,
                              corm_str defaults, base_buf *out, corm_error *err) {
    base__buf_printf(out,
                     "/* %s.c -- made by corm generate models from %s: changes here are lost. */\n"
                     "#include \"%s.h\"\n\n",
                     g->name, g->source, g->name);
    if (renames(tables, count))
        base__buf_puts(
            out,
            "#define COLUMN_AS(column, T, m) \\\n"
            "    .name = column, .member = CORM_MEMBER_OF(T, m), \\\n"
            "    .offset = (uint32_t)offsetof(T, m), .size = (uint32_t)sizeof(((T *)0)->m)\n\n");
    for (uint32_t i = 0; i < count; i++) put_model(&tables[i], defaults, out);
    base__buf_printf(out, "const corm_model *const %s_models[] = {\n", g->name);
    for (uint32_t i = 0; i < count; i++)
        base__buf_printf(out, "    &%.*s,\n", CHECK_STR(tables[i].name));
    base__buf_puts(out, "    NULL,\n};\n\n");
    CORM_TRY(put_types(g, out, err));
    base__buf_puts(
        out,
        "/* Indexes, masks and views that a model does not say. */\nstatic const char *const others[] = {\n");
    for (uint32_t i = 0; i < count; i++) put_others(&tables[i], out);
    put_views(g, out);
    base__buf_puts(out, "    NULL,\n};\n\n");
    put_load(g, out);
    return CORM_OK;
}

static corm_status find_tables(const gen_models *g, model_table *tables, uint32_t *count,
                               corm_error *err) {
    gen_names names = { .arena = g->arena };
    corm_str  load = base__arena_printf(g->arena, "%s_load", g->name);
    corm_str  models = base__arena_printf(g->arena, "%s_models", g->name);
    if (!load.data || !models.data) return base__fail_memory(err);
    gen__reserve(&names, load.data);
    gen__reserve(&names, models.data);
    for (uint32_t i = 0; i < g->keyspace->table_count; i++) {
        if (g->keyspace->tables[i]->view) continue;
        model_table *t = &tables[(*count)++];
        corm_str     wanted = base__arena_printf(g->arena, "%s_%.*s", g->name,
                                                 CHECK_STR(g->keyspace->tables[i]->name));
        if (!wanted.data) return base__fail_memory(err);
        *t = (model_table){ .models = g,
                            .table = g->keyspace->tables[i],
                            .name = gen__name(&names, wanted) };
        CORM_TRY(find_fields(t, err));
    }
    return names.no_memory ? base__fail_memory(err) : CORM_OK;
}

corm_status gen__put_models(const gen_models *g, base_buf *header, base_buf *source,
                            corm_error *err) {
    model_table *tables = BASE_NEW_ARRAY(g->arena, model_table, g->keyspace->table_count + 1);
    base_buf     defaults = { 0 };
    uint32_t     count = 0;
    if (!tables) return base__fail_memory(err);
    CORM_TRY(find_tables(g, tables, &count, err));
    if (!count)
        return base__fail(err, CORM_INVALID, "the keyspace %.*s has no tables",
                          CHECK_STR(g->keyspace->name));
    corm_status status = describe_defaults(g->arena, &defaults, err);
    if (status == CORM_OK) {
        put_header(g, tables, count, header);
        status = put_source(g, tables, count, base__buf_str(&defaults), source, err);
    }
    base__buf_free(&defaults);
    return status;
}
