/** Producers as a worker knows them: how many, for how long, and what one of them may use up of what all share. */

import { describe, expect, test } from 'vitest';
import { FRAME_TOO_MANY_PRODUCERS, EVENT_DICTIONARY_FULL, outcomeText } from '../../native-free-core/base/outcomes.ts';
import { startEpochs } from '../../native-free-core/decide/epoch.ts';
import { completeBlock } from '../../native-free-core/decide/complete-block.ts';
import { ANSWER_REPEAT, ANSWER_OK, ANSWER_REJECTED } from '../../native-free-core/decide/frame-answers.ts';
import { LETTERS_OF_PRODUCER } from '../../native-free-core/decide/letter-share.ts';
import type { Decider } from '../../native-free-core/decide/decider.ts';
import { drainLanes } from '../../native-free-core/decide/run.ts';
import { createFrameEntry, readFrameEntry } from '../../native-free-core/layout/frame-entry.ts';
import { dictionaryCount } from '../../native-free-core/state/dictionary.ts';
import { findProducer, producersForgotten, producersRefused } from '../../native-free-core/state/producer-names.ts';
import { highestSeq } from '../../native-free-core/state/producers.ts';
import { loadPipeline } from '../../src/config/index.ts';
import { allocateMemory } from '../../src/memory/regions.ts';
import { deciderOn, NOW, PIPELINE, writeEvents, writeOpen } from './decider-world.ts';

const FORGET_MS = 60_000;

async function world(max: number, dictionaryMax = 65_536) {
  const loaded = await loadPipeline(PIPELINE);
  const plan = { ...loaded, dictionaryMax, producers: { max, forgetAfterMs: FORGET_MS } };
  const memory = allocateMemory(plan, 1, 1);
  startEpochs(new Int32Array(memory.control), 1, 0);
  let now = NOW;
  const decider = deciderOn(plan, memory, 0, () => now);
  let events = 0;
  /** One frame of one event by this producer; returns how it was answered. */
  const send = (producer: string, seq: number, event: object = {}): { kind: number; outcome: number } => {
    writeOpen(decider, producer);
    writeEvents(decider, [{ id: `e${events++}`, player: 1, at: NOW, ...event }], seq);
    drainLanes(decider);
    const { kinds, frameOutcome, eventOutcome, count, events: eventCount } = decider.block.answers;
    const kind = kinds[count - 1]!;
    return { kind, outcome: kind === ANSWER_OK ? eventOutcome[eventCount - 1]! : frameOutcome[count - 1]! };
  };
  const later = (ms: number): void => {
    endEpoch(decider);
    now += ms;
  };
  return { decider, send, later };
}

/** The next frame begins an epoch of its own, with a time of its own. */
function endEpoch(decider: Decider): void {
  if (decider.block.joined) completeBlock(decider);
}

/** Refused events of the block's first frame. */
function deadOf({ block }: Decider): number {
  const entry = createFrameEntry();
  const { buffer } = block.frames.words;
  readFrameEntry(new DataView(buffer), 0, entry);
  return entry.dead;
}

function rowOf({ input }: Decider, name: string): number {
  const bytes = new TextEncoder().encode(name);
  return findProducer(input.tables.producers, bytes, 0, bytes.length);
}

