/**
 * The tables that the engine keeps in ClickHouse, as data: `events` and `dead_letters` take batches, `batches` says which of
 * them are in, `pipelines` which version was when, the view `watermark` how far SQL can see. Main thread, at start.
 */

import { KINDS } from '../../../native-free-core/language/kinds/index.ts';
import { BATCH_COLUMNS } from '../../../native-free-core/columns/native-batch-columns.ts';
import { DEAD_LETTER_COLUMNS } from '../../../native-free-core/columns/native-dead-letters.ts';
import { DEAD_LETTER_DAYS } from '../../../native-free-core/layout/limits.ts';
import type { ColumnPlan, Plan, ViewPlan } from '../../../native-free-core/plan/plan.ts';
import { EVENTS_TABLE } from '../../contract/events-source.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import { sortKey } from './sort-key.ts';
import { BATCH_TABLE_SETTINGS, SMALL_TABLE_SETTINGS, SYNC_SETTINGS } from './table-storage.ts';

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  /** CODEC clause or ''. */
  readonly codec: string;
  readonly comment: string;
  /** DEFAULT expression or ''. */
  readonly defaultTo?: string;
  /** Not stored: computed from other columns when it is asked for. */
  readonly alias?: string;
}

export interface TableDefinition {
  readonly name: string;
  readonly columns: readonly ColumnDefinition[];
  readonly indexes: readonly string[];
  /** Engine, partition and sort key. */
  readonly engine: string;
  /** When its rows go. */
  readonly ttl?: string;
  /** Those that the server does not know are left out: they make it faster, not right. */
  readonly settings: Readonly<Record<string, string>>;
  readonly comment: string;
}

const BATCH_COMMENTS: Readonly<Record<string, string>> = {
  _log: 'number of the log that brought the row: of the data folder that took the event in',
  _batch: 'batch that brought the row; see the table batches',
  _row: 'number of the row within its batch, from 0',
  _epoch: 'epoch in which the row became durable',
  _pipeline: 'number of the pipeline version that decided; see the table pipelines',
};

const DEAD_LETTER_COMMENTS: Readonly<Record<string, string>> = {
  received_at: 'when the engine took the frame in',
  producer: 'producer of the frame, empty where it named none',
  frame_seq: 'sequence number of the frame, 0 where it had none',
  frame_index: 'which event of the frame, from 0; NULL where the whole frame was refused',
  kind: 'what was refused: one event, or a whole frame',
  code: 'why, for programs',
  reason: 'why, for people: field, what was expected, value, place in the frame',
  field: 'path of the field that is to blame, empty where none is',
  value: 'its value as it came, cut where it is long; empty where there is none',
  encoding: 'encoding of the bytes',
  bytes: 'what was refused, as it came',
};

export const MILLISECONDS = "DateTime64(3, 'UTC')";

/** By which a row is found again. */
export function batchColumns(): ColumnDefinition[] {
  return BATCH_COLUMNS.map(({ name, type }) => ({
    name,
    type,
    codec: KINDS[type === 'UInt32' ? 'u32' : 'u64'].clickhouse.codec,
    comment: BATCH_COMMENTS[name]!,
  }));
}

/** `syncs`: each insert is synced before it is confirmed. */
export function eventsTable(plan: Plan, syncs = true): TableDefinition {
  const column = (index: number): ColumnPlan => plan.columns[index]!;
  const receivedAt = quoteName(column(plan.system.receivedAt).name);
  const key = sortKey(plan);
  return {
    name: EVENTS_TABLE,
    columns: [
      ...batchColumns(),
      ...plan.columns.map(eventColumn),
      ...(plan.views ?? []).map((view) => viewColumn(plan, view)),
    ],
    indexes: ['INDEX batch_minmax _batch TYPE minmax GRANULARITY 1'],
    engine: `MergeTree PARTITION BY toYYYYMMDD(${receivedAt}, 'UTC') ORDER BY (${key.columns.map(quoteName).join(', ')})`,
    settings: { ...batchSettings(syncs), ...(key.nullable ? { allow_nullable_key: '1' } : {}) },
    comment: 'every accepted event, as it came, with what was decided and on which grounds',
  };
}

function eventColumn(plan: ColumnPlan): ColumnDefinition {
  return {
    name: plan.name,
    type: plan.clickhouseType,
    codec: plan.codec === '' && plan.shape === 'scalar' ? KINDS[plan.kind].clickhouse.codec : plan.codec,
    comment: plan.comment,
  };
}

/** A field of one branch, read from the column that branches share. */
function viewColumn(plan: Plan, view: ViewPlan): ColumnDefinition {
  const type = plan.columns[plan.system.type]!;
  const slot = quoteName(plan.columns[view.slot]!.name);
  const isIts = `${quoteName(type.name)} = ${quoteText(type.labels![view.branch]!)}`;
  const alias = `CAST(if(${isIts}, ${slot}, NULL), ${quoteText(view.clickhouseType)})`;
  return { name: view.name, type: view.clickhouseType, codec: '', comment: view.comment, alias };
}

export function deadLettersTable(syncs = true): TableDefinition {
  return {
    name: 'dead_letters',
    columns: [
      ...batchColumns(),
      ...DEAD_LETTER_COLUMNS.map(({ name, type }) => ({ name, type, codec: '', comment: DEAD_LETTER_COMMENTS[name]! })),
    ],
    indexes: ['INDEX batch_minmax _batch TYPE minmax GRANULARITY 1'],
    engine: "MergeTree PARTITION BY toYYYYMMDD(received_at, 'UTC') ORDER BY (received_at, producer, frame_seq)",
    ttl: `toDateTime(received_at) + toIntervalDay(${DEAD_LETTER_DAYS})`,
    // Days go as a whole: nothing is rewritten, and a batch keeps all its rows or none.
    settings: { ...batchSettings(syncs), ttl_only_drop_parts: '1' },
    comment: `what was received and refused, with bytes and reason, for ${DEAD_LETTER_DAYS} days`,
  };
}

