/** Emits functions whose value is a number: of numbers, of texts, of points on the globe, and hash() of anything. */

import type { Expression, ExpressionOperator } from '../../layout/plan.ts';
import { EXACT_LIMIT, isDictionary, type EmitContext, type NumberCode } from './context.ts';

type Call = Extract<Expression, { node: 'call' }>;

/** Operands below 2^53 where they are present. */
export type EmitOperand = (context: EmitContext, expression: Expression) => NumberCode;

/** Of one number, doubles in and out. Math.log, exp and pow are close to the true value, and only that. */
const DOUBLES: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  floor: 'Math.floor',
  ceil: 'Math.ceil',
  sqrt: 'Math.sqrt',
  log: 'Math.log',
  exp: 'Math.exp',
  pow: 'Math.pow',
  geo_distance: '$geoDistance',
  to_double: '',
};

/** null: the operator is none of these. */
export function emitFunction(context: EmitContext, call: Call, operand: EmitOperand): NumberCode | null {
  const { operator, operands } = call;
  const name = DOUBLES[operator];
  if (name !== undefined) return emitDouble(context, name, operands, operand);
  switch (operator) {
    case 'abs': {
      const of = operand(context, operands[0]);
      return { ...of, value: `Math.abs(${of.value})`, words: null };
    }
    case 'min':
    case 'max':
      return emitExtreme(context, call, operand);
    case 'to_int':
      return emitInteger(context, operand(context, operands[0]));
    case 'size':
      return emitSize(context, operands[0]);
    case 'hash':
      return emitHash(context, operands[0]);
    default:
      return null;
  }
}

function emitDouble(
  context: EmitContext,
  name: string,
  operands: readonly Expression[],
  operand: EmitOperand,
): NumberCode {
  const codes = operands.map((one) => operand(context, one));
  return {
    value: `${name}(${codes.map((code) => code.value).join(', ')})`,
    absent: codes.flatMap((code) => code.absent),
    bound: Infinity,
    integer: false,
    words: null,
  };
}

/** The first of equal ones, and a NaN only where it comes first: `b < a ? b : a`, operand by operand. */
function emitExtreme(context: EmitContext, { operator, operands, type }: Call, operand: EmitOperand): NumberCode {
  const sign = operator === 'min' ? '<' : '>';
  const codes = operands.map((one) => operand(context, one));
  const value = codes
    .map((code) => context.named(code.value))
    .reduce((best, next) => context.named(`(${next} ${sign} ${best} ? ${next} : ${best})`));
  return {
    value,
    absent: codes.flatMap((code) => code.absent),
    bound: Math.max(...codes.map((code) => code.bound)),
    integer: type !== 'double',
    words: null,
  };
}

function emitInteger(context: EmitContext, of: NumberCode): NumberCode {
  if (of.integer) return of;
  const value = context.named(`(Math.trunc(${of.value}) + 0)`);
  const beyond = `!(${value} < ${EXACT_LIMIT} && ${value} > -${EXACT_LIMIT})`;
  return { value, absent: [...of.absent, beyond], bound: EXACT_LIMIT - 1, integer: true, words: null };
}

function emitSize(context: EmitContext, of: Expression): NumberCode {
  const { access } = context;
  const size = (value: string, absent: readonly string[]): NumberCode => ({
    value,
    absent,
    bound: 4294967295,
    integer: true,
    words: null,
  });
  if (of.node === 'column' && access.column(of.column).shape !== 'scalar')
    return size(`${access.array(of.column, 'counts')}[r]`, []);
  const text = context.text(of);
  if (of.type === 'bytes') return size(text.length, text.absent);
  return size(`$codePoints(${text.heap}, ${text.start}, ${text.length})`, text.absent);
}

/** What of a value is hashed is said in base/murmur64.ts. */
function emitHash(context: EmitContext, of: Expression): NumberCode {
  const hash = (value: string, absent: readonly string[]): NumberCode => ({
    value: context.named(value),
    absent,
    bound: EXACT_LIMIT - 1,
    integer: true,
    words: null,
  });
  if (of.type === 'string' || of.type === 'bytes' || isDictionary(context.access, of)) {
    const text = context.text(of);
    return hash(`$hashText(${text.heap}, ${text.start}, ${text.length})`, text.absent);
  }
  if (of.type === 'bool') {
    const absent = context.absence(of);
    const flag = context.named(context.truth(of));
    return hash(`$hashInteger(${flag} ? 1 : 0)`, absent === 'false' ? [] : [absent]);
  }
  const number = context.number(of);
  if (number.words !== null) return hash(`$hashWords(${number.words.low}, ${number.words.high})`, number.absent);
  if (number.integer) return hash(`$hashInteger(${number.value})`, number.absent);
  const value = context.named(number.value);
  return hash(`$hashDouble(${value})`, [...number.absent, `${value} !== ${value}`]);
}
