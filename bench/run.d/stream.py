# SPDX-License-Identifier: MIT
"""bench/run stream: streams, the bulk writer and JSON of models over the embedded store in a folder.

    bulk      rows of a model through the bulk writer, with at most 4 MB held
    stream    all of them through a filter and a transform, on the caller's thread
    ordered   the same in the order of tokens
    slow      the same with a consumer that takes 2 ms for each page and at most 1 MB in flight
    json      rows as JSON objects

rate is rows a second, cpu_us the computing of all threads for a row, rss_mb what the process's own memory grew by at most, in_flight_mb what the figures of the stream (or of the
writer) say was held at most; of json it is the size of the text."""
import os
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "release", "bench", "bench_stream")
ROWS = 1000000
CASES = {case: (None, None, None, None, "row") for case in ("bulk", "stream", "ordered", "slow", "json")}
METRICS = [("rate", "1/s"), ("cpu_us", "us"), ("rss_mb", "MB"), ("in_flight_mb", "MB")]


def run_case(case, folder):
    done = subprocess.run([PROGRAM, folder, case, str(ROWS)], stdout=subprocess.PIPE, text=True, check=True)
    seconds, computed, rows, rss, flight = (float(word) for word in done.stdout.split())
    return {"rate": rows / seconds, "cpu_us": computed / rows * 1e6, "rss_mb": rss, "in_flight_mb": flight}


def run(options):
    cases = [case for case in CASES if not options.case or case in options.case]
    os.makedirs(options.folder, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="stream.", dir=options.folder)
    store = os.path.join(folder, "store")
    results = {}
    try:
        if "bulk" not in cases:
            run_case("bulk", store)
        for _ in range(options.repeat or 3):
            for case in cases:
                if case == "bulk":
                    shutil.rmtree(store, ignore_errors=True)
                for metric, value in run_case(case, store).items():
                    results.setdefault((case, "corm", metric), []).append(value)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results


def print_aims(medians):
    print()
    rate, computing = medians.get(("stream", "corm", "rate")), medians.get(("stream", "corm", "cpu_us"))
    if rate:
        print(f"stream: rows a second {rate:>12,.0f}   aim: 1,000,000 on two cores, which is at most 2 us of computing: {computing:.2f}")
