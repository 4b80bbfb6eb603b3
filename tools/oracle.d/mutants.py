# SPDX-License-Identifier: MIT
"""Statements that are nearly right: random ones with tokens left out, swapped, doubled, put in, names and types exchanged.
A script has a table with some rows, and then these; most are refused, and all that are not must do the same."""

import re

from generate import directed
from reads import Reads
from writes import Writes

STATEMENTS = 150
TOKENS = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|0x[0-9a-fA-F]*|[0-9a-f]{8}-[0-9a-f-]{27}|\d+\.?\d*(?:E[+-]?\d+)?"""
    r"""|[A-Za-z_]\w*|[<>!]=|[+-]=|\.\.|\s+|.""",
    re.S,
)
KEYWORDS = (
    "SELECT FROM WHERE AND OR NOT IN LIMIT ORDER BY GROUP PER PARTITION ALLOW FILTERING DISTINCT JSON AS INSERT INTO VALUES UPDATE"
    " SET DELETE USING TIMESTAMP TTL IF EXISTS BEGIN BATCH APPLY CREATE TABLE TYPE INDEX ALTER ADD DROP RENAME TO WITH PRIMARY KEY"
    " STATIC CLUSTERING CONTAINS LIKE IS NULL TOKEN CAST COUNT MASKED DEFAULT UNSET UNLOGGED COUNTER FROZEN ASC DESC BETWEEN"
).split()
PUNCTUATION = list("()[]{}<>,.:;=+-*/%?!'\"$@#|&^~`") + ["..", "!=", ">=", "--", "/*", "$$", "\n", "é"]
LITERALS = ["1", "-1", "1.5", "'x'", "''", "true", "null", "0xff", "[1]", "{1}", "{1: 2}", "(1, 2)", "1d", "NaN", "?", ":b"]
LITERALS += ["550e8400-e29b-41d4-a716-446655440000", "99999999999999999999", "'2020-01-01'", "-Infinity", "1E5", "0x", "$$x$$"]
TYPES = ["int", "text", "list<int>", "map<int>", "frozen<int>", "set<frozen<list<int>>>", "set<list<int>>", "nope", "u", "'x.Y'"]
TYPES += ["vector<int, 0>", "vector<float, 3>", "tuple<>", "counter", "list<counter>", "duration", "empty", "varchar", "golden.u"]
FUNCTIONS = ["now", "token", "count", "sum", "abs", "to_json", "ttl", "writetime", "nope", "uuid", "blob_as_int", "cast", "max"]


class Mutants:
    def __init__(self, generator):
        self.g = generator
        self.writes, self.reads = Writes(generator), Reads(generator)

    # --- what is changed

    def statement(self):
        g = self.g
        if g.chance(35):
            return self.writes.single() if g.chance(80) else self.writes.batch()
        if g.chance(12) and not g.counters:
            return self.writes.conditions.statement()
        if g.chance(60):
            return str(self.reads.statement())
        return self.search() if g.chance(20) else self.definition()

    def search(self):
        """What few columns and tables answer."""
        g = self.g
        column = g.one_of(g.columns).name
        return g.one_of(
            [
                "SELECT * FROM t WHERE %s LIKE 'a%%'" % column,
                "SELECT * FROM t WHERE %s LIKE '%%a%%' ALLOW FILTERING" % column,
                "SELECT * FROM t ORDER BY %s ANN OF [1, 2] LIMIT 3" % column,
                "SELECT %s, similarity_cosine(%s, [1, 2]) FROM t ORDER BY %s ANN OF [0.5, 2] LIMIT 10" % (column, column, column),
                "SELECT count(*) FROM n5 ORDER BY e ANN OF [1, 2] LIMIT 3",
                "SELECT k FROM n5 WHERE l LIKE 'a%' ORDER BY e ANN OF [1, 2] LIMIT 3",
                "SELECT * FROM n5 WHERE l LIKE '%b' AND k = 1",
                "INSERT INTO n5 (k, l, e) VALUES (1, 'ab', [1, 2])",
                "SELECT * FROM m1 WHERE %s = 1" % column,
                "DELETE FROM m1 WHERE %s = 1" % column,
            ]
        )

    def definition(self):
        g = self.g
        column, kind = g.one_of(g.columns), g.one_of(TYPES)
        return g.one_of(
            [
                "CREATE TABLE n1 (k int, c %s, v %s, PRIMARY KEY (k, c))" % (kind, g.kind().text()),
                "CREATE TABLE n2 (k %s PRIMARY KEY, v %s)" % (kind, g.one_of(TYPES)),
                "CREATE TABLE n3 (a int, b int, c int, s int static, PRIMARY KEY ((a, b), c))"
                " WITH CLUSTERING ORDER BY (c DESC) AND comment = 'x' AND gc_grace_seconds = 10",
                "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",
                "CREATE TABLE n4 (k int PRIMARY KEY) WITH %s" % self.option(),
                "ALTER TABLE t WITH %s" % self.option(),
                "CREATE TYPE w%d (a %s, b int)" % (g.random.randint(1, 3), kind),
                "CREATE INDEX i1 ON t (%s)" % column.name,
                "CREATE INDEX IF NOT EXISTS ON t (%s(%s))" % (g.one_of(["KEYS", "VALUES", "FULL"]), column.name),
                "ALTER TABLE t ADD n%d %s" % (g.random.randint(1, 4), kind),
                "ALTER TABLE t DROP %s" % column.name,
                "ALTER TABLE t RENAME %s TO r1" % column.name,
                "ALTER TYPE u ADD c %s" % kind,
                "ALTER TYPE u RENAME a TO z",
                "ALTER TYPE n RENAME x TO q AND y TO r",
                "ALTER TYPE IF EXISTS n ADD IF NOT EXISTS y %s" % kind,
                "CREATE TABLE n5 (k int PRIMARY KEY, l text, e vector<float, 2>)",
                "CREATE INDEX ON n5 (e) USING 'sai' WITH OPTIONS = {'similarity_function': 'euclidean'}",
                "CREATE CUSTOM INDEX ON n5 (l) USING 'org.apache.cassandra.index.sasi.SASIIndex' WITH OPTIONS = {'mode': 'CONTAINS'}",
                self.view(),
                self.view(),
                "ALTER MATERIALIZED VIEW m1 WITH %s" % self.option(),
                "DROP MATERIALIZED VIEW m1",
                "DROP TABLE %s" % g.one_of(["n1", "n2", "nope", "IF EXISTS n3"]),
                "DROP TYPE IF EXISTS w1",
                "DROP INDEX i1",
                "TRUNCATE TABLE t",
                "DESCRIBE TABLE t",
            ]
        )

    def view(self):
        g = self.g
        keys = [c.name for c in g.partition + g.clustering]
        order = g.random.sample(keys + [g.one_of(g.columns).name] * g.chance(50), len(keys))
        return "CREATE MATERIALIZED VIEW m1 AS SELECT %s FROM t WHERE %s PRIMARY KEY (%s)" % (
            g.one_of(["*", ", ".join(keys), ", ".join(keys + [g.one_of(g.columns).name])]),
            " AND ".join("%s IS NOT NULL" % name for name in g.one_of([keys, keys, order])),
            g.one_of([", ".join(order), "(%s)" % "), ".join([order[0], *order[1:]]) if len(order) > 1 else order[0]]),
        )

    def option(self):
        return self.g.one_of(
            [
                "default_time_to_live = 10",
                "default_time_to_live = -1",
                "gc_grace_seconds = 'x'",
                "compaction = {'class': 'LeveledCompactionStrategy'}",
                "compaction = {'class': 'Nope'}",
                "compression = {'enabled': false}",
                "caching = {'keys': 'ALL', 'rows_per_partition': 'x'}",
                "comment = 1",
                "bloom_filter_fp_chance = 2",
                "nope = 1",
                "speculative_retry = '99p'",
                "speculative_retry = 'x'",
                "min_index_interval = 0",
                "memtable_flush_period_in_ms = -1",
                "crc_check_chance = 7",
                "extensions = {'a': 0x01}",
                "id = 550e8400-e29b-41d4-a716-446655440000",
                "read_repair = 'BLOCKING'",
                "additional_write_policy = 'always'",
                "COMPACT STORAGE",
            ]
        )

    # --- how

    def mutate(self, text):
        g = self.g
        tokens = TOKENS.findall(text)
        words = [i for i, token in enumerate(tokens) if not token.isspace()]
        if not words:
            return text
        at = g.one_of(words)
        how = g.one_of(
            [self.leave_out, self.swap] * 2
            + [self.double, self.put_in_keyword, self.put_in_mark, self.cut]
            + [self.exchange] * 12
            + [self.exchange_part] * 10
            + [self.move, self.splice, self.letters]
        )
        return "".join(how(tokens, at, words))

    def leave_out(self, tokens, at, words):
        count = self.g.one_of([1, 1, 1, 2, 3])
        return tokens[:at] + tokens[at + count :]

    def swap(self, tokens, at, words):
        if self.g.chance(60):
            others = [i for i in words if i > at][:1]
        else:
            others = [self.g.one_of(words)]
        for other in others:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        return tokens

    def double(self, tokens, at, words):
        return tokens[:at] + [tokens[at], " "] + tokens[at:]

    def put_in_keyword(self, tokens, at, words):
        return tokens[:at] + [self.g.one_of(KEYWORDS), " "] + tokens[at:]

    def put_in_mark(self, tokens, at, words):
        return tokens[:at] + [self.g.one_of(PUNCTUATION)] + tokens[at:]

    def cut(self, tokens, at, words):
        return tokens[:at] if self.g.chance(70) else tokens[at:]

    def move(self, tokens, at, words):
        token = tokens.pop(at)
        to = self.g.random.randint(0, len(tokens))
        return tokens[:to] + [" ", token, " "] + tokens[to:]

    def splice(self, tokens, at, words):
        """The first part of this statement and the last of another."""
        rest = TOKENS.findall(self.statement())
        return tokens[:at] + rest[self.g.random.randrange(len(rest)) :]

    def letters(self, tokens, at, words):
        token = tokens[at]
        cut = self.g.random.randint(0, len(token))
        how = self.g.one_of(["drop", "case", "add"])
        if how == "case":
            tokens[at] = token.swapcase()
        elif how == "add":
            tokens[at] = token[:cut] + self.g.one_of("aZ_09é") + token[cut:]
        else:
            tokens[at] = token[:cut] + token[cut + 1 :]
        return tokens

    def exchange_part(self, tokens, at, words):
        """A name or a literal for another one: what is wrong is not the syntax."""
        g = self.g
        names = {c.name for c in g.columns} | {"t", "u", "n"}
        inner = [i for i in words if tokens[i] in names or re.match(r"'|\d|0x", tokens[i])]
        at = g.one_of(inner) if inner else at
        if tokens[at] in names:
            others = sorted(names) + ["nope", "golden.t", "t.v", '"T"']
            tokens[at] = g.one_of(others)
        elif inner:
            tokens[at] = g.one_of(LITERALS) if g.chance(60) else g.value(g.kind())
        return tokens

    def exchange(self, tokens, at, words):
        """A token for another of its sort."""
        g, token = self.g, tokens[at]
        if re.match(r"['\d]|0x", token) or token in ("true", "false", "null", "NaN"):
            tokens[at] = g.one_of(LITERALS)
        elif token.upper() in KEYWORDS:
            tokens[at] = g.one_of(KEYWORDS)
        elif re.match(r'[A-Za-z_"]', token):
            names = [c.name for c in g.columns] + ["nope", "t", "u", '"T"', "golden", "t.v"]
            tokens[at] = g.one_of(g.one_of([names] * 8 + [TYPES, FUNCTIONS, LITERALS]))
        else:
            tokens[at] = g.one_of(["=", "<", ">=", "!=", "+", "-", ",", "(", ")", ".", "*", "LIKE", "IN", "CONTAINS"])
        return tokens


# The keyspace is the script's only as long as it stays the connection's, and statements reach no other.
ELSEWHERE = re.compile(r"\bKEYSPACE\b|\bUSE\b|\bROLE\b|\bUSER\b|\bGRANT\b|\bFUNCTION\b|\bAGGREGATE\b|now\b|uuid\s*\(\s*\)|current", re.I)


def is_fit(text):
    return not ELSEWHERE.search(text)


def script(generator):
    """The table, some rows, and statements that are changed in one place or in a few."""
    g = generator
    g.prepare()
    # Statements go by the servers' clocks here: nothing may expire while a script runs.
    g.statements[-1] = re.sub(r"(?<=default_time_to_live = )\d+", "90000", g.statements[-1])
    g.own_clock = False
    g.has_ttl = False
    mutants = Mutants(g)
    g.errors = False
    for _ in range(8):
        g.add(mutants.writes.single())
    g.errors = True
    while len(g.statements) < STATEMENTS:
        text = mutants.statement()
        for _ in range(g.one_of([1, 1, 1, 1, 2, 3])):
            text = mutants.mutate(text)
        if not is_fit(text):
            continue
        how = ("prepare",) if "?" in text or ":" in text and g.chance(30) or g.chance(8) else ()
        stamp = ("timestamp: " + g.one_of("1223"),) if g.stamped and not how else ()
        g.statements.append(directed(text, *stamp, *how))
    return g.statements
