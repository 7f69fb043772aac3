/** Lists in shared memory: what is in them, and that a reader never sees a list half replaced. */

import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { listKeys } from '../../native-free-core/language/expression/list-entries.ts';
import {
  createKeyList,
  hasKey,
  hasText,
  keyCount,
  openKeyList,
  replaceKeys,
} from '../../native-free-core/state/key-list.ts';

const encoder = new TextEncoder();

function hasWord(list: ReturnType<typeof openKeyList>, word: string): boolean {
  const bytes = encoder.encode(word);
  return hasText(list, bytes, 0, bytes.length);
}

test('a list holds what it was last replaced with', () => {
  const buffer = createKeyList(1000);
  const [writer, reader] = [openKeyList(buffer), openKeyList(buffer)];
  expect(hasWord(reader, 'w1')).toBe(false);
  const words = Array.from({ length: 1000 }, (_, i) => `w${i}`);
  replaceKeys(writer, listKeys('string', words), words.length);
  expect(words.every((word) => hasWord(reader, word))).toBe(true);
  expect([hasWord(reader, 'w1000'), hasWord(reader, ''), keyCount(reader)]).toEqual([false, false, 1000]);
  replaceKeys(writer, listKeys('string', ['猫', '猫']), 2);
  expect([hasWord(reader, 'w1'), hasWord(reader, '猫'), keyCount(reader)]).toEqual([false, true, 1]);
  replaceKeys(writer, new Int32Array(0), 0);
  expect([hasWord(reader, '猫'), keyCount(reader)]).toEqual([false, 0]);
});

test('integers keep all their bits, and their sign', () => {
  const list = openKeyList(createKeyList(10));
  replaceKeys(list, listKeys('int', ['0', '-1', '9007199254740993']), 3);
  expect([hasKey(list, 0, 0, 0, 1), hasKey(list, -1, -1, 0, 1), hasKey(list, -1, -1, 1, 1)]).toEqual([
    true,
    true,
    false,
  ]);
  expect([hasKey(list, 1, 2097152, 0, 1), hasKey(list, 0, 2097152, 0, 1)]).toEqual([true, false]);
});

test('a reader on another thread sees the old list or the new one', async () => {
  const module = new URL('../../dist/native-free-core/state/key-list.js', import.meta.url).href;
  const buffer = createKeyList(5000);
  const stop = new SharedArrayBuffer(4);
  const writer = openKeyList(buffer);
  // Every list holds the key 7; key i + 1000 is in lists of an even number only where i is.
  const listOf = (number: number): Int32Array =>
    Int32Array.from({ length: 4 * 2000 }, (_, at) => {
      const entry = (at >> 2) * 2 + (number & 1) + 1000;
      return [at < 4 ? 7 : entry, 0, 0, 1][at & 3]!;
    });
  const lists = [listOf(0), listOf(1)];
  replaceKeys(writer, lists[0]!, 2000);
  const source = `import { parentPort, workerData } from 'node:worker_threads';
import { openKeyList, hasKey } from ${JSON.stringify(module)};
const list = openKeyList(workerData.buffer), stop = new Int32Array(workerData.stop);
let wrong = 0, rounds = 0;
parentPort.postMessage('ready');
while (Atomics.load(stop, 0) === 0) { rounds++; if (!hasKey(list, 7, 0, 0, 1)) wrong++; if (hasKey(list, 8, 0, 0, 1)) wrong++; }
parentPort.postMessage({ wrong, rounds });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { buffer, stop },
  });
  const next = (): Promise<unknown> => new Promise((resolve) => worker.once('message', resolve));
  expect(await next()).toBe('ready');
  const end = performance.now() + 500;
  let replaced = 0;
  while (performance.now() < end) replaceKeys(writer, lists[++replaced & 1]!, 2000);
  const answer = next();
  Atomics.store(new Int32Array(stop), 0, 1);
  const { wrong, rounds } = (await answer) as { wrong: number; rounds: number };
  await worker.terminate();
  expect(wrong).toBe(0);
  expect(rounds).toBeGreaterThan(1000);
  expect(replaced).toBeGreaterThan(100);
});
