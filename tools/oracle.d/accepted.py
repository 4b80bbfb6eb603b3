# SPDX-License-Identifier: MIT
"""The list of differences that are meant: tests/differential/accepted. An entry is a paragraph:

    name: what differs, in a few words
    why: the reason
    statement: REGEX        found in the statement's directives and text, as in a golden file
    cassandra: REGEX        found in the server's lines
    corm: REGEX             found in Corm's
    after: REGEX            any number, each found in a statement before it in its script
    near: yes               the lines are the same but for the last digits of numbers with a fraction
    fewer: yes              the lines are the same but for rows that Corm does not have
    more: yes               the lines are the same but for rows that the server does not have
    nearest: yes            the same of a search for the nearest, where others may stand in for those that are lacking
    unsteady: yes           the example need not show it each time
    example: STATEMENT      any number, a script; its last statement shows the difference
    with: DIRECTIVE         any number, of the example above

A pattern that is left out finds everything. Lines that begin with # are comments."""

import collections
import re

import generate
import golden

SIMILARITY = re.compile(r"^columns: .* system\.similarity_\w+\([^)]*\) float$", re.M)
WORDS = ("name", "why", "statement", "cassandra", "corm", "after", "near", "fewer", "more", "nearest", "unsteady", "example", "with")
PATTERNS = ("statement", "cassandra", "corm")


def rounded(lines):
    """The lines, warnings left out, with six digits of each number that has a fraction or an exponent, or many digits."""
    near = lambda found: "%.5e" % float(found.group())
    lines = [line for line in lines if not line.startswith("warning: ")]
    return [re.sub(r"-?\d+\.\d+(E[-+]?\d+)?|\d{16,}", near, line) for line in lines]


def limit_of(statement):
    found = re.search(r"\bLIMIT (\d+)(?!.*\bLIMIT)", statement, re.S)
    return int(found.group(1)) if found else None


def lacks_rows(statement, expected, answered):
    """Whether the second differs from the first in rows that it lacks, and in how many there are in each page. Where both have as many as
    the limit allows, later rows stand in for those that are lacking."""
    fixed = lambda lines: [line for line in lines if not line.startswith(("row: ", "pages: ", "warning: "))]
    whole, rows = ([line for line in lines if line.startswith("row: ")] for lines in (expected, answered))
    left, full = iter(whole), len(whole) == len(rows) == limit_of(statement)
    found = [row in left for row in rows]
    return fixed(expected) == fixed(answered) and (all(found) or full and found == sorted(found, reverse=True))


def lacks_near(statement, expected, answered):
    """Whether the second differs from the first in near rows that it lacks; the last value of each row is its similarity."""
    fixed = lambda lines: [line for line in lines if not line.startswith(("row: ", "pages: ", "warning: "))]
    rows, fewer = ([line for line in lines if line.startswith("row: ")] for lines in (expected, answered))
    limit = limit_of(statement)
    if not limit or not rows or fixed(expected) != fixed(answered) or len(fewer) > len(rows):
        return False
    if not SIMILARITY.search("\n".join(fixed(answered))):
        return False
    others = collections.Counter(fewer) - collections.Counter(rows)
    full = len(rows) == limit
    return all(full and score(row) <= score(rows[-1]) for row in others)


def score(row):
    """The similarity that a row ends with."""
    text = row.rpartition(" | ")[2].removeprefix("row: ")
    return float("-inf") if text == "null" else float(text)


class Entry:
    def __init__(self, fields, place):
        self.fields = fields
        for word in ("name", "why", "example"):
            if word not in fields:
                raise golden.FileError("%s: an entry without '%s'" % (place, word))
        self.name = fields["name"][0]
        self.after = [re.compile(text) for text in fields["after"]] if "after" in fields else []
        self.patterns = [re.compile(fields[p][0], re.M) if p in fields else None for p in PATTERNS]

    def covers(self, statement, expected, answered, before):
        """`before`: the statements in front of it."""
        directives = "".join("-- %s\n" % d for d in getattr(statement, "directives", ()))
        texts = (directives + statement, "\n".join(expected), "\n".join(answered))
        if "near" in self.fields and rounded(expected) != rounded(answered):
            return False
        if "fewer" in self.fields and not lacks_rows(statement, expected, answered):
            return False
        if "more" in self.fields and not lacks_rows(statement, answered, expected):
            return False
        if "nearest" in self.fields and not lacks_near(statement, answered, expected):
            return False
        if not all(not p or p.search(text) for p, text in zip(self.patterns, texts)):
            return False
        return all(any(p.search(text) for text in before) for p in self.after)

    def is_steady(self):
        return "unsteady" not in self.fields

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


def covering(entries, statement, expected, answered, before):
    return next((e for e in entries if e.covers(statement, expected, answered, before)), None)
