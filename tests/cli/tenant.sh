# corm tenant: made, listed, suspended, resumed, dropped, migrated; mistakes.
run() {
    echo "\$ corm tenant $*" | sed "s|$STORE|STORE|"
    "$CORM" tenant "$@" 2>&1 | sed -e "s|$STORE|STORE|"
    echo "exit ${PIPESTATUS[0]}"
}
"$CORM" shell "$STORE" -e "CREATE KEYSPACE tenant_cli WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
K="--keyspace tenant_cli"
cat >schema.cql <<'CQL'
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users (id, name) VALUES (1, 'first; user');
CQL
mkdir migrations
cat >migrations/0001_orders.cql <<'CQL'
-- up
CREATE TABLE orders (id int PRIMARY KEY);
CQL
for strategy in keyspace prefix column; do
    T="$K --strategy $strategy --table tenants_$strategy"
    run create "$STORE" acme $T --schema schema.cql --attributes plan=gold,city=Rome
    run create "$STORE" blue-1 $T --schema schema.cql
    run create "$STORE" acme $T
    run migrate "$STORE" $T
    run suspend "$STORE" acme $T
    run list "$STORE" $T --json
    run resume "$STORE" acme $T
    run drop "$STORE" acme $T
    run list "$STORE" $T
    run drop "$STORE" blue-1 $T
    run drop "$STORE" blue-1 $T
done
"$CORM" shell "$STORE" -k tenant_cli -e "SELECT * FROM users"
run list "$STORE" $K --strategy none
run list "$STORE" $K acme
run make "$STORE" acme
run create "$STORE" $K
run create "$STORE" "A'b" $K
"$CORM" shell "$STORE" -e "DROP KEYSPACE tenant_cli"
