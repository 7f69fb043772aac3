/**
 * Generated code and SQL of all test pipelines, held by their hashes: a change of shape changes no byte of them. Where a
 * change is meant, write them anew and list the differences by cause:
 *
 *   UPDATE_GOLDEN=1 npx vitest run test/golden        writes generated.json and small.txt
 *   GOLDEN_TEXTS=/tmp/texts npx vitest run test/golden  writes every text below that folder, to compare with another commit's
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generatedOf, type Generated } from './generated.ts';
import { goldenPlans, SMALL } from './pipelines.ts';

type Hashes = Record<string, Record<string, string>>;

const hashesFile = join(import.meta.dirname, 'generated.json');
const smallFile = join(import.meta.dirname, 'small.txt');
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';
const textsFolder = process.env['GOLDEN_TEXTS'];

const plans = await goldenPlans();
const texts = new Map([...plans].map(([name, { plan, refused }]) => [name, generatedOf(plan, refused)]));

test('no byte of generated code and SQL has changed', () => {
  const hashes = Object.fromEntries([...texts].map(([name, generated]) => [name, hashesOf(generated)]));
  if (textsFolder !== undefined) writeTexts(textsFolder);
  const held = JSON.parse(readFileSync(hashesFile, 'utf8')) as Hashes;
  if (isUpdate) writeFileSync(hashesFile, `${JSON.stringify(hashes, null, 1)}\n`);
  else expect(hashes).toEqual(held);
});

test('the small pipeline in full', () => {
  const whole = [...texts.get(SMALL)!].map(([name, text]) => `######## ${name}\n${text}\n`).join('\n');
  if (isUpdate) writeFileSync(smallFile, whole);
  else expect(whole).toBe(readFileSync(smallFile, 'utf8'));
});

function hashesOf(generated: Generated): Record<string, string> {
  return Object.fromEntries(
    [...generated].map(([name, text]) => [name, createHash('sha256').update(text).digest('hex').slice(0, 20)]),
  );
}

function writeTexts(folder: string): void {
  for (const [name, generated] of texts) {
    const below = join(folder, name.replaceAll(/[^a-z0-9_.-]+/gi, '-'));
    mkdirSync(below, { recursive: true });
    for (const [part, text] of generated) writeFileSync(join(below, `${part.replaceAll(' ', '-')}.txt`), `${text}\n`);
  }
}
