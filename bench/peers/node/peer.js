// SPDX-License-Identifier: MIT
// peer.js HOST PORT CASE CONCURRENCY WARM_UP REQUESTS: the Node driver with its defaults, an async function for each request in
// flight. See docs/benchmarks.md, "driver".
'use strict';
const fs = require('fs');
const cassandra = require('cassandra-driver');

const KEYS = 100000, PARTITIONS = 1000, PARTITION_ROWS = 49999, BATCH = 64, SAMPLE = 8;
const Long = cassandra.types.Long;
const TEXTS = {
  insert: 'INSERT INTO bench.benchtab (pk, v1, v2) VALUES (?, ?, ?)',
  select: 'SELECT v1, v2 FROM bench.benchtab WHERE pk = ?',
  batch64: 'INSERT INTO bench.batchtab (p, c, v1, v2) VALUES (?, ?, ?, ?)',
  page5000: 'SELECT c, v FROM bench.pages WHERE p = ?',
};
const [host, port, name, concurrency, warmUp, requests] = process.argv.slice(2);
const client = new cassandra.Client({
  contactPoints: [host],
  protocolOptions: { port: Number(port) },
  localDataCenter: 'datacenter1',
  queryOptions: { prepare: true, consistency: cassandra.types.consistencies.localOne },
});
const work = { offset: 0, sent: 0, wanted: 0, latencies: [] };

const long = (value) => Long.fromNumber(value);

function check(condition) {
  if (!condition) throw new Error('a wrong answer');
}

const cases = {
  insert: (key) => client.execute(TEXTS.insert, [long(key), long(2 * key), long(3 * key)]),

  async select(key) {
    const row = (await client.execute(TEXTS.select, [long(key)])).rows[0];
    check(row.v1.toNumber() === 2 * key && row.v2.toNumber() === 3 * key);
  },

  batch64(key) {
    const p = key % PARTITIONS, queries = [];
    for (let row = 0; row < BATCH; row++) {
      queries.push({ query: TEXTS.batch64, params: [long(p), row, long(p + row), long(2 * p + row)] });
    }
    return client.batch(queries, { logged: false });
  },

  async page5000(key, scan) {
    const options = { fetchSize: 5000, pageState: scan.state };
    const result = await client.execute(TEXTS.page5000, [1], options);
    for (const row of result.rows) scan.sum += row.c + row.v.toNumber();
    scan.rows += result.rows.length;
    scan.state = result.pageState;
    if (scan.state) return;
    check(scan.rows === PARTITION_ROWS && scan.sum === 2 * PARTITION_ROWS * (PARTITION_ROWS - 1));
    scan.rows = scan.sum = 0;
  },
};

async function worker() {
  const scan = { state: null, sum: 0, rows: 0 };
  while (work.sent < work.wanted) {
    const n = work.sent++, begun = n % SAMPLE === 0 ? process.hrtime.bigint() : 0n;
    await cases[name]((work.offset + n) % KEYS, scan);
    if (begun) work.latencies.push(Number(process.hrtime.bigint() - begun) / 1000);
  }
}

async function run(wanted) {
  work.offset += work.wanted;
  Object.assign(work, { wanted, sent: 0, latencies: [] });
  await Promise.all(Array.from({ length: Number(concurrency) }, worker));
}

function peakRssMb() {
  return Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
}

async function main() {
  await client.connect();
  await run(Number(warmUp));
  const begun = process.hrtime.bigint(), before = process.cpuUsage();
  await run(Number(requests));
  const used = process.cpuUsage(before), seconds = Number(process.hrtime.bigint() - begun) * 1e-9;
  const sorted = work.latencies.sort((a, b) => a - b);
  const at = (part) => sorted[Math.floor((sorted.length - 1) * part)];
  console.log(JSON.stringify({
    rate: requests / seconds,
    cpu_us: (used.user + used.system) / requests,
    p50_us: at(0.5),
    p99_us: at(0.99),
    rss_mb: peakRssMb(),
  }));
  await client.shutdown();
}

main().catch((error) => {
  console.error('node:', error.message);
  process.exit(1);
});
