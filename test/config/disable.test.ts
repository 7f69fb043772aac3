/** A rule switched off and on again is the file as it was, however it is laid out. */

import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { setRuleDisabled } from '../../src/config/disable.ts';

const TEXT = `# by hand
decisions:
  trust:
    actions: [allow,   challenge]   # two
    rules:
      - { id: digger, when: 'a > 1', then: challenge } # flow
      - { id: spread,
          when: 'b > 2',
          then: challenge
        }
      - id: block
        # why
        when: >
          c > 3 &&
          d > 4

        then: challenge # last
      - when: 'e > 5'
        then: challenge
        id: turned
    default: allow
`;

test.each(['digger', 'trust.spread', 'block', 'turned'])('%s', (rule) => {
  const off = setRuleDisabled(TEXT, rule, true);
  const { rules } = (parse(off) as { decisions: { trust: { rules: { id: string; disabled?: boolean }[] } } }).decisions
    .trust;
  expect(rules.map(({ id, disabled }) => [id, disabled ?? false])).toEqual(
    ['digger', 'spread', 'block', 'turned'].map((id) => [id, rule.endsWith(id)]),
  );
  expect(setRuleDisabled(off, rule, true)).toBe(off);
  expect(setRuleDisabled(off, rule, false)).toBe(TEXT);
});

test('a flag that was written by hand', () => {
  const flow = TEXT.replace('{ id: digger,', '{ id: digger, disabled: true,');
  expect(setRuleDisabled(flow, 'digger', false)).toBe(TEXT);
  expect(setRuleDisabled(TEXT.replace('id: turned', 'id: turned\n        disabled: true'), 'turned', false)).toBe(TEXT);
  expect(setRuleDisabled(flow.replace('disabled: true', 'disabled: false'), 'digger', true)).toBe(flow);
  expect(setRuleDisabled(TEXT.replace('- id: block', '- disabled: true\n        id: block'), 'block', false)).toBe(
    TEXT,
  );
});
