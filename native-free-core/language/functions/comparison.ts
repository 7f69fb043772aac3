/** `== != < <= > >=`. Absent where a side is; 64-bit integers are compared with all their bits, texts by their bytes. */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { argumentsOf, bothSides, decided, onText, testKernel, type Test } from '../expression/condition.ts';
import { isDictionary, type EmitContext } from '../expression/emit-context.ts';
import type { NumberCode } from '../expression/emitted-code.ts';
import { guarded } from '../expression/operand.ts';
import { isLabelled, storedName } from '../sql/sql-column.ts';
import { comparison, type SqlCode, type SqlContext, type SqlNumber } from '../sql/sql-context.ts';
import { asDouble, asOperand, comparableText, present } from '../sql/operands.ts';
import type { CallSite } from './call-site.ts';
import { compareTyped } from './comparable.ts';
import type { ConditionFunction, ConditionPart } from './function.ts';
import { infixPhrase, RELATION } from './phrase.ts';
import type { Typed } from './typed.ts';

type Constant = Extract<Expression, { node: 'constant' }>;
type Operator = Extract<ExpressionOperator, 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'>;

interface Comparison {
  readonly operator: Operator;
  /** As pipelines write it. */
  readonly sign: string;
  readonly kernelSign: string;
  readonly sqlSign: string;
  /** The same with its sides exchanged. */
  mirrored(): Comparison;
}

const EQ: Comparison = { operator: 'eq', sign: '==', kernelSign: '===', sqlSign: '=', mirrored: () => EQ };
const NE: Comparison = { operator: 'ne', sign: '!=', kernelSign: '!==', sqlSign: '!=', mirrored: () => NE };
const LT: Comparison = { operator: 'lt', sign: '<', kernelSign: '<', sqlSign: '<', mirrored: () => GT };
const LE: Comparison = { operator: 'le', sign: '<=', kernelSign: '<=', sqlSign: '<=', mirrored: () => GE };
const GT: Comparison = { operator: 'gt', sign: '>', kernelSign: '>', sqlSign: '>', mirrored: () => LT };
const GE: Comparison = { operator: 'ge', sign: '>=', kernelSign: '>=', sqlSign: '>=', mirrored: () => LE };

export const eq = comparisonFunction(
  EQ,
  'Whether both are the same. Names of an enum or of event types are compared as texts.',
  ["'a' == 'b'", 'false'],
);
export const ne = comparisonFunction(NE, 'Whether both differ.', ["'a' != 'b'", 'true']);
export const lt = comparisonFunction(
  LT,
  'Whether a comes before b: numbers, times, and texts and bytes by their bytes.',
  ['1 < 2.5', 'true'],
);
export const le = comparisonFunction(LE, 'Whether a comes before b or is the same.', ['2 <= 2', 'true']);
export const gt = comparisonFunction(GT, 'Whether a comes after b.', ["'b' > 'abc'", 'true']);
export const ge = comparisonFunction(GE, 'Whether a comes after b or is the same.', ['1 >= 2', 'false']);

function comparisonFunction(how: Comparison, meaning: string, example: readonly [string, string]): ConditionFunction {
  const { operator, sign } = how;
  return {
    written: [
      {
        name: sign,
        form: 'operator',
        check: (site) => check(site, operator),
        documentation: { syntax: `a ${sign} b`, meaning, example },
      },
    ],
    repeats: 'exact',
    condition: conditionPart(how),
    phrase: ({ operands }, writer) => infixPhrase(sign, RELATION, writer.labelled(operands), writer),
  };
}

function check({ refuse, arguments: [left, right] }: CallSite, operator: Operator): Typed | null {
  const a = left.check();
  const b = right.check();
  if (a === null || b === null) return null;
  return compareTyped(operator, a, b, { left: left.refuse, right: right.refuse, both: refuse });
}

function conditionPart(how: Comparison): ConditionPart {
  const { neverAbsent } = testKernel((context, { operands: [a, b] }) => compare(context, how, a, b));
  return {
    neverAbsent,
    compound: null,
    kernel: (context, call, wanted) => {
      const [a, b] = call.operands;
      if (a.type !== 'bool') return decided(compare(context, how, a, b), wanted);
      return sameTruth(context, a, b, (how.operator === 'eq') === wanted);
    },
    sql: (context, { operands: [a, b] }) => {
      const [left, right] = comparedSides(context, isEquality(how), a, b);
      return comparison(`(${left.sql} ${how.sqlSign} ${right.sql})`, left, right);
    },
  };
}

function isEquality({ operator }: Comparison): boolean {
  return operator === 'eq' || operator === 'ne';
}

function sameTruth(context: EmitContext, a: Expression, b: Expression, same: boolean): string {
  const [aYes, aNo] = bothSides(context, a);
  const [bYes, bNo] = bothSides(context, b);
  return same ? `(${aYes} && ${bYes} || ${aNo} && ${bNo})` : `(${aYes} && ${bNo} || ${aNo} && ${bYes})`;
}

/** `value == member`, for in. */
export function equals(context: EmitContext, value: Expression, member: Expression): Test {
  return compare(context, EQ, value, member);
}

