/**
 * Rebuilds tables and ledger from ClickHouse where no snapshot is left and the spool no longer begins with the first epoch:
 * state is a function of the stored rows (docs/semantics.md §4). What rows do not tell (the ids of strings, frames of which
 * nothing was kept, the ledger's sums per producer) is in the account, which is on the disk before the spool is trimmed.
 * Called by recover.ts.
 *
 *   account there    rows of the epochs before the spool's first one, then the spool
 *   account lost     rows of all epochs, if ClickHouse has them all: what the spool still holds is not needed then
 */

import { join } from 'node:path';
import { eachDictionaryEntry } from '../../native-free-core/columns/load-block.ts';
import type { Tables } from '../../native-free-core/decide/shared-tables.ts';
import type { Plan } from '../../native-free-core/plan/plan.ts';
import { dictionaryCount, internEntry } from '../../native-free-core/state/dictionary.ts';
import { entityCount } from '../../native-free-core/state/entity-table.ts';
import { nameProducer } from '../../native-free-core/state/producer-names.ts';
import { replayProducer, takeSeq } from '../../native-free-core/state/producers.ts';
import {
  before,
  BEFORE_FIRST,
  entriesOf,
  reaches,
  written,
  type EventLog,
  type Position,
} from '../contract/event-log.ts';
import { describeChange } from '../config/index.ts';
import { OperatingError } from '../errors.ts';
import { restoreTables, type RecoveringVersion } from './recover-tables.ts';
import type { TableChunk } from '../memory/snapshot-tables.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { Log } from '../system/log.ts';
import type { PipelineVersions } from '../versions/pipeline-versions.ts';
import { restoreNewest, type LoadedSnapshot } from '../spool/snapshot-file.ts';
import { nodeStorage } from '../spool/storage.ts';
import type { ClickHouse } from '../warehouse/clickhouse.ts';
import type { BatchLog } from '../warehouse/insert/batch-log.ts';
import { claimStoredTables } from '../warehouse/insert/claim-tables.ts';
import {
  countEntityRows,
  countLimitRows,
  lastStored,
  readStoredAccount,
  rebuildEntity,
  rebuildIds,
  rebuildLimits,
  sliceEpochs,
  type StoredAccount,
} from '../warehouse/rows/index.ts';

/** Folder of the account within the data folder. */
export const ACCOUNT_FOLDER = 'account';

export interface RebuildInput {
  /** The data folder. */
  readonly data: string;
  readonly versions: PipelineVersions;
  readonly ledger: Ledger;
  readonly clickhouse: ClickHouse;
  /** Tells what ClickHouse has. */
  readonly batchLog: BatchLog;
  readonly eventLog: EventLog;
  readonly log: Log;
}

/** As it was read, and found whole. */
export interface Account {
  /** Its ledger and tables lack epochs from here on. */
  readonly fromEpoch: Position;
  readonly chunks: readonly TableChunk[];
}

export interface RebuildStart {
  /** null: lost. */
  readonly account: Account | null;
  /** Epochs up to this one come from ClickHouse. */
  readonly throughEpoch: Position;
  /** Of the spool. */
  readonly lastEpoch: Position;
}

export interface Rebuilt {
  /** Stored rows that were applied; a row counts for each entity that it moves. */
  readonly rows: number;
  readonly entities: number;
  readonly seconds: number;
}

const PROGRESS_MS = 5000;

