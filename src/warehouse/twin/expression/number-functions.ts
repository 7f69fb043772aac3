/** Functions that give numbers. The exact ones are the same to the last bit, the others as far as libraries go. */

import type { Expression } from '../../../../native-free-core/layout/plan.ts';
import { EXACT_LIMIT, type SqlCode, type SqlContext, type SqlNumber } from './context.ts';
import { geoDistance } from './geo.ts';
import { asDouble, doubleCode, emitOperand, guarded, integerCode } from './operands.ts';
import { timePart } from './time.ts';

type Call = Extract<Expression, { node: 'call' }>;

export function numberFunction(context: SqlContext, call: Call): SqlNumber {
  const part = timePart(context, call.operator, call.operands);
  if (part !== null) return part;
  switch (call.operator) {
    case 'size':
      return sizeOf(context, call.operands[0]!);
    case 'hash':
      return hashOf(context, call.operands[0]!);
    case 'min':
    case 'max':
      return emitExtreme(context, call);
    case 'pow':
      return emitPower(context, call);
    case 'geo_distance':
      return geoDistance(context, call.operands);
    default:
      return ofNumber(context, call);
  }
}

function ofNumber(context: SqlContext, call: Call): SqlNumber {
  const a = emitOperand(context, call.operands[0]!);
  switch (call.operator) {
    case 'abs':
      if (a.type === 'Float64') return doubleCode(`abs(${a.sql})`, a.nullable);
      return integerCode(`toInt64(abs(${a.sql}))`, a.nullable, a.bound);
    case 'floor':
    case 'ceil':
    case 'sqrt':
    case 'log':
    case 'exp':
      return doubleCode(`${call.operator}(${asDouble(a)})`, a.nullable);
    case 'to_double':
      return doubleCode(asDouble(a), a.nullable);
    case 'to_int':
      return a.type === 'Float64' ? truncated(a) : a;
    default:
      throw new Error(`no number comes of operator=${call.operator}`);
  }
}

/** NaN and what no Int64 holds become NULL in the cast, what no double holds exactly behind it. */
function truncated(code: SqlNumber): SqlNumber {
  return guarded(integerCode(`accurateCastOrNull(trunc(${code.sql}), 'Int64')`, true, Infinity));
}

function sizeOf(context: SqlContext, expression: Expression): SqlNumber {
  if (expression.node === 'column' && context.column(expression.column).shape !== 'scalar') {
    return integerCode(`toInt64(length(${context.columnName(expression.column)}))`, false, EXACT_LIMIT - 1);
  }
  const text = context.text(expression);
  const name = expression.type === 'bytes' ? 'length' : 'lengthUTF8';
  return integerCode(`toInt64(${name}(${text.sql}))`, text.nullable, EXACT_LIMIT - 1);
}

/** The first of equal ones, and a NaN only where it comes first, as in the core: `least` has an order of its own. */
function emitExtreme(context: SqlContext, { operator, operands, type }: Call): SqlNumber {
  const codes = operands.map((operand) => emitOperand(context, operand));
  const double = type === 'double';
  const sign = operator === 'min' ? '<' : '>';
  const texts = codes.map((code) => (double ? asDouble(code) : code.sql));
  const sql = texts.reduce((best, next, i) =>
    context.bind(next, (b) =>
      context.bind(best, (a) =>
        codes[i]!.nullable
          ? `multiIf(${b} ${sign} ${a}, ${b}, isNull(${b}), NULL, ${a})`
          : `if(${b} ${sign} ${a}, ${b}, ${a})`,
      ),
    ),
  );
  const nullable = codes.some((code) => code.nullable);
  return double ? doubleCode(sql, nullable) : integerCode(sql, nullable, Math.max(...codes.map((code) => code.bound)));
}

/** Far below any double; ClickHouse's own pow gives something like 1e-250 where the true value is 1e-(10^19). */
const VANISHING_EXPONENT = '-1e6';

/** JavaScript knows no power to NaN, and none of 1 to infinity, where C says 1. */
function emitPower(context: SqlContext, { operands }: Call): SqlNumber {
  const [a, b] = operands.map((operand) => emitOperand(context, operand)) as [SqlNumber, SqlNumber];
  const power = (x: string, y: string): string => {
    const none = `isNaN(${y}) OR (abs(${x}) = 1 AND isInfinite(${y}))`;
    const vanishing = `${y} * log2(abs(${x})) < ${VANISHING_EXPONENT}`;
    return `multiIf(${none}, (${x} + ${y}) * nan, ${vanishing}, 0.0 * pow(${x}, ${y}), pow(${x}, ${y}))`;
  };
  const sql = context.bind(asDouble(a), (x) => context.bind(asDouble(b), (y) => power(x, y)));
  return doubleCode(sql, a.nullable || b.nullable);
}

/** As base/murmur64.ts of the core says. */
function hashOf(context: SqlContext, expression: Expression): SqlNumber {
  const hash = (sql: string): string => `toInt64(bitShiftRight(murmurHash3_64(${sql}), 11))`;
  const code = (sql: string, { nullable }: SqlCode): SqlNumber => integerCode(sql, nullable, EXACT_LIMIT - 1);
  if (expression.type === 'string' || expression.type === 'bytes') {
    const text = context.text(expression);
    return code(hash(text.sql), text);
  }
  if (expression.type === 'bool') {
    const truth = context.truth(expression);
    return code(hash(`toInt64(${truth.sql})`), truth);
  }
  const number = context.number(expression);
  if (number.type !== 'Float64') return code(hash(`toInt64(${number.sql})`), number);
  const sql = context.bind(number.sql, (x) => `if(isNaN(${x}), NULL, ${hash(`${x} + 0.0`)})`);
  return code(sql, { ...number, nullable: true });
}
