/**
 * `hunt audit`: proves the account of every event from the tables (docs/semantics.md §11), names the first gap if there is
 * one, and exits 1 then; 3 where all is there but what an operator has accepted as lost (`hunt serve --accept-loss`). Counts
 * rows in ClickHouse batch by batch, so that it needs little memory however many there are.
 */

import { defineCommand } from 'citty';
import { setTimeout as pause } from 'node:timers/promises';
import { DEAD_LETTER_DAYS } from '../../native-free-core/layout/limits.ts';
import {
  HuntControl,
  queryRows,
  queryTarget,
  type LedgerDescription,
  type LedgerLine,
  type QueryTarget,
} from '../client/index.ts';
import { EVENTS_TABLE, eventsSource } from '../contract/events-source.ts';
import { CLICKHOUSE_OPTION, jsonOption, serverOf, URL_OPTIONS } from './options.ts';

interface Gap {
  readonly what: string;
  readonly expected: number | string;
  readonly found: number | string;
}

interface BatchLine {
  readonly log: number;
  readonly batch: string;
  readonly first: string;
  readonly last: string;
  readonly rows: string;
  readonly letters: string;
  /** 1 where its dead letters may have left the table by now. */
  readonly old: number;
}

interface Counted {
  readonly log: number;
  readonly batch: string;
  readonly rows: string;
  readonly distinct: string;
  readonly highest: string;
}

/** Rows still in the spool are on their way: a batch takes a second or two, more under load. */
const DRAIN_MS = 120_000;
const LOOK_MS = 200;
const QUERY_MS = 600_000;
const GAPS_SHOWN = 10;
/** Exit code. */
const LOSS_ACCEPTED = 3;
/** Names whose rows are counted in one go. */
const NAMES_PER_QUERY = 100_000;

export const auditCommand = defineCommand({
  args: {
    ...URL_OPTIONS,
    ...CLICKHOUSE_OPTION,
    ...jsonOption(),
  },
  async run({ args }) {
    const report = await audit({ ...serverOf(args), clickhouse: args.clickhouse });
    process.stdout.write(args.json ? `${JSON.stringify(report)}\n` : `${describe(report)}\n`);
    if (!report.balanced) process.exitCode = 1;
    else if (report.losses.length > 0) process.exitCode = LOSS_ACCEPTED;
  },
});

export interface AuditOptions {
  readonly url: string;
  readonly key?: string | undefined;
  readonly clickhouse?: string | undefined;
}

export async function audit(options: AuditOptions) {
  const control = new HuntControl({ url: options.url, key: options.key });
  const target = await queryTarget(control, options.clickhouse);
  const ledger = await drained(control);
  const gaps: Gap[] = [];
  const expect = (what: string, expected: number, found: number): void => {
    if (expected !== found) gaps.push({ what, expected, found });
  };
  const { total } = ledger;
  expect('rows that are still in the spool', 0, ledger.inSpool.events + ledger.inSpool.deadLetters);
  expect(
    'received = accepted + duplicates + refused + dead-lettered + lost',
    total.received,
    total.accepted + total.duplicates + total.refused + total.deadLettered + total.lost,
  );
  const batches = await queryRows<BatchLine>(
    target,
    `SELECT log, batch, first_epoch AS first, last_epoch AS last, rows, dead_letters AS letters, first_received_at < now() - INTERVAL ${DEAD_LETTER_DAYS} DAY AS old FROM batches FINAL ORDER BY log, batch`,
    QUERY_MS,
  );
  checkSequence(batches, gaps);
  const expected = (pick: (line: BatchLine) => string) => new Map(batches.map((b) => [nameOf(b), Number(pick(b))]));
  const events = await checkTable(
    target,
    EVENTS_TABLE,
    expected((b) => b.rows),
    new Set(),
    gaps,
  );
  const old = new Set(batches.filter((b) => Number(b.old) === 1).map(nameOf));
  const letters = await checkTable(
    target,
    'dead_letters',
    expected((b) => b.letters),
    old,
    gaps,
  );
  expect('accepted events are rows of events', total.accepted, events.rows);
  expect('rows of events are distinct by (_log, _batch, _row)', events.rows, events.distinct);
  expect(
    'dead-lettered events and rejected frames = kept + not kept',
    total.deadLettered + total.framesRejected,
    total.deadLettersKept + total.deadLettersNotKept,
  );
  expect('kept dead letters are rows of dead_letters', total.deadLettersKept, letters.rows + letters.expired);
  await checkProducers(target, control, ledger, gaps);
  return {
    balanced: gaps.length === 0,
    ...total,
    stored: events.rows,
    distinct: events.distinct,
    deadLetterRows: letters.rows,
    batches: batches.length,
    producers: ledger.producersInAll,
    producersForgotten: ledger.forgotten.producers,
    losses: ledger.losses,
    gaps: gaps.slice(0, GAPS_SHOWN),
    gapsInAll: gaps.length,
  };
}

