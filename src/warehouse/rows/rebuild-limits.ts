/**
 * Rebuilds what rules with a limit have taken, from the stored rows that took something, epoch by epoch as recovery does it.
 * On the main thread; called by src/rebuild.ts.
 */

import { openLimitReplays } from '../../../native-free-core/decide/rule-limits.ts';
import { compileState } from '../../../native-free-core/decide/state-loops.ts';
import { createColumn } from '../../../native-free-core/layout/column.ts';
import { BLOCK_ROWS_MAX } from '../../../native-free-core/layout/limits.ts';
import type { DecisionPlan, Plan } from '../../../native-free-core/layout/plan.ts';
import { RULE_DEFAULT } from '../../../native-free-core/policy/decision.ts';
import { replayLimit } from '../../../native-free-core/policy/limits.ts';
import { quoteName } from '../tables/index.ts';
import { neededColumns, writtenColumns } from './fill-from-rows.ts';
import type { RebuildRows } from './rebuild-entities.ts';
import { readSlices, REBUILD_THREADS } from './row-slices.ts';
import { askLines, eventsOf } from './stored-rows.ts';

export interface RebuildLimits extends RebuildRows {
  /** By decision and rule: a limit that has begun unused counts what was taken after this epoch. */
  readonly afterEpochs: readonly (readonly number[])[];
}

const HIGH = 4294967296;

export async function countLimitRows(request: Omit<RebuildLimits, 'onRows' | 'tables' | 'slices'>): Promise<number> {
  const { clickhouse, plan } = request;
  if (limited(plan).length === 0) return 0;
  const sql = `SELECT count() FROM ${eventsOf(clickhouse)} WHERE ${conditionOf(request)}`;
  const [line] = await askLines({ address: clickhouse, threads: REBUILD_THREADS }, sql);
  return Number(line![0]);
}

export async function rebuildLimits(request: RebuildLimits): Promise<void> {
  const { plan, tables, afterEpochs } = request;
  const decisions = limited(plan);
  if (decisions.length === 0) return;
  const needed = columnsOf(plan, decisions);
  const wanted = new Set([...needed, ...plan.entities.flatMap((entity) => writtenColumns(plan, entity))]);
  const columns = plan.columns.map((column, i) => createColumn(column, wanted.has(i) ? undefined : 0));
  const state = compileState(plan, columns, tables, 'replay');
  const replays = openLimitReplays(plan, columns, state, tables);
  const epochs = new Float64Array(BLOCK_ROWS_MAX);
  const effective = columns[plan.system.effectiveTime]!;
  const received = columns[plan.system.receivedAt]!;
  const after = decisions.map((decision) => afterEpochs[plan.decisions.indexOf(decision)]!);
  await readSlices({
    address: request.clickhouse,
    dictionary: tables.dictionary,
    columns,
    needed,
    numbers: [{ sql: '_epoch', into: epochs }],
    where: conditionOf(request),
    orderBy: '_epoch, _batch, _row',
    slices: request.slices,
    onRows(rows) {
      for (let r = 0; r < rows; r++) state.effective[r] = effective.u32[2 * r]! + effective.i32[2 * r + 1]! * HIGH;
      for (const loop of state.keyLoops) loop(0, rows);
      for (let r = 0; r < rows; r++) {
        const receivedAt = received.u32[2 * r]! + received.i32[2 * r + 1]! * HIGH;
        replays.forEach(({ rule, seq, limits }, i) => {
          if (seq[2 * r] === 0 && seq[2 * r + 1] === 0) return;
          const limit = limits[rule[r]!];
          if (limit === null || limit === undefined) return;
          const index = rule[r]! - RULE_DEFAULT - 1;
          if (epochs[r]! > (after[i]![index] ?? 0)) replayLimit(limit.gate, limit.cells, r, epochs[r]!, receivedAt);
        });
      }
      request.onRows(rows);
    },
  });
}

/** In the order of `openLimitReplays`. */
function limited(plan: Plan): DecisionPlan[] {
  return plan.decisions.filter(({ seqColumn }) => seqColumn !== undefined);
}

function conditionOf({ plan, throughEpoch }: Pick<RebuildLimits, 'plan' | 'throughEpoch'>): string {
  const took = limited(plan).map(({ seqColumn }) => `${quoteName(plan.columns[seqColumn!]!.name)} > 0`);
  return `_epoch <= ${throughEpoch} AND (${took.join(' OR ')})`;
}

/** Keys and lives of all entities, and what was taken. */
function columnsOf(plan: Plan, decisions: readonly DecisionPlan[]): number[] {
  const own = decisions.flatMap(({ ruleColumn, seqColumn, limitLifeColumn }) => [
    ruleColumn,
    seqColumn!,
    limitLifeColumn!,
  ]);
  const keys = plan.entities.flatMap((entity) => neededColumns(plan, { ...entity, features: [] }));
  return [...new Set([...keys, ...own])];
}
