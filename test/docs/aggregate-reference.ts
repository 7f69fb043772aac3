/**
 * The reference of the aggregates as docs/pipeline.md has it, made from their own files. Used by
 * aggregate-reference.test.ts.
 */

import { aggregateOptions, eachAggregate } from '../../native-free-core/language/aggregates/index.ts';
import type { Windows } from '../../native-free-core/language/aggregates/windows.ts';

export const BEGIN = '<!-- aggregates: begin -->';
export const END = '<!-- aggregates: end -->';

export function aggregateReference(): string {
  const rows = eachAggregate().map(([name, { check, documentation }]) => {
    const { input, value, empty } = documentation;
    return `| \`${name}\` | ${input} | ${value} | ${empty} | ${windowsText(check.windows)} |`;
  });
  const keys = [...aggregateOptions()].map(([key, takers]) => {
    const texts = takers.map(({ aggregate, description }) => `\`${aggregate}\`: ${description}`);
    return `| \`features.*.*.${key}\` | ${texts.join('. ')} |`;
  });
  const examples = eachAggregate().map(([, { documentation }]) => `    ${documentation.example}`);
  return [
    BEGIN,
    '',
    '| aggregate | input | value | with nothing in the window | windows |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    '| key of single aggregates | what it is |',
    '| --- | --- |',
    ...keys,
    '',
    '```yaml',
    'features:',
    '  customer:',
    ...examples,
    '```',
    '',
    END,
  ].join('\n');
}

function windowsText({ life, day, session, delay, currentEvent }: Windows): string {
  const kinds = [
    ...(life === null ? ['whole life'] : []),
    'duration',
    ...(day === null ? ['calendar day'] : []),
    ...(session === null ? ['session'] : []),
  ];
  const taken = [
    kinds.length === 4 ? 'any' : kinds.join(', '),
    ...(delay === null ? [] : ['no `delay`']),
    ...(currentEvent === null ? [] : ['no `current_event`']),
  ];
  return taken.join('; ');
}
