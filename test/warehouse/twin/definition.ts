/**
 * The definitions of docs/semantics.md §5 and §6, in the slowest and plainest way: what a feature is at the n-th row of a
 * life.
 */

import type { FeaturePlan } from '../../../native-free-core/plan/plan.ts';

export interface HistoryRow {
  readonly t: number;
  /** null: does not contribute. An exact integer, a float as it came, or any value of count_distinct. */
  readonly x: number | bigint | string | null;
  readonly day: number;
}

export function valueByDefinition(feature: FeaturePlan, rows: readonly HistoryRow[]): number | string | null {
  const n = rows.length - 1;
  const now = rows[n]!;
  if (feature.aggregate === 'previous' || feature.aggregate === 'time_since_last') {
    const before = rows.slice(0, n).findLast((row) => row.x !== null);
    if (before === undefined || !insideOf(feature, rows)(before)) return null;
    return feature.aggregate === 'previous' ? kept(feature, before.x!) : now.t - before.t;
  }
  const inside = feature.session === undefined ? insideOf(feature, rows) : inSession(feature, rows);
  const members = rows
    .map((row, seq) => ({ ...row, seq, row }))
    .filter(({ row, seq }) => row.x !== null && inside(row) && !(feature.excludesCurrent === true && seq === n));
  return aggregate(feature, members, rows);
}

function insideOf(feature: FeaturePlan, rows: readonly HistoryRow[]): (row: HistoryRow) => boolean {
  const { windowMs: w, hopMs: h, delayMs: d = 0, dayColumn } = feature;
  if (dayColumn !== undefined) {
    const day = Math.max(...rows.map((row) => row.day));
    return (row) => row.day === day;
  }
  if (w === 0) return () => true;
  const clock = Math.max(...rows.map((row) => row.t));
  return ({ t }) =>
    Math.floor(t / h) >= Math.floor((clock - d - w) / h) &&
    (d === 0 || Math.floor(t / h) < Math.floor((clock - d) / h));
}

function inSession(feature: FeaturePlan, rows: readonly HistoryRow[]): (row: HistoryRow) => boolean {
  const { gapMs, lateMs } = feature.session!;
  let clock = -Infinity;
  const admitted = new Set<HistoryRow>();
  for (const row of rows) {
    clock = Math.max(clock, row.t);
    if (row.t >= clock - lateMs) admitted.add(row);
  }
  const chain = [...admitted].sort((a, b) => b.t - a.t);
  let start = clock;
  for (const { t } of chain) {
    if (start - t > gapMs) break;
    start = t;
  }
  return (row) => admitted.has(row) && row.t >= start;
}

type Member = HistoryRow & { readonly seq: number };
type Input = NonNullable<HistoryRow['x']>;

function aggregate(
  feature: FeaturePlan,
  members: readonly Member[],
  rows: readonly HistoryRow[],
): number | string | null {
  const scale = 10 ** Math.max(0, feature.decimals);
  const n = members.length;
  const sum = (of: (x: bigint) => bigint): bigint => members.reduce((all, { x }) => all + of(BigInt(x as number)), 0n);
  const byTime = [...members].sort((a, b) => a.t - b.t || a.seq - b.seq);
  switch (feature.aggregate) {
    case 'count':
      return n;
    case 'rate':
      return n / (feature.windowMs / 1000);
    case 'sum':
      return bounded(Number(sum((x) => x)) / scale);
    case 'avg':
      return n === 0 ? null : bounded(Number(sum((x) => x)) / (n * scale));
    case 'stddev_pop': {
      const s = sum((x) => x);
      return n === 0 ? null : bounded(Math.sqrt(Number(BigInt(n) * sum((x) => x * x) - s * s)) / (n * scale));
    }
    case 'count_distinct':
      return Math.min(new Set(members.map(({ x }) => x)).size, feature.cap ?? 256);
    case 'ewma': {
      if (n === 0) return null;
      const head = Math.floor(Math.max(...rows.map((row) => row.t)) / feature.hopMs);
      let [events, total] = [0n, 0n];
      for (const { t, x } of members) {
        const weight = BigInt(feature.weights![head - Math.floor(t / feature.hopMs)]!);
        events += weight;
        total += weight * BigInt(x as number);
      }
      return events === 0n ? null : bounded(Number(total) / (Number(events) * scale));
    }
    case 'min':
    case 'max': {
      const values = members.map(({ x }) => x as number);
      return n === 0 ? null : kept(feature, feature.aggregate === 'min' ? Math.min(...values) : Math.max(...values));
    }
    case 'first':
      return n === 0 ? null : kept(feature, byTime[0]!.x!);
    case 'last':
      return n === 0 ? null : kept(feature, byTime.at(-1)!.x!);
    case 'quantile': {
      const sorted = latest(feature, members, rows).sort((a, b) => Number(a) - Number(b));
      const rank = Math.ceil((Math.round((feature.q ?? 0.5) * 10_000) * sorted.length) / 10_000);
      return sorted.length === 0 ? null : kept(feature, sorted[Math.max(1, rank) - 1]!);
    }
    case 'mode': {
      const inputs = latest(feature, members, rows);
      const timesOf = (x: Input): number => inputs.filter((other) => other === x).length;
      const found = inputs.findLast((x) => inputs.every((other) => timesOf(other) <= timesOf(x)));
      return found === undefined ? null : kept(feature, found);
    }
    case 'previous':
    case 'time_since_last':
      throw new Error(`it looks back: ${feature.aggregate}`);
  }
}

/** Of the last `cap` inputs that came into the window, those that are still there, in the order in which they came. */
function latest(feature: FeaturePlan, members: readonly Member[], rows: readonly HistoryRow[]): Input[] {
  const { cap = 256, session, excludesCurrent } = feature;
  const entered = (row: HistoryRow, i: number): boolean =>
    row.x !== null && (excludesCurrent !== true || i < rows.length - 1) && insideOf(feature, rows.slice(0, i + 1))(row);
  const came =
    session === undefined ? rows.flatMap((row, i) => (entered(row, i) ? [i] : [])) : members.map(({ seq }) => seq);
  const last = new Set(came.slice(-cap));
  return members.filter(({ seq }) => last.has(seq)).map(({ x }) => x!);
}

function kept(feature: FeaturePlan, x: number | bigint | string): number | string | null {
  if (typeof x === 'string' || feature.decimals < 0) return typeof x === 'bigint' ? Number(x) : x;
  return bounded(Number(x) / 10 ** feature.decimals);
}

function bounded(value: number): number | null {
  return Math.abs(value) < 2 ** 53 ? value : null;
}
