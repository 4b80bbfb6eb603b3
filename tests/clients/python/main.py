# SPDX-License-Identifier: MIT
"""The Python driver, HOST PORT: each protocol version, with and without compression, every way of asking, values there and back, what
it learns of the schema, events. Its object mapper: engine.py."""

import datetime
import decimal
import sys
import threading
import uuid

from cassandra import AlreadyExists, InvalidRequest, Unavailable
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.policies import RoundRobinPolicy
from cassandra.protocol import SyntaxException
from cassandra.query import BatchStatement, BatchType, ConsistencyLevel, SimpleStatement, dict_factory
from cassandra.util import Date, Duration, OrderedMapSerializedKey, Time

import engine

HOST, PORT = sys.argv[1], int(sys.argv[2])
NOW = datetime.datetime(2024, 2, 29, 12, 30, 45, 678000)
VALUES = {
    "ascii": "abc", "bigint": -(2**63), "blob": b"\x00\xff", "boolean": True, "date": Date(NOW.date()),
    "decimal": decimal.Decimal("-123.4567890123456789"), "double": 1.5, "duration": Duration(1, 2, 3), "float": 0.25,
    "inet": "127.0.0.1", "int": 7, "smallint": -3, "text": "žluť", "time": Time(12345), "timestamp": NOW,
    "timeuuid": uuid.UUID("5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e"), "tinyint": 4, "uuid": uuid.UUID(int=5),
    "varint": 2**100, "list<int>": [1, 2], "set<text>": {"a", "b"}, "map<text, int>": {"k": 1}, "tuple<int, text>": (1, "x"),
    "frozen<list<int>>": [3], "map<int, frozen<map<text, int>>>": {1: {"a": 2}}, "vector<float, 3>": [1.0, 2.5, -3.0],
    "vector<text, 2>": ["a", "bc"], "list<frozen<tuple<int, text>>>": [(1, None), (2, "y")],
}


def connect(version=None, **options):
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
    if version:
        options["protocol_version"] = version
    cluster = Cluster([HOST], port=PORT, execution_profiles={EXEC_PROFILE_DEFAULT: profile}, **options)
    return cluster, cluster.connect()


def fails(error, action):
    try:
        action()
    except error as caught:
        return caught
    raise AssertionError(f"no {error}")


def plain(value):
    """Collections of the driver's own classes as Python's."""
    if isinstance(value, (dict, OrderedMapSerializedKey)):
        return {key: plain(each) for key, each in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, (str, bytes, Date, Duration)):
        return sorted(value) if hasattr(value, "isdisjoint") else [plain(each) for each in value]
    return value


def check_values(session, version):
    kinds = {k: v for k, v in VALUES.items() if version > 4 or k != "duration" or version != 3}
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(kinds))
    session.execute(f"CREATE TABLE v (k int PRIMARY KEY, {columns})")
    names = ", ".join(f"c{i}" for i in range(len(kinds)))
    insert = session.prepare(f"INSERT INTO v (k, {names}) VALUES (?{', ?' * len(kinds)})")
    session.execute(insert, (1, *kinds.values()))
    session.execute(insert, (2, *[None] * len(kinds)))
    one = session.prepare("SELECT * FROM v WHERE k = ?")
    for row in (session.execute("SELECT * FROM v WHERE k = 1").one(), session.execute(one, (1,)).one()):
        for i, (kind, value) in enumerate(kinds.items()):
            got = getattr(row, f"c{i}")
            assert plain(got) == plain(value) or str(got) == str(value), (kind, got, value)
    assert all(getattr(session.execute(one, (2,)).one(), f"c{i}") is None for i in range(len(kinds)))


def check_user_types(session, cluster):
    session.execute("CREATE TYPE place (street text, number int)")
    session.execute("CREATE TABLE ut (k int PRIMARY KEY, a frozen<place>, l list<frozen<place>>, b place)")

    class Place:
        def __init__(self, street, number):
            self.street, self.number = street, number

    cluster.register_user_type("python", "place", Place)
    insert = session.prepare("INSERT INTO ut (k, a, l, b) VALUES (?, ?, ?, ?)")
    session.execute(insert, (1, Place("Main", 1), [Place("Side", 2), Place(None, 3)], Place("Last", None)))
    row = session.execute("SELECT * FROM ut").one()
    assert (row.a.street, row.a.number, row.l[1].number, row.l[1].street, row.b.street) == ("Main", 1, 3, None, "Last")


def check_pages(session):
    session.execute("CREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c))")
    insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)")
    for future in [session.execute_async(insert, (1, i, str(i))) for i in range(300)]:
        future.result()
    rows = list(session.execute(SimpleStatement("SELECT c FROM p WHERE a = 1", fetch_size=50)))
    assert [row.c for row in rows] == list(range(300))
    first = session.execute(SimpleStatement("SELECT c FROM p", fetch_size=7))
    assert len(first.current_rows) == 7 and first.has_more_pages
    rest = session.execute(SimpleStatement("SELECT c FROM p", fetch_size=1000), paging_state=first.paging_state)
    assert [row.c for row in rest] == list(range(7, 300))


