/**
 * The reference of the pipeline file has every key that the schema takes and none that it does not; the example uses each,
 * and passes; the pieces of YAML in the text are right.
 */
import { mkdtempSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadPipelineFile } from '../../src/config/index.ts';
import { pipelineJsonSchema } from '../../src/config/schema.ts';
import { hunt, root } from '../e2e/server.ts';

const example = join(root, 'docs', 'examples', 'shop');
const reference = readFileSync(join(root, 'docs', 'pipeline.md'), 'utf8');
const pieces = [...reference.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
const folder = mkdtempSync(join(tmpdir(), 'hunt-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly type?: string;
}

/**
 * `entities.*.key`: every key, `*` for a name that the user chooses. Sections that hold others are named by what they hold.
 */
function keysOf(schema: Schema, path = ''): string[] {
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const { properties = {}, additionalProperties, items, anyOf = [] } = schema;
  const below = [
    ...Object.entries(properties).flatMap(([key, inner]) => [at(key), ...keysOf(inner, at(key))]),
    ...(typeof additionalProperties === 'object' ? [at('*'), ...keysOf(additionalProperties, at('*'))] : []),
    ...(items === undefined ? [] : keysOf(items, path)),
    ...anyOf.flatMap((one) => keysOf(one, path)),
  ];
  return [...new Set(below)];
}

const all = keysOf(pipelineJsonSchema() as Schema);
/** A section is told by its keys. */
const leaves = all.filter((key) => !all.some((other) => other.startsWith(`${key}.`)));

function isUsed(value: unknown, parts: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((one) => isUsed(one, parts));
  const [part, ...rest] = parts;
  if (part === undefined) return value !== undefined;
  if (typeof value !== 'object' || value === null) return false;
  const inner = part === '*' ? Object.values(value) : Object.hasOwn(value, part) ? [Reflect.get(value, part)] : [];
  return inner.some((one) => isUsed(one, rest));
}

test('there are keys to speak of', () => expect(leaves.length).toBeGreaterThan(60));

test.each(leaves)('the reference names %s', (key) => expect(reference).toContain(`| \`${key}\` `));

test('the reference names no key that is not there', () => {
  const named = [...reference.matchAll(/^\| `([a-z_]+(?:\.[a-z_*]+)+)`/gm)].map(([, key]) => key!);
  expect(named.filter((key) => !all.includes(key))).toEqual([]);
});

test.each(leaves)('the example uses %s, or a piece of the reference does', (key) => {
  const texts = [readFileSync(join(example, 'pipeline.yaml'), 'utf8'), ...pieces];
  expect(texts.some((text) => isUsed(parse(text), key.split('.')))).toBe(true);
});

test('the example passes hunt check and hunt test', async () => {
  for (const command of ['check', 'test']) {
    const { code, stdout, stderr } = await hunt([command, join(example, 'pipeline.yaml')]);
    expect(code, stdout + stderr).toBe(0);
  }
});

describe('pieces of YAML in the text', () => {
  test.each(pieces)('%#', async (piece) => {
    cpSync(example, folder, { recursive: true });
    const file = join(folder, 'pipeline.yaml');
    const whole = parse(readFileSync(join(example, 'pipeline.yaml'), 'utf8')) as Record<string, unknown>;
    writeFileSync(file, stringify(merged(whole, parse(piece))));
    const { plan } = await loadPipelineFile(file);
    expect(plan.pipeline).toBe('shop');
  });
});

function merged(base: unknown, over: unknown): unknown {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(base) || !isMap(over)) return over;
  return Object.fromEntries(
    [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => [
      key,
      key in over ? merged(base[key], over[key]) : base[key],
    ]),
  );
}
