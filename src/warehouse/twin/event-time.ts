/**
 * What features would be where nobody knows when a row came: windows (t - W, t] by event time over all rows of a key, as an
 * ordinary recomputation has them. Only for comparison: how many rows it gets different is the skew that others live with.
 */

import type { EntityPlan, FeaturePlan, Plan } from '../../../native-free-core/plan/plan.ts';
import { isAdding } from './adding.ts';
import { joinSteps, rowSource, type FeatureSqlOptions } from './feature-sql.ts';
import { contributedRows, identity, keyNames, type RowSource, type Step } from './placement.ts';
import { addedValue, keptValue } from './value.ts';

/** Moves of a row: the row itself, which reads; its way in; its way out. */
const OUT = 0;
const ROW = 1;
const IN = 2;

/** Rows of one time see one another. */
const UP_TO = 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
const BEFORE = 'ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING';
const RUNNING = 'ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW';
/** An order among rows of one time, too. */
const STAMP = 'bitShiftLeft(toUInt128(t), 64) + bitShiftLeft(toUInt128(_batch), 32) + _row';

/** As featureSql, without key, life and seq; null where no ordinary recomputation compares: ewma, and delays or exclusions of what does not add up. */
export function eventTimeSql(
  plan: Plan,
  entity: EntityPlan,
  feature: FeaturePlan,
  options: FeatureSqlOptions = {},
): string | null {
  if (feature.aggregate === 'ewma') return null;
  const isShifted = (feature.delayMs ?? 0) > 0 || feature.excludesCurrent === true;
  if (isShifted && (!isAdding(feature) || feature.aggregate === 'count_distinct')) return null;
  const source = { ...rowSource(plan, entity, options), timeColumn: plan.system.eventTime };
  const steps = [...contributedRows(source, feature), ...grouped(source, feature)];
  steps.push(...(isAdding(feature) ? adding(source, feature) : keeping(source, feature)));
  return joinSteps(steps, `SELECT ${yielded(source)}, value FROM valued`);
}

function yielded(source: RowSource): string {
  return ['_batch', '_row', ...source.carried.map((c) => c.name)].join(', ');
}

/** Step `grouped`: `part` is the day or the session; windows go over the whole key. */
function grouped(source: RowSource, feature: FeaturePlan): Step[] {
  const columns = `${identity(source)}, x`;
  if (feature.dayColumn !== undefined) return [['grouped', `SELECT ${columns}, day AS part FROM contributed`]];
  if (feature.session === undefined) return [['grouped', `SELECT ${columns}, 0 AS part FROM contributed`]];
  const by = `PARTITION BY ${keyNames(source)} ORDER BY t, _batch, _row ${RUNNING}`;
  return [
    ['neighboured', `SELECT *, t - lagInFrame(t) OVER (${by}) > ${feature.session.gapMs} AS begins FROM contributed`],
    ['grouped', `SELECT ${columns}, sum(begins) OVER (${by}) AS part FROM neighboured`],
  ];
}

function partition(source: RowSource): string {
  return `PARTITION BY ${keyNames(source)}, part`;
}

function adding(source: RowSource, feature: FeaturePlan): Step[] {
  const delay = feature.delayMs ?? 0;
  const leaves = feature.windowMs > 0;
  const isDistinct = feature.aggregate === 'count_distinct';
  const steps: Step[] = [];
  if (isDistinct) steps.push(...spells(source, feature));
  const enters = isDistinct ? 'start' : `t + ${delay}`;
  const own = isDistinct || delay > 0 ? 0 : 1;
  const list = [ROW, ...(own === 1 ? [] : [IN]), ...(leaves ? [OUT] : [])];
  const active = isDistinct ? 'is_active' : 'x IS NOT NULL';
  steps.push([
    'moved',
    `SELECT ${identity(source)}, part, x, arrayJoin(if(${active}, [${list.join(', ')}], [${ROW}])) AS move, move = ${ROW} AS is_row, ` +
      `multiIf(is_row, t, move = ${IN}, ${enters}, t + ${delay + feature.windowMs}) AS at, ` +
      `multiIf(is_row, toInt8(${own === 1 ? active : '0'}), move = ${IN}, 1, -1) AS sign FROM ${isDistinct ? 'spelled' : 'grouped'}`,
  ]);
  const over = `OVER (${partition(source)} ORDER BY at ${UP_TO})`;
  const less = (sql: string): string =>
    feature.excludesCurrent === true && own === 1 ? ` - if(sign = 1, ${sql}, 0)` : '';
  const sums =
    `sum(toInt64(sign)) ${over}${less('1')} AS events` +
    (['sum', 'avg', 'stddev_pop'].includes(feature.aggregate)
      ? `, sum(toInt128(sign * ifNull(x, 0))) ${over}${less('ifNull(x, 0)')} AS total`
      : '') +
    (feature.aggregate === 'stddev_pop'
      ? `, sum(toInt256(ifNull(x, 0)) * ifNull(x, 0) * sign) ${over}${less('toInt256(ifNull(x, 0)) * ifNull(x, 0)')} AS squares`
      : '');
  steps.push(
    ['summed', `SELECT * FROM (SELECT ${identity(source)}, is_row, ${sums} FROM moved) WHERE is_row`],
    ['valued', `SELECT ${identity(source)}, ${addedValue(feature)} AS value FROM summed`],
  );
  return steps;
}

