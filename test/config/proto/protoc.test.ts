/** The reading of .proto files against protoc: the same files are refused, and the others mean the same. */

import { describe, expect, test } from 'vitest';
import { loadProto, ProtoProblem } from '../../../src/config/proto/index.ts';
import { seeded } from '../../random.ts';
import { readerOf } from '../pipelines.ts';
import { describedByProtoc, describeMessages, hasProtoc, type Described } from './protoc.ts';
import { oddFiles, randomFiles } from './random-files.ts';

const SEED = Number(process.env['HUNT_SEED'] ?? 11);
const ACCEPTED_MIN = 200;

function described(files: ReadonlyMap<string, string>): Described | string {
  try {
    const read = readerOf(Object.fromEntries(files));
    return describeMessages(loadProto('a.proto', read).messages);
  } catch (error) {
    if (!(error instanceof ProtoProblem)) throw error;
    for (const line of error.lines) expect(line).toMatch(/^[abc]\.proto:\d+:\d+ /);
    return error.message;
  }
}

/** Gives whether both accept. */
function compare(files: ReadonlyMap<string, string>, what: string): boolean {
  const expected = describedByProtoc(files);
  const actual = described(files);
  const text = `${what}\n${[...files].map(([name, body]) => `--- ${name}\n${body}`).join('')}`;
  if (typeof expected === 'string' || typeof actual === 'string') {
    const both = `protoc: ${JSON.stringify(expected)}\nhere: ${JSON.stringify(actual)}\n${text}`;
    expect(`${typeof actual}`, both).toBe(typeof expected);
    return false;
  }
  expect(actual, text).toEqual(expected);
  return true;
}

test.runIf(process.env['CI'] === 'true')('protoc is there', () => {
  expect(hasProtoc, 'install protobuf-compiler').toBe(true);
});

describe.skipIf(!hasProtoc)('as protoc (skipped without protobuf-compiler)', () => {
  test(`${ACCEPTED_MIN} random schemas and those that protoc refuses, seed=${SEED}`, () => {
    const random = seeded(SEED);
    let accepted = 0;
    let refused = 0;
    for (let i = 0; accepted < ACCEPTED_MIN; i++) {
      if (compare(randomFiles(random), `seed=${SEED} schema=${i}`)) accepted++;
      else refused++;
    }
    expect(refused).toBeGreaterThan(20);
  });

  test.each(oddFiles())('$oddity', ({ files, oddity, stricter }) => {
    if (!stricter) compare(files, oddity);
    else expect([typeof described(files), typeof describedByProtoc(files)], oddity).toEqual(['string', 'object']);
  });
});
