// SPDX-License-Identifier: MIT
/* parser_test.c -- what the parser refuses, in which words and where; how it goes on after an error;
 * markers, names, depth and memory. */
#include "cql/parser.h"
#include "testing/check.h"
#include "testing/memory.h"

/* ---- refused statements ---- */

/* The texts are those of Cassandra 5.0.9, but for "nesting", numbers of vectors and USING twice. */
static const struct refused {
    const char *text;
    const char *message;
} refused[] = {
    { "SELECT json * 2 FROM t", "line 1:14 mismatched input '2' expecting K_FROM" },
    { "SELECT a -1 FROM t", "line 1:9 no viable alternative at input '-1'" },
    { "SELECT 1-1 FROM t", "line 1:8 mismatched input '-1' expecting K_FROM" },
    { "SELECT * FROM t WHERE expr (idx, 'q')", "line 1:27 no viable alternative at input '('" },
    { "SELECT * FROM t WHERE (expr(idx, 'q'))",
      "line 1:23 no viable alternative at input 'expr('" },
    { "SELECT * FROM t WHERE a = b", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "SELECT * FROM t WHERE a = 1 -2", "line 1:28 no viable alternative at input '-2'" },
    { "SELECT * FROM t LIMIT 1 PER PARTITION LIMIT 1",
      "line 1:24 mismatched input 'PER' expecting EOF" },
    { "SELECT * FROM t ALLOW FILTERING LIMIT 1",
      "line 1:32 mismatched input 'LIMIT' expecting EOF" },
    { "SELECT * FROM t LIMIT 1.5", "line 1:22 no viable alternative at input '1.5'" },
    { "SELECT * FROM t LIMIT 1 + 1", "line 1:24 mismatched input '+' expecting EOF" },
    { "INSERT INTO t () VALUES ()", "line 1:15 no viable alternative at input ')'" },
    { "INSERT INTO t (a) VALUES (1) USING TTL 5 IF NOT EXISTS",
      "line 1:41 mismatched input 'IF' expecting EOF" },
    { "UPDATE t SET c = b + 3 WHERE k = 1",
      "Only expressions of the form X = X +<value> are supported." },
    { "UPDATE t SET c = b -3 WHERE k = 1",
      "Only expressions of the form X = X - <value> are supported." },
    { "UPDATE t SET c = [1] + b WHERE k = 1",
      "Only expressions of the form X = <value> + X are supported." },
    { "UPDATE t SET c = c WHERE k = 1", "line 1:19 no viable alternative at input 'WHERE'" },
    { "UPDATE t SET c = 1, c = 2 WHERE k = 1", "Multiple incompatible setting of column c" },
    { "UPDATE t SET c += 1, c = 2 WHERE k = 1", "Multiple incompatible setting of column c" },
    { "UPDATE t SET c = 1 WHERE k = 1 IF EXISTS AND a = 1",
      "line 1:41 no viable alternative at input 'AND'" },
    { "UPDATE t SET c = 1", "line 0:-1 mismatched input '<EOF>' expecting K_WHERE" },
    { "UPDATE t SET WHERE k = 1", "line 1:13 no viable alternative at input 'WHERE'" },
    { "UPDATE t SET c[1..2] = 3 WHERE k = 1", "line 1:16 mismatched input '..' expecting ']'" },
    { "DELETE FROM t USING TTL 5 WHERE k = 1",
      "line 1:20 mismatched input 'TTL' expecting K_TIMESTAMP" },
    { "DELETE a FROM t", "line 0:-1 mismatched input '<EOF>' expecting K_WHERE" },
    { "DELETE * FROM t WHERE k = 1", "line 1:7 mismatched input '*' expecting K_FROM" },
    { "BEGIN BATCH SELECT * FROM t; APPLY BATCH",
      "line 1:12 mismatched input 'SELECT' expecting K_APPLY" },
    { "BEGIN BATCH INSERT INTO t (a) VALUES (1);; APPLY BATCH",
      "line 1:41 mismatched input ';' expecting K_APPLY" },
    { "BEGIN LOGGED BATCH APPLY BATCH", "line 1:6 mismatched input 'LOGGED' expecting K_BATCH" },
    { "USE ?", "Bind variables cannot be used for keyspace names" },
    { "CREATE KEYSPACE ks WITH a = 1 AND a = 2", "Multiple definitions for property 'a'" },
    { "CREATE KEYSPACE ks WITH a = {'x': 1, 'x': 2}", "Multiple definition for property x" },
    { "CREATE KEYSPACE ks WITH a = {'x': ?}",
      "Invalid property value: ? for property: 'x' (bind variables are not supported in DDL "
      "queries)" },
    { "CREATE KEYSPACE ks WITH a = {'x': null}", "Invalid property value: NULL for property: 'x'" },
    { "CREATE KEYSPACE ks WITH a = {'x': {'y': 1}}",
      "Invalid property value: {'y': 1} for property: 'x'" },
    { "CREATE KEYSPACE ks WITH a = {f(): 1}", "Invalid property name: f()" },
    { "CREATE KEYSPACE ks WITH a = static AND b = Key AND c = foo",
      "line 1:55 no viable alternative at input 'foo'" },
    { "CREATE KEYSPACE ks", "line 0:-1 mismatched input '<EOF>' expecting K_WITH" },
    { "CREATE SCHEMA ks WITH a = 1", "line 1:7 no viable alternative at input 'SCHEMA'" },
    { "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b)",
      "line 1:77 no viable alternative at input ')'" },
    { "CREATE TABLE t (, a int)", "line 1:16 no viable alternative at input ','" },
    { "CREATE TABLE t ()", "line 1:16 no viable alternative at input ')'" },
    { "CREATE COLUMNFAMILY t (key text PRIMARY KEY, int int, text text, set set<int>)",
      "line 1:65 mismatched input 'set' expecting ')'" },
    { "CREATE TABLE t (a byte PRIMARY KEY)", "Invalid (reserved) user type name byte" },
    { "CREATE TABLE t (a \"int\" PRIMARY KEY, b \"byte\", c list, d key, e ttl)",
      "line 1:64 no viable alternative at input 'ttl'" },
    { "CREATE TABLE ? (a int)", "Bind variables cannot be used for table names" },
    { "CREATE TABLE t (a vector<int>)", "line 1:28 mismatched input '>' expecting ','" },
    { "CREATE TABLE t (a map<int>)", "line 1:25 mismatched input '>' expecting ','" },
    { "CREATE TABLE t (a list<>)", "line 1:23 no viable alternative at input '>'" },
    { "CREATE TABLE t (a tuple<>)", "line 1:24 no viable alternative at input '>'" },
    { "CREATE TABLE t (a frozen<int)", "line 1:28 mismatched input ')' expecting '>'" },
    { "ALTER TABLE t ALTER IF EXISTS a TYPE int",
      "line 1:32 no viable alternative at input 'TYPE'" },
    { "ALTER TABLE t ADD a int, b int", "line 1:23 mismatched input ',' expecting EOF" },
    { "ALTER TABLE t DROP a USING TIMESTAMP ?",
      "line 1:37 mismatched input '?' expecting INTEGER" },
    { "ALTER TABLE t WITH CLUSTERING ORDER BY (a ASC)",
      "line 1:30 no viable alternative at input 'ORDER'" },
    { "CREATE TYPE int (a int)", "line 1:12 no viable alternative at input 'int'" },
    { "CREATE TYPE byte (a int)", "Invalid (reserved) user type name byte" },
    { "CREATE TYPE t ()", "line 1:15 no viable alternative at input ')'" },
    { "ALTER TYPE t DROP a", "line 1:13 no viable alternative at input 'DROP'" },
    { "CREATE INDEX ks.i ON t (a)", "line 1:15 mismatched input '.' expecting K_ON" },
    { "CREATE INDEX ? ON t (a)", "Bind variables cannot be used for index names" },
    { "DROP INDEX ?", "Bind variables cannot be used for index names" },
    { "CREATE MATERIALIZED VIEW v AS SELECT a FROM t PRIMARY KEY (a) WITH COMPACT STORAGE",
      "COMPACT STORAGE tables are not allowed starting with version 4.0" },
    { "CREATE VIEW v AS SELECT a FROM t PRIMARY KEY (a)",
      "line 1:7 no viable alternative at input 'VIEW'" },
    { "CREATE FUNCTION f (a) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS ''",
      "line 1:20 no viable alternative at input ')'" },
    { "CREATE FUNCTION f () RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE \"java\" AS ''",
      "line 1:69 mismatched input 'java' expecting IDENT" },
    { "CREATE AGGREGATE a () SFUNC ks.f STYPE int",
      "line 1:30 mismatched input '.' expecting K_STYPE" },
    { "CREATE ROLE r WITH PASSWORD = 'p' AND HASHED PASSWORD = 'h'",
      "Options 'password' and 'hashed password' are mutually exclusive" },
    { "CREATE ROLE r WITH LOGIN = true AND LOGIN = true",
      "Multiple definition for property 'LOGIN'" },
    { "CREATE ROLE ?", "Bind variables cannot be used for role names" },
    { "CREATE ROLE r WITH NOLOGIN = true", "line 1:19 no viable alternative at input 'NOLOGIN'" },
    { "CREATE USER \"u\"",
      "Quoted strings are are not supported for user names and USER is deprecated, please use "
      "ROLE" },
    { "CREATE USER key", "line 1:12 no viable alternative at input 'key'" },
    { "LIST ROLES OF ?", "Bind variables cannot be used for role names" },
    { "ADD IDENTITY \"x\" TO ROLE r", "Quoted strings are are not supported for identity" },
    { "GRANT EXECUTE ON FUNCTION f TO r", "line 1:28 no viable alternative at input 'TO'" },
    { "GRANT SELECT ON MBEANS 'a:b=c' TO r",
      "Plural form used, but non-pattern JMX object name specified (a:b=c)" },
    { "GRANT SELECT ON MBEAN 'x' TO r", "x is not a valid JMX object name" },
    { "GRANT SELECT ON MBEAN '' TO r", "Empty JMX object name supplied" },
    { "GRANT SELECT ON MBEANS '*:*' TO r", "Please use ALL MBEANS instead of wildcard pattern" },
    { "GRANT EXECUTE ON t TO r",
      "Resource type DataResource does not support any of the requested permissions" },
    { "GRANT CREATE ON ROLE s TO r",
      "Resource type RoleResource does not support any of the requested permissions" },
    { "LIST foo", "line 1:5 no viable alternative at input 'foo'" },
    { "DESCRIBE ?", "line 1:9 no viable alternative at input '?'" },
    { "DESCRIBE types.x", "line 1:14 mismatched input '.' expecting EOF" },
    { "DESCRIBE cluster.x", "line 1:16 mismatched input '.' expecting EOF" },
    { "DESCRIBE full", "line 0:-1 mismatched input '<EOF>' expecting K_SCHEMA" },
    { "SELECT a FROM t; SELECT b FROM t", "line 1:17 mismatched input 'SELECT' expecting EOF" },
    { ";", "line 1:0 no viable alternative at input ';'" },
    { "SELECT * FROM t WHERE a = 'x' 'y'", "line 1:30 no viable alternative at input 'y'" },
    { "SELECT * FORM t", "line 1:9 mismatched input 'FORM' expecting K_FROM" },
    { "SELEC * FROM t", "line 1:0 no viable alternative at input 'SELEC'" },
    { "CREATE FOO", "line 1:7 no viable alternative at input 'FOO'" },
    { "SELECT * FROM t WHERE", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "SELECT * FROM t WHERE a", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "SELECT * FROM t WHERE a =", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "SELECT * FROM t WHERE a = 1 AND", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "SELECT * FROM t WHERE a ! 1", "line 1:25 mismatched character ' ' expecting '='" },
    { "SELECT * FROM t ORDER a", "line 1:22 mismatched input 'a' expecting K_BY" },
    { "SELECT FROM t", "line 1:7 no viable alternative at input 'FROM'" },
    { "SELECT , FROM t", "line 1:7 no viable alternative at input ','" },
    { "SELECT a, FROM t", "line 1:10 no viable alternative at input 'FROM'" },
    { "SELECT a b FROM t", "line 1:9 no viable alternative at input 'b'" },
    { "SELECT f(a FROM t", "line 1:11 mismatched input 'FROM' expecting ')'" },
    { "SELECT f(a,) FROM t", "line 1:11 no viable alternative at input ')'" },
    { "INSERT INTO t (a, b VALUES (1, 2)", "line 1:20 mismatched input 'VALUES' expecting ')'" },
    { "INSERT INTO t (a b) VALUES (1, 2)", "line 1:17 mismatched input 'b' expecting ')'" },
    { "INSERT INTO t VALUES (1)", "line 1:14 no viable alternative at input 'VALUES'" },
    { "INSERT t (a) VALUES (1)", "line 1:7 mismatched input 't' expecting K_INTO" },
    { "UPDATE t SET a = 1, WHERE k = 1", "line 1:20 no viable alternative at input 'WHERE'" },
    { "UPDATE t a = 1 WHERE k = 1", "line 1:9 no viable alternative at input 'a'" },
    { "DELETE t WHERE k = 1", "line 1:9 no viable alternative at input 'WHERE'" },
    { "CREATE TABLE t", "line 0:-1 mismatched input '<EOF>' expecting '('" },
    { "CREATE TABLE t (a)", "line 1:17 no viable alternative at input ')'" },
    { "CREATE TABLE t (a int", "line 0:-1 mismatched input '<EOF>' expecting ')'" },
    { "CREATE TABLE (a int)", "line 1:13 no viable alternative at input '('" },
    { "CREATE TABLE t (a int) WITH", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "CREATE TABLE t (a int) comment = 'x'",
      "line 1:23 mismatched input 'comment' expecting EOF" },
    { "CREATE INDEX i t (a)", "line 1:15 mismatched input 't' expecting K_ON" },
    { "DROP t", "line 1:5 no viable alternative at input 't'" },
    { "ALTER t", "line 1:6 no viable alternative at input 't'" },
    { "ALTER TABLE t", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "GRANT", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "GRANT SELECT t TO r", "line 1:13 mismatched input 't' expecting K_ON" },
    { "LIST", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "DESCRIBE", "line 0:-1 no viable alternative at input '<EOF>'" },
    { "BEGIN", "line 0:-1 mismatched input '<EOF>' expecting K_BATCH" },
    { "BEGIN BATCH", "line 0:-1 mismatched input '<EOF>' expecting K_APPLY" },
    { "BEGIN BATCH INSERT INTO t (a) VALUES (1)",
      "line 0:-1 mismatched input '<EOF>' expecting K_APPLY" },
    { "APPLY BATCH", "line 1:0 no viable alternative at input 'APPLY'" },
    { "SELECT * FROM t WHERE a = 'x", "line 1:28 mismatched character '<EOF>' expecting '''" },
    { "SELECT \"a", "line 1:9 mismatched character '<EOF>' expecting '\"'" },
    { "SELECT * FROM t -- foo", "line 1:22 mismatched character '<EOF>' expecting set null" },
    { "SELECT * FROM t /* foo", "line 1:22 mismatched character '<EOF>' expecting '*'" },
    { "SELECT # FROM t", "line 1:7 no viable alternative at character '#'" },
    { "SELECT é FROM t", "line 1:7 no viable alternative at character 'é'" },
    { "SELECT a$b FROM t", "line 1:9 mismatched character 'b' expecting '$'" },
    { "SELECT 12ab FROM t", "line 1:10 mismatched character 'b' expecting set null" },
    { "SELECT a FROM t WHERE\n a ==\n1", "line 2:4 no viable alternative at input '='" },
    { "SELECT * FROM t LIMIT 1 'a\nb'", "line 1:24 mismatched input 'a\\nb' expecting EOF" },
    { "SELECT * FROM t WHERE a = 1e400",
      "Failed parsing statement: [SELECT * FROM t WHERE a = 1e400] reason: NumberFormatException "
      "Character I is neither a decimal digit number, decimal point, nor \"e\" notation "
      "exponential mark." },
    { "SELECT * FROM t WHERE a = 1e-99999999999",
      "Failed parsing statement: [SELECT * FROM t WHERE a = 1e-99999999999] reason: "
      "NumberFormatException Too many nonzero exponent digits." },
    { "INSERT INTO t (a) VALUES (1) USING TTL ? AND TTL 1", "USING names the same thing twice" },
    { "CREATE TABLE t (a vector<int, 99999999999>)",
      "a vector's dimension must be a 32-bit number" },
    { "CREATE ROLE r WITH HASHED PASSWORD = 'a' AND HASHED PASSWORD = 'b'",
      "Multiple definition for property 'HASHED_PASSWORD'" },
    { "CREATE ROLE r WITH OPTIONS = {'a': 1} AND OPTIONS = {'a': 1}",
      "Multiple definition for property 'OPTIONS'" },
};

