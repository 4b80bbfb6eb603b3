// SPDX-License-Identifier: MIT
/* ddl_test.c -- runs the schema statements of golden files against snapshots, and compares every
 * answer with the server's. Statements that are about rows are left to the doors. */
#include "testing/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/parser.h"
#include "cql/schema_build.h"
#include "testing/memory.h"

typedef struct golden {
    cql_schema *schema;
    corm_str    session;
    char        session_text[64];
    base_buf    answer; /* lines without "-- " */
    int         wrong;
    int         checked;
    const char *file;
} golden;

/* ---- reading ---- */

static char *read_file(const char *path, size_t *len) {
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    fseek(in, 0, SEEK_END);
    *len = (size_t)ftell(in);
    rewind(in);
    char *text = malloc(*len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *len, in), *len);
    text[*len] = '\0';
    fclose(in);
    return text;
}

static corm_str next_line(corm_str *rest) {
    const char *end = memchr(rest->data, '\n', rest->len);
    size_t      len = end ? (size_t)(end - rest->data) : rest->len;
    corm_str    line = { rest->data, len };
    size_t      skip = end ? len + 1 : len;
    *rest = (corm_str){ rest->data + skip, rest->len - skip };
    return line;
}

static bool starts(corm_str text, const char *prefix) {
    return base__str_has_prefix(text, corm_str_of(prefix));
}

/* ---- answering ---- */

static void put_line(base_buf *out, corm_str line) {
    for (size_t i = 0; i < line.len; i++) {
        if (line.data[i] == '\n')
            base__buf_puts(out, "\\n");
        else
            base__buf_u8(out, (uint8_t)line.data[i]);
    }
    base__buf_u8(out, '\n');
}

static void put_error(golden *g, const corm_error *err) {
    base_buf line = { 0 };
    base__buf_printf(&line, "error %04x: %s", (unsigned)corm_status_server_code(err->status),
                     err->message);
    put_line(&g->answer, base__buf_str(&line));
    base__buf_free(&line);
}

static void put_literal(base_buf *out, corm_str text) {
    bool control = false;
    for (size_t i = 0; i < text.len; i++) control |= (uint8_t)text.data[i] < 0x20;
    if (!control) {
        cql__print_string(text, out);
        return;
    }
    base__buf_puts(out, "blob_as_text(0x");
    base__put_hex(out, (corm_bytes){ (const uint8_t *)text.data, text.len });
    base__buf_u8(out, ')');
}

static void put_row(golden *g, corm_str keyspace, const char *type, corm_str name,
                    base_buf *statement) {
    base_buf parts[2] = { { 0 } };
    cql__put_name(&parts[0], keyspace);
    cql__put_name(&parts[1], name);
    base__buf_puts(&g->answer, "row: ");
    cql__print_string(base__buf_str(&parts[0]), &g->answer);
    base__buf_printf(&g->answer, " | '%s' | ", type);
    cql__print_string(base__buf_str(&parts[1]), &g->answer);
    base__buf_puts(&g->answer, " | ");
    put_literal(&g->answer, base__buf_str(statement));
    base__buf_u8(&g->answer, '\n');
    base__buf_free(&parts[0]);
    base__buf_free(&parts[1]);
    base__buf_free(statement);
}

static void put_index(golden *g, const cql_table *table, const cql_index *index) {
    base_buf text = { 0 };
    cql__describe_index(table, index, &text);
    put_row(g, table->keyspace, "index", index->name, &text);
}

static void put_table(golden *g, const cql_table *table, bool internals) {
    base_buf text = { 0 };
    uint32_t order[64];
    cql__describe_table(table, internals, &text);
    put_row(g, table->keyspace, "table", table->name, &text);
    assert_true(table->index_count <= 64);
    cql__describe_index_order(table, order);
    for (uint32_t i = 0; i < table->index_count; i++)
        put_index(g, table, &table->indexes[order[i]]);
}

static void put_type(golden *g, const cql_udt *udt) {
    base_buf text = { 0 };
    cql__describe_type(udt, &text);
    put_row(g, udt->keyspace, "type", udt->name, &text);
}

