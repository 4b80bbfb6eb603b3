// SPDX-License-Identifier: MIT
/* describe.c -- DESCRIBE in all forms, from the snapshot's schema. Names are quoted where CQL needs it and sorted without regard
 * to case; a table is followed by its indexes. Thread: the reader's. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/store.h"

/* An answer being written: three columns for lists, four with statements. */
typedef struct description {
    engine_request     *request;
    const cql_describe *statement;
    corm_str            keyspace; /* the session's */
    bool                with_statements;
    wire_rows_writer    writer;
    uint32_t            met, skip, page; /* rows met, of earlier pages, of this page at most */
    bool                has_more;
    base_buf            scratch;
} description;

/* ---- rows ---- */

static void put_text(base_buf *body, corm_str text) {
    cql__put_value(body, (cql_value){ (const uint8_t *)text.data, (int32_t)text.len });
}

static void put_quoted(description *to, corm_str name) {
    base__buf_clear(&to->scratch);
    cql__put_name(&to->scratch, name);
    put_text(&to->request->answer->body, base__buf_str(&to->scratch));
}

/* Rows of other pages are passed over. */
static bool is_outside_page(description *to) {
    if (to->met++ < to->skip) return true;
    to->has_more = to->has_more || to->writer.rows == to->page;
    return to->writer.rows == to->page;
}

/* The statement has been written into scratch by the caller, or is not wanted. */
static void put_row(description *to, corm_str keyspace, const char *type, corm_str name,
                    base_buf *statement) {
    base_buf *body = &to->request->answer->body;
    if (is_outside_page(to)) {
        base__buf_free(statement);
        return;
    }
    put_quoted(to, keyspace);
    put_text(body, corm_str_of(type));
    put_quoted(to, name);
    if (to->with_statements) put_text(body, base__buf_str(statement));
    wire__row_done(&to->writer);
    base__buf_free(statement);
}

static void put_keyspace(description *to, const cql_keyspace *keyspace) {
    base_buf text = { 0 };
    if (to->with_statements) cql__describe_keyspace(keyspace, &text);
    put_row(to, keyspace->name, "keyspace", keyspace->name, &text);
}

static void put_type(description *to, const cql_udt *type) {
    base_buf text = { 0 };
    if (to->with_statements) cql__describe_type(type, &text);
    put_row(to, type->keyspace, "type", type->name, &text);
}

static void put_index(description *to, const cql_table *table, const cql_index *index) {
    base_buf text = { 0 };
    cql__describe_index(table, index, &text);
    put_row(to, table->keyspace, "index", index->name, &text);
}

static void put_view(description *to, const cql_table *view) {
    base_buf text = { 0 };
    if (to->with_statements) cql__describe_view(view, to->statement->internals, &text);
    put_row(to, view->keyspace, "materialized_view", view->name, &text);
}

/* Behind the table and its indexes. */
static void put_views(description *to, const cql_table *table) {
    const cql_keyspace *keyspace = cql__schema_keyspace(to->request->schema, table->keyspace);
    if (!to->with_statements || table->view_count == 0) return;
    for (const cql_table *view = NULL; (view = cql__next_view(keyspace, table, view));)
        put_view(to, view);
}

static corm_status put_indexes(description *to, const cql_table *table, corm_error *err) {
    if (!to->with_statements || table->index_count == 0) return CORM_OK;
    uint32_t *order = BASE_NEW_ARRAY(to->request->arena, uint32_t, table->index_count);
    if (!order) return base__fail_memory(err);
    cql__describe_index_order(table, order);
    for (uint32_t i = 0; i < table->index_count; i++)
        put_index(to, table, &table->indexes[order[i]]);
    return CORM_OK;
}

static corm_status put_table(description *to, const cql_table *table, corm_error *err) {
    base_buf text = { 0 };
    if (to->with_statements) cql__describe_table(table, to->statement->internals, &text);
    put_row(to, table->keyspace, "table", table->name, &text);
    CORM_TRY(put_indexes(to, table, err));
    put_views(to, table);
    return CORM_OK;
}

/* ---- order ---- */

static int lower(char c) {
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Names that differ in case only: those in lower case come first. */
static int compare_nocase(corm_str a, corm_str b) {
    size_t len = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < len; i++) {
        int x = lower(a.data[i]), y = lower(b.data[i]);
        if (x != y) return x - y;
    }
    return a.len != b.len ? (a.len > b.len) - (a.len < b.len) : base__str_compare(b, a);
}