static void check_refused(base_arena *arena, const struct refused *one) {
    cql_statement *statement = (cql_statement *)one; /* not NULL */
    corm_error     err;
    corm_status    status = cql__parse(arena, corm_str_of(one->text), &statement, NULL, &err);
    if (status != CORM_SYNTAX_ERROR) fail_msg("%s: %s", one->text, corm_status_name(status));
    assert_null(statement);
    assert_string_equal(err.message, one->message);
    assert_true(err.line > 0);
}

static void refused_statements_have_the_words_of_the_server(void **state) {
    (void)state;
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        check_refused(&arena, &refused[i]);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

/* ---- several errors in one statement ---- */

static void put_diagnostics(const cql_diagnostics *diagnostics, base_buf *out) {
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const cql_diagnostic *one = &diagnostics->items[i];
        base__buf_printf(out, "%u:%u+%u %.*s\n", one->place.line, one->place.column, one->length,
                         (int)one->message.len, one->message.data);
    }
}

static void check_diagnostics(const char *text, const char *expected) {
    base_arena      arena = { 0 };
    base_buf        out = { 0 };
    cql_statement  *statement = NULL;
    cql_diagnostics diagnostics;
    assert_status(cql__parse(&arena, corm_str_of(text), &statement, &diagnostics, NULL),
                  CORM_SYNTAX_ERROR);
    put_diagnostics(&diagnostics, &out);
    assert_string_equal(base__buf_cstr(&out), expected);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void misspelt_words_are_reported_each_with_its_place(void **state) {
    (void)state;
    check_diagnostics("SELEC a FORM t WHER b = 1 LIMT 3",
                      "1:0+5 no viable alternative at input 'SELEC'\n"
                      "1:8+4 no viable alternative at input 'FORM'\n"
                      "1:15+4 no viable alternative at input 'WHER'\n"
                      "1:26+4 no viable alternative at input 'LIMT'\n");
    check_diagnostics("CREAT TABEL t (a int)", "1:0+5 no viable alternative at input 'CREAT'\n"
                                               "1:6+5 no viable alternative at input 'TABEL'\n");
    check_diagnostics("INSERT INTO t (a) VALEUS (1) USNG TTL 5",
                      "1:18+6 mismatched input 'VALEUS' expecting K_VALUES\n"
                      "1:29+4 mismatched input 'USNG' expecting EOF\n");
}

static void a_broken_item_does_not_hide_the_next(void **state) {
    (void)state;
    check_diagnostics("SELECT a, , b FROM t WHERE c = AND d == 1 ORDER BY 5 LIMIT x",
                      "1:10+1 no viable alternative at input ','\n"
                      "1:31+3 no viable alternative at input 'AND'\n"
                      "1:38+1 no viable alternative at input '='\n"
                      "1:51+1 no viable alternative at input '5'\n"
                      "1:59+1 no viable alternative at input 'x'\n");
    check_diagnostics("INSERT INTO t (a b) VALUES (f(1, 2, ), 3 4) IF NOT",
                      "1:17+1 mismatched input 'b' expecting ')'\n"
                      "1:36+1 no viable alternative at input ')'\n"
                      "1:41+1 no viable alternative at input '4'\n"
                      "1:50+1 mismatched input '<EOF>' expecting K_EXISTS\n");
    check_diagnostics("CREATE TABLE t (a int int, b, c text, PRIMARY KEY a) WITH x = AND y = 1 2",
                      "1:22+3 no viable alternative at input 'int'\n"
                      "1:28+1 no viable alternative at input ','\n"
                      "1:50+1 mismatched input 'a' expecting '('\n"
                      "1:62+3 no viable alternative at input 'AND'\n"
                      "1:72+1 mismatched input '2' expecting EOF\n");
}

static void clauses_in_the_wrong_order_are_still_read(void **state) {
    (void)state;
    check_diagnostics("SELECT * FROM t ALLOW FILTERING LIMIT 1 WHERE a = = 1",
                      "1:32+5 mismatched input 'LIMIT' expecting EOF\n"
                      "1:40+5 mismatched input 'WHERE' expecting EOF\n"
                      "1:50+1 no viable alternative at input '='\n");
    check_diagnostics("UPDATE t SET a = 1 WHERE k = 1 IF a = 1 WHERE b 2",
                      "1:40+5 mismatched input 'WHERE' expecting EOF\n"
                      "1:48+1 no viable alternative at input '2'\n");
    check_diagnostics("UPDATE t WHERE k 1", "1:9+5 mismatched input 'WHERE' expecting K_SET\n"
                                            "1:17+1 no viable alternative at input '1'\n");
    check_diagnostics("DELETE a b FROM t WHERE", "1:9+1 no viable alternative at input 'b'\n"
                                                 "1:23+1 no viable alternative at input '<EOF>'\n");
}

static void each_statement_of_a_batch_is_looked_at(void **state) {
    (void)state;
    check_diagnostics("BEGIN BATCH\nINSERT INTO t (a) VALUES 1;\nUPDATE t SET a = WHERE k = 1;\n"
                      "SELECT 1;\nINSRT INTO t (a) VALUES (1);\nDELETE FROM t;\nAPPLY BATHC",
                      "2:25+1 mismatched input '1' expecting '('\n"
                      "3:17+5 no viable alternative at input 'WHERE'\n"
                      "4:0+6 mismatched input 'SELECT' expecting K_APPLY\n"
                      "5:0+5 mismatched input 'INSRT' expecting K_APPLY\n"
                      "6:13+1 mismatched input ';' expecting K_WHERE\n"
                      "7:6+5 mismatched input 'BATHC' expecting K_BATCH\n");
    check_diagnostics("BEGIN BATCH USING x INSERT INTO t (a) VALUES (1) APPLY BATCH",
                      "1:18+1 no viable alternative at input 'x'\n");
}

static void only_so_many_errors_are_kept(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    base_buf        text = { 0 };
    cql_statement  *statement = NULL;
    cql_diagnostics diagnostics;
    base__buf_puts(&text, "SELECT a");
    for (int i = 0; i < 100; i++) base__buf_puts(&text, ", ]");
    for (int i = 0; i < 100; i++) base__buf_puts(&text, "#");
    assert_status(cql__parse(&arena, base__buf_str(&text), &statement, &diagnostics, NULL),
                  CORM_SYNTAX_ERROR);
    assert_int_equal(diagnostics.count, CQL_MAX_DIAGNOSTICS);
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void a_flaw_is_not_followed_by_what_it_hides(void **state) {
    (void)state;
    check_diagnostics("SELECT # FROM t", "1:7+1 no viable alternative at character '#'\n");
    check_diagnostics("SELECT 'abc", "1:11+1 mismatched character '<EOF>' expecting '''\n");
}

static void messages_without_a_place_still_have_one(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    cql_statement *statement = NULL;
    corm_error     err;
    assert_status(cql__parse(&arena, corm_str_of("SELECT *\n FROM ?"), &statement, NULL, &err),
                  CORM_SYNTAX_ERROR);
    assert_string_equal(err.message, "Bind variables cannot be used for table names");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 6);
    assert_status(cql__parse(&arena, corm_str_of("SELECT *\n FROM"), &statement, NULL, &err),
                  CORM_SYNTAX_ERROR);
    assert_string_equal(err.message, "line 0:-1 no viable alternative at input '<EOF>'");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 5);
    base__arena_free(&arena);
}

