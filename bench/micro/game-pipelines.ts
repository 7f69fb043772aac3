/** Pipelines over the example game for the worker's benchmarks: features.bench.ts and models.bench.ts. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPipeline } from '../../src/config/index.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';

export const EVENTS = `format: 1
pipeline: bench
events:
  proto: game/v1/events.proto
  message: game.v1.GameEvent
  type: action
  id: event_id
  time: event_time
  fields: { dig.depth: { decimals: 2 }, purchase.amount: { decimals: 2 }, lat: { decimals: 4 } }
`;

const PLAYER = `    a: { agg: count, where: "event.type == 'dig'", window: 1m, hop: 5s }
    b: { agg: count, where: "event.type == 'clue'", window: 5m, hop: 25s }
    c: { agg: sum, of: event.find.points, window: 5m, hop: 25s }
    d: { agg: avg, of: event.dig.depth, window: 5m, hop: 25s }
    e: { agg: max, of: event.find.points, window: 1h, hop: 5m }`;
const HUNT = `    a: { agg: count, window: 1m, hop: 5s }
    b: { agg: sum, of: event.purchase.amount, window: 1h, hop: 5m }
    c: { agg: min, of: event.dig.depth, window: 5m, hop: 25s }
    d: { agg: count, where: "event.type == 'find'", window: 5m, hop: 25s }
    e: { agg: avg, of: event.find.points, window: 1h, hop: 5m }`;

/** Ten windowed features over two entities, ten rules. */
export const TEN = `${EVENTS}entities:
  player: { key: event.player_id, primary: true, max: 400k, ttl: 30d }
  hunt: { key: event.hunt_id, max: 100k, ttl: 30d }
features:
  player:
${PLAYER}
  hunt:
${HUNT}
${decision(10, ['player.a', 'hunt.d'])}`;

/** Twenty over three, twenty rules. */
export const TWENTY = `${EVENTS}entities:
  player: { key: event.player_id, primary: true, max: 400k, ttl: 30d }
  hunt: { key: event.hunt_id, max: 100k, ttl: 30d }
  visit: { key: [event.hunt_id, event.player_id], max: 1M, ttl: 7d }
features:
  player:
${PLAYER}
    f: { agg: stddev_pop, of: event.dig.depth, window: 5m, hop: 25s }
    g: { agg: first, of: event.find.points, window: 5m, hop: 25s }
    h: { agg: rate, window: 1m, hop: 5s }
  hunt:
${HUNT}
    f: { agg: max, of: event.find.points, window: 5m, hop: 25s }
  visit:
    a: { agg: count, where: "event.type == 'clue'", window: 1h, hop: 5m }
    b: { agg: count, where: "event.type == 'dig'", window: 5m, hop: 25s }
    c: { agg: sum, of: event.find.points, window: 1h, hop: 5m }
    d: { agg: max, of: event.dig.depth, window: 5m, hop: 25s }
    e: { agg: last, of: event.dig.depth, window: 5m, hop: 25s }
    f: { agg: sum, of: event.purchase.amount, window: 5m, hop: 25s }
${decision(20, ['player.a', 'hunt.d', 'visit.b'])}`;

function decision(rules: number, names: readonly string[]): string {
  const lines = Array.from({ length: rules }, (_, i) => {
    const name = names[i % names.length];
    return `      - { id: r${i}, when: "${name} > ${1000 + i} && event.type == 'dig' && player.c * 2.0 > ${i}.5", then: look }`;
  });
  return `decisions:
  trust:
    actions: [look, pass]
    rules:
${lines.join('\n')}
    default: pass
`;
}

/** `files`: what the pipeline names, by path. */
export async function planOf(text: string, files: Readonly<Record<string, string>> = {}): Promise<Plan> {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-bench-'));
  try {
    writeFileSync(join(folder, 'pipeline.yaml'), text);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return await loadPipeline(join(folder, 'pipeline.yaml'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
