import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LANE_EMPTY } from '../../../native-free-core/base/outcomes.ts';
import { eachDeadLetter, loadBlock } from '../../../native-free-core/columns/load-block.ts';
import { createDecider, type Decider } from '../../../native-free-core/decide/decider.ts';
import { startEpochs } from '../../../native-free-core/decide/epoch.ts';
import { drainAndFinish } from '../../../native-free-core/decide/run.ts';
import { copyBlock } from '../../../native-free-core/layout/block-record.ts';
import { createColumn, type Column } from '../../../native-free-core/layout/column.ts';
import { ENCODING_CODES } from '../../../native-free-core/layout/encoding-codes.ts';
import { createSeq } from '../../../native-free-core/layout/seq.ts';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { putOpen, putFrame } from '../../../native-free-core/ring/frame-lane.ts';
import { claim, laneUsedBytes, openLane, release, type Lane } from '../../../native-free-core/ring/lane.ts';
import { dictionaryCount, entryAt, entryBytes, type Dictionary } from '../../../native-free-core/state/dictionary.ts';
import { entityCount } from '../../../native-free-core/state/entity-table.ts';
import { describeChange, loadPipelineFile } from '../../../src/config/index.ts';
import { allocateChange, takePages } from '../../../src/memory/change-memory.ts';
import { allocateMemory, allocateWarmUp, type SharedMemory } from '../../../src/memory/regions.ts';
import { openTables } from '../../../src/workers/open-tables.ts';
import { madeUpEvent } from '../../../src/workers/warm-up/made-up-events.ts';
import { attach, warmUp, viewsOf } from '../../../src/workers/warm-up/warm-up.ts';
import { changed, compileText } from '../../config/pipelines.ts';

const PIPELINE = fileURLToPath(new URL('../../../src/examples/treasure-hunt/pipeline.yaml', import.meta.url));
const NOW = 1_700_000_000_000;

function deciderOn(plan: Plan, memory: SharedMemory, tables = openTables(memory), now = (): number => NOW): Decider {
  return createDecider({
    ...viewsOf(memory, 0),
    plan,
    tables,
    now,
    monotonic: now,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => new TextDecoder().decode(bytes.slice(from, to)),
    utf8: (text) => new TextEncoder().encode(text),
  });
}

function open(lane: Lane, generation: number, encoding: number): void {
  putOpen(lane, {
    slot: 0,
    generation,
    encoding,
    answerEncoding: encoding,
    stored: false,
    hello: false,
    dedup: false,
    producerName: new Uint8Array(0),
  });
}

const NO_SEQ = createSeq();

function put(lane: Lane, body: Uint8Array, generation: number): void {
  putFrame(lane, { slot: 0, generation }, NO_SEQ, 0, body);
}

/** One frame per event through the lanes of `memory`. */
function take(
  decider: Decider,
  memory: SharedMemory,
  plan: Plan,
  events: number,
): { rows: number; dead: number; seqs: number[] } {
  const lane = openLane(memory.frameLanes[0]![0]!);
  open(lane, 7, ENCODING_CODES.protobuf);
  for (let i = 0; i < events; i++) {
    const event = madeUpEvent(plan, i, NOW);
    put(lane, Buffer.concat([Buffer.from([0x12, event.length]), event]), 7);
  }
  drainAndFinish(decider);
  return sealed(memory, plan);
}

/** What the sealed blocks hold; `each`: the columns, and a row of theirs. */
function sealed(
  memory: SharedMemory,
  plan: Plan,
  each: (columns: readonly Column[], row: number) => void = () => undefined,
): { rows: number; dead: number; seqs: number[] } {
  const blocks = openLane(memory.blockLanes[0]!);
  const columns = plan.columns.map((column) => createColumn(column));
  let [rows, dead] = [0, 0];
  const seqs: number[] = [];
  for (let at = claim(blocks); at !== LANE_EMPTY; release(blocks), at = claim(blocks)) {
    const block = copyBlock(blocks, at, blocks.claimedBytes);
    const count = loadBlock(plan, columns, block).rows;
    for (let r = 0; r < count; r++) {
      seqs.push(columns[plan.entities[0]!.seqColumn]!.u32[2 * r]!);
      each(columns, r);
    }
    rows += count;
    eachDeadLetter(block, () => dead++);
  }
  return { rows, dead, seqs };
}

test('made-up events are good events of the pipeline', async () => {
  const { plan } = await loadPipelineFile(PIPELINE);
  const memory = allocateWarmUp(plan);
  const decider = deciderOn(plan, memory);
  startEpochs(new Int32Array(memory.control), 1, 0);
  expect(take(decider, memory, plan, 100)).toMatchObject({ rows: 100, dead: 0 });
});

test('nothing of a warm-up is left once the worker takes events', async () => {
  const { plan } = await loadPipelineFile(PIPELINE);
  const small = { ...plan, entities: plan.entities.map((entity) => ({ ...entity, max: 5000 })) };
  const memory = allocateMemory(small, 1, 1);
  const tables = openTables(memory);
  startEpochs(new Int32Array(memory.control), 50, 0);
  const warmUpMemory = allocateWarmUp(small);
  const decider = deciderOn(small, warmUpMemory);
  warmUp(decider, { warmUpMemory, next: memory, worker: 0, isLive: false });
  expect(decider.block.ticket.epoch).toBeGreaterThan(1000);
  const learnt = dictionaryCount(tables.dictionary);
  expect(tables.entities.map(entityCount)).toEqual([0, 0]);
  attach(decider, viewsOf(memory, 0), openTables(memory), learnt);
  const { rows, dead, seqs } = take(decider, memory, small, 64);
  expect({ rows, dead }).toEqual({ rows: 64, dead: 0 });
  // Every player's first event, although the warm-up used the same keys.
  expect(seqs).toEqual(Array.from({ length: 64 }, () => 1));
  expect(decider.block.ticket.epoch).toBe(50);
  expect(tables.entities.map(entityCount)).toEqual([64, 64]);
  expect(dictionaryCount(tables.dictionary)).toBe(learnt);
});

