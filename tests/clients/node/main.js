// SPDX-License-Identifier: MIT
// HOST PORT: the Node driver, protocols 3 and 4: values of every type there and back, prepared statements, pages, batches, conditions,
// what it learns of the schema, events, errors, tracing.
'use strict';
const assert = require('assert');
const cassandra = require('cassandra-driver');
const { types } = cassandra;

const [host, port] = process.argv.slice(2);
const now = new Date('2024-02-29T12:30:45.678Z');
const VALUES = {
  'ascii': 'abc', 'bigint': types.Long.fromString('-9223372036854775808'), 'blob': Buffer.from([0, 255]), 'boolean': true,
  'date': types.LocalDate.fromString('2024-02-29'), 'decimal': types.BigDecimal.fromString('-123.4567890123456789'), 'double': 1.5,
  'duration': types.Duration.fromString('1mo2d3s'), 'float': 0.25, 'inet': types.InetAddress.fromString('::1'), 'int': 7,
  'smallint': -3, 'text': 'žluť', 'time': types.LocalTime.fromString('10:20:30.000000001'), 'timestamp': now,
  'timeuuid': types.TimeUuid.fromString('5b6962dd-3f90-11e9-8b02-4b7f9a4a5b5e'), 'tinyint': 4,
  'uuid': types.Uuid.fromString('550e8400-e29b-41d4-a716-446655440000'), 'varint': types.Integer.fromString('1267650600228229401496703205376'),
  'list<int>': [1, 2], 'set<text>': ['a', 'b'], 'map<text, int>': { k: 1 }, 'tuple<int, text>': new types.Tuple(1, 'x'),
  'frozen<list<int>>': [3], 'map<text, frozen<map<text, int>>>': { a: { b: 2 } }, 'frozen<place>': { street: 'Main', number: null },
  'list<frozen<place>>': [{ street: null, number: 2 }],
};

function connect(version, more = {}) {
  return new cassandra.Client({
    contactPoints: [host], localDataCenter: 'datacenter1', protocolOptions: { port: Number(port), maxVersion: version },
    ...more,
  });
}

const shown = (value) => (value && typeof value.toString === 'function' && value.constructor !== Object ? String(value) : JSON.stringify(value));