static void put_keyspace(golden *g, const cql_keyspace *keyspace, bool only) {
    base_buf text = { 0 };
    uint32_t order[64];
    cql__describe_keyspace(keyspace, &text);
    put_row(g, keyspace->name, "keyspace", keyspace->name, &text);
    if (only) return;
    assert_true(keyspace->type_count <= 64);
    cql__describe_type_order(keyspace, order);
    for (uint32_t i = 0; i < keyspace->type_count; i++) put_type(g, keyspace->types[order[i]]);
    for (uint32_t i = 0; i < keyspace->table_count; i++) put_table(g, keyspace->tables[i], false);
}

/* False: a form, or an error, that is the engine's. */
static bool describe(golden *g, const cql_describe *s) {
    corm_str            name = s->object.keyspace.text.data ? s->object.keyspace.text : g->session;
    corm_str            what = s->object.name.text;
    const cql_keyspace *keyspace = cql__schema_keyspace(g->schema, name);
    const cql_table    *table = cql__schema_table(g->schema, name, what);
    const cql_udt      *udt = cql__schema_type(g->schema, name, what);
    const cql_index    *index;
    base__buf_puts(&g->answer,
                   "columns: keyspace_name text, type text, name text, create_statement text\n");
    if (s->kind == CQL_DESCRIBE_KEYSPACE && keyspace)
        put_keyspace(g, keyspace, s->only);
    else if (s->kind == CQL_DESCRIBE_TABLE && table)
        put_table(g, table, s->internals);
    else if (s->kind == CQL_DESCRIBE_TYPE && udt)
        put_type(g, udt);
    else if (s->kind == CQL_DESCRIBE_INDEX &&
             (index = cql__schema_index(g->schema, name, what, &table))) {
        put_index(g, table, index);
    } else
        return false;
    return true;
}

static void put_change(golden *g, const cql_schema_change *change) {
    static const char *const targets[] = { "", "KEYSPACE", "TABLE", "TYPE" };
    for (uint32_t i = 0; i < change->warning_count; i++) {
        base__buf_puts(&g->answer, "warning: ");
        put_line(&g->answer, change->warnings[i]);
    }
    if (change->target == CQL_CHANGED_NOTHING) {
        base__buf_puts(&g->answer, "ok\n");
        return;
    }
    base__buf_printf(&g->answer, "schema: %s %s %.*s", change->verb, targets[change->target],
                     CQL_S(change->keyspace));
    if (change->name.len > 0) base__buf_printf(&g->answer, ".%.*s", CQL_S(change->name));
    base__buf_u8(&g->answer, '\n');
}

static void check_snapshot(const cql_schema *schema) {
    base_buf    bytes = { 0 };
    base_buf    again = { 0 };
    cql_schema *read = NULL;
    corm_error  err;
    assert_int_equal(cql__schema_write(schema, &bytes, &err), CORM_OK);
    assert_int_equal(cql__schema_read(base__buf_bytes(&bytes), NULL, &read, &err), CORM_OK);
    assert_int_equal(cql__schema_write(read, &again, &err), CORM_OK);
    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.data, bytes.data, bytes.len);
    cql__schema_unref(read);
    base__buf_free(&bytes);
    base__buf_free(&again);
}

/* Whichever allocation fails, the statement says so, or is refused as it is with memory, and leaves
 * nothing behind. */
