/** Functions that give numbers. The exact ones are the same to the last bit, the others as far as libraries go. */

import type { Expression } from '../../plan/plan.ts';
import { EXACT_LIMIT, type SqlCode, type SqlContext, type SqlNumber } from './context.ts';
import { geoDistance } from './geo.ts';
import { asDouble, doubleCode, emitLoose, emitOperand, guarded, integerCode, present } from './operands.ts';
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
  const a = emitLoose(context, call.operands[0]!);
  switch (call.operator) {
    case 'abs':
      if (a.type === 'Float64') return { ...a, sql: `abs(${a.sql})` };
      return integerCode(`toInt64(abs(${a.sql}))`, a.nullable, a.bound);
    case 'floor':
    case 'ceil':
      return doubleCode(`${call.operator}(${asDouble(a)})`, a.nullable, a.wild);
    case 'sqrt':
    case 'log':
      return doubleCode(`${call.operator}(${asDouble(a)})`, a.nullable, true);
    case 'exp': {
      const finite = present(context, a);
      return doubleCode(`exp(${asDouble(finite)})`, finite.nullable, true);
    }
    case 'to_double':
      return doubleCode(asDouble(a), a.nullable, a.wild);
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

/** The first of equal ones (0 and -0), as in the core: `least` has an order of its own. */
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

function emitPower(context: SqlContext, { operands }: Call): SqlNumber {
  const [a, b] = operands.map((operand) => emitOperand(context, operand)) as [SqlNumber, SqlNumber];
  const power = (x: string, y: string): string => {
    const vanishing = `${y} * log2(abs(${x})) < ${VANISHING_EXPONENT}`;
    return `if(${vanishing}, 0.0 * pow(${x}, ${y}), pow(${x}, ${y}))`;
  };
  const sql = context.bind(asDouble(a), (x) => context.bind(asDouble(b), (y) => power(x, y)));
  return doubleCode(sql, a.nullable || b.nullable, true);
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
  const number = present(context, context.number(expression));
  return code(hash(number.type === 'Float64' ? `${number.sql} + 0.0` : `toInt64(${number.sql})`), number);
}
