# SPDX-License-Identifier: MIT
"""peer.py HOST PORT CASE CONCURRENCY WARM_UP REQUESTS: the Python driver with its defaults: blocking calls at
concurrency 1, else callbacks of which each sends the next request. See docs/benchmarks.md, "driver"."""
import json
import os
import sys
import threading
import time

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.query import BatchStatement, BatchType

KEYS, PARTITIONS, PARTITION_ROWS, BATCH, SAMPLE = 100_000, 1_000, 49_999, 64, 8
TEXTS = {
    "insert": "INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)",
    "select": "SELECT v1, v2 FROM bench.benchtab WHERE pk = ?",
    "batch64": "INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)",
    "page5000": "SELECT c, v FROM bench.pages WHERE p = ?",
}


def fail(why):
    print("python:", why, file=sys.stderr, flush=True)
    os._exit(1)


class Flight:
    """One of the requests in flight."""

    def __init__(self, work):
        self.work, self.state, self.sum, self.rows = work, None, 0, 0

    def statement(self):
        work, key = self.work, self.key
        if work.case == "insert":
            return work.statement.bind((key, 2 * key, 3 * key))
        if work.case == "select":
            return work.statement.bind((key,))
        if work.case == "page5000":
            return work.statement.bind((1,))
        batch, p = BatchStatement(BatchType.UNLOGGED), key % PARTITIONS
        for row in range(BATCH):
            batch.add(work.statement, (p, row, p + row, 2 * p + row))
        return batch

    def begin(self):
        """Takes the next number; False when there is none."""
        with self.work.lock:
            self.n = self.work.sent
            self.work.sent += 1
        self.key = (self.work.offset + self.n) % KEYS
        self.begun = time.perf_counter_ns() if self.n % SAMPLE == 0 else 0
        return self.n < self.work.wanted

    def see(self, rows, state):
        if self.work.case == "select" and tuple(rows[0]) != (2 * self.key, 3 * self.key):
            fail("a wrong answer")
        if self.work.case == "page5000":
            self.read(rows, state)
        if self.begun:
            self.work.latencies.append(time.perf_counter_ns() - self.begun)

    def read(self, rows, state):
        for c, v in rows:
            self.sum += c + v
        self.rows += len(rows)
        self.state = state
        if state:
            return
        if self.rows != PARTITION_ROWS or self.sum != 2 * PARTITION_ROWS * (PARTITION_ROWS - 1):
            fail("a wrong answer")
        self.sum = self.rows = 0

    def run(self):
        while self.begin():
            result = self.work.session.execute(self.statement(), paging_state=self.state)
            self.see(result.current_rows, result.paging_state)

    def next(self):
        if not self.begin():
            self.work.ended()
            return
        self.future = self.work.session.execute_async(self.statement(), paging_state=self.state)
        self.future.add_callbacks(self.answered, fail)

    def answered(self, rows):
        self.see(rows, self.future._paging_state)
        self.next()


class Work:
    def __init__(self, session, case):
        self.session, self.case = session, case
        self.statement = session.prepare(TEXTS[case])
        self.statement.fetch_size = 5000
        self.lock, self.offset, self.wanted, self.sent = threading.Lock(), 0, 0, 0

    def ended(self):
        with self.lock:
            self.left -= 1
            if self.left == 0:
                self.done.set()

    def run(self, concurrency, wanted):
        self.offset += self.wanted
        self.wanted, self.sent, self.latencies, self.left = wanted, 0, [], concurrency
        self.done = threading.Event()
        if concurrency == 1:
            Flight(self).run()
            return
        for _ in range(concurrency):
            Flight(self).next()
        self.done.wait()


def peak_rss_mb():
    with open("/proc/self/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def main():
    host, port, case, concurrency, warm_up, requests = sys.argv[1:]
    profile = ExecutionProfile(consistency_level=ConsistencyLevel.LOCAL_ONE)
    cluster = Cluster([host], port=int(port), execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    work = Work(cluster.connect(), case)
    work.run(int(concurrency), int(warm_up))
    begun, cpu = time.perf_counter(), time.process_time()
    work.run(int(concurrency), int(requests))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    latencies = sorted(work.latencies)
    at = lambda part: latencies[int((len(latencies) - 1) * part)] / 1000
    print(json.dumps({
        "rate": int(requests) / seconds, "cpu_us": cpu * 1e6 / int(requests), "p50_us": at(0.50), "p99_us": at(0.99),
        "rss_mb": peak_rss_mb()}))
    cluster.shutdown()


main()
