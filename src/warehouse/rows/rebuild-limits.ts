/**
 * Rebuilds what rules with a limit have taken, from the stored rows that took something, epoch by epoch as recovery does it.
 * On the main thread; called by src/recovery/rebuild.ts.
 */

import { WORD } from '../../../native-free-core/base/words.ts';
import { openLimitReplays } from '../../../native-free-core/decide/join-limits.ts';
import { compileState } from '../../../native-free-core/decide/state-loops.ts';
import { createColumn } from '../../../native-free-core/layout/column.ts';
import { BLOCK_ROWS_MAX } from '../../../native-free-core/layout/limits.ts';
import type { DecisionPlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { RULE_DEFAULT, type RuleLimit } from '../../../native-free-core/policy/decision.ts';
import { replayLimit } from '../../../native-free-core/policy/limit-takes.ts';
import { eventsSource } from '../../contract/events-source.ts';
import { written, type Position } from '../../contract/event-log.ts';
import { quoteName } from '../../contract/sql-text.ts';
import { neededColumns, writtenColumns } from './fill-from-rows.ts';
import type { RebuildRows } from './rebuild-entities.ts';
import { readSlices, REBUILD_THREADS } from './row-slices.ts';
import { countRows } from './stored-rows.ts';

export interface RebuildLimits extends RebuildRows {
  /** By decision and rule: a limit that has begun unused counts what was taken after this epoch. */
  readonly afterEpochs: readonly (readonly Position[])[];
}

/** Cells to which no take is added: one of a limit that is no more moves seq and life on, and nothing else. */
const UNCOUNTED = { isRing: true, hops: -Infinity } as const;

export async function countLimitRows(request: Omit<RebuildLimits, 'onRows' | 'tables' | 'slices'>): Promise<number> {
  const { clickhouse, plan, log, throughEpoch } = request;
  if (limited(plan).length === 0) return 0;
  const source = eventsSource({ log, throughEpoch }, clickhouse.database);
  return countRows({ address: clickhouse, threads: REBUILD_THREADS }, source, conditionOf(plan));
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
  // As numbers: the loop below goes by rows, whose epochs come from a column.
  const since = decisions.map((decision) => afterEpochs[plan.decisions.indexOf(decision)]!.map(written));
  await readSlices({
    threads: REBUILD_THREADS,
    address: request.clickhouse,
    dictionary: tables.dictionary,
    columns,
    needed,
    numbers: [{ sql: '_epoch', into: epochs }],
    where: conditionOf(plan),
    orderBy: '_epoch, _batch, _row',
    slices: request.slices,
    onRows(rows) {
      for (let r = 0; r < rows; r++) state.effective[r] = effective.u32[2 * r]! + effective.i32[2 * r + 1]! * WORD;
      for (const loop of state.keyLoops) loop(0, rows);
      for (let r = 0; r < rows; r++) {
        const receivedAt = received.u32[2 * r]! + received.i32[2 * r + 1]! * WORD;
        replays.forEach(({ rule, seq, limits }, i) => {
          if (seq[2 * r] === 0 && seq[2 * r + 1] === 0) return;
          const known = limits[rule[r]!] ?? null;
          const limit = known ?? onlyTable(limits);
          if (limit === null) return;
          const index = rule[r]! - RULE_DEFAULT - 1;
          const counts = known !== null && epochs[r]! > (since[i]![index] ?? 0);
          replayLimit(limit.gate, counts ? limit.cells : { ...limit.cells, ...UNCOUNTED }, r, epochs[r]!, receivedAt);
        });
      }
      request.onRows(rows);
    },
  });
}

/** For a take of a rule that is no more: the table of the decision's limits, where all of them count by the same entity. */
function onlyTable(limits: readonly (RuleLimit | null)[]): RuleLimit | null {
  const some = limits.filter((limit) => limit !== null);
  return some.every(({ gate }) => gate.table === some[0]!.gate.table) ? (some[0] ?? null) : null;
}

/** In the order of `openLimitReplays`. */
function limited(plan: Plan): DecisionPlan[] {
  return plan.decisions.filter(({ seqColumn }) => seqColumn !== undefined);
}

function conditionOf(plan: Plan): string {
  const took = limited(plan).map(({ seqColumn }) => `${quoteName(plan.columns[seqColumn!]!.name)} > 0`);
  return `(${took.join(' OR ')})`;
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
