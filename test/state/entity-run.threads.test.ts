/**
 * Runs of rows between real threads: several workers count in rows of the same table, each cell twice, while another thread
 * copies stripes as snapshots do. No count is lost, and no copy shows a row half moved.
 */

import { expect, test } from 'vitest';
import { shapeEntityTable } from '../../native-free-core/layout/entity-layout.ts';
import { createEntityRegions, openEntityTable, pointAt, rowWord } from '../../native-free-core/state/entity-table.ts';
import { STRIPE_USED } from '../../native-free-core/layout/entity-layout.ts';
import type { Mutation } from '../stepper/protocol.ts';
import { runThreads, WORK_MS, type ThreadBody } from '../stepper/run-threads.ts';

const TABLE = 'native-free-core/state/entity-table.ts';
const LOCK = 'native-free-core/state/lock.ts';
const FILES = ['native-free-core/state/entity-run.ts', TABLE, 'native-free-core/layout/entity-layout.ts'];
const ENDLESS_WAIT: Mutation = { file: LOCK, from: 'CONTENDED, 1000)', to: 'CONTENDED)' };

const ROWS = 2000;
const KEYS = 3000;
const ROW_BYTES = 128;
/** f64 slots of a row's two counts. */
const LEFT = 6;
const RIGHT = 15;

const OPENED = `const shape = protocol.shapeEntityTable(${KEYS}, ${ROW_BYTES}, ${ROWS}, 2 ** 30, shared.locks);
    const table = protocol.openEntityTable(shape, [shared.table]);`;

const WORKER: ThreadBody = {
  count: 2,
  body: `// worker
    ${OPENED}
    const keys = new Int32Array(4 * ${ROWS}), present = new Uint8Array(${ROWS}).fill(1);
    const run = protocol.createEntityRun({ table, keys, present, effective: new Float64Array(${ROWS}) }, 16, []);
    const end = performance.now() + shared.workMs;
    let events = 0, x = 1 + index;
    do {
      for (let r = 0; r < ${ROWS}; r++) {
        x = (Math.imul(x, 1664525) + 1013904223) | 0;
        keys.set([(x >>> 8) % ${KEYS}, 0, 0, 1], 4 * r);
      }
      const rows = protocol.orderRows(run, 0, ${ROWS});
      for (let begin = 0, next = 0; begin < rows; begin = next) {
        next = protocol.lockRun(run, begin);
        for (let i = begin; i < next; i++) {
          const r = run.order[i];
          let at = run.places[i - begin];
          if (at < 0 || table.words[2 * at] !== keys[4 * r]) at = protocol.seekRow(run, r);
          if (at < 0) at = protocol.createRow(table, keys[4 * r], 0, 0, 1, 1);
          if (at < 0) throw new Error('no room');
          const left = table.floats[at + ${LEFT}] + 1;
          table.floats[at + ${LEFT}] = left;
          for (let n = 0; n < (i & 15); n++) if (table.floats[at + ${LEFT}] !== left) throw new Error('two are inside');
          table.floats[at + ${RIGHT}] = left;
        }
        protocol.unlockStripe(table);
      }
      events += rows;
    } while (performance.now() < end);
    return events;`,
};

const COPIER: ThreadBody = {
  body: `// copier
    ${OPENED}
    const out = new Uint8Array(shape.rowsPerStripe * shape.rowBytes), floats = new Float64Array(out.buffer);
    const end = performance.now() + shared.workMs;
    do {
      for (let stripe = 0; stripe < shape.stripes; stripe++) {
        const bytes = protocol.copyStripe(table, stripe, out);
        for (let at = 0; at < bytes >> 3; at += ${ROW_BYTES >> 3})
          if (floats[at + ${LEFT}] !== floats[at + ${RIGHT}]) throw new Error('torn copy');
      }
    } while (performance.now() < end);
    return 0;`,
};

function shared(locks: number) {
  const shape = shapeEntityTable(KEYS, ROW_BYTES, ROWS, 2 ** 30, locks);
  expect(shape.locks).toBe(locks);
  const table = createEntityRegions(shape)[0]!;
  return { shape, buffers: { table, locks, workMs: WORK_MS } };
}

test.each([1, 8])('%i locks: no count is lost, no copy is torn, nobody is left asleep', async (locks) => {
  const { shape, buffers } = shared(locks);
  const sources = { files: FILES, mutations: [ENDLESS_WAIT] };
  const events = (await runThreads(sources, buffers, [WORKER, COPIER])) as number[];
  const table = openEntityTable(shape, [buffers.table]);
  let counted = 0;
  for (let stripe = 0; stripe < shape.stripes; stripe++) {
    pointAt(table, stripe);
    expect(table.words[table.stripe], 'free').toBe(0);
    for (let row = 0; row < table.words[table.stripe + STRIPE_USED]!; row++)
      counted += table.floats[(rowWord(table, row) >> 1) + LEFT]!;
  }
  expect(counted).toBe(events.reduce((sum, count) => sum + count, 0));
});

test('fault: runs without a lock are found', async () => {
  const { buffers } = shared(1);
  const mutations = [ENDLESS_WAIT, { file: TABLE, from: '  acquireLock(table.regionWords[0], table.lock);\n', to: '' }];
  await expect(runThreads({ files: FILES, mutations }, buffers, [WORKER, COPIER])).rejects.toThrow(
    /two are inside|torn copy|INDEX|no room/,
  );
});