/** Where the rebuild begins and ends; throws where nothing in the folder can say what the spool's blocks refer to. */
export function planRebuild({ data, batchLog, eventLog, log }: RebuildInput): RebuildStart {
  const { first, last } = eventLog;
  const read = (file: LoadedSnapshot): Account | null => {
    // Each is valid until the next one is asked for.
    const chunks = Array.from(file.chunks(), (chunk) => ({ ...chunk, bytes: chunk.bytes.slice() }));
    const isOfSpool = reaches(last, file.atEpoch) && reaches(file.fromEpoch, first);
    return isOfSpool ? { fromEpoch: file.fromEpoch, chunks } : null;
  };
  const account = restoreNewest(nodeStorage, join(data, ACCOUNT_FOLDER), read, (message) => log('warn', message));
  if (account !== null) {
    return { account, throughEpoch: before(first), lastEpoch: last };
  }
  const { confirmedEpoch } = batchLog;
  if (reaches(confirmedEpoch, last)) return { account: null, throughEpoch: last, lastEpoch: last };
  throw new OperatingError(
    'account_lost',
    `there is neither a snapshot nor an account, and the spool holds epochs that ClickHouse lacks: data=${data} stored_epoch=${written(confirmedEpoch)} ` +
      `spool_epochs=${written(first)}-${written(last)}; their blocks name strings by numbers that only snapshots/ and ${ACCOUNT_FOLDER}/ explain: restore one of these folders from a copy`,
  );
}

/** Fills the empty tables of `plan`, the version that decided the epoch after `throughEpoch`. */
export async function rebuildTables(
  input: RebuildInput,
  start: RebuildStart,
  { plan, tables }: RecoveringVersion,
): Promise<Rebuilt> {
  const { log, clickhouse, ledger, batchLog } = input;
  const { logNumber } = batchLog;
  const begun = performance.now();
  await claimStoredTables(clickhouse, batchLog, log);
  const { account, throughEpoch } = start;
  await checkStored(input, throughEpoch);
  if (account !== null) restoreAccount(input, account, start.lastEpoch, { plan, tables });
  else enterStored(ledger, tables, await readStoredAccount(clickhouse, logNumber, plan), throughEpoch);

  const since = sinceWhen(input.versions, plan, throughEpoch);
  const slices = await sliceEpochs(clickhouse, logNumber, throughEpoch);
  const common = { clickhouse, log: logNumber, plan, tables, throughEpoch, slices };
  const counts = await Promise.all(
    plan.entities.map((_, entity) => countEntityRows({ ...common, entity, afterEpoch: since.entities[entity]! })),
  );
  const limits = { ...common, afterEpochs: since.limits };
  const total = counts.reduce((sum, { rows }) => sum + rows, 0) + (await countLimitRows(limits));
  let rows = 0;
  let reportedAt = begun;
  const onRows = (more: number): void => {
    rows += more;
    if (performance.now() - reportedAt < PROGRESS_MS) return;
    reportedAt = performance.now();
    log('info', 'rebuilding from ClickHouse', { rows, of: total, seconds: secondsSince(begun) });
  };
  log('info', 'rebuilding from ClickHouse', { rows, of: total, throughEpoch, account: account !== null });
  for (const [entity, count] of counts.entries()) {
    await rebuildEntity({ ...common, entity, afterEpoch: since.entities[entity]!, onRows }, count);
  }
  await rebuildLimits({ ...limits, onRows });
  await rebuildIds({ ...common, receivedAt: ledger.receivedAt, dedups: ledger.dedups, onRows: () => undefined });
  const entities = tables.entities.reduce((sum, table) => sum + entityCount(table), 0);
  const rebuilt = { rows, entities, seconds: secondsSince(begun) };
  log('info', 'rebuilt from ClickHouse', { ...rebuilt, dictionary: dictionaryCount(tables.dictionary) });
  return rebuilt;
}

function secondsSince(begun: number): number {
  return Number(((performance.now() - begun) / 1000).toFixed(3));
}

/** The history must be there at all: an empty database would pass for an empty history. */
async function checkStored({ clickhouse, batchLog, data }: RebuildInput, throughEpoch: Position): Promise<void> {
  const stored = await lastStored(clickhouse, batchLog.logNumber);
  if (reaches(stored.epoch, throughEpoch)) return;
  throw new OperatingError(
    'history_lost',
    `there is no snapshot, and neither spool nor ClickHouse has all that came before: data=${data} database=${clickhouse.database} ` +
      `stored_epoch=${written(stored.epoch)} needed_epoch=${written(throughEpoch)}; restore data/snapshots or the database from a copy`,
  );
}