function batchSettings(syncs: boolean): Readonly<Record<string, string>> {
  return syncs ? { ...BATCH_TABLE_SETTINGS, ...SYNC_SETTINGS } : BATCH_TABLE_SETTINGS;
}

function plainColumn(name: string, type: string, comment: string, defaultTo = ''): ColumnDefinition {
  return { name, type, codec: '', comment, defaultTo };
}

export function batchesTable(): TableDefinition {
  return {
    name: 'batches',
    columns: [
      plainColumn('log', 'UInt32', 'number of the log whose epochs it holds; rows carry it as _log'),
      plainColumn(
        'batch',
        'UInt64',
        'number of the batch in its log; rows of events and dead_letters carry it as _batch',
      ),
      plainColumn('first_epoch', 'UInt64', 'first epoch in it'),
      plainColumn('last_epoch', 'UInt64', 'last epoch in it'),
      plainColumn('day', 'Date', 'UTC day on which all of it arrived'),
      plainColumn('first_received_at', MILLISECONDS, 'arrival of its first epoch'),
      plainColumn('last_received_at', MILLISECONDS, 'arrival of its last epoch'),
      plainColumn('rows', 'UInt64', 'events that it brought into the table events'),
      plainColumn('dead_letters', 'UInt64', 'rows that it brought into the table dead_letters'),
      plainColumn('frames', 'UInt64', 'frames that its epochs took in'),
      plainColumn('received', 'UInt64', 'events in those frames'),
      plainColumn('duplicates', 'UInt64', 'of these, events that had been seen before'),
      plainColumn('sealed_at', MILLISECONDS, 'when the batch was closed'),
      plainColumn('inserted_at', MILLISECONDS, 'when ClickHouse had it', "now64(3, 'UTC')"),
    ],
    indexes: [],
    // A batch that is confirmed once more after a crash replaces its line.
    engine: 'ReplacingMergeTree(inserted_at) ORDER BY (log, batch)',
    settings: SMALL_TABLE_SETTINGS,
    comment: 'every batch that is in events and dead_letters',
  };
}

export function pipelinesTable(): TableDefinition {
  return {
    name: 'pipelines',
    columns: [
      plainColumn('number', 'UInt32', 'what rows carry as _pipeline'),
      plainColumn('version', 'String', 'hash of the pipeline file and of all that it names'),
      plainColumn('name', 'String', 'name of the pipeline'),
      plainColumn('owner', 'String', 'who is responsible for it'),
      plainColumn('source', 'String', 'the file itself'),
      plainColumn('activated_at', MILLISECONDS, 'from when on this version decided', "now64(3, 'UTC')"),
      plainColumn('kind', 'LowCardinality(String)', 'start, deploy, rollback, disable or enable'),
      plainColumn('actor', 'String', 'who wanted it'),
      plainColumn('reason', 'String', 'and why'),
      plainColumn('previous', 'String', 'the version before; empty for the first one'),
      plainColumn('after_epoch', 'UInt64', 'the last epoch that the version before decided'),
      plainColumn('diff', 'String', 'what differs from the version before, as JSON'),
      plainColumn('plan', 'String', 'the version as the engine runs it, as JSON'),
    ],
    indexes: [],
    engine: 'MergeTree ORDER BY activated_at',
    settings: {},
    comment: 'every activation of a pipeline version: who changed what, when and why',
  };
}

export function auditLogTable(syncs = true): TableDefinition {
  return {
    name: 'audit_log',
    columns: [
      plainColumn('time', MILLISECONDS, 'when the change was asked for'),
      plainColumn('actor', 'String', 'who wanted it, by their own word'),
      plainColumn('scope', 'LowCardinality(String)', 'scope that the request needed'),
      plainColumn(
        'key_id',
        'String',
        'begin of the SHA-256 of the key that was shown; empty where none was needed or right',
      ),
      plainColumn(
        'action',
        'LowCardinality(String)',
        'deploy, shadow, end-shadow, rollback, disable, enable, replace-list, start',
      ),
      plainColumn('subject', 'String', 'the rule, the list, or the version that was asked for'),
      plainColumn('version', 'String', 'version of the pipeline to which it led; empty where that stayed'),
      plainColumn('reason', 'String', 'and why'),
      plainColumn(
        'outcome',
        'LowCardinality(String)',
        'done, unchanged, refused, failed, or interrupted by the end of the server',
      ),
      plainColumn('message', 'String', 'why it was refused or failed'),
      plainColumn('remote', 'String', 'address that it came from'),
      plainColumn('id', 'String', 'number of the entry, random'),
    ],
    indexes: [],
    engine: 'MergeTree ORDER BY time',
    settings: syncs ? SYNC_SETTINGS : {},
    comment: 'every change of rules, versions and lists, and every attempt that was refused',
  };
}

/** Batches of a log are confirmed in order, so all that was received before the last one's arrival can be seen. */
export function watermarkView(database: string, logNumber: number): string {
  return `CREATE OR REPLACE VIEW ${quoteName(database)}.watermark AS
SELECT max(last_received_at) AS watermark, max(last_epoch) AS epoch, max(batch) AS batch, toUInt32(${logNumber}) AS log
FROM ${quoteName(database)}.batches WHERE log = ${logNumber}`;
}
