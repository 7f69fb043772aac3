/**
 * The queries that every pipeline has, written from its plan. Each goes by when rows came in, which the table is parted by,
 * so that a question about the last hour reads the last hour. Columns of the plan are named as `e.column`, quoted: answers
 * have columns of their own, which may be called the same. A choice of the caller picks one of the texts that stand here.
 */

import { sqlOf } from '../../native-free-core/language/sql/index.ts';
import {
  answeredDecisions,
  columnAt,
  type ColumnPlan,
  type EntityPlan,
  type Expression,
  type Plan,
} from '../../native-free-core/plan/plan.ts';
import { eventsSource } from '../contract/events-source.ts';
import { quoteName, quoteText } from '../contract/sql-text.ts';
import type { NamedQuery, QueryParameter } from './named-query.ts';

const ROWS_MAX = 10_000;
const MS_MAX = 10_000;
const MINUTES: QueryParameter = { name: 'minutes', type: 'UInt32', default: '60' };
const HOURS: QueryParameter = { name: 'hours', type: 'UInt32', default: '24' };
const LIMIT: QueryParameter = { name: 'limit', type: 'UInt32', default: '20' };
/** Kinds whose values can be added up. */
const NUMBERS = new Set<ColumnPlan['kind']>(['u32', 'i32', 'u64', 'i64', 'f32', 'f64']);

type Text = (choices: ReadonlyMap<string, string>) => string;

export function shippedQueries(plan: Plan): NamedQuery[] {
  const names = namesOf(plan);
  return [
    liveCounts(names),
    ...(names.decisions.length === 0 ? [] : [decisionMix(names), ruleHits(names)]),
    topEntities(plan, names),
    entityHistory(plan, names),
    ...(names.type === null ? [] : [funnel(plan, names)]),
    retention(plan, names),
    ...percentiles(plan, names),
    freshness(names),
    ledger(names),
  ];
}

function columnName(plan: Plan, index: number): string {
  return `e.${quoteName(columnAt(plan, index).name)}`;
}

function expressionSql(plan: Plan, expression: Expression): string {
  return sqlOf(plan, expression, (index) => columnName(plan, index));
}

interface Names {
  readonly source: string;
  readonly receivedAt: string;
  readonly effectiveTime: string;
  readonly producer: string;
  readonly eventId: string | null;
  /** The event's type as a text; null: the pipeline has one type. */
  readonly type: string | null;
  readonly decisions: readonly { readonly name: string; readonly action: string; readonly rule: string }[];
}

function namesOf(plan: Plan): Names {
  const { system } = plan;
  const column = (index: number): string => columnName(plan, index);
  return {
    source: `${eventsSource('all').from} AS e`,
    receivedAt: column(system.receivedAt),
    effectiveTime: column(system.effectiveTime),
    producer: column(system.producer),
    eventId: system.eventId < 0 ? null : column(system.eventId),
    type: system.type < 0 ? null : column(system.type),
    decisions: answeredDecisions(plan).map(({ name, actionColumn, ruleColumn }) => {
      return { name, action: column(actionColumn), rule: column(ruleColumn) };
    }),
  };
}

function shipped(name: string, about: string, parameters: readonly QueryParameter[], sql: Text): NamedQuery {
  return { name, about, source: 'shipped', parameters, rowsMax: ROWS_MAX, msMax: MS_MAX, sql };
}

function since({ receivedAt }: Names, unit: 'Minute' | 'Hour' | 'Day', parameter: string): string {
  return `${receivedAt} >= now64(3) - toInterval${unit}({${parameter}:UInt32})`;
}

function liveCounts(names: Names): NamedQuery {
  const { source, receivedAt, type } = names;
  const step: QueryParameter = { name: 'step', type: 'UInt32', default: '60' };
  return shipped('live_counts', 'Events by type, a line for each step of so many seconds', [MINUTES, step], () => {
    const time = `toStartOfInterval(${receivedAt}, toIntervalSecond(greatest({step:UInt32}, 1)))`;
    return `SELECT ${time} AS time, ${type ?? "''"} AS type, count() AS events
FROM ${source}
WHERE ${since(names, 'Minute', 'minutes')}
GROUP BY time, type
ORDER BY time, type`;
  });
}

