/**
 * Memory of a batch is used again as soon as the socket has taken it, and not before: a reader that is slower than the
 * socket's queue gets every byte as it was written, although released memory is overwritten at once.
 */

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool, giveBuffer, takeBuffer } from '../../../native-free-core/columns/growing.ts';
import type { BodyBlock } from '../../../src/warehouse/insert/block-stream.ts';
import { Connection } from '../../../src/warehouse/insert/connection.ts';

/** Far more than what the queues of both sockets hold. */
const BLOCKS = 24;
const CHUNK_BYTES = [40, 2 << 20, 100, 1 << 20, 40_000] as const;
const CANARY = 0xee;
const READ_PAUSE_MS = 1;
/** Of the first body: where the reader goes away. */
const CUT_BYTES = 20 << 20;

let cutAfter = Infinity;
let received = '';
const server = createServer((request, response) => {
  const cut = (): void => void request.destroy();
  read(request).then((digest) => {
    received = digest;
    response.end();
  }, cut);
});
let connection: Connection;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  connection = new Connection({
    clickhouse: { url, database: 'd', username: 'u', password: '', embedded: false, folder: '' } as never,
    log: () => undefined,
  });
});
afterAll(async () => {
  await connection.close();
  server.closeAllConnections();
  server.close();
});

async function read(request: IncomingMessage): Promise<string> {
  const hash = createHash('sha1');
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > cutAfter) request.destroy();
    await pause(READ_PAUSE_MS);
  }
  return hash.digest('hex');
}

/** Blocks of one pool whose memory is overwritten the moment that it is released. */
function lentBlocks() {
  const pool = createPool(Number.MAX_SAFE_INTEGER);
  const buffers = new Set<Uint8Array>();
  const hash = createHash('sha1');
  const figures = { made: 0, released: 0, ended: false, buffers, digest: () => hash.digest('hex') };
  function block(number: number): BodyBlock {
    const taken = CHUNK_BYTES.map((bytes) => takeBuffer(pool, bytes));
    const chunks = taken.map((buffer, i) => {
      buffers.add(buffer);
      return buffer.fill((number * CHUNK_BYTES.length + i) % 200).subarray(0, CHUNK_BYTES[i]);
    });
    for (const chunk of chunks) hash.update(chunk);
    const release = (): void => {
      figures.released++;
      for (const buffer of taken) giveBuffer(pool, buffer.fill(CANARY));
    };
    return { chunks, release };
  }
  function* blocks(): Generator<BodyBlock> {
    try {
      while (figures.made < BLOCKS) yield block(figures.made++);
    } finally {
      figures.ended = true;
    }
  }
  return { blocks: blocks(), figures };
}

test('a slow reader gets all bytes as they were, and one block of memory is enough for all', async () => {
  const { blocks, figures } = lentBlocks();
  await connection.insertBlocks('INSERT', blocks, {});
  expect(received).toBe(figures.digest());
  expect(figures).toMatchObject({ made: BLOCKS, released: BLOCKS, ended: true });
  expect(figures.buffers.size).toBe(CHUNK_BYTES.length);
});

test('a body that breaks off ends its source and releases nothing more; the next one is whole', async () => {
  cutAfter = CUT_BYTES;
  const cut = lentBlocks();
  await expect(connection.insertBlocks('INSERT', cut.blocks, {})).rejects.toThrow(/ECONNRESET|EPIPE|socket hang up/);
  const { made, released, ended } = cut.figures;
  expect(ended).toBe(true);
  expect(made).toBeLessThan(BLOCKS);
  expect(released).toBeLessThan(made);

  cutAfter = Infinity;
  const again = lentBlocks();
  await connection.insertBlocks('INSERT', again.blocks, {});
  expect(received).toBe(again.figures.digest());
  expect(cut.figures.released).toBe(released);
});

test('what fails while blocks are made is what the insert fails with', async () => {
  function* broken(): Generator<BodyBlock> {
    yield { chunks: [new Uint8Array(CHUNK_BYTES[1])], release: () => undefined };
    throw new Error('a durable epoch cannot be read');
  }
  await expect(connection.insertBlocks('INSERT', broken(), {})).rejects.toThrow('a durable epoch cannot be read');
});
