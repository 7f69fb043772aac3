/** Producers, event ids and the dictionary against plain sets and maps. */

import { describe, expect, test } from 'vitest';
import {
  createDictionary,
  entryAt,
  entryBytes,
  findEntry,
  internEntry,
  openDictionary,
} from '../../native-free-core/state/dictionary.ts';
import {
  ID_NEW,
  ID_SEEN,
  createIdWindow,
  idsShortened,
  openIdWindow,
  takeId,
} from '../../native-free-core/state/id-window.ts';
import {
  SEQ_NEW,
  SEQ_TAKEN,
  SEQ_TOO_OLD,
  createProducers,
  highestSeq,
  openProducers,
  takeSeq,
} from '../../native-free-core/state/producers.ts';
import { seeded } from '../random.ts';

describe('producers', () => {
  test('take each seq once, in any order within 1,024 of the highest: seed 21', () => {
    const producers = openProducers(createProducers(16));
    const next = seeded(21);
    const taken = new Set<number>();
    let highest = 0;
    for (let i = 0; i < 50_000; i++) {
      const seq = Math.max(1, highest - 1100 + Math.floor(next() * (next() < 0.01 ? 4000 : 1105)));
      const wanted = seq + 1024 <= highest ? SEQ_TOO_OLD : taken.has(seq) ? SEQ_TAKEN : SEQ_NEW;
      if (takeSeq(producers, 3, seq) !== wanted) expect.fail(`seq ${seq} with highest ${highest}: expected ${wanted}`);
      if (wanted === SEQ_NEW) taken.add(seq);
      if (seq > highest) highest = seq;
    }
    expect(highestSeq(producers, 3, 0)).toBe(highest);
    expect(highestSeq(producers, 4, 0)).toBe(0);
  });

  test('numbers beyond 32 bits keep all their bits', () => {
    const producers = openProducers(createProducers(2));
    const seq = 2 ** 40 + 5;
    expect(takeSeq(producers, 1, seq)).toBe(SEQ_NEW);
    expect(takeSeq(producers, 1, seq)).toBe(SEQ_TAKEN);
    expect(takeSeq(producers, 1, seq - 1)).toBe(SEQ_NEW);
    expect(highestSeq(producers, 1, 0)).toBe(seq);
  });
});

describe('id window', () => {
  test('knows the ids of the window and no older ones: seed 22', () => {
    const ids = openIdWindow(createIdWindow(100_000, 60_000));
    const next = seeded(22);
    const seenAt = new Map<number, number>();
    for (let i = 0; i < 100_000; i++) {
      const now = i * 5;
      const id = Math.floor(next() * 20_000);
      const before = seenAt.get(id);
      const outcome = takeId(ids, id * 7919, id, 5, 6, now);
      if (before === undefined || now - before > 63_000) expect(outcome === ID_NEW || before !== undefined).toBe(true);
      if (before !== undefined && now - before <= 60_000) expect(outcome).toBe(ID_SEEN);
      if (before === undefined) expect(outcome).toBe(ID_NEW);
      if (outcome === ID_NEW) seenAt.set(id, now);
    }
    expect(idsShortened(ids)).toBe(0);
  });

  test('a full window forgets the oldest and counts it', () => {
    const ids = openIdWindow(createIdWindow(1000, 3_600_000));
    for (let i = 0; i < 3000; i++) expect(takeId(ids, i, 0, 0, 1, 1000)).toBe(ID_NEW);
    expect(idsShortened(ids)).toBe(2000);
    expect(takeId(ids, 2999, 0, 0, 1, 1000)).toBe(ID_SEEN);
    expect(takeId(ids, 0, 0, 0, 1, 1000)).toBe(ID_NEW);
  });
});

test('the dictionary gives each string one id, up to its limit', () => {
  const dictionary = openDictionary(createDictionary(1000, 1 << 16));
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const ids = new Map<string, number>();
  for (let i = 0; i < 3000; i++) {
    const text = `value-${(i * 31) % 1500}`;
    const bytes = encode(text);
    const id = internEntry(dictionary, bytes, 0, bytes.length);
    const known = ids.get(text);
    if (known !== undefined) expect(id).toBe(known);
    else if (ids.size < 999) ids.set(text, id);
    else expect(id).toBe(-1);
  }
  expect(new Set(ids.values()).size).toBe(999);
  for (const [text, id] of ids) {
    const bytes = encode(text);
    expect(findEntry(dictionary, bytes, 0, bytes.length)).toBe(id);
    const at = entryAt(dictionary, id);
    expect(new TextDecoder().decode(dictionary.bytes.slice(at, at + entryBytes(dictionary, id)))).toBe(text);
  }
  expect(internEntry(dictionary, encode(''), 0, 0)).toBe(0);
});
