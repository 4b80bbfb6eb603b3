# SPDX-License-Identifier: MIT
"""Random scripts for the comparison of two stores: a schema, writes with few distinct keys and few
distinct timestamps, changes of the schema, and SELECTs of every shape, some of them slightly wrong.
The same seed gives the same script.

Left out, besides what kinds.py leaves out: counting on after a counter was deleted; TTLs beside an
index, unless the clock is the server's; rows that expire in a table that is altered, since the server
leaves out cells that are older than an expired row only where both are stored in one place, and a change
of the table begins another one; expressions whose value is the time or a random one; bound
sets and maps that are not sorted; functions on, and expressions for, columns in descending order,
whose type some of the server's checks do not see through; conditions of which one is an error, since
the server looks at them in no certain order; conditions on elements of frozen maps and of maps to
another type, which the server compares as if they were keys; bytes that are no value where the server
may not look at them."""

import random
import re

from kinds import CREATE_TYPES, ODD_BYTES, Kind, Values, user_types

NAMES = ["v", "w", "x", "y", "z", '"U"']
# Later than any server's clock, so that it throws nothing away when it writes a table to disk.
FIRST_NOW = 1900000000
WRITES, READS = 60, 90
TIMESTAMPS = ["1", "2", "2", "3", "5"]
# What a script is about, beside what all are about.
THEMES = ["plain"] * 12 + ["views"] * 3 + ["vectors"] * 2 + ["texts"] * 2 + ["types"] * 2


class Column:
    def __init__(self, name, kind, role, descending=False):
        self.name, self.kind, self.role, self.descending = name, kind, role, descending
        self.reversed = descending  # the server has another type for such columns

    def is_key(self):
        return self.role in ("partition", "clustering")

    def is_opaque(self):
        return self.reversed and not self.kind.is_native()


class Directed(str):
    """A statement's text with directives in front of it."""

    directives = ()


def directed(text, *directives):
    text = Directed(text)
    text.directives = tuple(directives)
    return text


def is_unsorted(kind, literal):
    """Whether the bytes of a set or map might come in no order; a client has to sort them."""
    holds = lambda k: k.name in ("set", "map") or any(map(holds, k.parts)) or any(
        holds(part) for _, part in k.fields
    )
    return holds(kind) and "," in literal


