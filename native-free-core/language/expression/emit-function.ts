/** Emits functions whose value is a number: of numbers, of texts, of points on the globe, and hash() of anything. */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { EXACT_LIMIT, isDictionary, type EmitContext, type NumberCode } from './context.ts';

type Call = Extract<Expression, { node: 'call' }>;

type EmitNumber = (context: EmitContext, expression: Expression) => NumberCode;

/** Operands below 2^53 where they are present: finite ones, and such as may be none. */
export interface EmitOperand {
  readonly operand: EmitNumber;
  readonly loose: EmitNumber;
}

/** Of doubles one double. */
interface DoubleFunction {
  readonly name: string;
  /** Of finite numbers it may give one that is none. */
  readonly wild?: boolean;
  /** Of a number that is none it may give a finite one. */
  readonly swallows?: boolean;
}

/** Math.log, exp and pow are close to the true value, and only that. */
const DOUBLES: Readonly<Partial<Record<ExpressionOperator, DoubleFunction>>> = {
  floor: { name: 'Math.floor' },
  ceil: { name: 'Math.ceil' },
  sqrt: { name: 'Math.sqrt', wild: true },
  log: { name: 'Math.log', wild: true },
  exp: { name: 'Math.exp', wild: true, swallows: true },
  pow: { name: 'Math.pow', wild: true, swallows: true },
  geo_distance: { name: '$geoDistance', wild: true },
  to_double: { name: '' },
};

/** null: the operator is none of these. */
export function emitFunction(context: EmitContext, call: Call, emit: EmitOperand): NumberCode | null {
  const { operator, operands } = call;
  const double = DOUBLES[operator];
  if (double !== undefined) return emitDouble(context, double, operands, emit);
  switch (operator) {
    case 'abs': {
      const of = emit.loose(context, operands[0]);
      return { ...of, value: `Math.abs(${of.value})`, words: null };
    }
    case 'min':
    case 'max':
      return emitExtreme(context, call, emit.operand);
    case 'to_int':
      return emitInteger(context, emit.loose(context, operands[0]));
    case 'size':
      return emitSize(context, operands[0]);
    case 'hash':
      return emitHash(context, operands[0], emit);
    default:
      return null;
  }
}

function emitDouble(
  context: EmitContext,
  { name, wild = false, swallows = false }: DoubleFunction,
  operands: readonly Expression[],
  emit: EmitOperand,
): NumberCode {
  const codes = operands.map((one) => (swallows ? emit.operand : emit.loose)(context, one));
  return {
    value: `${name}(${codes.map((code) => code.value).join(', ')})`,
    absent: codes.flatMap((code) => code.absent),
    bound: Infinity,
    integer: false,
    wild: wild || codes.some((code) => code.wild),
    words: null,
  };
}

/** The first of equal ones (0 and -0): `b < a ? b : a`, operand by operand. */
function emitExtreme(context: EmitContext, { operator, operands, type }: Call, operand: EmitNumber): NumberCode {
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
    wild: false,
    words: null,
  };
}

function emitInteger(context: EmitContext, of: NumberCode): NumberCode {
  if (of.integer) return of;
  const value = context.named(`(Math.trunc(${of.value}) + 0)`);
  const beyond = `!(${value} < ${EXACT_LIMIT} && ${value} > -${EXACT_LIMIT})`;
  return { value, absent: [...of.absent, beyond], bound: EXACT_LIMIT - 1, integer: true, wild: false, words: null };
}

function emitSize(context: EmitContext, of: Expression): NumberCode {
  const { access } = context;
  const size = (value: string, absent: readonly string[]): NumberCode => ({
    value,
    absent,
    bound: 4294967295,
    integer: true,
    wild: false,
    words: null,
  });
  if (of.node === 'column' && access.column(of.column).shape !== 'scalar')
    return size(`${access.array(of.column, 'counts')}[r]`, []);
  const text = context.text(of);
  if (of.type === 'bytes') return size(text.length, text.absent);
  return size(`$codePoints(${text.heap}, ${text.start}, ${text.length})`, text.absent);
}

/** What of a value is hashed is said in base/murmur64.ts. */
function emitHash(context: EmitContext, of: Expression, emit: EmitOperand): NumberCode {
  const hash = (value: string, absent: readonly string[]): NumberCode => ({
    value: context.named(value),
    absent,
    bound: EXACT_LIMIT - 1,
    integer: true,
    wild: false,
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
  const number = of.type === 'double' ? emit.operand(context, of) : context.number(of);
  if (number.words !== null) return hash(`$hashWords(${number.words.low}, ${number.words.high})`, number.absent);
  if (number.integer) return hash(`$hashInteger(${number.value})`, number.absent);
  return hash(`$hashDouble(${number.value})`, number.absent);
}
