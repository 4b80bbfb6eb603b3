# SPDX-License-Identifier: MIT
"""The two sides of a comparison: a server that runs, and a `corm serve` of our own. Both are asked over the native protocol, and
all that a client can see of an answer becomes lines: those of docs/golden-tests.md, and the tables of columns and markers, what is
known when a statement is prepared, the details of an error."""

import re
import struct
import subprocess
import tempfile
import time

import golden
import wire

READY_SECONDS = 30
# A server that drops a table with a log begins to write all tables of all keyspaces to disk, and what some answers are depends on that.
NO_LOG = " AND durable_writes = false"


# Reads, writes, conditional writes.
TIMED_OUT = ("error 1200", "error 1100", "error 1700")


class Hangs(Exception):
    """The server has not answered a statement in its own time, and answers few others."""


def table_lines(tables):
    return ["tables: " + ", ".join(dict.fromkeys(tables))] if tables else []


def failure_lines(error):
    lines = golden.warning_lines(error.warnings)
    lines += ["error %04x: %s" % (error.code, golden.one_line(error.text))]
    return lines + (["details: " + error.details.hex()] if error.details else [])


def prepared_lines(prepared):
    return ["prepared " + line for line in golden.result_lines(prepared)] + [
        "prepared " + line for line in table_lines(prepared.tables)
    ]


def bound_values(text, kinds):
    """None when the text has no values of these types: statements are mutated, and a marker may then be of another type than its value."""
    try:
        return golden.Literal(text).values(kinds)
    except (ArithmeticError, AttributeError, LookupError, OSError, StopIteration, TypeError, ValueError, struct.error):
        return None


def asked(connection, unit):
    """What the server says to a unit, and all of it."""
    text, chosen = unit.text(), golden.options(unit.directives)
    if "prepare" in unit.directives:
        prepared = connection.prepare(text)
        return golden.warning_lines(prepared.warnings) + prepared_lines(prepared)
    send, early, known = lambda **more: connection.query(text, **more), [], []
    if "bind" in unit.directives:
        prepared = connection.prepare(text)
        early, known = prepared.warnings, prepared_lines(prepared)
        kinds = [kind for _, kind in prepared.markers]
        bound = bound_values(unit.directives["bind"], kinds)
        if bound is None:
            return golden.warning_lines(early) + known + ["not executed: the values are not of these types"]
        send = lambda **more: connection.execute(prepared, bound, **more)
    result, warnings, counts = golden.pages(send, chosen)
    lines = golden.warning_lines(early + warnings) + known + golden.result_lines(result)
    if "page-size" in unit.directives and result.kind == "rows":
        lines.append("pages: " + " ".join(str(count) for count in counts))
    return lines + table_lines(result.tables)


def ask(connection, unit):
    try:
        return asked(connection, unit)
    except wire.ServerError as error:
        return failure_lines(error)


def units(statements, keyspace):
    """What is sent for each statement; its keyspace golden is another one here."""
    for statement in statements:
        unit = golden.Unit([])
        unit.lines = [statement.replace("golden", keyspace) + ";"]
        for directive in getattr(statement, "directives", ()):
            name, _, value = directive.partition(":")
            unit.directives[name] = value.strip()
        yield unit


class Server:
    """A server that others have started."""

    def __init__(self, host, port, login, keyspace):
        self.address, self.keyspace = (host, port, login), keyspace
        self.connection = None

    def connect(self):
        if not self.connection:
            self.connection = wire.Connection(*self.address)
        return self.connection

    def forget(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def answers(self, statements):
        """The lines that each statement brings, in a keyspace that is empty before."""
        golden.fresh_keyspace(self.connect(), self.keyspace, NO_LOG)
        return [
            [line.replace(self.keyspace, "golden") for line in self.answer(unit)]
            for unit in units(statements, self.keyspace)
        ]

    def answer(self, unit):
        try:
            lines = ask(self.connect(), unit)
            if any(line.startswith(TIMED_OUT) for line in lines):
                raise Hangs(unit.text())
            made = re.search(r"^schema: CREATED TABLE (\w+)\.(\w+)$", "\n".join(lines), re.M)
            if made and "MATERIALIZED" in unit.text():
                self.wait_until_built(*made.groups())
            return golden.recorded(unit, lines)
        except (OSError, TimeoutError) as error:
            self.forget()
            return ["connection: %s" % error]

    def wait_until_built(self, keyspace, view):
        """The server fills a view while it goes on with other things."""
        asked = "SELECT view_name FROM system.built_views WHERE keyspace_name = '%s' AND view_name = '%s'" % (keyspace, view)
        until = time.monotonic() + READY_SECONDS
        while not self.connect().query(asked).rows and time.monotonic() < until:
            time.sleep(0.02)

    def close(self):
        try:
            self.connect().query("DROP KEYSPACE IF EXISTS " + self.keyspace)
        except (OSError, wire.ServerError):
            pass
        self.forget()


class Corm(Server):
    """A `corm serve` over a store in memory; a new one when it has ended."""

    def __init__(self, program, keyspace):
        super().__init__("127.0.0.1", 0, None, keyspace)
        self.program, self.process = program, None

    def start(self):
        self.said = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            [self.program, "serve", "corm::memory:", "--port", "-1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
        )
        uri = self.process.stdout.readline().strip()
        if not uri:
            raise ConnectionError("corm serve does not start: " + self.last_words())
        self.address = ("127.0.0.1", int(uri.rpartition(":")[2]), None)

    def last_words(self):
        self.said.seek(0)
        return " ".join(self.said.read().split())[-400:]

    def connect(self):
        if not self.process:
            self.start()
        return super().connect()

    def answers(self, statements):
        """When the server ends, the statement that ended it has no answer, and those behind it are not asked."""
        answers = super().answers(statements)
        ended = next((i for i, a in enumerate(answers) if a[0].startswith("connection: ")), None)
        if ended is None:
            return answers
        status = self.process.wait(READY_SECONDS) if self.process.poll() is not None else "none"
        words = ["connection: closed; the server's status: %s" % status, self.last_words()]
        self.end()
        return answers[:ended] + [words] + [["not asked"]] * (len(answers) - ended - 1)

    def end(self):
        self.forget()
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(READY_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
        self.process = None

    def close(self):
        self.end()
