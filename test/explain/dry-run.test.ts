/** The dry run beside live tables: what it says, and that it leaves no trace in them, whatever the event. */

import { expect, test } from 'vitest';
import { moveState, decideRows } from '../../native-free-core/decide/decide-block.ts';
import { createDecider } from '../../native-free-core/decide/decider.ts';
import { createDryRun, type DryRun } from '../../src/explain/dry-run.ts';
import type { Explanation } from '../../src/contract/explanation.ts';
import { beginFrame } from '../../native-free-core/decide/taken-frame.ts';
import { readOpen } from '../../native-free-core/layout/open-record.ts';
import { dictionaryCount, internEntry } from '../../native-free-core/state/dictionary.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { allocateWarmUp } from '../../src/memory/regions.ts';
import { openTables } from '../../src/workers/open-tables.ts';
import { viewsOf } from '../../src/workers/warm-up/warm-up.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { takeEvent } from '../../native-free-core/decide/take-frame.ts';
import { openSession } from '../../native-free-core/decide/sessions.ts';
import { transcodeText, transcodeJson } from '../../native-free-core/codec/json/json-frame.ts';
import { changed, compileText } from '../config/pipelines.ts';

const NOW = Date.UTC(2026, 5, 1);
const encoder = new TextEncoder();

const PIPELINE = changed(
  "{ id: digger, when: 'player.digs_5m > 120', then: challenge }",
  `{ id: digger, when: "player.digs_5m > 1 && event.country.startsWith('D')", then: challenge, limit: { count: 1, per: 10m, entity: player } }`,
  changed('    quiet:', '    country: { agg: previous, of: event.country }\n    quiet:'),
);

function setup(plan: Plan) {
  const memory = allocateWarmUp(plan);
  const tables = openTables(memory);
  const control = new Int32Array(memory.control);
  startEpochs(control, 5, NOW);
  const live = { plan, tables, control };
  return {
    memory,
    live,
    dryRun: createDryRun(() => live, { now: () => NOW, monotonic: () => NOW }),
  };
}

function event(more: object = {}): object {
  return {
    event_id: 'a',
    player_id: '1',
    hunt_id: '2',
    event_time: new Date(NOW).toISOString(),
    dig: { depth: 1 },
    ...more,
  };
}

function decide(dryRun: DryRun, body: unknown): Explanation {
  return dryRun.decide(encoder.encode(JSON.stringify(body)), true);
}

/** Every byte of the live tables. */
function bytesOf(memory: ReturnType<typeof allocateWarmUp>): Buffer[] {
  const buffers = [...memory.entities, ...memory.limits].flatMap(({ regions }) => regions);
  return [...buffers, memory.dictionary, memory.producers].map((buffer) => Buffer.from(new Uint8Array(buffer)));
}

/** A worker on the live tables: takes one event, as the real one would. */
function worker({ memory, live }: ReturnType<typeof setup>): (body: object) => void {
  const { plan, tables, control } = live;
  const decider = createDecider({
    ...viewsOf(memory, 0),
    plan,
    tables,
    control,
    now: () => NOW,
    monotonic: () => NOW,
    epochIntervalMs: 0,
    textOf: (bytes, from, to) => new TextDecoder().decode(bytes.slice(from, to)),
    utf8: (text) => encoder.encode(text),
  });
  const session = openSession(readOpen({ bytes: new Uint8Array(16), view: new DataView(new ArrayBuffer(16)) }, 0), 0);
  return (body) => {
    Object.assign(decider.block.ticket, { epoch: 5, epochLow: 5, receivedAt: NOW });
    const frame = transcodeText(plan, JSON.stringify(body), transcodeJson);
    decider.block.rows = 0;
    beginFrame(decider.frame, session, frame);
    decider.frame.dedup = false;
    expect(takeEvent(decider, frame, 0)).toBe(0);
    moveState(decider);
    decideRows(decider);
  };
}

