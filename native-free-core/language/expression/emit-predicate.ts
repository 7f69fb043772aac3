/**
 * Emits conditions on texts: beginnings, ends, parts, patterns, and membership in a list that an operator keeps. On a
 * dictionary column a condition with constants is decided once per distinct string and remembered by its id.
 */

import type { Expression, ExpressionOperator } from '../../plan/plan.ts';
import { isDictionary, type EmitContext, type TextCode } from './context.ts';

type Call = Extract<Expression, { node: 'call' }>;

/** A comparison that holds or not where its operands are present. */
export interface Test {
  readonly holds: string;
  readonly absent: readonly string[];
}

const PREDICATES: Readonly<Partial<Record<ExpressionOperator, string>>> = {
  starts_with: '$startsWith',
  ends_with: '$endsWith',
  contains: '$contains',
  matches: '$matches',
  in_list: '',
};

export function isPredicate(operator: ExpressionOperator): boolean {
  return PREDICATES[operator] !== undefined;
}

export function emitPredicate(context: EmitContext, { operator, operands }: Call): Test {
  const [subject, other] = operands;
  if (operator === 'in_list') return emitInList(context, subject, constantText(other));
  const name = PREDICATES[operator]!;
  if (operator === 'matches') {
    const automaton = context.access.automaton(constantText(other));
    return onText(context, subject, true, [], (text) => `${name}(${automaton}, ${argumentsOf(text)})`);
  }
  const part = context.text(other);
  return onText(
    context,
    subject,
    other.node === 'constant',
    part.absent,
    (text) => `${name}(${argumentsOf(text)}, ${argumentsOf(part)})`,
  );
}

/** A condition on the text of `subject`; one with constants alone is remembered where the text is of the dictionary. */
export function onText(
  context: EmitContext,
  subject: Expression,
  constant: boolean,
  otherAbsent: readonly string[],
  holds: (text: TextCode) => string,
): Test {
  if (constant && isDictionary(context.access, subject)) {
    const id = context.number(subject);
    return { holds: context.access.remembered(id.value, holds), absent: [...id.absent, ...otherAbsent] };
  }
  const text = context.text(subject);
  return { holds: holds(text), absent: [...text.absent, ...otherAbsent] };
}

export function argumentsOf(text: TextCode): string {
  return `${text.heap}, ${text.start}, ${text.length}`;
}

function constantText(expression: Expression): string {
  if (expression.node !== 'constant') throw new Error('a constant is needed here');
  return String(expression.value);
}

/** Not remembered: a list is replaced while the engine runs. */
function emitInList(context: EmitContext, subject: Expression, name: string): Test {
  const list = context.access.keyList(name);
  if (subject.type === 'string') {
    const text = context.text(subject);
    return { holds: `$inListText(${list}, ${argumentsOf(text)})`, absent: text.absent };
  }
  const number = context.number(subject);
  if (number.words !== null)
    return { holds: `$inListWords(${list}, ${number.words.low}, ${number.words.high})`, absent: number.absent };
  return { holds: `$inListInteger(${list}, ${number.value})`, absent: number.absent };
}
