# SPDX-License-Identifier: MIT
"""bench/run serve: `corm serve` (on disk, each write durable) and a Cassandra 5 of its own, asked by the same client programs in turn.

A system is SERVER<CLIENT: the servers are serve, relaxed (corm serve --relaxed: as Cassandra by default, a write is acknowledged before it
is on disk), cassandra, and cassandra-batch, which waits for its commit log as serve does; the clients Corm's driver (bench_driver corm)
and the Rust scylla crate.
server_cpu_us is the user and system time that the server's process spent while the client ran, for a request, warm-up included; cpu_us
is the client's; rss_mb what the server has resident behind the case, of which anon_mb is not of files. The case `start` is a server's
start until it has answered a query: of Corm on an empty folder and on the one that the cases filled. The case `sync` is what the disk
gives: 4 KiB are written and synced, by one process that does nothing else."""
import json
import os
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import peers

ROOT = os.path.dirname(peers.HERE)
SERVERS, CLIENTS = ["serve", "relaxed", "cassandra", "cassandra-batch"], ["corm", "scylla"]
SYSTEMS = [f"{server}<{client}" for client in CLIENTS for server in SERVERS]
METRICS = [("rate", "1/s"), ("server_cpu_us", "us"), ("cpu_us", "us"), ("p50_us", "us"), ("p99_us", "us"),
           ("rss_mb", "MB"), ("anon_mb", "MB")]
# concurrency: warm-up and requests
COUNTS = {1: (500, 3000), 16: (4000, 16000), 256: (10000, 40000), 1024: (10000, 40000)}
CASES = {f"{operation}_{concurrency}": (operation, concurrency, *counts, "row")
         for operation in ("insert", "select") for concurrency, counts in COUNTS.items()}
TABLE = dict(CASES)
CASES["start"] = (None, 0, 0, 0, "start")
CASES["sync"] = (None, 0, 0, 0, "sync")
SYNCS = 2000
STARTS = 5
WARMING = 60000  # requests of each kind before a JVM is measured
TICK = os.sysconf("SC_CLK_TCK")


def release(*names):
    return os.path.join(ROOT, "build", "release", *names)


# ---- a process, from outside ----

def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))


