# SPDX-License-Identifier: MIT
"""cqlengine, the Python driver's object mapper: tables made from classes, and everything that it does with rows."""

import datetime
import os
import uuid

from cassandra.cqlengine import columns, connection, functions
from cassandra.cqlengine.management import create_keyspace_simple, drop_keyspace, drop_table, sync_table, sync_type
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.query import BatchQuery, LWTException
from cassandra.cqlengine.usertype import UserType


class Address(UserType):
    street = columns.Text()
    number = columns.Integer()


class User(Model):
    __keyspace__ = "engine"
    id = columns.UUID(primary_key=True, default=uuid.uuid4)
    name = columns.Text(index=True)
    born = columns.Date()
    seen = columns.DateTime()
    tags = columns.Set(columns.Text)
    scores = columns.List(columns.Integer)
    extra = columns.Map(columns.Text, columns.Integer)
    home = columns.UserDefinedType(Address)
    pair = columns.Tuple(columns.Integer, columns.Text)


class Reading(Model):
    __keyspace__ = "engine"
    __options__ = {"comment": "of sensors", "gc_grace_seconds": 3600}
    sensor = columns.Text(partition_key=True)
    day = columns.Integer(partition_key=True)
    at = columns.TimeUUID(primary_key=True, clustering_order="DESC")
    place = columns.Text(static=True)
    value = columns.Double()


class Hits(Model):
    __keyspace__ = "engine"
    page = columns.Text(primary_key=True)
    count = columns.Counter()


class WiderHits(Model):
    __keyspace__ = "engine"
    __table_name__ = "hits"
    page = columns.Text(primary_key=True)
    count = columns.Counter()
    refused = columns.Counter()


def check_users():
    ada = User.create(name="Ada", born=datetime.date(1815, 12, 10), seen=datetime.datetime(2024, 1, 2, 3, 4, 5), tags={"a", "b"},
                      scores=[3, 1, 2], extra={"x": 1}, home=Address(street="Main", number=5), pair=(1, "one"))
    User.create(name="Bob")
    got = User.get(id=ada.id)
    assert (got.name, got.born.date(), got.tags, got.scores) == ("Ada", datetime.date(1815, 12, 10), {"a", "b"}, [3, 1, 2])
    assert (got.home.street, got.home.number, got.pair, got.extra) == ("Main", 5, (1, "one"), {"x": 1})
    assert User.objects.count() == 2 and User.objects(name="Bob").first().scores == []
    User.objects(id=ada.id).update(tags__add={"c"}, scores__append=[9], extra__update={"y": 2})
    User.objects(id=ada.id).update(tags__remove={"a"}, scores__prepend=[0], name="Countess")
    got = User.get(id=ada.id)
    assert (got.name, got.tags, got.scores, got.extra) == ("Countess", {"b", "c"}, [0, 3, 1, 2, 9], {"x": 1, "y": 2})
    got.scores = [1]
    got.home = None
    got.save()
    assert (User.get(id=ada.id).scores, User.get(id=ada.id).home) == ([1], None)
    got.delete()
    assert User.objects.count() == 1


def check_conditions():
    one = uuid.uuid4()
    User.if_not_exists().create(id=one, name="first")
    for action in (lambda: User.if_not_exists().create(id=one, name="second"),
                   lambda: User.objects(id=one).iff(name="other").update(name="third")):
        try:
            action()
        except LWTException as refused:
            assert refused.existing["name"] == "first"
        else:
            raise AssertionError("applied")
    User.objects(id=one).iff(name="first").update(name="third")
    User.objects(id=one).if_exists().update(name="last")
    assert User.get(id=one).name == "last"


def check_readings():
    stamps = [uuid.uuid1(clock_seq=i) for i in range(10)]
    with BatchQuery() as batch:
        for i, at in enumerate(stamps):
            Reading.batch(batch).create(sensor="s", day=1, at=at, value=float(i))
    Reading.objects(sensor="s", day=1).update(place="roof")
    rows = Reading.objects(sensor="s", day=1)
    assert [r.value for r in rows] == [float(i) for i in reversed(range(10))] and rows[0].place == "roof"
    assert [r.value for r in Reading.objects(sensor="s", day=1).order_by("at").limit(2)] == [0.0, 1.0]
    assert len(Reading.objects(sensor="s", day=1, at__gt=stamps[6])) == 3
    assert len(Reading.objects(sensor__in=["s", "t"], day=1).fetch_size(3)) == 10
    assert len(Reading.objects.filter(value__gte=8.0).allow_filtering()) == 2
    assert Reading.objects(sensor="s", day=1).values_list("value", flat=True)[0] == 9.0
    assert len(Reading.objects.filter(pk__token__gt=functions.Token("none", 0)).limit(None)) in (0, 10)
    Reading.objects(sensor="s", day=1, at=stamps[0]).delete()
    Reading.ttl(1000).timestamp(datetime.timedelta(seconds=5)).create(sensor="u", day=2, at=stamps[0], value=1.5)
    assert Reading.objects(sensor="s", day=1).count() == 9 and Reading.objects.count() == 10


def check_counters():
    Hits.create(page="/", count=2)
    Hits.objects(page="/").update(count=3)
    hits = Hits.get(page="/")
    hits.count -= 1
    hits.update()
    assert Hits.get(page="/").count == 4
    sync_table(WiderHits)
    WiderHits.objects(page="/").update(refused=1)
    assert (WiderHits.get(page="/").count, WiderHits.get(page="/").refused) == (4, 1)


def check(host, port):
    os.environ["CQLENG_ALLOW_SCHEMA_MANAGEMENT"] = "1"
    connection.setup([host], "engine", port=port, protocol_version=5, lazy_connect=False)
    create_keyspace_simple("engine", 1)
    sync_type("engine", Address)
    for model in (User, Reading, Hits):
        sync_table(model)
        sync_table(model)
    check_users()
    check_conditions()
    check_readings()
    check_counters()
    drop_table(Hits)
    drop_keyspace("engine")
    connection.unregister_connection("default")