async function freshKeyspace(client) {
  await client.execute('DROP KEYSPACE IF EXISTS node');
  await client.execute("CREATE KEYSPACE node WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
  await client.execute('CREATE TYPE node.place (street text, number int)');
}

async function checkValues(client) {
  const kinds = Object.keys(VALUES);
  await client.execute(`CREATE TABLE v (k int PRIMARY KEY, ${kinds.map((kind, i) => `c${i} ${kind}`).join(', ')})`);
  const insert = `INSERT INTO v (k, ${kinds.map((_, i) => 'c' + i).join(', ')}) VALUES (?${', ?'.repeat(kinds.length)})`;
  await client.execute(insert, [1, ...Object.values(VALUES)], { prepare: true });
  await client.execute(insert, [2, ...kinds.map(() => null)], { prepare: true });
  for (const prepare of [true, false]) {
    const row = (await client.execute('SELECT * FROM v WHERE k = ?', [1], { prepare, hints: ['int'] })).first();
    kinds.forEach((kind, i) => assert.strictEqual(shown(row['c' + i]), shown(VALUES[kind]), kind));
  }
  const empty = (await client.execute('SELECT * FROM v WHERE k = 2')).first();
  kinds.forEach((kind, i) => assert.strictEqual(empty['c' + i], null, kind));
}

async function checkPages(client) {
  await client.execute('CREATE TABLE p (a int, c int, b text, PRIMARY KEY (a, c))');
  const insert = 'INSERT INTO p (a, c, b) VALUES (?, ?, ?)';
  await Promise.all(Array.from({ length: 300 }, (_, i) => client.execute(insert, [1, i, String(i)], { prepare: true })));
  const first = await client.execute('SELECT c FROM p', [], { fetchSize: 7, prepare: true });
  assert.strictEqual(first.rows.length, 7);
  const next = await client.execute('SELECT c FROM p', [], { fetchSize: 5, prepare: true, pageState: first.pageState });
  assert.deepStrictEqual(next.rows.map((row) => row.c), [7, 8, 9, 10, 11]);
  const all = [];
  for await (const row of await client.execute('SELECT c FROM p WHERE a = 1', [], { fetchSize: 50, prepare: true })) all.push(row.c);
  assert.deepStrictEqual(all, Array.from({ length: 300 }, (_, i) => i));
}

async function checkBatches(client) {
  const queries = [
    { query: 'INSERT INTO p (a, c, b) VALUES (?, ?, ?)', params: [2, 1, 'x'] },
    { query: 'INSERT INTO p (a, c) VALUES (2, 2)' },
  ];
  for (const logged of [true, false]) await client.batch(queries, { prepare: true, logged });
  assert.strictEqual((await client.execute('SELECT count(*) FROM p WHERE a = 2')).first().count.toNumber(), 2);
  await client.execute('CREATE TABLE n (k int PRIMARY KEY, n counter)');
  const counts = [1, 2, -5].map((by) => ({ query: 'UPDATE n SET n = n + ? WHERE k = 1', params: [by] }));
  await client.batch(counts, { prepare: true, counter: true });
  assert.strictEqual((await client.execute('SELECT n FROM n')).first().n.toNumber(), -2);
}

async function checkConditions(client) {
  const missed = await client.execute('INSERT INTO p (a, c) VALUES (1, 1) IF NOT EXISTS');
  assert.ok(!missed.wasApplied() && missed.first().b === '1');
  const update = 'UPDATE p SET b = ? WHERE a = 1 AND c = 1 IF b = ?';
  assert.ok((await client.execute(update, ['new', '1'], { prepare: true })).wasApplied());
  const star = async () => Object.keys((await client.execute('SELECT * FROM p WHERE a = 1 AND c = 1', [], { prepare: true })).first());
  assert.strictEqual((await star()).length, 3);
}

async function checkMetadata(client) {
  await client.execute('CREATE INDEX by_b ON p (b)');
  const table = await client.metadata.getTable('node', 'p');
  assert.deepStrictEqual(table.partitionKeys.map((c) => c.name), ['a']);
  assert.deepStrictEqual(table.clusteringKeys.map((c) => c.name), ['c']);
  assert.strictEqual(table.indexes[0].name, 'by_b');
  const place = await client.metadata.getUdt('node', 'place');
  assert.deepStrictEqual(place.fields.map((f) => f.name), ['street', 'number']);
  assert.strictEqual(client.hosts.length, 1);
  assert.ok(await client.metadata.checkSchemaAgreement());
  assert.ok(client.metadata.getReplicas('node', Buffer.from([0, 0, 0, 1])).length === 1);
}

// A keyspace that another client makes and drops is known here without asking.
async function checkEvents(client, version) {
  const other = connect(version);
  const knows = () => 'pushed' in client.metadata.keyspaces;
  for (const [text, seen] of [
    ["CREATE KEYSPACE pushed WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}", true],
    ['DROP KEYSPACE pushed', false],
  ]) {
    await other.execute(text);
    for (let i = 0; i < 3000 && knows() !== seen; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.strictEqual(knows(), seen, text);
  }
  await other.shutdown();
}

async function checkErrors(client) {
  const code = async (text, options) => {
    try { await client.execute(text, [], options); } catch (error) { return error.code; }
    return 'none';
  };
  assert.strictEqual(await code('SELECT * FORM p'), types.responseErrorCodes.syntaxError);
  assert.strictEqual(await code('SELECT * FROM missing'), types.responseErrorCodes.invalid);
  assert.strictEqual(await code('CREATE TABLE p (a int PRIMARY KEY)'), types.responseErrorCodes.alreadyExists);
  const two = { consistency: types.consistencies.two, retry: new cassandra.policies.retry.FallthroughRetryPolicy() };
  assert.strictEqual(await code('SELECT * FROM p', two), types.responseErrorCodes.unavailableException);
  await client.execute('SELECT * FROM p LIMIT 1', [], { traceQuery: true });
}

async function check(version) {
  const admin = connect(version);
  await freshKeyspace(admin);
  await admin.shutdown();
  const client = connect(version, { keyspace: 'node' });
  await client.connect();
  assert.strictEqual(client.controlConnection.protocolVersion, version);
  for (const step of [checkValues, checkPages, checkBatches, checkConditions, checkMetadata]) await step(client);
  await checkEvents(client, version);
  await checkErrors(client);
  await client.shutdown();
}

(async () => {
  for (const version of [3, 4]) await check(version);
  console.log('the Node driver is content');
})().catch((error) => { console.error(error); process.exit(1); });