function compare(context: EmitContext, how: Comparison, a: Expression, b: Expression): Test {
  const { access } = context;
  const equality = isEquality(how);
  if (isDictionary(access, a) && equality && (b.node === 'constant' || isDictionary(access, b)))
    return compareIds(context, how, a, b);
  if (isDictionary(access, b) && equality && a.node === 'constant') return compareIds(context, how, b, a);
  if (a.type === 'string' || a.type === 'bytes') return compareTexts(context, how, a, b);
  return compareNumbers(context, how, context.number(a), context.number(b));
}

function compareNumbers(context: EmitContext, how: Comparison, a: NumberCode, b: NumberCode): Test {
  if (a.words !== null && b.words !== null) return compareWords(how, a, b);
  // Beside an integer below 2^53 the rounded value of a wider one lies on the right side; beside a double it may not.
  const exact = a.integer && b.integer;
  const left = exact ? a : guarded(context, a);
  const right = exact ? b : guarded(context, b);
  return { holds: `${left.value} ${how.kernelSign} ${right.value}`, absent: [...left.absent, ...right.absent] };
}

function compareWords({ operator, kernelSign }: Comparison, a: NumberCode, b: NumberCode): Test {
  const absent = [...a.absent, ...b.absent];
  const equal = `${a.words!.low} === ${b.words!.low} && ${a.words!.high} === ${b.words!.high}`;
  if (operator === 'eq') return { holds: equal, absent };
  if (operator === 'ne') return { holds: `!(${equal})`, absent };
  const strict = operator === 'lt' || operator === 'le' ? '<' : '>';
  const lows = `${a.words!.low} ${kernelSign} ${b.words!.low}`;
  const highs = `${a.words!.high} ${strict} ${b.words!.high}`;
  return { holds: `${highs} || ${a.words!.high} === ${b.words!.high} && ${lows}`, absent };
}

/** A dictionary column's order beside a constant is decided once for each string. */
function compareTexts(context: EmitContext, how: Comparison, a: Expression, b: Expression): Test {
  if (a.node === 'constant' && isDictionary(context.access, b)) return compareTexts(context, how.mirrored(), b, a);
  const other = context.text(b);
  return onText(context, a, b.node === 'constant', other.absent, (text) => {
    const operands = `${argumentsOf(text)}, ${argumentsOf(other)}`;
    if (how.operator === 'eq') return `$same(${operands})`;
    return how.operator === 'ne' ? `!$same(${operands})` : `$compare(${operands}) ${how.kernelSign} 0`;
  });
}

/** A dictionary column with a constant or with another one. */
function compareIds(context: EmitContext, how: Comparison, column: Expression, other: Expression): Test {
  const id = context.number(column);
  if (other.node === 'constant') {
    const is = isLabel(context, id.value, other);
    return { holds: how.operator === 'eq' ? is : `!(${is})`, absent: id.absent };
  }
  const otherId = context.number(other);
  return { holds: `${id.value} ${how.kernelSign} ${otherId.value}`, absent: [...id.absent, ...otherId.absent] };
}

/** One integer comparison once the constant's id is known; until then `$learn` looks it up when a new id appears. */
function isLabel(context: EmitContext, id: string, constant: Constant): string {
  const slot = context.access.dictionarySlot(String(constant.value));
  return `($labels[${slot}] >= 0 ? ${id} === $labels[${slot}] : $learn(${slot}, ${id}))`;
}

function comparedSides(
  context: SqlContext,
  equality: boolean,
  a: Expression,
  b: Expression,
): readonly [SqlCode, SqlCode] {
  if (a.type === 'bool') return [context.truth(a), context.truth(b)];
  if (a.type === 'string' || a.type === 'bytes') return [comparableText(context, a), comparableText(context, b)];
  const named = equality ? (namedSides(context, a, b) ?? namedSides(context, b, a)) : null;
  if (named !== null) return named;
  const [left, right] = [context.number(a), context.number(b)];
  if (left.type !== 'Float64' && right.type !== 'Float64') return [left, right];
  // Beside a double an integer beyond 2^53 has no answer.
  const side = (code: SqlNumber, of: Expression): SqlNumber => present(context, asOperand(of, code));
  return [doubleSide(side(left, a), b), doubleSide(side(right, b), a)];
}

/**
 * ClickHouse makes IN of several comparisons in a row, and IN tells -0 from 0: beside a constant 0 there shall be no -0.
 */
function doubleSide(code: SqlNumber, other: Expression): SqlCode {
  const besideZero = other.node === 'constant' && Number(other.value) === 0 && code.type === 'Float64';
  return { sql: besideZero ? `(${code.sql} + 0.0)` : asDouble(code), nullable: code.nullable };
}

/** A code compared with a constant: by the name that ClickHouse holds. */
function namedSides(context: SqlContext, column: Expression, constant: Expression): readonly [SqlCode, SqlCode] | null {
  if (column.node !== 'column' || constant.node !== 'constant' || constant.type === 'double') return null;
  const plan = context.column(column.column);
  if (!isLabelled(plan)) return null;
  return [
    { sql: context.columnName(column.column), nullable: plan.nullable, lowCardinality: true },
    { sql: storedName(plan, BigInt(constant.exact ?? constant.value)), nullable: false },
  ];
}
