# --generate: keys that a file does not have are made; other columns are refused.
quiet() { "$@" 2> >(sed 's/ in [0-9.]* s, [0-9]* a second//' >&2); }
import() { quiet "$CORM" import corm:./store k.people "$@" 2>&1; echo "exit $?"; }
"$CORM" shell corm:./store -e "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    CREATE TABLE k.people (id uuid PRIMARY KEY, at timeuuid, name text)"
printf 'name\nAda\nGrace\n' >people.csv
import people.csv
import people.csv --generate name
import people.csv --generate id,at
"$CORM" shell corm:./store --json -e "SELECT name FROM k.people" | sort
"$CORM" shell corm:./store --json -e "SELECT count(at) FROM k.people" 2>/dev/null
