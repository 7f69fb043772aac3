/**
 * The proof that the systems do the same work: a sample through each, one connection, fixed times, and every column of every
 * row compared as ClickHouse shows it, floats with all their digits. received_at alone is each system's own.
 */

import { openQuery, type QueryTarget } from '../../src/client/index.ts';
import { EVENTS } from './measure.ts';
import { PEER_COLUMNS } from './peer-clickhouse.ts';
import type { ListShape } from './event-list.ts';
import type { Phase, RunningSystem } from './systems.ts';

const COLUMNS = PEER_COLUMNS.map(([name]) => name).filter((name) => name !== 'received_at');
const SAMPLE_RUN = 'sample';
const QUERY_MS = 60_000;
/** A sample in which a rule never fires would prove nothing of it. */
const RULES = ['stuck', 'scratching', 'cold_hunt', 'digger', 'lucky', 'teleport', 'too_rich'];

/** Few players in few hunts, so that every rule fires. */
export function sampleList(events: number): ListShape {
  return { events, players: events / 100, hunts: events / 4000, isVaried: true };
}

export function samplePhase(events: number): Phase {
  return {
    run: SAMPLE_RUN,
    events,
    rate: 0,
    eventsPerFrame: 500,
    connections: 1,
    framesInFlightMax: 16,
    isSample: true,
    timeoutMs: QUERY_MS,
  };
}

/** Lines of the sample's rows in order of their ids. */
export async function sampleRows({ clickhouse }: RunningSystem): Promise<string[]> {
  // Types differ where the meaning does not (Decimal, Enum8, LowCardinality): texts do not.
  const shown = COLUMNS.map((name) => (name === 'event_time' ? `toUnixTimestamp64Milli(${name})` : name));
  const text = await ask(
    clickhouse,
    `SELECT ${shown.map((column) => `toString(${column})`).join(', ')} FROM ${EVENTS}
     WHERE startsWith(event_id, '${SAMPLE_RUN}') ORDER BY event_id FORMAT TSV`,
  );
  return text.trimEnd().split('\n');
}

/** Rules that fired in none of the rows. */
export function rulesUnseen(rows: readonly string[]): readonly string[] {
  const seen = new Set(rows.flatMap((row) => row.split('\t').slice(-4)));
  return RULES.filter((rule) => !seen.has(rule));
}

/** '' where all rows are equal, else how many differ and the first difference. */
export function differenceOf(ours: readonly string[], theirs: readonly string[]): string {
  if (ours.length !== theirs.length) return `${theirs.length} rows instead of ${ours.length}`;
  const wrong = ours.flatMap((row, i) => (row === theirs[i] ? [] : [i]));
  if (wrong.length === 0) return '';
  const [a, b] = [ours[wrong[0]!]!.split('\t'), theirs[wrong[0]!]!.split('\t')];
  const column = a.findIndex((value, i) => value !== b[i]);
  return `${wrong.length} of ${ours.length} rows differ; first ${a[0]}: ${COLUMNS[column]} ${a[column]}, there ${b[column]}`;
}

async function ask(clickhouse: QueryTarget, sql: string): Promise<string> {
  return (await openQuery(clickhouse, sql, {}, AbortSignal.timeout(QUERY_MS))).text();
}
