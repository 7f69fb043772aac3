/**
 * Recomputes every feature of every stored row in ClickHouse and counts where the kernels stored something else. Works
 * through features and chunks of the keys, two questions at a time on one thread each, so that memory stays bounded
 * however many rows there are. Called by cli/verify.ts.
 */

import type { EntityPlan, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { eventsSource } from '../../contract/events-source.ts';
import { openQuery, type QueryTarget } from '../../client/index.ts';
import {
  orderSql,
  skewSql,
  straySql,
  verifySql,
  type Chunk,
  type OrderLine,
  type VerifyLine,
} from '../../warehouse/twin/index.ts';

export interface VerifyOptions {
  readonly plan: Plan;
  readonly target: QueryTarget;
  /** `player.spent_5m`, …; empty: all. */
  readonly features: readonly string[];
  /** Of arrival, ms UTC. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  readonly chunkRows?: number;
  /** Versions that stored the feature under this very definition, by entity and feature; absent: all of them. */
  readonly versionsOf?: (entity: EntityPlan, feature: FeaturePlan) => readonly number[];
  /** false: leaves the comparison with event time out. */
  readonly skew?: boolean;
  /** As soon as a feature is through. */
  readonly onFeature?: (report: FeatureReport) => void;
}

export interface Example {
  readonly log: number;
  readonly batch: number;
  readonly row: number;
  readonly key: string;
  readonly life: number;
  readonly seq: number;
  /** null: NULL. */
  readonly stored: string | null;
  readonly recomputed: string | null;
}

export interface FeatureReport {
  readonly feature: string;
  readonly rows: number;
  readonly equal: number;
  readonly different: number;
  /** Rows that an ordinary recomputation by event time, blind to arrival, gets different; null where there is none. */
  readonly event_time_different: number | null;
  /** Of `different`, rows that carry the feature although they do not have the entity. */
  readonly stray: number;
  readonly example: Example | null;
}

export interface EntityReport {
  readonly entity: string;
  readonly rows: number;
  readonly misnumbered: number;
  readonly misplaced: number;
  readonly example: {
    readonly log: number;
    readonly batch: number;
    readonly row: number;
    readonly key: string;
    readonly life: number;
    readonly seq: number;
    readonly expected: number;
  } | null;
}

export interface VerifyReport {
  readonly same: boolean;
  readonly pipeline: string;
  readonly version: string;
  readonly rows: number;
  readonly seconds: number;
  readonly entities: readonly EntityReport[];
  readonly features: readonly FeatureReport[];
}

/** Rows of one question: it takes up to 1 GB for as many. Smaller chunks cost: each reads all rows and takes its own. */
const CHUNK_ROWS = 2_000_000;
const QUESTIONS_AT_ONCE = 2;
const QUERY_SECONDS = 3600;

export async function runVerify(options: VerifyOptions): Promise<VerifyReport> {
  const { plan, target } = options;
  const started = performance.now();
  const countAll = `SELECT count() AS rows FROM ${eventsSource('all').from}`;
  const [{ rows }] = (await ask<{ rows: number }>(target, countAll)) as [{ rows: number }];
  const count = Math.max(1, Math.ceil(rows / (options.chunkRows ?? CHUNK_ROWS)));
  const chunks = Array.from({ length: count }, (_, chunk): Chunk => ({ chunk, chunks: count }));
  const turn = turns(QUESTIONS_AT_ONCE);
  const wanted = (entity: EntityPlan, feature: FeaturePlan): boolean =>
    options.features.length === 0 || options.features.includes(`${entity.name}.${feature.name}`);
  const entities = await Promise.all(
    plan.entities.map(async (entity) => {
      const order = checkOrder(options, entity, chunks, turn);
      const strays = countStrays(options, entity, turn);
      const features = entity.features.filter((feature) => wanted(entity, feature));
      const reports = features.map((feature) => checkFeature(options, entity, feature, chunks, turn, strays));
      return { order: await order, features: await Promise.all(reports) };
    }),
  );
  const orders = entities.map(({ order }) => order);
  const features = entities.flatMap((entity) => entity.features);
  return {
    same:
      features.every(({ different }) => different === 0) &&
      orders.every(({ misnumbered, misplaced }) => misnumbered === 0 && misplaced === 0),
    pipeline: plan.pipeline,
    version: plan.version,
    rows,
    seconds: Math.round(performance.now() - started) / 1000,
    entities: orders,
    features,
  };
}

/** Runs what it is given, so many at a time. */
type Turn = <T>(work: () => Promise<T>) => Promise<T>;

function turns(most: number): Turn {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((go) => waiting.push(go));
    else running++;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running--;
      else next();
    }
  };
}

