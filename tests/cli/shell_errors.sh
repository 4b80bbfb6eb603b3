# Errors: places, carets, several at once, the end of the run, --keep-going, exit codes.
run() {
    "$CORM" shell "$STORE" "$@"
    echo "exit $?"
}
run -e "SELECT * FORM t"
run -e "SELECT key FROM system.local; SELECT nope FROM system.local; SELECT key FROM system.local"
run --keep-going -e "SELECT nope FROM system.local; SELECT key FROM system.local"
printf 'SELECT key\n  FROM system.local;\n-- a comment\nSELECT key\n  FROM system.locale\n  WHERE key = 1;\n' >script.cql
run -f script.cql
printf 'SELECT key FROM system.local;  SELEC;' | run
run -f missing.cql
run -e "SOURCE 'script.cql'"
run -e "SOURCE 'missing.cql'"
run -e "SOURCE script"
run -e "TRACING ON"
run -e "CONSISTENCY SOME"
run -e "PAGING 0"
run -e "COPY t TO 'x'"
run --keyspace nope -e "SELECT 1"
run --read-only -e "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
