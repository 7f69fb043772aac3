/** Limits of the decoder, and what a refused event leaves behind: nothing. */

import { describe, expect, test } from 'vitest';
import {
  EVENT_DICTIONARY_FULL,
  EVENT_INVALID_UTF8,
  EVENT_LIST_TOO_LONG,
  EVENT_MALFORMED,
  EVENT_NESTED_TOO_DEEP,
  EVENT_STRING_TOO_LONG,
} from '../../native-free-core/base/outcomes.ts';
import { compileDecoder } from '../../native-free-core/codec/decoder.ts';
import { LIST_ELEMENTS_MAX, NESTING_MAX, STRING_BYTES_MAX } from '../../native-free-core/layout/limits.ts';
import { readRow } from './oracle.ts';
import { columnsOf, parseProto, planOf, TestDictionary } from './plan-of.ts';

const root = parseProto(`syntax = "proto3"; import "google/protobuf/timestamp.proto";
message Event { string id = 1; bytes raw = 2; repeated uint32 xs = 3; repeated string words = 4; map<string, string> tags = 5; string place = 6;
  google.protobuf.Timestamp at = 7; oneof action { Dig dig = 10; string chat = 11; } }
message Dig { int32 depth = 1; repeated string finds = 2; string tool = 3; google.protobuf.Timestamp since = 4; }`);
const type = root.lookupType('Event');

function createWorld() {
  const plan = planOf(type, { typeOneof: 'action', dictionary: (path) => path === 'place' });
  const columns = columnsOf(plan, 64);
  const dictionary = new TestDictionary(4);
  const decoder = compileDecoder(plan, columns, dictionary);
  const decode = (bytes: Uint8Array, row: number): number =>
    decoder.decodeEvent(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length, row);
  const column = (name: string) => columns[plan.columns.findIndex((one) => one.name === name)];
  return { decoder, decode, column, row: (row: number) => readRow(columns, row, dictionary) };
}

