# CSV: every type out and in again, nulls, rejects with their places, headers, options.
quiet() {
    "$@" 2>quiet.err
    local code=$?
    sed 's/ in [0-9.]* s, [0-9]* a second//' quiet.err >&2
    return $code
}
import() { quiet "$CORM" import "$STORE" "$@"; echo "exit $?"; }
export_to() { quiet "$CORM" export "$STORE" "$@" --concurrency 1; echo "exit $?"; }
cql() { "$CORM" shell "$STORE" "$@"; }
columns="k int, c text, s text static, a ascii, bi bigint, bl blob, bo boolean, da date, de decimal, d double,
    du duration, f float, i inet, si smallint, ti tinyint, tm time, ts timestamp, tu timeuuid, u uuid, vi varint,
    \"Up\" int, l list<text>, se set<int>, m map<text, frozen<list<int>>>, fl frozen<list<double>>,
    tup tuple<int, text>, ud addr, fud frozen<addr>, v vector<float, 3>, PRIMARY KEY (k, c)"
cql -e "CREATE KEYSPACE rt WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    USE rt;
    CREATE TYPE addr (street text, zip int, tags frozen<set<text>>);
    CREATE TABLE a ($columns); CREATE TABLE b ($columns); CREATE TABLE c ($columns);
    CREATE TABLE hits (page text PRIMARY KEY, n counter);"
cql -k rt <<'END'
INSERT INTO a JSON '{"k": 1, "c": "a,b\"c\"\n\r\nd ", "s": "static ''x''", "a": "ascii", "bi": -9223372036854775808,
  "bl": "0xCAFE00", "bo": true, "da": "2026-01-31", "de": "-1E+5", "d": 1.5e300, "du": "1y2mo3d4h", "f": 1.1,
  "i": "2001:db8::1", "si": -1, "ti": 127, "tm": "10:11:12.123456789", "ts": "2026-01-31 10:00:00.123Z",
  "tu": "50554d6e-29bb-11e5-b345-feff819cdc9f", "u": "00000000-0000-4000-8000-000000000001",
  "vi": 123456789012345678901234567890, "\"Up\"": 5, "l": ["x, y", "it''s", "漢", ""], "se": [3, 1, 2],
  "m": {"a''b": [1, 2], "": []}, "fl": [], "tup": [1, null],
  "ud": {"street": "s", "zip": null, "tags": ["q"]}, "fud": {"street": null, "zip": 1, "tags": null}, "v": [1, 2.5, -3]}';
INSERT INTO a (k, c) VALUES (2, '');
INSERT INTO a (k, c, a, bl) VALUES (2, 'null', '', 0x);
INSERT INTO a (k, s) VALUES (3, 'only static');
INSERT INTO a (k, c, bi, d, f, ts, da) VALUES (4, 'NaN', blob_as_bigint(0x), NaN, -Infinity, 253402300800000, 0);
INSERT INTO a (k, c, i, vi, de, u, bo) VALUES (4, 'empty', blob_as_inet(0x), blob_as_varint(0x), blob_as_decimal(0x),
  blob_as_uuid(0x), blob_as_boolean(0x));
INSERT INTO a (k, c, l, fl, se) VALUES (5, ' sp ', [], [NaN, 1], {});
UPDATE hits SET n = n + 5 WHERE page = 'home';
END
export_to rt.a a.csv
cat a.csv
import rt.b a.csv
export_to rt.b b.csv
cmp a.csv b.csv
export_to rt.a a.jsonl
import rt.c a.jsonl
export_to rt.c c.csv
cmp a.csv c.csv

echo "--- counters"
export_to rt.hits hits.csv
import rt.hits hits.csv
export_to rt.hits - --format csv

echo "--- rejects"
cql -k rt -e "CREATE TABLE r (id int PRIMARY KEY, name text, price decimal, tags set<text>)"
cat >r.csv <<'END'
id,name,price,tags
1,Rose,4.50,"{'red'}"
x,Tulip,1,
3,"Two
lines",abc,
4,,,"{'open"
,No key,1,
6,too,many,fields,here
7,"bro"ken,1,
8,Fine,,{}
END
import rt.r r.csv
cat r.csv.rejects r.csv.rejects.txt
cql -k rt --json -e "SELECT * FROM r"

echo "--- headers and options"
printf 'id,nmae\n1,x\n' >bad.csv
import rt.r bad.csv
import rt.r bad.csv --ignore-unknown
printf 'name\nx\n' >nokey.csv
import rt.r nokey.csv
printf 'id,id\n1,2\n' >twice.csv
import rt.r twice.csv
: >empty.csv
import rt.r empty.csv
printf '11;NULL\n12;"NULL"\n' >plain.csv
import rt.r plain.csv --no-header --columns id,name --delimiter ';' --null NULL --ttl 1000
export_to rt.r - --format csv --where 'id > 10' --null NULL --columns name,id
export_to rt.r plain.csv
export_to rt.r plain.csv --force --limit 1
export_to rt.r plain.txt
import rt.nope plain.csv
import nope plain.csv
import rt.r missing.csv
import rt.r . --format csv
printf 'id\tname\n21\tTab\n' >tabs.tsv
import rt.r tabs.tsv
