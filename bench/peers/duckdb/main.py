# SPDX-License-Identifier: MIT
"""The db-benchmark's group-by questions by DuckDB: main.py FILE CSV, then lines "ask N" or "check N ANSWERS" on the standard input,
each answered by a line of JSON. FILE is DuckDB's own, made from the CSV when it is not there."""
import json
import os
import resource
import sys
import time

import duckdb

QUESTIONS = {
    1: ("SELECT id1, sum(v1) AS v1 FROM x GROUP BY id1", ["id1"], ["v1"]),
    2: ("SELECT id1, id2, sum(v1) AS v1 FROM x GROUP BY id1, id2", ["id1", "id2"], ["v1"]),
    3: ("SELECT id3, sum(v1) AS v1, avg(v3) AS v3 FROM x GROUP BY id3", ["id3"], ["v1", "v3"]),
    4: ("SELECT id4, avg(v1) AS v1, avg(v2) AS v2, avg(v3) AS v3 FROM x GROUP BY id4", ["id4"], ["v1", "v2", "v3"]),
    5: ("SELECT id6, sum(v1) AS v1, sum(v2) AS v2, sum(v3) AS v3 FROM x GROUP BY id6", ["id6"], ["v1", "v2", "v3"]),
    6: ("SELECT id4, id5, quantile_cont(v3, 0.5) AS median_v3, stddev(v3) AS sd_v3 FROM x GROUP BY id4, id5",
        ["id4", "id5"], ["median_v3", "sd_v3"]),
    7: ("SELECT id3, max(v1) - min(v2) AS range_v1_v2 FROM x GROUP BY id3", ["id3"], ["range_v1_v2"]),
    8: ("SELECT id6, unnest(max(v3, 2)) AS largest2_v3 FROM x GROUP BY id6", ["id6"], ["largest2_v3"]),
    9: ("SELECT id2, id4, pow(corr(v1, v2), 2) AS r2 FROM x GROUP BY id2, id4", ["id2", "id4"], ["r2"]),
    10: ("SELECT id1, id2, id3, id4, id5, id6, sum(v3) AS v3, count(*) AS count FROM x "
         "GROUP BY id1, id2, id3, id4, id5, id6", ["id1", "id2", "id3", "id4", "id5", "id6"], ["v3", "count"]),
}


def connect(path, csv):
    made = os.path.exists(path)
    connection = duckdb.connect(path)
    if not made:
        connection.execute("CREATE TABLE x (id1 VARCHAR, id2 VARCHAR, id3 VARCHAR, id4 INT, id5 INT, id6 INT, v1 INT, "
                           "v2 INT, v3 DOUBLE)")
        connection.execute(f"COPY x FROM '{csv}' (HEADER false)")
    return connection


def ask(connection, number):
    wall, cpu = time.monotonic(), time.process_time()
    connection.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {QUESTIONS[number][0]}")
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    rows = connection.execute("SELECT count(*) FROM answer").fetchone()[0]
    return {"wall_s": wall, "cpu_s": cpu, "rows": rows,
            "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def check(connection, number, path):
    """Every group of one is in the other, with the same values but for rounding."""
    query, keys, values = QUESTIONS[number]
    ordered = " ".join(f", row_number() OVER (PARTITION BY id6 ORDER BY {values[0]}) AS place" for _ in range(number == 8))
    columns = ", ".join([f"'{key}': '{'INT' if key in ('id4', 'id5', 'id6') else 'VARCHAR'}'" for key in keys] +
                        [f"'{value}': 'DOUBLE'" for value in values])
    connection.execute(f"CREATE OR REPLACE TEMP TABLE theirs AS SELECT *{ordered} FROM "
                       f"read_csv('{path}', header = false, columns = {{{columns}}})")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE ours AS SELECT *{ordered} FROM ({query})")
    using = ", ".join(keys + ["place"] * (number == 8))
    differ = " OR ".join(f"(a.{v} IS NULL) <> (b.{v} IS NULL) OR abs(a.{v} - b.{v}) > 1e-9 * greatest(abs(a.{v}), 1)"
                         for v in values)
    wrong = connection.execute(f"SELECT count(*) FROM ours a FULL JOIN theirs b USING ({using}) WHERE {differ} "
                               f"OR a.{values[0]} IS NULL OR b.{values[0]} IS NULL").fetchone()[0]
    counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("ours", "theirs")]
    return {"same": wrong == 0 and counts[0] == counts[1], "differ": wrong, "rows": counts}


def main():
    connection = connect(sys.argv[1], sys.argv[2])
    print(json.dumps({"version": duckdb.__version__, "mb": os.path.getsize(sys.argv[1]) / 1e6}), flush=True)
    for line in sys.stdin:
        words = line.split()
        answer = ask(connection, int(words[1])) if words[0] == "ask" else check(connection, int(words[1]), words[2])
        print(json.dumps(answer), flush=True)


main()
