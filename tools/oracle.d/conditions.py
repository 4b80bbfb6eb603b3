# SPDX-License-Identifier: MIT
"""Random conditional statements, alone and in batches, for writes.py."""

from kinds import Kind


class Conditions:
    def __init__(self, generator, writes):
        self.g, self.writes = generator, writes
        self.among_others = False  # in a batch

    def statement(self):
        g = self.g
        if g.chance(20):
            return self.batch()
        return self.single(self.keys())

    def keys(self):
        """A value for every key column; statements of a batch share those of the partition."""
        g = self.g
        return {c.name: g.one_of(g.keys[c.name]) for c in g.partition + g.clustering}

    def where(self, keys, columns):
        g = self.g
        if g.errors and g.chance(1):
            columns = columns[:-1]
        if g.errors and g.chance(1):
            column = columns[-1] if columns else g.partition[0]
            return "%s IN (%s)" % (column.name, g.key_value(column))
        return " AND ".join("%s = %s" % (c.name, g.put_key(c, keys[c.name])) for c in columns)

    def single(self, keys):
        g = self.g
        statics_only = bool(g.statics) and g.chance(15)
        columns = g.partition + ([] if statics_only else g.clustering)
        others = g.statics if statics_only else g.regular
        how = g.one_of(["insert", "delete", "cells", "update", "update"])
        if how == "insert":
            return self.insert(keys, columns, g.some(others, 1)[:2])
        # The parts in the order of the text, so that markers are.
        using = self.writes.using() if g.errors and g.chance(3) else ""
        if how == "delete":
            text = "DELETE FROM t%s WHERE %s" % (using, self.where(keys, columns))
        elif how == "cells":
            what = ", ".join(self.writes.deletion(c) for c in g.some(others, 1))
            text = "DELETE %s FROM t%s WHERE %s" % (what, using, self.where(keys, columns))
        else:
            sets = ", ".join(self.writes.assignment(c) for c in g.some(others, 1))
            text = "UPDATE t%s SET %s WHERE %s" % (using, sets, self.where(keys, columns))
        return "%s IF %s" % (text, self.condition(others))

    def insert(self, keys, columns, others):
        g = self.g
        names = ", ".join(c.name for c in columns + others)
        values = ", ".join(
            [g.put_key(c, keys[c.name]) for c in columns] + [g.put(c.kind) for c in others]
        )
        return "INSERT INTO t (%s) VALUES (%s) IF NOT EXISTS" % (names, values)

    def batch(self):
        """Statements of one partition, of which some have conditions."""
        g, parts = self.g, []
        keys, self.among_others = self.keys(), True
        for _ in range(g.random.randint(1, 3)):
            for column in g.clustering:
                keys[column.name] = g.one_of(g.keys[column.name])
            if g.errors and g.chance(2):
                keys = self.keys()
            text = self.single(keys)
            # One keeps its condition: the time of the others is the server's too, but not by the same clock.
            if parts and g.chance(30):
                text = text.partition(" IF ")[0]
            parts.append(text)
        self.among_others = False
        head = g.one_of(["", "", "UNLOGGED "])
        using = "USING TIMESTAMP 3 " if g.errors and g.chance(2) else ""
        return "BEGIN %sBATCH %s%s; APPLY BATCH" % (head, using, "; ".join(parts))

    def condition(self, others):
        g = self.g
        if g.chance(25):
            return "EXISTS"
        columns = g.regular + g.statics if g.chance(50) else others
        if g.errors and g.chance(1):
            columns = g.columns
        chosen = g.some(columns, 1)[:2]
        if g.chance(15):
            chosen += chosen[:1]
        self.safe = len(chosen) > 1 or self.among_others
        return " AND ".join(self.compare(c) for c in chosen)

    def compare(self, column):
        g, kind, name = self.g, column.kind, self.g.name(column)
        same = kind.name == "map" and kind.parts[0].text() == kind.parts[1].text()
        if same and kind.multi_cell() and g.chance(80):
            key = g.put(kind.parts[0], g.value(kind.parts[0]))
            return self.relation("%s[%s]" % (name, key), kind.parts[1])
        if kind.name == "list" and kind.multi_cell() and g.chance(40):
            index = str(g.one_of([0, 0, 1, 2] if self.safe else [0, 1, -1]))
            return self.relation("%s[%s]" % (name, index), kind.parts[0])
        if kind.name == "udt" and g.chance(50):
            field, part = g.one_of(kind.fields)
            return self.relation("%s.%s" % (name, field), part)
        if kind.name in ("list", "set", "map") and not self.safe and g.chance(30):
            if kind.name == "map" and g.chance(50):
                return "%s CONTAINS KEY %s" % (name, g.put(kind.parts[0]))
            return "%s CONTAINS %s" % (name, g.put(kind.parts[-1]))
        return self.relation(name, kind)

    def relation(self, left, kind):
        g = self.g
        if g.chance(20):
            values = ", ".join(g.put(kind) for _ in range(g.random.randint(0, 3)))
            return "%s IN (%s)" % (left, values)
        operator = g.one_of(["=", "=", "=", "!=", "<", "<=", ">", ">="])
        if self.safe:
            value = g.value(kind)
            operator = g.one_of(["=", "!="]) if value in ("[]", "{}") else operator
            return "%s %s %s" % (left, operator, value)
        return "%s %s %s" % (left, operator, g.put(kind))
