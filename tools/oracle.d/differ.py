# SPDX-License-Identifier: MIT
"""A script on the server and on Corm, compared statement by statement; a difference is made small."""

import re

import accepted
import golden


WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|BEGIN|TRUNCATE|CREATE|ALTER|DROP)\b", re.I)
RUNS = 3  # that show a difference, before it is one


class Difference:
    """A statement that the two answer differently; `entry` when that is meant."""

    def __init__(self, index, statement, expected, answered, entry):
        self.index, self.statement, self.entry = index, statement, entry
        self.expected, self.answered = expected, answered

    def signature(self):
        """What differences of one cause have in common."""
        expected, answered = comparable(self.expected), comparable(self.answered)
        pairs = [(e, a) for e, a in zip(expected, answered) if e != a]
        expected, answered = pairs[0] if pairs else (self.expected[-1], self.answered[-1])
        return "%s | %s | %s" % (
            self.statement.split(" ", 1)[0].upper(),
            blurred(expected),
            blurred(answered),
        )

    def text(self):
        lines = ["-- " + d for d in getattr(self.statement, "directives", ())] + [self.statement + ";"]
        lines += ["-- cassandra: " + line for line in self.expected]
        return "\n".join(lines + ["-- corm:      " + line for line in self.answered])


def blurred(line):
    """A line without what changes from one script to the next."""
    if line.startswith(("row: ", "details: ")):
        return line.split(" ", 1)[0]
    line = re.sub(r"'(?:[^']|'')*'|0x[0-9a-f]*|-?\d+(\.\d+)?", "#", line)
    return re.sub(r"\b[pcsvwxyz]\d?r*\b|\"U\"", "X", line)[:120]


def comparable(lines):
    """An answer without what may differ: warnings that come with an error, and those of further
    pages, of which one may be empty."""
    if any(line.startswith("error ") for line in lines):
        return [line for line in lines if not line.startswith("warning: ")]
    warnings = [line for line in lines if line.startswith("warning: ")]
    return list(dict.fromkeys(warnings)) + [w for w in lines if not w.startswith("warning: ")]


RANKED = re.compile(r"ORDER BY \S+ ANN OF .*?\bLIMIT (\d+)", re.S)


def ranked(statement, lines):
    """The answer of a search for the nearest, each row of which ends with its similarity: rows of one rank in no order, and those of the
    last rank without what is in them when there may be more of them than were asked for."""
    asked = RANKED.search(statement)
    head = next((line for line in lines if line.startswith("columns: ")), "")
    if not asked or not accepted.SIMILARITY.search(head):
        return lines
    rows = [line for line in lines if line.startswith("row: ")]
    rows = [("%.4e" % accepted.score(row), row.rpartition(" | ")[0]) for row in rows]
    if len(rows) >= int(asked.group(1)):
        rows = [(score, row if score != rows[-1][0] else "") for score, row in rows]
    order = list(dict.fromkeys(score for score, _ in rows))
    rows.sort(key=lambda row: (order.index(row[0]), row[1]))
    found = iter(rows)
    return ["%s | %s" % next(found)[::-1] if line.startswith("row: ") else line for line in lines]


def is_error(lines):
    return any(line.startswith("error ") for line in lines)


def agree(statement, expected, answered):
    """Whether two answers are the same: any is where the server itself fails. Some functions of the server give a timeuuid as a class of
    its own and its values as bytes; Corm gives a timeuuid."""
    if any("LegacyTimeUUIDType" in line for line in expected):
        return len(expected) == len(answered)
    if golden.ANY_ANSWER in expected or golden.ANY_ERROR in expected:
        return not answered[0].startswith(("connection", "not asked"))
    expected, answered = (ranked(statement, comparable(lines)) for lines in (expected, answered))
    if any(line.startswith("error ") and line.endswith("*") for line in expected):
        # An error that is known by its code alone has no further words.
        expected, answered = expected[:1], answered[:1]
    return golden.matches(expected, answered)


class Pair:
    """The two sides and the list of what is meant to differ."""

    def __init__(self, server, corm, entries):
        self.server, self.corm, self.entries = server, corm, entries
        self.expected = []

    def differences(self, statements):
        """All of them; the server's answers are kept in `expected`, as far as they are compared: where the server itself fails on a write,
        nobody knows what it has written."""
        self.expected = self.server.answers(statements)
        failed = (i for i, lines in enumerate(self.expected) if golden.ANY_ERROR in lines and WRITES.match(statements[i]))
        self.expected = self.expected[: next(failed, len(statements))]
        answered = self.corm.answers(statements[: len(self.expected)])
        found = []
        for i, (e, a) in enumerate(zip(self.expected, answered)):
            if agree(statements[i], e, a):
                continue
            entry = accepted.covering(self.entries, statements[i], e, a, statements[:i])
            found.append(Difference(i, statements[i], e, a, entry))
            if entry and WRITES.match(statements[i]) and is_error(e) != is_error(a):
                # Listed, and one of the two has written: what they hold is no longer the same.
                self.expected = self.expected[: i + 1]
                break
        return found

    def unlisted(self, statements):
        return [d for d in self.differences(statements) if not d.entry]

    def repeated(self, statements, found):
        """Those of the differences that further runs show too."""
        for _ in range(RUNS - 1):
            if found:
                again = {d.index for d in self.unlisted(statements)}
                found = [d for d in found if d.index in again]
        return found

    def shrink(self, statements, signature, rounds=150):
        """Leaves out statements, in halves first, while a difference of this kind stays."""

        def shown(script):
            return next((d for d in self.unlisted(script) if d.signature() == signature), None)

        last = shown(statements)
        if not last:
            return statements
        statements = statements[: last.index + 1]
        size = max(1, len(statements) // 2)
        while True:
            at = 0
            while at < len(statements) - 1 and rounds > 0:
                rounds -= 1
                fewer = statements[:at] + statements[min(at + size, len(statements) - 1) :]
                found = shown(fewer)
                if found:
                    statements = fewer[: found.index + 1]
                else:
                    at += size
            if size == 1 or rounds <= 0:
                return statements
            size = max(1, size // 2)

    def close(self):
        self.server.close()
        self.corm.close()