/** The ledger once nothing is on its way any more, or as it is when that does not come to pass. */
async function drained(control: HuntControl): Promise<LedgerDescription> {
  const until = performance.now() + DRAIN_MS;
  for (;;) {
    const ledger = await control.ledger();
    if (ledger.inSpool.events + ledger.inSpool.deadLetters === 0 || performance.now() > until) return ledger;
    await pause(LOOK_MS);
  }
}

/** `log/batch` */
function nameOf({ log, batch }: Pick<BatchLine, 'log' | 'batch'>): string {
  return `${log}/${batch}`;
}

/** Batches of a log are numbered without a gap, and their epochs follow one another. */
function checkSequence(batches: readonly BatchLine[], gaps: Gap[]): void {
  for (let i = 1; i < batches.length; i++) {
    const [before, now] = [batches[i - 1]!, batches[i]!];
    if (now.log !== before.log) continue;
    if (Number(now.batch) !== Number(before.batch) + 1) {
      gaps.push({ what: `the batch after ${nameOf(before)}`, expected: Number(before.batch) + 1, found: now.batch });
    } else if (Number(now.first) !== Number(before.last) + 1) {
      gaps.push({ what: `first epoch of batch ${nameOf(now)}`, expected: Number(before.last) + 1, found: now.first });
    }
  }
}

/**
 * Each batch has the rows that its line says, numbered 0, 1, 2, …, each once. `old`: batches whose rows may have left the
 * table.
 */
async function checkTable(
  target: QueryTarget,
  table: string,
  expected: ReadonlyMap<string, number>,
  old: ReadonlySet<string>,
  gaps: Gap[],
) {
  const counted = await queryRows<Counted>(
    target,
    `SELECT _log AS log, _batch AS batch, count() AS rows, uniqExact(_row) AS distinct, max(_row) AS highest FROM ${table} GROUP BY log, batch ORDER BY log, batch`,
    QUERY_MS,
  );
  const found = new Map(counted.map((line) => [nameOf(line), line]));
  let expired = 0;
  for (const [batch, rows] of expected) {
    const line = found.get(batch);
    const missing = rows - Number(line?.rows ?? 0);
    if (old.has(batch) && missing > 0) expired += missing;
    else if (missing !== 0)
      gaps.push({ what: `rows of batch ${batch} in ${table}`, expected: rows, found: line?.rows ?? 0 });
  }
  for (const line of counted) {
    const { rows, distinct, highest } = line;
    const batch = nameOf(line);
    if (!expected.has(batch))
      gaps.push({ what: `batch ${batch} of ${table} in batches`, expected: 'a line', found: 'none' });
    if (rows !== distinct)
      gaps.push({ what: `distinct rows of batch ${batch} in ${table}`, expected: rows, found: distinct });
    if (Number(highest) + 1 !== Number(distinct) && !old.has(batch)) {
      gaps.push({ what: `row numbers of batch ${batch} in ${table}`, expected: Number(highest) + 1, found: distinct });
    }
  }
  const sum = (pick: (line: Counted) => string): number =>
    counted.reduce((total, line) => total + Number(pick(line)), 0);
  return { rows: sum((line) => line.rows), distinct: sum((line) => line.distinct), expired };
}

