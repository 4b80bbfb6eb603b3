# What the shell itself understands.
"$CORM" shell corm::memory: <<'END'
HELP PAGING
expand
EXPAND on
\x
paging 10; paging off
CONSISTENCY
consistency quorum;
SERIAL CONSISTENCY LOCAL_SERIAL
SHOW VERSION
-- comments; are skipped
// of; every
/* kind;
   there; is */
BEGIN BATCH
  INSERT INTO k.t (a) VALUES (1);
APPLY BATCH;
SELECT 'not reached' FROM system.local;
END
echo "exit $?"
"$CORM" shell corm::memory: -e "EXIT; SELECT nonsense"
echo "exit $?"
printf "SELECT key FROM system.local" | "$CORM" shell corm::memory:
printf '\xef\xbb\xbfSELECT key FROM system.local' | "$CORM" shell corm::memory:
