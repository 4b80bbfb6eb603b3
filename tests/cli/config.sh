# corm config: a configuration is checked with every mistake at its place, and shown without its secrets.
run() {
    "$CORM" config "$@" 2>&1
    echo "exit $?"
}
cat >good.json <<'JSON'
{
  "uri": "cassandra://me:hidden@h1,h2/shop",
  "session": { "page_size": 500 },
  "cluster": { "dc": "eu", "tls_key_password": "hidden" },
  "plugins": { "audit": { "library": "./audit_plugin.so", "config": { "token": "hidden" } } }
}
JSON
cat >bad.json <<'JSON'
{
  "session": { "page_size": "many", "pagesize": 7 },
  "cluser": { "dc": "eu" },
  "guard_rails": { "tables_warn_threshold": "x" }
}
JSON
echo '{ "session": ' >broken.json
run check good.json
run show good.json
CORM_SESSION_PAGE_SIZE=9 run show good.json --set 'db.migration=none;cluster.rack=r1'
CORM_SESSION_PAGE_SIZ=9 run check good.json
CORM_SESSION_PAGE_SIZ=9 run check good.json --no-environment
run check bad.json
run check broken.json
run check none.json
run show good.json --all | grep -c '^# '
run neither good.json
