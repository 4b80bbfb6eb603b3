# SPDX-License-Identifier: MIT
"""Random scripts for the comparison of two stores: a schema, writes with few distinct keys and few
distinct timestamps, and SELECTs of every shape, some of them slightly wrong. The same seed gives
the same script.

Left out because Cassandra itself answers at random: map literals that name a key twice, sets with
decimals that compare equal."""

import random

NATIVE = {
    "ascii": ["''", "'a'", "'B'", "'zz'"],
    "bigint": ["0", "-1", "7", "9223372036854775807"],
    "blob": ["0x", "0x00", "0x7f", "0xff80"],
    "boolean": ["true", "false"],
    "date": ["'1969-12-31'", "'2020-02-29'", "0"],
    "decimal": ["1.5", "-0.25", "1E+3", "100"],
    "double": ["0.0", "-0.0", "1.5", "NaN", "-Infinity"],
    "float": ["0.0", "-1.5", "3.25", "NaN"],
    "inet": ["'127.0.0.1'", "'::1'", "'255.0.0.1'"],
    "int": ["0", "1", "-1", "2147483647"],
    "smallint": ["0", "-1", "300"],
    "text": ["''", "'a'", "'é'", "'it''s'", "'ab'"],
    "time": ["'00:00:00'", "'12:30:00.5'", "'23:59:59.999999999'"],
    "timestamp": ["0", "-1", "'2020-01-01T00:00:00Z'"],
    "timeuuid": [
        "13814000-1dd2-11b2-8080-808080808080",
        "13814000-1dd2-11b2-7f7f-7f7f7f7f7f7f",
        "50554d6e-29bb-11e5-b345-feff819cdc9f",
    ],
    "tinyint": ["0", "-1", "127"],
    "uuid": [
        "550e8400-e29b-41d4-a716-446655440000",
        "00000000-0000-1000-8000-000000000000",
        "ffffffff-ffff-4fff-bfff-ffffffffffff",
    ],
    "varint": ["0", "-129", "123456789012345678901234567890"],
    "duration": ["1d", "1mo2d", "-3h"],
}
NUMBERS = ("bigint", "decimal", "double", "float", "int", "smallint", "tinyint", "varint")
NAMES = ["v", "w", "x", "y", "z", '"U"']
UDT_FIELDS = (("a", "int"), ("b", "text"))
FIRST_NOW = 1000


class Kind:
    """A type: its CQL text, whether it is a collection of cells, and its element kinds."""

    def __init__(self, name, *parts, frozen=False):
        self.name, self.parts, self.frozen = name, parts, frozen

    def text(self):
        if self.name == "udt":
            inner = "u"
        elif self.name == "vector":
            inner = "vector<%s, 2>" % self.parts[0].text()
        elif self.parts:
            inner = "%s<%s>" % (self.name, ", ".join(part.text() for part in self.parts))
        else:
            return self.name
        return "frozen<%s>" % inner if self.frozen else inner

    def multi_cell(self):
        return not self.frozen and self.name in ("list", "set", "map", "udt")

    def is_native(self):
        return self.name in NATIVE or self.name == "counter"


class Column:
    def __init__(self, name, kind, role, descending=False):
        self.name, self.kind, self.role, self.descending = name, kind, role, descending


