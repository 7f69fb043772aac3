/**
 * `hunt plan FILE --url`: what `hunt deploy` would do with the file, asked of the server itself, so that it is right; how
 * many stored rows a backfill has to read and whether the tables can follow, asked of ClickHouse. Changes nothing.
 */

import type { Plan } from '../../../native-free-core/plan/plan.ts';
import { queryRows, queryTarget, type HuntControl, type QueryTarget } from '../../client/index.ts';
import type { ChangeDescription, FeatureChange, LoadedPipeline } from '../../config/index.ts';
import { OperatingError } from '../../errors.ts';
import { planChangeMemory, type ChangeMemoryPlan } from '../../memory/change-memory-plan.ts';
import { EVENTS_TABLE, eventsSource } from '../../contract/events-source.ts';
import { quoteName, quoteText } from '../../contract/sql-text.ts';
import { eventsTable, planMigration, type ExistingColumn } from '../../warehouse/tables/index.ts';

const QUERY_MS = 60_000;

export interface PlannedFeature extends FeatureChange {
  /** Stored rows that must be read to compute it; 0 where it is not backfilled. */
  readonly storedRows: number;
}

export interface PlannedChange extends Pick<ChangeDescription, 'class' | 'edits' | 'entities' | 'renames'> {
  readonly pipeline: string;
  readonly from: string;
  readonly to: string;
  readonly accepted: boolean;
  readonly refusals: readonly string[];
  readonly features: readonly PlannedFeature[];
  /** null where it is refused. */
  readonly memory: ChangeMemoryPlan | null;
}

export interface PlanChangeInput {
  readonly control: HuntControl;
  readonly loaded: Pick<LoadedPipeline, 'plan' | 'sources'>;
  readonly clickhouse: string | undefined;
  readonly ingresses: number;
}

export async function planChange({ control, loaded, clickhouse, ingresses }: PlanChangeInput): Promise<PlannedChange> {
  const { plan } = loaded;
  const [{ plan: running }, { workers }, preview, target] = await Promise.all([
    control.pipeline(),
    control.server(),
    control.previewDeploy(loaded.sources),
    queryTarget(control, clickhouse),
  ]);
  const diff = preview.diff as ChangeDescription;
  const storedRows = await countRows(target, plan, diff.features);
  const conflict = preview.change === null ? null : await tableConflict(target, plan, diff);
  const refusals = [...preview.refusals, ...(conflict === null ? [] : [conflict])];
  const accepted = preview.change !== null && refusals.length === 0;
  return {
    pipeline: plan.pipeline,
    from: running.version,
    to: preview.version,
    accepted,
    class: accepted ? diff.class : 'refused',
    refusals,
    edits: diff.edits,
    entities: diff.entities,
    features: diff.features.map((feature) => ({
      ...feature,
      storedRows: feature.fate === 'backfilled' ? (storedRows.get(feature.entity) ?? 0) : 0,
    })),
    renames: diff.renames,
    memory: preview.change === null ? null : planChangeMemory(running, plan, preview.change, workers, ingresses),
  };
}

/** Rows of the entities that have features to backfill: those that have a number within it. */
async function countRows(
  target: QueryTarget,
  plan: Plan,
  features: readonly FeatureChange[],
): Promise<ReadonlyMap<string, number>> {
  const names = new Set(features.filter(({ fate }) => fate === 'backfilled').map(({ entity }) => entity));
  const entities = plan.entities.filter(({ name }) => names.has(name));
  if (entities.length === 0) return new Map();
  const counts = entities.map(({ name, seqColumn }) => {
    const seq = quoteName(plan.columns[seqColumn]!.name);
    return `toFloat64(countIf(${seq} > 0)) AS ${quoteName(name)}`;
  });
  const sql = `SELECT ${counts.join(', ')} FROM ${eventsSource('all').from}`;
  const [row] = await queryRows<Record<string, number>>(target, sql, QUERY_MS);
  return new Map(Object.entries(row ?? {}));
}

/** What the tables themselves cannot follow, such as a name under which an earlier version's column is stored. */
async function tableConflict(target: QueryTarget, plan: Plan, { renames }: ChangeDescription): Promise<string | null> {
  const existing = await queryRows<ExistingColumn>(
    target,
    `SELECT name, type, default_kind AS kind, default_expression AS expression, comment FROM system.columns
     WHERE database = ${quoteText(target.database)} AND table = ${quoteText(EVENTS_TABLE)} ORDER BY position`,
    QUERY_MS,
  );
  try {
    planMigration(target.database, eventsTable(plan), existing, renames);
    return null;
  } catch (error) {
    if (error instanceof OperatingError) return error.message;
    throw error;
  }
}
