/**
 * Emits conditions in three-valued logic as two JavaScript conditions: where the expression is true, and where it is
 * false. Where neither holds it is absent. A rule only asks for truth, so most falsehoods are never emitted.
 */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { isDictionary, nullCondition, whenPresent, type EmitContext, type NumberCode } from './context.ts';
import { guarded, present } from './emit-number.ts';
import { argumentsOf, emitPredicate, isPredicate, onText, type Test } from './emit-predicate.ts';

type Call = Extract<Expression, { node: 'call' }>;
type Constant = Extract<Expression, { node: 'constant' }>;

export function emitTruth(context: EmitContext, expression: Expression, wanted: boolean): string {
  switch (expression.node) {
    case 'constant':
      return String(expression.value === wanted);
    case 'column': {
      const { access } = context;
      const flag = `${access.array(expression.column, 'u8')}[r] ${wanted ? '!==' : '==='} 0`;
      return `(${whenPresent(nullCondition(access, expression.column), flag)})`;
    }
    case 'call':
      return emitCall(context, expression, wanted);
  }
}

function emitCall(context: EmitContext, call: Call, wanted: boolean): string {
  const side = (expression: Expression, truth: boolean): string =>
    truth ? context.truth(expression) : context.falsehood(expression);
  const [a, b, c] = call.operands;
  switch (call.operator) {
    case 'not':
      return side(a, !wanted);
    case 'and':
    case 'or': {
      const joined = (call.operator === 'and') === wanted ? '&&' : '||';
      return `(${side(a, wanted)} ${joined} ${side(b, wanted)})`;
    }
    case 'conditional': {
      const [yes, no] = bothSides(context, a);
      return `(${yes} && ${side(b, wanted)} || ${no} && ${side(c, wanted)})`;
    }
    case 'has': {
      const absent = absentCondition(context, a);
      return wanted ? `!(${absent})` : `(${absent})`;
    }
    default:
      if (call.operator === 'eq' || call.operator === 'ne') {
        if (a.type === 'bool') return emitSameTruth(context, a, b, (call.operator === 'eq') === wanted);
      }
      return decided(testOf(context, call), wanted);
  }
}

/** A comparison, a membership or a condition on a text. */
function testOf(context: EmitContext, call: Call): Test {
  const [a, b] = call.operands;
  if (call.operator === 'in') return emitMembership(context, a, call.operands.slice(1));
  if (isPredicate(call.operator)) return emitPredicate(context, call);
  if (SIGNS[call.operator] === undefined) throw new Error(`no condition comes of operator=${call.operator}`);
  return emitComparison(context, call.operator, a, b);
}

function decided(test: Test, wanted: boolean): string {
  return `(${whenPresent(test.absent, wanted ? `(${test.holds})` : `!(${test.holds})`)})`;
}

function bothSides(context: EmitContext, expression: Expression): [string, string] {
  return [context.named(context.truth(expression)), context.named(context.falsehood(expression))];
}

function emitSameTruth(context: EmitContext, a: Expression, b: Expression, same: boolean): string {
  const [aYes, aNo] = bothSides(context, a);
  const [bYes, bNo] = bothSides(context, b);
  return same ? `(${aYes} && ${bYes} || ${aNo} && ${bNo})` : `(${aYes} && ${bNo} || ${aNo} && ${bYes})`;
}

/** The condition under which any expression is absent; 'false' where it never is. */
export function absentCondition(context: EmitContext, expression: Expression): string {
  const { access } = context;
  if (expression.node === 'column' && access.column(expression.column).shape !== 'scalar') {
    return `${access.array(expression.column, 'counts')}[r] === 0`;
  }
  if (expression.type === 'bool') {
    if (neverAbsent(context, expression)) return 'false';
    const [yes, no] = bothSides(context, expression);
    return `!${yes} && !${no}`;
  }
  const absent = absentOf(context, expression);
  return absent.length === 0 ? 'false' : absent.join(' || ');
}

function absentOf(context: EmitContext, expression: Expression): readonly string[] {
  if (isDictionary(context.access, expression)) return context.number(expression).absent;
  const text = expression.type === 'string' || expression.type === 'bytes';
  return text ? context.text(expression).absent : present(context, context.number(expression)).absent;
}

/** Whether a condition always has a value. */
export function neverAbsent(context: EmitContext, expression: Expression): boolean {
  const { access } = context;
  if (expression.node === 'constant') return true;
  if (expression.node === 'column') {
    const { shape, nullable } = access.column(expression.column);
    if (shape !== 'scalar') return true;
    if (expression.type === 'bool') return !nullable;
  }
  if (expression.node === 'call' && expression.type === 'bool') {
    if (expression.operator === 'has') return true;
    const { operator } = expression;
    const compares = operator === 'in' || isPredicate(operator) || SIGNS[operator] !== undefined;
    if (compares && expression.operands[0].type !== 'bool') return testOf(context, expression).absent.length === 0;
    return expression.operands.every((operand) => neverAbsent(context, operand));
  }
  return absentOf(context, expression).length === 0;
}

