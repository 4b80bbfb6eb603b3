# SPDX-License-Identifier: MIT
"""cqlsh, HOST PORT: statements and their tables, DESCRIBE in all forms, COPY both ways, SOURCE, pages, tracing, login."""

import csv
import os
import re
import subprocess
import sys
import tempfile

HOST, PORT = sys.argv[1:3]
CQLSH = os.path.join(os.path.dirname(sys.executable), "cqlsh")
KINDS = {
    "ascii": ("'abc'", "abc"), "bigint": ("-9223372036854775808", "-9223372036854775808"), "blob": ("0x00ff", "0x00ff"),
    "boolean": ("true", "True"), "date": ("'2024-02-29'", "2024-02-29"), "decimal": ("-123.456", "-123.456"), "double": ("1.5", "1.5"),
    "duration": ("1mo2d3s", "1mo2d3s"), "float": ("0.25", "0.25"), "inet": ("'::1'", "::1"), "int": ("7", "7"), "smallint": ("-3", "-3"),
    "text": ("'žluť'", "žluť"), "time": ("'10:20:30.000000001'", "10:20:30.000000001"),
    "timestamp": ("'2024-02-29T12:30:45.678Z'", "2024-02-29 12:30:45.678000+0000"),
    "timeuuid": ("5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e",) * 2, "tinyint": ("4", "4"), "uuid": ("550e8400-e29b-41d4-a716-446655440000",) * 2,
    "varint": ("1267650600228229401496703205376",) * 2, "list<int>": ("[1, 2]", "[1, 2]"), "set<text>": ("{'a', 'b'}", "{'a', 'b'}"),
    "map<text, int>": ("{'k': 1}", "{'k': 1}"), "tuple<int, text>": ("(1, 'x')", "(1, 'x')"), "frozen<list<int>>": ("[3]", "[3]"),
    "vector<float, 3>": ("[1, 2.5, -3]", "[1, 2.5, -3]"), "frozen<place>": ("{street: 'Main', number: 5}", "{street: 'Main', number: 5}"),
}


def cqlsh(text, *options, port=PORT, fails=False):
    """What it prints; a failure of it is one of the test unless it is expected."""
    with tempfile.NamedTemporaryFile("w", suffix=".cql", encoding="utf-8") as script:
        script.write(text)
        script.flush()
        done = subprocess.run([CQLSH, HOST, port, "--no-color", "--encoding", "utf-8", "--request-timeout", "60", "--connect-timeout", "60",
                               *options, "-f", script.name],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              env={**os.environ, "HOME": os.getcwd(), "TZ": "UTC", "PYTHONWARNINGS": "ignore"})
    assert (done.returncode != 0) == fails, (text, done.stdout, done.stderr)
    return done.stdout + (done.stderr if fails else "")


def holds(said, *parts):
    for part in parts:
        assert part in said, (part, said)


# cqlsh itself cannot read these from CSV.
NOT_COPIED = ("duration", "frozen<place>", "vector<float, 3>")


def check_values():
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(KINDS))
    names = ", ".join(f"c{i}" for i in range(len(KINDS)))
    values = ", ".join(literal for literal, _ in KINDS.values())
    said = cqlsh(f"CREATE TABLE sh.v (k int PRIMARY KEY, {columns});\nINSERT INTO sh.v (k, {names}) VALUES (1, {values});\n"
                 "INSERT INTO sh.v (k) VALUES (2);\nEXPAND ON;\nSELECT * FROM sh.v;\n")
    rows = re.findall(r"^ +c(\d+) +\| (.*)$", said, re.M)
    expected = {str(i): shown for i, (_, shown) in enumerate(KINDS.values())}
    assert dict(rows[: len(KINDS)]) == expected, (rows, expected)
    assert [value for _, value in rows[len(KINDS) :]] == ["null"] * len(KINDS), rows


def check_statements():
    said = cqlsh("USE sh;\nCREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c));\n"
                 + "".join(f"INSERT INTO p (a, c, b) VALUES (1, {i}, 'x{i}');\n" for i in range(30))
                 + "PAGING 7;\nSELECT c FROM p;\nBEGIN BATCH INSERT INTO p (a, c) VALUES (2, 1); INSERT INTO p (a, c) VALUES (2, 2); APPLY BATCH;\n"
                 "SELECT count(*) FROM p WHERE a = 2;\nINSERT INTO p (a, c) VALUES (2, 1) IF NOT EXISTS;\n"
                 "CONSISTENCY QUORUM;\nSELECT JSON * FROM p WHERE a = 1 AND c = 3;\nCREATE INDEX by_b ON p (b);\n")
    holds(said, "(30 rows)", "False", '{"a": 1, "c": 3, "b": "x3"}', "Consistency level set to QUORUM")
    holds(cqlsh("SELECT * FORM p;\n", fails=True), "SyntaxException")
    holds(cqlsh("SELECT * FROM sh.missing;\n", fails=True), "missing")


