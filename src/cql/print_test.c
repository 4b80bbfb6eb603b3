// SPDX-License-Identifier: MIT
/* print_test.c -- every production: what is written, and its canonical text. Cassandra's own parser
 * takes both columns of the table, but for classes as types, which it looks up. */
#include "cql/parser.h"
#include "testing/check.h"

typedef struct written {
    const char *text;
    const char *canonical; /* NULL: the same */
} written;

static const written statements[] = {
    { "SELECT * FROM t", NULL },
    { "select a, b from ks.t;", "SELECT a, b FROM ks.t" },
    { "SELECT JSON * FROM t", NULL },
    { "SELECT JSON a, b FROM t WHERE k = 1", NULL },
    { "SELECT DISTINCT k FROM t", NULL },
    { "SELECT JSON DISTINCT k FROM t", NULL },
    { "SELECT json FROM t", "SELECT \"json\" FROM t" },
    { "SELECT json, a FROM t", "SELECT \"json\", a FROM t" },
    { "SELECT distinct FROM t", "SELECT \"distinct\" FROM t" },
    { "SELECT json AS x FROM t", "SELECT \"json\" AS x FROM t" },
    { "SELECT json.f FROM t", "SELECT \"json\".f FROM t" },
    { "SELECT JSON [1] FROM t", NULL },
    { "SELECT JSON (a) FROM t", NULL },
    { "SELECT json - a FROM t", "SELECT JSON - a FROM t" },
    { "SELECT json + a FROM t", "SELECT \"json\" + a FROM t" },
    { "SELECT (a) AS x FROM t", NULL },
    { "SELECT (a) b FROM t", NULL },
    { "SELECT (a)[1] FROM t", "SELECT (a) [1] FROM t" },
    { "SELECT (a).b FROM t", "SELECT a.b FROM t" },
    { "SELECT (a) [1] FROM t", NULL },
    { "SELECT (int) a FROM t", NULL },
    { "SELECT (int) 5 AS x, (map<text, int>) {'a': 1} FROM t", NULL },
    { "SELECT (frozen<list<int>>) [1] FROM t", NULL },
    { "SELECT (a, b) FROM t", NULL },
    { "SELECT (a + b) * c FROM t", NULL },
    { "SELECT a + b * c - d / e % f FROM t", NULL },
    { "SELECT - a FROM t", NULL },
    { "SELECT -a, - -a FROM t", "SELECT - a, -(- a) FROM t" },
    { "SELECT -(a + 1) FROM t", NULL },
    { "SELECT a - 1 FROM t", NULL },
    { "SELECT 1 FROM t", NULL },
    { "SELECT 'x', 1.5, true, null, ?, :n, 0xab, 123e4567-e89b-12d3-a456-426614174000, 1y2mo, "
      "P1Y, NaN, -NaN, Infinity, -Infinity FROM t",
      "SELECT 'x', 1.5, true, NULL, ?, :n, 0xab, 123e4567-e89b-12d3-a456-426614174000, 1y2mo, "
      "P1Y, NaN, NaN, Infinity, -Infinity FROM t" },
    { "SELECT count(*), COUNT(1), count(a), count(?), count(null), count('x') FROM t",
      "SELECT COUNT(*), COUNT(*), count(a), count(?), count(NULL), COUNT(*) FROM t" },
    { "SELECT count ( * ) FROM t", "SELECT COUNT(*) FROM t" },
    { "SELECT writetime(a), WRITETIME(m['x']), maxwritetime(s), ttl(a), TTL(u.f), "
      "writetime(m[1..2]) FROM t",
      "SELECT WRITETIME(a), WRITETIME(m['x']), MAXWRITETIME(s), TTL(a), TTL(u.f), "
      "WRITETIME(m[1..2]) FROM t" },
    { "SELECT writetime, ttl, count, cast, key, json FROM t",
      "SELECT \"writetime\", \"ttl\", \"count\", \"cast\", key, \"json\" FROM t" },
    { "SELECT cast(a as text), CAST(a + 1 AS double), cast(f(a) as blob) FROM t",
      "SELECT CAST(a AS text), CAST((a + 1) AS double), CAST(f(a) AS blob) FROM t" },
    { "SELECT token(k), token(a, b) FROM t", NULL },
    { "SELECT f(), ks.f(a, 1), \"F\"(x), now() FROM t", NULL },
    { "SELECT a.b.c, a[1], a['x'], a[1..2], a[1..], a[..2], a[?], a.b[1].c FROM t", NULL },
    { "SELECT a[f(1)], a[1 + 2 .. 3] FROM t", "SELECT a[f(1)], a[1 + 2..3] FROM t" },
    { "SELECT [a, b], {a, b}, {a: b}, {'x': b}, {}, [], {a: b, 'c': d}, (a, 1) FROM t", NULL },
    { "SELECT int(a), text(b) FROM t", NULL },
    { "SELECT list(a), values(b) FROM t", "SELECT \"list\"(a), \"values\"(b) FROM t" },
    { "SELECT \"A b\", \"a\"\"b\" FROM \"T\"", NULL },
    { "SELECT a AS \"X\", b AS key FROM t", NULL },
    { "SELECT * FROM t WHERE a = 1 AND b > 2 AND c >= 3 AND d < 4 AND e <= 5 AND f != 6", NULL },
    { "SELECT * FROM t WHERE a IN (1, 2, 3) AND b IN () AND c IN ? AND d IN :x AND e IN (?, ?)",
      NULL },
    { "SELECT * FROM t WHERE a CONTAINS 1 AND b CONTAINS KEY 'k' AND c LIKE '%x' AND d IS NOT "
      "NULL",
      NULL },
    { "SELECT * FROM t WHERE m['k'] = 1 AND m[?] > 2", NULL },
    { "SELECT * FROM t WHERE TOKEN(a, b) > token(1, 2) AND token(a) <= 5 AND TOKEN(\"\") = ?",
      "SELECT * FROM t WHERE TOKEN(a, b) > token(1, 2) AND TOKEN(a) <= 5 AND TOKEN(\"\") = ?" },
    { "SELECT * FROM t WHERE (a, b) > (1, 2) AND (a, b) = ? AND (a) = (1) AND (a, b) IN ((1, 2), "
      "(3, 4)) AND (a, b) IN (?, ?) AND (a, b) IN ? AND (a,b) IN () AND (a, b) IN (:x, :y)",
      "SELECT * FROM t WHERE (a, b) > (1, 2) AND (a, b) = ? AND (a) = (1) AND (a, b) IN ((1, 2), "
      "(3, 4)) AND (a, b) IN (?, ?) AND (a, b) IN ? AND (a, b) IN () AND (a, b) IN (:x, :y)" },
    { "SELECT * FROM t WHERE expr(idx, 'q') AND a = 1", NULL },
    { "SELECT * FROM t WHERE (a = 1) AND ((b = 2)) AND ((a, b) = (1, 2))",
      "SELECT * FROM t WHERE a = 1 AND b = 2 AND (a, b) = (1, 2)" },
    { "SELECT * FROM t WHERE a = (1) AND b = (1, 2) AND c = ('x') AND d = ('x', 'y')", NULL },
    { "SELECT * FROM t WHERE a = (int) 5 AND b = (text) f(1) AND c = ('java.Class') 1 AND d = "
      "(ks.typ) {a: 1}",
      NULL },
    { "SELECT * FROM t WHERE a = - 5 AND b = -(1 + 2) AND c = 1 + 2 * 3 - 4 / 5 % 6 AND d = (1 + "
      "2) * 3",
      NULL },
    { "SELECT * FROM t WHERE a = cast(1 as text) AND b = cast(f(1) as int)",
      "SELECT * FROM t WHERE a = CAST(1 AS text) AND b = CAST(f(1) AS int)" },
    { "SELECT * FROM t WHERE a = [1, 2] AND b = {1, 2} AND c = {1: 2, 3: 4} AND d = {f: 1, g: "
      "'x'} AND e = {} AND f = [] AND g = {key: 1, int: 2}",
      NULL },
    { "SELECT * FROM t WHERE a = ? AND b = :b AND c = :\"B c\" AND d = : e AND f = :key",
      "SELECT * FROM t WHERE a = ? AND b = :b AND c = :\"B c\" AND d = :e AND f = :key" },
    { "SELECT * FROM t GROUP BY a, b", NULL },
    { "SELECT * FROM t GROUP BY f(a), a.b", NULL },
    { "SELECT * FROM t ORDER BY a, b DESC, c ASC", NULL },
    { "SELECT * FROM t ORDER BY v ANN OF [1.0, 2.0] LIMIT 3", NULL },
    { "SELECT * FROM t ORDER BY v ANN OF ? ASC", NULL },
    { "SELECT * FROM t PER PARTITION LIMIT 2 LIMIT ? ALLOW FILTERING", NULL },
    { "SELECT * FROM t WHERE a = 1 GROUP BY a ORDER BY b DESC PER PARTITION LIMIT :p LIMIT 10 "
      "ALLOW FILTERING;;;",
      "SELECT * FROM t WHERE a = 1 GROUP BY a ORDER BY b DESC PER PARTITION LIMIT :p LIMIT 10 "
      "ALLOW FILTERING" },
    { "SELECT * FROM t LIMIT -1", NULL },
    { "SELECT a FROM system.local WHERE key='local'",
      "SELECT a FROM system.local WHERE key = 'local'" },
    { "SELECT * FROM t WHERE a = $$it's$$ AND b = 'it''s'",
      "SELECT * FROM t WHERE a = 'it''s' AND b = 'it''s'" },
    { "SELECT * -- comment\n FROM t // another\n WHERE /* block\n comment */ a = 1",
      "SELECT * FROM t WHERE a = 1" },
    { "SELECT * FROM t WHERE d = 1y2mo3w4d5h6m7s8ms9us10ns AND e = P1Y2M3DT4H5M6S AND f = "
      "P0001-02-03T04:05:06 AND g = P3W AND h = -1d AND i = -P1D AND j = 1µs",
      NULL },
    { "INSERT INTO t (a) VALUES (1)", NULL },
    { "INSERT INTO ks.t (a, b, \"C\") VALUES (1, 'x', ?) IF NOT EXISTS USING TIMESTAMP 5 AND TTL "
      "?",
      NULL },
    { "INSERT INTO t (a, b) VALUES (1, 2) USING TTL 10 AND TIMESTAMP 20",
      "INSERT INTO t (a, b) VALUES (1, 2) USING TIMESTAMP 20 AND TTL 10" },
    { "INSERT INTO t (a) VALUES (1, 2)", NULL },
    { "INSERT INTO t (a) VALUES (f(1) + 2, now(), null)",
      "INSERT INTO t (a) VALUES (f(1) + 2, now(), NULL)" },
    { "INSERT INTO t (\"\") VALUES (1)", NULL },
    { "INSERT INTO t JSON '{\"a\": 1}'", NULL },
    { "INSERT INTO t JSON ? DEFAULT UNSET IF NOT EXISTS USING TTL 5", NULL },
    { "INSERT INTO t JSON :j DEFAULT NULL", NULL },
    { "INSERT INTO t (key, int, text, timestamp, ttl, values) VALUES (1, 2, 3, 4, 5, 6)",
      "INSERT INTO t (key, int, text, timestamp, \"ttl\", values) VALUES (1, 2, 3, 4, 5, 6)" },
    { "INSERT INTO t (a) VALUES ({1, 2}) USING TIMESTAMP :ts", NULL },
    { "UPDATE t SET a = 1 WHERE k = 1", NULL },
    { "UPDATE ks.t USING TIMESTAMP 5 AND TTL 6 SET a = 1, b = ?, c = c + 1, d = d - {1}, e = [1] "
      "+ e, f += 2, g -= 3, m['k'] = 'v', l[0] = 1, u.f = 5 WHERE k = 1 AND c IN (1, 2) IF a = 1 "
      "AND b IN (1) AND c[0] = 1 AND c[1] IN ? AND u.f = 1 AND u.f IN (1, 2) AND d CONTAINS 1 "
      "AND e CONTAINS KEY 2 AND f != 3",
      NULL },
    { "UPDATE t SET c = c -3 WHERE k = 1", "UPDATE t SET c = c + -3 WHERE k = 1" },
    { "UPDATE t SET c = c - 3 WHERE k = 1", NULL },
    { "UPDATE t SET c = c 3 WHERE k = 1", "UPDATE t SET c = c + 3 WHERE k = 1" },
    { "UPDATE t SET c = c-3 WHERE k = 1", "UPDATE t SET c = c + -3 WHERE k = 1" },
    { "UPDATE t SET c = c+3 WHERE k = 1", "UPDATE t SET c = c + 3 WHERE k = 1" },
    { "UPDATE t SET c = 1 + 2 + c WHERE k = 1", NULL },
    { "UPDATE t SET c = f(1) + f(2) WHERE k = 1", NULL },
    { "UPDATE t SET c = ? + c, d = ? WHERE k = 1 IF EXISTS", NULL },
    { "UPDATE t SET c += 1, c += 2 WHERE k = 1", NULL },
    { "UPDATE t SET c[1] = 1, c[2] = 2 WHERE k = 1", NULL },
    { "UPDATE t SET c = 1 WHERE k = 1 IF exists = 3",
      "UPDATE t SET c = 1 WHERE k = 1 IF \"exists\" = 3" },
    { "UPDATE t SET c.d = 1 WHERE k = 1", NULL },
    { "UPDATE t SET \"\" = 1 WHERE k = 1", NULL },
    { "DELETE FROM t WHERE k = 1", NULL },
    { "DELETE a, b[1], c.d, \"\" FROM ks.t USING TIMESTAMP 5 WHERE k = 1 AND c > 2 IF EXISTS",
      NULL },
    { "DELETE FROM t WHERE k = 1 IF a = 1 AND b != 2", NULL },
    { "BEGIN BATCH INSERT INTO t (a) VALUES (1); UPDATE t SET a = 1 WHERE k = ?; DELETE FROM t "
      "WHERE k = ? APPLY BATCH",
      "BEGIN BATCH INSERT INTO t (a) VALUES (1); UPDATE t SET a = 1 WHERE k = ?; DELETE FROM t "
      "WHERE k = ?; APPLY BATCH" },
    { "BEGIN UNLOGGED BATCH USING TIMESTAMP 5 INSERT INTO t (a) VALUES (1) INSERT INTO t (a) "
      "VALUES (1) APPLY BATCH;",
      "BEGIN UNLOGGED BATCH USING TIMESTAMP 5 INSERT INTO t (a) VALUES (1); INSERT INTO t (a) "
      "VALUES (1); APPLY BATCH" },
    { "BEGIN COUNTER BATCH UPDATE t SET a = a + 1 WHERE k = 1; APPLY BATCH", NULL },
    { "BEGIN BATCH APPLY BATCH", NULL },
    { "BEGIN BATCH USING TTL 5 APPLY BATCH", NULL },
    { "USE ks", NULL },
    { "USE \"Ks\"", NULL },
    { "USE key", NULL },
    { "TRUNCATE t", NULL },
    { "TRUNCATE TABLE ks.t", "TRUNCATE ks.t" },
    { "TRUNCATE COLUMNFAMILY t", "TRUNCATE t" },
    { "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
      NULL },
    { "CREATE KEYSPACE IF NOT EXISTS ks WITH replication = {'class': 'NetworkTopologyStrategy', "
      "'dc1': '3'} AND durable_writes = false",
      NULL },
    { "ALTER KEYSPACE ks WITH durable_writes = true", NULL },
    { "ALTER KEYSPACE IF EXISTS ks WITH a = 1.5 AND b = 'x' AND c = 0xab AND d = "
      "123e4567-e89b-12d3-a456-426614174000 AND e = 1d AND f = NaN",
      NULL },
    { "DROP KEYSPACE ks", NULL },
    { "DROP KEYSPACE IF EXISTS ks", NULL },
    { "CREATE TABLE t (a int PRIMARY KEY)", NULL },
    { "CREATE TABLE IF NOT EXISTS ks.t (a int, b text STATIC, c frozen<list<int>>, d map<text, "
      "frozen<set<int>>>, e tuple<int, text>, f vector<float, 3>, g ks.udt, h 'java.Class', i "
      "udt, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c ASC, d DESC) AND COMPACT "
      "STORAGE AND comment = 'x' AND caching = {'keys': 'ALL'} AND gc_grace_seconds = 10",
      "CREATE TABLE IF NOT EXISTS ks.t (a int, b text STATIC, c frozen<list<int>>, d map<text, "
      "frozen<set<int>>>, e tuple<int, text>, f vector<float, 3>, g ks.udt, h 'java.Class', i "
      "udt, PRIMARY KEY ((a, b), c, d)) WITH COMPACT STORAGE AND CLUSTERING ORDER BY (c ASC, d "
      "DESC) AND comment = 'x' AND caching = {'keys': 'ALL'} AND gc_grace_seconds = 10" },
    { "CREATE TABLE t (a int, PRIMARY KEY (a))", NULL },
    { "CREATE TABLE t (a int, b int, PRIMARY KEY ((a), b),)",
      "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))" },
    { "CREATE TABLE t (a int,, b int)", "CREATE TABLE t (a int, b int)" },
    { "CREATE TABLE t (a int PRIMARY KEY, b int MASKED WITH DEFAULT, c int MASKED WITH "
      "mask_inner(1, null), d int STATIC MASKED WITH ks.f() PRIMARY KEY, e int MASKED WITH "
      "default(1))",
      "CREATE TABLE t (a int PRIMARY KEY, b int MASKED WITH DEFAULT, c int MASKED WITH "
      "mask_inner(1, NULL), d int STATIC MASKED WITH ks.f() PRIMARY KEY, e int MASKED WITH "
      "\"default\"(1))" },
    { "CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a), PRIMARY KEY (b))",
      "CREATE TABLE t (a int PRIMARY KEY, PRIMARY KEY (a), PRIMARY KEY (a))" },
    { "CREATE TABLE t (key text PRIMARY KEY, int int, text text, list list<int>, map map<int, "
      "int>, ttl int)",
      "CREATE TABLE t (key text PRIMARY KEY, int int, text text, \"list\" list<int>, \"map\" "
      "map<int, int>, \"ttl\" int)" },
    { "CREATE TABLE t (a int) WITH CLUSTERING ORDER BY (a DESC)", NULL },
    { "CREATE TABLE t (a int) WITH compact = 1 AND clustering = 2",
      "CREATE TABLE t (a int) WITH \"compact\" = 1 AND \"clustering\" = 2" },
    { "CREATE TABLE t (a vector<int, -1>, b vector<int, 0>)", NULL },
    { "CREATE TABLE t (a list<list<int>>)", NULL },
    { "ALTER TABLE t ALTER a TYPE int", NULL },
    { "ALTER TABLE IF EXISTS ks.t ALTER IF EXISTS a MASKED WITH DEFAULT", NULL },
    { "ALTER TABLE t ALTER a MASKED WITH mask_replace(1)", NULL },
    { "ALTER TABLE t ALTER a DROP MASKED", NULL },
    { "ALTER TABLE t ADD a int", NULL },
    { "ALTER TABLE t ADD IF NOT EXISTS a int STATIC", NULL },
    { "ALTER TABLE t ADD (a int, b text STATIC MASKED WITH DEFAULT)", NULL },
    { "ALTER TABLE t DROP a", NULL },
    { "ALTER TABLE t DROP IF EXISTS (a, b) USING TIMESTAMP 5", NULL },
    { "ALTER TABLE t DROP COMPACT STORAGE", NULL },
    { "ALTER TABLE t DROP compact", "ALTER TABLE t DROP \"compact\"" },
    { "ALTER TABLE t RENAME a TO b AND c TO d", NULL },
    { "ALTER TABLE t RENAME IF EXISTS a TO b", NULL },
    { "ALTER TABLE t WITH comment = 'x' AND compression = {'class': 'LZ4Compressor'}", NULL },
    { "DROP TABLE t", NULL },
    { "DROP TABLE IF EXISTS ks.t", NULL },
    { "DROP COLUMNFAMILY t", "DROP TABLE t" },
    { "CREATE TYPE ks.t (a int, b list<text>)", NULL },
    { "CREATE TYPE IF NOT EXISTS t (a int,)", "CREATE TYPE IF NOT EXISTS t (a int)" },
    { "CREATE TYPE \"int\" (a int)", NULL },
    { "ALTER TYPE t ADD a int", NULL },
    { "ALTER TYPE IF EXISTS ks.t ADD IF NOT EXISTS a int", NULL },
    { "ALTER TYPE t RENAME a TO b AND c TO d", NULL },
    { "ALTER TYPE t RENAME IF EXISTS a TO b", NULL },
    { "ALTER TYPE t ALTER a TYPE int", NULL },
    { "DROP TYPE t", NULL },
    { "DROP TYPE IF EXISTS ks.t", NULL },
    { "CREATE INDEX ON t (a)", NULL },
    { "CREATE INDEX i ON ks.t (a)", NULL },
    { "CREATE INDEX IF NOT EXISTS i ON t (KEYS(a)) USING 'sai' WITH OPTIONS = {'a': 'b'}",
      "CREATE INDEX IF NOT EXISTS i ON t (KEYS(a)) USING 'sai' WITH options = {'a': 'b'}" },
    { "CREATE CUSTOM INDEX i ON t (VALUES(a), ENTRIES(b), FULL(c), d, values, keys) USING "
      "'org.apache.cassandra.index.sasi.SASIIndex'",
      NULL },
    { "CREATE CUSTOM INDEX ON t () USING 'x'", NULL },
    { "CREATE INDEX IF NOT EXISTS ON t (a)", NULL },
    { "DROP INDEX i", NULL },
    { "DROP INDEX IF EXISTS ks.i", NULL },
    { "CREATE MATERIALIZED VIEW v AS SELECT a, b FROM t WHERE a IS NOT NULL AND b IS NOT NULL "
      "PRIMARY KEY (a, b)",
      NULL },
    { "CREATE MATERIALIZED VIEW IF NOT EXISTS ks.v AS SELECT * FROM ks.t WHERE a IS NOT NULL AND "
      "b > 5 PRIMARY KEY ((a, b), c) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x'",
      NULL },
    { "CREATE MATERIALIZED VIEW v AS SELECT a AS b FROM t PRIMARY KEY (a)", NULL },
    { "ALTER MATERIALIZED VIEW v WITH comment = 'x'", NULL },
    { "ALTER MATERIALIZED VIEW IF EXISTS ks.v WITH a = 1", NULL },
    { "DROP MATERIALIZED VIEW v", NULL },
    { "DROP MATERIALIZED VIEW IF EXISTS ks.v", NULL },
    { "CREATE FUNCTION f (a int, b text) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS "
      "'return a;'",
      "CREATE FUNCTION f(a int, b text) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS "
      "'return a;'" },
    { "CREATE OR REPLACE FUNCTION IF NOT EXISTS ks.f () CALLED ON NULL INPUT RETURNS map<int, "
      "text> LANGUAGE Java AS $$ return 'x'; $$",
      "CREATE OR REPLACE FUNCTION IF NOT EXISTS ks.f() CALLED ON NULL INPUT RETURNS map<int, "
      "text> LANGUAGE java AS ' return ''x''; '" },
    { "DROP FUNCTION f", NULL },
    { "DROP FUNCTION IF EXISTS ks.f (int, text)", "DROP FUNCTION IF EXISTS ks.f(int, text)" },
    { "DROP FUNCTION f ()", "DROP FUNCTION f()" },
    { "CREATE AGGREGATE a (int) SFUNC f STYPE int", "CREATE AGGREGATE a(int) SFUNC f STYPE int" },
    { "CREATE OR REPLACE AGGREGATE IF NOT EXISTS ks.a (int, text) SFUNC f STYPE tuple<int, int> "
      "FINALFUNC g INITCOND (0, 0)",
      "CREATE OR REPLACE AGGREGATE IF NOT EXISTS ks.a(int, text) SFUNC f STYPE tuple<int, int> "
      "FINALFUNC g INITCOND (0, 0)" },
    { "DROP AGGREGATE a", NULL },
    { "DROP AGGREGATE IF EXISTS ks.a (int)", "DROP AGGREGATE IF EXISTS ks.a(int)" },
    { "CREATE TRIGGER tr ON t USING 'org.Trigger'", NULL },
    { "CREATE TRIGGER IF NOT EXISTS tr ON ks.t USING 'x'", NULL },
    { "DROP TRIGGER tr ON t", NULL },
    { "DROP TRIGGER IF EXISTS tr ON ks.t", NULL },
    { "CREATE ROLE r", NULL },
    { "CREATE ROLE IF NOT EXISTS 'R x' WITH PASSWORD = 'p' AND SUPERUSER = true AND LOGIN = "
      "False AND OPTIONS = {'a': 'b'} AND ACCESS TO ALL DATACENTERS AND ACCESS FROM ALL CIDRS",
      "CREATE ROLE IF NOT EXISTS \"R x\" WITH PASSWORD = 'p' AND SUPERUSER = true AND LOGIN = "
      "false AND OPTIONS = {'a': 'b'} AND ACCESS TO ALL DATACENTERS AND ACCESS FROM ALL CIDRS" },
    { "CREATE ROLE \"R\" WITH HASHED PASSWORD = 'h' AND ACCESS TO DATACENTERS {'dc1', 'dc2'} AND "
      "ACCESS FROM CIDRS {'g'}",
      NULL },
    { "CREATE ROLE ''", NULL },
    { "ALTER ROLE r WITH LOGIN = true", NULL },
    { "ALTER ROLE IF EXISTS r", NULL },
    { "DROP ROLE r", NULL },
    { "DROP ROLE IF EXISTS 'r'", "DROP ROLE IF EXISTS r" },
    { "CREATE USER u", "CREATE USER 'u'" },
    { "CREATE USER IF NOT EXISTS Bob WITH PASSWORD 'p' SUPERUSER",
      "CREATE USER IF NOT EXISTS 'Bob' WITH PASSWORD 'p' SUPERUSER" },
    { "CREATE USER 'u' WITH HASHED PASSWORD 'h' NOSUPERUSER", NULL },
    { "ALTER USER u WITH PASSWORD 'p'", "ALTER USER 'u' WITH PASSWORD 'p'" },
    { "ALTER USER IF EXISTS u SUPERUSER", "ALTER USER IF EXISTS 'u' SUPERUSER" },
    { "DROP USER u", "DROP USER 'u'" },
    { "DROP USER IF EXISTS 'u'", NULL },
    { "LIST USERS", NULL },
    { "LIST ROLES", NULL },
    { "LIST ROLES OF r NORECURSIVE", NULL },
    { "LIST ROLES NORECURSIVE", NULL },
    { "GRANT r TO s", NULL },
    { "GRANT \"R\" TO 's'", "GRANT \"R\" TO s" },
    { "GRANT all TO x", "GRANT \"all\" TO x" },
    { "GRANT unmask TO x", "GRANT \"unmask\" TO x" },
    { "REVOKE r FROM s", NULL },
    { "REVOKE select_masked FROM s", "REVOKE \"select_masked\" FROM s" },
    { "ADD IDENTITY 'spiffe://x' TO ROLE 'r'", NULL },
    { "ADD IDENTITY IF NOT EXISTS x TO ROLE r", "ADD IDENTITY IF NOT EXISTS 'x' TO ROLE 'r'" },
    { "DROP IDENTITY 'x'", NULL },
    { "DROP IDENTITY IF EXISTS 'x'", NULL },
    { "GRANT ALL ON ALL KEYSPACES TO r", "GRANT ALL PERMISSIONS ON ALL KEYSPACES TO r" },
    { "GRANT ALL PERMISSIONS ON KEYSPACE ks TO r", NULL },
    { "GRANT SELECT ON TABLE ks.t TO r", NULL },
    { "GRANT SELECT PERMISSION, MODIFY ON t TO r", "GRANT SELECT, MODIFY ON TABLE t TO r" },
    { "GRANT CREATE, ALTER, DROP, SELECT, MODIFY, AUTHORIZE, DESCRIBE, EXECUTE, UNMASK, "
      "SELECT_MASKED ON ALL TABLES IN KEYSPACE ks TO r",
      NULL },
    { "GRANT AUTHORIZE ON ALL ROLES TO r", NULL },
    { "GRANT ALTER ON ROLE s TO r", NULL },
    { "GRANT EXECUTE ON ALL FUNCTIONS TO r", NULL },
    { "GRANT EXECUTE ON ALL FUNCTIONS IN KEYSPACE ks TO r", NULL },
    { "GRANT EXECUTE ON FUNCTION ks.f (int, text) TO r",
      "GRANT EXECUTE ON FUNCTION ks.f(int, text) TO r" },
    { "GRANT EXECUTE ON FUNCTION f () TO r", "GRANT EXECUTE ON FUNCTION f() TO r" },
    { "GRANT SELECT ON ALL MBEANS TO r", NULL },
    { "GRANT SELECT ON MBEAN 'a:b=c' TO r", NULL },
    { "GRANT SELECT ON MBEANS 'a:*' TO r", NULL },
    { "GRANT SELECT ON role TO r", "GRANT SELECT ON TABLE \"role\" TO r" },
    { "GRANT SELECT ON function TO r", "GRANT SELECT ON TABLE \"function\" TO r" },
    { "GRANT SELECT ON all TO r", "GRANT SELECT ON TABLE \"all\" TO r" },
    { "GRANT SELECT ON mbean TO r", "GRANT SELECT ON TABLE \"mbean\" TO r" },
    { "GRANT SELECT ON role.x TO r", "GRANT SELECT ON TABLE \"role\".x TO r" },
    { "GRANT UNMASK ON t TO r", "GRANT UNMASK ON TABLE t TO r" },
    { "REVOKE ALL ON t FROM r", "REVOKE ALL PERMISSIONS ON TABLE t FROM r" },
    { "REVOKE SELECT ON KEYSPACE ks FROM 'r'", "REVOKE SELECT ON KEYSPACE ks FROM r" },
    { "LIST ALL", "LIST ALL PERMISSIONS" },
    { "LIST ALL PERMISSIONS OF r", NULL },
    { "LIST ALL ON t OF r NORECURSIVE", "LIST ALL PERMISSIONS ON TABLE t OF r NORECURSIVE" },
    { "LIST SELECT ON ALL KEYSPACES", NULL },
    { "LIST SELECT, MODIFY PERMISSION ON KEYSPACE ks OF \"R\"",
      "LIST SELECT, MODIFY ON KEYSPACE ks OF \"R\"" },
    { "LIST EXECUTE ON FUNCTION f(int)", NULL },
    { "LIST UNMASK", NULL },
    { "DESCRIBE CLUSTER", NULL },
    { "DESC SCHEMA", "DESCRIBE SCHEMA" },
    { "DESCRIBE FULL SCHEMA", NULL },
    { "DESCRIBE KEYSPACES", NULL },
    { "DESCRIBE KEYSPACE", NULL },
    { "DESCRIBE KEYSPACE ks", NULL },
    { "DESCRIBE ONLY KEYSPACE ks WITH INTERNALS", NULL },
    { "DESCRIBE ONLY KEYSPACE", NULL },
    { "DESCRIBE ONLY", "DESCRIBE \"only\"" },
    { "DESCRIBE TABLES", NULL },
    { "DESCRIBE TABLE t", NULL },
    { "DESCRIBE TABLE ks.t WITH INTERNALS", NULL },
    { "DESCRIBE INDEX ks.i", NULL },
    { "DESCRIBE MATERIALIZED VIEW ks.v", NULL },
    { "DESCRIBE TYPES", NULL },
    { "DESCRIBE TYPE ks.t", NULL },
    { "DESCRIBE FUNCTIONS", NULL },
    { "DESCRIBE FUNCTION ks.f", NULL },
    { "DESCRIBE AGGREGATES", NULL },
    { "DESCRIBE AGGREGATE a", NULL },
    { "DESCRIBE t", NULL },
    { "DESCRIBE ks.t", NULL },
    { "DESCRIBE \"T\" WITH INTERNALS", NULL },
    { "DESCRIBE key", "DESCRIBE \"key\"" },
    { "DESCRIBE type", "DESCRIBE \"type\"" },
    { "DESCRIBE static", "DESCRIBE \"static\"" },
    { "DESCRIBE \"types\"", NULL },
};

