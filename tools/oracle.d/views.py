# SPDX-License-Identifier: MIT
"""Random materialized views of the table and what is asked of them, for generate.py.

Left out, since the server's views follow by messages and keep shadows of old rows (docs/views.md): times to live; and, where a view's key
has a column that is not in the table's or a column of the table is not in the view, timestamps that do not rise."""

import contextlib

from generate import Column
from reads import Reads

MOST = 3
STANDING = ("target", "partition", "clustering", "statics", "regular", "indexed")
PLAIN = ("bigint", "int", "smallint", "tinyint", "varint", "boolean")


class View:
    """The columns as those of a table."""

    def __init__(self, name, partition, clustering, regular, whole, ordered):
        self.name, self.whole, self.ordered = name, whole, ordered
        self.partition, self.clustering, self.regular = partition, clustering, regular

    def keys(self):
        return self.partition + self.clustering


class Views:
    def __init__(self, generator):
        self.g = generator
        self.reads = Reads(generator)
        self.views, self.made = [], 0
        for _ in range(generator.one_of([1, 1, 2, 3])):
            generator.add(self.create())

    def statement(self):
        g = self.g
        if self.views and g.chance(80):
            return self.read()
        return g.one_of([self.create, self.drop, self.add, self.rename] + [self.wrong] * 4 + [self.show] * 2)()

    def read(self):
        with self.standing(self.g.one_of(self.views)):
            return self.reads.statement()

    @contextlib.contextmanager
    def standing(self, view):
        """The view in the place of the table."""
        g = self.g
        kept = {name: getattr(g, name) for name in STANDING}
        g.target, g.partition, g.clustering, g.regular = view.name, view.partition, view.clustering, view.regular
        g.statics, g.indexed = [], []
        g.settle()
        try:
            yield
        finally:
            for name, value in kept.items():
                setattr(g, name, value)
            g.settle()

    # --- the views

    def key_columns(self):
        """The table's key in another order, with one more column unless timestamps are tied."""
        g = self.g
        more = [c for c in g.regular if not c.kind.multi_cell() and c.kind.name != "duration"]
        columns = g.partition + g.clustering
        if more and g.may_add_keys and g.chance(75):
            column = g.one_of(more)
            columns = columns + [column]
            g.keys.setdefault(column.name, [g.value(column.kind) for _ in range(4)])
        return g.random.sample(columns, len(columns))

    def create(self):
        g = self.g
        if len(self.views) >= MOST:
            return self.show()
        self.made += 1
        name, columns = "m%d" % self.made, self.key_columns()
        first = g.one_of([1, 1, 1, 2])
        role = lambda i: "partition" if i < first else "clustering"
        keys = [Column(c.name, c.kind, role(i), i >= first and g.chance(40)) for i, c in enumerate(columns)]
        ordered = any(c.descending for c in keys)
        for column, base in zip(keys, columns):
            if column.role == "partition":
                column.reversed = base.reversed
            elif not ordered:
                column.descending = column.reversed = base.reversed
        names = {c.name for c in keys}
        others = [c for c in g.regular if c.name not in names]
        whole = not g.statics and g.chance(60)
        view = View(name, keys[:first], keys[first:], others if whole or not g.may_add_keys else g.some(others), whole, ordered)
        self.views.append(view)
        return self.definition(view)

    def definition(self, view):
        g = self.g
        selected = "*" if view.whole else ", ".join(c.name for c in g.random.sample(view.keys(), len(view.keys())) + view.regular)
        partition = ", ".join(c.name for c in view.partition)
        key = ", ".join(["(%s)" % partition] + [c.name for c in view.clustering])
        text = "CREATE MATERIALIZED VIEW %s AS SELECT %s FROM t WHERE %s PRIMARY KEY (%s)" % (
            view.name,
            selected,
            " AND ".join(self.conditions(view)),
            key,
        )
        if view.ordered:
            order = ", ".join("%s %s" % (c.name, "DESC" if c.descending else "ASC") for c in view.clustering)
            text += " WITH CLUSTERING ORDER BY (%s)" % order
        return text

    def conditions(self, view):
        g = self.g
        parts = ["%s IS NOT NULL" % c.name for c in view.keys()]
        own = [c for c in g.partition + g.clustering if c.kind.name in PLAIN]
        if own and g.chance(25):
            column = g.one_of(own)
            operator = g.one_of(["=", ">=", "<"]) if column in g.clustering and column.kind.name != "boolean" else "="
            parts.append("%s %s %s" % (column.name, operator, g.one_of(g.keys[column.name])))
        return parts

    def drop(self):
        if len(self.views) < 2:
            return self.create()
        view = self.views.pop(self.g.random.randrange(len(self.views)))
        return "DROP MATERIALIZED VIEW " + view.name

    # --- the table

    def add(self):
        """A column that views of all columns have too."""
        g = self.g
        self.made += 1
        column = Column("a%d" % self.made, g.kind(), "regular")
        if len(g.regular) > 5 or not g.may_add_keys and not all(view.whole for view in self.views):
            return self.show()
        g.regular.append(column)
        g.settle()
        for view in self.views:
            if view.whole and view.regular is not g.regular:
                view.regular.append(column)
        return "ALTER TABLE t ADD %s %s" % (column.name, column.kind.text())

    def rename(self):
        g = self.g
        column = g.one_of(g.partition + g.clustering)
        old, new = column.name, column.name + "r"
        g.keys[new] = g.keys.pop(old)
        for renamed in [column] + [c for view in self.views for c in view.keys() if c.name == old]:
            renamed.name = new
        return "ALTER TABLE t RENAME %s TO %s" % (old, new)

    def wrong(self):
        """What the server refuses."""
        g = self.g
        view = g.one_of(self.views).name if self.views else "m0"
        column, regular = g.one_of(g.columns), g.one_of(g.regular)
        keys = ", ".join(c.name for c in g.partition + g.clustering)
        all_there = " AND ".join("%s IS NOT NULL" % c.name for c in g.partition + g.clustering)
        return g.one_of(
            [
                "ALTER TABLE t DROP %s" % column.name,
                "DROP TABLE t",
                "DROP TABLE " + view,
                "DROP MATERIALIZED VIEW t",
                "TRUNCATE " + view,
                "INSERT INTO %s (%s) VALUES (%s)" % (view, keys, ", ".join(g.key_value(c) for c in g.partition + g.clustering)),
                "DELETE FROM %s WHERE %s" % (view, " AND ".join("%s = %s" % (c.name, g.key_value(c)) for c in g.partition)),
                "ALTER TABLE %s ADD zz int" % view,
                "ALTER MATERIALIZED VIEW %s WITH %s" % (view, g.one_of(["gc_grace_seconds = 0", "comment = 'x'", "nope = 1", "default_time_to_live = 5"])),
                "CREATE INDEX ON %s (%s)" % (view, regular.name),
                "CREATE MATERIALIZED VIEW mx AS SELECT * FROM t WHERE %s PRIMARY KEY (%s, %s)" % (all_there, column.name, keys),
                "CREATE MATERIALIZED VIEW mx AS SELECT %s FROM t WHERE %s PRIMARY KEY (%s)" % (regular.name, all_there, keys),
                "CREATE MATERIALIZED VIEW mx AS SELECT * FROM t WHERE %s IS NOT NULL PRIMARY KEY (%s)" % (column.name, keys),
                "CREATE MATERIALIZED VIEW mx AS SELECT * FROM t WHERE %s PRIMARY KEY (%s)" % (all_there, g.one_of(g.partition).name),
                "CREATE MATERIALIZED VIEW mx AS SELECT %s, count(*) FROM t WHERE %s PRIMARY KEY (%s)" % (keys, all_there, keys),
                "CREATE MATERIALIZED VIEW mx AS SELECT * FROM %s WHERE %s PRIMARY KEY (%s)" % (view, all_there, keys),
                "CREATE MATERIALIZED VIEW %s AS SELECT * FROM t WHERE %s PRIMARY KEY (%s)" % (view, all_there, keys),
            ]
        )

    def show(self):
        view = self.g.one_of(self.views).name if self.views else "m0"
        return self.g.one_of(
            [
                "DESCRIBE MATERIALIZED VIEW " + view,
                "SELECT view_name, base_table_name, include_all_columns, where_clause FROM system_schema.views WHERE keyspace_name = 'golden'",
                "SELECT column_name, clustering_order, kind, position, type FROM"
                " system_schema.columns WHERE keyspace_name = 'golden' AND table_name = '%s'" % view,
                "SELECT view_name FROM system.built_views WHERE keyspace_name = 'golden'",
            ]
        )