/** One line for each decision that an event was asked for. */
function decided({ decisions }: Names): string {
  const lines = decisions.map(
    ({ name, action, rule }) => `(${quoteText(name)}, toString(${action}), toString(${rule}))`,
  );
  return `arrayJoin([${lines.join(', ')}])`;
}

function decisionMix(names: Names): NamedQuery {
  return shipped('decision_mix', 'How often each action was decided, and its share', [MINUTES], () => {
    return `SELECT decision, action, events, events / sum(events) OVER (PARTITION BY decision) AS share
FROM
(
  SELECT d.1 AS decision, d.2 AS action, count() AS events
  FROM (SELECT ${decided(names)} AS d FROM ${names.source} WHERE ${since(names, 'Minute', 'minutes')})
  WHERE action != ''
  GROUP BY decision, action
)
ORDER BY decision, events DESC, action`;
  });
}

function ruleHits(names: Names): NamedQuery {
  const about = 'What each rule of each version of the pipeline decided, and how often';
  return shipped('rule_hits', about, [MINUTES], () => {
    return `SELECT decision, rule, action, version, events
FROM
(
  SELECT d.1 AS decision, d.3 AS rule, d.2 AS action, _pipeline AS number, count() AS events
  FROM (SELECT _pipeline, ${decided(names)} AS d FROM ${names.source} WHERE ${since(names, 'Minute', 'minutes')})
  WHERE action != ''
  GROUP BY decision, rule, action, number
) AS hits
LEFT JOIN (SELECT number, any(version) AS version FROM pipelines GROUP BY number) AS versions ON versions.number = hits.number
ORDER BY decision, events DESC, rule, action, version`;
  });
}

function entityChoice(plan: Plan): QueryParameter {
  const names = plan.entities.map(({ name }) => name);
  return { name: 'entity', type: 'String', default: primaryOf(plan).name, choices: names };
}

function primaryOf({ entities }: Plan): EntityPlan {
  return entities.find(({ primary }) => primary) ?? entities[0]!;
}

function chosen(plan: Plan, choices: ReadonlyMap<string, string>): EntityPlan {
  return plan.entities.find(({ name }) => name === choices.get('entity'))!;
}

/** Parts with a comma between, as `GET /v1/entities` takes them. */
function keyText(plan: Plan, { key }: EntityPlan): string {
  const parts = key.map((part) => `toString(${expressionSql(plan, part)})`);
  return parts.length === 1 ? parts[0]! : `concat(${parts.join(", ',', ")})`;
}

/** Rows that count for the entity: those with a number in its order. Without a key, or beyond its `max`, there is none. */
function isThere(plan: Plan, { seqColumn }: EntityPlan): string {
  return `ifNull(${columnName(plan, seqColumn)}, 0) > 0`;
}

function topEntities(plan: Plan, names: Names): NamedQuery {
  const about = 'Who of an entity has most events';
  return shipped('top_entities', about, [entityChoice(plan), MINUTES, LIMIT], (choices) => {
    const entity = chosen(plan, choices);
    return `SELECT ${keyText(plan, entity)} AS key, count() AS events, min(${names.receivedAt}) AS first, max(${names.receivedAt}) AS last
FROM ${names.source}
WHERE ${since(names, 'Minute', 'minutes')} AND ${isThere(plan, entity)}
GROUP BY key
ORDER BY events DESC, key
LIMIT {limit:UInt32}`;
  });
}

