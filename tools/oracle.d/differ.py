# SPDX-License-Identifier: MIT
"""Random scripts on the server and on Corm, compared; a difference is made small and shown.

The script is a golden file without expectations. The server's answers come through the wire,
Corm's from `corm shell corm:FOLDER --golden -f FILE`, which prints the file with its answers."""

import collections
import os
import shutil
import subprocess
import sys
import tempfile

import generate
import golden


def comparable(lines):
    """An answer without what may differ: warnings that come with an error, and those of further
    pages, of which one may be empty."""
    warnings = [line for line in lines if line.startswith("warning: ")]
    rest = [line for line in lines if not line.startswith("warning: ")]
    if rest and rest[-1].startswith("error "):
        return rest
    return list(dict.fromkeys(warnings)) + rest


def agree(expected, answered):
    """Whether two answers are the same. Some functions of the server give a timeuuid as a class of
    its own and its values as bytes; Corm gives a timeuuid."""
    if any("LegacyTimeUUIDType" in line for line in expected):
        return len(expected) == len(answered)
    return golden.matches(comparable(expected), comparable(answered))


def server_answers(connection, statements):
    units, _ = golden.parse(generate.file_text(statements))
    return [
        golden.recorded(unit, answer) for unit, answer in zip(units, golden.run(connection, units))
    ]


def corm_answers(corm, statements):
    """What Corm prints for each statement; how it ended when it does not come through."""
    folder = tempfile.mkdtemp(prefix="corm-diff-")
    try:
        script = os.path.join(folder, "script.cql")
        with open(script, "w", encoding="utf-8") as out:
            out.write(generate.file_text(statements))
        run = subprocess.run(
            [corm, "shell", "corm:" + os.path.join(folder, "store"), "--golden", "-f", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
        )
        units, _ = golden.parse(run.stdout)
        answers = [unit.expected for unit in units]
        if run.returncode != 0 or len(answers) != len(statements):
            answers += [["exit code %d" % run.returncode] + run.stderr.splitlines()[:5]]
            answers += [["no answer"]] * (len(statements) - len(answers))
        return answers[: len(statements)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def differences(connection, corm, statements):
    """(index, expected, answered) of every statement that the two answer differently."""
    expected = server_answers(connection, statements)
    answered = corm_answers(corm, statements)
    return [
        (i, e, a) for i, (e, a) in enumerate(zip(expected, answered)) if not agree(e, a)
    ]


def shrink(connection, corm, statements):
    """Leaves out statements, in halves first, while some difference stays; the schema stays."""
    last = differences(connection, corm, statements)[0][0]
    statements = statements[: last + 1]
    size = max(1, len(statements) // 2)
    while True:
        at = 2
        while at < len(statements):
            fewer = statements[:at] + statements[at + size :]
            found = differences(connection, corm, fewer)
            if found:
                statements = fewer[: found[0][0] + 1]
            else:
                at += size
        if size == 1:
            return statements
        size = max(1, size // 2)


class Tally:
    """Counts answers by the kind of statement."""

    def __init__(self):
        self.accepted, self.refused = collections.Counter(), collections.Counter()
        self.errors = collections.Counter()

    def add(self, statement, answer):
        word = statement.split(" ", 1)[0]
        if answer[-1].startswith(("error", "any")):
            self.refused[word] += 1
            self.errors[answer[-1][:80]] += 1
        else:
            self.accepted[word] += 1

    def show(self):
        for word in sorted(set(self.accepted) | set(self.refused)):
            total = self.accepted[word] + self.refused[word]
            print(
                "%-7s %6d statements, %3d %% accepted"
                % (word, total, 100 * self.accepted[word] // total)
            )
        for text, count in self.errors.most_common(25):
            print("%6d %s" % (count, text))


def keep(connection, folder, seed, statements, expected):
    """Writes a script with the server's answers as a golden file; returns its text."""
    units, tail = golden.parse(generate.file_text(statements))
    text = "-- Random writes and reads, seed %d.\n\n%s" % (
        seed,
        golden.render(units, tail, expected),
    )
    text = golden.stamped(text, connection)
    if folder:
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "seed_%d.cql" % seed), "w", encoding="utf-8") as out:
            out.write(text)
    return text


def report(seed, statements, connection, corm, folder):
    print("seed %d: %d statements show a difference" % (seed, len(statements)))
    print(
        keep(connection, folder, seed, statements, server_answers(connection, statements)), end=""
    )
    for _, _, answered in differences(connection, corm, statements):
        print("-- corm answered:\n" + "\n".join("--   " + line for line in answered))


def main(connection, options):
    first, count, corm = int(options["--seed"]), int(options["--count"]), options["--corm"]
    tally, different = Tally(), 0
    for seed in range(first, first + count):
        statements = generate.Generator(seed).script()
        if not corm:
            answers = server_answers(connection, statements)
            keep(connection, options["--keep"], seed, statements, answers)
            for statement, answer in zip(statements, answers):
                tally.add(statement, answer)
        elif differences(connection, corm, statements):
            different += 1
            report(seed, shrink(connection, corm, statements), connection, corm, options["--keep"])
        sys.stdout.flush()
    if not corm:
        tally.show()
        return 0
    print("%d scripts, %d differ" % (count, different))
    return 1 if different else 0
