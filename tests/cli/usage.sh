# The command line: help, versions, mistakes.
run() {
    "$CORM" "$@"
    echo "exit $?"
}
run help
run help import
run export --help
run
run shel
run shell
run shell corm::memory: --jason
run shell nowhere
run shell corm:./none --must-exist -e "SELECT 1"
run import corm:./none a.b c.csv
run init
run init 1st
