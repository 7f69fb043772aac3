/** The shared tables and lanes alone: what an entity look-up, a seq, an id and a record cost. */

import { shapeEntityTable } from '../../native-free-core/layout/entity-layout.ts';
import { REGION_BYTES_MAX } from '../../native-free-core/layout/region.ts';
import { claim, commit, createLane, openLane, release, reserve } from '../../native-free-core/ring/lane.ts';
import {
  createEntityRegions,
  createRow,
  findRow,
  lockStripe,
  openEntityTable,
  unlockStripe,
} from '../../native-free-core/state/entity-table.ts';
import { createIdWindow, openIdWindow, takeId } from '../../native-free-core/state/id-window.ts';
import { createProducers, openProducers, seeProducer, takeSeq } from '../../native-free-core/state/producers.ts';
import type { Bench, BenchFigure } from '../bench.ts';

function timed(
  name: string,
  count: number,
  parameters: Record<string, unknown>,
  action: (i: number) => number,
): BenchFigure {
  let sum = 0;
  for (let i = 0; i < count / 10; i++) sum = (sum + action(i)) | 0;
  const begun = performance.now();
  for (let i = 0; i < count; i++) sum = (sum + action(i)) | 0;
  const value = ((performance.now() - begun) * 1e6) / count;
  return { name, unit: 'ns', value, checksum: String(sum >>> 0), parameters: { count, ...parameters } };
}

export const bench: Bench = {
  name: 'tables',
  run({ tiny }) {
    const count = tiny ? 10_000 : 2_000_000;
    const players = tiny ? 1000 : 200_000;
    const shape = shapeEntityTable(players, 640, 16384, REGION_BYTES_MAX);
    const table = openEntityTable(shape, createEntityRegions(shape));
    const ids = openIdWindow(createIdWindow(tiny ? 10_000 : 4_000_000, 600_000));
    const producers = openProducers(createProducers(4));
    const lane = createLane(1 << 20);
    const writer = openLane(lane);
    const reader = openLane(lane);
    const entity = (i: number): number => {
      const key = (Math.imul(i, 2654435761) >>> 0) % players;
      lockStripe(table, key, 0, 0, 1);
      let row = findRow(table, key, 0, 0, 1);
      if (row < 0) row = createRow(table, key, 0, 0, 1, 1);
      unlockStripe(table);
      return row;
    };
    const record = (i: number): number => {
      const at = reserve(writer, 1, 70);
      writer.bytes[at] = i;
      commit(writer);
      claim(reader);
      release(reader);
      return at;
    };
    return Promise.resolve([
      timed('entity: lock, find or create, unlock', count, { players }, entity),
      timed('id window: take a new id', count, {}, (i) =>
        takeId(ids, Math.imul(i, 2654435761), i, 1, 1, 1000 + i / 100),
      ),
      timed(
        'producer: take a seq',
        count,
        {},
        (i) => seeProducer(producers, 1, 0, 1000) + takeSeq(producers, 1, i + 1),
      ),
      timed('lane: reserve, commit, claim, release 70 bytes', count, {}, record),
    ]);
  },
};