static void apply_without_memory(const golden *g, const cql_statement *statement,
                                 corm_status whole) {
    bool failed = testing__memory_can_fail();
    for (size_t n = 0; failed; n++) {
        base_arena        arena = { 0 };
        cql_schema       *next = NULL;
        cql_schema_change change;
        corm_error        err;
        long              live = testing__memory_live();
        testing__memory_fail_from(n);
        corm_status status = cql__schema_apply_guarded(NULL, g->schema, statement, g->session, 1,
                                                       &arena, &next, &change, &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        bool refused = status == whole && whole != CORM_OK;
        if (failed && status != CORM_NO_MEMORY && !refused)
            fail_msg("allocation %zu of kind %d: %s", n, (int)statement->kind, err.message);
        if (status == CORM_OK) cql__schema_unref(next);
        base__arena_free(&arena);
        assert_int_equal(testing__memory_live(), live);
    }
}

static void apply(golden *g, const cql_statement *statement, base_arena *arena) {
    cql_schema       *next = NULL;
    cql_schema_change change;
    corm_error        err;
    corm_status status = cql__schema_apply_guarded(NULL, g->schema, statement, g->session, 1, arena,
                                                   &next, &change, &err);
    apply_without_memory(g, statement, status);
    if (status != CORM_OK) {
        put_error(g, &err);
        return;
    }
    put_change(g, &change);
    if (next != g->schema) check_snapshot(next);
    cql__schema_unref(g->schema);
    g->schema = next;
}

static bool is_schema_statement(cql_statement_kind kind) {
    return (kind >= CQL_STMT_TRUNCATE && kind <= CQL_STMT_DROP_INDEX) ||
           kind == CQL_STMT_CREATE_VIEW || kind == CQL_STMT_ALTER_VIEW ||
           kind == CQL_STMT_DROP_VIEW;
}

/* False: the statement is not checked here. */
static bool answer(golden *g, corm_str text) {
    base_arena     arena = { 0 };
    cql_statement *statement = NULL;
    corm_error     err;
    bool           checked = true;
    base__buf_clear(&g->answer);
    if (cql__parse(&arena, text, &statement, NULL, &err) != CORM_OK) {
        put_error(g, &err);
        checked = starts(text, "CREATE") || starts(text, "ALTER") || starts(text, "DROP");
    } else if (statement->kind == CQL_STMT_DESCRIBE) {
        checked = describe(g, &statement->as.describe);
    } else if (is_schema_statement(statement->kind)) {
        apply(g, statement, &arena);
    } else {
        checked = false;
    }
    base__arena_free(&arena);
    return checked;
}

/* ---- comparing ---- */

/* Lines as text; a star at the end and <any> stand for everything. */
static bool line_matches(corm_str expected, corm_str got) {
    if (starts(expected, "error *")) return starts(got, "error ");
    for (size_t i = 0; i < expected.len; i++) {
        corm_str rest = { expected.data + i, expected.len - i };
        if (starts(rest, "<any>") || (rest.len == 1 && rest.data[0] == '*')) return true;
        if (i >= got.len || got.data[i] != expected.data[i]) return false;
    }
    return expected.len == got.len;
}

static bool matches(corm_str expected, corm_str got) {
    while (expected.len > 0) {
        corm_str line = next_line(&expected);
        if (got.len == 0) return false;
        if (!line_matches((corm_str){ line.data + 3, line.len - 3 }, next_line(&got))) return false;
    }
    return got.len == 0;
}

static void run_unit(golden *g, corm_str text, corm_str expected) {
    if (!answer(g, text)) return;
    g->checked++;
    if (matches(expected, base__buf_str(&g->answer))) return;
    g->wrong++;
    fprintf(stderr, "%s: %.*s\n%.*s  answered\n%.*s", g->file, CQL_S(text), CQL_S(expected),
            CQL_S(base__buf_str(&g->answer)));
}

static void use(golden *g, corm_str text) {
    corm_str name = base__str_trim((corm_str){ text.data + 4, text.len - 4 });
    if (!cql__schema_keyspace(g->schema, name)) return;
    assert_true(name.len < sizeof g->session_text);
    memcpy(g->session_text, name.data, name.len);
    g->session = (corm_str){ g->session_text, name.len };
}

/* ---- a file ---- */

static void begin(golden *g, const char *file) {
    static const char *const tables[] = {
        "CREATE TABLE system.local (key text PRIMARY KEY, cluster_name text)",
        "CREATE TABLE system.peers (peer inet PRIMARY KEY)",
        "CREATE TABLE system_schema.tables (k text PRIMARY KEY)",
        "CREATE TABLE system_auth.roles (role text PRIMARY KEY, can_login boolean)",
        "CREATE TABLE system_traces.sessions (session_id uuid PRIMARY KEY)",
        "CREATE TABLE system_distributed.view_build_status (k text PRIMARY KEY)",
        "CREATE TABLE system_views.clients (address inet, port int, PRIMARY KEY (address, port))",
        "CREATE TABLE system_virtual_schema.tables (k text PRIMARY KEY)",
    };
    *g = (golden){ .schema = cql__schema_new(), .file = file };
    assert_non_null(g->schema);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        corm_error err;
        if (cql__schema_add_virtual(g->schema, tables[i], &err) != CORM_OK)
            fail_msg("%s", err.message);
    }
    assert_true(answer(
        g, corm_str_of("CREATE KEYSPACE golden WITH replication = {'class': 'SimpleStrategy', "
                       "'replication_factor': 1}")));
    use(g, corm_str_of("USE golden"));
}

