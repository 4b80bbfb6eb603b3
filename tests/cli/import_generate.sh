# --generate: keys that a file does not have are made; other columns are refused.
import() {
    "$CORM" import "$STORE" k.people "$@" 2>&1 | sed 's/ in [0-9.]* s, [0-9]* a second//'
    echo "exit ${PIPESTATUS[0]}"
}
"$CORM" shell "$STORE" -e "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    CREATE TABLE k.people (id uuid PRIMARY KEY, at timeuuid, name text)"
printf 'name\nAda\nGrace\n' >people.csv
import people.csv
import people.csv --generate name
import people.csv --generate id,at
"$CORM" shell "$STORE" --json -e "SELECT name FROM k.people" | sort
"$CORM" shell "$STORE" --json -e "SELECT count(at) FROM k.people" 2>/dev/null