/** Numbers and texts are compared as columns, so that the table's order finds them; others by their text. */
function isKey(plan: Plan, { key }: EntityPlan): string {
  const comparison = (part: Expression, text: string): string => {
    if (part.node !== 'column') return `toString(${expressionSql(plan, part)}) = ${text}`;
    const { kind, clickhouseType } = columnAt(plan, part.column);
    const name = columnName(plan, part.column);
    if (part.type === 'string') return `${name} = ${text}`;
    if (!NUMBERS.has(kind)) return `toString(${expressionSql(plan, part)}) = ${text}`;
    return `${name} = CAST(${text}, ${quoteText(clickhouseType.replace(/^Nullable\((.*)\)$/, '$1'))})`;
  };
  if (key.length === 1) return comparison(key[0]!, '{key:String}');
  return key.map((part, i) => comparison(part, `splitByChar(',', {key:String})[${i + 1}]`)).join(' AND ');
}

function entityHistory(plan: Plan, names: Names): NamedQuery {
  const key: QueryParameter = { name: 'key', type: 'String', default: null };
  const limit = { ...LIMIT, default: '100' };
  const about = 'The latest events of one entity, with what was decided and its features then';
  return shipped('entity_history', about, [entityChoice(plan), key, HOURS, limit], (choices) => {
    const entity = chosen(plan, choices);
    const columns = [
      names.receivedAt,
      names.effectiveTime,
      ...(names.eventId === null ? [] : [names.eventId]),
      ...(names.type === null ? [] : [names.type]),
      ...names.decisions.flatMap(({ action, rule }) => [action, rule]),
      ...entity.features.map(({ column }) => columnName(plan, column)),
    ];
    return `SELECT ${columns.join(', ')}
FROM ${names.source}
WHERE ${since(names, 'Hour', 'hours')} AND ${isThere(plan, entity)} AND ${isKey(plan, entity)}
ORDER BY ${columnName(plan, entity.lifeColumn)} DESC, ${columnName(plan, entity.seqColumn)} DESC
LIMIT {limit:UInt32}`;
  });
}

const FUNNEL_STEPS = ['first', 'second', 'third'] as const;

function funnel(plan: Plan, names: Names): NamedQuery {
  const entity = primaryOf(plan);
  const labels = (columnAt(plan, plan.system.type).labels ?? []).filter((label) => label !== '');
  const step = (name: string, otherwise: string | null, choices: readonly string[]): QueryParameter => {
    return { name, type: 'String', default: otherwise, choices };
  };
  const parameters = [
    step('first', null, labels),
    step('second', null, labels),
    step('third', '', ['', ...labels]),
    { name: 'within', type: 'UInt32', default: '3600' },
    HOURS,
  ];
  const about = `How many of ${entity.name} came from one type of event to the next, within so many seconds of the first`;
  return shipped('funnel', about, parameters, (choices) => {
    const steps = FUNNEL_STEPS.map((name) => choices.get(name)!).filter((label) => label !== '');
    const conditions = steps.map((label) => `type = ${quoteText(label)}`).join(', ');
    return `SELECT step, arrayElement([${steps.map(quoteText).join(', ')}], step) AS type, countIf(reached >= step) AS entities
FROM
(
  SELECT windowFunnel(toUInt64({within:UInt32}) * 1000)(time, ${conditions}) AS reached
  FROM
  (
    SELECT ${keyText(plan, entity)} AS key, toUInt64(toUnixTimestamp64Milli(${names.effectiveTime})) AS time, ${names.type!} AS type
    FROM ${names.source}
    WHERE ${since(names, 'Hour', 'hours')} AND ${isThere(plan, entity)}
  )
  GROUP BY key
)
ARRAY JOIN range(1, ${steps.length + 1}) AS step
GROUP BY step
ORDER BY step`;
  });
}

