# JSON lines: members by name, nulls, rejects; standard input; going on after an interruption.
quiet() {
    "$@" 2>quiet.err
    local code=$?
    sed 's/ in [0-9.]* s, [0-9]* a second//' quiet.err >&2
    return $code
}
import() { quiet "$CORM" import "$STORE" "$@"; echo "exit $?"; }
cql() { "$CORM" shell "$STORE" "$@"; }
cql -e "CREATE KEYSPACE j WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    CREATE TABLE j.t (id int PRIMARY KEY, name text, \"Up\" int, tags list<text>)"
cat >t.jsonl <<'END'
{"id": 1, "name": "é\n\"q\"", "\"Up\"": 7, "tags": ["a", "b"]}
{"id": "2", "NAME": "string for a number"}
{"id": 3, "name": null}

{"id": 4, "nope": 1}
{"id": five}
[6]
{"id": 7, "tags": [1, {]}
{"name": "no key"}
END
import j.t t.jsonl
cat t.jsonl.rejects.txt
cql --json -e "SELECT * FROM j.t"
echo '{"id": 1, "name": null}' | import j.t - --format jsonl
cql --json -e "SELECT name FROM j.t WHERE id = 1"
echo '{"id": 1, "name": null}' | import j.t - --format jsonl --write-nulls
cql --json -e "SELECT name FROM j.t WHERE id = 1"
echo '{"id": 1}' | import j.t - --format jsonl --resume

echo "--- resume"
for i in 1 2 3 4 5; do echo "{\"id\": 10$i, \"name\": \"n$i\"}"; done >many.jsonl
import j.t many.jsonl --resume
beginning=$(head -n 3 many.jsonl | wc -c)
printf 'corm import 1\ntable j.t\nformat jsonl\nbeginning 0\noffset %s\nline 4\nrecords 3\nrejected 0\n' "$beginning" >many.jsonl.checkpoint
import j.t many.jsonl --resume
echo nonsense >many.jsonl.checkpoint
import j.t many.jsonl --resume
import j.t many.jsonl
ls many.jsonl*

echo "--- too many rejects, then on from there"
import j.t t.jsonl --max-rejects 2
cat t.jsonl.checkpoint | grep -v beginning
import j.t t.jsonl --resume
wc -l <t.jsonl.rejects.txt
ls t.jsonl*
