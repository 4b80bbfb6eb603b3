# corm lint: findings with reasons, formats, ways to leave rules out, exit codes.
run() {
    "$CORM" lint "$@" 2>&1
    echo "exit $?"
}
cat >schema.cql <<'CQL'
CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
USE shop;
CREATE TABLE users (id uuid PRIMARY KEY, name text, notes list<text>);
CREATE TABLE orders (user uuid, made timeuuid, total decimal, PRIMARY KEY (user, made));
CQL
cat >queries.cql <<'CQL'
-- name: all_users :many
SELECT * FROM users;
-- name: add :exec
INSERT INTO users (id, name) VALUES (?, null);
BEGIN BATCH
  UPDATE users SET notes = notes + ['x'] WHERE id = ?;
APPLY BATCH;
SELECT nme FROM users WHERE id = ?;
CQL
run --schema schema.cql queries.cql
run schema.cql --disable ddl-if-not-exists
run --schema schema.cql queries.cql --json | head -2
run --schema schema.cql queries.cql --sarif >out.sarif
python3 - <<'PY'
import json
text = open("out.sarif").read()
run = json.loads(text[:text.rindex("exit")])["runs"][0]
ids = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
print(len(run["results"]), "results,", "all rules known:", all(r["ruleId"] in ids for r in run["results"]))
print(run["results"][0])
PY
printf '# known\nselect-star # everywhere\nfull-scan\n' >.cormlint
printf '%s\n' '-- corm: allow null-write, list-append -- for the test' "INSERT INTO users (id, name) VALUES (?, null);" \
    'SELECT * FROM users;' >few.cql
run --schema schema.cql few.cql
printf 'SELECT total FROM orders WHERE user = ? AND made > ?;' >info.cql
run -s schema.cql info.cql
run -s schema.cql info.cql --strict | tail -1
echo 'no-rule' >.cormlint
run -s schema.cql few.cql
rm .cormlint
run -s schema.cql few.cql --disable full-scann
printf '%s\n' "CREATE TABLE days (user uuid, day date, n counter, PRIMARY KEY (user, day));" \
    "CREATE TABLE days_of (user uuid, day date, at timeuuid, PRIMARY KEY (user, day, at));" \
    "CREATE MATERIALIZED VIEW v AS SELECT id, name FROM users WHERE name IS NOT NULL AND id IS NOT NULL PRIMARY KEY (name, id);" \
    "CREATE TRIGGER t ON users USING 'a.Trigger';" >kinds.cql
run -s schema.cql kinds.cql --disable ddl-if-not-exists,materialized-view --json
run -s schema.cql kinds.cql --disable ddl-if-not-exists,materialized-view,server,unsupported,unbounded-partition
printf '%s\n' '-- corm: alow full-scan' 'SELECT id FROM users;' | run -s schema.cql -
run --explain queue
run --explain quue
run --rules
run
run --help | head -3
