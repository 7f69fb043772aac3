/**
 * The bounds of shared memory, as far as they are used: `GET /v1/server` tells them, and the log says when one is nearly
 * met, and when it is met, with what happens then. Looked at every few seconds on the main thread; read without locks.
 */

import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { dictionaryBytes, dictionaryCount } from '../../native-free-core/state/dictionary.ts';
import { entityCount, evictedCount } from '../../native-free-core/state/entity-table.ts';
import { idsShortened } from '../../native-free-core/state/id-window.ts';
import { producerCount, producersForgotten, producersRefused } from '../../native-free-core/state/producer-names.ts';
import type { AbsenceFigures, BoundFigures, BoundsFigures } from '../contract/figures.ts';
import type { Log } from '../system/log.ts';

export interface BoundSources {
  /** Of the version that decides. */
  readonly running: () => { readonly plan: Plan; readonly tables: Tables };
  readonly absences: () => AbsenceFigures;
  readonly log: Log;
}

type BoundName = 'dictionary entries' | 'dictionary bytes' | 'producers';

interface Bound {
  readonly name: BoundName;
  readonly used: number;
  readonly max: number;
  /** What happens when it is met, and what to do. */
  readonly effect: string;
}

export interface BoundsWatch {
  figures(): BoundsFigures;
  stop(): void;
}

const LOOK_MS = 5000;
const NEARLY = 0.8;

export function watchBounds({ running, absences, log }: BoundSources): BoundsWatch {
  /** 0: far from it, 1: nearly met, 2: met. */
  const levels = new Map<string, number>();
  let shortened = 0;
  let told: AbsenceFigures = { withoutRoom: 0, overflows: 0 };
  const look = (): void => {
    for (const { name, used, max, effect } of boundsOf(running().tables)) {
      const level = used >= max ? 2 : used >= max * NEARLY ? 1 : 0;
      if (level > (levels.get(name) ?? 0))
        log('warn', level === 2 ? 'a bound is met' : 'a bound is nearly met', { name, used, max, effect });
      levels.set(name, level);
    }
    const { ids } = running().tables;
    const now = ids === null ? 0 : idsShortened(ids);
    if (now > shortened)
      log('warn', 'event ids are forgotten before their time', { ids: now - shortened, effect: IDS_EFFECT });
    shortened = now;
    told = tellAbsences(log, told, absences());
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    figures: () => figuresOf(running()),
    stop: () => clearInterval(timer),
  };
}

/** Tells of those that have come since it was last told, once they have doubled: some pipelines meet a cap all day. */
function tellAbsences(log: Log, told: AbsenceFigures, now: AbsenceFigures): AbsenceFigures {
  const tell = (name: keyof AbsenceFigures, what: string, effect: string): number => {
    if (now[name] === 0 || now[name] < 2 * told[name]) return told[name];
    log('warn', what, { events: now[name], effect });
    return now[name];
  };
  return {
    withoutRoom: tell('withoutRoom', 'entities found no room', ROOM_EFFECT),
    overflows: tell('overflows', 'values were beyond their bound', OVERFLOW_EFFECT),
  };
}

const ROOM_EFFECT = "all features of such an entity are absent in the event's row; raise entities.*.max";
const OVERFLOW_EFFECT =
  'such a value is absent, or a distinct count stands at its cap, and the column overflow is set; choose a shorter window, fewer decimals or a larger cap';

const IDS_EFFECT =
  'an event that is sent again later than that counts twice; raise events.dedup.ids_max, or name producers';

function boundsOf({ dictionary, producers }: Tables): Bound[] {
  return [
    {
      name: 'dictionary entries',
      used: dictionaryCount(dictionary) - 1,
      max: dictionary.entriesMax - 1,
      effect:
        'events with new values of dictionary fields are dead letters; raise events.dictionary_max, or declare the field without dictionary',
    },
    {
      name: 'dictionary bytes',
      used: dictionaryBytes(dictionary),
      max: dictionary.heapBytes,
      effect:
        'events with new values of dictionary fields are dead letters; raise events.dictionary_max (64 bytes each), or declare the field without dictionary',
    },
    {
      name: 'producers',
      used: producerCount(producers),
      max: producers.rowsMax - 1,
      effect:
        'new names are rejected until one has been idle for events.producers.forget_after; raise events.producers.max',
    },
  ];
}

function figuresOf({ plan, tables }: { readonly plan: Plan; readonly tables: Tables }): BoundsFigures {
  const { producers, ids } = tables;
  const used = Object.fromEntries(boundsOf(tables).map(({ name, used: now, max }) => [name, { used: now, max }]));
  const entities = plan.entities.map(({ name, max }, i) => {
    const table = tables.entities[i]!;
    return [name, { used: entityCount(table), max, evicted: evictedCount(table) }] as const;
  });
  return {
    ...(used as Record<BoundName, BoundFigures>),
    producersForgotten: producersForgotten(producers),
    producersRefused: producersRefused(producers),
    idsForgottenEarly: ids === null ? 0 : idsShortened(ids),
    entities: Object.fromEntries(entities),
  };
}
