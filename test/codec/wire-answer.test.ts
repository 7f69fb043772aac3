/** Answers and hellos against protobufjs and the public contract; frames against protobufjs; numbers in decimal. */

import { join } from 'node:path';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import {
  EVENT_DUPLICATE,
  EVENT_NO_KEY,
  FRAME_MALFORMED,
  FRAME_SEQ_TOO_OLD,
  FRAME_TOO_MANY_EVENTS,
  outcomeText,
} from '../../native-free-core/base/outcomes.ts';
import { NO_PARTS, NO_WARNINGS, STATUS_DUPLICATE, STATUS_OK } from '../../native-free-core/codec/answer.ts';
import { countFrameEvents, createFrameCursor, readFrame, findFrameSeq } from '../../native-free-core/codec/frame.ts';
import {
  encodeHelloJson,
  encodeHelloProto,
  readAnswerProto,
  readHelloProto,
  type Hello,
} from '../../native-free-core/codec/messages.ts';
import { isUtf8, readUtf8, utf8Bytes, writeUtf8 } from '../../native-free-core/codec/utf8.ts';
import { writeDecimal } from '../../native-free-core/codec/wire-write.ts';
import { CREDIT_BYTES_MAX } from '../../native-free-core/encodings/encoding.ts';
import { ENCODINGS } from '../../native-free-core/encodings/index.ts';
import { FRAME_EVENTS_MAX } from '../../native-free-core/layout/limits.ts';
import { createSeq, seqNumber } from '../../native-free-core/layout/seq.ts';
import type { DecisionPlan, Plan } from '../../native-free-core/plan/plan.ts';
import { parseProto, planOf } from './plan-of.ts';

const SEED = Number(process.env['HUNT_FUZZ_SEED'] ?? 20260726);
const RUNS = { seed: SEED, numRuns: 500 };

const wire = protobuf.loadSync(join(import.meta.dirname, '..', '..', 'proto', 'hunt', 'v1', 'wire.proto'));
const AnswerType = wire.lookupType('hunt.v1.Answer');
const HelloType = wire.lookupType('hunt.v1.Hello');
const FrameType = wire.lookupType('hunt.v1.Frame');

const HIGH = 4294967296;
const AS_OBJECT = { longs: Number, defaults: true, arrays: true } as const;

function decisionPlan(name: string, actions: readonly string[]): DecisionPlan {
  return { name, where: null, actions, rules: [], default: 1, actionColumn: 0, ruleColumn: 0 };
}

const wide = Array.from({ length: 300 }, (_, i) => `action ${i} "ü"`);
const plan: Plan = {
  ...planOf(parseProto('syntax = "proto3"; message M { int32 a = 1; }').lookupType('M')),
  decisions: [
    decisionPlan('assistance', ['hint', 'continue']),
    decisionPlan('trust', ['allow', 'challenge']),
    decisionPlan('wide', wide),
  ],
};

/** Events of a block: rows with decisions, some refused, some known already. */
const block = fc
  .array(
    fc.record({
      outcome: fc.constantFrom(0, 0, 0, EVENT_NO_KEY, EVENT_DUPLICATE),
      codes: fc.tuple(fc.nat(2), fc.nat(2), fc.nat(300)),
    }),
    {
      maxLength: 300,
    },
  )
  .map((events) => {
    let rows = 0;
    const eventRow = Int32Array.from(events, ({ outcome }) => (outcome === 0 ? rows++ : -1));
    const eventOutcome = Int32Array.from(events, ({ outcome }) => outcome);
    const taken = events.filter(({ outcome }) => outcome === 0);
    const actions = [0, 1, 2].map((d) => Uint16Array.from(taken, ({ codes }) => codes[d]));
    return { events, eventRow, eventOutcome, actions };
  });

const proto = ENCODINGS.protobuf.answers;
const text = ENCODINGS.json.answers;
const common = { plan, status: STATUS_OK, parts: NO_PARTS, warnings: NO_WARNINGS };

const seqs = fc.constantFrom(0, 1, 127, 2 ** 32, 2 ** 40 + 7, 2 ** 53 - 1);

/** Without the fields that a rejection need not have. */
function withoutEmpty(rejections: readonly object[]): object[] {
  return rejections.map((one) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== '')));
}

