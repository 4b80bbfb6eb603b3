# SPDX-License-Identifier: MIT
"""Golden files (docs/golden-tests.md): read, run on a server, compared, written with answers."""

import re
import time

from literals import Literal
from values import show, type_text
from wire import ServerError

DIRECTIVES = ("page-size", "bind", "prepare", "now", "timestamp", "consistency", "position")
WILDCARD = "<any>"
ANY_ERROR, ANY_ANSWER = "error *", "any"
# The server fails on its own: inside, by a time-out, or on a paging state that it gave itself.
FAILURES = re.compile(
    "error (0000|1100|1200|1300|1500)|error 000a: Invalid value for the paging state"
)
# Functions listed in no certain order; the words of the server's JSON reader; addresses of objects.
UNSTABLE = re.compile(
    r"(?<=signatures: )[\w.\"]+ : .*|com\.fasterxml\..*|(?<=Error decoding JSON string: ).*|(?<=[$\w])@[0-9a-f]{6,8}\b.*"
)
USE_WARNING = "`USE <keyspace>` with prepared statements"


class Unit:
    """One statement with the lines in front of it and its expectations."""

    def __init__(self, lead):
        self.lead = lead  # lines in front: comments, directives, blank lines
        self.lines = []  # the statement's lines
        self.expected = []  # expectation lines without "-- "
        self.directives = {}

    def text(self):
        return "\n".join(self.lines).rstrip(" ")[:-1]


class FileError(Exception):
    pass


def directive(line, unit, place):
    found = re.match(r"-- ([a-z][a-z-]*)(?::(?: (.*))?)?$", line)
    if not found:
        return
    name, value = found.group(1), (found.group(2) or "").strip()
    has_colon = line[len(name) + 3 : len(name) + 4] == ":"
    if name == "golden" or (name not in DIRECTIVES and not has_colon):
        return
    if name not in DIRECTIVES:
        raise FileError("%s: unknown directive '%s'" % (place, name))
    unit.directives[name] = value


def refuse_directive(line, place):
    """A directive in an expectation block was meant for the next statement."""
    name = re.match(r"-- ([a-z-]*)", line)
    if name and name.group(1) in DIRECTIVES:
        raise FileError("%s: a blank line is missing before the directive" % place)


def parse(text, path="-"):
    """The units of a file, and the lines behind the last statement."""
    units, unit, state = [], Unit([]), "lead"
    for number, line in enumerate(text.split("\n"), 1):
        if state == "expect":
            if line.startswith("--"):
                refuse_directive(line, "%s:%d" % (path, number))
                unit.expected.append(line[3:] if line.startswith("-- ") else line[2:])
                continue
            units.append(unit)
            unit, state = Unit([]), "lead"
        if state == "lead":
            if not line.strip() or line.startswith("--"):
                unit.lead.append(line)
                directive(line, unit, "%s:%d" % (path, number))
                continue
            state = "statement"
        unit.lines.append(line)
        if line.rstrip(" ").endswith(";"):
            state = "expect"
    if state == "statement":
        raise FileError("%s: the last statement has no ';' at a line's end" % path)
    if state == "expect":
        units.append(unit)
        unit = Unit([])
    return units, unit.lead


def render(units, tail, answers):
    """The file with the answers in place of the expectations."""
    out = []
    for unit, answer in zip(units, answers):
        lead = unit.lead
        if out and lead and lead[0].strip():
            lead = [""] + lead
        out += lead + unit.lines + ["-- " + line if line else "--" for line in answer]
    while tail and not tail[-1].strip():
        tail = tail[:-1]
    return "\n".join(out + tail) + "\n"


def stamped(text, connection):
    """The text of a file with the server's version in its first line."""
    version = connection.query("SELECT release_version FROM system.local").rows[0][0].decode()
    first, _, rest = text.partition("\n")
    return "-- golden: cassandra %s\n%s" % (
        version,
        rest if first.startswith("-- golden:") else text,
    )


# --- asking


def one_line(text):
    return text.replace("\r", "\\r").replace("\n", "\\n")


def warning_lines(warnings):
    return ["warning: " + one_line(text) for text in warnings if not text.startswith(USE_WARNING)]


def specs(columns):
    return (
        "".join(" " + ", ".join("%s %s" % (name, type_text(kind)) for name, kind in columns))
        if columns
        else ""
    )


def row_lines(columns, rows):
    return [
        "row: " + " | ".join(show(kind, data) for (_, kind), data in zip(columns, row))
        for row in rows
    ]


def result_lines(result):
    if result.kind == "rows":
        return ["columns:" + specs(result.columns)] + row_lines(result.columns, result.rows)
    if result.kind == "prepared":
        lines = ["markers:" + specs(result.markers)]
        if result.key_indexes:
            lines.append("partition-key: " + " ".join(str(i) for i in result.key_indexes))
        return lines + (["columns:" + specs(result.columns)] if result.columns else [])
    return {
        "void": ["ok"],
        "schema": ["schema: " + result.text],
        "keyspace": ["keyspace: " + result.text],
    }[result.kind]


