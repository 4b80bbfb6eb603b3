# SPDX-License-Identifier: MIT
"""Many random scripts on the server and on Corm: several at once, continued where it was stopped, summed up at the end.

Workers are processes, each with a connection, a keyspace and a `corm serve` of its own. With a state folder, what each seed showed
is a line of FOLDER/seeds, and every difference a file FOLDER/seed_N."""

import collections
import json
import multiprocessing
import os
import queue
import sys
import time
import traceback

import accepted
import differ
import generate
import golden
import mutants
import sides
import wire

ACCEPTED = os.path.join("tests", "differential", "accepted")


def script_of(kind, seed):
    generator = generate.Generator(seed)
    return mutants.script(generator) if kind == "invalid" else generator.script()


VERBS = "SELECT INSERT UPDATE DELETE BEGIN TRUNCATE DESCRIBE".split()
OBJECTS = "KEYSPACE TABLE TYPE INDEX CUSTOM MATERIALIZED".split()


def verb(statement):
    """What a statement does by its first words."""
    words = statement.upper().split()[:2] + ["", ""]
    if words[0] in ("CREATE", "ALTER", "DROP") and words[1] in OBJECTS:
        return " ".join(words[:2])
    return words[0] if words[0] in VERBS else "(others)"


def tallied(statements, expected):
    """How many of each kind the server accepted and refused, and the codes of its errors."""
    accepted_ones, refused, codes = (collections.Counter() for _ in range(3))
    for statement, answer in zip(statements, expected):
        error = next((line for line in answer if line.startswith(("error", "any"))), None)
        (refused if error else accepted_ones)[verb(statement)] += 1
        if error:
            codes[error[6:10] if error[6:7] not in ("*", "") else "the server's own failure"] += 1
    return accepted_ones, refused, codes


class Worker:
    """Runs in a process of its own."""

    def __init__(self, options, number, entries):
        keyspace = "differ_%d_%d" % (os.getpid() % 100000, number)
        server = sides.Server(*options["address"], keyspace)
        self.pair = differ.Pair(server, sides.Corm(options["corm"], keyspace), entries)
        self.kind, self.shrinks = options["kind"], options["shrink"]
        self.seen = set(options["seen"])

    def run(self, seed):
        statements = script_of(self.kind, seed)
        found = self.pair.differences(statements)
        accepted_ones, refused, codes = tallied(statements, self.pair.expected)
        once = [d for d in found if not d.entry]
        compared = len(self.pair.expected)
        unlisted = self.pair.repeated(statements, once)
        report = {
            "seed": seed,
            "statements": compared,
            "accepted": accepted_ones,
            "refused": refused,
            "codes": codes,
            "listed": collections.Counter(d.entry.name for d in found if d.entry),
            "different": len(unlisted),
            "not again": len(once) - len(unlisted),
            "signatures": list(dict.fromkeys(d.signature() for d in unlisted)),
        }
        report["text"] = self.described(statements, unlisted)
        return report

    def described(self, statements, unlisted):
        """The first difference, made small the first time that one of its kind is seen."""
        if not unlisted:
            return ""
        first = unlisted[0]
        if first.signature() in self.seen or not self.shrinks:
            return first.text() + "\n"
        self.seen.add(first.signature())
        small = self.pair.shrink(statements, first.signature())
        differing = {d.index: d for d in self.pair.unlisted(small)}
        lines = []
        for i, statement in enumerate(small):
            if i in differing:
                lines.append(differing[i].text())
            else:
                lines += ["-- " + d for d in getattr(statement, "directives", ())]
                lines.append(statement + ";\n")
        return "\n".join(lines) + "\n"


def work(options, number, entries, seeds, reports):
    worker = Worker(options, number, entries)
    try:
        while True:
            seed = seeds.get()
            if seed is None:
                break
            try:
                reports.put(worker.run(seed))
            except (OSError, sides.Hangs, wire.ServerError):  # also for the other seeds
                reports.put({"seed": seed, "failed": traceback.format_exc(), "lost": True})
            except Exception:  # the run goes on with the next seed
                reports.put({"seed": seed, "failed": traceback.format_exc()})
    except KeyboardInterrupt:
        pass
    finally:
        worker.pair.close()
        reports.put(None)


class State:
    """What is known of each seed; in a folder, or for this run only."""

    def __init__(self, folder):
        self.folder, self.reports = folder, {}
        if not folder:
            return
        os.makedirs(folder, exist_ok=True)
        try:
            with open(os.path.join(folder, "seeds"), encoding="utf-8") as lines:
                for line in lines:
                    report = json.loads(line)
                    self.reports[report["seed"]] = report
        except FileNotFoundError:
            pass

    def add(self, report):
        text = report.pop("text")
        self.reports[report["seed"]] = report
        if not self.folder:
            return
        with open(os.path.join(self.folder, "seeds"), "a", encoding="utf-8") as out:
            out.write(json.dumps(report) + "\n")
        path = os.path.join(self.folder, "seed_%d" % report["seed"])
        if text:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        elif os.path.exists(path):
            os.remove(path)

    def seen(self):
        return {s for report in self.reports.values() for s in report["signatures"]}


