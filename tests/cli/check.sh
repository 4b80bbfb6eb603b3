# corm check: every error of every file with its place, suggestions, names, schemas from files and folders, JSON, exit codes.
run() {
    "$CORM" check "$@" 2>&1
    echo "exit $?"
}
cat >schema.cql <<'CQL'
CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
USE shop;
CREATE TYPE address (street text, zip int);
CREATE TABLE users (id uuid PRIMARY KEY, name text, age int, address frozen<address>, tags set<text>);
CREATE TABLE orders (user uuid, made timeuuid, total decimal, PRIMARY KEY (user, made));
CREATE INDEX ON users (name);
CQL
cat >good.cql <<'CQL'
-- Who that is.
-- name: get_user :one
SELECT id, name, address.zip FROM users WHERE id = :id;
/* A block. */
-- name: list_orders :page
SELECT * FROM orders WHERE user = ? AND made > minTimeuuid('2026-01-01') LIMIT ?;
-- name: rename :applied
UPDATE users SET name = ? WHERE id = ? IF name = ?;
CONSISTENCY QUORUM
INSERT INTO users (id, name) VALUES (uuid(), 'it''s');
CQL
cat >bad.cql <<'CQL'
-- name: get_user :one
SELECT id, nme, age FROM users WHERE id = ?;
-- name: get_user :exce
SELECT * FROM userss;
SELEC * FROM users;
SELECT * FORM users; SELECT uuuid() FROM users;
CREATE TABLE carts (id uuuid PRIMARY KEY);
SELECT * FROM carts;
CREATE TABEL wishes (id uuid PRIMARY KEY);
SELECT * FROM wishes; SELECT * FROM shpo.users;
	UPDATE users SET name = 'ä' WHERE ämter = 1;
BEGIN BATCH
  INSERT INTO users (id, nam) VALUES (?, ?);
  INSERT INTO orders (user, made, totl) VALUES (?, ?, ?);
APPLY BATCH;
-- name: count :many
UPDATE users SET age = 'x' WHERE id = ?;
-- name: forget :exec
DELETE FROM users WHERE id = ? IF EXISTS;
-- name: 2nd :one
CREATE INDEX ON users (agee);
CREATE TABLE t (a int PRIMARY KEY) WITH gc_grace_second = 1;
SELECT 'open;
-- name: lost :exec
CQL
# Statements of Cassandra that Corm does not execute, and what follows from them; the mark before UTF-8; nodes that a file does not have.
printf '\xef\xbb\xbf' >absent.cql
cat >>absent.cql <<'CQL'
CREATE KEYSPACE far WITH replication = {'class': 'NetworkTopologyStrategy', 'east': 3};
CREATE TABLE far.t (id int PRIMARY KEY);
ALTER KEYSPACE far WITH replication = {'class': 'NetworkTopologyStrategy', 'east': 3, 'west': 2};
SELECT ida FROM far.t;
USE shop;
CREATE OR REPLACE FUNCTION plus(a int, b int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return a + b;';
CREATE AGGREGATE total(int) SFUNC plus STYPE int;
SELECT plus(age, 1), total(age) FROM users WHERE id = ?;
CREATE TRIGGER told ON users USING 'a.Trigger';
DROP TRIGGER told ON users;
-- corm: allow unsupported
CREATE TRIGGER known ON users USING 'a.Trigger';
CREATE TYPE inner (tags set<text>);
CREATE TABLE t (id int PRIMARY KEY, whole frozen<set<text>>, n inner);
CREATE TRIGGER lost ON userss USING 'a.Trigger';
CQL
run schema.cql absent.cql
run schema.cql good.cql
run schema.cql bad.cql
run schema.cql bad.cql --json
cat bad.cql | run --schema schema.cql - | tail -3
"$CORM" shell corm:./store -f schema.cql
run --schema corm:./store --keyspace shop good.cql
run --keyspace other - <<<"CREATE TABLE t (a int PRIMARY KEY); SELECT b FROM t"
run - <<<"SELECT a FROM t"
run - </dev/null
run --schema corm:./nowhere good.cql
run --schema . good.cql
run missing.cql
run --keyspace "no'name" good.cql
run
"$CORM" help check
