# SPDX-License-Identifier: MIT
"""The values of a bind directive, from text to bytes, as docs/golden-tests.md defines them."""
import re
import socket
import struct

from values import DAY_MILLIS, FIXED_WIDTH, NANO_UNITS, days_from_civil, fixed_width
from wire import UNSET


def varint_bytes(number):
    return number.to_bytes(
        (number if number >= 0 else ~number).bit_length() // 8 + 1, "big", signed=True
    )


def write_vint(number):
    extra = next((n for n in range(8) if number < 1 << 7 * (n + 1)), 8)
    body = number.to_bytes(extra + 1, "big")
    return bytes([body[0] | 0xFF00 >> extra & 0xFF]) + body[1:]


def zigzag(number):
    return write_vint(((number << 1) ^ (number >> 63)) & 0xFFFFFFFFFFFFFFFF)


def duration_bytes(text):
    sign = -1 if text.startswith("-") else 1
    months = days = nanos = 0
    sizes = dict(NANO_UNITS)
    for count, unit in re.findall(r"(\d+)([a-zµ]+)", text):
        count = int(count) * sign
        if unit in ("y", "mo"):
            months += count * (12 if unit == "y" else 1)
        elif unit in ("w", "d"):
            days += count * (7 if unit == "w" else 1)
        else:
            nanos += count * sizes[unit]
    return zigzag(months) + zigzag(days) + zigzag(nanos)


class Literal:
    """Reads the values of a bind directive."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def skip(self):
        while self.at < len(self.text) and self.text[self.at] == " ":
            self.at += 1

    def sees(self, mark):
        self.skip()
        return self.text.startswith(mark, self.at)

    def take(self, mark):
        if not self.sees(mark):
            raise ValueError("expected %r at %d in bind: %s" % (mark, self.at, self.text))
        self.at += len(mark)

    def word(self):
        self.skip()
        found = re.compile(r"[^\s,:(){}\[\]']+").match(self.text, self.at)
        if not found:
            raise ValueError("expected a value at %d in bind: %s" % (self.at, self.text))
        self.at = found.end()
        return found.group()

    def string(self):
        self.take("'")
        out = ""
        while True:
            end = self.text.index("'", self.at)
            out += self.text[self.at : end]
            self.at = end + 1
            if not self.text.startswith("'", self.at):
                return out
            out += "'"
            self.at += 1

    def values(self, kinds):
        """The values of a whole directive, one a type."""
        out = []
        for kind in kinds:
            if out:
                self.take(",")
            out.append(self.value(kind))
        self.skip()
        if self.at != len(self.text):
            raise ValueError("too many values in bind: " + self.text)
        return out

    def value(self, kind):
        for word, data in (("null", None), ("unset", UNSET), ("<empty>", b"")):
            if self.sees(word):
                self.take(word)
                return data
        if self.sees("0x"):
            return bytes.fromhex(self.word()[2:])
        if self.sees("repeat("):
            self.take("repeat(")
            data = bytes.fromhex(self.word()[2:])
            self.take(",")
            data *= int(self.word())
            self.take(")")
            return data
        if self.sees("blob_as_"):
            self.word()
            self.take("(")
            data = bytes.fromhex(self.word()[2:])
            self.take(")")
            return data
        if kind[0] in ("list", "set", "vector", "map"):
            return self.collection(kind)
        if kind[0] == "tuple":
            return self.tuple(kind)
        if kind[0] == "udt":
            return self.udt(kind)
        text = self.string() if self.sees("'") else self.word()
        if kind[0] in ("timestamp", "time") and re.compile(r":\d").match(self.text, self.at):
            raise ValueError("a %s needs quotes: %s" % (kind[0], self.text))
        return scalar(kind[0], text)

    def items(self, open_mark, close_mark, read):
        out = []
        self.take(open_mark)
        while not self.sees(close_mark):
            if out:
                self.take(",")
            out.append(read())
        self.take(close_mark)
        return out

    def collection(self, kind):
        def pair():
            key = self.value(kind[1])
            self.take(":")
            return sized(key) + sized(self.value(kind[2]))

        if kind[0] == "map":
            found = self.items("{", "}", pair)
        elif kind[0] == "vector":
            found = self.items("[", "]", lambda: self.value(kind[1]))
            if fixed_width(kind[1]) is not None:
                return b"".join(found)
            return b"".join(write_vint(len(part)) + part for part in found)
        else:
            marks = "{}" if kind[0] == "set" else "[]"
            found = self.items(marks[0], marks[1], lambda: sized(self.value(kind[1])))
        return struct.pack(">i", len(found)) + b"".join(found)

    def tuple(self, kind):
        kinds = iter(kind[1:])
        return b"".join(self.items("(", ")", lambda: sized(self.value(next(kinds)))))

    def udt(self, kind):
        found, fields = {}, dict(kind[3])

        def field():
            self.skip()
            if self.sees('"'):
                end = re.compile('"((?:[^"]|"")*)"').match(self.text, self.at)
                self.at, name = end.end(), end.group(1).replace('""', '"')
            else:
                name = self.word()
            self.take(":")
            found[name] = self.value(fields[name])

        self.items("{", "}", field)
        return b"".join(sized(found.get(name)) for name, _ in kind[3])


def sized(data):
    if data is UNSET:
        return struct.pack(">i", -2)
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def timestamp_bytes(text):
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", text)
    if not found:
        return struct.pack(">q", int(text))
    year, month, day, hour, minute, second, milli = (int(part) for part in found.groups())
    return struct.pack(
        ">q",
        days_from_civil(year, month, day) * DAY_MILLIS
        + hour * 3600000
        + minute * 60000
        + second * 1000
        + milli,
    )


def date_bytes(text):
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    days = days_from_civil(*(int(part) for part in found.groups())) + 2**31 if found else int(text)
    return struct.pack(">I", days)


def time_bytes(text):
    found = re.fullmatch(r"(\d\d):(\d\d):(\d\d)\.(\d{9})", text)
    if not found:
        return struct.pack(">q", int(text))
    hour, minute, second, nanos = (int(part) for part in found.groups())
    return struct.pack(">q", (hour * 3600 + minute * 60 + second) * 10**9 + nanos)


def decimal_bytes(text):
    mantissa, _, exponent = text.upper().partition("E")
    whole, _, fraction = mantissa.partition(".")
    return struct.pack(">i", len(fraction) - int(exponent or 0)) + varint_bytes(
        int(whole + fraction)
    )


def scalar(kind, text):
    if kind in ("ascii", "text"):
        return text.encode("utf-8")
    if kind == "boolean":
        return b"\1" if text == "true" else b"\0"
    if kind in ("tinyint", "smallint", "int", "bigint", "counter"):
        return int(text).to_bytes(FIXED_WIDTH[kind], "big", signed=True)
    if kind == "varint":
        return varint_bytes(int(text))
    if kind in ("float", "double"):
        return struct.pack(
            ">f" if kind == "float" else ">d", float(text.replace("Infinity", "inf"))
        )
    if kind in ("uuid", "timeuuid", "custom"):  # a timeuuid as LegacyTimeUUIDType
        return bytes.fromhex(text.replace("-", ""))
    if kind == "inet":
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    return {
        "timestamp": timestamp_bytes,
        "date": date_bytes,
        "time": time_bytes,
        "decimal": decimal_bytes,
        "duration": duration_bytes,
    }[kind](text)