function textOf({ bytes }: Dictionary, from: number, length: number): string {
  return new TextDecoder().decode(bytes.slice(from, from + length));
}

/** A JSON frame of one event. */
function jsonOf(i: number): Buffer {
  const country = COUNTRIES[i % COUNTRIES.length]!;
  const event = {
    eventId: `e${i}`,
    playerId: String(1 + (i % 40)),
    huntId: '1',
    eventTime: new Date(NOW).toISOString(),
    country,
  };
  return Buffer.from(JSON.stringify({ events: [{ ...event, lat: i }] }));
}

const COUNTRIES = ['NO', 'SE', 'NL'];
const RULE = `'player.digs_5m > 120'`;
const FRAMES = 90;
/** Looks at the clock, some for each block. */
const IN_THE_SECOND_ACT = 3500;

/** A running engine, its next version with rows that will move, and that version's worker before its warm-up. */
function beforeChange(onNow: (lane: Lane) => void) {
  // Rules that look texts up, and remember what they found.
  const pipeline = changed(RULE, `"event.country == 'SE' || event.country.matches('^NO?$')"`);
  const from = compileText(pipeline).plan;
  const { plan: to } = compileText(changed('depth: { agg: avg', 'depth: { agg: max', pipeline));
  const { change } = describeChange(from, to);
  const before = allocateMemory(from, 1, 1);
  startEpochs(new Int32Array(before.control), 50, 0);
  take(deciderOn(from, before), before, from, 64);
  const { memory } = allocateChange(before, from, to, change!);
  expect(memory.entities[0]!.adoption).toBeDefined();
  for (const _ of takePages(memory)) expect(entityCount(openTables(memory).entities[0]!)).toBe(0);
  const lane = openLane(memory.frameLanes[0]![0]!);
  const { dictionary, entities } = openTables(memory);
  const warmUpMemory = allocateWarmUp(to);
  const now = (): number => {
    onNow(lane);
    return NOW;
  };
  const decider = deciderOn(to, warmUpMemory, { ...openTables(warmUpMemory), dictionary }, now);
  return { to, memory, lane, dictionary, entities, decider, warmUpMemory };
}

test('before a change it listens to what comes in, and leaves nothing of that either', () => {
  let sent = 0;
  let looked = 0;
  // Some while it warms up, each after a pause.
  const world = beforeChange((lane) => {
    if (++looked === IN_THE_SECOND_ACT) open(lane, 8, ENCODING_CODES.json);
    if (looked > IN_THE_SECOND_ACT && sent < FRAMES && looked % 5 === 0) put(lane, jsonOf(sent++), 8);
  });
  const { to, memory, lane, dictionary, entities, decider, warmUpMemory } = world;
  warmUp(decider, { warmUpMemory, next: memory, worker: 0, isLive: true });
  expect(sent).toBe(FRAMES);
  const waiting = laneUsedBytes(lane);
  const text = (id: number): string => textOf(dictionary, entryAt(dictionary, id), entryBytes(dictionary, id));
  const texts = Array.from({ length: dictionaryCount(dictionary) }, (_, id) => text(id));
  expect(texts.sort()).toEqual(['', ...COUNTRIES].sort());
  expect(entityCount(entities[0]!)).toBe(0);
  attach(decider, viewsOf(memory, 0), openTables(memory), 1);
  expect(decider.connections.hellos).toEqual([]);
  drainAndFinish(decider);
  // All that came in is still there for whoever decides.
  expect(laneUsedBytes(openLane(lane.buffer))).toBe(0);
  expect(waiting).toBeGreaterThan(0);
  const decided: string[] = [];
  const country = to.columns.findIndex(({ name }) => name === 'country');
  const { rows, dead } = sealed(memory, to, (columns, row) => {
    decided.push(`${text(columns[country]!.u32[row]!)} ${columns[to.decisions[0]!.actionColumn]!.u16[row]}`);
  });
  expect({ rows, dead }).toEqual({ rows: FRAMES, dead: 0 });
  expect(decided).toEqual(Array.from({ length: FRAMES }, (_, i) => ['NO 2', 'SE 2', 'NL 1'][i % 3]));
});

test.each([
  ['large frames', 300_000, 1],
  ['many producers', 40, 5000],
])('it listens to a lane that nobody empties and comes to its end: %s', (_name, bytes, producers) => {
  let sent = 0;
  let isFull = false;
  const world = beforeChange((lane) => {
    for (let i = 0; i < 20 && !isFull; i++) {
      const address = { slot: sent % producers, generation: 0x12121212 };
      isFull = !putFrame(lane, address, createSeq(2 + sent), 0, new Uint8Array(bytes).fill(0x12));
      if (isFull) return;
      sent++;
    }
  });
  const { memory, decider, warmUpMemory, entities } = world;
  warmUp(decider, { warmUpMemory, next: memory, worker: 0, isLive: true });
  expect(sent).toBeGreaterThan(20);
  expect(entityCount(entities[0]!)).toBe(0);
});
