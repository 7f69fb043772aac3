/**
 * Session windows: the chain of admitted rows, none further than the gap from the next in time, that holds the entity's
 * clock. Late rows lengthen sessions backwards and merge them, so a row belongs to what is one session in the end, and
 * sees of it what hung together when it came.
 *
 *   admitted  not more than `late` behind the clock
 *   session   number of the session, in the end, that holds the clock; a row is a member if it lies in it, too
 *   tangled   the session once fell into parts; all others simply grow row by row
 *   starts    rows of a tangled session at which a part began: from their own seq on, until a row within the gap came
 *   start     of the part that holds the clock at this row
 */

import type { FeaturePlan } from '../../../native-free-core/plan/plan.ts';
import { BEFORE, PRECEDING, type Step } from '../../../native-free-core/language/aggregates/sql-part.ts';
import { identity, keyNames, type RowSource } from './placement.ts';

/**
 * From `contributed`. Ends with step `seen`: each row once where `is_row`, and once more for each part that it is in;
 * `part_x` is what it brings to the part.
 */
export function sessionSteps(source: RowSource, feature: FeaturePlan): Step[] {
  const { gapMs, lateMs } = feature.session!;
  const entity = `PARTITION BY ${keyNames(source)}, life`;
  const columns = `${identity(source)}, x`;
  const inSession = `PARTITION BY ${keyNames(source)}, life, session`;
  return [
    [
      'clocked',
      `SELECT *, t >= max(t) OVER (${entity} ORDER BY seq ${PRECEDING}) - ${lateMs} AS admitted FROM contributed`,
    ],
    [
      'neighboured',
      `SELECT *, t - lagInFrame(t) OVER (${entity}, admitted ORDER BY t, seq ${PRECEDING}) > ${gapMs} AS begins FROM clocked`,
    ],
    [
      'chained',
      `SELECT *, if(admitted, sum(begins) OVER (${entity}, admitted ORDER BY t, seq ${PRECEDING}), 0) AS chain FROM neighboured`,
    ],
    [
      'seated',
      `SELECT *, max(chain) OVER (${entity} ORDER BY seq ${PRECEDING}) AS session, chain = session AS member, if(member, t, NULL) AS member_t FROM chained`,
    ],
    [
      'bordered',
      `SELECT *, min(member_t) OVER (${inSession} ORDER BY seq ${BEFORE}) AS lowest, ` +
        `max(member_t) OVER (${inSession} ORDER BY seq ${BEFORE}) AS highest FROM seated`,
    ],
    [
      'judged',
      `SELECT ${columns}, session, member, member_t, ` +
        `max(ifNull(t > highest + ${gapMs} OR t < lowest - ${gapMs}, 0) AND member) OVER (${inSession}) AS tangled FROM bordered`,
    ],
    [
      'joined',
      `SELECT *, min(if(member, seq, NULL)) OVER (${inSession}, if(tangled, 0, seq) ORDER BY t RANGE BETWEEN ${gapMs} PRECEDING AND 1 PRECEDING) AS joined_at FROM judged`,
    ],
    [
      'parted',
      `SELECT ${columns}, session, member, ` +
        `groupArrayIf((seq, ifNull(joined_at, 18446744073709551615), t), tangled AND member AND (joined_at IS NULL OR joined_at > seq)) OVER (${inSession}) AS starts FROM joined`,
    ],
    [
      'started',
      `SELECT *, arrayMax(arrayConcat([toInt64(0)], arrayMap(_s -> if(_s.1 <= seq AND seq < _s.2, _s.3, 0), starts))) AS start FROM parted`,
    ],
    [
      'seen',
      `SELECT ${columns}, session, arrayJoin(arrayDistinct(arrayConcat([start], arrayMap(_s -> _s.3, arrayFilter(_s -> member AND _s.3 <= t, starts))))) AS part, ` +
        `part = start AS is_row, if(member AND t >= part, x, NULL) AS part_x FROM started`,
    ],
  ];
}
