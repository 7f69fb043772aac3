/**
 * The ledger as `GET /v1/ledger` tells it: the totals, and a page of producers in the order of their names. Called by
 * control-requests.ts on the main thread.
 *
 *   ?limit=   producers of a page: 1 to 10,000, by default 1,000
 *   ?after=   the name that the page before ended with, as its `next` said
 */

import type { IngressFigures } from '../contract/figures.ts';
import type { Position } from '../contract/event-log.ts';
import { OperatingError } from '../errors.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';
import type { Losses } from './losses.ts';

const PAGE_DEFAULT = 1000;
/** Some 3 MB of JSON, and some 20 ms of the main thread's time. */
const PAGE_MAX = 10_000;

export interface LedgerSources {
  readonly ledger: Ledger;
  readonly losses: Losses;
  readonly ingress: () => Pick<IngressFigures, 'refusedEvents' | 'refusedByProducer'>;
  readonly stored: () => { readonly epoch: Position; readonly events: number; readonly deadLetters: number };
}

export function describeLedger({ ledger, losses, ingress, stored }: LedgerSources, query: string): object {
  const { limit, after } = pageOf(query);
  const { refusedEvents, refusedByProducer } = ingress();
  const inClickHouse = stored();
  const total = ledger.total();
  const lines = ledger.lines();
  const names = namesAfter(lines, after, limit + 1);
  const { producers, ...forgotten } = ledger.forgotten;
  return {
    epoch: ledger.epoch,
    total: describeLine(total, refusedEvents, losses.events()),
    losses: losses.all(),
    unknownFields: ledger.unknownFields,
    producersInAll: lines.size,
    forgotten: { producers, ...describeLine(forgotten, 0, 0) },
    producers: names.slice(0, limit).map((producer) => {
      return { producer, ...describeLine(lines.get(producer)!, refusedByProducer.get(producer) ?? 0, 0) };
    }),
    next: names.length > limit ? names[limit - 1] : null,
    inSpool: {
      events: total.accepted - inClickHouse.events,
      deadLetters: total.lettersKept - inClickHouse.deadLetters,
    },
    stored: inClickHouse,
  };
}

function pageOf(query: string): { readonly limit: number; readonly after: string | null } {
  const given = new URLSearchParams(query);
  for (const name of given.keys()) {
    if (name !== 'limit' && name !== 'after')
      throw new OperatingError('bad_query', `/v1/ledger takes limit and after only: given=${name}`);
  }
  const text = given.get('limit') ?? String(PAGE_DEFAULT);
  const limit = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > PAGE_MAX)
    throw new OperatingError(
      'bad_query',
      `limit is no number of producers from 1 to ${PAGE_MAX}: limit=${text.slice(0, 20)}`,
    );
  return { limit, after: given.get('after') };
}

/** The first names behind `after`, in order; at most `count`. */
function namesAfter(lines: ReadonlyMap<string, LedgerEntry>, after: string | null, count: number): string[] {
  const names: string[] = [];
  for (const name of lines.keys()) {
    if (after !== null && name <= after) continue;
    if (names.length === count && name >= names[count - 1]!) continue;
    names.splice(placeOf(names, name), 0, name);
    if (names.length > count) names.pop();
  }
  return names;
}

function placeOf(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Refused events, and those whose loss was accepted, were received and are kept nowhere: they are in both sides of the
 * account.
 */
function describeLine(line: LedgerEntry, refused: number, lost: number) {
  return {
    received: line.received + refused + lost,
    accepted: line.accepted,
    duplicates: line.duplicates,
    refused,
    lost,
    deadLettered: line.deadLettered,
    framesRejected: line.framesRejected,
    /** Of these two: so many are rows of dead_letters, and so many were only counted. */
    deadLettersKept: line.lettersKept,
    deadLettersNotKept: line.deadLettered + line.framesRejected - line.lettersKept,
    highestSeq: line.highestSeq,
    gaps: Math.max(0, line.highestSeq - line.framesTaken),
  };
}
