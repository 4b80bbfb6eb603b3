# SPDX-License-Identifier: MIT
"""Random expressions of a SELECT clause for reads.py: columns wrapped in functions, arithmetic,
casts and subscripts, of which the type is known as long as it matters."""

from kinds import COLLECTIONS, NATIVE, NUMBERS, Kind

INT, BIGINT, TEXT, BLOB, DOUBLE = (Kind(n) for n in ("int", "bigint", "text", "blob", "double"))
INTEGERS = ("bigint", "int", "smallint", "tinyint", "varint")
CASTS = {
    "ascii": ["text"],
    "boolean": ["text", "ascii"],
    "date": ["timestamp", "text", "ascii"],
    "inet": ["text"],
    "text": ["ascii"],
    "time": ["text"],
    "timestamp": ["date", "text"],
    "timeuuid": ["timestamp", "date", "text"],
    "uuid": ["text"],
    "counter": ["int", "text", "double"],
    **{n: [m for m in NUMBERS if m != n] + ["text", "ascii"] for n in NUMBERS},
}
TIMES = ("date", "timestamp", "timeuuid")


class Selectors:
    def __init__(self, generator):
        self.g = generator

    def selector(self):
        g = self.g
        text, kind = self.base()
        for _ in range(g.one_of([0, 0, 0, 1, 1, 1, 2, 3])):
            if kind is None:
                break
            text, kind = self.wrap(text, kind)
        if g.chance(6):
            text += " AS %s" % g.one_of(["n1", '"Name"', "v"])
        return text

    def base(self):
        """A column, or now and then a literal, a time of writing, a token."""
        g = self.g
        column = g.one_of(g.columns)
        if column.is_opaque():
            return g.name(column), None
        if g.chance(5):
            kind = g.frozen_kind(1)
            return "(%s) %s" % (kind.text(), g.put(kind)), kind
        if g.chance(2):
            kind = g.native()
            return g.put(kind), kind
        if g.chance(3):
            return "token(%s)" % ", ".join(c.name for c in g.partition), BIGINT
        if g.chance(12):
            return self.metadata(column)
        return g.name(column), column.kind

    def metadata(self, column):
        g, kind, text = self.g, column.kind, column.name
        names = ["ttl"] if g.own_clock else []
        if g.known_times:
            names += ["writetime", "maxwritetime"]
        if not names or (not g.errors and column.role not in ("regular", "static")):
            return text, kind
        if column.is_key() and g.chance(90):
            return text, kind
        if kind.multi_cell() and g.chance(50):
            text, _ = self.part(text, kind)
        name = g.one_of(names)
        result = Kind("int") if name == "ttl" else BIGINT
        plural = kind.multi_cell() and name != "maxwritetime" and text == column.name
        return "%s(%s)" % (name, text), Kind("list", result, frozen=True) if plural else result

    def part(self, text, kind):
        """An element, a slice or a field."""
        g, name = self.g, kind.name
        if name == "udt":
            field, part = g.one_of(kind.fields)
            return "%s.%s" % (text, field), part
        if name == "tuple" or name == "list" or name == "vector":
            return "%s[%d]" % (text, g.one_of([0, 1])), None
        key = lambda: g.put(kind.parts[0], g.value(kind.parts[0]))
        if g.chance(60):
            return "%s[%s]" % (text, key()), kind.parts[-1]
        first, last = g.one_of([(1, 1), (1, 0), (0, 1)])
        bounds = "%s..%s" % (key() if first else "", key() if last else "")
        return "%s[%s]" % (text, bounds), kind

    def wrap(self, text, kind):
        """A function over the expression: the new text, and its type or None."""
        g, name = self.g, kind.name
        if g.errors and g.chance(1.5):
            name = g.one_of(list(NATIVE) + ["list", "map", "udt"])
            kind = Kind(name) if name in NATIVE else kind
        choices = [self.any_function]
        if name in NUMBERS or name == "counter":
            choices += [self.number_function, self.arithmetic, self.arithmetic]
        if name in CASTS:
            choices += [self.cast]
        if name in NATIVE:
            choices += [self.to_blob]
        if name in TIMES:
            choices += [self.time_function, self.time_function]
        if name in COLLECTIONS and kind.parts:
            choices += [self.collection_function, self.part] + [self.part] * (name != "list")
        if name == "udt" and kind.parts == () and kind.fields:
            choices += [self.part] * 3
        if name == "vector":
            choices += [self.similarity] * 2
        if name in ("text", "ascii", "blob"):
            choices += [self.mask_text]
        return g.one_of(choices)(text, kind)

    def any_function(self, text, kind):
        g = self.g
        how = g.one_of(["to_json", "mask_default", "mask_null", "mask_replace", "mask_hash"])
        if how == "to_json":
            return "to_json(%s)" % text, TEXT
        if how == "mask_replace":
            return "mask_replace(%s, %s)" % (text, g.put(kind)), kind
        if how == "mask_hash":
            return "mask_hash(%s)" % text, BLOB
        return "%s(%s)" % (how, text), kind

    def mask_text(self, text, kind):
        g = self.g
        ends = ", ".join(g.one_of(["null", "0", "1", "2", "5"]) for _ in range(2))
        pad = ", '#'" if g.chance(40) else ""
        return "mask_%s(%s, %s%s)" % (g.one_of(["inner", "outer"]), text, ends, pad), kind

    def number_function(self, text, kind):
        if self.g.chance(10):
            return "floor(%s, %s)" % (text, self.g.one_of(["2", "7", "-1"])), kind
        name = self.g.one_of(["abs", "round", "abs", "exp", "log", "log10"])
        return "%s(%s)" % (name, text), kind

    def arithmetic(self, text, kind):
        """With a literal of the type or a column of any number type."""
        g = self.g
        operator = g.one_of(["+", "-", "*", "/", "%"])
        others = [c for c in g.columns if c.kind.name in NUMBERS]
        if g.chance(10):
            return "-(%s)" % text, kind
        if others and g.chance(50):
            return "%s %s %s" % (text, operator, g.one_of(others).name), None
        value = "7" if kind.name == "counter" else g.value(kind)
        if value.startswith("-"):
            value = "(%s)" % value
        return "(%s %s %s)" % (text, operator, value), kind

    def cast(self, text, kind):
        to = self.g.one_of(CASTS[kind.name])
        return "CAST(%s AS %s)" % (text, to), Kind(to)

    def to_blob(self, text, kind):
        return "%s_as_blob(%s)" % (kind.name, text), BLOB

    def time_function(self, text, kind):
        g = self.g
        if kind.name != "timeuuid" and g.chance(50):
            duration = g.one_of(["1d", "1mo", "2w", "1y"] + ["3h"] * (kind.name != "date"))
            return "%s %s %s" % (text, g.one_of("+-"), duration), kind
        if g.chance(15):
            origin = g.one_of(["", "", ", '1960-01-01'"])
            return "floor(%s, %s%s)" % (text, g.one_of(["1d", "1mo", "2w"]), origin), None
        name = g.one_of(["to_date", "to_timestamp", "to_unix_timestamp"])
        names = {"to_date": "date", "to_timestamp": "timestamp", "to_unix_timestamp": "bigint"}
        return "%s(%s)" % (name, text), Kind(names[name])

    def collection_function(self, text, kind):
        g = self.g
        if kind.name == "map" and g.chance(60):
            name = g.one_of(["map_keys", "map_values"])
            part = kind.parts[0 if name == "map_keys" else 1]
            return "%s(%s)" % (name, text), Kind("set" if part is kind.parts[0] else "list", part, frozen=True)
        name = g.one_of(["count", "min", "max", "sum", "avg"])
        if name in ("sum", "avg") and kind.parts[0].name not in NUMBERS and g.chance(80):
            name = "count"
        return "collection_%s(%s)" % (name, text), INT if name == "count" else kind.parts[0]

    def similarity(self, text, kind):
        g = self.g
        name = g.one_of(["cosine", "euclidean", "dot_product"])
        return "similarity_%s(%s, %s)" % (name, text, g.value(kind)), DOUBLE

    # --- aggregates

    def aggregate(self):
        g = self.g
        if g.chance(15):
            return g.one_of(["count(*)", "count(1)", "COUNT(*) AS n"])
        text, kind = self.base()
        if kind is not None and g.chance(25):
            text, kind = self.wrap(text, kind)
        names = ["count", "min", "max"]
        if kind is None or kind.name in NUMBERS + ("counter",) or g.errors and g.chance(3):
            names += ["sum", "avg", "sum", "avg"]
        text = "%s(%s)" % (g.one_of(names), text)
        return "CAST(%s AS text)" % text if g.chance(3) else text