/* ---- what the tree holds ---- */

static cql_statement *parse(base_arena *arena, const char *text) {
    cql_statement *statement = NULL;
    corm_error     err;
    assert_ok(cql__parse(arena, corm_str_of(text), &statement, NULL, &err), err);
    return statement;
}

static void markers_are_numbered_through_the_statement(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    cql_statement *s = parse(&arena, "BEGIN BATCH USING TIMESTAMP ? "
                                     "INSERT INTO t (a, b) VALUES (?, :Name) USING TTL ?; "
                                     "DELETE a[?] FROM t WHERE k IN ? APPLY BATCH");
    assert_int_equal(s->marker_count, 6);
    const cql_insert *insert = &s->as.batch.statements[0]->as.insert;
    const cql_delete *deletion = &s->as.batch.statements[1]->as.delete_;
    assert_int_equal(s->as.batch.using.timestamp->index, 0);
    assert_null(insert->values[0]->name.name.text.data);
    assert_int_equal(insert->values[1]->index, 2);
    assert_text(insert->values[1]->name.name.text, "name");
    assert_int_equal(insert->using.ttl->index, 3);
    assert_int_equal(deletion->changes[0].key->index, 4);
    assert_int_equal(deletion->where[0].terms[0]->index, 5);
    assert_true(deletion->where[0].in_marker);
    base__arena_free(&arena);
}

