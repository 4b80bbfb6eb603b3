# SPDX-License-Identifier: MIT
"""bench/run driver: clients of one real Cassandra node (tools/cassandra), each a process of its own in a closed loop.

Every program is called with HOST PORT CASE CONCURRENCY WARM_UP REQUESTS and prints one line of JSON: rate, cpu_us (the
process' user and system time for a request), p50_us, p99_us (of every eighth request), rss_mb; corm also allocations."""
import json
import os
import re
import subprocess
import sys

import peers

ROOT = os.path.dirname(peers.HERE)
CORM = ["corm", "corm-threaded", "corm-sync"]
SYSTEMS = CORM + ["scylla", "gocql", "java", "python", "node", "floor"]
SLOW = {"python": 4, "node": 4}  # a part of the requests is enough
METRICS = [("rate", "1/s"), ("cpu_us", "us"), ("p50_us", "us"), ("p99_us", "us"), ("rss_mb", "MB"),
           ("allocations", "1")]
# operation: what one is, and for each concurrency warm-up and requests
COUNTS = {
    "insert": ("row", {1: (1000, 6000), 16: (8000, 24000), 256: (10000, 40000), 1024: (10000, 40000)}),
    "select": ("row", {1: (1000, 6000), 16: (8000, 24000), 256: (10000, 40000), 1024: (10000, 40000)}),
    "batch64": ("64 rows", {1: (100, 600), 16: (300, 1600), 256: (600, 2400), 1024: (1200, 3000)}),
    "page5000": ("5000 rows", {1: (20, 60), 16: (40, 120)}),
}
CASES = {f"{operation}_{concurrency}": (operation, concurrency, warm_up, requests, what)
         for operation, (what, counts) in COUNTS.items() for concurrency, (warm_up, requests) in counts.items()}


class Server:
    """tools/cassandra's node, and the keyspace that the floor program fills and drops."""

    def __init__(self, floor):
        started = subprocess.run([os.path.join(ROOT, "tools", "cassandra"), "start"], stdout=subprocess.PIPE, text=True,
                                 check=False)
        if started.returncode != 0:
            sys.exit("bench: there is no Cassandra to be had" if started.returncode == 77 else
                     "bench: Cassandra did not start")
        self.host, self.port = re.search(r"//(?:[^@]*@)?([^:/]+):(\d+)", started.stdout.split()[-1]).groups()
        self.floor = floor

    def tell(self, what):
        subprocess.run(self.floor + [self.host, self.port, what], check=True)


def commands(wanted):
    """What runs each system that can be run."""
    found = {name: [os.path.join(ROOT, "build", "release", "bench", "bench_driver"), name]
             for name in CORM if name in wanted}
    for name in wanted:
        if name not in CORM:
            found[name] = peers.build(name)
    return {name: command for name, command in found.items() if command}


def systems_of(case, commands_of):
    return [name for name in commands_of if name != "corm-sync" or CASES[case][1] == 1]


def measure(server, command, case, system, results):
    operation, concurrency, warm_up, requests, _ = CASES[case]
    part = SLOW.get(system, 1)
    arguments = [server.host, server.port, operation] + [
        str(number) for number in (concurrency, max(warm_up // part, 1), max(requests // part, 1))]
    done = subprocess.run(command + arguments, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        print(f"bench: {system} failed in {case}", file=sys.stderr)
        return
    line = json.loads(done.stdout)
    for metric, _ in METRICS:
        if metric in line:
            results.setdefault((case, system, metric), []).append(line[metric])


def run(options):
    commands_of = commands([name for name in SYSTEMS if not options.system or name in options.system])
    floor = peers.build("floor")
    if not floor:
        sys.exit("bench: the tables are filled by the floor program")
    server = Server(floor)
    results = {}
    server.tell("setup")
    try:
        for case in [case for case in CASES if not options.case or case in options.case]:
            systems = systems_of(case, commands_of)
            for turn in range(options.repeat or 3):
                for system in systems[turn % len(systems):] + systems[:turn % len(systems)]:
                    measure(server, commands_of[system], case, system, results)
                    print(f"{case} {system} {turn + 1}/{options.repeat or 3}", end="\033[K\r", file=sys.stderr,
                          flush=True)
    finally:
        server.tell("drop")
    print(end="\033[K", file=sys.stderr)
    order = {system: index for index, system in enumerate(SYSTEMS)}
    return dict(sorted(results.items(), key=lambda item: (list(CASES).index(item[0][0]), order[item[0][1]])))


def print_aims(medians):
    """Client CPU beside the best peer's half, or 1.3 times the floor where the floor forbids that."""
    print(f"\n{'case':<20}{'corm, us':>10}{'best peer':>18}{'half of it':>12}{'1.3 floors':>12}{'aim':>8}{'over aim':>10}")
    for case in CASES:
        of = {system: medians.get((case, system, "cpu_us")) for system in SYSTEMS}
        rivals = {system: cpu for system, cpu in of.items() if cpu and system not in CORM + ["floor"]}
        if not of["corm"] or not rivals or not of["floor"]:
            continue
        best = min(rivals, key=rivals.get)
        half, floor = rivals[best] / 2, of["floor"] * 1.3
        aim = max(half, floor)
        print(f"{case:<20}{of['corm']:>10.4g}{best + ' ' + format(rivals[best], '.4g'):>18}{half:>12.4g}{floor:>12.4g}"
              f"{aim:>8.4g}{of['corm'] / aim:>10.3g}")