/** Only the part of a row's stay that no earlier row of the same value covers. */
function spells(source: RowSource, feature: FeaturePlan): Step[] {
  const delay = feature.delayMs ?? 0;
  const leave = feature.windowMs > 0 ? `t + ${delay + feature.windowMs}` : 'toInt64(9223372036854775807)';
  const over = `OVER (${partition(source)}, x ORDER BY t, _batch, _row ${BEFORE})`;
  return [
    ['covered', `SELECT *, maxIf(${leave}, x IS NOT NULL) ${over} AS until FROM grouped`],
    [
      'spelled',
      `SELECT *, x IS NOT NULL AND until < ${leave} AS is_active, greatest(t + ${delay}, until) AS start FROM covered`,
    ],
  ];
}

function keeping(source: RowSource, feature: FeaturePlan): Step[] {
  const { aggregate, windowMs } = feature;
  const isBefore = aggregate === 'previous' || aggregate === 'time_since_last';
  if (!isBefore && aggregate !== 'last' && windowMs > 0) return blocks(source, feature);
  const over = isBefore
    ? `OVER (${partition(source)} ORDER BY t, _batch, _row ${BEFORE})`
    : `OVER (${partition(source)} ORDER BY t ${UP_TO})`;
  const [kept, rank] = stateOf(feature, 'x');
  const value = aggregate === 'time_since_last' ? 'toFloat64(t - kept_t)' : keptValue(feature, 'kept');
  const keptT = `anyLast(if(x IS NULL, NULL, t)) ${over} AS kept_t`;
  const keptX = isBefore ? `anyLast(x) ${over}` : `${kept} ${over}`;
  const rankT = `toInt64(bitShiftRight(${rank} ${over}, 64)) AS kept_t`;
  const inside = windowMs > 0 ? ` AND kept_t > t - ${windowMs}` : '';
  const time = isBefore ? keptT : aggregate === 'min' || aggregate === 'max' ? `${kept} ${over} AS kept_t` : rankT;
  return [
    ['running', `SELECT ${identity(source)}, ${keptX} AS kept, ${time} FROM grouped`],
    ['valued', `SELECT ${identity(source)}, if(kept_t IS NOT NULL${inside}, ${value}, NULL) AS value FROM running`],
  ];
}

/** The value, and by what it is chosen. */
function stateOf({ aggregate }: FeaturePlan, x: string): readonly [string, string] {
  const stamp = `if(${x} IS NULL, NULL, ${STAMP})`;
  switch (aggregate) {
    case 'first':
      return [`argMin(${x}, ${stamp})`, `min(${stamp})`];
    case 'min':
    case 'max':
      return [`${aggregate}(${x})`, `${aggregate}(${x})`];
    default:
      return [`argMax(${x}, ${stamp})`, `max(${stamp})`];
  }
}

/**
 * Time is cut into blocks of the window's length: every window is the end of one block and the beginning of the next. So
 * each row reads twice, at t and, in the block before, at t - W, and no frame is walked through again.
 */
function blocks(source: RowSource, feature: FeaturePlan): Step[] {
  const { windowMs, aggregate } = feature;
  const of = (over: string, name: string): string => {
    const [kept, rank] = stateOf(feature, 'block_x');
    return `${kept} ${over} AS ${name}_kept, ${rank} ${over} AS ${name}_rank`;
  };
  const block = `${partition(source)}, block ORDER BY at`;
  const rows = `${yielded(source)}, is_row`;
  const choose = aggregate === 'max' ? 'argMax' : 'argMin';
  const carried = source.carried.map(({ name }) => `, any(${name}) AS ${name}`).join('');
  return [
    [
      'copied',
      `SELECT ${identity(source)}, part, arrayJoin([1, 0]) AS is_row, t - if(is_row, 0, ${windowMs}) AS at, intDiv(at, ${windowMs}) AS block, ` +
        `if(is_row, x, NULL) AS block_x FROM grouped`,
    ],
    [
      'framed',
      `SELECT ${rows}, ${of(`OVER (${block} ${UP_TO})`, 'begin')}, ` +
        `${of(`OVER (${block} DESC RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`, 'end')} FROM copied`,
    ],
    [
      'halved',
      `SELECT ${rows}, if(is_row, begin_kept, end_kept) AS kept_half, if(is_row, begin_rank, end_rank) AS rank_half FROM framed`,
    ],
    [
      'chosen',
      `SELECT _batch, _row${carried}, ${choose}(kept_half, rank_half) AS kept FROM halved GROUP BY _batch, _row`,
    ],
    ['valued', `SELECT ${yielded(source)}, ${keptValue(feature, 'kept')} AS value FROM chosen`],
  ];
}
