/**
 * How much is remembered of what events bring besides their entities: strings, producers, event ids. Each is a region of
 * shared memory, reserved at the start, so that each has a largest size. Called by compile-pipeline.ts.
 */

import { producersOf, type ProducersPlan } from '../../native-free-core/plan/plan.ts';
import type { Problems } from './problems.ts';
import type { PipelineDeclaration } from './schema.ts';
import { countOf, durationMs } from './units.ts';

type Events = PipelineDeclaration['events'];

/** A region is at most 2 GiB: 64 bytes an entry, 384 a producer, some 30 an id. */
const DICTIONARY_MAX = 16_000_000;
const PRODUCERS_MAX = 4_000_000;
const IDS_MAX = 40_000_000;
/** Whoever lost an answer sends again within seconds. */
const FORGET_AFTER_MS_MIN = 1000;

export function checkEventBounds(events: Events, problems: Problems): void {
  const bounds = [
    [['events', 'dictionary_max'], events.dictionary_max, DICTIONARY_MAX],
    [['events', 'producers', 'max'], events.producers?.max, PRODUCERS_MAX],
    [['events', 'dedup', 'ids_max'], events.dedup?.ids_max, IDS_MAX],
  ] as const;
  for (const [path, declared, max] of bounds) {
    if (declared !== undefined && countOf(declared) > max)
      problems.add([...path], `at most ${max}: the region that holds them is full then`);
  }
  const after = events.producers?.forget_after;
  if (after !== undefined && durationMs(after) < FORGET_AFTER_MS_MIN)
    problems.add(['events', 'producers', 'forget_after'], 'at least 1s: a producer must have time to send again');
}

export function producersPlan({ max, forget_after: forgetAfter }: NonNullable<Events['producers']>): ProducersPlan {
  const defaults = producersOf({});
  return {
    max: max === undefined ? defaults.max : countOf(max),
    forgetAfterMs: forgetAfter === undefined ? defaults.forgetAfterMs : durationMs(forgetAfter),
  };
}
