/** Derived values and computed columns: which are stored, in which order, and what they may read. */

import { describe, expect, test } from 'vitest';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { changed, compileText, problemsOf } from './pipelines.ts';

const RULE = "'player.digs_5m > 120'";

function withDerived(lines: readonly string[], when = RULE): string {
  const derived = `derived:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  return changed(RULE, when, changed('decisions:\n', `${derived}decisions:\n`));
}

function computedOf(plan: Plan): string[] {
  return plan.computed!.map(({ name, column, before }) => {
    const { name: columnName, clickhouseType } = plan.columns[column]!;
    return `${name || '-'} ${columnName} ${clickhouseType} ${before ? 'before' : 'after'}`;
  });
}

test('numbers and conditions are stored; names, texts and wide integers stand for themselves', () => {
  const { plan } = compileText(
    withDerived(
      [
        'high: event.level * 2',
        "is_dig: event.type == 'dig'",
        'deep: event.dig.depth',
        'quiet_s: player.quiet / 1000.0',
        'id: event.player_id',
        'where_from: event.country',
        "shout: 'event.vip ? event.shout : event.event_id'",
        'what: event.type',
      ],
      "\"derived.quiet_s > 1.0 && derived.what == 'dig' && derived.where_from == 'de' && derived.shout == 'x'\"",
    ),
  );
  expect(computedOf(plan)).toEqual([
    'derived.high derived_high Nullable(Float64) before',
    'derived.is_dig derived_is_dig Nullable(Bool) before',
    'derived.deep derived_deep Nullable(Float64) before',
    'derived.quiet_s derived_quiet_s Nullable(Float64) after',
  ]);
});

test('what a value reads comes before it, whichever is written first', () => {
  const { plan } = compileText(
    withDerived(['c: derived.b + player.quiet', 'b: derived.a * 2', 'd: derived.c + 1.0', 'a: event.level + 1']),
  );
  expect(plan.computed!.map(({ name }) => name)).toEqual(['derived.a', 'derived.b', 'derived.c', 'derived.d']);
});

test('features may read derived values of the event', () => {
  const { plan } = compileText(
    changed(
      'of: event.find.points',
      'of: derived.twice',
      withDerived(['twice: event.find.points * 2', "busy: 'derived.twice > 3'"]),
    ),
  );
  const { column } = plan.computed![0]!;
  const points = plan.entities[0]!.features.find(({ name }) => name === 'points');
  expect(points!.of).toEqual({ node: 'column', type: 'int', column });
});

test('zone-dependent parts of a time are set aside where state reads them, once for the same call', () => {
  const morning = "event.time.getHours('Europe/Berlin') < 12";
  const { plan } = compileText(
    changed(
      'where: "event.type == \'dig\'"',
      `where: "event.type == 'dig' && ${morning}"`,
      changed('where: "event.type == \'find\'"', `where: "${morning} && event.time.getHours() > 3"`),
    ),
  );
  expect(computedOf(plan)).toEqual([expect.stringMatching(/^- _hour_[0-9a-f]{8} Nullable\(Float64\) before$/)]);
  expect(plan.zones!.map(({ name }) => name)).toEqual(['Europe/Berlin']);
  const rules = compileText(changed(RULE, `"${morning}"`)).plan;
  expect(rules.computed).toEqual([]);
});

test('tests of a pipeline may expect derived values', () => {
  const text = withDerived(['high: event.level * 2', 'id: event.player_id']);
  const expecting = (name: string): string =>
    `${text}tests:\n  - { name: a, events: a.ndjson, expect: [{ at: e1, features: { ${name}: 4 } }] }\n`;
  expect(compileText(expecting('derived.high')).tests[0]!.expect[0]!.features).toEqual({ 'derived.high': 4 });
  expect(problemsOf(expecting('derived.higher'))[0]).toMatchObject({
    message: 'unknown feature: derived.higher',
    suggestion: 'derived.high',
  });
});

describe('refused', () => {
  test.each([
    [['a: derived.b + 1', 'b: derived.c + 1', 'c: derived.a + 1'], /in a circle: derived.a -> derived.b -> derived.c/],
    [['a: derived.a'], /in a circle: derived.a -> derived.a/],
    [['a: derived.bb', 'bbb: event.level'], /unknown derived value: derived.bb$/],
    [['a: event.tags'], /a repeated field stands only/],
    [['level: event.level', 'levels: event.nope'], /unknown field: event.nope/],
  ])('%j', (lines, message) => {
    const problems = problemsOf(withDerived(lines));
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toMatch(message);
  });

  test('a value that reads features, where state would come of it', () => {
    const text = changed('of: event.find.points', 'of: derived.b', withDerived(['b: derived.a', 'a: player.quiet']));
    expect(problemsOf(text)[0]!.message).toBe(
      'derived.b reads features or scores; keys, of and where read the event only',
    );
  });
});
