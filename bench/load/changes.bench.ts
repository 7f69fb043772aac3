/**
 * The pipeline changes while a server decides: three features more, backfilled from what is stored; these gone again; back to the version
 * before. What clients notice of it, beside the same load without changes.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runLoad, type LoadReport } from '../../src/cli/load.ts';
import { defaultPipeline } from '../../src/config/default-pipeline.ts';
import type { Bench, BenchFigure } from '../bench.ts';
import { command, LOAD, startServer } from './server.ts';

const FEATURE = '    points_5m: { agg: sum, of: event.find.points, window: 5m, hop: 1m }\n';
const FEATURES = `    digs_10m: { agg: count, where: "event.type == 'dig'", window: 10m, hop: 1m }
    mean_depth: { agg: stddev_pop, of: event.dig.depth, window: 5m, hop: 1m }
    lowest: { agg: min, of: event.dig.depth, window: 10m, hop: 1m }
`;
const FIRST_AFTER_MS = 8000;
const BETWEEN_MS = 3000;
const CHANGES = 3;

interface Measured {
  readonly load: LoadReport;
  readonly pausesMs: readonly number[];
}

interface Size {
  readonly rate: number;
  readonly eventsPerFrame: number;
  readonly durationMs: number;
  readonly firstAfterMs: number;
}

async function measure({ rate, eventsPerFrame, durationMs, firstAfterMs }: Size, changes: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-changes-'));
  const text = readFileSync(defaultPipeline(), 'utf8');
  if (!text.includes(FEATURE)) throw new Error('the example pipeline has changed');
  const more = join(folder, 'more.yaml');
  writeFileSync(more, text.replace(FEATURE, FEATURE + FEATURES));
  const server = await startServer(folder);
  const pausesMs: number[] = [];
  const change = async (): Promise<void> => {
    await pause(firstAfterMs);
    for (const words of [['deploy', more], ['deploy', defaultPipeline()], ['rollback']].slice(0, changes)) {
      const { result } = await command<{ result: { pauseMs: number } }>(...words, '--url', server.url);
      pausesMs.push(result.pauseMs);
      await pause(BETWEEN_MS);
    }
  };
  try {
    const [load] = await Promise.all([
      runLoad({ ...LOAD, url: server.url, rate, eventsPerFrame, durationMs }),
      change(),
    ]);
    if (load.lost + load.duplicated + load.unanswered > 0) throw new Error(`lost or doubled: ${JSON.stringify(load)}`);
    return { load, pausesMs };
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export const bench: Bench = {
  name: 'changes',
  async run({ tiny }) {
    const size = tiny
      ? { rate: 10_000, eventsPerFrame: 10, durationMs: 9000, firstAfterMs: 500 }
      : { rate: 200_000, eventsPerFrame: 100, durationMs: 40_000, firstAfterMs: FIRST_AFTER_MS };
    const calm = await measure(size, 0);
    const changed = await measure(size, CHANGES);
    const figure = (name: string, value: number, { load }: Measured): BenchFigure => ({
      name,
      unit: 'ms',
      value,
      checksum: String(load.stored),
      parameters: { ...size, changes: changed.pausesMs.length },
    });
    return [
      figure('answer p99 without changes', calm.load.answer_ms.p99, calm),
      figure('answer p99', changed.load.answer_ms.p99, changed),
      figure('answer p99.9', changed.load.answer_ms.p999, changed),
      figure('longest pause of a change', Math.max(...changed.pausesMs), changed),
    ];
  },
};
