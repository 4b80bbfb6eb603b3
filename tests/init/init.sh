#!/usr/bin/env bash
# A project made by `corm init` builds and runs against an installation in a folder of its own, and refuses to be made twice.
set -euo pipefail
build=${CORM_BINARY_DIR:?}
cmake --install "$build" --prefix "$PWD/prefix" >/dev/null
corm=$PWD/prefix/bin/corm

"$corm" init my-notes
if "$corm" init my-notes; then echo "an existing folder was taken" && exit 1; fi
cd my-notes
# As in a shell of its own, also when `make test` runs this.
unset PKG_CONFIG_PATH MAKEFLAGS MAKELEVEL MFLAGS
make run >made
grep -q 'Hello from my-notes' made
./my-notes 'Buy bread' >added
grep -q 'Buy bread' added
rows=$("$corm" shell corm:./data -k my_notes --json -e 'SELECT count(*) FROM notes' 2>/dev/null)
[ "$rows" = '{"count": 2}' ]
