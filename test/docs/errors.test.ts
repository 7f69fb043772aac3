/**
 * docs/errors.md is made from the lists of codes. `UPDATE_GOLDEN=1 npx vitest run test/docs/errors.test.ts` writes it anew.
 */

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { ERROR_CODES } from '../../native-free-core/base/error-codes.ts';
import * as outcomes from '../../native-free-core/base/outcomes.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE = join(ROOT, 'docs/errors.md');

const INTRODUCTION = `# Error codes

Commands that fail end with one line on standard error: what failed, \`name=value\`, what to do, and the code in brackets. HTTP answers carry
it as \`{ "error": { "code": "…", "message": "…" } }\`. Codes are stable; messages are for people.
`;

function rejections(prefix: string): string[] {
  return Object.entries(outcomes)
    .flatMap(([name, outcome]) => (name.startsWith(prefix) && typeof outcome === 'number' ? [outcome] : []))
    .map((outcome) => outcomes.outcomeText(outcome))
    .map(({ code, text }) => `| \`${code}\` | ${text} |`)
    .sort();
}

function table(rows: readonly string[]): string {
  return ['| code | meaning |', '| --- | --- |', ...rows].join('\n');
}

test('every code is used', () => {
  const sources = ['src', 'client/src', 'native-free-core'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('error-codes.ts'))
      .map((file) => readFileSync(join(ROOT, folder, file), 'utf8')),
  );
  const all = sources.join('\n');
  expect(Object.keys(ERROR_CODES).filter((code) => !all.includes(`'${code}'`))).toEqual([]);
});

test('docs/errors.md tells of every code', async () => {
  const codes = Object.entries(ERROR_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  const names = Object.keys(ERROR_CODES);
  expect([...names].sort()).toEqual(names);
  const text = [
    INTRODUCTION,
    `## Commands, control requests, HTTP\n\n${table(codes)}\n`,
    `## Events that are rejected alone\n\nIn answers, and in \`dead_letters.reason\`.\n\n${table(rejections('EVENT_'))}\n`,
    `## Frames that are rejected whole\n\n${table(rejections('FRAME_'))}\n`,
  ].join('\n');
  const wanted = await format(text, { parser: 'markdown', printWidth: 120 });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(FILE, wanted);
  expect(readFileSync(FILE, 'utf8')).toBe(wanted);
});
