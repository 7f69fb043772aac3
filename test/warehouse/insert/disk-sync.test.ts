/** The process that syncs: what it says of folders, and that it comes back when it is gone. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DiskSync } from '../../../src/warehouse/insert/disk-sync.ts';
import { until } from '../../e2e/server.ts';

const disk = new DiskSync();
afterEach(() => disk.end());

test('folders are synced, what fails says why, and a process that was killed is started anew', async () => {
  await disk.sync(tmpdir(), 10_000);
  await expect(disk.sync(join(tmpdir(), 'not there'), 10_000)).rejects.toThrow(/not there/);
  await disk.sync(tmpdir(), 10_000);
  const first = disk.pid!;
  process.kill(first, 'SIGKILL');
  await expect(disk.sync(tmpdir(), 10_000)).rejects.toThrow(/has ended|EPIPE/);
  await disk.sync(tmpdir(), 10_000);
  expect(disk.pid).not.toBe(first);
  const isGone = (): boolean => {
    try {
      return process.kill(disk.pid!, 0) && false;
    } catch {
      return true;
    }
  };
  disk.end();
  await until(isGone, 'the process ends with its input');
});

test('those who ask at the same time each get their own answer', async () => {
  const asked = [tmpdir(), join(tmpdir(), 'not there'), tmpdir(), tmpdir()].map((folder) => disk.sync(folder, 10_000));
  const answers = await Promise.allSettled(asked);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
});
