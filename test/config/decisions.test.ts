/** Limits and experiments in a pipeline file: what they compile into, and what is said of wrong ones. */

import { describe, expect, test } from 'vitest';
import { changed, compileText, PIPELINE, problemsOf } from './pipelines.ts';

const RULE = "{ id: digger, when: 'player.digs_5m > 120', then: challenge }";

function limited(limit: string): string {
  return changed(RULE, `{ id: digger, when: 'player.digs_5m > 120', then: challenge, limit: ${limit} }`);
}

function split(experiment: string, when = 'true'): string {
  return changed(
    'decisions:\n',
    `experiments:\n  hints: ${experiment}\ndecisions:\n`,
    changed("'player.digs_5m > 120'", `"${when}"`),
  );
}

const ARMS = 'arms: { control: 50, treatment: 50 }';

describe('limits', () => {
  test('a window with the default hop, and columns for the order in which it was taken', () => {
    const { plan } = compileText(limited('{ count: 1, per: 10m, entity: hunt }'));
    const [decision] = plan.decisions;
    expect(decision!.rules[0]!.limit).toEqual({ count: 1, perMs: 600_000, hopMs: 15_000, entity: 1 });
    expect(plan.columns[decision!.seqColumn!]).toMatchObject({ name: 'trust_seq', kind: 'u64', nullable: false });
    expect(plan.columns[decision!.limitLifeColumn!]).toMatchObject({ name: 'trust_life', kind: 'u64' });
    expect(compileText(PIPELINE).plan.decisions[0]!.seqColumn).toBeUndefined();
  });

  test.each([
    ['{ count: 1, per: 10m, entity: plaier }', 'unknown entity: plaier', 'player'],
    ['{ count: 1, per: 7m, hop: 2m, entity: player }', 'hop must divide per: 2m does not divide 7m', undefined],
    ['{ count: 1, per: 0s, entity: player }', 'per must be longer than nothing', undefined],
    ['{ count: 1, per: 30d, hop: 1s, entity: player }', 'per has more than 5000 hops', undefined],
    ['{ count: 0, per: 10m, entity: player }', 'write a count as a whole number above 0', undefined],
    ['{ count: 1, entity: player }', 'per', undefined],
  ])('%s', (limit, message, suggestion) => {
    const [problem] = problemsOf(limited(limit));
    expect(problem!.message).toContain(message);
    expect(problem!.suggestion).toBe(suggestion);
    expect(problem!.line).toBe(28);
  });
});

describe('experiments', () => {
  test('the arm is a computed column that rules compare with its names', () => {
    const { plan } = compileText(
      split(`{ key: event.player_id, salt: s, ${ARMS} }`, "experiment.hints == 'treatment'"),
    );
    const column = plan.columns.find(({ name }) => name === 'experiment_hints')!;
    expect(column).toMatchObject({
      kind: 'code',
      labels: ['', 'control', 'treatment'],
      clickhouseType: 'LowCardinality(String)',
    });
    expect(plan.computed).toMatchObject([{ column: column.index, before: true }]);
    expect(plan.decisions[0]!.rules[0]!.when).toMatchObject({
      operator: 'eq',
      operands: [{ column: column.index }, {}],
    });
  });

  test.each([
    [`{ key: event.player_id, arms: { a: 50, b: 49 } }`, 'true', 'the arms are 99 percent together'],
    [`{ key: event.player_id, arms: { a: 50.001, b: 49.999 } }`, 'true', 'at most two digits behind the point'],
    [`{ key: event.lat, ${ARMS} }`, 'true', 'a key cannot be a fractional number'],
    [`{ key: '7', ${ARMS} }`, 'true', 'a key must depend on the event'],
    [`{ key: event.rarity, ${ARMS} }`, 'true', 'a key is a text or an integer'],
    [`{ key: player.digs_1m, ${ARMS} }`, 'true', 'features cannot be read here'],
    [`{ key: event.player_id, ${ARMS} }`, "experiment.hints == 'treated'", "experiment.hints is never 'treated'"],
    [`{ key: event.player_id, ${ARMS} }`, "experiment.hintz == 'treatment'", 'unknown experiment: experiment.hintz'],
    [`{ key: event.player_id, arms: {} }`, 'true', 'an experiment needs at least one arm'],
  ])('%s, %s', (experiment, when, message) => {
    expect(problemsOf(split(experiment, when))[0]!.message).toContain(message);
  });
});
