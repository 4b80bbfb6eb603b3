# The change feed on the command line: settings, changes as JSON, positions.
"$CORM" shell "corm:./shop" -e "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
CREATE TABLE shop.carts (id int, item text, count int, PRIMARY KEY (id, item)) WITH cdc = true;
CREATE TABLE shop.quiet (id int PRIMARY KEY);
INSERT INTO shop.quiet (id) VALUES (1);
INSERT INTO shop.carts (id, item, count) VALUES (1, 'pen', 2) USING TIMESTAMP 1000;
UPDATE shop.carts USING TIMESTAMP 2000 SET count = 3 WHERE id = 1 AND item = 'pen';
DELETE FROM shop.carts USING TIMESTAMP 3000 WHERE id = 1 AND item = 'pen';"
same() { sed -E 's/"position": "1-[0-9a-f]{8}-/"position": "1-x-/; s/"time": [0-9]+/"time": T/; s/("oldest"|"newest"): "1-[0-9a-f]{8}/\1: "1-x/g; s/"bytes": [0-9]+/"bytes": B/; s/("kind": "schema".*"timestamp": )[0-9]+/\1T/'; }
echo "-- all"
"$CORM" feed corm:./shop --from oldest --table shop.carts | same
echo "-- behind the second line"
position=$("$CORM" feed corm:./shop --limit 2 | sed -nE '2s/.*"position": "([^"]*)".*/\1/p')
"$CORM" feed corm:./shop --from "$position" | same
echo "-- now, and a time"
"$CORM" feed corm:./shop --from now
"$CORM" feed corm:./shop --from 2100-01-01T00:00:00Z
"$CORM" feed corm:./shop --from 2000-01-01T00:00:00Z --limit 1 | same
echo "-- settings"
"$CORM" feed corm:./shop --state | same
"$CORM" feed corm:./shop --all-tables --keep-seconds 60 --keep-bytes 100000 --state | same
"$CORM" shell corm:./shop -e "INSERT INTO shop.quiet (id) VALUES (2) USING TIMESTAMP 5;"
"$CORM" feed corm:./shop --table shop.quiet | same
echo "-- mistakes"
"$CORM" feed corm:./shop --from yesterday || echo "exit $?"
"$CORM" feed corm:./shop --all-tables --chosen-tables || echo "exit $?"
"$CORM" feed corm:./none || echo "exit $?"