/** The strings of the spool come right after those of the account, before rows could bring any in another order. */
function restoreAccount(
  { eventLog, ledger }: RebuildInput,
  account: Account,
  lastEpoch: Position,
  version: RecoveringVersion,
): void {
  const { dictionary } = version.tables;
  restoreTables(version, ledger, account.chunks);
  for (const { blocks } of entriesOf(eventLog, account.fromEpoch, lastEpoch)) {
    for (const block of blocks) {
      eachDictionaryEntry(block, (_, bytes, from, length) => internEntry(dictionary, bytes, from, length));
    }
  }
}

/** Without the account. Duplicates are nobody's in particular then; only frames with rows are known as taken. */
function enterStored(ledger: Ledger, { producers }: Tables, stored: StoredAccount, throughEpoch: Position): void {
  for (const { producer, ...line } of stored.producers) {
    const duplicates = producer === '' ? stored.duplicates : 0;
    const lettersKept = line.deadLettered + line.framesRejected;
    const received = line.accepted + line.deadLettered + duplicates;
    ledger.enter(producer, { ...line, duplicates, received, lettersKept, seenAt: stored.receivedAt });
  }
  if (!ledger.lines().has('') && stored.duplicates > 0) {
    ledger.enter('', { duplicates: stored.duplicates, received: stored.duplicates });
  }
  // Whose frames had their event ids looked at is lost; those without a producer had.
  ledger.dedups.add('');
  for (const { producer, seq, receivedAt } of stored.frames) {
    const name = new TextEncoder().encode(producer);
    const row = nameProducer(producers, name, 0, name.length, receivedAt);
    if (row === 0) continue;
    replayProducer(producers, row, false, receivedAt);
    takeSeq(producers, row, seq);
  }
  ledger.receivedAt = stored.receivedAt;
  ledger.epoch = throughEpoch;
}

interface Since {
  /** By entity of the plan: epochs up to this one are not its own. */
  readonly entities: readonly Position[];
  /** By decision and rule. */
  readonly limits: readonly (readonly Position[])[];
}

/**
 * From when on entities and limits have been what they are: a deploy begins a new one empty, whatever had its name before.
 */
function sinceWhen(versions: PipelineVersions, plan: Plan, throughEpoch: Position): Since {
  const chain = versions.activations().filter(({ afterEpoch }) => reaches(throughEpoch, afterEpoch));
  const entities = plan.entities.map(() => BEFORE_FIRST);
  const limits = plan.decisions.map((decision) => decision.rules.map(() => BEFORE_FIRST));
  // Where each of them was in the version that is looked at; -1: it had begun by then.
  const entityAt = plan.entities.map((_, i) => i);
  const ruleAt = plan.decisions.map((decision, d) => decision.rules.map((_, r): readonly [number, number] => [d, r]));
  let later = plan;
  let last = chain.length - 1;
  while (last >= 0 && chain[last]!.number !== plan.versionNumber) last--;
  for (let i = last; i > 0; i--) {
    const earlier = versions.find(chain[i - 1]!.number)?.plan;
    const { afterEpoch } = chain[i]!;
    const change = earlier === undefined ? null : describeChange(earlier, later, { rollback: true }).change;
    if (earlier === undefined || change === null) break;
    entityAt.forEach((at, entity) => {
      if (at < 0) return;
      entityAt[entity] = change.entities[at]!.from;
      if (entityAt[entity]! < 0) entities[entity] = afterEpoch;
    });
    ruleAt.forEach((rules, d) =>
      rules.forEach(([decision, rule], r) => {
        if (decision < 0) return;
        const found = change.limits.find((limit) => limit.decision === decision && limit.rule === rule);
        rules[r] = [found?.fromDecision ?? -1, found?.fromRule ?? -1];
        if (rules[r]![0] < 0) limits[d]![r] = afterEpoch;
      }),
    );
    later = earlier;
  }
  return { entities, limits };
}