const SIGNS: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

function emitComparison(context: EmitContext, operator: ExpressionOperator, a: Expression, b: Expression): Test {
  const { access } = context;
  const equality = operator === 'eq' || operator === 'ne';
  if (isDictionary(access, a) && equality && (b.node === 'constant' || isDictionary(access, b)))
    return compareIds(context, operator, a, b);
  if (isDictionary(access, b) && equality && a.node === 'constant') return compareIds(context, operator, b, a);
  if (a.type === 'string' || a.type === 'bytes') return compareTexts(context, operator, a, b);
  return compareNumbers(context, operator, context.number(a), context.number(b));
}

function compareNumbers(context: EmitContext, operator: ExpressionOperator, a: NumberCode, b: NumberCode): Test {
  if (a.words !== null && b.words !== null) return compareWords(operator, a, b);
  // Beside an integer below 2^53 the rounded value of a wider one lies on the right side; beside a double it may not.
  const exact = a.integer && b.integer;
  const left = exact ? a : guarded(context, a);
  const right = exact ? b : guarded(context, b);
  return { holds: `${left.value} ${SIGNS[operator]} ${right.value}`, absent: [...left.absent, ...right.absent] };
}

function compareWords(operator: ExpressionOperator, a: NumberCode, b: NumberCode): Test {
  const absent = [...a.absent, ...b.absent];
  const equal = `${a.words!.low} === ${b.words!.low} && ${a.words!.high} === ${b.words!.high}`;
  if (operator === 'eq') return { holds: equal, absent };
  if (operator === 'ne') return { holds: `!(${equal})`, absent };
  const strict = operator === 'lt' || operator === 'le' ? '<' : '>';
  const lows = `${a.words!.low} ${SIGNS[operator]} ${b.words!.low}`;
  const highs = `${a.words!.high} ${strict} ${b.words!.high}`;
  return { holds: `${highs} || ${a.words!.high} === ${b.words!.high} && ${lows}`, absent };
}

/** A dictionary column's order beside a constant is decided once for each string. */
function compareTexts(context: EmitContext, operator: ExpressionOperator, a: Expression, b: Expression): Test {
  if (a.node === 'constant' && isDictionary(context.access, b)) return compareTexts(context, MIRRORED[operator]!, b, a);
  const other = context.text(b);
  return onText(context, a, b.node === 'constant', other.absent, (text) => {
    const operands = `${argumentsOf(text)}, ${argumentsOf(other)}`;
    if (operator === 'eq') return `$same(${operands})`;
    return operator === 'ne' ? `!$same(${operands})` : `$compare(${operands}) ${SIGNS[operator]} 0`;
  });
}

const MIRRORED: Readonly<Partial<Record<ExpressionOperator, ExpressionOperator>>> = {
  eq: 'eq',
  ne: 'ne',
  lt: 'gt',
  le: 'ge',
  gt: 'lt',
  ge: 'le',
};

/** A dictionary column with a constant or with another one. */
function compareIds(context: EmitContext, operator: ExpressionOperator, column: Expression, other: Expression): Test {
  const id = context.number(column);
  if (other.node === 'constant') {
    const is = isLabel(context, id.value, other);
    return { holds: operator === 'eq' ? is : `!(${is})`, absent: id.absent };
  }
  const otherId = context.number(other);
  return { holds: `${id.value} ${SIGNS[operator]} ${otherId.value}`, absent: [...id.absent, ...otherId.absent] };
}

/** One integer comparison once the constant's id is known; until then `$learn` looks it up when a new id appears. */
function isLabel(context: EmitContext, id: string, constant: Constant): string {
  const slot = context.access.dictionarySlot(String(constant.value));
  return `($labels[${slot}] >= 0 ? ${id} === $labels[${slot}] : $learn(${slot}, ${id}))`;
}

function emitMembership(context: EmitContext, value: Expression, members: readonly Expression[]): Test {
  const list = members[0];
  if (list?.node === 'column') return emitListMembership(context, value, list.column);
  const tests = members.map((member) => emitComparison(context, 'eq', value, member));
  return { holds: tests.map((test) => `(${test.holds})`).join(' || '), absent: tests[0]?.absent ?? [] };
}

function emitListMembership(context: EmitContext, value: Expression, column: number): Test {
  const cursor = context.access.listCursor(column);
  if (value.type === 'string' || value.type === 'bytes') {
    const text = context.text(value);
    return { holds: `$listHasText(${cursor}, r, ${text.heap}, ${text.start}, ${text.length})`, absent: text.absent };
  }
  const { kind } = context.access.column(column);
  const number = context.number(value);
  if (number.words !== null && (kind === 'u64' || kind === 'i64' || kind === 'time')) {
    return { holds: `$listHasWords(${cursor}, r, ${number.words.low}, ${number.words.high})`, absent: number.absent };
  }
  const plain = number.integer && kind !== 'f32' && kind !== 'f64' ? number : guarded(context, number);
  return { holds: `$listHas(${cursor}, r, ${plain.value})`, absent: plain.absent };
}
