# SPDX-License-Identifier: MIT
"""Random INSERT, UPDATE, DELETE and BATCH statements for generate.py."""

from conditions import Conditions
from generate import directed
from kinds import Kind

INT = Kind("int")
WRONG = ["'wrong'", "[true]", "1.5", "min_timeuuid(0)", "null", "{1: 2}", "?", "0xaa"]


class Writes:
    def __init__(self, generator):
        self.g = generator
        self.conditions = Conditions(generator, self)
        self.timeless = False  # in a batch that has a timestamp of its own
        self.in_batch = False

    def statement(self):
        g = self.g
        if g.chance(4):
            return self.timed(self.spoil(self.single()))
        if g.chance(10):
            return self.timed(self.batch())
        if g.chance(60 if g.conditional else 0.5 if g.counters else 0):
            return self.conditions.statement()
        return self.timed(self.single())

    def timed(self, text):
        """Without the server's clock every statement has a timestamp, if not of its own then of the
        request."""
        if not self.g.stamped:
            return text
        return directed(text, "timestamp: " + self.g.timestamp())

    def single(self):
        g = self.g
        if g.counters:
            return self.update()
        return g.one_of([self.insert] * 4 + [self.update] * 4 + [self.delete] * 3)()

    def batch(self):
        """A batch; some with a timestamp of their own or with a statement that does not belong."""
        g = self.g
        head = g.one_of(["COUNTER "] * 9 + [""]) if g.counters else g.one_of(["", "", "UNLOGGED "])
        if not g.counters and g.chance(1):
            head = "COUNTER "
        with_time = g.stamped and g.chance(20)
        if g.counters and g.chance(2):
            with_time = True
        using = "USING TIMESTAMP %s " % g.timestamp() if with_time else ""
        self.timeless, self.in_batch = with_time and g.chance(90), True
        parts = [self.single() for _ in range(g.random.randint(1, 4))]
        self.timeless = self.in_batch = False
        return "BEGIN %sBATCH %s%s; APPLY BATCH" % (head, using, "; ".join(parts))

    def spoil(self, text):
        """One thing wrong: a word left out or twice, a column unknown, a value of another type."""
        g = self.g
        words = text.split(" ")
        at = g.random.randrange(len(words))
        how = g.one_of(["drop", "column", "value", "twice"])
        if how == "drop":
            del words[at]
        elif how == "twice":
            words.insert(at, words[at])
        elif g.bound is None and not words[at].startswith("("):
            words[at] = g.one_of(g.columns).name if how == "column" else g.one_of(WRONG[:-2])
        return " ".join(words)

    # --- pieces

    def using(self, ttl=True):
        g, parts = self.g, []
        if g.counters and not g.chance(1):
            return ""
        if g.stamped and not self.timeless and not g.chance(5):
            parts.append("TIMESTAMP " + self.number(g.timestamp(), "bigint"))
        if ttl and g.has_ttl and g.chance(20):
            seconds = g.one_of([0, 2, 5, 10, 50]) if g.own_clock else g.one_of([0, 100000])
            parts.append("TTL " + self.number(str(seconds), "int"))
        # The server does not answer where a marker is said again.
        if g.errors and g.chance(0.7) and "\1" not in "".join(parts):
            parts.append(g.one_of(["TTL -1", "TTL 630720001", "TIMESTAMP -1", "TTL 0"]))
            if parts[-1] == "TIMESTAMP -1" and (g.rising or not g.stamped):
                parts.pop()
        g.random.shuffle(parts)
        return " USING " + " AND ".join(parts) if parts else ""

    def number(self, text, kind):
        """A number of USING: a literal or a marker."""
        g = self.g
        if g.bound is None or g.chance(40):
            return text
        g.bound.append(text if g.chance(95) else g.one_of(["unset", "null", "0x"]))
        return "\1%d\2" % (len(g.bound) - 1)

    def keys_equal(self, columns):
        g, parts = self.g, []
        if g.errors and g.chance(1.5) and columns:
            columns = g.some(columns)
        if g.errors and g.chance(0.7):
            columns = columns + [g.one_of(g.columns)]
        for column in columns:
            if column.is_key() and g.chance(6):
                # The server fails where it has to read a list of no partition.
                least = 1 if column.role == "partition" else 0
                values = ", ".join(g.key_value(column) for _ in range(g.random.randint(least, 3)))
                parts.append("%s IN (%s)" % (g.name(column), values))
            else:
                value = g.key_value(column) if column.is_key() else g.put(column.kind)
                parts.append("%s = %s" % (g.name(column), value))
        return " AND ".join(parts)

    # --- INSERT

    def insert(self):
        g = self.g
        statics_only = g.statics and g.chance(15)
        columns = g.partition + ([] if statics_only else g.clustering)
        others = g.some(g.statics, 1) if statics_only else g.some(g.regular + g.statics)
        if g.chance(20):
            return self.insert_json(columns + others)
        if g.errors and g.chance(1):
            columns = columns[1:]
        g.odd_bytes = not self.in_batch
        names = [g.name(c) for c in columns + others]
        values = [g.key_value(c) if c.is_key() else g.put(c.kind) for c in columns + others]
        if g.errors and g.chance(0.7):
            g.one_of([names, values]).append(names[-1] if names else "v")
        tail = " IF NOT EXISTS" if g.errors and g.chance(0.5) else ""
        return "INSERT INTO t (%s) VALUES (%s)%s%s" % (
            ", ".join(names),
            ", ".join(values),
            tail,
            self.using(not g.altered),
        )

    def insert_json(self, columns):
        g, members = self.g, []
        for column in columns:
            literal = g.one_of(g.keys[column.name]) if column.is_key() else None
            text = self.json_of(column.kind, literal)
            name = column.name.replace('"', '\\"') if g.chance(98) else "nope"
            members.append('"%s": %s' % (name, text))
        if g.errors and g.chance(2) and members:
            members.append(members[0]) if g.chance(50) else members.pop(0)
        text = "{%s}" % ", ".join(members)
        if g.errors and g.chance(1.5):
            text = g.one_of([text[:-1], "[]", "null", "", '{"": 1}', text + "x"])
        literal = "'%s'" % text.replace("'", "''")
        if g.bound is not None:
            literal = g.marker(Kind("text"), literal)
        default = g.one_of(["", "", " DEFAULT UNSET", " DEFAULT NULL"])
        return "INSERT INTO t JSON %s%s%s" % (literal, default, self.using(not g.altered))

    def json_of(self, kind, literal):
        """A key's literal as JSON, as far as it is simple; else any JSON of the type."""
        if literal and kind.is_native():
            if literal.startswith("'"):
                inner = literal[1:-1].replace("''", "'")
                return '"%s"' % inner
            return '"%s"' % literal
        return self.g.json(kind)

    # --- UPDATE

    def update(self):
        g = self.g
        statics_only = g.statics and g.chance(20)
        columns = g.some(g.statics if statics_only else g.regular, 1)
        if not statics_only and g.statics and g.chance(20):
            columns.append(g.one_of(g.statics))
        if g.errors and g.chance(0.7):
            columns.append(g.one_of(g.columns))
        using = self.using()
        sets = ", ".join(self.assignment(c) for c in columns)
        where = self.keys_equal(g.partition + ([] if statics_only else g.clustering))
        return "UPDATE t%s SET %s WHERE %s" % (using, sets, where)

    def assignment(self, column):
        g, name, kind = self.g, column.name, column.kind
        if kind.name == "counter":
            value = g.put(kind, g.value(kind).lstrip("-"))
            return "%s = %s %s %s" % (name, name, g.one_of("+-"), value)
        if (kind.multi_cell() or g.errors and g.chance(1)) and g.chance(65):
            change = getattr(self, "change_" + kind.name, None)
            if change and kind.name in ("list", "set", "map", "udt"):
                return change(name, kind)
            return "%s = %s + %s" % (name, name, g.put(kind))
        return "%s = %s" % (g.name(column), g.put(kind))

    def change_list(self, name, kind):
        g = self.g
        how = g.one_of(["append", "append", "prepend", "minus", "set"])
        # The server fails where nothing is appended.
        value = g.value(kind) if how == "append" and g.bound is not None else g.put(kind, g.value(kind))
        if how == "set":
            index = g.put(INT, str(g.one_of([0, 0, 1, 1, 2, 7, -1])))
            return "%s[%s] = %s" % (name, index, g.put(kind.parts[0]))
        if how == "append":
            return g.one_of(["%s = %s + %s" % (name, name, value), "%s += %s" % (name, value)])
        if how == "minus":
            return g.one_of(["%s = %s - %s" % (name, name, value), "%s -= %s" % (name, value)])
        return "%s = %s + %s" % (name, value, name)

    def change_set(self, name, kind):
        g = self.g
        value, sign = g.put(kind, g.value(kind)), g.one_of("+-")
        return g.one_of(
            ["%s = %s %s %s" % (name, name, sign, value), "%s %s= %s" % (name, sign, value)]
        )

    def change_map(self, name, kind):
        g = self.g
        how = g.one_of(["plus", "minus", "set"])
        if how == "set":
            key = g.put(kind.parts[0], g.value(kind.parts[0]))
            return "%s[%s] = %s" % (name, key, g.put(kind.parts[1]))
        if how == "plus":
            return "%s = %s + %s" % (name, name, g.put(kind, g.value(kind)))
        keys = "{%s}" % ", ".join(g.distinct(kind.parts[0], 2))
        return "%s = %s - %s" % (name, name, g.put(Kind("set", kind.parts[0]), keys))

    def change_udt(self, name, kind):
        g = self.g
        field, part = g.one_of(kind.fields)
        return "%s.%s = %s" % (name, field, g.put(part))

    # --- DELETE

    def delete(self):
        g = self.g
        how = g.one_of(["row", "row", "cells", "cells", "range", "range", "partition", "static"])
        using = self.using(False)
        if how == "cells" or (how == "static" and g.statics):
            columns = g.some(g.regular if how == "cells" else g.statics, 1)
            what = ", ".join(self.deletion(c) for c in columns) + " "
            where = g.partition + (g.clustering if how == "cells" else [])
            return "DELETE %sFROM t%s WHERE %s" % (what, using, self.keys_equal(where))
        where = [self.keys_equal(g.partition)]
        if how == "row" and g.clustering:
            where.append(self.keys_equal(g.clustering[: g.random.randint(1, len(g.clustering))]))
        elif how == "range" and g.clustering:
            where += self.range()
        return "DELETE FROM t%s WHERE %s" % (using, " AND ".join(w for w in where if w))

    def deletion(self, column):
        g, kind = self.g, column.kind
        if kind.multi_cell() and g.chance(50):
            if kind.name == "udt":
                return column.name + "." + g.one_of(kind.fields)[0]
            if kind.name == "list":
                return "%s[%s]" % (column.name, g.put(INT, str(g.one_of([0, 0, 1, 5, -1]))))
            return "%s[%s]" % (column.name, g.put(kind.parts[0], g.value(kind.parts[0])))
        return g.name(column)

    def range(self):
        """A prefix of the clustering columns by EQ or IN, then bounds of one column or of several."""
        g = self.g
        depth = g.random.randrange(len(g.clustering))
        parts = [self.keys_equal([c]) for c in g.clustering[:depth]]
        rest = g.clustering[depth:]
        if g.chance(40):
            return parts + self.row_bounds(rest)
        column = rest[0]
        if g.chance(10):
            parts.append("%s IN (%s, %s)" % (column.name, g.key_value(column), g.key_value(column)))
            return parts
        for operators in g.some([[">", ">="], ["<", "<="]], 1):
            parts.append("%s %s %s" % (column.name, g.one_of(operators), g.key_value(column)))
        return parts

    def row_bounds(self, columns):
        """(a, b) > (x, y) AND (a) <= (z): bounds of one length or of two."""
        g, parts = self.g, []
        for operators in g.some([[">", ">="], ["<", "<="]], 1):
            some = columns[: g.random.randint(1, len(columns))]
            parts.append(
                "(%s) %s (%s)"
                % (
                    ", ".join(c.name for c in some),
                    g.one_of(operators),
                    ", ".join(g.key_value(c) for c in some),
                )
            )
        return parts

