/** Places: geohashes and distances, from degrees. */

import type { Expression } from '../../plan/plan.ts';
import type { SqlCode, SqlContext, SqlNumber } from './context.ts';
import { asDouble, doubleCode, emitLoose } from './operands.ts';

/** A point that is none on the globe has no tile. */
export function geoTile(context: SqlContext, operands: readonly Expression[]): SqlCode {
  const [latitude, longitude] = operands.slice(0, 2).map((operand) => asDouble(emitLoose(context, operand)));
  const precision = operands[2]!;
  if (precision.node !== 'constant') throw new Error('the precision of a geohash is a constant');
  const digits = Number(precision.value);
  const tile = (y: string, x: string): string =>
    `if(abs(${y}) <= 90 AND abs(${x}) <= 180, geohashEncode(${x}, ${y}, ${digits}), NULL)`;
  const sql = context.bind(latitude!, (y) => context.bind(longitude!, (x) => tile(y, x)));
  return { sql, nullable: true };
}

/** The constants and the formula of the core's runtime-geo.ts. */
const RADIUS_M = 6371008.8;
const RADIANS = Math.PI / 180;

/** Metres. */
export function geoDistance(context: SqlContext, operands: readonly Expression[]): SqlNumber {
  const codes = operands.map((operand) => emitLoose(context, operand));
  const [latitude1, longitude1, latitude2, longitude2] = codes.map(asDouble) as [string, string, string, string];
  const square = context.bind(latitude1, (a) =>
    context.bind(
      latitude2,
      (b) =>
        `(${squaredSine(`(${b} - ${a})`)} + cos(${a} * ${RADIANS}) * cos(${b} * ${RADIANS})` +
        ` * ${squaredSine(`(${longitude2} - ${longitude1})`)})`,
    ),
  );
  const sine = context.bind(`sqrt(${square})`, (s) => `if(${s} > 1, 1.0, ${s})`);
  return doubleCode(
    `(${2 * RADIUS_M} * asin(${sine}))`,
    codes.some((code) => code.nullable),
    true,
  );
}

function squaredSine(degrees: string): string {
  return `pow(sin(${degrees} * ${RADIANS} / 2), 2)`;
}