function retention(plan: Plan, names: Names): NamedQuery {
  const entity = primaryOf(plan);
  const days: QueryParameter = { name: 'days', type: 'UInt32', default: '7' };
  const about = `How many of ${entity.name} came again, by the first day of the last so many on which they came`;
  return shipped('retention', about, [days], () => {
    return `SELECT first_day, day - first_day AS days_later, count() AS entities
FROM
(
  SELECT key, arrayJoin(days) AS day, arrayMin(days) AS first_day
  FROM
  (
    SELECT ${keyText(plan, entity)} AS key, groupUniqArray(toDate(${names.receivedAt})) AS days
    FROM ${names.source}
    WHERE ${since(names, 'Day', 'days')} AND ${isThere(plan, entity)}
    GROUP BY key
  )
)
GROUP BY first_day, days_later
ORDER BY first_day, days_later`;
  });
}

/** Features, derived values and scores that are numbers. */
function percentiles(plan: Plan, names: Names): NamedQuery[] {
  const of = new Map<string, ColumnPlan>();
  for (const { name: entity, features } of plan.entities)
    for (const { name, column } of features) of.set(`${entity}.${name}`, columnAt(plan, column));
  for (const { name, column } of plan.computed ?? []) if (name !== '') of.set(name, columnAt(plan, column));
  for (const { name, column } of plan.models ?? []) of.set(`model.${name}`, columnAt(plan, column));
  const choices = [...of].filter(([, column]) => NUMBERS.has(column.kind)).map(([name]) => name);
  if (choices.length === 0) return [];
  const value: QueryParameter = { name: 'of', type: 'String', default: null, choices };
  const about = 'How a feature, a derived value or a score is spread: percentiles, and how often it is absent';
  return [
    shipped('percentiles', about, [value, MINUTES], (chosenOnes) => {
      const column = columnName(plan, of.get(chosenOnes.get('of')!)!.index);
      const levels = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99];
      const named = levels.map(
        (level, i) => `if(absent = rows, NULL, q[${i + 1}]) AS p${String(level * 100).padStart(2, '0')}`,
      );
      return `SELECT rows, absent, lowest, ${named.join(', ')}, highest
FROM
(
  SELECT count() AS rows, countIf(isNull(${column})) AS absent, toFloat64(minOrNull(${column})) AS lowest, toFloat64(maxOrNull(${column})) AS highest,
    arrayMap(v -> toFloat64(v), quantilesExact(${levels.join(', ')})(${column})) AS q
  FROM ${names.source}
  WHERE ${since(names, 'Minute', 'minutes')}
)`;
    }),
  ];
}

function freshness(names: Names): NamedQuery {
  const about = 'How far SQL can see: the newest row, how old it is, and what came in the last minute';
  return shipped('freshness', about, [], () => {
    const last = `(SELECT maxOrNull(last_received_at) FROM batches)`;
    return `SELECT ${last} AS newest, dateDiff('millisecond', newest, now64(3, 'UTC')) AS behind_ms,
  (SELECT count() FROM ${names.source} WHERE ${names.receivedAt} >= now64(3) - toIntervalMinute(1)) AS events_last_minute,
  (SELECT avgOrNull(dateDiff('millisecond', first_received_at, inserted_at)) FROM batches WHERE inserted_at >= now64(3) - toIntervalMinute(1)) AS oldest_row_waited_ms`;
  });
}

function ledger(names: Names): NamedQuery {
  const about = 'What is stored of each producer: events, dead letters, first and last';
  return shipped('ledger', about, [HOURS, { ...LIMIT, default: '1000' }], () => {
    const of = (table: string, producer: string, receivedAt: string, isEvent: 0 | 1): string =>
      `SELECT ${producer} AS producer, ${isEvent} AS is_event, ${receivedAt} AS received_at FROM ${table} WHERE ${receivedAt} >= now64(3) - toIntervalHour({hours:UInt32})`;
    return `SELECT toString(producer) AS producer, countIf(is_event = 1) AS events, countIf(is_event = 0) AS dead_letters,
  min(received_at) AS first, max(received_at) AS last
FROM
(
  ${of(names.source, names.producer, names.receivedAt, 1)}
  UNION ALL
  ${of('dead_letters', 'producer', 'received_at', 0)}
)
GROUP BY producer
ORDER BY events DESC, producer
LIMIT {limit:UInt32}`;
  });
}
