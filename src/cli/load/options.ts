/** What `hunt load` reads from the command line besides what other commands read: keys, the mix of events, the pattern. */

import { OperatingError } from '../../errors.ts';
import { countOption, numberOption } from '../options.ts';
import type { BranchWeights } from './events/event-source.ts';
import type { KeyCounts } from './frames/key-fields.ts';
import { KEYS_MAX } from './frames/key-layouts.ts';
import type { LoadOptions } from './run-load.ts';

interface KeyArguments {
  readonly keys?: string | undefined;
  readonly players?: string | undefined;
  readonly hunts?: string | undefined;
}

/** `50k`, or `player=50k,hunt=2k`. */
export function keysOption({ keys, players, hunts }: KeyArguments): KeyCounts {
  const counts = new Map<string, number>();
  const put = (option: string, entity: string, text: string): void => {
    if (counts.has(entity))
      throw new OperatingError('bad_option', `given twice: keys of ${entity || 'the primary entity'}`);
    counts.set(entity, countOption(option, text, 1, KEYS_MAX));
  };
  for (const [entity, text] of pairsOf(keys ?? '')) put('keys', entity, text);
  if (players !== undefined) put('players', 'player', players);
  if (hunts !== undefined) put('hunts', 'hunt', hunts);
  return Object.fromEntries(counts);
}

/** `dig=4,find=0.5`. */
export function mixOption(text: string | undefined): BranchWeights | undefined {
  if (text === undefined) return undefined;
  const weights = pairsOf(text).map(([name, weight]): [string, number] => {
    if (name === '') throw new OperatingError('bad_option', `no type of event: mix=${text}; write dig=4,find=1`);
    return [name, numberOption('mix', weight, 0, 1_000_000)];
  });
  if (!weights.some(([, weight]) => weight > 0))
    throw new OperatingError('bad_option', `no event has any weight: mix=${text}; write dig=4,find=1`);
  return Object.fromEntries(weights);
}

/** `a=1,b=2` as pairs; a value without a name has the name ''. */
function pairsOf(text: string): [string, string][] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, Math.max(0, at)).trim(), part.slice(at + 1).trim()];
    });
}

interface PatternArguments {
  readonly events?: string | undefined;
  readonly delimiter: string;
  readonly mix?: string | undefined;
}

/** undefined: events are made from the pipeline's types. */
export function patternOption({ events, delimiter, mix }: PatternArguments): LoadOptions['pattern'] {
  if (events === undefined) return undefined;
  if (mix !== undefined)
    throw new OperatingError(
      'bad_option',
      `a file has its own mix of events: events=${events} mix=${mix}; leave one out`,
    );
  return { file: events, delimiter: delimiter.replace('\\t', '\t') };
}