static int compare_tables(const void *a, const void *b) {
    return compare_nocase((*(cql_table *const *)a)->name, (*(cql_table *const *)b)->name);
}

static corm_status each_table(description *to, const cql_keyspace *keyspace, corm_error *err) {
    size_t      size = keyspace->table_count * sizeof(cql_table *);
    cql_table **tables = base__arena_copy(to->request->arena, keyspace->tables, size);
    if (!tables) return base__fail_memory(err);
    if (keyspace->table_count > 1)
        qsort(tables, keyspace->table_count, sizeof *tables, compare_tables);
    for (uint32_t i = 0; i < keyspace->table_count; i++)
        if (!tables[i]->view) CORM_TRY(put_table(to, tables[i], err));
    return CORM_OK;
}

static corm_status each_type(description *to, const cql_keyspace *keyspace, corm_error *err) {
    uint32_t *order = BASE_NEW_ARRAY(to->request->arena, uint32_t, keyspace->type_count);
    if (!order) return base__fail_memory(err);
    cql__describe_type_order(keyspace, order);
    for (uint32_t i = 0; i < keyspace->type_count; i++) put_type(to, keyspace->types[order[i]]);
    return CORM_OK;
}

static corm_status whole_keyspace(description *to, const cql_keyspace *keyspace, corm_error *err) {
    put_keyspace(to, keyspace);
    CORM_TRY(each_type(to, keyspace, err));
    return each_table(to, keyspace, err);
}

/* ---- finding ---- */

static corm_status not_found(corm_error *err, const char *what, corm_str name, const char *where,
                             corm_str keyspace) {
    return base__fail(err, CORM_INVALID, "%s'%.*s' not found in %s%.*s%s", what, (int)name.len,
                      name.data, where, (int)keyspace.len, keyspace.data, keyspace.len ? "'" : "");
}

static corm_status find_keyspace(description *to, corm_str name, const cql_keyspace **out,
                                 corm_error *err) {
    if (!name.len)
        return base__fail(err, CORM_INVALID, "No keyspace specified and no current keyspace");
    *out = cql__schema_keyspace(to->request->schema, name);
    return *out ? CORM_OK : not_found(err, "", name, "keyspaces", corm_str_of(""));
}

static corm_status object_keyspace(description *to, const cql_keyspace **out, corm_error *err) {
    const cql_ref *object = &to->statement->object;
    return find_keyspace(to, object->keyspace.text.data ? object->keyspace.text : to->keyspace, out,
                         err);
}

typedef corm_status (*describe_function)(description *to, corm_error *err);

static corm_status describe_table(description *to, corm_error *err) {
    const cql_keyspace *keyspace;
    corm_str            name = to->statement->object.name.text;
    CORM_TRY(object_keyspace(to, &keyspace, err));
    const cql_table *table = cql__schema_table(to->request->schema, keyspace->name, name);
    if (!table || table->view) return not_found(err, "Table ", name, "keyspace '", keyspace->name);
    return put_table(to, table, err);
}

static corm_status describe_type(description *to, corm_error *err) {
    const cql_keyspace *keyspace;
    corm_str            name = to->statement->object.name.text;
    CORM_TRY(object_keyspace(to, &keyspace, err));
    const cql_udt *type = cql__schema_type(to->request->schema, keyspace->name, name);
    if (!type) return not_found(err, "User defined type ", name, "'", keyspace->name);
    put_type(to, type);
    return CORM_OK;
}

static corm_status describe_index(description *to, corm_error *err) {
    const cql_keyspace *keyspace;
    const cql_table    *table;
    corm_str            name = to->statement->object.name.text;
    CORM_TRY(object_keyspace(to, &keyspace, err));
    const cql_index *index = cql__schema_index(to->request->schema, keyspace->name, name, &table);
    if (!index) return not_found(err, "Table for existing index ", name, "'", keyspace->name);
    put_index(to, table, index);
    return CORM_OK;
}

static corm_status describe_view(description *to, corm_error *err) {
    const cql_keyspace *keyspace;
    corm_str            name = to->statement->object.name.text;
    CORM_TRY(object_keyspace(to, &keyspace, err));
    const cql_table *view = cql__schema_table(to->request->schema, keyspace->name, name);
    if (!view || !view->view)
        return not_found(err, "Materialized view ", name, "'", keyspace->name);
    put_view(to, view);
    return CORM_OK;
}