def options(directives):
    out = {"consistency": directives.get("consistency", "ONE")}
    for name, key in (("page-size", "page_size"), ("now", "now"), ("timestamp", "timestamp")):
        if name in directives:
            out[key] = int(directives[name])
    return out


def pages(send, chosen):
    """All pages of a result as one, and the lines for them."""
    result = send(**chosen)
    counts, warnings = [len(result.rows)], list(result.warnings)
    first, rows = result, list(result.rows)
    while result.paging_state is not None:
        result = send(**chosen, paging_state=result.paging_state)
        rows += result.rows
        warnings += result.warnings
        counts.append(len(result.rows))
    first.rows = rows
    return first, warnings, counts


# Words of a server whose index is made but not ready yet: it is asked again for this long.
NOT_READY = ("INDEX_NOT_AVAILABLE", "INDEX_BUILD_IN_PROGRESS")
READY_WITHIN_S = 60


def ask(connection, unit):
    """The expectation lines that this server gives for a unit."""
    until = time.monotonic() + READY_WITHIN_S
    lines = ask_once(connection, unit)
    while any(word in line for line in lines for word in NOT_READY) and time.monotonic() < until:
        time.sleep(0.2)
        lines = ask_once(connection, unit)
    return lines


def ask_once(connection, unit):
    text, chosen = unit.text(), options(unit.directives)
    try:
        if "prepare" in unit.directives:
            result = connection.prepare(text)
            return warning_lines(result.warnings) + result_lines(result)
        send = lambda **more: connection.query(text, **more)
        early = []
        if "bind" in unit.directives:
            prepared = connection.prepare(text)
            early = prepared.warnings
            bound = Literal(unit.directives["bind"]).values([kind for _, kind in prepared.markers])
            send = lambda **more: connection.execute(prepared, bound, **more)
        result, warnings, counts = pages(send, chosen)
        lines = warning_lines(early + warnings) + result_lines(result)
        if "page-size" in unit.directives and result.kind == "rows":
            lines.append("pages: " + " ".join(str(count) for count in counts))
        return lines
    except ServerError as error:
        return warning_lines(error.warnings) + [
            "error %04x: %s" % (error.code, one_line(error.text))
        ]


def fresh_keyspace(connection, keyspace="golden", more=""):
    names = [
        row[0].decode()
        for row in connection.query("SELECT keyspace_name FROM system_schema.keyspaces").rows
    ]
    for name in names:
        if name.startswith(keyspace):
            connection.query('DROP KEYSPACE "%s"' % name)
    connection.query(
        "CREATE KEYSPACE %s WITH replication = "
        "{'class': 'SimpleStrategy', 'replication_factor': 1}%s" % (keyspace, more)
    )
    connection.query("USE " + keyspace)


def run(connection, units):
    fresh_keyspace(connection)
    return [ask(connection, unit) for unit in units]


# --- comparing and recording


def row_matches(expected, actual):
    """Whether an expected row with <any> in it matches; both without 'row: '."""
    pattern = re.escape(expected).replace(re.escape(WILDCARD), r"(?:'(?:[^']|'')*'|[^|'])+")
    return re.fullmatch(pattern, actual, re.S) is not None


def line_matches(expected, actual):
    if expected == actual:
        return True
    if expected.startswith("row: ") and actual.startswith("row: ") and WILDCARD in expected:
        return row_matches(expected[5:], actual[5:])
    if expected.startswith("pages: ") and actual.startswith("pages: "):
        return expected.removesuffix(" 0") == actual.removesuffix(" 0")
    if expected == ANY_ERROR:
        return actual.startswith("error ")
    if expected.startswith(("error ", "warning: ")) and expected.endswith("*"):
        return actual.startswith(expected[:-1])
    return False


def matches(expected, actual):
    if expected and expected[-1] == ANY_ANSWER:
        return True
    return len(expected) == len(actual) and all(map(line_matches, expected, actual))


def recorded(unit, actual):
    """The lines to write down: new ones, without the parser generator's words and the server's own
    failures, and old ones with a wildcard that still match."""
    out = []
    for i, line in enumerate(actual):
        if FAILURES.match(line):
            line = ANY_ANSWER if unit.text().upper().startswith("SELECT") else ANY_ERROR
        found = re.match(r"(error 2000: )(line \d+:-?\d+ |Failed parsing statement)", line)
        if found:
            line = found.group(1) + (found.group(2) if "position" in unit.directives else "") + "*"
        line = UNSTABLE.sub("*", line)
        old = unit.expected[i] if i < len(unit.expected) else ""
        by_hand = WILDCARD in old or (old.endswith("*") and old not in ("error 2000: *", ANY_ERROR))
        out.append(old if by_hand and line_matches(old, actual[i]) else line)
    return out
