# corm serve: its URI, clients, what it refuses, its end.
mkfifo uri
"$CORM" serve folder --port -1 >uri &
server=$!
read -r URI <uri
echo "$URI" | sed 's/:[0-9]*$/:PORT/'
"$CORM" shell "$URI" -e "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
    CREATE TABLE k.t (a int PRIMARY KEY, b text); INSERT INTO k.t (a, b) VALUES (1, 'x'); SELECT * FROM k.t"
"$CORM" shell corm:folder -e "SELECT * FROM k.t"
kill -TERM $server
wait $server
echo "exit $?"

run() {
    "$CORM" serve "$@"
    echo "exit $?"
}
run missing --must-exist
run corm::memory: --listen 0.0.0.0
run corm::memory: --listen example
run corm::memory: --port 70000
run corm::memory: --users missing
echo '# nobody' >users
run corm::memory: --users users
echo 'ada' >users
run corm::memory: --users users
run cassandra://

printf 'ada:se:cret\n# a comment\n\nbob:\r\n' >users
"$CORM" serve corm::memory: -p -1 --users users >uri &
server=$!
read -r URI <uri
"$CORM" shell "${URI/127/ada:se%3Acret@127}" -e "SELECT key FROM system.local"
"$CORM" shell "${URI/127/bob:@127}" -e "SELECT key FROM system.local"
"$CORM" shell "${URI/127/ada:wrong@127}" -e "SELECT key FROM system.local" 2>&1 | grep -o 'Provided username.*incorrect'
kill -INT $server
wait $server
echo "exit $?"

run corm::memory: --tls-key key
run corm::memory: --tls-cert missing
echo 'max_fun 7' >limits
run corm::memory: --limits limits
echo 'max_requests -7' >limits
run corm::memory: --limits limits
