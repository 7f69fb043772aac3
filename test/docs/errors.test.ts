/**
 * docs/errors.md is made from the lists of codes. `UPDATE_GOLDEN=1 npx vitest run test/docs/errors.test.ts` writes it anew.
 */

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../native-free-core/base/error-codes.ts';
import { INVARIANTS } from '../../native-free-core/base/invariants.ts';
import * as outcomes from '../../native-free-core/base/outcomes.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'docs/errors.md');

const INTRODUCTION = `# Error codes

Commands that fail end with one line on standard error: what failed, \`name=value\`, what to do, and the code in brackets. HTTP answers carry
it as \`{ "error": { "code": "…", "message": "…" } }\`. Codes are stable; messages are for people.
`;

const BROKEN = `A process that finds one of these ends at once, since it can trust its tables no more; the next start recovers. Each is a fault of the
engine or of the machine's memory: please report it.`;

function rejections(prefix: string): string[] {
  return Object.entries(outcomes)
    .flatMap(([name, outcome]) => (name.startsWith(prefix) && typeof outcome === 'number' ? [outcome] : []))
    .map((outcome) => outcomes.outcomeText(outcome))
    .map(({ code, text }) => `| \`${code}\` | ${text} |`)
    .sort();
}

function coded(meanings: Readonly<Record<string, string>>): string[] {
  return Object.entries(meanings).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
}

function table(rows: readonly string[]): string {
  return ['| code | meaning |', '| --- | --- |', ...rows].join('\n');
}

test('every code is used', () => {
  const sources = ['src', 'client/src', 'native-free-core'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/(?:error-codes|invariants)\.ts$/.test(file))
      .map((file) => readFileSync(join(ROOT, folder, file), 'utf8')),
  );
  const all = sources.join('\n');
  expect(Object.keys(ERROR_CODES).filter((code) => !all.includes(`'${code}'`))).toEqual([]);
  expect(Object.keys(INVARIANTS).filter((code) => !all.includes(`fail('${code}'`))).toEqual([]);
});

test('docs/errors.md tells of every code', async () => {
  for (const names of [Object.keys(ERROR_CODES), Object.keys(INVARIANTS)]) expect([...names].sort()).toEqual(names);
  const text = [
    INTRODUCTION,
    `## Commands, control requests, HTTP\n\n${table(coded(ERROR_CODES))}\n`,
    `## Events that are rejected alone\n\nIn answers, and in \`dead_letters.reason\`.\n\n${table(rejections('EVENT_'))}\n`,
    `## Frames that are rejected whole\n\n${table(rejections('FRAME_'))}\n`,
    `## Broken invariants\n\n${BROKEN}\n\n${table(coded(INVARIANTS))}\n`,
  ].join('\n');
  const wanted = await format(text, { parser: 'markdown', printWidth: 120 });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(FILE, wanted);
  expect(readFileSync(FILE, 'utf8')).toBe(wanted);
});
