# SPDX-License-Identifier: MIT
"""Random searches through indexes, for generate.py: the nearest vectors of a storage-attached index, and LIKE through SASI.

What the nearest rows show ends with their similarity, so that differ.py can tell those of one rank from others. Tables are small: both
sides look at every vector. Vectors with a NaN, infinite or of length 0 are left out: the server fails on them inside, and keeps the row or
not."""

from generate import Column, directed
from kinds import TAME_FLOATS, Kind
from reads import Reads

SIMILARITIES = ("cosine", "euclidean", "dot_product")
SASI = "org.apache.cassandra.index.sasi.SASIIndex"
ANALYZERS = [
    "'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.NonTokenizingAnalyzer', 'case_sensitive': 'false'",
    "'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.NonTokenizingAnalyzer'",
    "'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.StandardAnalyzer', 'tokenization_normalize_lowercase': 'true'",
    "'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.DelimiterAnalyzer', 'delimiter': 't'",
]
PATTERNS = ["'a%'", "'%b'", "'%a%'", "'ab'", "'%'", "'A%'", "'it''s%'", "'%é%'", "''", "'%%'", "'b%'", "'B'", "'%z'", "'zz%'"]


class Vectors:
    """A column of vectors with an index."""

    def __init__(self, generator):
        self.g, self.reads = generator, Reads(generator)
        generator.tame = True
        self.column = Column("e", Kind("vector", Kind("float")), "regular")
        generator.regular.append(self.column)
        generator.settle()

    def indexes(self):
        g = self.g
        self.similarity = g.one_of(SIMILARITIES)
        g.indexed.append(self.column)
        options = "" if self.similarity == "cosine" and g.chance(50) else " WITH OPTIONS = {'similarity_function': '%s'}" % self.similarity
        yield "CREATE INDEX ON t (e) USING 'sai'" + options
        others = [c for c in g.regular + g.clustering if c is not self.column and not c.kind.multi_cell()]
        if others and g.chance(60):
            yield g.create_index(g.one_of(others), "sai")

    def statement(self):
        g, vector = self.g, Kind("vector", Kind("float"))
        wrong = g.errors and g.chance(6)
        words = [c.name for c in g.some(g.columns, 1)[:3]]
        asked = "[%s, %s]" % (g.one_of(TAME_FLOATS), g.one_of(TAME_FLOATS))
        ranked = g.marker(vector, asked) if g.bound is not None else asked
        words.append("similarity_%s(e, %s)" % (self.similarity, ranked))
        parts, tail = self.where(), ""
        where = " WHERE " + " AND ".join(parts) if parts else ""
        order = "e ANN OF %s" % (g.marker(vector, asked) if g.bound is not None else asked)
        limit = " LIMIT %d" % g.one_of([1, 2, 3, 5, 5, 10, 20, 100])
        if wrong:
            order, limit, tail = self.spoiled(order, limit)
        text = "SELECT %s FROM t%s ORDER BY %s%s%s" % (", ".join(words), where, order, limit, tail)
        return directed(text, "page-size: %d" % g.one_of([1, 5, 100])) if g.chance(10) else directed(text)

    def spoiled(self, order, limit):
        g = self.g
        return g.one_of(
            [
                (order, "", ""),
                (order, " LIMIT 1001", ""),
                (order + " DESC", limit, ""),
                (order + ", %s ASC" % g.one_of(g.columns).name, limit, ""),
                (order.replace("e ", g.one_of(g.columns).name + " ", 1), limit, ""),
                (order, " PER PARTITION LIMIT 1" + limit, ""),
                ("e ANN OF [1, 2, 3]", limit, ""),
                ("e ANN OF null", limit, ""),
                ("e ANN OF 1", limit, ""),
                ("e", limit, ""),
                (order, limit, " ALLOW FILTERING"),
            ]
        )

    def where(self):
        g, reads = self.g, self.reads
        how = g.one_of(["none"] * 5 + ["key", "key", "rows", "token", "index", "index", "any"])
        key = lambda: ["%s = %s" % (c.name, g.key_value(c)) for c in g.partition]
        if how == "key":
            return key()
        if how == "rows":
            return key() + reads.clustering()
        if how == "token":
            return reads.token()
        if how == "index":
            return [reads.restriction(c) for c in g.indexed if c is not self.column]
        return [reads.restriction(g.one_of(g.columns))] if how == "any" else []


class Texts:
    """A column of text, now and then another one, with a SASI index."""

    def __init__(self, generator):
        g = self.g = generator
        self.reads = Reads(g)
        self.column = Column("l", Kind("text"), g.one_of(["regular"] * 4 + ["static"] * bool(g.clustering)))
        (g.statics if self.column.role == "static" else g.regular).append(self.column)
        g.settle()

    def indexes(self):
        g = self.g
        yield self.index(self.column)
        others = [c for c in g.regular + g.clustering if c.kind.is_native() and c is not self.column and c.kind.name != "duration"]
        if others and g.chance(40):
            yield self.index(g.one_of(others))

    def index(self, column):
        g = self.g
        g.indexed.append(column)
        is_text = column.kind.name in ("text", "ascii")
        mode = g.one_of(["", "PREFIX", "CONTAINS", "CONTAINS"] if is_text else ["", "PREFIX", "SPARSE"])
        options = ["'mode': '%s'" % mode] if mode else []
        if is_text and g.chance(40):
            options.append(g.one_of(ANALYZERS))
        text = "CREATE CUSTOM INDEX ON t (%s) USING '%s'" % (column.name, SASI)
        return text + (" WITH OPTIONS = {%s}" % ", ".join(options) if options else "")

    def statement(self):
        """Conditions of the column, alone or with others."""
        g, reads = self.g, self.reads
        parts = [self.like()] if g.chance(75) else [reads.restriction(self.column)]
        reads.filtering, g.odd_bytes, reads.one_partition = False, False, False
        if g.chance(25):
            parts = ["%s = %s" % (c.name, g.key_value(c)) for c in g.partition] + parts
            reads.one_partition = True
        if g.chance(20):
            reads.filtering = g.chance(85)
            parts.append(reads.restriction(g.one_of(g.regular + g.statics)))
        selection = reads.selection()
        text = "SELECT %s FROM t WHERE %s%s" % (selection, " AND ".join(parts), reads.tail())
        return directed(text, "page-size: %d" % g.one_of([1, 2, 3])) if g.chance(30) and not reads.ordered else directed(text)

    def like(self):
        g = self.g
        return "%s LIKE %s" % (self.column.name, g.put(Kind("text"), g.one_of(PATTERNS)))
