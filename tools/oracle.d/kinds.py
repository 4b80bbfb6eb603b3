# SPDX-License-Identifier: MIT
"""Types of random columns, and values of them: as literals, as JSON, as expressions, bound.

Left out because Cassandra itself answers at random: map literals that name a key twice, sets with
decimals that compare equal."""

import json

NATIVE = {
    "ascii": ["''", "'a'", "'B'", "'zz'"],
    "bigint": ["0", "-1", "7", "9223372036854775807"],
    "blob": ["0x", "0x00", "0x7f", "0xff80"],
    "boolean": ["true", "false"],
    "date": ["'1969-12-31'", "'2020-02-29'", "0"],
    "decimal": ["1.5", "-0.25", "1E+3", "100"],
    "double": ["0.0", "-0.0", "1.5", "NaN", "-Infinity"],
    "float": ["0.0", "-1.5", "3.25", "NaN"],
    "inet": ["'127.0.0.1'", "'::1'", "'255.0.0.1'"],
    "int": ["0", "1", "-1", "2147483647"],
    "smallint": ["0", "-1", "300"],
    "text": ["''", "'a'", "'é'", "'it''s'", "'ab'"],
    "time": ["'00:00:00.000000000'", "'12:30:00.500000000'", "'23:59:59.999999999'"],
    "timestamp": ["0", "-1", "'2020-01-01T00:00:00.000Z'"],
    "timeuuid": [
        "13814000-1dd2-11b2-8080-808080808080",
        "13814000-1dd2-11b2-7f7f-7f7f7f7f7f7f",
        "50554d6e-29bb-11e5-b345-feff819cdc9f",
    ],
    "tinyint": ["0", "-1", "127"],
    "uuid": [
        "550e8400-e29b-41d4-a716-446655440000",
        "00000000-0000-1000-8000-000000000000",
        "ffffffff-ffff-4fff-bfff-ffffffffffff",
    ],
    "varint": ["0", "-129", "123456789012345678901234567890"],
    "duration": ["1d", "1mo2d", "-3h"],
}
NUMBERS = ("bigint", "decimal", "double", "float", "int", "smallint", "tinyint", "varint")
COLLECTIONS = ("list", "set", "map")
# Bytes for a marker whatever its type: too short, too long, no UTF-8, a count without elements.
ODD_BYTES = ["0x00", "0xff", "0x0000", "0x00000001"]


class Kind:
    """A type: its name, its parts, whether it is one cell; fields of a user type by name."""

    def __init__(self, name, *parts, frozen=False, fields=(), udt=""):
        self.name, self.parts, self.frozen = name, parts, frozen
        self.fields, self.udt = fields, udt

    def text(self):
        if self.name == "udt":
            inner = self.udt
        elif self.name == "vector":
            return "vector<%s, 2>" % self.parts[0].text()
        elif self.parts:
            inner = "%s<%s>" % (self.name, ", ".join(part.text() for part in self.parts))
        else:
            return self.name
        return "frozen<%s>" % inner if self.frozen else inner

    def multi_cell(self):
        return not self.frozen and self.name in ("list", "set", "map", "udt")

    def is_native(self):
        return self.name in NATIVE or self.name == "counter"


# What a storage-attached index of vectors takes, whatever its similarity.
TAME_FLOATS = ["0.5", "-1.5", "3.25", "2", "-0.25"]


def user_types():
    """The fields of the types u and n, in lists that all kinds of a script share: ALTER TYPE changes them."""
    small = [("a", Kind("int")), ("b", Kind("text"))]
    large = [
        ("x", Kind("udt", frozen=True, udt="u", fields=small)),
        ("y", Kind("list", Kind("int"), frozen=True)),
        ('"Z"', Kind("bigint")),
    ]
    return {"u": small, "n": large}


CREATE_TYPES = [
    "CREATE TYPE u (a int, b text)",
    'CREATE TYPE n (x frozen<u>, y frozen<list<int>>, "Z" bigint)',
]


