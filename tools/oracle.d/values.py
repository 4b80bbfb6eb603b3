# SPDX-License-Identifier: MIT
"""Values from bytes to text, as docs/golden-tests.md defines it."""

import re
import socket
import struct


DAY_MILLIS = 86400000
FIRST_DAY, LAST_DAY = -719162, 2932896  # 0001-01-01 and 9999-12-31, in days since the epoch
FIXED_WIDTH = {
    "boolean": 1,
    "tinyint": 1,
    "smallint": 2,
    "int": 4,
    "float": 4,
    "date": 4,
    "bigint": 8,
    "counter": 8,
    "double": 8,
    "timestamp": 8,
    "time": 8,
    "uuid": 16,
    "timeuuid": 16,
}


# --- the calendar: days since the epoch, proleptic Gregorian


def civil(days):
    days += 719468
    era, day = divmod(days, 146097)
    year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day = day - (153 * month + 2) // 5 + 1
    year += era * 400
    return (year + 1, month - 9, day) if month >= 10 else (year, month + 3, day)


def days_from_civil(year, month, day):
    if month <= 2:
        year -= 1
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return (
        era * 146097
        + year_of_era * 365
        + year_of_era // 4
        - year_of_era // 100
        + day_of_year
        - 719468
    )


def date_text(days):
    return "%04d-%02d-%02d" % civil(days)


# --- numbers


def shortest_float(data):
    number = struct.unpack(">f", data)[0]
    for digits in range(1, 10):
        text = "%.*e" % (digits - 1, number)
        try:
            if struct.pack(">f", float(text)) == data:
                break
        except OverflowError:
            continue
    return text


def real_text(data):
    """A float or double laid out as Java does, with the fewest digits that read back."""
    number = struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    sign = "-" if data[0] & 0x80 else ""
    if number == 0:
        return sign + "0.0"
    text = shortest_float(data) if len(data) == 4 else "%r" % number
    digits, exponent = scientific(text)
    if -3 <= exponent < 7:
        if exponent < 0:
            return "%s0.%s%s" % (sign, "0" * (-exponent - 1), digits)
        digits = digits.ljust(exponent + 2, "0")
        return "%s%s.%s" % (sign, digits[: exponent + 1], digits[exponent + 1 :])
    return "%s%s.%sE%d" % (sign, digits[0], digits[1:] or "0", exponent)


def scientific(text):
    """The significant digits of a printed number and the exponent of the first of them."""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    first = len(digits) - len(digits.lstrip("0"))
    return digits.strip("0") or "0", int(exponent or 0) + len(whole) - 1 - first


def decimal_text(unscaled, scale):
    sign, digits = ("-" if unscaled < 0 else ""), str(abs(unscaled))
    exponent = len(digits) - 1 - scale
    if scale == 0:
        return sign + digits
    if scale > 0 and exponent >= -6:
        digits = digits.rjust(scale + 1, "0")
        return "%s%s.%s" % (sign, digits[:-scale], digits[-scale:])
    if len(digits) > 1:
        digits = digits[0] + "." + digits[1:]
    return "%s%sE%+d" % (sign, digits, exponent)


def read_vint(data, at):
    """An unsigned vint: (value, position behind it)."""
    first = data[at]
    extra = 8 - (first ^ 0xFF).bit_length()
    if at + extra + 1 > len(data):
        raise ValueError("vint ends early")
    number = first & (0xFF >> extra)
    for byte in data[at + 1 : at + 1 + extra]:
        number = number << 8 | byte
    return number, at + 1 + extra


def signed_vint(data, at):
    number, at = read_vint(data, at)
    return (number >> 1) ^ -(number & 1), at


# --- durations

NANO_UNITS = [
    ("h", 3600 * 10**9),
    ("m", 60 * 10**9),
    ("s", 10**9),
    ("ms", 10**6),
    ("us", 10**3),
    ("ns", 1),
]