static void check_canonical(base_arena *arena, const written *one) {
    base_buf       printed = { 0 }, again = { 0 };
    cql_statement *first = NULL, *second = NULL;
    corm_error     err;
    corm_status    status = cql__parse(arena, corm_str_of(one->text), &first, NULL, &err);
    if (status != CORM_OK) fail_msg("%s\n%s", one->text, err.message);
    cql__print(first, &printed);
    assert_string_equal(base__buf_cstr(&printed), one->canonical ? one->canonical : one->text);
    assert_ok(cql__parse(arena, base__buf_str(&printed), &second, NULL, &err), err);
    assert_true(cql__ast_equal(first, second));
    cql__print(second, &again);
    assert_string_equal(base__buf_cstr(&printed), base__buf_cstr(&again));
    base__buf_free(&printed);
    base__buf_free(&again);
}

static void every_production_prints_canonically(void **state) {
    (void)state;
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        check_canonical(&arena, &statements[i]);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

/* ---- carets ---- */

static void check_caret(const char *text, uint32_t line, uint32_t column, uint32_t length,
                        const char *expected) {
    base_buf out = { 0 };
    cql__print_caret(corm_str_of(text), (cql_place){ line, column }, length, &out);
    assert_string_equal(base__buf_cstr(&out), expected);
    base__buf_free(&out);
}

static void a_caret_stands_below_the_offending_text(void **state) {
    (void)state;
    check_caret("SELEC * FROM t", 1, 0, 5, "SELEC * FROM t\n^~~~~\n");
    check_caret("SELECT *\nFORM t\n", 2, 0, 4, "FORM t\n^~~~\n");
    check_caret("SELECT *\r\nFORM t", 1, 7, 1, "SELECT *\n       ^\n");
    check_caret("a\tb", 1, 2, 1, "a\tb\n \t^\n");
    check_caret("é é x", 1, 4, 1, "é é x\n    ^\n");
}

static void a_caret_may_stand_behind_the_text(void **state) {
    (void)state;
    check_caret("SELECT", 1, 6, 1, "SELECT\n      ^\n");
    check_caret("SELECT", 1, 6, 9, "SELECT\n      ^\n");
    check_caret("", 1, 0, 1, "\n^\n");
    check_caret("x", 7, 2, 1, "\n  ^\n");
}

static void a_long_line_is_shown_around_the_caret(void **state) {
    (void)state;
    char text[1001], expected[400];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[500] = 'Y';
    snprintf(expected, sizeof expected, "...%.160s...\n   %60s^~\n", text + 440, "");
    check_caret(text, 1, 500, 2, expected);
    snprintf(expected, sizeof expected, "%.160s...\n^\n", text);
    check_caret(text, 1, 0, 1, expected);
}

/* ---- expressions and types by themselves ---- */

static void a_term_is_parsed_by_itself(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    cql_expr  *expr = NULL;
    corm_error err;
    assert_ok(cql__parse_term(&arena, corm_str_of("{'a': [1, -2], 'b': []}"), &expr, &err), err);
    cql__print_expr(expr, &out);
    assert_string_equal(base__buf_cstr(&out), "{'a': [1, -2], 'b': []}");
    assert_true(cql__expr_equal(expr, expr));
    assert_false(cql__expr_equal(expr, NULL));
    assert_true(cql__expr_equal(NULL, NULL));
    assert_status(cql__parse_term(&arena, corm_str_of("1 1"), &expr, &err), CORM_SYNTAX_ERROR);
    assert_null(expr);
    assert_status(cql__parse_term(&arena, corm_str_of("1 + 1)"), &expr, NULL), CORM_SYNTAX_ERROR);
    assert_status(cql__parse_term(&arena, corm_str_of(""), &expr, &err), CORM_SYNTAX_ERROR);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void a_type_is_parsed_by_itself(void **state) {
    (void)state;
    static const char   text[] = "map<text, frozen<tuple<int, ks.\"T\", vector<float, 3>>>>";
    base_arena          arena = { 0 };
    base_buf            out = { 0 };
    const cql_type_ast *type = NULL;
    corm_error          err;
    assert_ok(cql__parse_type(&arena, corm_str_of(text), &type, &err), err);
    cql__print_type_ast(type, &out);
    assert_string_equal(base__buf_cstr(&out), text);
    assert_status(cql__parse_type(&arena, corm_str_of("map<int>"), &type, &err), CORM_SYNTAX_ERROR);
    assert_null(type);
    assert_status(cql__parse_type(&arena, corm_str_of("int int"), &type, &err), CORM_SYNTAX_ERROR);
    assert_status(cql__parse_type(&arena, corm_str_of("vector<int, 99999999999>"), &type, &err),
                  CORM_SYNTAX_ERROR);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void strings_are_printed_with_doubled_quotes(void **state) {
    (void)state;
    base_buf out = { 0 };
    cql__print_string(corm_str_of("it's '' "), &out);
    assert_string_equal(base__buf_cstr(&out), "'it''s '''' '");
    base__buf_clear(&out);
    cql__print_string((corm_str){ 0 }, &out);
    assert_string_equal(base__buf_cstr(&out), "''");
    base__buf_free(&out);
}

static void statements_have_names(void **state) {
    (void)state;
    assert_string_equal(cql__statement_name(CQL_STMT_CREATE_VIEW), "CREATE MATERIALIZED VIEW");
    assert_string_equal(cql__statement_name(CQL_STMT_DELETE), "DELETE");
    assert_string_equal(cql__statement_name((cql_statement_kind)99), "STATEMENT");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_production_prints_canonically),
    cmocka_unit_test(a_caret_stands_below_the_offending_text),
    cmocka_unit_test(a_caret_may_stand_behind_the_text),
    cmocka_unit_test(a_long_line_is_shown_around_the_caret),
    cmocka_unit_test(a_term_is_parsed_by_itself),
    cmocka_unit_test(a_type_is_parsed_by_itself),
    cmocka_unit_test(strings_are_printed_with_doubled_quotes),
    cmocka_unit_test(statements_have_names),
};
RUN_TESTS()
