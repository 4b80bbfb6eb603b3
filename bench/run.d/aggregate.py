# SPDX-License-Identifier: MIT
"""bench/run aggregate: the ten group-by questions of the db-benchmark over its data G1, 1e6 and 1e7 rows, Corm beside DuckDB.

Corm reads its store, a folder; DuckDB its own file; both were filled from the same rows. Every answer of Corm is compared with
DuckDB's, group by group, before figures are taken. Rates are rows a second: `rate` by the clock, `cpu_rate` by the processor time of
all threads, which is the steadier one on a busy machine."""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "release", "bench", "bench_aggregate")
PEER = os.path.join(ROOT, "bench", "peers", "duckdb", "main.py")
SYSTEMS = ["corm", "duckdb"]
SIZES = {"1e6": 1000000, "1e7": 10000000}
CASES = {f"{size}-q{number}": (size, number, None, None, f"{rows:,} rows")
         for size, rows in SIZES.items() for number in range(1, 11)}
METRICS = [("rate", "1/s"), ("cpu_rate", "1/s"), ("wall_s", "s"), ("cpu_s", "s"), ("groups", "1"), ("rss_mb", "MB")]


def python_with_duckdb():
    """A Python that has the package, in the user's cache; None when it cannot be had."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "corm-bench", "duckdb")
    python = os.path.join(folder, "bin", "python")
    has = [python, "-c", "import duckdb"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    if os.path.exists(python) and subprocess.run(has, **quiet).returncode == 0:
        return python
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", folder], **quiet)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "duckdb"], **quiet)
    return python if os.path.exists(python) and subprocess.run(has, **quiet).returncode == 0 else None


class System:
    """A program that answers a line with a line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.process.args[0]} ended")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def make_data(folder, rows):
    store, csv = os.path.join(folder, f"g1-{rows}"), os.path.join(folder, f"g1-{rows}.csv")
    if not os.path.exists(store) or not os.path.exists(csv):
        done = subprocess.run([PROGRAM, "load", store + ".new", str(rows), csv], stdout=subprocess.PIPE, text=True, check=True)
        os.rename(store + ".new", store)
        print(f"{rows} rows: {done.stdout.strip()}", file=sys.stderr, flush=True)
    return store, csv


def open_systems(options, folder, rows):
    store, csv = make_data(folder, rows)
    systems = {}
    wanted = [name for name in SYSTEMS if not options.system or name in options.system]
    if "corm" in wanted:
        systems["corm"] = System([PROGRAM, "ask", store])
    python = python_with_duckdb() if "duckdb" in wanted else None
    if python:
        systems["duckdb"] = System([python, PEER, os.path.join(folder, f"g1-{rows}.duckdb"), csv])
        print(f"duckdb {systems['duckdb'].read()}", file=sys.stderr, flush=True)
    elif "duckdb" in wanted:
        print("bench: without DuckDB: its Python package cannot be had; answers are not compared", file=sys.stderr)
    return systems


def check(systems, case, number, folder):
    path = os.path.join(folder, "answer.csv")
    systems["corm"].ask(f"{number} {path}")
    found = systems["duckdb"].ask(f"check {number} {path}")
    os.unlink(path)
    if not found["same"]:
        sys.exit(f"bench: {case}: the answers differ: {found}")
    print(f"{case}: the same {found['rows'][0]} groups", file=sys.stderr, flush=True)


def measure(systems, case, options, folder, results):
    size, number = CASES[case][:2]
    names = list(systems)
    if len(names) == 2:
        check(systems, case, number, folder)
    for turn in range(options.repeat or 3):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            answer = systems[name].ask(f"{number}" if name == "corm" else f"ask {number}")
            answer.update(rate=SIZES[size] / answer["wall_s"], cpu_rate=SIZES[size] / answer["cpu_s"], groups=answer["rows"])
            for metric, _ in METRICS:
                results.setdefault((case, name, metric), []).append(answer[metric])
            print(f"{case} {name} {answer}", file=sys.stderr, flush=True)


def run(options):
    results = {}
    os.makedirs(options.folder, exist_ok=True)
    for size, rows in SIZES.items():
        cases = [case for case in CASES if CASES[case][0] == size and (not options.case or case in options.case)]
        if not cases:
            continue
        systems = open_systems(options, options.folder, rows)
        for case in cases:
            measure(systems, case, options, options.folder, results)
        for system in systems.values():
            system.end()
    return results


def print_aims(medians):
    print()
    for case in CASES:
        for metric, what in (("wall_s", "time"), ("cpu_s", "processor time")):
            own, peer = (medians.get((case, system, metric)) for system in SYSTEMS)
            if own and peer:
                print(f"{case}: {what} over DuckDB's {own / peer:>10.1f}")