/**
 * Each producer has the rows that its line says. One that was forgotten and came back has more, and one that was forgotten
 * and did not has no line: these together have the rows of the forgotten ones' sum.
 */
async function checkProducers(
  target: QueryTarget,
  control: HuntControl,
  { forgotten }: LedgerDescription,
  gaps: Gap[],
): Promise<void> {
  const lines = new Map<string, LedgerLine>();
  for await (const line of control.ledgerLines()) lines.set(line.producer, line);
  const { from } = eventsSource('all');
  const [{ names } = { names: '0' }] = await queryRows<{ names: string }>(
    target,
    `SELECT uniq(_producer) AS names FROM ${from}`,
    QUERY_MS,
  );
  const parts = Math.ceil((Number(names) + 1) / NAMES_PER_QUERY);
  let ofForgotten = 0;
  for (let part = 0; part < parts; part++) {
    const rows = await queryRows<{ producer: string; rows: string }>(
      target,
      `SELECT toString(_producer) AS producer, count() AS rows FROM ${from} WHERE cityHash64(_producer) % ${parts} = ${part} GROUP BY producer`,
      QUERY_MS,
    );
    for (const { producer, rows: found } of rows) {
      const accepted = lines.get(producer)?.accepted ?? 0;
      lines.delete(producer);
      if (Number(found) < accepted) gaps.push({ what: `rows of producer '${producer}'`, expected: accepted, found });
      else ofForgotten += Number(found) - accepted;
      if (Number(found) > accepted && forgotten.producers === 0)
        gaps.push({ what: `rows of producer '${producer}'`, expected: accepted, found });
    }
  }
  for (const { producer, accepted } of lines.values())
    if (accepted > 0) gaps.push({ what: `rows of producer '${producer}'`, expected: accepted, found: 0 });
  if (forgotten.producers > 0 && forgotten.accepted !== ofForgotten)
    gaps.push({ what: 'rows of producers that were forgotten', expected: forgotten.accepted, found: ofForgotten });
}

function describe(report: Awaited<ReturnType<typeof audit>>): string {
  const { received, accepted, duplicates, refused, deadLettered, lost, losses, stored, distinct } = report;
  const lines = [
    `received   ${received} = accepted ${accepted} + duplicates ${duplicates} + refused ${refused} + dead-lettered ${deadLettered}` +
      (losses.length === 0 ? '' : ` + lost ${lost}`),
    `stored     ${stored} rows in ${report.batches} batches, ${distinct} distinct; ${report.deadLetterRows} dead letters (of ${report.framesRejected} frames rejected whole, and ${report.deadLettered} events; ${report.deadLettersNotKept} were counted and not kept)`,
  ];
  for (const loss of losses) {
    const events = `${loss.isAtLeast ? 'at least ' : ''}${loss.events} events`;
    lines.push(
      `LOST  ${events} of epochs ${loss.firstEpoch}-${loss.lastEpoch}, accepted ${loss.at} by ${loss.by}; damaged files in ${loss.keptIn}`,
    );
  }
  const besides = losses.length === 0 ? '' : ', but for the accepted loss';
  if (report.balanced) return [...lines, `balanced: every accepted event is stored exactly once${besides}`].join('\n');
  for (const { what, expected, found } of report.gaps) lines.push(`GAP  ${what}: expected ${expected}, found ${found}`);
  if (report.gapsInAll > report.gaps.length) lines.push(`… and ${report.gapsInAll - report.gaps.length} more`);
  return lines.join('\n');
}
