/**
 * JSON events: random events that protobufjs turned into JSON arrive in the columns as the bytes would have; what the JSON
 * mapping forbids is refused with the right reason; frames keep what was refused as it came.
 */

import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import {
  EVENT_INVALID_UTF8,
  EVENT_MALFORMED,
  EVENT_NUMBER_OUT_OF_RANGE,
  EVENT_WRONG_TYPE,
  FRAME_MALFORMED,
  FRAME_TOO_MANY_EVENTS,
} from '../../native-free-core/base/outcomes.ts';
import { compileDecoder } from '../../native-free-core/codec/decoder.ts';
import type { FrameEvents } from '../../native-free-core/codec/frame-events.ts';
import { transcodeText, transcodeJson, transcodeLines } from '../../native-free-core/codec/json/json-frame.ts';
import { resetColumn } from '../../native-free-core/layout/column.ts';
import { FRAME_EVENTS_MAX } from '../../native-free-core/layout/limits.ts';
import { seeded } from '../random.ts';
import { expectRow, readRow, watchTimestamps, type Row, type Value } from './oracle.ts';
import { columnsOf, parseProto, planOf, TestDictionary } from './plan-of.ts';
import { randomSchema } from './random-schema.ts';
import { randomEvent } from './random-wire.ts';

const SEED = Number(process.env['HUNT_FUZZ_SEED'] ?? 20260726);
const SCHEMAS = 12;

type Json = Record<string, unknown>;