def ask(host, port):
    """Waits until a query is answered: protocol 4, STARTUP and a QUERY of system.local."""
    def frame(opcode, body):
        return struct.pack(">BBhBi", 4, 0, 0, opcode, len(body)) + body

    def read(connection, length):
        data = b""
        while len(data) < length:
            more = connection.recv(length - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    def answer(connection):
        header = read(connection, 9)
        read(connection, struct.unpack(">i", header[5:])[0])
        return header[4]

    text = b"SELECT key FROM system.local"
    while True:
        try:
            with socket.create_connection((host, port), 5) as connection:
                connection.sendall(frame(1, b"\0\1\0\x0bCQL_VERSION\0\x053.0.0"))
                if answer(connection) != 2:
                    raise OSError("not ready")
                connection.sendall(frame(7, struct.pack(">i", len(text)) + text + b"\0\1\0"))
                if answer(connection) == 8:
                    return
        except OSError:
            time.sleep(0.05)


# ---- the servers ----

class Serve:
    options = []

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(prefix="serve.", dir=folder)
        self.process, self.host, self.port = None, "127.0.0.1", 0
        self.start(os.path.join(self.folder, "store"))

    def start(self, store):
        """Milliseconds until it has answered."""
        begun = time.monotonic()
        self.process = subprocess.Popen([release("bin", "corm"), "serve", store, "--port", "-1"] + self.options,
                                        stdout=subprocess.PIPE, text=True)
        uri = self.process.stdout.readline()
        if not uri:
            sys.exit("bench: corm serve did not start")
        self.port = int(uri.strip().rsplit(":", 1)[1])
        ask(self.host, self.port)
        return (time.monotonic() - begun) * 1000

    def stop(self):
        self.process.terminate()
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def starts(self):
        """Of an empty folder, and of the one that is filled."""
        self.stop()
        empty, filled = [], []
        for number in range(STARTS):
            empty.append(self.start(os.path.join(self.folder, f"empty{number}")))
            self.stop()
            filled.append(self.start(os.path.join(self.folder, "store")))
            self.stop()
        self.start(os.path.join(self.folder, "store"))
        return {"start_ms": statistics.median(empty), "filled_start_ms": statistics.median(filled)}

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Relaxed(Serve):
    options = ["--relaxed"]

    def starts(self):
        return {}


class Cassandra:
    """A node of its own: tools/cassandra in another cache folder, with the jars of the usual one."""
    environment = {}

    def __init__(self, folder):
        usual = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "corm", "cassandra")
        self.cache = tempfile.mkdtemp(prefix="cassandra.", dir=folder)
        own = os.path.join(self.cache, "corm", "cassandra")
        os.makedirs(own)
        os.makedirs(usual, exist_ok=True)
        for name in os.listdir(usual):
            if name.startswith("jars-"):
                os.symlink(os.path.join(usual, name), os.path.join(own, name))
        self.environment = dict(os.environ, XDG_CACHE_HOME=self.cache, **self.environment)
        begun = time.monotonic()
        self.host, self.port = self.call("start").split("//")[1].split("@")[-1].split(":")
        self.start_ms = (time.monotonic() - begun) * 1000
        self.port, self.pid = int(self.port), self.find_pid()

    def call(self, what):
        done = subprocess.run([os.path.join(ROOT, "tools", "cassandra"), what], env=self.environment, text=True,
                              stdout=subprocess.PIPE, check=False)
        if what == "start" and done.returncode != 0:
            shutil.rmtree(self.cache, ignore_errors=True)
            raise RuntimeError("there is no Cassandra to be had" if done.returncode == 77 else "Cassandra did not start")
        return done.stdout.split()[-1] if done.stdout.split() else ""

    def find_pid(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                    words = file.read().split("\0")
            except OSError:
                continue
            if "java" in words[0] and any(self.cache in word for word in words):
                return int(pid)
        sys.exit("bench: where is Cassandra's process?")

    def starts(self):
        return {"start_ms": self.start_ms}

    def close(self):
        self.call("stop")
        shutil.rmtree(self.cache, ignore_errors=True)


class CassandraBatch(Cassandra):
    environment = {"CORM_CASSANDRA_SYNC": "batch"}

    def starts(self):
        return {}


# ---- measuring ----

def sync_disk(folder):
    """What a write and a sync of 4 KiB of a file that is there take."""
    def spent():
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime
    block, times = b"x" * 4096, []
    with tempfile.TemporaryFile(dir=folder) as file:
        os.write(file.fileno(), block * 4096)
        os.fsync(file.fileno())
        before, begun = spent(), time.monotonic()
        for number in range(SYNCS):
            last = time.monotonic()
            os.pwrite(file.fileno(), block, number * len(block))
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - last) * 1e6)
        return {"rate": SYNCS / (time.monotonic() - begun), "cpu_us": (spent() - before) * 1e6 / SYNCS,
                "p50_us": statistics.median(times), "p99_us": sorted(times)[SYNCS * 99 // 100]}


def run_client(server, command, operation, concurrency, warm_up, requests):
    arguments = [server.host, str(server.port), operation, str(concurrency), str(warm_up), str(requests)]
    before = cpu_seconds(server.pid)
    done = subprocess.run(command + arguments, stdout=subprocess.PIPE, check=False)
    used = cpu_seconds(server.pid) - before
    if done.returncode != 0:
        return None
    line = json.loads(done.stdout)
    line["server_cpu_us"] = used * 1e6 / (warm_up + requests)
    line["rss_mb"], line["anon_mb"] = memory(server.pid)
    return line


def measure(server, command, case, system, results):
    operation, concurrency, warm_up, requests, _ = CASES[case]
    line = run_client(server, command, operation, concurrency, warm_up, requests)
    if not line:
        print(f"bench: {system} failed in {case}", file=sys.stderr)
        return
    for metric, _ in METRICS:
        results.setdefault((case, system, metric), []).append(line[metric])


def open_servers(folder, wanted):
    servers = {}
    kinds = {"serve": Serve, "relaxed": Relaxed, "cassandra": Cassandra, "cassandra-batch": CassandraBatch}
    for name, kind in kinds.items():
        if not any(system.split("<")[0] == name for system in wanted):
            continue
        print(f"starting {name}", end="\033[K\r", file=sys.stderr, flush=True)
        try:
            servers[name] = kind(folder)
        except RuntimeError as why:
            peers.skip(name, why)
    return servers


def fill(servers, floor, commands):
    for name, server in servers.items():
        print(f"filling {name}", end="\033[K\r", file=sys.stderr, flush=True)
        subprocess.run(floor + [server.host, str(server.port), "setup"], check=True)
        for operation in ("insert", "select") if name.startswith("cassandra") else ():
            run_client(server, next(iter(commands.values())), operation, 256, 0, WARMING)


def run_cases(servers, commands, wanted, options):
    results, repeat = {}, options.repeat or 3
    systems = [system for system in wanted
               if system.split("<")[0] in servers and system.split("<")[1] in commands]
    for case in [case for case in TABLE if not options.case or case in options.case]:
        for turn in range(repeat):
            for system in systems[turn % len(systems):] + systems[:turn % len(systems)]:
                server, client = system.split("<")
                if server == "cassandra-batch" and CASES[case][0] == "select":
                    continue  # reads know nothing of the log
                measure(servers[server], commands[client], case, system, results)
                print(f"{case} {system} {turn + 1}/{repeat}", end="\033[K\r", file=sys.stderr, flush=True)
    for name in servers if not options.case or "start" in options.case else ():
        for metric, value in servers[name].starts().items():
            results[("start", name, metric)] = [value]
    if not options.case or "sync" in options.case:
        results.update({("sync", "disk", metric): [value] for metric, value in sync_disk(options.folder).items()})
    order = {system: index for index, system in enumerate(SYSTEMS + SERVERS + ["disk"])}
    return dict(sorted(results.items(), key=lambda item: (list(CASES).index(item[0][0]), order[item[0][1]])))


def run(options):
    wanted = [system for system in SYSTEMS if not options.system or system in options.system or
              any(part in options.system for part in system.split("<"))]
    commands = {"corm": [release("bench", "bench_driver"), "corm"], "scylla": None}
    if any(system.endswith("scylla") for system in wanted):
        commands["scylla"] = peers.build("scylla")
    commands = {name: command for name, command in commands.items() if command}
    floor = peers.build("floor")
    if not floor:
        sys.exit("bench: the tables are filled by the floor program")
    os.makedirs(options.folder, exist_ok=True)
    servers = open_servers(options.folder, wanted)
    try:
        fill(servers, floor, commands)
        return run_cases(servers, commands, wanted, options)
    finally:
        for server in servers.values():
            server.close()
        print(end="\033[K", file=sys.stderr)


def print_ratios(medians, theirs):
    """Cassandra's figure over Corm's, with the same client."""
    aims = (("server_cpu_us", "server CPU a request: a tenth", 10), ("rss_mb", "memory: a twentieth", 20))
    print(f"\nbeside {theirs}\n{'case':<14}{'system':<24}{'rate, times':>13}{'aim':>6}{'CPU, parts':>13}{'aim':>6}{'memory, parts':>15}{'aim':>6}")
    for case, client, server in ((case, client, server) for case in CASES for client in CLIENTS for server in SERVERS[:2]):
        ours, other = ({metric: medians.get((case, f"{name}<{client}", metric)) for metric, _ in METRICS}
                       for name in (server, theirs))
        if not ours["rate"] or not other["rate"]:
            continue
        parts = [other[metric] / ours[metric] if ours[metric] else 0 for metric, _, _ in aims]
        print(f"{case:<14}{server + '<' + client:<24}{ours['rate'] / other['rate']:>13.3g}{5:>6}"
              f"{parts[0]:>13.3g}{10:>6}{parts[1]:>15.3g}{20:>6}")


def print_aims(medians):
    for theirs in SERVERS[2:]:
        if any(system.startswith(theirs + "<") for _, system, _ in medians):
            print_ratios(medians, theirs)
    sync = [medians.get(("sync", "disk", metric)) for metric in ("p50_us", "cpu_us")]
    if all(sync):
        print(f"\nthe disk takes {sync[0]:.3g} us for a write and a sync of 4 KiB, the processor {sync[1]:.3g} us")
    start = medians.get(("start", "serve", "start_ms"))
    if start:
        print(f"ready in {start:.3g} ms on an empty folder, {medians[('start', 'serve', 'filled_start_ms')]:.3g} ms on a "
              "filled one; aim: 50")