/* Functions and aggregates: the store has none. */
static corm_status describe_absent(description *to, corm_error *err) {
    const cql_keyspace *keyspace;
    const char *what = to->statement->kind == CQL_DESCRIBE_FUNCTION ? "User defined function "
                                                                    : "User defined aggregate ";
    CORM_TRY(object_keyspace(to, &keyspace, err));
    return not_found(err, what, to->statement->object.name.text, "'", keyspace->name);
}

static corm_status describe_keyspace(description *to, corm_error *err) {
    const cql_keyspace *keyspace;
    const cql_ref      *object = &to->statement->object;
    corm_str name = object->keyspace.text.data ? object->keyspace.text : object->name.text;
    CORM_TRY(find_keyspace(to, name.data ? name : to->keyspace, &keyspace, err));
    if (!to->statement->only) return whole_keyspace(to, keyspace, err);
    put_keyspace(to, keyspace);
    return CORM_OK;
}

static corm_status describe_schema(description *to, corm_error *err) {
    const cql_schema *schema = to->request->schema;
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        if (to->statement->full || !schema->keyspaces[i]->is_system)
            CORM_TRY(whole_keyspace(to, schema->keyspaces[i], err));
    return CORM_OK;
}

/* DESCRIBE name: a keyspace, else a table or an index of the keyspace in use. */
static corm_status describe_generic(description *to, corm_error *err) {
    const cql_schema   *schema = to->request->schema;
    const cql_ref      *object = &to->statement->object;
    const cql_keyspace *keyspace;
    const cql_table    *table;
    const cql_keyspace *named = cql__schema_keyspace(schema, object->name.text);
    if (!object->keyspace.text.data && named) return whole_keyspace(to, named, err);
    if (!object->keyspace.text.data && !to->keyspace.len)
        return not_found(err, "", object->name.text, "keyspaces", corm_str_of(""));
    CORM_TRY(object_keyspace(to, &keyspace, err));
    table = cql__schema_table(schema, keyspace->name, object->name.text);
    if (table) return (table->view ? describe_view : describe_table)(to, err);
    if (cql__schema_index(schema, keyspace->name, object->name.text, &table))
        return describe_index(to, err);
    return not_found(err, "", object->name.text, "keyspace '", keyspace->name);
}

/* ---- lists ---- */

static corm_status each_keyspace(description *to,
                                 void (*put)(description *to, const cql_keyspace *keyspace)) {
    const cql_schema *schema = to->request->schema;
    for (uint32_t i = 0; i < schema->keyspace_count; i++) put(to, schema->keyspaces[i]);
    return CORM_OK;
}

static corm_status list_keyspaces(description *to, corm_error *err) {
    (void)err;
    return each_keyspace(to, put_keyspace);
}

static bool in_scope(const description *to, const cql_keyspace *keyspace) {
    return !to->keyspace.len || corm_str_equal(to->keyspace, keyspace->name);
}

static corm_status list_tables(description *to, corm_error *err) {
    const cql_schema *schema = to->request->schema;
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        if (in_scope(to, schema->keyspaces[i])) CORM_TRY(each_table(to, schema->keyspaces[i], err));
    return CORM_OK;
}

static corm_status list_types(description *to, corm_error *err) {
    const cql_schema *schema = to->request->schema;
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        if (in_scope(to, schema->keyspaces[i])) CORM_TRY(each_type(to, schema->keyspaces[i], err));
    return CORM_OK;
}

static corm_status list_nothing(description *to, corm_error *err) {
    (void)to;
    (void)err;
    return CORM_OK;
}

/* ---- the statement ---- */

static const struct {
    describe_function run;
    bool              is_list;
} forms[] = {
    [CQL_DESCRIBE_SCHEMA] = { describe_schema, false },
    [CQL_DESCRIBE_KEYSPACES] = { list_keyspaces, true },
    [CQL_DESCRIBE_KEYSPACE] = { describe_keyspace, false },
    [CQL_DESCRIBE_TABLES] = { list_tables, true },
    [CQL_DESCRIBE_TABLE] = { describe_table, false },
    [CQL_DESCRIBE_INDEX] = { describe_index, false },
    [CQL_DESCRIBE_VIEW] = { describe_view, false },
    [CQL_DESCRIBE_TYPES] = { list_types, true },
    [CQL_DESCRIBE_TYPE] = { describe_type, false },
    [CQL_DESCRIBE_FUNCTIONS] = { list_nothing, true },
    [CQL_DESCRIBE_FUNCTION] = { describe_absent, false },
    [CQL_DESCRIBE_AGGREGATES] = { list_nothing, true },
    [CQL_DESCRIBE_AGGREGATE] = { describe_absent, false },
    [CQL_DESCRIBE_GENERIC] = { describe_generic, false },
};