class Directed(str):
    """A statement's text with directives in front of it."""

    directives = ()


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now = FIRST_NOW
        self.statements = []

    # --- chance

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def one_of(self, choices):
        return self.random.choice(choices)

    def some(self, choices, least=0):
        count = self.random.randint(min(least, len(choices)), len(choices))
        return self.random.sample(choices, count)

    # --- types and values

    def native(self, key=False):
        names = [name for name in NATIVE if not (key and name == "duration")]
        return Kind("int" if self.chance(30) else self.one_of(names))

    def element(self, key=False):
        """A type that may stand inside a collection."""
        if self.chance(80):
            return self.native(key)
        return self.one_of(
            [
                Kind("list", Kind("int"), frozen=True),
                Kind("tuple", Kind("int"), Kind("text"), frozen=True),
                Kind("udt", frozen=True),
                Kind("set", Kind("text"), frozen=True),
            ]
        )

    def kind(self):
        name = self.one_of(
            ["native"] * 10 + ["list", "set", "map"] * 2 + ["tuple", "udt", "vector"]
        )
        frozen = self.chance(30)
        if name == "list":
            return Kind("list", self.element(), frozen=frozen)
        if name == "set":
            return Kind("set", self.element(key=True), frozen=frozen)
        if name == "map":
            return Kind("map", self.native(key=True), self.element(), frozen=frozen)
        if name == "tuple":
            return Kind("tuple", self.native(), self.native(), frozen=True)
        if name == "udt":
            return Kind("udt", frozen=frozen)
        return (
            Kind("vector", self.one_of([Kind("float"), Kind("int"), Kind("text")]))
            if name == "vector"
            else self.native()
        )

    def key_kind(self):
        if self.chance(90):
            return self.native(key=True)
        return self.one_of(
            [
                Kind("list", Kind("int"), frozen=True),
                Kind("udt", frozen=True),
                Kind("tuple", Kind("int"), Kind("text"), frozen=True),
            ]
        )

    def distinct(self, kind, most):
        """Up to `most` literals that differ."""
        found = []
        for _ in range(self.random.randint(0, most)):
            literal = self.value(kind)
            if literal not in found and not (
                literal in ("0.0", "-0.0") and ("0.0" in found or "-0.0" in found)
            ):
                found.append(literal)
        return found

    def value(self, kind):
        if kind.name in NATIVE:
            return self.one_of(NATIVE[kind.name])
        if kind.name == "counter":
            return self.one_of(["1", "2", "-3"])
        if kind.name == "list":
            return "[%s]" % ", ".join(
                self.value(kind.parts[0]) for _ in range(self.random.randint(0, 3))
            )
        if kind.name == "set":
            return "{%s}" % ", ".join(self.distinct(kind.parts[0], 3))
        if kind.name == "map":
            return "{%s}" % ", ".join(
                "%s: %s" % (key, self.value(kind.parts[1]))
                for key in self.distinct(kind.parts[0], 3)
            )
        if kind.name == "tuple":
            return "(%s)" % ", ".join(
                "null" if self.chance(10) else self.value(part) for part in kind.parts
            )
        if kind.name == "vector":
            return "[%s]" % ", ".join(self.value(kind.parts[0]) for _ in range(2))
        return "{%s}" % ", ".join(
            "%s: %s" % (name, self.value(Kind(part))) for name, part in self.some(UDT_FIELDS, 1)
        )

    def write_value(self, kind):
        return "null" if self.chance(8) else self.value(kind)

    # --- the schema

    def table(self):
        self.counters = self.chance(8)
        self.server_clock = self.counters or self.chance(25)
        self.partition = [
            Column("p%d" % i, self.key_kind(), "partition")
            for i in range(self.one_of([1, 1, 1, 2, 3]))
        ]
        self.clustering = [
            Column("c%d" % i, self.key_kind(), "clustering", self.chance(35))
            for i in range(self.one_of([0, 1, 1, 2, 2, 3]))
        ]
        statics = self.random.randint(0, 2) if self.clustering and self.chance(50) else 0
        self.statics = [Column("s%d" % i, self.regular_kind(), "static") for i in range(statics)]
        names = self.random.sample(NAMES, self.random.randint(1, 4))
        self.regular = [Column(name, self.regular_kind(), "regular") for name in names]
        self.columns = self.partition + self.clustering + self.statics + self.regular
        # Few distinct keys: each key column keeps to a handful of values.
        self.keys = {}
        for column in self.partition + self.clustering:
            most = 2 if column.role == "partition" else 4
            self.keys[column.name] = list(
                dict.fromkeys(self.key_literal(column) for _ in range(most))
            )

    def key_literal(self, column):
        literal = self.value(column.kind)
        # The empty value is no key of its own, and only worth a try now and then.
        while (
            len(self.partition) == 1
            and column.role == "partition"
            and literal in ("''", "0x")
            and self.chance(90)
        ):
            literal = self.value(column.kind)
        return literal

    def regular_kind(self):
        return Kind("counter") if self.counters else self.kind()

    def create_table(self):
        parts = [
            "%s %s%s" % (c.name, c.kind.text(), " STATIC" if c.role == "static" else "")
            for c in self.columns
        ]
        partition = ", ".join(c.name for c in self.partition)
        key = ", ".join(["(%s)" % partition] + [c.name for c in self.clustering])
        text = "CREATE TABLE t (%s, PRIMARY KEY (%s))" % (", ".join(parts), key)
        if any(c.descending for c in self.clustering):
            order = ", ".join(
                "%s %s" % (c.name, "DESC" if c.descending else "ASC") for c in self.clustering
            )
            text += " WITH CLUSTERING ORDER BY (%s)" % order
        return text

    def create_index(self):
        """An index on a column that can have one; the target decides on the form."""
        self.indexed = self.one_of(self.regular + self.statics + self.clustering)
        kind = self.indexed.kind
        target = self.indexed.name
        if kind.frozen and kind.name in ("list", "set", "map"):
            target = "FULL(%s)" % target
        elif kind.name == "map":
            target = "%s(%s)" % (self.one_of(["KEYS", "VALUES", "ENTRIES"]), target)
        return "CREATE INDEX ON t (%s)" % target

    def key_value(self, column):
        return self.one_of(self.keys[column.name])

    # --- a script

    def script(self, writes, reads):
        from writes import Writes
        from reads import Reads

        self.table()
        self.indexed = None
        self.statements = ["CREATE TYPE u (a int, b text)", self.create_table()]
        if self.chance(25):
            self.statements.append(self.create_index())
        write, read = Writes(self), Reads(self)
        while writes or reads:
            if writes and (not reads or self.chance(60)):
                writes -= 1
                self.add(write.statement())
            else:
                reads -= 1
                self.add(read.statement())
        self.add("SELECT * FROM t")
        return self.statements

    def add(self, text, *directives):
        """Adds a statement with the clock it runs at."""
        if isinstance(text, Directed):
            directives = text.directives
        if self.chance(20):
            self.now += self.random.randint(1, 6)
        statement = Directed(text)
        statement.directives = ("now: %d" % self.now,) + tuple(directives)
        self.statements.append(statement)


def file_text(statements):
    """The statements as a golden file without expectations."""
    out = []
    for statement in statements:
        out += ["", *("-- " + d for d in getattr(statement, "directives", ())), statement + ";"]
    return "\n".join(out[1:]) + "\n"
