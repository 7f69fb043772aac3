/**
 * Events of a file as the pattern of a load run: NDJSON, CSV or JSON, read as `hunt send` reads it, and repeated from its
 * first event. Id, time and keys are new each time.
 */

import type { ImportMap } from '../../../../native-free-core/plan/import-map.ts';
import type { Plan } from '../../../../native-free-core/plan/plan.ts';
import { OperatingError } from '../../../errors.ts';
import { sourceRows } from '../../send/rows.ts';
import { openSource } from '../../send/sent-file.ts';
import type { EventSource } from './event-source.ts';

/** As JSON: templates and their places take some times as much. */
const PATTERN_CHARACTERS_MAX = 64 << 20;

export interface PatternOptions {
  /** Path, or `-` for standard input. */
  readonly file: string;
  readonly delimiter: string;
  readonly plan: Plan;
  readonly importMap: ImportMap;
  readonly note: (message: string) => void;
}

export async function patternEvents(options: PatternOptions): Promise<EventSource> {
  const source = await openSource(options.file, false, options.note);
  const events: string[] = [];
  let characters = 0;
  try {
    for await (const { text, problem } of sourceRows({ ...options, source, format: null })) {
      if (problem !== null) {
        const row = `file=${source.name} event=${events.length + 1}`;
        throw new OperatingError(
          'pattern_unusable',
          `an event of the pattern is none: ${row} ${problem}; mend the file`,
        );
      }
      events.push(text);
      characters += text.length;
      if (characters > PATTERN_CHARACTERS_MAX)
        throw new OperatingError(
          'pattern_unusable',
          `the pattern is too large: file=${source.name} characters_max=${PATTERN_CHARACTERS_MAX}; its first part will do`,
        );
    }
  } finally {
    await source.close();
  }
  if (events.length === 0)
    throw new OperatingError('pattern_unusable', `the pattern has no event: file=${source.name}; give a file that has`);
  let next = 0;
  return { eventsMin: events.length, next: () => events[next++ % events.length]! };
}
