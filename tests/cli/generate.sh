# corm generate: what it refuses, what it writes where, exit codes. What is written is tested by tests/generate/run.
run() {
    "$CORM" generate "$@" 2>&1
    echo "exit $?"
}
cat >schema.cql <<'CQL'
CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
USE shop;
CREATE TYPE address (street text, "Zip" int);
CREATE TABLE users (id uuid PRIMARY KEY, name text, age int, home frozen<address>, "class" text);
CREATE INDEX ON users (age);
CQL
cat >queries.cql <<'CQL'
-- Who that is.
-- name: get_user :one
SELECT * FROM users WHERE id = ?;
-- name: move :exec
UPDATE users SET home = :home, "class" = ? WHERE id = :id;
CQL
run --schema schema.cql queries.cql
ls
cat queries.h queries.c
run --schema schema.cql queries.cql --check
mkdir src
run --schema schema.cql queries.cql --output src --name shop
ls src
echo '/* by hand */' >>src/shop.h
run --schema schema.cql queries.cql --output src --name shop --check
run --schema schema.cql queries.cql --output nowhere
run models schema.cql --name shop_models
cat shop_models.h shop_models.c
# mistakes
run
run schema.cql
run --schema schema.cql queries.cql --name 2nd
run --schema schema.cql queries.cql --name int
run --schema schema.cql queries.cql --name rows
run models schema.cql --name corm
run missing.cql
printf '%s\n' '-- name: get :one' 'SELECT nme FROM users WHERE id = ?;' | run --schema schema.cql -
printf '%s\n' '-- name: open :one' 'SELECT name FROM users WHERE id = ?;' | run --schema schema.cql - --name shop
printf '%s\n' '-- name: a :one' 'SELECT name FROM users WHERE id = ?;' '-- name: a_row :one' \
    'SELECT name FROM users WHERE id = ?;' | run --schema schema.cql -
printf '%s\n' '-- name: a :exec' 'UPDATE users SET name = :x, age = :x WHERE id = ?;' | run --schema schema.cql -
run models
run models schema.cql --keyspace nope
run models queries.cql
run models schema.cql more.cql
"$CORM" help generate
