/** A decision worker alone, with the default pipeline: 11 windowed features over 2 entities, 2 decisions. */

import { join } from 'node:path';
import { loadPipeline } from '../../src/config/index.ts';
import { packageRoot } from '../../src/system/compiled-url.ts';
import type { Bench, BenchFigure } from '../bench.ts';
import { measureWorker } from './worker-rig.ts';

export const bench: Bench = {
  name: 'worker',
  async run({ tiny }) {
    const plan = await loadPipeline(
      join(packageRoot(import.meta.url), 'src', 'examples', 'treasure-hunt', 'pipeline.yaml'),
    );
    const figures: BenchFigure[] = [];
    for (const workers of [1, 2]) {
      const { eventsPerSecond, sealedBytesPerEvent, checksum, parameters } = measureWorker(
        plan,
        tiny ? 1000 : 200_000,
        tiny ? 4 : 400,
        workers,
      );
      figures.push(
        {
          name: `events decided and sealed, ${workers} on the tables`,
          unit: 'events/s',
          value: eventsPerSecond,
          checksum,
          parameters,
        },
        {
          name: `sealed bytes, ${workers} on the tables`,
          unit: 'bytes/event',
          value: sealedBytesPerEvent,
          checksum,
          parameters,
        },
      );
    }
    return figures;
  },
};
