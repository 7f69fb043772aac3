/**
 * The classes of edits in docs/versions.md are the ones that deploy goes by. To write them anew:
 *
 *   UPDATE_GOLDEN=1 npx vitest run test/docs/edit-reference.test.ts
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { BEGIN, editReference, END } from './edit-reference.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'versions.md');

test('docs/versions.md has the classes of edits as they are', async () => {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  expect(begin).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(begin);
  const whole = text.slice(0, begin) + editReference() + text.slice(end + END.length);
  const wanted = await format(whole, { ...(await resolveConfig(file)), filepath: file });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, wanted);
  else expect(text).toBe(wanted);
});
