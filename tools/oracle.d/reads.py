# SPDX-License-Identifier: MIT
"""Random SELECT statements for generate.py."""

from generate import directed
from kinds import Kind
from selections import Selectors

OPERATORS = ["=", "=", "<", "<=", ">", ">="]
INT = Kind("int")


class Reads:
    def __init__(self, generator):
        self.g = generator
        self.selectors = Selectors(generator)

    def statement(self):
        g = self.g
        if g.chance(12):
            return directed("SELECT * FROM " + g.target)
        self.filtering = g.chance(25)
        g.odd_bytes = True
        self.one_partition = False
        selection = self.selection()
        where = self.where()
        text = "SELECT %s FROM %s%s%s" % (selection, g.target, where, self.tail())
        if g.chance(40) and not (self.ordered and not self.one_partition):
            return directed(text, "page-size: %d" % g.one_of([1, 1, 1, 2, 2, 3, 4, 5, 7]))
        return directed(text)

    # --- WHERE

    def where(self):
        g = self.g
        ways = ["all"] * 3 + ["key"] * 6 + ["in"] * 2 + ["token", "loose", "loose"]
        how = g.one_of(ways + (["index"] * 5 if g.indexed else []))
        parts = []
        if how == "key":
            self.one_partition = True
            parts = ["%s = %s" % (g.name(c), g.key_value(c)) for c in g.partition]
            parts += self.clustering()
        elif how == "in":
            parts = [
                self.membership(c) if g.chance(75) else "%s = %s" % (c.name, g.key_value(c))
                for c in g.partition
            ] + self.clustering()
        elif how == "token":
            parts = self.token()
            if g.chance(20):
                parts += ["%s = %s" % (c.name, g.key_value(c)) for c in g.partition]
        elif how == "index":
            parts = [self.restriction(g.one_of(g.indexed))]
            if g.chance(30):
                parts += ["%s = %s" % (c.name, g.key_value(c)) for c in g.partition]
                parts += self.clustering() if g.chance(50) else []
        elif how == "loose":
            parts = [self.restriction(c) for c in g.some(g.columns, 1)[:3]]
        if self.filtering or how == "loose":
            self.filtering = g.chance(92)
            for _ in range(g.one_of([0, 1, 1, 1, 2])):
                parts.append(self.restriction(g.one_of(g.regular + g.statics or g.columns)))
        if g.errors and g.chance(1) and parts:
            parts.append(g.one_of(parts))
        if g.errors and g.chance(1):
            g.random.shuffle(parts)
        return " WHERE " + " AND ".join(parts) if parts else ""

    def membership(self, column):
        g = self.g
        # The partitions that a view takes from a descending column come in another order.
        if column.role == "partition" and column.reversed:
            return "%s = %s" % (column.name, g.key_value(column))
        if g.bound is not None and g.chance(30):
            values = ", ".join(g.one_of(g.keys[column.name]) for _ in range(g.random.randint(0, 3)))
            return "%s IN %s" % (column.name, g.marker(column.kind, "[%s]" % values))
        values = ", ".join(
            g.key_value(column) for _ in range(g.random.randint(0 if g.chance(10) else 1, 3))
        )
        return "%s IN (%s)" % (g.name(column), values)

    def token(self):
        g = self.g
        names = ", ".join(c.name for c in g.partition)
        parts = []
        for operators in g.some([[">", ">="], ["<", "<="]], 1) if g.chance(90) else [["="]]:
            bound = g.one_of(
                [
                    "0" if any(c.reversed for c in g.partition) else "token(%s)" % ", ".join(g.key_value(c) for c in g.partition),
                    "0",
                    "-9223372036854775808",
                    "9223372036854775807",
                ]
            )
            parts.append("token(%s) %s %s" % (names, g.one_of(operators), bound))
        return parts

    def clustering(self):
        """A legal restriction of a prefix; now and then a gap, which is not legal."""
        g, parts = self.g, []
        columns = g.clustering[: g.random.randint(0, len(g.clustering))]
        if columns and g.chance(25):
            first = g.random.randrange(len(columns))
            parts = ["%s = %s" % (c.name, g.key_value(c)) for c in columns[:first]]
            return parts + self.multi_column(columns[first:])
        for i, column in enumerate(columns):
            if g.chance(4):
                continue
            if g.chance(20):
                parts.append(self.membership(column))
            elif i == len(columns) - 1 and g.chance(60):
                parts += self.slice(column)
            else:
                parts.append("%s = %s" % (g.name(column), g.key_value(column)))
        return parts

    def slice(self, column):
        g = self.g
        bounds = g.some([[">", ">="], ["<", "<="]], 1)
        return ["%s %s %s" % (g.name(column), g.one_of(b), g.key_value(column)) for b in bounds]

    def multi_column(self, columns):
        g = self.g
        names = lambda some: ", ".join(c.name for c in some)
        row = lambda some: "(%s)" % ", ".join(g.key_value(c) for c in some)
        how = g.random.random()
        if how < 0.25:
            rows = ", ".join(row(columns) for _ in range(g.random.randint(0, 3)))
            return ["(%s) IN (%s)" % (names(columns), rows)]
        if how < 0.4:
            return ["(%s) = %s" % (names(columns), row(columns))]
        parts = []
        for operators in g.some([[">", ">="], ["<", "<="]], 1):
            some = columns[: g.random.randint(1, len(columns))]
            parts.append("(%s) %s %s" % (names(some), g.one_of(operators), row(some)))
        return parts

    def restriction(self, column):
        """A filter on any column."""
        g, kind, name = self.g, column.kind, self.g.name(column)
        if column.is_key():
            if g.chance(20):
                return self.membership(column)
            return "%s %s %s" % (name, g.one_of(OPERATORS), g.key_value(column))
        if kind.name in ("list", "set", "map") and not (kind.frozen and g.chance(50)):
            if kind.name == "map" and g.chance(60):
                key = g.put(kind.parts[0], g.value(kind.parts[0]))
                if g.chance(50):
                    return "%s CONTAINS KEY %s" % (name, key)
                operator = g.one_of(["=", "=", "=", "<", ">="]) if g.chance(30) else "="
                return "%s[%s] %s %s" % (name, key, operator, g.put(kind.parts[1]))
            return "%s CONTAINS %s" % (name, g.put(kind.parts[-1]))
        if kind.name == "udt" and not kind.frozen and g.chance(80):
            return "%s = %s" % (name, g.put(kind))
        if g.chance(10):
            values = ", ".join(g.put(kind, g.value(kind)) for _ in range(g.random.randint(0, 3)))
            return "%s IN (%s)" % (name, values)
        if g.errors and g.chance(1):
            return "%s %s" % (name, g.one_of(["IS NOT NULL", "!= 1", "= null", "CONTAINS 1"]))
        return "%s %s %s" % (name, g.one_of(OPERATORS), g.put(kind))

    # --- what is selected

    def selection(self):
        g = self.g
        self.grouped = self.distinct = False
        how = g.one_of(
            ["star"] * 5
            + ["some"] * 3
            + ["functions"] * 5
            + ["json"] * 2
            + ["aggregate"] * 2
            + ["group"] * 3
            + ["distinct"]
        )
        if how == "distinct":
            self.distinct = True
            columns = g.partition + g.some(g.statics)
            if g.errors and g.chance(5):
                columns = g.some(g.columns, 1)
            text = ", ".join(c.name for c in columns)
            return g.one_of(["DISTINCT ", "DISTINCT ", "JSON DISTINCT ", "DISTINCT JSON "]) + text
        if how == "group":
            self.grouped = True
            names = [c.name for c in g.some(g.partition + g.clustering[:1] + g.statics)]
            more = [self.selectors.aggregate() for _ in range(g.random.randint(1, 2))]
            names += [self.selectors.selector()] if g.chance(10) else []
            return ("JSON " if g.chance(5) else "") + ", ".join(names + more + ["count(*)"])
        if how == "aggregate":
            texts = [self.selectors.aggregate() for _ in range(g.random.randint(1, 3))]
            texts += [self.selectors.selector()] if g.chance(10) else []
            return ", ".join(texts)
        if how == "functions":
            return ", ".join(self.selectors.selector() for _ in range(g.random.randint(1, 3)))
        if how == "json":
            if g.chance(40):
                return "JSON *"
            if g.chance(30):
                return "JSON " + ", ".join(
                    self.selectors.selector() for _ in range(g.random.randint(1, 2))
                )
            return "JSON " + ", ".join(c.name for c in g.some(g.columns, 1))
        return "*" if how == "star" else ", ".join(g.name(c) for c in g.some(g.columns, 1))

    # --- the rest

    def tail(self):
        g, text = self.g, ""
        if self.grouped:
            text += " GROUP BY " + ", ".join(self.groups())
        self.ordered = (
            bool(g.clustering) and not self.distinct and g.chance(35 if self.one_partition else 4)
        )
        if self.ordered:
            text += " ORDER BY " + self.order()
        if g.chance(20):
            text += " PER PARTITION LIMIT " + self.limit(1, 3)
        if g.chance(30):
            text += " LIMIT " + self.limit(1, 8)
        return text + (" ALLOW FILTERING" if self.filtering else "")

    def limit(self, low, high):
        g = self.g
        number = str(g.random.randint(low, high))
        if g.errors and g.chance(1.5):
            number = g.one_of(["0", "-1", "2147483647", "'a'"])
        if g.bound is None or number == "'a'":
            return number
        return g.marker(INT, number)

    def groups(self):
        g = self.g
        columns = g.partition + g.clustering
        names = [c.name for c in columns]
        if self.one_partition and g.chance(30):
            names = names[len(g.partition) :] or names
        else:
            low = 1 if g.errors and g.chance(5) else len(g.partition)
            names = names[: g.random.randint(low, len(names))]
        if g.errors and g.chance(2):
            g.random.shuffle(names)
        if names and g.chance(15):
            names[-1] = self.group_function(names[-1])
        return names

    def group_function(self, name):
        """A function over the last group, where its column's type has one."""
        g = self.g
        kind = next(c.kind.name for c in g.columns if c.name == name)
        if kind in ("timestamp", "date"):
            return g.one_of(["floor(%s, 1d)", "floor(%s, 3d, '1960-01-01')", "to_date(%s)"]) % name
        if kind in ("int", "bigint", "smallint"):
            return g.one_of(["floor(%s, 2)", "%s + 1", "abs(%s)"]) % name
        if kind == "timeuuid":
            return g.one_of(["floor(%s, 1h)", "to_date(%s)"]) % name
        return name

    def order(self):
        g = self.g
        first = 0
        if self.one_partition and g.chance(15):
            first = g.random.randrange(len(g.clustering))
        count = g.random.randint(1, len(g.clustering) - first)
        reverse = g.chance(60)
        words = []
        for column in g.clustering[first : first + count]:
            down = column.descending != reverse
            if g.chance(3):
                down = not down
            words.append("%s %s" % (column.name, "DESC" if down else "ASC"))
        if g.errors and g.chance(2):
            words = [g.one_of(g.columns).name]
        return ", ".join(words)
