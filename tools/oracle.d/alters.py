# SPDX-License-Identifier: MIT
"""Random changes of the schema between writes and reads, for generate.py.

Left out: changes of a user type that stands inside a vector. The server's tables go on with the type as it was."""

from generate import NAMES, Column
from kinds import Kind


def holds(kind, name):
    """Whether values of the type have values of this user type in them."""
    inner = [part for _, part in kind.fields] + list(kind.parts)
    return kind.udt == name or any(holds(part, name) for part in inner)


def holds_in_vector(kind, name, inside=False):
    """The server's tables go on with the type as it was where it stands inside a vector."""
    if kind.udt == name and inside:
        return True
    inner = [part for _, part in kind.fields] + list(kind.parts)
    return any(holds_in_vector(part, name, inside or kind.name == "vector") for part in inner)


class Alters:
    def __init__(self, generator):
        self.g = generator
        self.times = set()  # the columns that were dropped once

    def statement(self):
        g = self.g
        return g.one_of(
            [self.drop] * 3
            + [self.add] * 3
            + [self.retype] * (6 if g.theme == "types" else 0)
            + [self.truncate, self.rename, self.wrong, self.show, self.show, self.mask, self.conditional, self.options]
        )()

    def droppable(self):
        g = self.g
        return [c for c in g.regular + g.statics if c not in g.indexed]

    def drop(self):
        g = self.g
        candidates = self.droppable()
        if len(g.regular) < 2 or not candidates:
            return self.add()
        column = g.one_of(candidates)
        if column.role == "regular" and len(g.regular) < 2:
            return self.add()
        (g.regular if column.role == "regular" else g.statics).remove(column)
        g.dropped.append(column)
        g.settle()
        # Of two times in the past the server goes by one or the other.
        again = column.name in self.times
        self.times.add(column.name)
        when = "" if not g.stamped or again or g.chance(50) else " USING TIMESTAMP %d" % g.one_of([1, 2, 3])
        return "ALTER TABLE t DROP %s%s" % (column.name, when)

    def add(self):
        """Brings a dropped column back, or adds a new one."""
        g = self.g
        back = [c for c in g.dropped if c.name not in [d.name for d in g.columns]]
        free = [name for name in NAMES if name not in [c.name for c in g.columns + g.dropped]]
        if back and (g.chance(80) or not free):
            column = g.one_of(back)
            g.dropped.remove(column)
        elif free and not g.counters:
            column = Column(g.one_of(free), g.kind(), "regular")
        else:
            return self.show()
        (g.regular if column.role == "regular" else g.statics).append(column)
        g.settle()
        static = " static" if column.role == "static" else ""
        return "ALTER TABLE t ADD %s %s%s" % (column.name, column.kind.text(), static)

    def rename(self):
        g = self.g
        columns = [c for c in g.clustering + g.partition if c not in g.indexed]
        if not columns:
            return self.show()
        column = g.one_of(columns)
        old, new = column.name, column.name + "r"
        column.name = new
        g.keys[new] = g.keys.pop(old)
        return "ALTER TABLE t RENAME %s TO %s" % (old, new)

    def retype(self):
        """A field more, or one with another name, of a type that the table may hold values of."""
        g = self.g
        name = g.one_of(["u", "u", "n"])
        if any(holds_in_vector(c.kind, name) for c in g.columns + g.dropped):
            return self.show()
        fields, keys = g.types[name], [c for c in g.partition + g.clustering if holds(c.kind, name)]
        if g.chance(60) and len(fields) < 6:
            kind = g.native() if g.chance(70) else Kind("list", g.native(), frozen=True)
            field = "f%d" % len(fields)
            if not any(c.role == "partition" for c in keys):
                fields.append((field, kind))
            return "ALTER TYPE %s ADD %s %s" % (name, field, kind.text())
        if keys:
            return self.show()
        at = g.random.randrange(len(fields))
        old, kind = fields[at]
        new = old.strip('"').lower() + "r"
        fields[at] = (new, kind)
        return "ALTER TYPE %s RENAME %s TO %s" % (name, old, new)

    def truncate(self):
        return "TRUNCATE t" if self.g.chance(40) else self.show()

    def wrong(self):
        """Changes that the server refuses."""
        g = self.g
        column, other = g.one_of(g.columns), g.one_of(g.columns)
        return g.one_of(
            [
                "ALTER TABLE t DROP %s" % g.one_of(g.partition + g.clustering).name,
                "ALTER TABLE t ADD %s int" % column.name,
                "ALTER TABLE t RENAME %s TO %s" % (column.name, other.name),
                "ALTER TABLE t DROP nope",
                "ALTER TABLE t ALTER %s TYPE text" % column.name,
                "CREATE TABLE t (k int PRIMARY KEY)",
                "CREATE INDEX ON t (nope)",
                "CREATE INDEX ON t (KEYS(%s))" % g.partition[0].name,
                "ALTER TYPE u ADD a int",
                "ALTER TYPE u RENAME a TO b",
                "DROP TYPE u",
                "DROP INDEX nope",
                "ALTER TYPE u ADD z u",
                "ALTER TYPE n ADD z list<int>",
                "ALTER TYPE n RENAME nope TO z",
                "ALTER TYPE nope ADD a int",
                "ALTER TYPE u ALTER a TYPE text",
            ]
        )

    def mask(self):
        """Who may see everything sees it, but masks are part of the table."""
        g = self.g
        column = g.one_of(g.regular + g.statics + g.clustering)
        how = g.one_of(["DEFAULT", "mask_null()", "mask_default()", "mask_replace(%s)" % g.value(column.kind), "mask_inner(1, null)"])
        return "ALTER TABLE t ALTER %s %s" % (column.name, "DROP MASKED" if g.chance(30) else "MASKED WITH " + how)

    def conditional(self):
        """What there is already, or is not there."""
        g = self.g
        column = g.one_of(g.columns)
        return g.one_of(
            [
                "ALTER TABLE t ADD IF NOT EXISTS %s int" % column.name,
                "ALTER TABLE t DROP IF EXISTS nope",
                "ALTER TABLE IF EXISTS nope ADD x int",
                "ALTER TABLE t RENAME IF EXISTS nope TO nope2",
                "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",
                "CREATE TYPE IF NOT EXISTS u (a int)",
                "ALTER TYPE IF EXISTS nope ADD x int",
                "ALTER TYPE u ADD IF NOT EXISTS b int",
                "DROP TABLE IF EXISTS nope",
                "DROP TYPE IF EXISTS nope",
                "DROP INDEX IF EXISTS nope",
                "DROP MATERIALIZED VIEW IF EXISTS nope",
            ]
        )

    def options(self):
        return "ALTER TABLE t WITH " + self.g.one_of(
            [
                "comment = 'it''s'",
                "caching = {'keys': 'NONE', 'rows_per_partition': '10'}",
                "speculative_retry = 'ALWAYS'",
                "compression = {'class': 'LZ4Compressor', 'chunk_length_in_kb': 64}",
                "bloom_filter_fp_chance = 0.5 AND crc_check_chance = 0.25",
                "max_index_interval = 4096",
            ]
        )

    def show(self):
        g = self.g
        return g.one_of(
            [
                "DESCRIBE TABLE t",
                "DESCRIBE TYPE " + g.one_of(["u", "n"]),
                "SELECT column_name, clustering_order, kind, position, type FROM"
                " system_schema.columns WHERE keyspace_name = 'golden' AND table_name = 't'",
                "SELECT column_name, kind, type FROM system_schema.dropped_columns"
                " WHERE keyspace_name = 'golden' AND table_name = 't'",
                "SELECT * FROM system_schema.column_masks WHERE keyspace_name = 'golden'",
            ]
        )
