import { expect, it } from 'vitest';
import { titleWithoutSecrets } from '../../src/system/process-title.ts';

it.each([
  [['serve', '--key', 'abc'], 'hunt serve --key ***'],
  [['serve', '--key=abc,def', '--data', '/d'], 'hunt serve --key=*** --data /d'],
  [['serve', '--key', '-dashed'], 'hunt serve --key ***'],
  [['send', 'x.csv', '--api-key', 'k'], 'hunt send x.csv --api-key ***'],
  [['serve', '--clickhouse', 'http://u:p@h:8123/d'], 'hunt serve --clickhouse http://u:***@h:8123/d'],
  [['serve', '--clickhouse=https://u:p%40q@h/d'], 'hunt serve --clickhouse=https://u:***@h/d'],
])('covers what is secret: %j', (args, title) => {
  expect(titleWithoutSecrets(args)).toBe(title);
});

it.each([[['serve', '--listen', '127.0.0.1:8080']], [['explain', 'monkey']], [['send', 'http://h:8080/a']], [[]]])(
  'leaves the rest as it is: %j',
  (args) => {
    expect(titleWithoutSecrets(args)).toBeUndefined();
  },
);