def check_describe():
    table = cqlsh("DESCRIBE TABLE sh.p;\n")
    holds(table, "CREATE TABLE sh.p (", "PRIMARY KEY (a, c)", "CREATE INDEX by_b ON sh.p (b);")
    holds(cqlsh("DESCRIBE KEYSPACES;\n"), "sh", "system_schema")
    holds(cqlsh("DESCRIBE KEYSPACE sh;\n"), "CREATE KEYSPACE sh", "CREATE TYPE sh.place", "CREATE TABLE sh.v")
    holds(cqlsh("USE sh; DESCRIBE TABLES;\n"), "p", "v")
    holds(cqlsh("USE sh; DESCRIBE TYPES;\nDESCRIBE TYPE place;\n"), "place", "street text")
    holds(cqlsh("DESCRIBE INDEX sh.by_b;\n"), "CREATE INDEX by_b")
    holds(cqlsh("DESCRIBE CLUSTER;\n"), "Partitioner", "Murmur3Partitioner")
    holds(cqlsh("DESCRIBE SCHEMA;\n"), "CREATE KEYSPACE sh")
    holds(cqlsh("DESCRIBE sh.p;\n"), "CREATE TABLE sh.p")
    holds(cqlsh("SHOW VERSION;\nSHOW HOST;\n"), "Cassandra 5.0", "Native protocol v5", f"{HOST}:{PORT}")


def check_copies():
    said = cqlsh("COPY sh.p TO 'rows.csv' WITH HEADER = true;\nCREATE TABLE sh.q (a int, c int, b text, PRIMARY KEY (a, c));\n"
                 "COPY sh.q FROM 'rows.csv' WITH HEADER = true;\nSELECT count(*) FROM sh.q;\n")
    holds(said, "32 rows exported to 1 files", "32 rows imported from 1 files")
    with open("rows.csv", encoding="utf-8", newline="") as rows:
        assert len(list(csv.reader(rows))) == 33
    kinds = {kind: shown for kind, (_, shown) in KINDS.items() if kind not in NOT_COPIED}
    names = ", ".join(["k"] + [f"c{i}" for i, kind in enumerate(KINDS) if kind in kinds])
    said = cqlsh(f"COPY sh.v ({names}) TO 'values.csv';\nTRUNCATE sh.v;\nCOPY sh.v ({names}) FROM 'values.csv';\n"
                 "EXPAND ON;\nSELECT * FROM sh.v WHERE k = 1;\n")
    holds(said, "2 rows imported", *(f"| {shown}\n" for shown in kinds.values()))


def check_source_and_tracing():
    with open("more.cql", "w", encoding="utf-8") as more:
        more.write("INSERT INTO sh.p (a, c, b) VALUES (9, 9, 'sourced');\n")
    said = cqlsh("SOURCE 'more.cql';\nSELECT b FROM sh.p WHERE a = 9;\nTRACING ON;\nSELECT b FROM sh.p WHERE a = 9;\n")
    holds(said, "sourced", "TRACING set to ON", "Tracing session: ")


def check_login():
    """A server of our own that asks for passwords."""
    with open("users", "w", encoding="utf-8") as users:
        users.write("ada:secret\nbob:other\n")
    server = subprocess.Popen([os.environ["CORM"], "serve", "corm::memory:", "--port", "-1", "--users", "users"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = server.stdout.readline().strip().rpartition(":")[2]
        holds(cqlsh("SELECT key FROM system.local;\n", "-u", "ada", "-p", "secret", port=port), "local")
        holds(cqlsh("SELECT key FROM system.local;\n", "-u", "ada", "-p", "wrong", port=port, fails=True), "AuthenticationFailed")
        holds(cqlsh("SELECT key FROM system.local;\n", port=port, fails=True), "requires authentication")
        holds(cqlsh("LOGIN bob 'other';\nSELECT key FROM system.local;\n", "-u", "ada", "-p", "secret", port=port), "local")
    finally:
        server.terminate()
        server.wait()


cqlsh("DROP KEYSPACE IF EXISTS sh;\nCREATE KEYSPACE sh WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};\n"
      "CREATE TYPE sh.place (street text, number int);\n")
check_values()
check_statements()
check_describe()
check_copies()
check_source_and_tracing()
check_login()
print("cqlsh is content")