static void begin(description *to, const char *const *names, uint32_t count, const cql_type *last) {
    cql_result_column columns[4];
    for (uint32_t i = 0; i < count; i++)
        columns[i] = (cql_result_column){ corm_str_of("system"), corm_str_of("describe"),
                                          corm_str_of(names[i]), cql__type_native(CQL_TEXT) };
    if (last) columns[count - 1].type = last;
    wire__rows_begin(&to->writer, &to->request->answer->body, columns, count, false, WIRE_VERSION);
}

/* map<text, list<text>> of the one token and the one node. */
static void put_ownership(base_buf *body) {
    static const char token[] = "0", node[] = "/127.0.0.1:7000";
    size_t            at = body->len;
    base__buf_i32(body, 0);
    base__buf_i32(body, 1);
    put_text(body, corm_str_of(token));
    base__buf_i32(body, (int32_t)(4 + 4 + strlen(node)));
    base__buf_i32(body, 1);
    put_text(body, corm_str_of(node));
    if (!body->failed) base__buf_set_i32(body, at, (int32_t)(body->len - at - 4));
}

/* Who owns what is a question of a keyspace, and the system's are everywhere. */
static bool shows_ownership(const description *to) {
    const cql_keyspace *used = cql__schema_keyspace(to->request->schema, to->keyspace);
    return used && !used->is_system && !used->is_virtual;
}

static corm_status describe_cluster(description *to, corm_error *err) {
    static const char *const names[] = { "cluster", "partitioner", "snitch", "range_ownership" };
    static const char *const values[] = { "corm", "Murmur3Partitioner", "SimpleSnitch" };
    base_arena              *arena = to->request->arena;
    bool                     owned = shows_ownership(to);
    const cql_type          *text = cql__type_native(CQL_TEXT);
    const cql_type          *nodes = cql__type_list(arena, text, false);
    const cql_type          *ownership = nodes ? cql__type_map(arena, text, nodes, false) : NULL;
    if (!ownership) return base__fail_memory(err);
    begin(to, names, owned ? 4 : 3, owned ? ownership : NULL);
    for (int i = 0; i < 3; i++) put_text(&to->request->answer->body, corm_str_of(values[i]));
    if (owned) put_ownership(&to->request->answer->body);
    wire__row_done(&to->writer);
    return CORM_OK;
}

static corm_status describe_objects(description *to, corm_error *err) {
    static const char *const names[] = { "keyspace_name", "type", "name", "create_statement" };
    to->with_statements = !forms[to->statement->kind].is_list;
    begin(to, names, to->with_statements ? 4 : 3, NULL);
    return forms[to->statement->kind].run(to, err);
}

/* A page's state: the number of rows before it, and the version of the schema that they were of. */
enum { STATE_BYTES = 4 + 16 };

static corm_status set_page(description *to, corm_error *err) {
    const wire_options *options = to->request->options;
    corm_bytes          state = options->paging_state;
    to->page = options->page_size > 0 ? (uint32_t)options->page_size : UINT32_MAX;
    if (!state.len) return CORM_OK;
    if (state.len != STATE_BYTES)
        return base__fail(err, CORM_PROTOCOL_ERROR, "Invalid value for the paging state");
    if (memcmp(state.data + 4, to->request->schema->version.bytes, 16) != 0)
        return base__fail(
            err, CORM_INVALID,
            "The schema has changed since the previous page of the DESCRIBE statement "
            "result. Please retry the DESCRIBE statement.");
    to->skip = base__load_u32(state.data);
    return CORM_OK;
}

static void end(description *to) {
    uint8_t state[STATE_BYTES];
    base__store_u32(state, to->skip + to->writer.rows);
    memcpy(state + 4, to->request->schema->version.bytes, 16);
    wire__rows_end(&to->writer,
                   to->has_more ? (corm_bytes){ state, sizeof state } : (corm_bytes){ 0 });
}

corm_status engine__describe(engine_request *request, corm_error *err) {
    const cql_describe *statement = &request->checked->statement->as.describe;
    description to = { .request = request, .statement = statement, .keyspace = request->keyspace };
    CORM_TRY(set_page(&to, err));
    corm_status status = statement->kind == CQL_DESCRIBE_CLUSTER ? describe_cluster(&to, err)
                                                                 : describe_objects(&to, err);
    base__buf_free(&to.scratch);
    if (status != CORM_OK) return status;
    end(&to);
    return base__buf_status(&request->answer->body, err);
}