def duration_text(months, days, nanos):
    out = "-" if min(months, days, nanos) < 0 else ""
    months, days, nanos = abs(months), abs(days), abs(nanos)
    parts = [(months // 12, "y"), (months % 12, "mo"), (days, "d")]
    for unit, size in NANO_UNITS:
        parts.append((nanos // size, unit))
        nanos %= size
    text = "".join("%d%s" % part for part in parts if part[0])
    return out + text if text else "0s"


# --- bytes to text


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def name_text(name):
    return name if re.fullmatch("[a-z][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


def type_text(kind):
    name = kind[0]
    if name == "udt":
        return kind[2] if kind[1] == "golden" else kind[1] + "." + kind[2]
    if name == "custom":
        return "'" + kind[1] + "'"
    if name == "vector":
        return "vector<%s, %d>" % (type_text(kind[1]), kind[2])
    if len(kind) == 1:
        return name
    return "%s<%s>" % (name, ", ".join(type_text(part) for part in kind[1:]))


def show(kind, data):
    if data is None:
        return "null"
    if not data and kind[0] not in ("ascii", "text", "blob", "custom"):
        return "<empty>"
    try:
        return SHOW[kind[0]](kind, data)
    except (ValueError, IndexError, struct.error):
        return "<invalid 0x%s>" % data.hex()


def show_text(kind, data):
    text = data.decode("ascii" if kind[0] == "ascii" else "utf-8")
    if any(byte < 0x20 or byte == 0x7F for byte in data):
        raise ValueError
    return quoted(text)


def show_text_or_blob(kind, data):
    try:
        return show_text(kind, data)
    except ValueError:
        return "blob_as_%s(0x%s)" % (kind[0], data.hex())


def show_integer(kind, data):
    if kind[0] != "varint" and len(data) != FIXED_WIDTH[kind[0]]:
        raise ValueError
    return str(int.from_bytes(data, "big", signed=True))


def show_real(kind, data):
    if len(data) != FIXED_WIDTH[kind[0]]:
        raise ValueError
    return real_text(data)


def show_boolean(_, data):
    if len(data) != 1:
        raise ValueError
    return "true" if data[0] else "false"


def show_decimal(_, data):
    if len(data) < 5:
        raise ValueError
    return decimal_text(
        int.from_bytes(data[4:], "big", signed=True), struct.unpack(">i", data[:4])[0]
    )


def show_timestamp(_, data):
    millis = struct.unpack(">q", data)[0]
    days, rest = divmod(millis, DAY_MILLIS)
    if not FIRST_DAY <= days <= LAST_DAY:
        return str(millis)
    return "'%sT%02d:%02d:%02d.%03dZ'" % (
        date_text(days),
        rest // 3600000,
        rest // 60000 % 60,
        rest // 1000 % 60,
        rest % 1000,
    )


def show_date(_, data):
    number = struct.unpack(">I", data)[0]
    days = number - 2**31
    return "'%s'" % date_text(days) if FIRST_DAY <= days <= LAST_DAY else str(number)


def show_time(_, data):
    nanos = struct.unpack(">q", data)[0]
    if not 0 <= nanos < 86400 * 10**9:
        return str(nanos)
    seconds, nanos = divmod(nanos, 10**9)
    return "'%02d:%02d:%02d.%09d'" % (seconds // 3600, seconds // 60 % 60, seconds % 60, nanos)


def show_duration(_, data):
    months, at = signed_vint(data, 0)
    days, at = signed_vint(data, at)
    nanos, at = signed_vint(data, at)
    if at != len(data):
        raise ValueError
    return duration_text(months, days, nanos)


def show_uuid(_, data):
    if len(data) != 16:
        raise ValueError
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def show_inet(_, data):
    return quoted(socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data))


def parts(data, count=None):
    """Values with four bytes of length in front; all of the data, or a number of them."""
    found, at = [], 0
    while at < len(data) if count is None else len(found) < count:
        size = struct.unpack(">i", data[at : at + 4])[0]
        at += 4
        if size < 0:
            found.append(None)
            continue
        if at + size > len(data):
            raise ValueError("value ends early")
        found.append(data[at : at + size])
        at += size
    if at != len(data):
        raise ValueError("bytes left over")
    return found


def show_collection(kind, data):
    count = struct.unpack(">i", data[:4])[0]
    if kind[0] == "map":
        found = parts(data[4:], 2 * count)
        return "{%s}" % ", ".join(
            "%s: %s" % (show(kind[1], found[i]), show(kind[2], found[i + 1]))
            for i in range(0, len(found), 2)
        )
    text = ", ".join(show(kind[1], part) for part in parts(data[4:], count))
    return "{%s}" % text if kind[0] == "set" else "[%s]" % text


def show_tuple(kind, data):
    found = parts(data)
    found += [None] * (len(kind) - 1 - len(found))
    return "(%s)" % ", ".join(
        show(part, value) for part, value in zip(kind[1:], found, strict=True)
    )


def show_udt(kind, data):
    found = parts(data)
    found += [None] * (len(kind[3]) - len(found))
    return "{%s}" % ", ".join(
        "%s: %s" % (name_text(field[0]), show(field[1], value))
        for field, value in zip(kind[3], found, strict=True)
    )


def fixed_width(kind):
    """The width of a vector's element, or None when each carries its length."""
    if kind[0] == "vector":
        width = fixed_width(kind[1])
        return width and width * kind[2]
    if kind[0] in ("tinyint", "smallint", "date", "time", "counter"):
        return None
    return FIXED_WIDTH.get(kind[0])


def show_vector(kind, data):
    width, at, found = fixed_width(kind[1]), 0, []
    for _ in range(kind[2]):
        size = width
        if size is None:
            size, at = read_vint(data, at)
        if at + size > len(data):
            raise ValueError("vector ends early")
        found.append(data[at : at + size])
        at += size
    if at != len(data):
        raise ValueError("bytes left over")
    return "[%s]" % ", ".join(show(kind[1], part) for part in found)


SHOW = {
    "ascii": show_text_or_blob,
    "text": show_text_or_blob,
    "blob": lambda _, data: "0x" + data.hex(),
    "boolean": show_boolean,
    "tinyint": show_integer,
    "smallint": show_integer,
    "int": show_integer,
    "bigint": show_integer,
    "counter": show_integer,
    "varint": show_integer,
    "decimal": show_decimal,
    "float": show_real,
    "double": show_real,
    "timestamp": show_timestamp,
    "date": show_date,
    "time": show_time,
    "duration": show_duration,
    "uuid": show_uuid,
    "timeuuid": show_uuid,
    "inet": show_inet,
    "list": show_collection,
    "set": show_collection,
    "map": show_collection,
    "tuple": show_tuple,
    "udt": show_udt,
    "vector": show_vector,
    "custom": lambda _, data: "0x" + data.hex(),
}
