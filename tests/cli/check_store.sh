# corm check, lint and generate with the schema of a live store.
run() {
    "$CORM" "$@" 2>&1
    echo "exit $?"
}
"$CORM" shell "$STORE" -e "
CREATE KEYSPACE checked WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
USE checked;
CREATE TYPE address (street text, zip int);
CREATE TABLE users (id uuid PRIMARY KEY, name text, home frozen<address>, tags set<text>, v vector<float, 3>);
CREATE INDEX by_name ON users (name);
CREATE TABLE orders (user uuid, made timeuuid, total decimal, note text static, PRIMARY KEY (user, made))
    WITH CLUSTERING ORDER BY (made DESC) AND default_time_to_live = 600;"
cat >queries.cql <<'CQL'
SELECT id, nme, home.zip FROM users WHERE id = ?;
SELECT total, note FROM orders WHERE user = ? AND made > ?;
SELECT name FROM users;
CQL
run check --schema "$STORE" --keyspace checked queries.cql
run lint --schema "$STORE" --keyspace checked queries.cql | grep -v '^  '
run generate models "$STORE" --keyspace checked --name live
cat live.c