describe(`answers, seed=${SEED}`, () => {
  test('protobuf answers are what the contract says', () => {
    fc.assert(
      fc.property(block, seqs, fc.nat(50), ({ events, eventRow, eventOutcome, actions }, seq, skipped) => {
        const first = Math.min(skipped, events.length);
        const count = events.length - first;
        const rejected = events.slice(first).filter(({ outcome }) => outcome < 0).length;
        const room = proto.answerBytesMax(count, plan) + rejected * proto.rejectionBytesMax;
        const out = new Uint8Array(room + 7);
        const end = proto.writeAnswer(out, 7, {
          ...common,
          seq: createSeq(seq),
          actions,
          eventRow,
          eventOutcome,
          first,
          count,
        });
        expect(end).toBeLessThanOrEqual(out.length);
        const answer = readAnswerProto(out.subarray(7, end))!;
        const decisions = events.slice(first).flatMap(({ outcome, codes }) => (outcome === 0 ? codes : [0, 0, 0]));
        const rejections = events
          .slice(first)
          .flatMap(({ outcome }, index) => (outcome === 0 ? [] : [{ index, ...outcomeText(outcome) }]));
        const rest = { warnings: [], retryAfterMs: 0, eventsInFlight: 0 };
        expect(answer).toEqual({ seq, status: 1, events: count, decisions, rejections, ...rest });
        const decoded = AnswerType.toObject(AnswerType.decode(out.subarray(7, end)), AS_OBJECT);
        expect({ ...decoded, rejections: withoutEmpty(decoded['rejections'] as object[]) }).toEqual(answer);
      }),
      RUNS,
    );
  });

  test('JSON answers name decisions and actions', () => {
    fc.assert(
      fc.property(block, seqs, ({ events, eventRow, eventOutcome, actions }, seq) => {
        const rejected = events.filter(({ outcome }) => outcome < 0).length;
        const out = new Uint8Array(text.answerBytesMax(events.length, plan) + rejected * text.rejectionBytesMax);
        const end = text.writeAnswer(out, 0, {
          ...common,
          seq: createSeq(seq),
          actions,
          eventRow,
          eventOutcome,
          first: 0,
          count: events.length,
        });
        expect(end).toBeLessThanOrEqual(out.length);
        const decisions = events.map(({ outcome, codes }) =>
          outcome < 0
            ? null
            : Object.fromEntries(
                plan.decisions.map((d, i) => [d.name, codes[i] === 0 ? null : d.actions[codes[i] - 1]]),
              ),
        );
        const rejections = events.flatMap(({ outcome }, index) =>
          outcome === 0 ? [] : [{ index, ...outcomeText(outcome) }],
        );
        expect(JSON.parse(Buffer.from(out.subarray(0, end)).toString('utf8'))).toEqual({
          seq: String(seq),
          status: 'OK',
          events: events.length,
          decisions,
          rejections,
        });
      }),
      RUNS,
    );
  });

  test('frames that are refused or to be sent again', () => {
    const out = new Uint8Array(400);
    const rejected = readAnswerProto(
      out.subarray(0, proto.writeRejectedFrame(out, 0, createSeq(12), proto.rejections[-FRAME_SEQ_TOO_OLD]!)),
    );
    const rejections = [{ index: 0, ...outcomeText(FRAME_SEQ_TOO_OLD) }];
    expect(rejected).toEqual({
      seq: 12,
      status: 3,
      events: 0,
      decisions: [],
      rejections,
      warnings: [],
      retryAfterMs: 0,
      eventsInFlight: 0,
    });
    const retry = readAnswerProto(out.subarray(0, proto.writeRetry(out, 0, { low: 5, high: 1 }, 250)));
    expect(retry).toEqual({
      seq: 5 + HIGH,
      status: 4,
      events: 0,
      decisions: [],
      rejections: [],
      warnings: [],
      retryAfterMs: 250,
      eventsInFlight: 0,
    });
    const json = (end: number): unknown => JSON.parse(Buffer.from(out.subarray(0, end)).toString('utf8'));
    expect(json(text.writeRejectedFrame(out, 0, createSeq(12), text.rejections[-FRAME_SEQ_TOO_OLD]!))).toEqual({
      seq: '12',
      status: 'REJECTED',
      events: 0,
      decisions: [],
      rejections,
    });
    expect(json(text.writeRetry(out, 0, createSeq(5), 250))).toEqual({
      seq: '5',
      status: 'RETRY',
      events: 0,
      retryAfterMs: 250,
    });
  });

  test('a credit is added to an answer that stands there already', () => {
    const out = new Uint8Array(400);
    const written = proto.writeRetry(out, 0, createSeq(5), 250);
    const end = proto.addCredit(out, written, 65_536);
    expect(end - written).toBeLessThanOrEqual(CREDIT_BYTES_MAX);
    const retry = { seq: 5, status: 4, retryAfterMs: 250, eventsInFlight: 65_536 };
    expect(readAnswerProto(out.subarray(0, end))).toMatchObject(retry);
    expect(AnswerType.toObject(AnswerType.decode(out.subarray(0, end)), AS_OBJECT)).toMatchObject(retry);
    const before = text.writeRetry(out, 0, createSeq(5), 250);
    const textEnd = text.addCredit(out, before, 65_536);
    expect(textEnd - before).toBeLessThanOrEqual(CREDIT_BYTES_MAX);
    const json: unknown = JSON.parse(Buffer.from(out.subarray(0, textEnd)).toString('utf8'));
    expect(json).toEqual({ seq: '5', status: 'RETRY', events: 0, retryAfterMs: 250, eventsInFlight: 65_536 });
  });

  test('an answer given again says so', () => {
    const out = new Uint8Array(400);
    const rows = Int32Array.of(0);
    const actions = [Uint16Array.of(1), Uint16Array.of(2), Uint16Array.of(0)];
    const again = {
      ...common,
      seq: createSeq(12),
      status: STATUS_DUPLICATE,
      actions,
      eventRow: rows,
      eventOutcome: Int32Array.of(0),
      first: 0,
      count: 1,
    };
    const end = proto.writeAnswer(out, 0, again);
    expect(readAnswerProto(out.subarray(0, end))).toMatchObject({
      seq: 12,
      status: STATUS_DUPLICATE,
      decisions: [1, 2, 0],
    });
    const textEnd = text.writeAnswer(out, 0, again);
    expect(JSON.parse(Buffer.from(out.subarray(0, textEnd)).toString('utf8'))).toMatchObject({
      seq: '12',
      status: 'DUPLICATE',
    });
  });

  test('hellos go there and back, and protobufjs reads them', () => {
    const hello: Hello = {
      pipeline: 'treasure-hunt',
      pipelineVersion: 'abc',
      decisions: [
        { name: 'assistance', actions: ['hint', 'continue'] },
        { name: 'none', actions: [] },
      ],
      framesInFlight: 256,
      frameBytesMax: 1 << 20,
      frameEventsMax: 8192,
      highestSeq: 2 ** 52 + 1,
      eventsInFlight: 6144,
    };
    expect(readHelloProto(encodeHelloProto(hello))).toEqual(hello);
    expect(readHelloProto(HelloType.encode(HelloType.fromObject(hello)).finish())).toEqual(hello);
    expect(HelloType.toObject(HelloType.decode(encodeHelloProto(hello)), AS_OBJECT)).toEqual(hello);
    expect(JSON.parse(Buffer.from(encodeHelloJson(hello)).toString('utf8'))).toEqual({
      ...hello,
      highestSeq: String(hello.highestSeq),
    });
    expect(readAnswerProto(Uint8Array.of(0x22, 5, 1))).toBeNull();
    expect(readHelloProto(Uint8Array.of(0x0a))).toBeNull();
  });

  test('64-bit integers in decimal, and text as UTF-8', () => {
    const out = new Uint8Array(64);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const end = writeDecimal(out, 0, Number(value & 0xffffffffn), Number(value >> 32n));
        expect(Buffer.from(out.subarray(0, end)).toString('latin1')).toBe(String(value));
      }),
      {
        ...RUNS,
        examples: [[0n], [999999999n], [1000000000n], [2n ** 32n], [2n ** 64n - 1n], [10n ** 18n], [10n ** 19n]],
      },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        const bytes = Buffer.from(text, 'utf8');
        const written = new Uint8Array(bytes.length);
        expect(utf8Bytes(text)).toBe(bytes.length);
        expect(writeUtf8(written, 0, text)).toBe(bytes.length);
        expect(Buffer.from(written)).toEqual(bytes);
        expect(readUtf8(written, 0, written.length)).toBe(bytes.toString('utf8'));
      }),
      RUNS,
    );
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            0x41,
            0x80,
            0x8f,
            0x90,
            0x9f,
            0xa0,
            0xbf,
            0xc0,
            0xc2,
            0xdf,
            0xe0,
            0xed,
            0xef,
            0xf0,
            0xf4,
            0xf5,
            0xff,
          ),
          { maxLength: 5 },
        ),
        (list) => {
          const bytes = Uint8Array.from(list);
          let valid = true;
          try {
            strict.decode(bytes);
          } catch {
            valid = false;
          }
          expect(isUtf8(bytes, 0, bytes.length)).toBe(valid);
        },
      ),
      { seed: SEED, numRuns: 20000 },
    );
  });
});