class Generator(Values):
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.now = FIRST_NOW
        self.statements = []
        self.bound = None  # in a bound statement: the values of its markers
        self.errors = True  # whether statements may be wrong
        self.theme = "plain"
        self.types = user_types()
        self.target = "t"  # what is read: the table or a view
        self.tame = False  # whether vectors are such as an index takes
        self.rising = 0  # the last timestamp, where they rise
        self.indexed = []  # columns
        self.altered = False  # whether the table changes

    # --- chance

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def one_of(self, choices):
        return self.random.choice(choices)

    def some(self, choices, least=0):
        count = self.random.randint(min(least, len(choices)), len(choices))
        return self.random.sample(list(choices), count)

    # --- values in a statement

    def put(self, kind, literal=None):
        """A value where a statement takes one: a literal, an expression, a marker."""
        if literal is None:
            literal = "null" if self.chance(8) else self.value(kind)
        if self.bound is not None and self.chance(75) and not is_unsorted(kind, literal):
            return self.marker(kind, literal)
        if self.errors and self.chance(1.5):
            return self.value(self.kind())
        if self.chance(4) and literal != "null":
            return self.expression(kind)
        return literal

    def marker(self, kind, literal):
        if self.errors and self.chance(4):
            literal = self.one_of(["unset", "null", "0x"] + ODD_BYTES * self.odd_bytes)
        # Of two wrong values the server may name the other one.
        if kind.name != "blob" and literal in ["unset", "null", "0x"] + ODD_BYTES:
            if self.odd:
                literal = self.value(kind)
                literal = "null" if is_unsorted(kind, literal) else literal
            self.odd = True
        self.bound.append(literal)
        return "\1%d\2" % (len(self.bound) - 1)

    def key_value(self, column):
        return self.put_key(column, self.one_of(self.keys[column.name]))

    def put_key(self, column, literal):
        if column.reversed:
            is_bound = self.bound is not None and not is_unsorted(column.kind, literal)
            return self.marker(column.kind, literal) if is_bound else literal
        return self.put(column.kind, literal)

    def name(self, column):
        """The column's name; now and then another's."""
        if self.errors and self.bound is None and self.chance(0.7):
            return self.one_of(self.columns).name if self.chance(80) else "nope"
        return column.name

    def with_markers(self, build):
        """The statement that `build` makes, prepared and executed with values."""
        self.bound, self.odd, self.odd_bytes = [], False, False
        try:
            text = build()
            numbers = [int(found) for found in re.findall("\1(\\d+)\2", text)]
            values = ", ".join(self.bound[number] for number in numbers)
        finally:
            self.bound = None
        names = iter("b%d" % i for i in range(len(numbers)))
        named = self.chance(10)
        plain = re.sub("\1\\d+\2", lambda _: ":" + next(names) if named else "?", text)
        if self.chance(8):
            return directed(plain, "prepare")
        return directed(plain, *getattr(text, "directives", ()), ("bind: " + values).rstrip())

    def timestamp(self):
        if not self.rising:
            return self.one_of(TIMESTAMPS)
        self.rising += self.random.randint(1, 2)
        return str(self.rising)

    # --- the schema

    def table(self):
        self.counters = self.theme == "plain" and self.chance(8)
        # Conditional statements take the server's time, but not exactly: beside them, other statements
        # have timestamps that are always older.
        how = "clock" if self.counters else self.one_of(["stamped"] * 6 + ["clock", "conditional"] * 2)
        if self.theme == "views":
            how = self.one_of(["stamped"] * 4 + ["clock"])
            self.rising = 1 if how == "stamped" and self.chance(75) else 0
            self.may_add_keys = how == "clock" or self.rising > 0
        self.conditional = how == "conditional"
        self.stamped = how != "clock"  # whether statements have timestamps
        self.known_times = how == "stamped"  # whether WRITETIME may be shown
        self.partition = [
            Column("p%d" % i, self.frozen_kind(1, True), "partition")
            for i in range(self.one_of([1, 1, 1, 2, 3]))
        ]
        self.clustering = [
            Column("c%d" % i, self.frozen_kind(1, True), "clustering", self.chance(40))
            for i in range(self.one_of([0, 1, 1, 2, 2, 3]))
        ]
        statics = self.random.randint(0, 2) if self.clustering and self.chance(60) else 0
        self.statics = [Column("s%d" % i, self.regular_kind(), "static") for i in range(statics)]
        names = self.random.sample(NAMES, self.random.randint(1, 4))
        self.regular = [Column(name, self.regular_kind(), "regular") for name in names]
        self.settle()
        # Few distinct keys: each key column keeps to a handful of values.
        self.keys = {}
        for column in self.partition + self.clustering:
            most = 2 if column.role == "partition" else 4
            self.keys[column.name] = list(
                dict.fromkeys(self.key_literal(column) for _ in range(most))
            )
        self.dropped = []
        self.has_ttl = not self.counters and self.theme != "views"
        self.default_ttl = 0

    def settle(self):
        """The lists of columns after a change."""
        self.columns = self.partition + self.clustering + self.statics + self.regular

    def key_literal(self, column):
        literal = self.value(column.kind)
        # The empty value is no key of its own, and only worth a try now and then.
        while (
            len(self.partition) == 1
            and column.role == "partition"
            and literal in ("''", "0x")
            and self.chance(90)
        ) or (literal == "{}" and column.is_opaque()):
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
        options = []
        if any(c.descending for c in self.clustering):
            order = ", ".join(
                "%s %s" % (c.name, "DESC" if c.descending else "ASC") for c in self.clustering
            )
            options.append("CLUSTERING ORDER BY (%s)" % order)
        if self.has_ttl and self.chance(10):
            self.default_ttl = 90000 if self.searches else self.one_of([3, 20, 90000])
            options.append("default_time_to_live = %d" % self.default_ttl)
        return text + (" WITH " + " AND ".join(options) if options else "")

    def create_index(self, column, sort=""):
        """An index on the column; the target decides on the form."""
        self.indexed.append(column)
        kind = column.kind
        target = column.name
        if kind.frozen and kind.name in ("list", "set", "map"):
            target = "FULL(%s)" % target
        elif kind.name == "map":
            target = "%s(%s)" % (self.one_of(["KEYS", "VALUES", "ENTRIES"]), target)
        if not sort and not self.chance(40):
            return "CREATE INDEX ON t (%s)" % target
        if kind.name == "vector":
            self.tame = True
        # The server answers a read of an index that is still being made with an error.
        options = ""
        if kind.name in ("text", "ascii") and self.chance(50):
            options = " WITH OPTIONS = {'case_sensitive': '%s'}" % self.one_of(["true", "false"])
        return "CREATE INDEX ON t (%s) USING 'sai'%s" % (target, options)

    # --- a script

    def prepare(self):
        """The schema."""
        self.table()
        self.searches = self.searched()
        self.statements = CREATE_TYPES + [self.create_table()]

    def searched(self):
        """The column that the theme is about, and what is asked of it."""
        from searches import Texts, Vectors

        return {"vectors": Vectors, "texts": Texts}.get(self.theme, lambda _: None)(self)

    def indexes(self):
        if self.searches:
            yield from self.searches.indexes()
        if self.searches is None and self.chance(25):
            for _ in range(self.one_of([1, 1, 2])):
                yield self.create_index(self.one_of(self.regular + self.statics + self.clustering))

    def add_indexes(self):
        """Indexes, unless what is written lives shortly: an index of the server goes by the server's clock."""
        if self.default_ttl not in (0, 90000) or self.theme == "views":
            return
        self.statements += self.indexes()
        if self.indexed:
            self.has_ttl = self.default_ttl > 0 or (not self.counters and self.chance(30))
            self.own_clock = not self.has_ttl
            # Of two values that expire the one written in a later second wins a tie, and the two sides have two clocks.
            self.rising = int(self.has_ttl and self.stamped)

    def makers(self, reads):
        """What makes statements, how often of a hundred, and how many at most."""
        from alters import Alters
        from reads import Reads
        from views import Views
        from writes import Writes

        of_theme = self.searches or (Views(self) if self.theme == "views" else None)
        share = reads // 2 if of_theme else 0
        yield Writes(self), 60, WRITES
        yield Reads(self), 20 if of_theme else 40, reads - share
        if of_theme:
            yield of_theme, 20, share
        if self.altered:
            yield Alters(self), 8 if self.theme == "types" else 4, 12 if self.theme == "types" else 8

    def script(self, reads=READS):
        self.theme = self.one_of(THEMES)
        self.prepare()
        likely = 100 if self.theme == "types" else 0 if self.theme == "views" else 35
        self.altered = self.default_ttl in (0, 90000) and self.chance(likely)
        self.own_clock = True
        self.add_indexes()
        makers = list(self.makers(reads))
        left = {maker: most for maker, _, most in makers}
        while any(left[maker] for maker, _, _ in makers[:2]):
            maker = self.random.choices([m for m, _, _ in makers], [often for _, often, _ in makers])[0]
            if left[maker]:
                left[maker] -= 1
                text = self.with_markers(maker.statement) if self.chance(12) else maker.statement()
                self.add(text)
        self.add("SELECT * FROM t")
        return self.statements

    def add(self, text):
        """Adds a statement with the clock it runs at."""
        if self.chance(20):
            self.now += self.random.randint(1, 6)
        directives = getattr(text, "directives", ())
        if self.own_clock:
            directives = ("now: %d" % self.now,) + directives
        if self.errors and self.chance(0.5):
            # A conditional statement may be carried out although its level is not reached.
            levels = ["QUORUM", "ALL", "LOCAL_ONE"] + ["TWO", "SERIAL", "ANY"] * (" IF " not in text)
            level = self.one_of(levels)
            directives += ("consistency: " + level,)
        self.statements.append(directed(text, *directives))


def file_text(statements):
    """The statements as a golden file without expectations."""
    out = []
    for statement in statements:
        out += ["", *("-- " + d for d in getattr(statement, "directives", ())), statement + ";"]
    return "\n".join(out[1:]) + "\n"
