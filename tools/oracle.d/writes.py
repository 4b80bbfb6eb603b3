# SPDX-License-Identifier: MIT
"""Random INSERT, UPDATE, DELETE and BATCH statements for generate.py."""

TIMESTAMPS = ["1", "2", "2", "3", "5"]
WRONG = ["'wrong'", "[true]", "1.5", "min_timeuuid(0)"]


class Writes:
    def __init__(self, generator):
        self.g = generator

    def statement(self):
        g = self.g
        if g.chance(4):
            return self.spoil(self.single())
        if g.chance(10):
            return self.batch()
        if g.server_clock and not g.counters and g.chance(35):
            return self.conditional()
        return self.single()

    def single(self):
        g = self.g
        if g.counters:
            return self.delete() if g.chance(10) else self.update()
        return g.one_of([self.insert] * 4 + [self.update] * 4 + [self.delete] * 3)()

    def batch(self):
        g = self.g
        head = "BEGIN %sBATCH" % ("COUNTER " if g.counters else g.one_of(["", "", "UNLOGGED "]))
        parts = [self.single() for _ in range(g.random.randint(2, 4))]
        return "%s %s; APPLY BATCH" % (head, "; ".join(parts))

    def spoil(self, text):
        """One thing wrong: a word left out, a column unknown, a value of another type."""
        g = self.g
        words = text.split(" ")
        at = g.random.randrange(len(words))
        how = g.one_of(["drop", "column", "value"])
        if how == "drop":
            del words[at]
        else:
            words[at] = "nope" if how == "column" else g.one_of(WRONG)
        return " ".join(words)

    # --- pieces

    def using(self, ttl=True):
        g, parts = self.g, []
        if g.counters:
            return ""
        if not g.server_clock:
            parts.append("TIMESTAMP " + g.one_of(TIMESTAMPS))
        if ttl and g.chance(20):
            parts.append("TTL %d" % g.one_of([0, 2, 5, 10, 50]))
        return " USING " + " AND ".join(parts) if parts else ""

    def keys_equal(self, columns):
        g, parts = self.g, []
        for column in columns:
            if g.chance(6):
                values = ", ".join(g.key_value(column) for _ in range(2))
                parts.append("%s IN (%s)" % (column.name, values))
            else:
                parts.append("%s = %s" % (column.name, g.key_value(column)))
        return " AND ".join(parts)

    # --- INSERT

    def insert(self):
        g = self.g
        statics_only = g.statics and g.chance(15)
        columns = g.partition + ([] if statics_only else g.clustering)
        others = g.some(g.statics, 1) if statics_only else g.some(g.regular + g.statics)
        values = [g.key_value(c) for c in columns] + [g.write_value(c.kind) for c in others]
        names = ", ".join(c.name for c in columns + others)
        return "INSERT INTO t (%s) VALUES (%s)%s" % (names, ", ".join(values), self.using())

    # --- UPDATE

    def update(self):
        g = self.g
        statics_only = g.statics and g.chance(20)
        columns = g.some(g.statics if statics_only else g.regular, 1)
        if not statics_only and g.statics and g.chance(20):
            columns.append(g.one_of(g.statics))
        where = self.keys_equal(g.partition + ([] if statics_only else g.clustering))
        sets = ", ".join(self.assignment(c) for c in columns)
        return "UPDATE t%s SET %s WHERE %s" % (self.using(), sets, where)

    def assignment(self, column):
        g, name, kind = self.g, column.name, column.kind
        if kind.name == "counter":
            return "%s = %s %s %s" % (name, name, g.one_of("+-"), g.value(kind).lstrip("-"))
        if kind.multi_cell() and g.chance(65):
            return getattr(self, "change_" + kind.name)(name, kind)
        return "%s = %s" % (name, g.write_value(kind))

    def change_list(self, name, kind):
        g = self.g
        value = g.value(kind)
        return g.one_of(
            [
                "%s = %s + %s" % (name, name, value),
                "%s = %s + %s" % (name, value, name),
                "%s = %s - %s" % (name, name, value),
                "%s[%d] = %s" % (name, g.random.randint(0, 1), g.write_value(kind.parts[0])),
            ]
        )

    def change_set(self, name, kind):
        return "%s = %s %s %s" % (name, name, self.g.one_of("+-"), self.g.value(kind))

    def change_map(self, name, kind):
        g = self.g
        keys = ", ".join(g.distinct(kind.parts[0], 2))
        return g.one_of(
            [
                "%s = %s + %s" % (name, name, g.value(kind)),
                "%s = %s - {%s}" % (name, name, keys),
                "%s[%s] = %s" % (name, g.value(kind.parts[0]), g.write_value(kind.parts[1])),
            ]
        )

    def change_udt(self, name, _):
        g = self.g
        field, part = g.one_of([("a", "int"), ("b", "text")])
        return "%s.%s = %s" % (
            name,
            field,
            "null" if g.chance(20) else g.one_of({"int": ["0", "5"], "text": ["''", "'q'"]}[part]),
        )

    # --- DELETE

    def delete(self):
        g = self.g
        how = g.one_of(["row", "row", "cells", "cells", "range", "range", "partition", "static"])
        if how == "cells" or (how == "static" and g.statics):
            columns = g.some(g.regular if how == "cells" else g.statics, 1)
            what = ", ".join(self.deletion(c) for c in columns) + " "
            where = g.partition + (g.clustering if how == "cells" else [])
            return "DELETE %sFROM t%s WHERE %s" % (what, self.using(False), self.keys_equal(where))
        where = self.keys_equal(g.partition)
        if how == "row" and g.clustering:
            where += " AND " + self.keys_equal(g.clustering)
        elif how == "range" and g.clustering:
            where += self.slice()
        return "DELETE FROM t%s WHERE %s" % (self.using(False), where)

    def deletion(self, column):
        g, kind = self.g, column.kind
        if kind.multi_cell() and g.chance(50):
            if kind.name == "udt":
                return column.name + "." + g.one_of("ab")
            index = str(g.random.randint(0, 1)) if kind.name == "list" else g.value(kind.parts[0])
            return "%s[%s]" % (column.name, index)
        return column.name

    def slice(self):
        """A prefix of the clustering columns by EQ, then one column with one or two bounds."""
        g = self.g
        depth = g.random.randrange(len(g.clustering))
        text = "".join(" AND %s = %s" % (c.name, g.key_value(c)) for c in g.clustering[:depth])
        column = g.clustering[depth]
        if g.chance(30) and depth == 0 and len(g.clustering) > 1:
            names = ", ".join(c.name for c in g.clustering[:2])
            values = ", ".join(g.key_value(c) for c in g.clustering[:2])
            return text + " AND (%s) %s (%s)" % (names, g.one_of(["<", "<=", ">", ">="]), values)
        if g.chance(70):
            text += " AND %s %s %s" % (column.name, g.one_of([">", ">="]), g.key_value(column))
        if g.chance(70):
            text += " AND %s %s %s" % (column.name, g.one_of(["<", "<="]), g.key_value(column))
        return text

    # --- conditions

    def conditional(self):
        g = self.g
        keys = ", ".join(c.name for c in g.partition + g.clustering)
        values = ", ".join(g.key_value(c) for c in g.partition + g.clustering)
        where = " AND ".join(
            "%s = %s" % (c.name, g.key_value(c)) for c in g.partition + g.clustering
        )
        how = g.random.randrange(3)
        if how == 0:
            column = g.one_of(g.regular)
            return "INSERT INTO t (%s, %s) VALUES (%s, %s) IF NOT EXISTS" % (
                keys,
                column.name,
                values,
                g.write_value(column.kind),
            )
        condition = (
            "EXISTS"
            if g.chance(25)
            else " AND ".join(self.condition(c) for c in g.some(g.regular + g.statics, 1)[:2])
        )
        if how == 1:
            return "DELETE FROM t WHERE %s IF %s" % (where, condition)
        sets = ", ".join(self.assignment(c) for c in g.some(g.regular, 1))
        return "UPDATE t SET %s WHERE %s IF %s" % (sets, where, condition)

    def condition(self, column):
        g, kind = self.g, column.kind
        if kind.name == "map" and g.chance(40):
            return "%s[%s] %s %s" % (
                column.name,
                g.value(kind.parts[0]),
                g.one_of(["=", "!=", "<", ">="]),
                g.value(kind.parts[1]),
            )
        if kind.name == "list" and g.chance(40):
            return "%s[%d] = %s" % (column.name, g.random.randint(0, 2), g.value(kind.parts[0]))
        if kind.name in ("list", "set", "map") and g.chance(30):
            return "%s CONTAINS %s" % (column.name, g.value(kind.parts[-1]))
        if g.chance(20):
            return "%s IN (%s, %s)" % (column.name, g.value(kind), g.value(kind))
        operator = g.one_of(["=", "=", "=", "!=", "<", "<=", ">", ">="])
        value = "null" if g.chance(25) and operator in ("=", "!=") else g.value(kind)
        return "%s %s %s" % (column.name, operator, value)