describe('frames', () => {
  const cursor = createFrameCursor();
  const seq = createSeq();
  const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

  test('events and sequence number, as protobufjs reads them', () => {
    fc.assert(
      fc.property(seqs, fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 30 }), (number, events) => {
        const bytes = FrameType.encode(FrameType.fromObject({ seq: number, events })).finish();
        expect(readFrame(bytes, viewOf(bytes), 0, bytes.length, cursor)).toBe(events.length);
        events.forEach((event, i) =>
          expect(Buffer.from(bytes.slice(cursor.starts[i], cursor.ends[i]))).toEqual(Buffer.from(event)),
        );
        findFrameSeq(bytes, 0, bytes.length, seq);
        expect([seqNumber(cursor.seq), seqNumber(seq)]).toEqual([number, number]);
        expect(countFrameEvents(bytes, 0, bytes.length)).toBe(events.length);
      }),
      RUNS,
    );
  });

  test('mutated frames are refused together', () => {
    const mutated = fc
      .tuple(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 }), fc.nat(200), fc.nat(255), fc.boolean())
      .map(([events, at, byte, cut]) => {
        const bytes = Uint8Array.from(FrameType.encode(FrameType.fromObject({ seq: 77, events })).finish());
        bytes[at % bytes.length] = byte;
        return cut ? bytes.slice(0, at % (bytes.length + 1)) : bytes;
      });
    fc.assert(
      fc.property(mutated, (bytes) => {
        const count = readFrame(bytes, viewOf(bytes), 0, bytes.length, cursor);
        let expected: number;
        try {
          expected = (FrameType.decode(bytes) as unknown as { events: unknown[] }).events.length;
        } catch {
          expected = FRAME_MALFORMED;
        }
        // We refuse two spellings that protobufjs takes: a second seq, and tags longer than needed.
        if (count !== FRAME_MALFORMED) expect(count).toBe(expected);
        findFrameSeq(bytes, 0, bytes.length, seq);
        if (count >= 0) expect(seq).toEqual(cursor.seq);
        if (count !== FRAME_MALFORMED) expect(countFrameEvents(bytes, 0, bytes.length)).toBe(count);
      }),
      { seed: SEED, numRuns: 20000 },
    );
  });

  test('bounds', () => {
    const full = Uint8Array.from({ length: 2 * FRAME_EVENTS_MAX }, (_, i) => (i % 2 === 0 ? 0x12 : 0));
    expect(readFrame(full, viewOf(full), 0, full.length, cursor)).toBe(FRAME_EVENTS_MAX);
    const over = Uint8Array.from({ length: 2 * FRAME_EVENTS_MAX + 2 }, (_, i) => (i % 2 === 0 ? 0x12 : 0));
    expect(readFrame(over, viewOf(over), 0, over.length, cursor)).toBe(FRAME_TOO_MANY_EVENTS);
    const twice = Uint8Array.of(9, 1, 0, 0, 0, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 0, 0, 0);
    expect(readFrame(twice, viewOf(twice), 0, twice.length, cursor)).toBe(FRAME_MALFORMED);
    expect(readFrame(twice, viewOf(twice), 0, 0, cursor)).toBe(0);
  });
});
