/**
 * JSON as protobuf's own library writes and reads it (golden/make.py): what it writes arrives in the columns as its bytes
 * would, what it reads is read to the same values, and what it refuses is refused, but for what is listed here with its
 * reason.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compileDecoder } from '../../native-free-core/codec/decoder.ts';
import { transcodeText, transcodeLines } from '../../native-free-core/codec/json/json-frame.ts';
import { resetColumn } from '../../native-free-core/layout/column.ts';
import { compilePipeline } from '../../src/config/compile-pipeline.ts';
import { readRow, type Row } from './oracle.ts';
import { columnsOf, TestDictionary } from './plan-of.ts';

const golden = join(import.meta.dirname, 'golden');
const proto = readFileSync(join(golden, 'mapping.proto'), 'utf8');
const { written, read } = JSON.parse(readFileSync(join(golden, 'mapping.json'), 'utf8')) as {
  readonly written: readonly { readonly json: string; readonly bytes: string }[];
  readonly read: readonly { readonly json: string; readonly bytes: string | null }[];
};

const PIPELINE = `format: 1
pipeline: mapping
events: { proto: mapping.proto, message: t.v1.Ev, id: id, time: at }
entities: { e: { key: event.id, primary: true, max: 10, ttl: 1d } }
features: { e: { n: { agg: count } } }
decisions: { dd: { actions: [y, n], rules: [{ id: r, when: 'e.n > 1', then: y }], default: n } }
`;
const { plan } = compilePipeline('mapping.yaml', PIPELINE, (name) =>
  name === 'mapping.proto' ? { path: name, text: proto } : null,
);
const columns = columnsOf(plan, 1);
const dictionary = new TestDictionary();
const decoder = compileDecoder(plan, columns, dictionary);

function rowOf(bytes: Uint8Array, start = 0, end = bytes.length): Row | number {
  for (const column of columns) resetColumn(column, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const outcome = decoder.decodeEvent(bytes, view, start, end, 0);
  return outcome < 0 ? outcome : readRow(columns, 0, dictionary);
}

/** null: it is refused. */
function rowOfJson(text: string): Row | null {
  const frame = transcodeText(plan, text.replaceAll('\n', ' '), transcodeLines);
  if (frame.count !== 1 || frame.outcomes[0]! < 0) return null;
  const row = rowOf(frame.bytes, frame.starts[0], frame.ends[0]);
  return typeof row === 'number' ? null : row;
}

test('what the library writes arrives as its bytes would', () => {
  for (const { json, bytes } of written) {
    expect([json, rowOfJson(json)]).toEqual([json, rowOf(Buffer.from(bytes, 'hex'))]);
  }
  expect(written.length).toBeGreaterThan(90);
});

/** What the library takes although the mapping does not have it, and the engine refuses: it would guess what was meant. */
const APART = new Set([
  '{"i32":"+1"}',
  '{"d":"inf"}',
  '{"d":true}',
  '{"wd":true}',
  '{"color":1.5}',
  '{"color":true}',
  '{"took":"1.1234567891s"}',
  '{"took":"1.s"}',
  '{"wy":"?"}',
  '{"inner_one":[]}',
  '{"textValue":"a","text_value":"b"}',
  '[]',
]);

test.each(read.map(({ json, bytes }) => [json, bytes] as const))('%s', (json, bytes) => {
  const expected = bytes === null ? null : rowOf(Buffer.from(bytes, 'hex'));
  const row = rowOfJson(json);
  expect(row).toEqual(APART.has(json) ? null : expected);
});
