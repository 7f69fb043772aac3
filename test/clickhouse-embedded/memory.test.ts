/**
 * The child process stays within its memory: queries that would take more are refused, one after another and beside each
 * other, and it lives on.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPEN_ACCESS } from '../../src/access/door.ts';
import { startEmbedded, type EmbeddedClickHouse } from '../../src/clickhouse-embedded/index.ts';
import { temporaryFolder } from '../e2e/server.ts';
import { patient } from '../patience.ts';

const MEMORY_BYTES = 768 * 2 ** 20;
/**
 * Each takes hundreds of MB, in another way: one array, hash tables, strings, a join, a sort, a large allocation at once.
 */
const HEAVY = [
  'SELECT length(groupArray(number)) FROM numbers(20000000)',
  'SELECT length(groupArray(number)) FROM numbers(200000000)',
  'SELECT count() FROM (SELECT number, count() FROM numbers(20000000) GROUP BY number)',
  'SELECT uniqExact(toString(number)) FROM numbers(10000000)',
  'SELECT max(length(x)) FROM (SELECT groupConcat(toString(number)) AS x FROM numbers(30000000))',
  'SELECT count() FROM numbers(5000000) AS a JOIN numbers(5000000) AS b USING number',
  "SELECT number, repeat('x', 1000) AS s FROM numbers(200000) ORDER BY s, number DESC LIMIT 1",
  'SELECT arraySum(range(30000000))',
  "SELECT length(repeat(repeat('x', 1000000), 900))",
  'SELECT sum(length(arrayMap(x -> toString(x), range(number % 3000000)))) FROM numbers(3000000, 6)',
];

const folder = temporaryFolder();
let engine: EmbeddedClickHouse;

beforeAll(async () => {
  engine = await startEmbedded({
    dataDirectory: folder.path,
    listen: '127.0.0.1:0',
    memoryMaxBytes: MEMORY_BYTES,
    access: OPEN_ACCESS,
    log: () => undefined,
  });
}, 60_000);

afterAll(async () => {
  await engine.stop();
  folder.remove();
}, 60_000);

async function ask(sql: string): Promise<{ status: number; text: string }> {
  const response = await fetch(engine.url, { method: 'POST', body: sql });
  return { status: response.status, text: await response.text() };
}

/** Without files, which the kernel takes away where others need the memory. */
function anonymousBytes(): number {
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, 'utf8'))![1]);
}

test('ten heavy queries, twice, beside each other', async () => {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, anonymousBytes())), 20);
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(HEAVY.map(ask));
    for (const [i, { status, text }] of answers.entries()) {
      if (status !== 200) expect(text, HEAVY[i]).toMatch(/Code: 241.*memory limit exceeded/s);
    }
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    expect(answers[1]!.status).toBe(500);
    expect(await ask('SELECT 1')).toEqual({ status: 200, text: '1\n' });
  }
  clearInterval(timer);
  expect(most).toBeGreaterThan(MEMORY_BYTES / 4);
  // Between two looks of 50 ms, which come later where others run.
  expect(most).toBeLessThan(MEMORY_BYTES + patient(MEMORY_BYTES / 5));
}, 180_000);

test('what they held is given back', async () => {
  expect((await ask('SELECT length(groupArray(number)) FROM numbers(3000000)')).status).toBe(200);
  expect(anonymousBytes()).toBeLessThan(MEMORY_BYTES);
});