function rfc3339(time: Json): string {
  const seconds = Number(time['seconds'] ?? 0);
  const digits = String(Number(time['nanos'] ?? 0)).padStart(9, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${digits}Z`;
}

/** The years that Date writes in four digits, and nanos as JSON can say them. */
function isWritable(time: Json): boolean {
  const seconds = Number(time['seconds'] ?? 0);
  const nanos = Number(time['nanos'] ?? 0);
  return seconds > -6e10 && seconds < 2.5e11 && nanos >= 0 && nanos < 1e9;
}

/** Timestamps, which protobufjs leaves as objects, become text; false where one cannot. */
function writeTimes(type: protobuf.Type, message: Json): boolean {
  for (const field of type.fieldsArray) {
    const inner = message[field.name];
    const below = field.resolve().resolvedType;
    if (inner === undefined || below === null || !('fieldsArray' in below)) continue;
    const list = (Array.isArray(inner) ? inner : [inner]) as Json[];
    if (below.name !== 'Timestamp') {
      if (!list.every((one) => writeTimes(below as protobuf.Type, one))) return false;
    } else {
      if (!list.every(isWritable)) return false;
      message[field.name] = Array.isArray(inner) ? list.map(rfc3339) : rfc3339(inner as Json);
    }
  }
  return true;
}

/** Event i as it came. */
function sourceOf({ source, sourceStarts, sourceEnds }: FrameEvents, i: number): string {
  return new TextDecoder().decode(source.slice(sourceStarts[i], sourceEnds[i]));
}

/** JSON has one zero. */
function withoutNegativeZero(value: Value): Value {
  if (typeof value === 'number') return value + 0;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutNegativeZero);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutNegativeZero(one)]));
}

describe(`JSON against protobufjs, seed=${SEED}`, () => {
  for (let index = 0; index < SCHEMAS; index++) {
    test(`schema ${index}`, () => {
      const root = parseProto(randomSchema(seeded(SEED + index), index));
      watchTimestamps(root);
      const type = root.lookupType('Event');
      const plan = planOf(type, type.oneofs?.['action'] === undefined ? {} : { typeOneof: 'action' });
      const columns = columnsOf(plan, 1);
      const dictionary = new TestDictionary();
      const decoder = compileDecoder(plan, columns, dictionary);
      let compared = 0;
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const bytes = Uint8Array.from(randomEvent(seeded(seed), type));
          const expected = expectRow(plan, type, bytes);
          if (expected === null) return;
          const object = type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: String, json: true });
          if (!writeTimes(type, object)) return;
          for (const column of columns) resetColumn(column, 1);
          const frame = transcodeText(plan, JSON.stringify([object]), transcodeJson);
          expect([frame.count, frame.outcomes[0], frame.unknown.count]).toEqual([1, 0, 0]);
          expect(decoder.decodeEvent(frame.bytes, frame.view, frame.starts[0], frame.ends[0], 0)).toBe(0);
          expect(readRow(columns, 0, dictionary)).toEqual(withoutNegativeZero(expected));
          compared++;
        }),
        { seed: SEED + index, numRuns: 300 },
      );
      expect(compared).toBeGreaterThan(30);
    });
  }
});

const proto = `syntax = "proto3"; import "google/protobuf/timestamp.proto";
message Event { uint64 player_id = 1; string user_name = 2; google.protobuf.Timestamp sent_at = 3; double lat = 4; repeated int32 xs = 5;
  map<string, sint32> counts = 6; float ratio = 7; bytes raw = 8; int64 big = 9; uint32 small = 10; bool lucky = 11; Color color = 12; Inner inner = 13;
  oneof action { Inner dig = 20; string chat = 21; } oneof other { int32 left = 22; int32 right = 23; } }
message Inner { int32 deep_value = 1; optional bool on = 2; }
enum Color { NONE = 0; RED = 1; }`;

const type = parseProto(proto).lookupType('Event');
const plan = planOf(type, { typeOneof: 'action' });
const columns = columnsOf(plan, 1);
const dictionary = new TestDictionary();
const decoder = compileDecoder(plan, columns, dictionary);

/** The columns that are not preset after one event, or why it was refused. */
function take(event: unknown): Row | number {
  for (const column of columns) resetColumn(column, 1);
  const empty = readRow(columns, 0, dictionary);
  const frame = transcodeText(plan, typeof event === 'string' ? event : JSON.stringify(event), transcodeJson);
  if (frame.count < 0) return frame.count;
  if (frame.outcomes[0] < 0) return frame.outcomes[0];
  const outcome = decoder.decodeEvent(frame.bytes, frame.view, frame.starts[0], frame.ends[0], 0);
  if (outcome < 0) return outcome;
  const row = readRow(columns, 0, dictionary);
  return Object.fromEntries(
    Object.entries(row).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(empty[name])),
  );
}

describe('the JSON mapping', () => {
  const accepted: [unknown, Row][] = [
    [{}, {}],
    [{ player_id: '18446744073709551615' }, { player_id: '18446744073709551615' }],
    [{ playerId: 12 }, { player_id: '12' }],
    [
      '{"player_id": 9007199254740993, "big": -9223372036854775808}',
      { player_id: '9007199254740993', big: '-9223372036854775808' },
    ],
    ['{"player_id": 18446744073709551615, "big": 1.0e3}', { player_id: '18446744073709551615', big: '1000' }],
    ['{"player_id": "1.20e1", "big": -0.5e1, "small": 12.0}', { player_id: '12', big: '-5', small: 12 }],
    [{ big: '-9223372036854775808' }, { big: '-9223372036854775808' }],
    [{ userName: 'ü🎉' }, { user_name: 'ü🎉' }],
    [{ user_name: null, lat: 1.5e3 }, { lat: 1500 }],
    [
      { lat: '-2.5e-1', ratio: 'Infinity' },
      { lat: -0.25, ratio: Infinity },
    ],
    [{ raw: '+/8=' }, { raw: 'fbff' }],
    [{ raw: '-_8' }, { raw: 'fbff' }],
    [{ color: 'RED' }, { color: 1 }],
    [{ color: -3 }, { color: -3 }],
    [{ xs: [1, '-2', 3] }, { xs: [1, -2, 3] }],
    [{ counts: { a: -1, b: 2 } }, { counts: { a: -1, b: 2 } }],
    [{ inner: { deepValue: 4, on: false } }, { inner_deep_value: 4, inner_on: 0 }],
    [{ dig: {} }, { $type: 1, dig_deep_value: 0 }],
    [
      { dig: null, chat: '' },
      { $type: 2, chat: '' },
    ],
    [{ sent_at: '1970-01-01T00:00:00Z' }, { sent_at: '0' }],
    [{ sentAt: '2026-07-26T14:00:00.1239999+02:00' }, { sent_at: '1785067200123' }],
    [{ sentAt: '1969-12-31T23:59:59.9999Z' }, { sent_at: '-1' }],
    [{ sentAt: '2024-02-29t00:00:00.0000000001-23:59' }, { sent_at: '1709251140000' }],
    [{ nobody: 1, lucky: true }, { lucky: 1 }],
  ];
  test.each(accepted)('%j', (event, row) => expect(take(event)).toEqual(row));

  const refused: [unknown, number][] = [
    [{ player_id: '' }, EVENT_WRONG_TYPE],
    [{ player_id: ' 1' }, EVENT_WRONG_TYPE],
    [{ player_id: 1.5 }, EVENT_WRONG_TYPE],
    [{ player_id: true }, EVENT_WRONG_TYPE],
    [{ player_id: -1 }, EVENT_NUMBER_OUT_OF_RANGE],
    [{ player_id: '18446744073709551616' }, EVENT_NUMBER_OUT_OF_RANGE],
    [{ player_id: '1'.repeat(1000) }, EVENT_NUMBER_OUT_OF_RANGE],
    ['{"lat": 1e999}', EVENT_NUMBER_OUT_OF_RANGE],
    [{ ratio: 1e39 }, EVENT_NUMBER_OUT_OF_RANGE],
    [{ lat: '' }, EVENT_WRONG_TYPE],
    [{ lat: '0x10' }, EVENT_WRONG_TYPE],
    [{ small: 4294967296 }, EVENT_NUMBER_OUT_OF_RANGE],
    [{ lucky: 1 }, EVENT_WRONG_TYPE],
    [{ lucky: 'true' }, EVENT_WRONG_TYPE],
    [{ user_name: 7 }, EVENT_WRONG_TYPE],
    ['{"user_name": "\\ud800"}', EVENT_INVALID_UTF8],
    [{ raw: 'a' }, EVENT_WRONG_TYPE],
    [{ raw: '****' }, EVENT_WRONG_TYPE],
    [{ raw: 'AA=' }, EVENT_WRONG_TYPE],
    [{ color: 'PINK' }, EVENT_WRONG_TYPE],
    [{ xs: 1 }, EVENT_WRONG_TYPE],
    [{ xs: [null] }, EVENT_WRONG_TYPE],
    [{ counts: [] }, EVENT_WRONG_TYPE],
    [{ counts: { a: null } }, EVENT_WRONG_TYPE],
    [{ inner: [] }, EVENT_WRONG_TYPE],
    [{ inner: { on: 0 } }, EVENT_WRONG_TYPE],
    [{ dig: {}, chat: 'x' }, EVENT_MALFORMED],
    [{ left: 1, right: 2 }, EVENT_MALFORMED],
    [{ sentAt: 1700000000000 }, EVENT_WRONG_TYPE],
    [{ sentAt: '2026-02-29T00:00:00Z' }, EVENT_WRONG_TYPE],
    [{ sentAt: '2026-07-26T24:00:00Z' }, EVENT_WRONG_TYPE],
    [{ sentAt: '2026-07-26T00:00:00' }, EVENT_WRONG_TYPE],
    [{ sentAt: '2026-07-26' }, EVENT_WRONG_TYPE],
    [{ sentAt: '0000-01-01T00:00:00Z' }, EVENT_NUMBER_OUT_OF_RANGE],
    [[7], EVENT_WRONG_TYPE],
    ['7', FRAME_MALFORMED],
    ['{', FRAME_MALFORMED],
    ['', FRAME_MALFORMED],
  ];
  test.each(refused)('%j is refused', (event, outcome) => expect(take(event)).toBe(outcome));
});

describe('JSON frames', () => {
  test('sequence number and events; what was refused stands there as it came', () => {
    const text =
      ' { "seq" : "18446744073709551615", "more": [{"events":[1]}], "events" : [ {"small":1} , {"user_name":"a\\"]}" ,"small":-1},7, {"x":{"y":[1]}} ] } ';
    const frame = transcodeText(plan, text, transcodeJson);
    expect([frame.count, frame.seq.low, frame.seq.high, frame.unknown.count]).toEqual([4, 4294967295, 4294967295, 2]);
    expect(Array.from(frame.outcomes.slice(0, 4))).toEqual([0, EVENT_NUMBER_OUT_OF_RANGE, EVENT_WRONG_TYPE, 0]);
    expect([0, 1, 2, 3].map((i) => sourceOf(frame, i))).toEqual([
      '{"small":1}',
      '{"user_name":"a\\"]}" ,"small":-1}',
      '7',
      '{"x":{"y":[1]}}',
    ]);
  });

  test('an array, one event, lines', () => {
    const array = transcodeText(plan, '[{"small":1},\n{"small":"x"}]', transcodeJson);
    expect([array.count, array.outcomes[1], sourceOf(array, 1)]).toEqual([2, EVENT_WRONG_TYPE, '{"small":"x"}']);
    const one = transcodeText(plan, '{"small":"x"}', transcodeJson);
    expect([one.count, one.outcomes[0], sourceOf(one, 0)]).toEqual([1, EVENT_WRONG_TYPE, '{"small":"x"}']);
    const lines = transcodeText(plan, '{"small":1}\r\n\n{"small":\n{"small":2}\n', transcodeLines);
    expect([lines.count, lines.outcomes[0], lines.outcomes[1], lines.outcomes[2]]).toEqual([3, 0, EVENT_MALFORMED, 0]);
    expect([sourceOf(lines, 0), sourceOf(lines, 1)]).toEqual(['{"small":1}', '{"small":']);
  });

  test('sequence numbers that are none, and too many events', () => {
    for (const seq of ['-1', '1.5', '"x"', '"01"', '"18446744073709551616"', '1e3', '{}', '[]']) {
      expect(transcodeText(plan, `{"seq":${seq},"events":[]}`, transcodeJson).count).toBe(FRAME_MALFORMED);
    }
    expect(transcodeText(plan, '{"seq":12,"events":[]}', transcodeJson)).toMatchObject({
      count: 0,
      seq: { low: 12, high: 0 },
    });
    const many = JSON.stringify(Array.from({ length: FRAME_EVENTS_MAX + 1 }, () => ({})));
    expect(transcodeText(plan, many, transcodeJson).count).toBe(FRAME_TOO_MANY_EVENTS);
    expect(transcodeText(plan, '{}\n'.repeat(FRAME_EVENTS_MAX + 1), transcodeLines).count).toBe(FRAME_TOO_MANY_EVENTS);
  });
});