static void names_are_folded_unless_quoted(void **state) {
    (void)state;
    base_arena        arena = { 0 };
    cql_statement    *s = parse(&arena, "SELECT Foo, \"Foo\"\"\", KEY AS Bar FROM Ks.\"T\"");
    const cql_select *select = &s->as.select;
    assert_text(select->selectors[0].expr->name.name.text, "foo");
    assert_text(select->selectors[1].expr->name.name.text, "Foo\"");
    assert_text(select->selectors[2].expr->name.name.text, "key");
    assert_text(select->selectors[2].alias.text, "bar");
    assert_text(select->table.keyspace.text, "ks");
    assert_text(select->table.name.text, "T");
    assert_int_equal(select->table.name.place.column, 40);
    base__arena_free(&arena);
}

static void users_and_identities_keep_their_case(void **state) {
    (void)state;
    base_arena arena = { 0 };
    assert_text(parse(&arena, "CREATE USER Bob")->as.role.name.text, "Bob");
    assert_text(parse(&arena, "DROP IDENTITY Bob")->as.role.name.text, "Bob");
    assert_text(parse(&arena, "CREATE ROLE Bob")->as.role.name.text, "bob");
    assert_text(parse(&arena, "CREATE ROLE 'Bob'")->as.role.name.text, "Bob");
    base__arena_free(&arena);
}