class Values:
    """The part of the generator that picks types and values. Needs chance, one_of, some, random, types."""

    # --- types

    def udt(self, frozen):
        name = "u" if self.chance(60) else "n"
        return Kind("udt", frozen=frozen, udt=name, fields=self.types[name])

    def native(self, key=False):
        names = [name for name in NATIVE if not (key and name == "duration")]
        return Kind("int" if self.chance(30) else self.one_of(names))

    def frozen_kind(self, depth=1, key=False):
        """A type that may stand inside another one, or in a key."""
        if depth == 0 or self.chance(75):
            return self.native(key)
        inner = lambda k=key: self.frozen_kind(depth - 1, k)
        name = self.one_of(["list", "set", "map", "tuple", "udt", "vector"])
        if name == "udt":
            return self.udt(True)
        if name == "vector":
            return Kind("vector", self.one_of([Kind("float"), inner()]))
        if name == "map":
            return Kind("map", inner(True), inner(), frozen=True)
        if name == "tuple":
            return Kind("tuple", inner(), inner(), frozen=True)
        return Kind(name, inner(key or name == "set"), frozen=True)

    def kind(self):
        name = self.one_of(
            ["native"] * 10 + ["list", "set", "map"] * 3 + ["tuple", "udt", "udt", "vector"]
        )
        frozen = self.chance(25)
        if name == "native":
            return self.native()
        if name == "udt":
            return self.udt(frozen)
        if name == "vector":
            return Kind("vector", self.one_of([Kind("float"), self.frozen_kind(1)]))
        if name == "map":
            return Kind("map", self.frozen_kind(1, True), self.frozen_kind(2), frozen=frozen)
        if name == "tuple":
            return Kind("tuple", self.frozen_kind(2), self.frozen_kind(1), frozen=True)
        return Kind(name, self.frozen_kind(2, name == "set"), frozen=frozen)

    # --- literals

    def distinct(self, kind, most, least=0):
        """Up to `most` literals that differ."""
        found = []
        for _ in range(self.random.randint(least, most)):
            literal = self.value(kind)
            zeros = ("0.0" in literal or "-0.0" in literal) and "0.0" in "".join(found)
            if literal not in found and not zeros:
                found.append(literal)
        return found

    def value(self, kind):
        if kind.name in NATIVE:
            return self.one_of(NATIVE[kind.name])
        if kind.name == "counter":
            return self.one_of(["1", "2", "-3"])
        if kind.name == "list":
            count = self.random.randint(0, 3)
            return "[%s]" % ", ".join(self.value(kind.parts[0]) for _ in range(count))
        if kind.name == "set":
            return "{%s}" % ", ".join(self.distinct(kind.parts[0], 3))
        if kind.name == "map":
            keys = self.distinct(kind.parts[0], 3)
            return "{%s}" % ", ".join("%s: %s" % (k, self.value(kind.parts[1])) for k in keys)
        if kind.name == "tuple":
            return "(%s)" % ", ".join(
                "null" if self.chance(10) else self.value(part) for part in kind.parts
            )
        if kind.name == "vector":
            return "[%s]" % ", ".join(self.element(kind.parts[0]) for _ in range(2))
        return "{%s}" % ", ".join(
            "%s: %s" % (name, "null" if self.chance(8) else self.value(part))
            for name, part in self.some(kind.fields, 1)
        )

    def element(self, kind):
        """A value in a vector."""
        return self.one_of(TAME_FLOATS) if self.tame and kind.name == "float" else self.value(kind)

    # --- JSON

    def json(self, kind):
        """A value as JSON text; now and then null, or a value in quotes that needs none."""
        if self.chance(0.5):
            return "null"
        if kind.name in ("list", "set", "vector"):
            if kind.name == "vector" and self.tame and kind.parts[0].name == "float":
                return "[%s]" % ", ".join(self.one_of(TAME_FLOATS) for _ in range(2))
            count = 2 if kind.name == "vector" else self.random.randint(0, 3)
            parts = [self.json(kind.parts[0]) for _ in range(count)]
            return "[%s]" % ", ".join(dict.fromkeys(parts) if kind.name == "set" else parts)
        if kind.name == "tuple":
            return "[%s]" % ", ".join(self.json(part) for part in kind.parts)
        if kind.name == "map":
            keys = {}
            for _ in range(self.random.randint(0, 2)):
                keys[self.json_key(kind.parts[0])] = self.json(kind.parts[1])
            return "{%s}" % ", ".join("%s: %s" % pair for pair in keys.items())
        if kind.name == "udt":
            return "{%s}" % ", ".join(
                "%s: %s" % (json.dumps(name), self.json(part))
                for name, part in self.some(kind.fields, 1)
            )
        literal = self.value(kind)
        if literal.startswith("'"):
            return json.dumps(literal[1:-1].replace("''", "'"), ensure_ascii=self.chance(50))
        # A number of JSON with an exponent is a double to the server, and equal to the literal in other bytes.
        plain = literal in ("true", "false") or kind.name in NUMBERS and not (kind.name == "decimal" and "E" in literal)
        if plain and literal[-1] not in "Ny" and not self.chance(10):
            return literal
        return json.dumps(literal)

    def json_key(self, kind):
        text = self.json(kind)
        return text if text.startswith('"') else json.dumps(text)

    # --- expressions

    def expression(self, kind):
        """A term of the type that is no plain literal."""
        name, value = kind.name, self.value(kind)
        choices = ["(%s) %s" % (kind.text(), value), "from_json('%s')" % self.json(kind).replace("'", "''")]
        # The bytes of a calculated varint are not those of a constant, and indexes and keys of views look at bytes.
        if name in NUMBERS and not (name == "varint" and (self.indexed or self.theme == "views")):
            choices += ["%s + %s" % (value, self.value(kind)), "%s * 2" % value, "-(%s)" % value]
            choices += ["abs(%s)" % value, "%s %% 3" % value]
        if name == "blob":
            choices += ["int_as_blob(1)", "text_as_blob('a')", "bigint_as_blob(-1)"]
        elif name in NATIVE:
            choices += ["blob_as_%s(%s_as_blob(%s))" % (name, name, value)]
        if name == "timestamp":
            choices += ["to_timestamp('2020-01-01')", "'2020-01-01' + 1d", "min_timeuuid(0)"]
        if name == "date":
            choices += ["to_date(0)", "'2020-01-01' - 1mo"]
        if name == "timeuuid":
            choices += ["min_timeuuid(0)", "max_timeuuid('2020-01-01')"]
        return self.one_of(choices)
