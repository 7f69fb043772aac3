/**
 * The reference of operators and functions is the one that their own files make, and its examples hold in the kernel and in
 * ClickHouse. To write it anew:
 *
 *   UPDATE_GOLDEN=1 npx vitest run test/docs/function-reference.test.ts
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { FUNCTIONS, WRITTEN_FORMS } from '../../native-free-core/language/functions/index.ts';
import { sqlOf } from '../../native-free-core/language/sql/index.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { useEmbeddedServer } from '../clickhouse-embedded/embedded-server.ts';
import { changed, compileText, PARTS, PROTO } from '../config/pipelines.ts';
import { createWorld } from '../language/expression/world.ts';
import { compileGroup } from '../language/sql/core-values.ts';
import { BEGIN, END, functionReference } from './function-reference.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'expressions.md');

test('docs/expressions.md has the functions as they are', async () => {
  const text = readFileSync(file, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  expect(begin).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(begin);
  const whole = text.slice(0, begin) + functionReference() + text.slice(end + END.length);
  const wanted = await format(whole, { ...(await resolveConfig(file)), filepath: file });
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, wanted);
  else expect(text).toBe(wanted);
});

test('no two forms have one name, and each operation but those of the compiler can be written', () => {
  const names = WRITTEN_FORMS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const unwritten = Object.entries(FUNCTIONS).filter(([, { written }]) => written.length === 0);
  // `x in list.vips` is a form of in, and days on a zone's calendar are what calendar windows ask for.
  expect(unwritten.map(([operator]) => operator)).toEqual(['in_list', 'local_day']);
});

/** A plan with one rule, of that condition. */
function planOf(condition: string): Plan {
  const text = changed("'player.digs_5m > 120'", JSON.stringify(condition));
  return compileText(text, { 'events.proto': PROTO, 'parts.proto': PARTS }).plan;
}

const server = useEmbeddedServer();

test('the examples are true, in the kernel and in ClickHouse', async () => {
  const world = createWorld();
  const selected: string[] = [];
  for (const { documentation } of WRITTEN_FORMS) {
    const [expression, value] = documentation.example;
    const plan = planOf(value === null ? expression : `(${expression}) == ${value}`);
    if (value === null) continue;
    const { when } = plan.decisions[0]!.rules[0]!;
    const values: unknown[] = [];
    compileGroup(world, plan, [when])(0, values as never[]);
    expect(values, expression).toEqual([true]);
    selected.push(`toUInt8(${sqlOf(plan, when)})`);
  }
  const answer = await server.run(`SELECT ${selected.join(', ')}`, { asEngine: true });
  expect(answer.trim().split('\t')).toEqual(selected.map(() => '1'));
});