static void the_tree_does_not_borrow_from_the_text(void **state) {
    (void)state;
    char           text[] = "INSERT INTO tab (col) VALUES ('str')";
    base_arena     arena = { 0 };
    cql_statement *s = parse(&arena, text);
    memset(text, '#', sizeof text - 1);
    assert_text(s->as.insert.table.name.text, "tab");
    assert_text(s->as.insert.columns[0].text, "col");
    assert_text(s->as.insert.values[0]->text, "str");
    base__arena_free(&arena);
}

static void brackets_around_one_element_leave_a_mark(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    cql_statement *s = parse(&arena, "INSERT INTO t (a, b, c) VALUES ((1), 1, (1, 2))");
    cql_expr     **values = s->as.insert.values;
    assert_int_equal(values[0]->kind, CQL_EXPR_INTEGER);
    assert_int_equal(values[0]->parens, 1);
    assert_int_equal(values[1]->parens, 0);
    assert_true(cql__expr_equal(values[0], values[1]));
    assert_int_equal(values[2]->kind, CQL_EXPR_TUPLE);
    base__arena_free(&arena);
}

static void a_quoted_type_is_a_users(void **state) {
    (void)state;
    base_arena            arena = { 0 };
    cql_statement        *s = parse(&arena, "CREATE TABLE t (a int, b \"int\", c 'int', d list)");
    const cql_column_def *columns = s->as.create_table.columns;
    assert_false(columns[0].type->is_quoted);
    assert_true(columns[1].type->is_quoted);
    assert_true(columns[2].type->is_class);
    assert_int_equal(columns[3].type->count, 0);
    base__arena_free(&arena);
}

