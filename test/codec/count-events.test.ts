/** Refused frames are counted by a scan of their bytes; JSON.parse is the oracle. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameProto } from '../ingress/rig.ts';
import { ENCODINGS } from '../../native-free-core/encodings/index.ts';
import { createSeq } from '../../native-free-core/layout/seq.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const count = (text: string): number => ENCODINGS.json.frames.countEvents(bytes(text));

test('protobuf and NDJSON', () => {
  expect(ENCODINGS.protobuf.frames.countEvents(frameProto(1, 37))).toBe(37);
  expect(ENCODINGS.protobuf.frames.countEvents(new Uint8Array([18, 200]))).toBe(0);
  expect(ENCODINGS.ndjson.frames.countEvents(bytes('{"a":1}\r\n\n  \n{"b":2}\n{"c":3}'))).toBe(3);
});

test('JSON: frames, lists, single events, and what is none of these', () => {
  expect(count('{"seq":1,"events":[{},{"events":[1,2]},{}]}')).toBe(3);
  expect(count(' { "events" : [ ] } ')).toBe(0);
  expect(count('{"text":"\\"events\\":[1,2]","other":{"events":[1,2,3]},"events":["[,",{"a":"]"}]}')).toBe(2);
  expect(count('[1,[2,3],{"a":4}]')).toBe(3);
  expect(count('{"player_id":7}')).toBe(1);
  expect(count('{"player_id":"events"}')).toBe(1);
  for (const broken of ['', ' ', 'null', '17', '[1,2', '{"events":[{"a":1}', '"[1,2]"']) expect(count(broken)).toBe(0);
});

test('agrees with JSON.parse on anything', () => {
  const seed = 20261123;
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 6 }),
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.nat(2),
      (events, rest, indent) => {
        const { events: _events, ...others } = rest;
        expect(count(JSON.stringify({ ...others, events }, null, indent))).toBe(events.length);
        expect(count(JSON.stringify(events, null, indent))).toBe(events.length);
      },
    ),
    { seed, numRuns: 2000 },
  );
});

test('seq of a JSON frame, wherever it stands', () => {
  const seq = (text: string): bigint => {
    const out = createSeq();
    ENCODINGS.json.frames.findSeq(bytes(text), out);
    return (BigInt(out.high) << 32n) + BigInt(out.low);
  };
  for (const value of [0n, 7n, 4294967296n, 2n ** 53n - 1n, 2n ** 64n - 1n]) {
    expect(seq(`{"seq":"${value}","events":[]}`)).toBe(value);
    expect(seq(`{"events":[{"seq":3}], "seq" : ${value} }`)).toBe(value);
  }
  expect(seq('{"events":[]}')).toBe(0n);
  expect(seq('[1]')).toBe(0n);
});
