# SPDX-License-Identifier: MIT
"""bench/run tenant: what a statement of a tenant costs beside the same statement without tenants, and what a tenant takes.

    prepared_us, text_us   a point read through a tenant's session; _more_us: beside that through the session itself
    transform_us           a statement changed whose plan is cached; transform_new_us: one that was not seen before
    switch_us              a prepared point read, each time of another of 1,000 tenants
    known_bytes            memory of a tenant that was asked for; open_bytes: with a session, both with 10,000 tenants"""
import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "release", "bench", "bench_tenant")
CASES = {"tenant": (None, None, None, None, "statement")}
METRICS = [("prepared_us", "us"), ("prepared_more_us", "us"), ("text_us", "us"), ("text_more_us", "us"),
           ("transform_us", "us"), ("transform_new_us", "us"), ("switch_us", "us"), ("known_bytes", "B"), ("open_bytes", "B")]


def run(options):
    results = {}
    for _ in range(options.repeat or 3):
        done = subprocess.run([PROGRAM], stdout=subprocess.PIPE, text=True, check=True)
        for line in done.stdout.splitlines():
            figure = json.loads(line)
            results.setdefault((figure["case"], figure["system"], figure["metric"]), []).append(figure["value"])
    return results


def print_aims(medians):
    print()
    for strategy in ("keyspace", "prefix", "column"):
        value = medians.get(("tenant", strategy, "prepared_more_us"))
        print(f"{strategy}: us more for a prepared statement {value:>9.4g}   aim: at most 1")
    print(f"column: bytes of an open tenant {medians[('tenant', 'column', 'open_bytes')]:>9.4g}   aim: below 1024")
