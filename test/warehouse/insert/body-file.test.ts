/**
 * Batches as files: the bytes are as they were, although released memory is overwritten at once, and nothing is left of a
 * failure.
 */

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { OperatingError } from '../../../src/errors.ts';
import type { BodyBlock } from '../../../src/warehouse/insert/block-stream.ts';
import { removeBodyFile, writeBodyFile } from '../../../src/warehouse/insert/body-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'body-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'handed-1');
const running = new AbortController().signal;
const CANARY = 0xee;
/** More than one call takes. */
const CHUNKS = 2500;
const BLOCKS = 4;

/** Memory of two blocks in turn, which is overwritten when it is released and asked for only when it is free. */
function lentBlocks(): { blocks: Iterable<BodyBlock>; expected: Buffer[] } {
  const expected: Buffer[] = [];
  const memory = [0, 1].map(() => ({ bytes: new Uint8Array(4 << 20), free: true }));
  function* blocks(): Generator<BodyBlock> {
    for (let number = 0; number < BLOCKS; number++) {
      const lent = memory[number % 2]!;
      expect(lent.free).toBe(true);
      lent.free = false;
      lent.bytes.fill(number + 1);
      const chunks = Array.from({ length: CHUNKS }, (_, i) => lent.bytes.subarray(i * 1500, i * 1500 + 1 + (i % 1500)));
      expected.push(Buffer.concat(chunks));
      yield {
        chunks,
        release() {
          lent.bytes.fill(CANARY);
          lent.free = true;
        },
      };
    }
  }
  return { blocks: blocks(), expected };
}

test('blocks of many chunks are in the file as they were; two of them lie in memory at most', async () => {
  const { blocks, expected } = lentBlocks();
  await writeBodyFile(path, blocks, running);
  expect(readFileSync(path).equals(Buffer.concat(expected))).toBe(true);
  await removeBodyFile(path);
  await removeBodyFile(path);
  expect(readdirSync(folder)).toEqual([]);
});

test('what fails while blocks are made is what it fails with, once nothing is being written, and nothing is left', async () => {
  let released = 0;
  function* broken(): Generator<BodyBlock> {
    yield { chunks: [new Uint8Array(8 << 20)], release: () => released++ };
    throw new Error('a durable epoch cannot be read');
  }
  await expect(writeBodyFile(path, broken(), running)).rejects.toThrow('a durable epoch cannot be read');
  expect(released).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('a connection that was ended writes no further block', async () => {
  const { blocks } = lentBlocks();
  await expect(writeBodyFile(path, blocks, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  expect(readdirSync(folder)).toEqual([]);
});

test('a file that cannot be made says where and why, and is tried again', async () => {
  const failed = writeBodyFile(join(folder, 'missing', 'handed-2'), lentBlocks().blocks, running);
  const error = await failed.catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(OperatingError);
  expect(error).toMatchObject({ code: 'embedded_body_write', retryable: true });
  expect(String(error)).toContain('handed-2 error=ENOENT');
});
