/**
 * The decoder against protobufjs, its oracle: random events and mutated ones, 100,000 of each in the long form, over random
 * schemas. They agree in every value, or both refuse. After a refusal the row is as if nothing had been read.
 */

import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { afterAll, describe, expect, test } from 'vitest';
import { compileDecoder, type Decoder } from '../../native-free-core/codec/decoder.ts';
import { createUnknownFields, type UnknownFields } from '../../native-free-core/codec/unknown-fields.ts';
import { walkMessage, type EventWalk } from '../../native-free-core/codec/walk-event.ts';
import { resetColumn, type Column } from '../../native-free-core/layout/column.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { isLong } from '../long.ts';
import { seeded } from '../random.ts';
import { expectRow, readRow, watchTimestamps, type Row } from './oracle.ts';
import { columnsOf, parseProto, planOf, TestDictionary } from './plan-of.ts';
import { randomSchema } from './random-schema.ts';
import { randomEvent } from './random-wire.ts';

const SEED = Number(process.env['HUNT_FUZZ_SEED'] ?? 20260726);
const SCHEMAS = 25;
/** For each schema. */
const RUNS = (isLong ? 100_000 : 15_000) / SCHEMAS;
const ROWS = 32;

interface World {
  readonly type: protobuf.Type;
  readonly plan: Plan;
  readonly columns: Column[];
  readonly dictionary: TestDictionary;
  readonly decoder: Decoder;
  readonly preset: Row;
  row: number;
}

function createWorld(index: number): World {
  const root = parseProto(randomSchema(seeded(SEED + index), index));
  watchTimestamps(root);
  const type = root.lookupType('Event');
  const dictionary = (path: string): boolean => path.length % 2 === 0;
  const plan = planOf(
    type,
    type.oneofs?.['action'] === undefined ? { dictionary } : { dictionary, typeOneof: 'action' },
  );
  const columns = columnsOf(plan, ROWS);
  const texts = new TestDictionary();
  const decoder = compileDecoder(plan, columns, texts);
  return { type, plan, columns, dictionary: texts, decoder, preset: readRow(columns, 0, texts), row: 0 };
}

function walkOf(bytes: Uint8Array, unknown: UnknownFields): EventWalk {
  return { bytes, begin: 0, policy: 'warn', unknown, isInDictionary: () => true };
}

const counts = { accepted: 0, refused: 0 };

/** Decodes into the next row of a block that is reset when full, and compares. */
function agree(world: World, event: Uint8Array): void {
  const { columns, plan, type, decoder, dictionary } = world;
  if (world.row === ROWS) {
    for (const column of columns) resetColumn(column, ROWS);
    world.row = 0;
  }
  const expected = expectRow(plan, type, event);
  const view = new DataView(event.buffer, event.byteOffset, event.byteLength);
  const skipped = decoder.unknownFields;
  const outcome = decoder.decodeEvent(event, view, 0, event.length, world.row);
  const told = createUnknownFields();
  const detail = walkMessage(walkOf(event, told), plan.message, '', 0, event.length);
  if (outcome === 0) {
    expect([detail, told.count]).toEqual([null, decoder.unknownFields - skipped]);
    expect(expected).not.toBeNull();
    same(readRow(columns, world.row, dictionary), expected!);
    world.row++;
    counts.accepted++;
  } else {
    expect(expected).toBeNull();
    // What is refused is refused in words that say where.
    expect(detail?.text).toMatch(/at byte \d+|^\S+: /);
    decoder.clearRow(world.row);
    same(readRow(columns, world.row, dictionary), world.preset);
    counts.refused++;
  }
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => sameValue((a as Row)[key], (b as Row)[key]));
}

/** Quick where they are equal; vitest explains where they are not. */
function same(actual: Row, expected: Row): void {
  if (!sameValue(actual, expected)) expect(actual).toEqual(expected);
}

/** Cut, overwrite, insert, remove, repeat: at `where` of the length. */
const mutation = fc.record({ kind: fc.nat(4), where: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255) });

function mutate(event: number[], mutations: readonly { kind: number; where: number; byte: number }[]): Uint8Array {
  let bytes = event;
  for (const { kind, where, byte } of mutations) {
    const at = Math.floor(where * bytes.length);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1) bytes = bytes.map((old, i) => (i === at ? byte : old));
    else if (kind === 2) bytes = [...bytes.slice(0, at), byte, ...bytes.slice(at)];
    else if (kind === 3) bytes = [...bytes.slice(0, at), ...bytes.slice(at + 1 + (byte & 3))];
    else bytes = [...bytes.slice(0, at), ...bytes.slice(at, at + byte), ...bytes.slice(at)];
  }
  return Uint8Array.from(bytes);
}

/** Half of the events stand alone in their buffer, half within a larger one, with bytes behind them. */
function placed(event: Uint8Array, seed: number): Uint8Array {
  if (seed % 2 === 0) return event;
  const room = new Uint8Array(event.length + 200).fill(seed);
  room.set(event, 100);
  return room.subarray(100, 100 + event.length);
}

describe(`decoder against protobufjs, seed=${SEED}`, () => {
  for (let index = 0; index < SCHEMAS; index++) {
    test(`schema ${index}`, () => {
      const world = createWorld(index);
      const seeds = { seed: SEED + index, numRuns: RUNS };
      const events = fc.nat();
      fc.assert(
        fc.property(events, (seed) =>
          agree(world, placed(Uint8Array.from(randomEvent(seeded(seed), world.type)), seed)),
        ),
        seeds,
      );
      fc.assert(
        fc.property(events, fc.array(mutation, { minLength: 1, maxLength: 3 }), (seed, mutations) =>
          agree(world, placed(mutate(randomEvent(seeded(seed), world.type), mutations), seed)),
        ),
        seeds,
      );
    });
  }

  afterAll(() => {
    console.log(`accepted=${counts.accepted} refused=${counts.refused}`);
  });
});