describe('producers', () => {
  test('beyond the declared number a new one is told so; known ones and frames without a name go on', async () => {
    const { decider, send } = await world(3);
    for (const name of ['a', 'b', 'c']) expect(send(name, 1).kind).toBe(ANSWER_OK);
    const refused = send('d', 1);
    expect(refused).toEqual({ kind: ANSWER_REJECTED, outcome: FRAME_TOO_MANY_PRODUCERS });
    expect(outcomeText(refused.outcome).code).toBe('too_many_producers');
    expect(send('b', 2).kind).toBe(ANSWER_OK);
    expect(send('', 0).kind).toBe(ANSWER_OK);
    expect(producersRefused(decider.input.tables.producers)).toBe(1);
  });

  test('one that has been idle for the declared time gives its place to a new one, and no other does', async () => {
    const { decider, send, later } = await world(2);
    send('a', 1);
    later(FORGET_MS / 2);
    send('b', 1);
    later(FORGET_MS / 2 + 1);
    // a has been idle for the time and 1 ms, b for half of it.
    expect(send('c', 1).kind).toBe(ANSWER_OK);
    expect([rowOf(decider, 'a'), rowOf(decider, 'b') > 0, rowOf(decider, 'c') > 0]).toEqual([0, true, true]);
    expect(send('d', 1).kind).toBe(ANSWER_REJECTED);
    expect(send('a', 2).kind).toBe(ANSWER_REJECTED);
    expect(producersForgotten(decider.input.tables.producers)).toBe(1);
    later(FORGET_MS);
    expect(send('d', 1).kind).toBe(ANSWER_OK);
  });

  test('within the time a repeated frame is known, after it its number is new', async () => {
    const { decider, send, later } = await world(10);
    expect(send('a', 7).kind).toBe(ANSWER_OK);
    later(FORGET_MS);
    expect(send('a', 7).kind).toBe(ANSWER_REPEAT);
    later(FORGET_MS + 1);
    const row = rowOf(decider, 'a');
    expect(highestSeq(decider.input.tables.producers, row, decider.input.now())).toBe(0);
    expect(send('a', 7).kind).toBe(ANSWER_OK);
    expect(send('a', 7).kind).toBe(ANSWER_REPEAT);
  });

  test('a session whose row went to another name finds or makes its own again', async () => {
    const { decider, send, later } = await world(1);
    send('a', 5);
    const session = decider.connections.sessions[0]![0]!;
    later(FORGET_MS + 1);
    expect(send('b', 1).kind).toBe(ANSWER_OK);
    later(FORGET_MS + 1);
    // The first connection speaks again.
    decider.connections.sessions[0]![0] = session;
    writeEvents(decider, [{ id: 'again', player: 1, at: NOW }], 5);
    drainLanes(decider);
    expect(decider.block.answers.kinds[decider.block.answers.count - 1]).toBe(ANSWER_OK);
    expect(rowOf(decider, 'b')).toBe(0);
    expect(rowOf(decider, 'a')).toBe(session.producer);
  });
});

describe('what all share', () => {
  test('names take nothing of the dictionary', async () => {
    const { decider, send } = await world(1000, 4);
    const before = dictionaryCount(decider.input.tables.dictionary);
    for (let i = 0; i < 500; i++) send(`${'n'.repeat(190)}${i}`, 1);
    expect(dictionaryCount(decider.input.tables.dictionary)).toBe(before);
  });

  test('one producer may add a quarter of the dictionary; the others still can, and what is known stays known', async () => {
    const { send } = await world(10, 39);
    const outcomes = Array.from({ length: 12 }, (_, i) => send('greedy', i + 1, { place: `greedy-${i}` }).outcome);
    expect(outcomes.filter((outcome) => outcome === 0)).toHaveLength(10);
    expect(outcomes.at(-1)).toBe(EVENT_DICTIONARY_FULL);
    expect(send('greedy', 20, { place: 'greedy-3' }).outcome).toBe(0);
    expect(send('other', 1, { place: 'new' }).outcome).toBe(0);
    expect(send('greedy', 21, { place: 'new' }).outcome).toBe(0);
    // All that name nobody are one.
    const nameless = Array.from({ length: 11 }, (_, i) => send('', 0, { place: `nameless-${i}` }).outcome);
    expect(nameless.filter((outcome) => outcome === 0)).toHaveLength(10);
  });

  test('of what one producer has refused so much is kept at once, all is counted, and the others have their own', async () => {
    const { decider, send, later } = await world(10);
    const { burst } = LETTERS_OF_PRODUCER;
    const bad = Array.from({ length: 4000 }, () => ({ player: 1 }));
    let letters = 0;
    let dead = 0;
    for (let seq = 1; seq <= 4; seq++) {
      writeOpen(decider, 'careless');
      writeEvents(decider, bad, seq);
      drainLanes(decider);
      letters += decider.block.deadLetters.count;
      dead += deadOf(decider);
      later(0);
    }
    expect([letters, dead]).toEqual([burst, 16_000]);
    send('careful', 1, { at: undefined });
    expect(decider.block.deadLetters.count).toBe(1);
    // A second brings ten.
    later(1000);
    writeOpen(decider, 'careless');
    writeEvents(decider, bad, 5);
    drainLanes(decider);
    expect(decider.block.deadLetters.count).toBe(LETTERS_OF_PRODUCER.perSecond);
  });
});
