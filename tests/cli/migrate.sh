# corm migrate: new files, plan, up, down, status, diff, verify, baseline, mistakes.
run() {
    echo "\$ corm migrate $*" | sed "s|$STORE|STORE|"
    "$CORM" migrate "$@" 2>&1 | sed -e "s|$STORE|STORE|" -e 's/[a-zA-Z0-9._-]*:[0-9]*)$/HOST)/'
    echo "exit ${PIPESTATUS[0]}"
}
"$CORM" shell "$STORE" -e "CREATE KEYSPACE evolve_cli WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
K="--keyspace evolve_cli"

run new make_users
cat >migrations/0001_make_users.cql <<'CQL'
-- Users and what they like.
-- up
CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TYPE address (street text);
-- down
DROP TABLE users;
DROP TYPE address;
CQL
run new add_preferences
cat >migrations/0002_add_preferences.cql <<'CQL'
-- up
ALTER TABLE users ADD preferences map<text, text>;
CREATE INDEX users_prefs_idx ON users (preferences);
CQL
run status "$STORE" $K
run plan "$STORE" $K
run up "$STORE" $K --dry-run
run up "$STORE" $K --to 0001_make_users
run up "$STORE" $K
run up "$STORE" $K
run status "$STORE" $K
run verify "$STORE" $K
run down "$STORE" $K
run down "$STORE" $K --allow-destructive
run status "$STORE" $K

cat >wanted.cql <<'CQL'
CREATE TABLE users (id int PRIMARY KEY, name text, age int);
CREATE TABLE visits (user int, at timestamp, PRIMARY KEY (user, at));
CQL
mv migrations/0002_add_preferences.cql kept
run diff "$STORE" $K --schema wanted.cql
run diff "$STORE" $K --schema wanted.cql --with-drops
run new more "$STORE" $K --schema wanted.cql
cat migrations/0002_more.cql
run up "$STORE" $K
run diff "$STORE" $K --schema wanted.cql

"$CORM" shell "$STORE" -k evolve_cli -e "ALTER TABLE users ADD stray int"
run verify "$STORE" $K
sed -i 's/name text/nickname text/' migrations/0001_make_users.cql
run up "$STORE" $K
printf -- '-- up\nCREATE TABEL x (k int);\nDROP TABLE;\n' >migrations/0003_wrong.cql
run up "$STORE" $K

mkdir other
echo 'CREATE TABLE users (id int PRIMARY KEY);' >other/1_users.cql
run baseline "$STORE" $K --dir other --history other
run baseline "$STORE" 1_users $K --dir other --history other
run status "$STORE" $K --dir other --history other
run fly "$STORE"
run dow "$STORE"
run up
run up "$STORE"
run new 'a b'
