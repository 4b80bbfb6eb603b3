# SPDX-License-Identifier: MIT
"""A small client of the native protocol, version 5, that hides nothing: values stay bytes, errors
keep their code and text, and every request option can be sent. One request at a time, blocking."""

import socket
import struct
import zlib

CONSISTENCY = [
    "ANY",
    "ONE",
    "TWO",
    "THREE",
    "QUORUM",
    "ALL",
    "LOCAL_QUORUM",
    "EACH_QUORUM",
    "SERIAL",
    "LOCAL_SERIAL",
    "LOCAL_ONE",
]
ERROR, STARTUP, READY, AUTHENTICATE, QUERY, RESULT, PREPARE, EXECUTE = 0, 1, 2, 3, 7, 8, 9, 10
AUTH_RESPONSE, AUTH_SUCCESS = 15, 16
UNSET = object()
NATIVE_TYPES = {
    1: "ascii",
    2: "bigint",
    3: "blob",
    4: "boolean",
    5: "counter",
    6: "decimal",
    7: "double",
    8: "float",
    9: "int",
    0x0B: "timestamp",
    0x0C: "uuid",
    0x0D: "text",
    0x0E: "varint",
    0x0F: "timeuuid",
    0x10: "inet",
    0x11: "date",
    0x12: "time",
    0x13: "smallint",
    0x14: "tinyint",
    0x15: "duration",
}
MAX_PAYLOAD = 131071
CRC32_START = zlib.crc32(b"\xfa\x2d\x55\xca")


class ServerError(Exception):
    """An ERROR message: code, text, the warnings that came with it, the bytes behind the text."""

    def __init__(self, code, text, warnings, details=b""):
        super().__init__("%04x: %s" % (code, text))
        self.code, self.text, self.warnings, self.details = code, text, warnings, details


class Result:
    """A RESULT message. kind is 'void', 'rows', 'keyspace', 'prepared' or 'schema'."""

    def __init__(self, kind):
        self.kind = kind
        self.warnings = []
        self.columns = []  # (name, type)
        self.rows = []  # tuples of bytes or None
        self.paging_state = None
        self.text = ""  # keyspace name, or the change of the schema
        self.id = self.metadata_id = None
        self.markers = []  # (name, type)
        self.tables = []  # keyspace.table of every column; of the markers when it is prepared
        self.key_indexes = []


def crc24(data):
    crc = 0x875060
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1974F0B
    return crc


def segments(envelope):
    """The envelope in one self-contained segment, or in several slices."""
    whole = len(envelope) <= MAX_PAYLOAD
    out = b""
    for start in range(0, len(envelope), MAX_PAYLOAD):
        payload = envelope[start : start + MAX_PAYLOAD]
        head = (len(payload) | (1 << 17 if whole else 0)).to_bytes(3, "little")
        out += head + crc24(head).to_bytes(3, "little") + payload
        out += zlib.crc32(payload, CRC32_START).to_bytes(4, "little")
    return out


def string(text):
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack(">H", len(data)) + data


def long_string(text):
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack(">i", len(data)) + data


def value(data):
    if data is UNSET:
        return struct.pack(">i", -2)
    if data is None:
        return struct.pack(">i", -1)
    return struct.pack(">i", len(data)) + data


