/**
 * What is refused says which field, which value and where, and nothing that is given is dropped without a word: JSON events
 * one by one, frames that are none, and events mutated at random, which must never end the reader nor be refused without a
 * field.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { outcomeText } from '../../native-free-core/base/outcomes.ts';
import { transcodeText, transcodeJson, transcodeLines } from '../../native-free-core/codec/json/json-frame.ts';
import { walkMessage } from '../../native-free-core/codec/walk-event.ts';
import { walkFrame } from '../../native-free-core/codec/walk-frame.ts';
import { parseProto, planOf } from './plan-of.ts';

const SEED = Number(process.env['HUNT_FUZZ_SEED'] ?? 20260726);

const proto = `syntax = "proto3"; import "google/protobuf/timestamp.proto";
message Event { uint64 player_id = 1; string user_name = 2; google.protobuf.Timestamp sent_at = 3; double lat = 4; repeated int32 xs = 5;
  map<string, sint32> counts = 6; bytes raw = 8; uint32 small = 10; Color color = 12; Login login = 13;
  oneof action { Login dig = 20; string chat = 21; } }
message Login { bool success = 1; string way = 2; }
enum Color { NONE = 0; RED = 1; }`;
const plan = planOf(parseProto(proto).lookupType('Event'), { typeOneof: 'action' });

function refusal(event: unknown): [string, string, string, string] {
  const frame = transcodeText(plan, typeof event === 'string' ? event : JSON.stringify([event]), transcodeJson);
  const { field, value, text } = frame.details.get(0)!;
  return [outcomeText(frame.outcomes[0]!).code, field, value, text];
}

describe('a refused JSON event', () => {
  test.each([
    [{ login: { success: 'yes' } }, 'wrong_type', 'login.success', '"yes"', 'login.success: expected bool, got "yes"'],
    [
      { small: 4294967296 },
      'out_of_range',
      'small',
      '4294967296',
      'small: expected uint32 in its range, got 4294967296',
    ],
    [{ playerId: -1 }, 'out_of_range', 'player_id', '-1', 'player_id: expected uint64 in its range, got -1'],
    [{ color: 'PINK' }, 'wrong_type', 'color', '"PINK"', 'color: expected one of NONE, RED, or a number, got "PINK"'],
    [{ xs: [1, 2, 'x'] }, 'wrong_type', 'xs[2]', '"x"', 'xs[2]: expected int32, got "x"'],
    [{ xs: { a: 1 } }, 'wrong_type', 'xs', '{"a":1}', 'xs: expected a list of int32, got {"a":1}'],
    [{ counts: { 'a"b': 1.5 } }, 'wrong_type', 'counts["a\\"b"]', '1.5', 'counts["a\\"b"]: expected sint32, got 1.5'],
    [
      { sentAt: 'yesterday' },
      'wrong_type',
      'sent_at',
      '"yesterday"',
      'sent_at: expected a time such as "2026-01-31T12:00:00Z", got "yesterday"',
    ],
    [{ login: [] }, 'wrong_type', 'login', '[]', 'login: expected an object, got []'],
    [{ raw: '***' }, 'wrong_type', 'raw', '"***"', 'raw: expected bytes in base64, got "***"'],
    [
      { user_name: ['a'.repeat(500)] },
      'wrong_type',
      'user_name',
      `["${'a'.repeat(58)}…`,
      `user_name: expected string, got ["${'a'.repeat(58)}…`,
    ],
    [{ dig: {}, chat: 'x' }, 'malformed', 'chat', '"x"', 'chat: another event type is given, too'],
    ['[{"small":1,"small":2}]', 'repeated_field', 'small', '2', 'small: the field is given twice'],
    ['[{"player_id":1,"playerId":2}]', 'repeated_field', 'player_id', '2', 'player_id: the field is given twice'],
    [
      '[{"user_name":"a\\ud800b"}]',
      'invalid_utf8',
      'user_name',
      '"a\\ud800b"',
      'user_name: expected text in UTF-8, got "a\\ud800b"',
    ],
    ['[7]', 'wrong_type', '', '7', 'expected an object, got 7'],
  ])('%j', (event, ...expected) => expect(refusal(event)).toEqual(expected));

  test('a line that is not JSON says at which byte', () => {
    const frame = transcodeText(plan, '{"small":1}\n{"small":}\n{"small":2} x\n', transcodeLines);
    expect([1, 2].map((i) => frame.details.get(i)?.text)).toEqual([
      'not JSON: expected a value at byte 9, got }',
      'not JSON: expected the end of the line at byte 12, got x',
    ]);
  });

  test('bytes that are not UTF-8 refuse their event alone', () => {
    const text = Buffer.from('[{"user_name":"a?b"},{"small":1}]');
    text[text.indexOf('?')] = 0xff;
    const frame = transcodeJson(plan, text, 0, text.length);
    expect([frame.count, frame.outcomes[1], frame.details.get(0)?.field]).toEqual([2, 0, 'user_name']);
  });
});

describe('a frame that is none says why', () => {
  test.each([
    ['{"evnts": [{"small": 1}]}', 'evnts', /no such field: evnts; did you mean events\?/],
    ['{"seq": true, "events": []}', 'seq', /^seq: expected a number from 1 .*, got true/],
    ['{"seq": 1, "seq": 2, "events": []}', 'seq', /given twice/],
    ['{"events": {"small": 1}}', 'events', /^events: expected a list of events, got \{"small": 1\}/],
    ['{"events": [{"small":1}, ]}', '', /not JSON: expected a value at byte 25, got \]|expected an object/],
    ['{"small":1}\n{"small":2}', '', /at byte 12, got \{$/],
    ['', '', /the body is empty/],
    ['"x"', '', /expected an event, a list of events or a frame, got "x"/],
  ])('%s', (text, field, expected) => {
    const { problem } = transcodeText(plan, text, transcodeJson);
    expect([problem?.field, problem?.text]).toEqual([field, expect.stringMatching(expected)]);
  });

  test.each([
    [[0x12, 5, 1], 'events', /goes beyond the end of the frame, at byte 0 of 3/],
    [[9, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0], 'seq', /given twice, at byte 9/],
    [[...Buffer.from('{"events":[]}')], '', /it begins with \{"events":\[\]: JSON is sent as application\/json/],
  ])('protobuf %j', (bytes, field, expected) => {
    const problem = walkFrame(Uint8Array.from(bytes), 0, bytes.length, null);
    expect([problem?.field, problem?.text]).toEqual([field, expect.stringMatching(expected)]);
  });
});

test('a dictionary that is full names the text that found no room', () => {
  const event = [0x12, 2, 0x41, 0x42];
  const walk = {
    bytes: Uint8Array.from(event),
    begin: 0,
    policy: 'warn' as const,
    unknown: null,
    isInDictionary: () => false,
  };
  expect(walkMessage(walk, plan.message, '', 0, event.length)).toMatchObject({ field: 'user_name', value: '"AB"' });
});

describe('unknown fields', () => {
  const text = '{"seq":1,"x":0,"events":[{"smal":1},{"login":{"sucess":true}},{"smal":[{"a":"\\n"}]}]}';

  test('warn: named with what was most likely meant', () => {
    const { unknown, count } = transcodeText(plan, text, transcodeJson);
    expect([count, unknown.count]).toEqual([3, 4]);
    expect([...unknown.names]).toEqual([
      ['smal', { count: 2, meant: 'small' }],
      ['login.sucess', { count: 1, meant: 'login.success' }],
      ['x', { count: 1, meant: '' }],
    ]);
  });

  test('reject: the event is refused by name, and a key beside events refuses the frame', () => {
    const strict = { ...plan, unknownFields: 'reject' as const };
    const frame = transcodeText(strict, text.replace('"x":0,', ''), transcodeJson);
    expect([0, 1, 2].map((i) => [outcomeText(frame.outcomes[i]!).code, frame.details.get(i)?.text])).toEqual([
      ['unknown_field', 'no such field: smal; did you mean small?'],
      ['unknown_field', 'no such field: login.sucess; did you mean login.success?'],
      ['unknown_field', 'no such field: smal; did you mean small?'],
    ]);
    expect(transcodeText(strict, text, transcodeJson).problem?.field).toBe('x');
  });

  test('ignore: counted only; names are bounded', () => {
    const quiet = transcodeText({ ...plan, unknownFields: 'ignore' }, text, transcodeJson).unknown;
    expect([quiet.count, quiet.names.size]).toEqual([3, 0]);
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${'k'.repeat(200)}${i}`, i]));
    const { unknown } = transcodeText(plan, JSON.stringify([many]), transcodeJson);
    expect(unknown.count).toBe(100);
    expect(unknown.names.size).toBeLessThanOrEqual(8);
    for (const name of unknown.names.keys()) expect(name.length).toBeLessThanOrEqual(61);
  });
});

const VALID =
  '{"player_id":"12","userName":"a\\u00e9\\n","sent_at":"2026-07-26T12:00:00.5Z","lat":-1.5e3,"xs":[1,"2"],' +
  '"counts":{"a":1},"raw":"+/8=","small":7,"color":"RED","login":{"success":true,"way":"x"},"chat":"hello"}';
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '1',
  '-',
  '.',
  'e9',
  'null',
  'true',
  '"x"',
  '\u0000',
  'ÿ',
  '9'.repeat(30),
  '{"a":[',
  '\\u',
];

describe(`events mutated at random, seed=${SEED}`, () => {
  test('never end the reader; what is refused names a field or a byte', () => {
    let refused = 0;
    const mutation = fc.record({ at: fc.nat(VALID.length), cut: fc.nat(12), piece: fc.constantFrom('', ...PIECES) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        const event = mutations.reduce(
          (text, { at, cut, piece }) => text.slice(0, at) + piece + text.slice(at + cut),
          VALID,
        );
        const frame = transcodeText(plan, event.replaceAll('\n', ' '), transcodeLines);
        for (let i = 0; i < frame.count; i++) {
          const detail = frame.details.get(i);
          expect(detail !== undefined).toBe(frame.outcomes[i]! < 0);
          if (detail === undefined) continue;
          refused++;
          expect(detail.field !== '' || /at byte \d+|expected an object/.test(detail.text)).toBe(true);
          expect(detail.text.length).toBeLessThan(400);
        }
        const whole = transcodeText(plan, `[${event}]`, transcodeJson);
        if (whole.count < 0) expect(whole.problem?.text).toMatch(/at byte \d+/);
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(refused).toBeGreaterThan(2000);
  });

  test('what JSON.parse takes is taken, and what it refuses is refused', () => {
    const json = fc.oneof(
      fc.json(),
      fc.string(),
      fc.json().map((text) => text.slice(1)),
      fc.constantFrom(...PIECES),
    );
    fc.assert(
      fc.property(json, (value) => {
        const text = `[{"zz":${value}}]`;
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect([text, transcodeText(plan, text, transcodeJson).count >= 0]).toEqual([text, isJson]);
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });
});
