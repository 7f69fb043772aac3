/**
 * The reference of the aggregates is the one that their own files make. To write it anew:
 *
 *   UPDATE_GOLDEN=1 npx vitest run test/docs/aggregate-reference.test.ts
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { aggregateReference, BEGIN, END } from './aggregate-reference.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'pipeline.md');

test('docs/pipeline.md has the aggregates as they are', async () => {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  expect(begin).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(begin);
  const whole = text.slice(0, begin) + aggregateReference() + text.slice(end + END.length);
  const wanted = await format(whole, { ...(await resolveConfig(file)), filepath: file });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, wanted);
  else expect(text).toBe(wanted);
});
