/** What `hunt load` reads from the command line besides what other commands read: keys, the mix of events, the pattern. */

import { OperatingError } from '../../errors.ts';
import { countOption, numberOption } from '../options.ts';
import type { BranchWeights } from './events/event-source.ts';
import type { KeyCounts } from './frames/key-fields.ts';
import { KEYS_MAX } from './frames/key-layouts.ts';

/** What a load run is asked for. */
export interface LoadOptions {
  readonly url: string;
  readonly key?: string | undefined;
  readonly protocol: 'ws' | 'http';
  /** Events a second; Infinity: as fast as answers come. */
  readonly rate: number;
  readonly connections: number;
  readonly eventsPerFrame: number;
  readonly durationMs: number;
  /** How many keys of each entity are drawn; of those that are not named: a default. */
  readonly keys: KeyCounts;
  /** How often each branch of the type oneof comes; absent: alike, or as the example game's players do. */
  readonly branches?: BranchWeights | undefined;
  /** A file of events that is repeated; absent: events are made from the pipeline's types. */
  readonly pattern?: { readonly file: string; readonly delimiter: string } | undefined;
  readonly zipfExponent: number;
  /** How much of frames is made in advance; absent: as much as makes them various. */
  readonly templateBytes?: number;
  readonly ack: 'durable' | 'stored';
  readonly seed: number;
  /** Frames unanswered at once on each connection; Infinity: as the server allows. */
  readonly framesInFlightMax: number;
  readonly reconnectMs: number;
  readonly clickhouse?: string | undefined;
  readonly progress: (line: string) => void;
  /** Length of the steps in which the run's course is told; absent: a minute. */
  readonly stepMs?: number;
  /** Told the resident memory of each minute. */
  readonly rssLog: (line: string) => void;
  /** Aborted: stop sending, and prove what was answered. */
  readonly signal?: AbortSignal;
}

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