test('asked twice it says the same, and the live tables keep every byte', () => {
  const { plan } = compileText(PIPELINE);
  const whole = setup(plan);
  const { dryRun, memory } = whole;
  const take = worker(whole);
  take(event({ country: 'DE' }));
  const before = bytesOf(memory);
  const first = decide(dryRun, event({ country: 'Denmark' }));
  const again = decide(dryRun, event({ country: 'Denmark' }));
  expect(again).toEqual(first);
  expect(first.features).toMatchObject({ 'player.digs_5m': 2, 'player.country': 'DE' });
  expect(first.decisions[0]).toMatchObject({ action: 'challenge', rule: 'digger', limitSeq: 1 });
  expect(decide(dryRun, event({ player_id: '9' })).features).toMatchObject({
    'player.digs_5m': 1,
    'player.country': null,
  });
  bytesOf(memory).forEach((bytes, i) => expect(bytes.equals(before[i]!)).toBe(true));
  take(event({ country: 'Denmark' }));
  expect(decide(dryRun, event({ country: 'DE' })).decisions[0]!.rules[0]!.limit!.outcome).toBe('used_up');
});

test('texts that only a dry run has seen give way to those that events bring', () => {
  const { plan } = compileText(PIPELINE);
  const whole = setup(plan);
  const { dryRun, live } = whole;
  const take = worker(whole);
  const count = dictionaryCount(live.tables.dictionary);
  expect(decide(dryRun, event({ country: 'only asked' })).event['event.country']).toBe('only asked');
  expect(dictionaryCount(live.tables.dictionary)).toBe(count);
  // Gets the id that the dry run's copy has given to the other.
  take(event({ country: 'Denmark' }));
  const { features, event: fields, decisions } = decide(dryRun, event({ country: 'only asked' }));
  expect([features['player.country'], fields['event.country']]).toEqual(['Denmark', 'only asked']);
  expect(decisions[0]!.rule).toBe('default');
  expect(decide(dryRun, event({ country: 'Denmark' })).decisions[0]!.rule).toBe('digger');
  const text = encoder.encode('Dutch');
  internEntry(live.tables.dictionary, text, 0, text.length);
  expect(decide(dryRun, event({ country: 'Dutch' })).decisions[0]!.rule).toBe('digger');
});

test('a refused event is refused with its code and leaves nothing to the next', () => {
  const { plan } = compileText(PIPELINE);
  const { dryRun } = setup(plan);
  const codeOf = (body: unknown): string => {
    try {
      decide(dryRun, body);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return 'taken';
  };
  const clean = decide(dryRun, event());
  expect(codeOf(event({ player_id: '0', country: 'X', tags: [1, 2] }))).toBe('no_key');
  expect(codeOf(event({ event_time: new Date(NOW + 86_400_000).toISOString() }))).toBe('time_too_new');
  expect(codeOf(event({ tags: ['a'] }))).toBe('wrong_type');
  expect(codeOf([event(), event()])).toBe('not_one_event');
  expect(codeOf([])).toBe('not_one_event');
  expect(decide(dryRun, event())).toEqual(clean);
  expect(codeOf(event({ tags: [1, 2], scores: { a: '5' }, blob: 'AAEC', find: undefined }))).toBe('taken');
  expect(decide(dryRun, event())).toEqual(clean);
});

test('fields that nobody knows stand in its notes, whichever the encoding', () => {
  const { dryRun } = setup(compileText(PIPELINE).plan);
  expect(decide(dryRun, event({ contry: 'DE' })).notes).toEqual(['no such field: contry; did you mean country?']);
  const json = transcodeText(compileText(PIPELINE).plan, JSON.stringify(event()), transcodeJson);
  const bytes = Uint8Array.from([...json.bytes.slice(json.starts[0], json.ends[0]), 0x98, 6, 1]);
  expect(dryRun.decide(bytes, false).notes).toEqual(['no such field: field 99']);
  expect(decide(dryRun, event()).notes).toEqual([]);
});

test('another version is decided by its own rules', () => {
  const whole = setup(compileText(PIPELINE).plan);
  let live = whole.live;
  const dryRun = createDryRun(() => live, { now: () => NOW, monotonic: () => NOW });
  expect(decide(dryRun, event()).decisions[0]!.action).toBe('allow');
  live = setup(compileText(changed('player.digs_5m > 1 &&', 'player.digs_5m > 0 ||', PIPELINE)).plan).live;
  expect(decide(dryRun, event()).decisions[0]!.action).toBe('challenge');
});
