/**
 * Random edits of schema and pipeline together: what passes never loses a column silently nor reads one as something else,
 * and can always be rolled back.
 */

import { expect, test } from 'vitest';
import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { columnRoles } from '../../../src/config/change/column-roles.ts';
import { flatFields } from '../../../src/config/change/fields.ts';
import { widensTo } from '../../../native-free-core/language/kinds/index.ts';
import { describeChange, PipelineError, type ChangeDescription } from '../../../src/config/index.ts';
import { PASSING, PIPELINE, REFUSED, SCHEMA, type SchemaEdit } from '../../e2e/schema-edits-cases.ts';
import { isLong } from '../../long.ts';
import { seeded } from '../../random.ts';
import { compileText } from '../pipelines.ts';

const SEED = 20260703;
const ROUNDS = isLong ? 600 : 200;
/** Versions that follow each other before it begins anew. */
const CHAIN_MAX = 4;

/** Beyond those of the schema: features, entities, rules. */
const OTHERS: readonly SchemaEdit[] = [
  ['    tries: { agg: sum,', '    tries: { agg: avg,'],
  ['    levels: { agg: sum,', '    levels: { agg: count_distinct,'],
  ['    digs:', '    more: { agg: count, window: 5m }\n    digs:'],
  ['    digs: { agg: count, where: "event.type == \'dig\'", window: 5m }', '    digs: { agg: count, window: 5m }'],
  ['max: 1k', 'max: 2k'],
  ['features:\n', '  country: { key: event.country, max: 100, ttl: 1d }\nfeatures:\n'],
  ['decisions:\n', 'derived:\n  deep: event.dig.depth * 2.0\ndecisions:\n'],
  ['[allow, challenge]', '[allow, review, challenge]'],
].map(([from, to]) => ({ name: '', pipeline: [[from!, to!]], class: 'safe', says: null }));

interface Version {
  readonly schema: string;
  readonly pipeline: string;
  readonly plan: Plan;
}

/** One to four edits, as far as they fit together; null: what they make is no pipeline. */
function randomVersion(random: () => number, before: Version): Version | null {
  const pool = [...PASSING, ...PASSING, ...OTHERS, ...OTHERS, ...REFUSED];
  let { schema, pipeline } = before;
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    const edit = pool[Math.floor(random() * pool.length)]!;
    for (const [from, to] of edit.schema ?? []) schema = schema.replace(from, () => to);
    for (const [from, to] of edit.pipeline ?? []) pipeline = pipeline.replace(from, () => to);
  }
  try {
    return { schema, pipeline, plan: compileText(pipeline, { 'events.proto': schema }).plan };
  } catch (error) {
    if (error instanceof PipelineError) return null;
    throw error;
  }
}

/** Where an edit must speak of a column that no longer has a place. */
function placesOf(plan: Plan): Map<number, string> {
  const places = new Map<number, string>();
  for (const [index, role] of columnRoles(plan)) places.set(index, role.replace(/^(feature|entity|decision) /, ''));
  for (const { index, path } of flatFields(plan)) if (index >= 0) places.set(index, `event.${path}`);
  return places;
}

function expectNothingLost(from: Plan, to: Plan, { change, edits }: ChangeDescription): void {
  const feeds = change!.columns.filter((old) => old >= 0);
  expect(new Set(feeds).size, 'an old column feeds one new one').toBe(feeds.length);
  const places = placesOf(from);
  for (const { index, name } of from.columns) {
    if (feeds.includes(index)) continue;
    const place = places.get(index)!;
    const told = edits.some(
      ({ path }) => place === path || place.startsWith(`${path}.`) || place.startsWith(`${path} `),
    );
    expect(told, `${name} (${place}) is told of in ${edits.map(({ path }) => path).join(', ')}`).toBe(true);
  }
  for (const [i, old] of change!.columns.entries()) {
    if (old < 0) continue;
    const [was, is] = [from.columns[old]!, to.columns[i]!];
    expect(was.shape).toBe(is.shape);
    expect(widensTo(was.kind, is.kind), `${was.name} ${was.kind} becomes ${is.name} ${is.kind}`).toBe(true);
    expect(is.nullable || !was.nullable, `${is.name} keeps its NULLs`).toBe(true);
  }
}

function expectStateFits(from: Plan, to: Plan, { change }: ChangeDescription): void {
  for (const [i, { from: source, features, keepsTable }] of change!.entities.entries()) {
    const [former, entity] = [from.entities[source], to.entities[i]!];
    expect(former?.name ?? entity.name).toBe(entity.name);
    for (const [j, index] of features.entries()) {
      if (index < 0) continue;
      const [was, is] = [former!.features[index]!, entity.features[j]!];
      for (const part of ['aggregate', 'windowMs', 'hopMs', 'decimals', 'cap', 'delayMs'] as const)
        expect(is[part]).toBe(was[part]);
    }
    if (keepsTable) expect(former!.max).toBe(entity.max);
  }
}

function expectWayBack(from: Plan, to: Plan): void {
  const back = describeChange(from, to, { rollback: true });
  const refusals = back.edits.filter((edit) => edit.class === 'refused').map(({ path, text }) => `${path}: ${text}`);
  expect(refusals, 'can be rolled back').toEqual([]);
  expectStateFits(from, to, back);
}

test(`random edits lose nothing silently and can be taken back, seed=${SEED}`, () => {
  const random = seeded(SEED);
  const plan = compileText(PIPELINE, { 'events.proto': SCHEMA }).plan;
  const first: Version = { schema: SCHEMA, pipeline: PIPELINE, plan };
  const seen = { passed: 0, refused: 0, none: 0 };
  let ran: Version[] = [first];
  for (let round = 0; round < ROUNDS; round++) {
    const from = ran.at(-1)!;
    const to = randomVersion(random, from);
    if (to === null) {
      seen.none++;
      continue;
    }
    const description = describeChange(from.plan, to.plan, { earlier: ran.map((version) => version.plan) });
    expect(description.change === null).toBe(description.edits.some((edit) => edit.class === 'refused'));
    if (description.change === null) {
      seen.refused++;
      continue;
    }
    seen.passed++;
    expectNothingLost(from.plan, to.plan, description);
    expectStateFits(from.plan, to.plan, description);
    ran.push(to);
    for (const { plan: former } of ran) expectWayBack(to.plan, former);
    if (ran.length > CHAIN_MAX) ran = [first];
  }
  console.log(seen);
  expect(Math.min(seen.passed, seen.refused)).toBeGreaterThan(ROUNDS / 10);
});