static void a_reserved_type_in_other_letters_is_a_users(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    cql_statement *s = parse(&arena, "CREATE TABLE t (a Byte)");
    assert_true(s->as.create_table.columns[0].type->is_quoted);
    assert_text(s->as.create_table.columns[0].type->name.name.text, "byte");
    base__arena_free(&arena);
}

/* ---- depth ---- */

static corm_status parse_nested(const char *before, const char *open, int count,
                                const char *behind) {
    base_arena     arena = { 0 };
    base_buf       text = { 0 };
    cql_statement *statement = NULL;
    base__buf_puts(&text, before);
    for (int i = 0; i < count; i++) base__buf_puts(&text, open);
    base__buf_puts(&text, behind);
    corm_status status = cql__parse(&arena, base__buf_str(&text), &statement, NULL, NULL);
    base__buf_free(&text);
    base__arena_free(&arena);
    return status;
}

static void deep_nesting_is_a_syntax_error(void **state) {
    (void)state;
    static const struct {
        const char *before, *open;
    } forms[] = {
        { "SELECT ", "(" },
        { "SELECT ", "f(" },
        { "SELECT ", "[" },
        { "SELECT ", "{" },
        { "SELECT ", "{1:" },
        { "SELECT ", "- " },
        { "SELECT ", "(int)" },
        { "SELECT ", "cast(" },
        { "SELECT a", "[f(" },
        { "INSERT INTO t (a) VALUES (", "(" },
        { "INSERT INTO t (a) VALUES (", "-(" },
        { "INSERT INTO t (a) VALUES (", "{a: " },
        { "INSERT INTO t (a) VALUES (", "('x') " },
        { "SELECT * FROM t WHERE ", "(" },
        { "CREATE TABLE t (a ", "list<" },
        { "CREATE TABLE t (a ", "frozen<tuple<" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        corm_status status = parse_nested(forms[i].before, forms[i].open, 100000, "");
        assert_status(status, CORM_SYNTAX_ERROR);
    }
    assert_status(parse_nested("SELECT (((((((((((((((((((a)))))))))))))))))))", "", 0, " FROM t"),
                  CORM_OK);
}

static void long_chains_are_a_syntax_error(void **state) {
    (void)state;
    assert_status(parse_nested("SELECT a", ".b", 100000, " FROM t"), CORM_SYNTAX_ERROR);
    assert_status(parse_nested("SELECT a", "[1]", 100000, " FROM t"), CORM_SYNTAX_ERROR);
    assert_status(parse_nested("SELECT a", " + b", 100000, " FROM t"), CORM_SYNTAX_ERROR);
    assert_status(parse_nested("SELECT a", " * b", 100000, " FROM t"), CORM_SYNTAX_ERROR);
    assert_status(parse_nested("SELECT a", " + b", 90, " FROM t"), CORM_OK);
    assert_status(parse_nested("SELECT a", ", b", 100000, " FROM t"), CORM_OK);
    assert_status(parse_nested("SELECT * FROM t WHERE a IN (1", ", 1", 100000, ")"), CORM_OK);
}

static void a_text_beyond_all_measure_is_refused_unread(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    cql_statement *statement = NULL;
    corm_error     err;
    corm_str       text = { "x", UINT32_MAX };
    assert_status(cql__parse(&arena, text, &statement, NULL, &err), CORM_SYNTAX_ERROR);
    assert_string_equal(err.message, "the statement is too long");
    base__arena_free(&arena);
}

/* ---- memory ---- */

static void exhausted_memory_is_an_error(void **state) {
    (void)state;
    static const char text[] =
        "BEGIN BATCH INSERT INTO Ks.T (a, \"b\"\"c\") VALUES ((int) 1, {'it''s': [1, 2, 3, 4, 5]}); "
        "UPDATE t SET a = a + 1, b[1] = {f: (1, 2)} WHERE (a, b) IN ((1, 2), ?) AND c = 1 "
        "IF d IN (1, 2); APPLY BATCH";
    if (!testing__memory_can_fail()) skip();
    for (size_t n = 0;; n++) {
        base_arena     arena = { 0 };
        cql_statement *statement = NULL;
        corm_error     err;
        testing__memory_fail_from(n);
        corm_status status = cql__parse(&arena, corm_str_of(text), &statement, NULL, &err);
        bool        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        base__arena_free(&arena);
        if (!failed) break;
        assert_status(status, CORM_NO_MEMORY);
        assert_null(statement);
    }
}

static void exhausted_memory_while_reporting_is_an_error(void **state) {
    (void)state;
    static const char *const texts[] = {
        "SELECT a, , b FROM t WHERE c == 1",
        "CREATE KEYSPACE k WITH a = {f(1): 2} AND a = 3",
        "SELECT #",
        "GRANT SELECT ON ALL ROLES TO x",
    };
    if (!testing__memory_can_fail()) skip();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t n = 0;; n++) {
            base_arena     arena = { 0 };
            cql_statement *statement = NULL;
            testing__memory_fail_from(n);
            corm_status status = cql__parse(&arena, corm_str_of(texts[i]), &statement, NULL, NULL);
            bool        failed = testing__memory_has_failed();
            testing__memory_fail_from(SIZE_MAX);
            base__arena_free(&arena);
            assert_status(status, failed ? CORM_NO_MEMORY : CORM_SYNTAX_ERROR);
            if (!failed) break;
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(refused_statements_have_the_words_of_the_server),
    cmocka_unit_test(misspelt_words_are_reported_each_with_its_place),
    cmocka_unit_test(a_broken_item_does_not_hide_the_next),
    cmocka_unit_test(clauses_in_the_wrong_order_are_still_read),
    cmocka_unit_test(each_statement_of_a_batch_is_looked_at),
    cmocka_unit_test(only_so_many_errors_are_kept),
    cmocka_unit_test(a_flaw_is_not_followed_by_what_it_hides),
    cmocka_unit_test(messages_without_a_place_still_have_one),
    cmocka_unit_test(markers_are_numbered_through_the_statement),
    cmocka_unit_test(names_are_folded_unless_quoted),
    cmocka_unit_test(users_and_identities_keep_their_case),
    cmocka_unit_test(the_tree_does_not_borrow_from_the_text),
    cmocka_unit_test(brackets_around_one_element_leave_a_mark),
    cmocka_unit_test(a_quoted_type_is_a_users),
    cmocka_unit_test(a_reserved_type_in_other_letters_is_a_users),
    cmocka_unit_test(deep_nesting_is_a_syntax_error),
    cmocka_unit_test(long_chains_are_a_syntax_error),
    cmocka_unit_test(a_text_beyond_all_measure_is_refused_unread),
    cmocka_unit_test(exhausted_memory_is_an_error),
    cmocka_unit_test(exhausted_memory_while_reporting_is_an_error),
};
RUN_TESTS()
