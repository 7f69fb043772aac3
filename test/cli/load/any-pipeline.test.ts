/**
 * Frames of the load generator for pipelines of every shape: what protobufjs reads in them, and what real servers store of
 * them.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { runLoad, type LoadOptions, type LoadReport } from '../../../src/cli/load.ts';
import { typedEvents } from '../../../src/cli/load/events/typed-events.ts';
import { createFrameMaker } from '../../../src/cli/load/frames/frame-maker.ts';
import { eventFields, type KeyCounts } from '../../../src/cli/load/frames/key-fields.ts';
import { streamIdentity } from '../../../src/cli/load/frames/slot.ts';
import { isSound } from '../../../src/cli/load/load-report.ts';
import { loadPipeline } from '../../../src/config/index.ts';
import { root, startServer, temporaryFolder } from '../../e2e/server.ts';
import { isLong } from '../../long.ts';

const folder = mkdtempSync(join(tmpdir(), 'hunt-load-any-'));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const TIME = Date.UTC(2026, 6, 26, 12, 34, 56, 789);
const IDS = [
  'uint64',
  'int64',
  'sint64',
  'fixed64',
  'sfixed64',
  'uint32',
  'int32',
  'sint32',
  'fixed32',
  'string',
  'bytes',
];
const TIMES = ['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64', 'google.protobuf.Timestamp'];
const KEYS = [
  'uint32',
  'int32',
  'sint32',
  'sint64',
  'uint64',
  'fixed32',
  'sfixed64',
  'string',
  'bytes',
  'google.protobuf.StringValue',
];

interface Types {
  readonly id: string;
  readonly time: string;
  readonly key: string;
}

/** A message with its id, time and key within others and between fields of every kind. */
function writePipeline(name: string, { id, time, key }: Types): string {
  writeFileSync(
    join(folder, `${name}.proto`),
    `syntax = "proto3"; package odd.v1;
import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto"; import "google/protobuf/duration.proto";
enum Mood { NONE = 0; GOOD = 1; BAD = -5; }
message Odd {
  double weight = 1; repeated sint32 steps = 2; map<string, double> prices = 3; map<string, Mood> moods = 4;
  message Head { string place = 1; ${id} id = 2; ${time} at = 300; optional bool seen = 4; }
  Head head = 20; ${key} who = 16; optional float share = 5; bytes raw = 6; google.protobuf.Duration took = 7;
  oneof origin { string web = 8; uint32 shop = 9; }
  repeated google.protobuf.Timestamp stops = 10; google.protobuf.Timestamp due = 11; Mood mood = 12;
  message Sale { string item = 1; fixed32 price = 2; } message Visit { repeated string pages = 1; uint64 room = 2; }
  oneof action { Sale sale = 30; Visit visit = 31; int64 ping = 32; }
}`,
  );
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `format: 1
pipeline: odd
events: { proto: ${name}.proto, message: odd.v1.Odd, type: action, id: head.id, time: head.at, unknown_fields: reject }
entities:
  person: { key: ${key.endsWith('Value') ? 'event.who.value' : 'event.who'}, primary: true, max: 10k, ttl: 30d }
  room: { key: [event.visit.room, event.mood], max: 1k, ttl: 7d }
features:
  person: { n: { agg: count, window: 1m }, weight: { agg: sum, of: event.weight, decimals: 1 } }
  room: { n: { agg: count } }
decisions: { act: { actions: [a, b], rules: [{ id: r, when: 'person.n > 3', then: a }], default: b } }
`,
  );
  return file;
}

const SHAPE = {
  eventsPerFrame: 40,
  connections: 3,
  zipfExponent: 1,
  seed: 5,
  webSocket: false,
  templateBytes: 1 << 16,
};
const FRAMES = 30;

/** Events of the first frames, as protobufjs reads them. */
async function eventsOf(plan: Plan, proto: string, keys: KeyCounts): Promise<protobuf.Message[]> {
  const fields = eventFields(plan, keys);
  const source = typedEvents(plan, { branches: undefined, required: fields.required });
  const maker = createFrameMaker(plan, fields, source, SHAPE);
  const Frame = protobuf.loadSync(join(root, 'proto', 'hunt', 'v1', 'wire.proto')).lookupType('hunt.v1.Frame');
  const Event = protobuf.loadSync(proto).lookupType(plan.message.name.replace(/^\./, ''));
  return Array.from({ length: FRAMES }, (_, i) => i + 1).flatMap((seq) => {
    const out = Buffer.alloc(maker.bytes(seq) + 3, 0xee);
    expect(maker.write(out, 2, seq, streamIdentity('run102'), TIME)).toBe(out.length - 1);
    expect([out[1], out.at(-1)]).toEqual([0xee, 0xee]);
    const frame = Frame.toObject(Frame.decode(out.subarray(2, -1)), { longs: Number }) as {
      seq: number;
      events: Uint8Array[];
    };
    expect(frame.seq).toBe(seq);
    return frame.events.map((event) => Event.decode(event));
  });
}

