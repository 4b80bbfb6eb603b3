# SPDX-License-Identifier: MIT
"""bench/run vector: nearest vectors, Corm beside hnswlib, on the same clustered vectors with exact answers.

Each system builds its index and then answers the same beams (candidates that a search keeps; hnswlib calls them ef) in turns with the
others. hnswlib and the graph alone take in one vector after another, CREATE INDEX uses all processors that the process may (under
taskset -c 0: one): build_s is what all threads computed, build_clock_s what it took by the clock. Rates are queries for a second of
computing by one thread; recall is the part of the 10 nearest that is among the 10 that are found. From each system's curve the rate at a
recall of 0.95 and of 0.99 is read off.

    corm-graph   the graph alone, without a store        corm-cql   a prepared SELECT … ANN OF ? LIMIT 10 in a session
    hnswlib      the header library, compiled for this machine

The case churn: 100,000 updates, deletions and insertions by four threads on the folder that corm-cql made, killed in the middle."""
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "release", "bench", "bench_vector")
PEER = os.path.join(ROOT, "build", "bench-peers", "hnswlib-bench")
SYSTEMS = ["corm-graph", "corm-cql", "hnswlib"]
COUNT, QUERIES, CONNECTIONS, BUILD_BEAM, CHURN = 100000, 1000, 16, 200, 100000
BEAMS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320]
DIMENSIONS = [128, 384]
CASES = {f"{COUNT}x{dimension}": (dimension, None, None, None, "query") for dimension in DIMENSIONS}
CASES["churn"] = (128, None, None, None, "operation")
METRICS = [("rate_95", "1/s"), ("rate_99", "1/s"), ("build_s", "s"), ("build_clock_s", "s"), ("rss_mb", "MB"), ("load_s", "s")]


def build_peer():
    source = os.path.join(ROOT, "bench", "peers", "hnswlib", "main.cpp")
    if os.path.exists(PEER) and os.path.getmtime(PEER) > os.path.getmtime(source):
        return True
    os.makedirs(os.path.dirname(PEER), exist_ok=True)
    done = subprocess.run(["g++", "-O3", "-march=native", "-o", PEER, source], stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        print("bench: without hnswlib: libhnswlib-dev or g++ is missing", file=sys.stderr)
    return done.returncode == 0


def data_file(folder, dimension):
    path = os.path.join(folder, f"vectors-{COUNT}-{dimension}.bin")
    if not os.path.exists(path):
        numbers = [str(number) for number in (COUNT, dimension, QUERIES, CHURN * 3 // 2 if dimension == 128 else 1)]
        subprocess.run([PROGRAM, "data", path + ".new"] + numbers, check=True)
        os.rename(path + ".new", path)
    return path


class System:
    """A program that has its index and answers beams."""

    def __init__(self, name, path, store):
        how = [str(CONNECTIONS), str(BUILD_BEAM)]
        command = {"corm-graph": [PROGRAM, "graph", path] + how,
                   "corm-cql": [PROGRAM, "cql", path, store] + how,
                   "hnswlib": [PEER, path] + how}[name]
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.made = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.name} ended")
        return json.loads(line)

    def ask(self, beam):
        self.process.stdin.write(f"{beam}\n")
        self.process.stdin.flush()
        return self.read()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def rate_at(curve, recall):
    """Between the two points around it; None where the curve does not come to it."""
    points = sorted(curve)
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low <= recall <= high:
            part = (recall - low) / (high - low) if high > low else 0
            return fast + (slow - fast) * part
    return points[0][1] if points and points[0][0] >= recall else None


def note(results, case, system, metric, value):
    if value is not None:
        results.setdefault((case, system, metric), []).append(value)


def measure(case, dimension, folder, store, options, results):
    path = data_file(folder, dimension)
    names = [name for name in SYSTEMS if not options.system or name in options.system]
    systems = [System(name, path, store) for name in names if name != "hnswlib" or build_peer()]
    for turn in range(options.repeat or 3):
        curves = {system.name: [] for system in systems}
        for beam in BEAMS:
            for system in systems[turn % len(systems):] + systems[:turn % len(systems)]:
                answer = system.ask(beam)
                curves[system.name].append((answer["recall"], answer["rate"]))
                print(f"{case} {system.name} {answer}", file=sys.stderr, flush=True)
        for system in systems:
            note(results, case, system.name, "rate_95", rate_at(curves[system.name], 0.95))
            note(results, case, system.name, "rate_99", rate_at(curves[system.name], 0.99))
    for system in systems:
        note(results, case, system.name, "build_s", system.made["build_s"])
        note(results, case, system.name, "build_clock_s", system.made.get("build_clock_s"))
        note(results, case, system.name, "rss_mb", system.made["rss_mb"] - system.made.get("before_mb", 0))
        note(results, case, system.name, "load_s", system.made.get("load_s"))
        system.end()


def churn(folder, store, results):
    path = data_file(folder, 128)
    if not os.path.exists(store):
        System("corm-cql", path, store).end()
    done = subprocess.run([PROGRAM, "churn", path, store, str(CHURN), "64"], stdout=subprocess.PIPE, text=True,
                          check=True)
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        print(f"churn {answer}", file=sys.stderr, flush=True)
        for metric in ("recall", "rows", "operations", "seconds", "rate"):
            note(results, "churn", answer["when"], metric, answer[metric])


def run(options):
    results = {}
    folder = options.folder
    os.makedirs(folder, exist_ok=True)
    store = os.path.join(folder, "vector-store")
    wanted = [case for case in CASES if not options.case or case in options.case]
    for case in sorted(wanted, key=lambda name: (name == "churn", CASES[name][0] == 128)):
        if case == "churn":
            churn(folder, store, results)
            continue
        shutil.rmtree(store, ignore_errors=True)
        measure(case, CASES[case][0], folder, store, options, results)
    shutil.rmtree(store, ignore_errors=True)
    return results


def print_aims(medians):
    print()
    for case in CASES:
        for metric in ("rate_95", "rate_99"):
            peer = medians.get((case, "hnswlib", metric))
            for system in ("corm-graph", "corm-cql"):
                own = medians.get((case, system, metric))
                if own and peer:
                    print(f"{case}, {system}: {metric} over hnswlib's {own / peer:>10.2f}   aim: at least 1")
    before, after = (medians.get(("churn", when, "recall")) for when in ("before", "after"))
    if before and after:
        print(f"churn: recall after {after:.4f}, before {before:.4f}   aim: as before")