def check_batches(session):
    insert = session.prepare("INSERT INTO p (a, c, b) VALUES (?, ?, ?)")
    for kind in (BatchType.LOGGED, BatchType.UNLOGGED):
        batch = BatchStatement(kind)
        batch.add(insert, (2, 1, "x"))
        batch.add("INSERT INTO p (a, c) VALUES (2, 2)")
        batch.add(SimpleStatement("INSERT INTO p (a, c, b) VALUES (%s, %s, %s)"), (2, 3, "y"))
        session.execute(batch)
    assert session.execute("SELECT count(*) FROM p WHERE a = 2").one().count == 3
    session.execute("CREATE TABLE n (k int PRIMARY KEY, n counter)")
    batch = BatchStatement(BatchType.COUNTER)
    for by in (1, 2, -5):
        batch.add("UPDATE n SET n = n + %s WHERE k = 1", (by,))
    session.execute(batch)
    assert session.execute("SELECT n FROM n WHERE k = 1").one().n == -2


def check_changes(session, cluster):
    star = session.prepare("SELECT * FROM p WHERE a = ? AND c = ?")
    assert len(session.execute(star, (1, 1)).one()) == 3
    session.execute("ALTER TABLE p ADD z int")
    assert len(session.execute(star, (1, 1)).one()) == 4
    assert not session.execute("INSERT INTO p (a, c) VALUES (1, 1) IF NOT EXISTS").one().applied
    assert session.execute("UPDATE p SET b = 'new' WHERE a = 1 AND c = 1 IF b = '1'").one().applied
    missed = session.execute("UPDATE p SET b = 'x' WHERE a = 1 AND c = 1 IF b = '1'").one()
    assert (missed.applied, missed.b) == (False, "new")


def check_metadata(session, cluster):
    session.execute("CREATE INDEX by_b ON p (b)")
    cluster.refresh_schema_metadata()
    keyspace = cluster.metadata.keyspaces["python"]
    table = keyspace.tables["p"]
    assert [c.name for c in table.primary_key] == ["a", "c"] and "z" in table.columns
    assert table.columns["b"].cql_type == "text" and list(table.indexes) == ["by_b"]
    assert keyspace.user_types["place"].field_types == ["text", "int"]
    assert "CREATE TABLE python.p" in table.export_as_string() and "by_b" in table.export_as_string()
    assert {"system", "system_schema"} <= set(cluster.metadata.keyspaces)
    assert len(cluster.metadata.all_hosts()) == 1 and cluster.metadata.token_map
    assert list(cluster.metadata.get_replicas("python", b"\0\0\0\1"))


def check_events(version, session):
    """A table that another connection makes and drops is known here without asking."""
    cluster, _ = connect(version, schema_event_refresh_window=0, status_event_refresh_window=0, topology_event_refresh_window=0)
    for statement, seen in (("CREATE TABLE pushed (k int PRIMARY KEY)", True), ("DROP TABLE pushed", False)):
        done = threading.Event()
        watch = lambda: "pushed" in cluster.metadata.keyspaces["python"].tables
        session.execute(statement)
        for _ in range(1000):
            if watch() == seen:
                break
            done.wait(0.01)
        assert watch() == seen, statement
    cluster.shutdown()


def check_errors(session):
    fails(SyntaxException, lambda: session.execute("SELECT * FORM p"))
    fails(InvalidRequest, lambda: session.execute("SELECT * FROM missing"))
    exists = fails(AlreadyExists, lambda: session.execute("CREATE TABLE p (a int PRIMARY KEY)"))
    assert (exists.keyspace, exists.table) == ("python", "p")
    two = SimpleStatement("SELECT * FROM p", consistency_level=ConsistencyLevel.TWO)
    error = fails((Unavailable, NoHostAvailable), lambda: session.execute(two))
    if isinstance(error, Unavailable):
        assert (error.required_replicas, error.alive_replicas) == (2, 1)


def check_trace(session):
    text = "SELECT * FROM p LIMIT 1"
    result = session.execute(text, trace=True)
    assert result.one()
    trace = result.get_query_trace(max_wait_sec=10)
    assert trace.request_type == "Execute CQL3 query" and trace.parameters["query"] == text
    assert trace.duration is not None and str(trace.coordinator) and str(trace.client)
    elapsed = [event.source_elapsed for event in trace.events]
    assert len(elapsed) > 2 and elapsed == sorted(elapsed)
    assert text in trace.events[0].description


def check(version, **options):
    cluster, session = connect(version, **options)
    session.execute("DROP KEYSPACE IF EXISTS python")
    session.execute("CREATE KEYSPACE python WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    session.set_keyspace("python")
    assert cluster.protocol_version == (version or 5)
    check_values(session, cluster.protocol_version)
    check_user_types(session, cluster)
    check_pages(session)
    check_batches(session)
    check_changes(session, cluster)
    check_metadata(session, cluster)
    check_events(version, session)
    check_errors(session)
    warned = session.execute("SELECT count(*) FROM system.local").response_future.warnings
    assert version == 3 or not warned or "Aggregation" in warned[0]
    check_trace(session)
    cluster.shutdown()


check(None)
for each in (3, 4, 5):
    check(each, compression=False)
check(4)
engine.check(HOST, PORT)
print("the Python driver and its mapper are content")
