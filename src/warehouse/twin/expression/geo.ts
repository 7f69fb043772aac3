/** Places: geohashes and distances, from degrees. */

import type { Expression } from '../../../../native-free-core/layout/plan.ts';
import type { SqlCode, SqlContext } from './context.ts';
import { asDouble, emitOperand } from './number.ts';

export function geoTile(context: SqlContext, operands: readonly Expression[]): SqlCode {
  const [latitude, longitude] = [emitOperand(context, operands[0]!), emitOperand(context, operands[1]!)];
  const precision = operands[2]!;
  if (precision.node !== 'constant') throw new Error('the precision of a geohash is a constant');
  const sql = `geohashEncode(${asDouble(longitude)}, ${asDouble(latitude)}, ${Number(precision.value)})`;
  return { sql, nullable: latitude.nullable || longitude.nullable };
}