static void run_text(golden *g, corm_str rest) {
    while (rest.len > 0) {
        corm_str line = next_line(&rest);
        if (base__str_trim(line).len == 0 || starts(line, "--")) continue;
        const char *from = line.data;
        while (line.len == 0 || base__str_trim(line).data[base__str_trim(line).len - 1] != ';')
            line = next_line(&rest);
        corm_str text = base__str_trim((corm_str){ from, (size_t)(line.data + line.len - from) });
        const char *then = rest.data;
        while (starts(rest, "--")) next_line(&rest);
        text.len--;
        if (starts(text, "USE "))
            use(g, text);
        else
            run_unit(g, text, (corm_str){ then, (size_t)(rest.data - then) });
    }
}

static void run_file(const char *path, int *checked, int *wrong) {
    golden g;
    size_t len;
    char  *text = read_file(path, &len);
    begin(&g, path);
    run_text(&g, (corm_str){ text, len });
    *checked += g.checked;
    *wrong += g.wrong;
    cql__schema_unref(g.schema);
    base__buf_free(&g.answer);
    free(text);
}

static void run_folder(const char *folder) {
    char           path[1024];
    struct dirent *entry;
    int            checked = 0;
    int            wrong = 0;
    snprintf(path, sizeof path, "%s/tests/golden/%s", CORM_SOURCE_DIR, folder);
    DIR *files = opendir(path);
    assert_non_null(files);
    while ((entry = readdir(files))) {
        corm_str name = corm_str_of(entry->d_name);
        if (name.len < 5 || strcmp(name.data + name.len - 4, ".cql") != 0) continue;
        snprintf(path, sizeof path, "%s/tests/golden/%s/%s", CORM_SOURCE_DIR, folder,
                 entry->d_name);
        run_file(path, &checked, &wrong);
    }
    closedir(files);
    assert_true(checked > 0);
    assert_int_equal(wrong, 0);
}

static void schema_statements_answer_as_the_server_does(void **state) {
    (void)state;
    run_folder("ddl");
}

static void tables_are_made_altered_and_dropped_as_there(void **state) {
    (void)state;
    run_folder("schema");
}

static void types_and_their_users_change_as_there(void **state) {
    (void)state;
    run_folder("udt");
}

static void indexes_are_made_and_refused_as_there(void **state) {
    (void)state;
    run_folder("index");
}

static void objects_are_described_as_there(void **state) {
    (void)state;
    run_folder("describe");
}

int main(int count, char **arguments) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_statements_answer_as_the_server_does),
        cmocka_unit_test(tables_are_made_altered_and_dropped_as_there),
        cmocka_unit_test(types_and_their_users_change_as_there),
        cmocka_unit_test(indexes_are_made_and_refused_as_there),
        cmocka_unit_test(objects_are_described_as_there),
    };
    int checked = 0;
    int wrong = 0;
    for (int i = 1; i < count; i++) run_file(arguments[i], &checked, &wrong);
    if (count > 1) {
        printf("%d checked, %d wrong\n", checked, wrong);
        return wrong > 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
