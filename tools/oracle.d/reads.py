# SPDX-License-Identifier: MIT
"""Random SELECT statements for generate.py."""

from generate import NUMBERS, Directed

OPERATORS = ["=", "=", "<", "<=", ">", ">="]


class Reads:
    def __init__(self, generator):
        self.g = generator

    def statement(self):
        g = self.g
        if g.chance(15):
            return Directed("SELECT * FROM t")
        self.filtering = g.chance(20)
        self.one_partition = False
        where = self.where()
        text = "SELECT %s FROM t%s%s" % (self.selection(), where, self.tail())
        text = Directed(text)
        if g.chance(35) and not (self.ordered and not self.one_partition):
            text.directives = ("page-size: %d" % g.one_of([1, 1, 2, 3, 7]),)
        return text

    # --- WHERE

    def where(self):
        g = self.g
        how = g.one_of(["all", "key", "key", "key", "key", "in", "token", "index", "loose"])
        parts = []
        if how == "key":
            self.one_partition = True
            parts = ["%s = %s" % (c.name, g.key_value(c)) for c in g.partition] + self.clustering()
        elif how == "in":
            parts = [self.membership(c) for c in g.partition] + self.clustering()
        elif how == "token":
            parts = self.token()
        elif how == "index" and g.indexed:
            parts = [self.restriction(g.indexed)]
        elif how == "loose":
            parts = [self.restriction(c) for c in g.some(g.columns, 1)[:2]]
        if self.filtering or how == "loose":
            self.filtering = g.chance(90)
            if g.chance(70):
                parts.append(self.restriction(g.one_of(g.regular + g.statics)))
        return " WHERE " + " AND ".join(parts) if parts else ""

    def membership(self, column):
        values = ", ".join(
            self.g.key_value(column)
            for _ in range(self.g.random.randint(0 if self.g.chance(10) else 1, 3))
        )
        return "%s IN (%s)" % (column.name, values)

    def token(self):
        g = self.g
        names = ", ".join(c.name for c in g.partition)
        parts = []
        for operators in g.some([[">", ">="], ["<", "<="]], 1):
            bound = g.one_of(
                [
                    "token(%s)" % ", ".join(g.key_value(c) for c in g.partition),
                    "0",
                    "-9223372036854775808",
                ]
            )
            parts.append("token(%s) %s %s" % (names, g.one_of(operators), bound))
        return parts

    def clustering(self):
        """A legal restriction of a prefix; now and then a gap, which is not legal."""
        g, parts = self.g, []
        columns = g.clustering[: g.random.randint(0, len(g.clustering))]
        if len(columns) >= 2 and g.chance(25):
            return [self.multi_column(columns)]
        for i, column in enumerate(columns):
            if g.chance(4):
                continue
            if g.chance(20):
                parts.append(self.membership(column))
            elif i == len(columns) - 1 and g.chance(60):
                parts += self.slice(column)
            else:
                parts.append("%s = %s" % (column.name, g.key_value(column)))
        return parts

    def slice(self, column):
        g = self.g
        bounds = g.some([[">", ">="], ["<", "<="]], 1)
        return ["%s %s %s" % (column.name, g.one_of(b), g.key_value(column)) for b in bounds]

    def multi_column(self, columns):
        g = self.g
        names = ", ".join(c.name for c in columns)
        row = lambda: "(%s)" % ", ".join(g.key_value(c) for c in columns)
        if g.chance(25):
            return "(%s) IN (%s, %s)" % (names, row(), row())
        return "(%s) %s %s" % (names, g.one_of(OPERATORS), row())

    def restriction(self, column):
        """A filter on any column."""
        g, kind = self.g, column.kind
        if column.name in g.keys:
            return "%s %s %s" % (column.name, g.one_of(OPERATORS), g.key_value(column))
        if kind.name in ("list", "set", "map") and not (kind.frozen and g.chance(50)):
            if kind.name == "map" and g.chance(50):
                return g.one_of(
                    [
                        "%s CONTAINS KEY %s" % (column.name, g.value(kind.parts[0])),
                        "%s[%s] = %s"
                        % (column.name, g.value(kind.parts[0]), g.value(kind.parts[1])),
                    ]
                )
            return "%s CONTAINS %s" % (column.name, g.value(kind.parts[-1]))
        if kind.name == "udt" and not kind.frozen:
            return "%s = %s" % (column.name, g.value(kind))
        return "%s %s %s" % (column.name, g.one_of(OPERATORS), g.value(kind))

    # --- what is selected

    def selection(self):
        g = self.g
        self.grouped = self.distinct = False
        how = g.one_of(
            ["star"] * 5
            + ["some"] * 4
            + ["functions"] * 3
            + ["json", "aggregate", "group", "group", "distinct"]
        )
        if how == "distinct":
            self.distinct = True
            return "DISTINCT " + ", ".join(c.name for c in g.partition + g.some(g.statics))
        if how == "group":
            self.grouped = True
            names = [c.name for c in g.partition + g.clustering[:1]]
            return ", ".join(names + [self.aggregate(), "count(*)"])
        if how == "aggregate":
            return ", ".join(self.aggregate() for _ in range(g.random.randint(1, 3)))
        if how == "functions":
            return ", ".join(self.selector(c) for c in g.some(g.columns, 1))
        if how == "json":
            return (
                "JSON *"
                if g.chance(50)
                else "JSON " + ", ".join(c.name for c in g.some(g.columns, 1))
            )
        return "*" if how == "star" else ", ".join(c.name for c in g.some(g.columns, 1))

    def aggregate(self):
        g = self.g
        column = g.one_of(g.columns)
        names = ["count", "min", "max"] + (
            ["sum", "avg"] if column.kind.name in NUMBERS + ("counter",) else []
        )
        return "%s(%s)" % (g.one_of(names), column.name)

    def selector(self, column):
        g, kind, name = self.g, column.kind, column.name
        choices = [name, "to_json(%s)" % name]
        if column.role in ("regular", "static") and kind.name != "counter":
            choices += ["writetime(%s)" % name] * (not g.server_clock) + ["ttl(%s)" % name]
        if kind.name in NUMBERS:
            choices += ["%s + %s" % (name, name), "CAST(%s AS text)" % name, "abs(%s)" % name]
        if kind.name == "map":
            choices += ["%s[%s]" % (name, g.value(kind.parts[0])), "map_keys(%s)" % name]
        if kind.name == "set":
            choices += [
                "%s[%s]" % (name, g.value(kind.parts[0])),
                "%s[%s..]" % (name, g.value(kind.parts[0])),
            ]
        if kind.name == "udt":
            choices += ["%s.a" % name]
        return g.one_of(choices)

    # --- the rest

    def tail(self):
        g, text = self.g, ""
        if self.grouped:
            names = g.partition + (g.clustering[:1] if g.clustering and g.chance(70) else [])
            text += " GROUP BY " + ", ".join(c.name for c in names)
        self.ordered = (
            bool(g.clustering) and not self.distinct and g.chance(35 if self.one_partition else 4)
        )
        if self.ordered:
            text += " ORDER BY " + self.order()
        if g.chance(15):
            text += " PER PARTITION LIMIT %d" % g.random.randint(1, 3)
        if g.chance(25):
            text += " LIMIT %d" % g.random.randint(1, 6)
        return text + (" ALLOW FILTERING" if self.filtering else "")

    def order(self):
        g = self.g
        count = g.random.randint(1, len(g.clustering))
        reverse = g.chance(60)
        words = []
        for column in g.clustering[:count]:
            down = column.descending != reverse
            if g.chance(3):
                down = not down
            words.append("%s %s" % (column.name, "DESC" if down else "ASC"))
        return ", ".join(words)
