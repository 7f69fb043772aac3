/**
 * The whole way, twice: a flat message, and one whose fields lie in a oneof of forty branches, of the same size and with the same
 * features, each into a real server of its own, in turn. The ratio is what the oneof costs.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLoad, type LoadReport } from '../../src/cli/load.ts';
import { seeded } from '../../src/cli/load/random.ts';
import type { Bench, BenchFigure } from '../bench.ts';
import { LOAD, startServer } from './server.ts';

const BRANCHES = 40;
const PATTERN_EVENTS = 50_000;

const HEAD = `syntax = "proto3";
package game.v1;
import "google/protobuf/timestamp.proto";`;
const COMMON = `string event_id = 1; uint64 player_id = 2; uint64 hunt_id = 3; google.protobuf.Timestamp event_time = 4;
  double lat = 5; double lon = 6;`;
const FIELDS = 'uint32 points = 1; double depth = 2; sint32 step = 3; uint32 tool = 4; bool lucky = 5;';

const FLAT = `${HEAD}
message GameEvent { ${COMMON} uint32 kind = 7; Fields fields = 8; }
message Fields { ${FIELDS} }`;

const numbers = Array.from({ length: BRANCHES }, (_, i) => i);
const BRANCHED = `${HEAD}
message GameEvent { ${COMMON} oneof action { ${numbers.map((i) => `B${i} b${i} = ${10 + i};`).join(' ')} } }
${numbers.map((i) => `message B${i} { ${FIELDS} }`).join('\n')}`;

interface Variant {
  readonly name: string;
  readonly proto: string;
  readonly typeKey: string;
  readonly isKind: (kind: number) => string;
  readonly field: string;
  readonly event: (kind: number, fields: object) => object;
}

const VARIANTS: readonly Variant[] = [
  {
    name: 'flat',
    proto: FLAT,
    typeKey: '',
    isKind: (kind) => `event.kind == ${kind}`,
    field: 'event.fields',
    event: (kind, fields) => ({ kind, fields }),
  },
  {
    name: `oneof of ${BRANCHES} branches`,
    proto: BRANCHED,
    typeKey: 'type: action',
    isKind: (kind) => `event.type == 'b${kind}'`,
    field: 'event.b1',
    event: (kind, fields) => ({ [`b${kind}`]: fields }),
  },
];

function pipelineOf({ typeKey, isKind, field }: Variant): string {
  return `format: 1
pipeline: branches
events:
  proto: ./events.proto
  message: game.v1.GameEvent
  ${typeKey}
  id: event_id
  time: event_time
entities:
  player: { key: event.player_id, primary: true, max: 2M, ttl: 30d }
  hunt: { key: event.hunt_id, max: 100k, ttl: 30d }
features:
  player:
    a_1m: { agg: count, where: "${isKind(1)}", window: 1m, hop: 10s }
    b_5m: { agg: count, where: "${isKind(2)}", window: 5m, hop: 1m }
    c_5m: { agg: count, where: "${isKind(3)}", window: 5m, hop: 1m }
    points_5m: { agg: sum, of: ${field}.points, where: "${isKind(1)}", window: 5m, hop: 1m }
    depth_5m: { agg: avg, of: ${field}.depth, where: "${isKind(1)}", decimals: 2, window: 5m, hop: 1m }
    last_lat: { agg: previous, of: event.lat, exact: false }
    quiet: { agg: time_since_last }
  hunt:
    a_1m: { agg: count, where: "${isKind(1)}", window: 1m, hop: 10s }
    b_5m: { agg: count, where: "${isKind(2)}", window: 5m, hop: 1m }
    best_1h: { agg: max, of: ${field}.points, where: "${isKind(1)}", window: 1h, hop: 10m }
decisions:
  trust:
    actions: [allow, challenge]
    rules: [{ id: busy, when: "player.a_1m > 40 || hunt.b_5m > 100000", then: challenge }]
    default: allow
`;
}

/** A file of events that the load repeats: enough that no column of the table is a few values over and over. */
function patternOf(variant: Variant): string {
  const random = seeded(1);
  const events = Array.from({ length: PATTERN_EVENTS }, () => {
    const kind = Math.floor(random() * BRANCHES);
    const fields = {
      points: Math.floor(random() * 100),
      depth: Math.floor(random() * 300) / 100,
      step: Math.floor(random() * 100) - 50,
      tool: Math.floor(random() * 4),
      lucky: random() < 0.5,
    };
    const place = { player_id: 1, hunt_id: 1, lat: 48 + random(), lon: 11 + random() };
    return JSON.stringify({ ...place, ...variant.event(kind, fields) });
  });
  return events.join('\n');
}

async function measure(variant: Variant, durationMs: number, rate: number): Promise<LoadReport> {
  const folder = mkdtempSync(join(tmpdir(), 'hunt-branches-'));
  writeFileSync(join(folder, 'events.proto'), variant.proto);
  writeFileSync(join(folder, 'pipeline.yaml'), pipelineOf(variant));
  const pattern = { file: join(folder, 'events.ndjson'), delimiter: ',' };
  writeFileSync(pattern.file, patternOf(variant));
  const server = await startServer(folder, join(folder, 'pipeline.yaml'));
  try {
    return await runLoad({ ...LOAD, url: server.url, rate, eventsPerFrame: 500, durationMs, pattern });
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

export const bench: Bench = {
  name: 'branches',
  async run({ tiny }) {
    const [rounds, durationMs] = tiny ? [1, 1000] : [3, 10_000];
    const reports = VARIANTS.map((): LoadReport[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, variant] of VARIANTS.entries()) {
        const report = await measure(variant, durationMs, tiny ? 20_000 : Infinity);
        if (report.lost + report.duplicated > 0) throw new Error(`lost or doubled: ${JSON.stringify(report)}`);
        reports[i]!.push(report);
      }
    }
    const figure = (name: string, unit: string, value: number, i: number): BenchFigure => ({
      name,
      unit,
      value,
      checksum: String(reports[i]!.reduce((sum, report) => sum + report.stored, 0)),
      parameters: { rounds, durationMs, eventsPerFrame: 500, players: 200_000 },
    });
    const of = (i: number, pick: (report: LoadReport) => number): number => median(reports[i]!.map(pick));
    const answered = (report: LoadReport): number => report.answered / (durationMs / 1000);
    const perMillion = (seconds: (report: LoadReport) => number) => (report: LoadReport) =>
      (seconds(report) / report.sent) * 1e6;
    return [
      ...VARIANTS.flatMap(({ name }, i) => [
        figure(`${name}: answered`, 'events/s', of(i, answered), i),
        figure(
          `${name}: into ClickHouse`,
          'events/s',
          of(i, (report) => report.events_per_second),
          i,
        ),
        figure(
          `${name}: server`,
          'CPU s per M events',
          of(
            i,
            perMillion((report) => report.cpu_seconds.server),
          ),
          i,
        ),
        figure(
          `${name}: ClickHouse`,
          'CPU s per M events',
          of(
            i,
            perMillion((report) => report.cpu_seconds.clickhouse),
          ),
          i,
        ),
      ]),
      figure('oneof over flat: answered', 'ratio', of(1, answered) / of(0, answered), 1),
      figure(
        'oneof over flat: into ClickHouse',
        'ratio',
        of(1, (r) => r.events_per_second) / of(0, (r) => r.events_per_second),
        1,
      ),
    ];
  },
};
