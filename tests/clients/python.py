#!/usr/bin/env python3
"""The Python driver against CORM_TEST_URI: each protocol version, every way of asking, values there and back.

Exit status 77 where the driver is not installed, unless CORM_REQUIRE names python-driver. CORM_PYTHONPATH may say where it is.
"""
import datetime
import decimal
import ipaddress
import os
import sys
import uuid

sys.path[:0] = filter(None, os.environ.get("CORM_PYTHONPATH", "").split(":"))
try:
    from cassandra import AlreadyExists, InvalidRequest, Unavailable
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
    from cassandra.policies import RoundRobinPolicy
    from cassandra.protocol import SyntaxException
    from cassandra.query import BatchStatement, ConsistencyLevel, SimpleStatement
    from cassandra.util import Date, Duration, Time
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(1 if "python-driver" in os.environ.get("CORM_REQUIRE", "").split() else 77)

PORT = int(os.environ["CORM_TEST_URI"].rsplit(":", 1)[1])
NOW = datetime.datetime(2024, 2, 29, 12, 30, 45, 678000)
VALUES = {
    "ascii": "abc", "bigint": -(2**63), "blob": b"\x00\xff", "boolean": True, "date": Date(NOW.date()),
    "decimal": decimal.Decimal("-123.4567890123456789"), "double": 1.5, "duration": Duration(1, 2, 3), "float": 0.25,
    "inet": "127.0.0.1", "int": 7, "smallint": -3, "text": "žluť", "time": Time(12345), "timestamp": NOW,
    "timeuuid": uuid.UUID("5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e"), "tinyint": 4, "uuid": uuid.UUID(int=5),
    "varint": 2**100, "list<int>": [1, 2], "set<text>": {"a", "b"}, "map<text, int>": {"k": 1}, "tuple<int, text>": (1, "x"),
    "frozen<list<int>>": [3],
}


def connect(version=None, **options):
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
    if version:
        options["protocol_version"] = version
    cluster = Cluster(["127.0.0.1"], port=PORT, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **options)
    return cluster, cluster.connect()


def fails(error, action):
    try:
        action()
    except error as caught:
        return caught
    raise AssertionError(f"no {error.__name__}")


def check_values(session):
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(VALUES))
    session.execute(f"CREATE TABLE v (k int PRIMARY KEY, {columns})")
    names = ", ".join(f"c{i}" for i in range(len(VALUES)))
    insert = session.prepare(f"INSERT INTO v (k, {names}) VALUES (?{', ?' * len(VALUES)})")
    session.execute(insert, (1, *VALUES.values()))
    for row in (session.execute("SELECT * FROM v").one(), session.execute(session.prepare("SELECT * FROM v WHERE k = ?"), (1,)).one()):
        for i, (kind, value) in enumerate(VALUES.items()):
            got = getattr(row, f"c{i}")
            assert got == value or str(got) == str(value) or set(got) == set(value), (kind, got, value)


def check_pages(session):
    session.execute("CREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c))")
    insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)")
    for future in [session.execute_async(insert, (1, i, str(i))) for i in range(300)]:
        future.result()
    rows = list(session.execute(SimpleStatement("SELECT c FROM p WHERE a = 1", fetch_size=50)))
    assert [row.c for row in rows] == list(range(300))
    batch = BatchStatement()
    batch.add(insert, (2, 1, "x"))
    batch.add("INSERT INTO p (a, c) VALUES (2, 2)")
    session.execute(batch)
    counted = session.execute("SELECT count(*) FROM p WHERE a = 2")
    assert counted.one().count == 2


def check_changes(session, cluster):
    star = session.prepare("SELECT * FROM p WHERE a = ? AND c = ?")
    assert len(session.execute(star, (1, 1)).one()) == 3
    session.execute("ALTER TABLE p ADD z int")
    assert len(session.execute(star, (1, 1)).one()) == 4
    cluster.refresh_table_metadata("python", "p")
    assert "z" in cluster.metadata.keyspaces["python"].tables["p"].columns
    assert not session.execute("INSERT INTO p (a, c) VALUES (1, 1) IF NOT EXISTS").one().applied
    assert session.execute("UPDATE p SET b = 'new' WHERE a = 1 AND c = 1 IF b = '1'").one().applied


def check_errors(session):
    fails(SyntaxException, lambda: session.execute("SELECT * FORM p"))
    fails(InvalidRequest, lambda: session.execute("SELECT * FROM missing"))
    exists = fails(AlreadyExists, lambda: session.execute("CREATE TABLE p (a int PRIMARY KEY)"))
    assert (exists.keyspace, exists.table) == ("python", "p")
    two = SimpleStatement("SELECT * FROM p", consistency_level=ConsistencyLevel.TWO)
    error = fails((Unavailable, NoHostAvailable), lambda: session.execute(two))
    if isinstance(error, Unavailable):
        assert (error.required_replicas, error.alive_replicas) == (2, 1)


def check(version, **options):
    cluster, session = connect(version, **options)
    session.execute("DROP KEYSPACE IF EXISTS python")
    session.execute("CREATE KEYSPACE python WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.set_keyspace("python")
    assert cluster.protocol_version == (version or 5)
    check_values(session)
    check_pages(session)
    check_changes(session, cluster)
    check_errors(session)
    warned = session.execute("SELECT count(*) FROM system.local").response_future.warnings
    assert version == 3 or not warned or "Aggregation" in warned[0]
    assert session.execute("SELECT * FROM p LIMIT 1", trace=True).one()
    session.execute("DROP KEYSPACE python")
    cluster.shutdown()


check(None)
for version in (3, 4, 5):
    check(version, compression=False)
check(4)
print("the Python driver is content")