interface Odd {
  readonly head: { readonly id: string; readonly at: string | { readonly seconds: string; readonly nanos: number } };
  readonly who: unknown;
  readonly action: string;
  readonly visit?: { readonly room?: string };
}

const combinations = Array.from({ length: IDS.length }, (_, i): Types & { name: string } => {
  const [id, time, key] = [IDS[i]!, TIMES[i % TIMES.length]!, KEYS[i % KEYS.length]!];
  return { name: `odd_${i}`, id, time, key };
});

describe('fields of every kind', () => {
  test.each(combinations)('id $id, time $time, key $key', async ({ name, ...types }) => {
    const plan = await loadPipeline(writePipeline(name, types));
    const messages = await eventsOf(plan, join(folder, `${name}.proto`), { person: 300 });
    const events = messages.map(
      (one) => one.$type.toObject(one, { longs: String, bytes: String, oneofs: true }) as Odd,
    );
    expect(events).toHaveLength(FRAMES * SHAPE.eventsPerFrame);
    expect(new Set(events.map(({ head }) => String(head.id))).size).toBe(events.length);
    for (const { head } of events) {
      const { at } = head;
      const ms = typeof at === 'object' ? Number(at.seconds) * 1000 + at.nanos / 1e6 : Number(at);
      expect(ms).toBe(TIME);
    }
    const people = new Map<string, number>();
    for (const { who } of events) people.set(JSON.stringify(who), (people.get(JSON.stringify(who)) ?? 0) + 1);
    expect(people.size).toBeGreaterThan(100);
    expect(people.size).toBeLessThanOrEqual(300);
    // By Zipf's law the first of 300 comes in 16 of 100 events.
    expect(Math.max(...people.values()) / events.length).toBeCloseTo(0.16, 1);
    for (const kind of ['ping', 'sale', 'visit']) {
      const some = events.filter(({ action }) => action === kind);
      // A third of them; four standard deviations of the some 600 that differ are 8 in 100.
      expect(Math.abs(some.length / events.length - 1 / 3)).toBeLessThan(0.08);
    }
  });
});

const shop = join(root, 'docs', 'examples', 'shop', 'pipeline.yaml');
const pipelines: readonly (readonly [string, string, Partial<LoadOptions>])[] = [
  ['the shop of the documentation', shop, {}],
  [
    'the shop, from a file of its events',
    shop,
    { pattern: { file: join(root, 'docs', 'examples', 'shop', 'payments.ndjson'), delimiter: ',' } },
  ],
  ['every aggregate', join(root, 'test', 'stress', 'pipeline.yaml'), {}],
  [
    'no event id, keys of articles',
    join(root, 'test', 'e2e', 'retail', 'pipeline.yaml'),
    { protocol: 'http', eventsPerFrame: 7 },
  ],
  ['a composite primary key', join(root, 'test', 'e2e', 'world-cup', 'pipeline.yaml'), { eventsPerFrame: 1 }],
  ['keys of texts in the dictionary', join(root, 'test', 'e2e', 'flights', 'pipeline.yaml'), {}],
  [
    'branches with shared columns',
    join(root, 'test', 'e2e', 'shared-columns', 'pipeline.yaml'),
    { branches: { shop: 3, walk: 1 } },
  ],
  ['ids of 64 bits within a message', writePipeline('wide', { id: 'sint64', time: 'int64', key: 'bytes' }), {}],
  ['ids of 32 bits within a message', writePipeline('narrow', { id: 'int32', time: 'sint64', key: 'sint32' }), {}],
];

/** All of them in the long form; in the short one a file of events, HTTP without ids, and ids within a message. */
const SHORT = [1, 3, 7];
const tried = isLong ? pipelines : pipelines.filter((_, i) => SHORT.includes(i));

describe('real servers', () => {
  test.each(tried)('%s: all is stored once', async (_, pipeline, options) => {
    const data = temporaryFolder();
    const server = await startServer({ data: data.path, pipeline, options: ['--batch-age', '100'] });
    try {
      const report = await load(server.url, options);
      expect(isSound(report), JSON.stringify(report)).toBe(true);
      expect(report.stored).toBeGreaterThan(100);
      expect(report.stored).toBe(report.sent);
      expect(report.keys_seen).toBeGreaterThan(1);
    } finally {
      await server.stop();
      data.remove();
    }
  });
});

function load(url: string, options: Partial<LoadOptions>): Promise<LoadReport> {
  return runLoad({
    url,
    protocol: 'ws',
    rate: 4000,
    connections: 2,
    eventsPerFrame: 20,
    durationMs: 500,
    keys: {},
    templateBytes: 1 << 16,
    zipfExponent: 1,
    ack: 'durable',
    seed: 1,
    framesInFlightMax: Infinity,
    reconnectMs: 5000,
    progress: () => undefined,
    rssLog: () => undefined,
    ...options,
  });
}
