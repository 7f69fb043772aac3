/** geo.distance(lat1, lon1, lat2, lon2): metres on the globe, from degrees, by the haversine formula. */

import type { SqlContext, SqlNumber } from '../sql/sql-context.ts';
import { asDouble, doubleCode, emitLoose } from '../sql/operands.ts';
import { doubleForm } from './double-form.ts';
import { doubleKernel } from './double-kernel.ts';
import type { NumberFunction } from './function.ts';
import type { Call } from '../../plan/expression-plan.ts';
import { calledFunction } from './phrase.ts';

export const geoDistanceFunction: NumberFunction = {
  written: [
    doubleForm(
      'geo.distance',
      'geo_distance',
      4,
      'geo.distance takes two points in degrees: geo.distance(lat1, lon1, lat2, lon2)',
      {
        syntax: 'geo.distance(lat1, lon1, lat2, lon2)',
        meaning: 'Metres between two points that are given in degrees: haversine, radius 6371008.8 m.',
        example: ['geo.distance(0, 0, 0, 0)', '0.0'],
      },
    ),
  ],
  repeats: 'inexact',
  number: { kernel: doubleKernel('$geoDistance', { wild: true }), sql: emitSql },
  phrase: calledFunction('geo.distance'),
};

/** The constants and the formula of expression/runtime-geo.ts. */
const RADIUS_M = 6371008.8;
const RADIANS = Math.PI / 180;

function emitSql(context: SqlContext, { operands }: Call): SqlNumber {
  const codes = operands.map((operand) => emitLoose(context, operand));
  const [latitude1, longitude1, latitude2, longitude2] = codes.map(asDouble);
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