function encode(event: object): Uint8Array {
  return type.encode(type.fromObject(event)).finish();
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('limits', () => {
  test('strings and bytes', () => {
    const { decode, decoder } = createWorld();
    expect(decode(encode({ id: 'x'.repeat(STRING_BYTES_MAX), raw: new Uint8Array(STRING_BYTES_MAX) }), 0)).toBe(0);
    expect(decode(encode({ id: 'x'.repeat(STRING_BYTES_MAX + 1) }), 1)).toBe(EVENT_STRING_TOO_LONG);
    decoder.clearRow(1);
    expect(decode(encode({ tags: { a: 'x'.repeat(STRING_BYTES_MAX + 1) } }), 1)).toBe(EVENT_STRING_TOO_LONG);
  });

  test('lists, packed or not, and maps', () => {
    const { decode, decoder } = createWorld();
    const most = numbers(LIST_ELEMENTS_MAX);
    expect(
      decode(
        encode({ xs: most, words: most.map(String), tags: Object.fromEntries(most.map((n) => [`k${n}`, ''])) }),
        0,
      ),
    ).toBe(0);
    const over = [
      encode({ xs: numbers(LIST_ELEMENTS_MAX + 1) }),
      join(encode({ xs: most }), encode({ xs: [1] })),
      join(encode({ xs: most }), Uint8Array.of(0x18, 1)),
      encode({ words: numbers(LIST_ELEMENTS_MAX + 1).map(String) }),
      encode({ tags: Object.fromEntries(numbers(LIST_ELEMENTS_MAX + 1).map((n) => [`k${n}`, ''])) }),
    ];
    for (const event of over) {
      expect(decode(event, 1)).toBe(EVENT_LIST_TOO_LONG);
      decoder.clearRow(1);
    }
  });

  test('groups within unknown fields', () => {
    const { decode, decoder } = createWorld();
    const group = (depth: number): Uint8Array =>
      join(new Uint8Array(depth).fill(0xa3), new Uint8Array(depth).fill(0xa4));
    const spread = (depth: number): Uint8Array => Uint8Array.from([...group(depth)].flatMap((byte) => [byte, 1]));
    expect(decode(spread(NESTING_MAX), 0)).toBe(0);
    expect(decoder.unknownFields).toBe(1);
    expect(decode(spread(NESTING_MAX + 1), 0)).toBe(EVENT_NESTED_TOO_DEEP);
    expect(decode(Uint8Array.of(0xa3, 1), 0)).toBe(EVENT_MALFORMED);
    expect(decode(Uint8Array.of(0xa4, 1), 0)).toBe(EVENT_MALFORMED);
  });

  test('a full dictionary refuses new strings and keeps the known ones', () => {
    const { decode, decoder, row } = createWorld();
    for (const [i, place] of ['a', 'b', 'c'].entries()) expect(decode(encode({ place }), i)).toBe(0);
    expect(decode(encode({ place: 'd' }), 3)).toBe(EVENT_DICTIONARY_FULL);
    decoder.clearRow(3);
    expect(decode(encode({ place: 'b' }), 3)).toBe(0);
    expect(row(3)['place']).toBe('b');
  });
});

describe('one row', () => {
  test('an event refused halfway leaves neither values nor bytes in the heaps', () => {
    const { decode, decoder, column, row } = createWorld();
    const good = {
      id: 'good',
      words: ['a', 'bc'],
      tags: { k: 'v' },
      dig: { depth: 1, finds: ['gold'], tool: 'spade' },
    };
    expect(decode(encode(good), 0)).toBe(0);
    const heaps = (): number[] => [
      column('id').heapEnd,
      column('words').elements!.heapEnd,
      column('tags').keys!.heapEnd,
      column('tags').elements!.heapEnd,
      column('dig_finds').elements!.heapEnd,
      column('dig_tool').heapEnd,
    ];
    const before = [heaps(), row(0)];
    const bad = join(encode({ ...good, id: 'bad', place: 'x' }), Uint8Array.of(0x22, 2, 0xc3, 0x28));
    expect(decode(bad, 1)).toBe(EVENT_INVALID_UTF8);
    decoder.clearRow(1);
    expect([heaps(), row(0)]).toEqual(before);
    expect(row(1)).toEqual(createWorld().row(1));
  });

  test('the last member of the oneof wins, and what it merges with is only what came after', () => {
    const { decode, column, row } = createWorld();
    const first = encode({ dig: { depth: 7, finds: ['a'], tool: 'old', since: { seconds: 5, nanos: 1 } } });
    const chat = encode({ chat: 'hello' });
    const again = encode({ dig: { finds: ['b'], since: { nanos: 2e6 } } });
    expect(decode(join(first, again), 0)).toBe(0);
    expect(row(0)).toMatchObject({
      $type: 1,
      dig_depth: 7,
      dig_finds: ['a', 'b'],
      dig_tool: 'old',
      dig_since: '5002',
      chat: null,
    });
    expect(decode(join(first, chat), 1)).toBe(0);
    expect(row(1)).toMatchObject({
      $type: 2,
      dig_depth: null,
      dig_finds: [],
      dig_tool: null,
      dig_since: null,
      chat: 'hello',
    });
    expect(decode(join(first, chat, again), 2)).toBe(0);
    expect(row(2)).toMatchObject({
      $type: 1,
      dig_depth: 0,
      dig_finds: ['b'],
      dig_tool: '',
      dig_since: '2',
      chat: null,
    });
    expect(column('chat').heapEnd).toBe('hello'.length + 1);
  });

  test('a map keeps the last entry of each key, however many there are', () => {
    const { decode, column, row } = createWorld();
    const entries = numbers(LIST_ELEMENTS_MAX).map((n) => encode({ tags: { [`k${n % 1000}`]: `v${n}` } }));
    expect(decode(join(...entries), 0)).toBe(0);
    const tags = Object.fromEntries(numbers(LIST_ELEMENTS_MAX).map((n) => [`k${n % 1000}`, `v${n}`]));
    expect(row(0)['tags']).toEqual(tags);
    expect(column('tags').counts[0]).toBe(1000);
    expect(decode(encode({ tags: { a: 'b' } }), 1)).toBe(0);
    expect(row(1)['tags']).toEqual({ a: 'b' });
  });

  test('times are floored to milliseconds', () => {
    const { decode, row } = createWorld();
    const cases: [object, string][] = [
      [{ seconds: 1700000000, nanos: 999999999 }, '1700000000999'],
      [{ seconds: -1, nanos: 999999999 }, '-1'],
      [{ seconds: -1, nanos: 1 }, '-1000'],
      [{}, '0'],
      [{ seconds: 253402300799, nanos: 999999999 }, '253402300799999'],
    ];
    cases.forEach(([at, milliseconds], i) => {
      expect(decode(encode({ at }), i)).toBe(0);
      expect(row(i)['at']).toBe(milliseconds);
    });
  });
});
