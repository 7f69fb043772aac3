/** geo.tile(lat, lon, precision): the geohash of a point. A point that is none on the globe has no tile. */

import type { EmitContext } from '../expression/emit-context.ts';
import type { TextCode } from '../expression/emitted-code.ts';
import * as kernel from '../expression/operand.ts';
import type { SqlCode, SqlContext } from '../sql/sql-context.ts';
import * as sql from '../sql/operands.ts';
import { numbersOf, type CallSite } from './call-site.ts';
import type { TextFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';
import { call, type Typed } from './typed.ts';

/** Of a geohash in 60 bits. */
const PRECISION_MAX = 12;

export const geoTileFunction: TextFunction = {
  written: [
    {
      name: 'geo.tile',
      form: 'function',
      check,
      documentation: {
        syntax: 'geo.tile(lat, lon, precision)',
        meaning: `The geohash of a point in degrees, with 1 to ${PRECISION_MAX} characters, a constant. Absent outside ±90 and ±180.`,
        example: ['geo.tile(52.5, 13.4, 6)', "'u33d8v'"],
      },
    },
  ],
  repeats: 'exact',
  text: { kernel: emitKernel, sql: emitSql },
  phrase: calledFunction('geo.tile'),
};

function check(site: CallSite): Typed | null {
  const [latitude, longitude, precision] = site.arguments;
  if (latitude === undefined || longitude === undefined || precision === undefined || site.arguments.length !== 3)
    return site.refuse('geo.tile takes a point in degrees and a precision: geo.tile(lat, lon, 6)');
  const numbers = numbersOf([latitude, longitude]);
  const digits = precision.check()?.expression;
  if (numbers === null || digits === undefined) return null;
  const isRight = digits.node === 'constant' && digits.type === 'int';
  if (!isRight || !(Number(digits.value) >= 1 && Number(digits.value) <= PRECISION_MAX))
    return precision.refuse(`the precision of a tile is a number from 1 to ${PRECISION_MAX}`);
  return { expression: call('string', 'geo_tile', [...numbers, digits]) };
}

function digitsOf({ operands: [, , precision] }: Call): number {
  if (precision.node !== 'constant') throw new Error('the precision of a geohash is a constant');
  return Number(precision.value);
}

/** The tile is written when `start` is asked for. */
function emitKernel(context: EmitContext, call: Call): TextCode {
  const lat = kernel.emitLoose(context, call.operands[0]);
  const lon = kernel.emitLoose(context, call.operands[1]);
  const digits = digitsOf(call);
  const at = context.access.scratch(digits);
  const [y, x] = [context.named(lat.value), context.named(lon.value)];
  const start = context.named(`$geoTile(${y}, ${x}, ${digits}, ${at})`);
  const outside = `!(${y} >= -90 && ${y} <= 90 && ${x} >= -180 && ${x} <= 180)`;
  return { heap: '$scratch', start, length: String(digits), absent: [...lat.absent, ...lon.absent, outside] };
}

function emitSql(context: SqlContext, call: Call): SqlCode {
  const [latitude, longitude] = call.operands.slice(0, 2).map((one) => sql.asDouble(sql.emitLoose(context, one)));
  const digits = digitsOf(call);
  const tile = (y: string, x: string): string =>
    `if(abs(${y}) <= 90 AND abs(${x}) <= 180, geohashEncode(${x}, ${y}, ${digits}), NULL)`;
  return { sql: context.bind(latitude, (y) => context.bind(longitude, (x) => tile(y, x))), nullable: true };
}
