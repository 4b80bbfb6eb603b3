// SPDX-License-Identifier: MIT
/* rules.c -- the table of rules, with their own sentences. tools/gen-lint writes docs/lint.md from it, rules_test.c runs the
 * examples. An id, once given, stays: people have it in their files. */
#include "cli/lint/lint.h"

/* What the examples stand on. */
const char lint__example_schema[] =
    "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', "
    "'datacenter1': 3};\n"
    "USE shop;\n"
    "CREATE TABLE users (id uuid PRIMARY KEY, name text, email text, age int,\n"
    "  is_admin boolean, tags set<text>, notes list<text>, prefs map<text, text>);\n"
    "CREATE TABLE users_by_email (email text PRIMARY KEY, id uuid);\n"
    "CREATE TABLE orders (customer uuid, id timeuuid, status text, total decimal,\n"
    "  PRIMARY KEY (customer, id));\n"
    "CREATE TABLE visits (page text, n int, total int, PRIMARY KEY (page, n));\n"
    "CREATE TABLE hits (page text PRIMARY KEY, n counter);\n";

static const lint_rule rules[] = {
    {
        .id = "allow-filtering",
        .severity = CHECK_WARNING,
        .look = lint__allow_filtering,
        .title = "ALLOW FILTERING that throws rows away",
        .reason = "The server reads every row of the partition or the table and "
                  "keeps a few. What is quick on a hundred rows times out on a "
                  "million.",
        .better = "Make a table (or an index) whose key answers the question, and "
                  "write to both.",
        .bad = "SELECT id FROM users WHERE age = 30 ALLOW FILTERING;",
        .good = "SELECT id FROM users WHERE id = ?;",
    },
    {
        .id = "needless-allow-filtering",
        .severity = CHECK_INFO,
        .look = lint__needless_allow_filtering,
        .title = "ALLOW FILTERING where nothing is filtered",
        .reason = "It hides from readers that the statement is a cheap one, and lets "
                  "it become an expensive one unseen when a condition is added.",
        .better = "Leave ALLOW FILTERING out.",
        .bad = "SELECT name FROM users WHERE id = ? ALLOW FILTERING;",
        .good = "SELECT name FROM users WHERE id = ?;",
    },
    {
        .id = "full-scan",
        .severity = CHECK_WARNING,
        .look = lint__full_scan,
        .title = "a SELECT without the partition key",
        .reason = "Every node reads all it has of the table. It works in tests and "
                  "gets slower with each row.",
        .better = "Give the partition key; for work on all rows read ranges of "
                  "token(key), as corm_scan and corm export do.",
        .bad = "SELECT id, name FROM users;",
        .good = "SELECT id, name FROM users WHERE token(id) > ? AND token(id) <= ?;",
    },
    {
        .id = "aggregate-scan",
        .severity = CHECK_WARNING,
        .look = lint__aggregate_scan,
        .title = "an aggregate without the partition key",
        .reason = "count(*) and its like read every row of the table to give one "
                  "number, and time out when the table has grown.",
        .better = "Aggregate within a partition; keep totals in a counter or a row "
                  "of their own.",
        .bad = "SELECT count(*) FROM orders;",
        .good = "SELECT count(*) FROM orders WHERE customer = ?;",
    },
    {
        .id = "select-star",
        .severity = CHECK_INFO,
        .look = lint__select_star,
        .title = "SELECT *",
        .reason = "Columns that are added later are read too, and come in another "
                  "order than the program may expect.",
        .better = "Name the columns that are used.",
        .bad = "SELECT * FROM users WHERE id = ?;",
        .good = "SELECT id, name FROM users WHERE id = ?;",
    },
    {
        .id = "partition-in",
        .severity = CHECK_WARNING,
        .look = lint__partition_in,
        .title = "IN on the partition key",
        .reason = "One coordinator asks for all partitions and holds all answers; "
                  "the slowest replica decides, and one that fails fails all.",
        .better = "Ask for each partition with a statement of its own, at the same "
                  "time: each goes to its own replica.",
        .bad = "SELECT name FROM users WHERE id IN ?;",
        .good = "SELECT total FROM orders WHERE customer = ? AND id IN ?;",
    },
    {
        .id = "large-in",
        .severity = CHECK_WARNING,
        .look = lint__large_in,
        .title = "an IN with more than 20 values",
        .reason = "Each value is a read of its own for the coordinator. The server "
                  "may refuse long lists (in_select_cartesian_product).",
        .better = "Ask in several statements, or for a range of clustering columns.",
        .bad = "SELECT total FROM visits WHERE page = ? AND n IN (1, 2, 3, 4, 5, "
               "6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21);",
        .good = "SELECT total FROM visits WHERE page = ? AND n IN (1, 2, 3);",
    },
    {
        .id = "large-limit",
        .severity = CHECK_INFO,
        .look = lint__large_limit,
        .title = "a LIMIT above 10000",
        .reason = "The rows come in pages anyway; a large LIMIT says that the "
                  "program wants to hold them all.",
        .better = "Read page by page and stop when there is enough, or ask for less.",
        .bad = "SELECT id FROM orders WHERE customer = ? LIMIT 100000;",
        .good = "SELECT id FROM orders WHERE customer = ? LIMIT 100;",
    },
    {
        .id = "slice-without-limit",
        .severity = CHECK_INFO,
        .look = lint__slice_without_limit,
        .title = "a range with one open end and without LIMIT",
        .reason = "How many rows there are depends on how long the partition has "
                  "been written to.",
        .better = "Say LIMIT, or close the range.",
        .bad = "SELECT total FROM orders WHERE customer = ? AND id > ?;",
        .good = "SELECT total FROM orders WHERE customer = ? AND id > ? LIMIT 50;",
    },
    {
        .id = "order-without-limit",
        .severity = CHECK_INFO,
        .look = lint__order_without_limit,
        .title = "ORDER BY without LIMIT",
        .reason = "Ordered reads are mostly for the first few rows; without LIMIT "
                  "the whole partition is read, backwards perhaps, which is slower.",
        .better = "Say LIMIT; make the order that is asked for most the CLUSTERING "
                  "ORDER of the table.",
        .bad = "SELECT total FROM orders WHERE customer = ? ORDER BY id DESC;",
        .good = "SELECT total FROM orders WHERE customer = ? ORDER BY id DESC "
                "LIMIT 10;",
    },
    {
        .id = "token-order",
        .severity = CHECK_WARNING,
        .look = lint__token_order,
        .title = "a scan by token() that does not go forwards",
        .reason = "Rows come by rising token. With an upper bound alone and a LIMIT "
                  "the same first rows come again and again.",
        .better = "Go on from the last row: token(key) > token(?), or use paging.",
        .bad = "SELECT id FROM users WHERE token(id) < ? LIMIT 100;",
        .good = "SELECT id FROM users WHERE token(id) > ? LIMIT 100;",
    },
    {
        .id = "null-write",
        .severity = CHECK_WARNING,
        .look = lint__null_write,
        .title = "null in INSERT",
        .reason = "Null deletes: it writes a tombstone, which is kept for "
                  "gc_grace_seconds and read over with the row, even where nothing "
                  "was before.",
        .better = "Leave the column out, or bind an unset value (CORM_UNSET; in "
                  "models and generated code a member that holds nothing).",
        .bad = "INSERT INTO users (id, name, email) VALUES (?, ?, null);",
        .good = "INSERT INTO users (id, name) VALUES (?, ?);",
    },
    {
        .id = "json-nulls",
        .severity = CHECK_WARNING,
        .look = lint__json_nulls,
        .title = "INSERT JSON without DEFAULT UNSET",
        .reason = "Columns that the JSON does not name are set to null: a tombstone "
                  "each, and values that were there are gone.",
        .better = "Say DEFAULT UNSET.",
        .bad = "INSERT INTO users JSON ?;",
        .good = "INSERT INTO users JSON ? DEFAULT UNSET;",
    },
    {
        .id = "list-append",
        .severity = CHECK_WARNING,
        .look = lint__list_append,
        .title = "appending or prepending to a list",
        .reason = "It is not idempotent: when the answer is lost and the statement "
                  "is sent again, the items are there twice.",
        .better = "Use a set, a map with a timeuuid as key, or rows with a "
                  "clustering column.",
        .bad = "UPDATE users SET notes = notes + ['hello'] WHERE id = ?;",
        .good = "UPDATE users SET tags = tags + {'new'} WHERE id = ?;",
    },
    {
        .id = "list-element",
        .severity = CHECK_WARNING,
        .look = lint__list_element,
        .title = "a list element changed or removed by position or value",
        .reason = "The node reads the list before it can write, and what stands at a "
                  "position may have changed in between.",
        .better = "Use a map or a set, or write the whole list.",
        .bad = "UPDATE users SET notes[0] = 'x' WHERE id = ?;",
        .good = "UPDATE users SET prefs['theme'] = 'dark' WHERE id = ?;",
    },
    {
        .id = "counter-retry",
        .severity = CHECK_INFO,
        .look = lint__counter_retry,
        .title = "a counter that is changed",
        .reason = "Adding is not idempotent: after a timeout nobody knows whether it "
                  "counted, and a retry may count twice. Corm does not retry it by "
                  "itself.",
        .better = "Accept that counters are close but not exact; for money and stock "
                  "write rows and sum them up.",
        .bad = "UPDATE hits SET n = n + 1 WHERE page = ?;",
        .good = "UPDATE users SET age = 31 WHERE id = ?;",
    },
    {
        .id = "counter-delete",
        .severity = CHECK_WARNING,
        .look = lint__counter_delete,
        .title = "DELETE of a counter",
        .reason = "A counter that was deleted cannot be used again: what is added "
                  "afterwards may be lost without an error.",
        .better = "Never delete what counts again; use another key (a day, an epoch) "
                  "instead.",
        .bad = "DELETE FROM hits WHERE page = ?;",
        .good = "DELETE FROM users WHERE id = ?;",
    },
    {
        .id = "needless-if-exists",
        .severity = CHECK_INFO,
        .look = lint__needless_if_exists,
        .title = "DELETE with IF EXISTS",
        .reason = "It makes a lightweight transaction (four round trips) of what "
                  "needs none: deleting what does not exist is no error.",
        .better = "Leave IF EXISTS out, unless the answer is needed.",
        .bad = "DELETE FROM users WHERE id = ? IF EXISTS;",
        .good = "DELETE FROM users WHERE id = ?;",
    },
    {
        .id = "mixed-lwt",
        .severity = CHECK_WARNING,
        .look = lint__mixed_lwt,
        .title = "a table written with and without conditions",
        .reason = "A plain write goes by the clock of its coordinator, a conditional "
                  "one by the Paxos ballot: a plain write may be lost to one that "
                  "came before it, and conditions may not see it.",
        .better = "Write the columns that conditions are about only with conditions.",
        .bad = "UPDATE users SET name = ? WHERE id = ? IF name = ?;\n"
               "UPDATE users SET name = ? WHERE id = ?;",
        .good = "UPDATE users SET name = ? WHERE id = ? IF name = ?;\n"
                "UPDATE users SET age = ? WHERE id = ? IF EXISTS;",
    },
    {
        .id = "timestamp-beside-lwt",
        .severity = CHECK_WARNING,
        .look = lint__timestamp_beside_lwt,
        .title = "USING TIMESTAMP on a table with conditional writes",
        .reason = "A timestamp that is ahead of the Paxos ballots hides every "
                  "conditional write until the clocks have caught up.",
        .better = "Let the server give the timestamps of such tables.",
        .bad = "INSERT INTO users (id, name) VALUES (?, ?) IF NOT EXISTS;\n"
               "UPDATE users USING TIMESTAMP ? SET age = ? WHERE id = ?;",
        .good = "INSERT INTO orders (customer, id) VALUES (?, ?) IF NOT EXISTS;\n"
                "UPDATE users USING TIMESTAMP ? SET age = ? WHERE id = ?;",
    },
    {
        .id = "timestamp-unit",
        .severity = CHECK_WARNING,
        .look = lint__timestamp_unit,
        .title = "a timestamp that looks like seconds or milliseconds",
        .reason = "USING TIMESTAMP counts microseconds. A time in another unit is in "
                  "the early 1970s, and loses to everything that is there.",
        .better = "Multiply to microseconds, or leave the timestamp to the server.",
        .bad = "UPDATE users USING TIMESTAMP 1767225600000 SET age = 3 WHERE id = "
               "?;",
        .good = "UPDATE users USING TIMESTAMP 1767225600000000 SET age = 3 WHERE "
                "id = ?;",
    },
    {
        .id = "nondeterministic",
        .severity = CHECK_WARNING,
        .look = lint__nondeterministic,
        .title = "now() or uuid() in a batch or a lightweight transaction",
        .reason = "Each call gives a value of its own, in a batch another one for "
                  "each statement, and another one when the statement is retried.",
        .better = "Make the value in the program and bind it.",
        .bad = "INSERT INTO users (id, name) VALUES (uuid(), ?) IF NOT EXISTS;",
        .good = "INSERT INTO users (id, name) VALUES (uuid(), ?);",
    },
    {
        .id = "queue",
        .severity = CHECK_WARNING,
        .look = lint__queue,
        .title = "a partition used as a queue",
        .reason = "Reading from the head walks over the tombstones of all that was "
                  "taken out before: slower with every message, until the server "
                  "refuses (tombstone_failure_threshold).",
        .better = "Remember the last clustering key that was done and read from "
                  "there; give the partition a time bucket and drop whole ones.",
        .bad = "SELECT id FROM orders WHERE customer = ? LIMIT 1;\n"
               "DELETE FROM orders WHERE customer = ? AND id = ?;",
        .good = "SELECT id FROM orders WHERE customer = ? AND id > ? LIMIT 1;\n"
                "DELETE FROM orders WHERE customer = ? AND id = ?;",
    },
    {
        .id = "range-deletion",
        .severity = CHECK_INFO,
        .look = lint__range_deletion,
        .title = "DELETE of a range of rows",
        .reason = "A range tombstone is compared with every row that is read beside "
                  "it until gc_grace_seconds have passed.",
        .better = "Let rows expire (TTL) or delete whole partitions.",
        .bad = "DELETE FROM orders WHERE customer = ? AND id < ?;",
        .good = "DELETE FROM orders WHERE customer = ?;",
    },
    {
        .id = "logged-batch-partitions",
        .severity = CHECK_WARNING,
        .look = lint__logged_batch_partitions,
        .title = "a logged batch over several partitions of a table",
        .reason = "The batch log is written to two more nodes and the coordinator "
                  "waits for all partitions: several times the cost of the "
                  "statements alone. It is no way to load data.",
        .better = "Send the statements by themselves, at the same time. A logged "
                  "batch is for rows that must agree in several tables.",
        .bad = "BEGIN BATCH\n"
               "  INSERT INTO users (id, name) VALUES (?, 'a');\n"
               "  INSERT INTO users (id, name) VALUES (?, 'b');\n"
               "APPLY BATCH;",
        .good = "BEGIN BATCH\n"
                "  INSERT INTO users (id, email) VALUES (:id, :email);\n"
                "  INSERT INTO users_by_email (email, id) VALUES (:email, :id);\n"
                "APPLY BATCH;",
    },
    {
        .id = "unlogged-batch-partitions",
        .severity = CHECK_WARNING,
        .look = lint__unlogged_batch_partitions,
        .title = "an unlogged batch over several partitions",
        .reason = "One coordinator forwards everything, and nothing is all-or-none: "
                  "slower than the statements by themselves, and no safer.",
        .better = "Send the statements by themselves; a batch of one partition is "
                  "one write.",
        .bad = "BEGIN UNLOGGED BATCH\n"
               "  INSERT INTO users (id, name) VALUES (?, 'a');\n"
               "  INSERT INTO users (id, name) VALUES (?, 'b');\n"
               "APPLY BATCH;",
        .good = "BEGIN UNLOGGED BATCH\n"
                "  INSERT INTO orders (customer, id, status) VALUES (?, ?, 'new');\n"
                "  INSERT INTO orders (customer, id, status) VALUES (?, ?, 'new');\n"
                "APPLY BATCH;",
    },
    {
        .id = "single-batch",
        .severity = CHECK_INFO,
        .look = lint__single_batch,
        .title = "a batch of one statement",
        .reason = "It costs the batch log and gives nothing: one statement is "
                  "all-or-none by itself.",
        .better = "Execute the statement.",
        .bad = "BEGIN BATCH\n"
               "  DELETE FROM users WHERE id = ?;\n"
               "APPLY BATCH;",
        .good = "DELETE FROM users WHERE id = ?;",
    },
    {
        .id = "large-batch",
        .severity = CHECK_WARNING,
        .look = lint__large_batch,
        .title = "a batch of more than 30 statements",
        .reason = "The server warns at 5 KiB and refuses at 50 KiB "
                  "(batch_size_fail_threshold); one coordinator holds it all.",
        .better = "Send smaller batches, one a partition, or the statements by "
                  "themselves.",
        .bad = "BEGIN BATCH\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 0);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 1);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 2);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 3);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 4);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 5);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 6);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 7);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 8);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 9);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 10);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 11);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 12);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 13);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 14);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 15);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 16);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 17);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 18);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 19);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 20);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 21);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 22);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 23);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 24);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 25);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 26);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 27);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 28);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 29);\n"
               "  INSERT INTO visits (page, n) VALUES ('p', 30);\n"
               "APPLY BATCH;",
        .good = "BEGIN BATCH\n"
                "  INSERT INTO visits (page, n) VALUES ('p', 1);\n"
                "  INSERT INTO visits (page, n) VALUES ('p', 2);\n"
                "APPLY BATCH;",
    },
    {
        .id = "unbounded-partition",
        .severity = CHECK_WARNING,
        .look = lint__unbounded_partition,
        .title = "a time series without a bucket in its partition key",
        .reason = "A guess: the first clustering column is a time, no part of the "
                  "partition key cuts time into pieces, and rows do not expire. Such "
                  "a partition grows for ever; beyond 100 MB reads, repairs and "
                  "compactions suffer.",
        .better = "Put a day, a month or a shard number into the partition key, or "
                  "let rows expire.",
        .bad = "CREATE TABLE IF NOT EXISTS readings (sensor uuid, at timestamp, "
               "value double, PRIMARY KEY (sensor, at));",
        .good = "CREATE TABLE IF NOT EXISTS readings (sensor uuid, day date, at "
                "timestamp, value double, PRIMARY KEY ((sensor, day), at));",
    },
    {
        .id = "time-partition",
        .severity = CHECK_WARNING,
        .look = lint__time_partition,
        .title = "a time alone as the partition key",
        .reason = "All that is written now goes to one partition (a date), or no "
                  "range of times can be read again (a timestamp: a partition for "
                  "each millisecond).",
        .better = "Put something else before the time in the partition key, and the "
                  "exact time into the clustering key.",
        .bad = "CREATE TABLE IF NOT EXISTS events (at timestamp PRIMARY KEY, what "
               "text);",
        .good = "CREATE TABLE IF NOT EXISTS events (source text, day date, at "
                "timestamp, what text, PRIMARY KEY ((source, day), at));",
    },
    {
        .id = "few-partitions",
        .severity = CHECK_WARNING,
        .look = lint__few_partitions,
        .title = "a partition key with few different values",
        .reason = "A guess by type and name. Few partitions hold the whole table: "
                  "each is large, and a few nodes do all the work.",
        .better = "Add a column with many values to the partition key.",
        .bad = "CREATE TABLE IF NOT EXISTS tasks (status text, id uuid, PRIMARY "
               "KEY (status, id));",
        .good = "CREATE TABLE IF NOT EXISTS tasks (owner uuid, status text, id "
                "uuid, PRIMARY KEY ((owner, status), id));",
    },
    {
        .id = "open-collection",
        .severity = CHECK_INFO,
        .look = lint__open_collection,
        .title = "a set or map that is not frozen",
        .reason = "It is read as a whole, always, and nothing keeps it from growing; "
                  "replacing it writes a tombstone first.",
        .better = "Freeze it when it is written as a whole; make rows with a "
                  "clustering column of it when it may grow beyond some hundreds.",
        .bad = "CREATE TABLE IF NOT EXISTS posts (id uuid PRIMARY KEY, labels "
               "set<text>);",
        .good = "CREATE TABLE IF NOT EXISTS posts (id uuid PRIMARY KEY, labels "
                "frozen<set<text>>);",
    },
    {
        .id = "list-column",
        .severity = CHECK_WARNING,
        .look = lint__list_column,
        .title = "a list that is not frozen",
        .reason = "Appending is not idempotent, and changing or removing an element "
                  "reads before it writes.",
        .better = "Use a set, a map, a frozen list, or rows with a clustering column.",
        .bad = "CREATE TABLE IF NOT EXISTS posts (id uuid PRIMARY KEY, lines "
               "list<text>);",
        .good = "CREATE TABLE IF NOT EXISTS posts (id uuid PRIMARY KEY, lines "
                "frozen<list<text>>);",
    },
    {
        .id = "ttl-tombstones",
        .severity = CHECK_WARNING,
        .look = lint__ttl_tombstones,
        .title = "rows that expire sooner than what is left of them",
        .reason = "An expired row becomes a tombstone that is kept for "
                  "gc_grace_seconds: most of such a table is tombstones.",
        .better = "Use TimeWindowCompactionStrategy, which drops whole files, and "
                  "lower gc_grace_seconds when nothing is deleted by hand.",
        .bad = "CREATE TABLE IF NOT EXISTS sessions (id uuid PRIMARY KEY, data "
               "text) WITH default_time_to_live = 3600;",
        .good = "CREATE TABLE IF NOT EXISTS sessions (id uuid PRIMARY KEY, data "
                "text) WITH default_time_to_live = 3600\n"
                "  AND compaction = {'class': 'TimeWindowCompactionStrategy', "
                "'compaction_window_size': 1};",
    },
    {
        .id = "compact-storage",
        .severity = CHECK_WARNING,
        .look = lint__compact_storage,
        .title = "COMPACT STORAGE",
        .reason = "It is for tables of the Thrift days: no column can be added, and "
                  "4.0 and later want it dropped.",
        .better = "Leave it out.",
        .bad = "CREATE TABLE IF NOT EXISTS kv (k text PRIMARY KEY, v text) WITH "
               "COMPACT STORAGE;",
        .good = "CREATE TABLE IF NOT EXISTS kv (k text PRIMARY KEY, v text);",
    },
    {
        .id = "uuid-as-text",
        .severity = CHECK_INFO,
        .look = lint__uuid_as_text,
        .title = "a uuid kept as text",
        .reason = "A guess by the name. 36 bytes instead of 16, any text is taken, "
                  "and upper and lower case are different keys.",
        .better = "Use uuid or timeuuid.",
        .bad = "CREATE TABLE IF NOT EXISTS devices (device_uuid text PRIMARY KEY);",
        .good = "CREATE TABLE IF NOT EXISTS devices (device_uuid uuid PRIMARY KEY);",
    },
    {
        .id = "quoted-name",
        .severity = CHECK_INFO,
        .look = lint__quoted_name,
        .title = "a name with capital letters",
        .reason = "It must be written in double quotes everywhere: without them CQL "
                  "folds it to lower case and finds nothing.",
        .better = "Use lower case and underscores.",
        .bad = "CREATE TABLE IF NOT EXISTS pets (id uuid PRIMARY KEY, "
               "\"fullName\" text);",
        .good = "CREATE TABLE IF NOT EXISTS pets (id uuid PRIMARY KEY, fullName "
                "text);",
    },
    {
        .id = "ddl-if-not-exists",
        .severity = CHECK_INFO,
        .look = lint__ddl_if_not_exists,
        .title = "CREATE without IF NOT EXISTS",
        .reason = "The file fails at its first statement when it runs a second time, "
                  "and what stands behind is not done.",
        .better = "Say IF NOT EXISTS.",
        .bad = "CREATE TABLE pets (id uuid PRIMARY KEY);",
        .good = "CREATE TABLE IF NOT EXISTS pets (id uuid PRIMARY KEY);",
    },
    {
        .id = "destructive-ddl",
        .severity = CHECK_WARNING,
        .look = lint__destructive_ddl,
        .title = "DROP or TRUNCATE",
        .reason = "It takes data away, and programs that still run with the old "
                  "schema fail.",
        .better = "Take it out of the programs first; allow it here when that is "
                  "done.",
        .bad = "ALTER TABLE users DROP age;",
        .good = "ALTER TABLE users ADD height int;",
    },
    {
        .id = "simple-strategy",
        .severity = CHECK_INFO,
        .look = lint__simple_strategy,
        .title = "SimpleStrategy",
        .reason = "It places replicas without looking at racks and data centres: a "
                  "rack that fails may take all replicas of a row with it, and a "
                  "second data centre cannot be added.",
        .better = "Use NetworkTopologyStrategy, also with one data centre: {'class': "
                  "'NetworkTopologyStrategy', 'datacenter1': 3}.",
        .bad = "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': "
               "'SimpleStrategy', 'replication_factor': 3};",
        .good = "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': "
                "'NetworkTopologyStrategy', 'datacenter1': 3};",
    },
    {
        .id = "index-few-values",
        .severity = CHECK_WARNING,
        .look = lint__index_few_values,
        .title = "an index on a column with few different values",
        .reason = "A guess by type and name. Each value stands for a large part of "
                  "the table, so that a query by it is a scan on every node.",
        .better = "Make the column part of the key of a table of its own, together "
                  "with one of many values.",
        .bad = "CREATE INDEX IF NOT EXISTS ON users (is_admin);",
        .good = "CREATE INDEX IF NOT EXISTS ON users (age);",
    },
    {
        .id = "index-unique-values",
        .severity = CHECK_WARNING,
        .look = lint__index_unique_values,
        .title = "an old index on a column with a value for almost every row",
        .reason = "A guess by type and name. The index is kept on every node by "
                  "itself: a query asks all of them to find one row.",
        .better = "Make a table with the column as partition key (Corm: .unique in a "
                  "model); on Cassandra 5 an index USING 'sai' is the lesser evil.",
        .bad = "CREATE INDEX IF NOT EXISTS ON users (email);",
        .good = "CREATE INDEX IF NOT EXISTS ON users (email) USING 'sai';",
    },
    {
        .id = "legacy-index",
        .severity = CHECK_INFO,
        .look = lint__legacy_index,
        .title = "an index of the old kind on Cassandra 5",
        .reason = "Storage-attached indexes take less room, answer ranges and can be "
                  "combined; the old kind is a hidden table with tombstones of its "
                  "own.",
        .better = "Say USING 'sai'.",
        .bad = "CREATE INDEX IF NOT EXISTS ON users (age);",
        .good = "CREATE INDEX IF NOT EXISTS ON users (age) USING 'sai';",
    },
    {
        .id = "sasi-index",
        .severity = CHECK_WARNING,
        .look = lint__sasi_index,
        .title = "a SASI index",
        .reason = "SASI is experimental, off by default since 4.0, and known to give "
                  "wrong answers after repairs.",
        .better = "Say USING 'sai'.",
        .bad = "CREATE CUSTOM INDEX IF NOT EXISTS ON users (name) USING "
               "'org.apache.cassandra.index.sasi.SASIIndex';",
        .good = "CREATE CUSTOM INDEX IF NOT EXISTS ON users (name) USING "
                "'StorageAttachedIndex';",
    },
    {
        .id = "materialized-view",
        .severity = CHECK_WARNING,
        .look = lint__materialized_view,
        .title = "a materialized view",
        .reason = "On Cassandra views are experimental and off by default: they can "
                  "drift from their table without a way to tell, and each write "
                  "reads first. (Within Corm's own store a view changes in the same "
                  "transaction as its table.)",
        .better = "Write to two tables in a logged batch.",
        .bad = "CREATE MATERIALIZED VIEW IF NOT EXISTS users_by_age AS SELECT id, "
               "age FROM users\n"
               "  WHERE age IS NOT NULL AND id IS NOT NULL PRIMARY KEY (age, id);",
        .good = "CREATE TABLE IF NOT EXISTS users_by_age (age int, id uuid, "
                "PRIMARY KEY (age, id));",
    },
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

const lint_rule *lint__rules(uint32_t *count) {
    *count = RULE_COUNT;
    return rules;
}

const lint_rule *lint__rule(corm_str id) {
    for (uint32_t i = 0; i < RULE_COUNT; i++)
        if (corm_str_equal(id, corm_str_of(rules[i].id))) return &rules[i];
    return NULL;
}
