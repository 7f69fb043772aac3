/** Every file that a page of the documentation links to or names is there. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'native-free-core/README.md',
  'bench/README.md',
  'client/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];
/** `src/…` and the like in backticks, from the project's root. */
const NAMED = /`((?:src|native-free-core|client|test|bench|docs|proto|examples)\/[A-Za-z0-9_./-]+)`/g;
const LINKED = /\]\(([^)#:]+)(#[^)]*)?\)/g;
/** Names of files that a reader is to write. */
const TO_BE_WRITTEN = ['native-free-core/language/aggregates/your-name.ts', 'src/cli/your-command.ts'];

test.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  const linked = [...text.matchAll(LINKED)].map(([, path]) => join(dirname(page), path!));
  const named = [...text.matchAll(NAMED)].map(([, path]) => path!);
  const absent = [...linked, ...named].filter((path) => !TO_BE_WRITTEN.includes(path) && !existsSync(join(ROOT, path)));
  expect(absent).toEqual([]);
});

test('every page of docs is reached from the README', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const pages = readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'));
  expect(pages.filter((page) => !readme.includes(`(docs/${page})`))).toEqual([]);
});