def chosen_seeds(options, state):
    """Those asked for that nothing is known of; with --again those that showed a difference."""
    if options["again"]:
        return sorted(s for s, report in state.reports.items() if report["different"])
    first = options["seed"]
    return [s for s in range(first, first + options["count"]) if s not in state.reports]


def shown(report, text):
    line = "seed %d: %d statements" % (report["seed"], report["statements"])
    if report["different"]:
        line += ", %d differ" % report["different"]
    print(line, flush=True)
    if text:
        print(text, flush=True)


def drain(reports, state, workers, deadline, stop, quiet):
    ended = failures = 0
    while ended < workers:
        if deadline and time.monotonic() > deadline:
            stop()
            deadline = None
        try:
            report = reports.get(timeout=0.5)
        except queue.Empty:
            continue
        if report is None:
            ended += 1
        elif "failed" in report:
            failures += 1
            if "lost" in report:
                stop()
            print("seed %d: %s" % (report["seed"], report["failed"]), file=sys.stderr, flush=True)
        else:
            text = report["text"]
            state.add(report)
            if report["different"] or not quiet:
                shown(report, text)
    return failures


def run(options, entries, state):
    """Gives each seed to a worker; how many seeds could not be run."""
    left = chosen_seeds(options, state)
    jobs = min(options["jobs"], max(1, len(left)))
    seeds, reports = multiprocessing.Queue(), multiprocessing.Queue()
    options["seen"] = () if options["again"] else state.seen()
    for seed in left + [None] * jobs:
        seeds.put(seed)

    def stop():
        """No worker finds a further seed."""
        try:
            while True:
                seeds.get_nowait()
        except queue.Empty:
            pass
        for _ in range(jobs):
            seeds.put(None)

    processes = [
        multiprocessing.Process(target=work, args=(options, n, entries, seeds, reports))
        for n in range(jobs)
    ]
    for process in processes:
        process.start()
    deadline = time.monotonic() + options["seconds"] if options["seconds"] else None
    failures = drain(reports, state, jobs, deadline, stop, options["quiet"])
    for process in processes:
        process.join()
    return failures


def summed(state, name):
    total = collections.Counter()
    for report in state.reports.values():
        total.update(report[name])
    return total


def summary(state, seconds, count):
    accepted_ones, refused = summed(state, "accepted"), summed(state, "refused")
    for word in sorted(set(accepted_ones) | set(refused)):
        total = accepted_ones[word] + refused[word]
        print("%-24s %7d, %3d %% accepted" % (word, total, 100 * accepted_ones[word] // total))
    for code, number in summed(state, "codes").most_common():
        print("%7d answers %s" % (number, code))
    for name, number in summed(state, "listed").most_common():
        print("%7d listed: %s" % (number, name))
    signatures = collections.Counter(s for r in state.reports.values() for s in r["signatures"])
    for signature, number in signatures.most_common(40):
        print("%7d scripts: %s" % (number, signature))
    statements = sum(r["statements"] for r in state.reports.values())
    different = sum(r["different"] for r in state.reports.values())
    print("%7d differences that did not come again" % sum(r["not again"] for r in state.reports.values()))
    print(
        "%d scripts, %d statements, %d differ; %d statements in %.0f s"
        % (len(state.reports), statements, different, count, seconds)
    )
    return different


def stale(options, entries):
    """The entries of the list whose example shows no difference any more."""
    worker = Worker({**options, "seen": ()}, 999, entries)
    old = []
    try:
        for entry in entries:
            if not entry.is_steady():
                continue
            found = worker.pair.differences(entry.example())
            last = len(entry.example()) - 1
            # An index that is still being built: the server fails, and nothing is known of the entry.
            failed = golden.ANY_ANSWER in worker.pair.expected[last]
            if not failed and not any(d.index == last and d.entry is entry for d in found):
                old.append(entry.name)
    finally:
        worker.pair.close()
    return old


def main(options, root):
    entries = accepted.read(os.path.join(root, ACCEPTED))
    state, begun = State(options["state"]), time.monotonic()
    before = sum(r["statements"] for r in state.reports.values())
    old = stale(options, entries)
    for name in old:
        print("no longer a difference, or another one: " + name)
    failures = run(options, entries, state)
    done = sum(r["statements"] for r in state.reports.values()) - before
    different = summary(state, time.monotonic() - begun, done)
    return 1 if different or failures or old else 0
