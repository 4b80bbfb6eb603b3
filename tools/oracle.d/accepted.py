# SPDX-License-Identifier: MIT
"""The list of differences that are meant: tests/differential/accepted. An entry is a paragraph:

    name: what differs, in a few words
    why: the reason
    statement: REGEX        found in the statement's directives and text, as in a golden file
    cassandra: REGEX        found in the server's lines
    corm: REGEX             found in Corm's
    near: yes               the lines are the same but for the last digits of numbers with a fraction
    fewer: yes              the lines are the same but for rows that Corm does not have
    example: STATEMENT      any number, a script; its last statement shows the difference
    with: DIRECTIVE         any number, of the example above

A pattern that is left out finds everything. Lines that begin with # are comments."""

import collections
import re

import generate
import golden

WORDS = ("name", "why", "statement", "cassandra", "corm", "near", "fewer", "example", "with")
PATTERNS = ("statement", "cassandra", "corm")


def rounded(lines):
    """The lines, warnings left out, with six digits of each number that has a fraction or an exponent, or many digits."""
    near = lambda found: "%.5e" % float(found.group())
    lines = [line for line in lines if not line.startswith("warning: ")]
    return [re.sub(r"-?\d+\.\d+(E[-+]?\d+)?|\d{16,}", near, line) for line in lines]


def lacks_rows(expected, answered):
    """Whether the second differs from the first in rows that it lacks, and in how many there are in each page."""
    fixed = lambda lines: [line for line in lines if not line.startswith(("row: ", "pages: ", "warning: "))]
    left = iter(line for line in expected if line.startswith("row: "))
    rows = [line for line in answered if line.startswith("row: ")]
    return fixed(expected) == fixed(answered) and all(row in left for row in rows)


class Entry:
    def __init__(self, fields, place):
        self.fields = fields
        for word in ("name", "why", "example"):
            if word not in fields:
                raise golden.FileError("%s: an entry without '%s'" % (place, word))
        self.name = fields["name"][0]
        self.patterns = [re.compile(fields[p][0], re.M) if p in fields else None for p in PATTERNS]

    def covers(self, statement, expected, answered):
        directives = "".join("-- %s\n" % d for d in getattr(statement, "directives", ()))
        texts = (directives + statement, "\n".join(expected), "\n".join(answered))
        if "near" in self.fields and rounded(expected) != rounded(answered):
            return False
        if "fewer" in self.fields and not lacks_rows(expected, answered):
            return False
        return all(not p or p.search(text) for p, text in zip(self.patterns, texts))

    def example(self):
        return [generate.directed(text, *directives) for text, directives in self.fields["example"]]


def read(path):
    entries, fields = [], collections.defaultdict(list)
    with open(path, encoding="utf-8") as source:
        lines = source.read().split("\n")
    for number, line in enumerate(lines + [""], 1):
        place = "%s:%d" % (path, number)
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                entries.append(Entry(dict(fields), place))
            fields = collections.defaultdict(list)
            continue
        word, colon, text = line.partition(":")
        if word not in WORDS or not colon:
            raise golden.FileError("%s: unknown line '%s'" % (place, line))
        if word == "with":
            fields["example"][-1][1].append(text.strip())
        else:
            fields[word].append((text.strip(), []) if word == "example" else text.strip())
    return entries


def covering(entries, statement, expected, answered):
    return next((e for e in entries if e.covers(statement, expected, answered)), None)