class Reader:
    """Reads protocol notations off the front of a message body."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise ValueError("message ends early")
        part = self.data[self.at : self.at + count]
        self.at += count
        return part

    def int(self):
        return struct.unpack(">i", self.take(4))[0]

    def short(self):
        return struct.unpack(">H", self.take(2))[0]

    def string(self):
        return self.take(self.short()).decode("utf-8", "replace")

    def string_list(self):
        return [self.string() for _ in range(self.short())]

    def short_bytes(self):
        return self.take(self.short())

    def bytes(self):
        count = self.int()
        return None if count < 0 else self.take(count)

    def type(self):
        """A type is ('int',), ('list', T), ('map', K, V), ('tuple', T…), ('vector', T, n),
        ('udt', keyspace, name, ((field, T), …)) or ('custom', class name)."""
        kind = self.short()
        if kind == 0:
            return custom_type(self.string())
        if kind == 0x20:
            return ("list", self.type())
        if kind == 0x21:
            return ("map", self.type(), self.type())
        if kind == 0x22:
            return ("set", self.type())
        if kind == 0x30:
            keyspace, name = self.string(), self.string()
            return (
                "udt",
                keyspace,
                name,
                tuple((self.string(), self.type()) for _ in range(self.short())),
            )
        if kind == 0x31:
            return ("tuple",) + tuple(self.type() for _ in range(self.short()))
        return (NATIVE_TYPES[kind],)


CLASS_NAMES = {
    "AsciiType": "ascii",
    "LongType": "bigint",
    "BytesType": "blob",
    "BooleanType": "boolean",
    "CounterColumnType": "counter",
    "DecimalType": "decimal",
    "DoubleType": "double",
    "FloatType": "float",
    "Int32Type": "int",
    "TimestampType": "timestamp",
    "DateType": "timestamp",
    "UUIDType": "uuid",
    "UTF8Type": "text",
    "IntegerType": "varint",
    "TimeUUIDType": "timeuuid",
    "InetAddressType": "inet",
    "SimpleDateType": "date",
    "TimeType": "time",
    "ShortType": "smallint",
    "ByteType": "tinyint",
    "DurationType": "duration",
}


def custom_type(text):
    """The type behind a server's class name; ('custom', text) when it is not one of CQL's."""
    try:
        parsed, rest = class_name(text)
        return parsed if not rest else ("custom", text)
    except (KeyError, ValueError, IndexError):
        return ("custom", text)


FIELD = object()


def class_arguments(text):
    arguments = []
    if not text.startswith("("):
        return arguments, text
    text = text[1:].lstrip()
    while not text.startswith(")"):
        start = 0
        while text[start] not in ",()":
            start += 1
        if text[start] == "(":
            # A field of a user type has its name in front.
            label, colon, _ = text[:start].rpartition(":")
            parsed, text = class_name(text[len(label) + len(colon) :])
            arguments.append((FIELD, label.strip(), parsed) if colon else parsed)
        else:
            arguments.append(text[:start].strip())
            text = text[start:]
        text = text.lstrip()
        if text.startswith(","):
            text = text[1:].lstrip()
    return arguments, text[1:].lstrip()


def class_name(text):
    end = 0
    while end < len(text) and text[end] not in ",()":
        end += 1
    name = text[:end].strip().rpartition(".")[2]
    arguments, rest = class_arguments(text[end:])
    arguments = [
        custom_type(a) if isinstance(a, str) and "Type" in a and ":" not in a else a
        for a in arguments
    ]
    if name in ("FrozenType", "ReversedType"):
        return arguments[0], rest
    if name == "UserType":
        fields = []
        for field in arguments[2:]:
            if isinstance(field, str):
                label, _, kind = field.partition(":")
                field = (FIELD, label, custom_type(kind))
            fields.append((bytes.fromhex(field[1]).decode(), field[2]))
        return ("udt", arguments[0], bytes.fromhex(arguments[1]).decode(), tuple(fields)), rest
    if name == "VectorType":
        return ("vector", arguments[0], int(arguments[1])), rest
    if name in ("ListType", "SetType", "MapType", "TupleType"):
        return (name[:-4].lower(),) + tuple(arguments), rest
    return (CLASS_NAMES[name],), rest


class Connection:
    def __init__(self, host, port, login=None, timeout=120):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.framed = False
        self.inbox = b""
        try:
            self.start(login)
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def start(self, login):
        opcode, reader = self.ask(
            STARTUP, struct.pack(">H", 1) + string("CQL_VERSION") + string("3.0.0")
        )
        self.framed = True
        if opcode == AUTHENTICATE:
            user, password = login or ("", "")
            token = ("\0%s\0%s" % (user, password)).encode()
            opcode, reader = self.ask(AUTH_RESPONSE, value(token))
        if opcode not in (READY, AUTH_SUCCESS):
            raise ServerError(0x0A, "unexpected answer %d to STARTUP" % opcode, [])

    # --- bytes in and out

    def receive(self, count):
        while len(self.inbox) < count:
            part = self.socket.recv(1 << 16)
            if not part:
                raise ConnectionError("the server closed the connection")
            self.inbox += part
        part, self.inbox = self.inbox[:count], self.inbox[count:]
        return part

    def segment(self):
        head = self.receive(6)
        if crc24(head[:3]).to_bytes(3, "little") != head[3:]:
            raise ConnectionError("bad header checksum")
        length = int.from_bytes(head[:3], "little") & MAX_PAYLOAD
        payload, crc = self.receive(length), self.receive(4)
        if zlib.crc32(payload, CRC32_START).to_bytes(4, "little") != crc:
            raise ConnectionError("bad payload checksum")
        return payload

    def envelope(self):
        """One whole envelope: (flags, opcode, body)."""
        if not self.framed:
            head = self.receive(9)
            body = self.receive(struct.unpack(">i", head[5:])[0])
        else:
            data = self.segment()
            while len(data) < 9 or len(data) < 9 + struct.unpack(">i", data[5:9])[0]:
                data += self.segment()
            head, body = data[:9], data[9:]
        return head[1], head[4], body

    def ask(self, opcode, body):
        message = struct.pack(">BBhBi", 5, 0, 1, opcode, len(body)) + body
        self.socket.sendall(segments(message) if self.framed else message)
        flags, opcode, body = self.envelope()
        reader = Reader(body)
        if flags & 2:
            reader.take(16)
        reader.warnings = reader.string_list() if flags & 8 else []
        if flags & 4:
            for _ in range(reader.short()):
                reader.string(), reader.bytes()
        if opcode == ERROR:
            code, text = reader.int(), reader.string()
            raise ServerError(code, text, reader.warnings, reader.data[reader.at :])
        return opcode, reader

    # --- requests

    @staticmethod
    def options(
        values=None, consistency="ONE", page_size=None, paging_state=None, timestamp=None, now=None
    ):
        flags, out = 0, b""
        if values is not None:
            flags |= 1
            out += struct.pack(">H", len(values)) + b"".join(value(v) for v in values)
        if page_size is not None:
            flags |= 4
            out += struct.pack(">i", page_size)
        if paging_state is not None:
            flags |= 8
            out += value(paging_state)
        if timestamp is not None:
            flags |= 0x20
            out += struct.pack(">q", timestamp)
        if now is not None:
            flags |= 0x100
            out += struct.pack(">i", now)
        return struct.pack(">Hi", CONSISTENCY.index(consistency), flags) + out

    def query(self, text, **options):
        return self.result(*self.ask(QUERY, long_string(text) + self.options(**options)))

    def prepare(self, text):
        return self.result(*self.ask(PREPARE, long_string(text) + struct.pack(">i", 0)))

    def execute(self, prepared, values, **options):
        body = struct.pack(">H", len(prepared.id)) + prepared.id
        body += struct.pack(">H", len(prepared.metadata_id)) + prepared.metadata_id
        return self.result(*self.ask(EXECUTE, body + self.options(values=values, **options)))

    # --- results

    def columns(self, reader, result):
        """Rows metadata: fills columns and the paging state."""
        flags, count = reader.int(), reader.int()
        if flags & 2:
            result.paging_state = reader.bytes()
        if flags & 8:
            result.metadata_id = reader.short_bytes()
        if flags & 4:
            return
        result.columns = self.specs(reader, flags, count, result.tables)

    @staticmethod
    def specs(reader, flags, count, tables):
        """The (name, type) of columns; adds the tables that they are of."""
        if flags & 1:
            table = "%s.%s" % (reader.string(), reader.string())
        specs = []
        for _ in range(count):
            if not flags & 1:
                table = "%s.%s" % (reader.string(), reader.string())
            name = reader.string()
            tables.append(table)
            specs.append((name, reader.type()))
        return specs

    def result(self, opcode, reader):
        if opcode != RESULT:
            raise ConnectionError("unexpected opcode %d" % opcode)
        kind = reader.int()
        result = Result({1: "void", 2: "rows", 3: "keyspace", 4: "prepared", 5: "schema"}[kind])
        result.warnings = reader.warnings
        if kind == 2:
            self.columns(reader, result)
            width = len(result.columns)
            result.rows = [tuple(reader.bytes() for _ in range(width)) for _ in range(reader.int())]
        elif kind == 3:
            result.text = reader.string()
        elif kind == 4:
            result.id, result.metadata_id = reader.short_bytes(), reader.short_bytes()
            flags, count = reader.int(), reader.int()
            result.key_indexes = [reader.short() for _ in range(reader.int())]
            result.markers = self.specs(reader, flags, count, result.tables)
            self.columns(reader, result)
        elif kind == 5:
            change, target = reader.string(), reader.string()
            name = reader.string()
            if target != "KEYSPACE":
                name += "." + reader.string()
            if target in ("FUNCTION", "AGGREGATE"):
                name += "(%s)" % ", ".join(reader.string_list())
            result.text = "%s %s %s" % (change, target, name)
        return result