async function ask<Row>(target: QueryTarget, sql: string): Promise<Row[]> {
  const response = await openQuery(target, sql, {
    default_format: 'JSONEachRow',
    output_format_json_quote_64bit_integers: '0',
    max_threads: '1',
    max_execution_time: String(QUERY_SECONDS),
  });
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
}

async function checkFeature(
  options: VerifyOptions,
  entity: EntityPlan,
  feature: FeaturePlan,
  chunks: readonly Chunk[],
  turn: Turn,
  strays: Promise<ReadonlyMap<FeaturePlan, number>>,
): Promise<FeatureReport> {
  const { plan, target, sinceMs, untilMs } = options;
  const versions = options.versionsOf?.(entity, feature);
  const range = {
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(versions === undefined ? {} : { versions }),
  };
  const lines = await Promise.all(
    // Where no version has stored it, there is nothing to compare.
    (versions?.length === 0 ? [] : chunks).map((chunk) =>
      turn(() => ask<VerifyLine>(target, verifySql(plan, entity, feature, { chunk, ...range }))),
    ),
  );
  const found = lines.flat();
  const sum = (pick: (line: VerifyLine) => number): number => found.reduce((all, line) => all + pick(line), 0);
  const rows = sum((line) => line.rows);
  const skews = await Promise.all(
    chunks.map(async (chunk) => {
      const sql =
        options.skew === false || versions?.length === 0 ? null : skewSql(plan, entity, feature, { chunk, ...range });
      return sql === null ? [] : turn(() => ask<{ different: number }>(target, sql));
    }),
  );
  const different = sum((line) => line.different);
  const stray = (await strays).get(feature) ?? 0;
  const report: FeatureReport = {
    feature: `${entity.name}.${feature.name}`,
    rows,
    equal: rows - different,
    different: different + stray,
    event_time_different:
      skews.flat().length === 0 ? null : skews.flat().reduce((all, line) => all + line.different, 0),
    stray,
    example: firstExample(found),
  };
  options.onFeature?.(report);
  return report;
}

function firstExample(lines: readonly VerifyLine[]): Example | null {
  const [first] = lines
    .filter((line) => line.different > 0)
    .sort(
      (a, b) => a.example_log - b.example_log || a.example_batch - b.example_batch || a.example_row - b.example_row,
    );
  if (first === undefined) return null;
  const value = (text: string): string | null => (text === '' ? null : text);
  return {
    log: first.example_log,
    batch: first.example_batch,
    row: first.example_row,
    key: first.example_key,
    life: first.example_life,
    seq: first.example_seq,
    stored: value(first.example_stored),
    recomputed: value(first.example_recomputed),
  };
}

async function checkOrder(
  { plan, target }: VerifyOptions,
  entity: EntityPlan,
  chunks: readonly Chunk[],
  turn: Turn,
): Promise<EntityReport> {
  const lines = await Promise.all(
    chunks.map((chunk) => turn(() => ask<OrderLine>(target, orderSql(plan, entity, chunk)))),
  );
  const found = lines.flat();
  const sum = (pick: (line: OrderLine) => number): number => found.reduce((all, line) => all + pick(line), 0);
  const [first] = found.filter((line) => line.misnumbered + line.misplaced > 0);
  return {
    entity: entity.name,
    rows: sum((line) => line.rows),
    misnumbered: sum((line) => line.misnumbered),
    misplaced: sum((line) => line.misplaced),
    example:
      first === undefined
        ? null
        : {
            log: first.example_log,
            batch: first.example_batch,
            row: first.example_row,
            key: first.example_key,
            life: first.example_life,
            seq: first.example_seq,
            expected: first.example_expected,
          },
  };
}

async function countStrays(
  { plan, target, versionsOf }: VerifyOptions,
  entity: EntityPlan,
  turn: Turn,
): Promise<ReadonlyMap<FeaturePlan, number>> {
  if (entity.features.length === 0) return new Map();
  const ofFeature = versionsOf && ((feature: FeaturePlan): readonly number[] => versionsOf(entity, feature));
  const [line] = await turn(() => ask<Record<string, number>>(target, straySql(plan, entity, ofFeature)));
  return new Map(entity.features.map((feature, i) => [feature, line?.[`stray_${i}`] ?? 0]));
}
