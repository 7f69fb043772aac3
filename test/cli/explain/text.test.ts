/** What people see of an explanation. */

import { expect, test } from 'vitest';
import { textGrid } from '../../../src/cli/text-table.ts';
import { explanationText } from '../../../src/cli/explain/explanation-text.ts';
import type { ExplainedCondition, ExplainedRule, Explanation } from '../../../src/contract/explanation.ts';

function condition(text: string, holds: boolean | null, value: number | null): ExplainedCondition {
  const [name = ''] = text.split(' ');
  return { text, holds, kind: 'test', conditions: [], values: [{ text: name, value }] };
}

function rule(name: string, part: ExplainedCondition, more: Partial<ExplainedRule>): ExplainedRule {
  const common = { rule: name, when: part.text, holds: part.holds, condition: part };
  // oxlint-disable-next-line unicorn/no-thenable -- a rule's own word; rules are never awaited
  return { ...common, then: 'hint', reached: true, decided: false, ...more };
}

const EXPLANATION: Explanation = {
  pipeline: { name: 'game', version: 'abc', number: 7 },
  eventId: 'e1',
  type: 'dig',
  eventTime: '2026-06-01T10:00:00.000Z',
  receivedAt: '2026-06-01T10:00:00.250Z',
  effectiveTime: '2026-06-01T10:00:00.000Z',
  event: { 'event.player_id': 7, 'event.dig.tool': 'SPADE' },
  entities: [
    { entity: 'player', key: [{ text: 'event.player_id', value: 7 }], seq: 3, life: 1 },
    { entity: 'hunt', key: null, seq: null, life: null },
  ],
  features: { 'player.digs': 3, 'player.depth': null },
  derived: [],
  experiments: { hints: 'control' },
  models: [],
  decisions: [
    {
      decision: 'assistance',
      asked: true,
      where: null,
      action: 'hint',
      rule: 'stuck',
      rules: [
        rule('tired', condition('player.digs > 1', true, 3), {
          limit: { count: 1, perMs: 600_000, entity: 'player', outcome: 'used_up' },
        }),
        rule('stuck', condition('player.digs > 2', true, 3), { decided: true }),
        rule('last', condition('player.depth > 2.0', null, null), { reached: false }),
      ],
    },
    { decision: 'trust', asked: false, where: condition('event.level > 1', false, 0), action: '', rule: '', rules: [] },
  ],
  overflow: false,
  notes: [],
};

test('the rule that decided stands first, then why the others did not', () => {
  expect(explanationText(EXPLANATION, { all: false, paths: false })).toBe(
    `
e1   dig   dry run: nothing was recorded
  happened    2026-06-01 10:00:00.000 UTC
  received    2026-06-01 10:00:00.250 UTC
  decided by  game abc (7)

assistance → hint   rule stuck
  ✓ stuck  → hint
      ✓ player.digs > 2  player.digs = 3
  ✓ tired  at most 1 per player in 10 m: used up, so it fell to the next rule
      ✓ player.digs > 1  player.digs = 3
  · last   not reached

trust   not asked
  ✗ event.level > 1  event.level = 0

event
  player_id  7  dig.tool  'SPADE'

player 7   event 3 of its life
  digs  3  depth  absent

hunt   the event names none

experiments
  hints  'control'
`.trim(),
  );
});

test('conditions of rules that were not reached are shown where they are asked for', () => {
  const [, decision] = explanationText(EXPLANATION, { all: true, paths: false }).split('\n\n');
  expect(decision).toContain('· last   not reached\n      – player.depth > 2.0  player.depth = absent');
});

test('a long condition has its values below, and parts of a choice are told apart', () => {
  const long = `${'a'.repeat(50)} > 1`;
  const choice: ExplainedCondition = {
    text: '…',
    holds: false,
    kind: 'or',
    values: [],
    conditions: [{ ...condition(long, false, 0) }, condition('b > 1', false, 1)],
  };
  const decision = { ...EXPLANATION.decisions[0]!, rules: [rule('stuck', choice, {})] };
  const text = explanationText({ ...EXPLANATION, decisions: [decision] }, { all: false, paths: false });
  expect(text).toContain(
    `      ✗ one of\n        ✗ ${long}\n            ${'a'.repeat(50)} = 0\n        ✗ b > 1  b = 1\n`,
  );
});

test('grids are read down their columns and stay within a terminal', () => {
  expect(
    textGrid([
      ['a', '1'],
      ['bb', '2'],
      ['c', '3'],
      ['d', '4'],
    ]),
  ).toEqual(['  a   1  c  3  ', '  bb  2  d  4'].map((line) => line.trimEnd()));
  const wide = textGrid(Array.from({ length: 3 }, (_, i) => [`name${i}`, 'x'.repeat(60)]));
  expect(wide).toHaveLength(3);
});
