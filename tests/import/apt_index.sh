#!/usr/bin/env bash
# apt_index [RECORDS]: the machine's own package index, about 60,000 records with quotes, Unicode and lists, goes into a table from JSON
# lines and from CSV, is queried, comes out again, and is the same.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
CORM=${CORM:-$here/../../build/dev/bin/corm}
helper=/usr/lib/apt/apt-helper

shopt -s nullglob
lists=(/var/lib/apt/lists/*_Packages /var/lib/apt/lists/*_Packages.*)
if [ ${#lists[@]} = 0 ] || [ ! -x $helper ] || ! command -v perl >/dev/null; then
    echo "skipped: this machine has no apt package lists (apt-get update makes them)"
    case ",${CORM_REQUIRE:-}," in *,apt,*) exit 1 ;; esac
    exit 77
fi

$helper cat-file "${lists[@]}" >packages
perl "$here/apt_records" jsonl "${1:-0}" <packages >in.jsonl
perl "$here/apt_records" csv "${1:-0}" <packages >in.csv
records=$(wc -l <in.jsonl)
echo "$records records"

columns="package text, version text, depends list<text>, description text, homepage text,
    installed_size bigint, maintainer text, priority text, section text, sha256 blob, tags set<text>,
    PRIMARY KEY (package, version)"
"$CORM" shell corm:./store -e "
    CREATE KEYSPACE apt WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    CREATE TABLE apt.lines ($columns);
    CREATE TABLE apt.fields ($columns);
    CREATE TABLE apt.again ($columns);
    CREATE INDEX by_tag ON apt.lines (tags);"

"$CORM" import corm:./store apt.lines in.jsonl
"$CORM" import corm:./store apt.fields in.csv
LC_ALL=C sort in.jsonl >wanted

same() {
    "$CORM" export corm:./store "apt.$1" "$1.jsonl"
    LC_ALL=C sort "$1.jsonl" | cmp - wanted || { echo "apt.$1 is not what went in" && exit 1; }
}
same lines
same fields
"$CORM" export corm:./store apt.lines again.csv
"$CORM" import corm:./store apt.again again.csv
same again

expect() {
    local got
    got=$("$CORM" shell corm:./store --json -e "$1")
    [ "$got" = "$2" ] || { printf '%s\n  gives %s\n  not   %s\n' "$1" "$got" "$2" && exit 1; }
}
expect "SELECT count(*) FROM apt.lines" "{\"count\": $records}"
with_tag=$(grep -c '"implemented-in::c"' in.jsonl) || true
expect "SELECT count(*) FROM apt.lines WHERE tags CONTAINS 'implemented-in::c'" "{\"count\": $with_tag}"
line=$(sed -n 1000p in.jsonl)
read -r package version < <(sed 's/^{"package": "\([^"]*\)", "version": "\([^"]*\)".*/\1 \2/' <<<"$line")
expect "SELECT * FROM apt.lines WHERE package = '$package' AND version = '$version'" "$line"
